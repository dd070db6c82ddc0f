/* usage.h - what a process and all it started take of memory and CPU, and whether that is too much. [any] */
#ifndef REC_WORKER_USAGE_H
#define REC_WORKER_USAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define REC_USAGE_WINDOW_S 10 /* CPU time is averaged over this */

typedef struct {
  unsigned n_processes;
  int64_t memory_bytes;
  int64_t cpu_us; /* of those that live, since they began */
} RecUsage;

/* The tree below and with `root`. proc: "/proc". False: there is no such process.
 *
 * Memory: all that is resident, if that is at most enough_bytes, however often a page is shared. Only if it is more, each
 * page counts for each process by its share (where that is not told, not at all): the kernel looks at every page of a
 * process for that, and the process stops meanwhile when it wants another one; a browser takes a tenth of a second. */
bool rec_usage_read (const char *proc, pid_t root, int64_t enough_bytes, RecUsage *usage);

/* Fed about once a second. */
typedef struct {
  int64_t max_memory_bytes; /* 0: no limit */
  int64_t max_cpu_percent;  /* of one core; 0: no limit */
  unsigned n;               /* samples so far */
  struct {
    int64_t at_us, cpu_us;
  } samples[REC_USAGE_WINDOW_S + 1];
} RecUsageMeter;

/* NULL: within the limits. Else why not, in words; free it. */
char *rec_usage_meter_add (RecUsageMeter *meter, int64_t now_us, const RecUsage *usage);

#endif
