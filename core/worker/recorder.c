/* recorder.c - the recording thread: takes what came in, and makes one step after the other of it. */
#define G_LOG_DOMAIN "rec.worker.recorder"
#include "worker/recorder.h"

#include "base/error.h"
#include "base/lock.h"
#include "worker/chronicle.h"
#include "worker/individual.h"
#include "worker/outputs.h"
#include "worker/sink-runner.h"
#include "worker/stage.h"
#include "worker/thumbnail.h"
#include "worker/timeline.h"

#include <time.h>

#define PAGE_LATENCY_NS (150 * REC_NS_PER_MS)
#define LATE_NS (120 * REC_NS_PER_MS) /* behind by more than this, the last picture is repeated */
#define MAX_WAITING 4                 /* times what one track may hold: for all of them */
#define MIN_PAINTED_PER_SECOND 5      /* however late: nobody should see a frozen room */

/* What the main thread hands over: a packet, or a command. */
typedef struct Item {
  RecCommand *command;
  GstBuffer *rtp;
  uint32_t track_id;
  int64_t pts_ns;
  bool is_discont;
} Item;

struct RecRecorder {
  RecRecorderRecipe recipe;
  RecRecorderEvents events;
  void *data;
  RecTimeline timeline;
  GThread *thread;
  RecOutputs *outputs;
  RecChronicle *chronicle; /* NULL: none is kept; the thread's, until it has ended */
  RecThumbnail *thumbnail; /* the thread's, until it has ended */

  struct {
    RecLock lock;
    pthread_cond_t changed;
    GQueue items; /* of Item */
    int64_t bytes;
    bool is_full, is_closed;
    uint64_t n_refused;
    RecRecorderStats stats;
  } shared;

  struct { /* of the recording thread */
    RecStage *stage;
    RecIndividual *individual; /* NULL: no sink takes single streams */
    int64_t end_ns;            /* file time; -1 until it is known */
    int64_t waiting_bytes;     /* of all tracks */
    uint64_t n_lost;
    GQueue pending;        /* of RecCommand, by at_ns */
    GstBuffer *last;       /* the picture last handed out */
    int64_t step, n_steps; /* n_steps: -1 until the end is known */
    int64_t horizon_ns;    /* packets clock: file time that has been reached */
    uint64_t n_repeated;
    int64_t n_in_a_row; /* repeated since the last one that was painted */
  } own;
};

/* --- commands -------------------------------------------------------------------------------------- */

static int64_t
get_cost (GstBuffer *rtp)
{
  return (int64_t) gst_buffer_get_size (rtp) + REC_PACKET_COST;
}

static void
free_item (gpointer data)
{
  Item *item = data;

  rec_command_free (item->command);
  gst_clear_buffer (&item->rtp);
  g_free (item);
}

/* What has a time waits for its step; of equal times the first to come is the first. */
static int
compare_times (gconstpointer a, gconstpointer b, gpointer data)
{
  const RecCommand *left = a, *right = b;

  (void) data;
  return left->at_ns <= right->at_ns ? -1 : 1;
}

static void
set_end (RecRecorder *recorder, int64_t at_ns)
{
  const int64_t end_ns = MAX (rec_timeline_to_file (&recorder->timeline, at_ns), 0);

  if (recorder->own.n_steps >= 0)
    return;
  recorder->own.end_ns = end_ns;
  recorder->own.n_steps =
      MAX (rec_timeline_count_steps (&recorder->timeline, end_ns), recorder->own.step);
}

static void
apply (RecRecorder *recorder, const RecCommand *command, int64_t at_ns)
{
  rec_chronicle_note_command (recorder->chronicle, command,
      rec_timeline_to_file (&recorder->timeline, at_ns));
  rec_stage_apply (recorder->own.stage, command);
  rec_individual_apply (recorder->own.individual, command);
}

static void
take_command (RecRecorder *recorder, RecCommand *command)
{
  switch (command->type) {
  case REC_COMMAND_TRACK_ADD:
    apply (recorder, command, MAX (command->at_ns, recorder->timeline.start_ns));
    break;
  case REC_COMMAND_STOP:
    set_end (recorder, command->at_ns);
    break;
  case REC_COMMAND_TRACK_END:
  case REC_COMMAND_STREAM_STATE:
    g_queue_insert_sorted (&recorder->own.pending, command, compare_times, NULL);
    return;
  case REC_COMMAND_INVALID:
    g_assert_not_reached ();
  }
  rec_command_free (command);
}

