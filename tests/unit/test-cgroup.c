/* test-cgroup.c - which control groups we are in, what they allow, and what becomes of a group made for one browser. The
 * groups are real where there are some of version 2; what only their controllers can do is tried where they are to be had. */
#include "base/cgroup.h"
#include "base/child.h"
#include "base/error.h"
#include "base/path.h"
#include "worker/cage.h"
#include "worker/usage.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_US (20 * G_USEC_PER_SEC)
#define MB (INT64_C (1) << 20)

/* --- what they allow: files of the test's own -------------------------------------------------------- */

static void
put (const char *top, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (top, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* top/proc as the kernel would write it: both versions, each mounted where a blank must be told apart. */
static char *
make_proc (const char *groups, const char *old_root)
{
  char *top = g_dir_make_tmp ("recto-XXXXXX", NULL);
  g_autofree char *mounts = g_strdup_printf (
      "20 1 0:20 / / rw - ext4 /dev/a rw\n"
      "31 20 0:28 %s %s/old\\040memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
      "32 20 0:29 / %s/old-cpu rw,relatime - cgroup cgroup rw,cpuacct,cpu\n"
      "33 20 0:30 / %s/new rw,nosuid shared:1 master:2 - cgroup2 cgroup2 rw\n",
      old_root, top, top, top);

  put (top, "proc/self/cgroup", groups);
  put (top, "proc/self/mountinfo", mounts);
  return top;
}

static RecCgroupLimits
read_limits (const char *top)
{
  g_autofree char *proc = g_build_filename (top, "proc", NULL);

  return rec_cgroup_read_limits (proc);
}

static void
test_reads_our_own_limits (void)
{
  g_autofree char *top = make_proc ("4:memory:/\n1:cpu,cpuacct:/\n0::/a.slice/b.service\n", "/");
  g_autofree char *proc = g_build_filename (top, "proc", NULL);
  g_autofree char *expected = g_build_filename (top, "new/a.slice/b.service", NULL);
  g_autofree char *folder = rec_cgroup_dup_folder (proc, NULL);
  RecCgroupLimits limits = read_limits (top);

  g_assert_cmpstr (folder, ==, expected);
  g_assert_cmpfloat (limits.cores, ==, G_MAXDOUBLE);
  g_assert_cmpint (limits.memory_bytes, ==, G_MAXINT64);

  put (top, "new/a.slice/b.service/memory.max", "max\n");
  put (top, "new/a.slice/b.service/cpu.max", "150000 100000\n");
  put (top, "new/a.slice/memory.max", "1000000\n"); /* what is above counts, too */
  put (top, "new/a.slice/cpu.max", "max 100000\n");
  put (top, "new/other/memory.max", "5\n"); /* what is beside does not */
  limits = read_limits (top);
  g_assert_cmpfloat (limits.cores, ==, 1.5);
  g_assert_cmpint (limits.memory_bytes, ==, 1000000);
  g_assert_true (rec_path_remove_tree (top, NULL));
}

static void
test_reads_those_of_version_1 (void)
{
  g_autofree char *top = make_proc ("4:memory:/docker/x/y\n1:cpuacct,cpu:/b\n0::/\n", "/docker/x");
  RecCgroupLimits limits;

  put (top, "old memory/y/memory.limit_in_bytes", "3000000\n");
  put (top, "old memory/memory.limit_in_bytes", "9223372036854771712\n");
  put (top, "old-cpu/b/cpu.cfs_quota_us", "-1\n");
  put (top, "old-cpu/b/cpu.cfs_period_us", "100000\n");
  limits = read_limits (top);
  g_assert_cmpfloat (limits.cores, ==, G_MAXDOUBLE);
  g_assert_cmpint (limits.memory_bytes, ==, 3000000);
  put (top, "old-cpu/b/cpu.cfs_quota_us", "50000\n");
  limits = read_limits (top);
  g_assert_cmpfloat (limits.cores, ==, 0.5);
  g_assert_true (rec_path_remove_tree (top, NULL));

  /* In a namespace our group may lie above what is mounted. */
  g_autofree char *outside = make_proc ("4:memory:/elsewhere\n0::/../../x\n", "/docker/x");
  put (outside, "old memory/memory.limit_in_bytes", "4000000\n");
  put (outside, "new/cpu.max", "200000 100000\n");
  limits = read_limits (outside);
  g_assert_cmpint (limits.memory_bytes, ==, 4000000);
  g_assert_cmpfloat (limits.cores, ==, 2);
  g_assert_true (rec_path_remove_tree (outside, NULL));
}

static void
test_does_without (void)
{
  g_autoptr (GError) error = NULL;
  const RecCgroupLimits limits = rec_cgroup_read_limits ("/nowhere");

  g_assert_cmpfloat (limits.cores, ==, G_MAXDOUBLE);
  g_assert_cmpint (limits.memory_bytes, ==, G_MAXINT64);
  g_assert_null (rec_cgroup_dup_folder ("/nowhere", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
}

/* --- real groups ---------------------------------------------------------------------------------------- */

static char *
read_group_file (const char *folder, const char *file)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return g_strstrip (text);
}

/* NULL: this machine has no control group of version 2 that may be written to. */
static char *
make_group (void)
{
  g_autofree char *own = rec_cgroup_dup_folder ("/proc", NULL);
  g_autofree char *folder = own != NULL ? g_strdup_printf ("%s/recto-test-%d", own, (int) getpid ())
                                        : NULL;

  if (folder != NULL && g_mkdir (folder, 0755) == 0)
    return g_steal_pointer (&folder);
  return NULL;
}

static bool
can_limit (const char *folder)
{
  g_autofree char *text = read_group_file (folder, "cgroup.controllers");

  return strstr (text, "memory") != NULL && strstr (text, "cpu") != NULL;
}

static void
remove_group (const char *folder)
{
  for (int64_t until_us = g_get_monotonic_time () + PATIENCE_US; g_rmdir (folder) != 0;) {
    g_assert_cmpint (errno, ==, EBUSY);
    g_assert_cmpint (g_get_monotonic_time (), <, until_us);
    g_usleep (1000);
  }
}

static unsigned
count_groups (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  unsigned n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_prefix (name, "page-");
  return n;
}

static RecChild *
start_in (const RecCage *cage, const char *script)
{
  const char *const argv[] = { "/bin/sh", "-c", script, NULL };
  const RecChildSetup setup = { .argv = argv, .group_fd = rec_cage_get_entrance (cage) };
  g_autoptr (GError) error = NULL;
  RecChild *child = rec_child_new (&setup, &error);

  g_assert_no_error (error);
  return child;
}

static void
wait_for_file (const char *path)
{
  for (int64_t until_us = g_get_monotonic_time () + PATIENCE_US;
       !g_file_test (path, G_FILE_TEST_EXISTS);) {
    g_assert_cmpint (g_get_monotonic_time (), <, until_us);
    g_usleep (1000);
  }
}

/* Also the processes that have left their process group. */
static void
test_kills_all_in_a_cage (void)
{
  g_autofree char *folder = make_group ();
  g_autofree char *top = g_dir_make_tmp ("recto-XXXXXX", NULL);
  g_autofree char *flag = g_build_filename (top, "started", NULL);
  g_autofree char *script =
      g_strdup_printf ("setsid sh -c 'echo $$ > %s.part; mv %s.part %s; exec sleep 1000' & "
                       "exec sleep 1000",
          flag, flag, flag);
  g_autoptr (GError) error = NULL;
  int status;

  g_autoptr (RecCage) cage = rec_cage_new (folder, 0, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_groups (folder), ==, 1);
  g_autoptr (RecChild) child = start_in (cage, script);
  wait_for_file (flag);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (flag, &text, NULL, NULL));
  g_autofree char *path = g_strdup_printf ("/proc/%s/cgroup", g_strstrip (text));
  g_autofree char *where = NULL;
  g_assert_true (g_file_get_contents (path, &where, NULL, NULL));
  g_assert_nonnull (strstr (where, "/page-"));
  g_assert_null (rec_cage_dup_excess (cage));

  g_clear_pointer (&cage, rec_cage_free);
  g_assert_cmpuint (count_groups (folder), ==, 0);
  g_assert_true (rec_child_reap (child, 20000, &status));
  g_assert_true (WIFSIGNALED (status));
  remove_group (folder);
  g_assert_true (rec_path_remove_tree (top, NULL));
}

static void
test_sweeps_up_after_dead_workers (void)
{
  g_autofree char *folder = make_group ();
  g_autoptr (GError) error = NULL;

  g_autofree char *dead = g_build_filename (folder, "page-1-1-abcdef", NULL);
  g_autofree char *other = g_build_filename (folder, "recto", NULL);
  g_assert_cmpint (g_mkdir (dead, 0755), ==, 0);
  g_assert_cmpint (g_mkdir (other, 0755), ==, 0);
  g_autoptr (RecCage) first = rec_cage_new (folder, 0, 0, &error);
  g_assert_no_error (error);
  g_assert_false (g_file_test (dead, G_FILE_TEST_EXISTS));
  g_autoptr (RecCage) second = rec_cage_new (folder, 0, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_groups (folder), ==, 2);
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));
  g_clear_pointer (&first, rec_cage_free);
  g_clear_pointer (&second, rec_cage_free);
  g_assert_cmpint (g_rmdir (other), ==, 0);
  remove_group (folder);
}

