/* sink-runner.c - calls one sink plugin, and survives what it does. */
#define G_LOG_DOMAIN "rec.worker.sink"
#include "worker/sink-runner.h"

#include "base/error.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "plugin/loader.h"
#include "plugin/options.h"

#include <string.h>
#include <time.h>

#define TICK_MS 100
#define MAX_FILES 1000

typedef struct Item {
  RecEncodedPacket *packet; /* NULL: a track */
  RecTrack track;
  GBytes *codec_data;
} Item;

struct RecSinkRunner {
  char *id;
  bool is_required, is_recovery;
  RecSinkSetup setup;
  char *recording_id, *directory, *name;
  int64_t queue_ns, queue_bytes;
  int deadline_ms, finish_deadline_ms;
  RecLoadedPlugin *plugin;
  RecOptions *options;
  RecHost host;
  RecSinkEvents events;
  void *data;
  GThread *thread;

  struct {
    RecLock lock;
    pthread_cond_t changed;
    RecSinkState state;
    char *error;
    RecNeeds needs;
    GQueue queue; /* of Item */
    int64_t bytes;
    unsigned n_tracks_wanted; /* 0: not to be opened yet */
    unsigned n_tracks;        /* added */
    bool is_ending, has_video, is_skipping, is_discont;
    int64_t end_ns, stored_ns;
    uint64_t n_dropped;
    GPtrArray *files;
    const char *call; /* that runs now */
    int call_ms, call_limit_ms;
    int64_t checked_us;
  } shared;

  struct { /* of the sink's thread */
    void *sink;
    GArray *track_ids;
    GPtrArray *codec_data;
  } own;
};

static void
free_item (gpointer data)
{
  Item *item = data;

  if (item->packet != NULL)
    rec_encoded_packet_unref (item->packet);
  g_clear_pointer (&item->codec_data, g_bytes_unref);
  g_free (item);
}

static void
free_file (gpointer data)
{
  RecSinkFile *file = data;

  g_free (file->path);
  g_free (file->media_type);
  g_free (file->stream_id);
  g_free (file);
}

static bool
is_over (const RecSinkRunner *runner)
{
  return runner->shared.state >= REC_SINK_DONE;
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

/* False: it is over already. */
static bool
set_state (RecSinkRunner *runner, RecSinkState state, const char *error)
{
  {
    REC_LOCKED (&runner->shared.lock);
    if (is_over (runner))
      return false;
    runner->shared.state = state;
    runner->shared.error = g_strdup (error);
    if (is_over (runner))
      g_queue_clear_full (&runner->shared.queue, free_item);
    pthread_cond_broadcast (&runner->shared.changed);
  }
  runner->events.changed (runner, runner->data);
  return true;
}

static void
begin_call (RecSinkRunner *runner, const char *call, int limit_ms)
{
  REC_LOCKED (&runner->shared.lock);
  runner->shared.call = call;
  runner->shared.call_ms = 0;
  runner->shared.call_limit_ms = limit_ms;
}

static void
end_call (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);
  runner->shared.call = NULL;
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
  if (runner->shared.call == NULL || is_over (runner))
    return false;
  runner->shared.call_ms += (int) MIN (passed_ms, 2 * TICK_MS);
  return runner->shared.call_ms > runner->shared.call_limit_ms;
}

void
rec_sink_runner_check (RecSinkRunner *runner)
{
  g_autofree char *error = NULL;

  {
    REC_LOCKED (&runner->shared.lock);
    if (!has_overrun (runner))
      return;
    error = g_strdup_printf ("sink '%s' misbehaves: %s () neither returned nor reported progress "
                             "for %d ms",
        runner->id, runner->shared.call, runner->shared.call_limit_ms);
  }
  set_state (runner, REC_SINK_STALLED, error);
}

/* --- the sink's thread ----------------------------------------------------------------------------- */

static void
fail (RecSinkRunner *runner, const char *call, const RecError *error)
{
  char words[sizeof error->message];
  g_autofree char *valid = NULL;
  g_autofree char *text = NULL;

  g_strlcpy (words, error->message, sizeof words);
  valid = g_utf8_make_valid (words[0] != '\0' ? words : "no reason given", -1);
  text = g_strdup_printf ("sink '%s': %s (): %s", runner->id, call, valid);
  set_state (runner, REC_SINK_FAILED, text);
}

