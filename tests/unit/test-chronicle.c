/* test-chronicle.c - who was when: bounded, readable after a crash; and the metadata of single streams. */
#include "worker/chronicle.h"

#include "base/json.h"
#include "base/path.h"
#include "worker/metadata.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

typedef struct {
  char *directory;
  RecChronicle *chronicle;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  json_object *facts = json_object_new_object ();

  fixture->directory = g_dir_make_tmp ("recto-chronicle-XXXXXX", NULL);
  rec_json_set_string (facts, "id", "r1");
  rec_json_set_string (facts, "name", "film");
  rec_json_set_string (facts, "sessionId", "ses_A");
  rec_json_set_int (facts, "createdAt", 1000);
  fixture->chronicle = rec_chronicle_new (fixture->directory, "r1", facts,
      data != NULL ? GPOINTER_TO_INT (data) : 65536);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_chronicle_free (fixture->chronicle);
  rec_path_remove_tree (fixture->directory, NULL);
  g_free (fixture->directory);
}

static void
note_state (Fixture *fixture, int64_t at_ns)
{
  RecCommand *command = rec_command_new (REC_COMMAND_STREAM_STATE, 0);

  command->stream = g_strdup ("str_A");
  command->audio_active = 0;
  rec_chronicle_note_command (fixture->chronicle, command, at_ns);
  rec_command_free (command);
}

static void
note_take (Fixture *fixture, const char *stream, int64_t start_ns, int64_t end_ns)
{
  RecTake take = { .stream = (char *) stream,
    .participant = (char *) "con_A",
    .client_data = (char *) "\"A\nB",
    .server_data = (char *) "",
    .type_of_video = (char *) "SCREEN",
    .start_ns = start_ns,
    .end_ns = end_ns,
    .has_audio = true,
    .has_video = true };

  rec_chronicle_note_take_begun (fixture->chronicle, &take);
  if (end_ns >= 0)
    rec_chronicle_note_take_ended (fixture->chronicle, &take);
}

static char *
dup_path (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->directory, name, NULL);
}

static json_object *
publish (Fixture *fixture)
{
  g_autofree char *path = dup_path (fixture, "film.timeline.json");
  g_autoptr (GError) error = NULL;
  json_object *json;

  g_assert_true (rec_chronicle_publish (fixture->directory, "r1", "film", &error));
  g_assert_no_error (error);
  json = rec_json_parse_file (path, 1 << 20, &error);
  g_assert_no_error (error);
  return json;
}

static json_object *
get_event (json_object *timeline, unsigned i)
{
  return json_object_array_get_idx (rec_json_get (timeline, "events"), i);
}

static void
test_publishes (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  note_state (fixture, 1500 * 1000000);
  rec_chronicle_note_gap (fixture->chronicle, "str_A", true, 2000000000, 4500000000);
  g_autoptr (RecJson) timeline = publish (fixture);
  g_assert_cmpstr (rec_json_string_or (timeline, "sessionId", ""), ==, "ses_A");
  g_assert_cmpuint (json_object_array_length (rec_json_get (timeline, "events")), ==, 2);
  g_assert_cmpstr (rec_json_string_or (get_event (timeline, 0), "event", ""), ==, "streamChanged");
  g_assert_cmpfloat (rec_json_double_or (get_event (timeline, 0), "at", 0), ==, 1500);
  g_assert_false (rec_json_bool_or (get_event (timeline, 0), "audioActive", true));
  g_assert_cmpfloat (rec_json_double_or (get_event (timeline, 1), "until", 0), ==, 4500);
}

static void
test_no_events (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecJson) timeline = publish (fixture);

  g_assert_cmpuint (json_object_array_length (rec_json_get (timeline, "events")), ==, 0);
}

/* A crash in the middle of a line costs that line. */
static void
test_cut_anywhere (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = dup_path (fixture, ".chronicle.r1");
  g_autofree char *text = NULL;
  gsize size;

  note_take (fixture, "str_A", 0, 1000000000);
  note_take (fixture, "str_A", 2000000000, -1);
  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  for (gsize cut = size; cut > 0; cut--) {
    RecChronicleRecord record;

    g_assert_true (g_file_set_contents (path, text, (gssize) cut, NULL));
    rec_chronicle_read (fixture->directory, "r1", &record);
    g_assert_cmpuint (record.takes->len, <=, 2);
    g_assert_true (record.takes->len == 0 || record.facts != NULL);
    g_assert_true (cut < size || record.takes->len == 2);
    if (record.takes->len > 0)
      g_assert_cmpstr (((RecTake *) record.takes->pdata[0])->client_data, ==, "\"A\nB");
    if (record.facts != NULL && cut % 16 == 0) {
      g_autoptr (RecJson) timeline = publish (fixture);

      g_assert_nonnull (rec_json_get (timeline, "events"));
    }
    rec_chronicle_record_clear (&record);
  }
}

/* Somebody mutes a million times: what files are stays in. */
static void
test_bounded (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = dup_path (fixture, ".chronicle.r1");
  RecChronicleRecord record;
  GStatBuf info;

  for (int i = 0; i < 10000; i++)
    note_state (fixture, i * INT64_C (1000000));
  note_take (fixture, "str_A", 0, 1000000000);
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_size, <, 8192);
  rec_chronicle_read (fixture->directory, "r1", &record);
  g_assert_cmpuint (record.takes->len, ==, 1);
  rec_chronicle_record_clear (&record);
  g_autoptr (RecJson) timeline = publish (fixture);
  json_object *events = rec_json_get (timeline, "events");
  const unsigned n = (unsigned) json_object_array_length (events);
  g_assert_cmpstr (rec_json_string_or (get_event (timeline, n - 3), "event", ""), ==, "truncated");
}

