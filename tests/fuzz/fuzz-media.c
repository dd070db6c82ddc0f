/* fuzz-media.c - datagrams on a worker's media socket. */
#include "fuzz/fuzz.h"

#include "base/fd.h"
#include "worker/media-socket.h"

#include <sys/socket.h>

typedef struct {
  RecMediaSocket *socket;
  unsigned n_arrived, n_packets, n_broken;
  uint64_t sum;
  bool has_ended;
} Reader;

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  return 0;
}

static void
on_arrived (void *data)
{
  ((Reader *) data)->n_arrived++;
}

static gboolean
resume (void *data)
{
  rec_media_socket_resume (((Reader *) data)->socket);
  return G_SOURCE_REMOVE;
}

/* Every third packet finds no room. */
static bool
on_packet (const RecWirePacketHeader *header, const uint8_t *rtp, void *data)
{
  Reader *reader = data;

  for (uint32_t i = 0; i < header->size; i++)
    reader->sum += rtp[i];
  if (reader->n_packets++ % 3 < 2)
    return true;
  g_idle_add (resume, reader);
  return false;
}

static void
on_broken (void *data)
{
  ((Reader *) data)->n_broken++;
}

static void
on_drained (bool is_end, void *data)
{
  ((Reader *) data)->has_ended = is_end;
}

static const RecMediaEvents events = {
  .arrived = on_arrived, .packet = on_packet, .broken = on_broken, .drained = on_drained
};

/* Datagrams, each behind its length in two bytes; an empty one would be the end of the socket. */
static unsigned
send_all (int fd, const uint8_t *data, size_t size)
{
  unsigned n = 0;

  for (; size > 2 && n < 64; n++) {
    const size_t length = MIN ((size_t) (data[0] << 8 | data[1]), size - 2);
    if (length == 0 || send (fd, data + 2, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
      return n;
    data += 2 + length;
    size -= 2 + length;
  }
  return n;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Reader reader = { 0 };
  int fds[2];

  g_assert_true (rec_fd_socketpair (SOCK_SEQPACKET, fds, NULL));
  reader.socket = rec_media_socket_new (fds[0], &events, &reader);
  const unsigned n = send_all (fds[1], data, size);
  rec_fd_close (&fds[1]);
  rec_media_socket_resume (reader.socket);
  fuzz_run_loop ();
  g_assert_true (reader.has_ended && rec_media_socket_is_closed (reader.socket));
  g_assert_cmpuint (reader.n_arrived, <=, n + 1); /* several arrive at once, and the end does */
  g_assert_true (n == 0 || reader.n_arrived > 0);
  g_assert_cmpuint (reader.n_packets + reader.n_broken, ==, n);
  rec_media_socket_free (reader.socket);
  return 0;
}
