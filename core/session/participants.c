/* participants.c - who may come in, who is in, and how they leave. */
#define G_LOG_DOMAIN "rec.session.participants"
#include "session/registry.h"

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "session/private.h"
#include "session/token.h"

#include <string.h>

#define OLD_MAX_METADATA_CHARACTERS 10000

/* What lets somebody in. */
typedef enum {
  WAY_INVALID = 0,
  WAY_TOKEN,
  WAY_SERVER_SECRET,
  WAY_PAGE_SECRET, /* of the page that is recorded: may watch, and nothing else */
} Way;

static unsigned
count_pending (const RecSession *session)
{
  unsigned n_pending = 0;

  for (guint i = 0; i < session->connections->len; i++) {
    const RecConnection *connection = session->connections->pdata[i];
    n_pending += connection->participant == NULL;
  }
  return n_pending;
}

/* Everybody who joins is told everybody's in one message. */
static bool
check_metadata_size (const RecRegistry *registry, const char *session_id, const char *metadata,
    GError **error)
{
  int64_t max = rec_config_get_int (registry->config, "server.max-metadata-bytes");

  if (metadata == NULL || strlen (metadata) <= (size_t) max)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_TOO_LARGE,
      "cannot join session '%s': the metadata has %zu bytes, more than server.max-metadata-bytes "
      "(%d) allows",
      session_id, strlen (metadata), (int) max);
  return false;
}

static RecCameraInfo *
dup_camera (const RecCameraInfo *given)
{
  RecCameraInfo *camera = given != NULL ? g_memdup2 (given, sizeof *given) : NULL;

  if (camera != NULL)
    camera->uri = g_strdup (given->uri);
  return camera;
}

static RecConnection *
make_connection (RecRegistry *registry, RecSession *session, const RecConnectionRequest *request,
    const char *prefix)
{
  RecConnection *connection = g_new0 (RecConnection, 1);

  connection->session = session;
  connection->id = rec_make_id (prefix, 10);
  connection->token = rec_make_id ("tok_", 16);
  connection->role = request->role != REC_ROLE_INVALID ? request->role : REC_ROLE_PUBLISHER;
  connection->server_data = g_strdup (request->server_data != NULL ? request->server_data : "");
  connection->record = request->record;
  connection->created_at_ms = rec_registry_now_ms (registry);
  connection->custom_ice_servers = json_object_get (request->custom_ice_servers);
  connection->kurento_options = json_object_get (request->kurento_options);
  connection->camera = dup_camera (request->camera);
  return connection;
}

RecConnection *
rec_registry_create_connection (RecRegistry *registry, RecSession *session,
    const RecConnectionRequest *request, GError **error)
{
  int64_t max_tokens = rec_config_get_int (registry->config, "server.max-tokens-per-session");
  RecConnection *connection;

  REC_ASSERT_MAIN ();
  if (!check_metadata_size (registry, session->id, request->server_data, error))
    return NULL;
  if (count_pending (session) >= max_tokens) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_MANY,
        "cannot create a connection: session '%s' has %d unused tokens, the most that "
        "server.max-tokens-per-session allows",
        session->id, (int) max_tokens);
    return NULL;
  }
  connection = make_connection (registry, session, request, "con_");
  g_ptr_array_add (session->connections, connection);
  return connection;
}

void
rec_registry_delete_connection (RecRegistry *registry, RecConnection *connection,
    const char *reason)
{
  if (connection->participant != NULL)
    rec_registry_leave (registry, connection->participant, reason);
  else
    g_ptr_array_remove (connection->session->connections, connection);
}

void
rec_registry_update_connection (RecRegistry *registry, RecConnection *connection, RecRole role,
    bool record)
{
  RecParticipant *participant = connection->participant;
  g_autoptr (RecParticipant) held = participant != NULL ? rec_participant_ref (participant) : NULL;
  bool has_new_role = role != REC_ROLE_INVALID && role != connection->role &&
                      connection->camera == NULL;
  bool has_new_record = record != connection->record;

  REC_ASSERT_MAIN ();
  if (has_new_role)
    connection->role = role;
  connection->record = record;
  if (participant == NULL)
    return;
  participant->role = connection->role;
  if (has_new_role)
    REC_EMIT (registry, connection_changed, connection, "role", rec_role_to_string (role));
  if (has_new_record)
    REC_EMIT (registry, connection_changed, connection, "record", record ? "true" : "false");
}

char *
rec_registry_dup_token_url (RecRegistry *registry, const RecConnection *connection)
{
  return rec_token_make_url (registry->public_url, connection->session->id, connection->token,
      connection->role);
}

static bool
check_metadata (const RecRegistry *registry, const RecJoinRequest *request, GError **error)
{
  if (!check_metadata_size (registry, request->session_id, request->client_data, error))
    return false;
  if (request->era != REC_ERA_OLD || request->client_data == NULL ||
      g_utf8_strlen (request->client_data, -1) <= OLD_MAX_METADATA_CHARACTERS)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_TOO_LARGE,
      "cannot join session '%s': its metadata has more than %d characters", request->session_id,
      OLD_MAX_METADATA_CHARACTERS);
  return false;
}

