/* test-signal-new.c - what clients of OpenVidu 2.32 say and hear: fields, codes, order, loss and return. */
#include "lib/signal-rig.h"

#include "base/error.h"
#include "session/token.h"

#include <string.h>

#define JOIN_EXTRA                                                                                 \
  "\"metadata\":\"me\",\"platform\":\"Chrome 120 on "                                              \
  "Linux\",\"sdkVersion\":\"2.32.2\",\"stt\":false"
#define JOIN_KEYS                                                                                  \
  "id createdAt metadata value session version mediaServer videoSimulcast record role "            \
  "finalUserId "                                                                                   \
  "sessionId"

typedef struct {
  SignalRig *rig;
  RecSession *session;
} Fixture;

static void
set_up (Fixture *fixture, const void *data)
{
  static const char *const fallback[] = { "media.local-addresses=127.0.0.1", NULL };

  fixture->rig = signal_rig_new (data != NULL ? data : fallback);
  fixture->session = signal_rig_create_session (fixture->rig, "room");
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  signal_rig_free (fixture->rig);
}

static RigClient *
join_as (Fixture *fixture, RecRole role)
{
  RigClient *client = rig_client_new (fixture->rig, "sessionId=room");
  g_autoptr (RecJson) result = rig_client_join (client, fixture->session, role, JOIN_EXTRA);

  return client;
}

static RigClient *
join (Fixture *fixture)
{
  return join_as (fixture, REC_ROLE_PUBLISHER);
}

static void
assert_string (RecJson *object, const char *name, const char *expected)
{
  g_assert_cmpstr (rec_json_string_or (object, name, NULL), ==, expected);
}

static void
assert_list (RigClient *client, const char *expected)
{
  g_autofree char *list = rig_client_list (client);

  g_assert_cmpstr (list, ==, expected);
}

static void
assert_empty_result (RigClient *client, const char *method, const char *params)
{
  g_autoptr (RecJson) result = rig_client_call (client, method, params);

  rig_assert_keys (result, "sessionId");
}

/* Its place is gone with it, and so is the id of that. */
static void
leave (RigClient *client)
{
  g_autoptr (RecJson) result = rig_client_call (client, "leaveRoom", "{}");

  rig_assert_keys (result, "");
}

/* As the client puts it together for a camera. */
static RecJson *
make_publication (unsigned kinds)
{
  RecJson *params = json_object_new_object ();
  g_autofree char *offer = rig_make_offer (kinds, "sendonly");

  rec_json_set_bool (params, "hasAudio", (kinds & RIG_OFFER_AUDIO) != 0);
  rec_json_set_bool (params, "hasVideo", (kinds & RIG_OFFER_VIDEO) != 0);
  rec_json_set_bool (params, "doLoopback", false);
  if (kinds & RIG_OFFER_AUDIO)
    rec_json_set_bool (params, "audioActive", false);
  if (kinds & RIG_OFFER_VIDEO) {
    rec_json_set_bool (params, "videoActive", true);
    rec_json_set_string (params, "typeOfVideo", "CAMERA");
    rec_json_set_int (params, "frameRate", 30);
    rec_json_set_string (params, "videoDimensions", "{\"width\":640,\"height\":480}");
  }
  rec_json_set_string (params, "sdpOffer", offer);
  return params;
}

static int64_t
send_publication (RigClient *client, unsigned kinds)
{
  g_autoptr (RecJson) params = make_publication (kinds);

  return rig_client_send_json (client, "publishVideo", params);
}

/* The stream's id. Free it. */
static char *
publish (RigClient *client)
{
  g_autoptr (RecJson) result =
      rig_client_wait (client, send_publication (client, RIG_OFFER_AUDIO | RIG_OFFER_VIDEO));

  return g_strdup (rec_json_string_or (result, "id", NULL));
}

static int64_t
send_subscription (RigClient *client, const char *stream_id)
{
  g_autoptr (RecJson) params = json_object_new_object ();
  g_autofree char *offer = rig_make_offer (RIG_OFFER_AUDIO | RIG_OFFER_VIDEO, "recvonly");

  rec_json_set_string (params, "sender", stream_id);
  rec_json_set_string (params, "sdpOffer", offer);
  return rig_client_send_json (client, "receiveVideoFrom", params);
}

static RecParticipant *
find_participant (Fixture *fixture, const RigClient *client)
{
  return rec_session_find_participant (fixture->session, client->id);
}

/* --- joining ---------------------------------------------------------------------------------------------- */

static void
test_join_result (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture);
  RigClient *bob = rig_client_new (fixture->rig, "sessionId=room");
  g_autoptr (RecJson)
      result = rig_client_join (bob, fixture->session, REC_ROLE_MODERATOR, JOIN_EXTRA);
  RecJson *value, *other;

  rig_assert_keys (result, JOIN_KEYS);
  assert_string (result, "metadata", "me");
  assert_string (result, "session", "room");
  assert_string (result, "version", "2.32.2");
  assert_string (result, "mediaServer", "kurento");
  assert_string (result, "role", "MODERATOR");
  assert_string (result, "sessionId", find_participant (fixture, bob)->rpc_id);
  g_assert_true (rec_json_bool_or (result, "record", false));
  g_assert_false (rec_json_bool_or (result, "videoSimulcast", true));
  g_assert_cmpint (rec_json_int_or (result, "createdAt", 0), >=, 1700000000000);
  value = rec_json_get (result, "value");
  g_assert_cmpuint (json_object_array_length (value), ==, 1);
  other = json_object_array_get_idx (value, 0);
  rig_assert_keys (other, "id createdAt metadata");
  assert_string (other, "id", ann->id);
}

static void
test_first_has_an_empty_list (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = rig_client_new (fixture->rig, NULL);
  g_autoptr (RecJson)
      result = rig_client_join (ann, fixture->session, REC_ROLE_PUBLISHER, JOIN_EXTRA);

  g_assert_true (json_object_is_type (rec_json_get (result, "value"), json_type_array));
  g_assert_cmpuint (json_object_array_length (rec_json_get (result, "value")), ==, 0);
}

static void
test_others_hear_of_joining (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture);
  RigClient *bob = join (fixture);
  g_autoptr (RecJson) params = rig_client_take (ann, "participantJoined");

  rig_assert_keys (params, "id createdAt metadata");
  assert_string (params, "id", bob->id);
  assert_string (params, "metadata", "me");
  assert_list (ann, "");
  assert_list (bob, "");
}

static void
test_answers_come_in_order (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *token = signal_rig_make_token (fixture->session, REC_ROLE_PUBLISHER, "");
  g_autofree char *params =
      g_strdup_printf ("{\"token\":\"%s\",\"session\":\"room\"," JOIN_EXTRA "}", token);
  RigClient *ann = rig_client_new (fixture->rig, NULL);

  rig_client_send (ann, "ping", "{\"interval\":5000}");
  rig_client_send (ann, "joinRoom", params);
  rig_client_send (ann, "ping", NULL);
  assert_list (ann, "#0 #1 #2");
}

