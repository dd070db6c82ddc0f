/* worker-pool.c - keeps a few greeted workers at hand and does not spin when they die. */
#define G_LOG_DOMAIN "rec.recording.worker-pool"
#include "recording/worker-pool.h"

#include "base/config.h"
#include "wire/build.h"

#define FIRST_DELAY_MS 500 /* after a spare one died; doubled each time until one says hello */
#define MAX_DELAY_MS 60000

struct RecWorkerPool {
  const RecConfig *config;
  char *program, *build;
  GPtrArray *spares; /* of RecWorkerProcess */
  bool is_stopped;
  guint refill; /* source */
  guint delay_ms;
};

static void refill_later (RecWorkerPool *pool, guint delay_ms);

static void
on_greeted (RecWorkerProcess *worker G_GNUC_UNUSED, void *data)
{
  RecWorkerPool *pool = data;

  pool->delay_ms = FIRST_DELAY_MS;
}

static void
on_message (RecWorkerProcess *worker, RecControlType type G_GNUC_UNUSED,
    json_object *message G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
  rec_worker_process_end (worker, "the spare worker spoke without being asked");
}

static void
on_gone (RecWorkerProcess *worker, const char *why, void *data)
{
  RecWorkerPool *pool = data;

  g_warning ("a spare worker is lost: %s; starting another one in %u ms", why, pool->delay_ms);
  g_ptr_array_remove_fast (pool->spares, worker);
  rec_worker_process_free (worker);
  refill_later (pool, pool->delay_ms);
  pool->delay_ms = MIN (pool->delay_ms * 2, MAX_DELAY_MS);
}

static const RecWorkerEvents events = {
  .greeted = on_greeted,
  .message = on_message,
  .gone = on_gone,
};

static gboolean
refill (gpointer data)
{
  RecWorkerPool *pool = data;
  guint n_wanted = (guint) rec_config_get_int (pool->config, "recording.spare-workers");
  g_autoptr (GError) error = NULL;

  pool->refill = 0;
  if (pool->is_stopped || pool->spares->len >= n_wanted)
    return G_SOURCE_REMOVE;
  RecWorkerProcess *worker =
      rec_worker_process_new (pool->config, pool->program, pool->build, &error);
  if (worker == NULL) {
    g_warning ("cannot start a spare worker: %s; trying again in %d ms", error->message,
        MAX_DELAY_MS);
    refill_later (pool, MAX_DELAY_MS);
    return G_SOURCE_REMOVE;
  }
  rec_worker_process_set_events (worker, &events, pool);
  g_ptr_array_add (pool->spares, worker);
  refill_later (pool, 0);
  return G_SOURCE_REMOVE;
}

static void
refill_later (RecWorkerPool *pool, guint delay_ms)
{
  if (pool->is_stopped || pool->refill != 0)
    return;
  pool->refill = delay_ms == 0 ? g_idle_add (refill, pool) : g_timeout_add (delay_ms, refill, pool);
}

RecWorkerPool *
rec_worker_pool_new (const RecConfig *config, const char *program)
{
  RecWorkerPool *pool = g_new0 (RecWorkerPool, 1);

  pool->config = config;
  pool->program = g_strdup (program);
  pool->build = rec_wire_dup_build (program);
  pool->spares = g_ptr_array_new ();
  pool->delay_ms = FIRST_DELAY_MS;
  refill_later (pool, 0);
  return pool;
}

static void
free_worker (void *data)
{
  rec_worker_process_free (data);
}

void
rec_worker_pool_stop (RecWorkerPool *pool)
{
  pool->is_stopped = true;
  if (pool->refill != 0)
    g_source_remove (pool->refill);
  pool->refill = 0;
  g_ptr_array_set_free_func (pool->spares, free_worker);
  g_ptr_array_set_size (pool->spares, 0);
}

void
rec_worker_pool_free (RecWorkerPool *pool)
{
  if (pool == NULL)
    return;
  rec_worker_pool_stop (pool);
  g_ptr_array_unref (pool->spares);
  g_free (pool->program);
  g_free (pool->build);
  g_free (pool);
}

static RecWorkerProcess *
steal_best_spare (RecWorkerPool *pool)
{
  for (guint i = 0; i < pool->spares->len; i++)
    if (rec_worker_process_is_greeted (pool->spares->pdata[i]))
      return g_ptr_array_remove_index_fast (pool->spares, i);
  return pool->spares->len > 0 ? g_ptr_array_remove_index_fast (pool->spares, 0) : NULL;
}

RecWorkerProcess *
rec_worker_pool_take (RecWorkerPool *pool, GError **error)
{
  RecWorkerProcess *worker = steal_best_spare (pool);

  if (worker == NULL)
    return rec_worker_process_new (pool->config, pool->program, pool->build, error);
  rec_worker_process_set_events (worker, NULL, NULL);
  refill_later (pool, 0);
  return worker;
}
