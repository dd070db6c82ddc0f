/* report.h - what came of it, as rows of "name value unit" or as JSON. */
#ifndef RECTO_LOAD_REPORT_H
#define RECTO_LOAD_REPORT_H

#include "person.h"

/* To standard output. */
void load_report_print (const LoadTally *tally, unsigned n_failed, double seconds, bool as_json);

#endif
