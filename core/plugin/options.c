/* options.c - checks option tables and values, and lends them to plugins. */
#define G_LOG_DOMAIN "rec.plugin.options"
#include "plugin/options.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

typedef struct {
  RecOptions interface; /* first: what the plugin holds */
  GHashTable *values;   /* key -> json_object, a value for every key of the table */
  gint has_complained;  /* atomic */
} Options;

static const char *const type_names[] = {
  [REC_TYPE_INT] = "int",
  [REC_TYPE_BOOL] = "bool",
  [REC_TYPE_STRING] = "string",
};

bool
rec_option_is_name (const char *text)
{
  size_t length = strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

  return length > 0 && length <= REC_OPTION_MAX_NAME && text[length] == '\0';
}

json_object *
rec_options_find (json_object *description, const char *key)
{
  size_t n_options = description != NULL ? json_object_array_length (description) : 0;

  for (size_t i = 0; i < n_options; i++) {
    json_object *option = json_object_array_get_idx (description, i);

    if (strcmp (rec_json_string_or (option, "key", ""), key) == 0)
      return option;
  }
  return NULL;
}

bool
rec_option_has_flag (json_object *option, const char *flag)
{
  json_object *flags = rec_json_get (option, "flags");
  size_t n_flags = flags != NULL ? json_object_array_length (flags) : 0;

  for (size_t i = 0; i < n_flags; i++)
    if (strcmp (json_object_get_string (json_object_array_get_idx (flags, i)), flag) == 0)
      return true;
  return false;
}

/* --- values ------------------------------------------------------------------------------------ */

static bool expected (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static bool
expected (GError **error, const char *format, ...)
{
  va_list arguments;
  g_autofree char *text = NULL;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "expected %s", text);
  return false;
}

static bool
check_int (json_object *option, json_object *value, GError **error)
{
  int64_t min = rec_json_int_or (option, "min", INT64_MIN);
  int64_t max = rec_json_int_or (option, "max", INT64_MAX);
  bool is_bounded = rec_json_has (option, "min");

  if (json_object_is_type (value, json_type_int)) {
    int64_t number = json_object_get_int64 (value);

    if (number >= min && number <= max)
      return true;
  }
  if (is_bounded)
    return expected (error, "%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
  return expected (error, "a whole number");
}

static char *
join_choices (json_object *choices)
{
  GString *text = g_string_new (NULL);

  for (size_t i = 0; i < json_object_array_length (choices); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "",
        json_object_get_string (json_object_array_get_idx (choices, i)));
  return g_string_free (text, FALSE);
}

static bool
check_string (json_object *option, json_object *value, GError **error)
{
  json_object *choices = rec_json_get (option, "choices");
  int64_t max = rec_json_int_or (option, "max", REC_OPTION_MAX_TEXT);

  if (!json_object_is_type (value, json_type_string))
    return expected (error, "a text");
  const char *text = json_object_get_string (value);
  size_t length = (size_t) json_object_get_string_len (value);
  if (choices != NULL) {
    for (size_t i = 0; i < json_object_array_length (choices); i++)
      if (strcmp (json_object_get_string (json_object_array_get_idx (choices, i)), text) == 0)
        return true;
    g_autofree char *list = join_choices (choices);
    return expected (error, "one of: %s", list);
  }
  if (!g_utf8_validate_len (text, length, NULL))
    return expected (error, "a text in UTF-8 without zero bytes");
  if ((int64_t) length > max)
    return expected (error, "a text of at most %" G_GINT64_FORMAT " bytes", max);
  return true;
}

bool
rec_option_check (json_object *option, json_object *value, GError **error)
{
  const char *type = rec_json_string_or (option, "type", "");

  if (strcmp (type, "int") == 0)
    return check_int (option, value, error);
  if (strcmp (type, "string") == 0)
    return check_string (option, value, error);
  if (json_object_is_type (value, json_type_boolean))
    return true;
  return expected (error, "true or false");
}

/* NULL when the text is no value of this type at all. */
static json_object *
parse_text (const char *type, const char *text)
{
  if (strcmp (type, "string") == 0)
    return json_object_new_string (text);
  if (strcmp (type, "bool") == 0) {
    if (strcmp (text, "true") == 0 || strcmp (text, "false") == 0)
      return json_object_new_boolean (text[0] == 't');
    return NULL;
  }
  gint64 number = 0;
  if (!g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &number, NULL))
    return NULL;
  return json_object_new_int64 (number);
}

