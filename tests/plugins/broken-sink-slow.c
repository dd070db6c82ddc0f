/* broken-sink-slow.c - takes most of a second to open. */
#include "broken-sink.h"

#include <unistd.h>

static void *
slow_open (const RecSinkSetup *setup, RecError *error)
{
  usleep (800000);
  return sink_open (setup, error);
}

static const RecSink sink = BROKEN_SINK ("broken-sink-slow", slow_open, sink_write, sink_finish);
REC_REGISTER_PLUGIN (sink)
