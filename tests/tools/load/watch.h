/* watch.h - judges one received stream: frames, losses, freezes, and how old its pictures are. */
#ifndef RECTO_LOAD_WATCH_H
#define RECTO_LOAD_WATCH_H

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  LOAD_LOOK_KEYFRAMES = 0, /* decodes only keyframes: cheap */
  LOAD_LOOK_ALL,
} LoadLook;

typedef struct {
  uint64_t packets[2], bytes[2], lost[2]; /* audio, video; lost for good */
  uint64_t frames;  /* of video that could be shown: whole, with all that they build on */
  uint64_t unread;  /* decoded pictures without a time stamp that can be trusted */
  unsigned freezes; /* pauses of the picture that one sees */
  int64_t frozen_ms;
  int64_t first_picture_ms; /* since the stream was asked for; -1: none came */
  int64_t shown_ms;         /* from the first picture to the last */
  GArray *latencies_ms;     /* of int, one for each decoded picture */
} LoadReceived;

void load_received_init (LoadReceived *received);
void load_received_clear (LoadReceived *received);
/* Adds what one stream gave to what others did; times of the first picture are not added. */
void load_received_add (LoadReceived *sum, const LoadReceived *received);

typedef struct LoadWatch LoadWatch;

LoadWatch *load_watch_new (LoadLook look);
void load_watch_free (LoadWatch *watch); /* when its pipeline is stopped */
/* Takes what comes out of this pad of the pipeline. [streaming] */
bool load_watch_add_pad (LoadWatch *watch, GstElement *pipeline, GstPad *pad);
/* A copy; clear it. [any] */
LoadReceived load_watch_get (LoadWatch *watch);

#endif
