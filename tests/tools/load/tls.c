/* tls.c - GnuTLS over a socket of ours. */
#include "tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"

struct LoadTls {
  int fd;
  gnutls_session_t session;
  gnutls_certificate_credentials_t credentials;
};

/* --- addresses ---------------------------------------------------------------------------------------------------- */

bool
load_address_parse (const char *url, LoadAddress *address, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";

  if ((strcmp (scheme, "https") != 0 && strcmp (scheme, "wss") != 0) ||
      g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0') {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "'%.*s' is no address of a server: https://HOST[:PORT] is expected",
        (int) strcspn (url, "?"), url);
    return false;
  }
  address->host = g_strdup (g_uri_get_host (uri));
  address->port = g_uri_get_port (uri) > 0 ? (unsigned) g_uri_get_port (uri) : 443;
  address->path = g_strdup (*g_uri_get_path (uri) != '\0' ? g_uri_get_path (uri) : "/");
  return true;
}

void
load_address_clear (LoadAddress *address)
{
  g_clear_pointer (&address->host, g_free);
  g_clear_pointer (&address->path, g_free);
}

bool
load_address_is_local (const LoadAddress *address)
{
  return strcmp (address->host, "localhost") == 0 || g_str_has_prefix (address->host, "127.") ||
         strcmp (address->host, "::1") == 0;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

static int
open_socket (const struct addrinfo *info, unsigned timeout_s)
{
  const struct timeval timeout = { .tv_sec = (time_t) timeout_s };
  const int on = 1;
  rec_autofd int fd = socket (info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -1;
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect (fd, info->ai_addr, info->ai_addrlen) != 0)
    return -1;
  return rec_fd_steal (&fd);
}

static int
connect_to (const LoadAddress *address, unsigned timeout_s, GError **error)
{
  const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
  struct addrinfo *all = NULL;
  char port[16];
  int fd = -1, code;

  g_snprintf (port, sizeof port, "%u", address->port);
  code = getaddrinfo (address->host, port, &hints, &all);
  if (code != 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot find '%s': %s", address->host,
        gai_strerror (code));
    return -1;
  }
  for (const struct addrinfo *info = all; info != NULL && fd < 0; info = info->ai_next)
    fd = open_socket (info, timeout_s);
  if (fd < 0)
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED,
        "cannot connect to %s:%u: %s: is the server "
        "running?",
        address->host, address->port, g_strerror (errno));
  freeaddrinfo (all);
  return fd;
}

static bool
shake_hands (LoadTls *tls, const LoadAddress *address, bool is_trusting, unsigned timeout_s,
    GError **error)
{
  int code;

  gnutls_certificate_allocate_credentials (&tls->credentials);
  gnutls_init (&tls->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
  gnutls_set_default_priority (tls->session);
  gnutls_credentials_set (tls->session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
  gnutls_server_name_set (tls->session, GNUTLS_NAME_DNS, address->host, strlen (address->host));
  if (!is_trusting) {
    gnutls_certificate_set_x509_system_trust (tls->credentials);
    gnutls_session_set_verify_cert (tls->session, address->host, 0);
  }
  gnutls_transport_set_int (tls->session, tls->fd);
  gnutls_handshake_set_timeout (tls->session, timeout_s * 1000);
  do
    code = gnutls_handshake (tls->session);
  while (code < 0 && !gnutls_error_is_fatal (code));
  if (code >= 0)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot speak TLS with %s:%u: %s%s",
      address->host, address->port, gnutls_strerror (code),
      code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR ? " (--insecure takes any certificate)" : "");
  return false;
}

LoadTls *
load_tls_connect (const LoadAddress *address, bool is_trusting, unsigned timeout_s, GError **error)
{
  int fd = connect_to (address, timeout_s, error);
  g_autoptr (LoadTls) tls = NULL;

  if (fd < 0)
    return NULL;
  tls = g_new0 (LoadTls, 1);
  tls->fd = fd;
  return shake_hands (tls, address, is_trusting, timeout_s, error) ? g_steal_pointer (&tls) : NULL;
}

void
load_tls_free (LoadTls *tls)
{
  if (tls == NULL)
    return;
  gnutls_deinit (tls->session);
  gnutls_certificate_free_credentials (tls->credentials);
  rec_fd_close (&tls->fd);
  g_free (tls);
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */

static ssize_t
finish (ssize_t n)
{
  if (n >= 0)
    return n;
  if (n == GNUTLS_E_PREMATURE_TERMINATION)
    return 0;
  errno = n == GNUTLS_E_AGAIN || n == GNUTLS_E_TIMEDOUT ? EAGAIN : EIO;
  return -1;
}

ssize_t
load_tls_read (LoadTls *tls, void *data, size_t size)
{
  ssize_t n;

  do
    n = gnutls_record_recv (tls->session, data, size);
  while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_REHANDSHAKE);
  return finish (n);
}

ssize_t
load_tls_write (LoadTls *tls, const void *data, size_t size)
{
  ssize_t n;

  do
    n = gnutls_record_send (tls->session, data, size);
  while (n == GNUTLS_E_INTERRUPTED);
  return finish (n);
}

bool
load_tls_write_all (LoadTls *tls, const void *data, size_t size)
{
  for (size_t at = 0; at < size;) {
    const ssize_t n = load_tls_write (tls, (const char *) data + at, size - at);

    if (n <= 0)
      return false;
    at += (size_t) n;
  }
  return true;
}

void
load_tls_unblock (LoadTls *tls)
{
  rec_fd_set_nonblocking (tls->fd, true, NULL);
}

bool
load_tls_has_pending (const LoadTls *tls)
{
  return gnutls_record_check_pending (tls->session) > 0;
}

int
load_tls_get_fd (const LoadTls *tls)
{
  return tls->fd;
}
