/* worker-private.h - the state of the child that records; for worker*.c alone. [main] */
#ifndef REC_WORKER_PRIVATE_H
#define REC_WORKER_PRIVATE_H

#include "wire/control.h"
#include "worker/media-socket.h"
#include "worker/pack.h"
#include "worker/page-run.h"
#include "worker/recorder.h"
#include "worker/setup.h"
#include "worker/sink-set.h"

#include <glib.h>
#include <json-c/json.h>

typedef enum {
  STATE_INVALID = 0,
  STATE_WAITING,  /* for setup or recover */
  STATE_LOADING,  /* of the page, if there is one */
  STATE_PREPARED, /* for begin */
  STATE_RECORDING,
  STATE_STOPPING,  /* the recorder runs to the end */
  STATE_FINISHING, /* the sinks finish, or recover */
  STATE_PACKING,   /* the files are there, a ZIP is made of them */
  STATE_FINISHED,  /* said so */
} RecWorkerState;

typedef struct {
  GMainLoop *loop;
  RecControl *control; /* NULL: the server is gone */
  RecWorkerState state;
  int status;
  RecSetup *setup;
  RecRecorder *recorder;
  bool has_recorder_ended;
  RecSinkSet *sinks;
  RecPageRun *page; /* NULL: a native layout */
  char *failure;    /* why the recording ends early */
  RecPack *pack;    /* NULL: nothing to pack */
  bool is_packed;
  json_object *files; /* as in finished, once it is the end */
  bool has_started, has_given_up;
  int64_t reported_ns, reported_us; /* file time and time of the last stats */
  unsigned n_expected;              /* streams that were published before the recording began */
  int64_t created_at_ms;
  int64_t begun_us;
  struct {
    uint64_t n_told;
    int64_t told_us;
  } recovery;

  RecMediaSocket *media;
  RecCommand *held_stop; /* packets clock: until the media socket is empty */
  int64_t start_ns, last_pts_ns;
} RecWorker;

/* The one of this process. */
extern RecWorker worker;

/* --- worker.c --- */

/* To the server, if it is still there. Takes message. */
void rec_worker_say (RecControlType type, json_object *message);
void rec_worker_note (const char *text);
/* Looks at everything that other threads may have changed. */
void rec_worker_update (void);
/* Does nothing before the recording began. */
void rec_worker_end_early (const char *why);
/* Ends the main loop, and with it the process, with this status. */
void rec_worker_leave (int status);

/* --- worker-calls.c: [any], each call goes on in the main loop --- */

extern const RecPackEvents rec_worker_pack_events;
extern const RecRecorderEvents rec_worker_recorder_events;
extern const RecSinkEvents rec_worker_sink_events;

/* --- worker-begin.c --- */

/* What the messages setup, begin and recover ask for. */
void rec_worker_prepare_recording (json_object *message);
void rec_worker_begin_recording (json_object *message);
void rec_worker_start_recovery (json_object *message);
/* Nothing is recorded: says so, lets the sinks that are open clean up, and ends. */
void rec_worker_give_up (const char *why);

#endif
