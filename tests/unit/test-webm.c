/* test-webm.c - recordings of sound alone, whole and cut anywhere. */
#define _GNU_SOURCE
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lib/media-judge.h"
#include "lib/sink-rig.h"

#define MP4 "plugins/mp4.so"
#define SECOND G_GINT64_CONSTANT (1000000000)
#define MS G_GINT64_CONSTANT (1000000)
#define DELAY 0.0065      /* the pre-skip of opusenc */
#define HEAD_SIZE 2048    /* of the file */
#define TICK_LEAD 0.00994 /* audiotestsrc begins a tick that long before the second */

#define assert_near(value, expected, tolerance)                                                    \
  g_assert_cmpfloat_with_epsilon (value, expected, tolerance)

static RecSinkRig *
rig_new (void)
{
  RecSinkRig *rig = rec_sink_rig_new (MP4);

  rig->setup.has_video = 0;
  rec_sink_rig_set (rig, "sync", "false");
  return rig;
}

static RecRigMedia *
make_media (const char *wave, int64_t duration_ns)
{
  RecRigMedia *media = rec_rig_media_new (NULL, wave, "opusenc", duration_ns);

  media->tracks[0].codec_delay_ns = (int64_t) (DELAY * SECOND);
  return media;
}

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

static double
find_tick (GArray *sound, double from)
{
  guint i = (guint) (from * 48000);

  while (i < sound->len && ABS (g_array_index (sound, int16_t, i)) < 3000)
    i++;
  return i / 48000.0;
}

static void
test_is_ordinary (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media ("ticks", 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.webm");

  rec_sink_rig_record (rig, media);
  g_assert_true (rig->plugin->end_track (rig->sink, 1, 3 * SECOND, &rig->error));
  rec_sink_rig_finish (rig);
  g_assert_cmpstr (rig->files->pdata[0], ==, "film.webm audio/webm");
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  g_assert_false (judgement->video.is_there);
  assert_near (judgement->duration, 3, 0.001);
  assert_near (judgement->audio.start, -DELAY, 0.001);
  g_assert_cmpuint (judgement->audio.times->len, ==, media->packets->len);
  rec_judge_decodes (path);

  g_autoptr (GArray) sound = rec_judge_sound (path);
  assert_near (find_tick (sound, 0.5), 1 - TICK_LEAD, 0.002);
  assert_near (find_tick (sound, 1.5), 2 - TICK_LEAD, 0.002);
}

/* A player that jumps: cues are there and lead to the right place. */
static void
test_can_be_searched (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media ("sine", 6 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.webm");
  const char *const arguments[] = { "ffprobe", "-v", "error", "-read_intervals", "4%+#1",
    "-show_entries", "packet=pts_time", "-of", "csv=p=0", path, NULL };
  g_autofree char *output = NULL;

  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_autoptr (GByteArray) bytes = read_file (rig, "film.webm");
  g_assert_nonnull (memmem (bytes->data, bytes->len, "\x1c\x53\xbb\x6b\x01", 5));
  g_assert_true (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
      &output, NULL, NULL, NULL));
  const double found = g_ascii_strtod (output, NULL);
  g_assert_cmpfloat (found, >, 2.5);
  g_assert_cmpfloat (found, <=, 4);
}

static void
test_plays_while_it_records (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media ("sine", 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.webm.part");

  rec_sink_rig_record (rig, media);
  g_assert_cmpint (rig->stored_ns, >=, 2400 * MS);
  g_autoptr (RecJudgement) judgement = rec_judge_file (path);
  const double last =
      g_array_index (judgement->audio.times, double, judgement->audio.times->len - 1);
  g_assert_cmpfloat (last, >, 2.4);
  rec_judge_decodes (path);
}

static void
test_refuses_other_tracks (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = rec_rig_media_new_synthetic (SECOND);
  RecTrack track = media->tracks[1];

  rec_sink_rig_open (rig);
  g_assert_false (rig->plugin->add_track (rig->sink, &track, &rig->error));
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_UNSUPPORTED);
  track.format = REC_FORMAT_OPUS; /* and AAC's codec data */
  g_assert_false (rig->plugin->add_track (rig->sink, &track, &rig->error));
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_INVALID);
}

/* --- recovery ------------------------------------------------------------------------------------- */

/* Lets the sink recover the first bytes; NULL if it says that nothing was recorded. */
static GByteArray *
recover (RecSinkRig *rig, const GByteArray *state, gsize size)
{
  g_autofree char *part = rec_sink_rig_path (rig, "film.webm.part");
  g_autofree char *path = rec_sink_rig_path (rig, "film.webm");
  RecError error = { 0 };
  FILE *file;

  g_unlink (path);
  file = fopen (part, "w");
  g_assert_cmpuint (fwrite (state->data, 1, size, file), ==, size);
  fclose (file);
  if (rig->plugin->recover (&rig->setup, &error))
    return read_file (rig, "film.webm");
  g_assert_cmpuint (error.code, ==, REC_FAIL_NOT_FOUND);
  return NULL;
}

/* Where each complete cluster ends. */
static GArray *
find_cluster_ends (const GByteArray *bytes)
{
  GArray *ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  gsize offset = HEAD_SIZE;

  while (offset + 12 <= bytes->len && memcmp (bytes->data + offset, "\x1f\x43\xb6\x75", 4) == 0) {
    offset += 12 + ((gsize) bytes->data[offset + 9] << 16 | (gsize) bytes->data[offset + 10] << 8 |
                       bytes->data[offset + 11]);
    g_assert_cmpuint (offset, <=, bytes->len);
    g_array_append_val (ends, offset);
  }
  return ends;
}

