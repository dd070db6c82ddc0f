/* test-pictures.c - what is seen when: RTP fixtures in, pixels of the finished file out. */
#include "lib/film.h"
#include "lib/worker-rig.h"

#include <gst/gst.h>
#include <stdio.h>

#define BLACK 0x000000
#define RED 0xff0000
#define GREEN 0x00c000
#define BLUE 0x0000ff
#define YELLOW 0xe0e000
#define CYAN 0x00d0d0
#define PINK 0xff40c0

static const uint32_t colours[] = { RED, GREEN, BLUE, YELLOW, CYAN, PINK, 0xffffff, 0x808080,
  0xff8000 };

static const RecRigOptions small = {
  .width = 320,
  .height = 240,
  .frame_rate = 15,
  .no_audio = true,
};

static RecFixture *
make_plain (const char *codec, int width, int height, double seconds, uint32_t colour)
{
  return rec_fixture_video (&(RecVideoFixture){ .codec = codec,
      .width = width,
      .height = height,
      .frame_rate = 15,
      .n_frames = (int) (seconds * 15 + 0.5),
      .colour = colour });
}

static RecFilm *
finish (RecWorkerRig *rig, double at)
{
  g_autofree char *path = NULL;

  rec_worker_rig_stop (rig, at);
  g_assert_true (json_object_get_boolean (json_object_object_get (rig->finished, "ok")));
  path = rec_worker_rig_get_file (rig, ".mp4");
  return rec_film_new (path);
}

/* --- best fit ------------------------------------------------------------------------------------ */

typedef struct {
  int n, n_columns, width, height;
  struct {
    int x, y;
  } rows[4]; /* the first tile of each row, as OpenVidu places it in 1280x720 */
} Golden;

static const Golden goldens[] = {
  { 1, 1, 1280, 720, { { 0, 0 } } },
  { 2, 2, 640, 720, { { 0, 0 } } },
  { 3, 3, 426, 640, { { 0, 40 } } },
  { 4, 2, 640, 360, { { 0, 0 }, { 0, 360 } } },
  { 5, 3, 426, 360, { { 1, 0 }, { 214, 360 } } },
  { 6, 3, 426, 360, { { 1, 0 }, { 1, 360 } } },
  { 7, 4, 320, 360, { { 0, 0 }, { 160, 360 } } },
  { 8, 4, 320, 360, { { 0, 0 }, { 0, 360 } } },
  { 9, 3, 426, 240, { { 1, 0 }, { 1, 240 }, { 1, 480 } } },
  { 16, 4, 320, 180, { { 0, 0 }, { 0, 180 }, { 0, 360 }, { 0, 540 } } },
};

static void
check_golden (const RecFilm *film, const Golden *golden, unsigned frame)
{
  for (int i = 0; i < golden->n; i++) {
    const int row = i / golden->n_columns, column = i % golden->n_columns;
    const int left = golden->rows[row].x + column * golden->width;
    const int x = left / 2 * 2, right = (left + golden->width) / 2 * 2;

    rec_film_assert_box (film, frame, x, golden->rows[row].y, right - x, golden->height,
        colours[i % G_N_ELEMENTS (colours)]);
  }
}

static void
test_golden (gconstpointer data)
{
  const Golden *golden = data;
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&(RecRigOptions){
      .width = 1280, .height = 720, .frame_rate = 5, .no_audio = true });
  g_autoptr (RecFilm) film = NULL;

  g_assert_true (rig->is_ready);
  for (int i = 0; i < golden->n; i++) {
    g_autoptr (RecFixture) video =
        make_plain (i % 2 ? "H264" : "VP8", 160, 90, 1, colours[i % G_N_ELEMENTS (colours)]);
    g_autofree char *stream = g_strdup_printf ("stream-%d", i);

    rec_worker_rig_play (rig,
        &(RecRigTrack){ (uint32_t) i + 1, stream, i % 2 ? "H264" : "VP8", false, i * 0.001 }, video,
        0);
  }
  film = finish (rig, 1);
  g_assert_cmpuint (film->frames->len, ==, 5);
  check_golden (film, golden, 0);
  check_golden (film, golden, 4);
}

