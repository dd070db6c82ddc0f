/* signal.c - clients: their sockets' texts in and out, their limits, and what is overdue. */
#define G_LOG_DOMAIN "rec.signal.signal"
#include "signal/signal.h"

#include "base/config.h"
#include "base/error.h"
#include "base/main-thread.h"
#include "signal/private.h"

#include <string.h>

#define TICK_MS 500
/* How long a client may take to close after it left. */
#define CLOSE_DELAY_US (10 * G_USEC_PER_SEC)
#define MIN_PING_TIMEOUT_US (1 * G_USEC_PER_SEC)

#define CLOSE_NORMAL 1000

static int64_t
read_monotonic_clock (void *data G_GNUC_UNUSED)
{
  return g_get_monotonic_time ();
}

static gboolean
on_timer (gpointer data)
{
  rec_signal_server_tick (data);
  return G_SOURCE_CONTINUE;
}

static void
free_client (void *data)
{
  RecSignalClient *client = data;

  g_free (client->query);
  g_free (client->ip);
  g_free (client);
}

static void
free_seat (void *data)
{
  rec_seat_free (data);
}

static int64_t
read_seconds (const RecConfig *config, const char *key)
{
  return rec_config_get_int (config, key) * G_USEC_PER_SEC;
}

RecSignalServer *
rec_signal_server_new (const RecConfig *config, RecRegistry *registry, RecRouter *router)
{
  RecSignalServer *server = g_new0 (RecSignalServer, 1);

  server->config = config;
  server->registry = registry;
  server->router = router;
  server->clock = read_monotonic_clock;
  server->clients = g_ptr_array_new_with_free_func (free_client);
  server->seats = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_seat);
  server->negotiations = g_hash_table_new (NULL, NULL);
  server->max_message_bytes = (size_t) rec_config_get_int (config, "server.max-message-bytes");
  server->max_queue_bytes = (size_t) rec_config_get_int (config, "server.max-send-queue-bytes");
  server->ping_timeout_us = read_seconds (config, "server.ping-timeout-s");
  server->reconnect_timeout_us = read_seconds (config, "server.reconnect-timeout-s");
  server->silence_timeout_us = read_seconds (config, "server.silence-timeout-s");
  server->timer = g_timeout_add (TICK_MS, on_timer, server);
  rec_registry_subscribe (registry, &rec_notify_events, server);
  rec_signal_take_router_events (server);
  return server;
}

void
rec_signal_server_free (RecSignalServer *server)
{
  if (server == NULL)
    return;
  g_source_remove (server->timer);
  rec_signal_drop_router_events (server);
  rec_negotiations_free (server);
  g_hash_table_unref (server->seats);
  g_ptr_array_unref (server->clients);
  g_free (server);
}

void
rec_signal_server_set_clock (RecSignalServer *server, RecSignalClock clock, void *data)
{
  server->clock = clock;
  server->clock_data = data;
}

int64_t
rec_signal_server_now_us (const RecSignalServer *server)
{
  return server->clock (server->clock_data);
}

RecSignalClient *
rec_signal_server_accept (RecSignalServer *server, const RecSignalTransport *transport, void *data,
    const char *query, const char *ip)
{
  RecSignalClient *client = g_new0 (RecSignalClient, 1);

  REC_ASSERT_MAIN ();
  client->server = server;
  client->transport = *transport;
  client->transport_data = data;
  client->serial = ++server->n_accepted;
  client->query = g_strdup (query);
  client->ip = g_strdup (ip != NULL ? ip : "");
  client->last_heard_us = rec_signal_server_now_us (server);
  client->ping_timeout_us = server->ping_timeout_us;
  g_ptr_array_add (server->clients, client);
  return client;
}

void
rec_signal_client_closed (RecSignalClient *client)
{
  RecSeat *seat = client->seat;

  REC_ASSERT_MAIN ();
  if (seat != NULL)
    rec_seat_lose_client (seat);
  g_ptr_array_remove_fast (client->server->clients, client);
}

void
rec_signal_client_send (RecSignalClient *client, const char *text)
{
  if (!client->is_closing)
    client->transport.send (client->transport_data, text, strlen (text));
}

void
rec_signal_client_answer (RecSignalClient *client, RecJson *id, RecJson *result)
{
  g_autofree char *text = NULL;

  if (client->seat != NULL)
    rec_json_set_string (result, "sessionId", client->seat->participant->rpc_id);
  text = rec_rpc_make_result (id, result);
  if (id != NULL)
    rec_signal_client_send (client, text);
}

