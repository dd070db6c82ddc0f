/* handover.c - tells ThreadSanitizer what GLib and GStreamer promise: who hands something over has written it before the other reads.
 *
 * Both libraries are not built with the sanitizer, and what orders threads inside of them (futexes, queues, main contexts,
 * streaming threads) is invisible to it. These functions stand before the libraries' own ones in programs built with
 * SAN=thread, do the same, and say who gave what to whom. State that two threads touch
 * without such a handing over is still reported. Coarser than the truth is only that a pipeline that was started or stopped is
 * in order with the callbacks of all others. */
#include <dlfcn.h>
#include <glib-object.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>
#include <stdbool.h>

/* The library's own function of this name. */
#define REAL(function)                                                                             \
  ({                                                                                               \
    static __typeof__ (function) *real;                                                            \
    if (__atomic_load_n (&real, __ATOMIC_RELAXED) == NULL)                                         \
      __atomic_store_n (&real, (__typeof__ (function) *) dlsym (RTLD_NEXT, #function),             \
          __ATOMIC_RELAXED);                                                                       \
    __atomic_load_n (&real, __ATOMIC_RELAXED);                                                     \
  })

static void
give (const void *what)
{
  __tsan_release ((void *) what);
}

static void
take (const void *what)
{
  __tsan_acquire ((void *) what);
}

/* Something of ours that a library calls on whatever thread. */
typedef struct {
  GCallback function;
  void *data;
  GDestroyNotify destroy;
} Call;

static Call *
new_call (GCallback function, void *data, GDestroyNotify destroy)
{
  Call *call = malloc (sizeof *call);

  *call = (Call){ .function = function, .data = data, .destroy = destroy };
  give (call);
  return call;
}

static void
free_call (void *data)
{
  Call *call = data;

  take (call);
  if (call->destroy != NULL)
    call->destroy (call->data);
  free (call);
}

/* --- locks and queues ------------------------------------------------------------------------------ */

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock) (mutex);
  take (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean is_ours = REAL (g_mutex_trylock) (mutex);

  if (is_ours)
    take (mutex);
  return is_ours;
}

void
g_mutex_unlock (GMutex *mutex)
{
  give (mutex);
  REAL (g_mutex_unlock) (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  give (mutex);
  REAL (g_cond_wait) (cond, mutex);
  take (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  give (mutex);
  gboolean is_in_time = REAL (g_cond_wait_until) (cond, mutex, end_time);
  take (mutex);
  return is_in_time;
}

void
g_async_queue_push (GAsyncQueue *queue, void *item)
{
  give (queue);
  REAL (g_async_queue_push) (queue, item);
}

void *
g_async_queue_pop (GAsyncQueue *queue)
{
  void *item = REAL (g_async_queue_pop) (queue);

  take (queue);
  return item;
}

void *
g_async_queue_try_pop (GAsyncQueue *queue)
{
  void *item = REAL (g_async_queue_try_pop) (queue);

  take (queue);
  return item;
}

void *
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  void *item = REAL (g_async_queue_timeout_pop) (queue, timeout);

  take (queue);
  return item;
}

/* --- references: who drops the last one sees what all others did before they dropped theirs --------- */

gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  give (count);
  gboolean is_last = REAL (g_atomic_ref_count_dec) (count);
  if (is_last)
    take (count);
  return is_last;
}

static __thread GDestroyNotify clear_box;

static void
take_box (void *box)
{
  take (box);
  clear_box (box);
}

void
g_atomic_rc_box_release_full (void *box, GDestroyNotify clear)
{
  GDestroyNotify outer = clear_box;

  give (box);
  clear_box = clear;
  REAL (g_atomic_rc_box_release_full) (box, take_box);
  clear_box = outer;
}

/* --- pools of threads ----------------------------------------------------------------------------------- */

static void
run_in_pool (void *item, void *data)
{
  const Call *call = data;

  take (item);
  take (call);
  ((GFunc) call->function) (item, call->data);
  give (call); /* to who frees the pool */
}

typedef struct {
  GThreadPool *pool;
  Call *call;
} Pool;

static Pool pools[64];
static GMutex pools_lock;

static void
remember_pool (GThreadPool *pool, Call *call)
{
  g_mutex_lock (&pools_lock);
  for (size_t i = 0; i < G_N_ELEMENTS (pools); i++)
    if (pools[i].pool == NULL) {
      pools[i] = (Pool){ .pool = pool, .call = call };
      break;
    }
  g_mutex_unlock (&pools_lock);
}

