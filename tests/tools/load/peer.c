/* peer.c - a webrtcbin that behaves like a browser's peer connection. */
#include "peer.h"

#include <gst/app/gstappsrc.h>
#include <gst/sdp/sdp.h>
#include <gst/webrtc/webrtc.h>
#include <string.h>

#include "media.h"

#define MAX_QUEUED_BYTES (4 * 1024 * 1024)

typedef enum {
  EVENT_OFFERED,
  EVENT_CANDIDATE,
  EVENT_CONNECTED,
  EVENT_FAILED,
} EventKind;

/* What GStreamer's threads put their events into; the peer may be gone when they are read. */
typedef struct {
  LoadPeer *peer; /* NULL when it is gone; [main] */
} Mailbox;

typedef struct {
  Mailbox *mailbox;
  EventKind kind;
  char *text;
  unsigned mline_index;
} Event;

struct LoadPeer {
  LoadPeerEvents events;
  void *data;
  Mailbox *mailbox;
  GstElement *pipeline, *webrtc;
  GstElement *sources[2]; /* audio, video */
  uint32_t ssrcs[2];
  LoadWatch *watch;
};

/* --- events ------------------------------------------------------------------------------------------------------- */

static gboolean
deliver (void *data)
{
  Event *event = data;
  LoadPeer *peer = event->mailbox->peer;

  if (peer == NULL)
    return G_SOURCE_REMOVE;
  switch (event->kind) {
  case EVENT_OFFERED:
    peer->events.offered (event->text, peer->data);
    break;
  case EVENT_CANDIDATE:
    peer->events.found_candidate (event->text, event->mline_index, peer->data);
    break;
  case EVENT_CONNECTED:
    peer->events.connected (peer->data);
    break;
  case EVENT_FAILED:
    peer->events.failed (event->text, peer->data);
    break;
  }
  return G_SOURCE_REMOVE;
}

static void
free_event (void *data)
{
  Event *event = data;

  g_atomic_rc_box_release (event->mailbox);
  g_free (event->text);
  g_free (event);
}

/* [any] */
static void
post (Mailbox *mailbox, EventKind kind, const char *text, unsigned mline_index)
{
  Event *event = g_new0 (Event, 1);

  *event = (Event){ g_atomic_rc_box_acquire (mailbox), kind, g_strdup (text), mline_index };
  g_idle_add_full (G_PRIORITY_DEFAULT, deliver, event, free_event);
}

static void
on_candidate (GstElement *webrtc G_GNUC_UNUSED, guint mline_index, const char *candidate,
    Mailbox *mailbox)
{
  post (mailbox, EVENT_CANDIDATE, candidate, mline_index);
}

static void
on_connection_state (GstElement *webrtc, GParamSpec *spec G_GNUC_UNUSED, Mailbox *mailbox)
{
  GstWebRTCPeerConnectionState state;

  g_object_get (webrtc, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED)
    post (mailbox, EVENT_CONNECTED, NULL, 0);
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED)
    post (mailbox, EVENT_FAILED, "its transport failed", 0);
}

static GstBusSyncReply
on_message (GstBus *bus G_GNUC_UNUSED, GstMessage *message, void *data)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) reason = NULL;

    gst_message_parse_error (message, &reason, NULL);
    post (data, EVENT_FAILED, reason->message, 0);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
on_pad_added (GstElement *webrtc G_GNUC_UNUSED, GstPad *pad, LoadPeer *peer)
{
  if (GST_PAD_DIRECTION (pad) == GST_PAD_SRC && peer->watch != NULL &&
      !load_watch_add_pad (peer->watch, peer->pipeline, pad))
    post (peer->mailbox, EVENT_FAILED, "what it receives can't be decoded", 0);
}

/* --- negotiating -------------------------------------------------------------------------------------------------- */

static void
on_offer_made (GstPromise *promise, void *data)
{
  LoadPeer *peer = data;
  const GstStructure *reply = gst_promise_get_reply (promise);
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;
  g_autofree char *text = NULL;

  if (reply != NULL)
    gst_structure_get (reply, "offer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &offer, NULL);
  gst_promise_unref (promise);
  if (offer == NULL) {
    post (peer->mailbox, EVENT_FAILED, "it can't make an offer", 0);
    return;
  }
  g_signal_emit_by_name (peer->webrtc, "set-local-description", offer, NULL);
  text = gst_sdp_message_as_text (offer->sdp);
  post (peer->mailbox, EVENT_OFFERED, text, 0);
}

void
load_peer_take_answer (LoadPeer *peer, const char *sdp)
{
  GstSDPMessage *message = NULL;

  if (gst_sdp_message_new_from_text (sdp, &message) != GST_SDP_OK) {
    post (peer->mailbox, EVENT_FAILED, "the server's answer is no SDP", 0);
    return;
  }
  g_autoptr (GstWebRTCSessionDescription)
      answer = gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_ANSWER, message);
  g_signal_emit_by_name (peer->webrtc, "set-remote-description", answer, NULL);
}

