/* cgroup.c - finds and reads control groups, and divides our own. */
#define G_LOG_DOMAIN "rec.base.cgroup"
#include "base/cgroup.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_GROUP "recto" /* where this process goes, beside the groups it makes */

/* --- where we are -------------------------------------------------------------------------------- */

/* A line of mountinfo: ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG…] - TYPE SOURCE SUPER-OPTIONS */
typedef struct {
  char *root, *point;
} Mount;

static void
clear_mount (Mount *mount)
{
  g_clear_pointer (&mount->root, g_free);
  g_clear_pointer (&mount->point, g_free);
}

static bool
has_word (const char *list, const char *word)
{
  g_auto (GStrv) words = g_strsplit (list, ",", -1);

  return g_strv_contains ((const char *const *) words, word);
}

/* controller: NULL for version 2. */
static bool
parse_mount (const char *line, const char *controller, Mount *mount)
{
  const char *rest = strstr (line, " - ");
  g_auto (GStrv) front = g_strsplit (line, " ", 7);
  g_auto (GStrv) back = rest != NULL ? g_strsplit (rest + 3, " ", 3) : NULL;

  if (back == NULL || g_strv_length (front) < 7 || g_strv_length (back) < 3)
    return false;
  if (controller == NULL ? strcmp (back[0], "cgroup2") != 0
                         : strcmp (back[0], "cgroup") != 0 || !has_word (back[2], controller))
    return false;
  /* Blanks in paths are written as octal numbers. */
  mount->root = g_strcompress (front[3]);
  mount->point = g_strcompress (front[4]);
  return true;
}

static bool
find_mount (const char *proc, const char *controller, Mount *mount)
{
  g_autofree char *path = g_build_filename (proc, "self", "mountinfo", NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return false;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (parse_mount (*line, controller, mount))
      return true;
  return false;
}

/* Our group's path: lines are NUMBER:CONTROLLERS:PATH, with neither number nor controllers for version 2. */
static char *
find_path (const char *proc, const char *controller)
{
  g_autofree char *path = g_build_filename (proc, "self", "cgroup", NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto (GStrv) parts = g_strsplit (*line, ":", 3);

    if (g_strv_length (parts) == 3 &&
        (controller == NULL ? strcmp (parts[0], "0") == 0 : has_word (parts[1], controller)))
      return g_strdup (parts[2]);
  }
  return NULL;
}

/* The part of the path that lies below what is mounted; a path outside of it is out of reach, but for the mount's top. */
static const char *
get_below (const Mount *mount, const char *path)
{
  const size_t length = strcmp (mount->root, "/") == 0 ? 0 : strlen (mount->root);

  if (strncmp (path, mount->root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
    return "";
  return strncmp (path + length, "/..", 3) == 0 ? "" : path + length;
}

/* Also the mount's point, above which nothing can be seen. */
static char *
dup_folder (const char *proc, const char *controller, char **top)
{
  g_autofree char *path = find_path (proc, controller);
  Mount mount = { 0 };
  char *folder;

  if (path == NULL || !find_mount (proc, controller, &mount))
    return NULL;
  folder = g_build_filename (mount.point, get_below (&mount, path), NULL);
  while (strlen (folder) > 1 && g_str_has_suffix (folder, "/"))
    folder[strlen (folder) - 1] = '\0';
  if (top != NULL)
    *top = g_strdup (mount.point);
  clear_mount (&mount);
  return folder;
}

char *
rec_cgroup_dup_folder (const char *proc, GError **error)
{
  char *folder = dup_folder (proc, NULL, NULL);

  if (folder == NULL)
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_FOUND,
        "no control groups of version 2 are mounted");
  return folder;
}

/* --- what they allow ----------------------------------------------------------------------------- */

static char *
read_file (const char *folder, const char *file)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? g_strstrip (text) : NULL;
}

static void
lower_memory (const char *folder, const char *file, RecCgroupLimits *limits)
{
  g_autofree char *text = read_file (folder, file);
  const int64_t bytes = text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;

  if (bytes > 0)
    limits->memory_bytes = MIN (limits->memory_bytes, bytes);
}

static void
lower_cores (double quota, double period, RecCgroupLimits *limits)
{
  if (quota > 0 && period > 0)
    limits->cores = MIN (limits->cores, quota / period);
}

/* "max 100000" or "150000 100000" */
static void
look_at_new (const char *folder, RecCgroupLimits *limits)
{
  g_autofree char *text = read_file (folder, "cpu.max");
  double quota, period;

  lower_memory (folder, "memory.max", limits);
  if (text != NULL && sscanf (text, "%lf %lf", &quota, &period) == 2)
    lower_cores (quota, period, limits);
}

static void
look_at_old_memory (const char *folder, RecCgroupLimits *limits)
{
  lower_memory (folder, "memory.limit_in_bytes", limits);
}

static void
look_at_old_cpu (const char *folder, RecCgroupLimits *limits)
{
  g_autofree char *quota = read_file (folder, "cpu.cfs_quota_us");
  g_autofree char *period = read_file (folder, "cpu.cfs_period_us");

  if (quota != NULL && period != NULL)
    lower_cores (g_ascii_strtod (quota, NULL), g_ascii_strtod (period, NULL), limits);
}

static void
look_upwards (const char *proc, const char *controller,
    void (*look) (const char *, RecCgroupLimits *), RecCgroupLimits *limits)
{
  g_autofree char *top = NULL;
  g_autofree char *folder = dup_folder (proc, controller, &top);

  while (folder != NULL && strlen (folder) >= strlen (top)) {
    char *parent = g_path_get_dirname (folder);

    look (folder, limits);
    if (strlen (parent) >= strlen (folder))
      g_clear_pointer (&parent, g_free);
    g_free (folder);
    folder = parent;
  }
}

RecCgroupLimits
rec_cgroup_read_limits (const char *proc)
{
  RecCgroupLimits limits = { G_MAXDOUBLE, G_MAXINT64 };

  look_upwards (proc, NULL, look_at_new, &limits);
  look_upwards (proc, "memory", look_at_old_memory, &limits);
  look_upwards (proc, "cpu", look_at_old_cpu, &limits);
  return limits;
}

/* --- dividing it ---------------------------------------------------------------------------------- */

bool
rec_cgroup_write (const char *folder, const char *file, const char *value, GError **error)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  rec_autofd int fd = open (path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd >= 0 && write (fd, value, strlen (value)) == (ssize_t) strlen (value))
    return true;
  g_set_error (error, REC_ERROR, errno == ENOENT ? REC_ERROR_NOT_FOUND : REC_ERROR_FAILED,
      "cannot write '%s' into '%s': %s", value, path, g_strerror (errno));
  return false;
}

