/* candidates.h - a client's addresses that come before its offer, kept for a while. [main] */
#ifndef REC_MEDIA_CANDIDATES_H
#define REC_MEDIA_CANDIDATES_H

#include "base/types.h"

typedef struct RecCandidates RecCandidates;

/* config is borrowed: media.max-candidates, media.max-peer-connections, media.connect-timeout-ms bound it. */
RecCandidates *rec_candidates_new (const RecConfig *config);
void rec_candidates_free (RecCandidates *candidates);

/* The ids are those of the participant that has the addresses and of the owner of the stream. */
void rec_candidates_keep (RecCandidates *candidates, const char *participant_id,
    const char *owner_id, const char *candidate, const char *mid, int mline_index);

typedef void (*RecCandidateFunction) (const char *candidate, const char *mid, int mline_index,
    void *data);

/* Hands them over and forgets them. */
void rec_candidates_take (RecCandidates *candidates, const char *participant_id,
    const char *owner_id, RecCandidateFunction function, void *data);
/* Of and for a participant that has left. */
void rec_candidates_forget (RecCandidates *candidates, const char *participant_id);

#endif
