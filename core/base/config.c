/* config.c - default, ini file, environment and -D become one set of checked values. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.base.config"
#include "base/config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/ini.h"
#include "base/settings.h"

#ifndef REC_SYSCONFDIR
#error "REC_SYSCONFDIR is the folder of recto.ini: the Makefile sets it"
#endif
#ifndef REC_LIBRARY_DIRECTORY
#error "REC_LIBRARY_DIRECTORY is the folder of installed client libraries: the Makefile sets it"
#endif
#ifndef REC_PLUGIN_DIRECTORY
#error "REC_PLUGIN_DIRECTORY is the folder of installed plugins: the Makefile sets it"
#endif

#define HIDDEN_SECRET "***"
#define MAX_SECRET_FILE_BYTES 4096

typedef struct Value {
  char *text;
  char *origin; /* NULL: the table's default */
  char **list;
  int64_t number;
  bool is_true;
} Value;

struct RecConfig {
  Value *values;     /* one per row of rec_settings */
  GHashTable *rows;  /* key -> row + 1 */
  GTree *free_names; /* "section.name" -> text, of free sections */
  GPtrArray *notes;
};

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  (void) data;
  return strcmp (a, b);
}

static bool
fail (GError **error, const char *found, const char *expected)
{
  g_autofree char *shown = g_strescape (found, NULL);

  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "'%.200s': expected %s", shown,
      expected);
  return false;
}

/* Numbers. */

static char *
describe_range (const RecSetting *setting)
{
  return g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "%s%s",
      setting->min, setting->max, setting->unit == NULL ? "" : " ",
      setting->unit == NULL ? "" : setting->unit);
}

static bool
parse_number (const RecSetting *setting, const char *text, int64_t *number)
{
  char *end = NULL;
  const char *digits = *text == '-' ? text + 1 : text;

  if (!g_ascii_isdigit (*digits))
    return false;
  errno = 0;
  *number = g_ascii_strtoll (text, &end, 10);
  return errno == 0 && *end == '\0' && *number >= setting->min && *number <= setting->max;
}

/* Any value. */

static char **
split_list (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);

  for (size_t i = 0; parts[i] != NULL; i++) {
    const char *part = g_strstrip (parts[i]);
    if (*part != '\0')
      g_ptr_array_add (list, g_strdup (part));
  }
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&list), FALSE);
}

static bool
has_control_character (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      return true;
  return false;
}

static char *
describe_text (const RecSetting *setting)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " bytes of UTF-8 text",
      setting->min, setting->max);
}

static bool
is_good_text (const RecSetting *setting, const char *text)
{
  int64_t length = (int64_t) strlen (text);

  return length >= setting->min && length <= setting->max && !has_control_character (text) &&
         g_utf8_validate (text, -1, NULL) &&
         !((setting->flags & REC_SETTING_SECRET) != 0 && strcmp (text, HIDDEN_SECRET) == 0);
}

/* NULL when the text is good, else what was expected. */
static char *
parse_value (const RecSetting *setting, const char *text, Value *value)
{
  switch (setting->type) {
  case REC_SETTING_INT:
    return parse_number (setting, text, &value->number) ? NULL : describe_range (setting);
  case REC_SETTING_BOOL:
    value->is_true = strcmp (text, "true") == 0;
    return value->is_true || strcmp (text, "false") == 0 ? NULL : g_strdup ("true or false");
  case REC_SETTING_CHOICE: {
    if (g_strv_contains (setting->choices, text))
      return NULL;
    g_autofree char *choices = g_strjoinv (", ", (char **) setting->choices);
    return g_strdup_printf ("one of %s", choices);
  }
  case REC_SETTING_STRING:
  case REC_SETTING_PATH:
    return is_good_text (setting, text) ? NULL : describe_text (setting);
  case REC_SETTING_LIST:
    if (!is_good_text (setting, text))
      return describe_text (setting);
    value->list = split_list (text);
    return NULL;
  case REC_SETTING_INVALID:
    break;
  }
  g_assert_not_reached ();
}

