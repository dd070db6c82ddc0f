/* mp4-recover.c - turns what a fragmented file holds into an ordinary MP4 file. */
#include "mp4-recover.h"

#include "mp4-boxes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No moof of ours comes near: see MAX_PENDING_SAMPLES. */
#define MAX_MOOF_SIZE (1u << 20)
#define MAX_HEAD_SIZE (64u << 10)

/* A stretch of memory that is being parsed. */
typedef struct Span {
  const uint8_t *data;
  size_t size;
} Span;

/* A box in the file. */
typedef struct Box {
  uint64_t offset, size;
  uint32_t header_size;
  char type[5];
} Box;

static bool
switch_over (RecOutput *output, uint64_t index_offset, RecError *error)
{
  uint8_t header[REC_MP4_GAP_SIZE];

  rec_mp4_make_mdat_header (header, index_offset);
  return rec_output_sync (output, error) &&
         rec_output_overwrite (output, REC_MP4_GAP_OFFSET, header, sizeof header, error);
}

bool
rec_mp4_write_index (RecOutput *output, const RecMp4Track *tracks, uint32_t n_tracks,
    RecError *error)
{
  const uint64_t offset = rec_output_get_size (output);
  RecBytes index = { 0 };
  struct iovec part;
  bool written;

  rec_mp4_put_index (&index, tracks, n_tracks);
  part = (struct iovec){ index.data, index.size };
  written = !index.failed && rec_output_append (output, &part, 1, error);
  if (!index.failed && !written) {
    rec_output_release_reserve (output);
    written = rec_output_append (output, &part, 1, error);
  }
  if (index.failed)
    rec_fail (error, REC_FAIL_OTHER, "out of memory for the file's index");
  rec_bytes_clear (&index);
  if (!written)
    return false;

  /* From here on a crash leaves a complete index behind the fragments: recover goes on from it. */
  if (switch_over (output, offset, error))
    return true;
  rec_output_truncate (output, offset, NULL);
  return false;
}

/* --- parsing ------------------------------------------------------------------------------------ */

/* The next box inside a span: its content; moves the span behind it. */
static bool
take_box (Span *span, char type[5], Span *content)
{
  uint32_t size;

  if (span->size < 8)
    return false;
  size = rec_bytes_read_u32 (span->data);
  if (size < 8 || size > span->size)
    return false;
  memcpy (type, span->data + 4, 4);
  type[4] = '\0';
  *content = (Span){ span->data + 8, size - 8 };
  *span = (Span){ span->data + size, span->size - size };
  return true;
}

/* The first child of that type. */
static bool
find_child (Span parent, const char *wanted, Span *content)
{
  char type[5];

  while (take_box (&parent, type, content)) {
    if (strcmp (type, wanted) == 0)
      return true;
  }
  return false;
}

/* A box header in the file; false at the end and where the box reaches beyond it. */
static bool
read_box (RecOutput *output, uint64_t offset, Box *box)
{
  const uint64_t file_size = rec_output_get_size (output);
  uint8_t header[16];

  if (offset + 8 > file_size || !rec_output_read (output, offset, header, 8, NULL))
    return false;
  *box = (Box){ .offset = offset, .size = rec_bytes_read_u32 (header), .header_size = 8 };
  memcpy (box->type, header + 4, 4);
  if (box->size == 1) {
    if (offset + 16 > file_size || !rec_output_read (output, offset, header, 16, NULL))
      return false;
    box->size = rec_bytes_read_u64 (header + 8);
    box->header_size = 16;
  }
  return box->size >= box->header_size && box->size <= file_size - offset;
}

/* The whole box in memory, to be freed; NULL if it is larger than it may be. */
static uint8_t *
load_box (RecOutput *output, const Box *box, size_t max_size, Span *content)
{
  uint8_t *data;

  if (box->size > max_size)
    return NULL;
  data = malloc (box->size);
  if (data != NULL && !rec_output_read (output, box->offset, data, box->size, NULL)) {
    free (data);
    return NULL;
  }
  if (data != NULL)
    *content = (Span){ data + box->header_size, box->size - box->header_size };
  return data;
}

/* --- the head ----------------------------------------------------------------------------------- */

