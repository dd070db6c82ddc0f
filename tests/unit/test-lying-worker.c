/* test-lying-worker.c - workers that say what is not so: this very program, run as one, tells each lie in turn. */
#include "recording/supervisor.h"

#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/json.h"
#include "base/path.h"
#include "lib/library-leaks.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "session/registry.h"
#include "wire/build.h"
#include "wire/control.h"

#define TIMEOUT_S 60
#define LIE "G_RECTO_LIE" /* children get only what begins with harmless words */
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
static RecControl *control;
static GMainLoop *loop;

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

    rec_control_send (control, find_type (words[0]), json_tokener_parse (words[1]));
  }
}

static gboolean
on_again (gpointer data)
{
  say (data);
  return G_SOURCE_CONTINUE;
}

static void
on_message (RecControl *sender G_GNUC_UNUSED, RecControlType type,
    json_object *message G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
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
    g_main_loop_quit (loop);
}

static void
on_closed (RecControl *sender G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED,
    void *data G_GNUC_UNUSED)
{
  _exit (0);
}

G_NORETURN static void
be_a_worker (void)
{
  g_autofree char *build = rec_wire_dup_build ("/proc/self/exe");
  json_object *hello = json_object_new_object ();

  lie = find_lie (g_getenv (LIE));
  loop = g_main_loop_new (NULL, FALSE);
  control = rec_control_new (REC_WIRE_CONTROL_FD, true, on_message, on_closed, NULL);
  rec_json_set_string (hello, "version", REC_VERSION);
  rec_json_set_string (hello, "build", build);
  rec_json_set_int (hello, "pid", getpid ());
  rec_control_send (control, REC_CONTROL_HELLO, hello);
  g_main_loop_run (loop);
  rec_control_flush (control, 1000);
  _exit (0);
}

/* --- the server --------------------------------------------------------------------------------------------- */

typedef struct {
  char *folder, *recordings;
  RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecCatalogue *catalogue;
  RecSupervisor *supervisor;
} Fixture;

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
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *state = NULL;
  g_autoptr (GError) error = NULL;

  g_setenv (LIE, ((const Lie *) data)->name, TRUE);
  fixture->folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  fixture->recordings = g_build_filename (fixture->folder, "recordings", NULL);
  state = g_build_filename (fixture->folder, "state", NULL);
  fixture->config = rec_config_new ();
  set (fixture, "openvidu.recording", "true");
  set (fixture, "openvidu.recording.path", fixture->recordings);
  set (fixture, "server.state-directory", state);
  set (fixture, "plugins.directories", REC_BUILD_DIR "/plugins");
  set (fixture, "plugins.config-directory", fixture->folder);
  set (fixture, "plugins.probe-timeout-ms", "20000");
  set (fixture, "recording.spare-workers", "0");
  set (fixture, "recording.start-timeout-ms", "3000");
  set (fixture, "recording.stop-timeout-ms", "1000");
  set (fixture, "recording.kill-timeout-ms", "200");
  fixture->registry = rec_registry_new (fixture->config, read_clock, NULL);
  fixture->router = rec_router_new (fixture->config, fixture->registry, &error);
  g_assert_no_error (error);
  fixture->catalogue = rec_catalogue_new (fixture->config, REC_BUILD_DIR "/recto", &error);
  g_assert_no_error (error);
  fixture->supervisor = rec_supervisor_new (fixture->config, fixture->registry, fixture->router,
      fixture->catalogue, self, &error);
  g_assert_no_error (error);
}

G_NORETURN static gboolean
on_timeout (gpointer data)
{
  g_error ("waited for %s", (const char *) data);
}

static void
wait_for (const bool *flag, const char *what)
{
  guint timeout = g_timeout_add_seconds (TIMEOUT_S, on_timeout, (gpointer) what);

  while (!*flag)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
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

  rec_supervisor_stop_all (fixture->supervisor, "openviduServerStopped", set_stopped, &is_stopped);
  wait_for (&is_stopped, "the end");
  rec_supervisor_free (fixture->supervisor);
  rec_router_free (fixture->router);
  rec_registry_free (fixture->registry);
  rec_catalogue_free (fixture->catalogue);
  rec_config_free (fixture->config);
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
  g_free (fixture->recordings);
}

static RecSession *
make_session (Fixture *fixture, const char *id)
{
  RecSessionProperties *properties = rec_session_properties_new ();
  RecSession *session;

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (id);
  session = rec_registry_create_session (fixture->registry, REC_ERA_OLD, properties, NULL);
  g_assert_nonnull (session);
  return session;
}

typedef struct {
  bool is_called, has_failed;
} Answer;

static void
take_answer (RecRecording *recording G_GNUC_UNUSED, const GError *error, void *data)
{
  Answer *answer = data;

  g_assert_false (answer->is_called);
  answer->is_called = true;
  answer->has_failed = error != NULL;
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
test_costs_its_recording_only (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autofree char *secret = put_file (fixture->folder, "secret.mp4");
  g_autofree char *other = put_file (fixture->recordings, "other.mp4");
  Answer started = { 0 }, stopped = { 0 };
  g_autoptr (GError) error = NULL;
  RecRecording *recording = rec_supervisor_start (fixture->supervisor,
      make_session (fixture, "lied"), properties, REC_ERA_OLD, take_answer, &started, &error);

  g_assert_no_error (error);
  wait_for (&started.is_called, "an answer to start");
  if (!started.has_failed && recording->status == REC_RECORDING_STARTED) {
    rec_supervisor_stop (fixture->supervisor, recording, "recordingStoppedByServer", take_answer,
        &stopped, &error);
    g_assert_no_error (error);
    wait_for (&stopped.is_called, "an answer to stop");
  }
  while (rec_recording_is_active (recording))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  g_assert_null (recording->file_name);
  g_assert_nonnull (recording->message);
  g_assert_true (rec_supervisor_delete (fixture->supervisor, recording, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_test (secret, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--worker") == 0)
    be_a_worker ();
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  for (size_t i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autofree char *name = g_strconcat ("/lying-worker/", lies[i].name, NULL);

    g_test_add (name, Fixture, &lies[i], set_up, test_costs_its_recording_only, tear_down);
  }
  return g_test_run ();
}
