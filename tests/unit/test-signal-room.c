/* test-signal-room.c - signals, changes of streams, moderators, the hidden recorder and recordings. */
#include "lib/signal-room.h"

#include <string.h>

static void
test_force_disconnect (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *moderator = room_join_as (room, REC_ROLE_MODERATOR), *ann = room_join (room);
  g_autofree char *params = g_strdup_printf ("{\"connectionId\":\"%s\"}", ann->id);
  g_autofree char *about_moderator = g_strdup_printf ("{\"connectionId\":\"%s\"}", moderator->id);
  g_autoptr (RecJson) left = NULL, evicted = NULL;

  g_assert_cmpint (rig_client_call_error (ann, "forceDisconnect", about_moderator), ==,
      REC_RPC_UNAUTHORIZED);
  g_assert_cmpint (rig_client_call_error (moderator, "forceDisconnect", "{\"connectionId\":\"x\"}"),
      ==, REC_RPC_USER_NOT_FOUND);
  rig_assert_empty_result (moderator, "forceDisconnect", params);
  left = rig_client_take (moderator, "participantLeft");
  rig_assert_string (left, "reason", "forceDisconnectByUser");
  evicted = rig_client_take (ann, "participantEvicted");
  rig_assert_string (evicted, "reason", "forceDisconnectByUser");
}

static void
test_force_unpublish (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *moderator = room_join_as (room, REC_ROLE_MODERATOR), *ann = room_join (room);
  g_autofree char *stream_id = room_publish (ann);
  g_autofree char *params = g_strdup_printf ("{\"streamId\":\"%s\"}", stream_id);
  g_autoptr (RecJson) told = NULL;

  g_assert_cmpint (rig_client_call_error (ann, "forceUnpublish", params), ==, REC_RPC_UNAUTHORIZED);
  g_free (rig_client_list (moderator));
  g_free (rig_client_list (ann));
  rig_client_send (moderator, "forceUnpublish", params);
  rig_assert_list (moderator, "#1 participantUnpublished");
  told = rig_client_take (ann, "participantUnpublished");
  rig_assert_string (told, "reason", "forceUnpublishByUser");
  rig_assert_string (told, "connectionId", ann->id);
  g_assert_cmpint (rig_client_call_error (moderator, "forceUnpublish", params), ==,
      REC_RPC_USER_NOT_STREAMING);
}

static void
test_signals (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room), *cid = room_join (room);
  g_autofree char *to_bob = g_strdup_printf ("{\"message\":\"{\\\"to\\\":[\\\"%s\\\"],\\\"data\\\":"
                                             "\\\"hi\\\",\\\"type\\\":\\\"signal:chat\\\"}\"}",
      bob->id);
  g_autoptr (RecJson) own = NULL, broadcast = NULL, single = NULL;

  g_free (rig_client_list (ann));
  g_free (rig_client_list (bob));
  rig_assert_empty_result (ann, "sendMessage",
      "{\"message\":\"{\\\"to\\\":[],\\\"data\\\":\\\"all\\\",\\\"type\\\":\\\"signal:signal\\\"}"
      "\"}");
  own = rig_client_take (ann, "sendMessage");
  broadcast = rig_client_take (cid, "sendMessage");
  rig_assert_keys (own, "data from type");
  rig_assert_string (broadcast, "data", "all");
  rig_assert_string (broadcast, "from", ann->id);
  rig_assert_string (broadcast, "type", "signal:signal");
  g_free (rig_client_list (bob));

  rig_assert_empty_result (ann, "sendMessage", to_bob);
  single = rig_client_take (bob, "sendMessage");
  rig_assert_string (single, "type", "signal:chat");
  rig_assert_list (cid, "");
  rig_assert_list (ann, "");
}

static void
test_signal_errors (Room *room, const void *data G_GNUC_UNUSED)
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
  RigClient *ann = room_join (room), *bob = room_join (room);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *params = g_strdup_printf ("{\"message\":\"%s\"}", cases[i].message);
    g_test_message ("%s", params);
    g_assert_cmpint (rig_client_call_error (ann, "sendMessage", params), ==, cases[i].code);
  }
  rig_assert_list (bob, "");
}

