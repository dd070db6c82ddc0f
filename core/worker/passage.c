/* passage.c - one track's RTP packets -> depayload -> packets as sinks take them. */
#define G_LOG_DOMAIN "rec.worker.passage"
#include "worker/passage.h"

#include "base/error.h"
#include "worker/pipeline.h"
#include "worker/recipe.h"
#include "worker/timeline.h"
#include "worker/track-source.h"
#include "worker/vp9.h"

#include <recto/sink.h>
#include <string.h>

#define KEYFRAME_INTERVAL_US (500 * 1000)
#define RESTART_INTERVAL_NS REC_NS_PER_SECOND
#define OPUS_PRE_SKIP 312 /* samples: libopus looks ahead by 6.5 ms, see track-source.c */

typedef struct Waiting {
  GstBuffer *rtp;
  int64_t pts_ns;
} Waiting;

typedef struct Codec {
  const char *name;
  bool is_video;
  uint32_t codec, format;
  const char *description;
} Codec;

struct RecPassage {
  const Codec *codec;
  char *name;
  GstCaps *caps;
  RecPassageEvents events;
  void *data;
  RecPipeline *pipeline;
  RecPassageFormat format;
  GQueue waiting; /* of Waiting */
  int64_t waiting_bytes;
  bool is_open, needs_keyframe, is_discont, is_noted;
  int64_t resume_ns; /* after a failure */
  int64_t last_request_us;
};

static const Codec codecs[] = {
  { "VP8", true, REC_CODEC_VP8, REC_FORMAT_VP8,
      "rtpvp8depay wait-for-keyframe=true request-keyframe=true" },
  { "VP9", true, REC_CODEC_VP9, REC_FORMAT_VP9,
      "rtpvp9depay wait-for-keyframe=true request-keyframe=true" },
  { "H264", true, REC_CODEC_H264, REC_FORMAT_H264_ANNEXB,
      "rtph264depay wait-for-keyframe=true request-keyframe=true"
      " ! video/x-h264,stream-format=byte-stream,alignment=au ! h264parse config-interval=-1"
      " ! capsfilter caps=video/x-h264,stream-format=byte-stream,alignment=au" },
  { "OPUS", false, REC_CODEC_OPUS, REC_FORMAT_OPUS, "rtpopusdepay" },
};

/* RFC 7845, 5.1: version 1, stereo, pre-skip, 48 kHz, no gain, mapping family 0. */
static const uint8_t opus_head[19] = { 'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 2,
  OPUS_PRE_SKIP & 0xff, OPUS_PRE_SKIP >> 8, 0x80, 0xbb, 0, 0, 0, 0, 0 };

static const Codec *
find_codec (const RecCommand *command)
{
  for (size_t i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (codecs[i].is_video == command->is_video &&
        g_ascii_strcasecmp (codecs[i].name, command->codec) == 0)
      return &codecs[i];
  return NULL;
}

static void
request_keyframe (void *data)
{
  RecPassage *passage = data;
  const int64_t now_us = g_get_monotonic_time ();

  if (!passage->codec->is_video || !passage->is_open ||
      now_us - passage->last_request_us < KEYFRAME_INTERVAL_US)
    return;
  passage->last_request_us = now_us;
  passage->events.keyframe_wanted (passage->data);
}

/* --- output ---------------------------------------------------------------------------------------- */

/* RFC 6386, 9.1: a keyframe begins with a tag of 3 bytes, a start code and 14 bits for each side. */
static void
read_vp8_size (RecPassage *passage, const uint8_t *data, gsize size)
{
  if (size < 10 || data[3] != 0x9d || data[4] != 0x01 || data[5] != 0x2a)
    return;
  passage->format.width = (data[6] | data[7] << 8) & 0x3fff;
  passage->format.height = (data[8] | data[9] << 8) & 0x3fff;
}

static void
read_size (RecPassage *passage, GBytes *bytes, GstCaps *caps)
{
  gsize size;
  const uint8_t *data = g_bytes_get_data (bytes, &size);

  if (passage->codec->format == REC_FORMAT_VP8) {
    read_vp8_size (passage, data, size);
  } else if (passage->codec->format == REC_FORMAT_VP9) {
    rec_vp9_read_size (data, size, &passage->format.width, &passage->format.height);
  } else if (caps != NULL) {
    gst_structure_get_int (gst_caps_get_structure (caps, 0), "width", &passage->format.width);
    gst_structure_get_int (gst_caps_get_structure (caps, 0), "height", &passage->format.height);
  }
}

/* False: a player could not begin with it. */
static bool
check_picture (RecPassage *passage, GBytes *bytes, GstCaps *caps, bool is_key)
{
  if (is_key)
    read_size (passage, bytes, caps);
  if (is_key && passage->format.width > 0 && passage->format.height > 0)
    passage->needs_keyframe = false;
  if (passage->needs_keyframe)
    request_keyframe (passage);
  return !passage->needs_keyframe;
}

static void
on_output (GstBuffer *buffer, GstCaps *caps, int64_t pts_ns, int64_t dts_ns, void *data)
{
  RecPassage *passage = data;
  const bool is_key = !passage->codec->is_video ||
                      !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  const uint32_t flags = (is_key ? REC_PACKET_KEYFRAME : 0) |
                         (GST_BUFFER_IS_DISCONT (buffer) ? REC_PACKET_DISCONT : 0);
  g_autoptr (GBytes) bytes = NULL;
  void *copy;
  gsize size;

  (void) dts_ns;
  if (pts_ns < 0 || gst_buffer_get_size (buffer) == 0)
    return;
  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &copy, &size);
  bytes = g_bytes_new_take (copy, size);
  if (!passage->codec->is_video || check_picture (passage, bytes, caps, is_key))
    passage->events.packet (&passage->format, bytes, pts_ns, flags, passage->data);
}

