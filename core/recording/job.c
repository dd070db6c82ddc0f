/* job.c - the life of one recording: phases, their deadlines, and what a worker's message means in each. */
#define G_LOG_DOMAIN "rec.recording.job"
#include "recording/job-private.h"

#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/main-thread.h"
#include "media/router.h"
#include "recording/limits.h"
#include "recording/salvage.h"
#include "recording/store.h"
#include "recording/tracks.h"
#include "session/registry.h"

#define WATCHDOG_S 1
#define MAX_NOTES 100

static void on_worker_gone (RecWorkerProcess *worker, const char *why, void *data);

bool
rec_job_is_before_running (const RecJob *job)
{
  return job->phase == REC_PHASE_PREPARING || job->phase == REC_PHASE_SETTING_UP ||
         job->phase == REC_PHASE_STARTING;
}

static int64_t
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

void
rec_job_clear_source (guint *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

void
rec_job_log (const RecJob *job, GLogLevelFlags level, const char *text)
{
  const RecLogFields fields = { .recording = job->recording->id,
    .session = job->recording->session_id };

  rec_log_with (level, &fields, "%s", text);
}

void
rec_job_note (RecJob *job, const char *text)
{
  if (job->recording->notes->len >= MAX_NOTES)
    return;
  rec_job_log (job, G_LOG_LEVEL_WARNING, text);
  g_ptr_array_add (job->recording->notes, g_strdup (text));
}

void
rec_job_set_text (char **field, const char *text)
{
  char *copy = g_strdup (text);

  g_free (*field);
  *field = copy;
}

/* --- starting ---------------------------------------------------------------------------------------- */

static gboolean
on_deadline (gpointer data)
{
  static const char *const overdue[] = {
    [REC_PHASE_PREPARING] = "no worker was ready within recording.start-timeout-ms",
    [REC_PHASE_SETTING_UP] = "the worker was not set up within recording.start-timeout-ms (with a "
                             "page, and browser.ready-timeout-ms)",
    [REC_PHASE_STARTING] = "there was no data on the disk within recording.start-timeout-ms",
  };
  RecJob *job = data;

  job->deadline = 0;
  if (rec_job_is_before_running (job))
    rec_job_fail_start (job, REC_ERROR_TIMEOUT, overdue[job->phase]);
  else if (job->phase == REC_PHASE_RUNNING || job->phase == REC_PHASE_STOPPING)
    rec_worker_process_end (job->worker,
        "the worker did not finish its files within recording.stop-timeout-ms");
  return G_SOURCE_REMOVE;
}

static void
set_deadline (RecJob *job, const char *key, int64_t more_ms)
{
  rec_job_clear_source (&job->deadline);
  job->deadline = g_timeout_add ((guint) (rec_config_get_int (job->context->config, key) + more_ms),
      on_deadline, job);
}

static bool
is_individual (const RecJob *job)
{
  return job->recording->properties->output_mode == REC_OUTPUT_INDIVIDUAL;
}

static void
set_up_when_prepared (RecJob *job)
{
  if (job->phase != REC_PHASE_PREPARING || !job->is_journaled ||
      !rec_worker_process_is_greeted (job->worker))
    return;
  job->phase = REC_PHASE_SETTING_UP;
  if (job->page == NULL) {
    rec_worker_process_send_setup (job->worker, REC_CONTROL_SETUP, job->setup);
    return;
  }
  g_autoptr (RecJson) whole = NULL;
  json_object_deep_copy (job->setup, &whole, NULL);
  rec_json_take (whole, "page", json_object_get (job->page));
  rec_worker_process_send_setup (job->worker, REC_CONTROL_SETUP, whole);
  /* with the time that a browser may take, and then its page */
  set_deadline (job, "recording.start-timeout-ms",
      REC_WIRE_PAGE_LAUNCH_MS +
          rec_config_get_int (job->context->config, "browser.ready-timeout-ms"));
}

static void
on_journaled (const GError *error, void *data)
{
  RecJob *job = data;

  if (job->phase != REC_PHASE_PREPARING)
    return;
  if (error != NULL) {
    rec_job_fail_start (job, REC_ERROR_UNAVAILABLE, error->message);
    return;
  }
  job->is_journaled = true;
  set_up_when_prepared (job);
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
  rec_json_set_int (message, "streams", rec_job_count_streams (job));
  rec_worker_process_send (job->worker, REC_CONTROL_BEGIN, message);
}

static void
open_feeds (RecJob *job)
{
  g_autoptr (GError) error = NULL;

  job->tracks = rec_tracks_new (job->context->config, job->context->router, job->worker, &error);
  if (job->tracks == NULL) {
    rec_job_fail_start (job, REC_ERROR_UNAVAILABLE, error->message);
    return;
  }
  job->phase = REC_PHASE_STARTING;
  /* It is the worker that waits for streams, and says which did not come. */
  if (is_individual (job))
    set_deadline (job, "recording.start-timeout-ms",
        rec_config_get_int (job->context->config, "recording.stream-timeout-ms"));
  else if (job->page != NULL)
    set_deadline (job, "recording.start-timeout-ms", 0);
  send_begin (job);
  rec_job_attach_streams (job);
}

/* --- running ----------------------------------------------------------------------------------------- */

static void
order_stop (RecJob *job, const char *reason)
{
  json_object *message = json_object_new_object ();

  rec_job_set_text (&job->recording->reason, reason);
  job->phase = REC_PHASE_STOPPING;
  g_clear_pointer (&job->limits, rec_limits_free);
  set_deadline (job, "recording.stop-timeout-ms", 0);
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

  if (job->phase != REC_PHASE_RUNNING)
    return;
  rec_job_note (job, text);
  order_stop (job, reason);
}

static void
take_started (RecJob *job, json_object *message)
{
  RecRecordingDone started = g_steal_pointer (&job->started);
  const char *file = rec_json_string_or (message, "file", NULL);

  job->phase = REC_PHASE_RUNNING;
  rec_job_clear_source (&job->deadline);
  job->watchdog = g_timeout_add_seconds (WATCHDOG_S, on_watchdog, job);
  job->limits = rec_limits_new (job->context->config, job->recording, on_limit, job);
  g_debug ("recording '%s' writes '%s'", job->recording->id, file != NULL ? file : "(no file)");
  rec_registry_set_recording_status (job->context->registry, job->recording, REC_RECORDING_STARTED);
  rec_store_entity (job->context, job->recording, NULL, NULL);
  rec_job_log (job, G_LOG_LEVEL_MESSAGE, "recording");
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

  if (rec_job_is_before_running (job)) {
    const RecErrorCode code = get_refusal (message);
    job->was_refused = job->phase == REC_PHASE_SETTING_UP && code != REC_ERROR_FAILED;
    rec_job_fail_start (job, code, text);
    return;
  }
  /* Only the first one counts: the deadline must come. */
  if (job->failure != NULL || (job->phase != REC_PHASE_RUNNING && job->phase != REC_PHASE_STOPPING))
    return;
  rec_job_set_text (&job->failure, text);
  rec_job_log (job, G_LOG_LEVEL_CRITICAL, text);
  /* What could be saved comes as finished; what does not come is salvaged. */
  set_deadline (job, "recording.stop-timeout-ms", 0);
}

static void
take_finished (RecJob *job, json_object *message)
{
  const char *why = rec_json_string_or (message, "message", job->failure);
  bool is_ok = rec_json_bool_or (message, "ok", false);

  if (rec_job_is_before_running (job)) {
    rec_job_fail_start (job, REC_ERROR_FAILED,
        why != NULL ? why : "the worker ended before there was data");
    return;
  }
  if (job->phase != REC_PHASE_RUNNING && job->phase != REC_PHASE_STOPPING)
    return;
  if (!is_ok && why == NULL)
    why = "the recording ended early";
  g_autofree char *copy = g_strdup (is_ok ? NULL : why);
  rec_job_complete (job, message, copy);
}

/* As long as a ZIP grows the end is near. */
static void
take_progress (RecJob *job, json_object *message)
{
  if (job->phase == REC_PHASE_STOPPING && job->deadline != 0 &&
      rec_patience_hears (&job->patience, job->context->config, message))
    set_deadline (job, "recording.stop-timeout-ms", 0);
}

static void
take_page (RecJob *job, json_object *message)
{
  g_autofree char *note = rec_page_dup_note (job->recording, message);

  if (job->page == NULL)
    return;
  rec_page_log_console (job->context->config, job->recording, message, &job->n_console_lines);
  if (note != NULL)
    rec_job_note (job, note);
  if (!job->shows_page || strcmp (rec_json_string_or (message, "event", ""), "fallback") != 0)
    return;
  job->shows_page = false;
  rec_page_end (job->context->registry, job->recording);
  if (job->tracks != NULL)
    rec_job_attach_streams (job);
}

static void
on_worker_message (RecWorkerProcess *worker, RecControlType type, json_object *message, void *data)
{
  RecJob *job = data;

  job->last_heard_us = g_get_monotonic_time ();
  switch (type) {
  case REC_CONTROL_READY:
    if (job->phase == REC_PHASE_SETTING_UP)
      open_feeds (job);
    break;
  case REC_CONTROL_STARTED:
    if (job->phase == REC_PHASE_STARTING)
      take_started (job, message);
    break;
  case REC_CONTROL_KEYFRAME:
    if (job->tracks != NULL)
      rec_tracks_request_keyframe (job->tracks, (uint32_t) rec_json_int_or (message, "track", 0));
    break;
  case REC_CONTROL_NOTE:
    rec_job_note (job, rec_json_string_or (message, "text", ""));
    break;
  case REC_CONTROL_PAGE:
    take_page (job, message);
    break;
  case REC_CONTROL_STATS:
    break;
  case REC_CONTROL_PROGRESS:
    take_progress (job, message);
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
  rec_job_clear_source (&job->deadline);
  if (rec_job_is_before_running (job))
    rec_job_fail_start (job, REC_ERROR_FAILED, job->failure != NULL ? job->failure : why);
  else if (job->phase == REC_PHASE_RUNNING || job->phase == REC_PHASE_STOPPING)
    rec_job_lose_worker (job, why);
  else
    rec_job_be_over_when_done (job);
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
  job->phase = REC_PHASE_PREPARING;
  job->page = json_object_get (page);
  job->shows_page = page != NULL;
  job->worker = worker;
  job->started = started;
  job->started_data = data;
  rec_worker_process_set_events (worker, &worker_events, job);
  set_deadline (job, "recording.start-timeout-ms", 0);
  rec_store_journal (context, recording, setup,
      &(RecStoreWork){ .worker = rec_worker_process_get_pid (worker) }, on_journaled, job);
  rec_store_entity (context, recording, NULL, NULL);
  return job;
}

RecJob *
rec_job_new_salvage (const RecJobContext *context, RecRecording *recording, json_object *setup,
    const char *why, unsigned n_tries)
{
  RecJob *job = make_job (context, recording, setup);

  job->failure = g_strdup (why);
  job->n_tries = n_tries;
  rec_job_salvage (job);
  return job;
}

void
rec_job_free (RecJob *job)
{
  if (job == NULL)
    return;
  rec_job_clear_source (&job->deadline);
  rec_job_clear_source (&job->watchdog);
  g_clear_pointer (&job->limits, rec_limits_free);
  rec_tracks_free (job->tracks);
  rec_worker_process_free (job->worker);
  rec_salvage_free (job->salvage);
  g_clear_pointer (&job->packed, g_ptr_array_unref);
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
  return job->phase == REC_PHASE_OVER;
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
  if (rec_job_is_before_running (job)) {
    g_autofree char *why = g_strdup_printf ("it was ended before it had begun: %s", reason);

    rec_job_set_text (&job->recording->reason, reason);
    rec_job_fail_start (job, REC_ERROR_CONFLICT, why);
  } else if (job->phase == REC_PHASE_RUNNING) {
    order_stop (job, reason);
  }
}

void
rec_job_end_early (RecJob *job, const char *reason, const char *why)
{
  if (job->phase != REC_PHASE_RUNNING)
    return;
  rec_job_log (job, G_LOG_LEVEL_WARNING, why);
  rec_job_set_text (&job->recording->message, why);
  order_stop (job, reason);
}

void
rec_job_kill (RecJob *job)
{
  if (job->worker == NULL)
    return;
  rec_worker_process_kill (job->worker);
  g_clear_pointer (&job->worker, rec_worker_process_free);
  rec_job_be_over_when_done (job);
}
