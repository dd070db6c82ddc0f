/* test-events.c - the CDR file's lines in both eras, their order and reasons; its turning over; webhook settings. */
#include "events/events.h"

#include "base/config.h"
#include "base/json.h"
#include "base/path.h"
#include "events/cdr.h"
#include "events/facts.h"
#include "events/spool.h"
#include "events/webhook.h"
#include "session/registry.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  RecConfig *config;
  RecRegistry *registry;
  RecEvents *events;
  int64_t now_ms;
  char *folder;
  GPtrArray *names; /* of char *: id, name, id, name... */
} Fixture;

static int64_t
read_clock (void *data)
{
  return ((Fixture *) data)->now_ms;
}

static void
set (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  fixture->now_ms = 1700000000000;
  fixture->folder = g_dir_make_tmp ("recto-events-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->names = g_ptr_array_new_with_free_func (g_free);
  fixture->config = rec_config_new ();
  set (fixture, "server.state-directory", fixture->folder);
  set (fixture, "openvidu.cdr.path", fixture->folder);
  set (fixture, "openvidu.cdr", "true");
  fixture->registry = rec_registry_new (fixture->config, read_clock, fixture);
}

static void
listen_to (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->events = rec_events_new (fixture->config, fixture->registry, &error);
  g_assert_no_error (error);
  rec_events_watch_ends (fixture->events);
}

static void
finish (Fixture *fixture)
{
  g_clear_pointer (&fixture->registry, rec_registry_free);
  g_clear_pointer (&fixture->events, rec_events_free);
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  finish (fixture);
  rec_config_free (fixture->config);
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
  g_ptr_array_unref (fixture->names);
}

/* --- a session ------------------------------------------------------------------------------------------------ */

static void
call (Fixture *fixture, const char *id, const char *name)
{
  g_ptr_array_add (fixture->names, g_strdup (id));
  g_ptr_array_add (fixture->names, g_strdup (name));
}

static RecSession *
create (Fixture *fixture, RecEra era)
{
  g_autoptr (GError) error = NULL;
  RecSessionProperties *properties = rec_session_properties_new ();

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup ("room");
  RecSession *session = rec_registry_create_session (fixture->registry, era, properties, &error);
  g_assert_no_error (error);
  return session;
}

static RecParticipant *
join (Fixture *fixture, RecSession *session, const char *name)
{
  g_autoptr (GError) error = NULL;
  const RecConnectionRequest request = { .role = REC_ROLE_PUBLISHER, .server_data = "s" };
  const RecConnection *connection =
      rec_registry_create_connection (fixture->registry, session, &request, &error);
  const RecJoinRequest join = { .session_id = session->id,
    .token = connection->token,
    .client_data = name,
    .platform = "Chrome",
    .ip = "10.0.0.1",
    .era = session->era };
  RecParticipant *participant = rec_registry_join (fixture->registry, &join, &error);

  g_assert_no_error (error);
  call (fixture, participant->id, name);
  return participant;
}

static RecParticipant *
join_recorder (Fixture *fixture, RecSession *session)
{
  g_autoptr (GError) error = NULL;
  const RecJoinRequest join = {
    .session_id = session->id, .secret = "MY_SECRET", .recorder = true, .era = session->era
  };
  RecParticipant *recorder = rec_registry_join (fixture->registry, &join, &error);

  g_assert_no_error (error);
  return recorder;
}

static RecStreamInfo *
publish (Fixture *fixture, RecParticipant *owner, const char *type_of_video)
{
  const RecStreamInfo properties = { .has_audio = true,
    .has_video = type_of_video != NULL,
    .type_of_video = (char *) type_of_video,
    .video_dimensions = (char *) "{\"width\":640,\"height\":480}",
    .frame_rate = 30 };
  g_autoptr (GError) error = NULL;
  RecStreamInfo *stream = rec_registry_add_stream (fixture->registry, owner, &properties, &error);

  g_assert_no_error (error);
  g_autofree char *name = g_strconcat (owner->client_data, "-cam", NULL);
  call (fixture, stream->id, name);
  rec_registry_announce_stream (fixture->registry, stream);
  return stream;
}

static void
watch (Fixture *fixture, RecParticipant *subscriber, RecStreamInfo *stream)
{
  g_autoptr (GError) error = NULL;

  rec_registry_subscribe_to_stream (fixture->registry, subscriber, stream, &error);
  g_assert_no_error (error);
}

static void
pass (Fixture *fixture, int seconds)
{
  fixture->now_ms += seconds * 1000;
}

/* --- what was written -------------------------------------------------------------------------------------------- */

/* Ids are replaced by names, the longest first, because a stream's id ends in its owner's. */
static char *
read_lines (Fixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->folder, REC_CDR_FILE, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  GString *lines = g_string_new (text);
  for (guint i = fixture->names->len; i >= 2; i -= 2)
    if (strstr (fixture->names->pdata[i - 1], "-cam") != NULL)
      g_string_replace (lines, fixture->names->pdata[i - 2], fixture->names->pdata[i - 1], 0);
  for (guint i = 0; i < fixture->names->len; i += 2)
    g_string_replace (lines, fixture->names->pdata[i], fixture->names->pdata[i + 1], 0);
  return g_string_free (lines, FALSE);
}

static void
assert_lines (Fixture *fixture, const char *const *expected)
{
  g_autofree char *text = read_lines (fixture);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint i = 0;

  for (; expected[i] != NULL; i++) {
    g_autoptr (GString) want = g_string_new (expected[i]);
    g_string_replace (want, "'", "\"", 0);
    g_assert_cmpstr (lines[i], ==, want->str);
  }
  /* The text ends in a newline, or is empty. */
  g_assert_cmpuint (g_strv_length (lines), ==, i == 0 ? 0 : i + 1);
}

#define SESSION "'sessionId':'room','uniqueSessionId':'room_1700000000000'"
#define ANNA                                                                                       \
  "'participantId':'anna','connectionId':'anna','location':'unknown','ip':'10.0.0.1',"             \
  "'platform':'Chrome','clientData':'anna','serverData':'s'"
#define BERT                                                                                       \
  "'participantId':'bert','connectionId':'bert','location':'unknown','ip':'10.0.0.1',"             \
  "'platform':'Chrome','clientData':'bert','serverData':'s'"
#define VIDEO                                                                                      \
  "'videoSource':'CAMERA','videoFramerate':30,"                                                    \
  "'videoDimensions':'{\\'width\\':640,\\'height\\':480}','audioEnabled':true,'videoEnabled':true"
#define OUTBOUND                                                                                   \
  "'streamId':'anna-cam','participantId':'anna','connectionId':'anna','connection':'OUTBOUND'"     \
  "," VIDEO
#define INBOUND                                                                                    \
  "'streamId':'anna-cam','participantId':'bert','connectionId':'bert','connection':'INBOUND',"     \
  "'receivingFrom':'anna'," VIDEO

static void
hold_session (Fixture *fixture, RecEra era)
{
  RecSession *session = create (fixture, era);

  pass (fixture, 2);
  RecParticipant *anna = join (fixture, session, "anna");
  RecParticipant *recorder = join_recorder (fixture, session);
  RecStreamInfo *stream = publish (fixture, anna, "CAMERA");
  pass (fixture, 1);
  RecParticipant *bert = join (fixture, session, "bert");
  watch (fixture, bert, stream);
  watch (fixture, recorder, stream);
  pass (fixture, 3);
  rec_registry_leave (fixture->registry, anna, "networkDisconnect");
  rec_registry_leave (fixture->registry, recorder, "disconnect");
  pass (fixture, 1);
  rec_registry_leave (fixture->registry, bert, "disconnect");
  finish (fixture);
}

static void
test_new_session (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const expected[] = {
    "{'sessionCreated':{" SESSION ",'timestamp':1700000000000}}",
    "{'participantJoined':{" SESSION ",'timestamp':1700000002000," ANNA "}}",
    "{'webrtcConnectionCreated':{" SESSION ",'timestamp':1700000002000," OUTBOUND "}}",
    "{'participantJoined':{" SESSION ",'timestamp':1700000003000," BERT "}}",
    "{'webrtcConnectionCreated':{" SESSION ",'timestamp':1700000003000," INBOUND "}}",
    "{'webrtcConnectionDestroyed':{" SESSION ",'timestamp':1700000006000,'startTime':1700000003000,"
    "'duration':3,'reason':'networkDisconnect'," INBOUND "}}",
    "{'webrtcConnectionDestroyed':{" SESSION ",'timestamp':1700000006000,'startTime':1700000002000,"
    "'duration':4,'reason':'networkDisconnect'," OUTBOUND "}}",
    "{'participantLeft':{" SESSION ",'timestamp':1700000006000,'startTime':1700000002000,"
    "'duration':4,'reason':'networkDisconnect'," ANNA "}}",
    "{'participantLeft':{" SESSION ",'timestamp':1700000007000,'startTime':1700000003000,"
    "'duration':4,'reason':'disconnect'," BERT "}}",
    "{'sessionDestroyed':{" SESSION ",'timestamp':1700000007000,'startTime':1700000000000,"
    "'duration':7,'reason':'lastParticipantLeft'}}",
    NULL,
  };

  listen_to (fixture);
  hold_session (fixture, REC_ERA_NEW);
  assert_lines (fixture, expected);
}

#define OLD_VIDEO                                                                                  \
  "'audioEnabled':true,'videoEnabled':true,'videoSource':'CAMERA','videoFramerate':30"

static void
test_old_session (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const expected[] = {
    "{'sessionCreated':{'sessionId':'room','timestamp':1700000000000}}",
    "{'participantJoined':{'sessionId':'room','timestamp':1700000002000,'participantId':'anna'}}",
    "{'webrtcConnectionCreated':{'sessionId':'room','timestamp':1700000002000,"
    "'participantId':'anna','connection':'OUTBOUND'," OLD_VIDEO "}}",
    "{'participantJoined':{'sessionId':'room','timestamp':1700000003000,'participantId':'bert'}}",
    "{'webrtcConnectionCreated':{'sessionId':'room','timestamp':1700000003000,"
    "'participantId':'bert','connection':'INBOUND','receivingFrom':'anna'," OLD_VIDEO "}}",
    "{'webrtcConnectionDestroyed':{'sessionId':'room','timestamp':1700000006000,"
    "'participantId':'bert','startTime':1700000003000,'endTime':1700000006000,'duration':3,"
    "'connection':'INBOUND','receivingFrom':'anna'," OLD_VIDEO ",'reason':'networkDisconnect'}}",
    "{'webrtcConnectionDestroyed':{'sessionId':'room','timestamp':1700000006000,"
    "'participantId':'anna','startTime':1700000002000,'endTime':1700000006000,'duration':4,"
    "'connection':'OUTBOUND'," OLD_VIDEO ",'reason':'networkDisconnect'}}",
    "{'participantLeft':{'sessionId':'room','timestamp':1700000006000,'participantId':'anna',"
    "'startTime':1700000002000,'endTime':1700000006000,'duration':4,'reason':'networkDisconnect'}}",
    "{'participantLeft':{'sessionId':'room','timestamp':1700000007000,'participantId':'bert',"
    "'startTime':1700000003000,'endTime':1700000007000,'duration':4,'reason':'disconnect'}}",
    "{'sessionDestroyed':{'sessionId':'room','timestamp':1700000007000,"
    "'startTime':1700000000000,'endTime':1700000007000,'duration':7,"
    "'reason':'lastParticipantLeft'}}",
    NULL,
  };

  listen_to (fixture);
  hold_session (fixture, REC_ERA_OLD);
  assert_lines (fixture, expected);
}

/* "name:reason" of each line that has a reason. */
static char *
list_reasons (Fixture *fixture)
{
  g_autofree char *text = read_lines (fixture);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *list = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    g_autoptr (RecJson) line = rec_json_parse (lines[i], strlen (lines[i]), 100000, NULL);
    json_object_object_foreach (line, name, fact) {
      const char *who = rec_json_string_or (fact, "participantId", "session");
      const char *reason = rec_json_string_or (fact, "reason", NULL);
      if (reason != NULL)
        g_string_append_printf (list, "%s:%s:%s ", name, who, reason);
    }
  }
  return g_string_free (list, FALSE);
}

