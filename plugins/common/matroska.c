/* matroska.c - packets in, a WebM or Matroska file out that is complete up to its last cluster. */
#include "matroska.h"

#include "annexb.h"
#include "ebml.h"
#include "matroska-index.h"
#include "opus.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C (1000000)
#define MAX_CLUSTER_BYTES (2u << 20)
#define MAX_CLUSTER_BLOCKS 4096u
#define MAX_CLUSTER_MS 30000 /* block times have 16 bits */

/* A packet of the open cluster. */
typedef struct Block {
  int64_t time_ms;
  uint32_t track; /* its number */
  bool is_key;
  size_t offset, size; /* in the data */
} Block;

typedef struct Track {
  uint32_t id;
  RecWebmTrack entry;
  uint8_t private_data[REC_WEBM_MAX_PRIVATE];
  uint32_t format;
  int64_t last_pts_ns, last_ms; /* of a picture; below 0 before the first */
} Track;

struct RecMatroska {
  RecOutput *output;
  const RecHost *host;
  RecMuxerLimits limits;
  Track tracks[2];
  uint32_t n_tracks;
  bool has_head, is_head_stale;
  char *stream_id; /* NULL: composed */
  bool has_base;
  int64_t base_ns;
  RecMatroskaIndex index;
  double end_ms; /* at which the last track ended; 0: not known */

  /* the open cluster */
  RecBytes data;
  Block *blocks;
  uint32_t n_blocks, capacity;
  int64_t cluster_ms;
  bool is_entry; /* a player may begin here */
  double packets_end_ms;
};

RecMatroska *
rec_matroska_new (RecOutput *output, const RecHost *host, const RecMuxerLimits *limits,
    RecError *error)
{
  RecMatroska *matroska = calloc (1, sizeof *matroska);

  if (matroska == NULL) {
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
    return NULL;
  }
  matroska->output = output;
  matroska->host = host;
  matroska->limits = *limits;
  if (limits->stream_id != NULL && (matroska->stream_id = strdup (limits->stream_id)) == NULL)
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
  else if (rec_output_reserve (output, limits->reserve, error))
    return matroska;
  rec_matroska_free (matroska);
  return NULL;
}

void
rec_matroska_free (RecMatroska *matroska)
{
  rec_matroska_index_clear (&matroska->index);
  rec_bytes_clear (&matroska->data);
  free (matroska->blocks);
  free (matroska->stream_id);
  free (matroska);
}

/* --- tracks -------------------------------------------------------------------------------------- */

static bool
set_opus (Track *track, const RecTrack *description, RecError *error)
{
  const uint8_t *head = description->codec_data;

  if (!rec_opus_check_head (description, error))
    return false;
  memcpy (track->private_data, head, REC_OPUS_HEAD_SIZE);
  track->entry.codec = "A_OPUS";
  track->entry.private_size = REC_OPUS_HEAD_SIZE;
  track->entry.delay_ns = (uint64_t) (head[10] | head[11] << 8) * 1000000000 / 48000;
  track->entry.channels = head[9];
  return true;
}

static const char *
get_video_codec (uint32_t format)
{
  if (format == REC_FORMAT_VP8)
    return "V_VP8";
  return format == REC_FORMAT_VP9 ? "V_VP9" : "V_MPEG4/ISO/AVC";
}

static bool
set_video (Track *track, const RecTrack *description, RecError *error)
{
  if (description->width <= 0 || description->height <= 0)
    return rec_fail (error, REC_FAIL_INVALID, "video track %u has no usable size: %dx%d",
        description->id, description->width, description->height);
  track->entry.width = (uint32_t) description->width;
  track->entry.height = (uint32_t) description->height;
  track->entry.codec = get_video_codec (description->format);
  return true;
}

static Track *
find_medium (RecMatroska *matroska, uint32_t media)
{
  for (uint32_t i = 0; i < matroska->n_tracks; i++) {
    if (matroska->tracks[i].entry.media == media)
      return &matroska->tracks[i];
  }
  return NULL;
}

