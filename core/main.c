/* main.c - arguments, configuration, joining of the stages, the main loop; nothing else. */
#define G_LOG_DOMAIN "rec.main"

#include "api/api.h"
#include "base/config.h"
#include "base/error.h"
#include "base/log.h"
#include "base/main-thread.h"
#include "base/settings.h"
#include "events/events.h"
#include "events/webhook.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "plugin/probe.h"
#include "recording/page.h"
#include "recording/supervisor.h"
#include "session/registry.h"
#include "signal/signal.h"
#include "upload/inspection.h"
#include "worker/browser-check.h"
#include "worker/worker.h"

#include <glib-unix.h>
#include <json-c/json.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ARENAS 2

extern char **environ;

typedef struct {
  char *config_file;
  char **definitions;
  gboolean print_config, check_config, list_plugins, print_sample, version, worker;
  char *probe, *layouts_in, *worker_log, *inspect, *check_browser;
} Arguments;

typedef struct {
  GMainLoop *loop;
  const RecConfigSources *sources;
  RecConfig *config;
  RecRegistry *registry;
  RecEvents *events;
  RecRouter *router;
  RecCatalogue *catalogue;
  RecSupervisor *supervisor;
  RecSignalServer *signal;
  RecApi *api;
  bool is_stopping;
  guint upload_deadline; /* source; while a drained server waits for uploads */
} Server;

/* A secret in the arguments would stay visible to every user of the machine. */
static bool
hide_secrets (int argc, char **argv)
{
  bool found = false;

  for (size_t k = 0; k < rec_n_settings; k++) {
    if ((rec_settings[k].flags & REC_SETTING_SECRET) == 0)
      continue;
    g_autofree char *name = g_strdup_printf ("%s=", rec_settings[k].key);
    for (int i = 1; i < argc; i++) {
      char *at = strstr (argv[i], name);
      if (at == NULL || at[strlen (name)] == '\0')
        continue;
      memset (at + strlen (name), '*', strlen (at + strlen (name)));
      found = true;
    }
  }
  return found;
}

static bool
parse_arguments (char **argv, Arguments *arguments, GError **error)
{
  const GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &arguments->config_file, "Settings file", "FILE" },
    { "define", 'D', 0, G_OPTION_ARG_STRING_ARRAY, &arguments->definitions,
        "One setting, over the file and the environment", "KEY=VALUE" },
    { "print-config", 0, 0, G_OPTION_ARG_NONE, &arguments->print_config,
        "Print the settings in force and exit", NULL },
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &arguments->check_config,
        "Check the settings and exit", NULL },
    { "list-plugins", 0, 0, G_OPTION_ARG_NONE, &arguments->list_plugins,
        "Print every plugin found, usable or refused, and exit", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &arguments->version, "Print the version and exit", NULL },
    { "print-sample", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &arguments->print_sample, NULL,
        NULL },
    { "worker", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &arguments->worker, NULL, NULL },
    { "worker-log", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &arguments->worker_log, NULL,
        NULL },
    { "check-browser", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &arguments->check_browser,
        NULL, NULL },
    { "inspect", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &arguments->inspect, NULL, NULL },
    { "probe", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &arguments->probe, NULL, NULL },
    { "layouts-in", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &arguments->layouts_in, NULL,
        NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- hold and record video sessions");
  g_auto (GStrv) copy = g_strdupv (argv);

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse_strv (context, &copy, error))
    return false;
  if (copy[0] != NULL && copy[1] != NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "unexpected argument '%s'; settings are given as -D KEY=VALUE", copy[1]);
    return false;
  }
  return true;
}

static int
fail (const GError *error)
{
  fprintf (stderr, "recto: %s\n", error->message);
  return 1;
}

static int64_t
read_wall_clock (void *data G_GNUC_UNUSED)
{
  return g_get_real_time () / 1000;
}

