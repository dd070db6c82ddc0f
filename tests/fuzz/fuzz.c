/* fuzz.c - what all fuzz targets share. */
#include "fuzz/fuzz.h"

#include "base/main-thread.h"
#include "base/path.h"
#include "lib/library-leaks.h"

#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TURNS 1000 /* of the main loop: an input that keeps it busy for ever is a finding */

static char *folder;

static GLogWriterOutput
judge_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  (void) data;
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) {
    for (gsize i = 0; i < n_fields; i++)
      if (strcmp (fields[i].key, "GLIB_DOMAIN") == 0 && g_str_has_prefix (fields[i].value, "rec."))
        return G_LOG_WRITER_HANDLED;
    g_log_writer_standard_streams (level, fields, n_fields, NULL);
    abort ();
  }
  return G_LOG_WRITER_HANDLED;
}

static void
remove_folder (void)
{
  (void) rec_path_remove_tree (folder, NULL);
  g_free (folder);
}

void
fuzz_begin (void)
{
  gst_segtrap_set_enabled (FALSE); /* else it takes every crash for one of a plugin that it loads */
  /* GLib's test framework has a handler of its own, for which a warning is the end. */
  g_log_set_default_handler (g_log_default_handler, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_writer_func (judge_log, NULL, NULL);
  rec_main_thread_claim ();
}

void
fuzz_run_loop (void)
{
  int turns = 0;

  while (g_main_context_iteration (NULL, FALSE))
    g_assert_cmpint (turns++, <, MAX_TURNS);
}

char *
fuzz_take_line (const uint8_t **data, size_t *size)
{
  if (*size == 0)
    return NULL;

  const uint8_t *end = memchr (*data, '\n', *size);
  const size_t length = end == NULL ? *size : (size_t) (end - *data);
  const size_t taken = end == NULL ? length : length + 1;
  char *line = g_malloc (length + 1);

  memcpy (line, *data, length);
  line[length] = '\0';
  for (size_t i = 0; i < length; i++)
    if (line[i] == '\0')
      line[i] = ' ';
  *data += taken;
  *size -= taken;
  return line;
}

const char *
fuzz_get_folder (void)
{
  if (folder == NULL) {
    folder = g_dir_make_tmp ("recto-fuzz-XXXXXX", NULL);
    g_assert_nonnull (folder);
    (void) atexit (remove_folder);
  }
  return folder;
}
