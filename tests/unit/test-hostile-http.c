/* test-hostile-http.c - clients that mean ill: the others are served meanwhile, and nothing is left of them afterwards. */
#include "base/config.h"
#include "base/main-thread.h"
#include "base/path.h"
#include "lib/api-rig.h"
#include "lib/library-leaks.h"

#include <errno.h>
#include <gst/gst.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOMEBODY_ELSE "127.0.0.2"
#define WAIT_US (30 * G_USEC_PER_SEC)
#define STEP_US 100000
#define N_IDLE 1000
#define END "\r\n\r\n"

/* --- the others ------------------------------------------------------------------------------------------------- */

static void
assert_others_are_served (const ApiRig *rig)
{
  g_autoptr (TestClient) client = test_client_new_from (rig->port, SOMEBODY_ELSE);

  g_assert_nonnull (client);
  g_autoptr (TestResponse) response = test_client_ask (client,
      "GET /openvidu/api/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: " AUTH END);
  g_assert_cmpuint (response->status, ==, 200);
}

static unsigned
count_descriptors (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  unsigned n = 0;

  g_assert_nonnull (folder);
  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

/* The server, which is in this process, closes its ends in its own time. */
static void
wait_for_descriptors (unsigned n)
{
  const int64_t deadline_us = g_get_monotonic_time () + WAIT_US;

  while (count_descriptors () > n && g_get_monotonic_time () < deadline_us)
    g_usleep (STEP_US);
  g_assert_cmpuint (count_descriptors (), <=, n);
}

/* --- slow ones ---------------------------------------------------------------------------------------------------- */

/* What each says first; from then on a byte at a time. NULL: nothing at all after the handshake. */
static const char *const slow_beginnings[] = {
  "GET / HTTP/1.1\r\nX-A: ",
  "POST /openvidu/api/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: " AUTH
  "\r\nContent-Length: 100000" END "{\"a\":\"",
  "POST /openvidu/api/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: " AUTH
  "\r\nTransfer-Encoding: chunked" END "ffff\r\n{\"a\":\"",
  "GET /",
  NULL,
};

/* Half of a handshake: a record of TLS that is announced and never comes, or nothing. */
static const char *const half_handshakes[] = { "\x16\x03\x01\x02",
  "\x16\x03\x01\x02\x00\x01\x00\x01", "" };

typedef struct {
  TestClient *clients[G_N_ELEMENTS (slow_beginnings)];
  int sockets[G_N_ELEMENTS (half_handshakes)];
} SlowOnes;

static void
begin_slowly (const ApiRig *rig, SlowOnes *slow)
{
  for (size_t i = 0; i < G_N_ELEMENTS (slow_beginnings); i++) {
    const char *text = slow_beginnings[i];
    slow->clients[i] = test_client_new (rig->port);
    g_assert_nonnull (slow->clients[i]);
    if (text != NULL)
      g_assert_true (test_client_write (slow->clients[i], text, strlen (text)));
  }
  for (size_t i = 0; i < G_N_ELEMENTS (half_handshakes); i++) {
    const size_t size = i == 0 ? 4 : i == 1 ? 8 : 0;
    slow->sockets[i] = test_connect (rig->port, NULL);
    g_assert_cmpint (slow->sockets[i], >=, 0);
    g_assert_cmpint (send (slow->sockets[i], half_handshakes[i], size, MSG_NOSIGNAL), ==, size);
  }
}

static bool
is_socket_over (int fd)
{
  char octets[16];
  const ssize_t n = recv (fd, octets, sizeof octets, MSG_DONTWAIT);

  return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* True once all are cut off. */
static bool
go_on_slowly (SlowOnes *slow)
{
  bool are_all_over = true;
  char octets[512];

  for (size_t i = 0; i < G_N_ELEMENTS (slow->clients); i++) {
    TestClient *client = slow->clients[i];
    if (client == NULL)
      continue;
    const bool is_over = (slow_beginnings[i] != NULL && !test_client_write (client, "a", 1)) ||
                         test_client_read (client, octets, sizeof octets, 20) == 0;
    if (is_over)
      g_clear_pointer (&slow->clients[i], test_client_free);
    are_all_over = are_all_over && is_over;
  }
  for (size_t i = 0; i < G_N_ELEMENTS (slow->sockets); i++)
    are_all_over = is_socket_over (slow->sockets[i]) && are_all_over;
  return are_all_over;
}

static void
be_slow (void *data)
{
  const ApiRig *rig = data;
  const int64_t deadline_us = g_get_monotonic_time () + WAIT_US;
  SlowOnes slow = { .clients = { NULL } };

  assert_others_are_served (rig); /* whoever comes first leaves caches behind */
  const unsigned n_descriptors = count_descriptors ();
  begin_slowly (rig, &slow);
  while (!go_on_slowly (&slow)) {
    assert_others_are_served (rig);
    g_assert_cmpint (g_get_monotonic_time (), <, deadline_us);
  }
  for (size_t i = 0; i < G_N_ELEMENTS (slow.sockets); i++)
    close (slow.sockets[i]);
  wait_for_descriptors (n_descriptors);
}

static void
test_cuts_slow_clients (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (be_slow, rig);
}

/* --- many ---------------------------------------------------------------------------------------------------------- */

static unsigned
count_open (const int *fds, unsigned n)
{
  unsigned n_open = 0;

  for (unsigned i = 0; i < n; i++)
    n_open += !is_socket_over (fds[i]);
  return n_open;
}

static void
be_many (void *data)
{
  const ApiRig *rig = data;
  const unsigned limit =
      (unsigned) rec_config_get_int (rig->config, "server.max-connections-per-address");
  const int64_t deadline_us = g_get_monotonic_time () + WAIT_US;
  int fds[N_IDLE];

  assert_others_are_served (rig);
  const unsigned n_descriptors = count_descriptors ();
  for (unsigned i = 0; i < N_IDLE; i++) {
    fds[i] = test_connect (rig->port, NULL);
    g_assert_cmpint (fds[i], >=, 0);
  }
  while (count_open (fds, N_IDLE) > limit) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline_us);
    g_usleep (STEP_US);
  }
  g_assert_cmpuint (count_open (fds, N_IDLE), ==, limit);
  for (unsigned i = 0; i < 3; i++)
    assert_others_are_served (rig);
  for (unsigned i = 0; i < N_IDLE; i++)
    close (fds[i]);
  wait_for_descriptors (n_descriptors);
}

