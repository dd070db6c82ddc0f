/* test-feed.c - what a recording's feed does while its worker reads, is busy, or is gone. */
#include "media/feed.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/config.h"
#include "base/fd.h"
#include "wire/packet.h"

#define AUDIO_ID 11
#define VIDEO_ID 12
#define PAYLOAD_SIZE 1000
#define WAIT_MS 5000

typedef struct {
  RecConfig *config;
  RecFeedPipe *pipe;
  RecFeed *feed, *other; /* other: NULL in most tests */
  int reader;            /* the worker's end */
  uint16_t sequence[2];
  uint8_t payload[4000];
} Fixture;

static void
configure (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  fixture->config = rec_config_new ();
  configure (fixture, "media.socket-buffer-bytes", "65536");
  configure (fixture, "media.feed-max-bytes", "65536");
  configure (fixture, "media.feed-max-ms", "60000");
  g_assert_true (rec_fd_socketpair (SOCK_SEQPACKET, fds, &error));
  fixture->reader = fds[1];
  fixture->pipe = rec_feed_pipe_new (fixture->config, fds[0], &error);
  g_assert_no_error (error);
  fixture->feed = rec_feed_new (fixture->pipe, NULL, AUDIO_ID, VIDEO_ID);
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  rec_feed_free (fixture->feed);
  rec_feed_pipe_free (fixture->pipe);
  rec_fd_close (&fixture->reader);
  rec_config_free (fixture->config);
}

static RecRtpPacket
make_packet (Fixture *fixture, RecTrackKind kind)
{
  uint16_t sequence = fixture->sequence[kind == REC_TRACK_AUDIO ? 0 : 1]++;

  return (RecRtpPacket){ .kind = kind,
    .payload_type = 96,
    .sequence = sequence,
    .timestamp = sequence * 100u,
    .ssrc = 7,
    .payload = fixture->payload,
    .payload_size = PAYLOAD_SIZE,
    .pts_ns = 1000 + sequence };
}

static void
push (RecFeed *feed, const RecRtpPacket *packet)
{
  RecOutput *output = rec_feed_get_output (feed);

  output->packet (output, packet);
}

static void
push_next (Fixture *fixture, RecTrackKind kind, bool is_keyframe)
{
  RecRtpPacket packet = make_packet (fixture, kind);

  packet.is_keyframe = is_keyframe;
  push (fixture->feed, &packet);
}

static RecFeedStats
get_stats (Fixture *fixture)
{
  RecFeedStats stats;

  rec_feed_get_stats (fixture->feed, &stats);
  return stats;
}

/* The worker is busy: fills its socket, until a first packet waits. */
static void
fill_socket (Fixture *fixture, RecTrackKind kind)
{
  while (rec_feed_get_queued_bytes (fixture->feed) == 0)
    push_next (fixture, kind, false);
}

static void
overflow (Fixture *fixture, RecTrackKind kind)
{
  fill_socket (fixture, kind);
  while (get_stats (fixture).dropped == 0)
    push_next (fixture, kind, false);
}

typedef struct {
  RecWirePacketHeader header;
  uint8_t rtp[REC_WIRE_PACKET_MAX];
  uint16_t sequence;
} Received;

static bool
has_queued (Fixture *fixture)
{
  return rec_feed_get_queued_bytes (fixture->feed) > 0 ||
         (fixture->other != NULL && rec_feed_get_queued_bytes (fixture->other) > 0);
}

/* Waits for the next message; false when there is none to come. */
static bool
receive (Fixture *fixture, Received *received)
{
  uint8_t message[REC_WIRE_PACKET_MAX + 1];
  struct pollfd fds = { fixture->reader, POLLIN, 0 };
  const uint8_t *rtp;
  ssize_t size = recv (fixture->reader, message, sizeof message, MSG_DONTWAIT);

  if (size < 0 && !has_queued (fixture))
    size = recv (fixture->reader, message, sizeof message, MSG_DONTWAIT);
  else if (size < 0 && poll (&fds, 1, WAIT_MS) == 1)
    size = recv (fixture->reader, message, sizeof message, MSG_DONTWAIT);
  if (size < 0)
    return false;
  g_assert_true (rec_wire_packet_parse (message, (size_t) size, &received->header, &rtp));
  memcpy (received->rtp, rtp, received->header.size);
  received->sequence = (uint16_t) (rtp[2] << 8 | rtp[3]);
  return true;
}

/* --- tests ---------------------------------------------------------------------------------------------- */

