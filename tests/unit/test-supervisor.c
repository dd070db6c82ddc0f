/* test-supervisor.c - recordings with real workers: files, refusals, and what becomes of them when something dies. */
#define _GNU_SOURCE
#include "recording/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "lib/library-leaks.h"
#include "lib/media-judge.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "session/registry.h"

#define TIMEOUT_S 90

/* A server without its network. */
typedef struct {
  char *folder, *recordings, *state;
  RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecCatalogue *catalogue;
  RecSupervisor *supervisor;
} Fixture;

/* What a request was answered. */
typedef struct {
  int n_calls;
  GError *error;
  RecRecording *recording; /* borrowed */
} Answer;

static const char *
get_program (void)
{
  const char *program = g_getenv ("RECTO");

  return program != NULL ? program : REC_BUILD_DIR "/recto";
}

G_NORETURN static gboolean
on_timeout (gpointer data)
{
  g_error ("waited for %s", (const char *) data);
}

/* Runs the loop until the condition holds. */
#define WAIT_FOR(condition)                                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint timeout = g_timeout_add_seconds (TIMEOUT_S, on_timeout, (gpointer) #condition);          \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (timeout);                                                                     \
  }                                                                                                \
  G_STMT_END

static gboolean
on_recorded (gpointer data)
{
  *(bool *) data = true;
  return G_SOURCE_REMOVE;
}

/* Lets file time pass: there must be something in the file. */
static void
record_for (guint ms)
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

static void
set (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
start_server (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->registry = rec_registry_new (fixture->config, read_clock, NULL);
  fixture->router = rec_router_new (fixture->config, fixture->registry, &error);
  g_assert_no_error (error);
  if (fixture->catalogue == NULL)
    fixture->catalogue = rec_catalogue_new (fixture->config, get_program (), &error);
  g_assert_no_error (error);
  fixture->supervisor = rec_supervisor_new (fixture->config, fixture->registry, fixture->router,
      fixture->catalogue, get_program (), &error);
  g_assert_no_error (error);
}

static void
drop_server (Fixture *fixture)
{
  g_clear_pointer (&fixture->supervisor, rec_supervisor_free);
  g_clear_pointer (&fixture->router, rec_router_free);
  g_clear_pointer (&fixture->registry, rec_registry_free);
}

static void
link_plugins (Fixture *fixture)
{
  static const char *const files[] = { "plugins/best_fit.so", "plugins/mp4.so", "plugins/local.so",
    "plugins/custom_html.so", "examples/row.so", "examples/count.so",
    "tests/plugins/broken-sink-open.so", "tests/plugins/broken-sink-write.so",
    "tests/plugins/broken-sink-slow.so" };
  g_autofree char *folder = g_build_filename (fixture->folder, "plugins", NULL);

  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *file = g_build_filename (REC_BUILD_DIR, files[i], NULL);
    g_autofree char *path = g_build_filename (folder, strrchr (files[i], '/'), NULL);

    g_assert_cmpint (symlink (file, path), ==, 0);
  }
  set (fixture, "plugins.directories", folder);
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  fixture->recordings = g_build_filename (fixture->folder, "recordings", NULL);
  fixture->state = g_build_filename (fixture->folder, "state", NULL);
  fixture->config = rec_config_new ();
  set (fixture, "openvidu.recording", "true");
  set (fixture, "openvidu.recording.path", fixture->recordings);
  set (fixture, "server.state-directory", fixture->state);
  link_plugins (fixture);
  set (fixture, "plugins.config-directory", fixture->folder);
  set (fixture, "plugins.probe-timeout-ms", "20000");
  set (fixture, "recording.spare-workers", "0");
  set (fixture, "recording.start-timeout-ms", "60000");
  set (fixture, "recording.stop-timeout-ms", "60000");
}

static void
set_stopped (void *data)
{
  *(bool *) data = true;
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  bool is_stopped = false;

  if (fixture->supervisor != NULL) {
    rec_supervisor_stop_all (fixture->supervisor, "openviduServerStopped", set_stopped,
        &is_stopped);
    WAIT_FOR (is_stopped);
  }
  drop_server (fixture);
  rec_catalogue_free (fixture->catalogue);
  rec_config_free (fixture->config);
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
  g_free (fixture->recordings);
  g_free (fixture->state);
}

/* --- what tests say --------------------------------------------------------------------------------------- */

static RecSession *
make_session (Fixture *fixture, const char *id)
{
  RecSessionProperties *properties = rec_session_properties_new ();
  g_autoptr (GError) error = NULL;

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (id);
  RecSession *session =
      rec_registry_create_session (fixture->registry, REC_ERA_NEW, properties, &error);
  g_assert_no_error (error);
  return session;
}

static RecRecordingProperties *
make_properties (const char *name)
{
  RecRecordingProperties *properties = rec_recording_properties_new ();

  properties->name = g_strdup (name);
  properties->width = 321;
  properties->height = 241;
  properties->frame_rate = 15;
  return properties;
}

static void
take_answer (RecRecording *recording, const GError *error, void *data)
{
  Answer *answer = data;

  answer->n_calls++;
  answer->recording = recording;
  answer->error = error != NULL ? g_error_copy (error) : NULL;
}

