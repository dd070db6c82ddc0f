/* tracks.h - the streams of one recording: their feeds, and what the worker is told of them. [main] */
#ifndef REC_RECORDING_TRACKS_H
#define REC_RECORDING_TRACKS_H

#include "base/types.h"
#include "media/router.h"
#include "recording/worker-process.h"

#include <glib.h>

typedef struct RecTracks RecTracks;
typedef void (*RecTracksEach) (const char *stream_id, const RecFeedStats *stats, void *data);

/* Takes the worker's media socket; worker must outlive this. */
RecTracks *rec_tracks_new (const RecConfig *config, RecRouter *router, RecWorkerProcess *worker,
    GError **error);
/* Detaches everything and closes the media socket. */
void rec_tracks_free (RecTracks *tracks);

/* Whether the stream may be kept in a file of its own: its connection says so. */
bool rec_tracks_is_recorded (const RecStreamInfo *stream);

bool rec_tracks_add (RecTracks *tracks, RecStreamInfo *stream, GError **error);
void rec_tracks_end (RecTracks *tracks, RecStreamInfo *stream);
/* Tells whether sound and picture are on, what the picture is, and whether the stream is to be kept. */
void rec_tracks_change (RecTracks *tracks, RecStreamInfo *stream);
void rec_tracks_request_keyframe (RecTracks *tracks, uint32_t track_id);

/* What was fed of each stream. */
void rec_tracks_for_each (const RecTracks *tracks, RecTracksEach each, void *data);

#endif
