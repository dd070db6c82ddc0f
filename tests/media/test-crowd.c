/* test-crowd.c - fifty publishers with two subscribers each, all recorded, in a process of their own each side. */
#define _GNU_SOURCE                       /* RUSAGE_THREAD */
#define DEADLINE_US (40 * G_USEC_PER_SEC) /* of wait.h */
#include "lib/fake-browser.h"
#include "lib/wait.h"
#include "media/router.h"

#include <dirent.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/config.h"
#include "base/fd.h"
#include "media/rtp.h"
#include "session/registry.h"
#include "wire/packet.h"

#define N_PUBLISHERS 50u
#define N_EACH 2u /* subscribers of one publisher */
#define N_BROWSERS (N_PUBLISHERS * (1 + N_EACH))
#define N_TRACKS (2 * N_PUBLISHERS)
#define SETTLE_MS 2000
#define REPORT_MS 200
#define N_AUDIO 500u /* packets in 10 s */
#define N_VIDEO 50u
#define MAX_LOST 15u    /* of 80 000 packets */
#define MAX_CALL_MS 20  /* of a processor's time, for one call into the router */
#define MAX_WAITING 10u /* percent of these calls */
#define MAX_FILES 16384
#define MAX_IDLE_THREADS 12 /* a peer connection has about as many */
#define BROWSERS_FD 3

/* --- what the two processes say to each other --------------------------------------------------------------- */

typedef enum {
  MESSAGE_PUBLISHER = 1, /* to the browsers: appear and offer */
  MESSAGE_WATCHER,
  MESSAGE_ANSWER,
  MESSAGE_COUNT, /* they answer with a Report */
  MESSAGE_LEAVE,
  MESSAGE_OFFER, /* from the browsers */
  MESSAGE_CANDIDATE,
  MESSAGE_REPORT,
} MessageKind;

typedef struct {
  MessageKind kind;
  unsigned browser, mline_index;
  char text[16384]; /* only what is used of it travels */
} Message;

typedef struct {
  FakeReceived received[N_BROWSERS]; /* of the watchers */
  unsigned n_wishes[N_BROWSERS];     /* of the publishers */
  unsigned audio_sent, video_sent;   /* by each publisher */
} Report;

G_STATIC_ASSERT (sizeof (Report) <= sizeof (((Message *) NULL)->text));

static void
send_message (int fd, MessageKind kind, unsigned browser, unsigned mline_index, const void *data,
    size_t size)
{
  Message message = { .kind = kind, .browser = browser, .mline_index = mline_index };

  g_assert_cmpuint (size, <=, sizeof message.text);
  if (size > 0)
    memcpy (message.text, data, size);
  size += offsetof (Message, text);
  g_assert_cmpint (send (fd, &message, size, MSG_NOSIGNAL), ==, (ssize_t) size);
}

static void
send_text (int fd, MessageKind kind, unsigned browser, unsigned mline_index, const char *text)
{
  send_message (fd, kind, browser, mline_index, text, strlen (text) + 1);
}

/* False when there is none, or when the other side is gone (errno is 0). */
static bool
receive_message (int fd, Message *message)
{
  ssize_t size = recv (fd, message, sizeof *message, MSG_DONTWAIT);

  errno = size == 0 ? 0 : errno;
  g_assert_true (size <= 0 || size >= (ssize_t) offsetof (Message, text));
  return size > 0;
}

static void
raise_file_limit (void)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = MIN (limit.rlim_max, MAX_FILES);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

/* --- the process of the browsers ------------------------------------------------------------------------------ */

typedef struct {
  FakeStudio *studio;
  FakeBrowser *browsers[N_BROWSERS];
} Crowd;

static void
tell_candidate (const char *candidate, unsigned mline_index, void *data)
{
  send_text (BROWSERS_FD, MESSAGE_CANDIDATE, GPOINTER_TO_UINT (data), mline_index, candidate);
}

static void
report (const Crowd *crowd)
{
  Report counts = { 0 };

  fake_studio_count_sent (crowd->studio, &counts.audio_sent, &counts.video_sent);
  for (unsigned i = 0; i < N_BROWSERS; i++) {
    if (crowd->browsers[i] == NULL)
      continue;
    counts.received[i] = fake_browser_get_received (crowd->browsers[i]);
    counts.n_wishes[i] = fake_browser_count_keyframe_wishes (crowd->browsers[i]);
  }
  send_message (BROWSERS_FD, MESSAGE_REPORT, 0, 0, &counts, sizeof counts);
}

