/* bad-size-too-large.c - says that its descriptor is larger than the library. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) scene;
  (void) tiles;
}

static const RecArrangingLayout layout = {
  .plugin.abi = { 0x7fffffff, REC_KIND_ARRANGING_LAYOUT, REC_ABI_MAJOR, REC_ABI_MINOR },
  .plugin.id = "bad-size-too-large",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
