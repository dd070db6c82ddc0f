/* webm.c - Opus packets in, a WebM file out that is complete up to its last cluster at any time. */
#include "ebml.h"
#include "muxer.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C (1000000)
#define MAX_CLUSTER_BYTES (1u << 20)
#define MAX_CLUSTER_MS 30000 /* block times have 16 bits */
#define MIN_CUE_DISTANCE_MS 1000u

/* What is known of a file; the writer and recover fill it in alike. */
typedef struct Index {
  RecBytes cues; /* pairs of time and offset, 8 bytes each */
  uint64_t last_cue_ms;
  uint64_t n_clusters;
  double end_ms; /* of the last packet, on the time line of the blocks */
} Index;

typedef struct Webm {
  RecOutput *output;
  const RecHost *host;
  RecMuxerLimits limits;
  uint32_t track_id; /* 0: none yet */
  uint8_t opus_head[REC_WEBM_OPUS_HEAD_SIZE];
  bool has_head;
  Index index;
  double end_ms;        /* file time at which the track ended; 0: not known */
  RecBytes cluster;     /* open cluster */
  size_t cluster_begin; /* 0: none is open */
  uint64_t cluster_ms;
  double packets_end_ms;
} Webm;

static void *
webm_new (RecOutput *output, const RecSinkSetup *setup, const RecMuxerLimits *limits,
    RecError *error)
{
  Webm *webm = calloc (1, sizeof *webm);

  if (webm == NULL) {
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
    return NULL;
  }
  webm->output = output;
  webm->host = setup->host;
  webm->limits = *limits;
  if (rec_output_reserve (output, limits->reserve, error))
    return webm;
  free (webm);
  return NULL;
}

static void
webm_free (void *data)
{
  Webm *webm = data;

  rec_bytes_clear (&webm->index.cues);
  rec_bytes_clear (&webm->cluster);
  free (webm);
}

static bool
webm_add_track (void *data, const RecTrack *track, RecError *error)
{
  Webm *webm = data;

  if (webm->track_id != 0)
    return rec_fail (error, REC_FAIL_UNSUPPORTED,
        "track %u is one too many: a WebM file of ours has one", track->id);
  if (track->format != REC_FORMAT_OPUS)
    return rec_fail (error, REC_FAIL_UNSUPPORTED,
        "track %u: a WebM file takes Opus, not format %#x", track->id, track->format);
  if (track->codec_data_size != REC_WEBM_OPUS_HEAD_SIZE || track->codec_data == NULL ||
      memcmp (track->codec_data, "OpusHead", 8) != 0 || track->codec_data[18] != 0)
    return rec_fail (error, REC_FAIL_INVALID,
        "track %u comes without the OpusHead of mono or stereo", track->id);
  memcpy (webm->opus_head, track->codec_data, REC_WEBM_OPUS_HEAD_SIZE);
  webm->track_id = track->id;
  return true;
}

/* RFC 6716, 3.1: the first byte says how long each frame is and how many there are. */
static double
get_packet_ms (const uint8_t *data, size_t size)
{
  static const double silk[] = { 10, 20, 40, 60 }, hybrid[] = { 10, 20 },
                      celt[] = { 2.5, 5, 10, 20 };
  unsigned config, n_frames = 1;
  double frame_ms;

  if (size == 0)
    return 0;
  config = data[0] >> 3;
  frame_ms = config < 12 ? silk[config & 3] : config < 16 ? hybrid[config & 1] : celt[config & 3];
  if ((data[0] & 3) == 3)
    n_frames = size > 1 ? data[1] & 63 : 0;
  else if ((data[0] & 3) != 0)
    n_frames = 2;
  return frame_ms * n_frames;
}

static double
get_delay_ms (const uint8_t *opus_head)
{
  return (opus_head[10] | opus_head[11] << 8) / 48.0;
}

/* --- clusters ------------------------------------------------------------------------------------ */

static void
note_cluster (Index *index, uint64_t offset, uint64_t time_ms, double end_ms)
{
  if (index->n_clusters == 0 || time_ms >= index->last_cue_ms + MIN_CUE_DISTANCE_MS) {
    rec_bytes_put_u64 (&index->cues, time_ms);
    rec_bytes_put_u64 (&index->cues, offset);
    index->last_cue_ms = time_ms;
  }
  index->n_clusters++;
  index->end_ms = end_ms;
}

