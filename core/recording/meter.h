/* meter.h - what processes use and what the machine has, as the kernel tells it. [any] */
#ifndef REC_RECORDING_METER_H
#define REC_RECORDING_METER_H

#include "base/types.h"

#include <glib.h>
#include <sys/types.h>

typedef struct {
  double cpu_s;         /* processor time since the process began */
  int64_t memory_bytes; /* what would be free without it (PSS) */
} RecUsage;

/* Where the numbers come from; tests give their own. [any] */
typedef struct {
  double cores;
  int64_t memory_bytes;
  /* The process and all that it started; false when there is no such process. */
  bool (*read_process) (pid_t pid, RecUsage *usage, void *data);
  /* What an ordinary user may still write; false when there is no such folder. */
  bool (*read_disk) (const char *folder, uint64_t *free_bytes, void *data);
  int64_t (*now_us) (void *data); /* monotonic */
  void *data;
} RecMeter;

/* The kernel's; what a control group allows counts, when it is less than what the machine has. */
RecMeter rec_meter_of_machine (void);

#endif
