/* test-camera.c - IP cameras that cannot be opened, or may not, and those that are let go meanwhile. */
#include "lib/wait.h"
#include "media/camera.h"

#include <gio/gio.h>
#include <gst/gst.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/error.h"

typedef struct {
  GError *error;
  unsigned n_given;
} Answer;

static void
take_answer (RecCamera *camera, const GError *error, void *data)
{
  Answer *answer = data;

  g_assert_null (camera);
  g_clear_error (&answer->error);
  answer->error = g_error_copy (error);
  answer->n_given++;
}

static void
wait_for (const Answer *answer)
{
  WAIT_UNTIL (answer->n_given > 0);
  g_assert_cmpuint (answer->n_given, ==, 1);
}

/* --- names ------------------------------------------------------------------------------------------------------ */

/* Tells what this test has told it; "slow.example" it never finds. */
typedef struct {
  GResolver parent;
} FakeResolver;

typedef struct {
  GResolverClass parent;
} FakeResolverClass;

static GType fake_resolver_get_type (void);
G_DEFINE_TYPE (FakeResolver, fake_resolver, G_TYPE_RESOLVER)

static const char *told; /* addresses of every name, with blanks between them */

static void
free_addresses (void *list)
{
  g_resolver_free_addresses (list);
}

static void
give_up (GCancellable *cancel G_GNUC_UNUSED, GTask *task)
{
  g_task_return_error_if_cancelled (task);
  g_object_unref (task);
}

static void
look_up (GResolver *resolver, const char *name, GCancellable *cancel, GAsyncReadyCallback callback,
    void *data)
{
  GTask *task = g_task_new (resolver, cancel, callback, data);
  g_auto (GStrv) texts = g_strsplit (told != NULL ? told : "", " ", -1);
  GList *list = NULL;

  if (g_str_equal (name, "slow.example")) {
    g_signal_connect (cancel, "cancelled", G_CALLBACK (give_up), task);
    return;
  }
  for (char **text = texts; *text != NULL; text++)
    list = g_list_append (list, g_inet_address_new_from_string (*text));
  if (list != NULL)
    g_task_return_pointer (task, list, free_addresses);
  else
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no such name");
  g_object_unref (task);
}

static GList *
finish_look_up (GResolver *resolver G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fake_resolver_class_init (FakeResolverClass *class)
{
  G_RESOLVER_CLASS (class)->lookup_by_name_async = look_up;
  G_RESOLVER_CLASS (class)->lookup_by_name_finish = finish_look_up;
}

static void
fake_resolver_init (FakeResolver *resolver G_GNUC_UNUSED)
{
}

/* --- hosts ------------------------------------------------------------------------------------------------------ */

static RecCameraHost *
make_host_for (const char *allowed, const char *setting, const char *value)
{
  g_autoptr (RecConfig) config = rec_config_new ();
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  g_autoptr (GError) error = NULL;
  RecCameraHost *host;

  g_assert_true (rec_config_set (config, "media.camera-hosts", allowed, "the test", &error));
  g_assert_true (rec_config_set (config, setting, value, "the test", &error));
  g_assert_no_error (error);
  host = rec_camera_host_new (config, (int64_t) gst_clock_get_time (clock), &error);
  g_assert_no_error (error);
  return host;
}

static RecCameraHost *
make_host (const char *setting, const char *value)
{
  return make_host_for ("127.0.0.1", setting, value);
}

/* A port where somebody accepts, but never says a word. */
static char *
listen_silently (GSocketListener *listener)
{
  uint16_t port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_assert_cmpuint (port, >, 0);
  return g_strdup_printf ("rtsp://127.0.0.1:%u/live", port);
}

static void
test_refused (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autofree char *uri = listen_silently (listener);
  RecCameraHost *host = make_host ("media.camera-timeout-ms", "5000");
  Answer answer = { 0 };

  g_socket_listener_close (listener);
  rec_camera_open (host, &(RecCameraSource){ .uri = uri }, take_answer, &answer);
  g_assert_cmpuint (answer.n_given, ==, 0);
  wait_for (&answer);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_FAILED);
  g_clear_error (&answer.error);
  rec_camera_host_free (host);
}

static void
test_silent (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autofree char *uri = listen_silently (listener);
  RecCameraHost *host = make_host ("media.camera-timeout-ms", "500");
  Answer answer = { 0 };

  rec_camera_open (host, &(RecCameraSource){ .uri = uri }, take_answer, &answer);
  wait_for (&answer);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_FAILED);
  g_clear_error (&answer.error);
  rec_camera_host_free (host);
}

static void
test_stopped_meanwhile (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autofree char *uri = listen_silently (listener);
  RecCameraHost *host = make_host ("media.camera-timeout-ms", "120000");
  Answer answer = { 0 };

  rec_camera_open (host, &(RecCameraSource){ .uri = uri }, take_answer, &answer);
  rec_camera_host_free (host);
  g_assert_cmpuint (answer.n_given, ==, 1);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_UNAVAILABLE);
  g_clear_error (&answer.error);
}

