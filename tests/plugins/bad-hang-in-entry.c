/* bad-hang-in-entry.c - never answers when asked who it is. */
#include <recto/layout.h>

#include <unistd.h>

const RecPlugin *
rec_plugin_v1 (void)
{
  for (;;)
    pause ();
}
