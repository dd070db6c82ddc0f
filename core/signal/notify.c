/* notify.c - what becomes of a session, told to those who are in it. */
#define G_LOG_DOMAIN "rec.signal.notify"
#include "base/log.h"
#include "signal/private.h"

#include <string.h>

static void
notify_participant (const RecParticipant *participant, const char *method, RecJson *params)
{
  RecSeat *seat = rec_seat_of (participant);

  if (seat != NULL)
    rec_seat_notify (seat, method, params);
}

/* params is taken; except may be NULL. */
static void
notify_others (const RecSession *session, const RecParticipant *except, const char *method,
    RecJson *params)
{
  g_autoptr (RecJson) taken = params;

  for (guint i = 0; i < session->participants->len; i++)
    if (session->participants->pdata[i] != except)
      notify_participant (session->participants->pdata[i], method, taken);
}

/* Older clients read `name`, newer ones `connectionId`. */
static RecJson *
make_end (const RecParticipant *participant, const char *reason)
{
  RecJson *params = json_object_new_object ();

  rec_json_set_string (params, "name", participant->id);
  rec_json_set_string (params, "connectionId", participant->id);
  rec_json_set_string (params, "reason", reason);
  return params;
}

static void
on_participant_joined (RecParticipant *participant, void *data G_GNUC_UNUSED)
{
  RecJson *params;

  rec_log_with (G_LOG_LEVEL_INFO,
      (&(RecLogFields){ .session = participant->session->id, .participant = participant->id }),
      "participant joined");
  if (participant->is_hidden)
    return;
  params = json_object_new_object ();
  rec_json_set_string (params, "id", participant->id);
  rec_json_set_int (params, "createdAt", participant->joined_at_ms);
  rec_json_set_string (params, "metadata", participant->metadata);
  notify_others (participant->session, participant, "participantJoined", params);
}

/* One who didn't ask to leave is told, and must close its socket or has it closed. */
static void
evict (RecSeat *seat, const char *reason)
{
  RecSignalClient *client = seat->client;
  g_autoptr (RecJson) params = json_object_new_object ();

  rec_json_set_string (params, "connectionId", seat->participant->id);
  rec_json_set_string (params, "reason", reason);
  rec_seat_notify (seat, "participantEvicted", params);
  if (seat->dialect->understands_eviction)
    rec_signal_client_close_later (client);
  else
    rec_signal_client_close (client, reason);
}

static void
on_participant_left (RecParticipant *participant, const char *reason, void *data)
{
  RecSignalServer *server = data;
  RecSeat *seat = rec_seat_of (participant);

  rec_log_with (G_LOG_LEVEL_INFO,
      (&(RecLogFields){ .session = participant->session->id, .participant = participant->id }),
      "participant left: %s", reason);
  if (!participant->is_hidden)
    notify_others (participant->session, participant, "participantLeft",
        make_end (participant, reason));
  if (seat == NULL)
    return;
  if (seat->client != NULL && !seat->leaves_by_itself)
    evict (seat, reason);
  g_hash_table_remove (server->seats, participant->rpc_id);
}

static void
on_stream_published (RecStreamInfo *stream, void *data G_GNUC_UNUSED)
{
  const RecParticipant *owner = stream->owner;

  for (guint i = 0; i < owner->session->participants->len; i++) {
    const RecParticipant *other = owner->session->participants->pdata[i];
    RecSeat *seat = rec_seat_of (other);
    if (other == owner || seat == NULL)
      continue;
    g_autoptr (RecJson) params = rec_describe_participant (owner, seat->dialect);
    rec_seat_notify (seat, "participantPublished", params);
  }
}

static void
on_stream_ended (RecStreamInfo *stream, const char *reason, void *data G_GNUC_UNUSED)
{
  const RecParticipant *owner = stream->owner;
  const RecSeat *seat = rec_seat_of (owner);
  bool owner_must_know;

  /* That it leaves says that its stream ends. */
  if (!stream->is_published || owner->is_leaving)
    return;
  owner_must_know = strcmp (reason, "unpublish") != 0 && seat != NULL &&
                    seat->dialect->understands_eviction;
  notify_others (owner->session, owner_must_know ? NULL : owner, "participantUnpublished",
      make_end (owner, reason));
}

