/* opus-decoder.h - makes sound of Opus packets. One thread at a time. [streaming] */
#ifndef REC_WORKER_OPUS_DECODER_H
#define REC_WORKER_OPUS_DECODER_H

#include <glib.h>
#include <stdint.h>

typedef struct RecOpusDecoder RecOpusDecoder;

RecOpusDecoder *rec_opus_decoder_new (void);
void rec_opus_decoder_free (RecOpusDecoder *decoder);

/* Interleaved samples of REC_AUDIO_RATE and REC_AUDIO_CHANNELS, whatever the packet has; borrowed until the next call.
 * NULL for a packet that is none, which changes nothing. */
const float *rec_opus_decoder_decode (RecOpusDecoder *decoder, const uint8_t *packet, size_t size,
    int64_t *n_samples, GError **error);

#endif
