/* limits.h - how long and how large one recording may become: its own request's limits, or the ini's. [main] */
#ifndef REC_RECORDING_LIMITS_H
#define REC_RECORDING_LIMITS_H

#include "base/types.h"

#include <glib.h>

typedef struct RecLimits RecLimits;

/* UNPROCESSABLE when the request asks for more than the ini allows. */
bool rec_limits_check (const RecConfig *config, const RecRecordingProperties *properties,
    GError **error);

/* Why it must end: reason is the word for clients, text the sentence for an operator, borrowed for the call. */
typedef void (*RecLimitsReached) (const char *reason, const char *text, void *data);

/* Watches from now on; reached is called at most once, from the main loop. config and recording are borrowed. */
RecLimits *rec_limits_new (const RecConfig *config, const RecRecording *recording,
    RecLimitsReached reached, void *data);
void rec_limits_free (RecLimits *limits);

#endif
