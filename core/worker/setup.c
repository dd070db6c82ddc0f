/* setup.c - reads the messages of the server into structs. */
#define G_LOG_DOMAIN "rec.worker.setup"
#include "worker/setup.h"

#include "base/error.h"
#include "base/json.h"
#include "plugin/options.h"

#include <string.h>

/* For a setup that says nothing of them. */
#define STREAM_TIMEOUT_MS 10000
#define TIMELINE_BYTES (4 * 1024 * 1024)
#define ZIP_TIMEOUT_MS (3600 * 1000)

static void
read_encoder (RecSetup *setup, RecJson *encoder)
{
  RecEncoderRecipe *recipe = &setup->recorder.encoder;

  recipe->width = setup->recorder.width;
  recipe->height = setup->recorder.height;
  recipe->frame_rate = setup->recorder.frame_rate;
  g_strlcpy (recipe->preset, rec_json_string_or (encoder, "preset", ""), sizeof recipe->preset);
  recipe->crf = (int) rec_json_int_or (encoder, "crf", 0);
  recipe->max_bitrate = (int) rec_json_int_or (encoder, "maxBitrate", 0);
  recipe->keyframe_interval_ms = (int) rec_json_int_or (encoder, "keyframeIntervalMs", 0);
  recipe->audio_bitrate = (int) rec_json_int_or (encoder, "audioBitrate", 0);
  recipe->n_threads = (int) rec_json_int_or (encoder, "threads", 0);
}

static uint32_t
get_mode (RecJson *sink)
{
  return strcmp (rec_json_string_or (sink, "mode", "composed"), "individual") == 0
             ? REC_MODE_INDIVIDUAL
             : REC_MODE_COMPOSED;
}

static bool
is_composed (RecJson *message)
{
  RecJson *sinks = rec_json_get (message, "sinks");

  for (size_t i = 0; i < json_object_array_length (sinks); i++)
    if (get_mode (json_object_array_get_idx (sinks, i)) == REC_MODE_COMPOSED)
      return true;
  return json_object_array_length (sinks) == 0;
}

static void
read_recording (RecSetup *setup)
{
  RecJson *recording = rec_json_get (setup->message, "recording");
  RecJson *limits = rec_json_get (setup->message, "limits");
  RecRecorderRecipe *recorder = &setup->recorder;

  setup->id = rec_json_string_or (recording, "id", "");
  setup->directory = rec_json_string_or (recording, "directory", "");
  setup->name = rec_json_string_or (recording, "name", "");
  setup->session_id = rec_json_string_or (recording, "sessionId", "");
  setup->timeline_bytes = rec_json_int_or (limits, "timelineBytes", TIMELINE_BYTES);
  setup->is_individual = rec_json_bool_or (recording, "individual", false);
  setup->zip_deflates = rec_json_bool_or (recording, "zipDeflates", false);
  setup->zip_timeout_ms = rec_json_int_or (limits, "zipTimeoutMs", ZIP_TIMEOUT_MS);
  setup->zip_spare_bytes = rec_json_int_or (limits, "zipSpareBytes", 0);
  setup->ignores_failed_streams = rec_json_bool_or (recording, "ignoreFailedStreams", false);
  setup->stream_timeout_ms = rec_json_int_or (limits, "streamTimeoutMs", STREAM_TIMEOUT_MS);
  recorder->takes_video = rec_json_bool_or (recording, "hasVideo", false);
  recorder->takes_audio = rec_json_bool_or (recording, "hasAudio", false);
  recorder->is_composed = is_composed (setup->message);
  recorder->has_video = recorder->is_composed && recorder->takes_video;
  recorder->has_audio = recorder->is_composed && recorder->takes_audio;
  recorder->width = (int) rec_json_int_or (recording, "width", 0) / 2 *
                    2; /* x264 takes no odd sides */
  recorder->height = (int) rec_json_int_or (recording, "height", 0) / 2 * 2;
  recorder->frame_rate = (int) rec_json_int_or (recording, "frameRate", 0);
  recorder->is_live = strcmp (rec_json_string_or (setup->message, "clock", ""), "live") == 0;
  recorder->thumbnail_width = (int) rec_json_int_or (setup->message, "thumbnailWidth", 0);
  recorder->queue_ms = (int) rec_json_int_or (limits, "sinkQueueMs", 0);
  recorder->queue_bytes = rec_json_int_or (limits, "sinkQueueBytes", 0);
  read_encoder (setup, rec_json_get (setup->message, "encoder"));
}

static bool
check_recording (const RecSetup *setup, GError **error)
{
  const RecRecorderRecipe *recorder = &setup->recorder;

  if (!recorder->takes_video && !recorder->takes_audio) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "recording '%s' has neither pictures nor sound", setup->id);
    return false;
  }
  if (recorder->has_video && (recorder->width < 16 || recorder->height < 16)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "recording '%s' is %dx%d pixels: each side must be at least 16", setup->id, recorder->width,
        recorder->height);
    return false;
  }
  return true;
}

