/* router.c - published streams by id, their subscribers and recordings; what the registry tells is followed here. */
#define G_LOG_DOMAIN "rec.media.router"
#include "media/router.h"

#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "media/camera.h"
#include "media/candidates.h"
#include "media/feed.h"
#include "media/publisher.h"
#include "media/subscriber.h"
#include "session/registry.h"

#define SILENCE_CHECK_MS 1000
#define MAX_MID_BYTES 64

typedef struct {
  RecAnswerCallback callback; /* NULL: given */
  void *data;
} PendingAnswer;

typedef struct {
  RecRouter *router;
  RecStreamInfo *stream; /* valid until stream_ended */
  RecPublisher *publisher;
  RecCamera *camera; /* what it publishes; NULL: a peer's */
  PendingAnswer answer;
  GHashTable *subscriptions; /* RecParticipant -> Subscription */
} Publication;

typedef struct {
  Publication *publication;
  RecParticipant *participant;
  RecSubscriber *subscriber;
  PendingAnswer answer;
} Subscription;

struct RecRouter {
  const RecConfig *config;
  RecPeerHost *host;
  RecCameraHost *cameras;
  RecRouterEvents events;
  void *events_data;
  GHashTable *publications; /* stream id -> Publication */
  RecCandidates *early;     /* those that came before their offer */
  guint silence_timer;
  struct {
    uint64_t packets_in, packets_out, packets_lost, keyframe_requests;
  } past; /* of those that are gone */
  unsigned n_feeds;
};

/* The answer is given last: whoever gets it may end the stream. */
static void
give_answer (PendingAnswer *pending, const char *answer, const GError *error)
{
  RecAnswerCallback callback = pending->callback;

  pending->callback = NULL;
  if (callback != NULL)
    callback (answer, error, pending->data);
}

static void
refuse (PendingAnswer *pending, const char *why)
{
  g_autoptr (GError) error = g_error_new_literal (REC_ERROR, REC_ERROR_NOT_FOUND, why);

  give_answer (pending, NULL, error);
}

static bool
has_room (RecRouter *router, GError **error)
{
  int64_t max = rec_config_get_int (router->config, "media.max-peer-connections");

  if (rec_peer_host_count_peers (router->host) < max)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_TOO_MANY,
      "the server has %" G_GINT64_FORMAT " peer connections already (media.max-peer-connections)",
      max);
  return false;
}

/* --- subscriptions --------------------------------------------------------------------------------------------- */

static void
free_subscription (void *data)
{
  Subscription *subscription = data;
  RecRouter *router = subscription->publication->router;

  router->past.packets_out += rec_subscriber_get_packets_out (subscription->subscriber);
  rec_subscriber_close (subscription->subscriber);
  g_free (subscription);
}

/* Closes the peer first and gives the answer it still owes last. */
static void
end_subscription (Subscription *subscription, const GError *error)
{
  PendingAnswer answer = subscription->answer;

  g_hash_table_remove (subscription->publication->subscriptions, subscription->participant);
  give_answer (&answer, NULL, error);
}

static void
end_subscription_because (Subscription *subscription, const char *why)
{
  g_autoptr (GError) error = g_error_new_literal (REC_ERROR, REC_ERROR_NOT_FOUND, why);

  end_subscription (subscription, error);
}

static void
on_subscriber_answered (RecSubscriber *subscriber, const char *answer, const GError *error,
    void *data)
{
  Subscription *subscription = data;

  (void) subscriber;
  if (error != NULL)
    end_subscription (subscription, error);
  else
    give_answer (&subscription->answer, answer, NULL);
}

static void
on_subscriber_candidate (RecSubscriber *subscriber, const char *candidate, const char *mid,
    unsigned mline_index, void *data)
{
  Subscription *subscription = data;
  RecRouter *router = subscription->publication->router;

  (void) subscriber;
  if (router->events.candidate != NULL)
    router->events.candidate (subscription->participant, subscription->publication->stream->owner,
        candidate, mid, (int) mline_index, router->events_data);
}

static void
on_subscriber_failed (RecSubscriber *subscriber, const char *why, void *data)
{
  Subscription *subscription = data;

  (void) subscriber;
  g_info ("subscriber '%s' of stream '%s' is lost: %s", subscription->participant->id,
      subscription->publication->stream->id, why);
  end_subscription_because (subscription, why);
}

