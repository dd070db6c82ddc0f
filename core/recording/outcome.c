/* outcome.c - what a worker's files amount to: the composed one, or those of single streams. */
#define G_LOG_DOMAIN "rec.recording.outcome"
#include "recording/outcome.h"

#include <string.h>
#include <sys/stat.h>

#include "base/json.h"

/* What the worker says is input: the file must be a plain one of the recording's own folder. Returns its size, or -1. */
static int64_t
get_size (const RecRecording *recording, json_object *file)
{
  const char *name = rec_json_string_or (file, "name", "");
  g_autofree char *path = g_build_filename (recording->directory, name, NULL);
  struct stat info;

  if (!rec_place_may_own (recording, name) || lstat (path, &info) != 0 || !S_ISREG (info.st_mode))
    return -1;
  return info.st_size;
}

static bool
is_individual (const RecRecording *recording)
{
  return recording->properties->output_mode == REC_OUTPUT_INDIVIDUAL;
}

static size_t
count_files (json_object *finished)
{
  json_object *files = rec_json_get (finished, "files");

  return files != NULL ? json_object_array_length (files) : 0;
}

static json_object *
get_file (json_object *finished, size_t i)
{
  return json_object_array_get_idx (rec_json_get (finished, "files"), i);
}

static bool
is_of_stream (const RecRecording *recording, json_object *file)
{
  return rec_json_has (file, "stream") && get_size (recording, file) > 0;
}

static bool
is_media (json_object *file)
{
  return !g_str_has_prefix (rec_json_string_or (file, "mediaType", ""), "application/");
}

/* The streams in one file; NULL: they are in files of their own. */
static json_object *
find_zip (const RecRecording *recording, json_object *finished)
{
  for (size_t i = 0; is_individual (recording) && i < count_files (finished); i++) {
    json_object *file = get_file (finished, i);

    if (strcmp (rec_json_string_or (file, "mediaType", ""), "application/zip") == 0 &&
        get_size (recording, file) > 0)
      return file;
  }
  return NULL;
}

/* The first one that is not of a single stream. */
static json_object *
find_composed (const RecRecording *recording, json_object *finished)
{
  json_object *files = rec_json_get (finished, "files");
  size_t n_files = files != NULL ? json_object_array_length (files) : 0;

  for (size_t i = 0; i < n_files; i++) {
    json_object *file = json_object_array_get_idx (files, i);

    if (!rec_json_has (file, "stream") && is_media (file) && get_size (recording, file) > 0)
      return file;
  }
  return NULL;
}

bool
rec_outcome_has_file (const RecRecording *recording, json_object *finished)
{
  for (size_t i = 0; is_individual (recording) && i < count_files (finished); i++)
    if (is_of_stream (recording, get_file (finished, i)))
      return true;
  return find_composed (recording, finished) != NULL;
}

static void
take_other_files (RecRecording *recording, json_object *finished, json_object *composed)
{
  json_object *files = rec_json_get (finished, "files");
  size_t n_files = files != NULL ? json_object_array_length (files) : 0;

  for (size_t i = 0; i < n_files; i++) {
    json_object *file = json_object_array_get_idx (files, i);

    if (file != composed && get_size (recording, file) >= 0)
      g_ptr_array_add (recording->other_files, g_strdup (rec_json_string_or (file, "name", NULL)));
  }
}

/* From the first moment of any stream to the last one of any. */
static bool
take_streams (RecRecording *recording, json_object *finished)
{
  int64_t start_ns = INT64_MAX, end_ns = 0;

  recording->size = 0;
  recording->has_audio = recording->has_video = false;
  for (size_t i = 0; i < count_files (finished); i++) {
    json_object *file = get_file (finished, i);

    if (!is_of_stream (recording, file))
      continue;
    start_ns = MIN (start_ns, rec_json_int_or (file, "startNs", 0));
    end_ns = MAX (end_ns, rec_json_int_or (file, "endNs", rec_json_int_or (file, "durationNs", 0)));
    recording->size += get_size (recording, file);
    recording->has_audio |= rec_json_bool_or (file, "hasAudio", false);
    recording->has_video |= rec_json_bool_or (file, "hasVideo", false);
  }
  recording->duration_s = end_ns > start_ns ? (double) (end_ns - start_ns) / 1e9 : 0;
  return recording->size > 0 || (finished != NULL && rec_json_bool_or (finished, "ok", false));
}

bool
rec_outcome_take (RecRecording *recording, json_object *finished)
{
  json_object *zip = find_zip (recording, finished);
  json_object *file = zip != NULL ? zip : find_composed (recording, finished);
  json_object *files = rec_json_get (finished, "files");

  take_other_files (recording, finished, file);
  if (zip != NULL) {
    g_free (recording->file_name);
    recording->file_name = g_strdup (rec_json_string_or (zip, "name", NULL));
  }
  if (is_individual (recording))
    return take_streams (recording, finished);
  if (file == NULL)
    return finished != NULL && rec_json_bool_or (finished, "ok", false) &&
           (files == NULL || json_object_array_length (files) == 0);
  g_free (recording->file_name);
  recording->file_name = g_strdup (rec_json_string_or (file, "name", NULL));
  recording->size = get_size (recording, file);
  recording->duration_s = (double) rec_json_int_or (file, "durationNs", 0) / 1e9;
  recording->has_audio = rec_json_bool_or (file, "hasAudio", recording->has_audio);
  recording->has_video = rec_json_bool_or (file, "hasVideo", recording->has_video);
  return recording->duration_s > 0;
}

GPtrArray *
rec_outcome_list_packed (const RecRecording *recording, json_object *finished)
{
  GPtrArray *names = NULL;

  for (size_t i = 0; find_zip (recording, finished) != NULL && i < count_files (finished); i++) {
    json_object *file = get_file (finished, i);

    if (!rec_json_has (file, "stream") || !is_media (file) || get_size (recording, file) < 0)
      continue;
    if (names == NULL)
      names = g_ptr_array_new_with_free_func (g_free);
    g_ptr_array_add (names, g_strdup (rec_json_string_or (file, "name", NULL)));
  }
  return names;
}
