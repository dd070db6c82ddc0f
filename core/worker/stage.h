/* stage.h - the tracks of a recording: what is seen and heard of them at each step. One thread at a time. [streaming] */
#ifndef REC_WORKER_STAGE_H
#define REC_WORKER_STAGE_H

#include "worker/command.h"
#include "worker/recipe.h"
#include "worker/timeline.h"

#include <gst/video/video.h>

typedef struct RecStage RecStage;

/* keyframe comes from any thread. */
typedef struct {
  void (*keyframe) (uint32_t track_id, void *data);
  void (*note) (const char *text, void *data);
  void (*arranged) (const GArray *placements, int64_t at_ns, void *data); /* of RecPlacement */
} RecStageEvents;

RecStage *rec_stage_new (const RecRecorderRecipe *recipe, const RecTimeline *timeline,
    const RecStageEvents *events, void *data);
void rec_stage_free (RecStage *stage);

/* Anything but a stop, now. */
void rec_stage_apply (RecStage *stage, const RecCommand *command);
/* Takes the packet. */
void rec_stage_push (RecStage *stage, uint32_t track_id, GstBuffer *rtp, int64_t pts_ns,
    bool is_discont);

/* Begins a step: decodes what is due by then. */
void rec_stage_decode (RecStage *stage, int64_t step);
/* Its picture, without times; and its sound, with them. The caller owns them. */
GstBuffer *rec_stage_paint (RecStage *stage);
GstBuffer *rec_stage_mix (RecStage *stage);

/* What waits for its time, of all tracks. */
int64_t rec_stage_count_bytes (RecStage *stage);
uint64_t rec_stage_count_dropped (RecStage *stage);
/* Pictures painted with a new picture of the captured page, and with the one before once more. */
void rec_stage_count_page (const RecStage *stage, uint64_t *n_new, uint64_t *n_repeated);
/* Borrowed; only with pictures, the caps NULL without. */
const GstVideoInfo *rec_stage_get_picture_info (RecStage *stage);
GstCaps *rec_stage_get_picture_caps (RecStage *stage);

#endif
