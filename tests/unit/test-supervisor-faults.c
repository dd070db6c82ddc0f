/* test-supervisor-faults.c - recordings with real workers, and what becomes of them when something dies or ends early. */
#define _GNU_SOURCE
#include "recording/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "lib/library-leaks.h"
#include "lib/small-disk.h"
#include "lib/supervisor-rig.h"

static void
test_salvages_the_file_of_a_killed_worker (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "killed");
  RecRecording *other = rig_start (rig, rig_make_session (rig, "unharmed"));
  RecRecording *recording = rig_start (rig, session);

  rig_record_for (2500);
  g_assert_cmpint (kill (rig_get_worker (rig, recording), SIGKILL), ==, 0);
  WAIT_FOR (recording->status != REC_RECORDING_STARTED);
  WAIT_FOR (!rec_recording_is_active (recording));
  rig_assert_plays (rig, recording);
  g_assert_cmpfloat (recording->duration_s, >, 1.4);
  g_assert_cmpstr (recording->reason, ==, "mediaServerCrashed");
  rig_assert_says (recording->message, "killed by signal 9 (SIGKILL)");
  rig_assert_says (recording->notes->pdata[0], "salvaged");
  g_assert_null (session->recording);
  WAIT_FOR (!rig_has_journal (rig, recording));
  g_autoptr (RecJson) entity = rig_read_entity (recording);
  rig_assert_says (rec_json_string_or (entity, "message", NULL), "SIGKILL");

  g_assert_cmpint (other->status, ==, REC_RECORDING_STARTED);
  rig_stop (rig, other);
  rig_assert_plays (rig, other);
  RecRecording *next = rig_start (rig, session);
  rig_record_for (300);
  rig_stop (rig, next);
  rig_assert_plays (rig, next);
}

static void
test_ends_a_worker_that_hangs (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_set (rig, "recording.stop-timeout-ms", "500");
  rig_set (rig, "recording.kill-timeout-ms", "200");
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "hanging"));

  rig_record_for (2500);
  g_assert_cmpint (kill (rig_get_worker (rig, recording), SIGSTOP), ==, 0);
  rig_stop (rig, recording);
  rig_assert_plays (rig, recording);
  g_assert_cmpstr (recording->reason, ==, "recordingStoppedByServer");
  rig_assert_says (recording->message, "recording.stop-timeout-ms");
}

static void
test_ends_what_nobody_stops (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_set (rig, "recording.max-duration-s", "1");
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "forgotten"));

  WAIT_FOR (!rec_recording_is_active (recording));
  rig_assert_plays (rig, recording);
  g_assert_cmpfloat (recording->duration_s, >, 0.9);
  g_assert_cmpstr (recording->reason, ==, "maxDurationReached");
  rig_assert_says (recording->notes->pdata[0], "recording.max-duration-s");
}

static void
test_ends_at_the_size_asked_for (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = rig_make_properties (NULL);

  properties->max_size = 12000;
  rig_start_server (rig);
  RecRecording *recording =
      rig_start_as (rig, rig_make_session (rig, "large"), properties, REC_ERA_NEW);
  WAIT_FOR (!rec_recording_is_active (recording));
  rig_assert_plays (rig, recording);
  g_assert_cmpstr (recording->reason, ==, "maxSizeReached");
  rig_assert_says (recording->notes->pdata[0], "12000 bytes");
  g_assert_cmpint (recording->size, >=, 12000);
}

static void
test_limits_lower_what_the_ini_allows (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *longer = rig_make_properties (NULL), *larger = rig_make_properties (NULL);
  RecRecordingProperties *shorter = rig_make_properties (NULL);

  rig_set (rig, "recording.max-duration-s", "100");
  rig_set (rig, "recording.max-size-bytes", "100000");
  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "limited");
  longer->max_duration_s = 101;
  larger->max_size = 100001;
  shorter->max_duration_s = 1;
  rig_assert_refused (rig, session, longer, REC_ERROR_UNPROCESSABLE, "maxDuration");
  rig_assert_refused (rig, session, larger, REC_ERROR_UNPROCESSABLE, "maxSize");
  RecRecording *recording = rig_start_as (rig, session, shorter, REC_ERA_NEW);
  WAIT_FOR (!rec_recording_is_active (recording));
  g_assert_cmpstr (recording->reason, ==, "maxDurationReached");
}

static void
fill_disk (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "filler", NULL);
  static const char zeros[4096];
  int fd = g_open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

  while (write (fd, zeros, sizeof zeros) > 0)
    continue;
  g_assert_cmpint (errno, ==, ENOSPC);
  close (fd);
}

static void
test_keeps_a_playable_file_when_the_disk_is_full (SupervisorRig *rig,
    gconstpointer data G_GNUC_UNUSED)
{
  if (!g_test_subprocess ()) {
    if (!small_disk_can_mount ()) {
      g_test_skip ("no right to mount a small disk");
      return;
    }
    g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed ();
    return;
  }
  g_assert_cmpint (g_mkdir (rig->recordings, 0700), ==, 0);
  g_assert_true (small_disk_mount (rig->recordings, 16));
  rig_set (rig, "recording.min-free-bytes", "0");
  rig_set (rig, "recording.end-free-bytes", "0");
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "full"));
  rig_record_for (1500);
  fill_disk (rig->recordings);
  WAIT_FOR (!rec_recording_is_active (recording));
  rig_assert_plays (rig, recording);
  g_assert_cmpfloat (recording->duration_s, >, 0.9);
  g_assert_cmpstr (recording->reason, ==, "automaticStop");
  rig_assert_says (recording->message, g_strerror (ENOSPC));
  g_assert_cmpint (umount2 (rig->recordings, MNT_DETACH), ==, 0);
}