static void
appear (Crowd *crowd, const Message *message)
{
  FakeBrowser **browser = &crowd->browsers[message->browser];
  void *data = GUINT_TO_POINTER (message->browser);

  *browser = message->kind == MESSAGE_PUBLISHER
                 ? fake_studio_publisher_new (crowd->studio, tell_candidate, data)
                 : fake_watcher_new (FAKE_AUDIO | FAKE_VIDEO, tell_candidate, data);
  send_text (BROWSERS_FD, MESSAGE_OFFER, message->browser, 0, fake_browser_make_offer (*browser));
}

static void
obey (Crowd *crowd, const Message *message)
{
  switch (message->kind) {
  case MESSAGE_PUBLISHER:
  case MESSAGE_WATCHER:
    appear (crowd, message);
    break;
  case MESSAGE_ANSWER:
    fake_browser_take_answer (crowd->browsers[message->browser], message->text);
    break;
  case MESSAGE_COUNT:
    report (crowd);
    break;
  case MESSAGE_LEAVE:
    g_clear_pointer (&crowd->browsers[message->browser], fake_browser_free);
    break;
  default:
    g_assert_not_reached ();
  }
}

/* The test's end of the socket closes when it is done with them, or dies. */
static gboolean
on_order (int fd, GIOCondition condition G_GNUC_UNUSED, void *data)
{
  Message message;

  if (receive_message (fd, &message))
    obey (data, &message);
  else if (errno != EAGAIN)
    _exit (0);
  return G_SOURCE_CONTINUE;
}

G_NORETURN static void
run_browsers (void)
{
  Crowd crowd = { .studio = fake_studio_new () };

  raise_file_limit ();
  g_unix_fd_add (BROWSERS_FD, G_IO_IN | G_IO_HUP, on_order, &crowd);
  for (;;)
    g_main_context_iteration (NULL, TRUE);
}

/* --- the process of the router -------------------------------------------------------------------------------- */

typedef struct {
  RecConfig *config;
  RecRegistry *registry;
  RecSession *session;
  RecRouter *router;
  RecParticipant *participants[N_PUBLISHERS];
  GSubprocess *process;
  int fd; /* to the browsers */
  guint source;
  unsigned n_answers, n_reports, n_lost;
  Report report;
  unsigned n_calls, n_waits; /* calls into the router, and which of them waited for anything */
  int64_t longest_wait_us;   /* of these */
  int64_t longest_call_us;   /* of a processor's time */
  const char *longest_wait, *longest_call;
} Fixture;

/* A recording of all streams. */
typedef struct {
  RecFeedPipe *pipe;
  RecFeed *feeds[N_PUBLISHERS];
  int fd;
  guint source;
  struct {
    uint64_t n;
    unsigned n_missing, keyframes;
    uint16_t sequence;
  } tracks[N_TRACKS + 1]; /* by id */
} Recording;

/* What a call costs this thread. By the clock a call may be as slow as the machine is busy: whoever holds a lock for a few
 * microseconds, of ours or of an allocator, may lose his processor meanwhile, to any of a thousand threads. */
typedef struct {
  int64_t now_us, cpu_us;
  long n_waits; /* how often it gave its processor up by itself */
} Cost;

static Cost
get_cost (void)
{
  struct rusage usage;
  struct timespec cpu;

  g_assert_cmpint (getrusage (RUSAGE_THREAD, &usage), ==, 0);
  g_assert_cmpint (clock_gettime (CLOCK_THREAD_CPUTIME_ID, &cpu), ==, 0);
  return (Cost){ .now_us = g_get_monotonic_time (),
    .cpu_us = cpu.tv_sec * G_USEC_PER_SEC + cpu.tv_nsec / 1000,
    .n_waits = usage.ru_nvcsw };
}

static void
note_call (Fixture *fixture, const char *name, Cost before)
{
  Cost after = get_cost ();
  int64_t took_us = after.now_us - before.now_us, cpu_us = after.cpu_us - before.cpu_us;

  fixture->n_calls++;
  if (cpu_us > fixture->longest_call_us) {
    fixture->longest_call_us = cpu_us;
    fixture->longest_call = name;
  }
  if (after.n_waits == before.n_waits)
    return;
  fixture->n_waits++;
  if (took_us > fixture->longest_wait_us) {
    fixture->longest_wait_us = took_us;
    fixture->longest_wait = name;
  }
}

