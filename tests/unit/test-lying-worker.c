/* test-lying-worker.c - workers that say what is not so: this very program, run as one, tells each lie in turn. */
#include "recording/supervisor.h"

#include <string.h>

#include "lib/library-leaks.h"
#include "lib/played-worker.h"
#include "lib/supervisor-rig.h"

#define FILE_OF(name)                                                                              \
  "{\"name\": \"" name "\", \"mediaType\": \"video/mp4\", \"size\": 9223372036854775807,"          \
  " \"durationNs\": 9223372036854775807, \"hasAudio\": true, \"hasVideo\": true}"
#define FINISHED(name) "finished {\"ok\": true, \"files\": [" FILE_OF (name) "]}\n"
#define STARTED "ready {}\nstarted {}\n"

typedef struct {
  const char *name;
  const char *on_setup, *on_stop; /* lines of a type and a message */
  bool goes_on;                   /* repeats the last line for ever */
} Lie;

static const Lie lies[] = {
  { "out-of-turn", "started {}\nready {}\nready {}\n", "", false },
  { "leaves-the-folder", STARTED, FINISHED ("../secret.mp4"), false },
  { "absolute", STARTED, FINISHED ("/etc/passwd"), false },
  { "of-another", STARTED, FINISHED ("other.mp4"), false },
  { "entity", STARTED, FINISHED (".recording.lied"), false },
  { "no-file", STARTED, FINISHED ("lied.mp4"), false },
  { "fails-for-ever", STARTED, "failed {\"message\": \"soon\"}\n", true },
  { "packs-for-ever", STARTED, "progress {\"bytes\": 1}\n", true },
  { "unknown-track", STARTED "keyframe {\"track\": 4294967295}\n", FINISHED ("lied.mp4"), false },
  { "no-message", STARTED "stats {}\n", "", false },
};

/* --- the worker --------------------------------------------------------------------------------------------- */

static const Lie *lie;

static const Lie *
find_lie (const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (lies); i++)
    if (g_strcmp0 (lies[i].name, name) == 0)
      return &lies[i];
  return NULL;
}

static RecControlType
find_type (const char *word)
{
  static const struct {
    const char *word;
    RecControlType type;
  } words[] = { { "ready", REC_CONTROL_READY }, { "started", REC_CONTROL_STARTED },
    { "finished", REC_CONTROL_FINISHED }, { "failed", REC_CONTROL_FAILED },
    { "keyframe", REC_CONTROL_KEYFRAME }, { "stats", REC_CONTROL_STATS },
    { "progress", REC_CONTROL_PROGRESS } };

  for (size_t i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (words[i].word, word) == 0)
      return words[i].type;
  g_assert_not_reached ();
}

static void
say (const char *lines)
{
  g_auto (GStrv) split = g_strsplit (lines, "\n", -1);

  for (char **line = split; **line != '\0'; line++) {
    g_auto (GStrv) words = g_strsplit (*line, " ", 2);

    played_worker_say (find_type (words[0]), words[1]);
  }
}

static gboolean
on_again (gpointer data)
{
  say (data);
  return G_SOURCE_CONTINUE;
}

static void
on_message (RecControlType type, json_object *message G_GNUC_UNUSED)
{
  if (type == REC_CONTROL_SETUP)
    say (lie->on_setup);
  else if (type == REC_CONTROL_RECOVER)
    say (FINISHED ("../secret.mp4"));
  else if (type == REC_CONTROL_STOP)
    say (lie->on_stop);
  if (type == REC_CONTROL_STOP && lie->goes_on)
    g_timeout_add (50, on_again, (gpointer) lie->on_stop);
  if (type == REC_CONTROL_RECOVER || (type == REC_CONTROL_STOP && !lie->goes_on))
    played_worker_end ();
}

/* --- the server --------------------------------------------------------------------------------------------- */

static void
set_up (SupervisorRig *rig, gconstpointer data)
{
  const Lie *told = data;

  g_setenv (PLAYED_SCRIPT, told->name, TRUE);
  supervisor_rig_set_up (rig, NULL);
  rig->workers = rig_get_self ();
  rig_set (rig, "recording.start-timeout-ms", "3000");
  rig_set (rig, "recording.stop-timeout-ms", "1000");
  rig_set (rig, "recording.kill-timeout-ms", "200");
  rig_start_server (rig);
}

static char *
put_file (const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, "precious", -1, NULL));
  return path;
}

/* Whatever it says: every request is answered, the recording ends, and nobody else's file is touched. */
static void
test_costs_its_recording_only (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autofree char *secret = put_file (rig->folder, "secret.mp4");
  g_autofree char *other = put_file (rig->recordings, "other.mp4");
  RigAnswer started = { 0 }, stopped = { 0 };
  g_autoptr (GError) error = NULL;
  RecRecording *recording = rec_supervisor_start (rig->supervisor, rig_make_session (rig, "lied"),
      properties, REC_ERA_OLD, rig_take_answer, &started, &error);

  g_assert_no_error (error);
  WAIT_FOR (started.n_calls > 0);
  if (started.error == NULL && recording->status == REC_RECORDING_STARTED) {
    rec_supervisor_stop (rig->supervisor, recording, "recordingStoppedByServer", rig_take_answer,
        &stopped, &error);
    g_assert_no_error (error);
    WAIT_FOR (stopped.n_calls > 0);
  }
  while (rec_recording_is_active (recording))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  g_assert_null (recording->file_name);
  g_assert_nonnull (recording->message);
  g_assert_true (rec_supervisor_delete (rig->supervisor, recording, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_test (secret, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));
  g_assert_cmpint (started.n_calls, ==, 1);
  g_clear_error (&started.error);
  g_clear_error (&stopped.error);
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--worker") == 0) {
    lie = find_lie (g_getenv (PLAYED_SCRIPT));
    played_worker_run (on_message);
  }
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  for (size_t i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autofree char *name = g_strconcat ("/lying-worker/", lies[i].name, NULL);

    g_test_add (name, SupervisorRig, &lies[i], set_up, test_costs_its_recording_only,
        supervisor_rig_tear_down);
  }
  return g_test_run ();
}
