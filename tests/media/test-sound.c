/* test-sound.c - what is heard when, and whether it is heard when it is seen. */
#include "lib/film.h"
#include "lib/worker-rig.h"

#include <gst/gst.h>
#include <math.h>
#include <stdlib.h>

#define BLACK 0x000000
#define WHITE 0xffffff
#define LOUD 0.3 /* a tone of the fixtures has 0.5 */
#define QUIET 0.01

static const RecRigOptions small = { .width = 160, .height = 120, .frame_rate = 15 };
static const RecRigOptions sound_only = { .frame_rate = 15, .no_video = true };

static RecFilm *
finish (RecWorkerRig *rig, double at, const char *ending)
{
  g_autofree char *path = NULL;

  rec_worker_rig_stop (rig, at);
  g_assert_true (json_object_get_boolean (json_object_object_get (rig->finished, "ok")));
  path = rec_worker_rig_get_file (rig, ending);
  return rec_film_new (path);
}

static void
assert_loud (const RecFilm *film, double hertz, double from, double to)
{
  g_assert_cmpfloat (rec_film_get_tone (film, hertz, from, to), >, LOUD);
}

static void
assert_quiet (const RecFilm *film, double hertz, double from, double to)
{
  g_assert_cmpfloat (rec_film_get_tone (film, hertz, from, to), <, QUIET);
}

static void
test_everyone_is_heard (void)
{
  static const double tones[] = { 440, 700, 1000, 1600, 2500 };
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  for (unsigned i = 0; i < 2; i++) {
    g_autoptr (RecFixture) tone = rec_fixture_tone (tones[i], 2);
    g_autofree char *stream = g_strdup_printf ("stream-%u", i);

    rec_worker_rig_play (rig, &(RecRigTrack){ i + 1, stream, "OPUS", false, 0 }, tone, 0);
  }
  film = finish (rig, 2, ".mp4");
  for (unsigned i = 0; i < 2; i++)
    assert_loud (film, tones[i], 0.2, 1.8);
  assert_quiet (film, tones[2], 0.2, 1.8);
}

static void
test_sounds_come_and_go (void)
{
  g_autoptr (RecFixture) first = rec_fixture_tone (440, 3);
  g_autoptr (RecFixture) second = rec_fixture_tone (1000, 2);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, first, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "b", "OPUS", false, 1 }, second, 1);
  rec_worker_rig_end_track (rig, 2, 2);
  film = finish (rig, 3, ".mp4");
  assert_loud (film, 440, 0.1, 2.9);
  assert_quiet (film, 1000, 0.1, 0.95);
  assert_loud (film, 1000, 1.05, 1.95);
  assert_quiet (film, 1000, 2.1, 2.9);
}

static void
test_mute_is_silence (void)
{
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 3);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, tone, 0);
  rec_worker_rig_set_state (rig, "a", 1, "{\"audioActive\": false}");
  rec_worker_rig_set_state (rig, "a", 2, "{\"audioActive\": true}");
  film = finish (rig, 3, ".mp4");
  assert_loud (film, 440, 0.1, 0.9);
  assert_quiet (film, 440, 1.1, 1.9);
  assert_loud (film, 440, 2.1, 2.9);
}

static void
test_gap_is_silence (void)
{
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 3);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_fixture_cut (tone, 1, 2);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, tone, 0);
  film = finish (rig, 3, ".mp4");
  g_assert_cmpfloat_with_epsilon (film->audio_duration, 3, 0.03);
  assert_loud (film, 440, 0.1, 0.95);
  assert_quiet (film, 440, 1.05, 1.95);
  assert_loud (film, 440, 2.05, 2.95);
}

static void
test_nobody_is_silence (void)
{
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = finish (rig, 2, ".mp4");

  g_assert_cmpfloat_with_epsilon (film->audio_duration, 2, 0.03);
  g_assert_cmpfloat_with_epsilon (film->video_duration, 2, 0.001);
  g_assert_cmpfloat (rec_film_get_peak (film, 0, 2), <, 0.001);
}

static void
test_loud_sums_are_limited (void)
{
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  for (unsigned i = 0; i < 4; i++) {
    g_autoptr (RecFixture) tone = rec_fixture_tone (440, 1);
    g_autofree char *stream = g_strdup_printf ("stream-%u", i);

    rec_worker_rig_play (rig, &(RecRigTrack){ i + 1, stream, "OPUS", false, 0 }, tone, 0);
  }
  film = finish (rig, 1, ".mp4");
  assert_loud (film, 440, 0.1, 0.9);
  g_assert_cmpfloat (rec_film_get_peak (film, 0.1, 0.9), <, 1.05);
  g_assert_cmpfloat (rec_film_get_tone (film, 3 * 440, 0.1, 0.9), <,
      0.05); /* not cut off: that has overtones */
}

static void
test_sound_alone_is_webm (void)
{
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 2);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&sound_only);
  g_autoptr (RecFilm) film = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, tone, 0.5);
  film = finish (rig, 3, ".webm");
  g_assert_null (film->video_codec);
  g_assert_cmpstr (film->audio_codec, ==, "opus");
  g_assert_cmpfloat_with_epsilon (film->sound->len / 48000.0, 3, 0.03);
  assert_quiet (film, 440, 0.05, 0.45);
  assert_loud (film, 440, 0.6, 2.4);
  assert_quiet (film, 440, 2.6, 2.95);
}