static void
test_serves_others_beside_a_crowd (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  const struct rlimit needed = { .rlim_cur = 2 * N_IDLE + 500, .rlim_max = 0 };
  struct rlimit files;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &files), ==, 0);
  if (files.rlim_cur < needed.rlim_cur) {
    files.rlim_cur = MIN (needed.rlim_cur, files.rlim_max);
    g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &files), ==, 0);
  }
  test_run_beside_loop (be_many, rig);
}

/* --- large --------------------------------------------------------------------------------------------------------- */

static void
assert_not_taken (const ApiRig *rig, const char *text)
{
  g_autoptr (TestClient) client = test_client_new (rig->port);

  g_assert_nonnull (client);
  (void) test_client_write (client, text, strlen (text));
  g_autoptr (TestResponse) response = test_client_read_response (client, false);
  g_test_message ("%.60s: %u", text, response->status);
  g_assert_true (response->status == 0 || (response->status >= 400 && response->status < 500));
  assert_others_are_served (rig);
}

static void
be_large (void *data)
{
  const ApiRig *rig = data;
  g_autofree char *much = g_strnfill (1 << 20, 'a');
  g_autofree char *header = g_strdup_printf ("GET / HTTP/1.1\r\nHost: x\r\nX-A: %s" END, much);
  g_autofree char *name = g_strdup_printf ("GET / HTTP/1.1\r\nHost: x\r\n%s: a" END, much);
  g_autofree char *target = g_strdup_printf ("GET /%s HTTP/1.1\r\nHost: x" END, much);
  g_autofree char *method = g_strdup_printf ("%s / HTTP/1.1\r\nHost: x" END, much);
  g_autoptr (GString) many = g_string_new ("GET / HTTP/1.1\r\nHost: x\r\n");

  for (int i = 0; i < 20000; i++)
    g_string_append_printf (many, "X-%d: %d\r\n", i, i);
  g_string_append (many, "\r\n");
  assert_not_taken (rig, header);
  assert_not_taken (rig, name);
  assert_not_taken (rig, target);
  assert_not_taken (rig, method);
  assert_not_taken (rig, many->str);
}

