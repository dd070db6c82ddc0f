/* path.c - containment for every name that comes from outside. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.base.path"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define MAX_NAME_BYTES 200
#define MAX_RELATIVE_BYTES 1024
#define MAX_DEPTH 500 /* of folders that are removed, each with an open descriptor */

static bool
is_ordinary (const char *component, size_t length)
{
  if (length == 0 || length > MAX_NAME_BYTES || component[0] == '.')
    return false;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char) component[i];
    if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
      return false;
  }
  return g_utf8_validate_len (component, length, NULL);
}

bool
rec_path_is_safe_name (const char *name)
{
  return is_ordinary (name, strnlen (name, MAX_NAME_BYTES + 1));
}

bool
rec_path_is_safe_relative (const char *relative)
{
  if (strnlen (relative, MAX_RELATIVE_BYTES + 1) > MAX_RELATIVE_BYTES)
    return false;
  for (const char *component = relative;;) {
    const char *end = strchrnul (component, '/');
    if (!is_ordinary (component, (size_t) (end - component)))
      return false;
    if (*end == '\0')
      return true;
    component = end + 1;
  }
}

static RecErrorCode
code_for_errno (int number)
{
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    return REC_ERROR_NOT_FOUND;
  case ENOSPC:
  case EDQUOT:
    return REC_ERROR_NO_SPACE;
  default:
    return REC_ERROR_FAILED;
  }
}

static bool
fail (const char *what, const char *path, GError **error)
{
  g_set_error (error, REC_ERROR, code_for_errno (errno), "cannot %s '%s': %s", what, path,
      g_strerror (errno));
  return false;
}

static bool
refuse (const char *relative, GError **error)
{
  g_autofree char *shown = g_strescape (relative, NULL);

  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "'%.200s' is not a name inside the folder", shown);
  return false;
}

