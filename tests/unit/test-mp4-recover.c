/* test-mp4-recover.c - what is left of an MP4 file that was cut anywhere, by anyone. */
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/media-judge.h"
#include "lib/mp4-walker.h"
#include "lib/sink-rig.h"

#define MP4 "plugins/mp4.so"
#define SECOND G_GINT64_CONSTANT (1000000000)
#define MS G_GINT64_CONSTANT (1000000)
#define VIDEO "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60"
#define AAC "avenc_aac"
#define AAC_DELAY_NS 21333333

/* A recording in the states a crash can leave: bytes of film.mp4.part. */
typedef struct Recorded {
  RecSinkRig *rig;
  RecRigMedia *media;
  GByteArray *open;     /* before finish */
  GByteArray *finished; /* as finish leaves it */
  GByteArray *unjoined; /* index appended, but not yet switched over to */
} Recorded;

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

static void
write_file (RecSinkRig *rig, const char *name, const GByteArray *bytes, gsize size)
{
  g_autofree char *path = rec_sink_rig_path (rig, name);
  FILE *file = fopen (path, "w");

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (bytes->data, 1, size, file), ==, size);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
remove_file (RecSinkRig *rig, const char *name)
{
  g_autofree char *path = rec_sink_rig_path (rig, name);

  g_unlink (path);
}

static void
record (Recorded *recorded, RecRigMedia *media)
{
  RecSinkRig *rig = rec_sink_rig_new (MP4);

  recorded->rig = rig;
  recorded->media = media;
  rec_sink_rig_set (rig, "sync", "false");
  rec_sink_rig_record (rig, media);
  recorded->open = read_file (rig, "film.mp4.part");
  rec_sink_rig_finish (rig);
  rec_sink_rig_close (rig);
  recorded->finished = read_file (rig, "film.mp4");
  recorded->unjoined = g_byte_array_new ();
  g_byte_array_append (recorded->unjoined, recorded->finished->data, recorded->finished->len);
  memcpy (recorded->unjoined->data, recorded->open->data, 48);
  remove_file (rig, "film.mp4");
  g_ptr_array_set_size (rig->files, 0);
}

static void
clear_recorded (Recorded *recorded)
{
  rec_sink_rig_free (recorded->rig);
  rec_rig_media_free (recorded->media);
  g_byte_array_unref (recorded->open);
  g_byte_array_unref (recorded->finished);
  g_byte_array_unref (recorded->unjoined);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Recorded, clear_recorded)

/* Every sample is the packet that was written, in its place and at its time, none left out before
 * the last; returns how many there are. */
static guint
check_samples (const Recorded *recorded, const GByteArray *bytes)
{
  g_autoptr (RecWalkedFile) file = rec_walk_mp4 (bytes->data, bytes->len);
  guint n_samples = 0;

  for (guint i = 0; i < file->tracks->len; i++) {
    const RecWalkedTrack *track = file->tracks->pdata[i];
    guint sample = 0;

    for (guint j = 0; j < recorded->media->packets->len && sample < track->samples->len; j++) {
      const RecPacket *packet = &((RecRigPacket *) recorded->media->packets->pdata[j])->packet;
      const RecWalkedSample *walked = &g_array_index (track->samples, RecWalkedSample, sample);

      if (packet->track_id != track->id)
        continue;
      g_assert_cmpmem (packet->data, packet->data_size, bytes->data + walked->offset, walked->size);
      g_assert_cmpint (walked->dts, ==, (packet->dts_ns * track->scale + SECOND / 2) / SECOND);
      g_assert_true (walked->is_key == ((packet->flags & REC_PACKET_KEYFRAME) != 0));
      sample++;
    }
    g_assert_cmpuint (sample, ==, track->samples->len);
    n_samples += sample;
  }
  return n_samples;
}

/* --- cut at every byte ---------------------------------------------------------------------------- */

/* Where each complete fragment ends, and how many samples are in the file up to there. */
typedef struct Expectation {
  GArray *ends, *n_samples;
} Expectation;

static guint
get_n_samples (const guint8 *moof, gsize size)
{
  guint n_samples = 0;

  for (gsize i = 0; i + 16 <= size; i++) {
    if (memcmp (moof + i, "trun", 4) == 0)
      n_samples += (guint) moof[i + 10] << 8 | moof[i + 11];
  }
  return n_samples;
}

