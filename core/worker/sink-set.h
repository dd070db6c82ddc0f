/* sink-set.h - all sinks of a recording: what they amount to together. [main] */
#ifndef REC_WORKER_SINK_SET_H
#define REC_WORKER_SINK_SET_H

#include "worker/setup.h"
#include "worker/sink-runner.h"

#include <glib.h>
#include <stdbool.h>

typedef struct RecSinkSet RecSinkSet;

RecSinkSet *rec_sink_set_new (const RecSinkEvents *events);
/* Leaks what threads that are lost in a plugin still use; the process must then be left with _exit. */
void rec_sink_set_free (RecSinkSet *set);

/* Loads the setup's sinks and asks for their needs, or has them recover. An optional one that cannot is noted. */
bool rec_sink_set_make (RecSinkSet *set, const RecSetup *setup, bool is_recovery,
    void (*note) (const char *text), GError **error);
GPtrArray *rec_sink_set_get_all (RecSinkSet *set); /* of RecSinkRunner, borrowed */

/* Watches the deadlines; to be called every 100 ms. */
void rec_sink_set_check (RecSinkSet *set);
/* Why a sink failed or stalled, each told once; NULL: nothing new. */
char *rec_sink_set_take_failure (RecSinkSet *set, bool *is_required);
/* Everyone who is required has stored something. */
bool rec_sink_set_has_data (RecSinkSet *set);
/* How often they said that they get on. */
uint64_t rec_sink_set_get_progress (RecSinkSet *set);
/* Lets all of them end, with nothing more to come. */
void rec_sink_set_end (RecSinkSet *set);
/* All are over; or those that are required, and the others had a moment more. */
bool rec_sink_set_can_finish (RecSinkSet *set);
/* Threads are still inside a plugin. */
bool rec_sink_set_is_lost (RecSinkSet *set);

#endif