static void
clear_value (Value *value)
{
  g_clear_pointer (&value->text, g_free);
  g_clear_pointer (&value->origin, g_free);
  g_clear_pointer (&value->list, g_strfreev);
}

static bool
set_row (RecConfig *config, size_t row, const char *text, const char *origin, GError **error)
{
  const RecSetting *setting = &rec_settings[row];
  Value value = { 0 };
  g_autofree char *expected = parse_value (setting, text, &value);

  if (expected != NULL) {
    bool is_secret = (setting->flags & REC_SETTING_SECRET) != 0;
    return fail (error, is_secret ? HIDDEN_SECRET : text, expected);
  }
  value.text = g_strdup (text);
  value.origin = g_strdup (origin);
  clear_value (&config->values[row]);
  config->values[row] = value;
  return true;
}

/* Keys. */

static const RecSetting *
find_free_section (const char *key)
{
  size_t length = strcspn (key, ".");

  for (size_t i = 0; key[length] == '.' && i < rec_n_settings; i++)
    if ((rec_settings[i].flags & REC_SETTING_FREE) != 0 &&
        strncmp (rec_settings[i].key, key, length + 1) == 0)
      return &rec_settings[i];
  return NULL;
}

static bool
is_section (const char *name, size_t length)
{
  for (size_t i = 0; rec_setting_sections[i].name != NULL; i++)
    if (strlen (rec_setting_sections[i].name) == length &&
        strncmp (rec_setting_sections[i].name, name, length) == 0)
      return true;
  return false;
}

static bool
refuse_key (const char *key, GError **error)
{
  size_t length = strcspn (key, ".");
  bool is_known = key[length] == '.' && is_section (key, length);

  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "there is no such %s; conf/recto.ini lists what there is", is_known ? "key" : "section");
  return false;
}

static bool
set_free_name (RecConfig *config, const RecSetting *model, const char *key, const char *value,
    GError **error)
{
  if (strchr (key, '.')[1] == '\0' || !is_good_text (model, value)) {
    g_autofree char *expected = describe_text (model);
    return fail (error, value, expected);
  }
  g_tree_insert (config->free_names, g_strdup (key), g_strdup (value));
  return true;
}

static bool
apply (RecConfig *config, const char *key, const char *value, const char *origin, GError **error)
{
  size_t row = GPOINTER_TO_SIZE (g_hash_table_lookup (config->rows, key));
  const RecSetting *model = find_free_section (key);

  if (row == 0 && model == NULL)
    return refuse_key (key, error);
  if (model != NULL && !set_free_name (config, model, key, value, error))
    return false;
  return row == 0 || set_row (config, row - 1, value, origin, error);
}

bool
rec_config_set (RecConfig *config, const char *key, const char *value, const char *origin,
    GError **error)
{
  if (apply (config, key, value, origin, error))
    return true;
  g_prefix_error (error, "%s: %s: ", origin, key);
  return false;
}

/* Sources. */

typedef struct IniSource {
  RecConfig *config;
  const char *path;
} IniSource;

/* The reader names file, line, section and key: only found and expected are left to say. */
static bool
set_from_ini (const char *section, const char *name, const char *value, int line, void *data,
    GError **error)
{
  const IniSource *source = data;
  g_autofree char *key = g_strconcat (section, ".", name, NULL);
  g_autofree char *origin = g_strdup_printf ("%s:%d", source->path, line);

  return apply (source->config, key, value, origin, error);
}

static char *
make_variable_name (const char *key)
{
  g_autofree char *name =
      g_strconcat (g_str_has_prefix (key, "openvidu.") ? "" : "recto.", key, NULL);

  for (char *c = name; *c != '\0'; c++)
    *c = *c == '.' || *c == '-' ? '_' : g_ascii_toupper (*c);
  return g_steal_pointer (&name);
}

