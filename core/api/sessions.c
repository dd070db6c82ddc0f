/* sessions.c - REST: sessions. */
#define G_LOG_DOMAIN "rec.api.sessions"
#include "api/bodies.h"
#include "api/entities.h"
#include "api/private.h"
#include "base/error.h"
#include "plugin/catalogue.h"
#include "recording/supervisor.h"

/* OpenVidu's own names are accepted for a session whether a plugin serves them or not. */
static const char *const layouts[] = { "BEST_FIT", "PICTURE_IN_PICTURE", "VERTICAL_PRESENTATION",
  "HORIZONTAL_PRESENTATION", "CUSTOM", NULL };

static bool
check_layout (RecCall *call, const RecSessionProperties *properties, GError **error)
{
  const char *layout = properties->recording->recording_layout;

  return g_strv_contains (layouts, layout) ||
         rec_catalogue_find_layout (call->api->context.catalogue, layout, error) != NULL;
}

void
rec_create_session (RecCall *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecSessionProperties)
      properties = rec_body_to_session (call->body, call->era, call->api->context.config, &error);

  if (properties == NULL || !check_layout (call, properties, &error)) {
    rec_http_answer_error (call->request, error);
    return;
  }
  RecSession *session = rec_registry_create_session (call->api->context.registry, call->era,
      g_steal_pointer (&properties), &error);
  if (session != NULL)
    rec_http_answer_json (call->request, 200, rec_rest_session (session, false));
  else if (g_error_matches (error, REC_ERROR, REC_ERROR_CONFLICT))
    rec_http_answer_empty (call->request, 409); /* success to all clients */
  else
    rec_http_answer_error (call->request, error);
}

void
rec_list_sessions (RecCall *call)
{
  const bool with_pending =
      rec_http_request_query_bool (call->request, "pendingConnections", false);
  GPtrArray *sessions = rec_registry_get_sessions (call->api->context.registry);
  RecJson *content = json_object_new_array ();

  for (guint i = 0; i < sessions->len; i++)
    json_object_array_add (content, rec_rest_session (sessions->pdata[i], with_pending));
  rec_http_answer_json (call->request, 200, rec_rest_list (content));
}

static RecSession *
find_session (RecCall *call)
{
  RecSession *session = rec_registry_find_session (call->api->context.registry, call->arguments[0]);

  if (session == NULL)
    rec_http_answer_status (call->request, 404, "there is no session with this id");
  return session;
}

void
rec_get_session (RecCall *call)
{
  const bool with_pending =
      rec_http_request_query_bool (call->request, "pendingConnections", false);
  RecSession *session = find_session (call);

  if (session != NULL)
    rec_http_answer_json (call->request, 200, rec_rest_session (session, with_pending));
}

void
rec_delete_session (RecCall *call)
{
  static const char reason[] = "sessionClosedByServer";
  const RecApiContext *context = &call->api->context;
  RecSession *session = find_session (call);

  if (session == NULL)
    return;
  /* Its recording ends before anybody is sent away. */
  rec_supervisor_end (context->supervisor, session, reason);
  session = rec_registry_find_session (context->registry, call->arguments[0]);
  if (session != NULL)
    rec_registry_close_session (context->registry, session, reason);
  rec_http_answer_empty (call->request, 204);
}
