/* page-console.c - events of the browser's console to lines. */
#define G_LOG_DOMAIN "rec.worker.page"
#include "worker/page-console.h"

#include <string.h>

/* The value of one argument, as a console would show it. */
static void
append_argument (GString *line, RecJson *argument)
{
  RecJson *value = rec_json_get (argument, "value");
  const char *description = rec_json_string_or (argument, "description", NULL);

  g_string_append_c (line, ' ');
  if (value != NULL)
    g_string_append (line, json_object_get_string (value));
  else if (description != NULL)
    g_string_append (line, description);
  else
    g_string_append (line, rec_json_string_or (argument, "type", "something"));
}

static void
append_call (GString *line, RecJson *content)
{
  RecJson *arguments = rec_json_get (content, "args");

  g_string_append_printf (line, "%s:", rec_json_string_or (content, "type", "log"));
  if (!json_object_is_type (arguments, json_type_array))
    return;
  for (size_t i = 0;
       i < json_object_array_length (arguments) && line->len < REC_PAGE_CONSOLE_MAX_LINE; i++)
    append_argument (line, json_object_array_get_idx (arguments, i));
}

static void
append_exception (GString *line, RecJson *details)
{
  RecJson *exception = rec_json_get (details, "exception");

  g_string_append_printf (line, "error: %s", rec_json_string_or (details, "text", "exception"));
  if (rec_json_string_or (exception, "description", NULL) != NULL)
    g_string_append_printf (line, " %s", rec_json_string_or (exception, "description", ""));
  else if (exception != NULL)
    append_argument (line, exception);
}

static void
append_entry (GString *line, RecJson *entry)
{
  const char *url = rec_json_string_or (entry, "url", "");

  g_string_append_printf (line, "%s: %s", rec_json_string_or (entry, "level", "info"),
      rec_json_string_or (entry, "text", ""));
  if (*url != '\0')
    g_string_append_printf (line, " (%.*s)", (int) strcspn (url, "?#"), url);
}

/* One line, no control characters, not too long. */
static char *
tidy (GString *line)
{
  g_autofree char *valid = g_utf8_make_valid (line->str, (gssize) line->len);
  const size_t length = strlen (valid);
  const char *cut = length > REC_PAGE_CONSOLE_MAX_LINE
                        ? g_utf8_find_prev_char (valid, valid + REC_PAGE_CONSOLE_MAX_LINE - 2)
                        : NULL;

  for (char *c = valid; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  if (cut == NULL)
    return g_steal_pointer (&valid);
  return g_strdup_printf ("%.*s...", (int) (cut - valid), valid);
}

char *
rec_page_console_dup_line (const char *method, RecJson *content)
{
  g_autoptr (GString) line = g_string_new (NULL);

  if (strcmp (method, "Runtime.consoleAPICalled") == 0)
    append_call (line, content);
  else if (strcmp (method, "Runtime.exceptionThrown") == 0)
    append_exception (line, rec_json_get (content, "exceptionDetails"));
  else if (strcmp (method, "Log.entryAdded") == 0)
    append_entry (line, rec_json_get (content, "entry"));
  else
    return NULL;
  return tidy (line);
}
