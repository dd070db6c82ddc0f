/* muxer.h - the containers behind the sinks: MP4, and WebM or Matroska. */
#ifndef RECTO_MP4_MUXER_H
#define RECTO_MP4_MUXER_H

#include "output.h"

typedef struct RecMuxerLimits {
  int64_t first_fragment_ns; /* recorded time until the first data is on disk */
  int64_t fragment_ns;       /* recorded time between two writes from then on */
  uint64_t reserve;          /* bytes to keep free at least */
  bool is_lazy;              /* does not force each write to the disk */

  /* Of a single stream: its tracks bear this name and may come at any time, and the file's time 0 is
   * that of its first packet. NULL: composed, file time is the recording's. */
  const char *stream_id;
} RecMuxerLimits;

#define REC_MUXER_MAX_STREAM_ID 200u

/* What the head of a file says, while it is recorded and afterwards. */
typedef struct RecMuxerFacts {
  const char *ending, *media_type;
  char stream_id[REC_MUXER_MAX_STREAM_ID + 1]; /* "": composed */
} RecMuxerFacts;

/* All calls but new, look and recover get what `new` returned. */
typedef struct RecMuxer {
  const char *ending; /* as long as nothing else is known */
  const char *media_type;

  void *(*new) (RecOutput *output, const RecSinkSetup *setup, const RecMuxerLimits *limits,
      RecError *error);
  bool (*add_track) (void *muxer, const RecTrack *track, RecError *error);
  bool (*write) (void *muxer, const RecPacket *packet, RecError *error);
  bool (*end_track) (void *muxer, uint32_t track_id, int64_t end_ns, RecError *error);

  /* Leaves a complete file. If there is not even room for its index, it leaves what is on disk
   * already, which plays too. Fails with REC_FAIL_NOT_FOUND if no packet was ever written. */
  bool (*finish) (void *muxer, RecError *error);
  void (*free) (void *muxer);

  /* What it has become. */
  void (*describe) (const void *muxer, const char **ending, const char **media_type);

  /* False: it is no file of ours, or not even its head is there. */
  bool (*look) (const char *directory, const char *file, RecMuxerFacts *facts);

  /* Completes a file cut anywhere, also one that `finish` or `recover` was working on. */
  bool (*recover) (RecOutput *output, const RecHost *host, RecError *error);
} RecMuxer;

extern const RecMuxer rec_mp4_muxer;
extern const RecMuxer rec_webm_muxer;     /* sound alone */
extern const RecMuxer rec_matroska_muxer; /* pictures too; Matroska if WebM cannot hold them */

#endif
