/* router.h - published streams and where their packets go: subscribers and recordings. No GStreamer type here.
 *
 * All functions are [main]. Packets travel on streaming threads inside; callbacks always come on the main thread. */
#ifndef REC_MEDIA_ROUTER_H
#define REC_MEDIA_ROUTER_H

#include "base/types.h"
#include "session/session.h"

#include <glib.h>

typedef enum {
  REC_TRACK_INVALID = 0,
  REC_TRACK_AUDIO,
  REC_TRACK_VIDEO,
} RecTrackKind;

/* How a published track is coded, for whoever depayloads it. */
typedef struct {
  RecTrackKind kind;
  char codec[16]; /* "VP8", "H264", "VP9", "OPUS" */
  uint8_t payload_type;
  uint32_t clock_rate; /* Hz */
  char fmtp[256];      /* format parameters of the SDP, "" when none */
} RecTrackFormat;

typedef struct {
  /* A local candidate that did not make it into the answer. owner: of the stream (itself when publishing). */
  void (*candidate) (RecParticipant *participant, RecParticipant *owner, const char *candidate,
      const char *sdp_mid, int sdp_mline_index, void *data);
  /* Nothing arrived from the publisher for the liveness time, or its transport failed for good. */
  void (*publisher_lost) (RecStreamInfo *stream, const char *why, void *data);
} RecRouterEvents;

/* Subscribes to the registry: peers of streams that end and of participants that leave are closed by the router. */
RecRouter *rec_router_new (const RecConfig *config, RecRegistry *registry, GError **error);
void rec_router_free (RecRouter *router);
void rec_router_set_events (RecRouter *router, const RecRouterEvents *events, void *data);

/* CLOCK_MONOTONIC nanoseconds that all pipelines use as base time. */
int64_t rec_router_get_base_time_ns (RecRouter *router);

/* Called exactly once: with the answer, or with an error (also when the stream ends or its owner leaves meanwhile). */
typedef void (*RecAnswerCallback) (const char *sdp_answer, const GError *error, void *data);

/* Makes the receiving peer of a stream that is being published (rec_registry_add_stream). */
void rec_router_publish (RecRouter *router, RecStreamInfo *stream, const char *sdp_offer,
    RecAnswerCallback callback, void *data);
/* Makes the sending peer to one subscriber. A second call for the same pair replaces the first peer. */
void rec_router_subscribe (RecRouter *router, RecStreamInfo *stream, RecParticipant *subscriber,
    const char *sdp_offer, RecAnswerCallback callback, void *data);
void rec_router_unsubscribe (RecRouter *router, const char *stream_id, RecParticipant *subscriber);

/* --- IP cameras ------------------------------------------------------------------------------------------ */

typedef struct {
  const char *uri;   /* rtsp:// or rtsps:// */
  int cache_ms;      /* how far packets may come out of order */
  bool is_on_demand; /* connected only while somebody watches or records it */
} RecCameraSource;

/* camera is the receiver's then: to be published or closed. NULL with an error. */
typedef void (*RecCameraCallback) (RecCamera *camera, const GError *error, void *data);

/* Connects, and finds out what it sends; the callback is called exactly once, after this has returned. */
void rec_router_open_camera (RecRouter *router, const RecCameraSource *source,
    RecCameraCallback callback, void *data);
/* One that is not published. */
void rec_camera_close (RecCamera *camera);
bool rec_camera_has_audio (RecCamera *camera);
/* Takes the camera. The stream can be subscribed to and recorded from now on; publisher_lost tells when the camera has
 * been away for too long. */
void rec_router_publish_camera (RecRouter *router, RecStreamInfo *stream, RecCamera *camera);

/* May come before the offer: kept, bounded, until the peer exists. owner is participant itself when it publishes. */
void rec_router_add_candidate (RecRouter *router, RecParticipant *participant,
    RecParticipant *owner, const char *candidate, const char *sdp_mid, int sdp_mline_index);

/* False while the stream has no such track or it is not negotiated yet. */
bool rec_router_get_format (RecRouter *router, RecStreamInfo *stream, RecTrackKind kind,
    RecTrackFormat *format);

/* --- recordings ------------------------------------------------------------------------------------------ */

/* The media socket of one recording with its feeds' bounds (config: media.feed-ms, media.feed-bytes). Takes media_fd,
 * the server's end of a SEQPACKET pair; messages are those of wire/packet.h. */
RecFeedPipe *rec_feed_pipe_new (const RecConfig *config, int media_fd, GError **error);
/* All its feeds must be detached. Closes the socket, which tells the worker that no more packets come. */
void rec_feed_pipe_free (RecFeedPipe *pipe);

/* One stream into one recording. A track id of 0 leaves that medium out. Asks for a keyframe at once. */
RecFeed *rec_router_attach_feed (RecRouter *router, RecStreamInfo *stream, RecFeedPipe *pipe,
    uint32_t audio_track_id, uint32_t video_track_id, GError **error);
void rec_router_detach_feed (RecRouter *router, RecFeed *feed);
void rec_feed_request_keyframe (RecFeed *feed);

typedef struct {
  uint64_t sent, dropped, bytes; /* packets, packets, bytes */
  uint64_t keyframe_requests;
} RecFeedStats;

void rec_feed_get_stats (RecFeed *feed, RecFeedStats *stats);

typedef struct {
  unsigned publishers, subscribers, feeds;
  uint64_t packets_in, packets_out, packets_lost, keyframe_requests;
} RecRouterStats;

void rec_router_get_stats (RecRouter *router, RecRouterStats *stats);

#endif
