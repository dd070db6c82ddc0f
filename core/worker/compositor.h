/* compositor.h - paints pictures into their places on an I420 canvas. One thread at a time. [streaming] */
#ifndef REC_WORKER_COMPOSITOR_H
#define REC_WORKER_COMPOSITOR_H

#include "worker/scene.h"
#include "worker/track-source.h"

typedef struct RecCompositor RecCompositor;

RecCompositor *rec_compositor_new (int width, int height, int frame_rate);
void rec_compositor_free (RecCompositor *compositor);

/* New places, in painting order; the pictures of the next paint belong to them one by one. */
void rec_compositor_set_placements (RecCompositor *compositor, const RecPlacement *placements,
    unsigned n);

/* A picture of the canvas, which may share memory with the one before. pictures[i] NULL, or one without a buffer:
 * black. The caller owns the result and sets its times. */
GstBuffer *rec_compositor_paint (RecCompositor *compositor, const RecPicture *const *pictures);

/* Caps of the canvas; borrowed. */
GstCaps *rec_compositor_get_caps (RecCompositor *compositor);
const GstVideoInfo *rec_compositor_get_info (RecCompositor *compositor);

#endif
