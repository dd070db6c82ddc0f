/* test-signal-media.c - publishing and subscribing: answers of the real router, announcements, and who goes meanwhile. */
#include "lib/signal-room.h"

#include <string.h>

#define STREAM_KEYS                                                                                \
  "id createdAt hasAudio hasVideo audioActive videoActive typeOfVideo frameRate videoDimensions "  \
  "filter"

static void
test_publishing (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autoptr (RecJson) result = NULL, published = NULL;
  RecJson *stream;

  result = rig_client_wait (ann, room_send_publication (ann, RIG_OFFER_AUDIO | RIG_OFFER_VIDEO));
  rig_assert_keys (result, "sdpAnswer id createdAt sessionId");
  g_assert_true (g_str_has_prefix (rec_json_string_or (result, "sdpAnswer", ""), "v=0"));
  g_assert_true (g_str_has_prefix (rec_json_string_or (result, "id", ""), "str_CAM_"));

  published = rig_client_take (bob, "participantPublished");
  rig_assert_string (published, "id", ann->id);
  stream = room_get_stream (published);
  rig_assert_keys (stream, STREAM_KEYS);
  rig_assert_string (stream, "id", rec_json_string_or (result, "id", NULL));
  g_assert_cmpint (rec_json_int_or (stream, "createdAt", 0), ==,
      rec_json_int_or (result, "createdAt", 1));
  g_assert_true (rec_json_bool_or (stream, "hasAudio", false));
  g_assert_true (rec_json_bool_or (stream, "hasVideo", false));
  g_assert_false (rec_json_bool_or (stream, "audioActive", true));
  g_assert_true (rec_json_bool_or (stream, "videoActive", false));
  rig_assert_string (stream, "typeOfVideo", "CAMERA");
  g_assert_cmpint (rec_json_int_or (stream, "frameRate", 0), ==, 30);
  rig_assert_string (stream, "videoDimensions", "{\"width\":640,\"height\":480}");
  rig_assert_keys (rec_json_get (stream, "filter"), "");
  rig_assert_list (bob, "");
}

static void
test_is_announced_once (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *early = room_join (room), *late;
  int64_t id = room_send_publication (ann, RIG_OFFER_VIDEO);
  g_autoptr (RecJson) during = NULL, after = NULL, result = NULL;

  g_free (rig_client_list (early));
  /* While it is being negotiated nobody knows of it, whoever comes now is told later... */
  late = rig_client_new (room->rig, NULL);
  during = rig_client_join (late, room->session, REC_ROLE_PUBLISHER, JOIN_EXTRA);
  rig_assert_keys (json_object_array_get_idx (rec_json_get (during, "value"), 0),
      "id createdAt metadata");
  result = rig_client_wait (ann, id);
  rig_assert_list (early, "participantJoined participantPublished");
  rig_assert_list (late, "participantPublished");
  /* ...and whoever comes after that finds it in the list. */
  late = rig_client_new (room->rig, NULL);
  after = rig_client_join (late, room->session, REC_ROLE_PUBLISHER, JOIN_EXTRA);
  rig_assert_keys (json_object_array_get_idx (rec_json_get (after, "value"), 0),
      "id createdAt metadata streams");
  rig_assert_list (late, "");
}

static void
test_audio_only (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autoptr (RecJson) result = rig_client_wait (ann, room_send_publication (ann, RIG_OFFER_AUDIO));
  g_autoptr (RecJson) published = rig_client_take (bob, "participantPublished");
  RecJson *stream = room_get_stream (published);

  g_assert_true (g_str_has_prefix (rec_json_string_or (result, "id", ""), "str_MIC_"));
  rig_assert_keys (stream, "id createdAt hasAudio hasVideo audioActive videoActive filter");
  g_assert_false (rec_json_bool_or (stream, "hasVideo", true));
  g_assert_false (rec_json_bool_or (stream, "videoActive", true));
}

