/* mp4-recover.h - turns what a fragmented file holds into an ordinary MP4 file. */
#ifndef RECTO_MP4_RECOVER_H
#define RECTO_MP4_RECOVER_H

#include "output.h"
#include "mp4-track.h"

/* Appends the ordinary index, syncs, then switches over to it by one write of 16 bytes. After a
 * failure the file is as before. */
bool rec_mp4_write_index (RecOutput *output, const RecMp4Track *tracks, uint32_t n_tracks,
    RecError *error);

/* Of what is described in the head. */
const char *rec_mp4_get_media_type (const RecMp4Track *tracks, uint32_t n_tracks);

/* As RecMuxer's, for single streams. */
bool rec_mp4_look (const char *directory, const char *file, RecMuxerFacts *facts);

/* Completes a file cut anywhere: keeps every complete fragment, drops what follows. */
bool rec_mp4_recover (RecOutput *output, const RecHost *host, RecError *error);

#endif
