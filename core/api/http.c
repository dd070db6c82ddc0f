/* http.c - libmicrohttpd on a thread of its own; requests and upgraded sockets come to the main thread. */
#define G_LOG_DOMAIN "rec.api.http"
#include "api/http.h"

#include "api/body-stream.h"
#include "api/listen.h"
#include "api/mhd.h"
#include "api/peers.h"
#include "api/tls.h"
#include "api/websocket.h"
#include "base/config.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/main-thread.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

/* How long what was answered at the end may take to leave. */
#define DRAIN_MS 1000
#define SWEEP_INTERVAL_MS 500
#define MAX_STATUS 600
/* How long an upgraded connection may take to deliver what was sent before it was closed. */
#define LINGER_MS 3000

typedef struct {
  RecHttpRequest *request; /* one of the two */
  RecHttpSocket *socket;
} Arrival;

struct RecHttpServer {
  const RecConfig *config;
  const RecHttpCallbacks *callbacks;
  void *data;
  struct MHD_Daemon *daemon;
  unsigned port;
  char *key_hash;
  size_t max_body_bytes, max_header_bytes;
  int64_t request_timeout_us, upload_timeout_us;
  bool trusts_real_ip;
  GMainContext *context;
  GHashTable *waiting; /* of RecHttpRequest, suspended: handed over, not answered */
  guint sweep_source;
  RecPeers *peers;
  atomic_uint_least64_t n_answers[MAX_STATUS]; /* by status */

  RecLock closing; /* held while an upgraded connection is closed */
  RecLock lock;    /* guards what follows */
  pthread_cond_t changed;
  bool is_stopping;
  GQueue arrivals; /* of Arrival */
  GSource *arrival_source;
  unsigned n_leaving; /* answered requests and upgraded sockets that the library still has */
};

/* --- handing over ------------------------------------------------------------------------------------------ */

static void
arrival_free (Arrival *arrival)
{
  rec_http_request_unref (arrival->request);
  rec_http_socket_free (arrival->socket);
  g_free (arrival);
}

static void
deliver (RecHttpServer *server, Arrival *arrival)
{
  if (arrival->socket != NULL) {
    server->callbacks->upgraded (g_steal_pointer (&arrival->socket), server->data);
    return;
  }
  g_hash_table_add (server->waiting, rec_http_request_ref (arrival->request));
  server->callbacks->handle (arrival->request, server->data);
}

static Arrival *
pop_arrival (RecHttpServer *server)
{
  REC_LOCKED (&server->lock);
  Arrival *arrival = g_queue_pop_head (&server->arrivals);

  if (arrival == NULL)
    g_clear_pointer (&server->arrival_source, g_source_unref);
  return arrival;
}

static gboolean
on_arrival (gpointer data)
{
  RecHttpServer *server = data;
  Arrival *arrival = pop_arrival (server);

  if (arrival == NULL)
    return G_SOURCE_REMOVE;
  deliver (server, arrival);
  arrival_free (arrival);
  return G_SOURCE_CONTINUE;
}

/* [http] The lock is held. */
static void
push_arrival (RecHttpServer *server, RecHttpRequest *request, RecHttpSocket *socket)
{
  Arrival *arrival = g_new (Arrival, 1);

  *arrival = (Arrival){ .request = request == NULL ? NULL : rec_http_request_ref (request),
    .socket = socket };
  g_queue_push_tail (&server->arrivals, arrival);
  if (server->arrival_source != NULL)
    return;
  server->arrival_source = g_idle_source_new ();
  g_source_set_priority (server->arrival_source, G_PRIORITY_DEFAULT);
  g_source_set_callback (server->arrival_source, on_arrival, server, NULL);
  g_source_attach (server->arrival_source, server->context);
}

static void
on_answered (RecHttpRequest *request)
{
  RecHttpServer *server = request->http.server;

  REC_ASSERT_MAIN ();
  {
    REC_LOCKED (&server->lock);
    request->http.is_counted = true;
    server->n_leaving++;
  }
  /* The set's reference goes last: the library may be done with the request at once. */
  g_hash_table_steal (server->waiting, request);
  MHD_resume_connection (request->http.connection);
  rec_http_request_unref (request);
}

/* --- [http] answers ---------------------------------------------------------------------------------------- */

static void
count_answer (RecHttpServer *server, unsigned status)
{
  if (status < MAX_STATUS)
    atomic_fetch_add_explicit (&server->n_answers[status], 1, memory_order_relaxed);
}

