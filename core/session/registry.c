/* registry.c - sessions and recordings by id, and the listeners who are told what becomes of them. */
#define G_LOG_DOMAIN "rec.session.registry"
#include "session/registry.h"

#include "base/config.h"
#include "base/error.h"
#include "base/main-thread.h"
#include "session/private.h"

#include <string.h>

static void
drop_slashes_at_end (char *url)
{
  for (size_t length = strlen (url); length > 0 && url[length - 1] == '/'; length--)
    url[length - 1] = '\0';
}

RecRegistry *
rec_registry_new (const RecConfig *config, RecWallClock clock, void *clock_data)
{
  RecRegistry *registry = g_new0 (RecRegistry, 1);

  registry->config = config;
  registry->clock = clock;
  registry->clock_data = clock_data;
  registry->public_url =
      rec_config_dup_public_url (config, (uint16_t) rec_config_get_int (config, "server.port"));
  registry->listeners = g_ptr_array_new_with_free_func (g_free);
  registry->sessions = g_ptr_array_new ();
  registry->recordings = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_recording_unref);
  return registry;
}

void
rec_registry_free (RecRegistry *registry)
{
  if (registry == NULL)
    return;
  g_ptr_array_set_size (registry->listeners, 0);
  while (registry->sessions->len > 0)
    rec_registry_close_session (registry, registry->sessions->pdata[0], "openviduServerStopped");
  g_ptr_array_unref (registry->sessions);
  g_ptr_array_unref (registry->recordings);
  g_ptr_array_unref (registry->listeners);
  g_free (registry->public_url);
  g_free (registry);
}

void
rec_registry_subscribe (RecRegistry *registry, const RecRegistryEvents *events, void *data)
{
  RecRegistryListener *listener = g_new0 (RecRegistryListener, 1);

  listener->events = events;
  listener->data = data;
  g_ptr_array_add (registry->listeners, listener);
}

void
rec_registry_set_ticks (RecRegistry *registry, RecWallClock ticks, void *data)
{
  registry->ticks = ticks;
  registry->ticks_data = data;
}

int64_t
rec_registry_ticks_ms (RecRegistry *registry)
{
  return registry->ticks != NULL ? registry->ticks (registry->ticks_data)
                                 : g_get_monotonic_time () / 1000;
}

int64_t
rec_registry_now_ms (RecRegistry *registry)
{
  return registry->clock (registry->clock_data);
}

const char *
rec_registry_get_public_url (RecRegistry *registry)
{
  return registry->public_url;
}

void
rec_registry_set_public_url (RecRegistry *registry, const char *url)
{
  char *copy = g_strdup (url);

  drop_slashes_at_end (copy);
  g_free (registry->public_url);
  registry->public_url = copy;
}

static bool
check_new_session (RecRegistry *registry, RecEra era, const char *id, GError **error)
{
  int64_t max_sessions = rec_config_get_int (registry->config, "server.max-sessions");

  if (!rec_session_id_is_valid (era, id)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "session id '%.200s' is not valid: expected %s", id,
        era == REC_ERA_OLD ? REC_OLD_SESSION_ID : REC_NEW_SESSION_ID);
    return false;
  }
  if (rec_registry_find_session (registry, id) != NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_CONFLICT, "session '%s' exists already", id);
    return false;
  }
  if (registry->sessions->len >= max_sessions) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_MANY,
        "cannot create a session: there are %u already, the most that server.max-sessions allows",
        registry->sessions->len);
    return false;
  }
  return true;
}

RecSession *
rec_registry_create_session (RecRegistry *registry, RecEra era, RecSessionProperties *properties,
    GError **error)
{
  g_autoptr (RecSessionProperties) taken = properties;
  RecSession *session;

  REC_ASSERT_MAIN ();
  if (!check_new_session (registry, era, taken->custom_session_id, error))
    return NULL;
  session = g_new0 (RecSession, 1);
  session->n_references = 1;
  session->registry = registry;
  session->era = era;
  if (*taken->custom_session_id != '\0')
    session->id = g_strdup (taken->custom_session_id);
  else
    session->id = era == REC_ERA_OLD ? rec_make_old_id () : rec_make_id ("ses_", 10);
  session->properties = g_steal_pointer (&taken);
  session->created_at_ms = rec_registry_now_ms (registry);
  session->created_at_ticks_ms = rec_registry_ticks_ms (registry);
  session->connections = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_connection_free);
  session->participants = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_participant_unref);
  g_ptr_array_add (registry->sessions, session);
  REC_EMIT (registry, session_created, session);
  return session;
}

