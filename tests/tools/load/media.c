/* media.c - paints moving pictures in a participant's colour, has them and its tone encoded, and keeps the packets. */
#include "media.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/rtp/gstrtpbuffer.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "stamp.h"

#include "base/error.h"

#define TEXTURE 256 /* pixels of each side, a power of two */
#define RATE 48000
#define BLOCK 960 /* samples of a packet of sound */
#define BLOCK_US 20000
#define LOUDNESS 0.2
#define MAX_PACKET_BYTES 1200
#define SIGNAL_EVERY_US (2 * G_USEC_PER_SEC)
#define SIGNAL_US 100000

static const uint32_t colours[LOAD_PICTURES] = { 0xcd2828, 0x1ea03c, 0x2846d7, 0xe1c828, 0xc832be,
  0x28becd, 0xe6781e, 0x6e3ca0, 0x8cd23c, 0x006e6e, 0xf096aa, 0x784b28 };

uint32_t
load_media_get_colour (unsigned number)
{
  return colours[number % LOAD_PICTURES];
}

double
load_media_get_tone (unsigned number)
{
  return 500 + 200 * (double) (number % LOAD_PICTURES);
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

static void
clear_packet (gpointer data)
{
  gst_clear_buffer (&((LoadPacket *) data)->payload);
}

static GArray *
make_track (void)
{
  GArray *track = g_array_new (FALSE, TRUE, sizeof (LoadPacket));

  g_array_set_clear_func (track, clear_packet);
  return track;
}

static void
add_packet (GArray *track, GstBuffer *buffer, const GstSegment *segment, bool is_keyframe)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  LoadPacket packet = { .is_keyframe = is_keyframe };
  void *copy;
  gsize size;

  packet.at_us =
      (int64_t) (gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer)) /
                 1000);
  gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp);
  packet.is_marked = gst_rtp_buffer_get_marker (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  gst_buffer_extract_dup (buffer, 12, gst_buffer_get_size (buffer) - 12, &copy, &size);
  packet.payload = gst_buffer_new_wrapped (copy, size);
  g_array_append_val (track, packet);
}

static void
add_sample (GArray *track, GstSample *sample)
{
  GstBufferList *list = gst_sample_get_buffer_list (sample);
  const GstSegment *segment = gst_sample_get_segment (sample);
  GstBuffer *first = list != NULL ? gst_buffer_list_get (list, 0) : gst_sample_get_buffer (sample);
  const bool is_keyframe = !GST_BUFFER_FLAG_IS_SET (first, GST_BUFFER_FLAG_DELTA_UNIT);

  if (list == NULL)
    add_packet (track, first, segment, is_keyframe);
  for (unsigned i = 0; list != NULL && i < gst_buffer_list_length (list); i++)
    add_packet (track, gst_buffer_list_get (list, i), segment, is_keyframe);
}

/* Gives the i-th raw buffer, NULL behind the last. */
typedef GstBuffer *(*MakeBuffer) (int i, const void *data);

typedef struct {
  GstElement *source;
  MakeBuffer make;
  const void *data;
} Feeding;

static gpointer
feed (gpointer data)
{
  const Feeding *feeding = data;
  GstBuffer *buffer;

  for (int i = 0; (buffer = feeding->make (i, feeding->data)) != NULL; i++)
    if (gst_app_src_push_buffer (GST_APP_SRC (feeding->source), buffer) != GST_FLOW_OK)
      break;
  gst_app_src_end_of_stream (GST_APP_SRC (feeding->source));
  return NULL;
}

static GArray *
collect (GstElement *pipeline, GstElement *sink, GError **error)
{
  GArray *track = make_track ();
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  GstSample *sample;

  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))) != NULL) {
    add_sample (track, sample);
    gst_sample_unref (sample);
  }
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message == NULL && track->len > 0)
    return track;
  g_array_unref (track);
  if (message != NULL)
    gst_message_parse_error (message, error, NULL);
  else
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "the encoder gave nothing");
  return NULL;
}

static GArray *
encode (const char *description, GstCaps *caps, MakeBuffer make, const void *data, GError **error)
{
  g_autofree char *text =
      g_strdup_printf ("appsrc name=in format=time block=true max-buffers=4 max-bytes=0 ! %s "
                       "! appsink name=out sync=false buffer-list=true",
          description);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, error);
  g_autoptr (GstElement) source = NULL, sink = NULL;
  GArray *track;

  if (pipeline == NULL)
    return NULL;
  source = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gst_app_src_set_caps (GST_APP_SRC (source), caps);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);

  Feeding feeding = { source, make, data };
  GThread *thread = g_thread_new ("paint", feed, &feeding);
  track = collect (pipeline, sink, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_thread_join (thread);
  return track;
}

/* --- pictures ----------------------------------------------------------------------------------------------------- */

typedef struct {
  const LoadFormat *format;
  GstVideoInfo info;
  int64_t phase_us; /* the first picture's time: not all send at once */
  uint32_t colour;
  int8_t texture[TEXTURE][TEXTURE];
} Painter;

