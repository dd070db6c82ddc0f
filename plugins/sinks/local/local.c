/* local.c - the sink that keeps each stream as it was sent: a file per stream, nothing transcoded.
 *
 * NAME.STREAM.webm holds VP8 or VP9 and Opus, NAME.STREAM.mkv or .mp4 H.264 and Opus. A stream that ended and comes
 * back makes NAME.STREAM-1.webm, and so on. While it records, a file is called ...webm.part and can
 * be cut anywhere; its head says which stream it is of, so that recover finds out by itself. */
#include "names.h"

#include "common/muxer.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C (1000000)
#define FIRST_CLUSTER_MS 100
#define MAX_OPEN_FILES 500u

typedef struct File {
  char *stream_id;
  RecOutput *output;
  const RecMuxer *type;
  void *muxer;
  uint32_t tracks[2]; /* their ids */
  uint32_t n_tracks, n_ended;
} File;

typedef struct Local {
  const RecSinkSetup *setup;
  RecMuxerLimits limits;
  bool makes_mp4; /* of H.264 */
  LocalNames names;
  File *files[MAX_OPEN_FILES];
  uint32_t n_files;
} Local;

static bool
local_needs (const RecSinkSetup *setup, RecNeeds *needs, RecError *error)
{
  (void) error;
  if (setup->has_video)
    needs->video_formats = REC_FORMAT_VP8 | REC_FORMAT_VP9 | REC_FORMAT_H264_ANNEXB;
  if (setup->has_audio)
    needs->audio_formats = REC_FORMAT_OPUS;
  return true;
}

static void *
local_open (const RecSinkSetup *setup, RecError *error)
{
  const RecOptions *options = setup->options;
  Local *local = calloc (1, sizeof *local);

  if (local == NULL) {
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
    return NULL;
  }
  local->setup = setup;
  local->limits = (RecMuxerLimits){
    .first_fragment_ns = FIRST_CLUSTER_MS * NS_PER_MS,
    .fragment_ns = options->get_int (options, "fragment-ms") * NS_PER_MS,
    .reserve = (uint64_t) options->get_int (options, "reserve-kb") * 1024,
    .is_lazy = !options->get_bool (options, "sync"),
  };
  local->makes_mp4 = strcmp (options->get_string (options, "h264-container"), "mp4") == 0;
  return local;
}

/* --- files --------------------------------------------------------------------------------------- */

static void
free_file (File *file)
{
  if (file->muxer != NULL)
    file->type->free (file->muxer);
  rec_output_free (file->output);
  free (file->stream_id);
  free (file);
}

static void
remove_file (Local *local, File *file)
{
  for (uint32_t i = 0; i < local->n_files; i++) {
    if (local->files[i] == file)
      local->files[i] = local->files[--local->n_files];
  }
  free_file (file);
}

static bool
commit (RecOutput *output, const char *ending, const char *media_type, const char *stream_id,
    RecError *error)
{
  if (!rec_output_set_final (output, ending, stream_id))
    return rec_fail (error, REC_FAIL_OTHER, "out of memory");
  return rec_output_commit (output, media_type, error);
}

/* A file in which nothing came is no file. */
static bool
finish_file (Local *local, File *file, RecError *error)
{
  const char *ending, *media_type;
  RecError reason = { 0 };
  bool done;

  local->setup->host->progress (local->setup->host, 0);
  file->type->describe (file->muxer, &ending, &media_type);
  if (file->type->finish (file->muxer, &reason))
    done = commit (file->output, ending, media_type, file->stream_id, error);
  else
    done = reason.code == REC_FAIL_NOT_FOUND || rec_fail (error, reason.code, "%s", reason.message);
  if (reason.code == REC_FAIL_NOT_FOUND)
    rec_output_discard (file->output);
  remove_file (local, file);
  return done;
}

