/* entity.c - recording to JSON and back, in both eras' words. */
#define G_LOG_DOMAIN "rec.recording.entity"
#include "recording/entity.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "recording/place.h"

#define MAX_ENTITY_BYTES (1024 * 1024)
#define ENTITY_PREFIX ".recording."

static const struct {
  RecRecordingStatus status;
  const char *word;
} status_words[] = {
  { REC_RECORDING_STARTING, "starting" },
  { REC_RECORDING_STARTED, "started" },
  { REC_RECORDING_STOPPED, "stopped" },
  { REC_RECORDING_READY, "ready" },
  { REC_RECORDING_READY, "available" },
  { REC_RECORDING_FAILED, "failed" },
};

/* What OpenVidu 2.0 and 2.1 always record with; told only where it is otherwise. */
static const struct {
  int width, height, frame_rate;
} old_defaults = { 1920, 1080, 25 };

static const char *
status_word (const RecRecording *recording, RecEra words, const RecEntityView *view)
{
  if (words == REC_ERA_OLD && recording->status == REC_RECORDING_READY)
    return view->is_public ? "available" : "stopped";
  for (size_t i = 0; i < G_N_ELEMENTS (status_words); i++)
    if (status_words[i].status == recording->status)
      return status_words[i].word;
  return "failed";
}

static bool
is_over (const RecRecording *recording)
{
  return recording->status == REC_RECORDING_READY || recording->status == REC_RECORDING_FAILED;
}

/* Segments are escaped: an OLD name may hold anything but a slash. The first era knows no address of a failed one. */
static char *
dup_url (const RecRecording *recording, RecEra words, const RecEntityView *view)
{
  if (recording->file_name == NULL || !is_over (recording))
    return NULL;
  if (words == REC_ERA_OLD && (!view->is_public || recording->status != REC_RECORDING_READY))
    return NULL;
  g_autofree char *id = g_uri_escape_string (recording->id, NULL, FALSE);
  g_autofree char *file = g_uri_escape_string (recording->file_name, NULL, FALSE);
  if (words == REC_ERA_OLD && recording->era == REC_ERA_OLD)
    return g_strconcat (view->public_url, "/recordings/", file, NULL);
  return g_strconcat (view->public_url, words == REC_ERA_OLD ? "" : "/openvidu", "/recordings/", id,
      "/", file, NULL);
}

static char *
dup_resolution (const RecRecordingProperties *properties)
{
  return g_strdup_printf ("%dx%d", properties->width & ~1, properties->height & ~1);
}

void
rec_entity_add_properties (json_object *json, const RecRecordingProperties *properties)
{
  g_autofree char *resolution = dup_resolution (properties);

  if (properties->output_mode == REC_OUTPUT_INDIVIDUAL) {
    rec_json_set_bool (json, "ignoreFailedStreams", properties->ignore_failed_streams);
    return;
  }
  if (!properties->has_video)
    return;
  rec_json_set_string (json, "recordingLayout", properties->recording_layout);
  if (strcmp (properties->recording_layout, "CUSTOM") == 0 && properties->custom_layout != NULL)
    rec_json_set_string (json, "customLayout", properties->custom_layout);
  rec_json_set_string (json, "resolution", resolution);
  rec_json_set_int (json, "frameRate", properties->frame_rate);
}

static void
add_strings (json_object *json, const char *name, const GPtrArray *strings)
{
  json_object *array;

  if (strings->len == 0)
    return;
  array = json_object_new_array ();
  for (guint i = 0; i < strings->len; i++)
    json_object_array_add (array, json_object_new_string (strings->pdata[i]));
  rec_json_take (json, name, array);
}

static void
add_ours (json_object *json, const RecRecording *recording)
{
  if (recording->reason != NULL)
    rec_json_set_string (json, "reason", recording->reason);
  if (recording->message != NULL)
    rec_json_set_string (json, "message", recording->message);
  add_strings (json, "notes", recording->notes);
}

