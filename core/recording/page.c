/* page.c - what a worker needs to know to record a web page, and what it says of it in words. */
#define G_LOG_DOMAIN "rec.recording.page"
#include "recording/page.h"

#include <netinet/in.h>
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/child.h"
#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "session/registry.h"

#define DOCUMENTED_PORT 4443 /* pages of OpenVidu 2.0 and 2.1 have it written into them */
#define MAX_NOTE_BYTES 4000
#define INSTALL "install the package chromium, or set browser.program"

/* --- the browser -------------------------------------------------------------------------------------- */

static char *
find_program (const RecConfig *config, GError **error)
{
  static const char *const names[] = { "chromium", "chromium-browser", "google-chrome" };
  const char *configured = rec_config_get_string (config, "browser.program");

  if (*configured != '\0') {
    if (access (configured, X_OK) == 0 && !g_file_test (configured, G_FILE_TEST_IS_DIR))
      return g_strdup (configured);
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED,
        "custom layouts need a browser, and browser.program '%s' cannot be run: " INSTALL,
        configured);
    return NULL;
  }
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    char *path = g_find_program_in_path (names[i]);
    if (path != NULL)
      return path;
  }
  g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED,
      "custom layouts need a browser, and there is none: " INSTALL);
  return NULL;
}

/* As root its sandbox does not work: another user must be there, unless the operator gave the sandbox up. */
static bool
check_user (const RecConfig *config, GError **error)
{
  const char *user = rec_config_get_string (config, "browser.user");
  RecChildUser found;

  if (geteuid () != 0 || !rec_config_get_bool (config, "browser.sandbox"))
    return true;
  if (rec_child_find_user (user, &found) && found.uid != 0)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED,
      "custom layouts need a browser, whose sandbox does not work as root, and browser.user '%s' "
      "is "
      "no other user: name one, or set browser.sandbox to false if you trust the pages",
      user);
  return false;
}

char *
rec_page_find_browser (const RecConfig *config, GError **error)
{
  return check_user (config, error) ? find_program (config, error) : NULL;
}

char *
rec_page_divide_group (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = rec_cgroup_dup_folder ("/proc", &error);

  if (folder != NULL && rec_cgroup_divide (folder, &error)) {
    g_message ("browsers of page layouts are held to their limits by control groups in '%s'",
        folder);
    return g_steal_pointer (&folder);
  }
  g_message (
      "browsers of page layouts are measured once a second, and ended above their limits: %s",
      error->message);
  return NULL;
}

json_object *
rec_page_describe_browser (const RecConfig *config, const char *group, GError **error)
{
  const char *user = rec_config_get_string (config, "browser.user");
  g_autofree char *program = rec_page_find_browser (config, error);
  RecChildUser found;
  json_object *json;

  if (program == NULL)
    return NULL;
  json = json_object_new_object ();

  rec_json_set_string (json, "program", program);
  rec_json_set_string (json, "user",
      geteuid () == 0 && rec_child_find_user (user, &found) ? user : "");
  rec_json_set_string (json, "profileDirectory",
      rec_config_get_string (config, "browser.profile-directory"));
  rec_json_set_int (json, "memoryBytes", rec_config_get_int (config, "browser.memory-bytes"));
  rec_json_set_int (json, "cpuPercent", rec_config_get_int (config, "browser.cpu-percent"));
  rec_json_set_int (json, "readyTimeoutMs",
      rec_config_get_int (config, "browser.ready-timeout-ms"));
  rec_json_set_bool (json, "sandbox", rec_config_get_bool (config, "browser.sandbox"));
  if (group != NULL)
    rec_json_set_string (json, "group", group);
  return json;
}

/* --- the page's way to this server ----------------------------------------------------------------------- */

/* Where the browser reaches us on this machine, whatever the public name resolves to. */
static char *
dup_own_address (const RecConfig *config)
{
  const char *address = rec_config_get_string (config, "server.address");
  struct in6_addr ipv6;

  if (strcmp (address, "0.0.0.0") == 0)
    return g_strdup ("127.0.0.1");
  if (inet_pton (AF_INET6, address, &ipv6) != 1)
    return g_strdup (address);
  return IN6_IS_ADDR_UNSPECIFIED (&ipv6) ? g_strdup ("[::1]") : g_strdup_printf ("[%s]", address);
}

/* The public address leads here, and so does the documented port of its host. */
static char *
make_host_rules (const RecConfig *config, const RecPageServer *server, const char *public_url)
{
  g_autoptr (GUri) uri = g_uri_parse (public_url, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL)
    return g_strdup ("");
  const int port = g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : 443;
  g_autofree char *own = dup_own_address (config);
  g_autofree char *name = strchr (host, ':') != NULL ? g_strdup_printf ("[%s]", host)
                                                     : g_strdup (host);
  GString *rules = g_string_new (NULL);
  g_string_printf (rules, "MAP %s:%d %s:%u", name, port, own, server->port);
  if (port != DOCUMENTED_PORT)
    g_string_append_printf (rules, ", MAP %s:%d %s:%u", name, DOCUMENTED_PORT, own, server->port);
  return g_string_free (rules, FALSE);
}

