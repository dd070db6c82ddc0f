/* catalogue.c - scans the plugin directories and answers for what was found. */
#define G_LOG_DOMAIN "rec.plugin.catalogue"
#include "plugin/catalogue.h"

#include <gio/gio.h>
#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/ini.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "plugin/options.h"
#include "plugin/prober.h"

#define MAX_PLUGINS 256

/* What a scan needs; a copy, since it may run on a thread of its own. */
typedef struct {
  char *program;
  char **directories;
  char *config_directory;
  int timeout_ms;
} Scan;

/* Between a scan on a thread and a catalogue that may be freed meanwhile. */
typedef struct {
  RecCatalogue *catalogue; /* NULL once freed */
} Link;

struct RecCatalogue {
  const RecConfig *config;
  char *program;
  GPtrArray *entries;
  Link *rescan;       /* of the scan that runs, or NULL */
  bool scan_is_stale; /* asked for again while it ran */
};

static const struct {
  const char *word;
  RecPluginKind kind;
} kinds[] = {
  { "arranging-layout", REC_PLUGIN_ARRANGING_LAYOUT },
  { "page-layout", REC_PLUGIN_PAGE_LAYOUT },
  { "sink", REC_PLUGIN_SINK },
};

static void
free_entry (void *data)
{
  RecCatalogueEntry *entry = data;

  g_free (entry->file);
  g_free (entry->id);
  g_free (entry->version);
  g_free (entry->summary);
  g_free (entry->refusal);
  json_object_put (entry->options);
  json_object_put (entry->values);
  g_free (entry);
}

static Scan *
make_scan (const RecCatalogue *catalogue)
{
  Scan *scan = g_new0 (Scan, 1);

  scan->program = g_strdup (catalogue->program);
  scan->directories =
      g_strdupv ((char **) rec_config_get_list (catalogue->config, "plugins.directories"));
  scan->config_directory =
      g_strdup (rec_config_get_string (catalogue->config, "plugins.config-directory"));
  scan->timeout_ms = (int) rec_config_get_int (catalogue->config, "plugins.probe-timeout-ms");
  return scan;
}

static void
free_scan (void *data)
{
  Scan *scan = data;

  g_free (scan->program);
  g_strfreev (scan->directories);
  g_free (scan->config_directory);
  g_free (scan);
}

/* --- the ini file of a plugin -------------------------------------------------------------------- */

static json_object *
make_fallbacks (json_object *options)
{
  json_object *values = json_object_new_object ();

  for (size_t i = 0; i < json_object_array_length (options); i++) {
    json_object *option = json_object_array_get_idx (options, i);

    rec_json_take (values, rec_json_string_or (option, "key", ""),
        json_object_get (rec_json_get (option, "fallback")));
  }
  return values;
}

static bool
take_ini_value (const char *section, const char *name, const char *text, int line G_GNUC_UNUSED,
    void *data, GError **error)
{
  const RecCatalogueEntry *entry = data;
  json_object *option = rec_options_find (entry->options, name);

  if (strcmp (section, entry->id) != 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "expected the section [%s] only",
        entry->id);
    return false;
  }
  if (option == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "the plugin has no such option; --list-plugins shows those it has");
    return false;
  }
  json_object *value = rec_option_parse (option, text, error);
  if (value == NULL) {
    g_prefix_error (error, "'%s': ", rec_option_has_flag (option, "secret") ? "***" : text);
    return false;
  }
  rec_json_take (entry->values, name, value);
  return true;
}

static void
read_ini (const Scan *scan, RecCatalogueEntry *entry)
{
  g_autofree char *name = g_strconcat (entry->id, ".ini", NULL);
  g_autofree char *path = g_build_filename (scan->config_directory, name, NULL);
  g_autoptr (GError) error = NULL;

  entry->values = make_fallbacks (entry->options);
  if (rec_ini_read (path, take_ini_value, entry, &error) ||
      g_error_matches (error, REC_ERROR, REC_ERROR_NOT_FOUND))
    return;
  entry->refusal = g_strdup (error->message);
}

/* --- scanning ------------------------------------------------------------------------------------ */

