/* worker-pool.h - spare workers that wait, so that a recording starts at once. [main] */
#ifndef REC_RECORDING_WORKER_POOL_H
#define REC_RECORDING_WORKER_POOL_H

#include "base/types.h"
#include "recording/worker-process.h"

#include <glib.h>

typedef struct RecWorkerPool RecWorkerPool;

/* Keeps recording.spare-workers. program: the executable of both. */
RecWorkerPool *rec_worker_pool_new (const RecConfig *config, const char *program);
/* The spare ones exit when their sockets close. */
void rec_worker_pool_free (RecWorkerPool *pool);

/* A spare one, or a new one when there is none; the caller's from now on. */
RecWorkerProcess *rec_worker_pool_take (RecWorkerPool *pool, GError **error);
/* No more spares; taking goes on working. */
void rec_worker_pool_stop (RecWorkerPool *pool);

#endif