static enum MHD_Result
send_answer (struct MHD_Connection *connection, RecHttpRequest *request)
{
  count_answer (request->http.server, request->answer.status);
  return rec_mhd_send_answer (connection, request);
}

static enum MHD_Result
refuse (struct MHD_Connection *connection, RecHttpRequest *request, unsigned status,
    const char *message)
{
  rec_http_answer_status (request, status, message);
  return send_answer (connection, request);
}

static enum MHD_Result
refuse_with (struct MHD_Connection *connection, RecHttpRequest *request, const GError *error)
{
  rec_http_answer_error (request, error);
  return rec_mhd_send_answer (connection, request);
}

static gsize
get_peer (struct MHD_Connection *connection)
{
  return GPOINTER_TO_SIZE (rec_mhd_get_context (connection));
}

/* --- [http] upgrades ---------------------------------------------------------------------------------------- */

void
rec_http_socket_free (RecHttpSocket *socket)
{
  if (socket == NULL)
    return;
  RecPeers *peers = socket->server->peers;
  rec_peers_set_socket (peers, socket->peer, -1);
  {
    REC_LOCKED (&socket->server->closing);
    MHD_upgrade_action (socket->handle, MHD_UPGRADE_ACTION_CLOSE);
  }
  rec_peers_hang_up (peers, socket->peer, g_get_monotonic_time () + LINGER_MS * 1000);
  g_free (socket->extra);
  g_free (socket->query);
  g_free (socket->ip);
  g_free (socket);
}