static const RecSubscriberEvents subscriber_events = {
  .answered = on_subscriber_answered,
  .candidate = on_subscriber_candidate,
  .failed = on_subscriber_failed,
};

static void
add_subscriber_candidate (const char *candidate, const char *mid, int mline_index, void *data)
{
  rec_subscriber_add_candidate (data, candidate, mid, mline_index);
}

static Subscription *
start_subscription (Publication *publication, RecParticipant *participant, const char *offer,
    GError **error)
{
  g_autofree Subscription *subscription = g_new0 (Subscription, 1);

  if (!has_room (publication->router, error))
    return NULL;
  subscription->publication = publication;
  subscription->participant = participant;
  subscription->subscriber = rec_subscriber_new (publication->router->host, publication->publisher,
      publication->stream->id, offer, &subscriber_events, subscription, error);
  return subscription->subscriber != NULL ? g_steal_pointer (&subscription) : NULL;
}

static void
end_subscription_of (Publication *publication, RecParticipant *participant, const char *why)
{
  Subscription *subscription = g_hash_table_lookup (publication->subscriptions, participant);

  if (subscription != NULL)
    end_subscription_because (subscription, why);
}

void
rec_router_subscribe (RecRouter *router, RecStreamInfo *stream, RecParticipant *subscriber,
    const char *sdp_offer, RecAnswerCallback callback, void *data)
{
  Publication *publication = g_hash_table_lookup (router->publications, stream->id);
  PendingAnswer answer = { callback, data };
  g_autoptr (GError) error = NULL;

  REC_ASSERT_MAIN ();
  if (publication == NULL) {
    refuse (&answer, "nobody publishes this stream");
    return;
  }
  end_subscription_of (publication, subscriber, "another offer for the same stream came");

  Subscription *subscription = start_subscription (publication, subscriber, sdp_offer, &error);

  if (subscription == NULL) {
    give_answer (&answer, NULL, error);
    return;
  }
  subscription->answer = answer;
  g_hash_table_insert (publication->subscriptions, subscriber, subscription);
  rec_candidates_take (router->early, subscriber->id, stream->owner->id, add_subscriber_candidate,
      subscription->subscriber);
}

void
rec_router_unsubscribe (RecRouter *router, const char *stream_id, RecParticipant *subscriber)
{
  Publication *publication = g_hash_table_lookup (router->publications, stream_id);

  REC_ASSERT_MAIN ();
  if (publication != NULL)
    end_subscription_of (publication, subscriber, "the subscription was ended");
}

/* --- publications ---------------------------------------------------------------------------------------------- */

static void
keep_stats (Publication *publication)
{
  RecRouter *router = publication->router;
  RecPublisherStats stats;

  rec_publisher_get_stats (publication->publisher, &stats);
  router->past.packets_in += stats.packets_in;
  router->past.packets_lost += stats.packets_lost;
  router->past.keyframe_requests += stats.keyframe_requests;
}

static void
free_publication (Publication *publication)
{
  keep_stats (publication);
  rec_camera_close (publication->camera);
  g_hash_table_unref (publication->subscriptions);
  rec_publisher_close (publication->publisher);
  g_free (publication);
}

static Subscription *
get_any_subscription (Publication *publication)
{
  GHashTableIter iterator;
  void *value = NULL;

  g_hash_table_iter_init (&iterator, publication->subscriptions);
  return g_hash_table_iter_next (&iterator, NULL, &value) ? value : NULL;
}

static void
end_publication (Publication *publication, const char *why)
{
  PendingAnswer answer = publication->answer;
  Subscription *subscription;

  publication->answer.callback = NULL;
  g_hash_table_remove (publication->router->publications, publication->stream->id);
  while ((subscription = get_any_subscription (publication)) != NULL)
    end_subscription_because (subscription, why);
  free_publication (publication);
  refuse (&answer, why);
}

static void
on_publisher_answered (RecPublisher *publisher, const char *answer, const GError *error, void *data)
{
  Publication *publication = data;

  (void) publisher;
  give_answer (&publication->answer, answer, error);
}

