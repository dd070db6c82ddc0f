/* auth.c - who may call: HTTP Basic with the server's secret. */
#define G_LOG_DOMAIN "rec.api.auth"
#include "api/auth.h"

#include "session/token.h"

#include <glib.h>
#include <string.h>

#define SCHEME "Basic "
#define USER "OPENVIDUAPP"

bool
rec_auth_is_valid (const char *header, const char *secret)
{
  gsize length;

  if (header == NULL || g_ascii_strncasecmp (header, SCHEME, strlen (SCHEME)) != 0)
    return false;
  g_autofree char *expected = g_strconcat (USER ":", secret, NULL);
  g_autofree guchar *raw = g_base64_decode (header + strlen (SCHEME), &length);
  g_autofree char *given = g_strndup ((const char *) raw, length);
  return strlen (given) == length && rec_secret_equals (given, expected);
}
