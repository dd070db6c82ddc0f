/* recordings.c - REST: recordings; start and stop are answered when the file says so. */
#define G_LOG_DOMAIN "rec.api.recordings"
#include "api/bodies.h"
#include "api/private.h"
#include "base/config.h"
#include "base/error.h"
#include "recording/entity.h"
#include "recording/supervisor.h"

/* A request that waits for the supervisor. */
typedef struct {
  RecHttpRequest *request;
  RecEra era;
  RecRegistry
      *registry; /* borrowed; not touched once the request was answered by the server's end */
  bool is_public;
} Waiting;

static Waiting *
wait_with (RecCall *call)
{
  Waiting *waiting = g_new (Waiting, 1);

  *waiting = (Waiting){
    .request = rec_http_request_ref (call->request),
    .era = call->era,
    .registry = call->api->context.registry,
    .is_public =
        rec_config_get_bool (call->api->context.config, "openvidu.recording.public-access"),
  };
  return waiting;
}

static void
waiting_free (Waiting *waiting)
{
  rec_http_request_unref (waiting->request);
  g_free (waiting);
}

/* OpenVidu has no other word for a start or a stop that failed; 501 means that it cannot work here. */
static void
answer_failure (RecHttpRequest *request, const GError *error)
{
  const unsigned status = rec_error_http_status (error);

  if (status < 500 || status == 501) {
    rec_http_answer_error (request, error);
    return;
  }
  g_warning ("%s %s: %s", request->method, request->path, error->message);
  rec_http_answer_status (request, 500, rec_error_public_message (error));
}

static RecJson *
make_strings (const GPtrArray *strings)
{
  RecJson *array = json_object_new_array ();

  for (guint i = 0; strings != NULL && i < strings->len; i++)
    json_object_array_add (array, json_object_new_string (strings->pdata[i]));
  return array;
}

/* Notes are an extra: a page that was of no use must not go unnoticed. */
static RecJson *
describe (const RecRecording *recording, RecEra era, const RecEntityView *view)
{
  RecJson *entity = rec_entity_to_json (recording, era, view);

  if (recording->notes->len > 0)
    rec_json_take (entity, "notes", make_strings (recording->notes));
  return entity;
}

static void
on_done (RecRecording *recording, const GError *error, void *data)
{
  Waiting *waiting = data;

  if (!waiting->request->is_answered) {
    const RecEntityView view = { rec_registry_get_public_url (waiting->registry),
      waiting->is_public };
    if (error != NULL)
      answer_failure (waiting->request, error);
    else
      rec_http_answer_json (waiting->request, 200, describe (recording, waiting->era, &view));
  }
  waiting_free (waiting);
}

static bool
is_module_on (RecCall *call)
{
  return rec_config_get_bool (call->api->context.config, "openvidu.recording");
}

static void
answer_module_off (RecCall *call)
{
  rec_http_answer_status (call->request, 501, "recording is off: set openvidu.recording to true");
}

/* --- start --------------------------------------------------------------------------------------------------------- */

static bool
refuse (GError **error, RecErrorCode code, const char *message)
{
  g_set_error_literal (error, REC_ERROR, (int) code, message);
  return false;
}

/* What the session itself says, in the order of each era. */
static bool
check_session (RecCall *call, RecSession *session, GError **error)
{
  const bool is_old = call->era == REC_ERA_OLD;
  const bool was_joined = session != NULL && session->active_since_ms != 0;
  const RecErrorCode nobody = is_old ? REC_ERROR_INVALID_ARGUMENT : REC_ERROR_NOT_ACCEPTABLE;

  if (session == NULL || session->is_closing)
    return refuse (error, REC_ERROR_NOT_FOUND, "there is no session with this id");
  if (is_old && !was_joined)
    return refuse (error, REC_ERROR_NOT_FOUND, "nobody has joined the session yet");
  if (is_old && rec_session_count_visible (session) == 0)
    return refuse (error, nobody, "the session has no participants");
  if (session->properties->is_relayed)
    return refuse (error, REC_ERROR_CONFLICT, "the session's mediaMode is RELAYED");
  if (session->recording != NULL)
    return refuse (error, REC_ERROR_CONFLICT, "the session is being recorded already");
  if (!was_joined || rec_session_count_visible (session) == 0)
    return refuse (error, nobody, "the session has no participants");
  return true;
}

