/* page-run.h - a page recording from its browser's start to its end: when the page is ready, what becomes of one that
 * fails, and its way into the recorder. [main] */
#ifndef REC_WORKER_PAGE_RUN_H
#define REC_WORKER_PAGE_RUN_H

#include "worker/page-recipe.h"
#include "worker/recorder.h"

#include <stdbool.h>

typedef struct RecPageRun RecPageRun;

/* Tracks of the page; the server's are counted from 1. */
#define REC_PAGE_VIDEO_TRACK (UINT32_MAX - 1)
#define REC_PAGE_AUDIO_TRACK UINT32_MAX

/* Never within a call of rec_page_run_*, but rec_page_run_free may not be called from them. */
typedef struct {
  void (*ready) (void *data); /* once: the page has painted, or it fell back */
  /* Once: there is nothing to record; or the browser is none. */
  void (*failed) (const char *why, bool is_unusable, void *data);
  void (*say) (json_object *message, void *data); /* takes a message "page" for the server */
} RecPageRunEvents;

/* Starts the browser. The recipe stays the caller's and outlives it. */
RecPageRun *rec_page_run_new (const RecPageRecipe *recipe, bool has_video,
    const RecPageRunEvents *events, void *data, GError **error);
void rec_page_run_free (RecPageRun *run);

/* After ready. The recorder has started and lives until rec_page_run_end. */
void rec_page_run_begin (RecPageRun *run, RecRecorder *recorder, int64_t start_ns);
/* The recording is over: nothing more goes to the recorder, and the browser ends. */
void rec_page_run_end (RecPageRun *run);

/* The page's participant; n_streams: with a picture, -1: not known. */
void rec_page_run_set_joined (RecPageRun *run, bool has_joined, int n_streams);
void rec_page_run_force_keyframe (RecPageRun *run);
/* Whether it is the page that is recorded, not what it fell back to. */
bool rec_page_run_is_page (const RecPageRun *run);

#endif
