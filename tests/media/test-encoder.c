/* test-encoder.c - pictures keep their quality, their order and their bound, whatever moves in them. */
#include "worker/encoder.h"
#include "worker/pipeline.h"

#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 640
#define HEIGHT 360
#define RATE 25
#define MAX_KBIT_S 500
#define PICTURES_PER_KEY 33 /* none comes where a change is looked for */
#define CALM_DIFFERENCE 2.0 /* of a pixel's brightness in the mean */

typedef struct {
  GstCaps *caps;
  GPtrArray *pictures; /* what goes in */
  GPtrArray *packets;  /* of RecEncodedPacket: what comes out */
  GPtrArray *decoded;
  GBytes *codec_data;
  unsigned n_tracks, n_failures;
  bool forces_keyframes; /* with each picture */
  uint32_t noise;        /* the last of it */
} Film;

typedef void (*Paint) (Film *film, uint8_t *pixels);

/* --- what is filmed --------------------------------------------------------------------------------------------- */

static GstBuffer *
make_picture (const Film *film)
{
  const gsize size = WIDTH * HEIGHT * 3 / 2;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  GST_BUFFER_PTS (buffer) = film->pictures->len * GST_SECOND / RATE;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / RATE;
  gst_buffer_memset (buffer, 0, 128, size);
  return buffer;
}

static void
film_pictures (Film *film, Paint paint, int seconds)
{
  for (int i = 0; i < seconds * RATE; i++) {
    GstBuffer *buffer = make_picture (film);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    paint (film, map.data);
    gst_buffer_unmap (buffer, &map);
    g_ptr_array_add (film->pictures, buffer);
  }
}

/* A soft slope that moves slowly. */
static void
calm (Film *film, uint8_t *pixels)
{
  for (unsigned y = 0; y < HEIGHT; y++)
    for (unsigned x = 0; x < WIDTH; x++)
      pixels[y * WIDTH + x] = (uint8_t) (40 + (x + y + film->pictures->len) / 8 % 150);
}

static void
noise (Film *film, uint8_t *pixels)
{
  for (unsigned i = 0; i < WIDTH * HEIGHT; i++) {
    film->noise = film->noise * 1664525u + 1013904223u;
    pixels[i] = (uint8_t) (film->noise >> 24);
  }
}

/* --- what comes out --------------------------------------------------------------------------------------------- */

static void
on_track (RecEncoder *encoder G_GNUC_UNUSED, const RecTrack *track, void *data)
{
  Film *film = data;

  film->n_tracks++;
  if (track->codec_data_size > 0)
    film->codec_data = g_bytes_new (track->codec_data, track->codec_data_size);
}

static void
on_packet (RecEncoder *encoder G_GNUC_UNUSED, RecEncodedPacket *packet, void *data)
{
  Film *film = data;

  g_ptr_array_add (film->packets, rec_encoded_packet_ref (packet));
}

static void
on_failed (RecEncoder *encoder G_GNUC_UNUSED, const GError *error, void *data)
{
  Film *film = data;

  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  film->n_failures++;
}

static const RecPacket *
get_packet (const Film *film, unsigned i)
{
  return &((const RecEncodedPacket *) film->packets->pdata[i])->packet;
}

static void
encode (Film *film, const RecEncoderRecipe *recipe)
{
  static const RecEncoderEvents events = { on_track, on_packet, on_failed };
  g_autoptr (GError) error = NULL;
  RecEncoder *encoder = rec_encoder_new (recipe, film->caps, 7, &events, film, &error);

  g_assert_no_error (error);
  for (unsigned i = 0; i < film->pictures->len; i++) {
    if (film->forces_keyframes)
      rec_encoder_force_keyframe (encoder);
    rec_encoder_push (encoder, gst_buffer_ref (film->pictures->pdata[i]));
  }
  rec_encoder_finish (encoder);
  rec_encoder_free (encoder);
}

static void
on_decoded (GstBuffer *buffer, GstCaps *caps G_GNUC_UNUSED, int64_t pts_ns G_GNUC_UNUSED,
    int64_t dts_ns G_GNUC_UNUSED, void *data)
{
  Film *film = data;

  g_ptr_array_add (film->decoded, gst_buffer_ref (buffer));
}