/* Clients parse the value of videoDimensions twice. */
static void
set_new_value (RecJson *params, const char *property, const char *value)
{
  if (strcmp (property, "videoDimensions") == 0) {
    g_autoptr (RecJson) inner = json_object_new_string (value);
    g_autofree char *text = rec_json_to_text (inner);
    rec_json_set_string (params, "newValue", text);
  } else {
    rec_json_set_string (params, "newValue", value);
  }
}

static void
on_stream_changed (RecStreamInfo *stream, const char *property, const char *new_value,
    const char *reason, void *data G_GNUC_UNUSED)
{
  const RecParticipant *owner = stream->owner;
  g_autoptr (RecJson) params = NULL;

  if (!stream->is_published)
    return;
  params = json_object_new_object ();
  rec_json_set_string (params, "connectionId", owner->id);
  rec_json_set_string (params, "streamId", stream->id);
  rec_json_set_string (params, "property", property);
  set_new_value (params, property, new_value);
  rec_json_set_string (params, "reason", reason);
  for (guint i = 0; i < owner->session->participants->len; i++) {
    const RecParticipant *other = owner->session->participants->pdata[i];
    RecSeat *seat = rec_seat_of (other);
    if (other != owner && seat != NULL && seat->dialect->hears_stream_changes)
      rec_seat_notify (seat, "streamPropertyChanged", params);
  }
}

static void
on_connection_changed (RecConnection *connection, const char *property, const char *new_value,
    void *data G_GNUC_UNUSED)
{
  RecSeat *seat = rec_seat_of (connection->participant);
  g_autoptr (RecJson) params = json_object_new_object ();

  if (seat == NULL || !seat->dialect->hears_stream_changes)
    return;
  rec_json_set_string (params, "property", property);
  rec_json_set_string (params, "newValue", new_value);
  rec_seat_notify (seat, "connectionPropertyChanged", params);
}

static void
on_signal_sent (RecSession *session, RecParticipant *from, GPtrArray *to, const char *type,
    const char *text, void *data G_GNUC_UNUSED)
{
  const GPtrArray *receivers = to != NULL ? to : session->participants;

  for (guint i = 0; i < receivers->len; i++) {
    const RecParticipant *receiver = receivers->pdata[i];
    RecSeat *seat = rec_seat_of (receiver);
    if (seat == NULL)
      continue;
    g_autoptr (RecJson) params = json_object_new_object ();
    g_autofree char *its_type = seat->dialect->make_signal_type (type);
    rec_json_set_string (params, "data", text);
    rec_json_set_string (params, "type", its_type);
    if (from != NULL)
      rec_json_set_string (params, "from", from->id);
    else if (seat->dialect->needs_signal_sender)
      rec_json_set_string (params, "from", receiver->id);
    rec_seat_notify (seat, "sendMessage", params);
  }
}

static void
notify_of_recording (RecSignalServer *server, const RecSession *session,
    const RecRecording *recording, const char *method)
{
  g_autoptr (RecJson) params = json_object_new_object ();

  rec_json_set_string (params, "id", recording->id);
  rec_json_set_string (params, "name", recording->name);
  if (strcmp (method, "recordingStopped") == 0 && recording->reason != NULL)
    rec_json_set_string (params, "reason", recording->reason);
  for (guint i = 0; i < session->participants->len; i++)
    if (rec_may_hear_of_recordings (server->config, session->participants->pdata[i]))
      notify_participant (session->participants->pdata[i], method, params);
}

static void
on_recording_changed (RecRecording *recording, RecRecordingStatus before, void *data)
{
  const RecSession *session = recording->session;

  if (session == NULL)
    return;
  switch (recording->status) {
  case REC_RECORDING_STARTED:
    notify_of_recording (data, session, recording, "recordingStarted");
    break;
  case REC_RECORDING_READY:
  case REC_RECORDING_FAILED:
    if (before != REC_RECORDING_STARTING)
      notify_of_recording (data, session, recording, "recordingStopped");
    break;
  case REC_RECORDING_INVALID:
  case REC_RECORDING_STARTING:
  case REC_RECORDING_STOPPED:
    break;
  }
}

const RecRegistryEvents rec_notify_events = {
  .participant_joined = on_participant_joined,
  .participant_left = on_participant_left,
  .stream_published = on_stream_published,
  .stream_ended = on_stream_ended,
  .stream_changed = on_stream_changed,
  .connection_changed = on_connection_changed,
  .signal_sent = on_signal_sent,
  .recording_changed = on_recording_changed,
};
