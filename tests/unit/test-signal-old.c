/* test-signal-old.c - what clients of OpenVidu 2.0 and 2.1 say and hear, alone and together with new ones. */
#include "lib/signal-rig.h"

#include <string.h>

#define NEW_EXTRA "\"metadata\":\"new\",\"platform\":\"Chrome\",\"sdkVersion\":\"2.32.2\""
#define OLD_EXTRA "\"metadata\":\"old\""

typedef struct {
  SignalRig *rig;
  RecSession *session;
} Fixture;

static void
set_up (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const settings[] = { "media.local-addresses=127.0.0.1", NULL };

  fixture->rig = signal_rig_new (settings);
  fixture->session = signal_rig_create_session (fixture->rig, "room");
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  signal_rig_free (fixture->rig);
}

static RigClient *
join_old (Fixture *fixture)
{
  RigClient *client = rig_client_new (fixture->rig, NULL);
  g_autoptr (RecJson)
      result = rig_client_join (client, fixture->session, REC_ROLE_PUBLISHER, OLD_EXTRA);

  return client;
}

static RigClient *
join_new (Fixture *fixture)
{
  RigClient *client = rig_client_new (fixture->rig, "sessionId=room");
  g_autoptr (RecJson)
      result = rig_client_join (client, fixture->session, REC_ROLE_PUBLISHER, NEW_EXTRA);

  return client;
}

/* As 2.0 and 2.1 put it together: "active" means that there is such a track. */
static RecJson *
publish_old (RigClient *client, bool audio, bool video)
{
  g_autoptr (RecJson) params = json_object_new_object ();
  g_autofree char *offer =
      rig_make_offer ((audio ? RIG_OFFER_AUDIO : 0) | (video ? RIG_OFFER_VIDEO : 0), "sendonly");

  rec_json_set_string (params, "sdpOffer", offer);
  rec_json_set_bool (params, "doLoopback", false);
  rec_json_set_bool (params, "audioActive", audio);
  rec_json_set_bool (params, "videoActive", video);
  rec_json_set_string (params, "typeOfVideo", video ? "CAMERA" : "");
  rec_json_set_int (params, "frameRate", -1);
  return rig_client_wait (client, rig_client_send_json (client, "publishVideo", params));
}

static RecJson *
publish_new_muted (RigClient *client)
{
  g_autoptr (RecJson) params = json_object_new_object ();
  g_autofree char *offer = rig_make_offer (RIG_OFFER_AUDIO | RIG_OFFER_VIDEO, "sendonly");

  rec_json_set_string (params, "sdpOffer", offer);
  rec_json_set_bool (params, "hasAudio", true);
  rec_json_set_bool (params, "hasVideo", true);
  rec_json_set_bool (params, "audioActive", false);
  rec_json_set_bool (params, "videoActive", false);
  rec_json_set_string (params, "typeOfVideo", "SCREEN");
  return rig_client_wait (client, rig_client_send_json (client, "publishVideo", params));
}

/* The one stream that the next participantPublished tells of. */
static RecJson *
take_published_stream (RigClient *client)
{
  g_autoptr (RecJson) params = rig_client_take (client, "participantPublished");
  RecJson *streams = rec_json_get (params, "streams");

  rig_assert_keys (params, "id createdAt metadata streams");
  g_assert_cmpuint (json_object_array_length (streams), ==, 1);
  return json_object_get (json_object_array_get_idx (streams, 0));
}

static void
test_joining (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture), *bob = rig_client_new (fixture->rig, NULL);
  g_autoptr (RecJson)
      result = rig_client_join (bob, fixture->session, REC_ROLE_PUBLISHER, "\"metadata\":\"\"");
  g_autoptr (RecJson) told = rig_client_take (ann, "participantJoined");
  RecJson *value = rec_json_get (result, "value");

  rig_assert_string (result, "id", bob->id);
  rig_assert_string (result, "metadata", "");
  g_assert_cmpuint (json_object_array_length (value), ==, 1);
  rig_assert_keys (json_object_array_get_idx (value, 0), "id createdAt metadata");
  rig_assert_string (json_object_array_get_idx (value, 0), "metadata", "old");
  rig_assert_string (told, "id", bob->id);
}

static void
test_unknown_sessions_are_unauthorized (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *client = rig_client_new (fixture->rig, NULL);

  g_assert_cmpint (rig_client_call_error (client, "joinRoom",
                       "{\"token\":\"wss://localhost:4443?sessionId=x&token=y\",\"session\":\"x\","
                       "\"metadata\":\"\",\"secret\":\"\",\"recorder\":false}"),
      ==, REC_RPC_UNAUTHORIZED);
}

