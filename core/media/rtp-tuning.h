/* rtp-tuning.h - GStreamer's RTP elements as conferences need them. [any] */
#ifndef REC_MEDIA_RTP_TUNING_H
#define REC_MEDIA_RTP_TUNING_H

#include <stdbool.h>

#include <gst/gst.h>

#define REC_RTP_MAX_SOURCES 16u /* SSRCs of one peer, over its life */

/* Before the session runs. */
void rec_rtp_tune_session (GstElement *rtpsession, bool is_receiver);
void rec_rtp_tune_jitter_buffer (GstElement *jitter_buffer);

#endif
