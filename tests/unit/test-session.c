/* test-session.c - sessions, participants and streams: limits, events and their order, and listeners who meddle. */
#include "session/session.h"

#include "base/config.h"
#include "base/error.h"
#include "session/registry.h"

#include <glib.h>
#include <string.h>

typedef struct {
  RecConfig *config;
  RecRegistry *registry;
  int64_t now_ms, ticks_ms;
  GString *heard;
} Fixture;

static int64_t
read_clock (void *data)
{
  return ((Fixture *) data)->now_ms;
}

static void
note_created (RecSession *session, void *data)
{
  g_string_append_printf (((Fixture *) data)->heard, "created:%s ", session->id);
}

static void
note_closed (RecSession *session, const char *reason, void *data)
{
  g_string_append_printf (((Fixture *) data)->heard, "closed:%s:%s ", session->id, reason);
}

static void
note_joined (RecParticipant *participant, void *data)
{
  g_string_append_printf (((Fixture *) data)->heard, "joined:%s ", participant->client_data);
}

static void
note_left (RecParticipant *participant, const char *reason, void *data)
{
  g_assert_null (rec_session_find_participant (participant->session, participant->id));
  g_string_append_printf (((Fixture *) data)->heard, "left:%s:%s ", participant->client_data,
      reason);
}

static void
note_published (RecStreamInfo *stream, void *data)
{
  g_assert_true (stream->is_published);
  g_string_append_printf (((Fixture *) data)->heard, "published:%s ", stream->owner->client_data);
}

static void
note_ended (RecStreamInfo *stream, const char *reason, void *data)
{
  g_assert_null (stream->owner->stream);
  g_string_append_printf (((Fixture *) data)->heard, "ended:%s:%s:%s ", stream->owner->client_data,
      reason, stream->is_published ? "announced" : "negotiating");
}

static void
note_changed (RecStreamInfo *stream G_GNUC_UNUSED, const char *property, const char *new_value,
    const char *reason, void *data)
{
  g_string_append_printf (((Fixture *) data)->heard, "changed:%s:%s:%s ", property, new_value,
      reason);
}

static void
note_subscribed (RecParticipant *subscriber, RecStreamInfo *stream, void *data)
{
  g_string_append_printf (((Fixture *) data)->heard, "subscribed:%s:%s ", subscriber->client_data,
      stream->owner->client_data);
}

static void
note_unsubscribed (RecParticipant *subscriber, const char *stream_id G_GNUC_UNUSED, void *data)
{
  g_string_append_printf (((Fixture *) data)->heard, "unsubscribed:%s ", subscriber->client_data);
}

static void
note_signal (RecSession *session G_GNUC_UNUSED, RecParticipant *from, GPtrArray *to,
    const char *type, const char *text, void *data)
{
  g_string_append_printf (((Fixture *) data)->heard, "signal:%s:%d:%s:%s ",
      from != NULL ? from->client_data : "server", to != NULL ? (int) to->len : -1, type, text);
}

static const RecRegistryEvents note_events = {
  .session_created = note_created,
  .session_closed = note_closed,
  .participant_joined = note_joined,
  .participant_left = note_left,
  .stream_published = note_published,
  .stream_ended = note_ended,
  .stream_changed = note_changed,
  .subscribed = note_subscribed,
  .unsubscribed = note_unsubscribed,
  .signal_sent = note_signal,
};

static void
set_up (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  fixture->now_ms = 1700000000000;
  fixture->heard = g_string_new (NULL);
  fixture->config = rec_config_new ();
  fixture->registry = rec_registry_new (fixture->config, read_clock, fixture);
  rec_registry_subscribe (fixture->registry, &note_events, fixture);
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  rec_registry_free (fixture->registry);
  rec_config_free (fixture->config);
  g_string_free (fixture->heard, TRUE);
}

static void
assert_heard (Fixture *fixture, const char *expected)
{
  g_assert_cmpstr (fixture->heard->str, ==, expected);
  g_string_truncate (fixture->heard, 0);
}

