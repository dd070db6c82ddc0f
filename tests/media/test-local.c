/* test-local.c - streams kept as they were sent: how many pictures, when, in which file. */
#include "base/json.h"
#include "base/path.h"
#include "lib/film.h"
#include "lib/media-judge.h"
#include "lib/worker-rig.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <signal.h>
#include <string.h>

#define RED 0xff0000
#define GREEN 0x00c000
#define LOCAL                                                                                      \
  "{\"id\": \"local\", \"file\": \"plugins/local.so\", \"required\": true, \"mode\": "             \
  "\"individual\"}"
#define LOCAL_MP4                                                                                  \
  "{\"id\": \"local\", \"file\": \"plugins/local.so\", \"required\": true, \"mode\": "             \
  "\"individual\", \"options\": {\"h264-container\": \"mp4\"}}"
#define MP4 "{\"id\": \"mp4\", \"file\": \"plugins/mp4.so\", \"required\": true}"
#define RATE 15

#define assert_near(value, expected, tolerance)                                                    \
  g_assert_cmpfloat_with_epsilon (value, expected, tolerance)

static const RecRigOptions alone = {
  .width = 320, .height = 240, .frame_rate = RATE, .sinks = "[" LOCAL "]"
};

static RecFixture *
make_pictures (const char *codec, int width, int height, double seconds, uint32_t colour)
{
  return rec_fixture_video (&(RecVideoFixture){
      .codec = codec,
      .width = width,
      .height = height,
      .frame_rate = RATE,
      .n_frames = (int) (seconds * RATE),
      .keyframe_every = RATE,
      .colour = colour,
  });
}

/* A camera with a microphone: tracks 2n+1 (sound) and 2n+2 (picture). */
static void
play (RecWorkerRig *rig, unsigned n, const char *stream, const char *codec, double at,
    double seconds)
{
  g_autoptr (RecFixture) pictures = make_pictures (codec, 160, 120, seconds, RED);
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, seconds);

  rec_worker_rig_play (rig, &(RecRigTrack){ 2 * n + 1, stream, "OPUS", false, at }, tone, at);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2 * n + 2, stream, codec, false, at }, pictures, at);
}

static void
end (RecWorkerRig *rig, unsigned n, double at)
{
  rec_worker_rig_end_track (rig, 2 * n + 1, at);
  rec_worker_rig_end_track (rig, 2 * n + 2, at);
}

static void
stop (RecWorkerRig *rig, double at)
{
  rec_worker_rig_stop (rig, at);
  g_assert_true (rec_json_bool_or (rig->finished, "ok", false));
}

/* What finished says of a stream's file; NULL: there is none. */
static json_object *
find_file (RecWorkerRig *rig, const char *stream, unsigned number)
{
  json_object *files = rec_json_get (rig->finished, "files");

  for (size_t i = 0; i < json_object_array_length (files); i++) {
    json_object *file = json_object_array_get_idx (files, i);

    if (g_str_equal (rec_json_string_or (file, "stream", ""), stream) && number-- == 0)
      return file;
  }
  return NULL;
}

static char *
get_path (RecWorkerRig *rig, const char *stream, unsigned number)
{
  json_object *file = find_file (rig, stream, number);

  g_assert_nonnull (file);
  return g_build_filename (rig->directory, rec_json_string_or (file, "name", ""), NULL);
}

static void
assert_times (RecWorkerRig *rig, const char *stream, unsigned number, double start, double finish)
{
  json_object *file = find_file (rig, stream, number);

  g_assert_nonnull (file);
  assert_near ((double) rec_json_int_or (file, "startNs", -1) / 1e9, start, 0.03);
  assert_near ((double) rec_json_int_or (file, "endNs", -1) / 1e9, finish, 0.03);
  g_assert_cmpint (rec_json_int_or (file, "size", 0), >, 2048);
}

/* What NAME.json says of its file number i. */
static json_object *
read_metadata (RecWorkerRig *rig)
{
  g_autofree char *path = g_build_filename (rig->directory, "film.json", NULL);
  g_autoptr (GError) error = NULL;
  json_object *json = rec_json_parse_file (path, 1 << 20, &error);

  g_assert_no_error (error);
  return json;
}

