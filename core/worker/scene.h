/* scene.h - the streams of a recording, what the layout plugin makes of them, and where on the canvas that is. */
#ifndef REC_WORKER_SCENE_H
#define REC_WORKER_SCENE_H

#include <glib.h>
#include <recto/layout.h>

/* One stream as the layout sees it; the strings are owned by the scene. */
typedef struct {
  RecStream stream; /* flags, picture size, joined_ns: write them, then rec_scene_touch */
  uint32_t audio_track, video_track; /* 0: none */
  uint64_t order;
} RecSceneStream;

typedef struct {
  int32_t x, y, width, height;
} RecBox;

/* A stream's place, in whole even pixels. */
typedef struct {
  uint32_t video_track;
  RecBox tile;    /* background and picture lie in here */
  RecBox picture; /* on the canvas; empty: only the background is seen */
  RecBox source;  /* part of the decoded picture that goes there */
  float opacity;
  uint32_t background; /* 0xAARRGGBB; 0: nothing */
} RecPlacement;

/* The stream that is a captured page: as long as it has a picture, it alone is shown, and the layout is not asked. */
#define REC_SCENE_PAGE "\001page"

typedef struct RecSceneBoard RecSceneBoard;

/* arrange may be NULL (nothing is shown). options are borrowed; name is the plugin's, for messages. */
RecSceneBoard *rec_scene_new (int width, int height, const char *name,
    const RecArrangingLayout *layout, const RecOptions *options);
void rec_scene_free (RecSceneBoard *board);

/* The stream with this id, made when it is new; NULL when there are too many. */
RecSceneStream *rec_scene_add (RecSceneBoard *board, const char *id, const char *participant,
    const char *data, int64_t joined_ns);
/* NULL: as before. */
void rec_scene_describe (RecSceneBoard *board, RecSceneStream *stream, const char *role,
    const char *classes);
RecSceneStream *rec_scene_find (RecSceneBoard *board, const char *id);
RecSceneStream *rec_scene_find_track (RecSceneBoard *board, uint32_t track_id);
void rec_scene_remove (RecSceneBoard *board, RecSceneStream *stream);
/* Something the layout looks at has changed. */
void rec_scene_touch (RecSceneBoard *board);

/* Asks the layout when something has changed since the last call: true, and placements in painting order. */
bool rec_scene_arrange (RecSceneBoard *board, int64_t now_ns, GArray **placements);

/* One tile -> one placement; false: hidden. *is_wrong: the tile broke the rules and was cut or dropped. Exposed for
 * tests. [any] */
bool rec_scene_place (int canvas_width, int canvas_height, const RecStream *stream,
    const RecTile *tile, RecPlacement *placement, bool *is_wrong);

#endif
