/* test-websocket.c - frames in, messages out, over a socket pair: what well-behaved and hostile clients do. */
#include "api/websocket.h"

#include "base/fd.h"
#include "base/main-thread.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIN 0x80
#define CONTINUATION 0
#define TEXT 1
#define BINARY 2
#define CLOSE 8
#define PING 9
#define PONG 10

typedef struct {
  int fds[2]; /* the server's, the client's */
  RecWebSocket *socket;
  GPtrArray *messages;
  GByteArray *input; /* that the client has read and not looked at */
  bool is_closed, closes_on_message;
  unsigned n_echoes;
} Fixture;

static void
on_receive (RecWebSocket *socket, const char *text, size_t length, void *data)
{
  Fixture *fixture = data;

  g_ptr_array_add (fixture->messages, g_strndup (text, length));
  if (fixture->closes_on_message)
    rec_websocket_close (socket, 1000, "enough");
  for (unsigned i = 0; i < fixture->n_echoes; i++)
    rec_websocket_send (socket, text, length);
}

static void
on_closed (RecWebSocket *socket, void *data)
{
  Fixture *fixture = data;

  g_assert_true (socket == fixture->socket);
  g_assert_false (fixture->is_closed);
  fixture->is_closed = true;
  g_clear_pointer (&fixture->socket, rec_websocket_free);
  rec_fd_close (&fixture->fds[0]);
}

static const RecWebSocketEvents events = { .receive = on_receive, .closed = on_closed };
static const RecWebSocketLimits limits = {
  .max_message_bytes = 5000,
  .max_queue_bytes = 100000,
  .max_messages_per_second = 20,
  .max_bytes_per_second = 100000,
  .idle_timeout_ms = 60000,
};

static void
set_up_with (Fixture *fixture, const char *extra, size_t n_extra, const RecWebSocketLimits *given)
{
  g_autoptr (GError) error = NULL;

  fixture->messages = g_ptr_array_new_with_free_func (g_free);
  fixture->input = g_byte_array_new ();
  rec_fd_socketpair (SOCK_STREAM, fixture->fds, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 2; i++)
    g_assert_true (rec_fd_set_nonblocking (fixture->fds[i], true, NULL));
  fixture->socket = rec_websocket_new (fixture->fds[0], extra, n_extra, given, &events, fixture);
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  set_up_with (fixture, NULL, 0, &limits);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_websocket_free (fixture->socket);
  rec_fd_close (&fixture->fds[0]);
  rec_fd_close (&fixture->fds[1]);
  g_ptr_array_unref (fixture->messages);
  g_byte_array_unref (fixture->input);
}

static GByteArray *
make_frame (uint8_t first_byte, const void *data, size_t size, bool is_masked)
{
  static const uint8_t mask[4] = { 1, 2, 3, 4 };
  GByteArray *frame = g_byte_array_new ();
  uint8_t head[4] = { first_byte, (uint8_t) (size < 126 ? size : 126) };
  const guint n_head = size < 126 ? 2 : 4;

  g_assert_cmpuint (size, <, 65536);
  head[1] |= is_masked ? 0x80 : 0;
  head[2] = (uint8_t) (size >> 8);
  head[3] = (uint8_t) size;
  g_byte_array_append (frame, head, n_head);
  if (is_masked)
    g_byte_array_append (frame, mask, 4);
  for (size_t i = 0; i < size; i++) {
    uint8_t octet = ((const uint8_t *) data)[i] ^ (is_masked ? mask[i % 4] : 0);
    g_byte_array_append (frame, &octet, 1);
  }
  return frame;
}

static void
send_bytes (Fixture *fixture, const void *data, size_t size)
{
  const char *at = data;

  while (size > 0) {
    ssize_t n = send (fixture->fds[1], at, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EPIPE)
      return;
    g_assert_true (n > 0 || errno == EAGAIN);
    if (n > 0) {
      at += n;
      size -= (size_t) n;
    } else {
      g_main_context_iteration (NULL, TRUE);
    }
  }
}

