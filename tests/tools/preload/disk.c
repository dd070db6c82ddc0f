/* disk.c - loaded before libc: what is written into one folder finds its disk full as soon as the file `full` lies beside this library
 * and names that folder. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static bool
read_full_folder (char *folder, size_t size)
{
  Dl_info self;
  char path[PATH_MAX];

  if (dladdr ((void *) read_full_folder, &self) == 0)
    return false;
  snprintf (path, sizeof path, "%.*s/full", (int) (strrchr (self.dli_fname, '/') - self.dli_fname),
      self.dli_fname);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  ssize_t length = read (fd, folder, size - 1);
  close (fd);
  folder[length > 0 ? length : 0] = '\0';
  return length > 0;
}

static bool
is_full (int fd)
{
  char folder[PATH_MAX], link[64], file[PATH_MAX];
  const int before = errno;

  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink (link, file, sizeof file - 1);
  file[length > 0 ? length : 0] = '\0';
  bool is = file[0] == '/' && read_full_folder (folder, sizeof folder) &&
            strncmp (file, folder, strlen (folder)) == 0;
  errno = is ? ENOSPC : before;
  return is;
}

ssize_t
write (int fd, const void *data, size_t size)
{
  return is_full (fd) ? -1 : syscall (SYS_write, fd, data, size);
}

ssize_t
pwrite (int fd, const void *data, size_t size, off_t offset)
{
  return is_full (fd) ? -1 : syscall (SYS_pwrite64, fd, data, size, offset);
}

ssize_t
pwritev (int fd, const struct iovec *parts, int n_parts, off_t offset)
{
  return is_full (fd) ? -1 : syscall (SYS_pwritev, fd, parts, n_parts, offset, 0L);
}
