/* json.c - json-c with limits, typed getters and table-driven checks. */
#define G_LOG_DOMAIN "rec.base.json"
#include "base/json.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_tokener, json_tokener_free)

static const char *
describe_parse_error (json_tokener *tokener)
{
  enum json_tokener_error code = json_tokener_get_error (tokener);

  if (code == json_tokener_success)
    return "a value was expected, not null";
  if (code == json_tokener_continue || code == json_tokener_error_parse_eof)
    return "it ends too early";
  return json_tokener_error_desc (code);
}

/* json-c takes some of JavaScript for JSON, even when told to be strict: 'a', NaN, Infinity and "1.". Browsers don't, so
 * it must not be passed on. Returns where such a thing stands; length when nowhere. */
static size_t
find_foreign_syntax (const char *text, size_t length)
{
  bool in_string = false;

  for (size_t i = 0; i < length; i++) {
    if (in_string && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      in_string = !in_string;
    else if (!in_string &&
             (text[i] == '\'' || text[i] == 'N' || text[i] == 'I' ||
                 (text[i] == '.' && (i + 1 == length || !g_ascii_isdigit (text[i + 1])))))
      return i;
  }
  return length;
}

RecJson *
rec_json_parse (const char *text, size_t length, size_t max_bytes, GError **error)
{
  if (length > max_bytes || length > INT_MAX - 1) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_LARGE,
        "the JSON text has %zu bytes: expected at most %zu", length, max_bytes);
    return NULL;
  }
  if (!g_utf8_validate_len (text, length, NULL)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "the JSON text is not UTF-8");
    return NULL;
  }
  const size_t foreign = find_foreign_syntax (text, length);
  if (foreign < length) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "the JSON text is wrong near byte %zu: this is no JSON", foreign);
    return NULL;
  }
  g_autoptr (json_tokener) tokener = json_tokener_new_ex (REC_JSON_MAX_DEPTH);
  json_tokener_set_flags (tokener, JSON_TOKENER_STRICT);
  g_autoptr (RecJson) value = json_tokener_parse_ex (tokener, text, (int) length);
  size_t end = json_tokener_get_parse_end (tokener);
  if (json_tokener_get_error (tokener) == json_tokener_continue) {
    /* A bare number ends only where the text ends: tell the parser that it does. */
    g_clear_pointer (&value, json_object_put);
    value = json_tokener_parse_ex (tokener, "", 1);
  }
  if (value == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "the JSON text is wrong near byte %zu: %s", end, describe_parse_error (tokener));
    return NULL;
  }
  return g_steal_pointer (&value);
}

RecJson *
rec_json_parse_file (const char *path, size_t max_bytes, GError **error)
{
  g_autofree char *text = NULL;
  size_t length = 0;
  GError *local_error = NULL;

  if (!g_file_get_contents (path, &text, &length, &local_error)) {
    g_set_error (error, REC_ERROR,
        g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? REC_ERROR_NOT_FOUND
                                                                        : REC_ERROR_FAILED,
        "cannot read '%s': %s", path, local_error->message);
    g_error_free (local_error);
    return NULL;
  }
  RecJson *value = rec_json_parse (text, length, max_bytes, error);
  if (value == NULL)
    g_prefix_error (error, "%s: ", path);
  return value;
}

