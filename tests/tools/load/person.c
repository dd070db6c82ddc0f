/* person.c - the messages of openvidu-browser, in its order. */
#include "person.h"

#include <string.h>

#include "base/error.h"
#include "rpc.h"

#define PING_MS 5000
#define ATTEMPTS 3
#define PLATFORM "recto-load"
#define SDK_VERSION "2.32.2"

typedef struct {
  LoadPerson *person;
  char *owner;     /* connection id; NULL: our own, which publishes */
  char *stream_id; /* of what is watched */
  LoadPeer *peer;
  LoadWatch *watch;
  LoadChannel *channel; /* when it sends */
} Link;

struct LoadPerson {
  const LoadPersonSettings *settings;
  LoadTally *tally;
  LoadPersonEvents events;
  void *data;
  struct Entrance *entrance; /* while it comes in */
  LoadRpc *rpc;
  char *id;
  Link *published;
  GPtrArray *watched; /* of Link */
  unsigned ping_source, end_source;
  int64_t began_us;
  char *failure;
  bool is_local, is_settled, is_ending;
};

/* --- how it ends -------------------------------------------------------------------------------------------------- */

/* Later, because whoever hears of it may free the person. */
static gboolean
tell_end (void *data)
{
  LoadPerson *person = data;

  person->end_source = 0;
  if (person->failure != NULL)
    person->events.failed (person, person->failure, person->data);
  else
    person->events.left (person, person->data);
  return G_SOURCE_REMOVE;
}

static void
end (LoadPerson *person, const char *failure)
{
  if (person->end_source != 0)
    return;
  person->failure = g_strdup (failure);
  person->end_source = g_idle_add (tell_end, person);
}

/* What fails for somebody who is leaving would have ended anyway. */
static bool
check (LoadPerson *person, const GError *error)
{
  if (error != NULL && !person->is_ending)
    end (person, error->message);
  return error == NULL;
}

/* --- links -------------------------------------------------------------------------------------------------------- */

static void
count_watched (Link *link)
{
  LoadTally *tally = link->person->tally;
  LoadReceived received = load_watch_get (link->watch);
  const int first_ms = (int) received.first_picture_ms;

  if (first_ms >= 0)
    g_array_append_val (tally->first_pictures_ms, first_ms);
  load_received_add (&tally->received, &received);
  load_received_clear (&received);
}

static void
count_sent (Link *link)
{
  const LoadSent sent = load_channel_close (link->channel);
  LoadSent *sum = &link->person->tally->sent;

  for (unsigned i = 0; i < G_N_ELEMENTS (sum->packets); i++) {
    sum->packets[i] += sent.packets[i];
    sum->bytes[i] += sent.bytes[i];
  }
  sum->frames += sent.frames;
}

static void
free_link (gpointer data)
{
  Link *link = data;

  if (link->person->rpc != NULL)
    load_rpc_forget (link->person->rpc, link);
  if (link->channel != NULL)
    count_sent (link);
  load_peer_free (link->peer);
  if (link->watch != NULL)
    count_watched (link);
  load_watch_free (link->watch);
  g_free (link->owner);
  g_free (link->stream_id);
  g_free (link);
}

static void
on_candidate (const char *candidate, unsigned mline_index, void *data)
{
  const Link *link = data;
  const LoadPerson *person = link->person;
  g_autofree char *mid = g_strdup_printf ("%u", mline_index);
  RecJson *params = json_object_new_object ();

  rec_json_set_string (params, "endpointName", link->owner != NULL ? link->owner : person->id);
  rec_json_set_string (params, "candidate", candidate);
  rec_json_set_string (params, "sdpMid", mid);
  rec_json_set_int (params, "sdpMLineIndex", mline_index);
  load_rpc_call (person->rpc, "onIceCandidate", params, NULL, NULL);
}

static void
on_peer_failed (const char *why, void *data)
{
  const Link *link = data;
  g_autofree char *text = g_strdup_printf ("%s: %s",
      link->owner == NULL ? "publishing failed" : "watching failed", why);

  if (!link->person->is_ending)
    end (link->person, text);
}

static void
on_publish_answered (RecJson *result, const GError *error, void *data)
{
  Link *link = data;

  if (check (link->person, error))
    load_peer_take_answer (link->peer, rec_json_string_or (result, "sdpAnswer", ""));
}

