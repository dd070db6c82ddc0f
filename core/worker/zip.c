/* zip.c - puts files into a ZIP on the disk, by libarchive, a piece at a time. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.worker.zip"
#include "worker/zip.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES (256 * 1024)
/* What even a slow disk has written before anybody thinks that we hang. */
#define WINDOW_BYTES (1024 * 1024)

typedef struct {
  const RecZipRecipe *recipe;
  struct archive *archive;
  const char *part;
  int fd;
  int64_t n_read, n_written, n_begun; /* n_begun: on their way to the disk */
  int64_t deadline_us;                /* 0: none */
  char *piece;
  GError *failure; /* of writing */
  bool is_abandoned;
} Zip;

RecZipEntry *
rec_zip_entry_new (const char *path, const char *name)
{
  RecZipEntry *entry = g_new0 (RecZipEntry, 1);

  entry->path = g_strdup (path);
  entry->name = g_strdup (name);
  return entry;
}

void
rec_zip_entry_free (RecZipEntry *entry)
{
  g_free (entry->path);
  g_free (entry->name);
  g_free (entry);
}

static bool
fail (const char *what, const char *path, GError **error)
{
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot %s '%s': %s", what, path,
      g_strerror (errno));
  return false;
}

static bool
fail_to_pack (Zip *zip, GError **error)
{
  const char *why = archive_error_string (zip->archive);

  if (zip->failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&zip->failure));
    return false;
  }
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot write '%s': %s", zip->part,
      why != NULL ? why : "libarchive does not say why");
  return false;
}

/* --- to the disk ----------------------------------------------------------------------------------- */

/* Others write too, while we do. */
static bool
leaves_spare (const Zip *zip, GError **error)
{
  const int64_t free_bytes = rec_path_get_free_bytes (zip->part);

  if (free_bytes < 0 || free_bytes >= zip->recipe->spare_bytes)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
      "cannot go on writing '%s': the disk has less left than recording.end-free-bytes", zip->part);
  return false;
}

/* Waits for the disk, but while it writes the next window: or the last fsync would take as long as everything before it.
 * What the file system has to note of all that it notes once, then. */
static bool
keep_up (Zip *zip, GError **error)
{
  const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                       SYNC_FILE_RANGE_WAIT_AFTER;
  int status = sync_file_range (zip->fd, zip->n_begun, 0, SYNC_FILE_RANGE_WRITE);

  if (status == 0 && zip->n_begun > 0)
    status = sync_file_range (zip->fd, 0, zip->n_begun, all);
  if (status != 0 && (errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP))
    status = fdatasync (zip->fd);
  zip->n_begun = zip->n_written;
  return status == 0 || fail ("flush", zip->part, error);
}

static bool
write_piece (Zip *zip, const void *bytes, size_t size, GError **error)
{
  if (!rec_fd_write_all (zip->fd, bytes, size, error)) {
    g_prefix_error (error, "cannot write '%s': ", zip->part);
    return false;
  }
  zip->n_written += (int64_t) size;
  if (zip->n_written - zip->n_begun < WINDOW_BYTES)
    return true;
  return leaves_spare (zip, error) && keep_up (zip, error);
}

/* libarchive frees nothing of an archive whose writing has failed: it never hears of it, and writes its end to nowhere. */
static la_ssize_t
on_write (struct archive *archive, void *data, const void *bytes, size_t size)
{
  Zip *zip = data;

  (void) archive;
  if (!zip->is_abandoned && !write_piece (zip, bytes, size, &zip->failure))
    zip->is_abandoned = true;
  return (la_ssize_t) size;
}

static bool
open_archive (Zip *zip, GError **error)
{
  struct archive *archive = zip->archive = archive_write_new ();
  const bool deflates = zip->recipe->deflates;

  if (archive_write_set_format_zip (archive) == ARCHIVE_OK &&
      archive_write_set_format_option (archive, "zip", "compression",
          deflates ? "deflate" : "store") == ARCHIVE_OK &&
      (!deflates || archive_write_set_format_option (archive, "zip", "compression-level", "1") ==
                        ARCHIVE_OK) &&
      (!zip->recipe->is_zip64 ||
          archive_write_set_format_option (archive, "zip", "zip64", "1") == ARCHIVE_OK) &&
      archive_write_set_bytes_per_block (archive, PIECE_BYTES) == ARCHIVE_OK &&
      archive_write_set_bytes_in_last_block (archive, 1) == ARCHIVE_OK &&
      archive_write_open (archive, zip, NULL, on_write, NULL) == ARCHIVE_OK)
    return true;
  return fail_to_pack (zip, error);
}

/* --- from the disk --------------------------------------------------------------------------------- */

static bool
is_in_time (const Zip *zip, GError **error)
{
  if (zip->deadline_us == 0 || g_get_monotonic_time () <= zip->deadline_us)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_TIMEOUT,
      "'%s' was not written within %" G_GINT64_FORMAT " s", zip->part,
      zip->recipe->timeout_ms / 1000);
  return false;
}

