/* entities.h - sessions and connections as clients of both eras read them. Each call gives a new object. */
#ifndef REC_API_ENTITIES_H
#define REC_API_ENTITIES_H

#include "base/json.h"
#include "session/registry.h"

RecJson *rec_rest_session (RecSession *session, bool with_pending);
/* {"numberOfElements": N, "content": [...]} */
RecJson *rec_rest_connections (RecSession *session, bool with_pending);
/* A pending connection. */
RecJson *rec_rest_connection (const RecConnection *connection);
RecJson *rec_rest_participant (const RecParticipant *participant);
/* {"numberOfElements": N, "content": [...]}; takes the array. */
RecJson *rec_rest_list (RecJson *array);

#endif