static bool
open_file (Local *local, File *file, RecError *error)
{
  RecSinkSetup setup = *local->setup;
  RecMuxerLimits limits = local->limits;
  char *name = local_names_make (&local->names, setup.name, file->stream_id);

  if (name == NULL)
    return rec_fail (error, REC_FAIL_OTHER, "out of memory");
  setup.name = name;
  file->output = rec_output_create (&setup, LOCAL_PART_ENDING, true, error);
  free (name);
  if (file->output == NULL)
    return false;
  limits.stream_id = file->stream_id;
  file->muxer = file->type->new (file->output, &setup, &limits, error);
  if (file->muxer == NULL)
    rec_output_discard (file->output);
  return file->muxer != NULL;
}

/* Sound mostly comes before the first picture, so that the first track tells what will come. */
static const RecMuxer *
choose_type (const Local *local, const RecTrack *track)
{
  uint32_t formats = track->format;

  if (REC_HAS_FIELD (track, RecTrack, stream_formats))
    formats |= track->stream_formats;
  return local->makes_mp4 && (formats & REC_FORMAT_H264_ANNEXB) != 0 ? &rec_mp4_muxer
                                                                     : &rec_matroska_muxer;
}

static File *
add_file (Local *local, const RecTrack *track, RecError *error)
{
  File *file = calloc (1, sizeof *file);

  if (file != NULL)
    file->type = choose_type (local, track);
  if (file != NULL && (file->stream_id = strdup (track->stream_id)) != NULL &&
      open_file (local, file, error))
    return local->files[local->n_files++] = file;
  if (file == NULL || file->stream_id == NULL)
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
  if (file != NULL)
    free_file (file);
  return NULL;
}

static File *
find_stream (Local *local, const char *stream_id)
{
  for (uint32_t i = 0; i < local->n_files; i++) {
    if (strcmp (local->files[i]->stream_id, stream_id) == 0)
      return local->files[i];
  }
  return NULL;
}

static File *
find_track (Local *local, uint32_t id)
{
  for (uint32_t i = 0; i < local->n_files; i++) {
    for (uint32_t j = 0; j < local->files[i]->n_tracks; j++) {
      if (local->files[i]->tracks[j] == id)
        return local->files[i];
    }
  }
  return NULL;
}

/* --- tracks and packets -------------------------------------------------------------------------- */

/* What one publisher sends must not cost the recording: a track that no file can hold is left out. */
static bool
leave_out (Local *local, const RecTrack *track, const char *why)
{
  rec_log (local->setup->host, REC_LOG_WARNING, "track %u of stream '%s' is left out: %s",
      track->id, track->stream_id != NULL ? track->stream_id : "", why);
  return true;
}

static bool
local_add_track (void *sink, const RecTrack *track, RecError *error)
{
  Local *local = sink;
  RecError reason = { 0 };
  File *file;

  if (track->stream_id == NULL || *track->stream_id == '\0')
    return rec_fail (error, REC_FAIL_INVALID, "track %u is of no stream", track->id);
  if (strlen (track->stream_id) > REC_MUXER_MAX_STREAM_ID)
    return leave_out (local, track, "the stream's id is too long");
  file = find_stream (local, track->stream_id);
  if (file == NULL && local->n_files == MAX_OPEN_FILES)
    return leave_out (local, track, "there are too many streams");
  if (file == NULL && (file = add_file (local, track, error)) == NULL)
    return false;
  if (!file->type->add_track (file->muxer, track, &reason)) {
    leave_out (local, track, reason.message);
    return file->n_tracks > 0 || finish_file (local, file, error);
  }
  file->tracks[file->n_tracks++] = track->id;
  return true;
}

static bool
local_write (void *sink, const RecPacket *packet, RecError *error)
{
  File *file = find_track (sink, packet->track_id);

  return file == NULL || file->type->write (file->muxer, packet, error);
}

static bool
local_end_track (void *sink, uint32_t track_id, int64_t end_ns, RecError *error)
{
  File *file = find_track (sink, track_id);

  if (file == NULL)
    return true;
  if (!file->type->end_track (file->muxer, track_id, end_ns, error))
    return false;
  return ++file->n_ended < file->n_tracks || finish_file (sink, file, error);
}

