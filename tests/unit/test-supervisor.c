/* test-supervisor.c - recordings with real workers: files, refusals and bounds. */
#include "recording/supervisor.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "lib/library-leaks.h"
#include "lib/supervisor-rig.h"

/* --- the ordinary course ------------------------------------------------------------------------------------ */

static void
test_makes_a_file_of_an_empty_session (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "empty"));

  g_assert_cmpstr (recording->id, ==, "empty");
  g_assert_true (rig_has_journal (rig, recording));
  rig_record_for (1500);
  rig_stop (rig, recording);
  rig_assert_plays (rig, recording);
  g_assert_cmpfloat (recording->duration_s, >, 1.4);
  g_assert_cmpstr (recording->reason, ==, "recordingStoppedByServer");
  g_assert_null (recording->message);
  g_assert_cmpint (recording->properties->width, ==, 320);
  g_assert_cmpint (recording->properties->height, ==, 240);
  g_assert_cmpstr (recording->file_name, ==, "empty.mp4");

  g_autoptr (RecJson) entity = rig_read_entity (recording);
  g_assert_cmpstr (rec_json_string_or (entity, "status", ""), ==, "ready");
  g_assert_cmpint (rec_json_int_or (entity, "size", 0), ==, recording->size);
  WAIT_FOR (!rig_has_journal (rig, recording));
  WAIT_FOR (rig_exists (recording->directory, "empty.jpg"));
}

static void
test_keeps_old_recordings_in_one_folder (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "flat");

  for (int i = 0; i < 2; i++) {
    RecRecording *recording =
        rig_start_as (rig, session, rig_make_properties ("show"), REC_ERA_OLD);
    rig_record_for (300);
    rig_stop (rig, recording);
    rig_assert_plays (rig, recording);
    g_assert_cmpstr (recording->id, ==, i == 0 ? "flat" : "flat-1");
    g_assert_cmpstr (recording->name, ==, i == 0 ? "show" : "show-1");
    g_assert_cmpstr (recording->directory, ==, rig->recordings);
  }
  g_assert_true (rig_exists (rig->recordings, "show.mp4"));
  g_assert_true (rig_exists (rig->recordings, "show-1.mp4"));
  g_autoptr (RecJson) info = rig_read_json (rig->recordings, "flat.info");
  g_assert_cmpuint (json_object_array_length (rec_json_get (info, "streams")), ==, 2);
  g_autoptr (RecJson) entity = rig_read_json (rig->recordings, ".recording.flat");
  g_assert_cmpstr (rec_json_string_or (entity, "status", ""), ==, "stopped");
}

static void
test_numbers_the_recordings_of_a_session (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const ids[] = { "many", "many~1", "many~2" };

  rig_set (rig, "recording.spare-workers", "1");
  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "many");
  for (size_t i = 0; i < G_N_ELEMENTS (ids); i++) {
    RecRecording *recording = rig_start (rig, session);
    rig_record_for (200);
    rig_stop (rig, recording);
    g_assert_cmpstr (recording->id, ==, ids[i]);
    g_assert_true (rig_exists (rig->recordings, ids[i]));
  }
}

static void
test_records_sound_alone_as_webm (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = rig_make_properties ("voices");

  rig_start_server (rig);
  properties->has_video = false;
  RecRecording *recording =
      rig_start_as (rig, rig_make_session (rig, "sound"), properties, REC_ERA_NEW);
  rig_record_for (1000);
  rig_stop (rig, recording);
  rig_assert_plays (rig, recording);
  g_assert_cmpstr (recording->file_name, ==, "voices.webm");
  g_assert_false (recording->has_video);
}

static void
test_goes_on_without_an_optional_sink (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = rig_make_properties (NULL);

  rig_start_server (rig);
  properties->sinks = g_strsplit ("mp4,broken-sink-write?", ",", -1);
  RecRecording *recording =
      rig_start_as (rig, rig_make_session (rig, "tough"), properties, REC_ERA_NEW);
  WAIT_FOR (recording->notes->len > 0);
  rig_assert_says (recording->notes->pdata[0], "broken-sink-write");
  rig_record_for (300);
  rig_stop (rig, recording);
  rig_assert_plays (rig, recording);
}

