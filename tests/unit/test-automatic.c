/* test-automatic.c - recordings that begin and end by themselves, by the rules of both eras, with real workers. */
#include "base/config.h"
#include "base/error.h"
#include "base/path.h"
#include "lib/library-leaks.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "recording/automatic.h"
#include "recording/supervisor.h"
#include "session/registry.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S 90
/* openvidu.recording.autostop-timeout of most cases. */
#define AUTOSTOP_S 1
/* What goes on longer than this was not counted down. */
#define NOT_COUNTED_MS (AUTOSTOP_S * 1000 + 700)

/* What is done and expected, one word after the other:
 *   join:X publish:X unpublish:X leave:X   of a participant named by a letter
 *   record stop close                      as through REST
 *   starting recorded                      the session is being recorded; there is data on the disk
 *   ended:WHY                              the last recording is complete, and says why
 *   goes-on                                it was not counted down
 *   idle open closed:WHY                   not being recorded; the session is there; is gone */
typedef struct {
  const char *name, *settings;
  RecEra era;
  bool always;
  const char *script;
} Case;

#define MANUAL(path, era, settings, script)                                                        \
  {                                                                                                \
    path, settings, REC_ERA_##era, false, script                                                   \
  }
#define ALWAYS(path, era, settings, script)                                                        \
  {                                                                                                \
    path, settings, REC_ERA_##era, true, script                                                    \
  }

static const Case cases[] = {
  ALWAYS ("new/starts-with-the-first-publisher", NEW, NULL,
      "join:a idle join:b publish:b starting recorded publish:a leave:b goes-on"),
  ALWAYS ("new/ends-when-the-time-is-up", NEW, NULL,
      "join:a publish:a recorded leave:a open ended:automaticStop closed:automaticStop"),
  ALWAYS ("new/goes-on-when-somebody-publishes-in-time", NEW, NULL,
      "join:a publish:a recorded leave:a join:b publish:b goes-on"),
  ALWAYS ("new/joining-is-not-publishing", NEW, NULL,
      "join:a publish:a recorded leave:a join:b ended:automaticStop open idle"),
  ALWAYS ("new/starts-again-after-it-ended-by-itself", NEW, NULL,
      "join:a publish:a recorded leave:a join:b ended:automaticStop publish:b recorded"),
  ALWAYS ("new/does-not-end-while-somebody-is-there", NEW, NULL,
      "join:a publish:a recorded unpublish:a goes-on publish:a goes-on"),
  ALWAYS ("new/is-not-started-after-it-was-stopped", NEW, NULL,
      "join:a publish:a recorded stop ended:recordingStoppedByServer unpublish:a publish:a idle "
      "record recorded"),
  ALWAYS ("new/ends-at-once-without-a-timeout", NEW, "openvidu.recording.autostop-timeout=0",
      "join:a publish:a recorded leave:a ended:lastParticipantLeft closed:lastParticipantLeft"),
  ALWAYS ("new/ends-at-once-though-it-had-not-begun", NEW, "openvidu.recording.autostop-timeout=0",
      "join:a publish:a starting leave:a ended:lastParticipantLeft closed:lastParticipantLeft"),
  ALWAYS ("new/waits-until-it-has-begun", NEW, NULL,
      "join:a publish:a starting leave:a ended:automaticStop closed:automaticStop"),
  MANUAL ("new/manual-ends-when-the-time-is-up", NEW, NULL,
      "join:a publish:a idle record recorded leave:a ended:automaticStop closed:automaticStop"),
  MANUAL ("new/manual-ends-when-nobody-ever-publishes", NEW, NULL,
      "join:a record recorded ended:automaticStop open idle"),
  MANUAL ("new/manual-goes-on-with-a-publisher", NEW, NULL,
      "join:a record recorded publish:a goes-on"),
  MANUAL ("new/manual-closes-its-empty-session-when-stopped", NEW,
      "openvidu.recording.autostop-timeout=3600",
      "join:a record recorded leave:a open stop ended:recordingStoppedByServer "
      "closed:lastParticipantLeft"),
  MANUAL ("new/goes-with-its-session", NEW, NULL,
      "join:a publish:a record recorded close closed:sessionClosedByServer "
      "ended:sessionClosedByServer"),
  ALWAYS ("old/ends-when-the-last-one-leaves", OLD, NULL,
      "join:a publish:a starting recorded join:b leave:a goes-on leave:b "
      "ended:lastParticipantLeft closed:lastParticipantLeft"),
  ALWAYS ("old/ends-though-it-had-not-begun", OLD, NULL,
      "join:a publish:a starting leave:a ended:lastParticipantLeft closed:lastParticipantLeft"),
  ALWAYS ("old/is-started-after-it-was-stopped", OLD, NULL,
      "join:a publish:a recorded stop ended:recordingStoppedByServer idle unpublish:a publish:a "
      "recorded"),
  ALWAYS ("old/who-comes-while-the-file-is-completed-is-recorded", OLD, NULL,
      "join:a publish:a recorded stop leave:a join:b publish:b ended:recordingStoppedByServer "
      "recorded"),
  MANUAL ("old/manual-keeps-its-session-open", OLD, NULL,
      "join:a publish:a record recorded leave:a goes-on open stop "
      "ended:recordingStoppedByServer closed:lastParticipantLeft"),
  MANUAL ("old/manual-goes-on-though-nobody-publishes", OLD, NULL,
      "join:a record recorded goes-on"),
  MANUAL ("forced/new-rules-for-old-sessions", OLD, "recording.end-rules=2.32",
      "join:a record recorded ended:automaticStop"),
  ALWAYS ("forced/old-rules-for-new-sessions", NEW, "recording.end-rules=2.1",
      "join:a publish:a recorded leave:a ended:lastParticipantLeft closed:lastParticipantLeft"),
};

