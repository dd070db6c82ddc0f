/* listen.c - the listening socket, with errors that name the address. */
#define G_LOG_DOMAIN "rec.api.listen"
#include "api/listen.h"

#include "base/error.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct addrinfo *
parse_address (const char *address, unsigned port, GError **error)
{
  const struct addrinfo hints = {
    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
    .ai_socktype = SOCK_STREAM,
  };
  struct addrinfo *found = NULL;
  char service[8];

  snprintf (service, sizeof service, "%u", port);
  int code = getaddrinfo (address, service, &hints, &found);
  if (code == 0)
    return found;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "server.address = '%s' is no numeric address: %s", address, gai_strerror (code));
  return NULL;
}

static int
open_socket (const struct addrinfo *info, int backlog)
{
  rec_autofd int fd = socket (info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1, off = 0;

  if (fd < 0 || setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return -1;
  if (info->ai_family == AF_INET6 &&
      setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
    return -1;
  if (bind (fd, info->ai_addr, info->ai_addrlen) != 0 || listen (fd, backlog) != 0)
    return -1;
  return rec_fd_steal (&fd);
}

int
rec_listen (const char *address, unsigned port, int backlog, GError **error)
{
  struct addrinfo *info = parse_address (address, port, error);

  if (info == NULL)
    return -1;
  int fd = open_socket (info, backlog);
  if (fd < 0)
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE, "cannot listen on %s port %u: %s",
        address, port, g_strerror (errno));
  freeaddrinfo (info);
  return fd;
}

unsigned
rec_listen_get_port (int fd)
{
  struct sockaddr_storage address = { 0 };
  socklen_t length = sizeof address;

  if (getsockname (fd, (struct sockaddr *) &address, &length) != 0)
    return 0;
  return ntohs (address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *) &address)->sin6_port
                                              : ((struct sockaddr_in *) &address)->sin_port);
}

char *
rec_address_to_text (const struct sockaddr *address)
{
  char text[INET6_ADDRSTRLEN] = "";

  if (address == NULL)
    return g_strdup ("");
  if (address->sa_family == AF_INET)
    inet_ntop (AF_INET, &((const struct sockaddr_in *) address)->sin_addr, text, sizeof text);
  else if (address->sa_family == AF_INET6)
    inet_ntop (AF_INET6, &((const struct sockaddr_in6 *) address)->sin6_addr, text, sizeof text);
  return g_strdup (g_str_has_prefix (text, "::ffff:") && strchr (text, '.') != NULL ? text + 7
                                                                                    : text);
}
