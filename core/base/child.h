/* child.h - spawns a program with numbered descriptors and limits, and says in words how it ended. [main, or one thread per child] */
#ifndef REC_BASE_CHILD_H
#define REC_BASE_CHILD_H

#include "base/types.h"

#include <glib.h>
#include <sys/types.h>

typedef struct RecChild RecChild;

/* Descriptor `source` of ours becomes `target` of the child's. */
typedef struct {
  int source, target;
} RecChildFd;

/* Whom a child of root becomes. */
typedef struct {
  uid_t uid;
  gid_t gid;
} RecChildUser;

typedef struct {
  const char *const *argv; /* argv[0]: absolute path; NULL at the end */
  const RecChildFd *
      fds; /* besides these it gets /dev/null as 0 and 1, our standard error as 2, and nothing else */
  size_t n_fds;
  uint64_t
      max_address_space; /* bytes; 0: no limit. Not applied in builds with sanitizers, which map terabytes */
  unsigned max_files;          /* open descriptors; 0: as ours */
  unsigned max_cpu_s;          /* 0: no limit */
  bool has_free_address_space; /* a limit that we were started with does not count for it */
  const RecChildUser *user;    /* NULL: ours */
  const char *const
      *extra_environment; /* "NAME=value", NULL at the end; wins over ours; may be NULL */
  bool has_no_new_privileges;
  int group_fd; /* cgroup.procs of the control group that it starts in, open for writing; 0: ours */
  bool dies_with_us; /* with the thread that starts it, to be exact */
} RecChildSetup;

/* Runs it in a process group of its own, with an environment of harmless names only (no secret of ours travels in it).
 * A program that cannot be executed shows as exit status 127. */
RecChild *rec_child_new (const RecChildSetup *setup, GError **error);
/* Stops watching; a child that was not reaped is left alone (a zombie until we end, when it ends before us). */
void rec_child_free (RecChild *child);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecChild, rec_child_free)

pid_t rec_child_get_pid (const RecChild *child);
/* Readable once the child has ended. */
int rec_child_get_pidfd (const RecChild *child);

/* To the child, or to its whole process group. Does nothing once it was reaped. */
void rec_child_signal (RecChild *child, int signal_number);
void rec_child_signal_group (RecChild *child, int signal_number);

/* Waits for the end, at most timeout_ms (0: just looks). The rest of its process group is killed with it. */
bool rec_child_reap (RecChild *child, int timeout_ms, int *status);

/* Calls ended once, from the default main context; the child was reaped then and may be freed there. */
typedef void (*RecChildEnded) (RecChild *child, int status, void *data);
void rec_child_watch (RecChild *child, RecChildEnded ended, void *data);

/* "exited with status 3", "was killed by signal 9 (SIGKILL)". Free it. */
char *rec_child_dup_exit_reason (int status);

/* [main] Who has this name; false when nobody has, as for an empty one. */
bool rec_child_find_user (const char *name, RecChildUser *user);

/* When the process started, in the kernel's clock ticks since boot: tells it from a later one with the same id.
 * 0 when there is no such process. */
uint64_t rec_child_read_start_ticks (pid_t pid);

#endif
