/* upload.c - one file on its way in: from the HTTP thread, bounded, onto the disk, looked into, kept or removed. */
#define G_LOG_DOMAIN "rec.upload.upload"
#include "upload/upload.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "session/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The disk is slower than the network for moments; the HTTP thread must never be the one who waits. */
#define MAX_QUEUED_BYTES (256 * 1024)
#define N_ID_CHARACTERS 12
/* How much may come in between two looks at what the disk has left. */
#define CHECK_BYTES (4 * 1024 * 1024)

struct RecUpload {
  atomic_int n_references;
  const RecUploadLimits *limits;
  RecUploadOwner *owner;
  char *token, *id, *part;
  const RecUploadEvents *events;
  void *data;
  GThread *thread;
  int64_t n_announced;
  atomic_llong n_written;
  int64_t n_pushed; /* [http] */
  bool is_settled;  /* [main] */

  RecLock lock; /* guards what follows */
  pthread_cond_t changed;
  GQueue chunks; /* of GBytes */
  size_t n_queued;
  bool is_ended, is_abandoned, is_lost;
  void *waiter;

  struct { /* its thread's, until `finished` */
    int fd;
    int64_t n_unchecked;
    int64_t waited_us, n_since; /* for its sender, and what came since that was last looked at */
    bool is_too_slow;
    RecJson *entity;
    GError *error;
  } file;
};

const char *
rec_upload_get_id (const RecUpload *upload)
{
  return upload->id;
}

const char *
rec_upload_get_token (const RecUpload *upload)
{
  return upload->token;
}

int64_t
rec_upload_get_missing_bytes (RecUpload *upload)
{
  REC_LOCKED (&upload->lock);
  return upload->is_lost ? 0 : MAX (0, upload->n_announced - atomic_load (&upload->n_written));
}

/* --- the queue ---------------------------------------------------------------------------------------------------- */

bool
rec_upload_is_full (RecUpload *upload)
{
  REC_LOCKED (&upload->lock);
  return upload->n_queued >= MAX_QUEUED_BYTES;
}

bool
rec_upload_wait_for_room (RecUpload *upload, void *data)
{
  REC_LOCKED (&upload->lock);
  if (upload->n_queued < MAX_QUEUED_BYTES || upload->is_lost)
    return false;
  upload->waiter = data;
  return true;
}

bool
rec_upload_push (RecUpload *upload, const char *bytes, size_t n_bytes)
{
  upload->n_pushed += (int64_t) n_bytes;
  REC_LOCKED (&upload->lock);
  if (upload->is_lost)
    return false;
  g_queue_push_tail (&upload->chunks, g_bytes_new (bytes, n_bytes));
  upload->n_queued += n_bytes;
  pthread_cond_signal (&upload->changed);
  return upload->n_pushed <= upload->limits->max_bytes;
}

void
rec_upload_end (RecUpload *upload)
{
  REC_LOCKED (&upload->lock);
  upload->is_ended = true;
  pthread_cond_signal (&upload->changed);
}

void
rec_upload_abandon (RecUpload *upload)
{
  REC_LOCKED (&upload->lock);
  upload->is_abandoned = !upload->is_ended;
  pthread_cond_signal (&upload->changed);
}

/* Only what it waits for the sender counts: the disk may be slow. The lock is held. */
static void
wait_for_chunk (RecUpload *upload)
{
  const RecUploadLimits *limits = upload->limits;

  while (upload->chunks.length == 0 && !upload->is_ended && !upload->is_abandoned) {
    const int64_t since_us = g_get_monotonic_time ();
    const int64_t left_us = limits->idle_timeout_us - upload->file.waited_us;
    if (left_us > 0) {
      rec_cond_wait_until (&upload->changed, &upload->lock, since_us + left_us);
      upload->file.waited_us += g_get_monotonic_time () - since_us;
      continue;
    }
    upload->file.is_too_slow = upload->file.n_since < limits->min_window_bytes;
    if (upload->file.is_too_slow)
      return;
    upload->file.waited_us = upload->file.n_since = 0;
  }
}

/* NULL: no more will come, or it comes too slowly. */
static GBytes *
pop_chunk (RecUpload *upload)
{
  void *waiter = NULL;
  GBytes *chunk;

  {
    REC_LOCKED (&upload->lock);
    wait_for_chunk (upload);
    chunk = upload->is_abandoned ? NULL : g_queue_pop_head (&upload->chunks);
    if (chunk != NULL) {
      upload->n_queued -= g_bytes_get_size (chunk);
      upload->file.n_since += (int64_t) g_bytes_get_size (chunk);
    }
    if (upload->n_queued < MAX_QUEUED_BYTES)
      waiter = g_steal_pointer (&upload->waiter);
  }
  if (waiter != NULL)
    upload->events->resume (waiter);
  return chunk;
}

