/* plan.c - checks what was asked for against what there is. */
#define G_LOG_DOMAIN "rec.recording.plan"
#include "recording/plan.h"

#include <recto/sink.h>
#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "plugin/catalogue.h"
#include "recording/limits.h"
#include "recording/page.h"

#define MAX_SINKS 8
#define THUMBNAIL_WIDTH 480

struct RecPlan {
  json_object *layout; /* NULL for sound alone; behind a page: what the recording falls back to */
  json_object *page;   /* NULL for a native layout */
  json_object *sinks;  /* array */
};

static bool refuse (GError **error, RecErrorCode code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static bool
refuse (GError **error, RecErrorCode code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, REC_ERROR, (gint) code, text);
  return false;
}

static json_object *
describe_plugin (const RecCatalogueEntry *entry, json_object *options, GError **error)
{
  json_object *values = rec_catalogue_dup_options (entry, rec_json_get (options, entry->id), error);

  if (values == NULL)
    return NULL;
  json_object *plugin = json_object_new_object ();
  rec_json_set_string (plugin, "id", entry->id);
  rec_json_set_string (plugin, "file", entry->file);
  rec_json_take (plugin, "options", values);
  return plugin;
}

/* OpenVidu has one name for both ways to choose a page. */
static const char *
get_layout_name (const RecRecordingProperties *properties)
{
  const char *custom = properties->custom_layout;

  if (strcmp (properties->recording_layout, "CUSTOM") == 0 && custom != NULL &&
      custom[strspn (custom, "/")] != '\0')
    return "CUSTOM_SUBFOLDER";
  return properties->recording_layout;
}

static bool
choose_page (RecPlan *plan, const RecConfig *config, RecCatalogue *catalogue,
    const RecCatalogueEntry *entry, json_object *options, GError **error)
{
  const RecCatalogueEntry *fallback = rec_catalogue_find_layout (catalogue, "BEST_FIT", error);
  g_autofree char *browser = NULL;

  if (fallback == NULL)
    return false;
  if (fallback->kind != REC_PLUGIN_ARRANGING_LAYOUT)
    return refuse (error, REC_ERROR_UNAVAILABLE,
        "layout BEST_FIT is the page '%s', so no page has anything to fall back to", fallback->id);
  browser = rec_page_find_browser (config, error);
  if (browser == NULL)
    return false;
  plan->layout = describe_plugin (fallback, NULL, error);
  plan->page = plan->layout == NULL ? NULL : describe_plugin (entry, options, error);
  return plan->page != NULL;
}

static bool
choose_layout (RecPlan *plan, const RecConfig *config, RecCatalogue *catalogue,
    const RecRecordingProperties *properties, GError **error)
{
  const RecCatalogueEntry *entry =
      rec_catalogue_find_layout (catalogue, get_layout_name (properties), error);

  if (entry == NULL)
    return false;
  if (entry->kind == REC_PLUGIN_PAGE_LAYOUT)
    return choose_page (plan, config, catalogue, entry, properties->options, error);
  plan->layout = describe_plugin (entry, properties->options, error);
  return plan->layout != NULL;
}

/* --- sinks ------------------------------------------------------------------------------------------- */

static char *
list_sinks (RecCatalogue *catalogue)
{
  GPtrArray *entries = rec_catalogue_get_entries (catalogue);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < entries->len; i++) {
    const RecCatalogueEntry *entry = entries->pdata[i];

    if (entry->is_usable && entry->kind == REC_PLUGIN_SINK)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", entry->id);
  }
  return g_string_free (text, FALSE);
}

static bool
has_plugin (json_object *plugins, const char *id)
{
  for (size_t i = 0; i < json_object_array_length (plugins); i++)
    if (strcmp (rec_json_string_or (json_object_array_get_idx (plugins, i), "id", ""), id) == 0)
      return true;
  return false;
}

/* A sink of a composed recording may keep the single streams beside it; one of single streams makes no composition. */
static bool
choose_sink_mode (const RecCatalogueEntry *entry, bool is_individual, const char **mode,
    GError **error)
{
  *mode = is_individual || (entry->sink_accepts & REC_MODE_COMPOSED) == 0 ? "individual"
                                                                          : "composed";
  if (!is_individual || (entry->sink_accepts & REC_MODE_INDIVIDUAL) != 0)
    return true;
  return refuse (error, REC_ERROR_INVALID_ARGUMENT,
      "sink '%s' takes no single streams, which outputMode INDIVIDUAL is about", entry->id);
}

