/* test-signal-new.c - how clients of OpenVidu 2.32 join, and what is refused to them. */
#include "lib/signal-room.h"

#include "session/token.h"

#include <string.h>

static void
test_join_result (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room);
  RigClient *bob = rig_client_new (room->rig, "sessionId=room");
  g_autoptr (RecJson) result = rig_client_join (bob, room->session, REC_ROLE_MODERATOR, JOIN_EXTRA);
  RecJson *value, *other;

  rig_assert_keys (result, JOIN_KEYS);
  rig_assert_string (result, "metadata", "me");
  rig_assert_string (result, "session", "room");
  rig_assert_string (result, "version", "2.32.2");
  rig_assert_string (result, "mediaServer", "kurento");
  rig_assert_string (result, "role", "MODERATOR");
  rig_assert_string (result, "sessionId", room_find (room, bob)->rpc_id);
  g_assert_true (rec_json_bool_or (result, "record", false));
  g_assert_false (rec_json_bool_or (result, "videoSimulcast", true));
  g_assert_cmpint (rec_json_int_or (result, "createdAt", 0), >=, 1700000000000);
  value = rec_json_get (result, "value");
  g_assert_cmpuint (json_object_array_length (value), ==, 1);
  other = json_object_array_get_idx (value, 0);
  rig_assert_keys (other, "id createdAt metadata");
  rig_assert_string (other, "id", ann->id);
}

static void
test_first_has_an_empty_list (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = rig_client_new (room->rig, NULL);
  g_autoptr (RecJson) result = rig_client_join (ann, room->session, REC_ROLE_PUBLISHER, JOIN_EXTRA);

  g_assert_true (json_object_is_type (rec_json_get (result, "value"), json_type_array));
  g_assert_cmpuint (json_object_array_length (rec_json_get (result, "value")), ==, 0);
}

static void
test_others_hear_of_joining (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room);
  RigClient *bob = room_join (room);
  g_autoptr (RecJson) params = rig_client_take (ann, "participantJoined");

  rig_assert_keys (params, "id createdAt metadata");
  rig_assert_string (params, "id", bob->id);
  rig_assert_string (params, "metadata", "me");
  rig_assert_list (ann, "");
  rig_assert_list (bob, "");
}

static void
test_answers_come_in_order (Room *room, const void *data G_GNUC_UNUSED)
{
  g_autofree char *token = signal_rig_make_token (room->session, REC_ROLE_PUBLISHER, "");
  g_autofree char *params =
      g_strdup_printf ("{\"token\":\"%s\",\"session\":\"room\"," JOIN_EXTRA "}", token);
  RigClient *ann = rig_client_new (room->rig, NULL);

  rig_client_send (ann, "ping", "{\"interval\":5000}");
  rig_client_send (ann, "joinRoom", params);
  rig_client_send (ann, "ping", NULL);
  rig_assert_list (ann, "#0 #1 #2");
}

static void
test_versions (Room *room, const void *data G_GNUC_UNUSED)
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
    g_autoptr (RecJson) result = rig_client_join (rig_client_new (room->rig, NULL), room->session,
        REC_ROLE_PUBLISHER, extra);
    rig_assert_string (result, "version", cases[i].expected);
  }
}

static void
test_ice_servers_without_secrets (Room *room, const void *data G_GNUC_UNUSED)
{
  g_autoptr (RecJson) servers = json_tokener_parse (
      "[{\"url\":\"turn:t\",\"username\":\"u\",\"credential\":\"c\",\"staticAuthSecret\":\"s\"}]");
  const RecConnectionRequest request = { .role = REC_ROLE_PUBLISHER,
    .custom_ice_servers = servers };
  const RecConnection *connection =
      rec_registry_create_connection (room->rig->registry, room->session, &request, NULL);
  g_autofree char *params =
      g_strdup_printf ("{\"token\":\"%s\",\"session\":\"room\"," JOIN_EXTRA "}", connection->token);
  g_autoptr (RecJson)
      result = rig_client_call (rig_client_new (room->rig, NULL), "joinRoom", params);

  rig_assert_keys (result, JOIN_KEYS " customIceServers");
  rig_assert_keys (json_object_array_get_idx (rec_json_get (result, "customIceServers"), 0),
      "url username credential");
  g_assert_false (rec_json_bool_or (result, "record", true));
  /* REST goes on to show what was given. */
  rig_assert_keys (json_object_array_get_idx (connection->custom_ice_servers, 0),
      "url username credential staticAuthSecret");
}

