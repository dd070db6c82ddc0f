/* h264-level.c - the table of levels, ITU-T H.264 Table A-1, without 1b. */
#include "worker/h264-level.h"

#include <glib.h>
#include <stdint.h>

#define BLOCK 16 /* pixels of a macroblock's side */

typedef struct {
  const char *name;
  int blocks_per_second, blocks, kbit_s; /* at most */
} Level;

static const Level levels[] = {
  { "1", 1485, 99, 64 },
  { "1.1", 3000, 396, 192 },
  { "1.2", 6000, 396, 384 },
  { "1.3", 11880, 396, 768 },
  { "2", 11880, 396, 2000 },
  { "2.1", 19800, 792, 4000 },
  { "2.2", 20250, 1620, 4000 },
  { "3", 40500, 1620, 10000 },
  { "3.1", 108000, 3600, 14000 },
  { "3.2", 216000, 5120, 20000 },
  { "4", 245760, 8192, 20000 },
  { "4.1", 245760, 8192, 50000 },
  { "4.2", 522240, 8704, 50000 },
  { "5", 589824, 22080, 135000 },
  { "5.1", 983040, 36864, 240000 },
  { "5.2", 2073600, 36864, 240000 },
};

const char *
rec_h264_level_choose (int width, int height, int frame_rate, int max_kbit_s)
{
  const int64_t columns = (width + BLOCK - 1) / BLOCK, rows = (height + BLOCK - 1) / BLOCK;
  const int64_t longest = MAX (columns, rows);

  for (size_t i = 0; i < G_N_ELEMENTS (levels); i++) {
    const Level *level = &levels[i];

    if (columns * rows <= level->blocks && longest * longest <= INT64_C (8) * level->blocks &&
        columns * rows * frame_rate <= level->blocks_per_second && max_kbit_s <= level->kbit_s)
      return level->name;
  }
  return levels[G_N_ELEMENTS (levels) - 1].name;
}
