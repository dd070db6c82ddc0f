/* sink-private.h - a sink runner's inside, shared by its two halves: the caller's and the thread's. */
#ifndef REC_WORKER_SINK_PRIVATE_H
#define REC_WORKER_SINK_PRIVATE_H

#include "base/lock.h"
#include "plugin/loader.h"
#include "worker/sink-queue.h"
#include "worker/sink-runner.h"

struct RecSinkRunner {
  char *id;
  bool is_required, is_recovery;
  RecSinkSetup setup;
  char *recording_id, *directory, *name;
  int deadline_ms, finish_deadline_ms;
  RecLoadedPlugin *plugin;
  RecOptions *options;
  RecHost host;
  RecSinkEvents events;
  void *data;
  GThread *thread;

  struct {
    RecLock lock;
    pthread_cond_t changed;
    RecSinkState state;
    char *error;
    RecNeeds needs;
    RecSinkQueue queue;
    bool is_open_wanted;
    unsigned n_tracks_wanted;
    bool is_ending;
    int64_t end_ns, stored_ns;
    uint64_t n_progress; /* how often the plugin said that it gets on */
    GPtrArray *files;
    const char *call; /* that runs now */
    int call_ms, call_limit_ms;
    int64_t checked_us;
  } shared;

  struct { /* of the sink's thread */
    void *sink;
    GArray *track_ids;
    GPtrArray *codec_data;
  } own;
};

/* Under the lock. */
static inline bool
rec_sink_runner_is_over_locked (const RecSinkRunner *runner)
{
  return runner->shared.state >= REC_SINK_DONE;
}

/* False: it is over already. [any] */
bool rec_sink_runner_set_state (RecSinkRunner *runner, RecSinkState state, const char *error);

/* The thread: from the needs to the end, or just recover. data is the runner. */
gpointer rec_sink_thread_run (gpointer data);
gpointer rec_sink_thread_recover (gpointer data);

#endif
