/* played-worker.c - a worker that a test program plays itself, run by the server under test as PROGRAM --worker. */
#include "lib/played-worker.h"

#include <unistd.h>

#include "base/json.h"
#include "wire/build.h"

#define FLUSH_MS 1000

static RecControl *control;
static GMainLoop *loop;

void
played_worker_say (RecControlType type, const char *text)
{
  rec_control_send (control, type, json_tokener_parse (text));
}

void
played_worker_end (void)
{
  g_main_loop_quit (loop);
}

static void
on_message (RecControl *sender G_GNUC_UNUSED, RecControlType type, json_object *message, void *data)
{
  const PlayedMessage *take = data;

  (*take) (type, message);
}

static void
on_closed (RecControl *sender G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED,
    void *data G_GNUC_UNUSED)
{
  _exit (0);
}

void
played_worker_run (PlayedMessage take)
{
  g_autofree char *build = rec_wire_dup_build ("/proc/self/exe");
  json_object *hello = json_object_new_object ();

  loop = g_main_loop_new (NULL, FALSE);
  control = rec_control_new (REC_WIRE_CONTROL_FD, true, on_message, on_closed, &take);
  rec_json_set_string (hello, "version", REC_VERSION);
  rec_json_set_string (hello, "build", build);
  rec_json_set_int (hello, "pid", getpid ());
  rec_control_send (control, REC_CONTROL_HELLO, hello);
  g_main_loop_run (loop);
  rec_control_flush (control, FLUSH_MS);
  _exit (0);
}
