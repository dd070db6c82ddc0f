/* annexb.c - H.264 access units with start codes: as files that count lengths want them. */
#include "annexb.h"

#include <string.h>

enum { NAL_SPS = 7, NAL_PPS = 8 };

/* The next unit; moves behind it. False: there is none. */
static bool
take_unit (const uint8_t **data, size_t *left, const uint8_t **unit, size_t *size)
{
  const uint8_t *place = *data, *end = *data + *left, *next;

  while (place + 3 <= end && !(place[0] == 0 && place[1] == 0 && place[2] == 1))
    place++;
  if (place + 3 >= end)
    return false;
  *unit = place + 3;
  for (next = *unit; next + 3 <= end && !(next[0] == 0 && next[1] == 0 && next[2] <= 1); next++)
    ;
  if (next + 3 > end)
    next = end;
  *size = (size_t) (next - *unit);
  *data = next;
  *left = (size_t) (end - next);
  while (*size > 0 && (*unit)[*size - 1] == 0)
    (*size)--; /* zeros before the next start code */
  return true;
}

void
rec_annexb_put_units (RecBytes *bytes, const uint8_t *data, size_t size)
{
  const uint8_t *unit;
  size_t unit_size;

  while (take_unit (&data, &size, &unit, &unit_size)) {
    if (unit_size == 0)
      continue;
    rec_bytes_put_u32 (bytes, (uint32_t) unit_size);
    rec_bytes_put (bytes, unit, unit_size);
  }
}

static bool
find_unit (const uint8_t *data, size_t size, unsigned type, const uint8_t **unit, size_t *unit_size)
{
  while (take_unit (&data, &size, unit, unit_size)) {
    if (*unit_size > 3 && ((*unit)[0] & 31) == type)
      return true;
  }
  return false;
}

size_t
rec_annexb_make_avcc (const uint8_t *data, size_t size, uint8_t *record, size_t capacity)
{
  const uint8_t *sps, *pps;
  size_t sps_size, pps_size;

  if (!find_unit (data, size, NAL_SPS, &sps, &sps_size) ||
      !find_unit (data, size, NAL_PPS, &pps, &pps_size) || sps_size > capacity ||
      pps_size > capacity || 11 + sps_size + pps_size > capacity)
    return 0;
  record[0] = 1;                   /* version */
  memcpy (record + 1, sps + 1, 3); /* profile, constraints, level */
  record[4] = 0xff;                /* lengths of 4 bytes */
  record[5] = 0xe1;                /* one SPS */
  record[6] = (uint8_t) (sps_size >> 8);
  record[7] = (uint8_t) sps_size;
  memcpy (record + 8, sps, sps_size);
  record[8 + sps_size] = 1; /* one PPS */
  record[9 + sps_size] = (uint8_t) (pps_size >> 8);
  record[10 + sps_size] = (uint8_t) pps_size;
  memcpy (record + 11 + sps_size, pps, pps_size);
  return 11 + sps_size + pps_size;
}
