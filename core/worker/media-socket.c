/* media-socket.c - one end of a SEQPACKET pair on the main loop. */
#define G_LOG_DOMAIN "rec.worker.media"
#include "worker/media-socket.h"

#include "base/fd.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>

#define PACKETS_PER_TURN 64

struct RecMediaSocket {
  int fd;
  GSource *source; /* NULL while nothing is to be read */
  GSource *hastening;
  bool is_closed;
  RecMediaEvents events;
  void *data;
};

typedef enum {
  READ_INVALID = 0,
  READ_MORE,
  READ_EMPTY,
  READ_FULL,
  READ_END,
} ReadResult;

static void
drop_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static ReadResult
read_packet (RecMediaSocket *media)
{
  uint8_t message[REC_WIRE_PACKET_MAX + 1];
  const ssize_t n = recv (media->fd, message, sizeof message, MSG_DONTWAIT);
  RecWirePacketHeader header;
  const uint8_t *rtp;

  if (n < 0 && errno == EINTR)
    return READ_MORE;
  if (n < 0 && errno == EAGAIN)
    return READ_EMPTY;
  if (n <= 0)
    return READ_END;
  media->events.arrived (media->data);
  if (rec_wire_packet_parse (message, (size_t) n, &header, &rtp))
    return media->events.packet (&header, rtp, media->data) ? READ_MORE : READ_FULL;
  media->events.broken (media->data);
  return READ_MORE;
}

static void
read_packets (RecMediaSocket *media)
{
  ReadResult result = READ_MORE;

  for (int i = 0; i < PACKETS_PER_TURN && result == READ_MORE; i++)
    result = read_packet (media);
  if (result == READ_MORE)
    rec_media_socket_hasten (media); /* it may be empty now, and nobody would notice */
  if (result == READ_END)
    media->is_closed = true;
  if (result == READ_FULL || result == READ_END)
    drop_source (&media->source);
  if (result == READ_EMPTY || result == READ_END)
    media->events.drained (media->is_closed, media->data);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  (void) fd;
  (void) condition;
  read_packets (data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_hasten (gpointer data)
{
  RecMediaSocket *media = data;

  drop_source (&media->hastening);
  if (media->source != NULL)
    read_packets (media);
  return G_SOURCE_REMOVE;
}

RecMediaSocket *
rec_media_socket_new (int fd, const RecMediaEvents *events, void *data)
{
  RecMediaSocket *media = g_new0 (RecMediaSocket, 1);

  media->fd = fd;
  media->events = *events;
  media->data = data;
  return media;
}

void
rec_media_socket_free (RecMediaSocket *media)
{
  if (media == NULL)
    return;
  drop_source (&media->source);
  drop_source (&media->hastening);
  rec_fd_close (&media->fd);
  g_free (media);
}

void
rec_media_socket_resume (RecMediaSocket *media)
{
  if (media->source != NULL || media->is_closed)
    return;
  media->source = g_unix_fd_source_new (media->fd, G_IO_IN | G_IO_HUP);
  g_source_set_callback (media->source, G_SOURCE_FUNC (on_readable), media, NULL);
  g_source_attach (media->source, NULL);
  rec_media_socket_hasten (media);
}

void
rec_media_socket_hasten (RecMediaSocket *media)
{
  if (media->hastening != NULL)
    return;
  media->hastening = g_idle_source_new ();
  g_source_set_priority (media->hastening, G_PRIORITY_DEFAULT);
  g_source_set_callback (media->hastening, on_hasten, media, NULL);
  g_source_attach (media->hastening, NULL);
}

bool
rec_media_socket_is_closed (const RecMediaSocket *media)
{
  return media->is_closed;
}