/* With the headers of the first packet, as a player does. */
static void
decode (Film *film)
{
  static const RecPipelineEvents events = { .output = on_decoded };
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-h264", "stream-format", G_TYPE_STRING,
      film->codec_data != NULL ? "avc" : "byte-stream", "alignment", G_TYPE_STRING, "au", "width",
      G_TYPE_INT, WIDTH, "height", G_TYPE_INT, HEIGHT, NULL);
  const RecPipelineRecipe recipe = { "decoder", "avdec_h264 max-threads=1 output-corrupt=false",
    caps };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecPipeline) pipeline = NULL;

  if (film->codec_data != NULL) {
    g_autoptr (GstBuffer) headers = gst_buffer_new_wrapped_bytes (film->codec_data);
    gst_caps_set_simple (caps, "codec_data", GST_TYPE_BUFFER, headers, NULL);
  }
  pipeline = rec_pipeline_new (&recipe, &events, film, &error);
  g_assert_no_error (error);
  for (unsigned i = 0; i < film->packets->len; i++) {
    const RecEncodedPacket *packet = film->packets->pdata[i];
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes (packet->bytes);

    GST_BUFFER_PTS (buffer) = (GstClockTime) packet->packet.pts_ns;
    g_assert_true (rec_pipeline_push (pipeline, buffer, &error));
  }
  g_assert_true (rec_pipeline_finish (pipeline, &error));
}

/* --- what is expected --------------------------------------------------------------------------------------------- */

/* All of them, in order, at their times, and what a decoder shows. */
static void
assert_whole (const Film *film)
{
  g_assert_cmpuint (film->n_failures, ==, 0);
  g_assert_cmpuint (film->n_tracks, ==, 1);
  g_assert_cmpuint (film->packets->len, ==, film->pictures->len);
  g_assert_cmpuint (film->decoded->len, ==, film->pictures->len);
  for (unsigned i = 0; i < film->packets->len; i++) {
    const int64_t wanted_ns = (int64_t) GST_BUFFER_PTS (film->pictures->pdata[i]);
    g_assert_cmpint (get_packet (film, i)->pts_ns, ==, wanted_ns);
    g_assert_cmpint (get_packet (film, i)->dts_ns, ==, wanted_ns);
    g_assert_cmpuint (GST_BUFFER_PTS (film->decoded->pdata[i]), ==, (GstClockTime) wanted_ns);
  }
}

static double
measure_difference (const Film *film, unsigned i)
{
  GstMapInfo ours, theirs;
  int64_t sum = 0;

  gst_buffer_map (film->pictures->pdata[i], &ours, GST_MAP_READ);
  gst_buffer_map (film->decoded->pdata[i], &theirs, GST_MAP_READ);
  g_assert_cmpuint (theirs.size, >=, ours.size);
  for (unsigned j = 0; j < WIDTH * HEIGHT; j++)
    sum += abs (ours.data[j] - theirs.data[j]);
  gst_buffer_unmap (film->decoded->pdata[i], &theirs);
  gst_buffer_unmap (film->pictures->pdata[i], &ours);
  return (double) sum / (WIDTH * HEIGHT);
}

static void
assert_looks_right (const Film *film, unsigned from_s, unsigned to_s)
{
  for (unsigned i = from_s * RATE; i < to_s * RATE; i++)
    g_assert_cmpfloat (measure_difference (film, i), <, CALM_DIFFERENCE);
}

/* Bits of any five seconds: what a second allows may come at once, of either kind of quality, what x264 had in hand
 * when it became too much, and one keyframe (may_begin_anew in encoder.c). */
static void
assert_bounded (const Film *film, const RecEncoderRecipe *recipe)
{
  const unsigned window = 5 * RATE;
  int64_t bits = 0, largest = 0;

  for (unsigned i = 0; i < film->packets->len; i++)
    largest = MAX (largest, INT64_C (8) * get_packet (film, i)->data_size);
  for (unsigned i = 0; i < film->packets->len; i++) {
    bits += INT64_C (8) * get_packet (film, i)->data_size;
    if (i >= window)
      bits -= INT64_C (8) * get_packet (film, i - window)->data_size;
    g_assert_cmpint (bits, <,
        INT64_C (1000) * recipe->max_bitrate * (5 + 2) + largest * (recipe->n_threads + 1));
  }
}

