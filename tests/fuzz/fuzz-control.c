/* fuzz-control.c - lines on the control socket, at the worker's end and at the server's, up to what they are read as. */
#include "fuzz/fuzz.h"

#include "base/fd.h"
#include "base/json.h"
#include "wire/control.h"
#include "worker/setup.h"

#include <sys/socket.h>

typedef struct {
  RecControl *control;
  bool is_worker;
  unsigned n_closed;
} End;

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  return 0;
}

static void
read_sinks (const RecSetup *setup)
{
  for (unsigned i = 0; i < rec_setup_count_sinks (setup); i++) {
    RecSinkRecipe recipe;
    rec_setup_get_sink (setup, i, &recipe);
    g_assert_nonnull (recipe.file);
    g_assert_nonnull (recipe.id);
  }
}

/* Without its layout: a plugin's file is chosen by the server and loaded as it is. */
static void
read_setup (RecJson *message)
{
  json_object_object_del (message, "layout");
  RecSetup *setup = rec_setup_new (message, NULL);
  if (setup != NULL)
    read_sinks (setup);
  rec_setup_free (setup);
}

static void
on_message (RecControl *control G_GNUC_UNUSED, RecControlType type, json_object *message,
    void *data)
{
  const End *end = data;

  g_assert_cmpuint (end->n_closed, ==, 0);
  g_assert_cmpint (rec_control_check (message, end->is_worker, NULL), ==, type);
  if (!end->is_worker)
    return;
  if (type == REC_CONTROL_SETUP || type == REC_CONTROL_RECOVER)
    read_setup (message);
  else if (type != REC_CONTROL_BEGIN)
    rec_command_free (rec_setup_read_command (type, message, 7));
}

static void
on_closed (RecControl *control G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED, void *data)
{
  End *end = data;

  g_assert_cmpuint (end->n_closed++, ==, 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fds[2];

  if (size == 0)
    return 0;
  End end = { .is_worker = data[0] & 1 };
  g_assert_true (rec_fd_socketpair (SOCK_STREAM, fds, NULL));
  end.control = rec_control_new (fds[0], end.is_worker, on_message, on_closed, &end);
  (void) send (fds[1], data + 1, size - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  rec_fd_close (&fds[1]);
  fuzz_run_loop ();
  g_assert_cmpuint (end.n_closed, ==, 1);
  rec_control_free (end.control);
  return 0;
}
