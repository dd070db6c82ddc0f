/* individual.c - each stream as it was sent: RTP -> depayload -> sinks, nothing decoded. */
#define G_LOG_DOMAIN "rec.worker.individual"
#include "worker/individual.h"

#include "worker/passage.h"
#include "worker/sink-runner.h"

#include <string.h>

#define MAX_TRACKS 1000
#define GAP_NS REC_NS_PER_SECOND  /* without a packet: worth a word */
#define MAX_TAKES 900             /* `finished` can name a hundred more */
#define MAX_SOUND_US 120000       /* of one Opus packet */
#define MIN_STEP_NS (1000 * 1000) /* between two packets: files count in milliseconds */

typedef struct Stream Stream;

typedef struct Track {
  RecIndividual *individual;
  Stream *stream;
  uint32_t id; /* the server's */
  bool is_video;
  uint32_t sink_id; /* what sinks know it by in this take; 0: not announced yet */
  RecPassage *passage;
  int64_t last_ns;       /* file time of the last packet in this take */
  int64_t sound_from_ns; /* what sounds before is there already */
} Track;

struct Stream {
  RecTake facts;  /* what takes are made of */
  RecTake *take;  /* that goes on, or NULL */
  Stream *before; /* of the same id, not quite at its end; or NULL */
  bool is_recorded;
  bool is_awaited; /* by the start of the recording; nothing has come yet */
  unsigned n_tracks;
};

struct RecIndividual {
  GPtrArray *sinks; /* of RecSinkRunner */
  const RecTimeline *timeline;
  bool takes_audio, takes_video;
  RecIndividualEvents events;
  void *data;
  GHashTable *streams; /* id -> Stream, the last one */
  GPtrArray *all;      /* of Stream */
  GHashTable *tracks;  /* id -> Track */
  GPtrArray *order;    /* of Track, as they were added; borrowed */
  GPtrArray *takes;    /* of RecTake */
  uint32_t last_sink_id;
  bool is_full;
  unsigned n_expected;
  gint n_streams, n_silent; /* atomic */
};

/* --- takes ----------------------------------------------------------------------------------------- */

static void
clear_take (RecTake *take)
{
  g_free (take->stream);
  g_free (take->participant);
  g_free (take->client_data);
  g_free (take->server_data);
  g_free (take->type_of_video);
}

void
rec_take_free (void *take)
{
  clear_take (take);
  g_free (take);
}

static RecTake *
dup_take (const RecTake *facts)
{
  RecTake *take = g_new0 (RecTake, 1);

  take->stream = g_strdup (facts->stream);
  take->participant = g_strdup (facts->participant);
  take->client_data = g_strdup (facts->client_data);
  take->server_data = g_strdup (facts->server_data);
  take->type_of_video = g_strdup (facts->type_of_video);
  take->end_ns = -1;
  return take;
}

static void end_take (RecIndividual *individual, Stream *stream, int64_t end_ns);

/* Who returns is heard of before the end that was ordered takes effect. */
static void
end_before (RecIndividual *individual, Stream *stream, int64_t end_ns)
{
  if (stream->before == NULL)
    return;
  stream->before->is_recorded = false;
  for (unsigned i = 0; i < individual->order->len; i++) {
    Track *track = individual->order->pdata[i];

    if (track->stream == stream->before)
      rec_passage_set_open (track->passage, false);
  }
  end_take (individual, stream->before, end_ns);
}

static bool
begin_take (RecIndividual *individual, Stream *stream, int64_t start_ns)
{
  end_before (individual, stream, start_ns);
  if (individual->takes->len >= MAX_TAKES) {
    if (!individual->is_full)
      individual->events.note ("no further streams are recorded: there are 1000 files already",
          individual->data);
    individual->is_full = true;
    return false;
  }
  stream->take = dup_take (&stream->facts);
  stream->take->start_ns = start_ns;
  g_ptr_array_add (individual->takes, stream->take);
  individual->events.begun (stream->take, individual->data);
  return true;
}

