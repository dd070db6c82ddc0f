/* bodies.c - REST bodies of both eras: the tables of their fields, and what they ask for. */
#define DEFAULT_CACHE_MS 2000 /* of an IP camera */
#define MAX_CACHE_MS 10000
#define MAX_URI_BYTES 2000
#define G_LOG_DOMAIN "rec.api.bodies"
#include "api/bodies.h"

#include "api/ice-servers.h"
#include "base/config.h"
#include "base/error.h"
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NAME_BYTES 180
#define MAX_LAYOUT_BYTES 1000
#define MAX_SINKS 16
/* OpenVidu 2.0's own limit for a token's data; the later ones have none. */
#define MAX_OLD_DATA_CHARACTERS 10000
#define MIN_SIDE 100
#define MAX_SIDE 1999
#define MAX_FRAME_RATE 120
#define MIN_SHM_BYTES 134217728
#define MAX_DURATION_S 31536000
#define MIN_SIZE 65536

#define CHOICES(...)                                                                               \
  (const char *const[])                                                                            \
  {                                                                                                \
    __VA_ARGS__, NULL                                                                              \
  }
#define FIELD(field, ...)                                                                          \
  {                                                                                                \
    .name = field, .type = __VA_ARGS__                                                             \
  }
#define MEDIA_MODES "ROUTED", "RELAYED"
#define RECORDING_MODES "MANUAL", "ALWAYS"
#define OUTPUT_MODES "COMPOSED", "COMPOSED_QUICK_START", "INDIVIDUAL"
#define ROLES "SUBSCRIBER", "PUBLISHER", "MODERATOR"
#define CODECS "MEDIA_SERVER_PREFERRED", "NONE", "VP8", "VP9", "H264"

/* --- parsing --------------------------------------------------------------------------------------------------- */

bool
rec_body_parse (const void *text, size_t length, RecJson **body, GError **error)
{
  g_autofree char *latin1 = NULL;
  const char *json = text;
  gsize n_json = length;

  *body = NULL;
  if (length == 0)
    return true;
  if (!g_utf8_validate (json, (gssize) length, NULL)) {
    latin1 = g_convert (json, (gssize) length, "UTF-8", "ISO-8859-1", NULL, &n_json, NULL);
    if (latin1 != NULL)
      json = latin1;
  }
  RecJson *value = rec_json_parse (json, n_json, n_json, error);
  if (value == NULL)
    return false;
  if (json_object_is_type (value, json_type_object)) {
    *body = value;
    return true;
  }
  json_object_put (value);
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "the body must be a JSON object {...}");
  return false;
}

/* --- what single values must look like -------------------------------------------------------------------------- */

static bool
is_new_session_id (const char *text)
{
  return rec_session_id_is_valid (REC_ERA_NEW, text);
}

static bool
is_old_session_id (const char *text)
{
  return rec_session_id_is_valid (REC_ERA_OLD, text);
}

static bool
is_new_name (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("_-~", *at) == NULL)
      return false;
  return strlen (text) <= MAX_NAME_BYTES;
}

static bool
is_old_name (const char *text)
{
  return *text == '\0' || (strlen (text) <= MAX_NAME_BYTES && rec_path_is_safe_name (text));
}

static bool
is_resolution (const char *text, int *width, int *height)
{
  char *end;

  if (!g_ascii_isdigit (*text))
    return false;
  const uint64_t w = g_ascii_strtoull (text, &end, 10);
  if (*end != 'x' || !g_ascii_isdigit (end[1]))
    return false;
  const uint64_t h = g_ascii_strtoull (end + 1, &end, 10);
  if (*end != '\0' || w < MIN_SIDE || w > MAX_SIDE || h < MIN_SIDE || h > MAX_SIDE)
    return false;
  *width = (int) w;
  *height = (int) h;
  return true;
}

/* --- recordings -------------------------------------------------------------------------------------------------- */

