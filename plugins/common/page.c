/* page.c - folders with an index.html: which there are, and the address of one. */
#define _GNU_SOURCE
#include "common/page.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INDEX "index.html"
#define SETTINGS "layout.ini"
#define MAX_NAME 200
#define MAX_DEPTH 4
#define MAX_LAYOUTS 200

/* --- names ------------------------------------------------------------------------------------------------------- */

static bool
is_ordinary (const char *component, size_t length)
{
  if (component[0] == '.' || length > MAX_NAME)
    return false;
  for (size_t i = 0; i < length; i++)
    if ((unsigned char) component[i] < 0x20 || component[i] == 0x7f || component[i] == '\\')
      return false;
  return true;
}

bool
rec_page_clean_path (const char *layout, char *path, RecError *error)
{
  size_t length = 0;

  path[0] = '\0';
  for (const char *at = layout; *at != '\0';) {
    size_t n = strcspn (at, "/");
    if (n > 0 && (!is_ordinary (at, n) || length + n + 2 > REC_PAGE_PATH_SIZE))
      return rec_fail (error, REC_FAIL_INVALID,
          "customLayout '%.100s' is not the path of a folder below the layouts' folder", layout);
    if (n > 0 && length > 0)
      path[length++] = '/';
    memcpy (path + length, at, n);
    length += n;
    at += n + (at[n] == '/');
  }
  path[length] = '\0';
  return true;
}

