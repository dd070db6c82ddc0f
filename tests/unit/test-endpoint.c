/* test-endpoint.c - what waits for a subscriber that takes nothing, and what time it is told that a packet has. */
#include "media/endpoint.h"

#include "lib/fake-browser.h"
#include "lib/library-leaks.h"
#include "lib/wait.h"

#include <gst/gst.h>

#include "base/lock.h"
#include "base/main-thread.h"
#include "media/rtp.h"

#define MAX_PACKETS 50
#define N_PACKETS 400
#define NTP_OF_1970_S INT64_C (2208988800)

typedef struct {
  FakeBrowser *watcher;
  RecSdpOffer *offer;
  RecEndpointSettings settings;
  RecEndpoint *endpoint;
  GPtrArray *theirs; /* candidates of the watcher */
  RecLock lock;      /* guards the rest */
  GPtrArray *ours;   /* candidates of the endpoint */
  bool is_gathered, is_connected;
} Fixture;

/* --- what the endpoint tells --------------------------------------------------------------------------- */

static void
on_candidate (const char *candidate, void *data)
{
  Fixture *fixture = data;

  REC_LOCKED (&fixture->lock);
  g_ptr_array_add (fixture->ours, g_strdup (candidate));
}

static void
on_gathered (void *data)
{
  Fixture *fixture = data;

  REC_LOCKED (&fixture->lock);
  fixture->is_gathered = true;
}

static void
on_connected (void *data)
{
  Fixture *fixture = data;

  REC_LOCKED (&fixture->lock);
  fixture->is_connected = true;
}

static void
on_failed (const char *why, void *data G_GNUC_UNUSED)
{
  g_error ("the endpoint failed: %s", why);
}

static void
ignore (void *data G_GNUC_UNUSED)
{
}

static const RecEndpointEvents events = {
  .candidate = on_candidate,
  .gathered = on_gathered,
  .connected = on_connected,
  .failed = on_failed,
  .latency_changed = ignore,
  .wants_keyframe = ignore,
};

static bool
is_gathered (Fixture *fixture)
{
  REC_LOCKED (&fixture->lock);
  return fixture->is_gathered;
}

static bool
is_connected (Fixture *fixture)
{
  REC_LOCKED (&fixture->lock);
  return fixture->is_connected;
}

/* --- the fixture ----------------------------------------------------------------------------------------- */

static void
keep_candidate (const char *candidate, unsigned mline_index G_GNUC_UNUSED, void *data)
{
  Fixture *fixture = data;

  g_ptr_array_add (fixture->theirs, g_strdup (candidate));
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static char *addresses[] = { (char *) "127.0.0.1", NULL };
  const RecTrackFormat format = {
    .kind = REC_TRACK_AUDIO, .codec = "OPUS", .payload_type = 111, .clock_rate = 48000
  };
  const RecSdpWish wish = { .sends = true, .audio = &format };
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  g_autoptr (GError) error = NULL;

  rec_lock_init (&fixture->lock);
  fixture->theirs = g_ptr_array_new_with_free_func (g_free);
  fixture->ours = g_ptr_array_new_with_free_func (g_free);
  fixture->watcher = fake_watcher_new (FAKE_AUDIO, keep_candidate, fixture);
  fixture->offer = rec_sdp_offer_parse (fake_browser_make_offer (fixture->watcher), &wish, &error);
  g_assert_no_error (error);
  fixture->settings = (RecEndpointSettings){
    .base_time_ns = (int64_t) gst_clock_get_time (clock),
    .latency_ms = 50,
    .min_port = 1024,
    .max_port = 65535,
    .max_packets = MAX_PACKETS,
    .timeout_ms = 20000,
    .local_addresses = addresses,
  };
  fixture->endpoint =
      rec_endpoint_new (&fixture->settings, fixture->offer, "stream", &events, fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_endpoint_stop (fixture->endpoint);
  rec_endpoint_free (fixture->endpoint);
  rec_sdp_offer_free (fixture->offer);
  fake_browser_free (fixture->watcher);
  g_ptr_array_unref (fixture->theirs);
  g_ptr_array_unref (fixture->ours);
  rec_lock_clear (&fixture->lock);
}

/* Both sides know of each other. */
static void
connect_both (Fixture *fixture, const char *answer)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *complete = NULL;

  WAIT_UNTIL (is_gathered (fixture) && fixture->theirs->len > 0);
  {
    REC_LOCKED (&fixture->lock);
    complete = rec_sdp_complete_answer (fixture->offer, answer,
        &(RecSdpAnswerFacts){ .msid = "stream", .candidates = fixture->ours }, &error);
  }
  g_assert_no_error (error);
  fake_browser_take_answer (fixture->watcher, complete);
  for (unsigned i = 0; i < fixture->theirs->len; i++)
    rec_endpoint_add_candidate (fixture->endpoint, fixture->theirs->pdata[i]);
  WAIT_UNTIL (is_connected (fixture));
}

