/* files.h - an open file as an HTTP answer: ranges, validators, types. */
#ifndef REC_API_FILES_H
#define REC_API_FILES_H

#include "api/request.h"

#include <stdint.h>

typedef enum {
  REC_RANGE_INVALID = 0,
  REC_RANGE_NONE, /* no range, several, or nonsense: the whole file */
  REC_RANGE_PART,
  REC_RANGE_UNSATISFIABLE,
} RecRangeKind;

/* header: the value of Range, may be NULL. Writes offset and length for PART alone. */
RecRangeKind rec_range_parse (const char *header, int64_t size, int64_t *offset, int64_t *length);

/* By the name's extension. */
const char *rec_file_get_type (const char *name);

/* Takes fd, which must be a regular file. name is for the type. */
void rec_file_answer (RecHttpRequest *request, int fd, const char *name);

#endif
