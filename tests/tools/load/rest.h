/* rest.h - the few REST calls that let participants in. Blocks: never on the main thread. [any] */
#ifndef RECTO_LOAD_REST_H
#define RECTO_LOAD_REST_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
  const char *url; /* https://HOST[:PORT] */
  const char *secret;
  bool is_trusting; /* takes any certificate */
  unsigned timeout_s;
} LoadServer;

/* Creates a session with this id; one that exists already is fine. */
bool load_rest_make_session (const LoadServer *server, const char *session, GError **error);
/* Lets one participant in; REC_ERROR_NOT_FOUND when there is no such session. The token, which is an address; free it. role: "PUBLISHER" or "SUBSCRIBER". */
char *load_rest_make_token (const LoadServer *server, const char *session, const char *role,
    GError **error);

#endif