static Call *
forget_pool (const GThreadPool *pool)
{
  Call *call = NULL;

  g_mutex_lock (&pools_lock);
  for (size_t i = 0; i < G_N_ELEMENTS (pools); i++)
    if (pools[i].pool == pool) {
      call = pools[i].call;
      pools[i] = (Pool){ 0 };
      break;
    }
  g_mutex_unlock (&pools_lock);
  return call;
}

GThreadPool *
g_thread_pool_new (GFunc function, void *data, int max_threads, gboolean exclusive, GError **error)
{
  Call *call = new_call (G_CALLBACK (function), data, NULL);
  GThreadPool *pool = REAL (g_thread_pool_new) (run_in_pool, call, max_threads, exclusive, error);

  if (pool != NULL)
    remember_pool (pool, call);
  return pool;
}

gboolean
g_thread_pool_push (GThreadPool *pool, void *item, GError **error)
{
  give (item);
  return REAL (g_thread_pool_push) (pool, item, error);
}

/* Whoever pushes looks at what waits already, with the queue's lock held. */
static int
compare_items (const void *one, const void *other, void *data)
{
  const Call *call = data;
  int order;

  take (one);
  take (other);
  order = ((GCompareDataFunc) call->function) (one, other, call->data);
  give (one);
  give (other);
  return order;
}

void
g_thread_pool_set_sort_function (GThreadPool *pool, GCompareDataFunc function, void *data)
{
  REAL (g_thread_pool_set_sort_function)
  (pool, compare_items,
      new_call (G_CALLBACK (function), data, NULL)); /* for good: pools live as long */
}

void
g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  Call *call = forget_pool (pool);

  REAL (g_thread_pool_free) (pool, immediate, wait);
  if (call != NULL && wait)
    take (call);
}

/* --- main contexts -------------------------------------------------------------------------------------- */

static gboolean
run_source (void *data)
{
  const Call *call = data;

  take (call);
  return ((GSourceFunc) call->function) (call->data);
}

/* Sources of other kinds call functions of other shapes; nobody hands anything over by those. */
static bool
is_plain (const GSource *source)
{
  return source->source_funcs == &g_idle_funcs || source->source_funcs == &g_timeout_funcs;
}

void
g_source_set_callback (GSource *source, GSourceFunc function, void *data, GDestroyNotify destroy)
{
  if (is_plain (source))
    REAL (g_source_set_callback)
  (source, run_source, new_call (G_CALLBACK (function), data, destroy), free_call);
  else REAL (g_source_set_callback) (source, function, data, destroy);
}

guint
g_idle_add_full (int priority, GSourceFunc function, void *data, GDestroyNotify destroy)
{
  return REAL (g_idle_add_full) (priority, run_source,
      new_call (G_CALLBACK (function), data, destroy), free_call);
}

guint
g_idle_add (GSourceFunc function, void *data)
{
  return g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, function, data, NULL);
}

void
g_main_context_invoke_full (GMainContext *context, int priority, GSourceFunc function, void *data,
    GDestroyNotify destroy)
{
  REAL (g_main_context_invoke_full)
  (context, priority, run_source, new_call (G_CALLBACK (function), data, destroy), free_call);
}

void
g_main_context_invoke (GMainContext *context, GSourceFunc function, void *data)
{
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, function, data, NULL);
}

/* --- GStreamer: what was set up before is seen by what it calls; what it called is over when it has stopped ------- */

/* Two addresses for the threads of all pipelines. What one callback did says nothing to the next one. */
static char starting, ending;

static void
enter (const Call *call)
{
  take (call);
  take (&starting);
}

static void
leave (void)
{
  give (&ending);
}

GstStateChangeReturn
gst_element_set_state (GstElement *element, GstState state)
{
  give (&starting);
  GstStateChangeReturn result = REAL (gst_element_set_state) (element, state);
  if (state <= GST_STATE_READY)
    take (&ending);
  return result;
}

gboolean
gst_element_sync_state_with_parent (GstElement *element)
{
  give (&starting);
  return REAL (gst_element_sync_state_with_parent) (element);
}