static void
test_signal_of_the_server (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room);
  g_autoptr (RecJson) params = NULL;

  g_assert_true (rec_registry_send_signal (room->rig->registry, room->session, NULL, NULL, "chat",
      "hello", NULL));
  params = rig_client_take (ann, "sendMessage");
  rig_assert_keys (params, "data type");
  rig_assert_string (params, "type", "signal:chat");
}

static RecJson *
change (RigClient *owner, RigClient *hearer, const char *stream_id, const char *property,
    const char *value)
{
  g_autofree char *params = g_strdup_printf (
      "{\"streamId\":\"%s\",\"property\":\"%s\",\"newValue\":%s,\"reason\":\"why\"}", stream_id,
      property, value);
  RecJson *told;

  rig_assert_empty_result (owner, "streamPropertyChanged", params);
  told = rig_client_take (hearer, "streamPropertyChanged");
  rig_assert_keys (told, "connectionId streamId property newValue reason");
  rig_assert_string (told, "connectionId", owner->id);
  rig_assert_string (told, "streamId", stream_id);
  rig_assert_string (told, "property", property);
  rig_assert_string (told, "reason", "why");
  rig_assert_list (owner, "");
  return told;
}

static void
test_changes_of_streams (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autofree char *stream_id = room_publish (ann);
  const RecStreamInfo *stream = room_find (room, ann)->stream;
  g_autofree char *bad = g_strdup_printf (
      "{\"streamId\":\"%s\",\"property\":\"audioActive\",\"newValue\":\"loud\"}", stream_id);
  g_autofree char *foreign = g_strdup_printf (
      "{\"streamId\":\"%s\",\"property\":\"audioActive\",\"newValue\":true}", stream_id);

  g_free (rig_client_list (ann));
  g_autoptr (RecJson) audio = change (ann, bob, stream_id, "audioActive", "true");
  rig_assert_string (audio, "newValue", "true");
  g_assert_true (stream->audio_active);
  g_autoptr (RecJson) video = change (ann, bob, stream_id, "videoActive", "false");
  rig_assert_string (video, "newValue", "false");
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
  rig_assert_string (track, "newValue", "{\"a\":1}");
  g_assert_cmpint (rig_client_call_error (ann, "streamPropertyChanged", bad), ==,
      REC_RPC_INVALID_PARAMS);
  g_free (rig_client_list (bob));
  g_assert_cmpint (rig_client_call_error (bob, "streamPropertyChanged", foreign), ==,
      REC_RPC_USER_NOT_STREAMING);
}

static void
test_reports_are_answered (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room);

  rig_assert_empty_result (ann, "videoData",
      "{\"height\":480,\"width\":640,\"videoActive\":true,\"audioActive\":true}");
  rig_assert_empty_result (ann, "echo", "{}");
}

static void
test_changes_of_connections (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  RecConnection *connection = room_find (room, ann)->connection;
  g_autoptr (RecJson) role = NULL, record = NULL;

  g_free (rig_client_list (ann));
  rec_registry_update_connection (room->rig->registry, connection, REC_ROLE_SUBSCRIBER, true);
  role = rig_client_take (ann, "connectionPropertyChanged");
  rig_assert_keys (role, "property newValue");
  rig_assert_string (role, "property", "role");
  rig_assert_string (role, "newValue", "SUBSCRIBER");
  g_assert_cmpint (rig_client_wait_error (ann, room_send_publication (ann, RIG_OFFER_VIDEO)), ==,
      REC_RPC_UNAUTHORIZED);

  rec_registry_update_connection (room->rig->registry, connection, REC_ROLE_INVALID, false);
  record = rig_client_take (ann, "connectionPropertyChanged");
  rig_assert_string (record, "property", "record");
  rig_assert_string (record, "newValue", "false");
  rec_registry_update_connection (room->rig->registry, connection, REC_ROLE_SUBSCRIBER, false);
  rig_assert_list (ann, "");
  rig_assert_list (bob, "");
}

/* --- the recorder, and recordings -------------------------------------------------------------------------------- */

