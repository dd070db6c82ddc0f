/* peer.h - one peer connection of a participant: sends what it publishes, or receives one stream. */
#ifndef RECTO_LOAD_PEER_H
#define RECTO_LOAD_PEER_H

#include "watch.h"

typedef struct LoadPeer LoadPeer;

/* All on the main loop; none after load_peer_free. */
typedef struct {
  void (*offered) (const char *sdp, void *data);
  void (*found_candidate) (const char *candidate, unsigned mline_index, void *data);
  void (*connected) (void *data);
  void (*failed) (const char *why, void *data);
} LoadPeerEvents;

typedef struct {
  bool has_audio, has_video;
  bool is_local;     /* the server is on this machine */
  const char *codec; /* of what is published; NULL: receives whatever comes */
} LoadPeerSettings;

/* watch is NULL for a publisher, and borrowed otherwise. */
LoadPeer *load_peer_new (const LoadPeerSettings *settings, LoadWatch *watch,
    const LoadPeerEvents *events, void *data);
void load_peer_free (LoadPeer *peer);

void load_peer_take_answer (LoadPeer *peer, const char *sdp);
void load_peer_add_candidate (LoadPeer *peer, unsigned mline_index, const char *candidate);
/* Audio, video; 0 for what isn't sent. */
const uint32_t *load_peer_get_ssrcs (const LoadPeer *peer);
/* Takes the packets. [any] */
void load_peer_send (LoadPeer *peer, GstBufferList *packets, unsigned medium);

#endif