static RecRecording *
start_as (Fixture *fixture, RecSession *session, RecRecordingProperties *properties, RecEra era)
{
  Answer answer = { 0 };
  g_autoptr (GError) error = NULL;
  RecRecording *recording = rec_supervisor_start (fixture->supervisor, session, properties, era,
      take_answer, &answer, &error);

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

static RecRecording *
start (Fixture *fixture, RecSession *session)
{
  return start_as (fixture, session, make_properties (NULL), REC_ERA_NEW);
}

static void
stop (Fixture *fixture, RecRecording *recording)
{
  Answer answer = { 0 };
  g_autoptr (GError) error = NULL;

  rec_supervisor_stop (fixture->supervisor, recording, "recordingStoppedByServer", take_answer,
      &answer, &error);
  g_assert_no_error (error);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STOPPED);
  WAIT_FOR (answer.n_calls > 0);
  g_assert_no_error (answer.error);
}

static void
assert_start_is_refused (Fixture *fixture, RecSession *session, RecRecordingProperties *properties,
    RecErrorCode code, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_supervisor_start (fixture->supervisor, session, properties, REC_ERA_NEW,
      take_answer, NULL, &error));
  g_assert_error (error, REC_ERROR, (gint) code);
  if (strstr (error->message, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, reason);
  rec_recording_properties_free (properties);
}

