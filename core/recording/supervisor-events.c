/* supervisor-events.c - what happens in sessions, told to the recordings that it concerns. */
#define G_LOG_DOMAIN "rec.recording.supervisor"
#include "recording/supervisor-private.h"

#include <string.h>

static RecJob *
find_session_job (const RecSupervisor *supervisor, const RecStreamInfo *stream)
{
  return rec_supervisor_find_job (supervisor, stream->owner->session->recording);
}

static void
on_stream_published (RecStreamInfo *stream, void *data)
{
  RecJob *job = find_session_job (data, stream);

  if (job != NULL)
    rec_job_add_stream (job, stream);
}

static void
on_stream_ended (RecStreamInfo *stream, const char *reason G_GNUC_UNUSED, void *data)
{
  RecJob *job = find_session_job (data, stream);

  if (job != NULL)
    rec_job_end_stream (job, stream);
}

static void
on_stream_changed (RecStreamInfo *stream, const char *property G_GNUC_UNUSED,
    const char *new_value G_GNUC_UNUSED, const char *reason G_GNUC_UNUSED, void *data)
{
  RecJob *job = find_session_job (data, stream);

  if (job != NULL)
    rec_job_change_stream (job, stream);
}

static void
tell_recorder (const RecSupervisor *supervisor, const RecParticipant *participant)
{
  RecJob *job = strcmp (participant->id, REC_RECORDER_ID) == 0
                    ? rec_supervisor_find_job (supervisor, participant->session->recording)
                    : NULL;

  /* A page that was loaded anew joined before its old self left. */
  if (job != NULL)
    rec_job_tell_recorder (job,
        rec_session_find_participant (participant->session, REC_RECORDER_ID) != NULL);
}

static void
on_participant_joined (RecParticipant *participant, void *data)
{
  tell_recorder (data, participant);
}

static void
on_participant_left (RecParticipant *participant, const char *reason G_GNUC_UNUSED, void *data)
{
  tell_recorder (data, participant);
}

static void
on_session_closed (RecSession *session, const char *reason, void *data)
{
  RecJob *job = rec_supervisor_find_job (data, session->recording);

  if (job != NULL)
    rec_job_end (job, reason);
  session->recording = NULL;
}

/* Whether its stream is to be kept may change while it is recorded. */
static void
on_connection_changed (RecConnection *connection, const char *property,
    const char *new_value G_GNUC_UNUSED, void *data)
{
  const RecParticipant *participant = connection->participant;
  RecJob *job = NULL;

  if (participant != NULL && participant->stream != NULL && strcmp (property, "record") == 0)
    job = find_session_job (data, participant->stream);
  if (job != NULL)
    rec_job_change_stream (job, participant->stream);
}

const RecRegistryEvents rec_supervisor_registry_events = {
  .connection_changed = on_connection_changed,
  .participant_joined = on_participant_joined,
  .participant_left = on_participant_left,
  .stream_published = on_stream_published,
  .stream_ended = on_stream_ended,
  .stream_changed = on_stream_changed,
  .session_closed = on_session_closed,
};
