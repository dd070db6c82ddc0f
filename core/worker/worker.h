/* worker.h - the child that records: its control loop and states. */
#ifndef REC_WORKER_WORKER_H
#define REC_WORKER_WORKER_H

/* The life of `recto --worker`: descriptors 3 and 4 are open. Returns the exit status. */
int rec_worker_run (const char *log_setup);

#endif
