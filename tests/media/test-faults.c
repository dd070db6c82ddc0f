/* test-faults.c - sinks that misbehave, servers that vanish, workers that are killed: what remains, and what is said. */
#define _GNU_SOURCE /* prlimit */
#include "lib/film.h"
#include "lib/media-judge.h"
#include "lib/worker-rig.h"

#include "base/json.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define RED 0xff0000
#define MP4 "{\"id\": \"mp4\", \"file\": \"plugins/mp4.so\", \"required\": true}"
#define COUNT(required, options)                                                                   \
  "{\"id\": \"count\", \"file\": \"examples/count.so\", \"required\": " required                   \
  ", \"options\": " options "}"
#define BROKEN(name, required)                                                                     \
  "{\"id\": \"broken\", \"file\": \"tests/plugins/broken-sink-" name                               \
  ".so\", \"required\": " required "}"

static const RecRigOptions small = { .width = 320, .height = 240, .frame_rate = 15 };

static RecFixture *
make_video (double seconds)
{
  return rec_fixture_video (&(RecVideoFixture){ .codec = "VP8",
      .width = 160,
      .height = 120,
      .frame_rate = 15,
      .n_frames = (int) (seconds * 15 + 0.5),
      .keyframe_every = 15,
      .colour = RED });
}

static RecWorkerRig *
start (const RecRigOptions *options, double seconds)
{
  g_autoptr (RecFixture) video = make_video (seconds);
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, seconds);
  RecWorkerRig *rig = rec_worker_rig_new (options);

  g_assert_true (rig->is_ready);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "a", "OPUS", false, 0 }, tone, 0);
  return rig;
}

static bool
is_ok (RecWorkerRig *rig)
{
  return rec_json_bool_or (rig->finished, "ok", false);
}

static void
assert_whole (RecWorkerRig *rig, double seconds)
{
  g_autofree char *path = rec_worker_rig_get_file (rig, ".mp4");
  g_autofree char *boxes = rec_judge_boxes (path);
  g_autoptr (RecFilm) film = rec_film_new (path);

  rec_judge_decodes (path);
  g_assert_null (strstr (boxes, "moof"));
  g_assert_cmpuint (film->frames->len, ==, (unsigned) (seconds * 15 + 0.5));
  rec_film_assert_pixel (film, film->frames->len - 2, 160, 120, RED);
  g_assert_cmpfloat (rec_film_get_tone (film, 440, 0.1, seconds - 0.1), >, 0.3);
}

/* --- sinks ----------------------------------------------------------------------------------------- */

static void
test_two_sinks_share_the_encoders (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autofree char *path = NULL, *text = NULL;

  options.sinks = "[" MP4 ", " COUNT ("true", "{}") "]";
  rig = start (&options, 2);
  rec_worker_rig_stop (rig, 2);
  g_assert_true (is_ok (rig));
  assert_whole (rig, 2);
  path = rec_worker_rig_get_file (rig, ".txt");
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "video: 30 packets, 1 keyframes"));
  g_assert_nonnull (strstr (text, "complete"));
}

static void
test_optional_sink_is_detached (gconstpointer data)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autofree char *sinks = g_strdup_printf ("[" MP4 ", %s]", (const char *) data);

  options.sinks = sinks;
  rig = start (&options, 2);
  rec_worker_rig_stop (rig, 2);
  g_assert_true (is_ok (rig));
  g_assert_cmpuint (rig->notes->len, ==, 1);
  assert_whole (rig, 2);
}

static void
test_stalled_sink_misses_its_deadline (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;

  options.sinks = "[" MP4 ", " COUNT ("false", "{\"fault\": \"stall\", \"after\": 5}") "]";
  options.is_live = true;
  options.sink_deadline_ms = 400;
  rig = start (&options, 2);
  rec_worker_rig_flush_live (rig);
  rec_worker_rig_stop (rig, 2);
  g_assert_true (is_ok (rig));
  g_assert_true (rec_worker_rig_has_note (rig, "for 400 ms"));
  g_assert_true (rec_worker_rig_has_note (rig, "write ()"));
  assert_whole (rig, 2);
}

/* Twenty seconds in a moment: were the sink waited for, it would take its whole deadline. */
static void
test_full_queue_holds_up_nobody (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;

  options.sinks = "[" MP4 ", " BROKEN ("lossless", "false") "]";
  options.sink_deadline_ms = 60000;
  options.sink_queue_ms = 1000;
  rig = start (&options, 20);
  rec_worker_rig_stop (rig, 20);
  g_assert_true (is_ok (rig));
  g_assert_true (rec_worker_rig_has_note (rig, "its queue is full"));
  assert_whole (rig, 20);
}

