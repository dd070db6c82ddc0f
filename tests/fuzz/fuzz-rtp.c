/* fuzz-rtp.c - a browser's RTP packets on their way through a feed into the worker's media socket. */
#include "fuzz/fuzz.h"

#include "base/config.h"
#include "base/fd.h"
#include "media/feed.h"
#include "wire/packet.h"

#include <string.h>
#include <sys/socket.h>

static RecConfig *config;

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  config = rec_config_new ();
  return 0;
}

/* A header that we write is read as what was written. */
static void
check_rewriting (const RecRtpPacket *packet)
{
  uint8_t header[REC_RTP_HEADER_SIZE];
  RecRtpPacket again = { 0 };

  rec_rtp_write_header (packet, header);
  g_assert_true (rec_rtp_parse (header, sizeof header, &again));
  g_assert_cmpuint (again.sequence, ==, packet->sequence);
  g_assert_cmpuint (again.timestamp, ==, packet->timestamp);
  g_assert_cmpuint (again.ssrc, ==, packet->ssrc);
  g_assert_cmpuint (again.payload_type, ==, packet->payload_type);
  g_assert_true (again.marker == packet->marker);
  g_assert_cmpuint (again.payload_size, ==, 0);
}

static void
push (RecFeed *feed, const uint8_t *data, size_t size)
{
  RecOutput *output = rec_feed_get_output (feed);
  RecRtpPacket packet = { 0 };

  if (!rec_rtp_parse (data, size, &packet))
    return;
  g_assert_true (packet.payload >= data && packet.payload + packet.payload_size <= data + size);
  check_rewriting (&packet);
  packet.kind = packet.ssrc & 1 ? REC_TRACK_AUDIO : REC_TRACK_VIDEO;
  packet.is_keyframe = rec_rtp_is_keyframe ("VP8", packet.payload, packet.payload_size);
  (void) rec_rtp_is_keyframe ("H264", packet.payload, packet.payload_size);
  (void) rec_rtp_is_keyframe ("VP9", packet.payload, packet.payload_size);
  packet.pts_ns = (int64_t) packet.timestamp * 1000;
  packet.is_new_source = packet.ssrc & 2;
  output->packet (output, &packet);
}

static void
check_datagrams (int reader)
{
  uint8_t message[REC_WIRE_PACKET_MAX + 1];
  RecWirePacketHeader header;
  const uint8_t *rtp;

  for (;;) {
    const ssize_t n = recv (reader, message, sizeof message, MSG_DONTWAIT);
    if (n < 0)
      return;
    g_assert_true (rec_wire_packet_parse (message, (size_t) n, &header, &rtp));
  }
}

/* Packets, each behind its length in two bytes. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fds[2];

  g_assert_true (rec_fd_socketpair (SOCK_SEQPACKET, fds, NULL));
  RecFeedPipe *pipe = rec_feed_pipe_new (config, fds[0], NULL);
  RecFeed *feed = rec_feed_new (pipe, NULL, 11, 12);
  for (unsigned i = 0; size > 2 && i < 64; i++) {
    const size_t length = MIN ((size_t) (data[0] << 8 | data[1]), size - 2);
    g_autofree uint8_t *packet = length > 0 ? g_memdup2 (data + 2, length) : g_malloc (1);
    push (feed, packet, length);
    data += 2 + length;
    size -= 2 + length;
  }
  check_datagrams (fds[1]);
  rec_feed_free (feed);
  rec_feed_pipe_free (pipe);
  rec_fd_close (&fds[1]);
  return 0;
}
