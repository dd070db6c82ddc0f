/* mp4-boxes.c - the boxes of an MP4 file: head, fragments, final index. */
#include "mp4-boxes.h"

#define FLAGS_KEY 0x02000000u /* depends on no other sample */
#define FLAGS_DELTA (0x01000000u | REC_MP4_FLAG_NO_SYNC)

#define TFHD_DEFAULT_BASE_IS_MOOF 0x020000u
#define TFHD_DEFAULT_FLAGS 0x000020u
#define TRUN_DATA_OFFSET 0x000001u
#define TRUN_DURATION 0x000100u
#define TRUN_SIZE 0x000200u
#define TRUN_FLAGS 0x000400u
#define TRUN_CTS 0x000800u

static void
put_matrix (RecBytes *bytes)
{
  static const uint32_t identity[9] = { 1u << 16, 0, 0, 0, 1u << 16, 0, 0, 0, 1u << 30 };

  for (unsigned i = 0; i < 9; i++)
    rec_bytes_put_u32 (bytes, identity[i]);
}

static void
put_mvhd (RecBytes *bytes, uint64_t duration)
{
  const size_t box = rec_bytes_begin_full_box (bytes, "mvhd", 1, 0);

  rec_bytes_put_u64 (bytes, 0); /* created */
  rec_bytes_put_u64 (bytes, 0); /* modified */
  rec_bytes_put_u32 (bytes, REC_MP4_MOVIE_SCALE);
  rec_bytes_put_u64 (bytes, duration);
  rec_bytes_put_u32 (bytes, 1u << 16); /* rate */
  rec_bytes_put_u16 (bytes, 1u << 8);  /* volume */
  rec_bytes_put_zeros (bytes, 10);
  put_matrix (bytes);
  rec_bytes_put_zeros (bytes, 24);
  rec_bytes_put_u32 (bytes, UINT32_MAX); /* next track */
  rec_bytes_end_box (bytes, box);
}

static void
put_tkhd (RecBytes *bytes, const RecMp4Track *track, uint64_t duration)
{
  const size_t box = rec_bytes_begin_full_box (bytes, "tkhd", 1, 3);
  const bool is_audio = track->media == REC_MEDIA_AUDIO;

  rec_bytes_put_u64 (bytes, 0); /* created */
  rec_bytes_put_u64 (bytes, 0); /* modified */
  rec_bytes_put_u32 (bytes, track->id);
  rec_bytes_put_u32 (bytes, 0);
  rec_bytes_put_u64 (bytes, duration);
  rec_bytes_put_zeros (bytes, 12);
  rec_bytes_put_u16 (bytes, is_audio ? 1u << 8 : 0); /* volume */
  rec_bytes_put_u16 (bytes, 0);
  put_matrix (bytes);
  rec_bytes_put_u32 (bytes, is_audio ? 0 : (uint32_t) track->width << 16);
  rec_bytes_put_u32 (bytes, is_audio ? 0 : (uint32_t) track->height << 16);
  rec_bytes_end_box (bytes, box);
}

static void
put_edit (RecBytes *bytes, uint64_t duration, int64_t media_time)
{
  rec_bytes_put_u64 (bytes, duration);
  rec_bytes_put_u64 (bytes, (uint64_t) media_time);
  rec_bytes_put_u32 (bytes, 1u << 16); /* rate */
}

static void
put_edts (RecBytes *bytes, const RecMp4Edit *edit)
{
  const size_t edts = rec_bytes_begin_box (bytes, "edts");
  const size_t elst = rec_bytes_begin_full_box (bytes, "elst", 1, 0);

  rec_bytes_put_u32 (bytes, edit->delay > 0 ? 2 : 1);
  if (edit->delay > 0)
    put_edit (bytes, edit->delay, -1);
  put_edit (bytes, edit->duration, edit->media_start);
  rec_bytes_end_box (bytes, elst);
  rec_bytes_end_box (bytes, edts);
}

