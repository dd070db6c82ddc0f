/* output.h - a file that is being recorded: temporary name, safe on disk, final name at the end. */
#ifndef RECTO_PLUGINS_OUTPUT_H
#define RECTO_PLUGINS_OUTPUT_H

#include <recto/sink.h>

#include <sys/uio.h>

typedef struct RecOutput RecOutput;

/* Creates DIRECTORY/NAME.ENDING.part and locks it; NAME-ID instead of NAME where that exists. With
 * `sync` data is forced to the disk at every rec_output_sync, else only the kernel decides. */
RecOutput *rec_output_create (const RecSinkSetup *setup, const char *ending, bool sync,
    RecError *error);

/* What a writer that died left of this recording: NULL with REC_FAIL_NOT_FOUND if nothing. */
RecOutput *rec_output_reopen (const RecSinkSetup *setup, const char *ending, bool sync,
    RecError *error);

/* If a file of this recording already has its final name, tells the host, and returns true. */
bool rec_output_is_complete (const RecSinkSetup *setup, const char *ending, const char *media_type);

/* What the final name is to end in, where that is known late, and the stream that the file is of
 * (NULL: composed). False: out of memory. */
bool rec_output_set_final (RecOutput *output, const char *ending, const char *stream_id);

/* Unlocks, closes and frees, and leaves the files as they are. */
void rec_output_free (RecOutput *output);

uint64_t rec_output_get_size (const RecOutput *output);

/* All or nothing: after a failure the file ends where it ended before. */
bool rec_output_append (RecOutput *output, const struct iovec *parts, int n_parts, RecError *error);
bool rec_output_overwrite (RecOutput *output, uint64_t offset, const void *data, size_t size,
    RecError *error);
bool rec_output_read (RecOutput *output, uint64_t offset, void *data, size_t size, RecError *error);
bool rec_output_truncate (RecOutput *output, uint64_t size, RecError *error);

/* rec_output_sync_often is for fragments: on a slow disk it skips, so that syncing takes no more
 * than a quarter of the time. */
bool rec_output_sync (RecOutput *output, RecError *error);
bool rec_output_sync_often (RecOutput *output, RecError *error);

/* Keeps this much of the disk for what finish must still write; grows what is kept, never shrinks
 * it. A disk without room for it makes it fail. */
bool rec_output_reserve (RecOutput *output, uint64_t size, RecError *error);
void rec_output_release_reserve (RecOutput *output);

/* Gives the file its final name, overwriting nothing, and tells the host. */
bool rec_output_commit (RecOutput *output, const char *media_type, RecError *error);

/* Removes a file in which nothing was recorded. */
void rec_output_discard (RecOutput *output);

#endif