/* The file begins when packets can flow, however long the worker took to get ready. */
static void
test_counts_time_from_when_packets_flow (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = rig_make_properties (NULL);

  rig_start_server (rig);
  properties->sinks = g_strsplit ("mp4,broken-sink-slow?", ",", -1);
  RecRecording *recording =
      rig_start_as (rig, rig_make_session (rig, "slow"), properties, REC_ERA_NEW);
  rig_stop (rig, recording);
  rig_assert_plays (rig, recording);
  g_assert_cmpfloat (recording->duration_s, <, 0.7);
  for (guint i = 0; i < recording->notes->len; i++)
    g_assert_null (strstr (recording->notes->pdata[i], "the machine was too slow"));
}

static void
test_deletes_what_belongs_to_a_recording (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) running = NULL, error = NULL;

  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "gone");
  RecRecording *recording = rig_start (rig, session);
  rig_record_for (300);
  g_assert_false (rec_supervisor_delete (rig->supervisor, recording, &running));
  g_assert_error (running, REC_ERROR, REC_ERROR_CONFLICT);
  rig_stop (rig, recording);
  /* At once: the worker may still be at the thumbnail. */
  g_assert_true (rec_supervisor_delete (rig->supervisor, recording, &error));
  g_assert_no_error (error);
  g_assert_null (rec_registry_find_recording (rig->registry, "gone"));
  g_assert_false (rig_exists (rig->recordings, "gone"));

  RecRecording *flat = rig_start_as (rig, session, rig_make_properties (NULL), REC_ERA_OLD);
  rig_record_for (300);
  rig_stop (rig, flat);
  g_assert_true (rig_exists (rig->recordings, "gone.mp4"));
  g_assert_true (rec_supervisor_delete (rig->supervisor, flat, &error));
  g_autoptr (GDir) dir = g_dir_open (rig->recordings, 0, NULL);
  g_assert_null (g_dir_read_name (dir));
}

static void
test_deletes_what_all_sinks_wrote (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *properties = rig_make_properties ("show");

  rig_start_server (rig);
  properties->sinks = g_strsplit ("mp4,count!", ",", -1);
  RecRecording *recording =
      rig_start_as (rig, rig_make_session (rig, "flat"), properties, REC_ERA_OLD);
  rig_stop (rig, recording);
  g_assert_true (rig_exists (rig->recordings, "show.count.txt"));
  WAIT_FOR (!rig_has_journal (rig, recording));
  rig_drop_server (rig);
  rig_start_server (rig);
  recording = rec_registry_find_recording (rig->registry, "flat");
  g_assert_true (rec_supervisor_delete (rig->supervisor, recording, NULL));
  g_autoptr (GDir) dir = g_dir_open (rig->recordings, 0, NULL);
  g_assert_null (g_dir_read_name (dir));
}

static void
leave_file (SupervisorRig *rig, const char *name)
{
  g_autofree char *path = g_build_filename (rig->recordings, name, NULL);

  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

/* As a worker leaves them that is killed while it starts. */
static void
test_deletes_what_a_failed_start_left (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "show.mp4.part", "show-failed.mp4.part", ".reserve.failed" };
  g_autoptr (RecRecordingProperties) properties = rig_make_properties ("show");
  RigAnswer answer = { 0 };

  rig_start_server (rig);
  properties->sinks = g_strsplit ("mp4,broken-sink-open!", ",", -1);
  RecRecording *recording = rec_supervisor_start (rig->supervisor, rig_make_session (rig, "failed"),
      properties, REC_ERA_OLD, rig_take_answer, &answer, NULL);
  WAIT_FOR (answer.n_calls > 0);
  g_clear_error (&answer.error);
  WAIT_FOR (!rig_has_journal (rig, recording));
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    leave_file (rig, names[i]);
  leave_file (rig, "show.txt");
  g_assert_true (rec_supervisor_delete (rig->supervisor, recording, NULL));
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_false (rig_exists (rig->recordings, names[i]));
  g_assert_true (rig_exists (rig->recordings, "show.txt"));
}