static void
test_subscriptions_end_with_their_reason (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  listen_to (fixture);
  RecSession *session = create (fixture, REC_ERA_NEW);
  RecParticipant *anna = join (fixture, session, "anna"), *bert = join (fixture, session, "bert");
  RecStreamInfo *stream = publish (fixture, anna, NULL);

  watch (fixture, bert, stream);
  rec_registry_unsubscribe_from_stream (fixture->registry, bert, stream->id);
  watch (fixture, bert, stream);
  rec_registry_end_stream (fixture->registry, stream, "forceUnpublishByServer");
  stream = publish (fixture, anna, "SCREEN");
  watch (fixture, bert, stream);
  rec_registry_leave (fixture->registry, bert, "forceDisconnectByUser");
  rec_registry_close_session (fixture->registry, session, "sessionClosedByServer");
  finish (fixture);
  g_autofree char *reasons = list_reasons (fixture);
  g_assert_cmpstr (reasons, ==,
      "webrtcConnectionDestroyed:bert:unsubscribe "
      "webrtcConnectionDestroyed:bert:forceUnpublishByServer "
      "webrtcConnectionDestroyed:anna:forceUnpublishByServer "
      "webrtcConnectionDestroyed:bert:forceDisconnectByUser "
      "participantLeft:bert:forceDisconnectByUser "
      "webrtcConnectionDestroyed:anna:sessionClosedByServer "
      "participantLeft:anna:sessionClosedByServer "
      "sessionDestroyed:session:sessionClosedByServer ");
}

