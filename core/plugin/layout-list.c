/* layout-list.c - asks page plugins, in children, what they offer, and puts it beside the arranging ones. */
#define G_LOG_DOMAIN "rec.plugin.layout-list"
#include "plugin/layout-list.h"

#include <gio/gio.h>
#include <string.h>

#include "base/config.h"
#include "base/json.h"
#include "plugin/catalogue.h"
#include "plugin/prober.h"

/* One plugin and a name that it goes by; what the thread must not look up in the catalogue. */
typedef struct {
  char *file, *id, *summary;
  char *recording_layout;
} Page;

typedef struct {
  char *program, *folder;
  int timeout_ms;
  GPtrArray *pages; /* of Page */
  json_object *list;
  RecLayoutsListed listed;
  void *data;
} Run;

static void
free_page (void *data)
{
  Page *page = data;

  g_free (page->file);
  g_free (page->id);
  g_free (page->summary);
  g_free (page->recording_layout);
  g_free (page);
}

static void
free_run (void *data)
{
  Run *run = data;

  g_free (run->program);
  g_free (run->folder);
  g_ptr_array_unref (run->pages);
  json_object_put (run->list);
  g_free (run);
}

static void
add_layout (json_object *list, const char *recording_layout, const char *custom_layout,
    const char *plugin, const char *summary)
{
  json_object *layout = json_object_new_object ();

  rec_json_set_string (layout, "recordingLayout", recording_layout);
  if (custom_layout != NULL)
    rec_json_set_string (layout, "customLayout", custom_layout);
  rec_json_set_string (layout, "plugin", plugin);
  rec_json_set_string (layout, "kind", custom_layout != NULL ? "page" : "arranging");
  rec_json_set_string (layout, "summary", summary);
  json_object_array_add (rec_json_get (list, "layouts"), layout);
}

static void
add_problem (json_object *list, const char *plugin, const char *message)
{
  json_object *problem = json_object_new_object ();

  rec_json_set_string (problem, "plugin", plugin);
  rec_json_set_string (problem, "message", message);
  json_object_array_add (rec_json_get (list, "problems"), problem);
}

/* --- what the catalogue knows ---------------------------------------------------------------------- */

static bool
is_custom (const char *name)
{
  return strcmp (name, "CUSTOM") == 0 || strcmp (name, "CUSTOM_SUBFOLDER") == 0;
}

static void
add_page (Run *run, const RecCatalogueEntry *entry, const char *name)
{
  Page *page = g_new0 (Page, 1);

  page->file = g_strdup (entry->file);
  page->id = g_strdup (entry->id);
  page->summary = g_strdup (entry->summary);
  page->recording_layout = g_strdup (is_custom (name) ? "CUSTOM" : name);
  g_ptr_array_add (run->pages, page);
}

static void
add_entry (Run *run, const RecCatalogueEntry *entry, const char *name)
{
  if (entry->kind == REC_PLUGIN_PAGE_LAYOUT)
    add_page (run, entry, name);
  else if (entry->kind == REC_PLUGIN_ARRANGING_LAYOUT)
    add_layout (run->list, name, NULL, entry->id, entry->summary);
}

/* Under each name that OpenVidu has for it; a page plugin that has none goes by its id. */
static void
add_names (Run *run, RecCatalogue *catalogue, const RecCatalogueEntry *entry)
{
  const RecConfig *config = rec_catalogue_get_config (catalogue);
  g_autoptr (GPtrArray) names = rec_config_list_names (config, "layouts");
  bool is_named = false;

  for (guint i = 0; i < names->len; i++) {
    const char *id = rec_config_lookup (config, "layouts", names->pdata[i]);
    if (g_strcmp0 (id, entry->id) != 0)
      continue;
    add_entry (run, entry, names->pdata[i]);
    is_named = true;
  }
  if (!is_named || entry->kind == REC_PLUGIN_ARRANGING_LAYOUT)
    add_entry (run, entry, entry->id);
}

static Run *
make_run (RecCatalogue *catalogue, const char *folder)
{
  Run *run = g_new0 (Run, 1);
  GPtrArray *entries = rec_catalogue_get_entries (catalogue);

  run->program = g_strdup (rec_catalogue_get_program (catalogue));
  run->folder = g_canonicalize_filename (folder, NULL);
  run->timeout_ms =
      (int) rec_config_get_int (rec_catalogue_get_config (catalogue), "plugins.probe-timeout-ms");
  run->pages = g_ptr_array_new_with_free_func (free_page);
  run->list = json_object_new_object ();
  rec_json_take (run->list, "layouts", json_object_new_array ());
  rec_json_take (run->list, "problems", json_object_new_array ());
  for (guint i = 0; i < entries->len; i++) {
    const RecCatalogueEntry *entry = entries->pdata[i];
    if (entry->is_usable)
      add_names (run, catalogue, entry);
  }
  return run;
}

/* --- what the pages' plugins say -------------------------------------------------------------------- */

static void
take_result (json_object *list, const Page *page, const RecProbeResult *result)
{
  size_t n_layouts = result->layouts != NULL ? json_object_array_length (result->layouts) : 0;

  if (result->layouts == NULL)
    add_problem (list, page->id, result->refusal);
  for (size_t i = 0; i < n_layouts; i++) {
    json_object *layout = json_object_array_get_idx (result->layouts, i);
    const char *summary = rec_json_string_or (layout, "summary", "");
    add_layout (list, page->recording_layout, rec_json_string_or (layout, "name", ""), page->id,
        *summary != '\0' ? summary : page->summary);
  }
}

static void
ask_on_thread (GTask *task, void *source G_GNUC_UNUSED, void *data,
    GCancellable *cancellable G_GNUC_UNUSED)
{
  Run *run = data;
  g_autoptr (GPtrArray) files = g_ptr_array_new ();

  for (guint i = 0; i < run->pages->len; i++)
    g_ptr_array_add (files, ((Page *) run->pages->pdata[i])->file);
  g_ptr_array_add (files, NULL);
  g_autoptr (GPtrArray) results = rec_prober_list (run->program, (const char *const *) files->pdata,
      run->folder, run->timeout_ms);
  for (guint i = 0; i < results->len; i++)
    take_result (run->list, run->pages->pdata[i], results->pdata[i]);
  g_task_return_boolean (task, TRUE);
}

static void
on_asked (GObject *source G_GNUC_UNUSED, GAsyncResult *result, void *data)
{
  const Run *run = g_task_get_task_data (G_TASK (result));

  run->listed (run->list, data);
}

void
rec_layout_list_run (RecCatalogue *catalogue, const char *folder, RecLayoutsListed listed,
    void *data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_asked, data);
  Run *run = make_run (catalogue, folder);

  run->listed = listed;
  g_task_set_task_data (task, run, free_run);
  g_task_run_in_thread (task, ask_on_thread);
}
