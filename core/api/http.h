/* http.h - libmicrohttpd on a thread of its own; requests and upgraded sockets come to the main thread.
 *
 * The library's thread is called [http]. It stalls when TLS, upgrades and an external loop meet, hence its own. */
#ifndef REC_API_HTTP_H
#define REC_API_HTTP_H

#include "api/request.h"
#include "base/types.h"

#include <glib.h>

/* An upgraded connection: the plain side of the TLS stream, non-blocking. */
typedef struct RecHttpSocket {
  int fd;      /* owned by the library: closed by rec_http_socket_free */
  char *extra; /* what came in before the upgrade was done, or NULL */
  size_t n_extra;
  char *query; /* or NULL */
  char *ip;
  RecHttpServer *server;
  void *handle; /* the library's */
  gsize peer;
} RecHttpSocket;

void rec_http_socket_free (RecHttpSocket *socket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecHttpSocket, rec_http_socket_free)

typedef enum {
  REC_HTTP_ADMIT_INVALID = 0,
  REC_HTTP_DISCARD_BODY, /* read and forgotten: the request will be refused, or takes none */
  REC_HTTP_KEEP_BODY,
  REC_HTTP_STREAM_BODY, /* goes to request->http.stream, which admit has set */
  REC_HTTP_UPGRADE,     /* becomes a WebSocket */
} RecHttpAdmission;

typedef struct {
  /* [http] The headers are there, the body isn't. Must not look at anything that changes. */
  RecHttpAdmission (*admit) (RecHttpRequest *request, void *data);
  /* Answers now, or keeps a reference and answers later. */
  void (*handle) (RecHttpRequest *request, void *data);
  /* Takes socket. */
  void (*upgraded) (RecHttpSocket *socket, void *data);
} RecHttpCallbacks;

/* [any] There is room again for the body of a request that waited for it. */
void rec_http_resume_request (RecHttpRequest *request);

/* Listens on the configured address. callbacks and config are borrowed and must outlive the server. */
RecHttpServer *rec_http_server_new (const RecConfig *config, const RecHttpCallbacks *callbacks,
    void *data, GError **error);
/* Closes the listening socket; requests on connections that are open get 503. */
void rec_http_server_stop (RecHttpServer *server);
/* Answers what waits with 503 and gives the answers and the closed sockets a second to leave. Every RecHttpSocket must
 * have been freed. */
void rec_http_server_free (RecHttpServer *server);

/* How many requests were answered with this status. [any] */
uint64_t rec_http_server_count_answers (const RecHttpServer *server, unsigned status);

/* The port it really listens on. */
unsigned rec_http_server_get_port (const RecHttpServer *server);
/* As rec_tls_dup_key_hash has it, of the certificate in use. */
const char *rec_http_server_get_key_hash (const RecHttpServer *server);

#endif