/* --- life ------------------------------------------------------------------------------------------ */

static bool
start_pipeline (RecPassage *passage, GError **error)
{
  static const RecPipelineEvents events = {
    .output = on_output,
    .keyframe_wanted = request_keyframe,
  };
  const RecPipelineRecipe recipe = {
    .name = passage->name,
    .description = passage->codec->description,
    .caps = passage->caps,
  };

  passage->pipeline = rec_pipeline_new (&recipe, &events, passage, error);
  return passage->pipeline != NULL;
}

RecPassage *
rec_passage_new (const RecCommand *command, const RecPassageEvents *events, void *data)
{
  const Codec *codec = find_codec (command);
  RecPassage *passage;

  if (codec == NULL) {
    g_autofree char *text = g_strdup_printf ("cannot keep track %u of stream '%s': codec '%s' is "
                                             "not known",
        command->track_id, command->stream, command->codec);

    events->note (text, data);
    return NULL;
  }
  passage = g_new0 (RecPassage, 1);
  passage->codec = codec;
  passage->name = g_strdup_printf ("%s of stream '%s'", codec->name, command->stream);
  passage->caps = rec_track_make_caps (codec->name, command->is_video, command->payload_type,
      command->clock_rate, command->fmtp);
  passage->events = *events;
  passage->data = data;
  passage->needs_keyframe = codec->is_video;
  passage->format = (RecPassageFormat){
    .media = codec->is_video ? REC_MEDIA_VIDEO : REC_MEDIA_AUDIO,
    .codec = codec->codec,
    .format = codec->format,
  };
  if (!codec->is_video) {
    passage->format.rate = REC_AUDIO_RATE;
    passage->format.channels = 2;
    passage->format.codec_data = opus_head;
    passage->format.codec_data_size = sizeof opus_head;
    passage->format.codec_delay_ns = rec_timeline_from_samples (OPUS_PRE_SKIP);
  }
  g_queue_init (&passage->waiting);
  return passage;
}

static void
free_waiting (gpointer data)
{
  Waiting *waiting = data;

  gst_clear_buffer (&waiting->rtp);
  g_free (waiting);
}

void
rec_passage_free (RecPassage *passage)
{
  if (passage == NULL)
    return;
  rec_pipeline_free (passage->pipeline);
  g_queue_clear_full (&passage->waiting, free_waiting);
  gst_clear_caps (&passage->caps);
  g_free (passage->name);
  g_free (passage);
}

void
rec_passage_set_open (RecPassage *passage, bool is_open)
{
  if (passage->is_open == is_open)
    return;
  passage->is_open = is_open;
  passage->is_discont = true;
  passage->needs_keyframe = passage->codec->is_video;
  if (is_open)
    request_keyframe (passage);
}

/* --- packets --------------------------------------------------------------------------------------- */

static int64_t
get_cost (GstBuffer *rtp)
{
  return (int64_t) gst_buffer_get_size (rtp) + REC_PACKET_COST;
}

void
rec_passage_push (RecPassage *passage, GstBuffer *rtp, int64_t pts_ns, bool is_discont)
{
  Waiting *waiting;

  waiting = g_new (Waiting, 1);
  *waiting = (Waiting){ gst_buffer_copy (rtp), pts_ns };
  if (is_discont)
    GST_BUFFER_FLAG_SET (waiting->rtp, GST_BUFFER_FLAG_DISCONT);
  GST_BUFFER_PTS (waiting->rtp) = (GstClockTime) pts_ns;
  passage->waiting_bytes += get_cost (waiting->rtp);
  g_queue_push_tail (&passage->waiting, waiting);
}

uint32_t
rec_passage_get_format (const RecPassage *passage)
{
  return passage->format.format;
}

int64_t
rec_passage_get_bytes (const RecPassage *passage)
{
  return passage->waiting_bytes;
}

/* A depayloader that gave up is replaced, at most once a second. */
static void
drop_pipeline (RecPassage *passage, int64_t pts_ns, const GError *cause)
{
  g_autofree char *text = NULL;

  g_clear_pointer (&passage->pipeline, rec_pipeline_free);
  passage->needs_keyframe = passage->codec->is_video;
  passage->resume_ns = pts_ns + RESTART_INTERVAL_NS;
  request_keyframe (passage);
  if (passage->is_noted)
    return;
  passage->is_noted = true;
  text = g_strdup_printf ("%s; it is tried anew every second", cause->message);
  passage->events.note (text, passage->data);
}

static void
hand_on (RecPassage *passage, Waiting *waiting)
{
  g_autoptr (GError) error = NULL;

  if (!passage->is_open)
    return;
  if (passage->is_discont)
    GST_BUFFER_FLAG_SET (waiting->rtp, GST_BUFFER_FLAG_DISCONT);
  passage->is_discont = false;
  if (passage->pipeline == NULL &&
      (waiting->pts_ns < passage->resume_ns || !start_pipeline (passage, &error))) {
    if (error != NULL)
      drop_pipeline (passage, waiting->pts_ns, error);
    return;
  }
  if (!rec_pipeline_push (passage->pipeline, g_steal_pointer (&waiting->rtp), &error))
    drop_pipeline (passage, waiting->pts_ns, error);
}

void
rec_passage_run (RecPassage *passage, int64_t until_ns)
{
  Waiting *waiting;

  while ((waiting = g_queue_peek_head (&passage->waiting)) != NULL && waiting->pts_ns < until_ns) {
    g_queue_pop_head (&passage->waiting);
    passage->waiting_bytes -= get_cost (waiting->rtp);
    hand_on (passage, waiting);
    free_waiting (waiting);
  }
}
