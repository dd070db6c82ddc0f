/* mp4-walker.c - reads an ordinary MP4 file strictly: every box, every sample. */
#include "lib/mp4-walker.h"

#include <string.h>

typedef struct Span {
  const uint8_t *data;
  gsize size;
} Span;

/* The tables of one track. */
typedef struct Tables {
  Span stts, ctts, stss, stsz, stsc, stco, co64;
} Tables;

static uint64_t
read_number (const uint8_t *data, unsigned n_bytes)
{
  uint64_t value = 0;

  for (unsigned i = 0; i < n_bytes; i++)
    value = value << 8 | data[i];
  return value;
}

/* Numbers that must be there. */
static uint32_t
u32 (Span span, gsize offset)
{
  g_assert_cmpuint (offset + 4, <=, span.size);
  return (uint32_t) read_number (span.data + offset, 4);
}

static uint64_t
u64 (Span span, gsize offset)
{
  g_assert_cmpuint (offset + 8, <=, span.size);
  return read_number (span.data + offset, 8);
}

static bool
take_box (Span *span, char type[5], Span *content)
{
  uint64_t size;
  gsize header = 8;

  if (span->size == 0)
    return false;
  size = u32 (*span, 0);
  u32 (*span, 4);
  memcpy (type, span->data + 4, 4);
  type[4] = '\0';
  if (size == 1) {
    size = u64 (*span, 8);
    header = 16;
  }
  g_assert_cmpuint (size, >=, header);
  g_assert_cmpuint (size, <=, span->size);
  *content = (Span){ span->data + header, size - header };
  *span = (Span){ span->data + size, span->size - size };
  return true;
}

static Span
get_child (Span parent, const char *wanted, bool required)
{
  Span found = { 0 }, content;
  char type[5];

  while (take_box (&parent, type, &content)) {
    if (strcmp (type, wanted) != 0)
      continue;
    g_assert_null (found.data);
    found = content;
  }
  if (required && found.data == NULL)
    g_error ("there is no box '%s'", wanted);
  return found;
}

/* A table must have exactly as many entries as it says. */
static uint32_t
get_n_entries (Span table, gsize entry_size)
{
  const uint32_t n_entries = u32 (table, 4);

  g_assert_cmpuint (table.size, ==, 8 + n_entries * entry_size);
  return n_entries;
}

/* --- samples -------------------------------------------------------------------------------------- */

static void
read_sizes (RecWalkedTrack *track, Span stsz)
{
  const uint32_t n_samples = u32 (stsz, 8);

  g_assert_cmpuint (u32 (stsz, 4), ==, 0);
  g_assert_cmpuint (stsz.size, ==, 12 + 4 * (gsize) n_samples);
  g_array_set_size (track->samples, n_samples);
  for (uint32_t i = 0; i < n_samples; i++)
    g_array_index (track->samples, RecWalkedSample, i) =
        (RecWalkedSample){ .size = u32 (stsz, 12 + 4 * (gsize) i), .is_key = true };
}

static void
read_times (RecWalkedTrack *track, const Tables *tables)
{
  uint32_t n_entries = get_n_entries (tables->stts, 8), sample = 0;
  int64_t dts = 0;

  for (uint32_t i = 0; i < n_entries; i++) {
    for (uint32_t left = u32 (tables->stts, 8 + 8 * i); left > 0; left--, sample++) {
      g_assert_cmpuint (sample, <, track->samples->len);
      g_array_index (track->samples, RecWalkedSample, sample).dts = dts;
      g_array_index (track->samples, RecWalkedSample, sample).duration =
          u32 (tables->stts, 12 + 8 * i);
      dts += u32 (tables->stts, 12 + 8 * i);
    }
  }
  g_assert_cmpuint (sample, ==, track->samples->len);
  g_assert_cmpuint (track->duration, ==, (uint64_t) dts);
  if (tables->ctts.data == NULL)
    return;
  n_entries = get_n_entries (tables->ctts, 8);
  sample = 0;
  for (uint32_t i = 0; i < n_entries; i++) {
    for (uint32_t left = u32 (tables->ctts, 8 + 8 * i); left > 0; left--, sample++) {
      g_assert_cmpuint (sample, <, track->samples->len);
      g_array_index (track->samples, RecWalkedSample, sample).cts =
          (int32_t) u32 (tables->ctts, 12 + 8 * i);
    }
  }
  g_assert_cmpuint (sample, ==, track->samples->len);
}

static void
read_keys (RecWalkedTrack *track, Span stss)
{
  if (stss.data == NULL)
    return;
  for (guint i = 0; i < track->samples->len; i++)
    g_array_index (track->samples, RecWalkedSample, i).is_key = false;
  for (uint32_t i = 0; i < get_n_entries (stss, 4); i++) {
    const uint32_t sample = u32 (stss, 8 + 4 * (gsize) i);

    g_assert_cmpuint (sample, >=, 1);
    g_assert_cmpuint (sample, <=, track->samples->len);
    g_array_index (track->samples, RecWalkedSample, sample - 1).is_key = true;
  }
}

static uint64_t
get_chunk_offset (const Tables *tables, uint32_t chunk)
{
  return tables->stco.data != NULL ? u32 (tables->stco, 8 + 4 * (gsize) chunk)
                                   : u64 (tables->co64, 8 + 8 * (gsize) chunk);
}

