/* test-local.c - streams as they were sent, a file each: whole, cut anywhere, coming back. */
#define _GNU_SOURCE
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/media-judge.h"
#include "lib/sink-rig.h"

#define LOCAL "plugins/local.so"
#define SECOND G_GINT64_CONSTANT (1000000000)
#define MS G_GINT64_CONSTANT (1000000)
#define DELAY_MS 6.5   /* the pre-skip of opusenc */
#define HEAD_SIZE 2048 /* of a file */
#define VP8 "vp8enc keyframe-max-dist=15 deadline=1"
#define VP9 "vp9enc keyframe-max-dist=15 deadline=1 cpu-used=8"
#define LARGE_H264 "videoscale ! video/x-raw,width=320,height=240 ! " H264
#define H264 "x264enc key-int-max=15 bframes=0 speed-preset=ultrafast byte-stream=true"

#define assert_near(value, expected, tolerance)                                                    \
  g_assert_cmpfloat_with_epsilon (value, expected, tolerance)

static RecSinkRig *
rig_new (void)
{
  RecSinkRig *rig = rec_sink_rig_new (LOCAL);

  rig->setup.mode = REC_MODE_INDIVIDUAL;
  return rig;
}

/* Which container a test is about, by the ending. */
static RecSinkRig *
rig_new_for (const char *file)
{
  RecSinkRig *rig = rig_new ();

  if (g_str_has_suffix (file, ".mp4"))
    rec_sink_rig_set (rig, "h264-container", "mp4");
  return rig;
}

static RecRigMedia *
make_media (const char *video, const char *audio, int64_t duration_ns)
{
  RecRigMedia *media = rec_rig_media_new (video, "sine", audio, duration_ns);

  for (unsigned i = 0; i < media->n_tracks; i++) {
    RecTrack *track = &media->tracks[i];

    track->stream_id = "str_A";
    for (unsigned j = 0; j < media->n_tracks; j++)
      track->stream_formats |= media->tracks[j].format;
    if (track->media == REC_MEDIA_AUDIO)
      track->codec_delay_ns = (int64_t) (DELAY_MS * MS);
    else
      track->codec_data_size = 0;
  }
  return media;
}

static void
end_tracks (RecSinkRig *rig, RecRigMedia *media, int64_t at_ns)
{
  for (unsigned i = 0; i < media->n_tracks; i++)
    g_assert_true (rig->plugin->end_track (rig->sink, media->tracks[i].id, at_ns, &rig->error));
}

static void
shift_all (RecRigMedia *media, int64_t by_ns)
{
  for (unsigned i = 0; i < media->n_tracks; i++)
    rec_rig_media_shift (media, media->tracks[i].id, by_ns);
}

static const char *
get_file (RecSinkRig *rig, guint i)
{
  g_assert_cmpuint (i, <, rig->files->len);
  return rig->files->pdata[i];
}

static double
get_last (const RecJudgedStream *stream)
{
  return g_array_index (stream->times, double, stream->times->len - 1);
}

/* --- whole files ---------------------------------------------------------------------------------- */

static void
check_both (const char *video, const char *file, const char *said)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (file);
  g_autoptr (RecRigMedia) media = make_media (video, "opusenc", 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, file);

  shift_all (media, 7 * SECOND); /* on the recording's clock */
  rec_sink_rig_record (rig, media);
  end_tracks (rig, media, 10 * SECOND + 500 * MS);
  g_assert_cmpstr (get_file (rig, 0), ==, said); /* at once, not in the end */
  rec_sink_rig_finish (rig);
  g_assert_cmpuint (rig->files->len, ==, 1);

  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->video.times->len, ==, 90);
  g_assert_cmpuint (judgement->audio.times->len, ==, media->packets->len - 90);
  assert_near (g_array_index (judgement->video.times, double, 0), 0, 0.002);
  assert_near (get_last (&judgement->video), 89 / 30.0, 0.002);
  /* What a player does not play, it may say it begins with or not. */
  assert_near (g_array_index (judgement->audio.times, double, 0), -DELAY_MS / 1000, 0.002);
  assert_near (judgement->duration, 3.5, 0.002);
  rec_judge_decodes (path);
}

