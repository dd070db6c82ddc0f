/* layout-ini.c - what a layout's folder says of itself: resolution, frame rate, background and the like. */
#include "common/page.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE 1024
#define PARAMETER "parameter."

typedef struct Reading {
  RecPage *page;
  char *summary; /* may be NULL */
  size_t summary_size;
  const char *why; /* the last value was refused because */
} Reading;

static bool
refuse (Reading *reading, const char *why)
{
  reading->why = why;
  return false;
}

static bool
read_number (const char *text, long min, long max, char **end, long *number)
{
  errno = 0;
  *number = isdigit ((unsigned char) *text) ? strtol (text, end, 10) : -1;
  return errno == 0 && *number >= min && *number <= max;
}

static bool
set_resolution (Reading *reading, const char *value)
{
  char *end;
  long width, height;

  if (!read_number (value, 100, 1999, &end, &width) || *end != 'x' ||
      !read_number (end + 1, 100, 1999, &end, &height) || *end != '\0')
    return refuse (reading, "expected WIDTHxHEIGHT, each 100 to 1999");
  reading->page->width = (int32_t) width;
  reading->page->height = (int32_t) height;
  return true;
}

static bool
set_frame_rate (Reading *reading, const char *value)
{
  char *end;
  long number;

  if (!read_number (value, 1, 120, &end, &number) || *end != '\0')
    return refuse (reading, "expected 1 to 120");
  reading->page->frame_rate = (int32_t) number;
  return true;
}

static bool
set_ready_timeout (Reading *reading, const char *value)
{
  char *end;
  long number;

  if (!read_number (value, 100, 600000, &end, &number) || *end != '\0')
    return refuse (reading, "expected 100 to 600000 (milliseconds)");
  reading->page->ready_timeout_ms = (uint32_t) number;
  return true;
}

static bool
set_background (Reading *reading, const char *value)
{
  char *end = NULL;
  unsigned long rgb =
      value[0] == '#' && isxdigit ((unsigned char) value[1]) ? strtoul (value + 1, &end, 16) : 0;

  if (end != value + 7 || *end != '\0')
    return refuse (reading, "expected #RRGGBB");
  reading->page->background = 0xff000000u | (uint32_t) rgb;
  return true;
}

static bool
set_audio (Reading *reading, const char *value)
{
  if (strcmp (value, "true") != 0 && strcmp (value, "false") != 0)
    return refuse (reading, "expected true or false");
  reading->page->audio = *value == 't' ? 1 : 2;
  return true;
}

/* What is an origin is for the browser's side to say; it refuses what isn't. */
static bool
set_allow (Reading *reading, const char *value)
{
  int n = snprintf (reading->page->allow, reading->page->allow_capacity, "%s", value);

  return n < (int) reading->page->allow_capacity || refuse (reading, "it is too long");
}

static bool
set_summary (Reading *reading, const char *value)
{
  if (reading->summary != NULL)
    snprintf (reading->summary, reading->summary_size, "%s", value);
  return true;
}

static bool
add_parameter (Reading *reading, const char *name, const char *value)
{
  if (*name == '\0' || strcmp (name, "sessionId") == 0 || strcmp (name, "secret") == 0)
    return refuse (reading, "this parameter cannot be set");
  if (!rec_page_append (reading->page, "&", false, NULL) ||
      !rec_page_append (reading->page, name, true, NULL) ||
      !rec_page_append (reading->page, "=", false, NULL) ||
      !rec_page_append (reading->page, value, true, NULL))
    return refuse (reading, "the address gets too long");
  return true;
}

static const struct {
  const char *key;
  bool (*set) (Reading *reading, const char *value);
} settings[] = {
  { "resolution", set_resolution },
  { "frame-rate", set_frame_rate },
  { "ready-timeout-ms", set_ready_timeout },
  { "background", set_background },
  { "audio", set_audio },
  { "allow", set_allow },
  { "summary", set_summary },
};

static bool
take_setting (Reading *reading, const char *key, const char *value)
{
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (strcmp (settings[i].key, key) == 0)
      return settings[i].set (reading, value);
  if (strncmp (key, PARAMETER, strlen (PARAMETER)) == 0)
    return add_parameter (reading, key + strlen (PARAMETER), value);
  return refuse (reading, "there is no such setting");
}

static char *
trim (char *text)
{
  size_t length;

  while (isspace ((unsigned char) *text))
    text++;
  length = strlen (text);
  while (length > 0 && isspace ((unsigned char) text[length - 1]))
    text[--length] = '\0';
  return text;
}

/* Empty lines, comments and the section [layout] mean nothing; a value reaches to the end of its line. */
static bool
read_line (Reading *reading, char *line)
{
  char *text = trim (line), *equals;

  if (*text == '\0' || *text == ';' || *text == '#' || strcmp (text, "[layout]") == 0)
    return true;
  equals = strchr (text, '=');
  if (equals == NULL)
    return refuse (reading, "expected KEY = VALUE");
  *equals = '\0';
  return take_setting (reading, trim (text), trim (equals + 1));
}

bool
rec_page_read_ini (int fd, const char *name, RecPage *page, char *summary, size_t size,
    RecError *error)
{
  Reading reading = { .page = page, .summary = summary, .summary_size = size };
  FILE *file = fdopen (fd, "r");
  char line[MAX_LINE];
  bool is_fine = true;

  if (file == NULL) {
    close (fd);
    return rec_fail (error, REC_FAIL_IO, "cannot read %s: %s", name, strerror (errno));
  }
  for (unsigned n = 1; is_fine && fgets (line, sizeof line, file) != NULL; n++) {
    if (strlen (line) == sizeof line - 1 && line[sizeof line - 2] != '\n')
      is_fine = refuse (&reading, "the line is too long");
    else
      is_fine = read_line (&reading, line);
    if (!is_fine)
      rec_fail (error, REC_FAIL_INVALID, "%s, line %u ('%.60s'): %s", name, n, line, reading.why);
  }
  fclose (file);
  return is_fine;
}
