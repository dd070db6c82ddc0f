/* automatic.h - recordings that start with the first publisher, and those that end because nobody is left. [main] */
#ifndef REC_RECORDING_AUTOMATIC_H
#define REC_RECORDING_AUTOMATIC_H

#include "base/types.h"
#include "session/recording.h"

#include <glib.h>

typedef struct RecAutomatic RecAutomatic;

/* Whose rules end the recordings of this session: of OpenVidu 2.0 and 2.1 (OLD) or of 2.8 to 2.32 (NEW). */
RecEra rec_automatic_get_rules (const RecConfig *config, const RecSession *session);

/* Everything is borrowed and outlives it; nothing may happen in the registry afterwards. */
RecAutomatic *rec_automatic_new (const RecConfig *config, RecRegistry *registry,
    RecSupervisor *supervisor);
void rec_automatic_free (RecAutomatic *automatic);

#endif
