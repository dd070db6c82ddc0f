/* salvage.h - finishes the files of a recording whose worker died, in a fresh worker. [main] */
#ifndef REC_RECORDING_SALVAGE_H
#define REC_RECORDING_SALVAGE_H

#include "base/types.h"
#include "recording/worker-pool.h"

#include <glib.h>
#include <json-c/json.h>

typedef struct RecSalvage RecSalvage;

/* finished: the worker's message (borrowed), or NULL when nothing came of it; why: what went wrong then. The salvage may
 * be freed in here. */
typedef void (*RecSalvageDone) (RecSalvage *salvage, json_object *finished, const char *why,
    void *data);

/* setup: what the dead worker was set up with. Touches no file before rec_salvage_begin. */
RecSalvage *rec_salvage_new (const RecConfig *config, RecWorkerPool *pool, json_object *setup,
    RecSalvageDone done, void *data, GError **error);
pid_t rec_salvage_get_worker (const RecSalvage *salvage);
/* Once, and no earlier than a server that comes after us would know of the worker. */
void rec_salvage_begin (RecSalvage *salvage);
void rec_salvage_free (RecSalvage *salvage);

#endif
