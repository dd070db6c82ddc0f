/* encoder.h - raw pictures or sound in, packets out, on a thread of its own behind a bounded queue. */
#ifndef REC_WORKER_ENCODER_H
#define REC_WORKER_ENCODER_H

#include <glib.h>
#include <gst/gst.h>
#include <recto/sink.h>
#include <stdbool.h>

/* What comes out; sinks with equal recipes share one encoder. */
typedef struct {
  uint32_t format; /* one REC_FORMAT_* */
  int width, height, frame_rate;
  char preset[32];
  int crf, max_bitrate; /* kbit/s */
  int keyframe_interval_ms;
  int audio_bitrate; /* kbit/s */
  int n_threads;     /* 0: chosen */
} RecEncoderRecipe;

/* A packet that several sinks may hold. */
typedef struct {
  RecPacket packet; /* data points into bytes */
  GBytes *bytes;
  bool is_video;
} RecEncodedPacket;

/* Holds bytes; its packet is to be filled in. */
RecEncodedPacket *rec_encoded_packet_new (GBytes *bytes, bool is_video);
RecEncodedPacket *rec_encoded_packet_ref (RecEncodedPacket *packet);
void rec_encoded_packet_unref (RecEncodedPacket *packet);

typedef struct RecEncoder RecEncoder;

/* On the encoder's thread. `track` comes once, before the first packet; its codec_data stays valid until free. */
typedef struct {
  void (*track) (RecEncoder *encoder, const RecTrack *track, void *data);
  void (*packet) (RecEncoder *encoder, RecEncodedPacket *packet, void *data); /* borrowed */
  void (*failed) (RecEncoder *encoder, const GError *error, void *data);
} RecEncoderEvents;

bool rec_encoder_is_video (const RecEncoderRecipe *recipe);
bool rec_encoder_recipe_equal (const RecEncoderRecipe *a, const RecEncoderRecipe *b);

/* caps: of the raw input; track_id: what its packets carry. */
RecEncoder *rec_encoder_new (const RecEncoderRecipe *recipe, GstCaps *caps, uint32_t track_id,
    const RecEncoderEvents *events, void *data, GError **error);
/* finish or not: waits for the thread. */
void rec_encoder_free (RecEncoder *encoder);

/* Takes the buffer, whose PTS and duration are file time; waits while the queue is full. */
void rec_encoder_push (RecEncoder *encoder, GstBuffer *buffer);
/* All that was pushed comes out before this returns. */
void rec_encoder_finish (RecEncoder *encoder);
/* [any] */
void rec_encoder_force_keyframe (RecEncoder *encoder);

#endif
