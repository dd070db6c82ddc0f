/* bad-options.c - has an option whose default is out of its own range. */
#include <recto/layout.h>

static void
arrange (const RecScene *scene, RecTile *tiles)
{
  (void) scene;
  (void) tiles;
}

static const RecOption *const options[] = {
  REC_OPTION_INT (0, "gap", "300", "Pixels between two tiles", 0, 200),
  REC_OPTION_END,
};

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "bad-options",
  .plugin.options = options,
  .arrange = arrange,
};
REC_REGISTER_PLUGIN (layout)
