/* publisher.c - takes the packets of one published stream and hands them to its outputs. */
#define G_LOG_DOMAIN "rec.media.publisher"
#include "media/publisher.h"

#include <string.h>

#include "base/error.h"
#include "base/lock.h"
#include "base/main-thread.h"
#include "media/sender.h"

#define KEYFRAME_RETRY_MS 1000
#define MAX_PTS_ERROR_NS (3 * INT64_C (1000000000))

/* One incoming track as its outputs see it: continuous, whatever its peer does. */
typedef struct {
  RecTrackFormat format; /* of the first peer that had it; kind INVALID: none */
  bool has_packets;
  uint32_t ssrc;
  uint16_t in_sequence, out_sequence; /* of the last packet */
  bool is_new_peer;   /* the publisher came back: it counts anew, whatever its SSRC */
  unsigned n_missing; /* lost before a packet that was left out */
  int64_t pts_ns;
} Track;

/* A peer with the publisher it belongs to. */
typedef struct {
  RecPublisher *publisher; /* a reference */
  RecPeer *peer;
  RecSender echo;   /* of what comes back to it */
  bool is_reported; /* [main] lost */
} Link;

struct RecPublisher {
  gatomicrefcount references;
  RecPeerHost *host;
  struct {
    const RecPublisherEvents *events;
    void *data;
    Link *link; /* NULL: no peer */
    bool is_answered;
  } main;
  RecLock lock; /* guards the tracks, the outputs, active and the counts below */
  Track tracks[REC_SDP_MAX_TRACKS]; /* audio, video */
  GPtrArray *outputs;               /* of RecOutput, borrowed */
  const Link *active;               /* whose packets count */
  RecPublisherStats stats;
  RecLock keyframe_lock; /* guards the rest; may be taken while lock is held */
  struct {
    RecPeer *peer; /* a reference; NULL: none to ask */
    unsigned track;
    int interval_ms;
    bool is_wanted, is_answered; /* since it was asked for */
    int64_t asked_at_ms;
    uint64_t n_asked;
  } keyframe;
};

static Track *
get_track (RecPublisher *publisher, RecTrackKind kind)
{
  return &publisher->tracks[kind == REC_TRACK_AUDIO ? 0 : 1];
}

static int64_t
now_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

/* --- keyframes ------------------------------------------------------------------------------------------- */

/* Returns the peer to ask now, or NULL. */
static RecPeer *
begin_request (RecPublisher *publisher, bool is_retry, unsigned *track)
{
  REC_LOCKED (&publisher->keyframe_lock);
  int64_t now = now_ms (), since = now - publisher->keyframe.asked_at_ms;
  bool is_first = publisher->keyframe.n_asked == 0;
  int wait_ms = publisher->keyframe.interval_ms;

  if (is_retry && !publisher->keyframe.is_wanted)
    return NULL;
  if (is_retry && !publisher->keyframe.is_answered)
    wait_ms = MAX (wait_ms, KEYFRAME_RETRY_MS);
  publisher->keyframe.is_wanted = true;
  if (publisher->keyframe.peer == NULL || (!is_first && since < wait_ms))
    return NULL;
  publisher->keyframe.asked_at_ms = now;
  publisher->keyframe.is_answered = false;
  publisher->keyframe.n_asked++;
  *track = publisher->keyframe.track;
  return rec_peer_ref (publisher->keyframe.peer);
}

static bool
ask_for_keyframe (RecPublisher *publisher, bool is_retry)
{
  unsigned track;
  RecPeer *peer = begin_request (publisher, is_retry, &track);

  if (peer == NULL)
    return false;
  rec_peer_request_keyframe (peer, track);
  rec_peer_unref (peer);
  return true;
}

bool
rec_publisher_request_keyframe (RecPublisher *publisher)
{
  return ask_for_keyframe (publisher, false);
}

static void
note_keyframe (RecPublisher *publisher)
{
  REC_LOCKED (&publisher->keyframe_lock);

  publisher->keyframe.is_wanted = false;
  publisher->keyframe.is_answered = true;
}

