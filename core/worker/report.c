/* report.c - puts into messages what recorder and sinks know. */
#define G_LOG_DOMAIN "rec.worker.report"
#include "worker/report.h"

#include "base/json.h"
#include "worker/individual.h"
#include "worker/inspect.h"
#include "worker/metadata.h"
#include "worker/sink-runner.h"

#include <sys/stat.h>

#define NOTED_REPEATED_FRACTION 20 /* a page's repeated pictures are told of above one in so many */

json_object *
rec_report_make_stats (const RecRecorderStats *stats)
{
  json_object *message = json_object_new_object ();

  rec_json_set_double (message, "seconds", (double) stats->file_ns / 1e9);
  rec_json_set_int (message, "framesOut", (int64_t) stats->frames_out);
  rec_json_set_int (message, "framesRepeated", (int64_t) stats->frames_repeated);
  rec_json_set_int (message, "packetsIn", (int64_t) stats->packets_in);
  rec_json_set_int (message, "packetsDropped", (int64_t) stats->packets_dropped);
  if (stats->page_frames > 0) {
    rec_json_set_int (message, "pageFrames", (int64_t) stats->page_frames);
    rec_json_set_int (message, "pageFramesRepeated", (int64_t) stats->page_frames_repeated);
  }
  return message;
}

static int64_t
get_size (const char *path)
{
  struct stat info;

  return stat (path, &info) == 0 ? (int64_t) info.st_size : 0;
}

/* A sink may also write text about the recording. */
static bool
is_media (const RecSinkFile *file)
{
  return g_str_has_prefix (file->media_type, "video/") ||
         g_str_has_prefix (file->media_type, "audio/");
}

/* How many files of the same stream come before this one. */
static unsigned
get_number (GPtrArray *files, unsigned index)
{
  const RecSinkFile *file = files->pdata[index];
  unsigned number = 0;

  for (unsigned i = 0; i < index; i++)
    number += g_strcmp0 (((RecSinkFile *) files->pdata[i])->stream_id, file->stream_id) == 0;
  return number;
}

static void
look_at_take (json_object *json, RecFileFacts *facts, const RecTake *take)
{
  const int64_t end_ns = take->end_ns;

  *facts = (RecFileFacts){ end_ns - take->start_ns, take->has_audio, take->has_video };
  rec_json_set_int (json, "startNs", take->start_ns);
  rec_json_set_int (json, "endNs", end_ns);
}

static json_object *
describe_file (const RecSetup *setup, RecRecorder *recorder, GPtrArray *takes, RecSinkRunner *sink,
    const RecSinkFile *file, unsigned number)
{
  const RecTake *take =
      file->stream_id != NULL ? rec_metadata_find_take (takes, file->stream_id, number) : NULL;
  g_autofree char *path = g_build_filename (setup->directory, file->path, NULL);
  json_object *json = json_object_new_object ();
  RecFileFacts facts = { 0 };

  if (is_media (file) && take != NULL && take->end_ns >= 0)
    look_at_take (json, &facts, take);
  else if (is_media (file) && file->stream_id == NULL && recorder != NULL &&
           rec_sink_runner_get_state (sink) == REC_SINK_DONE)
    facts = (RecFileFacts){ rec_recorder_get_duration_ns (recorder), setup->recorder.has_audio,
      setup->recorder.has_video };
  else if (is_media (file))
    rec_inspect_file (path, &facts);
  if (take != NULL && take->end_ns < 0) { /* cut short: it lasts as long as its file */
    rec_json_set_int (json, "startNs", take->start_ns);
    rec_json_set_int (json, "endNs", take->start_ns + facts.duration_ns);
  }
  rec_json_set_string (json, "name", file->path);
  rec_json_set_string (json, "mediaType", file->media_type);
  rec_json_set_int (json, "size", get_size (path));
  rec_json_set_int (json, "durationNs", facts.duration_ns);
  rec_json_set_bool (json, "hasAudio", facts.has_audio);
  rec_json_set_bool (json, "hasVideo", facts.has_video);
  if (file->stream_id != NULL)
    rec_json_set_string (json, "stream", file->stream_id);
  return json;
}

json_object *
rec_report_describe_files (const RecSetup *setup, RecRecorder *recorder, GPtrArray *takes,
    GPtrArray *sinks, void (*gets_on) (void))
{
  json_object *array = json_object_new_array ();

  for (unsigned i = 0; i < sinks->len; i++) {
    g_autoptr (GPtrArray) files = rec_sink_runner_dup_files (sinks->pdata[i]);

    for (unsigned j = 0; j < files->len; j++) {
      json_object_array_add (array, describe_file (setup, recorder, takes, sinks->pdata[i],
                                        files->pdata[j], get_number (files, j)));
      gets_on ();
    }
  }
  return array;
}

/* NULL: nothing. */
static char *
describe_miss (RecSinkRunner *sink)
{
  const uint64_t n_dropped = rec_sink_runner_get_dropped (sink);

  if (!rec_sink_runner_is_over (sink))
    return g_strdup_printf ("sink '%s' did not finish in time and was left behind",
        rec_sink_runner_get_id (sink));
  if (n_dropped > 0)
    return g_strdup_printf ("sink '%s' was too slow: it missed %" G_GUINT64_FORMAT " packets",
        rec_sink_runner_get_id (sink), n_dropped);
  return NULL;
}

GPtrArray *
rec_report_list_misses (RecRecorder *recorder, GPtrArray *sinks)
{
  GPtrArray *misses = g_ptr_array_new_with_free_func (g_free);
  RecRecorderStats stats = { 0 };

  for (unsigned i = 0; i < sinks->len; i++) {
    char *miss = describe_miss (sinks->pdata[i]);

    if (miss != NULL)
      g_ptr_array_add (misses, miss);
  }
  if (recorder != NULL)
    rec_recorder_get_stats (recorder, &stats);
  if (stats.frames_repeated > 0)
    g_ptr_array_add (misses,
        g_strdup_printf ("the machine was too slow for %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                         " pictures, which repeat the one before",
            stats.frames_repeated, stats.frames_out));
  if (stats.page_frames_repeated * NOTED_REPEATED_FRACTION > stats.frames_out)
    g_ptr_array_add (misses, g_strdup_printf ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                                              " pictures were repeated: the "
                                              "page stood still, or the machine is too slow for it",
                                 stats.page_frames_repeated, stats.frames_out));
  return misses;
}
