/* scene.c - streams in, placements out, with a layout plugin in between that is not trusted. */
#define G_LOG_DOMAIN "rec.worker.scene"
#include "worker/scene.h"

#include "base/log.h"

#include <math.h>
#include <string.h>

#define MAX_STREAMS 500
#define NEARLY (1.0 / 64.0) /* an edge this little below an even pixel is that pixel */
#define FAR 1000000.0

struct RecSceneBoard {
  int width, height;
  char *name;
  const RecArrangingLayout *layout;
  const RecOptions *options;
  GPtrArray *streams; /* of RecSceneStream, as they joined */
  GArray *placements;
  uint64_t next_order;
  bool is_dirty;
  bool has_complained;
};

/* --- streams --------------------------------------------------------------------------------------- */

static void
free_stream (gpointer data)
{
  RecSceneStream *stream = data;

  g_free ((char *) stream->stream.id);
  g_free ((char *) stream->stream.participant);
  g_free ((char *) stream->stream.data);
  g_free ((char *) stream->stream.role);
  g_free ((char *) stream->stream.classes);
  g_free (stream);
}

RecSceneBoard *
rec_scene_new (int width, int height, const char *name, const RecArrangingLayout *layout,
    const RecOptions *options)
{
  RecSceneBoard *board = g_new0 (RecSceneBoard, 1);

  board->width = width;
  board->height = height;
  board->name = g_strdup (name);
  board->layout = layout;
  board->options = options;
  board->streams = g_ptr_array_new_with_free_func (free_stream);
  board->placements = g_array_new (FALSE, TRUE, sizeof (RecPlacement));
  return board;
}

void
rec_scene_free (RecSceneBoard *board)
{
  if (board == NULL)
    return;
  g_ptr_array_unref (board->streams);
  g_array_unref (board->placements);
  g_free (board->name);
  g_free (board);
}

RecSceneStream *
rec_scene_find (RecSceneBoard *board, const char *id)
{
  for (unsigned i = 0; i < board->streams->len; i++) {
    RecSceneStream *stream = board->streams->pdata[i];

    if (strcmp (stream->stream.id, id) == 0)
      return stream;
  }
  return NULL;
}

RecSceneStream *
rec_scene_find_track (RecSceneBoard *board, uint32_t track_id)
{
  for (unsigned i = 0; i < board->streams->len; i++) {
    RecSceneStream *stream = board->streams->pdata[i];

    if (stream->audio_track == track_id || stream->video_track == track_id)
      return stream;
  }
  return NULL;
}

static int
compare_streams (gconstpointer a, gconstpointer b)
{
  const RecSceneStream *left = *(RecSceneStream *const *) a, *right = *(RecSceneStream *const *) b;

  if (left->stream.joined_ns != right->stream.joined_ns)
    return left->stream.joined_ns < right->stream.joined_ns ? -1 : 1;
  return left->order < right->order ? -1 : 1;
}

RecSceneStream *
rec_scene_add (RecSceneBoard *board, const char *id, const char *participant, const char *data,
    int64_t joined_ns)
{
  RecSceneStream *stream = rec_scene_find (board, id);

  if (stream != NULL || board->streams->len >= MAX_STREAMS)
    return stream;
  stream = g_new0 (RecSceneStream, 1);
  stream->stream = (RecStream){
    .size = sizeof (RecStream),
    .id = g_strdup (id),
    .participant = g_strdup (participant),
    .data = g_strdup (data),
    .role = g_strdup (""),
    .classes = g_strdup (""),
    .joined_ns = joined_ns,
  };
  stream->order = board->next_order++;
  g_ptr_array_add (board->streams, stream);
  g_ptr_array_sort (board->streams, compare_streams);
  board->is_dirty = true;
  return stream;
}

static void
replace (const char **field, const char *text)
{
  if (text == NULL)
    return;
  g_free ((char *) *field);
  *field = g_strdup (text);
}

void
rec_scene_describe (RecSceneBoard *board, RecSceneStream *stream, const char *role,
    const char *classes)
{
  replace (&stream->stream.role, role);
  replace (&stream->stream.classes, classes);
  board->is_dirty = true;
}

void
rec_scene_remove (RecSceneBoard *board, RecSceneStream *stream)
{
  g_ptr_array_remove (board->streams, stream);
  board->is_dirty = true;
}

void
rec_scene_touch (RecSceneBoard *board)
{
  board->is_dirty = true;
}

/* --- one tile -------------------------------------------------------------------------------------- */

/* A rectangle by its edges. */
typedef struct Edges {
  double left, top, right, bottom;
} Edges;

static double
round_edge (double edge)
{
  return floor ((edge + NEARLY) / 2) * 2;
}

static Edges
round_edges (Edges edges)
{
  return (Edges){ round_edge (edges.left), round_edge (edges.top), round_edge (edges.right),
    round_edge (edges.bottom) };
}

