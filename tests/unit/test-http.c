/* test-http.c - requests and upgrades over real TLS connections, friendly and hostile. */
#include "api/http.h"

#include "api/websocket.h"
#include "base/config.h"
#include "base/fd.h"
#include "base/main-thread.h"
#include "lib/tls-client.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define LARGE (5 * G_GINT64_CONSTANT (1000000000))

typedef struct {
  char *folder;
  RecConfig *config;
  RecHttpServer *server;
  unsigned port;
  GPtrArray *held;    /* of RecHttpRequest, to be answered later */
  GPtrArray *sockets; /* of RecHttpSocket */
  unsigned n_handled;
} Fixture;

static RecHttpAdmission
admit (RecHttpRequest *request, void *data G_GNUC_UNUSED)
{
  if (rec_websocket_is_asked_for (request))
    return REC_HTTP_UPGRADE;
  return g_strcmp0 (request->path, "/forget") == 0 ? REC_HTTP_DISCARD_BODY : REC_HTTP_KEEP_BODY;
}

/* It has holes, and is gone once it is closed. */
static int
open_large_file (Fixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->folder, "large", NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, "hello", 5, LARGE - 5), ==, 5);
  g_unlink (path);
  return fd;
}

static void
handle (RecHttpRequest *request, void *data)
{
  Fixture *fixture = data;

  g_assert_true (rec_is_main_thread ());
  fixture->n_handled++;
  if (request->refusal != NULL)
    rec_http_answer_error (request, request->refusal);
  else if (strcmp (request->path, "/hold") == 0)
    g_ptr_array_add (fixture->held, rec_http_request_ref (request));
  else if (strcmp (request->path, "/large") == 0)
    rec_http_answer_file (request, 206, "text/plain", open_large_file (fixture), LARGE - 5, 5);
  else if (strcmp (request->path, "/file") == 0)
    rec_http_answer_file (request, 200, "text/plain",
        open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC), 0, 4);
  else if (strcmp (request->path, "/address") == 0)
    rec_http_answer (request, 200, "text/plain", g_strdup (request->ip), strlen (request->ip));
  else
    rec_http_answer (request, 200, "text/plain",
        g_strndup ((char *) request->body->data, request->body->len), request->body->len);
}

static void
upgraded (RecHttpSocket *socket, void *data)
{
  Fixture *fixture = data;

  g_assert_true (rec_is_main_thread ());
  g_ptr_array_add (fixture->sockets, socket);
}

static const RecHttpCallbacks callbacks = {
  .admit = admit, .handle = handle, .upgraded = upgraded
};

static void
set (RecConfig *config, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = g_strsplit (data == NULL ? "" : data, " ", -1);

  fixture->folder = g_dir_make_tmp ("recto-http-XXXXXX", NULL);
  fixture->config = rec_config_new ();
  set (fixture->config, "server.port", "0");
  set (fixture->config, "server.state-directory", fixture->folder);
  for (char **setting = settings; *setting != NULL; setting++) {
    char *value = strchr (*setting, '=');
    if (value == NULL)
      continue;
    *value = '\0';
    set (fixture->config, *setting, value + 1);
  }
  fixture->held = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_http_request_unref);
  fixture->sockets = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_http_socket_free);
  fixture->server = rec_http_server_new (fixture->config, &callbacks, fixture, &error);
  g_assert_no_error (error);
  fixture->port = rec_http_server_get_port (fixture->server);
}

static void
remove_state (const char *folder)
{
  static const char *const names[] = { "certificate.pem", "private-key.pem" };

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    g_unlink (path);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_ptr_array_set_size (fixture->sockets, 0);
  rec_http_server_free (fixture->server);
  g_ptr_array_unref (fixture->held);
  g_ptr_array_unref (fixture->sockets);
  rec_config_free (fixture->config);
  remove_state (fixture->folder);
  g_free (fixture->folder);
}

/* --- friendly -------------------------------------------------------------------------------------------------- */