static int
compare_names (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* In the order of the names, so that the same folder always gives the same catalogue. */
static void
list_directory (const char *directory, GPtrArray *files)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (dir == NULL) {
    g_warning ("cannot look for plugins: %s; going on without this folder", error->message);
    return;
  }
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".so") && name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (directory, names->pdata[i], NULL);

    if (files->len == MAX_PLUGINS) {
      g_warning ("there are more than %d plugins, leaving out '%s' and those after it", MAX_PLUGINS,
          path);
      return;
    }
    g_ptr_array_add (files, g_canonicalize_filename (path, NULL));
  }
}

static RecCatalogueEntry *
make_entry (const Scan *scan, RecProbeResult *result)
{
  RecCatalogueEntry *entry = g_new0 (RecCatalogueEntry, 1);
  json_object *descriptor = result->descriptor;

  entry->file = g_strdup (result->file);
  if (descriptor == NULL) {
    entry->id = g_path_get_basename (result->file);
    *strrchr (entry->id, '.') = '\0';
    entry->refusal = g_strdup (result->refusal);
    return entry;
  }
  entry->id = g_strdup (rec_json_string_or (descriptor, "id", ""));
  entry->version = g_strdup (rec_json_string_or (descriptor, "version", ""));
  entry->summary = g_strdup (rec_json_string_or (descriptor, "summary", ""));
  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (rec_json_string_or (descriptor, "kind", ""), kinds[i].word) == 0)
      entry->kind = kinds[i].kind;
  entry->sink_accepts = (uint32_t) rec_json_int_or (descriptor, "accepts", 0);
  entry->sink_delivery = (uint32_t) rec_json_int_or (descriptor, "delivery", 0);
  entry->options = json_object_get (rec_json_get (descriptor, "options"));
  read_ini (scan, entry);
  return entry;
}

/* The first by the order of the directories keeps the id, so that a folder in front can replace what comes with us. */
static void
refuse_duplicate (GHashTable *by_id, RecCatalogueEntry *entry)
{
  const RecCatalogueEntry *first = g_hash_table_lookup (by_id, entry->id);

  if (first == NULL) {
    g_hash_table_insert (by_id, entry->id, entry);
    return;
  }
  g_free (entry->refusal);
  entry->refusal =
      g_strdup_printf ("has the id '%s', as '%s' has, which comes first", entry->id, first->file);
}

static int
compare_entries (const void *a, const void *b)
{
  const RecCatalogueEntry *first = *(RecCatalogueEntry *const *) a;
  const RecCatalogueEntry *second = *(RecCatalogueEntry *const *) b;
  int order = strcmp (first->id, second->id);

  if (order == 0)
    order = (int) second->is_usable - (int) first->is_usable;
  return order != 0 ? order : strcmp (first->file, second->file);
}

static GPtrArray *
run_scan (const Scan *scan)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) by_id = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *entries = g_ptr_array_new_with_free_func (free_entry);

  for (size_t i = 0; scan->directories[i] != NULL; i++)
    list_directory (scan->directories[i], files);
  g_ptr_array_add (files, NULL);
  g_autoptr (GPtrArray) results =
      rec_prober_run (scan->program, (const char *const *) files->pdata, scan->timeout_ms);
  for (guint i = 0; i < results->len; i++) {
    RecCatalogueEntry *entry = make_entry (scan, results->pdata[i]);

    if (entry->options != NULL)
      refuse_duplicate (by_id, entry);
    entry->is_usable = entry->refusal == NULL;
    if (!entry->is_usable)
      g_warning ("plugin '%s' is refused: %s", entry->file, entry->refusal);
    g_ptr_array_add (entries, entry);
  }
  g_ptr_array_sort (entries, compare_entries);
  return entries;
}

RecCatalogue *
rec_catalogue_new (const RecConfig *config, const char *program, GError **error G_GNUC_UNUSED)
{
  RecCatalogue *catalogue = g_new0 (RecCatalogue, 1);

  catalogue->config = config;
  catalogue->program = g_strdup (program);
  Scan *scan = make_scan (catalogue);
  catalogue->entries = run_scan (scan);
  free_scan (scan);
  return catalogue;
}

