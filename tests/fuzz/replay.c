/* replay.c - feeds a fuzz target its corpus, file by file: what once crashed does not do so again. */
#include "fuzz/fuzz.h"

#include <string.h>

static void
replay (const void *data)
{
  g_autofree char *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  g_file_get_contents (data, &bytes, &size, &error);
  g_assert_no_error (error);
  /* A buffer of its very size: reading past its end shows. */
  g_autofree uint8_t *copy = size > 0 ? g_memdup2 (bytes, size) : g_malloc (1);
  LLVMFuzzerTestOneInput (copy, size);
}

static const char *
get_target (const char *program)
{
  const char *name = strstr (program, "replay-");

  for (const char *next = name; next != NULL; next = strstr (next + 1, "replay-"))
    name = next;
  g_assert_nonnull (name);
  return name + strlen ("replay-");
}

int
main (int argc, char **argv)
{
  g_autofree char *folder =
      g_build_filename (REC_SOURCE_DIR, "tests", "fuzz", "corpus", get_target (argv[0]), NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  LLVMFuzzerInitialize (&argc, &argv);
  g_autoptr (GDir) files = g_dir_open (folder, 0, &error);
  g_assert_no_error (error);
  for (const char *name = g_dir_read_name (files); name != NULL; name = g_dir_read_name (files)) {
    g_autofree char *test = g_strdup_printf ("/fuzz/%s/%s", get_target (argv[0]), name);
    g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
    g_test_add_data_func (test, paths->pdata[paths->len - 1], replay);
  }
  g_assert_cmpuint (paths->len, >, 0);
  return g_test_run ();
}
