/* meter.c - reads /proc, the control groups and the disk. */
#define G_LOG_DOMAIN "rec.recording.meter"
#include "recording/meter.h"

#include "base/cgroup.h"
#include "base/path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEPTH 8 /* of children's children */

static char *
read_proc (pid_t pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%ld/%s", (long) pid, name);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

/* Fields 14 to 17, its own and its reaped children's; the second, the name in parentheses, may hold anything. */
static bool
add_cpu (pid_t pid, RecUsage *usage)
{
  g_autofree char *text = read_proc (pid, "stat");
  const char *rest = text != NULL ? strrchr (text, ')') : NULL;
  g_auto (GStrv) fields = rest != NULL ? g_strsplit (rest + 1, " ", -1) : NULL;
  uint64_t ticks = 0;

  if (fields == NULL || g_strv_length (fields) < 16)
    return false;
  for (int i = 12; i < 16; i++)
    ticks += g_ascii_strtoull (fields[i], NULL, 10);
  usage->cpu_s += (double) ticks / (double) sysconf (_SC_CLK_TCK);
  return true;
}

static void
add_memory (pid_t pid, RecUsage *usage)
{
  g_autofree char *text = read_proc (pid, "smaps_rollup");
  const char *line = text != NULL ? strstr (text, "\nPss:") : NULL;

  if (line != NULL)
    usage->memory_bytes += g_ascii_strtoll (line + strlen ("\nPss:"), NULL, 10) * 1024;
}

static bool add_tree (pid_t pid, int depth, RecUsage *usage);

/* Any thread may have started a child. */
static void
add_children (pid_t pid, int depth, RecUsage *usage)
{
  g_autofree char *path = g_strdup_printf ("/proc/%ld/task", (long) pid);
  g_autoptr (GDir) threads = g_dir_open (path, 0, NULL);
  const char *thread;

  while (threads != NULL && (thread = g_dir_read_name (threads)) != NULL) {
    g_autofree char *name = g_strdup_printf ("task/%s/children", thread);
    g_autofree char *text = read_proc (pid, name);
    g_auto (GStrv) children = g_strsplit (text != NULL ? text : "", " ", -1);

    for (char **child = children; *child != NULL; child++)
      if (**child != '\0')
        add_tree ((pid_t) g_ascii_strtoll (*child, NULL, 10), depth + 1, usage);
  }
}

static bool
add_tree (pid_t pid, int depth, RecUsage *usage)
{
  if (!add_cpu (pid, usage))
    return false;
  add_memory (pid, usage);
  if (depth < MAX_DEPTH)
    add_children (pid, depth, usage);
  return true;
}

static bool
read_process (pid_t pid, RecUsage *usage, void *data G_GNUC_UNUSED)
{
  *usage = (RecUsage){ 0 };
  return add_tree (pid, 0, usage);
}

static bool
read_disk (const char *folder, uint64_t *free_bytes, void *data G_GNUC_UNUSED)
{
  const int64_t found = rec_path_get_free_bytes (folder);

  if (found < 0)
    return false;
  *free_bytes = (uint64_t) found;
  return true;
}

static int64_t
now_us (void *data G_GNUC_UNUSED)
{
  return g_get_monotonic_time ();
}

RecMeter
rec_meter_of_machine (void)
{
  const int64_t memory = (int64_t) sysconf (_SC_PHYS_PAGES) * sysconf (_SC_PAGESIZE);
  const RecCgroupLimits limits = rec_cgroup_read_limits ("/proc");

  return (RecMeter){
    .cores = MIN ((double) g_get_num_processors (), limits.cores),
    .memory_bytes = MIN (memory, limits.memory_bytes),
    .read_process = read_process,
    .read_disk = read_disk,
    .now_us = now_us,
  };
}
