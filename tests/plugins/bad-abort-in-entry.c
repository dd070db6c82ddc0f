/* bad-abort-in-entry.c - crashes when asked who it is. */
#include <recto/layout.h>

#include <stdlib.h>

const RecPlugin *
rec_plugin_v1 (void)
{
  abort ();
}
