/* count.c - counts the packets of a recording into NAME.count.txt; can be told to misbehave. */
#include <recto/sink.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_TRACKS 2 /* of a composed recording */

typedef struct Track {
  uint32_t id, media;
  unsigned long long n_packets, n_keyframes, n_bytes;
} Track;

typedef struct Count {
  const RecHost *host;
  const char *fault;
  int64_t after; /* packets until the fault shows */
  char *path;
  const char *file; /* the last part of path */
  Track tracks[MAX_TRACKS];
  unsigned n_tracks;
} Count;

static bool
is_fault (const Count *count, const char *fault)
{
  return strcmp (count->fault, fault) == 0;
}

static bool
count_needs (const RecSinkSetup *setup, RecNeeds *needs, RecError *error)
{
  (void) error;
  if (setup->has_video)
    needs->video_formats = REC_FORMAT_H264_AVC | REC_FORMAT_H264_ANNEXB | REC_FORMAT_VP8;
  if (setup->has_audio)
    needs->audio_formats = REC_FORMAT_AAC_RAW | REC_FORMAT_OPUS;
  return true;
}

static void
count_close (void *sink)
{
  Count *count = sink;

  free (count->path);
  free (count);
}

static void *
count_open (const RecSinkSetup *setup, RecError *error)
{
  Count *count = calloc (1, sizeof *count);
  size_t size = strlen (setup->directory) + strlen (setup->name) + sizeof "/.count.txt";

  if (count == NULL || (count->path = malloc (size)) == NULL) {
    free (count);
    rec_fail (error, REC_FAIL_OTHER, "out of memory");
    return NULL;
  }
  snprintf (count->path, size, "%s/%s.count.txt", setup->directory, setup->name);
  count->file = strrchr (count->path, '/') + 1;
  count->host = setup->host;
  count->after = setup->options->get_int (setup->options, "after");
  count->fault = setup->options->get_string (setup->options, "fault");
  if (!is_fault (count, "fail-open"))
    return count;
  rec_fail (error, REC_FAIL_OTHER, "told to fail when opened");
  count_close (count);
  return NULL;
}

static bool
count_add_track (void *sink, const RecTrack *track, RecError *error)
{
  Count *count = sink;

  if (count->n_tracks == MAX_TRACKS)
    return rec_fail (error, REC_FAIL_UNSUPPORTED, "track %u is one too many", track->id);
  count->tracks[count->n_tracks++] = (Track){ .id = track->id, .media = track->media };
  return true;
}

static bool
count_write (void *sink, const RecPacket *packet, RecError *error)
{
  Count *count = sink;

  if (count->after-- <= 0) {
    while (is_fault (count, "stall"))
      pause ();
    if (is_fault (count, "fail-write"))
      return rec_fail (error, REC_FAIL_OTHER, "told to fail when written to");
  }
  for (unsigned i = 0; i < count->n_tracks; i++) {
    Track *track = &count->tracks[i];

    if (track->id != packet->track_id)
      continue;
    track->n_packets++;
    track->n_keyframes += (packet->flags & REC_PACKET_KEYFRAME) != 0;
    track->n_bytes += packet->data_size;
  }
  return true;
}

static bool
count_end_track (void *sink, uint32_t track_id, int64_t end_ns, RecError *error)
{
  Count *count = sink;

  (void) error;
  rec_log (count->host, REC_LOG_DEBUG, "track %u ended at %lld ms", track_id,
      (long long) (end_ns / 1000000));
  return true;
}

static bool
count_finish (void *sink, uint32_t why, RecError *error)
{
  Count *count = sink;
  FILE *file;
  bool failed;

  if (is_fault (count, "fail-finish"))
    return rec_fail (error, REC_FAIL_OTHER, "told to fail when finished");
  file = fopen (count->path, "wx"); /* x: overwrite nothing */
  if (file == NULL)
    return rec_fail (error, REC_FAIL_IO, "cannot create '%s': %s", count->path, strerror (errno));
  for (unsigned i = 0; i < count->n_tracks; i++) {
    const Track *track = &count->tracks[i];

    fprintf (file, "%s: %llu packets, %llu keyframes, %llu bytes\n",
        track->media == REC_MEDIA_VIDEO ? "video" : "audio", track->n_packets, track->n_keyframes,
        track->n_bytes);
  }
  fprintf (file, "%s\n", why == REC_FINISH_NORMAL ? "complete" : "cut short");
  failed = ferror (file) != 0;
  if (fclose (file) != 0 || failed)
    return rec_fail (error, REC_FAIL_IO, "cannot write '%s'", count->path);
  count->host->add_file (count->host, count->file, "text/plain", NULL);
  return true;
}

static const char *const faults[] = { "none", "stall", "fail-open", "fail-write", "fail-finish",
  NULL };

static const RecOption *const count_options[] = {
  REC_OPTION_CHOICE (REC_OPTION_REQUEST, "fault", "none", "How to misbehave", faults),
  REC_OPTION_INT (REC_OPTION_REQUEST, "after", "0", "Packets before it stalls or fails to write", 0,
      1000000),
  REC_OPTION_END,
};

static const RecSink count = {
  .plugin.abi = REC_SINK_ABI,
  .plugin.id = "count",
  .plugin.version = "1.0",
  .plugin.summary = "Counts packets into a text file",
  .plugin.options = count_options,
  .accepts = REC_MODE_COMPOSED,
  .delivery = REC_DELIVERY_LIVE,
  .needs = count_needs,
  .open = count_open,
  .add_track = count_add_track,
  .write = count_write,
  .end_track = count_end_track,
  .finish = count_finish,
  .close = count_close,
};
REC_REGISTER_PLUGIN (count)
