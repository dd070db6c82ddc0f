/* test-entity.c - recordings as JSON in the words of both eras, and back from their files. */
#include "recording/entity.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "recording/place.h"

static const RecEntityView hidden = { .public_url = "https://host:4443", .is_public = false };
static const RecEntityView shown = { .public_url = "https://host:4443", .is_public = true };

static RecRecording *
make_recording (RecEra era)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();

  properties->name = g_strdup ("my show");
  if (era == REC_ERA_OLD) {
    properties->width = 1920;
    properties->height = 1080;
  }
  RecRecording *recording = rec_recording_new ("ses~1", "ses", era, properties, 1700000000123);
  recording->unique_session_id = g_strdup ("ses_1700000000000");
  recording->directory = g_strdup ("/nowhere");
  return recording;
}

static void
make_ready (RecRecording *recording)
{
  recording->status = REC_RECORDING_READY;
  recording->size = 12345;
  recording->duration_s = 2;
  recording->file_name = g_strdup ("my show.mp4");
}

static int
compare_text (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
assert_keys (RecJson *json, const char *expected)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  json_object_object_foreach (json, key, value) {
    (void) value;
    g_ptr_array_add (keys, key);
  }
  g_ptr_array_sort (keys, compare_text);
  g_ptr_array_add (keys, NULL);
  g_autofree char *text = g_strjoinv (" ", (char **) keys->pdata);
  g_assert_cmpstr (text, ==, expected);
}

static void
assert_text (RecJson *json, const char *name, const char *expected)
{
  g_assert_cmpstr (rec_json_string_or (json, name, NULL), ==, expected);
}

static void
test_has_the_old_keys (void)
{
  g_autoptr (RecRecording) recording = make_recording (REC_ERA_OLD);
  g_autoptr (RecJson) json = rec_entity_to_file_json (recording, &hidden);

  assert_keys (json,
      "createdAt duration hasAudio hasVideo id name recordingLayout sessionId size status url");
  assert_text (json, "status", "starting");
  assert_text (json, "url", NULL);
  /* Java casts: whole numbers without a point, the duration with one. */
  assert_text (json, "createdAt", NULL);
  g_assert_nonnull (strstr (json_object_to_json_string (json), "\"createdAt\": 1700000000123,"));
  g_assert_nonnull (strstr (json_object_to_json_string (json), "\"duration\": 0.0,"));
}

static void
test_has_the_new_keys (void)
{
  g_autoptr (RecRecording) recording = make_recording (REC_ERA_NEW);
  g_autoptr (RecJson) running = rec_entity_to_file_json (recording, &hidden);
  g_autoptr (RecJson) told = rec_entity_to_json (recording, REC_ERA_NEW, &hidden);

  assert_keys (running,
      "createdAt duration frameRate hasAudio hasVideo id name object outputMode recordingLayout "
      "resolution sessionId size status uniqueSessionId");
  assert_keys (told,
      "createdAt duration frameRate hasAudio hasVideo id name object outputMode recordingLayout "
      "resolution sessionId size status url");
  assert_text (running, "resolution", "1280x720");
  assert_text (running, "uniqueSessionId", "ses_1700000000000");
  make_ready (recording);
  g_autoptr (RecJson) ready = rec_entity_to_file_json (recording, &hidden);
  assert_text (ready, "status", "ready");
  assert_text (ready, "url", "https://host:4443/openvidu/recordings/ses~1/my%20show.mp4");
}

static void
test_leaves_out_what_sound_alone_does_not_have (void)
{
  g_autoptr (RecRecording) recording = make_recording (REC_ERA_NEW);

  recording->properties->has_video = false;
  g_autoptr (RecJson) json = rec_entity_to_json (recording, REC_ERA_NEW, &hidden);
  assert_keys (json,
      "createdAt duration hasAudio hasVideo id name object outputMode sessionId size status url");
  g_autoptr (RecJson) old = rec_entity_to_json (recording, REC_ERA_OLD, &hidden);
  assert_text (old, "recordingLayout", "BEST_FIT");
}

