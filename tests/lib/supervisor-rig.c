/* supervisor-rig.c - a server without its network, and what tests of its recordings say. */
#include "lib/supervisor-rig.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "lib/media-judge.h"

const char *
rig_get_program (void)
{
  const char *program = g_getenv ("RECTO");

  return program != NULL ? program : REC_BUILD_DIR "/recto";
}

const char *
rig_get_self (void)
{
  static char *path;

  if (path == NULL)
    path = g_file_read_link ("/proc/self/exe", NULL);
  return path;
}

G_NORETURN gboolean
rig_on_timeout (gpointer data)
{
  g_error ("waited for %s", (const char *) data);
}

static gboolean
on_recorded (gpointer data)
{
  *(bool *) data = true;
  return G_SOURCE_REMOVE;
}

/* Lets file time pass: there must be something in the file. */
void
rig_record_for (guint ms)
{
  bool is_over = false;

  g_timeout_add (ms, on_recorded, &is_over);
  WAIT_FOR (is_over);
}

static int64_t
read_clock (void *data G_GNUC_UNUSED)
{
  return g_get_real_time () / 1000;
}

void
rig_set (SupervisorRig *rig, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (rig->config, key, value, "test", &error);
  g_assert_no_error (error);
}

void
rig_start_server (SupervisorRig *rig)
{
  g_autoptr (GError) error = NULL;

  rig->registry = rec_registry_new (rig->config, read_clock, NULL);
  rig->router = rec_router_new (rig->config, rig->registry, &error);
  g_assert_no_error (error);
  if (rig->catalogue == NULL)
    rig->catalogue = rec_catalogue_new (rig->config, rig_get_program (), &error);
  g_assert_no_error (error);
  rig->supervisor = rec_supervisor_new (rig->config, rig->registry, rig->router, rig->catalogue,
      rig->workers != NULL ? rig->workers : rig_get_program (), &error);
  g_assert_no_error (error);
}

void
rig_drop_server (SupervisorRig *rig)
{
  g_clear_pointer (&rig->supervisor, rec_supervisor_free);
  g_clear_pointer (&rig->router, rec_router_free);
  g_clear_pointer (&rig->registry, rec_registry_free);
}

static void
link_plugins (SupervisorRig *rig)
{
  static const char *const files[] = { "plugins/best_fit.so", "plugins/mp4.so", "plugins/local.so",
    "plugins/custom_html.so", "examples/row.so", "examples/count.so",
    "tests/plugins/broken-sink-open.so", "tests/plugins/broken-sink-write.so",
    "tests/plugins/broken-sink-slow.so" };
  g_autofree char *folder = g_build_filename (rig->folder, "plugins", NULL);

  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *file = g_build_filename (REC_BUILD_DIR, files[i], NULL);
    g_autofree char *path = g_build_filename (folder, strrchr (files[i], '/'), NULL);

    g_assert_cmpint (symlink (file, path), ==, 0);
  }
  rig_set (rig, "plugins.directories", folder);
}

void
supervisor_rig_set_up (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig->folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  rig->recordings = g_build_filename (rig->folder, "recordings", NULL);
  rig->state = g_build_filename (rig->folder, "state", NULL);
  rig->config = rec_config_new ();
  rig_set (rig, "openvidu.recording", "true");
  rig_set (rig, "openvidu.recording.path", rig->recordings);
  rig_set (rig, "server.state-directory", rig->state);
  link_plugins (rig);
  rig_set (rig, "plugins.config-directory", rig->folder);
  rig_set (rig, "plugins.probe-timeout-ms", "20000");
  rig_set (rig, "recording.spare-workers", "0");
  rig_set (rig, "recording.start-timeout-ms", "60000");
  rig_set (rig, "recording.stop-timeout-ms", "60000");
}

void
rig_set_true (void *data)
{
  *(bool *) data = true;
}

void
supervisor_rig_tear_down (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  bool is_stopped = false;

  if (rig->supervisor != NULL) {
    rec_supervisor_stop_all (rig->supervisor, "openviduServerStopped", rig_set_true, &is_stopped);
    WAIT_FOR (is_stopped);
  }
  rig_drop_server (rig);
  rec_catalogue_free (rig->catalogue);
  rec_config_free (rig->config);
  g_assert_true (rec_path_remove_tree (rig->folder, NULL));
  g_free (rig->folder);
  g_free (rig->recordings);
  g_free (rig->state);
}

