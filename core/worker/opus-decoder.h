/* opus-decoder.h - makes sound of Opus packets. One thread at a time. [streaming] */
#ifndef REC_WORKER_OPUS_DECODER_H
#define REC_WORKER_OPUS_DECODER_H

#include <gst/gst.h>
#include <stdint.h>

/* libopus looks ahead by 6.5 ms (its restricted mode, which browsers do not use, by 2.5 ms). A packet bears the time of
 * its first sample, but what it decodes to begins that much earlier in the sound, so all would be heard that late. */
#define REC_OPUS_LOOKAHEAD_NS INT64_C (6500000)

typedef struct RecOpusDecoder RecOpusDecoder;

RecOpusDecoder *rec_opus_decoder_new (void);
void rec_opus_decoder_free (RecOpusDecoder *decoder);

/* Interleaved samples of REC_AUDIO_RATE and REC_AUDIO_CHANNELS, whatever the packet has; borrowed until the next call.
 * NULL for a packet that is none, which changes nothing. */
const float *rec_opus_decoder_decode (RecOpusDecoder *decoder, GstBuffer *packet,
    int64_t *n_samples, GError **error);

#endif
