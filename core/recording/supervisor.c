/* supervisor.c - all recordings: who may start one, and the end of everything. */
#define G_LOG_DOMAIN "rec.recording.supervisor"
#include "recording/supervisor-private.h"

#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "recording/journal.h"
#include "recording/place.h"
#include "recording/plan.h"
#include "recording/store.h"
#include "session/registry.h"

/* --- jobs --------------------------------------------------------------------------------------------- */

static void
free_job (void *data)
{
  rec_job_free (data);
}

RecJob *
rec_supervisor_find_job (const RecSupervisor *supervisor, const RecRecording *recording)
{
  for (guint i = 0; recording != NULL && i < supervisor->jobs->len; i++)
    if (rec_job_get_recording (supervisor->jobs->pdata[i]) == recording)
      return supervisor->jobs->pdata[i];
  return NULL;
}

static void
tell_all_stopped (RecSupervisor *supervisor)
{
  void (*done) (void *data) = supervisor->all_stopped;

  supervisor->all_stopped = NULL;
  if (supervisor->stop_deadline != 0)
    g_source_remove (supervisor->stop_deadline);
  supervisor->stop_deadline = 0;
  if (done != NULL)
    done (supervisor->all_stopped_data);
}

/* The page layout said no before anything had begun. */
static void
forget_refused (RecSupervisor *supervisor, RecRecording *recording)
{
  g_autoptr (GError) error = NULL;

  if (!rec_place_remove (recording, &error))
    g_warning ("cannot remove what a refused recording left: %s", error->message);
  rec_registry_remove_recording (supervisor->context.registry, recording);
}

static gboolean
clean_up (gpointer data)
{
  RecSupervisor *supervisor = data;

  supervisor->cleaning = 0;
  for (guint i = supervisor->jobs->len; i-- > 0;) {
    RecJob *job = supervisor->jobs->pdata[i];
    if (!rec_job_is_over (job))
      continue;
    if (rec_job_was_refused (job))
      forget_refused (supervisor, rec_job_get_recording (job));
    g_ptr_array_remove_index (supervisor->jobs, i);
  }
  if (supervisor->is_stopping && supervisor->jobs->len == 0)
    tell_all_stopped (supervisor);
  else if (!supervisor->is_stopping && supervisor->restore != NULL)
    rec_restore_notify_job_over (supervisor->restore);
  rec_supervisor_look_whether_drained (supervisor);
  return G_SOURCE_REMOVE;
}

void
rec_supervisor_clean_up_later (RecSupervisor *supervisor)
{
  if (supervisor->cleaning == 0)
    supervisor->cleaning = g_idle_add_full (G_PRIORITY_DEFAULT, clean_up, supervisor, NULL);
}

static void
on_job_over (RecJob *job, void *data)
{
  RecSupervisor *supervisor = data;

  rec_admission_remove (supervisor->admission, rec_job_get_recording (job)->id);
  rec_supervisor_clean_up_later (supervisor);
}

static void
take_restored (RecJob *job, void *data)
{
  RecSupervisor *supervisor = data;

  g_ptr_array_add (supervisor->jobs, job);
}

static void
on_disk_low (uint64_t free_bytes, void *data)
{
  RecSupervisor *supervisor = data;
  g_autofree char *why =
      g_strdup_printf ("the disk of the recordings has %" G_GUINT64_FORMAT
                       " bytes left, fewer than recording.end-free-bytes: the recording was ended",
          free_bytes);

  for (guint i = 0; i < supervisor->jobs->len; i++)
    rec_job_end_early (supervisor->jobs->pdata[i], "automaticStop", why);
}

/* --- life ------------------------------------------------------------------------------------------------ */

