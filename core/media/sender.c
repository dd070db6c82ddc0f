/* sender.c - gives each packet the numbers, times and names that one peer was told. */
#define G_LOG_DOMAIN "rec.media.sender"
#include "media/sender.h"

/* A publisher that comes back counts from elsewhere; our timestamps go on where they were. */
static void
continue_timestamps (RecSenderTrack *track, const RecRtpPacket *packet)
{
  int64_t elapsed_ns = packet->pts_ns - track->pts_ns;
  uint32_t elapsed = (uint32_t) (elapsed_ns / 1000 * track->clock_rate / 1000000);

  track->timestamp_offset = track->timestamp + MAX (elapsed, 1) - packet->timestamp;
}

static void
send_packet (RecOutput *output, const RecRtpPacket *packet)
{
  RecSender *sender = (RecSender *) output;
  RecSenderTrack *track = &sender->tracks[packet->kind == REC_TRACK_AUDIO ? 0 : 1];
  RecRtpPacket sent = *packet;
  uint8_t header[REC_RTP_HEADER_SIZE];

  /* Before it is connected, packets would only pile up and come late. */
  if (track->index < 0 || !rec_peer_is_connected (sender->peer))
    return;
  if (packet->is_new_source && track->has_packets)
    continue_timestamps (track, packet);
  track->sequence++; /* without the publisher's holes: nobody can fill them */
  track->timestamp = packet->timestamp + track->timestamp_offset;
  track->pts_ns = packet->pts_ns;
  track->has_packets = true;
  sent.sequence = track->sequence;
  sent.timestamp = track->timestamp;
  sent.payload_type = track->payload_type;
  sent.ssrc = rec_peer_get_ssrc (sender->peer, (unsigned) track->index);
  rec_rtp_write_header (&sent, header);
  rec_peer_send (sender->peer, (unsigned) track->index, header, sizeof header, packet->payload,
      packet->payload_size, packet->pts_ns);
  __atomic_add_fetch (&sender->packets_out, 1, __ATOMIC_RELAXED);
}

void
rec_sender_init (RecSender *sender, RecPeer *peer)
{
  const RecSdpOffer *offer = rec_peer_get_offer (peer);

  *sender = (RecSender){ .output.packet = send_packet, .peer = peer };
  for (unsigned i = 0; i < REC_SDP_MAX_TRACKS; i++)
    sender->tracks[i].index = -1;
  for (unsigned i = 0; i < offer->n_tracks; i++) {
    const RecTrackFormat *format = &offer->tracks[i].format;
    RecSenderTrack *track = &sender->tracks[format->kind == REC_TRACK_AUDIO ? 0 : 1];

    if (!offer->tracks[i].is_sent)
      continue;
    track->index = (int) i;
    track->payload_type = format->payload_type;
    track->clock_rate = format->clock_rate;
    track->sequence = (uint16_t) g_random_int ();
  }
}

bool
rec_sender_is_used (const RecSender *sender)
{
  return sender->tracks[0].index >= 0 || sender->tracks[1].index >= 0;
}