#define TIMED(fixture, call)                                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    Cost before_ = get_cost ();                                                                    \
    call;                                                                                          \
    note_call (fixture, #call, before_);                                                           \
  }                                                                                                \
  G_STMT_END

/* Who a browser belongs to, and whose stream it has: a publisher its own, its watchers those of their neighbours. */
static RecParticipant *
get_participant (const Fixture *fixture, unsigned browser)
{
  return fixture->participants[browser % N_PUBLISHERS];
}

static RecParticipant *
get_owner (const Fixture *fixture, unsigned browser)
{
  return fixture->participants[(browser + browser / N_PUBLISHERS) % N_PUBLISHERS];
}

typedef struct {
  Fixture *fixture;
  unsigned browser;
} Answer;

static void
pass_answer (const char *text, const GError *error, void *data)
{
  Answer *answer = data;
  Fixture *fixture = answer->fixture;

  g_assert_no_error (error);
  send_text (fixture->fd, MESSAGE_ANSWER, answer->browser, 0, text);
  fixture->n_answers++;
  g_free (answer);
}

static void
pass_offer (Fixture *fixture, const Message *message)
{
  RecStreamInfo *stream = get_owner (fixture, message->browser)->stream;
  Answer *answer = g_new (Answer, 1);

  *answer = (Answer){ fixture, message->browser };
  if (message->browser < N_PUBLISHERS)
    TIMED (fixture,
        rec_router_publish (fixture->router, stream, message->text, pass_answer, answer));
  else
    TIMED (fixture,
        rec_router_subscribe (fixture->router, stream, get_participant (fixture, message->browser),
            message->text, pass_answer, answer));
}

static void
hear (Fixture *fixture, const Message *message)
{
  switch (message->kind) {
  case MESSAGE_OFFER:
    pass_offer (fixture, message);
    break;
  case MESSAGE_CANDIDATE:
    TIMED (fixture,
        rec_router_add_candidate (fixture->router, get_participant (fixture, message->browser),
            get_owner (fixture, message->browser), message->text, NULL,
            (int) message->mline_index));
    break;
  case MESSAGE_REPORT:
    memcpy (&fixture->report, message->text, sizeof fixture->report);
    fixture->n_reports++;
    break;
  default:
    g_assert_not_reached ();
  }
}

static gboolean
on_browsers (int fd, GIOCondition condition G_GNUC_UNUSED, void *data)
{
  Message message;

  if (receive_message (fd, &message))
    hear (data, &message);
  else
    g_assert_cmpint (errno, ==, EAGAIN);
  return G_SOURCE_CONTINUE;
}

static void
start_browsers (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  int fds[2];

  g_assert_true (rec_fd_socketpair (SOCK_SEQPACKET, fds, &error));
  /* Neither side must ever wait for the other to read. */
  g_assert_cmpint (rec_fd_set_send_buffer (fds[0], 4 << 20, &error), >, 0);
  g_assert_cmpint (rec_fd_set_send_buffer (fds[1], 4 << 20, &error), >, 0);
  g_subprocess_launcher_take_fd (launcher, fds[1], BROWSERS_FD);
  fixture->process =
      g_subprocess_launcher_spawn (launcher, &error, "/proc/self/exe", "--browsers", NULL);
  g_assert_no_error (error);
  fixture->fd = fds[0];
  fixture->source = g_unix_fd_add (fixture->fd, G_IO_IN, on_browsers, fixture);
}

static void
stop_browsers (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_source_remove (fixture->source);
  rec_fd_close (&fixture->fd);
  g_assert_true (g_subprocess_wait_check (fixture->process, NULL, &error));
  g_assert_no_error (error);
  g_clear_object (&fixture->process);
}

static int64_t
read_wall_clock (void *data G_GNUC_UNUSED)
{
  return 1700000000000;
}

static void
on_publisher_lost (RecStreamInfo *stream, const char *why, void *data)
{
  g_test_message ("lost %s: %s", stream->id, why);
  ((Fixture *) data)->n_lost++;
}

