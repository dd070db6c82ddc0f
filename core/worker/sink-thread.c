/* sink-thread.c - what runs on a sink's own thread: the plugin's calls, in their order. */
#define G_LOG_DOMAIN "rec.worker.sink"
#include "worker/sink-private.h"

#include "base/log.h"

#include <string.h>

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

static void
fail (RecSinkRunner *runner, const char *call, const RecError *error)
{
  const size_t length = strnlen (error->message, sizeof error->message);
  g_autofree char *valid = g_utf8_make_valid (error->message, (gssize) length);
  g_autofree char *text = NULL;

  text = g_strdup_printf ("sink '%s': %s (): %s", runner->id, call,
      length > 0 ? valid : "no reason given");
  rec_sink_runner_set_state (runner, REC_SINK_FAILED, text);
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
  return rec_sink_runner_set_state (runner, REC_SINK_ASKED, NULL);
}

/* False: it ended before it was to be opened. */
static bool
wait_for_open (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);

  while (!runner->shared.is_open_wanted && !runner->shared.is_ending &&
         !rec_sink_runner_is_over_locked (runner))
    pthread_cond_wait (&runner->shared.changed, &runner->shared.lock);
  return runner->shared.is_open_wanted && !rec_sink_runner_is_over_locked (runner);
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
  if (rec_sink_runner_set_state (runner, REC_SINK_OPEN, NULL))
    return true;
  close_failed (runner, "open", &error); /* too late, but it came back */
  return false;
}

/* NULL: the end, or it was given up. */
static RecSinkItem *
wait_for_item (RecSinkRunner *runner)
{
  REC_LOCKED (&runner->shared.lock);

  for (;;) {
    const bool is_complete = runner->shared.queue.n_tracks >= runner->shared.n_tracks_wanted;

    if (rec_sink_runner_is_over_locked (runner))
      return NULL;
    if (is_complete || runner->shared.is_ending) {
      RecSinkItem *item = rec_sink_queue_pop (&runner->shared.queue);

      pthread_cond_broadcast (&runner->shared.changed);
      if (item != NULL)
        return item;
    }
    if (runner->shared.is_ending)
      return NULL;
    pthread_cond_wait (&runner->shared.changed, &runner->shared.lock);
  }
}

static bool
add_track (RecSinkRunner *runner, RecSinkItem *item, RecError *error)
{
  const uint32_t id = item->track.id;

  g_array_append_val (runner->own.track_ids, id);
  g_ptr_array_add (runner->own.codec_data, g_steal_pointer (&item->codec_data));
  return runner->plugin->sink.add_track (runner->own.sink, &item->track, error);
}

/* Nothing of a track is held longer than it lasts: streams come and go. */
static bool
end_track (RecSinkRunner *runner, const RecSinkItem *item, RecError *error)
{
  for (unsigned i = 0; i < runner->own.track_ids->len; i++) {
    if (g_array_index (runner->own.track_ids, uint32_t, i) != item->track.id)
      continue;
    g_array_remove_index_fast (runner->own.track_ids, i);
    g_ptr_array_remove_index_fast (runner->own.codec_data, i);
    return runner->plugin->sink.end_track (runner->own.sink, item->track.id, item->end_ns, error);
  }
  return true;
}

/* A live sink stores nothing: what it took is as safe as it gets. */
static void
count_as_stored (RecSinkRunner *runner, const RecPacket *packet)
{
  if (runner->plugin->sink.delivery == REC_DELIVERY_LIVE)
    runner->host.progress (&runner->host, packet->pts_ns + packet->duration_ns);
}

static bool
handle_item (RecSinkRunner *runner, RecSinkItem *item, const char **call, RecError *error)
{
  bool is_fine;

  *call = item->packet != NULL ? "write" : item->is_end ? "end_track" : "add_track";
  begin_call (runner, *call, runner->deadline_ms);
  if (item->is_end)
    is_fine = end_track (runner, item, error);
  else if (item->packet == NULL)
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
  RecSinkItem *item;

  while ((item = wait_for_item (runner)) != NULL) {
    const bool is_fine = handle_item (runner, item, call, error);

    rec_sink_item_free (item);
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
    rec_sink_runner_set_state (runner, REC_SINK_DONE, NULL);
  else
    fail (runner, "finish", &error);
}

gpointer
rec_sink_thread_run (gpointer data)
{
  RecSinkRunner *runner = data;
  RecError error = { 0 };
  const char *call = "";

  if (!ask_needs (runner))
    return NULL;
  if (!wait_for_open (runner)) {
    rec_sink_runner_set_state (runner, REC_SINK_DONE, NULL);
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

gpointer
rec_sink_thread_recover (gpointer data)
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
    rec_sink_runner_set_state (runner, REC_SINK_DONE, NULL);
  else
    fail (runner, "recover", &error);
  return NULL;
}
