/* lock.h - a mutex that ThreadSanitizer can see (GLib's are futexes), held by scope. */
#ifndef REC_BASE_LOCK_H
#define REC_BASE_LOCK_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef pthread_mutex_t RecLock;

#define REC_LOCK_INIT PTHREAD_MUTEX_INITIALIZER

static inline void
rec_lock_init (RecLock *lock)
{
  pthread_mutex_init (lock, NULL);
}

static inline void
rec_lock_clear (RecLock *lock)
{
  pthread_mutex_destroy (lock);
}

static inline RecLock *
rec_lock_acquire (RecLock *lock)
{
  pthread_mutex_lock (lock);
  return lock;
}

static inline void
rec_lock_release (RecLock **lock)
{
  pthread_mutex_unlock (*lock);
}

/* For rec_cond_wait_until: counts as g_get_monotonic_time does, so that a wall clock may be set meanwhile. */
static inline void
rec_cond_init (pthread_cond_t *cond)
{
  pthread_condattr_t attributes;

  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (cond, &attributes);
  pthread_condattr_destroy (&attributes);
}

/* False when it is until_us by now. The lock is held. */
static inline bool
rec_cond_wait_until (pthread_cond_t *cond, RecLock *lock, int64_t until_us)
{
  const struct timespec until = { .tv_sec = until_us / G_USEC_PER_SEC,
    .tv_nsec = until_us % G_USEC_PER_SEC * 1000 };

  return pthread_cond_timedwait (cond, lock, &until) == 0;
}

/* Held until the end of the block: REC_LOCKED (&feed->lock); */
#define REC_LOCKED(lock)                                                                           \
  __attribute__ ((cleanup (rec_lock_release), unused)) RecLock *G_PASTE (rec_locked_, __LINE__) =  \
      rec_lock_acquire (lock)

#endif
