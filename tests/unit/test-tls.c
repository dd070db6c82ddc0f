/* test-tls.c - the certificate that is made at the first start, kept, renewed and refused. */
#include "api/tls.h"

#include "base/config.h"

#include <glib/gstdio.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  char *folder;
  RecConfig *config;
} Fixture;

static void
set (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static char *
in_folder (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, name, NULL);
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *state = NULL;

  fixture->folder = g_dir_make_tmp ("recto-tls-XXXXXX", NULL);
  fixture->config = rec_config_new ();
  state = in_folder (fixture, "state");
  set (fixture, "server.state-directory", state);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "state/certificate.pem", "state/private-key.pem", "state",
    "own.pem", "" };

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = in_folder (fixture, names[i]);
    g_remove (path);
  }
  g_assert_false (g_file_test (fixture->folder, G_FILE_TEST_EXISTS));
  rec_config_free (fixture->config);
  g_free (fixture->folder);
}

static void
load (Fixture *fixture, char **certificate, char **key)
{
  g_autoptr (GError) error = NULL;

  rec_tls_load (fixture->config, certificate, key, &error);
  g_assert_no_error (error);
}

static gnutls_x509_crt_t
parse (const char *pem)
{
  const gnutls_datum_t datum = { .data = (unsigned char *) pem, .size = (unsigned) strlen (pem) };
  gnutls_x509_crt_t certificate;

  g_assert_cmpint (gnutls_x509_crt_init (&certificate), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_import (certificate, &datum, GNUTLS_X509_FMT_PEM), ==, 0);
  return certificate;
}

static void
test_makes_a_certificate (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "localhost", "127.0.0.1", "::1", "rec.example" };
  g_autofree char *certificate = NULL, *key = NULL,
                  *path = in_folder (fixture, "state/private-key.pem");
  struct stat file;

  set (fixture, "openvidu.publicurl", "https://rec.example:4443/");
  load (fixture, &certificate, &key);
  gnutls_x509_crt_t parsed = parse (certificate);
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_true (gnutls_x509_crt_check_hostname (parsed, names[i]));
  g_assert_false (gnutls_x509_crt_check_hostname (parsed, "other.example"));
  g_assert_cmpint (gnutls_x509_crt_get_activation_time (parsed), <, time (NULL));
  g_assert_cmpint (gnutls_x509_crt_get_expiration_time (parsed), >, time (NULL) + 365 * 24 * 3600);
  gnutls_x509_crt_deinit (parsed);
  g_assert_cmpint (g_stat (path, &file), ==, 0);
  g_assert_cmpint (file.st_mode & 0777, ==, 0600);
}

static void
test_keeps_it (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *first = NULL, *first_key = NULL, *second = NULL, *second_key = NULL;

  load (fixture, &first, &first_key);
  load (fixture, &second, &second_key);
  g_assert_cmpstr (first, ==, second);
  g_assert_cmpstr (first_key, ==, second_key);
}

/* Who trusts the server by its key goes on doing so. */
static void
test_renews_it_with_the_same_key (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *first = NULL, *first_key = NULL, *second = NULL, *second_key = NULL;

  load (fixture, &first, &first_key);
  set (fixture, "openvidu.publicurl", "https://moved.example");
  load (fixture, &second, &second_key);
  g_assert_cmpstr (first, !=, second);
  g_assert_cmpstr (first_key, ==, second_key);
}

static void
test_does_not_replace_a_broken_key (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *certificate = NULL, *key = NULL,
                  *path = in_folder (fixture, "state/private-key.pem");
  g_autoptr (GError) error = NULL;

  load (fixture, &certificate, &key);
  g_assert_true (g_file_set_contents (path, "rubbish", -1, NULL));
  g_clear_pointer (&certificate, g_free);
  g_clear_pointer (&key, g_free);
  g_assert_false (rec_tls_load (fixture->config, &certificate, &key, &error));
  g_assert_nonnull (strstr (error->message, path));
}

static void
test_uses_configured_files (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *made = NULL, *made_key = NULL, *used = NULL, *used_key = NULL, *none = NULL,
                  *no_key = NULL;
  g_autofree char *own = in_folder (fixture, "own.pem"),
                  *key = in_folder (fixture, "state/private-key.pem");
  g_autoptr (GError) error = NULL;

  load (fixture, &made, &made_key);
  g_assert_true (g_file_set_contents (own, made, -1, NULL));
  set (fixture, "server.certificate", own);
  set (fixture, "server.private-key", key);
  load (fixture, &used, &used_key);
  g_assert_cmpstr (used, ==, made);
  set (fixture, "server.private-key", own);
  g_assert_false (rec_tls_load (fixture->config, &none, &no_key, &error));
  g_assert_nonnull (strstr (error->message, "server.private-key"));
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tls/makes-a-certificate-for-all-names", test_makes_a_certificate);
  ADD ("/tls/keeps-it", test_keeps_it);
  ADD ("/tls/renews-it-with-the-same-key", test_renews_it_with_the_same_key);
  ADD ("/tls/does-not-replace-a-broken-key", test_does_not_replace_a_broken_key);
  ADD ("/tls/uses-configured-files", test_uses_configured_files);
  return g_test_run ();
}
