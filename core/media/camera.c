/* camera.c - the life of an IP camera: opened once, connected while it is wanted, given up when it stays away. */
#define G_LOG_DOMAIN "rec.media.camera"
#include "media/camera.h"

#include "base/config.h"
#include "base/error.h"
#include "base/main-thread.h"
#include "media/camera-guard.h"
#include "media/camera-place.h"
#include "media/camera-run.h"

#define N_THREADS 2
#define TICK_MS 250
#define RETRY_US (1 * G_USEC_PER_SEC)
/* A page that is loaded anew must not cost a reconnection. */
#define IDLE_US (5 * G_USEC_PER_SEC)

/* Outlives its camera: what was asked is answered. */
typedef struct {
  RecCamera *camera; /* NULL: gone, or wants to know no more */
  GCancellable *cancel;
} Look;

struct RecCameraHost {
  int64_t base_time_ns, silence_us, retry_us;
  int timeout_ms, max_cameras;
  char **allowed; /* hosts */
  GThreadPool *pool;
  GPtrArray *cameras; /* of RecCamera, borrowed */
  gint n_runs;        /* and looks; atomic */
};

struct RecCamera {
  RecCameraHost *host;
  GUri *uri;
  bool must_look; /* for its address, and whether that is allowed, at each connection */
  int cache_ms;
  bool is_on_demand;
  RecCameraCallback callback; /* NULL: it was called */
  GError *refusal;            /* found before it could be opened */
  RecCameraLost lost;
  void *data; /* of callback, then of lost */
  guint timer;
  Look *look;                                                      /* NULL: not looking */
  char **addresses;                                                /* found by the last look */
  unsigned n_tried;                                                /* of these */
  RecCameraRun *run;                                               /* NULL: not connected */
  bool is_ready;                                                   /* the run */
  int64_t run_since_us, away_since_us, idle_since_us, next_try_us; /* 0: not so */
  RecTrackFormat formats[2];
  RecPublisher *publisher; /* a reference; NULL before it is published */
};

/* --- the connection ---------------------------------------------------------------------------------------- */

static void
stop_looking (RecCamera *camera)
{
  Look *look = g_steal_pointer (&camera->look);

  if (look == NULL)
    return;
  look->camera = NULL;
  g_cancellable_cancel (look->cancel);
}

static void
disconnect (RecCamera *camera)
{
  stop_looking (camera);
  rec_camera_run_stop (g_steal_pointer (&camera->run));
  camera->is_ready = false;
}

static void
give_up_opening (RecCamera *camera, const GError *error)
{
  RecCameraCallback callback = camera->callback;
  void *data = camera->data;

  rec_camera_close (camera);
  callback (NULL, error, data);
}

static void
fail (RecCamera *camera, const char *why)
{
  int64_t now_us = g_get_monotonic_time ();

  disconnect (camera);
  g_clear_pointer (&camera->addresses, g_strfreev);
  if (camera->callback != NULL) {
    g_autoptr (GError)
        error = g_error_new (REC_ERROR, REC_ERROR_FAILED, "cannot play the IP camera: %s", why);

    give_up_opening (camera, error);
    return;
  }
  if (camera->away_since_us == 0) {
    camera->away_since_us = now_us;
    g_message ("an IP camera is away, trying again: %s", why);
  }
  camera->next_try_us = now_us + RETRY_US;
  if (now_us - camera->away_since_us < camera->host->retry_us || camera->lost == NULL)
    return;
  g_clear_handle_id (&camera->timer, g_source_remove);
  g_steal_pointer (&camera->lost) (why, camera->data);
}

static void connect_to (RecCamera *camera, const char *address);

/* The next address that its name has, in what is left of the time. */
static void
on_failed (const char *why, void *data)
{
  RecCamera *camera = data;

  if (camera->is_ready || camera->addresses == NULL || camera->addresses[camera->n_tried] == NULL) {
    fail (camera, why);
    return;
  }
  g_info ("an IP camera is not at one of its addresses, trying the next: %s", why);
  disconnect (camera);
  connect_to (camera, camera->addresses[camera->n_tried++]);
}