static const RecJsonField old_recording[] = {
  FIELD ("name", REC_JSON_STRING, .is_valid = is_old_name,
      .expected = "a file name of at most 180 bytes, without slashes and control characters"),
  FIELD ("outputMode", REC_JSON_STRING, .choices = CHOICES ("", OUTPUT_MODES)),
  FIELD ("recordingLayout", REC_JSON_STRING, .max = MAX_LAYOUT_BYTES),
  REC_JSON_FIELDS_END,
};

static const RecJsonField new_recording[] = {
  FIELD ("name", REC_JSON_STRING, .is_valid = is_new_name,
      .expected = "at most 180 letters, digits, '_', '-' and '~'"),
  FIELD ("outputMode", REC_JSON_STRING, .choices = CHOICES (OUTPUT_MODES)),
  REC_JSON_FIELDS_END,
};

static const RecJsonField any_recording[] = {
  FIELD ("hasAudio", REC_JSON_BOOLEAN),
  FIELD ("hasVideo", REC_JSON_BOOLEAN),
  FIELD ("ignoreFailedStreams", REC_JSON_BOOLEAN),
  FIELD ("maxDuration", REC_JSON_INTEGER),
  FIELD ("maxSize", REC_JSON_INTEGER),
  FIELD ("sinks", REC_JSON_STRINGS, .min = 1, .max = MAX_SINKS),
  FIELD ("options", REC_JSON_OBJECT),
  REC_JSON_FIELDS_END,
};

/* Not looked at for INDIVIDUAL. */
static const RecJsonField new_composed[] = {
  FIELD ("recordingLayout", REC_JSON_STRING, .min = 1, .max = MAX_LAYOUT_BYTES,
      .expected = "the name of a layout"),
  REC_JSON_FIELDS_END,
};
static const RecJsonField any_composed[] = {
  FIELD ("customLayout", REC_JSON_STRING, .max = MAX_LAYOUT_BYTES),
  FIELD ("resolution", REC_JSON_STRING),
  FIELD ("frameRate", REC_JSON_INTEGER),
  FIELD ("shmSize", REC_JSON_INTEGER),
  REC_JSON_FIELDS_END,
};

static bool
refuse_range (GError **error, const char *what)
{
  g_set_error_literal (error, REC_ERROR, REC_ERROR_UNPROCESSABLE, what);
  return false;
}

static bool
is_integer_outside (RecJson *body, const char *name, int64_t min, int64_t max)
{
  RecJson *value = rec_json_get (body, name);

  if (value == NULL || !json_object_is_type (value, json_type_int))
    return false;
  const int64_t number = json_object_get_int64 (value);
  return number < min || number > max;
}

static bool
check_ranges (RecJson *body, const RecRecordingProperties *properties, GError **error)
{
  const char *resolution = rec_json_string_or (body, "resolution", NULL);
  int width, height;

  if (!rec_json_bool_or (body, "hasAudio", properties->has_audio) &&
      !rec_json_bool_or (body, "hasVideo", properties->has_video))
    return refuse_range (error, "\"hasAudio\" and \"hasVideo\" must not both be false");
  if (is_integer_outside (body, "maxDuration", 1, MAX_DURATION_S))
    return refuse_range (error, "field \"maxDuration\" must be 1 to 31536000 seconds");
  if (is_integer_outside (body, "maxSize", MIN_SIZE, INT64_MAX))
    return refuse_range (error, "field \"maxSize\" must be at least 65536 bytes");
  if (properties->output_mode == REC_OUTPUT_INDIVIDUAL)
    return true;
  if (resolution != NULL && !is_resolution (resolution, &width, &height))
    return refuse_range (error, "field \"resolution\" must be WIDTHxHEIGHT, each 100 to 1999");
  if (is_integer_outside (body, "frameRate", 1, MAX_FRAME_RATE))
    return refuse_range (error, "field \"frameRate\" must be 1 to 120");
  if (is_integer_outside (body, "shmSize", MIN_SHM_BYTES, INT64_MAX))
    return refuse_range (error, "field \"shmSize\" must be at least 134217728");
  return true;
}

