/* bad-arrange-outside.c - puts tiles outside the canvas and around it. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  const float width = (float) scene->width, height = (float) scene->height;

  for (uint32_t i = 0; i < scene->n_streams; i++)
    tiles[i].rect = i % 2 ? (RecRect){ width + 10, height + 10, width, height }
                          : (RecRect){ -width, -height, 3 * width, 3 * height };
}

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "bad-arrange-outside",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
