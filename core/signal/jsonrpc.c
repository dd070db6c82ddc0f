/* jsonrpc.c - frames of JSON-RPC 2.0. */
#define G_LOG_DOMAIN "rec.signal.jsonrpc"
#include "signal/jsonrpc.h"

#include "base/error.h"

#define MAX_METHOD_BYTES 100

G_DEFINE_QUARK (rec - rpc - error - quark, rec_rpc_error)

static bool
take_id (RecRpcRequest *request, RecJson *message, GError **error)
{
  RecJson *id = rec_json_get (message, "id");

  if (id != NULL && !json_object_is_type (id, json_type_int) &&
      !json_object_is_type (id, json_type_string)) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_INVALID_REQUEST, "id must be a number or a string");
    return false;
  }
  request->id = json_object_get (id);
  return true;
}

static bool
take_method (RecRpcRequest *request, RecJson *message, GError **error)
{
  const char *method = rec_json_string_or (message, "method", NULL);

  if (method == NULL && !rec_json_has (message, "method") &&
      (rec_json_has (message, "result") || rec_json_has (message, "error")))
    return true;
  if (method == NULL || *method == '\0' || strlen (method) > MAX_METHOD_BYTES) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_INVALID_REQUEST,
        "method must be a string of 1 to %d bytes", MAX_METHOD_BYTES);
    return false;
  }
  request->method = g_strdup (method);
  return true;
}

static bool
take_params (RecRpcRequest *request, RecJson *message, GError **error)
{
  RecJson *params = rec_json_get (message, "params");

  if (params != NULL && !json_object_is_type (params, json_type_object)) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_INVALID_PARAMS, "params must be an object");
    return false;
  }
  request->params = json_object_get (params);
  return true;
}

bool
rec_rpc_request_parse (RecRpcRequest *request, const char *text, size_t length, size_t max_bytes,
    GError **error)
{
  g_autoptr (RecJson) message = NULL;
  g_autoptr (GError) cause = NULL;

  *request = (RecRpcRequest){ 0 };
  if (length > max_bytes) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_TRANSPORT_REQUEST,
        "a message of %zu bytes is longer than the %zu that server.max-message-bytes allows",
        length, max_bytes);
    return false;
  }
  message = rec_json_parse (text, length, max_bytes, &cause);
  if (message == NULL) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_NOT_JSON, "cannot read the message: %s",
        rec_error_public_message (cause));
    return false;
  }
  if (!json_object_is_type (message, json_type_object)) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_INVALID_REQUEST, "the message must be an object");
    return false;
  }
  return take_id (request, message, error) && take_method (request, message, error) &&
         take_params (request, message, error);
}

void
rec_rpc_request_clear (RecRpcRequest *request)
{
  g_clear_pointer (&request->id, json_object_put);
  g_clear_pointer (&request->method, g_free);
  g_clear_pointer (&request->params, json_object_put);
}

/* Clients drop whatever lacks "jsonrpc", and answers with both or neither of result and error. */
static char *
finish (RecJson *message)
{
  g_autoptr (RecJson) taken = message;

  rec_json_set_string (taken, "jsonrpc", "2.0");
  return rec_json_to_text (taken);
}

char *
rec_rpc_make_result (RecJson *id, RecJson *result)
{
  RecJson *message = json_object_new_object ();

  rec_json_take (message, "id", json_object_get (id));
  rec_json_take (message, "result", result);
  return finish (message);
}

char *
rec_rpc_make_error (RecJson *id, const GError *error)
{
  RecJson *message = json_object_new_object ();
  RecJson *object = json_object_new_object ();

  rec_json_set_int (object, "code", error->domain == REC_RPC_ERROR ? error->code : REC_RPC_GENERIC);
  rec_json_set_string (object, "message",
      error->domain == REC_RPC_ERROR ? error->message : rec_error_public_message (error));
  rec_json_take (message, "id", json_object_get (id));
  rec_json_take (message, "error", object);
  return finish (message);
}

char *
rec_rpc_make_notification (const char *method, RecJson *params)
{
  RecJson *message = json_object_new_object ();

  rec_json_set_string (message, "method", method);
  rec_json_take (message, "params", params);
  return finish (message);
}