static void
test_publish_errors (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  RigClient *viewer = room_join_as (room, REC_ROLE_SUBSCRIBER);
  g_autoptr (RecJson) params = room_make_publication (RIG_OFFER_VIDEO);
  g_autoptr (RecJson) result = NULL;

  rec_json_set_string (params, "sdpOffer", "this is no offer");
  g_assert_cmpint (rig_client_wait_error (ann, rig_client_send_json (ann, "publishVideo", params)),
      ==, REC_RPC_SDP);
  g_assert_null (room_find (room, ann)->stream);
  g_assert_cmpint (rig_client_wait_error (viewer, room_send_publication (viewer, RIG_OFFER_VIDEO)),
      ==, REC_RPC_UNAUTHORIZED);
  /* The first try did no harm. */
  result = rig_client_wait (ann, room_send_publication (ann, RIG_OFFER_VIDEO));
  g_assert_cmpint (rig_client_wait_error (ann, room_send_publication (ann, RIG_OFFER_VIDEO)), ==,
      REC_RPC_ALREADY_STREAMING);
  rig_assert_list (bob, "participantJoined participantPublished");
}

static void
test_second_while_negotiating (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room);
  int64_t first = room_send_publication (ann, RIG_OFFER_VIDEO);
  int64_t second = room_send_publication (ann, RIG_OFFER_VIDEO);
  g_autoptr (RecJson) result = NULL;

  g_assert_cmpint (rig_client_wait_error (ann, second), ==, REC_RPC_ALREADY_STREAMING);
  result = rig_client_wait (ann, first);
}

static void
test_unpublishing (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autofree char *stream_id = room_publish (ann);
  g_autoptr (RecJson) params = NULL;

  g_free (rig_client_list (bob));
  g_free (rig_client_list (ann));
  rig_assert_empty_result (ann, "unpublishVideo", "{}");
  params = rig_client_take (bob, "participantUnpublished");
  rig_assert_keys (params, "name connectionId reason");
  rig_assert_string (params, "name", ann->id);
  rig_assert_string (params, "connectionId", ann->id);
  rig_assert_string (params, "reason", "unpublish");
  rig_assert_list (ann, "");
  g_assert_cmpint (rig_client_call_error (ann, "unpublishVideo", "{}"), ==,
      REC_RPC_USER_NOT_STREAMING);
}

static void
test_publishing_again_at_once (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autofree char *first = room_publish (ann);
  int64_t unpublish, again;
  g_autoptr (RecJson) empty = NULL, result = NULL;

  g_free (rig_client_list (bob));
  unpublish = rig_client_send (ann, "unpublishVideo", "{}");
  again = room_send_publication (ann, RIG_OFFER_VIDEO);
  empty = rig_client_wait (ann, unpublish);
  result = rig_client_wait (ann, again);
  g_assert_cmpstr (rec_json_string_or (result, "id", NULL), !=, first);
  rig_assert_list (bob, "participantUnpublished participantPublished");
}

static void
test_unpublishing_while_negotiating (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  int64_t publication = room_send_publication (ann, RIG_OFFER_VIDEO);

  g_free (rig_client_list (bob));
  rig_assert_empty_result (ann, "unpublishVideo", "{}");
  g_assert_cmpint (rig_client_wait_error (ann, publication), ==, REC_RPC_USER_NOT_STREAMING);
  rig_assert_list (bob, "");
}

static void
run_main_loop (unsigned milliseconds)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  g_timeout_add_once (milliseconds, (GSourceOnceFunc) g_main_loop_quit, loop);
  g_main_loop_run (loop);
}

static void
test_gone_before_the_answer (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);

  room_send_publication (ann, RIG_OFFER_VIDEO);
  rig_client_drop (ann);
  /* The answer comes to nobody, and the stream ends instead of being announced. */
  while (room_find (room, ann)->stream != NULL)
    g_main_context_iteration (NULL, TRUE);
  signal_rig_advance (room->rig, 10);
  rig_assert_list (bob, "participantLeft");
}

static void
test_left_before_the_answer (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  int64_t id = room_send_publication (ann, RIG_OFFER_VIDEO);

  room_leave (ann);
  g_assert_cmpint (rig_client_wait_error (ann, id), ==, REC_RPC_USER_NOT_STREAMING);
  run_main_loop (200);
  rig_assert_list (bob, "participantLeft");
}

static void
test_candidates_in_any_order (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room);
  g_autofree char *own = g_strdup_printf (
      "{\"endpointName\":\"%s\",\"candidate\":\"candidate:1 1 udp 2122260223 192.0.2.7 40000 typ "
      "host\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0}",
      ann->id);
  g_autofree char *no_mid = g_strdup_printf (
      "{\"endpointName\":\"%s\",\"candidate\":\"\",\"sdpMid\":null,\"sdpMLineIndex\":null}",
      ann->id);
  g_autofree char *stream_id = NULL;

  rig_assert_empty_result (ann, "onIceCandidate", own);
  stream_id = room_publish (ann);
  rig_assert_empty_result (ann, "onIceCandidate", own);
  rig_assert_empty_result (ann, "onIceCandidate", no_mid);
  rig_assert_empty_result (ann, "onIceCandidate",
      "{\"endpointName\":\"con_Nobody\",\"candidate\":\"x\"}");
  rig_assert_empty_result (ann, "unpublishVideo", "{}");
  rig_assert_empty_result (ann, "onIceCandidate", own);
}