static void
test_published_once (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecJson) timeline = publish (fixture);

  rec_chronicle_remove (fixture->directory, "r1");
  g_autoptr (RecJson) again = publish (fixture);
  g_assert_cmpint (json_object_equal (timeline, again), ==, 1);
}

/* OpenVidu's keys, and offsets from createdAt on. */
static void
test_metadata (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char expected[] =
      "{\"createdAt\":1000,\"id\":\"r1\",\"name\":\"film\",\"sessionId\":\"ses_A\",\"files\":["
      "{\"name\":\"str_A.webm\",\"connectionId\":\"con_A\",\"streamId\":\"str_A\",\"size\":7,"
      "\"clientData\":\"\\\"A\\nB\",\"serverData\":\"\",\"hasAudio\":true,\"hasVideo\":true,"
      "\"typeOfVideo\":\"SCREEN\",\"startTimeOffset\":500,\"endTimeOffset\":1500}]}";
  g_autoptr (RecJson) files = json_tokener_parse (
      "[{\"name\":\"film.mp4\",\"size\":9},{\"name\":\"film.str_A.webm\",\"stream\":\"str_A\","
      "\"size\":7,\"hasAudio\":true,\"hasVideo\":true,\"startNs\":500000000,\"endNs\":1500000000}"
      "]");
  g_autoptr (GError) error = NULL;
  RecChronicleRecord record;

  note_take (fixture, "str_A", 500000000, 1500000000);
  rec_chronicle_read (fixture->directory, "r1", &record);
  g_autoptr (RecJson) metadata = rec_metadata_make (record.facts, files, record.takes);
  g_assert_cmpstr (json_object_to_json_string_ext (metadata, JSON_C_TO_STRING_PLAIN), ==, expected);
  g_assert_true (rec_metadata_write (fixture->directory, "film", metadata, &error));
  rec_chronicle_record_clear (&record);
}

/* What a sink with a file of its own for each stream is told of: a stream that came twice, and two such sinks. */
static void
test_two_sinks (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecJson) files = json_tokener_parse (
      "[{\"name\":\"film.A.webm\",\"stream\":\"A\",\"startNs\":0,\"endNs\":1000000},"
      "{\"name\":\"film.A-1.webm\",\"stream\":\"A\",\"startNs\":2000000,\"endNs\":3000000},"
      "{\"name\":\"film.A.tape\",\"stream\":\"A\",\"startNs\":0,\"endNs\":1000000},"
      "{\"name\":\"film.A-1.tape\",\"stream\":\"A\",\"startNs\":2000000,\"endNs\":3000000}]");
  RecChronicleRecord record;
  json_object *list;

  note_take (fixture, "A", 0, 1000000);
  note_take (fixture, "A", 2000000, 3000000);
  rec_chronicle_read (fixture->directory, "r1", &record);
  g_autoptr (RecJson) metadata = rec_metadata_make (record.facts, files, record.takes);
  list = rec_json_get (metadata, "files");
  g_assert_cmpuint (json_object_array_length (list), ==, 4);
  for (unsigned i = 0; i < 4; i++) {
    json_object *file = json_object_array_get_idx (list, i);
    const bool is_second = strstr (rec_json_string_or (file, "name", ""), "-1") != NULL;

    g_assert_cmpstr (rec_json_string_or (file, "connectionId", ""), ==, "con_A");
    g_assert_cmpint (rec_json_int_or (file, "startTimeOffset", -1), ==, is_second ? 2 : 0);
    g_assert_cmpint (rec_json_int_or (file, "endTimeOffset", -1), ==, is_second ? 3 : 1);
  }
  rec_chronicle_record_clear (&record);
}

static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* A disk that is full for a moment costs what happened then, and nothing after that. */
static void
test_full_disk (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = dup_path (fixture, ".chronicle.r1");
  g_autofree char *part = dup_path (fixture, "film.timeline.json.part");
  g_autoptr (GError) error = NULL;
  struct rlimit before;
  GStatBuf info;

  getrlimit (RLIMIT_FSIZE, &before);
  signal (SIGXFSZ, SIG_IGN);
  note_take (fixture, "A", 0, 1000000);
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  limit_files ((rlim_t) info.st_size + 20);
  g_test_expect_message ("rec.worker.chronicle", G_LOG_LEVEL_WARNING, "*not complete");
  note_take (fixture, "B", 0, 1000000);
  g_test_assert_expected_messages ();
  limit_files (100);
  g_assert_false (rec_chronicle_publish (fixture->directory, "r1", "film", &error));
  g_assert_nonnull (error);
  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
  limit_files (before.rlim_cur);
  note_take (fixture, "C", 0, 1000000);
  g_autoptr (RecJson) timeline = publish (fixture);
  g_assert_cmpuint (json_object_array_length (rec_json_get (timeline, "events")), ==, 4);
  g_assert_cmpstr (rec_json_string_or (get_event (timeline, 2), "streamId", ""), ==, "C");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, data, test) g_test_add (name, Fixture, data, set_up, test, tear_down)
  ADD ("/chronicle/says-who-was-when", NULL, test_publishes);
  ADD ("/chronicle/may-have-no-events", NULL, test_no_events);
  ADD ("/chronicle/is-read-when-cut-anywhere", NULL, test_cut_anywhere);
  ADD ("/chronicle/is-bounded", GINT_TO_POINTER (4096), test_bounded);
  ADD ("/chronicle/stays-published", NULL, test_published_once);
  ADD ("/chronicle/goes-on-after-a-full-disk", NULL, test_full_disk);
  ADD ("/metadata/is-as-openvidu-has-it", NULL, test_metadata);
  ADD ("/metadata/tells-files-of-several-sinks-apart", NULL, test_two_sinks);
  return g_test_run ();
}
