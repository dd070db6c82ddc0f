/* subscriber.c - the peer of one participant that watches one publisher. */
#define G_LOG_DOMAIN "rec.media.subscriber"
#include "media/subscriber.h"

#include "base/error.h"
#include "base/main-thread.h"
#include "media/sender.h"

struct RecSubscriber {
  RecSender sender;
  RecPublisher *publisher; /* a reference */
  RecPeer *peer;
  const RecSubscriberEvents *events;
  void *data;
};

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

  subscriber->publisher = rec_publisher_ref (publisher);
  subscriber->events = events;
  subscriber->data = data;
  subscriber->peer = rec_peer_new (host, &request);
  rec_sender_init (&subscriber->sender, subscriber->peer);
  rec_publisher_add_output (publisher, &subscriber->sender.output);
  return subscriber;
}

void
rec_subscriber_close (RecSubscriber *subscriber)
{
  REC_ASSERT_MAIN ();
  if (subscriber == NULL)
    return;
  rec_publisher_remove_output (subscriber->publisher, &subscriber->sender.output);
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
  return __atomic_load_n (&subscriber->sender.packets_out, __ATOMIC_RELAXED);
}