static void
test_unjoined_session_is_not_told (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  listen_to (fixture);
  rec_registry_close_session (fixture->registry, create (fixture, REC_ERA_NEW),
      "sessionClosedByServer");
  finish (fixture);
  assert_lines (fixture, (const char *const[]){ NULL });
}

/* --- recordings and signals ---------------------------------------------------------------------------------------- */

static void
change (Fixture *fixture, RecRecording *recording, RecRecordingStatus status)
{
  pass (fixture, 1);
  rec_registry_set_recording_status (fixture->registry, recording, status);
}

static RecRecording *
start_recording (Fixture *fixture, RecEra era, const char *id)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (RecRecording)
      recording = rec_recording_new (id, "room", era, properties, fixture->now_ms);

  recording->unique_session_id = g_strdup ("room_1700000000000");
  rec_registry_add_recording (fixture->registry, recording);
  return recording;
}

static void
record (Fixture *fixture, RecEra era)
{
  RecRecording *recording = start_recording (fixture, era, "r1");

  change (fixture, recording, REC_RECORDING_STARTED);
  recording->reason = g_strdup ("disconnect");
  change (fixture, recording, REC_RECORDING_STOPPED);
  recording->size = 1234;
  recording->duration_s = 1.5;
  recording->has_audio = false;
  change (fixture, recording, REC_RECORDING_READY);
  recording = start_recording (fixture, era, "r2");
  change (fixture, recording, REC_RECORDING_FAILED);
  finish (fixture);
}

