/* sink-runner.c - calls one sink plugin, and survives what it does. */
#define G_LOG_DOMAIN "rec.worker.sink"
#include "worker/sink-runner.h"

#include "base/error.h"
#include "base/log.h"
#include "base/path.h"
#include "plugin/options.h"
#include "worker/sink-private.h"

#include <string.h>
#include <time.h>

#define TICK_MS 100
#define MAX_FILES 1000

static void
free_file (gpointer data)
{
  RecSinkFile *file = data;

  g_free (file->path);
  g_free (file->media_type);
  g_free (file->stream_id);
  g_free (file);
}

/* Waits at most a tick for anything to change. The lock is held. */
static void
wait_tick (RecSinkRunner *runner)
{
  struct timespec until;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_nsec += TICK_MS * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000L;
  }
  pthread_cond_timedwait (&runner->shared.changed, &runner->shared.lock, &until);
}

/* --- what the plugin may ask of us ----------------------------------------------------------------- */

static GLogLevelFlags
to_log_level (uint32_t level)
{
  switch (level) {
  case REC_LOG_ERROR:
    return G_LOG_LEVEL_CRITICAL;
  case REC_LOG_WARNING:
    return G_LOG_LEVEL_WARNING;
  case REC_LOG_MESSAGE:
    return G_LOG_LEVEL_MESSAGE;
  default:
    return G_LOG_LEVEL_DEBUG;
  }
}

static void
on_log (const RecHost *host, uint32_t level, const char *message)
{
  const RecSinkRunner *runner = host->context;
  g_autofree char *text = g_utf8_make_valid (message, (gssize) strnlen (message, 1024));

  rec_log_with (to_log_level (level),
      &(RecLogFields){ .plugin = runner->id, .recording = runner->recording_id }, "%s", text);
}

static void
on_add_file (const RecHost *host, const char *path, const char *media_type, const char *stream_id)
{
  RecSinkRunner *runner = host->context;
  RecSinkFile *file;

  if (path == NULL || media_type == NULL || !rec_path_is_safe_relative (path)) {
    on_log (host, REC_LOG_WARNING,
        "plugin misbehaves: it adds a file outside the recording's folder");
    return;
  }
  REC_LOCKED (&runner->shared.lock);
  if (runner->shared.files->len >= MAX_FILES)
    return;
  file = g_new0 (RecSinkFile, 1);
  file->path = g_strdup (path);
  file->media_type = g_utf8_make_valid (media_type, -1);
  file->stream_id = g_strdup (stream_id);
  g_ptr_array_add (runner->shared.files, file);
}

static void
on_progress (const RecHost *host, int64_t stored_ns)
{
  RecSinkRunner *runner = host->context;
  bool is_first;

  {
    REC_LOCKED (&runner->shared.lock);
    is_first = runner->shared.stored_ns == 0 && stored_ns > 0;
    runner->shared.stored_ns = MAX (runner->shared.stored_ns, stored_ns);
    runner->shared.call_ms = 0;
    runner->shared.n_progress++;
  }
  if (is_first)
    runner->events.changed (runner, runner->data);
}

static void
on_request_keyframe (const RecHost *host, uint32_t track_id)
{
  RecSinkRunner *runner = host->context;

  (void) track_id;
  runner->events.keyframe_wanted (runner, runner->data);
}

/* --- state and deadline ---------------------------------------------------------------------------- */

bool
rec_sink_runner_set_state (RecSinkRunner *runner, RecSinkState state, const char *error)
{
  {
    REC_LOCKED (&runner->shared.lock);
    if (rec_sink_runner_is_over_locked (runner))
      return false;
    runner->shared.state = state;
    runner->shared.error = g_strdup (error);
    if (rec_sink_runner_is_over_locked (runner))
      rec_sink_queue_clear (&runner->shared.queue);
    pthread_cond_broadcast (&runner->shared.changed);
  }
  runner->events.changed (runner, runner->data);
  return true;
}

/* Under the lock: whether the call that runs has had its time. */
static bool
has_overrun (RecSinkRunner *runner)
{
  const int64_t now_us = g_get_monotonic_time ();
  const int64_t passed_ms = (now_us - runner->shared.checked_us) / 1000;

  if (passed_ms < TICK_MS / 2)
    return false;
  runner->shared.checked_us = now_us;
  if (runner->shared.call == NULL || rec_sink_runner_is_over_locked (runner))
    return false;
  runner->shared.call_ms += (int) MIN (passed_ms, 2 * TICK_MS);
  return runner->shared.call_ms > runner->shared.call_limit_ms;
}

static char *
describe_overrun (const RecSinkRunner *runner)
{
  return g_strdup_printf ("sink '%s' misbehaves: %s () neither returned nor reported progress "
                          "for %d ms",
      runner->id, runner->shared.call, runner->shared.call_limit_ms);
}

