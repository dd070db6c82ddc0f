/* opus.h - what the bytes of Opus say: its header, and how long a packet lasts. */
#ifndef RECTO_PLUGINS_OPUS_H
#define RECTO_PLUGINS_OPUS_H

#include <recto/sink.h>

#define REC_OPUS_HEAD_SIZE 19u /* mono or stereo */
#define REC_OPUS_RATE 48000u

/* Whether the track's codec_data is an OpusHead of mono or stereo (RFC 7845, 5.1). */
bool rec_opus_check_head (const RecTrack *track, RecError *error);

/* Milliseconds (RFC 6716, 3.1). */
double rec_opus_get_ms (const uint8_t *data, size_t size);

#endif