void
rec_catalogue_free (RecCatalogue *catalogue)
{
  if (catalogue == NULL)
    return;
  if (catalogue->rescan != NULL)
    catalogue->rescan->catalogue = NULL;
  g_ptr_array_unref (catalogue->entries);
  g_free (catalogue->program);
  g_free (catalogue);
}

/* --- scanning again ------------------------------------------------------------------------------ */

static void start_rescan (RecCatalogue *catalogue);

static void
unref_entries (void *data)
{
  g_ptr_array_unref (data);
}

static void
scan_on_thread (GTask *task, void *source G_GNUC_UNUSED, void *data,
    GCancellable *cancellable G_GNUC_UNUSED)
{
  g_task_return_pointer (task, run_scan (data), unref_entries);
}

static void
take_scan (GObject *source G_GNUC_UNUSED, GAsyncResult *result, void *data)
{
  Link *link = data;
  RecCatalogue *catalogue = link->catalogue;
  GPtrArray *entries = g_task_propagate_pointer (G_TASK (result), NULL);

  g_free (link);
  if (catalogue == NULL) {
    g_ptr_array_unref (entries);
    return;
  }
  g_ptr_array_unref (catalogue->entries);
  catalogue->entries = entries;
  catalogue->rescan = NULL;
  g_message ("found %u plugins", entries->len);
  if (catalogue->scan_is_stale)
    start_rescan (catalogue);
}

static void
start_rescan (RecCatalogue *catalogue)
{
  Link *link = g_new0 (Link, 1);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, take_scan, link);

  link->catalogue = catalogue;
  catalogue->rescan = link;
  catalogue->scan_is_stale = false;
  g_task_set_task_data (task, make_scan (catalogue), free_scan);
  g_task_run_in_thread (task, scan_on_thread);
}

bool
rec_catalogue_rescan (RecCatalogue *catalogue, GError **error G_GNUC_UNUSED)
{
  REC_ASSERT_MAIN ();
  if (catalogue->rescan != NULL)
    catalogue->scan_is_stale = true;
  else
    start_rescan (catalogue);
  return true;
}

/* --- answers ------------------------------------------------------------------------------------- */

const char *
rec_catalogue_get_program (const RecCatalogue *catalogue)
{
  return catalogue->program;
}

const RecConfig *
rec_catalogue_get_config (const RecCatalogue *catalogue)
{
  return catalogue->config;
}

GPtrArray *
rec_catalogue_get_entries (RecCatalogue *catalogue)
{
  return catalogue->entries;
}

const RecCatalogueEntry *
rec_catalogue_find (RecCatalogue *catalogue, RecPluginKind kind, const char *id)
{
  for (guint i = 0; i < catalogue->entries->len; i++) {
    const RecCatalogueEntry *entry = catalogue->entries->pdata[i];

    if (entry->is_usable && entry->kind == kind && strcmp (entry->id, id) == 0)
      return entry;
  }
  return NULL;
}

static const RecCatalogueEntry *
find_usable_layout (RecCatalogue *catalogue, const char *id)
{
  const RecCatalogueEntry *entry = rec_catalogue_find (catalogue, REC_PLUGIN_ARRANGING_LAYOUT, id);

  return entry != NULL ? entry : rec_catalogue_find (catalogue, REC_PLUGIN_PAGE_LAYOUT, id);
}

static const char *
find_refusal (RecCatalogue *catalogue, const char *id)
{
  for (guint i = 0; i < catalogue->entries->len; i++) {
    const RecCatalogueEntry *entry = catalogue->entries->pdata[i];

    if (!entry->is_usable && strcmp (entry->id, id) == 0)
      return entry->refusal;
  }
  return "there is no such plugin";
}

static char *
list_layouts (RecCatalogue *catalogue)
{
  g_autoptr (GPtrArray) names = rec_config_list_names (catalogue->config, "layouts");
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (text, "%s, ", (const char *) names->pdata[i]);
  for (guint i = 0; i < catalogue->entries->len; i++) {
    const RecCatalogueEntry *entry = catalogue->entries->pdata[i];

    if (entry->is_usable && entry->kind != REC_PLUGIN_SINK)
      g_string_append_printf (text, "%s, ", entry->id);
  }
  g_string_truncate (text, text->len >= 2 ? text->len - 2 : 0);
  return g_string_free (text, FALSE);
}

