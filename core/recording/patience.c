/* patience.c - deadlines wait for a ZIP that grows, but not for ever. */
#define G_LOG_DOMAIN "rec.recording.patience"
#include "recording/patience.h"

#include "base/config.h"

#include <glib.h>

bool
rec_patience_grows (RecPatience *patience, const RecConfig *config, int64_t n_bytes)
{
  const int64_t now_us = g_get_monotonic_time ();
  const int64_t most_us = rec_config_get_int (config, "recording.zip-timeout-s") * G_USEC_PER_SEC;

  if (n_bytes <= patience->n_bytes)
    return false;
  patience->n_bytes = n_bytes;
  if (patience->since_us == 0)
    patience->since_us = now_us;
  return now_us - patience->since_us <= most_us;
}
