/* track-source.c - decodes one track when the time of its packets comes. */
#define G_LOG_DOMAIN "rec.worker.track"
#include "worker/track-source.h"

#include "base/error.h"
#include "worker/opus-decoder.h"
#include "worker/pipeline.h"
#include "worker/recipe.h"

#include <string.h>

#define KEYFRAME_INTERVAL_US (500 * 1000)
#define NO_PICTURE_US (1000 * 1000)
#define RESTART_INTERVAL_NS REC_NS_PER_SECOND
#define NOTED_FAILURES 5 /* in a row */

typedef struct Waiting {
  GstBuffer *rtp;
  int64_t pts_ns;
} Waiting;

struct RecTrackSource {
  uint32_t id;
  bool is_video;
  char *name;
  const char *description; /* of the pipeline */
  GstCaps *caps;
  int64_t start_ns, max_ms, max_bytes;
  RecKeyframeWanted wanted;
  void *data;

  RecPipeline *pipeline;
  GQueue waiting; /* of Waiting, in the order of arrival */
  int64_t waiting_bytes;
  bool is_discont;     /* the next packet does not follow the last */
  unsigned n_failures; /* of the decoder, since it last made something of its input */
  int64_t restarted_ns, resume_ns;
  char *failure;
  bool is_noted;
  int64_t last_request_us;

  RecPicture picture;
  RecOpusDecoder *opus; /* for what the pipeline hands out; NULL: that is decoded */
  RecAudioQueue *audio;
  RecTrackStats stats;
};

typedef struct Codec {
  const char *name;
  bool is_video;
  const char *description;
  const char *media_type; /* NULL: RTP */
  bool is_opus;           /* the pipeline hands out packets: the rest is opus-decoder.c's */
} Codec;

#define H264_DECODER                                                                               \
  "h264parse ! avdec_h264 max-threads=1 output-corrupt=false qos=false name=decoder"

/* A buffer for each frame, hidden ones too: pipeline.c looks at their sizes before the decoder makes room for them. libvpx
 * would decode whatever else lies behind a frame in its buffer; libavcodec leaves that alone. */
#define VP9_DECODER                                                                                \
  "vp9parse ! video/x-vp9,alignment=frame"                                                         \
  " ! avdec_vp9 max-threads=1 output-corrupt=false qos=false name=decoder"

static const Codec codecs[] = {
  { "VP8", true,
      "rtpvp8depay wait-for-keyframe=true request-keyframe=true ! vp8dec threads=1 qos=false "
      "name=decoder" },
  { "VP9", true, "rtpvp9depay wait-for-keyframe=true request-keyframe=true ! " VP9_DECODER },
  { "H264", true,
      "rtph264depay wait-for-keyframe=true request-keyframe=true"
      " ! video/x-h264,stream-format=byte-stream,alignment=au ! " H264_DECODER },
  { "OPUS", false, "rtpopusdepay", .is_opus = true },
  { REC_CODEC_PAGE_VIDEO, true, H264_DECODER,
      "video/x-h264,stream-format=byte-stream,alignment=au" },
  { REC_CODEC_PAGE_AUDIO, false,
      "audioconvert ! audioresample"
      " ! capsfilter caps=audio/x-raw,format=F32LE,layout=interleaved,rate=48000,channels=2",
      "audio/x-raw,format=S16LE,layout=interleaved,channels=2,channel-mask=(bitmask)0x3" },
};

