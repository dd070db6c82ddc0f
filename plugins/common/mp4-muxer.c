/* mp4-muxer.c - packets in, fragments out while it records, an ordinary MP4 file at the end. */
#include "annexb.h"
#include "mp4-boxes.h"
#include "mp4-recover.h"
#include "opus.h"

#include <stdlib.h>
#include <string.h>

/* Written out early rather than held: more than this is no half second of anything sensible. */
#define MAX_PENDING_BYTES (8u << 20)
#define MAX_PENDING_SAMPLES 4096u

#define MAX_AVCC_BYTES 1024u

/* How much is recorded at most before the head is written without a track that was announced. */
#define HEAD_PATIENCE_NS INT64_C (2000000000)

typedef struct Track {
  RecBytes data; /* of the samples that are not yet written */
  RecMp4Sample *samples;
  uint32_t n_samples, capacity;
  int64_t pending_since_ns;
  int64_t last_dts; /* fragment time */
  uint32_t last_duration;
  int64_t shift; /* fragment time - file time */
  bool has_started;
  uint32_t format;
} Track;

typedef struct Mp4Muxer {
  RecOutput *output;
  const RecHost *host;
  RecMuxerLimits limits;
  uint32_t n_expected;
  uint32_t n_tracks;
  RecMp4Track tracks[REC_MP4_MAX_TRACKS];
  Track pending[REC_MP4_MAX_TRACKS];
  bool has_head, is_head_stale;
  uint32_t sequence;
  char *stream_id; /* NULL: composed */
  bool has_base;
  int64_t base_ns; /* the recording's time at which the file's begins */
} Mp4Muxer;

static void
mp4_free (void *data)
{
  Mp4Muxer *muxer = data;

  for (uint32_t i = 0; i < REC_MP4_MAX_TRACKS; i++) {
    rec_mp4_track_clear (&muxer->tracks[i]);
    rec_bytes_clear (&muxer->pending[i].data);
    free (muxer->pending[i].samples);
  }
  free (muxer->stream_id);
  free (muxer);
}

static void *
mp4_new (RecOutput *output, const RecSinkSetup *setup, const RecMuxerLimits *limits,
    RecError *error)
{
  Mp4Muxer *muxer = calloc (1, sizeof *muxer);

  if (muxer == NULL) {
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
    return NULL;
  }
  muxer->output = output;
  muxer->host = setup->host;
  muxer->limits = *limits;
  if (limits->stream_id == NULL)
    muxer->n_expected = (setup->has_video != 0) + (setup->has_audio != 0);
  if (limits->stream_id != NULL && (muxer->stream_id = strdup (limits->stream_id)) == NULL)
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
  else if (rec_output_reserve (output, limits->reserve, error))
    return muxer;
  mp4_free (muxer);
  return NULL;
}

static bool
find_track (const Mp4Muxer *muxer, uint32_t id, uint32_t *index, RecError *error)
{
  for (*index = 0; *index < muxer->n_tracks; (*index)++) {
    if (muxer->tracks[*index].id == id)
      return true;
  }
  return rec_fail (error, REC_FAIL_INVALID, "there is no track %u", id);
}

static bool
has_medium (const Mp4Muxer *muxer, uint32_t media)
{
  for (uint32_t i = 0; i < muxer->n_tracks; i++) {
    if (muxer->tracks[i].media == media)
      return true;
  }
  return false;
}

static bool
mp4_add_track (void *data, const RecTrack *description, RecError *error)
{
  Mp4Muxer *muxer = data;
  RecMp4Track *track = &muxer->tracks[muxer->n_tracks];

  if (muxer->has_head && muxer->stream_id == NULL)
    return rec_fail (error, REC_FAIL_UNSUPPORTED,
        "track %u comes too late: the file has begun without it", description->id);
  if (muxer->n_tracks == REC_MP4_MAX_TRACKS || has_medium (muxer, description->media))
    return rec_fail (error, REC_FAIL_UNSUPPORTED,
        "track %u is one too many: a file of ours has one picture and one sound", description->id);
  if (!rec_mp4_track_init (track, description, error))
    return false;
  if (muxer->stream_id != NULL)
    strncpy (track->name, muxer->stream_id, sizeof track->name - 1);
  muxer->pending[muxer->n_tracks++].format = description->format;
  muxer->is_head_stale = true;
  return true;
}

