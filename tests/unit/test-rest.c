/* test-rest.c - the whole API as clients see it, over TLS, on top of the real stages; nothing is recorded here. */
#include "api/api.h"

#include "base/config.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "base/path.h"
#include "lib/library-leaks.h"
#include "lib/tls-client.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "recording/supervisor.h"
#include "session/registry.h"
#include "session/token.h"
#include "signal/signal.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *folder, *recordings;
  RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecCatalogue *catalogue;
  RecSupervisor *supervisor;
  RecSignalServer *signal;
  RecApi *api;
  unsigned port;
  char *token; /* a text kept from one step to the next */
} Fixture;

static int64_t
read_clock (void *data G_GNUC_UNUSED)
{
  return 1700000000000;
}

static void
set (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
configure (Fixture *fixture, const char *settings)
{
  g_autofree char *plugins = g_build_filename (fixture->folder, "plugins", NULL);
  g_auto (GStrv) pairs = g_strsplit (settings == NULL ? "" : settings, " ", -1);

  fixture->recordings = g_build_filename (fixture->folder, "recordings", NULL);
  fixture->config = rec_config_new ();
  g_assert_cmpint (g_mkdir (plugins, 0700), ==, 0);
  set (fixture, "server.port", "0");
  set (fixture, "server.state-directory", fixture->folder);
  set (fixture, "openvidu.recording", "true");
  set (fixture, "openvidu.recording.path", fixture->recordings);
  set (fixture, "plugins.directories", plugins);
  set (fixture, "recording.spare-workers", "0");
  for (char **pair = pairs; *pair != NULL && **pair != '\0'; pair++) {
    char *value = strchr (*pair, '=');
    *value = '\0';
    set (fixture, *pair, value + 1);
  }
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("recto-rest-XXXXXX", NULL);
  configure (fixture, data);
  fixture->registry = rec_registry_new (fixture->config, read_clock, NULL);
  fixture->catalogue = rec_catalogue_new (fixture->config, "/proc/self/exe", &error);
  g_assert_no_error (error);
  fixture->router = rec_router_new (fixture->config, fixture->registry, &error);
  g_assert_no_error (error);
  fixture->signal = rec_signal_server_new (fixture->config, fixture->registry, fixture->router);
  fixture->supervisor = rec_supervisor_new (fixture->config, fixture->registry, fixture->router,
      fixture->catalogue, "/proc/self/exe", &error);
  g_assert_no_error (error);
  const RecApiContext context = {
    .config = fixture->config,
    .registry = fixture->registry,
    .router = fixture->router,
    .supervisor = fixture->supervisor,
    .catalogue = fixture->catalogue,
    .signal = fixture->signal,
  };
  fixture->api = rec_api_new (&context, &error);
  g_assert_no_error (error);
  g_autoptr (GUri)
      uri = g_uri_parse (rec_registry_get_public_url (fixture->registry), G_URI_FLAGS_NONE, NULL);
  fixture->port = (unsigned) g_uri_get_port (uri);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  GPtrArray *sessions = rec_registry_get_sessions (fixture->registry);

  if (fixture->api != NULL)
    rec_api_stop (fixture->api);
  while (sessions->len > 0)
    rec_registry_close_session (fixture->registry, sessions->pdata[0], "openviduServerStopped");
  rec_api_free (fixture->api);
  rec_supervisor_free (fixture->supervisor);
  rec_signal_server_free (fixture->signal);
  rec_router_free (fixture->router);
  rec_catalogue_free (fixture->catalogue);
  rec_registry_free (fixture->registry);
  rec_config_free (fixture->config);
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
  g_free (fixture->recordings);
  g_free (fixture->token);
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

/* OPENVIDUAPP:MY_SECRET */
#define AUTH "Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU"
#define OLD "/api"
#define NEW "/openvidu/api"

static TestResponse *
ask_with (Fixture *fixture, const char *method, const char *path, const char *headers,
    const char *body)
{
  g_autofree char *text = g_strdup_printf (
      "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
      method, path, headers, body == NULL ? 0 : strlen (body), body == NULL ? "" : body);

  return test_ask (fixture->port, text);
}

static TestResponse *
ask (Fixture *fixture, const char *method, const char *path, const char *body)
{
  return ask_with (fixture, method, path, "Authorization: " AUTH "\r\n", body);
}

static RecJson *
parse (const TestResponse *response)
{
  g_autoptr (GError) error = NULL;
  RecJson *value =
      rec_json_parse (response->body->str, response->body->len, response->body->len, &error);

  g_assert_no_error (error);
  return value;
}

typedef struct {
  const char *method, *path, *body;
  unsigned status;
  const char *text; /* in the answer, or NULL */
} Step;

static void
take_steps (Fixture *fixture, const Step *steps, size_t n_steps)
{
  for (size_t i = 0; i < n_steps; i++) {
    g_autoptr (TestResponse)
        response = ask (fixture, steps[i].method, steps[i].path, steps[i].body);
    g_test_message ("%s %s %s: %u %s", steps[i].method, steps[i].path,
        steps[i].body == NULL ? "" : steps[i].body, response->status, response->body->str);
    g_assert_cmpuint (response->status, ==, steps[i].status);
    if (steps[i].text != NULL)
      g_assert_nonnull (strstr (response->body->str, steps[i].text));
  }
}

/* Runs on the client's thread; the main loop serves meanwhile. */
#define STEPS(name, ...)                                                                           \
  static void name##_steps (void *data)                                                            \
  {                                                                                                \
    static const Step steps[] = { __VA_ARGS__ };                                                   \
    take_steps (data, steps, G_N_ELEMENTS (steps));                                                \
  }                                                                                                \
  static void name (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)                            \
  {                                                                                                \
    test_run_beside_loop (name##_steps, fixture);                                                  \
  }

/* --- who may ask ----------------------------------------------------------------------------------------------------- */

static void
ask_without_secret (void *data)
{
  Fixture *fixture = data;
  static const char *const wrong[] = {
    "",
    "Authorization: Basic T1BFTlZJRFVBUFA6TVlfU0VDUkU=\r\n",     /* MY_SECRE */
    "Authorization: Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVUAA==\r\n", /* a NUL behind it */
    "Authorization: Basic QURNSU46TVlfU0VDUkVU\r\n",             /* ADMIN */
    "Authorization: Basic T1BFTlZJRFVBUFA6\r\n",                 /* no password */
    "Authorization: Basic %%%\r\n",
    "Authorization: Bearer MY_SECRET\r\n",
  };
  static const char *const paths[] = { "GET /openvidu/api/sessions", "POST /openvidu/api/sessions",
    "DELETE /api/recordings/a", "POST /api/recordings/stop/a", "GET /",
    "GET /config/openvidu-recording", "GET /recto/api/v1/plugins", "GET /recordings/a.mp4",
    "HEAD /openvidu/recordings/a/a.mp4" };

  for (size_t k = 0; k < G_N_ELEMENTS (paths); k++) {
    g_auto (GStrv) words = g_strsplit (paths[k], " ", 2);
    for (size_t i = 0; i < G_N_ELEMENTS (wrong); i++) {
      g_autoptr (TestResponse)
          response = ask_with (fixture, words[0], words[1], wrong[i], "{\"a\": 1}");
      g_autofree char *challenge = test_response_dup_header (response, "WWW-Authenticate");
      g_assert_cmpuint (response->status, ==, 401);
      g_assert_true (g_str_has_prefix (challenge, "Basic realm=\""));
    }
  }
  g_autoptr (TestResponse) lower = ask_with (fixture, "GET", "/api/sessions",
      "Authorization: basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU\r\n", NULL);
  g_assert_cmpuint (lower->status, ==, 200);
}

static void
test_asks_for_the_secret (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_without_secret, fixture);
  g_assert_cmpuint (rec_registry_get_sessions (fixture->registry)->len, ==, 0);
}

/* The Java clients ask again on the same connection. */
static void
ask_twice (void *data)
{
  Fixture *fixture = data;
  static const char body[] = "{\"customSessionId\": \"one\"}";
  g_autoptr (TestClient) client = test_client_new (fixture->port);

  for (int i = 0; i < 2; i++) {
    g_autofree char *text = g_strdup_printf (
        "POST /api/sessions HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s",
        i == 0 ? "" : "Authorization: " AUTH "\r\n", strlen (body), body);
    g_autoptr (TestResponse) response = test_client_ask (client, text);
    g_assert_cmpuint (response->status, ==, i == 0 ? 401 : 200);
  }
}

static void
test_keeps_refused_connections (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_twice, fixture);
}

static void
ask_across_origins (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestResponse) preflight = ask_with (fixture, "OPTIONS", NEW "/sessions",
      "Origin: https://app.example\r\nAccess-Control-Request-Headers: authorization,x-a\r\n", NULL);
  g_autofree char *origin = test_response_dup_header (preflight, "Access-Control-Allow-Origin");
  g_autofree char *methods = test_response_dup_header (preflight, "Access-Control-Allow-Methods");
  g_autofree char *headers = test_response_dup_header (preflight, "Access-Control-Allow-Headers");
  g_autoptr (TestResponse) refused = ask_with (fixture, "PUT", NEW "/sessions", "", NULL);
  g_autofree char *allowed = test_response_dup_header (refused, "Allow");

  g_assert_cmpuint (preflight->status, ==, 200);
  g_assert_cmpstr (origin, ==, "*");
  g_assert_cmpstr (methods, ==, "GET, HEAD, POST, OPTIONS");
  g_assert_cmpstr (headers, ==, "authorization,x-a");
  g_assert_cmpuint (refused->status, ==, 405);
  g_assert_cmpstr (allowed, ==, "GET, HEAD, POST, OPTIONS");
}

