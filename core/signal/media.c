/* media.c - publishing and subscribing: offers to the router, its answers to the clients. */
#define G_LOG_DOMAIN "rec.signal.media"
#include "base/error.h"
#include "base/log.h"
#include "media/router.h"
#include "signal/private.h"

#include <string.h>

typedef enum {
  NEGOTIATION_INVALID = 0,
  NEGOTIATION_PUBLISH,
  NEGOTIATION_PUBLISH_AGAIN,
  NEGOTIATION_SUBSCRIBE,
} NegotiationKind;

/* An answer that the router owes. Participant, stream and client may all be gone when it comes. */
typedef struct {
  RecSignalServer *server; /* NULL when it is gone */
  NegotiationKind kind;
  char *rpc_id;
  char *stream_id;
  uint64_t client_serial;
  RecJson *id;
} RecNegotiation;

static RecNegotiation *
start_negotiation (RecSignalClient *client, const RecRpcRequest *request, NegotiationKind kind,
    const RecStreamInfo *stream)
{
  RecNegotiation *negotiation = g_new0 (RecNegotiation, 1);

  negotiation->server = client->server;
  negotiation->kind = kind;
  negotiation->rpc_id = g_strdup (client->seat->participant->rpc_id);
  negotiation->stream_id = g_strdup (stream->id);
  negotiation->client_serial = client->serial;
  negotiation->id = json_object_get (request->id);
  g_hash_table_add (client->server->negotiations, negotiation);
  return negotiation;
}

static void
free_negotiation (RecNegotiation *negotiation)
{
  if (negotiation->server != NULL)
    g_hash_table_remove (negotiation->server->negotiations, negotiation);
  g_free (negotiation->rpc_id);
  g_free (negotiation->stream_id);
  json_object_put (negotiation->id);
  g_free (negotiation);
}

void
rec_negotiations_free (RecSignalServer *server)
{
  GHashTableIter iter;
  void *key;

  g_hash_table_iter_init (&iter, server->negotiations);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    ((RecNegotiation *) key)->server = NULL;
  g_hash_table_unref (server->negotiations);
}

/* The one that asked, unless it was replaced meanwhile: a new socket doesn't know the old one's requests. */
static RecSignalClient *
find_asking_client (const RecNegotiation *negotiation)
{
  const RecSeat *seat = rec_seat_find (negotiation->server, negotiation->rpc_id);

  if (seat == NULL || seat->client == NULL || seat->client->serial != negotiation->client_serial)
    return NULL;
  return seat->client;
}

static int
choose_media_code (const GError *cause)
{
  if (g_error_matches (cause, REC_ERROR, REC_ERROR_INVALID_ARGUMENT))
    return REC_RPC_SDP;
  if (g_error_matches (cause, REC_ERROR, REC_ERROR_NOT_ACCEPTABLE) ||
      g_error_matches (cause, REC_ERROR, REC_ERROR_UNPROCESSABLE))
    return REC_RPC_NO_FORCED_CODEC;
  if (g_error_matches (cause, REC_ERROR, REC_ERROR_NOT_FOUND))
    return REC_RPC_USER_NOT_STREAMING;
  return REC_RPC_ENDPOINT;
}

static void
answer_failure (RecSignalClient *client, RecJson *id, const GError *cause)
{
  g_autoptr (GError) error = g_error_new (REC_RPC_ERROR, choose_media_code (cause), "%s",
      rec_error_public_message (cause));

  if (client != NULL)
    rec_signal_client_answer_error (client, id, error);
}

static void
answer_gone (RecSignalClient *client, RecJson *id, const char *stream_id)
{
  g_autoptr (GError) error = g_error_new (REC_RPC_ERROR, REC_RPC_USER_NOT_STREAMING,
      "stream '%s' ended while it was being negotiated", stream_id);

  if (client != NULL)
    rec_signal_client_answer_error (client, id, error);
}

