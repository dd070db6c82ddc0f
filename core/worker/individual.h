/* individual.h - each stream as it was sent: RTP -> depayload -> sinks, nothing decoded. One thread at a time. [streaming]
 *
 * A take is what becomes one file: from a stream's first packet until it ends, or is not to be recorded any more. */
#ifndef REC_WORKER_INDIVIDUAL_H
#define REC_WORKER_INDIVIDUAL_H

#include "worker/command.h"
#include "worker/timeline.h"

#include <glib.h>
#include <gst/gst.h>
#include <stdbool.h>

typedef struct RecIndividual RecIndividual;

typedef struct {
  char *stream, *participant, *client_data, *server_data, *type_of_video;
  int64_t start_ns, end_ns; /* file time; end_ns below 0: it goes on */
  bool has_audio, has_video;
} RecTake;

void rec_take_free (void *take);

/* keyframe comes from any thread. */
typedef struct {
  void (*keyframe) (uint32_t track_id, void *data);
  void (*note) (const char *text, void *data);
  void (*begun) (const RecTake *take, void *data); /* before sinks hear of it */
  void (*ended) (const RecTake *take, void *data);
  void (*gap) (const RecTake *take, bool is_video, int64_t from_ns, int64_t to_ns, void *data);
} RecIndividualEvents;

/* Of sinks (of RecSinkRunner, borrowed) those that take single streams; NULL when there is none. */
RecIndividual *rec_individual_new (GPtrArray *sinks, const RecTimeline *timeline, bool takes_audio,
    bool takes_video, const RecIndividualEvents *events, void *data);
void rec_individual_free (RecIndividual *individual);

/* Anything but a stop, now. */
void rec_individual_apply (RecIndividual *individual, const RecCommand *command);
/* The packet is borrowed; pts_ns is absolute. */
void rec_individual_push (RecIndividual *individual, uint32_t track_id, GstBuffer *rtp,
    int64_t pts_ns, bool is_discont);
/* Hands on what has a file time before until_ns. */
void rec_individual_run (RecIndividual *individual, int64_t until_ns);
/* Everything ends at this file time. */
void rec_individual_end (RecIndividual *individual, int64_t end_ns);

/* What waits for its time, of all tracks. */
int64_t rec_individual_count_bytes (RecIndividual *individual);
/* The first so many streams that are to be recorded are waited for; before there are any. */
void rec_individual_expect (RecIndividual *individual, unsigned n_streams);
/* How many of those have been added, and how many of these have sent nothing yet. [any] */
void rec_individual_count (RecIndividual *individual, unsigned *n_streams, unsigned *n_silent);
/* Of RecTake, in the order of their beginning; after end. Borrowed. */
GPtrArray *rec_individual_get_takes (RecIndividual *individual);

#endif
