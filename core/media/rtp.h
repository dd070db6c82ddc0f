/* rtp.h - reads a published RTP packet once, and writes it anew for whoever gets it. [any] */
#ifndef REC_MEDIA_RTP_H
#define REC_MEDIA_RTP_H

#include "base/types.h"
#include "media/router.h"

#define REC_RTP_HEADER_SIZE 12

/* A packet on its way from a publisher to its outputs. */
typedef struct {
  RecTrackKind kind;
  uint8_t payload_type;
  bool marker;
  bool is_keyframe; /* begins one: a decoder can start here */
  uint16_t sequence;
  uint32_t timestamp;
  uint32_t ssrc;
  const uint8_t *payload; /* without padding */
  size_t payload_size;
  int64_t pts_ns;     /* CLOCK_MONOTONIC, absolute; never runs backwards within a track */
  unsigned n_lost;    /* packets of this track that are missing before this one */
  bool is_new_source; /* another SSRC or peer than before: sequence and timestamp begin anew */
} RecRtpPacket;

/* Fills everything that stands in the packet itself; false when it is broken. */
bool rec_rtp_parse (const uint8_t *data, size_t size, RecRtpPacket *packet);

/* Says whether a decoder can start with this payload. */
bool rec_rtp_is_keyframe (const char *codec, const uint8_t *payload, size_t size);

/* Writes the fixed header (no CSRC, extension or padding) with the packet's own fields. */
void rec_rtp_write_header (const RecRtpPacket *packet, uint8_t header[REC_RTP_HEADER_SIZE]);

#endif