static void
test_vp8 (void)
{
  check_both (VP8, "film.str_A.webm", "film.str_A.webm video/webm str_A");
}

static void
test_vp9 (void)
{
  check_both (VP9, "film.str_A.webm", "film.str_A.webm video/webm str_A");
}

static void
test_h264 (void)
{
  check_both (H264, "film.str_A.mkv", "film.str_A.mkv video/x-matroska str_A");
}

static void
test_h264_mp4 (void)
{
  check_both (H264, "film.str_A.mp4", "film.str_A.mp4 video/mp4 str_A");
}

/* The option is about H.264 only. */
static void
test_vp8_stays_webm (void)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (".mp4");
  g_autoptr (RecRigMedia) media = make_media (VP8, "opusenc", 500 * MS);

  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_assert_cmpstr (get_file (rig, 0), ==, "film.str_A.webm video/webm str_A");
}

/* A camera that is asked for more: the parameters of the new size come in front of a keyframe. */
static void
test_new_size (gconstpointer file)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (file);
  g_autoptr (RecRigMedia) small = make_media (H264, NULL, SECOND);
  g_autoptr (RecRigMedia) large = make_media (LARGE_H264, NULL, SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, file);

  shift_all (large, SECOND);
  rec_sink_rig_record (rig, small);
  g_assert_true (rec_sink_rig_write_all (rig, large->packets));
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->video.times->len, ==, 60);
  assert_near (get_last (&judgement->video), 59 / 30.0, 0.002);
  rec_judge_decodes (path);
}

/* Pictures with one time: players want to know which is first. */
static void
test_burst (gconstpointer file)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (file);
  g_autoptr (RecRigMedia) media = make_media (H264, NULL, SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, file);

  for (guint i = 10; i < 15; i++) {
    RecRigPacket *packet = media->packets->pdata[i];

    packet->packet.dts_ns = packet->packet.pts_ns = 333 * MS;
  }
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpuint (judgement->video.times->len, ==, 30);
  for (guint i = 1; i < 30; i++)
    g_assert_cmpfloat (g_array_index (judgement->video.times, double, i), >,
        g_array_index (judgement->video.times, double, i - 1));
}

