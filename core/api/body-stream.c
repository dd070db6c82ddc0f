/* body-stream.c - hands a body on piece by piece, whole or as the one file of a form, and lets the client wait. */
#define G_LOG_DOMAIN "rec.api.body-stream"
#include "api/body-stream.h"

#include "api/http.h"

#include <string.h>

#define FORM_BUFFER_BYTES 4096
#define PATIENCE_BYTES ((size_t) 8 * 1024 * 1024)
#define FORM_TYPE "multipart/form-data"
#define FILE_PART "file"

static void
push (RecHttpRequest *request, const char *bytes, size_t n_bytes)
{
  if (!request->http.is_unwanted && n_bytes > 0)
    request->http.is_unwanted =
        !request->http.stream_calls->push (request->http.stream, bytes, n_bytes);
}

/* What the part calls itself and its file is nobody's business: names are ours to give. */
static enum MHD_Result
on_form (void *data, enum MHD_ValueKind kind G_GNUC_UNUSED, const char *key,
    const char *filename G_GNUC_UNUSED, const char *type G_GNUC_UNUSED,
    const char *encoding G_GNUC_UNUSED, const char *bytes, uint64_t offset, size_t n_bytes)
{
  RecHttpRequest *request = data;

  if (g_strcmp0 (key, FILE_PART) != 0)
    return MHD_YES;
  if (offset == 0 && request->http.has_part)
    request->http.has_two_parts = true;
  request->http.has_part = true;
  if (!request->http.has_two_parts)
    push (request, bytes, n_bytes);
  return MHD_YES;
}

void
rec_body_stream_begin (RecHttpRequest *request, struct MHD_Connection *connection)
{
  const char *type = rec_http_request_get_header (request, "content-type");

  if (type != NULL && g_ascii_strncasecmp (type, FORM_TYPE, strlen (FORM_TYPE)) == 0)
    request->http.form =
        MHD_create_post_processor (connection, FORM_BUFFER_BYTES, on_form, request);
}

/* Suspended first: the stream may have room, and resume, before we are back. */
static bool
has_room (RecHttpRequest *request, struct MHD_Connection *connection)
{
  if (request->http.stream_calls->has_room (request->http.stream))
    return true;
  MHD_suspend_connection (connection);
  if (!request->http.stream_calls->wait_for_room (request->http.stream, request))
    MHD_resume_connection (connection);
  return false;
}

enum MHD_Result
rec_body_stream_take (RecHttpRequest *request, struct MHD_Connection *connection, const char *body,
    size_t *n_body)
{
  if (request->http.is_unwanted) { /* read on for a while, so that the client finds the answer */
    request->http.n_received += *n_body;
    *n_body = 0;
    return request->http.n_received > PATIENCE_BYTES ? MHD_NO : MHD_YES;
  }
  if (!has_room (request, connection))
    return MHD_YES;
  if (request->http.form == NULL)
    push (request, body, *n_body);
  else if (MHD_post_process (request->http.form, body, *n_body) != MHD_YES)
    request->http.is_unwanted = true;
  *n_body = 0;
  return MHD_YES;
}

void
rec_body_stream_clear (RecHttpRequest *request)
{
  if (request->http.form != NULL)
    MHD_destroy_post_processor (g_steal_pointer (&request->http.form));
}

void
rec_body_stream_end (RecHttpRequest *request)
{
  rec_body_stream_clear (request);
  request->http.stream_calls->end (request->http.stream);
}

void
rec_http_resume_request (RecHttpRequest *request)
{
  MHD_resume_connection (request->http.connection);
}
