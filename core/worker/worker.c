/* worker.c - the child that records: control loop and states.
 *
 * The main thread reads both sockets, watches the sinks' deadlines and talks to the server; recording happens on the
 * recorder's thread. What other threads have to say comes here as calls on the main context. */
#define G_LOG_DOMAIN "rec.worker"
#include "worker/worker.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/main-thread.h"
#include "wire/build.h"
#include "wire/control.h"
#include "wire/packet.h"
#include "worker/inspect.h"
#include "worker/prepare.h"
#include "worker/recorder.h"
#include "worker/setup.h"
#include "worker/sink-runner.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_MS 100
#define STATS_MS 5000
#define ORPHAN_MS 4500
#define FLUSH_MS 2000
#define OPTIONAL_GRACE_MS 500
#define MAX_START_AGE_NS (INT64_C (60) * 1000000000)
#define PACKETS_PER_TURN 64

typedef enum {
  STATE_INVALID = 0,
  STATE_WAITING, /* for setup or recover */
  STATE_RECORDING,
  STATE_STOPPING,  /* the recorder runs to the end */
  STATE_FINISHING, /* the sinks finish, or recover */
  STATE_FINISHED,  /* said so */
} State;

typedef struct {
  GMainLoop *loop;
  RecControl *control; /* NULL: the server is gone */
  State state;
  int status;
  RecSetup *setup;
  RecRecorder *recorder;
  bool has_recorder_ended;
  GPtrArray *sinks;  /* of RecSinkRunner */
  GHashTable *noted; /* sinks whose failure was told */
  char *failure;     /* why the recording ends early */
  bool has_started;
  int64_t grace_us;                 /* until then optional sinks may finish */
  int64_t reported_ns, reported_us; /* file time and time of the last stats */

  int media_fd;
  GSource *media_source; /* NULL while the recorder is busy, or at the end */
  bool is_media_closed;
  RecCommand *held_stop; /* packets clock: until the media socket is empty */
  int64_t last_pts_ns;
} Worker;

static Worker worker = { .media_fd = -1 };

static void update (void);

/* --- to the server --------------------------------------------------------------------------------- */

static void
say (RecControlType type, json_object *message)
{
  if (worker.control == NULL)
    json_object_put (message);
  else if (!rec_control_send (worker.control, type, message))
    g_debug ("a message to the server is lost: it is gone or does not read");
}

static void
say_text (RecControlType type, const char *name, const char *text)
{
  json_object *message = json_object_new_object ();

  rec_json_set_string (message, name, text);
  say (type, message);
}

static void
note (const char *text)
{
  g_warning ("%s", text);
  say_text (REC_CONTROL_NOTE, "text", text);
}

static void
say_stats (void)
{
  json_object *message = json_object_new_object ();
  RecRecorderStats stats;

  rec_recorder_get_stats (worker.recorder, &stats);
  rec_json_set_double (message, "seconds", (double) stats.file_ns / 1e9);
  rec_json_set_int (message, "framesOut", (int64_t) stats.frames_out);
  rec_json_set_int (message, "framesRepeated", (int64_t) stats.frames_repeated);
  rec_json_set_int (message, "packetsIn", (int64_t) stats.packets_in);
  rec_json_set_int (message, "packetsDropped", (int64_t) stats.packets_dropped);
  say (REC_CONTROL_STATS, message);
}

/* A recorder that hangs in a layout plugin must not look alive. */
static void
report (void)
{
  const int64_t now_us = g_get_monotonic_time ();
  RecRecorderStats stats;

  if (worker.recorder == NULL || now_us - worker.reported_us < STATS_MS * 1000)
    return;
  rec_recorder_get_stats (worker.recorder, &stats);
  if (worker.setup->recorder.is_live && worker.state == STATE_RECORDING &&
      stats.file_ns == worker.reported_ns)
    return;
  worker.reported_us = now_us;
  worker.reported_ns = stats.file_ns;
  say_stats ();
}

/* --- calls from other threads ---------------------------------------------------------------------- */

static gboolean
on_update (gpointer data)
{
  (void) data;
  update ();
  return G_SOURCE_REMOVE;
}

