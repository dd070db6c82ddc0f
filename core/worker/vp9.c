/* vp9.c - reads the size of a VP9 frame from its uncompressed header (VP9 bitstream, 6.2 and 7.2). */
#include "worker/vp9.h"

#define SYNC_CODE 0x498342u
#define COLOURS_RGB 7u

typedef struct {
  const uint8_t *data;
  size_t n_bits, at;
  bool is_over;
} Bits;

static unsigned
take (Bits *bits, unsigned n)
{
  unsigned value = 0;

  for (; n > 0; n--, bits->at++) {
    if (bits->at >= bits->n_bits) {
      bits->is_over = true;
      return 0;
    }
    value = value << 1 | (bits->data[bits->at / 8] >> (7 - bits->at % 8) & 1u);
  }
  return value;
}

static void
skip_colours (Bits *bits, unsigned profile)
{
  if (profile >= 2)
    take (bits, 1); /* bits of a sample */
  if (take (bits, 3) != COLOURS_RGB)
    take (bits, profile & 1 ? 4 : 1); /* range; subsampling */
  else if (profile & 1)
    take (bits, 1);
}

/* Of a frame made of others, which has the size of one of them or names its own. */
static bool
skip_references (Bits *bits)
{
  take (bits, 8 + 3 * 4);
  for (int i = 0; i < 3; i++)
    if (take (bits, 1) != 0)
      return false;
  return true;
}

static bool
skip_to_size (Bits *bits)
{
  if (take (bits, 2) != 2)
    return false;
  unsigned profile = take (bits, 1);
  profile |= take (bits, 1) << 1;
  if (profile == 3)
    take (bits, 1);
  if (take (bits, 1) != 0) /* shows one that is there */
    return false;
  const bool is_key = take (bits, 1) == 0, is_shown = take (bits, 1) != 0;
  const bool resists_errors = take (bits, 1) != 0;
  const bool is_intra = !is_key && !is_shown && take (bits, 1) != 0;

  if (!is_key && !resists_errors)
    take (bits, 2);
  if (!is_key && !is_intra)
    return skip_references (bits);
  if (take (bits, 24) != SYNC_CODE)
    return false;
  if (is_key || profile > 0)
    skip_colours (bits, profile);
  if (is_intra)
    take (bits, 8);
  return true;
}

bool
rec_vp9_read_size (const uint8_t *data, size_t size, int *width, int *height)
{
  Bits bits = { .data = data, .n_bits = size * 8 };

  if (!skip_to_size (&bits))
    return false;
  const unsigned across = take (&bits, 16), down = take (&bits, 16);

  if (bits.is_over)
    return false;
  *width = (int) across + 1;
  *height = (int) down + 1;
  return true;
}

/* Annex B: the index begins and ends with the same byte, which tells how long it is. */
static bool
has_index (const uint8_t *data, size_t size)
{
  const unsigned last = data[size - 1];
  const size_t index = 2 + (size_t) ((last >> 3 & 3) + 1) * ((last & 7) + 1);

  return (last & 0xe0) == 0xc0 && size >= index && data[size - index] == last;
}

/* 6.2: marker, profile and a bit; with profile 3, a zero between. */
static bool
shows_existing (const uint8_t *data, bool is_profile_3)
{
  return is_profile_3 ? (data[0] & 0xf4) == 0xb4 : (data[0] & 0xc8) == 0x88;
}

bool
rec_vp9_has_more (const uint8_t *data, size_t size)
{
  const bool is_profile_3 = size > 0 && (data[0] & 0xf0) == 0xb0;

  if (size == 0)
    return false;
  return has_index (data, size) ||
         (shows_existing (data, is_profile_3) && size > (is_profile_3 ? 2 : 1));
}