static void
test_lets_other_origins_ask (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_across_origins, fixture);
}

static void
ask_wrongly (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestResponse) response = ask (fixture, "GET", NEW "/sessions/none", NULL);
  g_autoptr (RecJson) body = parse (response);

  g_assert_cmpint (rec_json_int_or (body, "status", 0), ==, 404);
  g_assert_cmpint (rec_json_int_or (body, "timestamp", 0), >, 0);
  g_assert_cmpstr (rec_json_string_or (body, "error", NULL), ==, "Not Found");
  g_assert_cmpstr (rec_json_string_or (body, "path", NULL), ==, NEW "/sessions/none");
  g_assert_true (rec_json_has (body, "message"));
}

static void
test_explains_errors (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_wrongly, fixture);
}

/* --- resources ------------------------------------------------------------------------------------------------------- */

/* clang-format off */
STEPS (test_serves_pages,
  { "GET", "/", NULL, 200, "Recordings" },
  { "GET", "/accept-certificate", NULL, 200, "<html" },
  { "GET", "/openvidu/accept-certificate", NULL, 200, "<html" },
  { "GET", "/openvidu", NULL, 426, "WebSocket" },
  { "GET", "/room", NULL, 426, NULL },
  { "GET", "/nothing", NULL, 404, NULL },
  { "GET", "//api//sessions", NULL, 200, "content" },
  { "GET", "/api/sessions/", NULL, 404, NULL },
  { "GET", "/api/sessions?pendingConnections=true&webRtcStats=false", NULL, 200, NULL },
  { "GET", "/recto/api/v1/plugins", NULL, 200, "plugins" },
  { "GET", "/recto/api/v1/recordings/none", NULL, 404, NULL },
  { "DELETE", "/", NULL, 405, NULL })

