/* tls-client.c - a blocking client for the server under test, run on a thread beside the main loop. */
#include "lib/tls-client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_MS 10000

struct TestClient {
  int fd;
  gnutls_session_t session;
  gnutls_certificate_credentials_t credentials;
};

int
test_connect (unsigned port, const char *source)
{
  struct sockaddr_in from = { .sin_family = AF_INET };
  const struct sockaddr_in address = {
    .sin_family = AF_INET,
    .sin_port = htons ((uint16_t) port),
    .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
  };
  const struct timeval timeout = { .tv_sec = TIMEOUT_MS / 1000 };
  const int on = 1;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (source != NULL) {
    g_assert_cmpint (inet_pton (AF_INET, source, &from.sin_addr), ==, 1);
    g_assert_cmpint (bind (fd, (const struct sockaddr *) &from, sizeof from), ==, 0);
  }
  if (connect (fd, (const struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

TestClient *
test_client_new (unsigned port)
{
  return test_client_new_from (port, NULL);
}

TestClient *
test_client_new_from (unsigned port, const char *source)
{
  int fd = test_connect (port, source);

  if (fd < 0)
    return NULL;
  TestClient *client = g_new0 (TestClient, 1);
  client->fd = fd;
  gnutls_certificate_allocate_credentials (&client->credentials);
  gnutls_init (&client->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
  gnutls_set_default_priority (client->session);
  gnutls_credentials_set (client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
  gnutls_transport_set_int (client->session, fd);
  gnutls_handshake_set_timeout (client->session, TIMEOUT_MS);
  int code;
  do
    code = gnutls_handshake (client->session);
  while (code < 0 && !gnutls_error_is_fatal (code));
  if (code >= 0)
    return client;
  test_client_free (client);
  return NULL;
}

void
test_client_free (TestClient *client)
{
  if (client == NULL)
    return;
  gnutls_deinit (client->session);
  gnutls_certificate_free_credentials (client->credentials);
  close (client->fd);
  g_free (client);
}

bool
test_client_write (TestClient *client, const void *data, size_t size)
{
  const char *at = data;

  while (size > 0) {
    ssize_t n = gnutls_record_send (client->session, at, size);
    if (n == GNUTLS_E_INTERRUPTED)
      continue;
    if (n <= 0)
      return false;
    at += n;
    size -= (size_t) n;
  }
  return true;
}

int
test_client_read (TestClient *client, void *data, size_t size, int timeout_ms)
{
  ssize_t n;

  gnutls_record_set_timeout (client->session, (unsigned) timeout_ms);
  do
    n = gnutls_record_recv (client->session, data, size);
  while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN);
  if (n == GNUTLS_E_TIMEDOUT)
    return -1;
  return n < 0 ? 0 : (int) n;
}

static bool
read_all (TestClient *client, void *data, size_t size)
{
  for (size_t at = 0; at < size;) {
    int n = test_client_read (client, (char *) data + at, size - at, TIMEOUT_MS);
    if (n <= 0)
      return false;
    at += (size_t) n;
  }
  return true;
}

static bool
read_head (TestClient *client, GString *head)
{
  char octet;

  while (read_all (client, &octet, 1)) {
    g_string_append_c (head, octet);
    if (g_str_has_suffix (head->str, "\r\n\r\n"))
      return true;
  }
  return false;
}

TestResponse *
test_client_read_response (TestClient *client, bool without_body)
{
  TestResponse *response = g_new0 (TestResponse, 1);
  GString *head = g_string_new (NULL);

  response->body = g_string_new (NULL);
  if (read_head (client, head) && g_str_has_prefix (head->str, "HTTP/1.1 "))
    response->status = (unsigned) atoi (head->str + strlen ("HTTP/1.1 "));
  response->head = g_string_free (head, FALSE);
  g_autofree char *length = test_response_dup_header (response, "Content-Length");
  if (length != NULL && !without_body) {
    g_string_set_size (response->body, strtoul (length, NULL, 10));
    if (!read_all (client, response->body->str, response->body->len))
      response->status = 0;
  }
  return response;
}

void
test_response_free (TestResponse *response)
{
  if (response == NULL)
    return;
  g_free (response->head);
  g_string_free (response->body, TRUE);
  g_free (response);
}

char *
test_response_dup_header (const TestResponse *response, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (response->head, "\r\n", -1);
  const size_t length = strlen (name);

  for (char **line = lines; *line != NULL; line++)
    if (g_ascii_strncasecmp (*line, name, length) == 0 && (*line)[length] == ':')
      return g_strdup (g_strstrip (*line + length + 1));
  return NULL;
}

TestResponse *
test_client_ask (TestClient *client, const char *text)
{
  test_client_write (client, text, strlen (text));
  return test_client_read_response (client, g_str_has_prefix (text, "HEAD "));
}

TestResponse *
test_ask (unsigned port, const char *text)
{
  g_autoptr (TestClient) client = test_client_new (port);

  g_assert_nonnull (client);
  return test_client_ask (client, text);
}

bool
test_client_upgrade (TestClient *client, const char *target)
{
  g_autofree char *text =
      g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
          target);
  g_autoptr (TestResponse) response = test_client_ask (client, text);
  g_autofree char *accept = test_response_dup_header (response, "Sec-WebSocket-Accept");

  return response->status == 101 && g_strcmp0 (accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0;
}

bool
test_client_send_frame (TestClient *client, uint8_t first_byte, const void *data, size_t size)
{
  static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };
  g_autoptr (GByteArray) frame = g_byte_array_new ();
  uint8_t head[10] = { first_byte };
  guint n_head = 2;

  if (size < 126) {
    head[1] = (uint8_t) (0x80 | size);
  } else {
    head[1] = 0x80 | 127;
    for (int i = 0; i < 8; i++)
      head[2 + i] = (uint8_t) ((uint64_t) size >> (8 * (7 - i)));
    n_head = 10;
  }
  /* wslay wants the shortest form. */
  if (size >= 126 && size < 65536) {
    head[1] = 0x80 | 126;
    head[2] = (uint8_t) (size >> 8);
    head[3] = (uint8_t) size;
    n_head = 4;
  }
  g_byte_array_append (frame, head, n_head);
  g_byte_array_append (frame, mask, 4);
  for (size_t i = 0; i < size; i++) {
    uint8_t octet = ((const uint8_t *) data)[i] ^ mask[i % 4];
    g_byte_array_append (frame, &octet, 1);
  }
  return test_client_write (client, frame->data, frame->len);
}

int
test_client_read_frame (TestClient *client, char **payload, size_t *size)
{
  uint8_t head[2], more[8];
  uint64_t length;

  *payload = NULL;
  if (!read_all (client, head, 2))
    return -1;
  length = head[1] & 0x7f;
  if (length >= 126) {
    const size_t n_more = length == 126 ? 2 : 8;
    if (!read_all (client, more, n_more))
      return -1;
    length = 0;
    for (size_t i = 0; i < n_more; i++)
      length = length << 8 | more[i];
  }
  *payload = g_malloc0 (length + 1);
  *size = length;
  return read_all (client, *payload, length) ? head[0] & 0x0f : -1;
}

typedef struct {
  void (*function) (void *data);
  void *data;
  gint is_done;
} Run;

static gpointer
run (gpointer data)
{
  Run *r = data;

  r->function (r->data);
  g_atomic_int_set (&r->is_done, 1);
  g_main_context_wakeup (NULL);
  return NULL;
}

void
test_run_beside_loop (void (*function) (void *data), void *data)
{
  Run r = { .function = function, .data = data };
  GThread *thread = g_thread_new ("client", run, &r);

  while (!g_atomic_int_get (&r.is_done))
    g_main_context_iteration (NULL, TRUE);
  g_thread_join (thread);
}
