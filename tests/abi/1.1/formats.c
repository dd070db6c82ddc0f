/* formats.c - logs what the streams consist of that it is told of. */
#include <recto/sink.h>

static bool
formats_needs (const RecSinkSetup *setup, RecNeeds *needs, RecError *error)
{
  (void) setup;
  (void) error;
  needs->video_formats = REC_FORMAT_H264_ANNEXB | REC_FORMAT_VP8 | REC_FORMAT_VP9;
  needs->audio_formats = REC_FORMAT_OPUS;
  return true;
}

static void *
formats_open (const RecSinkSetup *setup, RecError *error)
{
  (void) error;
  return (void *) setup->host;
}

static bool
formats_add_track (void *sink, const RecTrack *track, RecError *error)
{
  const bool is_told = REC_HAS_FIELD (track, RecTrack, stream_formats);

  (void) error;
  rec_log ((const RecHost *) sink, REC_LOG_MESSAGE, "track %u of formats %#x", track->id,
      is_told ? track->stream_formats : 0);
  return true;
}

static bool
formats_write (void *sink, const RecPacket *packet, RecError *error)
{
  (void) sink;
  (void) packet;
  (void) error;
  return true;
}

static bool
formats_end_track (void *sink, uint32_t track_id, int64_t end_ns, RecError *error)
{
  (void) sink;
  (void) track_id;
  (void) end_ns;
  (void) error;
  return true;
}

static bool
formats_finish (void *sink, uint32_t why, RecError *error)
{
  (void) sink;
  (void) why;
  (void) error;
  return true;
}

static void
formats_close (void *sink)
{
  (void) sink;
}

static const RecSink formats = {
  .plugin.abi = REC_SINK_ABI,
  .plugin.id = "formats",
  .plugin.version = "1.0",
  .plugin.summary = "Says what streams consist of",
  .accepts = REC_MODE_INDIVIDUAL,
  .delivery = REC_DELIVERY_LIVE,
  .needs = formats_needs,
  .open = formats_open,
  .add_track = formats_add_track,
  .write = formats_write,
  .end_track = formats_end_track,
  .finish = formats_finish,
  .close = formats_close,
};
REC_REGISTER_PLUGIN (formats)
