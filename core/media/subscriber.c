/* subscriber.c - rewrites one publisher's packets for one participant. */
#define G_LOG_DOMAIN "rec.media.subscriber"
#include "media/subscriber.h"

#include "base/error.h"
#include "base/lock.h"
#include "base/main-thread.h"

typedef struct {
  int index; /* of the peer's track; -1: not wanted */
  uint8_t payload_type;
  uint32_t clock_rate;
  uint16_t sequence; /* of the last packet */
  bool has_packets;
  uint32_t timestamp_offset; /* from the publisher's to ours */
  uint32_t timestamp;        /* of the last packet */
  int64_t pts_ns;
} Track;

struct RecSubscriber {
  RecOutput output;
  RecPublisher *publisher; /* a reference */
  RecPeer *peer;
  const RecSubscriberEvents *events;
  void *data;
  Track tracks[REC_SDP_MAX_TRACKS]; /* audio, video; guarded by the publisher's lock */
  uint64_t packets_out;             /* atomic */
};

/* A publisher that comes back counts from elsewhere; our timestamps go on where they were. */
static void
continue_timestamps (Track *track, const RecRtpPacket *packet)
{
  int64_t elapsed_ns = packet->pts_ns - track->pts_ns;
  uint32_t elapsed = (uint32_t) (elapsed_ns / 1000 * track->clock_rate / 1000000);

  track->timestamp_offset = track->timestamp + MAX (elapsed, 1) - packet->timestamp;
}

static void
send_packet (RecOutput *output, const RecRtpPacket *packet)
{
  RecSubscriber *subscriber = (RecSubscriber *) output;
  Track *track = &subscriber->tracks[packet->kind == REC_TRACK_AUDIO ? 0 : 1];
  RecRtpPacket sent = *packet;
  uint8_t header[REC_RTP_HEADER_SIZE];

  /* Before it is connected, packets would only pile up and come late. */
  if (track->index < 0 || !rec_peer_is_connected (subscriber->peer))
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
  sent.ssrc = rec_peer_get_ssrc (subscriber->peer, (unsigned) track->index);
  rec_rtp_write_header (&sent, header);
  rec_peer_send (subscriber->peer, (unsigned) track->index, header, sizeof header, packet->payload,
      packet->payload_size, packet->pts_ns);
  __atomic_add_fetch (&subscriber->packets_out, 1, __ATOMIC_RELAXED);
}

/* --- [main] the peer --------------------------------------------------------------------------------------- */

static void
on_answered (const char *answer, const GError *error, void *data)
{
  RecSubscriber *subscriber = data;

  subscriber->events->answered (subscriber, answer, error, subscriber->data);
}

static void
on_candidate (const char *candidate, const char *mid, unsigned mline_index, void *data)
{
  RecSubscriber *subscriber = data;

  subscriber->events->candidate (subscriber, candidate, mid, mline_index, subscriber->data);
}

static void
on_state (RecPeerState state, const char *why, void *data)
{
  RecSubscriber *subscriber = data;

  if (state == REC_PEER_FAILED)
    subscriber->events->failed (subscriber, why, subscriber->data);
}

static void
on_keyframe_wish (void *data)
{
  RecSubscriber *subscriber = data;

  rec_publisher_request_keyframe (subscriber->publisher);
}

static const RecPeerEvents peer_events = {
  .answered = on_answered,
  .candidate = on_candidate,
  .state_changed = on_state,
  .wants_keyframe = on_keyframe_wish,
};

static void
free_subscriber (void *data)
{
  RecSubscriber *subscriber = data;

  rec_publisher_unref (subscriber->publisher);
  g_free (subscriber);
}

static void
set_tracks (RecSubscriber *subscriber, const RecSdpOffer *offer)
{
  for (unsigned i = 0; i < REC_SDP_MAX_TRACKS; i++)
    subscriber->tracks[i].index = -1;
  for (unsigned i = 0; i < offer->n_tracks; i++) {
    const RecTrackFormat *format = &offer->tracks[i].format;
    Track *track = &subscriber->tracks[format->kind == REC_TRACK_AUDIO ? 0 : 1];

    track->index = (int) i;
    track->payload_type = format->payload_type;
    track->clock_rate = format->clock_rate;
    track->sequence = (uint16_t) g_random_int ();
  }
}

RecSubscriber *
rec_subscriber_new (RecPeerHost *host, RecPublisher *publisher, const char *stream_id,
    const char *text, const RecSubscriberEvents *events, void *data, GError **error)
{
  RecTrackFormat audio, video;
  RecSdpWish wish = { .sends = true };

  REC_ASSERT_MAIN ();
  if (rec_publisher_get_format (publisher, REC_TRACK_AUDIO, &audio))
    wish.audio = &audio;
  if (rec_publisher_get_format (publisher, REC_TRACK_VIDEO, &video))
    wish.video = &video;
  if (wish.audio == NULL && wish.video == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_FOUND, "stream '%s' is not negotiated yet",
        stream_id);
    return NULL;
  }
  RecSdpOffer *offer = rec_sdp_offer_parse (text, &wish, error);
  if (offer == NULL)
    return NULL;

  RecSubscriber *subscriber = g_new0 (RecSubscriber, 1);
  RecPeerRequest request = { .offer = offer,
    .msid = stream_id,
    .events = &peer_events,
    .data = subscriber,
    .destroy = free_subscriber };

  subscriber->output.packet = send_packet;
  subscriber->publisher = rec_publisher_ref (publisher);
  subscriber->events = events;
  subscriber->data = data;
  set_tracks (subscriber, offer);
  subscriber->peer = rec_peer_new (host, &request);
  rec_publisher_add_output (publisher, &subscriber->output);
  return subscriber;
}

void
rec_subscriber_close (RecSubscriber *subscriber)
{
  REC_ASSERT_MAIN ();
  if (subscriber == NULL)
    return;
  rec_publisher_remove_output (subscriber->publisher, &subscriber->output);
  rec_peer_close (subscriber->peer);
}

void
rec_subscriber_add_candidate (RecSubscriber *subscriber, const char *candidate, const char *mid,
    int mline_index)
{
  rec_peer_add_candidate (subscriber->peer, candidate, mid, mline_index);
}

uint64_t
rec_subscriber_get_packets_out (RecSubscriber *subscriber)
{
  return __atomic_load_n (&subscriber->packets_out, __ATOMIC_RELAXED);
}