static void
send_frame (Fixture *fixture, uint8_t first_byte, const void *data, size_t size)
{
  g_autoptr (GByteArray) frame = make_frame (first_byte, data, size, true);

  send_bytes (fixture, frame->data, frame->len);
}

/* The opcode, or -1 at the end of the connection. */
static int
read_frame (Fixture *fixture, GString *payload)
{
  for (;;) {
    const uint8_t *head = fixture->input->data;
    size_t n_head = 2, size = 0;
    if (fixture->input->len >= 2) {
      size = head[1];
      n_head = size < 126 ? 2 : 4;
    }
    if (fixture->input->len >= 4 && n_head == 4)
      size = (size_t) head[2] << 8 | head[3];
    if (fixture->input->len >= n_head && fixture->input->len >= n_head + size) {
      const int opcode = head[0] & 0x0f;
      g_string_truncate (payload, 0);
      g_string_append_len (payload, (const char *) head + n_head, (gssize) size);
      g_byte_array_remove_range (fixture->input, 0, (guint) (n_head + size));
      return opcode;
    }
    uint8_t buffer[4096];
    ssize_t n = recv (fixture->fds[1], buffer, sizeof buffer, 0);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
      return -1;
    if (n > 0)
      g_byte_array_append (fixture->input, buffer, (guint) n);
    else
      g_main_context_iteration (NULL, TRUE);
  }
}

static void
expect_frame (Fixture *fixture, int opcode, const char *text)
{
  g_autoptr (GString) payload = g_string_new (NULL);

  g_assert_cmpint (read_frame (fixture, payload), ==, opcode);
  g_assert_cmpstr (payload->str, ==, text);
}

static void
expect_close (Fixture *fixture, unsigned code)
{
  g_autoptr (GString) payload = g_string_new (NULL);

  g_assert_cmpint (read_frame (fixture, payload), ==, CLOSE);
  g_assert_cmpuint (payload->len, >=, 2);
  g_assert_cmpuint ((unsigned) (uint8_t) payload->str[0] << 8 | (uint8_t) payload->str[1], ==,
      code);
}

static void
wait_for_messages (Fixture *fixture, guint n)
{
  while (fixture->messages->len < n && !fixture->is_closed)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->messages->len, ==, n);
}

static void
wait_until_closed (Fixture *fixture)
{
  while (!fixture->is_closed)
    g_main_context_iteration (NULL, TRUE);
}

/* --- friendly ---------------------------------------------------------------------------------------------------- */

static void
test_carries_messages (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *large = g_strnfill (4000, 'x');

  fixture->n_echoes = 1;
  send_frame (fixture, FIN | TEXT, "hello", 5);
  expect_frame (fixture, TEXT, "hello");
  send_frame (fixture, FIN | TEXT, large, 4000);
  expect_frame (fixture, TEXT, large);
  send_frame (fixture, FIN | TEXT, "", 0);
  expect_frame (fixture, TEXT, "");
}

static void
test_joins_fragments (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  send_frame (fixture, TEXT, "\xc3", 1);
  send_frame (fixture, FIN | PING, "between", 7);
  send_frame (fixture, CONTINUATION, "\xa4", 1);
  send_frame (fixture, FIN | CONTINUATION, "!", 1);
  expect_frame (fixture, PONG, "between");
  wait_for_messages (fixture, 1);
  g_assert_cmpstr (fixture->messages->pdata[0], ==, "\xc3\xa4!");
}

static void
test_takes_single_bytes (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) frame = make_frame (FIN | TEXT, "slow", 4, true);

  for (guint i = 0; i < frame->len; i++) {
    send_bytes (fixture, frame->data + i, 1);
    while (g_main_context_iteration (NULL, FALSE))
      ;
  }
  wait_for_messages (fixture, 1);
}

