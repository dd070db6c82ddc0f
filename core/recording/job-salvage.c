/* job-salvage.c - the job of a recording whose worker died: another worker finishes the files, at once or at a later start. */
#define G_LOG_DOMAIN "rec.recording.job"
#include "recording/job-private.h"

#include "base/json.h"
#include "recording/journal.h"
#include "recording/outcome.h"
#include "recording/place.h"
#include "recording/store.h"
#include "session/registry.h"

/* Nothing came of it. As long as something is there, the next server tries again. */
static void
take_failure (RecJob *job, const char *why)
{
  const RecRecording *recording = job->recording;
  const bool has_files = rec_place_has_files (recording);
  g_autofree char *message = NULL;

  job->n_tries++;
  job->keeps_journal = has_files && job->n_tries < REC_JOURNAL_MAX_TRIES;
  message = g_strdup_printf ("%s; nothing could be salvaged: %s%s", job->failure, why,
      job->keeps_journal ? "; the next start of the server tries again"
      : has_files        ? "; given up, what was written stays where it is"
                         : "");
  if (has_files)
    g_warning ("attempt %u of %d to salvage recording '%s' failed; its files stay in '%s'",
        job->n_tries, REC_JOURNAL_MAX_TRIES, recording->id, recording->directory);
  if (job->keeps_journal)
    rec_store_journal (job->context, recording, job->setup,
        &(RecStoreWork){ .n_tries = job->n_tries, .why = job->failure }, NULL, NULL);
  rec_job_complete (job, NULL, message);
}

/* What is not packed is easier to salvage: single streams are worth more than the ZIP around them. */
static bool
leave_unpacked (RecJob *job)
{
  json_object *recording = rec_json_get (job->setup, "recording");

  if (!rec_json_bool_or (recording, "individual", false))
    return false;
  rec_json_set_bool (recording, "individual", false);
  rec_job_note (job, "the streams are not in a ZIP, but in files of their own: it could not be "
                     "salvaged as a whole");
  return true;
}

static void
on_salvaged (RecSalvage *salvage G_GNUC_UNUSED, json_object *finished, const char *why, void *data)
{
  RecJob *job = data;
  g_autofree char *cause = g_strdup (job->failure);

  if (finished != NULL && rec_outcome_has_file (job->recording, finished)) {
    rec_job_note (job, "the file was salvaged after its worker was lost");
    rec_job_complete (job, finished, cause);
  } else if (leave_unpacked (job)) {
    g_clear_pointer (&job->salvage, rec_salvage_free);
    rec_job_salvage (job);
    return;
  } else {
    take_failure (job, rec_json_string_or (finished, "message", why));
  }
  g_clear_pointer (&job->salvage, rec_salvage_free);
}

/* A full disk is no reason to leave the files as they are: locks keep two workers from one file. */
static void
on_journaled (const GError *error, void *data)
{
  RecJob *job = data;

  if (error != NULL)
    rec_job_log (job, G_LOG_LEVEL_WARNING, error->message);
  if (job->salvage != NULL)
    rec_salvage_begin (job->salvage);
}

void
rec_job_salvage (RecJob *job)
{
  g_autoptr (GError) error = NULL;

  job->phase = REC_PHASE_SALVAGING;
  job->salvage = rec_salvage_new (job->context->config, job->context->pool, job->setup, on_salvaged,
      job, &error);
  if (job->salvage == NULL) {
    take_failure (job, error->message);
    return;
  }
  const RecStoreWork work = {
    .worker = rec_salvage_get_worker (job->salvage), .n_tries = job->n_tries, .why = job->failure
  };
  rec_store_journal (job->context, job->recording, job->setup, &work, on_journaled, job);
}

void
rec_job_lose_worker (RecJob *job, const char *why)
{
  g_autofree char *cause = job->failure != NULL ? g_strdup_printf ("%s; %s", job->failure, why)
                                                : g_strdup (why);

  rec_job_log (job, G_LOG_LEVEL_CRITICAL, cause);
  rec_job_set_text (&job->failure, cause);
  rec_job_set_text (&job->recording->message, cause);
  rec_job_clear_source (&job->deadline);
  rec_job_clear_source (&job->watchdog);
  g_clear_pointer (&job->limits, rec_limits_free);
  g_clear_pointer (&job->tracks, rec_tracks_free);
  if (job->recording->status == REC_RECORDING_STARTED) {
    rec_job_set_text (&job->recording->reason, "mediaServerCrashed");
    rec_registry_set_recording_status (job->context->registry, job->recording,
        REC_RECORDING_STOPPED);
  }
  rec_job_salvage (job);
}
