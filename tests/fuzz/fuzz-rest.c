/* fuzz-rest.c - requests to the REST API and the file routes: method, target, headers and body, up to the answer.
 *
 * An input is the request as text: METHOD TARGET, a line for each header, an empty line, the body. The secret is added
 * unless the input has a header of its own. Nobody is connected, so that no recording starts. */
#include "fuzz/fuzz.h"

#include "api/files.h"
#include "api/private.h"
#include "base/config.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "recording/supervisor.h"
#include "signal/signal.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define AUTH "Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU"

static RecApi api;
static char *recordings; /* the real path */

static void
configure (RecConfig *config, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (config, key, value, "fuzz", &error);
  g_assert_no_error (error);
}

/* A recording's file, a secret beside the folder, and a link from inside to it. */
static void
make_files (const char *folder)
{
  g_autofree char *secret = g_build_filename (folder, "secret.mp4", NULL);
  g_autofree char *inside = g_build_filename (folder, "recordings", "a", NULL);
  g_autofree char *film = g_build_filename (inside, "a.mp4", NULL);
  g_autofree char *link = g_build_filename (inside, "b.mp4", NULL);

  g_assert_cmpint (g_mkdir_with_parents (inside, 0700), ==, 0);
  g_assert_true (g_file_set_contents (secret, "secret", -1, NULL));
  g_assert_true (g_file_set_contents (film, "film", -1, NULL));
  g_assert_cmpint (symlink (secret, link), ==, 0);
}

static RecConfig *
make_config (const char *folder)
{
  RecConfig *config = rec_config_new ();
  g_autofree char *plugins = g_build_filename (folder, "plugins", NULL);

  recordings = g_build_filename (folder, "recordings", NULL);
  g_assert_cmpint (g_mkdir (plugins, 0700), ==, 0);
  configure (config, "server.state-directory", folder);
  configure (config, "openvidu.recording", "true");
  configure (config, "openvidu.recording.path", recordings);
  configure (config, "plugins.directories", plugins);
  configure (config, "recording.spare-workers", "0");
  configure (config, "media.camera-hosts", "nowhere");
  return config;
}

static int64_t
read_clock (void *data G_GNUC_UNUSED)
{
  return 1700000000000;
}

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  static const char program[] = "/nonexistent";
  g_autoptr (GError) error = NULL;

  fuzz_begin ();
  make_files (fuzz_get_folder ());
  RecConfig *config = make_config (fuzz_get_folder ());
  RecRegistry *registry = rec_registry_new (config, read_clock, NULL);
  RecCatalogue *catalogue = rec_catalogue_new (config, program, &error);
  g_assert_no_error (error);
  RecRouter *router = rec_router_new (config, registry, &error);
  g_assert_no_error (error);
  RecSupervisor *supervisor =
      rec_supervisor_new (config, registry, router, catalogue, program, &error);
  g_assert_no_error (error);
  api = (RecApi){
    .context = { .config = config,
        .registry = registry,
        .router = router,
        .supervisor = supervisor,
        .catalogue = catalogue,
        .signal = rec_signal_server_new (config, registry, router) },
    .clients = g_ptr_array_new (),
  };
  return 0;
}

/* "METHOD TARGET", as libmicrohttpd would split it. */
static RecHttpRequest *
read_request (const uint8_t **data, size_t *size)
{
  g_autofree char *line = fuzz_take_line (data, size);
  char *target = line == NULL ? NULL : strchr (line, ' ');
  bool has_auth = false;

  if (target == NULL)
    return NULL;
  *target++ = '\0';
  RecHttpRequest *request = rec_http_request_new (line, target);
  for (;;) {
    g_autofree char *header = fuzz_take_line (data, size);
    char *value = header == NULL ? NULL : strchr (header, ':');
    if (value == NULL)
      break;
    *value++ = '\0';
    rec_http_request_add_header (request, header, g_strchug (value));
    has_auth = has_auth || g_ascii_strcasecmp (header, "authorization") == 0;
  }
  if (!has_auth)
    rec_http_request_add_header (request, "authorization", AUTH);
  return request;
}

/* A file that is sent lies below the recordings, whatever the path said. */
static void
check_file (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = g_file_read_link (link, NULL);

  g_assert_nonnull (path);
  g_assert_true (g_str_has_prefix (path, recordings) && path[strlen (recordings)] == '/');
}

static void
check_answer (const RecHttpRequest *request)
{
  const RecHttpAnswer *answer = &request->answer;

  g_assert_true (request->is_answered);
  g_assert_true (answer->status >= 200 && answer->status < 600 && answer->status != 500);
  for (guint i = 0; answer->headers != NULL && i < answer->headers->len; i++)
    g_assert_null (strpbrk (answer->headers->pdata[i], "\r\n"));
  if (answer->fd >= 0)
    check_file (answer->fd);
}

/* They read more than the handlers let through. */
static void
check_parsers (const RecHttpRequest *request)
{
  const char *range = rec_http_request_get_header (request, "range");
  int64_t offset = 0, length = 0;

  if (rec_range_parse (range, 1000, &offset, &length) == REC_RANGE_PART)
    g_assert_true (offset >= 0 && length > 0 && offset + length <= 1000);
  if (request->path != NULL)
    g_assert_true (g_utf8_validate (request->path, -1, NULL));
  g_autofree char *value = rec_http_request_dup_query (request, "sessionId");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GPtrArray *sessions = rec_registry_get_sessions (api.context.registry);
  g_autoptr (RecHttpRequest) request = read_request (&data, &size);

  if (request == NULL)
    return 0;
  if (request->body == NULL)
    request->body = g_byte_array_new ();
  g_byte_array_append (request->body, data, (guint) size);
  check_parsers (request);
  rec_api_handle (request, &api);
  fuzz_run_loop ();
  check_answer (request);
  while (sessions->len > 4)
    rec_registry_close_session (api.context.registry, sessions->pdata[0], "sessionClosedByServer");
  return 0;
}
