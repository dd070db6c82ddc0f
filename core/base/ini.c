/* ini.c - inih behind a check of every line.
 *
 * inih as packaged cuts lines at 199 bytes and goes on, takes an indented line for more of the value before,
 * cuts values at " ;" and section names at 49 bytes: all of that is refused here with the line's number. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.base.ini"
#include "base/ini.h"

#include <ini.h>
#include <string.h>

#include "base/error.h"

#define MAX_FILE_BYTES (1024 * 1024)
#define MAX_LINE_BYTES 197 /* INI_MAX_LINE of 200 less the line's end and the text's */
#define MAX_SECTION_BYTES 49

typedef struct Reading {
  const char *path;
  const char *rest;
  int line;
  GHashTable *seen; /* "section\nname" */
  RecIniHandler handler;
  void *data;
  GError *error; /* the handler's first one */
  int error_line;
} Reading;

static bool
refuse_line (const char *path, int line, const char *what, GError **error)
{
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "%s:%d: %s", path, line, what);
  return false;
}

static bool
has_inline_comment (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if ((*c == ' ' || *c == '\t') && c[1] == ';')
      return true;
  return false;
}

static bool
check_line (const char *path, int line, const char *text, GError **error)
{
  size_t length = strlen (text);
  const char *close = strchr (text, ']');

  if (length > MAX_LINE_BYTES) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "%s:%d: the line has %zu bytes: expected at most %d", path, line, length, MAX_LINE_BYTES);
    return false;
  }
  if (text[strspn (text, " \t\r")] == '\0' || strchr (";#", text[strspn (text, " \t")]) != NULL)
    return true;
  if (*text == ' ' || *text == '\t')
    return refuse_line (path, line,
        "the line is indented, which would continue the value before: start it at the margin",
        error);
  if (*text == '[' && close != NULL && close - text - 1 > MAX_SECTION_BYTES)
    return refuse_line (path, line, "the section's name is too long", error);
  if (has_inline_comment (text))
    return refuse_line (path, line, "the value is cut at ' ;': put comments on lines of their own",
        error);
  return true;
}

static bool
check_lines (const char *path, const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (int i = 0; lines[i] != NULL; i++)
    if (!check_line (path, i + 1, lines[i], error))
      return false;
  return true;
}

/* inih's reader: like fgets on the text in memory. */
static char *
next_line (char *buffer, int size, void *stream)
{
  Reading *reading = stream;
  const char *end = strchrnul (reading->rest, '\n');
  size_t length = (size_t) (end - reading->rest);

  if (*reading->rest == '\0')
    return NULL;
  g_assert (length + 1 < (size_t) size);
  memcpy (buffer, reading->rest, length);
  buffer[length] = '\0';
  reading->rest = *end == '\0' ? end : end + 1;
  reading->line++;
  return buffer;
}

static bool
check_assignment (Reading *reading, const char *section, const char *name, GError **error)
{
  if (*section == '\0')
    return refuse_line (reading->path, reading->line, "the key stands before the first [section]",
        error);
  if (g_hash_table_add (reading->seen, g_strconcat (section, "\n", name, NULL)))
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "%s:%d: [%s] %s is there twice",
      reading->path, reading->line, section, name);
  return false;
}

static int
take_assignment (void *user, const char *section, const char *name, const char *value)
{
  Reading *reading = user;

  if (reading->error != NULL)
    return 0;
  reading->error_line = reading->line;
  if (!check_assignment (reading, section, name, &reading->error))
    return 0;
  if (reading->handler (section, name, value, reading->line, reading->data, &reading->error))
    return 1;
  g_prefix_error (&reading->error, "%s:%d: [%s] %s: ", reading->path, reading->line, section, name);
  return 0;
}

static char *
load_text (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  size_t length = 0;
  g_autoptr (GError) cause = NULL;

  if (!g_file_get_contents (path, &text, &length, &cause)) {
    g_set_error (error, REC_ERROR,
        g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? REC_ERROR_NOT_FOUND
                                                                  : REC_ERROR_FAILED,
        "cannot read the configuration: %s", cause->message);
    return NULL;
  }
  if (length > MAX_FILE_BYTES || !g_utf8_validate_len (text, length, NULL)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "%s: expected UTF-8 text of at most %d bytes", path, MAX_FILE_BYTES);
    return NULL;
  }
  return g_steal_pointer (&text);
}

bool
rec_ini_read (const char *path, RecIniHandler handler, void *data, GError **error)
{
  g_autofree char *text = load_text (path, error);

  if (text == NULL || !check_lines (path, text, error))
    return false;

  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Reading reading = { .path = path, .rest = text, .seen = seen, .handler = handler, .data = data };
  int wrong_line = ini_parse_stream (next_line, &reading, take_assignment, &reading);
  g_autoptr (GError) handler_error = reading.error;
  if (wrong_line != 0 && (handler_error == NULL || wrong_line < reading.error_line))
    return refuse_line (path, wrong_line, "expected a comment, [section] or name = value", error);
  if (handler_error == NULL)
    return true;
  g_propagate_error (error, g_steal_pointer (&handler_error));
  return false;
}
