/* bad-missing-callback.c - a layout that cannot arrange. */
#include <recto/layout.h>

static const RecArrangingLayout layout = {
  .plugin.abi = REC_ARRANGING_LAYOUT_ABI,
  .plugin.id = "bad-missing-callback",
};
REC_REGISTER_PLUGIN (layout)
