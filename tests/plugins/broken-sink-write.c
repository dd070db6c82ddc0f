/* broken-sink-write.c - fails with the tenth packet. */
#include "broken-sink.h"

static unsigned n_packets;

static bool
fail_write (void *sink, const RecPacket *packet, RecError *error)
{
  (void) sink;
  (void) packet;
  return ++n_packets < 10 || rec_fail (error, REC_FAIL_NO_SPACE, "the disk is full, really");
}

static const RecSink sink = BROKEN_SINK ("broken-sink-write", sink_open, fail_write, sink_finish);
REC_REGISTER_PLUGIN (sink)
