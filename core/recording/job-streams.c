/* job-streams.c - the streams of a session and the job that records them. */
#define G_LOG_DOMAIN "rec.recording.job"
#include "recording/job-private.h"

#include "base/json.h"
#include "session/registry.h"

void
rec_job_attach_streams (RecJob *job)
{
  RecSession *session = job->shows_page ? NULL : job->recording->session;

  for (guint i = 0; session != NULL && i < session->participants->len; i++) {
    RecParticipant *participant = session->participants->pdata[i];

    if (participant->stream != NULL && participant->stream->is_published)
      rec_job_add_stream (job, participant->stream);
  }
}

static bool
has_wanted_medium (const RecRecordingProperties *wanted, const RecStreamInfo *stream)
{
  return (wanted->has_audio && stream->has_audio) || (wanted->has_video && stream->has_video);
}

unsigned
rec_job_count_streams (const RecJob *job)
{
  RecSession *session = job->recording->session;
  unsigned n = 0;

  for (guint i = 0; session != NULL && i < session->participants->len; i++) {
    RecParticipant *participant = session->participants->pdata[i];

    n += participant->stream != NULL && participant->stream->is_published &&
         rec_tracks_is_recorded (participant->stream) &&
         has_wanted_medium (job->recording->properties, participant->stream);
  }
  return n;
}

void
rec_job_add_stream (RecJob *job, RecStreamInfo *stream)
{
  g_autoptr (GError) error = NULL;

  if (job->tracks == NULL || job->shows_page || rec_tracks_add (job->tracks, stream, &error))
    return;
  g_autofree char *note =
      g_strdup_printf ("stream '%s' is not recorded: %s", stream->id, error->message);
  rec_job_note (job, note);
}

void
rec_job_end_stream (RecJob *job, RecStreamInfo *stream)
{
  if (job->tracks != NULL && !job->shows_page)
    rec_tracks_end (job->tracks, stream);
}

void
rec_job_change_stream (RecJob *job, RecStreamInfo *stream)
{
  if (job->tracks != NULL && !job->shows_page)
    rec_tracks_change (job->tracks, stream);
}

/* What a page could show, if it showed everything. */
static int
count_pictures (const RecJob *job)
{
  const GPtrArray *participants = job->recording->session->participants;
  int n = 0;

  for (unsigned i = 0; i < participants->len; i++) {
    const RecStreamInfo *stream = ((RecParticipant *) participants->pdata[i])->stream;

    n += stream != NULL && stream->is_published && stream->has_video && stream->video_active;
  }
  return n;
}

void
rec_job_tell_recorder (RecJob *job, bool is_there)
{
  json_object *message;

  if (!job->shows_page || job->worker == NULL ||
      (job->phase != REC_PHASE_SETTING_UP && job->phase != REC_PHASE_STARTING &&
          job->phase != REC_PHASE_RUNNING))
    return;
  message = json_object_new_object ();
  rec_json_set_string (message, "state", is_there ? "joined" : "left");
  if (job->recording->session != NULL)
    rec_json_set_int (message, "streams", count_pictures (job));
  rec_worker_process_send (job->worker, REC_CONTROL_RECORDER, message);
}
