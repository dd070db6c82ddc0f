/* passage.h - one track's RTP packets -> depayload -> packets as sinks take them. One thread at a time. [streaming]
 *
 * Packets wait until their time comes, as those that are decoded do: so what is ordered for a time takes effect then. */
#ifndef REC_WORKER_PASSAGE_H
#define REC_WORKER_PASSAGE_H

#include "worker/command.h"

#include <glib.h>
#include <gst/gst.h>
#include <stdbool.h>

typedef struct RecPassage RecPassage;

/* As in RecTrack. */
typedef struct {
  uint32_t media, codec, format;
  int width, height;
  uint32_t rate, channels;
  const uint8_t *codec_data;
  uint32_t codec_data_size;
  int64_t codec_delay_ns;
} RecPassageFormat;

/* packet: bytes are borrowed, pts_ns is absolute, flags are REC_PACKET_*; the first one of pictures is a keyframe. */
typedef struct {
  void (*packet) (const RecPassageFormat *format, GBytes *bytes, int64_t pts_ns, uint32_t flags,
      void *data);
  void (*keyframe_wanted) (void *data); /* throttled; from any thread */
  void (*note) (const char *text, void *data);
} RecPassageEvents;

/* command adds the track. NULL when its codec cannot be passed on; that is noted. Closed at first. */
RecPassage *rec_passage_new (const RecCommand *command, const RecPassageEvents *events, void *data);
void rec_passage_free (RecPassage *passage);

/* What comes while it is closed is dropped, and pictures go on with a keyframe. */
void rec_passage_set_open (RecPassage *passage, bool is_open);
/* The packet is borrowed. */
void rec_passage_push (RecPassage *passage, GstBuffer *rtp, int64_t pts_ns, bool is_discont);
uint32_t rec_passage_get_format (const RecPassage *passage); /* one REC_FORMAT_* */
int64_t rec_passage_get_bytes (const RecPassage *passage);   /* that wait */
/* Hands on what has a time before until_ns (absolute). */
void rec_passage_run (RecPassage *passage, int64_t until_ns);

#endif
