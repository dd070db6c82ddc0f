/* probe.c - loads one plugin in a process that may die of it, and prints what it is, or which layouts it offers. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.plugin.probe"
#include "plugin/probe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "plugin/loader.h"
#include "plugin/options.h"

#define MAX_LIFE_S 120 /* whoever started us kills us sooner, unless it died itself */

static const char *
kind_word (RecPluginKind kind)
{
  switch (kind) {
  case REC_PLUGIN_ARRANGING_LAYOUT:
    return "arranging-layout";
  case REC_PLUGIN_PAGE_LAYOUT:
    return "page-layout";
  case REC_PLUGIN_SINK:
    return "sink";
  case REC_PLUGIN_INVALID:
    break;
  }
  return "invalid";
}

/* Gives away the real standard output: what the plugin prints must not end up in our answer. */
static int
take_standard_output (void)
{
  int result_fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  rec_autofd int null_fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  if (null_fd < 0 || dup2 (null_fd, STDOUT_FILENO) < 0)
    rec_fd_close (&result_fd);
  return result_fd;
}

static RecJson *
describe (const RecLoadedPlugin *loaded, GError **error)
{
  const RecPlugin *plugin = loaded->plugin;
  RecJson *options = rec_options_describe (plugin->options, error);

  if (options == NULL)
    return NULL;
  RecJson *description = json_object_new_object ();
  rec_json_set_string (description, "id", plugin->id);
  rec_json_set_string (description, "kind", kind_word (loaded->kind));
  rec_json_set_string (description, "version", plugin->version != NULL ? plugin->version : "");
  rec_json_set_string (description, "summary", plugin->summary != NULL ? plugin->summary : "");
  if (loaded->kind == REC_PLUGIN_SINK) {
    rec_json_set_int (description, "accepts", loaded->sink.accepts);
    rec_json_set_int (description, "delivery", loaded->sink.delivery);
  }
  rec_json_take (description, "options", options);
  return description;
}

static bool
emit_layout (void *data, const char *name, const char *summary)
{
  RecJson *layouts = data;
  RecJson *layout;
  g_autofree char *shown = g_utf8_make_valid (summary != NULL ? summary : "", -1);

  /* A name that is no text could not be asked for. */
  if (name == NULL || !g_utf8_validate (name, -1, NULL))
    return true;
  layout = json_object_new_object ();
  rec_json_set_string (layout, "name", name);
  rec_json_set_string (layout, "summary", shown);
  json_object_array_add (layouts, layout);
  return json_object_array_length (layouts) < REC_LAYOUTS_MAX;
}

/* NULL, with the plugin's reason, when it cannot list. */
static RecJson *
list_layouts (const RecLoadedPlugin *loaded, const char *folder, GError **error)
{
  RecError why = { 0 };
  RecJson *layouts = json_object_new_array ();
  bool is_listed = true;

  if (loaded->kind != REC_PLUGIN_PAGE_LAYOUT)
    is_listed = rec_fail (&why, REC_FAIL_INVALID, "is no page layout");
  else if (loaded->page.list == NULL)
    emit_layout (layouts, "", NULL);
  else
    is_listed = loaded->page.list (folder, emit_layout, layouts, &why);
  if (!is_listed) {
    why.message[sizeof why.message - 1] = '\0';
    g_autofree char *text = g_utf8_make_valid (why.message, -1);
    g_set_error_literal (error, REC_ERROR, REC_ERROR_FAILED, text);
    json_object_put (layouts);
    return NULL;
  }
  RecJson *answer = json_object_new_object ();
  rec_json_take (answer, "layouts", layouts);
  return answer;
}

static bool
print (int fd, RecJson *answer)
{
  g_autofree char *text = rec_json_to_text (answer);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  return rec_fd_write_all (fd, line, strlen (line), NULL);
}

int
rec_probe_run (const char *file, const char *folder)
{
  int result_fd = take_standard_output ();
  g_autoptr (GError) error = NULL;
  g_autoptr (RecJson) answer = NULL;

  if (result_fd < 0)
    return EXIT_FAILURE;
  alarm (MAX_LIFE_S);
  g_autoptr (RecLoadedPlugin) loaded = rec_loader_load (file, &error);
  if (loaded != NULL)
    answer = folder != NULL ? list_layouts (loaded, folder, &error) : describe (loaded, &error);
  if (answer == NULL) {
    answer = json_object_new_object ();
    rec_json_set_string (answer, "refusal", error->message);
  }
  /* Without exit handlers: those of the plugin may do anything. */
  _exit (print (result_fd, answer) && error == NULL ? EXIT_SUCCESS : EXIT_FAILURE);
}
