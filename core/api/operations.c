/* operations.c - REST for whoever runs the server: is it alive, is it ready, draining, and what it logs. */
#define G_LOG_DOMAIN "rec.api.operations"
#include "api/private.h"
#include "base/error.h"
#include "base/log.h"
#include "recording/supervisor.h"

#include <string.h>

/* That this is answered says that the main loop runs. */
void
rec_tell_live (RecCall *call)
{
  RecJson *object = json_object_new_object ();

  rec_json_set_bool (object, "live", true);
  rec_http_answer_json (call->request, 200, object);
}

void
rec_tell_ready (RecCall *call)
{
  const char *why_not = rec_supervisor_why_not_ready (call->api->context.supervisor);
  RecJson *object = json_object_new_object ();

  rec_json_set_bool (object, "ready", why_not == NULL);
  if (why_not != NULL)
    rec_json_set_string (object, "reason", why_not);
  rec_http_answer_json (call->request, why_not == NULL ? 200 : 503, object);
}

/* --- draining ----------------------------------------------------------------------------------------------------- */

void
rec_tell_drain (RecCall *call)
{
  RecSupervisor *supervisor = call->api->context.supervisor;
  RecJson *object = json_object_new_object ();

  rec_json_set_bool (object, "draining", rec_supervisor_is_draining (supervisor));
  rec_json_set_int (object, "recordings", rec_supervisor_count_active (supervisor));
  rec_http_answer_json (call->request, 200, object);
}

void
rec_start_drain (RecCall *call)
{
  rec_supervisor_set_draining (call->api->context.supervisor, true);
  rec_tell_drain (call);
}

void
rec_end_drain (RecCall *call)
{
  rec_supervisor_set_draining (call->api->context.supervisor, false);
  rec_tell_drain (call);
}

/* --- the log -------------------------------------------------------------------------------------------------------- */

#define MAX_TOPICS 100

void
rec_tell_log (RecCall *call)
{
  g_autofree char *level = NULL;
  g_auto (GStrv) topics = NULL;
  RecJson *object = json_object_new_object (), *levels = json_object_new_object ();

  rec_log_dup_levels (&level, &topics);
  for (size_t i = 0; topics[i] != NULL; i++) {
    char *equals = strchr (topics[i], '=');
    *equals = '\0';
    rec_json_set_string (levels, topics[i], equals + 1);
  }
  rec_json_set_string (object, "level", level);
  rec_json_take (object, "topics", levels);
  rec_http_answer_json (call->request, 200, object);
}

static GPtrArray *
take_others (char **topics, RecJson *changes)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);

  for (size_t i = 0; topics[i] != NULL; i++) {
    g_autofree char *name = g_strndup (topics[i], strcspn (topics[i], "="));
    if (!json_object_object_get_ex (changes, name, NULL))
      g_ptr_array_add (list, g_strdup (topics[i]));
  }
  return list;
}

static bool
change_log (RecJson *body, GError **error)
{
  static const RecJsonField fields[] = {
    { .name = "level", .type = REC_JSON_STRING },
    { .name = "topics", .type = REC_JSON_OBJECT, .expected = "an object of topic: level or null" },
    REC_JSON_FIELDS_END,
  };
  g_autofree char *level = NULL;
  g_auto (GStrv) topics = NULL;

  if (body == NULL) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "the body must be a JSON object with \"level\" or \"topics\"");
    return false;
  }
  if (!rec_json_check_closed (body, fields, error))
    return false;
  rec_log_dup_levels (&level, &topics);
  RecJson *changes = rec_json_get (body, "topics");
  g_autoptr (GPtrArray) list = take_others (topics, changes);
  if (changes != NULL) {
    json_object_object_foreach (changes, name, value) {
      if (value != NULL)
        g_ptr_array_add (list, g_strdup_printf ("%s=%s", name, json_object_get_string (value)));
    }
  }
  if (list->len > MAX_TOPICS) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "there are more than %d topics",
        MAX_TOPICS);
    return false;
  }
  g_ptr_array_add (list, NULL);
  return rec_log_set_levels (rec_json_string_or (body, "level", level),
      (const char *const *) list->pdata, error);
}

/* What the body names is changed; a topic that is null follows the level again. Workers that run keep theirs. */
void
rec_change_log (RecCall *call)
{
  g_autoptr (GError) error = NULL;

  if (change_log (call->body, &error))
    rec_tell_log (call);
  else
    rec_http_answer_error (call->request, error);
}
