/* fake-browser.h - one peer connection of a browser, made of GStreamer's parts: publishes or watches one stream. */
#ifndef RECTO_TESTS_FAKE_BROWSER_H
#define RECTO_TESTS_FAKE_BROWSER_H

#include <glib.h>
#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct FakeBrowser FakeBrowser;
typedef struct FakeStudio FakeStudio;

typedef enum {
  FAKE_AUDIO = 1 << 0,
  FAKE_VIDEO = 1 << 1,
  FAKE_RESENDS = 1 << 2, /* lost video is asked for, and sent again */
} FakeMedia;

/* A candidate of the browser. [main] */
typedef void (*FakeCandidate) (const char *candidate, unsigned mline_index, void *data);

FakeBrowser *fake_publisher_new (FakeMedia media, FakeCandidate candidate, void *data);
FakeBrowser *fake_watcher_new (FakeMedia media, FakeCandidate candidate, void *data);
void fake_browser_free (FakeBrowser *browser);

/* Encodes one sound (50 packets a second) and one tiny picture (5 a second), for as many publishers as there may be. */
FakeStudio *fake_studio_new (void);
void fake_studio_free (FakeStudio *studio); /* All its publishers are freed. */
void fake_studio_count_sent (FakeStudio *studio, unsigned *audio, unsigned *video); /* packets */
/* Sends copies, and passes wishes for a keyframe on to the studio. */
FakeBrowser *fake_studio_publisher_new (FakeStudio *studio, FakeCandidate candidate, void *data);

/* Waits for it; borrowed. */
const char *fake_browser_make_offer (FakeBrowser *browser);
void fake_browser_take_answer (FakeBrowser *browser, const char *answer);

/* Loses each n-th packet of video on the way: from a publisher, to a watcher; 0: none. */
void fake_browser_lose_video (FakeBrowser *browser, unsigned nth);
unsigned fake_browser_count_lost (FakeBrowser *browser);
unsigned fake_browser_count_keyframe_wishes (FakeBrowser *browser);

/* Of a watcher. */
void fake_browser_ask_for_keyframe (FakeBrowser *browser);

typedef struct {
  unsigned audio, video; /* packets */
  unsigned keyframes;
  unsigned holes; /* in the numbers of the video packets */
  unsigned audio_holes;
  unsigned leaps; /* of the video's timestamps, by more than two seconds or backwards */
  uint32_t video_ssrc;
} FakeReceived;

FakeReceived fake_browser_get_received (FakeBrowser *browser);

/* Borrowed. */
GstElement *fake_browser_get_webrtc (FakeBrowser *browser);

#endif
