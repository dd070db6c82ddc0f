/* writer.h - small files written whole, in order, on a thread of their own: fsync may take a second. [main] */
#ifndef REC_RECORDING_WRITER_H
#define REC_RECORDING_WRITER_H

#include "base/types.h"

#include <glib.h>

typedef struct RecWriter RecWriter;

/* Called on the main thread once it is on the disk, or is not. */
typedef void (*RecWriterDone) (const GError *error, void *data);

/* owner: numeric user that the files are given to, or -1; those nobody else may read stay ours. */
RecWriter *rec_writer_new (int64_t owner);
/* Waits for everything that was queued; what was not reported yet is not reported any more. */
void rec_writer_free (RecWriter *writer);

/* Takes text. done may be NULL: a failure is logged then. */
void rec_writer_put (RecWriter *writer, const char *path, char *text, unsigned mode,
    RecWriterDone done, void *data);
/* Removes the file after what was queued before; a missing one is fine. */
void rec_writer_remove (RecWriter *writer, const char *path);
/* Blocks until what was queued is done; its callbacks come later. */
void rec_writer_flush (RecWriter *writer);

#endif
