/* bad-size-too-small.c - says that its descriptor ends before its callbacks. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) scene;
  (void) tiles;
}

static const RecArrangingLayout layout = {
  .plugin.abi = { sizeof (RecPlugin), REC_KIND_ARRANGING_LAYOUT, REC_ABI_MAJOR, REC_ABI_MINOR },
  .plugin.id = "bad-size-too-small",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