static void
test_audio_only (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media (NULL, "opusenc", 2 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.str_A.webm");

  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_assert_cmpstr (get_file (rig, 0), ==, "film.str_A.webm audio/webm str_A");
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_false (judgement->video.is_there);
  g_assert_cmpuint (judgement->audio.times->len, ==, media->packets->len);
  rec_judge_decodes (path);
}

static void
test_video_only (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media (VP8, NULL, 2 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.str_A.webm");

  rec_sink_rig_record (rig, media);
  end_tracks (rig, media, 2 * SECOND);
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_false (judgement->audio.is_there);
  g_assert_cmpuint (judgement->video.times->len, ==, 60);
  assert_near (judgement->duration, 2, 0.002);
  rec_judge_decodes (path);
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  const RecRigPacket *left = *(RecRigPacket *const *) a, *right = *(RecRigPacket *const *) b;

  return left->packet.dts_ns < right->packet.dts_ns ? -1
                                                    : left->packet.dts_ns > right->packet.dts_ns;
}

/* The microphone first: the file has begun when its picture comes. */
static void
test_late_picture (gconstpointer file)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (file);
  const char *encoder = g_str_has_suffix (file, ".webm") ? VP8 : H264;
  g_autoptr (RecRigMedia) media = make_media (encoder, "opusenc", 2 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, file);
  bool has_video = false;

  rec_rig_media_shift (media, 1, 1500 * MS);
  g_ptr_array_sort (media->packets, compare_times);
  rec_sink_rig_open (rig);
  rec_sink_rig_add_track (rig, &media->tracks[1]);
  for (guint i = 0; i < media->packets->len; i++) {
    const RecRigPacket *packet = media->packets->pdata[i];

    if (packet->packet.track_id == 1 && !has_video)
      rec_sink_rig_add_track (rig, &media->tracks[0]);
    has_video |= packet->packet.track_id == 1;
    g_assert_true (rec_sink_rig_write (rig, &packet->packet));
  }
  rec_sink_rig_finish (rig);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  assert_near (g_array_index (judgement->video.times, double, 0), 1.5, 0.002);
  g_assert_cmpuint (judgement->video.times->len, ==, 60);
  rec_judge_decodes (path);
}

static void
test_return (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media (VP8, "opusenc", SECOND);
  g_autofree char *second = rec_sink_rig_path (rig, "film.str_A-1.webm");

  rec_sink_rig_record (rig, media);
  end_tracks (rig, media, SECOND);
  shift_all (media, 3 * SECOND);
  for (unsigned i = 0; i < media->n_tracks; i++)
    rec_sink_rig_add_track (rig, &media->tracks[i]);
  g_assert_true (rec_sink_rig_write_all (rig, media->packets));
  end_tracks (rig, media, 4 * SECOND);
  rec_sink_rig_finish (rig);
  g_assert_cmpstr (get_file (rig, 0), ==, "film.str_A.webm video/webm str_A");
  g_assert_cmpstr (get_file (rig, 1), ==, "film.str_A-1.webm video/webm str_A");
  g_autoptr (RecJudgement) judgement = rec_judge_file (second);
  assert_near (judgement->duration, 1, 0.002);
  rec_judge_decodes (second);
}

static void
test_hostile_names (void)
{
  static const char *const ids[] = { "../../etc/passwd", "a/b", ".", "con\nnul", "\xc3\xa4" };
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media (NULL, "opusenc", 200 * MS);

  rec_sink_rig_open (rig);
  for (size_t i = 0; i < G_N_ELEMENTS (ids); i++) {
    media->tracks[0].stream_id = ids[i];
    media->tracks[0].id = (uint32_t) i + 1;
    rec_sink_rig_add_track (rig, &media->tracks[0]);
    for (guint j = 0; j < media->packets->len; j++)
      ((RecRigPacket *) media->packets->pdata[j])->packet.track_id = (uint32_t) i + 1;
    g_assert_true (rec_sink_rig_write_all (rig, media->packets));
  }
  rec_sink_rig_finish (rig);
  g_assert_cmpuint (rig->files->len, ==, G_N_ELEMENTS (ids));
  for (guint i = 0; i < rig->files->len; i++) {
    g_assert_true (g_str_has_prefix (get_file (rig, i), "film."));
    const size_t length = strcspn (get_file (rig, i), " ");
    g_assert_cmpuint (strcspn (get_file (rig, i), "/\n"), >=, length);
  }
}

/* A publisher's nonsense is left out; the recording goes on. */
static void
test_leaves_out (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media (VP8, "opusenc", SECOND);
  RecTrack odd = media->tracks[0];

  rec_sink_rig_open (rig);
  odd.id = 9;
  odd.width = 0;
  odd.stream_id = "str_B";
  rec_sink_rig_add_track (rig, &odd);
  for (unsigned i = 0; i < media->n_tracks; i++)
    rec_sink_rig_add_track (rig, &media->tracks[i]);
  odd.width = 160;
  odd.stream_id = "str_A"; /* has a picture already */
  odd.id = 10;
  rec_sink_rig_add_track (rig, &odd);
  g_assert_cmpuint (rig->log->len, ==, 2);
  g_assert_true (rec_sink_rig_write_all (rig, media->packets));
  rec_sink_rig_finish (rig);
  g_assert_cmpuint (rig->files->len, ==, 1);
}

/* --- recovery ------------------------------------------------------------------------------------- */

static GByteArray *
read_file (RecSinkRig *rig, const char *name)
{
  g_autofree char *path = rec_sink_rig_path (rig, name);
  g_autoptr (GError) error = NULL;
  char *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_byte_array_new_take ((guint8 *) data, size);
}

static bool
exists (RecSinkRig *rig, const char *name)
{
  g_autofree char *path = rec_sink_rig_path (rig, name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* Lets the sink recover the first bytes; false if it left no file. */
static bool
recover (RecSinkRig *rig, const GByteArray *state, gsize size, const char *name)
{
  g_autofree char *part = rec_sink_rig_path (rig, "film.str_A.webm.part");
  g_autofree char *path = rec_sink_rig_path (rig, name);
  RecError error = { 0 };

  g_unlink (path);
  g_ptr_array_set_size (rig->files, 0);
  g_assert_true (g_file_set_contents_full (part, (char *) state->data, (gssize) size,
      G_FILE_SET_CONTENTS_NONE, 0644, NULL));
  g_assert_true (rig->plugin->recover (&rig->setup, &error));
  return rig->files->len == 1;
}

static void
check_cut_anywhere (const char *encoder, const char *name)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (name);
  g_autoptr (RecRigMedia) media = make_media (encoder, "opusenc", 1200 * MS);
  gsize n_files = 0, smallest = 0;

  rec_sink_rig_record (rig, media);
  g_assert_cmpint (rig->stored_ns, >=, 700 * MS);
  g_autoptr (GByteArray) open = read_file (rig, "film.str_A.webm.part");
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  for (gsize size = 0; size <= open->len; size += size < HEAD_SIZE + 64 ? 13 : 101) {
    const bool is_there = recover (rig, open, size, name);

    g_assert_false (exists (rig, "film.str_A.webm.part") && size < HEAD_SIZE && is_there);
    g_assert_true (is_there == exists (rig, name));
    g_assert_true (is_there || n_files == 0); /* more bytes never save less */
    if (is_there && n_files++ == 0)
      smallest = size;
  }
  g_assert_cmpuint (smallest, >, HEAD_SIZE);
  g_assert_cmpuint (smallest, <, open->len / 2);
}

static void
test_cut_anywhere (void)
{
  check_cut_anywhere (VP8, "film.str_A.webm");
}

static void
test_cut_anywhere_vp9 (void)
{
  check_cut_anywhere (VP9, "film.str_A.webm");
}

static void
test_cut_anywhere_h264 (void)
{
  check_cut_anywhere (H264, "film.str_A.mkv");
}

static void
test_cut_anywhere_mp4 (void)
{
  check_cut_anywhere (H264, "film.str_A.mp4");
}

static void
test_plays_when_cut (gconstpointer file)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (file);
  const bool is_mp4 = g_str_has_suffix (file, ".mp4");
  g_autoptr (RecRigMedia) media = make_media (is_mp4 ? H264 : VP8, "opusenc", 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, file);
  g_autofree char *said =
      g_strdup_printf ("%s video/%s str_A", (char *) file, is_mp4 ? "mp4" : "webm");

  rec_sink_rig_record (rig, media);
  g_autoptr (GByteArray) open = read_file (rig, "film.str_A.webm.part");
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  for (unsigned i = 1; i <= 8; i++) {
    const gsize size = open->len * i / 8;

    g_assert_true (recover (rig, open, size, file));
    g_assert_cmpstr (get_file (rig, 0), ==, said);
    g_autoptr (RecJudgement) judgement = rec_judge_file (path);
    assert_near (judgement->duration,
        MAX (get_last (&judgement->video), get_last (&judgement->audio) + 0.02), 0.03);
    rec_judge_decodes (path);
  }
  /* all but what was not yet written */
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_cmpfloat (judgement->duration, >=, 2.4);
}

static void
test_kill_while_finishing (gconstpointer file)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (file);
  const bool is_mp4 = g_str_has_suffix (file, ".mp4");
  g_autoptr (RecRigMedia) media = make_media (is_mp4 ? H264 : VP8, "opusenc", 1200 * MS);
  g_autofree char *said =
      g_strdup_printf ("%s video/%s str_A", (char *) file, is_mp4 ? "mp4" : "webm");
  RecError error = { 0 };

  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  g_autoptr (GByteArray) finished = read_file (rig, file);
  /* renamed, and nobody was told */
  g_ptr_array_set_size (rig->files, 0);
  g_assert_true (rig->plugin->recover (&rig->setup, &error));
  g_assert_cmpstr (get_file (rig, 0), ==, said);
  /* complete, not yet renamed */
  g_assert_true (recover (rig, finished, finished->len, file));
  g_autoptr (GByteArray) again = read_file (rig, file);
  g_assert_cmpmem (again->data, again->len, finished->data, finished->len);
}

