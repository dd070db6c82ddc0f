/* publisher.h - the packets of one published stream, on their way to subscribers and recordings. */
#ifndef REC_MEDIA_PUBLISHER_H
#define REC_MEDIA_PUBLISHER_H

#include "base/types.h"
#include "media/peer.h"
#include "media/rtp.h"

#include <glib.h>

typedef struct RecPublisher RecPublisher;

/* Who gets the packets. Called with the publisher's lock held: must not block, nor call the publisher except
 * rec_publisher_request_keyframe. The packet is valid during the call. */
typedef struct RecOutput RecOutput;
struct RecOutput {
  void (*packet) (RecOutput *output, const RecRtpPacket *packet); /* [streaming] */
};

typedef struct {
  void (*answered) (RecPublisher *publisher, const char *answer, const GError *error, void *data);
  void (*candidate) (RecPublisher *publisher, const char *candidate, const char *mid,
      unsigned mline_index, void *data);
  void (*lost) (RecPublisher *publisher, const char *why, void *data); /* once per peer */
} RecPublisherEvents;

typedef struct {
  int keyframe_interval_ms;        /* least time between two requests */
  int64_t max_video_kbps;          /* 0: no limit */
  const char *const *video_codecs; /* acceptable ones in order of preference, NULL at the end */
  const char *
      echo; /* stream id with which it gets its own media back, if it offers to; NULL: it doesn't */
} RecPublisherSettings;

/* [main] events and data are borrowed until it is closed. */
RecPublisher *rec_publisher_new (RecPeerHost *host, const RecPublisherEvents *events, void *data);
RecPublisher *rec_publisher_ref (RecPublisher *publisher); /* [any] */
void rec_publisher_unref (RecPublisher *publisher);        /* [any] */
/* [main] Nothing comes any more; gives the caller's reference back. */
void rec_publisher_close (RecPublisher *publisher);

/* [main] A second offer replaces the first peer; the outputs stay and see one continuous stream. */
bool rec_publisher_negotiate (RecPublisher *publisher, const char *offer,
    const RecPublisherSettings *settings, GError **error);
void rec_publisher_add_candidate (RecPublisher *publisher, const char *candidate, const char *mid,
    int mline_index);
/* [main] False while there is no such track or it isn't answered. */
bool rec_publisher_get_format (RecPublisher *publisher, RecTrackKind kind, RecTrackFormat *format);
/* Instead of negotiating, for a source that is no peer: [main] what it sends, audio and video (kind INVALID: none), once;
 * [streaming] its packets. A new SSRC says that it begins anew. Has no keyframes to ask for. */
void rec_publisher_set_formats (RecPublisher *publisher, const RecTrackFormat formats[2]);
void rec_publisher_take (RecPublisher *publisher, RecTrackKind kind, const uint8_t *rtp,
    size_t size, int64_t pts_ns);
/* [any] Whether anybody gets the packets. */
bool rec_publisher_has_outputs (RecPublisher *publisher);
/* [main] Reports a publisher that has been silent for too long as lost. */
void rec_publisher_check_silence (RecPublisher *publisher, int64_t timeout_ms);

void rec_publisher_add_output (RecPublisher *publisher, RecOutput *output); /* [any] */
void rec_publisher_remove_output (RecPublisher *publisher,
    RecOutput *output); /* [any] no call after it */
/* [any] Throttled; true when the browser was asked now. */
bool rec_publisher_request_keyframe (RecPublisher *publisher);

typedef struct {
  uint64_t packets_in, packets_lost, keyframe_requests;
} RecPublisherStats;

void rec_publisher_get_stats (RecPublisher *publisher, RecPublisherStats *stats); /* [any] */

#endif