/* A stream may end while it is asked for: that is no failure. */
static void
on_watch_answered (RecJson *result, const GError *error, void *data)
{
  Link *link = data;

  if (error == NULL) {
    load_peer_take_answer (link->peer, rec_json_string_or (result, "sdpAnswer", ""));
    return;
  }
  link->person->tally->refused++;
  g_ptr_array_remove (link->person->watched, link);
}

/* --- publishing --------------------------------------------------------------------------------------------------- */

static void
settle (LoadPerson *person)
{
  if (person->is_settled)
    return;
  person->is_settled = true;
  person->events.settled (person, person->data);
}

static void
on_publish_offered (const char *sdp, void *data)
{
  Link *link = data;
  const LoadPersonSettings *settings = link->person->settings;
  const LoadFormat *format = settings->format;
  RecJson *params = json_object_new_object ();

  rec_json_set_string (params, "sdpOffer", sdp);
  rec_json_set_bool (params, "doLoopback", false);
  rec_json_set_bool (params, "hasAudio", settings->has_audio);
  rec_json_set_bool (params, "hasVideo", settings->has_video);
  if (settings->has_audio)
    rec_json_set_bool (params, "audioActive", true);
  if (settings->has_video) {
    g_autofree char *dimensions =
        g_strdup_printf ("{\"width\":%d,\"height\":%d}", format->width, format->height);

    rec_json_set_bool (params, "videoActive", true);
    rec_json_set_string (params, "typeOfVideo", "CAMERA");
    rec_json_set_int (params, "frameRate", format->frame_rate);
    rec_json_set_string (params, "videoDimensions", dimensions);
  }
  load_rpc_call (link->person->rpc, "publishVideo", params, on_publish_answered, link);
}

static void
push (GstBufferList *packets, unsigned medium, void *data)
{
  load_peer_send (((Link *) data)->peer, packets, medium);
}

static void
on_publish_connected (void *data)
{
  Link *link = data;
  LoadPerson *person = link->person;

  if (link->channel != NULL)
    return;
  link->channel = load_sender_open (person->settings->sender, person->settings->media,
      load_peer_get_ssrcs (link->peer), push, link);
  person->tally->published++;
  settle (person);
}

static void
publish (LoadPerson *person)
{
  static const LoadPeerEvents events = { on_publish_offered, on_candidate, on_publish_connected,
    on_peer_failed };
  const LoadPeerSettings settings = { person->settings->has_audio, person->settings->has_video,
    person->is_local, person->settings->codec };

  person->published = g_new0 (Link, 1);
  person->published->person = person;
  person->published->peer = load_peer_new (&settings, NULL, &events, person->published);
}

/* --- watching ----------------------------------------------------------------------------------------------------- */

static void
on_watch_offered (const char *sdp, void *data)
{
  Link *link = data;
  RecJson *params = json_object_new_object ();

  rec_json_set_string (params, "sender", link->stream_id);
  rec_json_set_string (params, "sdpOffer", sdp);
  load_rpc_call (link->person->rpc, "receiveVideoFrom", params, on_watch_answered, link);
}

static void
on_watch_connected (void *data)
{
  (void) data;
}

static void
watch (LoadPerson *person, const char *owner, RecJson *stream)
{
  static const LoadPeerEvents events = { on_watch_offered, on_candidate, on_watch_connected,
    on_peer_failed };
  const LoadPeerSettings settings = { rec_json_bool_or (stream, "hasAudio", false),
    rec_json_bool_or (stream, "hasVideo", false), person->is_local, NULL };
  Link *link;

  if (person->watched->len >= person->settings->max_watched)
    return;
  link = g_new0 (Link, 1);
  link->person = person;
  link->owner = g_strdup (owner);
  link->stream_id = g_strdup (rec_json_string_or (stream, "id", ""));
  link->watch = load_watch_new (person->settings->look);
  link->peer = load_peer_new (&settings, link->watch, &events, link);
  g_ptr_array_add (person->watched, link);
  person->tally->watched++;
}

static void
watch_all (LoadPerson *person, RecJson *participant)
{
  RecJson *streams = rec_json_get (participant, "streams");

  for (size_t i = 0; streams != NULL && i < json_object_array_length (streams); i++)
    watch (person, rec_json_string_or (participant, "id", ""),
        json_object_array_get_idx (streams, i));
}

