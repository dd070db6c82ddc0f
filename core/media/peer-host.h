/* peer-host.h - what peers know of their host. Included by peer.c and peer-host.c alone. */
#ifndef REC_MEDIA_PEER_HOST_H
#define REC_MEDIA_PEER_HOST_H

#include "media/endpoint.h"
#include "media/peer.h"

struct RecPeerHost {
  RecEndpointSettings endpoint;
  int gather_timeout_ms, connect_timeout_ms, max_candidates;
  char *external_address; /* NULL: none */
  GThreadPool *pool;      /* runs rec_peer_run_job */
  unsigned n_peers;       /* [main] */
  unsigned n_warming_up;  /* [main] those of them that are for nobody */
};

/* Work that a peer has pushed into the pool. user_data is not used. */
void rec_peer_run_job (void *data, void *user_data);
/* Quick ones first. */
int rec_peer_compare_jobs (const void *a, const void *b, void *user_data);

#endif
