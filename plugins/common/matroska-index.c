/* matroska-index.c - cues, the end of a file, and its recovery. */
#include "matroska-index.h"

#include "matroska.h"
#include "opus.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIN_CUE_DISTANCE_MS 1000u
#define MAX_CLUSTER_BYTES (64u << 20) /* more than any packet that a writer takes */

void
rec_matroska_index_clear (RecMatroskaIndex *index)
{
  rec_bytes_clear (&index->cues);
}

void
rec_matroska_index_note (RecMatroskaIndex *index, uint64_t offset, uint64_t time_ms, double end_ms,
    bool is_entry)
{
  if (is_entry && (index->cues.size == 0 || time_ms >= index->last_cue_ms + MIN_CUE_DISTANCE_MS)) {
    rec_bytes_put_u64 (&index->cues, time_ms);
    rec_bytes_put_u64 (&index->cues, offset);
    index->last_cue_ms = time_ms;
  }
  index->n_clusters++;
  index->end_ms = end_ms;
}

double
rec_matroska_get_end_ms (double end_ms, const RecWebmTrack *track, double time_ms,
    const uint8_t *data, size_t size)
{
  if (track->media == REC_MEDIA_AUDIO)
    time_ms += rec_opus_get_ms (data, size) - (double) track->delay_ns / 1e6;
  return time_ms > end_ms ? time_ms : end_ms;
}

static bool
append_cues (const RecMatroskaIndex *index, RecOutput *output, uint32_t track, bool is_matroska,
    RecError *error)
{
  RecBytes cues = { 0 };
  struct iovec part;
  bool written;

  if (index->cues.size == 0)
    return true;
  rec_webm_put_cues (&cues, &index->cues, track, is_matroska);
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

bool
rec_matroska_index_complete (const RecMatroskaIndex *index, RecOutput *output, RecWebmHead *head,
    uint32_t cue_track, RecError *error)
{
  RecBytes bytes = { 0 };
  bool done;

  if (head->duration_ms < 1)
    head->duration_ms = 1;
  head->cues_offset = rec_output_get_size (output);
  if (!append_cues (index, output, cue_track, head->is_matroska, error))
    return false;
  head->file_size = rec_output_get_size (output);
  if (!rec_webm_put_head (&bytes, head))
    done = rec_fail (error, REC_FAIL_INVALID, "the head of the file is damaged");
  else
    done = bytes.failed ? rec_fail (error, REC_FAIL_OTHER, "out of memory")
                        : rec_output_sync (output, error) &&
                              rec_output_overwrite (output, 0, bytes.data, bytes.size, error);
  rec_bytes_clear (&bytes);
  return done;
}

/* --- recovery ------------------------------------------------------------------------------------ */

/* A file that is being recovered: what its head says. */
typedef struct Lost {
  uint8_t head[REC_WEBM_HEAD_SIZE];
  bool is_matroska;
  const uint8_t *tracks;
  size_t tracks_size;
  uint64_t file_size;
  RecWebmTrack by_number[128]; /* number 0: there is none */
  uint32_t video;              /* number; 0: none */
} Lost;

/* What a cluster amounts to, when it is all there. */
static bool
look_into_cluster (const Lost *lost, const uint8_t *blocks, size_t size, uint64_t time_ms,
    double *end_ms, bool *is_entry)
{
  RecWebmBlock block;
  bool has_video = false, found = false;

  *is_entry = lost->video == 0;
  while (rec_webm_take_block (&blocks, &size, &block)) {
    const RecWebmTrack *track = &lost->by_number[block.track];

    if (track->number == 0)
      return false;
    if (block.track == lost->video && !has_video) {
      has_video = true;
      *is_entry = block.is_key;
    }
    *end_ms = rec_matroska_get_end_ms (*end_ms, track, (double) time_ms + block.time_ms, block.data,
        block.size);
    found = true;
  }
  return found && size == 0;
}

static bool
read_cluster (const Lost *lost, RecOutput *output, uint64_t *offset, RecMatroskaIndex *index)
{
  const uint64_t left = rec_output_get_size (output) - *offset;
  uint8_t header[REC_WEBM_CLUSTER_HEADER_SIZE];
  uint64_t size, time_ms;
  double end_ms = index->end_ms;
  bool is_entry, good;
  uint8_t *data;

  if (left < sizeof header || !rec_output_read (output, *offset, header, sizeof header, NULL) ||
      !rec_webm_parse_cluster_header (header, &size, &time_ms) || size > left ||
      size > MAX_CLUSTER_BYTES)
    return false;
  data = malloc (size);
  good = data != NULL && rec_output_read (output, *offset, data, size, NULL) &&
         look_into_cluster (lost, data + sizeof header, size - sizeof header, time_ms, &end_ms,
             &is_entry);
  free (data);
  if (!good)
    return false;
  rec_matroska_index_note (index, *offset, time_ms, end_ms, is_entry);
  *offset += size;
  return true;
}

static bool
parse_head (Lost *lost, RecError *error)
{
  const uint8_t *data;
  size_t left;
  RecWebmTrack track;

  if (!rec_webm_parse_head (lost->head, &lost->is_matroska, &lost->tracks, &lost->tracks_size,
          &lost->file_size))
    return rec_fail (error, REC_FAIL_INVALID, "cannot recover: the head of the file is damaged");
  data = lost->tracks;
  left = lost->tracks_size;
  while (rec_webm_take_track (&data, &left, &track)) {
    if (track.number >= 128)
      continue;
    lost->by_number[track.number] = track;
    if (track.media == REC_MEDIA_VIDEO)
      lost->video = track.number;
  }
  return true;
}

static bool
read_head (Lost *lost, RecOutput *output, RecError *error)
{
  if (rec_output_get_size (output) < REC_WEBM_HEAD_SIZE)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "cannot recover: nothing was recorded yet");
  return rec_output_read (output, 0, lost->head, sizeof lost->head, error) &&
         parse_head (lost, error);
}