static void
test_versions (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *sent, *expected;
  } cases[] = {
    { "\"2.21.0\"", "2.21.0" },
    { "\"9.9.9\"", "9.9.9" },
    { "\"2.32\"", REC_OPENVIDU_VERSION },
    { "\"latest\"", REC_OPENVIDU_VERSION },
    { "\"\"", REC_OPENVIDU_VERSION },
    { "null", REC_OPENVIDU_VERSION },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *extra =
        g_strdup_printf ("\"platform\":\"x\",\"sdkVersion\":%s", cases[i].sent);
    g_autoptr (RecJson) result = rig_client_join (rig_client_new (fixture->rig, NULL),
        fixture->session, REC_ROLE_PUBLISHER, extra);
    assert_string (result, "version", cases[i].expected);
  }
}

static void
test_ice_servers_without_secrets (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (RecJson) servers = json_tokener_parse (
      "[{\"url\":\"turn:t\",\"username\":\"u\",\"credential\":\"c\",\"staticAuthSecret\":\"s\"}]");
  const RecConnectionRequest request = { .role = REC_ROLE_PUBLISHER,
    .custom_ice_servers = servers };
  const RecConnection *connection =
      rec_registry_create_connection (fixture->rig->registry, fixture->session, &request, NULL);
  g_autofree char *params =
      g_strdup_printf ("{\"token\":\"%s\",\"session\":\"room\"," JOIN_EXTRA "}", connection->token);
  g_autoptr (RecJson)
      result = rig_client_call (rig_client_new (fixture->rig, NULL), "joinRoom", params);

  rig_assert_keys (result, JOIN_KEYS " customIceServers");
  rig_assert_keys (json_object_array_get_idx (rec_json_get (result, "customIceServers"), 0),
      "url username credential");
  g_assert_false (rec_json_bool_or (result, "record", true));
  /* REST goes on to show what was given. */
  rig_assert_keys (json_object_array_get_idx (connection->custom_ice_servers, 0),
      "url username credential staticAuthSecret");
}

static void
test_join_errors (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *token = signal_rig_make_token (fixture->session, REC_ROLE_PUBLISHER, "");
  g_autofree char *used = signal_rig_make_token (fixture->session, REC_ROLE_PUBLISHER, "");
  g_autofree char *first =
      g_strdup_printf ("{\"token\":\"%s\",\"session\":\"room\"," JOIN_EXTRA "}", used);
  const struct {
    const char *token, *session;
    int code;
  } cases[] = {
    { "wss://localhost:4443?sessionId=room&token=tok_Unknown", "room", REC_RPC_UNAUTHORIZED },
    { "", "room", REC_RPC_UNAUTHORIZED },
    { used, "room", REC_RPC_UNAUTHORIZED },
    { token, "other", REC_RPC_UNAUTHORIZED },
    { "wss://localhost:4443?sessionId=nowhere&token=tok_A", "nowhere", REC_RPC_SESSION_NOT_FOUND },
    { "wss://localhost:4443?sessionId=nowhere&secret=MY_SECRET", "nowhere",
        REC_RPC_SESSION_NOT_FOUND },
    { "wss://localhost:4443?sessionId=room&secret=wrong", "room", REC_RPC_UNAUTHORIZED },
  };
  RigClient *ann = rig_client_new (fixture->rig, NULL);
  g_autoptr (RecJson) result = rig_client_call (ann, "joinRoom", first);

  signal_rig_create_session (fixture->rig, "other");
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *params = g_strdup_printf (
        "{\"token\":\"%s\",\"session\":\"%s\"," JOIN_EXTRA "}", cases[i].token, cases[i].session);
    RigClient *client = rig_client_new (fixture->rig, NULL);
    g_test_message ("%s", params);
    g_assert_cmpint (rig_client_call_error (client, "joinRoom", params), ==, cases[i].code);
    /* One may try again on the same socket. */
    g_assert_cmpint (client->close_code, ==, 0);
  }
  g_assert_cmpuint (fixture->session->participants->len, ==, 1);
  g_assert_cmpint (rig_client_call_error (ann, "joinRoom", first), ==, REC_RPC_ALREADY_IN_ROOM);
}

static void
test_secret_lets_in (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = rig_client_new (fixture->rig, NULL);
  g_autoptr (RecJson) result = rig_client_call (ann, "joinRoom",
      "{\"token\":\"wss://localhost:4443?sessionId=room&secret=MY_SECRET\",\"session\":\"room\","
      "\"secret\":\"MY_SECRET\"," JOIN_EXTRA "}");
  g_autofree char *stream_id = NULL;

  rig_assert_keys (result, JOIN_KEYS);
  assert_string (result, "role", "SUBSCRIBER");
  stream_id = publish (ann);
  g_assert_nonnull (stream_id);
}

/* --- requests that are none ------------------------------------------------------------------------------------ */

static void
test_nothing_before_joining (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *method, *params;
  } cases[] = {
    { "leaveRoom", "{}" },
    { "publishVideo", "{\"sdpOffer\":\"v=0\"}" },
    { "unpublishVideo", "{}" },
    { "receiveVideoFrom", "{\"sender\":\"x\",\"sdpOffer\":\"v=0\"}" },
    { "unsubscribeFromVideo", "{\"sender\":\"x\"}" },
    { "reconnectStream", "{\"stream\":\"x\"}" },
    { "onIceCandidate", "{\"endpointName\":\"x\"}" },
    { "sendMessage", "{\"message\":\"{}\"}" },
    { "streamPropertyChanged", "{}" },
    { "forceDisconnect", "{\"connectionId\":\"x\"}" },
    { "forceUnpublish", "{\"streamId\":\"x\"}" },
    { "applyFilter", "{\"streamId\":\"x\"}" },
    { "subscribeToSpeechToText", "{\"connectionId\":\"x\"}" },
    { "videoData", "{}" },
    { "echo", "{}" },
  };
  RigClient *client = rig_client_new (fixture->rig, NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s", cases[i].method);
    g_assert_cmpint (rig_client_call_error (client, cases[i].method, cases[i].params), ==,
        REC_RPC_TRANSPORT);
  }
}

static void
test_ping_before_joining (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *client = rig_client_new (fixture->rig, NULL);
  g_autoptr (RecJson) result = rig_client_call (client, "ping", "{\"interval\":5000}");

  rig_assert_keys (result, "value");
  assert_string (result, "value", "pong");
}

static void
test_wrong_types (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *method, *params;
  } cases[] = {
    { "ping", "{\"interval\":\"soon\"}" },
    { "publishVideo", "{}" },
    { "publishVideo", "{\"sdpOffer\":5}" },
    { "publishVideo", "{\"sdpOffer\":\"\"}" },
    { "publishVideo", "{\"sdpOffer\":\"v=0\",\"hasAudio\":\"yes\"}" },
    { "publishVideo", "{\"sdpOffer\":\"v=0\",\"hasAudio\":true,\"frameRate\":\"fast\"}" },
    { "publishVideo", "{\"sdpOffer\":\"v=0\",\"hasAudio\":false,\"hasVideo\":false}" },
    { "receiveVideoFrom", "{\"sender\":5,\"sdpOffer\":\"v=0\"}" },
    { "receiveVideoFrom", "{\"sender\":\"x\"}" },
    { "unsubscribeFromVideo", "{\"sender\":[]}" },
    { "onIceCandidate", "{\"endpointName\":\"x\",\"sdpMLineIndex\":\"0\"}" },
    { "onIceCandidate", "{\"endpointName\":\"x\",\"candidate\":{}}" },
    { "sendMessage", "{\"message\":{}}" },
    { "streamPropertyChanged", "{\"streamId\":\"x\",\"property\":\"audioActive\"}" },
    { "forceDisconnect", "{}" },
    { "reconnectStream", "{\"stream\":\"x\"}" },
    { "ping", "[]" },
    { "ping", "7" },
  };
  RigClient *client = join (fixture);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s %s", cases[i].method, cases[i].params);
    g_assert_cmpint (rig_client_call_error (client, cases[i].method, cases[i].params), ==,
        REC_RPC_INVALID_PARAMS);
  }
}

