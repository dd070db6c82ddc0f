/* stamp.c - white, black, 12 bits of time and 4 bits that check them, side by side in the middle of the picture.
 *
 * A layout may cut off a picture's edges, so the row keeps away from them. */
#include "stamp.h"

#include <string.h>

#define CELLS 18
#define WHITE 235
#define BLACK 16
#define LEAST_CONTRAST 60

static unsigned
get_check (unsigned ms)
{
  return ((ms >> 8) ^ (ms >> 4) ^ ms ^ 5) & 15;
}

static bool
is_white (unsigned code, int cell)
{
  if (cell < 2)
    return cell == 0;
  return (code >> (CELLS - 1 - cell)) & 1;
}

/* The left edge of a cell; that of the cell behind the last is the right edge of the row. */
static int
get_edge (const LoadPlane *plane, int cell)
{
  return plane->width / 8 + cell * (plane->width * 3 / 4) / CELLS;
}

#define TOP(plane) ((plane).height * 44 / 100)
#define BOTTOM(plane) ((plane).height * 56 / 100)

void
load_stamp_fill (LoadPlane plane, uint8_t value)
{
  const int left = get_edge (&plane, 0), right = get_edge (&plane, CELLS);

  for (int y = TOP (plane); y < BOTTOM (plane); y++)
    memset (plane.data + y * plane.stride + left, value, (size_t) (right - left));
}

void
load_stamp_write (LoadPlane plane, unsigned ms)
{
  const unsigned code = (ms & 4095) << 4 | get_check (ms);

  for (int y = TOP (plane); y < BOTTOM (plane); y++)
    for (int cell = 0; cell < CELLS; cell++)
      memset (plane.data + y * plane.stride + get_edge (&plane, cell),
          is_white (code, cell) ? WHITE : BLACK,
          (size_t) (get_edge (&plane, cell + 1) - get_edge (&plane, cell)));
}

/* The mean of the middle of a cell. */
static int
get_brightness (const LoadPlane *plane, int cell)
{
  const int left = get_edge (plane, cell), width = get_edge (plane, cell + 1) - left;
  int sum = 0, n = 0;

  for (int y = plane->height * 48 / 100; y <= plane->height * 52 / 100; y++)
    for (int x = left + width / 3; x <= left + width * 2 / 3; x++, n++)
      sum += plane->data[y * plane->stride + x];
  return sum / n;
}

bool
load_stamp_read (LoadPlane plane, unsigned *ms)
{
  const int white = get_brightness (&plane, 0), black = get_brightness (&plane, 1);
  unsigned code = 0;

  if (white - black < LEAST_CONTRAST)
    return false;
  for (int cell = 2; cell < CELLS; cell++)
    code = code << 1 | (get_brightness (&plane, cell) > (white + black) / 2 ? 1u : 0);
  *ms = code >> 4;
  return (code & 15) == get_check (*ms);
}
