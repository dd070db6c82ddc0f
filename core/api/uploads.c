/* uploads.c - REST for what browsers recorded themselves: tokens to send it with, the sending, what is kept. */
#define G_LOG_DOMAIN "rec.api.uploads"
#include "api/private.h"

#include "api/auth.h"
#include "api/files.h"
#include "base/config.h"
#include "base/error.h"
#include "recording/supervisor.h"
#include "upload/uploads.h"

#include <errno.h>
#include <string.h>

#define MAX_TEXT_BYTES 1000
#define PATH "/recto/api/v1/uploads"
#define SWITCHED_OFF                                                                               \
  "there is no folder for uploads: the log says why, uploads.path names another one"

/* --- [http] a file comes in ------------------------------------------------------------------------------------------- */

static bool
stream_has_room (void *stream)
{
  return !rec_upload_is_full (stream);
}

static bool
stream_wait_for_room (void *stream, RecHttpRequest *request)
{
  return rec_upload_wait_for_room (stream, request);
}

static bool
stream_push (void *stream, const char *bytes, size_t n_bytes)
{
  return rec_upload_push (stream, bytes, n_bytes);
}

static void
stream_end (void *stream)
{
  rec_upload_end (stream);
}

static void
stream_free (void *stream)
{
  rec_upload_abandon (stream);
  rec_upload_unref (stream);
}

static const RecHttpStream stream_calls = {
  .has_room = stream_has_room,
  .wait_for_room = stream_wait_for_room,
  .push = stream_push,
  .end = stream_end,
  .free = stream_free,
};

void
rec_api_resume_upload (void *request)
{
  rec_http_resume_request (request);
}

/* As a query parameter, which a page can send without asking first, or as a Bearer credential. Free it. */
static char *
dup_token (const RecHttpRequest *request)
{
  static const char scheme[] = "Bearer ";
  const char *header = rec_http_request_get_header (request, "authorization");

  if (header != NULL && g_ascii_strncasecmp (header, scheme, strlen (scheme)) == 0)
    return g_strstrip (g_strdup (header + strlen (scheme)));
  return rec_http_request_dup_query (request, "token");
}

static char *
dup_short_query (const RecHttpRequest *request, const char *name)
{
  char *value = rec_http_request_dup_query (request, name);

  if (value == NULL || (strlen (value) <= MAX_TEXT_BYTES && g_utf8_validate (value, -1, NULL)))
    return value;
  g_free (value);
  return NULL;
}

/* Whoever has the server's secret says in the query whose file it is. */
static RecUploadOwner *
make_owner (const RecHttpRequest *request)
{
  g_autofree char *session = dup_short_query (request, "session");
  g_autofree char *stream = dup_short_query (request, "stream");
  g_autofree char *user = dup_short_query (request, "user");

  return rec_upload_owner_new (session, stream, user);
}

static RecUploadOwner *
find_owner (RecApi *api, const RecHttpRequest *request, const char *token, GError **error)
{
  const char *secret = rec_config_get_string (api->context.config, "openvidu.secret");

  if (token != NULL)
    return rec_upload_tokens_take (rec_uploads_get_tokens (api->uploads), token,
        g_get_monotonic_time (), error);
  if (rec_auth_is_valid (rec_http_request_get_header (request, "authorization"), secret))
    return make_owner (request);
  g_set_error_literal (error, REC_ERROR, REC_ERROR_UNAUTHORIZED,
      "an upload needs ?token=, from POST /recto/api/v1/upload-tokens");
  return NULL;
}

static int64_t
get_announced_size (const RecHttpRequest *request)
{
  const char *length = rec_http_request_get_header (request, "content-length");

  if (length == NULL)
    return -1;
  const uint64_t size = g_ascii_strtoull (length, NULL, 10);
  return size > INT64_MAX ? INT64_MAX : (int64_t) size;
}

bool
rec_api_admit_upload (RecApi *api, RecHttpRequest *request)
{
  g_autofree char *token = dup_token (request);

  if (api->uploads == NULL) {
    g_set_error_literal (&request->refusal, REC_ERROR, REC_ERROR_UNAVAILABLE, SWITCHED_OFF);
    return false;
  }
  if (rec_supervisor_is_draining (api->context.supervisor)) {
    g_set_error_literal (&request->refusal, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "the server is being drained and takes no new uploads");
    return false;
  }
  RecUploadOwner *owner = find_owner (api, request, token, &request->refusal);

  if (owner == NULL)
    return false;
  request->http.stream = rec_uploads_begin (api->uploads, owner, g_steal_pointer (&token),
      get_announced_size (request), &request->refusal);
  request->http.stream_calls = &stream_calls;
  return request->http.stream != NULL;
}

/* --- [main] answers ------------------------------------------------------------------------------------------------------ */

static RecJson *
make_entity (const RecApi *api, RecJson *kept)
{
  const char *url = rec_registry_get_public_url (api->context.registry);
  const char *id = rec_json_string_or (kept, "id", "");
  const char *file = rec_json_string_or (kept, "file", "");
  const char *thumbnail = rec_json_string_or (kept, "thumbnail", NULL);
  g_autofree char *file_url = g_strdup_printf ("%s" PATH "/%s/%s", url, id, file);
  g_autofree char *thumbnail_url =
      thumbnail == NULL ? NULL : g_strdup_printf ("%s" PATH "/%s/%s", url, id, thumbnail);
  RecJson *entity = NULL;

  json_object_deep_copy (kept, &entity, NULL);
  rec_json_set_string (entity, "object", "upload");
  rec_json_set_string (entity, "type", rec_file_get_type (file));
  rec_json_set_string (entity, "url", file_url);
  rec_json_set_string (entity, "thumbnailUrl", thumbnail_url);
  return entity;
}

