/* inspect.h - looks into a finished file, for files that another process wrote. */
#ifndef REC_WORKER_INSPECT_H
#define REC_WORKER_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int64_t duration_ns;
  bool has_audio, has_video;
} RecFileFacts;

/* Takes a moment; all zero when it is no media file. */
void rec_inspect_file (const char *path, RecFileFacts *facts);

#endif