/* --- fragments ---------------------------------------------------------------------------------- */

/* One write, whether the head is new or has changed. */
static bool
write_head (Mp4Muxer *muxer, RecError *error)
{
  const size_t size = muxer->stream_id != NULL ? REC_MP4_STREAM_HEAD_SIZE : 0;
  RecBytes head = { 0 };
  bool written;

  if (!muxer->is_head_stale)
    return true;
  if (!rec_mp4_put_head (&head, muxer->tracks, muxer->n_tracks, size) && !head.failed)
    written = rec_fail (error, REC_FAIL_UNSUPPORTED, "the codecs' headers are too large");
  else if (head.failed)
    written = rec_fail (error, REC_FAIL_OTHER, "out of memory");
  else if (muxer->has_head)
    written = rec_output_overwrite (muxer->output, 0, head.data, head.size, error);
  else
    written = rec_output_append (muxer->output, &(struct iovec){ head.data, head.size }, 1, error);
  rec_bytes_clear (&head);
  muxer->has_head |= written;
  muxer->is_head_stale = !written;
  return written;
}

static uint64_t
get_index_size (const Mp4Muxer *muxer)
{
  uint64_t size = 1024;

  for (uint32_t i = 0; i < muxer->n_tracks; i++)
    size += rec_mp4_track_get_index_size (&muxer->tracks[i]);
  return size;
}

/* Room for the index and one more fragment like the last; ahead by half, so that it grows rarely. */
static bool
reserve_index (Mp4Muxer *muxer, uint64_t fragment_size, RecError *error)
{
  const uint64_t needed = get_index_size (muxer) + fragment_size;

  if (muxer->limits.reserve == 0 || needed <= muxer->limits.reserve)
    return true;
  if (!rec_output_reserve (muxer->output, needed + needed / 2, error))
    return false;
  muxer->limits.reserve = needed + needed / 2;
  return true;
}

static bool
take_fragment_into_index (Mp4Muxer *muxer, uint64_t offset, RecError *error)
{
  bool failed = false;

  for (uint32_t i = 0; i < muxer->n_tracks; i++) {
    Track *pending = &muxer->pending[i];

    rec_mp4_track_add_chunk (&muxer->tracks[i], offset, pending->samples, pending->n_samples);
    failed |= rec_mp4_track_has_failed (&muxer->tracks[i]);
    offset += pending->data.size;
    pending->n_samples = 0;
    pending->data.size = 0;
  }
  return !failed || rec_fail (error, REC_FAIL_OTHER, "out of memory for the file's index");
}

/* Writes what is pending as one fragment. After a failure it is still pending. */
static bool
write_fragment (Mp4Muxer *muxer, RecError *error)
{
  RecMp4Run runs[REC_MP4_MAX_TRACKS];
  struct iovec parts[1 + REC_MP4_MAX_TRACKS];
  RecBytes boxes = { 0 };
  uint32_t n_samples = 0;
  uint64_t begin, boxes_size;
  bool written;

  for (uint32_t i = 0; i < muxer->n_tracks; i++) {
    const Track *pending = &muxer->pending[i];

    runs[i] =
        (RecMp4Run){ &muxer->tracks[i], pending->samples, pending->n_samples, pending->data.size };
    parts[1 + i] = (struct iovec){ pending->data.data, pending->data.size };
    n_samples += pending->n_samples;
  }
  if (n_samples == 0)
    return true;
  if (!write_head (muxer, error))
    return false;

  rec_mp4_put_fragment (&boxes, runs, muxer->n_tracks, muxer->sequence + 1);
  parts[0] = (struct iovec){ boxes.data, boxes.size };
  boxes_size = boxes.size;
  begin = rec_output_get_size (muxer->output);
  written = boxes.failed
                ? rec_fail (error, REC_FAIL_OTHER, "out of memory")
                : rec_output_append (muxer->output, parts, 1 + (int) muxer->n_tracks, error);
  rec_bytes_clear (&boxes);
  if (!written)
    return false;
  muxer->sequence++;
  return take_fragment_into_index (muxer, begin + boxes_size, error);
}