static void
assert_says (const char *text, const char *reason)
{
  if (text == NULL || strstr (text, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", text != NULL ? text : "(nothing)", reason);
}

static RecJson *
read_json (const char *folder, const char *name)
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

static pid_t
get_worker (Fixture *fixture, const RecRecording *recording)
{
  g_autofree char *name = journal_name (recording);
  g_autoptr (RecJson) journal = read_json (fixture->state, name);

  return (pid_t) rec_json_int_or (journal, "pid", 0);
}

static bool
has_journal (Fixture *fixture, const RecRecording *recording)
{
  g_autofree char *name = journal_name (recording);
  g_autofree char *path = g_build_filename (fixture->state, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* Ready, and ffprobe agrees with what the recording says of itself. */
static void
assert_plays (Fixture *fixture, const RecRecording *recording)
{
  g_autofree char *path = rec_supervisor_dup_file_path (fixture->supervisor, recording, "video");

  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
  g_assert_nonnull (path);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpfloat (ABS (judgement->duration - recording->duration_s), <, 0.2);
  g_assert_cmpint (judgement->video.is_there, ==, recording->has_video);
  g_assert_cmpint (judgement->audio.is_there, ==, recording->has_audio);
  rec_judge_decodes (path);
}

static RecJson *
read_entity (const RecRecording *recording)
{
  g_autofree char *name = g_strconcat (".recording.", recording->id, NULL);

  return read_json (recording->directory, name);
}

static bool
exists (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* --- the ordinary course ------------------------------------------------------------------------------------ */

static void
test_makes_a_file_of_an_empty_session (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "empty"));

  g_assert_cmpstr (recording->id, ==, "empty");
  g_assert_true (has_journal (fixture, recording));
  record_for (1500);
  stop (fixture, recording);
  assert_plays (fixture, recording);
  g_assert_cmpfloat (recording->duration_s, >, 1.4);
  g_assert_cmpstr (recording->reason, ==, "recordingStoppedByServer");
  g_assert_null (recording->message);
  g_assert_cmpint (recording->properties->width, ==, 320);
  g_assert_cmpint (recording->properties->height, ==, 240);
  g_assert_cmpstr (recording->file_name, ==, "empty.mp4");

  g_autoptr (RecJson) entity = read_entity (recording);
  g_assert_cmpstr (rec_json_string_or (entity, "status", ""), ==, "ready");
  g_assert_cmpint (rec_json_int_or (entity, "size", 0), ==, recording->size);
  WAIT_FOR (!has_journal (fixture, recording));
  WAIT_FOR (exists (recording->directory, "empty.jpg"));
}

static void
test_keeps_old_recordings_in_one_folder (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecSession *session = make_session (fixture, "flat");

  for (int i = 0; i < 2; i++) {
    RecRecording *recording = start_as (fixture, session, make_properties ("show"), REC_ERA_OLD);
    record_for (300);
    stop (fixture, recording);
    assert_plays (fixture, recording);
    g_assert_cmpstr (recording->id, ==, i == 0 ? "flat" : "flat-1");
    g_assert_cmpstr (recording->name, ==, i == 0 ? "show" : "show-1");
    g_assert_cmpstr (recording->directory, ==, fixture->recordings);
  }
  g_assert_true (exists (fixture->recordings, "show.mp4"));
  g_assert_true (exists (fixture->recordings, "show-1.mp4"));
  g_autoptr (RecJson) info = read_json (fixture->recordings, "flat.info");
  g_assert_cmpuint (json_object_array_length (rec_json_get (info, "streams")), ==, 2);
  g_autoptr (RecJson) entity = read_json (fixture->recordings, ".recording.flat");
  g_assert_cmpstr (rec_json_string_or (entity, "status", ""), ==, "stopped");
}

static void
test_numbers_the_recordings_of_a_session (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const ids[] = { "many", "many~1", "many~2" };

  set (fixture, "recording.spare-workers", "1");
  start_server (fixture);
  RecSession *session = make_session (fixture, "many");
  for (size_t i = 0; i < G_N_ELEMENTS (ids); i++) {
    RecRecording *recording = start (fixture, session);
    record_for (200);
    stop (fixture, recording);
    g_assert_cmpstr (recording->id, ==, ids[i]);
    g_assert_true (exists (fixture->recordings, ids[i]));
  }
}

static void
test_records_sound_alone_as_webm (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = make_properties ("voices");

  start_server (fixture);
  properties->has_video = false;
  RecRecording *recording =
      start_as (fixture, make_session (fixture, "sound"), properties, REC_ERA_NEW);
  record_for (1000);
  stop (fixture, recording);
  assert_plays (fixture, recording);
  g_assert_cmpstr (recording->file_name, ==, "voices.webm");
  g_assert_false (recording->has_video);
}

static void
test_goes_on_without_an_optional_sink (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = make_properties (NULL);

  start_server (fixture);
  properties->sinks = g_strsplit ("mp4,broken-sink-write?", ",", -1);
  RecRecording *recording =
      start_as (fixture, make_session (fixture, "tough"), properties, REC_ERA_NEW);
  WAIT_FOR (recording->notes->len > 0);
  assert_says (recording->notes->pdata[0], "broken-sink-write");
  record_for (300);
  stop (fixture, recording);
  assert_plays (fixture, recording);
}

/* The file begins when packets can flow, however long the worker took to get ready. */
static void
test_counts_time_from_when_packets_flow (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = make_properties (NULL);

  start_server (fixture);
  properties->sinks = g_strsplit ("mp4,broken-sink-slow?", ",", -1);
  RecRecording *recording =
      start_as (fixture, make_session (fixture, "slow"), properties, REC_ERA_NEW);
  stop (fixture, recording);
  assert_plays (fixture, recording);
  g_assert_cmpfloat (recording->duration_s, <, 0.7);
  for (guint i = 0; i < recording->notes->len; i++)
    g_assert_null (strstr (recording->notes->pdata[i], "the machine was too slow"));
}

static void
test_deletes_what_belongs_to_a_recording (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) running = NULL, error = NULL;

  start_server (fixture);
  RecSession *session = make_session (fixture, "gone");
  RecRecording *recording = start (fixture, session);
  record_for (300);
  g_assert_false (rec_supervisor_delete (fixture->supervisor, recording, &running));
  g_assert_error (running, REC_ERROR, REC_ERROR_CONFLICT);
  stop (fixture, recording);
  /* At once: the worker may still be at the thumbnail. */
  g_assert_true (rec_supervisor_delete (fixture->supervisor, recording, &error));
  g_assert_no_error (error);
  g_assert_null (rec_registry_find_recording (fixture->registry, "gone"));
  g_assert_false (exists (fixture->recordings, "gone"));

  RecRecording *flat = start_as (fixture, session, make_properties (NULL), REC_ERA_OLD);
  record_for (300);
  stop (fixture, flat);
  g_assert_true (exists (fixture->recordings, "gone.mp4"));
  g_assert_true (rec_supervisor_delete (fixture->supervisor, flat, &error));
  g_autoptr (GDir) dir = g_dir_open (fixture->recordings, 0, NULL);
  g_assert_null (g_dir_read_name (dir));
}

static void
test_deletes_what_all_sinks_wrote (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = make_properties ("show");

  start_server (fixture);
  properties->sinks = g_strsplit ("mp4,count!", ",", -1);
  RecRecording *recording =
      start_as (fixture, make_session (fixture, "flat"), properties, REC_ERA_OLD);
  stop (fixture, recording);
  g_assert_true (exists (fixture->recordings, "show.count.txt"));
  WAIT_FOR (!has_journal (fixture, recording));
  drop_server (fixture);
  start_server (fixture);
  recording = rec_registry_find_recording (fixture->registry, "flat");
  g_assert_true (rec_supervisor_delete (fixture->supervisor, recording, NULL));
  g_autoptr (GDir) dir = g_dir_open (fixture->recordings, 0, NULL);
  g_assert_null (g_dir_read_name (dir));
}

static void
leave_file (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->recordings, name, NULL);

  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

/* As a worker leaves them that is killed while it starts. */
static void
test_deletes_what_a_failed_start_left (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "show.mp4.part", "show-failed.mp4.part", ".reserve.failed" };
  g_autoptr (RecRecordingProperties) properties = make_properties ("show");
  Answer answer = { 0 };

  start_server (fixture);
  properties->sinks = g_strsplit ("mp4,broken-sink-open!", ",", -1);
  RecRecording *recording = rec_supervisor_start (fixture->supervisor,
      make_session (fixture, "failed"), properties, REC_ERA_OLD, take_answer, &answer, NULL);
  WAIT_FOR (answer.n_calls > 0);
  g_clear_error (&answer.error);
  WAIT_FOR (!has_journal (fixture, recording));
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    leave_file (fixture, names[i]);
  leave_file (fixture, "show.txt");
  g_assert_true (rec_supervisor_delete (fixture->supervisor, recording, NULL));
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_false (exists (fixture->recordings, names[i]));
  g_assert_true (exists (fixture->recordings, "show.txt"));
}

/* --- refusals ------------------------------------------------------------------------------------------------ */

static void
test_starts_one_of_many_at_once (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  Answer answers[15] = { 0 };
  RecRecording *started = NULL;
  int n_conflicts = 0;

  start_server (fixture);
  RecSession *session = make_session (fixture, "rush");
  for (size_t i = 0; i < G_N_ELEMENTS (answers); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecRecordingProperties) properties = make_properties (NULL);
    RecRecording *recording = rec_supervisor_start (fixture->supervisor, session, properties,
        REC_ERA_NEW, take_answer, &answers[i], &error);

    n_conflicts += g_error_matches (error, REC_ERROR, REC_ERROR_CONFLICT);
    started = recording != NULL ? recording : started;
  }
  g_assert_cmpint (n_conflicts, ==, 14);
  WAIT_FOR (answers[0].n_calls > 0);
  g_assert_no_error (answers[0].error);
  g_assert_cmpuint (rec_registry_get_recordings (fixture->registry)->len, ==, 1);
  stop (fixture, started);
}