bool
rec_matroska_add_track (RecMatroska *matroska, const RecTrack *description, RecError *error)
{
  const bool is_video = description->media == REC_MEDIA_VIDEO;
  const uint32_t formats = is_video ? REC_FORMAT_VP8 | REC_FORMAT_VP9 | REC_FORMAT_H264_ANNEXB
                                    : REC_FORMAT_OPUS;
  Track *track = &matroska->tracks[matroska->n_tracks];

  if (find_medium (matroska, description->media) != NULL)
    return rec_fail (error, REC_FAIL_UNSUPPORTED,
        "track %u is one too many: a file of ours has one picture and one sound", description->id);
  if ((description->format & formats) == 0)
    return rec_fail (error, REC_FAIL_UNSUPPORTED,
        "track %u: a Matroska file takes Opus, VP8, VP9 and H.264, not format %#x", description->id,
        description->format);
  *track = (Track){ .id = description->id, .format = description->format, .last_ms = -1 };
  track->entry.number = matroska->n_tracks + 1;
  track->entry.media = description->media;
  track->entry.name = matroska->stream_id;
  track->entry.private_data = track->private_data;
  if (is_video ? !set_video (track, description, error) : !set_opus (track, description, error))
    return false;
  matroska->n_tracks++;
  matroska->is_head_stale = true;
  return true;
}

static Track *
find_track (RecMatroska *matroska, uint32_t id, RecError *error)
{
  for (uint32_t i = 0; i < matroska->n_tracks; i++) {
    if (matroska->tracks[i].id == id)
      return &matroska->tracks[i];
  }
  rec_fail (error, REC_FAIL_INVALID, "there is no track %u", id);
  return NULL;
}

static bool
is_matroska (const RecMatroska *matroska)
{
  for (uint32_t i = 0; i < matroska->n_tracks; i++) {
    if (matroska->tracks[i].format == REC_FORMAT_H264_ANNEXB)
      return true;
  }
  return false;
}

const char *
rec_matroska_get_media_type (bool is_it, bool has_video)
{
  if (is_it)
    return "video/x-matroska";
  return has_video ? "video/webm" : "audio/webm";
}

const char *
rec_matroska_get_ending (bool is_it)
{
  return is_it ? "mkv" : "webm";
}

void
rec_matroska_describe (const RecMatroska *matroska, const char **ending, const char **media_type)
{
  const bool has_video = find_medium ((RecMatroska *) matroska, REC_MEDIA_VIDEO) != NULL;

  *ending = rec_matroska_get_ending (is_matroska (matroska));
  *media_type = rec_matroska_get_media_type (is_matroska (matroska), has_video);
}

/* --- clusters ------------------------------------------------------------------------------------ */

static void
put_tracks (RecBytes *bytes, const RecMatroska *matroska)
{
  for (uint32_t i = 0; i < matroska->n_tracks; i++)
    rec_webm_put_track (bytes, &matroska->tracks[i].entry);
}

/* One write, whether the head is new or has changed. */
static bool
write_head (RecMatroska *matroska, RecError *error)
{
  RecBytes tracks = { 0 }, bytes = { 0 };
  const RecWebmHead head = { .is_matroska = is_matroska (matroska), .tracks = &tracks };
  bool written;

  if (!matroska->is_head_stale)
    return true;
  put_tracks (&tracks, matroska);
  if (!rec_webm_put_head (&bytes, &head))
    written = rec_fail (error, REC_FAIL_UNSUPPORTED, "the codecs' headers are too large");
  else if (bytes.failed || tracks.failed)
    written = rec_fail (error, REC_FAIL_OTHER, "out of memory");
  else if (matroska->has_head)
    written = rec_output_overwrite (matroska->output, 0, bytes.data, bytes.size, error);
  else
    written =
        rec_output_append (matroska->output, &(struct iovec){ bytes.data, bytes.size }, 1, error);
  rec_bytes_clear (&bytes);
  rec_bytes_clear (&tracks);
  matroska->has_head |= written;
  matroska->is_head_stale = !written;
  return written;
}

/* Tracks come mixed, and not quite in the order of their times, which players insist on. */
static void
sort_blocks (RecMatroska *matroska)
{
  for (uint32_t i = 1; i < matroska->n_blocks; i++) {
    const Block block = matroska->blocks[i];
    uint32_t place = i;

    for (; place > 0 && matroska->blocks[place - 1].time_ms > block.time_ms; place--)
      matroska->blocks[place] = matroska->blocks[place - 1];
    matroska->blocks[place] = block;
  }
}

