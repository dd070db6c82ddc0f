/* test-best-fit.c - the layout best_fit against its cases, and properties that hold for any layout. */
#include <dlfcn.h>
#include <glib.h>
#include <math.h>
#include <recto/layout.h>
#include <stdio.h>
#include <string.h>

#define MAX_STREAMS 50
#define TOLERANCE 0.01f /* cases have two decimals */

typedef struct Setting {
  char key[32], value[32];
} Setting;

/* A scene, and what a case expects of it. */
typedef struct Scene {
  RecScene scene;
  RecOptions options;
  const RecArrangingLayout *layout;
  RecStream streams[MAX_STREAMS];
  const RecStream *pointers[MAX_STREAMS];
  char ids[MAX_STREAMS][8];
  RecTile expected[MAX_STREAMS];
  bool is_told[MAX_STREAMS];
  Setting settings[4];
  unsigned n_settings;
  char name[64];
} Scene;

static const RecArrangingLayout *
load_layout (const char *file)
{
  g_autofree char *path = g_build_filename (REC_BUILD_DIR, file, NULL);
  void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  const RecPlugin *(*entry) (void) = NULL;

  if (library == NULL)
    g_error ("%s", dlerror ());
  *(void **) &entry = dlsym (library, "rec_plugin_v1");
  g_assert_nonnull (entry);
  g_assert_cmpuint (entry ()->abi.kind, ==, REC_KIND_ARRANGING_LAYOUT);
  return (const RecArrangingLayout *) entry ();
}

static const char *
get_text (const RecOptions *options, const char *key)
{
  const Scene *scene = options->context;
  const RecOption *const *option = scene->layout->plugin.options;

  for (unsigned i = 0; i < scene->n_settings; i++) {
    if (strcmp (scene->settings[i].key, key) == 0)
      return scene->settings[i].value;
  }
  while (*option != NULL && strcmp ((*option)->key, key) != 0)
    option++;
  g_assert_nonnull (*option); /* else the layout asks for an option that it does not declare */
  return (*option)->fallback;
}

static int64_t
get_int (const RecOptions *options, const char *key)
{
  return g_ascii_strtoll (get_text (options, key), NULL, 10);
}

static void
init_scene (Scene *scene, const RecArrangingLayout *layout)
{
  memset (scene, 0, sizeof *scene);
  scene->layout = layout;
  scene->options = (RecOptions){
    .size = sizeof (RecOptions),
    .context = scene,
    .get_int = get_int,
    .get_string = get_text,
  };
  scene->scene = (RecScene){
    .size = sizeof (RecScene),
    .width = 1280,
    .height = 720,
    .options = &scene->options,
    .streams = scene->pointers,
  };
}

static unsigned
add_stream (Scene *scene, const char *id, int width, int height, uint32_t flags)
{
  const unsigned index = scene->scene.n_streams++;

  g_assert_cmpuint (index, <, MAX_STREAMS);
  g_strlcpy (scene->ids[index], id, sizeof scene->ids[index]);
  scene->streams[index] = (RecStream){
    .size = sizeof (RecStream),
    .flags = flags,
    .id = scene->ids[index],
    .participant = scene->ids[index],
    .data = "",
    .role = "PUBLISHER",
    .classes = "",
    .width = width,
    .height = height,
  };
  scene->pointers[index] = &scene->streams[index];
  return index;
}

/* --- cases ---------------------------------------------------------------------------------------- */

static uint32_t
parse_flags (char **words)
{
  uint32_t flags = REC_STREAM_VIDEO | REC_STREAM_AUDIO | REC_STREAM_HAS_PICTURE;

  for (; *words != NULL; words++) {
    if (strcmp (*words, "screen") == 0)
      flags |= REC_STREAM_SCREEN;
    else if (strcmp (*words, "video-muted") == 0)
      flags |= REC_STREAM_VIDEO_MUTED;
    else if (strcmp (*words, "no-picture") == 0)
      flags &= ~(uint32_t) REC_STREAM_HAS_PICTURE;
    else if (strcmp (*words, "audio-only") == 0)
      flags = REC_STREAM_AUDIO;
    else
      g_error ("unknown flag '%s'", *words);
  }
  return flags;
}

static unsigned
find_stream (const Scene *scene, const char *id)
{
  for (unsigned i = 0; i < scene->scene.n_streams; i++) {
    if (strcmp (scene->ids[i], id) == 0)
      return i;
  }
  g_error ("no stream '%s'", id);
}

static float
parse_number (const char *text)
{
  return (float) g_ascii_strtod (text, NULL);
}