static Expectation
expect (const GByteArray *open)
{
  Expectation expectation = { g_array_new (FALSE, FALSE, sizeof (gsize)),
    g_array_new (FALSE, FALSE, sizeof (guint)) };
  gsize offset = 0, size;
  guint n_samples = 0;

  for (; offset < open->len; offset += size) {
    const guint8 *box = open->data + offset;

    size = (gsize) box[0] << 24 | (gsize) box[1] << 16 | (gsize) box[2] << 8 | box[3];
    if (memcmp (box + 4, "moof", 4) == 0) {
      n_samples += get_n_samples (box, size);
    } else if (memcmp (box + 4, "mdat", 4) == 0) {
      const gsize end = offset + size;

      g_array_append_val (expectation.ends, end);
      g_array_append_val (expectation.n_samples, n_samples);
    }
  }
  return expectation;
}

static guint
get_expected (const Expectation *expectation, gsize size)
{
  guint n_samples = 0;

  for (guint i = 0; i < expectation->ends->len; i++) {
    if (g_array_index (expectation->ends, gsize, i) <= size)
      n_samples = g_array_index (expectation->n_samples, guint, i);
  }
  return n_samples;
}

/* Lets the sink recover these bytes; NULL if it says that nothing was recorded. */
static GByteArray *
recover (const Recorded *recorded, const GByteArray *state, gsize size)
{
  RecSinkRig *rig = recorded->rig;
  RecError error = { 0 };
  GByteArray *bytes;

  remove_file (rig, "film.mp4");
  g_ptr_array_set_size (rig->files, 0);
  write_file (rig, "film.mp4.part", state, size);
  if (!rig->plugin->recover (&rig->setup, &error)) {
    g_assert_cmpuint (error.code, ==, REC_FAIL_NOT_FOUND);
    g_assert_cmpuint (rig->files->len, ==, 0);
    return NULL;
  }
  g_assert_cmpuint (rig->files->len, ==, 1);
  g_assert_cmpstr (rig->files->pdata[0], ==, "film.mp4 video/mp4");
  bytes = read_file (rig, "film.mp4");
  return bytes;
}

static void
check_every_cut (const Recorded *recorded, const GByteArray *state, gsize from)
{
  Expectation expectation = expect (recorded->open);

  for (gsize size = from; size <= state->len; size++) {
    const guint n_expected = get_expected (&expectation, size);
    g_autoptr (GByteArray) bytes = recover (recorded, state, size);

    if (n_expected == 0)
      g_assert_null (bytes);
    else
      g_assert_cmpuint (check_samples (recorded, bytes), ==, n_expected);
  }
  g_array_unref (expectation.ends);
  g_array_unref (expectation.n_samples);
}

static void
test_cut_anywhere (void)
{
  g_auto (Recorded) recorded = { 0 };

  record (&recorded, rec_rig_media_new_synthetic (1500 * MS));
  g_assert_cmpuint (recorded.open->len, >, 2000);
  check_every_cut (&recorded, recorded.open, 0);
}

/* The same with each byte of the index that finish appends: finish, or recover, was killed. */
static void
test_cut_while_finishing (void)
{
  g_auto (Recorded) recorded = { 0 };

  record (&recorded, rec_rig_media_new_synthetic (1500 * MS));
  g_autoptr (GByteArray) whole = recover (&recorded, recorded.unjoined, recorded.unjoined->len);
  g_assert_cmpmem (whole->data, whole->len, recorded.finished->data, recorded.finished->len);
  gsize index = whole->len;
  while (memcmp (whole->data + index - 4, "moov", 4) != 0)
    index--;
  for (gsize size = index - 8; size < recorded.unjoined->len; size++) {
    g_autoptr (GByteArray) bytes = recover (&recorded, recorded.unjoined, size);

    /* all fragments are there, only the index was cut: nothing is lost */
    g_assert_cmpuint (check_samples (&recorded, bytes), ==, recorded.media->packets->len);
  }
}

static void
test_killed_before_the_rename (void)
{
  g_auto (Recorded) recorded = { 0 };

  record (&recorded, rec_rig_media_new_synthetic (1500 * MS));
  g_autoptr (GByteArray) bytes = recover (&recorded, recorded.finished, recorded.finished->len);
  g_assert_cmpmem (bytes->data, bytes->len, recorded.finished->data, recorded.finished->len);
}

static void
test_is_done_when_done (void)
{
  g_auto (Recorded) recorded = { 0 };
  RecSinkRig *rig;
  RecError error = { 0 };

  record (&recorded, rec_rig_media_new_synthetic (1500 * MS));
  rig = recorded.rig;
  g_autoptr (GByteArray) bytes = recover (&recorded, recorded.open, recorded.open->len);
  g_assert_true (rig->plugin->recover (&rig->setup, &error));
  g_assert_cmpuint (rig->files->len, ==, 2);
  g_assert_cmpstr (rig->files->pdata[1], ==, "film.mp4 video/mp4");
  g_autoptr (GByteArray) again = read_file (rig, "film.mp4");
  g_assert_cmpmem (bytes->data, bytes->len, again->data, again->len);
}

