/* page-clock.h - the times of a captured page, mapped to CLOCK_MONOTONIC. Pure arithmetic. [any]
 *
 * Pictures come with microseconds of CLOCK_MONOTONIC. Sound comes with those of a clock that starts anywhere, and what it
 * is late differs from one browser to the next: a flash and a beep before the start measure it. From then on the
 * shortest way of a block to us tells when that clock jumps. */
#ifndef REC_WORKER_PAGE_CLOCK_H
#define REC_WORKER_PAGE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  bool has_picture, has_sound, is_measured;
  int64_t picture_shift_us; /* 0 as long as pictures have the clock that they should */
  int64_t sound_shift_us;   /* what is added to the sound's times */
  int64_t shortest_us;      /* arrival less the sound's time, in this window */
  int64_t reference_us;     /* the same, when the shift was found */
  int64_t window_us;        /* when the window began */
} RecPageClock;

/* Both times in nanoseconds; *is_jump: the sound's clock has jumped since the last block. */
int64_t rec_page_clock_place_picture (RecPageClock *clock, int64_t timestamp_us, int64_t now_us);
int64_t rec_page_clock_place_sound (RecPageClock *clock, int64_t timestamp_us, int64_t now_us,
    bool *is_jump);
/* The sound's clock is behind the picture's by that much. */
void rec_page_clock_set_difference (RecPageClock *clock, int64_t difference_us);

#endif
