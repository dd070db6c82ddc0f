/* websocket.c - wslay on one upgraded socket: bytes in, messages out; every queue bounded. */
#define G_LOG_DOMAIN "rec.api.websocket"
#include "api/websocket.h"

#include "base/main-thread.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

/* What a queued message costs beside its bytes. */
#define MESSAGE_OVERHEAD 128
/* What a quiet client may send at once, in seconds of its rate. */
#define BURST_S 5
/* How long the peer may take to answer a close frame. */
#define CLOSE_TIMEOUT_MS 3000
#define MAX_REASON_BYTES 122
/* What is read at a time, before others have their turn. */
#define TURN_BYTES 65536

struct RecWebSocket {
  int fd; /* borrowed */
  RecWebSocketLimits limits;
  const RecWebSocketEvents *events;
  void *data;
  wslay_event_context_ptr wslay;
  GByteArray *extra; /* read before the socket itself */
  size_t n_turn;     /* bytes that this turn has read */
  double credit;     /* messages it may still send */
  double byte_credit;
  int64_t credited_at_us;
  guint in_source, out_source, extra_source, end_source, timeout_source, idle_source;
  bool was_heard; /* since the idle timer's last look */
  bool was_pinged;
  char *
      close_reason; /* of a close that waits until all messages are out: wslay would send it first */
  uint16_t close_code;
  bool is_closing; /* nothing more is sent or heard */
  bool is_broken;  /* no byte goes any more */
  bool has_failed; /* the descriptor, not the frames */
};

static bool
is_queue_full (RecWebSocket *socket, size_t n_more)
{
  return wslay_event_get_queued_msg_length (socket->wslay) + n_more +
             wslay_event_get_queued_msg_count (socket->wslay) * MESSAGE_OVERHEAD >
         socket->limits.max_queue_bytes;
}

static gboolean
on_end (gpointer data)
{
  RecWebSocket *socket = data;

  socket->end_source = 0;
  socket->events->closed (socket, socket->data);
  return G_SOURCE_REMOVE;
}

