/* fake-browser.c - a webrtcbin that behaves like a browser's peer connection. */
#include "lib/fake-browser.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/rtp/gstrtpbuffer.h>
#include <gst/video/video.h>
#include <gst/webrtc/webrtc.h>
#include <string.h>

#include "media/rtp.h"

#define DEADLINE_NS (20 * GST_SECOND)
#define AUDIO_CAPS                                                                                 \
  "application/"                                                                                   \
  "x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2"
#define VIDEO_CAPS "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
/* Known before the first packet, and so told in the offer, as by browsers. */
#define VIDEO_SSRC "20070501"
#define VIDEO_CAPS_FEEDBACK                                                                        \
  VIDEO_CAPS ",rtcp-fb-nack-pli=(boolean)true,rtcp-fb-ccm-fir=(boolean)true"

struct FakeBrowser {
  GstElement *pipeline, *webrtc;
  FakeCandidate candidate;
  void *data;
  GMainContext *context;
  char *offer;
  bool is_watcher;
  gint n_keyframe_wishes; /* atomic */
  gint lose_nth;          /* atomic */
  gint n_lost;            /* atomic */
  unsigned n_video_sent;
  FakeStudio *studio;     /* NULL: it encodes by itself */
  GstElement *sources[2]; /* of what comes from the studio: audio, video */
  GMutex lock;            /* guards the rest */
  FakeReceived received;
  GstPad *video_pad;
  uint16_t sequence, audio_sequence;
  uint32_t timestamp;
};

struct FakeStudio {
  GstElement *pipeline;
  GstPad *encoder_pad;
  GMutex lock;           /* guards the rest */
  GPtrArray *publishers; /* of FakeBrowser, borrowed */
  unsigned n_sent[2];    /* audio, video */
};

typedef struct {
  FakeBrowser *browser;
  char *candidate;
  unsigned mline_index;
} Candidate;

static void
free_candidate (void *data)
{
  Candidate *candidate = data;

  g_free (candidate->candidate);
  g_free (candidate);
}

static gboolean
deliver_candidate (void *data)
{
  Candidate *candidate = data;
  FakeBrowser *browser = candidate->browser;

  if (browser->candidate != NULL)
    browser->candidate (candidate->candidate, candidate->mline_index, browser->data);
  return G_SOURCE_REMOVE;
}

static void
on_candidate (GstElement *webrtc G_GNUC_UNUSED, guint mline_index, const char *text,
    FakeBrowser *browser)
{
  Candidate *candidate = g_new0 (Candidate, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  candidate->browser = browser;
  candidate->candidate = g_strdup (text);
  candidate->mline_index = mline_index;
  g_source_set_callback (source, deliver_candidate, candidate, free_candidate);
  g_source_attach (source, browser->context);
}

/* --- publishing -------------------------------------------------------------------------------------------- */

static void
send_keyframe_wish (GstPad *pad)
{
  gst_pad_send_event (pad,
      gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 1));
}

static GstPadProbeReturn
count_keyframe_wish (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, void *data)
{
  FakeBrowser *browser = data;

  if (!gst_video_event_is_force_key_unit (GST_PAD_PROBE_INFO_EVENT (info)))
    return GST_PAD_PROBE_OK;
  g_atomic_int_inc (&browser->n_keyframe_wishes);
  if (browser->studio != NULL)
    send_keyframe_wish (browser->studio->encoder_pad);
  return GST_PAD_PROBE_OK;
}

static bool
is_lost (FakeBrowser *browser, GstBuffer *buffer)
{
  guint8 header[2];
  gint nth = g_atomic_int_get (&browser->lose_nth);

  if (nth == 0 || gst_buffer_extract (buffer, 0, header, 2) != 2 || header[0] >> 6 != 2 ||
      (header[1] & 0x7f) != 96)
    return false;
  if (browser->n_video_sent++ % (unsigned) nth != (unsigned) nth - 1)
    return false;
  g_atomic_int_inc (&browser->n_lost);
  return true;
}

static gboolean
keep_buffer (GstBuffer **buffer, guint index G_GNUC_UNUSED, void *data)
{
  if (is_lost (data, *buffer))
    gst_clear_buffer (buffer);
  return TRUE;
}

static GstPadProbeReturn
lose_packets (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, void *data)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    return is_lost (data, GST_PAD_PROBE_INFO_BUFFER (info)) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;

  GstBufferList *list = gst_buffer_list_make_writable (GST_PAD_PROBE_INFO_BUFFER_LIST (info));

  gst_buffer_list_foreach (list, keep_buffer, data);
  info->data = list;
  return GST_PAD_PROBE_OK;
}

