/* facts.c - sessions, connections and recordings as OpenVidu's CDR and webhooks tell of them. */
#define G_LOG_DOMAIN "rec.events.facts"
#include "events/facts.h"

#include <string.h>

#include "session/session.h"

#define MAX_OLD_KEYS 12

const char *const rec_fact_names[] = { "sessionCreated", "sessionDestroyed", "participantJoined",
  "participantLeft", "webrtcConnectionCreated", "webrtcConnectionDestroyed",
  "recordingStatusChanged", "signalSent", "filterEventDispatched", "mediaNodeStatusChanged",
  "autoscaling", "nodeCrashed", "nodeRecovered", "broadcastStarted", "broadcastStopped",
  "HANodeStatusChanged", NULL };

/* What the first era called it, and its keys in its order; a recording's event depends on its status. */
static const struct {
  const char *name, *status, *old_name;
  const char *keys[MAX_OLD_KEYS];
} old_events[] = {
  { "sessionCreated", NULL, "sessionCreated", { NULL } },
  { "sessionDestroyed", NULL, "sessionDestroyed",
      { "startTime", "endTime", "duration", "reason" } },
  { "participantJoined", NULL, "participantJoined", { "participantId" } },
  { "participantLeft", NULL, "participantLeft",
      { "participantId", "startTime", "endTime", "duration", "reason" } },
  { "webrtcConnectionCreated", NULL, "webrtcConnectionCreated",
      { "participantId", "connection", "receivingFrom", "audioEnabled", "videoEnabled",
          "videoSource", "videoFramerate" } },
  { "webrtcConnectionDestroyed", NULL, "webrtcConnectionDestroyed",
      { "participantId", "startTime", "endTime", "duration", "connection", "receivingFrom",
          "audioEnabled", "videoEnabled", "videoSource", "videoFramerate", "reason" } },
  { "recordingStatusChanged", "started", "recordingStarted",
      { "id", "name", "recordingLayout", "hasAudio", "hasVideo", "size", "duration" } },
  { "recordingStatusChanged", "ready", "recordingStopped",
      { "id", "name", "recordingLayout", "hasAudio", "hasVideo", "size", "startTime", "endTime",
          "duration", "reason" } },
  { "recordingStatusChanged", "failed", "recordingStopped",
      { "id", "name", "recordingLayout", "hasAudio", "hasVideo", "size", "startTime", "endTime",
          "duration", "reason" } },
};

RecJson *
rec_fact_new (const char *session_id, const char *unique_id, int64_t timestamp_ms)
{
  RecJson *fact = json_object_new_object ();

  rec_json_set_string (fact, "sessionId", session_id);
  if (unique_id != NULL)
    rec_json_set_string (fact, "uniqueSessionId", unique_id);
  rec_json_set_int (fact, "timestamp", timestamp_ms);
  return fact;
}

RecJson *
rec_fact_of_session (const RecSession *session, int64_t timestamp_ms)
{
  g_autofree char *unique_id =
      g_strdup_printf ("%s_%" G_GINT64_FORMAT, session->id, session->created_at_ms);

  return rec_fact_new (session->id, unique_id, timestamp_ms);
}

void
rec_fact_add_end (RecJson *fact, int64_t start_ms, const char *reason)
{
  const int64_t end_ms = rec_json_int_or (fact, "timestamp", start_ms);

  rec_json_set_int (fact, "startTime", start_ms);
  rec_json_set_int (fact, "duration", MAX (0, end_ms - start_ms) / 1000);
  rec_json_set_string (fact, "reason", reason);
}

void
rec_fact_add (RecJson *fact, RecJson *more)
{
  json_object_object_foreach (more, name, value)
    rec_json_take (fact, name, json_object_get (value));
}

RecJson *
rec_fact_describe_participant (const RecParticipant *participant)
{
  RecJson *json = json_object_new_object ();

  rec_json_set_string (json, "participantId", participant->id);
  rec_json_set_string (json, "connectionId", participant->id);
  rec_json_set_string (json, "location", "unknown");
  rec_json_set_string (json, "ip", participant->ip);
  rec_json_set_string (json, "platform", participant->platform);
  rec_json_set_string (json, "clientData", participant->client_data);
  rec_json_set_string (json, "serverData", participant->server_data);
  return json;
}

static void
add_video (RecJson *json, const RecStreamInfo *stream)
{
  if (!stream->has_video)
    return;
  rec_json_set_string (json, "videoSource", stream->type_of_video);
  if (stream->frame_rate >= 0)
    rec_json_set_int (json, "videoFramerate", stream->frame_rate);
  else
    rec_json_take (json, "videoFramerate", NULL);
  rec_json_set_string (json, "videoDimensions", stream->video_dimensions);
}

static void
add_camera (RecJson *json, const RecParticipant *owner)
{
  if (!rec_participant_is_camera (owner))
    return;
  const RecCameraInfo *camera = owner->connection->camera;
  g_autofree char *shown = rec_camera_info_dup_shown_uri (camera);

  rec_json_set_string (json, "rtspUri", shown);
  rec_json_set_bool (json, "adaptativeBitrate", camera->adapts_bitrate);
  rec_json_set_bool (json, "onlyPlayWithSubscribers", camera->only_with_subscribers);
  rec_json_set_int (json, "networkCache", camera->network_cache_ms);
}