RecSupervisor *
rec_supervisor_new (const RecConfig *config, RecRegistry *registry, RecRouter *router,
    RecCatalogue *catalogue, const char *program, GError **error)
{
  bool is_on = rec_config_get_bool (config, "openvidu.recording");
  g_autofree char *journal_folder = NULL;

  REC_ASSERT_MAIN ();
  if (is_on && !rec_place_prepare (config, error))
    return NULL;
  if (is_on && (journal_folder = rec_journal_prepare (config, error)) == NULL)
    return NULL;
  RecSupervisor *supervisor = g_new0 (RecSupervisor, 1);
  const RecMeter meter = rec_meter_of_machine ();
  supervisor->admission = rec_admission_new (config, &meter, on_disk_low, supervisor);
  supervisor->catalogue = catalogue;
  supervisor->jobs = g_ptr_array_new_with_free_func (free_job);
  supervisor->context = (RecJobContext){
    .config = config,
    .registry = registry,
    .router = router,
    .writer = rec_writer_new (rec_config_get_int (config, "recording.owner")),
    .journal_folder = g_steal_pointer (&journal_folder),
    .job_over = on_job_over,
    .data = supervisor,
  };
  if (!is_on) {
    rec_restore_load_finished (&supervisor->context);
    return supervisor;
  }
  supervisor->context.pool = rec_worker_pool_new (config, program);
  supervisor->page_check = rec_page_check_new (config, program);
  supervisor->restore = rec_restore_new (&supervisor->context, take_restored, supervisor);
  rec_registry_subscribe (registry, &rec_supervisor_registry_events, supervisor);
  supervisor->automatic = rec_automatic_new (config, registry, supervisor);
  return supervisor;
}

void
rec_supervisor_free (RecSupervisor *supervisor)
{
  if (supervisor == NULL)
    return;
  if (supervisor->cleaning != 0)
    g_source_remove (supervisor->cleaning);
  if (supervisor->stop_deadline != 0)
    g_source_remove (supervisor->stop_deadline);
  rec_automatic_free (supervisor->automatic);
  rec_restore_free (supervisor->restore);
  /* Before the jobs, whose callbacks it would call. */
  rec_writer_free (supervisor->context.writer);
  g_ptr_array_unref (supervisor->jobs);
  rec_worker_pool_free (supervisor->context.pool);
  rec_page_check_free (supervisor->page_check);
  rec_admission_free (supervisor->admission);
  g_free (supervisor->context.journal_folder);
  g_free (supervisor->context.page_server.key_hash);
  g_free (supervisor->context.page_server.group);
  g_free (supervisor);
}

void
rec_supervisor_check_browser (RecSupervisor *supervisor)
{
  if (supervisor->page_check != NULL)
    rec_page_check_begin (supervisor->page_check);
}

void
rec_supervisor_set_page_group (RecSupervisor *supervisor, const char *group)
{
  REC_ASSERT_MAIN ();
  g_free (supervisor->context.page_server.group);
  supervisor->context.page_server.group = g_strdup (group);
}

void
rec_supervisor_set_page_server (RecSupervisor *supervisor, unsigned port, const char *key_hash)
{
  RecPageServer *server = &supervisor->context.page_server;
  g_autoptr (GError) error = NULL;

  REC_ASSERT_MAIN ();
  g_free (server->key_hash);
  server->key_hash = g_strdup (key_hash);
  server->port = port;
  if (!rec_config_get_bool (supervisor->context.config, "openvidu.recording"))
    return;
  g_autofree char *browser = rec_page_find_browser (supervisor->context.config, &error);
  if (browser == NULL)
    g_warning ("%s; other layouts work", error->message);
}

/* --- requests --------------------------------------------------------------------------------------------- */

static bool refuse (GError **error, RecErrorCode code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static bool
refuse (GError **error, RecErrorCode code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, REC_ERROR, (gint) code, text);
  return false;
}

guint
rec_supervisor_count_running (const RecSupervisor *supervisor)
{
  guint n_active = 0;

  for (guint i = 0; i < supervisor->jobs->len; i++)
    n_active += rec_recording_is_active (rec_job_get_recording (supervisor->jobs->pdata[i]));
  return n_active;
}