/* --- coming and going ---------------------------------------------------------------------------- */

static void
test_comes_and_goes (void)
{
  g_autoptr (RecFixture) first = make_plain ("VP8", 160, 120, 3, RED);
  g_autoptr (RecFixture) second = make_plain ("H264", 160, 120, 1, GREEN);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, first, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "b", "H264", false, 1 }, second, 1);
  rec_worker_rig_end_track (rig, 2, 2);
  film = finish (rig, 3);

  g_assert_cmpuint (film->frames->len, ==, 45);
  for (unsigned i = 0; i < 45; i++) {
    const bool are_two = i >= 15 && i < 30;

    rec_film_assert_pixel (film, i, 80, 120, RED);
    rec_film_assert_pixel (film, i, 240, 120, are_two ? GREEN : RED);
  }
}

static void
test_order_is_by_joining (void)
{
  g_autoptr (RecFixture) first = make_plain ("VP8", 160, 120, 1, RED);
  g_autoptr (RecFixture) second = make_plain ("VP8", 160, 120, 1, GREEN);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "later", "VP8", false, -1 }, first, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "sooner", "VP8", false, -2 }, second, 0);
  film = finish (rig, 1);
  rec_film_assert_pixel (film, 10, 80, 120, GREEN);
  rec_film_assert_pixel (film, 10, 240, 120, RED);
}

static void
test_nobody_is_black (void)
{
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  film = finish (rig, 2);
  g_assert_cmpuint (film->frames->len, ==, 30);
  g_assert_cmpfloat_with_epsilon (film->video_duration, 2, 0.001);
  for (unsigned i = 0; i < 30; i++)
    rec_film_assert_pixel (film, i, 160, 120, BLACK);
}

static void
test_starts_before_its_keyframe (void)
{
  g_autoptr (RecFixture) video = rec_fixture_video (&(RecVideoFixture){ .codec = "VP8",
      .width = 160,
      .height = 120,
      .frame_rate = 15,
      .n_frames = 30,
      .keyframe_every = 15,
      .colour = RED });
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_fixture_cut (video, 0, 0.03); /* the keyframe of frame 0 */
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  film = finish (rig, 2);
  rec_film_assert_pixel (film, 14, 160, 120, BLACK);
  rec_film_assert_pixel (film, 15, 160, 120, RED);
}

/* --- trouble ------------------------------------------------------------------------------------- */

static uint32_t
paint_halves (int i, double x, double y, void *data)
{
  (void) x;
  (void) y;
  (void) data;
  return i < 30 ? RED : GREEN;
}

static void
test_gap_is_a_frozen_picture (void)
{
  g_autoptr (RecFixture) video = rec_fixture_video (&(RecVideoFixture){ .codec = "VP8",
      .width = 160,
      .height = 120,
      .frame_rate = 15,
      .n_frames = 60,
      .keyframe_every = 15,
      .paint = paint_halves });
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_fixture_cut (video, 1,
      2.5); /* what follows is no keyframe until 3 s, and is of no use before */
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  film = finish (rig, 4);
  g_assert_cmpuint (film->frames->len, ==, 60);
  for (unsigned i = 0; i < 60; i++)
    rec_film_assert_pixel (film, i, 160, 120, i < 45 ? RED : GREEN);
  g_assert_cmpuint (rig->keyframes->len, >, 0);
}

static void
test_time_may_jump_back (void)
{
  g_autoptr (RecFixture) before = make_plain ("VP8", 160, 120, 1, RED);
  g_autoptr (RecFixture) after = make_plain ("VP8", 160, 120, 1, GREEN);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  /* Sent in this order although the second is of a time long gone, as after a publisher's clock was set. */
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, before, 1);
  rec_worker_rig_flush (rig);
  rec_worker_rig_queue (rig, 1, after, 0);
  film = finish (rig, 3);
  g_assert_cmpuint (film->frames->len, ==, 45);
  rec_film_assert_pixel (film, 14, 160, 120, BLACK);
  rec_film_assert_pixel (film, 20, 160, 120, RED);
  rec_film_assert_pixel (film, 44, 160, 120, GREEN);
}

