/* ebml.h - elements of a WebM file: head, clusters, cues. */
#ifndef RECTO_MP4_EBML_H
#define RECTO_MP4_EBML_H

#include "bytes.h"

#define REC_WEBM_OPUS_HEAD_SIZE 19u /* mono or stereo */

/* A file starts with a head of constant size, so that the same bytes hold it while recording
 * (sizes unknown, gaps for what is missing) and afterwards: completing it is one write. It ends with
 * the OpusHead, of which all that it says about the track is made. */
#define REC_WEBM_HEAD_SIZE 266u
#define REC_WEBM_CLUSTER_HEADER_SIZE 22u

typedef struct RecWebmHead {
  const uint8_t *opus_head;
  double duration_ms; /* 0: still recording */
  uint64_t cues_offset, file_size;
} RecWebmHead;

void rec_webm_put_head (RecBytes *bytes, const RecWebmHead *head);

bool rec_webm_parse_head (const uint8_t head[REC_WEBM_HEAD_SIZE], uint8_t *opus_head,
    uint64_t *file_size); /* 0: still recording */

/* begin returns what end needs. */
size_t rec_webm_begin_cluster (RecBytes *bytes, uint64_t time_ms);
void rec_webm_put_block (RecBytes *bytes, int16_t time_ms, const void *data, uint32_t size);
void rec_webm_end_cluster (RecBytes *bytes, size_t begin);

/* These understand what is written above, and nothing else. */
typedef struct RecWebmBlock {
  int16_t time_ms; /* from the cluster's time on */
  const uint8_t *data;
  size_t size;
} RecWebmBlock;

bool rec_webm_parse_cluster_header (const uint8_t header[REC_WEBM_CLUSTER_HEADER_SIZE],
    uint64_t *size, uint64_t *time_ms);
bool rec_webm_take_block (const uint8_t **data, size_t *left, RecWebmBlock *block);

/* `points` is pairs of time and offset in the file, 8 bytes each. */
void rec_webm_put_cues (RecBytes *bytes, const RecBytes *points);

#endif
