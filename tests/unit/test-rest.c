/* test-rest.c - the API as clients of both eras see it, and its WebSocket; nothing is recorded here. */
#include "base/json.h"
#include "base/main-thread.h"
#include "lib/api-rig.h"
#include "lib/library-leaks.h"
#include "session/token.h"

#include <gst/gst.h>
#include <string.h>

static RecJson *
parse (const TestResponse *response)
{
  g_autoptr (GError) error = NULL;
  RecJson *value =
      rec_json_parse (response->body->str, response->body->len, response->body->len, &error);

  g_assert_no_error (error);
  return value;
}

/* --- who may ask ----------------------------------------------------------------------------------------------------- */

static void
ask_without_secret (void *data)
{
  ApiRig *rig = data;
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
          response = api_rig_ask_with (rig, words[0], words[1], wrong[i], "{\"a\": 1}");
      g_autofree char *challenge = test_response_dup_header (response, "WWW-Authenticate");
      g_assert_cmpuint (response->status, ==, 401);
      g_assert_true (g_str_has_prefix (challenge, "Basic realm=\""));
    }
  }
  g_autoptr (TestResponse) lower = api_rig_ask_with (rig, "GET", "/api/sessions",
      "Authorization: basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU\r\n", NULL);
  g_assert_cmpuint (lower->status, ==, 200);
}

static void
test_asks_for_the_secret (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_without_secret, rig);
  g_assert_cmpuint (rec_registry_get_sessions (rig->registry)->len, ==, 0);
}

/* The Java clients ask again on the same connection. */
static void
ask_twice (void *data)
{
  ApiRig *rig = data;
  static const char body[] = "{\"customSessionId\": \"one\"}";
  g_autoptr (TestClient) client = test_client_new (rig->port);

  for (int i = 0; i < 2; i++) {
    g_autofree char *text = g_strdup_printf (
        "POST /api/sessions HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s",
        i == 0 ? "" : "Authorization: " AUTH "\r\n", strlen (body), body);
    g_autoptr (TestResponse) response = test_client_ask (client, text);
    g_assert_cmpuint (response->status, ==, i == 0 ? 401 : 200);
  }
}

static void
test_keeps_refused_connections (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_twice, rig);
}

static void
ask_across_origins (void *data)
{
  ApiRig *rig = data;
  g_autoptr (TestResponse) preflight = api_rig_ask_with (rig, "OPTIONS", NEW "/sessions",
      "Origin: https://app.example\r\nAccess-Control-Request-Headers: authorization,x-a\r\n", NULL);
  g_autofree char *origin = test_response_dup_header (preflight, "Access-Control-Allow-Origin");
  g_autofree char *methods = test_response_dup_header (preflight, "Access-Control-Allow-Methods");
  g_autofree char *headers = test_response_dup_header (preflight, "Access-Control-Allow-Headers");
  g_autoptr (TestResponse) refused = api_rig_ask_with (rig, "PUT", NEW "/sessions", "", NULL);
  g_autofree char *allowed = test_response_dup_header (refused, "Allow");

  g_assert_cmpuint (preflight->status, ==, 200);
  g_assert_cmpstr (origin, ==, "*");
  g_assert_cmpstr (methods, ==, "GET, HEAD, POST, OPTIONS");
  g_assert_cmpstr (headers, ==, "authorization,x-a");
  g_assert_cmpuint (refused->status, ==, 405);
  g_assert_cmpstr (allowed, ==, "GET, HEAD, POST, OPTIONS");
}

static void
test_lets_other_origins_ask (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_across_origins, rig);
}

static void
ask_wrongly (void *data)
{
  ApiRig *rig = data;
  g_autoptr (TestResponse) response = api_rig_ask (rig, "GET", NEW "/sessions/none", NULL);
  g_autoptr (RecJson) body = parse (response);

  g_assert_cmpint (rec_json_int_or (body, "status", 0), ==, 404);
  g_assert_cmpint (rec_json_int_or (body, "timestamp", 0), >, 0);
  g_assert_cmpstr (rec_json_string_or (body, "error", NULL), ==, "Not Found");
  g_assert_cmpstr (rec_json_string_or (body, "path", NULL), ==, NEW "/sessions/none");
  g_assert_true (rec_json_has (body, "message"));
}

