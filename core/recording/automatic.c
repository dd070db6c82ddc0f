/* automatic.c - OpenVidu's rules of starting and ending recordings by itself, of both eras. */
#define G_LOG_DOMAIN "rec.recording.automatic"
#include "recording/automatic.h"

#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/main-thread.h"
#include "recording/supervisor.h"
#include "session/registry.h"

#define TIMEOUT_KEY "openvidu.recording.autostop-timeout"

/* Nobody publishes any more: the recording of this session ends when the time is up. */
typedef struct {
  RecAutomatic *automatic;
  RecSession *session; /* borrowed; the countdown goes with its recording */
  guint source;
} Countdown;

struct RecAutomatic {
  const RecConfig *config;
  RecRegistry *registry;
  RecSupervisor *supervisor;
  GHashTable *countdowns; /* RecSession -> Countdown, owned */
  GHashTable
      *owed; /* set of RecSession: began to publish while its last file was being completed */
};

RecEra
rec_automatic_get_rules (const RecConfig *config, const RecSession *session)
{
  const char *rules = rec_config_get_string (config, "recording.end-rules");

  if (strcmp (rules, "creator") == 0)
    return session->era;
  return strcmp (rules, "2.1") == 0 ? REC_ERA_OLD : REC_ERA_NEW;
}

static bool
is_new (const RecAutomatic *automatic, const RecSession *session)
{
  return rec_automatic_get_rules (automatic->config, session) == REC_ERA_NEW;
}

static bool
is_going_on (const RecRecording *recording)
{
  return recording != NULL && (recording->status == REC_RECORDING_STARTING ||
                                  recording->status == REC_RECORDING_STARTED);
}

/* --- start --------------------------------------------------------------------------------------------------- */

/* Whoever asked would be told; what went wrong later is in the log. */
static void
on_started (RecRecording *recording G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED,
    void *data G_GNUC_UNUSED)
{
}

static void
start (RecAutomatic *automatic, RecSession *session)
{
  g_autoptr (GError) error = NULL;

  if (rec_supervisor_start (automatic->supervisor, session, session->properties->recording,
          session->era, on_started, NULL, &error) == NULL)
    rec_log_with (G_LOG_LEVEL_WARNING, (&(RecLogFields){ .session = session->id }),
        "cannot start the session's automatic recording: %s", error->message);
}

static bool
wants_recording (const RecAutomatic *automatic, const RecSession *session)
{
  const RecSessionProperties *properties = session->properties;

  if (!properties->records_always || properties->is_relayed)
    return false;
  return !session->manually_stopped || !is_new (automatic, session);
}

/* --- end ----------------------------------------------------------------------------------------------------- */

static void
stop (RecAutomatic *automatic, RecSession *session, const char *reason)
{
  g_autoptr (GError) error = NULL;

  if (!rec_supervisor_stop (automatic->supervisor, session->recording, reason, NULL, NULL, &error))
    rec_log_with (G_LOG_LEVEL_WARNING, (&(RecLogFields){ .session = session->id }),
        "cannot end the session's recording: %s", error->message);
}

/* A session that nobody is in any more is closed when its file is complete, if not before. */
static void
end (RecAutomatic *automatic, RecSession *session)
{
  bool is_empty = rec_session_count_visible (session) == 0;
  bool waited = is_new (automatic, session) &&
                rec_config_get_int (automatic->config, TIMEOUT_KEY) > 0;

  rec_log_with (G_LOG_LEVEL_MESSAGE, (&(RecLogFields){ .session = session->id }),
      "ending the recording: %s", is_empty ? "everybody left" : "nobody publishes");
  stop (automatic, session, is_empty && !waited ? "lastParticipantLeft" : "automaticStop");
  if (is_empty && waited)
    rec_registry_close_session (automatic->registry, session, "automaticStop");
}

static gboolean
on_time_is_up (gpointer data)
{
  Countdown *countdown = data;
  RecAutomatic *automatic = countdown->automatic;
  RecSession *session = countdown->session;

  countdown->source = 0;
  g_hash_table_remove (automatic->countdowns, session);
  /* One that is still starting is counted down again when it has started. */
  if (session->recording->status == REC_RECORDING_STARTED)
    end (automatic, session);
  return G_SOURCE_REMOVE;
}

