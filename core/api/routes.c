/* routes.c - the REST API on one screen, and how a path finds its handler. */
#define G_LOG_DOMAIN "rec.api.routes"
#include "api/private.h"

#include "base/config.h"

#include <string.h>

#define OLD REC_ROUTE_OLD
#define NEW REC_ROUTE_NEW
#define BOTH (REC_ROUTE_OLD | REC_ROUTE_NEW)
#define PLAIN REC_ROUTE_PLAIN
#define PUBLIC REC_ROUTE_PUBLIC
#define FILES REC_ROUTE_FILES
#define METRICS REC_ROUTE_METRICS
#define BODY REC_ROUTE_BODY
#define UPLOAD REC_ROUTE_UPLOAD

#define OLD_PREFIX "/api/"
#define NEW_PREFIX "/openvidu/api/"

/* clang-format off */
static const RecRoute routes[] = {
  { "POST",   "sessions",                           BOTH | BODY,    rec_create_session },
  { "GET",    "sessions",                           BOTH,           rec_list_sessions },
  { "GET",    "sessions/{}",                        BOTH,           rec_get_session },
  { "DELETE", "sessions/{}",                        BOTH,           rec_delete_session },
  { "POST",   "sessions/{}/connection",             BOTH | BODY,    rec_create_connection },
  { "GET",    "sessions/{}/connection",             BOTH,           rec_list_connections },
  { "GET",    "sessions/{}/connection/{}",          BOTH,           rec_get_connection },
  { "PATCH",  "sessions/{}/connection/{}",          BOTH | BODY,    rec_update_connection },
  { "DELETE", "sessions/{}/connection/{}",          BOTH,           rec_delete_connection },
  { "DELETE", "sessions/{}/stream/{}",              BOTH,           rec_delete_stream },
  { "POST",   "tokens",                             BOTH | BODY,    rec_create_token },
  { "POST",   "signal",                             BOTH | BODY,    rec_send_signal },
  { "POST",   "recordings/start",                   BOTH | BODY,    rec_start_recording },
  { "POST",   "recordings/stop/{}",                 BOTH,           rec_stop_recording },
  { "GET",    "recordings",                         BOTH,           rec_list_recordings },
  { "GET",    "recordings/{}",                      BOTH,           rec_get_recording },
  { "DELETE", "recordings/{}",                      BOTH,           rec_delete_recording },
  { "GET",    "config",                             BOTH,           rec_get_config },
  { "GET",    "config/openvidu-publicurl",          BOTH | PUBLIC,  rec_get_config_value },
  { "GET",    "config/{}",                          BOTH,           rec_get_config_value },

  { "GET",    "/config",                            PLAIN,          rec_get_config },
  { "GET",    "/config/openvidu-publicurl",         PLAIN | PUBLIC, rec_get_config_value },
  { "GET",    "/config/{}",                         PLAIN,          rec_get_config_value },
  { "GET",    "/cdr",                               PLAIN,          rec_list_cdr_files },
  { "GET",    "/cdr/{}",                            PLAIN,          rec_send_cdr_file },
  { "GET",    "/openvidu/cdr",                      PLAIN,          rec_list_cdr_files },
  { "GET",    "/openvidu/cdr/{}",                   PLAIN,          rec_send_cdr_file },
  { "GET",    "/recordings/{}",                     PLAIN | FILES,  rec_send_flat_file },
  { "GET",    "/recordings/{}/{}",                  PLAIN | FILES,  rec_send_file },
  { "GET",    "/openvidu/recordings/{}/{}",         PLAIN | FILES,  rec_send_file },
  { "GET",    "/layouts/custom/{...}",              PLAIN | PUBLIC, rec_send_layout_file },
  { "GET",    "/openvidu/layouts/{...}",            PLAIN | PUBLIC, rec_send_layout_file },
  { "GET",    "/recto/api/v1/layouts",              PLAIN,          rec_list_layouts },
  { "GET",    "/recto/api/v1/plugins",              PLAIN,          rec_list_plugins },
  { "GET",    "/recto/api/v1/recordings/{}",        PLAIN,          rec_explain_recording },
  { "GET",    "/recto/api/v1/live",                 PLAIN | PUBLIC, rec_tell_live },
  { "GET",    "/recto/api/v1/ready",                PLAIN | PUBLIC, rec_tell_ready },
  { "GET",    "/recto/api/v1/drain",                PLAIN,          rec_tell_drain },
  { "POST",   "/recto/api/v1/drain",                PLAIN,          rec_start_drain },
  { "DELETE", "/recto/api/v1/drain",                PLAIN,          rec_end_drain },
  { "GET",    "/recto/api/v1/log",                  PLAIN,          rec_tell_log },
  { "PATCH",  "/recto/api/v1/log",                  PLAIN | BODY,   rec_change_log },
  { "GET",    "/metrics",                           PLAIN | METRICS, rec_show_metrics },
  { "POST",   "/recto/api/v1/upload-tokens",        PLAIN | BODY,   rec_create_upload_token },
  { "POST",   "/recto/api/v1/uploads",              PLAIN | UPLOAD, rec_create_upload },
  { "GET",    "/recto/api/v1/uploads",              PLAIN,          rec_list_uploads },
  { "GET",    "/recto/api/v1/uploads/{}",           PLAIN,          rec_get_upload },
  { "DELETE", "/recto/api/v1/uploads/{}",           PLAIN,          rec_delete_upload },
  { "GET",    "/recto/api/v1/uploads/{}/{}",        PLAIN,          rec_send_upload },
  { "GET",    "/recto/api/v1/recordings/{}/timeline", PLAIN,        rec_send_timeline },
  { "GET",    "/",                                  PLAIN,          rec_show_status },
  { "GET",    "/accept-certificate",                PLAIN | PUBLIC, rec_show_accept_certificate },
  { "GET",    "/openvidu/accept-certificate",       PLAIN | PUBLIC, rec_show_accept_certificate },
  { "GET",    "/openvidu",                          PLAIN | PUBLIC, rec_ask_for_upgrade },
  { "GET",    "/room",                              PLAIN | PUBLIC, rec_ask_for_upgrade },
};
/* clang-format on */