static void
test_agrees_to_close (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  send_frame (fixture, FIN | CLOSE, "\x03\xe9", 2);
  expect_close (fixture, 1001);
  wait_until_closed (fixture);
}

static void
test_closes_behind_messages (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_websocket_send (fixture->socket, "last", 4);
  rec_websocket_close (fixture->socket, 1000, "bye");
  rec_websocket_send (fixture->socket, "too late", 8);
  expect_frame (fixture, TEXT, "last");
  expect_close (fixture, 1000);
  send_frame (fixture, FIN | CLOSE, "\x03\xe8", 2);
  wait_until_closed (fixture);
}

static void
test_closes_without_the_peer (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_websocket_close (fixture->socket, 1000, NULL);
  expect_close (fixture, 1000);
  wait_until_closed (fixture); /* the peer never answers */
}

static void
test_hears_nothing_after_closing (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->closes_on_message = true;
  send_frame (fixture, FIN | TEXT, "a", 1);
  send_frame (fixture, FIN | TEXT, "b", 1);
  expect_close (fixture, 1000);
  send_frame (fixture, FIN | CLOSE, "\x03\xe8", 2);
  wait_until_closed (fixture);
  g_assert_cmpuint (fixture->messages->len, ==, 1);
}

static void
test_tells_when_the_peer_is_gone (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_fd_close (&fixture->fds[1]);
  wait_until_closed (fixture);
}

static void
test_flushes_when_freed (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_websocket_send (fixture->socket, "last", 4);
  rec_websocket_close (fixture->socket, 1001, "going");
  g_clear_pointer (&fixture->socket, rec_websocket_free);
  rec_fd_close (&fixture->fds[0]);
  expect_frame (fixture, TEXT, "last");
  expect_close (fixture, 1001);
}

static void
test_takes_what_came_early (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GByteArray) frame = make_frame (FIN | TEXT, "early", 5, true);

  set_up_with (&fixture, (const char *) frame->data, 4, &limits);
  g_assert_cmpuint (fixture.messages->len, ==, 0);
  send_bytes (&fixture, frame->data + 4, frame->len - 4);
  wait_for_messages (&fixture, 1);
  tear_down (&fixture, NULL);
}

/* Whoever answers may be silent for ever. */
static void
test_asks_silent_peers (void)
{
  RecWebSocketLimits impatient = limits;
  Fixture fixture = { 0 };

  impatient.idle_timeout_ms = 20;
  set_up_with (&fixture, NULL, 0, &impatient);
  for (int i = 0; i < 5; i++) {
    expect_frame (&fixture, PING, "");
    g_assert_false (fixture.is_closed);
    send_frame (&fixture, FIN | PONG, "", 0);
  }
  wait_until_closed (&fixture);
  tear_down (&fixture, NULL);
}

/* --- hostile ----------------------------------------------------------------------------------------------------- */

static void
test_refuses_bad_text (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  send_frame (fixture, FIN | TEXT, "a\xff", 2);
  expect_close (fixture, 1007);
  g_assert_cmpuint (fixture->messages->len, ==, 0);
}

static void
test_refuses_large_messages (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *large = g_strnfill (5001, 'x');

  send_frame (fixture, FIN | TEXT, large, 5001);
  expect_close (fixture, 1009);
  g_assert_cmpuint (fixture->messages->len, ==, 0);
}

static void
test_refuses_large_sums_of_fragments (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *large = g_strnfill (2000, 'x');

  send_frame (fixture, TEXT, large, 2000);
  send_frame (fixture, CONTINUATION, large, 2000);
  send_frame (fixture, CONTINUATION, large, 2000);
  expect_close (fixture, 1009);
  rec_fd_close (&fixture->fds[1]);
  wait_until_closed (fixture);
}

static void
test_refuses_binary (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  send_frame (fixture, FIN | BINARY, "a", 1);
  expect_close (fixture, 1003);
}

