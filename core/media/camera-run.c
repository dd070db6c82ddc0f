/* camera-run.c - one connection to an IP camera: rtspsrc, repacked for browsers, into a publisher. */
#define G_LOG_DOMAIN "rec.media.camera"
#include "media/camera-run.h"

#include <gio/gio.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/rtsp/rtsp.h>
#include <gst/sdp/sdp.h>
#include <string.h>

#include "base/lock.h"

#define MAX_QUEUED_SAMPLES 500
#define N_KINDS 2 /* audio, video */
#define NO_PICTURE "it sends no H.264 or VP8 picture"

/* What a camera may send and what becomes of it. The server decodes nothing but G.711, which is a table's work.
 * Parameter sets go in front of every keyframe: whoever comes later has seen no other. */
static const struct {
  const char *encoding;
  RecTrackFormat format;
  const char *elements;
} recipes[] = {
  { "H264", { REC_TRACK_VIDEO, "H264", 96, 90000, "" },
      "rtph264depay ! h264parse ! rtph264pay pt=96 mtu=1200 config-interval=-1 "
      "aggregate-mode=zero-latency" },
  { "VP8", { REC_TRACK_VIDEO, "VP8", 97, 90000, "" },
      "rtpvp8depay ! rtpvp8pay pt=97 mtu=1200 picture-id-mode=15-bit" },
  { "OPUS", { REC_TRACK_AUDIO, "OPUS", 98, 48000, "" }, "rtpopusdepay ! rtpopuspay pt=98" },
  { "PCMU", { REC_TRACK_AUDIO, "OPUS", 98, 48000, "" },
      "rtppcmudepay ! mulawdec ! audioconvert ! audioresample ! opusenc ! rtpopuspay pt=98" },
  { "PCMA", { REC_TRACK_AUDIO, "OPUS", 98, 48000, "" },
      "rtppcmadepay ! alawdec ! audioconvert ! audioresample ! opusenc ! rtpopuspay pt=98" },
};

typedef struct {
  RecCameraRun *run;
  RecTrackFormat format; /* of what we make of it; kind INVALID: none */
  bool is_selected;
} Track;

struct RecCameraRun {
  gatomicrefcount references;
  gint *n_runs; /* borrowed, atomic */
  GThreadPool *pool;
  GUri *uri;
  char *address;
  int64_t base_time_ns;
  int timeout_ms, cache_ms;
  bool is_fixed; /* to the codecs of the tracks */
  const RecCameraRunEvents *events;
  void *data;
  bool is_over;          /* [main] */
  RecLock pipeline_lock; /* guards the next two */
  bool is_stopped;
  GstElement *pipeline;
  RecLock lock; /* guards the rest; no call goes out with it held */
  char wanted_codecs[N_KINDS][16];
  Track tracks[N_KINDS];
  unsigned n_unseen; /* tracks that it offers */
  RecPublisher *publisher;
  RecTrackFormat told[N_KINDS]; /* [main] */
  int64_t activity_us;          /* atomic */
  gint has_video;               /* atomic */
};

typedef struct {
  RecCameraRun *run;
  bool stops;
} Job;

typedef struct {
  RecCameraRun *run;
  char *why; /* NULL: ready */
} News;

static unsigned
index_of (RecTrackKind kind)
{
  return kind == REC_TRACK_AUDIO ? 0 : 1;
}

static RecCameraRun *
ref_run (RecCameraRun *run)
{
  g_atomic_ref_count_inc (&run->references);
  return run;
}

static void
unref_run (RecCameraRun *run)
{
  if (!g_atomic_ref_count_dec (&run->references))
    return;
  g_clear_object (&run->pipeline);
  rec_publisher_unref (run->publisher);
  rec_lock_clear (&run->pipeline_lock);
  rec_lock_clear (&run->lock);
  g_uri_unref (run->uri);
  g_free (run->address);
  g_atomic_int_dec_and_test (run->n_runs);
  g_free (run);
}

/* --- news for the main thread -------------------------------------------------------------------------------- */

static void
free_news (void *data)
{
  News *news = data;

  unref_run (news->run);
  g_free (news->why);
  g_free (news);
}

static gboolean
deliver (void *data)
{
  News *news = data;
  RecCameraRun *run = news->run;

  if (run->is_over)
    return G_SOURCE_REMOVE;
  if (news->why != NULL)
    run->events->failed (news->why, run->data);
  else
    run->events->ready (run->data);
  return G_SOURCE_REMOVE;
}

static void
tell (RecCameraRun *run, const char *why)
{
  News *news = g_new0 (News, 1);

  news->run = ref_run (run);
  news->why = g_strdup (why);
  g_idle_add_full (G_PRIORITY_DEFAULT, deliver, news, free_news);
}

