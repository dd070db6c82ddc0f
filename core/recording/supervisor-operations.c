/* supervisor-operations.c - for whoever runs the server: draining it, and what its recordings use. */
#define G_LOG_DOMAIN "rec.recording.supervisor"
#include "recording/supervisor-private.h"

#include "base/config.h"
#include "base/main-thread.h"
#include "recording/tracks.h"

/* --- draining --------------------------------------------------------------------------------------------- */

void
rec_supervisor_look_whether_drained (RecSupervisor *supervisor)
{
  if (!supervisor->is_draining || supervisor->jobs->len > 0 || supervisor->drained == NULL ||
      (supervisor->restore != NULL && rec_restore_count_waiting (supervisor->restore) > 0))
    return;
  supervisor->drained (supervisor->drained_data);
}

void
rec_supervisor_set_drained (RecSupervisor *supervisor, void (*drained) (void *data), void *data)
{
  supervisor->drained = drained;
  supervisor->drained_data = data;
}

void
rec_supervisor_set_draining (RecSupervisor *supervisor, bool is_draining)
{
  REC_ASSERT_MAIN ();
  if (is_draining == supervisor->is_draining)
    return;
  __atomic_store_n (&supervisor->is_draining, is_draining, __ATOMIC_RELAXED);
  if (is_draining)
    g_message ("draining: no new recordings, %u to be completed",
        rec_supervisor_count_active (supervisor));
  else
    g_message ("draining is over: recordings are taken again");
  if (is_draining)
    rec_supervisor_clean_up_later (supervisor);
}

bool
rec_supervisor_is_draining (const RecSupervisor *supervisor)
{
  return __atomic_load_n (&supervisor->is_draining, __ATOMIC_RELAXED);
}

const char *
rec_supervisor_why_not_ready (const RecSupervisor *supervisor)
{
  if (supervisor->is_stopping)
    return "the server is being stopped";
  return supervisor->is_draining ? "the server is being drained and takes no new recordings" : NULL;
}

/* --- numbers ---------------------------------------------------------------------------------------------- */

unsigned
rec_supervisor_count_active (const RecSupervisor *supervisor)
{
  guint n_waiting = supervisor->restore != NULL ? rec_restore_count_waiting (supervisor->restore)
                                                : 0;

  return rec_supervisor_count_running (supervisor) + n_waiting;
}

void
rec_supervisor_for_each_usage (RecSupervisor *supervisor,
    void (*each) (const char *recording, const RecUsage *usage, void *data), void *data)
{
  for (guint i = 0; i < supervisor->jobs->len; i++) {
    const char *id = rec_job_get_recording (supervisor->jobs->pdata[i])->id;
    RecUsage usage;

    if (rec_admission_get_usage (supervisor->admission, id, &usage))
      each (id, &usage, data);
  }
}

typedef struct {
  const char *recording;
  void (*each) (const char *recording, const char *stream, const RecFeedStats *stats, void *data);
  void *data;
} FeedWalk;

static void
on_feed (const char *stream_id, const RecFeedStats *stats, void *data)
{
  const FeedWalk *walk = data;

  walk->each (walk->recording, stream_id, stats, walk->data);
}

void
rec_supervisor_for_each_feed (RecSupervisor *supervisor,
    void (*each) (const char *recording, const char *stream, const RecFeedStats *stats, void *data),
    void *data)
{
  for (guint i = 0; i < supervisor->jobs->len; i++) {
    RecJob *job = supervisor->jobs->pdata[i];
    FeedWalk walk = { rec_job_get_recording (job)->id, each, data };

    if (rec_job_get_tracks (job) != NULL)
      rec_tracks_for_each (rec_job_get_tracks (job), on_feed, &walk);
  }
}

bool
rec_supervisor_get_free_bytes (RecSupervisor *supervisor, uint64_t *free_bytes)
{
  if (!rec_config_get_bool (supervisor->context.config, "openvidu.recording"))
    return false;
  rec_admission_measure (supervisor->admission);
  return rec_admission_get_free_bytes (supervisor->admission, free_bytes);
}