char *
rec_json_to_text (RecJson *value)
{
  return g_strdup (json_object_to_json_string_ext (value,
      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

char *
rec_json_to_pretty_text (RecJson *value)
{
  return g_strdup (json_object_to_json_string_ext (value,
      JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
}

RecJson *
rec_json_get (RecJson *object, const char *name)
{
  RecJson *value = NULL;

  if (object == NULL || !json_object_is_type (object, json_type_object))
    return NULL;
  return json_object_object_get_ex (object, name, &value) ? value : NULL;
}

bool
rec_json_has (RecJson *object, const char *name)
{
  return rec_json_get (object, name) != NULL;
}

static bool
is_whole (RecJson *value)
{
  return json_object_is_type (value, json_type_int);
}

static bool
has_type (RecJson *value, RecJsonType type)
{
  switch (type) {
  case REC_JSON_STRING:
    return json_object_is_type (value, json_type_string);
  case REC_JSON_INTEGER:
    return is_whole (value);
  case REC_JSON_NUMBER:
    return is_whole (value) || json_object_is_type (value, json_type_double);
  case REC_JSON_BOOLEAN:
    return json_object_is_type (value, json_type_boolean);
  case REC_JSON_OBJECT:
    return json_object_is_type (value, json_type_object);
  case REC_JSON_ARRAY:
    return json_object_is_type (value, json_type_array);
  case REC_JSON_STRINGS:
    if (!json_object_is_type (value, json_type_array))
      return false;
    for (size_t i = 0; i < json_object_array_length (value); i++)
      if (!json_object_is_type (json_object_array_get_idx (value, i), json_type_string))
        return false;
    return true;
  case REC_JSON_ANY:
    return true;
  case REC_JSON_INVALID:
    break;
  }
  return false;
}

static const char *
name_type (RecJsonType type)
{
  switch (type) {
  case REC_JSON_STRING:
    return "a string";
  case REC_JSON_INTEGER:
    return "an integer";
  case REC_JSON_NUMBER:
    return "a number";
  case REC_JSON_BOOLEAN:
    return "true or false";
  case REC_JSON_OBJECT:
    return "an object";
  case REC_JSON_ARRAY:
    return "an array";
  case REC_JSON_STRINGS:
    return "an array of strings";
  case REC_JSON_ANY:
    return "a value";
  case REC_JSON_INVALID:
    break;
  }
  return "nothing";
}

static bool
is_limited (const RecJsonField *field)
{
  return field->min != 0 || field->max != 0;
}

static bool
is_in_range (RecJson *value, const RecJsonField *field)
{
  switch (field->type) {
  case REC_JSON_NUMBER: {
    double number = json_object_get_double (value);
    return number >= (double) field->min && number <= (double) field->max;
  }
  case REC_JSON_INTEGER: {
    int64_t number = json_object_get_int64 (value);
    return number >= field->min && number <= field->max;
  }
  case REC_JSON_STRING: {
    int length = json_object_get_string_len (value);
    return length >= field->min && length <= field->max;
  }
  case REC_JSON_ARRAY:
  case REC_JSON_STRINGS: {
    size_t length = json_object_array_length (value);
    return length >= (size_t) field->min && length <= (size_t) field->max;
  }
  case REC_JSON_INVALID:
  case REC_JSON_BOOLEAN:
  case REC_JSON_OBJECT:
  case REC_JSON_ANY:
    break;
  }
  return true;
}

static bool
is_acceptable (RecJson *value, const RecJsonField *field)
{
  if (!has_type (value, field->type))
    return false;
  if (is_limited (field) && !is_in_range (value, field))
    return false;
  if (field->type != REC_JSON_STRING)
    return true;
  const char *text = json_object_get_string (value);
  if (strlen (text) != (size_t) json_object_get_string_len (value))
    return false; /* a NUL inside would be cut off unseen */
  if (field->choices != NULL && !g_strv_contains (field->choices, text))
    return false;
  return field->is_valid == NULL || field->is_valid (text);
}

static void
append_limits (GString *text, const RecJsonField *field)
{
  const char *what = "";

  if (field->type == REC_JSON_STRING)
    what = " bytes";
  else if (field->type == REC_JSON_ARRAY || field->type == REC_JSON_STRINGS)
    what = " members";
  g_string_append_printf (text, " %s %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "%s",
      *what == '\0' ? "from" : "of", field->min, field->max, what);
}

static char *
describe_expectation (const RecJsonField *field)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (field->expected != NULL) {
    g_string_append (text, field->expected);
  } else if (field->choices != NULL) {
    g_autofree char *choices = g_strjoinv (", ", (char **) field->choices);
    g_string_append_printf (text, "one of %s", choices);
  } else {
    g_string_append (text, name_type (field->type));
    if (is_limited (field))
      append_limits (text, field);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static bool
check_field (RecJson *body, const RecJsonField *field, GError **error)
{
  RecJson *value = rec_json_get (body, field->name);

  if (value == NULL && !field->required)
    return true;
  if (value != NULL && is_acceptable (value, field))
    return true;
  g_autofree char *expectation = describe_expectation (field);
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "field \"%s\" %s %s", field->name,
      value == NULL ? "is missing and must be" : "must be", expectation);
  return false;
}

bool
rec_json_check (RecJson *body, const RecJsonField *fields, GError **error)
{
  if (!json_object_is_type (body, json_type_object)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "the JSON text must be an object {...}");
    return false;
  }
  for (const RecJsonField *field = fields; field->name != NULL; field++)
    if (!check_field (body, field, error))
      return false;
  return true;
}

static bool
is_named (const RecJsonField *fields, const char *name)
{
  for (const RecJsonField *field = fields; field->name != NULL; field++)
    if (strcmp (field->name, name) == 0)
      return true;
  return false;
}

bool
rec_json_check_closed (RecJson *body, const RecJsonField *fields, GError **error)
{
  if (!rec_json_check (body, fields, error))
    return false;
  json_object_object_foreach (body, name, value) {
    (void) value;
    if (!is_named (fields, name)) {
      g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
          "field \"%.100s\" is not known here", name);
      return false;
    }
  }
  return true;
}

static RecJson *
get_required (RecJson *object, const char *name, RecJsonType type, GError **error)
{
  const RecJsonField field = { .name = name, .type = type, .required = true };

  return check_field (object, &field, error) ? rec_json_get (object, name) : NULL;
}

bool
rec_json_get_string (RecJson *object, const char *name, const char **value, GError **error)
{
  RecJson *member = get_required (object, name, REC_JSON_STRING, error);

  if (member == NULL)
    return false;
  *value = json_object_get_string (member);
  return true;
}

bool
rec_json_get_int (RecJson *object, const char *name, int64_t *value, GError **error)
{
  RecJson *member = get_required (object, name, REC_JSON_INTEGER, error);

  if (member == NULL)
    return false;
  *value = json_object_get_int64 (member);
  return true;
}

const char *
rec_json_string_or (RecJson *object, const char *name, const char *fallback)
{
  RecJson *member = rec_json_get (object, name);

  return has_type (member, REC_JSON_STRING) ? json_object_get_string (member) : fallback;
}

int64_t
rec_json_int_or (RecJson *object, const char *name, int64_t fallback)
{
  RecJson *member = rec_json_get (object, name);

  return has_type (member, REC_JSON_INTEGER) ? json_object_get_int64 (member) : fallback;
}

bool
rec_json_bool_or (RecJson *object, const char *name, bool fallback)
{
  RecJson *member = rec_json_get (object, name);

  return has_type (member, REC_JSON_BOOLEAN) ? json_object_get_boolean (member) : fallback;
}

double
rec_json_double_or (RecJson *object, const char *name, double fallback)
{
  RecJson *member = rec_json_get (object, name);

  return has_type (member, REC_JSON_NUMBER) ? json_object_get_double (member) : fallback;
}

void
rec_json_set_string (RecJson *object, const char *name, const char *value)
{
  rec_json_take (object, name, value == NULL ? NULL : json_object_new_string (value));
}

void
rec_json_set_int (RecJson *object, const char *name, int64_t value)
{
  rec_json_take (object, name, json_object_new_int64 (value));
}

void
rec_json_set_bool (RecJson *object, const char *name, bool value)
{
  rec_json_take (object, name, json_object_new_boolean (value));
}

void
rec_json_set_double (RecJson *object, const char *name, double value)
{
  rec_json_take (object, name, json_object_new_double (value));
}

void
rec_json_take (RecJson *object, const char *name, RecJson *value)
{
  json_object_object_add (object, name, value);
}