static void
test_resolution_may_change (gconstpointer data)
{
  const char *codec = data;
  g_autoptr (RecFixture) wide = make_plain (codec, 320, 180, 1, RED);
  g_autoptr (RecFixture) tall = make_plain (codec, 180, 320, 1, GREEN);
  g_autoptr (RecFixture) odd = make_plain (codec, 162, 122, 1, BLUE);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;
  const RecRigTrack track = { 1, "a", codec, true, 0 };

  rec_worker_rig_play (rig, &track, wide, 0);
  rec_worker_rig_queue (rig, 1, tall, 1);
  rec_worker_rig_queue (rig, 1, odd, 2);
  film = finish (rig, 3);
  g_assert_cmpuint (film->frames->len, ==, 45);
  rec_film_assert_box (film, 10, 0, 30, 320, 180, RED);
  rec_film_assert_box (film, 25, 92, 0, 136, 240, GREEN);
  rec_film_assert_pixel (film, 40, 160, 120, BLUE);
}

static void
test_muted_video_is_black (void)
{
  g_autoptr (RecFixture) video = make_plain ("VP8", 160, 120, 3, RED);
  g_autoptr (RecFixture) other = make_plain ("VP8", 160, 120, 3, GREEN);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;

  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "b", "VP8", false, 1 }, other, 0);
  rec_worker_rig_set_state (rig, "a", 1, "{\"videoActive\": false}");
  rec_worker_rig_set_state (rig, "a", 2, "{\"videoActive\": true}");
  film = finish (rig, 3);
  for (unsigned i = 0; i < 45; i++) {
    rec_film_assert_pixel (film, i, 80, 120, i >= 15 && i < 30 ? BLACK : RED);
    rec_film_assert_pixel (film, i, 240, 120, GREEN);
  }
}

static void
test_garbage_is_survived (void)
{
  g_autoptr (RecFixture) video = make_plain ("VP8", 160, 120, 3, RED);
  g_autoptr (RecFixture) broken = make_plain ("H264", 160, 120, 2, GREEN);
  g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) film = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (unsigned i = 0; i < broken->packets->len; i++) {
    RecFixturePacket *packet = broken->packets->pdata[i];
    gsize size;
    uint8_t *bytes = g_bytes_unref_to_data (packet->rtp, &size);

    for (gsize k = 12; k < size; k++)
      bytes[k] = (uint8_t) g_rand_int_range (random, 0, 256);
    packet->rtp = g_bytes_new_take (bytes, size);
  }
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "b", "H264", false, 1 }, broken, 0.5);
  film = finish (rig, 3);
  g_assert_cmpuint (film->frames->len, ==, 45);
  rec_film_assert_pixel (film, 40, 80, 120, RED);
}

/* --- shapes -------------------------------------------------------------------------------------- */

/* Red and blue sides, green in the middle half. */
static uint32_t
paint_thirds (int i, double x, double y, void *data)
{
  (void) i;
  (void) y;
  (void) data;
  return x < 0.25 ? RED : x < 0.75 ? GREEN : BLUE;
}

