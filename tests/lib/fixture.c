/* fixture.c - draws pictures and waves, and has GStreamer encode and packetise them. */
#include "lib/fixture.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/rtp/gstrtpbuffer.h>
#include <gst/video/video.h>
#include <math.h>

#define AUDIO_BLOCK 960

static void
free_packet (gpointer data)
{
  RecFixturePacket *packet = data;

  g_bytes_unref (packet->rtp);
  g_free (packet);
}

void
rec_fixture_free (RecFixture *fixture)
{
  if (fixture == NULL)
    return;
  g_ptr_array_unref (fixture->packets);
  g_free (fixture);
}

static bool
has_marker (GBytes *rtp)
{
  return ((const uint8_t *) g_bytes_get_data (rtp, NULL))[1] >> 7;
}

static void
add_buffer (RecFixture *fixture, GstBuffer *buffer, const GstSegment *segment)
{
  const unsigned n = fixture->packets->len;
  RecFixturePacket *packet = g_new0 (RecFixturePacket, 1);
  void *copy;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &copy, &size);
  packet->rtp = g_bytes_new_take (copy, size);
  packet->pts_ns =
      (int64_t) gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  packet->is_frame_start = n == 0 ||
                           has_marker (((RecFixturePacket *) fixture->packets->pdata[n - 1])->rtp);
  g_ptr_array_add (fixture->packets, packet);
}

static void
add_sample (RecFixture *fixture, GstSample *sample)
{
  GstBufferList *list = gst_sample_get_buffer_list (sample);

  if (list == NULL) {
    add_buffer (fixture, gst_sample_get_buffer (sample), gst_sample_get_segment (sample));
  } else {
    for (unsigned i = 0; i < gst_buffer_list_length (list); i++)
      add_buffer (fixture, gst_buffer_list_get (list, i), gst_sample_get_segment (sample));
  }
  gst_sample_unref (sample);
}

/* Pushes all raw buffers through and collects what comes out. Takes the caps and the array's buffers. */
static RecFixture *
run (const char *description, GstCaps *caps, GPtrArray *raw)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf (
      "appsrc name=in format=time block=false max-bytes=0 ! %s ! appsink name=out sync=false "
      "buffer-list=true",
      description);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, &error);
  g_autoptr (GstElement) in = NULL, out = NULL;
  RecFixture *fixture = g_new0 (RecFixture, 1);
  GstSample *sample;

  g_assert_no_error (error);
  fixture->packets = g_ptr_array_new_with_free_func (free_packet);
  in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gst_app_src_set_caps (GST_APP_SRC (in), caps);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (unsigned i = 0; i < raw->len; i++)
    gst_app_src_push_buffer (GST_APP_SRC (in), raw->pdata[i]);
  gst_app_src_end_of_stream (GST_APP_SRC (in));
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (out))) != NULL)
    add_sample (fixture, sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_caps_unref (caps);
  g_ptr_array_unref (raw);
  g_assert_cmpuint (fixture->packets->len, >, 0);
  return fixture;
}

/* --- pictures -------------------------------------------------------------------------------------- */

static uint32_t
get_colour (const RecVideoFixture *recipe, int i, int x, int y)
{
  if (recipe->paint == NULL)
    return recipe->colour;
  return recipe->paint (i, (x + 0.5) / recipe->width, (y + 0.5) / recipe->height, recipe->data);
}

static void
put_pixel (GstVideoFrame *frame, int x, int y, uint32_t colour)
{
  const int red = (colour >> 16) & 255, green = (colour >> 8) & 255, blue = colour & 255;
  uint8_t *planes[3];

  for (unsigned i = 0; i < 3; i++)
    planes[i] = (uint8_t *) GST_VIDEO_FRAME_COMP_DATA (frame, i) +
                (i == 0 ? y : y / 2) * GST_VIDEO_FRAME_COMP_STRIDE (frame, i) +
                (i == 0 ? x : x / 2);
  *planes[0] = (uint8_t) (((66 * red + 129 * green + 25 * blue + 128) >> 8) + 16);
  *planes[1] = (uint8_t) (((-38 * red - 74 * green + 112 * blue + 128) >> 8) + 128);
  *planes[2] = (uint8_t) (((112 * red - 94 * green - 18 * blue + 128) >> 8) + 128);
}

