/* entity.h - the recording's JSON in the words of each era, and its file .recording.ID. [main] */
#ifndef REC_RECORDING_ENTITY_H
#define REC_RECORDING_ENTITY_H

#include "base/types.h"
#include "session/recording.h"

#include <glib.h>
#include <json-c/json.h>

typedef struct {
  const char *public_url; /* of the server, without a slash at the end */
  bool is_public;         /* openvidu.recording.public-access */
} RecEntityView;

/* As REST shows it, in the words of the era that asks: OpenVidu's keys, those of the later era for the first one too.
 * New reference. */
json_object *rec_entity_to_json (const RecRecording *recording, RecEra words,
    const RecEntityView *view);

/* What the file holds: the above with the keys and in the words of the recording's era, and what only the server needs.
 * reason, message and notes are ours, and there only when they are set. New reference. */
json_object *rec_entity_to_file_json (const RecRecording *recording, const RecEntityView *view);

/* What a recording has for its output mode and a session's defaults have too: layout, resolution, frame rate. */
void rec_entity_add_properties (json_object *json, const RecRecordingProperties *properties);

/* A recording from an entity file's JSON that lies in directory; the era is told from its form. Its status is what the
 * file says, in our words: INVALID_ARGUMENT when it is not an entity. */
RecRecording *rec_entity_from_json (json_object *entity, const char *directory, GError **error);

/* Reads every entity below root, the flat folder and one level down; unreadable ones are skipped with a warning.
 * Returns an array of RecRecording. */
GPtrArray *rec_entity_load_all (const char *root);

/* The content of ID.info, as ffprobe would tell it. New reference. */
json_object *rec_entity_make_info (const RecRecording *recording);

#endif