static bool
add_sink (RecPlan *plan, RecCatalogue *catalogue, const char *name, bool is_individual,
    json_object *options, GError **error)
{
  const char *mode;

  g_autofree char *id = g_strdup (name);
  size_t length = strlen (id);
  char mark = length > 0 && strchr ("?!", id[length - 1]) != NULL ? id[length - 1] : '\0';

  if (mark != '\0')
    id[length - 1] = '\0';
  const RecCatalogueEntry *entry = rec_catalogue_find (catalogue, REC_PLUGIN_SINK, id);
  if (entry == NULL) {
    g_autofree char *list = list_sinks (catalogue);
    return refuse (error, REC_ERROR_INVALID_ARGUMENT, "there is no sink '%s'; there are: %s", id,
        list);
  }
  if (!choose_sink_mode (entry, is_individual, &mode, error))
    return false;
  if (has_plugin (plan->sinks, id))
    return refuse (error, REC_ERROR_INVALID_ARGUMENT, "sink '%s' is asked for twice", id);
  json_object *sink = describe_plugin (entry, options, error);
  if (sink == NULL)
    return false;
  rec_json_set_string (sink, "mode", mode);
  rec_json_set_bool (sink, "required",
      mark == '!' || (mark == '\0' && entry->sink_delivery == REC_DELIVERY_LOSSLESS));
  json_object_array_add (plan->sinks, sink);
  return true;
}

static bool
has_composed_sink (const RecPlan *plan)
{
  for (size_t i = 0; i < json_object_array_length (plan->sinks); i++)
    if (strcmp (rec_json_string_or (json_object_array_get_idx (plan->sinks, i), "mode", ""),
            "composed") == 0)
      return true;
  return false;
}

static bool
choose_sinks (RecPlan *plan, const RecConfig *config, RecCatalogue *catalogue,
    const RecRecordingProperties *properties, GError **error)
{
  const bool is_individual = properties->output_mode == REC_OUTPUT_INDIVIDUAL;
  const char *key = is_individual ? "sinks.individual" : "sinks.default";
  const char *const *names = properties->sinks != NULL ? (const char *const *) properties->sinks
                                                       : rec_config_get_list (config, key);
  size_t n_names = g_strv_length ((char **) names);

  if (n_names == 0 || n_names > MAX_SINKS)
    return refuse (error, REC_ERROR_INVALID_ARGUMENT, "a recording needs 1 to %d sinks, not %zu",
        MAX_SINKS, n_names);
  for (size_t i = 0; i < n_names; i++)
    if (!add_sink (plan, catalogue, names[i], is_individual, properties->options, error))
      return false;
  if (is_individual || has_composed_sink (plan))
    return true;
  return refuse (error, REC_ERROR_INVALID_ARGUMENT,
      "none of the sinks takes a composed recording: add one that does, or ask for outputMode "
      "INDIVIDUAL");
}

/* --- the whole --------------------------------------------------------------------------------------- */

static bool
check_option_owners (const RecPlan *plan, json_object *options, GError **error)
{
  const char *layout =
      rec_json_string_or (plan->page != NULL ? plan->page : plan->layout, "id", "");

  if (options == NULL)
    return true;
  if (!json_object_is_type (options, json_type_object))
    return refuse (error, REC_ERROR_INVALID_ARGUMENT, "field options must be an object");
  json_object_object_foreach (options, id, values) {
    (void) values;
    if (strcmp (id, layout) != 0 && !has_plugin (plan->sinks, id))
      return refuse (error, REC_ERROR_INVALID_ARGUMENT,
          "there are options for plugin '%s', which this recording does not use", id);
  }
  return true;
}

RecPlan *
rec_plan_new (const RecConfig *config, RecCatalogue *catalogue,
    const RecRecordingProperties *properties, GError **error)
{
  g_autoptr (RecPlan) plan = g_new0 (RecPlan, 1);

  plan->sinks = json_object_new_array ();
  if (!properties->has_audio && !properties->has_video) {
    refuse (error, REC_ERROR_UNPROCESSABLE, "hasAudio and hasVideo cannot both be false");
    return NULL;
  }
  if (!rec_limits_check (config, properties, error))
    return NULL;
  if (properties->output_mode != REC_OUTPUT_INDIVIDUAL && properties->has_video &&
      !choose_layout (plan, config, catalogue, properties, error))
    return NULL;
  if (!choose_sinks (plan, config, catalogue, properties, error) ||
      !check_option_owners (plan, properties->options, error))
    return NULL;
  return g_steal_pointer (&plan);
}

