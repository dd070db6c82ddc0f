/* test-page-recording.c - the server's side of a recorded page, with this very program as the worker: what the worker is
 * told, who may join with the page's secret, and what becomes of the recording when the page is of no use. */
#include "recording/supervisor.h"

#include <string.h>
#include <unistd.h>

#include "lib/library-leaks.h"
#include "lib/played-worker.h"
#include "lib/supervisor-rig.h"

#define PORT 12345
#define KEY_HASH "c29tZSBrZXkncyBoYXNo"

/* --- the worker --------------------------------------------------------------------------------------------- */

static char *directory, *name;

static bool
plays (const char *script)
{
  return g_strcmp0 (g_getenv (PLAYED_SCRIPT), script) == 0;
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
    played_worker_say (REC_CONTROL_FAILED,
        "{\"message\": \"no such page\", \"code\": \"not-found\"}");
  else if (plays ("invalid"))
    played_worker_say (REC_CONTROL_FAILED,
        "{\"message\": \"no such name\", \"code\": \"invalid\"}");
  else if (plays ("blank")) {
    g_autofree char *failed =
        g_strdup_printf ("{\"event\": \"failed\", \"message\": \"it shows nothing\","
                         " \"console\": [\"ReferenceError: OpenVidu\", \"sent %s to the server\"]}",
            rec_json_string_or (rec_json_get (setup, "page"), "secret", ""));
    played_worker_say (REC_CONTROL_PAGE, failed);
    played_worker_say (REC_CONTROL_PAGE, "{\"event\": \"fallback\"}");
    played_worker_say (REC_CONTROL_READY, "{}");
  }
}

static void
take_recorder (const char *state)
{
  if (strcmp (state, "joined") != 0) {
    played_worker_say (REC_CONTROL_NOTE, "{\"text\": \"RECORDER left\"}");
    return;
  }
  played_worker_say (REC_CONTROL_PAGE, "{\"event\": \"connected\"}");
  played_worker_say (REC_CONTROL_PAGE, "{\"event\": \"painted\"}");
  played_worker_say (REC_CONTROL_READY, "{}");
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
  played_worker_say (REC_CONTROL_FINISHED, finished);
  played_worker_end ();
}

static void
on_message (RecControlType type, json_object *message)
{
  if (type == REC_CONTROL_SETUP)
    take_setup (message);
  else if (type == REC_CONTROL_RECORDER)
    take_recorder (rec_json_string_or (message, "state", ""));
  else if (type == REC_CONTROL_BEGIN)
    played_worker_say (REC_CONTROL_STARTED, "{}");
  if (type == REC_CONTROL_BEGIN && plays ("crash")) {
    played_worker_say (REC_CONTROL_PAGE,
        "{\"event\": \"crashed\", \"message\": \"out of memory\"}");
    played_worker_say (REC_CONTROL_PAGE,
        "{\"event\": \"restarted\", \"fromNs\": 1500000000, \"toNs\": 3250000000}");
  }
  if (type == REC_CONTROL_STOP)
    finish ();
}

/* --- the server --------------------------------------------------------------------------------------------- */

typedef struct {
  SupervisorRig rig;
  RecSession *session, *other;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer script)
{
  SupervisorRig *rig = &fixture->rig;

  g_setenv (PLAYED_SCRIPT, script, TRUE);
  supervisor_rig_set_up (rig, NULL);
  rig->workers = rig_get_self ();
  rig_set (rig, "plugins.directories", REC_BUILD_DIR "/plugins");
  rig_set (rig, "openvidu.recording.custom-layout", rig->folder);
  rig_set (rig, "openvidu.domain-or-public-ip", "video.example.org");
  rig_set (rig, "browser.program", "/bin/true");
  rig_set (rig, "server.port", "8443");
  rig_start_server (rig);
  rec_supervisor_set_page_server (rig->supervisor, PORT, KEY_HASH);
  fixture->session = rig_make_session (rig, "team");
  fixture->other = rig_make_session (rig, "others");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  supervisor_rig_tear_down (&fixture->rig, data);
}

static RecRecording *
begin (Fixture *fixture, const char *custom_layout, RecEra era, RigAnswer *answer)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (GError) error = NULL;
  RecRecording *recording;

  g_free (properties->recording_layout);
  properties->recording_layout = g_strdup ("CUSTOM");
  properties->custom_layout = g_strdup (custom_layout);
  recording = rec_supervisor_start (fixture->rig.supervisor, fixture->session, properties, era,
      rig_take_answer, answer, &error);
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

  return rec_registry_join (fixture->rig.registry, &request, error);
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
  RigAnswer started = { 0 };

  *recording = begin (fixture, NULL, REC_ERA_NEW, &started);
  g_autoptr (RecJson) setup = read_setup (*recording);
  g_assert_nonnull (join (fixture, "team", (*recording)->page_secret, true, NULL));
  WAIT_FOR (started.n_calls > 0);
  g_assert_no_error (started.error);
}

