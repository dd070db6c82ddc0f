/* broken-sink-open.c - cannot be opened. */
#include "broken-sink.h"

static void *
fail_open (const RecSinkSetup *setup, RecError *error)
{
  (void) setup;
  rec_fail (error, REC_FAIL_DENIED, "nobody may open this");
  return NULL;
}

static const RecSink sink = BROKEN_SINK ("broken-sink-open", fail_open, sink_write, sink_finish);
REC_REGISTER_PLUGIN (sink)
