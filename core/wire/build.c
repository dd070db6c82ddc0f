/* build.c - identifies an executable by file and time of writing, which an upgrade changes. */
#define G_LOG_DOMAIN "rec.wire.build"
#include "wire/build.h"

#include <glib.h>
#include <stdint.h>
#include <sys/stat.h>

char *
rec_wire_dup_build (const char *program)
{
  struct stat info;

  if (stat (program, &info) != 0)
    return g_strdup ("unknown");
  return g_strdup_printf ("%jx-%jx-%jx.%09ld", (uintmax_t) info.st_ino, (uintmax_t) info.st_size,
      (uintmax_t) info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}
