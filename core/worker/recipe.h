/* recipe.h - all that a composed recording is made of. */
#ifndef REC_WORKER_RECIPE_H
#define REC_WORKER_RECIPE_H

#include "worker/encoder.h"

#include <glib.h>
#include <recto/layout.h>
#include <stdbool.h>

#define REC_PACKET_COST 512 /* bytes that a packet takes in a queue beside its own */

typedef struct {
  bool is_live;
  bool is_composed;              /* some sink takes the composed picture and sound */
  bool has_video, has_audio;     /* of the composed one */
  bool takes_video, takes_audio; /* of single streams */
  bool is_page; /* what is recorded is there when it begins, and comes by a longer way */
  int width, height, frame_rate;
  int thumbnail_width;
  int queue_ms; /* what may wait of each track */
  int64_t queue_bytes;
  const char *layout_name;
  const RecArrangingLayout *layout; /* NULL: none */
  const RecOptions *layout_options;
  RecEncoderRecipe encoder; /* what the sinks leave open */
  GPtrArray *sinks;         /* of RecSinkRunner, asked but not open; borrowed */
} RecRecorderRecipe;

#endif
