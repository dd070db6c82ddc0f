/* test-page-recording.c - the server's side of a recorded page, with this very program as the worker: what the worker is
 * told, who may join with the page's secret, and what becomes of the recording when the page is of no use. */
#include "recording/supervisor.h"

#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "lib/library-leaks.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "session/registry.h"
#include "wire/build.h"
#include "wire/control.h"

#define TIMEOUT_S 60
#define SCRIPT "G_RECTO_SCRIPT" /* children get only what begins with harmless words */
#define PORT 12345
#define KEY_HASH "c29tZSBrZXkncyBoYXNo"

/* --- the worker --------------------------------------------------------------------------------------------- */

static RecControl *control;
static GMainLoop *loop;
static char *directory, *name;

static bool
plays (const char *script)
{
  return g_strcmp0 (g_getenv (SCRIPT), script) == 0;
}

static void
say (RecControlType type, const char *text)
{
  rec_control_send (control, type, json_tokener_parse (text));
}

static void
take_setup (json_object *setup)
{
  RecJson *recording = rec_json_get (setup, "recording");
  g_autofree char *text = rec_json_to_text (setup);

  directory = g_strdup (rec_json_string_or (recording, "directory", ""));
  name = g_strconcat (rec_json_string_or (recording, "name", ""), ".mp4", NULL);
  g_autofree char *path = g_build_filename (directory, "setup", NULL);
  g_file_set_contents (path, text, -1, NULL);
  if (plays ("not-found"))
    say (REC_CONTROL_FAILED, "{\"message\": \"no such page\", \"code\": \"not-found\"}");
  else if (plays ("invalid"))
    say (REC_CONTROL_FAILED, "{\"message\": \"no such name\", \"code\": \"invalid\"}");
  else if (plays ("blank")) {
    g_autofree char *failed =
        g_strdup_printf ("{\"event\": \"failed\", \"message\": \"it shows nothing\","
                         " \"console\": [\"ReferenceError: OpenVidu\", \"sent %s to the server\"]}",
            rec_json_string_or (rec_json_get (setup, "page"), "secret", ""));
    say (REC_CONTROL_PAGE, failed);
    say (REC_CONTROL_PAGE, "{\"event\": \"fallback\"}");
    say (REC_CONTROL_READY, "{}");
  }
}

static void
take_recorder (const char *state)
{
  if (strcmp (state, "joined") != 0) {
    say (REC_CONTROL_NOTE, "{\"text\": \"RECORDER left\"}");
    return;
  }
  say (REC_CONTROL_PAGE, "{\"event\": \"connected\"}");
  say (REC_CONTROL_PAGE, "{\"event\": \"painted\"}");
  say (REC_CONTROL_READY, "{}");
}

static void
finish (void)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *finished = g_strdup_printf ("{\"ok\": true, \"files\": [{\"name\": \"%s\", "
                                               "\"mediaType\": \"video/mp4\", \"size\": 4, "
                                               "\"durationNs\": 1000000000, \"hasAudio\": true, "
                                               "\"hasVideo\": true}]}",
      name);

  g_file_set_contents (path, "film", -1, NULL);
  say (REC_CONTROL_FINISHED, finished);
  g_main_loop_quit (loop);
}

