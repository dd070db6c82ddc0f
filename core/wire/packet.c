/* packet.c - checks one datagram of the media socket. */
#define G_LOG_DOMAIN "rec.wire.packet"
#include "wire/packet.h"

#include <string.h>

#define RTP_HEADER_SIZE 12

bool
rec_wire_packet_parse (const uint8_t *message, size_t size, RecWirePacketHeader *header,
    const uint8_t **rtp)
{
  RecWirePacketHeader read;

  if (size < sizeof read + RTP_HEADER_SIZE || size > REC_WIRE_PACKET_MAX)
    return false;
  memcpy (&read, message, sizeof read);
  if (read.magic != REC_WIRE_PACKET_MAGIC || read.track_id == 0 || read.pts_ns < 0)
    return false;
  if (read.size != size - sizeof read || message[sizeof read] >> 6 != 2)
    return false;

  *header = read;
  *rtp = message + sizeof read;
  return true;
}