static void
apply_pending (RecRecorder *recorder, int64_t until_ns)
{
  RecCommand *command;

  while ((command = g_queue_peek_head (&recorder->own.pending)) != NULL &&
         command->at_ns <= until_ns) {
    g_queue_pop_head (&recorder->own.pending);
    apply (recorder, command, command->at_ns);
    rec_command_free (command);
  }
}

/* --- input ----------------------------------------------------------------------------------------- */

/* A live packet cannot be of the future, and one that claims to be must not hold up what follows it. */
static void
tame_time (RecRecorder *recorder, Item *item)
{
  const int64_t now_ns = g_get_monotonic_time () * 1000;

  if (recorder->recipe.is_live && item->pts_ns > now_ns + REC_NS_PER_SECOND)
    item->pts_ns = now_ns;
}

/* Each track has a bound of its own, but there may be many. False: the packet is lost, and its gap tells so. */
static bool
has_room (RecRecorder *recorder, GstBuffer *rtp)
{
  recorder->own.waiting_bytes += get_cost (rtp);
  if (!recorder->recipe.is_live ||
      recorder->own.waiting_bytes <= MAX_WAITING * recorder->recipe.queue_bytes)
    return true;
  recorder->own.n_lost++;
  return false;
}

static void
take_packet (RecRecorder *recorder, Item *item)
{
  const int64_t file_ns = rec_timeline_to_file (&recorder->timeline, item->pts_ns);

  if (!has_room (recorder, item->rtp))
    return;
  recorder->own.horizon_ns = MAX (recorder->own.horizon_ns, file_ns);
  rec_individual_push (recorder->own.individual, item->track_id, item->rtp, item->pts_ns,
      item->is_discont);
  if (recorder->recipe.is_composed)
    rec_stage_push (recorder->own.stage, item->track_id, g_steal_pointer (&item->rtp), item->pts_ns,
        item->is_discont);
}

static void
take_item (RecRecorder *recorder, Item *item)
{
  if (item->command != NULL) {
    take_command (recorder, g_steal_pointer (&item->command));
  } else {
    tame_time (recorder, item);
    take_packet (recorder, item);
  }
  free_item (item);
}

/* --- one step -------------------------------------------------------------------------------------- */

static bool
is_late (const RecRecorder *recorder)
{
  const int64_t deadline_ns =
      rec_timeline_get_deadline_ns (&recorder->timeline, recorder->own.step);

  return recorder->recipe.is_live && g_get_monotonic_time () * 1000 - deadline_ns > LATE_NS;
}

static void
make_picture (RecRecorder *recorder, int64_t start_ns, int64_t end_ns)
{
  GstBuffer *buffer;

  if (recorder->own.last != NULL && is_late (recorder) &&
      ++recorder->own.n_in_a_row <= recorder->timeline.rate / MIN_PAINTED_PER_SECOND) {
    if (recorder->own.n_repeated++ == 0)
      g_warning ("too slow at %.1f s: repeating the last picture", (double) start_ns / 1e9);
  } else {
    recorder->own.n_in_a_row = 0;
    gst_clear_buffer (&recorder->own.last);
    recorder->own.last = rec_stage_paint (recorder->own.stage);
  }
  rec_thumbnail_offer (recorder->thumbnail, recorder->own.last, recorder->own.step);
  buffer = gst_buffer_copy (recorder->own.last);
  GST_BUFFER_PTS (buffer) = (GstClockTime) start_ns;
  GST_BUFFER_DURATION (buffer) = (GstClockTime) (end_ns - start_ns);
  rec_outputs_push_video (recorder->outputs, buffer);
}

static void
update_stats (RecRecorder *recorder, int64_t end_ns)
{
  const uint64_t n_dropped = rec_stage_count_dropped (recorder->own.stage);
  RecRecorderStats *stats = &recorder->shared.stats;

  REC_LOCKED (&recorder->shared.lock);
  stats->file_ns = end_ns;
  stats->frames_out = recorder->recipe.has_video ? (uint64_t) recorder->own.step : 0;
  stats->frames_repeated = recorder->own.n_repeated;
  stats->packets_dropped = n_dropped + recorder->shared.n_refused + recorder->own.n_lost;
  rec_stage_count_page (recorder->own.stage, &stats->page_frames, &stats->page_frames_repeated);
}

