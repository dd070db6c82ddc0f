/* page-window.c - opens a window, answers its requests for our own document, and calls into it. */
#define G_LOG_DOMAIN "rec.worker.page"
#include "worker/page-window.h"

#include <string.h>

/* --- calls ---------------------------------------------------------------------------------------- */

void
rec_page_window_call (RecPageWindow *window, const char *method, RecJson *params,
    RecCdpAnswered answered, void *data)
{
  rec_cdp_link_call (window->link, window->session, method, params, answered, data);
}

static void
evaluate (RecPageWindow *window, const char *expression, bool is_user, RecCdpAnswered answered,
    void *data)
{
  RecJson *params = json_object_new_object ();

  rec_json_set_string (params, "expression", expression);
  rec_json_set_bool (params, "userGesture", is_user);
  rec_json_set_bool (params, "awaitPromise", true);
  rec_json_set_bool (params, "returnByValue", true);
  rec_page_window_call (window, "Runtime.evaluate", params, answered, data);
}

void
rec_page_window_evaluate (RecPageWindow *window, const char *expression, RecCdpAnswered answered,
    void *data)
{
  evaluate (window, expression, false, answered, data);
}

void
rec_page_window_evaluate_as_user (RecPageWindow *window, const char *expression,
    RecCdpAnswered answered, void *data)
{
  evaluate (window, expression, true, answered, data);
}

const char *
rec_page_window_find_exception (RecJson *result, const char *failure)
{
  RecJson *details = rec_json_get (result, "exceptionDetails");

  if (failure != NULL || details == NULL)
    return failure;
  return rec_json_string_or (rec_json_get (details, "exception"), "description",
      rec_json_string_or (details, "text", "an exception"));
}

static void
on_alive (RecJson *result, const char *failure, void *data)
{
  RecPageWindow *window = data;

  (void) result;
  (void) failure;
  window->answered_us = g_get_monotonic_time ();
}

void
rec_page_window_ping (RecPageWindow *window, int64_t now_us)
{
  window->asked_us = now_us;
  rec_page_window_evaluate (window, "1", on_alive, window);
}

/* --- its document ----------------------------------------------------------------------------------- */

static void
fulfil (RecPageWindow *window, RecJson *content)
{
  RecJson *params = json_object_new_object ();
  RecJson *headers = json_object_new_array ();
  RecJson *type = json_object_new_object ();

  rec_json_set_string (type, "name", "Content-Type");
  rec_json_set_string (type, "value", "text/html");
  json_object_array_add (headers, type);
  rec_json_set_string (params, "requestId", rec_json_string_or (content, "requestId", ""));
  rec_json_set_int (params, "responseCode", 200);
  rec_json_take (params, "responseHeaders", headers);
  rec_json_set_string (params, "body", window->document);
  rec_page_window_call (window, "Fetch.fulfillRequest", params, NULL, NULL);
}

/* alert () and its like stop a page until somebody answers. */
static void
close_dialog (RecPageWindow *window, RecJson *content)
{
  RecJson *params = json_object_new_object ();

  rec_json_set_bool (params, "accept",
      strcmp (rec_json_string_or (content, "type", ""), "beforeunload") == 0);
  rec_page_window_call (window, "Page.handleJavaScriptDialog", params, NULL, NULL);
}

bool
rec_page_window_take_event (RecPageWindow *window, const RecCdpMessage *message)
{
  if (strcmp (message->method, "Fetch.requestPaused") == 0) {
    fulfil (window, message->content);
  } else if (strcmp (message->method, "Page.javascriptDialogOpening") == 0) {
    close_dialog (window, message->content);
  } else if (strcmp (message->method, "Page.frameNavigated") == 0) {
    RecJson *frame = rec_json_get (message->content, "frame");

    window->is_there |= strcmp (rec_json_string_or (frame, "url", ""), window->url) == 0;
  } else if (strcmp (message->method, "Page.loadEventFired") == 0) {
    /* The one of about:blank may come as late as it likes. */
    window->is_loaded = window->is_there;
    return !window->is_there;
  } else {
    return false;
  }
  return true;
}

static char *
make_document (const char *title, const char *script)
{
  g_autofree char *html = g_strdup_printf (
      "<!doctype html><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\"><title>%s</title>"
      "<body style=\"background:#000\"><script>%s</script>",
      title, script);

  return g_base64_encode ((const uint8_t *) html, strlen (html));
}

/* --- opening ------------------------------------------------------------------------------------------ */

static bool
check (RecPageWindow *window, const char *what, const char *failure)
{
  if (failure != NULL)
    window->failed (what, failure, window->data);
  return failure == NULL;
}

static void
on_navigated (RecJson *result, const char *failure, void *data)
{
  (void) check (data, "open our own page",
      failure != NULL ? failure : rec_json_string_or (result, "errorText", NULL));
}

static RecJson *
make_fetch_patterns (const RecPageWindow *window)
{
  RecJson *params = json_object_new_object ();
  RecJson *patterns = json_object_new_array ();
  RecJson *pattern = json_object_new_object ();

  rec_json_set_string (pattern, "urlPattern", window->url);
  json_object_array_add (patterns, pattern);
  rec_json_take (params, "patterns", patterns);
  return params;
}

static RecJson *
make_string (const char *name, const char *value)
{
  RecJson *params = json_object_new_object ();

  rec_json_set_string (params, name, value);
  return params;
}

static void
on_attached (RecJson *result, const char *failure, void *data)
{
  RecPageWindow *window = data;

  if (!check (window, "attach to a window", failure))
    return;
  window->session = g_strdup (rec_json_string_or (result, "sessionId", ""));
  rec_page_window_call (window, "Page.enable", NULL, NULL, NULL);
  rec_page_window_call (window, "Runtime.enable", NULL, NULL, NULL);
  rec_page_window_call (window, "Inspector.enable", NULL, NULL, NULL);
  rec_page_window_call (window, "Fetch.enable", make_fetch_patterns (window), NULL, NULL);
  if (window->binding != NULL)
    rec_page_window_call (window, "Runtime.addBinding", make_string ("name", window->binding), NULL,
        NULL);
  rec_page_window_call (window, "Page.navigate", make_string ("url", window->url), on_navigated,
      window);
}

static void
on_created (RecJson *result, const char *failure, void *data)
{
  RecPageWindow *window = data;
  RecJson *params;

  if (!check (window, "open a window", failure))
    return;
  window->target = g_strdup (rec_json_string_or (result, "targetId", ""));
  params = make_string ("targetId", window->target);
  rec_json_set_bool (params, "flatten", true);
  rec_cdp_link_call (window->link, "", "Target.attachToTarget", params, on_attached, window);
}

void
rec_page_window_open (RecPageWindow *window, RecCdpLink *link, const char *url, const char *title,
    const char *script, int width, int height)
{
  RecJson *params = make_string ("url", "about:blank");

  window->link = link;
  window->url = url;
  window->document = make_document (title, script);
  rec_json_set_bool (params, "newWindow", true);
  rec_json_set_int (params, "width", width);
  rec_json_set_int (params, "height", height);
  rec_cdp_link_call (link, "", "Target.createTarget", params, on_created, window);
}

void
rec_page_window_clear (RecPageWindow *window)
{
  g_free (window->document);
  g_free (window->target);
  g_free (window->session);
}
