/* page-capture.h - one browser that shows one page, and what is seen and heard of it. [main]
 *
 * Two windows: the page's own, and beside it one of ours that captures it and hands picture and sound over. Nothing of it
 * decides what a page's failure means; see page-run.h. */
#ifndef REC_WORKER_PAGE_CAPTURE_H
#define REC_WORKER_PAGE_CAPTURE_H

#include "worker/browser.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct RecPageCapture RecPageCapture;

typedef enum {
  REC_PAGE_FAULT_INVALID = 0,
  REC_PAGE_FAULT_UNUSABLE, /* the browser ended before it opened a window */
  REC_PAGE_FAULT_BROWSER,  /* it ended or talks nonsense */
  REC_PAGE_FAULT_NETWORK,  /* the address cannot be opened */
  REC_PAGE_FAULT_CRASH,
  REC_PAGE_FAULT_HANG,
  REC_PAGE_FAULT_LIMIT,
} RecPageFault;

/* Strings are borrowed while the capture is made. */
typedef struct {
  RecBrowserRecipe browser; /* without the title; its size is that of the page */
  const char *url;
  int frame_rate;
  uint32_t background; /* 0xAARRGGBB; 0: the browser's */
  bool has_sound;
} RecPageCaptureRecipe;

typedef struct {
  /* The tab is captured, and the address about to be opened: pictures from now on are the page's. */
  void (*opened) (void *data);
  /* Everything the page asked for is there. */
  void (*loaded) (void *data);
  /* H.264 with start codes, one picture; borrowed. pts_ns of CLOCK_MONOTONIC. */
  void (*picture) (GBytes *picture, int64_t pts_ns, bool is_keyframe, void *data);
  /* Two channels of 16 bits, interleaved; borrowed. */
  void (*sound) (GBytes *samples, int rate, int64_t pts_ns, bool is_discont, void *data);
  /* How much the pixels of a picture differ: 0 to 255; only after rec_page_capture_watch. */
  void (*look) (int spread, bool has_right_size, void *data);
  /* A line of the page's console. */
  void (*console) (const char *line, void *data);
  /* At most once: the kernel gives it less CPU time than it wants, to keep its limit. */
  void (*slowed) (const char *why, void *data);
  /* Once; the capture is of no further use and may be freed within. */
  void (*failed) (RecPageFault fault, const char *why, void *data);
} RecPageCaptureEvents;

RecPageCapture *rec_page_capture_new (const RecPageCaptureRecipe *recipe,
    const RecPageCaptureEvents *events, void *data, GError **error);
/* Ends the browser. Only from `failed`, or from outside of all events. */
void rec_page_capture_free (RecPageCapture *capture);

bool rec_page_capture_is_open (const RecPageCapture *capture);
/* Tells look of some pictures a second. */
void rec_page_capture_watch (RecPageCapture *capture, bool is_watching);
void rec_page_capture_force_keyframe (RecPageCapture *capture);

/* From now on a page that is silent has failed; while it loads it may be busy. */
void rec_page_capture_guard (RecPageCapture *capture);
/* Whether the page has not answered us for two seconds. */
bool rec_page_capture_is_silent (const RecPageCapture *capture);

/* Asks the page whether any picture, video or drawing of it is visible, whatever its colour. */
typedef void (*RecPageAnswered) (bool is_yes, void *data);
void rec_page_capture_ask_for_media (RecPageCapture *capture, RecPageAnswered answered);

#endif
