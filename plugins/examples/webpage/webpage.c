/* webpage.c - records the one page whose address is in its ini file. */
#include <recto/layout.h>

#include <string.h>

static bool
webpage_resolve (const RecPageRequest *request, RecPage *page, RecError *error)
{
  const char *address = request->options->get_string (request->options, "address");
  size_t origin = strlen ("https://");
  int length;

  if (strncmp (address, "https://", origin) != 0)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "webpage.ini names no https address");
  origin += strcspn (address + origin, "/?#");
  length = snprintf (page->url, page->url_capacity, "%s?sessionId=%s&secret=%s", address,
      request->session_id, request->secret);
  if (length >= (int) page->url_capacity || origin >= page->allow_capacity)
    return rec_fail (error, REC_FAIL_INVALID, "the address in webpage.ini is too long");
  memcpy (page->allow, address, origin);
  page->allow[origin] = '\0';
  return true;
}

static const RecOption *const webpage_options[] = {
  REC_OPTION_STRING (0, "address", "", "The page, with https:// in front"),
  REC_OPTION_END,
};

static const RecPageLayout webpage = {
  .plugin.abi = REC_PAGE_LAYOUT_ABI,
  .plugin.id = "webpage",
  .plugin.version = "1.0",
  .plugin.options = webpage_options,
  .resolve = webpage_resolve,
};
REC_REGISTER_PLUGIN (webpage)