static void
test_says_when_there_is_nothing (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);

  g_assert_false (rig->plugin->recover (&rig->setup, &rig->error));
  g_assert_cmpuint (rig->error.code, ==, REC_FAIL_NOT_FOUND);
}

/* After each packet: no more than a fragment is not yet in the file. */
static void
test_loses_no_more_than_a_fragment (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  g_auto (Recorded) recorded = { 0 };

  record (&recorded, rec_rig_media_new_synthetic (5 * SECOND));
  rec_sink_rig_set (rig, "sync", "false");
  rec_sink_rig_open (rig);
  rec_sink_rig_add_track (rig, &recorded.media->tracks[0]);
  rec_sink_rig_add_track (rig, &recorded.media->tracks[1]);
  for (guint i = 0; i < recorded.media->packets->len; i++) {
    const RecPacket *packet = &((RecRigPacket *) recorded.media->packets->pdata[i])->packet;

    g_assert_true (rec_sink_rig_write (rig, packet));
    g_autoptr (GByteArray) state = read_file (rig, "film.mp4.part");
    g_autoptr (GByteArray) bytes = recover (&recorded, state, state->len);
    if (packet->dts_ns < 250 * MS)
      continue;
    g_assert_nonnull (bytes);
    const guint n_samples = check_samples (&recorded, bytes);
    const RecRigPacket *lost = recorded.media->packets->pdata[MIN (n_samples, i)];
    g_assert_cmpint (packet->dts_ns - lost->packet.dts_ns, <=, 500 * MS);
  }
}

/* --- the locks ------------------------------------------------------------------------------------ */

static void
test_leaves_the_living_alone (void)
{
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
  RecRigMedia *media = rec_rig_media_new_synthetic (SECOND);

  rec_sink_rig_record (rig, media);
  g_assert_false (rig->plugin->recover (&rig->setup, &rig->error));
  g_assert_nonnull (strstr (rig->error.message, "still being written"));
  rec_sink_rig_finish (rig);
  g_assert_cmpstr (rig->files->pdata[0], ==, "film.mp4 video/mp4");
  rec_rig_media_free (media);
}

static void
test_overwrites_nothing (void)
{
  g_auto (Recorded) recorded = { 0 };
  RecSinkRig *rig;
  RecError error = { 0 };

  record (&recorded, rec_rig_media_new_synthetic (SECOND));
  rig = recorded.rig;
  write_file (rig, "film.mp4", recorded.finished, 10);
  write_file (rig, "film.mp4.part", recorded.open, recorded.open->len);
  g_assert_true (rig->plugin->recover (&rig->setup, &error));
  g_assert_cmpstr (rig->files->pdata[0], ==, "film-ses_A.mp4 video/mp4");
  g_autoptr (GByteArray) other = read_file (rig, "film.mp4");
  g_assert_cmpuint (other->len, ==, 10);
}

/* --- damage --------------------------------------------------------------------------------------- */

/* Whatever was done to the file: an answer, and no crash. */
static void
test_survives_damage (void)
{
  g_auto (Recorded) recorded = { 0 };
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  RecSinkRig *rig;

  record (&recorded, rec_rig_media_new_synthetic (1500 * MS));
  rig = recorded.rig;
  for (unsigned round = 0; round < 3000; round++) {
    g_autoptr (GByteArray) state = g_byte_array_new ();
    RecError error = { 0 };

    g_byte_array_append (state, recorded.unjoined->data, recorded.unjoined->len);
    for (int i = g_rand_int_range (random, 1, 5); i > 0; i--)
      state->data[g_rand_int_range (random, 0, (gint32) state->len)] =
          (guint8) (g_rand_boolean (random) ? 0xff : g_rand_int_range (random, 0, 256));
    remove_file (rig, "film.mp4");
    write_file (rig, "film.mp4.part", state, state->len);
    if (!rig->plugin->recover (&rig->setup, &error))
      g_assert_cmpint (error.message[0], !=, '\0');
  }
}

/* --- real packets --------------------------------------------------------------------------------- */

static RecRigMedia *
make_media (int64_t duration_ns)
{
  RecRigMedia *media = rec_rig_media_new (VIDEO, "sine", AAC, duration_ns);

  media->tracks[1].codec_delay_ns = AAC_DELAY_NS;
  return media;
}