static const RecRouterEvents router_events = { .publisher_lost = on_publisher_lost };

static void
join (Fixture *fixture, unsigned index)
{
  RecJoinRequest request = { .session_id = fixture->session->id,
    .secret = "MY_SECRET",
    .client_data = "",
    .platform = "",
    .sdk_version = "",
    .ip = "127.0.0.1",
    .era = REC_ERA_NEW };
  RecStreamInfo properties = { .has_audio = true,
    .has_video = true,
    .audio_active = true,
    .video_active = true,
    .type_of_video = "CAMERA",
    .frame_rate = 5 };
  g_autoptr (GError) error = NULL;

  fixture->participants[index] = rec_registry_join (fixture->registry, &request, &error);
  g_assert_no_error (error);
  rec_registry_add_stream (fixture->registry, fixture->participants[index], &properties, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  raise_file_limit ();
  fixture->config = rec_config_new ();
  rec_config_set (fixture->config, "openvidu.secret", "MY_SECRET", "test", &error);
  g_assert_no_error (error);
  rec_config_set (fixture->config, "media.local-addresses", "127.0.0.1", "test", &error);
  g_assert_no_error (error);
  fixture->registry = rec_registry_new (fixture->config, read_wall_clock, NULL);
  fixture->router = rec_router_new (fixture->config, fixture->registry, &error);
  g_assert_no_error (error);
  rec_router_set_events (fixture->router, &router_events, fixture);
  fixture->session = rec_registry_create_session (fixture->registry, REC_ERA_NEW,
      rec_session_properties_new (), &error);
  g_assert_no_error (error);
  for (unsigned i = 0; i < N_PUBLISHERS; i++)
    join (fixture, i);
  start_browsers (fixture);
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  stop_browsers (fixture);
  rec_router_free (fixture->router);
  rec_registry_free (fixture->registry);
  rec_config_free (fixture->config);
}

/* --- the recording ------------------------------------------------------------------------------------------------ */

static gboolean
on_recorded (int fd, GIOCondition condition G_GNUC_UNUSED, void *data)
{
  Recording *recording = data;
  uint8_t message[REC_WIRE_PACKET_MAX];
  RecWirePacketHeader header;
  RecRtpPacket packet;
  const uint8_t *rtp;
  ssize_t size;

  while ((size = recv (fd, message, sizeof message, MSG_DONTWAIT)) > 0) {
    g_assert_true (rec_wire_packet_parse (message, (size_t) size, &header, &rtp));
    g_assert_true (rec_rtp_parse (rtp, header.size, &packet));
    g_assert_cmpuint (header.track_id, <=, N_TRACKS);
    unsigned id = header.track_id;
    if (recording->tracks[id].n > 0)
      recording->tracks[id].n_missing +=
          (uint16_t) (packet.sequence - recording->tracks[id].sequence - 1);
    recording->tracks[id].n++;
    recording->tracks[id].sequence = packet.sequence;
    if (id % 2 == 0)
      recording->tracks[id].keyframes +=
          rec_rtp_is_keyframe ("VP8", packet.payload, packet.payload_size) ? 1 : 0;
  }
  return G_SOURCE_CONTINUE;
}

static void
record_all (Fixture *fixture, Recording *recording)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  *recording = (Recording){ 0 };
  g_assert_true (rec_fd_socketpair (SOCK_SEQPACKET, fds, &error));
  recording->fd = fds[1];
  recording->source = g_unix_fd_add (recording->fd, G_IO_IN, on_recorded, recording);
  recording->pipe = rec_feed_pipe_new (fixture->config, fds[0], &error);
  g_assert_no_error (error);
  for (unsigned i = 0; i < N_PUBLISHERS; i++) {
    TIMED (fixture,
        recording->feeds[i] = rec_router_attach_feed (fixture->router,
            fixture->participants[i]->stream, recording->pipe, 2 * i + 1, 2 * i + 2, &error));
    g_assert_no_error (error);
  }
}