static void
passes_packets_on (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecRtpPacket packet = make_packet (fixture, REC_TRACK_VIDEO);
  Received received;

  fixture->payload[0] = 0xab;
  packet.marker = true;
  packet.timestamp = 0x01020304;
  packet.pts_ns = 123456789012;
  push (fixture->feed, &packet);
  g_assert_true (receive (fixture, &received));
  g_assert_cmpuint (received.header.track_id, ==, VIDEO_ID);
  g_assert_cmpuint (received.header.flags, ==, 0);
  g_assert_cmpint (received.header.pts_ns, ==, 123456789012);
  g_assert_cmpuint (received.header.size, ==, REC_RTP_HEADER_SIZE + PAYLOAD_SIZE);
  g_assert_cmpmem (received.rtp, 13, "\x80\xe0\0\0\1\2\3\4\0\0\0\7\xab", 13);
  g_assert_cmpuint (get_stats (fixture).sent, ==, 1);
}

static void
says_where_packets_are_missing (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecRtpPacket packet = make_packet (fixture, REC_TRACK_AUDIO);
  Received received;

  packet.n_lost = 1;
  push (fixture->feed, &packet);
  push_next (fixture, REC_TRACK_AUDIO, false);
  g_assert_true (receive (fixture, &received));
  g_assert_cmpuint (received.header.flags, ==, REC_WIRE_PACKET_DISCONT);
  g_assert_true (receive (fixture, &received));
  g_assert_cmpuint (received.header.flags, ==, 0);
}

static void
loses_nothing_within_its_bounds (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  Received received;

  fill_socket (fixture, REC_TRACK_VIDEO);
  for (unsigned i = 0; i < 10; i++)
    push_next (fixture, REC_TRACK_VIDEO, false);
  for (unsigned i = 0; i < fixture->sequence[1]; i++) {
    g_assert_true (receive (fixture, &received));
    g_assert_cmpuint (received.sequence, ==, i);
    g_assert_cmpuint (received.header.flags, ==, 0);
  }
  g_assert_false (receive (fixture, &received));
  g_assert_cmpuint (get_stats (fixture).dropped, ==, 0);
  g_assert_cmpuint (get_stats (fixture).sent, ==, fixture->sequence[1]);
}

static void
drops_video_to_the_next_keyframe (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  Received received;
  unsigned n_before = 0;
  uint16_t resumed;

  overflow (fixture, REC_TRACK_VIDEO);
  push_next (fixture, REC_TRACK_VIDEO, false);
  g_assert_cmpuint (rec_feed_get_queued_bytes (fixture->feed), ==, 0);
  g_assert_cmpuint (get_stats (fixture).keyframe_requests, >, 0);
  while (receive (fixture, &received))
    n_before++;
  push_next (fixture, REC_TRACK_VIDEO, false);
  resumed = fixture->sequence[1];
  push_next (fixture, REC_TRACK_VIDEO, true);
  push_next (fixture, REC_TRACK_VIDEO, false);
  g_assert_true (receive (fixture, &received));
  g_assert_cmpuint (received.sequence, ==, resumed);
  g_assert_cmpuint (received.header.flags, ==, REC_WIRE_PACKET_DISCONT);
  g_assert_true (receive (fixture, &received));
  g_assert_cmpuint (received.header.flags, ==, 0);
  g_assert_cmpuint (n_before + 2 + get_stats (fixture).dropped, ==, fixture->sequence[1]);
}

static void
keeps_audio_when_video_overflows (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  Received received;
  unsigned n_audio = 0;

  fill_socket (fixture, REC_TRACK_VIDEO);
  for (unsigned i = 0; i < 20; i++)
    push_next (fixture, REC_TRACK_AUDIO, false);
  while (get_stats (fixture).dropped == 0)
    push_next (fixture, REC_TRACK_VIDEO, false);
  while (receive (fixture, &received)) {
    if (received.header.track_id == VIDEO_ID)
      continue;
    g_assert_cmpuint (received.sequence, ==, n_audio++);
    g_assert_cmpuint (received.header.flags, ==, 0);
  }
  g_assert_cmpuint (n_audio, ==, 20);
}

static void
drops_the_oldest_audio_last (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  Received received;
  uint16_t expected = 0;
  unsigned n_jumps = 0;

  overflow (fixture, REC_TRACK_AUDIO);
  while (receive (fixture, &received)) {
    bool is_jump = received.sequence != expected;

    g_assert_cmpuint (received.header.flags, ==, is_jump ? REC_WIRE_PACKET_DISCONT : 0);
    n_jumps += is_jump ? 1 : 0;
    expected = (uint16_t) (received.sequence + 1);
  }
  g_assert_cmpuint (n_jumps, ==, 1);
  g_assert_cmpuint (expected, ==, fixture->sequence[0]);
}