void
rec_sink_runner_check (RecSinkRunner *runner)
{
  g_autofree char *error = NULL;

  {
    REC_LOCKED (&runner->shared.lock);
    if (!has_overrun (runner))
      return;
    error = describe_overrun (runner);
  }
  rec_sink_runner_set_state (runner, REC_SINK_STALLED, error);
}

/* --- life ------------------------------------------------------------------------------------------ */

static void
init_shared (RecSinkRunner *runner)
{
  pthread_condattr_t attributes;

  rec_lock_init (&runner->shared.lock);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&runner->shared.changed, &attributes);
  pthread_condattr_destroy (&attributes);
  runner->shared.files = g_ptr_array_new_with_free_func (free_file);
  runner->shared.checked_us = g_get_monotonic_time ();
}

static RecSinkRunner *
make (const RecSinkRecipe *recipe, const RecSinkEvents *events, void *data, GError **error)
{
  RecLoadedPlugin *plugin = rec_loader_load (recipe->file, error);
  RecSinkRunner *runner;

  if (plugin == NULL)
    return NULL;
  if (plugin->kind != REC_PLUGIN_SINK) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "plugin '%s' is no sink",
        recipe->id);
    rec_loaded_plugin_free (plugin);
    return NULL;
  }

  runner = g_new0 (RecSinkRunner, 1);
  runner->plugin = plugin;
  runner->id = g_strdup (recipe->id);
  runner->is_required = recipe->is_required;
  runner->deadline_ms = recipe->deadline_ms;
  runner->finish_deadline_ms = recipe->finish_deadline_ms;
  runner->events = *events;
  runner->data = data;
  init_shared (runner);
  rec_sink_queue_init (&runner->shared.queue, plugin->sink.delivery,
      (int64_t) recipe->queue_ms * 1000000, recipe->queue_bytes);
  runner->own.track_ids = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  runner->own.codec_data = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  runner->host = (RecHost){ .size = sizeof (RecHost),
    .context = runner,
    .log = on_log,
    .add_file = on_add_file,
    .progress = on_progress,
    .request_keyframe = on_request_keyframe };
  runner->options = rec_options_new (plugin->plugin->options, recipe->options);
  runner->setup = recipe->setup;
  runner->setup.size = sizeof (RecSinkSetup);
  runner->setup.host = &runner->host;
  runner->setup.options = runner->options;
  runner->setup.recording_id = runner->recording_id = g_strdup (recipe->setup.recording_id);
  runner->setup.directory = runner->directory = g_strdup (recipe->setup.directory);
  runner->setup.name = runner->name = g_strdup (recipe->setup.name);
  return runner;
}

/* Until the state is at least `state`, or it is over; false with its error. */
static bool
wait_for_state (RecSinkRunner *runner, RecSinkState state, GError **error)
{
  for (;;) {
    rec_sink_runner_check (runner);
    REC_LOCKED (&runner->shared.lock);
    if (runner->shared.state >= state && runner->shared.state <= REC_SINK_DONE)
      return true;
    if (rec_sink_runner_is_over_locked (runner)) {
      g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "%s", runner->shared.error);
      return false;
    }
    wait_tick (runner);
  }
}

RecSinkRunner *
rec_sink_runner_new (const RecSinkRecipe *recipe, const RecSinkEvents *events, void *data,
    GError **error)
{
  RecSinkRunner *runner = make (recipe, events, data, error);

  if (runner == NULL)
    return NULL;
  runner->thread = g_thread_new ("sink", rec_sink_thread_run, runner);
  if (!wait_for_state (runner, REC_SINK_ASKED, error)) {
    rec_sink_runner_free (runner);
    return NULL;
  }
  return runner;
}

RecSinkRunner *
rec_sink_runner_recover (const RecSinkRecipe *recipe, const RecSinkEvents *events, void *data,
    GError **error)
{
  RecSinkRunner *runner = make (recipe, events, data, error);

  if (runner == NULL)
    return NULL;
  runner->is_recovery = true;
  runner->thread = g_thread_new ("sink", rec_sink_thread_recover, runner);
  return runner;
}

void
rec_sink_runner_free (RecSinkRunner *runner)
{
  if (runner == NULL || rec_sink_runner_get_state (runner) == REC_SINK_STALLED)
    return;
  rec_sink_runner_end (runner, 0);
  g_thread_join (runner->thread);
  rec_sink_queue_clear (&runner->shared.queue);
  g_ptr_array_unref (runner->shared.files);
  g_free (runner->shared.error);
  pthread_cond_destroy (&runner->shared.changed);
  rec_lock_clear (&runner->shared.lock);
  g_array_unref (runner->own.track_ids);
  g_ptr_array_unref (runner->own.codec_data);
  rec_options_free (runner->options);
  rec_loaded_plugin_free (runner->plugin);
  g_free (runner->recording_id);
  g_free (runner->directory);
  g_free (runner->name);
  g_free (runner->id);
  g_free (runner);
}