static void
finish_publishing (RecNegotiation *negotiation, const char *sdp_answer, const GError *error)
{
  RecRegistry *registry = negotiation->server->registry;
  RecSignalClient *client = find_asking_client (negotiation);
  const RecSeat *seat = rec_seat_find (negotiation->server, negotiation->rpc_id);
  RecStreamInfo *stream = seat != NULL ? seat->participant->stream : NULL;
  bool is_new = negotiation->kind == NEGOTIATION_PUBLISH;
  RecJson *result;

  if (stream != NULL && strcmp (stream->id, negotiation->stream_id) != 0)
    stream = NULL;
  if (error != NULL) {
    answer_failure (client, negotiation->id, error);
    if (is_new && stream != NULL)
      rec_registry_end_stream (registry, stream, "networkDisconnect");
    return;
  }
  if (stream == NULL) {
    answer_gone (client, negotiation->id, negotiation->stream_id);
    return;
  }
  if (client == NULL) {
    if (is_new)
      rec_registry_end_stream (registry, stream, "networkDisconnect");
    return;
  }
  result = json_object_new_object ();
  rec_json_set_string (result, "sdpAnswer", sdp_answer);
  rec_json_set_string (result, "id", stream->id);
  rec_json_set_int (result, "createdAt", stream->created_at_ms);
  rec_signal_client_answer (client, negotiation->id, result);
  if (is_new)
    rec_registry_announce_stream (registry, stream);
}

static void
finish_subscribing (RecNegotiation *negotiation, const char *sdp_answer, const GError *error)
{
  RecSignalClient *client = find_asking_client (negotiation);
  RecParticipant *subscriber;
  RecStreamInfo *stream;
  RecJson *result;

  if (error != NULL) {
    answer_failure (client, negotiation->id, error);
    return;
  }
  if (client == NULL)
    return;
  subscriber = client->seat->participant;
  stream = rec_session_find_stream (subscriber->session, negotiation->stream_id);
  if (stream == NULL) {
    answer_gone (client, negotiation->id, negotiation->stream_id);
    return;
  }
  result = json_object_new_object ();
  rec_json_set_string (result, "sdpAnswer", sdp_answer);
  rec_signal_client_answer (client, negotiation->id, result);
  rec_registry_subscribe_to_stream (negotiation->server->registry, subscriber, stream, NULL);
}

static void
on_answer (const char *sdp_answer, const GError *error, void *data)
{
  RecNegotiation *negotiation = data;

  if (negotiation->server != NULL) {
    switch (negotiation->kind) {
    case NEGOTIATION_PUBLISH:
    case NEGOTIATION_PUBLISH_AGAIN:
      finish_publishing (negotiation, sdp_answer, error);
      break;
    case NEGOTIATION_SUBSCRIBE:
      finish_subscribing (negotiation, sdp_answer, error);
      break;
    case NEGOTIATION_INVALID:
      break;
    }
  }
  free_negotiation (negotiation);
}

/* OpenVidu before 2.3 said audioActive and videoActive for what was hasAudio and hasVideo later. */
static void
read_medium (RecJson *params, const char *has_name, const char *active_name, bool *has,
    bool *is_active)
{
  bool active = rec_json_bool_or (params, active_name, true);

  *has = rec_json_bool_or (params, has_name, rec_json_bool_or (params, active_name, false));
  *is_active = *has && active;
}

static const char *
choose_type_of_video (const char *given)
{
  static const char *const types[] = { "CAMERA", "SCREEN", "CUSTOM", "IPCAM" };

  for (size_t i = 0; i < G_N_ELEMENTS (types); i++)
    if (strcmp (given, types[i]) == 0)
      return types[i];
  return *given == '\0' ? "CAMERA" : "CUSTOM";
}

static void
translate_publish_error (const GError *cause, GError **error)
{
  int code = REC_RPC_MEDIA_FAILED;

  if (g_error_matches (cause, REC_ERROR, REC_ERROR_UNAUTHORIZED))
    code = REC_RPC_UNAUTHORIZED;
  else if (g_error_matches (cause, REC_ERROR, REC_ERROR_CONFLICT))
    code = REC_RPC_ALREADY_STREAMING;
  g_set_error (error, REC_RPC_ERROR, code, "%s", rec_error_public_message (cause));
}

