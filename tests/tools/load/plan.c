/* plan.c - makes events of options, or reads them. */
#include "plan.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define MAX_ROUNDS 10000 /* joins of one participant, when the end is open */

static void
clear_role (gpointer data)
{
  LoadRole *role = data;

  g_free (role->name);
  g_free (role->session);
}

static LoadPlan *
make_plan (void)
{
  LoadPlan *plan = g_new0 (LoadPlan, 1);

  plan->cast = g_array_new (FALSE, TRUE, sizeof (LoadRole));
  g_array_set_clear_func (plan->cast, clear_role);
  plan->events = g_array_new (FALSE, FALSE, sizeof (LoadEvent));
  return plan;
}

void
load_plan_free (LoadPlan *plan)
{
  if (plan == NULL)
    return;
  g_array_unref (plan->cast);
  g_array_unref (plan->events);
  g_free (plan);
}

static void
add_event (LoadPlan *plan, double at_s, LoadAction action, unsigned person)
{
  const LoadEvent event = { (int64_t) (at_s * 1000), action, person };

  g_array_append_val (plan->events, event);
}

static gint
compare_events (gconstpointer a, gconstpointer b)
{
  const LoadEvent *one = a, *other = b;

  if (one->at_ms != other->at_ms)
    return one->at_ms < other->at_ms ? -1 : 1;
  return (int) one->action - (int) other->action;
}

/* --- from options ------------------------------------------------------------------------------------------------- */

static void
add_person (LoadPlan *plan, const LoadPlanOptions *options, const char *session, unsigned index)
{
  const bool publishes = index < (unsigned) options->n_publishers;
  const LoadRole role = {
    .name = g_strdup_printf ("%s-%u", options->name, index + 1),
    .session = g_strdup (session),
    .publishes = publishes,
    .watches = !publishes || options->publishers_watch,
    .number = index,
  };
  const unsigned person = plan->cast->len;
  const double end_s = options->duration_s > 0 ? options->duration_s : HUGE_VAL;
  double at_s = person * options->stagger_s;

  g_array_append_val (plan->cast, role);
  for (unsigned round = 0; round < MAX_ROUNDS && at_s < end_s; round++) {
    add_event (plan, at_s, LOAD_JOIN, person);
    if (options->stay_s <= 0)
      return;
    at_s += options->stay_s;
    add_event (plan, at_s, LOAD_LEAVE, person);
    if (options->away_s <= 0)
      return;
    at_s += options->away_s;
  }
}

LoadPlan *
load_plan_new (const LoadPlanOptions *options)
{
  LoadPlan *plan = make_plan ();

  for (int i = 0; i < options->n_sessions; i++) {
    g_autofree char *session = options->n_sessions == 1
                                   ? g_strdup (options->session)
                                   : g_strdup_printf ("%s-%d", options->session, i + 1);

    for (unsigned k = 0; k < (unsigned) (options->n_publishers + options->n_watchers); k++)
      add_person (plan, options, session, k);
  }
  g_array_sort (plan->events, compare_events);
  return plan;
}

/* --- from a file -------------------------------------------------------------------------------------------------- */

static int
find_person (const LoadPlan *plan, const char *name)
{
  for (unsigned i = 0; i < plan->cast->len; i++)
    if (strcmp (g_array_index (plan->cast, LoadRole, i).name, name) == 0)
      return (int) i;
  return -1;
}

static bool
read_trait (LoadRole *role, const char *trait)
{
  if (strcmp (trait, "publish") == 0) {
    role->publishes = true;
  } else if (strcmp (trait, "watch") == 0) {
    role->watches = true;
  } else if (g_str_has_prefix (trait, "session=")) {
    g_free (role->session);
    role->session = g_strdup (trait + strlen ("session="));
  } else {
    return false;
  }
  return true;
}

/* What one does is said when one joins for the first time; without a word one publishes. */
static bool
read_join (LoadPlan *plan, const LoadPlanOptions *options, char **words, int *person)
{
  LoadRole role = { .number = plan->cast->len };

  if (*person >= 0)
    return words[0] == NULL;
  role.session = g_strdup (options->session);
  role.name = g_strdup (words[-1]);
  *person = (int) plan->cast->len;
  for (; *words != NULL; words++)
    if (!read_trait (&role, *words)) {
      clear_role (&role);
      return false;
    }
  role.publishes = role.publishes || !role.watches;
  g_array_append_val (plan->cast, role);
  return true;
}

static bool
read_line (LoadPlan *plan, const LoadPlanOptions *options, char *line)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = NULL;
  char *end = NULL, *save = NULL;
  double at_s;
  int person;

  *(line + strcspn (line, "#")) = '\0';
  for (char *word = strtok_r (line, " \t\r", &save); word != NULL;
       word = strtok_r (NULL, " \t\r", &save))
    g_strv_builder_add (builder, word);
  words = g_strv_builder_end (builder);
  if (words[0] == NULL)
    return true;
  at_s = g_ascii_strtod (words[0], &end);
  if (*end != '\0' || !(at_s >= 0 && at_s < 1e6) || words[1] == NULL || words[2] == NULL)
    return false;
  person = find_person (plan, words[2]);
  if (strcmp (words[1], "join") == 0) {
    if (!read_join (plan, options, words + 3, &person))
      return false;
    add_event (plan, at_s, LOAD_JOIN, (unsigned) person);
    return true;
  }
  if (strcmp (words[1], "leave") != 0 || person < 0 || words[3] != NULL)
    return false;
  add_event (plan, at_s, LOAD_LEAVE, (unsigned) person);
  return true;
}

LoadPlan *
load_plan_read (const char *path, const LoadPlanOptions *options, GError **error)
{
  g_autoptr (LoadPlan) plan = make_plan ();
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (unsigned i = 0; lines[i] != NULL; i++)
    if (!read_line (plan, options, lines[i])) {
      g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
          "%s:%u: expected 'SECONDS join NAME [publish] [watch] [session=ID]', or 'SECONDS leave "
          "NAME' of somebody who joined above",
          path, i + 1);
      return NULL;
    }
  g_array_sort (plan->events, compare_events);
  return g_steal_pointer (&plan);
}
