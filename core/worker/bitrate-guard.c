/* bitrate-guard.c - one leaky bucket, and windows in which calm is looked for. */
#include "worker/bitrate-guard.h"

#include "worker/timeline.h"

#include <glib.h>

#define CALM_NS (10 * REC_NS_PER_SECOND)
/* A constant quantizer takes up to twice as much as a rate factor where all moves. */
#define CALM_SHARE 0.5

void
rec_bitrate_guard_init (RecBitrateGuard *guard, int max_kbit_s)
{
  *guard = (RecBitrateGuard){ .max_bits = 1000.0 * max_kbit_s };
}

static void
fill_bucket (RecBitrateGuard *guard, int64_t passed_ns, int64_t now_ns, double bits)
{
  const double leaked = guard->max_bits * (double) passed_ns / REC_NS_PER_SECOND;

  guard->level_bits = MAX (guard->level_bits - leaked, 0) + bits;
  if (guard->level_bits <= guard->max_bits)
    return;
  guard->is_over = true;
  guard->window_ns = now_ns;
  guard->window_bits = 0;
}

static void
look_for_calm (RecBitrateGuard *guard, int64_t now_ns, double bits)
{
  const int64_t window_ns = now_ns - guard->window_ns;

  if (window_ns < CALM_NS) {
    guard->window_bits += bits;
    return;
  }
  guard->is_over = guard->window_bits >
                   CALM_SHARE * guard->max_bits * (double) window_ns / REC_NS_PER_SECOND;
  guard->window_ns = now_ns;
  guard->window_bits = bits;
  guard->level_bits = 0;
}

void
rec_bitrate_guard_note (RecBitrateGuard *guard, int64_t pts_ns, size_t n_bytes)
{
  const double bits = 8.0 * (double) n_bytes;
  const int64_t now_ns = MAX (pts_ns, guard->last_ns);
  const int64_t passed_ns = now_ns - guard->last_ns;

  guard->last_ns = now_ns;
  if (guard->is_over)
    look_for_calm (guard, now_ns, bits);
  else
    fill_bucket (guard, passed_ns, now_ns, bits);
}

bool
rec_bitrate_guard_is_over (const RecBitrateGuard *guard)
{
  return guard->is_over;
}
