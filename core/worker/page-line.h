/* page-line.h - one line of what the controller in the browser hands over. Pure. [any]
 *
 * See page-controller.js for the lines. A page that broke into the controller could write any. */
#ifndef REC_WORKER_PAGE_LINE_H
#define REC_WORKER_PAGE_LINE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  REC_PAGE_LINE_INVALID = 0,
  REC_PAGE_LINE_VIDEO,
  REC_PAGE_LINE_SOUND,
  REC_PAGE_LINE_SIZE,
  REC_PAGE_LINE_LOOK,
  REC_PAGE_LINE_ERROR,
} RecPageLineKind;

typedef struct {
  RecPageLineKind kind;
  bool is_keyframe;     /* video */
  int64_t timestamp_us; /* video, sound */
  int rate;             /* sound: 8000 to 192000 */
  GBytes *data;         /* video, sound: never empty, whole samples; owned */
  int width, height;    /* size */
  int spread;           /* look: 0 to 255 */
  const char *text;     /* error; points into the line */
} RecPageLine;

/* False: it is none; nothing is owned then. */
bool rec_page_line_parse (const char *text, RecPageLine *line);
void rec_page_line_clear (RecPageLine *line);

#endif
