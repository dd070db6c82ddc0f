/* opus-decoder.c - makes sound of Opus packets, by libopus itself.
 *
 * GStreamer's opusdec takes libopus' decoder of many streams, which asks the processor eight times for each packet what it
 * can do. In a virtual machine each question is one to the machine's host: more than half of the time went into them. */
#define G_LOG_DOMAIN "rec.worker.opus"
#include "worker/opus-decoder.h"

#include "base/error.h"
#include "worker/mixer.h"
#include "worker/timeline.h"

#include <opus.h>

#define MAX_SAMPLES (REC_AUDIO_RATE * 120 / 1000) /* of one packet, RFC 6716 */

struct RecOpusDecoder {
  OpusDecoder *state;
  float samples[MAX_SAMPLES * REC_AUDIO_CHANNELS];
};

RecOpusDecoder *
rec_opus_decoder_new (void)
{
  RecOpusDecoder *decoder = g_new0 (RecOpusDecoder, 1);

  decoder->state = opus_decoder_create (REC_AUDIO_RATE, REC_AUDIO_CHANNELS, NULL);
  if (decoder->state == NULL)
    g_error ("no memory for an Opus decoder");
  /* Else some of a stereo sound is lost for who listens to both channels in one. */
  opus_decoder_ctl (decoder->state, OPUS_SET_PHASE_INVERSION_DISABLED (1));
  return decoder;
}

void
rec_opus_decoder_free (RecOpusDecoder *decoder)
{
  if (decoder == NULL)
    return;
  opus_decoder_destroy (decoder->state);
  g_free (decoder);
}

const float *
rec_opus_decoder_decode (RecOpusDecoder *decoder, GstBuffer *packet, int64_t *n_samples,
    GError **error)
{
  int n = OPUS_INVALID_PACKET;
  GstMapInfo map;

  /* Without a packet libopus would make up what is missing. */
  if (gst_buffer_get_size (packet) > 0 && gst_buffer_map (packet, &map, GST_MAP_READ)) {
    n = opus_decode_float (decoder->state, map.data, (opus_int32) map.size, decoder->samples,
        MAX_SAMPLES, 0);
    gst_buffer_unmap (packet, &map);
  }
  if (n < 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "a packet of %zu bytes: %s",
        gst_buffer_get_size (packet), opus_strerror (n));
    return NULL;
  }
  *n_samples = n;
  return decoder->samples;
}
