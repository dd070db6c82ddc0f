/* entities.c - sessions and connections as clients of both eras read them. */
#define G_LOG_DOMAIN "rec.api.entities"
#include "api/entities.h"

#include "recording/entity.h"

/* --- connections ------------------------------------------------------------------------------------------------ */

RecJson *
rec_rest_list (RecJson *array)
{
  RecJson *list = json_object_new_object ();

  rec_json_set_int (list, "numberOfElements", (int64_t) json_object_array_length (array));
  rec_json_take (list, "content", array);
  return list;
}

static RecJson *
make_media_options (const RecStreamInfo *stream)
{
  RecJson *options = json_object_new_object ();

  rec_json_set_bool (options, "hasAudio", stream->has_audio);
  if (stream->has_audio)
    rec_json_set_bool (options, "audioActive", stream->audio_active);
  rec_json_set_bool (options, "hasVideo", stream->has_video);
  if (stream->has_video) {
    rec_json_set_bool (options, "videoActive", stream->video_active);
    rec_json_set_string (options, "typeOfVideo", stream->type_of_video);
    if (stream->frame_rate > 0)
      rec_json_set_int (options, "frameRate", stream->frame_rate);
    else
      rec_json_take (options, "frameRate", NULL);
    rec_json_set_string (options, "videoDimensions", stream->video_dimensions);
  }
  rec_json_take (options, "filter", json_object_new_object ());
  return options;
}

static RecJson *
make_publishers (const RecParticipant *participant)
{
  const RecStreamInfo *stream = participant->stream;
  RecJson *publishers = json_object_new_array ();

  if (stream == NULL || !stream->is_published)
    return publishers;
  RecJson *publisher = json_object_new_object ();
  rec_json_set_int (publisher, "createdAt", stream->created_at_ms);
  rec_json_set_string (publisher, "streamId", stream->id);
  rec_json_take (publisher, "mediaOptions", make_media_options (stream));
  json_object_array_add (publishers, publisher);
  return publishers;
}

static RecJson *
make_subscribers (const RecParticipant *participant)
{
  RecJson *subscribers = json_object_new_array ();

  for (guint i = 0; i < participant->subscriptions->len; i++) {
    const RecSubscription *subscription = participant->subscriptions->pdata[i];
    RecJson *subscriber = json_object_new_object ();
    rec_json_set_int (subscriber, "createdAt", subscription->created_at_ms);
    rec_json_set_string (subscriber, "streamId", subscription->stream_id);
    json_object_array_add (subscribers, subscriber);
  }
  return subscribers;
}

static void
add_camera (RecJson *entity, const RecCameraInfo *camera)
{
  static const char *const names[] = { "rtspUri", "adaptativeBitrate", "onlyPlayWithSubscribers",
    "networkCache" };

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    rec_json_take (entity, names[i], NULL);
  if (camera == NULL)
    return;
  g_autofree char *shown = rec_camera_info_dup_shown_uri (camera);
  rec_json_set_string (entity, "rtspUri", shown);
  rec_json_set_bool (entity, "adaptativeBitrate", camera->adapts_bitrate);
  rec_json_set_bool (entity, "onlyPlayWithSubscribers", camera->only_with_subscribers);
  rec_json_set_int (entity, "networkCache", camera->network_cache_ms);
}

/* What pending and active connections have in common; connection is NULL for those who joined with the secret. */
static RecJson *
make_connection (const char *id, const char *status, const char *session_id, RecRole role,
    int64_t created_at_ms, const RecConnection *connection)
{
  RecJson *entity = json_object_new_object ();
  RecJson *kurento = connection == NULL ? NULL : connection->kurento_options;
  RecJson *ice = connection == NULL ? NULL : connection->custom_ice_servers;
  const RecCameraInfo *camera = connection == NULL ? NULL : connection->camera;

  rec_json_set_string (entity, "id", id);
  rec_json_set_string (entity, "object", "connection");
  rec_json_set_string (entity, "status", status);
  rec_json_set_string (entity, "connectionId", id);
  rec_json_set_string (entity, "sessionId", session_id);
  rec_json_set_int (entity, "createdAt", created_at_ms);
  rec_json_set_string (entity, "type", camera == NULL ? "WEBRTC" : "IPCAM");
  rec_json_set_bool (entity, "record", connection == NULL || connection->record);
  rec_json_set_string (entity, "role", camera == NULL ? rec_role_to_string (role) : NULL);
  rec_json_take (entity, "kurentoOptions", json_object_get (kurento));
  rec_json_take (entity, "customIceServers",
      ice == NULL ? json_object_new_array () : json_object_get (ice));
  add_camera (entity, camera);
  return entity;
}