/* --- [streaming] packets ---------------------------------------------------------------------------------------- */

static RecPublisher *
ref_publisher (RecCameraRun *run)
{
  REC_LOCKED (&run->lock);

  return run->publisher != NULL ? rec_publisher_ref (run->publisher) : NULL;
}

/* By the camera's own time: even where packets come in bursts. */
static int64_t
get_pts_ns (const RecCameraRun *run, GstSample *sample)
{
  const GstSegment *segment = gst_sample_get_segment (sample);
  GstClockTime pts = GST_BUFFER_PTS (gst_sample_get_buffer (sample));
  GstClockTime time = GST_CLOCK_TIME_NONE;

  if (GST_CLOCK_TIME_IS_VALID (pts) && segment->format == GST_FORMAT_TIME)
    time = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  return GST_CLOCK_TIME_IS_VALID (time) ? run->base_time_ns + (int64_t) time
                                        : g_get_monotonic_time () * 1000;
}

static GstFlowReturn
on_sample (GstAppSink *sink, void *data)
{
  const Track *track = data;
  RecCameraRun *run = track->run;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer = sample != NULL ? gst_sample_get_buffer (sample) : NULL;
  RecPublisher *publisher;
  GstMapInfo map;

  if (buffer == NULL || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return GST_FLOW_OK;
  __atomic_store_n (&run->activity_us, g_get_monotonic_time (), __ATOMIC_RELAXED);
  publisher = ref_publisher (run);
  if (publisher != NULL)
    rec_publisher_take (publisher, track->format.kind, map.data, map.size,
        get_pts_ns (run, sample));
  rec_publisher_unref (publisher);
  gst_buffer_unmap (buffer, &map);
  return GST_FLOW_OK;
}

/* --- [streaming] tracks ------------------------------------------------------------------------------------------- */

static int
find_recipe (const GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  const char *encoding = gst_structure_get_string (structure, "encoding-name");

  for (unsigned i = 0; encoding != NULL && i < G_N_ELEMENTS (recipes); i++)
    if (g_ascii_strcasecmp (recipes[i].encoding, encoding) == 0)
      return (int) i;
  return -1;
}

/* Of a camera that says what it is, or else what every browser takes. */
static void
describe_h264 (const GstCaps *caps, RecTrackFormat *format)
{
  const char *level =
      gst_structure_get_string (gst_caps_get_structure (caps, 0), "profile-level-id");

  if (level == NULL || strlen (level) != 6 || strspn (level, "0123456789abcdefABCDEF") != 6)
    level = "42e01f";
  g_snprintf (format->fmtp, sizeof format->fmtp,
      "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=%s", level);
}

static void
on_sdp (GstElement *source, GstSDPMessage *sdp, RecCameraRun *run)
{
  REC_LOCKED (&run->lock);

  (void) source;
  run->n_unseen = gst_sdp_message_medias_len (sdp);
}

/* It would connect to nothing and wait. */
static void
note_seen (RecCameraRun *run)
{
  bool is_useless;

  {
    REC_LOCKED (&run->lock);
    is_useless = --run->n_unseen == 0 && !run->tracks[index_of (REC_TRACK_VIDEO)].is_selected;
  }
  if (is_useless)
    tell (run, NO_PICTURE);
}

/* The first of each kind that we understand; after a reconnection only what was there before. */
static bool
choose (GstCaps *caps, RecCameraRun *run)
{
  const int recipe = find_recipe (caps);
  RecTrackKind kind = recipe < 0 ? REC_TRACK_INVALID : recipes[recipe].format.kind;
  g_autofree char *text = gst_caps_to_string (caps);

  if (kind != REC_TRACK_INVALID) {
    REC_LOCKED (&run->lock);
    Track *track = &run->tracks[index_of (kind)];
    const char *wanted = run->wanted_codecs[index_of (kind)];
    if (!track->is_selected &&
        (!run->is_fixed || strcmp (wanted, recipes[recipe].format.codec) == 0)) {
      track->is_selected = true;
      return TRUE;
    }
  }
  g_message ("leaving out a track of an IP camera that browsers don't understand, or one too many: "
             "%.200s",
      text);
  return FALSE;
}

static gboolean
on_select_stream (GstElement *source, guint number, GstCaps *caps, RecCameraRun *run)
{
  bool is_chosen = choose (caps, run);

  (void) source;
  (void) number;
  note_seen (run);
  return is_chosen;
}

static GstElement *
make_sink (Track *track)
{
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  GstElement *sink = gst_element_factory_make ("appsink", NULL);

  g_object_set (sink, "sync", FALSE, "async", FALSE, "drop", TRUE, "max-buffers",
      MAX_QUEUED_SAMPLES, "enable-last-sample", FALSE, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, track, NULL);
  return sink;
}

static bool
link_track (RecCameraRun *run, Track *track, GstPad *pad, const char *elements)
{
  g_autoptr (GError) error = NULL;
  GstElement *bin = gst_parse_bin_from_description (elements, TRUE, &error);
  GstElement *pipeline = run->pipeline, *sink;

  if (bin == NULL) {
    g_warning ("an element for IP cameras is missing: %s", error->message);
    return false;
  }
  sink = make_sink (track);
  gst_bin_add_many (GST_BIN (pipeline), bin, sink, NULL);
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (bin, "sink");
  bool is_linked = gst_element_link (bin, sink) && gst_pad_link (pad, sink_pad) == GST_PAD_LINK_OK;
  gst_element_sync_state_with_parent (sink);
  gst_element_sync_state_with_parent (bin);
  return is_linked;
}

static void
on_pad_added (GstElement *source, GstPad *pad, RecCameraRun *run)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const int recipe = caps != NULL ? find_recipe (caps) : -1;

  (void) source;
  if (recipe < 0)
    return;
  RecTrackFormat format = recipes[recipe].format;
  Track *track = &run->tracks[index_of (format.kind)];
  if (strcmp (format.codec, "H264") == 0)
    describe_h264 (caps, &format);
  {
    REC_LOCKED (&run->lock);
    if (track->format.kind != REC_TRACK_INVALID)
      return;
    track->format = format;
  }
  if (!link_track (run, track, pad, recipes[recipe].elements))
    tell (run, "what it sends can't be unpacked");
  else if (format.kind == REC_TRACK_VIDEO)
    g_atomic_int_set (&run->has_video, 1);
}