static void
test_unknown_methods (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *client = join (fixture);

  g_assert_cmpint (rig_client_call_error (client, "makeCoffee", "{}"), ==, REC_RPC_UNKNOWN_METHOD);
  g_assert_cmpint (rig_client_call_error (client, "PING", NULL), ==, REC_RPC_UNKNOWN_METHOD);
}

static void
test_what_there_is_not (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *method, *params;
    int code;
  } cases[] = {
    { "applyFilter", "{\"streamId\":\"x\",\"type\":\"t\"}", REC_RPC_FILTER_NOT_APPLIED },
    { "removeFilter", "{\"streamId\":\"x\"}", REC_RPC_FILTER_NOT_APPLIED },
    { "execFilterMethod", "{\"streamId\":\"x\"}", REC_RPC_FILTER_NOT_APPLIED },
    { "addFilterEventListener", "{\"streamId\":\"x\"}", REC_RPC_FILTER_LISTENER },
    { "removeFilterEventListener", "{\"streamId\":\"x\"}", REC_RPC_FILTER_LISTENER },
    { "subscribeToSpeechToText", "{\"connectionId\":\"x\"}", REC_RPC_WRONG_EDITION },
    { "unsubscribeFromSpeechToText", "{\"connectionId\":\"x\"}", REC_RPC_WRONG_EDITION },
  };
  RigClient *client = join_as (fixture, REC_ROLE_MODERATOR);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (rig_client_call_error (client, cases[i].method, cases[i].params), ==,
        cases[i].code);
}

static void
test_garbage_is_answered (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *opening = g_strnfill (1000, '['), *closing = g_strnfill (1000, ']');
  g_autofree char *deep =
      g_strdup_printf ("{\"id\":1,\"method\":\"ping\",\"params\":{\"a\":%s%s}}", opening, closing);
  g_autofree char *filling = g_strnfill (300000, 'x');
  g_autofree char *large = g_strdup_printf ("{\"id\":1,\"method\":\"%s\"}", filling);
  const struct {
    const char *text;
    int code;
  } cases[] = {
    { "hello", REC_RPC_NOT_JSON },
    { deep, REC_RPC_NOT_JSON },
    { "[]", REC_RPC_INVALID_REQUEST },
    { large, REC_RPC_TRANSPORT_REQUEST },
  };
  RigClient *client = join (fixture);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    rig_client_send_text (client, cases[i].text);
    g_assert_cmpuint (client->inbox->len, ==, 1);
    RecJson *message = client->inbox->pdata[0];
    rig_assert_keys (message, "jsonrpc id error");
    g_assert_cmpint (rec_json_int_or (rec_json_get (message, "error"), "code", 0), ==,
        cases[i].code);
    g_ptr_array_set_size (client->inbox, 0);
  }
  /* What looks like an answer is none of ours; without an id there is no answer. */
  rig_client_send_text (client, "{\"id\":1,\"result\":{}}");
  rig_client_send_text (client, "{\"method\":\"ping\"}");
  assert_list (client, "");
  assert_empty_result (client, "echo", "{}");
}

static const char *const slow[] = { "server.max-messages-per-second=2",
  "media.local-addresses=127.0.0.1", NULL };

static void
test_floods_are_refused (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *client = join (fixture);
  int n_answered = 0;

  /* Five seconds' worth at once, joinRoom included. */
  for (;;) {
    int64_t id = rig_client_send (client, "echo", "{}");
    RecJson *message = client->inbox->pdata[client->inbox->len - 1];
    g_assert_cmpint (rec_json_int_or (message, "id", -1), ==, id);
    if (rec_json_has (message, "error"))
      break;
    n_answered++;
  }
  g_assert_cmpint (n_answered, ==, 9);
  g_assert_cmpint (rig_client_call_error (client, "echo", "{}"), ==, REC_RPC_TRANSPORT_REQUEST);

  signal_rig_advance (fixture->rig, 1);
  assert_empty_result (client, "echo", "{}");
  assert_empty_result (client, "echo", "{}");
  g_assert_cmpint (rig_client_call_error (client, "echo", "{}"), ==, REC_RPC_TRANSPORT_REQUEST);

  /* Who doesn't stop is closed. */
  g_test_expect_message ("rec.signal.signal", G_LOG_LEVEL_WARNING, "closing a client at *");
  for (int i = 0; i < 10; i++)
    rig_client_send (client, "echo", "{}");
  g_test_assert_expected_messages ();
  g_assert_cmpint (client->close_code, ==, 1008);
  rig_client_send (client, "echo", "{}");
}

/* --- publishing ----------------------------------------------------------------------------------------------- */

#define STREAM_KEYS                                                                                \
  "id createdAt hasAudio hasVideo audioActive videoActive typeOfVideo frameRate videoDimensions "  \
  "filter"

static RecJson *
get_stream (RecJson *participant)
{
  RecJson *streams = rec_json_get (participant, "streams");

  rig_assert_keys (participant, "id createdAt metadata streams");
  g_assert_cmpuint (json_object_array_length (streams), ==, 1);
  return json_object_array_get_idx (streams, 0);
}

static void
test_publishing (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autoptr (RecJson) result = NULL, published = NULL;
  RecJson *stream;

  result = rig_client_wait (ann, send_publication (ann, RIG_OFFER_AUDIO | RIG_OFFER_VIDEO));
  rig_assert_keys (result, "sdpAnswer id createdAt sessionId");
  g_assert_true (g_str_has_prefix (rec_json_string_or (result, "sdpAnswer", ""), "v=0"));
  g_assert_true (g_str_has_prefix (rec_json_string_or (result, "id", ""), "str_CAM_"));

  published = rig_client_take (bob, "participantPublished");
  assert_string (published, "id", ann->id);
  stream = get_stream (published);
  rig_assert_keys (stream, STREAM_KEYS);
  assert_string (stream, "id", rec_json_string_or (result, "id", NULL));
  g_assert_cmpint (rec_json_int_or (stream, "createdAt", 0), ==,
      rec_json_int_or (result, "createdAt", 1));
  g_assert_true (rec_json_bool_or (stream, "hasAudio", false));
  g_assert_true (rec_json_bool_or (stream, "hasVideo", false));
  g_assert_false (rec_json_bool_or (stream, "audioActive", true));
  g_assert_true (rec_json_bool_or (stream, "videoActive", false));
  assert_string (stream, "typeOfVideo", "CAMERA");
  g_assert_cmpint (rec_json_int_or (stream, "frameRate", 0), ==, 30);
  assert_string (stream, "videoDimensions", "{\"width\":640,\"height\":480}");
  rig_assert_keys (rec_json_get (stream, "filter"), "");
  assert_list (bob, "");
}