static bool
check_controllers (const char *folder, GError **error)
{
  g_autofree char *text = read_file (folder, "cgroup.controllers");
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", " ", -1);
  const char *const *list = (const char *const *) words;

  if (g_strv_contains (list, "memory") && g_strv_contains (list, "cpu"))
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
      "control group '%s' has no memory and CPU to divide (its controllers: '%s')", folder,
      text != NULL ? text : "");
  return false;
}

/* The topmost group, which has no type, belongs to the whole machine; other processes' groups to somebody else. */
static bool
check_ownership (const char *folder, GError **error)
{
  g_autofree char *type = read_file (folder, "cgroup.type");
  g_autofree char *processes = read_file (folder, "cgroup.procs");
  g_autofree char *ours = g_strdup_printf ("%ld", (long) getpid ());
  g_autofree char *path = g_build_filename (folder, "cgroup.procs", NULL);

  if (g_strcmp0 (type, "domain") != 0)
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "control group '%s' is not one that a service has to itself (its type: '%s')", folder,
        type != NULL ? type : "root");
  else if (access (folder, W_OK) != 0 || access (path, W_OK) != 0)
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "control group '%s' is not delegated to us: %s", folder, g_strerror (errno));
  else if (g_strcmp0 (processes, ours) != 0)
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "control group '%s' has other processes than us", folder);
  else
    return true;
  return false;
}

bool
rec_cgroup_divide (const char *folder, GError **error)
{
  g_autofree char *own = g_build_filename (folder, OWN_GROUP, NULL);

  if (!check_controllers (folder, error) || !check_ownership (folder, error))
    return false;
  if (mkdir (own, 0755) != 0 && errno != EEXIST) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot make the control group '%s': %s", own,
        g_strerror (errno));
    return false;
  }
  if (rec_cgroup_write (own, "cgroup.procs", "0", error) &&
      rec_cgroup_write (folder, "cgroup.subtree_control", "+memory +cpu", error))
    return true;
  (void) rec_cgroup_write (folder, "cgroup.procs", "0", NULL);
  (void) rmdir (own);
  return false;
}
