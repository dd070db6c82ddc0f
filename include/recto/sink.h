/* sink.h - what a sink plugin offers: it takes encoded packets and makes files or streams of them.
 *
 * The rules on sizes, ownership and threads are in plugin.h. The order of calls:
 *
 *   needs                what the sink can take; may be called without an open
 *   open                 NULL and an error: no further call
 *     add_track ...      at least the tracks that are known; more may come later
 *     write ...          packets of all tracks mixed, each track in the order of dts
 *     add_track, end_track at any time in between
 *     finish             exactly once: NORMAL, or FAILED after any call returned false
 *   close                exactly once after a successful open
 *   recover              instead of all that: another process wrote, and died
 */
#ifndef RECTO_SINK_H
#define RECTO_SINK_H

#include <recto/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RecTrack.media */
enum {
  REC_MEDIA_VIDEO = 1,
  REC_MEDIA_AUDIO = 2,
};

/* RecTrack.codec */
enum {
  REC_CODEC_H264 = 1,
  REC_CODEC_VP8 = 2,
  REC_CODEC_AAC = 3,
  REC_CODEC_OPUS = 4,
  REC_CODEC_VP9 = 5, /* 1.1 */
};

/* How packets look: RecTrack.format is one of these, RecNeeds has sets of them.
 *
 *   format       one packet is                                     codec_data is
 *   H264_AVC     an access unit, each NAL unit behind 4 bytes of   the AVCDecoderConfigurationRecord
 *                big-endian length, no SPS or PPS inside           (content of an avcC box)
 *   H264_ANNEXB  an access unit with start codes, SPS and PPS in   nothing
 *                front of each keyframe
 *   VP8          a frame                                           nothing
 *   VP9          a frame (1.1)                                     nothing
 *   AAC_RAW      a raw_data_block of AAC LC, no ADTS               the AudioSpecificConfig
 *   OPUS         an Opus packet (RFC 6716)                         "OpusHead" (RFC 7845, 5.1) */
enum {
  REC_FORMAT_H264_AVC = 1u << 0,
  REC_FORMAT_H264_ANNEXB = 1u << 1,
  REC_FORMAT_VP8 = 1u << 2,
  REC_FORMAT_VP9 = 1u << 3, /* 1.1 */
  REC_FORMAT_AAC_RAW = 1u << 16,
  REC_FORMAT_OPUS = 1u << 17,
};

/* RecSink.accepts (a set) and RecSinkSetup.mode (one of them) */
enum {
  REC_MODE_COMPOSED = 1u << 0,   /* one video and one audio track, made by the worker */
  REC_MODE_INDIVIDUAL = 1u << 1, /* the tracks of each stream, as they were sent */
};

/* RecSink.delivery */
enum {
  REC_DELIVERY_LOSSLESS = 1, /* a full queue holds the recording up, to a bound, then it fails */
  REC_DELIVERY_LIVE = 2,     /* a full queue drops up to the next keyframe, and counts */
};

/* What the sink is to work for. Valid until close returns (needs, recover: until they return). */
typedef struct RecSinkSetup {
  uint32_t size;
  uint32_t mode; /* REC_MODE_COMPOSED or REC_MODE_INDIVIDUAL */
  const RecHost *host;
  const RecOptions *options;
  const char *recording_id; /* safe as part of a file name */
  const char *directory;    /* the recording's folder, absolute; it exists */
  const char *name;         /* of the file to make, without its ending; safe as a file name */
  uint32_t has_video;       /* 1: the recording has pictures */
  uint32_t has_audio;       /* 1: the recording has sound */
  int32_t width, height;    /* of the composed picture; 0: not known */
  int32_t frame_rate;       /* of the composed picture; 0: not known */
  uint32_t reserved;
} RecSinkSetup;

/* What the sink asks for; arrives with its size and else 0, which leaves the choice to the core.
 * Sinks with equal needs share one encoder. */
typedef struct RecNeeds {
  uint32_t size;
  uint32_t video_formats;     /* set of REC_FORMAT_*; 0: no video wanted */
  uint32_t audio_formats;     /* set of REC_FORMAT_*; 0: no audio wanted */
  uint32_t max_gop_ms;        /* longest time between two keyframes */
  uint32_t max_video_bitrate; /* bits per second, over some seconds */
  uint32_t max_audio_bitrate; /* bits per second */
  uint32_t audio_rate;        /* samples per second */
  uint32_t audio_channels;
} RecNeeds;

