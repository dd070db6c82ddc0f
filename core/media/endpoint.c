/* endpoint.c - one pipeline with one webrtcbin: negotiation, packets in, packets out. */
#define G_LOG_DOMAIN "rec.media.endpoint"
#include "media/endpoint.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <gst/webrtc/webrtc.h>
#include <string.h>

#include "base/error.h"
#include "media/rtp-tuning.h"
#include "media/webrtc-call.h"

#define URI_MID "urn:ietf:params:rtp-hdrext:sdes:mid"
#define URI_TWCC "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
#define MAX_QUEUED_SAMPLES 500

typedef struct {
  RecEndpoint *endpoint;
  unsigned index;
  uint32_t ssrc;      /* of what we send */
  GstElement *appsrc; /* of what we send */
  GstPad *pad;        /* of what we receive; appears with the first packet, atomic */
} Track;

struct RecEndpoint {
  const RecEndpointSettings *settings;
  const RecSdpOffer *offer;
  const char *msid;
  const RecEndpointEvents *events;
  void *data;
  GstElement *pipeline, *webrtc;
  Track tracks[REC_SDP_MAX_TRACKS];
  int64_t activity_us; /* atomic */
  gint has_connected;  /* atomic */
};

RecEndpoint *
rec_endpoint_new (const RecEndpointSettings *settings, const RecSdpOffer *offer, const char *msid,
    const RecEndpointEvents *events, void *data)
{
  RecEndpoint *endpoint = g_new0 (RecEndpoint, 1);

  endpoint->settings = settings;
  endpoint->offer = offer;
  endpoint->msid = msid;
  endpoint->events = events;
  endpoint->data = data;
  endpoint->activity_us = g_get_monotonic_time ();
  for (unsigned i = 0; i < REC_SDP_MAX_TRACKS; i++)
    endpoint->tracks[i] = (Track){ .endpoint = endpoint, .index = i };
  return endpoint;
}

void
rec_endpoint_free (RecEndpoint *endpoint)
{
  if (endpoint == NULL)
    return;
  for (unsigned i = 0; i < REC_SDP_MAX_TRACKS; i++)
    g_clear_object (&endpoint->tracks[i].pad);
  g_clear_object (&endpoint->pipeline);
  g_free (endpoint);
}

/* --- events of the pipeline ------------------------------------------------------------------------------- */

static void
on_candidate (GstElement *webrtc, guint mline_index, const char *candidate, RecEndpoint *endpoint)
{
  (void) webrtc;
  (void) mline_index;
  endpoint->events->candidate (candidate, endpoint->data);
}

static void
on_gathering_state (GstElement *webrtc, GParamSpec *spec, RecEndpoint *endpoint)
{
  GstWebRTCICEGatheringState state;

  (void) spec;
  g_object_get (webrtc, "ice-gathering-state", &state, NULL);
  if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    endpoint->events->gathered (endpoint->data);
}

static void
on_connection_state (GstElement *webrtc, GParamSpec *spec, RecEndpoint *endpoint)
{
  GstWebRTCPeerConnectionState state;

  (void) spec;
  g_object_get (webrtc, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) {
    if (g_atomic_int_compare_and_exchange (&endpoint->has_connected, 0, 1))
      endpoint->events->connected (endpoint->data);
  } else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED) {
    endpoint->events->failed ("its transport failed", endpoint->data);
  }
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, void *data)
{
  RecEndpoint *endpoint = data;

  (void) bus;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_LATENCY) {
    endpoint->events->latency_changed (endpoint->data);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) reason = NULL;
    g_autofree char *details = NULL;

    gst_message_parse_error (message, &reason, &details);
    g_debug ("%s: %s (%s)", GST_OBJECT_NAME (message->src), reason->message, details);
    endpoint->events->failed (reason->message, endpoint->data);
  }
  gst_message_unref (message); /* a message that is dropped is ours */
  return GST_BUS_DROP;
}

static GstPadProbeReturn
on_network (GstPad *pad, GstPadProbeInfo *info, void *data)
{
  RecEndpoint *endpoint = data;

  (void) pad;
  (void) info;
  __atomic_store_n (&endpoint->activity_us, g_get_monotonic_time (), __ATOMIC_RELAXED);
  return GST_PAD_PROBE_OK;
}

static void
watch_network (RecEndpoint *endpoint, GstElement *nicesrc)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (nicesrc, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_network,
      endpoint, NULL);
}

