/* streams.c - what participants publish, subscribe to and say to each other. */
#define G_LOG_DOMAIN "rec.session.streams"
#include "session/registry.h"

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "session/private.h"

#include <string.h>

static bool
check_new_stream (RecRegistry *registry, const RecParticipant *owner, GError **error)
{
  const RecSession *session = owner->session;
  int64_t max = rec_config_get_int (registry->config, "media.max-publishers-per-session");
  unsigned n_streams = 0;

  if (!rec_participant_can_publish (owner)) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNAUTHORIZED,
        "cannot publish in session '%s': '%s' has the role %s", session->id, owner->id,
        rec_role_to_string (owner->role));
    return false;
  }
  if (owner->stream != NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_CONFLICT,
        "cannot publish in session '%s': '%s' publishes already", session->id, owner->id);
    return false;
  }
  for (guint i = 0; i < session->participants->len; i++)
    n_streams += ((RecParticipant *) session->participants->pdata[i])->stream != NULL;
  if (n_streams >= max) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_MANY,
        "cannot publish in session '%s': it has %u publishers, the most that "
        "media.max-publishers-per-session allows",
        session->id, n_streams);
    return false;
  }
  return true;
}

static char *
make_stream_id (const RecParticipant *owner, const RecStreamInfo *properties)
{
  const char *type = properties->type_of_video;
  const char *kind = "CAM";
  g_autofree char *random = rec_make_id ("", 4);

  if (!properties->has_video)
    kind = "MIC";
  else if (g_strcmp0 (type, "SCREEN") == 0)
    kind = "SCR";
  else if (g_strcmp0 (type, "CUSTOM") == 0)
    kind = "CUS";
  else if (g_strcmp0 (type, "IPCAM") == 0)
    kind = "IPC";
  return g_strdup_printf ("str_%s_%s_%s", kind, random, owner->id);
}

RecStreamInfo *
rec_registry_add_stream (RecRegistry *registry, RecParticipant *owner,
    const RecStreamInfo *properties, GError **error)
{
  RecStreamInfo *stream;

  REC_ASSERT_MAIN ();
  if (!check_new_stream (registry, owner, error))
    return NULL;
  stream = g_memdup2 (properties, sizeof *properties);
  stream->id = make_stream_id (owner, properties);
  stream->owner = owner;
  stream->type_of_video = g_strdup (properties->type_of_video);
  stream->video_dimensions = g_strdup (properties->video_dimensions);
  stream->created_at_ms = rec_registry_now_ms (registry);
  stream->created_at_ticks_ms = rec_registry_ticks_ms (registry);
  stream->is_published = false;
  owner->stream = stream;
  return stream;
}

void
rec_registry_announce_stream (RecRegistry *registry, RecStreamInfo *stream)
{
  REC_ASSERT_MAIN ();
  if (stream->is_published)
    return;
  stream->is_published = true;
  REC_EMIT (registry, stream_published, stream);
}

static void
unsubscribe_everybody (RecRegistry *registry, RecSession *session, const char *stream_id)
{
  /* From the last: a listener may make somebody leave. */
  for (guint i = session->participants->len; i > 0; i--)
    if (i <= session->participants->len)
      rec_registry_unsubscribe_from_stream (registry, session->participants->pdata[i - 1],
          stream_id);
}

void
rec_registry_end_stream (RecRegistry *registry, RecStreamInfo *stream, const char *reason)
{
  g_autoptr (RecParticipant) owner = rec_participant_ref (stream->owner);

  REC_ASSERT_MAIN ();
  if (owner->stream != stream)
    return;
  owner->stream = NULL;
  unsubscribe_everybody (registry, owner->session, stream->id);
  REC_EMIT (registry, stream_ended, stream, reason);
  rec_stream_info_free (stream);
}

static bool
parse_switch (const char *property, const char *value, bool *is_on, GError **error)
{
  if (g_strcmp0 (value, "true") == 0 || g_strcmp0 (value, "false") == 0) {
    *is_on = *value == 't';
    return true;
  }
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "cannot change %s to '%s': expected true or false", property, value);
  return false;
}

