/* floor.c - what the codecs alone cost: decoding, scaling, encoding and sound of a recording, without clock, threads or composition.
 *
 * The same material, elements and settings as in a recording, one thing after the other, as fast as it goes. What a worker takes beyond
 * this is what it is to be blamed for. Also writes the material into files, for others to compose. */
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/load/media.h"
#include "worker/encoder.h"
#include "worker/opus-decoder.h"
#include "worker/track-source.h"

#define MATERIAL_RATE 30
#define LOOP_S ((double) LOAD_LOOP_US / G_USEC_PER_SEC)
#define SAMPLES 1024 /* of a block of sound for the encoder */

typedef struct {
  LoadFormat format;
  unsigned n_streams;
  RecEncoderRecipe recipe;
  GPtrArray *canvases; /* of GstBuffer: what the composed pictures would be */
  GstVideoInfo canvas_info;
  double decode_s, scale_s, encode_s, audio_s;
} Floor;

static double
get_cpu_s (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

static GstBuffer *
make_rtp (const LoadPacket *packet, unsigned number, int64_t at_us, bool is_video)
{
  const uint32_t timestamp = (uint32_t) (at_us * (is_video ? 90 : 48) / 1000);
  const uint8_t header[12] = { 0x80,
    (uint8_t) ((is_video ? LOAD_VIDEO_PAYLOAD : LOAD_AUDIO_PAYLOAD) |
               (packet->is_marked ? 0x80 : 0)),
    (uint8_t) (number >> 8), (uint8_t) number, (uint8_t) (timestamp >> 24),
    (uint8_t) (timestamp >> 16), (uint8_t) (timestamp >> 8), (uint8_t) timestamp, 0, 0, 0, 1 };
  const gsize size = gst_buffer_get_size (packet->payload);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, sizeof header + size, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  memcpy (map.data, header, sizeof header);
  gst_buffer_extract (packet->payload, 0, map.data + sizeof header, size);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = (GstClockTime) at_us * 1000;
  return buffer;
}

static void
push_track (GstElement *source, const GArray *track, bool is_video, unsigned n_loops)
{
  unsigned number = 0;

  for (unsigned loop = 0; loop < n_loops; loop++)
    for (unsigned i = 0; i < track->len; i++) {
      const LoadPacket *packet = &g_array_index (track, LoadPacket, i);

      gst_app_src_push_buffer (GST_APP_SRC (source),
          make_rtp (packet, number++, packet->at_us + loop * LOAD_LOOP_US, is_video));
    }
  gst_app_src_end_of_stream (GST_APP_SRC (source));
}

static GstElement *
parse (const char *description)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (description, &error);

  if (error != NULL)
    g_error ("%s: %s", description, error->message);
  return pipeline;
}

static GstElement *
get_source (GstElement *pipeline, const char *name, bool is_video)
{
  g_autoptr (GstCaps) caps = rec_track_make_caps (is_video ? "VP8" : "OPUS", is_video,
      is_video ? LOAD_VIDEO_PAYLOAD : LOAD_AUDIO_PAYLOAD, is_video ? 90000 : 48000, NULL);
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), name);

  g_object_set (source, "format", GST_FORMAT_TIME, "max-bytes", (guint64) 0, "caps", caps, NULL);
  return source;
}

/* What the worker's pipeline for Opus leaves to libopus. */
static void
decode_packet (RecOpusDecoder *decoder, GstBuffer *packet)
{
  g_autoptr (GError) error = NULL;
  int64_t n_samples;

  if (rec_opus_decoder_decode (decoder, packet, &n_samples, &error) == NULL)
    g_error ("%s", error->message);
}

