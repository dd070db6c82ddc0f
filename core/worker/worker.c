/* worker.c - the child that records: control loop and states.
 *
 * The main thread reads both sockets, watches the sinks' deadlines and talks to the server; recording happens on the
 * recorder's thread. What other threads have to say comes here as calls on the main context. */
#define G_LOG_DOMAIN "rec.worker"
#include "worker/worker.h"

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/main-thread.h"
#include "wire/build.h"
#include "wire/control.h"
#include "worker/conclusion.h"
#include "worker/media-socket.h"
#include "worker/pack.h"
#include "worker/page-run.h"
#include "worker/prepare.h"
#include "worker/recorder.h"
#include "worker/report.h"
#include "worker/setup.h"
#include "worker/sink-set.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 100
#define STATS_MS 5000
#define PROGRESS_MS 500
#define MEDIA_PAUSE_MS 10 /* of the 250 that packets have */
#define ORPHAN_MS 4500
#define FLUSH_MS 2000
#define MAX_START_AGE_NS (INT64_C (60) * 1000000000)

typedef enum {
  STATE_INVALID = 0,
  STATE_WAITING,  /* for setup or recover */
  STATE_LOADING,  /* of the page, if there is one */
  STATE_PREPARED, /* for begin */
  STATE_RECORDING,
  STATE_STOPPING,  /* the recorder runs to the end */
  STATE_FINISHING, /* the sinks finish, or recover */
  STATE_PACKING,   /* the files are there, a ZIP is made of them */
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
  RecSinkSet *sinks;
  RecPageRun *page; /* NULL: a native layout */
  char *failure;    /* why the recording ends early */
  RecPack *pack;    /* NULL: nothing to pack */
  bool is_packed;
  json_object *files; /* as in finished, once it is the end */
  bool has_started, has_given_up;
  int64_t reported_ns, reported_us; /* file time and time of the last stats */
  unsigned n_expected;              /* streams that were published before the recording began */
  int64_t created_at_ms;
  int64_t begun_us;
  struct {
    uint64_t n_told;
    int64_t told_us;
  } recovery;

  RecMediaSocket *media;
  RecCommand *held_stop; /* packets clock: until the media socket is empty */
  int64_t start_ns, last_pts_ns;
} Worker;

static Worker worker;

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

/* A recorder that hangs in a layout plugin must not look alive. */
static void
report (void)
{
  const int64_t now_us = g_get_monotonic_time ();
  RecRecorderStats stats;

  if (worker.state < STATE_RECORDING || worker.recorder == NULL ||
      now_us - worker.reported_us < STATS_MS * 1000)
    return;
  rec_recorder_get_stats (worker.recorder, &stats);
  if (worker.setup->recorder.is_live && worker.state == STATE_RECORDING &&
      stats.file_ns == worker.reported_ns)
    return;
  worker.reported_us = now_us;
  worker.reported_ns = stats.file_ns;
  say (REC_CONTROL_STATS, rec_report_make_stats (&stats));
}

/* Files are being recovered, and one more of them is done. */
static void
tell_recovered (void)
{
  if (worker.recorder == NULL)
    say (REC_CONTROL_PROGRESS, json_object_new_object ());
}

/* A sink that reads hours of media says so now and then; one that hangs does not. */
static void
tell_recovery (void)
{
  const uint64_t n_progress = rec_sink_set_get_progress (worker.sinks);
  const int64_t now_us = g_get_monotonic_time ();

  if (worker.state != STATE_FINISHING || n_progress == worker.recovery.n_told ||
      now_us - worker.recovery.told_us < PROGRESS_MS * 1000)
    return;
  worker.recovery.n_told = n_progress;
  worker.recovery.told_us = now_us;
  tell_recovered ();
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
  json_object *message;

  if (GPOINTER_TO_UINT (data) == REC_PAGE_VIDEO_TRACK) {
    if (worker.page != NULL)
      rec_page_run_force_keyframe (worker.page);
    return G_SOURCE_REMOVE;
  }
  message = json_object_new_object ();
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
  if (worker.page != NULL)
    rec_page_run_end (worker.page);
  update ();
  return G_SOURCE_REMOVE;
}

