/* conclusion.h - what lies beside the sinks' files in the end: metadata of the streams, time line. [main] */
#ifndef REC_WORKER_CONCLUSION_H
#define REC_WORKER_CONCLUSION_H

#include "worker/recorder.h"
#include "worker/setup.h"

#include <glib.h>
#include <json-c/json.h>

/* Starts the chronicle of a recording that begins. */
RecChronicle *rec_conclusion_begin (const RecSetup *setup, int64_t created_at_ms);

/* Writes it all and returns the files as in the message `finished`. recorder NULL: they were recovered, and the chronicle
 * on the disk says what is known, also when the recording was created. What cannot be written is a note. gets_on: see
 * rec_report_describe_files. */
json_object *rec_conclusion_make_files (const RecSetup *setup, int64_t created_at_ms,
    RecRecorder *recorder, GPtrArray *sinks, void (*note) (const char *text),
    void (*gets_on) (void));

#endif