static void
test_join_errors (Room *room, const void *data G_GNUC_UNUSED)
{
  g_autofree char *token = signal_rig_make_token (room->session, REC_ROLE_PUBLISHER, "");
  g_autofree char *used = signal_rig_make_token (room->session, REC_ROLE_PUBLISHER, "");
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
  RigClient *ann = rig_client_new (room->rig, NULL);
  g_autoptr (RecJson) result = rig_client_call (ann, "joinRoom", first);

  signal_rig_create_session (room->rig, "other");
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *params = g_strdup_printf (
        "{\"token\":\"%s\",\"session\":\"%s\"," JOIN_EXTRA "}", cases[i].token, cases[i].session);
    RigClient *client = rig_client_new (room->rig, NULL);
    g_test_message ("%s", params);
    g_assert_cmpint (rig_client_call_error (client, "joinRoom", params), ==, cases[i].code);
    /* One may try again on the same socket. */
    g_assert_cmpint (client->close_code, ==, 0);
  }
  g_assert_cmpuint (room->session->participants->len, ==, 1);
  g_assert_cmpint (rig_client_call_error (ann, "joinRoom", first), ==, REC_RPC_ALREADY_IN_ROOM);
}

static void
test_secret_lets_in (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = rig_client_new (room->rig, NULL);
  g_autoptr (RecJson) result = rig_client_call (ann, "joinRoom",
      "{\"token\":\"wss://localhost:4443?sessionId=room&secret=MY_SECRET\",\"session\":\"room\","
      "\"secret\":\"MY_SECRET\"," JOIN_EXTRA "}");
  g_autofree char *stream_id = NULL;

  rig_assert_keys (result, JOIN_KEYS);
  rig_assert_string (result, "role", "SUBSCRIBER");
  stream_id = room_publish (ann);
  g_assert_nonnull (stream_id);
}

/* --- requests that are none ------------------------------------------------------------------------------------ */

static void
test_nothing_before_joining (Room *room, const void *data G_GNUC_UNUSED)
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
  RigClient *client = rig_client_new (room->rig, NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s", cases[i].method);
    g_assert_cmpint (rig_client_call_error (client, cases[i].method, cases[i].params), ==,
        REC_RPC_TRANSPORT);
  }
}

static void
test_ping_before_joining (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *client = rig_client_new (room->rig, NULL);
  g_autoptr (RecJson) result = rig_client_call (client, "ping", "{\"interval\":5000}");

  rig_assert_keys (result, "value");
  rig_assert_string (result, "value", "pong");
}

static void
test_wrong_types (Room *room, const void *data G_GNUC_UNUSED)
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
  RigClient *client = room_join (room);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s %s", cases[i].method, cases[i].params);
    g_assert_cmpint (rig_client_call_error (client, cases[i].method, cases[i].params), ==,
        REC_RPC_INVALID_PARAMS);
  }
}

static void
test_unknown_methods (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *client = room_join (room);

  g_assert_cmpint (rig_client_call_error (client, "makeCoffee", "{}"), ==, REC_RPC_UNKNOWN_METHOD);
  g_assert_cmpint (rig_client_call_error (client, "PING", NULL), ==, REC_RPC_UNKNOWN_METHOD);
}

static void
test_what_there_is_not (Room *room, const void *data G_GNUC_UNUSED)
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
    { "prepareReceiveVideoFrom", "{\"sender\":\"x\"}", REC_RPC_UNKNOWN_METHOD },
    { "receiveVideoFrom", "{\"sender\":\"x\",\"sdpAnswer\":\"v=0\"}", REC_RPC_INVALID_PARAMS },
    { "reconnectStream", "{\"stream\":\"x\",\"sdpString\":\"v=0\"}", REC_RPC_INVALID_PARAMS },
    { "sessionStatus", "{\"sessionId\":\"x\"}", REC_RPC_UNKNOWN_METHOD },
    { "connect", "{}", REC_RPC_RECONNECTION },
  };
  RigClient *client = room_join_as (room, REC_ROLE_MODERATOR);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (rig_client_call_error (client, cases[i].method, cases[i].params), ==,
        cases[i].code);
}

static void
test_garbage_is_answered (Room *room, const void *data G_GNUC_UNUSED)
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
  RigClient *client = room_join (room);

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
  rig_assert_list (client, "");
  rig_assert_empty_result (client, "echo", "{}");
}

#define ADD(path, function) g_test_add (path, Room, NULL, room_set_up, function, room_tear_down)

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
  return g_test_run ();
}
