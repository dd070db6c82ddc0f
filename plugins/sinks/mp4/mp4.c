/* mp4.c - the sink that makes one file per recording: NAME.mp4, or NAME.webm for sound alone.
 *
 * While it records, the file is NAME.mp4.part and can be cut anywhere: a crash costs no more than
 * what came since the last fragment. Files are described in common/mp4-boxes.h and common/webm.c.
 */
#include "common/muxer.h"

#include <stdlib.h>

#define NS_PER_MS INT64_C (1000000)
#define FIRST_FRAGMENT_MS 100

typedef struct Mp4Sink {
  const RecMuxer *type;
  void *muxer;
  RecOutput *output;
} Mp4Sink;

static bool
mp4_needs (const RecSinkSetup *setup, RecNeeds *needs, RecError *error)
{
  if (!setup->has_video && !setup->has_audio)
    return rec_fail (error, REC_FAIL_INVALID, "a file needs video, audio or both");
  if (setup->has_video) {
    needs->video_formats = REC_FORMAT_H264_AVC;
    needs->max_gop_ms = 2000; /* how far a player has to go back when it seeks */
  }
  if (setup->has_audio) {
    needs->audio_formats = setup->has_video ? REC_FORMAT_AAC_RAW : REC_FORMAT_OPUS;
    needs->audio_rate = 48000;
    needs->audio_channels = 2;
  }
  return true;
}

static void
mp4_close (void *data)
{
  Mp4Sink *sink = data;

  if (sink->muxer != NULL)
    sink->type->free (sink->muxer);
  rec_output_free (sink->output);
  free (sink);
}

static bool
start (Mp4Sink *sink, const RecSinkSetup *setup, RecError *error)
{
  const RecOptions *options = setup->options;
  const int64_t fragment_ms = options->get_int (options, "fragment-ms");
  const RecMuxerLimits limits = {
    .first_fragment_ns = FIRST_FRAGMENT_MS * NS_PER_MS,
    .fragment_ns = fragment_ms * NS_PER_MS,
    .reserve = (uint64_t) options->get_int (options, "reserve-kb") * 1024,
  };

  sink->output =
      rec_output_create (setup, sink->type->ending, options->get_bool (options, "sync"), error);
  if (sink->output == NULL)
    return false;
  sink->muxer = sink->type->new (sink->output, setup, &limits, error);
  if (sink->muxer == NULL)
    rec_output_discard (sink->output);
  return sink->muxer != NULL;
}

static void *
mp4_open (const RecSinkSetup *setup, RecError *error)
{
  Mp4Sink *sink = calloc (1, sizeof *sink);

  if (sink == NULL) {
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
    return NULL;
  }
  sink->type = setup->has_video ? &rec_mp4_muxer : &rec_webm_muxer;
  if (start (sink, setup, error))
    return sink;
  mp4_close (sink);
  return NULL;
}

static bool
mp4_add_track (void *data, const RecTrack *track, RecError *error)
{
  Mp4Sink *sink = data;

  return sink->type->add_track (sink->muxer, track, error);
}

static bool
mp4_write (void *data, const RecPacket *packet, RecError *error)
{
  Mp4Sink *sink = data;

  return sink->type->write (sink->muxer, packet, error);
}

static bool
mp4_end_track (void *data, uint32_t track_id, int64_t end_ns, RecError *error)
{
  Mp4Sink *sink = data;

  return sink->type->end_track (sink->muxer, track_id, end_ns, error);
}

static bool
mp4_finish (void *data, uint32_t why, RecError *error)
{
  Mp4Sink *sink = data;
  RecError reason = { 0 };

  (void) why; /* a failed recording deserves no worse a file */
  if (sink->type->finish (sink->muxer, &reason))
    return rec_output_commit (sink->output, sink->type->media_type, error);
  if (reason.code == REC_FAIL_NOT_FOUND)
    rec_output_discard (sink->output);
  return rec_fail (error, reason.code, "%s", reason.message);
}

/* True if there was something of this type; `done` says whether it is a complete file now. */
static bool
recover_type (const RecMuxer *type, const RecSinkSetup *setup, bool *done, RecError *error)
{
  RecError reason = { 0 };
  const bool sync = setup->options->get_bool (setup->options, "sync");
  RecOutput *output = rec_output_reopen (setup, type->ending, sync, &reason);

  if (output == NULL && reason.code == REC_FAIL_NOT_FOUND)
    return (*done = rec_output_is_complete (setup, type->ending, type->media_type));
  if (output == NULL)
    *done = rec_fail (error, reason.code, "%s", reason.message);
  else
    *done = type->recover (output, setup->host, error) &&
            rec_output_commit (output, type->media_type, error);
  rec_output_free (output);
  return true;
}

static bool
mp4_recover (const RecSinkSetup *setup, RecError *error)
{
  bool done = false;

  if (recover_type (&rec_mp4_muxer, setup, &done, error) ||
      recover_type (&rec_webm_muxer, setup, &done, error))
    return done;
  return rec_fail (error, REC_FAIL_NOT_FOUND, "there is no file of '%s' in '%s'",
      setup->recording_id, setup->directory);
}

static const RecOption *const mp4_options[] = {
  REC_OPTION_INT (0, "fragment-ms", "500",
      "Milliseconds of recording between two writes: what a crash may cost", 100, 1000),
  REC_OPTION_INT (0, "reserve-kb", "4096",
      "Kilobytes kept free so that a file can be completed on a full disk; grows with "
      "the recording (0: none)",
      0, 1048576),
  REC_OPTION_BOOL (0, "sync", "true",
      "Force data to the disk with each write, against power failures too"),
  REC_OPTION_END,
};

static const RecSink mp4 = {
  .plugin.abi = REC_SINK_ABI,
  .plugin.id = "mp4",
  .plugin.version = "1.0",
  .plugin.summary = "One MP4 file, or WebM for sound alone",
  .plugin.options = mp4_options,
  .accepts = REC_MODE_COMPOSED,
  .delivery = REC_DELIVERY_LOSSLESS,
  .needs = mp4_needs,
  .open = mp4_open,
  .add_track = mp4_add_track,
  .write = mp4_write,
  .end_track = mp4_end_track,
  .finish = mp4_finish,
  .recover = mp4_recover,
  .close = mp4_close,
};
REC_REGISTER_PLUGIN (mp4)