static void
test_pictures_alone_have_no_sound (void)
{
  RecRigOptions options = small;
  g_autoptr (RecFixture) tone = rec_fixture_tone (440, 1);
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autoptr (RecFilm) film = NULL;

  options.no_audio = true;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "OPUS", false, 0 }, tone, 0);
  film = finish (rig, 1, ".mp4");
  g_assert_null (film->audio_codec);
  g_assert_cmpuint (film->frames->len, ==, 15);
}

/* --- in sync ------------------------------------------------------------------------------------- */

#define SYNC_RATE 30
#define N_FLASHES 12
#define FLASH_SECONDS 0.2

/* Irregular, and not on the picture grid of the file. */
static double
get_flash (int i)
{
  return 0.4 + i * 0.731;
}

static uint32_t
paint_flash (int i, double x, double y, void *data)
{
  const double now = i / (double) SYNC_RATE, offset = *(double *) data;

  (void) x;
  (void) y;
  for (int flash = 0; flash < N_FLASHES; flash++)
    if (now + offset >= get_flash (flash) && now + offset < get_flash (flash) + FLASH_SECONDS)
      return WHITE;
  return BLACK;
}

/* Beeps start with the picture that flashes, which is what a camera sees. */
static double
beep (int64_t i, void *data)
{
  const double now = (double) i / 48000, offset = *(double *) data;

  for (int flash = 0; flash < N_FLASHES; flash++) {
    const double start = ceil ((get_flash (flash) - offset) * SYNC_RATE - 1e-9) / SYNC_RATE +
                         offset;

    if (now >= start && now < start + FLASH_SECONDS)
      return 0.8 * sin (2 * G_PI * 1000 * (now - start));
  }
  return 0;
}

static double
find_seen (const RecFilm *film, double from)
{
  for (unsigned i = (unsigned) (from * film->frame_rate); i < film->frames->len; i++)
    if (rec_film_get_pixel (film, i, 80, 60) > 0x808080)
      return i / film->frame_rate;
  g_error ("no flash after %g s", from);
}

static double
find_heard (const RecFilm *film, double from)
{
  for (unsigned i = (unsigned) (from * 48000); i < film->sound->len; i++)
    if (fabs (g_array_index (film->sound, float, i)) > 0.2)
      return i / 48000.0;
  g_error ("no beep after %g s", from);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return *(const double *) a < *(const double *) b ? -1 : 1;
}

/* Pictures at a rate and phase of their own, as cameras have. */
static void
test_sync (gconstpointer data)
{
  const int frame_rate = GPOINTER_TO_INT (data);
  RecRigOptions options = small;
  double offset = 0.013, none = offset, offsets[N_FLASHES], sum = 0;
  g_autoptr (RecFixture) video = rec_fixture_video (&(RecVideoFixture){ .codec = "VP8",
      .width = 160,
      .height = 120,
      .frame_rate = SYNC_RATE,
      .n_frames = 10 * SYNC_RATE,
      .paint = paint_flash,
      .data = &offset });
  g_autoptr (RecFixture) sound = rec_fixture_audio (beep, &none, 10);
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autoptr (RecFilm) film = NULL;

  options.frame_rate = frame_rate;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, offset);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "a", "OPUS", false, 0 }, sound, 0);
  film = finish (rig, 10, ".mp4");
  for (int i = 0; i < N_FLASHES; i++) {
    const double from = get_flash (i) - 0.1;
    const double late = find_heard (film, from) - find_seen (film, from);

    g_test_message ("flash %d: sound %+.1f ms", i, late * 1000);
    sum += late;
    offsets[i] = fabs (late);
  }
  qsort (offsets, N_FLASHES, sizeof *offsets, compare);
  g_test_message ("mean %+.1f ms, p95 %.1f ms", sum / N_FLASHES * 1000,
      offsets[(int) ceil (0.95 * N_FLASHES) - 1] * 1000);
  g_assert_cmpfloat (offsets[(int) ceil (0.95 * N_FLASHES) - 1], <=, 0.020);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/sound/everyone-is-heard", test_everyone_is_heard);
  g_test_add_func ("/sound/sounds-come-and-go", test_sounds_come_and_go);
  g_test_add_func ("/sound/mute-is-silence", test_mute_is_silence);
  g_test_add_func ("/sound/gap-is-silence", test_gap_is_silence);
  g_test_add_func ("/sound/nobody-is-silence", test_nobody_is_silence);
  g_test_add_func ("/sound/loud-sums-are-limited", test_loud_sums_are_limited);
  g_test_add_func ("/sound/sound-alone-is-webm", test_sound_alone_is_webm);
  g_test_add_func ("/sound/pictures-alone-have-no-sound", test_pictures_alone_have_no_sound);
  g_test_add_data_func ("/sound/in-sync-with-the-picture/30", GINT_TO_POINTER (30), test_sync);
  g_test_add_data_func ("/sound/in-sync-with-the-picture/25", GINT_TO_POINTER (25), test_sync);
  return g_test_run ();
}