/* What joins our tracks on their way to the session hides from it which clock each has. It would ask in the middle of
 * its first report, without its lock, and a source that came meanwhile would spoil the report. */
static GstPadProbeReturn
tell_clock_rates (GstPad *pad, GstPadProbeInfo *info, void *data)
{
  const RecEndpoint *endpoint = data;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_pad_remove_probe (pad, GST_PAD_PROBE_INFO_ID (info));
  for (unsigned i = 0; i < endpoint->offer->n_tracks; i++) {
    g_autoptr (GstCaps) caps = NULL;

    if (endpoint->tracks[i].appsrc == NULL)
      continue;
    g_object_get (endpoint->tracks[i].appsrc, "caps", &caps, NULL);
    gst_pad_send_event (pad, gst_event_new_caps (caps));
  }
  return GST_PAD_PROBE_OK;
}

static void
on_session_pad (GstElement *rtpsession, GstPad *pad, RecEndpoint *endpoint)
{
  (void) rtpsession;
  if (strcmp (GST_OBJECT_NAME (pad), "send_rtp_sink") == 0)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, tell_clock_rates, endpoint, NULL);
}

static void
on_element_added (GstBin *bin, GstBin *sub_bin, GstElement *element, RecEndpoint *endpoint)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const char *name = factory != NULL ? GST_OBJECT_NAME (factory) : "";

  (void) bin;
  (void) sub_bin;
  if (strcmp (name, "nicesrc") == 0)
    watch_network (endpoint, element);
  else if (strcmp (name, "rtpsession") == 0) {
    rec_rtp_tune_session (element, endpoint->offer->tracks[0].is_received);
    g_signal_connect (element, "pad-added", G_CALLBACK (on_session_pad), endpoint);
  } else if (strcmp (name, "rtpjitterbuffer") == 0)
    rec_rtp_tune_jitter_buffer (element);
}

/* --- receiving ---------------------------------------------------------------------------------------------- */

static GstFlowReturn
on_sample (GstAppSink *sink, void *data)
{
  Track *track = data;
  RecEndpoint *endpoint = track->endpoint;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer = sample != NULL ? gst_sample_get_buffer (sample) : NULL;
  GstMapInfo map;
  int64_t pts_ns;

  if (buffer == NULL || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return GST_FLOW_OK;
  if (GST_BUFFER_PTS_IS_VALID (buffer))
    pts_ns = endpoint->settings->base_time_ns + (int64_t) GST_BUFFER_PTS (buffer);
  else
    pts_ns = g_get_monotonic_time () * 1000;
  endpoint->events->packet (track->index, map.data, map.size, pts_ns, endpoint->data);
  gst_buffer_unmap (buffer, &map);
  return GST_FLOW_OK;
}

/* By payload type: webrtcbin takes the wrong transceiver when the offer doesn't name the SSRC. */
static Track *
find_track_of_pad (RecEndpoint *endpoint, GstPad *pad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  int payload_type = -1;

  if (caps != NULL)
    gst_structure_get_int (gst_caps_get_structure (caps, 0), "payload", &payload_type);
  for (unsigned i = 0; i < endpoint->offer->n_tracks; i++)
    if (endpoint->offer->tracks[i].format.payload_type == payload_type)
      return &endpoint->tracks[i];
  return NULL;
}

/* A source that begins anew may come on another pad. Readers don't hold a lock, so old ones stay until the end. */
static void
replace_pad (Track *track, GstPad *pad)
{
  GstPad *before = g_atomic_pointer_get (&track->pad);

  if (before != NULL)
    g_object_set_data_full (G_OBJECT (pad), "before", before, gst_object_unref);
  g_atomic_pointer_set (&track->pad, gst_object_ref (pad));
}

static void
on_pad_added (GstElement *webrtc, GstPad *pad, RecEndpoint *endpoint)
{
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  Track *track;

  (void) webrtc;
  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC)
    return;
  track = find_track_of_pad (endpoint, pad);
  if (track == NULL) {
    g_info ("a peer sends a track that wasn't negotiated, ignoring it");
    return;
  }

  GstElement *sink = gst_element_factory_make ("appsink", NULL);
  g_object_set (sink, "sync", FALSE, "async", FALSE, "drop", TRUE, "max-buffers",
      MAX_QUEUED_SAMPLES, "enable-last-sample", FALSE, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, track, NULL);
  gst_bin_add (GST_BIN (endpoint->pipeline), sink);
  gst_element_sync_state_with_parent (sink);
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");
  replace_pad (track, pad);
  if (gst_pad_link (pad, sink_pad) != GST_PAD_LINK_OK)
    endpoint->events->failed ("its packets can't be taken", endpoint->data);
}

