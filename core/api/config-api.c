/* config-api.c - REST: the settings that clients of both eras ask for. */
#define G_LOG_DOMAIN "rec.api.config"
#include "api/private.h"
#include "base/config.h"
#include "base/settings.h"
#include "events/webhook.h"
#include "session/token.h"

#include <string.h>

#define TEXT_PLAIN "text/plain;charset=UTF-8"

/* The later era's names for what has the same meaning here. */
static const struct {
  const char *name, *key;
  bool for_recording; /* only told while recording is on */
} settings[] = {
  { "OPENVIDU_CDR", "openvidu.cdr", false },
  { "OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH", "openvidu.streams.video.max-recv-bandwidth",
      false },
  { "OPENVIDU_STREAMS_VIDEO_MIN_RECV_BANDWIDTH", "openvidu.streams.video.min-recv-bandwidth",
      false },
  { "OPENVIDU_STREAMS_VIDEO_MAX_SEND_BANDWIDTH", "openvidu.streams.video.max-send-bandwidth",
      false },
  { "OPENVIDU_STREAMS_VIDEO_MIN_SEND_BANDWIDTH", "openvidu.streams.video.min-send-bandwidth",
      false },
  { "OPENVIDU_STREAMS_FORCED_VIDEO_CODEC", "openvidu.streams.forced-video-codec", false },
  { "OPENVIDU_STREAMS_ALLOW_TRANSCODING", "openvidu.streams.allow-transcoding", false },
  { "OPENVIDU_SESSIONS_GARBAGE_INTERVAL", "openvidu.sessions.garbage-interval", false },
  { "OPENVIDU_SESSIONS_GARBAGE_THRESHOLD", "openvidu.sessions.garbage-threshold", false },
  { "OPENVIDU_RECORDING", "openvidu.recording", false },
  { "OPENVIDU_RECORDING_PATH", "openvidu.recording.path", true },
  { "OPENVIDU_RECORDING_PUBLIC_ACCESS", "openvidu.recording.public-access", true },
  { "OPENVIDU_RECORDING_NOTIFICATION", "openvidu.recording.notification", true },
  { "OPENVIDU_RECORDING_CUSTOM_LAYOUT", "openvidu.recording.custom-layout", true },
  { "OPENVIDU_RECORDING_AUTOSTOP_TIMEOUT", "openvidu.recording.autostop-timeout", true },
};

static char *
with_slash (const char *path)
{
  return g_strconcat (path, g_str_has_suffix (path, "/") ? "" : "/", NULL);
}

static RecJson *
make_value (const RecConfig *config, const char *key)
{
  switch (rec_setting_find (key)->type) {
  case REC_SETTING_BOOL:
    return json_object_new_boolean (rec_config_get_bool (config, key));
  case REC_SETTING_INT:
    return json_object_new_int64 (rec_config_get_int (config, key));
  case REC_SETTING_PATH: {
    g_autofree char *path = with_slash (rec_config_get_string (config, key));
    return json_object_new_string (path);
  }
  case REC_SETTING_STRING:
  case REC_SETTING_CHOICE:
  case REC_SETTING_LIST:
  case REC_SETTING_INVALID:
    break;
  }
  return json_object_new_string (rec_config_get_string (config, key));
}

static void
set_address (RecJson *object, const char *url)
{
  g_autofree char *ending_in_slash = with_slash (url);
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const int port = uri == NULL ? -1 : g_uri_get_port (uri);

  rec_json_set_string (object, "DOMAIN_OR_PUBLIC_IP", uri == NULL ? "" : g_uri_get_host (uri));
  rec_json_set_int (object, "HTTPS_PORT", port < 0 ? 443 : port);
  rec_json_set_string (object, "OPENVIDU_PUBLICURL", ending_in_slash);
}

/* The values of headers are mostly passwords: only the names are told. */
static RecJson *
make_list (const char *text, bool hides_values)
{
  g_auto (GStrv) list = rec_webhook_parse_list (text, NULL);
  RecJson *array = json_object_new_array ();

  for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
    char *colon = strchr (list[i], ':');
    if (hides_values && colon != NULL)
      *colon = '\0';
    g_autofree char *shown = g_strconcat (list[i], hides_values ? ": ***" : "", NULL);
    json_object_array_add (array, json_object_new_string (shown));
  }
  return array;
}

static void
set_webhook (RecJson *object, const RecConfig *config)
{
  rec_json_set_string (object, "OPENVIDU_WEBHOOK_ENDPOINT",
      rec_config_get_string (config, "openvidu.webhook.endpoint"));
  rec_json_take (object, "OPENVIDU_WEBHOOK_HEADERS",
      make_list (rec_config_get_string (config, "openvidu.webhook.headers"), true));
  rec_json_take (object, "OPENVIDU_WEBHOOK_EVENTS",
      make_list (rec_config_get_string (config, "openvidu.webhook.events"), false));
}

void
rec_get_config (RecCall *call)
{
  const RecConfig *config = call->api->context.config;
  const bool records = rec_config_get_bool (config, "openvidu.recording");
  RecJson *object = json_object_new_object ();

  rec_json_set_string (object, "VERSION", REC_OPENVIDU_VERSION);
  set_address (object, rec_registry_get_public_url (call->api->context.registry));
  for (size_t i = 0; i < G_N_ELEMENTS (settings); i++)
    if (records || !settings[i].for_recording)
      rec_json_take (object, settings[i].name, make_value (config, settings[i].key));
  if (records)
    rec_json_set_string (object, "OPENVIDU_RECORDING_VERSION", REC_OPENVIDU_VERSION);
  if (rec_config_get_bool (config, "openvidu.cdr"))
    rec_json_take (object, "OPENVIDU_CDR_PATH", make_value (config, "openvidu.cdr.path"));
  rec_json_set_bool (object, "OPENVIDU_WEBRTC_SIMULCAST", false);
  rec_json_take (object, "OPENVIDU_WEBHOOK", make_value (config, "openvidu.webhook"));
  if (rec_config_get_bool (config, "openvidu.webhook"))
    set_webhook (object, config);
  rec_http_answer_json (call->request, 200, object);
}

static void
answer_bool (RecCall *call, const char *key)
{
  const bool value = rec_config_get_bool (call->api->context.config, key);

  rec_http_answer_text (call->request, 200, TEXT_PLAIN, value ? "true" : "false");
}

static void
answer_with_slash (RecCall *call, const char *text)
{
  g_autofree char *ending_in_slash = with_slash (text);

  rec_http_answer_text (call->request, 200, TEXT_PLAIN, ending_in_slash);
}

void
rec_get_config_value (RecCall *call)
{
  const RecApiContext *context = &call->api->context;
  const char *name = strrchr (call->request->path, '/') + 1;

  if (strcmp (name, "openvidu-publicurl") == 0)
    answer_with_slash (call, rec_registry_get_public_url (context->registry));
  else if (strcmp (name, "openvidu-recording-path") == 0)
    answer_with_slash (call, rec_config_get_string (context->config, "openvidu.recording.path"));
  else if (strcmp (name, "openvidu-recording") == 0)
    answer_bool (call, "openvidu.recording");
  else if (strcmp (name, "openvidu-cdr") == 0)
    answer_bool (call, "openvidu.cdr");
  else if (strcmp (name, "openvidu-version") == 0)
    rec_http_answer_text (call->request, 200, TEXT_PLAIN, REC_OPENVIDU_VERSION);
  else
    rec_http_answer_status (call->request, 404, "there is no such setting");
}
