/* watch.c - counts RTP packets, lets the depayloader find whole frames, and reads the time in decoded ones. */
#include "watch.h"

#include <gst/app/gstappsink.h>
#include <gst/rtp/gstrtpbuffer.h>
#include <gst/video/video.h>
#include <stdlib.h>
#include <string.h>

#include "media.h"
#include "sender.h"
#include "stamp.h"

#define PAUSE_MS                                                                                   \
  150 /* a pause is a freeze when it is this much longer than usual, and three times as long */

typedef struct {
  bool has_begun;
  uint16_t next; /* sequence number */
} Order;

struct LoadWatch {
  LoadLook look;
  int64_t asked_us;
  GMutex lock; /* guards the rest */
  LoadReceived received;
  Order orders[2];
  int64_t shown_us; /* when the last frame came */
  double usual_ms;  /* between two frames, smoothed */
};

/* --- sums --------------------------------------------------------------------------------------------------------- */

void
load_received_init (LoadReceived *received)
{
  *received = (LoadReceived){ .first_picture_ms = -1,
    .latencies_ms = g_array_new (FALSE, FALSE, sizeof (int)) };
}

void
load_received_clear (LoadReceived *received)
{
  g_clear_pointer (&received->latencies_ms, g_array_unref);
}

void
load_received_add (LoadReceived *sum, const LoadReceived *received)
{
  for (unsigned i = 0; i < G_N_ELEMENTS (sum->packets); i++) {
    sum->packets[i] += received->packets[i];
    sum->bytes[i] += received->bytes[i];
    sum->lost[i] += received->lost[i];
  }
  sum->frames += received->frames;
  sum->unread += received->unread;
  sum->freezes += received->freezes;
  sum->frozen_ms += received->frozen_ms;
  sum->shown_ms += received->shown_ms;
  g_array_append_vals (sum->latencies_ms, received->latencies_ms->data,
      received->latencies_ms->len);
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

static void
count_packet (LoadWatch *watch, GstBuffer *buffer, unsigned medium)
{
  Order *order = &watch->orders[medium];
  uint8_t header[4];
  uint16_t sequence;

  if (gst_buffer_extract (buffer, 0, header, sizeof header) != sizeof header)
    return;
  sequence = (uint16_t) (header[2] << 8 | header[3]);
  watch->received.packets[medium]++;
  watch->received.bytes[medium] += gst_buffer_get_size (buffer);
  if (order->has_begun)
    watch->received.lost[medium] +=
        (uint16_t) (sequence - order->next) < 0x8000 ? (uint16_t) (sequence - order->next) : 0;
  order->has_begun = true;
  order->next = (uint16_t) (sequence + 1);
}

static GstPadProbeReturn
on_packets (GstPadProbeInfo *info, LoadWatch *watch, unsigned medium)
{
  g_mutex_lock (&watch->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    count_packet (watch, GST_PAD_PROBE_INFO_BUFFER (info), medium);
  } else {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);

    for (unsigned i = 0; i < gst_buffer_list_length (list); i++)
      count_packet (watch, gst_buffer_list_get (list, i), medium);
  }
  g_mutex_unlock (&watch->lock);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_audio (GstPad *pad, GstPadProbeInfo *info, void *data)
{
  (void) pad;
  return on_packets (info, data, 0);
}

static GstPadProbeReturn
on_video (GstPad *pad, GstPadProbeInfo *info, void *data)
{
  (void) pad;
  return on_packets (info, data, 1);
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

static void
count_frame (LoadWatch *watch)
{
  const int64_t now_us = g_get_monotonic_time ();
  const double pause_ms = (double) (now_us - watch->shown_us) / 1000;
  LoadReceived *received = &watch->received;

  received->frames++;
  if (received->frames == 1) {
    received->first_picture_ms = (now_us - watch->asked_us) / 1000;
  } else {
    received->shown_ms += (int64_t) (now_us / 1000 - watch->shown_us / 1000);
    if (received->frames > 10 && pause_ms > watch->usual_ms + PAUSE_MS &&
        pause_ms > 3 * watch->usual_ms) {
      received->freezes++;
      received->frozen_ms += (int64_t) pause_ms;
    } else {
      watch->usual_ms += (pause_ms - watch->usual_ms) / (received->frames < 10 ? 2 : 16);
    }
  }
  watch->shown_us = now_us;
}

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, void *data)
{
  LoadWatch *watch = data;
  const GstBuffer *frame = GST_PAD_PROBE_INFO_BUFFER (info);

  (void) pad;
  g_mutex_lock (&watch->lock);
  count_frame (watch);
  g_mutex_unlock (&watch->lock);
  return watch->look == LOAD_LOOK_KEYFRAMES &&
                 GST_BUFFER_FLAG_IS_SET (frame, GST_BUFFER_FLAG_DELTA_UNIT)
             ? GST_PAD_PROBE_DROP
             : GST_PAD_PROBE_OK;
}

/* The stamp says when in the loop the picture was made: it came less than a loop ago, or was sent by a clock that is a
 * little ahead of ours. */
static int
get_age_ms (unsigned stamp_ms)
{
  const int loop_ms = LOAD_LOOP_US / 1000;
  const int now_ms = (int) (load_clock_get_us () % LOAD_LOOP_US / 1000);
  const int age_ms = (now_ms - (int) stamp_ms + loop_ms) % loop_ms;

  return age_ms > loop_ms * 3 / 4 ? age_ms - loop_ms : age_ms;
}

static GstFlowReturn
on_picture (GstAppSink *sink, void *data)
{
  LoadWatch *watch = data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  GstVideoFrame frame;
  GstVideoInfo info;
  unsigned stamp_ms;
  bool is_read;

  if (sample == NULL || !gst_video_info_from_caps (&info, gst_sample_get_caps (sample)) ||
      !gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return GST_FLOW_OK;
  is_read = load_stamp_read ((LoadPlane){ GST_VIDEO_FRAME_COMP_DATA (&frame, 0),
                                 GST_VIDEO_FRAME_COMP_STRIDE (&frame, 0),
                                 GST_VIDEO_FRAME_WIDTH (&frame), GST_VIDEO_FRAME_HEIGHT (&frame) },
      &stamp_ms);
  gst_video_frame_unmap (&frame);
  g_mutex_lock (&watch->lock);
  if (is_read) {
    const int age_ms = get_age_ms (stamp_ms);

    g_array_append_val (watch->received.latencies_ms, age_ms);
  } else {
    watch->received.unread++;
  }
  g_mutex_unlock (&watch->lock);
  return GST_FLOW_OK;
}

/* --- the chain ---------------------------------------------------------------------------------------------------- */

static const char *
describe (const GstStructure *format)
{
  const char *codec = gst_structure_get_string (format, "encoding-name");

  if (g_strcmp0 (gst_structure_get_string (format, "media"), "audio") == 0)
    return "fakesink sync=false async=false";
  if (g_strcmp0 (codec, "H264") == 0)
    return "rtph264depay name=depay wait-for-keyframe=true request-keyframe=true ! "
           "video/x-h264,stream-format=byte-stream,alignment=au ! h264parse ! "
           "avdec_h264 max-threads=1 output-corrupt=false ! "
           "video/x-raw,format=I420 ! appsink name=out sync=false async=false";
  return "rtpvp8depay name=depay wait-for-keyframe=true request-keyframe=true ! "
         "vp8dec threads=1 ! video/x-raw,format=I420 ! appsink name=out sync=false async=false";
}

static void
watch_frames (LoadWatch *watch, GstElement *chain)
{
  GstAppSinkCallbacks callbacks = { .new_sample = on_picture };
  g_autoptr (GstElement) depay = gst_bin_get_by_name (GST_BIN (chain), "depay");
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (chain), "out");
  g_autoptr (GstPad) frames = gst_element_get_static_pad (depay, "src");

  gst_pad_add_probe (frames, GST_PAD_PROBE_TYPE_BUFFER, on_frame, watch, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (out), &callbacks, watch, NULL);
}

bool
load_watch_add_pad (LoadWatch *watch, GstElement *pipeline, GstPad *pad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *format = caps != NULL ? gst_caps_get_structure (caps, 0) : NULL;
  const bool is_video = format != NULL &&
                        g_strcmp0 (gst_structure_get_string (format, "media"), "video") == 0;
  GstElement *chain;

  if (format == NULL)
    return false;
  chain = gst_parse_bin_from_description_full (describe (format), TRUE, NULL,
      GST_PARSE_FLAG_NO_SINGLE_ELEMENT_BINS, NULL);
  if (chain == NULL)
    return false;
  if (is_video)
    watch_frames (watch, chain);
  gst_bin_add (GST_BIN (pipeline), chain);
  gst_element_sync_state_with_parent (chain);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      is_video ? on_video : on_audio, watch, NULL);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (chain, "sink");
  return gst_pad_link (pad, sink) == GST_PAD_LINK_OK;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

LoadWatch *
load_watch_new (LoadLook look)
{
  LoadWatch *watch = g_new0 (LoadWatch, 1);

  watch->look = look;
  watch->asked_us = g_get_monotonic_time ();
  g_mutex_init (&watch->lock);
  load_received_init (&watch->received);
  return watch;
}

void
load_watch_free (LoadWatch *watch)
{
  if (watch == NULL)
    return;
  load_received_clear (&watch->received);
  g_mutex_clear (&watch->lock);
  g_free (watch);
}

LoadReceived
load_watch_get (LoadWatch *watch)
{
  LoadReceived copy;

  g_mutex_lock (&watch->lock);
  copy = watch->received;
  copy.latencies_ms = g_array_copy (watch->received.latencies_ms);
  g_mutex_unlock (&watch->lock);
  return copy;
}
