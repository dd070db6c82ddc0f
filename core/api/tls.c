/* tls.c - the server's certificate: the configured one, or one made at the first start. */
#define G_LOG_DOMAIN "rec.api.tls"
#include "api/tls.h"

#include "base/config.h"
#include "base/error.h"
#include "base/path.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#define DAY_S (24 * 60 * 60)
/* Longer ones are refused by Apple's clients. */
#define VALID_DAYS 825
#define RENEW_DAYS 30

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_x509_crt_t, gnutls_x509_crt_deinit, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_x509_privkey_t, gnutls_x509_privkey_deinit, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_pubkey_t, gnutls_pubkey_deinit, NULL)

static bool
succeeded (int code, const char *what, GError **error)
{
  if (code >= 0)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot %s: %s", what, gnutls_strerror (code));
  return false;
}

void
rec_tls_free_secret (char *text)
{
  if (text != NULL)
    gnutls_memset (text, 0, strlen (text));
  g_free (text);
}

static gnutls_datum_t
as_datum (const char *text)
{
  return (gnutls_datum_t){ .data = (unsigned char *) text, .size = (unsigned) strlen (text) };
}

static char *
take_datum (gnutls_datum_t *datum)
{
  char *text = g_strndup ((const char *) datum->data, datum->size);

  gnutls_memset (datum->data, 0, datum->size);
  gnutls_free (datum->data);
  return text;
}

/* The host of the public URL, or NULL. */
static char *
dup_public_host (const RecConfig *config)
{
  g_autofree char *url = rec_config_dup_public_url (config, 0);
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);

  return uri == NULL ? NULL : g_strdup (g_uri_get_host (uri));
}

static int
add_name (gnutls_x509_crt_t certificate, const char *name)
{
  unsigned char bytes[16];

  if (inet_pton (AF_INET, name, bytes) == 1)
    return gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS, bytes, 4,
        GNUTLS_FSAN_APPEND);
  if (inet_pton (AF_INET6, name, bytes) == 1)
    return gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS, bytes, 16,
        GNUTLS_FSAN_APPEND);
  return gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, name,
      (unsigned) strlen (name), GNUTLS_FSAN_APPEND);
}

static bool
has_name (gnutls_x509_crt_t certificate, const char *name)
{
  return gnutls_x509_crt_check_hostname (certificate, name) != 0;
}

static const char *const local_names[] = { "localhost", "127.0.0.1", "::1" };

static bool
fill_certificate (gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *host,
    GError **error)
{
  const time_t now = time (NULL);
  unsigned char serial[16];

  if (!succeeded (gnutls_rnd (GNUTLS_RND_NONCE, serial, sizeof serial), "draw a serial number",
          error))
    return false;
  serial[0] = (serial[0] & 0x7f) | 0x40;
  for (size_t i = 0; i < G_N_ELEMENTS (local_names); i++)
    if (!succeeded (add_name (certificate, local_names[i]), "name localhost in the certificate",
            error))
      return false;
  if (host != NULL && !has_name (certificate, host) &&
      !succeeded (add_name (certificate, host), "name the public host in the certificate", error))
    return false;
  return succeeded (gnutls_x509_crt_set_version (certificate, 3), "set the certificate's version",
             error) &&
         succeeded (gnutls_x509_crt_set_serial (certificate, serial, sizeof serial),
             "set the serial number", error) &&
         succeeded (gnutls_x509_crt_set_dn (certificate, "CN=Recto", NULL),
             "set the certificate's subject", error) &&
         succeeded (gnutls_x509_crt_set_activation_time (certificate, now - DAY_S),
             "set the first day", error) &&
         succeeded (
             gnutls_x509_crt_set_expiration_time (certificate, now + (time_t) VALID_DAYS * DAY_S),
             "set the last day", error) &&
         succeeded (gnutls_x509_crt_set_key_usage (certificate, GNUTLS_KEY_DIGITAL_SIGNATURE),
             "set the usage", error) &&
         succeeded (gnutls_x509_crt_set_key_purpose_oid (certificate, GNUTLS_KP_TLS_WWW_SERVER, 0),
             "set the purpose", error) &&
         succeeded (gnutls_x509_crt_set_key (certificate, key), "set the certificate's key",
             error) &&
         succeeded (gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0),
             "sign the certificate", error);
}

static char *
make_certificate (gnutls_x509_privkey_t key, const char *host, GError **error)
{
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  gnutls_datum_t out = { 0 };

  if (!succeeded (gnutls_x509_crt_init (&certificate), "make a certificate", error) ||
      !fill_certificate (certificate, key, host, error) ||
      !succeeded (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &out),
          "write the certificate", error))
    return NULL;
  return take_datum (&out);
}

static char *
make_key (gnutls_x509_privkey_t key, GError **error)
{
  gnutls_datum_t out = { 0 };

  if (!succeeded (gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA,
                      GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0),
          "make the server's key", error) ||
      !succeeded (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_PEM, &out),
          "write the server's key", error))
    return NULL;
  return take_datum (&out);
}