static RigClient *
join_recorder (Room *room, RecJson **result)
{
  RigClient *client = rig_client_new (room->rig, NULL);

  *result = rig_client_call (client, "joinRoom",
      "{\"token\":\"wss://localhost:4443?sessionId=room&secret=MY_SECRET&recorder=true\","
      "\"session\":\"room\",\"secret\":\"MY_SECRET\",\"recorder\":true," JOIN_EXTRA "}");
  client->id = g_strdup (rec_json_string_or (*result, "id", NULL));
  return client;
}

static void
test_recorder_is_hidden (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *recorder, *bob;
  g_autofree char *stream_id = room_publish (ann);
  g_autoptr (RecJson) joined = NULL, result = NULL, subscribed = NULL;

  g_free (rig_client_list (ann));
  recorder = join_recorder (room, &joined);
  rig_assert_string (joined, "id", "RECORDER");
  room_get_stream (json_object_array_get_idx (rec_json_get (joined, "value"), 0));
  subscribed = rig_client_wait (recorder, room_send_subscription (recorder, stream_id));

  bob = rig_client_new (room->rig, NULL);
  result = rig_client_join (bob, room->session, REC_ROLE_MODERATOR, JOIN_EXTRA);
  g_assert_cmpuint (json_object_array_length (rec_json_get (result, "value")), ==, 1);
  g_assert_cmpint (
      rig_client_call_error (bob, "forceDisconnect", "{\"connectionId\":\"RECORDER\"}"), ==,
      REC_RPC_USER_NOT_FOUND);
  g_assert_cmpint (
      rig_client_wait_error (recorder, room_send_publication (recorder, RIG_OFFER_VIDEO)), ==,
      REC_RPC_UNAUTHORIZED);
  rig_assert_list (ann, "participantJoined");
  g_free (rig_client_list (recorder));
  room_leave (recorder);
  rig_assert_list (ann, "");
  rig_assert_list (bob, "");
}

static RecRecording *
start_recording (Room *room)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (RecRecording) recording = NULL;

  properties->name = g_strdup ("lecture");
  /* The wall clock was set back after the session began. */
  recording = rec_recording_new ("room", "room", REC_ERA_NEW, properties,
      rec_registry_now_ms (room->rig->registry) - 1);
  rec_registry_add_recording (room->rig->registry, recording);
  recording->session = room->session;
  room->session->recording = recording;
  rec_registry_set_recording_status (room->rig->registry, recording, REC_RECORDING_STARTED);
  return recording;
}

static void
stop_recording (Room *room, RecRecording *recording)
{
  recording->reason = g_strdup ("recordingStoppedByServer");
  rec_registry_set_recording_status (room->rig->registry, recording, REC_RECORDING_STOPPED);
  room->session->recording = NULL;
  rec_registry_set_recording_status (room->rig->registry, recording, REC_RECORDING_READY);
}

/* era_fields: what clients of the second era add. */
static RigClient *
join_page (Room *room, const RecRecording *recording, const char *era_fields)
{
  RigClient *client = rig_client_new (room->rig, NULL);
  g_autofree char *params = g_strdup_printf (
      "{\"token\":\"wss://localhost:4443?sessionId=room&secret=%s&recorder=true\","
      "\"session\":\"room\",\"secret\":\"%s\",\"recorder\":true,\"metadata\":\"\"%s}",
      recording->page_secret, recording->page_secret, era_fields);
  g_autoptr (RecJson) joined = rig_client_call (client, "joinRoom", params);

  rig_assert_string (joined, "id", "RECORDER");
  client->id = g_strdup ("RECORDER");
  g_assert_cmpuint (json_object_array_length (rec_json_get (joined, "value")), ==, 1);
  return client;
}

static void
assert_watches_only (Room *room, RigClient *recorder, RigClient *ann, const char *stream_id)
{
  g_autoptr (RecJson)
      subscribed = rig_client_wait (recorder, room_send_subscription (recorder, stream_id));
  g_autofree char *kick = g_strdup_printf ("{\"connectionId\":\"%s\"}", ann->id);

  g_assert_cmpint (
      rig_client_wait_error (recorder, room_send_publication (recorder, RIG_OFFER_VIDEO)), ==,
      REC_RPC_UNAUTHORIZED);
  rig_client_call_error (recorder, "forceDisconnect", kick);
  g_assert_nonnull (rec_session_find_participant (room->session, ann->id));
  rig_assert_list (ann, "");
}

