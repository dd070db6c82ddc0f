/* rest.c - one connection per call, which the server closes after its answer. */
#include "rest.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tls.h"

#define MAX_ANSWER_BYTES 262144

static char *
make_request (const LoadServer *server, const LoadAddress *address, const char *path,
    const char *body)
{
  g_autofree char *login = g_strconcat ("OPENVIDUAPP:", server->secret, NULL);
  g_autofree char *encoded = g_base64_encode ((const guchar *) login, strlen (login));

  return g_strdup_printf ("POST %s HTTP/1.0\r\nHost: %s:%u\r\nAuthorization: Basic %s\r\n"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
      path, address->host, address->port, encoded, strlen (body), body);
}

static bool
read_all (LoadTls *tls, GString *answer, GError **error)
{
  char part[4096];
  ssize_t n;

  while ((n = load_tls_read (tls, part, sizeof part)) > 0 && answer->len < MAX_ANSWER_BYTES)
    g_string_append_len (answer, part, n);
  if (n == 0 && answer->len > 0)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "the server gave no whole answer: %s",
      n == 0 ? "it closed the connection" : g_strerror (errno));
  return false;
}

/* "HTTP/1.1 200 OK" */
static unsigned
get_status (const char *answer)
{
  const char *space = strchr (answer, ' ');

  return g_str_has_prefix (answer, "HTTP/1.") && space != NULL
             ? (unsigned) g_ascii_strtoull (space + 1, NULL, 10)
             : 0;
}

static bool
call (const LoadServer *server, const char *path, const char *body, unsigned *status, char **result,
    GError **error)
{
  LoadAddress address = { 0 };
  g_autoptr (LoadTls) tls = NULL;
  g_autoptr (GString) answer = g_string_new (NULL);
  g_autofree char *request = NULL;
  bool is_ok;

  if (!load_address_parse (server->url, &address, error))
    return false;
  tls = load_tls_connect (&address, server->is_trusting, server->timeout_s, error);
  request = make_request (server, &address, path, body);
  load_address_clear (&address);
  is_ok = tls != NULL && load_tls_write_all (tls, request, strlen (request));
  if (tls != NULL && !is_ok)
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "the server takes no request: %s",
        g_strerror (errno));
  if (!is_ok || !read_all (tls, answer, error))
    return false;
  *status = get_status (answer->str);
  const char *end = strstr (answer->str, "\r\n\r\n");
  *result = g_strdup (end != NULL ? end + 4 : "");
  return true;
}

static bool
fail (unsigned status, const char *what, const char *body, GError **error)
{
  g_autoptr (RecJson) json = rec_json_parse (body, strlen (body), MAX_ANSWER_BYTES, NULL);

  if (status == 401)
    g_set_error (error, REC_ERROR, REC_ERROR_UNAUTHORIZED,
        "%s: the server answers 401: the secret is wrong", what);
  else
    g_set_error (error, REC_ERROR, status == 404 ? REC_ERROR_NOT_FOUND : REC_ERROR_FAILED,
        "%s: the server answers %u %s", what, status, rec_json_string_or (json, "message", ""));
  return false;
}

bool
load_rest_make_session (const LoadServer *server, const char *session, GError **error)
{
  g_autoptr (RecJson) body = json_object_new_object ();
  g_autofree char *text = NULL, *answer = NULL, *what = NULL;
  unsigned status;

  rec_json_set_string (body, "customSessionId", session);
  text = rec_json_to_text (body);
  if (!call (server, "/openvidu/api/sessions", text, &status, &answer, error))
    return false;
  if (status == 200 || status == 409)
    return true;
  what = g_strdup_printf ("cannot create session '%s'", session);
  return fail (status, what, answer, error);
}

char *
load_rest_make_token (const LoadServer *server, const char *session, const char *role,
    GError **error)
{
  g_autofree char *escaped = g_uri_escape_string (session, NULL, FALSE);
  g_autofree char *path = g_strdup_printf ("/openvidu/api/sessions/%s/connection", escaped);
  g_autofree char *text = g_strdup_printf ("{\"role\":\"%s\"}", role);
  g_autofree char *answer = NULL;
  g_autoptr (RecJson) json = NULL;
  unsigned status;

  if (!call (server, path, text, &status, &answer, error))
    return NULL;
  if (status != 200) {
    fail (status, "cannot get a token", answer, error);
    return NULL;
  }
  json = rec_json_parse (answer, strlen (answer), MAX_ANSWER_BYTES, NULL);
  const char *token = rec_json_string_or (json, "token", NULL);
  if (token == NULL)
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED,
        "cannot get a token: the server's answer has none");
  return g_strdup (token);
}
