/* rtp-tuning.c - reports that come early and are right, requests at any time, streams that begin at once. */
#define G_LOG_DOMAIN "rec.media.endpoint"
#include "media/rtp-tuning.h"

#define RECEIVER_REPORT_MS 100
#define SENDER_REPORT_MS 500
#define ASSUMED_BANDWIDTH 2e6 /* bit/s, of which five percent may be reports */
/* At the beginning of a stream: enough not to wait for an earlier one. */
#define PACKETS_IN_ORDER 2u

/* --- sessions --------------------------------------------------------------------------------------- */

/* With the default of 5 s a request for a keyframe can wait for most of a second, and a player learns late how sound and
 * picture belong together. What a small stream may spend on reports would stretch the interval again, and a request for
 * a lost packet, which has to keep the same distance from the report before, would come too late for the jitter buffer. */
static void
hurry_reports (GstElement *rtpsession, bool is_receiver)
{
  const guint64 interval_ms = is_receiver ? RECEIVER_REPORT_MS : SENDER_REPORT_MS;

  g_object_set (rtpsession, "rtcp-min-interval", interval_ms * GST_MSECOND, "bandwidth",
      ASSUMED_BANDWIDTH, NULL);
}

/* A report says at which time a packet belongs. By default that is when it leaves, for which the session must have been
 * told the pipeline's latency. One that was never told, which happens to some that connect while others do, adds the age
 * of the pipeline to each packet's time: a player then believes that it runs twice as fast. The buffer's own time, which is
 * the same for sound and picture, needs nothing. */
static void
report_own_times (GstElement *rtpsession)
{
  g_object_set (rtpsession, "rtcp-sync-send-time", FALSE, NULL);
}

/* A session with more members than this sends one request at most between two reports, and drops further ones: sound,
 * picture and what is sent again are members each. A lost packet must be asked for at once or not at all. */
static void
allow_requests_at_any_time (GstElement *rtpsession)
{
  g_autoptr (GObject) session = NULL;

  g_object_get (rtpsession, "internal-session", &session, NULL);
  g_object_set (session, "rtcp-immediate-feedback-threshold", REC_RTP_MAX_SOURCES, NULL);
}

void
rec_rtp_tune_session (GstElement *rtpsession, bool is_receiver)
{
  hurry_reports (rtpsession, is_receiver);
  report_own_times (rtpsession);
  allow_requests_at_any_time (rtpsession);
}

/* --- jitter buffers ----------------------------------------------------------------------------------- */

/* It would declare the packet after a pause lost before it was sent, and ask again for packets on their way. */
static void
expect_pauses (GstElement *jitter_buffer)
{
  g_object_set (jitter_buffer, "rtx-next-seqnum", FALSE, NULL);
}

/* It would keep a stream's first packets for its whole latency, in case one before them is still on its way, and then let
 * them all go at once. A browser that watches has this heap of sound waiting from then on, and takes seconds to play it
 * off a little faster than it was spoken, until it is with the picture again. */
static void
begin_at_once (GstElement *jitter_buffer)
{
  g_object_set (jitter_buffer, "faststart-min-packets", PACKETS_IN_ORDER, NULL);
}

void
rec_rtp_tune_jitter_buffer (GstElement *jitter_buffer)
{
  expect_pauses (jitter_buffer);
  begin_at_once (jitter_buffer);
}