static void
drops_what_has_waited_too_long (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  int64_t start_us;

  rec_feed_free (fixture->feed);
  rec_feed_pipe_free (fixture->pipe);
  rec_fd_close (&fixture->reader);
  configure (fixture, "media.feed-max-ms", "100");
  configure (fixture, "media.feed-max-bytes", "1000000000");

  int fds[2];
  g_assert_true (rec_fd_socketpair (SOCK_SEQPACKET, fds, NULL));
  fixture->reader = fds[1];
  fixture->pipe = rec_feed_pipe_new (fixture->config, fds[0], NULL);
  fixture->feed = rec_feed_new (fixture->pipe, NULL, AUDIO_ID, VIDEO_ID);
  fill_socket (fixture, REC_TRACK_VIDEO);
  start_us = g_get_monotonic_time ();
  while (get_stats (fixture).dropped == 0 &&
         g_get_monotonic_time () - start_us < WAIT_MS * G_TIME_SPAN_MILLISECOND) {
    push_next (fixture, REC_TRACK_AUDIO, false);
    g_usleep (1000); /* sound comes at intervals */
  }
  g_assert_cmpint (g_get_monotonic_time () - start_us, >=, 90 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (get_stats (fixture).dropped, >, 0);
}

static void
does_not_disturb_the_other_feed (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecFeedStats stats;
  Received received;
  unsigned n_other = 0;

  fixture->other = rec_feed_new (fixture->pipe, NULL, 21, 22);
  overflow (fixture, REC_TRACK_VIDEO);
  for (unsigned i = 0; i < 5; i++) {
    RecRtpPacket packet = make_packet (fixture, REC_TRACK_AUDIO);
    push (fixture->other, &packet);
  }
  g_assert_cmpuint (rec_feed_get_queued_bytes (fixture->other), >, 0);
  while (n_other < 5) {
    g_assert_true (receive (fixture, &received));
    n_other += received.header.track_id == 21 ? 1 : 0;
  }
  rec_feed_get_stats (fixture->other, &stats);
  g_assert_cmpuint (stats.dropped, ==, 0);
  g_assert_cmpuint (stats.sent, ==, 5);
  rec_feed_free (fixture->other);
}

static void
leaves_out_a_medium_without_an_id (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecFeed *silent = rec_feed_new (fixture->pipe, NULL, 0, 22);
  RecRtpPacket audio = make_packet (fixture, REC_TRACK_AUDIO);
  RecRtpPacket video = make_packet (fixture, REC_TRACK_VIDEO);
  Received received;

  push (silent, &audio);
  push (silent, &video);
  g_assert_true (receive (fixture, &received));
  g_assert_cmpuint (received.header.track_id, ==, 22);
  g_assert_false (receive (fixture, &received));
  rec_feed_free (silent);
}

static void
drops_a_packet_that_is_too_large (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecRtpPacket packet = make_packet (fixture, REC_TRACK_VIDEO);
  Received received;

  packet.payload_size = sizeof fixture->payload;
  push (fixture->feed, &packet);
  push_next (fixture, REC_TRACK_VIDEO, false);
  g_assert_cmpuint (get_stats (fixture).dropped, ==, 1);
  g_assert_true (receive (fixture, &received));
  g_assert_cmpuint (received.header.flags, ==, REC_WIRE_PACKET_DISCONT);
}

static void
outlives_its_worker (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  fill_socket (fixture, REC_TRACK_VIDEO);
  rec_fd_close (&fixture->reader);
  while (rec_feed_get_queued_bytes (fixture->feed) > 0)
    push_next (fixture, REC_TRACK_VIDEO, true);
  uint64_t sent = get_stats (fixture).sent;
  push_next (fixture, REC_TRACK_VIDEO, true);
  g_assert_cmpuint (get_stats (fixture).sent, ==, sent);
}

static void
forgets_what_waits_when_detached (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecFeed *other = rec_feed_new (fixture->pipe, NULL, 21, 22);
  Received received;
  unsigned n_before, n_received = 0;

  fill_socket (fixture, REC_TRACK_VIDEO);
  n_before = (unsigned) get_stats (fixture).sent;
  RecRtpPacket packet = make_packet (fixture, REC_TRACK_AUDIO);
  push (other, &packet);
  rec_feed_free (other);
  while (receive (fixture, &received)) {
    g_assert_cmpuint (received.header.track_id, ==, VIDEO_ID);
    n_received++;
  }
  g_assert_cmpuint (n_received, >=, n_before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/feed/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("passes-packets-on", passes_packets_on);
  ADD ("says-where-packets-are-missing", says_where_packets_are_missing);
  ADD ("loses-nothing-within-its-bounds", loses_nothing_within_its_bounds);
  ADD ("drops-video-to-the-next-keyframe", drops_video_to_the_next_keyframe);
  ADD ("keeps-audio-when-video-overflows", keeps_audio_when_video_overflows);
  ADD ("drops-the-oldest-audio-last", drops_the_oldest_audio_last);
  ADD ("drops-what-has-waited-too-long", drops_what_has_waited_too_long);
  ADD ("does-not-disturb-the-other-feed", does_not_disturb_the_other_feed);
  ADD ("leaves-out-a-medium-without-an-id", leaves_out_a_medium_without_an_id);
  ADD ("drops-a-packet-that-is-too-large", drops_a_packet_that_is_too_large);
  ADD ("outlives-its-worker", outlives_its_worker);
  ADD ("forgets-what-waits-when-detached", forgets_what_waits_when_detached);
  return g_test_run ();
}