static void
test_cameras_cover_screens_are_whole (void)
{
  const RecVideoFixture recipe = { .codec = "VP8",
    .width = 320,
    .height = 120,
    .frame_rate = 15,
    .n_frames = 15,
    .paint = paint_thirds };
  g_autoptr (RecFixture) video = rec_fixture_video (&recipe);
  g_autoptr (RecWorkerRig) camera = rec_worker_rig_new (&small);
  g_autoptr (RecWorkerRig) screen = rec_worker_rig_new (&small);
  g_autoptr (RecFilm) camera_film = NULL, screen_film = NULL;

  rec_worker_rig_play (camera, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  camera_film = finish (camera, 1);
  rec_film_assert_box (camera_film, 10, 0, 0, 320, 240,
      GREEN); /* a 1:2 picture in 3:4: the middle half is seen */

  rec_worker_rig_play (screen, &(RecRigTrack){ 1, "a", "VP8", true, 0 }, video, 0);
  screen_film = finish (screen, 1);
  rec_film_assert_box (screen_film, 10, 0, 60, 80, 120, RED);
  rec_film_assert_box (screen_film, 10, 80, 60, 160, 120, GREEN);
  rec_film_assert_box (screen_film, 10, 240, 60, 80, 120, BLUE);
  rec_film_assert_pixel (screen_film, 10, 160, 50, BLACK);
}

static void
test_odd_sizes_are_lowered (void)
{
  RecRigOptions options = small;
  g_autoptr (RecFixture) video = make_plain ("VP8", 161, 121, 1, RED);
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autoptr (RecFilm) film = NULL;

  options.width = 321;
  options.height = 241;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  film = finish (rig, 1);
  g_assert_cmpint (film->width, ==, 320);
  g_assert_cmpint (film->height, ==, 240);
  rec_film_assert_box (film, 10, 0, 0, 320, 240, RED);
}

static void
test_rate_and_length_are_exact (gconstpointer data)
{
  const int frame_rate = GPOINTER_TO_INT (data);
  RecRigOptions options = small;
  g_autoptr (RecFixture) video = make_plain ("VP8", 160, 120, 2, RED);
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autoptr (RecFilm) film = NULL;

  options.frame_rate = frame_rate;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  film = finish (rig, 2.4);
  g_assert_cmpuint (film->frames->len, ==, (unsigned) (2.4 * frame_rate + 0.5));
  g_assert_cmpfloat_with_epsilon (film->frame_rate, frame_rate, 0.001);
  g_assert_cmpfloat_with_epsilon (film->video_duration, film->frames->len / (double) frame_rate,
      0.001);
}

static void
test_same_packets_same_file (void)
{
  g_autoptr (RecFixture) video = make_plain ("VP8", 160, 120, 2, RED);
  g_autoptr (RecFixture) other = make_plain ("H264", 160, 120, 1, GREEN);
  g_autofree char *checksums[2] = { NULL, NULL };

  for (int i = 0; i < 2; i++) {
    g_autoptr (RecWorkerRig) rig = rec_worker_rig_new (&small);
    g_autoptr (RecFilm) film = NULL;
    g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

    rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
    rec_worker_rig_play (rig, &(RecRigTrack){ 2, "b", "H264", false, 1 }, other, 0.5);
    film = finish (rig, 2);
    for (unsigned frame = 0; frame < film->frames->len; frame++) {
      gsize size;
      const void *pixels = g_bytes_get_data (film->frames->pdata[frame], &size);

      g_checksum_update (checksum, pixels, (gssize) size);
    }
    checksums[i] = g_strdup (g_checksum_get_string (checksum));
  }
  g_assert_cmpstr (checksums[0], ==, checksums[1]);
  g_free (checksums[1]);
}

/* --- layout plugins ------------------------------------------------------------------------------ */

static void
test_other_layouts_are_used (void)
{
  RecRigOptions options = small;
  g_autoptr (RecFixture) first = make_plain ("VP8", 160, 120, 1, RED);
  g_autoptr (RecFixture) second = make_plain ("VP8", 160, 120, 1, GREEN);
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autoptr (RecFilm) film = NULL;

  options.layout = "examples/row.so";
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, first, 0);
  rec_worker_rig_play (rig, &(RecRigTrack){ 2, "b", "VP8", false, 1 }, second, 0);
  film = finish (rig, 1);
  rec_film_assert_box (film, 10, 8, 8, 148, 224, RED);
  rec_film_assert_box (film, 10, 164, 8, 148, 224, GREEN);
}

static void
test_senseless_tiles_are_cut (gconstpointer data)
{
  RecRigOptions options = small;
  g_autoptr (RecFixture) video = make_plain ("VP8", 160, 120, 1, RED);
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autoptr (RecFilm) film = NULL;

  options.layout = data;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  film = finish (rig, 1);
  g_assert_cmpuint (film->frames->len, ==, 15);
}

/* --- thumbnail ------------------------------------------------------------------------------------- */

