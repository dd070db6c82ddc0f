/* output.c - a file that is being recorded: temporary name, safe on disk, final name at the end. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_PARTS 16

struct RecOutput {
  const RecHost *host;
  int directory_fd, fd, reserve_fd;
  char *directory;
  char *name, *id;  /* of the setup */
  char *stream_id;  /* NULL: composed */
  char *part;       /* temporary name */
  char *wanted;     /* final name if it is free */
  char *substitute; /* final name if not */
  char *reserve;    /* name of the reserve */
  uint64_t size, reserved;
  bool sync;
  int64_t next_sync_ns; /* monotonic */
};

static bool
fail_errno (RecError *error, const char *what, const char *name, int number)
{
  uint32_t code = REC_FAIL_IO;

  if (number == ENOSPC || number == EDQUOT || number == EFBIG)
    code = REC_FAIL_NO_SPACE;
  else if (number == EACCES || number == EPERM || number == EROFS)
    code = REC_FAIL_DENIED;
  else if (number == ENOENT)
    code = REC_FAIL_NOT_FOUND;
  return rec_fail (error, code, "cannot %s '%s': %s", what, name, strerror (number));
}

/* "NAME.mp4.part", "NAME-ID.mp4.part", ...; NULL without memory. */
REC_PRINTF (1, 2)
static char *
make_name (const char *format, ...)
{
  va_list arguments;
  char *name = NULL;

  va_start (arguments, format);
  if (vasprintf (&name, format, arguments) < 0)
    name = NULL;
  va_end (arguments);
  return name;
}

bool
rec_output_set_final (RecOutput *output, const char *ending, const char *stream_id)
{
  free (output->wanted);
  free (output->substitute);
  free (output->stream_id);
  output->wanted = make_name ("%s.%s", output->name, ending);
  output->substitute = make_name ("%s-%s.%s", output->name, output->id, ending);
  output->stream_id = stream_id != NULL ? strdup (stream_id) : NULL;
  return output->wanted && output->substitute && (stream_id == NULL || output->stream_id);
}

