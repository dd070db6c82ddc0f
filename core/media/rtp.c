/* rtp.c - reads and writes RTP headers, and looks for keyframes in payloads. */
#define G_LOG_DOMAIN "rec.media.rtp"
#include "media/rtp.h"

#include <string.h>

static uint32_t
read_16 (const uint8_t *data)
{
  return (uint32_t) (data[0] << 8 | data[1]);
}

static uint32_t
read_32 (const uint8_t *data)
{
  return read_16 (data) << 16 | read_16 (data + 2);
}

static void
write_16 (uint8_t *data, uint32_t value)
{
  data[0] = (uint8_t) (value >> 8);
  data[1] = (uint8_t) value;
}

bool
rec_rtp_parse (const uint8_t *data, size_t size, RecRtpPacket *packet)
{
  if (size < REC_RTP_HEADER_SIZE || data[0] >> 6 != 2)
    return false;

  size_t header_size = REC_RTP_HEADER_SIZE + 4u * (data[0] & 0x0f), padding = 0;

  if (data[0] & 0x10) {
    if (size < header_size + 4)
      return false;
    header_size += 4 + 4u * read_16 (data + header_size + 2);
  }
  if (data[0] & 0x20)
    padding = data[size - 1];
  if (size < header_size + padding)
    return false;
  packet->marker = (data[1] & 0x80) != 0;
  packet->payload_type = data[1] & 0x7f;
  packet->sequence = (uint16_t) read_16 (data + 2);
  packet->timestamp = read_32 (data + 4);
  packet->ssrc = read_32 (data + 8);
  packet->payload = data + header_size;
  packet->payload_size = size - header_size - padding;
  return true;
}

void
rec_rtp_write_header (const RecRtpPacket *packet, uint8_t header[REC_RTP_HEADER_SIZE])
{
  header[0] = 0x80;
  header[1] = (uint8_t) ((packet->marker ? 0x80 : 0) | packet->payload_type);
  write_16 (header + 2, packet->sequence);
  write_16 (header + 4, packet->timestamp >> 16);
  write_16 (header + 6, packet->timestamp);
  write_16 (header + 8, packet->ssrc >> 16);
  write_16 (header + 10, packet->ssrc);
}

/* RFC 7741, section 4.2: the descriptor in front of the VP8 payload. */
static bool
is_vp8_keyframe (const uint8_t *payload, size_t size)
{
  size_t descriptor = 1;

  if (size < 1 || (payload[0] & 0x1f) != 0x10) /* begins partition 0 */
    return false;
  if (payload[0] & 0x80) {
    if (size < 2)
      return false;
    uint8_t extensions = payload[1];
    descriptor = 2;
    if (extensions & 0x80) {
      if (size <= descriptor)
        return false;
      descriptor += payload[descriptor] & 0x80 ? 2 : 1;
    }
    descriptor += extensions & 0x40 ? 1 : 0;
    descriptor += extensions & 0x30 ? 1 : 0;
  }
  return size > descriptor && (payload[descriptor] & 0x01) == 0;
}

static bool
is_h264_start (uint8_t nal)
{
  return (nal & 0x1f) == 5 || (nal & 0x1f) == 7;
}

/* RFC 6184, section 5.2: a single NAL unit, STAP-A (24) or FU-A (28). */
static bool
is_h264_keyframe (const uint8_t *payload, size_t size)
{
  if (size < 2)
    return false;
  switch (payload[0] & 0x1f) {
  case 24:
    for (size_t i = 1; i + 2 < size; i += 2 + read_16 (payload + i))
      if (is_h264_start (payload[i + 2]))
        return true;
    return false;
  case 28:
    return (payload[1] & 0x80) != 0 && is_h264_start (payload[1]);
  default:
    return is_h264_start (payload[0]);
  }
}

/* RFC 9628, section 4.2: the descriptor in front of the VP9 payload. A keyframe begins with its lowest spatial layer. */
static bool
is_vp9_keyframe (const uint8_t *payload, size_t size)
{
  size_t descriptor = 1;

  if (size < 2 || (payload[0] & 0x40) != 0 || (payload[0] & 0x08) == 0) /* predicted, or no start */
    return false;
  if (payload[0] & 0x80)
    descriptor += payload[1] & 0x80 ? 2 : 1;
  if (size <= descriptor)
    return false;
  return (payload[0] & 0x20) == 0 || (payload[descriptor] & 0x0e) == 0;
}

bool
rec_rtp_is_keyframe (const char *codec, const uint8_t *payload, size_t size)
{
  if (strcmp (codec, "VP8") == 0)
    return is_vp8_keyframe (payload, size);
  if (strcmp (codec, "H264") == 0)
    return is_h264_keyframe (payload, size);
  if (strcmp (codec, "VP9") == 0)
    return is_vp9_keyframe (payload, size);
  return true;
}