#define COMPOSED(id)                                                                               \
  "'id':'" id "','name':'" id "','outputMode':'COMPOSED','resolution':'1280x720','frameRate':25,"  \
  "'recordingLayout':'BEST_FIT'"

static void
test_new_recording (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const expected[] = {
    "{'recordingStatusChanged':{" SESSION ",'timestamp':1700000001000," COMPOSED (
        "r1") ",'hasAudio':true,'hasVideo':true,'size':0,'duration':0.0,'status':'started',"
              "'startTime':1700000000000}}",
    "{'recordingStatusChanged':{" SESSION ",'timestamp':1700000002000," COMPOSED (
        "r1") ",'hasAudio':true,'hasVideo':true,'size':0,'duration':0.0,'status':'stopped',"
              "'startTime':1700000000000,'reason':'lastParticipantLeft'}}",
    "{'recordingStatusChanged':{" SESSION ",'timestamp':1700000003000," COMPOSED (
        "r1") ",'hasAudio':false,'hasVideo':true,'size':1234,'duration':1.5,'status':'ready',"
              "'startTime':1700000000000,'reason':'lastParticipantLeft'}}",
    "{'recordingStatusChanged':{" SESSION ",'timestamp':1700000004000," COMPOSED (
        "r2") ",'hasAudio':true,'hasVideo':true,'size':0,'duration':0.0,'status':'failed',"
              "'startTime':1700000003000}}",
    NULL,
  };

  listen_to (fixture);
  record (fixture, REC_ERA_NEW);
  assert_lines (fixture, expected);
}