/* Java clients of the first era take no number without a point. */
static json_object *
make_duration (double seconds)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof text, "%.3f", seconds);
  for (size_t end = strlen (text); text[end - 1] == '0' && text[end - 2] != '.'; end--)
    text[end - 1] = '\0';
  return json_object_new_double_s (seconds, text);
}

json_object *
rec_entity_to_json (const RecRecording *recording, RecEra words, const RecEntityView *view)
{
  const RecRecordingProperties *properties = recording->properties;
  json_object *json = json_object_new_object ();
  g_autofree char *url = dup_url (recording, words, view);
  bool is_complete = is_over (recording);

  rec_json_set_string (json, "id", recording->id);
  rec_json_set_string (json, "object", "recording");
  rec_json_set_string (json, "name", recording->name);
  rec_json_set_string (json, "outputMode", rec_output_mode_to_string (properties->output_mode));
  rec_entity_add_properties (json, properties);
  /* Java clients of the first era insist on it. */
  if (words == REC_ERA_OLD)
    rec_json_set_string (json, "recordingLayout", properties->recording_layout);
  rec_json_set_string (json, "sessionId", recording->session_id);
  rec_json_set_int (json, "createdAt", recording->created_at_ms);
  rec_json_set_int (json, "size", is_complete ? recording->size : 0);
  rec_json_take (json, "duration", make_duration (is_complete ? recording->duration_s : 0));
  rec_json_set_string (json, "url", url);
  rec_json_set_bool (json, "hasAudio", is_complete ? recording->has_audio : properties->has_audio);
  rec_json_set_bool (json, "hasVideo", is_complete ? recording->has_video : properties->has_video);
  rec_json_set_string (json, "status", status_word (recording, words, view));
  return json;
}

/* What OpenVidu 2.0 did not write, where it says nothing that it did not mean. */
static void
leave_out_new_fields (json_object *json, const RecRecordingProperties *properties)
{
  json_object_object_del (json, "object");
  json_object_object_del (json, "ignoreFailedStreams");
  if (properties->width == old_defaults.width && properties->height == old_defaults.height)
    json_object_object_del (json, "resolution");
  if (properties->frame_rate == old_defaults.frame_rate)
    json_object_object_del (json, "frameRate");
  if (properties->output_mode == REC_OUTPUT_COMPOSED)
    json_object_object_del (json, "outputMode");
}

json_object *
rec_entity_to_file_json (const RecRecording *recording, const RecEntityView *view)
{
  json_object *json = rec_entity_to_json (recording, recording->era, view);

  if (recording->era == REC_ERA_OLD)
    leave_out_new_fields (json, recording->properties);
  else
    rec_json_set_string (json, "uniqueSessionId", recording->unique_session_id);
  add_ours (json, recording);
  add_strings (json, "otherFiles", recording->other_files);
  /* An entity without an address yet has none: OLD's null is how it always was. */
  if (recording->era == REC_ERA_NEW && !rec_json_has (json, "url"))
    json_object_object_del (json, "url");
  return json;
}

/* --- reading ---------------------------------------------------------------------------------------- */

static bool
is_layout_name (const char *text)
{
  return strlen (text) <= 64 && rec_path_is_safe_name (text);
}