static void
parse_line (Scene *scene, char **words)
{
  const unsigned n_words = g_strv_length (words);
  int width, height;

  if (strcmp (words[0], "canvas") == 0 && n_words == 3) {
    scene->scene.width = atoi (words[1]);
    scene->scene.height = atoi (words[2]);
  } else if (strcmp (words[0], "option") == 0 && n_words == 3) {
    Setting *setting = &scene->settings[scene->n_settings++];

    g_assert_cmpuint (scene->n_settings, <=, G_N_ELEMENTS (scene->settings));
    g_strlcpy (setting->key, words[1], sizeof setting->key);
    g_strlcpy (setting->value, words[2], sizeof setting->value);
  } else if (strcmp (words[0], "stream") == 0 && n_words >= 3) {
    g_assert_cmpint (sscanf (words[2], "%dx%d", &width, &height), ==, 2);
    add_stream (scene, words[1], width, height, parse_flags (words + 3));
  } else if (strcmp (words[0], "tile") == 0 && n_words == 7) {
    const unsigned index = find_stream (scene, words[1]);

    scene->is_told[index] = true;
    scene->expected[index].rect = (RecRect){ parse_number (words[2]), parse_number (words[3]),
      parse_number (words[4]), parse_number (words[5]) };
    scene->expected[index].fit = strcmp (words[6], "cover") == 0 ? REC_FIT_COVER : REC_FIT_CONTAIN;
  } else if (strcmp (words[0], "hidden") == 0 && n_words == 2) {
    scene->is_told[find_stream (scene, words[1])] = true;
  } else {
    g_error ("case '%s': cannot read the line of '%s'", scene->name, words[0]);
  }
}

static void
assert_near (const Scene *scene, unsigned index, const char *what, float got, float expected)
{
  if (fabsf (got - expected) > TOLERANCE)
    g_error ("case %s, stream %s: %s is %g, expected %g", scene->name, scene->ids[index], what,
        (double) got, (double) expected);
}

static void
test_case (gconstpointer data)
{
  const Scene *scene = data;
  RecTile tiles[MAX_STREAMS] = { 0 };

  scene->layout->arrange (&scene->scene, tiles);
  for (unsigned i = 0; i < scene->scene.n_streams; i++) {
    const RecTile *tile = &tiles[i], *expected = &scene->expected[i];

    if (!scene->is_told[i])
      g_error ("case %s says nothing of stream %s", scene->name, scene->ids[i]);
    assert_near (scene, i, "x", tile->rect.x, expected->rect.x);
    assert_near (scene, i, "y", tile->rect.y, expected->rect.y);
    assert_near (scene, i, "width", tile->rect.width, expected->rect.width);
    assert_near (scene, i, "height", tile->rect.height, expected->rect.height);
    g_assert_cmpuint (tile->fit, ==, expected->fit);
  }
}

static void
add_case (Scene *scene)
{
  g_autofree char *path = g_strdup_printf ("/layout/best-fit/case/%s", scene->name);

  g_test_add_data_func_full (path, scene, test_case, g_free);
}

static void
add_cases (const char *file, const RecArrangingLayout *layout)
{
  g_autofree char *path = g_build_filename (REC_SOURCE_DIR, "tests/layout", file, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  Scene *scene = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto (GStrv) words = NULL;

    if (**line == '#' || **line == '\0')
      continue;
    words = g_strsplit (*line, " ", -1);
    if (strcmp (words[0], "case") == 0) {
      if (scene != NULL)
        add_case (scene);
      scene = g_new (Scene, 1);
      init_scene (scene, layout);
      g_strlcpy (scene->name, words[1], sizeof scene->name);
    } else {
      parse_line (scene, words);
    }
  }
  g_assert_nonnull (scene);
  add_case (scene);
}

/* --- properties ----------------------------------------------------------------------------------- */

typedef void (*Property) (const Scene *scene, const RecTile *tiles);

static const struct {
  int width, height;
} canvases[] = { { 1280, 720 }, { 720, 1280 }, { 640, 640 }, { 320, 240 }, { 1920, 1080 },
  { 98, 52 } };

static const struct {
  int width, height;
} pictures[] = { { 1280, 720 }, { 640, 480 }, { 720, 1280 }, { 0, 0 }, { 3840, 1080 }, { 64, 64 } };

