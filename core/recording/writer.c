/* writer.c - a queue of small files and the thread that writes them. */
#define G_LOG_DOMAIN "rec.recording.writer"
#include "recording/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/lock.h"
#include "base/path.h"

typedef enum {
  TASK_INVALID = 0,
  TASK_PUT,
  TASK_REMOVE,
  TASK_FLUSH,
  TASK_END,
} TaskKind;

typedef struct {
  TaskKind kind;
  char *path, *text;
  unsigned mode;
  RecWriterDone done;
  void *data;
  GAsyncQueue *reply; /* of FLUSH, borrowed */
  GError *error;
} Task;

struct RecWriter {
  int64_t owner;
  GThread *thread;
  GAsyncQueue *tasks; /* of Task */
  RecLock lock;
  struct {
    GQueue finished; /* of Task, to be reported */
    guint idle;
  } locked; /* by lock */
};

static void
free_task (void *data)
{
  Task *task = data;

  g_free (task->path);
  g_free (task->text);
  g_clear_error (&task->error);
  g_free (task);
}

static gboolean
report (gpointer data)
{
  RecWriter *writer = data;
  GQueue finished;
  Task *task;

  {
    REC_LOCKED (&writer->lock);
    finished = writer->locked.finished;
    g_queue_init (&writer->locked.finished);
    writer->locked.idle = 0;
  }
  while ((task = g_queue_pop_head (&finished)) != NULL) {
    task->done (task->error, task->data);
    free_task (task);
  }
  return G_SOURCE_REMOVE;
}

static void
put (RecWriter *writer, Task *task)
{
  if (!rec_path_write_file (task->path, task->text, strlen (task->text), task->mode, &task->error))
    return;
  bool is_private = (task->mode & 077) == 0;
  if (!is_private && writer->owner >= 0 &&
      chown (task->path, (uid_t) writer->owner, (gid_t) -1) != 0)
    g_warning ("cannot give '%s' to user %d: %s; it stays ours", task->path, (int) writer->owner,
        g_strerror (errno));
}

static void
take_away (const Task *task)
{
  if (unlink (task->path) != 0 && errno != ENOENT)
    g_warning ("cannot remove '%s': %s; leaving it", task->path, g_strerror (errno));
}

static void
finish (RecWriter *writer, Task *task)
{
  if (task->done == NULL) {
    if (task->error != NULL)
      g_warning ("%s", task->error->message);
    free_task (task);
    return;
  }
  REC_LOCKED (&writer->lock);
  g_queue_push_tail (&writer->locked.finished, task);
  if (writer->locked.idle == 0)
    writer->locked.idle = g_idle_add_full (G_PRIORITY_DEFAULT, report, writer, NULL);
}

static void *
work (void *data)
{
  RecWriter *writer = data;

  for (;;) {
    Task *task = g_async_queue_pop (writer->tasks);
    TaskKind kind = task->kind;

    if (kind == TASK_PUT)
      put (writer, task);
    else if (kind == TASK_REMOVE)
      take_away (task);
    else if (kind == TASK_FLUSH)
      g_async_queue_push (task->reply, writer);
    finish (writer, task);
    if (kind == TASK_END)
      return NULL;
  }
}

RecWriter *
rec_writer_new (int64_t owner)
{
  RecWriter *writer = g_new0 (RecWriter, 1);

  writer->owner = owner;
  writer->tasks = g_async_queue_new_full (free_task);
  rec_lock_init (&writer->lock);
  g_queue_init (&writer->locked.finished);
  writer->thread = g_thread_new ("writer", work, writer);
  return writer;
}

static void
push (RecWriter *writer, Task task)
{
  g_async_queue_push (writer->tasks, g_memdup2 (&task, sizeof task));
}

void
rec_writer_free (RecWriter *writer)
{
  if (writer == NULL)
    return;
  push (writer, (Task){ .kind = TASK_END });
  g_thread_join (writer->thread);
  if (writer->locked.idle != 0)
    g_source_remove (writer->locked.idle);
  g_queue_clear_full (&writer->locked.finished, free_task);
  g_async_queue_unref (writer->tasks);
  rec_lock_clear (&writer->lock);
  g_free (writer);
}

void
rec_writer_put (RecWriter *writer, const char *path, char *text, unsigned mode, RecWriterDone done,
    void *data)
{
  push (writer, (Task){
                    .kind = TASK_PUT,
                    .path = g_strdup (path),
                    .text = text,
                    .mode = mode,
                    .done = done,
                    .data = data,
                });
}

void
rec_writer_remove (RecWriter *writer, const char *path)
{
  push (writer, (Task){ .kind = TASK_REMOVE, .path = g_strdup (path) });
}

void
rec_writer_flush (RecWriter *writer)
{
  g_autoptr (GAsyncQueue) reply = g_async_queue_new ();

  push (writer, (Task){ .kind = TASK_FLUSH, .reply = reply });
  g_async_queue_pop (reply);
}
