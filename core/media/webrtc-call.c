/* webrtc-call.c - waits for webrtcbin's promises, but not for ever. */
#define G_LOG_DOMAIN "rec.media.webrtc-call"
#include "media/webrtc-call.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/lock.h"

typedef struct {
  atomic_uint n_references;
  RecLock lock; /* guards the rest */
  pthread_cond_t changed;
  bool is_done;
  GstStructure *reply;
} Wait;

static Wait *
new_wait (void)
{
  Wait *wait = g_new0 (Wait, 1);

  atomic_init (&wait->n_references, 1);
  rec_lock_init (&wait->lock);
  rec_cond_init (&wait->changed);
  return wait;
}

static Wait *
ref_wait (Wait *wait)
{
  atomic_fetch_add (&wait->n_references, 1);
  return wait;
}

static void
unref_wait (void *data)
{
  Wait *wait = data;

  if (atomic_fetch_sub (&wait->n_references, 1) > 1)
    return;
  g_clear_pointer (&wait->reply, gst_structure_free);
  rec_lock_clear (&wait->lock);
  pthread_cond_destroy (&wait->changed);
  g_free (wait);
}

static void
on_promise (GstPromise *promise, void *data)
{
  Wait *wait = data;
  const GstStructure *reply = gst_promise_wait (promise) == GST_PROMISE_RESULT_REPLIED
                                  ? gst_promise_get_reply (promise)
                                  : NULL;

  REC_LOCKED (&wait->lock);
  wait->reply = reply != NULL ? gst_structure_copy (reply)
                              : gst_structure_new_empty ("without-reply");
  wait->is_done = true;
  pthread_cond_signal (&wait->changed);
}

/* NULL when it takes too long. */
static GstStructure *
await_reply (Wait *wait, int timeout_ms)
{
  int64_t deadline = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  bool is_in_time = true;

  REC_LOCKED (&wait->lock);
  while (!wait->is_done && is_in_time)
    is_in_time = rec_cond_wait_until (&wait->changed, &wait->lock, deadline);
  return g_steal_pointer (&wait->reply);
}

GstStructure *
rec_webrtc_call (GstElement *webrtc, const char *signal, void *argument, int timeout_ms,
    GError **error)
{
  Wait *wait = new_wait ();
  GstPromise *promise = gst_promise_new_with_change_func (on_promise, ref_wait (wait), unref_wait);
  g_autoptr (GstStructure) reply = NULL;
  g_autoptr (GError) reason = NULL;

  g_signal_emit_by_name (webrtc, signal, argument, promise);
  gst_promise_unref (promise);
  reply = await_reply (wait, timeout_ms);
  unref_wait (wait);
  if (reply == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_TIMEOUT, "cannot negotiate: %s took over %d ms",
        signal, timeout_ms);
    return NULL;
  }
  if (gst_structure_get (reply, "error", G_TYPE_ERROR, &reason, NULL) && reason != NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "cannot negotiate: %s: %s", signal,
        reason->message);
    return NULL;
  }
  return g_steal_pointer (&reply);
}