static void
on_element_added (GstBin *bin G_GNUC_UNUSED, GstBin *sub_bin G_GNUC_UNUSED, GstElement *element,
    FakeBrowser *browser)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  const char *name = factory != NULL ? GST_OBJECT_NAME (factory) : "";

  if (strcmp (name, "rtpsession") == 0) /* browsers report and ask as soon */
    g_object_set (element, "rtcp-min-interval", 100 * GST_MSECOND, "bandwidth", 2e6, NULL);
  if (strcmp (name, browser->is_watcher ? "nicesrc" : "nicesink") != 0)
    return;
  g_autoptr (GstPad)
      pad = gst_element_get_static_pad (element, browser->is_watcher ? "src" : "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, lose_packets,
      browser, NULL);
}

/* --- watching ------------------------------------------------------------------------------------------------- */

static void
note_video (FakeBrowser *browser, const RecRtpPacket *packet)
{
  FakeReceived *received = &browser->received;

  if (received->video > 0) {
    received->holes += (uint16_t) (packet->sequence - browser->sequence) != 1 ? 1 : 0;
    received->leaps += packet->timestamp - browser->timestamp > 2 * 90000 ? 1 : 0;
  }
  received->video++;
  received->video_ssrc = packet->ssrc;
  received->keyframes += rec_rtp_is_keyframe ("VP8", packet->payload, packet->payload_size) ? 1 : 0;
  browser->sequence = packet->sequence;
  browser->timestamp = packet->timestamp;
}

static void
note_audio (FakeBrowser *browser, const RecRtpPacket *packet)
{
  FakeReceived *received = &browser->received;

  if (received->audio > 0)
    received->audio_holes += (uint16_t) (packet->sequence - browser->audio_sequence) != 1 ? 1 : 0;
  received->audio++;
  browser->audio_sequence = packet->sequence;
}

static GstFlowReturn
on_sample (GstAppSink *sink, void *data)
{
  FakeBrowser *browser = data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer = sample != NULL ? gst_sample_get_buffer (sample) : NULL;
  RecRtpPacket packet;
  GstMapInfo map;

  if (buffer == NULL)
    return GST_FLOW_OK;
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_mutex_lock (&browser->lock);
  g_assert_true (rec_rtp_parse (map.data, map.size, &packet));
  if (packet.payload_type == 96)
    note_video (browser, &packet);
  else
    note_audio (browser, &packet);
  g_mutex_unlock (&browser->lock);
  gst_buffer_unmap (buffer, &map);
  return GST_FLOW_OK;
}

static void
on_pad_added (GstElement *webrtc G_GNUC_UNUSED, GstPad *pad, FakeBrowser *browser)
{
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstElement *sink;

  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC)
    return;
  sink = gst_element_factory_make ("appsink", NULL);
  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, browser, NULL);
  gst_bin_add (GST_BIN (browser->pipeline), sink);
  gst_element_sync_state_with_parent (sink);
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");
  g_assert_cmpint (gst_pad_link (pad, sink_pad), ==, GST_PAD_LINK_OK);
  if (strcmp (gst_structure_get_string (gst_caps_get_structure (caps, 0), "media"), "video") == 0) {
    g_mutex_lock (&browser->lock);
    gst_object_replace ((GstObject **) &browser->video_pad, GST_OBJECT (pad));
    g_mutex_unlock (&browser->lock);
  }
}

static void
add_receiver (FakeBrowser *browser, const char *description)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (description);
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_signal_emit_by_name (browser->webrtc, "add-transceiver",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps, &transceiver);
  g_assert_nonnull (transceiver);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

/* A single element comes without a pipeline. */
static GstElement *
make_pipeline (const char *description)
{
  g_autoptr (GError) error = NULL;
  GstElement *parsed = gst_parse_launch (description, &error), *pipeline;

  g_assert_no_error (error);
  if (GST_IS_PIPELINE (parsed))
    return parsed;
  pipeline = gst_pipeline_new (NULL);
  gst_bin_add (GST_BIN (pipeline), parsed);
  return pipeline;
}