static void
on_ready (void *data)
{
  RecCamera *camera = data;
  const RecTrackFormat *formats;

  if (camera->is_ready)
    return;
  camera->is_ready = true;
  if (camera->away_since_us != 0)
    g_message ("an IP camera is back");
  camera->away_since_us = 0;
  if (camera->callback == NULL)
    return;
  formats = rec_camera_run_get_formats (camera->run);
  camera->formats[0] = formats[0];
  camera->formats[1] = formats[1];
  g_steal_pointer (&camera->callback) (camera, NULL, camera->data);
}

static const RecCameraRunEvents run_events = { .ready = on_ready, .failed = on_failed };

static void
connect_to (RecCamera *camera, const char *address)
{
  RecCameraRunRequest request = { .uri = camera->uri,
    .address = address,
    .cache_ms = camera->cache_ms,
    .timeout_ms = camera->host->timeout_ms,
    .base_time_ns = camera->host->base_time_ns,
    .formats = camera->publisher != NULL ? camera->formats : NULL };

  camera->run =
      rec_camera_run_new (camera->host->pool, &camera->host->n_runs, &request, &run_events, camera);
  rec_camera_run_set_publisher (camera->run, camera->publisher);
}

/* At the end: it may free the camera. */
static void
on_found (const char *const *addresses, const GError *error, void *data)
{
  Look *look = data;
  RecCamera *camera = look->camera;

  if (camera != NULL) {
    camera->look = NULL;
    if (addresses != NULL) {
      camera->addresses = g_strdupv ((char **) addresses);
      camera->n_tried = 1;
      connect_to (camera, camera->addresses[0]);
    } else if (camera->callback != NULL) {
      give_up_opening (camera, error);
    } else {
      fail (camera, error->message);
    }
  }
  g_object_unref (look->cancel);
  g_free (look);
}

static void
begin (RecCamera *camera)
{
  camera->run_since_us = g_get_monotonic_time ();
  g_clear_pointer (&camera->addresses, g_strfreev);
  if (!camera->must_look) {
    connect_to (camera, NULL);
    return;
  }
  camera->look = g_new (Look, 1);
  *camera->look = (Look){ camera, g_cancellable_new () };
  rec_camera_place_look (g_uri_get_host (camera->uri), &camera->host->n_runs, camera->look->cancel,
      on_found, camera->look);
}

/* --- the time ------------------------------------------------------------------------------------------------ */

static void
check_look (RecCamera *camera, int64_t now_us)
{
  if (now_us - camera->run_since_us > camera->host->timeout_ms * INT64_C (1000))
    fail (camera, "nobody says in time where its name leads");
}

static void
check_run (RecCamera *camera, int64_t now_us)
{
  const RecCameraHost *host = camera->host;
  bool is_late = now_us - camera->run_since_us > host->timeout_ms * INT64_C (1000);
  int64_t silent_us = now_us - rec_camera_run_get_activity_us (camera->run);

  if (camera->is_ready && silent_us > host->silence_us)
    fail (camera, "nothing comes from it any more");
  else if (camera->is_ready)
    return;
  /* Sound may never come, and who is back need not wait for it. */
  else if (rec_camera_run_has_video (camera->run) && (is_late || camera->callback == NULL))
    on_ready (camera);
  else if (is_late)
    fail (camera, "it doesn't answer, or sends no picture");
}

/* True while it should be connected. */
static bool
is_wanted (RecCamera *camera, int64_t now_us)
{
  if (!camera->is_on_demand || rec_publisher_has_outputs (camera->publisher)) {
    camera->idle_since_us = 0;
    return true;
  }
  if (camera->idle_since_us == 0)
    camera->idle_since_us = now_us;
  return camera->run != NULL && now_us - camera->idle_since_us < IDLE_US;
}

static gboolean
on_tick (void *data)
{
  RecCamera *camera = data;
  int64_t now_us = g_get_monotonic_time ();

  if (camera->refusal != NULL) {
    g_autoptr (GError) error = g_steal_pointer (&camera->refusal);

    camera->timer = 0;
    give_up_opening (camera, error);
    return G_SOURCE_REMOVE;
  }
  if (camera->publisher != NULL && !is_wanted (camera, now_us)) {
    if (camera->run != NULL || camera->look != NULL)
      g_info ("nobody watches an IP camera: leaving it until somebody does");
    disconnect (camera);
    camera->away_since_us = 0;
  } else if (camera->look != NULL) {
    check_look (camera, now_us); /* may free the camera, as the next */
  } else if (camera->run != NULL) {
    check_run (camera, now_us);
  } else if (now_us >= camera->next_try_us) {
    begin (camera);
  }
  return G_SOURCE_CONTINUE;
}

