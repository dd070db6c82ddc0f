/* sample.h - two seconds of picture and tone in one file, as browsers record them. */
#ifndef RECTO_TESTS_SAMPLE_H
#define RECTO_TESTS_SAMPLE_H

#include <glib.h>

typedef enum {
  SAMPLE_WEBM,           /* VP8, without a duration in its head: MediaRecorder of most */
  SAMPLE_MATROSKA,       /* H.264: MediaRecorder of Chromium when asked for it */
  SAMPLE_MP4,            /* what describes it comes last */
  SAMPLE_FRAGMENTED_MP4, /* MediaRecorder of Safari */
  N_SAMPLES,
} SampleKind;

/* 320x240, with Opus. gst_init () was called. */
GBytes *sample_make (SampleKind kind);

#endif
