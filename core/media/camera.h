/* camera.h - plays an IP camera (RTSP) into a publisher: connects, repacks, comes back when it was lost.
 *
 * Functions are [main]. Pipelines are built and taken down on threads of the host, so none blocks. */
#ifndef REC_MEDIA_CAMERA_H
#define REC_MEDIA_CAMERA_H

#include "base/types.h"
#include "media/publisher.h"
#include "media/router.h"

#include <glib.h>

typedef struct RecCameraHost RecCameraHost;

/* What all cameras share. config is read now and not kept. */
RecCameraHost *rec_camera_host_new (const RecConfig *config, int64_t base_time_ns, GError **error);
/* Those that are still being opened are told so. Waits for their pipelines to be gone. */
void rec_camera_host_free (RecCameraHost *host);

/* Called once, later: with a camera that is the caller's, or with an error. */
void rec_camera_open (RecCameraHost *host, const RecCameraSource *source,
    RecCameraCallback callback, void *data);

/* Once, when it was away for too long; the camera is to be closed then or later. */
typedef void (*RecCameraLost) (const char *why, void *data);

/* From now on what it sends goes to this publisher, which is told its formats. */
void rec_camera_publish (RecCamera *camera, RecPublisher *publisher, RecCameraLost lost,
    void *data);

#endif
