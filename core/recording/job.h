/* job.h - one recording from its start to its complete file: worker, feeds, deadlines, outcome. [main] */
#ifndef REC_RECORDING_JOB_H
#define REC_RECORDING_JOB_H

#include "base/types.h"
#include "recording/page.h"
#include "recording/supervisor.h"
#include "recording/tracks.h"
#include "recording/worker-pool.h"
#include "recording/writer.h"

#include <glib.h>
#include <json-c/json.h>

typedef struct RecJob RecJob;

/* What all jobs share; borrowed, outlives them. */
typedef struct {
  const RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecWriter *writer;
  RecWorkerPool *pool;
  char *journal_folder;
  RecPageServer page_server;
  /* Nothing is left to be done: the job may be freed, though not in here. */
  void (*job_over) (RecJob *job, void *data);
  void *data;
} RecJobContext;

/* A recording that is in the registry already. page: as rec_page_describe has it, or NULL. Takes a worker and goes on from the main loop; started is called exactly
 * once, unless the job is freed. */
RecJob *rec_job_new (const RecJobContext *context, RecRecording *recording, json_object *setup,
    json_object *page, RecRecordingDone started, void *data, GError **error);
/* Finishes and tells what a dead worker of an earlier server left; recording is STOPPED. why: what happened to it; n_tries:
 * to do so, that failed. */
RecJob *rec_job_new_salvage (const RecJobContext *context, RecRecording *recording,
    json_object *setup, const char *why, unsigned n_tries);
/* What still runs goes on by itself and is salvaged by the next server. */
void rec_job_free (RecJob *job);

RecRecording *rec_job_get_recording (RecJob *job);
bool rec_job_is_over (const RecJob *job);
pid_t rec_job_get_worker (const RecJob *job); /* 0 once it is gone */
/* The page layout found no page: the recording never was one, and nothing of it is to be kept. */
bool rec_job_was_refused (const RecJob *job);

/* Orders the end of a STARTED recording; stopped is called when it is READY or FAILED and the disk says so. */
void rec_job_stop (RecJob *job, const char *reason, RecRecordingDone stopped, void *data);
/* Ends it in whatever state it is; one that is starting has failed. */
void rec_job_end (RecJob *job, const char *reason);
/* The same for one that runs, with why in its message. */
void rec_job_end_early (RecJob *job, const char *reason, const char *why);
/* For a recording that is to be removed, READY or FAILED: its worker may still write a thumbnail. */
void rec_job_kill (RecJob *job);

void rec_job_add_stream (RecJob *job, RecStreamInfo *stream);
void rec_job_end_stream (RecJob *job, RecStreamInfo *stream);
/* RECORDER came or went. */
void rec_job_tell_recorder (RecJob *job, bool is_there);
void rec_job_change_stream (RecJob *job, RecStreamInfo *stream);

const RecTracks *rec_job_get_tracks (const RecJob *job); /* NULL while nothing is fed */

#endif
