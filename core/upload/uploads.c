/* uploads.c - the files that were uploaded and those that come in: the table, the folder, what a restart finds. */
#define G_LOG_DOMAIN "rec.upload.uploads"
#include "upload/uploads.h"

#include "base/config.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/main-thread.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_ENTITY_BYTES 65536
#define NOBODY 65534 /* needs no entry in any table */

/* Who waits for an upload. */
typedef struct {
  RecUploadDone done;
  void *data;
} Waiter;

struct RecUploads {
  char *folder, *program;
  RecChildUser user;
  RecUploadLimits limits;
  RecUploadEvents events;
  unsigned max_files, max_concurrent;
  RecUploadTokens *tokens;
  GPtrArray *entities; /* of RecJson */
  GHashTable *waiters; /* RecUpload -> Waiter */
  GMainContext *context;
  void (*idle) (void *data); /* NULL: nobody waits for it */
  void *idle_data;

  RecLock lock;      /* guards what follows */
  GPtrArray *active; /* of RecUpload */
  GQueue finished;   /* of RecUpload, borrowed from active */
  GSource *finished_source;
  unsigned n_kept;
  unsigned n_beginning;    /* let in, but not active yet */
  int64_t beginning_bytes; /* that those announced */
  bool is_stopping;
};

/* --- the ends of uploads -------------------------------------------------------------------------------------------- */

static RecUpload *
pop_finished (RecUploads *uploads)
{
  REC_LOCKED (&uploads->lock);
  RecUpload *upload = g_queue_pop_head (&uploads->finished);

  if (upload == NULL)
    g_clear_pointer (&uploads->finished_source, g_source_unref);
  return upload;
}

/* Its place is free before anybody hears that it is over: who is told may come again at once. */
static void
free_place (RecUploads *uploads, RecUpload *upload, bool is_kept)
{
  REC_LOCKED (&uploads->lock);
  uploads->n_kept += is_kept;
  g_ptr_array_remove (uploads->active, upload);
}

static void
settle (RecUploads *uploads, RecUpload *upload)
{
  const GError *error;
  g_autoptr (RecUpload) kept_alive = rec_upload_ref (upload);
  RecJson *entity = rec_upload_settle (upload, &error);
  g_autofree Waiter *waiter = NULL;

  if (rec_upload_get_token (upload) != NULL)
    rec_upload_tokens_give_back (uploads->tokens, rec_upload_get_token (upload), entity != NULL);
  if (entity != NULL) {
    g_ptr_array_add (uploads->entities, json_object_get (entity));
    g_message ("upload '%s' is kept: %" G_GINT64_FORMAT " bytes", rec_upload_get_id (upload),
        rec_json_int_or (entity, "size", 0));
  } else {
    g_message ("upload '%s' was not kept: %s", rec_upload_get_id (upload), error->message);
  }
  free_place (uploads, upload, entity != NULL);
  g_hash_table_steal_extended (uploads->waiters, upload, NULL, (gpointer *) &waiter);
  if (waiter != NULL)
    waiter->done (entity, error, waiter->data);
}

static bool
is_idle (RecUploads *uploads)
{
  REC_LOCKED (&uploads->lock);
  return uploads->active->len == 0;
}

static void
tell_when_idle (RecUploads *uploads)
{
  void (*idle) (void *data) = uploads->idle;

  if (idle == NULL || !is_idle (uploads))
    return;
  uploads->idle = NULL;
  idle (uploads->idle_data);
}

bool
rec_uploads_wait_for_idle (RecUploads *uploads, void (*idle) (void *data), void *data)
{
  if (is_idle (uploads))
    return false;
  uploads->idle = idle;
  uploads->idle_data = data;
  return true;
}

static gboolean
on_finished (gpointer data)
{
  RecUploads *uploads = data;
  RecUpload *upload = pop_finished (uploads);

  if (upload == NULL)
    return G_SOURCE_REMOVE;
  settle (uploads, upload);
  tell_when_idle (uploads);
  return G_SOURCE_CONTINUE;
}

/* [the upload's thread] */
static void
note_finished (RecUpload *upload, void *data)
{
  RecUploads *uploads = data;

  REC_LOCKED (&uploads->lock);
  g_queue_push_tail (&uploads->finished, upload);
  if (uploads->finished_source != NULL)
    return;
  uploads->finished_source = g_idle_source_new ();
  g_source_set_priority (uploads->finished_source, G_PRIORITY_DEFAULT);
  g_source_set_callback (uploads->finished_source, on_finished, uploads, NULL);
  g_source_attach (uploads->finished_source, uploads->context);
}

/* --- beginning ------------------------------------------------------------------------------------------------------- */

