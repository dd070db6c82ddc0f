/* describe.c - what clients are told of streams, participants and the session they joined. */
#define G_LOG_DOMAIN "rec.signal.describe"
#include "signal/private.h"

#include "base/config.h"
#include "session/token.h"

#include <string.h>

RecJson *
rec_describe_stream (const RecStreamInfo *stream, const RecDialect *dialect)
{
  RecJson *object = json_object_new_object ();
  bool told_has = dialect->active_means_has;

  rec_json_set_string (object, "id", stream->id);
  rec_json_set_int (object, "createdAt", stream->created_at_ms);
  rec_json_set_bool (object, "hasAudio", stream->has_audio);
  rec_json_set_bool (object, "hasVideo", stream->has_video);
  rec_json_set_bool (object, "audioActive",
      stream->has_audio && (told_has || stream->audio_active));
  rec_json_set_bool (object, "videoActive",
      stream->has_video && (told_has || stream->video_active));
  if (stream->has_video) {
    if (stream->type_of_video != NULL)
      rec_json_set_string (object, "typeOfVideo", stream->type_of_video);
    rec_json_set_int (object, "frameRate", stream->frame_rate);
    if (stream->video_dimensions != NULL)
      rec_json_set_string (object, "videoDimensions", stream->video_dimensions);
  }
  rec_json_take (object, "filter", json_object_new_object ());
  return object;
}

/* Never with a role, which would make clients take it for themselves; never with an empty list of streams. */
RecJson *
rec_describe_participant (const RecParticipant *participant, const RecDialect *dialect)
{
  RecJson *object = json_object_new_object ();

  rec_json_set_string (object, "id", participant->id);
  rec_json_set_int (object, "createdAt", participant->joined_at_ms);
  rec_json_set_string (object, "metadata", participant->metadata);
  if (participant->stream != NULL && participant->stream->is_published) {
    RecJson *streams = json_object_new_array ();
    json_object_array_add (streams, rec_describe_stream (participant->stream, dialect));
    rec_json_take (object, "streams", streams);
  }
  return object;
}

static RecJson *
describe_others (const RecParticipant *self, const RecDialect *dialect)
{
  RecJson *array = json_object_new_array ();

  for (guint i = 0; i < self->session->participants->len; i++) {
    const RecParticipant *other = self->session->participants->pdata[i];
    if (other != self && !other->is_hidden)
      json_object_array_add (array, rec_describe_participant (other, dialect));
  }
  return array;
}

/* Clients from 2.21 on die when the version is no semantic one. */
static const char *
choose_version (const char *sdk_version)
{
  return g_regex_match_simple ("^[0-9]{1,9}\\.[0-9]{1,9}\\.[0-9]{1,9}$", sdk_version, 0, 0)
             ? sdk_version
             : REC_OPENVIDU_VERSION;
}

static RecJson *
dup_ice_servers (const RecConnection *connection)
{
  RecJson *servers = NULL;

  if (connection == NULL || connection->custom_ice_servers == NULL ||
      json_object_array_length (connection->custom_ice_servers) == 0 ||
      json_object_deep_copy (connection->custom_ice_servers, &servers, NULL) != 0)
    return NULL;
  for (size_t i = 0; i < json_object_array_length (servers); i++)
    json_object_object_del (json_object_array_get_idx (servers, i), "staticAuthSecret");
  return servers;
}

RecJson *
rec_describe_session (const RecParticipant *self, const RecDialect *dialect)
{
  RecJson *object = json_object_new_object ();
  RecJson *ice_servers = dup_ice_servers (self->connection);

  rec_json_set_string (object, "id", self->id);
  rec_json_set_int (object, "createdAt", self->joined_at_ms);
  rec_json_set_string (object, "metadata", self->metadata);
  rec_json_take (object, "value", describe_others (self, dialect));
  rec_json_set_string (object, "session", self->session->id);
  rec_json_set_string (object, "version", choose_version (self->sdk_version));
  rec_json_set_string (object, "mediaServer", "kurento");
  rec_json_set_bool (object, "videoSimulcast", false);
  rec_json_set_bool (object, "record", self->connection == NULL || self->connection->record);
  rec_json_set_string (object, "role", rec_role_to_string (self->role));
  rec_json_set_string (object, "finalUserId", self->id);
  if (ice_servers != NULL)
    rec_json_take (object, "customIceServers", ice_servers);
  return object;
}

bool
rec_may_hear_of_recordings (const RecConfig *config, const RecParticipant *participant)
{
  const char *who = rec_config_get_string (config, "openvidu.recording.notification");

  if (participant->is_hidden || strcmp (who, "none") == 0)
    return false;
  if (strcmp (who, "all") == 0 || participant->role == REC_ROLE_MODERATOR)
    return true;
  return strcmp (who, "publisher_moderator") == 0 && participant->role == REC_ROLE_PUBLISHER;
}
