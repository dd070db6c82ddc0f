/* test-signal-loss.c - leaving, being evicted, losing the socket and coming back in time or too late. */
#include "lib/signal-room.h"

#include <string.h>

static void
test_leaving (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autofree char *stream_id = room_publish (ann);
  g_autoptr (RecJson) params = NULL;

  g_free (rig_client_list (bob));
  g_free (rig_client_list (ann));
  room_leave (ann);
  params = rig_client_take (bob, "participantLeft");
  rig_assert_keys (params, "name connectionId reason");
  rig_assert_string (params, "connectionId", ann->id);
  rig_assert_string (params, "reason", "disconnect");
  /* That alone removes the stream; and who leaves is told nothing. */
  rig_assert_list (bob, "");
  rig_assert_list (ann, "");
  g_assert_cmpint (ann->close_code, ==, 0);
  signal_rig_advance (room->rig, 10);
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static void
test_last_one_closes_the_session (Room *room, const void *data G_GNUC_UNUSED)
{
  room_leave (room_join (room));
  g_assert_null (rec_registry_find_session (room->rig->registry, "room"));
}

static char *
make_connect (Room *room, const RigClient *client)
{
  return g_strdup_printf ("{\"sessionId\":\"%s\",\"reconnect\":true}",
      room_find (room, client)->rpc_id);
}

static void
test_coming_back (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room), *again;
  g_autofree char *params = make_connect (room, ann);
  g_autoptr (RecJson) message = NULL, result = NULL;

  g_free (rig_client_list (ann));
  rig_client_drop (ann);
  signal_rig_advance (room->rig, 9);
  rig_assert_empty_result (bob, "sendMessage", "{\"message\":\"{\\\"data\\\":\\\"hello\\\"}\"}");
  g_free (rig_client_list (bob));

  again = rig_client_new (room->rig, "sessionId=room&reconnect=true");
  again->next_id = 40;
  rig_client_send (again, "connect", params);
  rig_client_send (again, "ping", "{\"interval\":5000}");
  /* The answer first, then what was missed. */
  g_assert_cmpuint (again->inbox->len, ==, 3);
  g_assert_cmpint (rec_json_int_or (again->inbox->pdata[0], "id", -1), ==, 40);
  result = rig_client_wait (again, 40);
  rig_assert_keys (result, "value sessionId");
  rig_assert_string (result, "value", "reconnection successful");
  rig_assert_list (again, "sendMessage #41");

  signal_rig_advance (room->rig, 12);
  rig_assert_empty_result (again, "echo", "{}");
  g_assert_nonnull (room_find (room, ann));
  rig_assert_list (bob, "");
}

static void
test_coming_back_too_late (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room), *again;
  g_autofree char *params = make_connect (room, ann);
  g_autoptr (RecJson) left = NULL;

  rig_client_drop (ann);
  signal_rig_advance (room->rig, 9.5);
  rig_assert_list (bob, "");
  signal_rig_advance (room->rig, 0.5);
  left = rig_client_take (bob, "participantLeft");
  rig_assert_string (left, "reason", "networkDisconnect");

  again = rig_client_new (room->rig, NULL);
  g_assert_cmpint (rig_client_call_error (again, "connect", params), ==, REC_RPC_RECONNECTION);
}

static void
test_connect_needs_a_known_id (Room *room, const void *data G_GNUC_UNUSED)
{
  static const char *const params[] = { "{}", "{\"sessionId\":\"unknown\"}", "{\"sessionId\":\"\"}",
    "{\"reconnect\":true}" };
  RigClient *client = rig_client_new (room->rig, NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (params); i++) {
    rig_client_send (client, "connect", params[i]);
    RecJson *message = client->inbox->pdata[0];
    RecJson *error = rec_json_get (message, "error");
    g_assert_cmpint (rec_json_int_or (error, "code", 0), ==, 40007);
    rig_assert_string (error, "message", "reconnection error");
    g_ptr_array_set_size (client->inbox, 0);
  }
}