/* The page of a recording, in the words of both eras; it may be loaded anew at any time. */
static void
test_page_only_watches (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *old, *new;
  g_autofree char *stream_id = room_publish (ann);
  RecRecording *recording = start_recording (room);

  rec_recording_make_page_secret (recording);
  g_free (rig_client_list (ann));
  old = join_page (room, recording, "");
  assert_watches_only (room, old, ann, stream_id);
  new = join_page (room, recording, ",\"platform\":\"Chrome\",\"sdkVersion\":\"2.32.2\"");
  assert_watches_only (room, new, ann, stream_id);
  g_assert_cmpuint (rec_session_count_visible (room->session), ==, 1);
  g_assert_cmpuint (room->session->participants->len, ==, 2);
  stop_recording (room, recording);
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
  rig_assert_string (started, "id", "room");
  rig_assert_string (started, "name", "lecture");
  rig_assert_keys (stopped, "id name reason");
  rig_assert_string (stopped, "reason", "recordingStoppedByServer");
}

static void
assert_late_joiner_told (Room *room, RecRole role, bool expected)
{
  RigClient *client = rig_client_new (room->rig, NULL);
  g_autoptr (RecJson) result = rig_client_join (client, room->session, role, JOIN_EXTRA);

  rig_assert_keys (result, expected ? JOIN_KEYS " recordingId recordingName" : JOIN_KEYS);
  if (expected)
    rig_assert_string (result, "recordingName", "lecture");
}

static void
test_recording_notifications (const void *data)
{
  const NotificationCase *test = data;
  g_autofree char *setting = g_strdup_printf ("openvidu.recording.notification=%s", test->setting);
  const char *const settings[] = { setting, "media.local-addresses=127.0.0.1", NULL };
  Room room;
  RigClient *subscriber, *publisher, *moderator, *recorder;
  RecRecording *recording;
  g_autoptr (RecJson) joined = NULL;

  room_set_up (&room, settings);
  subscriber = room_join_as (&room, REC_ROLE_SUBSCRIBER);
  publisher = room_join_as (&room, REC_ROLE_PUBLISHER);
  moderator = room_join_as (&room, REC_ROLE_MODERATOR);
  recorder = join_recorder (&room, &joined);
  recording = start_recording (&room);
  assert_late_joiner_told (&room, REC_ROLE_SUBSCRIBER, test->subscriber);
  assert_late_joiner_told (&room, REC_ROLE_PUBLISHER, test->publisher);
  assert_late_joiner_told (&room, REC_ROLE_MODERATOR, test->moderator);
  stop_recording (&room, recording);
  assert_late_joiner_told (&room, REC_ROLE_MODERATOR, false);
  assert_told (subscriber, test->subscriber);
  assert_told (publisher, test->publisher);
  assert_told (moderator, test->moderator);
  assert_told (recorder, false);
  room_tear_down (&room, NULL);
}

static const NotificationCase notification_cases[] = {
  { "none", false, false, false },
  { "moderator", false, false, true },
  { "publisher_moderator", false, true, true },
  { "all", true, true, true },
};

#define ADD(path, function) g_test_add (path, Room, NULL, room_set_up, function, room_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/signal/new/moderators-disconnect-others", test_force_disconnect);
  ADD ("/signal/new/moderators-unpublish-others", test_force_unpublish);
  ADD ("/signal/new/signals-reach-whom-they-should", test_signals);
  ADD ("/signal/new/signal-errors-have-codes", test_signal_errors);
  ADD ("/signal/new/server-signals-have-no-sender", test_signal_of_the_server);
  ADD ("/signal/new/stream-changes-are-told", test_changes_of_streams);
  ADD ("/signal/new/connection-changes-are-told", test_changes_of_connections);
  ADD ("/signal/new/reports-are-answered", test_reports_are_answered);
  ADD ("/signal/new/recorder-is-hidden", test_recorder_is_hidden);
  ADD ("/signal/new/page-only-watches", test_page_only_watches);
  for (size_t i = 0; i < G_N_ELEMENTS (notification_cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/signal/new/recording-is-told-to/%s", notification_cases[i].setting);
    g_test_add_data_func (path, &notification_cases[i], test_recording_notifications);
  }
  return g_test_run ();
}
