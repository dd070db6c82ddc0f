/* sdp-section.c - takes an SDP text apart. */
#define G_LOG_DOMAIN "rec.media.sdp-section"
#include "media/sdp-section.h"

#include <string.h>

#include "base/error.h"

#define MAX_SECTIONS 32
#define MAX_FORMATS 128 /* as many as there are payload types */

static void
free_section (void *data)
{
  RecSdpSection *section = data;

  g_strfreev (section->fields);
  g_free (section->lines);
  g_free (section->mid);
  g_free (section);
}

bool
rec_sdp_fail (GError **error, int code, const char *format, ...)
{
  va_list arguments;
  g_autofree char *message = NULL;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, REC_ERROR, code, message);
  return false;
}

const char *
rec_sdp_find_attribute (const RecSdpSection *section, const char *prefix)
{
  for (size_t i = 0; i < section->n_lines; i++)
    if (g_str_has_prefix (section->lines[i], prefix))
      return section->lines[i] + strlen (prefix);
  return NULL;
}
static bool
has_line (const RecSdpSection *section, const char *line)
{
  for (size_t i = 0; i < section->n_lines; i++)
    if (strcmp (section->lines[i], line) == 0)
      return true;
  return false;
}

bool
rec_sdp_parse_number (const char *text, uint64_t max, uint64_t *number)
{
  return text != NULL && g_ascii_string_to_unsigned (text, 10, 0, max, number, NULL);
}

const char *
rec_sdp_find_for_payload (const RecSdpSection *section, const char *prefix, unsigned payload_type)
{
  g_autofree char *start = g_strdup_printf ("%s%u ", prefix, payload_type);

  return rec_sdp_find_attribute (section, start);
}

static RecSdpSection *
parse_section (char **lines, size_t n_lines, GError **error)
{
  g_auto (GStrv) fields = g_strsplit (lines[0] + 2, " ", 0);
  uint64_t port;

  if (g_strv_length (fields) < 4 || g_strv_length (fields) > 3 + MAX_FORMATS ||
      !rec_sdp_parse_number (fields[1], 65535, &port)) {
    rec_sdp_fail (error, REC_ERROR_INVALID_ARGUMENT, "the SDP has a broken line \"%.80s\"",
        lines[0]);
    return NULL;
  }

  RecSdpSection *section = g_new0 (RecSdpSection, 1);

  section->fields = g_steal_pointer (&fields);
  section->lines = g_memdup2 (lines, n_lines * sizeof *lines);
  section->n_lines = n_lines;
  section->mid = g_strdup (rec_sdp_find_attribute (section, "a=mid:"));
  if (strcmp (section->fields[0], "audio") == 0)
    section->kind = REC_TRACK_AUDIO;
  else if (strcmp (section->fields[0], "video") == 0)
    section->kind = REC_TRACK_VIDEO;
  section->is_sending = !has_line (section, "a=recvonly") && !has_line (section, "a=inactive");
  section->is_receiving = !has_line (section, "a=sendonly") && !has_line (section, "a=inactive");
  section->is_rejected = port == 0 && !has_line (section, "a=bundle-only");
  return section;
}

char **
rec_sdp_split_lines (const char *text)
{
  g_auto (GStrv) raw = g_strsplit (text, "\n", 0);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (char **line = raw; *line != NULL; line++) {
    g_strchomp (*line);
    if (**line != '\0')
      g_strv_builder_add (builder, *line);
  }
  return g_strv_builder_end (builder);
}

bool
rec_sdp_parse_sections (char **lines, size_t *n_session_lines, GPtrArray **sections, GError **error)
{
  size_t n_lines = g_strv_length (lines), start = 0;
  g_autoptr (GPtrArray) parsed = g_ptr_array_new_with_free_func (free_section);

  if (n_lines == 0 || strcmp (lines[0], "v=0") != 0)
    return rec_sdp_fail (error, REC_ERROR_INVALID_ARGUMENT,
        "this is no SDP: it doesn't begin with v=0");
  while (start < n_lines && !g_str_has_prefix (lines[start], "m="))
    start++;
  *n_session_lines = start;
  while (start < n_lines) {
    size_t end = start + 1;

    while (end < n_lines && !g_str_has_prefix (lines[end], "m="))
      end++;
    if (parsed->len == MAX_SECTIONS)
      return rec_sdp_fail (error, REC_ERROR_INVALID_ARGUMENT, "the SDP has more than %d m-lines",
          MAX_SECTIONS);
    RecSdpSection *section = parse_section (lines + start, end - start, error);
    if (section == NULL)
      return false;
    g_ptr_array_add (parsed, section);
    start = end;
  }
  *sections = g_steal_pointer (&parsed);
  return true;
}