/* promised: what this one and those that come in announced, as far as it is not on the disk yet. */
static bool
has_space (const RecUploads *uploads, int64_t promised, GError **error)
{
  const int64_t min_free_bytes = uploads->limits.min_free_bytes;
  const int64_t free_bytes = rec_path_get_free_bytes (uploads->folder);

  if (free_bytes < 0) /* writing will tell */
    return true;
  if (free_bytes - promised >= min_free_bytes)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_NO_SPACE,
      "the disk of the uploads has %" G_GINT64_FORMAT " bytes left for %" G_GINT64_FORMAT
      " that come in, and recording.min-free-bytes (%" G_GINT64_FORMAT ") must stay free",
      free_bytes, promised, min_free_bytes);
  return false;
}

static bool
refuse_stopping (GError **error)
{
  g_set_error_literal (error, REC_ERROR, REC_ERROR_UNAVAILABLE, "the server is shutting down");
  return false;
}

/* The lock is held. */
static bool
has_room (const RecUploads *uploads, GError **error)
{
  if (uploads->is_stopping)
    return refuse_stopping (error);
  const unsigned n_active = uploads->active->len + uploads->n_beginning;
  if (n_active >= uploads->max_concurrent) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_MANY,
        "%u files come in right now (uploads.max-concurrent): try again later", n_active);
    return false;
  }
  if (uploads->n_kept + n_active >= uploads->max_files) {
    g_set_error (error, REC_ERROR, REC_ERROR_NO_SPACE,
        "%u files are kept (uploads.max-files): delete some first", uploads->n_kept);
    return false;
  }
  return true;
}

/* A place and bytes of the disk for one more: two that begin at a time must not count on the same. */
static bool
reserve (RecUploads *uploads, int64_t size, int64_t *promised, GError **error)
{
  REC_LOCKED (&uploads->lock);

  if (!has_room (uploads, error))
    return false;
  uploads->n_beginning++;
  uploads->beginning_bytes += size;
  *promised = uploads->beginning_bytes;
  for (guint i = 0; i < uploads->active->len; i++)
    *promised += rec_upload_get_missing_bytes (uploads->active->pdata[i]);
  return true;
}

/* What was reserved goes over to upload, or back when that is NULL. It starts with the lock held: its end cannot be
 * settled before it is in the list. False: everything was stopped meanwhile. */
static bool
start (RecUploads *uploads, int64_t size, RecUpload *upload, GError **error)
{
  REC_LOCKED (&uploads->lock);

  uploads->n_beginning--;
  uploads->beginning_bytes -= size;
  if (upload == NULL)
    return false;
  if (uploads->is_stopping)
    return refuse_stopping (error);
  g_ptr_array_add (uploads->active, rec_upload_ref (upload));
  rec_upload_start (upload);
  return true;
}

/* The disk is asked without the lock: it may take its time. */
static RecUpload *
begin (RecUploads *uploads, RecUploadOwner *owner, char *token, int64_t size, GError **error)
{
  g_autoptr (RecUploadOwner) own_owner = owner;
  g_autofree char *own_token = token;
  g_autoptr (RecUpload) upload = NULL;
  int64_t promised;

  if (size > uploads->limits.max_bytes) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_LARGE,
        "the file is larger than uploads.max-bytes (%" G_GINT64_FORMAT ")",
        uploads->limits.max_bytes);
    return NULL;
  }
  if (!reserve (uploads, size, &promised, error))
    return NULL;
  if (has_space (uploads, promised, error))
    upload = rec_upload_new (&uploads->limits, g_steal_pointer (&own_owner),
        g_steal_pointer (&own_token), size, &uploads->events, uploads, error);
  if (start (uploads, size, upload, error))
    return g_steal_pointer (&upload);
  if (upload != NULL)
    rec_upload_discard (upload);
  return NULL;
}

RecUpload *
rec_uploads_begin (RecUploads *uploads, RecUploadOwner *owner, char *token, int64_t size,
    GError **error)
{
  g_autofree char *spare = g_strdup (token);
  RecUpload *upload = begin (uploads, owner, token, MAX (size, 0), error);

  if (upload == NULL && spare != NULL)
    rec_upload_tokens_give_back (uploads->tokens, spare, false);
  return upload;
}

void
rec_uploads_when_done (RecUploads *uploads, RecUpload *upload, RecUploadDone done, void *data)
{
  Waiter *waiter;
  const GError *error;

  REC_ASSERT_MAIN ();
  if (rec_upload_is_settled (upload)) { /* it was over before its request got here */
    RecJson *entity = rec_upload_settle (upload, &error);
    done (entity, error, data);
    return;
  }
  waiter = g_new (Waiter, 1);
  *waiter = (Waiter){ done, data };
  g_hash_table_insert (uploads->waiters, upload, waiter);
}