static void
run_step (RecRecorder *recorder)
{
  const RecTimeline *timeline = &recorder->timeline;
  const int64_t step = recorder->own.step;
  const int64_t end_ns = rec_timeline_get_step_ns (timeline, step + 1);

  rec_individual_run (recorder->own.individual,
      recorder->own.end_ns >= 0 ? MIN (end_ns, recorder->own.end_ns) : end_ns);
  rec_stage_decode (recorder->own.stage, step);
  apply_pending (recorder, timeline->start_ns + rec_timeline_get_picture_limit_ns (timeline, step));
  if (recorder->recipe.has_video)
    make_picture (recorder, rec_timeline_get_step_ns (timeline, step), end_ns);
  if (recorder->recipe.has_audio)
    rec_outputs_push_audio (recorder->outputs, rec_stage_mix (recorder->own.stage));
  recorder->own.step++;
  recorder->own.waiting_bytes = rec_stage_count_bytes (recorder->own.stage) +
                                rec_individual_count_bytes (recorder->own.individual);
  update_stats (recorder, end_ns);
}

/* --- the two clocks -------------------------------------------------------------------------------- */

static bool
is_done (const RecRecorder *recorder)
{
  return recorder->own.n_steps >= 0 && recorder->own.step >= recorder->own.n_steps;
}

static struct timespec
to_timespec (int64_t ns)
{
  return (struct timespec){
    .tv_sec = (time_t) (ns / REC_NS_PER_SECOND),
    .tv_nsec = (long) (ns % REC_NS_PER_SECOND),
  };
}

/* Under the lock. */
static Item *
pop_item (RecRecorder *recorder)
{
  Item *item = g_queue_pop_head (&recorder->shared.items);

  if (item != NULL && item->rtp != NULL)
    recorder->shared.bytes -= get_cost (item->rtp);
  return item;
}

/* Whatever came in, or NULL when the deadline is there (or no late packet can come any more). */
static Item *
wait_live (RecRecorder *recorder)
{
  const int64_t deadline_ns =
      rec_timeline_get_deadline_ns (&recorder->timeline, recorder->own.step);
  const struct timespec until = to_timespec (deadline_ns);

  REC_LOCKED (&recorder->shared.lock);
  for (;;) {
    Item *item = pop_item (recorder);

    if (item != NULL)
      return item;
    if (recorder->shared.is_closed && recorder->own.n_steps >= 0)
      return NULL;
    if (g_get_monotonic_time () * 1000 >= deadline_ns)
      return NULL;
    pthread_cond_timedwait (&recorder->shared.changed, &recorder->shared.lock, &until);
  }
}

static void
run_live (RecRecorder *recorder)
{
  while (!is_done (recorder)) {
    Item *item = wait_live (recorder);

    if (item != NULL)
      take_item (recorder, item);
    else
      run_step (recorder);
  }
}

static Item *
wait_for_item (RecRecorder *recorder)
{
  bool has_room = false;
  Item *item;

  {
    REC_LOCKED (&recorder->shared.lock);
    while ((item = pop_item (recorder)) == NULL)
      pthread_cond_wait (&recorder->shared.changed, &recorder->shared.lock);
    if (recorder->shared.is_full && recorder->shared.bytes < recorder->recipe.queue_bytes / 2) {
      recorder->shared.is_full = false;
      has_room = true;
    }
  }
  if (has_room)
    recorder->events.has_room (recorder->data);
  return item;
}

static void
run_packets (RecRecorder *recorder)
{
  while (!is_done (recorder)) {
    take_item (recorder, wait_for_item (recorder));
    while (!is_done (recorder) &&
           (recorder->own.n_steps >= 0 || rec_timeline_get_step_ns (&recorder->timeline,
                                              recorder->own.step + 1) <= recorder->own.horizon_ns))
      run_step (recorder);
  }
}

static gpointer
run (gpointer data)
{
  RecRecorder *recorder = data;

  if (recorder->recipe.is_live)
    run_live (recorder);
  else
    run_packets (recorder);
  rec_individual_end (recorder->own.individual, recorder->own.end_ns);
  rec_outputs_finish (recorder->outputs);
  for (unsigned i = 0; i < recorder->recipe.sinks->len; i++)
    rec_sink_runner_end (recorder->recipe.sinks->pdata[i], rec_recorder_get_duration_ns (recorder));
  recorder->events.ended (recorder->data);
  return NULL;
}

/* --- life ------------------------------------------------------------------------------------------ */

static void
on_encoder_failed (const char *text, void *data)
{
  RecRecorder *recorder = data;

  recorder->events.failed (text, recorder->data);
}