static bool
pack_piece (Zip *zip, size_t size, GError **error)
{
  if (!is_in_time (zip, error))
    return false;
  if (archive_write_data (zip->archive, zip->piece, size) != (la_ssize_t) size || zip->is_abandoned)
    return fail_to_pack (zip, error);
  zip->n_read += (int64_t) size;
  if (zip->recipe->progress != NULL)
    zip->recipe->progress (zip->n_read, zip->recipe->data);
  return true;
}

static bool
pack_content (Zip *zip, int fd, const RecZipEntry *entry, int64_t size, GError **error)
{
  while (size > 0) {
    ssize_t n = read (fd, zip->piece, (size_t) MIN (size, PIECE_BYTES));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail ("read", entry->path, error);
    if (n == 0) {
      g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "'%s' became shorter while it was packed",
          entry->path);
      return false;
    }
    if (!pack_piece (zip, (size_t) n, error))
      return false;
    size -= n;
  }
  return true;
}

static bool
pack_header (Zip *zip, const RecZipEntry *entry, const struct stat *info, GError **error)
{
  struct archive_entry *header = archive_entry_new ();
  bool is_fine;

  archive_entry_set_pathname (header, entry->name);
  archive_entry_set_filetype (header, AE_IFREG);
  archive_entry_set_perm (header, 0644);
  archive_entry_set_size (header, info->st_size);
  archive_entry_set_mtime (header, info->st_mtime, 0);
  is_fine = archive_write_header (zip->archive, header) == ARCHIVE_OK || fail_to_pack (zip, error);
  archive_entry_free (header);
  return is_fine;
}

static bool
pack_entry (Zip *zip, const RecZipEntry *entry, GError **error)
{
  rec_autofd int fd = open (entry->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat info;

  if (fd < 0 || fstat (fd, &info) != 0)
    return fail ("read", entry->path, error);
  return pack_header (zip, entry, &info, error) &&
         pack_content (zip, fd, entry, info.st_size, error) &&
         (archive_write_finish_entry (zip->archive) == ARCHIVE_OK || fail_to_pack (zip, error));
}

/* --- the whole ------------------------------------------------------------------------------------- */

/* Better no ZIP than a disk that is full for the recordings that run. */
static bool
check_space (const Zip *zip, GPtrArray *entries, GError **error)
{
  int64_t needed = zip->recipe->spare_bytes;
  const int64_t free_bytes = rec_path_get_free_bytes (zip->part);
  struct stat info;

  if (free_bytes < 0)
    return fail ("look at the disk of", zip->part, error);
  for (unsigned i = 0; !zip->recipe->deflates && i < entries->len; i++)
    if (stat (((RecZipEntry *) entries->pdata[i])->path, &info) == 0)
      needed += info.st_size;
  if (free_bytes >= needed)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
      "'%s' and what must be left free take %" G_GINT64_FORMAT
      " bytes, but the disk has %" G_GINT64_FORMAT,
      zip->part, needed, free_bytes);
  return false;
}

static bool
pack_all (Zip *zip, GPtrArray *entries, GError **error)
{
  if (!check_space (zip, entries, error) || !open_archive (zip, error))
    return false;
  for (unsigned i = 0; i < entries->len; i++)
    if (!pack_entry (zip, entries->pdata[i], error))
      return false;
  if (archive_write_close (zip->archive) != ARCHIVE_OK || zip->is_abandoned)
    return fail_to_pack (zip, error);
  return fsync (zip->fd) == 0 || fail ("flush", zip->part, error);
}

/* libarchive asks the thread's locale what the bytes of a name mean. */
static bool
pack_all_as_utf8 (Zip *zip, GPtrArray *entries, GError **error)
{
  locale_t utf8 = newlocale (LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
  locale_t before = utf8 != (locale_t) 0 ? uselocale (utf8) : (locale_t) 0;
  bool is_packed = pack_all (zip, entries, error);

  zip->is_abandoned |= !is_packed;
  archive_write_free (zip->archive);
  if (utf8 != (locale_t) 0) {
    uselocale (before);
    freelocale (utf8);
  }
  return is_packed;
}

bool
rec_zip_write (const char *path, GPtrArray *entries, const RecZipRecipe *recipe, GError **error)
{
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  g_autofree char *piece = g_malloc (PIECE_BYTES);
  rec_autofd int fd = open (part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
  Zip zip = { .recipe = recipe, .part = part, .fd = fd, .piece = piece };

  if (fd < 0)
    return fail ("create", part, error);
  if (recipe->timeout_ms > 0)
    zip.deadline_us = g_get_monotonic_time () + recipe->timeout_ms * 1000;
  if (pack_all_as_utf8 (&zip, entries, error) && rec_path_put_in_place (part, path, error))
    return true;
  g_clear_error (&zip.failure);
  unlink (part);
  return false;
}
