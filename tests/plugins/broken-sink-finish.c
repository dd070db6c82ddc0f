/* broken-sink-finish.c - fails when it has to finish. */
#include "broken-sink.h"

static bool
fail_finish (void *sink, uint32_t why, RecError *error)
{
  (void) sink;
  (void) why;
  return rec_fail (error, REC_FAIL_IO, "the tape has come off");
}

static const RecSink sink = BROKEN_SINK ("broken-sink-finish", sink_open, sink_write, fail_finish);
REC_REGISTER_PLUGIN (sink)