static void
put_mdhd (RecBytes *bytes, const RecMp4Track *track, uint64_t duration)
{
  const size_t box = rec_bytes_begin_full_box (bytes, "mdhd", 1, 0);

  rec_bytes_put_u64 (bytes, 0); /* created */
  rec_bytes_put_u64 (bytes, 0); /* modified */
  rec_bytes_put_u32 (bytes, track->scale);
  rec_bytes_put_u64 (bytes, duration);
  rec_bytes_put_u16 (bytes, 0x55c4); /* language: undetermined */
  rec_bytes_put_u16 (bytes, 0);
  rec_bytes_end_box (bytes, box);
}

static void
put_hdlr (RecBytes *bytes, const RecMp4Track *track)
{
  const bool is_audio = track->media == REC_MEDIA_AUDIO;
  const size_t box = rec_bytes_begin_full_box (bytes, "hdlr", 0, 0);

  rec_bytes_put_u32 (bytes, 0);
  rec_bytes_put_text (bytes, is_audio ? "soun" : "vide");
  rec_bytes_put_zeros (bytes, 12);
  if (track->name[0] != '\0')
    rec_bytes_put_text (bytes, track->name);
  else
    rec_bytes_put_text (bytes, is_audio ? REC_MP4_SOUND : REC_MP4_VIDEO);
  rec_bytes_put_u8 (bytes, 0);
  rec_bytes_end_box (bytes, box);
}

static void
put_media_header (RecBytes *bytes, const RecMp4Track *track)
{
  const bool is_audio = track->media == REC_MEDIA_AUDIO;
  const size_t box = rec_bytes_begin_full_box (bytes, is_audio ? "smhd" : "vmhd", 0, !is_audio);

  rec_bytes_put_zeros (bytes, is_audio ? 4 : 8);
  rec_bytes_end_box (bytes, box);
}

static void
put_dinf (RecBytes *bytes)
{
  const size_t dinf = rec_bytes_begin_box (bytes, "dinf");
  const size_t dref = rec_bytes_begin_full_box (bytes, "dref", 0, 0);
  size_t url;

  rec_bytes_put_u32 (bytes, 1);
  url = rec_bytes_begin_full_box (bytes, "url ", 0, 1); /* in this file */
  rec_bytes_end_box (bytes, url);
  rec_bytes_end_box (bytes, dref);
  rec_bytes_end_box (bytes, dinf);
}

/* A table whose entries are complete already. */
static void
put_table (RecBytes *bytes, const char *type, uint8_t version, const RecBytes *entries,
    uint32_t entry_size)
{
  const size_t box = rec_bytes_begin_full_box (bytes, type, version, 0);

  rec_bytes_put_u32 (bytes, (uint32_t) (entries->size / entry_size));
  rec_bytes_put (bytes, entries->data, entries->size);
  rec_bytes_end_box (bytes, box);
}

static void
put_stsz (RecBytes *bytes, const RecBytes *sizes)
{
  const size_t box = rec_bytes_begin_full_box (bytes, "stsz", 0, 0);

  rec_bytes_put_u32 (bytes, 0); /* each sample has its own size */
  rec_bytes_put_u32 (bytes, (uint32_t) (sizes->size / 4));
  rec_bytes_put (bytes, sizes->data, sizes->size);
  rec_bytes_end_box (bytes, box);
}

static void
put_chunk_offsets (RecBytes *bytes, const RecMp4Track *track)
{
  const RecBytes *offsets = &track->index.co64;
  size_t box;

  if (track->index.last_offset > UINT32_MAX) {
    put_table (bytes, "co64", 0, offsets, 8);
    return;
  }
  box = rec_bytes_begin_full_box (bytes, "stco", 0, 0);
  rec_bytes_put_u32 (bytes, (uint32_t) (offsets->size / 8));
  for (size_t i = 0; i < offsets->size; i += 8)
    rec_bytes_put (bytes, offsets->data + i + 4, 4);
  rec_bytes_end_box (bytes, box);
}

