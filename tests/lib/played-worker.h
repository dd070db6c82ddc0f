/* played-worker.h - a worker that a test program plays itself, run by the server under test as PROGRAM --worker. */
#ifndef RECTO_TESTS_PLAYED_WORKER_H
#define RECTO_TESTS_PLAYED_WORKER_H

#include "wire/control.h"

#include <glib.h>
#include <json-c/json.h>

/* What it is to play: the environment variable that reaches it, because it begins with harmless letters. */
#define PLAYED_SCRIPT "G_RECTO_SCRIPT"

typedef void (*PlayedMessage) (RecControlType type, json_object *message);

/* Says hello and hands every message of the server to on_message, until played_worker_end () or the server's end. */
G_NORETURN void played_worker_run (PlayedMessage on_message);
/* text: JSON. */
void played_worker_say (RecControlType type, const char *text);
void played_worker_end (void);

#endif
