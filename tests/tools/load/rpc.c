/* rpc.c - wslay on a socket of the main loop, and who waits for which answer. */
#include "rpc.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/error.h"

#define MAX_MESSAGE_BYTES 1048576
#define ANSWER_TIMEOUT_US (10 * G_USEC_PER_SEC) /* as long as browsers wait */
#define LOOK_MS 1000

typedef struct {
  LoadAnswered answered;
  void *data;
  char *method;
  int64_t sent_us;
} Call;

struct LoadRpc {
  LoadTls *tls;
  wslay_event_context_ptr wslay;
  LoadRpcEvents events;
  void *data;
  unsigned in_source, out_source, look_source;
  GQueue received;   /* of GBytes */
  GHashTable *calls; /* id -> Call */
  unsigned next_id;
  bool is_lost;
};

static void
free_call (gpointer data)
{
  Call *call = data;

  g_free (call->method);
  g_free (call);
}

/* --- becoming a WebSocket ----------------------------------------------------------------------------------------- */

bool
load_rpc_upgrade (LoadTls *tls, const LoadAddress *address, const char *target, GError **error)
{
  const uint32_t random[4] = { g_random_int (), g_random_int (), g_random_int (), g_random_int () };
  g_autofree char *key = g_base64_encode ((const guchar *) random, sizeof random);
  g_autofree char *text =
      g_strdup_printf ("GET %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: %s\r\n\r\n",
          target, address->host, address->port, key);
  g_autoptr (GString) head = g_string_new (NULL);
  ssize_t n = 1;
  char octet;

  if (load_tls_write_all (tls, text, strlen (text)))
    while (head->len < 16384 && strstr (head->str, "\r\n\r\n") == NULL &&
           (n = load_tls_read (tls, &octet, 1)) == 1)
      g_string_append_c (head, octet);
  if (g_str_has_prefix (head->str, "HTTP/1.1 101 "))
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED,
      "%s:%u gives no WebSocket on /openvidu: it answers '%.*s'", address->host, address->port,
      (int) strcspn (head->str, "\r\n"), head->str);
  return false;
}

/* --- losing it ---------------------------------------------------------------------------------------------------- */

static void
stop_watching (LoadRpc *rpc)
{
  g_clear_handle_id (&rpc->in_source, g_source_remove);
  g_clear_handle_id (&rpc->out_source, g_source_remove);
  g_clear_handle_id (&rpc->look_source, g_source_remove);
}

static void
lose (LoadRpc *rpc, const char *why)
{
  g_autoptr (GError) error = NULL;

  if (rpc->is_lost)
    return;
  rpc->is_lost = true;
  stop_watching (rpc);
  g_set_error (&error, REC_ERROR, REC_ERROR_UNAVAILABLE, "%s", why);
  rpc->events.lost (error, rpc->data); /* may free it */
}

/* --- messages in -------------------------------------------------------------------------------------------------- */

static void
take_answer (LoadRpc *rpc, RecJson *message)
{
  const unsigned id = (unsigned) rec_json_int_or (message, "id", -1);
  g_autofree char *method = NULL;
  g_autofree Call *call = NULL;
  RecJson *error = rec_json_get (message, "error");
  g_autoptr (GError) cause = NULL;

  call = g_hash_table_lookup (rpc->calls, GUINT_TO_POINTER (id));
  if (call == NULL)
    return;
  g_hash_table_steal (rpc->calls, GUINT_TO_POINTER (id));
  method = g_steal_pointer (&call->method);
  if (error != NULL)
    g_set_error (&cause, REC_ERROR, REC_ERROR_FAILED, "%s is refused with %d: %s", method,
        (int) rec_json_int_or (error, "code", 0), rec_json_string_or (error, "message", ""));
  if (call->answered != NULL)
    call->answered (error == NULL ? rec_json_get (message, "result") : NULL, cause, call->data);
}

