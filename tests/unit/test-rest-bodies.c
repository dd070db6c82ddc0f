/* test-rest-bodies.c - which bodies each era takes, what becomes of them, and what is told of those it doesn't. */
#include "api/bodies.h"

#include "base/config.h"
#include "base/error.h"

#include <string.h>

#define OLD REC_ERA_OLD
#define NEW REC_ERA_NEW

static RecJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  RecJson *body = NULL;

  if (text == NULL)
    return NULL;
  g_assert_true (rec_body_parse (text, strlen (text), &body, &error));
  g_assert_no_error (error);
  return body;
}

/* --- parsing ----------------------------------------------------------------------------------------------------- */

static void
test_parses_objects_alone (void)
{
  static const struct {
    const char *text;
    bool is_good;
  } cases[] = {
    { "", true },
    { "{}", true },
    { " {\"a\": 1} ", true },
    { "[]", false },
    { "1", false },
    { "null", false },
    { "{", false },
    { "{} x", false },
    { "{\"a\":}", false },
    { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", false },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecJson) body = NULL;
    g_test_message ("%s", cases[i].text);
    g_assert_true (rec_body_parse (cases[i].text, strlen (cases[i].text), &body, &error) ==
                   cases[i].is_good);
    if (cases[i].is_good)
      g_assert_no_error (error);
    else
      g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  }
}

static void
test_takes_latin1 (void)
{
  g_autoptr (RecJson) body = parse ("{\"data\": \"M\xfcller\"}");

  g_assert_cmpstr (rec_json_string_or (body, "data", NULL), ==, "M\xc3\xbcller");
}

/* --- recordings ---------------------------------------------------------------------------------------------------- */

static void
test_checks_recordings (void)
{
  static const struct {
    RecEra era;
    const char *body;
    int code; /* 0: taken */
  } cases[] = {
    { NEW, NULL, 0 },
    { NEW, "{}", 0 },
    { NEW, "{\"unknown\": 7}", 0 },
    { NEW, "{\"hasAudio\": null, \"resolution\": null, \"name\": null}", 0 },
    /* 422 */
    { NEW, "{\"hasAudio\": false, \"hasVideo\": false}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"resolution\": \"99x720\"}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"resolution\": \"100x1999\"}", 0 },
    { NEW, "{\"resolution\": \"100x2000\"}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"resolution\": \"\"}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"resolution\": \"1280 x720\"}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"resolution\": \"+128x720\"}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"resolution\": \"1280x720x\"}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"resolution\": \"1280X720\"}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"resolution\": \"18446744073709551716x720\"}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"frameRate\": 0}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"frameRate\": 1}", 0 },
    { NEW, "{\"frameRate\": 120}", 0 },
    { NEW, "{\"frameRate\": 121}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"frameRate\": -9223372036854775808}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"shmSize\": 134217727}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"shmSize\": 134217728}", 0 },
    { NEW, "{\"maxDuration\": 0}", REC_ERROR_UNPROCESSABLE },
    { OLD, "{\"maxDuration\": 31536001}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"maxDuration\": \"1\"}", REC_ERROR_INVALID_ARGUMENT },
    { OLD, "{\"maxDuration\": 1}", 0 },
    { NEW, "{\"maxSize\": 65535}", REC_ERROR_UNPROCESSABLE },
    { NEW, "{\"maxSize\": 65536}", 0 },
    /* 422 comes before 400 */
    { NEW, "{\"frameRate\": 0, \"name\": \"a/b\"}", REC_ERROR_UNPROCESSABLE },
    /* 400 */
    { NEW, "{\"hasAudio\": \"yes\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"hasVideo\": 1}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"resolution\": 7}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"frameRate\": \"fast\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"frameRate\": 25.5}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"shmSize\": {}}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"outputMode\": \"MOSAIC\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"name\": \"a/b\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"name\": \"a b\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"name\": \"..\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"name\": \"a\\u0000b\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"name\": \"A_z-0~1\"}", 0 },
    { NEW, "{\"name\": \"\"}", 0 },
    { NEW, "{\"sinks\": \"mp4\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"sinks\": [1]}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"sinks\": []}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"sinks\": [\"mp4\", \"count\"]}", 0 },
    { NEW, "{\"options\": []}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"customLayout\": 1}", REC_ERROR_INVALID_ARGUMENT },
    /* "" is no enum value for the later era, and the default for the first */
    { NEW, "{\"outputMode\": \"\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"recordingLayout\": \"\"}", REC_ERROR_INVALID_ARGUMENT },
    { OLD,
        "{\"outputMode\": \"\", \"recordingLayout\": \"\", \"customLayout\": \"\", \"name\": \"\"}",
        0 },
    { OLD, "{\"recordingLayout\": 1}", REC_ERROR_INVALID_ARGUMENT },
    /* names of the first era are free, but stay in the folder */
    { OLD, "{\"name\": \"M\xc3\xbcller am 3.\"}", 0 },
    { OLD, "{\"name\": \"a/b\"}", REC_ERROR_INVALID_ARGUMENT },
    { OLD, "{\"name\": \"..\"}", REC_ERROR_INVALID_ARGUMENT },
    { OLD, "{\"name\": \".hidden\"}", REC_ERROR_INVALID_ARGUMENT },
    { OLD, "{\"name\": \"a\\nb\"}", REC_ERROR_INVALID_ARGUMENT },
    /* what does not apply is not looked at */
    { NEW, "{\"outputMode\": \"INDIVIDUAL\", \"resolution\": \"1x1\", \"frameRate\": \"x\"}", 0 },
    { NEW, "{\"outputMode\": \"INDIVIDUAL\", \"hasAudio\": false, \"hasVideo\": false}",
        REC_ERROR_UNPROCESSABLE },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecJson) body = parse (cases[i].body);
    g_autoptr (RecRecordingProperties) defaults = rec_recording_properties_new ();
    g_autoptr (RecRecordingProperties)
        properties = rec_body_to_recording (body, cases[i].era, defaults, &error);
    g_test_message ("%s", cases[i].body == NULL ? "no body" : cases[i].body);
    if (cases[i].code == 0)
      g_assert_no_error (error);
    else
      g_assert_error (error, REC_ERROR, cases[i].code);
    g_assert_true ((properties != NULL) == (error == NULL));
  }
}