static FakeBrowser *
make_browser (const char *description, FakeCandidate candidate, void *data)
{
  FakeBrowser *browser = g_new0 (FakeBrowser, 1);
  g_autoptr (GstObject) ice = NULL;
  g_autoptr (GObject) agent = NULL;
  gboolean is_added = FALSE;

  gst_init (NULL, NULL);
  g_mutex_init (&browser->lock);
  browser->context = g_main_context_ref_thread_default ();
  browser->candidate = candidate;
  browser->data = data;
  browser->pipeline = gst_object_ref_sink (make_pipeline (description));
  browser->webrtc = gst_bin_get_by_name (GST_BIN (browser->pipeline), "webrtc");
  g_object_get (browser->webrtc, "ice-agent", &ice, NULL);
  g_signal_emit_by_name (ice, "add-local-ip-address", "127.0.0.1", &is_added);
  g_object_get (ice, "agent", &agent, NULL);
  g_object_set (agent, "ice-tcp", FALSE, "upnp", FALSE, NULL);
  g_signal_connect (browser->pipeline, "deep-element-added", G_CALLBACK (on_element_added),
      browser);
  g_signal_connect (browser->webrtc, "on-ice-candidate", G_CALLBACK (on_candidate), browser);
  g_signal_connect (browser->webrtc, "pad-added", G_CALLBACK (on_pad_added), browser);
  return browser;
}

/* Of a publisher, what it sends; of a watcher: it asks again for what is missing. */
static void
keep_for_resending (GstElement *webrtc)
{
  GstWebRTCRTPTransceiver *transceiver;
  g_autoptr (GArray) all = NULL;

  g_signal_emit_by_name (webrtc, "get-transceivers", &all);
  transceiver = g_array_index (all, GstWebRTCRTPTransceiver *, all->len - 1);
  g_object_set (transceiver, "do-nack", TRUE, NULL);
}

FakeBrowser *
fake_publisher_new (FakeMedia media, FakeCandidate candidate, void *data)
{
  g_autoptr (GString) text = g_string_new ("webrtcbin name=webrtc bundle-policy=max-bundle ");
  FakeBrowser *browser;

  if (media & FAKE_AUDIO)
    g_string_append (text,
        "audiotestsrc is-live=true wave=ticks ! opusenc ! rtpopuspay pt=111 ! " AUDIO_CAPS
        " ! webrtc. ");
  if (media & FAKE_VIDEO)
    g_string_append (text,
        "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=15/1 ! "
        "vp8enc name=encoder deadline=1 threads=1 keyframe-max-dist=100000 ! "
        "rtpvp8pay pt=96 picture-id-mode=2 ssrc=" VIDEO_SSRC " ! " VIDEO_CAPS
        ",ssrc=(uint)" VIDEO_SSRC " ! webrtc. ");
  browser = make_browser (text->str, candidate, data);
  if (media & FAKE_VIDEO) {
    g_autoptr (GstElement) encoder = gst_bin_get_by_name (GST_BIN (browser->pipeline), "encoder");
    g_autoptr (GstPad) pad = gst_element_get_static_pad (encoder, "src");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, count_keyframe_wish, browser, NULL);
  }
  if (media & FAKE_RESENDS)
    keep_for_resending (browser->webrtc);
  gst_element_set_state (browser->pipeline, GST_STATE_PLAYING);
  return browser;
}

FakeBrowser *
fake_watcher_new (FakeMedia media, FakeCandidate candidate, void *data)
{
  const char *description = media & FAKE_RESENDS
                                ? "webrtcbin name=webrtc bundle-policy=max-bundle latency=300"
                                : "webrtcbin name=webrtc bundle-policy=max-bundle latency=20";
  FakeBrowser *browser = make_browser (description, candidate, data);

  browser->is_watcher = true;
  gst_element_set_state (browser->pipeline, GST_STATE_PLAYING);
  if (media & FAKE_AUDIO)
    add_receiver (browser, AUDIO_CAPS);
  if (media & FAKE_VIDEO)
    add_receiver (browser, VIDEO_CAPS_FEEDBACK);
  if (media & FAKE_RESENDS)
    keep_for_resending (browser->webrtc);
  return browser;
}

/* --- the studio ------------------------------------------------------------------------------------------------ */

static void
send_copy (GstElement *source, GstBuffer *buffer)
{
  GstBuffer *copy = gst_buffer_copy (buffer);

  GST_BUFFER_PTS (copy) = GST_BUFFER_DTS (copy) =
      GST_CLOCK_TIME_NONE; /* it counts from elsewhere */
  gst_app_src_push_buffer (GST_APP_SRC (source), copy);
}

