/* main-thread.c - remembers which thread claimed the state. */
#define G_LOG_DOMAIN "rec.base.main-thread"
#include "base/main-thread.h"

static GThread *main_thread;

void
rec_main_thread_claim (void)
{
  g_atomic_pointer_set (&main_thread, g_thread_self ());
}

bool
rec_is_main_thread (void)
{
  GThread *claimed = g_atomic_pointer_get (&main_thread);

  return claimed == NULL || claimed == g_thread_self ();
}