static void
test_lays_requests_over_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecRecordingProperties) defaults = rec_recording_properties_new ();
  g_autoptr (RecJson) body = parse (
      "{\"name\": \"n\", \"resolution\": \"321x241\", \"frameRate\": 15, \"hasAudio\": false,"
      " \"recordingLayout\": \"row\", \"customLayout\": \"a/b\", \"shmSize\": 200000000,"
      " \"sinks\": [\"mp4\", \"count\"], \"options\": {\"row\": {\"gap\": 4}}}");
  g_autoptr (RecRecordingProperties)
      untouched = rec_body_to_recording (NULL, NEW, defaults, &error);
  g_autoptr (RecRecordingProperties) changed = rec_body_to_recording (body, NEW, defaults, &error);

  g_assert_no_error (error);
  g_assert_cmpint (untouched->width, ==, 1280);
  g_assert_cmpint (untouched->frame_rate, ==, 25);
  g_assert_cmpstr (untouched->recording_layout, ==, "BEST_FIT");
  g_assert_null (untouched->sinks);
  g_assert_cmpstr (changed->name, ==, "n");
  g_assert_cmpint (changed->width, ==, 321);
  g_assert_cmpint (changed->height, ==, 241);
  g_assert_cmpint (changed->frame_rate, ==, 15);
  g_assert_cmpint (changed->shm_size, ==, 200000000);
  g_assert_false (changed->has_audio);
  g_assert_true (changed->has_video);
  g_assert_cmpstr (changed->recording_layout, ==, "row");
  g_assert_cmpstr (changed->custom_layout, ==, "a/b");
  g_assert_cmpstr (changed->sinks[1], ==, "count");
  g_assert_null (changed->sinks[2]);
  g_assert_cmpint (rec_json_int_or (rec_json_get (changed->options, "row"), "gap", 0), ==, 4);
}

