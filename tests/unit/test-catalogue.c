/* test-catalogue.c - every plugin is found, usable or refused with its reason, and its options hold. */
#include "plugin/catalogue.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "plugin/layout-list.h"
#include "plugin/probe.h"

#define PATIENT "20000" /* ms: never the reason for a refusal, however busy the machine is */
#define TEST_PLUGINS REC_BUILD_DIR "/tests/plugins"
#define PLUGINS REC_BUILD_DIR "/plugins"

typedef struct {
  char *folder, *plugins, *ini; /* temporary */
  RecConfig *config;
  RecCatalogue *catalogue;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  fixture->plugins = g_build_filename (fixture->folder, "plugins", NULL);
  fixture->ini = g_build_filename (fixture->folder, "conf", NULL);
  g_assert_cmpint (g_mkdir (fixture->plugins, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (fixture->ini, 0700), ==, 0);
  fixture->config = rec_config_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_catalogue_free (fixture->catalogue);
  rec_config_free (fixture->config);
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
  g_free (fixture->plugins);
  g_free (fixture->ini);
}

static void
set (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

/* A link below another name; the folder of the test's own plugins comes first. */
static void
add (Fixture *fixture, const char *file, const char *as)
{
  g_autofree char *path = g_build_filename (fixture->plugins, as, NULL);

  g_assert_cmpint (symlink (file, path), ==, 0);
}

static void
write_ini (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->ini, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
scan (Fixture *fixture, const char *timeout_ms)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  if (!rec_config_is_set (fixture->config, "plugins.directories"))
    set (fixture, "plugins.directories", fixture->plugins);
  set (fixture, "plugins.config-directory", fixture->ini);
  set (fixture, "plugins.probe-timeout-ms", timeout_ms);
  fixture->catalogue = rec_catalogue_new (fixture->config, program, &error);
  g_assert_no_error (error);
}

static const RecCatalogueEntry *
find_file (Fixture *fixture, const char *name)
{
  GPtrArray *entries = rec_catalogue_get_entries (fixture->catalogue);

  for (guint i = 0; i < entries->len; i++) {
    const RecCatalogueEntry *entry = entries->pdata[i];

    if (g_str_has_suffix (entry->file, name))
      return entry;
  }
  g_error ("%s is not in the catalogue", name);
}

static void
assert_says (const char *text, const char *reason)
{
  if (text == NULL || strstr (text, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", text != NULL ? text : "(nothing)", reason);
}

static void
test_lists_what_comes_with_us (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  set (fixture, "plugins.directories", PLUGINS);
  scan (fixture, PATIENT);
  const RecCatalogueEntry *layout =
      rec_catalogue_find (fixture->catalogue, REC_PLUGIN_ARRANGING_LAYOUT, "best_fit");
  const RecCatalogueEntry *sink = rec_catalogue_find (fixture->catalogue, REC_PLUGIN_SINK, "mp4");

  g_assert_nonnull (layout);
  g_assert_nonnull (sink);
  g_assert_true (sink->sink_accepts & 1);
  g_assert_cmpuint (sink->sink_delivery, ==, 1);
  g_assert_null (rec_catalogue_find (fixture->catalogue, REC_PLUGIN_SINK, "best_fit"));
}

static void
test_refuses_each_bad_plugin_with_its_reason (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const cases[][2] = {
    { "bad-abort-in-entry.so",
        "crashes when it is loaded: the probe was killed by signal 6 (SIGABRT)" },
    { "bad-exit-at-load.so", "the probe exited with status 0 without an answer" },
    { "bad-abi-major.so", "was built for ABI 2.0" },
    { "bad-no-export.so", "does not export rec_plugin_v1" },
    { "bad-missing-callback.so", "lacks the callback arrange" },
    { "bad-null-descriptor.so", "returns NULL" },
    { "bad-options.so", "expected 0 to 200" },
    { "bad-size-too-large.so", "its descriptor has" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_build_filename (TEST_PLUGINS, cases[i][0], NULL);
    add (fixture, path, cases[i][0]);
  }
  add (fixture, PLUGINS "/best_fit.so", "good.so");
  scan (fixture, PATIENT);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    const RecCatalogueEntry *entry = find_file (fixture, cases[i][0]);
    g_autofree char *id = g_strndup (cases[i][0], strlen (cases[i][0]) - strlen (".so"));

    g_assert_false (entry->is_usable);
    g_assert_cmpstr (entry->id, ==, id);
    assert_says (entry->refusal, cases[i][1]);
  }
  g_assert_nonnull (
      rec_catalogue_find (fixture->catalogue, REC_PLUGIN_ARRANGING_LAYOUT, "best_fit"));
}

static void
test_refuses_a_plugin_that_hangs (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, TEST_PLUGINS "/bad-hang-in-entry.so", "hang.so");
  scan (fixture, "300");
  assert_says (find_file (fixture, "hang.so")->refusal, "no answer within 300 ms");
}

static void
test_lets_no_plugin_answer_for_itself (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, TEST_PLUGINS "/talkative.so", "talkative.so");
  scan (fixture, PATIENT);
  const RecCatalogueEntry *entry = find_file (fixture, "talkative.so");

  g_assert_true (entry->is_usable);
  g_assert_cmpstr (entry->id, ==, "talkative");
  g_assert_cmpstr (entry->version, ==, "2.5");
}

static void
test_keeps_the_first_of_two_with_one_id (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *both = g_strdup_printf ("%s,%s", fixture->plugins, PLUGINS);
  g_autofree char *turned = g_strdup_printf ("%s,%s", PLUGINS, fixture->plugins);

  add (fixture, TEST_PLUGINS "/bad-duplicate-id.so", "zz.so");
  set (fixture, "plugins.directories", both);
  scan (fixture, PATIENT);
  g_assert_true (find_file (fixture, "zz.so")->is_usable);
  assert_says (find_file (fixture, "best_fit.so")->refusal, "has the id 'best_fit'");

  g_clear_pointer (&fixture->catalogue, rec_catalogue_free);
  set (fixture, "plugins.directories", turned);
  scan (fixture, PATIENT);
  g_assert_false (find_file (fixture, "zz.so")->is_usable);
  g_assert_true (find_file (fixture, "best_fit.so")->is_usable);
}

static void
test_takes_options_from_the_ini_file (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, TEST_PLUGINS "/talkative.so", "talkative.so");
  write_ini (fixture, "talkative.ini", "[talkative]\ngap = 17\npassword = hidden\n");
  scan (fixture, PATIENT);
  const RecCatalogueEntry *entry = find_file (fixture, "talkative.so");

  g_assert_null (entry->refusal);
  g_assert_cmpint (rec_json_int_or (entry->values, "gap", 0), ==, 17);
  g_assert_cmpstr (rec_json_string_or (entry->values, "mood", ""), ==, "calm");
  g_assert_cmpstr (rec_json_string_or (entry->values, "password", ""), ==, "hidden");
}

static void
test_refuses_a_plugin_with_a_wrong_ini_file (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const cases[][2] = {
    { "[talkative]\ngap = 900\n", "talkative.ini:2: [talkative] gap: '900': expected 0 to 200" },
    { "[talkative]\nzap = 1\n", "[talkative] zap: the plugin has no such option" },
    { "[other]\ngap = 1\n", "expected the section [talkative] only" },
    { "[talkative]\ngap = 1\ngap = 2\n", "is there twice" },
    { "gap = 1\n", "before the first [section]" },
  };

  add (fixture, TEST_PLUGINS "/talkative.so", "talkative.so");
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    write_ini (fixture, "talkative.ini", cases[i][0]);
    scan (fixture, PATIENT);
    assert_says (find_file (fixture, "talkative.so")->refusal, cases[i][1]);
    g_clear_pointer (&fixture->catalogue, rec_catalogue_free);
  }
}