static void
test_refuses_giant_heads (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (be_large, rig);
}

/* --- smuggling ------------------------------------------------------------------------------------------------------ */

#define POST "POST /openvidu/api/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: " AUTH "\r\n"
#define SMUGGLED                                                                                   \
  "DELETE /openvidu/api/sessions/victim HTTP/1.1\r\nHost: x\r\nAuthorization: " AUTH END

/* What two servers could take for one request, or for two. */
static const char *const smuggling[] = {
  POST "Content-Length: 5\r\nTransfer-Encoding: chunked" END "0" END SMUGGLED,
  POST "Transfer-Encoding: chunked\r\nContent-Length: 5" END "0" END SMUGGLED,
  POST "Content-Length: 2\r\nContent-Length: 400" END "{}" SMUGGLED,
  POST "Content-Length: 400\r\nContent-Length: 2" END "{}" SMUGGLED,
  POST "Content-Length: 2, 400" END "{}" SMUGGLED,
  POST "Content-Length: +2" END "{}" SMUGGLED,
  POST "Content-Length: 0x2" END "{}" SMUGGLED,
  POST "Content-Length: 2a" END "{}" SMUGGLED,
  POST "Content-Length: -2" END "{}" SMUGGLED,
  POST "Content-Length: 18446744073709551618" END "{}" SMUGGLED,
  POST "Content-Length : 400" END SMUGGLED,
  POST "Content-Length: 2\r\n\t00" END "{}" SMUGGLED,
  POST "Transfer-Encoding: xchunked" END "0" END SMUGGLED,
  POST "Transfer-Encoding: identity, chunked" END "0" END SMUGGLED,
  POST "Transfer-Encoding: chunked, identity" END "0" END SMUGGLED,
  POST "Transfer-Encoding: x\r\nTransfer-Encoding: chunked" END "0" END SMUGGLED,
  POST "Transfer-Encoding:\r\n chunked" END "0" END SMUGGLED,
  POST "Transfer-Encoding : chunked" END "0" END SMUGGLED,
  POST "X: a\r\n Transfer-Encoding: chunked" END "0" END SMUGGLED,
  POST "Transfer-Encoding: chunked" END "zz\r\n{}\r\n0" END SMUGGLED,
  POST "Transfer-Encoding: chunked" END "-1\r\n{}\r\n0" END SMUGGLED,
  POST "Transfer-Encoding: chunked" END "0x2\r\n{}\r\n0" END SMUGGLED,
  POST "Transfer-Encoding: chunked" END "2\r\n{}0" END SMUGGLED,
  POST "Transfer-Encoding: chunked" END "10000000000000002\r\n{}\r\n0" END SMUGGLED,
};

/* All that is said before the connection is closed, which must be soon. */
static char *
hear_out (TestClient *client)
{
  GString *heard = g_string_new (NULL);
  char octets[4096];
  int n;

  while ((n = test_client_read (client, octets, sizeof octets, WAIT_US / 1000)) > 0)
    g_string_append_len (heard, octets, n);
  g_assert_cmpint (n, ==, 0);
  return g_string_free (heard, FALSE);
}

