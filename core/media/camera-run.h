/* camera-run.h - one connection to an IP camera: its pipeline, from RTSP to packets that browsers understand.
 *
 * A run is made on the main thread, works on others, and tells of itself on the main thread. No GStreamer type here. */
#ifndef REC_MEDIA_CAMERA_RUN_H
#define REC_MEDIA_CAMERA_RUN_H

#include "base/types.h"
#include "media/publisher.h"

#include <glib.h>

/* How its URI is parsed: strictly, because what is read leniently is read otherwise by whoever connects. */
#define REC_CAMERA_URI_FLAGS                                                                       \
  (G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH | G_URI_FLAGS_ENCODED_QUERY)

typedef struct RecCameraRun RecCameraRun;

/* [main] none comes after rec_camera_run_stop. */
typedef struct {
  void (*ready) (void *data); /* every track has sent something */
  void (*failed) (const char *why, void *data);
} RecCameraRunEvents;

typedef struct {
  const GUri *uri;
  const char *address; /* where its host is; NULL: whoever connects shall look */
  int cache_ms, timeout_ms;
  int64_t base_time_ns;
  const RecTrackFormat
      *formats; /* of each kind (audio, video) those of the run before, and no others; NULL: any */
} RecCameraRunRequest;

/* Jobs of runs go to this pool (rec_camera_run_job); n_runs counts those that exist, atomically. */
RecCameraRun *rec_camera_run_new (GThreadPool *pool, gint *n_runs,
    const RecCameraRunRequest *request, const RecCameraRunEvents *events, void *data);
/* Gives the caller's reference back. */
void rec_camera_run_stop (RecCameraRun *run);

void rec_camera_run_set_publisher (RecCameraRun *run, RecPublisher *publisher);
/* When it is ready: INVALID kind where there is no such track. */
const RecTrackFormat *rec_camera_run_get_formats (RecCameraRun *run);
/* Whether picture came, though not yet every track. */
bool rec_camera_run_has_video (RecCameraRun *run);
/* g_get_monotonic_time of the last packet, or of the beginning. */
int64_t rec_camera_run_get_activity_us (RecCameraRun *run);

void rec_camera_run_job (void *job, void *user_data); /* [pool] */

#endif