static bool
check_session (const RecSupervisor *supervisor, const RecSession *session, GError **error)
{
  if (!rec_config_get_bool (supervisor->context.config, "openvidu.recording"))
    return refuse (error, REC_ERROR_NOT_IMPLEMENTED, "recordings are off: see openvidu.recording");
  if (session->is_closing)
    return refuse (error, REC_ERROR_NOT_FOUND, "session '%s' is being closed", session->id);
  if (session->properties->is_relayed)
    return refuse (error, REC_ERROR_CONFLICT,
        "session '%s' has mediaMode RELAYED and cannot be recorded", session->id);
  if (session->recording != NULL)
    return refuse (error, REC_ERROR_CONFLICT, "session '%s' is being recorded already",
        session->id);
  return true;
}

static unsigned
count_published (const RecSession *session)
{
  unsigned n_streams = 0;

  for (guint i = 0; i < session->participants->len; i++) {
    const RecParticipant *participant = session->participants->pdata[i];
    n_streams += participant->stream != NULL && participant->stream->is_published;
  }
  return n_streams;
}

static bool
check_capacity (const RecSupervisor *supervisor, const RecAdmissionLoad *load, GError **error)
{
  const RecConfig *config = supervisor->context.config;
  guint n_active = rec_supervisor_count_running (supervisor);

  const char *why_not = rec_supervisor_why_not_ready (supervisor);

  if (why_not != NULL)
    return refuse (error, REC_ERROR_UNAVAILABLE, "%s", why_not);
  if (n_active >= rec_config_get_int (config, "recording.max-recordings"))
    return refuse (error, REC_ERROR_UNAVAILABLE,
        "%u recordings are running, the most that recording.max-recordings allows", n_active);
  return rec_place_check_space (config, error) &&
         rec_admission_check (supervisor->admission, load, error);
}

static RecJob *
start_job (RecSupervisor *supervisor, const RecPlan *plan, RecRecording *recording,
    json_object *setup, RecRecordingDone done, void *data, GError **error)
{
  const RecJobContext *context = &supervisor->context;
  g_autoptr (RecJson) page = NULL;

  if (rec_plan_get_page (plan) != NULL) {
    if (!rec_page_check_allows (supervisor->page_check, error))
      return NULL;
    rec_recording_make_page_secret (recording);
    page = rec_page_describe (context->config, &context->page_server,
        rec_registry_get_public_url (context->registry), rec_plan_get_page (plan), recording,
        error);
    if (page == NULL)
      return NULL;
  }
  return rec_job_new (context, recording, setup, page, done, data, error);
}

RecRecording *
rec_supervisor_start (RecSupervisor *supervisor, RecSession *session,
    const RecRecordingProperties *properties, RecEra era, RecRecordingDone done, void *data,
    GError **error)
{
  const RecJobContext *context = &supervisor->context;
  g_autoptr (RecPlan) plan = NULL;
  g_autoptr (RecRecording) recording = NULL;

  REC_ASSERT_MAIN ();
  if (!check_session (supervisor, session, error))
    return NULL;
  plan = rec_plan_new (context->config, supervisor->catalogue, properties, error);
  if (plan == NULL)
    return NULL;
  const RecAdmissionLoad load = {
    .properties = properties,
    .n_streams = count_published (session),
    .has_page = rec_plan_get_page (plan) != NULL,
  };
  if (!check_capacity (supervisor, &load, error))
    return NULL;
  recording =
      rec_place_new_recording (context->config, context->registry, session, properties, era, error);
  if (recording == NULL)
    return NULL;
  g_autoptr (RecJson) setup = rec_plan_make_setup (plan, context->config, recording);
  RecJob *job = start_job (supervisor, plan, recording, setup, done, data, error);
  if (job == NULL) {
    rec_place_remove (recording, NULL);
    return NULL;
  }
  session->recording = recording;
  g_ptr_array_add (supervisor->jobs, job);
  rec_admission_add (supervisor->admission, recording->id, &load, rec_job_get_worker (job));
  rec_registry_add_recording (context->registry, recording); /* keeps it from here on */
  return recording;
}

