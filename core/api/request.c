/* request.c - one HTTP request and its answer, apart from the library that carries them. */
#define G_LOG_DOMAIN "rec.api.request"
#include "api/request.h"

#include "base/error.h"
#include "base/fd.h"

#include <string.h>

#define RETRY_AFTER_S "10" /* of what is unavailable: recordings end, workers come back */

static bool
refuse_path (GError **error, const char *why)
{
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "the path of the request %s", why);
  return false;
}

static bool
decode_octets (const char *raw, size_t length, GString *out, GError **error)
{
  for (size_t i = 0; i < length; i++) {
    unsigned char octet = (unsigned char) raw[i];
    if (octet == '%') {
      if (i + 2 >= length || !g_ascii_isxdigit (raw[i + 1]) || !g_ascii_isxdigit (raw[i + 2]))
        return refuse_path (error, "has a broken percent escape");
      octet = (unsigned char) (g_ascii_xdigit_value (raw[i + 1]) * 16 +
                               g_ascii_xdigit_value (raw[i + 2]));
      if (octet == '/')
        return refuse_path (error, "has an encoded slash");
      i += 2;
    } else if (octet == '/' && out->len > 0 && out->str[out->len - 1] == '/') {
      continue;
    }
    if (octet < 0x20 || octet == 0x7f)
      return refuse_path (error, "has a control character");
    if (octet == '\\')
      return refuse_path (error, "has a backslash");
    g_string_append_c (out, (char) octet);
  }
  return true;
}

char *
rec_http_decode_path (const char *raw, size_t length, GError **error)
{
  g_autoptr (GString) out = g_string_sized_new (length);

  if (!decode_octets (raw, length, out, error))
    return NULL;
  if (!g_utf8_validate (out->str, (gssize) out->len, NULL)) {
    refuse_path (error, "is not UTF-8");
    return NULL;
  }
  g_auto (GStrv) components = g_strsplit (out->str, "/", -1);
  for (char **component = components; *component != NULL; component++) {
    if (strcmp (*component, ".") == 0 || strcmp (*component, "..") == 0) {
      refuse_path (error, "has a '.' or '..' component");
      return NULL;
    }
  }
  return g_strdup (out->str);
}

RecHttpRequest *
rec_http_request_new (const char *method, const char *target)
{
  RecHttpRequest *request = g_new0 (RecHttpRequest, 1);
  const char *query = strchr (target, '?');
  size_t n_path = query == NULL ? strlen (target) : (size_t) (query - target);

  atomic_init (&request->n_references, 1);
  request->method = g_strdup (method);
  request->target = g_strdup (target);
  request->query = query == NULL ? NULL : g_strdup (query + 1);
  request->ip = g_strdup ("");
  request->headers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  request->body = g_byte_array_new ();
  request->answer.fd = -1;
  request->answer.headers = g_ptr_array_new_with_free_func (g_free);
  request->path = rec_http_decode_path (target, n_path, &request->refusal);
  return request;
}

RecHttpRequest *
rec_http_request_ref (RecHttpRequest *request)
{
  atomic_fetch_add (&request->n_references, 1);
  return request;
}

void
rec_http_request_unref (RecHttpRequest *request)
{
  if (request == NULL || atomic_fetch_sub (&request->n_references, 1) > 1)
    return;
  g_free (request->method);
  g_free (request->target);
  g_free (request->path);
  g_free (request->query);
  g_free (request->ip);
  g_hash_table_unref (request->headers);
  g_byte_array_unref (request->body);
  if (request->http.stream != NULL)
    request->http.stream_calls->free (request->http.stream);
  g_clear_error (&request->refusal);
  g_free (request->answer.body);
  rec_fd_close (&request->answer.fd);
  g_ptr_array_unref (request->answer.headers);
  g_free (request);
}

void
rec_http_request_add_header (RecHttpRequest *request, const char *name, const char *value)
{
  g_autofree char *key = g_ascii_strdown (name, -1);

  if (!g_hash_table_contains (request->headers, key))
    g_hash_table_insert (request->headers, g_steal_pointer (&key), g_strdup (value));
}

const char *
rec_http_request_get_header (const RecHttpRequest *request, const char *name)
{
  return g_hash_table_lookup (request->headers, name);
}

