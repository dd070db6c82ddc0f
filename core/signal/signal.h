/* signal.h - OpenVidu's JSON-RPC for clients of both eras: text messages in, session calls; registry events, messages out. [main]
 *
 * Knows nothing of sockets: api/websocket hands it text, no more of it than a client may send, and a way to answer. */
#ifndef REC_SIGNAL_SIGNAL_H
#define REC_SIGNAL_SIGNAL_H

#include "base/types.h"

#include <glib.h>

typedef struct {
  /* Queues one text message; the transport bounds its queue and closes itself when it overflows. */
  void (*send) (void *data, const char *text, size_t length);
  /* Closes after what was sent; rec_signal_client_closed follows, later, from the main loop. */
  void (*close) (void *data, uint16_t code, const char *reason);
} RecSignalTransport;

/* Subscribes to the registry and takes the router's events. */
RecSignalServer *rec_signal_server_new (const RecConfig *config, RecRegistry *registry,
    RecRouter *router);
void rec_signal_server_free (RecSignalServer *server);

/* A WebSocket was opened. query: the request's query string without "?", or NULL; ip: the peer's address as text. */
RecSignalClient *rec_signal_server_accept (RecSignalServer *server,
    const RecSignalTransport *transport, void *data, const char *query, const char *ip);
void rec_signal_client_receive (RecSignalClient *client, const char *text, size_t length);
/* The transport is gone; client is invalid afterwards (its participant may live on for the reconnection grace). */
void rec_signal_client_closed (RecSignalClient *client);

#endif