static void
assert_offsets (json_object *metadata, unsigned i, const char *name, double start, double finish)
{
  json_object *file = json_object_array_get_idx (rec_json_get (metadata, "files"), i);

  g_assert_cmpstr (rec_json_string_or (file, "name", ""), ==, name);
  assert_near ((double) rec_json_int_or (file, "startTimeOffset", -1) / 1e3, start, 0.05);
  assert_near ((double) rec_json_int_or (file, "endTimeOffset", -1) / 1e3, finish, 0.05);
}

/* --- one stream ------------------------------------------------------------------------------------ */

static void
test_as_it_was_sent (gconstpointer data)
{
  const char *codec = data;
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *expected = g_ascii_strdown (codec, -1), *path = NULL;

  play (rig, 0, "a", codec, 0.5, 3);
  end (rig, 0, 3.5);
  stop (rig, 5);
  assert_times (rig, "a", 0, 0.5, 3.5);
  g_assert_null (find_file (rig, "a", 1));
  path = get_path (rig, "a", 0);

  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->video.times->len, ==, 3 * RATE);
  g_assert_cmpuint (judgement->audio.times->len, >=, 149);
  assert_near (judgement->duration, 3, 0.05);
  for (unsigned i = 0; i < judgement->video.times->len; i++)
    assert_near (g_array_index (judgement->video.times, double, i), (double) i / RATE, 0.025);
  rec_judge_decodes (path);

  g_autoptr (RecFilm) film = rec_film_new (path);
  g_assert_cmpstr (film->video_codec, ==, expected);
  g_assert_cmpstr (film->audio_codec, ==, "opus");
  g_assert_cmpuint (film->frames->len, ==, 3 * RATE);
  rec_film_assert_pixel (film, 20, 80, 60, RED);
  g_assert_cmpfloat (rec_film_get_tone (film, 440, 0.2, 2.8), >, 0.3);
}

static void
test_sound_alone (void)
{
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 2);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *path = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, tone, 1);
  stop (rig, 3);
  assert_times (rig, "a", 0, 1, 3);
  g_assert_true (rec_json_bool_or (find_file (rig, "a", 0), "hasAudio", false));
  g_assert_false (rec_json_bool_or (find_file (rig, "a", 0), "hasVideo", true));
  path = get_path (rig, "a", 0);
  g_assert_true (g_str_has_suffix (path, ".webm"));
  rec_judge_decodes (path);
}

static void
test_gap (void)
{
  g_autoptr (RecFixture) pictures = make_pictures ("VP8", 160, 120, 5, RED);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *path = NULL;

  rec_fixture_cut (pictures, 1.5, 3);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "a", "VP8", false, 0 }, pictures, 0);
  stop (rig, 5);
  path = get_path (rig, "a", 0);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_near (judgement->duration, 5, 0.05);
  for (unsigned i = 0; i < judgement->video.times->len; i++) {
    const double time = g_array_index (judgement->video.times, double, i);

    g_assert_true (time < 1.5 || time > 2.98);
  }
  g_assert_cmpuint (judgement->video.times->len, >=, (unsigned) (3.4 * RATE));
  rec_judge_decodes (path);
}

/* The clock finds out by and by that the first packets came late: until then the next ones bear the same time. */
static void
delay_beginning (RecFixture *fixture, gsize n_late)
{
  const RecFixturePacket *last = fixture->packets->pdata[n_late];

  for (gsize i = 0; i < n_late; i++) {
    RecFixturePacket *packet = fixture->packets->pdata[i];

    packet->pts_ns = last->pts_ns;
  }
}

static void
assert_rising (const RecJudgedStream *stream)
{
  for (unsigned i = 1; i < stream->times->len; i++)
    g_assert_cmpfloat (g_array_index (stream->times, double, i), >,
        g_array_index (stream->times, double, i - 1));
}

