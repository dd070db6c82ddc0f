/* timeline.c - absolute PTS to file time; pictures, samples and deadlines on it. */
#define G_LOG_DOMAIN "rec.worker.timeline"
#include "worker/timeline.h"

#include <math.h>

/* A packet is late by the time it takes to send it again, at most the server's jitter buffer. */
#define LATENCY_NS (250 * REC_NS_PER_MS)
#define FIRST_LATENCY_NS (30 * REC_NS_PER_MS)
#define FIRST_STEPS_NS (300 * REC_NS_PER_MS)

#define JUMP_SAMPLES (REC_AUDIO_RATE * 40 / 1000)
#define DRIFT_SAMPLES (REC_AUDIO_RATE / 500.0)
#define SMOOTHING 0.05

void
rec_timeline_init (RecTimeline *timeline, int64_t start_ns, int frame_rate, bool has_video)
{
  timeline->start_ns = start_ns;
  timeline->has_video = has_video;
  timeline->first_latency_ns = FIRST_LATENCY_NS;
  timeline->rate = has_video ? frame_rate : REC_AUDIO_STEPS_PER_SECOND;
}

int64_t
rec_timeline_to_file (const RecTimeline *timeline, int64_t absolute_ns)
{
  return absolute_ns - timeline->start_ns;
}

/* Split, so that no recording is too long for 64 bits. */
static int64_t
scale (int64_t value, int64_t to, int64_t from)
{
  const int64_t whole = value / from, rest = value % from;

  return whole * to + (rest * to + (rest < 0 ? -from / 2 : from / 2)) / from;
}

int64_t
rec_timeline_get_step_ns (const RecTimeline *timeline, int64_t step)
{
  return scale (step, REC_NS_PER_SECOND, timeline->rate);
}

int64_t
rec_timeline_count_steps (const RecTimeline *timeline, int64_t end_ns)
{
  const int64_t steps = scale (end_ns, timeline->rate, REC_NS_PER_SECOND);

  return steps < 1 ? 1 : steps;
}

int64_t
rec_timeline_get_picture_limit_ns (const RecTimeline *timeline, int64_t step)
{
  return rec_timeline_get_step_ns (timeline, step) + REC_NS_PER_SECOND / timeline->rate / 2;
}

int64_t
rec_timeline_get_deadline_ns (const RecTimeline *timeline, int64_t step)
{
  const int64_t end_ns = rec_timeline_get_step_ns (timeline, step + 1);

  return timeline->start_ns + end_ns +
         (end_ns <= FIRST_STEPS_NS ? timeline->first_latency_ns : LATENCY_NS);
}

int64_t
rec_timeline_to_samples (int64_t file_ns)
{
  return scale (file_ns, REC_AUDIO_RATE, REC_NS_PER_SECOND);
}

int64_t
rec_timeline_from_samples (int64_t samples)
{
  return scale (samples, REC_NS_PER_SECOND, REC_AUDIO_RATE);
}

int64_t
rec_audio_place_next (RecAudioPlace *place, int64_t pts_ns, int64_t n_samples, int *adjust,
    bool *is_jump)
{
  const int64_t wanted = rec_timeline_to_samples (pts_ns);
  const int64_t off = wanted - place->next;
  int64_t start;

  *adjust = 0;
  *is_jump = !place->is_placed || off > JUMP_SAMPLES || off < -JUMP_SAMPLES;
  if (*is_jump) {
    place->is_placed = true;
    place->deviation = 0;
    place->next = wanted;
  } else {
    place->deviation += SMOOTHING * ((double) off - place->deviation);
    if (fabs (place->deviation) > DRIFT_SAMPLES)
      *adjust = place->deviation > 0 ? 1 : -1;
  }
  start = place->next;
  place->next += n_samples + *adjust;
  return start;
}
