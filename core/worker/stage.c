/* stage.c - the tracks on one side, the picture and the sound of a step on the other. */
#define G_LOG_DOMAIN "rec.worker.stage"
#include "worker/stage.h"

#include "base/lock.h"
#include "worker/compositor.h"
#include "worker/mixer.h"
#include "worker/scene.h"
#include "worker/track-source.h"

#define MAX_TRACKS 1000

struct RecStage {
  RecRecorderRecipe recipe;
  const RecTimeline *timeline;
  RecStageEvents events;
  void *data;
  GHashTable *tracks; /* id -> RecTrackSource */
  RecSceneBoard *scene;
  RecCompositor *compositor; /* NULL: no pictures */
  RecAudioLimiter limiter;
  GThreadPool *pool;
  int64_t step;       /* that is being made */
  uint64_t n_dropped; /* packets of tracks that are gone, or never were */

  struct { /* the captured page */
    uint64_t serial, n_new, n_repeated;
  } page;

  struct { /* decoding of several tracks at once */
    RecLock lock;
    pthread_cond_t done;
    unsigned n_running;
  } decoding;
};

/* --- who is on ------------------------------------------------------------------------------------- */

/* The scene's flag for "this medium is switched off". */
static void
set_flag (RecStream *stream, uint32_t flag, bool is_set)
{
  stream->flags = is_set ? stream->flags | flag : stream->flags & ~flag;
}

static RecTrackSource *
make_source (RecStage *stage, const RecCommand *command, GError **error)
{
  RecTrackRecipe recipe = {
    .id = command->track_id,
    .is_video = command->is_video,
    .payload_type = command->payload_type,
    .clock_rate = command->clock_rate,
    .fmtp = command->fmtp,
    .stream_id = command->stream,
    .start_ns = stage->timeline->start_ns,
    .max_ms = stage->recipe.is_live ? stage->recipe.queue_ms : 0,
    .max_bytes = stage->recipe.queue_bytes,
  };

  g_strlcpy (recipe.codec, command->codec, sizeof recipe.codec);
  return rec_track_source_new (&recipe, stage->events.keyframe, stage->data, error);
}

static void
add_to_scene (RecStage *stage, const RecCommand *command)
{
  RecSceneStream *stream = rec_scene_add (stage->scene, command->stream, command->participant,
      command->data, rec_timeline_to_file (stage->timeline, command->joined_ns));

  if (stream == NULL)
    return;
  rec_scene_describe (stage->scene, stream, command->role, command->classes);
  if (command->is_video) {
    stream->video_track = command->track_id;
    set_flag (&stream->stream, REC_STREAM_VIDEO, true);
    set_flag (&stream->stream, REC_STREAM_SCREEN, command->is_screen == 1);
  } else {
    stream->audio_track = command->track_id;
    set_flag (&stream->stream, REC_STREAM_AUDIO, true);
  }
  rec_scene_touch (stage->scene);
}

static void
add_track (RecStage *stage, const RecCommand *command)
{
  const bool is_wanted = command->is_video ? stage->recipe.has_video : stage->recipe.has_audio;
  g_autoptr (GError) error = NULL;
  RecTrackSource *track;

  if (!is_wanted || g_hash_table_size (stage->tracks) >= MAX_TRACKS ||
      g_hash_table_contains (stage->tracks, GUINT_TO_POINTER (command->track_id)))
    return;
  track = make_source (stage, command, &error);
  if (track == NULL) {
    stage->events.note (error->message, stage->data);
    return;
  }
  g_hash_table_insert (stage->tracks, GUINT_TO_POINTER (command->track_id), track);
  add_to_scene (stage, command);
}