static void
test_is_announced_once (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *early = join (fixture), *late;
  int64_t id = send_publication (ann, RIG_OFFER_VIDEO);
  g_autoptr (RecJson) during = NULL, after = NULL, result = NULL;

  g_free (rig_client_list (early));
  /* While it is being negotiated nobody knows of it, whoever comes now is told later... */
  late = rig_client_new (fixture->rig, NULL);
  during = rig_client_join (late, fixture->session, REC_ROLE_PUBLISHER, JOIN_EXTRA);
  rig_assert_keys (json_object_array_get_idx (rec_json_get (during, "value"), 0),
      "id createdAt metadata");
  result = rig_client_wait (ann, id);
  assert_list (early, "participantJoined participantPublished");
  assert_list (late, "participantPublished");
  /* ...and whoever comes after that finds it in the list. */
  late = rig_client_new (fixture->rig, NULL);
  after = rig_client_join (late, fixture->session, REC_ROLE_PUBLISHER, JOIN_EXTRA);
  rig_assert_keys (json_object_array_get_idx (rec_json_get (after, "value"), 0),
      "id createdAt metadata streams");
  assert_list (late, "");
}

static void
test_audio_only (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autoptr (RecJson) result = rig_client_wait (ann, send_publication (ann, RIG_OFFER_AUDIO));
  g_autoptr (RecJson) published = rig_client_take (bob, "participantPublished");
  RecJson *stream = get_stream (published);

  g_assert_true (g_str_has_prefix (rec_json_string_or (result, "id", ""), "str_MIC_"));
  rig_assert_keys (stream, "id createdAt hasAudio hasVideo audioActive videoActive filter");
  g_assert_false (rec_json_bool_or (stream, "hasVideo", true));
  g_assert_false (rec_json_bool_or (stream, "videoActive", true));
}

static void
test_publish_errors (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  RigClient *viewer = join_as (fixture, REC_ROLE_SUBSCRIBER);
  g_autoptr (RecJson) params = make_publication (RIG_OFFER_VIDEO);
  g_autoptr (RecJson) result = NULL;

  rec_json_set_string (params, "sdpOffer", "this is no offer");
  g_assert_cmpint (rig_client_wait_error (ann, rig_client_send_json (ann, "publishVideo", params)),
      ==, REC_RPC_SDP);
  g_assert_null (find_participant (fixture, ann)->stream);
  g_assert_cmpint (rig_client_wait_error (viewer, send_publication (viewer, RIG_OFFER_VIDEO)), ==,
      REC_RPC_UNAUTHORIZED);
  /* The first try did no harm. */
  result = rig_client_wait (ann, send_publication (ann, RIG_OFFER_VIDEO));
  g_assert_cmpint (rig_client_wait_error (ann, send_publication (ann, RIG_OFFER_VIDEO)), ==,
      REC_RPC_ALREADY_STREAMING);
  assert_list (bob, "participantJoined participantPublished");
}

static void
test_second_while_negotiating (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture);
  int64_t first = send_publication (ann, RIG_OFFER_VIDEO);
  int64_t second = send_publication (ann, RIG_OFFER_VIDEO);
  g_autoptr (RecJson) result = NULL;

  g_assert_cmpint (rig_client_wait_error (ann, second), ==, REC_RPC_ALREADY_STREAMING);
  result = rig_client_wait (ann, first);
}

static void
test_unpublishing (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autofree char *stream_id = publish (ann);
  g_autoptr (RecJson) params = NULL;

  g_free (rig_client_list (bob));
  g_free (rig_client_list (ann));
  assert_empty_result (ann, "unpublishVideo", "{}");
  params = rig_client_take (bob, "participantUnpublished");
  rig_assert_keys (params, "name connectionId reason");
  assert_string (params, "name", ann->id);
  assert_string (params, "connectionId", ann->id);
  assert_string (params, "reason", "unpublish");
  assert_list (ann, "");
  g_assert_cmpint (rig_client_call_error (ann, "unpublishVideo", "{}"), ==,
      REC_RPC_USER_NOT_STREAMING);
}

static void
test_publishing_again_at_once (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autofree char *first = publish (ann);
  int64_t unpublish, again;
  g_autoptr (RecJson) empty = NULL, result = NULL;

  g_free (rig_client_list (bob));
  unpublish = rig_client_send (ann, "unpublishVideo", "{}");
  again = send_publication (ann, RIG_OFFER_VIDEO);
  empty = rig_client_wait (ann, unpublish);
  result = rig_client_wait (ann, again);
  g_assert_cmpstr (rec_json_string_or (result, "id", NULL), !=, first);
  assert_list (bob, "participantUnpublished participantPublished");
}

static void
test_unpublishing_while_negotiating (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  int64_t publication = send_publication (ann, RIG_OFFER_VIDEO);

  g_free (rig_client_list (bob));
  assert_empty_result (ann, "unpublishVideo", "{}");
  g_assert_cmpint (rig_client_wait_error (ann, publication), ==, REC_RPC_USER_NOT_STREAMING);
  assert_list (bob, "");
}

static void
run_main_loop (unsigned milliseconds)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  g_timeout_add_once (milliseconds, (GSourceOnceFunc) g_main_loop_quit, loop);
  g_main_loop_run (loop);
}

static void
test_gone_before_the_answer (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);

  send_publication (ann, RIG_OFFER_VIDEO);
  rig_client_drop (ann);
  /* The answer comes to nobody, and the stream ends instead of being announced. */
  while (find_participant (fixture, ann)->stream != NULL)
    g_main_context_iteration (NULL, TRUE);
  signal_rig_advance (fixture->rig, 10);
  assert_list (bob, "participantLeft");
}

static void
test_left_before_the_answer (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  int64_t id = send_publication (ann, RIG_OFFER_VIDEO);

  leave (ann);
  g_assert_cmpint (rig_client_wait_error (ann, id), ==, REC_RPC_USER_NOT_STREAMING);
  run_main_loop (200);
  assert_list (bob, "participantLeft");
}

static void
test_candidates_in_any_order (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture);
  g_autofree char *own = g_strdup_printf (
      "{\"endpointName\":\"%s\",\"candidate\":\"candidate:1 1 udp 2122260223 192.0.2.7 40000 typ "
      "host\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0}",
      ann->id);
  g_autofree char *no_mid = g_strdup_printf (
      "{\"endpointName\":\"%s\",\"candidate\":\"\",\"sdpMid\":null,\"sdpMLineIndex\":null}",
      ann->id);
  g_autofree char *stream_id = NULL;

  assert_empty_result (ann, "onIceCandidate", own);
  stream_id = publish (ann);
  assert_empty_result (ann, "onIceCandidate", own);
  assert_empty_result (ann, "onIceCandidate", no_mid);
  assert_empty_result (ann, "onIceCandidate",
      "{\"endpointName\":\"con_Nobody\",\"candidate\":\"x\"}");
  assert_empty_result (ann, "unpublishVideo", "{}");
  assert_empty_result (ann, "onIceCandidate", own);
}

/* --- subscribing ---------------------------------------------------------------------------------------------- */

static void
test_subscribing (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autofree char *stream_id = publish (ann);
  g_autofree char *params = g_strdup_printf ("{\"sender\":\"%s\"}", ann->id);
  const RecParticipant *subscriber = find_participant (fixture, bob);
  g_autoptr (RecJson) result = rig_client_wait (bob, send_subscription (bob, stream_id));

  rig_assert_keys (result, "sdpAnswer sessionId");
  g_assert_nonnull (strstr (rec_json_string_or (result, "sdpAnswer", ""), "a=sendonly"));
  g_assert_cmpuint (subscriber->subscriptions->len, ==, 1);
  assert_empty_result (bob, "unsubscribeFromVideo", params);
  g_assert_cmpuint (subscriber->subscriptions->len, ==, 0);
  assert_empty_result (bob, "unsubscribeFromVideo", params);
}

