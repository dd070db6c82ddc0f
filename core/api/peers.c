/* peers.c - the open TCP connections, and what libmicrohttpd doesn't notice about them. */
#define _GNU_SOURCE /* POLLRDHUP */
#define G_LOG_DOMAIN "rec.api.peers"
#include "api/peers.h"

#include "base/lock.h"

#include <poll.h>
#include <sys/socket.h>

typedef struct {
  int fd;     /* borrowed */
  int socket; /* borrowed, or -1 */
  int64_t deadline_us;
  bool has_hung_up;
} Peer;

struct RecPeers {
  RecLock lock;      /* guards what follows */
  GHashTable *peers; /* number -> Peer */
  gsize last_number;
};

RecPeers *
rec_peers_new (void)
{
  RecPeers *peers = g_new0 (RecPeers, 1);

  rec_lock_init (&peers->lock);
  peers->peers = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return peers;
}

void
rec_peers_free (RecPeers *peers)
{
  if (peers == NULL)
    return;
  g_hash_table_unref (peers->peers);
  rec_lock_clear (&peers->lock);
  g_free (peers);
}

gsize
rec_peers_add (RecPeers *peers, int fd, int64_t deadline_us)
{
  Peer *peer = g_new (Peer, 1);

  *peer = (Peer){ .fd = fd, .socket = -1, .deadline_us = deadline_us };
  REC_LOCKED (&peers->lock);
  g_hash_table_insert (peers->peers, GSIZE_TO_POINTER (++peers->last_number), peer);
  return peers->last_number;
}

void
rec_peers_remove (RecPeers *peers, gsize number)
{
  REC_LOCKED (&peers->lock);
  g_hash_table_remove (peers->peers, GSIZE_TO_POINTER (number));
}

static Peer *
find (RecPeers *peers, gsize number)
{
  return g_hash_table_lookup (peers->peers, GSIZE_TO_POINTER (number));
}

void
rec_peers_set_deadline (RecPeers *peers, gsize number, int64_t deadline_us)
{
  REC_LOCKED (&peers->lock);
  Peer *peer = find (peers, number);

  if (peer != NULL)
    peer->deadline_us = deadline_us;
}

void
rec_peers_set_socket (RecPeers *peers, gsize number, int socket)
{
  REC_LOCKED (&peers->lock);
  Peer *peer = find (peers, number);

  if (peer != NULL)
    peer->socket = socket;
}

void
rec_peers_hang_up (RecPeers *peers, gsize number, int64_t deadline_us)
{
  REC_LOCKED (&peers->lock);
  Peer *peer = find (peers, number);

  if (peer == NULL)
    return;
  peer->deadline_us = deadline_us;
  shutdown (peer->fd, SHUT_RD);
}

/* Once to see it, once more so that what the peer said last has been passed on. */
static void
notice_hang_up (Peer *peer)
{
  struct pollfd poll_fd = { .fd = peer->fd, .events = POLLRDHUP };

  if (peer->socket < 0 || poll (&poll_fd, 1, 0) <= 0)
    return;
  if (peer->has_hung_up)
    shutdown (peer->socket, SHUT_RDWR);
  peer->has_hung_up = true;
}

void
rec_peers_sweep (RecPeers *peers, int64_t now_us)
{
  GHashTableIter iter;
  gpointer value;

  REC_LOCKED (&peers->lock);
  g_hash_table_iter_init (&iter, peers->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Peer *peer = value;
    notice_hang_up (peer);
    if (peer->deadline_us == 0 || now_us < peer->deadline_us)
      continue;
    peer->deadline_us = 0;
    shutdown (peer->fd, SHUT_RDWR);
  }
}