static bool
was_abandoned (RecUpload *upload)
{
  REC_LOCKED (&upload->lock);
  return upload->is_abandoned;
}

/* Nobody is kept waiting for room in a file that will not be. */
static void
lose (RecUpload *upload)
{
  void *waiter;

  {
    REC_LOCKED (&upload->lock);
    upload->is_lost = true;
    upload->n_queued = 0;
    g_queue_clear_full (&upload->chunks, (GDestroyNotify) g_bytes_unref);
    waiter = g_steal_pointer (&upload->waiter);
  }
  if (waiter != NULL)
    upload->events->resume (waiter);
}

/* Recordings need the disk more. */
static bool
has_space (const RecUpload *upload, GError **error)
{
  const int64_t free_bytes = rec_path_get_free_bytes (upload->limits->folder);

  if (free_bytes < 0 || free_bytes >= upload->limits->min_free_bytes)
    return true;
  g_set_error_literal (error, REC_ERROR, REC_ERROR_NO_SPACE,
      "the disk of the uploads has less left than recording.min-free-bytes: make room first");
  return false;
}

/* --- its thread --------------------------------------------------------------------------------------------------- */

static bool
write_chunk (RecUpload *upload, GBytes *chunk, GError **error)
{
  const int64_t max_bytes = upload->limits->max_bytes;
  size_t size;
  const void *data = g_bytes_get_data (chunk, &size);

  if (atomic_load (&upload->n_written) + (int64_t) size > max_bytes) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_LARGE,
        "the file is larger than uploads.max-bytes (%" G_GINT64_FORMAT ")", max_bytes);
    return false;
  }
  upload->file.n_unchecked += (int64_t) size;
  if (upload->file.n_unchecked >= CHECK_BYTES) {
    upload->file.n_unchecked = 0;
    if (!has_space (upload, error))
      return false;
  }
  if (rec_fd_write_all (upload->file.fd, data, size, error)) {
    atomic_fetch_add (&upload->n_written, (int64_t) size);
    return true;
  }
  if (errno == ENOSPC || errno == EDQUOT) {
    g_clear_error (error);
    g_set_error_literal (error, REC_ERROR, REC_ERROR_NO_SPACE,
        "the disk of the uploads is full: make room and upload the file again");
  }
  return false;
}

static bool
write_file (RecUpload *upload, GError **error)
{
  for (;;) {
    g_autoptr (GBytes) chunk = pop_chunk (upload);
    if (chunk == NULL)
      break;
    if (!write_chunk (upload, chunk, error))
      return false;
  }
  if (upload->file.is_too_slow) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_SLOW,
        "too little of the file came within %" G_GINT64_FORMAT
        " s (uploads.idle-timeout-s, uploads.min-bytes-per-s): send it again",
        upload->limits->idle_timeout_us / G_USEC_PER_SEC);
    return false;
  }
  if (was_abandoned (upload)) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "the upload ended before the file was complete");
    return false;
  }
  if (atomic_load (&upload->n_written) == 0) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_UNPROCESSABLE,
        "no file came: send it as the body, or as the part 'file' of multipart/form-data");
    return false;
  }
  if (fsync (upload->file.fd) != 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot keep the upload: %s",
        g_strerror (errno));
    return false;
  }
  return true;
}

static RecJson *
make_entity (const RecUpload *upload, const RecInspection *facts)
{
  RecJson *entity = json_object_new_object ();
  g_autofree char *name = g_strconcat (upload->id, facts->extension, NULL);

  rec_json_set_string (entity, "id", upload->id);
  rec_json_set_string (entity, "session", upload->owner->session);
  rec_json_set_string (entity, "stream", upload->owner->stream);
  rec_json_set_string (entity, "user", upload->owner->user);
  rec_json_set_string (entity, "file", name);
  rec_json_set_int (entity, "size", atomic_load (&upload->n_written));
  rec_json_set_double (entity, "duration", (double) facts->duration_ns / 1e9);
  rec_json_set_bool (entity, "hasAudio", facts->has_audio);
  rec_json_set_bool (entity, "hasVideo", facts->has_video);
  rec_json_set_int (entity, "createdAt", g_get_real_time () / 1000);
  rec_json_set_string (entity, "thumbnail", NULL);
  return entity;
}