/* As OpenVidu 2.0 and 2.1 did for applications without a server side. */
static RecSession *
create_on_the_fly (RecRegistry *registry, const RecJoinRequest *request, GError **error)
{
  RecSessionProperties *properties = rec_session_properties_new ();

  properties->records_always = true;
  rec_recording_properties_free (properties->recording);
  properties->recording = rec_recording_properties_new_of_era (REC_ERA_OLD);
  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (request->session_id);
  g_free (properties->forced_video_codec);
  properties->forced_video_codec =
      g_strdup (rec_config_get_string (registry->config, "openvidu.streams.forced-video-codec"));
  return rec_registry_create_session (registry, REC_ERA_OLD, properties, error);
}

static RecSession *
find_session_to_join (RecRegistry *registry, const RecJoinRequest *request, bool is_insecure,
    GError **error)
{
  const char *id = request->session_id != NULL ? request->session_id : "";
  RecSession *session = rec_registry_find_session (registry, id);

  if (session == NULL && is_insecure && request->era == REC_ERA_OLD && *id != '\0')
    return create_on_the_fly (registry, request, error);
  if (session == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_FOUND, "cannot join session '%s': there is none",
        id);
    return NULL;
  }
  if (session->is_closing) {
    g_set_error (error, REC_ERROR, REC_ERROR_CONFLICT,
        "cannot join session '%s': it is being closed", id);
    return NULL;
  }
  return session;
}

static RecConnection *
find_unused_token (const RecSession *session, const char *token, GError **error)
{
  for (guint i = 0; i < session->connections->len; i++) {
    RecConnection *connection = session->connections->pdata[i];
    if (connection->participant == NULL && rec_secret_equals (token, connection->token))
      return connection;
  }
  g_set_error (error, REC_ERROR, REC_ERROR_UNAUTHORIZED,
      "cannot join session '%s': the token is unknown or was used before; ask for a new one",
      session->id);
  return NULL;
}

static bool
check_room (RecRegistry *registry, const RecSession *session, GError **error)
{
  int64_t max = rec_config_get_int (registry->config, "server.max-participants-per-session");

  if (rec_session_count_visible (session) < max)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_TOO_MANY,
      "cannot join session '%s': it has %d participants, the most that "
      "server.max-participants-per-session allows",
      session->id, (int) max);
  return false;
}

static char *
compose_metadata (const char *client_data, const char *server_data)
{
  if (*client_data != '\0' && *server_data != '\0')
    return g_strconcat (client_data, "%/%", server_data, NULL);
  return g_strdup (*client_data != '\0' ? client_data : server_data);
}

static char *
dup_or_empty (const char *text)
{
  return g_strdup (text != NULL ? text : "");
}

static RecParticipant *
make_participant (RecRegistry *registry, RecSession *session, RecConnection *connection, Way way,
    const RecJoinRequest *request)
{
  RecParticipant *participant = g_new0 (RecParticipant, 1);

  participant->n_references = 1;
  participant->session = rec_session_ref (session);
  participant->connection = connection;
  participant->rpc_id = rec_make_id ("", 26);
  participant->client_data = dup_or_empty (request->client_data);
  participant->platform = dup_or_empty (request->platform);
  participant->sdk_version = dup_or_empty (request->sdk_version);
  participant->ip = dup_or_empty (request->ip);
  participant->joined_at_ms = rec_registry_now_ms (registry);
  participant->subscriptions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) rec_subscription_free);
  if (connection != NULL) {
    connection->participant = participant;
    participant->id = g_strdup (connection->id);
    participant->role = connection->role;
    participant->server_data = g_strdup (connection->server_data);
    participant->token_url = rec_registry_dup_token_url (registry, connection);
  } else {
    participant->is_insecure = way == WAY_SERVER_SECRET;
    participant->is_hidden = request->recorder;
    participant->id = request->recorder ? g_strdup (REC_RECORDER_ID) : rec_make_id ("con_", 10);
    participant->role = request->era == REC_ERA_OLD ? REC_ROLE_PUBLISHER : REC_ROLE_SUBSCRIBER;
    participant->server_data = g_strdup ("");
    participant->token_url = g_strdup ("");
  }
  participant->metadata = compose_metadata (participant->client_data, participant->server_data);
  return participant;
}

static Way
choose_way (RecRegistry *registry, const RecJoinRequest *request)
{
  const char *secret = rec_config_get_string (registry->config, "openvidu.secret");
  const RecSession *session =
      request->recorder ? rec_registry_find_session (registry, request->session_id) : NULL;

  if (rec_secret_equals (request->secret, secret))
    return WAY_SERVER_SECRET;
  if (session != NULL && session->recording != NULL &&
      rec_recording_admits_page (session->recording, request->secret))
    return WAY_PAGE_SECRET;
  return WAY_TOKEN;
}