int
rec_page_open_below (const char *folder, const char *path, int flags)
{
  struct open_how how = {
    .flags = (uint64_t) (flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  int root = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, error;

  if (root < 0)
    return -1;
  fd = (int) syscall (SYS_openat2, root, *path == '\0' ? "." : path, &how, sizeof how);
  error = errno;
  close (root);
  errno = error;
  return fd;
}

static int
open_in (const char *folder, const char *path, const char *name)
{
  char file[REC_PAGE_PATH_SIZE + MAX_NAME];
  struct stat info;
  int fd;

  snprintf (file, sizeof file, "%s%s%s", path, *path == '\0' ? "" : "/", name);
  fd = rec_page_open_below (folder, file, O_RDONLY);
  if (fd < 0 || (fstat (fd, &info) == 0 && S_ISREG (info.st_mode)))
    return fd;
  close (fd);
  errno = ENOENT;
  return -1;
}

/* --- the address ------------------------------------------------------------------------------------------------- */

bool
rec_page_append (RecPage *page, const char *text, bool encode, RecError *error)
{
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  size_t length = strlen (page->url);

  for (const char *at = text; *at != '\0'; at++) {
    bool escape = encode && strchr (plain, *at) == NULL;
    if (length + (escape ? 3 : 1) >= page->url_capacity)
      return rec_fail (error, REC_FAIL_INVALID, "the page's address is longer than %u bytes",
          page->url_capacity - 1);
    if (escape)
      snprintf (page->url + length, 4, "%%%02X", (unsigned) (unsigned char) *at);
    else
      page->url[length] = *at;
    length += escape ? 3 : 1;
    page->url[length] = '\0';
  }
  return true;
}

static bool
append_path (RecPage *page, const char *path, RecError *error)
{
  char component[MAX_NAME + 1];

  for (const char *at = path; *at != '\0';) {
    size_t n = strcspn (at, "/");
    memcpy (component, at, n);
    component[n] = '\0';
    if (!rec_page_append (page, component, true, error) ||
        !rec_page_append (page, "/", false, error))
      return false;
    at += n + (at[n] == '/');
  }
  return true;
}

static bool
write_url (const RecPageRequest *request, const char *path, RecPage *page, RecError *error)
{
  page->url[0] = '\0';
  return rec_page_append (page, request->base_url, false, error) &&
         append_path (page, path, error) &&
         rec_page_append (page, INDEX "?sessionId=", false, error) &&
         rec_page_append (page, request->session_id, true, error) &&
         rec_page_append (page, "&secret=", false, error) &&
         rec_page_append (page, request->secret, true, error);
}

static bool
fail_to_open (const char *folder, const char *path, RecError *error)
{
  const char *slash = *path == '\0' ? "" : "/";

  if (errno == ENOENT || errno == ENOTDIR)
    return rec_fail (error, REC_FAIL_NOT_FOUND, "there is no %s%s" INDEX " in '%.60s'", path, slash,
        folder);
  if (errno == EXDEV || errno == ELOOP)
    return rec_fail (error, REC_FAIL_INVALID, "%.100s%s" INDEX " is a link out of '%.60s'", path,
        slash, folder);
  return rec_fail (error, errno == EACCES ? REC_FAIL_DENIED : REC_FAIL_IO,
      "cannot open %.100s%s" INDEX " in '%.60s': %s", path, slash, folder, strerror (errno));
}

bool
rec_page_open_folder (const RecPageRequest *request, const char *path, RecPage *page,
    RecError *error)
{
  int fd = open_in (request->layout_dir, path, INDEX);

  if (fd < 0)
    return fail_to_open (request->layout_dir, path, error);
  close (fd);
  if (!write_url (request, path, page, error))
    return false;
  fd = open_in (request->layout_dir, path, SETTINGS);
  if (fd >= 0)
    return rec_page_read_ini (fd, SETTINGS, page, NULL, 0, error);
  if (errno == ENOENT)
    return true;
  return rec_fail (error, REC_FAIL_INVALID, "cannot open " SETTINGS " of layout '%.100s': %s", path,
      strerror (errno));
}

/* --- the list ---------------------------------------------------------------------------------------------------- */

bool
rec_page_is_layout (const char *folder, const char *path, char *summary, size_t size)
{
  char url[4096] = "", allow[4096];
  RecPage page = {
    .url = url, .url_capacity = sizeof url, .allow = allow, .allow_capacity = sizeof allow
  };
  int fd = open_in (folder, path, INDEX);

  summary[0] = '\0';
  if (fd < 0)
    return false;
  close (fd);
  fd = open_in (folder, path, SETTINGS);
  if (fd >= 0 && !rec_page_read_ini (fd, SETTINGS, &page, summary, size, NULL))
    summary[0] = '\0';
  return true;
}

typedef struct Walk {
  const char *folder;
  RecEmit emit;
  void *data;
  unsigned n_layouts;
  bool is_over;
} Walk;

static int
is_candidate (const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

/* Opened with O_NONBLOCK and O_DIRECTORY: what is no folder is told by the kernel. */
static void
walk_folder (Walk *walk, const char *path, int depth)
{
  struct dirent **names = NULL;
  int fd = rec_page_open_below (walk->folder, path, O_RDONLY | O_DIRECTORY);
  int n_names = fd < 0 ? 0 : scandirat (fd, ".", &names, is_candidate, alphasort);
  char child[REC_PAGE_PATH_SIZE], raw[REC_PAGE_PATH_SIZE], summary[200];

  if (fd >= 0)
    close (fd);
  for (int i = 0; i < n_names; i++) {
    int n = snprintf (raw, sizeof raw, "%s/%s", path, names[i]->d_name);
    free (names[i]);
    if (walk->is_over || n >= (int) sizeof raw || !rec_page_clean_path (raw, child, NULL))
      continue;
    if (rec_page_is_layout (walk->folder, child, summary, sizeof summary))
      walk->is_over = !walk->emit (walk->data, child, summary) || ++walk->n_layouts == MAX_LAYOUTS;
    if (depth < MAX_DEPTH && !walk->is_over)
      walk_folder (walk, child, depth + 1);
  }
  free (names);
}

bool
rec_page_list_folders (const char *folder, RecEmit emit, void *data, RecError *error)
{
  Walk walk = { .folder = folder, .emit = emit, .data = data };
  int fd = rec_page_open_below (folder, "", O_RDONLY | O_DIRECTORY);

  if (fd < 0)
    return rec_fail (error, errno == ENOENT ? REC_FAIL_NOT_FOUND : REC_FAIL_IO,
        "cannot look into '%.180s': %s", folder, strerror (errno));
  close (fd);
  walk_folder (&walk, "", 1);
  return true;
}
