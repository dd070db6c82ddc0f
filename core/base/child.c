/* child.c - fork, exec, watch, reap. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.base.child"
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define MAX_FDS 8
#define FIRST_FREE_FD 32 /* above every target */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

struct RecChild {
  pid_t pid; /* 0 once reaped */
  int pidfd;
  guint watch;
  RecChildEnded ended;
  void *data;
};

/* --- between fork and exec: async-signal-safe calls only ------------------------------------------ */

static void
lower_limit (int resource, rlim_t value)
{
  struct rlimit limit;

  if (getrlimit (resource, &limit) != 0 ||
      (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value))
    return;
  limit.rlim_cur = limit.rlim_max = value;
  (void) setrlimit (resource, &limit);
}

/* The soft limit only: a child of the child may need terabytes of addresses (though not of memory). */
static void
limit_address_space (const RecChildSetup *setup)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_AS, &limit) != 0)
    return;
#ifndef HAS_SANITIZER
  if (setup->max_address_space > 0)
    limit.rlim_cur = MIN (limit.rlim_max, (rlim_t) setup->max_address_space);
#endif
  if (setup->has_free_address_space)
    limit.rlim_cur = limit.rlim_max;
  (void) setrlimit (RLIMIT_AS, &limit);
}

static void
apply_limits (const RecChildSetup *setup)
{
  lower_limit (RLIMIT_CORE, 0);
  limit_address_space (setup);
  if (setup->max_files > 0)
    lower_limit (RLIMIT_NOFILE, setup->max_files);
  if (setup->max_cpu_s > 0)
    lower_limit (RLIMIT_CPU, setup->max_cpu_s);
}

static bool
place_fds (const RecChildSetup *setup)
{
  int lifted[MAX_FDS];
  int last = 2;
  int null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null_fd < 0 || dup2 (null_fd, 0) < 0 || dup2 (null_fd, 1) < 0)
    return false;
  /* Out of the way first: a source may sit on another one's target. */
  for (size_t i = 0; i < setup->n_fds; i++) {
    lifted[i] = fcntl (setup->fds[i].source, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    if (lifted[i] < 0)
      return false;
  }
  for (size_t i = 0; i < setup->n_fds; i++) {
    if (dup2 (lifted[i], setup->fds[i].target) < 0)
      return false;
    last = MAX (last, setup->fds[i].target);
  }
  return close_range ((unsigned) last + 1, ~0U, 0) == 0;
}

