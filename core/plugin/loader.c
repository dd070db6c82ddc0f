/* loader.c - opens one plugin and refuses what does not keep to the ABI. */
#define G_LOG_DOMAIN "rec.plugin.loader"
#include "plugin/loader.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "plugin/options.h"

#define ENTRY "rec_plugin_v1"
#define MAX_TEXT 256             /* bytes of version and summary */
#define MAX_DESCRIPTOR (1 << 16) /* no ABI of this major will ever need more */

#define END_OF(type, field) (offsetof (type, field) + sizeof (((type *) NULL)->field))

/* What ABI 1.0 has; later minors append. */
static const struct {
  const char *name;
  size_t min_size;
} kinds[] = {
  [REC_KIND_ARRANGING_LAYOUT] = { "arranging layout", END_OF (RecArrangingLayout, arrange) },
  [REC_KIND_PAGE_LAYOUT] = { "page layout", END_OF (RecPageLayout, list) },
  [REC_KIND_SINK] = { "sink", END_OF (RecSink, close) },
};

G_STATIC_ASSERT ((int) REC_PLUGIN_ARRANGING_LAYOUT == REC_KIND_ARRANGING_LAYOUT);
G_STATIC_ASSERT ((int) REC_PLUGIN_PAGE_LAYOUT == REC_KIND_PAGE_LAYOUT);
G_STATIC_ASSERT ((int) REC_PLUGIN_SINK == REC_KIND_SINK);

static bool refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static bool
refuse (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, text);
  return false;
}

static const RecPlugin *
open_plugin (const char *file, GError **error)
{
  void *library = dlopen (file, RTLD_NOW | RTLD_LOCAL);

  if (library == NULL) {
    refuse (error, "cannot be loaded: %s", dlerror ());
    return NULL;
  }
  /* ISO C knows no conversion of void * to a function; POSIX wants it to work. */
  const RecPlugin *(*entry) (void) = NULL;
  *(void **) &entry = dlsym (library, ENTRY);
  if (entry == NULL) {
    refuse (error, "does not export " ENTRY "%s",
        dlsym (library, "rec_plugin_v2") != NULL ? ", only that of a newer ABI" : "");
    return NULL;
  }
  const RecPlugin *plugin = entry ();
  if (plugin == NULL)
    refuse (error, "returns NULL from " ENTRY);
  return plugin;
}

static bool
check_abi (const RecAbi *abi, GError **error)
{
  if (abi->major != REC_ABI_MAJOR)
    return refuse (error, "was built for ABI %u.%u, this server has %u.%u", abi->major, abi->minor,
        REC_ABI_MAJOR, REC_ABI_MINOR);
  if (abi->kind == 0 || abi->kind >= G_N_ELEMENTS (kinds))
    return refuse (error, "says that it is of kind %u, which this server does not know", abi->kind);
  if (abi->size < kinds[abi->kind].min_size || abi->size > MAX_DESCRIPTOR)
    return refuse (error, "says that its descriptor has %u bytes instead of %zu (%s)", abi->size,
        kinds[abi->kind].min_size, kinds[abi->kind].name);
  return true;
}

static bool
check_text (const char *what, const char *text, GError **error)
{
  if (text == NULL)
    return true;
  if (strnlen (text, MAX_TEXT + 1) > MAX_TEXT)
    return refuse (error, "has a %s of more than %d bytes", what, MAX_TEXT);
  if (!g_utf8_validate (text, -1, NULL))
    return refuse (error, "has a %s that is not UTF-8", what);
  return true;
}

static bool
check_plugin (const RecPlugin *plugin, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (plugin->id == NULL || !rec_option_is_name (plugin->id))
    return refuse (error, "has an id other than [a-z0-9_-]+ of at most %d bytes",
        REC_OPTION_MAX_NAME);
  if (!check_text ("version", plugin->version, error) ||
      !check_text ("summary", plugin->summary, error))
    return false;
  g_autoptr (RecJson) options = rec_options_describe (plugin->options, &why);
  if (options == NULL)
    return refuse (error, "cannot be used: %s", why->message);
  return true;
}

static bool
require (bool has, const char *callback, GError **error)
{
  return has || refuse (error, "lacks the callback %s", callback);
}

static bool
check_sink (const RecSink *sink, GError **error)
{
  if ((sink->accepts & (REC_MODE_COMPOSED | REC_MODE_INDIVIDUAL)) == 0)
    return refuse (error, "accepts neither composed nor individual recordings");
  if (sink->delivery != REC_DELIVERY_LOSSLESS && sink->delivery != REC_DELIVERY_LIVE)
    return refuse (error, "asks for delivery %u, which is neither LOSSLESS nor LIVE",
        sink->delivery);
  return require (sink->needs != NULL, "needs", error) &&
         require (sink->open != NULL, "open", error) &&
         require (sink->add_track != NULL, "add_track", error) &&
         require (sink->write != NULL, "write", error) &&
         require (sink->end_track != NULL, "end_track", error) &&
         require (sink->finish != NULL, "finish", error) &&
         require (sink->close != NULL, "close", error);
}

static bool
check_callbacks (const RecLoadedPlugin *loaded, GError **error)
{
  switch (loaded->kind) {
  case REC_PLUGIN_ARRANGING_LAYOUT:
    return require (loaded->arranging.arrange != NULL, "arrange", error);
  case REC_PLUGIN_PAGE_LAYOUT:
    return require (loaded->page.resolve != NULL, "resolve", error);
  case REC_PLUGIN_SINK:
    return check_sink (&loaded->sink, error);
  case REC_PLUGIN_INVALID:
    break;
  }
  g_return_val_if_reached (false);
}

static void
copy_descriptor (RecLoadedPlugin *loaded)
{
  const RecPlugin *plugin = loaded->plugin;
  size_t size = plugin->abi.size;

  switch (loaded->kind) {
  case REC_PLUGIN_ARRANGING_LAYOUT:
    memcpy (&loaded->arranging, plugin, MIN (size, sizeof loaded->arranging));
    break;
  case REC_PLUGIN_PAGE_LAYOUT:
    memcpy (&loaded->page, plugin, MIN (size, sizeof loaded->page));
    break;
  case REC_PLUGIN_SINK:
    memcpy (&loaded->sink, plugin, MIN (size, sizeof loaded->sink));
    break;
  case REC_PLUGIN_INVALID:
    break;
  }
}

static bool
load (RecLoadedPlugin *loaded, GError **error)
{
  loaded->plugin = open_plugin (loaded->file, error);
  if (loaded->plugin == NULL || !check_abi (&loaded->plugin->abi, error) ||
      !check_plugin (loaded->plugin, error))
    return false;
  loaded->kind = (RecPluginKind) loaded->plugin->abi.kind;
  copy_descriptor (loaded);
  return check_callbacks (loaded, error);
}

RecLoadedPlugin *
rec_loader_load (const char *file, GError **error)
{
  g_autoptr (RecLoadedPlugin) loaded = g_new0 (RecLoadedPlugin, 1);
  g_autofree char *name = g_path_get_basename (file);

  /* Absolute, or dlopen would look for it in the system's folders. */
  loaded->file = g_canonicalize_filename (file, NULL);
  if (load (loaded, error))
    return g_steal_pointer (&loaded);
  g_prefix_error (error, "%s ", name);
  return NULL;
}

void
rec_loaded_plugin_free (RecLoadedPlugin *loaded)
{
  if (loaded == NULL)
    return;
  g_free (loaded->file);
  g_free (loaded);
}