static void
ask_friendly (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestClient) client = test_client_new (fixture->port);

  g_assert_nonnull (client);
  for (int i = 0; i < 3; i++) {
    g_autoptr (TestResponse) response = test_client_ask (client,
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    g_autofree char *origin = test_response_dup_header (response, "Access-Control-Allow-Origin");
    g_autofree char *sniff = test_response_dup_header (response, "X-Content-Type-Options");
    g_assert_cmpuint (response->status, ==, 200);
    g_assert_cmpstr (response->body->str, ==, "hello");
    g_assert_cmpstr (origin, ==, "*");
    g_assert_cmpstr (sniff, ==, "nosniff");
  }
}

static void
test_keeps_connections (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_friendly, fixture);
  g_assert_cmpuint (fixture->n_handled, ==, 3);
}

static void
ask_chunked (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestResponse)
      response = test_ask (fixture->port, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                          "chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");

  g_assert_cmpuint (response->status, ==, 200);
  g_assert_cmpstr (response->body->str, ==, "abcde");
}

static void
test_takes_chunks (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_chunked, fixture);
}

static void
ask_for_file (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestClient) client = test_client_new (fixture->port);
  g_autoptr (TestResponse)
      head = test_client_ask (client, "HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n");
  g_autoptr (TestResponse)
      response = test_client_ask (client, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
  g_autofree char *length = test_response_dup_header (head, "Content-Length");

  g_autoptr (TestResponse)
      large = test_client_ask (client, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  g_assert_cmpuint (large->status, ==, 206);
  g_assert_cmpstr (large->body->str, ==, "hello");
  g_assert_cmpstr (length, ==, "4");
  g_assert_cmpuint (response->body->len, ==, 4);
}

static void
test_sends_files (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_for_file, fixture);
}

/* --- hostile --------------------------------------------------------------------------------------------------- */

static void
ask_too_much (void *data)
{
  Fixture *fixture = data;
  g_autofree char *long_header = g_strnfill (6000, 'a');
  g_autofree char *huge_header = g_strnfill (100000, 'a');
  g_autofree char *with_long =
      g_strdup_printf ("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: %s\r\n\r\n", long_header);
  g_autofree char *with_huge =
      g_strdup_printf ("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: %s\r\n\r\n", huge_header);
  g_autofree char *body = g_strnfill (1500, 'b');
  g_autofree char *chunked = g_strdup_printf (
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5dc\r\n%s\r\n0\r\n\r\n",
      body);
  g_autofree char *slightly_too_long =
      g_strdup_printf ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1500\r\n\r\n%s", body);
  g_autoptr (TestResponse) announced =
      test_ask (fixture->port, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n");
  g_autoptr (TestResponse) read_on = test_ask (fixture->port, slightly_too_long);
  g_autoptr (TestResponse) sent = test_ask (fixture->port, chunked);
  g_autoptr (TestResponse) of_headers = test_ask (fixture->port, with_long);
  g_autoptr (TestResponse) of_many = test_ask (fixture->port, with_huge);

  g_assert_cmpuint (announced->status, ==, 413);
  g_assert_nonnull (strstr (announced->body->str, "server.max-body-bytes"));
  g_assert_cmpuint (read_on->status, ==, 413);
  g_assert_cmpuint (sent->status, ==, 413);
  g_assert_cmpuint (of_headers->status, ==, 431);
  g_assert_cmpuint (of_many->status, !=, 200);
}

static void
test_refuses_too_much (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_too_much, fixture);
  g_assert_cmpuint (fixture->n_handled, ==, 0);
}

/* A byte every 200 ms would keep the library's own timeout from ever firing. */
static void
drip (void *data)
{
  Fixture *fixture = data;
  const int64_t start_us = g_get_monotonic_time ();
  g_autoptr (TestClient) client = test_client_new (fixture->port);
  char octet;
  int n = -1;

  g_assert_true (test_client_write (client, "GET / HTTP/1.1\r\nX-A: ", 21));
  while (n != 0 && g_get_monotonic_time () - start_us < 8 * G_USEC_PER_SEC) {
    if (!test_client_write (client, "a", 1))
      n = 0;
    else
      n = test_client_read (client, &octet, 1, 200);
  }
  g_assert_cmpint (n, ==, 0);
  g_assert_cmpint (g_get_monotonic_time () - start_us, >, G_USEC_PER_SEC * 9 / 10);
}