static void
test_refuses_to_stop_at_the_wrong_time (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) starting = NULL, stopping = NULL, over = NULL;
  g_autoptr (RecRecordingProperties) properties = make_properties (NULL);
  Answer started = { 0 }, stopped = { 0 };

  start_server (fixture);
  RecRecording *recording = rec_supervisor_start (fixture->supervisor,
      make_session (fixture, "times"), properties, REC_ERA_NEW, take_answer, &started, NULL);
  g_assert_false (
      rec_supervisor_stop (fixture->supervisor, recording, "x", take_answer, &stopped, &starting));
  g_assert_error (starting, REC_ERROR, REC_ERROR_NOT_ACCEPTABLE);
  WAIT_FOR (started.n_calls > 0);
  record_for (200);
  g_assert_true (
      rec_supervisor_stop (fixture->supervisor, recording, "x", take_answer, &stopped, NULL));
  g_assert_false (
      rec_supervisor_stop (fixture->supervisor, recording, "x", take_answer, NULL, &stopping));
  g_assert_error (stopping, REC_ERROR, REC_ERROR_CONFLICT);
  WAIT_FOR (stopped.n_calls > 0);
  g_assert_false (
      rec_supervisor_stop (fixture->supervisor, recording, "x", take_answer, NULL, &over));
  g_assert_error (over, REC_ERROR, REC_ERROR_NOT_FOUND);
  g_assert_cmpint (stopped.n_calls, ==, 1);
}

static RecRecordingProperties *
with_layout (const char *layout)
{
  RecRecordingProperties *properties = make_properties (NULL);

  g_free (properties->recording_layout);
  properties->recording_layout = g_strdup (layout);
  return properties;
}

static RecRecordingProperties *
with_sinks (const char *sinks)
{
  RecRecordingProperties *properties = make_properties (NULL);

  properties->sinks = g_strsplit (sinks, ",", -1);
  return properties;
}

static RecRecordingProperties *
with_options (const char *options)
{
  RecRecordingProperties *properties = with_layout ("row");

  properties->options = json_tokener_parse (options);
  return properties;
}

static void
test_refuses_what_it_cannot_record (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *individual = make_properties (NULL), *nothing = make_properties (NULL);

  set (fixture, "browser.program", "/nonexistent");
  start_server (fixture);
  RecSession *session = make_session (fixture, "strict");
  individual->output_mode = REC_OUTPUT_INDIVIDUAL;
  individual->sinks = g_strsplit ("mp4", ",", -1);
  nothing->has_audio = nothing->has_video = false;
  assert_start_is_refused (fixture, session, individual, REC_ERROR_INVALID_ARGUMENT,
      "sink 'mp4' takes no single streams");
  assert_start_is_refused (fixture, session, nothing, REC_ERROR_UNPROCESSABLE, "hasAudio");
  assert_start_is_refused (fixture, session, with_layout ("CUSTOM"), REC_ERROR_NOT_IMPLEMENTED,
      "custom");
  assert_start_is_refused (fixture, session, with_layout ("nonsense"), REC_ERROR_INVALID_ARGUMENT,
      "no layout 'nonsense'; there are: BEST_FIT");
  assert_start_is_refused (fixture, session, with_layout ("mp4"), REC_ERROR_INVALID_ARGUMENT,
      "no layout 'mp4'");
  assert_start_is_refused (fixture, session, with_sinks ("mp4,tape"), REC_ERROR_INVALID_ARGUMENT,
      "no sink 'tape'; there are: ");
  assert_start_is_refused (fixture, session, with_sinks ("mp4,mp4"), REC_ERROR_INVALID_ARGUMENT,
      "twice");
  assert_start_is_refused (fixture, session, with_sinks (""), REC_ERROR_INVALID_ARGUMENT,
      "1 to 8 sinks");
  assert_start_is_refused (fixture, session, with_options ("{\"row\":{\"gap\":900}}"),
      REC_ERROR_INVALID_ARGUMENT, "plugin 'row', option 'gap': expected 0 to 200");
  assert_start_is_refused (fixture, session, with_options ("{\"best_fit\":{}}"),
      REC_ERROR_INVALID_ARGUMENT, "does not use");
  assert_start_is_refused (fixture, session, make_properties ("../escape"),
      REC_ERROR_INVALID_ARGUMENT, "cannot be a file's");
  g_assert_null (session->recording);
  g_assert_cmpuint (rec_registry_get_recordings (fixture->registry)->len, ==, 0);
}

