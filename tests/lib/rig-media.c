/* rig-media.c - packets for sinks under test, real and synthetic. */
#include "lib/sink-rig.h"

#include <gio/gio.h>
#include <string.h>

#define FRAME_RATE 30
#define RATE 48000
#define SAMPLES_PER_BUFFER 480
#define SECOND G_GINT64_CONSTANT (1000000000)

/* The next record of what the tool writes; NULL at the end. */
static RecRigPacket *
read_record (GBytes *output, gsize *offset)
{
  const uint8_t *data = g_bytes_get_data (output, NULL);
  RecRigPacket *packet;

  if (*offset == g_bytes_get_size (output))
    return NULL;
  g_assert_cmpuint (*offset + sizeof (RecPacket), <=, g_bytes_get_size (output));
  packet = g_new0 (RecRigPacket, 1);
  memcpy (&packet->packet, data + *offset, sizeof packet->packet);
  *offset += sizeof packet->packet;
  packet->data = g_bytes_new_from_bytes (output, *offset, packet->packet.data_size);
  packet->packet.data = g_bytes_get_data (packet->data, NULL);
  *offset += packet->packet.data_size;
  return packet;
}

static void
read_track (RecRigMedia *media, GBytes *output, RecTrack track)
{
  gsize offset = 0;
  RecRigPacket *packet = read_record (output, &offset);

  g_assert_nonnull (packet);
  track.size = sizeof track;
  track.id = media->n_tracks + 1;
  track.codec_data = packet->packet.data;
  track.codec_data_size = packet->packet.data_size;
  media->codec_data[media->n_tracks] = g_bytes_ref (packet->data);
  media->tracks[media->n_tracks++] = track;
  rec_rig_packet_free (packet);
  while ((packet = read_record (output, &offset)) != NULL) {
    packet->packet.track_id = track.id;
    g_ptr_array_add (media->packets, packet);
  }
}

/* GStreamer runs in a process of its own, tests/tools/encode: it fills GLib's tables for good, which
 * would look like a leak here. */
static void
collect (RecRigMedia *media, const char *description, RecTrack track)
{
  g_autofree char *tool = g_build_filename (REC_BUILD_DIR, "tests/tools/encode", NULL);
  g_autoptr (GSubprocessLauncher)
      launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GBytes) output = NULL;

  g_subprocess_launcher_setenv (launcher, "ASAN_OPTIONS", "detect_leaks=0", TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, tool, description, NULL);
  g_assert_no_error (error);
  g_subprocess_communicate (process, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_successful (process));
  read_track (media, output, track);
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

static void
collect_video (RecRigMedia *media, const char *encoder, int64_t duration_ns)
{
  const bool is_vp8 = strstr (encoder, "vp8") != NULL, is_vp9 = strstr (encoder, "vp9") != NULL;
  const bool is_annexb = strstr (encoder, "byte-stream") != NULL;
  g_autofree char *description =
      g_strdup_printf ("videotestsrc num-buffers=%d ! "
                       "video/x-raw,format=I420,width=160,height=120,framerate=%d/1 ! %s ! "
                       "%s ! appsink name=out sync=false",
          (int) (duration_ns * FRAME_RATE / SECOND), FRAME_RATE, encoder,
          is_vp8      ? "video/x-vp8"
          : is_vp9    ? "video/x-vp9"
          : is_annexb ? "video/x-h264,stream-format=byte-stream,alignment=au"
                      : "video/x-h264,stream-format=avc,alignment=au");

  collect (media, description,
      (RecTrack){ .media = REC_MEDIA_VIDEO,
          .codec = is_vp8   ? REC_CODEC_VP8
                   : is_vp9 ? REC_CODEC_VP9
                            : REC_CODEC_H264,
          .format = is_vp8      ? REC_FORMAT_VP8
                    : is_vp9    ? REC_FORMAT_VP9
                    : is_annexb ? REC_FORMAT_H264_ANNEXB
                                : REC_FORMAT_H264_AVC,
          .width = 160,
          .height = 120 });
}

RecRigMedia *
rec_rig_media_new (const char *video_encoder, const char *wave, const char *audio_encoder,
    int64_t duration_ns)
{
  RecRigMedia *media = media_new ();

  if (video_encoder != NULL)
    collect_video (media, video_encoder, duration_ns);
  if (audio_encoder != NULL) {
    const bool is_opus = strstr (audio_encoder, "opus") != NULL;
    g_autofree char *description = g_strdup_printf (
        "audiotestsrc wave=%s samplesperbuffer=%d num-buffers=%d ! "
        "audio/x-raw,rate=%d,channels=2 ! audioconvert ! %s ! appsink name=out sync=false",
        wave, SAMPLES_PER_BUFFER, (int) (duration_ns / 1000000 * RATE / 1000 / SAMPLES_PER_BUFFER),
        RATE, audio_encoder);

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
  const int64_t frame_ns = SECOND / 25;
  RecRigMedia *media = media_new ();

  for (int64_t i = 0; i * frame_ns < duration_ns; i++)
    add_synthetic (media, 1, i * frame_ns, frame_ns, i % 25 == 0, (uint32_t) i);
  for (int64_t i = 0; i * 1024 * SECOND / RATE < duration_ns; i++)
    add_synthetic (media, 2, i * 1024 * SECOND / RATE, 1024 * SECOND / RATE, true, (uint32_t) i);
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
