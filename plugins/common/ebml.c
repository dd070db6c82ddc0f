/* ebml.c - elements of a WebM file: head, clusters, cues. */
#include "ebml.h"

#include <string.h>

#define UNKNOWN_SIZE UINT64_C (0x00ffffffffffffff)
#define SEGMENT_OFFSET 48u    /* of the segment's content */
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
  ID_AUDIO = 0xe1,
  ID_CUES = 0x1c53bb6b,
  ID_CUE_POINT = 0xbb,
  ID_CUE_TRACK_POSITIONS = 0xb7,
  ID_CLUSTER = 0x1f43b675,
  ID_TIMECODE = 0xe7,
  ID_SIMPLE_BLOCK = 0xa3,
  ID_VOID = 0xec,
};

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

/* A gap of that many bytes altogether. */
static void
put_void (RecBytes *bytes, size_t size)
{
  put_id (bytes, ID_VOID);
  put_small_size (bytes, size - 2);
  rec_bytes_put_zeros (bytes, size - 2);
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

/* --- head --------------------------------------------------------------------------------------- */

static void
put_ebml_header (RecBytes *bytes)
{
  put_id (bytes, ID_EBML);
  put_small_size (bytes, 31);
  put_uint (bytes, 0x4286, 1, 1);   /* EBMLVersion */
  put_uint (bytes, 0x42f7, 1, 1);   /* EBMLReadVersion */
  put_uint (bytes, 0x42f2, 4, 1);   /* EBMLMaxIDLength */
  put_uint (bytes, 0x42f3, 8, 1);   /* EBMLMaxSizeLength */
  put_text (bytes, 0x4282, "webm"); /* DocType */
  put_uint (bytes, 0x4287, 4, 1);   /* DocTypeVersion */
  put_uint (bytes, 0x4285, 2, 1);   /* DocTypeReadVersion */
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

static void
put_tracks (RecBytes *bytes, const uint8_t *opus_head)
{
  const uint64_t pre_skip = (uint64_t) (opus_head[10] | opus_head[11] << 8);
  const size_t tracks = begin_element (bytes, ID_TRACKS);
  const size_t entry = begin_element (bytes, ID_TRACK_ENTRY);
  size_t audio;

  put_uint (bytes, 0xd7, 1, 1);                               /* TrackNumber */
  put_uint (bytes, 0x73c5, 1, 1);                             /* TrackUID */
  put_uint (bytes, 0x83, 2, 1);                               /* TrackType: audio */
  put_text (bytes, 0x86, "A_OPUS");                           /* CodecID */
  put_uint (bytes, 0x56aa, pre_skip * 1000000000 / 48000, 4); /* CodecDelay */
  put_uint (bytes, 0x56bb, 80000000, 4);                      /* SeekPreRoll */
  audio = begin_element (bytes, ID_AUDIO);
  put_double (bytes, 0xb5, 48000);         /* SamplingFrequency */
  put_uint (bytes, 0x9f, opus_head[9], 1); /* Channels */
  end_element (bytes, audio);
  put_data (bytes, 0x63a2, opus_head, REC_WEBM_OPUS_HEAD_SIZE); /* CodecPrivate */
  end_element (bytes, entry);
  end_element (bytes, tracks);
}

void
rec_webm_put_head (RecBytes *bytes, const RecWebmHead *head)
{
  const bool is_complete = head->duration_ms > 0;
  const uint64_t size = is_complete ? head->file_size - SEGMENT_OFFSET : UNKNOWN_SIZE;
  RecBytes info = { 0 }, tracks = { 0 };
  size_t seek_head;

  put_ebml_header (bytes);
  put_id (bytes, ID_SEGMENT);
  rec_bytes_put_u64 (bytes, UINT64_C (1) << 56 | size);

  put_info (&info, head->duration_ms);
  put_tracks (&tracks, head->opus_head);
  if (is_complete) {
    const uint64_t info_position = 12 + N_SEEK_ENTRIES * SEEK_ENTRY_SIZE;

    seek_head = begin_element (bytes, ID_SEEK_HEAD);
    put_seek (bytes, ID_INFO, info_position);
    put_seek (bytes, ID_TRACKS, info_position + info.size);
    put_seek (bytes, ID_CUES, head->cues_offset - SEGMENT_OFFSET);
    end_element (bytes, seek_head);
  } else {
    put_void (bytes, 12 + N_SEEK_ENTRIES * SEEK_ENTRY_SIZE);
  }
  rec_bytes_put (bytes, info.data, info.size);
  rec_bytes_put (bytes, tracks.data, tracks.size);
  bytes->failed |= info.failed || tracks.failed;
  rec_bytes_clear (&info);
  rec_bytes_clear (&tracks);
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
rec_webm_put_block (RecBytes *bytes, int16_t time_ms, const void *data, uint32_t size)
{
  const size_t block = begin_element (bytes, ID_SIMPLE_BLOCK);

  rec_bytes_put_u8 (bytes, 0x81); /* track 1 */
  rec_bytes_put_u16 (bytes, (uint16_t) time_ms);
  rec_bytes_put_u8 (bytes, 0x80); /* decoding can start here */
  rec_bytes_put (bytes, data, size);
  end_element (bytes, block);
}

void
rec_webm_end_cluster (RecBytes *bytes, size_t begin)
{
  end_element (bytes, begin);
}

void
rec_webm_put_cues (RecBytes *bytes, const RecBytes *points)
{
  const size_t cues = begin_element (bytes, ID_CUES);

  for (size_t i = 0; i + 16 <= points->size; i += 16) {
    put_id (bytes, ID_CUE_POINT);
    put_small_size (bytes, 25);
    put_uint (bytes, 0xb3, rec_bytes_read_u64 (points->data + i), 8); /* CueTime */
    put_id (bytes, ID_CUE_TRACK_POSITIONS);
    put_small_size (bytes, 13);
    put_uint (bytes, 0xf7, 1, 1); /* CueTrack */
    put_uint (bytes, 0xf1, rec_bytes_read_u64 (points->data + i + 8) - SEGMENT_OFFSET, 8);
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
  block->time_ms = (int16_t) rec_bytes_read_u16 (*data + 10);
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

bool
rec_webm_parse_head (const uint8_t head[REC_WEBM_HEAD_SIZE], uint8_t *opus_head,
    uint64_t *file_size)
{
  const uint64_t size = rec_bytes_read_u64 (head + SEGMENT_OFFSET - 8) & UNKNOWN_SIZE;

  memcpy (opus_head, head + REC_WEBM_HEAD_SIZE - REC_WEBM_OPUS_HEAD_SIZE, REC_WEBM_OPUS_HEAD_SIZE);
  *file_size = size == UNKNOWN_SIZE ? 0 : SEGMENT_OFFSET + size;
  return rec_bytes_read_u32 (head) == ID_EBML &&
         rec_bytes_read_u32 (head + SEGMENT_OFFSET - 12) == ID_SEGMENT &&
         memcmp (opus_head, "OpusHead", 8) == 0;
}
