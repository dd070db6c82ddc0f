/* mixer.h - decoded sound of the tracks, placed by sample on file time, and its sum. One thread at a time. [streaming] */
#ifndef REC_WORKER_MIXER_H
#define REC_WORKER_MIXER_H

#include "worker/timeline.h"

#include <glib.h>

#define REC_AUDIO_CHANNELS 2

/* Sound of one track that waits to be mixed: interleaved floats at REC_AUDIO_RATE. */
typedef struct RecAudioQueue RecAudioQueue;

RecAudioQueue *rec_audio_queue_new (void);
void rec_audio_queue_free (RecAudioQueue *queue);

/* A decoded block. What lies before the mixed part of the file is dropped; a hole is silence. */
void rec_audio_queue_write (RecAudioQueue *queue, int64_t pts_ns, const float *block,
    int64_t n_samples);
/* Adds the samples from `start` on to the sum (NULL: throws them away) and forgets all before start + n_samples. */
void rec_audio_queue_mix (RecAudioQueue *queue, int64_t start, int64_t n_samples, float *sum);

/* Brings every sample of a sum into -1 to 1: turns down at once what is too loud, and up again slowly. */
typedef struct {
  float turned_down; /* 0: not at all, to 1 */
} RecAudioLimiter;

void rec_audio_limit (RecAudioLimiter *limiter, float *sum, int64_t n_samples);

#endif