static void
test_old_recording (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const expected[] = {
    "{'recordingStarted':{'sessionId':'room','timestamp':1700000001000,'id':'r1','name':'r1',"
    "'recordingLayout':'BEST_FIT','hasAudio':true,'hasVideo':true,'size':0,'duration':0.0}}",
    "{'recordingStopped':{'sessionId':'room','timestamp':1700000003000,'id':'r1','name':'r1',"
    "'recordingLayout':'BEST_FIT','hasAudio':false,'hasVideo':true,'size':1234,"
    "'startTime':1700000000000,'endTime':1700000003000,'duration':1.5,"
    "'reason':'lastParticipantLeft'}}",
    NULL,
  };

  listen_to (fixture);
  record (fixture, REC_ERA_OLD);
  assert_lines (fixture, expected);
}

static void
test_signals (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const expected[] = {
    "{'signalSent':{" SESSION ",'timestamp':1700000000000,'from':'anna','to':['bert'],"
    "'type':'chat','data':'hello'}}",
    "{'signalSent':{" SESSION ",'timestamp':1700000000000,'from':null,'to':['anna','bert'],"
    "'type':'signal:chat','data':''}}",
    NULL,
  };
  g_autoptr (GError) error = NULL;

  RecSession *session = create (fixture, REC_ERA_NEW);
  RecParticipant *anna = join (fixture, session, "anna"), *bert = join (fixture, session, "bert");
  const char *const to[] = { bert->id, NULL };
  join_recorder (fixture, session);
  listen_to (fixture);
  rec_registry_send_signal (fixture->registry, session, anna, to, "signal:chat", "hello", &error);
  rec_registry_send_signal (fixture->registry, session, NULL, NULL, "chat", NULL, &error);
  g_assert_no_error (error);
  finish (fixture);
  assert_lines (fixture, expected);
}

/* --- the webhook ------------------------------------------------------------------------------------------------------ */

static void
test_webhook_waits_on_disk (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const char *const names[] = { "sessionCreated", "participantLeft", "sessionDestroyed" };
  g_autofree char *folder = g_build_filename (fixture->folder, "webhook", NULL);
  g_autoptr (GError) error = NULL;
  uint64_t number;

  /* Nobody listens on port 1. */
  set (fixture, "openvidu.cdr", "false");
  set (fixture, "openvidu.webhook", "true");
  set (fixture, "openvidu.webhook.endpoint", "http://127.0.0.1:1/hook");
  set (fixture, "openvidu.webhook.events",
      "[\"sessionCreated\", \"participantLeft\", \"sessionDestroyed\"]");
  listen_to (fixture);
  hold_session (fixture, REC_ERA_OLD);
  g_autoptr (RecSpool) spool = rec_spool_new (folder, 1000000, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rec_spool_count (spool), ==, 4);
  for (guint i = 0; i < 4; i++) {
    const char *text = rec_spool_peek (spool, &number);
    g_autoptr (RecJson) body = rec_json_parse (text, strlen (text), 100000, NULL);
    g_assert_cmpuint (number, ==, i + 1);
    g_assert_cmpstr (rec_json_string_or (body, "event", ""), ==, names[i < 2 ? i : i - 1]);
    g_assert_cmpstr (rec_json_string_or (body, "uniqueSessionId", ""), ==, "room_1700000000000");
    rec_spool_pop (spool, number);
  }
}