static void
put_stbl (RecBytes *bytes, const RecMp4Track *track)
{
  const size_t stbl = rec_bytes_begin_box (bytes, "stbl");
  const uint32_t n_keys = (uint32_t) (track->index.stss.size / 4);

  rec_bytes_put (bytes, track->stsd.data, track->stsd.size);
  put_table (bytes, "stts", 0, &track->index.stts, 8);
  if (track->media == REC_MEDIA_VIDEO && n_keys < track->index.n_samples)
    put_table (bytes, "stss", 0, &track->index.stss, 4);
  if (track->index.has_cts)
    put_table (bytes, "ctts", track->index.has_negative_cts, &track->index.ctts, 8);
  put_table (bytes, "stsc", 0, &track->index.stsc, 12);
  put_stsz (bytes, &track->index.stsz);
  put_chunk_offsets (bytes, track);
  rec_bytes_end_box (bytes, stbl);
}

static void
put_trak (RecBytes *bytes, const RecMp4Track *track, const RecMp4Edit *edit)
{
  const size_t trak = rec_bytes_begin_box (bytes, "trak");
  size_t mdia, minf;

  put_tkhd (bytes, track, edit->delay + edit->duration);
  if (edit->delay > 0 || edit->duration > 0 || edit->media_start > 0)
    put_edts (bytes, edit);
  mdia = rec_bytes_begin_box (bytes, "mdia");
  put_mdhd (bytes, track, rec_mp4_track_get_media_duration (track));
  put_hdlr (bytes, track);
  minf = rec_bytes_begin_box (bytes, "minf");
  put_media_header (bytes, track);
  put_dinf (bytes);
  put_stbl (bytes, track);
  rec_bytes_end_box (bytes, minf);
  rec_bytes_end_box (bytes, mdia);
  rec_bytes_end_box (bytes, trak);
}

static void
put_mvex (RecBytes *bytes, const RecMp4Track *tracks, uint32_t n_tracks)
{
  const size_t mvex = rec_bytes_begin_box (bytes, "mvex");

  for (uint32_t i = 0; i < n_tracks; i++) {
    size_t trex;

    if (tracks[i].stsd.size == 0)
      continue;
    trex = rec_bytes_begin_full_box (bytes, "trex", 0, 0);

    rec_bytes_put_u32 (bytes, tracks[i].id);
    rec_bytes_put_u32 (bytes, 1); /* sample description */
    rec_bytes_put_zeros (bytes, 12);
    rec_bytes_end_box (bytes, trex);
  }
  rec_bytes_end_box (bytes, mvex);
}

bool
rec_mp4_put_head (RecBytes *bytes, const RecMp4Track *tracks, uint32_t n_tracks, size_t size)
{
  size_t box = rec_bytes_begin_box (bytes, "ftyp");

  rec_bytes_put_text (bytes, "isom");
  rec_bytes_put_u32 (bytes, 0x200);
  rec_bytes_put_text (bytes, "isomiso5avc1mp41");
  rec_bytes_end_box (bytes, box);

  box = rec_bytes_begin_box (bytes, "free");
  rec_bytes_put_zeros (bytes, REC_MP4_GAP_SIZE - 8);
  rec_bytes_end_box (bytes, box);

  box = rec_bytes_begin_box (bytes, "moov");
  put_mvhd (bytes, 0);
  for (uint32_t i = 0; i < n_tracks; i++) {
    const RecMp4Edit edit = { .media_start = tracks[i].edit_start };

    if (tracks[i].stsd.size > 0)
      put_trak (bytes, &tracks[i], &edit);
  }
  put_mvex (bytes, tracks, n_tracks);
  rec_bytes_end_box (bytes, box);

  if (size == 0)
    return true;
  box = rec_bytes_begin_box (bytes, "free");
  if (bytes->size <= size)
    rec_bytes_put_zeros (bytes, size - bytes->size);
  rec_bytes_end_box (bytes, box);
  return bytes->size == size;
}

void
rec_mp4_put_index (RecBytes *bytes, const RecMp4Track *tracks, uint32_t n_tracks)
{
  const size_t moov = rec_bytes_begin_box (bytes, "moov");
  uint64_t duration = 0;

  for (uint32_t i = 0; i < n_tracks; i++) {
    const RecMp4Edit edit = rec_mp4_track_get_edit (&tracks[i]);

    if (duration < edit.delay + edit.duration)
      duration = edit.delay + edit.duration;
  }
  put_mvhd (bytes, duration);
  for (uint32_t i = 0; i < n_tracks; i++) {
    const RecMp4Edit edit = rec_mp4_track_get_edit (&tracks[i]);

    if (tracks[i].index.n_samples > 0)
      put_trak (bytes, &tracks[i], &edit);
  }
  rec_bytes_end_box (bytes, moov);
}