void
rec_plan_free (RecPlan *plan)
{
  if (plan == NULL)
    return;
  json_object_put (plan->layout);
  json_object_put (plan->page);
  json_object_put (plan->sinks);
  g_free (plan);
}

json_object *
rec_plan_get_page (const RecPlan *plan)
{
  return plan->page;
}

static json_object *
describe_recording (const RecConfig *config, const RecRecording *recording)
{
  const RecRecordingProperties *properties = recording->properties;
  json_object *json = json_object_new_object ();

  rec_json_set_string (json, "id", recording->id);
  rec_json_set_string (json, "directory", recording->directory);
  rec_json_set_string (json, "name", recording->name);
  rec_json_set_int (json, "width", properties->width);
  rec_json_set_int (json, "height", properties->height);
  rec_json_set_int (json, "frameRate", properties->frame_rate);
  rec_json_set_bool (json, "hasAudio", properties->has_audio);
  rec_json_set_bool (json, "hasVideo", properties->has_video);
  rec_json_set_string (json, "sessionId", recording->session_id);
  rec_json_set_bool (json, "individual", properties->output_mode == REC_OUTPUT_INDIVIDUAL);
  rec_json_set_bool (json, "zipDeflates",
      strcmp (rec_config_get_string (config, "recording.zip-method"), "deflate") == 0);
  rec_json_set_bool (json, "ignoreFailedStreams", properties->ignore_failed_streams);
  return json;
}

static json_object *
describe_encoder (const RecConfig *config)
{
  json_object *json = json_object_new_object ();

  rec_json_set_string (json, "preset", rec_config_get_string (config, "encoder.preset"));
  rec_json_set_int (json, "crf", rec_config_get_int (config, "encoder.quality"));
  rec_json_set_int (json, "maxBitrate", rec_config_get_int (config, "encoder.max-video-bitrate"));
  rec_json_set_int (json, "keyframeIntervalMs",
      rec_config_get_int (config, "encoder.keyframe-interval-ms"));
  rec_json_set_int (json, "audioBitrate", rec_config_get_int (config, "encoder.audio-bitrate"));
  rec_json_set_int (json, "threads", rec_config_get_int (config, "encoder.threads"));
  return json;
}

static json_object *
describe_limits (const RecConfig *config)
{
  json_object *json = json_object_new_object ();

  rec_json_set_int (json, "sinkQueueMs", rec_config_get_int (config, "recording.sink-queue-ms"));
  rec_json_set_int (json, "sinkQueueBytes",
      rec_config_get_int (config, "recording.sink-queue-bytes"));
  rec_json_set_int (json, "sinkDeadlineMs",
      rec_config_get_int (config, "recording.sink-deadline-ms"));
  rec_json_set_int (json, "finishDeadlineMs",
      rec_config_get_int (config, "recording.stop-timeout-ms"));
  rec_json_set_int (json, "streamTimeoutMs",
      rec_config_get_int (config, "recording.stream-timeout-ms"));
  rec_json_set_int (json, "zipTimeoutMs",
      rec_config_get_int (config, "recording.zip-timeout-s") * 1000);
  rec_json_set_int (json, "zipSpareBytes", rec_config_get_int (config, "recording.end-free-bytes"));
  rec_json_set_int (json, "timelineBytes",
      rec_config_get_int (config, "recording.max-timeline-bytes"));
  return json;
}

json_object *
rec_plan_make_setup (const RecPlan *plan, const RecConfig *config, const RecRecording *recording)
{
  json_object *setup = json_object_new_object ();
  bool has_thumbnail = recording->era == REC_ERA_NEW && recording->properties->has_video &&
                       recording->properties->output_mode != REC_OUTPUT_INDIVIDUAL;

  rec_json_take (setup, "recording", describe_recording (config, recording));
  if (plan->layout != NULL)
    rec_json_take (setup, "layout", json_object_get (plan->layout));
  rec_json_take (setup, "sinks", json_object_get (plan->sinks));
  rec_json_take (setup, "encoder", describe_encoder (config));
  rec_json_take (setup, "limits", describe_limits (config));
  rec_json_set_string (setup, "clock", "live");
  rec_json_set_int (setup, "thumbnailWidth", has_thumbnail ? THUMBNAIL_WIDTH : 0);
  return setup;
}
