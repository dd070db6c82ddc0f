/* test-router.c - streams from browsers through the router to watchers and recordings, over real transports. */
#include "media/router.h"

#include "lib/library-leaks.h"
#include "lib/router-rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"
#include "media/rtp.h"
#include "wire/packet.h"

#define MAX_IDLE_THREADS 12 /* a peer connection has about as many */
#define AUDIO_ID 1
#define VIDEO_ID 2

/* --- what every test does ----------------------------------------------------------------------------------- */

static void
send_viewer_candidate (const char *candidate, unsigned mline_index, void *data)
{
  RouterRig *fixture = data;

  rec_router_add_candidate (fixture->router, fixture->viewer, fixture->owner, candidate, NULL,
      (int) mline_index);
}

static FakeBrowser *
watch (RouterRig *fixture, FakeMedia media, char **text)
{
  FakeBrowser *browser = fake_watcher_new (media, send_viewer_candidate, fixture);
  RouterAnswer answer = { 0 };

  rec_router_subscribe (fixture->router, fixture->owner->stream, fixture->viewer,
      fake_browser_make_offer (browser), router_rig_take_answer, &answer);
  WAIT_UNTIL (answer.n_given > 0);
  g_assert_no_error (answer.error);
  fake_browser_take_answer (browser, answer.text);
  if (text != NULL)
    *text = g_strdup (answer.text);
  router_rig_clear_answer (&answer);
  return browser;
}

static RecRouterStats
get_stats (RouterRig *fixture)
{
  RecRouterStats stats;

  rec_router_get_stats (fixture->router, &stats);
  return stats;
}

/* A recording's end of the media socket. */
typedef struct {
  RecFeedPipe *pipe;
  RecFeed *feed;
  int fd;
  unsigned audio, video, keyframes, backwards;
  int64_t pts_ns[3];
  int64_t first_age_ns; /* of the first packet, when it was read */
} Recording;

static void
attach (RouterRig *fixture, Recording *recording, uint32_t audio_id, uint32_t video_id)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  *recording = (Recording){ 0 };
  g_assert_true (rec_fd_socketpair (SOCK_SEQPACKET, fds, &error));
  recording->fd = fds[1];
  recording->pipe = rec_feed_pipe_new (fixture->config, fds[0], &error);
  g_assert_no_error (error);
  recording->feed = rec_router_attach_feed (fixture->router, fixture->owner->stream,
      recording->pipe, audio_id, video_id, &error);
  g_assert_no_error (error);
}

static void
detach (RouterRig *fixture, Recording *recording)
{
  rec_router_detach_feed (fixture->router, recording->feed);
  rec_feed_pipe_free (recording->pipe);
  rec_fd_close (&recording->fd);
}

static bool
read_packets (Recording *recording)
{
  uint8_t message[REC_WIRE_PACKET_MAX];
  RecWirePacketHeader header;
  const uint8_t *rtp;
  ssize_t size;

  while ((size = recv (recording->fd, message, sizeof message, MSG_DONTWAIT)) > 0) {
    g_assert_true (rec_wire_packet_parse (message, (size_t) size, &header, &rtp));
    g_assert_cmpuint (header.track_id, <=, 2);
    recording->backwards += header.pts_ns < recording->pts_ns[header.track_id] ? 1 : 0;
    if (recording->audio + recording->video == 0)
      recording->first_age_ns = g_get_monotonic_time () * 1000 - header.pts_ns;
    recording->pts_ns[header.track_id] = header.pts_ns;
    if (header.track_id == AUDIO_ID) {
      recording->audio++;
      continue;
    }
    recording->video++;
    recording->keyframes +=
        rec_rtp_is_keyframe ("VP8", rtp + REC_RTP_HEADER_SIZE, header.size - REC_RTP_HEADER_SIZE)
            ? 1
            : 0;
  }
  return true;
}

static unsigned
count_entries (const char *path)
{
  DIR *directory = opendir (path);
  unsigned n = 0;

  while (readdir (directory) != NULL)
    n++;
  closedir (directory);
  return n;
}

/* --- tests ------------------------------------------------------------------------------------------------------ */