static void
test_secret_creates_the_session (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *client = rig_client_new (fixture->rig, NULL);
  g_autoptr (RecJson) result = rig_client_call (client, "joinRoom",
      "{\"token\":\"wss://localhost:4443?sessionId=fly&secret=MY_SECRET\",\"session\":\"fly\","
      "\"metadata\":\"\",\"secret\":\"MY_SECRET\",\"recorder\":false}");
  const RecSession *session = rec_registry_find_session (fixture->rig->registry, "fly");

  g_assert_nonnull (session);
  g_assert_true (session->properties->records_always);
  rig_assert_string (result, "role", "PUBLISHER");
}

static void
test_secret_makes_no_odd_sessions (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *client = rig_client_new (fixture->rig, NULL);

  g_assert_cmpint (rig_client_call_error (client, "joinRoom",
                       "{\"token\":\"\",\"session\":\"../../etc\",\"secret\":\"MY_SECRET\"}"),
      ==, REC_RPC_SESSION_FAILED);
  g_assert_cmpint (rig_client_call_error (client, "joinRoom",
                       "{\"token\":\"\",\"session\":\"\",\"secret\":\"MY_SECRET\"}"),
      ==, REC_RPC_UNAUTHORIZED);
}

static void
test_metadata_is_bounded (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *client = rig_client_new (fixture->rig, NULL);
  g_autofree char *token = signal_rig_make_token (fixture->session, REC_ROLE_PUBLISHER, "");
  g_autofree char *text = g_strnfill (10001, 'x');
  g_autofree char *params =
      g_strdup_printf ("{\"token\":\"%s\",\"session\":\"room\",\"metadata\":\"%s\"}", token, text);

  g_assert_cmpint (rig_client_call_error (client, "joinRoom", params), ==, REC_RPC_METADATA);
}

static void
test_publishing_to_old_and_new (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture), *old = join_old (fixture), *new = join_new (fixture);
  g_autoptr (RecJson) result = publish_old (ann, true, true);
  g_autoptr (RecJson) for_old = take_published_stream (old);
  g_autoptr (RecJson) for_new = take_published_stream (new);

  rig_assert_keys (result, "sdpAnswer id createdAt sessionId");
  rig_assert_keys (for_new,
      "id createdAt hasAudio hasVideo audioActive videoActive typeOfVideo frameRate filter");
  g_assert_true (rec_json_bool_or (for_new, "hasAudio", false));
  g_assert_true (rec_json_bool_or (for_new, "hasVideo", false));
  g_assert_cmpint (rec_json_int_or (for_new, "frameRate", 0), ==, -1);
  rig_assert_string (for_new, "typeOfVideo", "CAMERA");
  g_assert_true (rec_json_bool_or (for_old, "audioActive", false));
  g_assert_true (rec_json_bool_or (for_old, "videoActive", false));
}

static void
test_audio_only (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture), *old = join_old (fixture), *new = join_new (fixture);
  g_autoptr (RecJson) result = publish_old (ann, true, false);
  g_autoptr (RecJson) for_old = take_published_stream (old);
  g_autoptr (RecJson) for_new = take_published_stream (new);

  rig_assert_keys (for_new, "id createdAt hasAudio hasVideo audioActive videoActive filter");
  g_assert_false (rec_json_bool_or (for_new, "hasVideo", true));
  g_assert_true (rec_json_bool_or (for_old, "audioActive", false));
  g_assert_false (rec_json_bool_or (for_old, "videoActive", true));
}

static void
test_video_only (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture), *new = join_new (fixture);
  g_autoptr (RecJson) result = publish_old (ann, false, true);
  g_autoptr (RecJson) for_new = take_published_stream (new);

  g_assert_false (rec_json_bool_or (for_new, "hasAudio", true));
  g_assert_false (rec_json_bool_or (for_new, "audioActive", true));
  g_assert_true (rec_json_bool_or (for_new, "hasVideo", false));
}

/* Else they would never receive that medium. */
static void
test_muted_streams_look_active (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_new (fixture), *old = join_old (fixture), *new = join_new (fixture), *late;
  g_autoptr (RecJson) result = publish_new_muted (ann);
  g_autoptr (RecJson) for_old = take_published_stream (old);
  g_autoptr (RecJson) for_new = take_published_stream (new);
  g_autoptr (RecJson) joined = NULL;
  RecJson *stream;

  g_assert_false (rec_json_bool_or (for_new, "audioActive", true));
  g_assert_false (rec_json_bool_or (for_new, "videoActive", true));
  g_assert_true (rec_json_bool_or (for_old, "audioActive", false));
  g_assert_true (rec_json_bool_or (for_old, "videoActive", false));

  late = rig_client_new (fixture->rig, NULL);
  joined = rig_client_join (late, fixture->session, REC_ROLE_PUBLISHER, OLD_EXTRA);
  stream = json_object_array_get_idx (
      rec_json_get (json_object_array_get_idx (rec_json_get (joined, "value"), 0), "streams"), 0);
  g_assert_true (rec_json_bool_or (stream, "audioActive", false));
}

