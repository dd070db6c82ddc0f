/* broken-sink-stall.c - never comes back with the tenth packet. */
#include "broken-sink.h"

#include <unistd.h>

static unsigned n_packets;

static bool
stall_write (void *sink, const RecPacket *packet, RecError *error)
{
  (void) sink;
  (void) packet;
  (void) error;
  n_packets++;
  while (n_packets == 10)
    pause ();
  return true;
}

static const RecSink sink = BROKEN_SINK ("broken-sink-stall", sink_open, stall_write, sink_finish);
REC_REGISTER_PLUGIN (sink)
