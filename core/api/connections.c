/* connections.c - REST: connections, tokens, streams and signals of a session. */
#define G_LOG_DOMAIN "rec.api.connections"
#include "api/bodies.h"
#include "api/entities.h"
#include "api/private.h"
#include "base/error.h"

/* The status says how this call of OpenVidu answers for an unknown session. */
static RecSession *
find_session (RecCall *call, const char *id, unsigned status)
{
  RecSession *session = rec_registry_find_session (call->api->context.registry, id);

  if (session == NULL)
    rec_http_answer_status (call->request, status, "there is no session with this id");
  return session;
}

static RecConnection *
create_connection (RecCall *call, RecSession *session, GError **error)
{
  RecConnectionRequest asked;

  if (!rec_body_to_connection (call->body, call->era,
          rec_registry_now_ms (call->api->context.registry), &asked, error))
    return NULL;
  return rec_registry_create_connection (call->api->context.registry, session, &asked, error);
}

void
rec_create_connection (RecCall *call)
{
  g_autoptr (GError) error = NULL;
  RecSession *session = find_session (call, call->arguments[0], 404);

  if (session == NULL || rec_api_create_camera (call))
    return;
  const RecConnection *connection = create_connection (call, session, &error);
  if (connection == NULL)
    rec_http_answer_error (call->request, error);
  else
    rec_http_answer_json (call->request, 200, rec_rest_connection (connection));
}

void
rec_list_connections (RecCall *call)
{
  const bool with_pending = rec_http_request_query_bool (call->request, "pendingConnections", true);
  RecSession *session = find_session (call, call->arguments[0], 404);

  if (session != NULL)
    rec_http_answer_json (call->request, 200, rec_rest_connections (session, with_pending));
}

/* One of the two, or neither: then the request is answered. */
static void
find_connection (RecCall *call, RecSession *session, RecParticipant **participant,
    RecConnection **pending)
{
  *participant = rec_session_find_participant (session, call->arguments[1]);
  *pending = NULL;
  if (*participant != NULL && (*participant)->is_hidden)
    *participant = NULL;
  if (*participant == NULL)
    *pending = rec_session_find_connection (session, call->arguments[1]);
  if (*participant == NULL && *pending == NULL)
    rec_http_answer_status (call->request, 404, "the session has no connection with this id");
}

void
rec_get_connection (RecCall *call)
{
  RecSession *session = find_session (call, call->arguments[0], 400);
  RecParticipant *participant;
  RecConnection *pending;

  if (session == NULL)
    return;
  find_connection (call, session, &participant, &pending);
  if (participant != NULL)
    rec_http_answer_json (call->request, 200, rec_rest_participant (participant));
  else if (pending != NULL)
    rec_http_answer_json (call->request, 200, rec_rest_connection (pending));
}

void
rec_update_connection (RecCall *call)
{
  g_autoptr (GError) error = NULL;
  RecSession *session = find_session (call, call->arguments[0], 400);
  RecParticipant *participant;
  RecConnection *connection;
  RecRole role;

  if (session == NULL)
    return;
  find_connection (call, session, &participant, &connection);
  if (participant == NULL && connection == NULL)
    return;
  if (participant != NULL)
    connection = participant->connection;
  if (connection == NULL) {
    rec_http_answer_status (call->request, 400,
        "who joined with the secret has no connection to change");
    return;
  }
  bool record = connection->record;
  if (!rec_body_to_connection_update (call->body, &role, &record, &error)) {
    rec_http_answer_error (call->request, error);
    return;
  }
  rec_registry_update_connection (call->api->context.registry, connection, role, record);
  rec_http_answer_json (call->request, 200,
      connection->participant != NULL ? rec_rest_participant (connection->participant)
                                      : rec_rest_connection (connection));
}

void
rec_delete_connection (RecCall *call)
{
  static const char reason[] = "forceDisconnectByServer";
  RecRegistry *registry = call->api->context.registry;
  RecSession *session = find_session (call, call->arguments[0], 400);
  RecParticipant *participant;
  RecConnection *pending;

  if (session == NULL)
    return;
  find_connection (call, session, &participant, &pending);
  if (participant == NULL && pending == NULL)
    return;
  if (participant != NULL)
    rec_registry_leave (registry, participant, reason);
  else
    rec_registry_delete_connection (registry, pending, reason);
  rec_http_answer_empty (call->request, 204);
}

void
rec_delete_stream (RecCall *call)
{
  RecSession *session = find_session (call, call->arguments[0], 400);
  RecStreamInfo *stream;

  if (session == NULL)
    return;
  stream = rec_session_find_stream (session, call->arguments[1]);
  if (stream == NULL) {
    rec_http_answer_status (call->request, 404, "the session has no stream with this id");
    return;
  }
  if (rec_participant_is_camera (stream->owner)) {
    rec_http_answer_status (call->request, 405,
        "the stream of an IP camera ends with its connection: delete that");
    return;
  }
  rec_registry_end_stream (call->api->context.registry, stream, "forceUnpublishByServer");
  rec_http_answer_empty (call->request, 204);
}

/* --- tokens -------------------------------------------------------------------------------------------------------- */

static RecJson *
make_token (RecCall *call, const RecConnection *connection)
{
  g_autofree char *url = rec_registry_dup_token_url (call->api->context.registry, connection);
  RecJson *token = json_object_new_object ();

  /* 2.0 to 2.4 return `id` to the application, later ones `token`. */
  rec_json_set_string (token, "id", url);
  rec_json_set_string (token, "token", url);
  rec_json_set_string (token, "connectionId", connection->id);
  rec_json_set_int (token, "createdAt", connection->created_at_ms);
  rec_json_set_string (token, "session", connection->session->id);
  rec_json_set_string (token, "role", rec_role_to_string (connection->role));
  rec_json_set_string (token, "data", connection->server_data);
  if (connection->kurento_options != NULL)
    rec_json_take (token, "kurentoOptions", json_object_get (connection->kurento_options));
  return token;
}

void
rec_create_token (RecCall *call)
{
  g_autoptr (GError) error = NULL;
  const char *id;
  RecSession *session;

  if (!rec_body_get_session (call->body, &id, &error)) {
    rec_http_answer_error (call->request, error);
    return;
  }
  session = find_session (call, id, call->era == REC_ERA_OLD ? 400 : 404);
  if (session == NULL)
    return;
  const RecConnection *connection = create_connection (call, session, &error);
  if (connection == NULL)
    rec_http_answer_error (call->request, error);
  else
    rec_http_answer_json (call->request, 200, make_token (call, connection));
}

/* --- signals ------------------------------------------------------------------------------------------------------- */

void
rec_send_signal (RecCall *call)
{
  g_autoptr (GError) error = NULL;
  RecSignalRequest asked;
  RecSession *session;

  if (!rec_body_to_signal (call->body, &asked, &error)) {
    rec_http_answer_error (call->request, error);
    return;
  }
  g_autofree const char **to = asked.to;
  session = find_session (call, asked.session, 404);
  if (session == NULL)
    return;
  if (session->active_since_ms == 0)
    rec_http_answer_status (call->request, 406, "nobody has joined the session yet");
  else if (!rec_registry_send_signal (call->api->context.registry, session, NULL, to, asked.type,
               asked.data, &error))
    rec_http_answer_status (call->request, 406, rec_error_public_message (error));
  else
    rec_http_answer_empty (call->request, 200);
}
