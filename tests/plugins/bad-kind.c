/* bad-kind.c - is of a kind that nobody knows. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) scene;
  (void) tiles;
}

static const RecArrangingLayout layout = {
  .plugin.abi = { sizeof (RecArrangingLayout), 77, REC_ABI_MAJOR, REC_ABI_MINOR },
  .plugin.id = "bad-kind",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