static void
test_required_sink_ends_the_recording (gconstpointer data)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autofree char *sinks = g_strdup_printf ("[" MP4 ", %s]", (const char *) data);
  g_autofree char *path = NULL;

  options.sinks = sinks;
  options.sink_deadline_ms = 400;
  options.sink_queue_ms = 1000;
  rig = start (&options, 20);
  rec_worker_rig_flush (rig);
  rec_worker_rig_wait_finished (rig);
  g_assert_false (is_ok (rig));
  g_assert_nonnull (strstr (rec_json_string_or (rig->finished, "message", ""), "sink 'broken'"));
  path = rec_worker_rig_get_file (rig, ".mp4");
  rec_judge_decodes (path);
  g_assert_cmpint (rec_worker_rig_reap (rig), !=, 0);
}

static void
test_required_sink_that_cannot_open_fails_the_start (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;

  options.sinks = "[" MP4 ", " BROKEN ("open", "true") "]";
  rig = rec_worker_rig_new (&options);
  g_assert_false (rig->is_ready);
  g_assert_cmpstr (rig->failure, ==, "sink 'broken': open (): nobody may open this");
  g_assert_cmpint (rec_worker_rig_reap (rig), !=, 0);
  g_assert_cmpint (g_rmdir (rig->directory), ==, 0); /* nothing was left in it */
  g_assert_cmpint (g_mkdir (rig->directory, 0700), ==, 0);
}

static void
test_full_disk_leaves_a_file_that_plays (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autofree char *path = NULL;
  const struct rlimit limit = { 150000, 150000 };

  rig = start (&options, 20);
  g_assert_cmpint (prlimit (rig->pid, RLIMIT_FSIZE, &limit, NULL), ==, 0);
  rec_worker_rig_flush (rig);
  rec_worker_rig_send_stop (rig, 20);
  rec_worker_rig_wait_finished (rig);
  g_assert_false (is_ok (rig));
  g_assert_nonnull (strstr (rec_json_string_or (rig->finished, "message", ""), "sink 'mp4'"));
  path = rec_worker_rig_get_file (rig, ".mp4");
  rec_judge_decodes (path);
}

/* --- processes ------------------------------------------------------------------------------------- */

static void
test_starts_and_stops_quickly (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;
  int64_t stopped_us;
  double started, stopping;

  options.is_live = true;
  rig = start (&options, 2);
  rec_worker_rig_flush_live (rig);
  rec_worker_rig_wait (rig, &rig->has_started, "start");
  stopped_us = g_get_monotonic_time ();
  rec_worker_rig_send_stop (rig, 2);
  while (rig->finished == NULL)
    g_main_context_iteration (NULL, TRUE);
  stopping = (double) (g_get_monotonic_time () - stopped_us) / 1e6;
  started = (double) (rig->started_us - rig->asked_us) / 1e6;
  g_test_message ("started after %.0f ms, stopped after %.0f ms", started * 1000, stopping * 1000);
  g_assert_cmpfloat (started, <, 0.5);
  g_assert_cmpfloat (stopping, <, 1);
  rec_worker_rig_wait_finished (rig);
  assert_whole (rig, 2);
}

static void
test_time_counts_from_begin (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;

  options.is_live = options.is_held = true;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_run_for (rig, 1);
  g_assert_false (rig->has_started);
  rec_worker_rig_begin (rig);
  rec_worker_rig_run_for (rig, 1);
  rec_worker_rig_stop (rig, 1);
  g_assert_true (is_ok (rig));
  g_assert_false (rec_worker_rig_has_note (rig, "the machine was too slow"));
}

static void
test_server_vanishes_before_the_beginning (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autoptr (GDir) folder = NULL;

  options.is_live = options.is_held = true;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_close_control (rig);
  g_assert_cmpint (waitpid (rig->pid, &rig->status, 0), ==, rig->pid);
  rig->is_reaped = true;
  g_assert_cmpint (WEXITSTATUS (rig->status), ==, 1);
  folder = g_dir_open (rig->directory, 0, NULL);
  g_assert_null (g_dir_read_name (folder));
}

static void
test_server_vanishes (gconstpointer data)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autofree char *path = NULL;
  g_autoptr (RecFilm) film = NULL;

  options.is_live = GPOINTER_TO_INT (data);
  rig = start (&options, 2);
  if (options.is_live)
    rec_worker_rig_flush_live (rig);
  else
    rec_worker_rig_flush (rig);
  rec_worker_rig_close_control (rig);
  g_assert_cmpint (waitpid (rig->pid, &rig->status, 0), ==, rig->pid);
  rig->is_reaped = true;
  g_assert_cmpint (rig->status, ==, 0);
  path = g_build_filename (rig->directory, "film.mp4", NULL);
  film = rec_film_new (path);
  g_assert_cmpuint (film->frames->len, >=, 28);
}

