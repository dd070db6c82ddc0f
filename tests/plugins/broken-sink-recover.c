/* broken-sink-recover.c - takes for its recovery as long as there is a file "slow", and says that it gets on. */
#include "broken-sink.h"

#include <stdio.h>
#include <unistd.h>

#define STEP_US 20000

static bool
slow_recover (const RecSinkSetup *setup, RecError *error)
{
  char path[4096];

  (void) error;
  snprintf (path, sizeof path, "%s/slow", setup->directory);
  while (access (path, F_OK) == 0) {
    setup->host->progress (setup->host, 0);
    usleep (STEP_US);
  }
  return true;
}

static const RecSink sink = {
  .plugin.abi = REC_SINK_ABI,
  .plugin.id = "broken-sink-recover",
  .accepts = REC_MODE_COMPOSED,
  .delivery = REC_DELIVERY_LIVE,
  .needs = sink_needs,
  .open = sink_open,
  .add_track = sink_add_track,
  .write = sink_write,
  .end_track = sink_end_track,
  .finish = sink_finish,
  .recover = slow_recover,
  .close = sink_close,
};
REC_REGISTER_PLUGIN (sink)
