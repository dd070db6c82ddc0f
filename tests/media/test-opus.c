/* test-opus.c - Opus packets become the sound that GStreamer's own decoder makes of them. */
#include "worker/opus-decoder.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>

#define RATE 48000
#define LOUDEST_DIFFERENCE (0.75f / 32768) /* its samples have 16 bits */

typedef struct {
  const char *wave; /* noise differs in both channels, ticks have silence between them */
  int channels;
  const char *encoder; /* properties of opusenc */
} Mode;

static GPtrArray *
pull_all (GstElement *pipeline, const char *name)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GPtrArray *buffers = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  GstSample *sample;

  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))) != NULL) {
    g_ptr_array_add (buffers, gst_buffer_ref (gst_sample_get_buffer (sample)));
    gst_sample_unref (sample);
  }
  return buffers;
}

/* Packets, as they come from the network, and what opusdec makes of them. */
static void
encode (const Mode *mode, GPtrArray **packets, GPtrArray **sounds)
{
  g_autofree char *text = g_strdup_printf (
      "audiotestsrc num-buffers=150 samplesperbuffer=480 volume=0.1 wave=%s freq=300 !"
      " audio/x-raw,format=S16LE,rate=48000,channels=%d ! opusenc %s ! rtpopuspay ! rtpopusdepay !"
      " tee name=both both. ! queue max-size-time=0 ! appsink name=packets sync=false"
      " both. ! queue max-size-time=0 ! opusdec !"
      " audio/x-raw,format=S16LE,rate=48000,channels=2 ! appsink name=sounds sync=false",
      mode->wave, mode->channels, mode->encoder);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_object_ref_sink (gst_parse_launch (text, &error));

  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  *packets = pull_all (pipeline, "packets");
  *sounds = pull_all (pipeline, "sounds");
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
assert_same (const float *samples, GstBuffer *sound, int64_t n_samples)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (sound, &map, GST_MAP_READ));
  g_assert_cmpint (n_samples * 2 * (int64_t) sizeof (int16_t), ==, (int64_t) map.size);
  for (int64_t i = 0; i < n_samples * 2; i++) {
    const float theirs = ((const int16_t *) (void *) map.data)[i] / 32768.0f;

    g_assert_cmpfloat (fabsf (CLAMP (samples[i], -1.0f, 1.0f) - theirs), <=, LOUDEST_DIFFERENCE);
  }
  gst_buffer_unmap (sound, &map);
}

static void
test_is_what_gstreamer_hears (gconstpointer data)
{
  g_autoptr (GPtrArray) packets = NULL, sounds = NULL;
  RecOpusDecoder *decoder = rec_opus_decoder_new ();
  float loudest = 0;

  encode (data, &packets, &sounds);
  g_assert_cmpuint (packets->len, >=, 25); /* 1.5 s in packets of at most 60 ms */
  g_assert_cmpuint (packets->len, ==, sounds->len);
  for (unsigned i = 0; i < packets->len; i++) {
    g_autoptr (GError) error = NULL;
    int64_t n_samples;
    const float *samples = rec_opus_decoder_decode (decoder, packets->pdata[i], &n_samples, &error);

    g_assert_no_error (error);
    assert_same (samples, sounds->pdata[i], n_samples);
    for (int64_t j = 0; j < n_samples * 2; j++)
      loudest = MAX (loudest, fabsf (samples[j]));
  }
  g_assert_cmpfloat (loudest, >, 0.02);
  rec_opus_decoder_free (decoder);
}

static GstBuffer *
make_packet (const void *data, size_t size)
{
  GstBuffer *packet = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_fill (packet, 0, data, size);
  return packet;
}

static void
test_refuses_what_is_no_packet (void)
{
  static const uint8_t long_frame[] = { 0xff, 0x3f }; /* 63 frames of 20 ms */
  const struct {
    const void *data;
    size_t size;
  } wrong[] = { { "", 0 }, { long_frame, sizeof long_frame } };
  static const uint8_t silence[] = { 0xf8, 0xff, 0xfe }; /* 20 ms of it */
  g_autoptr (GstBuffer) quiet = make_packet (silence, sizeof silence);
  RecOpusDecoder *decoder = rec_opus_decoder_new ();
  int64_t n_samples = -1;

  for (size_t i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GstBuffer) packet = make_packet (wrong[i].data, wrong[i].size);
    g_autoptr (GError) error = NULL;

    g_assert_null (rec_opus_decoder_decode (decoder, packet, &n_samples, &error));
    g_assert_nonnull (error);
    g_assert_nonnull (strstr (error->message, "a packet of "));
    g_assert_cmpint (n_samples, ==, -1);
  }
  g_assert_nonnull (rec_opus_decoder_decode (decoder, quiet, &n_samples, NULL));
  g_assert_cmpint (n_samples, ==, RATE / 50);
  rec_opus_decoder_free (decoder);
}

int
main (int argc, char **argv)
{
  static const Mode modes[] = {
    { "pink-noise", 1, "bitrate=16000 audio-type=voice" },
    { "pink-noise", 1, "bitrate=32000 audio-type=voice" },
    { "ticks", 1, "bitrate=32000 audio-type=voice dtx=true" },
    { "pink-noise", 1, "bitrate=64000 audio-type=generic" },
    { "pink-noise", 2, "bitrate=24000 audio-type=voice" },
    { "pink-noise", 2, "bitrate=128000 audio-type=generic" },
    { "ticks", 1, "bitrate=32000 audio-type=voice frame-size=60" },
    { "pink-noise", 2, "bitrate=64000 audio-type=restricted-lowdelay frame-size=5" },
  };

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree char *path = g_strdup_printf ("/opus/is-what-gstreamer-hears/%s-%d/%s",
        modes[i].wave, modes[i].channels, modes[i].encoder);

    g_test_add_data_func (path, &modes[i], test_is_what_gstreamer_hears);
  }
  g_test_add_func ("/opus/refuses-what-is-no-packet", test_refuses_what_is_no_packet);
  return g_test_run ();
}