static void
test_packs_single_streams (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *individual = make_properties (NULL);
  g_autofree char *path = NULL;

  individual->output_mode = REC_OUTPUT_INDIVIDUAL;
  start_server (fixture);
  RecRecording *recording =
      start_as (fixture, make_session (fixture, "single"), individual, REC_ERA_NEW);
  stop (fixture, recording);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
  g_assert_cmpstr (recording->file_name, ==, "single.zip");
  path = rec_supervisor_dup_file_path (fixture->supervisor, recording, "video");
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  WAIT_FOR (!has_journal (fixture, recording));

  drop_server (fixture);
  start_server (fixture);
  recording = rec_registry_find_recording (fixture->registry, "single");
  g_assert_nonnull (recording);
  g_assert_cmpstr (recording->file_name, ==, "single.zip");
}

static void
test_keeps_its_bounds (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  set (fixture, "recording.max-recordings", "1");
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "one"));

  assert_start_is_refused (fixture, make_session (fixture, "two"), make_properties (NULL),
      REC_ERROR_UNAVAILABLE, "recording.max-recordings");
  record_for (200);
  stop (fixture, recording);
  set (fixture, "recording.min-free-bytes", "1099511627776");
  assert_start_is_refused (fixture, make_session (fixture, "three"), make_properties (NULL),
      REC_ERROR_UNAVAILABLE, "recording.min-free-bytes");
}

/* One percent of the processors is too little for it, however many there are. */
static void
test_starts_what_there_is_room_for (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *large = make_properties (NULL);

  large->width = large->height = 1920;
  large->frame_rate = 120;
  set (fixture, "recording.max-memory-percent", "0");
  start_server (fixture);
  RecRecording *running = start (fixture, make_session (fixture, "running"));
  set (fixture, "recording.max-cpu-percent", "1");
  assert_start_is_refused (fixture, make_session (fixture, "large"), large, REC_ERROR_UNAVAILABLE,
      "no room for another recording: 1 running ones use");
  g_assert_false (exists (fixture->recordings, "large"));
  stop (fixture, running);
  assert_plays (fixture, running);
  g_assert_null (running->message);
}

static void
test_ends_recordings_before_the_disk_is_full (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "low"));

  record_for (1200);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STARTED);
  set (fixture, "recording.end-free-bytes", "1099511627776");
  WAIT_FOR (!rec_recording_is_active (recording));
  assert_plays (fixture, recording);
  g_assert_cmpstr (recording->reason, ==, "automaticStop");
  assert_says (recording->message, "fewer than recording.end-free-bytes");
  g_autoptr (RecJson) entity = read_entity (recording);
  assert_says (rec_json_string_or (entity, "message", NULL), "recording.end-free-bytes");
  assert_start_is_refused (fixture, make_session (fixture, "next"), make_properties (NULL),
      REC_ERROR_UNAVAILABLE, "recording.end-free-bytes");
}

static void
assert_owned (const char *path, uid_t owner)
{
  struct stat info;

  g_assert_cmpint (stat (path, &info), ==, 0);
  if (info.st_uid != owner)
    g_error ("%s belongs to user %u", path, info.st_uid);
}

static void
test_gives_files_to_their_owner (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "", "given.mp4", ".recording.given" };

  if (geteuid () != 0) {
    g_test_skip ("no right to give files away");
    return;
  }
  set (fixture, "recording.owner", "12345");
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "given"));
  record_for (500);
  stop (fixture, recording);
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (fixture->recordings, "given", names[i], NULL);
    assert_owned (path, 12345);
  }
}

static void
test_refuses_when_recording_is_off (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  set (fixture, "openvidu.recording", "false");
  start_server (fixture);
  assert_start_is_refused (fixture, make_session (fixture, "off"), make_properties (NULL),
      REC_ERROR_NOT_IMPLEMENTED, "openvidu.recording");
}

static void
test_fails_when_a_required_sink_cannot_open (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = with_sinks ("mp4,broken-sink-open!");
  Answer answer = { 0 };

  start_server (fixture);
  RecSession *session = make_session (fixture, "denied");
  RecRecording *recording = rec_supervisor_start (fixture->supervisor, session, properties,
      REC_ERA_NEW, take_answer, &answer, NULL);
  WAIT_FOR (answer.n_calls > 0);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_FAILED);
  assert_says (answer.error->message, "nobody may open this");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  g_assert_null (session->recording);
  g_clear_error (&answer.error);
  stop (fixture, start (fixture, session));
}

/* Its worker was in the middle of opening the file. */
static void
test_leaves_nothing_of_a_start_that_took_too_long (Fixture *fixture,
    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = with_sinks ("mp4,broken-sink-slow!");
  Answer answer = { 0 };

  set (fixture, "recording.spare-workers", "1");
  start_server (fixture);
  RecRecording *recording = rec_supervisor_start (fixture->supervisor,
      make_session (fixture, "late"), properties, REC_ERA_NEW, take_answer, &answer, NULL);
  WAIT_FOR (exists (recording->directory, "late.mp4.part"));
  g_assert_cmpint (answer.n_calls, ==, 0);
  rec_registry_close_session (fixture->registry,
      rec_registry_find_session (fixture->registry, "late"), "sessionClosedByServer");
  g_assert_cmpint (answer.n_calls, ==, 1);
  g_assert_nonnull (answer.error);
  g_clear_error (&answer.error);
  WAIT_FOR (!exists (recording->directory, "late.mp4.part") &&
            !exists (recording->directory, ".reserve.late"));
  WAIT_FOR (!has_journal (fixture, recording));
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
}