static void
on_message (RecControl *sender G_GNUC_UNUSED, RecControlType type, json_object *message,
    void *data G_GNUC_UNUSED)
{
  if (type == REC_CONTROL_SETUP)
    take_setup (message);
  else if (type == REC_CONTROL_RECORDER)
    take_recorder (rec_json_string_or (message, "state", ""));
  else if (type == REC_CONTROL_BEGIN)
    say (REC_CONTROL_STARTED, "{}");
  if (type == REC_CONTROL_BEGIN && plays ("crash")) {
    say (REC_CONTROL_PAGE, "{\"event\": \"crashed\", \"message\": \"out of memory\"}");
    say (REC_CONTROL_PAGE,
        "{\"event\": \"restarted\", \"fromNs\": 1500000000, \"toNs\": 3250000000}");
  }
  if (type == REC_CONTROL_STOP)
    finish ();
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
  char *folder;
  RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecCatalogue *catalogue;
  RecSupervisor *supervisor;
  RecSession *session, *other;
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

static RecSession *
make_session (Fixture *fixture, const char *id)
{
  RecSessionProperties *properties = rec_session_properties_new ();
  RecSession *session;

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (id);
  session = rec_registry_create_session (fixture->registry, REC_ERA_NEW, properties, NULL);
  g_assert_nonnull (session);
  return session;
}

static void
set_up (Fixture *fixture, gconstpointer script)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *recordings = NULL, *state = NULL;
  g_autoptr (GError) error = NULL;

  g_setenv (SCRIPT, script, TRUE);
  fixture->folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  recordings = g_build_filename (fixture->folder, "recordings", NULL);
  state = g_build_filename (fixture->folder, "state", NULL);
  fixture->config = rec_config_new ();
  set (fixture, "openvidu.recording", "true");
  set (fixture, "openvidu.recording.path", recordings);
  set (fixture, "openvidu.recording.custom-layout", fixture->folder);
  set (fixture, "openvidu.domain-or-public-ip", "video.example.org");
  set (fixture, "browser.program", "/bin/true");
  set (fixture, "server.port", "8443");
  set (fixture, "server.state-directory", state);
  set (fixture, "plugins.directories", REC_BUILD_DIR "/plugins");
  set (fixture, "plugins.config-directory", fixture->folder);
  set (fixture, "plugins.probe-timeout-ms", "20000");
  set (fixture, "recording.spare-workers", "0");
  set (fixture, "recording.start-timeout-ms", "60000");
  fixture->registry = rec_registry_new (fixture->config, read_clock, NULL);
  fixture->router = rec_router_new (fixture->config, fixture->registry, &error);
  g_assert_no_error (error);
  fixture->catalogue = rec_catalogue_new (fixture->config, REC_BUILD_DIR "/recto", &error);
  g_assert_no_error (error);
  fixture->supervisor = rec_supervisor_new (fixture->config, fixture->registry, fixture->router,
      fixture->catalogue, self, &error);
  g_assert_no_error (error);
  rec_supervisor_set_page_server (fixture->supervisor, PORT, KEY_HASH);
  fixture->session = make_session (fixture, "team");
  fixture->other = make_session (fixture, "others");
}

G_NORETURN static gboolean
on_timeout (gpointer data)
{
  g_error ("waited for %s", (const char *) data);
}

#define WAIT_FOR(condition)                                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint timeout = g_timeout_add_seconds (TIMEOUT_S, on_timeout, (gpointer) #condition);          \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (timeout);                                                                     \
  }                                                                                                \
  G_STMT_END

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
  WAIT_FOR (is_stopped);
  rec_supervisor_free (fixture->supervisor);
  rec_router_free (fixture->router);
  rec_registry_free (fixture->registry);
  rec_catalogue_free (fixture->catalogue);
  rec_config_free (fixture->config);
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
}

typedef struct {
  bool is_called;
  GError *error;
} Answer;

static void
take_answer (RecRecording *recording G_GNUC_UNUSED, const GError *error, void *data)
{
  Answer *answer = data;

  answer->is_called = true;
  answer->error = error != NULL ? g_error_copy (error) : NULL;
}

static RecRecording *
begin (Fixture *fixture, const char *custom_layout, RecEra era, Answer *answer)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (GError) error = NULL;
  RecRecording *recording;

  g_free (properties->recording_layout);
  properties->recording_layout = g_strdup ("CUSTOM");
  properties->custom_layout = g_strdup (custom_layout);
  recording = rec_supervisor_start (fixture->supervisor, fixture->session, properties, era,
      take_answer, answer, &error);
  g_assert_no_error (error);
  return recording;
}

