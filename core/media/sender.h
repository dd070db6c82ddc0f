/* sender.h - rewrites a publisher's packets for one peer that gets them. Included by subscriber.c and publisher.c. */
#ifndef REC_MEDIA_SENDER_H
#define REC_MEDIA_SENDER_H

#include "base/types.h"
#include "media/publisher.h"

typedef struct {
  int index; /* of the peer's track; -1: not wanted */
  uint8_t payload_type;
  uint32_t clock_rate;
  uint16_t sequence; /* of the last packet */
  bool has_packets;
  uint32_t timestamp_offset; /* from the publisher's to ours */
  uint32_t timestamp;        /* of the last packet */
  int64_t pts_ns;
} RecSenderTrack;

typedef struct {
  RecOutput output;                          /* to be added to the publisher */
  RecPeer *peer;                             /* borrowed */
  RecSenderTrack tracks[REC_SDP_MAX_TRACKS]; /* audio, video; guarded by the publisher's lock */
  uint64_t packets_out;                      /* atomic */
} RecSender;

/* [main] Sends the tracks of the peer's offer that are to be sent. */
void rec_sender_init (RecSender *sender, RecPeer *peer);
bool rec_sender_is_used (const RecSender *sender); /* [any] Whether there is such a track. */

#endif
