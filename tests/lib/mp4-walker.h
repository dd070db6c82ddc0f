/* mp4-walker.h - reads an ordinary MP4 file strictly: every box, every sample. */
#ifndef RECTO_TESTS_MP4_WALKER_H
#define RECTO_TESTS_MP4_WALKER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct RecWalkedSample {
  uint64_t offset;
  uint32_t size;
  int64_t dts, cts; /* media time; presentation minus decoding time */
  uint32_t duration;
  bool is_key;
} RecWalkedSample;

typedef struct RecWalkedTrack {
  uint32_t id, scale;
  bool is_video;
  uint64_t delay;      /* empty edit, in movie time */
  int64_t media_start; /* where the edit begins */
  uint64_t shown;      /* duration of the edit, in movie time */
  uint64_t duration;   /* of the media */
  GArray *samples;     /* RecWalkedSample */
} RecWalkedTrack;

typedef struct RecWalkedFile {
  uint32_t movie_scale;
  uint64_t duration;
  GPtrArray *tracks; /* RecWalkedTrack */
} RecWalkedFile;

/* Fails the test at the first thing that is not as the standard has it, or if a sample does not lie
 * within an mdat box. */
RecWalkedFile *rec_walk_mp4 (const uint8_t *data, gsize size);
void rec_walked_file_free (RecWalkedFile *file);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecWalkedFile, rec_walked_file_free)

#endif
