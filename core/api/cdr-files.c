/* cdr-files.c - the CDR over HTTP: which files there are, and each of them. */
#define G_LOG_DOMAIN "rec.api.cdr-files"
#include "api/files.h"
#include "api/private.h"
#include "base/config.h"
#include "base/path.h"
#include "events/cdr.h"

#include <fcntl.h>

/* NULL while no CDR is written. */
static const char *
get_folder (const RecCall *call)
{
  const RecConfig *config = call->api->context.config;

  return rec_config_get_bool (config, "openvidu.cdr")
             ? rec_config_get_string (config, "openvidu.cdr.path")
             : NULL;
}

static int
compare_names (const void *a, const void *b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

/* The CDR's own, whatever else lies in that folder. As many as events.cdr-keep-files allows, and the one that is written. */
void
rec_list_cdr_files (RecCall *call)
{
  const char *path = get_folder (call);
  g_autoptr (GDir) folder = path != NULL ? g_dir_open (path, 0, NULL) : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  RecJson *list = json_object_new_array ();

  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
    if (rec_cdr_is_name (name))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    json_object_array_add (list, json_object_new_string (names->pdata[i]));
  rec_http_answer_json (call->request, 200, list);
}

void
rec_send_cdr_file (RecCall *call)
{
  const char *path = get_folder (call);
  const char *name = call->arguments[0];
  int fd = -1;

  if (path != NULL && rec_cdr_is_name (name))
    fd = rec_path_open_contained (path, name, O_RDONLY | O_NONBLOCK, 0, NULL);
  if (fd < 0)
    rec_http_answer_status (call->request, 404, "there is no such file");
  else
    rec_file_answer (call->request, fd, name);
}
