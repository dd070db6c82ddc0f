/* test-camera.c - IP cameras that cannot be opened, and those that are let go meanwhile. */
#include "media/camera.h"

#include <gio/gio.h>
#include <gst/gst.h>

#include "base/config.h"
#include "base/error.h"

#define DEADLINE_US (20 * G_USEC_PER_SEC)

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

static gboolean
wake (void *data G_GNUC_UNUSED)
{
  return G_SOURCE_CONTINUE;
}

static void
wait_for (const Answer *answer)
{
  int64_t deadline_us = g_get_monotonic_time () + DEADLINE_US;
  guint timer = g_timeout_add (10, wake, NULL);

  while (answer->n_given == 0 && g_get_monotonic_time () < deadline_us)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  g_assert_cmpuint (answer->n_given, ==, 1);
}

static RecCameraHost *
make_host (const char *setting, const char *value)
{
  g_autoptr (RecConfig) config = rec_config_new ();
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  g_autoptr (GError) error = NULL;
  RecCameraHost *host;

  g_assert_true (rec_config_set (config, setting, value, "the test", &error));
  g_assert_no_error (error);
  host = rec_camera_host_new (config, (int64_t) gst_clock_get_time (clock), &error);
  g_assert_no_error (error);
  return host;
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/camera/refused", test_refused);
  g_test_add_func ("/camera/silent", test_silent);
  g_test_add_func ("/camera/stopped-meanwhile", test_stopped_meanwhile);
  g_test_add_func ("/camera/one-too-many", test_one_too_many);
  return g_test_run ();
}
