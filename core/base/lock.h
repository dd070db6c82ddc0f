/* lock.h - a mutex that ThreadSanitizer can see (GLib's are futexes), held by scope. */
#ifndef REC_BASE_LOCK_H
#define REC_BASE_LOCK_H

#include <glib.h>
#include <pthread.h>

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

/* Held until the end of the block: REC_LOCKED (&feed->lock); */
#define REC_LOCKED(lock)                                                                           \
  __attribute__ ((cleanup (rec_lock_release), unused)) RecLock *G_PASTE (rec_locked_, __LINE__) =  \
      rec_lock_acquire (lock)

#endif