static void
test_late_beginning (gconstpointer data)
{
  const gsize n_late = GPOINTER_TO_SIZE (data);
  g_autoptr (RecFixture) pictures = make_pictures ("VP8", 160, 120, 2, RED);
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 2);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *path = NULL;

  delay_beginning (tone, n_late);
  delay_beginning (pictures, n_late);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, tone, 1);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "a", "VP8", false, 0 }, pictures, 1);
  stop (rig, 3);
  path = get_path (rig, "a", 0);
  rec_judge_decodes (path);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->audio.times->len, >=, 100 - n_late);
  g_assert_cmpuint (judgement->video.times->len, ==, 2 * RATE);
  assert_rising (&judgement->audio);
  assert_rising (&judgement->video);
}

/* Who was there before the recording: pictures from before its start are kept, since later ones are made of them. */
static void
test_earlier_beginning (void)
{
  g_autoptr (RecFixture) pictures = make_pictures ("VP8", 160, 120, 3, RED);
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 3);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *path = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, tone, -0.3);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "a", "VP8", false, 0 }, pictures, -0.3);
  stop (rig, 2.7);
  assert_times (rig, "a", 0, 0, 2.7);
  path = get_path (rig, "a", 0);
  rec_judge_decodes (path);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->video.times->len, ==, 3 * RATE);
  assert_rising (&judgement->audio);
  assert_rising (&judgement->video);
}

/* A pause of the microphone: two pictures come before the first sound, but are looked at after it. */
static void
test_sound_comes_later (void)
{
  g_autoptr (RecFixture) pictures = make_pictures ("VP8", 160, 120, 2, RED);
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 2);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *path = NULL;

  rec_fixture_cut (tone, 0, 0.15);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, tone, 0.5);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "a", "VP8", false, 0 }, pictures, 0.5);
  stop (rig, 2.5);
  path = get_path (rig, "a", 0);
  rec_judge_decodes (path);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_rising (&judgement->audio);
  assert_rising (&judgement->video);
}

static void
test_other_size (gconstpointer data)
{
  const char *codec = data;
  g_autoptr (RecFixture) small = make_pictures (codec, 160, 120, 2, RED);
  g_autoptr (RecFixture) large = make_pictures (codec, 320, 240, 2, GREEN);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *path = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "a", codec, false, 0 }, small, 0);
  rec_worker_rig_queue (rig, 2, large, 2);
  stop (rig, 4);
  path = get_path (rig, "a", 0);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->video.times->len, ==, 4 * RATE);
  rec_judge_decodes (path);
}

/* --- coming, going, not to be recorded ------------------------------------------------------------- */

static void
test_return (void)
{
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *first = NULL, *second = NULL;

  play (rig, 0, "a", "VP8", 0, 1);
  end (rig, 0, 1);
  rec_worker_rig_flush (rig);
  play (rig, 1, "a", "VP8", 2, 1);
  play (rig, 2, "b", "H264", 2.5, 1);
  stop (rig, 4);
  assert_times (rig, "a", 0, 0, 1);
  assert_times (rig, "a", 1, 2, 4);
  assert_times (rig, "b", 0, 2.5, 4);
  g_autoptr (RecJson) metadata = read_metadata (rig);
  assert_offsets (metadata, 0, "a.webm", 0, 1);
  assert_offsets (metadata, 1, "a-1.webm", 2, 4);
  assert_offsets (metadata, 2, "b.mkv", 2.5, 4);
  first = get_path (rig, "a", 0);
  second = get_path (rig, "a", 1);
  rec_judge_decodes (first);
  rec_judge_decodes (second);
}

static void
test_not_to_be_recorded (void)
{
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *second = NULL;

  play (rig, 0, "a", "VP8", 0, 6);
  rec_worker_rig_set_state (rig, "a", 2, "{\"record\": false}");
  rec_worker_rig_set_state (rig, "a", 4, "{\"record\": true}");
  stop (rig, 6);
  assert_times (rig, "a", 0, 0, 2);
  assert_times (rig, "a", 1, 4, 6);
  g_assert_cmpuint (rig->keyframes->len, >, 0); /* so that its picture is there at once */
  second = get_path (rig, "a", 1);
  g_autoptr (RecJudgement) judgement = rec_judge_file (second);
  assert_near (judgement->duration, 2, 0.05);
  rec_judge_decodes (second);
}

