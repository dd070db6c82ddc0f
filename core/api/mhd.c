/* mhd.c - libmicrohttpd's untyped calls, typed: what a connection is, headers in, answers out. */
#define G_LOG_DOMAIN "rec.api.mhd"
#include "api/mhd.h"

#include "api/listen.h"

#include <string.h>

int
rec_mhd_get_fd (struct MHD_Connection *connection)
{
  return MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

void *
rec_mhd_get_context (struct MHD_Connection *connection)
{
  return MHD_get_connection_info (connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

size_t
rec_mhd_get_header_size (struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info (connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

  return info == NULL ? 0 : info->header_size;
}

char *
rec_mhd_dup_address (struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

  return rec_address_to_text (info == NULL ? NULL : info->client_addr);
}

static enum MHD_Result
copy_header (void *data, enum MHD_ValueKind kind G_GNUC_UNUSED, const char *name, const char *value)
{
  rec_http_request_add_header (data, name, value == NULL ? "" : value);
  return MHD_YES;
}

void
rec_mhd_copy_headers (struct MHD_Connection *connection, RecHttpRequest *request)
{
  MHD_get_connection_values (connection, MHD_HEADER_KIND, copy_header, request);
}

typedef struct {
  unsigned n_lengths, n_encodings;
  bool is_broken;
} Framing;

static bool
is_token (const char *name)
{
  for (const char *c = name; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("!#$%&'*+-.^_`|~", *c) == NULL)
      return false;
  return *name != '\0';
}

/* A line that continues the one before ends up behind that one's name: the library's own way to fold. */
static bool
begins_with (const char *name, const char *beginning)
{
  return g_ascii_strncasecmp (name, beginning, strlen (beginning)) == 0;
}

static enum MHD_Result
look_at_framing (void *data, enum MHD_ValueKind kind G_GNUC_UNUSED, const char *name,
    const char *value)
{
  Framing *framing = data;
  const char *text = value == NULL ? "" : value;

  if (!is_token (name))
    framing->is_broken = true;
  if (g_ascii_strcasecmp (name, "content-length") == 0) {
    framing->n_lengths++;
    framing->is_broken |= *text == '\0' || text[strspn (text, "0123456789")] != '\0';
  } else if (g_ascii_strcasecmp (name, "transfer-encoding") == 0) {
    framing->n_encodings++;
    framing->is_broken |= g_ascii_strcasecmp (text, "chunked") != 0;
  } else if (begins_with (name, "content-length") || begins_with (name, "transfer-encoding")) {
    framing->is_broken = true;
  }
  return MHD_YES;
}

bool
rec_mhd_has_clear_end (struct MHD_Connection *connection)
{
  Framing framing = { 0 };

  MHD_get_connection_values (connection, MHD_HEADER_KIND, look_at_framing, &framing);
  return !framing.is_broken && framing.n_lengths + framing.n_encodings <= 1;
}

static const char *const headers_of_all[][2] = {
  { "Access-Control-Allow-Origin", "*" },
  { "Access-Control-Expose-Headers", "Accept-Ranges, Content-Range, ETag" },
  { "X-Content-Type-Options", "nosniff" },
};

static struct MHD_Response *
make_response (RecHttpAnswer *answer)
{
  struct MHD_Response *response;

  if (answer->fd >= 0) {
    response = MHD_create_response_from_fd_at_offset64 ((uint64_t) answer->length, answer->fd,
        (uint64_t) answer->offset);
    if (response != NULL)
      answer->fd = -1;
    return response;
  }
  response = MHD_create_response_from_buffer (answer->n_body, answer->body, MHD_RESPMEM_MUST_FREE);
  if (response != NULL)
    answer->body = NULL;
  return response;
}

enum MHD_Result
rec_mhd_send_answer (struct MHD_Connection *connection, RecHttpRequest *request)
{
  RecHttpAnswer *answer = &request->answer;
  struct MHD_Response *response = make_response (answer);

  if (response == NULL)
    return MHD_NO;
  for (size_t i = 0; i < G_N_ELEMENTS (headers_of_all); i++)
    MHD_add_response_header (response, headers_of_all[i][0], headers_of_all[i][1]);
  for (guint i = 0; i + 1 < answer->headers->len; i += 2)
    MHD_add_response_header (response, answer->headers->pdata[i], answer->headers->pdata[i + 1]);
  enum MHD_Result result = MHD_queue_response (connection, answer->status, response);
  MHD_destroy_response (response);
  return result;
}