json_object *
rec_option_parse (json_object *option, const char *text, GError **error)
{
  g_autoptr (RecJson) value = parse_text (rec_json_string_or (option, "type", ""), text);

  if (!rec_option_check (option, value, error))
    return NULL;
  return g_steal_pointer (&value);
}

/* --- tables ------------------------------------------------------------------------------------ */

static bool
refuse (GError **error, const char *key, const char *why)
{
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "option '%s' %s", key, why);
  return false;
}

static const char *
unset_text (uint32_t type)
{
  return type == REC_TYPE_INT ? "0" : type == REC_TYPE_BOOL ? "false" : "";
}

static json_object *
describe_flags (uint32_t flags)
{
  json_object *names = json_object_new_array ();

  if (flags & REC_OPTION_REQUEST)
    json_object_array_add (names, json_object_new_string ("request"));
  if (flags & REC_OPTION_SECRET)
    json_object_array_add (names, json_object_new_string ("secret"));
  return names;
}

static bool
add_choices (json_object *description, const RecOption *option, GError **error)
{
  g_autoptr (RecJson) choices = json_object_new_array ();

  for (size_t i = 0; option->choices[i] != NULL; i++) {
    if (i == REC_OPTIONS_MAX)
      return refuse (error, option->key, "has too many choices");
    if (!g_utf8_validate (option->choices[i], -1, NULL))
      return refuse (error, option->key, "has a choice that is not UTF-8");
    json_object_array_add (choices, json_object_new_string (option->choices[i]));
  }
  json_object_object_add (description, "choices", g_steal_pointer (&choices));
  return true;
}

static bool
add_fallback (json_object *description, const RecOption *option, GError **error)
{
  g_autoptr (GError) why = NULL;
  const char *text = option->fallback != NULL ? option->fallback : unset_text (option->type);
  json_object *fallback = rec_option_parse (description, text, &why);

  if (fallback == NULL) {
    g_autofree char *message = g_strdup_printf ("has the fallback '%s': %s", text,
        why != NULL ? why->message : "it is none");
    return refuse (error, option->key, message);
  }
  json_object_object_add (description, "fallback", fallback);
  return true;
}

static json_object *
describe_option (const RecOption *option, GError **error)
{
  g_autoptr (RecJson) description = json_object_new_object ();
  const char *help = option->help != NULL ? option->help : "";

  if (option->key == NULL || !rec_option_is_name (option->key)) {
    refuse (error, "", "has a key other than [a-z0-9_-]+");
    return NULL;
  }
  if (option->type < REC_TYPE_INT || option->type > REC_TYPE_STRING) {
    refuse (error, option->key, "has an unknown type");
    return NULL;
  }
  if (option->min > option->max) {
    refuse (error, option->key, "has a minimum above its maximum");
    return NULL;
  }
  if (!g_utf8_validate (help, -1, NULL)) {
    refuse (error, option->key, "has a help text that is not UTF-8");
    return NULL;
  }
  rec_json_set_string (description, "key", option->key);
  rec_json_set_string (description, "type", type_names[option->type]);
  json_object_object_add (description, "flags", describe_flags (option->flags));
  if (option->type == REC_TYPE_INT && (option->min != 0 || option->max != 0)) {
    rec_json_set_int (description, "min", option->min);
    rec_json_set_int (description, "max", option->max);
  }
  if (option->type == REC_TYPE_STRING && option->max > 0)
    rec_json_set_int (description, "max", option->max);
  if (option->type == REC_TYPE_STRING && option->choices != NULL &&
      !add_choices (description, option, error))
    return NULL;
  if (!add_fallback (description, option, error))
    return NULL;
  rec_json_set_string (description, "help", help);
  return g_steal_pointer (&description);
}