/* What lies beside: another recording's sound, and a stream that came back. */
static void
test_recovers_its_own (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media (NULL, "opusenc", 600 * MS);
  g_autoptr (RecSinkRig) other = rec_sink_rig_new ("plugins/mp4.so");
  g_autofree char *foreign = rec_sink_rig_path (rig, "film.other.webm");
  RecError error = { 0 };

  rec_sink_rig_record (rig, media);
  for (int i = 0; i < 11; i++) {
    end_tracks (rig, media, SECOND);
    rec_sink_rig_add_track (rig, &media->tracks[0]);
    g_assert_true (rec_sink_rig_write_all (rig, media->packets));
  }
  other->setup.has_video = 0;
  rec_sink_rig_record (other, media);
  rec_sink_rig_finish (other);
  g_autofree char *made = rec_sink_rig_path (other, "film.webm");
  g_assert_cmpint (g_rename (made, foreign), ==, 0);
  rec_sink_rig_close (rig); /* as if killed: the last part stays */
  g_ptr_array_set_size (rig->files, 0);
  g_assert_true (exists (rig, "film.str_A-11.webm.part"));
  g_assert_true (rig->plugin->recover (&rig->setup, &error));
  g_assert_cmpuint (rig->files->len, ==, 12);
  g_assert_cmpstr (get_file (rig, 0), ==, "film.str_A.webm audio/webm str_A");
  g_assert_cmpstr (get_file (rig, 2), ==, "film.str_A-2.webm audio/webm str_A");
  g_assert_cmpstr (get_file (rig, 11), ==, "film.str_A-11.webm audio/webm str_A");
}