/* Returns where the data offset is, which is only known when the moof is complete. */
static size_t
put_traf (RecBytes *bytes, const RecMp4Run *run)
{
  const bool is_video = run->track->media == REC_MEDIA_VIDEO;
  const size_t traf = rec_bytes_begin_box (bytes, "traf");
  uint32_t flags = TRUN_DATA_OFFSET | TRUN_DURATION | TRUN_SIZE;
  size_t box, data_offset;

  box = rec_bytes_begin_full_box (bytes, "tfhd", 0, TFHD_DEFAULT_BASE_IS_MOOF | TFHD_DEFAULT_FLAGS);
  rec_bytes_put_u32 (bytes, run->track->id);
  rec_bytes_put_u32 (bytes, FLAGS_KEY);
  rec_bytes_end_box (bytes, box);

  box = rec_bytes_begin_full_box (bytes, "tfdt", 1, 0);
  rec_bytes_put_u64 (bytes, (uint64_t) run->samples[0].dts);
  rec_bytes_end_box (bytes, box);

  if (is_video)
    flags |= TRUN_FLAGS | TRUN_CTS;
  box = rec_bytes_begin_full_box (bytes, "trun", 1, flags);
  rec_bytes_put_u32 (bytes, run->n_samples);
  data_offset = bytes->size;
  rec_bytes_put_u32 (bytes, 0);
  for (uint32_t i = 0; i < run->n_samples; i++) {
    const RecMp4Sample *sample = &run->samples[i];
    /* The next sample says best how long this one lasts. */
    const uint32_t duration = i + 1 < run->n_samples ? (uint32_t) (sample[1].dts - sample->dts)
                                                     : sample->duration;

    rec_bytes_put_u32 (bytes, duration);
    rec_bytes_put_u32 (bytes, sample->size);
    if (is_video) {
      rec_bytes_put_u32 (bytes, sample->is_key ? FLAGS_KEY : FLAGS_DELTA);
      rec_bytes_put_u32 (bytes, (uint32_t) sample->cts);
    }
  }
  rec_bytes_end_box (bytes, box);
  rec_bytes_end_box (bytes, traf);
  return data_offset;
}

void
rec_mp4_put_fragment (RecBytes *bytes, const RecMp4Run *runs, uint32_t n_runs, uint32_t sequence)
{
  const size_t moof = rec_bytes_begin_box (bytes, "moof");
  const size_t mfhd = rec_bytes_begin_full_box (bytes, "mfhd", 0, 0);
  size_t data_offsets[REC_MP4_MAX_TRACKS] = { 0 };
  uint64_t data_size = 0;

  rec_bytes_put_u32 (bytes, sequence);
  rec_bytes_end_box (bytes, mfhd);
  for (uint32_t i = 0; i < n_runs; i++) {
    if (runs[i].n_samples > 0)
      data_offsets[i] = put_traf (bytes, &runs[i]);
  }
  rec_bytes_end_box (bytes, moof);

  for (uint32_t i = 0; i < n_runs; i++) {
    if (runs[i].n_samples > 0)
      rec_bytes_set_u32 (bytes, data_offsets[i], (uint32_t) (bytes->size - moof + 8 + data_size));
    data_size += runs[i].data_size;
  }
  rec_bytes_put_u32 (bytes, (uint32_t) (8 + data_size));
  rec_bytes_put_text (bytes, "mdat");
}

void
rec_mp4_make_mdat_header (uint8_t header[REC_MP4_GAP_SIZE], uint64_t index_offset)
{
  RecBytes bytes = { .data = header, .capacity = REC_MP4_GAP_SIZE };

  rec_bytes_put_u32 (&bytes, 1); /* the size follows in 64 bits */
  rec_bytes_put_text (&bytes, "mdat");
  rec_bytes_put_u64 (&bytes, index_offset - REC_MP4_GAP_OFFSET);
}
