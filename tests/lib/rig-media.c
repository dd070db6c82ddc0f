/* rig-media.c - real packets from GStreamer's encoders, for sinks under test. */
#include "lib/sink-rig.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <string.h>

#define FRAME_RATE 30
#define SAMPLES_PER_BUFFER 480

static GBytes *
get_codec_data (GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  const GValue *value = gst_structure_get_value (structure, "codec_data");
  const GValue *headers = gst_structure_get_value (structure, "streamheader");
  GstBuffer *buffer;
  GstMapInfo map;
  GBytes *bytes;

  if (value == NULL && headers != NULL)
    value = gst_value_array_get_value (headers, 0);
  g_assert_nonnull (value);
  buffer = gst_value_get_buffer (value);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  bytes = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return bytes;
}

static int64_t
to_running_time (const GstSegment *segment, GstClockTime time)
{
  guint64 running_time = 0;
  int sign = gst_segment_to_running_time_full (segment, GST_FORMAT_TIME, time, &running_time);

  g_assert_cmpint (sign, !=, 0);
  return sign > 0 ? (int64_t) running_time : -(int64_t) running_time;
}

static RecRigPacket *
packet_new (GstSample *sample, uint32_t track_id)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const GstSegment *segment = gst_sample_get_segment (sample);
  RecRigPacket *packet = g_new0 (RecRigPacket, 1);
  GstMapInfo map;
  gsize size;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  packet->data = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  packet->packet = (RecPacket){
    .size = sizeof (RecPacket),
    .track_id = track_id,
    .flags = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT) ? 0 : REC_PACKET_KEYFRAME,
    .pts_ns = to_running_time (segment, GST_BUFFER_PTS (buffer)),
    .duration_ns = (int64_t) GST_BUFFER_DURATION (buffer),
  };
  packet->packet.dts_ns = GST_BUFFER_DTS_IS_VALID (buffer)
                              ? to_running_time (segment, GST_BUFFER_DTS (buffer))
                              : packet->packet.pts_ns;
  packet->packet.data = g_bytes_get_data (packet->data, &size);
  packet->packet.data_size = (uint32_t) size;
  return packet;
}

/* Runs a pipeline to its end and takes all its packets. */
static void
collect (RecRigMedia *media, const char *description, RecTrack track)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (description, &error);
  GstElement *appsink;
  GstSample *sample;
  unsigned index = media->n_tracks++;

  g_assert_no_error (error);
  appsink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  track.size = sizeof track;
  track.id = media->n_tracks;
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (appsink))) != NULL) {
    if (media->codec_data[index] == NULL)
      media->codec_data[index] = get_codec_data (gst_sample_get_caps (sample));
    g_ptr_array_add (media->packets, packet_new (sample, track.id));
    gst_sample_unref (sample);
  }
  g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (appsink)));
  g_assert_nonnull (media->codec_data[index]);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (appsink);
  gst_object_unref (pipeline);

  gsize size;
  track.codec_data = g_bytes_get_data (media->codec_data[index], &size);
  track.codec_data_size = (uint32_t) size;
  media->tracks[index] = track;
}

static gint
compare_dts (gconstpointer a, gconstpointer b)
{
  const RecRigPacket *first = *(const RecRigPacket *const *) a;
  const RecRigPacket *second = *(const RecRigPacket *const *) b;

  if (first->packet.dts_ns != second->packet.dts_ns)
    return first->packet.dts_ns < second->packet.dts_ns ? -1 : 1;
  return (int) first->packet.track_id - (int) second->packet.track_id;
}

RecRigMedia *
rec_rig_media_new (const char *video, const char *audio, int64_t duration_ns)
{
  RecRigMedia *media = g_new0 (RecRigMedia, 1);
  const double seconds = (double) duration_ns / 1e9;

  gst_init (NULL, NULL);
  media->packets = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_rig_packet_free);
  if (video != NULL) {
    g_autofree char *description = g_strdup_printf (
        "videotestsrc num-buffers=%d ! video/x-raw,width=160,height=120,framerate=%d/1 ! %s ! "
        "video/x-h264,stream-format=avc,alignment=au ! appsink name=out sync=false",
        (int) (seconds * FRAME_RATE), FRAME_RATE, video);

    collect (media, description,
        (RecTrack){ .media = REC_MEDIA_VIDEO,
            .codec = REC_CODEC_H264,
            .format = REC_FORMAT_H264_AVC,
            .width = 160,
            .height = 120 });
  }
  if (audio != NULL) {
    const bool is_opus = strstr (audio, "opus") != NULL;
    g_autofree char *description = g_strdup_printf (
        "audiotestsrc samplesperbuffer=%d num-buffers=%d ! audio/x-raw,rate=48000,channels=2 ! "
        "%s ! appsink name=out sync=false",
        SAMPLES_PER_BUFFER, (int) (seconds * 48000 / SAMPLES_PER_BUFFER), audio);

    collect (media, description,
        (RecTrack){ .media = REC_MEDIA_AUDIO,
            .codec = is_opus ? REC_CODEC_OPUS : REC_CODEC_AAC,
            .format = is_opus ? REC_FORMAT_OPUS : REC_FORMAT_AAC_RAW,
            .rate = 48000,
            .channels = 2 });
  }
  g_ptr_array_sort (media->packets, compare_dts);
  return media;
}

void
rec_rig_media_free (RecRigMedia *media)
{
  g_ptr_array_unref (media->packets);
  for (unsigned i = 0; i < G_N_ELEMENTS (media->codec_data); i++)
    g_clear_pointer (&media->codec_data[i], g_bytes_unref);
  g_free (media);
}
