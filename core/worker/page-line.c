/* page-line.c - words to numbers and bytes. */
#define G_LOG_DOMAIN "rec.worker.page"
#include "worker/page-line.h"

#include <string.h>

#define BYTES_PER_SAMPLE 4 /* two channels of 16 bits */
#define MAX_SIDE 65536

/* Leaves *text at the next word; 0 and no word left when there is no number within the bounds. */
static int64_t
next_number (const char **text, int64_t min, int64_t max, bool *is_wrong)
{
  char *end = NULL;
  const int64_t number = g_ascii_strtoll (*text, &end, 10);

  if (end == *text || (*end != ' ' && *end != '\0') || number < min || number > max) {
    *is_wrong = true;
    return 0;
  }
  *text = *end == ' ' ? end + 1 : end;
  return number;
}

static GBytes *
read_data (const char *text, size_t unit, bool *is_wrong)
{
  gsize size = 0;
  g_autofree uint8_t *data = *text != '\0' ? g_base64_decode (text, &size) : NULL;

  size -= size % unit;
  if (data == NULL || size == 0) {
    *is_wrong = true;
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

static bool
has_kind (const char **text, const char *kind)
{
  const size_t length = strlen (kind);

  if (strncmp (*text, kind, length) != 0 || (*text)[length] != ' ')
    return false;
  *text += length + 1;
  return true;
}

bool
rec_page_line_parse (const char *text, RecPageLine *line)
{
  bool is_wrong = false;

  *line = (RecPageLine){ 0 };
  if (has_kind (&text, "video")) {
    line->kind = REC_PAGE_LINE_VIDEO;
    line->is_keyframe = next_number (&text, 0, 1, &is_wrong) == 1;
    line->timestamp_us = next_number (&text, -INT64_MAX / 4000, INT64_MAX / 4000, &is_wrong);
    line->data = read_data (text, 1, &is_wrong);
  } else if (has_kind (&text, "sound")) {
    line->kind = REC_PAGE_LINE_SOUND;
    line->timestamp_us = next_number (&text, -INT64_MAX / 4000, INT64_MAX / 4000, &is_wrong);
    line->rate = (int) next_number (&text, 8000, 192000, &is_wrong);
    line->data = read_data (text, BYTES_PER_SAMPLE, &is_wrong);
  } else if (has_kind (&text, "size")) {
    line->kind = REC_PAGE_LINE_SIZE;
    line->width = (int) next_number (&text, 0, MAX_SIDE, &is_wrong);
    line->height = (int) next_number (&text, 0, MAX_SIDE, &is_wrong);
  } else if (has_kind (&text, "look")) {
    line->kind = REC_PAGE_LINE_LOOK;
    line->spread = (int) next_number (&text, 0, 255, &is_wrong);
  } else if (has_kind (&text, "error")) {
    line->kind = REC_PAGE_LINE_ERROR;
    line->text = text;
  }
  if (!is_wrong && line->kind != REC_PAGE_LINE_INVALID)
    return true;
  rec_page_line_clear (line);
  return false;
}

void
rec_page_line_clear (RecPageLine *line)
{
  g_clear_pointer (&line->data, g_bytes_unref);
  line->kind = REC_PAGE_LINE_INVALID;
}