static void
end_track (RecStage *stage, uint32_t track_id)
{
  RecSceneStream *stream = rec_scene_find_track (stage->scene, track_id);
  RecTrackSource *track = g_hash_table_lookup (stage->tracks, GUINT_TO_POINTER (track_id));

  if (track != NULL) {
    RecTrackStats stats;

    rec_track_source_get_stats (track, &stats);
    stage->n_dropped += stats.packets_dropped;
    g_hash_table_remove (stage->tracks, GUINT_TO_POINTER (track_id));
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
  rec_scene_touch (stage->scene);
  if (stream->video_track == 0 && stream->audio_track == 0)
    rec_scene_remove (stage->scene, stream);
}

static void
change_state (RecStage *stage, const RecCommand *command)
{
  RecSceneStream *stream = rec_scene_find (stage->scene, command->stream);

  if (stream == NULL)
    return;
  if (command->audio_active >= 0)
    set_flag (&stream->stream, REC_STREAM_AUDIO_MUTED, command->audio_active == 0);
  if (command->video_active >= 0)
    set_flag (&stream->stream, REC_STREAM_VIDEO_MUTED, command->video_active == 0);
  if (command->is_screen >= 0)
    set_flag (&stream->stream, REC_STREAM_SCREEN, command->is_screen == 1);
  rec_scene_touch (stage->scene);
}

void
rec_stage_apply (RecStage *stage, const RecCommand *command)
{
  switch (command->type) {
  case REC_COMMAND_TRACK_ADD:
    add_track (stage, command);
    break;
  case REC_COMMAND_TRACK_END:
    end_track (stage, command->track_id);
    break;
  case REC_COMMAND_STREAM_STATE:
    change_state (stage, command);
    break;
  case REC_COMMAND_STOP:
  case REC_COMMAND_INVALID:
    g_assert_not_reached ();
  }
}

void
rec_stage_push (RecStage *stage, uint32_t track_id, GstBuffer *rtp, int64_t pts_ns, bool is_discont)
{
  RecTrackSource *track = g_hash_table_lookup (stage->tracks, GUINT_TO_POINTER (track_id));

  if (track == NULL) {
    stage->n_dropped++;
    gst_buffer_unref (rtp);
    return;
  }
  rec_track_source_push (track, rtp, pts_ns, is_discont);
}

/* --- decoding -------------------------------------------------------------------------------------- */

static int64_t
get_limit_ns (const RecStage *stage, const RecTrackSource *track)
{
  const int64_t step = stage->step;

  if (rec_track_source_is_video (track))
    return stage->timeline->start_ns + rec_timeline_get_picture_limit_ns (stage->timeline, step);
  return stage->timeline->start_ns + rec_timeline_get_step_ns (stage->timeline, step + 1) - 1;
}

static void
decode_in_pool (gpointer item, gpointer data)
{
  RecStage *stage = data;
  RecTrackSource *track = item;

  rec_track_source_decode (track, get_limit_ns (stage, track));
  REC_LOCKED (&stage->decoding.lock);
  stage->decoding.n_running--;
  pthread_cond_signal (&stage->decoding.done);
}

static void
wait_for_decoding (RecStage *stage)
{
  REC_LOCKED (&stage->decoding.lock);

  while (stage->decoding.n_running > 0)
    pthread_cond_wait (&stage->decoding.done, &stage->decoding.lock);
}

static void
decode_elsewhere (RecStage *stage, RecTrackSource *track)
{
  {
    REC_LOCKED (&stage->decoding.lock);
    stage->decoding.n_running++;
  }
  g_thread_pool_push (stage->pool, track, NULL);
}

/* Tracks know nothing of each other, so the order does not matter to the result. */
void
rec_stage_decode (RecStage *stage, int64_t step)
{
  RecTrackSource *mine = NULL;
  GHashTableIter iterator;
  gpointer track;

  stage->step = step;
  g_hash_table_iter_init (&iterator, stage->tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track)) {
    if (!rec_track_source_has_due (track, get_limit_ns (stage, track)))
      continue;
    if (!rec_track_source_is_video (track))
      rec_track_source_decode (track, get_limit_ns (stage, track));
    else if (mine == NULL)
      mine = track;
    else
      decode_elsewhere (stage, track);
  }
  if (mine != NULL)
    rec_track_source_decode (mine, get_limit_ns (stage, mine));
  wait_for_decoding (stage);
}

/* --- picture and sound ----------------------------------------------------------------------------- */

/* Tells the scene of first pictures and other sizes, and the world of tracks that are given up. */
static void
look_at_track (RecStage *stage, RecTrackSource *track)
{
  RecSceneStream *stream = rec_scene_find_track (stage->scene, rec_track_source_get_id (track));
  const RecPicture *picture = rec_track_source_get_picture (track);
  g_autofree char *failure = rec_track_source_take_failure (track);

  if (failure != NULL)
    stage->events.note (failure, stage->data);
  if (stream == NULL || picture->buffer == NULL)
    return;
  if (stream->stream.width == picture->info.width && stream->stream.height == picture->info.height)
    return;
  stream->stream.width = picture->info.width;
  stream->stream.height = picture->info.height;
  set_flag (&stream->stream, REC_STREAM_HAS_PICTURE, true);
  rec_scene_touch (stage->scene);
}

static void
look_at_tracks (RecStage *stage)
{
  GHashTableIter iterator;
  gpointer track;

  g_hash_table_iter_init (&iterator, stage->tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track))
    look_at_track (stage, track);
}

/* NULL, which is black, for what is switched off: a frozen face would be worse. */
static const RecPicture *
find_picture (RecStage *stage, uint32_t track_id)
{
  RecTrackSource *track = g_hash_table_lookup (stage->tracks, GUINT_TO_POINTER (track_id));
  const RecSceneStream *stream = rec_scene_find_track (stage->scene, track_id);

  if (track == NULL || stream == NULL || stream->stream.flags & REC_STREAM_VIDEO_MUTED)
    return NULL;
  return rec_track_source_get_picture (track);
}

static void
count_page (RecStage *stage)
{
  const RecSceneStream *stream = rec_scene_find (stage->scene, REC_SCENE_PAGE);
  const RecPicture *picture = stream != NULL ? find_picture (stage, stream->video_track) : NULL;

  if (picture == NULL || picture->buffer == NULL)
    return;
  if (picture->serial == stage->page.serial)
    stage->page.n_repeated++;
  else
    stage->page.n_new++;
  stage->page.serial = picture->serial;
}

