/* test-salvage.c - workers that salvage badly: this very program, run as one, plays each part in turn. */
#define _GNU_SOURCE
#include "recording/supervisor.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/library-leaks.h"
#include "lib/supervisor-rig.h"
#include "wire/build.h"
#include "wire/control.h"

#define PART "G_RECTO_PART" /* children get only what begins with harmless words */
#define PROGRESS_MS 100
#define SLOW_STEPS 70

/* --- the worker ---------------------------------------------------------------------------------------------- */

static struct {
  const char *part; /* it plays */
  RecControl *control;
  GMainLoop *loop;
  char *directory, *unfinished, *finished, *name;
  bool is_individual;
  unsigned n_steps;
} self;

static void
say (RecControlType type, const char *text)
{
  rec_control_send (self.control, type, json_tokener_parse (text));
}

/* One letter for each that began to salvage. */
static void
count_attempt (void)
{
  g_autofree char *path = g_build_filename (self.directory, "attempts.json", NULL);
  FILE *file = fopen (path, "ae");

  g_assert_nonnull (file);
  fputc ('x', file);
  fclose (file);
}

/* Until it dies; leaves a mark where another one has the file already. */
static void
lock_file (void)
{
  g_autofree char *mark = g_build_filename (self.directory, "two-at-once.json", NULL);
  int fd = open (self.unfinished, O_RDWR | O_CLOEXEC);

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) != 0)
    g_file_set_contents (mark, "x", 1, NULL);
}

static void
say_finished (void)
{
  g_autofree char *text =
      g_strdup_printf ("{\"ok\": true, \"files\": [{\"name\": \"%s.mp4\","
                       " \"mediaType\": \"video/mp4\", \"size\": 7, \"durationNs\": "
                       "2000000000, \"hasAudio\": true, \"hasVideo\": true%s}]}",
          self.name, strcmp (self.part, "packer") == 0 ? ", \"stream\": \"str_A\"" : "");

  g_rename (self.unfinished, self.finished);
  say (REC_CONTROL_FINISHED, text);
  g_main_loop_quit (self.loop);
}

static gboolean
on_step (gpointer data G_GNUC_UNUSED)
{
  say (REC_CONTROL_PROGRESS, "{}");
  if (strcmp (self.part, "slow") == 0 && ++self.n_steps == SLOW_STEPS)
    say_finished ();
  return G_SOURCE_CONTINUE;
}

static void
salvage (void)
{
  count_attempt ();
  lock_file ();
  if (strcmp (self.part, "crash") == 0 || (strcmp (self.part, "packer") == 0 && self.is_individual))
    raise (SIGKILL);
  else if (strcmp (self.part, "whole") == 0 || strcmp (self.part, "packer") == 0)
    say_finished ();
  else if (strcmp (self.part, "silent") != 0 && strcmp (self.part, "orphan") != 0)
    g_timeout_add (PROGRESS_MS, on_step, NULL);
}

static void
take_setup (json_object *message)
{
  RecJson *recording = rec_json_get (message, "recording");

  self.directory = g_strdup (rec_json_string_or (recording, "directory", ""));
  self.name = g_strdup (rec_json_string_or (recording, "name", ""));
  self.is_individual = rec_json_bool_or (recording, "individual", false);
  self.finished = g_strdup_printf ("%s/%s.mp4", self.directory, self.name);
  self.unfinished = g_strconcat (self.finished, ".part", NULL);
}

static void
on_message (RecControl *sender G_GNUC_UNUSED, RecControlType type, json_object *message,
    void *data G_GNUC_UNUSED)
{
  if (type == REC_CONTROL_SETUP || type == REC_CONTROL_RECOVER)
    take_setup (message);
  if (type == REC_CONTROL_SETUP) {
    g_file_set_contents (self.unfinished, "a movie", -1, NULL);
    say (REC_CONTROL_READY, "{}");
    say (REC_CONTROL_STARTED, "{}");
  } else if (type == REC_CONTROL_RECOVER) {
    salvage ();
  }
}

static void
on_closed (RecControl *sender G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED,
    void *data G_GNUC_UNUSED)
{
  if (strcmp (self.part, "orphan") != 0)
    _exit (0);
  g_clear_pointer (&self.control, rec_control_free);
}

G_NORETURN static void
be_a_worker (void)
{
  g_autofree char *build = rec_wire_dup_build ("/proc/self/exe");
  json_object *hello = json_object_new_object ();

  self.part = g_getenv (PART);
  self.loop = g_main_loop_new (NULL, FALSE);
  self.control = rec_control_new (REC_WIRE_CONTROL_FD, true, on_message, on_closed, NULL);
  rec_json_set_string (hello, "version", REC_VERSION);
  rec_json_set_string (hello, "build", build);
  rec_json_set_int (hello, "pid", getpid ());
  rec_control_send (self.control, REC_CONTROL_HELLO, hello);
  alarm (120); /* whoever waits for the test's output waits for us, too */
  g_main_loop_run (self.loop);
  rec_control_flush (self.control, 1000);
  _exit (0);
}

