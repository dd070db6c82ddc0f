/* inspect.c - asks GStreamer what a file is. */
#define G_LOG_DOMAIN "rec.worker.inspect"
#include "worker/inspect.h"

#include <gst/pbutils/pbutils.h>

#define TIMEOUT (10 * GST_SECOND)

static bool
has_streams (GList *streams)
{
  const bool has = streams != NULL;

  gst_discoverer_stream_info_list_free (streams);
  return has;
}

void
rec_inspect_file (const char *path, RecFileFacts *facts)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = gst_filename_to_uri (path, &error);
  g_autoptr (GstDiscoverer) discoverer = uri != NULL ? gst_discoverer_new (TIMEOUT, &error) : NULL;
  g_autoptr (GstDiscovererInfo) info = NULL;

  *facts = (RecFileFacts){ 0 };
  if (discoverer != NULL)
    info = gst_discoverer_discover_uri (discoverer, uri, &error);
  if (info == NULL || error != NULL) {
    g_warning ("cannot look into '%s', reporting it without its duration: %s", path,
        error != NULL ? error->message : "no reason given");
    return;
  }
  facts->duration_ns = (int64_t) gst_discoverer_info_get_duration (info);
  facts->has_audio = has_streams (gst_discoverer_info_get_audio_streams (info));
  facts->has_video = has_streams (gst_discoverer_info_get_video_streams (info));
}
