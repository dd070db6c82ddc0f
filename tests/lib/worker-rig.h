/* worker-rig.h - plays the server for one real worker process. */
#ifndef RECTO_TESTS_WORKER_RIG_H
#define RECTO_TESTS_WORKER_RIG_H

#include "lib/fixture.h"

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct {
  int width, height, frame_rate;
  bool no_audio, no_video, is_live;
  bool is_individual; /* packed in the end */
  int n_published;    /* streams that the start waits for */
  bool is_held;       /* does not begin by itself */
  const char *layout; /* path below the build's folder; NULL: plugins/best_fit.so */
  const char
      *sinks; /* JSON array as in setup, "file" below the build's folder; NULL: mp4, required */
  const char *directory; /* NULL: one of its own */
  int thumbnail_width;
  int sink_queue_ms, sink_deadline_ms; /* 0: 5000 and 5000 */
  int64_t sink_queue_bytes;
  int keyframe_interval_ms; /* 0: 2000 */
  json_object *page;        /* the setup's part; borrowed; NULL: a native layout */
  bool is_hasty;            /* does not wait for ready */
} RecRigOptions;

typedef struct {
  char *directory;
  bool owns_directory;
  GPid pid;
  int media_fd;               /* -1: closed */
  int64_t asked_us, start_ns; /* when setup was sent; file time 0 */
  json_object *setup;
  int n_published;

  /* heard so far */
  bool is_greeted, is_ready, has_started, is_gone;
  bool gets_on; /* said `progress` more than once */
  unsigned n_progress;
  int64_t started_us; /* when `started` was heard */
  json_object *finished, *stats;
  char *failure;
  GPtrArray *notes;
  json_object *pages; /* array of the messages "page" */
  char *refusal;      /* code of failed */
  GArray *keyframes;  /* track ids asked for */
  int status;         /* of the process, once reaped */
  bool is_reaped;

  struct RecRigControl *own;
} RecWorkerRig;

/* Starts the worker, sends it setup, waits for ready (or failed) and begins. */
RecWorkerRig *rec_worker_rig_new (const RecRigOptions *options);
void rec_worker_rig_begin (RecWorkerRig *rig);
/* The same, with recover in place of setup, for the files that another rig's worker left. */
RecWorkerRig *rec_worker_rig_recover (RecWorkerRig *dead);
RecWorkerRig *rec_worker_rig_begin_recovery (RecWorkerRig *dead); /* does not wait for its end */
void rec_worker_rig_free (RecWorkerRig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecWorkerRig, rec_worker_rig_free)

typedef struct {
  uint32_t id;
  const char *stream;
  const char *codec; /* "VP8", "H264" or "OPUS", which says the medium */
  bool is_screen;
  double joined; /* seconds of file time */
} RecRigTrack;

void rec_worker_rig_add_track (RecWorkerRig *rig, const RecRigTrack *track);
void rec_worker_rig_end_track (RecWorkerRig *rig, uint32_t id, double at);
/* The participant RECORDER of a page. */
void rec_worker_rig_set_recorder (RecWorkerRig *rig, bool has_joined, int n_streams);
/* change: JSON object with what changed. */
void rec_worker_rig_set_state (RecWorkerRig *rig, const char *stream, double at,
    const char *change);

/* Packets of one track, from file time `at` on; flush sends all that were queued in the order of their times. */
void rec_worker_rig_queue (RecWorkerRig *rig, uint32_t id, const RecFixture *fixture, double at);
void rec_worker_rig_flush (RecWorkerRig *rig);
/* The same, each at its time, counted from the recording's start. */
void rec_worker_rig_flush_live (RecWorkerRig *rig);
/* Track added, queued. */
void rec_worker_rig_play (RecWorkerRig *rig, const RecRigTrack *track, const RecFixture *fixture,
    double at);

/* Waits until *flag, and says what is missing when it takes more than 20 s. */
void rec_worker_rig_wait (RecWorkerRig *rig, const bool *flag, const char *what);
void rec_worker_rig_wait_finished (RecWorkerRig *rig);
/* Flushes, sends stop, waits for finished and for the process to end. */
void rec_worker_rig_stop (RecWorkerRig *rig, double at);
void rec_worker_rig_send_stop (RecWorkerRig *rig, double at);
void rec_worker_rig_close_control (RecWorkerRig *rig);
/* Waits for the process to end; its status as from waitpid. */
int rec_worker_rig_reap (RecWorkerRig *rig);
/* Iterates the main context for that long. */
void rec_worker_rig_run_for (RecWorkerRig *rig, double seconds);

/* Path of a file that finished named; fails the test if there is none with this ending. */
char *rec_worker_rig_get_file (RecWorkerRig *rig, const char *ending);
bool rec_worker_rig_has_note (RecWorkerRig *rig, const char *part);

#endif