static void
on_no_more_pads (GstElement *source, RecCameraRun *run)
{
  (void) source;
  tell (run, g_atomic_int_get (&run->has_video) ? NULL : NO_PICTURE);
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, void *data)
{
  RecCameraRun *run = data;

  (void) bus;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) reason = NULL;
    g_autofree char *details = NULL;

    /* Details may show the address with its password. */
    gst_message_parse_error (message, &reason, &details);
    tell (run, reason->message);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS) {
    tell (run, "it ended its stream");
  }
  gst_message_unref (message); /* a message that is dropped is ours */
  return GST_BUS_DROP;
}

/* --- [pool] the pipeline -------------------------------------------------------------------------------------------- */

/* Without user and password, which are given apart: it shows up in messages. */
static char *
dup_location (const RecCameraRun *run)
{
  GUri *uri = run->uri;
  const char *host = run->address != NULL ? run->address : g_uri_get_host (uri);

  return g_uri_join (REC_CAMERA_URI_FLAGS, g_uri_get_scheme (uri), NULL, host, g_uri_get_port (uri),
      g_uri_get_path (uri), g_uri_get_query (uri), NULL);
}

/* Of a camera whose address was looked up, the certificate still has to bear the name. */
static gboolean
on_accept_certificate (GstElement *source G_GNUC_UNUSED, GTlsConnection *connection G_GNUC_UNUSED,
    GTlsCertificate *certificate, GTlsCertificateFlags errors, RecCameraRun *run)
{
  if (run->address == NULL || errors != G_TLS_CERTIFICATE_BAD_IDENTITY)
    return FALSE;
  g_autoptr (GSocketConnectable) name = g_network_address_new (g_uri_get_host (run->uri), 0);
  return (g_tls_certificate_verify (certificate, name, NULL) & G_TLS_CERTIFICATE_BAD_IDENTITY) == 0;
}

static void
set_user (GstElement *source, const RecCameraRun *run)
{
  const char *user = g_uri_get_user (run->uri), *password = g_uri_get_password (run->uri);

  if (user != NULL && *user != '\0')
    g_object_set (source, "user-id", user, "user-pw", password != NULL ? password : "", NULL);
}

/* Over TCP alone: nothing is lost on the way, no port of ours is open, and firewalls let it through. */
static GstElement *
make_source (RecCameraRun *run)
{
  GstElement *source = gst_element_factory_make ("rtspsrc", NULL);
  g_autofree char *location = dup_location (run);

  if (source == NULL)
    return NULL;
  g_object_set (source, "location", location, "protocols",
      GST_RTSP_LOWER_TRANS_TCP | GST_RTSP_LOWER_TRANS_TLS, "latency", (guint) run->cache_ms,
      "tcp-timeout", (guint64) run->timeout_ms * 1000, "user-agent", "Recto", NULL);
  set_user (source, run);
  g_signal_connect (source, "accept-certificate", G_CALLBACK (on_accept_certificate), run);
  g_signal_connect (source, "on-sdp", G_CALLBACK (on_sdp), run);
  g_signal_connect (source, "select-stream", G_CALLBACK (on_select_stream), run);
  g_signal_connect (source, "pad-added", G_CALLBACK (on_pad_added), run);
  g_signal_connect (source, "no-more-pads", G_CALLBACK (on_no_more_pads), run);
  return source;
}

