/* loader.h - dlopen of one plugin: version, size, required callbacks; worker and probe only, never the server. */
#ifndef REC_PLUGIN_LOADER_H
#define REC_PLUGIN_LOADER_H

#include "base/types.h"
#include "plugin/catalogue.h"

#include <glib.h>
#include <json-c/json.h>
#include <recto/layout.h>
#include <recto/plugin.h>
#include <recto/sink.h>

#define REC_LAYOUTS_MAX 1000 /* that one page layout may list */

/* A loaded plugin. Never closed: the code stays mapped until the process exits. */
typedef struct {
  char *file;
  RecPluginKind kind;
  const RecPlugin *plugin;
  /* Copies no longer than the plugin's own size, zero-filled, so that callbacks it does not have read as NULL. */
  RecArrangingLayout arranging;
  RecPageLayout page;
  RecSink sink;
} RecLoadedPlugin;

RecLoadedPlugin *rec_loader_load (const char *file, GError **error);
void rec_loaded_plugin_free (RecLoadedPlugin *plugin);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecLoadedPlugin, rec_loaded_plugin_free)

#endif
