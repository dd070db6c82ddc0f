/* test-h264-level.c - what a decoder is told it must be able to do. */
#include "worker/h264-level.h"

#include <glib.h>

static void
test_fits_all_limits (void)
{
  static const struct {
    int width, height, frame_rate, max_kbit_s;
    const char *level;
  } films[] = {
    { 176, 144, 15, 64, "1" },
    { 176, 144, 15, 65, "1.1" },   /* bits */
    { 176, 144, 16, 64, "1.1" },   /* blocks in a second */
    { 192, 144, 10, 64, "1.1" },   /* blocks in a picture */
    { 464, 16, 1, 64, "1.1" },     /* 29 blocks long, and 28 are the most */
    { 16, 464, 1, 64, "1.1" },     /* and high */
    { 320, 240, 25, 4000, "2.1" }, /* Table A-6's 320x240 at 36 is 1.3 with 768 kbit/s */
    { 640, 480, 30, 4000, "3" },
    { 1280, 720, 30, 4000, "3.1" },
    { 1280, 720, 30, 14001, "3.2" },
    { 1281, 720, 30, 4000, "3.2" },
    { 1280, 720, 60, 4000, "3.2" },
    { 1920, 1080, 30, 4000, "4" },
    { 1920, 1080, 30, 100000, "5" },
    { 1920, 1080, 60, 4000, "4.2" },
    { 1999, 1999, 120, 4000, "5.2" },
    { 4096, 2160, 28, 4000, "5.1" },
    { 8192, 8192, 120, 900000, "5.2" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (films); i++)
    g_assert_cmpstr (rec_h264_level_choose (films[i].width, films[i].height, films[i].frame_rate,
                         films[i].max_kbit_s),
        ==, films[i].level);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/h264-level/fits-all-limits", test_fits_all_limits);
  return g_test_run ();
}
