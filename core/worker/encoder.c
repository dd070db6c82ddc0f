/* encoder.c - x264, AAC and Opus with the settings of a recipe. */
#define G_LOG_DOMAIN "rec.worker.encoder"
#include "worker/encoder.h"

#include "base/error.h"
#include "base/lock.h"
#include "worker/bitrate-guard.h"
#include "worker/h264-level.h"
#include "worker/pipeline.h"
#include "worker/timeline.h"

#include <string.h>

#define QUEUE_BUFFERS 16
#define ONE_THREAD_PIXELS (INT64_C (1280) * 720 * 30) /* per second */
/* As good pictures at as many bits, in the mean of somebody before a wall and of pictures in which all moves. */
#define QUANTIZER_BELOW_CRF 1
#define OPUS_HEAD_PRE_SKIP 10 /* offset of the 16-bit pre-skip, RFC 7845 5.1 */

/* x264 chooses by `crf` how coarse each picture gets, for which it shrinks it and guesses its cost: a third of its time
 * with preset ultrafast. A constant quantizer does without, but nothing bounds its bit rate. */
typedef enum {
  BY_RATE_FACTOR,
  BY_CONSTANT_QUANTIZER,
} Quality;

struct RecEncoder {
  RecEncoderRecipe recipe;
  GstCaps *caps; /* of the input */
  uint32_t track_id;
  RecEncoderEvents events;
  void *data;
  RecPipeline *pipeline;
  GThread *thread;
  gint wants_keyframe; /* atomic */

  struct {
    RecLock lock;
    pthread_cond_t changed;
    GQueue queue; /* of GstBuffer */
    bool is_ending;
  } shared;

  struct { /* of the encoder's thread */
    bool has_track, has_failed;
    Quality quality;
    bool keeps_quality; /* since another one could not be had */
    RecBitrateGuard guard;
    unsigned n_keys;      /* that the pipeline was made to give */
    unsigned n_since_key; /* pictures pushed since, and with, the last keyframe */
    GBytes *codec_data;
    int64_t codec_delay_ns;
  } own;
};

/* --- packets --------------------------------------------------------------------------------------- */

RecEncodedPacket *
rec_encoded_packet_new (GBytes *bytes, bool is_video)
{
  RecEncodedPacket *packet = g_atomic_rc_box_new0 (RecEncodedPacket);

  packet->bytes = g_bytes_ref (bytes);
  packet->is_video = is_video;
  return packet;
}

RecEncodedPacket *
rec_encoded_packet_ref (RecEncodedPacket *packet)
{
  return g_atomic_rc_box_acquire (packet);
}

static void
clear_packet (gpointer data)
{
  g_bytes_unref (((RecEncodedPacket *) data)->bytes);
}

void
rec_encoded_packet_unref (RecEncodedPacket *packet)
{
  g_atomic_rc_box_release_full (packet, clear_packet);
}

/* --- recipes --------------------------------------------------------------------------------------- */

bool
rec_encoder_is_video (const RecEncoderRecipe *recipe)
{
  return (recipe->format & (REC_FORMAT_H264_AVC | REC_FORMAT_H264_ANNEXB)) != 0;
}

bool
rec_encoder_recipe_equal (const RecEncoderRecipe *a, const RecEncoderRecipe *b)
{
  if (a->format != b->format)
    return false;
  if (!rec_encoder_is_video (a))
    return a->audio_bitrate == b->audio_bitrate;
  return a->width == b->width && a->height == b->height && a->frame_rate == b->frame_rate &&
         strcmp (a->preset, b->preset) == 0 && a->crf == b->crf &&
         a->max_bitrate == b->max_bitrate && a->keyframe_interval_ms == b->keyframe_interval_ms &&
         a->n_threads == b->n_threads;
}

static bool
is_ultrafast (const RecEncoderRecipe *recipe)
{
  return strcmp (recipe->preset, "ultrafast") == 0;
}

/* A second thread hands over each picture and waits for its rows, which costs more than it gives as long as one is fast
 * enough by far. */
static int
choose_threads (const RecEncoderRecipe *recipe)
{
  const int64_t n_pixels = (int64_t) recipe->width * recipe->height * recipe->frame_rate;

  if (recipe->n_threads > 0)
    return recipe->n_threads;
  if (n_pixels <= ONE_THREAD_PIXELS && is_ultrafast (recipe))
    return 1;
  return (int) CLAMP (g_get_num_processors (), 1, 4);
}

/* Slower presets spread bits within a picture, which a constant quantizer can't. */
static Quality
choose_quality (const RecEncoderRecipe *recipe)
{
  return is_ultrafast (recipe) ? BY_CONSTANT_QUANTIZER : BY_RATE_FACTOR;
}