STEPS (test_tells_its_configuration,
  { "GET", "/config/openvidu-publicurl", NULL, 200, "https://localhost:" },
  { "GET", "/config/openvidu-recording", NULL, 200, "true" },
  { "GET", "/config/openvidu-recording-path", NULL, 200, "/recordings/" },
  { "GET", "/config/other", NULL, 404, NULL },
  { "GET", NEW "/config/openvidu-publicurl", NULL, 200, "https://localhost:" },
  { "GET", NEW "/config/openvidu-version", NULL, 200, REC_OPENVIDU_VERSION },
  { "GET", NEW "/config/openvidu-cdr", NULL, 200, "false" },
  { "GET", NEW "/config", NULL, 200, "\"OPENVIDU_RECORDING\":true" },
  { "GET", OLD "/config", NULL, 404, NULL })

STEPS (test_keeps_sessions,
  { "POST", NEW "/sessions", "{\"customSessionId\": \"a\"}", 200, "\"customSessionId\":\"a\"" },
  { "POST", NEW "/sessions", "{\"customSessionId\": \"a\"}", 409, "" },
  { "POST", OLD "/sessions", "{\"customSessionId\": \"a\"}", 409, "" },
  { "POST", NEW "/sessions", NULL, 200, "\"id\":\"ses_" },
  { "POST", OLD "/sessions", NULL, 200, "\"id\":" },
  { "POST", NEW "/sessions", "{", 400, "message" },
  { "POST", NEW "/sessions", "[]", 400, NULL },
  { "POST", NEW "/sessions", "{\"mediaMode\": \"DIRECT\"}", 400, "mediaMode" },
  { "POST", NEW "/sessions", "{\"defaultRecordingProperties\": {\"recordingLayout\": \"SPIRAL\"}}", 400, "SPIRAL" },
  { "POST", NEW "/sessions", "{\"defaultRecordingProperties\": {\"recordingLayout\": \"CUSTOM\"}}", 200, "CUSTOM" },
  { "GET", NEW "/sessions", NULL, 200, "\"numberOfElements\":4" },
  { "GET", OLD "/sessions", NULL, 200, "\"content\":[" },
  { "GET", NEW "/sessions/a", NULL, 200, "\"connections\":{\"numberOfElements\":0,\"content\":[]}" },
  { "DELETE", NEW "/sessions/a", NULL, 204, NULL },
  { "DELETE", NEW "/sessions/a", NULL, 404, NULL },
  { "GET", NEW "/sessions/a", NULL, 404, NULL })