/* Small messages leave at once, and a peer that vanished is noticed within two minutes. */
static void
tune_connection (int fd)
{
  static const int options[][3] = {
    { IPPROTO_TCP, TCP_NODELAY, 1 },
    { SOL_SOCKET, SO_KEEPALIVE, 1 },
    { IPPROTO_TCP, TCP_KEEPIDLE, 60 },
    { IPPROTO_TCP, TCP_KEEPINTVL, 15 },
    { IPPROTO_TCP, TCP_KEEPCNT, 4 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (options); i++)
    if (setsockopt (fd, options[i][0], options[i][1], &options[i][2], sizeof (int)) != 0)
      g_debug ("cannot tune a connection: %s", g_strerror (errno));
}

static void
on_upgrade (void *data, struct MHD_Connection *connection, void *req_cls, const char *extra,
    size_t n_extra, int fd, struct MHD_UpgradeResponseHandle *handle)
{
  RecHttpServer *server = data;
  RecHttpRequest *request = req_cls;
  RecHttpSocket *socket = g_new (RecHttpSocket, 1);

  /* Behind TLS, fd is another one than the connection's. */
  tune_connection (rec_mhd_get_fd (connection));
  *socket = (RecHttpSocket){
    .fd = fd,
    .extra = g_memdup2 (extra, n_extra),
    .n_extra = n_extra,
    .query = g_strdup (request->query),
    .ip = g_strdup (request->ip),
    .server = server,
    .handle = handle,
    .peer = get_peer (connection),
  };
  rec_peers_set_socket (server->peers, socket->peer, fd);
  bool usable = rec_fd_set_nonblocking (fd, true, NULL) && rec_fd_set_cloexec (fd, true, NULL);
  pthread_mutex_lock (&server->lock);
  request->http.is_counted = true;
  server->n_leaving++;
  usable = usable && !server->is_stopping;
  if (usable)
    push_arrival (server, NULL, socket);
  pthread_mutex_unlock (&server->lock);
  if (!usable)
    rec_http_socket_free (socket);
}

static enum MHD_Result
upgrade (RecHttpServer *server, struct MHD_Connection *connection, RecHttpRequest *request)
{
  g_autofree char *accept =
      rec_websocket_make_accept (rec_http_request_get_header (request, "sec-websocket-key"));
  struct MHD_Response *response = MHD_create_response_for_upgrade (on_upgrade, server);

  if (response == NULL)
    return MHD_NO;
  MHD_add_response_header (response, "Upgrade", "websocket");
  MHD_add_response_header (response, "Sec-WebSocket-Accept", accept);
  count_answer (server, MHD_HTTP_SWITCHING_PROTOCOLS);
  enum MHD_Result result = MHD_queue_response (connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
  MHD_destroy_response (response);
  return result;
}

/* --- [http] requests ---------------------------------------------------------------------------------------- */

static void
set_deadline (RecHttpServer *server, struct MHD_Connection *connection, int64_t deadline_us)
{
  rec_peers_set_deadline (server->peers, get_peer (connection), deadline_us);
}

static void
on_connection (void *data, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code)
{
  RecHttpServer *server = data;

  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    /* It is freed next, while MHD_upgrade_action (), which brought this about, may still be looking at it. */
    REC_LOCKED (&server->closing);
    rec_peers_remove (server->peers, GPOINTER_TO_SIZE (*context));
    return;
  }
  const int64_t deadline_us = g_get_monotonic_time () + server->request_timeout_us;
  *context =
      GSIZE_TO_POINTER (rec_peers_add (server->peers, rec_mhd_get_fd (connection), deadline_us));
}

static void *
on_target (void *data, const char *target, struct MHD_Connection *connection G_GNUC_UNUSED)
{
  RecHttpRequest *request = rec_http_request_new ("", target);

  request->http.server = data;
  return request;
}

static void
on_completed (void *data, struct MHD_Connection *connection, void **req_cls,
    enum MHD_RequestTerminationCode code)
{
  RecHttpServer *server = data;
  RecHttpRequest *request = *req_cls;

  if (request == NULL)
    return;
  if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
    set_deadline (server, connection, g_get_monotonic_time () + server->request_timeout_us);
  pthread_mutex_lock (&server->lock);
  if (request->http.is_counted && --server->n_leaving == 0)
    pthread_cond_broadcast (&server->changed);
  pthread_mutex_unlock (&server->lock);
  rec_body_stream_clear (request);
  rec_http_request_unref (request);
  *req_cls = NULL;
}

static void
take_address (RecHttpServer *server, struct MHD_Connection *connection, RecHttpRequest *request)
{
  const char *real_ip = rec_http_request_get_header (request, "x-real-ip");

  g_free (request->ip);
  if (server->trusts_real_ip && real_ip != NULL && g_hostname_is_ip_address (real_ip))
    request->ip = g_strdup (real_ip);
  else
    request->ip = rec_mhd_dup_address (connection);
}

/* A body that is too large is read on up to here, so that the client finds the answer, not a reset connection. */
static size_t
get_patience_bytes (const RecHttpServer *server)
{
  return 4 * server->max_body_bytes;
}

static bool
announces_far_too_much (const RecHttpServer *server, const RecHttpRequest *request)
{
  const char *length = rec_http_request_get_header (request, "content-length");

  return length != NULL && g_ascii_strtoull (length, NULL, 10) > get_patience_bytes (server);
}

/* Nothing is answered here but what must not be read on: an answer at this point closes the connection. */
static enum MHD_Result
take_headers (RecHttpServer *server, struct MHD_Connection *connection, RecHttpRequest *request,
    const char *method)
{
  request->http.has_headers = true;
  request->http.connection = connection;
  g_free (request->method);
  request->method = g_strdup (method);
  rec_mhd_copy_headers (connection, request);
  take_address (server, connection, request);
  if (rec_mhd_get_header_size (connection) > server->max_header_bytes)
    return refuse (connection, request, 431, "the headers are larger than server.max-header-bytes");
  if (!rec_mhd_has_clear_end (connection))
    return refuse (connection, request, 400,
        "the headers leave open where the body ends: send one Content-Length, or "
        "Transfer-Encoding: chunked");
  RecHttpAdmission admission = server->callbacks->admit (request, server->data);
  if (admission == REC_HTTP_STREAM_BODY) {
    set_deadline (server, connection, g_get_monotonic_time () + server->upload_timeout_us);
    rec_body_stream_begin (request, connection);
    return MHD_YES;
  }
  if (announces_far_too_much (server, request))
    return request->refusal != NULL
               ? refuse_with (connection, request, request->refusal)
               : refuse (connection, request, 413, "the body is larger than server.max-body-bytes");
  request->http.keeps_body = admission == REC_HTTP_KEEP_BODY;
  request->http.is_upgrade = admission == REC_HTTP_UPGRADE;
  return MHD_YES;
}

static enum MHD_Result
take_body (RecHttpServer *server, RecHttpRequest *request, const char *data, size_t n_data)
{
  request->http.n_received += n_data;
  if (request->http.n_received > server->max_body_bytes) {
    request->http.keeps_body = false;
    g_byte_array_set_size (request->body, 0);
    return request->http.n_received > get_patience_bytes (server) ? MHD_NO : MHD_YES;
  }
  if (request->http.keeps_body)
    g_byte_array_append (request->body, (const guint8 *) data, (guint) n_data);
  return MHD_YES;
}

/* What turns out to be unwanted may go on as long as any other request, to find its answer at its end. */
static enum MHD_Result
take_stream (RecHttpServer *server, struct MHD_Connection *connection, RecHttpRequest *request,
    const char *body, size_t *n_body)
{
  const bool was_unwanted = request->http.is_unwanted;
  const enum MHD_Result result = rec_body_stream_take (request, connection, body, n_body);

  if (request->http.is_unwanted && !was_unwanted)
    set_deadline (server, connection, g_get_monotonic_time () + server->request_timeout_us);
  return result;
}

static enum MHD_Result
hand_over (RecHttpServer *server, struct MHD_Connection *connection, RecHttpRequest *request)
{
  bool is_stopping;

  set_deadline (server, connection, 0);
  if (request->http.stream != NULL)
    rec_body_stream_end (request);
  else if (request->http.n_received > server->max_body_bytes)
    return refuse (connection, request, 413, "the body is larger than server.max-body-bytes");
  pthread_mutex_lock (&server->lock);
  is_stopping = server->is_stopping;
  if (!is_stopping && !request->http.is_upgrade) {
    request->notify_answered = on_answered;
    MHD_suspend_connection (connection);
    push_arrival (server, request, NULL);
  }
  pthread_mutex_unlock (&server->lock);
  if (is_stopping)
    return refuse (connection, request, 503, "the server is shutting down");
  return request->http.is_upgrade ? upgrade (server, connection, request) : MHD_YES;
}

static enum MHD_Result
on_access (void *data, struct MHD_Connection *connection, const char *url G_GNUC_UNUSED,
    const char *method, const char *version G_GNUC_UNUSED, const char *body, size_t *n_body,
    void **req_cls)
{
  RecHttpServer *server = data;
  RecHttpRequest *request = *req_cls;

  if (!request->http.has_headers)
    return take_headers (server, connection, request, method);
  if (*n_body > 0 && request->http.stream != NULL)
    return take_stream (server, connection, request, body, n_body);
  if (*n_body > 0) {
    enum MHD_Result result = take_body (server, request, body, *n_body);
    *n_body = 0;
    return result;
  }
  return request->is_answered ? send_answer (connection, request)
                              : hand_over (server, connection, request);
}

/* Decoding is ours: the library would end the text at %00. */
static size_t
keep_escapes (void *data G_GNUC_UNUSED, struct MHD_Connection *connection G_GNUC_UNUSED, char *text)
{
  return strlen (text);
}

static void G_GNUC_PRINTF (2, 0)
    on_log (void *data G_GNUC_UNUSED, const char *format, va_list arguments)
{
  g_autofree char *line = g_strdup_vprintf (format, arguments);

  g_debug ("libmicrohttpd: %s", g_strchomp (line));
}

/* --- the server --------------------------------------------------------------------------------------------- */

static gboolean
on_sweep (gpointer data)
{
  RecHttpServer *server = data;

  rec_peers_sweep (server->peers, g_get_monotonic_time ());
  return G_SOURCE_CONTINUE;
}

static struct MHD_Daemon *
start_daemon (RecHttpServer *server, int fd, const char *certificate, const char *key)
{
  const RecConfig *config = server->config;
  const unsigned flags = MHD_USE_TLS | MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD |
                         MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

  /* clang-format off */
  return MHD_start_daemon (flags, 0, NULL, NULL, on_access, server,
      MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
      MHD_OPTION_LISTEN_SOCKET, fd,
      MHD_OPTION_HTTPS_MEM_CERT, certificate,
      MHD_OPTION_HTTPS_MEM_KEY, key,
      MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1",
      MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
      MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
      MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
      MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) rec_config_get_int (config, "server.idle-timeout-s"),
      MHD_OPTION_CONNECTION_LIMIT, (unsigned) rec_config_get_int (config, "server.max-connections"),
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned) rec_config_get_int (config, "server.max-connections-per-address"),
      /* The library keeps the parsed headers and the answer's in the same room. */
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, 2 * server->max_header_bytes + 8192,
      MHD_OPTION_END);
  /* clang-format on */
}