void
load_peer_add_candidate (LoadPeer *peer, unsigned mline_index, const char *candidate)
{
  g_signal_emit_by_name (peer->webrtc, "add-ice-candidate", mline_index, candidate);
}

/* --- media -------------------------------------------------------------------------------------------------------- */

#define AUDIO_CAPS                                                                                 \
  "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111,"                 \
  "encoding-params=(string)2"
#define VIDEO_FEEDBACK                                                                             \
  ",rtcp-fb-nack=(boolean)true,rtcp-fb-nack-pli=(boolean)true,rtcp-fb-ccm-fir=(boolean)true"
#define VP8_CAPS                                                                                   \
  "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96" VIDEO_FEEDBACK
#define H264_CAPS                                                                                  \
  "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=%d,"                  \
  "packetization-mode=(string)1,profile-level-id=(string)42e01f,"                                  \
  "level-asymmetry-allowed=(string)1" VIDEO_FEEDBACK

static GstCaps *
make_caps (const char *codec, bool is_video, uint32_t ssrc)
{
  g_autofree char *h264 = g_strdup_printf (H264_CAPS, LOAD_VIDEO_PAYLOAD);
  GstCaps *caps = gst_caps_from_string (!is_video                     ? AUDIO_CAPS
                                        : strcmp (codec, "H264") == 0 ? h264
                                                                      : VP8_CAPS);

  gst_caps_set_simple (caps, "ssrc", G_TYPE_UINT, ssrc, NULL);
  return caps;
}

/* As a browser does: picture is sent again when it is asked for, sound is not. */
static void
set_resending (GstWebRTCRTPTransceiver *transceiver, bool is_video)
{
  g_object_set (transceiver, "do-nack", is_video, NULL);
}

static void
add_source (LoadPeer *peer, const char *codec, unsigned medium)
{
  g_autoptr (GstPad) pad = gst_element_request_pad_simple (peer->webrtc, "sink_%u");
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstElement *source = gst_element_factory_make ("appsrc", NULL);

  peer->ssrcs[medium] = g_random_int_range (1, G_MAXINT32);
  caps = make_caps (codec, medium == 1, peer->ssrcs[medium]);
  g_object_get (pad, "transceiver", &transceiver, NULL);
  g_object_set (transceiver, "codec-preferences", caps, "direction",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, NULL);
  set_resending (transceiver, medium == 1);
  g_object_set (source, "is-live", TRUE, "format", GST_FORMAT_TIME, "caps", caps, "max-bytes",
      (guint64) MAX_QUEUED_BYTES, "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, NULL);
  gst_bin_add (GST_BIN (peer->pipeline), source);
  peer->sources[medium] = gst_object_ref (source);
  g_autoptr (GstPad) source_pad = gst_element_get_static_pad (source, "src");
  gst_pad_link (source_pad, pad);
}

static void
add_receiver (LoadPeer *peer, GstCaps *caps, bool is_video)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_signal_emit_by_name (peer->webrtc, "add-transceiver",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps, &transceiver);
  set_resending (transceiver, is_video);
  gst_caps_unref (caps);
}

static void
add_media (LoadPeer *peer, const LoadPeerSettings *settings)
{
  g_autofree char *h264 = g_strdup_printf (H264_CAPS, LOAD_VIDEO_PAYLOAD + 6);
  g_autofree char *video = g_strconcat (VP8_CAPS ";", h264, NULL);

  if (peer->watch == NULL) {
    if (settings->has_audio)
      add_source (peer, settings->codec, 0);
    if (settings->has_video)
      add_source (peer, settings->codec, 1);
    return;
  }
  if (settings->has_audio)
    add_receiver (peer, gst_caps_from_string (AUDIO_CAPS), false);
  if (settings->has_video)
    add_receiver (peer, gst_caps_from_string (video), true);
}

