/* restore.h - at start-up: recordings on disk into the registry, those left unfinished to their end. [main] */
#ifndef REC_RECORDING_RESTORE_H
#define REC_RECORDING_RESTORE_H

#include "base/types.h"
#include "recording/job.h"

#include <glib.h>

typedef struct RecRestore RecRestore;

/* Takes over a job that finishes a recording of an earlier server. */
typedef void (*RecRestoreTake) (RecJob *job, void *data);

/* Loads everything at once; what is left unfinished goes on in the background, one recording after the other: wait for
 * its worker while it lives, then salvage. */
RecRestore *rec_restore_new (const RecJobContext *context, RecRestoreTake take, void *data);
/* For a server that does not record: what is complete is listed and can be deleted. */
void rec_restore_load_finished (const RecJobContext *context);
void rec_restore_free (RecRestore *restore);

/* Recordings that no job was made for yet. */
guint rec_restore_count_waiting (const RecRestore *restore);
/* A job that was taken is over: the next one may begin. */
void rec_restore_notify_job_over (RecRestore *restore);
/* Begins no further ones; their journal entries stay for the next server. */
void rec_restore_stop (RecRestore *restore);

#endif