/* Refused, and what follows is not looked at. */
static void
assert_refused (const ApiRig *rig, const char *text)
{
  g_autoptr (TestClient) client = test_client_new (rig->port);

  g_assert_nonnull (client);
  (void) test_client_write (client, text, strlen (text));
  g_autofree char *heard = hear_out (client);
  g_test_message ("%s\n-> %s", text, heard);
  g_assert_true (g_str_has_prefix (heard, "HTTP/1.1 4"));
  for (const char *answer = heard; (answer = strstr (answer, "HTTP/1.1 ")) != NULL; answer++)
    g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 400") ||
                   g_str_has_prefix (answer, "HTTP/1.1 413"));
}

static void
smuggle (void *data)
{
  ApiRig *rig = data;
  g_autoptr (TestResponse)
      victim = api_rig_ask (rig, "POST", NEW "/sessions", "{\"customSessionId\":\"victim\"}");

  g_assert_cmpuint (victim->status, ==, 200);
  for (size_t i = 0; i < G_N_ELEMENTS (smuggling); i++)
    assert_refused (rig, smuggling[i]);
  g_autoptr (TestResponse) list = api_rig_ask (rig, "GET", NEW "/sessions", NULL);
  g_assert_nonnull (strstr (list->body->str, "\"numberOfElements\":1,"));
  g_assert_nonnull (strstr (list->body->str, "\"victim\""));
}

static void
test_lets_nothing_be_smuggled (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (smuggle, rig);
}

/* --- paths ----------------------------------------------------------------------------------------------------------- */

static const char *const file_routes[] = {
  "/recordings/",
  "/recordings/film/",
  "/openvidu/recordings/",
  "/openvidu/recordings/film/",
  "/layouts/custom/",
  "/layouts/custom/page/",
  "/openvidu/layouts/",
  "/openvidu/layouts/page/",
  "/cdr/",
  "/openvidu/cdr/",
};

/* Ways to say "..", a slash, or an end that is none. */
static const char *const escapes[] = {
  "../secret.mp4",
  "../../secret.mp4",
  "%2e%2e/secret.mp4",
  ".%2e/%2e./secret.mp4",
  "%2E%2E%2Fsecret.mp4",
  "..%2f..%2fsecret.mp4",
  "%252e%252e/secret.mp4",
  "%252e%252e%252fsecret.mp4",
  "%25252e%25252e%25252fsecret.mp4",
  "..%5csecret.mp4",
  "..%5c..%5csecret.mp4",
  "..\\..\\secret.mp4",
  "..%255csecret.mp4",
  "..%c0%afsecret.mp4",
  "%c0%ae%c0%ae/secret.mp4",
  "%e0%80%ae%e0%80%ae/secret.mp4",
  "%uff0e%uff0e/secret.mp4",
  "..;/secret.mp4",
  "....//secret.mp4",
  "...//...//secret.mp4",
  "./../secret.mp4",
  "film.mp4/../../secret.mp4",
  "film.mp4%00",
  "film.mp4%00.jpg",
  "..%00/secret.mp4",
  "film.mp4%0a",
  "film.mp4%20",
  "film.mp4.",
  "film.mp4/",
  "film.mp4;.mp4",
  "~/secret.mp4",
  "file:///secret.mp4",
  "//secret.mp4",
  "/secret.mp4",
  "link.mp4",
  "folder/secret.mp4",
  ".recording.film",
  "%2erecording.film",
  "",
  "%",
  "%2",
};