RecUploadTokens *
rec_uploads_get_tokens (RecUploads *uploads)
{
  return uploads->tokens;
}

/* --- what is kept ----------------------------------------------------------------------------------------------------- */

GPtrArray *
rec_uploads_get_all (RecUploads *uploads)
{
  return uploads->entities;
}

RecJson *
rec_uploads_find (RecUploads *uploads, const char *id)
{
  for (guint i = 0; i < uploads->entities->len; i++)
    if (strcmp (rec_json_string_or (uploads->entities->pdata[i], "id", ""), id) == 0)
      return uploads->entities->pdata[i];
  return NULL;
}

int
rec_uploads_open (RecUploads *uploads, RecJson *entity, const char *name)
{
  if (strcmp (name, rec_json_string_or (entity, "file", "")) != 0 &&
      strcmp (name, rec_json_string_or (entity, "thumbnail", "")) != 0)
    return -1;
  return rec_path_open_contained (uploads->folder, name, O_RDONLY | O_NONBLOCK, 0, NULL);
}

static bool
remove_file (const RecUploads *uploads, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (uploads->folder, name, NULL);

  if (rec_path_unlink (path) == 0 || errno == ENOENT)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot remove '%s': %s", path,
      g_strerror (errno));
  return false;
}

bool
rec_uploads_remove (RecUploads *uploads, const char *id, GError **error)
{
  RecJson *entity = rec_uploads_find (uploads, id);
  const char *thumbnail;
  g_autofree char *file = g_strdup_printf ("%s.json", id);

  REC_ASSERT_MAIN ();
  if (entity == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_FOUND, "there is no upload '%s'", id);
    return false;
  }
  thumbnail = rec_json_string_or (entity, "thumbnail", NULL);
  /* The entity last: what it still names can be removed again. */
  if (!remove_file (uploads, rec_json_string_or (entity, "file", ""), error) ||
      (thumbnail != NULL && !remove_file (uploads, thumbnail, error)) ||
      !remove_file (uploads, file, error))
    return false;
  g_ptr_array_remove (uploads->entities, entity);
  REC_LOCKED (&uploads->lock);
  uploads->n_kept--;
  return true;
}

/* --- what a restart finds ----------------------------------------------------------------------------------------------- */

/* Whether the media file is there; one that was complete but for its name gets that now. */
static bool
has_file (const RecUploads *uploads, RecJson *entity, const char *id)
{
  const char *name = rec_json_string_or (entity, "file", "");
  g_autofree char *path = g_build_filename (uploads->folder, name, NULL);
  g_autofree char *part = g_strdup_printf ("%s/%s.part", uploads->folder, id);

  return rename (part, path) == 0 || access (path, F_OK) == 0;
}

static void
restore (RecUploads *uploads, const char *name)
{
  static const RecJsonField fields[] = {
    { .name = "id", .type = REC_JSON_STRING, .required = true, .is_valid = rec_path_is_safe_name },
    { .name = "file",
        .type = REC_JSON_STRING,
        .required = true,
        .is_valid = rec_path_is_safe_name },
    { .name = "thumbnail", .type = REC_JSON_STRING, .is_valid = rec_path_is_safe_name },
    REC_JSON_FIELDS_END,
  };
  g_autofree char *path = g_build_filename (uploads->folder, name, NULL);
  g_autofree char *id = g_strndup (name, strlen (name) - strlen (".json"));
  g_autoptr (GError) error = NULL;
  g_autoptr (RecJson) entity = rec_json_parse_file (path, MAX_ENTITY_BYTES, &error);

  if (entity == NULL || !rec_json_check (entity, fields, &error)) {
    g_warning ("leaving the upload '%s' out: %s", path, error->message);
    return;
  }
  if (strcmp (rec_json_string_or (entity, "id", ""), id) != 0 || !has_file (uploads, entity, id)) {
    g_warning ("leaving the upload '%s' out: its file is missing", path);
    return;
  }
  g_ptr_array_add (uploads->entities, g_steal_pointer (&entity));
}

static void
remove_unfinished (const RecUploads *uploads, const char *name)
{
  g_autoptr (GError) error = NULL;

  if (remove_file (uploads, name, &error))
    g_message ("removed the upload '%s', which never became complete", name);
  else
    g_warning ("%s", error->message);
}

static int
compare_age (gconstpointer a, gconstpointer b)
{
  const int64_t first = rec_json_int_or (*(RecJson *const *) a, "createdAt", 0);
  const int64_t second = rec_json_int_or (*(RecJson *const *) b, "createdAt", 0);

  return (first > second) - (first < second);
}

