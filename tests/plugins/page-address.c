/* page-address.c - a page layout that opens the address it is asked for, or refuses in the way it is asked to. */
#include <recto/layout.h>

#include <string.h>

static bool
resolve (const RecPageRequest *request, RecPage *page, RecError *error)
{
  const RecOptions *options = request->options;
  const char *refusal = options->get_string (options, "refusal");

  if (strcmp (refusal, "not-found") == 0)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "layout '%s' has no page", request->layout);
  if (strcmp (refusal, "invalid") == 0)
    return rec_fail (error, REC_FAIL_INVALID, "layout '%s' makes no sense", request->layout);
  snprintf (page->url, page->url_capacity, "%s", options->get_string (options, "address"));
  snprintf (page->allow, page->allow_capacity, "%s", options->get_string (options, "allow"));
  page->width = (int32_t) options->get_int (options, "width");
  page->height = (int32_t) options->get_int (options, "height");
  return true;
}

static const char *const refusals[] = { "none", "not-found", "invalid", NULL };

static const RecOption *const page_options[] = {
  REC_OPTION_STRING (REC_OPTION_REQUEST, "address", "", "What the browser opens"),
  REC_OPTION_STRING (REC_OPTION_REQUEST, "allow", "", "Other origins"),
  REC_OPTION_CHOICE (REC_OPTION_REQUEST, "refusal", "none", "How to refuse", refusals),
  REC_OPTION_INT (REC_OPTION_REQUEST, "width", "0", "Pixels, 0: as requested", 0, 100000),
  REC_OPTION_INT (REC_OPTION_REQUEST, "height", "0", "Pixels, 0: as requested", 0, 100000),
  REC_OPTION_END,
};

static const RecPageLayout page_address = {
  .plugin.abi = REC_PAGE_LAYOUT_ABI,
  .plugin.id = "page-address",
  .plugin.version = "1.0",
  .plugin.options = page_options,
  .resolve = resolve,
};
REC_REGISTER_PLUGIN (page_address)