static void
free_countdown (void *data)
{
  Countdown *countdown = data;

  if (countdown->source != 0)
    g_source_remove (countdown->source);
  g_free (countdown);
}

/* What ends at once ends from the main loop too: others are still being told why. */
static void
count_down (RecAutomatic *automatic, RecSession *session, guint ms)
{
  Countdown *countdown;

  if (g_hash_table_contains (automatic->countdowns, session))
    return;
  countdown = g_new0 (Countdown, 1);
  countdown->automatic = automatic;
  countdown->session = session;
  countdown->source = g_timeout_add (ms, on_time_is_up, countdown);
  g_hash_table_insert (automatic->countdowns, session, countdown);
}

/* Everybody left, or a recording began while nobody published. */
static void
consider_end (RecAutomatic *automatic, RecSession *session)
{
  if (is_new (automatic, session))
    count_down (automatic, session,
        1000 * (guint) rec_config_get_int (automatic->config, TIMEOUT_KEY));
  else if (session->properties->records_always && rec_session_count_visible (session) == 0)
    count_down (automatic, session, 0);
}

/* --- what happens in sessions ---------------------------------------------------------------------------------- */

static void
on_stream_published (RecStreamInfo *stream, void *data)
{
  RecAutomatic *automatic = data;
  RecSession *session = stream->owner->session;
  const RecRecording *recording = session->recording;

  if (rec_session_count_publishers (session) != 1)
    return;
  g_hash_table_remove (automatic->countdowns, session);
  if (!wants_recording (automatic, session))
    return;
  if (recording == NULL)
    start (automatic, session);
  else if (recording->status == REC_RECORDING_STOPPED)
    g_hash_table_add (automatic->owed, session);
}

static void
on_participant_left (RecParticipant *participant, const char *reason G_GNUC_UNUSED, void *data)
{
  RecSession *session = participant->session;

  if (!session->is_closing && is_going_on (session->recording) &&
      rec_session_count_visible (session) == 0)
    consider_end (data, session);
}

static void
on_session_closed (RecSession *session, const char *reason G_GNUC_UNUSED, void *data)
{
  RecAutomatic *automatic = data;

  g_hash_table_remove (automatic->countdowns, session);
  g_hash_table_remove (automatic->owed, session);
}

static void
on_recording_changed (RecRecording *recording, RecRecordingStatus before G_GNUC_UNUSED, void *data)
{
  RecAutomatic *automatic = data;
  RecSession *session = recording->session;

  if (session == NULL || session->is_closing)
    return;
  if (recording->status == REC_RECORDING_STARTED) {
    if (rec_session_count_publishers (session) == 0)
      consider_end (automatic, session);
    return;
  }
  g_hash_table_remove (automatic->countdowns, session);
  if (session->recording == NULL && g_hash_table_remove (automatic->owed, session) &&
      rec_session_count_publishers (session) > 0)
    start (automatic, session);
}

static const RecRegistryEvents registry_events = {
  .stream_published = on_stream_published,
  .participant_left = on_participant_left,
  .session_closed = on_session_closed,
  .recording_changed = on_recording_changed,
};

RecAutomatic *
rec_automatic_new (const RecConfig *config, RecRegistry *registry, RecSupervisor *supervisor)
{
  RecAutomatic *automatic = g_new0 (RecAutomatic, 1);

  REC_ASSERT_MAIN ();
  automatic->config = config;
  automatic->registry = registry;
  automatic->supervisor = supervisor;
  automatic->countdowns = g_hash_table_new_full (NULL, NULL, NULL, free_countdown);
  automatic->owed = g_hash_table_new (NULL, NULL);
  rec_registry_subscribe (registry, &registry_events, automatic);
  return automatic;
}

void
rec_automatic_free (RecAutomatic *automatic)
{
  if (automatic == NULL)
    return;
  g_hash_table_unref (automatic->countdowns);
  g_hash_table_unref (automatic->owed);
  g_free (automatic);
}
