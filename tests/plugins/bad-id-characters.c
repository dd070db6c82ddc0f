/* bad-id-characters.c - has a name that leads out of the configuration folder. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) scene;
  (void) tiles;
}

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "../etc/Passwd",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