static gboolean on_has_room (gpointer data);

static gboolean
on_packed (gpointer data)
{
  (void) data;
  worker.is_packed = true;
  update ();
  return G_SOURCE_REMOVE;
}

static gboolean
on_progress (gpointer data)
{
  json_object *message = json_object_new_object ();

  rec_json_set_int (message, "bytes", *(int64_t *) data);
  say (REC_CONTROL_PROGRESS, message);
  return G_SOURCE_REMOVE;
}

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

static void
tell_packed (void *data)
{
  (void) data;
  call_main (on_packed, NULL, NULL);
}

static void
tell_progress (int64_t n_bytes, void *data)
{
  (void) data;
  call_main (on_progress, g_memdup2 (&n_bytes, sizeof n_bytes), g_free);
}

static const RecPackEvents pack_events = {
  .progress = tell_progress,
  .over = tell_packed,
};

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

/* What was said on the control socket before a packet was sent is heard before it. */
static void
on_packet_arrived (void *data)
{
  (void) data;
  if (worker.control != NULL)
    rec_control_poll (worker.control);
}

static bool
on_packet (const RecWirePacketHeader *header, const uint8_t *rtp, void *data)
{
  (void) data;
  if (worker.recorder == NULL || worker.has_recorder_ended)
    return true;
  worker.last_pts_ns = MAX (worker.last_pts_ns, header->pts_ns);
  return rec_recorder_push (worker.recorder, header->track_id,
      gst_buffer_new_memdup (rtp, header->size), header->pts_ns,
      header->flags & REC_WIRE_PACKET_DISCONT);
}

static void
on_media_broken (void *data)
{
  (void) data;
  end_early ("the server sent a media packet that is none");
}

/* On the packets' clock a stop comes after every packet that was sent before it. */
static void
release_stop (void)
{
  if (worker.held_stop == NULL)
    return;
  if (worker.held_stop->at_ns < 0)
    worker.held_stop->at_ns = MAX (worker.last_pts_ns, worker.start_ns);
  rec_recorder_post (worker.recorder, g_steal_pointer (&worker.held_stop));
}

/* What is recorded of a page comes another way than by the media socket. */
static bool
has_page (void)
{
  return worker.page != NULL && rec_page_run_is_page (worker.page);
}

static void
on_media_drained (bool is_end, void *data)
{
  (void) data;
  release_stop ();
  if (is_end && worker.recorder != NULL && !has_page ())
    rec_recorder_close_input (worker.recorder);
}

static const RecMediaEvents media_events = {
  .arrived = on_packet_arrived,
  .packet = on_packet,
  .broken = on_media_broken,
  .drained = on_media_drained,
};

static gboolean
on_has_room (gpointer data)
{
  (void) data;
  rec_media_socket_resume (worker.media);
  return G_SOURCE_REMOVE;
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
    if (at_once || (rec_media_socket_is_closed (worker.media) && !has_page ()))
      rec_recorder_close_input (worker.recorder);
    return;
  }
  worker.held_stop = command;
  if (at_once || rec_media_socket_is_closed (worker.media))
    release_stop ();
  else
    rec_media_socket_hasten (worker.media);
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

static void
look_at_failures (void)
{
  bool is_required = false;
  char *failure;

  while ((failure = rec_sink_set_take_failure (worker.sinks, &is_required)) != NULL) {
    g_autofree char *error = failure;
    g_autofree char *text = NULL;

    if (is_required) {
      end_early (error);
      continue;
    }
    text = g_strdup_printf ("%s; the recording goes on without it", error);
    note (text);
  }
}

/* --- the end --------------------------------------------------------------------------------------- */

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
make_files (void)
{
  GPtrArray *sinks = rec_sink_set_get_all (worker.sinks);
  g_autoptr (GPtrArray) misses = rec_report_list_misses (worker.recorder, sinks);

  for (unsigned i = 0; i < misses->len; i++)
    note (misses->pdata[i]);
  worker.files = rec_conclusion_make_files (worker.setup, worker.created_at_ms, worker.recorder,
      sinks, note, tell_recovered);
}

