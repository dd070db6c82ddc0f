/* sdp.h - the offer filter and the facts of an answer: text in, text out. [any] */
#ifndef REC_MEDIA_SDP_H
#define REC_MEDIA_SDP_H

#include "base/types.h"
#include "media/router.h"

#include <glib.h>

#define REC_SDP_MAX_TRACKS 2 /* one of each kind */

/* What we want of an offer. A publisher's offer: we receive, video_codecs says which codecs in which order. A
 * subscriber's offer: we send what the formats say; NULL when the stream has no such track. */
typedef struct {
  bool sends;
  bool sends_back;                 /* what we receive, to those who offer to get it */
  const char *const *video_codecs; /* NULL at the end */
  const RecTrackFormat *audio, *video;
} RecSdpWish;

typedef struct {
  RecTrackFormat format; /* with the offer's payload type */
  unsigned section;      /* m-line of the client's offer */
  char *mid;
  int rtx_payload_type;     /* -1: none */
  unsigned mid_id, twcc_id; /* ids of the header extensions, 0: none */
  bool is_received, is_sent;
} RecSdpTrack;

typedef struct {
  char *text; /* the offer reduced to the chosen codecs; its m-line i is tracks[i] */
  RecSdpTrack tracks[REC_SDP_MAX_TRACKS];
  unsigned n_tracks;
  char *bundle_line; /* the group of the answer */
  GPtrArray
      *sections; /* of char *: "kind protocol format mid" facts of every m-line, private to sdp.c */
} RecSdpOffer;

/* REC_ERROR_INVALID_ARGUMENT when it can't be understood, REC_ERROR_UNPROCESSABLE when it lacks a codec. */
RecSdpOffer *rec_sdp_offer_parse (const char *offer, const RecSdpWish *wish, GError **error);
void rec_sdp_offer_free (RecSdpOffer *offer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecSdpOffer, rec_sdp_offer_free)

typedef struct {
  const char *msid; /* stream id that the client sees on all m-lines that we send; NULL: none */
  int64_t max_video_kbps; /* what the client may send; 0: no limit */
  GPtrArray *candidates;  /* of char *, as trickled ("candidate:..."); may be NULL */
} RecSdpAnswerFacts;

/* The answer to the client's whole offer from the answer to the reduced one. */
char *rec_sdp_complete_answer (const RecSdpOffer *offer, const char *answer,
    const RecSdpAnswerFacts *facts, GError **error);

/* False for what needs name resolution (mDNS) or isn't UDP, and for what isn't a candidate. */
bool rec_sdp_is_usable_candidate (const char *candidate);
/* True when a candidate of this m-line belongs to the transport that carries everything. mid may be NULL or "". */
bool rec_sdp_is_bundle_section (const RecSdpOffer *offer, const char *mid, int mline_index);
/* A host candidate shows the external IPv4 address in place of its own; others are copied. Free it. */
char *rec_sdp_dup_candidate_outside (const char *candidate, const char *external_address);

#endif