static void
test_keeps_the_composed_kind (void)
{
  static const struct {
    RecOutputMode fallback;
    const char *asked;
    RecOutputMode expected;
  } cases[] = {
    { REC_OUTPUT_COMPOSED, "COMPOSED_QUICK_START", REC_OUTPUT_COMPOSED },
    { REC_OUTPUT_COMPOSED_QUICK_START, "COMPOSED", REC_OUTPUT_COMPOSED_QUICK_START },
    { REC_OUTPUT_COMPOSED, "INDIVIDUAL", REC_OUTPUT_INDIVIDUAL },
    { REC_OUTPUT_INDIVIDUAL, "COMPOSED_QUICK_START", REC_OUTPUT_COMPOSED_QUICK_START },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("{\"outputMode\": \"%s\"}", cases[i].asked);
    g_autoptr (RecJson) body = parse (text);
    g_autoptr (RecRecordingProperties) defaults = rec_recording_properties_new ();
    defaults->output_mode = cases[i].fallback;
    g_autoptr (RecRecordingProperties)
        properties = rec_body_to_recording (body, NEW, defaults, NULL);
    g_assert_cmpint (properties->output_mode, ==, cases[i].expected);
  }
}

/* --- sessions ------------------------------------------------------------------------------------------------------ */

static void
test_checks_sessions (void)
{
  static const struct {
    RecEra era;
    const char *body;
    bool is_good;
  } cases[] = {
    { NEW, NULL, true },
    { NEW, "{}", true },
    { NEW, "{\"mediaMode\": null, \"customSessionId\": null, \"mediaNode\": {\"id\": \"x\"}}",
        true },
    { NEW, "{\"mediaMode\": \"DIRECT\"}", false },
    { NEW, "{\"mediaMode\": 1}", false },
    { NEW, "{\"mediaMode\": \"\"}", false },
    { OLD, "{\"mediaMode\": \"\", \"recordingMode\": \"\"}", true },
    { OLD, "{\"mediaMode\": \"DIRECT\"}", false },
    { NEW, "{\"recordingMode\": \"SOMETIMES\"}", false },
    { NEW, "{\"forcedVideoCodec\": \"MJPEG\"}", false },
    { NEW, "{\"forcedVideoCodec\": \"VP9\"}", true },
    { NEW, "{\"allowTranscoding\": \"no\"}", false },
    { NEW, "{\"customSessionId\": \"team_1-A\"}", true },
    { NEW, "{\"customSessionId\": \"\"}", true },
    { NEW, "{\"customSessionId\": \"a b\"}", false },
    { NEW, "{\"customSessionId\": \"a.b\"}", false },
    { NEW, "{\"customSessionId\": \"../a\"}", false },
    { NEW, "{\"customSessionId\": 7}", false },
    { OLD, "{\"customSessionId\": \"a.b!\xc3\xa4\"}", true },
    { OLD, "{\"customSessionId\": \"a b\"}", false },
    { OLD, "{\"customSessionId\": \"a/b\"}", false },
    { OLD, "{\"customSessionId\": \"a\\\\b\"}", false },
    { OLD, "{\"customSessionId\": \"a?b\"}", false },
    { OLD, "{\"customSessionId\": \"a&b\"}", false },
    { OLD, "{\"customSessionId\": \"a=b\"}", false },
    { OLD, "{\"customSessionId\": \"a#b\"}", false },
    { OLD, "{\"customSessionId\": \"a%b\"}", false },
    { OLD, "{\"customSessionId\": \"a\\u0007b\"}", false },
    { OLD, "{\"customSessionId\": \"..\"}", false },
    { NEW, "{\"defaultRecordingProperties\": 7}", false },
    { NEW, "{\"defaultRecordingProperties\": {\"resolution\": \"10x10\"}}", false },
    { NEW, "{\"defaultRecordingProperties\": {\"frameRate\": 121}}", false },
    { NEW, "{\"defaultRecordingProperties\": {\"hasAudio\": false, \"hasVideo\": false}}", false },
    { NEW, "{\"defaultRecordingProperties\": {\"name\": \"a/b\"}}", false },
    { NEW, "{\"defaultRecordingLayout\": 1}", false },
    { OLD, "{\"defaultRecordingLayout\": \"\", \"defaultCustomLayout\": \"\"}", true },
  };
  g_autoptr (RecConfig) config = rec_config_new ();

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecJson) body = parse (cases[i].body);
    g_autoptr (RecSessionProperties)
        properties = rec_body_to_session (body, cases[i].era, config, &error);
    g_test_message ("%s", cases[i].body == NULL ? "no body" : cases[i].body);
    if (cases[i].is_good)
      g_assert_no_error (error);
    else
      g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
    g_assert_true ((properties != NULL) == cases[i].is_good);
  }
}

