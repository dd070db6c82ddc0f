/* test-scene.c - tiles become placements: even pixels, shared edges, and nothing outside the canvas. */
#include "worker/scene.h"

#include <math.h>

#define WIDTH 640
#define HEIGHT 360

static const RecStream camera = {
  .size = sizeof (RecStream),
  .flags = REC_STREAM_VIDEO | REC_STREAM_HAS_PICTURE,
  .width = 640,
  .height = 480,
};

static bool
place (RecRect rect, uint32_t fit, RecPlacement *placement, bool *is_wrong)
{
  const RecTile tile = { .rect = rect, .fit = fit };

  return rec_scene_place (WIDTH, HEIGHT, &camera, &tile, placement, is_wrong);
}

static void
assert_box (const RecBox *box, int x, int y, int width, int height)
{
  g_assert_cmpint (box->x, ==, x);
  g_assert_cmpint (box->y, ==, y);
  g_assert_cmpint (box->width, ==, width);
  g_assert_cmpint (box->height, ==, height);
}

static void
test_edges_are_even_and_shared (void)
{
  RecPlacement left, right;
  bool is_wrong;

  g_assert_true (place ((RecRect){ 1, 0, 213.33f, 101 }, REC_FIT_COVER, &left, &is_wrong));
  g_assert_true (place ((RecRect){ 214.33f, 0, 213.33f, 101 }, REC_FIT_COVER, &right, &is_wrong));
  g_assert_false (is_wrong);
  assert_box (&left.tile, 0, 0, 214, 100);
  assert_box (&right.tile, 214, 0, 212, 100);
  g_assert_true (place ((RecRect){ 0, 0, 99.99f, 100 }, REC_FIT_COVER, &left, &is_wrong));
  assert_box (&left.tile, 0, 0, 100, 100); /* nearly even counts as even */
}

static void
test_cover_cuts_the_picture (void)
{
  RecPlacement placement;
  bool is_wrong;

  g_assert_true (place ((RecRect){ 0, 0, 640, 360 }, REC_FIT_COVER, &placement, &is_wrong));
  assert_box (&placement.picture, 0, 0, 640, 360);
  assert_box (&placement.source, 0, 60, 640, 360);
  g_assert_true (place ((RecRect){ 0, 0, 120, 360 }, REC_FIT_COVER, &placement, &is_wrong));
  assert_box (&placement.source, 240, 0, 160, 480);
}

static void
test_contain_leaves_bars (void)
{
  RecPlacement placement;
  bool is_wrong;

  g_assert_true (place ((RecRect){ 0, 0, 640, 360 }, REC_FIT_CONTAIN, &placement, &is_wrong));
  assert_box (&placement.tile, 0, 0, 640, 360);
  assert_box (&placement.picture, 80, 0, 480, 360);
  assert_box (&placement.source, 0, 0, 640, 480);
}

static void
test_fit_follows_the_kind (void)
{
  RecStream screen = camera;
  const RecTile tile = { .rect = { 0, 0, 640, 360 } };
  RecPlacement placement;
  bool is_wrong;

  screen.flags |= REC_STREAM_SCREEN;
  g_assert_true (rec_scene_place (WIDTH, HEIGHT, &camera, &tile, &placement, &is_wrong));
  g_assert_cmpint (placement.picture.width, ==, 640);
  g_assert_true (rec_scene_place (WIDTH, HEIGHT, &screen, &tile, &placement, &is_wrong));
  g_assert_cmpint (placement.picture.width, ==, 480);
}

static void
test_outside_is_cut_off (void)
{
  RecPlacement placement;
  bool is_wrong;

  g_assert_true (place ((RecRect){ -320, 0, 640, 480 }, REC_FIT_STRETCH, &placement, &is_wrong));
  g_assert_true (is_wrong);
  assert_box (&placement.picture, 0, 0, 320, 360);
  assert_box (&placement.source, 320, 0, 320, 360); /* cut, not squeezed */
  g_assert_false (place ((RecRect){ 700, 0, 100, 100 }, REC_FIT_COVER, &placement, &is_wrong));
  g_assert_true (is_wrong);
}

static void
test_nonsense_is_hidden (void)
{
  const float nonsense[] = { NAN, INFINITY, -INFINITY, 1e30f };
  RecPlacement placement;
  bool is_wrong;

  for (size_t i = 0; i < G_N_ELEMENTS (nonsense); i++)
    for (int k = 0; k < 4; k++) {
      float parts[4] = { 0, 0, 100, 100 };

      parts[k] = nonsense[i];
      g_assert_false (place ((RecRect){ parts[0], parts[1], parts[2], parts[3] }, REC_FIT_COVER,
          &placement, &is_wrong));
      g_assert_true (is_wrong);
    }
  g_assert_false (place ((RecRect){ 0, 0, -5, 100 }, REC_FIT_COVER, &placement, &is_wrong));
  g_assert_false (place ((RecRect){ 0, 0, 0, 0 }, REC_FIT_COVER, &placement, &is_wrong));
  g_assert_false (is_wrong); /* that is how a tile is hidden */
}