static void
feeds_a_recording (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  RecTrackFormat format;
  Recording recording;
  int64_t now_ns;

  g_assert_true (
      rec_router_get_format (fixture->router, fixture->owner->stream, REC_TRACK_VIDEO, &format));
  g_assert_cmpstr (format.codec, ==, "VP8");
  g_assert_cmpuint (format.payload_type, ==, 96);
  g_assert_cmpuint (format.clock_rate, ==, 90000);
  attach (fixture, &recording, AUDIO_ID, VIDEO_ID);
  WAIT_UNTIL (read_packets (&recording) && recording.audio > 30 && recording.video > 10);
  now_ns = g_get_monotonic_time () * 1000;
  g_assert_cmpint (ABS (now_ns - recording.pts_ns[AUDIO_ID]), <, 1000000000);
  g_assert_cmpint (ABS (now_ns - recording.pts_ns[VIDEO_ID]), <, 1000000000);
  g_assert_cmpuint (recording.backwards, ==, 0);
  g_assert_cmpuint (recording.keyframes, >, 0);
  detach (fixture, &recording);
  fake_browser_free (browser);
}

static void
gives_a_new_recording_a_keyframe (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_VIDEO);
  Recording first, second;

  attach (fixture, &first, 0, VIDEO_ID);
  WAIT_UNTIL (read_packets (&first) && first.keyframes > 0 && first.video > 20);
  attach (fixture, &second, 0, VIDEO_ID);
  WAIT_UNTIL (read_packets (&second) && second.keyframes > 0);
  g_assert_cmpuint (fake_browser_count_keyframe_wishes (browser), >, 0);
  detach (fixture, &second);
  detach (fixture, &first);
  fake_browser_free (browser);
}

static void
records_only_the_asked_medium (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  Recording recording;

  attach (fixture, &recording, AUDIO_ID, 0);
  WAIT_UNTIL (read_packets (&recording) && recording.audio > 50);
  g_assert_cmpuint (recording.video, ==, 0);
  detach (fixture, &recording);
  fake_browser_free (browser);
}