/* --- refusals ------------------------------------------------------------------------------------------------ */

static void
test_starts_one_of_many_at_once (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RigAnswer answers[15] = { 0 };
  RecRecording *started = NULL;
  int n_conflicts = 0;

  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "rush");
  for (size_t i = 0; i < G_N_ELEMENTS (answers); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecRecordingProperties) properties = rig_make_properties (NULL);
    RecRecording *recording = rec_supervisor_start (rig->supervisor, session, properties,
        REC_ERA_NEW, rig_take_answer, &answers[i], &error);

    n_conflicts += g_error_matches (error, REC_ERROR, REC_ERROR_CONFLICT);
    started = recording != NULL ? recording : started;
  }
  g_assert_cmpint (n_conflicts, ==, 14);
  WAIT_FOR (answers[0].n_calls > 0);
  g_assert_no_error (answers[0].error);
  g_assert_cmpuint (rec_registry_get_recordings (rig->registry)->len, ==, 1);
  rig_stop (rig, started);
}

static void
test_refuses_to_stop_at_the_wrong_time (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) starting = NULL, stopping = NULL, over = NULL;
  g_autoptr (RecRecordingProperties) properties = rig_make_properties (NULL);
  RigAnswer started = { 0 }, stopped = { 0 };

  rig_start_server (rig);
  RecRecording *recording = rec_supervisor_start (rig->supervisor, rig_make_session (rig, "times"),
      properties, REC_ERA_NEW, rig_take_answer, &started, NULL);
  g_assert_false (
      rec_supervisor_stop (rig->supervisor, recording, "x", rig_take_answer, &stopped, &starting));
  g_assert_error (starting, REC_ERROR, REC_ERROR_NOT_ACCEPTABLE);
  WAIT_FOR (started.n_calls > 0);
  rig_record_for (200);
  g_assert_true (
      rec_supervisor_stop (rig->supervisor, recording, "x", rig_take_answer, &stopped, NULL));
  g_assert_false (
      rec_supervisor_stop (rig->supervisor, recording, "x", rig_take_answer, NULL, &stopping));
  g_assert_error (stopping, REC_ERROR, REC_ERROR_CONFLICT);
  WAIT_FOR (stopped.n_calls > 0);
  g_assert_false (
      rec_supervisor_stop (rig->supervisor, recording, "x", rig_take_answer, NULL, &over));
  g_assert_error (over, REC_ERROR, REC_ERROR_NOT_FOUND);
  g_assert_cmpint (stopped.n_calls, ==, 1);
}

static RecRecordingProperties *
with_layout (const char *layout)
{
  RecRecordingProperties *properties = rig_make_properties (NULL);

  g_free (properties->recording_layout);
  properties->recording_layout = g_strdup (layout);
  return properties;
}

static RecRecordingProperties *
with_options (const char *options)
{
  RecRecordingProperties *properties = with_layout ("row");

  properties->options = json_tokener_parse (options);
  return properties;
}

