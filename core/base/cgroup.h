/* cgroup.h - which control groups we are in, what they allow us, and whether we may make groups of our own. [main] */
#ifndef REC_BASE_CGROUP_H
#define REC_BASE_CGROUP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  double cores;         /* G_MAXDOUBLE: no limit */
  int64_t memory_bytes; /* G_MAXINT64: no limit */
} RecCgroupLimits;

/* The tightest of our own group and all above it, of both versions. proc: "/proc". */
RecCgroupLimits rec_cgroup_read_limits (const char *proc);

/* The folder of our own group of version 2. NULL with NOT_FOUND when there is none. Free it. */
char *rec_cgroup_dup_folder (const char *proc, GError **error);

/* Makes the group in `folder`, which this process must be alone in, one that holds other groups, with memory and CPU to be
 * divided: a group with processes of its own may not, so this process moves into one below it. Nothing is changed on an
 * error, which says why it can't be. Before any child is started. */
bool rec_cgroup_divide (const char *folder, GError **error);

/* Writes one value into a group's file. */
bool rec_cgroup_write (const char *folder, const char *file, const char *value, GError **error);

#endif
