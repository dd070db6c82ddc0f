/* inspection.h - has a child look into a file from outside: whoever parses it may crash, hang or eat memory. */
#ifndef REC_UPLOAD_INSPECTION_H
#define REC_UPLOAD_INSPECTION_H

#include "base/child.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int64_t duration_ns;
  bool has_audio, has_video, has_thumbnail;
  const char *extension; /* with its dot, of the container that was found */
} RecInspection;

/* Who looks, borrowed. */
typedef struct {
  const char *program;      /* our own */
  const RecChildUser *user; /* whom the child becomes before it looks; NULL: it stays what we are */
  int timeout_ms;
} RecInspector;

typedef bool (*RecInspectionIsOver) (void *data);

/* Blocks, at most timeout_ms; is_over is asked now and then whether to give up. Writes a JPEG to `thumbnail` where there
 * is a picture. UNPROCESSABLE when it is no media file of a kind that browsers record. [any, not main] */
bool rec_inspection_run (const RecInspector *inspector, const char *path, const char *thumbnail,
    RecInspectionIsOver is_over, void *data, RecInspection *inspection, GError **error);

/* The child: becomes user ("UID:GID", or "" to stay), looks into descriptor 4, writes a picture to 5 and a line of JSON
 * to 3, and exits. */
G_NORETURN void rec_inspection_serve (const char *user);

#endif