static bool
write_head (Webm *webm, RecError *error)
{
  const RecWebmHead head = { .opus_head = webm->opus_head };
  RecBytes bytes = { 0 };
  struct iovec part;
  bool written;

  if (webm->has_head)
    return true;
  rec_webm_put_head (&bytes, &head);
  part = (struct iovec){ bytes.data, bytes.size };
  written = bytes.failed ? rec_fail (error, REC_FAIL_OTHER, "out of memory")
                         : rec_output_append (webm->output, &part, 1, error);
  rec_bytes_clear (&bytes);
  webm->has_head = written;
  return written;
}

/* After a failure the cluster is still open. */
static bool
write_cluster (Webm *webm, RecError *error)
{
  uint64_t offset;
  struct iovec part;

  if (webm->cluster_begin == 0)
    return true;
  if (!write_head (webm, error))
    return false;
  rec_webm_end_cluster (&webm->cluster, webm->cluster_begin);
  part = (struct iovec){ webm->cluster.data, webm->cluster.size };
  offset = rec_output_get_size (webm->output);
  if (!rec_output_append (webm->output, &part, 1, error))
    return false;
  note_cluster (&webm->index, offset, webm->cluster_ms, webm->packets_end_ms);
  webm->cluster.size = 0;
  webm->cluster_begin = 0;
  return !webm->index.cues.failed || rec_fail (error, REC_FAIL_OTHER, "out of memory");
}

static bool
must_write (const Webm *webm, uint64_t time_ms)
{
  const int64_t limit_ns = webm->has_head ? webm->limits.fragment_ns
                                          : webm->limits.first_fragment_ns;

  return webm->cluster_begin != 0 &&
         ((int64_t) (time_ms - webm->cluster_ms) * NS_PER_MS >= limit_ns ||
             time_ms < webm->cluster_ms || time_ms - webm->cluster_ms > MAX_CLUSTER_MS ||
             webm->cluster.size >= MAX_CLUSTER_BYTES);
}

static bool
webm_write (void *data, const RecPacket *packet, RecError *error)
{
  Webm *webm = data;
  const uint64_t time_ms =
      packet->pts_ns > 0 ? (uint64_t) ((packet->pts_ns + NS_PER_MS / 2) / NS_PER_MS) : 0;

  if (webm->track_id == 0 || packet->track_id != webm->track_id)
    return rec_fail (error, REC_FAIL_INVALID, "there is no track %u", packet->track_id);
  if (must_write (webm, time_ms)) {
    if (!write_cluster (webm, error) || !rec_output_sync_often (webm->output, error))
      return false;
    webm->host->progress (webm->host, packet->pts_ns);
  }
  if (webm->cluster_begin == 0) {
    webm->cluster_begin = rec_webm_begin_cluster (&webm->cluster, time_ms);
    webm->cluster_ms = time_ms;
  }
  rec_webm_put_block (&webm->cluster, (int16_t) (time_ms - webm->cluster_ms), packet->data,
      packet->data_size);
  webm->packets_end_ms = (double) time_ms + get_packet_ms (packet->data, packet->data_size);
  return !webm->cluster.failed || rec_fail (error, REC_FAIL_OTHER, "out of memory");
}

static bool
webm_end_track (void *data, uint32_t track_id, int64_t end_ns, RecError *error)
{
  Webm *webm = data;

  if (track_id != webm->track_id)
    return rec_fail (error, REC_FAIL_INVALID, "there is no track %u", track_id);
  webm->end_ms = end_ns > 0 ? (double) end_ns / (double) NS_PER_MS : 0;
  return true;
}

/* --- the end ------------------------------------------------------------------------------------- */

static bool
append_cues (RecOutput *output, const Index *index, RecError *error)
{
  RecBytes cues = { 0 };
  struct iovec part;
  bool written;

  rec_webm_put_cues (&cues, &index->cues);
  part = (struct iovec){ cues.data, cues.size };
  written = !cues.failed && rec_output_append (output, &part, 1, error);
  if (!cues.failed && !written) {
    rec_output_release_reserve (output);
    written = rec_output_append (output, &part, 1, error);
  }
  if (cues.failed)
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
  rec_bytes_clear (&cues);
  return written;
}

