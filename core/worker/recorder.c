/* recorder.c - the recording thread: takes what came in, and makes one step after the other of it. */
#define G_LOG_DOMAIN "rec.worker.recorder"
#include "worker/recorder.h"

#include "base/error.h"
#include "base/lock.h"
#include "worker/compositor.h"
#include "worker/mixer.h"
#include "worker/outputs.h"
#include "worker/thumbnail.h"
#include "worker/timeline.h"

#include <string.h>
#include <time.h>

#define MAX_TRACKS 1000
#define LATE_NS (120 * REC_NS_PER_MS) /* behind by more than this, the last picture is repeated */

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

  struct {              /* of the recording thread */
    GHashTable *tracks; /* id -> RecTrackSource */
    GQueue pending;     /* of RecCommand, by at_ns */
    RecSceneBoard *scene;
    RecCompositor *compositor;
    GstBuffer *last; /* the canvas last handed out */
    RecAudioLimiter limiter;
    GThreadPool *pool;
    int64_t step, n_steps; /* n_steps: -1 until the end is known */
    int64_t horizon_ns;    /* packets clock: file time that has been reached */
    uint64_t n_repeated;
    uint64_t n_dropped_before; /* by tracks that are gone */
    uint64_t n_unknown;
  } own;

  struct { /* decoding of several tracks at once */
    RecLock lock;
    pthread_cond_t done;
    unsigned n_running;
  } decoding;
};

/* --- commands -------------------------------------------------------------------------------------- */

RecCommand *
rec_command_new (RecCommandType type, int64_t at_ns)
{
  RecCommand *command = g_new0 (RecCommand, 1);

  command->type = type;
  command->at_ns = at_ns;
  command->is_screen = command->audio_active = command->video_active = -1;
  return command;
}

void
rec_command_free (RecCommand *command)
{
  if (command == NULL)
    return;
  g_free (command->stream);
  g_free (command->participant);
  g_free (command->data);
  g_free (command->codec);
  g_free (command->fmtp);
  g_free (command);
}

static void
free_item (gpointer data)
{
  Item *item = data;

  rec_command_free (item->command);
  gst_clear_buffer (&item->rtp);
  g_free (item);
}

/* The scene's flag for "this medium is switched off". */
static void
set_flag (RecStream *stream, uint32_t flag, bool is_set)
{
  stream->flags = is_set ? stream->flags | flag : stream->flags & ~flag;
}

static RecTrackSource *
make_source (RecRecorder *recorder, const RecCommand *command, GError **error)
{
  RecTrackRecipe recipe = {
    .id = command->track_id,
    .is_video = command->is_video,
    .payload_type = command->payload_type,
    .clock_rate = command->clock_rate,
    .fmtp = command->fmtp,
    .stream_id = command->stream,
    .start_ns = recorder->timeline.start_ns,
    .max_ms = recorder->recipe.is_live ? recorder->recipe.queue_ms : 0,
    .max_bytes = recorder->recipe.queue_bytes,
  };

  g_strlcpy (recipe.codec, command->codec, sizeof recipe.codec);
  return rec_track_source_new (&recipe, recorder->events.keyframe, recorder->data, error);
}

static void
add_to_scene (RecRecorder *recorder, const RecCommand *command)
{
  RecSceneStream *stream = rec_scene_add (recorder->own.scene, command->stream,
      command->participant, command->data,
      rec_timeline_to_file (&recorder->timeline, command->joined_ns));

  if (stream == NULL)
    return;
  if (command->is_video) {
    stream->video_track = command->track_id;
    set_flag (&stream->stream, REC_STREAM_VIDEO, true);
    set_flag (&stream->stream, REC_STREAM_SCREEN, command->is_screen == 1);
  } else {
    stream->audio_track = command->track_id;
    set_flag (&stream->stream, REC_STREAM_AUDIO, true);
  }
  rec_scene_touch (recorder->own.scene);
}

