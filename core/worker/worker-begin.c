/* worker-begin.c - how a worker is set up and begins: to record, or to recover what another one left. */
#define G_LOG_DOMAIN "rec.worker"
#include "worker/worker-private.h"

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "worker/conclusion.h"

#define MEDIA_PAUSE_MS 10 /* of the 250 that packets have */
#define MAX_START_AGE_NS (INT64_C (60) * 1000000000)

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
  rec_worker_say (REC_CONTROL_FAILED, message);
  worker.has_given_up = true;
  if (worker.page != NULL)
    rec_page_run_end (worker.page);
  rec_sink_set_end (worker.sinks);
  worker.state = STATE_FINISHING;
  if (rec_sink_set_get_all (worker.sinks)->len == 0)
    rec_worker_leave (1);
}

void
rec_worker_give_up (const char *why)
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
  rec_worker_say (REC_CONTROL_READY, json_object_new_object ());
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
    rec_worker_end_early (why);
}

static void
on_page_says (json_object *message, void *data)
{
  (void) data;
  rec_worker_say (REC_CONTROL_PAGE, message);
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
  if (!rec_sink_set_make (worker.sinks, worker.setup, false, rec_worker_note, error))
    return false;
  worker.setup->recorder.sinks = rec_sink_set_get_all (worker.sinks);
  worker.recorder =
      rec_recorder_new (&worker.setup->recorder, &rec_worker_recorder_events, NULL, error);
  return worker.recorder != NULL;
}

void
rec_worker_prepare_recording (json_object *message)
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

void
rec_worker_begin_recording (json_object *message)
{
  const int64_t start_ns = rec_json_int_or (message, "startNs", 0);
  g_autoptr (GError) error = NULL;

  if (!check_start (start_ns, &error)) {
    rec_worker_give_up (error->message);
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

void
rec_worker_start_recovery (json_object *message)
{
  g_autoptr (GError) error = NULL;

  if (!take_setup (message, &error) ||
      !rec_sink_set_make (worker.sinks, worker.setup, true, rec_worker_note, &error)) {
    rec_worker_give_up (error->message);
    return;
  }
  worker.state = STATE_FINISHING;
  rec_worker_update ();
}