/* After a call that failed. The file is saved before anybody is told. */
static void
close_failed (RecSinkRunner *runner, const char *call, const RecError *error)
{
  const RecSink *sink = &runner->plugin->sink;
  RecError second = { 0 };

  begin_call (runner, "finish", runner->finish_deadline_ms);
  if (!sink->finish (runner->own.sink, REC_FINISH_FAILED, &second))
    rec_log_with (G_LOG_LEVEL_WARNING,
        &(RecLogFields){ .plugin = runner->id, .recording = runner->recording_id },
        "finish () after a failure: %.252s", second.message);
  begin_call (runner, "close", runner->deadline_ms);
  sink->close (runner->own.sink);
  end_call (runner);
  fail (runner, call, error);
}

static bool
ask_needs (RecSinkRunner *runner)
{
  RecNeeds needs = { .size = sizeof needs };
  RecError error = { 0 };
  bool is_fine;

  begin_call (runner, "needs", runner->deadline_ms);
  is_fine = runner->plugin->sink.needs (&runner->setup, &needs, &error);
  end_call (runner);
  if (!is_fine) {
    fail (runner, "needs", &error);
    return false;
  }
  runner->shared.needs = needs; /* nobody looks before the state says so */
  return set_state (runner, REC_SINK_ASKED, NULL);
}

/* False: it ended before it was to be opened. */
static bool
wait_for_open (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);

  while (runner->shared.n_tracks_wanted == 0 && !runner->shared.is_ending && !is_over (runner))
    pthread_cond_wait (&runner->shared.changed, &runner->shared.lock);
  return runner->shared.n_tracks_wanted > 0 && !is_over (runner);
}

static bool
open_sink (RecSinkRunner *runner)
{
  RecError error = { 0 };

  begin_call (runner, "open", runner->deadline_ms);
  runner->own.sink = runner->plugin->sink.open (&runner->setup, &error);
  end_call (runner);
  if (runner->own.sink == NULL) {
    fail (runner, "open", &error);
    return false;
  }
  if (set_state (runner, REC_SINK_OPEN, NULL))
    return true;
  close_failed (runner, "open", &error); /* too late, but it came back */
  return false;
}

/* NULL: the end, or it was given up. */
static Item *
wait_for_item (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);

  for (;;) {
    const bool is_complete = runner->shared.n_tracks >= runner->shared.n_tracks_wanted;

    if (is_over (runner))
      return NULL;
    if (runner->shared.queue.length > 0 && (is_complete || runner->shared.is_ending)) {
      Item *item = g_queue_pop_head (&runner->shared.queue);

      if (item->packet != NULL)
        runner->shared.bytes -= item->packet->packet.data_size;
      pthread_cond_broadcast (&runner->shared.changed);
      return item;
    }
    if (runner->shared.is_ending)
      return NULL;
    pthread_cond_wait (&runner->shared.changed, &runner->shared.lock);
  }
}

static bool
add_track (RecSinkRunner *runner, Item *item, RecError *error)
{
  const uint32_t id = item->track.id;

  g_array_append_val (runner->own.track_ids, id);
  g_ptr_array_add (runner->own.codec_data, g_steal_pointer (&item->codec_data));
  return runner->plugin->sink.add_track (runner->own.sink, &item->track, error);
}

/* A live sink stores nothing: what it took is as safe as it gets. */
static void
count_as_stored (RecSinkRunner *runner, const RecPacket *packet)
{
  if (runner->plugin->sink.delivery == REC_DELIVERY_LIVE)
    on_progress (&runner->host, packet->pts_ns + packet->duration_ns);
}

static bool
handle_item (RecSinkRunner *runner, Item *item, const char **call, RecError *error)
{
  bool is_fine;

  *call = item->packet == NULL ? "add_track" : "write";
  begin_call (runner, *call, runner->deadline_ms);
  if (item->packet == NULL)
    is_fine = add_track (runner, item, error);
  else
    is_fine = runner->plugin->sink.write (runner->own.sink, &item->packet->packet, error);
  end_call (runner);
  if (is_fine && item->packet != NULL)
    count_as_stored (runner, &item->packet->packet);
  return is_fine;
}