static void
add_track (RecRecorder *recorder, const RecCommand *command)
{
  const bool is_wanted = command->is_video ? recorder->recipe.has_video
                                           : recorder->recipe.has_audio;
  g_autoptr (GError) error = NULL;
  RecTrackSource *track;

  if (!is_wanted || g_hash_table_size (recorder->own.tracks) >= MAX_TRACKS ||
      g_hash_table_contains (recorder->own.tracks, GUINT_TO_POINTER (command->track_id)))
    return;
  track = make_source (recorder, command, &error);
  if (track == NULL) {
    recorder->events.note (error->message, recorder->data);
    return;
  }
  g_hash_table_insert (recorder->own.tracks, GUINT_TO_POINTER (command->track_id), track);
  add_to_scene (recorder, command);
}

static void
end_track (RecRecorder *recorder, uint32_t track_id)
{
  RecSceneStream *stream = rec_scene_find_track (recorder->own.scene, track_id);
  RecTrackSource *track = g_hash_table_lookup (recorder->own.tracks, GUINT_TO_POINTER (track_id));

  if (track != NULL) {
    RecTrackStats stats;

    rec_track_source_get_stats (track, &stats);
    recorder->own.n_dropped_before += stats.packets_dropped;
    g_hash_table_remove (recorder->own.tracks, GUINT_TO_POINTER (track_id));
  }
  if (stream == NULL)
    return;
  if (stream->video_track == track_id) {
    stream->video_track = 0;
    stream->stream.width = stream->stream.height = 0;
    set_flag (&stream->stream, REC_STREAM_VIDEO | REC_STREAM_HAS_PICTURE, false);
  } else {
    stream->audio_track = 0;
    set_flag (&stream->stream, REC_STREAM_AUDIO, false);
  }
  rec_scene_touch (recorder->own.scene);
  if (stream->video_track == 0 && stream->audio_track == 0)
    rec_scene_remove (recorder->own.scene, stream);
}

static void
change_state (RecRecorder *recorder, const RecCommand *command)
{
  RecSceneStream *stream = rec_scene_find (recorder->own.scene, command->stream);

  if (stream == NULL)
    return;
  if (command->audio_active >= 0)
    set_flag (&stream->stream, REC_STREAM_AUDIO_MUTED, command->audio_active == 0);
  if (command->video_active >= 0)
    set_flag (&stream->stream, REC_STREAM_VIDEO_MUTED, command->video_active == 0);
  if (command->is_screen >= 0)
    set_flag (&stream->stream, REC_STREAM_SCREEN, command->is_screen == 1);
  rec_scene_touch (recorder->own.scene);
}

/* What has a time waits for its step. */
static int
compare_times (gconstpointer a, gconstpointer b, gpointer data)
{
  const RecCommand *left = a, *right = b;

  (void) data;
  return left->at_ns < right->at_ns ? -1 : left->at_ns > right->at_ns;
}

static void
set_end (RecRecorder *recorder, int64_t at_ns)
{
  const int64_t end_ns = MAX (rec_timeline_to_file (&recorder->timeline, at_ns), 0);

  if (recorder->own.n_steps < 0)
    recorder->own.n_steps =
        MAX (rec_timeline_count_steps (&recorder->timeline, end_ns), recorder->own.step);
}

