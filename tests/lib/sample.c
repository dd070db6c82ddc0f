/* sample.c - two seconds of picture and tone in one file, as browsers record them. */
#include "lib/sample.h"

#include <glib/gstdio.h>
#include <gst/gst.h>

#define H264 "x264enc tune=zerolatency speed-preset=ultrafast ! h264parse"

static const struct {
  const char *encoder, *muxer;
} kinds[N_SAMPLES] = {
  [SAMPLE_WEBM] = { "vp8enc deadline=1", "webmmux streamable=true" },
  [SAMPLE_MATROSKA] = { H264, "matroskamux streamable=true" },
  [SAMPLE_MP4] = { H264, "mp4mux" },
  [SAMPLE_FRAGMENTED_MP4] = { H264, "mp4mux fragment-duration=500" },
};

static void
run (const char *line)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);

  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage)
      end = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (end);
  g_assert_cmpint (GST_MESSAGE_TYPE (end), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

GBytes *
sample_make (SampleKind kind)
{
  g_autofree char *folder = g_dir_make_tmp ("recto-sample-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "sample", NULL);
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=30 ! video/x-raw,width=320,height=240,framerate=15/1 ! %s ! mux. "
      "audiotestsrc num-buffers=100 samplesperbuffer=960 ! audio/x-raw,rate=48000 ! opusenc ! mux. "
      "%s name=mux ! filesink location=%s",
      kinds[kind].encoder, kinds[kind].muxer, path);
  char *data;
  gsize size;

  run (line);
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return g_bytes_new_take (data, size);
}