STEPS (test_keeps_connections,
  { "POST", NEW "/sessions", "{\"customSessionId\": \"a\"}", 200, NULL },
  { "POST", NEW "/sessions/a/connection", "{\"role\": \"KING\"}", 400, "role" },
  { "POST", NEW "/sessions/a/connection", "{\"type\": \"IPCAM\"}", 501, NULL },
  { "POST", NEW "/sessions/none/connection", "{}", 404, NULL },
  { "POST", NEW "/sessions/a/connection", NULL, 200, "\"status\":\"pending\"" },
  { "GET", NEW "/sessions/a/connection", NULL, 200, "\"numberOfElements\":1" },
  { "GET", NEW "/sessions/a/connection?pendingConnections=false", NULL, 200, "\"numberOfElements\":0" },
  { "GET", NEW "/sessions/a", NULL, 200, "\"connections\":{\"numberOfElements\":0" },
  { "GET", NEW "/sessions/a?pendingConnections=true", NULL, 200, "\"connections\":{\"numberOfElements\":1" },
  { "GET", NEW "/sessions/none/connection/x", NULL, 400, NULL },
  { "GET", NEW "/sessions/a/connection/x", NULL, 404, NULL },
  { "DELETE", NEW "/sessions/none/connection/x", NULL, 400, NULL },
  { "DELETE", NEW "/sessions/a/connection/x", NULL, 404, NULL },
  { "PATCH", NEW "/sessions/a/connection/x", "{}", 405, NULL },
  { "DELETE", NEW "/sessions/none/stream/x", NULL, 400, NULL },
  { "DELETE", NEW "/sessions/a/stream/x", NULL, 404, NULL })

STEPS (test_gives_tokens,
  { "POST", NEW "/sessions", "{\"customSessionId\": \"a\"}", 200, NULL },
  { "POST", OLD "/tokens", "{\"session\": \"a\", \"data\": \"d\"}", 200, "\"role\":\"PUBLISHER\",\"data\":\"d\"" },
  { "POST", NEW "/tokens", "{\"session\": \"a\", \"role\": \"MODERATOR\"}", 200, "\"token\":\"wss://localhost:" },
  { "POST", OLD "/tokens", NULL, 400, NULL },
  { "POST", OLD "/tokens", "{}", 400, NULL },
  { "POST", OLD "/tokens", "{\"session\": \"none\"}", 400, NULL },
  { "POST", NEW "/tokens", "{\"session\": \"none\"}", 404, NULL },
  { "POST", NEW "/tokens", "{\"session\": 7}", 400, NULL },
  { "POST", NEW "/tokens", "{\"session\": \"a\", \"role\": \"KING\"}", 400, NULL })

