/* outputs.h - the encoders that the sinks' needs add up to, and who gets what from which. */
#ifndef REC_WORKER_OUTPUTS_H
#define REC_WORKER_OUTPUTS_H

#include "worker/encoder.h"
#include "worker/sink-runner.h"

#include <glib.h>
#include <stdbool.h>

typedef struct RecOutputs RecOutputs;

typedef struct {
  void (*failed) (const char *text, void *data); /* from any thread */
} RecOutputsEvents;

/* Caps of the raw input, NULL when there is none of that medium. Sinks are borrowed, and opened later. */
RecOutputs *rec_outputs_new (GPtrArray *sinks, const RecEncoderRecipe *base, GstCaps *video,
    GstCaps *audio, const RecOutputsEvents *events, void *data, GError **error);
void rec_outputs_free (RecOutputs *outputs);

/* How many tracks this sink will get; 0: nothing of this recording suits it. */
unsigned rec_outputs_count_tracks (RecOutputs *outputs, RecSinkRunner *sink);

/* Take the buffer, whose times are file time; wait while an encoder is busy. */
void rec_outputs_push_video (RecOutputs *outputs, GstBuffer *buffer);
void rec_outputs_push_audio (RecOutputs *outputs, GstBuffer *buffer);
/* Everything has reached the sinks' queues when this returns. */
void rec_outputs_finish (RecOutputs *outputs);
void rec_outputs_force_keyframe (RecOutputs *outputs); /* [any] */

#endif
