/* place.h - where recordings lie: their ids, folders and names, which are never anybody else's. [main] */
#ifndef REC_RECORDING_PLACE_H
#define REC_RECORDING_PLACE_H

#include "base/types.h"
#include "session/recording.h"

#include <glib.h>

/* Makes the folder of the recordings when it is missing. */
bool rec_place_prepare (const RecConfig *config, GError **error);

/* UNAVAILABLE when less than recording.min-free-bytes are left. */
bool rec_place_check_space (const RecConfig *config, GError **error);

/* Chooses an id that neither the registry nor the disk knows, and a name no file has, and makes the folder:
 * a new recording with id, name and directory filled in. INVALID_ARGUMENT for a name that cannot be a file's. */
RecRecording *rec_place_new_recording (const RecConfig *config, RecRegistry *registry,
    RecSession *session, const RecRecordingProperties *properties, RecEra era, GError **error);

/* Absolute. Free them. */
char *rec_place_dup_entity_path (const RecRecording *recording);
char *rec_place_dup_info_path (const RecRecording *recording);
char *rec_place_dup_chronicle_path (
    const RecRecording *recording); /* the worker's, until all is done */
char *rec_place_dup_thumbnail_path (const RecRecording *recording);
char *rec_place_dup_video_path (
    const RecRecording *recording); /* NULL while the file's name is not known */

/* Whether a file of this name may be this recording's: a plain name, and in the flat folder of the OLD era one that
 * begins with the recording's own. */
bool rec_place_may_own (const RecRecording *recording, const char *name);

/* Sets file_name to that of the finished composed file, when there is one. */
void rec_place_find_video (RecRecording *recording);

/* Gives the recording's files to recording.owner. */
void rec_place_give_files (const RecConfig *config, const RecRecording *recording);

/* What sinks left under temporary names, of a recording that never began. */
bool rec_place_remove_unfinished (const RecRecording *recording, GError **error);

/* Whether there is anything that could still be made a file of: what was written, finished or not. */
bool rec_place_has_files (const RecRecording *recording);

/* Files and entity; missing ones are fine. */
bool rec_place_remove (const RecRecording *recording, GError **error);

#endif
