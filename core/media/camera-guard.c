/* camera-guard.c - takes redirections out of what IP cameras answer, before rtspsrc follows them.
 *
 * rtspsrc has no switch for that, and connects elsewhere before it tells anybody. But it shows every answer to the
 * "RTSP extensions" among GStreamer's elements first: this is one, of this process only. */
#define G_LOG_DOMAIN "rec.media.camera-guard"
#include "media/camera-guard.h"

#include <gst/gst.h>
#include <gst/rtsp/gstrtspextension.h>

typedef struct {
  GstElement parent;
} RecCameraGuard;

typedef struct {
  GstElementClass parent;
} RecCameraGuardClass;

static GType rec_camera_guard_get_type (void);
static void rec_camera_guard_extend (GstRTSPExtensionInterface *interface);

G_DEFINE_TYPE_WITH_CODE (RecCameraGuard, rec_camera_guard, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_RTSP_EXTENSION, rec_camera_guard_extend))

static GstRTSPResult
after_send (GstRTSPExtension *extension G_GNUC_UNUSED, GstRTSPMessage *request G_GNUC_UNUSED,
    GstRTSPMessage *answer)
{
  GstRTSPStatusCode *status = &answer->type_data.response.code;

  if (*status < GST_RTSP_STS_MULTIPLE_CHOICES || *status >= GST_RTSP_STS_BAD_REQUEST)
    return GST_RTSP_OK;
  g_info ("an IP camera names another place, which is not followed");
  gst_rtsp_message_remove_header (answer, GST_RTSP_HDR_LOCATION, -1);
  *status = GST_RTSP_STS_FORBIDDEN; /* as which it fails at once */
  return GST_RTSP_OK;
}

static void
rec_camera_guard_extend (GstRTSPExtensionInterface *interface)
{
  interface->after_send = after_send;
}

static void
rec_camera_guard_class_init (RecCameraGuardClass *class)
{
  /* By its class rtspsrc finds it. */
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "Camera guard",
      "Network/Extension/Protocol", "Takes redirections out of RTSP answers", "Recto");
}

static void
rec_camera_guard_init (RecCameraGuard *guard G_GNUC_UNUSED)
{
}

void
rec_camera_guard_install (void)
{
  if (!gst_element_register (NULL, "reccameraguard", GST_RANK_PRIMARY,
          rec_camera_guard_get_type ()))
    g_warning ("IP cameras may redirect us: GStreamer does not take our RTSP extension");
}
