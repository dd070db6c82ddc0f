/* prepare.h - makes a waiting worker quick: GStreamer is initialised and every element it may need is loaded. */
#ifndef REC_WORKER_PREPARE_H
#define REC_WORKER_PREPARE_H

void rec_prepare (void);

#endif