static void
test_subscribe_errors (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autofree char *ended = g_strconcat ("str_CAM_Xyz1_", ann->id, NULL);
  g_autofree char *own = publish (bob);

  g_assert_cmpint (rig_client_wait_error (bob, send_subscription (bob, "str_CAM_A")), ==,
      REC_RPC_USER_NOT_FOUND);
  g_assert_cmpint (rig_client_wait_error (bob, send_subscription (bob, ended)), ==,
      REC_RPC_USER_NOT_STREAMING);
  g_assert_cmpint (rig_client_wait_error (bob, send_subscription (bob, own)), ==,
      REC_RPC_USER_NOT_STREAMING);
  g_assert_cmpint (rig_client_call_error (bob, "unsubscribeFromVideo", "{\"sender\":\"con_A\"}"),
      ==, REC_RPC_USER_NOT_FOUND);
}

static void
test_stream_ends_while_subscribing (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autofree char *stream_id = publish (ann);
  int64_t id = send_subscription (bob, stream_id);

  leave (ann);
  g_assert_cmpint (rig_client_wait_error (bob, id), ==, REC_RPC_USER_NOT_STREAMING);
  g_assert_cmpuint (find_participant (fixture, bob)->subscriptions->len, ==, 0);
}

static void
test_reconnecting_streams (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autofree char *stream_id = publish (ann);
  g_autofree char *sending = rig_make_offer (RIG_OFFER_AUDIO | RIG_OFFER_VIDEO, "sendonly");
  g_autofree char *receiving = rig_make_offer (RIG_OFFER_AUDIO | RIG_OFFER_VIDEO, "recvonly");
  g_autoptr (RecJson) publisher = json_object_new_object (), subscriber = json_object_new_object ();
  g_autoptr (RecJson) subscribed = rig_client_wait (bob, send_subscription (bob, stream_id));
  g_autoptr (RecJson) first = NULL, second = NULL;

  g_free (rig_client_list (bob));
  rec_json_set_string (publisher, "stream", stream_id);
  rec_json_set_string (publisher, "sdpString", sending);
  first = rig_client_wait (ann, rig_client_send_json (ann, "reconnectStream", publisher));
  rig_assert_keys (first, "sdpAnswer id createdAt sessionId");
  assert_string (first, "id", stream_id);

  rec_json_set_string (subscriber, "stream", stream_id);
  rec_json_set_string (subscriber, "sdpOffer", receiving);
  rec_json_set_bool (subscriber, "forciblyReconnect", false);
  second = rig_client_wait (bob, rig_client_send_json (bob, "reconnectStream", subscriber));
  rig_assert_keys (second, "sdpAnswer sessionId");
  assert_list (bob, "");
}

/* --- leaving, loss and return ----------------------------------------------------------------------------------- */

static void
test_leaving (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autofree char *stream_id = publish (ann);
  g_autoptr (RecJson) params = NULL;

  g_free (rig_client_list (bob));
  g_free (rig_client_list (ann));
  leave (ann);
  params = rig_client_take (bob, "participantLeft");
  rig_assert_keys (params, "name connectionId reason");
  assert_string (params, "connectionId", ann->id);
  assert_string (params, "reason", "disconnect");
  /* That alone removes the stream; and who leaves is told nothing. */
  assert_list (bob, "");
  assert_list (ann, "");
  g_assert_cmpint (ann->close_code, ==, 0);
  signal_rig_advance (fixture->rig, 10);
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static void
test_last_one_closes_the_session (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  leave (join (fixture));
  g_assert_null (rec_registry_find_session (fixture->rig->registry, "room"));
}

static char *
make_connect (Fixture *fixture, const RigClient *client)
{
  return g_strdup_printf ("{\"sessionId\":\"%s\",\"reconnect\":true}",
      find_participant (fixture, client)->rpc_id);
}

static void
test_coming_back (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture), *again;
  g_autofree char *params = make_connect (fixture, ann);
  g_autoptr (RecJson) message = NULL, result = NULL;

  g_free (rig_client_list (ann));
  rig_client_drop (ann);
  signal_rig_advance (fixture->rig, 9);
  assert_empty_result (bob, "sendMessage", "{\"message\":\"{\\\"data\\\":\\\"hello\\\"}\"}");
  g_free (rig_client_list (bob));

  again = rig_client_new (fixture->rig, "sessionId=room&reconnect=true");
  again->next_id = 40;
  rig_client_send (again, "connect", params);
  rig_client_send (again, "ping", "{\"interval\":5000}");
  /* The answer first, then what was missed. */
  g_assert_cmpuint (again->inbox->len, ==, 3);
  g_assert_cmpint (rec_json_int_or (again->inbox->pdata[0], "id", -1), ==, 40);
  result = rig_client_wait (again, 40);
  rig_assert_keys (result, "value sessionId");
  assert_string (result, "value", "reconnection successful");
  assert_list (again, "sendMessage #41");

  signal_rig_advance (fixture->rig, 12);
  assert_empty_result (again, "echo", "{}");
  g_assert_nonnull (find_participant (fixture, ann));
  assert_list (bob, "");
}

static void
test_coming_back_too_late (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture), *again;
  g_autofree char *params = make_connect (fixture, ann);
  g_autoptr (RecJson) left = NULL;

  rig_client_drop (ann);
  signal_rig_advance (fixture->rig, 9.5);
  assert_list (bob, "");
  signal_rig_advance (fixture->rig, 0.5);
  left = rig_client_take (bob, "participantLeft");
  assert_string (left, "reason", "networkDisconnect");

  again = rig_client_new (fixture->rig, NULL);
  g_assert_cmpint (rig_client_call_error (again, "connect", params), ==, REC_RPC_RECONNECTION);
}

static void
test_connect_needs_a_known_id (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const params[] = { "{}", "{\"sessionId\":\"unknown\"}", "{\"sessionId\":\"\"}",
    "{\"reconnect\":true}" };
  RigClient *client = rig_client_new (fixture->rig, NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (params); i++) {
    rig_client_send (client, "connect", params[i]);
    RecJson *message = client->inbox->pdata[0];
    RecJson *error = rec_json_get (message, "error");
    g_assert_cmpint (rec_json_int_or (error, "code", 0), ==, 40007);
    assert_string (error, "message", "reconnection error");
    g_ptr_array_set_size (client->inbox, 0);
  }
}

static void
test_new_socket_replaces_the_old (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture), *again;
  g_autofree char *params = make_connect (fixture, ann);
  g_autoptr (RecJson) result = NULL;

  /* The server hasn't noticed yet that the first one is dead. */
  again = rig_client_new (fixture->rig, NULL);
  result = rig_client_call (again, "connect", params);
  g_assert_cmpint (ann->close_code, ==, 1000);
  rig_client_drop (ann);
  signal_rig_advance (fixture->rig, 12);
  assert_empty_result (again, "echo", "{}");
  assert_list (bob, "");
}