static bool
restore_all (RecUploads *uploads, GError **error)
{
  g_autoptr (GDir) folder = g_dir_open (uploads->folder, 0, error);
  g_autoptr (GPtrArray) unfinished = g_ptr_array_new_with_free_func (g_free);

  if (folder == NULL)
    return false;
  for (const char *name; (name = g_dir_read_name (folder)) != NULL;) {
    if (g_str_has_suffix (name, ".json"))
      restore (uploads, name);
    else if (g_str_has_suffix (name, ".part"))
      g_ptr_array_add (unfinished, g_strdup (name));
  }
  for (guint i = 0; i < unfinished->len; i++) {
    g_autofree char *path = g_build_filename (uploads->folder, unfinished->pdata[i], NULL);
    if (access (path, F_OK) == 0)
      remove_unfinished (uploads, unfinished->pdata[i]);
  }
  g_ptr_array_sort (uploads->entities, compare_age);
  uploads->n_kept = uploads->entities->len;
  return true;
}

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static void
put_entity (void *entity)
{
  json_object_put (entity);
}

static char *
dup_folder (const RecConfig *config)
{
  const char *folder = rec_config_get_string (config, "uploads.path");

  return folder[0] != '\0'
             ? g_strdup (folder)
             : g_build_filename (rec_config_get_string (config, "openvidu.recording.path"),
                   ".uploads", NULL);
}

/* Where we are root, files from outside are looked into by somebody else, whether the browser has a user or not. */
static bool
find_user (const RecConfig *config, RecChildUser *user)
{
  if (!rec_child_find_user (rec_config_get_string (config, "browser.user"), user) || user->uid == 0)
    *user = (RecChildUser){ NOBODY, NOBODY };
  return geteuid () == 0;
}

RecUploads *
rec_uploads_new (const RecConfig *config, const char *program, void (*resume) (void *data),
    GError **error)
{
  const int64_t idle_timeout_s = rec_config_get_int (config, "uploads.idle-timeout-s");
  RecUploads *uploads = g_new0 (RecUploads, 1);

  REC_ASSERT_MAIN ();
  uploads->folder = dup_folder (config);
  uploads->program = g_strdup (program);
  uploads->limits = (RecUploadLimits){
    .folder = uploads->folder,
    .inspector = {
      .program = uploads->program,
      .user = find_user (config, &uploads->user) ? &uploads->user : NULL,
      .timeout_ms = (int) rec_config_get_int (config, "uploads.inspect-timeout-ms"),
    },
    .max_bytes = rec_config_get_int (config, "uploads.max-bytes"),
    .idle_timeout_us = idle_timeout_s * G_USEC_PER_SEC,
    .min_window_bytes =
        MAX (1, idle_timeout_s * rec_config_get_int (config, "uploads.min-bytes-per-s")),
  };
  uploads->events = (RecUploadEvents){ .resume = resume, .finished = note_finished };
  uploads->max_files = (unsigned) rec_config_get_int (config, "uploads.max-files");
  uploads->max_concurrent = (unsigned) rec_config_get_int (config, "uploads.max-concurrent");
  uploads->limits.min_free_bytes = rec_config_get_int (config, "recording.min-free-bytes");
  uploads->tokens =
      rec_upload_tokens_new ((size_t) rec_config_get_int (config, "uploads.max-tokens"),
          rec_config_get_int (config, "uploads.token-lifetime-s") * G_USEC_PER_SEC);
  uploads->entities = g_ptr_array_new_with_free_func (put_entity);
  uploads->waiters = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  uploads->context = g_main_context_default ();
  rec_lock_init (&uploads->lock);
  uploads->active = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_upload_unref);
  g_queue_init (&uploads->finished);
  if (!rec_path_make_folder (uploads->folder, 0750, error) || !restore_all (uploads, error)) {
    rec_uploads_free (uploads);
    return NULL;
  }
  return uploads;
}

void
rec_uploads_stop (RecUploads *uploads)
{
  if (uploads == NULL)
    return;
  {
    REC_LOCKED (&uploads->lock);
    uploads->is_stopping = true;
  }
  /* Only the main thread takes them away. */
  for (guint i = 0; i < uploads->active->len; i++)
    rec_upload_cancel (uploads->active->pdata[i]);
}

void
rec_uploads_free (RecUploads *uploads)
{
  if (uploads == NULL)
    return;
  rec_uploads_stop (uploads);
  if (uploads->finished_source != NULL) {
    g_source_destroy (uploads->finished_source);
    g_source_unref (uploads->finished_source);
  }
  g_queue_clear (&uploads->finished);
  g_ptr_array_unref (uploads->active);
  g_hash_table_unref (uploads->waiters);
  g_ptr_array_unref (uploads->entities);
  rec_upload_tokens_free (uploads->tokens);
  rec_lock_clear (&uploads->lock);
  g_free (uploads->folder);
  g_free (uploads->program);
  g_free (uploads);
}