/* A page and a call record, each beside links that lead out. */
static void
make_folder (const ApiRig *rig, const char *key, const char *path, const char *name)
{
  g_autofree char *root = g_build_filename (rig->folder, key, NULL);
  g_autofree char *inside = g_build_filename (root, path, NULL);
  g_autofree char *file = g_build_filename (inside, name, NULL);
  g_autofree char *link = g_build_filename (inside, "link.mp4", NULL);
  g_autofree char *folder = g_build_filename (inside, "folder", NULL);
  g_autofree char *secret = g_build_filename (rig->folder, "secret.mp4", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (rec_path_make_folder (inside, 0700, NULL));
  g_assert_true (g_file_set_contents (file, "for all to see", -1, NULL));
  g_assert_cmpint (symlink (secret, link), ==, 0);
  g_assert_cmpint (symlink (rig->folder, folder), ==, 0);
  rec_config_set (rig->config, key, root, "test", &error);
  g_assert_no_error (error);
}

/* A film that may be fetched, and beside it all that may not. */
static void
make_files (const ApiRig *rig)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  RecRecording *film = rec_recording_new ("film", "s", REC_ERA_NEW, properties, 1);
  g_autofree char *secret = g_build_filename (rig->folder, "secret.mp4", NULL);
  g_autofree char *inside = g_build_filename (rig->recordings, "film", NULL);
  g_autofree char *path = g_build_filename (inside, "film.mp4", NULL);
  g_autofree char *link = g_build_filename (inside, "link.mp4", NULL);
  g_autofree char *folder = g_build_filename (inside, "folder", NULL);
  g_autofree char *beside = g_build_filename (rig->recordings, "secret.mp4", NULL);

  film->directory = g_strdup (inside);
  film->file_name = g_strdup ("film.mp4");
  film->status = REC_RECORDING_READY;
  g_assert_true (rec_path_make_folder (inside, 0700, NULL));
  g_assert_true (g_file_set_contents (path, "a film", -1, NULL));
  g_assert_true (g_file_set_contents (secret, "nobody may read this", -1, NULL));
  g_assert_true (g_file_set_contents (beside, "nobody may read this", -1, NULL));
  g_assert_cmpint (symlink (secret, link), ==, 0);
  g_assert_cmpint (symlink (rig->folder, folder), ==, 0);
  rec_registry_add_recording (rig->registry, film);
  rec_recording_unref (film);
}

static void
look_for_secrets (void *data)
{
  ApiRig *rig = data;
  g_autoptr (TestResponse)
      film = api_rig_ask (rig, "GET", "/openvidu/recordings/film/film.mp4", NULL);

  g_autoptr (TestResponse)
      page = api_rig_ask (rig, "GET", "/openvidu/layouts/page/index.html", NULL);

  g_assert_cmpuint (film->status, ==, 200);
  g_assert_cmpuint (page->status, ==, 200);
  g_assert_cmpstr (page->body->str, ==, "for all to see");
  for (size_t i = 0; i < G_N_ELEMENTS (file_routes); i++) {
    for (size_t j = 0; j < G_N_ELEMENTS (escapes); j++) {
      g_autofree char *path = g_strconcat (file_routes[i], escapes[j], NULL);
      g_autoptr (TestResponse) response = api_rig_ask (rig, "GET", path, NULL);
      g_test_message ("%s: %u", path, response->status);
      if (response->status == 200) /* a folder has a page of its own */
        g_assert_cmpstr (response->body->str, ==, "for all to see");
      else
        g_assert_true (response->status == 400 || response->status == 404);
      g_assert_null (strstr (response->body->str, "nobody may"));
    }
  }
}

static void
test_shows_no_other_files (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  make_files (rig);
  make_folder (rig, "openvidu.recording.custom-layout", "page", "index.html");
  make_folder (rig, "openvidu.cdr.path", "", "CDR.log");
  test_run_beside_loop (look_for_secrets, rig);
}

#define ADD(name, settings, function)                                                              \
  g_test_add (name, ApiRig, settings, api_rig_set_up, function, api_rig_tear_down)

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("/hostile-http/cuts-slow-clients-off",
      "server.request-timeout-s=2 server.idle-timeout-s=2 server.max-body-bytes=1048576",
      test_cuts_slow_clients);
  ADD ("/hostile-http/serves-others-beside-a-crowd", NULL, test_serves_others_beside_a_crowd);
  ADD ("/hostile-http/refuses-giant-heads", NULL, test_refuses_giant_heads);
  ADD ("/hostile-http/lets-nothing-be-smuggled", NULL, test_lets_nothing_be_smuggled);
  ADD ("/hostile-http/shows-no-other-files", NULL, test_shows_no_other_files);
  return g_test_run ();
}
