/* small-disk.c - a tmpfs in a mount namespace of the process's own. */
#define _GNU_SOURCE
#include "lib/small-disk.h"

#include <glib.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

bool
small_disk_mount (const char *path, unsigned n_megabytes)
{
  g_autofree char *options = g_strdup_printf ("size=%um", n_megabytes);

  return unshare (CLONE_NEWNS | (geteuid () != 0 ? CLONE_NEWUSER : 0)) == 0 &&
         mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount ("none", path, "tmpfs", 0, options) == 0;
}

bool
small_disk_can_mount (void)
{
  pid_t child = fork ();
  int status = -1;

  if (child == 0)
    _exit (!small_disk_mount (g_get_tmp_dir (), 1));
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return status == 0;
}
