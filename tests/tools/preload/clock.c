/* clock.c - loaded before libc: the wall clock is as many seconds ahead as the file `ahead` beside this library says; other clocks go on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t looked_at; /* nanoseconds of CLOCK_MONOTONIC */
static _Atomic long found;

static long
read_seconds_ahead (void)
{
  Dl_info self;
  char path[PATH_MAX], text[32] = "";

  if (dladdr ((void *) read_seconds_ahead, &self) == 0)
    return 0;
  snprintf (path, sizeof path, "%.*s/ahead", (int) (strrchr (self.dli_fname, '/') - self.dli_fname),
      self.dli_fname);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  if (read (fd, text, sizeof text - 1) < 0)
    text[0] = '\0';
  close (fd);
  return atol (text);
}

/* Looks into the file ten times a second at most. */
static long
seconds_ahead (void)
{
  struct timespec now;

  syscall (SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  const int64_t ns = now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
  int64_t before = atomic_load (&looked_at);
  if (ns - before > 100000000 && atomic_compare_exchange_strong (&looked_at, &before, ns))
    atomic_store (&found, read_seconds_ahead ());
  return atomic_load (&found);
}

int
clock_gettime (clockid_t clock, struct timespec *now)
{
  int result = (int) syscall (SYS_clock_gettime, clock, now);

  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += seconds_ahead ();
  return result;
}

int
gettimeofday (struct timeval *restrict now, void *restrict zone)
{
  struct timespec precise;

  (void) zone;
  clock_gettime (CLOCK_REALTIME, &precise);
  *now = (struct timeval){ .tv_sec = precise.tv_sec, .tv_usec = precise.tv_nsec / 1000 };
  return 0;
}

time_t
time (time_t *result)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  if (result != NULL)
    *result = now.tv_sec;
  return now.tv_sec;
}
