/* test-router.c - streams from browsers through the router to watchers and recordings, over real transports. */
#include "media/router.h"

#include "lib/fake-browser.h"
#include "lib/library-leaks.h"

#include <dirent.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/config.h"
#include "base/error.h"
#include "base/fd.h"
#include "media/rtp.h"
#include "session/registry.h"
#include "wire/packet.h"

#define DEADLINE_US (20 * G_USEC_PER_SEC)
#define MAX_IDLE_THREADS 12 /* a peer connection has about as many */
#define AUDIO_ID 1
#define VIDEO_ID 2

typedef struct {
  RecConfig *config;
  RecRegistry *registry;
  RecSession *session;
  RecRouter *router;
  RecParticipant *owner, *viewer;
  char *lost; /* why the publisher was lost */
  unsigned n_local_candidates;
  GString *local_candidates; /* a line each */
} Fixture;

/* An answer that is awaited. */
typedef struct {
  char *text;
  GError *error;
  unsigned n_given;
} Answer;

static void
take_answer (const char *text, const GError *error, void *data)
{
  Answer *answer = data;

  g_free (answer->text);
  g_clear_error (&answer->error);
  answer->text = g_strdup (text);
  answer->error = error != NULL ? g_error_copy (error) : NULL;
  answer->n_given++;
}

static void
clear_answer (Answer *answer)
{
  g_free (answer->text);
  g_clear_error (&answer->error);
}

static gboolean
wake (void *data G_GNUC_UNUSED)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the main loop until a condition holds. */
#define WAIT_UNTIL(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    int64_t deadline_us_ = g_get_monotonic_time () + DEADLINE_US;                                  \
    guint timer_ = g_timeout_add (10, wake, NULL);                                                 \
    while (!(condition) && g_get_monotonic_time () < deadline_us_)                                 \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (timer_);                                                                      \
    g_assert_true (condition);                                                                     \
  }                                                                                                \
  G_STMT_END

/* --- the fixture ---------------------------------------------------------------------------------------- */

static int64_t
read_wall_clock (void *data G_GNUC_UNUSED)
{
  return 1700000000000;
}

static void
on_candidate (RecParticipant *participant G_GNUC_UNUSED, RecParticipant *owner G_GNUC_UNUSED,
    const char *candidate, const char *mid G_GNUC_UNUSED, int mline G_GNUC_UNUSED, void *data)
{
  Fixture *fixture = data;

  fixture->n_local_candidates++;
  g_string_append_printf (fixture->local_candidates, "%s\n", candidate);
}

static void
on_publisher_lost (RecStreamInfo *stream, const char *why, void *data)
{
  Fixture *fixture = data;

  g_assert_true (stream == fixture->owner->stream);
  g_assert_null (fixture->lost);
  fixture->lost = g_strdup (why);
}

static const RecRouterEvents router_events = {
  .candidate = on_candidate,
  .publisher_lost = on_publisher_lost,
};

static RecParticipant *
join (Fixture *fixture)
{
  RecJoinRequest request = { .session_id = fixture->session->id,
    .secret = "MY_SECRET",
    .client_data = "",
    .platform = "",
    .sdk_version = "",
    .ip = "127.0.0.1",
    .era = REC_ERA_NEW };
  g_autoptr (GError) error = NULL;
  RecParticipant *participant = rec_registry_join (fixture->registry, &request, &error);

  g_assert_no_error (error);
  return participant;
}

static RecStreamInfo *
add_stream (Fixture *fixture, bool is_echoed)
{
  RecStreamInfo properties = { .has_audio = true,
    .has_video = true,
    .audio_active = true,
    .video_active = true,
    .type_of_video = "CAMERA",
    .frame_rate = 15,
    .is_echoed = is_echoed };
  g_autoptr (GError) error = NULL;
  RecStreamInfo *stream =
      rec_registry_add_stream (fixture->registry, fixture->owner, &properties, &error);

  g_assert_no_error (error);
  return stream;
}