static void
set_keyframe_peer (RecPublisher *publisher, RecPeer *peer, unsigned track, int interval_ms)
{
  RecPeer *before;

  {
    REC_LOCKED (&publisher->keyframe_lock);
    before = publisher->keyframe.peer;
    publisher->keyframe.peer = peer != NULL ? rec_peer_ref (peer) : NULL;
    publisher->keyframe.track = track;
    publisher->keyframe.interval_ms = interval_ms;
    /* The first packets of a peer ask again. */
    publisher->keyframe.is_answered = true;
  }
  rec_peer_unref (before);
}

/* --- [streaming] packets ----------------------------------------------------------------------------------- */

static int64_t
sane_pts (const Track *track, int64_t pts_ns)
{
  int64_t now_ns = g_get_monotonic_time () * 1000;

  if (pts_ns > now_ns + MAX_PTS_ERROR_NS || pts_ns < now_ns - MAX_PTS_ERROR_NS)
    pts_ns = now_ns;
  return track->has_packets ? MAX (pts_ns, track->pts_ns) : pts_ns;
}

/* Numbers the packet anew: without the padding we leave out, with the holes that were there. False: not new. */
static bool
follow (Track *track, RecRtpPacket *packet)
{
  uint16_t step = (uint16_t) (packet->sequence - track->in_sequence);

  packet->is_new_source = !track->has_packets || track->is_new_peer || packet->ssrc != track->ssrc;
  track->is_new_peer = false;
  packet->n_lost = 0;
  if (!packet->is_new_source && step == 0)
    return false;
  if (step > 0x8000) /* the jitter buffer began anew */
    packet->is_new_source = true;
  if (!packet->is_new_source)
    packet->n_lost = step - 1u;
  track->in_sequence = packet->sequence;
  track->ssrc = packet->ssrc;
  return true;
}

static void
renumber (Track *track, RecRtpPacket *packet)
{
  track->out_sequence = (uint16_t) (track->out_sequence + 1 + packet->n_lost);
  packet->sequence = track->out_sequence;
  packet->pts_ns = sane_pts (track, packet->pts_ns);
  track->pts_ns = packet->pts_ns;
  track->has_packets = true;
}

static bool
distribute (RecPublisher *publisher, const Link *link, RecRtpPacket *packet)
{
  REC_LOCKED (&publisher->lock);
  Track *track = get_track (publisher, packet->kind);

  if (publisher->active != link || !follow (track, packet))
    return false;
  publisher->stats.packets_in++;
  publisher->stats.packets_lost += packet->n_lost;
  track->n_missing += packet->n_lost;
  if (packet->payload_size == 0) /* padding, which probes the bandwidth */
    return true;
  packet->n_lost = track->n_missing;
  track->n_missing = 0;
  packet->payload_type = track->format.payload_type;
  packet->is_keyframe =
      packet->kind == REC_TRACK_VIDEO &&
      rec_rtp_is_keyframe (track->format.codec, packet->payload, packet->payload_size);
  renumber (track, packet);
  for (unsigned i = 0; i < publisher->outputs->len; i++) {
    RecOutput *output = publisher->outputs->pdata[i];
    output->packet (output, packet);
  }
  return true;
}

static void
on_packet (unsigned track, const uint8_t *rtp, size_t size, int64_t pts_ns, void *data)
{
  Link *link = data;
  RecPublisher *publisher = link->publisher;
  const RecSdpOffer *offer = rec_peer_get_offer (link->peer);
  RecRtpPacket packet = { .kind = offer->tracks[track].format.kind, .pts_ns = pts_ns };

  if (!rec_rtp_parse (rtp, size, &packet) || !distribute (publisher, link, &packet) ||
      packet.kind != REC_TRACK_VIDEO)
    return;
  if (packet.n_lost > 0)
    rec_publisher_request_keyframe (publisher);
  if (packet.is_keyframe)
    note_keyframe (publisher);
  else
    ask_for_keyframe (publisher, true);
}

void
rec_publisher_take (RecPublisher *publisher, RecTrackKind kind, const uint8_t *rtp, size_t size,
    int64_t pts_ns)
{
  RecRtpPacket packet = { .kind = kind, .pts_ns = pts_ns };

  if (rec_rtp_parse (rtp, size, &packet))
    distribute (publisher, NULL, &packet);
}

/* --- [main] the peer --------------------------------------------------------------------------------------------- */

