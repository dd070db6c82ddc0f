/* worker-rig.c - spawns `recto --worker`, speaks the control protocol and sends media packets. */
#include "lib/worker-rig.h"

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "wire/control.h"
#include "wire/packet.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PACKETS_START_NS (INT64_C (1000) * 1000000000)
#define PATIENCE_US (20 * G_USEC_PER_SEC)

typedef struct {
  uint32_t track;
  int64_t pts_ns;
  unsigned order;
  GBytes *rtp;
} Queued;

struct RecRigControl {
  RecControl *control;
  GHashTable *next_numbers; /* track -> sequence number that follows, + 1 */
  GPtrArray *queued;
  unsigned n_queued;
};

/* --- what the worker says -------------------------------------------------------------------------- */

static void
on_message (RecControl *control, RecControlType type, json_object *message, void *data)
{
  RecWorkerRig *rig = data;
  uint32_t track;

  (void) control;
  switch (type) {
  case REC_CONTROL_HELLO:
    rig->is_greeted = true;
    break;
  case REC_CONTROL_READY:
    rig->is_ready = true;
    break;
  case REC_CONTROL_STARTED:
    rig->has_started = true;
    rig->started_us = g_get_monotonic_time ();
    break;
  case REC_CONTROL_KEYFRAME:
    track = (uint32_t) rec_json_int_or (message, "track", 0);
    g_array_append_val (rig->keyframes, track);
    break;
  case REC_CONTROL_NOTE:
    g_ptr_array_add (rig->notes, g_strdup (rec_json_string_or (message, "text", "")));
    break;
  case REC_CONTROL_PAGE:
    json_object_array_add (rig->pages, json_object_get (message));
    break;
  case REC_CONTROL_STATS:
    json_object_put (rig->stats);
    rig->stats = json_object_get (message);
    break;
  case REC_CONTROL_PROGRESS:
    rig->gets_on = ++rig->n_progress > 1;
    break;
  case REC_CONTROL_FINISHED:
    json_object_put (rig->finished);
    rig->finished = json_object_get (message);
    break;
  case REC_CONTROL_FAILED:
    g_free (rig->failure);
    rig->failure = g_strdup (rec_json_string_or (message, "message", ""));
    g_free (rig->refusal);
    rig->refusal = g_strdup (rec_json_string_or (message, "code", NULL));
    break;
  default:
    break;
  }
}

static void
on_closed (RecControl *control, const GError *error, void *data)
{
  RecWorkerRig *rig = data;

  (void) control;
  g_assert_no_error (error);
  rig->is_gone = true;
}

static gboolean
on_late (gpointer data)
{
  *(bool *) data = true;
  return G_SOURCE_CONTINUE;
}

void
rec_worker_rig_wait (RecWorkerRig *rig, const bool *flag, const char *what)
{
  bool is_late = false;
  const unsigned source = g_timeout_add (PATIENCE_US / 1000, on_late, &is_late);

  while (!*flag && !is_late && !(rig->is_gone && flag != &rig->is_gone))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
  if (!*flag)
    g_error ("waited for the worker to %s; %s; failure: %s", what,
        rig->is_gone ? "it is gone" : "it did not in 20 s", rig->failure);
}

void
rec_worker_rig_wait_finished (RecWorkerRig *rig)
{
  rec_worker_rig_wait (rig, &rig->is_gone, "finish");
  if (rig->finished == NULL)
    g_error ("the worker ended without finished; failure: %s", rig->failure);
}

void
rec_worker_rig_run_for (RecWorkerRig *rig, double seconds)
{
  bool is_over = false;
  const unsigned source = g_timeout_add ((unsigned) (seconds * 1000), on_late, &is_over);

  (void) rig;
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
}

/* --- the process ----------------------------------------------------------------------------------- */