static bool
check_types (RecJson *body, RecEra era, RecOutputMode mode, GError **error)
{
  if (!rec_json_check (body, era == REC_ERA_OLD ? old_recording : new_recording, error) ||
      !rec_json_check (body, any_recording, error))
    return false;
  if (mode == REC_OUTPUT_INDIVIDUAL)
    return true;
  return rec_json_check (body, any_composed, error) &&
         (era == REC_ERA_OLD || rec_json_check (body, new_composed, error));
}

/* Of the two composed kinds it is always the default's: the session was prepared for that one. */
static RecOutputMode
choose_mode (RecJson *body, RecOutputMode fallback, bool coerces)
{
  RecOutputMode asked = rec_output_mode_from_string (rec_json_string_or (body, "outputMode", NULL));

  if (asked == REC_OUTPUT_INVALID)
    return fallback;
  if (asked == REC_OUTPUT_INDIVIDUAL || fallback == REC_OUTPUT_INDIVIDUAL || !coerces)
    return asked;
  return fallback;
}

static void
set_text (char **text, RecJson *body, const char *name)
{
  const char *value = rec_json_string_or (body, name, "");

  if (*value == '\0')
    return;
  g_free (*text);
  *text = g_strdup (value);
}

static void
set_composed (RecRecordingProperties *properties, RecJson *body)
{
  const char *resolution = rec_json_string_or (body, "resolution", NULL);

  set_text (&properties->recording_layout, body, "recordingLayout");
  set_text (&properties->custom_layout, body, "customLayout");
  if (resolution != NULL)
    is_resolution (resolution, &properties->width, &properties->height);
  properties->frame_rate = (int) rec_json_int_or (body, "frameRate", properties->frame_rate);
  properties->shm_size = rec_json_int_or (body, "shmSize", properties->shm_size);
}

static char **
dup_strings (RecJson *array)
{
  const size_t n = json_object_array_length (array);
  char **strings = g_new0 (char *, n + 1);

  for (size_t i = 0; i < n; i++)
    strings[i] = g_strdup (json_object_get_string (json_object_array_get_idx (array, i)));
  return strings;
}

static void
set_plugins (RecRecordingProperties *properties, RecJson *body)
{
  RecJson *sinks = rec_json_get (body, "sinks");
  RecJson *options = rec_json_get (body, "options");

  if (sinks != NULL) {
    g_strfreev (properties->sinks);
    properties->sinks = dup_strings (sinks);
  }
  if (options != NULL) {
    json_object_put (properties->options);
    properties->options = json_object_get (options);
  }
}

static RecRecordingProperties *
overlay (RecJson *body, RecEra era, const RecRecordingProperties *defaults, bool coerces,
    GError **error)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_dup (defaults);

  if (body == NULL)
    return g_steal_pointer (&properties);
  properties->output_mode = choose_mode (body, defaults->output_mode, coerces);
  if (!check_ranges (body, properties, error) ||
      !check_types (body, era, properties->output_mode, error))
    return NULL;
  set_text (&properties->name, body, "name");
  properties->has_audio = rec_json_bool_or (body, "hasAudio", properties->has_audio);
  properties->has_video = rec_json_bool_or (body, "hasVideo", properties->has_video);
  if (properties->output_mode == REC_OUTPUT_INDIVIDUAL)
    properties->ignore_failed_streams =
        rec_json_bool_or (body, "ignoreFailedStreams", properties->ignore_failed_streams);
  else
    set_composed (properties, body);
  properties->max_duration_s = rec_json_int_or (body, "maxDuration", properties->max_duration_s);
  properties->max_size = rec_json_int_or (body, "maxSize", properties->max_size);
  set_plugins (properties, body);
  return g_steal_pointer (&properties);
}

RecRecordingProperties *
rec_body_to_recording (RecJson *body, RecEra era, const RecRecordingProperties *defaults,
    GError **error)
{
  return overlay (body, era, defaults, true, error);
}

