/* cameras.c - REST: IP cameras, which join a session when they play. */
#define G_LOG_DOMAIN "rec.api.cameras"
#include "api/bodies.h"
#include "api/entities.h"
#include "api/private.h"
#include "base/error.h"
#include "media/router.h"

/* A request that waits for its camera. */
typedef struct {
  RecHttpRequest *request;
  RecRegistry *registry; /* borrowed, as the router; not touched after an error */
  RecRouter *router;
  RecEra era;
  RecJson *body; /* was found good */
  char *session_id;
  int64_t session_created_at_ms;
} Waiting;

static void
free_waiting (Waiting *waiting)
{
  rec_http_request_unref (waiting->request);
  json_object_put (waiting->body);
  g_free (waiting->session_id);
  g_free (waiting);
}

/* NULL with an error: the camera is still the caller's then. */
static RecParticipant *
join (Waiting *waiting, RecCamera *camera, GError **error)
{
  RecSession *session = rec_registry_find_session (waiting->registry, waiting->session_id);
  RecConnectionRequest asked;
  RecCameraInfo info;
  RecParticipant *participant;

  /* One of the same name may have been made meanwhile. */
  if (session == NULL || session->is_closing ||
      session->created_at_ms != waiting->session_created_at_ms) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_NOT_FOUND,
        "the session was closed while the camera was being connected");
    return NULL;
  }
  if (!rec_body_to_connection (waiting->body, waiting->era, 0, &asked, error) ||
      !rec_body_to_camera (waiting->body, waiting->era, &info))
    return NULL;
  asked.camera = &info;
  participant = rec_registry_join_camera (waiting->registry, session, &asked,
      rec_camera_has_audio (camera), error);
  if (participant != NULL)
    rec_router_publish_camera (waiting->router, participant->stream, camera);
  return participant;
}

static void
on_opened (RecCamera *camera, const GError *failure, void *data)
{
  Waiting *waiting = data;
  g_autoptr (GError) error = failure != NULL ? g_error_copy (failure) : NULL;
  RecParticipant *participant = camera != NULL ? join (waiting, camera, &error) : NULL;

  if (participant == NULL) {
    rec_camera_close (camera);
    rec_http_answer_error (waiting->request, error);
  } else {
    g_autofree char *id = g_strdup (participant->id);
    RecSession *session = participant->session;

    /* A listener may end it again, and with it the session. */
    g_autofree char *session_id = g_strdup (session->id);
    rec_registry_announce_stream (waiting->registry, participant->stream);
    session = rec_registry_find_session (waiting->registry, session_id);
    participant = session != NULL ? rec_session_find_participant (session, id) : NULL;
    if (participant != NULL)
      rec_http_answer_json (waiting->request, 200, rec_rest_participant (participant));
    else
      rec_http_answer_status (waiting->request, 404, "the session was closed meanwhile");
  }
  free_waiting (waiting);
}

bool
rec_api_create_camera (RecCall *call)
{
  RecConnectionRequest asked;
  RecCameraInfo camera;
  Waiting *waiting;
  const RecSession *session =
      rec_registry_find_session (call->api->context.registry, call->arguments[0]);

  /* In this order: the second changes what isn't ours. */
  if (!rec_body_to_camera (call->body, call->era, &camera) ||
      !rec_body_to_connection (call->body, call->era, 0, &asked, NULL))
    return false;
  waiting = g_new (Waiting, 1);
  *waiting = (Waiting){ .request = rec_http_request_ref (call->request),
    .registry = call->api->context.registry,
    .router = call->api->context.router,
    .era = call->era,
    .body = json_object_get (call->body),
    .session_id = g_strdup (call->arguments[0]),
    .session_created_at_ms = session != NULL ? session->created_at_ms : 0 };
  rec_router_open_camera (waiting->router,
      &(RecCameraSource){ .uri = camera.uri,
          .cache_ms = camera.network_cache_ms,
          .is_on_demand = camera.only_with_subscribers },
      on_opened, waiting);
  return true;
}
