/* test-timeline.c - file time, pictures, samples, and where sound belongs. */
#include "worker/mixer.h"
#include "worker/timeline.h"

#include <glib.h>

#define START INT64_C (7000000000000)
#define HOUR (3600 * REC_NS_PER_SECOND)

static RecTimeline
make (int frame_rate)
{
  RecTimeline timeline;

  rec_timeline_init (&timeline, START, frame_rate, true);
  return timeline;
}

static void
test_steps_never_drift (void)
{
  static const int rates[] = { 1, 15, 24, 25, 30, 60, 120 };

  for (size_t i = 0; i < G_N_ELEMENTS (rates); i++) {
    const RecTimeline timeline = make (rates[i]);

    g_assert_cmpint (rec_timeline_get_step_ns (&timeline, 0), ==, 0);
    g_assert_cmpint (rec_timeline_get_step_ns (&timeline, INT64_C (1000) * 3600 * rates[i]), ==,
        1000 * HOUR);
    for (int64_t step = 1; step < 1000; step++)
      g_assert_cmpint (
          rec_timeline_count_steps (&timeline, rec_timeline_get_step_ns (&timeline, step)), ==,
          step);
  }
}

static void
test_end_is_the_nearest_picture (void)
{
  const RecTimeline timeline = make (25);

  g_assert_cmpint (rec_timeline_count_steps (&timeline, 0), ==, 1);
  g_assert_cmpint (rec_timeline_count_steps (&timeline, 19 * REC_NS_PER_MS), ==, 1);
  g_assert_cmpint (rec_timeline_count_steps (&timeline, 59 * REC_NS_PER_MS), ==, 1);
  g_assert_cmpint (rec_timeline_count_steps (&timeline, 61 * REC_NS_PER_MS), ==, 2);
}

static void
test_pictures_round_to_the_nearest (void)
{
  const RecTimeline timeline = make (25);

  g_assert_cmpint (rec_timeline_get_picture_limit_ns (&timeline, 3), ==,
      (120 + 20) * REC_NS_PER_MS);
}

static void
test_deadlines_rise (void)
{
  const RecTimeline timeline = make (30);
  int64_t last = START;

  for (int64_t step = 0; step < 100; step++) {
    const int64_t deadline = rec_timeline_get_deadline_ns (&timeline, step);

    g_assert_cmpint (deadline, >, last);
    g_assert_cmpint (deadline, >, START + rec_timeline_get_step_ns (&timeline, step));
    last = deadline;
  }
  /* The file's first 200 ms are there well within half a second. */
  g_assert_cmpint (rec_timeline_get_deadline_ns (&timeline, 6), <, START + 300 * REC_NS_PER_MS);
}

static void
test_samples_and_back (void)
{
  for (int64_t sample = -100000; sample < 100000; sample += 7)
    g_assert_cmpint (rec_timeline_to_samples (rec_timeline_from_samples (sample)), ==, sample);
  g_assert_cmpint (rec_timeline_to_samples (1000 * HOUR), ==, INT64_C (1000) * 3600 * 48000);
  g_assert_cmpint (rec_timeline_to_samples (-REC_NS_PER_SECOND), ==, -48000);
}

/* --- where sound belongs -------------------------------------------------------------------------- */

static void
test_jitter_leaves_no_seams (void)
{
  RecAudioPlace place = { 0 };
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  int64_t expected = 0;

  for (int i = 0; i < 500; i++) {
    const int64_t jitter = i == 0 ? 0 : g_rand_int_range (random, -15, 16) * REC_NS_PER_MS;
    bool is_jump;
    int adjust;
    const int64_t at =
        rec_audio_place_next (&place, i * 20 * REC_NS_PER_MS + jitter, 960, &adjust, &is_jump);

    g_assert_cmpint (at, ==, expected);
    g_assert_true (is_jump == (i == 0));
    expected += 960 + adjust;
  }
  g_assert_cmpint (ABS (expected - 500 * 960), <, 300);
}

static void
test_gaps_and_jumps_move_the_place (void)
{
  RecAudioPlace place = { 0 };
  bool is_jump;
  int adjust;

  g_assert_cmpint (rec_audio_place_next (&place, 0, 960, &adjust, &is_jump), ==, 0);
  g_assert_cmpint (rec_audio_place_next (&place, REC_NS_PER_SECOND, 960, &adjust, &is_jump), ==,
      48000);
  g_assert_true (is_jump);
  g_assert_cmpint (rec_audio_place_next (&place, 100 * REC_NS_PER_MS, 960, &adjust, &is_jump), ==,
      4800);
  g_assert_true (is_jump);
  g_assert_cmpint (rec_audio_place_next (&place, 120 * REC_NS_PER_MS, 960, &adjust, &is_jump), ==,
      5760);
  g_assert_false (is_jump);
}