/* --- H.264 (its standard, 7.3) -------------------------------------------------------------------------------------- */

typedef struct {
  const uint8_t *data;
  size_t size, bit;
} Bits;

static unsigned
read_bits (Bits *bits, unsigned n)
{
  unsigned value = 0;

  for (; n > 0; n--, bits->bit++) {
    g_assert_cmpuint (bits->bit / 8, <, bits->size);
    value = value << 1 | (bits->data[bits->bit / 8] >> (7 - bits->bit % 8) & 1);
  }
  return value;
}

/* Exp-Golomb. */
static unsigned
read_number (Bits *bits)
{
  unsigned n_zeros = 0;

  while (read_bits (bits, 1) == 0)
    n_zeros++;
  return (1u << n_zeros) - 1 + read_bits (bits, n_zeros);
}

enum {
  NAL_KEYFRAME = 5,
  NAL_SPS = 7,
  NAL_PPS = 8,
};

/* The first of this type in a packet of either format; behind its first byte. */
static Bits
find_nal (const RecPacket *packet, bool has_lengths, unsigned type)
{
  const uint8_t *at = packet->data, *end = at + packet->data_size;

  while (at + 5 <= end) {
    const uint32_t length = (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | at[2] << 8 | at[3];
    if (has_lengths ? (at[4] & 31u) == type
                    : at[0] == 0 && at[1] == 0 && at[2] == 1 && (at[3] & 31u) == type)
      return has_lengths ? (Bits){ at + 5, length - 1, 0 }
                         : (Bits){ at + 4, (size_t) (end - at - 4), 0 };
    at += has_lengths ? 4 + length : 1;
  }
  g_assert_not_reached ();
}

/* A decoder takes two keyframes in a row that have the same one for the same picture. */
static unsigned
read_idr_pic_id (const RecPacket *packet, bool has_lengths)
{
  Bits sps = find_nal (packet, has_lengths, NAL_SPS);
  Bits slice = find_nal (packet, has_lengths, NAL_KEYFRAME);

  read_bits (&sps, 24); /* profile, constraints, level */
  read_number (&sps);   /* seq_parameter_set_id */
  const unsigned frame_num_bits = read_number (&sps) + 4;
  for (int i = 0; i < 3; i++) /* first_mb_in_slice, slice_type, pic_parameter_set_id */
    read_number (&slice);
  g_assert_cmpuint (read_bits (&slice, frame_num_bits), ==, 0);
  return read_number (&slice);
}

static void
assert_same_headers (const RecPacket *a, const RecPacket *b, bool has_lengths, unsigned type)
{
  const Bits one = find_nal (a, has_lengths, type), other = find_nal (b, has_lengths, type);

  /* Start codes end what has no length. */
  const size_t size = has_lengths ? one.size : 5;
  g_assert_cmpmem (one.data, size, other.data, has_lengths ? other.size : size);
}

/* Whatever made them: a file says once what its pictures are made by. */
static void
assert_one_stream (const Film *film)
{
  const bool has_lengths = film->codec_data != NULL;

  for (unsigned i = 0; i < film->packets->len; i++) {
    const RecPacket *packet = get_packet (film, i);
    if (!(packet->flags & REC_PACKET_KEYFRAME))
      continue;
    assert_same_headers (get_packet (film, 0), packet, has_lengths, NAL_SPS);
    assert_same_headers (get_packet (film, 0), packet, has_lengths, NAL_PPS);
    if (i > 0 && (get_packet (film, i - 1)->flags & REC_PACKET_KEYFRAME))
      g_assert_cmpuint (read_idr_pic_id (packet, has_lengths), !=,
          read_idr_pic_id (get_packet (film, i - 1), has_lengths));
  }
}

/* What holds for every film. */
static void
record (Film *film, const RecEncoderRecipe *recipe)
{
  encode (film, recipe);
  decode (film);
  assert_whole (film);
  assert_one_stream (film);
  assert_bounded (film, recipe);
}

/* --- changes ---------------------------------------------------------------------------------------------------------- */

/* Where keyframes are nearer to each other than asked for: there another quality begins. */
static GArray *
find_changes (const Film *film)
{
  GArray *changes = g_array_new (FALSE, FALSE, sizeof (unsigned));
  unsigned last = 0;

  g_assert_true (get_packet (film, 0)->flags & REC_PACKET_KEYFRAME);
  for (unsigned i = 1; i < film->packets->len; i++) {
    if (!(get_packet (film, i)->flags & REC_PACKET_KEYFRAME))
      continue;
    g_assert_cmpuint (i - last, <=, PICTURES_PER_KEY);
    g_assert_cmpuint (i - last, >, 1);
    if (i - last < PICTURES_PER_KEY)
      g_array_append_val (changes, i);
    last = i;
  }
  return changes;
}

static RecEncoderRecipe
make_recipe (uint32_t format, const char *preset, int n_threads)
{
  RecEncoderRecipe recipe = { .format = format,
    .width = WIDTH,
    .height = HEIGHT,
    .frame_rate = RATE,
    .crf = 25,
    .max_bitrate = MAX_KBIT_S,
    .keyframe_interval_ms = 1000 * PICTURES_PER_KEY / RATE,
    .n_threads = n_threads };

  g_strlcpy (recipe.preset, preset, sizeof recipe.preset);
  return recipe;
}

/* --- the tests ------------------------------------------------------------------------------------------------------ */

static void
set_up (Film *film, gconstpointer data G_GNUC_UNUSED)
{
  film->caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "I420", "width",
      G_TYPE_INT, WIDTH, "height", G_TYPE_INT, HEIGHT, "framerate", GST_TYPE_FRACTION, RATE, 1,
      NULL);
  film->pictures = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  film->decoded = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  film->packets = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_encoded_packet_unref);
}

