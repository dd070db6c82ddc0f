/* sink-queue.h - tracks and packets that wait for one sink, and what is dropped when there are too many. No lock. */
#ifndef REC_WORKER_SINK_QUEUE_H
#define REC_WORKER_SINK_QUEUE_H

#include "worker/encoder.h"

#include <glib.h>
#include <recto/sink.h>
#include <stdbool.h>

typedef struct {
  RecEncodedPacket *packet; /* NULL: a track, or its end */
  bool is_end;
  int64_t end_ns;
  RecTrack track;     /* of an end: its id alone */
  GBytes *codec_data; /* of the track */
  char *stream_id;    /* of the track; NULL: composed */
} RecSinkItem;

void rec_sink_item_free (RecSinkItem *item);

typedef struct {
  uint32_t delivery; /* REC_DELIVERY_* */
  int64_t max_ns, max_bytes;
  GQueue items; /* of RecSinkItem */
  int64_t bytes;
  unsigned n_tracks; /* added so far */
  bool has_video;
  bool is_skipping; /* live: up to the next keyframe */
  bool is_discont;
  uint64_t n_dropped;
} RecSinkQueue;

void rec_sink_queue_init (RecSinkQueue *queue, uint32_t delivery, int64_t max_ns,
    int64_t max_bytes);
void rec_sink_queue_clear (RecSinkQueue *queue);

/* Copied; comes out before all packets, or (is_late) after those that are in already. */
void rec_sink_queue_add_track (RecSinkQueue *queue, const RecTrack *track, bool is_late);
void rec_sink_queue_end_track (RecSinkQueue *queue, uint32_t track_id, int64_t end_ns);
bool rec_sink_queue_is_full (const RecSinkQueue *queue, const RecEncodedPacket *packet);
/* A full LIVE queue drops what it holds, and on to the next keyframe: true once, when one should be asked for. A
 * LOSSLESS one takes everything: look at is_full first. */
bool rec_sink_queue_push (RecSinkQueue *queue, RecEncodedPacket *packet);
/* NULL when empty. */
RecSinkItem *rec_sink_queue_pop (RecSinkQueue *queue);

#endif
