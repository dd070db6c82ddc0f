/* peer.h - one peer connection with one browser: an offer in, an answer out, then packets. No GStreamer type here.
 *
 * Functions are [main] unless tagged. Peers are built and taken down on threads of their host, so neither blocks. */
#ifndef REC_MEDIA_PEER_H
#define REC_MEDIA_PEER_H

#include "base/types.h"
#include "media/sdp.h"

#include <glib.h>

typedef struct RecPeer RecPeer;
typedef struct RecPeerHost RecPeerHost;

/* What all peers share: settings, clock, threads. config is read now and not kept. */
RecPeerHost *rec_peer_host_new (const RecConfig *config, GError **error);
/* All peers must be closed; waits for them to be gone. */
void rec_peer_host_free (RecPeerHost *host);
/* Makes the first peer connection as quick as later ones: libraries and the certificate are there by then. */
void rec_peer_host_warm_up (RecPeerHost *host);
int64_t rec_peer_host_get_base_time_ns (RecPeerHost *host);
/* Those that still hold resources, closed ones that are being taken down included. */
unsigned rec_peer_host_count_peers (RecPeerHost *host);

typedef enum {
  REC_PEER_INVALID = 0,
  REC_PEER_NEGOTIATING,
  REC_PEER_CONNECTING,
  REC_PEER_CONNECTED,
  REC_PEER_FAILED, /* for good */
} RecPeerState;

/* None comes after rec_peer_close, except `packet` and `wants_keyframe`, which may be under way. */
typedef struct {
  void (*answered) (const char *answer, const GError *error, void *data); /* [main] once */
  void (*candidate) (const char *candidate, const char *mid, unsigned mline_index,
      void *data);                                                         /* [main] */
  void (*state_changed) (RecPeerState state, const char *why, void *data); /* [main] */
  /* [streaming] Received; pts_ns is absolute. */
  void (*packet) (unsigned track, const uint8_t *rtp, size_t size, int64_t pts_ns, void *data);
  void (*wants_keyframe) (
      void *data); /* [streaming] The other side, or the connection has just come up. */
} RecPeerEvents;

typedef struct {
  RecSdpOffer *offer;          /* taken */
  const char *msid;            /* what we send is this stream; NULL: we send nothing */
  int64_t max_video_kbps;      /* 0: no limit */
  const RecPeerEvents *events; /* borrowed for good */
  void *data;
  GDestroyNotify destroy; /* [main] of data, when nothing comes any more */
} RecPeerRequest;

/* Starts negotiating. The reference returned is the caller's. */
RecPeer *rec_peer_new (RecPeerHost *host, const RecPeerRequest *request);
RecPeer *rec_peer_ref (RecPeer *peer); /* [any] */
void rec_peer_unref (RecPeer *peer);   /* [any] */
/* Closes and gives the caller's reference back. */
void rec_peer_close (RecPeer *peer);

const RecSdpOffer *rec_peer_get_offer (RecPeer *peer);
void rec_peer_add_candidate (RecPeer *peer, const char *candidate, const char *mid,
    int mline_index);
RecPeerState rec_peer_get_state (RecPeer *peer);
bool rec_peer_is_connected (RecPeer *peer); /* [any] */
/* Time since any packet came (RTP, RTCP or handshake), or since the peer was made. */
int64_t rec_peer_get_silence_ms (RecPeer *peer);

void rec_peer_request_keyframe (RecPeer *peer,
    unsigned track);                                        /* [any] of the one who sends to us */
uint32_t rec_peer_get_ssrc (RecPeer *peer, unsigned track); /* [any] of what we send */
/* [streaming] Copies; oldest packets are dropped when the other side is too slow. */
void rec_peer_send (RecPeer *peer, unsigned track, const uint8_t *header, size_t header_size,
    const uint8_t *payload, size_t payload_size, int64_t pts_ns);

#endif
