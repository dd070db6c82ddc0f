/* page.h - recordings of a web page: the browser there is, what the worker is told, and what it tells of the page. [main] */
#ifndef REC_RECORDING_PAGE_H
#define REC_RECORDING_PAGE_H

#include "base/types.h"
#include "session/recording.h"

#include <glib.h>
#include <json-c/json.h>

/* Where pages are served, known once the server listens. */
typedef struct {
  unsigned port;  /* 0: not yet */
  char *key_hash; /* base64 of the SHA-256 of the certificate's SubjectPublicKeyInfo */
  char *group;    /* folder of a control group for browsers; NULL: none */
} RecPageServer;

/* Path of the browser, as configured or found. NULL with NOT_IMPLEMENTED and what to install, or that it has no user to
 * run as. Free it. */
char *rec_page_find_browser (const RecConfig *config, GError **error);

#define REC_PAGE_INSTALL "install the package chromium, or see browser.program and browser.sandbox"
/* The part "browser" of a page's setup. group: folder for its control group; NULL: none. NULL with NOT_IMPLEMENTED as above.
 * New reference. */
json_object *rec_page_describe_browser (const RecConfig *config, const char *group, GError **error);

/* Divides this process's control group between it and browsers, before any child is started, and logs that or why not. NULL:
 * there is none that may be divided. Free it. */
char *rec_page_divide_group (void);

/* The part "page" of a worker's setup. plugin: {id, file, options}, borrowed. NULL with UNAVAILABLE before the server
 * listens, NOT_IMPLEMENTED without a browser. New reference. */
json_object *rec_page_describe (const RecConfig *config, const RecPageServer *server,
    const char *public_url, json_object *plugin, const RecRecording *recording, GError **error);

/* What an operator and the client should read of a worker's message "page", or NULL when it is but progress. Free it. */
char *rec_page_dup_note (const RecRecording *recording, json_object *message);
/* Writes the page's console to the log; n_lines counts what was written for this recording. */
void rec_page_log_console (const RecConfig *config, const RecRecording *recording,
    json_object *message, unsigned *n_lines);

/* The page is over: its secret opens nothing any more, and RECORDER is made to leave. */
void rec_page_end (RecRegistry *registry, RecRecording *recording);

#endif
