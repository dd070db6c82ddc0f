/* mp4-track.c - one track of an MP4 file and the index of its samples, kept as the final tables. */
#include "mp4-track.h"

#include "opus.h"

#define NS_PER_S 1000000000
#define VIDEO_SCALE 90000u

int64_t
rec_mp4_to_ticks (int64_t time_ns, uint32_t scale)
{
  int64_t seconds = time_ns / NS_PER_S, rest = time_ns % NS_PER_S;

  if (rest < 0) {
    seconds--;
    rest += NS_PER_S;
  }
  return seconds * scale + (rest * scale + NS_PER_S / 2) / NS_PER_S;
}

/* --- sample descriptions ----------------------------------------------------------------------- */

/* avc1: all parameters are in the record; avc3: samples may bring others. */
static void
put_avc (RecBytes *stsd, const char *type, int32_t width, int32_t height, const uint8_t *avcc,
    uint32_t avcc_size)
{
  const size_t entry = rec_bytes_begin_box (stsd, type);
  size_t record;

  rec_bytes_put_zeros (stsd, 6);
  rec_bytes_put_u16 (stsd, 1); /* data reference */
  rec_bytes_put_zeros (stsd, 16);
  rec_bytes_put_u16 (stsd, (uint16_t) width);
  rec_bytes_put_u16 (stsd, (uint16_t) height);
  rec_bytes_put_u32 (stsd, 72u << 16); /* dots per inch */
  rec_bytes_put_u32 (stsd, 72u << 16);
  rec_bytes_put_u32 (stsd, 0);
  rec_bytes_put_u16 (stsd, 1); /* frames per sample */
  rec_bytes_put_zeros (stsd, 32);
  rec_bytes_put_u16 (stsd, 24); /* bits per pixel */
  rec_bytes_put_u16 (stsd, 0xffff);
  record = rec_bytes_begin_box (stsd, "avcC");
  rec_bytes_put (stsd, avcc, avcc_size);
  rec_bytes_end_box (stsd, record);
  rec_bytes_end_box (stsd, entry);
}

static void
put_sound (RecBytes *stsd, uint32_t channels, uint32_t rate)
{
  rec_bytes_put_zeros (stsd, 6);
  rec_bytes_put_u16 (stsd, 1); /* data reference */
  rec_bytes_put_zeros (stsd, 8);
  rec_bytes_put_u16 (stsd, (uint16_t) channels);
  rec_bytes_put_u16 (stsd, 16); /* bits per sample */
  rec_bytes_put_u32 (stsd, 0);
  rec_bytes_put_u32 (stsd, rate << 16);
}

/* "Encapsulation of Opus in ISO Base Media File Format": the OpusHead, with its numbers turned round. */
static void
put_opus (RecBytes *stsd, const RecTrack *description)
{
  const uint8_t *head = description->codec_data;
  const size_t entry = rec_bytes_begin_box (stsd, "Opus");
  size_t dops;

  put_sound (stsd, head[9], REC_OPUS_RATE);
  dops = rec_bytes_begin_box (stsd, "dOps");
  rec_bytes_put_u8 (stsd, 0);                                      /* version */
  rec_bytes_put_u8 (stsd, head[9]);                                /* channels */
  rec_bytes_put_u16 (stsd, (uint16_t) (head[10] | head[11] << 8)); /* pre-skip */
  rec_bytes_put_u32 (stsd, (uint32_t) head[12] | (uint32_t) head[13] << 8 |
                               (uint32_t) head[14] << 16 |
                               (uint32_t) head[15] << 24);         /* of the input */
  rec_bytes_put_u16 (stsd, (uint16_t) (head[16] | head[17] << 8)); /* gain */
  rec_bytes_put_u8 (stsd, 0);                                      /* mono or stereo */
  rec_bytes_end_box (stsd, dops);
  rec_bytes_end_box (stsd, entry);
}

static void
put_mp4a (RecBytes *stsd, const RecTrack *description)
{
  const uint8_t config_size = (uint8_t) description->codec_data_size;
  const size_t entry = rec_bytes_begin_box (stsd, "mp4a");
  size_t esds;

  put_sound (stsd, description->channels, description->rate);
  esds = rec_bytes_begin_full_box (stsd, "esds", 0, 0);
  rec_bytes_put_u8 (stsd, 3); /* ES_Descriptor */
  rec_bytes_put_u8 (stsd, (uint8_t) (3 + 2 + 13 + 2 + config_size + 3));
  rec_bytes_put_u16 (stsd, 0);
  rec_bytes_put_u8 (stsd, 0);
  rec_bytes_put_u8 (stsd, 4); /* DecoderConfigDescriptor */
  rec_bytes_put_u8 (stsd, (uint8_t) (13 + 2 + config_size));
  rec_bytes_put_u8 (stsd, 0x40); /* AAC */
  rec_bytes_put_u8 (stsd, 0x15); /* an audio stream */
  rec_bytes_put_zeros (stsd, 3 + 4 + 4);
  rec_bytes_put_u8 (stsd, 5); /* DecoderSpecificInfo */
  rec_bytes_put_u8 (stsd, config_size);
  rec_bytes_put (stsd, description->codec_data, config_size);
  rec_bytes_put_u8 (stsd, 6); /* SLConfigDescriptor */
  rec_bytes_put_u8 (stsd, 1);
  rec_bytes_put_u8 (stsd, 2);
  rec_bytes_end_box (stsd, esds);
  rec_bytes_end_box (stsd, entry);
}