/* RFC 4231, test case 2. */
static void
test_signature (void)
{
  g_autofree char *signature = rec_webhook_sign ("Jefe", "what do ya want for nothing?");

  g_assert_cmpstr (signature, ==,
      "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void
test_lists_have_two_forms (void)
{
  static const char *const good[] = { "A: b,C: d, e", " A: b , C: d,e",
    "[\"A: b\",\"C: d\",\"e\"]" };
  static const char *const bad[] = { "[1]", "[", "[\"a\"" };

  for (size_t i = 0; i < G_N_ELEMENTS (good); i++) {
    g_auto (GStrv) list = rec_webhook_parse_list (good[i], NULL);
    g_autofree char *joined = g_strjoinv ("|", list);
    g_assert_cmpstr (joined, ==, "A: b|C: d|e");
  }
  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (rec_webhook_parse_list (bad[i], &error));
    g_assert_nonnull (error);
  }
}

static void
test_bad_webhook_settings_are_refused (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  static const struct {
    const char *key, *value;
  } cases[] = {
    { "openvidu.webhook.endpoint", "" },
    { "openvidu.webhook.endpoint", "ftp://host/" },
    { "openvidu.webhook.endpoint", "http:///path" },
    { "openvidu.webhook.events", "sessionCreated,sessionExploded" },
    { "openvidu.webhook.headers", "no colon" },
    { "openvidu.webhook.headers", "[\"A: b\\r\\nHost: other\"]" },
  };

  set (fixture, "openvidu.webhook", "true");
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    set (fixture, "openvidu.webhook.endpoint", "http://127.0.0.1:1/");
    set (fixture, "openvidu.webhook.events", "");
    set (fixture, "openvidu.webhook.headers", "");
    set (fixture, cases[i].key, cases[i].value);
    g_assert_null (rec_events_new (fixture->config, fixture->registry, &error));
    g_assert_nonnull (strstr (error->message, cases[i].key));
  }
}

/* --- the file --------------------------------------------------------------------------------------------------------- */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Sorted: CDR-TIME.log, CDR.log. */
static GPtrArray *
list_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

static void
test_file_turns_over (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecCdr) cdr = rec_cdr_new (fixture->folder, 20, 2, &error);

  g_assert_no_error (error);
  for (int i = 0; i < 9; i++) {
    g_autofree char *line = g_strdup_printf ("line %04d", i); /* ten bytes, two to a file */
    g_assert_true (rec_cdr_write (cdr, line, &error));
  }
  g_autoptr (GPtrArray) names = list_files (fixture->folder);
  g_autoptr (GString) kept = g_string_new (NULL);
  g_assert_cmpuint (names->len, ==, 3);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (fixture->folder, names->pdata[i], NULL);
    g_autofree char *text = NULL;
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    g_string_append (kept, text);
  }
  g_assert_cmpstr (kept->str, ==, "line 0004\nline 0005\nline 0006\nline 0007\nline 0008\n");
}

static void
test_file_is_reopened_and_mended (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->folder, REC_CDR_FILE, NULL);
  g_autofree char *moved = g_build_filename (fixture->folder, "moved", NULL);
  g_autofree char *text = NULL, *old = NULL;

  g_assert_true (g_file_set_contents (path, "{\"cut", -1, NULL));
  g_autoptr (RecCdr) cdr = rec_cdr_new (fixture->folder, 0, 0, &error);
  g_assert_true (rec_cdr_write (cdr, "a", &error));
  g_assert_cmpint (g_rename (path, moved), ==, 0);
  g_assert_true (rec_cdr_write (cdr, "b", &error));
  g_assert_true (rec_cdr_reopen (cdr, &error));
  g_assert_true (rec_cdr_write (cdr, "c", &error));
  g_assert_true (g_file_get_contents (moved, &old, NULL, NULL));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (old, ==, "{\"cut\na\nb\n");
  g_assert_cmpstr (text, ==, "c\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_setenv ("no_proxy", "*", TRUE);
#define ADD(name, test) g_test_add ("/events/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("session-is-told-as-the-later-era-does", test_new_session);
  ADD ("session-is-told-as-the-first-era-does", test_old_session);
  ADD ("subscriptions-end-with-their-reason", test_subscriptions_end_with_their_reason);
  ADD ("unjoined-session-is-not-told", test_unjoined_session_is_not_told);
  ADD ("recording-is-told-as-the-later-era-does", test_new_recording);
  ADD ("recording-is-told-as-the-first-era-does", test_old_recording);
  ADD ("signals-are-told", test_signals);
  ADD ("webhook-events-wait-on-disk", test_webhook_waits_on_disk);
  ADD ("bad-webhook-settings-are-refused", test_bad_webhook_settings_are_refused);
  ADD ("file-turns-over", test_file_turns_over);
  ADD ("file-is-reopened-and-mended", test_file_is_reopened_and_mended);
  g_test_add_func ("/events/signature-is-hmac-sha256", test_signature);
  g_test_add_func ("/events/lists-have-two-forms", test_lists_have_two_forms);
  return g_test_run ();
}
