/* page-console.h - what a page prints, and what goes wrong in it, as lines of text. Pure. [any] */
#ifndef REC_WORKER_PAGE_CONSOLE_H
#define REC_WORKER_PAGE_CONSOLE_H

#include "base/json.h"

#define REC_PAGE_CONSOLE_MAX_LINE 500 /* bytes */

/* "error: text" for an event of the browser; NULL: it says nothing to the console. On one line; free it. */
char *rec_page_console_dup_line (const char *method, RecJson *content);

#endif
