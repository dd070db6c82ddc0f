/* fuzz-websocket.c - frames of a client that has just been upgraded. */
#include "fuzz/fuzz.h"

#include "api/websocket.h"
#include "base/fd.h"

#include <sys/socket.h>

typedef struct {
  RecWebSocket *socket;
  bool echoes, closes, is_closed;
} Server;

static const RecWebSocketLimits limits = {
  .max_message_bytes = 5000,
  .max_queue_bytes = 20000,
  .max_messages_per_second = 1000,
  .max_bytes_per_second = 1000000,
  .idle_timeout_ms = 60000,
};

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  return 0;
}

static void
on_receive (RecWebSocket *socket, const char *text, size_t length, void *data)
{
  const Server *server = data;

  g_assert_false (server->is_closed);
  g_assert_cmpuint (length, <=, limits.max_message_bytes);
  g_assert_true (g_utf8_validate (text, (gssize) length, NULL) || memchr (text, 0, length) != NULL);
  if (server->echoes)
    rec_websocket_send (socket, text, length);
  if (server->closes)
    rec_websocket_close (socket, 1000, "enough");
}

static void
on_closed (RecWebSocket *socket, void *data)
{
  Server *server = data;

  g_assert_false (server->is_closed);
  server->is_closed = true;
  server->socket = NULL;
  rec_websocket_free (socket);
}

static const RecWebSocketEvents events = { .receive = on_receive, .closed = on_closed };

/* Byte 0 says how the server behaves, byte 1 how much came together with the upgrade. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Server server = { 0 };
  int fds[2];

  if (size < 2)
    return 0;
  const size_t n_extra = MIN (data[1], size - 2);
  server.echoes = data[0] & 1;
  server.closes = data[0] & 2;
  g_assert_true (rec_fd_socketpair (SOCK_STREAM, fds, NULL));
  g_assert_true (rec_fd_set_nonblocking (fds[0], true, NULL));
  server.socket =
      rec_websocket_new (fds[0], (const char *) data + 2, n_extra, &limits, &events, &server);
  (void) send (fds[1], data + 2 + n_extra, size - 2 - n_extra, MSG_DONTWAIT | MSG_NOSIGNAL);
  fuzz_run_loop ();
  rec_fd_close (&fds[1]);
  fuzz_run_loop ();
  g_assert_true (server.is_closed);
  rec_fd_close (&fds[0]);
  return 0;
}
