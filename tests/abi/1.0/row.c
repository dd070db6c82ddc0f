/* row.c - everyone with a camera or a shared screen, side by side. */
#include <recto/layout.h>

static bool
is_shown (const RecStream *stream)
{
  return (stream->flags & REC_STREAM_VIDEO) && (stream->flags & REC_STREAM_HAS_PICTURE);
}

static void
row_arrange (const RecScene *scene, RecTile *tiles)
{
  float gap = (float) scene->options->get_int (scene->options, "gap");
  float shown = 0, x = gap;

  for (uint32_t i = 0; i < scene->n_streams; i++)
    shown += is_shown (scene->streams[i]);
  for (uint32_t i = 0; i < scene->n_streams; i++) {
    if (!is_shown (scene->streams[i]))
      continue; /* a tile left at zero stays hidden */
    float width = ((float) scene->width - gap) / shown - gap;
    tiles[i].rect = (RecRect){ x, gap, width, (float) scene->height - 2 * gap };
    x += width + gap;
  }
}

static const RecOption *const row_options[] = {
  REC_OPTION_INT (REC_OPTION_REQUEST, "gap", "8", "Pixels between two tiles", 0, 200),
  REC_OPTION_END,
};

static const RecArrangingLayout row = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "row",
  .plugin.version = "1.0",
  .plugin.summary = "Everyone side by side",
  .plugin.options = row_options,
  .arrange = row_arrange,
};
REC_REGISTER_PLUGIN (row)
