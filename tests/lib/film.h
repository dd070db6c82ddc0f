/* film.h - a finished file as its viewer gets it: pictures and samples, decoded by ffmpeg. */
#ifndef RECTO_TESTS_FILM_H
#define RECTO_TESTS_FILM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int width, height;
  double frame_rate;
  GPtrArray *
      frames; /* of GBytes, RGB, 3 bytes a pixel; in the order of the file, none added or left out */
  GArray *sound;                         /* float, one channel at 48 kHz, from file time 0 */
  double video_duration, audio_duration; /* -1: no such track */
  char *video_codec, *audio_codec;       /* as ffprobe calls them, or NULL */
} RecFilm;

RecFilm *rec_film_new (const char *path);
void rec_film_free (RecFilm *film);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecFilm, rec_film_free)

/* 0xRRGGBB */
uint32_t rec_film_get_pixel (const RecFilm *film, unsigned frame, int x, int y);
/* Whether each channel differs by at most 40. */
bool rec_film_is_near (uint32_t a, uint32_t b);
/* Fails the test, naming frame, place and both colours. */
void rec_film_assert_pixel (const RecFilm *film, unsigned frame, int x, int y, uint32_t colour);
/* A rectangle of one colour: centre and corners 2 pixels inside; outside its edges by 2 pixels it ends, where the canvas goes on. */
void rec_film_assert_box (const RecFilm *film, unsigned frame, int x, int y, int width, int height,
    uint32_t colour);

/* Amplitude of a frequency between two times, by Goertzel's algorithm: 0 to 1. */
double rec_film_get_tone (const RecFilm *film, double hertz, double from, double to);
/* The loudest sample. */
double rec_film_get_peak (const RecFilm *film, double from, double to);

#endif