static Edges
intersect (Edges a, Edges b)
{
  return (Edges){ fmax (a.left, b.left), fmax (a.top, b.top), fmin (a.right, b.right),
    fmin (a.bottom, b.bottom) };
}

static bool
is_empty (Edges edges)
{
  return edges.right <= edges.left || edges.bottom <= edges.top;
}

static RecBox
to_box (Edges edges)
{
  if (is_empty (edges))
    return (RecBox){ 0, 0, 0, 0 };
  return (RecBox){ (int32_t) edges.left, (int32_t) edges.top, (int32_t) (edges.right - edges.left),
    (int32_t) (edges.bottom - edges.top) };
}

static bool
is_sane_rect (const RecRect *rect)
{
  return isfinite (rect->x) && isfinite (rect->y) && isfinite (rect->width) &&
         isfinite (rect->height) && fabsf (rect->x) < FAR && fabsf (rect->y) < FAR &&
         rect->width >= 0 && rect->height >= 0 && rect->width < FAR && rect->height < FAR;
}

/* The part of the picture that the tile asks for, in pixels of the picture. */
static Edges
get_cropped (const RecStream *stream, const RecTile *tile, bool *is_wrong)
{
  const RecRect *crop = &tile->crop;
  const Edges whole = { 0, 0, stream->width, stream->height };
  Edges part;

  if (crop->x == 0 && crop->y == 0 && crop->width == 0 && crop->height == 0)
    return whole;
  if (is_sane_rect (crop)) {
    part = (Edges){ crop->x * whole.right, crop->y * whole.bottom,
      (crop->x + crop->width) * whole.right, (crop->y + crop->height) * whole.bottom };
    part = intersect (part, whole);
    if (part.right - part.left >= 2 && part.bottom - part.top >= 2)
      return part;
  }
  *is_wrong = true;
  return whole;
}

/* Makes source and target the same shape, by cutting the source or by shrinking the target. */
static void
fit (uint32_t how, Edges *source, Edges *target)
{
  const double source_width = source->right - source->left;
  const double source_height = source->bottom - source->top;
  const double target_width = target->right - target->left;
  const double target_height = target->bottom - target->top;
  const double x = target_width / source_width, y = target_height / source_height;

  if (how == REC_FIT_COVER) {
    const double cut_width = source_width - target_width / fmax (x, y);
    const double cut_height = source_height - target_height / fmax (x, y);

    *source = (Edges){ source->left + cut_width / 2, source->top + cut_height / 2,
      source->right - cut_width / 2, source->bottom - cut_height / 2 };
  } else if (how == REC_FIT_CONTAIN) {
    const double bar_width = target_width - source_width * fmin (x, y);
    const double bar_height = target_height - source_height * fmin (x, y);

    *target = round_edges ((Edges){ target->left + bar_width / 2, target->top + bar_height / 2,
        target->right - bar_width / 2, target->bottom - bar_height / 2 });
  }
}

/* What of the source is left when only a part of its target is seen. */
static Edges
cut_source (Edges source, Edges target, Edges seen)
{
  const double x = (source.right - source.left) / (target.right - target.left);
  const double y = (source.bottom - source.top) / (target.bottom - target.top);

  return (Edges){ source.left + (seen.left - target.left) * x,
    source.top + (seen.top - target.top) * y, source.right - (target.right - seen.right) * x,
    source.bottom - (target.bottom - seen.bottom) * y };
}

/* Chroma has half the resolution: even offsets, and at least one chroma sample. */
static RecBox
to_source_box (Edges source, const RecStream *stream)
{
  RecBox box = {
    .x = (int32_t) (floor (source.left / 2 + 0.5) * 2),
    .y = (int32_t) (floor (source.top / 2 + 0.5) * 2),
  };

  box.x = CLAMP (box.x, 0, MAX (stream->width - 2, 0) / 2 * 2);
  box.y = CLAMP (box.y, 0, MAX (stream->height - 2, 0) / 2 * 2);
  box.width = CLAMP ((int32_t) lround (source.right) - box.x, 2, MAX (stream->width - box.x, 2));
  box.height = CLAMP ((int32_t) lround (source.bottom) - box.y, 2, MAX (stream->height - box.y, 2));
  return box;
}

static uint32_t
choose_fit (const RecStream *stream, const RecTile *tile, bool *is_wrong)
{
  if (tile->fit >= REC_FIT_COVER && tile->fit <= REC_FIT_STRETCH)
    return tile->fit;
  if (tile->fit != 0)
    *is_wrong = true;
  return stream->flags & REC_STREAM_SCREEN ? REC_FIT_CONTAIN : REC_FIT_COVER;
}

static float
choose_opacity (const RecTile *tile, bool *is_wrong)
{
  if (tile->opacity == 0)
    return 1;
  if (tile->opacity > 0 && tile->opacity <= 1)
    return tile->opacity;
  *is_wrong = true;
  return 1;
}