/* --- faults -------------------------------------------------------------------------------------------------- */

static void
test_salvages_the_file_of_a_killed_worker (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecSession *session = make_session (fixture, "killed");
  RecRecording *other = start (fixture, make_session (fixture, "unharmed"));
  RecRecording *recording = start (fixture, session);

  record_for (2500);
  g_assert_cmpint (kill (get_worker (fixture, recording), SIGKILL), ==, 0);
  WAIT_FOR (recording->status != REC_RECORDING_STARTED);
  WAIT_FOR (!rec_recording_is_active (recording));
  assert_plays (fixture, recording);
  g_assert_cmpfloat (recording->duration_s, >, 1.4);
  g_assert_cmpstr (recording->reason, ==, "mediaServerCrashed");
  assert_says (recording->message, "killed by signal 9 (SIGKILL)");
  assert_says (recording->notes->pdata[0], "salvaged");
  g_assert_null (session->recording);
  WAIT_FOR (!has_journal (fixture, recording));
  g_autoptr (RecJson) entity = read_entity (recording);
  assert_says (rec_json_string_or (entity, "message", NULL), "SIGKILL");

  g_assert_cmpint (other->status, ==, REC_RECORDING_STARTED);
  stop (fixture, other);
  assert_plays (fixture, other);
  RecRecording *next = start (fixture, session);
  record_for (300);
  stop (fixture, next);
  assert_plays (fixture, next);
}

static void
test_ends_a_worker_that_hangs (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  set (fixture, "recording.stop-timeout-ms", "500");
  set (fixture, "recording.kill-timeout-ms", "200");
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "hanging"));

  record_for (2500);
  g_assert_cmpint (kill (get_worker (fixture, recording), SIGSTOP), ==, 0);
  stop (fixture, recording);
  assert_plays (fixture, recording);
  g_assert_cmpstr (recording->reason, ==, "recordingStoppedByServer");
  assert_says (recording->message, "recording.stop-timeout-ms");
}

static void
test_ends_what_nobody_stops (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  set (fixture, "recording.max-duration-s", "1");
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "forgotten"));

  WAIT_FOR (!rec_recording_is_active (recording));
  assert_plays (fixture, recording);
  g_assert_cmpfloat (recording->duration_s, >, 0.9);
  g_assert_cmpstr (recording->reason, ==, "maxDurationReached");
  assert_says (recording->notes->pdata[0], "recording.max-duration-s");
}

static void
test_ends_at_the_size_asked_for (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = make_properties (NULL);

  properties->max_size = 12000;
  start_server (fixture);
  RecRecording *recording =
      start_as (fixture, make_session (fixture, "large"), properties, REC_ERA_NEW);
  WAIT_FOR (!rec_recording_is_active (recording));
  assert_plays (fixture, recording);
  g_assert_cmpstr (recording->reason, ==, "maxSizeReached");
  assert_says (recording->notes->pdata[0], "12000 bytes");
  g_assert_cmpint (recording->size, >=, 12000);
}

static void
test_limits_lower_what_the_ini_allows (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *longer = make_properties (NULL), *larger = make_properties (NULL);
  RecRecordingProperties *shorter = make_properties (NULL);

  set (fixture, "recording.max-duration-s", "100");
  set (fixture, "recording.max-size-bytes", "100000");
  start_server (fixture);
  RecSession *session = make_session (fixture, "limited");
  longer->max_duration_s = 101;
  larger->max_size = 100001;
  shorter->max_duration_s = 1;
  assert_start_is_refused (fixture, session, longer, REC_ERROR_UNPROCESSABLE, "maxDuration");
  assert_start_is_refused (fixture, session, larger, REC_ERROR_UNPROCESSABLE, "maxSize");
  RecRecording *recording = start_as (fixture, session, shorter, REC_ERA_NEW);
  WAIT_FOR (!rec_recording_is_active (recording));
  g_assert_cmpstr (recording->reason, ==, "maxDurationReached");
}

/* A disk of sixteen megabytes, seen by this process and its children only. */
static bool
mount_small_disk (const char *path)
{
  return unshare (CLONE_NEWNS | (geteuid () != 0 ? CLONE_NEWUSER : 0)) == 0 &&
         mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount ("none", path, "tmpfs", 0, "size=16m") == 0;
}

