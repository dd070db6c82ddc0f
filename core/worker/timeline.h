/* timeline.h - the only place that maps absolute PTS to file time, and file time to pictures, samples and deadlines.
 *
 * Pure arithmetic. File time 0 is start_ns of CLOCK_MONOTONIC. A step is what is composed at a time: one picture, or
 * REC_AUDIO_STEP_NS of sound in a recording without pictures. [any] */
#ifndef REC_WORKER_TIMELINE_H
#define REC_WORKER_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#define REC_NS_PER_SECOND INT64_C (1000000000)
#define REC_NS_PER_MS INT64_C (1000000)
#define REC_AUDIO_RATE 48000
#define REC_AUDIO_STEPS_PER_SECOND 50

typedef struct {
  int64_t start_ns;         /* absolute */
  int64_t rate;             /* steps per second */
  int64_t first_latency_ns; /* how long the first steps wait for their packets */
  bool has_video;
} RecTimeline;

void rec_timeline_init (RecTimeline *timeline, int64_t start_ns, int frame_rate, bool has_video);

int64_t rec_timeline_to_file (const RecTimeline *timeline, int64_t absolute_ns);

/* File time at which a step begins; it ends where the next one begins. */
int64_t rec_timeline_get_step_ns (const RecTimeline *timeline, int64_t step);
/* Number of steps of a recording that ends at this file time: the nearest, at least one. */
int64_t rec_timeline_count_steps (const RecTimeline *timeline, int64_t end_ns);
/* Newest file time that counts for a step's picture: times are rounded to the nearest picture. */
int64_t rec_timeline_get_picture_limit_ns (const RecTimeline *timeline, int64_t step);
/* Absolute time at which a step is composed when the clock is live: late enough for packets that had to be sent again.
 * The first steps come sooner, since there is nothing to wait for and the file must get its first data. */
int64_t rec_timeline_get_deadline_ns (const RecTimeline *timeline, int64_t step);

/* File time <-> samples, to the nearest sample. */
int64_t rec_timeline_to_samples (int64_t file_ns);
int64_t rec_timeline_from_samples (int64_t samples);

/* Where a track's decoded sound belongs. Decoders hand out blocks whose times jitter and whose clock drifts: blocks are
 * laid end to end, a slow drift is followed sample by sample, and a real gap or jump moves the place. */
typedef struct {
  bool is_placed;
  int64_t next;     /* sample at which the next block is expected */
  double deviation; /* smoothed, in samples: where blocks should be less where they are */
} RecAudioPlace;

/* Returns the sample at which the block starts. *adjust: +1 the last sample is to be repeated once, -1 it is to be
 * left out, 0 neither. *is_jump: the block does not follow the one before. */
int64_t rec_audio_place_next (RecAudioPlace *place, int64_t pts_ns, int64_t n_samples, int *adjust,
    bool *is_jump);

#endif