static void
test_new_socket_replaces_the_old (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room), *again;
  g_autofree char *params = make_connect (room, ann);
  g_autoptr (RecJson) result = NULL;

  /* The server hasn't noticed yet that the first one is dead. */
  again = rig_client_new (room->rig, NULL);
  result = rig_client_call (again, "connect", params);
  g_assert_cmpint (ann->close_code, ==, 1000);
  rig_client_drop (ann);
  signal_rig_advance (room->rig, 12);
  rig_assert_empty_result (again, "echo", "{}");
  rig_assert_list (bob, "");
}

static void
test_silence_is_a_loss (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autoptr (RecJson) pong = rig_client_call (ann, "ping", "{\"interval\":5000}"), left = NULL;

  g_free (rig_client_list (bob));
  signal_rig_advance (room->rig, 14.5);
  g_assert_cmpint (ann->close_code, ==, 0);
  rig_assert_empty_result (bob, "echo", "{}");
  signal_rig_advance (room->rig, 0.5);
  g_assert_cmpint (ann->close_code, ==, 1000);
  g_assert_cmpstr (ann->close_reason, ==, "Close for not receive ping from client");
  g_assert_null (rig_client_take (bob, "participantLeft"));
  /* However long it has to come back: gone within 20 s after its last word. */
  signal_rig_advance (room->rig, 4);
  left = rig_client_take (bob, "participantLeft");
  rig_assert_string (left, "reason", "networkDisconnect");
  rig_assert_string (left, "connectionId", ann->id);
  rig_client_drop (ann);
}

static void
test_pings_keep_it (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room);

  for (int i = 0; i < 20; i++) {
    g_autoptr (RecJson)
        result = rig_client_call (ann, "ping", i == 0 ? "{\"interval\":1000}" : NULL);
    rig_assert_keys (result, "value sessionId");
    signal_rig_advance (room->rig, 2.5);
  }
  g_assert_cmpint (ann->close_code, ==, 0);
  /* The first ping said how often they come. */
  signal_rig_advance (room->rig, 0.5);
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static void
test_long_intervals_are_cut (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room);
  g_autoptr (RecJson) result = rig_client_call (ann, "ping", "{\"interval\":1e300}");

  signal_rig_advance (room->rig, 15);
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static const char *const small_queue[] = { "server.max-send-queue-bytes=65536",
  "media.local-addresses=127.0.0.1", NULL };

static void
test_outbox_is_bounded (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room), *again;
  g_autofree char *params = make_connect (room, ann);
  g_autofree char *filling = g_strnfill (30000, 'x');
  g_autofree char *message =
      g_strdup_printf ("{\"message\":\"{\\\"data\\\":\\\"%s\\\"}\"}", filling);

  rig_client_drop (ann);
  for (int i = 0; i < 3; i++)
    rig_assert_empty_result (bob, "sendMessage", message);
  again = rig_client_new (room->rig, NULL);
  g_assert_cmpint (rig_client_call_error (again, "connect", params), ==, REC_RPC_RECONNECTION);
  signal_rig_advance (room->rig, 0.5);
  g_assert_null (room_find (room, ann));
}

static void
test_being_evicted (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autoptr (RecJson) params = NULL;

  g_free (rig_client_list (ann));
  rec_registry_leave (room->rig->registry, room_find (room, ann), "forceDisconnectByServer");
  params = rig_client_take (ann, "participantEvicted");
  rig_assert_keys (params, "connectionId reason");
  rig_assert_string (params, "connectionId", ann->id);
  rig_assert_string (params, "reason", "forceDisconnectByServer");
  rig_assert_list (bob, "participantLeft");
  g_assert_cmpint (ann->close_code, ==, 0);
  signal_rig_advance (room->rig, 10);
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static void
test_session_closed_by_rest (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autoptr (RecJson) first = NULL, second = NULL;

  rec_registry_close_session (room->rig->registry, room->session, "sessionClosedByServer");
  first = rig_client_take (ann, "participantEvicted");
  second = rig_client_take (bob, "participantEvicted");
  rig_assert_string (first, "reason", "sessionClosedByServer");
  rig_assert_string (second, "reason", "sessionClosedByServer");
}

#define ADD(path, function) g_test_add (path, Room, NULL, room_set_up, function, room_tear_down)
#define ADD_WITH(path, settings, function)                                                         \
  g_test_add (path, Room, settings, room_set_up, function, room_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
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
  return g_test_run ();
}