static void
test_changes_go_to_new_ones_only (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_new (fixture), *old = join_old (fixture), *new = join_new (fixture);
  g_autoptr (RecJson) result = publish_new_muted (ann);
  g_autofree char *params = g_strdup_printf ("{\"streamId\":\"%s\",\"property\":\"audioActive\","
                                             "\"newValue\":true,\"reason\":\"publishAudio\"}",
      rec_json_string_or (result, "id", ""));
  g_autoptr (RecJson) empty = NULL;

  g_free (rig_client_list (old));
  g_free (rig_client_list (new));
  empty = rig_client_call (ann, "streamPropertyChanged", params);
  rig_assert_list (old, "");
  rig_assert_list (new, "streamPropertyChanged");
}

static void
test_leaving_names_who_left (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture), *bob = join_old (fixture);
  g_autoptr (RecJson) result = rig_client_call (ann, "leaveRoom", "{}");
  g_autoptr (RecJson) params = rig_client_take (bob, "participantLeft");

  rig_assert_string (params, "name", ann->id);
  rig_assert_string (params, "reason", "disconnect");
  g_assert_cmpint (ann->close_code, ==, 0);
}

static void
test_lost_ones_do_not_come_back (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture), *bob = join_old (fixture);
  g_autoptr (RecJson) params = NULL;

  rig_client_drop (ann);
  params = rig_client_take (bob, "participantLeft");
  rig_assert_string (params, "name", ann->id);
  rig_assert_string (params, "reason", "networkDisconnect");
}

static void
test_silent_ones_are_removed (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture), *bob = join_old (fixture);
  g_autoptr (RecJson) first = rig_client_call (ann, "ping", "{\"interval\":5000}");
  g_autoptr (RecJson) left = NULL;

  signal_rig_advance (fixture->rig, 10);
  g_autoptr (RecJson) second = rig_client_call (bob, "ping", NULL);
  signal_rig_advance (fixture->rig, 5);
  left = rig_client_take (bob, "participantLeft");
  rig_assert_string (left, "reason", "networkDisconnect");
  g_assert_cmpint (ann->close_code, ==, 1000);
}

static void
test_evicted_ones_are_closed (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture);

  join_old (fixture);
  rec_registry_leave (fixture->rig->registry,
      rec_session_find_participant (fixture->session, ann->id), "forceDisconnectByServer");
  g_assert_cmpint (ann->close_code, ==, 1000);
}

/* After a loss these clients open sockets that only ping; closing one makes them open the next. */
static void
test_ghosts_stay_open (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ghost = rig_client_new (fixture->rig, NULL);

  for (int i = 0; i < 100; i++) {
    g_autoptr (RecJson) result = rig_client_call (ghost, "ping", NULL);
    rig_assert_string (result, "value", "pong");
    signal_rig_advance (fixture->rig, 5);
  }
  g_assert_cmpint (ghost->close_code, ==, 0);
  signal_rig_advance (fixture->rig, 15);
  g_assert_cmpint (ghost->close_code, ==, 1000);
}

static void
test_signals_between_eras (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *from_old, *at_new; /* what the old one writes, what the new one must read */
  } to_new[] = {
    { "chat", "signal:chat" },
    { "", "signal:signal" },
  };
  static const struct {
    const char *from_new, *at_old;
  } to_old[] = {
    { "signal:chat", "chat" },
    { "signal:signal", "" },
  };
  RigClient *old = join_old (fixture), *new = join_new (fixture), *old_too = join_old (fixture);

  for (size_t i = 0; i < G_N_ELEMENTS (to_new); i++) {
    g_autofree char *params = g_strdup_printf (
        "{\"message\":\"{\\\"to\\\":[],\\\"data\\\":\\\"\\\",\\\"type\\\":\\\"%s\\\"}\"}",
        to_new[i].from_old);
    g_autoptr (RecJson) result = rig_client_call (old, "sendMessage", params);
    g_autoptr (RecJson) heard = rig_client_take (new, "sendMessage");
    g_autoptr (RecJson) heard_too = rig_client_take (old_too, "sendMessage");
    rig_assert_string (heard, "type", to_new[i].at_new);
    rig_assert_string (heard, "data", "");
    rig_assert_string (heard_too, "type", to_new[i].from_old);
    rig_assert_string (heard_too, "from", old->id);
  }
  g_free (rig_client_list (old));
  for (size_t i = 0; i < G_N_ELEMENTS (to_old); i++) {
    g_autofree char *params =
        g_strdup_printf ("{\"message\":\"{\\\"type\\\":\\\"%s\\\"}\"}", to_old[i].from_new);
    g_autoptr (RecJson) result = rig_client_call (new, "sendMessage", params);
    g_autoptr (RecJson) heard = rig_client_take (old, "sendMessage");
    rig_assert_keys (heard, "data from type");
    rig_assert_string (heard, "type", to_old[i].at_old);
    rig_assert_string (heard, "data", "");
  }
}