json_object *
rec_page_describe (const RecConfig *config, const RecPageServer *server, const char *public_url,
    json_object *plugin, const RecRecording *recording, GError **error)
{
  const char *layout = recording->properties->custom_layout;
  const char *place = recording->era == REC_ERA_OLD ? "layouts/custom" : "openvidu/layouts";

  if (server->port == 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE, "the server does not listen yet");
    return NULL;
  }
  json_object *browser = rec_page_describe_browser (config, server->group, error);
  if (browser == NULL)
    return NULL;
  g_autofree char *base_url = g_strdup_printf ("%s/%s/", public_url, place);
  g_autofree char *rules = make_host_rules (config, server, public_url);
  g_autofree char *folder = g_canonicalize_filename (
      rec_config_get_string (config, "openvidu.recording.custom-layout"), NULL);
  json_object *json = json_object_new_object ();
  rec_json_take (json, "plugin", json_object_get (plugin));
  rec_json_set_string (json, "layoutDir", folder);
  rec_json_set_string (json, "baseUrl", base_url);
  rec_json_set_string (json, "layout", layout != NULL ? layout : "");
  rec_json_set_string (json, "sessionId", recording->session_id);
  rec_json_set_string (json, "secret", recording->page_secret);
  rec_json_set_string (json, "recordingId", recording->id);
  rec_json_set_string (json, "hostRules", rules);
  rec_json_set_int (json, "port", server->port);
  rec_json_set_string (json, "certKeyHash", server->key_hash);
  rec_json_set_string (json, "fallback", rec_config_get_string (config, "browser.fallback"));
  rec_json_take (json, "browser", browser);
  return json;
}

/* --- what the worker says ---------------------------------------------------------------------------------- */

/* Client libraries write what they send to the console, and with it the page's secret. */
static char *
dup_without_secret (const RecRecording *recording, const char *text)
{
  g_auto (GStrv) parts = NULL;

  if (recording->page_secret == NULL)
    return g_strdup (text);
  parts = g_strsplit (text, recording->page_secret, -1);
  return g_strjoinv ("***", parts);
}

static void
append_times (GString *text, json_object *message)
{
  const int64_t from_ns = rec_json_int_or (message, "fromNs", -1);
  const int64_t to_ns = rec_json_int_or (message, "toNs", -1);

  if (from_ns >= 0 && to_ns >= from_ns)
    g_string_append_printf (text, "; from %.3f s to %.3f s of the file the last picture is held",
        (double) from_ns / 1e9, (double) to_ns / 1e9);
}

static void
append_console (GString *text, json_object *lines)
{
  for (size_t i = 0; lines != NULL && i < json_object_array_length (lines); i++)
    g_string_append_printf (text, "%s%s", i == 0 ? "; its console: " : " | ",
        json_object_get_string (json_object_array_get_idx (lines, i)));
}

char *
rec_page_dup_note (const RecRecording *recording, json_object *message)
{
  static const char *const told[][2] = {
    { "hung", "the page hangs and is loaded anew" },
    { "crashed", "the page crashed and is loaded anew" },
    { "limit", "the page exceeded a limit and is loaded anew" },
    { "slowed", "the page is slowed down" },
    { "restarted", "the page was loaded anew" },
    { "failed", "the page is of no use" },
    { "fallback", "the page is not recorded, the layout BEST_FIT is" },
  };
  const char *event = rec_json_string_or (message, "event", "");
  const char *reason = rec_json_string_or (message, "message", "");

  for (size_t i = 0; i < G_N_ELEMENTS (told); i++) {
    if (strcmp (event, told[i][0]) != 0)
      continue;
    GString *text = g_string_new (told[i][1]);
    if (*reason != '\0')
      g_string_append_printf (text, ": %s", reason);
    append_times (text, message);
    append_console (text, rec_json_get (message, "console"));
    g_autofree char *whole = g_string_free (text, FALSE);
    g_autofree char *shown = dup_without_secret (recording, whole);
    return g_utf8_make_valid (shown, (gssize) MIN (strlen (shown), MAX_NOTE_BYTES));
  }
  return NULL;
}

void
rec_page_log_console (const RecConfig *config, const RecRecording *recording, json_object *message,
    unsigned *n_lines)
{
  const int64_t max = rec_config_get_int (config, "browser.max-console-lines");
  const RecLogFields fields = { .recording = recording->id, .session = recording->session_id };
  json_object *lines = rec_json_get (message, "console");

  for (size_t i = 0; lines != NULL && i < json_object_array_length (lines); i++) {
    if (*n_lines > max)
      return;
    if ((*n_lines)++ == max) {
      rec_log_with (G_LOG_LEVEL_MESSAGE, &fields,
          "the page's console says more than browser.max-console-lines allows");
      return;
    }
    g_autofree char *shown = dup_without_secret (recording,
        json_object_get_string (json_object_array_get_idx (lines, i)));
    /* Client libraries say a lot at this level. */
    rec_log_with (g_str_has_prefix (shown, "debug: ") ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_MESSAGE,
        &fields, "the page's console: '%s'", shown);
  }
}

void
rec_page_end (RecRegistry *registry, RecRecording *recording)
{
  RecSession *session = recording->session;
  RecParticipant *recorder = NULL;

  if (recording->page_secret == NULL)
    return;
  g_clear_pointer (&recording->page_secret, g_free);
  if (session != NULL && session->recording == recording && !session->is_closing)
    recorder = rec_session_find_participant (session, REC_RECORDER_ID);
  if (recorder != NULL && !recorder->is_insecure)
    rec_registry_leave (registry, recorder, "recordingStoppedByServer");
}
