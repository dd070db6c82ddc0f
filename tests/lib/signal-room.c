/* signal-room.c - a session with clients of OpenVidu 2.32. */
#include "lib/signal-room.h"

void
room_set_up (Room *room, const void *data)
{
  static const char *const fallback[] = { "media.local-addresses=127.0.0.1", NULL };

  room->rig = signal_rig_new (data != NULL ? data : fallback);
  room->session = signal_rig_create_session (room->rig, "room");
}

void
room_tear_down (Room *room, const void *data G_GNUC_UNUSED)
{
  signal_rig_free (room->rig);
}

RigClient *
room_join_as (Room *room, RecRole role)
{
  RigClient *client = rig_client_new (room->rig, "sessionId=room");
  g_autoptr (RecJson) result = rig_client_join (client, room->session, role, JOIN_EXTRA);

  return client;
}

RigClient *
room_join (Room *room)
{
  return room_join_as (room, REC_ROLE_PUBLISHER);
}

/* Its place is gone with it, and so is the id of that. */
void
room_leave (RigClient *client)
{
  g_autoptr (RecJson) result = rig_client_call (client, "leaveRoom", "{}");

  rig_assert_keys (result, "");
}

RecJson *
room_make_publication (unsigned kinds)
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

int64_t
room_send_publication (RigClient *client, unsigned kinds)
{
  g_autoptr (RecJson) params = room_make_publication (kinds);

  return rig_client_send_json (client, "publishVideo", params);
}

char *
room_publish (RigClient *client)
{
  g_autoptr (RecJson) result =
      rig_client_wait (client, room_send_publication (client, RIG_OFFER_AUDIO | RIG_OFFER_VIDEO));

  return g_strdup (rec_json_string_or (result, "id", NULL));
}

int64_t
room_send_subscription (RigClient *client, const char *stream_id)
{
  g_autoptr (RecJson) params = json_object_new_object ();
  g_autofree char *offer = rig_make_offer (RIG_OFFER_AUDIO | RIG_OFFER_VIDEO, "recvonly");

  rec_json_set_string (params, "sender", stream_id);
  rec_json_set_string (params, "sdpOffer", offer);
  return rig_client_send_json (client, "receiveVideoFrom", params);
}

RecParticipant *
room_find (Room *room, const RigClient *client)
{
  return rec_session_find_participant (room->session, client->id);
}

RecJson *
room_get_stream (RecJson *participant)
{
  RecJson *streams = rec_json_get (participant, "streams");

  rig_assert_keys (participant, "id createdAt metadata streams");
  g_assert_cmpuint (json_object_array_length (streams), ==, 1);
  return json_object_array_get_idx (streams, 0);
}
