/* websocket.h - wslay on one upgraded socket: bytes in, messages out; every queue bounded. */
#ifndef REC_API_WEBSOCKET_H
#define REC_API_WEBSOCKET_H

#include "api/request.h"
#include "base/types.h"

#include <glib.h>

typedef struct {
  size_t max_message_bytes;
  size_t max_queue_bytes;
  unsigned max_messages_per_second; /* frames, on average over a few seconds */
  size_t max_bytes_per_second; /* of frames, likewise; one message may always have the full size */
  unsigned idle_timeout_ms; /* a silent peer is sent a ping; silent for as long again, it is gone */
} RecWebSocketLimits;

typedef struct RecWebSocket RecWebSocket;

typedef struct {
  /* One whole text message. May send and close. */
  void (*receive) (RecWebSocket *socket, const char *text, size_t length, void *data);
  /* Nothing comes or goes any more; the receiver of this frees the socket. Never called from inside another call. */
  void (*closed) (RecWebSocket *socket, void *data);
} RecWebSocketEvents;

/* fd is borrowed and must be non-blocking. extra: bytes that were read before, may be NULL. */
RecWebSocket *rec_websocket_new (int fd, const char *extra, size_t n_extra,
    const RecWebSocketLimits *limits, const RecWebSocketEvents *events, void *data);
/* Sends what still fits into the socket, without waiting. `closed` is not called. */
void rec_websocket_free (RecWebSocket *socket);

/* After a close: does nothing. A queue that would overflow ends the connection. */
void rec_websocket_send (RecWebSocket *socket, const char *text, size_t length);
/* Queues the close frame behind what was sent; `closed` follows when the peer agreed, or after a few seconds. */
void rec_websocket_close (RecWebSocket *socket, uint16_t code, const char *reason);

/* [any] True for a GET that asks for a WebSocket of version 13 with a key. */
bool rec_websocket_is_asked_for (const RecHttpRequest *request);
/* [any] The value of Sec-WebSocket-Accept for a key. Free it. */
char *rec_websocket_make_accept (const char *key);

#endif
