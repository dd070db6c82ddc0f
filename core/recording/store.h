/* store.h - what is kept on the disk of each recording besides its media: entity, report, journal. [main] */
#ifndef REC_RECORDING_STORE_H
#define REC_RECORDING_STORE_H

#include "base/types.h"
#include "recording/job.h"

#include <json-c/json.h>
#include <sys/types.h>

/* What becomes of a recording now, for the server that may have to go on with it. */
typedef struct {
  pid_t worker;     /* that records or salvages it; 0: none */
  unsigned n_tries; /* to salvage it, that failed */
  const char *why;  /* it is salvaged, or NULL */
} RecStoreWork;

/* Each queues the file as things are now. */
void rec_store_entity (const RecJobContext *context, const RecRecording *recording,
    RecWriterDone done, void *data);
void rec_store_info (const RecJobContext *context, const RecRecording *recording);
void rec_store_journal (const RecJobContext *context, const RecRecording *recording,
    json_object *setup, const RecStoreWork *work, RecWriterDone done, void *data);

/* The worker's notes of who was when, which are in the time line by now. */
void rec_store_forget_chronicle (const RecJobContext *context, const RecRecording *recording);
void rec_store_forget_journal (const RecJobContext *context, const char *id);
/* One of the recording's own files, after what was stored before. */
void rec_store_forget_file (const RecJobContext *context, const RecRecording *recording,
    const char *name);

#endif
