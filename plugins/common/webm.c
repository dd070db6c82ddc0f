/* webm.c - the container of composed sound alone. */
#include "matroska.h"

static void *
webm_new (RecOutput *output, const RecSinkSetup *setup, const RecMuxerLimits *limits,
    RecError *error)
{
  return rec_matroska_new (output, setup->host, limits, NULL, error);
}

static void
webm_free (void *data)
{
  rec_matroska_free (data);
}

static bool
webm_add_track (void *data, const RecTrack *track, RecError *error)
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

static bool
webm_recover (RecOutput *output, const RecHost *host, RecError *error)
{
  RecMatroskaFacts facts;

  return rec_matroska_recover (output, host, &facts, error);
}

const RecMuxer rec_webm_muxer = {
  .ending = "webm",
  .media_type = "audio/webm",
  .new = webm_new,
  .add_track = webm_add_track,
  .write = webm_write,
  .end_track = webm_end_track,
  .finish = webm_finish,
  .free = webm_free,
  .recover = webm_recover,
};