static void
test_survives_damage (gconstpointer file)
{
  g_autoptr (RecSinkRig) rig = rig_new_for (file);
  const char *encoder = g_str_has_suffix (file, ".mp4") ? H264 : VP8;
  g_autoptr (RecRigMedia) media = make_media (encoder, "opusenc", 1200 * MS);
  g_autoptr (GRand) random = g_rand_new_with_seed (9);

  rec_sink_rig_record (rig, media);
  g_autoptr (GByteArray) open = read_file (rig, "film.str_A.webm.part");
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  for (unsigned round = 0; round < 150; round++) {
    g_autoptr (GByteArray) state = g_byte_array_new ();

    g_byte_array_append (state, open->data, open->len);
    for (int i = g_rand_int_range (random, 1, 6); i > 0; i--)
      state->data[g_rand_int_range (random, 0, round % 2 ? HEAD_SIZE / 4 : (gint32) state->len)] =
          (guint8) (g_rand_boolean (random) ? 0xff : g_rand_int_range (random, 0, 256));
    recover (rig, state, state->len, file);
    g_autofree char *mkv = rec_sink_rig_path (rig, "film.str_A.mkv");
    g_unlink (mkv);
  }
}

/* --- a full disk ---------------------------------------------------------------------------------- */

static void
test_full (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media (VP8, "opusenc", 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.str_A.webm");
  struct rlimit before, limit;
  bool has_failed = false;

  getrlimit (RLIMIT_FSIZE, &before);
  limit = before;
  limit.rlim_cur = 30000;
  signal (SIGXFSZ, SIG_IGN);
  rec_sink_rig_set (rig, "reserve-kb", "0");
  rec_sink_rig_open (rig);
  for (unsigned i = 0; i < media->n_tracks; i++)
    rec_sink_rig_add_track (rig, &media->tracks[i]);
  setrlimit (RLIMIT_FSIZE, &limit);
  has_failed = !rec_sink_rig_write_all (rig, media->packets);
  g_assert_true (rig->plugin->finish (rig->sink, REC_FINISH_FAILED, &rig->error));
  setrlimit (RLIMIT_FSIZE, &before);
  g_assert_true (has_failed);
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_NO_SPACE);
  rec_judge_decodes (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/local/vp8-and-opus-make-a-webm", test_vp8);
  g_test_add_func ("/local/vp9-and-opus-make-a-webm", test_vp9);
  g_test_add_func ("/local/h264-and-opus-make-a-matroska", test_h264);
  g_test_add_func ("/local/sound-alone-makes-a-webm", test_audio_only);
  g_test_add_func ("/local/picture-alone-makes-a-webm", test_video_only);
  g_test_add_func ("/local/h264-and-opus-make-an-mp4-if-told", test_h264_mp4);
  g_test_add_func ("/local/vp8-stays-webm", test_vp8_stays_webm);
  g_test_add_data_func ("/local/a-picture-may-change-its-size", "film.str_A.mkv", test_new_size);
  g_test_add_data_func ("/local/a-picture-may-change-its-size-in-mp4", "film.str_A.mp4",
      test_new_size);
  g_test_add_data_func ("/local/pictures-of-one-time", "film.str_A.mkv", test_burst);
  g_test_add_data_func ("/local/pictures-of-one-time-in-mp4", "film.str_A.mp4", test_burst);
  g_test_add_data_func ("/local/a-picture-may-come-late", "film.str_A.webm", test_late_picture);
  g_test_add_data_func ("/local/a-picture-may-come-late-in-h264", "film.str_A.mkv",
      test_late_picture);
  g_test_add_data_func ("/local/a-picture-may-come-late-in-mp4", "film.str_A.mp4",
      test_late_picture);
  g_test_add_func ("/local/who-returns-gets-another-file", test_return);
  g_test_add_func ("/local/stream-ids-are-no-paths", test_hostile_names);
  g_test_add_func ("/local/leaves-out-what-no-file-can-hold", test_leaves_out);
  g_test_add_func ("/local/recovers-when-cut-anywhere", test_cut_anywhere);
  g_test_add_func ("/local/recovers-vp9-when-cut-anywhere", test_cut_anywhere_vp9);
  g_test_add_func ("/local/recovers-h264-when-cut-anywhere", test_cut_anywhere_h264);
  g_test_add_func ("/local/recovers-mp4-when-cut-anywhere", test_cut_anywhere_mp4);
  g_test_add_data_func ("/local/plays-when-cut", "film.str_A.webm", test_plays_when_cut);
  g_test_add_data_func ("/local/plays-when-cut-in-mp4", "film.str_A.mp4", test_plays_when_cut);
  g_test_add_data_func ("/local/recovers-when-killed-while-finishing", "film.str_A.webm",
      test_kill_while_finishing);
  g_test_add_data_func ("/local/recovers-mp4-when-killed-while-finishing", "film.str_A.mp4",
      test_kill_while_finishing);
  g_test_add_func ("/local/recovers-its-own-in-order", test_recovers_its_own);
  g_test_add_data_func ("/local/survives-damage", "film.str_A.webm", test_survives_damage);
  g_test_add_data_func ("/local/survives-damage-of-mp4", "film.str_A.mp4", test_survives_damage);
  g_test_add_func ("/local/completes-files-on-a-full-disk", test_full);
  return g_test_run ();
}
