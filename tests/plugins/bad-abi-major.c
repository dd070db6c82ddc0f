/* bad-abi-major.c - was built for an ABI that is not there. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) scene;
  (void) tiles;
}

static const RecArrangingLayout layout = {
  .plugin.abi = { sizeof (RecArrangingLayout), REC_KIND_ARRANGING_LAYOUT, REC_ABI_MAJOR + 1, 0 },
  .plugin.id = "bad-abi-major",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
