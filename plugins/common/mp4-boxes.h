/* mp4-boxes.h - the boxes of an MP4 file: head, fragments, final index. */
#ifndef RECTO_MP4_BOXES_H
#define RECTO_MP4_BOXES_H

#include "mp4-track.h"

/* Every file starts with `ftyp` and this gap of 16 bytes, a `free` box. Writing the header of an
 * `mdat` box over the gap, one that spans everything up to the final `moov`, is all it takes to
 * turn a fragmented file of any length into an ordinary one. */
#define REC_MP4_GAP_OFFSET 32u
#define REC_MP4_GAP_SIZE 16u

/* The head of a single stream's file is of constant size: it has room for further tracks. */
#define REC_MP4_STREAM_HEAD_SIZE 4096u

/* Bit in the flags of a sample that is no keyframe. */
#define REC_MP4_FLAG_NO_SYNC 0x00010000u

/* What tracks are called that are of no stream. */
#define REC_MP4_SOUND "Sound"
#define REC_MP4_VIDEO "Video"

/* One video and one audio track. */
#define REC_MP4_MAX_TRACKS 2u

/* The samples of one track in one fragment. */
typedef struct RecMp4Run {
  const RecMp4Track *track;
  const RecMp4Sample *samples;
  uint32_t n_samples;
  uint64_t data_size;
} RecMp4Run;

/* ftyp, gap and the moov that fragments refer to; filled up to `size` with a free box, unless it is 0.
 * Tracks without sample description are left out. False: it does not fit. */
bool rec_mp4_put_head (RecBytes *bytes, const RecMp4Track *tracks, uint32_t n_tracks, size_t size);

/* A moof and the header of its mdat; the runs' data follow in the same order. Runs without samples
 * are left out. */
void rec_mp4_put_fragment (RecBytes *bytes, const RecMp4Run *runs, uint32_t n_runs,
    uint32_t sequence);

/* The ordinary index; tracks without samples are left out. */
void rec_mp4_put_index (RecBytes *bytes, const RecMp4Track *tracks, uint32_t n_tracks);

/* What goes over the gap when the index begins at this offset. */
void rec_mp4_make_mdat_header (uint8_t header[REC_MP4_GAP_SIZE], uint64_t index_offset);

#endif
