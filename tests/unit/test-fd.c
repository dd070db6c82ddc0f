/* test-fd.c - owned descriptors. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool
is_open (int fd)
{
  return fcntl (fd, F_GETFD) >= 0;
}

static bool
is_cloexec (int fd)
{
  return (fcntl (fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static bool
is_nonblocking (int fd)
{
  return (fcntl (fd, F_GETFL) & O_NONBLOCK) != 0;
}

static void
test_close_forgets (void)
{
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  int copy = fd;

  errno = EPIPE;
  rec_fd_close (&fd);
  g_assert_cmpint (errno, ==, EPIPE);
  g_assert_cmpint (fd, ==, -1);
  g_assert_false (is_open (copy));
  rec_fd_close (&fd);
}

static void
test_scope_closes (void)
{
  int copy = -1;
  {
    rec_autofd int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    copy = fd;
    g_assert_true (is_open (copy));
  }
  g_assert_false (is_open (copy));
}

static void
test_steal_keeps_open (void)
{
  int stolen = -1;
  {
    rec_autofd int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    stolen = rec_fd_steal (&fd);
    g_assert_cmpint (fd, ==, -1);
  }
  g_assert_true (is_open (stolen));
  rec_fd_close (&stolen);
}

static void
test_socketpair_keeps_messages_apart (void)
{
  int fds[2] = { -1, -1 };
  g_autoptr (GError) error = NULL;
  char buffer[16];

  g_assert_true (rec_fd_socketpair (SOCK_SEQPACKET, fds, &error));
  g_assert_no_error (error);
  g_assert_true (is_cloexec (fds[0]) && is_cloexec (fds[1]));
  g_assert_cmpint (write (fds[0], "one", 3), ==, 3);
  g_assert_cmpint (write (fds[0], "three", 5), ==, 5);
  g_assert_cmpint (read (fds[1], buffer, sizeof buffer), ==, 3);
  g_assert_cmpint (read (fds[1], buffer, sizeof buffer), ==, 5);
  rec_fd_close (&fds[0]);
  g_assert_cmpint (read (fds[1], buffer, sizeof buffer), ==, 0);
  rec_fd_close (&fds[1]);
}

static void
test_impossible_socketpair_says_why (void)
{
  int fds[2] = { -1, -1 };
  g_autoptr (GError) error = NULL;

  g_assert_false (rec_fd_socketpair (12345, fds, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, "pair of sockets"));
  g_assert_cmpint (fds[0], ==, -1);
}

static void
test_flags_can_be_changed_back (void)
{
  int fds[2] = { -1, -1 };

  g_assert_true (rec_fd_pipe (fds, NULL));
  g_assert_true (is_cloexec (fds[0]));
  g_assert_false (is_nonblocking (fds[0]));
  g_assert_true (rec_fd_set_nonblocking (fds[0], true, NULL));
  g_assert_true (is_nonblocking (fds[0]));
  g_assert_true (rec_fd_set_nonblocking (fds[0], false, NULL));
  g_assert_false (is_nonblocking (fds[0]));
  g_assert_true (rec_fd_set_cloexec (fds[0], false, NULL));
  g_assert_false (is_cloexec (fds[0]));
  rec_fd_close (&fds[0]);
  g_assert_false (rec_fd_set_nonblocking (fds[0], true, NULL));
  g_assert_false (rec_fd_set_cloexec (fds[0], true, NULL));
  rec_fd_close (&fds[1]);
}

static void
test_send_buffer_is_read_back (void)
{
  int fds[2] = { -1, -1 };
  int inherited = 0;
  socklen_t size = sizeof inherited;

  g_assert_true (rec_fd_socketpair (SOCK_STREAM, fds, NULL));
  g_assert_cmpint (getsockopt (fds[0], SOL_SOCKET, SO_SNDBUF, &inherited, &size), ==, 0);
  int lowered = rec_fd_set_send_buffer (fds[0], 16384, NULL);
  g_assert_cmpint (lowered, >=, 16384);
  g_assert_cmpint (lowered, <, inherited);
  rec_fd_close (&fds[0]);
  g_assert_cmpint (rec_fd_set_send_buffer (fds[0], 16384, NULL), ==, -1);
  rec_fd_close (&fds[1]);
}

static void *
read_everything (void *data)
{
  int fd = *(int *) data;
  GByteArray *bytes = g_byte_array_new ();
  guint8 buffer[4096];

  for (ssize_t n = read (fd, buffer, sizeof buffer); n > 0; n = read (fd, buffer, sizeof buffer))
    g_byte_array_append (bytes, buffer, (guint) n);
  return bytes;
}

static void
test_write_all_is_whole (void)
{
  int fds[2] = { -1, -1 };
  const size_t size = 1024 * 1024; /* far more than a pipe holds */
  g_autofree char *data = g_malloc (size);

  for (size_t i = 0; i < size; i++)
    data[i] = (char) (i * 7);
  g_assert_true (rec_fd_pipe (fds, NULL));
  GThread *reader = g_thread_new ("reader", read_everything, &fds[0]);
  g_assert_true (rec_fd_write_all (fds[1], data, size, NULL));
  rec_fd_close (&fds[1]);
  g_autoptr (GByteArray) bytes = g_thread_join (reader);
  g_assert_cmpmem (bytes->data, bytes->len, data, size);
  rec_fd_close (&fds[0]);
}

static void
test_write_all_says_why_not (void)
{
  g_autoptr (GError) error = NULL;
  rec_autofd int full = open ("/dev/full", O_WRONLY | O_CLOEXEC);

  g_assert_false (rec_fd_write_all (full, "x", 1, &error));
  g_assert_nonnull (strstr (error->message, g_strerror (ENOSPC)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fd/close-forgets-and-keeps-errno", test_close_forgets);
  g_test_add_func ("/fd/scope-closes", test_scope_closes);
  g_test_add_func ("/fd/steal-keeps-open", test_steal_keeps_open);
  g_test_add_func ("/fd/socketpair-keeps-messages-apart", test_socketpair_keeps_messages_apart);
  g_test_add_func ("/fd/impossible-socketpair-says-why", test_impossible_socketpair_says_why);
  g_test_add_func ("/fd/flags-can-be-changed-back", test_flags_can_be_changed_back);
  g_test_add_func ("/fd/send-buffer-is-read-back", test_send_buffer_is_read_back);
  g_test_add_func ("/fd/write-all-is-whole", test_write_all_is_whole);
  g_test_add_func ("/fd/write-all-says-why-not", test_write_all_says_why_not);
  return g_test_run ();
}
