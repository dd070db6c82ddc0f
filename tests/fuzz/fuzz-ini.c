/* fuzz-ini.c - a configuration file, from its bytes to the settings and out again. */
#define _GNU_SOURCE
#include "fuzz/fuzz.h"

#include "base/config.h"
#include "base/fd.h"

#include <sys/mman.h>
#include <unistd.h>

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  rec_autofd int fd = memfd_create ("recto.ini", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (rec_fd_write_all (fd, data, size, NULL));
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (GError) error = NULL;
  const RecConfigSources sources = { .file = path };
  g_autoptr (RecConfig) config = rec_config_load (&sources, &error);

  g_assert_true ((config == NULL) == (error != NULL));
  if (config == NULL)
    return 0;
  g_autofree char *text = NULL;
  size_t n_text = 0;
  FILE *out = open_memstream (&text, &n_text);
  g_assert_nonnull (out);
  rec_config_print (config, out);
  g_assert_cmpint (fclose (out), ==, 0);
  g_assert_true (g_utf8_validate (text, (gssize) n_text, NULL));
  return 0;
}
