/* peers.h - the open TCP connections, and until when each must have sent its request. [any]
 *
 * libmicrohttpd's own timeout starts anew with every byte; these deadlines don't. */
#ifndef REC_API_PEERS_H
#define REC_API_PEERS_H

#include <glib.h>
#include <stdbool.h>

typedef struct RecPeers RecPeers;
typedef struct RecPeer RecPeer;

RecPeers *rec_peers_new (void);
void rec_peers_free (RecPeers *peers);

/* fd is borrowed and must stay open until the peer is removed. */
RecPeer *rec_peers_add (RecPeers *peers, int fd, int64_t deadline_us);
void rec_peers_remove (RecPeers *peers, RecPeer *peer);
/* On the monotonic clock; 0: nothing is awaited. */
void rec_peers_set_deadline (RecPeers *peers, RecPeer *peer, int64_t deadline_us);
/* Shuts the connections that are late, and leaves closing them to their owner. */
void rec_peers_cut (RecPeers *peers, int64_t now_us);

#endif