static bool
write_all (RecSinkRunner *runner, const char **call, RecError *error)
{
  Item *item;

  while ((item = wait_for_item (runner)) != NULL) {
    const bool is_fine = handle_item (runner, item, call, error);

    free_item (item);
    if (!is_fine)
      return false;
  }
  return true;
}

static bool
end_tracks (RecSinkRunner *runner, const char **call, RecError *error)
{
  const int64_t end_ns = runner->shared.end_ns; /* written once, before is_ending */

  *call = "end_track";
  for (unsigned i = 0; i < runner->own.track_ids->len; i++) {
    bool is_fine;

    begin_call (runner, *call, runner->deadline_ms);
    is_fine = runner->plugin->sink.end_track (runner->own.sink,
        g_array_index (runner->own.track_ids, uint32_t, i), end_ns, error);
    end_call (runner);
    if (!is_fine)
      return false;
  }
  return true;
}

static void
finish (RecSinkRunner *runner)
{
  const RecSink *sink = &runner->plugin->sink;
  RecError error = { 0 };
  bool is_fine;

  begin_call (runner, "finish", runner->finish_deadline_ms);
  is_fine = sink->finish (runner->own.sink, REC_FINISH_NORMAL, &error);
  begin_call (runner, "close", runner->deadline_ms);
  sink->close (runner->own.sink);
  end_call (runner);
  if (is_fine)
    set_state (runner, REC_SINK_DONE, NULL);
  else
    fail (runner, "finish", &error);
}

static gpointer
run (gpointer data)
{
  RecSinkRunner *runner = data;
  RecError error = { 0 };
  const char *call = "";

  if (!ask_needs (runner))
    return NULL;
  if (!wait_for_open (runner)) {
    set_state (runner, REC_SINK_DONE, NULL);
    return NULL;
  }
  if (!open_sink (runner))
    return NULL;
  if (write_all (runner, &call, &error) && !rec_sink_runner_is_over (runner) &&
      end_tracks (runner, &call, &error))
    finish (runner);
  else
    close_failed (runner, call, &error);
  return NULL;
}