static void
test_plays_when_cut (void)
{
  g_auto (Recorded) recorded = { 0 };
  g_autoptr (GRand) random = g_rand_new_with_seed (3);

  record (&recorded, make_media (3 * SECOND));
  for (unsigned i = 0; i < 20; i++) {
    const gsize size = (gsize) g_rand_int_range (random, (gint32) recorded.open->len / 8,
        (gint32) recorded.open->len);
    g_autoptr (GByteArray) bytes = recover (&recorded, recorded.open, size);
    g_autofree char *path = rec_sink_rig_path (recorded.rig, "film.mp4");

    g_assert_nonnull (bytes);
    g_autoptr (RecJudgement) judgement = rec_judge_file (path);
    g_assert_cmpfloat_with_epsilon (judgement->video.start, 0, 1e-6);
    g_assert_cmpfloat_with_epsilon (judgement->audio.start, 0, 1e-6);
    g_assert_cmpfloat_with_epsilon (judgement->video.duration, judgement->audio.duration, 0.05);
    g_assert_cmpfloat (judgement->duration, >=, 0.09);
    rec_judge_decodes (path);
  }
}

/* What recover makes of a whole recording is what finish makes of it. */
static void
test_makes_what_finish_makes (void)
{
  g_auto (Recorded) recorded = { 0 };
  RecRigMedia *media = make_media (2200 * MS);

  rec_rig_media_shift (media, 2, 40 * MS);
  record (&recorded, media);
  g_autoptr (GByteArray) bytes = recover (&recorded, recorded.open, recorded.open->len);
  g_autoptr (RecWalkedFile) ours = rec_walk_mp4 (bytes->data, bytes->len);
  g_autoptr (RecWalkedFile) theirs = rec_walk_mp4 (recorded.finished->data, recorded.finished->len);

  for (guint i = 0; i < 2; i++) {
    const RecWalkedTrack *a = ours->tracks->pdata[i], *b = theirs->tracks->pdata[i];

    g_assert_cmpint (a->media_start, ==, b->media_start);
    g_assert_cmpuint (a->delay, ==, b->delay);
  }
}

/* A writer that is killed for good, in the middle of anything. */
static void
test_survives_a_kill (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  g_auto (Recorded) recorded = { 0 };

  record (&recorded, make_media (3 * SECOND));
  for (unsigned i = 0; i < 10; i++) {
    g_autoptr (RecSinkRig) rig = rec_sink_rig_new (MP4);
    g_autofree char *path = rec_sink_rig_path (rig, "film.mp4");
    int fds[2];
    char byte;
    pid_t child;

    g_assert_cmpint (pipe (fds), ==, 0);
    child = fork ();
    if (child == 0) {
      rec_sink_rig_open (rig);
      rec_sink_rig_add_track (rig, &recorded.media->tracks[0]);
      rec_sink_rig_add_track (rig, &recorded.media->tracks[1]);
      for (guint j = 0; j < recorded.media->packets->len; j++) {
        rec_sink_rig_write (rig, &((RecRigPacket *) recorded.media->packets->pdata[j])->packet);
        if (j > 40 && write (fds[1], "", 1) != 1)
          _exit (1);
      }
      rec_sink_rig_finish (rig);
      _exit (0);
    }
    for (int n_packets = g_rand_int_range (random, 1, 150); n_packets > 0; n_packets--)
      g_assert_cmpint (read (fds[0], &byte, 1), ==, 1);
    kill (child, SIGKILL);
    waitpid (child, NULL, 0);
    close (fds[0]);
    close (fds[1]);
    if (!rig->plugin->recover (&rig->setup, &rig->error))
      g_error ("%s", rig->error.message);
    rec_judge_decodes (path);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mp4/recovers-when-cut-anywhere", test_cut_anywhere);
  g_test_add_func ("/mp4/recovers-when-cut-while-finishing", test_cut_while_finishing);
  g_test_add_func ("/mp4/recovers-before-the-rename", test_killed_before_the_rename);
  g_test_add_func ("/mp4/recovers-once", test_is_done_when_done);
  g_test_add_func ("/mp4/says-when-there-is-nothing-to-recover", test_says_when_there_is_nothing);
  g_test_add_func ("/mp4/loses-no-more-than-a-fragment", test_loses_no_more_than_a_fragment);
  g_test_add_func ("/mp4/recovers-no-file-in-use", test_leaves_the_living_alone);
  g_test_add_func ("/mp4/recovers-and-overwrites-nothing", test_overwrites_nothing);
  g_test_add_func ("/mp4/survives-damage", test_survives_damage);
  g_test_add_func ("/mp4/plays-when-cut", test_plays_when_cut);
  g_test_add_func ("/mp4/recovers-what-finish-makes", test_makes_what_finish_makes);
  g_test_add_func ("/mp4/survives-a-kill", test_survives_a_kill);
  return g_test_run ();
}
