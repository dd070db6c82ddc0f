/* error.h - the one error domain of the core, and what each code means over HTTP. */
#ifndef REC_BASE_ERROR_H
#define REC_BASE_ERROR_H

#include <glib.h>

#include "base/types.h"

#define REC_ERROR (rec_error_quark ())
GQuark rec_error_quark (void);

typedef enum RecErrorCode {
  REC_ERROR_INVALID = 0,
  REC_ERROR_INVALID_ARGUMENT,   /* 400 */
  REC_ERROR_UNAUTHORIZED,       /* 401 */
  REC_ERROR_FORBIDDEN,          /* 403 */
  REC_ERROR_NOT_FOUND,          /* 404 */
  REC_ERROR_METHOD_NOT_ALLOWED, /* 405 */
  REC_ERROR_NOT_ACCEPTABLE,     /* 406 */
  REC_ERROR_TOO_SLOW,           /* 408 */
  REC_ERROR_CONFLICT,           /* 409 */
  REC_ERROR_TOO_LARGE,          /* 413 */
  REC_ERROR_UNSUPPORTED_TYPE,   /* 415 */
  REC_ERROR_BAD_RANGE,          /* 416 */
  REC_ERROR_UNPROCESSABLE,      /* 422 */
  REC_ERROR_TOO_MANY,           /* 429 */
  REC_ERROR_FAILED,             /* 500 */
  REC_ERROR_NOT_IMPLEMENTED,    /* 501 */
  REC_ERROR_UNAVAILABLE,        /* 503 */
  REC_ERROR_TIMEOUT,            /* 504 */
  REC_ERROR_NO_SPACE,           /* 507 */
  REC_N_ERRORS,
} RecErrorCode;

/* Errors of other domains (GIO, GStreamer, ...) are ours to hide: 500. */
unsigned rec_error_http_status (const GError *error);

/* The reason phrase of any status we send ("Not Found"). */
const char *rec_error_http_phrase (unsigned status);

/* What a client may read: the message of our own errors, a general sentence for foreign ones. */
const char *rec_error_public_message (const GError *error);

#endif