static void
test_both_at_once (void)
{
  RecRigOptions options = alone;
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autofree char *composed = NULL, *kept = NULL;

  options.sinks = "[" MP4 ", " LOCAL "]";
  rig = rec_worker_rig_new (&options);
  play (rig, 0, "a", "VP8", 0, 3);
  stop (rig, 3);
  composed = rec_worker_rig_get_file (rig, ".mp4");
  kept = get_path (rig, "a", 0);
  g_autoptr (RecFilm) film = rec_film_new (composed);
  g_assert_cmpuint (film->frames->len, ==, 3 * RATE);
  rec_film_assert_pixel (film, 30, 160, 120, RED);
  g_autoptr (RecFilm) same = rec_film_new (kept);
  g_assert_cmpuint (same->frames->len, ==, 3 * RATE);
  rec_film_assert_pixel (same, 30, 80, 60, RED);
}

static void
test_fifty (void)
{
  g_autoptr (RecFixture) pictures = make_pictures ("VP8", 160, 120, 2, RED);
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 2);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);

  for (unsigned i = 0; i < 50; i++) {
    g_autofree char *stream = g_strdup_printf ("stream-%u", i);

    rec_worker_rig_play (rig, &(RecRigTrack){ 2 * i + 1, stream, "OPUS", false, 0 }, tone,
        i * 0.02);
    rec_worker_rig_play (rig, &(RecRigTrack){ 2 * i + 2, stream, "VP8", false, 0 }, pictures,
        i * 0.02);
  }
  stop (rig, 3.5);
  for (unsigned i = 0; i < 50; i++) {
    g_autofree char *stream = g_strdup_printf ("stream-%u", i);
    g_autofree char *path = get_path (rig, stream, 0);
    g_autoptr (RecJudgement) judgement = rec_judge_file (path);

    assert_times (rig, stream, 0, i * 0.02, 3.5);
    g_assert_cmpuint (judgement->video.times->len, ==, 2 * RATE);
  }
}

/* --- nobody and nothing ---------------------------------------------------------------------------- */

static void
test_nobody (void)
{
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);

  stop (rig, 1);
  json_object *files = rec_json_get (rig->finished, "files");
  for (size_t i = 0; i < json_object_array_length (files); i++)
    g_assert_cmpstr (rec_json_string_or (json_object_array_get_idx (files, i), "mediaType", ""), ==,
        "application/json"); /* metadata and time line are there all the same */
}

static void
test_unknown_codec (void)
{
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autoptr (RecFixture) pictures = make_pictures ("VP8", 160, 120, 1, RED);

  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "a", "AV1", false, 0 }, pictures, 0);
  play (rig, 1, "b", "VP8", 0, 1);
  stop (rig, 1);
  g_assert_true (rec_worker_rig_has_note (rig, "'AV1' is not known"));
  g_assert_nonnull (find_file (rig, "b", 0));
  g_assert_null (find_file (rig, "a", 0));
}

/* --- killed ---------------------------------------------------------------------------------------- */

static void
test_killed (void)
{
  RecRigOptions options = alone;
  g_autoptr (RecWorkerRig) rig = NULL, second = NULL;
  g_autofree char *path = NULL;

  options.sinks = "[" LOCAL_MP4 "]";
  options.is_live = true;
  rig = rec_worker_rig_new (&options);
  play (rig, 0, "a", "VP8", 0, 3);
  play (rig, 1, "b", "H264", 0, 3);
  rec_worker_rig_flush_live (rig);
  kill (rig->pid, SIGKILL);
  rec_worker_rig_reap (rig);
  second = rec_worker_rig_recover (rig);
  path = get_path (second, "a", 0);
  g_assert_true (rec_json_bool_or (find_file (second, "a", 0), "hasVideo", false));
  g_assert_cmpint (rec_json_int_or (find_file (second, "a", 0), "durationNs", 0), >, 1900000000);
  rec_judge_decodes (path);
  g_autoptr (RecJson) metadata = read_metadata (second);
  g_assert_cmpuint (json_object_array_length (rec_json_get (metadata, "files")), ==, 2);
  g_assert_cmpint (rec_json_int_or (find_file (second, "a", 0), "endNs", 0), >, 1900000000);
  g_free (g_steal_pointer (&path));
  path = get_path (second, "b", 0);
  g_assert_true (g_str_has_suffix (path, "film.b.mp4"));
  rec_judge_decodes (path);
}

