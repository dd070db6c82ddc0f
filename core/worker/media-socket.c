/* media-socket.c - one end of a SEQPACKET pair on the main loop. */
#define _GNU_SOURCE /* recvmmsg */
#define G_LOG_DOMAIN "rec.worker.media"
#include "worker/media-socket.h"

#include "base/fd.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>

#define PACKETS_PER_TURN 64
#define BATCH 16

struct RecMediaSocket {
  int fd;
  GSource *source; /* NULL while nothing is to be read */
  GSource *hastening;
  GSource *pausing; /* in place of source: looks again and again, as long as there is something */
  int pause_ms;
  bool is_closed;
  RecMediaEvents events;
  void *data;
  /* What was received and not handed over yet: sizes and bytes. */
  unsigned n_waiting, next;
  size_t sizes[BATCH];
  uint8_t messages[BATCH][REC_WIRE_PACKET_MAX + 1];
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
receive (RecMediaSocket *media)
{
  struct mmsghdr headers[BATCH] = { 0 };
  struct iovec parts[BATCH];
  int n;

  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){ media->messages[i], sizeof media->messages[i] };
    headers[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
  }
  n = recvmmsg (media->fd, headers, BATCH, MSG_DONTWAIT, NULL);
  if (n < 0 && errno == EINTR)
    return READ_MORE;
  if (n < 0 && errno == EAGAIN)
    return READ_EMPTY;
  if (n <= 0)
    return READ_END;
  media->n_waiting = (unsigned) n;
  media->next = 0;
  for (int i = 0; i < n; i++)
    media->sizes[i] = headers[i].msg_len;
  media->events.arrived (media->data);
  return READ_MORE;
}

/* There would have been more in it if there were more. */
static ReadResult
forget_batch (RecMediaSocket *media)
{
  media->n_waiting = media->next = 0;
  return READ_EMPTY;
}

static ReadResult
read_packet (RecMediaSocket *media)
{
  const unsigned next = media->next;
  RecWirePacketHeader header;
  const uint8_t *rtp;

  if (next == media->n_waiting)
    return next > 0 && next < BATCH ? forget_batch (media) : receive (media);
  media->next++;
  if (media->sizes[next] == 0) /* its end, as often as one reads on */
    return READ_END;
  if (rec_wire_packet_parse (media->messages[next], media->sizes[next], &header, &rtp))
    return media->events.packet (&header, rtp, media->data) ? READ_MORE : READ_FULL;
  media->events.broken (media->data);
  return READ_MORE;
}

static gboolean on_readable (int fd, GIOCondition condition, gpointer data);
static gboolean on_pause_over (gpointer data);

static void
start_reading (RecMediaSocket *media)
{
  drop_source (&media->pausing);
  media->source = g_unix_fd_source_new (media->fd, G_IO_IN | G_IO_HUP);
  g_source_set_callback (media->source, G_SOURCE_FUNC (on_readable), media, NULL);
  g_source_attach (media->source, NULL);
}

static void
start_pause (RecMediaSocket *media)
{
  drop_source (&media->source);
  media->pausing = g_timeout_source_new ((unsigned) media->pause_ms);
  g_source_set_priority (media->pausing, G_PRIORITY_DEFAULT);
  g_source_set_callback (media->pausing, on_pause_over, media, NULL);
  g_source_attach (media->pausing, NULL);
}

/* One timer that goes on, since each source that comes or goes wakes the loop once more. */
static void
choose_pace (RecMediaSocket *media, bool is_busy)
{
  if (is_busy && media->pausing == NULL && media->pause_ms > 0)
    start_pause (media);
  if (!is_busy && media->pausing != NULL)
    start_reading (media);
}

static void
read_packets (RecMediaSocket *media)
{
  ReadResult result = READ_MORE;
  int n = 0;

  for (; n < PACKETS_PER_TURN && result == READ_MORE; n++)
    result = read_packet (media);
  if (result == READ_MORE)
    rec_media_socket_hasten (media); /* it may be empty now, and nobody would notice */
  if (result == READ_EMPTY)
    choose_pace (media, n > 1);
  if (result == READ_END)
    media->is_closed = true;
  if (result == READ_FULL || result == READ_END) {
    drop_source (&media->source);
    drop_source (&media->pausing);
  }
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
on_pause_over (gpointer data)
{
  read_packets (data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_hasten (gpointer data)
{
  RecMediaSocket *media = data;

  drop_source (&media->hastening);
  if (media->source != NULL || media->pausing != NULL)
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
  drop_source (&media->pausing);
  rec_fd_close (&media->fd);
  g_free (media);
}

void
rec_media_socket_resume (RecMediaSocket *media)
{
  if (media->source != NULL || media->pausing != NULL || media->is_closed)
    return;
  start_reading (media);
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

void
rec_media_socket_set_pause (RecMediaSocket *media, int pause_ms)
{
  media->pause_ms = pause_ms;
}

bool
rec_media_socket_is_closed (const RecMediaSocket *media)
{
  return media->is_closed;
}