static void
parse_name (Span hdlr, RecMp4Track *track)
{
  const char *name = (const char *) hdlr.data + 24;
  const size_t size = hdlr.size > 24 ? strnlen (name, hdlr.size - 24) : 0;
  const char *standard = track->media == REC_MEDIA_VIDEO ? REC_MP4_VIDEO : REC_MP4_SOUND;

  if (size <= REC_MUXER_MAX_STREAM_ID &&
      (size != strlen (standard) || memcmp (name, standard, size) != 0))
    memcpy (track->name, name, size);
}

static bool
parse_trak (Span trak, RecMp4Track *track)
{
  Span tkhd, mdia, mdhd, hdlr, box, elst;

  *track = (RecMp4Track){ .end = -1 };
  if (!find_child (trak, "tkhd", &tkhd) || tkhd.size < 96 || !find_child (trak, "mdia", &mdia) ||
      !find_child (mdia, "mdhd", &mdhd) || mdhd.size < 24 || !find_child (mdia, "hdlr", &hdlr) ||
      hdlr.size < 12 || !find_child (mdia, "minf", &box) || !find_child (box, "stbl", &box) ||
      !find_child (box, "stsd", &box))
    return false;

  track->id = rec_bytes_read_u32 (tkhd.data + 20);
  track->width = (int32_t) (rec_bytes_read_u32 (tkhd.data + 88) >> 16);
  track->height = (int32_t) (rec_bytes_read_u32 (tkhd.data + 92) >> 16);
  track->scale = rec_bytes_read_u32 (mdhd.data + 20);
  track->media = memcmp (hdlr.data + 8, "vide", 4) == 0 ? REC_MEDIA_VIDEO : REC_MEDIA_AUDIO;
  parse_name (hdlr, track);
  rec_bytes_put (&track->stsd, box.data - 8, box.size + 8);
  if (find_child (trak, "edts", &box) && find_child (box, "elst", &elst) && elst.size >= 28)
    track->edit_start = (int64_t) rec_bytes_read_u64 (elst.data + 16);
  return track->scale > 0 && track->edit_start >= 0 && !track->stsd.failed;
}

/* `tracks` are to be cleared also after a failure. */
static bool
parse_head (Span moov, RecMp4Track tracks[REC_MP4_MAX_TRACKS], uint32_t *n_tracks)
{
  Span trak;
  char type[5];

  while (take_box (&moov, type, &trak)) {
    if (strcmp (type, "trak") != 0)
      continue;
    if (*n_tracks >= REC_MP4_MAX_TRACKS || !parse_trak (trak, &tracks[*n_tracks]))
      return false;
    (*n_tracks)++;
  }
  return *n_tracks > 0;
}

static bool
read_head (RecOutput *output, const Box *moov, RecMp4Track *tracks, uint32_t *n_tracks)
{
  Span content = { 0 };
  uint8_t *data = load_box (output, moov, MAX_HEAD_SIZE, &content);
  const bool good = data != NULL && parse_head (content, tracks, n_tracks);

  free (data);
  return good;
}

const char *
rec_mp4_get_media_type (const RecMp4Track *tracks, uint32_t n_tracks)
{
  for (uint32_t i = 0; i < n_tracks; i++) {
    if (tracks[i].media == REC_MEDIA_VIDEO && tracks[i].stsd.size > 0)
      return "video/mp4";
  }
  return "audio/mp4";
}

/* The head stays where it was when the file is complete, inside the data. */
static bool
look_at_head (const uint8_t head[REC_MP4_STREAM_HEAD_SIZE], RecMuxerFacts *facts)
{
  const size_t begin = REC_MP4_GAP_OFFSET + REC_MP4_GAP_SIZE;
  RecMp4Track tracks[REC_MP4_MAX_TRACKS] = { 0 };
  Span span = { head + begin, REC_MP4_STREAM_HEAD_SIZE - begin }, moov;
  uint32_t n_tracks = 0;
  char type[5];
  const bool good = memcmp (head + 4, "ftyp", 4) == 0 && take_box (&span, type, &moov) &&
                    strcmp (type, "moov") == 0 && parse_head (moov, tracks, &n_tracks);

  if (good) {
    *facts = (RecMuxerFacts){ "mp4", rec_mp4_get_media_type (tracks, n_tracks), { 0 } };
    memcpy (facts->stream_id, tracks[0].name, sizeof facts->stream_id);
  }
  for (uint32_t i = 0; i < REC_MP4_MAX_TRACKS; i++)
    rec_mp4_track_clear (&tracks[i]);
  return good;
}