/* Appends the cues, syncs, then completes the head by one write. */
static bool
complete (RecOutput *output, const Index *index, const uint8_t *opus_head, double duration_ms,
    RecError *error)
{
  RecWebmHead head = {
    .opus_head = opus_head,
    .duration_ms = duration_ms > 1 ? duration_ms : 1,
    .cues_offset = rec_output_get_size (output),
  };
  RecBytes bytes = { 0 };
  bool done;

  if (!append_cues (output, index, error))
    return false;
  head.file_size = rec_output_get_size (output);
  rec_webm_put_head (&bytes, &head);
  done = bytes.failed ? rec_fail (error, REC_FAIL_OTHER, "out of memory")
                      : rec_output_sync (output, error) &&
                            rec_output_overwrite (output, 0, bytes.data, bytes.size, error);
  rec_bytes_clear (&bytes);
  return done;
}

static bool
webm_finish (void *data, RecError *error)
{
  Webm *webm = data;
  RecError reason = { 0 };
  double duration_ms;

  if (!write_cluster (webm, NULL)) {
    rec_output_release_reserve (webm->output);
    if (!write_cluster (webm, &reason))
      rec_log (webm->host, REC_LOG_WARNING, "the last moments are lost: %s", reason.message);
  }
  if (webm->index.n_clusters == 0)
    return rec_fail (error, reason.code ? reason.code : REC_FAIL_NOT_FOUND, "%s",
        reason.code ? reason.message : "not a single packet was recorded");

  duration_ms = webm->index.end_ms - get_delay_ms (webm->opus_head);
  if (webm->end_ms > 0 && webm->end_ms < duration_ms)
    duration_ms = webm->end_ms;
  if (!complete (webm->output, &webm->index, webm->opus_head, duration_ms, &reason))
    rec_log (webm->host, REC_LOG_WARNING, "the file stays without cues, and plays too: %s",
        reason.message);
  return true;
}

/* --- recovery ------------------------------------------------------------------------------------ */

/* The end of the last packet of a cluster that is all there. */
static bool
find_cluster_end (const uint8_t *blocks, size_t size, uint64_t time_ms, double *end_ms)
{
  RecWebmBlock block;
  bool found = false;

  while (rec_webm_take_block (&blocks, &size, &block)) {
    *end_ms = (double) time_ms + block.time_ms + get_packet_ms (block.data, block.size);
    found = true;
  }
  return found && size == 0;
}

static bool
read_cluster (RecOutput *output, uint64_t *offset, Index *index)
{
  const uint64_t left = rec_output_get_size (output) - *offset;
  uint8_t header[REC_WEBM_CLUSTER_HEADER_SIZE];
  uint64_t size, time_ms;
  double end_ms;
  uint8_t *data;
  bool good;

  if (left < sizeof header || !rec_output_read (output, *offset, header, sizeof header, NULL) ||
      !rec_webm_parse_cluster_header (header, &size, &time_ms) || size > left ||
      size > 2 * MAX_CLUSTER_BYTES)
    return false;
  data = malloc (size);
  good = data != NULL && rec_output_read (output, *offset, data, size, NULL) &&
         find_cluster_end (data + sizeof header, size - sizeof header, time_ms, &end_ms);
  free (data);
  if (!good)
    return false;
  note_cluster (index, *offset, time_ms, end_ms);
  *offset += size;
  return true;
}

static bool
webm_recover (RecOutput *output, const RecHost *host, RecError *error)
{
  uint8_t head[REC_WEBM_HEAD_SIZE], opus_head[REC_WEBM_OPUS_HEAD_SIZE];
  uint64_t file_size, offset = REC_WEBM_HEAD_SIZE;
  Index index = { 0 };
  bool done;

  if (rec_output_get_size (output) < REC_WEBM_HEAD_SIZE)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "cannot recover: nothing was recorded yet");
  if (!rec_output_read (output, 0, head, sizeof head, error))
    return false;
  if (!rec_webm_parse_head (head, opus_head, &file_size))
    return rec_fail (error, REC_FAIL_INVALID, "cannot recover: the head of the file is damaged");
  if (file_size == rec_output_get_size (output))
    return true;

  while (read_cluster (output, &offset, &index)) {
    if (index.n_clusters % 1000 == 0)
      host->progress (host, 0);
  }
  if (index.n_clusters == 0)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "cannot recover: nothing was recorded yet");
  done = rec_output_truncate (output, offset, error) &&
         complete (output, &index, opus_head, index.end_ms - get_delay_ms (opus_head), error);
  rec_bytes_clear (&index.cues);
  return done;
}

const RecMuxer rec_webm_muxer = {
  .ending = "webm",
  .media_type = "audio/webm",
  .new = webm_new,
  .add_track = webm_add_track,
  .write = webm_write,
  .end_track = webm_end_track,
  .finish = webm_finish,
  .free = webm_free,
  .recover = webm_recover,
};