static const RecJsonField fields[] = {
  { .name = "id",
      .type = REC_JSON_STRING,
      .required = true,
      .is_valid = rec_path_is_safe_name,
      .expected = "a file name" },
  { .name = "name",
      .type = REC_JSON_STRING,
      .required = true,
      .is_valid = rec_path_is_safe_name,
      .expected = "a file name" },
  { .name = "sessionId", .type = REC_JSON_STRING, .required = true, .max = 1000 },
  { .name = "recordingLayout",
      .type = REC_JSON_STRING,
      .is_valid = is_layout_name,
      .expected = "a layout's name" },
  { .name = "customLayout", .type = REC_JSON_STRING, .max = 4096 },
  { .name = "outputMode", .type = REC_JSON_STRING, .max = 64 },
  { .name = "resolution", .type = REC_JSON_STRING, .max = 64 },
  { .name = "frameRate", .type = REC_JSON_INTEGER, .min = 1, .max = 1000 },
  { .name = "createdAt", .type = REC_JSON_INTEGER, .required = true },
  { .name = "size", .type = REC_JSON_INTEGER, .min = 0, .max = INT64_MAX },
  { .name = "duration", .type = REC_JSON_NUMBER },
  { .name = "hasAudio", .type = REC_JSON_BOOLEAN },
  { .name = "hasVideo", .type = REC_JSON_BOOLEAN },
  { .name = "status", .type = REC_JSON_STRING, .required = true },
  { .name = "uniqueSessionId", .type = REC_JSON_STRING, .max = 2000 },
  { .name = "reason", .type = REC_JSON_STRING },
  { .name = "message", .type = REC_JSON_STRING },
  { .name = "notes", .type = REC_JSON_STRINGS, .max = 1000 },
  { .name = "otherFiles", .type = REC_JSON_STRINGS, .max = 1000 },
  REC_JSON_FIELDS_END,
};

static RecRecordingProperties *
read_properties (json_object *entity, RecEra era)
{
  RecRecordingProperties *properties = rec_recording_properties_new ();
  const char *layout = rec_json_string_or (entity, "recordingLayout", "BEST_FIT");
  const char *custom = rec_json_string_or (entity, "customLayout", NULL);
  const char *mode = rec_json_string_or (entity, "outputMode", "COMPOSED");
  const char *resolution = rec_json_string_or (entity, "resolution", "");
  int width = 0, height = 0;

  if (era == REC_ERA_OLD) {
    properties->width = old_defaults.width;
    properties->height = old_defaults.height;
    properties->frame_rate = old_defaults.frame_rate;
  }
  if (sscanf (resolution, "%4dx%4d", &width, &height) == 2 && width > 0 && height > 0) {
    properties->width = width;
    properties->height = height;
  }
  properties->frame_rate = (int) rec_json_int_or (entity, "frameRate", properties->frame_rate);
  g_free (properties->recording_layout);
  properties->recording_layout = g_strdup (layout);
  properties->custom_layout = g_strdup (custom);
  if (rec_output_mode_from_string (mode) != REC_OUTPUT_INVALID)
    properties->output_mode = rec_output_mode_from_string (mode);
  properties->name = g_strdup (rec_json_string_or (entity, "name", NULL));
  properties->has_audio = rec_json_bool_or (entity, "hasAudio", true);
  properties->has_video = rec_json_bool_or (entity, "hasVideo", true);
  return properties;
}

/* In OpenVidu 2.0 "stopped" was the end; later it is a file being completed. */
static RecRecordingStatus
read_status (json_object *entity, RecEra era)
{
  const char *word = rec_json_string_or (entity, "status", "");

  for (size_t i = 0; i < G_N_ELEMENTS (status_words); i++) {
    if (strcmp (status_words[i].word, word) != 0)
      continue;
    if (era == REC_ERA_OLD && status_words[i].status == REC_RECORDING_STOPPED)
      return REC_RECORDING_READY;
    return status_words[i].status;
  }
  return REC_RECORDING_INVALID;
}

static void
read_strings (json_object *entity, const char *name, GPtrArray *strings)
{
  json_object *array = rec_json_get (entity, name);
  size_t n = array != NULL ? json_object_array_length (array) : 0;

  for (size_t i = 0; i < n; i++)
    g_ptr_array_add (strings,
        g_strdup (json_object_get_string (json_object_array_get_idx (array, i))));
}

static void
read_outcome (json_object *entity, RecRecording *recording)
{
  recording->unique_session_id = g_strdup (rec_json_string_or (entity, "uniqueSessionId", NULL));
  recording->reason = g_strdup (rec_json_string_or (entity, "reason", NULL));
  recording->message = g_strdup (rec_json_string_or (entity, "message", NULL));
  recording->size = rec_json_int_or (entity, "size", 0);
  recording->duration_s = rec_json_double_or (entity, "duration", 0);
  read_strings (entity, "notes", recording->notes);
  read_strings (entity, "otherFiles", recording->other_files);
}

