/* muxer.h - the two containers behind the sink: MP4, and WebM for sound alone. */
#ifndef RECTO_MP4_MUXER_H
#define RECTO_MP4_MUXER_H

#include "output.h"

typedef struct RecMuxerLimits {
  int64_t first_fragment_ns; /* recorded time until the first data is on disk */
  int64_t fragment_ns;       /* recorded time between two writes from then on */
  uint64_t reserve;          /* bytes to keep free at least */
  bool is_lazy;              /* does not force each write to the disk */
} RecMuxerLimits;

/* All calls but new and recover get what `new` returned. */
typedef struct RecMuxer {
  const char *ending;
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

  /* Completes a file cut anywhere, also one that `finish` or `recover` was working on. */
  bool (*recover) (RecOutput *output, const RecHost *host, RecError *error);
} RecMuxer;

extern const RecMuxer rec_mp4_muxer;
extern const RecMuxer rec_webm_muxer;

#endif
