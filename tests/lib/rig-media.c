/* rig-media.c - real packets from GStreamer's encoders, for sinks under test. */
#include "lib/sink-rig.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAME_RATE 30
#define RATE 48000
#define SAMPLES_PER_BUFFER 480

/* GStreamer runs in a child, which writes what it makes into a pipe: it fills GLib's tables for
 * good, which would look like a leak here. First the codec data, then packet by packet. */

static void
write_record (FILE *pipe, RecPacket packet, const void *data, gsize size)
{
  packet.data = NULL;
  packet.data_size = (uint32_t) size;
  if (fwrite (&packet, sizeof packet, 1, pipe) != 1 || fwrite (data, size, 1, pipe) != 1)
    g_error ("cannot hand over a packet");
}

static void
write_buffer (FILE *pipe, RecPacket packet, GstBuffer *buffer)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  write_record (pipe, packet, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
}

static void
write_codec_data (FILE *pipe, GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  const GValue *value = gst_structure_get_value (structure, "codec_data");
  const GValue *headers = gst_structure_get_value (structure, "streamheader");

  if (value == NULL && headers != NULL)
    value = gst_value_array_get_value (headers, 0);
  g_assert_nonnull (value);
  write_buffer (pipe, (RecPacket){ 0 }, gst_value_get_buffer (value));
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
write_packet (FILE *pipe, GstSample *sample)
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
  write_buffer (pipe, packet, buffer);
}

static void
run_encoder (const char *description, FILE *pipe)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline, *appsink;
  GstSample *sample;
  bool is_first = true;

  gst_init (NULL, NULL);
  pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  appsink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (appsink))) != NULL) {
    if (is_first)
      write_codec_data (pipe, gst_sample_get_caps (sample));
    is_first = false;
    write_packet (pipe, sample);
    gst_sample_unref (sample);
  }
  g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (appsink)));
  g_assert_cmpint (fclose (pipe), ==, 0);
}

static RecRigPacket *
read_record (FILE *pipe)
{
  g_autofree uint8_t *data = NULL;
  RecRigPacket *packet;
  RecPacket header;

  if (fread (&header, sizeof header, 1, pipe) != 1)
    return NULL;
  data = g_malloc (header.data_size);
  g_assert_cmpuint (fread (data, header.data_size, 1, pipe), ==, 1);
  packet = g_new0 (RecRigPacket, 1);
  packet->packet = header;
  packet->data = g_bytes_new_take (g_steal_pointer (&data), header.data_size);
  packet->packet.data = g_bytes_get_data (packet->data, NULL);
  return packet;
}

static void
read_track (RecRigMedia *media, FILE *pipe, RecTrack track)
{
  RecRigPacket *packet = read_record (pipe);

  g_assert_nonnull (packet);
  track.size = sizeof track;
  track.id = media->n_tracks + 1;
  track.codec_data = packet->packet.data;
  track.codec_data_size = packet->packet.data_size;
  media->codec_data[media->n_tracks] = g_bytes_ref (packet->data);
  media->tracks[media->n_tracks++] = track;
  rec_rig_packet_free (packet);
  while ((packet = read_record (pipe)) != NULL) {
    packet->packet.track_id = track.id;
    g_ptr_array_add (media->packets, packet);
  }
}

static void
collect (RecRigMedia *media, const char *description, RecTrack track)
{
  int fds[2], status = -1;
  FILE *pipe;
  pid_t child;

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  child = fork ();
  if (child == 0) {
    run_encoder (description, fdopen (fds[1], "w"));
    _exit (0);
  }
  close (fds[1]);
  pipe = fdopen (fds[0], "r");
  read_track (media, pipe, track);
  fclose (pipe);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
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

static RecRigMedia *
media_new (void)
{
  RecRigMedia *media = g_new0 (RecRigMedia, 1);

  media->packets = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_rig_packet_free);
  return media;
}

