/* main-thread.h - who owns the state: the thread that claimed it. */
#ifndef REC_BASE_MAIN_THREAD_H
#define REC_BASE_MAIN_THREAD_H

#include <glib.h>
#include <stdbool.h>

/* Called once, first thing in main (). Until then every thread counts as the main one. */
void rec_main_thread_claim (void);
bool rec_is_main_thread (void);

#define REC_ASSERT_MAIN() g_assert (rec_is_main_thread ())

#endif
