/* api.c - the outside of the server: who may call what, and the WebSockets. */
#define G_LOG_DOMAIN "rec.api.api"
#include "api/api.h"

#include "api/auth.h"
#include "api/bodies.h"
#include "api/private.h"
#include "api/websocket.h"
#include "base/config.h"
#include "base/error.h"
#include "base/main-thread.h"
#include "recording/supervisor.h"
#include "signal/signal.h"

#include <string.h>

/* --- requests ---------------------------------------------------------------------------------------------------- */

static bool
is_websocket_path (const char *path)
{
  return strcmp (path, "/openvidu") == 0 || strcmp (path, "/openvidu/") == 0 ||
         strcmp (path, "/room") == 0 || strcmp (path, "/room/") == 0;
}

static bool
is_allowed (const RecApi *api, const RecHttpRequest *request, const RecRouteMatch *match)
{
  const RecConfig *config = api->context.config;

  return rec_route_is_public (match, config) ||
         rec_auth_is_valid (rec_http_request_get_header (request, "authorization"),
             rec_config_get_string (config, "openvidu.secret"));
}

/* [http] The configuration never changes while the server runs. */
static RecHttpAdmission
admit (RecHttpRequest *request, void *data)
{
  RecApi *api = data;
  g_auto (RecRouteMatch) match = { 0 };

  if (request->path == NULL)
    return REC_HTTP_DISCARD_BODY;
  if (is_websocket_path (request->path) && rec_websocket_is_asked_for (request))
    return REC_HTTP_UPGRADE;
  rec_route_find (request->method, request->path, &match);
  if (match.route != NULL && (match.route->flags & REC_ROUTE_UPLOAD) != 0)
    return rec_api_admit_upload (api, request) ? REC_HTTP_STREAM_BODY : REC_HTTP_DISCARD_BODY;
  if (match.route == NULL || (match.route->flags & REC_ROUTE_BODY) == 0 ||
      !is_allowed (api, request, &match))
    return REC_HTTP_DISCARD_BODY;
  return REC_HTTP_KEEP_BODY;
}

static void
answer_preflight (RecHttpRequest *request, const char *allowed)
{
  const char *asked = rec_http_request_get_header (request, "access-control-request-headers");

  rec_http_add_answer_header (request, "Allow", allowed);
  rec_http_add_answer_header (request, "Access-Control-Allow-Methods", allowed);
  rec_http_add_answer_header (request, "Access-Control-Allow-Headers",
      asked != NULL ? asked : "Authorization, Content-Type, Range");
  rec_http_add_answer_header (request, "Access-Control-Max-Age", "1800");
  rec_http_answer_empty (request, 200);
}

static void
call_handler (RecApi *api, RecHttpRequest *request, const RecRouteMatch *match)
{
  g_autoptr (RecJson) body = NULL;
  g_autoptr (GError) error = NULL;

  if ((match->route->flags & REC_ROUTE_BODY) != 0 &&
      !rec_body_parse (request->body->data, request->body->len, &body, &error)) {
    rec_http_answer_error (request, error);
    return;
  }
  RecCall call = { .api = api, .request = request, .era = match->era, .body = body };
  memcpy (call.arguments, match->arguments, sizeof call.arguments);
  match->route->handle (&call);
}

void
rec_api_handle (RecHttpRequest *request, void *data)
{
  RecApi *api = data;
  g_auto (RecRouteMatch) match = { 0 };

  REC_ASSERT_MAIN ();
  if (request->refusal != NULL) {
    rec_http_answer_error (request, request->refusal);
    return;
  }
  rec_route_find (request->method, request->path, &match);
  g_autofree char *allowed = rec_route_dup_methods (&match);
  if (match.methods == 0) {
    rec_http_answer_status (request, 404, "there is nothing at this path");
  } else if (strcmp (request->method, "OPTIONS") == 0) {
    answer_preflight (request, allowed);
  } else if (match.route == NULL) {
    rec_http_add_answer_header (request, "Allow", allowed);
    rec_http_answer_status (request, 405, "this path does not know that method");
  } else if (!is_allowed (api, request, &match)) {
    rec_http_answer_status (request, 401,
        "the user must be OPENVIDUAPP and the password the server's secret");
  } else {
    call_handler (api, request, &match);
  }
}

/* --- WebSockets -------------------------------------------------------------------------------------------------- */

