/* test-plugin-conf.c - conf/plugins/ID.ini says what the plugin's option table says. */
#include <dlfcn.h>
#include <glib.h>
#include <recto/plugin.h>
#include <string.h>

static const RecPlugin *
load (const char *file)
{
  g_autofree char *path = g_build_filename (REC_BUILD_DIR, file, NULL);
  void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  const RecPlugin *(*entry) (void) = NULL;

  if (library == NULL)
    g_error ("%s", dlerror ());
  *(void **) &entry = dlsym (library, "rec_plugin_v1");
  g_assert_nonnull (entry);
  return entry ();
}

/* The line of help, then the line with the default, for each option in the table's order. */
static void
append_options (GString *text, const RecPlugin *plugin)
{
  g_string_append_printf (text, "[%s]\n", plugin->id);
  for (const RecOption *const *option = plugin->options; option != NULL && *option != NULL;
       option++) {
    g_string_append_printf (text, "; %s", (*option)->help);
    if ((*option)->choices != NULL && strstr ((*option)->help, (*option)->choices[0]) == NULL) {
      g_autofree char *choices = g_strjoinv (", ", (char **) (*option)->choices);

      g_string_append_printf (text, ": %s", choices);
    }
    g_string_append_printf (text, "\n%s = %s\n", (*option)->key, (*option)->fallback);
  }
}

static void
test_sample (gconstpointer file)
{
  const RecPlugin *plugin = load (file);
  g_autofree char *path = g_strdup_printf ("%s/conf/plugins/%s.ini", REC_SOURCE_DIR, plugin->id);
  g_autoptr (GError) error = NULL;
  g_autofree char *sample = NULL;
  GString *expected = g_string_new (NULL);
  const char *section;

  append_options (expected, plugin);
  g_file_get_contents (path, &sample, NULL, &error);
  g_assert_no_error (error);
  section = strchr (sample, '\n'); /* behind the line that says what the file is */
  g_assert_nonnull (section);
  g_assert_cmpstr (section + 1, ==, expected->str);
  g_string_free (expected, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/plugin-conf/best_fit-is-at-its-defaults", "plugins/best_fit.so",
      test_sample);
  g_test_add_data_func ("/plugin-conf/custom_html-is-at-its-defaults", "plugins/custom_html.so",
      test_sample);
  g_test_add_data_func ("/plugin-conf/custom_subfolder-is-at-its-defaults",
      "plugins/custom_subfolder.so", test_sample);
  g_test_add_data_func ("/plugin-conf/mp4-is-at-its-defaults", "plugins/mp4.so", test_sample);
  g_test_add_data_func ("/plugin-conf/local-is-at-its-defaults", "plugins/local.so", test_sample);
  g_test_add_data_func ("/plugin-conf/row-is-at-its-defaults", "examples/row.so", test_sample);
  g_test_add_data_func ("/plugin-conf/count-is-at-its-defaults", "examples/count.so", test_sample);
  g_test_add_data_func ("/plugin-conf/webpage-is-at-its-defaults", "examples/webpage.so",
      test_sample);
  return g_test_run ();
}
