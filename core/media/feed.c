/* feed.c - hands packets to a recording's worker without ever waiting for it.
 *
 * A packet goes straight into the socket. While the socket is full, packets wait in their feed's queue and a
 * thread of the pipe sends them on. A queue that is full loses its video up to the next keyframe, audio last. */
#define G_LOG_DOMAIN "rec.media.feed"
#include "media/feed.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/lock.h"
#include "wire/packet.h"

/* A message that waits. */
typedef struct {
  GList link; /* in the feed's queue */
  RecTrackKind kind;
  uint64_t order; /* of all messages of the pipe */
  int64_t queued_at_ms;
  size_t size;
  uint8_t data[]; /* header and packet */
} Message;

struct RecFeedPipe {
  int fd, wake_fd;
  int64_t max_ms;
  size_t max_bytes;
  GThread *thread;
  RecLock lock;     /* guards all below, and the feeds' fields that say so */
  GPtrArray *feeds; /* of RecFeed, borrowed */
  uint64_t n_messages;
  size_t queued_bytes;
  bool is_quitting, is_broken /* the worker is gone */;
};

typedef struct {
  uint32_t id;           /* 0: left out */
  bool is_discontinuous; /* something is missing before the next packet */
} Track;

struct RecFeed {
  RecOutput output;
  RecFeedPipe *pipe;
  RecPublisher *publisher; /* a reference */
  /* guarded by the pipe's lock: */
  Track audio, video;
  bool is_skipping; /* video, up to the next keyframe */
  GQueue queue;     /* of Message */
  size_t queued_bytes;
  RecFeedStats stats;
};

/* --- sending: with the pipe's lock held ------------------------------------------------------------------- */

typedef enum {
  SENT = 1,
  FULL,
  BROKEN,
} SendResult;

static SendResult
send_parts (RecFeedPipe *pipe, struct iovec *parts, size_t n_parts)
{
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = n_parts };
  ssize_t sent;

  do
    sent = sendmsg (pipe->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0)
    return SENT;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? FULL : BROKEN;
}

static void
note_sent (RecFeed *feed, size_t size)
{
  feed->stats.sent++;
  feed->stats.bytes += size;
}

static void
take_message (RecFeed *feed, Message *message)
{
  g_queue_unlink (&feed->queue, &message->link);
  feed->queued_bytes -= message->size;
  feed->pipe->queued_bytes -= message->size;
}

static void
drop_message (RecFeed *feed, Message *message)
{
  take_message (feed, message);
  feed->stats.dropped++;
  g_free (message);
}

static void
drop_all (RecFeed *feed)
{
  while (feed->queue.head != NULL)
    drop_message (feed, feed->queue.head->data);
}

static void
break_pipe (RecFeedPipe *pipe)
{
  pipe->is_broken = true;
  for (unsigned i = 0; i < pipe->feeds->len; i++)
    drop_all (pipe->feeds->pdata[i]);
}

/* The feed whose first message has waited longest. */
static RecFeed *
find_next_feed (RecFeedPipe *pipe)
{
  RecFeed *next = NULL;
  uint64_t order = UINT64_MAX;

  for (unsigned i = 0; i < pipe->feeds->len; i++) {
    RecFeed *feed = pipe->feeds->pdata[i];
    const Message *first = feed->queue.head != NULL ? feed->queue.head->data : NULL;

    if (first != NULL && first->order < order) {
      order = first->order;
      next = feed;
    }
  }
  return next;
}

static void
send_queued (RecFeedPipe *pipe)
{
  RecFeed *feed;

  while (!pipe->is_broken && (feed = find_next_feed (pipe)) != NULL) {
    Message *message = feed->queue.head->data;
    struct iovec part = { message->data, message->size };
    SendResult result = send_parts (pipe, &part, 1);

    if (result == FULL)
      return;
    if (result == BROKEN) {
      break_pipe (pipe);
      return;
    }
    note_sent (feed, message->size);
    take_message (feed, message);
    g_free (message);
  }
}

/* --- the queue: with the pipe's lock held ------------------------------------------------------------------- */

static bool
is_over (const RecFeed *feed, size_t more_bytes, int64_t now_ms)
{
  const Message *first = feed->queue.head != NULL ? feed->queue.head->data : NULL;

  if (first == NULL)
    return false;
  return feed->queued_bytes + more_bytes > feed->pipe->max_bytes ||
         now_ms - first->queued_at_ms > feed->pipe->max_ms;
}

static void
set_flag (Message *message, uint32_t flag)
{
  RecWirePacketHeader header;

  memcpy (&header, message->data, sizeof header);
  header.flags |= flag;
  memcpy (message->data, &header, sizeof header);
}

/* Everything of video goes, up to the next keyframe: what follows a hole can't be decoded anyway. */
static void
drop_video (RecFeed *feed)
{
  for (GList *link = feed->queue.head, *next; link != NULL; link = next) {
    Message *message = link->data;

    next = link->next;
    if (message->kind == REC_TRACK_VIDEO)
      drop_message (feed, message);
  }
  feed->is_skipping = feed->video.id != 0;
  feed->video.is_discontinuous = true;
}

