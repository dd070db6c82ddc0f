/* opus.c - what the bytes of Opus say: its header, and how long a packet lasts. */
#include "opus.h"

#include <string.h>

bool
rec_opus_check_head (const RecTrack *track, RecError *error)
{
  const uint8_t *head = track->codec_data;

  if (track->codec_data_size != REC_OPUS_HEAD_SIZE || head == NULL ||
      memcmp (head, "OpusHead", 8) != 0 || head[18] != 0)
    return rec_fail (error, REC_FAIL_INVALID,
        "track %u comes without the OpusHead of mono or stereo", track->id);
  return true;
}

/* The first byte says how long each frame is and how many there are. */
double
rec_opus_get_ms (const uint8_t *data, size_t size)
{
  static const double silk[] = { 10, 20, 40, 60 }, hybrid[] = { 10, 20 },
                      celt[] = { 2.5, 5, 10, 20 };
  unsigned config, n_frames = 1;
  double frame_ms;

  if (size == 0)
    return 0;
  config = data[0] >> 3;
  frame_ms = config < 12 ? silk[config & 3] : config < 16 ? hybrid[config & 1] : celt[config & 3];
  if ((data[0] & 3) == 3)
    n_frames = size > 1 ? data[1] & 63 : 0;
  else if ((data[0] & 3) != 0)
    n_frames = 2;
  return frame_ms * n_frames;
}
