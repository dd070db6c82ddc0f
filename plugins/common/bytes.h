/* bytes.h - a growing buffer of big-endian numbers and length-prefixed boxes. */
#ifndef RECTO_PLUGINS_BYTES_H
#define RECTO_PLUGINS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty buffer. After a failed allocation `failed` stays set and puts do nothing: ask
 * once, at the end. */
typedef struct RecBytes {
  uint8_t *data;
  size_t size, capacity;
  bool failed;
} RecBytes;

void rec_bytes_clear (RecBytes *bytes); /* frees; the buffer can be used again */

void rec_bytes_put (RecBytes *bytes, const void *data, size_t size);
void rec_bytes_put_zeros (RecBytes *bytes, size_t size);
void rec_bytes_put_u8 (RecBytes *bytes, uint8_t value);
void rec_bytes_put_u16 (RecBytes *bytes, uint16_t value);
void rec_bytes_put_u32 (RecBytes *bytes, uint32_t value);
void rec_bytes_put_u64 (RecBytes *bytes, uint64_t value);
void rec_bytes_put_text (RecBytes *bytes, const char *text); /* without the final 0 */

/* Overwrite what is already there. */
void rec_bytes_set_u32 (RecBytes *bytes, size_t position, uint32_t value);
void rec_bytes_set_u64 (RecBytes *bytes, size_t position, uint64_t value);

/* An ISO BMFF box: begin returns what end needs to fill in the size. */
size_t rec_bytes_begin_box (RecBytes *bytes, const char *type);
size_t rec_bytes_begin_full_box (RecBytes *bytes, const char *type, uint8_t version,
    uint32_t flags);
void rec_bytes_end_box (RecBytes *bytes, size_t begin);

uint16_t rec_bytes_read_u16 (const uint8_t *data);
uint32_t rec_bytes_read_u32 (const uint8_t *data);
uint64_t rec_bytes_read_u64 (const uint8_t *data);

#endif
