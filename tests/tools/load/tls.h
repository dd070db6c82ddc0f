/* tls.h - a TLS connection to the server: opened on a thread that may wait, then used without waiting. */
#ifndef RECTO_LOAD_TLS_H
#define RECTO_LOAD_TLS_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct LoadTls LoadTls;

typedef struct {
  char *host;
  unsigned port;
  char *path; /* with the query; "/" at least */
} LoadAddress;

/* "https://HOST[:PORT][/...]" or "wss://...", default port 443. */
bool load_address_parse (const char *url, LoadAddress *address, GError **error);
void load_address_clear (LoadAddress *address);
/* Whether it can't be anybody else's machine. */
bool load_address_is_local (const LoadAddress *address);

/* Waits up to timeout_s for each step. is_trusting: takes any certificate. [any] */
LoadTls *load_tls_connect (const LoadAddress *address, bool is_trusting, unsigned timeout_s,
    GError **error);
void load_tls_free (LoadTls *tls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LoadTls, load_tls_free)

/* Bytes; 0: the other side closed; -1 with errno, EAGAIN when it would have to wait (or, before unblock, waited in
 * vain). */
ssize_t load_tls_read (LoadTls *tls, void *data, size_t size);
ssize_t load_tls_write (LoadTls *tls, const void *data, size_t size);
bool load_tls_write_all (LoadTls *tls, const void *data, size_t size);
void load_tls_unblock (LoadTls *tls);
bool load_tls_has_pending (const LoadTls *tls); /* bytes that no poll would tell of */
int load_tls_get_fd (const LoadTls *tls);

#endif