static RecParticipant *
join (Fixture *fixture, const char *session_id, const char *secret, bool recorder, GError **error)
{
  const RecJoinRequest request = {
    .session_id = session_id,
    .secret = secret,
    .recorder = recorder,
    .era = REC_ERA_NEW,
  };

  return rec_registry_join (fixture->registry, &request, error);
}

static RecParticipant *
join_visibly (Fixture *fixture)
{
  RecParticipant *participant = join (fixture, "team", "MY_SECRET", false, NULL);

  g_assert_nonnull (participant);
  return participant;
}

static RecJson *
read_setup (const RecRecording *recording)
{
  g_autofree char *path = g_build_filename (recording->directory, "setup", NULL);

  WAIT_FOR (g_file_test (path, G_FILE_TEST_EXISTS) || (g_usleep (1000), false));
  return rec_json_parse_file (path, 1 << 20, NULL);
}

static void
assert_text (RecJson *object, const char *key, const char *text)
{
  g_assert_cmpstr (rec_json_string_or (object, key, "(missing)"), ==, text);
}

static void
assert_note (const RecRecording *recording, const char *text)
{
  for (guint i = 0; i < recording->notes->len; i++)
    if (strstr (recording->notes->pdata[i], text) != NULL)
      return;
  g_error ("no note says '%s'", text);
}

static void
start_page (Fixture *fixture, RecRecording **recording)
{
  Answer started = { 0 };

  *recording = begin (fixture, NULL, REC_ERA_NEW, &started);
  g_autoptr (RecJson) setup = read_setup (*recording);
  g_assert_nonnull (join (fixture, "team", (*recording)->page_secret, true, NULL));
  WAIT_FOR (started.is_called);
  g_assert_no_error (started.error);
}

static void
stop (Fixture *fixture, RecRecording *recording)
{
  Answer stopped = { 0 };

  g_assert_true (rec_supervisor_stop (fixture->supervisor, recording, "recordingStoppedByServer",
      take_answer, &stopped, NULL));
  WAIT_FOR (stopped.is_called);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
}

/* --- what the worker is told ---------------------------------------------------------------------------------- */

static void
assert_setup (Fixture *fixture, RecRecording *recording, const char *plugin, const char *layout,
    const char *place)
{
  g_autoptr (RecJson) setup = read_setup (recording);
  RecJson *page = rec_json_get (setup, "page");
  g_autofree char *base_url = g_strconcat ("https://video.example.org:8443/", place, NULL);

  assert_text (rec_json_get (setup, "layout"), "id", "best_fit");
  assert_text (rec_json_get (page, "plugin"), "id", plugin);
  assert_text (page, "layout", layout);
  assert_text (page, "layoutDir", fixture->folder);
  assert_text (page, "baseUrl", base_url);
  assert_text (page, "sessionId", "team");
  assert_text (page, "recordingId", recording->id);
  assert_text (page, "hostRules",
      "MAP video.example.org:8443 127.0.0.1:12345, MAP video.example.org:4443 127.0.0.1:12345");
  assert_text (page, "certKeyHash", KEY_HASH);
  assert_text (page, "fallback", "best_fit");
  assert_text (rec_json_get (page, "browser"), "program", "/bin/true");
  g_assert_cmpint (rec_json_int_or (page, "port", 0), ==, PORT);
  assert_text (page, "secret", recording->page_secret);
  g_assert_cmpuint (strlen (recording->page_secret), ==, 32);
}

