/* custom_subfolder.c - OpenVidu's CUSTOM with a customLayout: a folder below the custom layouts' folder, or an address. */
#include "common/page.h"

#include <string.h>

/* --- addresses: as OpenVidu 2.32 has them, and only those that the ini allows ------------------------------------------ */

static bool
is_address (const char *layout)
{
  return strncmp (layout, "https://", 8) == 0 || strncmp (layout, "http://", 7) == 0;
}

/* Of "https://host/path" the part in front of the path. */
static size_t
get_origin_length (const char *address)
{
  size_t scheme = (size_t) (strstr (address, "://") + 3 - address);

  return scheme + strcspn (address + scheme, "/?#");
}

/* An entry allows itself and what lies below it: "https://a" allows "https://a/b?c", not "https://a.b" or "https://a@b". */
static bool
entry_allows (const char *entry, size_t length, const char *address)
{
  size_t scheme = strcspn (entry, ":") + strlen ("://");

  if (length <= scheme || strncmp (entry, address, length) != 0)
    return false;
  return entry[length - 1] == '/' || strchr ("/?#", address[length]) != NULL;
}

static bool
is_allowed (const char *list, const char *address)
{
  for (const char *at = list; *at != '\0';) {
    size_t length;

    at += strspn (at, ", ");
    length = strcspn (at, ", ");
    if (length > 0 && is_address (at) && entry_allows (at, length, address))
      return true;
    at += length;
  }
  return false;
}

/* A browser takes "\" for "/", skips tabs, and walks up at ".." however it is written. */
static bool
is_plain (const char *address)
{
  for (const char *at = address; *at != '\0'; at++)
    if ((unsigned char) *at <= 0x20 || *at == 0x7f || *at == '\\')
      return false;
  return strstr (address, "/..") == NULL && strstr (address, "%2e") == NULL &&
         strstr (address, "%2E") == NULL;
}

static bool
has_parameter (const char *address, const char *name)
{
  size_t length = strlen (name);

  for (const char *at = strchr (address, '?'); at != NULL; at = strchr (at, '&'))
    if (strncmp (++at, name, length) == 0 && at[length] == '=')
      return true;
  return false;
}

static bool
append_parameter (RecPage *page, const char *name, const char *value, RecError *error)
{
  const char *end = page->url + strlen (page->url) - 1;

  if (has_parameter (page->url, name))
    return true;
  return (*end == '?' || *end == '&' || rec_page_append (page, "&", false, error)) &&
         rec_page_append (page, name, false, error) && rec_page_append (page, "=", false, error) &&
         rec_page_append (page, value, true, error);
}

/* An address without a query gets none. */
static bool
write_address (const RecPageRequest *request, RecPage *page, RecError *error)
{
  size_t n_origin = get_origin_length (request->layout);

  page->url[0] = '\0';
  if (n_origin >= page->allow_capacity)
    return rec_fail (error, REC_FAIL_INVALID, "customLayout's host name is too long");
  memcpy (page->allow, request->layout, n_origin);
  page->allow[n_origin] = '\0';
  if (!rec_page_append (page, request->layout, false, error))
    return false;
  if (strchr (page->url, '?') == NULL)
    return true;
  return append_parameter (page, "sessionId", request->session_id, error) &&
         append_parameter (page, "secret", request->secret, error);
}

static bool
open_address (const RecPageRequest *request, RecPage *page, RecError *error)
{
  const char *allowed = request->options->get_string (request->options, "allow");

  if (!is_plain (request->layout) || strchr (request->layout, '#') != NULL)
    return rec_fail (error, REC_FAIL_INVALID,
        "customLayout '%.150s' is not an address that can be recorded", request->layout);
  if (!is_allowed (allowed, request->layout))
    return rec_fail (error, REC_FAIL_INVALID,
        "customLayout '%.100s' is not among the addresses that 'allow' in custom_subfolder.ini "
        "names",
        request->layout);
  return write_address (request, page, error);
}

/* --- folders --------------------------------------------------------------------------------------------------------- */

static bool
append_name (void *data, const char *name, const char *summary)
{
  RecError *error = data;
  size_t length = strlen (error->message);
  bool is_first = error->message[length - 1] == ':';

  (void) summary;
  if (length + strlen (name) + 2 + sizeof ", ..." > sizeof error->message) {
    (void) snprintf (error->message + length, sizeof error->message - length, ", ...");
    return false;
  }
  (void) snprintf (error->message + length, sizeof error->message - length, "%s%s",
      is_first ? " " : ", ", name);
  return true;
}

static bool
fail_with_list (const RecPageRequest *request, const char *path, RecError *error)
{
  rec_fail (error, REC_FAIL_NOT_FOUND,
      "there is no layout '%.80s' (no index.html); there are:", path);
  rec_page_list_folders (request->layout_dir, append_name, error, NULL);
  if (error->message[strlen (error->message) - 1] == ':')
    rec_fail (error, REC_FAIL_NOT_FOUND,
        "there is no layout '%.80s' (no index.html), nor any other below '%.100s'", path,
        request->layout_dir);
  return false;
}

static bool
custom_subfolder_resolve (const RecPageRequest *request, RecPage *page, RecError *error)
{
  char path[REC_PAGE_PATH_SIZE];
  RecError why = { 0 };

  if (is_address (request->layout))
    return open_address (request, page, error);
  if (!rec_page_clean_path (request->layout, path, error))
    return false;
  if (rec_page_open_folder (request, path, page, &why))
    return true;
  if (why.code == REC_FAIL_NOT_FOUND)
    return fail_with_list (request, path, error);
  *error = why;
  return false;
}

static const RecOption *const custom_subfolder_options[] = {
  REC_OPTION_STRING (0, "allow", "",
      "Addresses that customLayout may name besides folders, separated by spaces; what lies below "
      "one is allowed with it"),
  REC_OPTION_END,
};

static const RecPageLayout custom_subfolder = {
  .plugin.abi = REC_PAGE_LAYOUT_ABI,
  .plugin.id = "custom_subfolder",
  .plugin.version = "1.0",
  .plugin.summary = "A page in a folder below the custom layouts' folder, or at an address",
  .plugin.options = custom_subfolder_options,
  .resolve = custom_subfolder_resolve,
  .list = rec_page_list_folders,
};
REC_REGISTER_PLUGIN (custom_subfolder)