static void
configure (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

/* data: "key=value key=value" of the config, or NULL. */
static void
set_up (Fixture *fixture, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = g_strsplit (data != NULL ? data : "", " ", -1);

  fixture->local_candidates = g_string_new (NULL);
  fixture->config = rec_config_new ();
  configure (fixture, "openvidu.secret", "MY_SECRET");
  configure (fixture, "media.local-addresses", "127.0.0.1");
  configure (fixture, "media.jitter-latency-ms", "100");
  for (char **setting = settings; *setting != NULL; setting++) {
    g_auto (GStrv) pair = g_strsplit (*setting, "=", 2);
    configure (fixture, pair[0], pair[1]);
  }
  fixture->registry = rec_registry_new (fixture->config, read_wall_clock, NULL);
  fixture->router = rec_router_new (fixture->config, fixture->registry, &error);
  g_assert_no_error (error);
  rec_router_set_events (fixture->router, &router_events, fixture);
  fixture->session = rec_registry_create_session (fixture->registry, REC_ERA_NEW,
      rec_session_properties_new (), &error);
  g_assert_no_error (error);
  fixture->owner = join (fixture);
  fixture->viewer = join (fixture);
  add_stream (fixture, false);
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  rec_router_free (fixture->router);
  rec_registry_free (fixture->registry);
  rec_config_free (fixture->config);
  g_free (fixture->lost);
  g_string_free (fixture->local_candidates, TRUE);
}

/* --- what every test does ----------------------------------------------------------------------------------- */

static void
send_owner_candidate (const char *candidate, unsigned mline_index, void *data)
{
  Fixture *fixture = data;

  rec_router_add_candidate (fixture->router, fixture->owner, fixture->owner, candidate, NULL,
      (int) mline_index);
}

static void
send_viewer_candidate (const char *candidate, unsigned mline_index, void *data)
{
  Fixture *fixture = data;

  rec_router_add_candidate (fixture->router, fixture->viewer, fixture->owner, candidate, NULL,
      (int) mline_index);
}

static FakeBrowser *
publish_and_tell (Fixture *fixture, FakeMedia media, char **text)
{
  FakeBrowser *browser = fake_publisher_new (media, send_owner_candidate, fixture);
  Answer answer = { 0 };

  rec_router_publish (fixture->router, fixture->owner->stream, fake_browser_make_offer (browser),
      take_answer, &answer);
  WAIT_UNTIL (answer.n_given > 0);
  g_assert_no_error (answer.error);
  fake_browser_take_answer (browser, answer.text);
  if (text != NULL)
    *text = g_strdup (answer.text);
  clear_answer (&answer);
  return browser;
}

static FakeBrowser *
publish (Fixture *fixture, FakeMedia media)
{
  return publish_and_tell (fixture, media, NULL);
}

static FakeBrowser *
watch (Fixture *fixture, FakeMedia media, char **text)
{
  FakeBrowser *browser = fake_watcher_new (media, send_viewer_candidate, fixture);
  Answer answer = { 0 };

  rec_router_subscribe (fixture->router, fixture->owner->stream, fixture->viewer,
      fake_browser_make_offer (browser), take_answer, &answer);
  WAIT_UNTIL (answer.n_given > 0);
  g_assert_no_error (answer.error);
  fake_browser_take_answer (browser, answer.text);
  if (text != NULL)
    *text = g_strdup (answer.text);
  clear_answer (&answer);
  return browser;
}

static RecRouterStats
get_stats (Fixture *fixture)
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
} Recording;