static void
test_one_too_many (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autofree char *uri = listen_silently (listener);
  RecCameraHost *host = make_host ("media.max-cameras", "1");
  Answer first = { 0 }, second = { 0 };

  rec_camera_open (host, &(RecCameraSource){ .uri = uri }, take_answer, &first);
  rec_camera_open (host, &(RecCameraSource){ .uri = uri }, take_answer, &second);
  wait_for (&second);
  g_assert_error (second.error, REC_ERROR, REC_ERROR_TOO_MANY);
  g_assert_cmpuint (first.n_given, ==, 0);
  rec_camera_host_free (host);
  g_clear_error (&first.error);
  g_clear_error (&second.error);
}

/* --- where cameras may not be ------------------------------------------------------------------------------------- */

static void
assert_refused (RecCameraHost *host, const char *uri)
{
  Answer answer = { 0 };

  rec_camera_open (host, &(RecCameraSource){ .uri = uri }, take_answer, &answer);
  g_assert_cmpuint (answer.n_given, ==, 0);
  wait_for (&answer);
  g_test_message ("%s: %s", uri, answer.error->message);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (answer.error->message, "media.camera-hosts"));
  g_clear_error (&answer.error);
}

/* An address of this machine that is neither loopback nor of the link alone; NULL: it has none. */
static char *
dup_own_address (void)
{
  struct ifaddrs *all = NULL;
  char *text = NULL;

  g_assert_cmpint (getifaddrs (&all), ==, 0);
  for (const struct ifaddrs *item = all; item != NULL && text == NULL; item = item->ifa_next) {
    if (item->ifa_addr == NULL || item->ifa_addr->sa_family != AF_INET)
      continue;
    g_autoptr (GInetAddress) address = g_inet_address_new_from_bytes (
        (const uint8_t *) &((struct sockaddr_in *) item->ifa_addr)->sin_addr, G_SOCKET_FAMILY_IPV4);
    if (!g_inet_address_get_is_loopback (address) && !g_inet_address_get_is_link_local (address))
      text = g_inet_address_to_string (address);
  }
  freeifaddrs (all);
  return text;
}

static void
test_not_on_this_machine (void)
{
  static const char *const uris[] = { "rtsp://127.0.0.1/live", "rtsp://127.1.2.3:8554/live",
    "rtsp://[::1]/live", "rtsp://[::ffff:127.0.0.1]/live", "rtsp://0.0.0.0/live",
    "rtsp://169.254.169.254/live", "rtsp://[fe80::1]/live", "rtsp://user:pw@127.0.0.1/live" };
  RecCameraHost *host = make_host_for ("", "media.camera-timeout-ms", "120000");
  g_autofree char *own = dup_own_address ();

  for (size_t i = 0; i < G_N_ELEMENTS (uris); i++)
    assert_refused (host, uris[i]);
  if (own != NULL) {
    g_autofree char *uri = g_strdup_printf ("rtsp://%s/live", own);
    assert_refused (host, uri);
  }
  rec_camera_host_free (host);
}

static void
test_not_by_another_name (void)
{
  static const char *const addresses[] = { "127.0.0.1", "::1", "::ffff:127.0.0.1",
    "169.254.169.254", "203.0.113.1 127.0.0.1", "0.0.0.0" };
  RecCameraHost *host = make_host_for ("", "media.camera-timeout-ms", "120000");
  g_autofree char *own = dup_own_address ();

  for (size_t i = 0; i < G_N_ELEMENTS (addresses); i++) {
    told = addresses[i];
    assert_refused (host, "rtsp://camera.example/live");
  }
  told = own;
  if (own != NULL)
    assert_refused (host, "rtsp://camera.example/live");
  rec_camera_host_free (host);
}

static void
test_only_where_allowed (void)
{
  RecCameraHost *host = make_host_for ("127.0.0.1", "media.camera-timeout-ms", "120000");

  told = "127.0.0.1";
  assert_refused (host, "rtsp://camera.example/live");
  assert_refused (host, "rtsp://203.0.113.1/live");
  rec_camera_host_free (host);
}

static void
test_name_that_is_not_found (void)
{
  RecCameraHost *host = make_host_for ("", "media.camera-timeout-ms", "500");
  Answer missing = { 0 }, slow = { 0 };

  told = NULL;
  rec_camera_open (host, &(RecCameraSource){ .uri = "rtsp://no.example/live" }, take_answer,
      &missing);
  wait_for (&missing);
  g_assert_error (missing.error, REC_ERROR, REC_ERROR_FAILED);
  g_assert_nonnull (strstr (missing.error->message, "no such name"));
  rec_camera_open (host, &(RecCameraSource){ .uri = "rtsp://slow.example/live" }, take_answer,
      &slow);
  wait_for (&slow);
  g_assert_error (slow.error, REC_ERROR, REC_ERROR_FAILED);
  g_assert_nonnull (strstr (slow.error->message, "in time"));
  g_clear_error (&missing.error);
  g_clear_error (&slow.error);
  rec_camera_host_free (host);
}