static gboolean
on_note (gpointer data)
{
  note (data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_keyframe (gpointer data)
{
  json_object *message = json_object_new_object ();

  rec_json_set_int (message, "track", GPOINTER_TO_UINT (data));
  say (REC_CONTROL_KEYFRAME, message);
  return G_SOURCE_REMOVE;
}

static void end_early (const char *why);

static gboolean
on_failure (gpointer data)
{
  end_early (data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_recorder_ended (gpointer data)
{
  (void) data;
  worker.has_recorder_ended = true;
  update ();
  return G_SOURCE_REMOVE;
}

static gboolean on_has_room (gpointer data);

/* Always through the loop: what is called must not run inside what called. */
static void
call_main (GSourceFunc call, gpointer data, GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, call, data, destroy);
  g_source_attach (source, NULL);
}

static void
tell_keyframe (uint32_t track_id, void *data)
{
  (void) data;
  call_main (on_keyframe, GUINT_TO_POINTER (track_id), NULL);
}

static void
tell_note (const char *text, void *data)
{
  (void) data;
  call_main (on_note, g_strdup (text), g_free);
}

static void
tell_failure (const char *text, void *data)
{
  (void) data;
  call_main (on_failure, g_strdup (text), g_free);
}

static void
tell_room (void *data)
{
  (void) data;
  call_main (on_has_room, NULL, NULL);
}

static void
tell_ended (void *data)
{
  (void) data;
  call_main (on_recorder_ended, NULL, NULL);
}

static void
tell_changed (RecSinkRunner *runner, void *data)
{
  (void) runner;
  (void) data;
  call_main (on_update, NULL, NULL);
}

static gboolean
on_sink_wants_keyframe (gpointer data)
{
  (void) data;
  if (worker.recorder != NULL && !worker.has_recorder_ended)
    rec_recorder_force_keyframe (worker.recorder);
  return G_SOURCE_REMOVE;
}

static void
tell_sink_wants_keyframe (RecSinkRunner *runner, void *data)
{
  (void) runner;
  (void) data;
  call_main (on_sink_wants_keyframe, NULL, NULL);
}

static const RecSinkEvents sink_events = {
  .changed = tell_changed,
  .keyframe_wanted = tell_sink_wants_keyframe,
};

static const RecRecorderEvents recorder_events = {
  .keyframe = tell_keyframe,
  .note = tell_note,
  .failed = tell_failure,
  .has_room = tell_room,
  .ended = tell_ended,
};

/* --- the media socket ------------------------------------------------------------------------------ */

typedef enum {
  READ_INVALID = 0,
  READ_MORE,
  READ_EMPTY,
  READ_FULL, /* the recorder says when to go on */
  READ_END,
} ReadResult;

/* On the packets' clock a stop comes after every packet that was sent before it. */
static void
release_stop (void)
{
  if (worker.held_stop == NULL)
    return;
  if (worker.held_stop->at_ns < 0)
    worker.held_stop->at_ns = MAX (worker.last_pts_ns, worker.setup->recorder.start_ns);
  rec_recorder_post (worker.recorder, g_steal_pointer (&worker.held_stop));
}

static ReadResult
take_packet (const uint8_t *message, size_t size)
{
  RecWirePacketHeader header;
  const uint8_t *rtp;

  if (worker.recorder == NULL || worker.has_recorder_ended)
    return READ_MORE;
  if (!rec_wire_packet_parse (message, size, &header, &rtp)) {
    end_early ("the server sent a media packet that is none");
    return READ_MORE;
  }
  worker.last_pts_ns = MAX (worker.last_pts_ns, header.pts_ns);
  if (rec_recorder_push (worker.recorder, header.track_id, gst_buffer_new_memdup (rtp, header.size),
          header.pts_ns, header.flags & REC_WIRE_PACKET_DISCONT))
    return READ_MORE;
  return READ_FULL;
}

/* What was said on the control socket before a packet was sent is heard before it. */
static ReadResult
read_packet (void)
{
  uint8_t message[REC_WIRE_PACKET_MAX + 1];
  const ssize_t n = recv (worker.media_fd, message, sizeof message, MSG_DONTWAIT);

  if (n < 0 && errno == EINTR)
    return READ_MORE;
  if (n < 0 && errno == EAGAIN)
    return READ_EMPTY;
  if (n <= 0)
    return READ_END;
  if (worker.control != NULL)
    rec_control_poll (worker.control);
  return take_packet (message, (size_t) n);
}

static ReadResult
read_packets (void)
{
  ReadResult result = READ_MORE;

  for (int i = 0; i < PACKETS_PER_TURN && result == READ_MORE; i++)
    result = read_packet ();
  return result;
}

static void
unwatch_media (void)
{
  if (worker.media_source != NULL)
    g_source_destroy (worker.media_source);
  g_clear_pointer (&worker.media_source, g_source_unref);
}

static void
pump_media (void)
{
  const ReadResult result = read_packets ();

  if (result == READ_FULL || result == READ_END)
    unwatch_media ();
  if (result == READ_END) {
    worker.is_media_closed = true;
    if (worker.recorder != NULL)
      rec_recorder_close_input (worker.recorder);
  }
  if (result == READ_EMPTY || result == READ_END)
    release_stop ();
}

static gboolean
on_media (int fd, GIOCondition condition, gpointer data)
{
  (void) fd;
  (void) condition;
  (void) data;
  pump_media ();
  return G_SOURCE_CONTINUE;
}

static void
watch_media (void)
{
  if (worker.media_source != NULL || worker.is_media_closed)
    return;
  worker.media_source = g_unix_fd_source_new (worker.media_fd, G_IO_IN | G_IO_HUP);
  g_source_set_callback (worker.media_source, G_SOURCE_FUNC (on_media), NULL, NULL);
  g_source_attach (worker.media_source, NULL);
}

/* The socket may be empty already, and then nothing else would tell us. */
static gboolean
on_hasten (gpointer data)
{
  (void) data;
  if (worker.media_source != NULL)
    pump_media ();
  return G_SOURCE_REMOVE;
}

static gboolean
on_has_room (gpointer data)
{
  watch_media ();
  return on_hasten (data);
}

/* --- stopping -------------------------------------------------------------------------------------- */

/* at_ns below 0: with the last packet (on the packets' clock), or now. */
static void
stop (int64_t at_ns, bool at_once)
{
  RecCommand *command;

  if (worker.state != STATE_RECORDING)
    return;
  worker.state = STATE_STOPPING;
  if (worker.setup->recorder.is_live && at_ns < 0)
    at_ns = g_get_monotonic_time () * 1000;
  command = rec_command_new (REC_COMMAND_STOP, at_ns);
  if (worker.setup->recorder.is_live) {
    rec_recorder_post (worker.recorder, command);
    if (at_once || worker.is_media_closed)
      rec_recorder_close_input (worker.recorder);
    return;
  }
  worker.held_stop = command;
  if (at_once || worker.is_media_closed)
    release_stop ();
  else
    call_main (on_hasten, NULL, NULL);
}

static void
end_early (const char *why)
{
  if (worker.state != STATE_RECORDING && worker.state != STATE_STOPPING &&
      worker.state != STATE_FINISHING)
    return;
  g_critical ("recording '%s' ends early: %s", worker.setup->id, why);
  if (worker.failure == NULL)
    worker.failure = g_strdup (why);
  stop (-1, true);
}

/* --- the sinks ------------------------------------------------------------------------------------- */

static bool
has_failed (RecSinkRunner *sink)
{
  const RecSinkState state = rec_sink_runner_get_state (sink);

  return state == REC_SINK_FAILED || state == REC_SINK_STALLED;
}

static void
look_at_failures (void)
{
  for (unsigned i = 0; i < worker.sinks->len; i++) {
    RecSinkRunner *sink = worker.sinks->pdata[i];
    g_autofree char *error = NULL;
    g_autofree char *text = NULL;

    if (!has_failed (sink) || !g_hash_table_add (worker.noted, sink))
      continue;
    error = rec_sink_runner_dup_error (sink);
    text = g_strdup_printf ("%s; the recording goes on without it", error);
    if (rec_sink_runner_is_required (sink))
      end_early (error);
    else
      note (text);
  }
}

static bool
has_data (void)
{
  for (unsigned i = 0; i < worker.sinks->len; i++) {
    RecSinkRunner *sink = worker.sinks->pdata[i];

    if (rec_sink_runner_is_required (sink) && rec_sink_runner_get_stored_ns (sink) == 0)
      return false;
  }
  return true;
}

static bool
are_over (bool also_optional)
{
  for (unsigned i = 0; i < worker.sinks->len; i++) {
    RecSinkRunner *sink = worker.sinks->pdata[i];

    if ((also_optional || rec_sink_runner_is_required (sink)) && !rec_sink_runner_is_over (sink))
      return false;
  }
  return true;
}

static bool
has_required (void)
{
  for (unsigned i = 0; i < worker.sinks->len; i++)
    if (rec_sink_runner_is_required (worker.sinks->pdata[i]))
      return true;
  return false;
}

/* What is asked for must be whole; what is optional may not hold it up for long. */
static bool
can_finish (void)
{
  if (are_over (true))
    return true;
  if (!has_required () || !are_over (false))
    return false;
  if (worker.grace_us == 0)
    worker.grace_us = g_get_monotonic_time () + OPTIONAL_GRACE_MS * 1000;
  return g_get_monotonic_time () >= worker.grace_us;
}

/* --- the end --------------------------------------------------------------------------------------- */

static int64_t
get_size (const char *path)
{
  struct stat info;

  return stat (path, &info) == 0 ? (int64_t) info.st_size : 0;
}

/* A sink may also write text about the recording. */
static bool
is_media (const RecSinkFile *file)
{
  return g_str_has_prefix (file->media_type, "video/") ||
         g_str_has_prefix (file->media_type, "audio/");
}

static json_object *
describe_file (RecSinkRunner *sink, const RecSinkFile *file)
{
  g_autofree char *path = g_build_filename (worker.setup->directory, file->path, NULL);
  json_object *json = json_object_new_object ();
  RecFileFacts facts = { 0 };

  if (is_media (file) && worker.recorder != NULL &&
      rec_sink_runner_get_state (sink) == REC_SINK_DONE)
    facts = (RecFileFacts){ rec_recorder_get_duration_ns (worker.recorder),
      worker.setup->recorder.has_audio, worker.setup->recorder.has_video };
  else if (is_media (file))
    rec_inspect_file (path, &facts);
  rec_json_set_string (json, "name", file->path);
  rec_json_set_string (json, "mediaType", file->media_type);
  rec_json_set_int (json, "size", get_size (path));
  rec_json_set_int (json, "durationNs", facts.duration_ns);
  rec_json_set_bool (json, "hasAudio", facts.has_audio);
  rec_json_set_bool (json, "hasVideo", facts.has_video);
  if (file->stream_id != NULL)
    rec_json_set_string (json, "stream", file->stream_id);
  return json;
}

static json_object *
describe_files (void)
{
  json_object *array = json_object_new_array ();

  for (unsigned i = 0; i < worker.sinks->len; i++) {
    g_autoptr (GPtrArray) files = rec_sink_runner_dup_files (worker.sinks->pdata[i]);

    for (unsigned j = 0; j < files->len; j++)
      json_object_array_add (array, describe_file (worker.sinks->pdata[i], files->pdata[j]));
  }
  return array;
}

static void
note_what_was_missed (void)
{
  RecRecorderStats stats;
  g_autofree char *text = NULL;

  for (unsigned i = 0; i < worker.sinks->len; i++) {
    RecSinkRunner *sink = worker.sinks->pdata[i];
    const uint64_t n_dropped = rec_sink_runner_get_dropped (sink);
    g_autofree char *words = NULL;

    if (!rec_sink_runner_is_over (sink))
      words = g_strdup_printf ("sink '%s' did not finish in time and was left behind",
          rec_sink_runner_get_id (sink));
    else if (n_dropped > 0)
      words = g_strdup_printf ("sink '%s' was too slow: it missed %" G_GUINT64_FORMAT " packets",
          rec_sink_runner_get_id (sink), n_dropped);
    if (words != NULL)
      note (words);
  }
  if (worker.recorder == NULL)
    return;
  rec_recorder_get_stats (worker.recorder, &stats);
  if (stats.frames_repeated == 0)
    return;
  text = g_strdup_printf ("the machine was too slow for %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                          " pictures, which repeat the one before",
      stats.frames_repeated, stats.frames_out);
  note (text);
}

static void
write_thumbnail (void)
{
  g_autofree char *name = g_strdup_printf ("%s.jpg", worker.setup->id);
  g_autofree char *path = g_build_filename (worker.setup->directory, name, NULL);
  g_autoptr (GError) error = NULL;

  if (worker.recorder != NULL && !rec_recorder_write_thumbnail (worker.recorder, path, &error))
    g_warning ("no thumbnail for recording '%s': %s", worker.setup->id, error->message);
}

static void
finish (void)
{
  json_object *message = json_object_new_object ();

  worker.state = STATE_FINISHED;
  note_what_was_missed ();
  rec_json_set_bool (message, "ok", worker.failure == NULL);
  rec_json_take (message, "files", describe_files ());
  if (worker.failure != NULL)
    rec_json_set_string (message, "message", worker.failure);
  say (REC_CONTROL_FINISHED, message);
  if (worker.control != NULL)
    rec_control_flush (worker.control, FLUSH_MS);
  write_thumbnail ();
  worker.status = worker.failure == NULL ? 0 : 1;
  g_main_loop_quit (worker.loop);
}

static void
say_started (void)
{
  if (worker.has_started || worker.recorder == NULL || worker.failure != NULL || !has_data ())
    return;
  worker.has_started = true;
  say_text (REC_CONTROL_STARTED, "file", worker.setup->name);
}

/* Looks at everything that other threads may have changed. */
static void
update (void)
{
  if (worker.state < STATE_RECORDING || worker.state == STATE_FINISHED)
    return;
  look_at_failures ();
  say_started ();
  if (worker.state == STATE_STOPPING && worker.has_recorder_ended)
    worker.state = STATE_FINISHING;
  if (worker.state == STATE_FINISHING && can_finish ())
    finish ();
}

/* --- setting up ------------------------------------------------------------------------------------ */

/* Nothing was recorded: says so and ends. */
static void
give_up (const char *why)
{
  g_critical ("%s", why);
  say_text (REC_CONTROL_FAILED, "message", why);
  if (worker.control != NULL)
    rec_control_flush (worker.control, FLUSH_MS);
  worker.state = STATE_FINISHED;
  worker.status = 1;
  g_main_loop_quit (worker.loop);
}

typedef RecSinkRunner *(*MakeSink) (const RecSinkRecipe *recipe, const RecSinkEvents *events,
    void *data, GError **error);

static bool
make_sinks (MakeSink make, GError **error)
{
  for (unsigned i = 0; i < rec_setup_count_sinks (worker.setup); i++) {
    g_autoptr (GError) cause = NULL;
    g_autofree char *text = NULL;
    RecSinkRecipe recipe;
    RecSinkRunner *sink;

    rec_setup_get_sink (worker.setup, i, &recipe);
    sink = make (&recipe, &sink_events, NULL, &cause);
    if (sink != NULL) {
      g_ptr_array_add (worker.sinks, sink);
      continue;
    }
    if (recipe.is_required) {
      g_propagate_error (error, g_steal_pointer (&cause));
      return false;
    }
    text = g_strdup_printf ("%s; the recording goes on without it", cause->message);
    note (text);
  }
  if (worker.sinks->len == 0)
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "there is no sink to record with");
  return worker.sinks->len > 0;
}

static bool
check_start (GError **error)
{
  const int64_t age_ns = g_get_monotonic_time () * 1000 - worker.setup->recorder.start_ns;

  if (!worker.setup->recorder.is_live || ABS (age_ns) < MAX_START_AGE_NS)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "recording '%s' would start %.0f s from now: startNs is of another clock", worker.setup->id,
      (double) -age_ns / 1e9);
  return false;
}

static bool
set_up_recorder (json_object *message, GError **error)
{
  worker.setup = rec_setup_new (message, error);
  if (worker.setup == NULL || !check_start (error) || !make_sinks (rec_sink_runner_new, error))
    return false;
  worker.setup->recorder.sinks = worker.sinks;
  worker.recorder = rec_recorder_new (&worker.setup->recorder, &recorder_events, NULL, error);
  return worker.recorder != NULL;
}

static void
start_recording (json_object *message)
{
  g_autoptr (GError) error = NULL;

  if (!set_up_recorder (message, &error)) {
    give_up (error->message);
    return;
  }
  worker.state = STATE_RECORDING;
  worker.reported_us = g_get_monotonic_time ();
  rec_recorder_start (worker.recorder);
  watch_media ();
  say (REC_CONTROL_READY, json_object_new_object ());
}

static void
start_recovery (json_object *message)
{
  g_autoptr (GError) error = NULL;

  worker.setup = rec_setup_new (message, &error);
  if (worker.setup == NULL || !make_sinks (rec_sink_runner_recover, &error)) {
    give_up (error->message);
    return;
  }
  worker.state = STATE_FINISHING;
  update ();
}

/* --- the control socket ---------------------------------------------------------------------------- */

static int64_t
get_now_ns (void)
{
  return worker.setup->recorder.is_live ? g_get_monotonic_time () * 1000
                                        : MAX (worker.last_pts_ns, worker.setup->recorder.start_ns);
}

static void
take_command (RecControlType type, json_object *message)
{
  RecCommand *command;

  if (worker.state != STATE_RECORDING)
    return;
  command = rec_setup_read_command (type, message, get_now_ns ());
  if (command->type == REC_COMMAND_STOP) {
    stop (command->at_ns, false);
    rec_command_free (command);
  } else {
    rec_recorder_post (worker.recorder, command);
  }
}

static void
on_message (RecControl *control, RecControlType type, json_object *message, void *data)
{
  (void) control;
  (void) data;
  if (type != REC_CONTROL_SETUP && type != REC_CONTROL_RECOVER)
    take_command (type, message);
  else if (worker.state != STATE_WAITING)
    g_warning ("a second setup is ignored: this worker has its recording");
  else if (type == REC_CONTROL_SETUP)
    start_recording (message);
  else
    start_recovery (message);
}

static gboolean
on_orphan_deadline (gpointer data)
{
  (void) data;
  g_critical ("recording '%s' could not be finished in time without the server", worker.setup->id);
  _exit (1);
}

/* The server is gone: finish the file and leave. A signal may now hurry us. */
static void
on_closed (RecControl *control, const GError *error, void *data)
{
  (void) data;
  if (error != NULL)
    g_warning ("the server breaks the rules of the control socket: %s", error->message);
  g_clear_pointer (&worker.control, rec_control_free);
  (void) control;
  signal (SIGTERM, SIG_DFL);
  signal (SIGINT, SIG_DFL);
  if (worker.state == STATE_WAITING) {
    g_main_loop_quit (worker.loop);
    return;
  }
  if (worker.state == STATE_FINISHED)
    return;
  g_message ("the server is gone: finishing recording '%s'", worker.setup->id);
  g_timeout_add (ORPHAN_MS, on_orphan_deadline, NULL);
  stop (-1, false);
}

/* --- life ------------------------------------------------------------------------------------------ */

static gboolean
on_tick (gpointer data)
{
  (void) data;
  for (unsigned i = 0; i < worker.sinks->len; i++)
    rec_sink_runner_check (worker.sinks->pdata[i]);
  report ();
  update ();
  return G_SOURCE_CONTINUE;
}

static void
say_hello (void)
{
  json_object *message = json_object_new_object ();
  g_autofree char *build = rec_wire_dup_build ("/proc/self/exe");

  rec_json_set_string (message, "version", REC_VERSION);
  rec_json_set_string (message, "build", build);
  rec_json_set_int (message, "pid", getpid ());
  say (REC_CONTROL_HELLO, message);
}

/* Threads that are lost in a plugin still use what is theirs: then nothing is freed. */
static void
clean_up (void)
{
  for (unsigned i = 0; i < worker.sinks->len; i++)
    if (!rec_sink_runner_is_over (worker.sinks->pdata[i]) ||
        rec_sink_runner_get_state (worker.sinks->pdata[i]) == REC_SINK_STALLED)
      _exit (worker.status);
  rec_recorder_free (worker.recorder);
  g_ptr_array_unref (worker.sinks);
  rec_setup_free (worker.setup);
  rec_command_free (worker.held_stop);
  g_hash_table_unref (worker.noted);
  g_free (worker.failure);
  unwatch_media ();
  rec_control_free (worker.control);
  rec_fd_close (&worker.media_fd);
  g_main_loop_unref (worker.loop);
}

int
rec_worker_run (void)
{
  g_autoptr (GError) error = NULL;
  unsigned tick;

  rec_main_thread_claim ();
  if (!rec_log_set_up ("message", NULL, REC_LOG_TEXT, &error))
    g_warning ("%s", error->message);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGTERM, SIG_IGN);
  signal (SIGINT, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN); /* a file that may not grow is the sink's to report */
  worker.loop = g_main_loop_new (NULL, FALSE);
  worker.sinks = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_sink_runner_free);
  worker.noted = g_hash_table_new (NULL, NULL);
  worker.state = STATE_WAITING;
  worker.media_fd = REC_WIRE_MEDIA_FD;
  worker.control = rec_control_new (REC_WIRE_CONTROL_FD, true, on_message, on_closed, NULL);
  rec_prepare ();
  say_hello ();
  tick = g_timeout_add (TICK_MS, on_tick, NULL);

  g_main_loop_run (worker.loop);
  g_source_remove (tick);
  clean_up ();
  return worker.status;
}