static void
take_command (RecRecorder *recorder, RecCommand *command)
{
  switch (command->type) {
  case REC_COMMAND_TRACK_ADD:
    add_track (recorder, command);
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
    if (command->type == REC_COMMAND_TRACK_END)
      end_track (recorder, command->track_id);
    else
      change_state (recorder, command);
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

static void
take_packet (RecRecorder *recorder, Item *item)
{
  const int64_t file_ns = rec_timeline_to_file (&recorder->timeline, item->pts_ns);
  RecTrackSource *track =
      g_hash_table_lookup (recorder->own.tracks, GUINT_TO_POINTER (item->track_id));

  recorder->own.horizon_ns = MAX (recorder->own.horizon_ns, file_ns);
  if (track == NULL)
    recorder->own.n_unknown++;
  else
    rec_track_source_push (track, g_steal_pointer (&item->rtp), item->pts_ns, item->is_discont);
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

static int64_t
get_limit_ns (const RecRecorder *recorder, const RecTrackSource *track)
{
  const int64_t step = recorder->own.step;

  if (rec_track_source_is_video (track))
    return recorder->timeline.start_ns +
           rec_timeline_get_picture_limit_ns (&recorder->timeline, step);
  return recorder->timeline.start_ns + rec_timeline_get_step_ns (&recorder->timeline, step + 1) - 1;
}

static void
decode_in_pool (gpointer item, gpointer data)
{
  RecRecorder *recorder = data;
  RecTrackSource *track = item;

  rec_track_source_decode (track, get_limit_ns (recorder, track));
  REC_LOCKED (&recorder->decoding.lock);
  recorder->decoding.n_running--;
  pthread_cond_signal (&recorder->decoding.done);
}

static void
wait_for_decoding (RecRecorder *recorder)
{
  REC_LOCKED (&recorder->decoding.lock);

  while (recorder->decoding.n_running > 0)
    pthread_cond_wait (&recorder->decoding.done, &recorder->decoding.lock);
}

static void
decode_elsewhere (RecRecorder *recorder, RecTrackSource *track)
{
  {
    REC_LOCKED (&recorder->decoding.lock);
    recorder->decoding.n_running++;
  }
  g_thread_pool_push (recorder->own.pool, track, NULL);
}

/* Tracks know nothing of each other, so the order does not matter to the result. */
static void
decode_all (RecRecorder *recorder)
{
  RecTrackSource *mine = NULL;
  GHashTableIter iterator;
  gpointer track;

  g_hash_table_iter_init (&iterator, recorder->own.tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track)) {
    if (!rec_track_source_has_due (track, get_limit_ns (recorder, track)))
      continue;
    if (!rec_track_source_is_video (track))
      rec_track_source_decode (track, get_limit_ns (recorder, track));
    else if (mine == NULL)
      mine = track;
    else
      decode_elsewhere (recorder, track);
  }
  if (mine != NULL)
    rec_track_source_decode (mine, get_limit_ns (recorder, mine));
  wait_for_decoding (recorder);
}

/* Tells the scene of first pictures and other sizes, and the world of tracks that are given up. */
static void
look_at_track (RecRecorder *recorder, RecTrackSource *track)
{
  RecSceneStream *stream =
      rec_scene_find_track (recorder->own.scene, rec_track_source_get_id (track));
  const RecPicture *picture = rec_track_source_get_picture (track);
  g_autofree char *failure = rec_track_source_take_failure (track);

  if (failure != NULL)
    recorder->events.note (failure, recorder->data);
  if (stream == NULL || picture->buffer == NULL)
    return;
  if (stream->stream.width == picture->info.width && stream->stream.height == picture->info.height)
    return;
  stream->stream.width = picture->info.width;
  stream->stream.height = picture->info.height;
  set_flag (&stream->stream, REC_STREAM_HAS_PICTURE, true);
  rec_scene_touch (recorder->own.scene);
}

static void
look_at_tracks (RecRecorder *recorder)
{
  GHashTableIter iterator;
  gpointer track;

  g_hash_table_iter_init (&iterator, recorder->own.tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track))
    look_at_track (recorder, track);
}

/* NULL, which is black, for what is switched off: a frozen face would be worse. */
static const RecPicture *
find_picture (RecRecorder *recorder, uint32_t track_id)
{
  RecTrackSource *track = g_hash_table_lookup (recorder->own.tracks, GUINT_TO_POINTER (track_id));
  const RecSceneStream *stream = rec_scene_find_track (recorder->own.scene, track_id);

  if (track == NULL || stream == NULL || stream->stream.flags & REC_STREAM_VIDEO_MUTED)
    return NULL;
  return rec_track_source_get_picture (track);
}

static void
paint (RecRecorder *recorder)
{
  const int64_t now_ns = rec_timeline_get_step_ns (&recorder->timeline, recorder->own.step);
  g_autofree const RecPicture **pictures = NULL;
  GArray *placements;

  look_at_tracks (recorder);
  if (rec_scene_arrange (recorder->own.scene, now_ns, &placements))
    rec_compositor_set_placements (recorder->own.compositor,
        (const RecPlacement *) (void *) placements->data, placements->len);
  pictures = g_new0 (const RecPicture *, placements->len + 1);
  for (unsigned i = 0; i < placements->len; i++)
    pictures[i] = find_picture (recorder, g_array_index (placements, RecPlacement, i).video_track);
  gst_clear_buffer (&recorder->own.last);
  recorder->own.last = rec_compositor_paint (recorder->own.compositor, pictures);
}

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

  if (recorder->own.last != NULL && is_late (recorder)) {
    if (recorder->own.n_repeated++ == 0)
      g_warning ("too slow at %.1f s: repeating the last picture", (double) start_ns / 1e9);
  } else {
    paint (recorder);
  }
  rec_thumbnail_offer (recorder->thumbnail, recorder->own.last, recorder->own.step);
  buffer = gst_buffer_copy (recorder->own.last);
  GST_BUFFER_PTS (buffer) = (GstClockTime) start_ns;
  GST_BUFFER_DURATION (buffer) = (GstClockTime) (end_ns - start_ns);
  rec_outputs_push_video (recorder->outputs, buffer);
}

