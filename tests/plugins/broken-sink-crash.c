/* broken-sink-crash.c - crashes with the tenth packet. */
#include "broken-sink.h"

static unsigned n_packets;

static bool
crash_write (void *sink, const RecPacket *packet, RecError *error)
{
  (void) sink;
  (void) packet;
  (void) error;
  if (++n_packets == 10)
    abort ();
  return true;
}

static const RecSink sink = BROKEN_SINK ("broken-sink-crash", sink_open, crash_write, sink_finish);
REC_REGISTER_PLUGIN (sink)
