/* sink-runner.h - one sink plugin on a thread of its own, behind a bounded queue, under a deadline. */
#ifndef REC_WORKER_SINK_RUNNER_H
#define REC_WORKER_SINK_RUNNER_H

#include "worker/encoder.h"

#include <glib.h>
#include <json-c/json.h>
#include <recto/sink.h>

typedef struct {
  const char *file; /* of the plugin */
  const char *id;
  bool is_required;
  json_object *options;
  RecSinkSetup setup; /* without host and options; its strings are copied */
  int queue_ms;
  int64_t queue_bytes;
  int deadline_ms, finish_deadline_ms;
} RecSinkRecipe;

typedef enum {
  REC_SINK_INVALID = 0,
  REC_SINK_ASKED, /* its needs are known */
  REC_SINK_OPEN,
  REC_SINK_DONE,    /* finished as it should; files are final */
  REC_SINK_FAILED,  /* what could be saved is saved; get_error says why */
  REC_SINK_STALLED, /* its thread is lost in a call; get_error says which */
} RecSinkState;

typedef struct {
  char *path; /* relative to the directory */
  char *media_type;
  char *stream_id; /* NULL: composed */
} RecSinkFile;

typedef struct RecSinkRunner RecSinkRunner;

/* Both from any thread: look and act on your own. */
typedef struct {
  void (*changed) (RecSinkRunner *runner,
      void *data); /* another state, or the first data is stored */
  void (*keyframe_wanted) (RecSinkRunner *runner, void *data);
} RecSinkEvents;

/* Loads the plugin, starts its thread and asks for its needs; waits for the answer up to the deadline. */
RecSinkRunner *rec_sink_runner_new (const RecSinkRecipe *recipe, const RecSinkEvents *events,
    void *data, GError **error);
/* Loads the plugin and lets it recover; DONE or FAILED follows. */
RecSinkRunner *rec_sink_runner_recover (const RecSinkRecipe *recipe, const RecSinkEvents *events,
    void *data, GError **error);
/* A stalled one is leaked: its thread still uses it. */
void rec_sink_runner_free (RecSinkRunner *runner);

const RecNeeds *rec_sink_runner_get_needs (const RecSinkRunner *runner);
uint32_t rec_sink_runner_get_mode (const RecSinkRunner *runner); /* REC_MODE_* */
/* Waits up to the deadline. Packets are written once n_tracks tracks are there (single streams: 0). */
bool rec_sink_runner_open (RecSinkRunner *runner, unsigned n_tracks, GError **error);

void rec_sink_runner_add_track (RecSinkRunner *runner, const RecTrack *track); /* copied [any] */
void rec_sink_runner_end_track (RecSinkRunner *runner, uint32_t track_id,
    int64_t end_ns);                                                         /* [any] */
void rec_sink_runner_push (RecSinkRunner *runner, RecEncodedPacket *packet); /* may wait [any] */
/* After what is queued: end_track at end_ns, finish, close. Does not wait. [any] */
void rec_sink_runner_end (RecSinkRunner *runner, int64_t end_ns);
/* Fails a sink whose call overruns its deadline. To be called every 100 ms or so; time in which nobody calls does not
 * count, since the whole process may have been stopped. [any] */
void rec_sink_runner_check (RecSinkRunner *runner);

RecSinkState rec_sink_runner_get_state (RecSinkRunner *runner);
bool rec_sink_runner_is_over (RecSinkRunner *runner); /* DONE, FAILED or STALLED */
int64_t rec_sink_runner_get_stored_ns (RecSinkRunner *runner);
uint64_t rec_sink_runner_get_dropped (RecSinkRunner *runner);
uint64_t rec_sink_runner_get_progress (RecSinkRunner *runner); /* how often it told of some */
char *rec_sink_runner_dup_error (RecSinkRunner *runner);       /* NULL: none */
GPtrArray *rec_sink_runner_dup_files (RecSinkRunner *runner);  /* of RecSinkFile */
const char *rec_sink_runner_get_id (const RecSinkRunner *runner);
bool rec_sink_runner_is_required (const RecSinkRunner *runner);

#endif