static void
mix_tracks (RecRecorder *recorder, int64_t start, int64_t n_samples, float *sum)
{
  GHashTableIter iterator;
  gpointer track;

  g_hash_table_iter_init (&iterator, recorder->own.tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track)) {
    const RecSceneStream *stream =
        rec_scene_find_track (recorder->own.scene, rec_track_source_get_id (track));
    const bool is_muted = stream == NULL || stream->stream.flags & REC_STREAM_AUDIO_MUTED;

    if (!rec_track_source_is_video (track))
      rec_audio_queue_mix (rec_track_source_get_audio (track), start, n_samples,
          is_muted ? NULL : sum);
  }
}

static void
make_sound (RecRecorder *recorder, int64_t start_ns, int64_t end_ns)
{
  const int64_t start = rec_timeline_to_samples (start_ns);
  const int64_t n_samples = rec_timeline_to_samples (end_ns) - start;
  const size_t size = (size_t) n_samples * REC_AUDIO_CHANNELS * sizeof (float);
  float *sum = g_malloc0 (size);
  GstBuffer *buffer;

  mix_tracks (recorder, start, n_samples, sum);
  rec_audio_limit (&recorder->own.limiter, sum, n_samples);
  buffer = gst_buffer_new_wrapped (sum, size);
  GST_BUFFER_PTS (buffer) = (GstClockTime) rec_timeline_from_samples (start);
  GST_BUFFER_DURATION (buffer) = (GstClockTime) rec_timeline_from_samples (n_samples);
  rec_outputs_push_audio (recorder->outputs, buffer);
}

static void
update_stats (RecRecorder *recorder, int64_t end_ns)
{
  uint64_t n_dropped = recorder->own.n_dropped_before + recorder->own.n_unknown;
  GHashTableIter iterator;
  gpointer track;

  g_hash_table_iter_init (&iterator, recorder->own.tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track)) {
    RecTrackStats stats;

    rec_track_source_get_stats (track, &stats);
    n_dropped += stats.packets_dropped;
  }
  REC_LOCKED (&recorder->shared.lock);
  recorder->shared.stats.file_ns = end_ns;
  recorder->shared.stats.frames_out = recorder->recipe.has_video ? (uint64_t) recorder->own.step
                                                                 : 0;
  recorder->shared.stats.frames_repeated = recorder->own.n_repeated;
  recorder->shared.stats.packets_dropped = n_dropped + recorder->shared.n_refused;
}

