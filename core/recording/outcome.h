/* outcome.h - reads from a worker's last message what became of a recording. [main] */
#ifndef REC_RECORDING_OUTCOME_H
#define REC_RECORDING_OUTCOME_H

#include "base/types.h"
#include "recording/place.h"

#include <json-c/json.h>

/* Whether finished names a composed file, or one of a single stream, that is there and not empty. */
bool rec_outcome_has_file (const RecRecording *recording, json_object *finished);

/* Fills in file, size, duration, sound and picture; finished may be NULL. True when there is something to play, or when
 * nothing was to be written and all went well. */
bool rec_outcome_take (RecRecording *recording, json_object *finished);

/* Names of the streams' files that are not needed any more once the entity says that there is a ZIP; NULL: none. */
GPtrArray *rec_outcome_list_packed (const RecRecording *recording, json_object *finished);

#endif