STEPS (test_checks_recordings_in_order,
  { "POST", NEW "/sessions", "{\"customSessionId\": \"idle\"}", 200, NULL },
  { "POST", NEW "/sessions", "{\"customSessionId\": \"relayed\", \"mediaMode\": \"RELAYED\"}", 200, NULL },
  { "POST", NEW "/recordings/start", NULL, 400, NULL },
  { "POST", NEW "/recordings/start", "{}", 400, NULL },
  { "POST", NEW "/recordings/start", "{\"session\": 7}", 400, NULL },
  { "POST", NEW "/recordings/start", "{\"session\": \"none\"}", 404, NULL },
  { "POST", NEW "/recordings/start", "{\"session\": \"idle\", \"resolution\": \"1x1\"}", 406, NULL },
  { "POST", NEW "/recordings/start", "{\"session\": \"relayed\"}", 409, NULL },
  { "POST", OLD "/recordings/start", NULL, 400, NULL },
  { "POST", OLD "/recordings/start", "{\"session\": \"none\"}", 404, NULL },
  { "POST", OLD "/recordings/start", "{\"session\": \"idle\"}", 404, NULL },
  { "POST", NEW "/recordings/stop/none", NULL, 404, NULL },
  { "POST", OLD "/recordings/stop/none", NULL, 404, NULL },
  { "GET", NEW "/recordings/none", NULL, 404, NULL },
  { "DELETE", NEW "/recordings/none", NULL, 404, NULL },
  { "GET", NEW "/recordings", NULL, 200, "{\"count\":0,\"items\":[]}" },
  { "GET", OLD "/recordings", NULL, 200, "{\"count\":0,\"items\":[]}" })

STEPS (test_says_that_recording_is_off,
  { "POST", NEW "/sessions", "{\"customSessionId\": \"a\"}", 200, NULL },
  { "POST", NEW "/recordings/start", NULL, 400, NULL },
  { "POST", NEW "/recordings/start", "{}", 501, "openvidu.recording" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\"}", 501, NULL },
  { "POST", OLD "/recordings/start", "{}", 400, NULL },
  { "POST", OLD "/recordings/start", "{\"session\": \"a\"}", 501, NULL },
  { "POST", NEW "/recordings/stop/a", NULL, 501, NULL },
  { "GET", NEW "/recordings", NULL, 501, NULL },
  { "GET", NEW "/recordings/a", NULL, 501, NULL },
  { "DELETE", NEW "/recordings/a", NULL, 501, NULL },
  { "POST", OLD "/recordings/stop/a", NULL, 404, NULL },
  { "GET", OLD "/recordings", NULL, 200, "\"count\":0" },
  { "GET", NEW "/config", NULL, 200, "\"OPENVIDU_RECORDING\":false" })

/* The session has somebody in it. */
STEPS (joined,
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"hasAudio\": false, \"hasVideo\": false}", 422, NULL },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"resolution\": \"wide\"}", 422, "resolution" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"name\": \"../b\"}", 400, "name" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"outputMode\": \"\"}", 400, "outputMode" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"outputMode\": \"INDIVIDUAL\"}", 501, "message" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"recordingLayout\": \"CUSTOM\"}", 501, "message" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"recordingLayout\": \"SPIRAL\"}", 400, "SPIRAL" },
  { "POST", NEW "/signal", "{\"session\": \"a\", \"type\": \"t\", \"data\": \"d\"}", 200, "" },
  { "POST", NEW "/signal", "{\"session\": \"a\", \"to\": [\"nobody\"]}", 406, "nobody" },
  { "GET", NEW "/sessions/a", NULL, 200, "\"status\":\"active\"" },
  { "GET", NEW "/sessions/a", NULL, 200, "\"publishers\":[],\"subscribers\":[]" },
  { "GET", NEW "/sessions/a", NULL, 200, "\"clientData\":\"who\"" })

STEPS (test_refuses_signals_to_empty_sessions,
  { "POST", NEW "/sessions", "{\"customSessionId\": \"a\"}", 200, NULL },
  { "POST", NEW "/signal", NULL, 400, NULL },
  { "POST", NEW "/signal", "{}", 400, NULL },
  { "POST", NEW "/signal", "{\"session\": \"none\"}", 404, NULL },
  { "POST", NEW "/signal", "{\"session\": \"a\"}", 406, NULL })
