/* bitrate-guard.h - tells when a constant quantizer takes more bits than allowed, and when it may come back.
 *
 * A bucket that holds one second of the most that is allowed, as x264's VBV does, and leaks at that rate. Pure
 * arithmetic; one thread at a time. [any] */
#ifndef REC_WORKER_BITRATE_GUARD_H
#define REC_WORKER_BITRATE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  double max_bits;   /* per second */
  double level_bits; /* in the bucket */
  int64_t last_ns;   /* when the last picture was */
  bool is_over;
  int64_t window_ns; /* since when window_bits are counted, while it is over */
  double window_bits;
} RecBitrateGuard;

void rec_bitrate_guard_init (RecBitrateGuard *guard, int max_kbit_s);
/* A coded picture of this file time; times that go back count as the last one. */
void rec_bitrate_guard_note (RecBitrateGuard *guard, int64_t pts_ns, size_t n_bytes);
/* From when the bucket is full until ten seconds together took less than half of what is allowed. */
bool rec_bitrate_guard_is_over (const RecBitrateGuard *guard);

#endif
