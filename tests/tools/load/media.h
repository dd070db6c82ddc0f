/* media.h - what a participant shows and says: a loop of encoded packets, made once and sent by as many as there are. */
#ifndef RECTO_LOAD_MEDIA_H
#define RECTO_LOAD_MEDIA_H

#include <glib.h>
#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#define LOAD_LOOP_US (4 * G_USEC_PER_SEC)
#define LOAD_AUDIO_PAYLOAD 111
#define LOAD_VIDEO_PAYLOAD 96
#define LOAD_PICTURES 12u /* participants that differ in colour and tone; more begin anew */

typedef struct {
  const char *codec; /* "VP8" or "H264" */
  int width, height, frame_rate, kbps, keyframe_ms;
  bool is_busy; /* all of the picture moves, not just somebody in the middle */
  bool flashes; /* dark and silent but for a flash and a beep every 2 s, to measure how they fit */
} LoadFormat;

typedef struct {
  int64_t at_us; /* from the start of the loop */
  GstBuffer *payload;
  bool is_marked, is_keyframe; /* of a frame: its last packet; all packets of a keyframe */
} LoadPacket;

typedef struct {
  GArray *tracks[2]; /* audio, video: of LoadPacket, in order of time */
} LoadMedia;

/* Takes seconds of the processor. One for each number up to LOAD_PICTURES. [any] */
LoadMedia *load_media_new (const LoadFormat *format, unsigned number, GError **error);
void load_media_free (LoadMedia *media);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LoadMedia, load_media_free)

/* 0xRRGGBB and Hz of a participant. */
uint32_t load_media_get_colour (unsigned number);
double load_media_get_tone (unsigned number);

#endif