/* Soft hills that join at the edges, with a little grain: moved over each other they keep an encoder busy. */
static void
make_texture (Painter *painter, unsigned number)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (number);

  for (int y = 0; y < TEXTURE; y++)
    for (int x = 0; x < TEXTURE; x++) {
      const double u = 2 * G_PI * x / TEXTURE, v = 2 * G_PI * y / TEXTURE;
      const double hill = 4 * sin (3 * u + 2 * v) + 3 * cos (5 * v - u) + 2 * sin (9 * u + 7 * v);

      painter->texture[y][x] = (int8_t) (hill + g_rand_double_range (random, -1.5, 1.5));
    }
}

static void
get_yuv (uint32_t rgb, uint8_t yuv[3])
{
  const int red = (rgb >> 16) & 255, green = (rgb >> 8) & 255, blue = rgb & 255;

  yuv[0] = (uint8_t) (((66 * red + 129 * green + 25 * blue + 128) >> 8) + 16);
  yuv[1] = (uint8_t) (((-38 * red - 74 * green + 112 * blue + 128) >> 8) + 128);
  yuv[2] = (uint8_t) (((112 * red - 94 * green - 18 * blue + 128) >> 8) + 128);
}

static void
paint_line (const Painter *painter, uint8_t *line, int from, int to, int y, int i, int base)
{
  const int8_t *one = painter->texture[(y + i) & (TEXTURE - 1)];
  const int8_t *other = painter->texture[(y - 2 * i) & (TEXTURE - 1)];

  for (int x = from; x < to; x++)
    line[x] = (uint8_t) CLAMP (
        base + one[(x + 2 * i) & (TEXTURE - 1)] + other[(x - i) & (TEXTURE - 1)], 16, 235);
}

/* Half as wide as somebody is at this line, who sits in the middle, from the top of the head down. */
static int
get_half_width (const LoadPlane *plane, int y)
{
  const double height = (y - plane->height * 0.15) / plane->height;

  if (height <= 0)
    return 0;
  if (height < 0.5)
    return (int) (plane->width * 0.16 * sqrt (1 - (height * 4 - 1) * (height * 4 - 1)));
  return (int) (plane->width * MIN (0.1 + (height - 0.5) * 2, 0.32));
}

/* Somebody who moves before a wall that doesn't; or everything moves. */
static void
paint_hills (const Painter *painter, LoadPlane plane, int i, int base)
{
  const double turn = 2 * G_PI * i / (painter->format->frame_rate * 2);
  const int middle = plane.width / 2 + (int) (plane.width * 0.03 * sin (turn));

  for (int y = 0; y < plane.height; y++) {
    const int half = painter->format->is_busy ? plane.width : get_half_width (&plane, y);
    const int left = CLAMP (middle - half, 0, plane.width);
    const int right = CLAMP (middle + half, 0, plane.width);
    uint8_t *line = plane.data + y * plane.stride;

    paint_line (painter, line, 0, left, y, 0, base);
    paint_line (painter, line, left, right, y, i, base);
    paint_line (painter, line, right, plane.width, y, 0, base);
  }
}

static LoadPlane
get_plane (GstVideoFrame *frame, unsigned component)
{
  return (LoadPlane){ GST_VIDEO_FRAME_COMP_DATA (frame, component),
    GST_VIDEO_FRAME_COMP_STRIDE (frame, component), GST_VIDEO_FRAME_COMP_WIDTH (frame, component),
    GST_VIDEO_FRAME_COMP_HEIGHT (frame, component) };
}

static void
fill (LoadPlane plane, uint8_t value)
{
  for (int y = 0; y < plane.height; y++)
    memset (plane.data + y * plane.stride, value, (size_t) plane.width);
}

static void
paint (const Painter *painter, GstVideoFrame *frame, int i, int64_t at_us)
{
  const bool is_flash = painter->format->flashes && at_us % SIGNAL_EVERY_US < SIGNAL_US;
  uint32_t colour = painter->colour;
  uint8_t yuv[3];

  if (painter->format->flashes)
    colour = is_flash ? 0xffffff : (colour >> 2) & 0x3f3f3f;
  get_yuv (colour, yuv);
  paint_hills (painter, get_plane (frame, 0), i, yuv[0]);
  fill (get_plane (frame, 1), yuv[1]);
  fill (get_plane (frame, 2), yuv[2]);
  if (is_flash)
    return;
  load_stamp_write (get_plane (frame, 0), (unsigned) (at_us / 1000));
  load_stamp_fill (get_plane (frame, 1), 128);
  load_stamp_fill (get_plane (frame, 2), 128);
}

static GstBuffer *
make_picture (int i, const void *data)
{
  const Painter *painter = data;
  const int64_t at_us = painter->phase_us + i * G_USEC_PER_SEC / painter->format->frame_rate;
  GstVideoFrame frame;
  GstBuffer *buffer;

  if (at_us >= LOAD_LOOP_US)
    return NULL;
  buffer = gst_buffer_new_allocate (NULL, painter->info.size, NULL);
  gst_video_frame_map (&frame, &painter->info, buffer, GST_MAP_WRITE);
  paint (painter, &frame, i, at_us);
  gst_video_frame_unmap (&frame);
  GST_BUFFER_PTS (buffer) = (GstClockTime) at_us * 1000;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / (GstClockTime) painter->format->frame_rate;
  return buffer;
}