/* Decodes a loop of one stream; gives the pictures when they are asked for. */
static double
decode (const LoadMedia *media, bool is_video, GPtrArray *pictures, GstVideoInfo *info)
{
  g_autofree char *text = g_strdup_printf ("appsrc name=in ! %s ! appsink name=out sync=false",
      rec_track_source_describe (is_video ? "VP8" : "OPUS", is_video));
  g_autoptr (GstElement) pipeline = parse (text);
  g_autoptr (GstElement) source = get_source (pipeline, "in", is_video);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  RecOpusDecoder *opus = is_video ? NULL : rec_opus_decoder_new ();
  GstSample *sample;
  double before_s;

  push_track (source, media->tracks[is_video], is_video, 1);
  before_s = get_cpu_s ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))) != NULL) {
    if (is_video)
      gst_video_info_from_caps (info, gst_sample_get_caps (sample));
    else
      decode_packet (opus, gst_sample_get_buffer (sample));
    if (pictures != NULL)
      g_ptr_array_add (pictures, gst_buffer_ref (gst_sample_get_buffer (sample)));
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  rec_opus_decoder_free (opus);
  return get_cpu_s () - before_s;
}

/* --- pictures ----------------------------------------------------------------------------------------------------- */

typedef struct {
  int x, y, width, height;
} Box;

/* As best_fit has it when the number of streams is a square, or two. */
static Box
get_tile (const Floor *floor, unsigned stream)
{
  const unsigned columns = floor->n_streams == 1 ? 1 : floor->n_streams <= 4 ? 2 : 3;
  const unsigned rows = (floor->n_streams + columns - 1) / columns;
  const int width = floor->recipe.width / (int) columns & ~1;
  const int height = floor->recipe.height / (int) rows & ~1;

  return (Box){ (int) (stream % columns) * width, (int) (stream / columns) * height, width,
    height };
}

/* The middle of a picture in the shape of the tile. */
static Box
get_part (const GstVideoInfo *info, Box tile)
{
  const int width = GST_VIDEO_INFO_WIDTH (info), height = GST_VIDEO_INFO_HEIGHT (info);
  const int fit_width = MIN (width, height * tile.width / tile.height) & ~1;
  const int fit_height = MIN (height, width * tile.height / tile.width) & ~1;

  return (Box){ (width - fit_width) / 2 & ~1, (height - fit_height) / 2 & ~1, fit_width,
    fit_height };
}

static GstVideoConverter *
make_scaler (const Floor *floor, const GstVideoInfo *info, Box tile)
{
  const Box part = get_part (info, tile);
  GstVideoInfo input = *info, output = floor->canvas_info;

  input.fps_n = output.fps_n;
  input.fps_d = output.fps_d;
  input.colorimetry = output.colorimetry;
  input.chroma_site = output.chroma_site;
  return gst_video_converter_new (&input, &output,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, part.x,
          GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, part.y, GST_VIDEO_CONVERTER_OPT_SRC_WIDTH,
          G_TYPE_INT, part.width, GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, part.height,
          GST_VIDEO_CONVERTER_OPT_DEST_X, G_TYPE_INT, tile.x, GST_VIDEO_CONVERTER_OPT_DEST_Y,
          G_TYPE_INT, tile.y, GST_VIDEO_CONVERTER_OPT_DEST_WIDTH, G_TYPE_INT, tile.width,
          GST_VIDEO_CONVERTER_OPT_DEST_HEIGHT, G_TYPE_INT, tile.height,
          GST_VIDEO_CONVERTER_OPT_FILL_BORDER, G_TYPE_BOOLEAN, FALSE,
          GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
          GST_VIDEO_RESAMPLER_METHOD_LINEAR, GST_VIDEO_CONVERTER_OPT_CHROMA_RESAMPLER_METHOD,
          GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR,
          GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT, 1, NULL));
}

static double
scale (Floor *floor, unsigned stream, GPtrArray *pictures, GstVideoInfo *info)
{
  const Box tile = get_tile (floor, stream);
  GstVideoConverter *scaler = make_scaler (floor, info, tile);
  const double before_s = get_cpu_s ();
  double spent_s;

  for (unsigned i = 0; i < floor->canvases->len; i++) {
    const unsigned last = i * pictures->len / floor->canvases->len;
    GstVideoFrame from, to;

    gst_video_frame_map (&from, info, pictures->pdata[last], GST_MAP_READ);
    gst_video_frame_map (&to, &floor->canvas_info, floor->canvases->pdata[i], GST_MAP_WRITE);
    gst_video_converter_frame (scaler, &from, &to);
    gst_video_frame_unmap (&to);
    gst_video_frame_unmap (&from);
  }
  spent_s = get_cpu_s () - before_s;
  gst_video_converter_free (scaler);
  return spent_s;
}