/* The old peer's packets stop to count before its pipeline goes. */
static void
drop_peer (RecPublisher *publisher)
{
  Link *link = g_steal_pointer (&publisher->main.link);

  if (link == NULL)
    return;
  {
    REC_LOCKED (&publisher->lock);
    publisher->active = NULL;
    for (unsigned i = 0; i < REC_SDP_MAX_TRACKS; i++)
      publisher->tracks[i].is_new_peer = true;
    g_ptr_array_remove_fast (publisher->outputs, &link->echo.output);
  }
  set_keyframe_peer (publisher, NULL, 0, 0);
  rec_peer_close (link->peer);
}

static void
report_lost (Link *link, const char *why)
{
  RecPublisher *publisher = link->publisher;

  if (publisher->main.link != link || link->is_reported)
    return;
  link->is_reported = true;
  publisher->main.events->lost (publisher, why, publisher->main.data);
}

static void
on_answered (const char *answer, const GError *error, void *data)
{
  Link *link = data;
  RecPublisher *publisher = link->publisher;

  if (error == NULL)
    publisher->main.is_answered = true;
  else
    drop_peer (publisher);
  publisher->main.events->answered (publisher, answer, error, publisher->main.data);
}

static void
on_candidate (const char *candidate, const char *mid, unsigned mline_index, void *data)
{
  Link *link = data;
  RecPublisher *publisher = link->publisher;

  publisher->main.events->candidate (publisher, candidate, mid, mline_index, publisher->main.data);
}

static void
on_state (RecPeerState state, const char *why, void *data)
{
  if (state == REC_PEER_FAILED)
    report_lost (data, why);
}

static void
on_keyframe_wish (void *data)
{
  Link *link = data;

  if (rec_sender_is_used (&link->echo))
    rec_publisher_request_keyframe (link->publisher);
}

static const RecPeerEvents peer_events = {
  .answered = on_answered,
  .candidate = on_candidate,
  .state_changed = on_state,
  .packet = on_packet,
  .wants_keyframe = on_keyframe_wish,
};

static void
free_link (void *data)
{
  Link *link = data;

  rec_publisher_unref (link->publisher);
  g_free (link);
}

/* Subscribers and recordings were told the first peer's codec, so a later one must have it too. */
static bool
remember_formats (RecPublisher *publisher, const RecSdpOffer *offer, GError **error)
{
  REC_LOCKED (&publisher->lock);

  for (unsigned i = 0; i < offer->n_tracks; i++) {
    const RecTrackFormat *format = &offer->tracks[i].format;
    Track *track = get_track (publisher, format->kind);

    if (track->format.kind == REC_TRACK_INVALID) {
      track->format = *format;
      track->out_sequence = (uint16_t) g_random_int ();
    } else if (strcmp (track->format.codec, format->codec) != 0) {
      g_set_error (error, REC_ERROR, REC_ERROR_UNPROCESSABLE,
          "the stream is coded as %s and can't go on as %s", track->format.codec, format->codec);
      return false;
    }
  }
  return true;
}

static void
use_peer (RecPublisher *publisher, Link *link, const RecPublisherSettings *settings)
{
  const RecSdpOffer *offer = rec_peer_get_offer (link->peer);

  publisher->main.link = link;
  for (unsigned i = 0; i < offer->n_tracks; i++)
    if (offer->tracks[i].format.kind == REC_TRACK_VIDEO)
      set_keyframe_peer (publisher, link->peer, i, settings->keyframe_interval_ms);
  REC_LOCKED (&publisher->lock);
  publisher->active = link;
  if (rec_sender_is_used (&link->echo))
    g_ptr_array_add (publisher->outputs, &link->echo.output);
}