static void
tear_down (Film *film, gconstpointer data G_GNUC_UNUSED)
{
  gst_caps_unref (film->caps);
  g_ptr_array_unref (film->pictures);
  g_ptr_array_unref (film->decoded);
  g_ptr_array_unref (film->packets);
  g_clear_pointer (&film->codec_data, g_bytes_unref);
}

static void
test_stays_calm (Film *film, gconstpointer data G_GNUC_UNUSED)
{
  const RecEncoderRecipe recipe = make_recipe (REC_FORMAT_H264_AVC, "ultrafast", 0);
  g_autoptr (GArray) changes = NULL;

  film_pictures (film, calm, 20);
  record (film, &recipe);
  assert_looks_right (film, 0, 20);
  changes = find_changes (film);
  g_assert_cmpuint (changes->len, ==, 0);
}

typedef struct {
  uint32_t format;
  int n_threads;
} Stream;

static const Stream plain = { REC_FORMAT_H264_AVC, 1 };
static const Stream threaded = { REC_FORMAT_H264_AVC, 3 };
static const Stream in_band = { REC_FORMAT_H264_ANNEXB, 1 };

/* Held down as soon as it storms, and let go once it is over. */
static void
test_holds_a_storm_down (Film *film, gconstpointer data)
{
  const Stream *stream = data;
  const RecEncoderRecipe recipe = make_recipe (stream->format, "ultrafast", stream->n_threads);
  g_autoptr (GArray) changes = NULL;

  film_pictures (film, calm, 3);
  film_pictures (film, noise, 8);
  film_pictures (film, calm, 25);
  record (film, &recipe);
  assert_looks_right (film, 0, 3);
  assert_looks_right (film, 14, 36);
  changes = find_changes (film);
  g_assert_cmpuint (changes->len, ==, 2);
  const unsigned first = g_array_index (changes, unsigned, 0);
  const unsigned second = g_array_index (changes, unsigned, 1);
  g_assert_cmpuint (first, >=, 3 * RATE);
  g_assert_cmpuint (first, <, 3 * RATE + 10);
  g_assert_cmpuint (second, >, 11 * RATE + 2 * RATE);
  g_assert_cmpuint (second, <, 34 * RATE);
}