/* Each era's REST is also asked by clients of the versions between them. */
static void
test_tells_each_era_all_keys (void)
{
  g_autoptr (RecRecording) recording = make_recording (REC_ERA_OLD);

  recording->properties->width = 321;
  for (RecEra era = REC_ERA_OLD; era <= REC_ERA_NEW; era++) {
    g_autoptr (RecJson) json = rec_entity_to_json (recording, era, &hidden);
    assert_keys (json,
        "createdAt duration frameRate hasAudio hasVideo id name object outputMode recordingLayout "
        "resolution sessionId size status url");
    assert_text (json, "resolution", "320x1080");
  }
}

/* Whatever is known before, nothing counts before the end. */
static void
test_tells_no_size_before_the_end (void)
{
  g_autoptr (RecRecording) recording = make_recording (REC_ERA_NEW);

  make_ready (recording);
  recording->has_audio = false;
  recording->status = REC_RECORDING_STOPPED;
  g_autoptr (RecJson) before = rec_entity_to_json (recording, REC_ERA_NEW, &shown);
  g_assert_cmpint (rec_json_int_or (before, "size", -1), ==, 0);
  g_assert_cmpfloat (rec_json_double_or (before, "duration", -1), ==, 0);
  g_assert_true (rec_json_bool_or (before, "hasAudio", false));
  assert_text (before, "url", NULL);
  recording->status = REC_RECORDING_FAILED;
  g_autoptr (RecJson) after = rec_entity_to_json (recording, REC_ERA_NEW, &shown);
  g_autoptr (RecJson) old = rec_entity_to_json (recording, REC_ERA_OLD, &shown);
  g_assert_cmpint (rec_json_int_or (after, "size", -1), ==, 12345);
  g_assert_false (rec_json_bool_or (after, "hasAudio", true));
  g_assert_true (rec_json_has (after, "url"));
  assert_text (old, "url", NULL);
}

static void
test_tells_old_clients_stopped_or_available (void)
{
  g_autoptr (RecRecording) recording = make_recording (REC_ERA_OLD);

  make_ready (recording);
  g_autoptr (RecJson) closed = rec_entity_to_json (recording, REC_ERA_OLD, &hidden);
  g_autoptr (RecJson) open = rec_entity_to_json (recording, REC_ERA_OLD, &shown);
  assert_text (closed, "status", "stopped");
  assert_text (closed, "url", NULL);
  assert_text (open, "status", "available");
  assert_text (open, "url", "https://host:4443/recordings/my%20show.mp4");
}

static void
test_says_why_only_when_there_is_a_reason (void)
{
  g_autoptr (RecRecording) recording = make_recording (REC_ERA_NEW);

  recording->reason = g_strdup ("mediaServerCrashed");
  recording->message = g_strdup ("the worker was killed");
  g_ptr_array_add (recording->notes, g_strdup ("salvaged"));
  g_autoptr (RecJson) json = rec_entity_to_file_json (recording, &hidden);
  assert_text (json, "reason", "mediaServerCrashed");
  assert_text (json, "message", "the worker was killed");
  g_assert_cmpuint (json_object_array_length (rec_json_get (json, "notes")), ==, 1);
}