static void
put_cluster (RecBytes *bytes, const RecMatroska *matroska)
{
  const int64_t begin_ms = matroska->blocks[0].time_ms;
  const size_t begin = rec_webm_begin_cluster (bytes, (uint64_t) begin_ms);

  for (uint32_t i = 0; i < matroska->n_blocks; i++) {
    const Block *block = &matroska->blocks[i];

    rec_webm_put_block (bytes,
        &(RecWebmBlock){ block->track, (int16_t) (block->time_ms - begin_ms), block->is_key,
            matroska->data.data + block->offset, block->size });
  }
  rec_webm_end_cluster (bytes, begin);
}

/* After a failure the cluster is still open. */
static bool
write_cluster (RecMatroska *matroska, RecError *error)
{
  const uint64_t head_size = matroska->has_head ? 0 : REC_WEBM_HEAD_SIZE;
  const uint64_t offset = rec_output_get_size (matroska->output) + head_size;
  RecBytes bytes = { 0 };
  bool written;

  if (matroska->n_blocks == 0)
    return true;
  if (!write_head (matroska, error))
    return false;
  sort_blocks (matroska);
  put_cluster (&bytes, matroska);
  written = bytes.failed ? rec_fail (error, REC_FAIL_OTHER, "out of memory")
                         : rec_output_append (matroska->output,
                               &(struct iovec){ bytes.data, bytes.size }, 1, error);
  rec_bytes_clear (&bytes);
  if (!written)
    return false;
  rec_matroska_index_note (&matroska->index, offset, (uint64_t) matroska->blocks[0].time_ms,
      matroska->packets_end_ms, matroska->is_entry);
  matroska->n_blocks = 0;
  matroska->data.size = 0;
  return !matroska->index.cues.failed || rec_fail (error, REC_FAIL_OTHER, "out of memory");
}

static bool
must_write (RecMatroska *matroska, const Track *track, const RecPacket *packet, int64_t time_ms)
{
  const int64_t limit_ns = matroska->has_head ? matroska->limits.fragment_ns
                                              : matroska->limits.first_fragment_ns;
  const int64_t passed_ms = time_ms - matroska->cluster_ms;

  if (matroska->n_blocks == 0)
    return false;
  if (track->entry.media == REC_MEDIA_VIDEO && (packet->flags & REC_PACKET_KEYFRAME))
    return true;
  return passed_ms * NS_PER_MS >= limit_ns || passed_ms > MAX_CLUSTER_MS ||
         passed_ms < -MAX_CLUSTER_MS || matroska->data.size >= MAX_CLUSTER_BYTES ||
         matroska->n_blocks >= MAX_CLUSTER_BLOCKS;
}

static bool
extend_blocks (RecMatroska *matroska)
{
  const uint32_t capacity = matroska->capacity + matroska->capacity / 2 + 64;
  Block *blocks;

  if (matroska->n_blocks < matroska->capacity)
    return true;
  blocks = realloc (matroska->blocks, capacity * sizeof *blocks);
  if (blocks == NULL)
    return false;
  matroska->blocks = blocks;
  matroska->capacity = capacity;
  return true;
}

static bool
append_block (RecMatroska *matroska, Track *track, const RecPacket *packet, int64_t time_ms,
    RecError *error)
{
  const bool is_key = packet->flags & REC_PACKET_KEYFRAME;
  const size_t offset = matroska->data.size;

  if (track->format == REC_FORMAT_H264_ANNEXB)
    rec_annexb_put_units (&matroska->data, packet->data, packet->data_size);
  else
    rec_bytes_put (&matroska->data, packet->data, packet->data_size);
  if (matroska->data.failed || !extend_blocks (matroska))
    return rec_fail (error, REC_FAIL_OTHER, "out of memory");
  if (matroska->n_blocks == 0) {
    matroska->cluster_ms = time_ms;
    matroska->is_entry = is_key && (track->entry.media == REC_MEDIA_VIDEO ||
                                       find_medium (matroska, REC_MEDIA_VIDEO) == NULL);
  }
  matroska->blocks[matroska->n_blocks++] =
      (Block){ time_ms, track->entry.number, is_key, offset, matroska->data.size - offset };
  matroska->packets_end_ms = rec_matroska_get_end_ms (matroska->packets_end_ms, &track->entry,
      (double) time_ms, packet->data, packet->data_size);
  return true;
}