typedef struct {
  RecApi *api; /* borrowed */
  RecHttpSocket *http;
  RecWebSocket *socket;
  RecSignalClient *signal;
} Client;

static void
client_free (Client *client)
{
  if (client->signal != NULL)
    rec_signal_client_closed (client->signal);
  rec_websocket_free (client->socket);
  rec_http_socket_free (client->http);
  g_free (client);
}

static void
on_send (void *data, const char *text, size_t length)
{
  Client *client = data;

  rec_websocket_send (client->socket, text, length);
}

static void
on_close (void *data, uint16_t code, const char *reason)
{
  Client *client = data;

  rec_websocket_close (client->socket, code, reason);
}

static void
on_receive (RecWebSocket *socket G_GNUC_UNUSED, const char *text, size_t length, void *data)
{
  Client *client = data;

  rec_signal_client_receive (client->signal, text, length);
}

static void
on_closed (RecWebSocket *socket G_GNUC_UNUSED, void *data)
{
  Client *client = data;

  g_ptr_array_remove (client->api->clients, client);
}

static void
upgraded (RecHttpSocket *http, void *data)
{
  static const RecWebSocketEvents events = { .receive = on_receive, .closed = on_closed };
  static const RecSignalTransport transport = { .send = on_send, .close = on_close };
  RecApi *api = data;
  const RecConfig *config = api->context.config;
  const RecWebSocketLimits limits = {
    .max_message_bytes = (size_t) rec_config_get_int (config, "server.max-message-bytes"),
    .max_queue_bytes = (size_t) rec_config_get_int (config, "server.max-send-queue-bytes"),
    .max_messages_per_second =
        (unsigned) rec_config_get_int (config, "server.max-messages-per-second"),
    .max_bytes_per_second =
        (size_t) rec_config_get_int (config, "server.max-message-bytes-per-second"),
    .idle_timeout_ms = (unsigned) rec_config_get_int (config, "server.idle-timeout-s") * 1000,
  };
  Client *client = g_new0 (Client, 1);

  REC_ASSERT_MAIN ();
  client->api = api;
  client->http = http;
  client->socket =
      rec_websocket_new (http->fd, http->extra, http->n_extra, &limits, &events, client);
  g_ptr_array_add (api->clients, client);
  client->signal =
      rec_signal_server_accept (api->context.signal, &transport, client, http->query, http->ip);
}

/* --- the server -------------------------------------------------------------------------------------------------- */

static const RecHttpCallbacks callbacks = {
  .admit = admit, .handle = rec_api_handle, .upgraded = upgraded
};

RecApi *
rec_api_new (const RecApiContext *context, GError **error)
{
  RecApi *api = g_new0 (RecApi, 1);
  g_autoptr (GError) why = NULL;

  REC_ASSERT_MAIN ();
  api->context = *context;
  api->clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);
  api->uploads = rec_uploads_new (context->config, context->program, rec_api_resume_upload, &why);
  if (api->uploads == NULL)
    g_message ("going on without uploads: %s", why->message);
  api->http = rec_http_server_new (context->config, &callbacks, api, error);
  if (api->http == NULL) {
    rec_api_free (api);
    return NULL;
  }
  const unsigned port = rec_http_server_get_port (api->http);
  g_autofree char *url = rec_config_dup_public_url (context->config, (uint16_t) port);
  rec_registry_set_public_url (context->registry, url);
  rec_supervisor_set_page_server (context->supervisor, port,
      rec_http_server_get_key_hash (api->http));
  g_message ("listening on %s port %u as %s",
      rec_config_get_string (context->config, "server.address"), port, url);
  return api;
}

bool
rec_api_wait_for_uploads (RecApi *api, void (*done) (void *data), void *data)
{
  return api->uploads != NULL && rec_uploads_wait_for_idle (api->uploads, done, data);
}

void
rec_api_stop (RecApi *api)
{
  rec_http_server_stop (api->http);
}

void
rec_api_free (RecApi *api)
{
  if (api == NULL)
    return;
  for (guint i = 0; i < api->clients->len; i++) {
    Client *client = api->clients->pdata[i];
    rec_websocket_close (client->socket, 1001, "the server is shutting down");
  }
  if (api->http != NULL)
    rec_http_server_stop (api->http);
  rec_uploads_stop (api->uploads);
  g_ptr_array_set_size (api->clients, 0);
  rec_http_server_free (api->http);
  rec_uploads_free (api->uploads);
  g_ptr_array_unref (api->clients);
  g_free (api);
}