static char *
describe_quality (const RecEncoderRecipe *recipe, Quality quality)
{
  if (quality == BY_CONSTANT_QUANTIZER) /* 0 would be lossless, which few players know */
    return g_strdup_printf ("pass=quant quantizer=%d", MAX (recipe->crf - QUANTIZER_BELOW_CRF, 1));
  return g_strdup_printf ("pass=qual quantizer=%d bitrate=%d vbv-buf-capacity=1000", recipe->crf,
      recipe->max_bitrate);
}

static unsigned
count_pictures_per_key (const RecEncoderRecipe *recipe)
{
  return (unsigned) MAX (recipe->keyframe_interval_ms * recipe->frame_rate / 1000, 1);
}

/* What the headers say must not depend on the quality, which may change. The level is no limit of the bit rate this way,
 * as it were in the caps. */
static char *
describe_headers (const RecEncoderRecipe *recipe)
{
  if (choose_quality (recipe) != BY_CONSTANT_QUANTIZER)
    return g_strdup ("");
  return g_strdup_printf (" option-string=stitchable=1:level=%s",
      rec_h264_level_choose (recipe->width, recipe->height, recipe->frame_rate,
          recipe->max_bitrate));
}

/* No B-frames and no lookahead: they would hold back what should be on the disk. Frame threads hold back one picture
 * each and cost less quality than slices. */
static char *
describe_video (const RecEncoderRecipe *recipe, Quality quality)
{
  g_autofree char *settings = describe_quality (recipe, quality);
  g_autofree char *headers = describe_headers (recipe);

  return g_strdup_printf (
      "x264enc speed-preset=%s %s key-int-max=%u bframes=0 rc-lookahead=0 sync-lookahead=0"
      " mb-tree=false sliced-threads=false threads=%d qos=false%s"
      " ! capsfilter caps=video/x-h264,stream-format=%s,alignment=au",
      recipe->preset, settings, count_pictures_per_key (recipe), choose_threads (recipe), headers,
      recipe->format == REC_FORMAT_H264_AVC ? "avc" : "byte-stream");
}

static char *
describe_audio (const RecEncoderRecipe *recipe)
{
  if (recipe->format == REC_FORMAT_AAC_RAW)
    return g_strdup_printf ("avenc_aac aac-coder=fast bitrate=%d", recipe->audio_bitrate * 1000);
  return g_strdup_printf ("audioconvert ! opusenc bitrate=%d audio-type=generic",
      recipe->audio_bitrate * 1000);
}

static uint32_t
get_codec (const RecEncoderRecipe *recipe)
{
  if (rec_encoder_is_video (recipe))
    return REC_CODEC_H264;
  return recipe->format == REC_FORMAT_AAC_RAW ? REC_CODEC_AAC : REC_CODEC_OPUS;
}

/* --- output ---------------------------------------------------------------------------------------- */

static GBytes *
dup_codec_data (GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  const GValue *value = gst_structure_get_value (structure, "codec_data");
  GstBuffer *buffer;
  void *copy;
  gsize size;

  if (value == NULL) {
    const GValue *headers = gst_structure_get_value (structure, "streamheader");

    if (headers == NULL || gst_value_array_get_size (headers) == 0)
      return NULL;
    value = gst_value_array_get_value (headers, 0);
  }
  buffer = gst_value_get_buffer (value);
  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &copy, &size);
  return g_bytes_new_take (copy, size);
}

/* AAC LC is late by one frame of 1024 samples; Opus says in its header by how much. */
static int64_t
get_delay_ns (const RecEncoder *encoder)
{
  if (encoder->recipe.format == REC_FORMAT_AAC_RAW)
    return rec_timeline_from_samples (1024);
  if (encoder->recipe.format == REC_FORMAT_OPUS && encoder->own.codec_data != NULL) {
    gsize size;
    const uint8_t *head = g_bytes_get_data (encoder->own.codec_data, &size);

    if (size >= OPUS_HEAD_PRE_SKIP + 2)
      return rec_timeline_from_samples (head[OPUS_HEAD_PRE_SKIP] | head[OPUS_HEAD_PRE_SKIP + 1]
                                                                       << 8);
  }
  return 0;
}

