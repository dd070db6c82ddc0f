/* names.h - what the files of the streams are called, and finding them again. */
#ifndef RECTO_LOCAL_NAMES_H
#define RECTO_LOCAL_NAMES_H

#include "common/muxer.h"

#include <stdbool.h>

#define LOCAL_PART_ENDING "webm" /* of NAME.STREAM.webm.part, whatever it becomes */

/* How many files each stream has had; all zero: none. */
typedef struct LocalNames {
  char **all; /* NAME.STREAM, once for each file */
  size_t n, capacity;
} LocalNames;

void local_names_clear (LocalNames *names);

/* "NAME.STREAM", "NAME.STREAM-1", ...: safe as a file name, and never the same twice. NULL: out of
 * memory. Free it. */
char *local_names_make (LocalNames *names, const char *name, const char *stream_id);

typedef struct LocalFile {
  char *base; /* NAME.STREAM-1 */
  char *file; /* as it is called */
  bool is_part;
  unsigned long number; /* 1; 0 for the first one */
  size_t stem;          /* bytes of base up to the number */
} LocalFile;

/* The files of this recording, each stream's in the order in which they were made. */
bool local_names_list (const RecSinkSetup *setup, LocalFile **files, size_t *n_files,
    RecError *error);
void local_names_free_list (LocalFile *files, size_t n_files);

/* What made it; facts->ending is NULL when its head is not there, or damaged. */
const RecMuxer *local_names_look (const RecSinkSetup *setup, const LocalFile *file,
    RecMuxerFacts *facts);

/* Tells the host of a complete one, if it is ours. */
void local_names_report (const RecSinkSetup *setup, const LocalFile *file);

#endif