static void
on_publisher_candidate (RecPublisher *publisher, const char *candidate, const char *mid,
    unsigned mline_index, void *data)
{
  Publication *publication = data;
  RecRouter *router = publication->router;
  RecParticipant *owner = publication->stream->owner;

  (void) publisher;
  if (router->events.candidate != NULL)
    router->events.candidate (owner, owner, candidate, mid, (int) mline_index, router->events_data);
}

static void
report_lost (const char *why, void *data)
{
  Publication *publication = data;
  RecRouter *router = publication->router;

  g_message ("the publisher of stream '%s' is lost: %s", publication->stream->id, why);
  if (router->events.publisher_lost != NULL)
    router->events.publisher_lost (publication->stream, why, router->events_data);
}

static void
on_publisher_lost (RecPublisher *publisher, const char *why, void *data)
{
  (void) publisher;
  report_lost (why, data);
}

static const RecPublisherEvents publisher_events = {
  .answered = on_publisher_answered,
  .candidate = on_publisher_candidate,
  .lost = on_publisher_lost,
};

static Publication *
get_publication (RecRouter *router, RecStreamInfo *stream)
{
  Publication *publication = g_hash_table_lookup (router->publications, stream->id);

  if (publication != NULL)
    return publication;
  publication = g_new0 (Publication, 1);
  publication->router = router;
  publication->stream = stream;
  publication->publisher = rec_publisher_new (router->host, &publisher_events, publication);
  publication->subscriptions = g_hash_table_new_full (NULL, NULL, NULL, free_subscription);
  g_hash_table_insert (router->publications, g_strdup (stream->id), publication);
  return publication;
}

#define N_CODECS 3

/* A codec that the session forces is the only one; else the wanted one comes first. VP9, which costs browsers and the
 * recording most, is for those who offer nothing else. */
static void
choose_codecs (const RecRouter *router, const RecSessionProperties *properties,
    const char *codecs[N_CODECS + 1])
{
  static const char *const order[N_CODECS] = { "VP8", "H264", "VP9" };
  const char *forced = properties->forced_video_codec;
  const char *configured =
      rec_config_get_string (router->config, "openvidu.streams.forced-video-codec");
  bool is_forced = forced != NULL && strcmp (forced, "MEDIA_SERVER_PREFERRED") != 0 &&
                   strcmp (forced, "NONE") != 0;

  const char *wanted = is_forced ? forced : configured;
  unsigned n = 0;

  for (unsigned i = 0; i < N_CODECS; i++)
    if (strcmp (order[i], wanted) == 0)
      codecs[n++] = order[i];
  for (unsigned i = 0; i < N_CODECS && (!is_forced || properties->allow_transcoding); i++)
    if (strcmp (order[i], wanted) != 0)
      codecs[n++] = order[i];
  codecs[n] = NULL;
}

static int64_t
get_max_video_kbps (const RecRouter *router, const RecParticipant *owner)
{
  int64_t configured =
      rec_config_get_int (router->config, "openvidu.streams.video.max-recv-bandwidth");

  if (owner->connection == NULL || owner->connection->kurento_options == NULL)
    return configured;
  return rec_json_int_or (owner->connection->kurento_options, "videoMaxRecvBandwidth", configured);
}

static bool
negotiate (Publication *publication, const char *offer, GError **error)
{
  RecRouter *router = publication->router;
  RecParticipant *owner = publication->stream->owner;
  const char *codecs[N_CODECS + 1];
  RecPublisherSettings settings = {
    .keyframe_interval_ms = (int) rec_config_get_int (router->config, "media.keyframe-interval-ms"),
    .max_video_kbps = get_max_video_kbps (router, owner),
    .video_codecs = codecs,
    .echo = publication->stream->is_echoed ? publication->stream->id : NULL,
  };

  choose_codecs (router, owner->session->properties, codecs);
  return has_room (router, error) &&
         rec_publisher_negotiate (publication->publisher, offer, &settings, error);
}

static void
add_publisher_candidate (const char *candidate, const char *mid, int mline_index, void *data)
{
  rec_publisher_add_candidate (data, candidate, mid, mline_index);
}

void
rec_router_publish (RecRouter *router, RecStreamInfo *stream, const char *sdp_offer,
    RecAnswerCallback callback, void *data)
{
  Publication *publication = get_publication (router, stream);
  PendingAnswer answer = { callback, data };
  g_autoptr (GError) error = NULL;

  REC_ASSERT_MAIN ();
  refuse (&publication->answer, "another offer for the same stream came");
  if (!negotiate (publication, sdp_offer, &error)) {
    give_answer (&answer, NULL, error);
    return;
  }
  publication->answer = answer;
  rec_candidates_take (router->early, stream->owner->id, stream->owner->id, add_publisher_candidate,
      publication->publisher);
}

