/* sink-rig.h - a sink plugin under test: loaded from the build, with a host that takes notes. */
#ifndef RECTO_TESTS_SINK_RIG_H
#define RECTO_TESTS_SINK_RIG_H

#include <glib.h>
#include <recto/sink.h>

typedef struct RecSinkRig {
  const RecSink *plugin;
  RecSinkSetup setup; /* change it before the sink is opened */
  RecHost host;
  RecOptions options;
  GHashTable *values; /* options that differ from their defaults: key -> text */
  char *directory;    /* of its own, removed at the end */
  void *sink;         /* after rec_sink_rig_open */
  RecError error;     /* of the last call that failed */

  /* what the sink told its host */
  GPtrArray *files; /* "PATH TYPE", "PATH TYPE STREAM" */
  GPtrArray *log;
  int64_t stored_ns;
  unsigned n_progress;
} RecSinkRig;

/* One packet with its own copy of the data. */
typedef struct RecRigPacket {
  RecPacket packet;
  GBytes *data;
} RecRigPacket;

/* `file` is absolute or below the build's folder: "plugins/mp4.so". */
RecSinkRig *rec_sink_rig_new (const char *file);
void rec_sink_rig_free (RecSinkRig *rig);

void rec_sink_rig_set (RecSinkRig *rig, const char *option, const char *value);
void rec_sink_rig_open (RecSinkRig *rig); /* aborts when it fails */
void rec_sink_rig_close (RecSinkRig *rig);
char *rec_sink_rig_path (RecSinkRig *rig, const char *name);

/* Calls that must succeed. */
void rec_sink_rig_add_track (RecSinkRig *rig, const RecTrack *track);
void rec_sink_rig_finish (RecSinkRig *rig);

/* Calls whose answer the test looks at. */
bool rec_sink_rig_write (RecSinkRig *rig, const RecPacket *packet);
bool rec_sink_rig_write_all (RecSinkRig *rig, GPtrArray *packets); /* RecRigPacket */

void rec_rig_packet_free (RecRigPacket *packet);

/* Packets in the order of their dts, and what the tracks are; it owns what those borrow. */
typedef struct RecRigMedia {
  GPtrArray *packets; /* RecRigPacket */
  RecTrack tracks[2];
  unsigned n_tracks;
  GBytes *codec_data[2];
} RecRigMedia;

/* Real ones from GStreamer's encoders: pictures of 160x120@30, and a sound that audiotestsrc calls
 * `wave`. An encoder that is NULL makes no track; H.264 has start codes when the encoder's description
 * says "byte-stream". */
RecRigMedia *rec_rig_media_new (const char *video_encoder, const char *wave,
    const char *audio_encoder, int64_t duration_ns);

/* Small ones of noise, which no decoder takes: a frame each 40 ms, AAC packets of 1024 samples. */
RecRigMedia *rec_rig_media_new_synthetic (int64_t duration_ns);

/* Moves all packets of a track in time. */
void rec_rig_media_shift (RecRigMedia *media, uint32_t track_id, int64_t by_ns);
void rec_rig_media_free (RecRigMedia *media);

/* Opens the sink, adds all tracks, writes all packets. */
void rec_sink_rig_record (RecSinkRig *rig, RecRigMedia *media);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecSinkRig, rec_sink_rig_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecRigMedia, rec_rig_media_free)

#endif
