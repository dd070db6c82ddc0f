/* entities.h - sessions, connections and recordings as clients of both eras read them. Each call gives a new object. */
#ifndef REC_API_ENTITIES_H
#define REC_API_ENTITIES_H

#include "base/json.h"
#include "session/registry.h"

RecJson *rec_entity_of_session (RecSession *session, bool with_pending);
/* {"numberOfElements": N, "content": [...]} */
RecJson *rec_entity_of_connections (RecSession *session, bool with_pending);
/* A pending connection. */
RecJson *rec_entity_of_connection (const RecConnection *connection);
RecJson *rec_entity_of_participant (const RecParticipant *participant);
/* is_public: recorded files may be fetched by anyone. The first era tells no address otherwise. */
RecJson *rec_entity_of_recording (const RecRecording *recording, RecEra era, const char *public_url,
    bool is_public);
/* {"numberOfElements": N, "content": [...]}; takes the array. */
RecJson *rec_entity_of_list (RecJson *array);

#endif