/* Every environment variable that means a setting: its own key, the upper-case form, the aliases. */
static GHashTable *
list_variables (void)
{
  GHashTable *variables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (size_t i = 0; i < rec_n_settings; i++) {
    const char *key = rec_settings[i].key;
    g_hash_table_insert (variables, g_strdup (key), (char *) key);
    g_hash_table_insert (variables, make_variable_name (key), (char *) key);
    g_auto (GStrv) aliases =
        g_strsplit (rec_settings[i].aliases == NULL ? "" : rec_settings[i].aliases, ",", -1);
    for (size_t j = 0; aliases[j] != NULL; j++)
      g_hash_table_insert (variables, g_strdup (aliases[j]), (char *) key);
  }
  return variables;
}

static bool
set_from_variable (RecConfig *config, GHashTable *variables, GHashTable *seen, const char *entry,
    GError **error)
{
  const char *equals = strchr (entry, '=');
  if (equals == NULL)
    return true;

  g_autofree char *name = g_strndup (entry, (size_t) (equals - entry));
  const char *key = g_hash_table_lookup (variables, name);
  g_autofree char *origin = g_strdup_printf ("environment variable %s", name);
  if (key == NULL) {
    const char *dot = strchr (name, '.');
    if (dot != NULL && is_section (name, (size_t) (dot - name)))
      return rec_config_set (config, name, equals + 1, origin, error);
    if (g_str_has_prefix (name, "OPENVIDU_") || g_str_has_prefix (name, "RECTO_"))
      g_ptr_array_add (config->notes, g_strdup_printf ("%s is not a setting, ignored", origin));
    return true;
  }
  const char *other = g_hash_table_lookup (seen, key);
  if (other != NULL && strcmp (strchr (other, '=') + 1, equals + 1) != 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "%s: environment variable %.*s says otherwise, and both mean %s", origin,
        (int) strcspn (other, "="), other, key);
    return false;
  }
  g_hash_table_insert (seen, (char *) key, (char *) entry);
  return rec_config_set (config, key, equals + 1, origin, error);
}

static bool
read_environment (RecConfig *config, const char *const *environment, GError **error)
{
  g_autoptr (GHashTable) variables = list_variables ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (size_t i = 0; environment[i] != NULL; i++)
    if (!set_from_variable (config, variables, seen, environment[i], error))
      return false;
  return true;
}

static bool
read_definitions (RecConfig *config, const char *const *definitions, GError **error)
{
  for (size_t i = 0; definitions[i] != NULL; i++) {
    const char *equals = strchr (definitions[i], '=');
    if (equals == NULL) {
      g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "-D %s: expected key=value",
          definitions[i]);
      return false;
    }
    g_autofree char *key = g_strndup (definitions[i], (size_t) (equals - definitions[i]));
    if (!rec_config_set (config, key, equals + 1, "-D", error))
      return false;
  }
  return true;
}

static bool
read_secret_file (RecConfig *config, GError **error)
{
  const char *path = rec_config_get_string (config, "openvidu.secret-file");
  g_autofree char *text = NULL;
  size_t length = 0;
  g_autoptr (GError) cause = NULL;
  struct stat info;

  if (*path == '\0')
    return true;
  if (!g_file_get_contents (path, &text, &length, &cause)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "openvidu.secret-file = '%s': cannot read the secret: %s", path, cause->message);
    return false;
  }
  size_t end = strcspn (text, "\r\n");
  if (end == 0 || strlen (text) != length || length > MAX_SECRET_FILE_BYTES) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "openvidu.secret-file = '%s': expected the secret on the first line", path);
    return false;
  }
  if (stat (path, &info) == 0 && (info.st_mode & S_IRWXO) != 0)
    g_ptr_array_add (config->notes,
        g_strdup_printf ("the secret file '%s' is open to all users", path));
  text[end] = '\0';
  return rec_config_set (config, "openvidu.secret", text, path, error);
}

/* Defaults that depend on where we are. */

static char *
find_directory (const char *name, const char *installed)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = program == NULL ? g_strdup (".") : g_path_get_dirname (program);
  g_autofree char *beside = g_build_filename (folder, name, NULL);

  if (g_file_test (beside, G_FILE_TEST_IS_DIR))
    return g_steal_pointer (&beside);
  return g_strdup (installed);
}