static void
on_keyframe (uint32_t track_id, void *data)
{
  RecRecorder *recorder = data;

  recorder->events.keyframe (track_id, recorder->data);
}

static void
on_note (const char *text, void *data)
{
  RecRecorder *recorder = data;

  recorder->events.note (text, recorder->data);
}

static void
on_arranged (const GArray *placements, int64_t at_ns, void *data)
{
  RecRecorder *recorder = data;

  rec_chronicle_note_layout (recorder->chronicle, at_ns, placements);
}

static void
on_take_begun (const RecTake *take, void *data)
{
  RecRecorder *recorder = data;

  rec_chronicle_note_take_begun (recorder->chronicle, take);
}

static void
on_take_ended (const RecTake *take, void *data)
{
  RecRecorder *recorder = data;

  rec_chronicle_note_take_ended (recorder->chronicle, take);
}

static void
on_gap (const RecTake *take, bool is_video, int64_t from_ns, int64_t to_ns, void *data)
{
  RecRecorder *recorder = data;

  rec_chronicle_note_gap (recorder->chronicle, take->stream, is_video, from_ns, to_ns);
}

static bool
open_sinks (RecRecorder *recorder, GError **error)
{
  GPtrArray *sinks = recorder->recipe.sinks;

  for (unsigned i = 0; i < sinks->len; i++) {
    RecSinkRunner *sink = sinks->pdata[i];
    const unsigned n_tracks = rec_outputs_count_tracks (recorder->outputs, sink);
    g_autoptr (GError) cause = NULL;

    if (n_tracks == 0 && rec_sink_runner_get_mode (sink) == REC_MODE_COMPOSED)
      g_set_error (&cause, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
          "sink '%s' takes none of the formats that composed recordings come in",
          rec_sink_runner_get_id (sink));
    else if (rec_sink_runner_open (sink, n_tracks, &cause))
      continue;
    if (rec_sink_runner_is_required (sink)) {
      g_propagate_error (error, g_steal_pointer (&cause));
      return false;
    }
    if (n_tracks == 0 && rec_sink_runner_get_mode (sink) == REC_MODE_COMPOSED)
      recorder->events.note (cause->message, recorder->data);
  }
  return true;
}

static GstCaps *
make_audio_caps (void)
{
  return gst_caps_from_string ("audio/x-raw,format=F32LE,rate=48000,channels=2,"
                               "layout=interleaved,channel-mask=(bitmask)0x3");
}

static void
init_threads (RecRecorder *recorder)
{
  pthread_condattr_t attributes;

  rec_lock_init (&recorder->shared.lock);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&recorder->shared.changed, &attributes);
  pthread_condattr_destroy (&attributes);
}

RecRecorder *
rec_recorder_new (const RecRecorderRecipe *recipe, const RecRecorderEvents *events, void *data,
    GError **error)
{
  static const RecOutputsEvents outputs_events = { .failed = on_encoder_failed };
  static const RecStageEvents stage_events = {
    .keyframe = on_keyframe, .note = on_note, .arranged = on_arranged
  };
  static const RecIndividualEvents individual_events = {
    .keyframe = on_keyframe,
    .note = on_note,
    .begun = on_take_begun,
    .ended = on_take_ended,
    .gap = on_gap,
  };
  RecRecorder *recorder = g_new0 (RecRecorder, 1);
  g_autoptr (GstCaps) audio = recipe->has_audio ? make_audio_caps () : NULL;

  recorder->recipe = *recipe;
  recorder->events = *events;
  recorder->data = data;
  rec_timeline_init (&recorder->timeline, 0, recipe->frame_rate, recipe->has_video);
  if (recipe->is_page)
    recorder->timeline.first_latency_ns = PAGE_LATENCY_NS;
  init_threads (recorder);
  recorder->own.n_steps = recorder->own.end_ns = -1;
  recorder->own.stage = rec_stage_new (recipe, &recorder->timeline, &stage_events, recorder);
  recorder->own.individual = rec_individual_new (recipe->sinks, &recorder->timeline,
      recipe->takes_audio, recipe->takes_video, &individual_events, recorder);
  if (recipe->has_video)
    recorder->thumbnail = rec_thumbnail_new (rec_stage_get_picture_info (recorder->own.stage),
        recipe->thumbnail_width);

  recorder->outputs = rec_outputs_new (recipe->sinks, &recipe->encoder,
      rec_stage_get_picture_caps (recorder->own.stage), audio, &outputs_events, recorder, error);
  if (recorder->outputs == NULL || !open_sinks (recorder, error)) {
    rec_recorder_free (recorder);
    return NULL;
  }
  return recorder;
}