/* A start waits neither for who comes later, nor for who is not to be recorded any more. */
static void
test_waits_for_published_ones (void)
{
  RecRigOptions options = alone;
  g_autoptr (RecWorkerRig) rig = NULL;

  options.is_individual = true;
  options.n_published = 2;
  rig = rec_worker_rig_new (&options);
  play (rig, 0, "a", "VP8", 0, 2);
  rec_worker_rig_add_track (rig, &(RecRigTrack){ 3, "b", "VP8", false, 0 });
  rec_worker_rig_add_track (rig, &(RecRigTrack){ 5, "c", "VP8", false, 0 });
  rec_worker_rig_set_state (rig, "b", 0.5, "{\"record\": false}");
  rec_worker_rig_flush (rig);
  rec_worker_rig_wait (rig, &rig->has_started, "recording, though b and c sent nothing");
  stop (rig, 2);
  assert_times (rig, "a", 0, 0, 2);
  g_assert_null (find_file (rig, "b", 0));
}

/* Who has recorded the streams knows when they were there, whatever became of the notes on the disk. */
static void
test_remembers_times (void)
{
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&alone);
  g_autofree char *notes = g_build_filename (rig->directory, ".chronicle.r1", NULL);

  play (rig, 0, "a", "VP8", 0.5, 2);
  rec_worker_rig_flush (rig);
  rec_worker_rig_wait (rig, &rig->has_started, "recording");
  g_assert_cmpint (g_unlink (notes), ==, 0);
  stop (rig, 2);
  assert_times (rig, "a", 0, 0.5, 2);
  g_autoptr (RecJson) metadata = read_metadata (rig);
  assert_offsets (metadata, 0, "a.webm", 0.5, 2);
}

/* --- packed ---------------------------------------------------------------------------------------- */

static json_object *
find_named (RecWorkerRig *rig, const char *name)
{
  json_object *files = rec_json_get (rig->finished, "files");

  for (size_t i = 0; i < json_object_array_length (files); i++) {
    json_object *file = json_object_array_get_idx (files, i);

    if (g_str_equal (rec_json_string_or (file, "name", ""), name))
      return file;
  }
  return NULL;
}

/* That unzip gets out of the ZIP what lies beside it. */
static void
assert_packed (RecWorkerRig *rig, const char *name, const char *file)
{
  g_autofree char *zip = g_build_filename (rig->directory, "film.zip", NULL);
  g_autofree char *beside = g_build_filename (rig->directory, file, NULL);
  g_autofree char *command = g_strdup_printf (
      "sh -c 'unzip -p \"$1\" \"$2\" | cmp - \"$3\"' sh '%s' '%s' '%s'", zip, name, beside);
  g_autoptr (GError) error = NULL;
  int status = -1;

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, &error));
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
}

static void
test_packed (void)
{
  RecRigOptions options = alone;
  g_autoptr (RecWorkerRig) rig = NULL;
  json_object *zip;

  options.is_individual = true;
  rig = rec_worker_rig_new (&options);
  play (rig, 0, "a", "VP8", 0, 2);
  play (rig, 1, "b", "H264", 0.5, 1.5);
  stop (rig, 2);
  zip = find_named (rig, "film.zip");
  g_assert_nonnull (zip);
  g_assert_cmpstr (rec_json_string_or (zip, "mediaType", ""), ==, "application/zip");
  g_assert_cmpint (rec_json_int_or (zip, "size", 0), >,
      rec_json_int_or (find_file (rig, "a", 0), "size", 0));
  assert_packed (rig, "film.json", "film.json");
  assert_packed (rig, "a.webm", "film.a.webm");
  assert_packed (rig, "b.mkv", "film.b.mkv");
}

