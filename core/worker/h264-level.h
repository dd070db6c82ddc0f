/* h264-level.h - the level that H.264 has to tell of pictures of a size, a rate and a bit rate (its Annex A). [any] */
#ifndef REC_WORKER_H264_LEVEL_H
#define REC_WORKER_H264_LEVEL_H

/* The lowest that a decoder needs for the Baseline and Main profiles, as "3.1"; the highest one for what exceeds all. */
const char *rec_h264_level_choose (int width, int height, int frame_rate, int max_kbit_s);

#endif
