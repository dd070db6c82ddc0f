/* test-child.c - children get what they are given and nothing else, and their end is told in words. */
#define _GNU_SOURCE
#include "base/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
test_raises_a_limit_that_was_only_its_parents (void)
{
  struct rlimit before, lowered;
  const RecChildSetup bound = { .max_address_space = 2000000000 };
  const RecChildSetup unbound = { .has_free_address_space = true };
  int status = 0;

  g_assert_cmpint (getrlimit (RLIMIT_AS, &before), ==, 0);
  lowered = before;
  g_autofree char *first = run ("ulimit -H -v >&3", &bound, &status);
  lowered.rlim_cur = (rlim_t) 1 << 46; /* room enough for sanitizers */
  g_assert_cmpint (setrlimit (RLIMIT_AS, &lowered), ==, 0);
  g_autofree char *second = run ("ulimit -S -v >&3", &unbound, &status);
  g_assert_cmpint (setrlimit (RLIMIT_AS, &before), ==, 0);
  g_assert_cmpstr (first, ==, "unlimited\n");
  g_assert_cmpstr (second, ==, "unlimited\n");
}

static void
test_takes_what_it_is_told_from_the_environment (void)
{
  const char *const extra[] = { "HOME=/nowhere", "RECTO_TEST=x=y", NULL };
  const RecChildSetup setup = { .extra_environment = extra };
  int status = 0;
  g_autofree char *output =
      run ("env | grep -c ^HOME= >&3; echo $HOME $RECTO_TEST >&3", &setup, &status);

  g_assert_cmpstr (output, ==, "1\n/nowhere x=y\n");
}

static void
test_becomes_another_user_for_good (void)
{
  const RecChildUser nobody = { 65534, 65534 };
  const RecChildSetup setup = { .user = &nobody, .has_no_new_privileges = true };
  int status = 0;

  if (getuid () != 0) {
    g_test_skip ("only root can become somebody else");
    return;
  }
  g_autofree char *output =
      run ("grep -E '^(Uid|Gid|Groups|NoNewPrivs):' /proc/$$/status | tr -s '\\t ' '  ' >&3",
          &setup, &status);
  g_assert_cmpint (status, ==, 0);
  g_assert_nonnull (strstr (output, "Uid: 65534 65534 65534 65534"));
  g_assert_nonnull (strstr (output, "Gid: 65534 65534 65534 65534"));
  g_assert_nonnull (strstr (output, "Groups: 65534 \n"));
  g_assert_nonnull (strstr (output, "NoNewPrivs: 1"));
}

/* Its parent is a process that we kill. */
static void
test_dies_with_its_parent (void)
{
  const char *const argv[] = { "/bin/sleep", "1000", NULL };
  const RecChildUser nobody = { 65534, 65534 };
  const RecChildSetup setup = {
    .argv = argv, .user = getuid () == 0 ? &nobody : NULL, .dies_with_us = true
  };
  g_autoptr (GError) error = NULL;
  int tell[2];
  pid_t parent, child = 0;

  g_assert_true (rec_fd_pipe (tell, &error));
  parent = fork ();
  if (parent == 0) {
    g_autoptr (RecChild) sleeper = rec_child_new (&setup, NULL);

    child = sleeper != NULL ? rec_child_get_pid (sleeper) : 0;
    if (write (tell[1], &child, sizeof child) != sizeof child)
      _exit (1);
    pause ();
    _exit (0);
  }
  g_assert_cmpint (read (tell[0], &child, sizeof child), ==, sizeof child);
  g_assert_cmpint (child, >, 0);
  int pidfd = (int) syscall (SYS_pidfd_open, child, 0);
  g_assert_cmpint (pidfd, >=, 0);
  /* It has asked for it once it is another program. */
  for (bool is_program = false; !is_program;) {
    g_autofree char *path = g_strdup_printf ("/proc/%d/comm", (int) child);
    g_autofree char *name = NULL;

    g_assert_true (g_file_get_contents (path, &name, NULL, NULL));
    is_program = g_str_equal (name, "sleep\n");
  }
  struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
  kill (parent, SIGKILL);
  g_assert_cmpint (waitpid (parent, NULL, 0), ==, parent);
  g_assert_cmpint (poll (&poll_fd, 1, TIMEOUT_MS), ==, 1);
  close (pidfd);
  rec_fd_close (&tell[0]);
  rec_fd_close (&tell[1]);
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
  g_test_add_func ("/child/raises-a-limit-that-was-only-its-parents",
      test_raises_a_limit_that_was_only_its_parents);
  g_test_add_func ("/child/takes-what-it-is-told-from-the-environment",
      test_takes_what_it_is_told_from_the_environment);
  g_test_add_func ("/child/becomes-another-user-for-good", test_becomes_another_user_for_good);
  g_test_add_func ("/child/dies-with-its-parent", test_dies_with_its_parent);
  g_test_add_func ("/child/says-how-it-ended", test_says_how_it_ended);
  g_test_add_func ("/child/shows-a-missing-program-as-status-127",
      test_shows_a_missing_program_as_status_127);
  g_test_add_func ("/child/tells-its-watcher-once", test_tells_its_watcher_once);
  return g_test_run ();
}