static bool
can_mount (void)
{
  pid_t child = fork ();
  int status = -1;

  if (child == 0)
    _exit (!mount_small_disk (g_get_tmp_dir ()));
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return status == 0;
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
test_keeps_a_playable_file_when_the_disk_is_full (Fixture *fixture,
    gconstpointer data G_GNUC_UNUSED)
{
  if (!g_test_subprocess ()) {
    if (!can_mount ()) {
      g_test_skip ("no right to mount a small disk");
      return;
    }
    g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed ();
    return;
  }
  g_assert_cmpint (g_mkdir (fixture->recordings, 0700), ==, 0);
  g_assert_true (mount_small_disk (fixture->recordings));
  set (fixture, "recording.min-free-bytes", "0");
  set (fixture, "recording.end-free-bytes", "0");
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "full"));
  record_for (1500);
  fill_disk (fixture->recordings);
  WAIT_FOR (!rec_recording_is_active (recording));
  assert_plays (fixture, recording);
  g_assert_cmpfloat (recording->duration_s, >, 0.9);
  g_assert_cmpstr (recording->reason, ==, "automaticStop");
  assert_says (recording->message, g_strerror (ENOSPC));
  g_assert_cmpint (umount2 (fixture->recordings, MNT_DETACH), ==, 0);
}

static void
test_finishes_when_its_session_is_closed (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecSession *session = make_session (fixture, "closed");
  RecRecording *recording = start (fixture, session);

  record_for (500);
  rec_registry_close_session (fixture->registry, session, "sessionClosedByServer");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STOPPED);
  WAIT_FOR (!rec_recording_is_active (recording));
  assert_plays (fixture, recording);
  g_assert_cmpstr (recording->reason, ==, "sessionClosedByServer");
}

static void
test_fails_when_its_session_is_closed_before_it_began (Fixture *fixture,
    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = make_properties (NULL);
  Answer answer = { 0 };

  start_server (fixture);
  RecSession *session = make_session (fixture, "brief");
  RecRecording *recording = rec_supervisor_start (fixture->supervisor, session, properties,
      REC_ERA_NEW, take_answer, &answer, NULL);
  rec_registry_close_session (fixture->registry, session, "sessionClosedByServer");
  g_assert_cmpint (answer.n_calls, ==, 1);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_CONFLICT);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  g_clear_error (&answer.error);
}

static void
test_finishes_everything_when_the_server_stops (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  bool is_stopped = false;

  start_server (fixture);
  RecRecording *first = start (fixture, make_session (fixture, "first"));
  RecRecording *second = start (fixture, make_session (fixture, "second"));
  RecSession *session = make_session (fixture, "late");

  record_for (500);
  rec_supervisor_stop_all (fixture->supervisor, "openviduServerStopped", set_stopped, &is_stopped);
  assert_start_is_refused (fixture, session, make_properties (NULL), REC_ERROR_UNAVAILABLE,
      "being stopped");
  WAIT_FOR (is_stopped);
  assert_plays (fixture, first);
  assert_plays (fixture, second);
  g_assert_true (exists (first->directory, "first.jpg"));
  g_assert_cmpstr (first->reason, ==, "openviduServerStopped");
}

/* One worker stands still; the server does not wait for it for ever. */
static void
test_waits_no_longer_than_told_when_the_server_stops (Fixture *fixture,
    gconstpointer data G_GNUC_UNUSED)
{
  bool is_stopped = false;

  set (fixture, "server.shutdown-timeout-s", "8");
  start_server (fixture);
  RecRecording *whole = start (fixture, make_session (fixture, "whole"));
  RecRecording *stuck = start (fixture, make_session (fixture, "stuck"));
  pid_t worker = get_worker (fixture, stuck);

  record_for (500);
  g_assert_cmpint (kill (worker, SIGSTOP), ==, 0);
  rec_supervisor_stop_all (fixture->supervisor, "openviduServerStopped", set_stopped, &is_stopped);
  WAIT_FOR (is_stopped);
  g_assert_true (rec_recording_is_active (stuck));
  g_assert_true (has_journal (fixture, stuck)); /* for the next server */
  assert_plays (fixture, whole);
  g_assert_cmpint (kill (worker, SIGCONT), ==, 0);
  WAIT_FOR (!rec_recording_is_active (stuck));
  assert_plays (fixture, stuck);
}

#ifndef __SANITIZE_ADDRESS__ /* whose own tables need more address space than any limit gives */
static void
test_bounds_the_memory_of_a_worker (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = make_properties (NULL);
  Answer answer = { 0 };

  set (fixture, "recording.worker-memory-bytes", "50000000");
  start_server (fixture);
  RecRecording *recording = rec_supervisor_start (fixture->supervisor,
      make_session (fixture, "tight"), properties, REC_ERA_NEW, take_answer, &answer, NULL);
  g_assert_nonnull (recording);
  WAIT_FOR (answer.n_calls > 0);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_FAILED);
  g_test_message ("%s", answer.error->message);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  g_clear_error (&answer.error);
  set (fixture, "recording.worker-memory-bytes", "0");
  stop (fixture, start (fixture, make_session (fixture, "wide")));
}
#endif

/* --- the next server ------------------------------------------------------------------------------------------ */

static RecRecording *
wait_for_restored (Fixture *fixture, const char *id)
{
  RecRecording *recording = rec_registry_find_recording (fixture->registry, id);

  g_assert_nonnull (recording);
  WAIT_FOR (!rec_recording_is_active (recording));
  return recording;
}

static void
test_lists_recordings_after_a_restart (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "kept"));
  record_for (500);
  stop (fixture, recording);
  double duration_s = recording->duration_s;
  int64_t size = recording->size;
  WAIT_FOR (!has_journal (fixture, recording));
  drop_server (fixture);

  start_server (fixture);
  recording = wait_for_restored (fixture, "kept");
  assert_plays (fixture, recording);
  g_assert_cmpint (recording->size, ==, size);
  g_assert_cmpfloat (ABS (recording->duration_s - duration_s), <, 0.001);
  g_assert_cmpstr (recording->reason, ==, "recordingStoppedByServer");
}

