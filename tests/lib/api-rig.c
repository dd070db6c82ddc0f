/* api-rig.c - the whole API over TLS on a free port, on top of the real stages, and who asks it. */
#include "lib/api-rig.h"

#include "base/config.h"
#include "base/path.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "recording/supervisor.h"
#include "signal/signal.h"

#include <glib/gstdio.h>
#include <string.h>

static int64_t
read_clock (void *data G_GNUC_UNUSED)
{
  return 1700000000000;
}

static void
set (ApiRig *rig, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (rig->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
configure (ApiRig *rig, const char *settings)
{
  g_autofree char *plugins = g_build_filename (rig->folder, "plugins", NULL);
  g_auto (GStrv) pairs = g_strsplit (settings == NULL ? "" : settings, " ", -1);

  rig->recordings = g_build_filename (rig->folder, "recordings", NULL);
  rig->config = rec_config_new ();
  g_assert_cmpint (g_mkdir (plugins, 0700), ==, 0);
  set (rig, "server.port", "0");
  set (rig, "server.state-directory", rig->folder);
  set (rig, "openvidu.recording", "true");
  set (rig, "openvidu.recording.path", rig->recordings);
  set (rig, "plugins.directories", plugins);
  set (rig, "recording.spare-workers", "0");
  for (char **pair = pairs; *pair != NULL && **pair != '\0'; pair++) {
    char *value = strchr (*pair, '=');
    *value = '\0';
    set (rig, *pair, value + 1);
  }
}

void
api_rig_set_up (ApiRig *rig, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  rig->folder = g_dir_make_tmp ("recto-rest-XXXXXX", NULL);
  configure (rig, data);
  rig->registry = rec_registry_new (rig->config, read_clock, NULL);
  rig->catalogue = rec_catalogue_new (rig->config, "/proc/self/exe", &error);
  g_assert_no_error (error);
  rig->router = rec_router_new (rig->config, rig->registry, &error);
  g_assert_no_error (error);
  rig->signal = rec_signal_server_new (rig->config, rig->registry, rig->router);
  rig->supervisor = rec_supervisor_new (rig->config, rig->registry, rig->router, rig->catalogue,
      "/proc/self/exe", &error);
  g_assert_no_error (error);
  const RecApiContext context = {
    .config = rig->config,
    .registry = rig->registry,
    .router = rig->router,
    .supervisor = rig->supervisor,
    .catalogue = rig->catalogue,
    .signal = rig->signal,
    .program = REC_BUILD_DIR "/recto",
  };
  rig->api = rec_api_new (&context, &error);
  g_assert_no_error (error);
  g_autoptr (GUri)
      uri = g_uri_parse (rec_registry_get_public_url (rig->registry), G_URI_FLAGS_NONE, NULL);
  rig->port = (unsigned) g_uri_get_port (uri);
}

void
api_rig_tear_down (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  GPtrArray *sessions = rec_registry_get_sessions (rig->registry);

  if (rig->api != NULL)
    rec_api_stop (rig->api);
  while (sessions->len > 0)
    rec_registry_close_session (rig->registry, sessions->pdata[0], "openviduServerStopped");
  rec_api_free (rig->api);
  rec_supervisor_free (rig->supervisor);
  rec_signal_server_free (rig->signal);
  rec_router_free (rig->router);
  rec_catalogue_free (rig->catalogue);
  rec_registry_free (rig->registry);
  rec_config_free (rig->config);
  g_assert_true (rec_path_remove_tree (rig->folder, NULL));
  g_free (rig->folder);
  g_free (rig->recordings);
  g_free (rig->token);
}

TestResponse *
api_rig_ask_with (ApiRig *rig, const char *method, const char *path, const char *headers,
    const char *body)
{
  g_autofree char *text = g_strdup_printf (
      "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
      method, path, headers, body == NULL ? 0 : strlen (body), body == NULL ? "" : body);

  return test_ask (rig->port, text);
}

TestResponse *
api_rig_ask (ApiRig *rig, const char *method, const char *path, const char *body)
{
  return api_rig_ask_with (rig, method, path, "Authorization: " AUTH "\r\n", body);
}

void
api_rig_take_steps (ApiRig *rig, const ApiStep *steps, size_t n_steps)
{
  for (size_t i = 0; i < n_steps; i++) {
    g_autoptr (TestResponse)
        response = api_rig_ask (rig, steps[i].method, steps[i].path, steps[i].body);
    g_test_message ("%s %s %s: %u %s", steps[i].method, steps[i].path,
        steps[i].body == NULL ? "" : steps[i].body, response->status, response->body->str);
    g_assert_cmpuint (response->status, ==, steps[i].status);
    if (steps[i].text != NULL)
      g_assert_nonnull (strstr (response->body->str, steps[i].text));
  }
}
