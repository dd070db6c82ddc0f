/* fd.c - owned file descriptors. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.base.fd"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

static bool
fail (const char *what, GError **error)
{
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot %s: %s", what, g_strerror (errno));
  return false;
}

void
rec_fd_close (int *fd)
{
  int saved_errno = errno;

  if (*fd >= 0)
    close (*fd);
  *fd = -1;
  errno = saved_errno;
}

int
rec_fd_steal (int *fd)
{
  int given = *fd;

  *fd = -1;
  return given;
}

bool
rec_fd_socketpair (int type, int fds[2], GError **error)
{
  if (socketpair (AF_UNIX, type | SOCK_CLOEXEC, 0, fds) == 0)
    return true;
  return fail ("make a pair of sockets", error);
}

bool
rec_fd_pipe (int fds[2], GError **error)
{
  if (pipe2 (fds, O_CLOEXEC) == 0)
    return true;
  return fail ("make a pipe", error);
}

bool
rec_fd_set_nonblocking (int fd, bool nonblocking, GError **error)
{
  int flags = fcntl (fd, F_GETFL);

  if (flags < 0)
    return fail ("read the flags of a descriptor", error);
  flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (fcntl (fd, F_SETFL, flags) < 0)
    return fail ("set the flags of a descriptor", error);
  return true;
}

bool
rec_fd_set_cloexec (int fd, bool cloexec, GError **error)
{
  if (fcntl (fd, F_SETFD, cloexec ? FD_CLOEXEC : 0) < 0)
    return fail ("set close-on-exec of a descriptor", error);
  return true;
}

int
rec_fd_set_send_buffer (int fd, int bytes, GError **error)
{
  int given = 0;
  socklen_t size = sizeof given;

  /* SO_SNDBUF alone is silently lowered to net.core.wmem_max; FORCE needs CAP_NET_ADMIN. */
  if (setsockopt (fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0 &&
      setsockopt (fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) < 0) {
    fail ("set a socket's send buffer", error);
    return -1;
  }
  if (getsockopt (fd, SOL_SOCKET, SO_SNDBUF, &given, &size) < 0) {
    fail ("read a socket's send buffer", error);
    return -1;
  }
  return given;
}

bool
rec_fd_write_all (int fd, const void *data, size_t size, GError **error)
{
  const char *rest = data;

  while (size > 0) {
    ssize_t written = write (fd, rest, size);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fail ("write", error);
    rest += written;
    size -= (size_t) written;
  }
  return true;
}
