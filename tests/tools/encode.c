/* encode.c - runs the encoder that is described as a GStreamer pipeline with an appsink called "out",
 * and writes its packets to standard output: RecPacket, data, RecPacket, data, ... The first is none,
 * its data is the codec data. */
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <recto/sink.h>
#include <stdio.h>

static void
write_record (RecPacket packet, const void *data, gsize size)
{
  packet.data = NULL;
  packet.data_size = (uint32_t) size;
  if (fwrite (&packet, sizeof packet, 1, stdout) != 1 || fwrite (data, 1, size, stdout) != size)
    g_error ("cannot hand over a packet");
}

static void
write_buffer (RecPacket packet, GstBuffer *buffer)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  write_record (packet, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
}

static void
write_codec_data (GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  const GValue *value = gst_structure_get_value (structure, "codec_data");
  const GValue *headers = gst_structure_get_value (structure, "streamheader");

  if (value == NULL && headers != NULL)
    value = gst_value_array_get_value (headers, 0);
  if (value != NULL)
    write_buffer ((RecPacket){ 0 }, gst_value_get_buffer (value));
  else
    write_record ((RecPacket){ 0 }, "", 0);
}

static int64_t
to_running_time (const GstSegment *segment, GstClockTime time)
{
  guint64 running_time = 0;
  int sign = gst_segment_to_running_time_full (segment, GST_FORMAT_TIME, time, &running_time);

  g_assert_cmpint (sign, !=, 0);
  return sign > 0 ? (int64_t) running_time : -(int64_t) running_time;
}

static void
write_packet (GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const GstSegment *segment = gst_sample_get_segment (sample);
  const bool is_delta = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  RecPacket packet = {
    .size = sizeof (RecPacket),
    .flags = is_delta ? 0 : REC_PACKET_KEYFRAME,
    .pts_ns = to_running_time (segment, GST_BUFFER_PTS (buffer)),
    .duration_ns = (int64_t) GST_BUFFER_DURATION (buffer),
  };

  packet.dts_ns = GST_BUFFER_DTS_IS_VALID (buffer)
                      ? to_running_time (segment, GST_BUFFER_DTS (buffer))
                      : packet.pts_ns;
  write_buffer (packet, buffer);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline, *appsink;
  GstSample *sample;
  bool is_first = true;

  gst_init (&argc, &argv);
  if (argc != 2)
    g_error ("usage: encode PIPELINE");
  pipeline = gst_parse_launch (argv[1], &error);
  g_assert_no_error (error);
  appsink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (appsink))) != NULL) {
    if (is_first)
      write_codec_data (gst_sample_get_caps (sample));
    is_first = false;
    write_packet (sample);
    gst_sample_unref (sample);
  }
  g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (appsink)));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (appsink);
  gst_object_unref (pipeline);
  return fclose (stdout) != 0;
}