/* --- sessions ---------------------------------------------------------------------------------------------------- */

static const RecJsonField old_session[] = {
  FIELD ("mediaMode", REC_JSON_STRING, .choices = CHOICES ("", MEDIA_MODES)),
  FIELD ("recordingMode", REC_JSON_STRING, .choices = CHOICES ("", RECORDING_MODES)),
  FIELD ("customSessionId", REC_JSON_STRING, .is_valid = is_old_session_id,
      .expected = REC_OLD_SESSION_ID),
  FIELD ("forcedVideoCodec", REC_JSON_STRING, .choices = CHOICES ("", CODECS)),
  REC_JSON_FIELDS_END,
};

static const RecJsonField new_session[] = {
  FIELD ("mediaMode", REC_JSON_STRING, .choices = CHOICES (MEDIA_MODES)),
  FIELD ("recordingMode", REC_JSON_STRING, .choices = CHOICES (RECORDING_MODES)),
  FIELD ("customSessionId", REC_JSON_STRING, .is_valid = is_new_session_id,
      .expected = REC_NEW_SESSION_ID),
  FIELD ("forcedVideoCodec", REC_JSON_STRING, .choices = CHOICES (CODECS)),
  REC_JSON_FIELDS_END,
};

static const RecJsonField any_session[] = {
  FIELD ("allowTranscoding", REC_JSON_BOOLEAN),
  FIELD ("defaultRecordingProperties", REC_JSON_OBJECT),
  REC_JSON_FIELDS_END,
};

/* What clients from 2.2 to 2.17 say, and what the page of the first era says beside it. */
static const struct {
  const char *spelling, *field;
} old_spellings[] = {
  { "defaultOutputMode", "outputMode" },
  { "defaultRecordingLayout", "recordingLayout" },
  { "recordingLayout", "recordingLayout" },
  { "defaultCustomLayout", "customLayout" },
  { "customLayout", "customLayout" },
};

/* The recording defaults in the later spelling; an object of its own. */
static RecJson *
gather_recording (RecJson *body)
{
  RecJson *gathered = json_object_new_object ();
  RecJson *given = rec_json_get (body, "defaultRecordingProperties");

  for (size_t i = 0; i < G_N_ELEMENTS (old_spellings); i++) {
    RecJson *value = rec_json_get (body, old_spellings[i].spelling);
    if (value != NULL && !rec_json_has (gathered, old_spellings[i].field))
      rec_json_take (gathered, old_spellings[i].field, json_object_get (value));
  }
  if (given != NULL) {
    json_object_object_foreach (given, name, value) {
      if (value != NULL)
        rec_json_take (gathered, name, json_object_get (value));
    }
  }
  return gathered;
}

/* All that is wrong with a session is 400. */
static void
lower_code (GError **error)
{
  if (error != NULL && g_error_matches (*error, REC_ERROR, REC_ERROR_UNPROCESSABLE))
    (*error)->code = REC_ERROR_INVALID_ARGUMENT;
}

static bool
set_session_recording (RecSessionProperties *properties, RecJson *body, RecEra era, GError **error)
{
  /* The page's `recordingLayout: ""` means the default, whatever the era. */
  g_autoptr (RecJson) gathered = gather_recording (body);
  g_autoptr (RecRecordingProperties) defaults = rec_recording_properties_new_of_era (era);
  RecRecordingProperties *recording = overlay (gathered, era, defaults, false, error);

  if (recording == NULL) {
    lower_code (error);
    return false;
  }
  rec_recording_properties_free (properties->recording);
  properties->recording = recording;
  return true;
}