static GstFlowReturn
on_encoded (GstAppSink *sink, FakeStudio *studio, unsigned medium)
{
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);

  if (sample == NULL)
    return GST_FLOW_OK;
  g_mutex_lock (&studio->lock);
  studio->n_sent[medium]++;
  for (unsigned i = 0; i < studio->publishers->len; i++) {
    const FakeBrowser *browser = studio->publishers->pdata[i];

    send_copy (browser->sources[medium], gst_sample_get_buffer (sample));
  }
  g_mutex_unlock (&studio->lock);
  return GST_FLOW_OK;
}

static GstFlowReturn
on_encoded_audio (GstAppSink *sink, void *data)
{
  return on_encoded (sink, data, 0);
}

static GstFlowReturn
on_encoded_video (GstAppSink *sink, void *data)
{
  return on_encoded (sink, data, 1);
}

static void
take_encoded (FakeStudio *studio, const char *name, GstAppSinkCallbacks callbacks)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (studio->pipeline), name);

  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, studio, NULL);
}

FakeStudio *
fake_studio_new (void)
{
  FakeStudio *studio = g_new0 (FakeStudio, 1);

  gst_init (NULL, NULL);
  g_mutex_init (&studio->lock);
  studio->publishers = g_ptr_array_new ();
  studio->pipeline = gst_object_ref_sink (make_pipeline (
      "audiotestsrc is-live=true wave=ticks ! opusenc ! rtpopuspay pt=111 ssrc=1111 ! "
      "appsink name=audio sync=false async=false "
      "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=5/1 ! "
      "vp8enc name=encoder deadline=1 threads=1 keyframe-max-dist=100000 ! "
      "rtpvp8pay pt=96 ssrc=2222 picture-id-mode=2 ! appsink name=video sync=false async=false"));
  take_encoded (studio, "audio", (GstAppSinkCallbacks){ .new_sample = on_encoded_audio });
  take_encoded (studio, "video", (GstAppSinkCallbacks){ .new_sample = on_encoded_video });
  g_autoptr (GstElement) encoder = gst_bin_get_by_name (GST_BIN (studio->pipeline), "encoder");
  studio->encoder_pad = gst_element_get_static_pad (encoder, "src");
  gst_element_set_state (studio->pipeline, GST_STATE_PLAYING);
  return studio;
}

void
fake_studio_free (FakeStudio *studio)
{
  if (studio == NULL)
    return;
  g_assert_cmpuint (studio->publishers->len, ==, 0);
  gst_element_set_state (studio->pipeline, GST_STATE_NULL);
  gst_object_unref (studio->encoder_pad);
  gst_object_unref (studio->pipeline);
  g_ptr_array_unref (studio->publishers);
  g_mutex_clear (&studio->lock);
  g_free (studio);
}

void
fake_studio_count_sent (FakeStudio *studio, unsigned *audio, unsigned *video)
{
  g_mutex_lock (&studio->lock);
  *audio = studio->n_sent[0];
  *video = studio->n_sent[1];
  g_mutex_unlock (&studio->lock);
}

static void
enter_studio (FakeBrowser *browser, FakeStudio *studio)
{
  g_mutex_lock (&studio->lock);
  g_ptr_array_add (studio->publishers, browser);
  g_mutex_unlock (&studio->lock);
}

static void
leave_studio (FakeBrowser *browser)
{
  if (browser->studio == NULL)
    return;
  g_mutex_lock (&browser->studio->lock);
  g_ptr_array_remove (browser->studio->publishers, browser);
  g_mutex_unlock (&browser->studio->lock);
  gst_object_unref (browser->sources[0]);
  gst_object_unref (browser->sources[1]);
}

/* It offers before anything has come out of the studio. */
static GstElement *
add_source (FakeBrowser *browser, const char *pad_name, const char *description)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (description);
  g_autoptr (GstPad) pad = gst_element_request_pad_simple (browser->webrtc, pad_name);
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;
  GstElement *source = gst_element_factory_make ("appsrc", NULL);

  g_object_get (pad, "transceiver", &transceiver, NULL);
  g_object_set (transceiver, "codec-preferences", caps, "direction",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, NULL);
  g_object_set (source, "is-live", TRUE, "format", GST_FORMAT_TIME, "do-timestamp", TRUE, "caps",
      caps, NULL);
  gst_bin_add (GST_BIN (browser->pipeline), gst_object_ref (source));
  g_autoptr (GstPad) source_pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (source_pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, count_keyframe_wish, browser,
      NULL);
  g_assert_cmpint (gst_pad_link (source_pad, pad), ==, GST_PAD_LINK_OK);
  return source;
}

