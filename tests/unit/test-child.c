/* test-child.c - children get what they are given and nothing else, and their end is told in words. */
#include "base/child.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"

#define TIMEOUT_MS 20000

/* Runs a shell script; what it writes to descriptor 3 is the result. */
static char *
run (const char *script, const RecChildSetup *limits, int *status)
{
  const char *const argv[] = { "/bin/sh", "-c", script, NULL };
  g_autoptr (GError) error = NULL;
  GString *output = g_string_new (NULL);
  char buffer[256];
  ssize_t n;
  int fds[2];

  g_assert_true (rec_fd_pipe (fds, &error));
  const RecChildFd child_fd = { fds[1], 3 };
  RecChildSetup setup = limits != NULL ? *limits : (RecChildSetup){ 0 };
  setup.argv = argv;
  setup.fds = &child_fd;
  setup.n_fds = 1;
  g_autoptr (RecChild) child = rec_child_new (&setup, &error);
  g_assert_no_error (error);
  rec_fd_close (&fds[1]);
  while ((n = read (fds[0], buffer, sizeof buffer)) > 0)
    g_string_append_len (output, buffer, n);
  rec_fd_close (&fds[0]);
  g_assert_true (rec_child_reap (child, TIMEOUT_MS, status));
  return g_string_free (output, FALSE);
}

static void
test_gets_only_the_numbered_descriptors (void)
{
  int leaked = fcntl (STDERR_FILENO, F_DUPFD, 30); /* without close-on-exec */
  int status = 0;
  /* Looked for by the shell itself, before it opens any of its own for the redirection. */
  g_autofree char *output = run (
      "for n in $(seq 0 60); do test -e /proc/$$/fd/$n && all=\"$all$n \"; done; echo $all >&3",
      NULL, &status);

  g_assert_cmpint (leaked, ==, 30);
  close (leaked);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (output, ==, "0 1 2 3\n");
}

static void
test_swaps_descriptors_that_stand_in_each_others_way (void)
{
  const char *const argv[] = { "/bin/sh", "-c", "printf a >&3; printf b >&4", NULL };
  g_autoptr (GError) error = NULL;
  char first[8] = "", second[8] = "";
  int status = 0, a[2], b[2];

  g_assert_true (rec_fd_pipe (a, &error) && rec_fd_pipe (b, &error));
  /* Out of the way, whatever numbers they have; then the writing ends on each other's target. */
  for (int i = 0; i < 2; i++) {
    a[i] = fcntl (a[i], F_DUPFD_CLOEXEC, 40);
    b[i] = fcntl (b[i], F_DUPFD_CLOEXEC, 40);
  }
  g_assert_cmpint (dup2 (a[1], 4), ==, 4);
  g_assert_cmpint (dup2 (b[1], 3), ==, 3);
  const RecChildFd fds[] = { { 4, 3 }, { 3, 4 } };
  const RecChildSetup setup = { .argv = argv, .fds = fds, .n_fds = 2 };
  g_autoptr (RecChild) child = rec_child_new (&setup, &error);
  g_assert_no_error (error);
  g_assert_true (rec_child_reap (child, TIMEOUT_MS, &status));
  g_assert_cmpint (read (a[0], first, sizeof first), ==, 1);
  g_assert_cmpint (read (b[0], second, sizeof second), ==, 1);
  g_assert_cmpstr (first, ==, "a");
  g_assert_cmpstr (second, ==, "b");
}

static void
test_gets_no_secrets_from_the_environment (void)
{
  int status = 0;

  g_setenv ("OPENVIDU_SECRET", "hush", TRUE);
  g_setenv ("openvidu.secret", "hush", TRUE);
  g_setenv ("GST_DEBUG", "1", TRUE);
  g_autofree char *output = run ("env >&3", NULL, &status);
  g_assert_null (strstr (output, "hush"));
  g_assert_nonnull (strstr (output, "PATH="));
  g_assert_nonnull (strstr (output, "GST_DEBUG=1"));
}

static void
test_has_a_process_group_of_its_own (void)
{
  int status = 0;
  g_autofree char *output = run ("set -- $(cat /proc/$$/stat); echo $1 $5 >&3", NULL, &status);
  g_auto (GStrv) ids = g_strsplit (g_strstrip (output), " ", 2);

  g_assert_cmpstr (ids[0], ==, ids[1]);
}

static void
test_keeps_its_limits (void)
{
  const RecChildSetup limits = { .max_files = 20 };
  int status = 0;
  g_autofree char *output = run ("ulimit -n >&3; ulimit -c >&3", &limits, &status);

  g_assert_cmpstr (output, ==, "20\n0\n");
}

static void
test_says_how_it_ended (void)
{
  int status = 0;
  g_autofree char *first = run ("exit 3", NULL, &status);
  g_autofree char *exited = rec_child_dup_exit_reason (status);
  g_autofree char *second = run ("kill -SEGV $$", NULL, &status);
  g_autofree char *killed = rec_child_dup_exit_reason (status);

  g_assert_cmpstr (exited, ==, "exited with status 3");
  g_assert_cmpstr (killed, ==, "was killed by signal 11 (SIGSEGV)");
}

static void
test_shows_a_missing_program_as_status_127 (void)
{
  const char *const argv[] = { "/no/such/program", NULL };
  const RecChildSetup setup = { .argv = argv };
  g_autoptr (GError) error = NULL;
  int status = 0;
  g_autoptr (RecChild) child = rec_child_new (&setup, &error);

  g_assert_no_error (error);
  g_assert_true (rec_child_reap (child, TIMEOUT_MS, &status));
  g_autofree char *reason = rec_child_dup_exit_reason (status);
  g_assert_cmpstr (reason, ==, "exited with status 127");
}

static void
take_end (RecChild *child G_GNUC_UNUSED, int status, void *data)
{
  *(int *) data = status;
}

static void
test_tells_its_watcher_once (void)
{
  const char *const argv[] = { "/bin/sh", "-c", "sleep 60", NULL };
  const RecChildSetup setup = { .argv = argv };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecChild) child = rec_child_new (&setup, &error);
  int status = -1, again = 0;

  g_assert_no_error (error);
  rec_child_watch (child, take_end, &status);
  rec_child_signal_group (child, SIGKILL);
  while (status == -1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (status, ==, SIGKILL);
  g_assert_false (rec_child_reap (child, 0, &again));
  /* Its id may belong to somebody else by now. */
  rec_child_signal (child, SIGKILL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/child/gets-only-the-numbered-descriptors",
      test_gets_only_the_numbered_descriptors);
  g_test_add_func ("/child/swaps-descriptors-that-stand-in-each-others-way",
      test_swaps_descriptors_that_stand_in_each_others_way);
  g_test_add_func ("/child/gets-no-secrets-from-the-environment",
      test_gets_no_secrets_from_the_environment);
  g_test_add_func ("/child/has-a-process-group-of-its-own", test_has_a_process_group_of_its_own);
  g_test_add_func ("/child/keeps-its-limits", test_keeps_its_limits);
  g_test_add_func ("/child/says-how-it-ended", test_says_how_it_ended);
  g_test_add_func ("/child/shows-a-missing-program-as-status-127",
      test_shows_a_missing_program_as_status_127);
  g_test_add_func ("/child/tells-its-watcher-once", test_tells_its_watcher_once);
  return g_test_run ();
}