/* Nothing was dropped, and what was sent came, but for what publishers lost on their way. */
static void
assert_recorded (Fixture *fixture, Recording *recording)
{
  uint64_t n_sent = 0, n_received = 0, n_missing = 0;
  RecRouterStats total;

  for (unsigned i = 0; i < N_PUBLISHERS; i++) {
    RecFeedStats stats;

    rec_feed_get_stats (recording->feeds[i], &stats);
    TIMED (fixture, rec_router_detach_feed (fixture->router, recording->feeds[i]));
    g_assert_cmpuint (stats.dropped, ==, 0);
    n_sent += stats.sent;
  }
  on_recorded (recording->fd, G_IO_IN, recording);
  for (unsigned id = 1; id <= N_TRACKS; id++) {
    g_assert_cmpuint (recording->tracks[id].n, >, id % 2 == 1 ? N_AUDIO : N_VIDEO);
    g_assert_cmpuint (recording->tracks[id].keyframes, >=, id % 2 == 1 ? 0 : 1);
    n_received += recording->tracks[id].n;
    n_missing += recording->tracks[id].n_missing;
  }
  rec_router_get_stats (fixture->router, &total);
  g_assert_cmpuint (n_received, >=, n_sent);
  g_assert_cmpuint (n_missing, <=, total.packets_lost);
  g_source_remove (recording->source);
  rec_feed_pipe_free (recording->pipe);
  rec_fd_close (&recording->fd);
}

/* --- the test ------------------------------------------------------------------------------------------------------ */

static void
bring (Fixture *fixture, MessageKind kind, unsigned from, unsigned n)
{
  unsigned n_expected = fixture->n_answers + n;

  for (unsigned i = from; i < from + n; i++)
    send_message (fixture->fd, kind, i, 0, NULL, 0);
  WAIT_UNTIL (fixture->n_answers == n_expected);
}

static void
take_report (Fixture *fixture)
{
  unsigned n_expected = fixture->n_reports + 1;

  send_message (fixture->fd, MESSAGE_COUNT, 0, 0, NULL, 0);
  WAIT_UNTIL (fixture->n_reports == n_expected);
}

static gboolean
note_end (void *data)
{
  *(bool *) data = true;
  return G_SOURCE_REMOVE;
}

static void
run_for (unsigned ms)
{
  bool is_over = false;

  g_timeout_add (ms, note_end, &is_over);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
}

static bool
do_all_see (Fixture *fixture, unsigned from, unsigned n)
{
  run_for (REPORT_MS);
  take_report (fixture);
  for (unsigned i = from; i < from + n; i++)
    if (fixture->report.received[i].audio == 0 || fixture->report.received[i].keyframes == 0)
      return false;
  return true;
}

static void
assert_whole (const Report *then, const Report *now)
{
  unsigned n_holes = 0;

  for (unsigned i = N_PUBLISHERS; i < N_BROWSERS; i++) {
    const FakeReceived *before = &then->received[i], *after = &now->received[i];

    g_assert_cmpuint (after->leaps, ==, before->leaps);
    n_holes += after->holes - before->holes + after->audio_holes - before->audio_holes;
  }
  g_test_message ("%u holes in what subscribers got", n_holes);
  g_assert_cmpuint (n_holes, <=, MAX_LOST);
  for (unsigned i = 0; i < N_PUBLISHERS; i++)
    g_assert_cmpuint (now->n_wishes[i], >, 0);
}

/* A busy machine has more packets on their way, but they come. */
static bool
have_all_received (Fixture *fixture, const Report *then, unsigned audio_sent, unsigned video_sent)
{
  run_for (REPORT_MS);
  take_report (fixture);
  for (unsigned i = N_PUBLISHERS; i < N_BROWSERS; i++)
    if (fixture->report.received[i].audio - then->received[i].audio < audio_sent ||
        fixture->report.received[i].video - then->received[i].video < video_sent)
      return false;
  return true;
}

static bool
has_sent_enough (Fixture *fixture, const Report *since)
{
  run_for (REPORT_MS);
  take_report (fixture);
  return fixture->report.audio_sent - since->audio_sent >= N_AUDIO &&
         fixture->report.video_sent - since->video_sent >= N_VIDEO;
}