static gpointer
run_recovery (gpointer data)
{
  RecSinkRunner *runner = data;
  RecError error = { 0 };
  bool is_fine = true;

  if (runner->plugin->sink.recover != NULL) {
    begin_call (runner, "recover", runner->finish_deadline_ms);
    is_fine = runner->plugin->sink.recover (&runner->setup, &error);
    end_call (runner);
  }
  if (is_fine)
    set_state (runner, REC_SINK_DONE, NULL);
  else
    fail (runner, "recover", &error);
  return NULL;
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
  g_queue_init (&runner->shared.queue);
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
  runner->queue_ns = (int64_t) recipe->queue_ms * 1000000;
  runner->queue_bytes = recipe->queue_bytes;
  runner->deadline_ms = recipe->deadline_ms;
  runner->finish_deadline_ms = recipe->finish_deadline_ms;
  runner->events = *events;
  runner->data = data;
  init_shared (runner);
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
    if (is_over (runner)) {
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
  runner->thread = g_thread_new ("sink", run, runner);
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
  runner->thread = g_thread_new ("sink", run_recovery, runner);
  return runner;
}

void
rec_sink_runner_free (RecSinkRunner *runner)
{
  if (runner == NULL || rec_sink_runner_get_state (runner) == REC_SINK_STALLED)
    return;
  rec_sink_runner_end (runner, 0);
  g_thread_join (runner->thread);
  g_queue_clear_full (&runner->shared.queue, free_item);
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

bool
rec_sink_runner_open (RecSinkRunner *runner, unsigned n_tracks, GError **error)
{
  {
    REC_LOCKED (&runner->shared.lock);
    runner->shared.n_tracks_wanted = n_tracks;
    pthread_cond_broadcast (&runner->shared.changed);
  }
  return wait_for_state (runner, REC_SINK_OPEN, error);
}

/* --- feeding it ------------------------------------------------------------------------------------ */

void
rec_sink_runner_add_track (RecSinkRunner *runner, const RecTrack *track)
{
  Item *item = g_new0 (Item, 1);
  gsize size;

  item->track = *track;
  item->codec_data = g_bytes_new (track->codec_data, track->codec_data_size);
  item->track.codec_data = g_bytes_get_data (item->codec_data, &size);

  REC_LOCKED (&runner->shared.lock);
  if (is_over (runner)) {
    free_item (item);
    return;
  }
  /* Tracks come before packets, whichever encoder was quicker. */
  g_queue_push_head (&runner->shared.queue, item);
  runner->shared.n_tracks++;
  runner->shared.has_video |= track->media == REC_MEDIA_VIDEO;
  pthread_cond_broadcast (&runner->shared.changed);
}

/* Under the lock. */
static bool
is_full (const RecSinkRunner *runner, const RecPacket *packet)
{
  if (runner->shared.bytes + packet->data_size > runner->queue_bytes)
    return true;
  for (GList *link = runner->shared.queue.head; link != NULL; link = link->next) {
    const Item *item = link->data;

    if (item->packet != NULL)
      return packet->pts_ns - item->packet->packet.pts_ns > runner->queue_ns;
  }
  return false;
}

static void
drop_packets (RecSinkRunner *runner)
{
  GList *link = runner->shared.queue.head;

  while (link != NULL) {
    GList *next = link->next;
    Item *item = link->data;

    if (item->packet != NULL) {
      free_item (item);
      g_queue_delete_link (&runner->shared.queue, link);
      runner->shared.n_dropped++;
    }
    link = next;
  }
  runner->shared.bytes = 0;
}

/* A live sink resumes where decoding can. Under the lock; false: this packet is dropped. */
static bool
accept_live (RecSinkRunner *runner, const RecEncodedPacket *packet, bool *wants_keyframe)
{
  if (is_full (runner, &packet->packet)) {
    drop_packets (runner);
    runner->shared.is_skipping = runner->shared.is_discont = true;
    *wants_keyframe = runner->shared.has_video;
  }
  if ((packet->packet.flags & REC_PACKET_KEYFRAME) &&
      (packet->is_video || !runner->shared.has_video))
    runner->shared.is_skipping = false;
  if (runner->shared.is_skipping)
    runner->shared.n_dropped++;
  return !runner->shared.is_skipping;
}

/* Under the lock. False: not to be queued. *error: the sink is to be failed. */
static bool
make_room (RecSinkRunner *runner, const RecEncodedPacket *packet, bool *wants_keyframe,
    char **error)
{
  if (runner->plugin->sink.delivery == REC_DELIVERY_LIVE)
    return accept_live (runner, packet, wants_keyframe);
  if (!runner->is_required && is_full (runner, &packet->packet)) {
    *error = g_strdup_printf ("sink '%s' is too slow: its queue is full", runner->id);
    return false;
  }
  while (is_full (runner, &packet->packet) && !is_over (runner) && *error == NULL) {
    wait_tick (runner);
    if (has_overrun (runner))
      *error = g_strdup_printf ("sink '%s' misbehaves: %s () neither returned nor reported "
                                "progress for %d ms",
          runner->id, runner->shared.call, runner->shared.call_limit_ms);
  }
  return *error == NULL && !is_over (runner);
}

static RecEncodedPacket *
mark_discont (RecEncodedPacket *packet)
{
  RecEncodedPacket *copy = g_atomic_rc_box_new0 (RecEncodedPacket);

  copy->packet = packet->packet;
  copy->is_video = packet->is_video;
  copy->packet.flags |= REC_PACKET_DISCONT;
  copy->bytes = g_bytes_ref (packet->bytes);
  return copy;
}

void
rec_sink_runner_push (RecSinkRunner *runner, RecEncodedPacket *packet)
{
  g_autofree char *error = NULL;
  bool wants_keyframe = false;

  {
    REC_LOCKED (&runner->shared.lock);
    if (is_over (runner))
      return;
    if (make_room (runner, packet, &wants_keyframe, &error)) {
      Item *item = g_new0 (Item, 1);

      item->packet = runner->shared.is_discont ? mark_discont (packet)
                                               : rec_encoded_packet_ref (packet);
      runner->shared.is_discont = false;
      runner->shared.bytes += packet->packet.data_size;
      g_queue_push_tail (&runner->shared.queue, item);
      pthread_cond_broadcast (&runner->shared.changed);
    }
  }
  if (error != NULL)
    set_state (runner, REC_SINK_STALLED, error);
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
rec_sink_runner_get_dropped (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);
  return runner->shared.n_dropped;
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