void
rec_recorder_start (RecRecorder *recorder, int64_t start_ns, RecChronicle *chronicle)
{
  recorder->chronicle = chronicle;
  recorder->timeline.start_ns = start_ns;
  recorder->thread = g_thread_new ("recorder", run, recorder);
}

void
rec_recorder_free (RecRecorder *recorder)
{
  if (recorder == NULL)
    return;
  if (recorder->thread != NULL)
    g_thread_join (recorder->thread);
  rec_outputs_free (recorder->outputs);
  g_queue_clear_full (&recorder->shared.items, free_item);
  g_queue_clear_full (&recorder->own.pending, (GDestroyNotify) rec_command_free);
  rec_stage_free (recorder->own.stage);
  rec_individual_free (recorder->own.individual);
  rec_thumbnail_free (recorder->thumbnail);
  rec_chronicle_free (recorder->chronicle);
  gst_clear_buffer (&recorder->own.last);
  pthread_cond_destroy (&recorder->shared.changed);
  rec_lock_clear (&recorder->shared.lock);
  g_free (recorder);
}

/* --- from the main thread -------------------------------------------------------------------------- */

void
rec_recorder_post (RecRecorder *recorder, RecCommand *command)
{
  Item *item = g_new0 (Item, 1);

  item->command = command;
  REC_LOCKED (&recorder->shared.lock);
  g_queue_push_tail (&recorder->shared.items, item);
  pthread_cond_signal (&recorder->shared.changed);
}

bool
rec_recorder_push (RecRecorder *recorder, uint32_t track_id, GstBuffer *rtp, int64_t pts_ns,
    bool is_discont)
{
  Item *item;

  REC_LOCKED (&recorder->shared.lock);
  recorder->shared.stats.packets_in++;
  if (recorder->recipe.is_live && recorder->shared.bytes > recorder->recipe.queue_bytes) {
    recorder->shared.n_refused++; /* the gap in its sequence numbers tells the depayloader */
    gst_buffer_unref (rtp);
    return true;
  }
  item = g_new0 (Item, 1);
  *item = (Item){ NULL, rtp, track_id, pts_ns, is_discont };
  recorder->shared.bytes += get_cost (rtp);
  g_queue_push_tail (&recorder->shared.items, item);
  /* Live, a packet's time comes with the next step, which wakes up by itself. */
  if (!recorder->recipe.is_live)
    pthread_cond_signal (&recorder->shared.changed);
  recorder->shared.is_full = !recorder->recipe.is_live &&
                             recorder->shared.bytes > recorder->recipe.queue_bytes;
  return !recorder->shared.is_full;
}

void
rec_recorder_close_input (RecRecorder *recorder)
{
  REC_LOCKED (&recorder->shared.lock);
  recorder->shared.is_closed = true;
  pthread_cond_signal (&recorder->shared.changed);
}

void
rec_recorder_force_keyframe (RecRecorder *recorder)
{
  rec_outputs_force_keyframe (recorder->outputs);
}

void
rec_recorder_get_stats (RecRecorder *recorder, RecRecorderStats *stats)
{
  REC_LOCKED (&recorder->shared.lock);
  *stats = recorder->shared.stats;
}

int64_t
rec_recorder_get_duration_ns (RecRecorder *recorder)
{
  return rec_timeline_get_step_ns (&recorder->timeline, recorder->own.step);
}

int64_t
rec_recorder_get_end_ns (RecRecorder *recorder)
{
  return recorder->own.end_ns;
}

GPtrArray *
rec_recorder_get_takes (RecRecorder *recorder)
{
  return recorder->own.individual != NULL ? rec_individual_get_takes (recorder->own.individual)
                                          : NULL;
}

void
rec_recorder_expect_streams (RecRecorder *recorder, unsigned n_streams)
{
  rec_individual_expect (recorder->own.individual, n_streams);
}

void
rec_recorder_count_streams (RecRecorder *recorder, unsigned *n_streams, unsigned *n_silent)
{
  rec_individual_count (recorder->own.individual, n_streams, n_silent);
}

bool
rec_recorder_write_thumbnail (RecRecorder *recorder, const char *path, GError **error)
{
  return recorder->thumbnail == NULL ||
         rec_thumbnail_write (recorder->thumbnail, recorder->own.step, path, error);
}
