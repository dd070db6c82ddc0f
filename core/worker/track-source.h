/* track-source.h - one track's packets -> depayload -> decode: its current picture, or its sound.
 *
 * Packets wait here and are decoded when their time comes: that keeps encoded packets in memory instead of pictures. */
#ifndef REC_WORKER_TRACK_SOURCE_H
#define REC_WORKER_TRACK_SOURCE_H

#include "worker/mixer.h"

#include <glib.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdbool.h>

/* Codecs of a captured page: whole pictures of H.264 with start codes, and samples of 16 bits in two channels at the
 * track's clock rate; no RTP. */
#define REC_CODEC_PAGE_VIDEO "page-h264"
#define REC_CODEC_PAGE_AUDIO "page-pcm"

typedef struct RecTrackSource RecTrackSource;

typedef struct {
  uint32_t id;
  bool is_video;
  char codec[32];
  int payload_type, clock_rate;
  const char *fmtp; /* borrowed during new */
  const char *stream_id;
  int64_t start_ns; /* file time 0 */
  int64_t max_ms;   /* what may wait, 0: any */
  int64_t max_bytes;
} RecTrackRecipe;

/* A decoded picture; the buffer is NULL before the first one. */
typedef struct {
  GstBuffer *buffer;
  GstVideoInfo info;
  uint64_t serial; /* another one for each picture */
} RecPicture;

typedef struct {
  uint64_t packets_in, packets_dropped;
} RecTrackStats;

/* Please ask the publisher for a keyframe; throttled. [any] */
typedef void (*RecKeyframeWanted) (uint32_t track_id, void *data);

/* What a depayloader wants to know of its packets; fmtp as in SDP, or NULL. New reference. */
GstCaps *rec_track_make_caps (const char *encoding, bool is_video, int payload_type, int clock_rate,
    const char *fmtp);

/* What decodes a codec, as gst_parse_launch takes it; NULL when the codec is not known. The benchmark asks, too. */
const char *rec_track_source_describe (const char *codec, bool is_video);

RecTrackSource *rec_track_source_new (const RecTrackRecipe *recipe, RecKeyframeWanted wanted,
    void *data, GError **error);
void rec_track_source_free (RecTrackSource *track);

/* Takes the RTP packet; pts_ns is absolute. */
void rec_track_source_push (RecTrackSource *track, GstBuffer *rtp, int64_t pts_ns, bool is_discont);
/* What waits here. */
int64_t rec_track_source_get_bytes (const RecTrackSource *track);
bool rec_track_source_has_due (RecTrackSource *track, int64_t until_ns);
/* Decodes what has a time up to until_ns (absolute). [any, one thread at a time] */
void rec_track_source_decode (RecTrackSource *track, int64_t until_ns);

uint32_t rec_track_source_get_id (const RecTrackSource *track);
bool rec_track_source_is_video (const RecTrackSource *track);
const RecPicture *rec_track_source_get_picture (const RecTrackSource *track);
RecAudioQueue *rec_track_source_get_audio (RecTrackSource *track);
void rec_track_source_get_stats (const RecTrackSource *track, RecTrackStats *stats);
/* Why it is given up, once; NULL otherwise. */
char *rec_track_source_take_failure (RecTrackSource *track);

#endif
