/* token.h - the texts that let a client in: parsed as clients of all versions send them, and made for all of them. [any] */
#ifndef REC_SESSION_TOKEN_H
#define REC_SESSION_TOKEN_H

#include "base/types.h"
#include "session/session.h"

/* The version of OpenVidu that we speak at most. */
#define REC_OPENVIDU_VERSION "2.32.2"

/* Members that the text lacks are NULL. */
typedef struct {
  char *session_id;
  char *token; /* the query's value alone */
  char *secret;
  bool is_recorder;
} RecToken;

/* Takes wss://HOST?sessionId=S&token=T in any order and with any further parameters, or the bare value. */
RecToken *rec_token_parse (const char *text);
void rec_token_free (RecToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecToken, rec_token_free)

/* wss://HOST[:PORT]?sessionId=S&token=T&role=R&version=V from https://HOST[:PORT][/...]. Free it. */
char *rec_token_make_url (const char *public_url, const char *session_id, const char *token,
    RecRole role);

/* Takes as long for a wrong secret as for the right one; NULL and "" never match. */
bool rec_secret_equals (const char *given, const char *secret);

#endif
