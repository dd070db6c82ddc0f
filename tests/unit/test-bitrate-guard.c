/* test-bitrate-guard.c - when a picture's bit rate is too high, and when it is no more. */
#include "worker/bitrate-guard.h"
#include "worker/timeline.h"

#include <glib.h>

#define MAX_KBIT_S 1000
#define RATE 25
#define ALLOWED (1000 * MAX_KBIT_S / 8 / RATE) /* bytes of a picture */

typedef struct {
  RecBitrateGuard guard;
  int64_t n_pictures;
} Film;

static Film
begin (void)
{
  Film film = { 0 };

  rec_bitrate_guard_init (&film.guard, MAX_KBIT_S);
  return film;
}

/* Returns after how many pictures of this size it changed its mind, or -1. */
static int
show (Film *film, int n_pictures, size_t bytes)
{
  const bool was_over = rec_bitrate_guard_is_over (&film->guard);

  for (int i = 1; i <= n_pictures; i++) {
    rec_bitrate_guard_note (&film->guard, film->n_pictures++ * REC_NS_PER_SECOND / RATE, bytes);
    if (rec_bitrate_guard_is_over (&film->guard) != was_over)
      return i;
  }
  return -1;
}

static void
test_lets_what_is_allowed (void)
{
  Film film = begin ();

  g_assert_cmpint (show (&film, 3600 * RATE, ALLOWED), ==, -1);
}

static void
test_lets_a_second_at_once (void)
{
  Film film = begin ();

  g_assert_cmpint (show (&film, 1, RATE * ALLOWED), ==, -1);
  g_assert_cmpint (show (&film, 1, ALLOWED), ==, -1);
  g_assert_cmpint (show (&film, 1, ALLOWED + 1), ==, 1);
}

static void
test_ends_what_lasts (void)
{
  Film film = begin ();

  show (&film, 100 * RATE, ALLOWED / 2);
  /* Twice as much: one picture's more with each. */
  g_assert_cmpint (show (&film, 2 * RATE, 2 * ALLOWED), ==, RATE);
}

static void
test_waits_for_calm (void)
{
  Film film = begin ();

  show (&film, 1, (size_t) 100 * RATE * ALLOWED);
  g_assert_true (rec_bitrate_guard_is_over (&film.guard));
  g_assert_cmpint (show (&film, 60 * RATE, ALLOWED * 6 / 10), ==, -1);
  const int n_pictures = show (&film, 60 * RATE, ALLOWED * 4 / 10);
  g_assert_cmpint (n_pictures, >=, 10 * RATE);
  g_assert_cmpint (n_pictures, <=, 20 * RATE + 2);
  /* And it begins with nothing in the bucket. */
  g_assert_cmpint (show (&film, RATE, ALLOWED + 1), ==, -1);
}

static void
test_survives_odd_times (void)
{
  Film film = begin ();

  rec_bitrate_guard_note (&film.guard, 10 * REC_NS_PER_SECOND, ALLOWED);
  for (int i = 0; i < RATE; i++) /* all at once, or back: nothing leaks */
    rec_bitrate_guard_note (&film.guard, i % 10 * REC_NS_PER_SECOND, ALLOWED);
  g_assert_true (rec_bitrate_guard_is_over (&film.guard));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bitrate-guard/lets-what-is-allowed", test_lets_what_is_allowed);
  g_test_add_func ("/bitrate-guard/lets-a-second-at-once", test_lets_a_second_at_once);
  g_test_add_func ("/bitrate-guard/ends-what-lasts", test_ends_what_lasts);
  g_test_add_func ("/bitrate-guard/waits-for-calm", test_waits_for_calm);
  g_test_add_func ("/bitrate-guard/survives-odd-times", test_survives_odd_times);
  return g_test_run ();
}