/* Whatever a layout says, nothing is painted or read out of bounds. */
static void
test_anything_stays_inside (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);

  for (int i = 0; i < 200000; i++) {
    RecStream stream = camera;
    RecTile tile = {
      .rect = { (float) g_rand_double_range (random, -900, 900),
          (float) g_rand_double_range (random, -900, 900),
          (float) g_rand_double_range (random, 0, 1500),
          (float) g_rand_double_range (random, 0, 1500) },
      .fit = (uint32_t) g_rand_int_range (random, 0, 5),
      .opacity = (float) g_rand_double_range (random, -1, 2),
    };
    RecPlacement placement;
    bool is_wrong;

    if (i % 3 == 0)
      tile.crop = (RecRect){ (float) g_rand_double_range (random, -1, 1),
        (float) g_rand_double_range (random, -1, 1), (float) g_rand_double_range (random, 0, 2),
        (float) g_rand_double_range (random, 0, 2) };
    stream.width = g_rand_int_range (random, 1, 2000);
    stream.height = g_rand_int_range (random, 1, 2000);
    if (!rec_scene_place (WIDTH, HEIGHT, &stream, &tile, &placement, &is_wrong))
      continue;
    const RecBox *t = &placement.tile, *p = &placement.picture, *s = &placement.source;

    g_assert_true (t->x >= 0 && t->y >= 0 && t->x + t->width <= WIDTH &&
                   t->y + t->height <= HEIGHT);
    g_assert_true ((t->x | t->y | t->width | t->height) % 2 == 0 && t->width > 0 && t->height > 0);
    g_assert_true (placement.opacity > 0 && placement.opacity <= 1);
    if (p->width == 0)
      continue;
    g_assert_true (p->x >= t->x && p->y >= t->y && p->x + p->width <= t->x + t->width &&
                   p->y + p->height <= t->y + t->height);
    g_assert_true ((p->x | p->y | p->width | p->height) % 2 == 0 && p->height > 0);
    g_assert_true (s->x >= 0 && s->y >= 0 && s->width > 0 && s->height > 0 &&
                   s->x + s->width <= stream.width && s->y + s->height <= stream.height);
    g_assert_true ((s->x | s->y) % 2 == 0);
  }
}

/* --- the whole scene ------------------------------------------------------------------------------ */

static unsigned n_calls;

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  n_calls++;
  for (uint32_t i = 0; i < scene->n_streams; i++) {
    tiles[i].rect = (RecRect){ 0, 0, 64, 36 };
    tiles[i].z = scene->streams[i]->id[0] == 'a' ? 5 : 0;
  }
}

static void
test_arranges_only_when_something_changed (void)
{
  const RecArrangingLayout layout = { .arrange = arrange };
  RecSceneBoard *board = rec_scene_new (WIDTH, HEIGHT, "test", &layout, NULL);
  GArray *placements;
  RecSceneStream *stream;

  n_calls = 0;
  g_assert_false (rec_scene_arrange (board, 0, &placements));
  stream = rec_scene_add (board, "a", "p", "", 20);
  stream->video_track = 1;
  stream = rec_scene_add (board, "b", "p", "", 10);
  stream->video_track = 2;
  g_assert_true (rec_scene_arrange (board, 0, &placements));
  g_assert_false (rec_scene_arrange (board, 1, &placements));
  g_assert_cmpuint (n_calls, ==, 1);
  g_assert_cmpuint (placements->len, ==, 2);
  g_assert_cmpuint (g_array_index (placements, RecPlacement, 0).video_track, ==, 2);
  g_assert_cmpuint (g_array_index (placements, RecPlacement, 1).video_track, ==, 1); /* higher z */

  g_assert_true (rec_scene_find_track (board, 2) == rec_scene_find (board, "b"));
  rec_scene_remove (board, rec_scene_find (board, "b"));
  g_assert_true (rec_scene_arrange (board, 2, &placements));
  g_assert_cmpuint (placements->len, ==, 1);
  rec_scene_free (board);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scene/edges-are-even-and-shared", test_edges_are_even_and_shared);
  g_test_add_func ("/scene/cover-cuts-the-picture", test_cover_cuts_the_picture);
  g_test_add_func ("/scene/contain-leaves-bars", test_contain_leaves_bars);
  g_test_add_func ("/scene/fit-follows-the-kind", test_fit_follows_the_kind);
  g_test_add_func ("/scene/outside-is-cut-off", test_outside_is_cut_off);
  g_test_add_func ("/scene/nonsense-is-hidden", test_nonsense_is_hidden);
  g_test_add_func ("/scene/anything-stays-inside", test_anything_stays_inside);
  g_test_add_func ("/scene/arranges-only-when-something-changed",
      test_arranges_only_when_something_changed);
  return g_test_run ();
}
