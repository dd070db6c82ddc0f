/* job.c - the life of one recording: phases, their deadlines, and what a worker's message means in each. */
#define G_LOG_DOMAIN "rec.recording.job"
#include "recording/job.h"

#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/main-thread.h"
#include "media/router.h"
#include "recording/limits.h"
#include "recording/outcome.h"
#include "recording/salvage.h"
#include "recording/store.h"
#include "recording/tracks.h"
#include "session/registry.h"

#define WATCHDOG_S 1
#define MAX_NOTES 100
#define THUMBNAIL_TIMEOUT_MS 10000 /* between the finished files and the worker's exit */

typedef enum {
  PHASE_INVALID = 0,
  PHASE_PREPARING,  /* until the worker said hello and the journal is on the disk */
  PHASE_SETTING_UP, /* until the worker is ready */
  PHASE_STARTING,   /* packets flow; until there is data on the disk */
  PHASE_RUNNING,
  PHASE_STOPPING,   /* until the worker has finished */
  PHASE_SALVAGING,  /* the worker is dead; until another one has recovered the files */
  PHASE_COMPLETING, /* the outcome is known; until the disk says so and the worker is gone */
  PHASE_OVER,
} Phase;

struct RecJob {
  const RecJobContext *context;
  RecRecording *recording; /* a reference */
  json_object *setup;
  json_object *page; /* the part of the setup that is not kept; NULL for a native layout */
  bool shows_page;   /* until it falls back to the native layout */
  bool was_refused;
  unsigned n_console_lines;
  Phase phase;
  RecWorkerProcess *worker; /* NULL once gone */
  RecTracks *tracks;        /* NULL before and after packets flow */
  RecSalvage *salvage;
  char *failure; /* what the worker said when it gave up */
  bool is_journaled, is_saved, never_began;
  int64_t start_ns, last_heard_us;
  guint deadline, watchdog;
  RecLimits *limits;                 /* while it runs */
  RecRecordingDone started, stopped; /* NULL once called */
  void *started_data, *stopped_data;
};

static void on_worker_gone (RecWorkerProcess *worker, const char *why, void *data);

static bool
is_before_running (const RecJob *job)
{
  return job->phase == PHASE_PREPARING || job->phase == PHASE_SETTING_UP ||
         job->phase == PHASE_STARTING;
}

static int64_t
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

