/* ebml.h - elements of a WebM or Matroska file: head, clusters, cues. */
#ifndef RECTO_PLUGINS_EBML_H
#define RECTO_PLUGINS_EBML_H

#include "bytes.h"

/* A file starts with a head of constant size, so that the same bytes hold it while recording
 * (sizes unknown, gaps for what is missing) and afterwards: completing it is one write, and so is
 * taking in a further track, or another document type. */
#define REC_WEBM_HEAD_SIZE 2048u
#define REC_WEBM_CLUSTER_HEADER_SIZE 22u
#define REC_WEBM_MAX_NAME 256u
#define REC_WEBM_MAX_PRIVATE 1024u /* bytes of codec data that the head has room for */

typedef struct RecWebmTrack {
  uint32_t number; /* 1 to 126 */
  uint32_t media;  /* REC_MEDIA_* */
  const char *codec;
  const char *name; /* NULL: none */
  size_t name_size; /* in a parsed track, where no 0 follows */
  const uint8_t *private_data;
  size_t private_size;
  uint64_t delay_ns;      /* audio: what the decoder puts out too much at first */
  uint32_t channels;      /* audio */
  uint32_t width, height; /* video */
} RecWebmTrack;

typedef struct RecWebmHead {
  bool is_matroska;       /* else WebM, the subset that browsers play */
  const RecBytes *tracks; /* made by rec_webm_put_track */
  double duration_ms;     /* 0: still recording */
  uint64_t cues_offset, file_size;
} RecWebmHead;

void rec_webm_put_track (RecBytes *tracks, const RecWebmTrack *track);
/* Understands number, media, name and delay of what is written above; moves behind it. */
bool rec_webm_take_track (const uint8_t **data, size_t *left, RecWebmTrack *track);

/* False: the tracks are too much for it. */
bool rec_webm_put_head (RecBytes *bytes, const RecWebmHead *head);
/* *tracks points into the head. */
bool rec_webm_parse_head (const uint8_t head[REC_WEBM_HEAD_SIZE], bool *is_matroska,
    const uint8_t **tracks, size_t *tracks_size, uint64_t *file_size); /* 0: still recording */

typedef struct RecWebmBlock {
  uint32_t track;  /* its number */
  int16_t time_ms; /* from the cluster's time on */
  bool is_key;
  const uint8_t *data;
  size_t size;
} RecWebmBlock;

/* begin returns what end needs. */
size_t rec_webm_begin_cluster (RecBytes *bytes, uint64_t time_ms);
void rec_webm_put_block (RecBytes *bytes, const RecWebmBlock *block);
void rec_webm_end_cluster (RecBytes *bytes, size_t begin);

/* These understand what is written above, and nothing else. */
bool rec_webm_parse_cluster_header (const uint8_t header[REC_WEBM_CLUSTER_HEADER_SIZE],
    uint64_t *size, uint64_t *time_ms);
bool rec_webm_take_block (const uint8_t **data, size_t *left, RecWebmBlock *block);

/* `points` is pairs of time and offset in the file, 8 bytes each. */
void rec_webm_put_cues (RecBytes *bytes, const RecBytes *points, uint32_t track, bool is_matroska);

#endif
