/* cage.c - makes, reads and removes the control group of one browser. */
#define G_LOG_DOMAIN "rec.worker.cage"
#include "worker/cage.h"

#include "base/cgroup.h"
#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "worker/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "page-"
#define PERIOD_US 100000 /* of CPU time, the kernel's default */
#define KILL_US (2 * G_USEC_PER_SEC)
#define STEP_US 2000

struct RecCage {
  char *path;
  int entrance;
  int64_t max_memory_bytes, max_cpu_percent;
  unsigned n_looks;
  int64_t n_held; /* periods in which it had to wait, at the last judgement */
};

/* --- its end ------------------------------------------------------------------------------------- */

/* A dying process is still in it for a moment. */
static bool
remove_group (const char *path, int64_t patience_us)
{
  const int64_t until_us = g_get_monotonic_time () + patience_us;

  (void) rec_cgroup_write (path, "cgroup.kill", "1", NULL);
  while (rmdir (path) != 0 && errno != ENOENT) {
    if (errno != EBUSY || g_get_monotonic_time () >= until_us)
      return false;
    g_usleep (STEP_US);
  }
  return true;
}

/* Groups of workers that were killed: their name says whose they are. One that is still busy is the next one's to remove. */
static void
sweep (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    long pid = 0;
    unsigned long long ticks = 0;

    if (sscanf (name, PREFIX "%ld-%llu-", &pid, &ticks) == 2 && pid > 0 &&
        rec_child_read_start_ticks ((pid_t) pid) != ticks) {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      (void) remove_group (path, 0);
    }
  }
}

void
rec_cage_free (RecCage *cage)
{
  if (cage == NULL)
    return;
  rec_fd_close (&cage->entrance);
  if (cage->path != NULL && !remove_group (cage->path, KILL_US))
    g_warning ("cannot remove the browser's control group '%s': %s", cage->path,
        g_strerror (errno));
  g_free (cage->path);
  g_free (cage);
}

/* --- its beginning ------------------------------------------------------------------------------- */

static bool
limit_memory (const RecCage *cage, GError **error)
{
  g_autofree char *bytes = g_strdup_printf ("%lld", (long long) cage->max_memory_bytes);
  g_autoptr (GError) ignored = NULL;

  if (cage->max_memory_bytes == 0)
    return true;
  /* A browser without one of its processes is of no use; kernels without swap lack the last file. */
  return rec_cgroup_write (cage->path, "memory.max", bytes, error) &&
         rec_cgroup_write (cage->path, "memory.oom.group", "1", error) &&
         (rec_cgroup_write (cage->path, "memory.swap.max", "0", &ignored) ||
             g_error_matches (ignored, REC_ERROR, REC_ERROR_NOT_FOUND) ||
             (g_propagate_error (error, g_steal_pointer (&ignored)), false));
}

static bool
limit_cpu (const RecCage *cage, GError **error)
{
  const int64_t percent = cage->max_cpu_percent;
  g_autofree char *text =
      g_strdup_printf ("%lld %d", (long long) (percent * PERIOD_US / 100), PERIOD_US);

  return percent == 0 || rec_cgroup_write (cage->path, "cpu.max", text, error);
}

static bool
open_entrance (RecCage *cage, GError **error)
{
  g_autofree char *path = g_build_filename (cage->path, "cgroup.procs", NULL);
  g_autofree char *kill = g_build_filename (cage->path, "cgroup.kill", NULL);

  cage->entrance = open (path, O_WRONLY | O_CLOEXEC);
  if (cage->entrance >= 0 && access (kill, W_OK) == 0)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
      "'%s' is no control group that can be entered and killed (since Linux 5.14): %s", cage->path,
      g_strerror (errno));
  return false;
}

RecCage *
rec_cage_new (const char *folder, int64_t max_memory_bytes, int64_t max_cpu_percent, GError **error)
{
  const long pid = getpid ();
  g_autoptr (RecCage) cage = g_new0 (RecCage, 1);
  g_autofree char *path = g_strdup_printf ("%s/" PREFIX "%ld-%llu-XXXXXX", folder, pid,
      (unsigned long long) rec_child_read_start_ticks ((pid_t) pid));

  cage->entrance = -1;
  cage->max_memory_bytes = max_memory_bytes;
  cage->max_cpu_percent = max_cpu_percent;
  sweep (folder);
  if (g_mkdtemp (path) == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot make a control group in '%s': %s",
        folder, g_strerror (errno));
    return NULL;
  }
  cage->path = g_steal_pointer (&path);
  if (!open_entrance (cage, error) || !limit_memory (cage, error) || !limit_cpu (cage, error))
    return NULL;
  return g_steal_pointer (&cage);
}

/* --- what it tells ------------------------------------------------------------------------------- */

int
rec_cage_get_entrance (const RecCage *cage)
{
  return cage->entrance;
}

/* Of a file with a name and a number in each line; 0 where it isn't there. */
static int64_t
read_number (const RecCage *cage, const char *file, const char *name)
{
  g_autofree char *path = g_build_filename (cage->path, file, NULL);
  g_autofree char *text = NULL;
  int64_t number = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto (GStrv) words = g_strsplit (*line, " ", 2);

    if (g_strv_length (words) == 2 && strcmp (words[0], name) == 0)
      number = g_ascii_strtoll (words[1], NULL, 10);
  }
  return number;
}

char *
rec_cage_dup_excess (const RecCage *cage)
{
  if (read_number (cage, "memory.events", "oom_kill") == 0)
    return NULL;
  return g_strdup_printf (
      "it wanted more memory than browser.memory-bytes = %lld MB, and the kernel killed it",
      (long long) (cage->max_memory_bytes >> 20));
}

char *
rec_cage_dup_shortage (RecCage *cage)
{
  int64_t n_held, held_us;

  if (cage->max_cpu_percent == 0 || ++cage->n_looks % REC_USAGE_WINDOW_S != 0)
    return NULL;
  n_held = read_number (cage, "cpu.stat", "nr_throttled");
  held_us = (n_held - cage->n_held) * PERIOD_US;
  cage->n_held = n_held;
  if (held_us < REC_USAGE_WINDOW_S * G_USEC_PER_SEC / 2)
    return NULL;
  return g_strdup_printf ("for %d s it wanted more than browser.cpu-percent = %lld",
      REC_USAGE_WINDOW_S, (long long) cage->max_cpu_percent);
}
