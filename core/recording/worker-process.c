/* worker-process.c - the server's side of one worker: process, control socket, and how both end. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.recording.worker-process"
#include "recording/worker-process.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/child.h"
#include "base/config.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/main-thread.h"

#define MAX_FILES 4096
#define HELLO_TIMEOUT_MS 20000 /* loading GStreamer on a busy machine */
#define DRAIN_MS 1000          /* from the end of the process to the end of its socket */
#define KILL_WAIT_MS 1000

struct RecWorkerProcess {
  const RecConfig *config;
  char *build; /* what hello must say */
  RecChild *child;
  RecControl *control; /* NULL once closed */
  int media_fd;
  const RecWorkerEvents *events;
  void *data;
  bool is_greeted;
  char *why;         /* given to end, or found out by ourselves */
  char *exit_reason; /* set once reaped */
  guint deadline;    /* of hello, SIGKILL or the socket's end: whatever is awaited */
  guint greeting;    /* idle source */
};

static void
clear_source (guint *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

static void
set_deadline (RecWorkerProcess *worker, int64_t timeout_ms, GSourceFunc call)
{
  clear_source (&worker->deadline);
  worker->deadline = g_timeout_add ((guint) timeout_ms, call, worker);
}

/* Both the process and what it said last must be over: finished may still lie in the socket of a dead worker. */
static void
tell_gone_when_over (RecWorkerProcess *worker)
{
  if (worker->exit_reason == NULL || worker->control != NULL)
    return;
  clear_source (&worker->deadline);
  clear_source (&worker->greeting);
  g_autofree char *why =
      worker->why == NULL ? g_strdup_printf ("the worker %s", worker->exit_reason)
                          : g_strdup_printf ("%s; the worker %s", worker->why, worker->exit_reason);
  if (worker->events != NULL)
    worker->events->gone (worker, why, worker->data);
}

static gboolean
on_drained (gpointer data)
{
  RecWorkerProcess *worker = data;

  worker->deadline = 0;
  g_clear_pointer (&worker->control, rec_control_free);
  tell_gone_when_over (worker);
  return G_SOURCE_REMOVE;
}

static void
on_ended (RecChild *child G_GNUC_UNUSED, int status, void *data)
{
  RecWorkerProcess *worker = data;

  worker->exit_reason = rec_child_dup_exit_reason (status);
  /* A child of the worker that outlives it might hold the socket open. */
  set_deadline (worker, DRAIN_MS, on_drained);
  tell_gone_when_over (worker);
}

static gboolean
on_kill_deadline (gpointer data)
{
  RecWorkerProcess *worker = data;

  worker->deadline = 0;
  if (worker->why == NULL)
    worker->why = g_strdup ("the worker closed its control socket and did not exit");
  rec_child_signal_group (worker->child, SIGKILL);
  return G_SOURCE_REMOVE;
}

void
rec_worker_process_end (RecWorkerProcess *worker, const char *why)
{
  if (worker->why == NULL)
    worker->why = g_strdup (why);
  if (worker->exit_reason != NULL)
    return;
  rec_child_signal (worker->child, SIGTERM);
  set_deadline (worker, rec_config_get_int (worker->config, "recording.kill-timeout-ms"),
      on_kill_deadline);
}

void
rec_worker_process_abort (RecWorkerProcess *worker, const char *why)
{
  if (worker->why == NULL)
    worker->why = g_strdup (why);
  if (worker->exit_reason == NULL)
    rec_child_signal_group (worker->child, SIGKILL);
}

static void
on_closed (RecControl *control G_GNUC_UNUSED, const GError *error, void *data)
{
  RecWorkerProcess *worker = data;

  g_clear_pointer (&worker->control, rec_control_free);
  if (error != NULL)
    rec_worker_process_end (worker, error->message);
  else if (worker->exit_reason == NULL)
    set_deadline (worker, rec_config_get_int (worker->config, "recording.kill-timeout-ms"),
        on_kill_deadline);
  tell_gone_when_over (worker);
}

static gboolean
tell_greeted (gpointer data)
{
  RecWorkerProcess *worker = data;

  worker->greeting = 0;
  if (worker->events != NULL && worker->events->greeted != NULL)
    worker->events->greeted (worker, worker->data);
  return G_SOURCE_REMOVE;
}

static void
greet (RecWorkerProcess *worker, json_object *message)
{
  const char *version = rec_json_string_or (message, "version", "");
  const char *build = rec_json_string_or (message, "build", "");

  if (strcmp (version, REC_VERSION) != 0 || strcmp (build, worker->build) != 0) {
    g_autofree char *why =
        g_strdup_printf ("the worker is version %s of another build, the server is " REC_VERSION
                         ": the program was replaced while it ran, restart the server",
            version);
    rec_worker_process_end (worker, why);
    return;
  }
  clear_source (&worker->deadline);
  worker->is_greeted = true;
  if (worker->events != NULL && worker->greeting == 0)
    worker->greeting = g_idle_add_full (G_PRIORITY_HIGH, tell_greeted, worker, NULL);
}

static void
on_message (RecControl *control G_GNUC_UNUSED, RecControlType type, json_object *message,
    void *data)
{
  RecWorkerProcess *worker = data;

  if (type == REC_CONTROL_HELLO && !worker->is_greeted)
    greet (worker, message);
  else if (!worker->is_greeted || type == REC_CONTROL_HELLO)
    rec_worker_process_end (worker, "the worker spoke out of turn");
  else if (worker->events != NULL)
    worker->events->message (worker, type, message, worker->data);
}

static gboolean
on_hello_deadline (gpointer data)
{
  RecWorkerProcess *worker = data;

  worker->deadline = 0;
  rec_worker_process_end (worker, "the worker did not say hello in time");
  return G_SOURCE_REMOVE;
}

static RecChild *
spawn (const RecConfig *config, const char *program, int control_fd, int media_fd, GError **error)
{
  g_autofree char *log = rec_log_dup_setup ();
  const char *const argv[] = { program, "--worker", "--worker-log", log, NULL };
  const RecChildFd fds[] = {
    { control_fd, REC_WIRE_CONTROL_FD },
    { media_fd, REC_WIRE_MEDIA_FD },
  };
  const RecChildSetup setup = {
    .argv = argv,
    .fds = fds,
    .n_fds = G_N_ELEMENTS (fds),
    .max_address_space = (uint64_t) rec_config_get_int (config, "recording.worker-memory-bytes"),
    .max_files = MAX_FILES,
  };

  return rec_child_new (&setup, error);
}

RecWorkerProcess *
rec_worker_process_new (const RecConfig *config, const char *program, const char *build,
    GError **error)
{
  rec_autofd int control_fd = -1, worker_control_fd = -1, media_fd = -1, worker_media_fd = -1;
  int pair[2];

  REC_ASSERT_MAIN ();
  if (!rec_fd_socketpair (SOCK_STREAM, pair, error))
    return NULL;
  control_fd = pair[0];
  worker_control_fd = pair[1];
  if (!rec_fd_socketpair (SOCK_SEQPACKET, pair, error))
    return NULL;
  media_fd = pair[0];
  worker_media_fd = pair[1];
  RecChild *child = spawn (config, program, worker_control_fd, worker_media_fd, error);
  if (child == NULL)
    return NULL;

  RecWorkerProcess *worker = g_new0 (RecWorkerProcess, 1);
  worker->config = config;
  worker->build = g_strdup (build);
  worker->child = child;
  worker->media_fd = rec_fd_steal (&media_fd);
  worker->control =
      rec_control_new (rec_fd_steal (&control_fd), false, on_message, on_closed, worker);
  rec_child_watch (child, on_ended, worker);
  set_deadline (worker, HELLO_TIMEOUT_MS, on_hello_deadline);
  return worker;
}

void
rec_worker_process_free (RecWorkerProcess *worker)
{
  if (worker == NULL)
    return;
  clear_source (&worker->deadline);
  clear_source (&worker->greeting);
  rec_control_free (worker->control);
  rec_fd_close (&worker->media_fd);
  rec_child_free (worker->child);
  g_free (worker->build);
  g_free (worker->why);
  g_free (worker->exit_reason);
  g_free (worker);
}

void
rec_worker_process_set_events (RecWorkerProcess *worker, const RecWorkerEvents *events, void *data)
{
  worker->events = events;
  worker->data = data;
  if (events != NULL && worker->is_greeted && worker->greeting == 0)
    worker->greeting = g_idle_add_full (G_PRIORITY_HIGH, tell_greeted, worker, NULL);
}

bool
rec_worker_process_is_greeted (const RecWorkerProcess *worker)
{
  return worker->is_greeted;
}

pid_t
rec_worker_process_get_pid (const RecWorkerProcess *worker)
{
  return rec_child_get_pid (worker->child);
}

int
rec_worker_process_take_media_fd (RecWorkerProcess *worker)
{
  return rec_fd_steal (&worker->media_fd);
}

void
rec_worker_process_send (RecWorkerProcess *worker, RecControlType type, json_object *message)
{
  if (worker->control == NULL)
    json_object_put (message);
  else if (!rec_control_send (worker->control, type, message))
    rec_worker_process_end (worker, "the worker does not read its control socket");
}

void
rec_worker_process_send_setup (RecWorkerProcess *worker, RecControlType type, json_object *setup)
{
  json_object *copy = NULL;

  json_object_deep_copy (setup, &copy, NULL);
  rec_json_set_string (copy, "version", REC_VERSION);
  rec_json_set_string (copy, "build", worker->build);
  rec_worker_process_send (worker, type, copy);
}

void
rec_worker_process_kill (RecWorkerProcess *worker)
{
  int status = 0;

  rec_worker_process_set_events (worker, NULL, NULL);
  if (worker->exit_reason != NULL)
    return;
  rec_child_signal_group (worker->child, SIGKILL);
  if (rec_child_reap (worker->child, KILL_WAIT_MS, &status))
    worker->exit_reason = rec_child_dup_exit_reason (status);
}