void
rec_router_open_camera (RecRouter *router, const RecCameraSource *source,
    RecCameraCallback callback, void *data)
{
  rec_camera_open (router->cameras, source, callback, data);
}

void
rec_router_publish_camera (RecRouter *router, RecStreamInfo *stream, RecCamera *camera)
{
  Publication *publication = get_publication (router, stream);

  publication->camera = camera;
  rec_camera_publish (camera, publication->publisher, report_lost, publication);
}

void
rec_router_add_candidate (RecRouter *router, RecParticipant *participant, RecParticipant *owner,
    const char *candidate, const char *sdp_mid, int sdp_mline_index)
{
  Publication *publication =
      owner->stream != NULL ? g_hash_table_lookup (router->publications, owner->stream->id) : NULL;
  Subscription *subscription =
      publication != NULL ? g_hash_table_lookup (publication->subscriptions, participant) : NULL;

  REC_ASSERT_MAIN ();
  if (!rec_sdp_is_usable_candidate (candidate) ||
      (sdp_mid != NULL && strlen (sdp_mid) > MAX_MID_BYTES))
    return;
  if (participant == owner && publication != NULL) {
    rec_publisher_add_candidate (publication->publisher, candidate, sdp_mid, sdp_mline_index);
  } else if (subscription != NULL) {
    rec_subscriber_add_candidate (subscription->subscriber, candidate, sdp_mid, sdp_mline_index);
  } else {
    rec_candidates_keep (router->early, participant->id, owner->id, candidate, sdp_mid,
        sdp_mline_index);
  }
}

bool
rec_router_get_format (RecRouter *router, RecStreamInfo *stream, RecTrackKind kind,
    RecTrackFormat *format)
{
  Publication *publication = g_hash_table_lookup (router->publications, stream->id);

  return publication != NULL && rec_publisher_get_format (publication->publisher, kind, format);
}

/* --- recordings -------------------------------------------------------------------------------------------------- */

RecFeed *
rec_router_attach_feed (RecRouter *router, RecStreamInfo *stream, RecFeedPipe *pipe,
    uint32_t audio_track_id, uint32_t video_track_id, GError **error)
{
  Publication *publication = g_hash_table_lookup (router->publications, stream->id);
  RecTrackFormat format;

  REC_ASSERT_MAIN ();
  if (publication == NULL ||
      (!rec_publisher_get_format (publication->publisher, REC_TRACK_AUDIO, &format) &&
          !rec_publisher_get_format (publication->publisher, REC_TRACK_VIDEO, &format))) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_FOUND,
        "cannot record stream '%s': it is not negotiated yet", stream->id);
    return NULL;
  }

  RecFeed *feed = rec_feed_new (pipe, publication->publisher, audio_track_id, video_track_id);

  rec_publisher_add_output (publication->publisher, rec_feed_get_output (feed));
  router->n_feeds++;
  if (video_track_id != 0)
    rec_feed_request_keyframe (feed);
  return feed;
}

void
rec_router_detach_feed (RecRouter *router, RecFeed *feed)
{
  REC_ASSERT_MAIN ();
  if (feed == NULL)
    return;
  rec_publisher_remove_output (rec_feed_get_publisher (feed), rec_feed_get_output (feed));
  router->n_feeds--;
  rec_feed_free (feed);
}

/* --- what the registry tells ------------------------------------------------------------------------------------- */

/* For walks in which publications may end. */
static GPtrArray *
dup_publication_ids (RecRouter *router)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iterator;
  void *id;

  g_hash_table_iter_init (&iterator, router->publications);
  while (g_hash_table_iter_next (&iterator, &id, NULL))
    g_ptr_array_add (ids, g_strdup (id));
  return ids;
}

static void
on_stream_ended (RecStreamInfo *stream, const char *reason, void *data)
{
  RecRouter *router = data;
  Publication *publication = g_hash_table_lookup (router->publications, stream->id);

  (void) reason;
  if (publication != NULL)
    end_publication (publication, "the stream has ended");
}