static const Codec *
find_codec (const char *name, bool is_video)
{
  for (size_t i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (codecs[i].is_video == is_video && g_ascii_strcasecmp (codecs[i].name, name) == 0)
      return &codecs[i];
  return NULL;
}

const char *
rec_track_source_describe (const char *name, bool is_video)
{
  const Codec *codec = find_codec (name, is_video);

  return codec != NULL ? codec->description : NULL;
}

/* --- failures ------------------------------------------------------------------------------------- */

/* One is the network's, several in a row are the sender's. */
static void
note_failure (RecTrackSource *track, const GError *cause, const char *what_now)
{
  if (track->is_noted || ++track->n_failures < NOTED_FAILURES)
    return;
  track->is_noted = true;
  track->failure = g_strdup_printf ("%s; %s", cause->message, what_now);
}

/* --- output of the decoder ----------------------------------------------------------------------- */

static void
take_picture (RecTrackSource *track, GstBuffer *buffer, GstCaps *caps)
{
  GstVideoInfo info;

  if (caps == NULL || !gst_video_info_from_caps (&info, caps))
    return;
  gst_buffer_replace (&track->picture.buffer, buffer);
  track->picture.info = info;
  track->picture.serial++;
}

static void
take_sound (RecTrackSource *track, GstBuffer *buffer, int64_t pts_ns)
{
  GstMapInfo map;

  if (pts_ns < 0 || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  rec_audio_queue_write (track->audio, pts_ns - track->start_ns, (const float *) (void *) map.data,
      (int64_t) (map.size / sizeof (float) / REC_AUDIO_CHANNELS));
  gst_buffer_unmap (buffer, &map);
}

static void
take_packet (RecTrackSource *track, GstBuffer *buffer, int64_t pts_ns)
{
  g_autoptr (GError) error = NULL;
  const float *samples;
  int64_t n_samples;

  if (pts_ns < 0)
    return;
  samples = rec_opus_decoder_decode (track->opus, buffer, &n_samples, &error);
  if (samples == NULL) {
    g_prefix_error (&error, "%s: ", track->name);
    note_failure (track, error, "packets that can be decoded are waited for");
    return;
  }
  track->n_failures = 0;
  rec_audio_queue_write (track->audio, pts_ns - REC_OPUS_LOOKAHEAD_NS - track->start_ns, samples,
      n_samples);
}

static void
on_output (GstBuffer *buffer, GstCaps *caps, int64_t pts_ns, int64_t dts_ns, void *data)
{
  RecTrackSource *track = data;

  (void) dts_ns;
  if (track->opus != NULL) {
    take_packet (track, buffer, pts_ns);
    return;
  }
  track->n_failures = 0;
  if (track->is_video)
    take_picture (track, buffer, caps);
  else
    take_sound (track, buffer, pts_ns);
}

static void
request_keyframe (void *data)
{
  RecTrackSource *track = data;
  const int64_t now_us = g_get_monotonic_time ();

  if (!track->is_video || now_us - track->last_request_us < KEYFRAME_INTERVAL_US)
    return;
  track->last_request_us = now_us;
  track->wanted (track->id, track->data);
}

/* --- life ------------------------------------------------------------------------------------------ */

static bool
start_pipeline (RecTrackSource *track, GError **error)
{
  static const RecPipelineEvents events = {
    .output = on_output,
    .keyframe_wanted = request_keyframe,
  };
  const RecPipelineRecipe recipe = {
    .name = track->name,
    .description = track->description,
    .caps = track->caps,
  };

  g_clear_pointer (&track->pipeline, rec_pipeline_free);
  track->pipeline = rec_pipeline_new (&recipe, &events, track, error);
  return track->pipeline != NULL;
}

/* "a=b;c=d" -> fields of the caps, but never those that say what the packets are. */
static void
add_format_parameters (GstStructure *structure, const char *fmtp)
{
  g_auto (GStrv) parameters = g_strsplit (fmtp != NULL ? fmtp : "", ";", 32);

  for (char **parameter = parameters; *parameter != NULL; parameter++) {
    char *value = strchr (*parameter, '=');
    const char *key = g_strstrip (*parameter);

    if (value == NULL)
      continue;
    *value++ = '\0';
    if (g_regex_match_simple ("^[a-z][a-z0-9-]*$", key, 0, 0) &&
        !gst_structure_has_field (structure, key))
      gst_structure_set (structure, key, G_TYPE_STRING, value, NULL);
  }
}

GstCaps *
rec_track_make_caps (const char *encoding, bool is_video, int payload_type, int clock_rate,
    const char *fmtp)
{
  /* rtpopusdepay takes dynamic payload types only; the number itself means nothing behind the router. */
  GstCaps *caps = gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING,
      is_video ? "video" : "audio", "encoding-name", G_TYPE_STRING, encoding, "payload", G_TYPE_INT,
      MAX (payload_type, 96), "clock-rate", G_TYPE_INT, clock_rate, NULL);

  add_format_parameters (gst_caps_get_structure (caps, 0), fmtp);
  return caps;
}

static GstCaps *
make_caps (const RecTrackRecipe *recipe, const Codec *codec)
{
  GstCaps *caps;

  if (codec->media_type == NULL)
    return rec_track_make_caps (codec->name, recipe->is_video, recipe->payload_type,
        recipe->clock_rate, recipe->fmtp);
  caps = gst_caps_from_string (codec->media_type);
  if (!recipe->is_video)
    gst_caps_set_simple (caps, "rate", G_TYPE_INT, recipe->clock_rate, NULL);
  return caps;
}

RecTrackSource *
rec_track_source_new (const RecTrackRecipe *recipe, RecKeyframeWanted wanted, void *data,
    GError **error)
{
  const Codec *codec = find_codec (recipe->codec, recipe->is_video);
  RecTrackSource *track;

  if (codec == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "cannot record track %u of stream '%s': codec '%s' is not known", recipe->id,
        recipe->stream_id, recipe->codec);
    return NULL;
  }
  track = g_new0 (RecTrackSource, 1);
  track->id = recipe->id;
  track->is_video = recipe->is_video;
  track->name = g_strdup_printf ("%s of stream '%s'", codec->name, recipe->stream_id);
  track->description = codec->description;
  track->caps = make_caps (recipe, codec);
  track->start_ns = recipe->start_ns;
  track->max_ms = recipe->max_ms;
  track->max_bytes = recipe->max_bytes;
  track->wanted = wanted;
  track->data = data;
  track->audio = rec_audio_queue_new ();
  track->opus = codec->is_opus ? rec_opus_decoder_new () : NULL;
  /* The server asks when it attaches the feed; what gets lost after that may be asked for at once. */
  track->last_request_us = g_get_monotonic_time () - KEYFRAME_INTERVAL_US;
  g_queue_init (&track->waiting);

  if (!start_pipeline (track, error)) {
    rec_track_source_free (track);
    return NULL;
  }
  return track;
}

