/* webm.c - WebM and Matroska behind the interface of all muxers. */
#include "matroska.h"

static void *
webm_new (RecOutput *output, const RecSinkSetup *setup, const RecMuxerLimits *limits,
    RecError *error)
{
  return rec_matroska_new (output, setup->host, limits, error);
}

static void
webm_free (void *data)
{
  rec_matroska_free (data);
}

static bool
webm_add_track (void *data, const RecTrack *track, RecError *error)
{
  return rec_matroska_add_track (data, track, error);
}

static bool
webm_add_sound (void *data, const RecTrack *track, RecError *error)
{
  if (track->format != REC_FORMAT_OPUS)
    return rec_fail (error, REC_FAIL_UNSUPPORTED,
        "track %u: a WebM file of sound takes Opus, not format %#x", track->id, track->format);
  return rec_matroska_add_track (data, track, error);
}

static bool
webm_write (void *data, const RecPacket *packet, RecError *error)
{
  return rec_matroska_write (data, packet, error);
}

static bool
webm_end_track (void *data, uint32_t track_id, int64_t end_ns, RecError *error)
{
  return rec_matroska_end_track (data, track_id, end_ns, error);
}

static bool
webm_finish (void *data, RecError *error)
{
  return rec_matroska_finish (data, error);
}

static void
webm_describe (const void *data, const char **ending, const char **media_type)
{
  rec_matroska_describe (data, ending, media_type);
}

const RecMuxer rec_webm_muxer = {
  .ending = "webm",
  .media_type = "audio/webm",
  .new = webm_new,
  .add_track = webm_add_sound,
  .write = webm_write,
  .end_track = webm_end_track,
  .finish = webm_finish,
  .free = webm_free,
  .describe = webm_describe,
  .look = rec_matroska_look,
  .recover = rec_matroska_recover,
};

const RecMuxer rec_matroska_muxer = {
  .ending = "webm",
  .media_type = "video/webm",
  .new = webm_new,
  .add_track = webm_add_track,
  .write = webm_write,
  .end_track = webm_end_track,
  .finish = webm_finish,
  .free = webm_free,
  .describe = webm_describe,
  .look = rec_matroska_look,
  .recover = rec_matroska_recover,
};