static void
take_message (LoadRpc *rpc, const char *text, size_t length)
{
  g_autoptr (RecJson) message = rec_json_parse (text, length, MAX_MESSAGE_BYTES, NULL);

  if (message == NULL)
    return;
  if (rec_json_has (message, "method"))
    rpc->events.notified (rec_json_string_or (message, "method", ""),
        rec_json_get (message, "params"), rpc->data);
  else
    take_answer (rpc, message);
}

/* wslay must not be freed from within its callbacks: messages wait until it is done. */
static void
on_message (wslay_event_context_ptr wslay G_GNUC_UNUSED,
    const struct wslay_event_on_msg_recv_arg *message, void *data)
{
  LoadRpc *rpc = data;

  if (message->opcode == WSLAY_TEXT_FRAME)
    g_queue_push_tail (&rpc->received, g_bytes_new (message->msg, message->msg_length));
}

static void
take_messages (LoadRpc *rpc)
{
  GBytes *bytes;

  while (!rpc->is_lost && (bytes = g_queue_pop_head (&rpc->received)) != NULL) {
    gsize length;
    const char *text = g_bytes_get_data (bytes, &length);

    take_message (rpc, text, length);
    g_bytes_unref (bytes);
  }
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */

static ssize_t
fail_io (wslay_event_context_ptr wslay, ssize_t n)
{
  wslay_event_set_error (wslay,
      n < 0 && errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
  return -1;
}

static ssize_t
on_recv (wslay_event_context_ptr wslay, uint8_t *buffer, size_t length, int flags G_GNUC_UNUSED,
    void *data)
{
  LoadRpc *rpc = data;
  const ssize_t n = load_tls_read (rpc->tls, buffer, length);

  return n > 0 ? n : fail_io (wslay, n);
}

static ssize_t
on_send (wslay_event_context_ptr wslay, const uint8_t *bytes, size_t length,
    int flags G_GNUC_UNUSED, void *data)
{
  LoadRpc *rpc = data;
  const ssize_t n = load_tls_write (rpc->tls, bytes, length);

  return n > 0 ? n : fail_io (wslay, n);
}

static int
on_mask (wslay_event_context_ptr wslay G_GNUC_UNUSED, uint8_t *mask, size_t length,
    void *data G_GNUC_UNUSED)
{
  for (size_t i = 0; i < length; i++)
    mask[i] = (uint8_t) g_random_int ();
  return 0;
}

static gboolean on_writable (int fd, GIOCondition condition, void *data);

static void
flush (LoadRpc *rpc)
{
  if (wslay_event_send (rpc->wslay) != 0) {
    lose (rpc, "the connection to the server broke");
    return;
  }
  if (wslay_event_want_write (rpc->wslay) && rpc->out_source == 0)
    rpc->out_source = g_unix_fd_add (load_tls_get_fd (rpc->tls), G_IO_OUT, on_writable, rpc);
}

static gboolean
on_writable (int fd, GIOCondition condition, void *data)
{
  LoadRpc *rpc = data;

  (void) fd;
  (void) condition;
  rpc->out_source = 0;
  flush (rpc);
  return G_SOURCE_REMOVE;
}

static void release (LoadRpc *rpc);

static gboolean
on_readable (int fd, GIOCondition condition, void *data)
{
  LoadRpc *rpc = g_rc_box_acquire (data);
  bool is_open;

  (void) fd;
  (void) condition;
  do {
    is_open = wslay_event_recv (rpc->wslay) == 0 && !wslay_event_get_close_received (rpc->wslay);
    take_messages (rpc);
  } while (!rpc->is_lost && is_open && load_tls_has_pending (rpc->tls));
  if (!rpc->is_lost && !is_open)
    lose (rpc, "the server closed the connection");
  else if (!rpc->is_lost && wslay_event_want_write (rpc->wslay))
    flush (rpc);
  is_open = !rpc->is_lost;
  release (rpc);
  return is_open ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Of all calls, the first that nobody answered in time. */
static gboolean
look_for_overdue (void *data)
{
  LoadRpc *rpc = data;
  const int64_t limit_us = g_get_monotonic_time () - ANSWER_TIMEOUT_US;
  GHashTableIter iter;
  void *call;

  g_hash_table_iter_init (&iter, rpc->calls);
  while (g_hash_table_iter_next (&iter, NULL, &call)) {
    g_autofree char *why = NULL;

    if (((Call *) call)->sent_us > limit_us)
      continue;
    why = g_strdup_printf ("%s was not answered within 10 s", ((Call *) call)->method);
    rpc->look_source = 0;
    lose (rpc, why);
    return G_SOURCE_REMOVE;
  }
  return G_SOURCE_CONTINUE;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

void
load_rpc_call (LoadRpc *rpc, const char *method, RecJson *params, LoadAnswered answered, void *data)
{
  g_autoptr (RecJson) message = json_object_new_object ();
  g_autofree char *text = NULL;
  Call *call;

  if (rpc->is_lost) {
    json_object_put (params);
    return;
  }
  rec_json_set_string (message, "jsonrpc", "2.0");
  rec_json_set_string (message, "method", method);
  rec_json_set_int (message, "id", rpc->next_id);
  rec_json_take (message, "params", params);
  text = rec_json_to_text (message);

  call = g_new0 (Call, 1);
  *call = (Call){ answered, data, g_strdup (method), g_get_monotonic_time () };
  g_hash_table_insert (rpc->calls, GUINT_TO_POINTER (rpc->next_id++), call);

  const struct wslay_event_msg frame = { WSLAY_TEXT_FRAME, (const uint8_t *) text, strlen (text) };
  wslay_event_queue_msg (rpc->wslay, &frame);
  /* Not at once: losing the connection must not surprise the caller. */
  if (rpc->out_source == 0)
    rpc->out_source = g_unix_fd_add (load_tls_get_fd (rpc->tls), G_IO_OUT, on_writable, rpc);
}

void
load_rpc_forget (LoadRpc *rpc, const void *data)
{
  GHashTableIter iter;
  void *call;

  g_hash_table_iter_init (&iter, rpc->calls);
  while (g_hash_table_iter_next (&iter, NULL, &call))
    if (((Call *) call)->data == data)
      ((Call *) call)->answered = NULL;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

LoadRpc *
load_rpc_new (LoadTls *tls, const LoadRpcEvents *events, void *data)
{
  static const struct wslay_event_callbacks callbacks = {
    .recv_callback = on_recv,
    .send_callback = on_send,
    .genmask_callback = on_mask,
    .on_msg_recv_callback = on_message,
  };
  LoadRpc *rpc = g_rc_box_new0 (LoadRpc);

  rpc->tls = tls;
  rpc->events = *events;
  rpc->data = data;
  g_queue_init (&rpc->received);
  rpc->calls = g_hash_table_new_full (NULL, NULL, NULL, free_call);
  wslay_event_context_client_init (&rpc->wslay, &callbacks, rpc);
  wslay_event_config_set_max_recv_msg_length (rpc->wslay, MAX_MESSAGE_BYTES);
  load_tls_unblock (tls);
  rpc->in_source = g_unix_fd_add (load_tls_get_fd (tls), G_IO_IN | G_IO_HUP, on_readable, rpc);
  rpc->look_source = g_timeout_add (LOOK_MS, look_for_overdue, rpc);
  return rpc;
}

static void
clear_rpc (void *data)
{
  LoadRpc *rpc = data;

  g_queue_clear_full (&rpc->received, (GDestroyNotify) g_bytes_unref);
  g_hash_table_unref (rpc->calls);
  wslay_event_context_free (rpc->wslay);
  load_tls_free (rpc->tls);
}

static void
release (LoadRpc *rpc)
{
  g_rc_box_release_full (rpc, clear_rpc);
}

void
load_rpc_free (LoadRpc *rpc)
{
  if (rpc == NULL)
    return;
  rpc->is_lost = true;
  stop_watching (rpc);
  release (rpc);
}