void
rec_endpoint_request_keyframe (RecEndpoint *endpoint, unsigned track)
{
  GstPad *pad = g_atomic_pointer_get (&endpoint->tracks[track].pad);

  if (pad != NULL)
    gst_pad_send_event (pad,
        gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 1));
}

/* --- sending -------------------------------------------------------------------------------------------------- */

static GstPadProbeReturn
on_upstream_event (GstPad *pad, GstPadProbeInfo *info, void *data)
{
  Track *track = data;

  (void) pad;
  if (gst_video_event_is_force_key_unit (GST_PAD_PROBE_INFO_EVENT (info)))
    track->endpoint->events->wants_keyframe (track->endpoint->data);
  return GST_PAD_PROBE_OK;
}

void
rec_endpoint_send (RecEndpoint *endpoint, unsigned track, const uint8_t *header, size_t header_size,
    const uint8_t *payload, size_t payload_size, int64_t pts_ns)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, header_size + payload_size, NULL);

  gst_buffer_fill (buffer, 0, header, header_size);
  gst_buffer_fill (buffer, header_size, payload, payload_size);
  GST_BUFFER_PTS (buffer) = (GstClockTime) MAX (pts_ns - endpoint->settings->base_time_ns, 0);
  gst_app_src_push_buffer (GST_APP_SRC (endpoint->tracks[track].appsrc), buffer);
}

uint32_t
rec_endpoint_get_ssrc (RecEndpoint *endpoint, unsigned track)
{
  return endpoint->tracks[track].ssrc;
}

/* --- negotiating -------------------------------------------------------------------------------------------------- */

static GstCaps *
make_caps (const RecSdpTrack *track)
{
  bool is_audio = track->format.kind == REC_TRACK_AUDIO;
  GstCaps *caps = gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING,
      is_audio ? "audio" : "video", "encoding-name", G_TYPE_STRING, track->format.codec,
      "clock-rate", G_TYPE_INT, (int) track->format.clock_rate, "payload", G_TYPE_INT,
      (int) track->format.payload_type, NULL);

  /* An answer has only those extensions that its transceiver's caps name. */
  if (track->mid_id != 0) {
    g_autofree char *name = g_strdup_printf ("extmap-%u", track->mid_id);
    gst_caps_set_simple (caps, name, G_TYPE_STRING, URI_MID, NULL);
  }
  if (track->twcc_id != 0) {
    g_autofree char *name = g_strdup_printf ("extmap-%u", track->twcc_id);
    gst_caps_set_simple (caps, name, G_TYPE_STRING, URI_TWCC, NULL);
  }
  return caps;
}

static void
set_transceiver (GstWebRTCRTPTransceiver *transceiver, const RecSdpTrack *track)
{
  /* A packet of sound that comes again comes too late for most listeners. */
  g_object_set (transceiver, "do-nack", track->format.kind == REC_TRACK_VIDEO, NULL);
}

static bool
add_received_track (RecEndpoint *endpoint, unsigned index, GError **error)
{
  const RecSdpTrack *track = &endpoint->offer->tracks[index];
  g_autoptr (GstCaps) caps = make_caps (track);
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_signal_emit_by_name (endpoint->webrtc, "add-transceiver",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps, &transceiver);
  if (transceiver == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot receive %s", track->format.codec);
    return false;
  }
  set_transceiver (transceiver, track);
  return true;
}

static GstElement *
make_appsrc (RecEndpoint *endpoint, GstCaps *caps)
{
  GstElement *source = gst_element_factory_make ("appsrc", NULL);

  g_object_set (source, "is-live", TRUE, "format", GST_FORMAT_TIME, "do-timestamp", FALSE,
      "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, "max-buffers",
      (guint64) endpoint->settings->max_packets, "max-bytes", (guint64) 0, "max-time", (guint64) 0,
      "caps", caps, NULL);
  return source;
}