static bool
load_layout (RecSetup *setup, GError **error)
{
  RecJson *layout = rec_json_get (setup->message, "layout");

  setup->recorder.layout_name = rec_json_string_or (layout, "id", "none");
  if (layout == NULL || !setup->recorder.has_video)
    return true;
  setup->layout = rec_loader_load (rec_json_string_or (layout, "file", ""), error);
  if (setup->layout == NULL)
    return false;
  if (setup->layout->kind != REC_PLUGIN_ARRANGING_LAYOUT) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED, "plugin '%s' is no arranging layout",
        setup->recorder.layout_name);
    return false;
  }
  setup->layout_options =
      rec_options_new (setup->layout->plugin->options, rec_json_get (layout, "options"));
  setup->recorder.layout = &setup->layout->arranging;
  setup->recorder.layout_options = setup->layout_options;
  return true;
}

RecSetup *
rec_setup_new (json_object *message, GError **error)
{
  RecSetup *setup = g_new0 (RecSetup, 1);

  setup->message = json_object_get (message);
  read_recording (setup);
  if (!check_recording (setup, error) || !load_layout (setup, error)) {
    rec_setup_free (setup);
    return NULL;
  }
  return setup;
}

void
rec_setup_free (RecSetup *setup)
{
  if (setup == NULL)
    return;
  rec_page_recipe_free (setup->page);
  rec_options_free (setup->layout_options);
  rec_loaded_plugin_free (setup->layout);
  json_object_put (setup->message);
  g_free (setup);
}

bool
rec_setup_resolve_page (RecSetup *setup, GError **error)
{
  RecJson *page = rec_json_get (setup->message, "page");

  if (page == NULL)
    return true;
  setup->page = rec_page_recipe_new (page, &setup->recorder, error);
  setup->recorder.is_page = setup->page != NULL;
  return setup->page != NULL;
}

unsigned
rec_setup_count_sinks (const RecSetup *setup)
{
  return (unsigned) json_object_array_length (rec_json_get (setup->message, "sinks"));
}

void
rec_setup_get_sink (const RecSetup *setup, unsigned index, RecSinkRecipe *recipe)
{
  RecJson *sink = json_object_array_get_idx (rec_json_get (setup->message, "sinks"), index);
  RecJson *limits = rec_json_get (setup->message, "limits");
  const RecRecorderRecipe *recorder = &setup->recorder;

  *recipe = (RecSinkRecipe){
    .file = rec_json_string_or (sink, "file", ""),
    .id = rec_json_string_or (sink, "id", ""),
    .is_required = rec_json_bool_or (sink, "required", true),
    .options = rec_json_get (sink, "options"),
    .setup = {
      .mode = get_mode (sink),
      .recording_id = setup->id,
      .directory = setup->directory,
      .name = setup->name,
      .has_video = recorder->takes_video,
      .has_audio = recorder->takes_audio,
      .width = recorder->has_video ? recorder->width : 0,
      .height = recorder->has_video ? recorder->height : 0,
      .frame_rate = recorder->has_video ? recorder->frame_rate : 0,
    },
    .queue_ms = (int) rec_json_int_or (limits, "sinkQueueMs", 0),
    .queue_bytes = rec_json_int_or (limits, "sinkQueueBytes", 0),
    .deadline_ms = (int) rec_json_int_or (limits, "sinkDeadlineMs", 0),
    .finish_deadline_ms = (int) rec_json_int_or (limits, "finishDeadlineMs", 0),
  };
}

/* --- commands -------------------------------------------------------------------------------------- */

static char *
dup_string (RecJson *message, const char *name)
{
  return g_strdup (rec_json_string_or (message, name, ""));
}

static int
read_change (RecJson *message, const char *name)
{
  return rec_json_has (message, name) ? rec_json_bool_or (message, name, false) : -1;
}

RecCommand *
rec_setup_read_command (RecControlType type, json_object *message, int64_t fallback_ns)
{
  const int64_t at_ns = rec_json_int_or (message, "atNs", fallback_ns);
  RecCommand *command;

  if (type == REC_CONTROL_STOP)
    return rec_command_new (REC_COMMAND_STOP, at_ns);
  if (type == REC_CONTROL_TRACK_END) {
    command = rec_command_new (REC_COMMAND_TRACK_END, at_ns);
    command->track_id = (uint32_t) rec_json_int_or (message, "track", 0);
    return command;
  }

  command = rec_command_new (
      type == REC_CONTROL_TRACK_ADD ? REC_COMMAND_TRACK_ADD : REC_COMMAND_STREAM_STATE, at_ns);
  command->stream = dup_string (message, "stream");
  command->is_screen = read_change (message, "isScreen");
  command->audio_active = read_change (message, "audioActive");
  command->video_active = read_change (message, "videoActive");
  command->is_recorded = read_change (message, "record");
  if (type == REC_CONTROL_STREAM_STATE)
    return command;
  command->track_id = (uint32_t) rec_json_int_or (message, "track", 0);
  command->participant = dup_string (message, "participant");
  command->data = dup_string (message, "data");
  command->role = dup_string (message, "role");
  command->classes = dup_string (message, "classes");
  command->client_data = dup_string (message, "clientData");
  command->server_data = dup_string (message, "serverData");
  command->type_of_video = dup_string (message, "typeOfVideo");
  command->codec = dup_string (message, "codec");
  command->fmtp = dup_string (message, "fmtp");
  command->is_video = strcmp (rec_json_string_or (message, "media", ""), "video") == 0;
  command->payload_type = (int) rec_json_int_or (message, "payloadType", 0);
  command->clock_rate = (int) rec_json_int_or (message, "clockRate", 0);
  command->joined_ns = rec_json_int_or (message, "joinedNs", 0);
  return command;
}