static void
take_zip (void)
{
  g_autofree char *why = rec_pack_take (worker.pack, worker.files);

  if (why != NULL)
    note (why);
}

static void
say_finished (void)
{
  json_object *message = json_object_new_object ();

  if (worker.pack != NULL)
    take_zip ();
  rec_json_set_bool (message, "ok", worker.failure == NULL);
  rec_json_take (message, "files", g_steal_pointer (&worker.files));
  if (worker.failure != NULL)
    rec_json_set_string (message, "message", worker.failure);
  say (REC_CONTROL_FINISHED, message);
}

static void
leave (int status)
{
  worker.state = STATE_FINISHED;
  worker.status = status;
  if (worker.control != NULL)
    rec_control_flush (worker.control, FLUSH_MS);
  g_main_loop_quit (worker.loop);
}

static void
finish (void)
{
  if (!worker.has_given_up)
    say_finished ();
  leave (worker.failure == NULL && !worker.has_given_up ? 0 : 1);
  if (!worker.has_given_up)
    write_thumbnail ();
}

/* A recording that never began, as far as the server knows, is not worth a ZIP. */
static void
finish_or_pack (void)
{
  if (!worker.has_given_up)
    make_files ();
  if (!worker.has_given_up && (worker.has_started || worker.recorder == NULL))
    worker.pack = rec_pack_new (worker.setup, worker.files, &pack_events);
  if (worker.pack != NULL)
    worker.state = STATE_PACKING;
  else
    finish ();
}

/* A start waits for what is published already; who publishes later is waited for by nobody. */
static bool
has_streams (void)
{
  const int64_t waited_ms = (g_get_monotonic_time () - worker.begun_us) / 1000;
  unsigned n_streams, n_silent;
  g_autofree char *text = NULL;

  rec_recorder_count_streams (worker.recorder, &n_streams, &n_silent);
  if (!worker.setup->is_individual || (n_streams >= worker.n_expected && n_silent == 0))
    return true;
  if (!worker.setup->recorder.is_live || waited_ms < worker.setup->stream_timeout_ms)
    return false;
  text = g_strdup_printf ("%u of %u streams sent nothing within %" G_GINT64_FORMAT " ms",
      n_silent + worker.n_expected - n_streams, worker.n_expected, waited_ms);
  if (worker.setup->ignores_failed_streams)
    note (text);
  else
    end_early (text);
  return worker.setup->ignores_failed_streams;
}

static void
say_started (void)
{
  if (worker.has_started || worker.recorder == NULL || worker.failure != NULL ||
      !rec_sink_set_has_data (worker.sinks) || !has_streams ())
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
  if (!worker.has_given_up)
    look_at_failures ();
  say_started ();
  if (worker.state == STATE_STOPPING && worker.has_recorder_ended)
    worker.state = STATE_FINISHING;
  if (worker.state == STATE_FINISHING && rec_sink_set_can_finish (worker.sinks))
    finish_or_pack ();
  else if (worker.state == STATE_PACKING && worker.is_packed)
    finish ();
}

/* --- setting up ------------------------------------------------------------------------------------ */

/* Why a page cannot be recorded, in a word; NULL: no word for it. */
static const char *
get_refusal (const GError *error)
{
  if (g_error_matches (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT))
    return "invalid";
  if (g_error_matches (error, REC_ERROR, REC_ERROR_NOT_FOUND))
    return "not-found";
  if (g_error_matches (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED))
    return "unsupported";
  return NULL;
}

/* Nothing is recorded: says so, lets the sinks that are open clean up, and ends. */
static void
give_up_as (const char *why, const char *refusal)
{
  json_object *message = json_object_new_object ();

  g_critical ("%s", why);
  rec_json_set_string (message, "message", why);
  if (refusal != NULL)
    rec_json_set_string (message, "code", refusal);
  say (REC_CONTROL_FAILED, message);
  worker.has_given_up = true;
  if (worker.page != NULL)
    rec_page_run_end (worker.page);
  rec_sink_set_end (worker.sinks);
  worker.state = STATE_FINISHING;
  if (rec_sink_set_get_all (worker.sinks)->len == 0)
    leave (1);
}

