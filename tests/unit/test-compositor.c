/* test-compositor.c - painting what has changed gives the same picture as painting everything. */
#include "worker/compositor.h"

#include "lib/library-leaks.h"

#define WIDTH 320
#define HEIGHT 180
#define N_ROUNDS 200
#define MAX_SLOTS 4

typedef struct {
  RecPicture pictures[MAX_SLOTS];
  RecPlacement placements[MAX_SLOTS];
  unsigned n;
  GRand *random;
} Show;

static void
change_picture (Show *show, unsigned i)
{
  RecPicture *picture = &show->pictures[i];
  const uint8_t shade = (uint8_t) g_rand_int_range (show->random, 0, 256);

  gst_clear_buffer (&picture->buffer);
  gst_video_info_set_format (&picture->info, GST_VIDEO_FORMAT_I420, 160, 120);
  picture->buffer = gst_buffer_new_allocate (NULL, picture->info.size, NULL);
  gst_buffer_memset (picture->buffer, 0, shade, picture->info.size);
  gst_buffer_memset (picture->buffer, (gsize) g_rand_int_range (show->random, 0, 19000),
      (uint8_t) (shade + 90), 200);
  picture->serial++;
}

static void
place (Show *show, unsigned i, RecBox tile, RecBox picture, uint32_t background)
{
  show->placements[i] = (RecPlacement){ .video_track = i + 1,
    .tile = tile,
    .picture = picture,
    .source = { 0, 0, 160, 120 },
    .opacity = 1,
    .background = background };
  show->n = MAX (show->n, i + 1);
}

static void
get_pictures (Show *show, const RecPicture *pictures[MAX_SLOTS])
{
  for (unsigned i = 0; i < show->n; i++)
    pictures[i] = show->pictures[i].buffer != NULL ? &show->pictures[i] : NULL;
}

static void
assert_same (GstBuffer *one, GstBuffer *other)
{
  GstMapInfo left, right;

  gst_buffer_map (one, &left, GST_MAP_READ);
  gst_buffer_map (other, &right, GST_MAP_READ);
  g_assert_cmpmem (left.data, left.size, right.data, right.size);
  gst_buffer_unmap (one, &left);
  gst_buffer_unmap (other, &right);
}

/* The same by one that never painted before. */
static void
assert_as_if_fresh (Show *show, GstBuffer *painted)
{
  RecCompositor *fresh = rec_compositor_new (WIDTH, HEIGHT, 25);
  const RecPicture *pictures[MAX_SLOTS];
  GstBuffer *expected;

  get_pictures (show, pictures);
  rec_compositor_set_placements (fresh, show->placements, show->n);
  expected = rec_compositor_paint (fresh, pictures);
  assert_same (painted, expected);
  gst_buffer_unref (expected);
  rec_compositor_free (fresh);
}

static void
run (Show *show)
{
  RecCompositor *compositor = rec_compositor_new (WIDTH, HEIGHT, 25);

  show->random = g_rand_new_with_seed (show->n);
  rec_compositor_set_placements (compositor, show->placements, show->n);
  for (unsigned round = 0; round < N_ROUNDS; round++) {
    const unsigned which = (unsigned) g_rand_int_range (show->random, 0, 1 << show->n);
    const RecPicture *pictures[MAX_SLOTS];
    GstBuffer *painted;

    for (unsigned i = 0; i < show->n; i++)
      if (which & 1u << i)
        change_picture (show, i);
    if (round % 10 == 9)
      gst_clear_buffer (&show->pictures[round / 10 % show->n].buffer);
    get_pictures (show, pictures);
    painted = rec_compositor_paint (compositor, pictures);
    assert_as_if_fresh (show, painted);
    gst_buffer_unref (painted);
  }
  rec_compositor_free (compositor);
  for (unsigned i = 0; i < show->n; i++)
    gst_clear_buffer (&show->pictures[i].buffer);
  g_rand_free (show->random);
}

static void
covers_the_canvas (void)
{
  Show show = { 0 };

  for (unsigned i = 0; i < 4; i++) {
    const RecBox tile = { (int) (i % 2) * 160, (int) (i / 2) * 90, 160, 90 };

    place (&show, i, tile, tile, 0);
  }
  run (&show);
}

static void
leaves_bars_and_backgrounds (void)
{
  Show show = { 0 };

  place (&show, 0, (RecBox){ 0, 0, 160, 180 }, (RecBox){ 20, 0, 120, 180 }, 0xff204060);
  place (&show, 1, (RecBox){ 160, 0, 160, 180 }, (RecBox){ 180, 20, 120, 140 }, 0);
  run (&show);
}

static void
leaves_canvas_free (void)
{
  Show show = { 0 };
  const RecBox left = { 0, 0, 100, 100 }, right = { 120, 20, 200, 160 };

  place (&show, 0, left, left, 0);
  place (&show, 1, right, right, 0);
  run (&show);
}

static void
lies_over_one_another (void)
{
  Show show = { 0 };
  const RecBox all = { 0, 0, WIDTH, HEIGHT }, corner = { 200, 100, 100, 60 };

  place (&show, 0, all, all, 0);
  place (&show, 1, corner, corner, 0);
  run (&show);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compositor/paints-changes-that-cover-the-canvas", covers_the_canvas);
  g_test_add_func ("/compositor/paints-changes-beside-bars-and-backgrounds",
      leaves_bars_and_backgrounds);
  g_test_add_func ("/compositor/paints-changes-that-leave-canvas-free", leaves_canvas_free);
  g_test_add_func ("/compositor/paints-changes-below-others", lies_over_one_another);
  return g_test_run ();
}