RecSessionProperties *
rec_body_to_session (RecJson *body, RecEra era, const RecConfig *config, GError **error)
{
  g_autoptr (RecSessionProperties) properties = rec_session_properties_new ();

  g_free (properties->forced_video_codec);
  properties->forced_video_codec =
      g_strdup (rec_config_get_string (config, "openvidu.streams.forced-video-codec"));
  properties->allow_transcoding =
      rec_config_get_bool (config, "openvidu.streams.allow-transcoding");
  if (body != NULL &&
      (!rec_json_check (body, era == REC_ERA_OLD ? old_session : new_session, error) ||
          !rec_json_check (body, any_session, error)))
    return NULL;
  if (!set_session_recording (properties, body, era, error))
    return NULL;
  properties->is_relayed = g_str_equal (rec_json_string_or (body, "mediaMode", ""), "RELAYED");
  properties->records_always =
      g_str_equal (rec_json_string_or (body, "recordingMode", ""), "ALWAYS");
  set_text (&properties->custom_session_id, body, "customSessionId");
  set_text (&properties->forced_video_codec, body, "forcedVideoCodec");
  properties->allow_transcoding =
      rec_json_bool_or (body, "allowTranscoding", properties->allow_transcoding);
  return g_steal_pointer (&properties);
}

/* --- connections and tokens ---------------------------------------------------------------------------------------- */

static bool
is_old_data (const char *text)
{
  return g_utf8_strlen (text, -1) <= MAX_OLD_DATA_CHARACTERS;
}

static bool
is_rtsp_uri (const char *text)
{
  /* Strictly: what is read leniently is read otherwise by whoever connects. */
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  return (g_str_equal (scheme, "rtsp") || g_str_equal (scheme, "rtsps")) && host != NULL &&
         *host != '\0';
}

static const RecJsonField old_connection[] = {
  FIELD ("role", REC_JSON_STRING, .choices = CHOICES ("", ROLES)),
  FIELD ("data", REC_JSON_STRING, .is_valid = is_old_data,
      .expected = "a string of at most 10000 characters"),
  REC_JSON_FIELDS_END,
};

static const RecJsonField new_connection[] = {
  FIELD ("role", REC_JSON_STRING, .choices = CHOICES (ROLES)),
  FIELD ("data", REC_JSON_STRING),
  FIELD ("type", REC_JSON_STRING, .choices = CHOICES ("WEBRTC", "IPCAM")),
  FIELD ("record", REC_JSON_BOOLEAN),
  FIELD ("adaptativeBitrate", REC_JSON_BOOLEAN),
  FIELD ("onlyPlayWithSubscribers", REC_JSON_BOOLEAN),
  FIELD ("networkCache", REC_JSON_INTEGER, .min = 0, .max = MAX_CACHE_MS),
  REC_JSON_FIELDS_END,
};

static const RecJsonField camera[] = {
  FIELD ("rtspUri", REC_JSON_STRING, .required = true, .max = MAX_URI_BYTES,
      .is_valid = is_rtsp_uri, .expected = "the rtsp:// or rtsps:// URI of an IP camera"),
  REC_JSON_FIELDS_END,
};

static const RecJsonField any_connection[] = {
  FIELD ("customIceServers", REC_JSON_ARRAY, .max = 20),
  FIELD ("kurentoOptions", REC_JSON_OBJECT),
  REC_JSON_FIELDS_END,
};

static const RecJsonField kurento_options[] = {
  FIELD ("videoMaxRecvBandwidth", REC_JSON_INTEGER),
  FIELD ("videoMinRecvBandwidth", REC_JSON_INTEGER),
  FIELD ("videoMaxSendBandwidth", REC_JSON_INTEGER),
  FIELD ("videoMinSendBandwidth", REC_JSON_INTEGER),
  FIELD ("allowedFilters", REC_JSON_STRINGS),
  REC_JSON_FIELDS_END,
};

static bool
is_camera (RecJson *body, RecEra era)
{
  return era != REC_ERA_OLD && g_str_equal (rec_json_string_or (body, "type", ""), "IPCAM");
}

