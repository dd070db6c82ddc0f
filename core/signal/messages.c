/* messages.c - signals, changes of streams, and what moderators may do. */
#define G_LOG_DOMAIN "rec.signal.messages"
#include "base/error.h"
#include "signal/private.h"

#include <string.h>

static bool
read_receivers (RecJson *message, GPtrArray *ids, GError **error)
{
  RecJson *to = rec_json_get (message, "to");
  size_t n_ids = 0;

  if (to != NULL && !json_object_is_type (to, json_type_array)) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_SIGNAL_TO, "to must be an array of connection ids");
    return false;
  }
  if (to != NULL)
    n_ids = json_object_array_length (to);
  for (size_t i = 0; i < n_ids; i++) {
    RecJson *id = json_object_array_get_idx (to, i);
    if (!json_object_is_type (id, json_type_string)) {
      g_set_error (error, REC_RPC_ERROR, REC_RPC_SIGNAL_TO,
          "to must be an array of connection ids");
      return false;
    }
    g_ptr_array_add (ids, (void *) json_object_get_string (id));
  }
  g_ptr_array_add (ids, NULL);
  return true;
}

static bool
read_text (RecJson *message, const char *name, const char **text, GError **error)
{
  *text = rec_json_string_or (message, name, NULL);
  if (*text == NULL && rec_json_has (message, name)) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_SIGNAL_FORMAT, "%s of a signal must be a string",
        name);
    return false;
  }
  if (*text == NULL)
    *text = "";
  return true;
}

RecJson *
rec_handle_send_message (RecSignalClient *client, const RecRpcRequest *request, GError **error)
{
  RecParticipant *participant = client->seat->participant;
  const char *text = rec_json_string_or (request->params, "message", "");
  g_autoptr (RecJson)
      message = rec_json_parse (text, strlen (text), client->server->max_message_bytes, NULL);
  g_autoptr (GPtrArray) to = g_ptr_array_new ();
  g_autoptr (GError) cause = NULL;
  const char *data, *type;

  /* The secret of a page is good for nothing but to watch. */
  if (participant->is_hidden && !participant->is_insecure) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_SIGNAL_FORMAT, "a recorder sends no signals");
    return NULL;
  }
  if (message == NULL || !json_object_is_type (message, json_type_object)) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_SIGNAL_FORMAT, "a signal must be a JSON object");
    return NULL;
  }
  if (!read_receivers (message, to, error) || !read_text (message, "data", &data, error) ||
      !read_text (message, "type", &type, error))
    return NULL;
  type = client->seat->dialect->read_signal_type (type);
  if (!rec_registry_send_signal (client->server->registry, participant->session, participant,
          to->len > 1 ? (const char *const *) to->pdata : NULL, type, data, &cause)) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_SIGNAL_TO, "%s", rec_error_public_message (cause));
    return NULL;
  }
  return json_object_new_object ();
}

static char *
dup_value_as_text (RecJson *value)
{
  return json_object_is_type (value, json_type_string) ? g_strdup (json_object_get_string (value))
                                                       : rec_json_to_text (value);
}

RecJson *
rec_handle_stream_property_changed (RecSignalClient *client, const RecRpcRequest *request,
    GError **error)
{
  RecJson *params = request->params;
  const char *stream_id = rec_json_string_or (params, "streamId", "");
  RecStreamInfo *stream = client->seat->participant->stream;
  g_autofree char *value = dup_value_as_text (rec_json_get (params, "newValue"));

  if (stream == NULL || strcmp (stream->id, stream_id) != 0) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_USER_NOT_STREAMING, "'%s' publishes no stream '%s'",
        client->seat->participant->id, stream_id);
    return NULL;
  }
  if (!rec_registry_change_stream (client->server->registry, stream,
          rec_json_string_or (params, "property", ""), value,
          rec_json_string_or (params, "reason", ""), error))
    return NULL;
  return json_object_new_object ();
}

static bool
check_moderator (const RecParticipant *participant, GError **error)
{
  if (rec_participant_can_moderate (participant))
    return true;
  g_set_error (error, REC_RPC_ERROR, REC_RPC_UNAUTHORIZED, "'%s' is no MODERATOR", participant->id);
  return false;
}

RecJson *
rec_handle_force_disconnect (RecSignalClient *client, const RecRpcRequest *request, GError **error)
{
  const RecParticipant *moderator = client->seat->participant;
  const char *id = rec_json_string_or (request->params, "connectionId", "");
  RecParticipant *participant;

  if (!check_moderator (moderator, error))
    return NULL;
  participant = rec_session_find_participant (moderator->session, id);
  if (participant == NULL || participant->is_hidden) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_USER_NOT_FOUND, "'%s' is not connected", id);
    return NULL;
  }
  rec_registry_leave (client->server->registry, participant, "forceDisconnectByUser");
  return json_object_new_object ();
}

RecJson *
rec_handle_force_unpublish (RecSignalClient *client, const RecRpcRequest *request, GError **error)
{
  const RecParticipant *moderator = client->seat->participant;
  const char *id = rec_json_string_or (request->params, "streamId", "");
  RecStreamInfo *stream;

  if (!check_moderator (moderator, error))
    return NULL;
  stream = rec_session_find_stream (moderator->session, id);
  if (stream == NULL) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_USER_NOT_STREAMING, "nobody publishes '%s'", id);
    return NULL;
  }
  /* The answer comes first, then everybody hears of it. */
  rec_signal_client_answer (client, request->id, json_object_new_object ());
  rec_registry_end_stream (client->server->registry, stream, "forceUnpublishByUser");
  return NULL;
}

RecJson *
rec_handle_filter (RecSignalClient *client G_GNUC_UNUSED, const RecRpcRequest *request,
    GError **error)
{
  g_set_error (error, REC_RPC_ERROR, REC_RPC_FILTER_NOT_APPLIED,
      "%s: this server has no filters, streams pass through as they are", request->method);
  return NULL;
}

RecJson *
rec_handle_filter_listener (RecSignalClient *client G_GNUC_UNUSED, const RecRpcRequest *request,
    GError **error)
{
  g_set_error (error, REC_RPC_ERROR, REC_RPC_FILTER_LISTENER,
      "%s: this server has no filters, streams pass through as they are", request->method);
  return NULL;
}

RecJson *
rec_handle_speech_to_text (RecSignalClient *client G_GNUC_UNUSED, const RecRpcRequest *request,
    GError **error)
{
  g_set_error (error, REC_RPC_ERROR, REC_RPC_WRONG_EDITION, "%s: there is no speech to text",
      request->method);
  return NULL;
}

/* Reports and probes that need no more than an answer. */
RecJson *
rec_handle_nothing (RecSignalClient *client G_GNUC_UNUSED,
    const RecRpcRequest *request G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return json_object_new_object ();
}