static void
test_cut_anywhere (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media ("silence", 1500 * MS);

  rec_sink_rig_record (rig, media);
  g_autoptr (GByteArray) open = read_file (rig, "film.webm.part");
  g_autoptr (GArray) ends = find_cluster_ends (open);
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  g_assert_cmpuint (ends->len, >=, 3);
  g_assert_cmpuint (g_array_index (ends, gsize, ends->len - 1), ==, open->len);

  for (gsize size = 0, n_complete = 0; size <= open->len; size++) {
    g_autoptr (GByteArray) bytes = recover (rig, open, size);

    if (n_complete < ends->len && g_array_index (ends, gsize, n_complete) == size)
      n_complete++;
    if (n_complete == 0) {
      g_assert_null (bytes);
      continue;
    }
    /* all complete clusters as they were, then the cues, and a size that says so */
    const gsize end = g_array_index (ends, gsize, n_complete - 1);
    g_assert_cmpmem (bytes->data + HEAD_SIZE, end - HEAD_SIZE, open->data + HEAD_SIZE,
        end - HEAD_SIZE);
    g_assert_cmpmem (bytes->data + end, 4, "\x1c\x53\xbb\x6b", 4);
    const gsize said = (gsize) bytes->data[45] << 16 | (gsize) bytes->data[46] << 8 |
                       bytes->data[47];
    g_assert_cmpuint (said + 48, ==, bytes->len);
  }
}

static void
test_cut_while_finishing (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media ("sine", 1500 * MS);
  g_autofree char *path = rec_sink_rig_path (rig, "film.webm");

  rec_sink_rig_record (rig, media);
  g_autoptr (GByteArray) head = read_file (rig, "film.webm.part");
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  g_autoptr (GByteArray) finished = read_file (rig, "film.webm");
  g_autoptr (GArray) ends = find_cluster_ends (finished);
  const gsize end = g_array_index (ends, gsize, ends->len - 1);

  /* not yet renamed */
  g_autoptr (GByteArray) renamed = recover (rig, finished, finished->len);
  g_assert_cmpmem (renamed->data, renamed->len, finished->data, finished->len);
  /* head not yet complete, cues cut */
  g_autoptr (GByteArray) state = g_byte_array_new ();
  g_byte_array_append (state, finished->data, finished->len);
  memcpy (state->data, head->data, HEAD_SIZE);
  for (gsize size = end; size <= state->len; size++) {
    g_autoptr (GByteArray) bytes = recover (rig, state, size);

    g_assert_cmpmem (bytes->data, bytes->len, finished->data, finished->len);
  }
  rec_judge_decodes (path);
}

static void
test_plays_when_cut (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media ("sine", 3 * SECOND);
  g_autofree char *path = rec_sink_rig_path (rig, "film.webm");
  g_autoptr (GRand) random = g_rand_new_with_seed (5);

  rec_sink_rig_record (rig, media);
  g_autoptr (GByteArray) open = read_file (rig, "film.webm.part");
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  for (unsigned i = 0; i < 10; i++) {
    const gsize size =
        (gsize) g_rand_int_range (random, (gint32) open->len / 5, (gint32) open->len);
    g_autoptr (GByteArray) bytes = recover (rig, open, size);

    g_assert_nonnull (bytes);
    g_autoptr (RecJudgement) judgement = rec_judge_file (path);
    const double last =
        g_array_index (judgement->audio.times, double, judgement->audio.times->len - 1);
    assert_near (judgement->duration, last + 0.02, 0.002);
    rec_judge_decodes (path);
  }
}

static void
test_survives_damage (void)
{
  g_autoptr (RecSinkRig) rig = rig_new ();
  g_autoptr (RecRigMedia) media = make_media ("silence", 1500 * MS);
  g_autoptr (GRand) random = g_rand_new_with_seed (9);
  g_autofree char *part = rec_sink_rig_path (rig, "film.webm.part");
  g_autofree char *path = rec_sink_rig_path (rig, "film.webm");

  rec_sink_rig_record (rig, media);
  g_autoptr (GByteArray) open = read_file (rig, "film.webm.part");
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  for (unsigned round = 0; round < 2000; round++) {
    g_autoptr (GByteArray) state = g_byte_array_new ();
    RecError error = { 0 };

    g_byte_array_append (state, open->data, open->len);
    for (int i = g_rand_int_range (random, 1, 5); i > 0; i--)
      state->data[g_rand_int_range (random, 0, (gint32) state->len)] =
          (guint8) (g_rand_boolean (random) ? 0xff : g_rand_int_range (random, 0, 256));
    g_unlink (path);
    g_assert_true (g_file_set_contents_full (part, (char *) state->data, state->len,
        G_FILE_SET_CONTENTS_NONE, 0644, NULL));
    if (!rig->plugin->recover (&rig->setup, &error))
      g_assert_cmpint (error.message[0], !=, '\0');
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/webm/is-an-ordinary-file-in-the-end", test_is_ordinary);
  g_test_add_func ("/webm/can-be-searched", test_can_be_searched);
  g_test_add_func ("/webm/plays-while-it-records", test_plays_while_it_records);
  g_test_add_func ("/webm/refuses-other-tracks", test_refuses_other_tracks);
  g_test_add_func ("/webm/recovers-when-cut-anywhere", test_cut_anywhere);
  g_test_add_func ("/webm/recovers-when-cut-while-finishing", test_cut_while_finishing);
  g_test_add_func ("/webm/plays-when-cut", test_plays_when_cut);
  g_test_add_func ("/webm/survives-damage", test_survives_damage);
  return g_test_run ();
}