static void
start (RecCameraRun *run)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  GstElement *source = make_source (run);

  if (source == NULL) {
    tell (run, "GStreamer's rtspsrc is missing: install gstreamer1.0-plugins-good");
    return;
  }
  run->pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  gst_bin_add (GST_BIN (run->pipeline), source);
  g_autoptr (GstBus) bus = gst_element_get_bus (run->pipeline);
  gst_bus_set_sync_handler (bus, on_message, run, NULL);
  gst_pipeline_use_clock (GST_PIPELINE (run->pipeline), clock);
  gst_element_set_start_time (run->pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (run->pipeline, (GstClockTime) run->base_time_ns);
  if (gst_element_set_state (run->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    tell (run, "its pipeline can't be started");
}

static void
stop (RecCameraRun *run)
{
  g_autoptr (GstBus) bus = NULL;

  run->is_stopped = true;
  if (run->pipeline == NULL)
    return;
  gst_element_set_state (run->pipeline, GST_STATE_NULL);
  bus = gst_element_get_bus (run->pipeline);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
}

void
rec_camera_run_job (void *data, void *user_data)
{
  Job *job = data;
  RecCameraRun *run = job->run;

  (void) user_data;
  {
    REC_LOCKED (&run->pipeline_lock);
    if (job->stops)
      stop (run);
    else if (!run->is_stopped)
      start (run);
  }
  unref_run (run);
  g_free (job);
}

static void
push_job (RecCameraRun *run, bool stops)
{
  Job *job = g_new0 (Job, 1);

  job->run = ref_run (run);
  job->stops = stops;
  g_thread_pool_push (run->pool, job, NULL);
}

/* --- [main] ------------------------------------------------------------------------------------------------------------ */

RecCameraRun *
rec_camera_run_new (GThreadPool *pool, gint *n_runs, const RecCameraRunRequest *request,
    const RecCameraRunEvents *events, void *data)
{
  RecCameraRun *run = g_new0 (RecCameraRun, 1);

  g_atomic_ref_count_init (&run->references);
  run->pool = pool;
  run->n_runs = n_runs;
  g_atomic_int_inc (n_runs);
  run->uri = g_uri_ref ((GUri *) request->uri);
  run->address = g_strdup (request->address);
  run->base_time_ns = request->base_time_ns;
  run->cache_ms = request->cache_ms;
  run->timeout_ms = request->timeout_ms;
  run->events = events;
  run->data = data;
  run->activity_us = g_get_monotonic_time ();
  run->is_fixed = request->formats != NULL;
  for (unsigned i = 0; i < N_KINDS; i++) {
    run->tracks[i].run = run;
    if (run->is_fixed)
      g_strlcpy (run->wanted_codecs[i], request->formats[i].codec, sizeof run->wanted_codecs[i]);
  }
  rec_lock_init (&run->lock);
  rec_lock_init (&run->pipeline_lock);
  push_job (run, false);
  return run;
}

void
rec_camera_run_stop (RecCameraRun *run)
{
  if (run == NULL)
    return;
  run->is_over = true;
  rec_camera_run_set_publisher (run, NULL);
  push_job (run, true);
  unref_run (run);
}

void
rec_camera_run_set_publisher (RecCameraRun *run, RecPublisher *publisher)
{
  RecPublisher *before;

  {
    REC_LOCKED (&run->lock);
    before = run->publisher;
    run->publisher = publisher != NULL ? rec_publisher_ref (publisher) : NULL;
  }
  rec_publisher_unref (before);
}

const RecTrackFormat *
rec_camera_run_get_formats (RecCameraRun *run)
{
  REC_LOCKED (&run->lock);

  for (unsigned i = 0; i < N_KINDS; i++)
    run->told[i] = run->tracks[i].format;
  return run->told;
}

bool
rec_camera_run_has_video (RecCameraRun *run)
{
  return g_atomic_int_get (&run->has_video) != 0;
}

int64_t
rec_camera_run_get_activity_us (RecCameraRun *run)
{
  return __atomic_load_n (&run->activity_us, __ATOMIC_RELAXED);
}
