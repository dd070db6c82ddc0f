/* fixture.h - what a publisher sends: pictures and tones as RTP packets with exact times. */
#ifndef RECTO_TESTS_FIXTURE_H
#define RECTO_TESTS_FIXTURE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int64_t pts_ns; /* from the fixture's own start */
  GBytes *rtp;
  bool is_frame_start;
} RecFixturePacket;

typedef struct {
  GPtrArray *packets; /* of RecFixturePacket, in the order of sending */
} RecFixture;

void rec_fixture_free (RecFixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecFixture, rec_fixture_free)

/* 0xRRGGBB of a pixel's place (0 to 1) in picture i. */
typedef uint32_t (*RecPaint) (int i, double x, double y, void *data);

typedef struct {
  const char *codec; /* "VP8", "VP9" or "H264" */
  int width, height, frame_rate, n_frames;
  int keyframe_every; /* frames; 0: only the first */
  uint32_t colour;    /* when paint is NULL */
  RecPaint paint;
  void *data;
} RecVideoFixture;

RecFixture *rec_fixture_video (const RecVideoFixture *recipe);

/* Sample i at 48 kHz, -1 to 1. */
typedef double (*RecWave) (int64_t i, void *data);
RecFixture *rec_fixture_audio (RecWave wave, void *data, double seconds);
/* A sine, half as loud as can be. */
RecFixture *rec_fixture_tone (double hertz, double seconds);

/* Removes packets whose time lies in [from, to). */
void rec_fixture_cut (RecFixture *fixture, double from, double to);
void rec_fixture_shift (RecFixture *fixture, double seconds);

#endif
