/* worker-process.h - one worker process: spawned, greeted, talked to, ended. [main] */
#ifndef REC_RECORDING_WORKER_PROCESS_H
#define REC_RECORDING_WORKER_PROCESS_H

#include "base/types.h"
#include "wire/control.h"

#include <glib.h>
#include <json-c/json.h>
#include <sys/types.h>

typedef struct RecWorkerProcess RecWorkerProcess;

typedef struct {
  /* It said hello, and comes from the same build. */
  void (*greeted) (RecWorkerProcess *worker, void *data);
  /* message is borrowed. */
  void (*message) (RecWorkerProcess *worker, RecControlType type, json_object *message, void *data);
  /* The last event: the process is reaped, all it said was delivered. why: how it ended, in words. The worker may be
   * freed in here. */
  void (*gone) (RecWorkerProcess *worker, const char *why, void *data);
} RecWorkerEvents;

/* Runs `program --worker`. build: of the program when the server started; a worker of another one is refused. */
RecWorkerProcess *rec_worker_process_new (const RecConfig *config, const char *program,
    const char *build, GError **error);
/* Closes its sockets: a worker that still runs finishes what it does and exits by itself. */
void rec_worker_process_free (RecWorkerProcess *worker);

/* events are borrowed for good; NULL: nobody listens. A greeting that came before is told again, from the main loop. */
void rec_worker_process_set_events (RecWorkerProcess *worker, const RecWorkerEvents *events,
    void *data);

bool rec_worker_process_is_greeted (const RecWorkerProcess *worker);
pid_t rec_worker_process_get_pid (const RecWorkerProcess *worker);
/* Our end of the media socket; gives it away, -1 afterwards. */
int rec_worker_process_take_media_fd (RecWorkerProcess *worker);

/* Takes message. When it cannot be sent the worker is ended. */
void rec_worker_process_send (RecWorkerProcess *worker, RecControlType type, json_object *message);
/* SETUP or RECOVER: a copy of setup with our version and build. */
void rec_worker_process_send_setup (RecWorkerProcess *worker, RecControlType type,
    json_object *setup);
/* SIGTERM, and SIGKILL after recording.kill-timeout-ms. Then comes gone. why: kept for gone, the first one counts. */
void rec_worker_process_end (RecWorkerProcess *worker, const char *why);
/* SIGKILL at once, for a worker whose files nobody wants. Then comes gone. */
void rec_worker_process_abort (RecWorkerProcess *worker, const char *why);
/* SIGKILL at once, waiting for it; gone is not called. For a worker whose files are to be removed. */
void rec_worker_process_kill (RecWorkerProcess *worker);

#endif