static bool
is_h264 (const RecTrack *description)
{
  return (description->format & (REC_FORMAT_H264_AVC | REC_FORMAT_H264_ANNEXB)) != 0;
}

static bool
check_description (const RecTrack *description, RecError *error)
{
  if (is_h264 (description)) {
    if (description->format == REC_FORMAT_H264_AVC &&
        (description->codec_data_size < 7 || description->codec_data == NULL))
      return rec_fail (error, REC_FAIL_INVALID, "video track %u comes without its avcC record",
          description->id);
    if (description->width <= 0 || description->height <= 0 || description->width > UINT16_MAX ||
        description->height > UINT16_MAX)
      return rec_fail (error, REC_FAIL_INVALID, "video track %u has no usable size: %dx%d",
          description->id, description->width, description->height);
    return true;
  }
  if (description->format == REC_FORMAT_AAC_RAW) {
    if (description->codec_data == NULL || description->codec_data_size < 2 ||
        description->codec_data_size > 64)
      return rec_fail (error, REC_FAIL_INVALID,
          "audio track %u comes without its AudioSpecificConfig", description->id);
    if (description->rate == 0 || description->rate > UINT16_MAX)
      return rec_fail (error, REC_FAIL_INVALID, "audio track %u has no usable rate: %u",
          description->id, description->rate);
    return true;
  }
  if (description->format == REC_FORMAT_OPUS)
    return rec_opus_check_head (description, error);
  return rec_fail (error, REC_FAIL_UNSUPPORTED,
      "track %u: an MP4 file takes H.264, AAC (raw) and Opus, not format %#x", description->id,
      description->format);
}

/* The box without its only entry; returns what end_stsd needs. */
static size_t
begin_stsd (RecMp4Track *track)
{
  const size_t stsd = rec_bytes_begin_full_box (&track->stsd, "stsd", 0, 0);

  rec_bytes_put_u32 (&track->stsd, 1);
  return stsd;
}

void
rec_mp4_track_set_avcc (RecMp4Track *track, const uint8_t *record, uint32_t size)
{
  const size_t stsd = begin_stsd (track);

  put_avc (&track->stsd, "avc3", track->width, track->height, record, size);
  rec_bytes_end_box (&track->stsd, stsd);
}

bool
rec_mp4_track_init (RecMp4Track *track, const RecTrack *description, RecError *error)
{
  size_t stsd;

  if (!check_description (description, error))
    return false;

  *track = (RecMp4Track){
    .id = description->id,
    .media = is_h264 (description) ? REC_MEDIA_VIDEO : REC_MEDIA_AUDIO,
    .width = description->width,
    .height = description->height,
    .end = -1,
  };
  track->scale = track->media == REC_MEDIA_VIDEO          ? VIDEO_SCALE
                 : description->format == REC_FORMAT_OPUS ? REC_OPUS_RATE
                                                          : description->rate;
  if (track->media == REC_MEDIA_AUDIO && description->codec_delay_ns > 0)
    track->edit_start = rec_mp4_to_ticks (description->codec_delay_ns, track->scale);

  if (description->format == REC_FORMAT_H264_ANNEXB)
    return true;
  stsd = begin_stsd (track);
  if (track->media == REC_MEDIA_VIDEO)
    put_avc (&track->stsd, "avc1", track->width, track->height, description->codec_data,
        description->codec_data_size);
  else if (description->format == REC_FORMAT_OPUS)
    put_opus (&track->stsd, description);
  else
    put_mp4a (&track->stsd, description);
  rec_bytes_end_box (&track->stsd, stsd);
  return !track->stsd.failed || rec_fail (error, REC_FAIL_OTHER, "out of memory");
}

void
rec_mp4_track_clear (RecMp4Track *track)
{
  rec_bytes_clear (&track->stsd);
  rec_bytes_clear (&track->index.stts);
  rec_bytes_clear (&track->index.ctts);
  rec_bytes_clear (&track->index.stss);
  rec_bytes_clear (&track->index.stsz);
  rec_bytes_clear (&track->index.stsc);
  rec_bytes_clear (&track->index.co64);
}

/* --- index -------------------------------------------------------------------------------------- */