static void
announce_track (RecEncoder *encoder, GstCaps *caps)
{
  const RecEncoderRecipe *recipe = &encoder->recipe;
  const bool is_video = rec_encoder_is_video (recipe);
  gsize size = 0;
  RecTrack track = {
    .size = sizeof track,
    .id = encoder->track_id,
    .media = is_video ? REC_MEDIA_VIDEO : REC_MEDIA_AUDIO,
    .codec = get_codec (recipe),
    .format = recipe->format,
    .width = is_video ? recipe->width : 0,
    .height = is_video ? recipe->height : 0,
    .rate = is_video ? 0 : REC_AUDIO_RATE,
    .channels = is_video ? 0 : 2,
  };

  encoder->own.has_track = true;
  if (recipe->format != REC_FORMAT_H264_ANNEXB)
    encoder->own.codec_data = dup_codec_data (caps);
  if (encoder->own.codec_data != NULL)
    track.codec_data = g_bytes_get_data (encoder->own.codec_data, &size);
  track.codec_data_size = (uint32_t) size;
  encoder->own.codec_delay_ns = track.codec_delay_ns = get_delay_ns (encoder);
  encoder->events.track (encoder, &track, encoder->data);
}

static GBytes *
take_bytes (GstBuffer *buffer)
{
  void *copy;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &copy, &size);
  return g_bytes_new_take (copy, size);
}

static void
on_output (GstBuffer *buffer, GstCaps *caps, int64_t pts_ns, int64_t dts_ns, void *data)
{
  RecEncoder *encoder = data;
  const bool is_key = !rec_encoder_is_video (&encoder->recipe) ||
                      !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  RecEncodedPacket *packet;
  gsize size;

  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER) && !is_key)
    return;
  if (!encoder->own.has_track)
    announce_track (encoder, caps);

  packet = g_atomic_rc_box_new0 (RecEncodedPacket);
  packet->bytes = take_bytes (buffer);
  packet->is_video = rec_encoder_is_video (&encoder->recipe);
  packet->packet = (RecPacket){
    .size = sizeof (RecPacket),
    .track_id = encoder->track_id,
    .flags = is_key ? REC_PACKET_KEYFRAME : 0,
    .pts_ns = pts_ns,
    .dts_ns = dts_ns,
    .duration_ns = GST_BUFFER_DURATION_IS_VALID (buffer) ? (int64_t) GST_BUFFER_DURATION (buffer)
                                                         : 0,
  };
  packet->packet.data = g_bytes_get_data (packet->bytes, &size);
  packet->packet.data_size = (uint32_t) size;
  if (packet->is_video)
    rec_bitrate_guard_note (&encoder->own.guard, pts_ns, size);
  encoder->events.packet (encoder, packet, encoder->data);
  rec_encoded_packet_unref (packet);
}

/* --- what makes packets ---------------------------------------------------------------------------- */

static RecPipeline *
make_pipeline (RecEncoder *encoder, Quality quality, GError **error)
{
  static const RecPipelineEvents events = { .output = on_output };
  const RecEncoderRecipe *recipe = &encoder->recipe;
  const bool is_video = rec_encoder_is_video (recipe);
  g_autofree char *description = is_video ? describe_video (recipe, quality)
                                          : describe_audio (recipe);
  const RecPipelineRecipe pipeline = {
    .name = is_video ? "video encoder" : "audio encoder",
    .description = description,
    .caps = encoder->caps,
  };

  return rec_pipeline_new (&pipeline, &events, encoder, error);
}

/* A pipeline's keyframes are numbered 0, 1, 0, 1, ...: its first one must not follow a 0 at once, as a decoder takes two
 * of the same number in a row for one picture. */
static bool
may_begin_anew (const RecEncoder *encoder)
{
  return encoder->own.n_since_key > 1 || encoder->own.n_keys % 2 == 0;
}

static Quality
find_quality (const RecEncoder *encoder)
{
  if (encoder->own.keeps_quality)
    return encoder->own.quality;
  return rec_bitrate_guard_is_over (&encoder->own.guard) ? BY_RATE_FACTOR
                                                         : choose_quality (&encoder->recipe);
}

/* What the last pipeline holds comes out first. Without a next one it goes on as it was. */
static bool
change_quality (RecEncoder *encoder, Quality quality, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (RecPipeline) last = NULL;
  RecPipeline *next = make_pipeline (encoder, quality, &reason);

  if (next == NULL) {
    g_warning ("the picture goes on as it was, whatever its bit rate: %s", reason->message);
    encoder->own.keeps_quality = true;
    return true;
  }
  g_info ("the picture is %s %d kbit/s", quality == BY_RATE_FACTOR ? "held to" : "again far below",
      encoder->recipe.max_bitrate);
  last = encoder->pipeline;
  encoder->pipeline = next;
  encoder->own.quality = quality;
  encoder->own.n_keys = encoder->own.n_since_key = 0;
  return rec_pipeline_finish (last, error);
}

static void
count_picture (RecEncoder *encoder, bool is_forced)
{
  if (is_forced || encoder->own.n_since_key % count_pictures_per_key (&encoder->recipe) == 0) {
    encoder->own.n_keys++;
    encoder->own.n_since_key = 0;
  }
  encoder->own.n_since_key++;
}