RecRigMedia *
rec_rig_media_new (const char *video_encoder, const char *wave, const char *audio_encoder,
    int64_t duration_ns)
{
  RecRigMedia *media = media_new ();

  if (video_encoder != NULL) {
    g_autofree char *description = g_strdup_printf (
        "videotestsrc num-buffers=%d ! "
        "video/x-raw,format=I420,width=160,height=120,framerate=%d/1 ! %s ! "
        "video/x-h264,stream-format=avc,alignment=au ! appsink name=out sync=false",
        (int) (duration_ns * FRAME_RATE / GST_SECOND), FRAME_RATE, video_encoder);

    collect (media, description,
        (RecTrack){ .media = REC_MEDIA_VIDEO,
            .codec = REC_CODEC_H264,
            .format = REC_FORMAT_H264_AVC,
            .width = 160,
            .height = 120 });
  }
  if (audio_encoder != NULL) {
    const bool is_opus = strstr (audio_encoder, "opus") != NULL;
    g_autofree char *description = g_strdup_printf (
        "audiotestsrc wave=%s samplesperbuffer=%d num-buffers=%d ! "
        "audio/x-raw,rate=%d,channels=2 ! audioconvert ! %s ! appsink name=out sync=false",
        wave, SAMPLES_PER_BUFFER,
        (int) (duration_ns / GST_MSECOND * RATE / 1000 / SAMPLES_PER_BUFFER), RATE, audio_encoder);

    collect (media, description,
        (RecTrack){ .media = REC_MEDIA_AUDIO,
            .codec = is_opus ? REC_CODEC_OPUS : REC_CODEC_AAC,
            .format = is_opus ? REC_FORMAT_OPUS : REC_FORMAT_AAC_RAW,
            .rate = RATE,
            .channels = 2 });
  }
  g_ptr_array_sort (media->packets, compare_dts);
  return media;
}

static void
add_synthetic (RecRigMedia *media, uint32_t track_id, int64_t time_ns, int64_t duration_ns,
    bool is_key, uint32_t number)
{
  RecRigPacket *packet = g_new0 (RecRigPacket, 1);
  char text[32];

  g_snprintf (text, sizeof text, "track %u packet %u", track_id, number);
  packet->data = g_bytes_new (text, strlen (text));
  packet->packet = (RecPacket){
    .size = sizeof (RecPacket),
    .track_id = track_id,
    .flags = is_key ? REC_PACKET_KEYFRAME : 0,
    .pts_ns = time_ns,
    .dts_ns = time_ns,
    .duration_ns = duration_ns,
    .data = g_bytes_get_data (packet->data, NULL),
    .data_size = (uint32_t) strlen (text),
  };
  g_ptr_array_add (media->packets, packet);
}

RecRigMedia *
rec_rig_media_new_synthetic (int64_t duration_ns)
{
  static const uint8_t avcc[] = { 1, 66, 192, 30, 0xff, 0xe1, 0, 2, 0x67, 66, 1, 0, 2, 0x68, 1 };
  static const uint8_t asc[] = { 0x11, 0x90 };
  const int64_t frame_ns = 40 * GST_MSECOND;
  RecRigMedia *media = media_new ();

  for (int64_t i = 0; i * frame_ns < duration_ns; i++)
    add_synthetic (media, 1, i * frame_ns, frame_ns, i % 25 == 0, (uint32_t) i);
  for (int64_t i = 0; i * 1024 * GST_SECOND / RATE < duration_ns; i++)
    add_synthetic (media, 2, i * 1024 * GST_SECOND / RATE, 1024 * GST_SECOND / RATE, true,
        (uint32_t) i);
  g_ptr_array_sort (media->packets, compare_dts);

  media->codec_data[0] = g_bytes_new_static (avcc, sizeof avcc);
  media->codec_data[1] = g_bytes_new_static (asc, sizeof asc);
  media->n_tracks = 2;
  media->tracks[0] = (RecTrack){ .size = sizeof (RecTrack),
    .id = 1,
    .media = REC_MEDIA_VIDEO,
    .codec = REC_CODEC_H264,
    .format = REC_FORMAT_H264_AVC,
    .width = 64,
    .height = 48,
    .codec_data = avcc,
    .codec_data_size = sizeof avcc };
  media->tracks[1] = (RecTrack){ .size = sizeof (RecTrack),
    .id = 2,
    .media = REC_MEDIA_AUDIO,
    .codec = REC_CODEC_AAC,
    .format = REC_FORMAT_AAC_RAW,
    .rate = RATE,
    .channels = 2,
    .codec_data = asc,
    .codec_data_size = sizeof asc };
  return media;
}

void
rec_rig_media_shift (RecRigMedia *media, uint32_t track_id, int64_t by_ns)
{
  for (guint i = 0; i < media->packets->len; i++) {
    RecRigPacket *packet = media->packets->pdata[i];

    if (packet->packet.track_id == track_id) {
      packet->packet.pts_ns += by_ns;
      packet->packet.dts_ns += by_ns;
    }
  }
  g_ptr_array_sort (media->packets, compare_dts);
}

void
rec_rig_media_free (RecRigMedia *media)
{
  g_ptr_array_unref (media->packets);
  for (unsigned i = 0; i < G_N_ELEMENTS (media->codec_data); i++)
    g_clear_pointer (&media->codec_data[i], g_bytes_unref);
  g_free (media);
}
