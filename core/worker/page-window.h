/* page-window.h - one window of the browser, which first shows a document of ours. [main] */
#ifndef REC_WORKER_PAGE_WINDOW_H
#define REC_WORKER_PAGE_WINDOW_H

#include "worker/cdp-link.h"

typedef struct RecPageWindow {
  RecCdpLink *link;
  const char *url; /* that no name server knows: we answer for it */
  char *document;
  const char *binding;    /* a function for its scripts, whose calls come as events; NULL: none */
  char *target, *session; /* NULL: not yet */
  bool is_there;          /* our document has taken the place of about:blank */
  bool is_loaded;         /* all of it */
  int64_t asked_us, answered_us; /* whether it is alive */
  void (*failed) (const char *what, const char *why, void *data);
  void *data;
} RecPageWindow;

/* A window of its own that opens url, with this title and script. `failed` and `data` are set before. */
void rec_page_window_open (RecPageWindow *window, RecCdpLink *link, const char *url,
    const char *title, const char *script, int width, int height);
void rec_page_window_clear (RecPageWindow *window);

/* Takes params. */
void rec_page_window_call (RecPageWindow *window, const char *method, RecJson *params,
    RecCdpAnswered answered, void *data);
/* Promises are waited for. */
void rec_page_window_evaluate (RecPageWindow *window, const char *expression,
    RecCdpAnswered answered, void *data);
/* The same by the user, as it were: some of it is allowed only then. Not for pages of others. */
void rec_page_window_evaluate_as_user (RecPageWindow *window, const char *expression,
    RecCdpAnswered answered, void *data);
/* What an evaluation threw, or how it failed; NULL: it went well. */
const char *rec_page_window_find_exception (RecJson *result, const char *failure);

/* Events that every window takes the same way: true, it was one of them, and is of no interest to others. */
bool rec_page_window_take_event (RecPageWindow *window, const RecCdpMessage *message);

/* Asks whether it lives; the answer sets answered_us. */
void rec_page_window_ping (RecPageWindow *window, int64_t now_us);

#endif