static void
test_says_what_it_cannot_limit (void)
{
  g_autofree char *top = g_dir_make_tmp ("recto-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_cage_new ("/nowhere/at/all", 0, 0, &error));
  g_assert_nonnull (strstr (error->message, "/nowhere/at/all"));
  g_clear_error (&error);
  g_assert_null (rec_cage_new (top, 0, 0, &error)); /* a folder, but no group */
  g_assert_nonnull (strstr (error->message, "no control group"));
  g_assert_cmpuint (count_groups (top), ==, 0);
  g_assert_true (rec_path_remove_tree (top, NULL));
}

/* In a child, so that whatever becomes of it, we stay where we are. Answers its error, "" for none. */
static char *
divide_in_child (const char *folder, bool is_alone)
{
  g_autofree char *text = NULL;
  int fds[2], status;
  ssize_t n;
  char buffer[2000];
  pid_t pid;

  g_assert_cmpint (pipe (fds), ==, 0);
  pid = fork ();
  if (pid == 0) {
    g_autoptr (GError) error = NULL;
    const char *why = "";

    if ((is_alone && !rec_cgroup_write (folder, "cgroup.procs", "0", &error)) ||
        !rec_cgroup_divide (folder, &error))
      why = error->message;
    _exit (write (fds[1], why, strlen (why) + 1) > 0 ? 0 : 1);
  }
  close (fds[1]);
  n = read (fds[0], buffer, sizeof buffer);
  close (fds[0]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (n, >, 0);
  return g_strndup (buffer, (size_t) n);
}

static void
test_divides_only_what_is_its_own (void)
{
  g_autofree char *folder = make_group ();
  g_autofree char *own = NULL;

  own = g_build_filename (folder, "recto", NULL);
  g_autofree char *answer = divide_in_child (folder, true);
  if (!can_limit (folder)) {
    g_assert_nonnull (strstr (answer, "no memory and CPU to divide"));
    g_assert_false (g_file_test (own, G_FILE_TEST_EXISTS));
    remove_group (folder);
    return;
  }
  g_assert_cmpstr (answer, ==, "");
  g_autofree char *divided = read_group_file (folder, "cgroup.subtree_control");
  g_assert_nonnull (strstr (divided, "memory"));
  g_assert_nonnull (strstr (divided, "cpu"));
  remove_group (own);
  g_free (answer);
  answer = divide_in_child (folder, false);
  g_assert_nonnull (strstr (answer, "other processes"));
  remove_group (folder);
}

/* --- what only controllers can do --------------------------------------------------------------------- */

static char *
make_divided_group (void)
{
  char *folder = make_group ();

  g_assert_true (rec_cgroup_write (folder, "cgroup.subtree_control", "+memory +cpu", NULL));
  return folder;
}

static void
test_the_kernel_ends_what_eats_memory (void)
{
  g_autofree char *folder = make_divided_group ();
  g_autoptr (GError) error = NULL;
  int status;

  g_autoptr (RecCage) cage = rec_cage_new (folder, 32 * MB, 0, &error);
  g_assert_no_error (error);
  /* A string that doubles; the process beside it has to die with it. */
  g_autoptr (RecChild) child =
      start_in (cage, "sh -c 's=0123456789abcdef; while :; do s=$s$s; done' & exec sleep 1000");
  g_assert_true (rec_child_reap (child, 120000, &status));
  g_assert_true (WIFSIGNALED (status));
  g_autofree char *why = rec_cage_dup_excess (cage);
  g_assert_nonnull (why);
  g_assert_nonnull (strstr (why, "browser.memory-bytes = 32 MB"));
  g_clear_pointer (&cage, rec_cage_free);
  remove_group (folder);
}

static void
test_the_kernel_slows_what_eats_time (void)
{
  g_autofree char *folder = make_divided_group ();
  g_autoptr (GError) error = NULL;
  int64_t start_us, throttled = 0;

  g_autoptr (RecCage) cage = rec_cage_new (folder, 0, 20, &error);
  g_assert_no_error (error);
  start_us = g_get_monotonic_time ();
  g_autoptr (RecChild) child = start_in (cage, "while :; do :; done");
  while (throttled == 0) {
    g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
    const char *name;

    g_assert_cmpint (g_get_monotonic_time (), <, start_us + PATIENCE_US);
    g_usleep (10000);
    while ((name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *text = g_str_has_prefix (name, "page-") ? read_group_file (path, "cpu.stat")
                                                               : g_strdup ("");
      const char *line = strstr (text, "nr_throttled ");

      if (line != NULL)
        throttled = g_ascii_strtoll (line + strlen ("nr_throttled "), NULL, 10);
    }
  }
  for (unsigned i = 1; i < REC_USAGE_WINDOW_S; i++) {
    g_assert_null (rec_cage_dup_shortage (cage));
    g_usleep (G_USEC_PER_SEC);
  }
  g_autofree char *why = rec_cage_dup_shortage (cage);
  g_assert_nonnull (why);
  g_assert_nonnull (strstr (why, "browser.cpu-percent = 20"));
  g_clear_pointer (&cage, rec_cage_free);
  remove_group (folder);
}

static void
test_who_rests_is_not_slowed (void)
{
  g_autofree char *folder = make_divided_group ();
  g_autoptr (GError) error = NULL;

  g_autoptr (RecCage) cage = rec_cage_new (folder, 0, 100, &error);
  g_assert_no_error (error);
  g_autoptr (RecChild) child = start_in (cage, "exec sleep 1000");
  for (unsigned i = 0; i < 2 * REC_USAGE_WINDOW_S; i++)
    g_assert_null (rec_cage_dup_shortage (cage));
  g_clear_pointer (&cage, rec_cage_free);
  remove_group (folder);
}

/* A test that cannot run here is not listed; what the server does without control groups is tested everywhere. */
int
main (int argc, char **argv)
{
  g_autofree char *folder = make_group ();
  const bool has_groups = folder != NULL, has_controllers = has_groups && can_limit (folder);

  g_test_init (&argc, &argv, NULL);
  if (has_groups)
    remove_group (folder);
  g_test_add_func ("/cgroup/reads-our-own-limits", test_reads_our_own_limits);
  g_test_add_func ("/cgroup/reads-those-of-version-1", test_reads_those_of_version_1);
  g_test_add_func ("/cgroup/does-without", test_does_without);
  if (has_groups) {
    g_test_add_func ("/cgroup/divides-only-what-is-its-own", test_divides_only_what_is_its_own);
    g_test_add_func ("/cage/kills-all-in-a-cage", test_kills_all_in_a_cage);
    g_test_add_func ("/cage/sweeps-up-after-dead-workers", test_sweeps_up_after_dead_workers);
    g_test_add_func ("/cage/says-what-it-cannot-limit", test_says_what_it_cannot_limit);
  }
  if (has_controllers) {
    g_test_add_func ("/cage/the-kernel-ends-what-eats-memory",
        test_the_kernel_ends_what_eats_memory);
    g_test_add_func ("/cage/the-kernel-slows-what-eats-time", test_the_kernel_slows_what_eats_time);
    g_test_add_func ("/cage/who-rests-is-not-slowed", test_who_rests_is_not_slowed);
  }
  return g_test_run ();
}
