/* peers.h - the open TCP connections, and what libmicrohttpd doesn't notice about them. [any]
 *
 * Its timeout starts anew with every byte: here a request has a deadline as a whole. Of an upgraded connection it does
 * not tell that the peer has hung up until something is sent. And one that the application closed it forgets to close
 * when its thread looks in the wrong moment, unless something moves on the TCP socket. */
#ifndef REC_API_PEERS_H
#define REC_API_PEERS_H

#include <glib.h>
#include <stdbool.h>

typedef struct RecPeers RecPeers;

RecPeers *rec_peers_new (void);
void rec_peers_free (RecPeers *peers);

/* fd is borrowed and must stay open until the peer is removed. Returns its number, never 0. */
gsize rec_peers_add (RecPeers *peers, int fd, int64_t deadline_us);
/* The calls below do nothing for a peer that was removed. */
void rec_peers_remove (RecPeers *peers, gsize number);
/* On the monotonic clock; 0: nothing is awaited. */
void rec_peers_set_deadline (RecPeers *peers, gsize number, int64_t deadline_us);
/* The application's end of an upgraded connection, borrowed; -1 before it is closed. */
void rec_peers_set_socket (RecPeers *peers, gsize number, int socket);
/* Nothing is read from the peer any more; after the deadline nothing is sent either. */
void rec_peers_hang_up (RecPeers *peers, gsize number, int64_t deadline_us);

/* Shuts the connections that are late, and the sockets of peers that had hung up by the last sweep too. */
void rec_peers_sweep (RecPeers *peers, int64_t now_us);

#endif
