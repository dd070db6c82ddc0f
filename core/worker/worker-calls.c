/* worker-calls.c - what other threads have to say to the worker, as calls on the main context. */
#define G_LOG_DOMAIN "rec.worker"
#include "worker/worker-private.h"

#include "base/json.h"

static gboolean
on_update (gpointer data)
{
  (void) data;
  rec_worker_update ();
  return G_SOURCE_REMOVE;
}

static gboolean
on_note (gpointer data)
{
  rec_worker_note (data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_keyframe (gpointer data)
{
  json_object *message;

  if (GPOINTER_TO_UINT (data) == REC_PAGE_VIDEO_TRACK) {
    if (worker.page != NULL)
      rec_page_run_force_keyframe (worker.page);
    return G_SOURCE_REMOVE;
  }
  message = json_object_new_object ();
  rec_json_set_int (message, "track", GPOINTER_TO_UINT (data));
  rec_worker_say (REC_CONTROL_KEYFRAME, message);
  return G_SOURCE_REMOVE;
}

static gboolean
on_failure (gpointer data)
{
  rec_worker_end_early (data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_recorder_ended (gpointer data)
{
  (void) data;
  worker.has_recorder_ended = true;
  if (worker.page != NULL)
    rec_page_run_end (worker.page);
  rec_worker_update ();
  return G_SOURCE_REMOVE;
}

static gboolean
on_has_room (gpointer data)
{
  (void) data;
  rec_media_socket_resume (worker.media);
  return G_SOURCE_REMOVE;
}

static gboolean
on_packed (gpointer data)
{
  (void) data;
  worker.is_packed = true;
  rec_worker_update ();
  return G_SOURCE_REMOVE;
}

static gboolean
on_progress (gpointer data)
{
  json_object *message = json_object_new_object ();

  rec_json_set_int (message, "bytes", *(int64_t *) data);
  rec_worker_say (REC_CONTROL_PROGRESS, message);
  return G_SOURCE_REMOVE;
}

/* Always through the loop: what is called must not run inside what called. */
static void
call_main (GSourceFunc call, gpointer data, GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, call, data, destroy);
  g_source_attach (source, NULL);
}

static void
tell_keyframe (uint32_t track_id, void *data)
{
  (void) data;
  call_main (on_keyframe, GUINT_TO_POINTER (track_id), NULL);
}

static void
tell_note (const char *text, void *data)
{
  (void) data;
  call_main (on_note, g_strdup (text), g_free);
}

static void
tell_failure (const char *text, void *data)
{
  (void) data;
  call_main (on_failure, g_strdup (text), g_free);
}

static void
tell_room (void *data)
{
  (void) data;
  call_main (on_has_room, NULL, NULL);
}

static void
tell_ended (void *data)
{
  (void) data;
  call_main (on_recorder_ended, NULL, NULL);
}

static void
tell_changed (RecSinkRunner *runner, void *data)
{
  (void) runner;
  (void) data;
  call_main (on_update, NULL, NULL);
}

static void
tell_packed (void *data)
{
  (void) data;
  call_main (on_packed, NULL, NULL);
}

static void
tell_progress (int64_t n_bytes, void *data)
{
  (void) data;
  call_main (on_progress, g_memdup2 (&n_bytes, sizeof n_bytes), g_free);
}

const RecPackEvents rec_worker_pack_events = {
  .progress = tell_progress,
  .over = tell_packed,
};

static gboolean
on_sink_wants_keyframe (gpointer data)
{
  (void) data;
  if (worker.recorder != NULL && !worker.has_recorder_ended)
    rec_recorder_force_keyframe (worker.recorder);
  return G_SOURCE_REMOVE;
}

static void
tell_sink_wants_keyframe (RecSinkRunner *runner, void *data)
{
  (void) runner;
  (void) data;
  call_main (on_sink_wants_keyframe, NULL, NULL);
}

const RecSinkEvents rec_worker_sink_events = {
  .changed = tell_changed,
  .keyframe_wanted = tell_sink_wants_keyframe,
};

const RecRecorderEvents rec_worker_recorder_events = {
  .keyframe = tell_keyframe,
  .note = tell_note,
  .failed = tell_failure,
  .has_room = tell_room,
  .ended = tell_ended,
};