/* Each peer connection takes about 19 descriptors, each recording a few. */
static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
    g_warning ("cannot raise the limit of open files, staying at the one inherited: %s",
        g_strerror (errno));
}

/* Each peer connection has a dozen threads, which come and go. By default they spread over eight arenas per core, and each
 * arena keeps what its busiest moment took: the server would grow for an hour without holding more. */
static void
share_memory_among_threads (void)
{
  mallopt (M_ARENA_MAX, MAX_ARENAS);
}

static void
quit_when_recordings_are_done (void *data)
{
  Server *server = data;

  rec_api_stop (server->api);
  g_main_loop_quit (server->loop);
}

static gboolean
on_stop_signal (gpointer data)
{
  Server *server = data;

  if (server->is_stopping) {
    g_warning ("asked to stop twice; workers finish their files by themselves");
    g_main_loop_quit (server->loop);
    return G_SOURCE_CONTINUE;
  }
  server->is_stopping = true;
  g_message ("stopping: finishing the recordings first");
  rec_supervisor_stop_all (server->supervisor, "openviduServerStopped",
      quit_when_recordings_are_done, server);
  return G_SOURCE_CONTINUE;
}

static void
stop_when_drained (Server *server)
{
  /* It may have been taken back and begun again meanwhile: then the end of the last recording brings us here. */
  if (server->is_stopping || !rec_supervisor_is_draining (server->supervisor) ||
      rec_supervisor_count_active (server->supervisor) > 0)
    return;
  g_message ("drained: no recording is left");
  on_stop_signal (server);
}

static void
on_uploaded (void *data)
{
  Server *server = data;

  if (server->upload_deadline != 0)
    g_source_remove (server->upload_deadline);
  server->upload_deadline = 0;
  stop_when_drained (server);
}

static gboolean
on_upload_deadline (gpointer data)
{
  Server *server = data;

  server->upload_deadline = 0;
  g_warning ("files are still being uploaded after uploads.timeout-s, not waiting for them");
  stop_when_drained (server);
  return G_SOURCE_REMOVE;
}

/* May be called again while we wait for uploads. */
static void
on_drained (void *data)
{
  Server *server = data;

  if (server->is_stopping || server->upload_deadline != 0)
    return;
  if (!rec_api_wait_for_uploads (server->api, on_uploaded, server)) {
    stop_when_drained (server);
    return;
  }
  g_message ("no recording is left; waiting for the files that are being uploaded");
  server->upload_deadline = g_timeout_add_seconds (
      (guint) rec_config_get_int (server->config, "uploads.timeout-s"), on_upload_deadline, server);
}

static gboolean
on_drain_signal (gpointer data)
{
  Server *server = data;

  rec_supervisor_set_draining (server->supervisor, true);
  return G_SOURCE_CONTINUE;
}

static char *
join_keys (const GPtrArray *keys)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < keys->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", (const char *) keys->pdata[i]);
  return g_string_free (text, FALSE);
}

static void
reload_settings (Server *server)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) fresh = rec_config_load (server->sources, &error);
  g_autoptr (GPtrArray) taken = g_ptr_array_new (), later = g_ptr_array_new ();

  if (fresh == NULL || !rec_config_check (fresh, &error) || !rec_webhook_check (fresh, &error)) {
    g_warning ("cannot read the settings again, keeping all as they were: %s", error->message);
    return;
  }
  rec_config_reload (server->config, fresh, taken, later);
  if (!rec_log_set_up_from_config (server->config, &error))
    g_warning ("%s; the log stays as it was", error->message);
  g_autofree char *taken_text = join_keys (taken), *later_text = join_keys (later);
  if (taken->len > 0)
    g_message ("these settings changed: %s", taken_text);
  if (later->len > 0)
    g_warning ("these settings changed, but are taken at the next start only: %s", later_text);
  if (taken->len + later->len == 0)
    g_message ("no setting has changed");
}

