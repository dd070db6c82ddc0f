/* options.h - option table + values -> RecOptions, the plugin's view of its settings. [any] */
#ifndef REC_PLUGIN_OPTIONS_H
#define REC_PLUGIN_OPTIONS_H

#include "base/types.h"

#include <glib.h>
#include <json-c/json.h>
#include <recto/plugin.h>

#define REC_OPTIONS_MAX 64       /* options of one plugin */
#define REC_OPTION_MAX_NAME 64   /* bytes of an id or key */
#define REC_OPTION_MAX_TEXT 4096 /* bytes of a value without a bound of its own */

/* values: object of key -> value, already checked (a wrong one falls back, it came over the control socket).
 * The result stays valid until freed; strings it hands out belong to it. */
RecOptions *rec_options_new (const RecOption *const *table, json_object *values);
void rec_options_free (RecOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecOptions, rec_options_free)

/* The table as JSON: array of {key, type "int" | "bool" | "string", flags ["request", "secret"], fallback, help, and
 * where they are set min, max, choices}. NULL with INVALID_ARGUMENT when the table makes no sense. New reference. */
json_object *rec_options_describe (const RecOption *const *table, GError **error);

/* The described option of this key, borrowed, or NULL. */
json_object *rec_options_find (json_object *description, const char *key);
bool rec_option_has_flag (json_object *option, const char *flag);

/* Checks a value against one element of the description; the message need only say what was expected. */
bool rec_option_check (json_object *option, json_object *value, GError **error);
/* The same for the text of an ini file; returns the typed value, a new reference. */
json_object *rec_option_parse (json_object *option, const char *text, GError **error);

/* [a-z0-9_-]+, REC_OPTION_MAX_NAME bytes at most: an id or key. */
bool rec_option_is_name (const char *text);

#endif