/* --- the end ------------------------------------------------------------------------------------- */

static bool
local_finish (void *sink, uint32_t why, RecError *error)
{
  Local *local = sink;
  bool done = true;

  (void) why;
  /* On a full disk the reserves together are what the last one needs. */
  while (local->n_files > 0)
    done &= finish_file (local, local->files[0], error);
  return done;
}

static void
local_close (void *sink)
{
  Local *local = sink;

  while (local->n_files > 0)
    remove_file (local, local->files[0]);
  local_names_clear (&local->names);
  free (local);
}

/* --- recovery ------------------------------------------------------------------------------------ */

/* One that is empty is removed; one that is damaged stays as it is. */
static void
recover_part (const RecSinkSetup *setup, const LocalFile *found)
{
  RecSinkSetup own = *setup;
  RecMuxerFacts facts = { 0 };
  const RecMuxer *type = local_names_look (setup, found, &facts);
  RecError error = { 0 };
  RecOutput *output;

  if (facts.ending != NULL && facts.stream_id[0] == '\0')
    return; /* another recording's, of sound alone */
  own.name = found->base;
  setup->host->progress (setup->host, 0);
  output = rec_output_reopen (&own, LOCAL_PART_ENDING, true, &error);
  if (output != NULL && type->recover (output, setup->host, &error)) {
    if (facts.ending != NULL)
      commit (output, facts.ending, facts.media_type, facts.stream_id, &error);
    else
      rec_fail (&error, REC_FAIL_INVALID, "cannot be recovered: its head is damaged");
  } else if (output != NULL && error.code == REC_FAIL_NOT_FOUND)
    rec_output_discard (output);
  if (error.code != 0)
    rec_log (setup->host, error.code == REC_FAIL_NOT_FOUND ? REC_LOG_DEBUG : REC_LOG_WARNING,
        "'%s': %s", found->base, error.message);
  rec_output_free (output);
}

static bool
local_recover (const RecSinkSetup *setup, RecError *error)
{
  LocalFile *files;
  size_t n_files;

  if (!local_names_list (setup, &files, &n_files, error))
    return false;
  for (size_t i = 0; i < n_files; i++) {
    if (files[i].is_part)
      recover_part (setup, &files[i]);
    else
      local_names_report (setup, &files[i]);
  }
  local_names_free_list (files, n_files);
  return true;
}

static const char *const containers[] = { "mkv", "mp4", NULL };

static const RecOption *const local_options[] = {
  REC_OPTION_CHOICE (REC_OPTION_REQUEST, "h264-container", "mkv",
      "What streams with H.264 are kept in: mkv or mp4", containers),
  REC_OPTION_INT (0, "fragment-ms", "500",
      "Milliseconds of recording between two writes: what a crash may cost", 100, 1000),
  REC_OPTION_INT (0, "reserve-kb", "256",
      "Kilobytes kept free for each stream so that its file can be completed on a full disk (0: "
      "none)",
      0, 1048576),
  REC_OPTION_BOOL (0, "sync", "false",
      "Force data to the disk with each write, against power failures too; costs much with many "
      "streams"),
  REC_OPTION_END,
};

static const RecSink local_sink = {
  .plugin.abi = REC_SINK_ABI,
  .plugin.id = "local",
  .plugin.version = "1.0",
  .plugin.summary = "Each stream as it was sent, in a file of its own",
  .plugin.options = local_options,
  .accepts = REC_MODE_INDIVIDUAL,
  .delivery = REC_DELIVERY_LOSSLESS,
  .needs = local_needs,
  .open = local_open,
  .add_track = local_add_track,
  .write = local_write,
  .end_track = local_end_track,
  .finish = local_finish,
  .recover = local_recover,
  .close = local_close,
};
REC_REGISTER_PLUGIN (local_sink)