static gboolean
on_reload_signal (gpointer data)
{
  Server *server = data;
  g_autoptr (GError) error = NULL;

  reload_settings (server);
  rec_events_reopen (server->events);
  if (rec_catalogue_rescan (server->catalogue, &error))
    g_message ("looking through the plugins again");
  else
    g_warning ("cannot look through the plugins, keeping the list as it was: %s", error->message);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_garbage_timer (gpointer data)
{
  Server *server = data;

  rec_registry_collect_garbage (server->registry);
  return G_SOURCE_CONTINUE;
}

static bool
build_server (Server *server, const char *program, GError **error)
{
  /* Children start in the group that their parent is in. */
  g_autofree char *group =
      rec_config_get_bool (server->config, "openvidu.recording") ? rec_page_divide_group () : NULL;

  server->registry = rec_registry_new (server->config, read_wall_clock, NULL);
  server->events = rec_events_new (server->config, server->registry, error);
  if (server->events == NULL)
    return false;
  server->catalogue = rec_catalogue_new (server->config, program, error);
  if (server->catalogue == NULL)
    return false;
  server->router = rec_router_new (server->config, server->registry, error);
  if (server->router == NULL)
    return false;
  /* The router brought GStreamer's registry up to date; workers need not look for changes again. */
  g_setenv ("GST_REGISTRY_UPDATE", "no", TRUE);
  server->signal = rec_signal_server_new (server->config, server->registry, server->router);
  server->supervisor = rec_supervisor_new (server->config, server->registry, server->router,
      server->catalogue, program, error);
  if (server->supervisor == NULL)
    return false;
  rec_supervisor_set_page_group (server->supervisor, group);
  rec_supervisor_set_drained (server->supervisor, on_drained, server);
  rec_events_watch_ends (server->events);
  const RecApiContext context = {
    .config = server->config,
    .registry = server->registry,
    .router = server->router,
    .supervisor = server->supervisor,
    .catalogue = server->catalogue,
    .signal = server->signal,
    .events = server->events,
    .program = program,
  };
  server->api = rec_api_new (&context, error);
  if (server->api == NULL)
    return false;
  rec_supervisor_check_browser (server->supervisor);
  return true;
}

static void
close_all_sessions (RecRegistry *registry)
{
  GPtrArray *sessions = rec_registry_get_sessions (registry);

  while (sessions->len > 0)
    rec_registry_close_session (registry, sessions->pdata[0], "openviduServerStopped");
}

static void
free_server (Server *server)
{
  if (server->upload_deadline != 0)
    g_source_remove (server->upload_deadline);
  if (server->registry != NULL && server->api != NULL)
    close_all_sessions (server->registry);
  g_clear_pointer (&server->api, rec_api_free);
  g_clear_pointer (&server->supervisor, rec_supervisor_free);
  g_clear_pointer (&server->signal, rec_signal_server_free);
  g_clear_pointer (&server->router, rec_router_free);
  g_clear_pointer (&server->catalogue, rec_catalogue_free);
  g_clear_pointer (&server->registry, rec_registry_free);
  g_clear_pointer (&server->events, rec_events_free);
  g_clear_pointer (&server->loop, g_main_loop_unref);
}

static int
serve (RecConfig *config, const RecConfigSources *origin, const char *program)
{
  g_autoptr (GError) error = NULL;
  Server server = { .sources = origin, .config = config, .loop = g_main_loop_new (NULL, FALSE) };
  int status = 0;

  raise_descriptor_limit ();
  share_memory_among_threads ();
  signal (SIGPIPE, SIG_IGN);
  /* A reload that comes before the loop runs has nothing to read again, and must not end us. */
  signal (SIGHUP, SIG_IGN);
  umask (027);
  if (build_server (&server, program, &error)) {
    int64_t interval = rec_config_get_int (config, "openvidu.sessions.garbage-interval");
    guint sources[] = {
      g_unix_signal_add (SIGTERM, on_stop_signal, &server),
      g_unix_signal_add (SIGINT, on_stop_signal, &server),
      g_unix_signal_add (SIGHUP, on_reload_signal, &server),
      g_unix_signal_add (SIGUSR1, on_drain_signal, &server),
      interval > 0 ? g_timeout_add_seconds ((guint) interval, on_garbage_timer, &server) : 0,
    };
    g_main_loop_run (server.loop);
    for (size_t i = 0; i < G_N_ELEMENTS (sources); i++)
      if (sources[i] != 0)
        g_source_remove (sources[i]);
  } else {
    status = fail (error);
  }
  free_server (&server);
  return status;
}

static int
list_plugins (const RecConfig *config, const char *program)
{
  g_autoptr (GError) error = NULL;
  RecCatalogue *catalogue = rec_catalogue_new (config, program, &error);

  if (catalogue == NULL)
    return fail (error);
  json_object *list = rec_catalogue_to_json (catalogue);
  puts (json_object_to_json_string_ext (list,
      JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
  json_object_put (list);
  rec_catalogue_free (catalogue);
  return 0;
}

static int
run_configured (const Arguments *arguments, bool secret_was_shown)
{
  g_autoptr (GError) error = NULL;
  const RecConfigSources sources = {
    .file = arguments->config_file != NULL ? arguments->config_file
                                           : rec_config_get_default_file (),
    .environment = (const char *const *) environ,
    .definitions = (const char *const *) arguments->definitions,
  };
  g_autoptr (RecConfig) config = rec_config_load (&sources, &error);
  if (config == NULL || !rec_config_check (config, &error) || !rec_webhook_check (config, &error) ||
      !rec_log_set_up_from_config (config, &error))
    return fail (error);
  rec_config_log_notes (config);
  if (secret_was_shown)
    g_warning ("a secret was given as an argument, where other users may have seen it; "
               "use openvidu.secret-file, or the ini file");
  if (arguments->print_config) {
    rec_config_print (config, stdout);
    return 0;
  }
  if (arguments->check_config) {
    puts ("the configuration is fine");
    return 0;
  }
  g_autofree char *program = g_file_read_link ("/proc/self/exe", &error);
  if (program == NULL)
    return fail (error);
  return arguments->list_plugins ? list_plugins (config, program)
                                 : serve (config, &sources, program);
}

/* What we started has ended. OpenSSL and GStreamer keep threads of their own, which would still use what exit handlers take
 * down; only sanitizers and coverage, which report from there, are worth that risk. */
G_NORETURN static void
leave (int status)
{
#ifdef REC_RUN_EXIT_HANDLERS
  exit (status);
#else
  if (fflush (NULL) != 0 && status == 0)
    status = 1;
  _exit (status);
#endif
}

static void
clear_arguments (Arguments *arguments)
{
  g_free (arguments->config_file);
  g_strfreev (arguments->definitions);
  g_free (arguments->probe);
  g_free (arguments->layouts_in);
  g_free (arguments->check_browser);
  g_free (arguments->worker_log);
  g_free (arguments->inspect);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Arguments arguments = { 0 };
  int status = 0;

  rec_main_thread_claim ();
  bool parsed = parse_arguments (argv, &arguments, &error);
  bool secret_was_shown = hide_secrets (argc, argv);
  if (!parsed)
    status = fail (error);
  else if (arguments.worker)
    status = rec_worker_run (arguments.worker_log);
  else if (arguments.check_browser != NULL)
    status = rec_browser_check_run (arguments.check_browser);
  else if (arguments.inspect != NULL)
    rec_inspection_serve (arguments.inspect);
  else if (arguments.probe != NULL)
    status = rec_probe_run (arguments.probe, arguments.layouts_in);
  else if (arguments.version)
    puts ("recto " REC_VERSION);
  else if (arguments.print_sample)
    rec_config_print_sample (stdout);
  else
    status = run_configured (&arguments, secret_was_shown);
  clear_arguments (&arguments);
  leave (status);
}
