/* browser-check.h - whether the browser can be used at all, tried out in a process of its own. [main] */
#ifndef REC_WORKER_BROWSER_CHECK_H
#define REC_WORKER_BROWSER_CHECK_H

#define REC_BROWSER_CHECK_FD 3 /* why not is written there */

/* Starts the browser as a recording would, and asks it for its version. browser: the part "browser" of a page's setup, as
 * JSON, with checkTimeoutMs. 0: it answered; 1: it can't be used. SIGTERM ends it early. */
int rec_browser_check_run (const char *browser);

#endif