static void
give_up (const char *why)
{
  give_up_as (why, NULL);
}

static bool
check_start (int64_t start_ns, GError **error)
{
  const int64_t age_ns = g_get_monotonic_time () * 1000 - start_ns;

  if (!worker.setup->recorder.is_live || ABS (age_ns) < MAX_START_AGE_NS)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "recording '%s' would start %.0f s from now: startNs is of another clock", worker.setup->id,
      (double) -age_ns / 1e9);
  return false;
}

static void
say_ready (void)
{
  worker.state = STATE_PREPARED;
  say (REC_CONTROL_READY, json_object_new_object ());
}

static void
on_page_ready (void *data)
{
  (void) data;
  say_ready ();
}

static void
on_page_failed (const char *why, bool is_unusable, void *data)
{
  (void) data;
  if (worker.state == STATE_LOADING || worker.state == STATE_PREPARED)
    give_up_as (why, is_unusable ? "unsupported" : NULL);
  else
    end_early (why);
}

static void
on_page_says (json_object *message, void *data)
{
  (void) data;
  say (REC_CONTROL_PAGE, message);
}

static const RecPageRunEvents page_events = {
  .ready = on_page_ready,
  .failed = on_page_failed,
  .say = on_page_says,
};

static bool
take_setup (json_object *message, GError **error)
{
  worker.setup = rec_setup_new (message, error);
  if (worker.setup == NULL)
    return false;
  rec_log_set_recording (worker.setup->id);
  g_debug ("set up to write into '%s'", worker.setup->directory);
  return true;
}

static bool
start_page (GError **error)
{
  if (!rec_setup_resolve_page (worker.setup, error))
    return false;
  if (worker.setup->page == NULL)
    return true;
  worker.page = rec_page_run_new (worker.setup->page, worker.setup->recorder.has_video,
      &page_events, NULL, error);
  return worker.page != NULL;
}

/* The browser comes first: it starts while we make the rest. */
static bool
set_up_recorder (json_object *message, const char **refusal, GError **error)
{
  if (!take_setup (message, error))
    return false;
  if (!start_page (error)) {
    *refusal = get_refusal (*error);
    return false;
  }
  if (!rec_sink_set_make (worker.sinks, worker.setup, false, note, error))
    return false;
  worker.setup->recorder.sinks = rec_sink_set_get_all (worker.sinks);
  worker.recorder = rec_recorder_new (&worker.setup->recorder, &recorder_events, NULL, error);
  return worker.recorder != NULL;
}

static void
prepare_recording (json_object *message)
{
  g_autoptr (GError) error = NULL;
  const char *refusal = NULL;

  if (!set_up_recorder (message, &refusal, &error))
    give_up_as (error->message, refusal);
  else if (worker.page != NULL)
    worker.state = STATE_LOADING;
  else
    say_ready ();
}

static void
begin_recording (json_object *message)
{
  const int64_t start_ns = rec_json_int_or (message, "startNs", 0);
  g_autoptr (GError) error = NULL;

  if (!check_start (start_ns, &error)) {
    give_up (error->message);
    return;
  }
  worker.state = STATE_RECORDING;
  worker.start_ns = start_ns;
  worker.begun_us = g_get_monotonic_time ();
  worker.n_expected = (unsigned) rec_json_int_or (message, "streams", 0);
  worker.created_at_ms = rec_json_int_or (message, "createdAt", 0);
  worker.reported_us = g_get_monotonic_time ();
  rec_recorder_expect_streams (worker.recorder, worker.n_expected);
  rec_recorder_start (worker.recorder, start_ns,
      rec_conclusion_begin (worker.setup, worker.created_at_ms));
  if (worker.page != NULL)
    rec_page_run_begin (worker.page, worker.recorder, start_ns);
  rec_media_socket_set_pause (worker.media, worker.setup->recorder.is_live ? MEDIA_PAUSE_MS : 0);
  rec_media_socket_resume (worker.media);
}