static void
test_stopped_while_looking (void)
{
  RecCameraHost *host = make_host_for ("", "media.camera-timeout-ms", "120000");
  Answer answer = { 0 };

  rec_camera_open (host, &(RecCameraSource){ .uri = "rtsp://slow.example/live" }, take_answer,
      &answer);
  rec_camera_host_free (host);
  g_assert_cmpuint (answer.n_given, ==, 1);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_UNAVAILABLE);
  g_clear_error (&answer.error);
}

/* --- a camera that sends us elsewhere ------------------------------------------------------------------------------- */

typedef struct {
  GSocketService *service;
  uint16_t port;
  gint n_visits, n_requests; /* atomic */
  uint16_t elsewhere;
} Server;

/* Answers every request but OPTIONS with a redirection. [its thread] */
static gboolean
redirect (GThreadedSocketService *service G_GNUC_UNUSED, GSocketConnection *connection,
    GObject *source G_GNUC_UNUSED, Server *server)
{
  g_autoptr (GDataInputStream)
      lines = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  int number = 0;

  g_atomic_int_inc (&server->n_visits);
  g_data_input_stream_set_newline_type (lines, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  bool is_options = false;
  for (char *line; (line = g_data_input_stream_read_line (lines, NULL, NULL, NULL)) != NULL;
       g_free (line)) {
    g_autofree char *answer = NULL;

    is_options |= g_str_has_prefix (line, "OPTIONS");
    sscanf (line, "CSeq: %d", &number);
    if (*line != '\0')
      continue;
    answer =
        is_options
            ? g_strdup_printf (
                  "RTSP/1.0 200 OK\r\nCSeq: %d\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n", number)
            : g_strdup_printf ("RTSP/1.0 302 Moved\r\nCSeq: %d\r\n"
                               "Location: rtsp://127.0.0.1:%u/live\r\n\r\n",
                  number, server->elsewhere);
    if (!is_options)
      g_atomic_int_inc (&server->n_requests);
    is_options = false;
    g_output_stream_write_all (output, answer, strlen (answer), NULL, NULL, NULL);
  }
  return TRUE;
}

static void
start_server (Server *server, uint16_t elsewhere)
{
  server->service = g_threaded_socket_service_new (4);
  server->elsewhere = elsewhere;
  g_signal_connect (server->service, "run", G_CALLBACK (redirect), server);
  server->port =
      g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (server->service), NULL, NULL);
  g_assert_cmpuint (server->port, >, 0);
}

static void
test_redirects (void)
{
  Server target = { 0 }, camera = { 0 };
  RecCameraHost *host = make_host ("media.camera-timeout-ms", "10000");
  Answer answer = { 0 };

  start_server (&target, 1);
  start_server (&camera, target.port);
  g_autofree char *uri = g_strdup_printf ("rtsp://127.0.0.1:%u/live", camera.port);
  rec_camera_open (host, &(RecCameraSource){ .uri = uri }, take_answer, &answer);
  wait_for (&answer);
  g_assert_error (answer.error, REC_ERROR, REC_ERROR_FAILED);
  g_test_message ("%s", answer.error->message);
  rec_camera_host_free (host); /* and with it what it connected to */
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpint (g_atomic_int_get (&camera.n_requests), >, 0);
  g_assert_cmpint (g_atomic_int_get (&target.n_visits), ==, 0);
  g_clear_error (&answer.error);
  g_socket_service_stop (camera.service);
  g_socket_service_stop (target.service);
  g_object_unref (camera.service);
  g_object_unref (target.service);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_autoptr (GResolver) resolver = g_object_new (fake_resolver_get_type (), NULL);
  g_resolver_set_default (resolver);
  g_test_add_func ("/camera/refused", test_refused);
  g_test_add_func ("/camera/silent", test_silent);
  g_test_add_func ("/camera/stopped-meanwhile", test_stopped_meanwhile);
  g_test_add_func ("/camera/one-too-many", test_one_too_many);
  g_test_add_func ("/camera/not-on-this-machine", test_not_on_this_machine);
  g_test_add_func ("/camera/not-by-another-name", test_not_by_another_name);
  g_test_add_func ("/camera/only-where-allowed", test_only_where_allowed);
  g_test_add_func ("/camera/name-that-is-not-found", test_name_that_is_not_found);
  g_test_add_func ("/camera/stopped-while-looking", test_stopped_while_looking);
  g_test_add_func ("/camera/redirects", test_redirects);
  return g_test_run ();
}
