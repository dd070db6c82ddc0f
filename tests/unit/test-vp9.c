/* test-vp9.c - the size that the head of a VP9 frame names. */
#include "worker/vp9.h"

#include <glib.h>

static void
assert_size (const uint8_t *data, size_t size, int expected_width, int expected_height)
{
  int width = 0, height = 0;

  for (size_t cut = 0; cut < size; cut++) {
    g_autofree uint8_t *part = g_memdup2 (data, cut);

    g_assert_false (rec_vp9_read_size (part, cut, &width, &height));
  }
  g_assert_true (rec_vp9_read_size (data, size, &width, &height));
  g_assert_cmpint (width, ==, expected_width);
  g_assert_cmpint (height, ==, expected_height);
}

/* 320x240: 319 is 0x013f, 239 is 0x00ef */
static void
reads_keyframes (void)
{
  static const uint8_t profile_0[] = { 0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0e, 0xf0 };
  /* profile 1: three bits more on colours */
  static const uint8_t profile_1[] = { 0xa2, 0x49, 0x83, 0x42, 0x40, 0x02, 0x7e, 0x01, 0xde };

  assert_size (profile_0, sizeof profile_0, 320, 240);
  assert_size (profile_1, sizeof profile_1, 320, 240);
}

/* Neither is shown, nor does either resist errors. */
static void
reads_frames_between (void)
{
  /* intra: 1 bit, 2 bits of reset, sync code, 8 bits of refresh, the sides */
  static const uint8_t intra[] = { 0x84, 0x89, 0x30, 0x68, 0x40, 0x00, 0x27, 0xe0, 0x1d, 0xe0 };
  /* inter, shown: 2 bits of reset, 20 of references, 3 that none has its size, the sides */
  static const uint8_t inter[] = { 0x86, 0x00, 0x00, 0x00, 0x00, 0x9f, 0x80, 0x77, 0x80 };

  assert_size (intra, sizeof intra, 320, 240);
  assert_size (inter, sizeof inter, 320, 240);
}

static void
reads_nothing_where_nothing_is_named (void)
{
  static const uint8_t same[] = { 0x86, 0x00, 0x00, 0x00, 0x80, 0x9f, 0x80, 0x77, 0x80 };
  static const uint8_t shown[] = { 0x88, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0e, 0xf0 };
  static const uint8_t no_sync[] = { 0x82, 0x49, 0x83, 0x43, 0x20, 0x13, 0xf0, 0x0e, 0xf0 };
  static const uint8_t no_frame[] = { 0x42, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0e, 0xf0 };
  int width, height;

  g_assert_false (rec_vp9_read_size (same, sizeof same, &width, &height));
  g_assert_false (rec_vp9_read_size (shown, sizeof shown, &width, &height));
  g_assert_false (rec_vp9_read_size (no_sync, sizeof no_sync, &width, &height));
  g_assert_false (rec_vp9_read_size (no_frame, sizeof no_frame, &width, &height));
}

static void
finds_what_hides (void)
{
  static const uint8_t two_and_an_index[] = { 0x82, 0, 0, 0x86, 0, 0xc1, 3, 2, 0xc1 };
  static const uint8_t no_index[] = { 0x82, 0, 0, 0x86, 0, 0xc0, 3, 2, 0xc1 };
  static const uint8_t shown_again[] = { 0x88 }, and_more[] = { 0x88, 0x82, 0x49 };
  static const uint8_t of_profile_3[] = { 0xb4, 0 }, and_more_of_3[] = { 0xb4, 0, 0x82 };

  g_assert_true (rec_vp9_has_more (two_and_an_index, sizeof two_and_an_index));
  g_assert_false (rec_vp9_has_more (no_index, sizeof no_index));
  g_assert_false (rec_vp9_has_more (shown_again, sizeof shown_again));
  g_assert_true (rec_vp9_has_more (and_more, sizeof and_more));
  g_assert_false (rec_vp9_has_more (of_profile_3, sizeof of_profile_3));
  g_assert_true (rec_vp9_has_more (and_more_of_3, sizeof and_more_of_3));
  g_assert_false (rec_vp9_has_more (NULL, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vp9/reads-keyframes", reads_keyframes);
  g_test_add_func ("/vp9/reads-frames-between", reads_frames_between);
  g_test_add_func ("/vp9/reads-nothing-where-nothing-is-named",
      reads_nothing_where_nothing_is_named);
  g_test_add_func ("/vp9/finds-what-hides", finds_what_hides);
  return g_test_run ();
}
