/* prepare.c - loads GStreamer's plugins before they are needed. */
#define G_LOG_DOMAIN "rec.worker.prepare"
#include "worker/prepare.h"

#include <gst/gst.h>

static const char *const elements[] = {
  "rtpvp8depay",
  "vp8dec",
  "rtpvp9depay",
  "vp9parse",
  "avdec_vp9",
  "rtph264depay",
  "h264parse",
  "avdec_h264",
  "rtpopusdepay",
  "audioconvert",
  "audioresample",
  "x264enc",
  "avenc_aac",
  "opusenc",
  "jpegenc",
  "capsfilter",
};

void
rec_prepare (void)
{
  gst_init (NULL, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (elements); i++) {
    GstElement *element = gst_element_factory_make (elements[i], NULL);

    if (element == NULL)
      g_warning ("GStreamer has no element '%s': recordings that need it will fail", elements[i]);
    else
      gst_object_unref (gst_object_ref_sink (element));
  }
}
