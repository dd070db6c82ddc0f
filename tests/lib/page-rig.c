/* page-rig.c - a web server of a few lines, and what a page's setup looks like. */
#include "lib/page-rig.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_US (90 * G_USEC_PER_SEC)

/* --- the site ------------------------------------------------------------------------------------- */

static void
answer (RecPageSite *site, GOutputStream *output, const char *path)
{
  const char *html = g_hash_table_lookup (site->pages, path);
  const char *body = html != NULL ? html : "<!doctype html>nothing here";
  g_autofree char *head = g_strdup_printf ("HTTP/1.1 %s\r\nContent-Type: text/html\r\n"
                                           "Access-Control-Allow-Origin: *\r\nConnection: close\r\n"
                                           "Content-Length: %zu\r\n\r\n",
      html != NULL ? "200 OK" : "404 Not Found", strlen (body));

  (void) g_output_stream_write_all (output, head, strlen (head), NULL, NULL, NULL);
  (void) g_output_stream_write_all (output, body, strlen (body), NULL, NULL, NULL);
}

static void
on_line (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GSocketConnection) connection = data;
  RecPageSite *site = g_object_get_data (G_OBJECT (connection), "site");
  g_autofree char *line =
      g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, NULL, NULL);
  g_auto (GStrv) words = g_strsplit (line != NULL ? line : "", " ", 3);

  if (g_strv_length (words) >= 2) {
    char *path = g_strndup (words[1], strcspn (words[1], "?"));

    answer (site, g_io_stream_get_output_stream (G_IO_STREAM (connection)), path);
    g_hash_table_insert (site->hits, path,
        GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (site->hits, path)) + 1));
  }
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
  g_autoptr (GDataInputStream)
      input = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));

  (void) service;
  (void) source;
  g_data_input_stream_set_newline_type (input, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  g_object_set_data (G_OBJECT (connection), "site", data);
  g_data_input_stream_read_line_async (input, G_PRIORITY_DEFAULT, NULL, on_line,
      g_object_ref (connection));
  return TRUE;
}

RecPageSite *
rec_page_site_new (void)
{
  RecPageSite *site = g_new0 (RecPageSite, 1);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autoptr (GError) error = NULL;

  site->service = g_socket_service_new ();
  g_socket_listener_add_address (G_SOCKET_LISTENER (site->service), address, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, NULL, &effective, &error);
  g_assert_no_error (error);
  site->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  site->pages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  site->hits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_signal_connect (site->service, "incoming", G_CALLBACK (on_incoming), site);
  g_socket_service_start (site->service);
  return site;
}

void
rec_page_site_free (RecPageSite *site)
{
  if (site == NULL)
    return;
  g_socket_service_stop (site->service);
  g_socket_listener_close (G_SOCKET_LISTENER (site->service));
  g_object_unref (site->service);
  g_hash_table_unref (site->pages);
  g_hash_table_unref (site->hits);
  g_free (site);
}

void
rec_page_site_add (RecPageSite *site, const char *path, const char *html)
{
  g_hash_table_insert (site->pages, g_strdup (path), g_strdup (html));
}

unsigned
rec_page_site_count (RecPageSite *site, const char *path)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (site->hits, path));
}

char *
rec_page_site_dup_url (RecPageSite *site, const char *path)
{
  return g_strdup_printf ("http://127.0.0.1:%u%s", site->port, path);
}

/* --- the worker ------------------------------------------------------------------------------------- */

json_object *
rec_page_rig_describe (const char *address)
{
  const bool is_root = getuid () == 0;
  json_object *page = json_object_new_object ();
  json_object *plugin = json_object_new_object ();
  json_object *options = json_object_new_object ();
  json_object *browser = json_object_new_object ();

  rec_json_set_string (options, "address", address);
  rec_json_set_string (plugin, "id", "page-address");
  rec_json_set_string (plugin, "file", REC_BUILD_DIR "/tests/plugins/page-address.so");
  rec_json_take (plugin, "options", options);
  rec_json_set_string (browser, "program",
      g_getenv ("CHROMIUM") != NULL ? g_getenv ("CHROMIUM") : "chromium");
  rec_json_set_string (browser, "user", is_root ? "nobody" : "");
  rec_json_set_string (browser, "profileDirectory", g_get_tmp_dir ());
  rec_json_set_int (browser, "memoryBytes", 0);
  rec_json_set_int (browser, "cpuPercent", 0);
  rec_json_set_int (browser, "readyTimeoutMs", 20000);
  rec_json_set_bool (browser, "sandbox", true);
  rec_json_take (page, "plugin", plugin);
  rec_json_set_string (page, "layoutDir", "/nowhere");
  rec_json_set_string (page, "baseUrl", "https://localhost:4443/layouts/custom/");
  rec_json_set_string (page, "layout", "a/b");
  rec_json_set_string (page, "sessionId", "s");
  rec_json_set_string (page, "secret", "hush-hush");
  rec_json_set_string (page, "recordingId", "r1");
  rec_json_set_string (page, "hostRules", "");
  rec_json_set_int (page, "port", 4443);
  rec_json_set_string (page, "certKeyHash", "");
  rec_json_set_string (page, "fallback", "best_fit");
  rec_json_take (page, "browser", browser);
  return page;
}

json_object *
rec_page_rig_get_options (json_object *page)
{
  return rec_json_get (rec_json_get (page, "plugin"), "options");
}

