/* wait.h - runs the main loop until a condition holds, whoever makes it hold. */
#ifndef RECTO_TESTS_WAIT_H
#define RECTO_TESTS_WAIT_H

#include <glib.h>

#ifndef DEADLINE_US /* a test with a lot to do has its own */
#define DEADLINE_US (20 * G_USEC_PER_SEC)
#endif

static inline gboolean
wait_wake (void *data G_GNUC_UNUSED)
{
  return G_SOURCE_CONTINUE;
}

/* The condition is looked at again and again; it fails the test when it is false at the end. */
#define WAIT_UNTIL(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    int64_t deadline_us_ = g_get_monotonic_time () + DEADLINE_US;                                  \
    guint timer_ = g_timeout_add (10, wait_wake, NULL);                                            \
    while (!(condition) && g_get_monotonic_time () < deadline_us_)                                 \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (timer_);                                                                      \
    g_assert_true (condition);                                                                     \
  }                                                                                                \
  G_STMT_END

#endif