static void
run_signal (GClosure *closure, GValue *result, guint n_values, const GValue *values, void *hint,
    void *marshal G_GNUC_UNUSED)
{
  take (closure);
  take (&starting);
  g_cclosure_marshal_generic (closure, result, n_values, values, hint, NULL);
  leave ();
}

gulong
g_signal_connect_data (void *instance, const char *signal, GCallback handler, void *data,
    GClosureNotify destroy, GConnectFlags flags)
{
  if (!GST_IS_OBJECT (instance))
    return REAL (g_signal_connect_data) (instance, signal, handler, data, destroy, flags);

  GClosure *closure = (flags & G_CONNECT_SWAPPED) != 0
                          ? g_cclosure_new_swap (handler, data, destroy)
                          : g_cclosure_new (handler, data, destroy);
  g_closure_set_marshal (closure, g_cclosure_marshal_generic);
  g_closure_set_meta_marshal (closure, NULL, run_signal);
  give (closure);
  return g_signal_connect_closure (instance, signal, closure, (flags & G_CONNECT_AFTER) != 0);
}

static GstPadProbeReturn
run_probe (GstPad *pad, GstPadProbeInfo *info, void *data)
{
  const Call *call = data;

  enter (call);
  GstPadProbeReturn result = ((GstPadProbeCallback) call->function) (pad, info, call->data);
  leave ();
  return result;
}

gulong
gst_pad_add_probe (GstPad *pad, GstPadProbeType mask, GstPadProbeCallback function, void *data,
    GDestroyNotify destroy)
{
  return REAL (gst_pad_add_probe) (pad, mask, run_probe,
      new_call (G_CALLBACK (function), data, destroy), free_call);
}

static GstBusSyncReply
run_bus (GstBus *bus, GstMessage *message, void *data)
{
  const Call *call = data;

  enter (call);
  GstBusSyncReply reply = ((GstBusSyncHandler) call->function) (bus, message, call->data);
  leave ();
  return reply;
}

void
gst_bus_set_sync_handler (GstBus *bus, GstBusSyncHandler function, void *data,
    GDestroyNotify destroy)
{
  if (function != NULL)
    REAL (gst_bus_set_sync_handler)
  (bus, run_bus, new_call (G_CALLBACK (function), data, destroy), free_call);
  else REAL (gst_bus_set_sync_handler) (bus, NULL, data, destroy);
  take (&ending);
}

static void
run_promise (GstPromise *promise, void *data)
{
  const Call *call = data;

  enter (call);
  ((GstPromiseChangeFunc) call->function) (promise, call->data);
  leave ();
}

GstPromise *
gst_promise_new_with_change_func (GstPromiseChangeFunc function, void *data, GDestroyNotify destroy)
{
  return REAL (gst_promise_new_with_change_func) (run_promise,
      new_call (G_CALLBACK (function), data, destroy), free_call);
}

typedef struct {
  GstAppSinkCallbacks callbacks;
  void *data;
  GDestroyNotify destroy;
} AppSink;

static GstFlowReturn
run_new_sample (GstAppSink *sink, void *data)
{
  const AppSink *app_sink = data;

  take (app_sink);
  take (&starting);
  GstFlowReturn result = app_sink->callbacks.new_sample (sink, app_sink->data);
  leave ();
  return result;
}

static void
run_eos (GstAppSink *sink, void *data)
{
  const AppSink *app_sink = data;

  take (app_sink);
  take (&starting);
  app_sink->callbacks.eos (sink, app_sink->data);
  leave ();
}

static void
free_app_sink (void *data)
{
  AppSink *app_sink = data;

  take (app_sink);
  if (app_sink->destroy != NULL)
    app_sink->destroy (app_sink->data);
  free (app_sink);
}

void
gst_app_sink_set_callbacks (GstAppSink *sink, GstAppSinkCallbacks *callbacks, void *data,
    GDestroyNotify destroy)
{
  AppSink *app_sink = malloc (sizeof *app_sink);
  GstAppSinkCallbacks ours = { .eos = callbacks->eos != NULL ? run_eos : NULL,
    .new_sample = callbacks->new_sample != NULL ? run_new_sample : NULL };

  g_assert (callbacks->new_preroll == NULL && callbacks->new_event == NULL);
  *app_sink = (AppSink){ .callbacks = *callbacks, .data = data, .destroy = destroy };
  give (app_sink);
  REAL (gst_app_sink_set_callbacks) (sink, &ours, app_sink, free_app_sink);
}