static void
clear_source (guint *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

static void
log_life (const RecJob *job, GLogLevelFlags level, const char *text)
{
  const RecLogFields fields = { .recording = job->recording->id,
    .session = job->recording->session_id };

  rec_log_with (level, &fields, "%s", text);
}

static void
add_note (RecJob *job, const char *text)
{
  if (job->recording->notes->len >= MAX_NOTES)
    return;
  log_life (job, G_LOG_LEVEL_WARNING, text);
  g_ptr_array_add (job->recording->notes, g_strdup (text));
}

static void
set_text (char **field, const char *text)
{
  char *copy = g_strdup (text);

  g_free (*field);
  *field = copy;
}

/* --- the end ----------------------------------------------------------------------------------------- */

static void
remove_unfinished (const RecJob *job)
{
  g_autoptr (GError) error = NULL;

  if (!rec_place_remove_unfinished (job->recording, &error))
    log_life (job, G_LOG_LEVEL_WARNING, error->message);
}

static void
be_over_when_done (RecJob *job)
{
  if (job->phase != PHASE_COMPLETING || !job->is_saved || job->worker != NULL)
    return;
  job->phase = PHASE_OVER;
  clear_source (&job->deadline);
  if (job->never_began)
    remove_unfinished (job);
  rec_place_give_files (job->context->config, job->recording);
  job->context->job_over (job, job->context->data);
}

static void
on_saved (const GError *error, void *data)
{
  RecJob *job = data;
  RecRecordingDone stopped = g_steal_pointer (&job->stopped);

  if (error != NULL)
    g_warning ("the outcome of recording '%s' is not on the disk: %s", job->recording->id,
        error->message);
  else
    rec_store_forget_journal (job->context, job->recording->id);
  if (error == NULL)
    rec_store_forget_chronicle (job->context, job->recording);
  job->is_saved = true;
  if (stopped != NULL)
    stopped (job->recording, NULL, job->stopped_data);
  be_over_when_done (job);
}

/* The outcome is in the recording; from here on nothing can change it. */
static void
conclude (RecJob *job, RecRecordingStatus status)
{
  RecRecording *recording = job->recording;

  job->phase = PHASE_COMPLETING;
  clear_source (&job->deadline);
  clear_source (&job->watchdog);
  g_clear_pointer (&job->limits, rec_limits_free);
  g_clear_pointer (&job->tracks, rec_tracks_free);
  rec_place_give_files (job->context->config, recording);
  rec_page_end (job->context->registry, recording);
  if (recording->session != NULL && recording->session->recording == recording)
    recording->session->recording = NULL;
  rec_registry_set_recording_status (job->context->registry, recording, status);
  if (recording->era == REC_ERA_OLD && status == REC_RECORDING_READY)
    rec_store_info (job->context, recording);
  rec_store_entity (job->context, recording, on_saved, job);
}

static gboolean
on_linger_deadline (gpointer data)
{
  RecJob *job = data;

  job->deadline = 0;
  rec_worker_process_end (job->worker, "the worker did not exit after its files were finished");
  return G_SOURCE_REMOVE;
}

static void
fail_start (RecJob *job, RecErrorCode code, const char *why)
{
  RecRecordingDone started = g_steal_pointer (&job->started);
  g_autoptr (GError) error = NULL;

  g_set_error (&error, REC_ERROR, (gint) code, "cannot start recording '%s': %s",
      job->recording->id, why);
  log_life (job, G_LOG_LEVEL_CRITICAL, error->message);
  set_text (&job->recording->message, why);
  job->never_began = true;
  /* One that said so itself ends by itself. */
  if (job->worker != NULL && code == REC_ERROR_FAILED)
    rec_worker_process_end (job->worker, why);
  else if (job->worker != NULL)
    rec_worker_process_abort (job->worker, why);
  conclude (job, REC_RECORDING_FAILED);
  if (started != NULL)
    started (job->recording, error, job->started_data);
}

/* finished: NULL when nothing could be saved. */
static void
complete (RecJob *job, json_object *finished, const char *why)
{
  RecRecording *recording = job->recording;
  bool is_playable = rec_outcome_take (recording, finished);

  if (why != NULL)
    set_text (&recording->message, why);
  if (recording->status == REC_RECORDING_STARTED) {
    if (recording->reason == NULL)
      recording->reason = g_strdup ("automaticStop");
    rec_registry_set_recording_status (job->context->registry, recording, REC_RECORDING_STOPPED);
  }
  if (!is_playable && recording->message == NULL)
    recording->message = g_strdup ("the worker finished without a file");
  conclude (job, is_playable ? REC_RECORDING_READY : REC_RECORDING_FAILED);
  log_life (job, is_playable ? G_LOG_LEVEL_MESSAGE : G_LOG_LEVEL_CRITICAL,
      recording->message != NULL ? recording->message : "recorded");
  if (job->worker != NULL)
    job->deadline = g_timeout_add (THUMBNAIL_TIMEOUT_MS, on_linger_deadline, job);
}

/* --- salvage ----------------------------------------------------------------------------------------- */

static void
on_salvaged (RecSalvage *salvage G_GNUC_UNUSED, json_object *finished, const char *why, void *data)
{
  RecJob *job = data;
  g_autofree char *cause = g_strdup (job->failure);
  g_autofree char *message = NULL;

  if (finished != NULL && rec_outcome_has_file (job->recording, finished)) {
    add_note (job, "the file was salvaged after its worker was lost");
    complete (job, finished, cause);
  } else {
    message = g_strdup_printf ("%s; nothing could be salvaged: %s", cause,
        rec_json_string_or (finished, "message", why));
    complete (job, NULL, message);
  }
  g_clear_pointer (&job->salvage, rec_salvage_free);
}

static bool
start_salvage (RecJob *job, GError **error)
{
  job->phase = PHASE_SALVAGING;
  job->salvage = rec_salvage_new (job->context->config, job->context->pool, job->setup, on_salvaged,
      job, error);
  return job->salvage != NULL;
}

static void
lose_worker (RecJob *job, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *cause = job->failure != NULL ? g_strdup_printf ("%s; %s", job->failure, why)
                                                : g_strdup (why);

  log_life (job, G_LOG_LEVEL_CRITICAL, cause);
  set_text (&job->failure, cause);
  set_text (&job->recording->message, cause);
  clear_source (&job->deadline);
  clear_source (&job->watchdog);
  g_clear_pointer (&job->limits, rec_limits_free);
  g_clear_pointer (&job->tracks, rec_tracks_free);
  if (job->recording->status == REC_RECORDING_STARTED) {
    set_text (&job->recording->reason, "mediaServerCrashed");
    rec_registry_set_recording_status (job->context->registry, job->recording,
        REC_RECORDING_STOPPED);
  }
  if (start_salvage (job, &error))
    return;
  g_autofree char *message =
      g_strdup_printf ("%s; nothing could be salvaged: %s", cause, error->message);
  complete (job, NULL, message);
}

/* --- starting ---------------------------------------------------------------------------------------- */

static gboolean
on_deadline (gpointer data)
{
  static const char *const overdue[] = {
    [PHASE_PREPARING] = "no worker was ready within recording.start-timeout-ms",
    [PHASE_SETTING_UP] = "the worker was not set up within recording.start-timeout-ms (with a "
                         "page, and browser.ready-timeout-ms)",
    [PHASE_STARTING] = "there was no data on the disk within recording.start-timeout-ms",
  };
  RecJob *job = data;

  job->deadline = 0;
  if (is_before_running (job))
    fail_start (job, REC_ERROR_TIMEOUT, overdue[job->phase]);
  else if (job->phase == PHASE_RUNNING || job->phase == PHASE_STOPPING)
    rec_worker_process_end (job->worker,
        "the worker did not finish its files within recording.stop-timeout-ms");
  return G_SOURCE_REMOVE;
}

/* is_page: with the time that a browser may take, and then its page. */
static void
set_deadline (RecJob *job, const char *key, bool is_page)
{
  const RecConfig *config = job->context->config;
  int64_t time_ms = rec_config_get_int (config, key);

  if (is_page)
    time_ms += REC_WIRE_PAGE_LAUNCH_MS + rec_config_get_int (config, "browser.ready-timeout-ms");
  clear_source (&job->deadline);
  job->deadline = g_timeout_add ((guint) time_ms, on_deadline, job);
}

static void
set_up_when_prepared (RecJob *job)
{
  if (job->phase != PHASE_PREPARING || !job->is_journaled ||
      !rec_worker_process_is_greeted (job->worker))
    return;
  job->phase = PHASE_SETTING_UP;
  if (job->page == NULL) {
    rec_worker_process_send_setup (job->worker, REC_CONTROL_SETUP, job->setup);
    return;
  }
  g_autoptr (RecJson) whole = NULL;
  json_object_deep_copy (job->setup, &whole, NULL);
  rec_json_take (whole, "page", json_object_get (job->page));
  rec_worker_process_send_setup (job->worker, REC_CONTROL_SETUP, whole);
  set_deadline (job, "recording.start-timeout-ms", true);
}

static void
on_journaled (const GError *error, void *data)
{
  RecJob *job = data;

  if (job->phase != PHASE_PREPARING)
    return;
  if (error != NULL) {
    fail_start (job, REC_ERROR_UNAVAILABLE, error->message);
    return;
  }
  job->is_journaled = true;
  set_up_when_prepared (job);
}

static void
attach_published_streams (RecJob *job)
{
  RecSession *session = job->shows_page ? NULL : job->recording->session;

  for (guint i = 0; session != NULL && i < session->participants->len; i++) {
    RecParticipant *participant = session->participants->pdata[i];

    if (participant->stream != NULL && participant->stream->is_published)
      rec_job_add_stream (job, participant->stream);
  }
}

/* Those that are to be kept one by one. */
static unsigned
count_published_streams (const RecJob *job)
{
  RecSession *session = job->recording->session;
  unsigned n = 0;

  for (guint i = 0; session != NULL && i < session->participants->len; i++) {
    RecParticipant *participant = session->participants->pdata[i];

    n += participant->stream != NULL && participant->stream->is_published &&
         rec_tracks_is_recorded (participant->stream);
  }
  return n;
}

/* File time 0 is now. */
static void
send_begin (RecJob *job)
{
  json_object *message = json_object_new_object ();

  job->start_ns = now_ns ();
  job->recording->created_at_ms = rec_registry_now_ms (job->context->registry);
  rec_json_set_int (message, "startNs", job->start_ns);
  rec_json_set_int (message, "createdAt", job->recording->created_at_ms);
  rec_json_set_int (message, "streams", count_published_streams (job));
  rec_worker_process_send (job->worker, REC_CONTROL_BEGIN, message);
}

static void
open_feeds (RecJob *job)
{
  g_autoptr (GError) error = NULL;

  job->tracks = rec_tracks_new (job->context->config, job->context->router, job->worker, &error);
  if (job->tracks == NULL) {
    fail_start (job, REC_ERROR_UNAVAILABLE, error->message);
    return;
  }
  job->phase = PHASE_STARTING;
  if (job->page != NULL)
    set_deadline (job, "recording.start-timeout-ms", false);
  send_begin (job);
  attach_published_streams (job);
}

/* --- running ----------------------------------------------------------------------------------------- */

static void
order_stop (RecJob *job, const char *reason)
{
  json_object *message = json_object_new_object ();

  set_text (&job->recording->reason, reason);
  job->phase = PHASE_STOPPING;
  g_clear_pointer (&job->limits, rec_limits_free);
  set_deadline (job, "recording.stop-timeout-ms", false);
  rec_json_set_int (message, "atNs", now_ns ());
  rec_json_set_string (message, "reason", reason);
  rec_worker_process_send (job->worker, REC_CONTROL_STOP, message);
  rec_registry_set_recording_status (job->context->registry, job->recording, REC_RECORDING_STOPPED);
}

static gboolean
on_watchdog (gpointer data)
{
  RecJob *job = data;
  const RecConfig *config = job->context->config;
  int64_t silent_ms = (g_get_monotonic_time () - job->last_heard_us) / 1000;

  if (silent_ms > rec_config_get_int (config, "recording.heartbeat-timeout-ms")) {
    rec_worker_process_end (job->worker,
        "the worker said nothing for longer than recording.heartbeat-timeout-ms");
    job->watchdog = 0;
    return G_SOURCE_REMOVE;
  }
  return G_SOURCE_CONTINUE;
}

static void
on_limit (const char *reason, const char *text, void *data)
{
  RecJob *job = data;

  if (job->phase != PHASE_RUNNING)
    return;
  add_note (job, text);
  order_stop (job, reason);
}

static void
take_started (RecJob *job, json_object *message)
{
  RecRecordingDone started = g_steal_pointer (&job->started);
  const char *file = rec_json_string_or (message, "file", NULL);

  job->phase = PHASE_RUNNING;
  clear_source (&job->deadline);
  job->watchdog = g_timeout_add_seconds (WATCHDOG_S, on_watchdog, job);
  job->limits = rec_limits_new (job->context->config, job->recording, on_limit, job);
  g_debug ("recording '%s' writes '%s'", job->recording->id, file != NULL ? file : "(no file)");
  rec_registry_set_recording_status (job->context->registry, job->recording, REC_RECORDING_STARTED);
  rec_store_entity (job->context, job->recording, NULL, NULL);
  log_life (job, G_LOG_LEVEL_MESSAGE, "recording");
  if (started != NULL)
    started (job->recording, NULL, job->started_data);
}

/* Why a page layout has no page for this request. */
static RecErrorCode
get_refusal (json_object *message)
{
  const char *code = rec_json_string_or (message, "code", "");

  if (strcmp (code, "not-found") == 0)
    return REC_ERROR_NOT_FOUND;
  if (strcmp (code, "invalid") == 0)
    return REC_ERROR_INVALID_ARGUMENT;
  return strcmp (code, "unsupported") == 0 ? REC_ERROR_NOT_IMPLEMENTED : REC_ERROR_FAILED;
}

static void
take_failed (RecJob *job, json_object *message)
{
  const char *text = rec_json_string_or (message, "message", "");

  if (is_before_running (job)) {
    const RecErrorCode code = get_refusal (message);
    job->was_refused = job->phase == PHASE_SETTING_UP && code != REC_ERROR_FAILED;
    fail_start (job, code, text);
    return;
  }
  /* Only the first one counts: the deadline must come. */
  if (job->failure != NULL || (job->phase != PHASE_RUNNING && job->phase != PHASE_STOPPING))
    return;
  set_text (&job->failure, text);
  log_life (job, G_LOG_LEVEL_CRITICAL, text);
  /* What could be saved comes as finished; what does not come is salvaged. */
  set_deadline (job, "recording.stop-timeout-ms", false);
}

static void
take_finished (RecJob *job, json_object *message)
{
  const char *why = rec_json_string_or (message, "message", job->failure);
  bool is_ok = rec_json_bool_or (message, "ok", false);

  if (is_before_running (job)) {
    fail_start (job, REC_ERROR_FAILED,
        why != NULL ? why : "the worker ended before there was data");
    return;
  }
  if (job->phase != PHASE_RUNNING && job->phase != PHASE_STOPPING)
    return;
  if (!is_ok && why == NULL)
    why = "the recording ended early";
  g_autofree char *copy = g_strdup (is_ok ? NULL : why);
  complete (job, message, copy);
}

static void
take_page (RecJob *job, json_object *message)
{
  g_autofree char *note = rec_page_dup_note (job->recording, message);

  if (job->page == NULL)
    return;
  rec_page_log_console (job->context->config, job->recording, message, &job->n_console_lines);
  if (note != NULL)
    add_note (job, note);
  if (!job->shows_page || strcmp (rec_json_string_or (message, "event", ""), "fallback") != 0)
    return;
  job->shows_page = false;
  rec_page_end (job->context->registry, job->recording);
  if (job->tracks != NULL)
    attach_published_streams (job);
}

static void
on_worker_message (RecWorkerProcess *worker, RecControlType type, json_object *message, void *data)
{
  RecJob *job = data;

  job->last_heard_us = g_get_monotonic_time ();
  switch (type) {
  case REC_CONTROL_READY:
    if (job->phase == PHASE_SETTING_UP)
      open_feeds (job);
    break;
  case REC_CONTROL_STARTED:
    if (job->phase == PHASE_STARTING)
      take_started (job, message);
    break;
  case REC_CONTROL_KEYFRAME:
    if (job->tracks != NULL)
      rec_tracks_request_keyframe (job->tracks, (uint32_t) rec_json_int_or (message, "track", 0));
    break;
  case REC_CONTROL_NOTE:
    add_note (job, rec_json_string_or (message, "text", ""));
    break;
  case REC_CONTROL_PAGE:
    take_page (job, message);
    break;
  case REC_CONTROL_STATS:
    break;
  case REC_CONTROL_FINISHED:
    take_finished (job, message);
    break;
  case REC_CONTROL_FAILED:
    take_failed (job, message);
    break;
  case REC_CONTROL_INVALID:
  case REC_CONTROL_SETUP:
  case REC_CONTROL_RECOVER:
  case REC_CONTROL_BEGIN:
  case REC_CONTROL_TRACK_ADD:
  case REC_CONTROL_TRACK_END:
  case REC_CONTROL_STREAM_STATE:
  case REC_CONTROL_RECORDER:
  case REC_CONTROL_STOP:
  case REC_CONTROL_HELLO:
    rec_worker_process_end (worker, "the worker spoke out of turn");
    break;
  }
}

static void
on_worker_greeted (RecWorkerProcess *worker G_GNUC_UNUSED, void *data)
{
  set_up_when_prepared (data);
}

static void
on_worker_gone (RecWorkerProcess *worker, const char *why, void *data)
{
  RecJob *job = data;

  job->worker = NULL;
  clear_source (&job->deadline);
  if (is_before_running (job))
    fail_start (job, REC_ERROR_FAILED, job->failure != NULL ? job->failure : why);
  else if (job->phase == PHASE_RUNNING || job->phase == PHASE_STOPPING)
    lose_worker (job, why);
  else
    be_over_when_done (job);
  rec_worker_process_free (worker);
}

static const RecWorkerEvents worker_events = {
  .greeted = on_worker_greeted,
  .message = on_worker_message,
  .gone = on_worker_gone,
};

/* --- life -------------------------------------------------------------------------------------------- */

static RecJob *
make_job (const RecJobContext *context, RecRecording *recording, json_object *setup)
{
  RecJob *job = g_new0 (RecJob, 1);

  REC_ASSERT_MAIN ();
  job->context = context;
  job->recording = rec_recording_ref (recording);
  job->setup = json_object_get (setup);
  job->last_heard_us = g_get_monotonic_time ();
  return job;
}

RecJob *
rec_job_new (const RecJobContext *context, RecRecording *recording, json_object *setup,
    json_object *page, RecRecordingDone started, void *data, GError **error)
{
  RecWorkerProcess *worker = rec_worker_pool_take (context->pool, error);

  if (worker == NULL)
    return NULL;
  RecJob *job = make_job (context, recording, setup);
  job->phase = PHASE_PREPARING;
  job->page = json_object_get (page);
  job->shows_page = page != NULL;
  job->worker = worker;
  job->started = started;
  job->started_data = data;
  rec_worker_process_set_events (worker, &worker_events, job);
  set_deadline (job, "recording.start-timeout-ms", false);
  rec_store_journal (context, recording, setup, rec_worker_process_get_pid (worker), on_journaled,
      job);
  rec_store_entity (context, recording, NULL, NULL);
  return job;
}

RecJob *
rec_job_new_salvage (const RecJobContext *context, RecRecording *recording, json_object *setup,
    const char *why, GError **error)
{
  RecJob *job = make_job (context, recording, setup);

  job->failure = g_strdup (why);
  if (start_salvage (job, error))
    return job;
  rec_job_free (job);
  return NULL;
}

void
rec_job_free (RecJob *job)
{
  if (job == NULL)
    return;
  clear_source (&job->deadline);
  clear_source (&job->watchdog);
  g_clear_pointer (&job->limits, rec_limits_free);
  rec_tracks_free (job->tracks);
  rec_worker_process_free (job->worker);
  rec_salvage_free (job->salvage);
  rec_recording_unref (job->recording);
  json_object_put (job->setup);
  json_object_put (job->page);
  g_free (job->failure);
  g_free (job);
}

RecRecording *
rec_job_get_recording (RecJob *job)
{
  return job->recording;
}

const RecTracks *
rec_job_get_tracks (const RecJob *job)
{
  return job->tracks;
}

bool
rec_job_is_over (const RecJob *job)
{
  return job->phase == PHASE_OVER;
}

pid_t
rec_job_get_worker (const RecJob *job)
{
  return job->worker != NULL ? rec_worker_process_get_pid (job->worker) : 0;
}

bool
rec_job_was_refused (const RecJob *job)
{
  return job->was_refused;
}

void
rec_job_stop (RecJob *job, const char *reason, RecRecordingDone stopped, void *data)
{
  job->stopped = stopped;
  job->stopped_data = data;
  order_stop (job, reason);
}

void
rec_job_end (RecJob *job, const char *reason)
{
  if (is_before_running (job)) {
    g_autofree char *why = g_strdup_printf ("it was ended before it had begun: %s", reason);

    set_text (&job->recording->reason, reason);
    fail_start (job, REC_ERROR_CONFLICT, why);
  } else if (job->phase == PHASE_RUNNING) {
    order_stop (job, reason);
  }
}

void
rec_job_end_early (RecJob *job, const char *reason, const char *why)
{
  if (job->phase != PHASE_RUNNING)
    return;
  log_life (job, G_LOG_LEVEL_WARNING, why);
  set_text (&job->recording->message, why);
  order_stop (job, reason);
}

void
rec_job_kill (RecJob *job)
{
  if (job->worker == NULL)
    return;
  rec_worker_process_kill (job->worker);
  g_clear_pointer (&job->worker, rec_worker_process_free);
  be_over_when_done (job);
}

void
rec_job_add_stream (RecJob *job, RecStreamInfo *stream)
{
  g_autoptr (GError) error = NULL;

  if (job->tracks == NULL || job->shows_page || rec_tracks_add (job->tracks, stream, &error))
    return;
  g_autofree char *note =
      g_strdup_printf ("stream '%s' is not recorded: %s", stream->id, error->message);
  add_note (job, note);
}

void
rec_job_end_stream (RecJob *job, RecStreamInfo *stream)
{
  if (job->tracks != NULL && !job->shows_page)
    rec_tracks_end (job->tracks, stream);
}

void
rec_job_change_stream (RecJob *job, RecStreamInfo *stream)
{
  if (job->tracks != NULL && !job->shows_page)
    rec_tracks_change (job->tracks, stream);
}

/* What a page could show, if it showed everything. */
static int
count_pictures (const RecJob *job)
{
  const GPtrArray *participants = job->recording->session->participants;
  int n = 0;

  for (unsigned i = 0; i < participants->len; i++) {
    const RecStreamInfo *stream = ((RecParticipant *) participants->pdata[i])->stream;

    n += stream != NULL && stream->is_published && stream->has_video && stream->video_active;
  }
  return n;
}

void
rec_job_tell_recorder (RecJob *job, bool is_there)
{
  json_object *message;

  if (!job->shows_page || job->worker == NULL ||
      (job->phase != PHASE_SETTING_UP && job->phase != PHASE_STARTING &&
          job->phase != PHASE_RUNNING))
    return;
  message = json_object_new_object ();
  rec_json_set_string (message, "state", is_there ? "joined" : "left");
  if (job->recording->session != NULL)
    rec_json_set_int (message, "streams", count_pictures (job));
  rec_worker_process_send (job->worker, REC_CONTROL_RECORDER, message);
}
