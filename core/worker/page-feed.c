/* page-feed.c - one picture track, one sound track, from the latest keyframe on. */
#define G_LOG_DOMAIN "rec.worker.page"
#include "worker/page-feed.h"

#include "worker/page-run.h"
#include "worker/scene.h"
#include "worker/timeline.h"
#include "worker/track-source.h"

#define MAX_HELD_BYTES (64 * 1024 * 1024)
/* Held pictures are decoded at once, whatever their age: as if they had just come. */
#define HELD_AGE_NS (200 * REC_NS_PER_MS)

typedef struct {
  GBytes *bytes;
  int64_t pts_ns;
} Picture;

struct RecPageFeed {
  bool has_video;
  RecRecorder *recorder; /* NULL: it has not begun, or the tracks have ended */
  int64_t start_ns;
  bool is_shown;   /* what comes goes on to the recorder */
  int64_t last_ns; /* of what went there; 0: nothing yet */
  bool has_gap;    /* the next picture, or sound, does not follow the last */
  bool has_sound_gap;
  int rate;    /* of the sound track; 0: none was added */
  GQueue held; /* of Picture, since the latest keyframe */
  int64_t held_bytes;
};

static void
free_picture (gpointer data)
{
  Picture *picture = data;

  g_bytes_unref (picture->bytes);
  g_free (picture);
}

static void
drop_held (RecPageFeed *feed)
{
  g_queue_clear_full (&feed->held, free_picture);
  feed->held_bytes = 0;
}

RecPageFeed *
rec_page_feed_new (bool has_video)
{
  RecPageFeed *feed = g_new0 (RecPageFeed, 1);

  feed->has_video = has_video;
  return feed;
}

void
rec_page_feed_free (RecPageFeed *feed)
{
  if (feed == NULL)
    return;
  drop_held (feed);
  g_free (feed);
}

/* --- tracks --------------------------------------------------------------------------------------- */

static void
add_track (RecPageFeed *feed, bool is_video, int rate)
{
  RecCommand *command = rec_command_new (REC_COMMAND_TRACK_ADD, feed->start_ns);

  command->track_id = is_video ? REC_PAGE_VIDEO_TRACK : REC_PAGE_AUDIO_TRACK;
  command->stream = g_strdup (REC_SCENE_PAGE);
  command->participant = g_strdup ("");
  command->data = g_strdup ("");
  command->codec = g_strdup (is_video ? REC_CODEC_PAGE_VIDEO : REC_CODEC_PAGE_AUDIO);
  command->is_video = is_video;
  command->clock_rate = rate;
  command->joined_ns = feed->start_ns;
  rec_recorder_post (feed->recorder, command);
}

static void
end_track (RecPageFeed *feed, uint32_t track_id)
{
  RecCommand *command = rec_command_new (REC_COMMAND_TRACK_END, g_get_monotonic_time () * 1000);

  command->track_id = track_id;
  rec_recorder_post (feed->recorder, command);
}

/* --- pictures --------------------------------------------------------------------------------------- */

static void
push (RecPageFeed *feed, uint32_t track_id, GBytes *bytes, int64_t pts_ns, bool is_discont)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);

  (void) rec_recorder_push (feed->recorder, track_id, gst_buffer_new_memdup (data, size), pts_ns,
      is_discont);
}

static void
push_picture (RecPageFeed *feed, GBytes *bytes, int64_t pts_ns)
{
  push (feed, REC_PAGE_VIDEO_TRACK, bytes, pts_ns, feed->has_gap);
  feed->has_gap = false;
  feed->last_ns = MAX (feed->last_ns, pts_ns);
}

static void
hold (RecPageFeed *feed, GBytes *bytes, int64_t pts_ns, bool is_keyframe)
{
  Picture *picture;

  if (is_keyframe || feed->held_bytes > MAX_HELD_BYTES)
    drop_held (feed);
  if (!is_keyframe && feed->held.length == 0)
    return; /* of no use without what came before */
  picture = g_new (Picture, 1);
  *picture = (Picture){ g_bytes_ref (bytes), pts_ns };
  feed->held_bytes += (int64_t) g_bytes_get_size (bytes);
  g_queue_push_tail (&feed->held, picture);
}

static bool
is_flowing (const RecPageFeed *feed)
{
  return feed->recorder != NULL && feed->is_shown;
}

void
rec_page_feed_take_picture (RecPageFeed *feed, GBytes *bytes, int64_t pts_ns, bool is_keyframe)
{
  hold (feed, bytes, pts_ns, is_keyframe);
  if (is_flowing (feed) && feed->has_video)
    push_picture (feed, bytes, pts_ns);
}

bool
rec_page_feed_has_picture (const RecPageFeed *feed)
{
  return feed->held.length > 0;
}

static void
push_held (RecPageFeed *feed)
{
  const Picture *newest = g_queue_peek_tail (&feed->held);

  for (GList *link = feed->held.head; link != NULL && feed->has_video; link = link->next) {
    const Picture *picture = link->data;

    push_picture (feed, picture->bytes, MAX (picture->pts_ns, newest->pts_ns - HELD_AGE_NS));
  }
}

/* --- sound -------------------------------------------------------------------------------------------- */

void
rec_page_feed_take_sound (RecPageFeed *feed, GBytes *samples, int rate, int64_t pts_ns,
    bool is_discont)
{
  if (!is_flowing (feed))
    return;
  if (feed->rate == 0) {
    feed->rate = rate;
    add_track (feed, false, rate);
  } else if (feed->rate != rate) {
    return; /* no browser was seen to change it */
  }
  push (feed, REC_PAGE_AUDIO_TRACK, samples, pts_ns, is_discont || feed->has_sound_gap);
  feed->has_sound_gap = false;
}

/* --- the recording ------------------------------------------------------------------------------------ */

void
rec_page_feed_begin (RecPageFeed *feed, RecRecorder *recorder, int64_t start_ns)
{
  feed->recorder = recorder;
  feed->start_ns = start_ns;
  if (feed->has_video)
    add_track (feed, true, 90000);
  feed->last_ns = start_ns;
  if (feed->is_shown)
    push_held (feed);
}

void
rec_page_feed_pause (RecPageFeed *feed)
{
  feed->is_shown = false;
  drop_held (feed);
}

bool
rec_page_feed_resume (RecPageFeed *feed, int64_t *from_ns, int64_t *to_ns)
{
  const Picture *newest = g_queue_peek_tail (&feed->held);

  feed->is_shown = true;
  if (feed->recorder == NULL)
    return false;
  *from_ns = MAX (feed->last_ns - feed->start_ns, 0);
  *to_ns = MAX ((newest != NULL ? newest->pts_ns : g_get_monotonic_time () * 1000) - feed->start_ns,
      *from_ns);
  feed->has_gap = feed->has_sound_gap = true;
  push_held (feed);
  return true;
}

void
rec_page_feed_end (RecPageFeed *feed)
{
  if (feed->recorder == NULL)
    return;
  if (feed->has_video)
    end_track (feed, REC_PAGE_VIDEO_TRACK);
  if (feed->rate != 0)
    end_track (feed, REC_PAGE_AUDIO_TRACK);
  feed->recorder = NULL;
}