static bool
apply_change (RecStreamInfo *stream, const char *property, const char *value, GError **error)
{
  if (strcmp (property, "audioActive") == 0)
    return parse_switch (property, value, &stream->audio_active, error);
  if (strcmp (property, "videoActive") == 0)
    return parse_switch (property, value, &stream->video_active, error);
  if (strcmp (property, "videoDimensions") == 0) {
    char *dimensions = rec_stream_dup_dimensions (value);
    if (dimensions == NULL) {
      g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
          "cannot change videoDimensions: expected {\"width\":W,\"height\":H}");
      return false;
    }
    g_free (stream->video_dimensions);
    stream->video_dimensions = dimensions;
    return true;
  }
  if (strcmp (property, "audioTrack") == 0 || strcmp (property, "videoTrack") == 0)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "cannot change '%s' of a stream: there is no such property", property);
  return false;
}

bool
rec_registry_change_stream (RecRegistry *registry, RecStreamInfo *stream, const char *property,
    const char *new_value, const char *reason, GError **error)
{
  REC_ASSERT_MAIN ();
  if (!apply_change (stream, property, new_value, error))
    return false;
  if (strcmp (property, "videoDimensions") == 0)
    new_value = stream->video_dimensions;
  REC_EMIT (registry, stream_changed, stream, property, new_value, reason);
  return true;
}

static RecSubscription *
find_subscription (const RecParticipant *subscriber, const char *stream_id, guint *index)
{
  for (guint i = 0; i < subscriber->subscriptions->len; i++) {
    RecSubscription *subscription = subscriber->subscriptions->pdata[i];
    if (strcmp (subscription->stream_id, stream_id) == 0) {
      *index = i;
      return subscription;
    }
  }
  return NULL;
}

bool
rec_registry_subscribe_to_stream (RecRegistry *registry, RecParticipant *subscriber,
    RecStreamInfo *stream, GError **error)
{
  RecSubscription *subscription;
  guint index;

  REC_ASSERT_MAIN ();
  if (subscriber->is_leaving || stream->owner->session != subscriber->session) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_FOUND,
        "cannot subscribe to stream '%s': '%s' is not in its session", stream->id, subscriber->id);
    return false;
  }
  if (find_subscription (subscriber, stream->id, &index) != NULL)
    return true;
  subscription = g_new0 (RecSubscription, 1);
  subscription->stream_id = g_strdup (stream->id);
  subscription->created_at_ms = rec_registry_now_ms (registry);
  g_ptr_array_add (subscriber->subscriptions, subscription);
  REC_EMIT (registry, subscribed, subscriber, stream);
  return true;
}

void
rec_registry_unsubscribe_from_stream (RecRegistry *registry, RecParticipant *subscriber,
    const char *stream_id)
{
  g_autoptr (RecParticipant) held = rec_participant_ref (subscriber);
  guint index;

  REC_ASSERT_MAIN ();
  if (find_subscription (held, stream_id, &index) == NULL)
    return;
  g_ptr_array_remove_index (held->subscriptions, index);
  REC_EMIT (registry, unsubscribed, held, stream_id);
}

bool
rec_registry_send_signal (RecRegistry *registry, RecSession *session, RecParticipant *from,
    const char *const *to_ids, const char *type, const char *text, GError **error)
{
  static const char prefix[] = "signal:";
  g_autoptr (GPtrArray) to = NULL;

  REC_ASSERT_MAIN ();
  for (size_t i = 0; to_ids != NULL && to_ids[i] != NULL; i++) {
    RecParticipant *participant = rec_session_find_participant (session, to_ids[i]);
    if (participant == NULL) {
      g_set_error (error, REC_ERROR, REC_ERROR_NOT_FOUND,
          "cannot send a signal in session '%s': '%s' is not connected", session->id, to_ids[i]);
      return false;
    }
    if (to == NULL)
      to = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_participant_unref);
    if (!g_ptr_array_find (to, participant, NULL))
      g_ptr_array_add (to, rec_participant_ref (participant));
  }
  if (type == NULL)
    type = "";
  if (g_str_has_prefix (type, prefix))
    type += strlen (prefix);
  REC_EMIT (registry, signal_sent, session, from, to, type, text != NULL ? text : "");
  return true;
}