const RecCatalogueEntry *
rec_catalogue_find_layout (RecCatalogue *catalogue, const char *recording_layout, GError **error)
{
  const char *mapped = rec_config_lookup (catalogue->config, "layouts", recording_layout);
  const char *id = mapped != NULL ? mapped : recording_layout;
  const RecCatalogueEntry *entry = find_usable_layout (catalogue, id);

  if (entry != NULL)
    return entry;
  if (mapped != NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "layout '%s' is served by the plugin '%s', which cannot be used: %s", recording_layout,
        mapped, find_refusal (catalogue, mapped));
    return NULL;
  }
  g_autofree char *list = list_layouts (catalogue);
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "there is no layout '%s'; there are: %s", recording_layout, list);
  return NULL;
}

static bool
override_option (const RecCatalogueEntry *entry, json_object *values, const char *key,
    json_object *value, GError **error)
{
  json_object *option = rec_options_find (entry->options, key);

  if (option == NULL || !rec_option_has_flag (option, "request")) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "plugin '%s' has no option '%s'%s",
        entry->id, key, option != NULL ? " that a request may set" : "");
    return false;
  }
  if (!rec_option_check (option, value, error)) {
    g_prefix_error (error, "plugin '%s', option '%s': ", entry->id, key);
    return false;
  }
  rec_json_take (values, key, json_object_get (value));
  return true;
}

json_object *
rec_catalogue_dup_options (const RecCatalogueEntry *entry, json_object *request, GError **error)
{
  g_autoptr (RecJson) values = json_object_new_object ();

  json_object_object_foreach (entry->values, own_key, own_value) {
    rec_json_take (values, own_key, json_object_get (own_value));
  }
  if (request == NULL)
    return g_steal_pointer (&values);
  if (!json_object_is_type (request, json_type_object)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "the options of plugin '%s' must be an object", entry->id);
    return NULL;
  }
  json_object_object_foreach (request, key, value) {
    if (!override_option (entry, values, key, value, error))
      return NULL;
  }
  return g_steal_pointer (&values);
}

static json_object *
option_to_json (json_object *option, json_object *values)
{
  bool is_secret = rec_option_has_flag (option, "secret");
  json_object *shown = json_object_new_object ();

  json_object_object_foreach (option, name, value) {
    if (!is_secret || strcmp (name, "fallback") != 0)
      rec_json_take (shown, name, json_object_get (value));
  }
  if (!is_secret)
    rec_json_take (shown, "value",
        json_object_get (rec_json_get (values, rec_json_string_or (option, "key", ""))));
  return shown;
}

static json_object *
entry_to_json (const RecCatalogueEntry *entry)
{
  json_object *shown = json_object_new_object ();
  json_object *options = json_object_new_array ();
  size_t n_options = entry->options != NULL ? json_object_array_length (entry->options) : 0;

  rec_json_set_string (shown, "id", entry->id);
  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (kinds[i].kind == entry->kind)
      rec_json_set_string (shown, "kind", kinds[i].word);
  if (entry->version != NULL)
    rec_json_set_string (shown, "version", entry->version);
  if (entry->summary != NULL)
    rec_json_set_string (shown, "summary", entry->summary);
  rec_json_set_string (shown, "file", entry->file);
  rec_json_set_bool (shown, "usable", entry->is_usable);
  if (!entry->is_usable)
    rec_json_set_string (shown, "refusal", entry->refusal);
  for (size_t i = 0; i < n_options; i++)
    json_object_array_add (options,
        option_to_json (json_object_array_get_idx (entry->options, i), entry->values));
  rec_json_take (shown, "options", options);
  return shown;
}

json_object *
rec_catalogue_to_json (RecCatalogue *catalogue)
{
  json_object *list = json_object_new_object ();
  json_object *plugins = json_object_new_array ();

  for (guint i = 0; i < catalogue->entries->len; i++)
    json_object_array_add (plugins, entry_to_json (catalogue->entries->pdata[i]));
  rec_json_take (list, "plugins", plugins);
  return list;
}