FakeBrowser *
fake_studio_publisher_new (FakeStudio *studio, FakeCandidate candidate, void *data)
{
  FakeBrowser *browser =
      make_browser ("webrtcbin name=webrtc bundle-policy=max-bundle", candidate, data);

  browser->studio = studio;
  browser->sources[0] = add_source (browser, "sink_0", AUDIO_CAPS ",ssrc=(uint)1111");
  browser->sources[1] = add_source (browser, "sink_1", VIDEO_CAPS_FEEDBACK ",ssrc=(uint)2222");
  gst_element_set_state (browser->pipeline, GST_STATE_PLAYING);
  enter_studio (browser, studio);
  return browser;
}

void
fake_browser_free (FakeBrowser *browser)
{
  if (browser == NULL)
    return;
  leave_studio (browser);
  gst_element_set_state (browser->pipeline, GST_STATE_NULL);
  browser->candidate = NULL;
  while (g_main_context_iteration (browser->context, FALSE))
    ;
  g_clear_object (&browser->video_pad);
  g_object_unref (browser->webrtc);
  g_object_unref (browser->pipeline);
  g_main_context_unref (browser->context);
  g_mutex_clear (&browser->lock);
  g_free (browser->offer);
  g_free (browser);
}

static GstStructure *
call (FakeBrowser *browser, const char *signal, void *argument)
{
  GstPromise *promise = gst_promise_new ();
  GstStructure *reply = NULL;

  g_signal_emit_by_name (browser->webrtc, signal, argument, promise);
  g_assert_cmpint (gst_promise_wait (promise), ==, GST_PROMISE_RESULT_REPLIED);
  if (gst_promise_get_reply (promise) != NULL)
    reply = gst_structure_copy (gst_promise_get_reply (promise));
  gst_promise_unref (promise);
  return reply;
}

static void
set_description (FakeBrowser *browser, const char *signal, GstWebRTCSessionDescription *description)
{
  GstStructure *reply = call (browser, signal, description);

  g_clear_pointer (&reply, gst_structure_free);
}

const char *
fake_browser_make_offer (FakeBrowser *browser)
{
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;
  g_autoptr (GstStructure) reply = NULL;

  if (browser->offer != NULL)
    return browser->offer;
  /* Before it knows what its encoders make, it offers nothing. */
  g_assert_cmpint (gst_element_get_state (browser->pipeline, NULL, NULL, DEADLINE_NS), !=,
      GST_STATE_CHANGE_FAILURE);
  reply = call (browser, "create-offer", NULL);
  gst_structure_get (reply, "offer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &offer, NULL);
  g_assert_nonnull (offer);
  browser->offer = gst_sdp_message_as_text (offer->sdp);
  set_description (browser, "set-local-description", offer);
  return browser->offer;
}

void
fake_browser_take_answer (FakeBrowser *browser, const char *answer)
{
  GstSDPMessage *message = NULL;

  g_assert_cmpint (gst_sdp_message_new_from_text (answer, &message), ==, GST_SDP_OK);
  g_autoptr (GstWebRTCSessionDescription)
      description = gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_ANSWER, message);
  set_description (browser, "set-remote-description", description);
}

void
fake_browser_lose_video (FakeBrowser *browser, unsigned nth)
{
  g_atomic_int_set (&browser->lose_nth, (gint) nth);
}

unsigned
fake_browser_count_lost (FakeBrowser *browser)
{
  return (unsigned) g_atomic_int_get (&browser->n_lost);
}

unsigned
fake_browser_count_keyframe_wishes (FakeBrowser *browser)
{
  return (unsigned) g_atomic_int_get (&browser->n_keyframe_wishes);
}

void
fake_browser_ask_for_keyframe (FakeBrowser *browser)
{
  g_autoptr (GstPad) pad = NULL;

  g_mutex_lock (&browser->lock);
  g_set_object (&pad, browser->video_pad);
  g_mutex_unlock (&browser->lock);
  g_assert_nonnull (pad);
  send_keyframe_wish (pad);
}

FakeReceived
fake_browser_get_received (FakeBrowser *browser)
{
  FakeReceived received;

  g_mutex_lock (&browser->lock);
  received = browser->received;
  g_mutex_unlock (&browser->lock);
  return received;
}

GstElement *
fake_browser_get_webrtc (FakeBrowser *browser)
{
  return browser->webrtc;
}
