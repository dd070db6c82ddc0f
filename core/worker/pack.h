/* pack.h - a recording of single streams becomes NAME.zip, on a thread of its own. [main] */
#ifndef REC_WORKER_PACK_H
#define REC_WORKER_PACK_H

#include "worker/setup.h"

#include <json-c/json.h>

typedef struct RecPack RecPack;

typedef struct {
  /* From the pack's thread: bytes packed so far, a few times a second at most; and that it is over. */
  void (*progress) (int64_t n_bytes, void *data);
  void (*over) (void *data);
  void *data;
} RecPackEvents;

/* files: as in the message `finished`, borrowed: those of streams are packed, and NAME.json. NULL when the recording is
 * none of single streams. */
RecPack *rec_pack_new (const RecSetup *setup, json_object *files, const RecPackEvents *events);
/* Waits for the thread. */
void rec_pack_free (RecPack *pack);

/* Once it is over: adds the ZIP to files. When there is none, NULL is not returned but why, owned by the caller. */
char *rec_pack_take (RecPack *pack, json_object *files);

#endif