static void
test_never_shows_secrets (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, TEST_PLUGINS "/talkative.so", "talkative.so");
  write_ini (fixture, "talkative.ini", "[talkative]\npassword = hush\n");
  scan (fixture, PATIENT);
  g_autoptr (RecJson) list = rec_catalogue_to_json (fixture->catalogue);
  const char *text = json_object_to_json_string (list);

  g_assert_nonnull (strstr (text, "\"password\""));
  g_assert_null (strstr (text, "hush"));
  g_assert_null (strstr (text, "open sesame"));
}

static void
test_lists_usable_and_refused_alike (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, TEST_PLUGINS "/talkative.so", "talkative.so");
  add (fixture, TEST_PLUGINS "/bad-no-export.so", "bad-no-export.so");
  scan (fixture, PATIENT);
  g_autoptr (RecJson) list = rec_catalogue_to_json (fixture->catalogue);
  RecJson *plugins = rec_json_get (list, "plugins");

  g_assert_cmpuint (json_object_array_length (plugins), ==, 2);
  RecJson *bad = json_object_array_get_idx (plugins, 0);
  RecJson *good = json_object_array_get_idx (plugins, 1);
  g_assert_false (rec_json_bool_or (bad, "usable", true));
  assert_says (rec_json_string_or (bad, "refusal", NULL), "does not export");
  g_assert_true (rec_json_bool_or (good, "usable", false));
  g_assert_cmpstr (rec_json_string_or (good, "kind", NULL), ==, "arranging-layout");
  RecJson *gap = json_object_array_get_idx (rec_json_get (good, "options"), 0);
  g_assert_cmpstr (rec_json_string_or (gap, "key", NULL), ==, "gap");
  g_assert_cmpint (rec_json_int_or (gap, "value", 0), ==, 8);
}