json_object *
rec_page_rig_get_browser (json_object *page)
{
  return rec_json_get (page, "browser");
}

RecWorkerRig *
rec_page_rig_new (json_object *page)
{
  const RecRigOptions options = {
    .width = 640,
    .height = 360,
    .frame_rate = 15,
    .is_live = true,
    .page = page,
    .is_hasty = true,
  };
  RecWorkerRig *rig = rec_worker_rig_new (&options);

  json_object_put (page);
  return rig;
}

json_object *
rec_page_rig_find (RecWorkerRig *rig, const char *event)
{
  for (size_t i = 0; i < json_object_array_length (rig->pages); i++) {
    json_object *message = json_object_array_get_idx (rig->pages, i);

    if (g_str_equal (rec_json_string_or (message, "event", ""), event))
      return message;
  }
  return NULL;
}

bool
rec_page_rig_has_line (RecWorkerRig *rig, const char *part)
{
  for (size_t i = 0; i < json_object_array_length (rig->pages); i++) {
    json_object *lines = rec_json_get (json_object_array_get_idx (rig->pages, i), "console");

    for (size_t k = 0; lines != NULL && k < json_object_array_length (lines); k++)
      if (strstr (json_object_get_string (json_object_array_get_idx (lines, k)), part) != NULL)
        return true;
  }
  return false;
}

static gboolean
on_late (gpointer data)
{
  *(bool *) data = true;
  return G_SOURCE_CONTINUE;
}

static bool
is_there (RecWorkerRig *rig, const char *event, const char *line)
{
  if (line != NULL)
    return rec_page_rig_has_line (rig, line);
  return event != NULL ? rec_page_rig_find (rig, event) != NULL : rig->is_ready;
}

static void
wait_for (RecWorkerRig *rig, const char *event, const char *line)
{
  const char *what = line != NULL ? line : event != NULL ? event : "ready";
  bool is_late = false;
  const unsigned source = g_timeout_add (PATIENCE_US / 1000, on_late, &is_late);

  while (!is_there (rig, event, line) && rig->failure == NULL && !rig->is_gone && !is_late)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
  if (!is_there (rig, event, line))
    g_error ("waited for the page's '%s' in vain: failure '%s'; said %s", what, rig->failure,
        json_object_to_json_string (rig->pages));
}

json_object *
rec_page_rig_wait (RecWorkerRig *rig, const char *event)
{
  wait_for (rig, event, NULL);
  return rec_page_rig_find (rig, event);
}

void
rec_page_rig_wait_line (RecWorkerRig *rig, const char *part)
{
  wait_for (rig, NULL, part);
}

void
rec_page_rig_wait_ready (RecWorkerRig *rig)
{
  wait_for (rig, NULL, NULL);
}

void
rec_page_rig_wait_failed (RecWorkerRig *rig)
{
  bool is_late = false;
  const unsigned source = g_timeout_add (PATIENCE_US / 1000, on_late, &is_late);

  while (rig->failure == NULL && !rig->is_ready && !rig->is_gone && !is_late)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
  g_assert_nonnull (rig->failure);
}

/* --- processes ----------------------------------------------------------------------------------------- */

static char *
read_proc (pid_t pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%ld/%s", (long) pid, name);
  char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, NULL))
    return g_strdup ("");
  for (gsize i = 0; i + 1 < length; i++)
    if (text[i] == '\0')
      text[i] = ' ';
  return text;
}

static pid_t
get_parent (pid_t pid)
{
  g_autofree char *text = read_proc (pid, "stat");
  const char *rest = strrchr (text, ')');
  long parent = 0;

  return rest != NULL && sscanf (rest + 1, " %*c %ld", &parent) == 1 ? (pid_t) parent : 0;
}

static bool
is_below (pid_t pid, pid_t root)
{
  for (int depth = 0; pid > 1 && depth < 20; depth++, pid = get_parent (pid))
    if (pid == root)
      return true;
  return false;
}

GArray *
rec_page_rig_list_processes (pid_t root, const char *part)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    const pid_t pid = (pid_t) g_ascii_strtoll (name, NULL, 10);
    g_autofree char *line = pid > 0 ? read_proc (pid, "cmdline") : g_strdup ("");

    if (pid > 0 && pid != root && strstr (line, part) != NULL && is_below (pid, root))
      g_array_append_val (pids, pid);
  }
  return pids;
}

static bool
is_dead (pid_t pid)
{
  g_autofree char *text = read_proc (pid, "stat");
  const char *rest = strrchr (text, ')');

  return rest == NULL || g_str_has_prefix (rest, ") Z") || g_str_has_prefix (rest, ") X");
}

void
rec_page_rig_wait_gone (GArray *pids)
{
  const int64_t until_us = g_get_monotonic_time () + PATIENCE_US;

  for (unsigned i = 0; i < pids->len; i++)
    while (!is_dead (g_array_index (pids, pid_t, i))) {
      g_assert_cmpint (g_get_monotonic_time (), <, until_us);
      g_usleep (10000);
    }
}

char *
rec_page_rig_find_profile (RecWorkerRig *rig)
{
  g_autofree char *prefix = g_strdup_printf ("recto-page-%ld-", (long) rig->pid);
  g_autoptr (GDir) dir = g_dir_open (g_get_tmp_dir (), 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, prefix))
      return g_build_filename (g_get_tmp_dir (), name, NULL);
  return NULL;
}
