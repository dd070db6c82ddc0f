/* subscriber.h - one published stream on its way to one participant. */
#ifndef REC_MEDIA_SUBSCRIBER_H
#define REC_MEDIA_SUBSCRIBER_H

#include "base/types.h"
#include "media/publisher.h"

typedef struct RecSubscriber RecSubscriber;

typedef struct {
  void (*answered) (RecSubscriber *subscriber, const char *answer, const GError *error, void *data);
  void (*candidate) (RecSubscriber *subscriber, const char *candidate, const char *mid,
      unsigned mline_index, void *data);
  void (*failed) (RecSubscriber *subscriber, const char *why, void *data);
} RecSubscriberEvents;

/* [main] REC_ERROR_UNPROCESSABLE when the offer can't take the publisher's codec. events and data are borrowed until
 * it is closed. */
RecSubscriber *rec_subscriber_new (RecPeerHost *host, RecPublisher *publisher,
    const char *stream_id, const char *offer, const RecSubscriberEvents *events, void *data,
    GError **error);
/* [main] Nothing comes any more. */
void rec_subscriber_close (RecSubscriber *subscriber);
void rec_subscriber_add_candidate (RecSubscriber *subscriber, const char *candidate,
    const char *mid, int mline_index);
uint64_t rec_subscriber_get_packets_out (RecSubscriber *subscriber); /* [any] */

#endif