static void
test_cuts_slow_requests (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (drip, fixture);
}

static void
open_too_many (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestClient) first = test_client_new (fixture->port);
  g_autoptr (TestClient) second = test_client_new (fixture->port);
  g_autoptr (TestClient) third = test_client_new (fixture->port);

  g_assert_nonnull (first);
  g_assert_nonnull (second);
  g_assert_null (third);
}

static void
test_limits_connections_per_address (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (open_too_many, fixture);
}

static void *
enter_when_there_is_room (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestClient) client = test_client_new (fixture->port);
  int64_t *entered_us = g_new (int64_t, 1);

  g_assert_nonnull (client);
  *entered_us = g_get_monotonic_time ();
  return entered_us;
}

static void
open_one_more (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestClient) first = test_client_new (fixture->port);
  TestClient *second = test_client_new (fixture->port);

  g_assert_nonnull (first);
  g_assert_nonnull (second);
  GThread *third = g_thread_new ("third", enter_when_there_is_room, fixture);
  g_usleep (G_USEC_PER_SEC / 2); /* long enough to come in, if it could */
  const int64_t left_us = g_get_monotonic_time ();
  test_client_free (second);
  g_autofree int64_t *entered_us = g_thread_join (third);
  g_assert_cmpint (*entered_us, >, left_us);
}

static void
test_limits_connections (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (open_one_more, fixture);
}

static void
ask_whence (void *data)
{
  Fixture *fixture = data;
  const bool is_trusted = rec_config_get_bool (fixture->config, "server.trust-x-real-ip");
  g_autoptr (TestResponse) told =
      test_ask (fixture->port, "GET /address HTTP/1.1\r\nHost: x\r\nX-Real-IP: 192.0.2.8\r\n\r\n");
  g_autoptr (TestResponse) nonsense =
      test_ask (fixture->port, "GET /address HTTP/1.1\r\nHost: x\r\nX-Real-IP: here\r\n\r\n");

  g_assert_cmpstr (told->body->str, ==, is_trusted ? "192.0.2.8" : "127.0.0.1");
  g_assert_cmpstr (nonsense->body->str, ==, "127.0.0.1");
}

static void
test_knows_who_asks (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_whence, fixture);
}

static void
ask_truncated (void *data)
{
  Fixture *fixture = data;
  TestClient *client = test_client_new (fixture->port);

  test_client_write (client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf",
      56);
  test_client_free (client);
  ask_friendly (data);
}

static void
test_survives_truncated_bodies (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_truncated, fixture);
  g_assert_cmpuint (fixture->n_handled, ==, 3);
}

static void
ask_garbage (void *data)
{
  Fixture *fixture = data;
  static const char *const texts[] = {
    "\r\n\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (TestClient) client = test_client_new (fixture->port);
    char octet;
    test_client_write (client, texts[i], strlen (texts[i]));
    test_client_read (client, &octet, 1, 100);
  }
  ask_friendly (data);
}

static void
test_survives_garbage (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_garbage, fixture);
}

/* --- waiting --------------------------------------------------------------------------------------------------- */

typedef struct {
  Fixture *fixture;
  unsigned status;
  gint is_sent;
} Waiter;

