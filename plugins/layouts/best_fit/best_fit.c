/* best_fit.c - the grid that wastes the least canvas: OpenVidu's BEST_FIT.
 *
 * Tiles are between 16:9 and 2:3; as soon as a screen is shown, each keeps the shape of its own
 * picture instead. All ratios here are height / width. The arithmetic, with what it floors and what
 * it doesn't, is what recordings of OpenVidu look like: don't tidy it up.
 */
#include <recto/layout.h>

#include <stdlib.h>
#include <string.h>

#define MIN_RATIO (9.0 / 16.0)
#define MAX_RATIO (3.0 / 2.0)
#define UNKNOWN_RATIO (3.0 / 4.0)

typedef struct Shown {
  uint32_t index; /* in the scene */
  double ratio;
} Shown;

typedef struct Row {
  double width, height;
} Row;

typedef struct Grid {
  double canvas_width, canvas_height;
  double tile_width, tile_height;
  bool keep_ratios;
  uint32_t n_columns, n_rows, n_shown;
  Shown *shown;
  Row *rows;
} Grid;

/* Rounds down; nothing here is below zero. */
static double
whole (double pixels)
{
  return (double) (int64_t) pixels;
}

static bool
is_shown (const RecStream *stream)
{
  const uint32_t wanted = REC_STREAM_VIDEO | REC_STREAM_HAS_PICTURE;

  return (stream->flags & wanted) == wanted;
}

static bool
collect_shown (Grid *grid, const RecScene *scene)
{
  grid->shown = calloc (scene->n_streams, sizeof *grid->shown);
  grid->rows = calloc (scene->n_streams, sizeof *grid->rows);
  if (grid->shown == NULL || grid->rows == NULL)
    return false;

  for (uint32_t i = 0; i < scene->n_streams; i++) {
    const RecStream *stream = scene->streams[i];

    if (!is_shown (stream))
      continue;
    grid->keep_ratios |= (stream->flags & REC_STREAM_SCREEN) != 0;
    grid->shown[grid->n_shown].index = i;
    grid->shown[grid->n_shown].ratio = stream->width > 0 && stream->height > 0
                                           ? (double) stream->height / stream->width
                                           : UNKNOWN_RATIO;
    grid->n_shown++;
  }
  return grid->n_shown > 0;
}

/* The first best number of columns; false if not even one pixel per tile is left. */
static bool
choose_columns (Grid *grid)
{
  const double min_ratio = grid->keep_ratios ? grid->shown[0].ratio : MIN_RATIO;
  const double max_ratio = grid->keep_ratios ? grid->shown[0].ratio : MAX_RATIO;
  double best_area = 0;

  for (uint32_t columns = 1; columns <= grid->n_shown; columns++) {
    const uint32_t rows = (grid->n_shown + columns - 1) / columns;
    double width = whole (grid->canvas_width / columns);
    double height = whole (grid->canvas_height / rows);

    if (width < 1 || height < 1)
      continue;
    if (height / width > max_ratio)
      height = width * max_ratio;
    else if (height / width < min_ratio)
      width = height / min_ratio;

    if (width * height > best_area) {
      best_area = width * height;
      grid->n_columns = columns;
      grid->n_rows = rows;
      grid->tile_width = width;
      grid->tile_height = height;
    }
  }
  return best_area > 0;
}

static void
fill_rows (Grid *grid)
{
  for (uint32_t i = 0; i < grid->n_shown; i++) {
    Row *row = &grid->rows[i / grid->n_columns];

    row->height = grid->tile_height;
    row->width += grid->keep_ratios ? grid->tile_height / grid->shown[i].ratio : grid->tile_width;
  }
  for (uint32_t i = 0; i < grid->n_rows; i++) {
    Row *row = &grid->rows[i];

    if (row->width > grid->canvas_width) {
      row->height = whole (row->height * (grid->canvas_width / row->width));
      row->width = grid->canvas_width;
    }
  }
}

static double
get_total_height (const Grid *grid)
{
  double total = 0;

  for (uint32_t i = 0; i < grid->n_rows; i++)
    total += grid->rows[i].height;
  return total;
}

