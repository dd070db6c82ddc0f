/* fd.h - owned file descriptors: close-on-exec from birth, closed by type. */
#ifndef REC_BASE_FD_H
#define REC_BASE_FD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Closes and sets -1; fine with -1. errno is kept. */
void rec_fd_close (int *fd);
/* Gives the descriptor away and leaves -1. */
int rec_fd_steal (int *fd);
/* rec_autofd int fd = -1; */
#define rec_autofd __attribute__ ((cleanup (rec_fd_close)))

/* A pair of unix sockets of SOCK_STREAM or SOCK_SEQPACKET, both ends close-on-exec and blocking. */
bool rec_fd_socketpair (int type, int fds[2], GError **error);
/* fds[0] reads, fds[1] writes. */
bool rec_fd_pipe (int fds[2], GError **error);

bool rec_fd_set_nonblocking (int fd, bool nonblocking, GError **error);
bool rec_fd_set_cloexec (int fd, bool cloexec, GError **error);

/* Asks for SO_SNDBUF (past the system's limit where we may) and returns what the kernel gave, as it counts it:
 * twice the asked bytes. -1 with an error. */
int rec_fd_set_send_buffer (int fd, int bytes, GError **error);

/* All of it, across EINTR and short writes; for blocking descriptors. */
bool rec_fd_write_all (int fd, const void *data, size_t size, GError **error);

#endif
