/* sink-queue.c - bounded in time and bytes. */
#define G_LOG_DOMAIN "rec.worker.queue"
#include "worker/sink-queue.h"

void
rec_sink_item_free (RecSinkItem *item)
{
  if (item->packet != NULL)
    rec_encoded_packet_unref (item->packet);
  g_clear_pointer (&item->codec_data, g_bytes_unref);
  g_free (item->stream_id);
  g_free (item);
}

void
rec_sink_queue_init (RecSinkQueue *queue, uint32_t delivery, int64_t max_ns, int64_t max_bytes)
{
  *queue = (RecSinkQueue){ .delivery = delivery, .max_ns = max_ns, .max_bytes = max_bytes };
  g_queue_init (&queue->items);
}

void
rec_sink_queue_clear (RecSinkQueue *queue)
{
  g_queue_clear_full (&queue->items, (GDestroyNotify) rec_sink_item_free);
  queue->bytes = 0;
}

void
rec_sink_queue_add_track (RecSinkQueue *queue, const RecTrack *track, bool is_late)
{
  RecSinkItem *item = g_new0 (RecSinkItem, 1);

  item->track = *track;
  item->codec_data = g_bytes_new (track->codec_data, track->codec_data_size);
  item->track.stream_id = item->stream_id = g_strdup (track->stream_id);
  item->track.codec_data = g_bytes_get_data (item->codec_data, NULL);
  if (is_late)
    g_queue_push_tail (&queue->items, item);
  else
    g_queue_push_head (&queue->items, item);
  queue->n_tracks++;
  queue->has_video |= track->media == REC_MEDIA_VIDEO;
}

void
rec_sink_queue_end_track (RecSinkQueue *queue, uint32_t track_id, int64_t end_ns)
{
  RecSinkItem *item = g_new0 (RecSinkItem, 1);

  item->is_end = true;
  item->end_ns = end_ns;
  item->track.id = track_id;
  g_queue_push_tail (&queue->items, item);
}

bool
rec_sink_queue_is_full (const RecSinkQueue *queue, const RecEncodedPacket *packet)
{
  if (queue->bytes + packet->packet.data_size > queue->max_bytes)
    return true;
  for (const GList *link = queue->items.head; link != NULL; link = link->next) {
    const RecSinkItem *oldest = link->data;

    if (oldest->packet != NULL)
      return packet->packet.pts_ns - oldest->packet->packet.pts_ns > queue->max_ns;
  }
  return false;
}

static void
drop_packets (RecSinkQueue *queue)
{
  GList *link = queue->items.head;

  while (link != NULL) {
    GList *next = link->next;
    RecSinkItem *item = link->data;

    if (item->packet != NULL) {
      rec_sink_item_free (item);
      g_queue_delete_link (&queue->items, link);
      queue->n_dropped++;
    }
    link = next;
  }
  queue->bytes = 0;
}

/* Decoding can begin with it. */
static bool
is_entry (const RecSinkQueue *queue, const RecEncodedPacket *packet)
{
  return (packet->packet.flags & REC_PACKET_KEYFRAME) && (packet->is_video || !queue->has_video);
}

static RecEncodedPacket *
dup_discont (RecEncodedPacket *packet)
{
  RecEncodedPacket *copy = g_atomic_rc_box_new0 (RecEncodedPacket);

  copy->packet = packet->packet;
  copy->packet.flags |= REC_PACKET_DISCONT;
  copy->is_video = packet->is_video;
  copy->bytes = g_bytes_ref (packet->bytes);
  return copy;
}

static void
append (RecSinkQueue *queue, RecEncodedPacket *packet)
{
  RecSinkItem *item = g_new0 (RecSinkItem, 1);

  item->packet = queue->is_discont ? dup_discont (packet) : rec_encoded_packet_ref (packet);
  queue->is_discont = false;
  queue->bytes += packet->packet.data_size;
  g_queue_push_tail (&queue->items, item);
}

bool
rec_sink_queue_push (RecSinkQueue *queue, RecEncodedPacket *packet)
{
  bool wants_keyframe = false;

  if (queue->delivery == REC_DELIVERY_LIVE && rec_sink_queue_is_full (queue, packet)) {
    drop_packets (queue);
    queue->is_skipping = queue->is_discont = true;
    wants_keyframe = queue->has_video;
  }
  if (queue->is_skipping && is_entry (queue, packet))
    queue->is_skipping = false;
  if (queue->is_skipping)
    queue->n_dropped++;
  else
    append (queue, packet);
  return wants_keyframe;
}

RecSinkItem *
rec_sink_queue_pop (RecSinkQueue *queue)
{
  RecSinkItem *item = g_queue_pop_head (&queue->items);

  if (item != NULL && item->packet != NULL)
    queue->bytes -= item->packet->packet.data_size;
  return item;
}
