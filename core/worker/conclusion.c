/* conclusion.c - what lies beside the sinks' files in the end: metadata of the streams, time line. */
#define G_LOG_DOMAIN "rec.worker.conclusion"
#include "worker/conclusion.h"

#include "base/json.h"
#include "worker/metadata.h"
#include "worker/report.h"

#include <sys/stat.h>

static json_object *
make_facts (const RecSetup *setup, int64_t created_at_ms)
{
  const RecRecorderRecipe *recorder = &setup->recorder;
  json_object *facts = json_object_new_object ();

  rec_json_set_string (facts, "id", setup->id);
  rec_json_set_string (facts, "name", setup->name);
  rec_json_set_string (facts, "sessionId", setup->session_id);
  rec_json_set_int (facts, "createdAt", created_at_ms);
  if (recorder->has_video) {
    rec_json_set_int (facts, "width", recorder->width);
    rec_json_set_int (facts, "height", recorder->height);
    rec_json_set_int (facts, "frameRate", recorder->frame_rate);
    rec_json_set_string (facts, "layout", recorder->layout_name);
  }
  return facts;
}

RecChronicle *
rec_conclusion_begin (const RecSetup *setup, int64_t created_at_ms)
{
  return rec_chronicle_new (setup->directory, setup->id, make_facts (setup, created_at_ms),
      setup->timeline_bytes);
}

/* A file of ours that is there. */
static void
add_file (const RecSetup *setup, json_object *files, const char *ending)
{
  g_autofree char *name = g_strconcat (setup->name, ending, NULL);
  g_autofree char *path = g_build_filename (setup->directory, name, NULL);
  json_object *file;
  struct stat info;

  if (stat (path, &info) != 0 || !S_ISREG (info.st_mode))
    return;
  file = json_object_new_object ();
  rec_json_set_string (file, "name", name);
  rec_json_set_string (file, "mediaType", "application/json");
  rec_json_set_int (file, "size", info.st_size);
  rec_json_set_int (file, "durationNs", 0);
  rec_json_set_bool (file, "hasAudio", false);
  rec_json_set_bool (file, "hasVideo", false);
  json_object_array_add (files, file);
}

static bool
takes_streams (GPtrArray *sinks)
{
  for (unsigned i = 0; i < sinks->len; i++)
    if (rec_sink_runner_get_mode (sinks->pdata[i]) == REC_MODE_INDIVIDUAL)
      return true;
  return false;
}

static void
tell (void (*note) (const char *text), const GError *error)
{
  g_autofree char *text = g_strdup_printf ("no metadata: %s", error->message);

  note (text);
}

/* Who has recorded it knows it all, whatever the disk had room for. */
static void
remember (const RecSetup *setup, int64_t created_at_ms, RecRecorder *recorder,
    RecChronicleRecord *record)
{
  GPtrArray *takes = rec_recorder_get_takes (recorder);

  record->facts = make_facts (setup, created_at_ms);
  record->takes = takes != NULL ? g_ptr_array_ref (takes) : g_ptr_array_new ();
}

json_object *
rec_conclusion_make_files (const RecSetup *setup, int64_t created_at_ms, RecRecorder *recorder,
    GPtrArray *sinks, void (*note) (const char *text), void (*gets_on) (void))
{
  g_autoptr (GError) no_metadata = NULL, no_timeline = NULL;
  RecChronicleRecord record;
  json_object *files;

  if (recorder == NULL)
    rec_chronicle_read (setup->directory, setup->id, &record);
  else
    remember (setup, created_at_ms, recorder, &record);
  files = rec_report_describe_files (setup, recorder, record.takes, sinks, gets_on);
  if (takes_streams (sinks)) {
    g_autoptr (RecJson) metadata = rec_metadata_make (record.facts, files, record.takes);

    if (record.facts != NULL &&
        !rec_metadata_write (setup->directory, setup->name, metadata, &no_metadata))
      tell (note, no_metadata);
    add_file (setup, files, ".json");
  }
  if (record.facts != NULL &&
      !rec_chronicle_publish (setup->directory, setup->id, setup->name, &no_timeline))
    tell (note, no_timeline);
  add_file (setup, files, ".timeline.json");
  rec_chronicle_record_clear (&record);
  return files;
}
