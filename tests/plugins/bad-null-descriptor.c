/* bad-null-descriptor.c - has nothing to say when asked who it is. */
#include <recto/layout.h>

const RecPlugin *
rec_plugin_v1 (void)
{
  return NULL;
}