/* --- the server ---------------------------------------------------------------------------------------------- */

static char *program;

static void
set_up (SupervisorRig *rig, gconstpointer data)
{
  supervisor_rig_set_up (rig, data);
  rig->workers = program;
  rig_set (rig, "recording.recover-timeout-ms", "60000");
  rig_set (rig, "recording.kill-timeout-ms", "200");
}

/* From now on salvaging workers play this part. */
static void
start_server (SupervisorRig *rig, const char *part)
{
  g_setenv (PART, part, TRUE);
  rig_start_server (rig);
}

static void
kill_worker (SupervisorRig *rig, const RecRecording *recording)
{
  g_assert_cmpint (kill (rig_get_worker (rig, recording), SIGKILL), ==, 0);
}

/* A recording whose worker is killed, and how it ends. */
static RecRecording *
lose_worker (SupervisorRig *rig, const char *id)
{
  RecRecording *recording = rig_start (rig, rig_make_session (rig, id));

  kill_worker (rig, recording);
  WAIT_FOR (!rec_recording_is_active (recording));
  return recording;
}

static RecRecording *
wait_for_restored (SupervisorRig *rig, const char *id)
{
  RecRecording *recording = rec_registry_find_recording (rig->registry, id);

  g_assert_nonnull (recording);
  WAIT_FOR (!rec_recording_is_active (recording));
  return recording;
}

/* What the journal says, once everything that was decided is on the disk. */
static int64_t
read_tries (SupervisorRig *rig, const RecRecording *recording)
{
  g_autofree char *name = g_strconcat ("running/", recording->id, ".json", NULL);
  g_autofree char *path = g_build_filename (rig->state, name, NULL);
  g_autoptr (RecJson) journal = rec_json_parse_file (path, 1 << 20, NULL);

  return journal != NULL ? rec_json_int_or (journal, "tries", -1) : -1;
}

static unsigned
count_attempts (const RecRecording *recording)
{
  g_autofree char *path = g_build_filename (recording->directory, "attempts.json", NULL);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? (unsigned) strlen (text) : 0;
}

static bool
is_stored (const RecRecording *recording, const char *status)
{
  g_autoptr (RecJson) entity = rig_read_entity (recording);

  return strcmp (rec_json_string_or (entity, "status", ""), status) == 0;
}

/* --- patience ------------------------------------------------------------------------------------------------ */

/* It takes seven seconds, and is never silent for five of them. */
static void
test_waits_as_long_as_it_gets_on (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_set (rig, "recording.recover-timeout-ms", "5000");
  start_server (rig, "slow");
  RecRecording *recording = lose_worker (rig, "long");

  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
  g_assert_cmpstr (recording->file_name, ==, "long.mp4");
  WAIT_FOR (!rig_has_journal (rig, recording));
}

static void
test_waits_not_for_ever (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_set (rig, "recording.recover-timeout-ms", "1000");
  rig_set (rig, "recording.recover-limit-s", "1");
  start_server (rig, "endless");
  RecRecording *recording = lose_worker (rig, "endless");

  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  rig_assert_says (recording->message, "recording.recover-timeout-ms");
}

/* --- attempts ------------------------------------------------------------------------------------------------ */

static void
test_tries_again_at_the_next_start (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  start_server (rig, "crash");
  RecRecording *recording = lose_worker (rig, "twice");

  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  rig_assert_says (recording->message, "nothing could be salvaged");
  rig_assert_says (recording->message, "tries again");
  WAIT_FOR (is_stored (recording, "failed"));
  g_assert_cmpint (read_tries (rig, recording), ==, 1);
  g_assert_true (rig_exists (recording->directory, "twice.mp4.part"));
  rig_drop_server (rig);

  start_server (rig, "whole");
  g_assert_cmpint (rec_registry_find_recording (rig->registry, "twice")->status, ==,
      REC_RECORDING_STOPPED);
  recording = wait_for_restored (rig, "twice");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
  rig_assert_says (recording->message,
      "killed by signal 9"); /* what had happened in the beginning */
  g_assert_null (strstr (recording->message, "salvaged"));
  WAIT_FOR (!rig_has_journal (rig, recording));
  g_assert_true (is_stored (recording, "ready"));
}

/* Who dies as long as there is something to pack has files of single streams left. */
static void
test_tries_without_packing (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *individual = rig_make_properties (NULL);

  individual->output_mode = REC_OUTPUT_INDIVIDUAL;
  start_server (rig, "packer");
  RecRecording *recording =
      rig_start_as (rig, rig_make_session (rig, "loose"), individual, REC_ERA_NEW);
  kill_worker (rig, recording);
  WAIT_FOR (!rec_recording_is_active (recording));
  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
  g_assert_cmpuint (count_attempts (recording), ==, 2);
  g_assert_true (rig_exists (recording->directory, "loose.mp4"));
  WAIT_FOR (!rig_has_journal (rig, recording));
  g_assert_true (rig_exists (recording->directory, "loose.mp4")); /* it is not in any ZIP */
}

