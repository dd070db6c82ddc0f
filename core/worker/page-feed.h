/* page-feed.h - the page's pictures and sound on their way into the recorder: held back until it is shown. [main] */
#ifndef REC_WORKER_PAGE_FEED_H
#define REC_WORKER_PAGE_FEED_H

#include "worker/recorder.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct RecPageFeed RecPageFeed;

RecPageFeed *rec_page_feed_new (bool has_video);
void rec_page_feed_free (RecPageFeed *feed);

/* Both borrowed. Pictures since the last keyframe are kept, so that the recording can begin with any. */
void rec_page_feed_take_picture (RecPageFeed *feed, GBytes *picture, int64_t pts_ns,
    bool is_keyframe);
void rec_page_feed_take_sound (RecPageFeed *feed, GBytes *samples, int rate, int64_t pts_ns,
    bool is_discont);
bool rec_page_feed_has_picture (const RecPageFeed *feed);

/* The recorder runs: the tracks are added, and what is shown goes there. */
void rec_page_feed_begin (RecPageFeed *feed, RecRecorder *recorder, int64_t start_ns);
/* Nothing goes there until it is resumed; the recorder holds the last picture. */
void rec_page_feed_pause (RecPageFeed *feed);
/* True: it had been paused after the beginning, from and to these file times. */
bool rec_page_feed_resume (RecPageFeed *feed, int64_t *from_ns, int64_t *to_ns);
/* The tracks end. */
void rec_page_feed_end (RecPageFeed *feed);

#endif