static void
reset_signals (void)
{
  sigset_t none;

  signal (SIGPIPE, SIG_DFL);
  signal (SIGHUP, SIG_DFL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* A change of user makes the kernel forget whom to die with: that comes last. */
static bool
give_up_rights (const RecChildSetup *setup, pid_t parent)
{
  const RecChildUser *user = setup->user;

  if (user != NULL &&
      (setgroups (1, &user->gid) != 0 || setresgid (user->gid, user->gid, user->gid) != 0 ||
          setresuid (user->uid, user->uid, user->uid) != 0))
    return false;
  if (setup->has_no_new_privileges && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return false;
  return !setup->dies_with_us || (prctl (PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid () == parent);
}

G_NORETURN static void
become (const RecChildSetup *setup, char **environment, pid_t parent)
{
  setpgid (0, 0);
  reset_signals ();
  if (setup->group_fd > 0 && write (setup->group_fd, "0", 1) != 1)
    _exit (126);
  if (place_fds (setup)) {
    apply_limits (setup);
    if (!give_up_rights (setup, parent))
      _exit (126);
    execve (setup->argv[0], (char **) setup->argv, environment);
  }
  _exit (127);
}

/* --- the parent ---------------------------------------------------------------------------------- */

/* What a child may need of our environment; settings, and with them secrets, are not among it. */
static bool
is_harmless (const char *name)
{
  static const char *const exact[] = { "PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR",
    "TERM", "LD_LIBRARY_PATH", "LD_PRELOAD", NULL };
  static const char *const prefixes[] = { "LC_", "XDG_", "GST_", "G_", "ASAN_", "UBSAN_", "LSAN_",
    "TSAN_", "LIBVA_", "FONTCONFIG_", "LLVM_PROFILE_", "GCOV_" };

  if (g_strv_contains (exact, name))
    return true;
  for (size_t i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (name, prefixes[i]))
      return true;
  return false;
}

static void
add_extra (GPtrArray *kept, const char *const *extra)
{
  for (; extra != NULL && *extra != NULL; extra++) {
    const size_t length = strcspn (*extra, "=") + 1;

    for (unsigned i = kept->len; i-- > 0;)
      if (strncmp (kept->pdata[i], *extra, length) == 0)
        g_free (g_ptr_array_remove_index (kept, i));
    g_ptr_array_add (kept, g_strdup (*extra));
  }
}

static char **
dup_environment (const char *const *extra)
{
  g_auto (GStrv) all = g_get_environ ();
  GPtrArray *kept = g_ptr_array_new ();

  for (size_t i = 0; all[i] != NULL; i++) {
    g_autofree char *name = g_strndup (all[i], strcspn (all[i], "="));
    if (is_harmless (name))
      g_ptr_array_add (kept, g_strdup (all[i]));
  }
  add_extra (kept, extra);
  g_ptr_array_add (kept, NULL);
  return (char **) g_ptr_array_free (kept, FALSE);
}

RecChild *
rec_child_new (const RecChildSetup *setup, GError **error)
{
  g_auto (GStrv) environment = dup_environment (setup->extra_environment);
  const pid_t parent = getpid ();
  pid_t pid;

  g_assert (setup->n_fds <= MAX_FDS);
  for (size_t i = 0; i < setup->n_fds; i++)
    g_assert (setup->fds[i].target < FIRST_FREE_FD);
  pid = fork ();
  if (pid == 0)
    become (setup, environment, parent);
  int pidfd = pid > 0 ? pidfd_open (pid, 0) : -1;
  if (pidfd < 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE, "cannot start '%s': %s", setup->argv[0],
        g_strerror (errno));
    if (pid > 0) {
      kill (pid, SIGKILL);
      waitpid (pid, NULL, 0);
    }
    return NULL;
  }
  setpgid (pid, pid); /* the child does the same: whoever comes first */
  RecChild *child = g_new0 (RecChild, 1);
  child->pid = pid;
  child->pidfd = pidfd;
  return child;
}

void
rec_child_free (RecChild *child)
{
  if (child == NULL)
    return;
  if (child->watch != 0)
    g_source_remove (child->watch);
  rec_fd_close (&child->pidfd);
  g_free (child);
}

pid_t
rec_child_get_pid (const RecChild *child)
{
  return child->pid;
}

int
rec_child_get_pidfd (const RecChild *child)
{
  return child->pidfd;
}

/* Nobody else reaps our children, so the ids stay theirs until we do. */
void
rec_child_signal (RecChild *child, int signal_number)
{
  if (child->pid > 0)
    kill (child->pid, signal_number);
}

void
rec_child_signal_group (RecChild *child, int signal_number)
{
  if (child->pid > 0)
    kill (-child->pid, signal_number);
}

bool
rec_child_reap (RecChild *child, int timeout_ms, int *status)
{
  struct pollfd poll_fd = { .fd = child->pidfd, .events = POLLIN };
  int64_t end_us = g_get_monotonic_time () + (int64_t) timeout_ms * 1000;
  int n;

  if (child->pid == 0)
    return false;
  do {
    int64_t left_ms = MAX (0, (end_us - g_get_monotonic_time ()) / 1000);
    n = poll (&poll_fd, 1, (int) left_ms);
  } while (n < 0 && errno == EINTR);
  if (n <= 0)
    return false;
  rec_child_signal_group (child, SIGKILL);
  while (waitpid (child->pid, status, 0) < 0 && errno == EINTR)
    continue;
  child->pid = 0;
  if (child->watch != 0)
    g_source_remove (child->watch);
  child->watch = 0;
  return true;
}

static gboolean
on_end (int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  RecChild *child = data;
  guint watch = child->watch;
  int status = 0;

  child->watch = 0;
  if (!rec_child_reap (child, 0, &status)) {
    child->watch = watch;
    return G_SOURCE_CONTINUE;
  }
  child->ended (child, status, child->data);
  return G_SOURCE_REMOVE;
}

void
rec_child_watch (RecChild *child, RecChildEnded ended, void *data)
{
  g_assert (child->watch == 0 && child->pid > 0);
  child->ended = ended;
  child->data = data;
  child->watch = g_unix_fd_add (child->pidfd, G_IO_IN, on_end, child);
}

char *
rec_child_dup_exit_reason (int status)
{
  if (!WIFSIGNALED (status))
    return g_strdup_printf ("exited with status %d", WEXITSTATUS (status));
  int number = WTERMSIG (status);
  const char *name = sigabbrev_np (number);
  return g_strdup_printf ("was killed by signal %d (SIG%s)", number, name != NULL ? name : "?");
}

bool
rec_child_find_user (const char *name, RecChildUser *user)
{
  const struct passwd *entry = getpwnam (name);

  if (entry != NULL)
    *user = (RecChildUser){ entry->pw_uid, entry->pw_gid };
  return entry != NULL;
}

uint64_t
rec_child_read_start_ticks (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%ld/stat", (long) pid);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  /* Field 22; the second, the name in parentheses, may hold anything. */
  const char *rest = strrchr (text, ')');
  g_auto (GStrv) fields = rest != NULL ? g_strsplit (rest + 1, " ", -1) : NULL;
  return fields != NULL && g_strv_length (fields) > 20 ? g_ascii_strtoull (fields[20], NULL, 10)
                                                       : 0;
}
