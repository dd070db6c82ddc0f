/* job-end.c - how the job of one recording ends: failed or complete. */
#define G_LOG_DOMAIN "rec.recording.job"
#include "recording/job-private.h"

#include "base/json.h"
#include "recording/outcome.h"
#include "recording/place.h"
#include "recording/store.h"
#include "session/registry.h"

#define THUMBNAIL_TIMEOUT_MS 10000 /* between the finished files and the worker's exit */

/* --- the end ----------------------------------------------------------------------------------------- */

static void
remove_unfinished (const RecJob *job)
{
  g_autoptr (GError) error = NULL;

  if (!rec_place_remove_unfinished (job->recording, &error))
    rec_job_log (job, G_LOG_LEVEL_WARNING, error->message);
}

void
rec_job_be_over_when_done (RecJob *job)
{
  if (job->phase != REC_PHASE_COMPLETING || !job->is_saved || job->worker != NULL)
    return;
  job->phase = REC_PHASE_OVER;
  rec_job_clear_source (&job->deadline);
  if (job->never_began)
    remove_unfinished (job);
  rec_place_give_files (job->context->config, job->recording);
  job->context->job_over (job, job->context->data);
}

static void
on_saved (const GError *error, void *data)
{
  RecJob *job = data;
  RecRecordingDone stopped = g_steal_pointer (&job->stopped);

  if (error != NULL)
    g_warning ("the outcome of recording '%s' is not on the disk: %s", job->recording->id,
        error->message);
  else if (!job->keeps_journal)
    rec_store_forget_journal (job->context, job->recording->id);
  if (error == NULL && !job->keeps_journal)
    rec_store_forget_chronicle (job->context, job->recording);
  for (guint i = 0; error == NULL && job->packed != NULL && i < job->packed->len; i++)
    rec_store_forget_file (job->context, job->recording, job->packed->pdata[i]);
  job->is_saved = true;
  if (stopped != NULL)
    stopped (job->recording, NULL, job->stopped_data);
  rec_job_be_over_when_done (job);
}

/* The outcome is in the recording; from here on nothing can change it. */
static void
conclude (RecJob *job, RecRecordingStatus status)
{
  RecRecording *recording = job->recording;

  job->phase = REC_PHASE_COMPLETING;
  rec_job_clear_source (&job->deadline);
  rec_job_clear_source (&job->watchdog);
  g_clear_pointer (&job->limits, rec_limits_free);
  g_clear_pointer (&job->tracks, rec_tracks_free);
  rec_place_give_files (job->context->config, recording);
  rec_page_end (job->context->registry, recording);
  if (recording->session != NULL && recording->session->recording == recording)
    recording->session->recording = NULL;
  rec_registry_set_recording_status (job->context->registry, recording, status);
  if (recording->era == REC_ERA_OLD && status == REC_RECORDING_READY)
    rec_store_info (job->context, recording);
  rec_store_entity (job->context, recording, on_saved, job);
}

static gboolean
on_linger_deadline (gpointer data)
{
  RecJob *job = data;

  job->deadline = 0;
  rec_worker_process_end (job->worker, "the worker did not exit after its files were finished");
  return G_SOURCE_REMOVE;
}

void
rec_job_fail_start (RecJob *job, RecErrorCode code, const char *why)
{
  RecRecordingDone started = g_steal_pointer (&job->started);
  g_autoptr (GError) error = NULL;

  g_set_error (&error, REC_ERROR, (gint) code, "cannot start recording '%s': %s",
      job->recording->id, why);
  rec_job_log (job, G_LOG_LEVEL_CRITICAL, error->message);
  rec_job_set_text (&job->recording->message, why);
  job->never_began = true;
  /* One that said so itself ends by itself. */
  if (job->worker != NULL && code == REC_ERROR_FAILED)
    rec_worker_process_end (job->worker, why);
  else if (job->worker != NULL)
    rec_worker_process_abort (job->worker, why);
  conclude (job, REC_RECORDING_FAILED);
  if (started != NULL)
    started (job->recording, error, job->started_data);
}

/* finished: NULL when nothing could be saved. */
void
rec_job_complete (RecJob *job, json_object *finished, const char *why)
{
  RecRecording *recording = job->recording;
  bool is_playable = rec_outcome_take (recording, finished);

  g_clear_pointer (&job->packed, g_ptr_array_unref);
  job->packed = rec_outcome_list_packed (recording, finished);
  if (why != NULL)
    rec_job_set_text (&recording->message, why);
  if (recording->status == REC_RECORDING_STARTED) {
    if (recording->reason == NULL)
      recording->reason = g_strdup ("automaticStop");
    rec_registry_set_recording_status (job->context->registry, recording, REC_RECORDING_STOPPED);
  }
  if (!is_playable && recording->message == NULL)
    recording->message = g_strdup ("the worker finished without a file");
  conclude (job, is_playable ? REC_RECORDING_READY : REC_RECORDING_FAILED);
  rec_job_log (job, is_playable ? G_LOG_LEVEL_MESSAGE : G_LOG_LEVEL_CRITICAL,
      recording->message != NULL ? recording->message : "recorded");
  if (job->worker != NULL)
    job->deadline = g_timeout_add (THUMBNAIL_TIMEOUT_MS, on_linger_deadline, job);
}