static GstBuffer *
draw (const RecVideoFixture *recipe, const GstVideoInfo *info, int i)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame frame;

  gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE);
  for (int y = 0; y < recipe->height; y++)
    for (int x = 0; x < recipe->width; x++)
      put_pixel (&frame, x, y, get_colour (recipe, i, x, y));
  gst_video_frame_unmap (&frame);
  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale ((guint64) i, GST_SECOND, (guint64) recipe->frame_rate);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / (guint64) recipe->frame_rate;
  return buffer;
}

RecFixture *
rec_fixture_video (const RecVideoFixture *recipe)
{
  const int every = recipe->keyframe_every > 0 ? recipe->keyframe_every : recipe->n_frames + 1;
  GPtrArray *raw = g_ptr_array_new ();
  g_autofree char *description = NULL;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, (unsigned) recipe->width,
      (unsigned) recipe->height);
  info.fps_n = recipe->frame_rate;
  for (int i = 0; i < recipe->n_frames; i++)
    g_ptr_array_add (raw, draw (recipe, &info, i));
  if (g_str_has_prefix (recipe->codec, "VP"))
    description = g_strdup_printf (
        "vp%cenc deadline=1 cpu-used=8 target-bitrate=2000000 lag-in-frames=0 keyframe-max-dist=%d"
        " ! rtpvp%cpay pt=96 picture-id-mode=2",
        recipe->codec[2], every, recipe->codec[2]);
  else
    description =
        g_strdup_printf ("x264enc speed-preset=ultrafast tune=zerolatency threads=1 "
                         "bitrate=2000 key-int-max=%d"
                         " ! video/x-h264,profile=constrained-baseline"
                         " ! rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency",
            every);
  return run (description, gst_video_info_to_caps (&info), raw);
}

/* --- sound ----------------------------------------------------------------------------------------- */

static GstBuffer *
make_block (RecWave wave, void *data, int64_t first)
{
  int16_t *samples = g_new (int16_t, AUDIO_BLOCK);
  GstBuffer *buffer;

  for (int i = 0; i < AUDIO_BLOCK; i++)
    samples[i] = (int16_t) lrint (wave (first + i, data) * 32767);
  buffer = gst_buffer_new_wrapped (samples, AUDIO_BLOCK * sizeof *samples);
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale ((guint64) first, GST_SECOND, 48000);
  GST_BUFFER_DURATION (buffer) = 20 * GST_MSECOND;
  return buffer;
}

RecFixture *
rec_fixture_audio (RecWave wave, void *data, double seconds)
{
  GPtrArray *raw = g_ptr_array_new ();
  RecFixture *fixture;

  for (int64_t i = 0; i < (int64_t) (seconds * 48000); i += AUDIO_BLOCK)
    g_ptr_array_add (raw, make_block (wave, data, i));
  fixture = run ("opusenc bitrate=64000 frame-size=20 ! rtpopuspay pt=111",
      gst_caps_from_string ("audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved"),
      raw);
  /* A browser stamps a packet with the time of its first sample; so do we, whatever opusenc makes of its lookahead. */
  for (unsigned i = 0; i < fixture->packets->len; i++)
    ((RecFixturePacket *) fixture->packets->pdata[i])->pts_ns = (int64_t) i * 20 * GST_MSECOND;
  return fixture;
}

static double
sine (int64_t i, void *data)
{
  return 0.5 * sin (2 * G_PI * *(double *) data * (double) i / 48000);
}

RecFixture *
rec_fixture_tone (double hertz, double seconds)
{
  return rec_fixture_audio (sine, &hertz, seconds);
}

/* --- changes --------------------------------------------------------------------------------------- */

void
rec_fixture_cut (RecFixture *fixture, double from, double to)
{
  for (unsigned i = fixture->packets->len; i > 0; i--) {
    const RecFixturePacket *packet = fixture->packets->pdata[i - 1];

    if ((double) packet->pts_ns >= from * 1e9 && (double) packet->pts_ns < to * 1e9)
      g_ptr_array_remove_index (fixture->packets, i - 1);
  }
}

void
rec_fixture_shift (RecFixture *fixture, double seconds)
{
  for (unsigned i = 0; i < fixture->packets->len; i++)
    ((RecFixturePacket *) fixture->packets->pdata[i])->pts_ns += (int64_t) (seconds * 1e9);
}