static void
test_signals_of_the_terminal_are_ignored (void)
{
  g_autoptr (RecWorkerRig) rig = start (&small, 2);

  kill (rig->pid, SIGTERM);
  kill (rig->pid, SIGINT);
  rec_worker_rig_stop (rig, 2);
  g_assert_true (is_ok (rig));
  assert_whole (rig, 2);
}

static void
test_killed_worker_loses_a_second_at_most (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL, second = NULL;
  g_autofree char *path = NULL;
  g_autoptr (RecFilm) film = NULL;
  double killed;

  options.is_live = true;
  rig = start (&options, 4);
  rec_worker_rig_flush_live (rig);
  killed = (double) (g_get_monotonic_time () * 1000 - rig->start_ns) / 1e9;
  kill (rig->pid, SIGKILL);
  rec_worker_rig_reap (rig);

  second = rec_worker_rig_recover (rig);
  g_assert_true (is_ok (second));
  path = rec_worker_rig_get_file (second, ".mp4");
  rec_judge_decodes (path);
  film = rec_film_new (path);
  g_test_message ("killed at %.2f s, file of %.2f s", killed, film->video_duration);
  g_assert_cmpfloat (film->video_duration, >, killed - 1);
  g_assert_cmpfloat_with_epsilon (
      (double) rec_json_int_or (
          json_object_array_get_idx (rec_json_get (second->finished, "files"), 0), "durationNs",
          0) /
          1e9,
      film->video_duration, 0.2);
  rec_worker_rig_reap (second);
}

/* For the server waits no longer than it hears of it. */
static void
test_long_recovery_says_that_it_gets_on (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL, second = NULL;
  g_autofree char *slow = NULL, *path = NULL;

  options.is_live = true;
  options.sinks = "[" MP4 ", " BROKEN ("recover", "true") "]";
  rig = start (&options, 2);
  rec_worker_rig_flush_live (rig);
  kill (rig->pid, SIGKILL);
  rec_worker_rig_reap (rig);

  slow = g_build_filename (rig->directory, "slow", NULL);
  g_assert_true (g_file_set_contents (slow, "", 0, NULL));
  second = rec_worker_rig_begin_recovery (rig);
  rec_worker_rig_wait (second, &second->gets_on, "say that it gets on");
  g_assert_null (second->finished);
  g_assert_cmpint (g_unlink (slow), ==, 0);
  rec_worker_rig_wait_finished (second);
  g_assert_true (is_ok (second));
  path = rec_worker_rig_get_file (second, ".mp4");
  rec_judge_decodes (path);
  rec_worker_rig_reap (second);
}

static void
test_nothing_to_recover_is_fine (void)
{
  g_autoptr (RecWorkerRig) rig = start (&small, 1);
  g_autoptr (RecWorkerRig) second = NULL;

  rec_worker_rig_stop (rig, 1);
  second = rec_worker_rig_recover (rig);
  g_assert_true (is_ok (second));
  rec_worker_rig_reap (second);
  assert_whole (rig, 1);
}

static void
test_stopped_process_catches_up (void)
{
  RecRigOptions options = small;
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autofree char *path = NULL;
  g_autoptr (RecFilm) film = NULL;

  options.is_live = true;
  options.sink_deadline_ms = 2000; /* less than it is stopped for: no sink is to be blamed */
  rig = start (&options, 1);
  rec_worker_rig_flush_live (rig);
  kill (rig->pid, SIGSTOP);
  rec_worker_rig_run_for (rig, 2.5);
  kill (rig->pid, SIGCONT);
  rec_worker_rig_run_for (rig, 0.5);
  rec_worker_rig_stop (rig, 4);
  g_assert_cmpstr (rec_json_string_or (rig->finished, "message", NULL), ==, NULL);
  g_assert_true (is_ok (rig));
  g_assert_true (rec_worker_rig_has_note (rig, "too slow"));
  path = rec_worker_rig_get_file (rig, ".mp4");
  film = rec_film_new (path);
  g_assert_cmpuint (film->frames->len, ==, 60);
  rec_film_assert_pixel (film, 59, 160, 120, RED);
}