static void
attach (Fixture *fixture, Recording *recording, uint32_t audio_id, uint32_t video_id)
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
detach (Fixture *fixture, Recording *recording)
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
feeds_a_recording (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
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
gives_a_new_recording_a_keyframe (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_VIDEO);
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
records_only_the_asked_medium (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  Recording recording;

  attach (fixture, &recording, AUDIO_ID, 0);
  WAIT_UNTIL (read_packets (&recording) && recording.audio > 50);
  g_assert_cmpuint (recording.video, ==, 0);
  detach (fixture, &recording);
  fake_browser_free (browser);
}

static void
forwards_to_a_subscriber (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
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
forwards_the_sound_alone (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  FakeBrowser *watcher = watch (fixture, FAKE_AUDIO, NULL);

  WAIT_UNTIL (fake_browser_get_received (watcher).audio > 30);
  g_assert_cmpuint (fake_browser_get_received (watcher).video, ==, 0);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
gives_a_publisher_its_own_media_back (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *answer = NULL;
  FakeBrowser *browser, *watcher;
  Recording recording;

  rec_registry_end_stream (fixture->registry, fixture->owner->stream, "test");
  add_stream (fixture, true);
  browser = publish_and_tell (fixture, FAKE_AUDIO | FAKE_VIDEO, &answer);
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
only_receives_from_who_does_not_want_it_back (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *answer = NULL;
  FakeBrowser *browser = publish_and_tell (fixture, FAKE_AUDIO | FAKE_VIDEO, &answer);

  g_assert_nonnull (strstr (fake_browser_make_offer (browser), "a=sendrecv"));
  g_assert_nonnull (strstr (answer, "a=recvonly"));
  g_assert_null (strstr (answer, "a=sendrecv"));
  fake_browser_free (browser);
}

/* Each loss makes a hole that nobody can fill: the publisher has no retransmission. */
static void
hides_losses_and_asks_for_keyframes (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
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
asks_again_for_lost_packets (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  FakeBrowser *browser = publish_and_tell (fixture, FAKE_VIDEO | FAKE_RESENDS, &text);
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
sends_again_what_a_watcher_lost (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_VIDEO);
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
goes_on_when_the_publisher_comes_back (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *first = publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
  FakeBrowser *watcher = watch (fixture, FAKE_AUDIO | FAKE_VIDEO, NULL);
  FakeBrowser *second;
  Recording recording;
  unsigned n_video, n_keyframes;
  uint32_t ssrc;

  attach (fixture, &recording, AUDIO_ID, VIDEO_ID);
  WAIT_UNTIL (fake_browser_get_received (watcher).keyframes > 0);
  ssrc = fake_browser_get_received (watcher).video_ssrc;
  second = publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
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
leaves_nothing_behind (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  unsigned n_threads = 0, n_fds = 0;

  /* The first round opens what libraries keep for good. */
  for (unsigned round = 0; round < 3; round++) {
    FakeBrowser *browser = publish (fixture, FAKE_AUDIO | FAKE_VIDEO);
    FakeBrowser *watcher = watch (fixture, FAKE_AUDIO | FAKE_VIDEO, NULL);

    WAIT_UNTIL (fake_browser_get_received (watcher).video > 0);
    rec_registry_end_stream (fixture->registry, fixture->owner->stream, "test");
    fake_browser_free (watcher);
    fake_browser_free (browser);
    g_assert_cmpuint (get_stats (fixture).publishers, ==, 0);
    g_assert_cmpuint (get_stats (fixture).subscribers, ==, 0);
    add_stream (fixture, false);
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

static void
reports_a_silent_publisher (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO);
  Recording recording;

  attach (fixture, &recording, AUDIO_ID, 0);
  WAIT_UNTIL (read_packets (&recording) && recording.audio > 0);
  fake_browser_free (browser);
  WAIT_UNTIL (fixture->lost != NULL);
  detach (fixture, &recording);
}

static void
reports_a_publisher_that_never_connects (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = fake_publisher_new (FAKE_AUDIO, NULL, NULL);
  Answer answer = { 0 };

  rec_router_publish (fixture->router, fixture->owner->stream, fake_browser_make_offer (browser),
      take_answer, &answer);
  WAIT_UNTIL (answer.n_given > 0);
  g_assert_no_error (answer.error);
  WAIT_UNTIL (fixture->lost != NULL);
  clear_answer (&answer);
  fake_browser_free (browser);
}

static void
keeps_candidates_for_the_offer (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = fake_publisher_new (FAKE_AUDIO, send_owner_candidate, fixture);
  const char *offer = fake_browser_make_offer (browser);
  Answer answer = { 0 };
  Recording recording;

  rec_router_add_candidate (fixture->router, fixture->owner, fixture->owner,
      "candidate:1 1 udp 1 nobody.local 9 typ host", "audio0", 0);
  for (unsigned i = 0; i < 10000; i++)
    rec_router_add_candidate (fixture->router, fixture->viewer, fixture->owner,
        "candidate:1 1 udp 1 192.0.2.1 9 typ host", NULL, -1);
  /* Those of the browser come now, before its offer. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  rec_router_publish (fixture->router, fixture->owner->stream, offer, take_answer, &answer);
  WAIT_UNTIL (answer.n_given > 0);
  g_assert_no_error (answer.error);
  g_assert_nonnull (strstr (answer.text, " 127.0.0.1 "));
  fake_browser_take_answer (browser, answer.text);
  attach (fixture, &recording, AUDIO_ID, 0);
  WAIT_UNTIL (read_packets (&recording) && recording.audio > 0);
  g_assert_cmpuint (fixture->n_local_candidates, ==, 0);
  detach (fixture, &recording);
  clear_answer (&answer);
  fake_browser_free (browser);
}

static void
answers_what_it_owes_when_a_stream_ends (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO);
  FakeBrowser *watcher = fake_watcher_new (FAKE_AUDIO, NULL, NULL);
  Answer first = { 0 }, second = { 0 };

  rec_router_subscribe (fixture->router, fixture->owner->stream, fixture->viewer,
      fake_browser_make_offer (watcher), take_answer, &first);
  rec_router_publish (fixture->router, fixture->owner->stream, fake_browser_make_offer (browser),
      take_answer, &second);
  rec_registry_end_stream (fixture->registry, fixture->owner->stream, "test");
  g_assert_cmpuint (first.n_given, ==, 1);
  g_assert_cmpuint (second.n_given, ==, 1);
  g_assert_error (first.error, REC_ERROR, REC_ERROR_NOT_FOUND);
  g_assert_error (second.error, REC_ERROR, REC_ERROR_NOT_FOUND);
  clear_answer (&first);
  clear_answer (&second);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
closes_the_subscriptions_of_who_leaves (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO);
  FakeBrowser *watcher = watch (fixture, FAKE_AUDIO, NULL);

  WAIT_UNTIL (fake_browser_get_received (watcher).audio > 0);
  rec_registry_leave (fixture->registry, fixture->viewer, "disconnect");
  g_assert_cmpuint (get_stats (fixture).subscribers, ==, 0);
  g_assert_cmpuint (get_stats (fixture).publishers, ==, 1);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
replaces_the_peer_of_a_second_offer (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO);
  FakeBrowser *first = watch (fixture, FAKE_AUDIO, NULL);
  FakeBrowser *second = watch (fixture, FAKE_AUDIO, NULL);

  WAIT_UNTIL (fake_browser_get_received (second).audio > 10);
  g_assert_cmpuint (get_stats (fixture).subscribers, ==, 1);
  fake_browser_free (second);
  fake_browser_free (first);
  fake_browser_free (browser);
}

static void
assert_refused (Fixture *fixture, const char *offer, int code)
{
  Answer answer = { 0 };

  rec_router_publish (fixture->router, fixture->owner->stream, offer, take_answer, &answer);
  g_assert_cmpuint (answer.n_given, ==, 1);
  g_assert_error (answer.error, REC_ERROR, code);
  clear_answer (&answer);
}

static void
refuses_more_peers_than_configured (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO);
  FakeBrowser *watcher = fake_watcher_new (FAKE_AUDIO, NULL, NULL);
  Answer answer = { 0 };

  rec_router_subscribe (fixture->router, fixture->owner->stream, fixture->viewer,
      fake_browser_make_offer (watcher), take_answer, &answer);
  g_assert_cmpuint (answer.n_given, ==, 1);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_TOO_MANY);
  clear_answer (&answer);
  fake_browser_free (watcher);
  fake_browser_free (browser);
}

static void
refuses_an_offer_without_the_forced_codec (Fixture *fixture, const void *data G_GNUC_UNUSED)
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
refuses_to_subscribe_to_nothing (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  Answer answer = { 0 };

  rec_router_subscribe (fixture->router, fixture->owner->stream, fixture->viewer, "v=0\r\n",
      take_answer, &answer);
  g_assert_cmpuint (answer.n_given, ==, 1);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_NOT_FOUND);
  clear_answer (&answer);
}

/* --- where media comes in ------------------------------------------------------------------------------------ */

/* Fields of the candidates of a type that a text has: foundation, component, protocol, priority, address, port, ... */
static GPtrArray *
find_candidates (const char *text, const char *type)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *wanted = g_strdup_printf (" typ %s", type);
  g_auto (GStrv) lines = g_strsplit_set (text, "\r\n", -1);

  for (char **line = lines; *line != NULL; line++) {
    const char *candidate = strstr (*line, "candidate:");
    if (candidate != NULL && strstr (candidate, wanted) != NULL)
      g_ptr_array_add (found, g_strsplit (candidate, " ", -1));
  }
  return found;
}

static void
keeps_to_its_ports (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  FakeBrowser *browser = publish_and_tell (fixture, FAKE_AUDIO | FAKE_VIDEO, &text);
  g_autoptr (GPtrArray) hosts = find_candidates (text, "host");

  g_assert_cmpuint (hosts->len, >=, 1);
  for (unsigned i = 0; i < hosts->len; i++) {
    char **fields = hosts->pdata[i];
    g_assert_cmpstr (fields[4], ==, "127.0.0.1");
    g_assert_cmpint (atoi (fields[5]), >=, 30100);
    g_assert_cmpint (atoi (fields[5]), <=, 30109);
  }
  fake_browser_free (browser);
}

static void
names_the_external_address (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  FakeBrowser *browser = publish_and_tell (fixture, FAKE_AUDIO, &text);
  g_autoptr (GPtrArray) hosts = find_candidates (text, "host");

  g_assert_cmpuint (hosts->len, >=, 1);
  for (unsigned i = 0; i < hosts->len; i++)
    g_assert_cmpstr (((char **) hosts->pdata[i])[4], ==, "203.0.113.7");
  g_assert_null (strstr (fixture->local_candidates->str, "127.0.0.1"));
  fake_browser_free (browser);
}

#define STUN_HEADER_SIZE 20
#define STUN_BINDING_REQUEST 0x0001
#define STUN_ALLOCATE_REQUEST 0x0003
#define OUTSIDE_ADDRESS "198.51.100.9"
#define OUTSIDE_PORT 40404

/* Tells everybody the same address, and has no relays to give. */
typedef struct {
  GSocket *socket;
  GSource *source;
  unsigned n_bindings, n_allocations;
  bool is_silent;
} StunServer;

static void
answer_binding (GSocket *socket, GSocketAddress *peer, const uint8_t *request)
{
  uint8_t answer[STUN_HEADER_SIZE + 12] = { 0x01, 0x01, 0, 12 };
  const uint8_t mapped_address[12] = { 0, 1, 0, 8, 0, 1, OUTSIDE_PORT >> 8, OUTSIDE_PORT & 0xff,
    198, 51, 100, 9 };

  memcpy (answer + 4, request + 4, 16);
  memcpy (answer + STUN_HEADER_SIZE, mapped_address, sizeof mapped_address);
  g_socket_send_to (socket, peer, (const char *) answer, sizeof answer, NULL, NULL);
}

static gboolean
on_stun_request (GSocket *socket, GIOCondition condition G_GNUC_UNUSED, void *data)
{
  StunServer *server = data;
  g_autoptr (GSocketAddress) peer = NULL;
  uint8_t request[1500];
  gssize size = g_socket_receive_from (socket, &peer, (char *) request, sizeof request, NULL, NULL);

  if (size < STUN_HEADER_SIZE)
    return G_SOURCE_CONTINUE;
  switch (request[0] << 8 | request[1]) {
  case STUN_BINDING_REQUEST:
    server->n_bindings++;
    if (!server->is_silent)
      answer_binding (socket, peer, request);
    break;
  case STUN_ALLOCATE_REQUEST:
    server->n_allocations++;
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

static unsigned
start_stun_server (StunServer *server)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any_port = g_inet_socket_address_new (loopback, 0);

  *server = (StunServer){ .socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                              G_SOCKET_PROTOCOL_UDP, &error) };
  g_assert_no_error (error);
  g_socket_bind (server->socket, any_port, FALSE, &error);
  g_assert_no_error (error);
  server->source = g_socket_create_source (server->socket, G_IO_IN, NULL);
  g_source_set_callback (server->source, G_SOURCE_FUNC (on_stun_request), server, NULL);
  g_source_attach (server->source, NULL);
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (server->socket, &error);
  g_assert_no_error (error);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static void
stop_stun_server (StunServer *server)
{
  g_source_destroy (server->source);
  g_source_unref (server->source);
  g_object_unref (server->socket);
}

/* A router reads its settings when it is made. */
static void
set_up_again (Fixture *fixture, const char *key, const char *url_of_port, unsigned port)
{
  g_autofree char *setting = g_strdup_printf ("%s=%s:%u", key, url_of_port, port);

  tear_down (fixture, NULL);
  *fixture = (Fixture){ 0 };
  set_up (fixture, setting);
}

static bool
has_outside_address (Fixture *fixture, const char *answer)
{
  g_autofree char *all = g_strconcat (answer, "\n", fixture->local_candidates->str, NULL);
  g_autoptr (GPtrArray) found = find_candidates (all, "srflx");

  for (unsigned i = 0; i < found->len; i++)
    if (strcmp (((char **) found->pdata[i])[4], OUTSIDE_ADDRESS) == 0)
      return true;
  return false;
}

static void
tells_what_a_stun_server_says (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  StunServer server;

  set_up_again (fixture, "media.stun-server", "stun://127.0.0.1", start_stun_server (&server));
  FakeBrowser *browser = publish_and_tell (fixture, FAKE_AUDIO, &text);
  WAIT_UNTIL (has_outside_address (fixture, text));
  g_assert_cmpuint (server.n_bindings, >, 0);
  fake_browser_free (browser);
  stop_stun_server (&server);
}

/* media.gather-timeout-ms bounds what the client waits for; what comes later is told later. */
static void
answers_before_a_slow_stun_server (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  StunServer server;

  set_up_again (fixture, "media.stun-server", "stun://127.0.0.1", start_stun_server (&server));
  server.is_silent = true;
  FakeBrowser *browser = publish_and_tell (fixture, FAKE_AUDIO, &text);
  WAIT_UNTIL (server.n_bindings > 0);
  g_assert_false (has_outside_address (fixture, text));
  server.is_silent = false; /* it is asked again and again */
  WAIT_UNTIL (has_outside_address (fixture, text));
  g_assert_null (strstr (text, OUTSIDE_ADDRESS));
  fake_browser_free (browser);
  stop_stun_server (&server);
}

static void
asks_a_turn_server_for_a_relay (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  StunServer server;

  set_up_again (fixture, "media.turn-server", "turn://user:password@127.0.0.1",
      start_stun_server (&server));
  FakeBrowser *browser = publish (fixture, FAKE_AUDIO);
  WAIT_UNTIL (server.n_allocations > 0);
  fake_browser_free (browser);
  stop_stun_server (&server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, setting, function)                                                               \
  g_test_add ("/router/" name, Fixture, setting, set_up, function, tear_down)
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
  ADD ("keeps-to-its-ports", "media.min-port=30100 media.max-port=30109", keeps_to_its_ports);
  ADD ("names-the-external-address", "media.external-address=203.0.113.7",
      names_the_external_address);
  ADD ("tells-what-a-stun-server-says", NULL, tells_what_a_stun_server_says);
  ADD ("answers-before-a-slow-stun-server", NULL, answers_before_a_slow_stun_server);
  ADD ("asks-a-turn-server-for-a-relay", NULL, asks_a_turn_server_for_a_relay);
  return g_test_run ();
}
