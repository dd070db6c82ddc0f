/* thumbnail.h - keeps small pictures while recording, so that the one in the middle is there at the end. */
#ifndef REC_WORKER_THUMBNAIL_H
#define REC_WORKER_THUMBNAIL_H

#include <glib.h>
#include <gst/video/video.h>
#include <stdbool.h>

typedef struct RecThumbnail RecThumbnail;

/* width 0: none is made. One thread at a time. */
RecThumbnail *rec_thumbnail_new (const GstVideoInfo *canvas, int width);
void rec_thumbnail_free (RecThumbnail *thumbnail);

void rec_thumbnail_offer (RecThumbnail *thumbnail, GstBuffer *canvas, int64_t step);
/* Writes the picture nearest to the middle of n_steps as JPEG. */
bool rec_thumbnail_write (RecThumbnail *thumbnail, int64_t n_steps, const char *path,
    GError **error);

#endif