/* Not plain: ffprobe finds fault with JPEGs below a kilobyte. */
static uint32_t
paint_halves_with_stripes (int i, double x, double y, void *data)
{
  return x < 0.2 && (int) (y * 30) % 2 ? BLUE : paint_halves (i, x, y, data);
}

static void
test_thumbnail_is_the_middle (void)
{
  RecRigOptions options = small;
  g_autoptr (RecFixture) video = rec_fixture_video (&(RecVideoFixture){ .codec = "VP8",
      .width = 160,
      .height = 120,
      .frame_rate = 15,
      .n_frames = 60,
      .keyframe_every = 15,
      .paint = paint_halves_with_stripes });
  g_autoptr (RecWorkerRig) rig = NULL;
  g_autoptr (RecFilm) film = NULL, picture = NULL;
  g_autofree char *path = NULL;

  options.thumbnail_width = 160;
  rig = rec_worker_rig_new (&options);
  rec_worker_rig_play (rig, &(RecRigTrack){ 1, "a", "VP8", false, 0 }, video, 0);
  film = finish (rig, 3.5);
  path = g_build_filename (rig->directory, "r1.jpg", NULL);
  picture = rec_film_new (path);
  g_assert_cmpint (picture->width, ==, 160);
  g_assert_cmpint (picture->height, ==, 120);
  rec_film_assert_pixel (picture, 0, 80, 60, RED); /* 1.75 s */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (goldens); i++) {
    g_autofree char *name = g_strdup_printf ("/pictures/best-fit-of-%d-is-golden", goldens[i].n);

    g_test_add_data_func (name, &goldens[i], test_golden);
  }
  g_test_add_func ("/pictures/streams-come-and-go-to-the-frame", test_comes_and_goes);
  g_test_add_func ("/pictures/order-is-that-of-joining", test_order_is_by_joining);
  g_test_add_func ("/pictures/nobody-is-black", test_nobody_is_black);
  g_test_add_func ("/pictures/tile-waits-for-a-keyframe", test_starts_before_its_keyframe);
  g_test_add_func ("/pictures/gap-is-a-frozen-picture", test_gap_is_a_frozen_picture);
  g_test_add_func ("/pictures/time-may-jump-back", test_time_may_jump_back);
  g_test_add_data_func ("/pictures/resolution-may-change/vp8", "VP8", test_resolution_may_change);
  g_test_add_data_func ("/pictures/resolution-may-change/vp9", "VP9", test_resolution_may_change);
  g_test_add_data_func ("/pictures/resolution-may-change/h264", "H264", test_resolution_may_change);
  g_test_add_func ("/pictures/muted-video-is-black", test_muted_video_is_black);
  g_test_add_func ("/pictures/garbage-is-survived", test_garbage_is_survived);
  g_test_add_func ("/pictures/cameras-cover-and-screens-are-whole",
      test_cameras_cover_screens_are_whole);
  g_test_add_func ("/pictures/odd-sizes-are-lowered", test_odd_sizes_are_lowered);
  g_test_add_data_func ("/pictures/rate-and-length-are-exact/15", GINT_TO_POINTER (15),
      test_rate_and_length_are_exact);
  g_test_add_data_func ("/pictures/rate-and-length-are-exact/25", GINT_TO_POINTER (25),
      test_rate_and_length_are_exact);
  g_test_add_data_func ("/pictures/rate-and-length-are-exact/30", GINT_TO_POINTER (30),
      test_rate_and_length_are_exact);
  g_test_add_func ("/pictures/same-packets-make-the-same-file", test_same_packets_same_file);
  g_test_add_func ("/pictures/other-layouts-are-used", test_other_layouts_are_used);
  g_test_add_data_func ("/pictures/senseless-tiles-are-cut/nan", "tests/plugins/bad-arrange-nan.so",
      test_senseless_tiles_are_cut);
  g_test_add_data_func ("/pictures/senseless-tiles-are-cut/outside",
      "tests/plugins/bad-arrange-outside.so", test_senseless_tiles_are_cut);
  g_test_add_func ("/pictures/thumbnail-is-the-middle", test_thumbnail_is_the_middle);
  return g_test_run ();
}