static void
test_gives_up_after_three_attempts (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  start_server (rig, "crash");
  RecRecording *recording = lose_worker (rig, "never");

  for (unsigned attempt = 1; attempt < 3; attempt++) {
    WAIT_FOR (read_tries (rig, recording) == attempt);
    rig_drop_server (rig);
    rig_set (rig, "recording.recover-timeout-ms", attempt == 1 ? "1000" : "60000");
    start_server (rig, attempt == 1 ? "silent" : "crash");
    recording = wait_for_restored (rig, "never");
    g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
    g_assert_cmpuint (count_attempts (recording), ==, attempt + 1);
  }
  rig_assert_says (recording->message, "stays where it is");
  WAIT_FOR (!rig_has_journal (rig, recording));
  g_assert_true (rig_exists (recording->directory, "never.mp4.part"));
  rig_drop_server (rig);

  start_server (rig, "whole");
  recording = rec_registry_find_recording (rig->registry, "never");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
}

static void
test_tries_nothing_again_that_was_deleted (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  start_server (rig, "crash");
  RecRecording *recording = lose_worker (rig, "deleted");

  WAIT_FOR (read_tries (rig, recording) == 1);
  g_assert_true (rec_supervisor_delete (rig->supervisor, recording, NULL));
  rig_drop_server (rig);
  start_server (rig, "whole");
  g_assert_null (rec_registry_find_recording (rig->registry, "deleted"));
}

/* --- servers that come and go -------------------------------------------------------------------------------- */

/* The first server is killed while a worker salvages, which does not end by itself. */
static void
test_salvages_with_one_worker_at_a_time (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  int status = 0;

  rig_set (rig, "recording.orphan-timeout-ms", "100");
  start_server (rig, "orphan");
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "handed-on"));
  const pid_t first = rig_get_worker (rig, recording);
  kill_worker (rig, recording);
  WAIT_FOR (count_attempts (recording) == 1);
  const pid_t second = rig_get_worker (rig, recording);
  g_assert_cmpint (second, !=, first);
  rig_drop_server (rig);
  g_assert_cmpint (kill (second, 0), ==, 0);

  start_server (rig, "whole");
  recording = wait_for_restored (rig, "handed-on");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
  g_assert_cmpint (waitpid (second, &status, WNOHANG), ==, second);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpuint (count_attempts (recording), ==, 2);
  g_assert_false (rig_exists (recording->directory, "two-at-once.json"));
  rig_assert_says (recording->message, "killed by signal 9");
}

/* What an earlier server left is waited for, not only what this one began. */
static void
test_is_drained_when_all_are_salvaged (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const ids[] = { "first", "second" };
  bool is_drained = false;

  start_server (rig, "silent");
  for (size_t i = 0; i < G_N_ELEMENTS (ids); i++)
    kill_worker (rig, rig_start (rig, rig_make_session (rig, ids[i])));
  rig_drop_server (rig);

  start_server (rig, "whole");
  rec_supervisor_set_drained (rig->supervisor, rig_set_true, &is_drained);
  rec_supervisor_set_draining (rig->supervisor, true);
  g_assert_cmpuint (rec_supervisor_count_active (rig->supervisor), ==, 2);
  WAIT_FOR (is_drained);
  for (size_t i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_cmpint (rec_registry_find_recording (rig->registry, ids[i])->status, ==,
        REC_RECORDING_READY);
  g_assert_cmpuint (rec_supervisor_count_active (rig->supervisor), ==, 0);
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/salvage/" name, SupervisorRig, NULL, set_up, function, supervisor_rig_tear_down)

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--worker") == 0)
    be_a_worker ();
  g_test_init (&argc, &argv, NULL);
  /* Lost recordings are logged as such. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  program = g_file_read_link ("/proc/self/exe", NULL);
  CLAIM ("waits-as-long-as-it-gets-on", test_waits_as_long_as_it_gets_on);
  CLAIM ("waits-not-for-ever", test_waits_not_for_ever);
  CLAIM ("tries-again-at-the-next-start", test_tries_again_at_the_next_start);
  CLAIM ("tries-without-packing", test_tries_without_packing);
  CLAIM ("gives-up-after-three-attempts", test_gives_up_after_three_attempts);
  CLAIM ("tries-nothing-again-that-was-deleted", test_tries_nothing_again_that_was_deleted);
  CLAIM ("salvages-with-one-worker-at-a-time", test_salvages_with_one_worker_at_a_time);
  CLAIM ("is-drained-when-all-are-salvaged", test_is_drained_when_all_are_salvaged);
  const int status = g_test_run ();
  g_free (program);
  return status;
}
