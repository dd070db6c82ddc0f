/* media-judge.h - ffprobe and ffmpeg say what a file is. */
#ifndef RECTO_TESTS_MEDIA_JUDGE_H
#define RECTO_TESTS_MEDIA_JUDGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct RecJudgedStream {
  bool is_there;
  double start, duration; /* seconds; -1: not told */
  GArray *times;          /* double: presentation time of each packet, sorted */
} RecJudgedStream;

typedef struct RecJudgement {
  double start, duration;
  RecJudgedStream video, audio;
} RecJudgement;

/* Fails the test if ffprobe has anything to complain about. */
RecJudgement *rec_judge_file (const char *path);
void rec_judgement_free (RecJudgement *judgement);

/* Fails the test if decoding it all gives a single complaint. */
void rec_judge_decodes (const char *path);

/* The sound, decoded to one channel at 48 kHz from file time 0 on. */
GArray *rec_judge_sound (const char *path); /* int16_t */

/* The types of the boxes at the top of an MP4 file, like "ftyp mdat moov". */
char *rec_judge_boxes (const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecJudgement, rec_judgement_free)

#endif
