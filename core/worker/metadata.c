/* metadata.c - NAME.json: which stream is in which file, and when. */
#define G_LOG_DOMAIN "rec.worker.metadata"
#include "worker/metadata.h"

#include "base/json.h"

#include <string.h>

#define NS_PER_MS 1000000

const RecTake *
rec_metadata_find_take (GPtrArray *takes, const char *stream, unsigned number)
{
  for (unsigned i = 0; takes != NULL && i < takes->len; i++) {
    const RecTake *take = takes->pdata[i];

    if (g_strcmp0 (take->stream, stream) == 0 && number-- == 0)
      return take;
  }
  return NULL;
}

const char *
rec_metadata_get_entry_name (const char *name, const char *file)
{
  const size_t length = strlen (name);

  return strncmp (file, name, length) == 0 && file[length] == '.' ? file + length + 1 : file;
}

/* What a player of the files must know; the keys are OpenVidu's. */
static json_object *
describe (const char *name, json_object *file, const RecTake *take)
{
  json_object *json = json_object_new_object ();
  const int64_t start_ns = rec_json_int_or (file, "startNs", take != NULL ? take->start_ns : 0);
  const int64_t end_ns =
      rec_json_int_or (file, "endNs", start_ns + rec_json_int_or (file, "durationNs", 0));
  const bool has_video = rec_json_bool_or (file, "hasVideo", false);

  rec_json_set_string (json, "name",
      rec_metadata_get_entry_name (name, rec_json_string_or (file, "name", "")));
  rec_json_set_string (json, "connectionId", take != NULL ? take->participant : "");
  rec_json_set_string (json, "streamId", rec_json_string_or (file, "stream", ""));
  rec_json_set_int (json, "size", rec_json_int_or (file, "size", 0));
  rec_json_set_string (json, "clientData", take != NULL ? take->client_data : "");
  rec_json_set_string (json, "serverData", take != NULL ? take->server_data : "");
  rec_json_set_bool (json, "hasAudio", rec_json_bool_or (file, "hasAudio", false));
  rec_json_set_bool (json, "hasVideo", has_video);
  if (has_video)
    rec_json_set_string (json, "typeOfVideo",
        take != NULL && *take->type_of_video != '\0' ? take->type_of_video : "CAMERA");
  rec_json_set_int (json, "startTimeOffset", start_ns / NS_PER_MS);
  rec_json_set_int (json, "endTimeOffset", end_ns / NS_PER_MS);
  return json;
}

/* By its begin: several sinks may have files of the same one. */
static const RecTake *
find_take_of (GPtrArray *takes, json_object *file, const char *stream)
{
  const int64_t start_ns = rec_json_int_or (file, "startNs", -1);

  for (unsigned i = 0; takes != NULL && i < takes->len; i++) {
    const RecTake *take = takes->pdata[i];

    if (take->start_ns == start_ns && g_strcmp0 (take->stream, stream) == 0)
      return take;
  }
  return NULL;
}

/* Files come in the order in which they were completed. */
static int
compare_starts (const void *a, const void *b)
{
  json_object *left = *(json_object *const *) a, *right = *(json_object *const *) b;
  const int64_t from = rec_json_int_or (left, "startTimeOffset", 0);
  const int64_t to = rec_json_int_or (right, "startTimeOffset", 0);

  return from < to ? -1 : from > to;
}

json_object *
rec_metadata_make (json_object *facts, json_object *files, GPtrArray *takes)
{
  const char *name = rec_json_string_or (facts, "name", "");
  json_object *metadata = json_object_new_object ();
  json_object *list = json_object_new_array ();

  rec_json_set_int (metadata, "createdAt", rec_json_int_or (facts, "createdAt", 0));
  rec_json_set_string (metadata, "id", rec_json_string_or (facts, "id", ""));
  rec_json_set_string (metadata, "name", name);
  rec_json_set_string (metadata, "sessionId", rec_json_string_or (facts, "sessionId", ""));
  for (size_t i = 0; i < json_object_array_length (files); i++) {
    json_object *file = json_object_array_get_idx (files, i);
    const char *stream = rec_json_string_or (file, "stream", NULL);

    if (stream != NULL)
      json_object_array_add (list, describe (name, file, find_take_of (takes, file, stream)));
  }
  json_object_array_sort (list, compare_starts);
  rec_json_take (metadata, "files", list);
  return metadata;
}

bool
rec_metadata_write (const char *directory, const char *name, json_object *metadata, GError **error)
{
  g_autofree char *base = g_strconcat (name, ".json", NULL);
  g_autofree char *path = g_build_filename (directory, base, NULL);
  const char *text = json_object_to_json_string_ext (metadata,
      JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

  return g_file_set_contents_full (path, text, -1,
      G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0640, error);
}