static void
drop_waiting (RecTrackSource *track)
{
  Waiting *waiting;

  while ((waiting = g_queue_pop_head (&track->waiting)) != NULL) {
    gst_buffer_unref (waiting->rtp);
    g_free (waiting);
  }
  track->waiting_bytes = 0;
}

void
rec_track_source_free (RecTrackSource *track)
{
  if (track == NULL)
    return;
  rec_pipeline_free (track->pipeline);
  drop_waiting (track);
  gst_clear_buffer (&track->picture.buffer);
  rec_opus_decoder_free (track->opus);
  rec_audio_queue_free (track->audio);
  gst_clear_caps (&track->caps);
  g_free (track->name);
  g_free (track->failure);
  g_free (track);
}

/* --- packets --------------------------------------------------------------------------------------- */

static int64_t
get_cost (GstBuffer *rtp)
{
  return (int64_t) gst_buffer_get_size (rtp) + REC_PACKET_COST;
}

static bool
is_overfull (RecTrackSource *track, int64_t pts_ns)
{
  const Waiting *oldest = g_queue_peek_head (&track->waiting);

  if (track->max_ms == 0 || oldest == NULL)
    return false;
  return track->waiting_bytes > track->max_bytes ||
         pts_ns - oldest->pts_ns > track->max_ms * REC_NS_PER_MS;
}

