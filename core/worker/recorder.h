/* recorder.h - packets and commands in, one composed recording out: on a thread of its own, step by step.
 *
 * Each step is one picture and the sound that goes with it: decode what is due, arrange, paint, mix, hand to the
 * encoders. The clock is live (a step is composed when its deadline comes) or that of the packets (a step is composed
 * when a packet of a later time has come, as fast as possible); all else is the same. */
#ifndef REC_WORKER_RECORDER_H
#define REC_WORKER_RECORDER_H

#include "worker/chronicle.h"
#include "worker/command.h"
#include "worker/recipe.h"

#include <glib.h>
#include <gst/gst.h>
#include <stdbool.h>

typedef struct RecRecorder RecRecorder;

/* All from any thread. */
typedef struct {
  void (*keyframe) (uint32_t track_id, void *data);
  void (*note) (const char *text, void *data);
  void (*failed) (const char *text, void *data); /* an encoder gave up */
  void (*has_room) (void *data);                 /* after push said false */
  void (*ended) (void *data); /* all was handed to the sinks, which are finishing */
} RecRecorderEvents;

/* Makes the encoders and opens the sinks; an optional sink that cannot be opened is noted. */
RecRecorder *rec_recorder_new (const RecRecorderRecipe *recipe, const RecRecorderEvents *events,
    void *data, GError **error);
/* start_ns: file time 0, of CLOCK_MONOTONIC. Takes chronicle, which may be NULL. */
void rec_recorder_start (RecRecorder *recorder, int64_t start_ns, RecChronicle *chronicle);
/* Only after ended, or before start. */
void rec_recorder_free (RecRecorder *recorder);

/* Takes the command. [main] */
void rec_recorder_post (RecRecorder *recorder, RecCommand *command);
/* Takes the packet. On the packets' clock false means: please wait for has_room before the next one; a live recorder
 * drops what is too much. */
bool rec_recorder_push (RecRecorder *recorder, uint32_t track_id, GstBuffer *rtp, int64_t pts_ns,
    bool is_discont);
/* No more packets: a stop need not wait for late ones. */
void rec_recorder_close_input (RecRecorder *recorder);
/* The composed picture's next one. Not after ended. */
void rec_recorder_force_keyframe (RecRecorder *recorder);

/* How many streams the start of the recording waits for; before start. */
void rec_recorder_expect_streams (RecRecorder *recorder, unsigned n_streams);
/* How many of those have been added, and how many of these have sent nothing yet. */
void rec_recorder_count_streams (RecRecorder *recorder, unsigned *n_streams, unsigned *n_silent);

typedef struct {
  int64_t file_ns; /* composed so far */
  uint64_t frames_out, frames_repeated, packets_in, packets_dropped;
  uint64_t page_frames, page_frames_repeated; /* see rec_stage_count_page */
} RecRecorderStats;

void rec_recorder_get_stats (RecRecorder *recorder, RecRecorderStats *stats);
/* After ended. */
int64_t rec_recorder_get_duration_ns (RecRecorder *recorder);
/* Exactly when it was ordered to stop; file time. */
int64_t rec_recorder_get_end_ns (RecRecorder *recorder);
/* Of RecTake (individual.h); NULL: no sink takes single streams. Borrowed. */
GPtrArray *rec_recorder_get_takes (RecRecorder *recorder);
bool rec_recorder_write_thumbnail (RecRecorder *recorder, const char *path, GError **error);

#endif