static void
read_offsets (RecWalkedTrack *track, const Tables *tables)
{
  const uint32_t n_chunks = tables->stco.data != NULL ? get_n_entries (tables->stco, 4)
                                                      : get_n_entries (tables->co64, 8);
  const uint32_t n_entries = get_n_entries (tables->stsc, 12);
  uint32_t sample = 0;

  for (uint32_t i = 0; i < n_entries; i++) {
    const uint32_t first = u32 (tables->stsc, 8 + 12 * (gsize) i);
    const uint32_t end = i + 1 < n_entries ? u32 (tables->stsc, 8 + 12 * ((gsize) i + 1))
                                           : n_chunks + 1;

    g_assert_cmpuint (first, ==, i == 0 ? 1 : first);
    g_assert_cmpuint (first, <, end);
    g_assert_cmpuint (u32 (tables->stsc, 16 + 12 * (gsize) i), ==, 1);
    for (uint32_t chunk = first; chunk < end; chunk++) {
      uint64_t offset = get_chunk_offset (tables, chunk - 1);

      for (uint32_t left = u32 (tables->stsc, 12 + 12 * (gsize) i); left > 0; left--, sample++) {
        g_assert_cmpuint (sample, <, track->samples->len);
        g_array_index (track->samples, RecWalkedSample, sample).offset = offset;
        offset += g_array_index (track->samples, RecWalkedSample, sample).size;
      }
    }
  }
  g_assert_cmpuint (sample, ==, track->samples->len);
}

static void
read_samples (RecWalkedTrack *track, Span stbl)
{
  const Tables tables = {
    .stts = get_child (stbl, "stts", true),
    .ctts = get_child (stbl, "ctts", false),
    .stss = get_child (stbl, "stss", false),
    .stsz = get_child (stbl, "stsz", true),
    .stsc = get_child (stbl, "stsc", true),
    .stco = get_child (stbl, "stco", false),
    .co64 = get_child (stbl, "co64", false),
  };

  g_assert_true ((tables.stco.data != NULL) != (tables.co64.data != NULL));
  get_child (stbl, "stsd", true);
  read_sizes (track, tables.stsz);
  read_times (track, &tables);
  read_keys (track, tables.stss);
  read_offsets (track, &tables);
}

/* --- boxes ---------------------------------------------------------------------------------------- */

static void
read_edits (RecWalkedTrack *track, Span edts)
{
  Span elst;
  uint32_t n_edits;

  if (edts.data == NULL)
    return;
  elst = get_child (edts, "elst", true);
  n_edits = get_n_entries (elst, 20);
  g_assert_cmpuint (elst.data[0], ==, 1);
  g_assert_cmpuint (n_edits, >=, 1);
  g_assert_cmpuint (n_edits, <=, 2);
  if (n_edits == 2) {
    track->delay = u64 (elst, 8);
    g_assert_cmpint ((int64_t) u64 (elst, 16), ==, -1);
  }
  track->shown = u64 (elst, 8 + 20 * (n_edits - 1));
  track->media_start = (int64_t) u64 (elst, 16 + 20 * (n_edits - 1));
}

static RecWalkedTrack *
read_track (Span trak)
{
  RecWalkedTrack *track = g_new0 (RecWalkedTrack, 1);
  const Span tkhd = get_child (trak, "tkhd", true), mdia = get_child (trak, "mdia", true);
  const Span mdhd = get_child (mdia, "mdhd", true), hdlr = get_child (mdia, "hdlr", true);
  const Span minf = get_child (mdia, "minf", true);

  track->samples = g_array_new (FALSE, TRUE, sizeof (RecWalkedSample));
  g_assert_cmpuint (tkhd.size, ==, 96);
  track->id = u32 (tkhd, 20);
  track->scale = u32 (mdhd, 20);
  track->duration = u64 (mdhd, 24);
  u32 (hdlr, 8);
  track->is_video = memcmp (hdlr.data + 8, "vide", 4) == 0;
  get_child (minf, track->is_video ? "vmhd" : "smhd", true);
  get_child (get_child (minf, "dinf", true), "dref", true);
  read_edits (track, get_child (trak, "edts", false));
  read_samples (track, get_child (minf, "stbl", true));
  g_assert_cmpuint (u64 (tkhd, 28), ==, track->delay + track->shown);
  return track;
}

static void
free_track (void *data)
{
  RecWalkedTrack *track = data;

  g_array_unref (track->samples);
  g_free (track);
}

void
rec_walked_file_free (RecWalkedFile *file)
{
  g_ptr_array_unref (file->tracks);
  g_free (file);
}

static void
check_place (const RecWalkedFile *file, uint64_t begin, uint64_t end)
{
  for (guint i = 0; i < file->tracks->len; i++) {
    const RecWalkedTrack *track = file->tracks->pdata[i];

    for (guint j = 0; j < track->samples->len; j++) {
      const RecWalkedSample *sample = &g_array_index (track->samples, RecWalkedSample, j);

      g_assert_cmpuint (sample->offset, >=, begin);
      g_assert_cmpuint (sample->offset + sample->size, <=, end);
    }
  }
}

RecWalkedFile *
rec_walk_mp4 (const uint8_t *data, gsize size)
{
  RecWalkedFile *file = g_new0 (RecWalkedFile, 1);
  const Span whole = { data, size };
  const Span mdat = get_child (whole, "mdat", true), moov = get_child (whole, "moov", true);
  const Span mvhd = get_child (moov, "mvhd", true);
  Span rest = moov, content;
  char type[5];

  g_assert_cmpint (memcmp (data + 4, "ftyp", 4), ==, 0);
  g_assert_null (get_child (whole, "moof", false).data);
  g_assert_null (get_child (moov, "mvex", false).data);
  file->movie_scale = u32 (mvhd, 20);
  file->duration = u64 (mvhd, 24);
  file->tracks = g_ptr_array_new_with_free_func (free_track);
  while (take_box (&rest, type, &content)) {
    if (strcmp (type, "trak") == 0)
      g_ptr_array_add (file->tracks, read_track (content));
  }
  check_place (file, (uint64_t) (mdat.data - data), (uint64_t) (mdat.data - data) + mdat.size);
  return file;
}
