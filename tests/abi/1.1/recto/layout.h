/* layout.h - what a layout plugin offers: rectangles for the streams, or a page to be recorded.
 *
 * The rules on sizes, ownership and threads are in plugin.h.
 */
#ifndef RECTO_LAYOUT_H
#define RECTO_LAYOUT_H

#include <recto/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- arranging layouts: streams and a canvas in, rectangles out ------------------------------- */

/* RecStream.flags */
enum {
  REC_STREAM_VIDEO = 1u << 0,       /* it has a video track (maybe muted) */
  REC_STREAM_AUDIO = 1u << 1,       /* it has an audio track (maybe muted) */
  REC_STREAM_SCREEN = 1u << 2,      /* the video is a shared screen, not a camera */
  REC_STREAM_SPEAKING = 1u << 3,    /* speaks now */
  REC_STREAM_VIDEO_MUTED = 1u << 4, /* the publisher switched the video off */
  REC_STREAM_AUDIO_MUTED = 1u << 5, /* the publisher switched the audio off */
  REC_STREAM_HAS_PICTURE = 1u << 6, /* at least one picture was decoded, and it can be shown; a
                                       tile given to a stream without one stays empty */
};

typedef struct RecStream {
  uint32_t size;
  uint32_t flags;          /* REC_STREAM_* */
  const char *id;          /* unique in the session */
  const char *participant; /* id of the connection that publishes it */
  const char *data;        /* what the application attached to the participant; "" if nothing */
  const char *role;        /* "PUBLISHER", "MODERATOR", ...; "" if not known */
  const char *classes;     /* layout classes, separated by spaces; "" if none */
  int32_t width, height;   /* of the picture, in pixels, upright; 0: not known yet */
  int64_t joined_ns;       /* file time at which it was published; below 0: before the start */
  int64_t last_spoke_ns;   /* file time at which it was last heard; 0: never */
} RecStream;

typedef struct RecScene {
  uint32_t size;
  int32_t width, height; /* the canvas, in pixels, both above 0 */
  uint32_t n_streams;
  int64_t now_ns;                  /* file time */
  const char *focus_id;            /* stream that was given the focus; NULL: none */
  const RecOptions *options;       /* values of your option table; never NULL */
  const RecStream *const *streams; /* n_streams pointers, in the order in which they joined */
} RecScene;

/* Origin at the top left, y downwards. A rectangle may have fractions of pixels: the core rounds
 * edges (x and x + width, y and y + height), not sizes, down to even pixels, so that neighbours
 * which touch still touch; an edge within 1/64 below an even pixel counts as that pixel. */
typedef struct RecRect {
  float x, y, width, height;
} RecRect;

/* RecTile.fit */
enum {
  REC_FIT_COVER = 1,   /* fill the tile, cut what is too much */
  REC_FIT_CONTAIN = 2, /* show all, leave bars */
  REC_FIT_STRETCH = 3, /* fill the tile, distort */
};

/* Where one stream is shown. Frozen at 64 bytes: it never grows, the reserve does. */
typedef struct RecTile {
  RecRect rect;  /* on the canvas, in pixels; without width or height: hidden. What lies outside
                   the canvas is cut off and logged as the plugin's mistake, as is not-a-number */
  RecRect crop;  /* part of the picture to use, as fractions of its size (0.25, 0, 0.5, 1 is the
                   middle half); all 0: the whole picture */
  int32_t z;     /* higher covers lower; at equal z the later stream covers */
  uint32_t fit;  /* REC_FIT_*; 0: the core's default, cover for cameras, contain for screens */
  float opacity; /* above 0 to 1; 0: not set, which is opaque */
  uint32_t background;  /* 0xAARRGGBB behind the picture, seen in the bars; 0: nothing */
  uint32_t reserved[4]; /* 0 */
} RecTile;

typedef struct RecArrangingLayout {
  RecPlugin plugin; /* .abi = REC_ARRANGING_LAYOUT_ABI */

  /* Fills tiles[i] for scene->streams[i]. `tiles` has scene->n_streams elements, all zero: one you
   * leave alone is hidden. Called when the set of streams, their sizes, kinds or states change,
   * never per frame; must be quick (milliseconds) and must not depend on earlier calls. [pure] */
  void (*arrange) (const RecScene *scene, RecTile *tiles);
} RecArrangingLayout;

#define REC_ARRANGING_LAYOUT_ABI                                                                   \
  {                                                                                                \
    sizeof (RecArrangingLayout), REC_KIND_ARRANGING_LAYOUT, REC_ABI_MAJOR, REC_ABI_MINOR           \
  }

/* --- page layouts: a web page that a browser renders and the worker captures ------------------- */

typedef struct RecPageRequest {
  uint32_t size;
  int32_t width, height; /* what was asked for */
  int32_t frame_rate;
  uint32_t has_audio; /* 1: the recording wants sound */
  uint32_t reserved;
  const RecOptions *options;
  const char *layout_dir; /* folder of the layouts, absolute */
  const char *base_url;   /* where the server serves that folder, ends with "/" */
  const char *layout;     /* the request's customLayout; "" if none; not to be trusted */
  const char *session_id;
  const char *secret; /* lets the page join as recorder, and nothing else */
  const char *recording_id;
} RecPageRequest;

/* The answer. The core fills in size, the buffers and their capacities; all else arrives as 0 and
 * 0 means: as requested. */
typedef struct RecPage {
  uint32_t size;
  uint32_t url_capacity; /* bytes that fit into url, with the final 0 */
  char *url;             /* what the browser opens */
  int32_t width, height; /* of the browser's window */
  int32_t frame_rate;
  uint32_t background;       /* 0xAARRGGBB below the page */
  uint32_t ready_timeout_ms; /* how long the page may take until it shows something */
  uint32_t audio;            /* 0: as requested; 1: record the page's sound; 2: don't */
  uint32_t allow_capacity;   /* bytes that fit into allow, with the final 0 */
  uint32_t reserved;
  char *allow; /* origins the page may load from besides the server, separated by spaces */
} RecPage;

/* Receives one layout; the strings are copied. False: stop, no more are wanted. */
typedef bool (*RecEmit) (void *data, const char *name, const char *summary);

typedef struct RecPageLayout {
  RecPlugin plugin; /* .abi = REC_PAGE_LAYOUT_ABI */

  /* Finds the page for a request, or says why there is none. [folder] */
  bool (*resolve) (const RecPageRequest *request, RecPage *page, RecError *error);

  /* Emits every layout that `folder` offers now, the names as in customLayout. NULL: there is one,
   * without a name. [folder] */
  bool (*list) (const char *folder, RecEmit emit, void *data, RecError *error);
} RecPageLayout;

#define REC_PAGE_LAYOUT_ABI                                                                        \
  {                                                                                                \
    sizeof (RecPageLayout), REC_KIND_PAGE_LAYOUT, REC_ABI_MAJOR, REC_ABI_MINOR                     \
  }

#ifdef __cplusplus
}
#endif

#endif
