/* bad-arrange-loop.c - never comes back when it has to arrange somebody. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  volatile uint32_t n_streams = scene->n_streams;

  (void) tiles;
  while (n_streams > 0)
    continue;
}

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "bad-arrange-loop",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
