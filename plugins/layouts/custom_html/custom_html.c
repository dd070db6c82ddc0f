/* custom_html.c - the index.html at the root of the custom layouts' folder: OpenVidu's CUSTOM without a customLayout. */
#include "common/page.h"

static bool
custom_html_resolve (const RecPageRequest *request, RecPage *page, RecError *error)
{
  char path[REC_PAGE_PATH_SIZE];

  if (!rec_page_clean_path (request->layout, path, error))
    return false;
  if (*path != '\0')
    return rec_fail (error, REC_FAIL_INVALID,
        "custom_html records index.html of the folder itself; customLayout '%.100s' is for "
        "custom_subfolder",
        path);
  return rec_page_open_folder (request, "", page, error);
}

static bool
custom_html_list (const char *folder, RecEmit emit, void *data, RecError *error)
{
  char summary[200];

  (void) error;
  if (rec_page_is_layout (folder, "", summary, sizeof summary))
    emit (data, "", summary);
  return true;
}

static const RecPageLayout custom_html = {
  .plugin.abi = REC_PAGE_LAYOUT_ABI,
  .plugin.id = "custom_html",
  .plugin.version = "1.0",
  .plugin.summary = "The page at the root of the custom layouts' folder",
  .resolve = custom_html_resolve,
  .list = custom_html_list,
};
REC_REGISTER_PLUGIN (custom_html)
