/* options.h - option table + values -> RecOptions, the plugin's view of its settings. [any] */
#ifndef REC_PLUGIN_OPTIONS_H
#define REC_PLUGIN_OPTIONS_H

#include "base/types.h"

#include <glib.h>
#include <json-c/json.h>
#include <recto/plugin.h>

/* values: object of key -> value, already checked (a wrong one falls back, it came over the control socket).
 * The result stays valid until freed; strings it hands out belong to it. */
RecOptions *rec_options_new (const RecOption *const *table, json_object *values);
void rec_options_free (RecOptions *options);

#endif
