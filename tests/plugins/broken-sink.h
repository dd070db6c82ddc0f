/* broken-sink.h - a sink that throws everything away; who includes it replaces one call. */
#ifndef RECTO_TESTS_BROKEN_SINK_H
#define RECTO_TESTS_BROKEN_SINK_H

#include <recto/sink.h>

#include <stdlib.h>

static inline bool
sink_needs (const RecSinkSetup *setup, RecNeeds *needs, RecError *error)
{
  (void) error;
  if (setup->has_video)
    needs->video_formats = REC_FORMAT_H264_AVC;
  if (setup->has_audio)
    needs->audio_formats = REC_FORMAT_AAC_RAW | REC_FORMAT_OPUS;
  return true;
}

static inline void *
sink_open (const RecSinkSetup *setup, RecError *error)
{
  (void) setup;
  (void) error;
  return malloc (1);
}

static inline bool
sink_add_track (void *sink, const RecTrack *track, RecError *error)
{
  (void) sink;
  (void) track;
  (void) error;
  return true;
}

static inline bool
sink_write (void *sink, const RecPacket *packet, RecError *error)
{
  (void) sink;
  (void) packet;
  (void) error;
  return true;
}

static inline bool
sink_end_track (void *sink, uint32_t track_id, int64_t end_ns, RecError *error)
{
  (void) sink;
  (void) track_id;
  (void) end_ns;
  (void) error;
  return true;
}

static inline bool
sink_finish (void *sink, uint32_t why, RecError *error)
{
  (void) sink;
  (void) why;
  (void) error;
  return true;
}

static inline void
sink_close (void *sink)
{
  free (sink);
}

#define BROKEN_SINK(name, open_call, write_call, finish_call)                                      \
  {                                                                                                \
    .plugin.abi = REC_SINK_ABI, .plugin.id = (name), .accepts = REC_MODE_COMPOSED,                 \
    .delivery = REC_DELIVERY_LIVE, .needs = sink_needs, .open = (open_call),                       \
    .add_track = sink_add_track, .write = (write_call), .end_track = sink_end_track,               \
    .finish = (finish_call), .close = sink_close,                                                  \
  }

#endif
