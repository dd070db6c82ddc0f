/* catalogue.h - every plugin found, usable or refused with the reason. The server's view: nothing is loaded here. [main] */
#ifndef REC_PLUGIN_CATALOGUE_H
#define REC_PLUGIN_CATALOGUE_H

#include "base/types.h"

#include <glib.h>
#include <json-c/json.h>

typedef enum {
  REC_PLUGIN_INVALID = 0,
  REC_PLUGIN_ARRANGING_LAYOUT,
  REC_PLUGIN_PAGE_LAYOUT,
  REC_PLUGIN_SINK,
} RecPluginKind;

struct RecCatalogueEntry {
  char *file; /* absolute path of the .so */
  char *id;   /* the file's base name when it was refused before its id was known */
  RecPluginKind kind;
  char *version, *summary;
  bool is_usable;
  char *refusal; /* why not, NULL when usable */
  json_object
      *options; /* array: key, type, fallback, help, min, max, choices, flags; NULL when refused */
  json_object *values; /* object: the options' values from conf/plugins/ID.ini over the fallbacks */
  uint32_t sink_accepts, sink_delivery; /* of a sink, as in recto/sink.h */
};

/* Probes every *.so of the plugin directories (config plugins.directories), each in a child of program (`--probe`)
 * with a deadline. Never fails for a plugin's sake. */
RecCatalogue *rec_catalogue_new (const RecConfig *config, const char *program, GError **error);
void rec_catalogue_free (RecCatalogue *catalogue);

/* Scans again (SIGHUP). Entries looked up before are invalid afterwards; running recordings hold what they need. */
bool rec_catalogue_rescan (RecCatalogue *catalogue, GError **error);

GPtrArray *rec_catalogue_get_entries (
    RecCatalogue *catalogue); /* borrowed, of RecCatalogueEntry, sorted by id */

/* A usable plugin by id and kind (INVALID: either layout kind is not meant; pass the kind), or NULL. */
const RecCatalogueEntry *rec_catalogue_find (RecCatalogue *catalogue, RecPluginKind kind,
    const char *id);

/* The layout plugin that serves a recordingLayout value: an OpenVidu name mapped by the ini's [layouts], or a plugin id.
 * INVALID_ARGUMENT with the list of what there is. */
const RecCatalogueEntry *rec_catalogue_find_layout (RecCatalogue *catalogue,
    const char *recording_layout, GError **error);

/* The entry's ini values with the request's laid over: only options flagged REQUEST may be given, each checked against
 * the table. request may be NULL. Returns a new object, or NULL with INVALID_ARGUMENT naming plugin, key and range. */
json_object *rec_catalogue_dup_options (const RecCatalogueEntry *entry, json_object *request,
    GError **error);

/* As GET /recto/api/v1/plugins and --list-plugins show it; values of SECRET options are never included. New reference. */
json_object *rec_catalogue_to_json (RecCatalogue *catalogue);

/* The program whose children inspect plugins. */
const char *rec_catalogue_get_program (const RecCatalogue *catalogue);
const RecConfig *rec_catalogue_get_config (const RecCatalogue *catalogue);

#endif