RecJson *
rec_rest_connection (const RecConnection *connection)
{
  static const char *const of_active[] = { "activeAt", "location", "ip", "platform", "clientData",
    "publishers", "subscribers" };
  const RecSession *session = connection->session;
  g_autofree char *token = rec_registry_dup_token_url (session->registry, connection);
  RecJson *entity = make_connection (connection->id, "pending", session->id, connection->role,
      connection->created_at_ms, connection);

  rec_json_set_string (entity, "serverData", connection->server_data);
  rec_json_set_string (entity, "token", token);
  for (size_t i = 0; i < G_N_ELEMENTS (of_active); i++)
    rec_json_take (entity, of_active[i], NULL);
  return entity;
}

RecJson *
rec_rest_participant (const RecParticipant *participant)
{
  const RecConnection *connection = participant->connection;
  const bool is_camera = rec_participant_is_camera (participant);
  RecJson *entity = make_connection (participant->id, "active", participant->session->id,
      participant->role, connection == NULL ? participant->joined_at_ms : connection->created_at_ms,
      connection);

  rec_json_set_string (entity, "serverData", participant->server_data);
  rec_json_set_string (entity, "token", is_camera ? NULL : participant->token_url);
  rec_json_set_int (entity, "activeAt", participant->joined_at_ms);
  rec_json_set_string (entity, "location", "unknown");
  rec_json_set_string (entity, "ip", participant->ip);
  rec_json_set_string (entity, "platform", participant->platform);
  rec_json_set_string (entity, "clientData", is_camera ? NULL : participant->client_data);
  rec_json_take (entity, "publishers", make_publishers (participant));
  rec_json_take (entity, "subscribers", make_subscribers (participant));
  return entity;
}

RecJson *
rec_rest_connections (RecSession *session, bool with_pending)
{
  RecJson *content = json_object_new_array ();

  for (guint i = 0; i < session->participants->len; i++) {
    const RecParticipant *participant = session->participants->pdata[i];
    if (!participant->is_hidden)
      json_object_array_add (content, rec_rest_participant (participant));
  }
  for (guint i = 0; with_pending && i < session->connections->len; i++) {
    const RecConnection *connection = session->connections->pdata[i];
    if (connection->participant == NULL)
      json_object_array_add (content, rec_rest_connection (connection));
  }
  return rec_rest_list (content);
}

/* --- sessions ---------------------------------------------------------------------------------------------------- */

static RecJson *
make_default_properties (const RecRecordingProperties *properties)
{
  RecJson *entity = json_object_new_object ();

  rec_json_set_string (entity, "name", properties->name == NULL ? "" : properties->name);
  rec_json_set_bool (entity, "hasAudio", properties->has_audio);
  rec_json_set_bool (entity, "hasVideo", properties->has_video);
  rec_json_set_string (entity, "outputMode", rec_output_mode_to_string (properties->output_mode));
  rec_entity_add_properties (entity, properties);
  if (properties->output_mode != REC_OUTPUT_INDIVIDUAL && properties->has_video)
    rec_json_set_int (entity, "shmSize", properties->shm_size);
  return entity;
}

RecJson *
rec_rest_session (RecSession *session, bool with_pending)
{
  const RecSessionProperties *properties = session->properties;
  const RecRecordingProperties *recording = properties->recording;
  const char *custom_layout = recording->custom_layout;
  RecJson *entity = json_object_new_object ();

  rec_json_set_string (entity, "id", session->id);
  rec_json_set_string (entity, "object", "session");
  rec_json_set_string (entity, "sessionId", session->id);
  rec_json_set_int (entity, "createdAt", session->created_at_ms);
  rec_json_set_bool (entity, "recording", session->recording != NULL);
  rec_json_set_bool (entity, "broadcasting", false);
  rec_json_set_string (entity, "mediaMode", properties->is_relayed ? "RELAYED" : "ROUTED");
  rec_json_set_string (entity, "recordingMode", properties->records_always ? "ALWAYS" : "MANUAL");
  rec_json_take (entity, "defaultRecordingProperties", make_default_properties (recording));
  /* Clients from 2.2 to 2.17 look for these. */
  rec_json_set_string (entity, "defaultOutputMode",
      rec_output_mode_to_string (recording->output_mode));
  rec_json_set_string (entity, "defaultRecordingLayout", recording->recording_layout);
  rec_json_set_string (entity, "defaultCustomLayout", custom_layout == NULL ? "" : custom_layout);
  rec_json_set_string (entity, "customSessionId", properties->custom_session_id);
  rec_json_set_string (entity, "forcedVideoCodec", properties->forced_video_codec);
  rec_json_set_bool (entity, "allowTranscoding", properties->allow_transcoding);
  rec_json_take (entity, "connections", rec_rest_connections (session, with_pending));
  return entity;
}
