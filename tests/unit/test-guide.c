/* test-guide.c - does what the plugin author's guide tells a stranger to do, in an empty folder. */
#include <dlfcn.h>
#include <gio/gio.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <recto/plugin.h>
#include <string.h>

#define GUIDE REC_SOURCE_DIR "/include/recto/README.md"

static char *folder;

static char *
read_text (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

typedef void (*Visit) (const char *block);

/* Visits the fenced blocks of one language, in their order. */
static unsigned
for_blocks (const char *language, Visit visit)
{
  g_autofree char *guide = read_text (GUIDE);
  g_autofree char *fence = g_strdup_printf ("\n```%s\n", language);
  const char *begin = guide;
  unsigned n_blocks = 0;

  while ((begin = strstr (begin, fence)) != NULL) {
    const char *end;

    begin += strlen (fence);
    end = strstr (begin, "```\n");
    g_assert_nonnull (end);
    g_autofree char *block = g_strndup (begin, (gsize) (end - begin));
    visit (block);
    begin = end + 4;
    n_blocks++;
  }
  return n_blocks;
}

/* A block's first line is a comment that begins with the file's name. */
static char *
get_file_name (const char *block)
{
  const char *name = block + strlen ("/* ");

  g_assert_true (g_str_has_prefix (block, "/* ") || g_str_has_prefix (block, "// "));
  return g_strndup (name, strcspn (name, " "));
}

static void
save_block (const char *block)
{
  g_autofree char *name = get_file_name (block);
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, block, -1, NULL));
}

static void
run_block (const char *block)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) shell = NULL;
  g_autofree char *path = g_strdup_printf ("%s:%s", REC_BUILD_DIR, g_getenv ("PATH"));
  g_autofree char *output = NULL;

  g_subprocess_launcher_set_cwd (launcher, folder);
  g_subprocess_launcher_setenv (launcher, "PATH", path, TRUE);
  g_subprocess_launcher_setenv (launcher, "PREFIX", REC_SOURCE_DIR, TRUE);
  shell = g_subprocess_launcher_spawn (launcher, &error, "sh", "-eu", "-c", block, NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (shell, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  if (!g_subprocess_get_successful (shell))
    g_error ("failed: %s\n%s", block, output);
  if (strstr (block, "--list-plugins") == NULL) {
    g_assert_cmpstr (output, ==, ""); /* no warnings */
    return;
  }
  g_assert_nonnull (strstr (output, "\"usable\":true"));
  g_assert_null (strstr (output, "\"usable\":false"));
}

static void
test_works_as_told (void)
{
  g_assert_cmpuint (for_blocks ("c", save_block), ==, 4);
  g_assert_cmpuint (for_blocks ("cpp", save_block), ==, 1);
  g_assert_cmpuint (for_blocks ("sh", run_block), ==, 5);
}

static void
assert_plugin (const char *id, uint32_t kind)
{
  g_autofree char *name = g_strdup_printf ("%s.so", id);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  const RecPlugin *(*entry) (void) = NULL;

  if (library == NULL)
    g_error ("%s", dlerror ());
  *(void **) &entry = dlsym (library, "rec_plugin_v1");
  g_assert_nonnull (entry);
  g_assert_cmpstr (entry ()->id, ==, id);
  g_assert_cmpuint (entry ()->abi.kind, ==, kind);
}

static void
test_makes_plugins (void)
{
  assert_plugin ("only_first", REC_KIND_ARRANGING_LAYOUT);
  assert_plugin ("row", REC_KIND_ARRANGING_LAYOUT);
  assert_plugin ("webpage", REC_KIND_PAGE_LAYOUT);
  assert_plugin ("count", REC_KIND_SINK);
  assert_plugin ("corner", REC_KIND_ARRANGING_LAYOUT);
}

static void
assert_is_example (const char *block)
{
  g_autofree char *name = get_file_name (block);
  g_autofree char *id = g_strndup (name, strcspn (name, "."));
  g_autofree char *path = g_build_filename (REC_SOURCE_DIR, "plugins/examples", id, name, NULL);
  g_autofree char *source = NULL;

  if (strcmp (id, "only_first") == 0)
    return; /* the synopsis is in the guide only */
  source = read_text (path);
  g_assert_cmpstr (block, ==, source);
}

static void
test_shows_the_examples (void)
{
  g_assert_cmpuint (for_blocks ("c", assert_is_example), ==, 4);
}

static void
remove_folder (void)
{
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (files)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("recto-guide-XXXXXX", NULL);
  g_assert_nonnull (folder);
  g_test_add_func ("/guide/works-as-told", test_works_as_told);
  g_test_add_func ("/guide/makes-plugins", test_makes_plugins);
  g_test_add_func ("/guide/shows-the-examples", test_shows_the_examples);
  result = g_test_run ();
  remove_folder ();
  return result;
}
