/* bad-arrange-nan.c - answers with what is no number. */
#include <recto/layout.h>

#include <math.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  for (uint32_t i = 0; i < scene->n_streams; i++)
    tiles[i].rect = (RecRect){ NAN, -INFINITY, INFINITY, NAN };
}

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "bad-arrange-nan",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
