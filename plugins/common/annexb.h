/* annexb.h - H.264 access units with start codes: as files that count lengths want them. */
#ifndef RECTO_PLUGINS_ANNEXB_H
#define RECTO_PLUGINS_ANNEXB_H

#include "bytes.h"

/* Each NAL unit behind 4 bytes of length; parameter sets stay inside. */
void rec_annexb_put_units (RecBytes *bytes, const uint8_t *data, size_t size);

/* An AVCDecoderConfigurationRecord of the parameter sets in front of a keyframe; its size, or 0 when
 * there are none or they are too large. */
size_t rec_annexb_make_avcc (const uint8_t *data, size_t size, uint8_t *record, size_t capacity);

#endif
