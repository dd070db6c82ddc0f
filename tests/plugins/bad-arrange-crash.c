/* bad-arrange-crash.c - crashes when it has to arrange somebody. */
#include <recto/layout.h>

#include <stdlib.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) tiles;
  if (scene->n_streams > 0)
    abort ();
}

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "bad-arrange-crash",
  .plugin.version = "1.0",
  .plugin.summary = "Misbehaves",
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