bool
rec_supervisor_stop (RecSupervisor *supervisor, RecRecording *recording, const char *reason,
    RecRecordingDone done, void *data, GError **error)
{
  RecJob *job = rec_supervisor_find_job (supervisor, recording);

  REC_ASSERT_MAIN ();
  switch (recording->status) {
  case REC_RECORDING_STARTING:
    return refuse (error, REC_ERROR_NOT_ACCEPTABLE, "recording '%s' is still starting",
        recording->id);
  case REC_RECORDING_STOPPED:
    return refuse (error, REC_ERROR_CONFLICT, "recording '%s' is being stopped already",
        recording->id);
  case REC_RECORDING_STARTED:
    break;
  case REC_RECORDING_INVALID:
  case REC_RECORDING_READY:
  case REC_RECORDING_FAILED:
    job = NULL;
    break;
  }
  if (job == NULL)
    return refuse (error, REC_ERROR_NOT_FOUND, "recording '%s' is not running", recording->id);
  if (recording->session != NULL && strcmp (reason, "recordingStoppedByServer") == 0)
    recording->session->manually_stopped = true;
  rec_job_stop (job, reason, done, data);
  return true;
}

void
rec_supervisor_end (RecSupervisor *supervisor, RecSession *session, const char *reason)
{
  RecJob *job = rec_supervisor_find_job (supervisor, session->recording);

  REC_ASSERT_MAIN ();
  if (job != NULL)
    rec_job_end (job, reason);
}

bool
rec_supervisor_delete (RecSupervisor *supervisor, RecRecording *recording, GError **error)
{
  RecJob *job = rec_supervisor_find_job (supervisor, recording);

  REC_ASSERT_MAIN ();
  if (rec_recording_is_active (recording))
    return refuse (error, REC_ERROR_CONFLICT, "recording '%s' is running: stop it first",
        recording->id);
  if (job != NULL)
    rec_job_kill (job);
  /* There is one as long as the next server would try again to salvage it. It goes first, or that server would bring the
   * recording back. */
  if (supervisor->context.journal_folder != NULL)
    rec_store_forget_journal (&supervisor->context, recording->id);
  /* Or the entity would be written again after it was removed. */
  rec_writer_flush (supervisor->context.writer);
  if (!rec_place_remove (recording, error))
    return false;
  rec_registry_remove_recording (supervisor->context.registry, recording);
  return true;
}

static gboolean
on_stop_deadline (gpointer data)
{
  RecSupervisor *supervisor = data;

  g_warning ("%u recordings are not finished within server.shutdown-timeout-s; their workers go "
             "on, and the next "
             "start salvages what they leave",
      supervisor->jobs->len);
  supervisor->stop_deadline = 0;
  tell_all_stopped (supervisor);
  return G_SOURCE_REMOVE;
}

void
rec_supervisor_stop_all (RecSupervisor *supervisor, const char *reason, void (*done) (void *data),
    void *data)
{
  REC_ASSERT_MAIN ();
  supervisor->is_stopping = true;
  supervisor->all_stopped = done;
  supervisor->all_stopped_data = data;
  supervisor->stop_deadline = g_timeout_add_seconds (
      (guint) rec_config_get_int (supervisor->context.config, "server.shutdown-timeout-s"),
      on_stop_deadline, supervisor);
  if (supervisor->restore != NULL)
    rec_restore_stop (supervisor->restore);
  if (supervisor->context.pool != NULL)
    rec_worker_pool_stop (supervisor->context.pool);
  for (guint i = 0; i < supervisor->jobs->len; i++)
    rec_job_end (supervisor->jobs->pdata[i], reason);
  rec_supervisor_clean_up_later (supervisor);
}

char *
rec_supervisor_dup_file_path (RecSupervisor *supervisor G_GNUC_UNUSED,
    const RecRecording *recording, const char *what)
{
  if (strcmp (what, "video") == 0)
    return rec_place_dup_video_path (recording);
  if (strcmp (what, "thumbnail") != 0)
    return NULL;
  g_autofree char *path = rec_place_dup_thumbnail_path (recording);
  return g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path) : NULL;
}