static void
stop (Fixture *fixture, RecRecording *recording)
{
  RigAnswer stopped = { 0 };

  g_assert_true (rec_supervisor_stop (fixture->rig.supervisor, recording,
      "recordingStoppedByServer", rig_take_answer, &stopped, NULL));
  WAIT_FOR (stopped.n_calls > 0);
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
  assert_text (page, "layoutDir", fixture->rig.folder);
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
  g_autofree char *path = g_build_filename (fixture->rig.folder, "state", "running", file, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_null (strstr (text, recording->page_secret));
}

static void
test_tells_the_worker (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RigAnswer started = { 0 };
  RecRecording *recording = begin (fixture, "/", REC_ERA_NEW, &started);

  assert_setup (fixture, recording, "custom_html", "/", "openvidu/layouts/");
  assert_journal_keeps_no_secret (fixture, recording);
  g_assert_nonnull (join (fixture, "team", recording->page_secret, true, NULL));
  WAIT_FOR (started.n_calls > 0);
  g_assert_no_error (started.error);
  stop (fixture, recording);
}

static void
test_tells_of_a_folder (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RigAnswer started = { 0 };
  RecRecording *recording = begin (fixture, "a/b", REC_ERA_OLD, &started);

  assert_setup (fixture, recording, "custom_subfolder", "a/b", "layouts/custom/");
  rec_registry_close_session (fixture->rig.registry, fixture->session, "sessionClosedByServer");
  WAIT_FOR (started.n_calls > 0);
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
  rec_registry_leave (fixture->rig.registry,
      rec_session_find_participant (fixture->session, "RECORDER"), "networkDisconnect");
  WAIT_FOR (recording->notes->len > 0);
  assert_note (recording, "RECORDER left");
  stop (fixture, recording);
}

/* --- pages of no use -------------------------------------------------------------------------------------------- */

static void
assert_forgotten (Fixture *fixture, const char *custom_layout, RecErrorCode code)
{
  RigAnswer started = { 0 };
  RecRecording *recording = begin (fixture, custom_layout, REC_ERA_NEW, &started);
  g_autofree char *id = g_strdup (recording->id);
  g_autofree char *folder = g_strdup (recording->directory);

  WAIT_FOR (started.n_calls > 0);
  g_assert_error (started.error, REC_ERROR, (gint) code);
  g_clear_error (&started.error);
  g_assert_null (fixture->session->recording);
  WAIT_FOR (rec_registry_find_recording (fixture->rig.registry, id) == NULL);
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
  RecStreamInfo *stream =
      rec_registry_add_stream (fixture->rig.registry, owner, &properties, &error);

  g_assert_no_error (error);
  rec_registry_announce_stream (fixture->rig.registry, stream);
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
  RigAnswer started = { 0 };
  RecRecording *recording;

  publish (fixture, join_visibly (fixture));
  recording = begin (fixture, NULL, REC_ERA_NEW, &started);
  g_autofree char *secret = g_strdup (recording->page_secret);
  WAIT_FOR (started.n_calls > 0);
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
  g_assert_null (rec_supervisor_start (fixture->rig.supervisor, fixture->session, properties,
      REC_ERA_NEW, rig_take_answer, NULL, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED);
  if (strstr (error->message, text) == NULL)
    g_error ("'%s' does not say '%s'", error->message, text);
}

static void
test_no_browser (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rig_set (&fixture->rig, "browser.program", "/nonexistent/chromium");
  assert_no_browser (fixture,
      "'/nonexistent/chromium' cannot be run: install the package chromium");
  rig_set (&fixture->rig, "browser.program", "/bin/true");
  if (geteuid () != 0)
    return;
  rig_set (&fixture->rig, "browser.user", "root");
  assert_no_browser (fixture, "browser.user 'root' is no other user");
  rig_set (&fixture->rig, "browser.user", "no-such-user");
  assert_no_browser (fixture, "set browser.sandbox to false");
}

#define ADD(claim, script, function)                                                               \
  g_test_add ("/page-recording/" claim, Fixture, script, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--worker") == 0)
    played_worker_run (on_message);
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