static void
test_maps_the_names_of_openvidu (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "BEST_FIT", "PICTURE_IN_PICTURE", "VERTICAL_PRESENTATION",
    "HORIZONTAL_PRESENTATION", "best_fit" };

  set (fixture, "plugins.directories", PLUGINS);
  scan (fixture, PATIENT);
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    const RecCatalogueEntry *entry =
        rec_catalogue_find_layout (fixture->catalogue, names[i], &error);

    g_assert_no_error (error);
    g_assert_cmpstr (entry->id, ==, "best_fit");
  }
}

static void
test_says_which_layouts_there_are (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) unknown = NULL, broken = NULL;

  add (fixture, TEST_PLUGINS "/talkative.so", "talkative.so");
  add (fixture, TEST_PLUGINS "/bad-no-export.so", "best_fit.so");
  scan (fixture, PATIENT);
  g_assert_null (rec_catalogue_find_layout (fixture->catalogue, "nonsense", &unknown));
  g_assert_error (unknown, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  assert_says (unknown->message, "no layout 'nonsense'; there are: BEST_FIT, ");
  assert_says (unknown->message, ", talkative");

  g_assert_null (rec_catalogue_find_layout (fixture->catalogue, "BEST_FIT", &broken));
  g_assert_error (broken, REC_ERROR, REC_ERROR_UNAVAILABLE);
  assert_says (broken->message, "best_fit.so does not export rec_plugin_v1");
}

