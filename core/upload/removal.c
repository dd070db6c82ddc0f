/* removal.c - removes an upload's files on a thread. */
#define G_LOG_DOMAIN "rec.upload.removal"
#include "upload/removal.h"

#include "base/error.h"

#include <errno.h>
#include <gio/gio.h>
#include <unistd.h>

typedef struct {
  GPtrArray *paths;
  RecRemovalDone done;
  void *data;
} Removal;

static void
free_removal (void *data)
{
  Removal *removal = data;

  g_ptr_array_unref (removal->paths);
  g_free (removal);
}

/* [its thread] */
static void
remove_all (GTask *task, void *source G_GNUC_UNUSED, void *data,
    GCancellable *cancellable G_GNUC_UNUSED)
{
  const Removal *removal = data;

  for (guint i = 0; i < removal->paths->len; i++) {
    const char *path = removal->paths->pdata[i];
    if (unlink (path) == 0 || errno == ENOENT)
      continue;
    g_task_return_new_error (task, REC_ERROR, REC_ERROR_FAILED, "cannot remove '%s': %s", path,
        g_strerror (errno));
    return;
  }
  g_task_return_boolean (task, TRUE);
}

static void
on_removed (GObject *source G_GNUC_UNUSED, GAsyncResult *result, void *data G_GNUC_UNUSED)
{
  const Removal *removal = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;

  g_task_propagate_boolean (G_TASK (result), &error);
  removal->done (error, removal->data);
}

void
rec_removal_run (GPtrArray *paths, RecRemovalDone done, void *data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_removed, NULL);
  Removal *removal = g_new (Removal, 1);

  *removal = (Removal){ paths, done, data };
  g_task_set_task_data (task, removal, free_removal);
  g_task_run_in_thread (task, remove_all);
}
