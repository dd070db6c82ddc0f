/* setup.h - the setup message as structs: what the recorder and the sinks are to be made of. */
#ifndef REC_WORKER_SETUP_H
#define REC_WORKER_SETUP_H

#include "plugin/loader.h"
#include "wire/control.h"
#include "worker/page-recipe.h"
#include "worker/recorder.h"
#include "worker/sink-runner.h"

#include <json-c/json.h>

typedef struct {
  json_object *message; /* owned; all strings lie in it */
  const char *id, *directory, *name, *session_id;
  int64_t timeline_bytes; /* of who was when */
  bool ignores_failed_streams;
  bool is_individual; /* in the end in a ZIP */
  bool zip_deflates;
  int64_t zip_timeout_ms, zip_spare_bytes;
  int64_t stream_timeout_ms;  /* how long a start waits for each stream */
  RecRecorderRecipe recorder; /* without sinks */
  RecLoadedPlugin *layout;
  RecOptions *layout_options;
  RecPageRecipe *page; /* NULL: native, or not resolved yet */
} RecSetup;

/* message was checked against the table. Loads the layout plugin. */
RecSetup *rec_setup_new (json_object *message, GError **error);
void rec_setup_free (RecSetup *setup);

/* When the setup names a page: asks its layout plugin where it is. */
bool rec_setup_resolve_page (RecSetup *setup, GError **error);

unsigned rec_setup_count_sinks (const RecSetup *setup);
/* Strings are borrowed from the setup. */
void rec_setup_get_sink (const RecSetup *setup, unsigned index, RecSinkRecipe *recipe);

/* track-add, track-end, stream-state and stop as commands; fallback_ns: for a message without atNs. */
RecCommand *rec_setup_read_command (RecControlType type, json_object *message, int64_t fallback_ns);

#endif
