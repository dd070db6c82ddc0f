/* rpc.h - OpenVidu's JSON-RPC over a WebSocket, as a client speaks it. [main] unless said otherwise */
#ifndef RECTO_LOAD_RPC_H
#define RECTO_LOAD_RPC_H

#include <glib.h>

#include "base/json.h"
#include "tls.h"

typedef struct LoadRpc LoadRpc;

/* result is NULL when there is an error. */
typedef void (*LoadAnswered) (RecJson *result, const GError *error, void *data);

typedef struct {
  void (*notified) (const char *method, RecJson *params, void *data);
  /* The connection is gone, or an answer is overdue; the last event. */
  void (*lost) (const GError *error, void *data);
} LoadRpcEvents;

/* Turns the connection into a WebSocket; waits. Takes no ownership. [any] */
bool load_rpc_upgrade (LoadTls *tls, const LoadAddress *address, const char *target,
    GError **error);

/* Takes the connection. */
LoadRpc *load_rpc_new (LoadTls *tls, const LoadRpcEvents *events, void *data);
void load_rpc_free (LoadRpc *rpc); /* unanswered calls are forgotten */

/* Takes params. answered may be NULL. */
void load_rpc_call (LoadRpc *rpc, const char *method, RecJson *params, LoadAnswered answered,
    void *data);
/* Answers to calls with this data are not passed on any more. */
void load_rpc_forget (LoadRpc *rpc, const void *data);

#endif
