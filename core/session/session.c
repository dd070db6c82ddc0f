/* session.c - what a session holds: roles, properties, and how members are found. */
#define G_LOG_DOMAIN "rec.session.session"
#include "session/session.h"

#include "base/json.h"
#include "session/private.h"

#include <string.h>

char *
rec_camera_info_dup_shown_uri (const RecCameraInfo *camera)
{
  g_autoptr (GUri) uri = g_uri_parse (camera->uri, G_URI_FLAGS_ENCODED, NULL);

  return uri != NULL ? g_uri_to_string_partial (uri, G_URI_HIDE_USERINFO) : g_strdup ("");
}

#define MAX_DIMENSION 16384

static const char *const roles[] = {
  [REC_ROLE_INVALID] = NULL,
  [REC_ROLE_SUBSCRIBER] = "SUBSCRIBER",
  [REC_ROLE_PUBLISHER] = "PUBLISHER",
  [REC_ROLE_MODERATOR] = "MODERATOR",
};

const char *
rec_role_to_string (RecRole role)
{
  return (size_t) role < G_N_ELEMENTS (roles) ? roles[role] : NULL;
}

RecRole
rec_role_from_string (const char *text)
{
  for (size_t i = REC_ROLE_SUBSCRIBER; i < G_N_ELEMENTS (roles); i++)
    if (g_strcmp0 (text, roles[i]) == 0)
      return (RecRole) i;
  return REC_ROLE_INVALID;
}

RecSessionProperties *
rec_session_properties_new (void)
{
  RecSessionProperties *properties = g_new0 (RecSessionProperties, 1);

  properties->custom_session_id = g_strdup ("");
  properties->forced_video_codec = g_strdup ("MEDIA_SERVER_PREFERRED");
  properties->recording = rec_recording_properties_new ();
  return properties;
}

void
rec_session_properties_free (RecSessionProperties *properties)
{
  if (properties == NULL)
    return;
  g_free (properties->custom_session_id);
  g_free (properties->forced_video_codec);
  rec_recording_properties_free (properties->recording);
  g_free (properties);
}

/* What would break the parsing of a token, or a path. OpenVidu 2.0 checked nothing. */
static bool
is_valid_old_id (const char *id)
{
  for (const char *at = id; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at) || strchr ("/\\?&=#% ", *at) != NULL)
      return false;
  return *id != '.' && g_utf8_validate (id, -1, NULL);
}

static bool
is_valid_new_id (const char *id)
{
  for (const char *at = id; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && *at != '_' && *at != '-')
      return false;
  return true;
}

bool
rec_session_id_is_valid (RecEra era, const char *id)
{
  if (strlen (id) > REC_MAX_SESSION_ID_BYTES)
    return false;
  return era == REC_ERA_OLD ? is_valid_old_id (id) : is_valid_new_id (id);
}

RecSession *
rec_session_ref (RecSession *session)
{
  session->n_references++;
  return session;
}

void
rec_session_unref (RecSession *session)
{
  if (session == NULL || --session->n_references > 0)
    return;
  g_ptr_array_unref (session->participants);
  g_ptr_array_unref (session->connections);
  rec_session_properties_free (session->properties);
  g_free (session->id);
  g_free (session);
}

RecParticipant *
rec_participant_ref (RecParticipant *participant)
{
  participant->n_references++;
  return participant;
}

void
rec_participant_unref (RecParticipant *participant)
{
  if (participant == NULL || --participant->n_references > 0)
    return;
  rec_stream_info_free (participant->stream);
  rec_connection_free (participant->connection);
  rec_session_unref (participant->session);
  g_ptr_array_unref (participant->subscriptions);
  g_free (participant->id);
  g_free (participant->rpc_id);
  g_free (participant->client_data);
  g_free (participant->server_data);
  g_free (participant->metadata);
  g_free (participant->platform);
  g_free (participant->sdk_version);
  g_free (participant->ip);
  g_free (participant->token_url);
  g_free (participant);
}

void
rec_connection_free (RecConnection *connection)
{
  if (connection == NULL)
    return;
  g_free (connection->id);
  g_free (connection->token);
  g_free (connection->server_data);
  json_object_put (connection->custom_ice_servers);
  json_object_put (connection->kurento_options);
  if (connection->camera != NULL)
    g_free (connection->camera->uri);
  g_free (connection->camera);
  g_free (connection);
}

void
rec_stream_info_free (RecStreamInfo *stream)
{
  if (stream == NULL)
    return;
  g_free (stream->id);
  g_free (stream->type_of_video);
  g_free (stream->video_dimensions);
  g_free (stream);
}

void
rec_subscription_free (RecSubscription *subscription)
{
  g_free (subscription->stream_id);
  g_free (subscription);
}

char *
rec_stream_dup_dimensions (const char *text)
{
  g_autoptr (RecJson) object = NULL;
  int64_t width, height;

  if (text == NULL)
    return NULL;
  object = rec_json_parse (text, strlen (text), 1000, NULL);
  if (object == NULL || !json_object_is_type (object, json_type_object) ||
      !rec_json_get_int (object, "width", &width, NULL) ||
      !rec_json_get_int (object, "height", &height, NULL))
    return NULL;
  if (width < 0 || width > MAX_DIMENSION || height < 0 || height > MAX_DIMENSION)
    return NULL;
  return g_strdup_printf ("{\"width\":%" G_GINT64_FORMAT ",\"height\":%" G_GINT64_FORMAT "}", width,
      height);
}

bool
rec_participant_is_camera (const RecParticipant *participant)
{
  return participant->connection != NULL && participant->connection->camera != NULL;
}

bool
rec_participant_can_publish (const RecParticipant *participant)
{
  return !participant->is_hidden &&
         (participant->is_insecure || participant->role == REC_ROLE_PUBLISHER ||
             participant->role == REC_ROLE_MODERATOR);
}

bool
rec_participant_can_moderate (const RecParticipant *participant)
{
  return participant->is_insecure || participant->role == REC_ROLE_MODERATOR;
}

RecParticipant *
rec_session_find_participant (RecSession *session, const char *connection_id)
{
  for (guint i = 0; i < session->participants->len; i++) {
    RecParticipant *participant = session->participants->pdata[i];
    if (g_strcmp0 (participant->id, connection_id) == 0)
      return participant;
  }
  return NULL;
}

RecStreamInfo *
rec_session_find_stream (RecSession *session, const char *stream_id)
{
  for (guint i = 0; i < session->participants->len; i++) {
    const RecParticipant *participant = session->participants->pdata[i];
    RecStreamInfo *stream = participant->stream;
    if (stream != NULL && stream->is_published && g_strcmp0 (stream->id, stream_id) == 0)
      return stream;
  }
  return NULL;
}

RecConnection *
rec_session_find_connection (RecSession *session, const char *connection_id)
{
  for (guint i = 0; i < session->connections->len; i++) {
    RecConnection *connection = session->connections->pdata[i];
    if (g_strcmp0 (connection->id, connection_id) == 0)
      return connection;
  }
  return NULL;
}

unsigned
rec_session_count_visible (const RecSession *session)
{
  unsigned n_visible = 0;

  for (guint i = 0; i < session->participants->len; i++) {
    const RecParticipant *participant = session->participants->pdata[i];
    n_visible += !participant->is_hidden;
  }
  return n_visible;
}

unsigned
rec_session_count_publishers (const RecSession *session)
{
  unsigned n_publishers = 0;

  for (guint i = 0; i < session->participants->len; i++) {
    const RecParticipant *participant = session->participants->pdata[i];
    n_publishers += participant->stream != NULL && participant->stream->is_published;
  }
  return n_publishers;
}
