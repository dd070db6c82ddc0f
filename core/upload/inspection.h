/* inspection.h - has a child look into a file from outside: whoever parses it may crash, hang or eat memory. */
#ifndef REC_UPLOAD_INSPECTION_H
#define REC_UPLOAD_INSPECTION_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int64_t duration_ns;
  bool has_audio, has_video, has_thumbnail;
  const char *extension; /* with its dot, of the container that was found */
} RecInspection;

typedef bool (*RecInspectionIsOver) (void *data);

/* Blocks, at most timeout_ms; is_over is asked now and then whether to give up. Writes a JPEG to `thumbnail` where there
 * is a picture. UNPROCESSABLE when it is no media file of a kind that browsers record. [any, not main] */
bool rec_inspection_run (const char *program, const char *path, const char *thumbnail,
    int timeout_ms, RecInspectionIsOver is_over, void *data, RecInspection *inspection,
    GError **error);

/* The child: looks into descriptor 4, writes a picture to 5 and a line of JSON to 3, and exits. */
G_NORETURN void rec_inspection_serve (void);

#endif