static bool
prepare_picture (RecEncoder *encoder, GError **error)
{
  const Quality quality = find_quality (encoder);

  if (quality != encoder->own.quality && may_begin_anew (encoder) &&
      !change_quality (encoder, quality, error))
    return false;
  const bool is_forced = g_atomic_int_compare_and_exchange (&encoder->wants_keyframe, 1, 0);
  if (is_forced)
    rec_pipeline_force_keyframe (encoder->pipeline);
  count_picture (encoder, is_forced);
  return true;
}

/* Takes the buffer. */
static bool
encode (RecEncoder *encoder, GstBuffer *buffer, GError **error)
{
  if (!rec_encoder_is_video (&encoder->recipe) || prepare_picture (encoder, error))
    return rec_pipeline_push (encoder->pipeline, buffer, error);
  gst_buffer_unref (buffer);
  return false;
}

/* --- the thread ------------------------------------------------------------------------------------ */

/* NULL: the end. */
static GstBuffer *
wait_for_input (RecEncoder *encoder)
{
  REC_LOCKED (&encoder->shared.lock);
  GstBuffer *buffer;

  while (encoder->shared.queue.length == 0 && !encoder->shared.is_ending)
    pthread_cond_wait (&encoder->shared.changed, &encoder->shared.lock);
  buffer = g_queue_pop_head (&encoder->shared.queue);
  pthread_cond_broadcast (&encoder->shared.changed);
  return buffer;
}

/* The first time; what comes afterwards is dropped. */
static void
fail (RecEncoder *encoder, const GError *error)
{
  encoder->own.has_failed = true;
  encoder->events.failed (encoder, error, encoder->data);
}

static gpointer
run (gpointer data)
{
  RecEncoder *encoder = data;
  g_autoptr (GError) last_error = NULL;
  GstBuffer *buffer;

  while ((buffer = wait_for_input (encoder)) != NULL) {
    g_autoptr (GError) error = NULL;

    if (encoder->own.has_failed)
      gst_buffer_unref (buffer);
    else if (!encode (encoder, buffer, &error))
      fail (encoder, error);
  }
  if (!encoder->own.has_failed && !rec_pipeline_finish (encoder->pipeline, &last_error))
    fail (encoder, last_error);
  return NULL;
}

/* --- life ------------------------------------------------------------------------------------------ */

RecEncoder *
rec_encoder_new (const RecEncoderRecipe *recipe, GstCaps *caps, uint32_t track_id,
    const RecEncoderEvents *events, void *data, GError **error)
{
  RecEncoder *encoder = g_new0 (RecEncoder, 1);

  encoder->recipe = *recipe;
  encoder->caps = gst_caps_ref (caps);
  encoder->own.quality = choose_quality (recipe);
  rec_bitrate_guard_init (&encoder->own.guard, recipe->max_bitrate);
  encoder->track_id = track_id;
  encoder->events = *events;
  encoder->data = data;
  rec_lock_init (&encoder->shared.lock);
  pthread_cond_init (&encoder->shared.changed, NULL);
  g_queue_init (&encoder->shared.queue);
  encoder->pipeline = make_pipeline (encoder, encoder->own.quality, error);
  if (encoder->pipeline == NULL) {
    rec_encoder_free (encoder);
    return NULL;
  }
  encoder->thread = g_thread_new ("encoder", run, encoder);
  return encoder;
}

void
rec_encoder_push (RecEncoder *encoder, GstBuffer *buffer)
{
  REC_LOCKED (&encoder->shared.lock);

  while (encoder->shared.queue.length >= QUEUE_BUFFERS)
    pthread_cond_wait (&encoder->shared.changed, &encoder->shared.lock);
  g_queue_push_tail (&encoder->shared.queue, buffer);
  pthread_cond_broadcast (&encoder->shared.changed);
}

void
rec_encoder_finish (RecEncoder *encoder)
{
  if (encoder->thread == NULL)
    return;
  {
    REC_LOCKED (&encoder->shared.lock);
    encoder->shared.is_ending = true;
    pthread_cond_broadcast (&encoder->shared.changed);
  }
  g_thread_join (g_steal_pointer (&encoder->thread));
}

void
rec_encoder_force_keyframe (RecEncoder *encoder)
{
  g_atomic_int_set (&encoder->wants_keyframe, 1);
}

void
rec_encoder_free (RecEncoder *encoder)
{
  if (encoder == NULL)
    return;
  rec_encoder_finish (encoder);
  rec_pipeline_free (encoder->pipeline);
  pthread_cond_destroy (&encoder->shared.changed);
  rec_lock_clear (&encoder->shared.lock);
  g_clear_pointer (&encoder->own.codec_data, g_bytes_unref);
  gst_caps_unref (encoder->caps);
  g_free (encoder);
}