static void
test_lays_the_request_over_the_ini_file (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const wrong[][2] = {
    { "{\"gap\":900}", "plugin 'talkative', option 'gap': expected 0 to 200" },
    { "{\"gap\":\"4\"}", "expected 0 to 200" },
    { "{\"gap\":null}", "expected 0 to 200" },
    { "{\"zap\":1}", "has no option 'zap'" },
    { "{\"title\":\"x\"}", "no option 'title' that a request may set" },
    { "{\"password\":\"x\"}", "no option 'password' that a request may set" },
    { "[1]", "must be an object" },
  };
  g_autoptr (RecJson) request = json_tokener_parse ("{\"gap\":4,\"names\":false}");
  g_autoptr (GError) error = NULL;

  add (fixture, TEST_PLUGINS "/talkative.so", "talkative.so");
  write_ini (fixture, "talkative.ini", "[talkative]\ngap = 17\nmood = loud\n");
  scan (fixture, PATIENT);
  const RecCatalogueEntry *entry = find_file (fixture, "talkative.so");
  g_autoptr (RecJson) values = rec_catalogue_dup_options (entry, request, &error);

  g_assert_no_error (error);
  g_assert_cmpint (rec_json_int_or (values, "gap", 0), ==, 4);
  g_assert_false (rec_json_bool_or (values, "names", true));
  g_assert_cmpstr (rec_json_string_or (values, "mood", ""), ==, "loud");
  g_assert_cmpint (rec_json_int_or (entry->values, "gap", 0), ==, 17);
  for (size_t i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) refusal = NULL;
    g_autoptr (RecJson) body = json_tokener_parse (wrong[i][0]);

    g_assert_null (rec_catalogue_dup_options (entry, body, &refusal));
    g_assert_error (refusal, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
    assert_says (refusal->message, wrong[i][1]);
  }
}

static void
test_finds_new_plugins_when_it_scans_again (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  scan (fixture, PATIENT);
  g_assert_cmpuint (rec_catalogue_get_entries (fixture->catalogue)->len, ==, 0);
  add (fixture, TEST_PLUGINS "/talkative.so", "talkative.so");
  g_assert_true (rec_catalogue_rescan (fixture->catalogue, &error));
  /* Once more while it runs: nothing is lost, nothing is doubled. */
  add (fixture, PLUGINS "/best_fit.so", "best_fit.so");
  g_assert_true (rec_catalogue_rescan (fixture->catalogue, &error));
  while (rec_catalogue_get_entries (fixture->catalogue)->len < 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (
      rec_catalogue_find (fixture->catalogue, REC_PLUGIN_ARRANGING_LAYOUT, "best_fit"));
}

static void
test_goes_on_without_a_missing_folder (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *directories = g_strdup_printf ("%s/missing,%s", fixture->folder, PLUGINS);

  set (fixture, "plugins.directories", directories);
  scan (fixture, PATIENT);
  g_assert_nonnull (rec_catalogue_find (fixture->catalogue, REC_PLUGIN_SINK, "mp4"));
}

/* --- the layouts there are now --------------------------------------------------------------------------------- */

static void
keep_list (json_object *list, void *data)
{
  *(RecJson **) data = json_object_get (list);
}

static RecJson *
list_layouts (Fixture *fixture)
{
  RecJson *list = NULL;

  rec_layout_list_run (fixture->catalogue, fixture->folder, keep_list, &list);
  while (list == NULL)
    g_main_context_iteration (NULL, TRUE);
  return list;
}

/* "NAME/CUSTOM by PLUGIN", one after the other. */
static char *
dup_names (RecJson *list)
{
  RecJson *layouts = rec_json_get (list, "layouts");
  GString *text = g_string_new (NULL);

  for (size_t i = 0; i < json_object_array_length (layouts); i++) {
    RecJson *layout = json_object_array_get_idx (layouts, i);
    g_string_append_printf (text, "%s/%s by %s;",
        rec_json_string_or (layout, "recordingLayout", ""),
        rec_json_string_or (layout, "customLayout", "-"),
        rec_json_string_or (layout, "plugin", ""));
  }
  return g_string_free (text, FALSE);
}

static void
make_page (Fixture *fixture, const char *name)
{
  g_autofree char *folder = g_build_filename (fixture->folder, name, NULL);
  g_autofree char *file = g_build_filename (folder, "index.html", NULL);

  g_assert_true (rec_path_make_folder (folder, 0700, NULL));
  g_assert_true (g_file_set_contents (file, "", -1, NULL));
}

static void
test_lists_the_layouts_of_pages (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, PLUGINS "/best_fit.so", "best_fit.so");
  add (fixture, PLUGINS "/custom_subfolder.so", "custom_subfolder.so");
  add (fixture, REC_BUILD_DIR "/examples/webpage.so", "webpage.so");
  scan (fixture, PATIENT);
  make_page (fixture, "team");
  g_autoptr (RecJson) before = list_layouts (fixture);
  g_autofree char *names_before = dup_names (before);
  make_page (fixture, "later");
  g_autoptr (RecJson) after = list_layouts (fixture);
  g_autofree char *names_after = dup_names (after);

  assert_says (names_before, "BEST_FIT/- by best_fit;");
  assert_says (names_before, "best_fit/- by best_fit;");
  assert_says (names_before, "CUSTOM/team by custom_subfolder;");
  assert_says (names_before, "webpage/ by webpage;");
  g_assert_null (strstr (names_before, "later"));
  assert_says (names_after, "CUSTOM/later by custom_subfolder;CUSTOM/team by custom_subfolder;");
}

