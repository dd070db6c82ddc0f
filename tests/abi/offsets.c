/* offsets.c - prints where each field of the ABI is, how large it is, and what each constant is worth. */
#include <recto/layout.h>
#include <recto/sink.h>

#include <stdio.h>

#define FIELD(type, field)                                                                         \
  printf (#type "." #field " %zu %zu\n", offsetof (type, field), sizeof (((type *) NULL)->field))
#define CONSTANT(name) printf (#name " %ld\n", (long) (name))

static void
print_fields (void)
{
  FIELD (RecAbi, size);
  FIELD (RecAbi, kind);
  FIELD (RecAbi, major);
  FIELD (RecAbi, minor);
  FIELD (RecOption, size);
  FIELD (RecOption, flags);
  FIELD (RecOption, key);
  FIELD (RecOption, type);
  FIELD (RecOption, reserved);
  FIELD (RecOption, fallback);
  FIELD (RecOption, help);
  FIELD (RecOption, min);
  FIELD (RecOption, max);
  FIELD (RecOption, choices);
  FIELD (RecOptions, size);
  FIELD (RecOptions, reserved);
  FIELD (RecOptions, context);
  FIELD (RecOptions, get_int);
  FIELD (RecOptions, get_bool);
  FIELD (RecOptions, get_string);
  FIELD (RecPlugin, abi);
  FIELD (RecPlugin, id);
  FIELD (RecPlugin, version);
  FIELD (RecPlugin, summary);
  FIELD (RecPlugin, options);
  FIELD (RecError, code);
  FIELD (RecError, message);
  FIELD (RecHost, size);
  FIELD (RecHost, reserved);
  FIELD (RecHost, context);
  FIELD (RecHost, log);
  FIELD (RecHost, add_file);
  FIELD (RecHost, progress);
  FIELD (RecHost, request_keyframe);
  FIELD (RecStream, size);
  FIELD (RecStream, flags);
  FIELD (RecStream, id);
  FIELD (RecStream, participant);
  FIELD (RecStream, data);
  FIELD (RecStream, role);
  FIELD (RecStream, classes);
  FIELD (RecStream, width);
  FIELD (RecStream, height);
  FIELD (RecStream, joined_ns);
  FIELD (RecStream, last_spoke_ns);
  FIELD (RecScene, size);
  FIELD (RecScene, width);
  FIELD (RecScene, height);
  FIELD (RecScene, n_streams);
  FIELD (RecScene, now_ns);
  FIELD (RecScene, focus_id);
  FIELD (RecScene, options);
  FIELD (RecScene, streams);
  FIELD (RecRect, x);
  FIELD (RecRect, y);
  FIELD (RecRect, width);
  FIELD (RecRect, height);
  FIELD (RecTile, rect);
  FIELD (RecTile, crop);
  FIELD (RecTile, z);
  FIELD (RecTile, fit);
  FIELD (RecTile, opacity);
  FIELD (RecTile, background);
  FIELD (RecTile, reserved);
  FIELD (RecArrangingLayout, plugin);
  FIELD (RecArrangingLayout, arrange);
  FIELD (RecPageRequest, size);
  FIELD (RecPageRequest, width);
  FIELD (RecPageRequest, height);
  FIELD (RecPageRequest, frame_rate);
  FIELD (RecPageRequest, has_audio);
  FIELD (RecPageRequest, reserved);
  FIELD (RecPageRequest, options);
  FIELD (RecPageRequest, layout_dir);
  FIELD (RecPageRequest, base_url);
  FIELD (RecPageRequest, layout);
  FIELD (RecPageRequest, session_id);
  FIELD (RecPageRequest, secret);
  FIELD (RecPageRequest, recording_id);
  FIELD (RecPage, size);
  FIELD (RecPage, url_capacity);
  FIELD (RecPage, url);
  FIELD (RecPage, width);
  FIELD (RecPage, height);
  FIELD (RecPage, frame_rate);
  FIELD (RecPage, background);
  FIELD (RecPage, ready_timeout_ms);
  FIELD (RecPage, audio);
  FIELD (RecPage, allow_capacity);
  FIELD (RecPage, reserved);
  FIELD (RecPage, allow);
  FIELD (RecPageLayout, plugin);
  FIELD (RecPageLayout, resolve);
  FIELD (RecPageLayout, list);
  FIELD (RecSinkSetup, size);
  FIELD (RecSinkSetup, mode);
  FIELD (RecSinkSetup, host);
  FIELD (RecSinkSetup, options);
  FIELD (RecSinkSetup, recording_id);
  FIELD (RecSinkSetup, directory);
  FIELD (RecSinkSetup, name);
  FIELD (RecSinkSetup, has_video);
  FIELD (RecSinkSetup, has_audio);
  FIELD (RecSinkSetup, width);
  FIELD (RecSinkSetup, height);
  FIELD (RecSinkSetup, frame_rate);
  FIELD (RecSinkSetup, reserved);
  FIELD (RecNeeds, size);
  FIELD (RecNeeds, video_formats);
  FIELD (RecNeeds, audio_formats);
  FIELD (RecNeeds, max_gop_ms);
  FIELD (RecNeeds, max_video_bitrate);
  FIELD (RecNeeds, max_audio_bitrate);
  FIELD (RecNeeds, audio_rate);
  FIELD (RecNeeds, audio_channels);
  FIELD (RecTrack, size);
  FIELD (RecTrack, id);
  FIELD (RecTrack, media);
  FIELD (RecTrack, codec);
  FIELD (RecTrack, format);
  FIELD (RecTrack, width);
  FIELD (RecTrack, height);
  FIELD (RecTrack, rate);
  FIELD (RecTrack, channels);
  FIELD (RecTrack, codec_data_size);
  FIELD (RecTrack, stream_id);
  FIELD (RecTrack, codec_data);
  FIELD (RecTrack, codec_delay_ns);
#if REC_ABI_MINOR >= 1
  FIELD (RecTrack, stream_formats);
#endif
  FIELD (RecPacket, size);
  FIELD (RecPacket, track_id);
  FIELD (RecPacket, flags);
  FIELD (RecPacket, data_size);
  FIELD (RecPacket, pts_ns);
  FIELD (RecPacket, dts_ns);
  FIELD (RecPacket, duration_ns);
  FIELD (RecPacket, data);
  FIELD (RecSink, plugin);
  FIELD (RecSink, accepts);
  FIELD (RecSink, delivery);
  FIELD (RecSink, needs);
  FIELD (RecSink, open);
  FIELD (RecSink, add_track);
  FIELD (RecSink, write);
  FIELD (RecSink, end_track);
  FIELD (RecSink, finish);
  FIELD (RecSink, recover);
  FIELD (RecSink, close);
}

static void
print_constants (void)
{
  CONSTANT (REC_KIND_ARRANGING_LAYOUT);
  CONSTANT (REC_KIND_PAGE_LAYOUT);
  CONSTANT (REC_KIND_SINK);
  CONSTANT (REC_TYPE_INT);
  CONSTANT (REC_TYPE_BOOL);
  CONSTANT (REC_TYPE_STRING);
  CONSTANT (REC_OPTION_REQUEST);
  CONSTANT (REC_OPTION_SECRET);
  CONSTANT (REC_FAIL_OTHER);
  CONSTANT (REC_FAIL_INVALID);
  CONSTANT (REC_FAIL_UNSUPPORTED);
  CONSTANT (REC_FAIL_IO);
  CONSTANT (REC_FAIL_NO_SPACE);
  CONSTANT (REC_FAIL_DENIED);
  CONSTANT (REC_FAIL_NOT_FOUND);
  CONSTANT (REC_LOG_ERROR);
  CONSTANT (REC_LOG_WARNING);
  CONSTANT (REC_LOG_MESSAGE);
  CONSTANT (REC_LOG_DEBUG);
  CONSTANT (REC_STREAM_VIDEO);
  CONSTANT (REC_STREAM_AUDIO);
  CONSTANT (REC_STREAM_SCREEN);
  CONSTANT (REC_STREAM_SPEAKING);
  CONSTANT (REC_STREAM_VIDEO_MUTED);
  CONSTANT (REC_STREAM_AUDIO_MUTED);
  CONSTANT (REC_STREAM_HAS_PICTURE);
  CONSTANT (REC_FIT_COVER);
  CONSTANT (REC_FIT_CONTAIN);
  CONSTANT (REC_FIT_STRETCH);
  CONSTANT (REC_MEDIA_VIDEO);
  CONSTANT (REC_MEDIA_AUDIO);
  CONSTANT (REC_CODEC_H264);
  CONSTANT (REC_CODEC_VP8);
  CONSTANT (REC_CODEC_AAC);
  CONSTANT (REC_CODEC_OPUS);
  CONSTANT (REC_FORMAT_H264_AVC);
  CONSTANT (REC_FORMAT_H264_ANNEXB);
  CONSTANT (REC_FORMAT_VP8);
  CONSTANT (REC_FORMAT_AAC_RAW);
  CONSTANT (REC_FORMAT_OPUS);
#if REC_ABI_MINOR >= 1
  CONSTANT (REC_CODEC_VP9);
  CONSTANT (REC_FORMAT_VP9);
#endif
  CONSTANT (REC_MODE_COMPOSED);
  CONSTANT (REC_MODE_INDIVIDUAL);
  CONSTANT (REC_DELIVERY_LOSSLESS);
  CONSTANT (REC_DELIVERY_LIVE);
  CONSTANT (REC_PACKET_KEYFRAME);
  CONSTANT (REC_PACKET_DISCONT);
  CONSTANT (REC_FINISH_NORMAL);
  CONSTANT (REC_FINISH_FAILED);
}

int
main (void)
{
  print_fields ();
  print_constants ();
  return 0;
}