static void
end_in_sinks (RecIndividual *individual, Track *track, int64_t end_ns)
{
  if (track->sink_id == 0)
    return;
  for (unsigned i = 0; i < individual->sinks->len; i++)
    rec_sink_runner_end_track (individual->sinks->pdata[i], track->sink_id,
        MAX (end_ns, track->last_ns));
  track->sink_id = 0;
}

static void
end_take (RecIndividual *individual, Stream *stream, int64_t end_ns)
{
  for (unsigned i = 0; i < individual->order->len; i++) {
    Track *track = individual->order->pdata[i];

    if (track->stream == stream)
      end_in_sinks (individual, track, end_ns);
  }
  if (stream->take == NULL)
    return;
  stream->take->end_ns = MAX (end_ns, stream->take->start_ns);
  individual->events.ended (stream->take, individual->data);
  stream->take = NULL;
}

/* Nobody waits for a stream that was heard of, is gone, or is not to be recorded any more. */
static void
await_no_more (RecIndividual *individual, Stream *stream)
{
  if (stream->is_awaited)
    g_atomic_int_add (&individual->n_silent, -1);
  stream->is_awaited = false;
}

/* --- packets --------------------------------------------------------------------------------------- */

static bool
is_taken (RecSinkRunner *sink, uint32_t format)
{
  const RecNeeds *needs = rec_sink_runner_get_needs (sink);

  return (needs->video_formats | needs->audio_formats) & format;
}

static uint32_t
get_stream_formats (RecIndividual *individual, const Stream *stream)
{
  uint32_t formats = 0;

  for (unsigned i = 0; i < individual->order->len; i++) {
    const Track *track = individual->order->pdata[i];

    if (track->stream == stream)
      formats |= rec_passage_get_format (track->passage);
  }
  return formats;
}

static void
announce (RecIndividual *individual, Track *track, const RecPassageFormat *format)
{
  const RecTrack description = {
    .size = sizeof description,
    .id = ++individual->last_sink_id,
    .media = format->media,
    .codec = format->codec,
    .format = format->format,
    .width = format->width,
    .height = format->height,
    .rate = format->rate,
    .channels = format->channels,
    .codec_data = format->codec_data,
    .codec_data_size = format->codec_data_size,
    .codec_delay_ns = format->codec_delay_ns,
    .stream_id = track->stream->facts.stream,
    .stream_formats = get_stream_formats (individual, track->stream),
  };

  track->sink_id = description.id;
  track->last_ns = 0;
  track->sound_from_ns = track->stream->take->start_ns;
  track->stream->take->has_video |= format->media == REC_MEDIA_VIDEO;
  track->stream->take->has_audio |= format->media == REC_MEDIA_AUDIO;
  for (unsigned i = 0; i < individual->sinks->len; i++)
    if (is_taken (individual->sinks->pdata[i], format->format))
      rec_sink_runner_add_track (individual->sinks->pdata[i], &description);
}

/* RFC 6716, 3.1: how long an Opus packet sounds. */
static int64_t
get_sound_ns (GBytes *bytes)
{
  static const int silk_us[] = { 10000, 20000, 40000, 60000 };
  gsize size;
  const uint8_t *data = g_bytes_get_data (bytes, &size);
  const unsigned configuration = data[0] >> 3;
  int64_t frame_us, n_frames;

  if (configuration < 12)
    frame_us = silk_us[configuration & 3];
  else if (configuration < 16)
    frame_us = silk_us[configuration & 1];
  else
    frame_us = 2500 << (configuration & 3);
  switch (data[0] & 3) {
  case 0:
    n_frames = 1;
    break;
  case 3:
    n_frames = size > 1 ? data[1] & 0x3f : 0;
    break;
  default:
    n_frames = 2;
  }
  return MIN (frame_us * n_frames, MAX_SOUND_US) * 1000;
}

/* Where the first packets of a burst came late, the times of the next ones begin before those end: what would sound at
 * the same time as what is written is left out, for a file has no room for it. */