static RecOutput *
output_new (const RecSinkSetup *setup, const char *ending, RecError *error)
{
  RecOutput *output = calloc (1, sizeof *output);

  if (output == NULL) {
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
    return NULL;
  }
  output->host = setup->host;
  output->directory_fd = output->fd = output->reserve_fd = -1;
  output->directory = strdup (setup->directory);
  output->name = strdup (setup->name);
  output->id = strdup (setup->recording_id);
  output->reserve = make_name (".reserve.%s.%p", setup->recording_id, (void *) output);
  if (!output->directory || !output->name || !output->id || !output->reserve ||
      !rec_output_set_final (output, ending, NULL))
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
  else if (strchr (setup->name, '/') != NULL || strchr (setup->recording_id, '/') != NULL)
    rec_fail (error, REC_FAIL_INVALID, "'%s' is no name for a file", setup->name);
  else if ((output->directory_fd = open (setup->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
    fail_errno (error, "open the folder", setup->directory, errno);
  else
    return output;
  rec_output_free (output);
  return NULL;
}

/* Opens FINAL.part and locks it; the lock ends with the process. */
static bool
open_part (RecOutput *output, const char *final, int flags, RecError *error)
{
  char *part = make_name ("%s.part", final);

  if (part == NULL)
    return rec_fail (error, REC_FAIL_OTHER, "out of memory");
  output->fd = openat (output->directory_fd, part, flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (output->fd < 0) {
    fail_errno (error, flags & O_CREAT ? "create" : "open", part, errno);
    free (part);
    return false;
  }
  free (output->part);
  output->part = part;
  if (flock (output->fd, LOCK_EX | LOCK_NB) < 0)
    return rec_fail (error, REC_FAIL_IO, "'%s' is still being written by another process", part);
  return true;
}

RecOutput *
rec_output_create (const RecSinkSetup *setup, const char *ending, bool sync, RecError *error)
{
  RecOutput *output = output_new (setup, ending, error);
  const char *final;

  if (output == NULL)
    return NULL;
  output->sync = sync;
  final = faccessat (output->directory_fd, output->wanted, F_OK, AT_SYMLINK_NOFOLLOW) == 0
              ? output->substitute
              : output->wanted;
  if (open_part (output, final, O_CREAT | O_EXCL, error) ||
      (output->fd < 0 && open_part (output, output->substitute, O_CREAT | O_EXCL, error)))
    return output;
  rec_output_free (output);
  return NULL;
}

RecOutput *
rec_output_reopen (const RecSinkSetup *setup, const char *ending, bool sync, RecError *error)
{
  RecOutput *output = output_new (setup, ending, error);
  struct stat info;

  if (output == NULL)
    return NULL;
  output->sync = sync;
  if (open_part (output, output->substitute, 0, error) ||
      (output->fd < 0 && open_part (output, output->wanted, 0, error))) {
    if (fstat (output->fd, &info) == 0 && S_ISREG (info.st_mode)) {
      output->size = (uint64_t) info.st_size;
      return output;
    }
    rec_fail (error, REC_FAIL_IO, "'%s' is no regular file", output->part);
  }
  rec_output_free (output);
  return NULL;
}

bool
rec_output_is_complete (const RecSinkSetup *setup, const char *ending, const char *media_type)
{
  RecOutput *output = output_new (setup, ending, NULL);
  const char *found = NULL;

  if (output == NULL)
    return false;
  if (faccessat (output->directory_fd, output->substitute, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    found = output->substitute;
  else if (faccessat (output->directory_fd, output->wanted, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    found = output->wanted;
  if (found != NULL)
    setup->host->add_file (setup->host, found, media_type, NULL);
  rec_output_free (output);
  return found != NULL;
}

void
rec_output_free (RecOutput *output)
{
  if (output == NULL)
    return;
  if (output->directory_fd >= 0)
    rec_output_release_reserve (output);
  if (output->fd >= 0)
    close (output->fd);
  if (output->directory_fd >= 0)
    close (output->directory_fd);
  free (output->directory);
  free (output->name);
  free (output->id);
  free (output->stream_id);
  free (output->part);
  free (output->wanted);
  free (output->substitute);
  free (output->reserve);
  free (output);
}

uint64_t
rec_output_get_size (const RecOutput *output)
{
  return output->size;
}

/* Writes everything or sets errno. */
static bool
write_parts (RecOutput *output, struct iovec *parts, int n_parts)
{
  uint64_t offset = output->size;

  while (n_parts > 0) {
    ssize_t written = pwritev (output->fd, parts, n_parts, (off_t) offset);

    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      errno = written == 0 ? ENOSPC : errno;
      return false;
    }
    offset += (uint64_t) written;
    while (n_parts > 0 && (size_t) written >= parts->iov_len) {
      written -= (ssize_t) parts->iov_len;
      parts++;
      n_parts--;
    }
    if (n_parts > 0) {
      parts->iov_base = (uint8_t *) parts->iov_base + written;
      parts->iov_len -= (size_t) written;
    }
  }
  output->size = offset;
  return true;
}

bool
rec_output_append (RecOutput *output, const struct iovec *parts, int n_parts, RecError *error)
{
  struct iovec rest[MAX_PARTS];
  int reason;

  if (n_parts > MAX_PARTS)
    return rec_fail (error, REC_FAIL_OTHER, "too many parts for one write");
  memcpy (rest, parts, (size_t) n_parts * sizeof *parts);
  if (write_parts (output, rest, n_parts))
    return true;

  reason = errno;
  if (ftruncate (output->fd, (off_t) output->size) < 0)
    rec_log (output->host, REC_LOG_WARNING, "cannot cut '%s' after a failed write: %s",
        output->part, strerror (errno));
  return fail_errno (error, "write to", output->part, reason);
}

bool
rec_output_overwrite (RecOutput *output, uint64_t offset, const void *data, size_t size,
    RecError *error)
{
  ssize_t written;

  do
    written = pwrite (output->fd, data, size, (off_t) offset);
  while (written < 0 && errno == EINTR);
  if (written == (ssize_t) size)
    return true;
  return fail_errno (error, "write to", output->part, written < 0 ? errno : EIO);
}

bool
rec_output_read (RecOutput *output, uint64_t offset, void *data, size_t size, RecError *error)
{
  uint8_t *place = data;

  while (size > 0) {
    ssize_t n_read = pread (output->fd, place, size, (off_t) offset);

    if (n_read < 0 && errno == EINTR)
      continue;
    if (n_read <= 0)
      return fail_errno (error, "read", output->part, n_read < 0 ? errno : EIO);
    place += n_read;
    offset += (uint64_t) n_read;
    size -= (size_t) n_read;
  }
  return true;
}

bool
rec_output_truncate (RecOutput *output, uint64_t size, RecError *error)
{
  if (ftruncate (output->fd, (off_t) size) < 0)
    return fail_errno (error, "cut", output->part, errno);
  output->size = size;
  return true;
}

static int64_t
get_monotonic_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

bool
rec_output_sync (RecOutput *output, RecError *error)
{
  if (output->sync && fdatasync (output->fd) < 0)
    return fail_errno (error, "sync", output->part, errno);
  return true;
}

bool
rec_output_sync_often (RecOutput *output, RecError *error)
{
  int64_t begin_ns = get_monotonic_ns (), end_ns;

  if (begin_ns < output->next_sync_ns)
    return true;
  if (!rec_output_sync (output, error))
    return false;
  end_ns = get_monotonic_ns ();
  output->next_sync_ns = end_ns + 3 * (end_ns - begin_ns);
  return true;
}

bool
rec_output_reserve (RecOutput *output, uint64_t size, RecError *error)
{
  int reason;

  if (size <= output->reserved)
    return true;
  if (output->reserve_fd < 0) {
    output->reserve_fd = openat (output->directory_fd, output->reserve,
        O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (output->reserve_fd < 0)
      return fail_errno (error, "create", output->reserve, errno);
    unlinkat (output->directory_fd, output->reserve, 0); /* its room lasts as long as we do */
  }
  reason = posix_fallocate (output->reserve_fd, 0, (off_t) size);
  if (reason != 0)
    return fail_errno (error, "keep room on the disk in", output->reserve, reason);
  output->reserved = size;
  return true;
}

void
rec_output_release_reserve (RecOutput *output)
{
  if (output->reserve_fd < 0)
    return;
  close (output->reserve_fd);
  output->reserve_fd = -1;
  output->reserved = 0;
}

/* Sets errno to EEXIST if the name is taken. */
static bool
rename_part (RecOutput *output, const char *final)
{
  if (renameat2 (output->directory_fd, output->part, output->directory_fd, final,
          RENAME_NOREPLACE) == 0)
    return true;
  if (errno != EINVAL && errno != ENOSYS)
    return false;
  /* A file system that cannot rename so: a hard link overwrites nothing either. */
  return linkat (output->directory_fd, output->part, output->directory_fd, final, 0) == 0 &&
         unlinkat (output->directory_fd, output->part, 0) == 0;
}

bool
rec_output_commit (RecOutput *output, const char *media_type, RecError *error)
{
  const char *final = output->wanted;

  if (output->sync && fsync (output->fd) < 0)
    return fail_errno (error, "sync", output->part, errno);
  if (!rename_part (output, final)) {
    final = output->substitute;
    if (errno != EEXIST || !rename_part (output, final))
      return fail_errno (error, "give the final name to", output->part, errno);
  }
  if (output->sync && fsync (output->directory_fd) < 0)
    return fail_errno (error, "sync the folder", output->directory, errno);
  rec_output_release_reserve (output);
  output->host->add_file (output->host, final, media_type, output->stream_id);
  return true;
}

void
rec_output_discard (RecOutput *output)
{
  unlinkat (output->directory_fd, output->part, 0);
}