/* --- life ------------------------------------------------------------------------------------------------------- */

void
rec_camera_open (RecCameraHost *host, const RecCameraSource *source, RecCameraCallback callback,
    void *data)
{
  RecCamera *camera = g_new0 (RecCamera, 1);

  REC_ASSERT_MAIN ();
  camera->host = host;
  camera->uri = g_uri_parse (source->uri, REC_CAMERA_URI_FLAGS, &camera->refusal);
  camera->cache_ms = source->cache_ms;
  camera->is_on_demand = source->is_on_demand;
  camera->callback = callback;
  camera->data = data;
  if (camera->uri == NULL ||
      !rec_camera_place_check ((const char *const *) host->allowed, g_uri_get_host (camera->uri),
          &camera->must_look, &camera->refusal))
    g_debug ("an IP camera is refused by its address");
  else if (host->cameras->len >= (guint) host->max_cameras)
    g_set_error (&camera->refusal, REC_ERROR, REC_ERROR_TOO_MANY,
        "cannot play the IP camera: there are %u already, the most that media.max-cameras allows",
        host->cameras->len);
  else
    begin (camera);
  g_ptr_array_add (host->cameras, camera);
  camera->timer = g_timeout_add (camera->refusal != NULL ? 0 : TICK_MS, on_tick, camera);
}

void
rec_camera_publish (RecCamera *camera, RecPublisher *publisher, RecCameraLost lost, void *data)
{
  camera->publisher = rec_publisher_ref (publisher);
  camera->lost = lost;
  camera->data = data;
  rec_publisher_set_formats (publisher, camera->formats);
  if (camera->run != NULL)
    rec_camera_run_set_publisher (camera->run, publisher);
}

bool
rec_camera_has_audio (RecCamera *camera)
{
  return camera->formats[0].kind != REC_TRACK_INVALID;
}

void
rec_camera_close (RecCamera *camera)
{
  REC_ASSERT_MAIN ();
  if (camera == NULL)
    return;
  disconnect (camera);
  g_clear_handle_id (&camera->timer, g_source_remove);
  g_ptr_array_remove_fast (camera->host->cameras, camera);
  rec_publisher_unref (camera->publisher);
  g_clear_error (&camera->refusal);
  g_clear_pointer (&camera->uri, g_uri_unref);
  g_strfreev (camera->addresses);
  g_free (camera);
}

RecCameraHost *
rec_camera_host_new (const RecConfig *config, int64_t base_time_ns, GError **error)
{
  RecCameraHost *host = g_new0 (RecCameraHost, 1);

  host->base_time_ns = base_time_ns;
  host->timeout_ms = (int) rec_config_get_int (config, "media.camera-timeout-ms");
  host->retry_us = rec_config_get_int (config, "media.camera-retry-s") * G_USEC_PER_SEC;
  host->silence_us = rec_config_get_int (config, "media.silence-timeout-ms") * 1000;
  host->max_cameras = (int) rec_config_get_int (config, "media.max-cameras");
  host->cameras = g_ptr_array_new ();
  host->allowed = g_strdupv ((char **) rec_config_get_list (config, "media.camera-hosts"));
  rec_camera_guard_install ();
  host->pool = g_thread_pool_new (rec_camera_run_job, NULL, N_THREADS, FALSE, error);
  if (host->pool == NULL)
    g_clear_pointer (&host, rec_camera_host_free);
  return host;
}

void
rec_camera_host_free (RecCameraHost *host)
{
  g_autoptr (GError)
      error = g_error_new_literal (REC_ERROR, REC_ERROR_UNAVAILABLE, "the server stops");

  if (host == NULL)
    return;
  while (host->cameras->len > 0)
    give_up_opening (host->cameras->pdata[0], error);
  if (host->pool != NULL)
    g_thread_pool_free (host->pool, FALSE, TRUE);
  /* What they have said on the way down is still waiting, and holds them. */
  while (g_atomic_int_get (&host->n_runs) > 0 && g_main_context_iteration (NULL, FALSE))
    continue;
  g_ptr_array_unref (host->cameras);
  g_strfreev (host->allowed);
  g_free (host);
}