static bool
take_sound (Track *track, GBytes *bytes, int64_t file_ns)
{
  if (file_ns < track->sound_from_ns)
    return false;
  track->sound_from_ns = file_ns + MAX (get_sound_ns (bytes) / 2,
                                       MIN_STEP_NS); /* the clock may be adjusted a little */
  return true;
}

/* Pictures from before the file begins are needed by those that follow; players want to know which is first. */
static int64_t
get_earliest (const Track *track, const RecPassageFormat *format)
{
  const RecTake *take = track->stream->take;

  if (format->media == REC_MEDIA_AUDIO)
    return 0;
  if (track->sink_id != 0)
    return track->last_ns + MIN_STEP_NS;
  return take != NULL ? take->start_ns : 0;
}

/* False: the packet is not to be recorded. */
static bool
prepare_track (Track *track, const RecPassageFormat *format, int64_t *pts_ns)
{
  RecIndividual *individual = track->individual;
  Stream *stream = track->stream;

  if (*pts_ns < 0 && format->media == REC_MEDIA_AUDIO)
    return false; /* heard before the recording began */
  *pts_ns = MAX (*pts_ns, get_earliest (track, format));
  if (stream->take == NULL && !begin_take (individual, stream, *pts_ns))
    return false;
  if (track->sink_id == 0)
    announce (individual, track, format);
  await_no_more (individual, stream);
  return true;
}

static void
on_packet (const RecPassageFormat *format, GBytes *bytes, int64_t pts_ns, uint32_t flags,
    void *data)
{
  Track *track = data;
  RecIndividual *individual = track->individual;
  int64_t file_ns = rec_timeline_to_file (individual->timeline, pts_ns);
  RecEncodedPacket *packet;
  gsize size;

  if (!prepare_track (track, format, &file_ns))
    return;
  if (format->media == REC_MEDIA_AUDIO && !take_sound (track, bytes, file_ns))
    return;
  if (track->last_ns > 0 && file_ns - track->last_ns > GAP_NS)
    individual->events.gap (track->stream->take, track->is_video, track->last_ns, file_ns,
        individual->data);
  track->last_ns = file_ns;
  packet = rec_encoded_packet_new (bytes, format->media == REC_MEDIA_VIDEO);
  packet->packet = (RecPacket){
    .size = sizeof (RecPacket),
    .track_id = track->sink_id,
    .flags = flags,
    .pts_ns = file_ns,
    .dts_ns = file_ns,
  };
  packet->packet.data = g_bytes_get_data (bytes, &size);
  packet->packet.data_size = (uint32_t) size;
  for (unsigned i = 0; i < individual->sinks->len; i++)
    if (is_taken (individual->sinks->pdata[i], format->format))
      rec_sink_runner_push (individual->sinks->pdata[i], packet);
  rec_encoded_packet_unref (packet);
}

static void
on_keyframe_wanted (void *data)
{
  Track *track = data;

  track->individual->events.keyframe (track->id, track->individual->data);
}

static void
on_note (const char *text, void *data)
{
  Track *track = data;

  track->individual->events.note (text, track->individual->data);
}

/* --- tracks ---------------------------------------------------------------------------------------- */

static void
free_track (gpointer data)
{
  Track *track = data;

  rec_passage_free (track->passage);
  g_free (track);
}

static void
free_stream (gpointer data)
{
  Stream *stream = data;

  clear_take (&stream->facts);
  g_free (stream);
}

static bool
has_medium (RecIndividual *individual, const Stream *stream, bool is_video)
{
  for (unsigned i = 0; i < individual->order->len; i++) {
    const Track *track = individual->order->pdata[i];

    if (track->stream == stream && track->is_video == is_video)
      return true;
  }
  return false;
}