bool
rec_scene_place (int canvas_width, int canvas_height, const RecStream *stream, const RecTile *tile,
    RecPlacement *placement, bool *is_wrong)
{
  const RecRect *rect = &tile->rect;
  const Edges canvas = { 0, 0, canvas_width, canvas_height };
  Edges whole, target, source;

  *is_wrong = false;
  if (rect->width == 0 || rect->height == 0)
    return false;
  if (!is_sane_rect (rect)) {
    *is_wrong = true;
    return false;
  }
  whole =
      (Edges){ rect->x, rect->y, (double) rect->x + rect->width, (double) rect->y + rect->height };
  *is_wrong = whole.left < -NEARLY || whole.top < -NEARLY || whole.right > canvas_width + NEARLY ||
              whole.bottom > canvas_height + NEARLY;
  whole = round_edges (whole);

  *placement = (RecPlacement){
    .tile = to_box (intersect (whole, canvas)),
    .opacity = choose_opacity (tile, is_wrong),
    .background = tile->background,
  };
  if (placement->tile.width == 0)
    return false;
  if (!(stream->flags & REC_STREAM_HAS_PICTURE) || stream->width < 2 || stream->height < 2)
    return true;

  target = whole;
  source = get_cropped (stream, tile, is_wrong);
  fit (choose_fit (stream, tile, is_wrong), &source, &target);
  if (is_empty (target) || is_empty (intersect (target, canvas)))
    return true;
  source = cut_source (source, target, intersect (target, canvas));
  placement->picture = to_box (intersect (target, canvas));
  placement->source = to_source_box (source, stream);
  return true;
}

/* --- all of them ----------------------------------------------------------------------------------- */

typedef struct Order {
  unsigned index;
  int32_t z;
} Order;

static int
compare_z (gconstpointer a, gconstpointer b)
{
  const Order *left = a, *right = b;

  if (left->z != right->z)
    return left->z < right->z ? -1 : 1;
  return left->index < right->index ? -1 : left->index > right->index;
}

static void
complain (RecSceneBoard *board, const RecStream *stream, const RecTile *tile)
{
  if (board->has_complained)
    return;
  board->has_complained = true;
  rec_log_with (G_LOG_LEVEL_WARNING, &(RecLogFields){ .plugin = board->name, .stream = stream->id },
      "layout plugin misbehaves: the tile %g,%g %gx%g does not fit the %dx%d canvas or is no "
      "tile at all; it is cut or hidden, and so are further ones without a word",
      tile->rect.x, tile->rect.y, tile->rect.width, tile->rect.height, board->width, board->height);
}

static void
place_all (RecSceneBoard *board, const RecTile *tiles)
{
  const unsigned n = board->streams->len;
  g_autofree Order *orders = g_new0 (Order, n + 1);

  for (unsigned i = 0; i < n; i++)
    orders[i] = (Order){ i, tiles[i].z };
  qsort (orders, n, sizeof *orders, compare_z);

  g_array_set_size (board->placements, 0);
  for (unsigned i = 0; i < n; i++) {
    const RecSceneStream *stream = board->streams->pdata[orders[i].index];
    const RecTile *tile = &tiles[orders[i].index];
    RecPlacement placement;
    bool is_wrong;

    if (rec_scene_place (board->width, board->height, &stream->stream, tile, &placement,
            &is_wrong)) {
      placement.video_track = stream->video_track;
      g_array_append_val (board->placements, placement);
    }
    if (is_wrong)
      complain (board, &stream->stream, tile);
  }
}

/* The page fills the canvas; what else there is stays hidden. */
static bool
place_page (const RecSceneBoard *board, RecTile *tiles)
{
  for (unsigned i = 0; i < board->streams->len; i++) {
    const RecSceneStream *stream = board->streams->pdata[i];

    if (stream->video_track == 0 || strcmp (stream->stream.id, REC_SCENE_PAGE) != 0)
      continue;
    tiles[i].rect = (RecRect){ 0, 0, (float) board->width, (float) board->height };
    tiles[i].fit = REC_FIT_CONTAIN;
    return true;
  }
  return false;
}

bool
rec_scene_arrange (RecSceneBoard *board, int64_t now_ns, GArray **placements)
{
  const unsigned n = board->streams->len;
  g_autofree RecTile *tiles = NULL;
  g_autofree const RecStream **streams = NULL;

  *placements = board->placements;
  if (!board->is_dirty)
    return false;
  board->is_dirty = false;

  tiles = g_new0 (RecTile, n + 1);
  streams = g_new0 (const RecStream *, n + 1);
  for (unsigned i = 0; i < n; i++)
    streams[i] = &((RecSceneStream *) board->streams->pdata[i])->stream;
  if (!place_page (board, tiles) && board->layout != NULL && n > 0) {
    const RecScene scene = {
      .size = sizeof scene,
      .width = board->width,
      .height = board->height,
      .n_streams = n,
      .now_ns = now_ns,
      .options = board->options,
      .streams = streams,
    };

    board->layout->arrange (&scene, tiles);
  }
  place_all (board, tiles);
  return true;
}