static void
test_refuses_broken_frames (void)
{
  static const uint8_t of_control[] = { FIN | PING, 0xfe, 0, 126 };
  static const uint8_t with_reserved[] = { FIN | 0x40 | TEXT, 0x81, 1, 2, 3, 4, 'a' ^ 1 };
  static const uint8_t of_unknown[] = { FIN | 3, 0x80, 1, 2, 3, 4 };
  static const uint8_t lonely[] = { FIN | CONTINUATION, 0x80, 1, 2, 3, 4 };
  static const uint8_t split_ping[] = { PING, 0x80, 1, 2, 3, 4 };
  static const uint8_t negative[] = { FIN | TEXT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 1, 2, 3, 4 };
  static const uint8_t unmasked[] = { FIN | TEXT, 1, 'a' };
  static const struct {
    const uint8_t *bytes;
    size_t size;
    unsigned code; /* wslay has none for a frame it can't even read */
  } cases[] = {
    { of_control, sizeof of_control, 0 },
    { with_reserved, sizeof with_reserved, 1002 },
    { of_unknown, sizeof of_unknown, 1002 },
    { lonely, sizeof lonely, 1002 },
    { split_ping, sizeof split_ping, 0 },
    { negative, sizeof negative, 0 },
    { unmasked, sizeof unmasked, 1002 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    Fixture fixture = { 0 };
    g_test_message ("case %zu", i);
    set_up (&fixture, NULL);
    send_bytes (&fixture, cases[i].bytes, cases[i].size);
    if (cases[i].code != 0)
      expect_close (&fixture, cases[i].code);
    else
      expect_frame (&fixture, CLOSE, "");
    g_assert_cmpuint (fixture.messages->len, ==, 0);
    rec_fd_close (&fixture.fds[1]);
    wait_until_closed (&fixture);
    tear_down (&fixture, NULL);
  }
}

static void
test_limits_the_rate (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  for (int i = 0; i < 300; i++)
    send_frame (fixture, FIN | TEXT, "x", 1);
  expect_close (fixture, 1008);
  /* Five seconds' worth may come at once. */
  g_assert_cmpuint (fixture->messages->len, >=, 100);
  g_assert_cmpuint (fixture->messages->len, <, 200);
}

static void
test_limits_the_bytes (void)
{
  g_autofree char *large = g_strnfill (4000, 'x');
  RecWebSocketLimits slow = limits;
  Fixture fixture = { 0 };

  slow.max_bytes_per_second = 2000;
  set_up_with (&fixture, NULL, 0, &slow);
  for (int i = 0; i < 20; i++)
    send_frame (&fixture, FIN | TEXT, large, 4000);
  expect_close (&fixture, 1008);
  g_assert_cmpuint (fixture.messages->len, >=, 2);
  g_assert_cmpuint (fixture.messages->len, <, 10);
  tear_down (&fixture, NULL);
}

/* However slow the rest, one message may have the full size. */
static void
test_takes_one_of_any_size (void)
{
  g_autofree char *large = g_strnfill (5000, 'x');
  RecWebSocketLimits slow = limits;
  Fixture fixture = { 0 };

  slow.max_bytes_per_second = 1;
  set_up_with (&fixture, NULL, 0, &slow);
  send_frame (&fixture, FIN | TEXT, large, 5000);
  wait_for_messages (&fixture, 1);
  tear_down (&fixture, NULL);
}

/* One client that pours must not keep all others waiting. */
static void
test_reads_in_turns (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *large = g_strnfill (4000, 'x');

  for (int i = 0; i < 40; i++)
    send_frame (fixture, FIN | TEXT, large, 4000);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->messages->len, >, 0);
  g_assert_cmpuint (fixture->messages->len, <, 30);
  wait_for_messages (fixture, 40);
}

static void
test_limits_pings (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GString) payload = g_string_new (NULL);
  int opcode;

  for (int i = 0; i < 300; i++)
    send_frame (fixture, FIN | PING, "x", 1);
  do
    opcode = read_frame (fixture, payload);
  while (opcode == PONG);
  g_assert_cmpint (opcode, ==, CLOSE);
}

