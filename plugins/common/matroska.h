/* matroska.h - packets in, a WebM or Matroska file out that is complete up to its last cluster at any
 * time.
 *
 * A file holds at most one picture (VP8, H.264) and one sound (Opus). Tracks may come at any time: the
 * head of the file has room for them. With H.264 it is Matroska, else WebM, and may change from one
 * to the other while it is written. */
#ifndef RECTO_PLUGINS_MATROSKA_H
#define RECTO_PLUGINS_MATROSKA_H

#include "muxer.h"

#define REC_MATROSKA_MAX_STREAM_ID 200u

typedef struct RecMatroska RecMatroska;

/* stream_id: the first packet's time is the file's 0, and the tracks bear this name; NULL: file time
 * is the recording's. */
RecMatroska *rec_matroska_new (RecOutput *output, const RecHost *host, const RecMuxerLimits *limits,
    const char *stream_id, RecError *error);
void rec_matroska_free (RecMatroska *matroska);

/* UNSUPPORTED for a second track of a medium, and for what the file cannot hold. */
bool rec_matroska_add_track (RecMatroska *matroska, const RecTrack *track, RecError *error);
bool rec_matroska_write (RecMatroska *matroska, const RecPacket *packet, RecError *error);
bool rec_matroska_end_track (RecMatroska *matroska, uint32_t track_id, int64_t end_ns,
    RecError *error);
/* As RecMuxer's. */
bool rec_matroska_finish (RecMatroska *matroska, RecError *error);

typedef enum {
  REC_MATROSKA_AUDIO_WEBM,
  REC_MATROSKA_VIDEO_WEBM,
  REC_MATROSKA_OTHER, /* not for browsers */
} RecMatroskaKind;

RecMatroskaKind rec_matroska_get_kind (const RecMatroska *matroska);
const char *rec_matroska_get_media_type (RecMatroskaKind kind);
const char *rec_matroska_get_ending (RecMatroskaKind kind);

/* What the head of a file says, while it is recorded and afterwards. */
typedef struct RecMatroskaFacts {
  RecMatroskaKind kind;
  char stream_id[REC_MATROSKA_MAX_STREAM_ID + 1]; /* "": composed */
} RecMatroskaFacts;

/* False: it is no file of ours, or not even its head is there. */
bool rec_matroska_look (const char *directory, const char *file, RecMatroskaFacts *facts);
bool rec_matroska_recover (RecOutput *output, const RecHost *host, RecMatroskaFacts *facts,
    RecError *error);

#endif
