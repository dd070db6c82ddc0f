/* test-rest-java.c - openvidu-java-client of both eras byte by byte: it sends no credentials until it is challenged. */
#include "base/main-thread.h"
#include "lib/api-rig.h"
#include "lib/library-leaks.h"

#include <gst/gst.h>
#include <string.h>

/* What Apache's library adds to each request: 4.5 below the client of 2.1, 5 below that of 2.32. */
#define HC4                                                                                        \
  "Connection: Keep-Alive\r\nUser-Agent: Apache-HttpClient/4.5.3 (Java/1.8.0_181)\r\n"             \
  "Accept-Encoding: gzip,deflate\r\n"
#define HC5                                                                                        \
  "Accept-Encoding: gzip, x-gzip, deflate\r\nConnection: keep-alive\r\n"                           \
  "User-Agent: Apache-HttpClient/5.2.1 (Java/11.0.20)\r\n"
#define JSON "Content-Type: application/json\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

typedef struct {
  const char *line, *headers;
  const char *body; /* NULL: without even a length */
  unsigned status;
  const char *text; /* in the answer, or NULL */
} Request;

/* The first era writes JSON in ISO-8859-1. */
static const Request of_2_1[] = {
  { "POST /api/sessions", JSON HC4,
      "{\"recordingMode\":\"MANUAL\",\"defaultCustomLayout\":\"\",\"mediaMode\":\"ROUTED\","
      "\"customSessionId\":\"a\",\"defaultRecordingLayout\":\"BEST_FIT\"}",
      200, "\"id\":\"a\"" },
  { "POST /api/sessions", JSON HC4,
      "{\"recordingMode\":\"MANUAL\",\"defaultCustomLayout\":\"\",\"mediaMode\":\"ROUTED\","
      "\"customSessionId\":\"a\",\"defaultRecordingLayout\":\"BEST_FIT\"}",
      409, "" },
  { "POST /api/tokens", JSON HC4, "{\"role\":\"PUBLISHER\",\"data\":\"Zo\xeb\",\"session\":\"a\"}",
      200, "\"data\":\"Zo\xc3\xab\"" },
  { "POST /api/recordings/start", JSON HC4,
      "{\"session\":\"a\",\"customLayout\":\"\",\"name\":\"\",\"recordingLayout\":\"\"}", 404,
      NULL },
  { "POST /api/recordings/stop/a", FORM HC4, "", 404, NULL },
  { "GET /api/recordings/a", HC4, NULL, 404, NULL },
  { "GET /api/recordings", HC4, NULL, 200, "{\"count\":0,\"items\":[]}" },
  { "DELETE /api/recordings/a", FORM HC4, NULL, 404, NULL },
};

/* The later era names what it does not know: null. */
static const Request of_2_32[] = {
  { "POST /openvidu/api/sessions", JSON HC5,
      "{\"mediaMode\":\"ROUTED\",\"recordingMode\":\"MANUAL\",\"customSessionId\":\"a\","
      "\"mediaNode\":null,\"forcedVideoCodec\":null,\"allowTranscoding\":null,"
      "\"defaultRecordingProperties\":{\"name\":\"\",\"hasAudio\":true,\"hasVideo\":true,"
      "\"outputMode\":\"COMPOSED\",\"recordingLayout\":\"BEST_FIT\",\"customLayout\":null,"
      "\"resolution\":\"1280x720\",\"frameRate\":25,\"shmSize\":536870912,"
      "\"ignoreFailedStreams\":null,\"mediaNode\":null}}",
      200, "\"forcedVideoCodec\":\"MEDIA_SERVER_PREFERRED\",\"allowTranscoding\":false" },
  { "POST /openvidu/api/sessions/a/connection", JSON HC5,
      "{\"type\":\"WEBRTC\",\"data\":\"Zo\xc3\xab\",\"record\":null,\"role\":\"PUBLISHER\","
      "\"kurentoOptions\":null,\"rtspUri\":null,\"adaptativeBitrate\":null,"
      "\"onlyPlayWithSubscribers\":null,\"networkCache\":null,\"customIceServers\":[]}",
      200, "\"serverData\":\"Zo\xc3\xab\"" },
  { "GET /openvidu/api/sessions/a?pendingConnections=true", FORM HC5, NULL, 200,
      "\"numberOfElements\":1" },
  { "GET /openvidu/api/sessions?pendingConnections=true", HC5, NULL, 200,
      "\"numberOfElements\":1" },
  { "PATCH /openvidu/api/sessions/a/connection/none", JSON HC5, "{\"role\":\"SUBSCRIBER\"}", 404,
      NULL },
  { "POST /openvidu/api/recordings/start", JSON HC5, "{\"session\":\"a\",\"mediaNode\":null}", 406,
      NULL },
  { "POST /openvidu/api/recordings/stop/a", FORM HC5, NULL, 404, NULL },
  { "DELETE /openvidu/api/sessions/a/stream/none", FORM HC5, NULL, 404, NULL },
  { "DELETE /openvidu/api/sessions/a", FORM HC5, "", 204, "" },
};

static TestResponse *
send_request (TestClient *client, const Request *request, const char *authorization)
{
  const char *body = request->body != NULL ? request->body : "";
  g_autofree char *length = request->body != NULL
                                ? g_strdup_printf ("Content-Length: %zu\r\n", strlen (body))
                                : g_strdup ("");
  g_autofree char *text = g_strconcat (request->line, " HTTP/1.1\r\nHost: localhost:4443\r\n",
      length, request->headers, authorization, "\r\n", body, NULL);

  return test_client_ask (client, text);
}

/* One connection, as its pool keeps it: refused, asked again, next request. */
static void
replay (ApiRig *rig, const Request *requests, size_t n_requests)
{
  g_autoptr (TestClient) client = test_client_new (rig->port);

  for (size_t i = 0; i < n_requests; i++) {
    g_autoptr (TestResponse) refused = send_request (client, &requests[i], "");
    g_autofree char *challenge = test_response_dup_header (refused, "WWW-Authenticate");
    g_assert_cmpuint (refused->status, ==, 401);
    g_assert_true (g_str_has_prefix (challenge, "Basic realm=\""));
    g_autoptr (TestResponse)
        response = send_request (client, &requests[i], "Authorization: " AUTH "\r\n");
    g_test_message ("%s: %u %s", requests[i].line, response->status, response->body->str);
    g_assert_cmpuint (response->status, ==, requests[i].status);
    if (requests[i].text != NULL)
      g_assert_nonnull (strstr (response->body->str, requests[i].text));
    if (requests[i].text != NULL && *requests[i].text == '\0')
      g_assert_cmpuint (response->body->len, ==, 0);
  }
}

static void
replay_2_1 (void *data)
{
  replay (data, of_2_1, G_N_ELEMENTS (of_2_1));
}

static void
replay_2_32 (void *data)
{
  replay (data, of_2_32, G_N_ELEMENTS (of_2_32));
}

static void
test_serves_java_2_1 (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (replay_2_1, rig);
}

static void
test_serves_java_2_32 (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (replay_2_32, rig);
}

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/rest-java/serves-2.1", ApiRig, NULL, api_rig_set_up, test_serves_java_2_1,
      api_rig_tear_down);
  g_test_add ("/rest-java/serves-2.32", ApiRig, NULL, api_rig_set_up, test_serves_java_2_32,
      api_rig_tear_down);
  return g_test_run ();
}
