/* join.c - coming in, staying in touch, coming back and leaving. */
#define G_LOG_DOMAIN "rec.signal.join"
#include "base/error.h"
#include "session/token.h"
#include "signal/private.h"

#include <string.h>

RecJson *
rec_handle_ping (RecSignalClient *client, const RecRpcRequest *request,
    GError **error G_GNUC_UNUSED)
{
  double interval_ms = rec_json_double_or (request->params, "interval", 0);
  int64_t max_us = client->server->ping_timeout_us;
  RecJson *result = json_object_new_object ();

  if (interval_ms > 0)
    client->ping_timeout_us = (int64_t) MIN (3 * interval_ms * 1000, (double) max_us);
  rec_json_set_string (result, "value", "pong");
  return result;
}

/* The answer must be the first thing on the new connection; what was said meanwhile follows it. */
RecJson *
rec_handle_connect (RecSignalClient *client, const RecRpcRequest *request, GError **error)
{
  const char *rpc_id = rec_json_string_or (request->params, "sessionId", "");
  RecSeat *seat = rec_seat_find (client->server, rpc_id);
  RecJson *result;

  if (seat == NULL || (client->seat != NULL && client->seat != seat) ||
      rec_seat_is_overdue (seat, rec_signal_server_now_us (client->server))) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_RECONNECTION, "reconnection error");
    return NULL;
  }
  rec_seat_take_client (seat, client);
  result = json_object_new_object ();
  rec_json_set_string (result, "value", "reconnection successful");
  rec_signal_client_answer (client, request->id, result);
  rec_seat_flush (seat);
  return NULL;
}

static void
translate_join_error (const RecDialect *dialect, const GError *cause, GError **error)
{
  int code = REC_RPC_SESSION_FAILED;

  if (g_error_matches (cause, REC_ERROR, REC_ERROR_UNAUTHORIZED))
    code = REC_RPC_UNAUTHORIZED;
  else if (g_error_matches (cause, REC_ERROR, REC_ERROR_NOT_FOUND))
    code = dialect->no_session_code;
  else if (g_error_matches (cause, REC_ERROR, REC_ERROR_CONFLICT))
    code = REC_RPC_SESSION_CLOSED;
  else if (g_error_matches (cause, REC_ERROR, REC_ERROR_TOO_LARGE))
    code = REC_RPC_METADATA;
  g_set_error (error, REC_RPC_ERROR, code, "%s", rec_error_public_message (cause));
}

static bool
check_token_names_session (const RecToken *token, const char *session_id, GError **error)
{
  if (token->session_id == NULL || strcmp (token->session_id, session_id) == 0)
    return true;
  g_set_error (error, REC_RPC_ERROR, REC_RPC_UNAUTHORIZED,
      "cannot join session '%s': the token is for another session", session_id);
  return false;
}

static void
tell_of_recording (const RecSignalServer *server, const RecParticipant *participant,
    RecJson *result)
{
  const RecRecording *recording = participant->session->recording;

  if (recording == NULL || recording->status != REC_RECORDING_STARTED ||
      !rec_may_hear_of_recordings (server->config, participant))
    return;
  rec_json_set_string (result, "recordingId", recording->id);
  rec_json_set_string (result, "recordingName", recording->name);
}

RecJson *
rec_handle_join_room (RecSignalClient *client, const RecRpcRequest *request, GError **error)
{
  RecJson *params = request->params;
  const RecDialect *dialect = rec_dialect_detect (params, client->query);
  const char *session_id = rec_json_string_or (params, "session", "");
  g_autoptr (RecToken) token = rec_token_parse (rec_json_string_or (params, "token", ""));
  g_autoptr (GError) cause = NULL;
  RecParticipant *participant;
  RecJson *result;

  if (client->seat != NULL) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_ALREADY_IN_ROOM,
        "this connection is in session '%s' already", client->seat->participant->session->id);
    return NULL;
  }
  if (!check_token_names_session (token, session_id, error))
    return NULL;
  const RecJoinRequest join = {
    .session_id = session_id,
    .token = token->token,
    .secret = rec_json_string_or (params, "secret", token->secret),
    .recorder = rec_json_bool_or (params, "recorder", false),
    .client_data = rec_json_string_or (params, "metadata", ""),
    .platform = rec_json_string_or (params, "platform", ""),
    .sdk_version = rec_json_string_or (params, "sdkVersion", ""),
    .ip = client->ip,
    .era = dialect->era,
  };
  participant = rec_registry_join (client->server->registry, &join, &cause);
  if (participant == NULL) {
    translate_join_error (dialect, cause, error);
    return NULL;
  }
  client->close_at_us = 0;
  rec_seat_new (client, participant, dialect);
  result = rec_describe_session (participant, dialect);
  tell_of_recording (client->server, participant, result);
  return result;
}

static void
leave (RecSignalClient *client)
{
  RecSeat *seat = client->seat;

  seat->leaves_by_itself = true;
  rec_registry_leave (client->server->registry, seat->participant, "disconnect");
  rec_signal_client_close_later (client);
}

RecJson *
rec_handle_leave_room (RecSignalClient *client, const RecRpcRequest *request G_GNUC_UNUSED,
    GError **error G_GNUC_UNUSED)
{
  leave (client);
  return json_object_new_object ();
}

RecJson *
rec_handle_close_session (RecSignalClient *client, const RecRpcRequest *request G_GNUC_UNUSED,
    GError **error G_GNUC_UNUSED)
{
  RecJson *result = json_object_new_object ();

  if (client->seat != NULL)
    leave (client);
  rec_json_set_string (result, "value", "bye");
  return result;
}
