/* test-restore.c - what the next server makes of the recordings that an earlier one left. */
#include "recording/supervisor.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/library-leaks.h"
#include "lib/supervisor-rig.h"

static RecRecording *
wait_for_restored (SupervisorRig *rig, const char *id)
{
  RecRecording *recording = rec_registry_find_recording (rig->registry, id);

  g_assert_nonnull (recording);
  WAIT_FOR (!rec_recording_is_active (recording));
  return recording;
}

static void
test_lists_recordings_after_a_restart (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "kept"));
  rig_record_for (500);
  rig_stop (rig, recording);
  double duration_s = recording->duration_s;
  int64_t size = recording->size;
  WAIT_FOR (!rig_has_journal (rig, recording));
  rig_drop_server (rig);

  rig_start_server (rig);
  recording = wait_for_restored (rig, "kept");
  rig_assert_plays (rig, recording);
  g_assert_cmpint (recording->size, ==, size);
  g_assert_cmpfloat (ABS (recording->duration_s - duration_s), <, 0.001);
  g_assert_cmpstr (recording->reason, ==, "recordingStoppedByServer");
}

static void
test_takes_up_what_a_dead_server_left (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "left"));
  pid_t worker = rig_get_worker (rig, recording);

  rig_record_for (1500);
  /* As when it is killed: nobody says goodbye to the worker. */
  rig_drop_server (rig);
  rig_start_server (rig);
  recording = rec_registry_find_recording (rig->registry, "left");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STOPPED);
  recording = wait_for_restored (rig, "left");
  rig_assert_plays (rig, recording);
  g_assert_cmpfloat (recording->duration_s, >, 1.4);
  rig_assert_says (recording->message, "the server ended during the recording");
  g_assert_cmpint (waitpid (worker, NULL, WNOHANG), ==, worker);
  WAIT_FOR (!rig_has_journal (rig, recording));
}

static void
test_salvages_what_server_and_worker_left (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecRecording *recording =
      rig_start_as (rig, rig_make_session (rig, "both"), rig_make_properties ("show"), REC_ERA_OLD);

  rig_record_for (2500);
  g_assert_cmpint (kill (rig_get_worker (rig, recording), SIGKILL), ==, 0);
  rig_drop_server (rig);
  g_assert_true (rig_exists (rig->recordings, "show.mp4.part"));
  rig_start_server (rig);
  recording = wait_for_restored (rig, "both");
  rig_assert_plays (rig, recording);
  g_assert_cmpstr (recording->file_name, ==, "show.mp4");
  g_assert_cmpfloat (recording->duration_s, >, 1.4);
}

static void
test_fails_what_nothing_is_left_of (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "lost"));
  rig_record_for (300);
  g_assert_cmpint (kill (rig_get_worker (rig, recording), SIGKILL), ==, 0);
  rig_drop_server (rig);
  g_autofree char *part = g_build_filename (rig->recordings, "lost", "lost.mp4.part", NULL);
  g_assert_cmpint (g_remove (part), ==, 0);

  rig_start_server (rig);
  recording = wait_for_restored (rig, "lost");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  rig_assert_says (recording->message, "nothing could be salvaged");
  g_assert_true (rec_supervisor_delete (rig->supervisor, recording, NULL));
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/restore/" name, SupervisorRig, NULL, supervisor_rig_set_up, function,              \
      supervisor_rig_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Lost recordings are logged as such. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  if (!g_file_test (rig_get_program (), G_FILE_TEST_IS_EXECUTABLE))
    g_error ("%s is missing: build it first", rig_get_program ());
  CLAIM ("lists-recordings-after-a-restart", test_lists_recordings_after_a_restart);
  CLAIM ("takes-up-what-a-dead-server-left", test_takes_up_what_a_dead_server_left);
  CLAIM ("salvages-what-server-and-worker-left", test_salvages_what_server_and_worker_left);
  CLAIM ("fails-what-nothing-is-left-of", test_fails_what_nothing_is_left_of);
  return g_test_run ();
}