static void
forwards_to_a_subscriber (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  g_autofree char *answer = NULL;
  FakeBrowser *watcher = watch (fixture, FAKE_AUDIO | FAKE_VIDEO, &answer);
  g_autofree char *msid = g_strdup_printf (" msid:%s ", fixture->owner->stream->id);
  unsigned n_before;

  g_assert_nonnull (strstr (answer, msid));
  WAIT_UNTIL (fake_browser_get_received (watcher).audio > 30 &&
              fake_browser_get_received (watcher).keyframes > 0);
  g_autofree char *ssrc =
      g_strdup_printf ("a=ssrc:%u cname:", fake_browser_get_received (watcher).video_ssrc);
  g_assert_nonnull (strstr (answer, ssrc));
  n_before = fake_browser_get_received (watcher).keyframes;
  fake_browser_ask_for_keyframe (watcher);
  WAIT_UNTIL (fake_browser_get_received (watcher).keyframes > n_before);
  g_assert_cmpuint (fake_browser_get_received (watcher).holes, ==, 0);
  g_assert_cmpuint (get_stats (fixture).subscribers, ==, 1);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
forwards_the_sound_alone (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  FakeBrowser *watcher = watch (fixture, FAKE_AUDIO, NULL);

  WAIT_UNTIL (fake_browser_get_received (watcher).audio > 30);
  g_assert_cmpuint (fake_browser_get_received (watcher).video, ==, 0);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
gives_a_publisher_its_own_media_back (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *answer = NULL;
  FakeBrowser *browser, *watcher;
  Recording recording;

  rec_registry_end_stream (fixture->registry, fixture->owner->stream, "test");
  router_rig_add_stream (fixture, true);
  browser = router_rig_publish_and_tell (fixture, FAKE_AUDIO | FAKE_VIDEO, &answer);
  g_autofree char *msid = g_strdup_printf (" msid:%s ", fixture->owner->stream->id);
  g_assert_nonnull (strstr (answer, "a=sendrecv"));
  g_assert_null (strstr (answer, "a=recvonly"));
  g_assert_nonnull (strstr (answer, msid));
  watcher = watch (fixture, FAKE_AUDIO | FAKE_VIDEO, NULL);
  attach (fixture, &recording, AUDIO_ID, VIDEO_ID);
  WAIT_UNTIL (fake_browser_get_received (browser).audio > 30 &&
              fake_browser_get_received (browser).keyframes > 0);
  WAIT_UNTIL (fake_browser_get_received (watcher).keyframes > 0);
  WAIT_UNTIL (read_packets (&recording) && recording.audio > 30 && recording.keyframes > 0);
  g_assert_cmpuint (fake_browser_get_received (browser).holes, ==, 0);
  g_assert_cmpuint (get_stats (fixture).subscribers, ==, 1);
  detach (fixture, &recording);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
only_receives_from_who_does_not_want_it_back (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *answer = NULL;
  FakeBrowser *browser = router_rig_publish_and_tell (fixture, FAKE_AUDIO | FAKE_VIDEO, &answer);

  g_assert_nonnull (strstr (fake_browser_make_offer (browser), "a=sendrecv"));
  g_assert_nonnull (strstr (answer, "a=recvonly"));
  g_assert_null (strstr (answer, "a=sendrecv"));
  fake_browser_free (browser);
}

/* Each loss makes a hole that nobody can fill: the publisher has no retransmission. */
static void
hides_losses_and_asks_for_keyframes (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  FakeBrowser *watcher = watch (fixture, FAKE_AUDIO | FAKE_VIDEO, NULL);
  unsigned n_wishes;

  WAIT_UNTIL (fake_browser_get_received (watcher).keyframes > 0);
  n_wishes = fake_browser_count_keyframe_wishes (browser);
  fake_browser_lose_video (browser, 33);
  WAIT_UNTIL (get_stats (fixture).packets_lost > 1);
  WAIT_UNTIL (fake_browser_count_keyframe_wishes (browser) > n_wishes);
  fake_browser_lose_video (browser, 0);
  n_wishes = fake_browser_get_received (watcher).video;
  WAIT_UNTIL (fake_browser_get_received (watcher).video > n_wishes + 10);
  g_assert_cmpuint (fake_browser_get_received (watcher).holes, ==, 0);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

/* The publisher resends what was lost, so nobody has to do without it. */
static void
asks_again_for_lost_packets (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  FakeBrowser *browser = router_rig_publish_and_tell (fixture, FAKE_VIDEO | FAKE_RESENDS, &text);
  FakeBrowser *watcher = watch (fixture, FAKE_VIDEO, NULL);

  g_assert_nonnull (strstr (text, "rtx/90000"));
  WAIT_UNTIL (fake_browser_get_received (watcher).keyframes > 0);
  fake_browser_lose_video (browser, 10);
  WAIT_UNTIL (fake_browser_count_lost (browser) >= 10);
  fake_browser_lose_video (browser, 0);
  const unsigned n_received = fake_browser_get_received (watcher).video;
  WAIT_UNTIL (fake_browser_get_received (watcher).video > n_received + 10);
  g_test_message ("%u packets lost on the way, %u of them for good",
      fake_browser_count_lost (browser), (unsigned) get_stats (fixture).packets_lost);
  /* Some may come too late when the machine is busy. */
  g_assert_cmpuint (get_stats (fixture).packets_lost, <, fake_browser_count_lost (browser) / 2);
  g_assert_cmpuint (fake_browser_get_received (watcher).holes, ==, 0);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

/* What is lost on the way to one who watches is sent to him again. */
static void
sends_again_what_a_watcher_lost (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_VIDEO);
  FakeBrowser *watcher = watch (fixture, FAKE_VIDEO | FAKE_RESENDS, NULL);

  WAIT_UNTIL (fake_browser_get_received (watcher).keyframes > 0);
  fake_browser_lose_video (watcher, 10);
  WAIT_UNTIL (fake_browser_count_lost (watcher) >= 10);
  fake_browser_lose_video (watcher, 0);
  const unsigned n_received = fake_browser_get_received (watcher).video;
  WAIT_UNTIL (fake_browser_get_received (watcher).video > n_received + 10);
  g_test_message ("%u packets lost on the way, %u of them for good",
      fake_browser_count_lost (watcher), fake_browser_get_received (watcher).holes);
  g_assert_cmpuint (fake_browser_get_received (watcher).holes, <,
      fake_browser_count_lost (watcher) / 2);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
goes_on_when_the_publisher_comes_back (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *first = router_rig_publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  FakeBrowser *watcher = watch (fixture, FAKE_AUDIO | FAKE_VIDEO, NULL);
  FakeBrowser *second;
  Recording recording;
  unsigned n_video, n_keyframes;
  uint32_t ssrc;

  attach (fixture, &recording, AUDIO_ID, VIDEO_ID);
  WAIT_UNTIL (fake_browser_get_received (watcher).keyframes > 0);
  ssrc = fake_browser_get_received (watcher).video_ssrc;
  second = router_rig_publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  fake_browser_free (first);
  n_video = fake_browser_get_received (watcher).video;
  n_keyframes = fake_browser_get_received (watcher).keyframes;
  WAIT_UNTIL (fake_browser_get_received (watcher).video > n_video + 20 &&
              fake_browser_get_received (watcher).keyframes > n_keyframes);
  g_assert_cmpuint (fake_browser_get_received (watcher).video_ssrc, ==, ssrc);
  g_assert_cmpuint (fake_browser_get_received (watcher).holes, ==, 0);
  g_assert_cmpuint (fake_browser_get_received (watcher).leaps, ==, 0);
  read_packets (&recording);
  g_assert_cmpuint (recording.backwards, ==, 0);
  g_assert_null (fixture->lost);
  detach (fixture, &recording);
  fake_browser_free (watcher);
  fake_browser_free (second);
}

static void
leaves_nothing_behind (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  unsigned n_threads = 0, n_fds = 0;

  /* The first round opens what libraries keep for good. */
  for (unsigned round = 0; round < 3; round++) {
    FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
    FakeBrowser *watcher = watch (fixture, FAKE_AUDIO | FAKE_VIDEO, NULL);

    WAIT_UNTIL (fake_browser_get_received (watcher).video > 0);
    rec_registry_end_stream (fixture->registry, fixture->owner->stream, "test");
    fake_browser_free (watcher);
    fake_browser_free (browser);
    g_assert_cmpuint (get_stats (fixture).publishers, ==, 0);
    g_assert_cmpuint (get_stats (fixture).subscribers, ==, 0);
    router_rig_add_stream (fixture, false);
    if (round == 1) {
      WAIT_UNTIL (count_entries ("/proc/self/task") < MAX_IDLE_THREADS);
      n_threads = count_entries ("/proc/self/task");
      n_fds = count_entries ("/proc/self/fd");
    } else if (round == 2) {
      WAIT_UNTIL (count_entries ("/proc/self/task") <= n_threads &&
                  count_entries ("/proc/self/fd") <= n_fds);
    }
  }
}

/* The first packets don't wait for the jitter buffer's 2.5 s. A machine that is busy with something else may keep us waiting
 * for as long, but not each time. */
static void
begins_at_once (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  int64_t age_ns = INT64_MAX;

  for (unsigned i = 0; i < 3 && age_ns > 1250 * INT64_C (1000000); i++) {
    FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO);
    Recording recording;

    attach (fixture, &recording, AUDIO_ID, 0);
    WAIT_UNTIL (read_packets (&recording) && recording.audio > 0);
    age_ns = recording.first_age_ns;
    g_test_message ("the first packet is %.1f ms old", (double) age_ns / 1e6);
    detach (fixture, &recording);
    fake_browser_free (browser);
  }
  g_assert_cmpint (age_ns, <=, 1250 * INT64_C (1000000));
}

static void
reports_a_silent_publisher (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO);
  Recording recording;

  attach (fixture, &recording, AUDIO_ID, 0);
  WAIT_UNTIL (read_packets (&recording) && recording.audio > 0);
  fake_browser_free (browser);
  WAIT_UNTIL (fixture->lost != NULL);
  detach (fixture, &recording);
}

static void
reports_a_publisher_that_never_connects (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = fake_publisher_new (FAKE_AUDIO, NULL, NULL);
  RouterAnswer answer = { 0 };

  rec_router_publish (fixture->router, fixture->owner->stream, fake_browser_make_offer (browser),
      router_rig_take_answer, &answer);
  WAIT_UNTIL (answer.n_given > 0);
  g_assert_no_error (answer.error);
  WAIT_UNTIL (fixture->lost != NULL);
  router_rig_clear_answer (&answer);
  fake_browser_free (browser);
}

static void
keeps_candidates_for_the_offer (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = fake_publisher_new (FAKE_AUDIO, router_rig_send_owner_candidate, fixture);
  const char *offer = fake_browser_make_offer (browser);
  RouterAnswer answer = { 0 };
  Recording recording;

  rec_router_add_candidate (fixture->router, fixture->owner, fixture->owner,
      "candidate:1 1 udp 1 nobody.local 9 typ host", "audio0", 0);
  for (unsigned i = 0; i < 10000; i++)
    rec_router_add_candidate (fixture->router, fixture->viewer, fixture->owner,
        "candidate:1 1 udp 1 192.0.2.1 9 typ host", NULL, -1);
  /* Those of the browser come now, before its offer. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  rec_router_publish (fixture->router, fixture->owner->stream, offer, router_rig_take_answer,
      &answer);
  WAIT_UNTIL (answer.n_given > 0);
  g_assert_no_error (answer.error);
  g_assert_nonnull (strstr (answer.text, " 127.0.0.1 "));
  fake_browser_take_answer (browser, answer.text);
  attach (fixture, &recording, AUDIO_ID, 0);
  WAIT_UNTIL (read_packets (&recording) && recording.audio > 0);
  g_assert_cmpuint (fixture->n_local_candidates, ==, 0);
  detach (fixture, &recording);
  router_rig_clear_answer (&answer);
  fake_browser_free (browser);
}

static void
answers_what_it_owes_when_a_stream_ends (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO);
  FakeBrowser *watcher = fake_watcher_new (FAKE_AUDIO, NULL, NULL);
  RouterAnswer first = { 0 }, second = { 0 };

  rec_router_subscribe (fixture->router, fixture->owner->stream, fixture->viewer,
      fake_browser_make_offer (watcher), router_rig_take_answer, &first);
  rec_router_publish (fixture->router, fixture->owner->stream, fake_browser_make_offer (browser),
      router_rig_take_answer, &second);
  rec_registry_end_stream (fixture->registry, fixture->owner->stream, "test");
  g_assert_cmpuint (first.n_given, ==, 1);
  g_assert_cmpuint (second.n_given, ==, 1);
  g_assert_error (first.error, REC_ERROR, REC_ERROR_NOT_FOUND);
  g_assert_error (second.error, REC_ERROR, REC_ERROR_NOT_FOUND);
  router_rig_clear_answer (&first);
  router_rig_clear_answer (&second);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
closes_the_subscriptions_of_who_leaves (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO);
  FakeBrowser *watcher = watch (fixture, FAKE_AUDIO, NULL);

  WAIT_UNTIL (fake_browser_get_received (watcher).audio > 0);
  rec_registry_leave (fixture->registry, fixture->viewer, "disconnect");
  g_assert_cmpuint (get_stats (fixture).subscribers, ==, 0);
  g_assert_cmpuint (get_stats (fixture).publishers, ==, 1);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
replaces_the_peer_of_a_second_offer (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO);
  FakeBrowser *first = watch (fixture, FAKE_AUDIO, NULL);
  FakeBrowser *second = watch (fixture, FAKE_AUDIO, NULL);

  WAIT_UNTIL (fake_browser_get_received (second).audio > 10);
  g_assert_cmpuint (get_stats (fixture).subscribers, ==, 1);
  fake_browser_free (second);
  fake_browser_free (first);
  fake_browser_free (browser);
}

static void
assert_refused (RouterRig *fixture, const char *offer, int code)
{
  RouterAnswer answer = { 0 };

  rec_router_publish (fixture->router, fixture->owner->stream, offer, router_rig_take_answer,
      &answer);
  g_assert_cmpuint (answer.n_given, ==, 1);
  g_assert_error (answer.error, REC_ERROR, code);
  router_rig_clear_answer (&answer);
}

static void
refuses_more_peers_than_configured (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO);
  FakeBrowser *watcher = fake_watcher_new (FAKE_AUDIO, NULL, NULL);
  RouterAnswer answer = { 0 };

  rec_router_subscribe (fixture->router, fixture->owner->stream, fixture->viewer,
      fake_browser_make_offer (watcher), router_rig_take_answer, &answer);
  g_assert_cmpuint (answer.n_given, ==, 1);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_TOO_MANY);
  router_rig_clear_answer (&answer);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
refuses_an_offer_without_the_forced_codec (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = fake_publisher_new (FAKE_VIDEO, NULL, NULL);
  RecSessionProperties *properties = fixture->session->properties;

  g_free (properties->forced_video_codec);
  properties->forced_video_codec = g_strdup ("H264");
  assert_refused (fixture, fake_browser_make_offer (browser), REC_ERROR_UNPROCESSABLE);
  assert_refused (fixture, "hello", REC_ERROR_INVALID_ARGUMENT);
  fake_browser_free (browser);
}

static void
refuses_to_subscribe_to_nothing (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  RouterAnswer answer = { 0 };

  rec_router_subscribe (fixture->router, fixture->owner->stream, fixture->viewer, "v=0\r\n",
      router_rig_take_answer, &answer);
  g_assert_cmpuint (answer.n_given, ==, 1);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_NOT_FOUND);
  router_rig_clear_answer (&answer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, setting, function)                                                               \
  g_test_add ("/router/" name, RouterRig, setting, router_rig_set_up, function,                    \
      router_rig_tear_down)
  ADD ("feeds-a-recording", NULL, feeds_a_recording);
  ADD ("gives-a-new-recording-a-keyframe", NULL, gives_a_new_recording_a_keyframe);
  ADD ("records-only-the-asked-medium", NULL, records_only_the_asked_medium);
  ADD ("forwards-to-a-subscriber", NULL, forwards_to_a_subscriber);
  ADD ("forwards-the-sound-alone", NULL, forwards_the_sound_alone);
  ADD ("gives-a-publisher-its-own-media-back", NULL, gives_a_publisher_its_own_media_back);
  ADD ("only-receives-from-who-does-not-want-it-back", NULL,
      only_receives_from_who_does_not_want_it_back);
  ADD ("hides-losses-and-asks-for-keyframes", NULL, hides_losses_and_asks_for_keyframes);
  ADD ("asks-again-for-lost-packets", "media.jitter-latency-ms=200", asks_again_for_lost_packets);
  ADD ("sends-again-what-a-watcher-lost", NULL, sends_again_what_a_watcher_lost);
  ADD ("goes-on-when-the-publisher-comes-back", NULL, goes_on_when_the_publisher_comes_back);
  ADD ("leaves-nothing-behind", NULL, leaves_nothing_behind);
  ADD ("begins-at-once", "media.jitter-latency-ms=2500", begins_at_once);
  ADD ("reports-a-silent-publisher", "media.silence-timeout-ms=1000", reports_a_silent_publisher);
  ADD ("reports-a-publisher-that-never-connects", "media.connect-timeout-ms=1000",
      reports_a_publisher_that_never_connects);
  ADD ("keeps-candidates-for-the-offer", NULL, keeps_candidates_for_the_offer);
  ADD ("answers-what-it-owes-when-a-stream-ends", NULL, answers_what_it_owes_when_a_stream_ends);
  ADD ("closes-the-subscriptions-of-who-leaves", NULL, closes_the_subscriptions_of_who_leaves);
  ADD ("replaces-the-peer-of-a-second-offer", NULL, replaces_the_peer_of_a_second_offer);
  ADD ("refuses-more-peers-than-configured", "media.max-peer-connections=1",
      refuses_more_peers_than_configured);
  ADD ("refuses-an-offer-without-the-forced-codec", NULL,
      refuses_an_offer_without_the_forced_codec);
  ADD ("refuses-to-subscribe-to-nothing", NULL, refuses_to_subscribe_to_nothing);
  return g_test_run ();
}
