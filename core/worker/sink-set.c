/* sink-set.c - several sinks, required and optional ones. */
#define G_LOG_DOMAIN "rec.worker.sinks"
#include "worker/sink-set.h"

#include "base/error.h"

#define OPTIONAL_GRACE_US (500 * 1000)

struct RecSinkSet {
  RecSinkEvents events;
  GPtrArray *all;   /* of RecSinkRunner */
  GHashTable *told; /* those whose failure was taken */
  int64_t grace_us; /* until then optional ones may finish; 0: not begun */
};

RecSinkSet *
rec_sink_set_new (const RecSinkEvents *events)
{
  RecSinkSet *set = g_new0 (RecSinkSet, 1);

  set->events = *events;
  set->all = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_sink_runner_free);
  set->told = g_hash_table_new (NULL, NULL);
  return set;
}

void
rec_sink_set_free (RecSinkSet *set)
{
  if (set == NULL)
    return;
  g_ptr_array_unref (set->all);
  g_hash_table_unref (set->told);
  g_free (set);
}

bool
rec_sink_set_make (RecSinkSet *set, const RecSetup *setup, bool is_recovery,
    void (*note) (const char *text), GError **error)
{
  for (unsigned i = 0; i < rec_setup_count_sinks (setup); i++) {
    g_autoptr (GError) cause = NULL;
    g_autofree char *text = NULL;
    RecSinkRecipe recipe;
    RecSinkRunner *sink;

    rec_setup_get_sink (setup, i, &recipe);
    sink = is_recovery ? rec_sink_runner_recover (&recipe, &set->events, NULL, &cause)
                       : rec_sink_runner_new (&recipe, &set->events, NULL, &cause);
    if (sink != NULL) {
      g_ptr_array_add (set->all, sink);
      continue;
    }
    if (recipe.is_required) {
      g_propagate_error (error, g_steal_pointer (&cause));
      return false;
    }
    text = g_strdup_printf ("%s; the recording goes on without it", cause->message);
    note (text);
  }
  if (set->all->len == 0)
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "there is no sink to record with");
  return set->all->len > 0;
}

GPtrArray *
rec_sink_set_get_all (RecSinkSet *set)
{
  return set->all;
}

void
rec_sink_set_check (RecSinkSet *set)
{
  for (unsigned i = 0; i < set->all->len; i++)
    rec_sink_runner_check (set->all->pdata[i]);
}

char *
rec_sink_set_take_failure (RecSinkSet *set, bool *is_required)
{
  for (unsigned i = 0; i < set->all->len; i++) {
    RecSinkRunner *sink = set->all->pdata[i];
    const RecSinkState state = rec_sink_runner_get_state (sink);

    if ((state != REC_SINK_FAILED && state != REC_SINK_STALLED) ||
        !g_hash_table_add (set->told, sink))
      continue;
    *is_required = rec_sink_runner_is_required (sink);
    return rec_sink_runner_dup_error (sink);
  }
  return NULL;
}

bool
rec_sink_set_has_data (RecSinkSet *set)
{
  for (unsigned i = 0; i < set->all->len; i++) {
    RecSinkRunner *sink = set->all->pdata[i];

    /* Nobody may publish yet: of single streams there is nothing to wait for here. */
    if (rec_sink_runner_is_required (sink) &&
        rec_sink_runner_get_mode (sink) == REC_MODE_COMPOSED &&
        rec_sink_runner_get_stored_ns (sink) == 0)
      return false;
  }
  return true;
}

uint64_t
rec_sink_set_get_progress (RecSinkSet *set)
{
  uint64_t n_progress = 0;

  for (unsigned i = 0; i < set->all->len; i++)
    n_progress += rec_sink_runner_get_progress (set->all->pdata[i]);
  return n_progress;
}

void
rec_sink_set_end (RecSinkSet *set)
{
  for (unsigned i = 0; i < set->all->len; i++)
    rec_sink_runner_end (set->all->pdata[i], 0);
}

static void
count (RecSinkSet *set, unsigned *n_required, unsigned *n_required_left, unsigned *n_left)
{
  *n_required = *n_required_left = *n_left = 0;
  for (unsigned i = 0; i < set->all->len; i++) {
    RecSinkRunner *sink = set->all->pdata[i];
    const bool is_required = rec_sink_runner_is_required (sink);
    const bool is_left = !rec_sink_runner_is_over (sink);

    *n_required += is_required;
    *n_required_left += is_required && is_left;
    *n_left += is_left;
  }
}

/* What is asked for must be whole; what is optional may not hold it up for long. */
bool
rec_sink_set_can_finish (RecSinkSet *set)
{
  unsigned n_required, n_required_left, n_left;

  count (set, &n_required, &n_required_left, &n_left);
  if (n_left == 0)
    return true;
  if (n_required == 0 || n_required_left > 0)
    return false;
  if (set->grace_us == 0)
    set->grace_us = g_get_monotonic_time () + OPTIONAL_GRACE_US;
  return g_get_monotonic_time () >= set->grace_us;
}

bool
rec_sink_set_is_lost (RecSinkSet *set)
{
  for (unsigned i = 0; i < set->all->len; i++) {
    const RecSinkState state = rec_sink_runner_get_state (set->all->pdata[i]);

    if (state < REC_SINK_DONE || state == REC_SINK_STALLED)
      return true;
  }
  return false;
}
