/* events.c - what the registry tells becomes events, in order, with the reasons that belong together. */
#define G_LOG_DOMAIN "rec.events"
#include "events/events.h"

#include <string.h>

#include "base/config.h"
#include "base/main-thread.h"
#include "events/facts.h"
#include "session/registry.h"

/* A publication or a subscription, from its beginning to its end. */
typedef struct {
  char *stream, *subscriber; /* ids; subscriber is "" for the publication itself */
  RecJson *description;      /* as it was at the beginning */
  int64_t since_ms;
  bool ends_with_subscriber; /* among those that wait for their reason */
} Connection;

struct RecEvents {
  RecRegistry *registry;
  RecOutbox *outbox;       /* NULL when neither CDR nor webhook is on */
  GHashTable *connections; /* of Connection: "stream subscriber" -> itself */
  GPtrArray *ending;       /* of Connection: ended, and why is told next */
  GHashTable *sessions;    /* of RecSession, compared only: those that are told of */
};

static void
free_connection (void *data)
{
  Connection *connection = data;

  json_object_put (connection->description);
  g_free (connection->stream);
  g_free (connection->subscriber);
  g_free (connection);
}

/* --- telling ----------------------------------------------------------------------------------------------------- */

/* Takes fact. era: in which words the CDR has it; INVALID: it has not. */
static void
tell (RecEvents *events, RecEra era, const char *name, RecJson *fact)
{
  g_autoptr (RecJson) taken = fact;
  g_autoptr (RecJson) line = NULL, body = NULL;

  if (events->outbox == NULL)
    return;
  if (era != REC_ERA_INVALID)
    line = era == REC_ERA_OLD ? rec_fact_wrap_old (name, fact) : rec_fact_wrap_new (name, fact);
  if (rec_outbox_wants (events->outbox, name))
    body = rec_fact_flatten (name, fact);
  if (line != NULL || body != NULL)
    rec_outbox_push (events->outbox, line != NULL ? rec_json_to_text (line) : NULL,
        body != NULL ? rec_json_to_text (body) : NULL);
}

static RecJson *
make_fact (RecEvents *events, const RecSession *session)
{
  return rec_fact_of_session (session, rec_registry_now_ms (events->registry));
}

/* Takes description. */
static void
tell_with (RecEvents *events, const RecSession *session, const char *name, RecJson *description)
{
  g_autoptr (RecJson) taken = description;
  RecJson *fact = make_fact (events, session);

  rec_fact_add (fact, description);
  tell (events, session->era, name, fact);
}

/* --- publications and subscriptions ---------------------------------------------------------------------------- */

static char *
make_key (const char *stream_id, const char *subscriber_id)
{
  return g_strconcat (stream_id, " ", subscriber_id, NULL);
}

static void
begin_connection (RecEvents *events, const RecStreamInfo *stream, const RecParticipant *subscriber)
{
  Connection *connection = g_new0 (Connection, 1);

  connection->stream = g_strdup (stream->id);
  connection->subscriber = g_strdup (subscriber != NULL ? subscriber->id : "");
  connection->description = rec_fact_describe_connection (stream, subscriber);
  connection->since_ms = rec_registry_now_ms (events->registry);
  g_hash_table_replace (events->connections, make_key (connection->stream, connection->subscriber),
      connection);
  tell_with (events, stream->owner->session, "webrtcConnectionCreated",
      json_object_get (connection->description));
}

/* Takes it out; NULL when it was not told of. */
static Connection *
take_connection (RecEvents *events, const char *stream_id, const char *subscriber_id)
{
  g_autofree char *key = make_key (stream_id, subscriber_id);
  g_autofree char *stored = NULL;
  Connection *connection = NULL;

  g_hash_table_steal_extended (events->connections, key, (gpointer *) &stored,
      (gpointer *) &connection);
  return connection;
}

/* Takes connection. */
static void
end_connection (RecEvents *events, const RecSession *session, Connection *connection,
    const char *reason)
{
  RecJson *fact = make_fact (events, session);

  rec_fact_add_end (fact, connection->since_ms, reason);
  rec_fact_add (fact, connection->description);
  tell (events, session->era, "webrtcConnectionDestroyed", fact);
  free_connection (connection);
}

/* Those that ended because the stream did (subscriber NULL), or because the subscriber leaves. */
static void
end_waiting (RecEvents *events, const RecSession *session, const char *stream,
    const char *subscriber, const char *reason)
{
  for (guint i = 0; i < events->ending->len;) {
    const Connection *connection = events->ending->pdata[i];
    const bool fits =
        subscriber != NULL
            ? connection->ends_with_subscriber && strcmp (connection->subscriber, subscriber) == 0
            : !connection->ends_with_subscriber && g_strcmp0 (connection->stream, stream) == 0;
    if (fits)
      end_connection (events, session, g_ptr_array_steal_index (events->ending, i), reason);
    else
      i++;
  }
}

static void
on_stream_published (RecStreamInfo *stream, void *data)
{
  if (!stream->owner->is_hidden)
    begin_connection (data, stream, NULL);
}

static void
on_stream_ended (RecStreamInfo *stream, const char *reason, void *data)
{
  RecEvents *events = data;
  const RecSession *session = stream->owner->session;
  Connection *publication = take_connection (events, stream->id, "");

  end_waiting (events, session, stream->id, NULL, reason);
  if (publication != NULL)
    end_connection (events, session, publication, reason);
}

