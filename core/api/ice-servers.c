/* ice-servers.c - the ICE servers that an application gives to one connection. */
#define G_LOG_DOMAIN "rec.api.ice-servers"
#include "api/ice-servers.h"

#include "base/error.h"

#include <string.h>

#define LIFETIME_S (24 * 60 * 60)

static const RecJsonField fields[] = {
  { .name = "url", .type = REC_JSON_STRING, .required = true, .min = 1, .max = 1000 },
  { .name = "username", .type = REC_JSON_STRING, .max = 1000 },
  { .name = "credential", .type = REC_JSON_STRING, .max = 1000 },
  { .name = "staticAuthSecret", .type = REC_JSON_STRING, .max = 1000 },
  REC_JSON_FIELDS_END,
};

static bool
refuse (GError **error, const char *why)
{
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "field \"customIceServers\": %s", why);
  return false;
}

static bool
check_server (RecJson *server, GError **error)
{
  if (!rec_json_check (server, fields, error)) {
    g_prefix_error (error, "field \"customIceServers\": ");
    return false;
  }
  const char *url = rec_json_string_or (server, "url", "");
  bool is_turn = g_str_has_prefix (url, "turn:") || g_str_has_prefix (url, "turns:");
  bool has_name = rec_json_has (server, "username");
  bool has_password = rec_json_has (server, "credential");
  bool has_secret = rec_json_has (server, "staticAuthSecret");

  if (!is_turn && !g_str_has_prefix (url, "stun:") && !g_str_has_prefix (url, "stuns:"))
    return refuse (error, "field \"url\" must begin with stun:, stuns:, turn: or turns:");
  if (!is_turn)
    return !has_name && !has_password && !has_secret
               ? true
               : refuse (error, "a STUN server takes no name, password or secret");
  if (has_secret ? has_name || has_password : !has_name || !has_password)
    return refuse (error,
        "a TURN server needs either \"username\" and \"credential\" or \"staticAuthSecret\"");
  return true;
}

bool
rec_body_check_ice_servers (RecJson *servers, GError **error)
{
  for (size_t i = 0; i < json_object_array_length (servers); i++)
    if (!check_server (json_object_array_get_idx (servers, i), error))
      return false;
  return true;
}

static void
resolve (RecJson *server, const char *secret, int64_t now_ms)
{
  g_autofree char *name =
      g_strdup_printf ("%" G_GINT64_FORMAT ":recto", now_ms / 1000 + LIFETIME_S);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA1, (const guchar *) secret, strlen (secret));
  guint8 digest[20];
  gsize n_digest = sizeof digest;

  g_hmac_update (hmac, (const guchar *) name, -1);
  g_hmac_get_digest (hmac, digest, &n_digest);
  g_autofree char *password = g_base64_encode (digest, n_digest);
  json_object_object_del (server, "staticAuthSecret");
  rec_json_set_string (server, "username", name);
  rec_json_set_string (server, "credential", password);
}

void
rec_body_resolve_ice_servers (RecJson *servers, int64_t now_ms)
{
  for (size_t i = 0; servers != NULL && i < json_object_array_length (servers); i++) {
    RecJson *server = json_object_array_get_idx (servers, i);
    g_autofree char *secret = g_strdup (rec_json_string_or (server, "staticAuthSecret", NULL));
    if (secret != NULL)
      resolve (server, secret, now_ms);
  }
}
