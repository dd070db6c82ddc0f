/* layouts.c - the custom layouts over HTTP: their files, for the page that is recorded and for operators, and their list. */
#define G_LOG_DOMAIN "rec.api.layouts"
#include "api/auth.h"
#include "api/files.h"
#include "api/private.h"
#include "base/config.h"
#include "base/error.h"
#include "base/path.h"
#include "plugin/layout-list.h"

#include <fcntl.h>
#include <string.h>

#define COOKIE "recto-page"
#define INDEX "index.html"
#define CLIENT_LIBRARY "openvidu-browser"

/* --- who may read ---------------------------------------------------------------------------------------------------- */

static bool
is_index (const char *path)
{
  return *path == '\0' || g_str_has_suffix (path, "/") || strcmp (path, INDEX) == 0 ||
         g_str_has_suffix (path, "/" INDEX);
}

/* index.html?sessionId=...&secret=...: as the browser of a recording opens it. */
static bool
is_opened_by_page (RecCall *call, char **secret)
{
  g_autofree char *session_id = rec_http_request_dup_query (call->request, "sessionId");
  g_autofree char *given = rec_http_request_dup_query (call->request, "secret");
  const RecSession *session =
      session_id != NULL && given != NULL
          ? rec_registry_find_session (call->api->context.registry, session_id)
          : NULL;

  if (session == NULL || session->recording == NULL ||
      !rec_recording_admits_page (session->recording, given))
    return false;
  *secret = g_steal_pointer (&given);
  return true;
}

static bool
is_secret_of_a_page (RecCall *call, const char *secret)
{
  GPtrArray *sessions = rec_registry_get_sessions (call->api->context.registry);

  for (guint i = 0; i < sessions->len; i++) {
    const RecSession *session = sessions->pdata[i];
    if (session->recording != NULL && rec_recording_admits_page (session->recording, secret))
      return true;
  }
  return false;
}

/* What the page loads comes with the cookie that its index.html set. */
static bool
has_cookie (RecCall *call)
{
  const char *header = rec_http_request_get_header (call->request, "cookie");
  g_auto (GStrv) cookies = g_strsplit (header != NULL ? header : "", ";", 100);

  for (char **cookie = cookies; *cookie != NULL; cookie++) {
    const char *text = g_strstrip (*cookie);
    if (g_str_has_prefix (text, COOKIE "=") &&
        is_secret_of_a_page (call, text + strlen (COOKIE "=")))
      return true;
  }
  return false;
}

/* For the layout's own folder, written as the browser writes it. */
static void
set_cookie (RecCall *call, const char *secret)
{
  const char *target = call->request->target;
  const size_t n_path = strcspn (target, "?");
  const char *slash = g_strrstr_len (target, (gssize) n_path, "/");
  g_autofree char *folder = g_strndup (target, slash == NULL ? 0 : (size_t) (slash - target) + 1);

  if (strpbrk (folder, ";, ") != NULL)
    return;
  g_autofree char *cookie =
      g_strdup_printf (COOKIE "=%s; Path=%s; Secure; HttpOnly; SameSite=Strict", secret, folder);
  rec_http_add_answer_header (call->request, "Set-Cookie", cookie);
}

/* An operator's browser may hold the server's password, so pages opened in it run no scripts. */
static bool
check_access (RecCall *call, const char *path)
{
  g_autofree char *secret = NULL;

  if (is_index (path) && is_opened_by_page (call, &secret)) {
    set_cookie (call, secret);
    return true;
  }
  if (has_cookie (call))
    return true;
  rec_http_add_answer_header (call->request, "Content-Security-Policy", "sandbox");
  return rec_auth_is_valid (rec_http_request_get_header (call->request, "authorization"),
      rec_config_get_string (call->api->context.config, "openvidu.secret"));
}

/* --- files ----------------------------------------------------------------------------------------------------------- */

static int
open_below (const char *folder, const char *path)
{
  return rec_path_open_contained (folder, path, O_RDONLY | O_NONBLOCK, 0, NULL);
}

/* The client libraries are beside every page, unless its author put other ones there. */
static int
open_file (const RecConfig *config, const char *path)
{
  const char *libraries = rec_config_get_string (config, "browser.library-directory");
  g_autofree char *name = g_path_get_basename (path);
  int fd = open_below (rec_config_get_string (config, "openvidu.recording.custom-layout"), path);

  if (fd < 0 && g_str_has_prefix (name, CLIENT_LIBRARY))
    fd = open_below (libraries, name);
  return fd;
}

void
rec_send_layout_file (RecCall *call)
{
  const char *rest = call->arguments[0];
  const bool is_folder = *rest == '\0' || g_str_has_suffix (rest, "/");
  g_autofree char *path = g_strconcat (rest, is_folder ? INDEX : "", NULL);

  if (!check_access (call, rest)) {
    rec_http_answer_status (call->request, 401,
        "layouts are for the page that is recorded, and for OPENVIDUAPP with the server's secret");
    return;
  }
  int fd = open_file (call->api->context.config, path);
  if (fd < 0)
    rec_http_answer_status (call->request, 404, "the custom layouts have no such file");
  else
    rec_file_answer (call->request, fd, path);
}

/* --- the list -------------------------------------------------------------------------------------------------------- */

static void
on_listed (json_object *list, void *data)
{
  g_autoptr (RecHttpRequest) request = data;

  if (!request->is_answered)
    rec_http_answer_json (request, 200, json_object_get (list));
}

void
rec_list_layouts (RecCall *call)
{
  const RecApiContext *context = &call->api->context;

  rec_layout_list_run (context->catalogue,
      rec_config_get_string (context->config, "openvidu.recording.custom-layout"), on_listed,
      rec_http_request_ref (call->request));
}