static void
test_refuses_what_it_cannot_record (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *individual = rig_make_properties (NULL),
                         *nothing = rig_make_properties (NULL);

  rig_set (rig, "browser.program", "/nonexistent");
  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "strict");
  individual->output_mode = REC_OUTPUT_INDIVIDUAL;
  individual->sinks = g_strsplit ("mp4", ",", -1);
  nothing->has_audio = nothing->has_video = false;
  rig_assert_refused (rig, session, individual, REC_ERROR_INVALID_ARGUMENT,
      "sink 'mp4' takes no single streams");
  rig_assert_refused (rig, session, nothing, REC_ERROR_UNPROCESSABLE, "hasAudio");
  rig_assert_refused (rig, session, with_layout ("CUSTOM"), REC_ERROR_NOT_IMPLEMENTED, "custom");
  rig_assert_refused (rig, session, with_layout ("nonsense"), REC_ERROR_INVALID_ARGUMENT,
      "no layout 'nonsense'; there are: BEST_FIT");
  rig_assert_refused (rig, session, with_layout ("mp4"), REC_ERROR_INVALID_ARGUMENT,
      "no layout 'mp4'");
  rig_assert_refused (rig, session, rig_with_sinks ("mp4,tape"), REC_ERROR_INVALID_ARGUMENT,
      "no sink 'tape'; there are: ");
  rig_assert_refused (rig, session, rig_with_sinks ("mp4,mp4"), REC_ERROR_INVALID_ARGUMENT,
      "twice");
  rig_assert_refused (rig, session, rig_with_sinks (""), REC_ERROR_INVALID_ARGUMENT,
      "1 to 8 sinks");
  rig_assert_refused (rig, session, with_options ("{\"row\":{\"gap\":900}}"),
      REC_ERROR_INVALID_ARGUMENT, "plugin 'row', option 'gap': expected 0 to 200");
  rig_assert_refused (rig, session, with_options ("{\"best_fit\":{}}"), REC_ERROR_INVALID_ARGUMENT,
      "does not use");
  rig_assert_refused (rig, session, rig_make_properties ("../escape"), REC_ERROR_INVALID_ARGUMENT,
      "cannot be a file's");
  g_assert_null (session->recording);
  g_assert_cmpuint (rec_registry_get_recordings (rig->registry)->len, ==, 0);
}

static void
test_packs_single_streams (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *individual = rig_make_properties (NULL);
  g_autofree char *path = NULL;

  individual->output_mode = REC_OUTPUT_INDIVIDUAL;
  rig_start_server (rig);
  RecRecording *recording =
      rig_start_as (rig, rig_make_session (rig, "single"), individual, REC_ERA_NEW);
  rig_stop (rig, recording);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_READY);
  g_assert_cmpstr (recording->file_name, ==, "single.zip");
  path = rec_supervisor_dup_file_path (rig->supervisor, recording, "video");
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  WAIT_FOR (!rig_has_journal (rig, recording));

  rig_drop_server (rig);
  rig_start_server (rig);
  recording = rec_registry_find_recording (rig->registry, "single");
  g_assert_nonnull (recording);
  g_assert_cmpstr (recording->file_name, ==, "single.zip");
}

/* A stream without packets, as far as the router knows. */
static void
publish_silence (SupervisorRig *rig, RecSession *session, bool has_video)
{
  const RecStreamInfo properties = { .has_audio = !has_video,
    .audio_active = !has_video,
    .has_video = has_video,
    .video_active = has_video };
  const RecJoinRequest request = { .session_id = session->id,
    .secret = rec_config_get_string (rig->config, "openvidu.secret"),
    .client_data = "",
    .platform = "",
    .ip = "" };
  g_autoptr (GError) error = NULL;
  RecParticipant *participant = rec_registry_join (rig->registry, &request, &error);
  RecStreamInfo *stream;

  g_assert_no_error (error);
  stream = rec_registry_add_stream (rig->registry, participant, &properties, &error);
  g_assert_no_error (error);
  rec_registry_announce_stream (rig->registry, stream);
}

/* The server must not lose its patience before the worker has said which streams did not come, whose timeout is as long. */
static void
test_ignores_failed_streams (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *lenient = rig_make_properties (NULL),
                         *strict = rig_make_properties (NULL), *deaf = rig_make_properties (NULL);
  RigAnswer answer = { 0 };
  g_autoptr (GError) error = NULL;

  rig_set (rig, "recording.start-timeout-ms", "3000");
  rig_set (rig, "recording.stream-timeout-ms", "3000");
  lenient->output_mode = strict->output_mode = deaf->output_mode = REC_OUTPUT_INDIVIDUAL;
  lenient->ignore_failed_streams = true;
  rig_start_server (rig);

  RecSession *session = rig_make_session (rig, "silent");
  publish_silence (rig, session, true);
  RecRecording *recording = rig_start_as (rig, session, lenient, REC_ERA_NEW);
  rig_stop (rig, recording);

  g_assert_nonnull (rec_supervisor_start (rig->supervisor, session, strict, REC_ERA_NEW,
      rig_take_answer, &answer, &error));
  rec_recording_properties_free (strict);
  WAIT_FOR (answer.n_calls > 0);
  rig_assert_says (answer.error->message, "1 of 1 streams sent nothing");
  g_clear_error (&answer.error);

  /* There is no sound to wait for. */
  deaf->has_video = false;
  recording = rig_start_as (rig, session, deaf, REC_ERA_NEW);
  rig_stop (rig, recording);
}