static bool
recover_clusters (const Lost *lost, RecOutput *output, const RecHost *host, RecError *error)
{
  RecMatroskaIndex index = { 0 };
  const RecBytes tracks = { .data = (uint8_t *) lost->tracks, .size = lost->tracks_size };
  RecWebmHead head = { .is_matroska = lost->is_matroska, .tracks = &tracks };
  uint64_t offset = REC_WEBM_HEAD_SIZE;
  bool done;

  while (read_cluster (lost, output, &offset, &index)) {
    if (index.n_clusters % 16 == 0)
      host->progress (host, 0);
  }
  if (index.n_clusters == 0)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "cannot recover: nothing was recorded yet");
  head.duration_ms = index.end_ms;
  done = rec_output_truncate (output, offset, error) &&
         rec_matroska_index_complete (&index, output, &head, lost->video != 0 ? lost->video : 1,
             error);
  rec_matroska_index_clear (&index);
  return done;
}

static void
take_facts (const Lost *lost, RecMuxerFacts *facts)
{
  const char *name = lost->by_number[1].name;
  const size_t size = lost->by_number[1].name_size;

  *facts = (RecMuxerFacts){ rec_matroska_get_ending (lost->is_matroska),
    rec_matroska_get_media_type (lost->is_matroska, lost->video != 0), { 0 } };
  if (name != NULL && size <= REC_MUXER_MAX_STREAM_ID && memchr (name, '\0', size) == NULL)
    memcpy (facts->stream_id, name, size);
}

bool
rec_matroska_look (const char *directory, const char *file, RecMuxerFacts *facts)
{
  const int folder = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int fd = folder < 0 ? -1 : openat (folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  Lost *lost = calloc (1, sizeof *lost);
  bool found = false;

  if (lost != NULL && fd >= 0 && pread (fd, lost->head, sizeof lost->head, 0) == sizeof lost->head)
    found = parse_head (lost, NULL);
  if (found)
    take_facts (lost, facts);
  free (lost);
  if (fd >= 0)
    close (fd);
  if (folder >= 0)
    close (folder);
  return found;
}

bool
rec_matroska_recover (RecOutput *output, const RecHost *host, RecError *error)
{
  Lost *lost = calloc (1, sizeof *lost);
  bool done;

  if (lost == NULL)
    return rec_fail (error, REC_FAIL_OTHER, "out of memory");
  done = read_head (lost, output, error) && (lost->file_size == rec_output_get_size (output) ||
                                                recover_clusters (lost, output, host, error));
  free (lost);
  return done;
}
