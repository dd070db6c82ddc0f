/* feed.h - one stream into one recording: the bounded queue before the worker's media socket.
 *
 * rec_feed_pipe_* and rec_feed_* of router.h are here too. */
#ifndef REC_MEDIA_FEED_H
#define REC_MEDIA_FEED_H

#include "base/types.h"
#include "media/publisher.h"
#include "media/router.h"

/* [main] publisher is the one that is asked for keyframes; may be NULL in tests. Not yet among its outputs. */
RecFeed *rec_feed_new (RecFeedPipe *pipe, RecPublisher *publisher, uint32_t audio_track_id,
    uint32_t video_track_id);
void rec_feed_free (RecFeed *feed); /* [main] what it has queued is dropped */

RecOutput *rec_feed_get_output (RecFeed *feed);
RecPublisher *rec_feed_get_publisher (RecFeed *feed);
/* [any] Bytes that wait because the socket is full. */
size_t rec_feed_get_queued_bytes (RecFeed *feed);

#endif