RecSession *
rec_registry_find_session (RecRegistry *registry, const char *id)
{
  for (guint i = 0; i < registry->sessions->len; i++) {
    RecSession *session = registry->sessions->pdata[i];
    if (g_strcmp0 (session->id, id) == 0)
      return session;
  }
  return NULL;
}

GPtrArray *
rec_registry_get_sessions (RecRegistry *registry)
{
  return registry->sessions;
}

static void
forget_session (RecRegistry *registry, const RecSession *session)
{
  for (guint i = 0; i < registry->recordings->len; i++) {
    RecRecording *recording = registry->recordings->pdata[i];
    if (recording->session == session)
      recording->session = NULL;
  }
}

void
rec_registry_close_session (RecRegistry *registry, RecSession *session, const char *reason)
{
  g_autoptr (RecSession) held = NULL;

  REC_ASSERT_MAIN ();
  if (session->is_closing)
    return;
  held = rec_session_ref (session);
  session->is_closing = true;
  while (session->participants->len > 0)
    rec_registry_remove_participant (registry, session->participants->pdata[0], reason);
  g_ptr_array_remove (registry->sessions, session);
  REC_EMIT (registry, session_closed, session, reason);
  forget_session (registry, session);
  rec_session_unref (session);
}

void
rec_registry_close_if_empty (RecRegistry *registry, RecSession *session)
{
  bool is_recorded = session->recording != NULL && rec_recording_is_active (session->recording);

  if (session->participants->len == 0 && session->active_since_ms > 0 && !is_recorded)
    rec_registry_close_session (registry, session, "lastParticipantLeft");
}

void
rec_registry_collect_garbage (RecRegistry *registry)
{
  int64_t threshold_ms =
      1000 * rec_config_get_int (registry->config, "openvidu.sessions.garbage-threshold");
  int64_t now_ms = rec_registry_ticks_ms (registry);
  g_autoptr (GPtrArray) old = g_ptr_array_new ();

  for (guint i = 0; i < registry->sessions->len; i++) {
    RecSession *session = registry->sessions->pdata[i];
    if (session->active_since_ms == 0 && now_ms - session->created_at_ticks_ms > threshold_ms)
      g_ptr_array_add (old, g_strdup (session->id));
  }
  g_ptr_array_set_free_func (old, g_free);
  for (guint i = 0; i < old->len; i++) {
    RecSession *session = rec_registry_find_session (registry, old->pdata[i]);
    if (session == NULL)
      continue;
    g_info ("session '%s' is closed: nobody joined it", session->id);
    rec_registry_close_session (registry, session, "sessionClosedByServer");
  }
}

void
rec_registry_add_recording (RecRegistry *registry, RecRecording *recording)
{
  g_ptr_array_add (registry->recordings, rec_recording_ref (recording));
}

void
rec_registry_remove_recording (RecRegistry *registry, RecRecording *recording)
{
  g_ptr_array_remove (registry->recordings, recording);
}

RecRecording *
rec_registry_find_recording (RecRegistry *registry, const char *id)
{
  for (guint i = 0; i < registry->recordings->len; i++) {
    RecRecording *recording = registry->recordings->pdata[i];
    if (g_strcmp0 (recording->id, id) == 0)
      return recording;
  }
  return NULL;
}

GPtrArray *
rec_registry_get_recordings (RecRegistry *registry)
{
  return registry->recordings;
}

void
rec_registry_set_recording_status (RecRegistry *registry, RecRecording *recording,
    RecRecordingStatus status)
{
  g_autoptr (RecRecording) held = rec_recording_ref (recording);
  RecRecordingStatus before = held->status;

  REC_ASSERT_MAIN ();
  g_assert (rec_recording_can_become (before, status));
  held->status = status;
  REC_EMIT (registry, recording_changed, held, before);
  if (!rec_recording_is_active (held) && held->session != NULL)
    rec_registry_close_if_empty (registry, held->session);
}
