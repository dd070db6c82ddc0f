/* pack.c - puts the files of single streams and their metadata into NAME.zip. */
#define G_LOG_DOMAIN "rec.worker.pack"
#include "worker/pack.h"

#include "base/json.h"
#include "worker/metadata.h"
#include "worker/zip.h"

#include <string.h>
#include <sys/stat.h>

#define PROGRESS_US (G_USEC_PER_SEC / 2)

struct RecPack {
  RecPackEvents events;
  char *name, *path;  /* of the ZIP */
  GPtrArray *entries; /* of RecZipEntry */
  RecZipRecipe recipe;
  int64_t told_us;
  GError *error;
  GThread *thread;
};

static void
tell_progress (int64_t n_bytes, void *data)
{
  RecPack *pack = data;
  const int64_t now_us = g_get_monotonic_time ();

  if (now_us - pack->told_us < PROGRESS_US)
    return;
  pack->told_us = now_us;
  pack->events.progress (n_bytes, pack->events.data);
}

static void *
run (void *data)
{
  RecPack *pack = data;

  rec_zip_write (pack->path, pack->entries, &pack->recipe, &pack->error);
  pack->events.over (pack->events.data);
  return NULL;
}

/* Metadata come first: who reads the ZIP from its beginning knows what will come. */
static void
choose_entries (RecPack *pack, const RecSetup *setup, json_object *files)
{
  g_autofree char *metadata = g_strconcat (setup->name, ".json", NULL);

  for (int is_stream = 0; is_stream <= 1; is_stream++)
    for (size_t i = 0; i < json_object_array_length (files); i++) {
      json_object *file = json_object_array_get_idx (files, i);
      const char *name = rec_json_string_or (file, "name", "");
      g_autofree char *path = g_build_filename (setup->directory, name, NULL);

      if (is_stream == 0 && strcmp (name, metadata) == 0)
        g_ptr_array_add (pack->entries, rec_zip_entry_new (path, name));
      if (is_stream == 1 && rec_json_has (file, "stream"))
        g_ptr_array_add (pack->entries,
            rec_zip_entry_new (path, rec_metadata_get_entry_name (setup->name, name)));
    }
}

RecPack *
rec_pack_new (const RecSetup *setup, json_object *files, const RecPackEvents *events)
{
  RecPack *pack;

  if (!setup->is_individual)
    return NULL;
  pack = g_new0 (RecPack, 1);
  pack->events = *events;
  pack->name = g_strconcat (setup->name, ".zip", NULL);
  pack->path = g_build_filename (setup->directory, pack->name, NULL);
  pack->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_zip_entry_free);
  pack->recipe = (RecZipRecipe){ .deflates = setup->zip_deflates,
    .timeout_ms = setup->zip_timeout_ms,
    .spare_bytes = setup->zip_spare_bytes,
    .progress = tell_progress,
    .data = pack };
  choose_entries (pack, setup, files);
  pack->thread = g_thread_new ("pack", run, pack);
  return pack;
}

static void
join (RecPack *pack)
{
  if (pack->thread != NULL)
    g_thread_join (pack->thread);
  pack->thread = NULL;
}

void
rec_pack_free (RecPack *pack)
{
  if (pack == NULL)
    return;
  join (pack);
  g_ptr_array_unref (pack->entries);
  g_clear_error (&pack->error);
  g_free (pack->name);
  g_free (pack->path);
  g_free (pack);
}

char *
rec_pack_take (RecPack *pack, json_object *files)
{
  json_object *file;
  struct stat info;

  join (pack);
  if (pack->error != NULL)
    return g_strdup_printf ("the streams are not in a ZIP, but in files of their own: %s",
        pack->error->message);
  file = json_object_new_object ();
  rec_json_set_string (file, "name", pack->name);
  rec_json_set_string (file, "mediaType", "application/zip");
  rec_json_set_int (file, "size", stat (pack->path, &info) == 0 ? info.st_size : 0);
  rec_json_set_int (file, "durationNs", 0);
  rec_json_set_bool (file, "hasAudio", false);
  rec_json_set_bool (file, "hasVideo", false);
  json_object_array_add (files, file);
  return NULL;
}
