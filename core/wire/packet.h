/* packet.h - one datagram of the media socket: a fixed header, then one RTP packet. [any]
 *
 * The socket is SOCK_SEQPACKET, so a datagram is a message. Both ends run on one machine from one build (the control
 * socket's hello checks it): integers are in host order. */
#ifndef REC_WIRE_PACKET_H
#define REC_WIRE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REC_WIRE_PACKET_MAGIC 0x52435031u /* "RCP1" */
#define REC_WIRE_PACKET_MAX 2048          /* bytes of header and RTP packet */

enum {
  REC_WIRE_PACKET_DISCONT =
      1u << 0, /* packets of this track were lost or dropped before this one */
};

typedef struct {
  uint32_t magic;
  uint32_t track_id;
  uint32_t flags;
  uint32_t size;  /* bytes of RTP that follow */
  int64_t pts_ns; /* CLOCK_MONOTONIC, absolute */
} RecWirePacketHeader;

/* Fills *header and *rtp (pointing into message) when message is a whole, sane packet; false otherwise. */
bool rec_wire_packet_parse (const uint8_t *message, size_t size, RecWirePacketHeader *header,
    const uint8_t **rtp);

#endif