static void
start_recovery (json_object *message)
{
  g_autoptr (GError) error = NULL;

  if (!take_setup (message, &error) ||
      !rec_sink_set_make (worker.sinks, worker.setup, true, note, &error)) {
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
                                        : MAX (worker.last_pts_ns, worker.start_ns);
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
take_recorder_state (json_object *message)
{
  if (worker.page != NULL)
    rec_page_run_set_joined (worker.page,
        strcmp (rec_json_string_or (message, "state", ""), "joined") == 0,
        (int) rec_json_int_or (message, "streams", -1));
}

static void
on_message (RecControl *control, RecControlType type, json_object *message, void *data)
{
  (void) control;
  (void) data;
  if (type == REC_CONTROL_SETUP && worker.state == STATE_WAITING)
    prepare_recording (message);
  else if (type == REC_CONTROL_RECOVER && worker.state == STATE_WAITING)
    start_recovery (message);
  else if (type == REC_CONTROL_BEGIN && worker.state == STATE_PREPARED)
    begin_recording (message);
  else if (type == REC_CONTROL_RECORDER)
    take_recorder_state (message);
  else if (type == REC_CONTROL_SETUP || type == REC_CONTROL_RECOVER || type == REC_CONTROL_BEGIN)
    g_warning ("a second setup or begin is ignored: this worker has its recording");
  else
    take_command (type, message);
}

static gboolean
on_orphan_deadline (gpointer data)
{
  (void) data;
  g_critical ("recording '%s' could not be finished in time without the server", worker.setup->id);
  rec_page_run_free (worker.page);
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
  if (worker.state == STATE_LOADING || worker.state == STATE_PREPARED) {
    g_timeout_add (ORPHAN_MS, on_orphan_deadline, NULL);
    give_up ("the server went before the recording began");
    return;
  }
  g_message ("the server is gone: finishing recording '%s'", worker.setup->id);
  g_timeout_add (ORPHAN_MS, on_orphan_deadline, NULL);
  stop (-1, false);
}

/* --- life ------------------------------------------------------------------------------------------ */

static gboolean
on_tick (gpointer data)
{
  (void) data;
  rec_sink_set_check (worker.sinks);
  report ();
  tell_recovery ();
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
  g_clear_pointer (&worker.page, rec_page_run_free);
  g_clear_pointer (&worker.pack, rec_pack_free);
  if (rec_sink_set_is_lost (worker.sinks))
    _exit (worker.status);
  rec_recorder_free (worker.recorder);
  rec_sink_set_free (worker.sinks);
  rec_setup_free (worker.setup);
  rec_command_free (worker.held_stop);
  g_free (worker.failure);
  json_object_put (worker.files);
  rec_control_free (worker.control);
  rec_media_socket_free (worker.media);
  g_main_loop_unref (worker.loop);
}

int
rec_worker_run (const char *log_setup)
{
  g_autoptr (GError) error = NULL;
  unsigned tick;

  rec_main_thread_claim ();
  if (!rec_log_set_up_as (log_setup != NULL ? log_setup : "", &error))
    g_warning ("%s", error->message);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGTERM, SIG_IGN);
  signal (SIGINT, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN); /* a file that may not grow is the sink's to report */
  worker.loop = g_main_loop_new (NULL, FALSE);
  worker.sinks = rec_sink_set_new (&sink_events);
  worker.state = STATE_WAITING;
  worker.media = rec_media_socket_new (REC_WIRE_MEDIA_FD, &media_events, NULL);
  worker.control = rec_control_new (REC_WIRE_CONTROL_FD, true, on_message, on_closed, NULL);
  rec_prepare ();
  say_hello ();
  tick = g_timeout_add (TICK_MS, on_tick, NULL);

  g_main_loop_run (worker.loop);
  g_source_remove (tick);
  clean_up ();
  return worker.status;
}