static void
assert_comes_back (RecEra era)
{
  g_autoptr (RecRecording) recording = make_recording (era);
  g_autoptr (GError) error = NULL;

  make_ready (recording);
  recording->reason = g_strdup ("automaticStop");
  recording->message = g_strdup ("the disk is full");
  g_ptr_array_add (recording->notes, g_strdup ("a note"));
  recording->has_audio = false;
  recording->properties->width = 640;
  recording->properties->height = 480;
  recording->properties->frame_rate = 30;
  g_autoptr (RecJson) json = rec_entity_to_file_json (recording, &shown);
  g_autoptr (RecRecording) back = rec_entity_from_json (json, "/nowhere", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (back->id, ==, "ses~1");
  g_assert_cmpstr (back->name, ==, "my show");
  g_assert_cmpstr (back->session_id, ==, "ses");
  g_assert_cmpint (back->era, ==, era);
  g_assert_cmpint (back->status, ==, REC_RECORDING_READY);
  g_assert_cmpint (back->created_at_ms, ==, 1700000000123);
  g_assert_cmpint (back->size, ==, 12345);
  g_assert_cmpfloat (back->duration_s, ==, 2);
  g_assert_cmpint (back->properties->width, ==, 640);
  g_assert_cmpint (back->properties->height, ==, 480);
  g_assert_cmpint (back->properties->frame_rate, ==, 30);
  g_assert_false (back->has_audio);
  g_assert_true (back->has_video);
  g_assert_cmpstr (back->reason, ==, "automaticStop");
  g_assert_cmpstr (back->message, ==, "the disk is full");
  g_assert_cmpuint (back->notes->len, ==, 1);
  g_assert_cmpstr (back->directory, ==, "/nowhere");
}

static void
test_comes_back_from_its_file (void)
{
  assert_comes_back (REC_ERA_OLD);
  assert_comes_back (REC_ERA_NEW);
}

static void
test_reads_what_openvidu_wrote (void)
{
  static const struct {
    const char *text;
    RecEra era;
    RecRecordingStatus status;
  } cases[] = {
    { "{\"id\":\"a\",\"name\":\"a\",\"sessionId\":\"a\",\"recordingLayout\":\"BEST_FIT\","
      "\"createdAt\":1540000000000,"
      "\"size\":3205004,\"duration\":12.92,\"url\":null,\"hasAudio\":true,\"hasVideo\":true,"
      "\"status\":\"stopped\"}",
        REC_ERA_OLD, REC_RECORDING_READY },
    { "{\"id\":\"a\",\"object\":\"recording\",\"name\":\"a\",\"outputMode\":\"COMPOSED\","
      "\"resolution\":\"1280x720\","
      "\"frameRate\":25,\"recordingLayout\":\"BEST_FIT\",\"sessionId\":\"a\",\"uniqueSessionId\":"
      "\"a_1\","
      "\"createdAt\":1600000000000,\"size\":0,\"duration\":0.0,\"hasAudio\":true,\"hasVideo\":true,"
      "\"status\":\"started\"}",
        REC_ERA_NEW, REC_RECORDING_STARTED },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (RecJson) json = json_tokener_parse (cases[i].text);
    g_autoptr (GError) error = NULL;
    g_autoptr (RecRecording) recording = rec_entity_from_json (json, "/nowhere", &error);

    g_assert_no_error (error);
    g_assert_cmpint (recording->era, ==, cases[i].era);
    g_assert_cmpint (recording->status, ==, cases[i].status);
  }
}

static void
test_refuses_what_is_no_entity (void)
{
  static const char *const texts[] = {
    "[]",
    "{}",
    "{\"id\":\"../a\",\"name\":\"a\",\"sessionId\":\"a\",\"createdAt\":1,\"status\":\"ready\"}",
    "{\"id\":\"a\",\"name\":\"a/b\",\"sessionId\":\"a\",\"createdAt\":1,\"status\":\"ready\"}",
    "{\"id\":\"a\",\"name\":\"a\",\"sessionId\":\"a\",\"createdAt\":\"x\",\"status\":\"ready\"}",
    "{\"id\":\"a\",\"name\":\"a\",\"sessionId\":\"a\",\"createdAt\":1,\"status\":\"asleep\"}",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (RecJson) json = json_tokener_parse (texts[i]);
    g_autoptr (GError) error = NULL;

    g_assert_null (rec_entity_from_json (json, "/nowhere", &error));
    g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  }
}

/* --- folders ------------------------------------------------------------------------------------------------ */

static void
write_file (const char *root, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (root, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

#define OLD_ENTITY(id)                                                                             \
  "{\"id\":\"" id "\",\"name\":\"" id                                                              \
  "\",\"sessionId\":\"s\",\"createdAt\":1,\"status\":\"stopped\"}"
#define NEW_ENTITY(id)                                                                             \
  "{\"id\":\"" id                                                                                  \
  "\",\"object\":\"recording\",\"name\":\"show\",\"sessionId\":\"s\",\"createdAt\":1,"             \
  "\"status\":\"ready\"}"

static RecRecording *
find (GPtrArray *recordings, const char *id)
{
  for (guint i = 0; i < recordings->len; i++) {
    RecRecording *recording = recordings->pdata[i];

    if (strcmp (recording->id, id) == 0)
      return recording;
  }
  return NULL;
}

static void
test_loads_both_eras_and_skips_the_rest (void)
{
  g_autofree char *root = g_dir_make_tmp ("recto-XXXXXX", NULL);

  write_file (root, ".recording.old", OLD_ENTITY ("old"));
  write_file (root, "old.mp4", "x");
  write_file (root, "new/.recording.new", NEW_ENTITY ("new"));
  write_file (root, "new/show.webm", "x");
  write_file (root, ".recording.broken", "{\"id\":");
  write_file (root, ".recording.wrong", OLD_ENTITY ("other"));
  write_file (root, "too/deep/.recording.deep", NEW_ENTITY ("deep"));
  write_file (root, "old.part/.recording.half.part", OLD_ENTITY ("half"));
  g_test_expect_message ("rec.recording.entity", G_LOG_LEVEL_WARNING,
      "*.recording.*leaving it out*");
  g_test_expect_message ("rec.recording.entity", G_LOG_LEVEL_WARNING,
      "*.recording.*leaving it out*");
  g_autoptr (GPtrArray) recordings = rec_entity_load_all (root);
  g_test_assert_expected_messages ();

  g_assert_cmpuint (recordings->len, ==, 2);
  g_assert_cmpstr (find (recordings, "old")->file_name, ==, "old.mp4");
  g_assert_cmpstr (find (recordings, "new")->file_name, ==, "show.webm");
  g_assert_true (g_str_has_suffix (find (recordings, "new")->directory, "/new"));
  g_assert_true (rec_path_remove_tree (root, NULL));
}

/* Whoever moves an entity into the flat folder must not lose everything there with it. */
static void
test_removes_no_folder_that_is_not_its_own (void)
{
  g_autofree char *root = g_dir_make_tmp ("recto-XXXXXX", NULL);
  g_autofree char *other = g_build_filename (root, "other.mp4", NULL);

  write_file (root, ".recording.moved", NEW_ENTITY ("moved"));
  write_file (root, "show.mp4", "x");
  write_file (root, "other.mp4", "x");
  g_autoptr (GPtrArray) recordings = rec_entity_load_all (root);
  g_assert_true (rec_place_remove (recordings->pdata[0], NULL));
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));
  g_autoptr (GPtrArray) left = rec_entity_load_all (root);
  g_assert_cmpuint (left->len, ==, 0);
  g_assert_true (rec_path_remove_tree (root, NULL));
}

static void
test_reports_like_ffprobe (void)
{
  g_autoptr (RecRecording) recording = make_recording (REC_ERA_OLD);

  make_ready (recording);
  recording->has_audio = false;
  g_autoptr (RecJson) info = rec_entity_make_info (recording);
  RecJson *streams = rec_json_get (info, "streams");
  assert_text (rec_json_get (info, "format"), "duration", "2.000000");
  assert_text (rec_json_get (info, "format"), "size", "12345");
  g_assert_cmpuint (json_object_array_length (streams), ==, 1);
  assert_text (json_object_array_get_idx (streams, 0), "codec_type", "video");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/entity/has-the-old-keys", test_has_the_old_keys);
  g_test_add_func ("/entity/has-the-new-keys", test_has_the_new_keys);
  g_test_add_func ("/entity/leaves-out-what-sound-alone-does-not-have",
      test_leaves_out_what_sound_alone_does_not_have);
  g_test_add_func ("/entity/tells-each-era-all-keys", test_tells_each_era_all_keys);
  g_test_add_func ("/entity/tells-no-size-before-the-end", test_tells_no_size_before_the_end);
  g_test_add_func ("/entity/tells-old-clients-stopped-or-available",
      test_tells_old_clients_stopped_or_available);
  g_test_add_func ("/entity/says-why-only-when-there-is-a-reason",
      test_says_why_only_when_there_is_a_reason);
  g_test_add_func ("/entity/comes-back-from-its-file", test_comes_back_from_its_file);
  g_test_add_func ("/entity/reads-what-openvidu-wrote", test_reads_what_openvidu_wrote);
  g_test_add_func ("/entity/refuses-what-is-no-entity", test_refuses_what_is_no_entity);
  g_test_add_func ("/entity/loads-both-eras-and-skips-the-rest",
      test_loads_both_eras_and_skips_the_rest);
  g_test_add_func ("/entity/removes-no-folder-that-is-not-its-own",
      test_removes_no_folder_that_is_not_its_own);
  g_test_add_func ("/entity/reports-like-ffprobe", test_reports_like_ffprobe);
  return g_test_run ();
}