static const char *const methods[] = { "GET", "POST", "PATCH", "DELETE" };

static void
clear_arguments (char **arguments)
{
  for (size_t i = 0; i < REC_MAX_ARGUMENTS; i++)
    g_clear_pointer (&arguments[i], g_free);
}

/* {} stands for one component that isn't empty, {...} for whatever is left. */
static bool
fits (const char *pattern, const char *path, char **arguments)
{
  size_t n_arguments = 0;

  while (*pattern != '\0') {
    if (strcmp (pattern, "{...}") == 0) {
      arguments[n_arguments] = g_strdup (path);
      return true;
    }
    if (!g_str_has_prefix (pattern, "{}")) {
      if (*pattern++ != *path++)
        return false;
      continue;
    }
    const size_t length = strcspn (path, "/");
    if (length == 0)
      return false;
    arguments[n_arguments++] = g_strndup (path, length);
    path += length;
    pattern += 2;
  }
  return *path == '\0';
}

static unsigned
get_method_bit (const char *method)
{
  for (size_t i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (methods[i], method) == 0)
      return 1u << i;
  return 0;
}

static RecEra
split_era (const char **path, unsigned *base)
{
  if (g_str_has_prefix (*path, NEW_PREFIX)) {
    *path += strlen (NEW_PREFIX);
    *base = NEW;
    return REC_ERA_NEW;
  }
  if (g_str_has_prefix (*path, OLD_PREFIX)) {
    *path += strlen (OLD_PREFIX);
    *base = OLD;
    return REC_ERA_OLD;
  }
  *base = PLAIN;
  return REC_ERA_INVALID;
}

void
rec_route_find (const char *method, const char *path, RecRouteMatch *match)
{
  /* The library leaves out the body where the method is HEAD. */
  const char *served = strcmp (method, "HEAD") == 0 ? "GET" : method;
  unsigned base;

  *match = (RecRouteMatch){ .era = split_era (&path, &base) };
  for (size_t i = 0; i < G_N_ELEMENTS (routes); i++) {
    char *arguments[REC_MAX_ARGUMENTS] = { NULL };
    if ((routes[i].flags & base) == 0 || !fits (routes[i].pattern, path, arguments)) {
      clear_arguments (arguments);
      continue;
    }
    match->methods |= get_method_bit (routes[i].method);
    if (match->route == NULL && strcmp (routes[i].method, served) == 0) {
      match->route = &routes[i];
      memcpy (match->arguments, arguments, sizeof arguments);
    } else {
      clear_arguments (arguments);
    }
  }
}

void
rec_route_match_clear (RecRouteMatch *match)
{
  clear_arguments (match->arguments);
}

bool
rec_route_is_public (const RecRouteMatch *match, const RecConfig *config)
{
  if ((match->route->flags & (PUBLIC | UPLOAD)) != 0)
    return true;
  if ((match->route->flags & METRICS) != 0)
    return rec_config_get_bool (config, "server.public-metrics");
  return (match->route->flags & FILES) != 0 &&
         rec_config_get_bool (config, "openvidu.recording.public-access");
}

char *
rec_route_dup_methods (const RecRouteMatch *match)
{
  GString *text = g_string_new (NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (methods); i++)
    if ((match->methods & 1u << i) != 0)
      g_string_append_printf (text, "%s%s, ", methods[i], i == 0 ? ", HEAD" : "");
  g_string_append (text, "OPTIONS");
  return g_string_free (text, FALSE);
}