static void
spawn (RecWorkerRig *rig)
{
  const char *program = g_getenv ("RECTO") != NULL ? g_getenv ("RECTO") : REC_BUILD_DIR "/recto";
  const char *const argv[] = { program, "--worker", NULL };
  const int targets[2] = { REC_WIRE_CONTROL_FD, REC_WIRE_MEDIA_FD };
  g_autoptr (GError) error = NULL;
  int control[2], media[2], sources[2];

  rec_fd_socketpair (SOCK_STREAM, control, &error);
  g_assert_no_error (error);
  rec_fd_socketpair (SOCK_SEQPACKET, media, &error);
  g_assert_no_error (error);
  sources[0] = control[1];
  sources[1] = media[1];
  g_spawn_async_with_pipes_and_fds (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1,
      -1, sources, targets, 2, &rig->pid, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  rec_fd_close (&control[1]);
  rec_fd_close (&media[1]);
  rig->media_fd = media[0];
  rig->own = g_new0 (struct RecRigControl, 1);
  rig->own->control = rec_control_new (control[0], false, on_message, on_closed, rig);
  rig->own->queued = g_ptr_array_new ();
  rig->own->next_numbers = g_hash_table_new (NULL, NULL);
}

int
rec_worker_rig_reap (RecWorkerRig *rig)
{
  if (rig->is_reaped)
    return rig->status;
  rec_worker_rig_wait (rig, &rig->is_gone, "end");
  g_assert_cmpint (waitpid (rig->pid, &rig->status, 0), ==, rig->pid);
  rig->is_reaped = true;
  return rig->status;
}

/* --- setup ----------------------------------------------------------------------------------------- */

static char *
find_built (const char *relative)
{
  return g_build_filename (REC_BUILD_DIR, relative, NULL);
}

static json_object *
describe_sinks (const char *text)
{
  json_object *sinks = json_tokener_parse (
      text != NULL ? text
                   : "[{\"id\": \"mp4\", \"file\": \"plugins/mp4.so\", \"required\": true}]");

  g_assert_nonnull (sinks);
  for (size_t i = 0; i < json_object_array_length (sinks); i++) {
    json_object *sink = json_object_array_get_idx (sinks, i);
    g_autofree char *file = find_built (rec_json_string_or (sink, "file", ""));

    rec_json_set_string (sink, "file", file);
    if (!rec_json_has (sink, "options"))
      rec_json_take (sink, "options", json_object_new_object ());
  }
  return sinks;
}

static json_object *
describe_recording (const RecWorkerRig *rig, const RecRigOptions *options)
{
  json_object *recording = json_object_new_object ();

  rec_json_set_string (recording, "id", "r1");
  rec_json_set_string (recording, "directory", rig->directory);
  rec_json_set_string (recording, "name", "film");
  rec_json_set_int (recording, "width", options->width);
  rec_json_set_int (recording, "height", options->height);
  rec_json_set_int (recording, "frameRate", options->frame_rate);
  rec_json_set_bool (recording, "hasAudio", !options->no_audio);
  rec_json_set_bool (recording, "hasVideo", !options->no_video);
  rec_json_set_bool (recording, "individual", options->is_individual);
  return recording;
}

static json_object *
describe_encoder (const RecRigOptions *options)
{
  json_object *encoder = json_object_new_object ();

  rec_json_set_string (encoder, "preset", "ultrafast");
  rec_json_set_int (encoder, "crf", 18);
  rec_json_set_int (encoder, "maxBitrate", 8000);
  rec_json_set_int (encoder, "keyframeIntervalMs",
      options->keyframe_interval_ms > 0 ? options->keyframe_interval_ms : 2000);
  rec_json_set_int (encoder, "audioBitrate", 128);
  return encoder;
}

static json_object *
describe_limits (const RecRigOptions *options)
{
  json_object *limits = json_object_new_object ();

  rec_json_set_int (limits, "sinkQueueMs",
      options->sink_queue_ms > 0 ? options->sink_queue_ms : 5000);
  rec_json_set_int (limits, "sinkQueueBytes",
      options->sink_queue_bytes > 0 ? options->sink_queue_bytes : 16 << 20);
  rec_json_set_int (limits, "sinkDeadlineMs",
      options->sink_deadline_ms > 0 ? options->sink_deadline_ms : 5000);
  rec_json_set_int (limits, "finishDeadlineMs", 10000);
  return limits;
}

static json_object *
describe_layout (const RecRigOptions *options)
{
  g_autofree char *file =
      find_built (options->layout != NULL ? options->layout : "plugins/best_fit.so");
  json_object *layout = json_object_new_object ();

  rec_json_set_string (layout, "id", "layout");
  rec_json_set_string (layout, "file", file);
  rec_json_take (layout, "options", json_object_new_object ());
  return layout;
}

static json_object *
describe (const RecWorkerRig *rig, const RecRigOptions *options)
{
  json_object *setup = json_object_new_object ();

  rec_json_set_string (setup, "version", "test");
  rec_json_set_string (setup, "build", "test");
  rec_json_take (setup, "recording", describe_recording (rig, options));
  if (!options->no_video)
    rec_json_take (setup, "layout", describe_layout (options));
  rec_json_take (setup, "sinks", describe_sinks (options->sinks));
  rec_json_take (setup, "encoder", describe_encoder (options));
  rec_json_take (setup, "limits", describe_limits (options));
  rec_json_set_string (setup, "clock", options->is_live ? "live" : "packets");
  rec_json_set_int (setup, "thumbnailWidth", options->thumbnail_width);
  if (options->page != NULL)
    rec_json_take (setup, "page", json_object_get (options->page));
  return setup;
}

static RecWorkerRig *
make (void)
{
  RecWorkerRig *rig = g_new0 (RecWorkerRig, 1);

  rig->notes = g_ptr_array_new_with_free_func (g_free);
  rig->pages = json_object_new_array ();
  rig->keyframes = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  rig->media_fd = -1;
  return rig;
}

RecWorkerRig *
rec_worker_rig_new (const RecRigOptions *options)
{
  RecWorkerRig *rig = make ();
  g_autoptr (GError) error = NULL;

  rig->owns_directory = options->directory == NULL;
  rig->n_published = options->n_published;
  rig->directory = options->directory != NULL ? g_strdup (options->directory)
                                              : g_dir_make_tmp ("recto-XXXXXX", &error);
  g_assert_no_error (error);
  spawn (rig);
  rec_worker_rig_wait (rig, &rig->is_greeted, "say hello");
  rig->setup = describe (rig, options);
  rig->asked_us = g_get_monotonic_time ();
  g_assert_true (
      rec_control_send (rig->own->control, REC_CONTROL_SETUP, json_object_get (rig->setup)));
  while (!options->is_hasty && !rig->is_ready && rig->failure == NULL && !rig->is_gone)
    g_main_context_iteration (NULL, TRUE);
  if (rig->is_ready && !options->is_hasty && !options->is_held)
    rec_worker_rig_begin (rig);
  return rig;
}

void
rec_worker_rig_begin (RecWorkerRig *rig)
{
  const bool is_live = g_str_equal (rec_json_string_or (rig->setup, "clock", ""), "live");
  json_object *message = json_object_new_object ();

  rig->start_ns = is_live ? g_get_monotonic_time () * 1000 : PACKETS_START_NS;
  rec_json_set_int (message, "startNs", rig->start_ns);
  rec_json_set_int (message, "streams", rig->n_published);
  g_assert_true (rec_control_send (rig->own->control, REC_CONTROL_BEGIN, message));
}

RecWorkerRig *
rec_worker_rig_begin_recovery (RecWorkerRig *dead)
{
  RecWorkerRig *rig = make ();

  rig->directory = g_strdup (dead->directory);
  spawn (rig);
  g_assert_true (
      rec_control_send (rig->own->control, REC_CONTROL_RECOVER, json_object_get (dead->setup)));
  return rig;
}

RecWorkerRig *
rec_worker_rig_recover (RecWorkerRig *dead)
{
  RecWorkerRig *rig = rec_worker_rig_begin_recovery (dead);

  rec_worker_rig_wait_finished (rig);
  return rig;
}

static void
free_queued (gpointer data)
{
  Queued *queued = data;

  g_bytes_unref (queued->rtp);
  g_free (queued);
}

void
rec_worker_rig_free (RecWorkerRig *rig)
{
  g_autoptr (GError) error = NULL;

  if (rig == NULL)
    return;
  if (!rig->is_reaped) {
    kill (rig->pid, SIGKILL);
    waitpid (rig->pid, NULL, 0);
  }
  rec_control_free (rig->own->control);
  g_ptr_array_set_free_func (rig->own->queued, free_queued);
  g_ptr_array_unref (rig->own->queued);
  g_hash_table_unref (rig->own->next_numbers);
  g_free (rig->own);
  rec_fd_close (&rig->media_fd);
  if (rig->owns_directory)
    rec_path_remove_tree (rig->directory, &error);
  g_assert_no_error (error);
  g_free (rig->directory);
  json_object_put (rig->setup);
  json_object_put (rig->finished);
  json_object_put (rig->stats);
  json_object_put (rig->pages);
  g_free (rig->failure);
  g_free (rig->refusal);
  g_ptr_array_unref (rig->notes);
  g_array_unref (rig->keyframes);
  g_free (rig);
}

/* --- speaking -------------------------------------------------------------------------------------- */

static int64_t
to_ns (const RecWorkerRig *rig, double at)
{
  return rig->start_ns + (int64_t) (at * 1e9 + (at < 0 ? -0.5 : 0.5));
}

static void
say (RecWorkerRig *rig, RecControlType type, json_object *message)
{
  g_assert_true (rec_control_send (rig->own->control, type, message));
}

void
rec_worker_rig_add_track (RecWorkerRig *rig, const RecRigTrack *track)
{
  const bool is_audio = g_str_equal (track->codec, "OPUS");
  json_object *message = json_object_new_object ();

  rec_json_set_int (message, "track", track->id);
  rec_json_set_string (message, "stream", track->stream);
  rec_json_set_string (message, "participant", track->stream);
  rec_json_set_string (message, "data", "");
  rec_json_set_string (message, "media", is_audio ? "audio" : "video");
  rec_json_set_string (message, "codec", track->codec);
  rec_json_set_int (message, "payloadType", is_audio ? 111 : 96);
  rec_json_set_int (message, "clockRate", is_audio ? 48000 : 90000);
  rec_json_set_string (message, "fmtp", "");
  rec_json_set_bool (message, "isScreen", track->is_screen);
  rec_json_set_int (message, "joinedNs", to_ns (rig, track->joined));
  say (rig, REC_CONTROL_TRACK_ADD, message);
}

void
rec_worker_rig_end_track (RecWorkerRig *rig, uint32_t id, double at)
{
  json_object *message = json_object_new_object ();

  rec_json_set_int (message, "track", id);
  rec_json_set_int (message, "atNs", to_ns (rig, at));
  say (rig, REC_CONTROL_TRACK_END, message);
}

void
rec_worker_rig_set_recorder (RecWorkerRig *rig, bool has_joined, int n_streams)
{
  json_object *message = json_object_new_object ();

  rec_json_set_string (message, "state", has_joined ? "joined" : "left");
  rec_json_set_int (message, "streams", n_streams);
  say (rig, REC_CONTROL_RECORDER, message);
}

void
rec_worker_rig_set_state (RecWorkerRig *rig, const char *stream, double at, const char *change)
{
  json_object *message = json_tokener_parse (change);

  g_assert_nonnull (message);
  rec_json_set_string (message, "stream", stream);
  rec_json_set_int (message, "atNs", to_ns (rig, at));
  say (rig, REC_CONTROL_STREAM_STATE, message);
}

static uint16_t
get_number (const RecFixture *fixture, unsigned index)
{
  const uint8_t *rtp =
      g_bytes_get_data (((RecFixturePacket *) fixture->packets->pdata[index])->rtp, NULL);

  return (uint16_t) (rtp[2] << 8 | rtp[3]);
}

/* As if all fixtures of a track had been one stream; what was cut stays a gap. */
static GBytes *
renumber (GBytes *packet, uint32_t id, uint16_t shift)
{
  gsize size;
  uint8_t *rtp = g_bytes_unref_to_data (
      g_bytes_new (g_bytes_get_data (packet, NULL), g_bytes_get_size (packet)), &size);
  const uint16_t number = (uint16_t) ((rtp[2] << 8 | rtp[3]) + shift);

  rtp[2] = (uint8_t) (number >> 8);
  rtp[3] = (uint8_t) number;
  rtp[8] = rtp[9] = rtp[10] = 0;
  rtp[11] = (uint8_t) id;
  return g_bytes_new_take (rtp, size);
}

void
rec_worker_rig_queue (RecWorkerRig *rig, uint32_t id, const RecFixture *fixture, double at)
{
  const unsigned next =
      GPOINTER_TO_UINT (g_hash_table_lookup (rig->own->next_numbers, GUINT_TO_POINTER (id)));
  const uint16_t shift = next == 0 ? 0 : (uint16_t) (next - 1 - get_number (fixture, 0));

  g_hash_table_insert (rig->own->next_numbers, GUINT_TO_POINTER (id),
      GUINT_TO_POINTER ((uint16_t) (get_number (fixture, fixture->packets->len - 1) + shift + 1) +
                        1u));
  for (unsigned i = 0; i < fixture->packets->len; i++) {
    const RecFixturePacket *packet = fixture->packets->pdata[i];
    Queued *queued = g_new0 (Queued, 1);

    queued->track = id;
    queued->pts_ns = packet->pts_ns + to_ns (rig, at);
    queued->order = rig->own->n_queued++;
    queued->rtp = renumber (packet->rtp, id, shift);
    g_ptr_array_add (rig->own->queued, queued);
  }
}

void
rec_worker_rig_play (RecWorkerRig *rig, const RecRigTrack *track, const RecFixture *fixture,
    double at)
{
  rec_worker_rig_add_track (rig, track);
  rec_worker_rig_queue (rig, track->id, fixture, at);
}

static int
compare_queued (gconstpointer a, gconstpointer b)
{
  const Queued *left = *(Queued *const *) a, *right = *(Queued *const *) b;

  if (left->pts_ns != right->pts_ns)
    return left->pts_ns < right->pts_ns ? -1 : 1;
  return left->order < right->order ? -1 : left->order > right->order;
}

/* Blocks while the worker is busy, which on the packets' clock is how fast it goes. */
static void
send_packet (RecWorkerRig *rig, const Queued *queued)
{
  RecWirePacketHeader header = {
    .magic = REC_WIRE_PACKET_MAGIC,
    .track_id = queued->track,
    .pts_ns = queued->pts_ns,
  };
  uint8_t message[REC_WIRE_PACKET_MAX];
  gsize size;
  const void *rtp = g_bytes_get_data (queued->rtp, &size);

  header.size = (uint32_t) size;
  memcpy (message, &header, sizeof header);
  memcpy (message + sizeof header, rtp, size);
  if (send (rig->media_fd, message, sizeof header + size, MSG_NOSIGNAL) < 0 && errno != EPIPE)
    g_error ("cannot send a media packet: %s", g_strerror (errno));
}

void
rec_worker_rig_flush (RecWorkerRig *rig)
{
  g_ptr_array_sort (rig->own->queued, compare_queued);
  for (unsigned i = 0; i < rig->own->queued->len; i++) {
    send_packet (rig, rig->own->queued->pdata[i]);
    free_queued (rig->own->queued->pdata[i]);
  }
  g_ptr_array_set_size (rig->own->queued, 0);
}

void
rec_worker_rig_flush_live (RecWorkerRig *rig)
{
  g_ptr_array_sort (rig->own->queued, compare_queued);
  for (unsigned i = 0; i < rig->own->queued->len; i++) {
    const Queued *queued = rig->own->queued->pdata[i];
    const int64_t wait_us = queued->pts_ns / 1000 - g_get_monotonic_time ();

    if (wait_us > 0)
      rec_worker_rig_run_for (rig, (double) wait_us / 1e6);
    send_packet (rig, queued);
    free_queued (rig->own->queued->pdata[i]);
  }
  g_ptr_array_set_size (rig->own->queued, 0);
}

void
rec_worker_rig_send_stop (RecWorkerRig *rig, double at)
{
  json_object *message = json_object_new_object ();

  rec_json_set_int (message, "atNs", to_ns (rig, at));
  rec_json_set_string (message, "reason", "recordingStoppedByServer");
  say (rig, REC_CONTROL_STOP, message);
}

void
rec_worker_rig_stop (RecWorkerRig *rig, double at)
{
  rec_worker_rig_flush (rig);
  rec_worker_rig_send_stop (rig, at);
  rec_worker_rig_wait_finished (rig);
  rec_worker_rig_reap (rig);
}

void
rec_worker_rig_close_control (RecWorkerRig *rig)
{
  g_clear_pointer (&rig->own->control, rec_control_free);
}

/* --- looking --------------------------------------------------------------------------------------- */

char *
rec_worker_rig_get_file (RecWorkerRig *rig, const char *ending)
{
  json_object *files = rec_json_get (rig->finished, "files");

  for (size_t i = 0; i < json_object_array_length (files); i++) {
    const char *name = rec_json_string_or (json_object_array_get_idx (files, i), "name", "");

    if (g_str_has_suffix (name, ending))
      return g_build_filename (rig->directory, name, NULL);
  }
  g_error ("there is no file with the ending '%s' in %s", ending,
      json_object_to_json_string (rig->finished));
}

bool
rec_worker_rig_has_note (RecWorkerRig *rig, const char *part)
{
  for (unsigned i = 0; i < rig->notes->len; i++)
    if (strstr (rig->notes->pdata[i], part) != NULL)
      return true;
  return false;
}
