/* config-check.c - what a configuration must satisfy as a whole. */
#define G_LOG_DOMAIN "rec.base.config"
#include "base/config.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"

#define DOCUMENTED_SECRET "MY_SECRET"
#define MIN_MEDIA_PORTS 10

static bool
is_loopback (const char *address, bool *is_numeric)
{
  struct in_addr v4;
  struct in6_addr v6;

  *is_numeric = true;
  if (inet_pton (AF_INET, address, &v4) == 1)
    return ntohl (v4.s_addr) >> 24 == 127;
  if (inet_pton (AF_INET6, address, &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK (&v6);
  *is_numeric = false;
  return false;
}

static bool
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, message);
  return false;
}

static bool
check_address (const RecConfig *config, GError **error)
{
  const char *address = rec_config_get_string (config, "server.address");
  const char *secret = rec_config_get_string (config, "openvidu.secret");
  bool is_numeric = false;
  bool is_local = is_loopback (address, &is_numeric);

  if (!is_numeric) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "server.address = '%s': expected a numeric address such as 127.0.0.1, 0.0.0.0 or ::",
        address);
    return false;
  }
  if (!is_local && strcmp (secret, DOCUMENTED_SECRET) == 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "server.address = '%s' is open to others while openvidu.secret is the "
        "documented " DOCUMENTED_SECRET
        ": set a secret of your own, best with openvidu.secret-file",
        address);
    return false;
  }
  return true;
}

static bool
check_certificate (const RecConfig *config, GError **error)
{
  bool has_certificate = *rec_config_get_string (config, "server.certificate") != '\0';
  bool has_key = *rec_config_get_string (config, "server.private-key") != '\0';

  return has_certificate == has_key ||
         refuse (error, "server.certificate and server.private-key: set both or none");
}

static bool
check_public_url (const RecConfig *config, GError **error)
{
  const char *url = rec_config_get_string (config, "openvidu.publicurl");
  g_autoptr (GError) cause = NULL;

  if (strcmp (url, "local") == 0)
    return true;
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, &cause);
  if (uri != NULL && strcmp (g_uri_get_scheme (uri), "https") == 0 &&
      g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0' &&
      g_uri_get_query (uri) == NULL)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "openvidu.publicurl = '%s': expected local or https://HOST[:PORT]", url);
  return false;
}

static bool
check_order (const RecConfig *config, const char *low, const char *high, GError **error)
{
  if (rec_config_get_int (config, low) <= rec_config_get_int (config, high))
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "%s = %s is above %s = %s", low,
      rec_config_get_string (config, low), high, rec_config_get_string (config, high));
  return false;
}

static bool
check_media_ports (const RecConfig *config, GError **error)
{
  int64_t first = rec_config_get_int (config, "media.min-port");
  int64_t last = rec_config_get_int (config, "media.max-port");

  if (last - first + 1 >= MIN_MEDIA_PORTS)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "media.min-port = %" G_GINT64_FORMAT ", media.max-port = %" G_GINT64_FORMAT
      ": expected at least %d ports",
      first, last, MIN_MEDIA_PORTS);
  return false;
}

bool
rec_config_check (const RecConfig *config, GError **error)
{
  return check_address (config, error) && check_certificate (config, error) &&
         check_public_url (config, error) && check_media_ports (config, error) &&
         check_order (config, "openvidu.streams.video.min-recv-bandwidth",
             "openvidu.streams.video.max-recv-bandwidth", error) &&
         check_order (config, "openvidu.streams.video.min-send-bandwidth",
             "openvidu.streams.video.max-send-bandwidth", error);
}