static void
make_canvases (Floor *floor)
{
  const unsigned n = (unsigned) (LOOP_S * floor->recipe.frame_rate);

  gst_video_info_set_format (&floor->canvas_info, GST_VIDEO_FORMAT_I420,
      (unsigned) floor->recipe.width, (unsigned) floor->recipe.height);
  floor->canvas_info.fps_n = floor->recipe.frame_rate;
  floor->canvas_info.fps_d = 1;
  gst_video_colorimetry_from_string (&floor->canvas_info.colorimetry, GST_VIDEO_COLORIMETRY_BT601);
  floor->canvases = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  for (unsigned i = 0; i < n; i++) {
    GstBuffer *canvas = gst_buffer_new_allocate (NULL, floor->canvas_info.size, NULL);

    gst_buffer_memset (canvas, 0, 0, floor->canvas_info.size);
    GST_BUFFER_PTS (canvas) = i * GST_SECOND / (GstClockTime) floor->recipe.frame_rate;
    GST_BUFFER_DURATION (canvas) = GST_SECOND / (GstClockTime) floor->recipe.frame_rate;
    g_ptr_array_add (floor->canvases, canvas);
  }
}

/* --- encoding ----------------------------------------------------------------------------------------------------- */

static void
on_track (RecEncoder *encoder, const RecTrack *track, void *data)
{
  (void) encoder;
  (void) track;
  (void) data;
}

static void
on_packet (RecEncoder *encoder, RecEncodedPacket *packet, void *data)
{
  (void) encoder;
  (void) packet;
  (void) data;
}

static void
on_failed (RecEncoder *encoder, const GError *error, void *data)
{
  (void) encoder;
  (void) data;
  g_error ("%s", error->message);
}

static double
encode (const RecEncoderRecipe *recipe, GstCaps *caps, GPtrArray *buffers)
{
  static const RecEncoderEvents events = { on_track, on_packet, on_failed };
  g_autoptr (GError) error = NULL;
  RecEncoder *encoder = rec_encoder_new (recipe, caps, 1, &events, NULL, &error);
  double before_s;

  if (encoder == NULL)
    g_error ("%s", error->message);
  before_s = get_cpu_s ();
  for (unsigned i = 0; i < buffers->len; i++)
    rec_encoder_push (encoder, gst_buffer_copy (buffers->pdata[i]));
  rec_encoder_finish (encoder);
  before_s = get_cpu_s () - before_s;
  rec_encoder_free (encoder);
  return before_s;
}

static double
encode_video (const Floor *floor)
{
  g_autoptr (GstCaps) caps = gst_video_info_to_caps (&floor->canvas_info);

  return encode (&floor->recipe, caps, floor->canvases);
}

/* A tone costs an encoder what any sound does. */
static double
encode_audio (const Floor *floor)
{
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("audio/x-raw,format=F32LE,layout=interleaved,rate=48000,channels=2");
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  RecEncoderRecipe recipe = floor->recipe;

  recipe.format = REC_FORMAT_AAC_RAW;
  for (int64_t at = 0; at < (int64_t) (LOOP_S * 48000); at += SAMPLES) {
    float *samples = g_new (float, SAMPLES * 2);
    GstBuffer *block = gst_buffer_new_wrapped (samples, SAMPLES * 2 * sizeof *samples);

    for (int i = 0; i < SAMPLES * 2; i++)
      samples[i] = (float) g_rand_double_range (random, -0.2, 0.2);
    GST_BUFFER_PTS (block) = gst_util_uint64_scale ((guint64) at, GST_SECOND, 48000);
    GST_BUFFER_DURATION (block) = gst_util_uint64_scale (SAMPLES, GST_SECOND, 48000);
    g_ptr_array_add (blocks, block);
  }
  return encode (&recipe, caps, blocks);
}