RecJson *
rec_fact_describe_connection (const RecStreamInfo *stream, const RecParticipant *subscriber)
{
  const RecParticipant *who = subscriber != NULL ? subscriber : stream->owner;
  RecJson *json = json_object_new_object ();

  rec_json_set_string (json, "streamId", stream->id);
  rec_json_set_string (json, "participantId", who->id);
  rec_json_set_string (json, "connectionId", who->id);
  rec_json_set_string (json, "connection", subscriber != NULL ? "INBOUND" : "OUTBOUND");
  if (subscriber != NULL)
    rec_json_set_string (json, "receivingFrom", stream->owner->id);
  add_video (json, stream);
  if (subscriber == NULL)
    add_camera (json, stream->owner);
  rec_json_set_bool (json, "audioEnabled", stream->has_audio);
  rec_json_set_bool (json, "videoEnabled", stream->has_video);
  return json;
}

static const char *
name_status (RecRecordingStatus status)
{
  switch (status) {
  case REC_RECORDING_STARTING:
    return "starting";
  case REC_RECORDING_STARTED:
    return "started";
  case REC_RECORDING_STOPPED:
    return "stopped";
  case REC_RECORDING_READY:
    return "ready";
  case REC_RECORDING_FAILED:
  case REC_RECORDING_INVALID:
    break;
  }
  return "failed";
}

static void
add_picture (RecJson *json, const RecRecordingProperties *properties)
{
  g_autofree char *resolution = g_strdup_printf ("%dx%d", properties->width, properties->height);

  rec_json_set_string (json, "resolution", resolution);
  rec_json_set_int (json, "frameRate", properties->frame_rate);
  rec_json_set_string (json, "recordingLayout", properties->recording_layout);
  if (strcmp (properties->recording_layout, "CUSTOM") == 0 && properties->custom_layout != NULL)
    rec_json_set_string (json, "customLayout", properties->custom_layout);
}

RecJson *
rec_fact_describe_recording (const RecRecording *recording)
{
  const RecRecordingProperties *properties = recording->properties;
  const bool is_over = !rec_recording_is_active (recording);
  RecJson *json = json_object_new_object ();

  rec_json_set_string (json, "id", recording->id);
  rec_json_set_string (json, "name", recording->name);
  rec_json_set_string (json, "outputMode", rec_output_mode_to_string (properties->output_mode));
  if (properties->output_mode != REC_OUTPUT_INDIVIDUAL && properties->has_video)
    add_picture (json, properties);
  rec_json_set_bool (json, "hasAudio", recording->has_audio);
  rec_json_set_bool (json, "hasVideo", recording->has_video);
  rec_json_set_int (json, "size", is_over ? recording->size : 0);
  rec_json_set_double (json, "duration", is_over ? recording->duration_s : 0);
  rec_json_set_string (json, "status", name_status (recording->status));
  rec_json_set_int (json, "startTime", recording->created_at_ms);
  if (recording->reason != NULL)
    rec_json_set_string (json, "reason", rec_fact_final_reason (recording->reason));
  return json;
}

static RecJson *
list_receivers (const RecSession *session, const GPtrArray *to)
{
  const GPtrArray *receivers = to != NULL ? to : session->participants;
  RecJson *ids = json_object_new_array ();

  for (guint i = 0; i < receivers->len; i++) {
    const RecParticipant *receiver = receivers->pdata[i];
    if (!receiver->is_hidden)
      json_object_array_add (ids, json_object_new_string (receiver->id));
  }
  return ids;
}

RecJson *
rec_fact_describe_signal (RecSession *session, const RecParticipant *from, const GPtrArray *to,
    const char *type, const char *text)
{
  /* As OpenVidu has it: the prefix stays on signals that an application's server sent. */
  g_autofree char *prefixed =
      g_strconcat (from == NULL && *type != '\0' ? "signal:" : "", type, NULL);
  RecJson *json = json_object_new_object ();

  rec_json_set_string (json, "from", from != NULL ? from->id : NULL);
  rec_json_take (json, "to", list_receivers (session, to));
  rec_json_set_string (json, "type", prefixed);
  rec_json_set_string (json, "data", text);
  return json;
}

const char *
rec_fact_final_reason (const char *reason)
{
  static const char *const of_leaving[] = { "disconnect", "forceDisconnectByUser",
    "forceDisconnectByServer", "networkDisconnect", NULL };

  return reason != NULL && g_strv_contains (of_leaving, reason) ? "lastParticipantLeft" : reason;
}

/* --- forms ---------------------------------------------------------------------------------------------------- */

static RecJson *
wrap (const char *name, RecJson *fact)
{
  RecJson *object = json_object_new_object ();

  rec_json_take (object, name, fact);
  return object;
}

static void
copy_key (RecJson *old, RecJson *fact, const char *key)
{
  RecJson *value = NULL;
  const char *source = strcmp (key, "endTime") == 0 ? "timestamp" : key;

  if (json_object_object_get_ex (fact, source, &value))
    rec_json_take (old, key, json_object_get (value));
}

RecJson *
rec_fact_wrap_old (const char *name, RecJson *fact)
{
  const char *status = rec_json_string_or (fact, "status", "");

  for (size_t i = 0; i < G_N_ELEMENTS (old_events); i++) {
    if (strcmp (old_events[i].name, name) != 0 ||
        (old_events[i].status != NULL && strcmp (old_events[i].status, status) != 0))
      continue;
    RecJson *old = json_object_new_object ();
    copy_key (old, fact, "sessionId");
    copy_key (old, fact, "timestamp");
    for (size_t k = 0; k < MAX_OLD_KEYS && old_events[i].keys[k] != NULL; k++)
      copy_key (old, fact, old_events[i].keys[k]);
    return wrap (old_events[i].old_name, old);
  }
  return NULL;
}

RecJson *
rec_fact_wrap_new (const char *name, RecJson *fact)
{
  return wrap (name, json_object_get (fact));
}

RecJson *
rec_fact_flatten (const char *name, RecJson *fact)
{
  RecJson *flat = json_object_new_object ();

  rec_fact_add (flat, fact);
  rec_json_set_string (flat, "event", name);
  return flat;
}
