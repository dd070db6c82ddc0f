/* endpoint.h - the GStreamer side of a peer: one pipeline with one webrtcbin. Included by peer.c alone. */
#ifndef REC_MEDIA_ENDPOINT_H
#define REC_MEDIA_ENDPOINT_H

#include "base/types.h"
#include "media/sdp.h"

#include <glib.h>

typedef struct RecEndpoint RecEndpoint;

/* What all endpoints share. */
typedef struct {
  int64_t base_time_ns;
  int latency_ms, min_port, max_port, max_packets;
  int timeout_ms; /* of one step of the negotiation */
  char **local_addresses;
  char *stun_server, *turn_server; /* NULL: none */
} RecEndpointSettings;

/* All on whatever thread it happens on. */
typedef struct {
  void (*candidate) (const char *candidate, void *data);
  void (*gathered) (void *data);
  void (*connected) (void *data);
  void (*failed) (const char *why, void *data);
  void (*latency_changed) (void *data);
  void (*packet) (unsigned track, const uint8_t *rtp, size_t size, int64_t pts_ns, void *data);
  void (*wants_keyframe) (void *data);
} RecEndpointEvents;

/* All are borrowed until it is freed; msid is of the tracks that we send. */
RecEndpoint *rec_endpoint_new (const RecEndpointSettings *settings, const RecSdpOffer *offer,
    const char *msid, const RecEndpointEvents *events, void *data);
void rec_endpoint_free (RecEndpoint *endpoint);

/* These block; they run on a thread of the host, one after the other. The answer is to be freed. */
char *rec_endpoint_negotiate (RecEndpoint *endpoint, GError **error);
void rec_endpoint_recalculate_latency (RecEndpoint *endpoint);
void rec_endpoint_stop (RecEndpoint *endpoint); /* no event comes after it */

/* Any thread, after a successful negotiation. */
void rec_endpoint_add_candidate (RecEndpoint *endpoint, const char *candidate);
void rec_endpoint_request_keyframe (RecEndpoint *endpoint, unsigned track);
uint32_t rec_endpoint_get_ssrc (RecEndpoint *endpoint, unsigned track);
int64_t rec_endpoint_get_activity_us (
    RecEndpoint *endpoint); /* g_get_monotonic_time of the last packet */
void rec_endpoint_send (RecEndpoint *endpoint, unsigned track, const uint8_t *header,
    size_t header_size, const uint8_t *payload, size_t payload_size, int64_t pts_ns);

#endif