static bool
store_fragment (Mp4Muxer *muxer, int64_t until_ns, RecError *error)
{
  const uint64_t begin = rec_output_get_size (muxer->output);

  if (!write_fragment (muxer, error) ||
      (!muxer->limits.is_lazy && !rec_output_sync_often (muxer->output, error)) ||
      !reserve_index (muxer, rec_output_get_size (muxer->output) - begin, error))
    return false;
  muxer->host->progress (muxer->host, until_ns);
  return true;
}

static bool
must_store (const Mp4Muxer *muxer, int64_t now_ns)
{
  const bool is_first = !muxer->has_head;
  int64_t limit_ns = is_first ? muxer->limits.first_fragment_ns : muxer->limits.fragment_ns;
  uint64_t bytes = 0;

  /* The head names the tracks. */
  if (is_first && muxer->n_tracks < muxer->n_expected)
    limit_ns = HEAD_PATIENCE_NS;
  for (uint32_t i = 0; i < muxer->n_tracks; i++) {
    const Track *pending = &muxer->pending[i];

    bytes += pending->data.size;
    if (pending->n_samples > 0 && now_ns - pending->pending_since_ns >= limit_ns)
      return true;
    if (pending->n_samples >= MAX_PENDING_SAMPLES)
      return true;
  }
  return bytes >= MAX_PENDING_BYTES;
}

/* --- packets ------------------------------------------------------------------------------------ */

static RecMp4Sample *
extend_samples (Track *pending)
{
  if (pending->n_samples == pending->capacity) {
    const uint32_t capacity = pending->capacity + pending->capacity / 2 + 64;
    RecMp4Sample *samples = realloc (pending->samples, capacity * sizeof *samples);

    if (samples == NULL)
      return NULL;
    pending->samples = samples;
    pending->capacity = capacity;
  }
  return &pending->samples[pending->n_samples];
}

/* Fragment time cannot be negative: a track that begins below file time 0 is shifted. */
static void
start_track (Mp4Muxer *muxer, uint32_t index, int64_t dts)
{
  Track *pending = &muxer->pending[index];

  if (pending->has_started)
    return;
  pending->has_started = true;
  if (dts < 0 && !muxer->has_head)
    pending->shift = -dts;
  muxer->tracks[index].edit_start += pending->shift;
}

/* When the sample is decoded and shown, in fragment time. */
static void
place_sample (Mp4Muxer *muxer, uint32_t index, const RecPacket *packet, int64_t *dts, int64_t *pts)
{
  const RecMp4Track *track = &muxer->tracks[index];
  Track *pending = &muxer->pending[index];
  const bool is_first = !pending->has_started;

  *dts = rec_mp4_to_ticks (packet->dts_ns - muxer->base_ns, track->scale);
  *pts = rec_mp4_to_ticks (packet->pts_ns - muxer->base_ns, track->scale);
  if (muxer->stream_id != NULL) { /* nothing is before its first packet, or at once */
    const int64_t least = is_first ? 0
                                   : pending->last_dts + (track->media == REC_MEDIA_VIDEO ? 1 : 0);

    *dts = *dts < least ? least : *dts;
    *pts = *pts < *dts ? *dts : *pts;
  }
  start_track (muxer, index, *dts);
  *dts += pending->shift;
  *pts += pending->shift;
  if (*dts < pending->last_dts)
    *dts = pending->last_dts; /* rounding, or a source that does not keep its word */
}

static uint32_t
get_duration (const Track *pending, const RecPacket *packet, int64_t dts, uint32_t scale)
{
  if (packet->duration_ns > 0)
    return (uint32_t) rec_mp4_to_ticks (packet->duration_ns, scale);
  if (pending->format == REC_FORMAT_OPUS)
    return (uint32_t) (rec_opus_get_ms (packet->data, packet->data_size) * scale / 1000);
  return dts > pending->last_dts ? (uint32_t) (dts - pending->last_dts) : pending->last_duration;
}

