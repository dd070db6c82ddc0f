/* bad-null-id.c - has no name. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) scene;
  (void) tiles;
}

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = NULL,
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
