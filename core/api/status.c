/* status.c - pages for people: what the server does now, and the one that a browser is sent to for the certificate. */
#define G_LOG_DOMAIN "rec.api.status"
#include "api/private.h"
#include "plugin/catalogue.h"
#include "recording/entity.h"

#define HEAD                                                                                       \
  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Recto</title>\n"        \
  "<style>body{font:15px sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse}"     \
  "td,th{padding:.2em 1em .2em 0;text-align:left;vertical-align:top;"                              \
  "border-bottom:1px solid #ccc}</style></head><body>\n"
#define TAIL "</body></html>\n"

static void
answer_page (RecHttpRequest *request, GString *page)
{
  const size_t length = page->len;

  rec_http_add_answer_header (request, "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  rec_http_add_answer_header (request, "Cache-Control", "no-store");
  rec_http_answer (request, 200, "text/html;charset=UTF-8", g_string_free (page, FALSE), length);
}

static void
append_cell (GString *page, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text == NULL ? "" : text, -1);

  g_string_append_printf (page, "<td>%s</td>", escaped);
}

static void
begin_table (GString *page, const char *title, guint n, const char *columns)
{
  g_auto (GStrv) names = g_strsplit (columns, "|", -1);

  g_string_append_printf (page, "<h2>%s</h2>\n", title);
  if (n == 0) {
    g_string_append (page, "<table><tr><td>none</td></tr>\n");
    return;
  }
  g_string_append (page, "<table><tr>");
  for (char **name = names; *name != NULL; name++)
    g_string_append_printf (page, "<th>%s</th>", *name);
  g_string_append (page, "</tr>\n");
}

static void
append_sessions (GString *page, GPtrArray *sessions)
{
  begin_table (page, "Sessions", sessions->len, "id|participants|publishing|recording");
  for (guint i = 0; i < sessions->len; i++) {
    const RecSession *session = sessions->pdata[i];
    g_string_append (page, "<tr>");
    append_cell (page, session->id);
    g_string_append_printf (page, "<td>%u</td><td>%u</td>", rec_session_count_visible (session),
        rec_session_count_publishers (session));
    append_cell (page, session->recording == NULL ? "" : session->recording->id);
    g_string_append (page, "</tr>\n");
  }
  g_string_append (page, "</table>\n");
}

static void
append_recordings (GString *page, GPtrArray *recordings, const char *public_url)
{
  const RecEntityView view = { .public_url = public_url };

  begin_table (page, "Recordings", recordings->len, "id|name|status|seconds|bytes|remarks");
  for (guint i = 0; i < recordings->len; i++) {
    const RecRecording *recording = recordings->pdata[i];
    g_autoptr (RecJson) entity = rec_entity_to_json (recording, REC_ERA_NEW, &view);
    g_string_append (page, "<tr>");
    append_cell (page, recording->id);
    append_cell (page, recording->name);
    append_cell (page, rec_json_string_or (entity, "status", ""));
    append_cell (page, json_object_get_string (rec_json_get (entity, "duration")));
    append_cell (page, json_object_get_string (rec_json_get (entity, "size")));
    append_cell (page, recording->message);
    g_string_append (page, "</tr>\n");
  }
  g_string_append (page, "</table>\n");
}

static const char *
name_kind (RecPluginKind kind)
{
  switch (kind) {
  case REC_PLUGIN_ARRANGING_LAYOUT:
    return "layout";
  case REC_PLUGIN_PAGE_LAYOUT:
    return "page layout";
  case REC_PLUGIN_SINK:
    return "sink";
  case REC_PLUGIN_INVALID:
    break;
  }
  return "";
}

static void
append_plugins (GString *page, GPtrArray *entries)
{
  begin_table (page, "Plugins", entries->len, "id|kind|version|summary or why it was refused");
  for (guint i = 0; i < entries->len; i++) {
    const RecCatalogueEntry *entry = entries->pdata[i];
    g_string_append (page, "<tr>");
    append_cell (page, entry->id);
    append_cell (page, name_kind (entry->kind));
    append_cell (page, entry->version);
    append_cell (page, entry->is_usable ? entry->summary : entry->refusal);
    g_string_append (page, "</tr>\n");
  }
  g_string_append (page, "</table>\n");
}

void
rec_show_status (RecCall *call)
{
  const RecApiContext *context = &call->api->context;
  GString *page = g_string_new (HEAD "<h1>Recto " REC_VERSION "</h1>\n");

  append_sessions (page, rec_registry_get_sessions (context->registry));
  append_recordings (page, rec_registry_get_recordings (context->registry),
      rec_registry_get_public_url (context->registry));
  append_plugins (page, rec_catalogue_get_entries (context->catalogue));
  g_string_append (page, TAIL);
  answer_page (call->request, page);
}

void
rec_show_accept_certificate (RecCall *call)
{
  answer_page (call->request,
      g_string_new (HEAD "<h1>Certificate accepted</h1>\n<p>Your browser now trusts this server. "
                         "Go back to the application and load it again.</p>\n" TAIL));
}

void
rec_ask_for_upgrade (RecCall *call)
{
  rec_http_add_answer_header (call->request, "Upgrade", "websocket");
  rec_http_add_answer_header (call->request, "Sec-WebSocket-Version", "13");
  rec_http_answer_status (call->request, 426, "this path speaks WebSocket, version 13");
}
