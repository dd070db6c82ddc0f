/* broken-page-list.c - a page layout that crashes when it is asked for its pages. */
#include <recto/layout.h>

#include <stdlib.h>

static bool
resolve (const RecPageRequest *request, RecPage *page, RecError *error)
{
  (void) request;
  (void) page;
  return rec_fail (error, REC_FAIL_UNSUPPORTED, "told to have no page");
}

static bool
list (const char *folder, RecEmit emit, void *data, RecError *error)
{
  (void) folder;
  (void) error;
  emit (data, "seen before the crash", "");
  abort ();
}

static const RecPageLayout broken_page_list = {
  .plugin.abi = REC_PAGE_LAYOUT_ABI,
  .plugin.id = "broken-page-list",
  .plugin.version = "1.0",
  .resolve = resolve,
  .list = list,
};
REC_REGISTER_PLUGIN (broken_page_list)