static bool
start_listening (RecHttpServer *server, GError **error)
{
  const char *address = rec_config_get_string (server->config, "server.address");
  g_autofree char *certificate = NULL;
  char *key = NULL;

  if (!rec_tls_load (server->config, &certificate, &key, error))
    return false;
  rec_autofd int fd = rec_listen (address,
      (unsigned) rec_config_get_int (server->config, "server.port"), 511, error);
  server->key_hash = fd >= 0 ? rec_tls_dup_key_hash (certificate, error) : NULL;
  if (server->key_hash != NULL) {
    server->port = rec_listen_get_port (fd);
    server->daemon = start_daemon (server, fd, certificate, key);
    if (server->daemon == NULL)
      g_set_error (error, REC_ERROR, REC_ERROR_FAILED,
          "cannot start the HTTP server on %s port %u; "
          "log.topics = rec.api.http=debug says more",
          address, server->port);
    else
      rec_fd_steal (&fd);
  }
  rec_tls_free_secret (key);
  return server->daemon != NULL;
}

RecHttpServer *
rec_http_server_new (const RecConfig *config, const RecHttpCallbacks *callbacks, void *data,
    GError **error)
{
  RecHttpServer *server = g_new0 (RecHttpServer, 1);

  server->config = config;
  server->callbacks = callbacks;
  server->data = data;
  server->max_body_bytes = (size_t) rec_config_get_int (config, "server.max-body-bytes");
  server->max_header_bytes = (size_t) rec_config_get_int (config, "server.max-header-bytes");
  server->request_timeout_us = rec_config_get_int (config, "server.request-timeout-s") *
                               G_USEC_PER_SEC;
  server->upload_timeout_us = rec_config_get_int (config, "uploads.timeout-s") * G_USEC_PER_SEC;
  server->trusts_real_ip = rec_config_get_bool (config, "server.trust-x-real-ip");
  server->context = g_main_context_ref_thread_default ();
  server->waiting =
      g_hash_table_new_full (NULL, NULL, (GDestroyNotify) rec_http_request_unref, NULL);
  server->peers = rec_peers_new ();
  rec_lock_init (&server->closing);
  rec_lock_init (&server->lock);
  rec_cond_init (&server->changed);
  g_queue_init (&server->arrivals);
  if (!start_listening (server, error)) {
    rec_http_server_free (server);
    return NULL;
  }
  server->sweep_source = g_timeout_add (SWEEP_INTERVAL_MS, on_sweep, server);
  return server;
}

