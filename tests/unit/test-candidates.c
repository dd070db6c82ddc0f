/* test-candidates.c - addresses that come before their offer are kept, but not without end. */
#include "media/candidates.h"

#include <glib.h>
#include <string.h>

#include "base/config.h"

typedef struct {
  RecConfig *config;
  RecCandidates *candidates;
  GString *taken;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->config = rec_config_new ();
  g_assert_true (rec_config_set (fixture->config, "media.max-candidates", "3", "test", NULL));
  g_assert_true (rec_config_set (fixture->config, "media.max-peer-connections", "2", "test", NULL));
  fixture->candidates = rec_candidates_new (fixture->config);
  fixture->taken = g_string_new (NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_candidates_free (fixture->candidates);
  rec_config_free (fixture->config);
  g_string_free (fixture->taken, TRUE);
}

static void
keep (Fixture *fixture, const char *participant, const char *owner, unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *text = g_strdup_printf ("%s%u", participant, i);
    rec_candidates_keep (fixture->candidates, participant, owner, text, "0", (int) i);
  }
}

static void
take_one (const char *candidate, const char *mid, int mline_index, void *data)
{
  Fixture *fixture = data;

  g_string_append_printf (fixture->taken, "%s/%s/%d ", candidate, mid, mline_index);
}

static void
assert_taken (Fixture *fixture, const char *participant, const char *owner, const char *expected)
{
  g_string_truncate (fixture->taken, 0);
  rec_candidates_take (fixture->candidates, participant, owner, take_one, fixture);
  g_assert_cmpstr (fixture->taken->str, ==, expected);
}

static void
test_hands_them_over_once (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  keep (fixture, "ann", "ben", 2);
  assert_taken (fixture, "ann", "ann", "");
  assert_taken (fixture, "ben", "ann", "");
  assert_taken (fixture, "ann", "ben", "ann0/0/0 ann1/0/1 ");
  assert_taken (fixture, "ann", "ben", "");
}

static void
test_keeps_as_many_as_allowed (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  keep (fixture, "ann", "ann", 100);
  assert_taken (fixture, "ann", "ann", "ann0/0/0 ann1/0/1 ann2/0/2 ");
}

static void
test_keeps_those_of_as_many_connections_as_allowed (Fixture *fixture,
    gconstpointer data G_GNUC_UNUSED)
{
  keep (fixture, "ann", "ann", 1);
  keep (fixture, "ben", "ben", 1);
  keep (fixture, "eve", "eve", 1);
  assert_taken (fixture, "eve", "eve", "");
  assert_taken (fixture, "ann", "ann", "ann0/0/0 ");
  assert_taken (fixture, "ben", "ben", "ben0/0/0 ");
  keep (fixture, "eve", "eve", 1);
  assert_taken (fixture, "eve", "eve", "eve0/0/0 ");
}

static void
test_forgets_who_has_left (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  keep (fixture, "ann", "ben", 1);
  keep (fixture, "eve", "eve", 1);
  rec_candidates_forget (fixture->candidates, "ben");
  assert_taken (fixture, "ann", "ben", "");
  assert_taken (fixture, "eve", "eve", "eve0/0/0 ");
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/candidates/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  CLAIM ("hands-them-over-once", test_hands_them_over_once);
  CLAIM ("keeps-as-many-as-allowed", test_keeps_as_many_as_allowed);
  CLAIM ("keeps-those-of-as-many-connections-as-allowed",
      test_keeps_those_of_as_many_connections_as_allowed);
  CLAIM ("forgets-who-has-left", test_forgets_who_has_left);
  return g_test_run ();
}
