/* bad-exit-at-load.c - ends the process that loads it. */
#include <unistd.h>

__attribute__ ((constructor)) static void
leave (void)
{
  _exit (0);
}