static void
test_cannot_be_packed (void)
{
  RecRigOptions options = alone;
  g_autofree char *directory = g_dir_make_tmp ("packed-XXXXXX", NULL);
  g_autofree char *in_the_way = g_build_filename (directory, "film.zip.part", NULL);
  g_autofree char *path = NULL;
  g_autoptr (RecWorkerRig) rig = NULL;

  g_assert_cmpint (g_mkdir (in_the_way, 0700), ==, 0);
  options.is_individual = true;
  options.directory = directory;
  rig = rec_worker_rig_new (&options);
  play (rig, 0, "a", "VP8", 0, 2);
  stop (rig, 2);
  g_assert_null (find_named (rig, "film.zip"));
  g_assert_true (rec_worker_rig_has_note (rig, "the streams are not in a ZIP"));
  path = get_path (rig, "a", 0);
  rec_judge_decodes (path);
  g_assert_true (rec_path_remove_tree (directory, NULL));
}

static void
test_killed_before_it_was_packed (void)
{
  RecRigOptions options = alone;
  g_autoptr (RecWorkerRig) rig = NULL, second = NULL;
  g_autofree char *rest = NULL;

  options.is_live = options.is_individual = true;
  rig = rec_worker_rig_new (&options);
  play (rig, 0, "a", "VP8", 0, 2);
  rec_worker_rig_flush_live (rig);
  kill (rig->pid, SIGKILL);
  rec_worker_rig_reap (rig);
  rest = g_build_filename (rig->directory, "film.zip.part", NULL);
  g_assert_true (g_file_set_contents (rest, "PK\3\4 half of it", -1, NULL));
  second = rec_worker_rig_recover (rig);
  g_assert_nonnull (find_named (second, "film.zip"));
  g_assert_false (g_file_test (rest, G_FILE_TEST_EXISTS));
  assert_packed (second, "film.json", "film.json");
  assert_packed (second, "a.webm", "film.a.webm");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_data_func ("/local/keeps-vp8-as-it-was-sent", "VP8", test_as_it_was_sent);
  g_test_add_data_func ("/local/keeps-vp9-as-it-was-sent", "VP9", test_as_it_was_sent);
  g_test_add_data_func ("/local/keeps-h264-as-it-was-sent", "H264", test_as_it_was_sent);
  g_test_add_func ("/local/keeps-sound-alone", test_sound_alone);
  g_test_add_func ("/local/a-gap-stays-a-gap", test_gap);
  g_test_add_func ("/local/keeps-pictures-from-before", test_earlier_beginning);
  g_test_add_func ("/local/takes-pictures-before-sound", test_sound_comes_later);
  g_test_add_data_func ("/local/tells-late-sound-apart", GSIZE_TO_POINTER (1), test_late_beginning);
  g_test_add_data_func ("/local/tells-a-burst-of-sound-apart", GSIZE_TO_POINTER (6),
      test_late_beginning);
  g_test_add_data_func ("/local/vp8-may-change-its-size", "VP8", test_other_size);
  g_test_add_data_func ("/local/vp9-may-change-its-size", "VP9", test_other_size);
  g_test_add_data_func ("/local/h264-may-change-its-size", "H264", test_other_size);
  g_test_add_func ("/local/who-returns-gets-another-file", test_return);
  g_test_add_func ("/local/leaves-out-who-is-not-to-be-recorded", test_not_to_be_recorded);
  g_test_add_func ("/local/the-same-packets-make-a-composition-too", test_both_at_once);
  g_test_add_func ("/local/keeps-fifty-streams", test_fifty);
  g_test_add_func ("/local/nobody-makes-no-media", test_nobody);
  g_test_add_func ("/local/another-codec-costs-one-track", test_unknown_codec);
  g_test_add_func ("/local/files-survive-a-kill", test_killed);
  g_test_add_func ("/local/waits-for-what-is-published", test_waits_for_published_ones);
  g_test_add_func ("/local/remembers-when-streams-were-there", test_remembers_times);
  g_test_add_func ("/local/streams-are-packed", test_packed);
  g_test_add_func ("/local/what-cannot-be-packed-stays-as-it-is", test_cannot_be_packed);
  g_test_add_func ("/local/what-is-salvaged-is-packed", test_killed_before_it_was_packed);
  return g_test_run ();
}