/* Shares out the height that is left among the rows that do not fill the width. */
static void
grow_short_rows (Grid *grid)
{
  double remaining = grid->canvas_height - get_total_height (grid);
  uint32_t n_short = 0;

  for (uint32_t i = 0; i < grid->n_rows; i++)
    n_short += grid->rows[i].width < grid->canvas_width;
  if (remaining <= 0)
    return;

  for (uint32_t i = 0; i < grid->n_rows; i++) {
    Row *row = &grid->rows[i];
    double room, extra;

    if (row->width >= grid->canvas_width)
      continue;
    room = (grid->canvas_width - row->width) / row->width;
    extra = remaining / n_short;
    if (extra / row->height > room)
      extra = whole (room * row->height);
    row->width += whole (extra / row->height * row->width);
    row->height += extra;
    remaining -= extra;
    n_short--;
  }
}

static uint32_t
get_fit (const RecScene *scene, const RecStream *stream)
{
  const char *key = stream->flags & REC_STREAM_SCREEN ? "screen-fit" : "camera-fit";
  const char *fit = scene->options->get_string (scene->options, key);

  return strcmp (fit, "cover") == 0 ? REC_FIT_COVER : REC_FIT_CONTAIN;
}

static double
get_width (const Grid *grid, uint32_t i)
{
  const Row *row = &grid->rows[i / grid->n_columns];

  return grid->keep_ratios ? whole (row->height / grid->shown[i].ratio) : grid->tile_width;
}

/* Centred by the row's calculated width, which rounding can leave a pixel short of what its tiles
 * take: they never leave the canvas for that. */
static double
get_row_start (const Grid *grid, uint32_t first)
{
  const Row *row = &grid->rows[first / grid->n_columns];
  double start = (grid->canvas_width - row->width) / 2;
  double room = grid->canvas_width;

  for (uint32_t i = first; i < first + grid->n_columns && i < grid->n_shown; i++)
    room -= get_width (grid, i);
  return start < room ? start : room;
}

static void
place_tiles (const Grid *grid, const RecScene *scene, RecTile *tiles)
{
  double y = (grid->canvas_height - get_total_height (grid)) / 2;
  double x = 0;

  for (uint32_t i = 0; i < grid->n_shown; i++) {
    const Row *row = &grid->rows[i / grid->n_columns];
    const double width = get_width (grid, i);
    RecTile *tile = &tiles[grid->shown[i].index];

    if (i % grid->n_columns == 0)
      x = get_row_start (grid, i);
    tile->rect = (RecRect){ (float) x, (float) y, (float) width, (float) row->height };
    tile->fit = get_fit (scene, scene->streams[grid->shown[i].index]);
    x += width;
    if ((i + 1) % grid->n_columns == 0)
      y += row->height;
  }
}

static void
best_fit_arrange (const RecScene *scene, RecTile *tiles)
{
  Grid grid = { .canvas_width = scene->width, .canvas_height = scene->height, .n_columns = 1 };

  if (scene->n_streams > 0 && collect_shown (&grid, scene) && choose_columns (&grid)) {
    fill_rows (&grid);
    grow_short_rows (&grid);
    place_tiles (&grid, scene, tiles);
  }
  free (grid.shown);
  free (grid.rows);
}

static const char *const fits[] = { "cover", "contain", NULL };

static const RecOption *const best_fit_options[] = {
  REC_OPTION_CHOICE (REC_OPTION_REQUEST, "camera-fit", "cover",
      "Cameras fill their tile and are cut (cover) or are shown whole (contain)", fits),
  REC_OPTION_CHOICE (REC_OPTION_REQUEST, "screen-fit", "contain",
      "Shared screens fill their tile and are cut (cover) or are shown whole "
      "(contain)",
      fits),
  REC_OPTION_END,
};

static const RecArrangingLayout best_fit = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "best_fit",
  .plugin.version = "1.0",
  .plugin.summary = "Everyone in the grid that wastes the least space",
  .plugin.options = best_fit_options,
  .arrange = best_fit_arrange,
};
REC_REGISTER_PLUGIN (best_fit)
