/* usage.c - adds up a tree of processes from /proc. */
#define G_LOG_DOMAIN "rec.worker.usage"
#include "worker/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define US_PER_S INT64_C (1000000)

/* --- reading ------------------------------------------------------------------------------------- */

typedef struct {
  pid_t pid, parent;
  int64_t ticks;
  bool is_counted;
} Process;

static char *
read_text (const char *proc, pid_t pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("%s/%ld/%s", proc, (long) pid, name);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

/* Fields 4, 14 and 15; the second, the name in parentheses, may hold anything. */
static bool
read_process (const char *proc, pid_t pid, Process *process)
{
  g_autofree char *text = read_text (proc, pid, "stat");
  const char *rest = text != NULL ? strrchr (text, ')') : NULL;
  long parent = 0;
  unsigned long user = 0, system = 0;

  if (rest == NULL || sscanf (rest + 1, " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                          &parent, &user, &system) != 3)
    return false;
  *process = (Process){ pid, (pid_t) parent, (int64_t) user + (int64_t) system, false };
  return true;
}

static GArray *
list_processes (const char *proc)
{
  GArray *processes = g_array_new (FALSE, FALSE, sizeof (Process));
  g_autoptr (GDir) dir = g_dir_open (proc, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    Process process;

    if (g_ascii_isdigit (*name) && read_process (proc, (pid_t) atol (name), &process))
      g_array_append_val (processes, process);
  }
  return processes;
}

static int64_t
read_pss (const char *proc, pid_t pid)
{
  g_autofree char *text = read_text (proc, pid, "smaps_rollup");
  const char *line = text != NULL ? strstr (text, "\nPss:") : NULL;
  long long kilobytes;

  return line != NULL && sscanf (line, " Pss: %lld", &kilobytes) == 1 ? kilobytes * 1024 : -1;
}

typedef struct {
  int64_t resident, shared;
} Pages;

static Pages
read_pages (const char *proc, pid_t pid)
{
  g_autofree char *text = read_text (proc, pid, "statm");
  const int64_t page = sysconf (_SC_PAGESIZE);
  long long resident = 0, shared = 0;

  if (text == NULL || sscanf (text, "%*d %lld %lld", &resident, &shared) != 2)
    return (Pages){ 0 };
  return (Pages){ resident * page, shared * page };
}

static void
count (const char *proc, Process *process, RecUsage *usage)
{
  process->is_counted = true;
  usage->n_processes++;
  usage->memory_bytes += read_pages (proc, process->pid).resident;
  usage->cpu_us += process->ticks * US_PER_S / sysconf (_SC_CLK_TCK);
}

/* Where we may not look: what is resident and not shared. */
static int64_t
count_shares (const char *proc, const GArray *processes)
{
  int64_t bytes = 0;

  for (unsigned i = 0; i < processes->len; i++) {
    const Process *process = &g_array_index (processes, Process, i);
    const int64_t pss = process->is_counted ? read_pss (proc, process->pid) : 0;
    const Pages pages = pss < 0 ? read_pages (proc, process->pid) : (Pages){ 0 };

    bytes += pss >= 0 ? pss : MAX (pages.resident - pages.shared, 0);
  }
  return bytes;
}

static bool
is_child_of_counted (const GArray *processes, const Process *process)
{
  for (unsigned i = 0; i < processes->len; i++) {
    const Process *other = &g_array_index (processes, Process, i);

    if (other->is_counted && other->pid == process->parent)
      return true;
  }
  return false;
}

bool
rec_usage_read (const char *proc, pid_t root, int64_t enough_bytes, RecUsage *usage)
{
  g_autoptr (GArray) processes = list_processes (proc);
  bool has_grown = true;

  *usage = (RecUsage){ 0 };
  while (has_grown) {
    has_grown = false;
    for (unsigned i = 0; i < processes->len; i++) {
      Process *process = &g_array_index (processes, Process, i);

      if (process->is_counted ||
          (process->pid != root && !is_child_of_counted (processes, process)))
        continue;
      count (proc, process, usage);
      has_grown = true;
    }
  }
  if (usage->memory_bytes > enough_bytes)
    usage->memory_bytes = count_shares (proc, processes);
  return usage->n_processes > 0;
}

/* --- judging ------------------------------------------------------------------------------------- */

static char *
judge_cpu (const RecUsageMeter *meter)
{
  const unsigned size = G_N_ELEMENTS (meter->samples);
  const unsigned newest = (meter->n - 1) % size, oldest = meter->n % size;
  int64_t span_us, percent;

  if (meter->max_cpu_percent == 0 || meter->n < size)
    return NULL;
  span_us = meter->samples[newest].at_us - meter->samples[oldest].at_us;
  if (span_us <= 0)
    return NULL;
  percent = (meter->samples[newest].cpu_us - meter->samples[oldest].cpu_us) * 100 / span_us;
  if (percent <= meter->max_cpu_percent)
    return NULL;
  return g_strdup_printf ("it took %lld %% of a core for %lld s, more than browser.cpu-percent = "
                          "%lld",
      (long long) percent, (long long) (span_us / US_PER_S), (long long) meter->max_cpu_percent);
}

char *
rec_usage_meter_add (RecUsageMeter *meter, int64_t now_us, const RecUsage *usage)
{
  const unsigned i = meter->n++ % G_N_ELEMENTS (meter->samples);

  meter->samples[i].at_us = now_us;
  meter->samples[i].cpu_us = usage->cpu_us;
  if (meter->max_memory_bytes > 0 && usage->memory_bytes > meter->max_memory_bytes)
    return g_strdup_printf ("it took %lld MB of memory, more than browser.memory-bytes = %lld MB",
        (long long) (usage->memory_bytes >> 20), (long long) (meter->max_memory_bytes >> 20));
  return judge_cpu (meter);
}