static void
test_reads_all_spellings_of_layouts (void)
{
  static const struct {
    RecEra era;
    const char *body, *layout, *custom;
  } cases[] = {
    { OLD, NULL, "BEST_FIT", NULL },
    { OLD, "{\"defaultRecordingLayout\": \"CUSTOM\", \"defaultCustomLayout\": \"a\"}", "CUSTOM",
        "a" },
    { OLD, "{\"recordingLayout\": \"CUSTOM\", \"customLayout\": \"a\"}", "CUSTOM", "a" },
    { OLD, "{\"recordingLayout\": \"row\", \"defaultRecordingLayout\": \"CUSTOM\"}", "CUSTOM",
        NULL },
    { NEW, "{\"defaultRecordingLayout\": \"CUSTOM\"}", "CUSTOM", NULL },
    { NEW,
        "{\"defaultRecordingProperties\": {\"recordingLayout\": \"row\", \"customLayout\": \"b\"}}",
        "row", "b" },
    { NEW,
        "{\"defaultRecordingProperties\": {\"recordingLayout\": \"row\"}, "
        "\"defaultRecordingLayout\": \"CUSTOM\"}",
        "row", NULL },
  };
  g_autoptr (RecConfig) config = rec_config_new ();

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecJson) body = parse (cases[i].body);
    g_autoptr (RecSessionProperties)
        properties = rec_body_to_session (body, cases[i].era, config, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (properties->recording->recording_layout, ==, cases[i].layout);
    g_assert_cmpstr (properties->recording->custom_layout, ==, cases[i].custom);
  }
}

static void
test_knows_the_defaults_of_each_era (void)
{
  g_autoptr (RecConfig) config = rec_config_new ();
  g_autoptr (RecSessionProperties) old = rec_body_to_session (NULL, OLD, config, NULL);
  g_autoptr (RecSessionProperties) new = rec_body_to_session (NULL, NEW, config, NULL);

  g_assert_cmpint (old->recording->width, ==, 1920);
  g_assert_cmpint (old->recording->height, ==, 1080);
  g_assert_cmpint (new->recording->width, ==, 1280);
  g_assert_cmpint (new->recording->height, ==, 720);
  g_assert_cmpstr (new->forced_video_codec, ==, "MEDIA_SERVER_PREFERRED");
  g_assert_cmpstr (new->custom_session_id, ==, "");
  g_assert_false (new->is_relayed);
  g_assert_false (new->records_always);
}

static void
test_sets_session_properties (void)
{
  g_autoptr (RecConfig) config = rec_config_new ();
  g_autoptr (RecJson) body = parse (
      "{\"mediaMode\": \"RELAYED\", \"recordingMode\": \"ALWAYS\", \"customSessionId\": \"a\","
      " \"forcedVideoCodec\": \"H264\", \"allowTranscoding\": true, \"defaultRecordingProperties\":"
      " {\"name\": \"n\", \"outputMode\": \"COMPOSED_QUICK_START\", \"hasAudio\": false}}");
  g_autoptr (RecSessionProperties) properties = rec_body_to_session (body, NEW, config, NULL);

  g_assert_true (properties->is_relayed);
  g_assert_true (properties->records_always);
  g_assert_true (properties->allow_transcoding);
  g_assert_cmpstr (properties->custom_session_id, ==, "a");
  g_assert_cmpstr (properties->forced_video_codec, ==, "H264");
  g_assert_cmpstr (properties->recording->name, ==, "n");
  g_assert_cmpint (properties->recording->output_mode, ==, REC_OUTPUT_COMPOSED_QUICK_START);
  g_assert_false (properties->recording->has_audio);
}

/* --- connections, tokens, signals ------------------------------------------------------------------------------------ */

#define ICE(server) "{\"customIceServers\": [{" server "}]}"