/* Tables of (count, value): one more of the same only raises the count. */
static void
put_run (RecBytes *table, uint32_t value)
{
  if (table->size >= 8 && rec_bytes_read_u32 (table->data + table->size - 4) == value) {
    uint8_t *entry = table->data + table->size - 8;

    rec_bytes_set_u32 (table, table->size - 8, rec_bytes_read_u32 (entry) + 1);
    return;
  }
  rec_bytes_put_u32 (table, 1);
  rec_bytes_put_u32 (table, value);
}

static void
add_sample (RecMp4Track *track, const RecMp4Sample *sample)
{
  const int64_t pts = sample->dts + sample->cts;

  if (track->index.n_samples == 0) {
    track->index.first_dts = sample->dts;
    track->index.first_pts = pts;
  } else {
    put_run (&track->index.stts, (uint32_t) (sample->dts - track->index.last_dts));
  }
  if (pts < track->index.first_pts)
    track->index.first_pts = pts;
  put_run (&track->index.ctts, (uint32_t) sample->cts);
  rec_bytes_put_u32 (&track->index.stsz, sample->size);
  track->index.n_samples++;
  if (sample->is_key && track->media == REC_MEDIA_VIDEO)
    rec_bytes_put_u32 (&track->index.stss, track->index.n_samples);
  track->index.has_cts |= sample->cts != 0;
  track->index.has_negative_cts |= sample->cts < 0;
  track->index.last_dts = sample->dts;
  track->index.last_duration = sample->duration;
}

void
rec_mp4_track_add_chunk (RecMp4Track *track, uint64_t offset, const RecMp4Sample *samples,
    uint32_t n_samples)
{
  if (n_samples == 0)
    return;
  for (uint32_t i = 0; i < n_samples; i++)
    add_sample (track, &samples[i]);

  rec_bytes_put_u64 (&track->index.co64, offset);
  track->index.last_offset = offset;
  track->index.n_chunks++;
  if (n_samples != track->index.last_chunk_samples) {
    rec_bytes_put_u32 (&track->index.stsc, track->index.n_chunks);
    rec_bytes_put_u32 (&track->index.stsc, n_samples);
    rec_bytes_put_u32 (&track->index.stsc, 1); /* sample description */
    track->index.last_chunk_samples = n_samples;
  }
}

/* How much later than decoded the first picture is shown. */
static int64_t
get_reorder_delay (const RecMp4Track *track)
{
  return track->index.first_pts - track->index.first_dts;
}

void
rec_mp4_track_close_index (RecMp4Track *track)
{
  if (track->index.n_samples == 0)
    return;
  if (track->media == REC_MEDIA_VIDEO && track->end >= 0) {
    int64_t last_shown = track->index.last_dts + get_reorder_delay (track) - track->edit_start;

    if (track->end > last_shown && track->end - last_shown < UINT32_MAX)
      track->index.last_duration = (uint32_t) (track->end - last_shown);
  }
  put_run (&track->index.stts, track->index.last_duration);
}

uint64_t
rec_mp4_track_get_media_duration (const RecMp4Track *track)
{
  if (track->index.n_samples == 0)
    return 0;
  return (uint64_t) (track->index.last_dts - track->index.first_dts) + track->index.last_duration;
}

static uint64_t
to_movie_scale (int64_t ticks, uint32_t scale)
{
  /* Up, so that an edit never cuts the last sample. */
  return ((uint64_t) ticks * REC_MP4_MOVIE_SCALE + scale - 1) / scale;
}

RecMp4Edit
rec_mp4_track_get_edit (const RecMp4Track *track)
{
  RecMp4Edit edit = { 0 };
  int64_t start, media_end, duration;

  if (track->index.n_samples == 0)
    return edit;
  if (track->media == REC_MEDIA_VIDEO)
    start = track->index.first_pts - track->edit_start;
  else
    start = track->index.first_dts; /* what comes before edit_start is priming */
  if (start < 0)
    start = 0;

  media_end = (int64_t) rec_mp4_track_get_media_duration (track) + get_reorder_delay (track);
  edit.media_start = start + track->edit_start - track->index.first_dts;
  duration = media_end - edit.media_start;
  if (track->end >= start && duration > track->end - start)
    duration = track->end - start;
  edit.delay = to_movie_scale (start, track->scale);
  edit.duration = duration > 0 ? to_movie_scale (duration, track->scale) : 0;
  return edit;
}

uint64_t
rec_mp4_track_get_index_size (const RecMp4Track *track)
{
  return track->stsd.size + track->index.stts.size + track->index.ctts.size +
         track->index.stss.size + track->index.stsz.size + track->index.stsc.size +
         track->index.co64.size + 1024;
}

bool
rec_mp4_track_has_failed (const RecMp4Track *track)
{
  return track->stsd.failed || track->index.stts.failed || track->index.ctts.failed ||
         track->index.stss.failed || track->index.stsz.failed || track->index.stsc.failed ||
         track->index.co64.failed;
}