static void
test_takes_up_what_a_dead_server_left (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "left"));
  pid_t worker = get_worker (fixture, recording);

  record_for (1500);
  /* As when it is killed: nobody says goodbye to the worker. */
  drop_server (fixture);
  start_server (fixture);
  recording = rec_registry_find_recording (fixture->registry, "left");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STOPPED);
  recording = wait_for_restored (fixture, "left");
  assert_plays (fixture, recording);
  g_assert_cmpfloat (recording->duration_s, >, 1.4);
  assert_says (recording->message, "the server ended during the recording");
  g_assert_cmpint (waitpid (worker, NULL, WNOHANG), ==, worker);
  WAIT_FOR (!has_journal (fixture, recording));
}

static void
test_salvages_what_server_and_worker_left (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecRecording *recording =
      start_as (fixture, make_session (fixture, "both"), make_properties ("show"), REC_ERA_OLD);

  record_for (2500);
  g_assert_cmpint (kill (get_worker (fixture, recording), SIGKILL), ==, 0);
  drop_server (fixture);
  g_assert_true (exists (fixture->recordings, "show.mp4.part"));
  start_server (fixture);
  recording = wait_for_restored (fixture, "both");
  assert_plays (fixture, recording);
  g_assert_cmpstr (recording->file_name, ==, "show.mp4");
  g_assert_cmpfloat (recording->duration_s, >, 1.4);
}

static void
test_fails_what_nothing_is_left_of (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start_server (fixture);
  RecRecording *recording = start (fixture, make_session (fixture, "lost"));
  record_for (300);
  g_assert_cmpint (kill (get_worker (fixture, recording), SIGKILL), ==, 0);
  drop_server (fixture);
  g_autofree char *part = g_build_filename (fixture->recordings, "lost", "lost.mp4.part", NULL);
  g_assert_cmpint (g_remove (part), ==, 0);

  start_server (fixture);
  recording = wait_for_restored (fixture, "lost");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  assert_says (recording->message, "nothing could be salvaged");
  g_assert_true (rec_supervisor_delete (fixture->supervisor, recording, NULL));
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/supervisor/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Lost recordings are logged as such. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  if (!g_file_test (get_program (), G_FILE_TEST_IS_EXECUTABLE))
    g_error ("%s is missing: build it first", get_program ());
  CLAIM ("makes-a-file-of-an-empty-session", test_makes_a_file_of_an_empty_session);
  CLAIM ("keeps-old-recordings-in-one-folder", test_keeps_old_recordings_in_one_folder);
  CLAIM ("numbers-the-recordings-of-a-session", test_numbers_the_recordings_of_a_session);
  CLAIM ("records-sound-alone-as-webm", test_records_sound_alone_as_webm);
  CLAIM ("goes-on-without-an-optional-sink", test_goes_on_without_an_optional_sink);
  CLAIM ("counts-time-from-when-packets-flow", test_counts_time_from_when_packets_flow);
  CLAIM ("deletes-what-belongs-to-a-recording", test_deletes_what_belongs_to_a_recording);
  CLAIM ("deletes-what-all-sinks-wrote", test_deletes_what_all_sinks_wrote);
  CLAIM ("deletes-what-a-failed-start-left", test_deletes_what_a_failed_start_left);
  CLAIM ("starts-one-of-many-at-once", test_starts_one_of_many_at_once);
  CLAIM ("refuses-to-stop-at-the-wrong-time", test_refuses_to_stop_at_the_wrong_time);
  CLAIM ("refuses-what-it-cannot-record", test_refuses_what_it_cannot_record);
  CLAIM ("packs-single-streams", test_packs_single_streams);
  CLAIM ("keeps-its-bounds", test_keeps_its_bounds);
  CLAIM ("starts-what-there-is-room-for", test_starts_what_there_is_room_for);
  CLAIM ("ends-recordings-before-the-disk-is-full", test_ends_recordings_before_the_disk_is_full);
  CLAIM ("gives-files-to-their-owner", test_gives_files_to_their_owner);
  CLAIM ("refuses-when-recording-is-off", test_refuses_when_recording_is_off);
  CLAIM ("fails-when-a-required-sink-cannot-open", test_fails_when_a_required_sink_cannot_open);
  CLAIM ("leaves-nothing-of-a-start-that-took-too-long",
      test_leaves_nothing_of_a_start_that_took_too_long);
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
#ifndef __SANITIZE_ADDRESS__
  CLAIM ("bounds-the-memory-of-a-worker", test_bounds_the_memory_of_a_worker);
#endif
  CLAIM ("lists-recordings-after-a-restart", test_lists_recordings_after_a_restart);
  CLAIM ("takes-up-what-a-dead-server-left", test_takes_up_what_a_dead_server_left);
  CLAIM ("salvages-what-server-and-worker-left", test_salvages_what_server_and_worker_left);
  CLAIM ("fails-what-nothing-is-left-of", test_fails_what_nothing_is_left_of);
  return g_test_run ();
}