static void
test_silence_is_a_loss (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autoptr (RecJson) pong = rig_client_call (ann, "ping", "{\"interval\":5000}"), left = NULL;

  g_free (rig_client_list (bob));
  signal_rig_advance (fixture->rig, 14.5);
  g_assert_cmpint (ann->close_code, ==, 0);
  assert_empty_result (bob, "echo", "{}");
  signal_rig_advance (fixture->rig, 0.5);
  g_assert_cmpint (ann->close_code, ==, 1000);
  g_assert_cmpstr (ann->close_reason, ==, "Close for not receive ping from client");
  g_assert_null (rig_client_take (bob, "participantLeft"));
  /* However long it has to come back: gone within 20 s after its last word. */
  signal_rig_advance (fixture->rig, 4);
  left = rig_client_take (bob, "participantLeft");
  assert_string (left, "reason", "networkDisconnect");
  assert_string (left, "connectionId", ann->id);
  rig_client_drop (ann);
}

static void
test_pings_keep_it (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture);

  for (int i = 0; i < 20; i++) {
    g_autoptr (RecJson)
        result = rig_client_call (ann, "ping", i == 0 ? "{\"interval\":1000}" : NULL);
    rig_assert_keys (result, "value sessionId");
    signal_rig_advance (fixture->rig, 2.5);
  }
  g_assert_cmpint (ann->close_code, ==, 0);
  /* The first ping said how often they come. */
  signal_rig_advance (fixture->rig, 0.5);
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static void
test_long_intervals_are_cut (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture);
  g_autoptr (RecJson) result = rig_client_call (ann, "ping", "{\"interval\":1e300}");

  signal_rig_advance (fixture->rig, 15);
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static const char *const small_queue[] = { "server.max-send-queue-bytes=65536",
  "media.local-addresses=127.0.0.1", NULL };

static void
test_outbox_is_bounded (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture), *again;
  g_autofree char *params = make_connect (fixture, ann);
  g_autofree char *filling = g_strnfill (30000, 'x');
  g_autofree char *message =
      g_strdup_printf ("{\"message\":\"{\\\"data\\\":\\\"%s\\\"}\"}", filling);

  rig_client_drop (ann);
  for (int i = 0; i < 3; i++)
    assert_empty_result (bob, "sendMessage", message);
  again = rig_client_new (fixture->rig, NULL);
  g_assert_cmpint (rig_client_call_error (again, "connect", params), ==, REC_RPC_RECONNECTION);
  signal_rig_advance (fixture->rig, 0.5);
  g_assert_null (find_participant (fixture, ann));
}

static void
test_being_evicted (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autoptr (RecJson) params = NULL;

  g_free (rig_client_list (ann));
  rec_registry_leave (fixture->rig->registry, find_participant (fixture, ann),
      "forceDisconnectByServer");
  params = rig_client_take (ann, "participantEvicted");
  rig_assert_keys (params, "connectionId reason");
  assert_string (params, "connectionId", ann->id);
  assert_string (params, "reason", "forceDisconnectByServer");
  assert_list (bob, "participantLeft");
  g_assert_cmpint (ann->close_code, ==, 0);
  signal_rig_advance (fixture->rig, 10);
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static void
test_session_closed_by_rest (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autoptr (RecJson) first = NULL, second = NULL;

  rec_registry_close_session (fixture->rig->registry, fixture->session, "sessionClosedByServer");
  first = rig_client_take (ann, "participantEvicted");
  second = rig_client_take (bob, "participantEvicted");
  assert_string (first, "reason", "sessionClosedByServer");
  assert_string (second, "reason", "sessionClosedByServer");
}

/* --- moderators, signals, properties ------------------------------------------------------------------------------ */

static void
test_force_disconnect (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *moderator = join_as (fixture, REC_ROLE_MODERATOR), *ann = join (fixture);
  g_autofree char *params = g_strdup_printf ("{\"connectionId\":\"%s\"}", ann->id);
  g_autofree char *about_moderator = g_strdup_printf ("{\"connectionId\":\"%s\"}", moderator->id);
  g_autoptr (RecJson) left = NULL, evicted = NULL;

  g_assert_cmpint (rig_client_call_error (ann, "forceDisconnect", about_moderator), ==,
      REC_RPC_UNAUTHORIZED);
  g_assert_cmpint (rig_client_call_error (moderator, "forceDisconnect", "{\"connectionId\":\"x\"}"),
      ==, REC_RPC_USER_NOT_FOUND);
  assert_empty_result (moderator, "forceDisconnect", params);
  left = rig_client_take (moderator, "participantLeft");
  assert_string (left, "reason", "forceDisconnectByUser");
  evicted = rig_client_take (ann, "participantEvicted");
  assert_string (evicted, "reason", "forceDisconnectByUser");
}

static void
test_force_unpublish (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *moderator = join_as (fixture, REC_ROLE_MODERATOR), *ann = join (fixture);
  g_autofree char *stream_id = publish (ann);
  g_autofree char *params = g_strdup_printf ("{\"streamId\":\"%s\"}", stream_id);
  g_autoptr (RecJson) told = NULL;

  g_assert_cmpint (rig_client_call_error (ann, "forceUnpublish", params), ==, REC_RPC_UNAUTHORIZED);
  g_free (rig_client_list (moderator));
  g_free (rig_client_list (ann));
  rig_client_send (moderator, "forceUnpublish", params);
  assert_list (moderator, "#1 participantUnpublished");
  told = rig_client_take (ann, "participantUnpublished");
  assert_string (told, "reason", "forceUnpublishByUser");
  assert_string (told, "connectionId", ann->id);
  g_assert_cmpint (rig_client_call_error (moderator, "forceUnpublish", params), ==,
      REC_RPC_USER_NOT_STREAMING);
}

static void
test_signals (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture), *cid = join (fixture);
  g_autofree char *to_bob = g_strdup_printf ("{\"message\":\"{\\\"to\\\":[\\\"%s\\\"],\\\"data\\\":"
                                             "\\\"hi\\\",\\\"type\\\":\\\"signal:chat\\\"}\"}",
      bob->id);
  g_autoptr (RecJson) own = NULL, broadcast = NULL, single = NULL;

  g_free (rig_client_list (ann));
  g_free (rig_client_list (bob));
  assert_empty_result (ann, "sendMessage",
      "{\"message\":\"{\\\"to\\\":[],\\\"data\\\":\\\"all\\\",\\\"type\\\":\\\"signal:signal\\\"}"
      "\"}");
  own = rig_client_take (ann, "sendMessage");
  broadcast = rig_client_take (cid, "sendMessage");
  rig_assert_keys (own, "data from type");
  assert_string (broadcast, "data", "all");
  assert_string (broadcast, "from", ann->id);
  assert_string (broadcast, "type", "signal:signal");
  g_free (rig_client_list (bob));

  assert_empty_result (ann, "sendMessage", to_bob);
  single = rig_client_take (bob, "sendMessage");
  assert_string (single, "type", "signal:chat");
  assert_list (cid, "");
  assert_list (ann, "");
}