static void
set_limit (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static RecSession *
try_create (Fixture *fixture, RecEra era, const char *id, GError **error)
{
  RecSessionProperties *properties = rec_session_properties_new ();

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (id);
  return rec_registry_create_session (fixture->registry, era, properties, error);
}

static RecSession *
create (Fixture *fixture, const char *id)
{
  g_autoptr (GError) error = NULL;
  RecSession *session = try_create (fixture, REC_ERA_NEW, id, &error);

  g_assert_no_error (error);
  return session;
}

static RecParticipant *
try_join (Fixture *fixture, RecSession *session, RecRole role, const char *name, GError **error)
{
  const RecConnectionRequest request = { .role = role };
  const RecConnection *connection =
      rec_registry_create_connection (fixture->registry, session, &request, error);
  const RecJoinRequest join = {
    .session_id = session->id, .token = connection->token, .client_data = name, .era = REC_ERA_NEW
  };

  return rec_registry_join (fixture->registry, &join, error);
}

static RecParticipant *
join (Fixture *fixture, RecSession *session, const char *name)
{
  g_autoptr (GError) error = NULL;
  RecParticipant *participant = try_join (fixture, session, REC_ROLE_PUBLISHER, name, &error);

  g_assert_no_error (error);
  return participant;
}

static RecStreamInfo *
add_stream (Fixture *fixture, RecParticipant *owner, const char *type_of_video)
{
  const RecStreamInfo properties = { .has_audio = true,
    .has_video = type_of_video != NULL,
    .audio_active = true,
    .video_active = true,
    .type_of_video = (char *) type_of_video,
    .frame_rate = 30 };
  g_autoptr (GError) error = NULL;
  RecStreamInfo *stream = rec_registry_add_stream (fixture->registry, owner, &properties, &error);

  g_assert_no_error (error);
  return stream;
}

static void
test_ids_of_both_eras (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  const RecSession *new_one = try_create (fixture, REC_ERA_NEW, "", NULL);
  const RecSession *old_one = try_create (fixture, REC_ERA_OLD, "", NULL);

  g_assert_true (g_regex_match_simple ("^ses_[A-Z][A-Za-z0-9]{9}$", new_one->id, 0, 0));
  g_assert_true (g_regex_match_simple ("^[a-z0-9]{16}$", old_one->id, 0, 0));
  g_assert_cmpuint (rec_registry_get_sessions (fixture->registry)->len, ==, 2);
}

static void
test_custom_ids_are_safe (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const bad[] = { "a/b", "..", ".hidden", "a b", "a&b", "a?b", "a#b", "a=b",
    "a%b", "a\nb", "a\\b" };
  g_autofree char *too_long = g_strnfill (129, 'a');

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++)
    for (RecEra era = REC_ERA_OLD; era <= REC_ERA_NEW; era++) {
      g_autoptr (GError) error = NULL;
      g_assert_null (try_create (fixture, era, bad[i], &error));
      g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
    }
  g_assert_null (try_create (fixture, REC_ERA_NEW, too_long, NULL));
  g_assert_null (try_create (fixture, REC_ERA_NEW, "a.b", NULL));
  g_assert_null (try_create (fixture, REC_ERA_NEW, "ä", NULL));
  g_assert_null (try_create (fixture, REC_ERA_OLD, "\xe4", NULL));
  g_assert_nonnull (try_create (fixture, REC_ERA_OLD, "a.b~c@d", NULL));
  g_assert_nonnull (try_create (fixture, REC_ERA_OLD, "Büro:1,(a)", NULL));
  g_assert_nonnull (try_create (fixture, REC_ERA_NEW, "Room-1_a", NULL));
}