static void
drop_oldest_audio (RecFeed *feed)
{
  Message *next;

  drop_message (feed, feed->queue.head->data);
  next = feed->queue.head != NULL ? feed->queue.head->data : NULL;
  if (next != NULL)
    set_flag (next, REC_WIRE_PACKET_DISCONT);
  else
    feed->audio.is_discontinuous = true;
}

/* Returns whether video was dropped. */
static bool
make_room (RecFeed *feed, size_t bytes, int64_t now_ms)
{
  bool has_dropped = false;

  if (is_over (feed, bytes, now_ms) && !feed->is_skipping) {
    drop_video (feed);
    has_dropped = feed->video.id != 0;
  }
  while (is_over (feed, bytes, now_ms))
    drop_oldest_audio (feed);
  return has_dropped;
}

static void
queue_message (RecFeed *feed, RecTrackKind kind, const struct iovec *parts, int64_t now_ms)
{
  size_t size = parts[0].iov_len + parts[1].iov_len + parts[2].iov_len;
  Message *message = g_malloc (sizeof *message + size);
  uint8_t *end = message->data;

  *message = (Message){ .link = { .data = message },
    .kind = kind,
    .order = feed->pipe->n_messages++,
    .queued_at_ms = now_ms,
    .size = size };
  for (unsigned i = 0; i < 3; i++) {
    memcpy (end, parts[i].iov_base, parts[i].iov_len);
    end += parts[i].iov_len;
  }
  g_queue_push_tail_link (&feed->queue, &message->link);
  feed->queued_bytes += size;
  if (feed->pipe->queued_bytes == 0)
    eventfd_write (feed->pipe->wake_fd, 1);
  feed->pipe->queued_bytes += size;
}

/* --- [streaming] packets --------------------------------------------------------------------------------------- */

static void
drop_packet (RecFeed *feed, Track *track)
{
  track->is_discontinuous = true;
  feed->stats.dropped++;
}

/* Video that was dropped comes back with a keyframe, once there is room for it. */
static bool
goes_on (RecFeed *feed, const RecRtpPacket *packet, size_t size, int64_t now_ms)
{
  if (packet->kind != REC_TRACK_VIDEO || !feed->is_skipping)
    return true;
  if (!packet->is_keyframe || is_over (feed, size, now_ms))
    return false;
  feed->is_skipping = false;
  return true;
}

static void
write_packet (RecFeed *feed, const RecRtpPacket *packet, Track *track, int64_t now_ms)
{
  RecFeedPipe *pipe = feed->pipe;
  uint8_t rtp[REC_RTP_HEADER_SIZE];
  RecWirePacketHeader header = { .magic = REC_WIRE_PACKET_MAGIC,
    .track_id = track->id,
    .flags = track->is_discontinuous ? REC_WIRE_PACKET_DISCONT : 0,
    .size = (uint32_t) (sizeof rtp + packet->payload_size),
    .pts_ns = packet->pts_ns };
  struct iovec parts[] = { { &header, sizeof header }, { rtp, sizeof rtp },
    { (void *) packet->payload, packet->payload_size } };
  SendResult result = FULL;

  rec_rtp_write_header (packet, rtp);
  track->is_discontinuous = false;
  if (pipe->queued_bytes == 0)
    result = send_parts (pipe, parts, G_N_ELEMENTS (parts));
  if (result == SENT)
    note_sent (feed, sizeof header + header.size);
  else if (result == FULL)
    queue_message (feed, packet->kind, parts, now_ms);
  else
    break_pipe (pipe);
}

/* Returns whether a keyframe is needed. */
static bool
take_packet (RecFeed *feed, const RecRtpPacket *packet)
{
  REC_LOCKED (&feed->pipe->lock);
  Track *track = packet->kind == REC_TRACK_AUDIO ? &feed->audio : &feed->video;
  size_t size = sizeof (RecWirePacketHeader) + REC_RTP_HEADER_SIZE + packet->payload_size;
  int64_t now_ms = g_get_monotonic_time () / 1000;
  bool was_skipping = feed->is_skipping, has_dropped;

  if (track->id == 0)
    return false;
  if (packet->n_lost > 0 || packet->is_new_source)
    track->is_discontinuous = true;
  if (size > REC_WIRE_PACKET_MAX || feed->pipe->is_broken) {
    drop_packet (feed, track);
    return false;
  }
  has_dropped = packet->kind == REC_TRACK_AUDIO || !was_skipping ? make_room (feed, size, now_ms)
                                                                 : false;
  if (!goes_on (feed, packet, size, now_ms)) {
    drop_packet (feed, track);
    return has_dropped || !is_over (feed, size, now_ms);
  }
  write_packet (feed, packet, track, now_ms);
  return has_dropped;
}

static void
on_packet (RecOutput *output, const RecRtpPacket *packet)
{
  RecFeed *feed = (RecFeed *) output;

  if (take_packet (feed, packet))
    rec_feed_request_keyframe (feed);
}