/* The entity first, the file's final name last: a file without its entity was never acknowledged. */
static bool
keep (RecUpload *upload, RecJson *entity, GError **error)
{
  const char *folder = upload->limits->folder;
  g_autofree char *text = rec_json_to_pretty_text (entity);
  g_autofree char *entity_path = g_strdup_printf ("%s/%s.json", folder, upload->id);
  g_autofree char *path = g_build_filename (folder, rec_json_string_or (entity, "file", ""), NULL);

  if (!rec_path_write_file (entity_path, text, strlen (text), 0640, error))
    return false;
  if (rename (upload->part, path) == 0)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot keep the upload as '%s': %s", path,
      g_strerror (errno));
  unlink (entity_path);
  return false;
}

static void
remove_thumbnail (const char *path)
{
  if (unlink (path) != 0 && errno != ENOENT)
    g_warning ("cannot remove '%s': %s", path, g_strerror (errno));
}

static bool
look_and_keep (RecUpload *upload, GError **error)
{
  g_autofree char *thumbnail = g_strdup_printf ("%s/%s.jpg", upload->limits->folder, upload->id);
  RecInspection facts;

  if (!rec_inspection_run (&upload->limits->inspector, upload->part, thumbnail,
          (RecInspectionIsOver) was_abandoned, upload, &facts, error)) {
    remove_thumbnail (thumbnail);
    return false;
  }
  g_autoptr (RecJson) entity = make_entity (upload, &facts);
  if (facts.has_thumbnail) {
    g_autofree char *name = g_path_get_basename (thumbnail);
    rec_json_set_string (entity, "thumbnail", name);
  }
  if (!keep (upload, entity, error)) {
    remove_thumbnail (thumbnail);
    return false;
  }
  upload->file.entity = g_steal_pointer (&entity);
  return true;
}

static void *
receive (void *data)
{
  RecUpload *upload = data;
  const bool is_kept = write_file (upload, &upload->file.error) &&
                       look_and_keep (upload, &upload->file.error);

  rec_fd_close (&upload->file.fd);
  lose (upload); /* first: who sees the file gone may count on its bytes */
  if (!is_kept)
    unlink (upload->part);
  upload->events->finished (upload, upload->data);
  return NULL;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

RecUpload *
rec_upload_new (const RecUploadLimits *limits, RecUploadOwner *owner, char *token,
    int64_t n_announced, const RecUploadEvents *events, void *data, GError **error)
{
  RecUpload *upload = g_new0 (RecUpload, 1);

  upload->n_references = 1;
  upload->limits = limits;
  upload->owner = owner;
  upload->token = token;
  upload->n_announced = n_announced;
  upload->id = rec_make_id ("upload_", N_ID_CHARACTERS);
  upload->part = g_strdup_printf ("%s/%s.part", limits->folder, upload->id);
  upload->events = events;
  upload->data = data;
  rec_lock_init (&upload->lock);
  rec_cond_init (&upload->changed);
  g_queue_init (&upload->chunks);
  upload->file.fd = open (upload->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (upload->file.fd < 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot make '%s': %s", upload->part,
        g_strerror (errno));
    rec_upload_unref (upload);
    return NULL;
  }
  return upload;
}

void
rec_upload_start (RecUpload *upload)
{
  upload->thread = g_thread_new ("upload", receive, upload);
}

void
rec_upload_discard (RecUpload *upload)
{
  unlink (upload->part);
}

RecUpload *
rec_upload_ref (RecUpload *upload)
{
  atomic_fetch_add (&upload->n_references, 1);
  return upload;
}

void
rec_upload_unref (RecUpload *upload)
{
  if (upload == NULL || atomic_fetch_sub (&upload->n_references, 1) > 1)
    return;
  g_queue_clear_full (&upload->chunks, (GDestroyNotify) g_bytes_unref);
  pthread_cond_destroy (&upload->changed);
  rec_lock_clear (&upload->lock);
  json_object_put (upload->file.entity);
  g_clear_error (&upload->file.error);
  rec_fd_close (&upload->file.fd);
  rec_upload_owner_free (upload->owner);
  g_free (upload->token);
  g_free (upload->id);
  g_free (upload->part);
  g_free (upload);
}

static void
join (RecUpload *upload)
{
  if (upload->thread != NULL)
    g_thread_join (g_steal_pointer (&upload->thread));
}

void
rec_upload_cancel (RecUpload *upload)
{
  {
    REC_LOCKED (&upload->lock);
    upload->is_abandoned = true;
    pthread_cond_signal (&upload->changed);
  }
  join (upload);
}

RecJson *
rec_upload_settle (RecUpload *upload, const GError **why)
{
  join (upload);
  upload->is_settled = true;
  *why = upload->file.error;
  return upload->file.entity;
}

bool
rec_upload_is_settled (const RecUpload *upload)
{
  return upload->is_settled;
}