/* They look for the sender and drop the signal when there is none. */
static void
test_server_signals_have_a_sender (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *old = join_old (fixture);
  g_autoptr (RecJson) heard = NULL;

  rec_registry_send_signal (fixture->rig->registry, fixture->session, NULL, NULL, "chat", "hello",
      NULL);
  heard = rig_client_take (old, "sendMessage");
  rig_assert_string (heard, "from", old->id);
  rig_assert_string (heard, "type", "chat");
}

static void
test_old_publisher_is_unpublished_silently (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = join_old (fixture), *old = join_old (fixture), *new = join_new (fixture);
  g_autoptr (RecJson) result = publish_old (ann, true, true);

  g_free (rig_client_list (ann));
  g_free (rig_client_list (old));
  g_free (rig_client_list (new));
  rec_registry_end_stream (fixture->rig->registry,
      rec_session_find_stream (fixture->session, rec_json_string_or (result, "id", "")),
      "forceUnpublishByServer");
  rig_assert_list (ann, "");
  rig_assert_list (old, "participantUnpublished");
  rig_assert_list (new, "participantUnpublished");
}

static void
test_eras_are_told_apart (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *query, *extra;
    RecEra era;
  } cases[] = {
    { NULL, "\"metadata\":\"\"", REC_ERA_OLD },
    { "reconnect=true", "\"metadata\":\"\"", REC_ERA_OLD },
    { NULL, "\"platform\":\"Chrome\"", REC_ERA_NEW },
    { NULL, "\"sdkVersion\":\"2.21.0\"", REC_ERA_NEW },
    { "sessionId=room", "\"metadata\":\"\"", REC_ERA_NEW },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    RigClient *client = rig_client_new (fixture->rig, cases[i].query);
    g_autoptr (RecJson)
        result = rig_client_join (client, fixture->session, REC_ROLE_PUBLISHER, cases[i].extra);
    g_assert_cmpint (client->client->seat->dialect->era, ==, cases[i].era);
  }
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/signal/old/joins", test_joining);
  ADD ("/signal/old/unknown-sessions-are-unauthorized", test_unknown_sessions_are_unauthorized);
  ADD ("/signal/old/secret-creates-the-session", test_secret_creates_the_session);
  ADD ("/signal/old/secret-makes-no-odd-sessions", test_secret_makes_no_odd_sessions);
  ADD ("/signal/old/metadata-is-bounded", test_metadata_is_bounded);
  ADD ("/signal/old/publishes-to-old-and-new", test_publishing_to_old_and_new);
  ADD ("/signal/old/publishes-audio-only", test_audio_only);
  ADD ("/signal/old/publishes-video-only", test_video_only);
  ADD ("/signal/old/muted-streams-look-active", test_muted_streams_look_active);
  ADD ("/signal/old/changes-go-to-new-ones-only", test_changes_go_to_new_ones_only);
  ADD ("/signal/old/leaving-names-who-left", test_leaving_names_who_left);
  ADD ("/signal/old/lost-ones-do-not-come-back", test_lost_ones_do_not_come_back);
  ADD ("/signal/old/silent-ones-are-removed", test_silent_ones_are_removed);
  ADD ("/signal/old/evicted-ones-are-closed", test_evicted_ones_are_closed);
  ADD ("/signal/old/ghosts-stay-open", test_ghosts_stay_open);
  ADD ("/signal/old/signals-cross-the-eras", test_signals_between_eras);
  ADD ("/signal/old/server-signals-have-a-sender", test_server_signals_have_a_sender);
  ADD ("/signal/old/is-not-told-of-its-own-unpublishing",
      test_old_publisher_is_unpublished_silently);
  ADD ("/signal/old/eras-are-told-apart", test_eras_are_told_apart);
  return g_test_run ();
}
