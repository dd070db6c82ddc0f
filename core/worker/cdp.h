/* cdp.h - the Chrome DevTools Protocol as text: bytes in, messages out; commands to text. Pure. [any]
 *
 * A message is JSON and a zero byte. What the browser sends is as little to be trusted as the page in it: messages are
 * bounded, and what does not look like one ends the conversation. */
#ifndef REC_WORKER_CDP_H
#define REC_WORKER_CDP_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One message, either an answer (id > 0) or an event (method set); borrowed while it is handled. */
typedef struct {
  int64_t id;          /* of the command that is answered; 0: an event */
  const char *method;  /* of an event; NULL: an answer */
  const char *session; /* "" for the browser itself */
  RecJson *content;    /* result or params; NULL: none */
  const char *failure; /* of an answer; NULL: it went well */
} RecCdpMessage;

typedef void (*RecCdpFound) (const RecCdpMessage *message, void *data);

typedef struct RecCdpParser RecCdpParser;

RecCdpParser *rec_cdp_parser_new (size_t max_bytes, RecCdpFound found, void *data);
void rec_cdp_parser_free (RecCdpParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecCdpParser, rec_cdp_parser_free)

/* Calls found for each message that is complete; found must not free the parser. One longer than max_bytes is skipped: a
 * page may well print that much. False: what came is no message; nothing is found afterwards. */
bool rec_cdp_parser_feed (RecCdpParser *parser, const void *bytes, size_t n, GError **error);

/* With its zero byte as the last of *size. Takes params, which may be NULL; session may be "". */
char *rec_cdp_make_command (int64_t id, const char *method, const char *session, RecJson *params,
    size_t *size);

#endif