static void
test_id_in_use_conflicts (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  RecSession *session = create (fixture, "room");

  g_assert_null (try_create (fixture, REC_ERA_OLD, "room", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_CONFLICT);
  rec_registry_close_session (fixture->registry, session, "sessionClosedByServer");
  create (fixture, "room");
}

static void
test_sessions_are_bounded (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  set_limit (fixture, "server.max-sessions", "2");
  create (fixture, "a");
  create (fixture, "b");
  g_assert_null (try_create (fixture, REC_ERA_NEW, "c", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_TOO_MANY);
  g_assert_nonnull (strstr (error->message, "server.max-sessions"));
}

static void
test_participants_are_bounded (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  g_autoptr (GError) error = NULL;
  const RecConnection *refused;

  set_limit (fixture, "server.max-participants-per-session", "1");
  join (fixture, session, "ann");
  g_assert_null (try_join (fixture, session, REC_ROLE_PUBLISHER, "bob", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_TOO_MANY);
  g_assert_cmpuint (session->participants->len, ==, 1);
  /* The token of the one refused is still good. */
  refused = session->connections->pdata[1];
  g_assert_null (refused->participant);
}

static void
test_publishers_are_bounded (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  RecParticipant *ann = join (fixture, session, "ann");
  RecParticipant *bob = join (fixture, session, "bob");
  const RecStreamInfo properties = { .has_audio = true };
  g_autoptr (GError) error = NULL;

  set_limit (fixture, "media.max-publishers-per-session", "1");
  add_stream (fixture, ann, "CAMERA");
  g_assert_null (rec_registry_add_stream (fixture->registry, bob, &properties, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_TOO_MANY);
}

static void
test_one_stream_each (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  RecParticipant *ann = join (fixture, session, "ann");
  const RecStreamInfo properties = { .has_audio = true };
  g_autoptr (GError) error = NULL;

  add_stream (fixture, ann, "CAMERA");
  g_assert_null (rec_registry_add_stream (fixture->registry, ann, &properties, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_CONFLICT);
}

static void
test_subscribers_do_not_publish (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  RecParticipant *ann = try_join (fixture, session, REC_ROLE_SUBSCRIBER, "ann", NULL);
  const RecStreamInfo properties = { .has_audio = true };
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_registry_add_stream (fixture->registry, ann, &properties, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_UNAUTHORIZED);
}

static void
test_stream_ids_tell_the_kind (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *type, *kind;
  } cases[] = {
    { "CAMERA", "CAM" },
    { "SCREEN", "SCR" },
    { "CUSTOM", "CUS" },
    { "IPCAM", "IPC" },
    { NULL, "MIC" },
  };
  RecSession *session = create (fixture, "room");

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    RecParticipant *participant = join (fixture, session, "x");
    const RecStreamInfo *stream = add_stream (fixture, participant, cases[i].type);
    g_autofree char *pattern =
        g_strdup_printf ("^str_%s_[A-Z][A-Za-z0-9]{3}_%s$", cases[i].kind, participant->id);
    g_assert_true (g_regex_match_simple (pattern, stream->id, 0, 0));
  }
}

static void
test_events_of_a_life (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  RecParticipant *ann = join (fixture, session, "ann");
  RecParticipant *bob = join (fixture, session, "bob");
  RecStreamInfo *stream = add_stream (fixture, ann, "CAMERA");

  g_assert_null (rec_session_find_stream (session, stream->id));
  g_assert_cmpuint (rec_session_count_publishers (session), ==, 0);
  rec_registry_announce_stream (fixture->registry, stream);
  rec_registry_announce_stream (fixture->registry, stream);
  g_assert_true (rec_session_find_stream (session, stream->id) == stream);
  g_assert_cmpuint (rec_session_count_publishers (session), ==, 1);
  assert_heard (fixture, "created:room joined:ann joined:bob published:ann ");

  g_assert_true (rec_registry_subscribe_to_stream (fixture->registry, bob, stream, NULL));
  g_assert_true (rec_registry_subscribe_to_stream (fixture->registry, bob, stream, NULL));
  g_assert_cmpuint (bob->subscriptions->len, ==, 1);
  assert_heard (fixture, "subscribed:bob:ann ");

  rec_registry_leave (fixture->registry, ann, "disconnect");
  g_assert_cmpuint (bob->subscriptions->len, ==, 0);
  assert_heard (fixture, "unsubscribed:bob ended:ann:disconnect:announced left:ann:disconnect ");

  rec_registry_leave (fixture->registry, bob, "networkDisconnect");
  assert_heard (fixture, "left:bob:networkDisconnect closed:room:lastParticipantLeft ");
  g_assert_null (rec_registry_find_session (fixture->registry, "room"));
}

static void
test_closing_makes_everybody_leave (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  RecParticipant *ann = join (fixture, session, "ann");

  join (fixture, session, "bob");
  add_stream (fixture, ann, NULL);
  g_string_truncate (fixture->heard, 0);
  rec_registry_close_session (fixture->registry, session, "sessionClosedByServer");
  assert_heard (fixture,
      "ended:ann:sessionClosedByServer:negotiating left:ann:sessionClosedByServer "
      "left:bob:sessionClosedByServer closed:room:sessionClosedByServer ");
}

static void
test_changes_of_streams (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  RecParticipant *ann = join (fixture, session, "ann");
  RecStreamInfo *stream = add_stream (fixture, ann, "CAMERA");
  static const struct {
    const char *property, *value;
  } bad[] = {
    { "audioActive", "yes" },
    { "audioActive", "" },
    { "videoDimensions", "wide" },
    { "videoDimensions", "{\"width\":640}" },
    { "videoDimensions", "{\"width\":-1,\"height\":480}" },
    { "videoDimensions", "[640,480]" },
    { "videoDimensions", "{'width':640,'height':480}" },
    { "typeOfVideo", "SCREEN" },
    { "id", "x" },
  };

  rec_registry_announce_stream (fixture->registry, stream);
  g_string_truncate (fixture->heard, 0);
  g_assert_true (rec_registry_change_stream (fixture->registry, stream, "audioActive", "false",
      "publishAudio", NULL));
  g_assert_false (stream->audio_active);
  g_assert_true (stream->video_active);
  g_assert_true (rec_registry_change_stream (fixture->registry, stream, "videoDimensions",
      "{ \"height\": 480, \"width\": 640, \"x\": 1 }", "screenResized", NULL));
  g_assert_cmpstr (stream->video_dimensions, ==, "{\"width\":640,\"height\":480}");
  assert_heard (fixture, "changed:audioActive:false:publishAudio "
                         "changed:videoDimensions:{\"width\":640,\"height\":480}:screenResized ");
  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (rec_registry_change_stream (fixture->registry, stream, bad[i].property,
        bad[i].value, "", &error));
    g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  }
  assert_heard (fixture, "");
}

static void
test_signals (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  RecParticipant *ann = join (fixture, session, "ann");
  const RecParticipant *bob = join (fixture, session, "bob");
  const char *to_bob[] = { bob->id, bob->id, NULL };
  const char *to_nobody[] = { bob->id, "con_Nobody", NULL };
  g_autoptr (GError) error = NULL;

  g_string_truncate (fixture->heard, 0);
  g_assert_true (rec_registry_send_signal (fixture->registry, session, ann, to_bob, "signal:chat",
      "hello", NULL));
  g_assert_true (
      rec_registry_send_signal (fixture->registry, session, NULL, NULL, NULL, NULL, NULL));
  assert_heard (fixture, "signal:ann:1:chat:hello signal:server:-1:: ");
  g_assert_false (rec_registry_send_signal (fixture->registry, session, ann, to_nobody, "chat",
      "hello", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
  assert_heard (fixture, "");
}

static void
test_metadata (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *client, *server, *expected;
  } cases[] = {
    { "c", "s", "c%/%s" },
    { "c", "", "c" },
    { "", "s", "s" },
    { "", "", "" },
  };
  RecSession *session = create (fixture, "room");

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    const RecConnectionRequest request = { .role = REC_ROLE_PUBLISHER,
      .server_data = cases[i].server };
    const RecConnection *connection =
        rec_registry_create_connection (fixture->registry, session, &request, NULL);
    const RecJoinRequest join_request = { .session_id = "room",
      .token = connection->token,
      .client_data = cases[i].client,
      .era = REC_ERA_NEW };
    const RecParticipant *participant = rec_registry_join (fixture->registry, &join_request, NULL);
    g_assert_cmpstr (participant->metadata, ==, cases[i].expected);
  }
}

static void
test_old_metadata_is_bounded (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *long_text = g_strnfill (10001, 'x');
  RecJoinRequest request = {
    .session_id = "room", .secret = "MY_SECRET", .client_data = long_text, .era = REC_ERA_OLD
  };
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_registry_join (fixture->registry, &request, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_TOO_LARGE);
  /* And no empty session stays behind. */
  g_assert_null (rec_registry_find_session (fixture->registry, "room"));
  long_text[10000] = '\0';
  g_assert_nonnull (rec_registry_join (fixture->registry, &request, NULL));
}

static void
test_metadata_is_limited (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create (fixture, "room");
  g_autofree char *text = g_strnfill (101, 'x');
  RecConnectionRequest asked = { .role = REC_ROLE_PUBLISHER, .server_data = text };
  RecJoinRequest request = {
    .session_id = "room", .secret = "MY_SECRET", .client_data = text, .era = REC_ERA_NEW
  };
  g_autoptr (GError) of_server = NULL, of_client = NULL;

  g_assert_true (
      rec_config_set (fixture->config, "server.max-metadata-bytes", "100", "test", NULL));
  g_assert_null (rec_registry_create_connection (fixture->registry, session, &asked, &of_server));
  g_assert_error (of_server, REC_ERROR, REC_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (of_server->message, "101 bytes"));
  g_assert_null (rec_registry_join (fixture->registry, &request, &of_client));
  g_assert_error (of_client, REC_ERROR, REC_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (of_client->message, "server.max-metadata-bytes"));
  text[100] = '\0';
  g_assert_nonnull (rec_registry_create_connection (fixture->registry, session, &asked, NULL));
  g_assert_nonnull (rec_registry_join (fixture->registry, &request, NULL));
}

static int64_t
read_ticks (void *data)
{
  return ((Fixture *) data)->ticks_ms;
}

/* And whatever becomes of the wall clock meanwhile changes nothing. */
static void
test_garbage_is_collected (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  rec_registry_set_ticks (fixture->registry, read_ticks, fixture);
  RecSession *joined = create (fixture, "joined");

  create (fixture, "old");
  join (fixture, joined, "ann");
  fixture->ticks_ms += 3600 * 1000;
  fixture->now_ms += 7200 * 1000;
  create (fixture, "young");
  rec_registry_collect_garbage (fixture->registry);
  g_assert_nonnull (rec_registry_find_session (fixture->registry, "old"));
  fixture->ticks_ms += 1;
  fixture->now_ms -= 86400 * 1000;
  g_string_truncate (fixture->heard, 0);
  rec_registry_collect_garbage (fixture->registry);
  assert_heard (fixture, "closed:old:sessionClosedByServer ");
  g_assert_nonnull (rec_registry_find_session (fixture->registry, "joined"));
  g_assert_nonnull (rec_registry_find_session (fixture->registry, "young"));
}

/* --- listeners who call back ----------------------------------------------------------------------------- */

static void
close_on_join (RecParticipant *participant, void *data)
{
  rec_registry_close_session (data, participant->session, "sessionClosedByServer");
}

static void
close_on_end (RecStreamInfo *stream, const char *reason G_GNUC_UNUSED, void *data)
{
  rec_registry_close_session (data, stream->owner->session, "sessionClosedByServer");
}

static void
evict_rest_on_leave (RecParticipant *participant, const char *reason G_GNUC_UNUSED, void *data)
{
  while (participant->session->participants->len > 0)
    rec_registry_leave (data, participant->session->participants->pdata[0],
        "forceDisconnectByServer");
}

/* It hears before the one that takes notes, which then must still be able to read what it is told of. */
static void
meddle (Fixture *fixture, const RecRegistryEvents *events)
{
  rec_registry_free (fixture->registry);
  fixture->registry = rec_registry_new (fixture->config, read_clock, fixture);
  rec_registry_subscribe (fixture->registry, events, fixture->registry);
  rec_registry_subscribe (fixture->registry, &note_events, fixture);
}

static void
test_closing_while_joining (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const RecRegistryEvents events = { .participant_joined = close_on_join };
  g_autoptr (GError) error = NULL;
  RecSession *session;

  meddle (fixture, &events);
  session = create (fixture, "room");
  g_assert_null (try_join (fixture, session, REC_ROLE_PUBLISHER, "ann", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_CONFLICT);
  assert_heard (fixture, "created:room left:ann:sessionClosedByServer "
                         "closed:room:sessionClosedByServer joined:ann ");
}

static void
test_closing_while_ending (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const RecRegistryEvents events = { .stream_ended = close_on_end };
  RecSession *session;
  RecParticipant *ann;

  meddle (fixture, &events);
  session = create (fixture, "room");
  ann = join (fixture, session, "ann");
  join (fixture, session, "bob");
  add_stream (fixture, ann, "CAMERA");
  g_string_truncate (fixture->heard, 0);
  rec_registry_leave (fixture->registry, ann, "disconnect");
  assert_heard (fixture, "left:bob:sessionClosedByServer closed:room:sessionClosedByServer "
                         "ended:ann:disconnect:negotiating left:ann:disconnect ");
  g_assert_cmpuint (rec_registry_get_sessions (fixture->registry)->len, ==, 0);
}

static void
test_evicting_while_leaving (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const RecRegistryEvents events = { .participant_left = evict_rest_on_leave };
  RecSession *session;
  RecParticipant *ann;

  meddle (fixture, &events);
  session = create (fixture, "room");
  ann = join (fixture, session, "ann");
  join (fixture, session, "bob");
  join (fixture, session, "cid");
  rec_registry_leave (fixture->registry, ann, "disconnect");
  g_assert_cmpuint (rec_registry_get_sessions (fixture->registry)->len, ==, 0);
  g_assert_nonnull (strstr (fixture->heard->str, "closed:room:lastParticipantLeft"));
  g_assert_null (strstr (strstr (fixture->heard->str, "closed:") + 1, "closed:"));
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/session/ids-of-both-eras", test_ids_of_both_eras);
  ADD ("/session/custom-ids-are-safe", test_custom_ids_are_safe);
  ADD ("/session/id-in-use-conflicts", test_id_in_use_conflicts);
  ADD ("/session/sessions-are-bounded", test_sessions_are_bounded);
  ADD ("/session/participants-are-bounded", test_participants_are_bounded);
  ADD ("/session/publishers-are-bounded", test_publishers_are_bounded);
  ADD ("/session/one-stream-each", test_one_stream_each);
  ADD ("/session/subscribers-do-not-publish", test_subscribers_do_not_publish);
  ADD ("/session/stream-ids-tell-the-kind", test_stream_ids_tell_the_kind);
  ADD ("/session/events-of-a-life", test_events_of_a_life);
  ADD ("/session/closing-makes-everybody-leave", test_closing_makes_everybody_leave);
  ADD ("/session/streams-change-within-rules", test_changes_of_streams);
  ADD ("/session/signals-reach-all-or-nobody", test_signals);
  ADD ("/session/metadata-is-joined", test_metadata);
  ADD ("/session/old-metadata-is-bounded", test_old_metadata_is_bounded);
  ADD ("/session/metadata-is-limited", test_metadata_is_limited);
  ADD ("/session/garbage-is-collected", test_garbage_is_collected);
  ADD ("/session/listener-may-close-while-joining", test_closing_while_joining);
  ADD ("/session/listener-may-close-while-ending", test_closing_while_ending);
  ADD ("/session/listener-may-evict-while-leaving", test_evicting_while_leaving);
  return g_test_run ();
}