/* Of the first keyframe, which has the parameter sets in front. */
static void
take_parameters (RecMatroska *matroska, Track *track, const RecPacket *packet)
{
  if (track->format != REC_FORMAT_H264_ANNEXB || track->entry.private_size > 0)
    return;
  track->entry.private_size = rec_annexb_make_avcc (packet->data, packet->data_size,
      track->private_data, sizeof track->private_data);
  matroska->is_head_stale |= track->entry.private_size > 0;
}

/* Pictures that came in a burst are less than a millisecond apart; players want to know which is first. */
static int64_t
tell_apart (Track *track, const RecPacket *packet, int64_t time_ms)
{
  if (track->entry.media != REC_MEDIA_VIDEO)
    return time_ms;
  if (track->last_ms >= 0 && packet->pts_ns >= track->last_pts_ns && time_ms <= track->last_ms)
    time_ms = track->last_ms + 1;
  track->last_pts_ns = packet->pts_ns;
  track->last_ms = time_ms;
  return time_ms;
}

bool
rec_matroska_write (RecMatroska *matroska, const RecPacket *packet, RecError *error)
{
  Track *track = find_track (matroska, packet->track_id, error);
  int64_t time_ms;

  if (track == NULL)
    return false;
  if (matroska->stream_id != NULL && !matroska->has_base)
    matroska->base_ns = packet->pts_ns;
  matroska->has_base = true;
  time_ms = (packet->pts_ns - matroska->base_ns + NS_PER_MS / 2) / NS_PER_MS;
  if (time_ms < 0)
    time_ms = 0;
  time_ms = tell_apart (track, packet, time_ms);
  if (must_write (matroska, track, packet, time_ms)) {
    if (!write_cluster (matroska, error) ||
        (!matroska->limits.is_lazy && !rec_output_sync_often (matroska->output, error)))
      return false;
    matroska->host->progress (matroska->host, packet->pts_ns);
  }
  take_parameters (matroska, track, packet);
  return append_block (matroska, track, packet, time_ms, error);
}

bool
rec_matroska_end_track (RecMatroska *matroska, uint32_t track_id, int64_t end_ns, RecError *error)
{
  const double end_ms = (double) (end_ns - matroska->base_ns) / (double) NS_PER_MS;

  if (find_track (matroska, track_id, error) == NULL)
    return false;
  if (matroska->has_base && end_ns > matroska->base_ns && end_ms > matroska->end_ms)
    matroska->end_ms = end_ms;
  return true;
}

/* --- the end ------------------------------------------------------------------------------------- */

/* Sound that lasts beyond the end is cut; a picture stays until then. */
static double
get_duration_ms (const RecMatroska *matroska)
{
  const bool has_video = find_medium ((RecMatroska *) matroska, REC_MEDIA_VIDEO) != NULL;
  const double packets_ms = matroska->index.end_ms;

  if (matroska->end_ms > 0 && (has_video || matroska->end_ms < packets_ms))
    return matroska->end_ms;
  return packets_ms;
}

bool
rec_matroska_finish (RecMatroska *matroska, RecError *error)
{
  RecWebmHead head = { .is_matroska = is_matroska (matroska), .duration_ms = 0 };
  const Track *video = find_medium (matroska, REC_MEDIA_VIDEO);
  RecBytes tracks = { 0 };
  RecError reason = { 0 };

  if (!write_cluster (matroska, NULL)) {
    rec_output_release_reserve (matroska->output);
    if (!write_cluster (matroska, &reason))
      rec_log (matroska->host, REC_LOG_WARNING, "the last moments are lost: %s", reason.message);
  }
  if (matroska->index.n_clusters == 0)
    return rec_fail (error, reason.code ? reason.code : REC_FAIL_NOT_FOUND, "%s",
        reason.code ? reason.message : "not a single packet was recorded");

  put_tracks (&tracks, matroska);
  head.tracks = &tracks;
  head.duration_ms = get_duration_ms (matroska);
  if (!rec_matroska_index_complete (&matroska->index, matroska->output, &head,
          video != NULL ? video->entry.number : 1, &reason))
    rec_log (matroska->host, REC_LOG_WARNING, "the file stays without cues, and plays too: %s",
        reason.message);
  rec_bytes_clear (&tracks);
  return true;
}