static bool
add_sent_track (RecEndpoint *endpoint, unsigned index, GError **error)
{
  const RecSdpTrack *facts = &endpoint->offer->tracks[index];
  Track *track = &endpoint->tracks[index];
  g_autoptr (GstCaps) caps = make_caps (facts);
  g_autoptr (GstCaps) caps_with_ssrc = gst_caps_copy (caps);
  g_autofree char *name = g_strdup_printf ("sink_%u", index);
  g_autoptr (GstPadTemplate) template =
      gst_object_ref (gst_element_get_pad_template (endpoint->webrtc, "sink_%u"));

  track->ssrc = g_random_int ();
  gst_caps_set_simple (caps_with_ssrc, "ssrc", G_TYPE_UINT, track->ssrc, NULL);
  g_autoptr (GstPad)
      pad = gst_element_request_pad (endpoint->webrtc, template, name, caps_with_ssrc);
  if (pad == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot send %s", facts->format.codec);
    return false;
  }

  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;
  g_object_get (pad, "transceiver", &transceiver, NULL);
  g_object_set (transceiver, "direction",
      facts->is_received ? GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV
                         : GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY,
      "codec-preferences", caps_with_ssrc, NULL);
  set_transceiver (transceiver, facts);
  g_object_set (pad, "msid", endpoint->msid, NULL);

  track->appsrc = make_appsrc (endpoint, caps_with_ssrc);
  gst_bin_add (GST_BIN (endpoint->pipeline), track->appsrc);
  g_autoptr (GstPad) source_pad = gst_element_get_static_pad (track->appsrc, "src");
  gst_pad_add_probe (source_pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_upstream_event, track, NULL);
  if (gst_pad_link (source_pad, pad) != GST_PAD_LINK_OK) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot link %s", facts->format.codec);
    return false;
  }
  gst_element_sync_state_with_parent (track->appsrc);
  return true;
}

static void
configure_ice (RecEndpoint *endpoint)
{
  const RecEndpointSettings *settings = endpoint->settings;
  g_autoptr (GstObject) ice = NULL;
  g_autoptr (GObject) agent = NULL;

  g_object_get (endpoint->webrtc, "ice-agent", &ice, NULL);
  g_object_set (ice, "min-rtp-port", (guint) settings->min_port, "max-rtp-port",
      (guint) settings->max_port, NULL);
  for (char **address = settings->local_addresses; *address != NULL; address++) {
    gboolean is_added = FALSE;

    g_signal_emit_by_name (ice, "add-local-ip-address", *address, &is_added);
    if (!is_added)
      g_warning ("media.local-addresses: cannot use '%s'", *address);
  }
  g_object_get (ice, "agent", &agent, NULL);
  g_object_set (agent, "ice-tcp", FALSE, "upnp", FALSE, NULL);
  if (settings->stun_server != NULL)
    g_object_set (endpoint->webrtc, "stun-server", settings->stun_server, NULL);
  if (settings->turn_server != NULL)
    g_object_set (endpoint->webrtc, "turn-server", settings->turn_server, NULL);
}

/* By default the name of the user and the machine goes out in every report, and each new SSRC gets a thread. */
static void
restrict_rtpbin (RecEndpoint *endpoint)
{
  g_autoptr (GstElement) rtpbin = gst_bin_get_by_name (GST_BIN (endpoint->webrtc), "rtpbin");
  g_autofree char *cname = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
  GstStructure *sdes =
      gst_structure_new ("application/x-rtp-source-sdes", "cname", G_TYPE_STRING, cname, NULL);

  g_object_set (rtpbin, "sdes", sdes, "max-streams", REC_RTP_MAX_SOURCES, NULL);
  gst_structure_free (sdes);
}