/* --- the pipe's thread -------------------------------------------------------------------------------------------- */

/* Returns what to wait for, or -1 to end. */
static int
do_round (RecFeedPipe *pipe)
{
  REC_LOCKED (&pipe->lock);

  if (pipe->is_quitting)
    return -1;
  send_queued (pipe);
  return pipe->queued_bytes > 0 ? POLLOUT : 0;
}

static void *
run_pipe (void *data)
{
  RecFeedPipe *pipe = data;
  int events;

  while ((events = do_round (pipe)) >= 0) {
    struct pollfd fds[] = { { pipe->wake_fd, POLLIN, 0 },
      { events != 0 ? pipe->fd : -1, (short) events, 0 } };
    eventfd_t count;

    if (poll (fds, G_N_ELEMENTS (fds), -1) > 0 && fds[0].revents != 0)
      eventfd_read (pipe->wake_fd, &count);
  }
  return NULL;
}

RecFeedPipe *
rec_feed_pipe_new (const RecConfig *config, int media_fd, GError **error)
{
  g_autoptr (GError) reason = NULL;
  int wanted = (int) rec_config_get_int (config, "media.socket-buffer-bytes");
  rec_autofd int fd = media_fd;
  int given = rec_fd_set_send_buffer (fd, wanted, error);

  if (given < 0)
    return NULL;
  /* The kernel counts its own overhead too, and says twice what was asked. */
  if (given < 2 * wanted)
    g_info ("the media socket's buffer has %d of %d bytes; raise net.core.wmem_max", given / 2,
        wanted);

  RecFeedPipe *pipe = g_new0 (RecFeedPipe, 1);

  rec_lock_init (&pipe->lock);
  pipe->fd = rec_fd_steal (&fd);
  pipe->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  pipe->max_ms = rec_config_get_int (config, "media.feed-max-ms");
  pipe->max_bytes = (size_t) rec_config_get_int (config, "media.feed-max-bytes");
  pipe->feeds = g_ptr_array_new ();
  if (pipe->wake_fd >= 0)
    pipe->thread = g_thread_try_new ("rec-feed", run_pipe, pipe, &reason);
  if (pipe->thread == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE, "cannot feed a recording: %s",
        reason != NULL ? reason->message : g_strerror (errno));
    g_clear_pointer (&pipe, rec_feed_pipe_free);
  }
  return pipe;
}

void
rec_feed_pipe_free (RecFeedPipe *pipe)
{
  if (pipe == NULL)
    return;
  g_assert (pipe->feeds->len == 0);
  {
    REC_LOCKED (&pipe->lock);
    pipe->is_quitting = true;
  }
  if (pipe->thread != NULL) {
    eventfd_write (pipe->wake_fd, 1);
    g_thread_join (pipe->thread);
  }
  rec_fd_close (&pipe->fd);
  rec_fd_close (&pipe->wake_fd);
  rec_lock_clear (&pipe->lock);
  g_ptr_array_unref (pipe->feeds);
  g_free (pipe);
}

/* --- feeds ------------------------------------------------------------------------------------------------------------ */

RecFeed *
rec_feed_new (RecFeedPipe *pipe, RecPublisher *publisher, uint32_t audio_track_id,
    uint32_t video_track_id)
{
  RecFeed *feed = g_new0 (RecFeed, 1);

  feed->output.packet = on_packet;
  feed->pipe = pipe;
  feed->publisher = publisher != NULL ? rec_publisher_ref (publisher) : NULL;
  feed->audio.id = audio_track_id;
  feed->video.id = video_track_id;
  REC_LOCKED (&pipe->lock);
  g_ptr_array_add (pipe->feeds, feed);
  return feed;
}

static void
leave_pipe (RecFeed *feed)
{
  REC_LOCKED (&feed->pipe->lock);

  drop_all (feed);
  g_ptr_array_remove_fast (feed->pipe->feeds, feed);
}

void
rec_feed_free (RecFeed *feed)
{
  if (feed == NULL)
    return;
  leave_pipe (feed);
  rec_publisher_unref (feed->publisher);
  g_free (feed);
}

RecOutput *
rec_feed_get_output (RecFeed *feed)
{
  return &feed->output;
}

RecPublisher *
rec_feed_get_publisher (RecFeed *feed)
{
  return feed->publisher;
}

size_t
rec_feed_get_queued_bytes (RecFeed *feed)
{
  REC_LOCKED (&feed->pipe->lock);

  return feed->queued_bytes;
}

void
rec_feed_request_keyframe (RecFeed *feed)
{
  if (feed->publisher != NULL && !rec_publisher_request_keyframe (feed->publisher))
    return;
  REC_LOCKED (&feed->pipe->lock);
  feed->stats.keyframe_requests++;
}

void
rec_feed_get_stats (RecFeed *feed, RecFeedStats *stats)
{
  REC_LOCKED (&feed->pipe->lock);

  *stats = feed->stats;
}