/* clang-format on */

static RecParticipant *
join (Fixture *fixture, const char *session_id)
{
  g_autoptr (GError) error = NULL;
  RecSessionProperties *properties = rec_session_properties_new ();
  const RecJoinRequest request = { .session_id = session_id,
    .secret = "MY_SECRET",
    .client_data = "who",
    .platform = "test",
    .sdk_version = "2.32.2",
    .ip = "127.0.0.1",
    .era = REC_ERA_NEW };

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (session_id);
  rec_registry_create_session (fixture->registry, REC_ERA_NEW, properties, &error);
  g_assert_no_error (error);
  RecParticipant *participant = rec_registry_join (fixture->registry, &request, &error);
  g_assert_no_error (error);
  return participant;
}

static void
test_checks_properties_of_recordings (Fixture *fixture, gconstpointer data)
{
  join (fixture, "a");
  joined (fixture, data);
}

static void
evict (void *data)
{
  Fixture *fixture = data;
  g_autofree char *path = g_strdup_printf (NEW "/sessions/a/connection/%s", fixture->token);
  g_autoptr (TestResponse) read = ask (fixture, "GET", path, NULL);
  g_autoptr (TestResponse) deleted = ask (fixture, "DELETE", path, NULL);

  g_assert_cmpuint (read->status, ==, 200);
  g_assert_nonnull (strstr (read->body->str, "\"status\":\"active\""));
  g_assert_cmpuint (deleted->status, ==, 204);
}

static void
test_evicts (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->token = g_strdup (join (fixture, "a")->id);
  test_run_beside_loop (evict, fixture);
  g_assert_null (rec_registry_find_session (fixture->registry, "a"));
}

/* --- files ----------------------------------------------------------------------------------------------------------- */

static RecRecording *
add_recording (Fixture *fixture, const char *id, const char *name, RecEra era,
    RecRecordingStatus status)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  RecRecording *recording = rec_recording_new (id, "s", era, properties, 1700000000000);
  g_autofree char *path = NULL;

  g_free (recording->name);
  recording->name = g_strdup (name);
  recording->directory = era == REC_ERA_OLD ? g_strdup (fixture->recordings)
                                            : g_build_filename (fixture->recordings, id, NULL);
  recording->file_name = g_strconcat (name, ".mp4", NULL);
  recording->status = status;
  recording->size = 7;
  recording->duration_s = 12.5;
  recording->has_audio = recording->has_video = true;
  path = g_build_filename (recording->directory, recording->file_name, NULL);
  g_assert_true (rec_path_make_folder (recording->directory, 0700, NULL));
  g_assert_true (g_file_set_contents (path, "a video", -1, NULL));
  rec_registry_add_recording (fixture->registry, recording);
  rec_recording_unref (recording);
  return recording;
}

static void
add_recordings (Fixture *fixture)
{
  g_autofree char *secret = g_build_filename (fixture->folder, "secret.mp4", NULL);
  g_autofree char *link = g_build_filename (fixture->recordings, "link.mp4", NULL);
  g_autofree char *entity = g_build_filename (fixture->recordings, ".recording.old", NULL);

  add_recording (fixture, "old", "first one", REC_ERA_OLD, REC_RECORDING_READY);
  add_recording (fixture, "new", "later", REC_ERA_NEW, REC_RECORDING_READY);
  add_recording (fixture, "running", "running", REC_ERA_NEW, REC_RECORDING_STARTED);
  add_recording (fixture, "linked", "link", REC_ERA_OLD, REC_RECORDING_READY);
  g_assert_true (g_file_set_contents (secret, "nobody may read this", -1, NULL));
  g_assert_true (g_file_set_contents (entity, "{}", -1, NULL));
  g_unlink (link);
  g_assert_cmpint (symlink (secret, link), ==, 0);
}