static void
set_default (RecConfig *config, const char *key, const char *value)
{
  size_t row = GPOINTER_TO_SIZE (g_hash_table_lookup (config->rows, key)) - 1;
  bool is_set = set_row (config, row, value, NULL, NULL);

  g_assert (is_set);
}

static void
fill_in_folders (RecConfig *config, const char *file)
{
  if (*rec_config_get_list (config, "plugins.directories") == NULL) {
    g_autofree char *directory = find_directory ("plugins", REC_PLUGIN_DIRECTORY);
    set_default (config, "plugins.directories", directory);
  }
  if (*rec_config_get_string (config, "browser.library-directory") == '\0') {
    g_autofree char *directory = find_directory ("openvidu-browser", REC_LIBRARY_DIRECTORY);
    set_default (config, "browser.library-directory", directory);
  }
  if (*rec_config_get_string (config, "plugins.config-directory") == '\0') {
    g_autofree char *folder = file == NULL ? g_strdup (REC_SYSCONFDIR) : g_path_get_dirname (file);
    g_autofree char *directory = g_build_filename (folder, "plugins", NULL);
    set_default (config, "plugins.config-directory", directory);
  }
}

static void
note_without_effect (RecConfig *config)
{
  for (size_t i = 0; i < rec_n_settings; i++)
    if ((rec_settings[i].flags & REC_SETTING_NO_EFFECT) != 0 &&
        strcmp (config->values[i].text, rec_settings[i].fallback) != 0)
      g_ptr_array_add (config->notes, g_strdup_printf ("%s: %s has no effect in Recto",
                                          config->values[i].origin, rec_settings[i].key));
}

RecConfig *
rec_config_new (void)
{
  RecConfig *config = g_new0 (RecConfig, 1);

  config->values = g_new0 (Value, rec_n_settings);
  config->rows = g_hash_table_new (g_str_hash, g_str_equal);
  config->free_names = g_tree_new_full (compare_keys, NULL, g_free, g_free);
  config->notes = g_ptr_array_new_with_free_func (g_free);
  for (size_t i = 0; i < rec_n_settings; i++) {
    const RecSetting *setting = &rec_settings[i];
    bool is_new =
        g_hash_table_insert (config->rows, (char *) setting->key, GSIZE_TO_POINTER (i + 1));
    bool is_good = set_row (config, i, setting->fallback, NULL, NULL);
    g_assert (is_new && is_good);
    if ((setting->flags & REC_SETTING_FREE) != 0)
      g_tree_insert (config->free_names, g_strdup (setting->key), g_strdup (setting->fallback));
  }
  return config;
}

RecConfig *
rec_config_load (const RecConfigSources *sources, GError **error)
{
  g_autoptr (RecConfig) config = rec_config_new ();
  IniSource source = { .config = config, .path = sources->file };

  if (sources->file != NULL && !rec_ini_read (sources->file, set_from_ini, &source, error))
    return NULL;
  if (sources->environment != NULL && !read_environment (config, sources->environment, error))
    return NULL;
  if (sources->definitions != NULL && !read_definitions (config, sources->definitions, error))
    return NULL;
  if (!read_secret_file (config, error))
    return NULL;
  fill_in_folders (config, sources->file);
  note_without_effect (config);
  return g_steal_pointer (&config);
}

void
rec_config_free (RecConfig *config)
{
  if (config == NULL)
    return;
  for (size_t i = 0; i < rec_n_settings; i++)
    clear_value (&config->values[i]);
  g_free (config->values);
  g_hash_table_unref (config->rows);
  g_tree_unref (config->free_names);
  g_ptr_array_unref (config->notes);
  g_free (config);
}

/* Changing. All of these are read each time they are needed, on the main thread alone. */
static const char *const reloadable[] = { "log.level", "log.topics", "log.format",
  "openvidu.recording.notification", "openvidu.recording.autostop-timeout",
  "openvidu.sessions.garbage-threshold", "server.max-sessions",
  "server.max-participants-per-session", "server.max-tokens-per-session",
  "server.shutdown-timeout-s", "media.max-publishers-per-session", "recording.max-recordings",
  "recording.max-cpu-percent", "recording.max-memory-percent", "recording.max-duration-s",
  "recording.max-size-bytes", "recording.min-free-bytes", "recording.end-free-bytes",
  "recording.start-timeout-ms", "recording.stop-timeout-ms", "recording.heartbeat-timeout-ms",
  "encoder.preset", "encoder.quality", "encoder.max-video-bitrate", "encoder.audio-bitrate",
  "encoder.keyframe-interval-ms", "encoder.threads", "sinks.default", NULL };

