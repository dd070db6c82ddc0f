/* media-judge.c - ffprobe and ffmpeg say what a file is. */
#include "lib/media-judge.h"

#include <gio/gio.h>
#include <json-c/json.h>
#include <string.h>

/* Standard output of a command that must succeed without a word on standard error. */
static GBytes *
run (const char *const *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = g_subprocess_newv (arguments,
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  g_autoptr (GBytes) complaints = NULL;
  GBytes *output = NULL;

  g_assert_no_error (error);
  g_subprocess_communicate (process, NULL, NULL, &output, &complaints, &error);
  g_assert_no_error (error);
  if (!g_subprocess_get_successful (process) || g_bytes_get_size (complaints) > 0)
    g_error ("%s says: %.*s", arguments[0], (int) g_bytes_get_size (complaints),
        (const char *) g_bytes_get_data (complaints, NULL));
  return output;
}

static double
get_number (json_object *object, const char *key)
{
  json_object *value = NULL;

  return json_object_object_get_ex (object, key, &value) ? json_object_get_double (value) : -1;
}

static const char *
get_text (json_object *object, const char *key)
{
  json_object *value = NULL;

  return json_object_object_get_ex (object, key, &value) ? json_object_get_string (value) : "";
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  const double first = *(const double *) a, second = *(const double *) b;

  return first < second ? -1 : first > second;
}

static RecJudgedStream *
get_stream (RecJudgement *judgement, json_object *object)
{
  return strcmp (get_text (object, "codec_type"), "video") == 0 ? &judgement->video
                                                                : &judgement->audio;
}

static void
read_stream (RecJudgement *judgement, json_object *object)
{
  RecJudgedStream *stream = get_stream (judgement, object);

  g_assert_false (stream->is_there);
  stream->is_there = true;
  stream->start = get_number (object, "start_time");
  stream->duration = get_number (object, "duration");
}

static void
read_packet (RecJudgement *judgement, json_object *object)
{
  const double time = get_number (object, "pts_time");

  g_array_append_val (get_stream (judgement, object)->times, time);
}

RecJudgement *
rec_judge_file (const char *path)
{
  const char *const arguments[] = { "ffprobe", "-v", "error", "-of", "json", "-show_format",
    "-show_streams", "-show_packets", path, NULL };
  g_autoptr (GBytes) output = run (arguments);
  g_autofree char *text = g_strndup (g_bytes_get_data (output, NULL), g_bytes_get_size (output));
  RecJudgement *judgement = g_new0 (RecJudgement, 1);
  json_object *root = json_tokener_parse (text), *list = NULL, *format = NULL;

  g_assert_nonnull (root);
  judgement->video.times = g_array_new (FALSE, FALSE, sizeof (double));
  judgement->audio.times = g_array_new (FALSE, FALSE, sizeof (double));
  g_assert_true (json_object_object_get_ex (root, "streams", &list));
  for (size_t i = 0; i < json_object_array_length (list); i++)
    read_stream (judgement, json_object_array_get_idx (list, i));
  g_assert_true (json_object_object_get_ex (root, "packets", &list));
  for (size_t i = 0; i < json_object_array_length (list); i++)
    read_packet (judgement, json_object_array_get_idx (list, i));
  g_assert_true (json_object_object_get_ex (root, "format", &format));
  judgement->start = get_number (format, "start_time");
  judgement->duration = get_number (format, "duration");
  g_array_sort (judgement->video.times, compare_times);
  g_array_sort (judgement->audio.times, compare_times);
  json_object_put (root);
  return judgement;
}

void
rec_judgement_free (RecJudgement *judgement)
{
  g_array_unref (judgement->video.times);
  g_array_unref (judgement->audio.times);
  g_free (judgement);
}

void
rec_judge_decodes (const char *path)
{
  /* Pictures are as far apart as they came: ffmpeg is to make no even rate of them. */
  const char *const arguments[] = { "ffmpeg", "-nostdin", "-v", "error", "-i", path, "-fps_mode",
    "passthrough", "-enc_time_base", "-1", "-f", "null", "-", NULL };
  g_autoptr (GBytes) output = run (arguments);

  g_assert_cmpuint (g_bytes_get_size (output), ==, 0);
}

GArray *
rec_judge_sound (const char *path)
{
  const char *const arguments[] = { "ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", path,
    "-vn", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", "48000", "-f", "s16le", "-",
    NULL };
  g_autoptr (GBytes) output = run (arguments);
  GArray *samples = g_array_new (FALSE, FALSE, sizeof (int16_t));

  g_array_append_vals (samples, g_bytes_get_data (output, NULL),
      (guint) (g_bytes_get_size (output) / sizeof (int16_t)));
  return samples;
}

char *
rec_judge_boxes (const char *path)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  GString *types = g_string_new (NULL);
  gsize size, offset = 0;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  while (offset + 8 <= size) {
    guint32 short_size;
    guint64 box_size;

    memcpy (&short_size, data + offset, 4);
    box_size = GUINT32_FROM_BE (short_size);
    if (box_size == 1 && offset + 16 <= size) {
      memcpy (&box_size, data + offset + 8, 8);
      box_size = GUINT64_FROM_BE (box_size);
    }
    g_string_append_printf (types, "%s%.4s", offset > 0 ? " " : "", data + offset + 4);
    g_assert_cmpuint (box_size, >=, 8);
    g_assert_cmpuint (box_size, <=, size - offset);
    offset += box_size;
  }
  g_assert_cmpuint (offset, ==, size);
  return g_string_free (types, FALSE);
}