RecRecording *
rec_entity_from_json (json_object *entity, const char *directory, GError **error)
{
  if (!json_object_is_type (entity, json_type_object)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "it is no object");
    return NULL;
  }
  if (!rec_json_check (entity, fields, error))
    return NULL;
  RecEra era = rec_json_has (entity, "object") ? REC_ERA_NEW : REC_ERA_OLD;
  RecRecordingStatus status = read_status (entity, era);
  if (status == REC_RECORDING_INVALID) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "field status says '%s'",
        rec_json_string_or (entity, "status", ""));
    return NULL;
  }
  g_autoptr (RecRecordingProperties) properties = read_properties (entity, era);
  RecRecording *recording = rec_recording_new (rec_json_string_or (entity, "id", ""),
      rec_json_string_or (entity, "sessionId", ""), era, properties,
      rec_json_int_or (entity, "createdAt", 0));
  recording->directory = g_strdup (directory);
  recording->status = status;
  read_outcome (entity, recording);
  if (is_over (recording))
    rec_place_find_video (recording);
  return recording;
}

/* The name in the file must be that of the file: whoever copies one entity over another made a mistake. */
static RecRecording *
load (const char *directory, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (directory, file, NULL);
  g_autoptr (RecJson) json = rec_json_parse_file (path, MAX_ENTITY_BYTES, &error);
  g_autoptr (RecRecording) recording = json != NULL ? rec_entity_from_json (json, directory, &error)
                                                    : NULL;

  if (recording == NULL) {
    g_warning ("cannot read the recording in '%s': %s; leaving it out", path, error->message);
    return NULL;
  }
  if (strcmp (recording->id, file + strlen (ENTITY_PREFIX)) == 0)
    return g_steal_pointer (&recording);
  g_warning ("cannot read the recording in '%s': it has the id '%s'; leaving it out", path,
      recording->id);
  return NULL;
}

static void
load_folder (const char *directory, unsigned depth, GPtrArray *recordings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &error);
  const char *name;

  if (dir == NULL) {
    g_warning ("cannot look for recordings: %s; leaving this folder out", error->message);
    return;
  }
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);

    if (g_str_has_prefix (name, ENTITY_PREFIX) && !g_str_has_suffix (name, ".part")) {
      RecRecording *recording = load (directory, name);
      if (recording != NULL)
        g_ptr_array_add (recordings, recording);
    } else if (depth > 0 && !g_file_test (path, G_FILE_TEST_IS_SYMLINK) &&
               g_file_test (path, G_FILE_TEST_IS_DIR)) {
      load_folder (path, depth - 1, recordings);
    }
  }
}

static void
unref_recording (void *data)
{
  rec_recording_unref (data);
}

GPtrArray *
rec_entity_load_all (const char *root)
{
  GPtrArray *recordings = g_ptr_array_new_with_free_func (unref_recording);

  load_folder (root, 1, recordings);
  return recordings;
}

/* --- ID.info ---------------------------------------------------------------------------------------- */

static void
add_stream (json_object *streams, const char *codec_type)
{
  json_object *stream = json_object_new_object ();

  rec_json_set_string (stream, "codec_type", codec_type);
  json_object_array_add (streams, stream);
}

json_object *
rec_entity_make_info (const RecRecording *recording)
{
  json_object *info = json_object_new_object ();
  json_object *format = json_object_new_object ();
  json_object *streams = json_object_new_array ();
  char duration[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *size = g_strdup_printf ("%" G_GINT64_FORMAT, recording->size);

  g_ascii_formatd (duration, sizeof duration, "%.6f", recording->duration_s);
  rec_json_set_string (format, "duration", duration);
  rec_json_set_string (format, "size", size);
  if (recording->has_video)
    add_stream (streams, "video");
  if (recording->has_audio)
    add_stream (streams, "audio");
  rec_json_take (info, "format", format);
  rec_json_take (info, "streams", streams);
  return info;
}
