/* patience.h - whether a worker that takes long gets on, and may go on. [main] */
#ifndef REC_RECORDING_PATIENCE_H
#define REC_RECORDING_PATIENCE_H

#include "base/types.h"

#include <stdbool.h>
#include <stdint.h>

/* All 0 in the beginning. */
typedef struct {
  int64_t n_bytes, since_us;
} RecPatience;

/* The worker has packed n_bytes: true when it is more than before, and recording.zip-timeout-s has not passed since the
 * first time. */
bool rec_patience_grows (RecPatience *patience, const RecConfig *config, int64_t n_bytes);

#endif