static void
on_subscribed (RecParticipant *subscriber, RecStreamInfo *stream, void *data)
{
  if (!subscriber->is_hidden)
    begin_connection (data, stream, subscriber);
}

/* The registry tells the reason afterwards, where there is another than the subscriber's own wish. */
static void
on_unsubscribed (RecParticipant *subscriber, const char *stream_id, void *data)
{
  RecEvents *events = data;
  RecSession *session = subscriber->session;
  Connection *connection = take_connection (events, stream_id, subscriber->id);
  const bool has_stream = rec_session_find_stream (session, stream_id) != NULL;

  if (connection == NULL)
    return;
  connection->ends_with_subscriber = has_stream && subscriber->is_leaving;
  if (has_stream && !subscriber->is_leaving)
    end_connection (events, session, connection, "unsubscribe");
  else
    g_ptr_array_add (events->ending, connection);
}

/* --- participants and sessions ------------------------------------------------------------------------------------ */

static void
on_participant_joined (RecParticipant *participant, void *data)
{
  RecEvents *events = data;
  RecSession *session = participant->session;

  /* A session begins when the first one comes, and its time counts from when it was asked for. */
  if (g_hash_table_add (events->sessions, session))
    tell (events, session->era, "sessionCreated",
        rec_fact_of_session (session, session->created_at_ms));
  if (!participant->is_hidden)
    tell_with (events, session, "participantJoined", rec_fact_describe_participant (participant));
}

static void
on_participant_left (RecParticipant *participant, const char *reason, void *data)
{
  RecEvents *events = data;
  const RecSession *session = participant->session;

  end_waiting (events, session, NULL, participant->id, reason);
  if (participant->is_hidden)
    return;
  g_autoptr (RecJson) description = rec_fact_describe_participant (participant);
  RecJson *fact = make_fact (events, session);
  rec_fact_add_end (fact, participant->joined_at_ms, reason);
  rec_fact_add (fact, description);
  tell (events, session->era, "participantLeft", fact);
}

static void
on_session_closed (RecSession *session, const char *reason, void *data)
{
  RecEvents *events = data;

  if (!g_hash_table_remove (events->sessions, session))
    return;
  RecJson *fact = make_fact (events, session);
  rec_fact_add_end (fact, session->created_at_ms, rec_fact_final_reason (reason));
  tell (events, session->era, "sessionDestroyed", fact);
}

static void
on_signal_sent (RecSession *session, RecParticipant *from, GPtrArray *to, const char *type,
    const char *text, void *data)
{
  tell_with (data, session, "signalSent", rec_fact_describe_signal (session, from, to, type, text));
}

/* --- recordings ------------------------------------------------------------------------------------------------------ */

static void
on_recording_changed (RecRecording *recording, RecRecordingStatus before, void *data)
{
  RecEvents *events = data;
  /* The first era says nothing of one that never ran. */
  const bool never_ran = recording->status == REC_RECORDING_FAILED &&
                         before == REC_RECORDING_STARTING;
  const RecEra era = recording->era == REC_ERA_OLD && never_ran ? REC_ERA_INVALID : recording->era;

  if (recording->status == REC_RECORDING_STARTING)
    return;
  g_autoptr (RecJson) description = rec_fact_describe_recording (recording);
  RecJson *fact = rec_fact_new (recording->session_id, recording->unique_session_id,
      rec_registry_now_ms (events->registry));
  rec_fact_add (fact, description);
  tell (events, era, "recordingStatusChanged", fact);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static const RecRegistryEvents first_events = {
  .participant_joined = on_participant_joined,
  .participant_left = on_participant_left,
  .stream_published = on_stream_published,
  .stream_ended = on_stream_ended,
  .subscribed = on_subscribed,
  .unsubscribed = on_unsubscribed,
  .signal_sent = on_signal_sent,
  .recording_changed = on_recording_changed,
};

static const RecRegistryEvents last_events = {
  .session_closed = on_session_closed,
};

RecEvents *
rec_events_new (const RecConfig *config, RecRegistry *registry, GError **error)
{
  RecEvents *events = g_new0 (RecEvents, 1);

  REC_ASSERT_MAIN ();
  events->registry = registry;
  events->connections = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_connection);
  events->ending = g_ptr_array_new_with_free_func (free_connection);
  events->sessions = g_hash_table_new (NULL, NULL);
  if (rec_config_get_bool (config, "openvidu.cdr") ||
      rec_config_get_bool (config, "openvidu.webhook")) {
    events->outbox = rec_outbox_new (config, error);
    if (events->outbox == NULL) {
      rec_events_free (events);
      return NULL;
    }
  }
  rec_registry_subscribe (registry, &first_events, events);
  return events;
}

void
rec_events_watch_ends (RecEvents *events)
{
  rec_registry_subscribe (events->registry, &last_events, events);
}

void
rec_events_free (RecEvents *events)
{
  if (events == NULL)
    return;
  rec_outbox_free (events->outbox);
  g_hash_table_unref (events->connections);
  g_ptr_array_unref (events->ending);
  g_hash_table_unref (events->sessions);
  g_free (events);
}

void
rec_events_reopen (RecEvents *events)
{
  if (events->outbox != NULL)
    rec_outbox_reopen (events->outbox);
}

void
rec_events_get_stats (RecEvents *events, RecOutboxStats *stats)
{
  *stats = (RecOutboxStats){ 0 };
  if (events->outbox != NULL)
    rec_outbox_get_stats (events->outbox, stats);
}
