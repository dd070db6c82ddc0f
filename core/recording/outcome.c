/* outcome.c - the composed file among those that a worker finished. */
#define G_LOG_DOMAIN "rec.recording.outcome"
#include "recording/outcome.h"

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

/* The first one that is not of a single stream. */
static json_object *
find_composed (const RecRecording *recording, json_object *finished)
{
  json_object *files = rec_json_get (finished, "files");
  size_t n_files = files != NULL ? json_object_array_length (files) : 0;

  for (size_t i = 0; i < n_files; i++) {
    json_object *file = json_object_array_get_idx (files, i);

    if (!rec_json_has (file, "stream") && get_size (recording, file) > 0)
      return file;
  }
  return NULL;
}

bool
rec_outcome_has_file (const RecRecording *recording, json_object *finished)
{
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

bool
rec_outcome_take (RecRecording *recording, json_object *finished)
{
  json_object *file = find_composed (recording, finished);
  json_object *files = rec_json_get (finished, "files");

  take_other_files (recording, finished, file);
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