const uint32_t *
load_peer_get_ssrcs (const LoadPeer *peer)
{
  return peer->ssrcs;
}

static gboolean
set_running_time (GstBuffer **packet, guint i G_GNUC_UNUSED, void *data)
{
  const GstClockTime *base_time = data, pts = GST_BUFFER_PTS (*packet);

  GST_BUFFER_PTS (*packet) = pts > *base_time ? pts - *base_time : 0;
  return TRUE;
}

/* Each packet needs its time: the reports say by it how sound and picture belong together. */
void
load_peer_send (LoadPeer *peer, GstBufferList *packets, unsigned medium)
{
  GstClockTime base_time = gst_element_get_base_time (peer->pipeline);

  gst_buffer_list_foreach (packets, set_running_time, &base_time);
  gst_app_src_push_buffer_list (GST_APP_SRC (peer->sources[medium]), packets);
}

/* By default a report says when a packet leaves, for which the session wants to know the pipeline's latency, and says
 * nonsense as long as nobody tells it. */
static void
on_element_added (GstBin *pipeline G_GNUC_UNUSED, GstBin *bin G_GNUC_UNUSED, GstElement *element,
    void *data G_GNUC_UNUSED)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  if (factory != NULL && strcmp (GST_OBJECT_NAME (factory), "rtpsession") == 0)
    g_object_set (element, "rtcp-sync-send-time", FALSE, NULL);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void
set_up_ice (LoadPeer *peer, bool is_local)
{
  g_autoptr (GstObject) ice = NULL;
  g_autoptr (GObject) agent = NULL;
  gboolean is_added = FALSE;

  g_object_get (peer->webrtc, "ice-agent", &ice, NULL);
  if (is_local)
    g_signal_emit_by_name (ice, "add-local-ip-address", "127.0.0.1", &is_added);
  g_object_get (ice, "agent", &agent, NULL);
  g_object_set (agent, "ice-tcp", FALSE, "upnp", FALSE, NULL);
}

LoadPeer *
load_peer_new (const LoadPeerSettings *settings, LoadWatch *watch, const LoadPeerEvents *events,
    void *data)
{
  LoadPeer *peer = g_new0 (LoadPeer, 1);
  g_autoptr (GstBus) bus = NULL;

  peer->events = *events;
  peer->data = data;
  peer->watch = watch;
  peer->mailbox = g_atomic_rc_box_new0 (Mailbox);
  peer->mailbox->peer = peer;
  peer->pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  peer->webrtc = gst_object_ref_sink (gst_element_factory_make ("webrtcbin", NULL));
  gst_util_set_object_arg (G_OBJECT (peer->webrtc), "bundle-policy", "max-bundle");
  g_signal_connect (peer->pipeline, "deep-element-added", G_CALLBACK (on_element_added), NULL);
  gst_bin_add (GST_BIN (peer->pipeline), peer->webrtc);
  set_up_ice (peer, settings->is_local);
  bus = gst_element_get_bus (peer->pipeline);
  gst_bus_set_sync_handler (bus, on_message, peer->mailbox, NULL);
  g_signal_connect (peer->webrtc, "on-ice-candidate", G_CALLBACK (on_candidate), peer->mailbox);
  g_signal_connect (peer->webrtc, "notify::connection-state", G_CALLBACK (on_connection_state),
      peer->mailbox);
  g_signal_connect (peer->webrtc, "pad-added", G_CALLBACK (on_pad_added), peer);
  /* A receiver's transceivers can only be added to a webrtcbin that runs. */
  if (watch == NULL)
    add_media (peer, settings);
  gst_element_set_state (peer->pipeline, GST_STATE_PLAYING);
  if (watch != NULL)
    add_media (peer, settings);
  g_signal_emit_by_name (peer->webrtc, "create-offer", NULL,
      gst_promise_new_with_change_func (on_offer_made, peer, NULL));
  return peer;
}

void
load_peer_free (LoadPeer *peer)
{
  if (peer == NULL)
    return;
  gst_element_set_state (peer->pipeline, GST_STATE_NULL);
  peer->mailbox->peer = NULL;
  for (unsigned i = 0; i < G_N_ELEMENTS (peer->sources); i++)
    gst_clear_object (&peer->sources[i]);
  gst_object_unref (peer->webrtc);
  gst_object_unref (peer->pipeline);
  g_atomic_rc_box_release (peer->mailbox);
  g_free (peer);
}
