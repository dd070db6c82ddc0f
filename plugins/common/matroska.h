/* matroska.h - packets in, a WebM or Matroska file out that is complete up to its last cluster at any
 * time.
 *
 * A file holds at most one picture (VP8, VP9, H.264) and one sound (Opus). Tracks may come at any time: the
 * head of the file has room for them. With H.264 it is Matroska, else WebM, and may change from one
 * to the other while it is written. */
#ifndef RECTO_PLUGINS_MATROSKA_H
#define RECTO_PLUGINS_MATROSKA_H

#include "muxer.h"

typedef struct RecMatroska RecMatroska;

RecMatroska *rec_matroska_new (RecOutput *output, const RecHost *host, const RecMuxerLimits *limits,
    RecError *error);
void rec_matroska_free (RecMatroska *matroska);

/* UNSUPPORTED for a second track of a medium, and for what the file cannot hold. */
bool rec_matroska_add_track (RecMatroska *matroska, const RecTrack *track, RecError *error);
bool rec_matroska_write (RecMatroska *matroska, const RecPacket *packet, RecError *error);
bool rec_matroska_end_track (RecMatroska *matroska, uint32_t track_id, int64_t end_ns,
    RecError *error);
/* As RecMuxer's. */
bool rec_matroska_finish (RecMatroska *matroska, RecError *error);
void rec_matroska_describe (const RecMatroska *matroska, const char **ending,
    const char **media_type);
bool rec_matroska_look (const char *directory, const char *file, RecMuxerFacts *facts);
bool rec_matroska_recover (RecOutput *output, const RecHost *host, RecError *error);

/* Of Matroska, or of WebM. */
const char *rec_matroska_get_ending (bool is_matroska);
const char *rec_matroska_get_media_type (bool is_matroska, bool has_video);

#endif
