/* page-clock.c - one shift for the pictures, one for the sound. */
#define G_LOG_DOMAIN "rec.worker.page"
#include "worker/page-clock.h"

#include <glib.h>

#define ABSURD_US (2 * G_USEC_PER_SEC)
#define WINDOW_US (5 * G_USEC_PER_SEC)
#define JUMP_US (500 * 1000) /* a machine that is too slow makes all ways longer, but not by that */
/* What was measured most often, between the arrival of a block and the picture of the same moment. */
#define USUAL_LATENCY_US (50 * 1000)

int64_t
rec_page_clock_place_picture (RecPageClock *clock, int64_t timestamp_us, int64_t now_us)
{
  const int64_t age_us = now_us - timestamp_us;

  if (!clock->has_picture && ABS (age_us) > ABSURD_US)
    clock->picture_shift_us = age_us; /* another clock: then arrival must do */
  clock->has_picture = true;
  return (timestamp_us + clock->picture_shift_us) * 1000;
}

static void
look_for_jump (RecPageClock *clock, int64_t now_us, bool *is_jump)
{
  const int64_t off_us = clock->shortest_us - clock->reference_us;

  *is_jump = clock->is_measured && ABS (off_us) > JUMP_US;
  if (*is_jump)
    clock->sound_shift_us += off_us;
  if (*is_jump || !clock->is_measured)
    clock->reference_us = clock->shortest_us;
  clock->window_us = now_us;
}

int64_t
rec_page_clock_place_sound (RecPageClock *clock, int64_t timestamp_us, int64_t now_us,
    bool *is_jump)
{
  const int64_t way_us = now_us - timestamp_us;

  *is_jump = false;
  if (!clock->has_sound) {
    clock->has_sound = true;
    clock->window_us = now_us;
    clock->shortest_us = clock->reference_us = way_us;
  } else if (now_us - clock->window_us >= WINDOW_US) {
    look_for_jump (clock, now_us, is_jump);
    clock->shortest_us = way_us;
  }
  clock->shortest_us = MIN (clock->shortest_us, way_us);
  if (!clock->is_measured)
    clock->reference_us = MIN (clock->reference_us, way_us);
  return (timestamp_us + (clock->is_measured ? clock->sound_shift_us
                                             : clock->reference_us - USUAL_LATENCY_US)) *
         1000;
}

void
rec_page_clock_set_difference (RecPageClock *clock, int64_t difference_us)
{
  clock->is_measured = true;
  clock->sound_shift_us = difference_us + clock->picture_shift_us;
}