/* Streams of all kinds, the same ones for the same numbers. */
static void
fill_scene (Scene *scene, unsigned canvas, unsigned n_streams, unsigned seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (canvas * 10000 + n_streams * 100 + seed);

  scene->scene.width = canvases[canvas].width;
  scene->scene.height = canvases[canvas].height;
  for (unsigned i = 0; i < n_streams; i++) {
    const int picture = g_rand_int_range (random, 0, G_N_ELEMENTS (pictures));
    uint32_t flags = REC_STREAM_VIDEO | REC_STREAM_AUDIO | REC_STREAM_HAS_PICTURE;
    char id[8];

    if (seed > 0 && g_rand_int_range (random, 0, 8) == 0)
      flags = REC_STREAM_AUDIO;
    if (seed > 1 && g_rand_int_range (random, 0, 6) == 0)
      flags |= REC_STREAM_SCREEN;
    if (g_rand_int_range (random, 0, 8) == 0)
      flags &= ~(uint32_t) REC_STREAM_HAS_PICTURE;
    g_snprintf (id, sizeof id, "s%u", i);
    add_stream (scene, id, pictures[picture].width, pictures[picture].height, flags);
  }
}

static void
for_all_scenes (const RecArrangingLayout *layout, Property property)
{
  for (unsigned canvas = 0; canvas < G_N_ELEMENTS (canvases); canvas++) {
    for (unsigned n_streams = 0; n_streams <= MAX_STREAMS; n_streams++) {
      for (unsigned seed = 0; seed < 4; seed++) {
        RecTile tiles[MAX_STREAMS] = { 0 };
        Scene scene;

        init_scene (&scene, layout);
        fill_scene (&scene, canvas, n_streams, seed);
        layout->arrange (&scene.scene, tiles);
        property (&scene, tiles);
      }
    }
  }
}

static bool
is_visible (const RecTile *tile)
{
  return tile->rect.width > 0 && tile->rect.height > 0;
}

static void
stays_inside (const Scene *scene, const RecTile *tiles)
{
  for (unsigned i = 0; i < scene->scene.n_streams; i++) {
    const RecRect *rect = &tiles[i].rect;

    if (!is_visible (&tiles[i]))
      continue;
    g_assert_cmpfloat (rect->x, >=, -TOLERANCE);
    g_assert_cmpfloat (rect->y, >=, -TOLERANCE);
    g_assert_cmpfloat (rect->x + rect->width, <=, (float) scene->scene.width + TOLERANCE);
    g_assert_cmpfloat (rect->y + rect->height, <=, (float) scene->scene.height + TOLERANCE);
  }
}

static bool
do_overlap (const RecRect *a, const RecRect *b)
{
  return a->x + TOLERANCE < b->x + b->width && b->x + TOLERANCE < a->x + a->width &&
         a->y + TOLERANCE < b->y + b->height && b->y + TOLERANCE < a->y + a->height;
}

static void
never_overlaps (const Scene *scene, const RecTile *tiles)
{
  for (unsigned i = 0; i < scene->scene.n_streams; i++) {
    for (unsigned j = i + 1; j < scene->scene.n_streams; j++) {
      if (is_visible (&tiles[i]) && is_visible (&tiles[j]) &&
          do_overlap (&tiles[i].rect, &tiles[j].rect))
        g_error ("%s and %s of %u overlap on %dx%d", scene->ids[i], scene->ids[j],
            scene->scene.n_streams, scene->scene.width, scene->scene.height);
    }
  }
}

static void
shows_who_has_a_picture (const Scene *scene, const RecTile *tiles)
{
  const uint32_t wanted = REC_STREAM_VIDEO | REC_STREAM_HAS_PICTURE;

  for (unsigned i = 0; i < scene->scene.n_streams; i++)
    g_assert_true (is_visible (&tiles[i]) == ((scene->streams[i].flags & wanted) == wanted));
}

static void
answers_the_same_again (const Scene *scene, const RecTile *tiles)
{
  RecTile again[MAX_STREAMS] = { 0 };

  scene->layout->arrange (&scene->scene, again);
  g_assert_cmpmem (tiles, sizeof again, again, sizeof again);
}

static bool
is_same_row (const RecRect *a, const RecRect *b)
{
  return fabsf (a->y - b->y) < TOLERANCE;
}

/* Row by row, from left to right, in the order of the streams. */
static void
keeps_the_order (const Scene *scene, const RecTile *tiles)
{
  const RecRect *last = NULL;

  for (unsigned i = 0; i < scene->scene.n_streams; i++) {
    const RecRect *rect = &tiles[i].rect;

    if (!is_visible (&tiles[i]))
      continue;
    if (last != NULL && is_same_row (last, rect))
      g_assert_cmpfloat (rect->x, >, last->x);
    else if (last != NULL)
      g_assert_cmpfloat (rect->y + TOLERANCE, >=, last->y + last->height);
    last = rect;
  }
}