bool
rec_publisher_negotiate (RecPublisher *publisher, const char *text,
    const RecPublisherSettings *settings, GError **error)
{
  RecSdpWish wish = { .video_codecs = settings->video_codecs,
    .sends_back = settings->echo != NULL };
  const char *same_codec[] = { get_track (publisher, REC_TRACK_VIDEO)->format.codec, NULL };

  REC_ASSERT_MAIN ();
  if (get_track (publisher, REC_TRACK_VIDEO)->format.kind != REC_TRACK_INVALID)
    wish.video_codecs = same_codec;

  g_autoptr (RecSdpOffer) offer = rec_sdp_offer_parse (text, &wish, error);

  if (offer == NULL || !remember_formats (publisher, offer, error))
    return false;
  drop_peer (publisher);

  Link *link = g_new0 (Link, 1);
  RecPeerRequest request = { .offer = g_steal_pointer (&offer),
    .msid = settings->echo,
    .max_video_kbps = settings->max_video_kbps,
    .events = &peer_events,
    .data = link,
    .destroy = free_link };

  link->publisher = rec_publisher_ref (publisher);
  link->peer = rec_peer_new (publisher->host, &request);
  rec_sender_init (&link->echo, link->peer);
  use_peer (publisher, link, settings);
  return true;
}

void
rec_publisher_add_candidate (RecPublisher *publisher, const char *candidate, const char *mid,
    int mline_index)
{
  if (publisher->main.link != NULL)
    rec_peer_add_candidate (publisher->main.link->peer, candidate, mid, mline_index);
}

bool
rec_publisher_get_format (RecPublisher *publisher, RecTrackKind kind, RecTrackFormat *format)
{
  const Track *track = get_track (publisher, kind);

  if (!publisher->main.is_answered || track->format.kind == REC_TRACK_INVALID)
    return false;
  *format = track->format;
  return true;
}

void
rec_publisher_set_formats (RecPublisher *publisher, const RecTrackFormat formats[2])
{
  REC_ASSERT_MAIN ();
  REC_LOCKED (&publisher->lock);

  for (unsigned i = 0; i < REC_SDP_MAX_TRACKS; i++) {
    publisher->tracks[i].format = formats[i];
    publisher->tracks[i].out_sequence = (uint16_t) g_random_int ();
  }
  publisher->main.is_answered = true;
}

bool
rec_publisher_has_outputs (RecPublisher *publisher)
{
  REC_LOCKED (&publisher->lock);

  return publisher->outputs->len > 0;
}

void
rec_publisher_check_silence (RecPublisher *publisher, int64_t timeout_ms)
{
  Link *link = publisher->main.link;

  if (link != NULL && rec_peer_get_state (link->peer) == REC_PEER_CONNECTED &&
      rec_peer_get_silence_ms (link->peer) > timeout_ms)
    report_lost (link, "nothing comes from it any more");
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

RecPublisher *
rec_publisher_new (RecPeerHost *host, const RecPublisherEvents *events, void *data)
{
  RecPublisher *publisher = g_new0 (RecPublisher, 1);

  g_atomic_ref_count_init (&publisher->references);
  publisher->host = host;
  publisher->main.events = events;
  publisher->main.data = data;
  publisher->outputs = g_ptr_array_new ();
  rec_lock_init (&publisher->lock);
  rec_lock_init (&publisher->keyframe_lock);
  return publisher;
}

RecPublisher *
rec_publisher_ref (RecPublisher *publisher)
{
  g_atomic_ref_count_inc (&publisher->references);
  return publisher;
}

void
rec_publisher_unref (RecPublisher *publisher)
{
  if (publisher == NULL || !g_atomic_ref_count_dec (&publisher->references))
    return;
  g_ptr_array_unref (publisher->outputs);
  rec_lock_clear (&publisher->lock);
  rec_lock_clear (&publisher->keyframe_lock);
  g_free (publisher);
}

void
rec_publisher_close (RecPublisher *publisher)
{
  REC_ASSERT_MAIN ();
  if (publisher == NULL)
    return;
  drop_peer (publisher);
  rec_publisher_unref (publisher);
}

void
rec_publisher_add_output (RecPublisher *publisher, RecOutput *output)
{
  REC_LOCKED (&publisher->lock);

  g_ptr_array_add (publisher->outputs, output);
}

void
rec_publisher_remove_output (RecPublisher *publisher, RecOutput *output)
{
  REC_LOCKED (&publisher->lock);

  g_ptr_array_remove_fast (publisher->outputs, output);
}

void
rec_publisher_get_stats (RecPublisher *publisher, RecPublisherStats *stats)
{
  {
    REC_LOCKED (&publisher->lock);
    *stats = publisher->stats;
  }
  REC_LOCKED (&publisher->keyframe_lock);
  stats->keyframe_requests = publisher->keyframe.n_asked;
}
