/* facts.h - what happened, as OpenVidu's CDR and webhooks have it: one JSON object each, in the words of either era.
 *
 * A fact is made in the later era's form, which has more; the first era's is taken from it. */
#ifndef REC_EVENTS_FACTS_H
#define REC_EVENTS_FACTS_H

#include "base/json.h"
#include "base/types.h"
#include "session/recording.h"

/* The names of all events, NULL at the end. Those of filters, media nodes and broadcasting are OpenVidu's and never come,
 * but a list of wanted events may have them. */
extern const char *const rec_fact_names[];

/* unique_id may be NULL. Owned by the caller, like all that follow. */
RecJson *rec_fact_new (const char *session_id, const char *unique_id, int64_t timestamp_ms);
RecJson *rec_fact_of_session (const RecSession *session, int64_t timestamp_ms);
/* Adds startTime, duration and reason; what happened ends at the fact's timestamp. */
void rec_fact_add_end (RecJson *fact, int64_t start_ms, const char *reason);
/* Adds the members of more, after those that are there. */
void rec_fact_add (RecJson *fact, RecJson *more);

RecJson *rec_fact_describe_participant (const RecParticipant *participant);
/* subscriber: NULL for the publication itself. */
RecJson *rec_fact_describe_connection (const RecStreamInfo *stream,
    const RecParticipant *subscriber);
RecJson *rec_fact_describe_recording (const RecRecording *recording);
RecJson *rec_fact_describe_signal (RecSession *session, const RecParticipant *from,
    const GPtrArray *to, const char *type, const char *text);

/* Whoever left last is what ended the session, however it left. */
const char *rec_fact_final_reason (const char *reason);
/* What the first era had no such word for, or status, is not told in its CDR: NULL. Else {"name": {...}}. */
RecJson *rec_fact_wrap_old (const char *name, RecJson *fact);
RecJson *rec_fact_wrap_new (const char *name, RecJson *fact);
/* The body of a webhook request: the fact with `event`. */
RecJson *rec_fact_flatten (const char *name, RecJson *fact);

#endif