static RecStreamInfo *
add_stream (RecSignalClient *client, RecJson *params, GError **error)
{
  double frame_rate = rec_json_double_or (params, "frameRate", -1);
  g_autofree char *type = NULL, *dimensions = NULL;
  g_autoptr (GError) cause = NULL;
  RecStreamInfo properties = { .frame_rate = -1,
    .is_echoed = rec_json_bool_or (params, "doLoopback", false) };
  RecStreamInfo *stream;

  read_medium (params, "hasAudio", "audioActive", &properties.has_audio, &properties.audio_active);
  read_medium (params, "hasVideo", "videoActive", &properties.has_video, &properties.video_active);
  if (!properties.has_audio && !properties.has_video) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_INVALID_PARAMS,
        "cannot publish a stream that has neither audio nor video");
    return NULL;
  }
  if (properties.has_video) {
    type = g_strdup (choose_type_of_video (rec_json_string_or (params, "typeOfVideo", "")));
    dimensions = rec_stream_dup_dimensions (rec_json_string_or (params, "videoDimensions", NULL));
    if (frame_rate >= 1 && frame_rate <= 1000)
      properties.frame_rate = (int) frame_rate;
  }
  properties.type_of_video = type;
  properties.video_dimensions = dimensions;
  stream = rec_registry_add_stream (client->server->registry, client->seat->participant,
      &properties, &cause);
  if (stream == NULL)
    translate_publish_error (cause, error);
  return stream;
}

RecJson *
rec_handle_publish_video (RecSignalClient *client, const RecRpcRequest *request, GError **error)
{
  RecStreamInfo *stream = add_stream (client, request->params, error);

  if (stream != NULL)
    rec_router_publish (client->server->router, stream,
        rec_json_string_or (request->params, "sdpOffer", ""), on_answer,
        start_negotiation (client, request, NEGOTIATION_PUBLISH, stream));
  return NULL;
}

RecJson *
rec_handle_unpublish_video (RecSignalClient *client, const RecRpcRequest *request G_GNUC_UNUSED,
    GError **error)
{
  RecParticipant *participant = client->seat->participant;

  if (participant->stream == NULL) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_USER_NOT_STREAMING, "'%s' publishes nothing",
        participant->id);
    return NULL;
  }
  rec_registry_end_stream (client->server->registry, participant->stream, "unpublish");
  return json_object_new_object ();
}

static RecStreamInfo *
find_stream_to_receive (const RecParticipant *subscriber, const char *stream_id, GError **error)
{
  RecSession *session = subscriber->session;
  RecStreamInfo *stream = rec_session_find_stream (session, stream_id);

  if (stream != NULL && stream->owner != subscriber)
    return stream;
  for (guint i = 0; i < session->participants->len; i++) {
    const RecParticipant *other = session->participants->pdata[i];
    if (!g_str_has_suffix (stream_id, other->id))
      continue;
    g_set_error (error, REC_RPC_ERROR, REC_RPC_USER_NOT_STREAMING,
        "'%s' publishes no stream '%s' that others could receive", other->id, stream_id);
    return NULL;
  }
  g_set_error (error, REC_RPC_ERROR, REC_RPC_USER_NOT_FOUND,
      "there is no stream '%s' in session '%s'", stream_id, session->id);
  return NULL;
}

static void
subscribe (RecSignalClient *client, const RecRpcRequest *request, RecStreamInfo *stream)
{
  rec_router_subscribe (client->server->router, stream, client->seat->participant,
      rec_json_string_or (request->params, "sdpOffer", ""), on_answer,
      start_negotiation (client, request, NEGOTIATION_SUBSCRIBE, stream));
}

RecJson *
rec_handle_receive_video_from (RecSignalClient *client, const RecRpcRequest *request,
    GError **error)
{
  const char *stream_id = rec_json_string_or (request->params, "sender", "");
  RecStreamInfo *stream = find_stream_to_receive (client->seat->participant, stream_id, error);

  if (stream != NULL)
    subscribe (client, request, stream);
  return NULL;
}

