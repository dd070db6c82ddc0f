/* cdr.c - appends lines to the CDR file, and begins a new one when it is large. */
#define G_LOG_DOMAIN "rec.events.cdr"
#include "events/cdr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"

#define OLD_PREFIX "CDR-"
#define OLD_SUFFIX ".log"

/* As choose_old_path makes them. */
#define OLD_CHARACTERS "0123456789T."

struct RecCdr {
  char *folder, *path;
  int64_t max_bytes, bytes;
  unsigned keep;
  int fd;
};

static bool
fail (GError **error, const char *what, const char *path)
{
  const int cause = errno;

  g_set_error (error, REC_ERROR, cause == ENOSPC ? REC_ERROR_NO_SPACE : REC_ERROR_FAILED,
      "cannot %s '%s': %s", what, path, g_strerror (cause));
  return false;
}

static bool
is_old_name (const char *name)
{
  if (!g_str_has_prefix (name, OLD_PREFIX) || !g_str_has_suffix (name, OLD_SUFFIX))
    return false;
  const char *time = name + strlen (OLD_PREFIX);
  return strspn (time, OLD_CHARACTERS) >= strlen (time) - strlen (OLD_SUFFIX) + 1;
}

bool
rec_cdr_is_name (const char *name)
{
  return strcmp (name, REC_CDR_FILE) == 0 || is_old_name (name);
}

/* A line that a crash cut off must not swallow the next one. */
static bool
ends_in_the_middle (int fd, int64_t bytes)
{
  char last = '\n';

  return bytes > 0 && pread (fd, &last, 1, bytes - 1) == 1 && last != '\n';
}

bool
rec_cdr_reopen (RecCdr *cdr, GError **error)
{
  rec_autofd int fd = open (cdr->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  struct stat info;

  if (fd < 0 || fstat (fd, &info) != 0)
    return fail (error, "open", cdr->path);
  cdr->bytes = info.st_size;
  if (ends_in_the_middle (fd, cdr->bytes)) {
    if (!rec_fd_write_all (fd, "\n", 1, error))
      return false;
    cdr->bytes++;
  }
  rec_fd_close (&cdr->fd);
  cdr->fd = rec_fd_steal (&fd);
  return true;
}

RecCdr *
rec_cdr_new (const char *folder, int64_t max_bytes, unsigned keep, GError **error)
{
  g_autoptr (RecCdr) cdr = g_new0 (RecCdr, 1);

  cdr->folder = g_strdup (folder);
  cdr->path = g_build_filename (folder, REC_CDR_FILE, NULL);
  cdr->max_bytes = max_bytes;
  cdr->keep = keep;
  cdr->fd = -1;
  if (!rec_path_make_folder (folder, 0750, error) || !rec_cdr_reopen (cdr, error))
    return NULL;
  return g_steal_pointer (&cdr);
}

void
rec_cdr_free (RecCdr *cdr)
{
  if (cdr == NULL)
    return;
  rec_fd_close (&cdr->fd);
  g_free (cdr->path);
  g_free (cdr->folder);
  g_free (cdr);
}

/* --- turning over ---------------------------------------------------------------------------------------------- */

/* The names sort by their time, which is in microseconds because a small file is soon full. */
static char *
choose_old_path (const RecCdr *cdr)
{
  for (;;) {
    g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
    g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%S");
    g_autofree char *path = g_strdup_printf ("%s/" OLD_PREFIX "%s.%06d" OLD_SUFFIX, cdr->folder,
        time, g_date_time_get_microsecond (now));
    if (!g_file_test (path, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&path);
  }
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
remove_surplus (const RecCdr *cdr)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) folder = g_dir_open (cdr->folder, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    if (is_old_name (name))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i + cdr->keep < names->len; i++) {
    g_autofree char *path = g_build_filename (cdr->folder, names->pdata[i], NULL);
    if (unlink (path) == 0)
      g_message ("removed the oldest CDR file '%s': events.cdr-keep-files are left", path);
    else
      g_warning ("cannot remove the old CDR file '%s': %s; it stays", path, g_strerror (errno));
  }
}

static bool
turn_over (RecCdr *cdr, GError **error)
{
  g_autofree char *old_path = choose_old_path (cdr);

  if (rename (cdr->path, old_path) != 0 && errno != ENOENT)
    return fail (error, "rename", cdr->path);
  if (!rec_cdr_reopen (cdr, error))
    return false;
  remove_surplus (cdr);
  return true;
}

bool
rec_cdr_write (RecCdr *cdr, const char *line, GError **error)
{
  g_autofree char *whole = g_strconcat (line, "\n", NULL);
  const size_t length = strlen (whole);

  if (cdr->max_bytes > 0 && cdr->bytes > 0 && cdr->bytes + (int64_t) length > cdr->max_bytes &&
      !turn_over (cdr, error))
    return false;
  /* One write, so that whoever follows the file sees whole lines. */
  if (!rec_fd_write_all (cdr->fd, whole, length, error)) {
    if (ftruncate (cdr->fd, cdr->bytes) != 0)
      g_debug ("cannot cut half a line off '%s': %s", cdr->path, g_strerror (errno));
    g_prefix_error (error, "cannot write to '%s': ", cdr->path);
    return false;
  }
  cdr->bytes += (int64_t) length;
  return true;
}
