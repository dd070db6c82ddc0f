/* request.h - one HTTP request and its answer, apart from the library that carries them. */
#ifndef REC_API_REQUEST_H
#define REC_API_REQUEST_H

#include "base/json.h"
#include "base/types.h"

#include <glib.h>
#include <stdatomic.h>

typedef struct {
  unsigned status;
  char *body; /* NULL: none, or a file */
  size_t n_body;
  int fd; /* -1, or a file of which `length` bytes from `offset` are the body */
  int64_t offset, length;
  GPtrArray *headers; /* of char *: name, value, name, value, ... */
} RecHttpAnswer;

/* Where a body goes that is too large to be kept in memory. [http] */
typedef struct {
  /* False: there is no room now. */
  bool (*has_room) (void *stream);
  /* rec_http_resume_request will be called with request; false: there is room already. */
  bool (*wait_for_room) (void *stream, RecHttpRequest *request);
  /* False: nothing more is wanted. */
  bool (*push) (void *stream, const char *bytes, size_t n_bytes);
  void (*end) (void *stream);
  /* Also before the end, when the client is gone. */
  void (*free) (void *stream);
} RecHttpStream;

/* Belongs to the HTTP thread until it is handed over, then to the main thread until it is answered. */
struct RecHttpRequest {
  atomic_uint n_references;
  char *method;
  char *target;        /* as it was sent */
  char *path;          /* decoded, repeated slashes made one; NULL when that was impossible */
  char *query;         /* as it was sent, without "?"; NULL when there is none */
  char *ip;            /* the peer's address as text, "" when unknown */
  GHashTable *headers; /* lower-case name -> first value */
  GByteArray *body;
  GError *refusal; /* what was wrong with the request itself */
  bool is_answered;
  RecHttpAnswer answer;
  void (*notify_answered) (RecHttpRequest *request); /* may be NULL */

  struct {
    void *server, *connection;
    bool has_headers, keeps_body, is_upgrade, is_counted;
    size_t n_received;
    const RecHttpStream *stream_calls; /* NULL unless the body is streamed */
    void *stream;
    struct MHD_PostProcessor *form; /* the body is a form, and one part of it is streamed */
    bool has_part, has_two_parts, is_unwanted;
  } http;
};

/* Splits and decodes target; what is wrong with it is found in `refusal`. */
RecHttpRequest *rec_http_request_new (const char *method, const char *target);
RecHttpRequest *rec_http_request_ref (RecHttpRequest *request); /* [any] */
void rec_http_request_unref (RecHttpRequest *request);          /* [any] */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecHttpRequest, rec_http_request_unref)

/* Keeps the first value of a name. */
void rec_http_request_add_header (RecHttpRequest *request, const char *name, const char *value);
/* name in lower case; NULL when absent. */
const char *rec_http_request_get_header (const RecHttpRequest *request, const char *name);
/* True when a comma separated header names the token, whatever the case. */
bool rec_http_request_header_has (const RecHttpRequest *request, const char *name,
    const char *token);

/* The decoded value of a query parameter, or NULL. Free it. */
char *rec_http_request_dup_query (const RecHttpRequest *request, const char *name);
/* "true" or "false"; anything else is the fallback. */
bool rec_http_request_query_bool (const RecHttpRequest *request, const char *name, bool fallback);

/* Decodes the path of a target: no NUL or other control characters, no backslash, no encoded slash, no "." or ".."
 * component, valid UTF-8. */
char *rec_http_decode_path (const char *raw, size_t length, GError **error);

/* --- answers: exactly one; a later one (the server shut down meanwhile) does nothing ---------------------------- */

void rec_http_add_answer_header (RecHttpRequest *request, const char *name, const char *value);
/* Takes body (g_malloc), which may be NULL. */
void rec_http_answer (RecHttpRequest *request, unsigned status, const char *type, char *body,
    size_t n_body);
void rec_http_answer_empty (RecHttpRequest *request, unsigned status);
void rec_http_answer_text (RecHttpRequest *request, unsigned status, const char *type,
    const char *text);
void rec_http_answer_json (RecHttpRequest *request, unsigned status,
    RecJson *value); /* takes value */
/* OpenVidu's error object. */
void rec_http_answer_error (RecHttpRequest *request, const GError *error);
void rec_http_answer_status (RecHttpRequest *request, unsigned status, const char *message);
/* Takes fd. */
void rec_http_answer_file (RecHttpRequest *request, unsigned status, const char *type, int fd,
    int64_t offset, int64_t length);

#endif