static void
test_signal_errors (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *message;
    int code;
  } cases[] = {
    { "hello", REC_RPC_SIGNAL_FORMAT },
    { "[]", REC_RPC_SIGNAL_FORMAT },
    { "", REC_RPC_SIGNAL_FORMAT },
    { "{\\\"data\\\":{}}", REC_RPC_SIGNAL_FORMAT },
    { "{\\\"type\\\":7}", REC_RPC_SIGNAL_FORMAT },
    { "{\\\"to\\\":\\\"con_A\\\"}", REC_RPC_SIGNAL_TO },
    { "{\\\"to\\\":[7]}", REC_RPC_SIGNAL_TO },
    { "{\\\"to\\\":[\\\"con_Nobody\\\"]}", REC_RPC_SIGNAL_TO },
  };
  RigClient *ann = join (fixture), *bob = join (fixture);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *params = g_strdup_printf ("{\"message\":\"%s\"}", cases[i].message);
    g_test_message ("%s", params);
    g_assert_cmpint (rig_client_call_error (ann, "sendMessage", params), ==, cases[i].code);
  }
  assert_list (bob, "");
}

static void
test_signal_of_the_server (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture);
  g_autoptr (RecJson) params = NULL;

  g_assert_true (rec_registry_send_signal (fixture->rig->registry, fixture->session, NULL, NULL,
      "chat", "hello", NULL));
  params = rig_client_take (ann, "sendMessage");
  rig_assert_keys (params, "data type");
  assert_string (params, "type", "signal:chat");
}

static RecJson *
change (RigClient *owner, RigClient *hearer, const char *stream_id, const char *property,
    const char *value)
{
  g_autofree char *params = g_strdup_printf (
      "{\"streamId\":\"%s\",\"property\":\"%s\",\"newValue\":%s,\"reason\":\"why\"}", stream_id,
      property, value);
  RecJson *told;

  assert_empty_result (owner, "streamPropertyChanged", params);
  told = rig_client_take (hearer, "streamPropertyChanged");
  rig_assert_keys (told, "connectionId streamId property newValue reason");
  assert_string (told, "connectionId", owner->id);
  assert_string (told, "streamId", stream_id);
  assert_string (told, "property", property);
  assert_string (told, "reason", "why");
  assert_list (owner, "");
  return told;
}

static void
test_changes_of_streams (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *bob = join (fixture);
  g_autofree char *stream_id = publish (ann);
  const RecStreamInfo *stream = find_participant (fixture, ann)->stream;
  g_autofree char *bad = g_strdup_printf (
      "{\"streamId\":\"%s\",\"property\":\"audioActive\",\"newValue\":\"loud\"}", stream_id);
  g_autofree char *foreign = g_strdup_printf (
      "{\"streamId\":\"%s\",\"property\":\"audioActive\",\"newValue\":true}", stream_id);

  g_free (rig_client_list (ann));
  g_autoptr (RecJson) audio = change (ann, bob, stream_id, "audioActive", "true");
  assert_string (audio, "newValue", "true");
  g_assert_true (stream->audio_active);
  g_autoptr (RecJson) video = change (ann, bob, stream_id, "videoActive", "false");
  assert_string (video, "newValue", "false");
  g_assert_false (stream->video_active);

  /* The client parses it twice. */
  g_autoptr (RecJson) size =
      change (ann, bob, stream_id, "videoDimensions", "\"{\\\"width\\\":320,\\\"height\\\":240}\"");
  g_autoptr (RecJson) once = json_tokener_parse (rec_json_string_or (size, "newValue", ""));
  g_assert_true (json_object_is_type (once, json_type_string));
  g_autoptr (RecJson) twice = json_tokener_parse (json_object_get_string (once));
  g_assert_cmpint (rec_json_int_or (twice, "width", 0), ==, 320);
  g_assert_cmpstr (stream->video_dimensions, ==, "{\"width\":320,\"height\":240}");

  g_autoptr (RecJson) track = change (ann, bob, stream_id, "videoTrack", "{\"a\":1}");
  assert_string (track, "newValue", "{\"a\":1}");
  g_assert_cmpint (rig_client_call_error (ann, "streamPropertyChanged", bad), ==,
      REC_RPC_INVALID_PARAMS);
  g_free (rig_client_list (bob));
  g_assert_cmpint (rig_client_call_error (bob, "streamPropertyChanged", foreign), ==,
      REC_RPC_USER_NOT_STREAMING);
}

static void
test_reports_are_answered (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture);

  assert_empty_result (ann, "videoData",
      "{\"height\":480,\"width\":640,\"videoActive\":true,\"audioActive\":true}");
  assert_empty_result (ann, "echo", "{}");
}

/* --- the recorder, and recordings -------------------------------------------------------------------------------- */

static RigClient *
join_recorder (Fixture *fixture, RecJson **result)
{
  RigClient *client = rig_client_new (fixture->rig, NULL);

  *result = rig_client_call (client, "joinRoom",
      "{\"token\":\"wss://localhost:4443?sessionId=room&secret=MY_SECRET&recorder=true\","
      "\"session\":\"room\",\"secret\":\"MY_SECRET\",\"recorder\":true," JOIN_EXTRA "}");
  client->id = g_strdup (rec_json_string_or (*result, "id", NULL));
  return client;
}

static void
test_recorder_is_hidden (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join (fixture), *recorder, *bob;
  g_autofree char *stream_id = publish (ann);
  g_autoptr (RecJson) joined = NULL, result = NULL, subscribed = NULL;

  g_free (rig_client_list (ann));
  recorder = join_recorder (fixture, &joined);
  assert_string (joined, "id", "RECORDER");
  get_stream (json_object_array_get_idx (rec_json_get (joined, "value"), 0));
  subscribed = rig_client_wait (recorder, send_subscription (recorder, stream_id));

  bob = rig_client_new (fixture->rig, NULL);
  result = rig_client_join (bob, fixture->session, REC_ROLE_MODERATOR, JOIN_EXTRA);
  g_assert_cmpuint (json_object_array_length (rec_json_get (result, "value")), ==, 1);
  g_assert_cmpint (
      rig_client_call_error (bob, "forceDisconnect", "{\"connectionId\":\"RECORDER\"}"), ==,
      REC_RPC_USER_NOT_FOUND);
  g_assert_cmpint (rig_client_wait_error (recorder, send_publication (recorder, RIG_OFFER_VIDEO)),
      ==, REC_RPC_UNAUTHORIZED);
  assert_list (ann, "participantJoined");
  g_free (rig_client_list (recorder));
  leave (recorder);
  assert_list (ann, "");
  assert_list (bob, "");
}

static RecRecording *
start_recording (Fixture *fixture)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (RecRecording) recording = NULL;

  properties->name = g_strdup ("lecture");
  recording = rec_recording_new ("room", "room", REC_ERA_NEW, properties,
      rec_registry_now_ms (fixture->rig->registry));
  rec_registry_add_recording (fixture->rig->registry, recording);
  recording->session = fixture->session;
  fixture->session->recording = recording;
  rec_registry_set_recording_status (fixture->rig->registry, recording, REC_RECORDING_STARTED);
  return recording;
}

static void
stop_recording (Fixture *fixture, RecRecording *recording)
{
  recording->reason = g_strdup ("recordingStoppedByServer");
  rec_registry_set_recording_status (fixture->rig->registry, recording, REC_RECORDING_STOPPED);
  fixture->session->recording = NULL;
  recording->session = NULL;
  rec_registry_set_recording_status (fixture->rig->registry, recording, REC_RECORDING_READY);
}

typedef struct {
  const char *setting;
  bool subscriber, publisher, moderator;
} NotificationCase;