static bool
append_sample (Mp4Muxer *muxer, uint32_t index, const RecPacket *packet, RecError *error)
{
  Track *pending = &muxer->pending[index];
  RecMp4Sample *sample = extend_samples (pending);
  const size_t before = pending->data.size;
  int64_t dts, pts;

  place_sample (muxer, index, packet, &dts, &pts);
  pending->last_duration = get_duration (pending, packet, dts, muxer->tracks[index].scale);
  if (pending->format == REC_FORMAT_H264_ANNEXB)
    rec_annexb_put_units (&pending->data, packet->data, packet->data_size);
  else
    rec_bytes_put (&pending->data, packet->data, packet->data_size);
  if (sample == NULL || pending->data.failed)
    return rec_fail (error, REC_FAIL_OTHER, "out of memory");
  *sample = (RecMp4Sample){
    .dts = dts,
    .cts = (int32_t) (pts - dts),
    .duration = pending->last_duration,
    .size = (uint32_t) (pending->data.size - before),
    .is_key = (packet->flags & REC_PACKET_KEYFRAME) != 0,
  };
  if (pending->n_samples++ == 0)
    pending->pending_since_ns = packet->dts_ns;
  pending->last_dts = dts;
  return true;
}

/* Of the first keyframe, which has them in front. False: there are none yet, and nothing to decode. */
static bool
take_parameters (Mp4Muxer *muxer, uint32_t index, const RecPacket *packet)
{
  RecMp4Track *track = &muxer->tracks[index];
  uint8_t record[MAX_AVCC_BYTES];
  size_t size;

  if (track->stsd.size > 0)
    return true;
  size = rec_annexb_make_avcc (packet->data, packet->data_size, record, sizeof record);
  if (size > 0)
    rec_mp4_track_set_avcc (track, record, (uint32_t) size);
  muxer->is_head_stale |= size > 0;
  return size > 0;
}

static bool
mp4_write (void *data, const RecPacket *packet, RecError *error)
{
  Mp4Muxer *muxer = data;
  uint32_t index;

  if (!find_track (muxer, packet->track_id, &index, error))
    return false;
  if (must_store (muxer, packet->dts_ns) && !store_fragment (muxer, packet->dts_ns, error))
    return false;
  if (muxer->stream_id != NULL && !muxer->has_base)
    muxer->base_ns = packet->pts_ns;
  muxer->has_base = true;
  return !take_parameters (muxer, index, packet) || append_sample (muxer, index, packet, error);
}

static bool
mp4_end_track (void *data, uint32_t track_id, int64_t end_ns, RecError *error)
{
  Mp4Muxer *muxer = data;
  uint32_t index;

  if (!find_track (muxer, track_id, &index, error))
    return false;
  end_ns -= muxer->base_ns;
  muxer->tracks[index].end = end_ns > 0 ? rec_mp4_to_ticks (end_ns, muxer->tracks[index].scale) : 0;
  return true;
}

/* --- the end ------------------------------------------------------------------------------------ */

/* On a full disk the reserve is what the last data and the index are written into. */
static bool
write_last_fragment (Mp4Muxer *muxer, RecError *error)
{
  if (write_fragment (muxer, error))
    return true;
  rec_output_release_reserve (muxer->output);
  return write_fragment (muxer, error);
}

static bool
mp4_finish (void *data, RecError *error)
{
  Mp4Muxer *muxer = data;
  RecError reason = { 0 };

  muxer->host->progress (muxer->host, 0);
  if (!write_last_fragment (muxer, &reason))
    rec_log (muxer->host, REC_LOG_WARNING, "the last moments are lost: %s", reason.message);
  if (muxer->sequence == 0)
    return rec_fail (error, reason.code ? reason.code : REC_FAIL_NOT_FOUND, "%s",
        reason.code ? reason.message : "not a single packet was recorded");

  for (uint32_t i = 0; i < muxer->n_tracks; i++)
    rec_mp4_track_close_index (&muxer->tracks[i]);
  if (rec_mp4_write_index (muxer->output, muxer->tracks, muxer->n_tracks, &reason))
    return true;
  rec_log (muxer->host, REC_LOG_WARNING, "the file stays fragmented, which plays too: %s",
      reason.message);
  return true;
}

static void
mp4_describe (const void *data, const char **ending, const char **media_type)
{
  const Mp4Muxer *muxer = data;

  *ending = "mp4";
  *media_type = rec_mp4_get_media_type (muxer->tracks, muxer->n_tracks);
}

const RecMuxer rec_mp4_muxer = {
  .ending = "mp4",
  .media_type = "video/mp4",
  .new = mp4_new,
  .add_track = mp4_add_track,
  .write = mp4_write,
  .end_track = mp4_end_track,
  .finish = mp4_finish,
  .free = mp4_free,
  .describe = mp4_describe,
  .look = rec_mp4_look,
  .recover = rec_mp4_recover,
};