static gpointer
wait_for_answer (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (TestResponse)
      response = test_ask (waiter->fixture->port, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");

  waiter->status = response->status;
  return NULL;
}

static void
test_answers_later (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  Waiter waiter = { .fixture = fixture };
  GThread *thread = g_thread_new ("waiter", wait_for_answer, &waiter);

  while (fixture->held->len == 0)
    g_main_context_iteration (NULL, TRUE);
  rec_http_answer_empty (fixture->held->pdata[0], 204);
  g_thread_join (thread);
  g_assert_cmpuint (waiter.status, ==, 204);
}

static void
test_answers_waiting_when_freed (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  Waiter waiter = { .fixture = fixture };
  GThread *thread = g_thread_new ("waiter", wait_for_answer, &waiter);

  while (fixture->held->len == 0)
    g_main_context_iteration (NULL, TRUE);
  rec_http_server_stop (fixture->server);
  g_assert_null (test_client_new (fixture->port));
  rec_http_server_free (g_steal_pointer (&fixture->server));
  g_thread_join (thread);
  g_assert_cmpuint (waiter.status, ==, 503);
  /* Whoever held the request may still answer. */
  rec_http_answer_empty (fixture->held->pdata[0], 200);
}

static void
ask_and_leave (void *data)
{
  Fixture *fixture = data;
  TestClient *client = test_client_new (fixture->port);

  test_client_write (client, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n", 31);
  test_client_free (client);
}

static void
test_answers_clients_that_left (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (ask_and_leave, fixture);
  while (fixture->held->len == 0)
    g_main_context_iteration (NULL, TRUE);
  rec_http_answer_text (fixture->held->pdata[0], 200, "text/plain", "nobody reads this");
  test_run_beside_loop (ask_friendly, fixture);
}

/* --- upgrades -------------------------------------------------------------------------------------------------- */

static void
upgrade_and_idle (void *data)
{
  Fixture *fixture = data;
  g_autoptr (TestClient) client = test_client_new (fixture->port);
  char octet = '\0';

  g_assert_true (test_client_upgrade (client, "/openvidu?sessionId=a"));
  /* Longer than the idle and the request timeout. */
  g_assert_cmpint (test_client_read (client, &octet, 1, 2500), ==, -1);
  g_assert_true (test_client_write (client, "q", 1));
  g_assert_cmpint (test_client_read (client, &octet, 1, 5000), ==, 1);
  g_assert_cmpint (octet, ==, 'a');
  g_assert_cmpint (test_client_read (client, &octet, 1, 5000), ==, 0);
}

static gboolean
answer_socket (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Fixture *fixture = data;
  char octet;

  g_assert_cmpint (read (fd, &octet, 1), ==, 1);
  g_assert_cmpint (octet, ==, 'q');
  g_assert_cmpint (write (fd, "a", 1), ==, 1);
  g_ptr_array_set_size (fixture->sockets, 0);
  return G_SOURCE_REMOVE;
}

static gboolean
watch_socket (gpointer data)
{
  Fixture *fixture = data;

  if (fixture->sockets->len == 0)
    return G_SOURCE_CONTINUE;
  const RecHttpSocket *socket = fixture->sockets->pdata[0];
  g_assert_cmpstr (socket->query, ==, "sessionId=a");
  g_assert_cmpstr (socket->ip, ==, "127.0.0.1");
  g_unix_fd_add (socket->fd, G_IO_IN, answer_socket, fixture);
  return G_SOURCE_REMOVE;
}

static void
test_upgraded_sockets_may_idle (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_timeout_add (10, watch_socket, fixture);
  test_run_beside_loop (upgrade_and_idle, fixture);
}

static void
upgrade_and_vanish (void *data)
{
  Fixture *fixture = data;
  TestClient *client = test_client_new (fixture->port);

  g_assert_true (test_client_upgrade (client, "/openvidu"));
  g_assert_true (test_client_write (client, "q", 1));
  test_client_free (client);
}

/* The library alone would not say so before something is sent. */
static void
test_tells_of_peers_that_hung_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (upgrade_and_vanish, fixture);
  while (fixture->sockets->len == 0)
    g_main_context_iteration (NULL, TRUE);
  const RecHttpSocket *socket = fixture->sockets->pdata[0];
  char text[2] = { '\0' };
  size_t n_text = 0;
  ssize_t n;
  while ((n = read (socket->fd, text + n_text, sizeof text - n_text)) != 0) {
    if (n > 0)
      n_text += (size_t) n;
    else
      g_main_context_iteration (NULL, TRUE);
  }
  g_assert_cmpuint (n_text, ==, 1);
}

static void
upgrade_many (void *data)
{
  Fixture *fixture = data;

  for (int i = 0; i < 60; i++) {
    g_autoptr (TestClient) client = test_client_new (fixture->port);
    char octets[2];
    g_assert_true (test_client_upgrade (client, "/openvidu"));
    g_assert_cmpint (test_client_read (client, octets, 1, 5000), ==, 1);
    g_assert_cmpint (octets[0], ==, 'a');
    g_assert_cmpint (test_client_read (client, octets, 1, 5000), ==, 0);
  }
}

static gboolean
greet_and_close (gpointer data)
{
  Fixture *fixture = data;

  for (guint i = 0; i < fixture->sockets->len; i++)
    g_assert_cmpint (write (((RecHttpSocket *) fixture->sockets->pdata[i])->fd, "a", 1), ==, 1);
  g_ptr_array_set_size (fixture->sockets, 0);
  return G_SOURCE_CONTINUE;
}

/* What was written last arrives, and the end of the connection too, whatever the library's thread does meanwhile. */
static void
test_closes_upgraded_sockets (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  guint source = g_timeout_add (1, greet_and_close, fixture);

  test_run_beside_loop (upgrade_many, fixture);
  g_source_remove (source);
}

/* --- paths ----------------------------------------------------------------------------------------------------- */

static void
test_decodes_paths (void)
{
  static const struct {
    const char *raw, *decoded;
  } cases[] = {
    { "/a/b", "/a/b" },
    { "//a///b", "/a/b" },
    { "/a%20b", "/a b" },
    { "/%c3%a4", "/\xc3\xa4" },
    { "/%252e%252e/x", "/%2e%2e/x" },
    { "/..a", "/..a" },
    { "/a/../b", NULL },
    { "/a/%2e%2e/b", NULL },
    { "/a/.%2E/b", NULL },
    { "/./a", NULL },
    { "/a%2fb", NULL },
    { "/a%2Fb", NULL },
    { "/a%00b", NULL },
    { "/a%0ab", NULL },
    { "/a%5cb", NULL },
    { "/a\\b", NULL },
    { "/a%", NULL },
    { "/a%2", NULL },
    { "/a%zz", NULL },
    { "/%ff", NULL },
    { "/%c0%ae%c0%ae/", NULL },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *decoded = rec_http_decode_path (cases[i].raw, strlen (cases[i].raw), &error);
    g_test_message ("%s", cases[i].raw);
    g_assert_cmpstr (decoded, ==, cases[i].decoded);
    g_assert_true ((error != NULL) == (cases[i].decoded == NULL));
  }
}

#define ADD(name, settings, function)                                                              \
  g_test_add (name, Fixture, settings, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/decodes-paths-and-refuses-to-leave", test_decodes_paths);
  ADD ("/http/keeps-connections", NULL, test_keeps_connections);
  ADD ("/http/takes-chunks", NULL, test_takes_chunks);
  ADD ("/http/sends-files", NULL, test_sends_files);
  ADD ("/http/refuses-too-much", "server.max-body-bytes=1024 server.max-header-bytes=4096",
      test_refuses_too_much);
  ADD ("/http/cuts-slow-requests", "server.request-timeout-s=1 server.idle-timeout-s=1",
      test_cuts_slow_requests);
  ADD ("/http/limits-connections-per-address", "server.max-connections-per-address=2",
      test_limits_connections_per_address);
  ADD ("/http/limits-connections", "server.max-connections=2", test_limits_connections);
  ADD ("/http/believes-no-header", NULL, test_knows_who_asks);
  ADD ("/http/believes-the-header-of-a-proxy", "server.trust-x-real-ip=true", test_knows_who_asks);
  ADD ("/http/survives-truncated-bodies", NULL, test_survives_truncated_bodies);
  ADD ("/http/survives-garbage", NULL, test_survives_garbage);
  ADD ("/http/answers-later", NULL, test_answers_later);
  ADD ("/http/answers-waiting-when-freed", NULL, test_answers_waiting_when_freed);
  ADD ("/http/answers-clients-that-left", NULL, test_answers_clients_that_left);
  ADD ("/http/upgraded-sockets-may-idle", "server.idle-timeout-s=1 server.request-timeout-s=1",
      test_upgraded_sockets_may_idle);
  ADD ("/http/tells-of-peers-that-hung-up", NULL, test_tells_of_peers_that_hung_up);
  ADD ("/http/closes-upgraded-sockets", NULL, test_closes_upgraded_sockets);
  return g_test_run ();
}
