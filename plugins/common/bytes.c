/* bytes.c - a growing buffer of big-endian numbers and length-prefixed boxes. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

void
rec_bytes_clear (RecBytes *bytes)
{
  free (bytes->data);
  *bytes = (RecBytes){ 0 };
}

/* Room for `size` more bytes, or NULL. */
static uint8_t *
extend (RecBytes *bytes, size_t size)
{
  uint8_t *place;

  if (bytes->failed)
    return NULL;
  if (size > bytes->capacity - bytes->size) {
    size_t capacity = bytes->capacity + bytes->capacity / 2 + size + 64;
    uint8_t *data = realloc (bytes->data, capacity);

    if (data == NULL) {
      bytes->failed = true;
      return NULL;
    }
    bytes->data = data;
    bytes->capacity = capacity;
  }
  place = bytes->data + bytes->size;
  bytes->size += size;
  return place;
}

static void
store (uint8_t *place, uint64_t value, unsigned n_bytes)
{
  for (unsigned i = 0; i < n_bytes; i++)
    place[i] = (uint8_t) (value >> (8 * (n_bytes - 1 - i)));
}

static uint64_t
load (const uint8_t *data, unsigned n_bytes)
{
  uint64_t value = 0;

  for (unsigned i = 0; i < n_bytes; i++)
    value = value << 8 | data[i];
  return value;
}

static void
put_number (RecBytes *bytes, uint64_t value, unsigned n_bytes)
{
  uint8_t *place = extend (bytes, n_bytes);

  if (place != NULL)
    store (place, value, n_bytes);
}

static void
set_number (RecBytes *bytes, size_t position, uint64_t value, unsigned n_bytes)
{
  if (!bytes->failed && position + n_bytes <= bytes->size)
    store (bytes->data + position, value, n_bytes);
}

void
rec_bytes_put (RecBytes *bytes, const void *data, size_t size)
{
  uint8_t *place = size > 0 ? extend (bytes, size) : NULL;

  if (place != NULL)
    memcpy (place, data, size);
}

void
rec_bytes_put_zeros (RecBytes *bytes, size_t size)
{
  uint8_t *place = size > 0 ? extend (bytes, size) : NULL;

  if (place != NULL)
    memset (place, 0, size);
}

void
rec_bytes_put_u8 (RecBytes *bytes, uint8_t value)
{
  put_number (bytes, value, 1);
}

void
rec_bytes_put_u16 (RecBytes *bytes, uint16_t value)
{
  put_number (bytes, value, 2);
}

void
rec_bytes_put_u32 (RecBytes *bytes, uint32_t value)
{
  put_number (bytes, value, 4);
}

void
rec_bytes_put_u64 (RecBytes *bytes, uint64_t value)
{
  put_number (bytes, value, 8);
}

void
rec_bytes_put_text (RecBytes *bytes, const char *text)
{
  rec_bytes_put (bytes, text, strlen (text));
}

void
rec_bytes_set_u32 (RecBytes *bytes, size_t position, uint32_t value)
{
  set_number (bytes, position, value, 4);
}

void
rec_bytes_set_u64 (RecBytes *bytes, size_t position, uint64_t value)
{
  set_number (bytes, position, value, 8);
}

size_t
rec_bytes_begin_box (RecBytes *bytes, const char *type)
{
  const size_t begin = bytes->size;

  rec_bytes_put_u32 (bytes, 0);
  rec_bytes_put (bytes, type, 4);
  return begin;
}

size_t
rec_bytes_begin_full_box (RecBytes *bytes, const char *type, uint8_t version, uint32_t flags)
{
  const size_t begin = rec_bytes_begin_box (bytes, type);

  rec_bytes_put_u32 (bytes, (uint32_t) version << 24 | flags);
  return begin;
}

void
rec_bytes_end_box (RecBytes *bytes, size_t begin)
{
  rec_bytes_set_u32 (bytes, begin, (uint32_t) (bytes->size - begin));
}

uint16_t
rec_bytes_read_u16 (const uint8_t *data)
{
  return (uint16_t) load (data, 2);
}

uint32_t
rec_bytes_read_u32 (const uint8_t *data)
{
  return (uint32_t) load (data, 4);
}

uint64_t
rec_bytes_read_u64 (const uint8_t *data)
{
  return load (data, 8);
}