/* Tiles of a row share their edges: rounded alike, there is no gap and no overlap. */
static void
neighbours_touch (const Scene *scene, const RecTile *tiles)
{
  const RecRect *last = NULL;

  for (unsigned i = 0; i < scene->scene.n_streams; i++) {
    const RecRect *rect = &tiles[i].rect;

    if (!is_visible (&tiles[i]))
      continue;
    if (last != NULL && is_same_row (last, rect))
      g_assert_cmpfloat_with_epsilon (rect->x, last->x + last->width, TOLERANCE);
    last = rect;
  }
}

static void
ignores_mute (const Scene *scene, const RecTile *tiles)
{
  Scene muted = *scene;
  RecTile again[MAX_STREAMS] = { 0 };

  muted.scene.streams = muted.pointers;
  for (unsigned i = 0; i < muted.scene.n_streams; i++) {
    muted.streams[i].flags |= REC_STREAM_VIDEO_MUTED | REC_STREAM_AUDIO_MUTED;
    muted.pointers[i] = &muted.streams[i];
  }
  scene->layout->arrange (&muted.scene, again);
  g_assert_cmpmem (tiles, sizeof again, again, sizeof again);
}

typedef struct PropertyTest {
  const char *name;
  Property property;
  bool of_any_layout;
} PropertyTest;

static const PropertyTest properties[] = {
  { "stays-inside-the-canvas", stays_inside, true },
  { "never-overlaps", never_overlaps, true },
  { "answers-the-same-again", answers_the_same_again, true },
  { "shows-who-has-a-picture", shows_who_has_a_picture, false },
  { "keeps-the-order", keeps_the_order, false },
  { "neighbours-touch", neighbours_touch, false },
  { "ignores-mute", ignores_mute, false },
};

static const RecArrangingLayout *best_fit, *row;

static void
test_best_fit_property (gconstpointer data)
{
  const PropertyTest *test = data;

  for_all_scenes (best_fit, test->property);
}

static void
test_row_property (gconstpointer data)
{
  const PropertyTest *test = data;

  for_all_scenes (row, test->property);
}

static void
test_hides_all_without_room (void)
{
  RecTile tiles[MAX_STREAMS] = { 0 };
  Scene scene;

  init_scene (&scene, best_fit);
  scene.scene.width = scene.scene.height = 2;
  for (unsigned i = 0; i < MAX_STREAMS; i++)
    add_stream (&scene, "s", 640, 480, REC_STREAM_VIDEO | REC_STREAM_HAS_PICTURE);
  best_fit->arrange (&scene.scene, tiles);
  for (unsigned i = 0; i < MAX_STREAMS; i++)
    g_assert_false (is_visible (&tiles[i]));
}

/* What is beyond the streams' number belongs to somebody else. */
static void
test_touches_its_tiles_only (void)
{
  RecTile tiles[MAX_STREAMS];
  RecTile untouched;
  Scene scene;

  init_scene (&scene, best_fit);
  fill_scene (&scene, 0, 9, 1);
  memset (tiles, 0, 9 * sizeof *tiles);
  memset (tiles + 9, 0xa5, (MAX_STREAMS - 9) * sizeof *tiles);
  memset (&untouched, 0xa5, sizeof untouched);
  best_fit->arrange (&scene.scene, tiles);
  for (unsigned i = 9; i < MAX_STREAMS; i++)
    g_assert_cmpmem (&tiles[i], sizeof untouched, &untouched, sizeof untouched);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  best_fit = load_layout ("plugins/best_fit.so");
  row = load_layout ("examples/row.so");

  add_cases ("best-fit-cameras.case", best_fit);
  add_cases ("best-fit-screens.case", best_fit);
  add_cases ("best-fit-who-is-shown.case", best_fit);
  for (unsigned i = 0; i < G_N_ELEMENTS (properties); i++) {
    g_autofree char *path = g_strdup_printf ("/layout/best-fit/%s", properties[i].name);
    g_autofree char *row_path = g_strdup_printf ("/layout/row/%s", properties[i].name);

    g_test_add_data_func (path, &properties[i], test_best_fit_property);
    if (properties[i].of_any_layout)
      g_test_add_data_func (row_path, &properties[i], test_row_property);
  }
  g_test_add_func ("/layout/best-fit/hides-all-without-room", test_hides_all_without_room);
  g_test_add_func ("/layout/best-fit/touches-its-tiles-only", test_touches_its_tiles_only);
  return g_test_run ();
}