/* --- subscribing ---------------------------------------------------------------------------------------------- */

static void
test_subscribing (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autofree char *stream_id = room_publish (ann);
  g_autofree char *params = g_strdup_printf ("{\"sender\":\"%s\"}", ann->id);
  const RecParticipant *subscriber = room_find (room, bob);
  g_autoptr (RecJson) result = rig_client_wait (bob, room_send_subscription (bob, stream_id));

  rig_assert_keys (result, "sdpAnswer sessionId");
  g_assert_nonnull (strstr (rec_json_string_or (result, "sdpAnswer", ""), "a=sendonly"));
  g_assert_cmpuint (subscriber->subscriptions->len, ==, 1);
  rig_assert_empty_result (bob, "unsubscribeFromVideo", params);
  g_assert_cmpuint (subscriber->subscriptions->len, ==, 0);
  rig_assert_empty_result (bob, "unsubscribeFromVideo", params);
}

static void
test_subscribe_errors (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autofree char *ended = g_strconcat ("str_CAM_Xyz1_", ann->id, NULL);
  g_autofree char *own = room_publish (bob);

  g_assert_cmpint (rig_client_wait_error (bob, room_send_subscription (bob, "str_CAM_A")), ==,
      REC_RPC_USER_NOT_FOUND);
  g_assert_cmpint (rig_client_wait_error (bob, room_send_subscription (bob, ended)), ==,
      REC_RPC_USER_NOT_STREAMING);
  g_assert_cmpint (rig_client_wait_error (bob, room_send_subscription (bob, own)), ==,
      REC_RPC_USER_NOT_STREAMING);
  g_assert_cmpint (rig_client_call_error (bob, "unsubscribeFromVideo", "{\"sender\":\"con_A\"}"),
      ==, REC_RPC_USER_NOT_FOUND);
}

static void
test_stream_ends_while_subscribing (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autofree char *stream_id = room_publish (ann);
  int64_t id = room_send_subscription (bob, stream_id);

  room_leave (ann);
  g_assert_cmpint (rig_client_wait_error (bob, id), ==, REC_RPC_USER_NOT_STREAMING);
  g_assert_cmpuint (room_find (room, bob)->subscriptions->len, ==, 0);
}

static void
test_reconnecting_streams (Room *room, const void *data G_GNUC_UNUSED)
{
  RigClient *ann = room_join (room), *bob = room_join (room);
  g_autofree char *stream_id = room_publish (ann);
  g_autofree char *sending = rig_make_offer (RIG_OFFER_AUDIO | RIG_OFFER_VIDEO, "sendonly");
  g_autofree char *receiving = rig_make_offer (RIG_OFFER_AUDIO | RIG_OFFER_VIDEO, "recvonly");
  g_autoptr (RecJson) publisher = json_object_new_object (), subscriber = json_object_new_object ();
  g_autoptr (RecJson) subscribed = rig_client_wait (bob, room_send_subscription (bob, stream_id));
  g_autoptr (RecJson) first = NULL, second = NULL;

  g_free (rig_client_list (bob));
  rec_json_set_string (publisher, "stream", stream_id);
  rec_json_set_string (publisher, "sdpString", sending);
  first = rig_client_wait (ann, rig_client_send_json (ann, "reconnectStream", publisher));
  rig_assert_keys (first, "sdpAnswer id createdAt sessionId");
  rig_assert_string (first, "id", stream_id);

  rec_json_set_string (subscriber, "stream", stream_id);
  rec_json_set_string (subscriber, "sdpOffer", receiving);
  rec_json_set_bool (subscriber, "forciblyReconnect", false);
  second = rig_client_wait (bob, rig_client_send_json (bob, "reconnectStream", subscriber));
  rig_assert_keys (second, "sdpAnswer sessionId");
  rig_assert_list (bob, "");
}

#define ADD(path, function) g_test_add (path, Room, NULL, room_set_up, function, room_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
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
  return g_test_run ();
}