static void
test_ends_slow_readers (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *large = g_strnfill (4000, 'x');

  fixture->n_echoes = 200;
  send_frame (fixture, FIN | TEXT, large, 4000);
  wait_until_closed (fixture);
}

/* --- handshake --------------------------------------------------------------------------------------------------- */

static void
test_knows_upgrades (void)
{
  static const struct {
    const char *method, *upgrade, *connection, *key, *version;
    bool is_upgrade;
  } cases[] = {
    { "GET", "websocket", "Upgrade", "abc", "13", true },
    { "GET", "WebSocket", "keep-alive, upgrade", "abc", "13", true },
    { "POST", "websocket", "Upgrade", "abc", "13", false },
    { "GET", "h2c", "Upgrade", "abc", "13", false },
    { "GET", "websocket", "close", "abc", "13", false },
    { "GET", "websocket", "Upgrade", "", "13", false },
    { "GET", "websocket", "Upgrade", "abc", "8", false },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (RecHttpRequest) request = rec_http_request_new (cases[i].method, "/openvidu");
    rec_http_request_add_header (request, "Upgrade", cases[i].upgrade);
    rec_http_request_add_header (request, "Connection", cases[i].connection);
    rec_http_request_add_header (request, "Sec-WebSocket-Key", cases[i].key);
    rec_http_request_add_header (request, "Sec-WebSocket-Version", cases[i].version);
    g_assert_true (rec_websocket_is_asked_for (request) == cases[i].is_upgrade);
  }
  /* The example of RFC 6455. */
  g_autofree char *accept = rec_websocket_make_accept ("dGhlIHNhbXBsZSBub25jZQ==");
  g_assert_cmpstr (accept, ==, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  g_test_init (&argc, &argv, NULL);
  ADD ("/websocket/carries-messages", test_carries_messages);
  ADD ("/websocket/joins-fragments-around-a-ping", test_joins_fragments);
  ADD ("/websocket/takes-single-bytes", test_takes_single_bytes);
  ADD ("/websocket/agrees-to-close", test_agrees_to_close);
  ADD ("/websocket/closes-behind-messages", test_closes_behind_messages);
  ADD ("/websocket/closes-without-the-peer", test_closes_without_the_peer);
  ADD ("/websocket/hears-nothing-after-closing", test_hears_nothing_after_closing);
  ADD ("/websocket/tells-when-the-peer-is-gone", test_tells_when_the_peer_is_gone);
  ADD ("/websocket/flushes-when-freed", test_flushes_when_freed);
  g_test_add_func ("/websocket/takes-what-came-early", test_takes_what_came_early);
  g_test_add_func ("/websocket/asks-silent-peers", test_asks_silent_peers);
  ADD ("/websocket/refuses-bad-text", test_refuses_bad_text);
  ADD ("/websocket/refuses-large-messages", test_refuses_large_messages);
  ADD ("/websocket/refuses-large-sums-of-fragments", test_refuses_large_sums_of_fragments);
  ADD ("/websocket/refuses-binary", test_refuses_binary);
  g_test_add_func ("/websocket/refuses-broken-frames", test_refuses_broken_frames);
  ADD ("/websocket/limits-the-rate", test_limits_the_rate);
  g_test_add_func ("/websocket/limits-the-bytes", test_limits_the_bytes);
  g_test_add_func ("/websocket/takes-one-of-any-size", test_takes_one_of_any_size);
  ADD ("/websocket/reads-in-turns", test_reads_in_turns);
  ADD ("/websocket/limits-pings", test_limits_pings);
  ADD ("/websocket/ends-slow-readers", test_ends_slow_readers);
  g_test_add_func ("/websocket/knows-upgrades", test_knows_upgrades);
  return g_test_run ();
}
