/* patience.c - deadlines wait for a ZIP that grows and for files that are read, but not for ever. */
#define G_LOG_DOMAIN "rec.recording.patience"
#include "recording/patience.h"

#include "base/config.h"
#include "base/json.h"

#include <glib.h>

static bool
is_within (int64_t *since_us, int64_t most_s)
{
  const int64_t now_us = g_get_monotonic_time ();

  if (*since_us == 0)
    *since_us = now_us;
  return now_us - *since_us <= most_s * G_USEC_PER_SEC;
}

bool
rec_patience_hears (RecPatience *patience, const RecConfig *config, json_object *message)
{
  const int64_t n_bytes = rec_json_int_or (message, "bytes", 0);

  if (!rec_json_has (message, "bytes"))
    return is_within (&patience->recover_us,
        rec_config_get_int (config, "recording.recover-limit-s"));
  if (n_bytes <= patience->n_bytes)
    return false;
  patience->n_bytes = n_bytes;
  return is_within (&patience->zip_us, rec_config_get_int (config, "recording.zip-timeout-s"));
}