const RecNeeds *
rec_sink_runner_get_needs (const RecSinkRunner *runner)
{
  return &runner->shared.needs;
}

uint32_t
rec_sink_runner_get_mode (const RecSinkRunner *runner)
{
  return runner->setup.mode;
}

bool
rec_sink_runner_open (RecSinkRunner *runner, unsigned n_tracks, GError **error)
{
  {
    REC_LOCKED (&runner->shared.lock);
    runner->shared.n_tracks_wanted = n_tracks;
    runner->shared.is_open_wanted = true;
    pthread_cond_broadcast (&runner->shared.changed);
  }
  return wait_for_state (runner, REC_SINK_OPEN, error);
}

/* --- feeding it ------------------------------------------------------------------------------------ */

void
rec_sink_runner_add_track (RecSinkRunner *runner, const RecTrack *track)
{
  REC_LOCKED (&runner->shared.lock);
  if (rec_sink_runner_is_over_locked (runner))
    return;
  rec_sink_queue_add_track (&runner->shared.queue, track,
      runner->setup.mode == REC_MODE_INDIVIDUAL);
  pthread_cond_broadcast (&runner->shared.changed);
}

void
rec_sink_runner_end_track (RecSinkRunner *runner, uint32_t track_id, int64_t end_ns)
{
  REC_LOCKED (&runner->shared.lock);
  if (rec_sink_runner_is_over_locked (runner))
    return;
  rec_sink_queue_end_track (&runner->shared.queue, track_id, end_ns);
  pthread_cond_broadcast (&runner->shared.changed);
}

/* Backpressure for a lossless sink, if it is required. Under the lock. Not NULL: the sink is to be given up. */
static char *
wait_for_room (RecSinkRunner *runner, const RecEncodedPacket *packet)
{
  if (runner->shared.queue.delivery == REC_DELIVERY_LIVE)
    return NULL;
  while (!rec_sink_runner_is_over_locked (runner) &&
         rec_sink_queue_is_full (&runner->shared.queue, packet)) {
    if (!runner->is_required)
      return g_strdup_printf ("sink '%s' is too slow: its queue is full", runner->id);
    wait_tick (runner);
    if (has_overrun (runner))
      return describe_overrun (runner);
  }
  return NULL;
}

void
rec_sink_runner_push (RecSinkRunner *runner, RecEncodedPacket *packet)
{
  g_autofree char *error = NULL;
  bool wants_keyframe = false;

  {
    REC_LOCKED (&runner->shared.lock);
    error = wait_for_room (runner, packet);
    if (error == NULL && !rec_sink_runner_is_over_locked (runner)) {
      wants_keyframe = rec_sink_queue_push (&runner->shared.queue, packet);
      pthread_cond_broadcast (&runner->shared.changed);
    }
  }
  if (error != NULL)
    rec_sink_runner_set_state (runner, REC_SINK_STALLED, error);
  if (wants_keyframe)
    runner->events.keyframe_wanted (runner, runner->data);
}

void
rec_sink_runner_end (RecSinkRunner *runner, int64_t end_ns)
{
  REC_LOCKED (&runner->shared.lock);
  if (runner->shared.is_ending)
    return;
  runner->shared.end_ns = end_ns;
  runner->shared.is_ending = true;
  pthread_cond_broadcast (&runner->shared.changed);
}

/* --- looking --------------------------------------------------------------------------------------- */

RecSinkState
rec_sink_runner_get_state (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);
  return runner->shared.state;
}

bool
rec_sink_runner_is_over (RecSinkRunner *runner)
{
  return rec_sink_runner_get_state (runner) >= REC_SINK_DONE;
}

int64_t
rec_sink_runner_get_stored_ns (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);
  return runner->shared.stored_ns;
}

uint64_t
rec_sink_runner_get_progress (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);
  return runner->shared.n_progress;
}

uint64_t
rec_sink_runner_get_dropped (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);
  return runner->shared.queue.n_dropped;
}

char *
rec_sink_runner_dup_error (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);
  return g_strdup (runner->shared.error);
}

static gpointer
copy_file (gconstpointer source, gpointer data)
{
  const RecSinkFile *file = source;
  RecSinkFile *copy = g_new0 (RecSinkFile, 1);

  (void) data;
  copy->path = g_strdup (file->path);
  copy->media_type = g_strdup (file->media_type);
  copy->stream_id = g_strdup (file->stream_id);
  return copy;
}

GPtrArray *
rec_sink_runner_dup_files (RecSinkRunner *runner)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (free_file);

  REC_LOCKED (&runner->shared.lock);
  for (unsigned i = 0; i < runner->shared.files->len; i++)
    g_ptr_array_add (files, copy_file (runner->shared.files->pdata[i], NULL));
  return files;
}

const char *
rec_sink_runner_get_id (const RecSinkRunner *runner)
{
  return runner->id;
}

bool
rec_sink_runner_is_required (const RecSinkRunner *runner)
{
  return runner->is_required;
}