static bool
build_pipeline (RecEndpoint *endpoint, GError **error)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  g_autoptr (GstBus) bus = NULL;

  endpoint->pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  endpoint->webrtc = gst_element_factory_make ("webrtcbin", NULL);
  if (endpoint->webrtc == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "GStreamer's webrtcbin is missing: install gstreamer1.0-plugins-bad and gstreamer1.0-nice");
    return false;
  }
  g_object_set (endpoint->webrtc, "bundle-policy", GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency",
      (guint) endpoint->settings->latency_ms, NULL);
  g_signal_connect (endpoint->pipeline, "deep-element-added", G_CALLBACK (on_element_added),
      endpoint);
  gst_bin_add (GST_BIN (endpoint->pipeline), endpoint->webrtc);
  configure_ice (endpoint);
  restrict_rtpbin (endpoint);
  g_signal_connect (endpoint->webrtc, "on-ice-candidate", G_CALLBACK (on_candidate), endpoint);
  g_signal_connect (endpoint->webrtc, "notify::ice-gathering-state",
      G_CALLBACK (on_gathering_state), endpoint);
  g_signal_connect (endpoint->webrtc, "notify::connection-state", G_CALLBACK (on_connection_state),
      endpoint);
  g_signal_connect (endpoint->webrtc, "pad-added", G_CALLBACK (on_pad_added), endpoint);
  bus = gst_element_get_bus (endpoint->pipeline);
  gst_bus_set_sync_handler (bus, on_message, endpoint, NULL);

  /* The same clock and base time everywhere: a PTS means the same in every pipeline and process. */
  gst_pipeline_use_clock (GST_PIPELINE (endpoint->pipeline), clock);
  gst_element_set_start_time (endpoint->pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (endpoint->pipeline, (GstClockTime) endpoint->settings->base_time_ns);
  if (gst_element_set_state (endpoint->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot start a media pipeline");
    return false;
  }
  return true;
}

static bool
set_offer (RecEndpoint *endpoint, GError **error)
{
  GstSDPMessage *message = NULL;

  if (gst_sdp_message_new_from_text (endpoint->offer->text, &message) != GST_SDP_OK) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "the SDP can't be read");
    return false;
  }
  g_autoptr (GstWebRTCSessionDescription)
      description = gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_OFFER, message);
  g_autoptr (GstStructure) reply = rec_webrtc_call (endpoint->webrtc, "set-remote-description",
      description, endpoint->settings->timeout_ms, error);
  return reply != NULL;
}

static char *
make_answer (RecEndpoint *endpoint, GError **error)
{
  g_autoptr (GstWebRTCSessionDescription) answer = NULL;
  g_autoptr (GstStructure) reply = rec_webrtc_call (endpoint->webrtc, "create-answer", NULL,
      endpoint->settings->timeout_ms, error);

  if (reply == NULL)
    return NULL;
  gst_structure_get (reply, "answer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &answer, NULL);
  if (answer == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot negotiate: there is no answer");
    return NULL;
  }
  g_autoptr (GstStructure) done = rec_webrtc_call (endpoint->webrtc, "set-local-description",
      answer, endpoint->settings->timeout_ms, error);
  return done != NULL ? gst_sdp_message_as_text (answer->sdp) : NULL;
}

char *
rec_endpoint_negotiate (RecEndpoint *endpoint, GError **error)
{
  if (!build_pipeline (endpoint, error) || !set_offer (endpoint, error))
    return NULL;
  for (unsigned i = 0; i < endpoint->offer->n_tracks; i++) {
    bool is_added = endpoint->offer->tracks[i].is_sent ? add_sent_track (endpoint, i, error)
                                                       : add_received_track (endpoint, i, error);
    if (!is_added)
      return NULL;
  }
  char *answer = make_answer (endpoint, error);
  if (answer != NULL)
    rec_endpoint_recalculate_latency (endpoint);
  return answer;
}

void
rec_endpoint_add_candidate (RecEndpoint *endpoint, const char *candidate)
{
  g_signal_emit_by_name (endpoint->webrtc, "add-ice-candidate", 0u, candidate);
}

void
rec_endpoint_recalculate_latency (RecEndpoint *endpoint)
{
  if (endpoint->pipeline != NULL)
    gst_bin_recalculate_latency (GST_BIN (endpoint->pipeline));
}

int64_t
rec_endpoint_get_activity_us (RecEndpoint *endpoint)
{
  return __atomic_load_n (&endpoint->activity_us, __ATOMIC_RELAXED);
}

void
rec_endpoint_stop (RecEndpoint *endpoint)
{
  g_autoptr (GstBus) bus = NULL;

  if (endpoint->pipeline == NULL)
    return;
  gst_element_set_state (endpoint->pipeline, GST_STATE_NULL);
  bus = gst_element_get_bus (endpoint->pipeline);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  g_signal_handlers_disconnect_by_data (endpoint->pipeline, endpoint);
  if (endpoint->webrtc != NULL)
    g_signal_handlers_disconnect_by_data (endpoint->webrtc, endpoint);
}
