/* error.c - the one table from error code to HTTP status. */
#define G_LOG_DOMAIN "rec.base.error"
#include "base/error.h"

G_DEFINE_QUARK (rec - error - quark, rec_error)

static const unsigned http_status[REC_N_ERRORS] = {
  [REC_ERROR_INVALID] = 500,
  [REC_ERROR_INVALID_ARGUMENT] = 400,
  [REC_ERROR_UNAUTHORIZED] = 401,
  [REC_ERROR_FORBIDDEN] = 403,
  [REC_ERROR_NOT_FOUND] = 404,
  [REC_ERROR_METHOD_NOT_ALLOWED] = 405,
  [REC_ERROR_NOT_ACCEPTABLE] = 406,
  [REC_ERROR_TOO_SLOW] = 408,
  [REC_ERROR_CONFLICT] = 409,
  [REC_ERROR_TOO_LARGE] = 413,
  [REC_ERROR_UNSUPPORTED_TYPE] = 415,
  [REC_ERROR_BAD_RANGE] = 416,
  [REC_ERROR_UNPROCESSABLE] = 422,
  [REC_ERROR_TOO_MANY] = 429,
  [REC_ERROR_FAILED] = 500,
  [REC_ERROR_NOT_IMPLEMENTED] = 501,
  [REC_ERROR_UNAVAILABLE] = 503,
  [REC_ERROR_TIMEOUT] = 504,
  [REC_ERROR_NO_SPACE] = 507,
};

static const struct {
  unsigned status;
  const char *phrase;
} phrases[] = {
  { 200, "OK" },
  { 201, "Created" },
  { 204, "No Content" },
  { 206, "Partial Content" },
  { 301, "Moved Permanently" },
  { 302, "Found" },
  { 304, "Not Modified" },
  { 400, "Bad Request" },
  { 401, "Unauthorized" },
  { 403, "Forbidden" },
  { 404, "Not Found" },
  { 405, "Method Not Allowed" },
  { 406, "Not Acceptable" },
  { 408, "Request Timeout" },
  { 409, "Conflict" },
  { 410, "Gone" },
  { 411, "Length Required" },
  { 412, "Precondition Failed" },
  { 413, "Payload Too Large" },
  { 415, "Unsupported Media Type" },
  { 416, "Range Not Satisfiable" },
  { 422, "Unprocessable Entity" },
  { 426, "Upgrade Required" },
  { 429, "Too Many Requests" },
  { 431, "Request Header Fields Too Large" },
  { 500, "Internal Server Error" },
  { 501, "Not Implemented" },
  { 503, "Service Unavailable" },
  { 504, "Gateway Timeout" },
  { 507, "Insufficient Storage" },
};

unsigned
rec_error_http_status (const GError *error)
{
  if (error->domain != REC_ERROR || error->code < 0 || error->code >= REC_N_ERRORS)
    return 500;
  return http_status[error->code];
}

const char *
rec_error_http_phrase (unsigned status)
{
  for (size_t i = 0; i < G_N_ELEMENTS (phrases); i++)
    if (phrases[i].status == status)
      return phrases[i].phrase;
  return "Unknown";
}

const char *
rec_error_public_message (const GError *error)
{
  return error->domain == REC_ERROR ? error->message : "the server failed; its log says why";
}