static void
test_explains_errors (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_wrongly, rig);
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
  { "GET", OLD "/config", NULL, 200, "\"OPENVIDU_RECORDING\":true" },
  { "GET", "/config", NULL, 200, "\"OPENVIDU_RECORDING\":true" })

/* The session has somebody in it. */
STEPS (joined,
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"hasAudio\": false, \"hasVideo\": false}", 422, NULL },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"resolution\": \"wide\"}", 422, "resolution" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"name\": \"../b\"}", 400, "name" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"outputMode\": \"\"}", 400, "outputMode" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"outputMode\": \"INDIVIDUAL\", \"sinks\": [\"tape\"]}", 400, "tape" },
  { "POST", NEW "/recordings/start", "{\"session\": \"a\", \"recordingLayout\": \"SPIRAL\"}", 400, "SPIRAL" },
  { "POST", NEW "/signal", "{\"session\": \"a\", \"type\": \"t\", \"data\": \"d\"}", 200, "" },
  { "POST", NEW "/signal", "{\"session\": \"a\", \"to\": [\"nobody\"]}", 406, "nobody" },
  { "GET", NEW "/sessions/a", NULL, 200, "\"status\":\"active\"" },
  { "GET", NEW "/sessions/a", NULL, 200, "\"publishers\":[],\"subscribers\":[]" },
  { "GET", NEW "/sessions/a", NULL, 200, "\"clientData\":\"who\"" })

/* clang-format on */

static RecParticipant *
join (ApiRig *rig, const char *session_id)
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
  rec_registry_create_session (rig->registry, REC_ERA_NEW, properties, &error);
  g_assert_no_error (error);
  RecParticipant *participant = rec_registry_join (rig->registry, &request, &error);
  g_assert_no_error (error);
  return participant;
}

static void
test_checks_properties_of_recordings (ApiRig *rig, gconstpointer data)
{
  join (rig, "a");
  joined (rig, data);
}

static void
evict (void *data)
{
  ApiRig *rig = data;
  g_autofree char *path = g_strdup_printf (NEW "/sessions/a/connection/%s", rig->token);
  g_autoptr (TestResponse) read = api_rig_ask (rig, "GET", path, NULL);
  g_autoptr (TestResponse) deleted = api_rig_ask (rig, "DELETE", path, NULL);

  g_assert_cmpuint (read->status, ==, 200);
  g_assert_nonnull (strstr (read->body->str, "\"status\":\"active\""));
  g_assert_cmpuint (deleted->status, ==, 204);
}

static void
test_evicts (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig->token = g_strdup (join (rig, "a")->id);
  test_run_beside_loop (evict, rig);
  g_assert_null (rec_registry_find_session (rig->registry, "a"));
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
  ApiRig *rig = data;
  static const char *const targets[] = { "/openvidu", "/openvidu?sessionId=a", "/room",
    "//openvidu/?a=b&c" };

  for (size_t i = 0; i < G_N_ELEMENTS (targets); i++) {
    g_autoptr (TestClient) client = test_client_new (rig->port);
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
test_talks (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (talk, rig);
}

typedef struct {
  ApiRig *rig;
  gint is_open;
  unsigned code;
} Listener;

static gpointer
listen_until_closed (gpointer data)
{
  Listener *listener = data;
  g_autoptr (TestClient) client = test_client_new (listener->rig->port);
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
test_takes_leave_of_everyone (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  Listener listener = { .rig = rig };
  GThread *thread = g_thread_new ("listener", listen_until_closed, &listener);

  while (!g_atomic_int_get (&listener.is_open))
    g_main_context_iteration (NULL, TRUE);
  rec_api_stop (rig->api);
  g_assert_null (test_client_new (rig->port));
  rec_api_free (g_steal_pointer (&rig->api));
  g_thread_join (thread);
  g_assert_cmpuint (listener.code, ==, 1001);
}

#define ADD(name, settings, function)                                                              \
  g_test_add (name, ApiRig, settings, api_rig_set_up, function, api_rig_tear_down)

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
  ADD ("/rest/checks-properties-of-recordings", NULL, test_checks_properties_of_recordings);
  ADD ("/rest/evicts", NULL, test_evicts);
  ADD ("/rest/talks", NULL, test_talks);
  ADD ("/rest/takes-leave-of-everyone", NULL, test_takes_leave_of_everyone);
  return g_test_run ();
}
