/* ebml.c - elements of a WebM or Matroska file: head, clusters, cues. */
#include "ebml.h"

#include <recto/sink.h>
#include <string.h>

#define UNKNOWN_SIZE UINT64_C (0x00ffffffffffffff)
#define SEEK_HEAD_SIZE (12u + N_SEEK_ENTRIES * SEEK_ENTRY_SIZE)
#define INFO_SIZE 46u
#define BLOCK_HEADER_SIZE 13u /* id, size, track, time, flags */
#define SEEK_ENTRY_SIZE 21u
#define N_SEEK_ENTRIES 3u

enum {
  ID_EBML = 0x1a45dfa3,
  ID_SEGMENT = 0x18538067,
  ID_SEEK_HEAD = 0x114d9b74,
  ID_SEEK = 0x4dbb,
  ID_INFO = 0x1549a966,
  ID_DURATION = 0x4489,
  ID_TRACKS = 0x1654ae6b,
  ID_TRACK_ENTRY = 0xae,
  ID_TRACK_NUMBER = 0xd7,
  ID_TRACK_TYPE = 0x83,
  ID_NAME = 0x536e,
  ID_CODEC_DELAY = 0x56aa,
  ID_VIDEO = 0xe0,
  ID_AUDIO = 0xe1,
  ID_CUES = 0x1c53bb6b,
  ID_CUE_POINT = 0xbb,
  ID_CUE_TRACK_POSITIONS = 0xb7,
  ID_CLUSTER = 0x1f43b675,
  ID_TIMECODE = 0xe7,
  ID_SIMPLE_BLOCK = 0xa3,
  ID_VOID = 0xec,
};

/* Where the segment's content begins. */
static size_t
get_segment_offset (bool is_matroska)
{
  return is_matroska ? 52 : 48;
}

static void
put_number (RecBytes *bytes, uint64_t value, unsigned n_bytes)
{
  while (n_bytes-- > 0)
    rec_bytes_put_u8 (bytes, (uint8_t) (value >> (8 * n_bytes)));
}

