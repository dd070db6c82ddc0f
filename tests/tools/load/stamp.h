/* stamp.h - a time in the picture: a row of black and white cells that survives encoders and scaling. [any] */
#ifndef RECTO_LOAD_STAMP_H
#define RECTO_LOAD_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/* The brightness plane of a picture. */
typedef struct {
  uint8_t *data;
  int stride, width, height;
} LoadPlane;

/* ms: 0 to 4095. The place is the same in planes of colour, which are to be grey there. */
void load_stamp_fill (LoadPlane plane, uint8_t value);
void load_stamp_write (LoadPlane plane, unsigned ms);
/* False when there is none that can be trusted. */
bool load_stamp_read (LoadPlane plane, unsigned *ms);

#endif
