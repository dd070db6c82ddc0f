/* methods.c - every request that clients may send: its fields and who handles it. */
#define G_LOG_DOMAIN "rec.signal.methods"
#include "signal/private.h"

#include <string.h>

#define MAX_ID_BYTES 256
#define MAX_CANDIDATE_BYTES 2000

static const RecJsonField ping_fields[] = {
  { .name = "interval", .type = REC_JSON_NUMBER },
  REC_JSON_FIELDS_END,
};

static const RecJsonField connect_fields[] = {
  { .name = "sessionId", .type = REC_JSON_STRING, .max = MAX_ID_BYTES },
  REC_JSON_FIELDS_END,
};

static const RecJsonField join_fields[] = {
  { .name = "token", .type = REC_JSON_STRING },
  { .name = "session", .type = REC_JSON_STRING, .required = true, .max = MAX_ID_BYTES },
  { .name = "metadata", .type = REC_JSON_STRING },
  { .name = "secret", .type = REC_JSON_STRING },
  { .name = "recorder", .type = REC_JSON_BOOLEAN },
  { .name = "platform", .type = REC_JSON_STRING },
  { .name = "sdkVersion", .type = REC_JSON_STRING },
  { .name = "stt", .type = REC_JSON_BOOLEAN },
  REC_JSON_FIELDS_END,
};

static const RecJsonField publish_fields[] = {
  { .name = "sdpOffer", .type = REC_JSON_STRING, .required = true, .min = 1, .max = INT32_MAX },
  { .name = "doLoopback", .type = REC_JSON_BOOLEAN },
  { .name = "hasAudio", .type = REC_JSON_BOOLEAN },
  { .name = "hasVideo", .type = REC_JSON_BOOLEAN },
  { .name = "audioActive", .type = REC_JSON_BOOLEAN },
  { .name = "videoActive", .type = REC_JSON_BOOLEAN },
  { .name = "typeOfVideo", .type = REC_JSON_STRING },
  { .name = "frameRate", .type = REC_JSON_NUMBER },
  { .name = "videoDimensions", .type = REC_JSON_STRING },
  REC_JSON_FIELDS_END,
};

static const RecJsonField receive_fields[] = {
  { .name = "sender", .type = REC_JSON_STRING, .required = true, .min = 1, .max = MAX_ID_BYTES },
  { .name = "sdpOffer", .type = REC_JSON_STRING, .required = true, .min = 1, .max = INT32_MAX },
  REC_JSON_FIELDS_END,
};

static const RecJsonField sender_fields[] = {
  { .name = "sender", .type = REC_JSON_STRING, .required = true, .min = 1, .max = MAX_ID_BYTES },
  REC_JSON_FIELDS_END,
};

static const RecJsonField reconnect_fields[] = {
  { .name = "stream", .type = REC_JSON_STRING, .required = true, .min = 1, .max = MAX_ID_BYTES },
  { .name = "sdpString", .type = REC_JSON_STRING },
  { .name = "sdpOffer", .type = REC_JSON_STRING },
  { .name = "forciblyReconnect", .type = REC_JSON_BOOLEAN },
  REC_JSON_FIELDS_END,
};

static const RecJsonField candidate_fields[] = {
  { .name = "endpointName", .type = REC_JSON_STRING, .required = true, .max = MAX_ID_BYTES },
  { .name = "candidate", .type = REC_JSON_STRING, .max = MAX_CANDIDATE_BYTES },
  { .name = "sdpMid", .type = REC_JSON_STRING, .max = MAX_ID_BYTES },
  { .name = "sdpMLineIndex", .type = REC_JSON_INTEGER, .max = 1000 },
  REC_JSON_FIELDS_END,
};

static const RecJsonField message_fields[] = {
  { .name = "message", .type = REC_JSON_STRING, .required = true },
  REC_JSON_FIELDS_END,
};

static const RecJsonField property_fields[] = {
  { .name = "streamId", .type = REC_JSON_STRING, .required = true, .max = MAX_ID_BYTES },
  { .name = "property", .type = REC_JSON_STRING, .required = true, .max = MAX_ID_BYTES },
  { .name = "newValue", .type = REC_JSON_ANY, .required = true },
  { .name = "reason", .type = REC_JSON_STRING, .max = MAX_ID_BYTES },
  REC_JSON_FIELDS_END,
};

static const RecJsonField connection_fields[] = {
  { .name = "connectionId", .type = REC_JSON_STRING, .required = true, .max = MAX_ID_BYTES },
  REC_JSON_FIELDS_END,
};

static const RecJsonField stream_fields[] = {
  { .name = "streamId", .type = REC_JSON_STRING, .required = true, .max = MAX_ID_BYTES },
  REC_JSON_FIELDS_END,
};

static const RecSignalMethod methods[] = {
  { "ping", rec_handle_ping, ping_fields, false },
  { "connect", rec_handle_connect, connect_fields, false },
  { "joinRoom", rec_handle_join_room, join_fields, false },
  { "leaveRoom", rec_handle_leave_room, NULL, true },
  { "closeSession", rec_handle_close_session, NULL, false },
  { "publishVideo", rec_handle_publish_video, publish_fields, true },
  { "unpublishVideo", rec_handle_unpublish_video, NULL, true },
  { "receiveVideoFrom", rec_handle_receive_video_from, receive_fields, true },
  { "unsubscribeFromVideo", rec_handle_unsubscribe_from_video, sender_fields, true },
  { "reconnectStream", rec_handle_reconnect_stream, reconnect_fields, true },
  { "onIceCandidate", rec_handle_on_ice_candidate, candidate_fields, true },
  { "sendMessage", rec_handle_send_message, message_fields, true },
  { "streamPropertyChanged", rec_handle_stream_property_changed, property_fields, true },
  { "forceDisconnect", rec_handle_force_disconnect, connection_fields, true },
  { "forceUnpublish", rec_handle_force_unpublish, stream_fields, true },
  { "applyFilter", rec_handle_filter, stream_fields, true },
  { "removeFilter", rec_handle_filter, stream_fields, true },
  { "execFilterMethod", rec_handle_filter, stream_fields, true },
  { "addFilterEventListener", rec_handle_filter_listener, stream_fields, true },
  { "removeFilterEventListener", rec_handle_filter_listener, stream_fields, true },
  { "subscribeToSpeechToText", rec_handle_speech_to_text, connection_fields, true },
  { "unsubscribeFromSpeechToText", rec_handle_speech_to_text, connection_fields, true },
  { "videoData", rec_handle_nothing, NULL, true },
  { "echo", rec_handle_nothing, NULL, true },
};

const RecSignalMethod *
rec_signal_method_find (const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (methods[i].name, name) == 0)
      return &methods[i];
  return NULL;
}