static void
test_layout_that_crashes_costs_its_recording (void)
{
  RecRigOptions options = small;
  g_autoptr (RecFixture) video = make_video (1);
  g_autoptr (RecWorkerRig) rig = NULL, second = NULL;
  g_autofree char *path = NULL;

  options.layout = "tests/plugins/bad-arrange-crash.so"; /* as soon as there is a stream */
  options.is_live = true;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_wait (rig, &rig->has_started, "start");
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0.5 }, video, 0.5);
  rec_worker_rig_flush_live (rig);
  rec_worker_rig_wait (rig, &rig->is_gone, "die");
  g_assert_true (WIFSIGNALED (rec_worker_rig_reap (rig)));
  second = rec_worker_rig_recover (rig);
  g_assert_true (is_ok (second));
  path = rec_worker_rig_get_file (second, ".mp4");
  rec_judge_decodes (path);
  rec_worker_rig_reap (second);
}

static void
test_unknown_codec_is_noted (void)
{
  g_autoptr (RecFixture) video = make_video (1);
  g_autoptr (RecWorkerRig) rig = start (&small, 2);

  rec_worker_rig_play (rig, &(RecRigTrack){ 9, "b", "AV1", false, 0 }, video, 0);
  rec_worker_rig_stop (rig, 2);
  g_assert_true (is_ok (rig));
  g_assert_true (rec_worker_rig_has_note (rig, "codec 'AV1' is not known"));
  assert_whole (rig, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/faults/two-sinks-share-the-encoders", test_two_sinks_share_the_encoders);
  g_test_add_data_func ("/faults/optional-sink-is-detached/cannot-open",
      COUNT ("false", "{\"fault\": \"fail-open\"}"), test_optional_sink_is_detached);
  g_test_add_data_func ("/faults/optional-sink-is-detached/fails",
      COUNT ("false", "{\"fault\": \"fail-write\", \"after\": 9}"), test_optional_sink_is_detached);
  g_test_add_data_func ("/faults/optional-sink-is-detached/fails-at-the-end",
      COUNT ("false", "{\"fault\": \"fail-finish\"}"), test_optional_sink_is_detached);
  g_test_add_data_func ("/faults/optional-sink-is-detached/stalls",
      COUNT ("false", "{\"fault\": \"stall\"}"), test_optional_sink_is_detached);
  g_test_add_data_func ("/faults/optional-sink-is-detached/lossless-stalls",
      BROKEN ("lossless", "false"), test_optional_sink_is_detached);
  g_test_add_func ("/faults/full-queue-of-an-optional-sink-holds-up-nobody",
      test_full_queue_holds_up_nobody);
  g_test_add_func ("/faults/stalled-sink-misses-its-deadline",
      test_stalled_sink_misses_its_deadline);
  g_test_add_data_func ("/faults/required-sink-ends-the-recording/fails", BROKEN ("write", "true"),
      test_required_sink_ends_the_recording);
  g_test_add_data_func ("/faults/required-sink-ends-the-recording/stalls", BROKEN ("stall", "true"),
      test_required_sink_ends_the_recording);
  g_test_add_data_func ("/faults/required-sink-ends-the-recording/lossless-stalls",
      BROKEN ("lossless", "true"), test_required_sink_ends_the_recording);
  g_test_add_func ("/faults/required-sink-that-cannot-open-fails-the-start",
      test_required_sink_that_cannot_open_fails_the_start);
  g_test_add_func ("/faults/full-disk-leaves-a-file-that-plays",
      test_full_disk_leaves_a_file_that_plays);
  g_test_add_func ("/faults/starts-and-stops-quickly", test_starts_and_stops_quickly);
  g_test_add_func ("/faults/time-counts-from-begin", test_time_counts_from_begin);
  g_test_add_func ("/faults/server-vanishes-before-the-beginning",
      test_server_vanishes_before_the_beginning);
  g_test_add_data_func ("/faults/server-vanishes/live", GINT_TO_POINTER (1), test_server_vanishes);
  g_test_add_data_func ("/faults/server-vanishes/packets", GINT_TO_POINTER (0),
      test_server_vanishes);
  g_test_add_func ("/faults/signals-of-the-terminal-are-ignored",
      test_signals_of_the_terminal_are_ignored);
  g_test_add_func ("/faults/killed-worker-loses-a-second-at-most",
      test_killed_worker_loses_a_second_at_most);
  g_test_add_func ("/faults/long-recovery-says-that-it-gets-on",
      test_long_recovery_says_that_it_gets_on);
  g_test_add_func ("/faults/nothing-to-recover-is-fine", test_nothing_to_recover_is_fine);
  g_test_add_func ("/faults/stopped-process-catches-up", test_stopped_process_catches_up);
  g_test_add_func ("/faults/layout-that-crashes-costs-its-recording",
      test_layout_that_crashes_costs_its_recording);
  g_test_add_func ("/faults/unknown-codec-is-noted", test_unknown_codec_is_noted);
  return g_test_run ();
}
