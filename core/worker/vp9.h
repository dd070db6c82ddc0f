/* vp9.h - what the head of a VP9 frame says of its size. [any] */
#ifndef REC_WORKER_VP9_H
#define REC_WORKER_VP9_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size in pixels that a decoder makes room for; false when the frame names none: it has that of another one, or is
 * no frame. */
bool rec_vp9_read_size (const uint8_t *data, size_t size, int *width, int *height);

/* Whether there may be further frames in what should be one: an index of several at its end, or something behind the order
 * to show a frame that is there already. */
bool rec_vp9_has_more (const uint8_t *data, size_t size);

#endif
