/* jsonrpc.h - frames of JSON-RPC 2.0 as OpenVidu's clients read and write them: requests in, answers and notifications out. [any] */
#ifndef REC_SIGNAL_JSONRPC_H
#define REC_SIGNAL_JSONRPC_H

#include "base/json.h"
#include "base/types.h"

#include <glib.h>

/* The code of an error in this domain is what the client reads in error.code. */
#define REC_RPC_ERROR (rec_rpc_error_quark ())
GQuark rec_rpc_error_quark (void);

typedef enum {
  REC_RPC_NOT_JSON = -32700,
  REC_RPC_INVALID_REQUEST = -32600,
  REC_RPC_UNKNOWN_METHOD = -32601,
  REC_RPC_INVALID_PARAMS = -32602,
  REC_RPC_USER_NOT_FOUND = 102,
  REC_RPC_USER_NOT_STREAMING = 105,
  REC_RPC_ALREADY_IN_ROOM = 104,
  REC_RPC_ALREADY_STREAMING = 106,
  REC_RPC_SESSION_FAILED = 201,
  REC_RPC_SESSION_NOT_FOUND = 202,
  REC_RPC_SESSION_CLOSED = 203,
  REC_RPC_MEDIA_FAILED = 301,
  REC_RPC_SDP = 302,
  REC_RPC_ENDPOINT = 304,
  REC_RPC_UNAUTHORIZED = 401,
  REC_RPC_FILTER_NOT_APPLIED = 406,
  REC_RPC_FILTER_LISTENER = 407,
  REC_RPC_METADATA = 500,
  REC_RPC_SIGNAL_FORMAT = 600,
  REC_RPC_SIGNAL_TO = 601,
  REC_RPC_NO_FORCED_CODEC = 800,
  REC_RPC_TRANSPORT_REQUEST = 801,
  REC_RPC_TRANSPORT = 803,
  REC_RPC_WRONG_EDITION = 997,
  REC_RPC_GENERIC = 999,
  REC_RPC_RECONNECTION = 40007,
} RecRpcErrorCode;

typedef struct {
  RecJson *id;  /* a number or a string; NULL when the message had none, then nothing is answered */
  char *method; /* NULL: an answer from the client, which nobody waits for */
  RecJson *params; /* an object, or NULL when absent */
} RecRpcRequest;

/* Fills request, which the caller clears in any case: an error may still know the id. */
bool rec_rpc_request_parse (RecRpcRequest *request, const char *text, size_t length,
    size_t max_bytes, GError **error);
void rec_rpc_request_clear (RecRpcRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RecRpcRequest, rec_rpc_request_clear)

/* Free what they return. id is borrowed (NULL: JSON null), result and params are taken. */
char *rec_rpc_make_result (RecJson *id, RecJson *result);
char *rec_rpc_make_error (RecJson *id, const GError *error);
char *rec_rpc_make_notification (const char *method, RecJson *params);

#endif
