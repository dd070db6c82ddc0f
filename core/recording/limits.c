/* limits.c - watches the age of a recording, and the size of its files, which is looked up on a thread. */
#define G_LOG_DOMAIN "rec.recording.limits"
#include "recording/limits.h"

#include <gio/gio.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/error.h"
#include "base/main-thread.h"
#include "recording/place.h"
#include "session/recording.h"

#define LOOK_EVERY_MS 1000

struct RecLimits {
  const RecConfig *config;
  const RecRecording *recording;
  RecLimitsReached reached; /* NULL once called */
  void *data;
  int64_t since_us;
  guint timer;
  GCancellable *looking; /* NULL: nobody looks for the size */
};

/* The smaller one of the two; 0 is no limit. */
static int64_t
get_limit (const RecConfig *config, const char *key, int64_t own)
{
  const int64_t common = rec_config_get_int (config, key);

  return own == 0 || (common > 0 && common < own) ? common : own;
}

static bool
check_one (const RecConfig *config, const char *key, const char *field, int64_t own, GError **error)
{
  const int64_t common = rec_config_get_int (config, key);

  if (common == 0 || own <= common)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_UNPROCESSABLE,
      "field \"%s\" must be at most %" G_GINT64_FORMAT ", as %s has it", field, common, key);
  return false;
}

bool
rec_limits_check (const RecConfig *config, const RecRecordingProperties *properties, GError **error)
{
  return check_one (config, "recording.max-duration-s", "maxDuration", properties->max_duration_s,
             error) &&
         check_one (config, "recording.max-size-bytes", "maxSize", properties->max_size, error);
}

static void
tell (RecLimits *limits, const char *reason, const char *text)
{
  RecLimitsReached reached = limits->reached;

  limits->reached = NULL;
  if (reached != NULL)
    reached (reason, text, limits->data);
}

/* --- size --------------------------------------------------------------------------------------------------- */

/* [thread] What the recording has written in its folder. */
static void
add_up (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data, GCancellable *cancellable)
{
  const RecRecording *recording = data;
  g_autoptr (GDir) folder = g_dir_open (recording->directory, 0, NULL);
  const char *name;
  gssize size = 0;

  while (folder != NULL && !g_cancellable_is_cancelled (cancellable) &&
         (name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *path = g_build_filename (recording->directory, name, NULL);
    struct stat info;

    if (rec_place_may_own (recording, name) && lstat (path, &info) == 0 && S_ISREG (info.st_mode))
      size += info.st_size;
  }
  g_task_return_int (task, size);
}

static void
on_added_up (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer data)
{
  GCancellable *looking = g_task_get_cancellable (G_TASK (result));
  RecLimits *limits = data;

  /* Cancelled: limits are gone. */
  if (g_cancellable_is_cancelled (looking))
    return;
  g_clear_object (&limits->looking);
  const int64_t max = get_limit (limits->config, "recording.max-size-bytes",
      limits->recording->properties->max_size);
  if (max == 0 || g_task_propagate_int (G_TASK (result), NULL) < max)
    return;
  g_autofree char *text =
      g_strdup_printf ("the recording was ended because its files have %" G_GINT64_FORMAT
                       " bytes (maxSize, recording.max-size-bytes)",
          max);
  tell (limits, "maxSizeReached", text);
}

/* A copy of what add_up reads: the recording may change, or go, meanwhile. It shares nothing, because its end may come
 * on the thread. */
static RecRecording *
copy_place (const RecRecording *recording)
{
  RecRecording *copy = rec_recording_new (recording->id, recording->session_id, recording->era,
      recording->properties, recording->created_at_ms);

  json_object_put (copy->properties->options);
  copy->properties->options = NULL;
  g_free (copy->name);
  copy->name = g_strdup (recording->name);
  copy->directory = g_strdup (recording->directory);
  return copy;
}

static void
look_for_size (RecLimits *limits)
{
  if (limits->looking != NULL || get_limit (limits->config, "recording.max-size-bytes",
                                     limits->recording->properties->max_size) == 0)
    return;
  limits->looking = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (NULL, limits->looking, on_added_up, limits);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, copy_place (limits->recording), (GDestroyNotify) rec_recording_unref);
  g_task_run_in_thread (task, add_up);
}

/* --- age ---------------------------------------------------------------------------------------------------- */

static void
look_at_age (RecLimits *limits)
{
  const int64_t max = get_limit (limits->config, "recording.max-duration-s",
      limits->recording->properties->max_duration_s);

  if (max == 0 || g_get_monotonic_time () - limits->since_us < max * G_USEC_PER_SEC)
    return;
  g_autofree char *text = g_strdup_printf ("the recording was ended after %" G_GINT64_FORMAT
                                           " s (maxDuration, recording.max-duration-s)",
      max);
  tell (limits, "maxDurationReached", text);
}

static gboolean
on_timer (gpointer data)
{
  RecLimits *limits = data;

  look_for_size (limits);
  look_at_age (limits); /* last: it may free limits */
  return G_SOURCE_CONTINUE;
}

RecLimits *
rec_limits_new (const RecConfig *config, const RecRecording *recording, RecLimitsReached reached,
    void *data)
{
  RecLimits *limits = g_new0 (RecLimits, 1);

  REC_ASSERT_MAIN ();
  limits->config = config;
  limits->recording = recording;
  limits->reached = reached;
  limits->data = data;
  limits->since_us = g_get_monotonic_time ();
  limits->timer = g_timeout_add (LOOK_EVERY_MS, on_timer, limits);
  return limits;
}

void
rec_limits_free (RecLimits *limits)
{
  if (limits == NULL)
    return;
  g_source_remove (limits->timer);
  if (limits->looking != NULL)
    g_cancellable_cancel (limits->looking);
  g_clear_object (&limits->looking);
  g_free (limits);
}