RecSession *
rig_make_session (SupervisorRig *rig, const char *id)
{
  RecSessionProperties *properties = rec_session_properties_new ();
  g_autoptr (GError) error = NULL;

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (id);
  RecSession *session =
      rec_registry_create_session (rig->registry, REC_ERA_NEW, properties, &error);
  g_assert_no_error (error);
  return session;
}

RecRecordingProperties *
rig_make_properties (const char *name)
{
  RecRecordingProperties *properties = rec_recording_properties_new ();

  properties->name = g_strdup (name);
  properties->width = 321;
  properties->height = 241;
  properties->frame_rate = 15;
  return properties;
}

void
rig_take_answer (RecRecording *recording, const GError *error, void *data)
{
  RigAnswer *answer = data;

  answer->n_calls++;
  answer->recording = recording;
  answer->error = error != NULL ? g_error_copy (error) : NULL;
}

RecRecording *
rig_start_as (SupervisorRig *rig, RecSession *session, RecRecordingProperties *properties,
    RecEra era)
{
  RigAnswer answer = { 0 };
  g_autoptr (GError) error = NULL;
  RecRecording *recording = rec_supervisor_start (rig->supervisor, session, properties, era,
      rig_take_answer, &answer, &error);

  g_assert_no_error (error);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STARTING);
  g_assert_true (session->recording == recording);
  rec_recording_properties_free (properties);
  WAIT_FOR (answer.n_calls > 0);
  g_assert_no_error (answer.error);
  g_assert_true (answer.recording == recording);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STARTED);
  return recording;
}

RecRecording *
rig_start (SupervisorRig *rig, RecSession *session)
{
  return rig_start_as (rig, session, rig_make_properties (NULL), REC_ERA_NEW);
}

void
rig_stop (SupervisorRig *rig, RecRecording *recording)
{
  RigAnswer answer = { 0 };
  g_autoptr (GError) error = NULL;

  rec_supervisor_stop (rig->supervisor, recording, "recordingStoppedByServer", rig_take_answer,
      &answer, &error);
  g_assert_no_error (error);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STOPPED);
  WAIT_FOR (answer.n_calls > 0);
  g_assert_no_error (answer.error);
}

void
rig_assert_refused (SupervisorRig *rig, RecSession *session, RecRecordingProperties *properties,
    RecErrorCode code, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_supervisor_start (rig->supervisor, session, properties, REC_ERA_NEW,
      rig_take_answer, NULL, &error));
  g_assert_error (error, REC_ERROR, (gint) code);
  if (strstr (error->message, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, reason);
  rec_recording_properties_free (properties);
}

void
rig_assert_says (const char *text, const char *reason)
{
  if (text == NULL || strstr (text, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", text != NULL ? text : "(nothing)", reason);
}

RecJson *
rig_read_json (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  RecJson *json = rec_json_parse_file (path, 1 << 20, &error);

  g_assert_no_error (error);
  return json;
}

static char *
journal_name (const RecRecording *recording)
{
  return g_strconcat ("running/", recording->id, ".json", NULL);
}

pid_t
rig_get_worker (SupervisorRig *rig, const RecRecording *recording)
{
  g_autofree char *name = journal_name (recording);
  g_autoptr (RecJson) journal = rig_read_json (rig->state, name);

  return (pid_t) rec_json_int_or (journal, "pid", 0);
}

bool
rig_has_journal (SupervisorRig *rig, const RecRecording *recording)
{
  g_autofree char *name = journal_name (recording);
  g_autofree char *path = g_build_filename (rig->state, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* Ready, and ffprobe agrees with what the recording says of itself. */
void
rig_assert_plays (SupervisorRig *rig, const RecRecording *recording)
{
  g_autofree char *path = rec_supervisor_dup_file_path (rig->supervisor, recording, "video");

  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
  g_assert_nonnull (path);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpfloat (ABS (judgement->duration - recording->duration_s), <, 0.2);
  g_assert_cmpint (judgement->video.is_there, ==, recording->has_video);
  g_assert_cmpint (judgement->audio.is_there, ==, recording->has_audio);
  rec_judge_decodes (path);
}

RecJson *
rig_read_entity (const RecRecording *recording)
{
  g_autofree char *name = g_strconcat (".recording.", recording->id, NULL);

  return rig_read_json (recording->directory, name);
}

bool
rig_exists (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

RecRecordingProperties *
rig_with_sinks (const char *sinks)
{
  RecRecordingProperties *properties = rig_make_properties (NULL);

  properties->sinks = g_strsplit (sinks, ",", -1);
  return properties;
}