/* --- both commands ------------------------------------------------------------------------------------------------ */

static LoadMedia *
make_media (const Floor *floor, unsigned number)
{
  g_autoptr (GError) error = NULL;
  LoadMedia *media = load_media_new (&floor->format, number, &error);

  if (media == NULL)
    g_error ("%s", error->message);
  return media;
}

static void
measure (Floor *floor)
{
  make_canvases (floor);
  for (unsigned i = 0; i < floor->n_streams; i++) {
    g_autoptr (LoadMedia) media = make_media (floor, i);
    g_autoptr (GPtrArray)
        pictures = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
    GstVideoInfo info;

    floor->decode_s += decode (media, true, pictures, &info);
    floor->audio_s += decode (media, false, NULL, NULL);
    floor->scale_s += scale (floor, i, pictures, &info);
  }
  floor->encode_s = encode_video (floor);
  floor->audio_s += encode_audio (floor);
  g_ptr_array_unref (floor->canvases);
  printf ("decode %.4f\nscale %.4f\nencode %.4f\naudio %.4f\n", floor->decode_s / LOOP_S,
      floor->scale_s / LOOP_S, floor->encode_s / LOOP_S, floor->audio_s / LOOP_S);
  printf ("total %.4f\n",
      (floor->decode_s + floor->scale_s + floor->encode_s + floor->audio_s) / LOOP_S);
}

static void
write_file (const Floor *floor, unsigned number, const char *folder, unsigned seconds)
{
  g_autofree char *text =
      g_strdup_printf ("appsrc name=video ! rtpvp8depay ! queue max-size-bytes=0 ! "
                       "webmmux name=mux ! filesink location=%s/%u.webm "
                       "appsrc name=audio ! rtpopusdepay ! opusparse ! queue ! mux.",
          folder, number);
  g_autoptr (LoadMedia) media = make_media (floor, number);
  g_autoptr (GstElement) pipeline = parse (text);
  g_autoptr (GstElement) video = get_source (pipeline, "video", true);
  g_autoptr (GstElement) audio = get_source (pipeline, "audio", false);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  const unsigned n_loops = (unsigned) (seconds / LOOP_S) + 1;
  g_autoptr (GstMessage) message = NULL;

  push_track (video, media->tracks[1], true, n_loops);
  push_track (audio, media->tracks[0], false, n_loops);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    g_error ("cannot write %s/%u.webm", folder, number);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  Floor floor = {
    .format = { "VP8", 640, 480, MATERIAL_RATE, 1000, 1000, false, false },
    .recipe = { .format = REC_FORMAT_H264_AVC, .width = 1280, .height = 720, .frame_rate = 25 },
  };
  const bool is_measure = argc == 9 && strcmp (argv[1], "measure") == 0;
  const bool is_files = argc == 5 && strcmp (argv[1], "files") == 0;

  if (!is_measure && !is_files) {
    fprintf (stderr, "usage: floor measure STREAMS PRESET CRF KBPS KEYFRAME_MS THREADS AUDIO_KBPS\n"
                     "       floor files STREAMS SECONDS FOLDER\n");
    return 2;
  }
  gst_init (NULL, NULL);
  floor.n_streams = (unsigned) CLAMP (atoi (argv[2]), 1, (int) LOAD_PICTURES);
  if (is_files) {
    for (unsigned i = 0; i < floor.n_streams; i++)
      write_file (&floor, i, argv[4], (unsigned) atoi (argv[3]));
    return 0;
  }
  g_strlcpy (floor.recipe.preset, argv[3], sizeof floor.recipe.preset);
  floor.recipe.crf = atoi (argv[4]);
  floor.recipe.max_bitrate = atoi (argv[5]);
  floor.recipe.keyframe_interval_ms = atoi (argv[6]);
  floor.recipe.n_threads = atoi (argv[7]);
  floor.recipe.audio_bitrate = atoi (argv[8]);
  measure (&floor);
  return 0;
}