/* clang-format off */
STEPS (files,
  { "GET", "/recordings/first%20one.mp4", NULL, 200, "a video" },
  { "GET", "/openvidu/recordings/old/first%20one.mp4", NULL, 200, "a video" },
  { "GET", "/openvidu/recordings/new/later.mp4", NULL, 200, "a video" },
  { "GET", "/recordings/new/later.mp4", NULL, 200, "a video" },
  { "HEAD", "/recordings/new/later.mp4", NULL, 200, NULL },
  { "POST", "/recordings/new/later.mp4", NULL, 405, NULL },
  { "GET", "/recordings/later.mp4", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/new/new.jpg", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/running/running.mp4", NULL, 404, NULL },
  { "GET", "/recordings/link.mp4", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/linked/link.mp4", NULL, 404, NULL },
  { "GET", "/recordings", NULL, 404, NULL },
  { "GET", "/recordings/", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/new/", NULL, 404, NULL },
  { "GET", "/recordings/.recording.old", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/old/.recording.old", NULL, 404, NULL },
  { "GET", "/recordings/../secret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/%2e%2e/secret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/..%2fsecret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/..%5csecret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/..\\secret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/%252e%252e%252fsecret.mp4", NULL, 404, NULL },
  { "GET", "/recordings/%c0%ae%c0%ae/secret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/later.mp4%00.jpg", NULL, 400, NULL },
  { "GET", "/openvidu/recordings/new/../../secret.mp4", NULL, 400, NULL },
  { "GET", "/openvidu/recordings/%2e%2e/secret.mp4", NULL, 400, NULL },
  { "GET", "/openvidu/recordings/..;/secret.mp4", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/new//later.mp4", NULL, 200, "a video" })

STEPS (words,
  { "GET", NEW "/recordings", NULL, 200, "\"count\":4" },
  { "GET", NEW "/recordings/new", NULL, 200, "/openvidu/recordings/new/later.mp4\"" },
  { "GET", NEW "/recordings/new", NULL, 200, "\"status\":\"ready\"" },
  { "GET", NEW "/recordings/new", NULL, 200, "\"duration\":12.5," },
  { "GET", NEW "/recordings/running", NULL, 200, "\"size\":0,\"duration\":0.0,\"url\":null" },
  { "GET", OLD "/recordings/new", NULL, 200, "\"status\":\"stopped\"" },
  { "GET", OLD "/recordings/new", NULL, 200, "\"url\":null" },
  { "GET", OLD "/recordings/new", NULL, 200, "\"recordingLayout\":\"BEST_FIT\"" },
  { "GET", "/recto/api/v1/recordings/new", NULL, 200, "\"notes\":[]" })

STEPS (public_words,
  { "GET", OLD "/recordings/old", NULL, 200, "\"status\":\"available\"" },
  { "GET", OLD "/recordings/old", NULL, 200, "/recordings/first%20one.mp4\"" },
  { "GET", OLD "/recordings/new", NULL, 200, "/recordings/new/later.mp4\"" },
  { "GET", NEW "/recordings/new", NULL, 200, "\"status\":\"ready\"" })
/* clang-format on */

static void
test_serves_recorded_files_alone (Fixture *fixture, gconstpointer data)
{
  add_recordings (fixture);
  files (fixture, data);
}

static void
test_speaks_the_words_of_each_era (Fixture *fixture, gconstpointer data)
{
  add_recordings (fixture);
  words (fixture, data);
}

static void
fetch_publicly (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestResponse)
      file = ask_with (fixture, "GET", "/recordings/first%20one.mp4", "", NULL);
  g_autoptr (TestResponse) rest = ask_with (fixture, "GET", "/api/recordings", "", NULL);

  g_assert_cmpuint (file->status, ==, 200);
  g_assert_cmpstr (file->body->str, ==, "a video");
  g_assert_cmpuint (rest->status, ==, 401);
}

static void
test_gives_public_files_to_anyone (Fixture *fixture, gconstpointer data)
{
  add_recordings (fixture);
  test_run_beside_loop (fetch_publicly, fixture);
  public_words (fixture, data);
}

/* --- WebSocket ------------------------------------------------------------------------------------------------------- */

static void
expect_answer (TestClient *client, const char *request, const char *expected)
{
  g_autofree char *payload = NULL;
  size_t size;

  g_assert_true (test_client_send_frame (client, 0x81, request, strlen (request)));
  g_assert_cmpint (test_client_read_frame (client, &payload, &size), ==, 1);
  g_test_message ("%s", payload);
  g_assert_nonnull (strstr (payload, expected));
}

static void
talk (void *data)
{
  Fixture *fixture = data;
  static const char *const targets[] = { "/openvidu", "/openvidu?sessionId=a", "/room",
    "//openvidu/?a=b&c" };

  for (size_t i = 0; i < G_N_ELEMENTS (targets); i++) {
    g_autoptr (TestClient) client = test_client_new (fixture->port);
    g_autofree char *payload = NULL;
    size_t size;
    g_assert_true (test_client_upgrade (client, targets[i]));
    expect_answer (client,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\",\"params\":{\"interval\":5000}}",
        "pong");
    g_assert_true (test_client_send_frame (client, 0x88, "\x03\xe8", 2));
    g_assert_cmpint (test_client_read_frame (client, &payload, &size), ==, 8);
  }
}

static void
test_talks (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (talk, fixture);
}

typedef struct {
  Fixture *fixture;
  gint is_open;
  unsigned code;
} Listener;

static gpointer
listen_until_closed (gpointer data)
{
  Listener *listener = data;
  g_autoptr (TestClient) client = test_client_new (listener->fixture->port);
  int opcode;

  g_assert_true (test_client_upgrade (client, "/openvidu"));
  expect_answer (client, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}", "pong");
  g_atomic_int_set (&listener->is_open, 1);
  g_main_context_wakeup (NULL);
  do {
    g_autofree char *payload = NULL;
    size_t size;
    opcode = test_client_read_frame (client, &payload, &size);
    if (opcode == 8 && size >= 2)
      listener->code = (unsigned) (uint8_t) payload[0] << 8 | (uint8_t) payload[1];
  } while (opcode >= 0);
  return NULL;
}

static void
test_takes_leave_of_everyone (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  Listener listener = { .fixture = fixture };
  GThread *thread = g_thread_new ("listener", listen_until_closed, &listener);

  while (!g_atomic_int_get (&listener.is_open))
    g_main_context_iteration (NULL, TRUE);
  rec_api_stop (fixture->api);
  g_assert_null (test_client_new (fixture->port));
  rec_api_free (g_steal_pointer (&fixture->api));
  g_thread_join (thread);
  g_assert_cmpuint (listener.code, ==, 1001);
}

#define ADD(name, settings, function)                                                              \
  g_test_add (name, Fixture, settings, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("/rest/asks-for-the-secret", NULL, test_asks_for_the_secret);
  ADD ("/rest/keeps-refused-connections", NULL, test_keeps_refused_connections);
  ADD ("/rest/lets-other-origins-ask", NULL, test_lets_other_origins_ask);
  ADD ("/rest/explains-errors", NULL, test_explains_errors);
  ADD ("/rest/serves-pages", NULL, test_serves_pages);
  ADD ("/rest/tells-its-configuration", NULL, test_tells_its_configuration);
  ADD ("/rest/keeps-sessions", NULL, test_keeps_sessions);
  ADD ("/rest/keeps-connections", NULL, test_keeps_connections);
  ADD ("/rest/gives-tokens", NULL, test_gives_tokens);
  ADD ("/rest/refuses-signals-to-empty-sessions", NULL, test_refuses_signals_to_empty_sessions);
  ADD ("/rest/checks-recordings-in-order", NULL, test_checks_recordings_in_order);
  ADD ("/rest/checks-properties-of-recordings", NULL, test_checks_properties_of_recordings);
  ADD ("/rest/says-that-recording-is-off", "openvidu.recording=false",
      test_says_that_recording_is_off);
  ADD ("/rest/evicts", NULL, test_evicts);
  ADD ("/rest/serves-recorded-files-alone", NULL, test_serves_recorded_files_alone);
  ADD ("/rest/speaks-the-words-of-each-era", NULL, test_speaks_the_words_of_each_era);
  ADD ("/rest/gives-public-files-to-anyone", "openvidu.recording.public-access=true",
      test_gives_public_files_to_anyone);
  ADD ("/rest/talks", NULL, test_talks);
  ADD ("/rest/takes-leave-of-everyone", NULL, test_takes_leave_of_everyone);
  return g_test_run ();
}
