/* broken-sink-lossless.c - may not lose a packet, and never comes back with the tenth. */
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

static const RecSink sink = {
  .plugin.abi = REC_SINK_ABI,
  .plugin.id = "broken-sink-lossless",
  .accepts = REC_MODE_COMPOSED,
  .delivery = REC_DELIVERY_LOSSLESS,
  .needs = sink_needs,
  .open = sink_open,
  .add_track = sink_add_track,
  .write = stall_write,
  .end_track = sink_end_track,
  .finish = sink_finish,
  .close = sink_close,
};
REC_REGISTER_PLUGIN (sink)