void
rec_signal_client_answer_error (RecSignalClient *client, RecJson *id, const GError *error)
{
  g_autofree char *text = rec_rpc_make_error (id, error);

  g_debug ("refused a request of %s: %s", client->ip, error->message);
  rec_signal_client_send (client, text);
}

void
rec_signal_client_close (RecSignalClient *client, const char *reason)
{
  if (client->is_closing)
    return;
  client->is_closing = true;
  client->transport.close (client->transport_data, CLOSE_NORMAL, reason);
}

void
rec_signal_client_close_later (RecSignalClient *client)
{
  client->close_at_us = rec_signal_server_now_us (client->server) + CLOSE_DELAY_US;
}

/* Checks of parameters speak our own domain; the client wants a code of JSON-RPC. */
static void
translate_check (GError **error)
{
  GError *old = *error;

  if (old == NULL || old->domain == REC_RPC_ERROR)
    return;
  *error = g_error_new (REC_RPC_ERROR,
      old->code == REC_ERROR_INVALID_ARGUMENT ? REC_RPC_INVALID_PARAMS : REC_RPC_GENERIC, "%s",
      rec_error_public_message (old));
  g_error_free (old);
}

static RecJson *
handle (RecSignalClient *client, const RecRpcRequest *request, GError **error)
{
  const RecSignalMethod *method = rec_signal_method_find (request->method);
  g_autoptr (RecJson) empty = json_object_new_object ();

  if (method == NULL) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_UNKNOWN_METHOD, "there is no method '%s'",
        request->method);
    return NULL;
  }
  if (method->needs_seat && client->seat == NULL) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_TRANSPORT,
        "'%s' needs a participant: joinRoom was not successful on this connection", method->name);
    return NULL;
  }
  if (method->fields != NULL &&
      !rec_json_check (request->params != NULL ? request->params : empty, method->fields, error))
    return NULL;
  return method->handle (client, request, error);
}

void
rec_signal_client_receive (RecSignalClient *client, const char *text, size_t length)
{
  RecSignalServer *server = client->server;
  g_auto (RecRpcRequest) request = { 0 };
  g_autoptr (GError) error = NULL;
  RecJson *result;

  REC_ASSERT_MAIN ();
  if (client->is_closing)
    return;
  client->last_heard_us = rec_signal_server_now_us (server);
  if (!rec_rpc_request_parse (&request, text, length, server->max_message_bytes, &error)) {
    rec_signal_client_answer_error (client, request.id, error);
    return;
  }
  if (request.method == NULL)
    return;
  result = handle (client, &request, &error);
  if (result != NULL) {
    rec_signal_client_answer (client, request.id, result);
  } else if (error != NULL) {
    translate_check (&error);
    rec_signal_client_answer_error (client, request.id, error);
  }
}

static void
check_client (RecSignalClient *client, int64_t now_us)
{
  if (client->is_closing)
    return;
  if (client->close_at_us != 0 && now_us >= client->close_at_us) {
    rec_signal_client_close (client, "left");
    return;
  }
  if (now_us - client->last_heard_us < MAX (client->ping_timeout_us, MIN_PING_TIMEOUT_US))
    return;
  rec_signal_client_close (client, "Close for not receive ping from client");
  if (client->seat != NULL)
    rec_seat_lose_client (client->seat);
}

static GPtrArray *
list_overdue_seats (RecSignalServer *server, int64_t now_us)
{
  GPtrArray *overdue = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  void *key, *value;

  g_hash_table_iter_init (&iter, server->seats);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (rec_seat_is_overdue (value, now_us))
      g_ptr_array_add (overdue, g_strdup (key));
  return overdue;
}

void
rec_signal_server_tick (RecSignalServer *server)
{
  int64_t now_us = rec_signal_server_now_us (server);
  g_autoptr (GPtrArray) overdue = NULL;

  for (guint i = server->clients->len; i > 0; i--)
    check_client (server->clients->pdata[i - 1], now_us);
  overdue = list_overdue_seats (server, now_us);
  for (guint i = 0; i < overdue->len; i++) {
    RecSeat *seat = rec_seat_find (server, overdue->pdata[i]);
    if (seat != NULL)
      rec_registry_leave (server->registry, seat->participant, "networkDisconnect");
  }
}