/* A publisher's clock that is 0.05 % slow or fast, for ten minutes. */
static void
test_drift_is_followed (gconstpointer data)
{
  const double rate = GPOINTER_TO_INT (data) / 10000.0;
  RecAudioPlace place = { 0 };

  for (int i = 0; i < 30000; i++) {
    const int64_t pts_ns = (int64_t) (i * 20e6 * (1 + rate));
    bool is_jump;
    int adjust;
    const int64_t at = rec_audio_place_next (&place, pts_ns, 960, &adjust, &is_jump);

    g_assert_true (is_jump == (i == 0));
    g_assert_cmpint (ABS (at - rec_timeline_to_samples (pts_ns)), <, 480); /* 10 ms */
  }
}

/* --- mixing --------------------------------------------------------------------------------------- */

static void
test_mix_adds_and_forgets (void)
{
  RecAudioQueue *a = rec_audio_queue_new (), *b = rec_audio_queue_new ();
  float ones[960 * 2], sum[960 * 2] = { 0 };

  for (size_t i = 0; i < G_N_ELEMENTS (ones); i++)
    ones[i] = 0.25f;
  rec_audio_queue_write (a, 0, ones, 960);
  rec_audio_queue_write (b, 10 * REC_NS_PER_MS, ones, 960); /* half of it is of the next block */
  rec_audio_queue_mix (a, 0, 960, sum);
  rec_audio_queue_mix (b, 0, 960, sum);
  g_assert_cmpfloat (sum[0], ==, 0.25f);
  g_assert_cmpfloat (sum[479 * 2 + 1], ==, 0.25f);
  g_assert_cmpfloat (sum[480 * 2], ==, 0.5f);

  for (size_t i = 0; i < G_N_ELEMENTS (sum); i++)
    sum[i] = 0;
  rec_audio_queue_mix (a, 960, 960, sum);
  rec_audio_queue_mix (b, 960, 960, sum);
  g_assert_cmpfloat (sum[479 * 2], ==, 0.25f);
  g_assert_cmpfloat (sum[480 * 2], ==, 0);
  rec_audio_queue_free (a);
  rec_audio_queue_free (b);
}

static void
test_late_sound_is_cut (void)
{
  RecAudioQueue *queue = rec_audio_queue_new ();
  float ones[960 * 2], sum[960 * 2] = { 0 };

  for (size_t i = 0; i < G_N_ELEMENTS (ones); i++)
    ones[i] = 1;
  rec_audio_queue_mix (queue, 0, 960, NULL);
  rec_audio_queue_write (queue, 10 * REC_NS_PER_MS, ones, 960);
  rec_audio_queue_write (queue, INT64_C (3600) * REC_NS_PER_SECOND, ones,
      960); /* not kept for an hour */
  rec_audio_queue_mix (queue, 960, 960, sum);
  g_assert_cmpfloat (sum[0], ==, 1);
  g_assert_cmpfloat (sum[479 * 2], ==, 1);
  g_assert_cmpfloat (sum[480 * 2], ==, 0);
  rec_audio_queue_free (queue);
}

static void
test_limit_holds (void)
{
  RecAudioLimiter limiter = { 0 };
  float sum[960 * 2];

  for (int block = 0; block < 100; block++) {
    const float level = block < 50 ? 3.0f : 0.5f;

    for (size_t i = 0; i < G_N_ELEMENTS (sum); i++)
      sum[i] = i % 4 < 2 ? level : -level;
    rec_audio_limit (&limiter, sum, 960);
    for (size_t i = 0; i < G_N_ELEMENTS (sum); i++)
      g_assert_cmpfloat (ABS (sum[i]), <=, 1);
  }
  g_assert_cmpfloat (sum[0], ==, 0.5f); /* all is as it was a second after */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/timeline/steps-never-drift", test_steps_never_drift);
  g_test_add_func ("/timeline/end-is-the-nearest-picture", test_end_is_the_nearest_picture);
  g_test_add_func ("/timeline/pictures-round-to-the-nearest", test_pictures_round_to_the_nearest);
  g_test_add_func ("/timeline/deadlines-rise", test_deadlines_rise);
  g_test_add_func ("/timeline/samples-and-back", test_samples_and_back);
  g_test_add_func ("/timeline/jitter-leaves-no-seams", test_jitter_leaves_no_seams);
  g_test_add_func ("/timeline/gaps-and-jumps-move-the-place", test_gaps_and_jumps_move_the_place);
  g_test_add_data_func ("/timeline/drift-is-followed/slow", GINT_TO_POINTER (5),
      test_drift_is_followed);
  g_test_add_data_func ("/timeline/drift-is-followed/fast", GINT_TO_POINTER (-5),
      test_drift_is_followed);
  g_test_add_func ("/mixer/adds-and-forgets", test_mix_adds_and_forgets);
  g_test_add_func ("/mixer/late-sound-is-cut", test_late_sound_is_cut);
  g_test_add_func ("/mixer/limit-holds", test_limit_holds);
  return g_test_run ();
}