static void
put_id (RecBytes *bytes, uint32_t id)
{
  put_number (bytes, id, id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
}

/* Sizes below 127 fit into one byte, which has its highest bit set. */
static void
put_small_size (RecBytes *bytes, size_t size)
{
  rec_bytes_put_u8 (bytes, (uint8_t) (0x80 | size));
}

static void
put_uint (RecBytes *bytes, uint32_t id, uint64_t value, unsigned n_bytes)
{
  put_id (bytes, id);
  put_small_size (bytes, n_bytes);
  put_number (bytes, value, n_bytes);
}

static void
put_double (RecBytes *bytes, uint32_t id, double value)
{
  uint64_t bits;

  memcpy (&bits, &value, sizeof bits);
  put_uint (bytes, id, bits, 8);
}

static void
put_data (RecBytes *bytes, uint32_t id, const void *data, size_t size)
{
  put_id (bytes, id);
  put_small_size (bytes, size);
  rec_bytes_put (bytes, data, size);
}

static void
put_text (RecBytes *bytes, uint32_t id, const char *text)
{
  put_data (bytes, id, text, strlen (text));
}

/* A gap of that many bytes altogether, at least 9. */
static void
put_void (RecBytes *bytes, size_t size)
{
  put_id (bytes, ID_VOID);
  rec_bytes_put_u64 (bytes, UINT64_C (1) << 56 | (size - 9));
  rec_bytes_put_zeros (bytes, size - 9);
}

static size_t
begin_element (RecBytes *bytes, uint32_t id)
{
  put_id (bytes, id);
  rec_bytes_put_u64 (bytes, 0);
  return bytes->size;
}

static void
end_element (RecBytes *bytes, size_t content)
{
  rec_bytes_set_u64 (bytes, content - 8, UINT64_C (1) << 56 | (bytes->size - content));
}

/* --- tracks ------------------------------------------------------------------------------------- */

void
rec_webm_put_track (RecBytes *tracks, const RecWebmTrack *track)
{
  const bool is_video = track->media == REC_MEDIA_VIDEO;
  const size_t entry = begin_element (tracks, ID_TRACK_ENTRY);
  size_t part;

  put_uint (tracks, ID_TRACK_NUMBER, track->number, 1);
  put_uint (tracks, 0x73c5, track->number, 1); /* TrackUID */
  put_uint (tracks, ID_TRACK_TYPE, is_video ? 1 : 2, 1);
  put_uint (tracks, 0x9c, 0, 1); /* FlagLacing */
  if (track->name != NULL) {
    part = begin_element (tracks, ID_NAME);
    rec_bytes_put_text (tracks, track->name);
    end_element (tracks, part);
  }
  put_text (tracks, 0x86, track->codec); /* CodecID */
  if (is_video) {
    part = begin_element (tracks, ID_VIDEO);
    put_uint (tracks, 0xb0, track->width, 4);  /* PixelWidth */
    put_uint (tracks, 0xba, track->height, 4); /* PixelHeight */
  } else {
    put_uint (tracks, ID_CODEC_DELAY, track->delay_ns, 4);
    put_uint (tracks, 0x56bb, 80000000, 4); /* SeekPreRoll */
    part = begin_element (tracks, ID_AUDIO);
    put_double (tracks, 0xb5, 48000);            /* SamplingFrequency */
    put_uint (tracks, 0x9f, track->channels, 1); /* Channels */
  }
  end_element (tracks, part);
  if (track->private_size > 0) {
    part = begin_element (tracks, 0x63a2); /* CodecPrivate */
    rec_bytes_put (tracks, track->private_data, track->private_size);
    end_element (tracks, part);
  }
  end_element (tracks, entry);
}

/* An element with a size of 1 or 8 bytes; the id has as many bytes as its first one says. */
static bool
take_element (const uint8_t **data, size_t *left, uint32_t *id, const uint8_t **content,
    size_t *size)
{
  const size_t id_size = *left == 0 || **data < 0x10 ? 0
                         : **data >= 0x80            ? 1
                         : **data >= 0x40            ? 2
                         : **data >= 0x20            ? 3
                                                     : 4;
  size_t header;
  uint64_t length;

  if (id_size == 0 || *left < id_size + 1)
    return false;
  *id = 0;
  for (size_t i = 0; i < id_size; i++)
    *id = *id << 8 | (*data)[i];
  header = id_size + ((*data)[id_size] & 0x80 ? 1 : 8);
  if (*left < header)
    return false;
  length = header == id_size + 1 ? (*data)[id_size] & 0x7fu
                                 : rec_bytes_read_u64 (*data + id_size) & UNKNOWN_SIZE;
  if (length > *left - header)
    return false;
  *content = *data + header;
  *size = (size_t) length;
  *data += header + length;
  *left -= header + (size_t) length;
  return true;
}

bool
rec_webm_take_track (const uint8_t **data, size_t *left, RecWebmTrack *track)
{
  const uint8_t *entry, *content;
  size_t entry_size, size;
  uint32_t id;

  *track = (RecWebmTrack){ 0 };
  if (!take_element (data, left, &id, &entry, &entry_size) || id != ID_TRACK_ENTRY)
    return false;
  while (take_element (&entry, &entry_size, &id, &content, &size)) {
    if (id == ID_TRACK_NUMBER && size == 1)
      track->number = *content;
    else if (id == ID_TRACK_TYPE && size == 1)
      track->media = *content == 1 ? REC_MEDIA_VIDEO : REC_MEDIA_AUDIO;
    else if (id == ID_NAME && size <= REC_WEBM_MAX_NAME) {
      track->name = (const char *) content;
      track->name_size = size;
    } else if (id == ID_CODEC_DELAY && size == 4)
      track->delay_ns = rec_bytes_read_u32 (content);
  }
  return entry_size == 0 && track->number > 0 && track->media != 0;
}

/* --- head --------------------------------------------------------------------------------------- */

static void
put_ebml_header (RecBytes *bytes, bool is_matroska)
{
  const char *type = is_matroska ? "matroska" : "webm";

  put_id (bytes, ID_EBML);
  put_small_size (bytes, 27 + strlen (type));
  put_uint (bytes, 0x4286, 1, 1); /* EBMLVersion */
  put_uint (bytes, 0x42f7, 1, 1); /* EBMLReadVersion */
  put_uint (bytes, 0x42f2, 4, 1); /* EBMLMaxIDLength */
  put_uint (bytes, 0x42f3, 8, 1); /* EBMLMaxSizeLength */
  put_text (bytes, 0x4282, type); /* DocType */
  put_uint (bytes, 0x4287, 4, 1); /* DocTypeVersion */
  put_uint (bytes, 0x4285, 2, 1); /* DocTypeReadVersion */
}

static void
put_seek (RecBytes *bytes, uint32_t id, uint64_t position)
{
  put_id (bytes, ID_SEEK);
  put_small_size (bytes, SEEK_ENTRY_SIZE - 3);
  put_uint (bytes, 0x53ab, id, 4);       /* SeekID */
  put_uint (bytes, 0x53ac, position, 8); /* SeekPosition, from the segment's content on */
}

static void
put_seek_head (RecBytes *bytes, uint64_t cues_position)
{
  const size_t seek_head = begin_element (bytes, ID_SEEK_HEAD);

  put_seek (bytes, ID_INFO, SEEK_HEAD_SIZE);
  put_seek (bytes, ID_TRACKS, SEEK_HEAD_SIZE + INFO_SIZE);
  put_seek (bytes, ID_CUES, cues_position);
  end_element (bytes, seek_head);
}

static void
put_info (RecBytes *bytes, double duration_ms)
{
  const size_t info = begin_element (bytes, ID_INFO);

  put_uint (bytes, 0x2ad7b1, 1000000, 3); /* TimecodeScale: milliseconds */
  put_text (bytes, 0x4d80, "Recto");      /* MuxingApp */
  put_text (bytes, 0x5741, "Recto");      /* WritingApp */
  if (duration_ms > 0)
    put_double (bytes, ID_DURATION, duration_ms);
  else
    put_void (bytes, 11);
  end_element (bytes, info);
}

bool
rec_webm_put_head (RecBytes *bytes, const RecWebmHead *head)
{
  const size_t begin = bytes->size;
  const size_t offset = get_segment_offset (head->is_matroska);
  const bool is_complete = head->duration_ms > 0;
  const uint64_t size = is_complete ? head->file_size - offset : UNKNOWN_SIZE;
  size_t tracks;

  if (offset + SEEK_HEAD_SIZE + INFO_SIZE + 12 + head->tracks->size + 9 > REC_WEBM_HEAD_SIZE)
    return false;
  put_ebml_header (bytes, head->is_matroska);
  put_id (bytes, ID_SEGMENT);
  rec_bytes_put_u64 (bytes, UINT64_C (1) << 56 | size);
  if (is_complete)
    put_seek_head (bytes, head->cues_offset - offset);
  else
    put_void (bytes, SEEK_HEAD_SIZE);
  put_info (bytes, head->duration_ms);
  tracks = begin_element (bytes, ID_TRACKS);
  rec_bytes_put (bytes, head->tracks->data, head->tracks->size);
  end_element (bytes, tracks);
  put_void (bytes, REC_WEBM_HEAD_SIZE - (bytes->size - begin));
  return true;
}

bool
rec_webm_parse_head (const uint8_t head[REC_WEBM_HEAD_SIZE], bool *is_matroska,
    const uint8_t **tracks, size_t *tracks_size, uint64_t *file_size)
{
  const bool is_long = head[4] == (0x80 | 35); /* of the EBML header */
  const size_t segment = get_segment_offset (is_long);
  const uint64_t size = rec_bytes_read_u64 (head + segment - 8) & UNKNOWN_SIZE;
  const size_t offset = segment + SEEK_HEAD_SIZE + INFO_SIZE;
  const uint8_t *data = head + offset;
  size_t left = REC_WEBM_HEAD_SIZE - offset;
  uint32_t id;

  *file_size = size == UNKNOWN_SIZE ? 0 : segment + size;
  *is_matroska = is_long;
  return rec_bytes_read_u32 (head) == ID_EBML &&
         rec_bytes_read_u32 (head + segment - 12) == ID_SEGMENT &&
         take_element (&data, &left, &id, tracks, tracks_size) && id == ID_TRACKS;
}

/* --- clusters and cues --------------------------------------------------------------------------- */

size_t
rec_webm_begin_cluster (RecBytes *bytes, uint64_t time_ms)
{
  const size_t cluster = begin_element (bytes, ID_CLUSTER);

  put_uint (bytes, ID_TIMECODE, time_ms, 8);
  return cluster;
}

void
rec_webm_put_block (RecBytes *bytes, const RecWebmBlock *block)
{
  const size_t begin = begin_element (bytes, ID_SIMPLE_BLOCK);

  rec_bytes_put_u8 (bytes, (uint8_t) (0x80 | block->track));
  rec_bytes_put_u16 (bytes, (uint16_t) block->time_ms);
  rec_bytes_put_u8 (bytes, block->is_key ? 0x80 : 0);
  rec_bytes_put (bytes, block->data, block->size);
  end_element (bytes, begin);
}

void
rec_webm_end_cluster (RecBytes *bytes, size_t begin)
{
  end_element (bytes, begin);
}

void
rec_webm_put_cues (RecBytes *bytes, const RecBytes *points, uint32_t track, bool is_matroska)
{
  const size_t segment = get_segment_offset (is_matroska);
  const size_t cues = begin_element (bytes, ID_CUES);

  for (size_t i = 0; i + 16 <= points->size; i += 16) {
    put_id (bytes, ID_CUE_POINT);
    put_small_size (bytes, 25);
    put_uint (bytes, 0xb3, rec_bytes_read_u64 (points->data + i), 8); /* CueTime */
    put_id (bytes, ID_CUE_TRACK_POSITIONS);
    put_small_size (bytes, 13);
    put_uint (bytes, 0xf7, track, 1); /* CueTrack */
    put_uint (bytes, 0xf1, rec_bytes_read_u64 (points->data + i + 8) - segment, 8);
  }
  end_element (bytes, cues);
}

bool
rec_webm_take_block (const uint8_t **data, size_t *left, RecWebmBlock *block)
{
  uint64_t size;

  if (*left < BLOCK_HEADER_SIZE || **data != ID_SIMPLE_BLOCK)
    return false;
  size = rec_bytes_read_u64 (*data + 1) & UNKNOWN_SIZE;
  if (size < BLOCK_HEADER_SIZE - 9 || size > *left - 9)
    return false;
  block->track = (*data)[9] & 0x7fu;
  block->time_ms = (int16_t) rec_bytes_read_u16 (*data + 10);
  block->is_key = (*data)[12] & 0x80;
  block->data = *data + BLOCK_HEADER_SIZE;
  block->size = (size_t) size - (BLOCK_HEADER_SIZE - 9);
  *data += 9 + size;
  *left -= 9 + (size_t) size;
  return true;
}

bool
rec_webm_parse_cluster_header (const uint8_t header[REC_WEBM_CLUSTER_HEADER_SIZE], uint64_t *size,
    uint64_t *time_ms)
{
  if (rec_bytes_read_u32 (header) != ID_CLUSTER || header[4] != 1 || header[12] != ID_TIMECODE)
    return false;
  *size = 12 + (rec_bytes_read_u64 (header + 4) & UNKNOWN_SIZE);
  *time_ms = rec_bytes_read_u64 (header + 14);
  return *size >= REC_WEBM_CLUSTER_HEADER_SIZE;
}
