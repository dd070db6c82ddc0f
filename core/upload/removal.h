/* removal.h - removes an upload's files on a thread: unlinking a large file takes the disk a while. [main] */
#ifndef REC_UPLOAD_REMOVAL_H
#define REC_UPLOAD_REMOVAL_H

#include <glib.h>

/* Called once, on the main thread; error is NULL when they are gone. */
typedef void (*RecRemovalDone) (const GError *error, void *data);

/* Takes paths (of char *): one after the other until one fails; a missing one is fine. */
void rec_removal_run (GPtrArray *paths, RecRemovalDone done, void *data);

#endif
