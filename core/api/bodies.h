/* bodies.h - REST bodies of both eras: the tables of their fields, and what they ask for. Nothing here has effects.
 *
 * body may be NULL (none was sent) except where said. A member that is null counts as absent. */
#ifndef REC_API_BODIES_H
#define REC_API_BODIES_H

#include "base/json.h"
#include "base/types.h"
#include "session/registry.h"

/* NULL for no text at all. Texts that aren't UTF-8 are taken for ISO-8859-1: the Java clients of the first era send it.
 * False with INVALID_ARGUMENT when it is no JSON object. */
bool rec_body_parse (const void *text, size_t length, RecJson **body, GError **error);

/* POST sessions. Every violation is INVALID_ARGUMENT. */
RecSessionProperties *rec_body_to_session (RecJson *body, RecEra era, const RecConfig *config,
    GError **error);

/* POST recordings/start over the session's defaults: UNPROCESSABLE for values out of range, then INVALID_ARGUMENT.
 * Whether layout, sinks and options exist is for others to say. */
RecRecordingProperties *rec_body_to_recording (RecJson *body, RecEra era,
    const RecRecordingProperties *defaults, GError **error);

/* POST connection and tokens. request borrows from body. Of an ICE server with a static secret the body keeps
 * a name and a password made of it instead, which are good for a day from now_ms on. */
bool rec_body_to_connection (RecJson *body, RecEra era, int64_t now_ms,
    RecConnectionRequest *request, GError **error);

/* Whether a body that rec_body_to_connection found good asks for an IP camera; info borrows from it. */
bool rec_body_to_camera (RecJson *body, RecEra era, RecCameraInfo *info);

/* PATCH connection: what it doesn't name keeps its value; INVALID stands for the role. */
bool rec_body_to_connection_update (RecJson *body, RecRole *role, bool *record, GError **error);

/* The body's `session`, borrowed. body may be NULL. */
bool rec_body_get_session (RecJson *body, const char **session_id, GError **error);

typedef struct {
  const char *session, *type, *data;
  const char **to; /* NULL: everybody. Free the array, not the strings. */
} RecSignalRequest;

/* POST signal. request borrows from body, which must not be NULL. */
bool rec_body_to_signal (RecJson *body, RecSignalRequest *request, GError **error);

#endif
