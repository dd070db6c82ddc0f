/* candidates.c - keeps candidates until the peer connection they belong to exists. */
#define G_LOG_DOMAIN "rec.media.candidates"
#include "media/candidates.h"

#include <glib.h>
#include <string.h>

#include "base/config.h"

typedef struct {
  char *text, *mid;
  int mline_index;
} Candidate;

/* Those of one participant for one stream. */
typedef struct {
  char *participant_id, *owner_id;
  int64_t since_us;
  GPtrArray *candidates; /* of Candidate */
} Set;

struct RecCandidates {
  const RecConfig *config;
  GPtrArray *sets; /* of Set */
};

static void
free_candidate (void *data)
{
  Candidate *candidate = data;

  g_free (candidate->text);
  g_free (candidate->mid);
  g_free (candidate);
}

static void
free_set (void *data)
{
  Set *set = data;

  g_free (set->participant_id);
  g_free (set->owner_id);
  g_ptr_array_unref (set->candidates);
  g_free (set);
}

RecCandidates *
rec_candidates_new (const RecConfig *config)
{
  RecCandidates *candidates = g_new0 (RecCandidates, 1);

  candidates->config = config;
  candidates->sets = g_ptr_array_new_with_free_func (free_set);
  return candidates;
}

void
rec_candidates_free (RecCandidates *candidates)
{
  if (candidates == NULL)
    return;
  g_ptr_array_unref (candidates->sets);
  g_free (candidates);
}

static void
forget_old_sets (RecCandidates *candidates)
{
  int64_t max_ms = rec_config_get_int (candidates->config, "media.connect-timeout-ms");
  int64_t oldest_us = g_get_monotonic_time () - max_ms * 1000;

  for (unsigned i = candidates->sets->len; i > 0; i--)
    if (((const Set *) candidates->sets->pdata[i - 1])->since_us < oldest_us)
      g_ptr_array_remove_index (candidates->sets, i - 1);
}

static Set *
find_set (RecCandidates *candidates, const char *participant_id, const char *owner_id)
{
  for (unsigned i = 0; i < candidates->sets->len; i++) {
    Set *set = candidates->sets->pdata[i];

    if (strcmp (set->participant_id, participant_id) == 0 && strcmp (set->owner_id, owner_id) == 0)
      return set;
  }
  return NULL;
}

/* NULL when there are too many. */
static Set *
get_set (RecCandidates *candidates, const char *participant_id, const char *owner_id)
{
  Set *set = find_set (candidates, participant_id, owner_id);

  if (set != NULL)
    return set;
  if (candidates->sets->len >=
      rec_config_get_int (candidates->config, "media.max-peer-connections"))
    return NULL;
  set = g_new0 (Set, 1);
  set->participant_id = g_strdup (participant_id);
  set->owner_id = g_strdup (owner_id);
  set->since_us = g_get_monotonic_time ();
  set->candidates = g_ptr_array_new_with_free_func (free_candidate);
  g_ptr_array_add (candidates->sets, set);
  return set;
}

void
rec_candidates_keep (RecCandidates *candidates, const char *participant_id, const char *owner_id,
    const char *text, const char *mid, int mline_index)
{
  int64_t max = rec_config_get_int (candidates->config, "media.max-candidates");
  Candidate *candidate;

  forget_old_sets (candidates);

  Set *set = get_set (candidates, participant_id, owner_id);

  if (set == NULL || set->candidates->len >= max)
    return;
  candidate = g_new0 (Candidate, 1);
  candidate->text = g_strdup (text);
  candidate->mid = g_strdup (mid);
  candidate->mline_index = mline_index;
  g_ptr_array_add (set->candidates, candidate);
}

void
rec_candidates_take (RecCandidates *candidates, const char *participant_id, const char *owner_id,
    RecCandidateFunction function, void *data)
{
  forget_old_sets (candidates);

  Set *set = find_set (candidates, participant_id, owner_id);

  for (unsigned i = 0; set != NULL && i < set->candidates->len; i++) {
    const Candidate *candidate = set->candidates->pdata[i];

    function (candidate->text, candidate->mid, candidate->mline_index, data);
  }
  g_ptr_array_remove (candidates->sets, set);
}

void
rec_candidates_forget (RecCandidates *candidates, const char *participant_id)
{
  for (unsigned i = candidates->sets->len; i > 0; i--) {
    const Set *set = candidates->sets->pdata[i - 1];

    if (strcmp (set->participant_id, participant_id) == 0 ||
        strcmp (set->owner_id, participant_id) == 0)
      g_ptr_array_remove_index (candidates->sets, i - 1);
  }
}