static void
test_finishes_when_its_session_is_closed (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "closed");
  RecRecording *recording = rig_start (rig, session);

  rig_record_for (500);
  rec_registry_close_session (rig->registry, session, "sessionClosedByServer");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STOPPED);
  WAIT_FOR (!rec_recording_is_active (recording));
  rig_assert_plays (rig, recording);
  g_assert_cmpstr (recording->reason, ==, "sessionClosedByServer");
}

static void
test_fails_when_its_session_is_closed_before_it_began (SupervisorRig *rig,
    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = rig_make_properties (NULL);
  RigAnswer answer = { 0 };

  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "brief");
  RecRecording *recording = rec_supervisor_start (rig->supervisor, session, properties, REC_ERA_NEW,
      rig_take_answer, &answer, NULL);
  rec_registry_close_session (rig->registry, session, "sessionClosedByServer");
  g_assert_cmpint (answer.n_calls, ==, 1);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_CONFLICT);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  g_clear_error (&answer.error);
}

static void
test_finishes_everything_when_the_server_stops (SupervisorRig *rig,
    gconstpointer data G_GNUC_UNUSED)
{
  bool is_stopped = false;

  rig_start_server (rig);
  RecRecording *first = rig_start (rig, rig_make_session (rig, "first"));
  RecRecording *second = rig_start (rig, rig_make_session (rig, "second"));
  RecSession *session = rig_make_session (rig, "late");

  rig_record_for (500);
  rec_supervisor_stop_all (rig->supervisor, "openviduServerStopped", rig_set_true, &is_stopped);
  rig_assert_refused (rig, session, rig_make_properties (NULL), REC_ERROR_UNAVAILABLE,
      "being stopped");
  WAIT_FOR (is_stopped);
  rig_assert_plays (rig, first);
  rig_assert_plays (rig, second);
  g_assert_true (rig_exists (first->directory, "first.jpg"));
  g_assert_cmpstr (first->reason, ==, "openviduServerStopped");
}

/* One worker stands still; the server does not wait for it for ever. */
static void
test_waits_no_longer_than_told_when_the_server_stops (SupervisorRig *rig,
    gconstpointer data G_GNUC_UNUSED)
{
  bool is_stopped = false;

  rig_set (rig, "server.shutdown-timeout-s", "8");
  rig_start_server (rig);
  RecRecording *whole = rig_start (rig, rig_make_session (rig, "whole"));
  RecRecording *stuck = rig_start (rig, rig_make_session (rig, "stuck"));
  pid_t worker = rig_get_worker (rig, stuck);

  rig_record_for (500);
  g_assert_cmpint (kill (worker, SIGSTOP), ==, 0);
  rec_supervisor_stop_all (rig->supervisor, "openviduServerStopped", rig_set_true, &is_stopped);
  WAIT_FOR (is_stopped);
  g_assert_true (rec_recording_is_active (stuck));
  g_assert_true (rig_has_journal (rig, stuck)); /* for the next server */
  rig_assert_plays (rig, whole);
  g_assert_cmpint (kill (worker, SIGCONT), ==, 0);
  WAIT_FOR (!rec_recording_is_active (stuck));
  rig_assert_plays (rig, stuck);
}

/* Their own tables need more address space than any limit gives. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void
test_bounds_the_memory_of_a_worker (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = rig_make_properties (NULL);
  RigAnswer answer = { 0 };

  rig_set (rig, "recording.worker-memory-bytes", "50000000");
  rig_start_server (rig);
  RecRecording *recording = rec_supervisor_start (rig->supervisor, rig_make_session (rig, "tight"),
      properties, REC_ERA_NEW, rig_take_answer, &answer, NULL);
  g_assert_nonnull (recording);
  WAIT_FOR (answer.n_calls > 0);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_FAILED);
  g_test_message ("%s", answer.error->message);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  g_clear_error (&answer.error);
  rig_set (rig, "recording.worker-memory-bytes", "0");
  rig_stop (rig, rig_start (rig, rig_make_session (rig, "wide")));
}
#endif

#define CLAIM(name, function)                                                                      \
  g_test_add ("/supervisor-faults/" name, SupervisorRig, NULL, supervisor_rig_set_up, function,    \
      supervisor_rig_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Lost recordings are logged as such. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  if (!g_file_test (rig_get_program (), G_FILE_TEST_IS_EXECUTABLE))
    g_error ("%s is missing: build it first", rig_get_program ());
  CLAIM ("salvages-the-file-of-a-killed-worker", test_salvages_the_file_of_a_killed_worker);
  CLAIM ("ends-a-worker-that-hangs", test_ends_a_worker_that_hangs);
  CLAIM ("ends-what-nobody-stops", test_ends_what_nobody_stops);
  CLAIM ("ends-at-the-size-asked-for", test_ends_at_the_size_asked_for);
  CLAIM ("limits-lower-what-the-ini-allows", test_limits_lower_what_the_ini_allows);
  CLAIM ("keeps-a-playable-file-when-the-disk-is-full",
      test_keeps_a_playable_file_when_the_disk_is_full);
  CLAIM ("finishes-when-its-session-is-closed", test_finishes_when_its_session_is_closed);
  CLAIM ("fails-when-its-session-is-closed-before-it-began",
      test_fails_when_its_session_is_closed_before_it_began);
  CLAIM ("finishes-everything-when-the-server-stops",
      test_finishes_everything_when_the_server_stops);
  CLAIM ("waits-no-longer-than-told-when-the-server-stops",
      test_waits_no_longer_than_told_when_the_server_stops);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CLAIM ("bounds-the-memory-of-a-worker", test_bounds_the_memory_of_a_worker);
#endif
  return g_test_run ();
}
