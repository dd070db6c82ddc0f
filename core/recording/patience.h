/* patience.h - whether a worker that takes long gets on, and may go on. [main] */
#ifndef REC_RECORDING_PATIENCE_H
#define REC_RECORDING_PATIENCE_H

#include "base/types.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* All 0 in the beginning. */
typedef struct {
  int64_t n_bytes;            /* packed */
  int64_t zip_us, recover_us; /* since when */
} RecPatience;

/* A progress message came: true when the worker may take longer for it. With bytes: more are packed than before, and
 * recording.zip-timeout-s has not passed since the first time; without: the same of recording.recover-limit-s. */
bool rec_patience_hears (RecPatience *patience, const RecConfig *config, json_object *message);

#endif