static void
test_checks_connections (void)
{
  g_autofree char *long_data = g_strnfill (10001, 'x');
  g_autofree char *with_long_data = g_strdup_printf ("{\"data\": \"%s\"}", long_data);
  g_autofree char *with_longest_data =
      g_strdup_printf ("{\"data\": \"\xc3\xa4%s\"}", long_data + 2);
  const struct {
    RecEra era;
    const char *body;
    int code;
  } cases[] = {
    { NEW, NULL, 0 },
    { NEW, "{\"role\": \"MODERATOR\", \"data\": \"d\", \"record\": false, \"type\": \"WEBRTC\"}",
        0 },
    { NEW, "{\"role\": null, \"data\": null}", 0 },
    { NEW, "{\"role\": \"KING\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"role\": \"\"}", REC_ERROR_INVALID_ARGUMENT },
    { OLD, "{\"role\": \"\"}", 0 },
    { NEW, "{\"data\": 7}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, with_long_data, 0 },
    { OLD, with_long_data, REC_ERROR_INVALID_ARGUMENT },
    { OLD, with_longest_data, 0 },
    { NEW, "{\"record\": \"yes\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"PHONE\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"rtsp://a\"}", 0 },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"RTSPS://u:p@a:1/b?c\"}", 0 },
    { NEW, "{\"type\": \"IPCAM\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": 7}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"rtsp://\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"http://a\"}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"file:///etc/passwd\"}",
        REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"rtsp://a\", \"networkCache\": -1}",
        REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"rtsp://a\", \"networkCache\": 10001}",
        REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"type\": \"IPCAM\", \"rtspUri\": \"rtsp://a\", \"adaptativeBitrate\": \"no\"}",
        REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"customIceServers\": [{\"url\": \"stun:a\"}]}", 0 },
    { NEW, "{\"customIceServers\": [{}]}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"customIceServers\": [7]}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"customIceServers\": {}}", REC_ERROR_INVALID_ARGUMENT },
    { OLD, "{\"customIceServers\": {}}", REC_ERROR_INVALID_ARGUMENT },
    { NEW, ICE ("\"url\": \"http://a\""), REC_ERROR_INVALID_ARGUMENT },
    { NEW, ICE ("\"url\": \"stun:a\", \"username\": \"u\""), REC_ERROR_INVALID_ARGUMENT },
    { NEW, ICE ("\"url\": \"turn:a\""), REC_ERROR_INVALID_ARGUMENT },
    { NEW, ICE ("\"url\": \"turns:a\", \"username\": \"u\""), REC_ERROR_INVALID_ARGUMENT },
    { NEW, ICE ("\"url\": \"turn:a\", \"username\": \"u\", \"credential\": \"c\""), 0 },
    { NEW, ICE ("\"url\": \"turn:a\", \"staticAuthSecret\": \"s\""), 0 },
    { NEW, ICE ("\"url\": \"turn:a\", \"staticAuthSecret\": \"s\", \"username\": \"u\""),
        REC_ERROR_INVALID_ARGUMENT },
    { NEW, "{\"kurentoOptions\": {\"videoMaxRecvBandwidth\": 500}}", 0 },
    { NEW, "{\"kurentoOptions\": {\"videoMaxRecvBandwidth\": \"x\"}}", REC_ERROR_INVALID_ARGUMENT },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecJson) body = parse (cases[i].body);
    RecConnectionRequest request;
    const bool is_good = rec_body_to_connection (body, cases[i].era, 0, &request, &error);
    g_test_message ("%.80s", cases[i].body == NULL ? "no body" : cases[i].body);
    if (cases[i].code == 0)
      g_assert_no_error (error);
    else
      g_assert_error (error, REC_ERROR, cases[i].code);
    g_assert_true (is_good == (error == NULL));
  }
}

static void
test_reads_connections (void)
{
  g_autoptr (RecJson)
      body = parse ("{\"role\": \"MODERATOR\", \"data\": \"d\", \"record\": false}");
  RecConnectionRequest request;

  g_assert_true (rec_body_to_connection (NULL, NEW, 0, &request, NULL));
  g_assert_cmpint (request.role, ==, REC_ROLE_PUBLISHER);
  g_assert_cmpstr (request.server_data, ==, "");
  g_assert_true (request.record);
  g_assert_true (rec_body_to_connection (body, NEW, 0, &request, NULL));
  g_assert_cmpint (request.role, ==, REC_ROLE_MODERATOR);
  g_assert_cmpstr (request.server_data, ==, "d");
  g_assert_false (request.record);
}

