/* test-mp4-boxes.c - the parts of an MP4 index that no short recording reaches. */
#define _GNU_SOURCE
#include <glib.h>
#include <string.h>

#include "common/mp4-boxes.c"
#include "common/mp4-track.c"

static const uint8_t avcc[] = { 1, 66, 192, 30, 0xff, 0xe1, 0, 2, 0x67, 66, 1, 0, 2, 0x68, 1 };

static void
init_track (RecMp4Track *track)
{
  const RecTrack description = {
    .size = sizeof description,
    .id = 1,
    .media = REC_MEDIA_VIDEO,
    .format = REC_FORMAT_H264_AVC,
    .width = 64,
    .height = 48,
    .codec_data = avcc,
    .codec_data_size = sizeof avcc,
  };
  RecError error = { 0 };

  g_assert_true (rec_mp4_track_init (track, &description, &error));
}

/* The content of the only box of that type; NULL if there is none. */
static const uint8_t *
find_box (const RecBytes *bytes, const char *type)
{
  const uint8_t *found = memmem (bytes->data, bytes->size, type, 4);

  return found != NULL ? found + 4 : NULL;
}

static void
add_chunk (RecMp4Track *track, uint64_t offset, int64_t dts, int32_t cts)
{
  const RecMp4Sample sample = { .dts = dts, .cts = cts, .duration = 3000, .size = 10, .is_key = 1 };

  rec_mp4_track_add_chunk (track, offset, &sample, 1);
}

static void
test_long_offsets (void)
{
  const uint64_t beyond = (UINT64_C (1) << 32) + 5;
  RecMp4Track track;
  RecBytes bytes = { 0 };
  const uint8_t *box;

  init_track (&track);
  add_chunk (&track, 48, 0, 0);
  rec_mp4_put_index (&bytes, &track, 1);
  g_assert_null (find_box (&bytes, "co64"));
  box = find_box (&bytes, "stco");
  g_assert_nonnull (box);
  g_assert_cmpuint (rec_bytes_read_u32 (box + 4), ==, 1);
  g_assert_cmpuint (rec_bytes_read_u32 (box + 8), ==, 48);

  rec_bytes_clear (&bytes);
  add_chunk (&track, beyond, 3000, 0);
  rec_mp4_put_index (&bytes, &track, 1);
  g_assert_null (find_box (&bytes, "stco"));
  box = find_box (&bytes, "co64");
  g_assert_nonnull (box);
  g_assert_cmpuint (rec_bytes_read_u32 (box + 4), ==, 2);
  g_assert_cmpuint (rec_bytes_read_u64 (box + 8), ==, 48);
  g_assert_cmpuint (rec_bytes_read_u64 (box + 16), ==, beyond);
  rec_bytes_clear (&bytes);
  rec_mp4_track_clear (&track);
}

static void
test_negative_offsets (void)
{
  RecMp4Track track;
  RecBytes bytes = { 0 };

  init_track (&track);
  add_chunk (&track, 48, 0, 0);
  rec_mp4_put_index (&bytes, &track, 1);
  g_assert_null (find_box (&bytes, "ctts"));
  rec_bytes_clear (&bytes);
  add_chunk (&track, 58, 3000, -1500);
  rec_mp4_put_index (&bytes, &track, 1);
  g_assert_cmpuint (*find_box (&bytes, "ctts"), ==, 1); /* version: signed offsets */
  rec_bytes_clear (&bytes);
  rec_mp4_track_clear (&track);
}

static void
test_equal_runs (void)
{
  RecMp4Track track;

  init_track (&track);
  for (unsigned i = 0; i < 100000; i++)
    add_chunk (&track, 48 + i * 10, (int64_t) i * 3000, 0);
  rec_mp4_track_close_index (&track);
  g_assert_cmpuint (track.index.stts.size, ==, 8);
  g_assert_cmpuint (track.index.ctts.size, ==, 8);
  g_assert_cmpuint (track.index.stsc.size, ==, 12);
  g_assert_cmpuint (rec_mp4_track_get_media_duration (&track), ==, UINT64_C (100000) * 3000);
  rec_mp4_track_clear (&track);
}

static void
test_long_times (void)
{
  const int64_t day_ns = INT64_C (86400) * 1000000000;

  g_assert_cmpint (rec_mp4_to_ticks (1000 * day_ns, 90000), ==, INT64_C (1000) * 86400 * 90000);
  g_assert_cmpint (rec_mp4_to_ticks (-1, 90000), ==, 0);
  g_assert_cmpint (rec_mp4_to_ticks (-1000000000, 90000), ==, -90000);
  g_assert_cmpint (rec_mp4_to_ticks (33333333, 90000), ==, 3000);
  g_assert_cmpint (rec_mp4_to_ticks (21333333, 48000), ==, 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mp4/boxes/offsets-grow-to-64-bits", test_long_offsets);
  g_test_add_func ("/mp4/boxes/composition-offsets-can-be-negative", test_negative_offsets);
  g_test_add_func ("/mp4/boxes/equal-samples-take-one-entry", test_equal_runs);
  g_test_add_func ("/mp4/boxes/times-round-to-the-nearest-tick", test_long_times);
  return g_test_run ();
}