static bool
start (RecCall *call, GError **error)
{
  const RecApiContext *context = &call->api->context;
  g_autoptr (RecRecordingProperties) properties = NULL;
  const char *id;

  if (!rec_body_get_session (call->body, &id, error))
    return false;
  RecSession *session = rec_registry_find_session (context->registry, id);
  if (!check_session (call, session, error))
    return false;
  properties = rec_body_to_recording (call->body, call->era, session->properties->recording, error);
  if (properties == NULL)
    return false;
  Waiting *waiting = wait_with (call);
  if (rec_supervisor_start (context->supervisor, session, properties, call->era, on_done, waiting,
          error) != NULL)
    return true;
  waiting_free (waiting);
  return false;
}

static bool
names_session (RecCall *call)
{
  return call->body != NULL && rec_json_has (call->body, "session");
}

void
rec_start_recording (RecCall *call)
{
  g_autoptr (GError) error = NULL;
  const bool body_comes_first = call->era == REC_ERA_OLD ? !names_session (call)
                                                         : call->body == NULL;

  if (!is_module_on (call) && !body_comes_first)
    answer_module_off (call);
  else if (!start (call, &error))
    rec_http_answer_error (call->request, error);
}

/* --- the others ------------------------------------------------------------------------------------------------------ */

static RecRecording *
find_recording (RecCall *call)
{
  RecRecording *recording =
      rec_registry_find_recording (call->api->context.registry, call->arguments[0]);

  if (recording == NULL)
    rec_http_answer_status (call->request, 404, "there is no recording with this id");
  return recording;
}

/* The first era works on whatever files there are. */
static bool
is_refused (RecCall *call)
{
  if (call->era == REC_ERA_OLD || is_module_on (call))
    return false;
  answer_module_off (call);
  return true;
}

static RecJson *
make_entity (RecCall *call, const RecRecording *recording, RecEra era)
{
  const RecEntityView view = {
    .public_url = rec_registry_get_public_url (call->api->context.registry),
    .is_public =
        rec_config_get_bool (call->api->context.config, "openvidu.recording.public-access"),
  };

  return describe (recording, era, &view);
}

void
rec_stop_recording (RecCall *call)
{
  g_autoptr (GError) error = NULL;
  RecRecording *recording = is_refused (call) ? NULL : find_recording (call);

  if (recording == NULL)
    return;
  Waiting *waiting = wait_with (call);
  if (rec_supervisor_stop (call->api->context.supervisor, recording, "recordingStoppedByServer",
          on_done, waiting, &error))
    return;
  waiting_free (waiting);
  rec_http_answer_error (call->request, error);
}

void
rec_list_recordings (RecCall *call)
{
  GPtrArray *recordings = rec_registry_get_recordings (call->api->context.registry);

  if (is_refused (call))
    return;
  RecJson *list = json_object_new_object ();
  RecJson *items = json_object_new_array ();
  for (guint i = 0; i < recordings->len; i++)
    json_object_array_add (items, make_entity (call, recordings->pdata[i], call->era));
  /* Only on request: old clients throw on words that they don't know. */
  if (rec_http_request_query_bool (call->request, "uploads", false))
    rec_add_uploads (call->api, NULL, items);
  rec_json_set_int (list, "count", (int64_t) json_object_array_length (items));
  rec_json_take (list, "items", items);
  rec_http_answer_json (call->request, 200, list);
}

void
rec_get_recording (RecCall *call)
{
  RecRecording *recording = is_refused (call) ? NULL : find_recording (call);

  if (recording != NULL)
    rec_http_answer_json (call->request, 200, make_entity (call, recording, call->era));
}

void
rec_delete_recording (RecCall *call)
{
  g_autoptr (GError) error = NULL;
  RecRecording *recording = is_refused (call) ? NULL : find_recording (call);

  if (recording == NULL)
    return;
  if (rec_supervisor_delete (call->api->context.supervisor, recording, &error))
    rec_http_answer_empty (call->request, 204);
  else
    rec_http_answer_error (call->request, error);
}

/* What OpenVidu's recording object has no room for. */
void
rec_explain_recording (RecCall *call)
{
  const RecRecording *recording = find_recording (call);

  if (recording == NULL)
    return;
  RecJson *entity = make_entity (call, recording, REC_ERA_NEW);
  rec_json_set_string (entity, "uniqueSessionId", recording->unique_session_id);
  rec_json_set_string (entity, "file", recording->file_name);
  rec_json_set_string (entity, "reason", recording->reason);
  rec_json_set_string (entity, "message", recording->message);
  rec_json_take (entity, "notes", make_strings (recording->notes));
  rec_http_answer_json (call->request, 200, entity);
}
