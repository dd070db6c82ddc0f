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
#include "worker/conclusion.h"
#include "worker/prepare.h"
#include "worker/report.h"
#include "worker/worker-private.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 100
#define STATS_MS 5000
#define PROGRESS_MS 500
#define ORPHAN_MS 4500
#define FLUSH_MS 2000

RecWorker worker;

/* --- to the server --------------------------------------------------------------------------------- */

void
rec_worker_say (RecControlType type, json_object *message)
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
  rec_worker_say (type, message);
}

void
rec_worker_note (const char *text)
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
  rec_worker_say (REC_CONTROL_STATS, rec_report_make_stats (&stats));
}

/* Files are being recovered, and one more of them is done. */
static void
tell_recovered (void)
{
  if (worker.recorder == NULL)
    rec_worker_say (REC_CONTROL_PROGRESS, json_object_new_object ());
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
  rec_worker_end_early ("the server sent a media packet that is none");
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

void
rec_worker_end_early (const char *why)
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
      rec_worker_end_early (error);
      continue;
    }
    text = g_strdup_printf ("%s; the recording goes on without it", error);
    rec_worker_note (text);
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
    rec_worker_note (misses->pdata[i]);
  worker.files = rec_conclusion_make_files (worker.setup, worker.created_at_ms, worker.recorder,
      sinks, rec_worker_note, tell_recovered);
}

static void
take_zip (void)
{
  g_autofree char *why = rec_pack_take (worker.pack, worker.files);

  if (why != NULL)
    rec_worker_note (why);
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
  rec_worker_say (REC_CONTROL_FINISHED, message);
}

void
rec_worker_leave (int status)
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
  rec_worker_leave (worker.failure == NULL && !worker.has_given_up ? 0 : 1);
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
    worker.pack = rec_pack_new (worker.setup, worker.files, &rec_worker_pack_events);
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
    rec_worker_note (text);
  else
    rec_worker_end_early (text);
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
void
rec_worker_update (void)
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
    rec_worker_prepare_recording (message);
  else if (type == REC_CONTROL_RECOVER && worker.state == STATE_WAITING)
    rec_worker_start_recovery (message);
  else if (type == REC_CONTROL_BEGIN && worker.state == STATE_PREPARED)
    rec_worker_begin_recording (message);
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
    rec_worker_give_up ("the server went before the recording began");
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
  rec_worker_update ();
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
  rec_worker_say (REC_CONTROL_HELLO, message);
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
  worker.sinks = rec_sink_set_new (&rec_worker_sink_events);
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
