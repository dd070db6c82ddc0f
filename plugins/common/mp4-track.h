/* mp4-track.h - one track of an MP4 file and the index of its samples, kept as the final tables.
 *
 * Three time lines, all in ticks of the track's time scale:
 *   file time      what packets carry: 0 is the start of the recording
 *   fragment time  file time + shift, never below 0: what tfdt in the fragments counts
 *   media time     fragment time - first_dts: what the final tables count
 */
#ifndef RECTO_MP4_TRACK_H
#define RECTO_MP4_TRACK_H

#include "bytes.h"
#include "muxer.h"

#include <recto/sink.h>

#define REC_MP4_MOVIE_SCALE 90000u

typedef struct RecMp4Sample {
  int64_t dts; /* fragment time */
  int32_t cts; /* presentation minus decoding time */
  uint32_t duration;
  uint32_t size;
  uint32_t is_key; /* 0 or 1 */
} RecMp4Sample;

typedef struct RecMp4Track {
  uint32_t id; /* as the recording counts and as in the file */
  uint32_t media;
  uint32_t scale;
  int32_t width, height;
  RecBytes stsd; /* the whole box: codec and its parameters; empty: not known yet */
  char name[REC_MUXER_MAX_STREAM_ID + 1]; /* the stream's; "": composed */

  /* Fragment time - edit_start is the time at which a sample is shown or heard: the shift of a track
   * that begins below file time 0 (it is shifted to 0), plus the encoder's priming of audio. */
  int64_t edit_start;
  int64_t end; /* file time at which it ended; below 0: not known */

  struct {
    RecBytes stts, ctts, stss, stsz, stsc, co64; /* entries without the boxes' heads */
    uint64_t last_offset;                        /* of the last chunk */
    uint32_t n_samples, n_chunks;
    uint32_t last_chunk_samples;
    bool has_cts, has_negative_cts;
    int64_t first_dts, last_dts, first_pts; /* fragment time; first_pts: the smallest */
    uint32_t last_duration;
  } index;
} RecMp4Track;

/* Where the track begins and what is shown of it; for the final edit list. */
typedef struct RecMp4Edit {
  uint64_t delay;      /* movie scale: nothing is shown before */
  uint64_t duration;   /* movie scale */
  int64_t media_start; /* media time of what is shown first */
} RecMp4Edit;

int64_t rec_mp4_to_ticks (int64_t time_ns, uint32_t scale);

/* Builds the sample description; fails for codecs and parameters that MP4 cannot hold here. That of
 * H.264 with start codes is not known before the first keyframe. */
bool rec_mp4_track_init (RecMp4Track *track, const RecTrack *description, RecError *error);
void rec_mp4_track_set_avcc (RecMp4Track *track, const uint8_t *record, uint32_t size);
void rec_mp4_track_clear (RecMp4Track *track);

/* One run of samples that lie behind each other in the file. */
void rec_mp4_track_add_chunk (RecMp4Track *track, uint64_t offset, const RecMp4Sample *samples,
    uint32_t n_samples);

/* Stretches or cuts the last sample so that it ends where the track ended. */
void rec_mp4_track_close_index (RecMp4Track *track);

uint64_t rec_mp4_track_get_media_duration (const RecMp4Track *track);
RecMp4Edit rec_mp4_track_get_edit (const RecMp4Track *track);

/* Bytes its final tables take, and whether memory ran out. */
uint64_t rec_mp4_track_get_index_size (const RecMp4Track *track);
bool rec_mp4_track_has_failed (const RecMp4Track *track);

#endif
