/* tracks.c - published streams to feeds and track messages. */
#define G_LOG_DOMAIN "rec.recording.tracks"
#include "recording/tracks.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "media/router.h"
#include "session/session.h"

#define MAX_LINE_BYTES 450000
#define MAX_DATA_BYTES 65536 /* as the control socket's table has it */

typedef struct {
  const RecStreamInfo *stream; /* valid until rec_tracks_end */
  RecFeed *feed;
  uint32_t audio_id, video_id; /* 0: none */
} Track;

struct RecTracks {
  RecRouter *router;
  RecWorkerProcess *worker;
  RecFeedPipe *pipe;
  GArray *tracks; /* of Track */
  uint32_t last_id;
};

RecTracks *
rec_tracks_new (const RecConfig *config, RecRouter *router, RecWorkerProcess *worker,
    GError **error)
{
  RecFeedPipe *pipe = rec_feed_pipe_new (config, rec_worker_process_take_media_fd (worker), error);

  if (pipe == NULL)
    return NULL;
  RecTracks *tracks = g_new0 (RecTracks, 1);
  tracks->router = router;
  tracks->worker = worker;
  tracks->pipe = pipe;
  tracks->tracks = g_array_new (FALSE, TRUE, sizeof (Track));
  return tracks;
}

void
rec_tracks_free (RecTracks *tracks)
{
  if (tracks == NULL)
    return;
  for (guint i = 0; i < tracks->tracks->len; i++)
    rec_router_detach_feed (tracks->router, g_array_index (tracks->tracks, Track, i).feed);
  rec_feed_pipe_free (tracks->pipe);
  g_array_unref (tracks->tracks);
  g_free (tracks);
}

bool
rec_tracks_is_recorded (const RecStreamInfo *stream)
{
  return stream->owner->connection == NULL || stream->owner->connection->record;
}

static bool
is_screen (const RecStreamInfo *stream)
{
  return g_strcmp0 (stream->type_of_video, "SCREEN") == 0;
}

static void
set_data (json_object *message, const char *name, const char *text)
{
  rec_json_set_string (message, name, strlen (text) <= MAX_DATA_BYTES ? text : "");
}

static void
send_track_add (RecTracks *tracks, const RecStreamInfo *stream, uint32_t id,
    const RecTrackFormat *format)
{
  json_object *message = json_object_new_object ();
  const RecParticipant *owner = stream->owner;

  rec_json_set_int (message, "track", id);
  rec_json_set_string (message, "stream", stream->id);
  rec_json_set_string (message, "participant", owner->id);
  set_data (message, "data", owner->metadata);
  set_data (message, "clientData", owner->client_data);
  set_data (message, "serverData", owner->server_data);
  rec_json_set_string (message, "role", rec_role_to_string (owner->role));
  if (stream->type_of_video != NULL)
    rec_json_set_string (message, "typeOfVideo", stream->type_of_video);
  rec_json_set_string (message, "media", format->kind == REC_TRACK_AUDIO ? "audio" : "video");
  rec_json_set_string (message, "codec", format->codec);
  rec_json_set_int (message, "payloadType", format->payload_type);
  rec_json_set_int (message, "clockRate", format->clock_rate);
  rec_json_set_string (message, "fmtp", format->fmtp);
  rec_json_set_bool (message, "isScreen", is_screen (stream));
  rec_json_set_bool (message, "record", rec_tracks_is_recorded (stream));
  rec_json_set_int (message, "joinedNs", stream->created_at_ticks_ms * 1000000);
  /* What is full of control characters grows on its way: a line of the socket is bounded. */
  if (strlen (json_object_to_json_string_ext (message, JSON_C_TO_STRING_PLAIN)) > MAX_LINE_BYTES) {
    json_object_object_del (message, "clientData");
    json_object_object_del (message, "serverData");
  }
  rec_worker_process_send (tracks->worker, REC_CONTROL_TRACK_ADD, message);
}

static void
send_track_end (RecTracks *tracks, uint32_t id)
{
  if (id == 0)
    return;
  json_object *message = json_object_new_object ();
  rec_json_set_int (message, "track", id);
  rec_json_set_int (message, "atNs", g_get_monotonic_time () * 1000);
  rec_worker_process_send (tracks->worker, REC_CONTROL_TRACK_END, message);
}

static uint32_t
announce (RecTracks *tracks, RecStreamInfo *stream, RecTrackKind kind)
{
  RecTrackFormat format;

  if (!rec_router_get_format (tracks->router, stream, kind, &format))
    return 0;
  send_track_add (tracks, stream, ++tracks->last_id, &format);
  return tracks->last_id;
}

static guint
find (const RecTracks *tracks, const RecStreamInfo *stream)
{
  guint i = 0;

  while (i < tracks->tracks->len && g_array_index (tracks->tracks, Track, i).stream != stream)
    i++;
  return i;
}

bool
rec_tracks_add (RecTracks *tracks, RecStreamInfo *stream, GError **error)
{
  Track track = { .stream = stream };

  if (find (tracks, stream) < tracks->tracks->len)
    return true;
  /* Announced first: the control socket is read before the packets that follow it. */
  track.audio_id = announce (tracks, stream, REC_TRACK_AUDIO);
  track.video_id = announce (tracks, stream, REC_TRACK_VIDEO);
  if (track.audio_id == 0 && track.video_id == 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "it has neither sound nor picture");
    return false;
  }
  rec_tracks_change (tracks, stream);
  track.feed = rec_router_attach_feed (tracks->router, stream, tracks->pipe, track.audio_id,
      track.video_id, error);
  if (track.feed == NULL) {
    send_track_end (tracks, track.audio_id);
    send_track_end (tracks, track.video_id);
    return false;
  }
  g_array_append_val (tracks->tracks, track);
  return true;
}

void
rec_tracks_end (RecTracks *tracks, RecStreamInfo *stream)
{
  guint i = find (tracks, stream);

  if (i == tracks->tracks->len)
    return;
  Track track = g_array_index (tracks->tracks, Track, i);
  g_array_remove_index (tracks->tracks, i);
  rec_router_detach_feed (tracks->router, track.feed);
  send_track_end (tracks, track.audio_id);
  send_track_end (tracks, track.video_id);
}

void
rec_tracks_change (RecTracks *tracks, RecStreamInfo *stream)
{
  json_object *message = json_object_new_object ();

  rec_json_set_string (message, "stream", stream->id);
  rec_json_set_bool (message, "audioActive", stream->audio_active);
  rec_json_set_bool (message, "videoActive", stream->video_active);
  rec_json_set_bool (message, "isScreen", is_screen (stream));
  rec_json_set_bool (message, "record", rec_tracks_is_recorded (stream));
  rec_worker_process_send (tracks->worker, REC_CONTROL_STREAM_STATE, message);
}

void
rec_tracks_request_keyframe (RecTracks *tracks, uint32_t track_id)
{
  for (guint i = 0; i < tracks->tracks->len; i++) {
    const Track *track = &g_array_index (tracks->tracks, Track, i);

    if (track->video_id == track_id && track_id != 0)
      rec_feed_request_keyframe (track->feed);
  }
}

void
rec_tracks_for_each (const RecTracks *tracks, RecTracksEach each, void *data)
{
  for (guint i = 0; i < tracks->tracks->len; i++) {
    const Track *track = &g_array_index (tracks->tracks, Track, i);
    RecFeedStats stats;

    rec_feed_get_stats (track->feed, &stats);
    each (track->stream->id, &stats, data);
  }
}