typedef struct RecTrack {
  uint32_t size;
  uint32_t id;           /* above 0, unique in the recording */
  uint32_t media;        /* REC_MEDIA_* */
  uint32_t codec;        /* REC_CODEC_* */
  uint32_t format;       /* one REC_FORMAT_* */
  int32_t width, height; /* video: pixels */
  uint32_t rate;         /* audio: samples per second */
  uint32_t channels;     /* audio */
  uint32_t codec_data_size;
  const char *stream_id;     /* NULL: composed */
  const uint8_t *codec_data; /* see the formats; NULL: none */

  /* Audio: how much of the decoder's first output is the encoder's priming. The sink has the player
   * cut it (edit list, CodecDelay), and what is left starts at the pts of the first packet: so what
   * a packet with pts p decodes to is heard from p - codec_delay_ns on. */
  int64_t codec_delay_ns;

  /* 1.1: set of REC_FORMAT_* of all tracks that this one's stream has now, of those too of which
   * nothing has come yet; 0: not known. */
  uint32_t stream_formats;
} RecTrack;

/* RecPacket.flags */
enum {
  REC_PACKET_KEYFRAME = 1u << 0, /* decoding can start here; set on all audio */
  REC_PACKET_DISCONT = 1u << 1,  /* something is missing between the packet before and this one */
};

/* Times are file time: 0 is where the recording starts. dts never decreases within a track; both
 * can be below 0 (reordering). duration_ns 0: until the next packet. */
typedef struct RecPacket {
  uint32_t size;
  uint32_t track_id;
  uint32_t flags; /* REC_PACKET_* */
  uint32_t data_size;
  int64_t pts_ns, dts_ns, duration_ns;
  const uint8_t *data;
} RecPacket;

/* `why` of finish */
enum {
  REC_FINISH_NORMAL = 1,
  REC_FINISH_FAILED = 2, /* keep what there is, in a state that plays */
};

/* All calls are required but recover. Those that return bool return false and fill in the error
 * when they fail; a LOSSLESS sink's failure ends the recording if the sink is a required one. */
typedef struct RecSink {
  RecPlugin plugin;  /* .abi = REC_SINK_ABI */
  uint32_t accepts;  /* set of REC_MODE_* */
  uint32_t delivery; /* REC_DELIVERY_* */

  /* What it can take for this setup. Touches no file. [sink, before open or without it] */
  bool (*needs) (const RecSinkSetup *setup, RecNeeds *needs, RecError *error);

  /* Starts; returns what the other calls get as `sink`, or NULL. [sink, new] */
  void *(*open) (const RecSinkSetup *setup, RecError *error);

  /* A track that packets will follow for. [sink, open] */
  bool (*add_track) (void *sink, const RecTrack *track, RecError *error);

  /* The next packet of a track. [sink, open] */
  bool (*write) (void *sink, const RecPacket *packet, RecError *error);

  /* No packet of this track follows; it ended at this file time. [sink, open] */
  bool (*end_track) (void *sink, uint32_t track_id, int64_t end_ns, RecError *error);

  /* Flush, fsync, give the final name, tell the host with add_file. `why` is REC_FINISH_*. Called
   * once, also after a failed call. [sink, open] */
  bool (*finish) (void *sink, uint32_t why, RecError *error);

  /* A writer of this recording died: finish what lies in the folder. May itself be interrupted and
   * is then called again; nothing to do is success. has_video, has_audio and the sizes of the setup
   * may be 0. NULL: nothing can be recovered. [sink, instead of open] */
  bool (*recover) (const RecSinkSetup *setup, RecError *error);

  /* Frees; called once after any successful open, last. [sink] */
  void (*close) (void *sink);
} RecSink;

#define REC_SINK_ABI                                                                               \
  {                                                                                                \
    sizeof (RecSink), REC_KIND_SINK, REC_ABI_MAJOR, REC_ABI_MINOR                                  \
  }

#ifdef __cplusplus
}
#endif

#endif