RecJson *
rec_handle_unsubscribe_from_video (RecSignalClient *client, const RecRpcRequest *request,
    GError **error)
{
  RecSignalServer *server = client->server;
  RecParticipant *subscriber = client->seat->participant;
  const char *owner_id = rec_json_string_or (request->params, "sender", "");
  const RecParticipant *owner = rec_session_find_participant (subscriber->session, owner_id);

  if (owner == NULL) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_USER_NOT_FOUND, "'%s' is not connected", owner_id);
    return NULL;
  }
  if (owner->stream != NULL && owner != subscriber) {
    rec_router_unsubscribe (server->router, owner->stream->id, subscriber);
    rec_registry_unsubscribe_from_stream (server->registry, subscriber, owner->stream->id);
  }
  return json_object_new_object ();
}

/* The publisher calls its offer sdpString (before 2.18 sdpOffer), a subscriber sdpOffer. */
RecJson *
rec_handle_reconnect_stream (RecSignalClient *client, const RecRpcRequest *request, GError **error)
{
  RecParticipant *participant = client->seat->participant;
  const char *stream_id = rec_json_string_or (request->params, "stream", "");
  const char *sdp = rec_json_string_or (request->params, "sdpOffer", NULL);
  RecStreamInfo *stream = participant->stream;
  bool is_own = stream != NULL && stream->is_published && strcmp (stream->id, stream_id) == 0;

  if (is_own)
    sdp = rec_json_string_or (request->params, "sdpString", sdp);
  if (sdp == NULL) {
    g_set_error (error, REC_RPC_ERROR, REC_RPC_INVALID_PARAMS,
        "cannot reconnect stream '%s' without an offer", stream_id);
    return NULL;
  }
  if (is_own) {
    rec_router_publish (client->server->router, stream, sdp, on_answer,
        start_negotiation (client, request, NEGOTIATION_PUBLISH_AGAIN, stream));
    return NULL;
  }
  stream = find_stream_to_receive (participant, stream_id, error);
  if (stream != NULL)
    subscribe (client, request, stream);
  return NULL;
}

/* Clients go on sending candidates for what has ended: never an error. */
RecJson *
rec_handle_on_ice_candidate (RecSignalClient *client, const RecRpcRequest *request,
    GError **error G_GNUC_UNUSED)
{
  RecParticipant *participant = client->seat->participant;
  RecJson *params = request->params;
  RecParticipant *owner = rec_session_find_participant (participant->session,
      rec_json_string_or (params, "endpointName", ""));

  if (owner != NULL)
    rec_router_add_candidate (client->server->router, participant, owner,
        rec_json_string_or (params, "candidate", ""), rec_json_string_or (params, "sdpMid", NULL),
        (int) rec_json_int_or (params, "sdpMLineIndex", -1));
  return json_object_new_object ();
}

static void
on_candidate (RecParticipant *participant, RecParticipant *owner, const char *candidate,
    const char *sdp_mid, int sdp_mline_index, void *data G_GNUC_UNUSED)
{
  RecSeat *seat = rec_seat_of (participant);
  g_autoptr (RecJson) params = json_object_new_object ();

  if (seat == NULL)
    return;
  rec_json_set_string (params, "senderConnectionId", owner->id);
  rec_json_set_string (params, "endpointName", owner->id);
  rec_json_set_string (params, "candidate", candidate);
  rec_json_set_string (params, "sdpMid", sdp_mid);
  rec_json_set_int (params, "sdpMLineIndex", sdp_mline_index);
  rec_seat_notify (seat, "iceCandidate", params);
}

static void
on_publisher_lost (RecStreamInfo *stream, const char *why, void *data)
{
  RecSignalServer *server = data;

  rec_log_with (G_LOG_LEVEL_WARNING,
      (&(RecLogFields){ .session = stream->owner->session->id, .stream = stream->id }),
      "ending a stream that gives nothing any more: %s", why);
  if (rec_participant_is_camera (stream->owner))
    rec_registry_leave (server->registry, stream->owner, "networkDisconnect");
  else
    rec_registry_end_stream (server->registry, stream, "networkDisconnect");
}

static const RecRouterEvents router_events = {
  .candidate = on_candidate,
  .publisher_lost = on_publisher_lost,
};

void
rec_signal_take_router_events (RecSignalServer *server)
{
  rec_router_set_events (server->router, &router_events, server);
}

void
rec_signal_drop_router_events (RecSignalServer *server)
{
  static const RecRouterEvents none = { 0 };

  rec_router_set_events (server->router, &none, NULL);
}