static char *
describe_video (const LoadFormat *format)
{
  const int every = MAX (format->keyframe_ms * format->frame_rate / 1000, 1);

  if (g_str_equal (format->codec, "H264"))
    return g_strdup_printf ("x264enc speed-preset=ultrafast tune=zerolatency threads=1 bitrate=%d "
                            "key-int-max=%d ! video/x-h264,profile=constrained-baseline ! "
                            "rtph264pay pt=%d mtu=%d config-interval=-1 "
                            "aggregate-mode=zero-latency",
        format->kbps, every, LOAD_VIDEO_PAYLOAD, MAX_PACKET_BYTES);
  return g_strdup_printf ("vp8enc deadline=1 cpu-used=8 threads=1 end-usage=cbr lag-in-frames=0 "
                          "target-bitrate=%d keyframe-max-dist=%d ! "
                          "rtpvp8pay pt=%d mtu=%d picture-id-mode=2",
      format->kbps * 1000, every, LOAD_VIDEO_PAYLOAD, MAX_PACKET_BYTES);
}

static GArray *
make_video (const LoadFormat *format, unsigned number, GError **error)
{
  g_autofree char *description = describe_video (format);
  g_autofree Painter *painter = g_new0 (Painter, 1);
  g_autoptr (GstCaps) caps = NULL;

  painter->format = format;
  painter->colour = load_media_get_colour (number);
  painter->phase_us = number % LOAD_PICTURES * (G_USEC_PER_SEC / (unsigned) format->frame_rate) /
                      LOAD_PICTURES;
  make_texture (painter, number);
  gst_video_info_set_format (&painter->info, GST_VIDEO_FORMAT_I420, (unsigned) format->width,
      (unsigned) format->height);
  painter->info.fps_n = format->frame_rate;
  caps = gst_video_info_to_caps (&painter->info);
  return encode (description, caps, make_picture, painter, error);
}

/* --- sound -------------------------------------------------------------------------------------------------------- */

typedef struct {
  double hertz;
  bool beeps;
} Tone;

/* Twice around: what the encoder knows at the start of the second round is what it knows at its end. */
static GstBuffer *
make_block (int i, const void *data)
{
  const Tone *tone = data;
  int16_t *samples;
  GstBuffer *buffer;

  if ((int64_t) i * BLOCK_US >= 2 * LOAD_LOOP_US)
    return NULL;
  samples = g_new (int16_t, BLOCK);
  for (int k = 0; k < BLOCK; k++) {
    const int64_t n = (int64_t) i * BLOCK + k, at_us = n * 1000 / (RATE / 1000);
    const bool is_silent = tone->beeps && at_us % SIGNAL_EVERY_US >= SIGNAL_US;

    samples[k] = is_silent ? 0
                           : (int16_t) lrint (LOUDNESS * 32767 *
                                              sin (2 * G_PI * tone->hertz * (double) n / RATE));
  }
  buffer = gst_buffer_new_wrapped (samples, BLOCK * sizeof *samples);
  GST_BUFFER_PTS (buffer) = (GstClockTime) i * BLOCK_US * 1000;
  GST_BUFFER_DURATION (buffer) = BLOCK_US * 1000;
  return buffer;
}

/* A browser stamps a packet with the time of its first sample; opusenc counts its lookahead in. */
static void
keep_second_round (GArray *track)
{
  const unsigned n = LOAD_LOOP_US / BLOCK_US;

  g_array_remove_range (track, 0, n);
  g_array_set_size (track, n);
  for (unsigned i = 0; i < n; i++)
    g_array_index (track, LoadPacket, i).at_us = (int64_t) i * BLOCK_US;
}

static GArray *
make_audio (const LoadFormat *format, unsigned number, GError **error)
{
  const Tone tone = { load_media_get_tone (number), format->flashes };
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved");
  GArray *track =
      encode ("opusenc bitrate=32000 frame-size=20 ! rtpopuspay", caps, make_block, &tone, error);

  if (track != NULL && track->len < 2 * LOAD_LOOP_US / BLOCK_US) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "the encoder gave %u packets of sound",
        track->len);
    g_clear_pointer (&track, g_array_unref);
  }
  if (track != NULL)
    keep_second_round (track);
  return track;
}

/* --- both --------------------------------------------------------------------------------------------------------- */

LoadMedia *
load_media_new (const LoadFormat *format, unsigned number, GError **error)
{
  g_autoptr (LoadMedia) media = g_new0 (LoadMedia, 1);

  media->tracks[0] = make_audio (format, number, error);
  if (media->tracks[0] == NULL)
    return NULL;
  media->tracks[1] = make_video (format, number, error);
  return media->tracks[1] != NULL ? g_steal_pointer (&media) : NULL;
}

void
load_media_free (LoadMedia *media)
{
  if (media == NULL)
    return;
  for (unsigned i = 0; i < G_N_ELEMENTS (media->tracks); i++)
    g_clear_pointer (&media->tracks[i], g_array_unref);
  g_free (media);
}