static void
hold (Fixture *fixture)
{
  RecRouterStats before, after;
  unsigned audio_sent, video_sent;
  Report then;

  run_for (SETTLE_MS);
  take_report (fixture);
  then = fixture->report;
  rec_router_get_stats (fixture->router, &before);
  WAIT_UNTIL (has_sent_enough (fixture, &then));
  audio_sent = fixture->report.audio_sent - then.audio_sent;
  video_sent = fixture->report.video_sent - then.video_sent;
  WAIT_UNTIL (have_all_received (fixture, &then, audio_sent, video_sent));
  rec_router_get_stats (fixture->router, &after);
  g_test_message ("meanwhile %u packets in, %u out, %u lost",
      (unsigned) (after.packets_in - before.packets_in),
      (unsigned) (after.packets_out - before.packets_out),
      (unsigned) (after.packets_lost - before.packets_lost));
  g_assert_cmpuint (after.publishers, ==, N_PUBLISHERS);
  g_assert_cmpuint (after.subscribers, ==, N_PUBLISHERS * N_EACH);
  g_assert_cmpuint (after.packets_lost - before.packets_lost, <=, MAX_LOST);
  assert_whole (&then, &fixture->report);
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

static unsigned
count_threads (void)
{
  return count_entries ("/proc/self/task");
}

static void
leave (Fixture *fixture, unsigned index)
{
  RecParticipant *participant = fixture->participants[index];

  TIMED (fixture, rec_registry_leave (fixture->registry, participant, "disconnect"));
  fixture->participants[index] = NULL;
}

/* What libraries open for good with the first peer connections. */
static void
measure_baseline (Fixture *fixture, unsigned *n_threads, unsigned *n_fds)
{
  bring (fixture, MESSAGE_PUBLISHER, 0, 2);
  bring (fixture, MESSAGE_WATCHER, N_PUBLISHERS, 1);
  WAIT_UNTIL (do_all_see (fixture, N_PUBLISHERS, 1));
  for (unsigned i = 0; i < 2; i++) {
    leave (fixture, i);
    send_message (fixture->fd, MESSAGE_LEAVE, i, 0, NULL, 0);
    join (fixture, i);
  }
  send_message (fixture->fd, MESSAGE_LEAVE, N_PUBLISHERS, 0, NULL, 0);
  WAIT_UNTIL (count_threads () < MAX_IDLE_THREADS);
  *n_threads = count_threads ();
  *n_fds = count_entries ("/proc/self/fd");
}

static double
get_cpu_s (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
holds_fifty_publishers_with_two_subscribers_each (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  unsigned n_threads, n_fds;
  Recording recording;
  int64_t since_us;
  double cpu_s;

  measure_baseline (fixture, &n_threads, &n_fds);
  bring (fixture, MESSAGE_PUBLISHER, 0, N_PUBLISHERS);
  record_all (fixture, &recording);
  bring (fixture, MESSAGE_WATCHER, N_PUBLISHERS, N_PUBLISHERS * N_EACH);
  WAIT_UNTIL (do_all_see (fixture, N_PUBLISHERS, N_PUBLISHERS * N_EACH));
  g_test_message ("%u threads and %u descriptors", count_threads (),
      count_entries ("/proc/self/fd"));
  cpu_s = get_cpu_s ();
  since_us = g_get_monotonic_time ();
  hold (fixture);
  g_test_message ("%.2f cores",
      (get_cpu_s () - cpu_s) * 1e6 / (double) (g_get_monotonic_time () - since_us));
  assert_recorded (fixture, &recording);
  for (unsigned i = 0; i < N_PUBLISHERS; i++)
    leave (fixture, i);
  WAIT_UNTIL (count_threads () <= n_threads && count_entries ("/proc/self/fd") <= n_fds);
  g_assert_cmpuint (fixture->n_lost, ==, 0);
  g_test_message ("%u of %u calls waited, the longest for %.1f ms: %s", fixture->n_waits,
      fixture->n_calls, (double) fixture->longest_wait_us / 1000, fixture->longest_wait);
  g_test_message ("the longest call took %.1f ms of a processor: %s",
      (double) fixture->longest_call_us / 1000, fixture->longest_call);
  g_assert_cmpint (fixture->longest_call_us, <, MAX_CALL_MS * 1000);
  g_assert_cmpuint (fixture->n_waits * 100, <=, fixture->n_calls * MAX_WAITING);
}

int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--browsers") == 0)
    run_browsers ();
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/crowd/holds-fifty-publishers-with-two-subscribers-each", Fixture, NULL, set_up,
      holds_fifty_publishers_with_two_subscribers_each, tear_down);
  return g_test_run ();
}
