/* report.h - what the server is told about a recording: its state, its files, what was missed. */
#ifndef REC_WORKER_REPORT_H
#define REC_WORKER_REPORT_H

#include "worker/recorder.h"
#include "worker/setup.h"

#include <glib.h>
#include <json-c/json.h>

json_object *rec_report_make_stats (const RecRecorderStats *stats);
/* The files of all sinks (RecSinkRunner) as in the message `finished`. recorder NULL: they were recovered. takes: of
 * RecTake, what streams' files are of. gets_on: called for each file, for a slow disk makes this take long. */
json_object *rec_report_describe_files (const RecSetup *setup, RecRecorder *recorder,
    GPtrArray *takes, GPtrArray *sinks, void (*gets_on) (void));
/* One sentence each for what did not go as it should without ending the recording. */
GPtrArray *rec_report_list_misses (RecRecorder *recorder, GPtrArray *sinks);

#endif