static void
enter (RecSession *session, RecParticipant *participant)
{
  g_ptr_array_add (session->participants, rec_participant_ref (participant));
  if (session->active_since_ms == 0)
    session->active_since_ms = participant->joined_at_ms;
}

RecParticipant *
rec_registry_join (RecRegistry *registry, const RecJoinRequest *request, GError **error)
{
  Way way = choose_way (registry, request);
  RecConnection *connection = NULL;
  RecParticipant *previous = NULL;
  g_autoptr (RecParticipant) participant = NULL;
  RecSession *session;

  REC_ASSERT_MAIN ();
  if (!check_metadata (registry, request, error))
    return NULL;
  session = find_session_to_join (registry, request, way == WAY_SERVER_SECRET, error);
  if (session == NULL)
    return NULL;
  if (way == WAY_TOKEN) {
    connection = find_unused_token (session, request->token, error);
    if (connection == NULL)
      return NULL;
  }
  if (way != WAY_TOKEN && request->recorder)
    previous = rec_session_find_participant (session, REC_RECORDER_ID);
  else if (!check_room (registry, session, error))
    return NULL;

  participant = make_participant (registry, session, connection, way, request);
  enter (session, participant);
  /* A layout page that was loaded again takes the place of its old self. */
  if (previous != NULL)
    rec_registry_leave (registry, previous, "networkDisconnect");
  REC_EMIT (registry, participant_joined, participant);
  if (participant->is_leaving) {
    g_set_error (error, REC_ERROR, REC_ERROR_CONFLICT,
        "cannot join session '%s': it is being closed", request->session_id);
    return NULL;
  }
  return participant;
}

/* Its address, where the URI has one and not a name. */
static char *
dup_camera_ip (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_PARSE_RELAXED, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  return g_strdup (host != NULL && g_hostname_is_ip_address (host) ? host : "");
}

static bool
add_camera_stream (RecRegistry *registry, RecParticipant *participant, bool has_audio,
    GError **error)
{
  char type[] = "IPCAM";
  RecStreamInfo properties = { .has_audio = has_audio,
    .audio_active = has_audio,
    .has_video = true,
    .video_active = true,
    .type_of_video = type,
    .frame_rate = -1 };

  if (rec_registry_add_stream (registry, participant, &properties, error) != NULL)
    return true;
  rec_registry_leave (registry, participant, "networkDisconnect");
  return false;
}

RecParticipant *
rec_registry_join_camera (RecRegistry *registry, RecSession *session,
    const RecConnectionRequest *request, bool has_audio, GError **error)
{
  g_autofree char *ip = dup_camera_ip (request->camera->uri);
  RecJoinRequest join = { .session_id = session->id, .platform = "IPCAM", .ip = ip };
  g_autoptr (RecParticipant) participant = NULL;
  RecConnection *connection;

  REC_ASSERT_MAIN ();
  if (!check_metadata_size (registry, session->id, request->server_data, error) ||
      !check_room (registry, session, error))
    return NULL;
  connection = make_connection (registry, session, request, "ipc_IPCAM_");
  g_ptr_array_add (session->connections, connection);
  participant = make_participant (registry, session, connection, WAY_TOKEN, &join);
  g_clear_pointer (&participant->token_url, g_free);
  participant->token_url = g_strdup ("");
  enter (session, participant);
  REC_EMIT (registry, participant_joined, participant);
  if (participant->is_leaving) {
    g_set_error (error, REC_ERROR, REC_ERROR_CONFLICT,
        "cannot add an IP camera: the session is being closed");
    return NULL;
  }
  return add_camera_stream (registry, participant, has_audio, error) ? participant : NULL;
}

static void
drop_subscriptions (RecRegistry *registry, RecParticipant *participant)
{
  while (participant->subscriptions->len > 0) {
    RecSubscription *subscription = participant->subscriptions->pdata[0];
    g_autofree char *stream_id = g_strdup (subscription->stream_id);
    rec_registry_unsubscribe_from_stream (registry, participant, stream_id);
  }
}

void
rec_registry_remove_participant (RecRegistry *registry, RecParticipant *participant,
    const char *reason)
{
  g_autoptr (RecParticipant) held = NULL;
  RecSession *session = participant->session;
  guint index;

  REC_ASSERT_MAIN ();
  if (participant->is_leaving)
    return;
  held = rec_participant_ref (participant);
  participant->is_leaving = true;
  g_ptr_array_remove (session->participants, participant);
  /* From here on the connection is its participant's. */
  if (g_ptr_array_find (session->connections, participant->connection, &index))
    g_ptr_array_steal_index (session->connections, index);
  if (participant->stream != NULL)
    rec_registry_end_stream (registry, participant->stream, reason);
  drop_subscriptions (registry, participant);
  REC_EMIT (registry, participant_left, participant, reason);
}

void
rec_registry_leave (RecRegistry *registry, RecParticipant *participant, const char *reason)
{
  g_autoptr (RecSession) session = rec_session_ref (participant->session);

  rec_registry_remove_participant (registry, participant, reason);
  rec_registry_close_if_empty (registry, session);
}