static void
test_keeps_its_bounds (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_set (rig, "recording.max-recordings", "1");
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "one"));

  rig_assert_refused (rig, rig_make_session (rig, "two"), rig_make_properties (NULL),
      REC_ERROR_UNAVAILABLE, "recording.max-recordings");
  rig_record_for (200);
  rig_stop (rig, recording);
  rig_set (rig, "recording.min-free-bytes", "1152921504606846976");
  rig_assert_refused (rig, rig_make_session (rig, "three"), rig_make_properties (NULL),
      REC_ERROR_UNAVAILABLE, "recording.min-free-bytes");
}

/* One percent of the processors is too little for it, however many there are. */
static void
test_starts_what_there_is_room_for (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  RecRecordingProperties *large = rig_make_properties (NULL);

  large->width = large->height = 1920;
  large->frame_rate = 120;
  rig_set (rig, "recording.max-memory-percent", "0");
  rig_start_server (rig);
  RecRecording *running = rig_start (rig, rig_make_session (rig, "running"));
  rig_set (rig, "recording.max-cpu-percent", "1");
  rig_assert_refused (rig, rig_make_session (rig, "large"), large, REC_ERROR_UNAVAILABLE,
      "no room for another recording: 1 running ones use");
  g_assert_false (rig_exists (rig->recordings, "large"));
  rig_stop (rig, running);
  rig_assert_plays (rig, running);
  g_assert_null (running->message);
}

static void
test_ends_recordings_before_the_disk_is_full (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "low"));

  rig_record_for (1200);
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STARTED);
  rig_set (rig, "recording.end-free-bytes", "1152921504606846976");
  WAIT_FOR (!rec_recording_is_active (recording));
  rig_assert_plays (rig, recording);
  g_assert_cmpstr (recording->reason, ==, "automaticStop");
  rig_assert_says (recording->message, "fewer than recording.end-free-bytes");
  g_autoptr (RecJson) entity = rig_read_entity (recording);
  rig_assert_says (rec_json_string_or (entity, "message", NULL), "recording.end-free-bytes");
  rig_assert_refused (rig, rig_make_session (rig, "next"), rig_make_properties (NULL),
      REC_ERROR_UNAVAILABLE, "recording.end-free-bytes");
}

static void
assert_owned (const char *path, uid_t owner)
{
  struct stat info;

  g_assert_cmpint (stat (path, &info), ==, 0);
  if (info.st_uid != owner)
    g_error ("%s belongs to user %u", path, info.st_uid);
}

static void
test_gives_files_to_their_owner (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "", "given.mp4", ".recording.given" };

  if (geteuid () != 0) {
    g_test_skip ("no right to give files away");
    return;
  }
  rig_set (rig, "recording.owner", "12345");
  rig_start_server (rig);
  RecRecording *recording = rig_start (rig, rig_make_session (rig, "given"));
  rig_record_for (500);
  rig_stop (rig, recording);
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (rig->recordings, "given", names[i], NULL);
    assert_owned (path, 12345);
  }
}

static void
test_refuses_when_recording_is_off (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  rig_set (rig, "openvidu.recording", "false");
  rig_start_server (rig);
  rig_assert_refused (rig, rig_make_session (rig, "off"), rig_make_properties (NULL),
      REC_ERROR_NOT_IMPLEMENTED, "openvidu.recording");
}

static void
test_fails_when_a_required_sink_cannot_open (SupervisorRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = rig_with_sinks ("mp4,broken-sink-open!");
  RigAnswer answer = { 0 };

  rig_start_server (rig);
  RecSession *session = rig_make_session (rig, "denied");
  RecRecording *recording = rec_supervisor_start (rig->supervisor, session, properties, REC_ERA_NEW,
      rig_take_answer, &answer, NULL);
  WAIT_FOR (answer.n_calls > 0);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_FAILED);
  rig_assert_says (answer.error->message, "nobody may open this");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
  g_assert_null (session->recording);
  g_clear_error (&answer.error);
  rig_stop (rig, rig_start (rig, session));
}

