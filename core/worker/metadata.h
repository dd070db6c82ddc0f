/* metadata.h - NAME.json: which stream is in which file, and when, as OpenVidu's INDIVIDUAL recordings say it. */
#ifndef REC_WORKER_METADATA_H
#define REC_WORKER_METADATA_H

#include "worker/individual.h"

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>

/* The take that a stream's file number `number` is of: both come in the same order. NULL: not known. */
const RecTake *rec_metadata_find_take (GPtrArray *takes, const char *stream, unsigned number);

/* facts: id, name, sessionId, createdAt. files: as in `finished`; those of streams count. */
json_object *rec_metadata_make (json_object *facts, json_object *files, GPtrArray *takes);

/* Writes DIRECTORY/NAME.json, whole or not at all. */
bool rec_metadata_write (const char *directory, const char *name, json_object *metadata,
    GError **error);

/* The part of a stream's file name that is not the recording's: its name in the archive. */
const char *rec_metadata_get_entry_name (const char *name, const char *file);

#endif