static bool
check_connection (RecJson *body, RecEra era, GError **error)
{
  RecJson *options, *servers;

  if (!rec_json_check (body, era == REC_ERA_OLD ? old_connection : new_connection, error) ||
      !rec_json_check (body, any_connection, error))
    return false;
  options = rec_json_get (body, "kurentoOptions");
  if (options != NULL && !rec_json_check (options, kurento_options, error)) {
    g_prefix_error (error, "field \"kurentoOptions\": ");
    return false;
  }
  servers = rec_json_get (body, "customIceServers");
  if (servers != NULL && !rec_body_check_ice_servers (servers, error))
    return false;
  return !is_camera (body, era) || rec_json_check (body, camera, error);
}

bool
rec_body_to_connection_update (RecJson *body, RecRole *role, bool *record, GError **error)
{
  if (body != NULL && !rec_json_check (body, new_connection, error))
    return false;
  *role = rec_role_from_string (rec_json_string_or (body, "role", ""));
  *record = rec_json_bool_or (body, "record", *record);
  return true;
}

bool
rec_body_to_connection (RecJson *body, RecEra era, int64_t now_ms, RecConnectionRequest *request,
    GError **error)
{
  if (body != NULL && !check_connection (body, era, error))
    return false;
  rec_body_resolve_ice_servers (rec_json_get (body, "customIceServers"), now_ms);
  RecRole role = rec_role_from_string (rec_json_string_or (body, "role", ""));
  *request = (RecConnectionRequest){
    .role = role == REC_ROLE_INVALID ? REC_ROLE_PUBLISHER : role,
    .server_data = rec_json_string_or (body, "data", ""),
    .record = rec_json_bool_or (body, "record", true),
    .custom_ice_servers = rec_json_get (body, "customIceServers"),
    .kurento_options = rec_json_get (body, "kurentoOptions"),
  };
  return true;
}

bool
rec_body_to_camera (RecJson *body, RecEra era, RecCameraInfo *info)
{
  if (body == NULL || !is_camera (body, era))
    return false;
  *info = (RecCameraInfo){
    .uri = (char *) rec_json_string_or (body, "rtspUri", ""),
    .adapts_bitrate = rec_json_bool_or (body, "adaptativeBitrate", true),
    .only_with_subscribers = rec_json_bool_or (body, "onlyPlayWithSubscribers", true),
    .network_cache_ms = (int) rec_json_int_or (body, "networkCache", DEFAULT_CACHE_MS),
  };
  return true;
}

/* --- others --------------------------------------------------------------------------------------------------------- */

static const RecJsonField with_session[] = {
  FIELD ("session", REC_JSON_STRING, .required = true, .min = 1, .max = 1000,
      .expected = "the id of a session"),
  REC_JSON_FIELDS_END,
};

bool
rec_body_get_session (RecJson *body, const char **session_id, GError **error)
{
  if (body == NULL) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "the body must be a JSON object with the field \"session\"");
    return false;
  }
  if (!rec_json_check (body, with_session, error))
    return false;
  *session_id = rec_json_string_or (body, "session", NULL);
  return true;
}

static const RecJsonField signal_fields[] = {
  FIELD ("to", REC_JSON_STRINGS, .max = 10000),
  FIELD ("type", REC_JSON_STRING, .max = 1000),
  FIELD ("data", REC_JSON_STRING),
  REC_JSON_FIELDS_END,
};

bool
rec_body_to_signal (RecJson *body, RecSignalRequest *request, GError **error)
{
  RecJson *to;

  *request = (RecSignalRequest){ 0 };
  if (!rec_body_get_session (body, &request->session, error) ||
      !rec_json_check (body, signal_fields, error))
    return false;
  request->type = rec_json_string_or (body, "type", "");
  request->data = rec_json_string_or (body, "data", "");
  to = rec_json_get (body, "to");
  const size_t n = to == NULL ? 0 : json_object_array_length (to);
  if (n == 0)
    return true;
  request->to = g_new0 (const char *, n + 1);
  for (size_t i = 0; i < n; i++)
    request->to[i] = json_object_get_string (json_object_array_get_idx (to, i));
  return true;
}
