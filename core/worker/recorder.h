/* recorder.h - packets and commands in, one composed recording out: on a thread of its own, step by step.
 *
 * Each step is one picture and the sound that goes with it: decode what is due, arrange, paint, mix, hand to the
 * encoders. The clock is live (a step is composed when its deadline comes) or that of the packets (a step is composed
 * when a packet of a later time has come, as fast as possible); all else is the same. */
#ifndef REC_WORKER_RECORDER_H
#define REC_WORKER_RECORDER_H

#include "worker/encoder.h"
#include "worker/scene.h"
#include "worker/sink-runner.h"
#include "worker/track-source.h"

#include <glib.h>
#include <stdbool.h>

typedef struct RecRecorder RecRecorder;

typedef struct {
  bool is_live;
  bool has_video, has_audio;
  int width, height, frame_rate;
  int64_t start_ns;
  int thumbnail_width;
  int queue_ms; /* what may wait of each track */
  int64_t queue_bytes;
  const char *layout_name;
  const RecArrangingLayout *layout; /* NULL: none */
  const RecOptions *layout_options;
  RecEncoderRecipe encoder; /* what the sinks leave open */
  GPtrArray *sinks;         /* of RecSinkRunner, asked but not open; borrowed */
} RecRecorderRecipe;

/* All from any thread. */
typedef struct {
  void (*keyframe) (uint32_t track_id, void *data);
  void (*note) (const char *text, void *data);
  void (*failed) (const char *text, void *data); /* an encoder gave up */
  void (*has_room) (void *data);                 /* after push said false */
  void (*ended) (void *data); /* all was handed to the sinks, which are finishing */
} RecRecorderEvents;

typedef enum {
  REC_COMMAND_INVALID = 0,
  REC_COMMAND_TRACK_ADD,
  REC_COMMAND_TRACK_END,
  REC_COMMAND_STREAM_STATE,
  REC_COMMAND_STOP,
} RecCommandType;

/* Allocated with rec_command_new; strings are owned. */
typedef struct {
  RecCommandType type;
  int64_t at_ns; /* absolute */
  uint32_t track_id;
  char *stream, *participant, *data, *codec, *fmtp;
  bool is_video;
  int payload_type, clock_rate;
  int64_t joined_ns;
  int is_screen, audio_active, video_active; /* -1: unchanged */
} RecCommand;

RecCommand *rec_command_new (RecCommandType type, int64_t at_ns);
void rec_command_free (RecCommand *command);

/* Makes the encoders and opens the sinks; an optional sink that cannot be opened is noted. */
RecRecorder *rec_recorder_new (const RecRecorderRecipe *recipe, const RecRecorderEvents *events,
    void *data, GError **error);
void rec_recorder_start (RecRecorder *recorder);
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

typedef struct {
  int64_t file_ns; /* composed so far */
  uint64_t frames_out, frames_repeated, packets_in, packets_dropped;
} RecRecorderStats;

void rec_recorder_get_stats (RecRecorder *recorder, RecRecorderStats *stats);
/* After ended. */
int64_t rec_recorder_get_duration_ns (RecRecorder *recorder);
bool rec_recorder_write_thumbnail (RecRecorder *recorder, const char *path, GError **error);

#endif
