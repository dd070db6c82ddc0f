/* pipeline.h - a recipe in, a GStreamer graph out: a chain of elements that is pushed through synchronously.
 *
 * No queue, no clock, no thread of its own: what a pushed buffer causes to come out has come out when push returns.
 * That is what makes a recording of the same packets the same file. One thread at a time. [streaming] */
#ifndef REC_WORKER_PIPELINE_H
#define REC_WORKER_PIPELINE_H

#include <glib.h>
#include <gst/gst.h>
#include <stdbool.h>

#define REC_PIPELINE_MAX_PIXELS (INT64_C (8192) * 4320) /* of a picture to be decoded */

typedef struct RecPipeline RecPipeline;

typedef struct {
  const char *name;        /* for messages: "video of stream 'x'" */
  const char *description; /* as for gst-launch, both ends open; "decoder" is guarded */
  GstCaps *caps;           /* of what will be pushed; borrowed */
} RecPipelineRecipe;

/* Called within push and finish. Times are those of the input's time line; dts_ns is pts_ns for raw data. */
typedef struct {
  void (*output) (GstBuffer *buffer, GstCaps *caps, int64_t pts_ns, int64_t dts_ns,
      void *data);                      /* borrowed */
  void (*keyframe_wanted) (void *data); /* a depayloader lost its thread; may be NULL */
} RecPipelineEvents;

RecPipeline *rec_pipeline_new (const RecPipelineRecipe *recipe, const RecPipelineEvents *events,
    void *data, GError **error);
void rec_pipeline_free (RecPipeline *pipeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecPipeline, rec_pipeline_free)

/* Takes the buffer. False: an element gave up; the pipeline is of no further use. */
bool rec_pipeline_push (RecPipeline *pipeline, GstBuffer *buffer, GError **error);
/* No more input: what is held inside comes out. */
bool rec_pipeline_finish (RecPipeline *pipeline, GError **error);
/* Asks an encoder to make its next picture a keyframe. */
void rec_pipeline_force_keyframe (RecPipeline *pipeline);

#endif
