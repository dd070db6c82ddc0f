/* peers.c - the open TCP connections, and until when each must have sent its request. */
#define G_LOG_DOMAIN "rec.api.peers"
#include "api/peers.h"

#include "base/lock.h"

#include <sys/socket.h>

struct RecPeer {
  int fd; /* borrowed */
  int64_t deadline_us;
};

struct RecPeers {
  RecLock lock;      /* guards what follows */
  GHashTable *peers; /* of RecPeer */
};

RecPeers *
rec_peers_new (void)
{
  RecPeers *peers = g_new0 (RecPeers, 1);

  rec_lock_init (&peers->lock);
  peers->peers = g_hash_table_new_full (NULL, NULL, g_free, NULL);
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

RecPeer *
rec_peers_add (RecPeers *peers, int fd, int64_t deadline_us)
{
  RecPeer *peer = g_new (RecPeer, 1);

  *peer = (RecPeer){ .fd = fd, .deadline_us = deadline_us };
  REC_LOCKED (&peers->lock);
  g_hash_table_add (peers->peers, peer);
  return peer;
}

void
rec_peers_remove (RecPeers *peers, RecPeer *peer)
{
  REC_LOCKED (&peers->lock);
  g_hash_table_remove (peers->peers, peer);
}

void
rec_peers_set_deadline (RecPeers *peers, RecPeer *peer, int64_t deadline_us)
{
  REC_LOCKED (&peers->lock);
  peer->deadline_us = deadline_us;
}

void
rec_peers_cut (RecPeers *peers, int64_t now_us)
{
  GHashTableIter iter;
  gpointer key;

  REC_LOCKED (&peers->lock);
  g_hash_table_iter_init (&iter, peers->peers);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    RecPeer *peer = key;
    if (peer->deadline_us == 0 || now_us < peer->deadline_us)
      continue;
    peer->deadline_us = 0;
    shutdown (peer->fd, SHUT_RDWR);
  }
}