static void
test_lists_without_a_plugin_that_crashes (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, PLUGINS "/best_fit.so", "best_fit.so");
  add (fixture, TEST_PLUGINS "/broken-page-list.so", "broken.so");
  scan (fixture, PATIENT);
  g_autoptr (RecJson) list = list_layouts (fixture);
  g_autofree char *names = dup_names (list);
  RecJson *problem = json_object_array_get_idx (rec_json_get (list, "problems"), 0);

  assert_says (names, "BEST_FIT/- by best_fit;");
  g_assert_null (strstr (names, "broken"));
  g_assert_cmpstr (rec_json_string_or (problem, "plugin", ""), ==, "broken-page-list");
  assert_says (rec_json_string_or (problem, "message", ""),
      "crashes when it is asked for its layouts");
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/catalogue/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--probe") == 0)
    return rec_probe_run (argv[2], NULL);
  if (argc == 5 && strcmp (argv[1], "--probe") == 0 && strcmp (argv[3], "--layouts-in") == 0)
    return rec_probe_run (argv[2], argv[4]);
  g_test_init (&argc, &argv, NULL);
  /* Refusals are warned about; that is their point. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  CLAIM ("lists-what-comes-with-us", test_lists_what_comes_with_us);
  CLAIM ("refuses-each-bad-plugin-with-its-reason", test_refuses_each_bad_plugin_with_its_reason);
  CLAIM ("refuses-a-plugin-that-hangs", test_refuses_a_plugin_that_hangs);
  CLAIM ("lets-no-plugin-answer-for-itself", test_lets_no_plugin_answer_for_itself);
  CLAIM ("keeps-the-first-of-two-with-one-id", test_keeps_the_first_of_two_with_one_id);
  CLAIM ("takes-options-from-the-ini-file", test_takes_options_from_the_ini_file);
  CLAIM ("refuses-a-plugin-with-a-wrong-ini-file", test_refuses_a_plugin_with_a_wrong_ini_file);
  CLAIM ("never-shows-secrets", test_never_shows_secrets);
  CLAIM ("lists-usable-and-refused-alike", test_lists_usable_and_refused_alike);
  CLAIM ("maps-the-names-of-openvidu", test_maps_the_names_of_openvidu);
  CLAIM ("says-which-layouts-there-are", test_says_which_layouts_there_are);
  CLAIM ("lays-the-request-over-the-ini-file", test_lays_the_request_over_the_ini_file);
  CLAIM ("finds-new-plugins-when-it-scans-again", test_finds_new_plugins_when_it_scans_again);
  CLAIM ("lists-the-layouts-of-pages", test_lists_the_layouts_of_pages);
  CLAIM ("lists-without-a-plugin-that-crashes", test_lists_without_a_plugin_that_crashes);
  CLAIM ("goes-on-without-a-missing-folder", test_goes_on_without_a_missing_folder);
  return g_test_run ();
}