static void
on_participant_left (RecParticipant *participant, const char *reason, void *data)
{
  RecRouter *router = data;
  g_autoptr (GPtrArray) ids = dup_publication_ids (router);

  (void) reason;
  for (unsigned i = 0; i < ids->len; i++)
    rec_router_unsubscribe (router, ids->pdata[i], participant);
  rec_candidates_forget (router->early, participant->id);
}

static const RecRegistryEvents registry_events = {
  .stream_ended = on_stream_ended,
  .participant_left = on_participant_left,
};

static gboolean
check_silence (void *data)
{
  RecRouter *router = data;
  int64_t timeout_ms = rec_config_get_int (router->config, "media.silence-timeout-ms");
  g_autoptr (GPtrArray) ids = dup_publication_ids (router);

  for (unsigned i = 0; i < ids->len; i++) {
    Publication *publication = g_hash_table_lookup (router->publications, ids->pdata[i]);
    if (publication != NULL)
      rec_publisher_check_silence (publication->publisher, timeout_ms);
  }
  return G_SOURCE_CONTINUE;
}

/* --- the router ------------------------------------------------------------------------------------------------------ */

RecRouter *
rec_router_new (const RecConfig *config, RecRegistry *registry, GError **error)
{
  REC_ASSERT_MAIN ();

  RecPeerHost *host = rec_peer_host_new (config, error);
  RecCameraHost *cameras;
  RecRouter *router;

  if (host == NULL)
    return NULL;
  cameras = rec_camera_host_new (config, rec_peer_host_get_base_time_ns (host), error);
  if (cameras == NULL) {
    rec_peer_host_free (host);
    return NULL;
  }
  router = g_new0 (RecRouter, 1);
  router->config = config;
  router->host = host;
  router->publications = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  router->cameras = cameras;
  router->early = rec_candidates_new (config);
  router->silence_timer = g_timeout_add (SILENCE_CHECK_MS, check_silence, router);
  rec_registry_subscribe (registry, &registry_events, router);
  rec_peer_host_warm_up (host);
  return router;
}

static Publication *
get_any_publication (RecRouter *router)
{
  GHashTableIter iterator;
  void *value = NULL;

  g_hash_table_iter_init (&iterator, router->publications);
  return g_hash_table_iter_next (&iterator, NULL, &value) ? value : NULL;
}

void
rec_router_free (RecRouter *router)
{
  Publication *publication;

  if (router == NULL)
    return;
  g_source_remove (router->silence_timer);
  while ((publication = get_any_publication (router)) != NULL)
    end_publication (publication, "the server stops");
  rec_camera_host_free (router->cameras);
  rec_peer_host_free (router->host);
  g_hash_table_unref (router->publications);
  rec_candidates_free (router->early);
  g_free (router);
}

void
rec_router_set_events (RecRouter *router, const RecRouterEvents *events, void *data)
{
  router->events = *events;
  router->events_data = data;
}

int64_t
rec_router_get_base_time_ns (RecRouter *router)
{
  return rec_peer_host_get_base_time_ns (router->host);
}

static void
add_stats (const Publication *publication, RecRouterStats *stats)
{
  RecPublisherStats one;
  GHashTableIter iterator;
  void *value;

  rec_publisher_get_stats (publication->publisher, &one);
  stats->publishers++;
  stats->packets_in += one.packets_in;
  stats->packets_lost += one.packets_lost;
  stats->keyframe_requests += one.keyframe_requests;
  g_hash_table_iter_init (&iterator, publication->subscriptions);
  while (g_hash_table_iter_next (&iterator, NULL, &value)) {
    const Subscription *subscription = value;

    stats->subscribers++;
    stats->packets_out += rec_subscriber_get_packets_out (subscription->subscriber);
  }
}

void
rec_router_get_stats (RecRouter *router, RecRouterStats *stats)
{
  GHashTableIter iterator;
  void *value;

  *stats = (RecRouterStats){ .feeds = router->n_feeds,
    .packets_in = router->past.packets_in,
    .packets_out = router->past.packets_out,
    .packets_lost = router->past.packets_lost,
    .keyframe_requests = router->past.keyframe_requests };
  g_hash_table_iter_init (&iterator, router->publications);
  while (g_hash_table_iter_next (&iterator, NULL, &value))
    add_stats (value, stats);
}