typedef struct {
  RecApi *api;
  RecHttpRequest *request;
} Waiting;

static void
on_done (RecJson *entity, const GError *error, void *data)
{
  g_autofree Waiting *waiting = data;

  if (entity != NULL)
    rec_http_answer_json (waiting->request, 200, make_entity (waiting->api, entity));
  else
    rec_http_answer_error (waiting->request, error);
  rec_http_request_unref (waiting->request);
}

void
rec_create_upload (RecCall *call)
{
  Waiting *waiting = g_new (Waiting, 1);

  if (call->request->http.has_two_parts)
    g_message ("an upload held more than one part 'file': only the first is kept");
  *waiting = (Waiting){ call->api, rec_http_request_ref (call->request) };
  rec_uploads_when_done (call->api->uploads, call->request->http.stream, on_done, waiting);
}

void
rec_create_upload_token (RecCall *call)
{
  static const RecJsonField fields[] = {
    { .name = "session",
        .type = REC_JSON_STRING,
        .required = true,
        .min = 1,
        .max = MAX_TEXT_BYTES },
    { .name = "stream", .type = REC_JSON_STRING, .max = MAX_TEXT_BYTES },
    { .name = "user", .type = REC_JSON_STRING, .max = MAX_TEXT_BYTES },
    REC_JSON_FIELDS_END,
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecJson) empty = json_object_new_object ();
  RecJson *body = call->body != NULL ? call->body : empty;
  g_autofree char *token = NULL;

  if (call->api->uploads == NULL)
    g_set_error_literal (&error, REC_ERROR, REC_ERROR_UNAVAILABLE, SWITCHED_OFF);
  else if (rec_json_check_closed (body, fields, &error))
    token = rec_upload_tokens_issue (rec_uploads_get_tokens (call->api->uploads),
        rec_upload_owner_new (rec_json_string_or (body, "session", ""),
            rec_json_string_or (body, "stream", ""), rec_json_string_or (body, "user", "")),
        g_get_monotonic_time (), &error);
  if (token == NULL) {
    rec_http_answer_error (call->request, error);
    return;
  }
  g_autofree char *url = g_strdup_printf ("%s" PATH "?token=%s",
      rec_registry_get_public_url (call->api->context.registry), token);
  RecJson *answer = json_object_new_object ();
  rec_json_set_string (answer, "token", token);
  rec_json_set_string (answer, "url", url);
  rec_json_set_int (answer, "expiresIn",
      rec_config_get_int (call->api->context.config, "uploads.token-lifetime-s"));
  rec_http_answer_json (call->request, 200, answer);
}

void
rec_add_uploads (const RecApi *api, const char *session, RecJson *items)
{
  GPtrArray *all = api->uploads != NULL ? rec_uploads_get_all (api->uploads) : NULL;

  for (guint i = 0; all != NULL && i < all->len; i++)
    if (session == NULL || strcmp (session, rec_json_string_or (all->pdata[i], "session", "")) == 0)
      json_object_array_add (items, make_entity (api, all->pdata[i]));
}

void
rec_list_uploads (RecCall *call)
{
  g_autofree char *session = rec_http_request_dup_query (call->request, "session");
  RecJson *list = json_object_new_object ();
  RecJson *items = json_object_new_array ();

  rec_add_uploads (call->api, session, items);
  rec_json_set_int (list, "count", (int64_t) json_object_array_length (items));
  rec_json_take (list, "items", items);
  rec_http_answer_json (call->request, 200, list);
}

static RecJson *
find_upload (RecCall *call)
{
  RecJson *kept =
      call->api->uploads != NULL ? rec_uploads_find (call->api->uploads, call->arguments[0]) : NULL;

  if (kept == NULL)
    rec_http_answer_status (call->request, 404, "there is no such upload");
  return kept;
}

void
rec_get_upload (RecCall *call)
{
  RecJson *kept = find_upload (call);

  if (kept != NULL)
    rec_http_answer_json (call->request, 200, make_entity (call->api, kept));
}

void
rec_delete_upload (RecCall *call)
{
  g_autoptr (GError) error = NULL;

  if (find_upload (call) == NULL)
    return;
  if (rec_uploads_remove (call->api->uploads, call->arguments[0], &error))
    rec_http_answer_empty (call->request, 204);
  else
    rec_http_answer_error (call->request, error);
}

void
rec_send_upload (RecCall *call)
{
  RecJson *kept = find_upload (call);

  if (kept == NULL)
    return;
  const int fd = rec_uploads_open (call->api->uploads, kept, call->arguments[1]);
  if (fd < 0) {
    rec_http_answer_status (call->request, 404, "there is no such file");
    return;
  }
  /* It came from anywhere: a browser that opens it must not run what may be in it. */
  rec_http_add_answer_header (call->request, "Content-Security-Policy", "sandbox");
  rec_file_answer (call->request, fd, call->arguments[1]);
}