json_object *
rec_options_describe (const RecOption *const *table, GError **error)
{
  g_autoptr (RecJson) description = json_object_new_array ();

  for (size_t i = 0; table != NULL && table[i] != NULL; i++) {
    if (i == REC_OPTIONS_MAX) {
      g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
          "its option table has more than %d entries or no end", REC_OPTIONS_MAX);
      return NULL;
    }
    if (!REC_HAS_FIELD (table[i], RecOption, choices)) {
      g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
          "entry %zu of its option table says that it has %u bytes", i, table[i]->size);
      return NULL;
    }
    json_object *option = describe_option (table[i], error);
    if (option == NULL)
      return NULL;
    bool is_double = rec_options_find (description, table[i]->key) != NULL;
    json_object_array_add (description, option);
    if (is_double) {
      refuse (error, table[i]->key, "is there twice");
      return NULL;
    }
  }
  return g_steal_pointer (&description);
}

/* --- what the plugin sees ------------------------------------------------------------------------ */

static json_object *
look_up (const RecOptions *interface, const char *key, json_type type)
{
  Options *options = (Options *) interface->context;
  json_object *value = key != NULL ? g_hash_table_lookup (options->values, key) : NULL;

  if (value != NULL && json_object_is_type (value, type))
    return value;
  if (g_atomic_int_compare_and_exchange (&options->has_complained, 0, 1))
    g_warning ("the plugin asked for its option '%s', which is %s; it gets an empty value",
        key != NULL ? key : "(null)", value == NULL ? "not in its table" : "of another type");
  return NULL;
}

static int64_t
get_int (const RecOptions *options, const char *key)
{
  json_object *value = look_up (options, key, json_type_int);

  return value != NULL ? json_object_get_int64 (value) : 0;
}

static bool
get_bool (const RecOptions *options, const char *key)
{
  json_object *value = look_up (options, key, json_type_boolean);

  return value != NULL && json_object_get_boolean (value);
}

static const char *
get_string (const RecOptions *options, const char *key)
{
  json_object *value = look_up (options, key, json_type_string);

  return value != NULL ? json_object_get_string (value) : "";
}

/* The given value when it is a right one, else the fallback; a copy, since what was given may change. */
static json_object *
choose_value (json_object *option, json_object *values)
{
  json_object *given = rec_json_get (values, rec_json_string_or (option, "key", ""));
  json_object *fallback = rec_json_get (option, "fallback");
  json_object *copy = NULL;

  if (given != NULL && !rec_option_check (option, given, NULL)) {
    g_warning ("the value given for option '%s' is wrong, keeping its fallback",
        rec_json_string_or (option, "key", ""));
    given = NULL;
  }
  json_object_deep_copy (given != NULL ? given : fallback, &copy, NULL);
  return copy;
}

static void
drop_value (void *value)
{
  json_object_put (value);
}

RecOptions *
rec_options_new (const RecOption *const *table, json_object *values)
{
  Options *options = g_new0 (Options, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (RecJson) description = rec_options_describe (table, &error);
  size_t n_options = description != NULL ? json_object_array_length (description) : 0;

  if (error != NULL)
    g_warning ("cannot use the plugin's options: %s; it has none", error->message);
  options->interface = (RecOptions){
    .size = sizeof (RecOptions),
    .context = options,
    .get_int = get_int,
    .get_bool = get_bool,
    .get_string = get_string,
  };
  options->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, drop_value);
  for (size_t i = 0; i < n_options; i++) {
    json_object *option = json_object_array_get_idx (description, i);

    g_hash_table_insert (options->values, g_strdup (rec_json_string_or (option, "key", "")),
        choose_value (option, values));
  }
  return &options->interface;
}

void
rec_options_free (RecOptions *interface)
{
  if (interface == NULL)
    return;
  Options *options = (Options *) interface->context;
  g_hash_table_unref (options->values);
  g_free (options);
}
