/* test-loader.c - plugins that keep to the ABI are loaded, the others are told why not. */
#include "plugin/loader.h"

#include <glib/gstdio.h>

#include <string.h>

#include "base/error.h"

static RecLoadedPlugin *
load (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (REC_BUILD_DIR, folder, name, NULL);

  return rec_loader_load (path, error);
}

static void
assert_refused (const char *folder, const char *name, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (load (folder, name, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  if (strstr (error->message, reason) == NULL || !g_str_has_prefix (error->message, name))
    g_error ("\"%s\" does not say \"%s\"", error->message, reason);
}

static void
test_loads_an_arranging_layout (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecLoadedPlugin) loaded = load ("plugins", "best_fit.so", &error);

  g_assert_no_error (error);
  g_assert_cmpint (loaded->kind, ==, REC_PLUGIN_ARRANGING_LAYOUT);
  g_assert_cmpstr (loaded->plugin->id, ==, "best_fit");
  g_assert_nonnull (loaded->arranging.arrange);
  g_assert_null (loaded->sink.write);
  g_assert_true (g_path_is_absolute (loaded->file));
}

static void
test_loads_a_sink (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecLoadedPlugin) loaded = load ("plugins", "mp4.so", &error);

  g_assert_no_error (error);
  g_assert_cmpint (loaded->kind, ==, REC_PLUGIN_SINK);
  g_assert_true (loaded->sink.accepts & REC_MODE_COMPOSED);
  g_assert_nonnull (loaded->sink.recover);
  g_assert_null (loaded->arranging.arrange);
}

static void
test_says_why_a_plugin_is_refused (void)
{
  static const char *const cases[][2] = {
    { "bad-abi-major.so", "was built for ABI 2.0, this server has 1." },
    { "bad-id-characters.so", "an id other than [a-z0-9_-]+" },
    { "bad-kind.so", "is of kind 77" },
    { "bad-missing-callback.so", "lacks the callback arrange" },
    { "bad-no-export.so", "does not export rec_plugin_v1" },
    { "bad-null-descriptor.so", "returns NULL" },
    { "bad-null-id.so", "an id other than" },
    { "bad-options.so", "option 'gap' has the fallback '300': expected 0 to 200" },
    { "bad-size-too-large.so", "its descriptor has 2147483647 bytes instead of " },
    { "bad-size-too-small.so", "its descriptor has" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused ("tests/plugins", cases[i][0], cases[i][1]);
}

static void
test_refuses_what_is_no_library (void)
{
  g_autofree char *folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  g_autofree char *text = g_build_filename (folder, "text.so", NULL);
  g_autoptr (GError) error = NULL;

  assert_refused ("plugins", "missing.so", "cannot be loaded");
  g_assert_true (g_file_set_contents (text,
      "not a library, but long enough to be looked at as one\n", -1, NULL));
  g_assert_null (rec_loader_load (text, &error));
  g_assert_nonnull (strstr (error->message, "text.so cannot be loaded"));
  g_assert_cmpint (g_remove (text), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/loader/loads-an-arranging-layout", test_loads_an_arranging_layout);
  g_test_add_func ("/loader/loads-a-sink", test_loads_a_sink);
  g_test_add_func ("/loader/says-why-a-plugin-is-refused", test_says_why_a_plugin_is_refused);
  g_test_add_func ("/loader/refuses-what-is-no-library", test_refuses_what_is_no_library);
  return g_test_run ();
}
