/* mixer.c - sums the tracks' sound sample by sample. */
#define G_LOG_DOMAIN "rec.worker.mixer"
#include "worker/mixer.h"

#include <string.h>

#define MAX_AHEAD_SAMPLES (REC_AUDIO_RATE * 2)
#define CEILING 0.98f
#define RECOVERY 0.02f   /* of the gain, per block */
#define RAMP_SAMPLES 240 /* 5 ms */

struct RecAudioQueue {
  GArray *samples; /* of float; the first is that of `start` */
  int64_t start;
  RecAudioPlace place;
};

RecAudioQueue *
rec_audio_queue_new (void)
{
  RecAudioQueue *queue = g_new0 (RecAudioQueue, 1);

  queue->samples = g_array_new (FALSE, TRUE, sizeof (float));
  return queue;
}

void
rec_audio_queue_free (RecAudioQueue *queue)
{
  if (queue == NULL)
    return;
  g_array_unref (queue->samples);
  g_free (queue);
}

static int64_t
get_end (const RecAudioQueue *queue)
{
  return queue->start + queue->samples->len / REC_AUDIO_CHANNELS;
}

static void
put (RecAudioQueue *queue, int64_t at, const float *block, int64_t n_samples)
{
  if (at < queue->start) {
    const int64_t gone = MIN (queue->start - at, n_samples);

    block += gone * REC_AUDIO_CHANNELS;
    n_samples -= gone;
    at = queue->start;
  }
  n_samples = MIN (n_samples, queue->start + MAX_AHEAD_SAMPLES - at);
  if (n_samples <= 0)
    return;
  if (get_end (queue) < at + n_samples)
    g_array_set_size (queue->samples,
        (unsigned) (at + n_samples - queue->start) * REC_AUDIO_CHANNELS);
  memcpy (&g_array_index (queue->samples, float, (at - queue->start) * REC_AUDIO_CHANNELS), block,
      (size_t) n_samples * REC_AUDIO_CHANNELS * sizeof (float));
}

void
rec_audio_queue_write (RecAudioQueue *queue, int64_t pts_ns, const float *block, int64_t n_samples)
{
  bool is_jump;
  int adjust;
  int64_t at;

  if (n_samples <= 0)
    return;
  at = rec_audio_place_next (&queue->place, pts_ns, n_samples, &adjust, &is_jump);
  put (queue, at, block, n_samples);
  if (adjust > 0)
    put (queue, at + n_samples, block + (n_samples - 1) * REC_AUDIO_CHANNELS, 1);
}

void
rec_audio_queue_mix (RecAudioQueue *queue, int64_t start, int64_t n_samples, float *sum)
{
  const int64_t end = start + n_samples;
  const int64_t from = MAX (start, queue->start), to = MIN (end, get_end (queue));

  if (sum != NULL && from < to) {
    const float *source =
        &g_array_index (queue->samples, float, (from - queue->start) * REC_AUDIO_CHANNELS);
    float *target = sum + (from - start) * REC_AUDIO_CHANNELS;

    for (int64_t i = 0; i < (to - from) * REC_AUDIO_CHANNELS; i++)
      target[i] += source[i];
  }
  if (end > queue->start) {
    const int64_t gone = MIN (end, get_end (queue)) - queue->start;

    if (gone > 0)
      g_array_remove_range (queue->samples, 0, (unsigned) gone * REC_AUDIO_CHANNELS);
    queue->start = end;
  }
}

static float
find_peak (const float *sum, int64_t n_samples)
{
  float peak = 0;

  for (int64_t i = 0; i < n_samples * REC_AUDIO_CHANNELS; i++)
    peak = MAX (peak, sum[i] < 0 ? -sum[i] : sum[i]);
  return peak;
}

/* From the last block's gain to this one's along a short ramp, which is heard less than a step. */
void
rec_audio_limit (RecAudioLimiter *limiter, float *sum, int64_t n_samples)
{
  const float peak = find_peak (sum, n_samples);
  const float needed = peak > CEILING ? 1 - CEILING / peak : 0;
  const float before = limiter->turned_down;
  const float after = MAX (needed, before - RECOVERY);

  limiter->turned_down = after;
  if (before <= 0 && after <= 0)
    return;
  for (int64_t i = 0; i < n_samples; i++) {
    const float progress = MIN ((float) i / RAMP_SAMPLES, 1.0f);
    const float gain = 1 - (before + (after - before) * progress);

    for (int channel = 0; channel < REC_AUDIO_CHANNELS; channel++) {
      float *sample = &sum[i * REC_AUDIO_CHANNELS + channel];

      *sample = CLAMP (*sample * gain, -1.0f, 1.0f);
    }
  }
}