static struct {
  char *folder;
  RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecCatalogue *catalogue;
  RecSupervisor *supervisor;
} server;

/* One case. */
static struct {
  const Case *given;
  RecSession *session; /* NULL once closed */
  char *closed_because;
  RecRecording *recording; /* the last one; owned */
} play;

G_NORETURN static gboolean
on_timeout (gpointer data)
{
  g_error ("waited for '%s'", (const char *) data);
}

#define WAIT_FOR(word, condition)                                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint timeout = g_timeout_add_seconds (TIMEOUT_S, on_timeout, (gpointer) (word));              \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (timeout);                                                                     \
  }                                                                                                \
  G_STMT_END

static int64_t
read_clock (void *data G_GNUC_UNUSED)
{
  return g_get_real_time () / 1000;
}

static void
set (const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (server.config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
note_closed (RecSession *session, const char *reason, void *data G_GNUC_UNUSED)
{
  g_assert_true (session == play.session);
  /* OpenVidu tells of the recording's end first. */
  if (strcmp (reason, "sessionClosedByServer") != 0)
    g_assert_false (session->recording != NULL &&
                    session->recording->status == REC_RECORDING_STARTED);
  play.session = NULL;
  play.closed_because = g_strdup (reason);
}

static const RecRegistryEvents events = { .session_closed = note_closed };

static void
link_plugins (const char *folder)
{
  static const char *const files[] = { "best_fit.so", "mp4.so" };

  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *file = g_build_filename (REC_BUILD_DIR "/plugins", files[i], NULL);
    g_autofree char *path = g_build_filename (folder, files[i], NULL);
    g_assert_cmpint (symlink (file, path), ==, 0);
  }
}

static void
start_server (void)
{
  static const char program[] = REC_BUILD_DIR "/recto";
  g_autoptr (GError) error = NULL;

  server.folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  g_autofree char *recordings = g_build_filename (server.folder, "recordings", NULL);
  g_autofree char *plugins = g_build_filename (server.folder, "plugins", NULL);
  link_plugins (plugins);
  server.config = rec_config_new ();
  set ("openvidu.recording", "true");
  set ("openvidu.recording.path", recordings);
  set ("server.state-directory", server.folder);
  set ("plugins.directories", plugins);
  set ("plugins.config-directory", server.folder);
  set ("plugins.probe-timeout-ms", "20000");
  set ("recording.start-timeout-ms", "60000");
  set ("recording.stop-timeout-ms", "60000");
  server.registry = rec_registry_new (server.config, read_clock, NULL);
  server.router = rec_router_new (server.config, server.registry, &error);
  g_assert_no_error (error);
  server.catalogue = rec_catalogue_new (server.config, program, &error);
  g_assert_no_error (error);
  server.supervisor = rec_supervisor_new (server.config, server.registry, server.router,
      server.catalogue, program, &error);
  g_assert_no_error (error);
  rec_registry_subscribe (server.registry, &events, NULL);
}

static void
set_true (void *data)
{
  *(bool *) data = true;
}

static void
stop_server (void)
{
  bool is_stopped = false;

  rec_supervisor_stop_all (server.supervisor, "openviduServerStopped", set_true, &is_stopped);
  WAIT_FOR ("the end", is_stopped);
  rec_supervisor_free (server.supervisor);
  rec_router_free (server.router);
  rec_catalogue_free (server.catalogue);
  rec_registry_free (server.registry);
  rec_config_free (server.config);
  g_assert_true (rec_path_remove_tree (server.folder, NULL));
  g_free (server.folder);
}

/* --- words ------------------------------------------------------------------------------------------------------ */

static void
join (const char *name)
{
  g_autoptr (GError) error = NULL;
  const RecConnectionRequest asked = { .role = REC_ROLE_PUBLISHER };
  RecConnection *connection =
      rec_registry_create_connection (server.registry, play.session, &asked, &error);
  const RecJoinRequest request = { .session_id = play.session->id,
    .token = connection->token,
    .client_data = name,
    .era = play.given->era };

  g_assert_nonnull (rec_registry_join (server.registry, &request, &error));
  g_assert_no_error (error);
}

static RecParticipant *
find (const char *name)
{
  for (guint i = 0; i < play.session->participants->len; i++) {
    RecParticipant *participant = play.session->participants->pdata[i];
    if (strcmp (participant->client_data, name) == 0)
      return participant;
  }
  g_error ("nobody is called '%s'", name);
}

static void
publish (const char *name)
{
  g_autoptr (GError) error = NULL;
  const RecStreamInfo properties = { .has_audio = true, .frame_rate = -1 };
  RecStreamInfo *stream =
      rec_registry_add_stream (server.registry, find (name), &properties, &error);

  g_assert_no_error (error);
  rec_registry_announce_stream (server.registry, stream);
}

static void
unpublish (const char *name)
{
  rec_registry_end_stream (server.registry, find (name)->stream, "unpublish");
}

static void
leave (const char *name)
{
  rec_registry_leave (server.registry, find (name), "disconnect");
}

/* Remembers it: the session forgets. */
static void
expect_starting (const char *argument G_GNUC_UNUSED)
{
  g_assert_nonnull (play.session->recording);
  if (play.recording == play.session->recording)
    return;
  rec_recording_unref (play.recording);
  play.recording = rec_recording_ref (play.session->recording);
  g_assert_cmpint (play.recording->era, ==, play.given->era);
}

static void
expect_recorded (const char *argument)
{
  expect_starting (argument);
  WAIT_FOR ("recorded", play.recording->status != REC_RECORDING_STARTING);
  g_assert_cmpint (play.recording->status, ==, REC_RECORDING_STARTED);
}

static void
ignore_answer (RecRecording *recording G_GNUC_UNUSED, const GError *error, void *data G_GNUC_UNUSED)
{
  g_assert_no_error (error);
}

static void
record (const char *argument G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (rec_supervisor_start (server.supervisor, play.session,
      play.session->properties->recording, play.given->era, ignore_answer, NULL, &error));
  g_assert_no_error (error);
}

static void
stop (const char *argument G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (rec_supervisor_stop (server.supervisor, play.recording, "recordingStoppedByServer",
      ignore_answer, NULL, &error));
  g_assert_no_error (error);
}

static void
close_session (const char *argument G_GNUC_UNUSED)
{
  rec_registry_close_session (server.registry, play.session, "sessionClosedByServer");
}

static void
expect_ended (const char *reason)
{
  if (play.session != NULL && play.session->recording != NULL)
    expect_starting (NULL);
  WAIT_FOR (reason, !rec_recording_is_active (play.recording));
  g_assert_cmpstr (play.recording->message, ==, NULL);
  g_assert_cmpint (play.recording->status, ==, REC_RECORDING_READY);
  g_assert_cmpstr (play.recording->reason, ==, reason);
}

static gboolean
set_over (gpointer data)
{
  *(bool *) data = true;
  return G_SOURCE_REMOVE;
}

static void
expect_going_on (const char *argument G_GNUC_UNUSED)
{
  bool is_over = false;

  g_timeout_add (NOT_COUNTED_MS, set_over, &is_over);
  WAIT_FOR ("goes-on", is_over);
  g_assert_nonnull (play.session);
  g_assert_true (play.session->recording == play.recording);
  g_assert_cmpint (play.recording->status, ==, REC_RECORDING_STARTED);
}

static void
expect_idle (const char *argument G_GNUC_UNUSED)
{
  g_assert_null (play.session->recording);
}

static void
expect_open (const char *argument G_GNUC_UNUSED)
{
  g_assert_nonnull (play.session);
  g_assert_false (play.session->is_closing);
}

static void
expect_closed (const char *reason)
{
  WAIT_FOR ("closed", play.session == NULL);
  g_assert_cmpstr (play.closed_because, ==, reason);
}

static const struct {
  const char *name;
  void (*run) (const char *argument);
} words[] = {
  { "join", join },
  { "publish", publish },
  { "unpublish", unpublish },
  { "leave", leave },
  { "record", record },
  { "stop", stop },
  { "close", close_session },
  { "starting", expect_starting },
  { "recorded", expect_recorded },
  { "ended", expect_ended },
  { "goes-on", expect_going_on },
  { "idle", expect_idle },
  { "open", expect_open },
  { "closed", expect_closed },
};

static void
run_word (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 2);

  g_test_message ("%s", text);
  for (size_t i = 0; i < G_N_ELEMENTS (words); i++) {
    if (strcmp (words[i].name, parts[0]) == 0) {
      words[i].run (parts[1]);
      return;
    }
  }
  g_error ("'%s' is no word", text);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static void
configure (const Case *given)
{
  g_auto (GStrv) pair = g_strsplit (given->settings != NULL ? given->settings : "", "=", 2);
  g_autofree char *autostop = g_strdup_printf ("%d", AUTOSTOP_S);

  set ("openvidu.recording.autostop-timeout", autostop);
  set ("recording.end-rules", "creator");
  if (pair[0] != NULL)
    set (pair[0], pair[1]);
}

static void
run_case (const void *data)
{
  g_autoptr (GError) error = NULL;
  RecSessionProperties *properties = rec_session_properties_new ();

  play.given = data;
  configure (play.given);
  properties->records_always = play.given->always;
  properties->recording->width = 160;
  properties->recording->height = 120;
  properties->recording->frame_rate = 10;
  play.session = rec_registry_create_session (server.registry, play.given->era, properties, &error);
  g_assert_no_error (error);
  g_auto (GStrv) script = g_strsplit (play.given->script, " ", -1);
  for (char **word = script; *word != NULL; word++)
    run_word (*word);

  if (play.session != NULL)
    close_session (NULL);
  WAIT_FOR ("the last file", !rec_recording_is_active (play.recording));
  g_clear_pointer (&play.recording, rec_recording_unref);
  g_clear_pointer (&play.closed_because, g_free);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  /* Streams without packets are recorded in vain, which is logged. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  start_server ();
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/automatic/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], run_case);
  }
  status = g_test_run ();
  stop_server ();
  return status;
}