static void
run_step (RecRecorder *recorder)
{
  const int64_t start_ns = rec_timeline_get_step_ns (&recorder->timeline, recorder->own.step);
  const int64_t end_ns = rec_timeline_get_step_ns (&recorder->timeline, recorder->own.step + 1);

  decode_all (recorder);
  apply_pending (recorder,
      recorder->timeline.start_ns +
          rec_timeline_get_picture_limit_ns (&recorder->timeline, recorder->own.step));
  if (recorder->recipe.has_video)
    make_picture (recorder, start_ns, end_ns);
  if (recorder->recipe.has_audio)
    make_sound (recorder, start_ns, end_ns);
  recorder->own.step++;
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
    recorder->shared.bytes -= (int64_t) gst_buffer_get_size (item->rtp);
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

static bool
open_sinks (RecRecorder *recorder, GError **error)
{
  GPtrArray *sinks = recorder->recipe.sinks;

  for (unsigned i = 0; i < sinks->len; i++) {
    RecSinkRunner *sink = sinks->pdata[i];
    const unsigned n_tracks = rec_outputs_count_tracks (recorder->outputs, sink);
    g_autoptr (GError) cause = NULL;

    if (n_tracks == 0)
      g_set_error (&cause, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
          "sink '%s' takes none of the formats that composed recordings come in",
          rec_sink_runner_get_id (sink));
    else if (rec_sink_runner_open (sink, n_tracks, &cause))
      continue;
    if (rec_sink_runner_is_required (sink)) {
      g_propagate_error (error, g_steal_pointer (&cause));
      return false;
    }
    if (n_tracks == 0)
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
  rec_lock_init (&recorder->decoding.lock);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&recorder->shared.changed, &attributes);
  pthread_cond_init (&recorder->decoding.done, &attributes);
  pthread_condattr_destroy (&attributes);
  recorder->own.pool = g_thread_pool_new (decode_in_pool, recorder,
      (int) CLAMP (g_get_num_processors (), 1, 16), FALSE, NULL);
}

RecRecorder *
rec_recorder_new (const RecRecorderRecipe *recipe, const RecRecorderEvents *events, void *data,
    GError **error)
{
  static const RecOutputsEvents outputs_events = { .failed = on_encoder_failed };
  RecRecorder *recorder = g_new0 (RecRecorder, 1);
  g_autoptr (GstCaps) audio = recipe->has_audio ? make_audio_caps () : NULL;

  recorder->recipe = *recipe;
  recorder->events = *events;
  recorder->data = data;
  rec_timeline_init (&recorder->timeline, recipe->start_ns, recipe->frame_rate, recipe->has_video);
  init_threads (recorder);
  recorder->own.n_steps = -1;
  recorder->own.tracks =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) rec_track_source_free);
  recorder->own.scene = rec_scene_new (recipe->width, recipe->height, recipe->layout_name,
      recipe->layout, recipe->layout_options);
  if (recipe->has_video) {
    recorder->own.compositor =
        rec_compositor_new (recipe->width, recipe->height, recipe->frame_rate);
    recorder->thumbnail = rec_thumbnail_new (rec_compositor_get_info (recorder->own.compositor),
        recipe->thumbnail_width);
  }

  recorder->outputs = rec_outputs_new (recipe->sinks, &recipe->encoder,
      recipe->has_video ? rec_compositor_get_caps (recorder->own.compositor) : NULL, audio,
      &outputs_events, recorder, error);
  if (recorder->outputs == NULL || !open_sinks (recorder, error)) {
    rec_recorder_free (recorder);
    return NULL;
  }
  return recorder;
}

void
rec_recorder_start (RecRecorder *recorder)
{
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
  g_thread_pool_free (recorder->own.pool, FALSE, TRUE);
  g_queue_clear_full (&recorder->shared.items, free_item);
  g_queue_clear_full (&recorder->own.pending, (GDestroyNotify) rec_command_free);
  g_hash_table_unref (recorder->own.tracks);
  rec_scene_free (recorder->own.scene);
  rec_compositor_free (recorder->own.compositor);
  rec_thumbnail_free (recorder->thumbnail);
  gst_clear_buffer (&recorder->own.last);
  pthread_cond_destroy (&recorder->shared.changed);
  pthread_cond_destroy (&recorder->decoding.done);
  rec_lock_clear (&recorder->shared.lock);
  rec_lock_clear (&recorder->decoding.lock);
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
  recorder->shared.bytes += (int64_t) gst_buffer_get_size (rtp);
  g_queue_push_tail (&recorder->shared.items, item);
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

bool
rec_recorder_write_thumbnail (RecRecorder *recorder, const char *path, GError **error)
{
  return recorder->thumbnail == NULL ||
         rec_thumbnail_write (recorder->thumbnail, recorder->own.step, path, error);
}