/* Its worker was in the middle of opening the file. */
static void
test_leaves_nothing_of_a_start_that_took_too_long (SupervisorRig *rig,
    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = rig_with_sinks ("mp4,broken-sink-slow!");
  RigAnswer answer = { 0 };

  rig_set (rig, "recording.spare-workers", "1");
  rig_start_server (rig);
  RecRecording *recording = rec_supervisor_start (rig->supervisor, rig_make_session (rig, "late"),
      properties, REC_ERA_NEW, rig_take_answer, &answer, NULL);
  WAIT_FOR (rig_exists (recording->directory, "late.mp4.part"));
  g_assert_cmpint (answer.n_calls, ==, 0);
  rec_registry_close_session (rig->registry, rec_registry_find_session (rig->registry, "late"),
      "sessionClosedByServer");
  g_assert_cmpint (answer.n_calls, ==, 1);
  g_assert_nonnull (answer.error);
  g_clear_error (&answer.error);
  WAIT_FOR (!rig_exists (recording->directory, "late.mp4.part") &&
            !rig_exists (recording->directory, ".reserve.late"));
  WAIT_FOR (!rig_has_journal (rig, recording));
  g_assert_cmpint (recording->status, ==, REC_RECORDING_FAILED);
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/supervisor/" name, SupervisorRig, NULL, supervisor_rig_set_up, function,           \
      supervisor_rig_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Lost recordings are logged as such. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  if (!g_file_test (rig_get_program (), G_FILE_TEST_IS_EXECUTABLE))
    g_error ("%s is missing: build it first", rig_get_program ());
  CLAIM ("makes-a-file-of-an-empty-session", test_makes_a_file_of_an_empty_session);
  CLAIM ("keeps-old-recordings-in-one-folder", test_keeps_old_recordings_in_one_folder);
  CLAIM ("numbers-the-recordings-of-a-session", test_numbers_the_recordings_of_a_session);
  CLAIM ("records-sound-alone-as-webm", test_records_sound_alone_as_webm);
  CLAIM ("goes-on-without-an-optional-sink", test_goes_on_without_an_optional_sink);
  CLAIM ("counts-time-from-when-packets-flow", test_counts_time_from_when_packets_flow);
  CLAIM ("deletes-what-belongs-to-a-recording", test_deletes_what_belongs_to_a_recording);
  CLAIM ("deletes-what-all-sinks-wrote", test_deletes_what_all_sinks_wrote);
  CLAIM ("deletes-what-a-failed-start-left", test_deletes_what_a_failed_start_left);
  CLAIM ("starts-one-of-many-at-once", test_starts_one_of_many_at_once);
  CLAIM ("refuses-to-stop-at-the-wrong-time", test_refuses_to_stop_at_the_wrong_time);
  CLAIM ("refuses-what-it-cannot-record", test_refuses_what_it_cannot_record);
  CLAIM ("packs-single-streams", test_packs_single_streams);
  CLAIM ("ignores-failed-streams", test_ignores_failed_streams);
  CLAIM ("keeps-its-bounds", test_keeps_its_bounds);
  CLAIM ("starts-what-there-is-room-for", test_starts_what_there_is_room_for);
  CLAIM ("ends-recordings-before-the-disk-is-full", test_ends_recordings_before_the_disk_is_full);
  CLAIM ("gives-files-to-their-owner", test_gives_files_to_their_owner);
  CLAIM ("refuses-when-recording-is-off", test_refuses_when_recording_is_off);
  CLAIM ("fails-when-a-required-sink-cannot-open", test_fails_when_a_required_sink_cannot_open);
  CLAIM ("leaves-nothing-of-a-start-that-took-too-long",
      test_leaves_nothing_of_a_start_that_took_too_long);
  return g_test_run ();
}