GstBuffer *
rec_stage_paint (RecStage *stage)
{
  const int64_t now_ns = rec_timeline_get_step_ns (stage->timeline, stage->step);
  g_autofree const RecPicture **pictures = NULL;
  GArray *placements;

  look_at_tracks (stage);
  count_page (stage);
  if (rec_scene_arrange (stage->scene, now_ns, &placements)) {
    rec_compositor_set_placements (stage->compositor,
        (const RecPlacement *) (void *) placements->data, placements->len);
    if (stage->events.arranged != NULL)
      stage->events.arranged (placements, now_ns, stage->data);
  }
  pictures = g_new0 (const RecPicture *, placements->len + 1);
  for (unsigned i = 0; i < placements->len; i++)
    pictures[i] = find_picture (stage, g_array_index (placements, RecPlacement, i).video_track);
  return rec_compositor_paint (stage->compositor, pictures);
}

static void
mix_tracks (RecStage *stage, int64_t start, int64_t n_samples, float *sum)
{
  GHashTableIter iterator;
  gpointer track;

  g_hash_table_iter_init (&iterator, stage->tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track)) {
    const RecSceneStream *stream =
        rec_scene_find_track (stage->scene, rec_track_source_get_id (track));
    const bool is_muted = stream == NULL || stream->stream.flags & REC_STREAM_AUDIO_MUTED;

    if (!rec_track_source_is_video (track))
      rec_audio_queue_mix (rec_track_source_get_audio (track), start, n_samples,
          is_muted ? NULL : sum);
  }
}

GstBuffer *
rec_stage_mix (RecStage *stage)
{
  const int64_t start =
      rec_timeline_to_samples (rec_timeline_get_step_ns (stage->timeline, stage->step));
  const int64_t end =
      rec_timeline_to_samples (rec_timeline_get_step_ns (stage->timeline, stage->step + 1));
  const int64_t n_samples = end - start;
  const size_t size = (size_t) n_samples * REC_AUDIO_CHANNELS * sizeof (float);
  float *sum = g_malloc0 (size);
  GstBuffer *buffer;

  mix_tracks (stage, start, n_samples, sum);
  rec_audio_limit (&stage->limiter, sum, n_samples);
  buffer = gst_buffer_new_wrapped (sum, size);
  GST_BUFFER_PTS (buffer) = (GstClockTime) rec_timeline_from_samples (start);
  GST_BUFFER_DURATION (buffer) = (GstClockTime) rec_timeline_from_samples (n_samples);
  return buffer;
}

/* --- life ------------------------------------------------------------------------------------------ */

RecStage *
rec_stage_new (const RecRecorderRecipe *recipe, const RecTimeline *timeline,
    const RecStageEvents *events, void *data)
{
  RecStage *stage = g_new0 (RecStage, 1);

  stage->recipe = *recipe;
  stage->timeline = timeline;
  stage->events = *events;
  stage->data = data;
  stage->tracks = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) rec_track_source_free);
  stage->scene = rec_scene_new (recipe->width, recipe->height, recipe->layout_name, recipe->layout,
      recipe->layout_options);
  if (recipe->has_video)
    stage->compositor = rec_compositor_new (recipe->width, recipe->height, recipe->frame_rate);
  rec_lock_init (&stage->decoding.lock);
  pthread_cond_init (&stage->decoding.done, NULL);
  stage->pool = g_thread_pool_new (decode_in_pool, stage,
      (int) CLAMP (g_get_num_processors (), 1, 16), FALSE, NULL);
  return stage;
}

void
rec_stage_free (RecStage *stage)
{
  if (stage == NULL)
    return;
  g_thread_pool_free (stage->pool, FALSE, TRUE);
  g_hash_table_unref (stage->tracks);
  rec_scene_free (stage->scene);
  rec_compositor_free (stage->compositor);
  pthread_cond_destroy (&stage->decoding.done);
  rec_lock_clear (&stage->decoding.lock);
  g_free (stage);
}

void
rec_stage_count_page (const RecStage *stage, uint64_t *n_new, uint64_t *n_repeated)
{
  *n_new = stage->page.n_new;
  *n_repeated = stage->page.n_repeated;
}

int64_t
rec_stage_count_bytes (RecStage *stage)
{
  GHashTableIter iterator;
  int64_t bytes = 0;
  gpointer track;

  g_hash_table_iter_init (&iterator, stage->tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track))
    bytes += rec_track_source_get_bytes (track);
  return bytes;
}

uint64_t
rec_stage_count_dropped (RecStage *stage)
{
  uint64_t n_dropped = stage->n_dropped;
  GHashTableIter iterator;
  gpointer track;

  g_hash_table_iter_init (&iterator, stage->tracks);
  while (g_hash_table_iter_next (&iterator, NULL, &track)) {
    RecTrackStats stats;

    rec_track_source_get_stats (track, &stats);
    n_dropped += stats.packets_dropped;
  }
  return n_dropped;
}

const GstVideoInfo *
rec_stage_get_picture_info (RecStage *stage)
{
  return rec_compositor_get_info (stage->compositor);
}

GstCaps *
rec_stage_get_picture_caps (RecStage *stage)
{
  return stage->compositor != NULL ? rec_compositor_get_caps (stage->compositor) : NULL;
}
