/* salvage.c - one recover run, ended when nothing is heard of it for too long. */
#define G_LOG_DOMAIN "rec.recording.salvage"
#include "recording/salvage.h"

#include "base/config.h"
#include "base/json.h"
#include "recording/patience.h"

struct RecSalvage {
  const RecConfig *config;
  RecWorkerProcess *worker;
  json_object *setup;
  bool may_begin, has_begun;
  json_object *finished; /* its answer, told once the process is gone */
  char *failure;
  guint deadline;
  RecPatience patience;
  RecSalvageDone done;
  void *data;
};

static gboolean
on_deadline (gpointer data)
{
  RecSalvage *salvage = data;

  salvage->deadline = 0;
  rec_worker_process_end (salvage->worker,
      "salvaging got no further within recording.recover-timeout-ms");
  return G_SOURCE_REMOVE;
}

static void
set_deadline (RecSalvage *salvage)
{
  if (salvage->deadline != 0)
    g_source_remove (salvage->deadline);
  salvage->deadline =
      g_timeout_add ((guint) rec_config_get_int (salvage->config, "recording.recover-timeout-ms"),
          on_deadline, salvage);
}

/* A plugin may be silent for as long as we wait, not for what it may take to finish a file. */
static void
begin_when_allowed (RecSalvage *salvage)
{
  g_autoptr (RecJson) setup = NULL;

  if (!salvage->may_begin || salvage->has_begun || !rec_worker_process_is_greeted (salvage->worker))
    return;
  salvage->has_begun = true;
  json_object_deep_copy (salvage->setup, &setup, NULL);
  if (rec_json_has (setup, "limits"))
    rec_json_set_int (rec_json_get (setup, "limits"), "finishDeadlineMs",
        rec_config_get_int (salvage->config, "recording.recover-timeout-ms"));
  rec_worker_process_send_setup (salvage->worker, REC_CONTROL_RECOVER, setup);
  set_deadline (salvage);
}

static void
on_greeted (RecWorkerProcess *worker G_GNUC_UNUSED, void *data)
{
  begin_when_allowed (data);
}

static void
on_message (RecWorkerProcess *worker G_GNUC_UNUSED, RecControlType type, json_object *message,
    void *data)
{
  RecSalvage *salvage = data;

  if (type == REC_CONTROL_FINISHED && salvage->finished == NULL) {
    salvage->finished = json_object_get (message);
  } else if (type == REC_CONTROL_PROGRESS) {
    if (salvage->deadline != 0 && rec_patience_hears (&salvage->patience, salvage->config, message))
      set_deadline (salvage);
  } else if (type == REC_CONTROL_FAILED) {
    g_free (salvage->failure);
    salvage->failure = g_strdup (rec_json_string_or (message, "message", ""));
  }
}

static void
on_gone (RecWorkerProcess *worker G_GNUC_UNUSED, const char *why, void *data)
{
  RecSalvage *salvage = data;

  if (salvage->deadline != 0)
    g_source_remove (salvage->deadline);
  salvage->deadline = 0;
  salvage->done (salvage, salvage->finished, salvage->failure != NULL ? salvage->failure : why,
      salvage->data);
}

static const RecWorkerEvents events = {
  .greeted = on_greeted,
  .message = on_message,
  .gone = on_gone,
};

RecSalvage *
rec_salvage_new (const RecConfig *config, RecWorkerPool *pool, json_object *setup,
    RecSalvageDone done, void *data, GError **error)
{
  RecWorkerProcess *worker = rec_worker_pool_take (pool, error);

  if (worker == NULL)
    return NULL;
  RecSalvage *salvage = g_new0 (RecSalvage, 1);
  salvage->config = config;
  salvage->worker = worker;
  salvage->setup = json_object_get (setup);
  salvage->done = done;
  salvage->data = data;
  set_deadline (salvage);
  rec_worker_process_set_events (worker, &events, salvage);
  return salvage;
}

pid_t
rec_salvage_get_worker (const RecSalvage *salvage)
{
  return rec_worker_process_get_pid (salvage->worker);
}

void
rec_salvage_begin (RecSalvage *salvage)
{
  salvage->may_begin = true;
  begin_when_allowed (salvage);
}

void
rec_salvage_free (RecSalvage *salvage)
{
  if (salvage == NULL)
    return;
  if (salvage->deadline != 0)
    g_source_remove (salvage->deadline);
  rec_worker_process_free (salvage->worker);
  json_object_put (salvage->setup);
  json_object_put (salvage->finished);
  g_free (salvage->failure);
  g_free (salvage);
}