void
rec_config_reload (RecConfig *config, RecConfig *fresh, GPtrArray *taken, GPtrArray *later)
{
  for (size_t i = 0; i < rec_n_settings; i++) {
    const char *key = rec_settings[i].key;

    if (strcmp (config->values[i].text, fresh->values[i].text) == 0)
      continue;
    if (!g_strv_contains (reloadable, key)) {
      g_ptr_array_add (later, (char *) key);
      continue;
    }
    const Value old = config->values[i];
    config->values[i] = fresh->values[i];
    fresh->values[i] = old;
    g_ptr_array_add (taken, (char *) key);
  }
}

/* Reading. */

static const Value *
get_value (const RecConfig *config, const char *key, RecSettingType type)
{
  size_t row = GPOINTER_TO_SIZE (g_hash_table_lookup (config->rows, key));

  if (row == 0 || (type != REC_SETTING_INVALID && rec_settings[row - 1].type != type))
    g_error ("our own bug: there is no setting '%s' of that type", key);
  return &config->values[row - 1];
}

const char *
rec_config_get_string (const RecConfig *config, const char *key)
{
  return get_value (config, key, REC_SETTING_INVALID)->text;
}

int64_t
rec_config_get_int (const RecConfig *config, const char *key)
{
  return get_value (config, key, REC_SETTING_INT)->number;
}

bool
rec_config_get_bool (const RecConfig *config, const char *key)
{
  return get_value (config, key, REC_SETTING_BOOL)->is_true;
}

const char *const *
rec_config_get_list (const RecConfig *config, const char *key)
{
  return (const char *const *) get_value (config, key, REC_SETTING_LIST)->list;
}

bool
rec_config_is_set (const RecConfig *config, const char *key)
{
  return get_value (config, key, REC_SETTING_INVALID)->origin != NULL;
}

const char *
rec_config_lookup (const RecConfig *config, const char *section, const char *name)
{
  g_autofree char *key = g_strconcat (section, ".", name, NULL);

  return g_tree_lookup (config->free_names, key);
}

typedef struct NameList {
  const char *section;
  GPtrArray *names;
} NameList;

static gboolean
collect_name (gpointer key, gpointer value, gpointer data)
{
  NameList *list = data;
  size_t length = strlen (list->section);
  (void) value;

  if (strncmp (key, list->section, length) == 0 && ((char *) key)[length] == '.')
    g_ptr_array_add (list->names, (char *) key + length + 1);
  return FALSE;
}

GPtrArray *
rec_config_list_names (const RecConfig *config, const char *section)
{
  NameList list = { .section = section, .names = g_ptr_array_new () };

  g_tree_foreach (config->free_names, collect_name, &list);
  return list.names;
}

void
rec_config_log_notes (const RecConfig *config)
{
  for (guint i = 0; i < config->notes->len; i++)
    g_warning ("%s", (const char *) g_ptr_array_index (config->notes, i));
}

char *
rec_config_dup_public_url (const RecConfig *config, uint16_t port)
{
  const char *url = rec_config_get_string (config, "openvidu.publicurl");
  const char *host = rec_config_get_string (config, "openvidu.domain-or-public-ip");
  size_t length = strlen (url);

  if (strcmp (url, "local") == 0)
    return g_strdup_printf ("https://%s:%u", *host == '\0' ? "localhost" : host, port);
  while (length > 0 && url[length - 1] == '/')
    length--;
  return g_strndup (url, length);
}

const char *
rec_config_get_default_file (void)
{
  static const char path[] = REC_SYSCONFDIR "/recto.ini";

  return g_file_test (path, G_FILE_TEST_EXISTS) ? path : NULL;
}
