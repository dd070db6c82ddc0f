/* test-webhook.c - the delivery of events to a receiver that is away for hours, which pass as fast as the test can go. */
#include "events/webhook.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/config.h"
#include "base/path.h"

#define HOUR_US (INT64_C (3600) * G_USEC_PER_SEC)
#define PATIENCE_US (60 * G_USEC_PER_SEC) /* of the real clock */
#define N_EVENTS 50

typedef struct {
  char *folder;
  RecConfig *config;
  CURLM *multi;
  RecWebhook *webhook;
  int64_t now_us;
  GString *log;
  guint handler;

  /* The receiver: bound all the time, so that the port is its own; connections are refused until it listens. */
  int socket;
  unsigned port;
  unsigned status; /* that it answers */
  GPtrArray *bodies;
  unsigned n_requests;
} Fixture;

static void
set (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
start (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->webhook = rec_webhook_new (fixture->config, fixture->multi, &error);
  g_assert_no_error (error);
}

static void
restart (Fixture *fixture)
{
  rec_webhook_free (fixture->webhook);
  start (fixture);
}

static void
on_log (const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED, const char *text,
    gpointer data)
{
  g_string_append_printf (((Fixture *) data)->log, "%s\n", text);
}

static void
assert_told (Fixture *fixture, const char *text)
{
  if (strstr (fixture->log->str, text) == NULL)
    g_error ("the log does not say \"%s\": %s", text, fixture->log->str);
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
    .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  g_autofree char *url = NULL;

  fixture->socket = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fixture->socket, (struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (getsockname (fixture->socket, (struct sockaddr *) &address, &size), ==, 0);
  fixture->port = ntohs (address.sin_port);
  url = g_strdup_printf ("http://127.0.0.1:%u/hook", fixture->port);
  fixture->folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  fixture->config = rec_config_new ();
  fixture->bodies = g_ptr_array_new_with_free_func (g_free);
  fixture->status = 200;
  fixture->now_us = HOUR_US;
  fixture->log = g_string_new (NULL);
  fixture->handler = g_log_set_handler ("rec.events.webhook",
      G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION, on_log, fixture);
  fixture->multi = curl_multi_init ();
  set (fixture, "server.state-directory", fixture->folder);
  set (fixture, "openvidu.webhook", "true");
  set (fixture, "openvidu.webhook.endpoint", url);
  set (fixture, "openvidu.webhook.headers", "Connection: close");
  set (fixture, "events.webhook-timeout-ms", "60000");
  start (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_webhook_free (fixture->webhook);
  g_log_remove_handler ("rec.events.webhook", fixture->handler);
  g_string_free (fixture->log, TRUE);
  curl_multi_cleanup (fixture->multi);
  rec_config_free (fixture->config);
  g_ptr_array_unref (fixture->bodies);
  close (fixture->socket);
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
}

/* --- the receiver -------------------------------------------------------------------------------------------- */

static void
answer (Fixture *fixture, int connection, const char *body)
{
  g_autofree char *text = g_strdup_printf (
      "HTTP/1.1 %u Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", fixture->status);

  fixture->n_requests++;
  if (fixture->status == 200)
    g_ptr_array_add (fixture->bodies, g_strdup (body));
  g_assert_cmpint (write (connection, text, strlen (text)), ==, strlen (text));
}

/* One request: its bodies are of one letter and a number, and end with a point. */
static void
serve (Fixture *fixture)
{
  g_autoptr (GString) request = g_string_new (NULL);
  int connection = accept (fixture->socket, NULL, NULL);
  int n_running;

  g_assert_cmpint (connection, >=, 0);
  while (request->len == 0 || request->str[request->len - 1] != '.') {
    struct pollfd readable = { .fd = connection, .events = POLLIN };
    char piece[4096];

    curl_multi_perform (fixture->multi, &n_running);
    if (poll (&readable, 1, 10) < 1)
      continue;
    ssize_t n_read = read (connection, piece, sizeof piece);
    g_assert_cmpint (n_read, >, 0);
    g_string_append_len (request, piece, n_read);
  }
  answer (fixture, connection, strstr (request->str, "\r\n\r\n") + 4);
  close (connection);
}

static void
serve_waiting (Fixture *fixture)
{
  struct pollfd waiting = { .fd = fixture->socket, .events = POLLIN };

  if (poll (&waiting, 1, 0) == 1 && (waiting.revents & POLLIN))
    serve (fixture);
}

/* --- time ---------------------------------------------------------------------------------------------------- */

/* Until it is that late, or nothing waits any more. Pauses are skipped; the longest one is returned, in ms. */
static int
run_until (Fixture *fixture, int64_t end_us)
{
  const int64_t limit_us = g_get_monotonic_time () + PATIENCE_US;
  int longest_ms = 0;

  while (fixture->now_us < end_us &&
         rec_spool_count (rec_webhook_get_spool (fixture->webhook)) > 0) {
    int wait_ms = rec_webhook_work (fixture->webhook, fixture->now_us);

    if (g_get_monotonic_time () > limit_us)
      g_error ("the webhook did not get on");
    serve_waiting (fixture);
    if (wait_ms > 0) {
      longest_ms = MAX (longest_ms, wait_ms);
      fixture->now_us += (int64_t) wait_ms * 1000;
    } else if (wait_ms < 0) {
      curl_multi_poll (fixture->multi, NULL, 0, 10, NULL);
    }
  }
  return longest_ms;
}

static void
add_events (Fixture *fixture, unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++) {
    g_autofree char *body = g_strdup_printf ("e%u.", i);

    rec_webhook_add (fixture->webhook, body);
  }
}

static uint64_t
count_given_up (Fixture *fixture)
{
  RecWebhookStats stats;

  rec_webhook_get_stats (fixture->webhook, &stats);
  return stats.given_up;
}

static void
assert_all_came_in_order (Fixture *fixture, unsigned n)
{
  g_assert_cmpuint (fixture->bodies->len, ==, n);
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *body = g_strdup_printf ("e%u.", i);

    g_assert_cmpstr (fixture->bodies->pdata[i], ==, body);
  }
}

/* --- claims -------------------------------------------------------------------------------------------------- */

/* Nobody listens, and the server is started anew in the middle of it. */
static void
test_loses_nothing_in_an_hour (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  RecWebhookStats stats;

  add_events (fixture, 0, N_EVENTS / 2);
  g_assert_cmpint (run_until (fixture, fixture->now_us + HOUR_US / 2), ==, 60000);
  restart (fixture);
  add_events (fixture, N_EVENTS / 2, N_EVENTS);
  g_assert_cmpint (run_until (fixture, fixture->now_us + HOUR_US / 2), ==, 60000);
  rec_webhook_get_stats (fixture->webhook, &stats);
  /* 1, 2, 4 ... 32 s, then a minute each: half an hour has 35 of those pauses. */
  g_assert_cmpuint (stats.failed, >=, 34);
  g_assert_cmpuint (stats.failed, <=, 36);
  g_assert_cmpuint (stats.given_up, ==, 0);

  g_assert_cmpint (listen (fixture->socket, 10), ==, 0);
  run_until (fixture, fixture->now_us + HOUR_US);
  assert_all_came_in_order (fixture, N_EVENTS);
}

/* Somebody answers in its place. */
static void
test_waits_behind_a_proxy (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const unsigned statuses[] = { 302, 401, 403, 404, 405, 408, 410, 429, 500, 502, 503 };

  g_assert_cmpint (listen (fixture->socket, 10), ==, 0);
  add_events (fixture, 0, N_EVENTS);
  for (size_t i = 0; i < G_N_ELEMENTS (statuses); i++) {
    const unsigned n_before = fixture->n_requests;

    fixture->status = statuses[i];
    run_until (fixture, fixture->now_us + HOUR_US / 6);
    g_assert_cmpuint (fixture->n_requests - n_before, >=, 9);
    g_assert_cmpuint (rec_spool_count (rec_webhook_get_spool (fixture->webhook)), ==, N_EVENTS);
  }
  g_assert_cmpuint (count_given_up (fixture), ==, 0);
  fixture->status = 200;
  run_until (fixture, fixture->now_us + HOUR_US);
  assert_all_came_in_order (fixture, N_EVENTS);
}

static void
test_gives_up_what_is_refused (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const unsigned statuses[] = { 400, 409, 413, 422 };

  set (fixture, "events.webhook-max-refusals", "3");
  restart (fixture);
  g_assert_cmpint (listen (fixture->socket, 10), ==, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_autofree char *told = g_strdup_printf (
        "1 events for http://127.0.0.1:%u were given up, of the numbers %zu to %zu", fixture->port,
        i + 1, i + 1);

    fixture->status = statuses[i];
    fixture->n_requests = 0;
    add_events (fixture, 0, 1);
    run_until (fixture, fixture->now_us + HOUR_US);
    g_assert_cmpuint (fixture->n_requests, ==, 3);
    g_assert_cmpuint (count_given_up (fixture), ==, i + 1);
    fixture->now_us += HOUR_US;
    rec_webhook_work (fixture->webhook, fixture->now_us);
    assert_told (fixture, told);
  }
}

/* The oldest go, among them the one that is on its way; what is told of those that wait is never nonsense. */
static void
test_counts_what_waits (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *large = g_strnfill (60000, 'x');
  RecWebhookStats stats = { 0 };

  set (fixture, "events.spool-bytes", "65536");
  restart (fixture);
  g_assert_cmpint (listen (fixture->socket, 10), ==, 0);
  large[59999] = '.';
  rec_webhook_add (fixture->webhook, large);
  while (poll (&(struct pollfd){ .fd = fixture->socket, .events = POLLIN }, 1, 0) == 0) {
    rec_webhook_work (fixture->webhook, fixture->now_us);
    curl_multi_poll (fixture->multi, NULL, 0, 10, NULL);
  }
  rec_webhook_add (fixture->webhook, large);
  fixture->status = 503;
  serve (fixture);
  while (stats.failed == 0) {
    curl_multi_poll (fixture->multi, NULL, 0, 10, NULL);
    rec_webhook_work (fixture->webhook, fixture->now_us);
    rec_webhook_get_stats (fixture->webhook, &stats);
  }
  assert_told (fixture, "of the numbers 1 to 1");
  assert_told (fixture, "it answered 503; 1 events wait");
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/webhook/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  curl_global_init (CURL_GLOBAL_DEFAULT);
  g_setenv ("no_proxy", "127.0.0.1", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  CLAIM ("loses-nothing-in-an-hour", test_loses_nothing_in_an_hour);
  CLAIM ("waits-behind-a-proxy", test_waits_behind_a_proxy);
  CLAIM ("gives-up-what-is-refused", test_gives_up_what_is_refused);
  CLAIM ("counts-what-waits", test_counts_what_waits);
  const int status = g_test_run ();
  curl_global_cleanup ();
  return status;
}