/* Good for the key, for all names and for a while yet. */
static bool
still_serves (const char *pem, gnutls_x509_privkey_t key, const char *host)
{
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  unsigned char id_of_certificate[20], id_of_key[20];
  size_t n_certificate = sizeof id_of_certificate, n_key = sizeof id_of_key;
  const gnutls_datum_t datum = as_datum (pem);

  if (gnutls_x509_crt_init (&certificate) < 0 ||
      gnutls_x509_crt_import (certificate, &datum, GNUTLS_X509_FMT_PEM) < 0)
    return false;
  if (gnutls_x509_crt_get_key_id (certificate, 0, id_of_certificate, &n_certificate) < 0 ||
      gnutls_x509_privkey_get_key_id (key, 0, id_of_key, &n_key) < 0 || n_certificate != n_key ||
      memcmp (id_of_certificate, id_of_key, n_key) != 0)
    return false;
  return gnutls_x509_crt_get_expiration_time (certificate) >
             time (NULL) + (time_t) RENEW_DAYS * DAY_S &&
         has_name (certificate, "localhost") && (host == NULL || has_name (certificate, host));
}

/* A key that is there but unreadable is an error: replacing it would change what clients trust. */
static bool
load_or_make_key (gnutls_x509_privkey_t key, const char *path, char **pem, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_EXISTS)) {
    if (!g_file_get_contents (path, pem, NULL, error))
      return false;
    const gnutls_datum_t datum = as_datum (*pem);
    int code = gnutls_x509_privkey_import (key, &datum, GNUTLS_X509_FMT_PEM);
    if (code >= 0)
      return true;
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED,
        "cannot read the server's key in %s: %s; remove it to have a new one made", path,
        gnutls_strerror (code));
    return false;
  }
  *pem = make_key (key, error);
  return *pem != NULL && rec_path_write_file (path, *pem, strlen (*pem), 0600, error);
}

static bool
load_own (const RecConfig *config, char **certificate, char **key_pem, GError **error)
{
  const char *folder = rec_config_get_string (config, "server.state-directory");
  g_autofree char *certificate_path = g_build_filename (folder, "certificate.pem", NULL);
  g_autofree char *key_path = g_build_filename (folder, "private-key.pem", NULL);
  g_autofree char *host = dup_public_host (config);
  g_auto (gnutls_x509_privkey_t) key = NULL;

  if (!rec_path_make_folder (folder, 0750, error) ||
      !succeeded (gnutls_x509_privkey_init (&key), "make room for a key", error) ||
      !load_or_make_key (key, key_path, key_pem, error))
    return false;
  if (g_file_get_contents (certificate_path, certificate, NULL, NULL) &&
      still_serves (*certificate, key, host))
    return true;
  g_free (*certificate);
  *certificate = make_certificate (key, host, error);
  if (*certificate == NULL ||
      !rec_path_write_file (certificate_path, *certificate, strlen (*certificate), 0644, error))
    return false;
  g_message ("made a self-signed certificate: %s", certificate_path);
  return true;
}

/* libmicrohttpd would start with a pair that doesn't fit, and then fail every handshake. */
static bool
fit_together (const char *certificate, const char *key, GError **error)
{
  gnutls_certificate_credentials_t credentials;
  const gnutls_datum_t certificate_datum = as_datum (certificate), key_datum = as_datum (key);

  if (!succeeded (gnutls_certificate_allocate_credentials (&credentials),
          "make room for the certificate", error))
    return false;
  int code = gnutls_certificate_set_x509_key_mem (credentials, &certificate_datum, &key_datum,
      GNUTLS_X509_FMT_PEM);
  gnutls_certificate_free_credentials (credentials);
  return succeeded (code, "use server.certificate with server.private-key", error);
}

bool
rec_tls_load (const RecConfig *config, char **certificate, char **key, GError **error)
{
  const char *certificate_path = rec_config_get_string (config, "server.certificate");
  const char *key_path = rec_config_get_string (config, "server.private-key");
  g_autofree char *certificate_pem = NULL;
  char *key_pem = NULL;
  bool loaded;

  if (*certificate_path == '\0')
    loaded = load_own (config, &certificate_pem, &key_pem, error);
  else
    loaded = g_file_get_contents (certificate_path, &certificate_pem, NULL, error) &&
             g_file_get_contents (key_path, &key_pem, NULL, error);
  if (!loaded || !fit_together (certificate_pem, key_pem, error)) {
    rec_tls_free_secret (key_pem);
    return false;
  }
  *certificate = g_steal_pointer (&certificate_pem);
  *key = key_pem;
  return true;
}

char *
rec_tls_dup_key_hash (const char *certificate, GError **error)
{
  const gnutls_datum_t pem = as_datum (certificate);
  gnutls_datum_t info = { NULL, 0 };
  unsigned char digest[32];
  g_auto (gnutls_x509_crt_t) parsed = NULL;
  g_auto (gnutls_pubkey_t) key = NULL;

  if (!succeeded (gnutls_x509_crt_init (&parsed), "make room for the certificate", error) ||
      !succeeded (gnutls_x509_crt_import (parsed, &pem, GNUTLS_X509_FMT_PEM),
          "read the certificate", error) ||
      !succeeded (gnutls_pubkey_init (&key), "make room for the key", error) ||
      !succeeded (gnutls_pubkey_import_x509 (key, parsed, 0), "read the certificate's key",
          error) ||
      !succeeded (gnutls_pubkey_export2 (key, GNUTLS_X509_FMT_DER, &info),
          "write the certificate's key", error))
    return NULL;
  int code = gnutls_hash_fast (GNUTLS_DIG_SHA256, info.data, info.size, digest);
  gnutls_free (info.data);
  return succeeded (code, "hash the certificate's key", error)
             ? g_base64_encode (digest, sizeof digest)
             : NULL;
}