uint64_t
rec_http_server_count_answers (const RecHttpServer *server, unsigned status)
{
  return status < MAX_STATUS
             ? atomic_load_explicit (&server->n_answers[status], memory_order_relaxed)
             : 0;
}

unsigned
rec_http_server_get_port (const RecHttpServer *server)
{
  return server->port;
}

const char *
rec_http_server_get_key_hash (const RecHttpServer *server)
{
  return server->key_hash;
}

void
rec_http_server_stop (RecHttpServer *server)
{
  {
    REC_LOCKED (&server->lock);
    if (server->is_stopping)
      return;
    server->is_stopping = true;
  }
  int fd = MHD_quiesce_daemon (server->daemon);
  rec_fd_close (&fd);
}

static void
answer_waiting (RecHttpServer *server)
{
  g_autoptr (GList) requests = g_hash_table_get_keys (server->waiting);

  for (GList *item = requests; item != NULL; item = item->next)
    rec_http_answer_status (item->data, 503, "the server is shutting down");
}

/* Everything that came in meanwhile waits too; sockets are closed. */
static void
refuse_arrivals (RecHttpServer *server)
{
  pthread_mutex_lock (&server->lock);
  GSource *source = g_steal_pointer (&server->arrival_source);
  pthread_mutex_unlock (&server->lock);
  if (source != NULL) {
    g_source_destroy (source);
    g_source_unref (source);
  }
  for (Arrival *arrival; (arrival = pop_arrival (server)) != NULL; arrival_free (arrival))
    if (arrival->request != NULL)
      g_hash_table_add (server->waiting, rec_http_request_ref (arrival->request));
}

static void
wait_until_all_left (RecHttpServer *server)
{
  const int64_t until_us = g_get_monotonic_time () + DRAIN_MS * 1000;

  REC_LOCKED (&server->lock);
  while (server->n_leaving > 0 && rec_cond_wait_until (&server->changed, &server->lock, until_us))
    ;
}

void
rec_http_server_free (RecHttpServer *server)
{
  if (server == NULL)
    return;
  if (server->daemon != NULL) {
    rec_http_server_stop (server);
    refuse_arrivals (server);
    answer_waiting (server);
    wait_until_all_left (server);
    MHD_stop_daemon (server->daemon);
  }
  if (server->sweep_source != 0)
    g_source_remove (server->sweep_source);
  g_hash_table_unref (server->waiting);
  rec_peers_free (server->peers);
  rec_lock_clear (&server->lock);
  rec_lock_clear (&server->closing);
  pthread_cond_destroy (&server->changed);
  g_main_context_unref (server->context);
  g_free (server->key_hash);
  g_free (server);
}
