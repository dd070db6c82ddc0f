/* matroska-index.h - what is known of the clusters of a file; writer and recovery fill it in alike. */
#ifndef RECTO_PLUGINS_MATROSKA_INDEX_H
#define RECTO_PLUGINS_MATROSKA_INDEX_H

#include "ebml.h"
#include "output.h"

typedef struct RecMatroskaIndex {
  RecBytes cues; /* pairs of time and offset, 8 bytes each */
  uint64_t last_cue_ms;
  uint64_t n_clusters;
  double end_ms; /* of the last packet, as it is heard or seen */
} RecMatroskaIndex;

void rec_matroska_index_clear (RecMatroskaIndex *index);
void rec_matroska_index_note (RecMatroskaIndex *index, uint64_t offset, uint64_t time_ms,
    double end_ms, bool is_entry);

/* The later of two ends: the one so far, and that of this packet. */
double rec_matroska_get_end_ms (double end_ms, const RecWebmTrack *track, double time_ms,
    const uint8_t *data, size_t size);

/* Appends the cues, syncs, then completes the head by one write; fills in sizes and offsets of it. */
bool rec_matroska_index_complete (const RecMatroskaIndex *index, RecOutput *output,
    RecWebmHead *head, uint32_t cue_track, RecError *error);

#endif