static void
send_packet (Fixture *fixture, unsigned i)
{
  const int64_t pts_ns = g_get_monotonic_time () * 1000;
  const RecRtpPacket packet = { .kind = REC_TRACK_AUDIO,
    .payload_type = 111,
    .sequence = (uint16_t) (1000 + i),
    .timestamp = (uint32_t) ((pts_ns - fixture->settings.base_time_ns) / 1000 * 48 / 1000),
    .ssrc = rec_endpoint_get_ssrc (fixture->endpoint, 0) };
  const uint8_t payload[] = { 0xfc, 0xff, 0xfe }; /* silence */
  uint8_t header[REC_RTP_HEADER_SIZE];

  rec_rtp_write_header (&packet, header);
  rec_endpoint_send (fixture->endpoint, 0, header, sizeof header, payload, sizeof payload, pts_ns);
}

/* --- reports --------------------------------------------------------------------------------------------------- */

static bool
read_report (const GstStructure *source, int64_t *wall_us, uint32_t *timestamp)
{
  gboolean has_report = FALSE;
  guint64 ntp = 0;

  if (!gst_structure_get (source, "have-sr", G_TYPE_BOOLEAN, &has_report, "sr-ntptime",
          G_TYPE_UINT64, &ntp, "sr-rtptime", G_TYPE_UINT, timestamp, NULL) ||
      !has_report)
    return false;
  *wall_us = (int64_t) (ntp >> 32) * G_USEC_PER_SEC - NTP_OF_1970_S * G_USEC_PER_SEC +
             (int64_t) (((ntp & 0xffffffff) * G_USEC_PER_SEC) >> 32);
  return true;
}

/* The latest one about any stream that the watcher has, if one has come. *wall_us: since 1970. */
static bool
read_watchers_report (FakeBrowser *watcher, int64_t *wall_us, uint32_t *timestamp)
{
  g_autoptr (GstElement)
      rtpbin = gst_bin_get_by_name (GST_BIN (fake_browser_get_webrtc (watcher)), "rtpbin");
  g_autoptr (GObject) session = NULL;
  g_autoptr (GstStructure) stats = NULL;
  const GValue *sources;
  bool is_found = false;

  g_signal_emit_by_name (rtpbin, "get-internal-session", 0u, &session);
  if (session == NULL)
    return false;
  g_object_get (session, "stats", &stats, NULL);
  sources = gst_structure_get_value (stats, "source-stats");

  const GValueArray *array = g_value_get_boxed (sources);

  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  for (guint i = 0; i < array->n_values && !is_found; i++)
    is_found = read_report (g_value_get_boxed (&array->values[i]), wall_us, timestamp);
  G_GNUC_END_IGNORE_DEPRECATIONS
  return is_found;
}

/* --- the tests ------------------------------------------------------------------------------------------------ */

/* Before the transport is up nothing goes out: the longest pause there is. */
static void
keeps_no_more_than_configured (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = rec_endpoint_negotiate (fixture->endpoint, &error);
  unsigned n_sent = 0, n_received;

  g_assert_no_error (error);
  while (n_sent < N_PACKETS)
    send_packet (fixture, n_sent++);
  connect_both (fixture, answer);
  /* What comes now is not held up by what was dropped. */
  do {
    send_packet (fixture, n_sent++);
    g_assert_cmpuint (n_sent, <, N_PACKETS + 2000);
    g_main_context_iteration (NULL, FALSE);
    g_usleep (10000);
    n_received = fake_browser_get_received (fixture->watcher).audio;
  } while (n_received < MAX_PACKETS + 50);
  g_test_message ("%u sent, %u of them while it took nothing; %u received, with %u holes", n_sent,
      N_PACKETS, n_received, fake_browser_get_received (fixture->watcher).audio_holes);
  /* One may be in the transport's hand already. */
  g_assert_cmpuint (n_received, <=, n_sent - N_PACKETS + MAX_PACKETS + 1);
}

/* Players place sound and picture by these reports. An endpoint of a server that has run for an hour. */
static void
reports_at_which_time_a_packet_was (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = NULL;
  unsigned n_sent = 0;
  uint32_t timestamp;
  int64_t wall_us, base_wall_us, off;

  fixture->settings.base_time_ns -= INT64_C (3600000000000);
  answer = rec_endpoint_negotiate (fixture->endpoint, &error);
  g_assert_no_error (error);
  connect_both (fixture, answer);
  while (!read_watchers_report (fixture->watcher, &wall_us, &timestamp)) {
    send_packet (fixture, n_sent++);
    g_assert_cmpuint (n_sent, <, 2000);
    g_main_context_iteration (NULL, FALSE);
    g_usleep (10000);
  }
  base_wall_us = g_get_real_time () - g_get_monotonic_time () +
                 fixture->settings.base_time_ns / 1000;
  off = (int32_t) (timestamp - (uint32_t) ((wall_us - base_wall_us) * 48 / 1000));
  g_test_message ("after %u packets, %.1f ms off", n_sent, (double) off / 48);
  g_assert_cmpint (ABS (off), <, 48000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  rec_main_thread_claim ();
  g_test_add ("/endpoint/keeps-no-more-than-configured", Fixture, NULL, set_up,
      keeps_no_more_than_configured, tear_down);
  g_test_add ("/endpoint/reports-at-which-time-a-packet-was", Fixture, NULL, set_up,
      reports_at_which_time_a_packet_was, tear_down);
  return g_test_run ();
}