/* A second picture of a stream is that of a new one with the same id. */
static Stream *
get_stream (RecIndividual *individual, const RecCommand *command)
{
  Stream *before = g_hash_table_lookup (individual->streams, command->stream);
  Stream *stream;

  if (before != NULL && !has_medium (individual, before, command->is_video))
    return before;
  stream = g_new0 (Stream, 1);
  stream->before = before;
  g_ptr_array_add (individual->all, stream);
  stream->facts = (RecTake){
    .stream = g_strdup (command->stream),
    .participant = g_strdup (command->participant),
    .client_data = g_strdup (command->client_data),
    .server_data = g_strdup (command->server_data),
    .type_of_video = g_strdup (command->type_of_video),
  };
  stream->is_recorded = command->is_recorded != 0;
  g_hash_table_replace (individual->streams, stream->facts.stream, stream);
  /* What was published before the recording began is added first. */
  stream->is_awaited = stream->is_recorded && (unsigned) g_atomic_int_get (&individual->n_streams) <
                                                  individual->n_expected;
  if (stream->is_awaited) {
    g_atomic_int_inc (&individual->n_streams);
    g_atomic_int_inc (&individual->n_silent);
  }
  return stream;
}

static void
add_track (RecIndividual *individual, const RecCommand *command)
{
  static const RecPassageEvents events = {
    .packet = on_packet,
    .keyframe_wanted = on_keyframe_wanted,
    .note = on_note,
  };
  const bool is_wanted = command->is_video ? individual->takes_video : individual->takes_audio;
  Track *track;

  if (!is_wanted || individual->order->len >= MAX_TRACKS ||
      g_hash_table_contains (individual->tracks, GUINT_TO_POINTER (command->track_id)))
    return;
  track = g_new0 (Track, 1);
  track->individual = individual;
  track->id = command->track_id;
  track->is_video = command->is_video;
  track->passage = rec_passage_new (command, &events, track);
  if (track->passage == NULL) {
    g_free (track);
    return;
  }
  track->stream = get_stream (individual, command);
  rec_passage_set_open (track->passage, track->stream->is_recorded);
  track->stream->n_tracks++;
  g_hash_table_insert (individual->tracks, GUINT_TO_POINTER (track->id), track);
  g_ptr_array_add (individual->order, track);
}

static void
remove_stream (RecIndividual *individual, Stream *stream)
{
  await_no_more (individual, stream);
  if (g_hash_table_lookup (individual->streams, stream->facts.stream) == stream)
    g_hash_table_remove (individual->streams, stream->facts.stream);
  for (unsigned i = 0; i < individual->all->len; i++) {
    Stream *other = individual->all->pdata[i];

    if (other->before == stream)
      other->before = NULL;
  }
  g_ptr_array_remove (individual->all, stream);
}

static void
end_track (RecIndividual *individual, const RecCommand *command)
{
  Track *track = g_hash_table_lookup (individual->tracks, GUINT_TO_POINTER (command->track_id));
  const int64_t end_ns = rec_timeline_to_file (individual->timeline, command->at_ns);
  Stream *stream;

  if (track == NULL)
    return;
  stream = track->stream;
  rec_passage_run (track->passage, command->at_ns);
  end_in_sinks (individual, track, end_ns);
  g_ptr_array_remove (individual->order, track);
  g_hash_table_remove (individual->tracks, GUINT_TO_POINTER (command->track_id));
  if (--stream->n_tracks > 0)
    return;
  end_take (individual, stream, end_ns);
  remove_stream (individual, stream);
}

static void
set_recorded (RecIndividual *individual, Stream *stream, bool is_recorded, int64_t at_ns)
{
  if (stream->is_recorded == is_recorded)
    return;
  stream->is_recorded = is_recorded;
  for (unsigned i = 0; i < individual->order->len; i++) {
    Track *track = individual->order->pdata[i];

    if (track->stream != stream)
      continue;
    rec_passage_run (track->passage, at_ns);
    rec_passage_set_open (track->passage, is_recorded);
  }
  if (is_recorded)
    return;
  await_no_more (individual, stream);
  end_take (individual, stream, rec_timeline_to_file (individual->timeline, at_ns));
}

static void
change_state (RecIndividual *individual, const RecCommand *command)
{
  Stream *stream = g_hash_table_lookup (individual->streams, command->stream);

  if (stream != NULL && command->is_recorded >= 0)
    set_recorded (individual, stream, command->is_recorded == 1, command->at_ns);
}

