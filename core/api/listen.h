/* listen.h - the listening socket, with errors that name the address. */
#ifndef REC_API_LISTEN_H
#define REC_API_LISTEN_H

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

/* A numeric address and a port (0: the system chooses). An owned descriptor, or -1. */
int rec_listen (const char *address, unsigned port, int backlog, GError **error);

/* The port a bound socket has. */
unsigned rec_listen_get_port (int fd);

/* "192.0.2.1", "2001:db8::1"; an IPv4 address inside IPv6 is shown as IPv4. "" when unknown. Free it. */
char *rec_address_to_text (const struct sockaddr *address);

#endif