static bool
is_below (const char *root, const char *path)
{
  size_t length = strlen (root);

  if (strcmp (root, "/") == 0)
    return true;
  return strncmp (root, path, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The real path of what exists of `path`, with the rest, which has no links yet, put behind it. */
static char *
resolve_existing (const char *path)
{
  g_autofree char *rest = NULL;

  for (g_autofree char *existing = g_strdup (path);;) {
    char *real = realpath (existing, NULL);
    struct stat info;
    if (real != NULL) {
      char *whole = rest == NULL ? g_strdup (real) : g_build_filename (real, rest, NULL);
      free (real);
      return whole;
    }
    if (errno != ENOENT || lstat (existing, &info) == 0)
      return NULL; /* the last of these: a link that leads nowhere yet */
    g_autofree char *name = g_path_get_basename (existing);
    g_autofree char *longer = rest == NULL ? g_strdup (name) : g_build_filename (name, rest, NULL);
    g_free (rest);
    rest = g_steal_pointer (&longer);
    char *parent = g_path_get_dirname (existing);
    g_free (existing);
    existing = parent;
  }
}

char *
rec_path_join_contained (const char *root, const char *relative, GError **error)
{
  if (!rec_path_is_safe_relative (relative)) {
    refuse (relative, error);
    return NULL;
  }
  char *resolved = realpath (root, NULL);
  if (resolved == NULL) {
    fail ("find the folder", root, error);
    return NULL;
  }
  g_autofree char *real_root = g_strdup (resolved);
  free (resolved);

  g_autofree char *joined = g_build_filename (real_root, relative, NULL);
  g_autofree char *real = resolve_existing (joined);
  if (real == NULL || !is_below (real_root, real)) {
    refuse (relative, error);
    return NULL;
  }
  return g_steal_pointer (&real);
}

int
rec_path_open_contained (const char *root, const char *relative, int flags, unsigned mode,
    GError **error)
{
  if (!rec_path_is_safe_relative (relative)) {
    refuse (relative, error);
    return -1;
  }
  rec_autofd int folder = open (root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    fail ("open the folder", root, error);
    return -1;
  }
  struct open_how how = {
    .flags = (uint64_t) (flags | O_CLOEXEC | O_NOCTTY),
    .mode = (flags & O_CREAT) != 0 ? mode : 0,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  int fd = (int) syscall (SYS_openat2, folder, relative, &how, sizeof how);
  if (fd >= 0)
    return fd;
  if (errno == EXDEV || errno == ELOOP)
    refuse (relative, error);
  else
    fail ("open", relative, error);
  return -1;
}

bool
rec_path_make_folder (const char *path, unsigned mode, GError **error)
{
  return g_mkdir_with_parents (path, (int) mode) == 0 || fail ("make the folder", path, error);
}

static bool
sync_folder_of (const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  rec_autofd int folder = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (folder < 0 || fsync (folder) < 0)
    return fail ("flush the folder", parent, error);
  return true;
}

static bool
write_part (const char *part, const void *data, size_t size, unsigned mode, GError **error)
{
  rec_autofd int fd =
      open (part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t) mode);

  if (fd < 0)
    return fail ("write", part, error);
  const char *rest = data;
  while (size > 0) {
    ssize_t written = write (fd, rest, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fail ("write", part, error);
    rest += written;
    size -= (size_t) written;
  }
  return fsync (fd) == 0 || fail ("flush", part, error);
}

bool
rec_path_write_file (const char *path, const void *data, size_t size, unsigned mode, GError **error)
{
  g_autofree char *part = g_strconcat (path, ".part", NULL);

  if (!write_part (part, data, size, mode, error)) {
    unlink (part);
    return false;
  }
  return rec_path_put_in_place (part, path, error);
}

bool
rec_path_put_in_place (const char *part, const char *path, GError **error)
{
  if (rename (part, path) < 0) {
    fail ("put in place", path, error);
    unlink (part);
    return false;
  }
  return sync_folder_of (path, error);
}

/* --- removing ------------------------------------------------------------------------------------- */

typedef struct {
  const uid_t *owners; /* of the topmost folder; NULL: whoever */
  size_t n_owners;
  dev_t device; /* which is not left */
} Removal;

static bool remove_entry (int folder, const char *name, Removal *removal, unsigned depth);

static bool
is_dots (const char *name)
{
  return strcmp (name, ".") == 0 || strcmp (name, "..") == 0;
}

/* Takes the descriptor. False with errno. */
static bool
empty_folder (int fd, Removal *removal, unsigned depth)
{
  DIR *dir = fdopendir (fd);
  const struct dirent *entry;
  bool is_empty = true;
  int number;

  if (dir == NULL) {
    rec_fd_close (&fd);
    return false;
  }
  while (is_empty && (errno = 0, entry = readdir (dir)) != NULL)
    is_empty = is_dots (entry->d_name) ||
               remove_entry (dirfd (dir), entry->d_name, removal, depth + 1);
  number = errno;
  closedir (dir);
  errno = number;
  return is_empty && number == 0;
}

static bool
is_owned (const Removal *removal, uid_t uid)
{
  for (size_t i = 0; i < removal->n_owners; i++)
    if (removal->owners[i] == uid)
      return true;
  return removal->owners == NULL;
}

static bool
may_remove (Removal *removal, int fd, unsigned depth)
{
  struct stat info;

  if (fstat (fd, &info) != 0)
    return false;
  if (depth == 0)
    removal->device = info.st_dev;
  errno = depth == 0 ? EPERM : depth >= MAX_DEPTH ? ELOOP : EBUSY;
  return depth == 0 ? is_owned (removal, info.st_uid)
                    : depth < MAX_DEPTH && info.st_dev == removal->device;
}

/* Every step goes from an open folder to what lies in it by one name: whoever may write there can put a link in the place
 * of a folder at any time, but leads us nowhere. */
static bool
remove_folder (int folder, const char *name, Removal *removal, unsigned depth)
{
  rec_autofd int fd = openat (folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  if (fd < 0)
    return errno == ENOENT;
  return may_remove (removal, fd, depth) && empty_folder (rec_fd_steal (&fd), removal, depth) &&
         (unlinkat (folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

static bool
remove_entry (int folder, const char *name, Removal *removal, unsigned depth)
{
  if (unlinkat (folder, name, 0) == 0 || errno == ENOENT)
    return true;
  return errno == EISDIR && remove_folder (folder, name, removal, depth);
}

static bool
remove_tree (const char *path, Removal *removal)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  rec_autofd int folder = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (folder < 0)
    return errno == ENOENT;
  return removal->owners != NULL ? remove_folder (folder, name, removal, 0)
                                 : remove_entry (folder, name, removal, 0);
}

bool
rec_path_remove_tree (const char *path, GError **error)
{
  return remove_tree (path, &(Removal){ 0 }) || fail ("remove", path, error);
}

bool
rec_path_remove_tree_of (const char *path, const uid_t *owners, size_t n_owners, GError **error)
{
  return remove_tree (path, &(Removal){ owners, n_owners, 0 }) || fail ("remove", path, error);
}

int64_t
rec_path_get_free_bytes (const char *path)
{
  struct statvfs disk;

  return statvfs (path, &disk) == 0 ? (int64_t) disk.f_bavail * (int64_t) disk.f_frsize : -1;
}

/* [a thread] */
static void
close_last (GTask *task, void *source G_GNUC_UNUSED, void *fd,
    GCancellable *cancellable G_GNUC_UNUSED)
{
  close (GPOINTER_TO_INT (fd));
  g_task_return_boolean (task, TRUE);
}

/* A file's space is given back by whoever lets go of it last. */
int
rec_path_unlink (const char *path)
{
  const int fd = open (path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  const int result = unlink (path), code = errno;

  if (fd >= 0) {
    g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

    g_task_set_task_data (task, GINT_TO_POINTER (fd), NULL);
    g_task_run_in_thread (task, close_last);
  }
  errno = code;
  return result;
}