void
rec_individual_apply (RecIndividual *individual, const RecCommand *command)
{
  if (individual == NULL)
    return;
  if (command->type == REC_COMMAND_TRACK_ADD)
    add_track (individual, command);
  else if (command->type == REC_COMMAND_TRACK_END)
    end_track (individual, command);
  else if (command->type == REC_COMMAND_STREAM_STATE)
    change_state (individual, command);
}

void
rec_individual_push (RecIndividual *individual, uint32_t track_id, GstBuffer *rtp, int64_t pts_ns,
    bool is_discont)
{
  Track *track = individual != NULL
                     ? g_hash_table_lookup (individual->tracks, GUINT_TO_POINTER (track_id))
                     : NULL;

  if (track != NULL)
    rec_passage_push (track->passage, rtp, pts_ns, is_discont);
}

void
rec_individual_run (RecIndividual *individual, int64_t until_ns)
{
  if (individual == NULL)
    return;
  for (unsigned i = 0; i < individual->order->len; i++) {
    Track *track = individual->order->pdata[i];

    rec_passage_run (track->passage, individual->timeline->start_ns + until_ns);
  }
}

void
rec_individual_end (RecIndividual *individual, int64_t end_ns)
{
  if (individual == NULL)
    return;
  rec_individual_run (individual, end_ns);
  for (unsigned i = 0; i < individual->all->len; i++)
    end_take (individual, individual->all->pdata[i], end_ns);
}

/* --- life ------------------------------------------------------------------------------------------ */

RecIndividual *
rec_individual_new (GPtrArray *sinks, const RecTimeline *timeline, bool takes_audio,
    bool takes_video, const RecIndividualEvents *events, void *data)
{
  RecIndividual *individual = g_new0 (RecIndividual, 1);

  individual->sinks = g_ptr_array_new ();
  for (unsigned i = 0; i < sinks->len; i++)
    if (rec_sink_runner_get_mode (sinks->pdata[i]) == REC_MODE_INDIVIDUAL)
      g_ptr_array_add (individual->sinks, sinks->pdata[i]);
  individual->timeline = timeline;
  individual->takes_audio = takes_audio;
  individual->takes_video = takes_video;
  individual->events = *events;
  individual->data = data;
  individual->streams = g_hash_table_new (g_str_hash, g_str_equal);
  individual->all = g_ptr_array_new_with_free_func (free_stream);
  individual->tracks = g_hash_table_new_full (NULL, NULL, NULL, free_track);
  individual->order = g_ptr_array_new ();
  individual->takes = g_ptr_array_new_with_free_func (rec_take_free);
  if (individual->sinks->len > 0)
    return individual;
  rec_individual_free (individual);
  return NULL;
}

void
rec_individual_free (RecIndividual *individual)
{
  if (individual == NULL)
    return;
  g_ptr_array_unref (individual->order);
  g_hash_table_unref (individual->tracks);
  g_hash_table_unref (individual->streams);
  g_ptr_array_unref (individual->all);
  g_ptr_array_unref (individual->takes);
  g_ptr_array_unref (individual->sinks);
  g_free (individual);
}

int64_t
rec_individual_count_bytes (RecIndividual *individual)
{
  int64_t bytes = 0;

  for (unsigned i = 0; individual != NULL && i < individual->order->len; i++)
    bytes += rec_passage_get_bytes (((Track *) individual->order->pdata[i])->passage);
  return bytes;
}

void
rec_individual_expect (RecIndividual *individual, unsigned n_streams)
{
  if (individual != NULL)
    individual->n_expected = n_streams;
}

void
rec_individual_count (RecIndividual *individual, unsigned *n_streams, unsigned *n_silent)
{
  *n_streams = individual != NULL ? (unsigned) g_atomic_int_get (&individual->n_streams) : 0;
  *n_silent = individual != NULL ? (unsigned) g_atomic_int_get (&individual->n_silent) : 0;
}

GPtrArray *
rec_individual_get_takes (RecIndividual *individual)
{
  return individual->takes;
}
