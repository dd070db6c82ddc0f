/* page-check.c - runs the child that tries the browser, and keeps what it found. */
#define G_LOG_DOMAIN "rec.recording.page"
#include "recording/page-check.h"

#include "base/child.h"
#include "base/config.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "recording/page.h"

#include <signal.h>
#include <unistd.h>

#define ANSWER_FD 3
#define GRACE_MS 10000 /* the child has the same time limit, and says more */
#define END_MS 3000

struct RecPageCheck {
  const RecConfig *config;
  char *program;
  RecChild *child; /* NULL: none runs */
  int answer_fd;
  guint deadline;
  char *refusal; /* NULL: none yet, or it works */
};

static void
clear_child (RecPageCheck *check)
{
  if (check->deadline != 0)
    g_source_remove (check->deadline);
  check->deadline = 0;
  g_clear_pointer (&check->child, rec_child_free);
  rec_fd_close (&check->answer_fd);
}

static void
on_ended (RecChild *child G_GNUC_UNUSED, int status, void *data)
{
  RecPageCheck *check = data;
  g_autofree char *reason = rec_child_dup_exit_reason (status);
  const bool was_refused = check->refusal != NULL;
  char words[4096];
  const ssize_t n = read (check->answer_fd, words, sizeof words);

  g_clear_pointer (&check->refusal, g_free);
  clear_child (check);
  if (status == 0) {
    if (was_refused)
      g_message ("the browser works again: custom layouts can be recorded");
    return;
  }
  check->refusal = n > 0 ? g_utf8_make_valid (words, n)
                         : g_strdup_printf ("the program that tries it %s", reason);
  g_warning ("custom layouts cannot be recorded, the browser cannot be used: %s; " REC_PAGE_INSTALL
             "; other layouts work",
      check->refusal);
}

static gboolean
on_deadline (gpointer data)
{
  RecPageCheck *check = data;

  check->deadline = 0;
  rec_child_signal_group (check->child, SIGKILL);
  return G_SOURCE_REMOVE;
}

static bool
spawn (RecPageCheck *check, json_object *browser, GError **error)
{
  g_autofree char *text = rec_json_to_text (browser);
  const char *const argv[] = { check->program, "--check-browser", text, NULL };
  int fds[2];

  if (!rec_fd_pipe (fds, error))
    return false;
  const RecChildFd child_fd = { fds[1], ANSWER_FD };
  const RecChildSetup setup = {
    .argv = argv,
    .fds = &child_fd,
    .n_fds = 1,
    .dies_with_us = true,
  };
  check->child = rec_child_new (&setup, error);
  rec_fd_close (&fds[1]);
  check->answer_fd = fds[0];
  /* Something that has come loose from it may hold the other end. */
  if (check->child != NULL && rec_fd_set_nonblocking (fds[0], true, error)) {
    rec_child_watch (check->child, on_ended, check);
    return true;
  }
  clear_child (check);
  return false;
}

void
rec_page_check_begin (RecPageCheck *check)
{
  const int64_t timeout_ms = rec_config_get_int (check->config, "browser.check-timeout-ms");
  g_autoptr (GError) error = NULL;

  REC_ASSERT_MAIN ();
  if (check->child != NULL || timeout_ms == 0)
    return;
  g_autoptr (RecJson) browser = rec_page_describe_browser (check->config, NULL, &error);
  /* A missing one was told of already, and is looked for at each start. */
  if (browser == NULL)
    return;
  rec_json_set_int (browser, "checkTimeoutMs", timeout_ms);
  if (spawn (check, browser, &error))
    check->deadline = g_timeout_add ((guint) (timeout_ms + GRACE_MS), on_deadline, check);
  else
    g_warning ("cannot try the browser out: %s", error->message);
}

bool
rec_page_check_allows (RecPageCheck *check, GError **error)
{
  if (check->refusal == NULL)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED,
      "custom layouts need a browser, and the one there is cannot be used: %s; " REC_PAGE_INSTALL
      " (it is tried again now)",
      check->refusal);
  rec_page_check_begin (check);
  return false;
}

RecPageCheck *
rec_page_check_new (const RecConfig *config, const char *program)
{
  RecPageCheck *check = g_new0 (RecPageCheck, 1);

  check->config = config;
  check->program = g_strdup (program);
  check->answer_fd = -1;
  return check;
}

void
rec_page_check_free (RecPageCheck *check)
{
  int status;

  if (check == NULL)
    return;
  if (check->child != NULL) {
    rec_child_signal (check->child, SIGTERM);
    if (!rec_child_reap (check->child, END_MS, &status))
      rec_child_signal_group (check->child, SIGKILL);
  }
  clear_child (check);
  g_free (check->program);
  g_free (check->refusal);
  g_free (check);
}
