/* page-check.h - tries the browser out in the background, so that one that is of no use is known before it is needed. [main] */
#ifndef REC_RECORDING_PAGE_CHECK_H
#define REC_RECORDING_PAGE_CHECK_H

#include "base/types.h"

#include <glib.h>

typedef struct RecPageCheck RecPageCheck;

/* program: path of this executable, for exec. Borrowed: config. */
RecPageCheck *rec_page_check_new (const RecConfig *config, const char *program);
/* Ends a check that runs. */
void rec_page_check_free (RecPageCheck *check);

/* Begins one, unless one runs; what is found goes to the log. */
void rec_page_check_begin (RecPageCheck *check);
/* False with NOT_IMPLEMENTED and the reason when the browser was of no use; it is tried again then. */
bool rec_page_check_allows (RecPageCheck *check, GError **error);

#endif