static void
assert_told (RigClient *client, bool expected)
{
  g_autoptr (RecJson) started = rig_client_take (client, "recordingStarted");
  g_autoptr (RecJson) stopped = rig_client_take (client, "recordingStopped");

  g_assert_cmpint (started != NULL, ==, expected);
  g_assert_cmpint (stopped != NULL, ==, expected);
  if (!expected)
    return;
  rig_assert_keys (started, "id name");
  assert_string (started, "id", "room");
  assert_string (started, "name", "lecture");
  rig_assert_keys (stopped, "id name reason");
  assert_string (stopped, "reason", "recordingStoppedByServer");
}

static void
assert_late_joiner_told (Fixture *fixture, RecRole role, bool expected)
{
  RigClient *client = rig_client_new (fixture->rig, NULL);
  g_autoptr (RecJson) result = rig_client_join (client, fixture->session, role, JOIN_EXTRA);

  rig_assert_keys (result, expected ? JOIN_KEYS " recordingId recordingName" : JOIN_KEYS);
  if (expected)
    assert_string (result, "recordingName", "lecture");
}

static void
test_recording_notifications (const void *data)
{
  const NotificationCase *test = data;
  g_autofree char *setting = g_strdup_printf ("openvidu.recording.notification=%s", test->setting);
  const char *const settings[] = { setting, "media.local-addresses=127.0.0.1", NULL };
  Fixture fixture;
  RigClient *subscriber, *publisher, *moderator, *recorder;
  RecRecording *recording;
  g_autoptr (RecJson) joined = NULL;

  set_up (&fixture, settings);
  subscriber = join_as (&fixture, REC_ROLE_SUBSCRIBER);
  publisher = join_as (&fixture, REC_ROLE_PUBLISHER);
  moderator = join_as (&fixture, REC_ROLE_MODERATOR);
  recorder = join_recorder (&fixture, &joined);
  recording = start_recording (&fixture);
  assert_late_joiner_told (&fixture, REC_ROLE_SUBSCRIBER, test->subscriber);
  assert_late_joiner_told (&fixture, REC_ROLE_PUBLISHER, test->publisher);
  assert_late_joiner_told (&fixture, REC_ROLE_MODERATOR, test->moderator);
  stop_recording (&fixture, recording);
  assert_late_joiner_told (&fixture, REC_ROLE_MODERATOR, false);
  assert_told (subscriber, test->subscriber);
  assert_told (publisher, test->publisher);
  assert_told (moderator, test->moderator);
  assert_told (recorder, false);
  tear_down (&fixture, NULL);
}

static const NotificationCase notification_cases[] = {
  { "none", false, false, false },
  { "moderator", false, false, true },
  { "publisher_moderator", false, true, true },
  { "all", true, true, true },
};

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)
#define ADD_WITH(path, settings, function)                                                         \
  g_test_add (path, Fixture, settings, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/signal/new/join-result-has-every-field", test_join_result);
  ADD ("/signal/new/first-has-an-empty-list", test_first_has_an_empty_list);
  ADD ("/signal/new/others-hear-of-joining", test_others_hear_of_joining);
  ADD ("/signal/new/answers-come-in-order", test_answers_come_in_order);
  ADD ("/signal/new/version-is-the-clients", test_versions);
  ADD ("/signal/new/ice-servers-without-secrets", test_ice_servers_without_secrets);
  ADD ("/signal/new/join-errors-have-codes", test_join_errors);
  ADD ("/signal/new/secret-lets-in", test_secret_lets_in);
  ADD ("/signal/new/nothing-before-joining", test_nothing_before_joining);
  ADD ("/signal/new/ping-before-joining", test_ping_before_joining);
  ADD ("/signal/new/wrong-types-are-refused", test_wrong_types);
  ADD ("/signal/new/unknown-methods-are-refused", test_unknown_methods);
  ADD ("/signal/new/says-what-there-is-not", test_what_there_is_not);
  ADD ("/signal/new/garbage-is-answered", test_garbage_is_answered);
  ADD_WITH ("/signal/new/floods-are-refused", slow, test_floods_are_refused);
  ADD ("/signal/new/publishing-is-announced", test_publishing);
  ADD ("/signal/new/streams-are-announced-once", test_is_announced_once);
  ADD ("/signal/new/audio-only-says-nothing-of-video", test_audio_only);
  ADD ("/signal/new/publish-errors-have-codes", test_publish_errors);
  ADD ("/signal/new/second-stream-is-refused-while-negotiating", test_second_while_negotiating);
  ADD ("/signal/new/unpublishing-is-told", test_unpublishing);
  ADD ("/signal/new/publishes-again-at-once", test_publishing_again_at_once);
  ADD ("/signal/new/unpublishes-while-negotiating", test_unpublishing_while_negotiating);
  ADD ("/signal/new/socket-gone-before-the-answer", test_gone_before_the_answer);
  ADD ("/signal/new/left-before-the-answer", test_left_before_the_answer);
  ADD ("/signal/new/candidates-in-any-order", test_candidates_in_any_order);
  ADD ("/signal/new/subscribes-and-unsubscribes", test_subscribing);
  ADD ("/signal/new/subscribe-errors-have-codes", test_subscribe_errors);
  ADD ("/signal/new/stream-ends-while-subscribing", test_stream_ends_while_subscribing);
  ADD ("/signal/new/streams-reconnect", test_reconnecting_streams);
  ADD ("/signal/new/leaving-is-told", test_leaving);
  ADD ("/signal/new/last-one-closes-the-session", test_last_one_closes_the_session);
  ADD ("/signal/new/comes-back-in-time", test_coming_back);
  ADD ("/signal/new/comes-back-too-late", test_coming_back_too_late);
  ADD ("/signal/new/connect-needs-a-known-id", test_connect_needs_a_known_id);
  ADD ("/signal/new/new-socket-replaces-the-old", test_new_socket_replaces_the_old);
  ADD ("/signal/new/silence-is-a-loss", test_silence_is_a_loss);
  ADD ("/signal/new/pings-keep-it", test_pings_keep_it);
  ADD ("/signal/new/long-ping-intervals-are-cut", test_long_intervals_are_cut);
  ADD_WITH ("/signal/new/outbox-is-bounded", small_queue, test_outbox_is_bounded);
  ADD ("/signal/new/evicted-ones-are-told", test_being_evicted);
  ADD ("/signal/new/closed-session-evicts-all", test_session_closed_by_rest);
  ADD ("/signal/new/moderators-disconnect-others", test_force_disconnect);
  ADD ("/signal/new/moderators-unpublish-others", test_force_unpublish);
  ADD ("/signal/new/signals-reach-whom-they-should", test_signals);
  ADD ("/signal/new/signal-errors-have-codes", test_signal_errors);
  ADD ("/signal/new/server-signals-have-no-sender", test_signal_of_the_server);
  ADD ("/signal/new/stream-changes-are-told", test_changes_of_streams);
  ADD ("/signal/new/reports-are-answered", test_reports_are_answered);
  ADD ("/signal/new/recorder-is-hidden", test_recorder_is_hidden);
  for (size_t i = 0; i < G_N_ELEMENTS (notification_cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/signal/new/recording-is-told-to/%s", notification_cases[i].setting);
    g_test_add_data_func (path, &notification_cases[i], test_recording_notifications);
  }
  return g_test_run ();
}
