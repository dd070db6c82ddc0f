/* browser-check.c - one browser, one question, and the end of both. */
#define G_LOG_DOMAIN "rec.worker.browser"
#include "worker/browser-check.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "worker/browser.h"
#include "worker/cdp-link.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

#define MAX_BYTES 20000
#define WORDS_MS                                                                                   \
  300 /* a pipe that closes is soon followed by the end of its process, which says more */

typedef struct {
  GMainLoop *loop;
  char *why; /* NULL: fine */
} Check;

static void
end (Check *check, const char *why)
{
  if (check->why == NULL)
    check->why = g_strdup (why);
  g_main_loop_quit (check->loop);
}

static void
on_ended (const char *how, void *data)
{
  Check *check = data;

  g_clear_pointer (&check->why, g_free);
  end (check, how);
}

static gboolean
on_silent (gpointer data)
{
  Check *check = data;

  g_main_loop_quit (check->loop);
  return G_SOURCE_CONTINUE;
}

static void
on_closed (const char *why, void *data)
{
  Check *check = data;

  if (check->why != NULL)
    return;
  check->why = g_strdup (why);
  g_timeout_add (WORDS_MS, on_silent, check);
}

static void
on_version (RecJson *result, const char *failure, void *data)
{
  (void) result;
  end (data, failure);
}

static void
on_event (const RecCdpMessage *message, void *data)
{
  (void) message;
  (void) data;
}

static gboolean
on_deadline (gpointer data)
{
  end (data, "it does not answer (browser.check-timeout-ms)");
  return G_SOURCE_CONTINUE;
}

static gboolean
on_terminated (gpointer data)
{
  end (data, "the check was ended");
  return G_SOURCE_CONTINUE;
}

static void
ask (Check *check, RecBrowser *browser)
{
  static const RecCdpLinkEvents events = { .event = on_event, .closed = on_closed };
  RecCdpLink *link = rec_cdp_link_new (rec_browser_get_read_fd (browser),
      rec_browser_get_write_fd (browser), &events, check);

  rec_cdp_link_call (link, "", "Browser.getVersion", NULL, on_version, check);
  g_main_loop_run (check->loop);
  rec_cdp_link_free (link);
}

static char *
try_out (RecJson *settings)
{
  static const char *const nothing[] = { NULL };
  const RecBrowserRecipe recipe = {
    .program = rec_json_string_or (settings, "program", ""),
    .user = rec_json_string_or (settings, "user", ""),
    .profile_directory = rec_json_string_or (settings, "profileDirectory", ""),
    .has_sandbox = rec_json_bool_or (settings, "sandbox", true),
    .width = 320,
    .height = 240,
    .title = "check",
    .host_rules = "",
    .cert_key_hash = "",
    .reachable = nothing,
    .group = "",
  };
  Check check = { .loop = g_main_loop_new (NULL, FALSE) };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecBrowser) browser = rec_browser_new (&recipe, on_ended, &check, &error);

  if (browser != NULL) {
    g_unix_signal_add (SIGTERM, on_terminated, &check);
    g_timeout_add ((unsigned) rec_json_int_or (settings, "checkTimeoutMs", 1), on_deadline, &check);
    ask (&check, browser);
  }
  g_main_loop_unref (check.loop);
  return browser != NULL ? check.why : g_strdup (error->message);
}

int
rec_browser_check_run (const char *browser)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecJson) settings = rec_json_parse (browser, strlen (browser), MAX_BYTES, &error);
  g_autofree char *why = NULL;

  signal (SIGPIPE, SIG_IGN); /* the browser may be gone before it is asked */
  why = settings != NULL ? try_out (settings) : g_strdup (error->message);
  if (why == NULL)
    return 0;
  (void) rec_fd_write_all (REC_BROWSER_CHECK_FD, why, strlen (why), NULL);
  return 1;
}