static Link *
find_link (LoadPerson *person, const char *owner)
{
  if (g_strcmp0 (owner, person->id) == 0)
    return person->published;
  for (unsigned i = 0; i < person->watched->len; i++) {
    Link *link = person->watched->pdata[i];

    if (strcmp (link->owner, owner) == 0)
      return link;
  }
  return NULL;
}

static void
unwatch (LoadPerson *person, const char *owner)
{
  Link *link = find_link (person, owner);

  if (link != NULL && link != person->published)
    g_ptr_array_remove (person->watched, link);
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static void
on_notified (const char *method, RecJson *params, void *data)
{
  LoadPerson *person = data;

  if (strcmp (method, "participantPublished") == 0) {
    watch_all (person, params);
  } else if (strcmp (method, "participantLeft") == 0 ||
             strcmp (method, "participantUnpublished") == 0) {
    unwatch (person, rec_json_string_or (params, "connectionId", ""));
  } else if (strcmp (method, "participantEvicted") == 0 &&
             g_strcmp0 (rec_json_string_or (params, "connectionId", ""), person->id) == 0) {
    g_autofree char *why = g_strdup_printf ("the server sent it away: %s",
        rec_json_string_or (params, "reason", "no reason given"));

    end (person, why);
  } else if (strcmp (method, "iceCandidate") == 0) {
    const Link *link = find_link (person, rec_json_string_or (params, "senderConnectionId", ""));

    if (link != NULL)
      load_peer_add_candidate (link->peer, (unsigned) rec_json_int_or (params, "sdpMLineIndex", 0),
          rec_json_string_or (params, "candidate", ""));
  }
}

static void
on_lost (const GError *error, void *data)
{
  LoadPerson *person = data;

  end (person, person->is_ending ? NULL : error->message);
}

static gboolean
ping (void *data)
{
  load_rpc_call (((LoadPerson *) data)->rpc, "ping", NULL, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static void
on_joined (RecJson *result, const GError *error, void *data)
{
  LoadPerson *person = data;
  RecJson *others = rec_json_get (result, "value");
  const int join_ms = (int) ((g_get_monotonic_time () - person->began_us) / 1000);

  if (!check (person, error) || person->is_ending)
    return;
  person->id = g_strdup (rec_json_string_or (result, "id", ""));
  person->tally->joined++;
  g_array_append_val (person->tally->joins_ms, join_ms);
  for (size_t i = 0; others != NULL && i < json_object_array_length (others); i++)
    watch_all (person, json_object_array_get_idx (others, i));
  if (person->settings->media != NULL)
    publish (person);
  else
    settle (person);
}

static char *
dup_metadata (const LoadPersonSettings *settings)
{
  g_autoptr (RecJson) metadata = json_object_new_object ();

  if (settings->data != NULL)
    return g_strdup (settings->data);
  rec_json_set_string (metadata, "clientData", settings->name);
  return rec_json_to_text (metadata);
}

static void
join (LoadPerson *person, const char *token)
{
  g_autofree char *metadata = dup_metadata (person->settings);
  RecJson *first = json_object_new_object (), *params = json_object_new_object ();

  rec_json_set_int (first, "interval", PING_MS);
  load_rpc_call (person->rpc, "ping", first, NULL, NULL);
  rec_json_set_string (params, "token", token);
  rec_json_set_string (params, "session", person->settings->session);
  rec_json_set_string (params, "metadata", metadata);
  rec_json_set_string (params, "secret", "");
  rec_json_set_bool (params, "recorder", false);
  rec_json_set_string (params, "platform", PLATFORM);
  rec_json_set_string (params, "sdkVersion", SDK_VERSION);
  load_rpc_call (person->rpc, "joinRoom", params, on_joined, person);
  person->ping_source = g_timeout_add (PING_MS, ping, person);
}

/* --- coming in ---------------------------------------------------------------------------------------------------- */

/* What a thread of its own does, because it waits for the server. */
typedef struct Entrance {
  LoadPerson *person; /* NULL when it is gone; [main] */
  LoadServer server;
  char *session;
  const char *role;
  char *token;
  LoadTls *tls;
  GError *error;
  bool is_local;
} Entrance;

static void
free_entrance (void *data)
{
  Entrance *entrance = data;

  load_tls_free (entrance->tls);
  g_clear_error (&entrance->error);
  g_free (entrance->session);
  g_free (entrance->token);
  g_free (entrance);
}

static gboolean
on_entered (void *data)
{
  static const LoadRpcEvents events = { on_notified, on_lost };
  Entrance *entrance = data;
  LoadPerson *person = entrance->person;

  if (person == NULL)
    return G_SOURCE_REMOVE;
  person->entrance = NULL;
  if (person->is_ending) {
    end (person, NULL);
  } else if (check (person, entrance->error)) {
    person->is_local = entrance->is_local;
    person->rpc = load_rpc_new (g_steal_pointer (&entrance->tls), &events, person);
    join (person, entrance->token);
  }
  return G_SOURCE_REMOVE;
}

/* The token names the address, as for browsers. */
static void
open_connection (Entrance *entrance)
{
  g_autofree char *session = g_uri_escape_string (entrance->session, NULL, FALSE);
  g_autofree char *target = g_strdup_printf ("/openvidu?sessionId=%s", session);
  LoadAddress address = { 0 };

  if (!load_address_parse (entrance->token, &address, &entrance->error))
    return;
  entrance->is_local = load_address_is_local (&address);
  entrance->tls = load_tls_connect (&address, entrance->server.is_trusting,
      entrance->server.timeout_s, &entrance->error);
  if (entrance->tls != NULL)
    load_rpc_upgrade (entrance->tls, &address, target, &entrance->error);
  load_address_clear (&address);
}

/* A session ends when the last one leaves, maybe just now: then it is made anew. */
static void
get_token (Entrance *entrance)
{
  for (int i = 0; i < ATTEMPTS; i++) {
    g_clear_error (&entrance->error);
    if (!load_rest_make_session (&entrance->server, entrance->session, &entrance->error))
      return;
    entrance->token = load_rest_make_token (&entrance->server, entrance->session, entrance->role,
        &entrance->error);
    if (!g_error_matches (entrance->error, REC_ERROR, REC_ERROR_NOT_FOUND))
      return;
  }
}

static gpointer
enter (gpointer data)
{
  Entrance *entrance = data;

  get_token (entrance);
  if (entrance->token != NULL)
    open_connection (entrance);
  g_idle_add_full (G_PRIORITY_DEFAULT, on_entered, entrance, free_entrance);
  return NULL;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

LoadPerson *
load_person_new (const LoadPersonSettings *settings, LoadTally *tally,
    const LoadPersonEvents *events, void *data)
{
  LoadPerson *person = g_new0 (LoadPerson, 1);

  person->settings = settings;
  person->tally = tally;
  person->events = *events;
  person->data = data;
  person->began_us = g_get_monotonic_time ();
  person->watched = g_ptr_array_new_with_free_func (free_link);
  person->entrance = g_new0 (Entrance, 1);
  person->entrance->person = person;
  person->entrance->server = *settings->server;
  person->entrance->session = g_strdup (settings->session);
  person->entrance->role = settings->media != NULL ? "PUBLISHER" : "SUBSCRIBER";
  g_thread_unref (g_thread_new ("enter", enter, person->entrance));
  return person;
}

static void
on_left (RecJson *result, const GError *error, void *data)
{
  (void) result;
  (void) error; /* a browser leaves all the same */
  end (data, NULL);
}

void
load_person_leave (LoadPerson *person)
{
  if (person->is_ending)
    return;
  person->is_ending = true;
  if (person->rpc != NULL)
    load_rpc_call (person->rpc, "leaveRoom", json_object_new_object (), on_left, person);
}

void
load_person_free (LoadPerson *person)
{
  if (person == NULL)
    return;
  if (person->entrance != NULL)
    person->entrance->person = NULL;
  g_clear_handle_id (&person->ping_source, g_source_remove);
  g_clear_handle_id (&person->end_source, g_source_remove);
  g_clear_pointer (&person->published, free_link);
  g_ptr_array_unref (person->watched);
  load_rpc_free (person->rpc);
  g_free (person->id);
  g_free (person->failure);
  g_free (person);
}

const char *
load_person_get_name (const LoadPerson *person)
{
  return person->settings->name;
}

void
load_tally_init (LoadTally *tally)
{
  *tally = (LoadTally){ 0 };
  load_received_init (&tally->received);
  tally->joins_ms = g_array_new (FALSE, FALSE, sizeof (int));
  tally->first_pictures_ms = g_array_new (FALSE, FALSE, sizeof (int));
}

void
load_tally_clear (LoadTally *tally)
{
  load_received_clear (&tally->received);
  g_clear_pointer (&tally->joins_ms, g_array_unref);
  g_clear_pointer (&tally->first_pictures_ms, g_array_unref);
}