bool
rec_mp4_look (const char *directory, const char *file, RecMuxerFacts *facts)
{
  const int folder = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int fd = folder < 0 ? -1 : openat (folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  uint8_t head[REC_MP4_STREAM_HEAD_SIZE];
  const bool found = fd >= 0 && pread (fd, head, sizeof head, 0) == (ssize_t) sizeof head &&
                     look_at_head (head, facts);

  if (fd >= 0)
    close (fd);
  if (folder >= 0)
    close (folder);
  return found;
}

/* --- fragments ---------------------------------------------------------------------------------- */

/* What one traf says, its samples all within the mdat. */
typedef struct Traf {
  RecMp4Track *track;
  RecMp4Sample *samples;
  uint32_t n_samples;
  uint64_t offset;
} Traf;

/* Fills in the samples; returns the bytes they take. */
static uint64_t
parse_samples (const Traf *traf, const uint8_t *entry, uint32_t entry_size, int64_t dts)
{
  uint64_t data_size = 0;

  for (uint32_t i = 0; i < traf->n_samples; i++, entry += entry_size) {
    RecMp4Sample *sample = &traf->samples[i];

    sample->dts = dts;
    sample->duration = rec_bytes_read_u32 (entry);
    sample->size = rec_bytes_read_u32 (entry + 4);
    if (traf->track->media == REC_MEDIA_VIDEO) {
      sample->is_key = (rec_bytes_read_u32 (entry + 8) & REC_MP4_FLAG_NO_SYNC) == 0;
      sample->cts = (int32_t) rec_bytes_read_u32 (entry + 12);
    }
    dts += sample->duration;
    data_size += sample->size;
  }
  return data_size;
}

/* Understands what rec_mp4_put_fragment writes, and nothing else. */
static bool
parse_traf (Span content, RecMp4Track *tracks, uint32_t n_tracks, const Box *moof, const Box *mdat,
    Traf *traf)
{
  Span tfhd, tfdt, trun;
  uint32_t entry_size;
  int64_t dts;

  if (!find_child (content, "tfhd", &tfhd) || tfhd.size < 8 ||
      !find_child (content, "tfdt", &tfdt) || tfdt.size < 12 ||
      !find_child (content, "trun", &trun) || trun.size < 12)
    return false;
  for (uint32_t i = 0; i < n_tracks; i++) {
    if (tracks[i].id == rec_bytes_read_u32 (tfhd.data + 4))
      traf->track = &tracks[i];
  }
  dts = (int64_t) rec_bytes_read_u64 (tfdt.data + 4);
  if (traf->track == NULL || dts < 0 ||
      (traf->track->index.n_samples > 0 && dts < traf->track->index.last_dts))
    return false;

  traf->n_samples = rec_bytes_read_u32 (trun.data + 4);
  traf->offset = moof->offset + rec_bytes_read_u32 (trun.data + 8);
  entry_size = traf->track->media == REC_MEDIA_VIDEO ? 16 : 8;
  if (traf->n_samples == 0 || traf->n_samples != (trun.size - 12) / entry_size)
    return false;
  traf->samples = calloc (traf->n_samples, sizeof *traf->samples);
  return traf->samples != NULL && traf->offset >= mdat->offset + mdat->header_size &&
         traf->offset + parse_samples (traf, trun.data + 12, entry_size, dts) <=
             mdat->offset + mdat->size;
}

/* All of the fragment goes into the index, or nothing. */
static bool
read_fragment (RecOutput *output, RecMp4Track *tracks, uint32_t n_tracks, const Box *moof,
    const Box *mdat)
{
  Span content = { 0 }, child;
  uint8_t *data = load_box (output, moof, MAX_MOOF_SIZE, &content);
  Traf trafs[REC_MP4_MAX_TRACKS] = { 0 };
  uint32_t n_trafs = 0;
  bool good = data != NULL;
  char type[5];

  while (good && take_box (&content, type, &child)) {
    if (strcmp (type, "traf") == 0)
      good = n_trafs < REC_MP4_MAX_TRACKS &&
             parse_traf (child, tracks, n_tracks, moof, mdat, &trafs[n_trafs++]);
  }
  for (uint32_t i = 0; i < REC_MP4_MAX_TRACKS; i++) {
    if (good && trafs[i].track != NULL)
      rec_mp4_track_add_chunk (trafs[i].track, trafs[i].offset, trafs[i].samples,
          trafs[i].n_samples);
    free (trafs[i].samples);
  }
  free (data);
  return good;
}

/* Indexes every complete fragment; returns where the last one ends. */
static uint64_t
read_fragments (RecOutput *output, uint64_t offset, RecMp4Track *tracks, uint32_t n_tracks,
    const RecHost *host)
{
  uint32_t n_fragments = 0;
  Box moof, mdat;

  while (read_box (output, offset, &moof) && strcmp (moof.type, "moof") == 0 &&
         read_box (output, offset + moof.size, &mdat) && strcmp (mdat.type, "mdat") == 0 &&
         read_fragment (output, tracks, n_tracks, &moof, &mdat)) {
    offset = mdat.offset + mdat.size;
    if (++n_fragments % 16 == 0)
      host->progress (host, 0);
  }
  return offset;
}

/* --- joining ------------------------------------------------------------------------------------ */

/* Whether the file has been switched over already, index and all. */
static bool
is_ordinary (RecOutput *output)
{
  Box mdat, moov;

  return read_box (output, REC_MP4_GAP_OFFSET, &mdat) && strcmp (mdat.type, "mdat") == 0 &&
         read_box (output, mdat.offset + mdat.size, &moov) && strcmp (moov.type, "moov") == 0;
}

/* After a crash between the index and the switch: the index is complete, and better than what the
 * fragments tell, for it knows when tracks ended. */
static bool
has_complete_index (RecOutput *output, uint64_t offset)
{
  Box moov;

  return read_box (output, offset, &moov) && strcmp (moov.type, "moov") == 0 &&
         moov.offset + moov.size == rec_output_get_size (output);
}

static bool
rebuild_index (RecOutput *output, const Box *head, RecMp4Track *tracks, const RecHost *host,
    RecError *error)
{
  uint32_t n_tracks = 0, n_samples = 0;
  Box room;
  bool failed = false;
  uint64_t end;

  if (!read_head (output, head, tracks, &n_tracks))
    return rec_fail (error, REC_FAIL_INVALID, "cannot recover: the head of the file is damaged");
  end = head->offset + head->size;
  if (read_box (output, end, &room) && strcmp (room.type, "free") == 0)
    end += room.size;
  end = read_fragments (output, end, tracks, n_tracks, host);
  for (uint32_t i = 0; i < n_tracks; i++) {
    rec_mp4_track_close_index (&tracks[i]);
    n_samples += tracks[i].index.n_samples;
    failed |= rec_mp4_track_has_failed (&tracks[i]);
  }
  if (failed)
    return rec_fail (error, REC_FAIL_OTHER, "out of memory for the file's index");
  if (n_samples == 0)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "cannot recover: nothing was recorded yet");
  if (has_complete_index (output, end))
    return switch_over (output, end, error);
  return rec_output_truncate (output, end, error) &&
         rec_mp4_write_index (output, tracks, n_tracks, error);
}

bool
rec_mp4_recover (RecOutput *output, const RecHost *host, RecError *error)
{
  RecMp4Track tracks[REC_MP4_MAX_TRACKS] = { 0 };
  Box moov;
  bool good;

  if (is_ordinary (output))
    return true;
  if (!read_box (output, REC_MP4_GAP_OFFSET + REC_MP4_GAP_SIZE, &moov) ||
      strcmp (moov.type, "moov") != 0)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "cannot recover: nothing was recorded yet");

  good = rebuild_index (output, &moov, tracks, host, error);
  for (uint32_t i = 0; i < REC_MP4_MAX_TRACKS; i++)
    rec_mp4_track_clear (&tracks[i]);
  return good;
}