static void
clear_source (guint *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

static void
end (RecWebSocket *socket)
{
  clear_source (&socket->in_source);
  clear_source (&socket->out_source);
  clear_source (&socket->extra_source);
  clear_source (&socket->timeout_source);
  clear_source (&socket->idle_source);
  socket->is_closing = socket->is_broken = true;
  if (socket->end_source == 0)
    socket->end_source = g_idle_add_full (G_PRIORITY_DEFAULT, on_end, socket, NULL);
}

static gboolean
on_close_timeout (gpointer data)
{
  RecWebSocket *socket = data;

  socket->timeout_source = 0;
  end (socket);
  return G_SOURCE_REMOVE;
}

static void
begin_closing (RecWebSocket *socket)
{
  socket->is_closing = true;
  if (socket->timeout_source == 0 && !socket->is_broken)
    socket->timeout_source = g_timeout_add (CLOSE_TIMEOUT_MS, on_close_timeout, socket);
}

static void
queue_close_when_empty (RecWebSocket *socket)
{
  if (socket->close_reason == NULL || wslay_event_get_queued_msg_count (socket->wslay) > 0)
    return;
  g_autofree char *reason = g_steal_pointer (&socket->close_reason);
  wslay_event_queue_close (socket->wslay, socket->close_code, (const uint8_t *) reason,
      MIN (strlen (reason), MAX_REASON_BYTES));
}

static gboolean on_writable (gint fd, GIOCondition condition, gpointer data);

/* After anything that may have changed what wslay wants. */
static void
update (RecWebSocket *socket)
{
  if (socket->is_broken)
    return;
  queue_close_when_empty (socket);
  if (wslay_event_get_close_sent (socket->wslay) &&
      wslay_event_get_close_received (socket->wslay)) {
    end (socket);
    return;
  }
  /* wslay queues a close frame by itself for what breaks the protocol. */
  if (!wslay_event_get_read_enabled (socket->wslay) ||
      wslay_event_get_close_received (socket->wslay))
    begin_closing (socket);
  if (wslay_event_want_write (socket->wslay) && socket->out_source == 0)
    socket->out_source =
        g_unix_fd_add (socket->fd, G_IO_OUT | G_IO_HUP | G_IO_ERR, on_writable, socket);
}

static gboolean
on_writable (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  RecWebSocket *socket = data;

  if (wslay_event_send (socket->wslay) != 0) {
    end (socket);
    return G_SOURCE_REMOVE;
  }
  if (!wslay_event_want_write (socket->wslay))
    socket->out_source = 0;
  guint source = socket->out_source;
  update (socket);
  return source != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Closing a connection with unread bytes resets it, and the peer may never see our close frame. */
static void
discard_input (RecWebSocket *socket)
{
  char buffer[4096];
  ssize_t n = recv (socket->fd, buffer, sizeof buffer, 0);

  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
    end (socket);
}

static void
take_input (RecWebSocket *socket)
{
  socket->n_turn = 0;
  if (!wslay_event_want_read (socket->wslay))
    discard_input (socket);
  else if (wslay_event_recv (socket->wslay) != 0 && socket->has_failed)
    end (socket);
  else
    update (socket); /* for a frame that makes no sense wslay has queued a close frame */
}

static gboolean
on_readable (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  RecWebSocket *socket = data;

  socket->was_heard = true;
  take_input (socket);
  return socket->in_source != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
on_extra (gpointer data)
{
  RecWebSocket *socket = data;

  socket->extra_source = 0;
  take_input (socket);
  return G_SOURCE_REMOVE;
}

/* A peer may be gone without a word; browsers answer pings by themselves. */
static gboolean
on_idle_timer (gpointer data)
{
  static const struct wslay_event_msg ping = { .opcode = WSLAY_PING };
  RecWebSocket *socket = data;
  const bool was_heard = socket->was_heard;

  socket->was_heard = false;
  if (!was_heard && socket->was_pinged) {
    socket->idle_source = 0;
    end (socket);
    return G_SOURCE_REMOVE;
  }
  socket->was_pinged = !was_heard;
  if (!was_heard && wslay_event_queue_msg (socket->wslay, &ping) == 0)
    update (socket);
  return G_SOURCE_CONTINUE;
}

/* --- wslay's callbacks --------------------------------------------------------------------------------------- */

static ssize_t
take_extra (RecWebSocket *socket, uint8_t *buffer, size_t length)
{
  const size_t n = MIN (length, socket->extra->len);

  memcpy (buffer, socket->extra->data, n);
  g_byte_array_remove_range (socket->extra, 0, (guint) n);
  return (ssize_t) n;
}

static ssize_t
fail_io (RecWebSocket *socket, wslay_event_context_ptr wslay, bool would_block)
{
  socket->has_failed = !would_block;
  wslay_event_set_error (wslay, would_block ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
  return -1;
}

static ssize_t
on_recv (wslay_event_context_ptr wslay, uint8_t *buffer, size_t length, int flags G_GNUC_UNUSED,
    void *data)
{
  RecWebSocket *socket = data;
  ssize_t n;

  if (socket->is_broken)
    return fail_io (socket, wslay, false);
  if (socket->extra->len > 0)
    return take_extra (socket, buffer, length);
  if (socket->n_turn >= TURN_BYTES)
    return fail_io (socket, wslay, true);
  do
    n = recv (socket->fd, buffer, length, 0);
  while (n < 0 && errno == EINTR);
  if (n > 0) {
    socket->n_turn += (size_t) n;
    return n;
  }
  return fail_io (socket, wslay, n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

static ssize_t
on_send (wslay_event_context_ptr wslay, const uint8_t *bytes, size_t length, int flags, void *data)
{
  RecWebSocket *socket = data;
  ssize_t n;

  do
    n = send (socket->fd, bytes, length,
        MSG_NOSIGNAL | ((flags & WSLAY_MSG_MORE) != 0 ? MSG_MORE : 0));
  while (n < 0 && errno == EINTR);
  if (n > 0)
    return n;
  return fail_io (socket, wslay, n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

static double
get_byte_burst (const RecWebSocketLimits *limits)
{
  return MAX ((double) limits->max_bytes_per_second * BURST_S, (double) limits->max_message_bytes);
}

static bool
spend_credit (RecWebSocket *socket, uint64_t n_bytes)
{
  const RecWebSocketLimits *limits = &socket->limits;
  const int64_t now_us = g_get_monotonic_time ();
  const double seconds = (double) (now_us - socket->credited_at_us) / G_USEC_PER_SEC;
  const double rate = limits->max_messages_per_second;

  socket->credited_at_us = now_us;
  socket->credit = MIN (socket->credit + seconds * rate, rate * BURST_S) - 1;
  socket->byte_credit = MIN (socket->byte_credit + seconds * (double) limits->max_bytes_per_second,
                            get_byte_burst (limits)) -
                        (double) n_bytes;
  return socket->credit >= 0 && socket->byte_credit >= 0;
}

static void
on_frame (wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_start_arg *frame,
    void *data)
{
  RecWebSocket *socket = data;
  /* Too large a message has a close code of its own. */
  const uint64_t n_bytes = MIN (frame->payload_length, socket->limits.max_message_bytes);

  if (spend_credit (socket, n_bytes) || socket->is_closing)
    return;
  rec_websocket_close (socket, WSLAY_CODE_POLICY_VIOLATION, "more than the server's limits allow");
  wslay_event_shutdown_read (wslay);
}

static void
on_message (wslay_event_context_ptr wslay G_GNUC_UNUSED,
    const struct wslay_event_on_msg_recv_arg *message, void *data)
{
  RecWebSocket *socket = data;

  if (socket->is_closing)
    return;
  if (message->opcode == WSLAY_TEXT_FRAME)
    socket->events->receive (socket, (const char *) message->msg, message->msg_length,
        socket->data);
  else if (message->opcode == WSLAY_BINARY_FRAME)
    rec_websocket_close (socket, WSLAY_CODE_UNSUPPORTED_DATA, "text messages only");
  else if (is_queue_full (socket, 0))
    end (socket);
}

/* --- the socket ---------------------------------------------------------------------------------------------- */

RecWebSocket *
rec_websocket_new (int fd, const char *extra, size_t n_extra, const RecWebSocketLimits *limits,
    const RecWebSocketEvents *events, void *data)
{
  static const struct wslay_event_callbacks callbacks = {
    .recv_callback = on_recv,
    .send_callback = on_send,
    .on_frame_recv_start_callback = on_frame,
    .on_msg_recv_callback = on_message,
  };
  RecWebSocket *socket = g_new0 (RecWebSocket, 1);

  REC_ASSERT_MAIN ();
  socket->fd = fd;
  socket->limits = *limits;
  socket->events = events;
  socket->data = data;
  socket->extra = g_byte_array_new ();
  if (n_extra > 0)
    g_byte_array_append (socket->extra, (const guint8 *) extra, (guint) n_extra);
  socket->credit = (double) limits->max_messages_per_second * BURST_S;
  socket->byte_credit = get_byte_burst (limits);
  socket->credited_at_us = g_get_monotonic_time ();
  if (wslay_event_context_server_init (&socket->wslay, &callbacks, socket) != 0)
    g_error ("out of memory");
  wslay_event_config_set_max_recv_msg_length (socket->wslay, limits->max_message_bytes);
  socket->in_source = g_unix_fd_add (fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, socket);
  socket->idle_source = g_timeout_add (limits->idle_timeout_ms, on_idle_timer, socket);
  if (n_extra > 0)
    socket->extra_source = g_idle_add_full (G_PRIORITY_DEFAULT, on_extra, socket, NULL);
  return socket;
}

void
rec_websocket_free (RecWebSocket *socket)
{
  if (socket == NULL)
    return;
  if (!socket->is_broken) {
    wslay_event_send (socket->wslay);
    queue_close_when_empty (socket);
    wslay_event_send (socket->wslay);
  }
  clear_source (&socket->in_source);
  clear_source (&socket->out_source);
  clear_source (&socket->extra_source);
  clear_source (&socket->end_source);
  clear_source (&socket->timeout_source);
  clear_source (&socket->idle_source);
  wslay_event_context_free (socket->wslay);
  g_byte_array_unref (socket->extra);
  g_free (socket->close_reason);
  g_free (socket);
}

void
rec_websocket_send (RecWebSocket *socket, const char *text, size_t length)
{
  const struct wslay_event_msg message = {
    .opcode = WSLAY_TEXT_FRAME,
    .msg = (const uint8_t *) text,
    .msg_length = length,
  };

  REC_ASSERT_MAIN ();
  if (socket->is_closing)
    return;
  if (is_queue_full (socket, length)) {
    g_message ("closing a WebSocket whose client reads too slowly: more than %zu bytes wait",
        socket->limits.max_queue_bytes);
    end (socket);
    return;
  }
  if (wslay_event_queue_msg (socket->wslay, &message) != 0)
    end (socket);
  else
    update (socket);
}

void
rec_websocket_close (RecWebSocket *socket, uint16_t code, const char *reason)
{
  REC_ASSERT_MAIN ();
  if (socket->is_closing)
    return;
  socket->close_code = code;
  socket->close_reason = g_strdup (reason == NULL ? "" : reason);
  begin_closing (socket);
  update (socket);
}

/* --- handshake ------------------------------------------------------------------------------------------------ */

bool
rec_websocket_is_asked_for (const RecHttpRequest *request)
{
  const char *key = rec_http_request_get_header (request, "sec-websocket-key");
  const char *version = rec_http_request_get_header (request, "sec-websocket-version");

  return strcmp (request->method, "GET") == 0 &&
         rec_http_request_header_has (request, "upgrade", "websocket") &&
         rec_http_request_header_has (request, "connection", "upgrade") && key != NULL &&
         *key != '\0' && g_strcmp0 (version, "13") == 0;
}

char *
rec_websocket_make_accept (const char *key)
{
  g_autofree char *text = g_strconcat (key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", NULL);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 digest[20];
  gsize n_digest = sizeof digest;

  g_checksum_update (checksum, (const guchar *) text, -1);
  g_checksum_get_digest (checksum, digest, &n_digest);
  return g_base64_encode (digest, n_digest);
}