/* The password is what coturn with this static-auth-secret works out for that name. */
static void
test_makes_turn_passwords (void)
{
  g_autoptr (RecJson) body = parse (ICE ("\"url\": \"turn:a\", \"staticAuthSecret\": \"north\""));
  RecConnectionRequest request;

  g_assert_true (rec_body_to_connection (body, NEW, 1700000000000, &request, NULL));
  RecJson *server = json_object_array_get_idx (request.custom_ice_servers, 0);
  g_assert_cmpstr (rec_json_string_or (server, "username", NULL), ==, "1700086400:recto");
  g_assert_cmpstr (rec_json_string_or (server, "credential", NULL), ==,
      "Pmq+pZqLoHhU+kaSujMHDr3AyKo=");
  g_assert_false (rec_json_has (server, "staticAuthSecret"));
}

static void
test_updates_connections (void)
{
  g_autoptr (RecJson) role = parse ("{\"role\": \"SUBSCRIBER\"}");
  g_autoptr (RecJson) record = parse ("{\"record\": false, \"data\": \"kept\"}");
  g_autoptr (RecJson) wrong = parse ("{\"role\": \"KING\"}");
  g_autoptr (GError) error = NULL;
  RecRole asked;
  bool records = true;

  g_assert_true (rec_body_to_connection_update (NULL, &asked, &records, NULL));
  g_assert_cmpint (asked, ==, REC_ROLE_INVALID);
  g_assert_true (rec_body_to_connection_update (role, &asked, &records, NULL));
  g_assert_cmpint (asked, ==, REC_ROLE_SUBSCRIBER);
  g_assert_true (records);
  g_assert_true (rec_body_to_connection_update (record, &asked, &records, NULL));
  g_assert_cmpint (asked, ==, REC_ROLE_INVALID);
  g_assert_false (records);
  g_assert_false (rec_body_to_connection_update (wrong, &asked, &records, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
}

static void
test_reads_signals (void)
{
  static const char *const wrong[] = { "{}", "{\"session\": 7}", "{\"session\": \"\"}",
    "{\"session\": \"s\", \"to\": \"a\"}", "{\"session\": \"s\", \"to\": [1]}",
    "{\"session\": \"s\", \"type\": 1}", "{\"session\": \"s\", \"data\": {}}" };
  g_autoptr (RecJson) body =
      parse ("{\"session\": \"s\", \"to\": [\"a\", \"b\"], \"type\": \"chat\", \"data\": \"hi\"}");
  RecSignalRequest request;

  g_assert_true (rec_body_to_signal (body, &request, NULL));
  g_autofree const char **to = request.to;
  g_assert_cmpstr (request.session, ==, "s");
  g_assert_cmpstr (request.type, ==, "chat");
  g_assert_cmpstr (request.data, ==, "hi");
  g_assert_cmpstr (to[1], ==, "b");
  g_assert_null (to[2]);
  for (size_t i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (RecJson) other = parse (wrong[i]);
    g_autoptr (GError) error = NULL;
    g_assert_false (rec_body_to_signal (other, &request, &error));
    g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bodies/parses-objects-alone", test_parses_objects_alone);
  g_test_add_func ("/bodies/takes-latin1", test_takes_latin1);
  g_test_add_func ("/bodies/checks-recordings", test_checks_recordings);
  g_test_add_func ("/bodies/lays-requests-over-defaults", test_lays_requests_over_defaults);
  g_test_add_func ("/bodies/keeps-the-composed-kind", test_keeps_the_composed_kind);
  g_test_add_func ("/bodies/checks-sessions", test_checks_sessions);
  g_test_add_func ("/bodies/reads-all-spellings-of-layouts", test_reads_all_spellings_of_layouts);
  g_test_add_func ("/bodies/knows-the-defaults-of-each-era", test_knows_the_defaults_of_each_era);
  g_test_add_func ("/bodies/sets-session-properties", test_sets_session_properties);
  g_test_add_func ("/bodies/checks-connections", test_checks_connections);
  g_test_add_func ("/bodies/reads-connections", test_reads_connections);
  g_test_add_func ("/bodies/makes-turn-passwords", test_makes_turn_passwords);
  g_test_add_func ("/bodies/updates-connections", test_updates_connections);
  g_test_add_func ("/bodies/reads-signals", test_reads_signals);
  return g_test_run ();
}