/* There is no picture that follows a keyframe and is none. */
static void
test_holds_down_keyframes_only (Film *film, gconstpointer data G_GNUC_UNUSED)
{
  RecEncoderRecipe recipe = make_recipe (REC_FORMAT_H264_AVC, "ultrafast", 1);

  recipe.keyframe_interval_ms = 1;
  film_pictures (film, noise, 8);
  record (film, &recipe);
}

/* Whenever somebody wants one: as a change may follow any. */
static void
test_holds_down_forced_keyframes (Film *film, gconstpointer data G_GNUC_UNUSED)
{
  const RecEncoderRecipe recipe = make_recipe (REC_FORMAT_H264_AVC, "ultrafast", 1);

  film->forces_keyframes = true;
  film_pictures (film, noise, 8);
  record (film, &recipe);
}

static int64_t
count_bits (const Film *film, unsigned from_s, unsigned to_s)
{
  int64_t bits = 0;

  for (unsigned i = from_s * RATE; i < to_s * RATE; i++)
    bits += INT64_C (8) * get_packet (film, i)->data_size;
  return bits;
}

/* So many bits make x264 tell another level than the picture's size does, if it may choose, and a level that it gets from
 * GStreamer bounds them. */
static void
test_uses_what_it_may (Film *film, gconstpointer data G_GNUC_UNUSED)
{
  RecEncoderRecipe recipe = make_recipe (REC_FORMAT_H264_AVC, "ultrafast", 1);
  g_autoptr (GArray) changes = NULL;

  recipe.max_bitrate = 30 * MAX_KBIT_S;
  film_pictures (film, noise, 25);
  record (film, &recipe);
  g_assert_cmpint (count_bits (film, 5, 25), >, INT64_C (1000) * recipe.max_bitrate * 20 * 8 / 10);
  changes = find_changes (film);
  g_assert_cmpuint (changes->len, ==, 1);
}

/* A picture that is none: whoever records is told why, once. */
static void
test_tells_why_it_failed (Film *film, gconstpointer data G_GNUC_UNUSED)
{
  const RecEncoderRecipe recipe = make_recipe (REC_FORMAT_H264_AVC, "ultrafast", 1);

  film_pictures (film, calm, 1);
  for (int i = 0; i < 3; i++) {
    GstBuffer *scrap = gst_buffer_new_allocate (NULL, 10, NULL);
    GST_BUFFER_PTS (scrap) = film->pictures->len * GST_SECOND / RATE;
    g_ptr_array_add (film->pictures, scrap);
  }
  encode (film, &recipe);
  g_assert_cmpuint (film->packets->len, ==, RATE);
  g_assert_cmpuint (film->n_failures, ==, 1);
}

/* Its VBV never lets out more at once than a second allows. */
static void
test_leaves_slow_presets_to_x264 (Film *film, gconstpointer data G_GNUC_UNUSED)
{
  const RecEncoderRecipe recipe = make_recipe (REC_FORMAT_H264_AVC, "superfast", 1);

  film_pictures (film, noise, 8);
  record (film, &recipe);
  for (unsigned i = 0; i < film->packets->len; i++)
    g_assert_cmpuint (8 * get_packet (film, i)->data_size, <, 1000 * MAX_KBIT_S);
}

#define ADD(name, stream, function) g_test_add (name, Film, stream, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("/encoder/stays-calm", NULL, test_stays_calm);
  ADD ("/encoder/holds-a-storm-down", &plain, test_holds_a_storm_down);
  ADD ("/encoder/holds-a-storm-down-with-threads", &threaded, test_holds_a_storm_down);
  ADD ("/encoder/holds-a-storm-down-in-band", &in_band, test_holds_a_storm_down);
  ADD ("/encoder/holds-down-keyframes-only", NULL, test_holds_down_keyframes_only);
  ADD ("/encoder/holds-down-forced-keyframes", NULL, test_holds_down_forced_keyframes);
  ADD ("/encoder/uses-what-it-may", NULL, test_uses_what_it_may);
  ADD ("/encoder/tells-why-it-failed", NULL, test_tells_why_it_failed);
  ADD ("/encoder/leaves-slow-presets-to-x264", NULL, test_leaves_slow_presets_to_x264);
  return g_test_run ();
}