void
rec_track_source_push (RecTrackSource *track, GstBuffer *rtp, int64_t pts_ns, bool is_discont)
{
  Waiting *waiting;

  track->stats.packets_in++;
  if (is_overfull (track, pts_ns)) {
    track->stats.packets_dropped += track->waiting.length;
    drop_waiting (track);
    track->is_discont = true;
    request_keyframe (track);
  }
  if (is_discont || track->is_discont) {
    GST_BUFFER_FLAG_SET (rtp, GST_BUFFER_FLAG_DISCONT);
    track->is_discont = false;
  }
  GST_BUFFER_PTS (rtp) = (GstClockTime) pts_ns;

  waiting = g_new (Waiting, 1);
  *waiting = (Waiting){ rtp, pts_ns };
  track->waiting_bytes += get_cost (rtp);
  g_queue_push_tail (&track->waiting, waiting);
}

int64_t
rec_track_source_get_bytes (const RecTrackSource *track)
{
  return track->waiting_bytes;
}

bool
rec_track_source_has_due (RecTrackSource *track, int64_t until_ns)
{
  const Waiting *oldest = g_queue_peek_head (&track->waiting);

  return oldest != NULL && oldest->pts_ns <= until_ns;
}

/* A decoder that gave up is replaced at once, one that keeps doing so once a second: who sends nonsense may mend. */
static void
drop_pipeline (RecTrackSource *track, int64_t pts_ns, const GError *cause)
{
  g_clear_pointer (&track->pipeline, rec_pipeline_free);
  track->resume_ns = MAX (pts_ns, track->restarted_ns + RESTART_INTERVAL_NS);
  request_keyframe (track);
  note_failure (track, cause, "its decoder is tried anew every second");
}

static bool
has_pipeline (RecTrackSource *track, int64_t pts_ns)
{
  const int64_t left_ns = track->resume_ns - pts_ns;
  g_autoptr (GError) error = NULL;

  if (track->pipeline != NULL)
    return true;
  if (left_ns > 0 && left_ns <= RESTART_INTERVAL_NS)
    return false;
  track->restarted_ns = pts_ns;
  if (start_pipeline (track, &error))
    return true;
  drop_pipeline (track, pts_ns, error);
  return false;
}

void
rec_track_source_decode (RecTrackSource *track, int64_t until_ns)
{
  while (rec_track_source_has_due (track, until_ns)) {
    g_autofree Waiting *waiting = g_queue_pop_head (&track->waiting);
    g_autoptr (GError) error = NULL;

    track->waiting_bytes -= get_cost (waiting->rtp);
    if (!has_pipeline (track, waiting->pts_ns)) {
      track->stats.packets_dropped++;
      gst_buffer_unref (waiting->rtp);
    } else if (!rec_pipeline_push (track->pipeline, waiting->rtp, &error)) {
      g_debug ("%s: starting its decoder anew", error->message);
      drop_pipeline (track, waiting->pts_ns, error);
    }
  }
  if (track->is_video && track->picture.buffer == NULL && track->stats.packets_in > 0 &&
      g_get_monotonic_time () - track->last_request_us > NO_PICTURE_US)
    request_keyframe (track);
}

/* --- looking --------------------------------------------------------------------------------------- */

uint32_t
rec_track_source_get_id (const RecTrackSource *track)
{
  return track->id;
}

bool
rec_track_source_is_video (const RecTrackSource *track)
{
  return track->is_video;
}

const RecPicture *
rec_track_source_get_picture (const RecTrackSource *track)
{
  return &track->picture;
}

RecAudioQueue *
rec_track_source_get_audio (RecTrackSource *track)
{
  return track->audio;
}

void
rec_track_source_get_stats (const RecTrackSource *track, RecTrackStats *stats)
{
  *stats = track->stats;
}

char *
rec_track_source_take_failure (RecTrackSource *track)
{
  return g_steal_pointer (&track->failure);
}
