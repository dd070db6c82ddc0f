/* job-private.h - one recording's job, as the files of the job share it. [main] */
#ifndef REC_RECORDING_JOB_PRIVATE_H
#define REC_RECORDING_JOB_PRIVATE_H

#include "recording/job.h"
#include "recording/limits.h"
#include "recording/patience.h"
#include "recording/salvage.h"
#include "recording/tracks.h"

#include "base/error.h"

typedef enum {
  REC_PHASE_INVALID = 0,
  REC_PHASE_PREPARING,  /* until the worker said hello and the journal is on the disk */
  REC_PHASE_SETTING_UP, /* until the worker is ready */
  REC_PHASE_STARTING,   /* packets flow; until there is data on the disk */
  REC_PHASE_RUNNING,
  REC_PHASE_STOPPING,   /* until the worker has finished */
  REC_PHASE_SALVAGING,  /* the worker is dead; until another one has recovered the files */
  REC_PHASE_COMPLETING, /* the outcome is known; until the disk says so and the worker is gone */
  REC_PHASE_OVER,
} RecJobPhase;

struct RecJob {
  const RecJobContext *context;
  RecRecording *recording; /* a reference */
  json_object *setup;
  json_object *page; /* the part of the setup that is not kept; NULL for a native layout */
  bool shows_page;   /* until it falls back to the native layout */
  bool was_refused;
  unsigned n_console_lines;
  RecJobPhase phase;
  RecWorkerProcess *worker; /* NULL once gone */
  RecTracks *tracks;        /* NULL before and after packets flow */
  RecSalvage *salvage;
  char *failure; /* what the worker said when it gave up */
  bool is_journaled, is_saved, never_began;
  bool keeps_journal; /* for the next server, which tries again */
  unsigned n_tries;   /* to salvage it, that failed */
  int64_t start_ns, last_heard_us;
  RecPatience patience;
  GPtrArray *packed; /* names of the files that are in the ZIP; NULL: none */
  guint deadline, watchdog;
  RecLimits *limits;                 /* while it runs */
  RecRecordingDone started, stopped; /* NULL once called */
  void *started_data, *stopped_data;
};

/* --- job.c ------------------------------------------------------------------------------------------ */

bool rec_job_is_before_running (const RecJob *job);
void rec_job_log (const RecJob *job, GLogLevelFlags level, const char *text);
/* For the operator and the client; bounded. */
void rec_job_note (RecJob *job, const char *text);
void rec_job_set_text (char **field, const char *text);
void rec_job_clear_source (guint *source);

/* --- job-streams.c --------------------------------------------------------------------------------- */

/* All that are published. */
void rec_job_attach_streams (RecJob *job);
/* Those of them that are to be kept one by one. */
unsigned rec_job_count_streams (const RecJob *job);

/* --- job-end.c -------------------------------------------------------------------------------------- */

/* Called whenever one of the things that the end waits for may have happened. */
void rec_job_be_over_when_done (RecJob *job);
void rec_job_fail_start (RecJob *job, RecErrorCode code, const char *why);
/* finished: NULL when nothing could be saved. */
void rec_job_complete (RecJob *job, json_object *finished, const char *why);

/* --- job-salvage.c ---------------------------------------------------------------------------------- */

/* The worker died while there were files: what they hold is finished by another one. */
void rec_job_lose_worker (RecJob *job, const char *why);
/* The same of an earlier server's. Says how it ends, if need be that it cannot begin. */
void rec_job_salvage (RecJob *job);

#endif