static void
assert_journal_keeps_no_secret (Fixture *fixture, const RecRecording *recording)
{
  g_autofree char *file = g_strconcat (recording->id, ".json", NULL);
  g_autofree char *path = g_build_filename (fixture->folder, "state", "running", file, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_null (strstr (text, recording->page_secret));
}

static void
test_tells_the_worker (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  Answer started = { 0 };
  RecRecording *recording = begin (fixture, "/", REC_ERA_NEW, &started);

  assert_setup (fixture, recording, "custom_html", "/", "openvidu/layouts/");
  assert_journal_keeps_no_secret (fixture, recording);
  g_assert_nonnull (join (fixture, "team", recording->page_secret, true, NULL));
  WAIT_FOR (started.is_called);
  g_assert_no_error (started.error);
  stop (fixture, recording);
}

static void
test_tells_of_a_folder (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  Answer started = { 0 };
  RecRecording *recording = begin (fixture, "a/b", REC_ERA_OLD, &started);

  assert_setup (fixture, recording, "custom_subfolder", "a/b", "layouts/custom/");
  rec_registry_close_session (fixture->registry, fixture->session, "sessionClosedByServer");
  WAIT_FOR (started.is_called);
  g_assert_error (started.error, REC_ERROR, REC_ERROR_CONFLICT);
  g_clear_error (&started.error);
}

/* --- RECORDER --------------------------------------------------------------------------------------------------- */

static void
test_recorder_only_watches (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecParticipant *visible = join_visibly (fixture);
  RecRecording *recording;

  start_page (fixture, &recording);
  RecParticipant *recorder = rec_session_find_participant (fixture->session, "RECORDER");
  g_assert_true (recorder->is_hidden);
  g_assert_false (recorder->is_insecure);
  g_assert_false (rec_participant_can_publish (recorder));
  g_assert_false (rec_participant_can_moderate (recorder));
  g_assert_cmpuint (rec_session_count_visible (fixture->session), ==, 1);
  /* Nobody but its page knows that it is there; that page is loaded anew. */
  g_assert_nonnull (join (fixture, "team", recording->page_secret, true, NULL));
  g_assert_cmpuint (fixture->session->participants->len, ==, 2);
  stop (fixture, recording);
  g_assert_null (rec_session_find_participant (fixture->session, "RECORDER"));
  g_assert_null (recording->page_secret);
  g_assert_false (visible->is_leaving);
}

static void
assert_refused (Fixture *fixture, const char *session_id, const char *secret, bool recorder)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (join (fixture, session_id, secret, recorder, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_UNAUTHORIZED);
}

static void
test_secret_opens_one_session (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecording *recording;

  join_visibly (fixture);
  start_page (fixture, &recording);
  g_autofree char *secret = g_strdup (recording->page_secret);
  assert_refused (fixture, "others", secret, true);
  assert_refused (fixture, "team", secret, false);
  assert_refused (fixture, "team", "", true);
  assert_refused (fixture, "team", "0123456789abcdef0123456789abcdef", true);
  stop (fixture, recording);
  assert_refused (fixture, "team", secret, true);
}

static void
test_tells_when_recorder_leaves (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecording *recording;

  join_visibly (fixture);
  start_page (fixture, &recording);
  rec_registry_leave (fixture->registry,
      rec_session_find_participant (fixture->session, "RECORDER"), "networkDisconnect");
  WAIT_FOR (recording->notes->len > 0);
  assert_note (recording, "RECORDER left");
  stop (fixture, recording);
}

/* --- pages of no use -------------------------------------------------------------------------------------------- */

static void
assert_forgotten (Fixture *fixture, const char *custom_layout, RecErrorCode code)
{
  Answer started = { 0 };
  RecRecording *recording = begin (fixture, custom_layout, REC_ERA_NEW, &started);
  g_autofree char *id = g_strdup (recording->id);
  g_autofree char *folder = g_strdup (recording->directory);

  WAIT_FOR (started.is_called);
  g_assert_error (started.error, REC_ERROR, (gint) code);
  g_clear_error (&started.error);
  g_assert_null (fixture->session->recording);
  WAIT_FOR (rec_registry_find_recording (fixture->registry, id) == NULL);
  g_assert_false (g_file_test (folder, G_FILE_TEST_EXISTS));
}

static void
test_no_such_page (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  assert_forgotten (fixture, "none", REC_ERROR_NOT_FOUND);
}

static void
test_no_such_name (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  assert_forgotten (fixture, "..", REC_ERROR_INVALID_ARGUMENT);
}

static void
publish (Fixture *fixture, RecParticipant *owner)
{
  const RecStreamInfo properties = { .has_audio = true, .audio_active = true };
  g_autoptr (GError) error = NULL;
  RecStreamInfo *stream = rec_registry_add_stream (fixture->registry, owner, &properties, &error);

  g_assert_no_error (error);
  rec_registry_announce_stream (fixture->registry, stream);
}

/* The streams have no packets here, which the recording tells of once it wants them. */
#define WANTS_STREAMS "is not recorded"

static void
test_page_takes_no_feeds (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecording *recording;

  publish (fixture, join_visibly (fixture));
  start_page (fixture, &recording);
  publish (fixture, join_visibly (fixture));
  stop (fixture, recording);
  g_assert_cmpuint (recording->notes->len, ==, 0);
}

static void
test_falls_back (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  Answer started = { 0 };
  RecRecording *recording;

  publish (fixture, join_visibly (fixture));
  recording = begin (fixture, NULL, REC_ERA_NEW, &started);
  g_autofree char *secret = g_strdup (recording->page_secret);
  WAIT_FOR (started.is_called);
  g_assert_no_error (started.error);
  assert_note (recording,
      "it shows nothing; its console: ReferenceError: OpenVidu | sent *** to the server");
  assert_note (recording, "the layout BEST_FIT is");
  assert_note (recording, WANTS_STREAMS);
  assert_refused (fixture, "team", secret, true);
  stop (fixture, recording);
}

static void
test_notes_gaps (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecRecording *recording;

  join_visibly (fixture);
  start_page (fixture, &recording);
  WAIT_FOR (recording->notes->len == 2);
  assert_note (recording, "crashed and is loaded anew: out of memory");
  assert_note (recording, "from 1.500 s to 3.250 s");
  stop (fixture, recording);
}

static void
assert_no_browser (Fixture *fixture, const char *text)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (GError) error = NULL;

  g_free (properties->recording_layout);
  properties->recording_layout = g_strdup ("CUSTOM");
  g_assert_null (rec_supervisor_start (fixture->supervisor, fixture->session, properties,
      REC_ERA_NEW, take_answer, NULL, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED);
  if (strstr (error->message, text) == NULL)
    g_error ("'%s' does not say '%s'", error->message, text);
}

static void
test_no_browser (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  set (fixture, "browser.program", "/nonexistent/chromium");
  assert_no_browser (fixture,
      "'/nonexistent/chromium' cannot be run: install the package chromium");
  set (fixture, "browser.program", "/bin/true");
  if (geteuid () != 0)
    return;
  set (fixture, "browser.user", "root");
  assert_no_browser (fixture, "browser.user 'root' is no other user");
  set (fixture, "browser.user", "no-such-user");
  assert_no_browser (fixture, "set browser.sandbox to false");
}

#define ADD(claim, script, function)                                                               \
  g_test_add ("/page-recording/" claim, Fixture, script, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--worker") == 0)
    be_a_worker ();
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  ADD ("tells-the-worker", "join", test_tells_the_worker);
  ADD ("tells-of-a-folder", "join", test_tells_of_a_folder);
  ADD ("recorder-only-watches", "join", test_recorder_only_watches);
  ADD ("secret-opens-one-session", "join", test_secret_opens_one_session);
  ADD ("tells-when-recorder-leaves", "join", test_tells_when_recorder_leaves);
  ADD ("no-such-page", "not-found", test_no_such_page);
  ADD ("no-such-name", "invalid", test_no_such_name);
  ADD ("page-takes-no-feeds", "join", test_page_takes_no_feeds);
  ADD ("falls-back", "blank", test_falls_back);
  ADD ("no-browser", "join", test_no_browser);
  ADD ("notes-gaps", "crash", test_notes_gaps);
  return g_test_run ();
}