bool
rec_http_request_header_has (const RecHttpRequest *request, const char *name, const char *token)
{
  const char *value = rec_http_request_get_header (request, name);

  if (value == NULL)
    return false;
  g_auto (GStrv) members = g_strsplit (value, ",", -1);
  for (char **member = members; *member != NULL; member++)
    if (g_ascii_strcasecmp (g_strstrip (*member), token) == 0)
      return true;
  return false;
}

char *
rec_http_request_dup_query (const RecHttpRequest *request, const char *name)
{
  if (request->query == NULL)
    return NULL;
  g_auto (GStrv) pairs = g_strsplit (request->query, "&", -1);
  for (char **pair = pairs; *pair != NULL; pair++) {
    char *value = strchr (*pair, '=');
    if (value != NULL)
      *value++ = '\0';
    if (strcmp (*pair, name) == 0)
      return value == NULL ? g_strdup ("") : g_uri_unescape_string (value, NULL);
  }
  return NULL;
}

bool
rec_http_request_query_bool (const RecHttpRequest *request, const char *name, bool fallback)
{
  g_autofree char *value = rec_http_request_dup_query (request, name);

  if (g_strcmp0 (value, "true") == 0)
    return true;
  return g_strcmp0 (value, "false") == 0 ? false : fallback;
}

static void
notify_answered (RecHttpRequest *request)
{
  request->is_answered = true;
  if (request->notify_answered != NULL)
    request->notify_answered (request);
}

void
rec_http_add_answer_header (RecHttpRequest *request, const char *name, const char *value)
{
  if (request->is_answered)
    return;
  g_ptr_array_add (request->answer.headers, g_strdup (name));
  g_ptr_array_add (request->answer.headers, g_strdup (value));
}

void
rec_http_answer (RecHttpRequest *request, unsigned status, const char *type, char *body,
    size_t n_body)
{
  g_autofree char *owned = body;

  if (request->is_answered)
    return;
  if (type != NULL)
    rec_http_add_answer_header (request, "Content-Type", type);
  request->answer.status = status;
  request->answer.body = g_steal_pointer (&owned);
  request->answer.n_body = n_body;
  notify_answered (request);
}

void
rec_http_answer_empty (RecHttpRequest *request, unsigned status)
{
  rec_http_answer (request, status, NULL, NULL, 0);
}

void
rec_http_answer_text (RecHttpRequest *request, unsigned status, const char *type, const char *text)
{
  rec_http_answer (request, status, type, g_strdup (text), strlen (text));
}

void
rec_http_answer_json (RecHttpRequest *request, unsigned status, RecJson *value)
{
  g_autoptr (RecJson) owned = value;
  char *text = rec_json_to_text (owned);

  rec_http_answer (request, status, "application/json", text, strlen (text));
}

void
rec_http_answer_status (RecHttpRequest *request, unsigned status, const char *message)
{
  RecJson *body = json_object_new_object ();
  g_autofree char *path =
      g_utf8_make_valid (request->path != NULL ? request->path : request->target, -1);

  if (status == 401)
    rec_http_add_answer_header (request, "WWW-Authenticate",
        "Basic realm=\"Recto\", charset=\"UTF-8\"");
  if (status == 503)
    rec_http_add_answer_header (request, "Retry-After", RETRY_AFTER_S);
  rec_json_set_int (body, "timestamp", g_get_real_time () / 1000);
  rec_json_set_int (body, "status", status);
  rec_json_set_string (body, "error", rec_error_http_phrase (status));
  rec_json_set_string (body, "message", message);
  rec_json_set_string (body, "path", path);
  rec_http_answer_json (request, status, body);
}

void
rec_http_answer_error (RecHttpRequest *request, const GError *error)
{
  unsigned status = rec_error_http_status (error);

  if (status >= 500 && status != 501)
    g_warning ("%s %s: %s", request->method, request->path != NULL ? request->path : "",
        error->message);
  rec_http_answer_status (request, status, rec_error_public_message (error));
}

void
rec_http_answer_file (RecHttpRequest *request, unsigned status, const char *type, int fd,
    int64_t offset, int64_t length)
{
  if (request->is_answered) {
    rec_fd_close (&fd);
    return;
  }
  request->answer.fd = fd;
  request->answer.offset = offset;
  request->answer.length = length;
  rec_http_answer (request, status, type, NULL, 0);
}
