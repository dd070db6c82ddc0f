/* restore.c - takes up what an earlier server left. */
#define G_LOG_DOMAIN "rec.recording.restore"
#include "recording/restore.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/config.h"
#include "base/fd.h"
#include "base/json.h"
#include "recording/entity.h"
#include "recording/journal.h"
#include "recording/store.h"
#include "session/registry.h"

#define ORPHAN_MARGIN_MS 3000 /* beyond the worker's own deadline, for a busy machine */

struct RecRestore {
  const RecJobContext *context;
  RecRestoreTake take;
  void *data;
  GQueue entries; /* of RecJournalEntry, the head is worked on */
  int worker_fd;  /* pidfd of the head's worker, while it lives */
  guint worker_ended, deadline, next;
};

static void
clear_source (guint *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

static void
drop_head (RecRestore *restore)
{
  rec_journal_entry_free (g_queue_pop_head (&restore->entries));
}

static gboolean work_on_head (gpointer data);

static void
go_on (RecRestore *restore)
{
  if (restore->next == 0)
    restore->next = g_idle_add (work_on_head, restore);
}

static void
salvage_head (RecRestore *restore)
{
  const RecJournalEntry *entry = g_queue_peek_head (&restore->entries);
  RecRecording *recording = rec_registry_find_recording (restore->context->registry, entry->id);
  const char *why = entry->why != NULL ? entry->why : "the server ended during the recording";

  /* Its end brings the next one. */
  restore->take (
      rec_job_new_salvage (restore->context, recording, entry->setup, why, entry->n_tries),
      restore->data);
  drop_head (restore);
}

static gboolean
on_worker_ended (int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  RecRestore *restore = data;

  restore->worker_ended = 0;
  clear_source (&restore->deadline);
  rec_fd_close (&restore->worker_fd);
  salvage_head (restore);
  return G_SOURCE_REMOVE;
}

static gboolean
on_deadline (gpointer data)
{
  RecRestore *restore = data;
  const RecJournalEntry *entry = g_queue_peek_head (&restore->entries);

  restore->deadline = 0;
  g_warning ("the worker of recording '%s' goes on without its server, killing it", entry->id);
  if (pidfd_send_signal (restore->worker_fd, SIGKILL, NULL, 0) != 0)
    g_warning ("cannot kill the worker of recording '%s'", entry->id);
  return G_SOURCE_REMOVE;
}

static gboolean
work_on_head (gpointer data)
{
  RecRestore *restore = data;
  const RecJournalEntry *entry = g_queue_peek_head (&restore->entries);
  int64_t timeout_ms = rec_config_get_int (restore->context->config, "recording.orphan-timeout-ms");

  restore->next = 0;
  if (entry == NULL)
    return G_SOURCE_REMOVE;
  restore->worker_fd = rec_journal_entry_open_worker (entry);
  if (restore->worker_fd < 0) {
    salvage_head (restore);
    return G_SOURCE_REMOVE;
  }
  restore->worker_ended = g_unix_fd_add (restore->worker_fd, G_IO_IN, on_worker_ended, restore);
  restore->deadline = g_timeout_add ((guint) timeout_ms + ORPHAN_MARGIN_MS, on_deadline, restore);
  return G_SOURCE_REMOVE;
}

/* --- loading ------------------------------------------------------------------------------------------ */

static const RecJournalEntry *
find_entry (GPtrArray *entries, const char *id)
{
  for (guint i = 0; i < entries->len; i++) {
    const RecJournalEntry *entry = entries->pdata[i];

    if (strcmp (entry->id, id) == 0)
      return entry;
  }
  return NULL;
}

static bool
is_over (const RecRecording *recording)
{
  return recording->status == REC_RECORDING_READY || recording->status == REC_RECORDING_FAILED;
}

/* An outcome on the disk counts, for the server may have died between it and the removal of the journal entry: but not
 * that of an attempt which the next one follows. */
static bool
is_to_be_finished (const RecRecording *recording, const RecJournalEntry *entry)
{
  return entry != NULL && (!is_over (recording) || (recording->status == REC_RECORDING_FAILED &&
                                                       entry->n_tries < REC_JOURNAL_MAX_TRIES));
}

static void
load_entities (RecRestore *restore, GPtrArray *entries)
{
  const char *root = rec_config_get_string (restore->context->config, "openvidu.recording.path");
  g_autoptr (GPtrArray) recordings = rec_entity_load_all (root);

  for (guint i = 0; i < recordings->len; i++) {
    RecRecording *recording = recordings->pdata[i];

    if (rec_registry_find_recording (restore->context->registry, recording->id) != NULL) {
      g_warning ("there are two recordings '%s', leaving out the one in '%s'", recording->id,
          recording->directory);
      continue;
    }
    if (is_to_be_finished (recording, find_entry (entries, recording->id))) {
      recording->status = REC_RECORDING_STOPPED;
    } else if (!is_over (recording)) {
      recording->status = REC_RECORDING_FAILED;
      if (recording->message == NULL)
        recording->message =
            g_strdup ("the server ended during the recording, and its journal is lost");
      rec_store_entity (restore->context, recording, NULL, NULL);
    }
    rec_registry_add_recording (restore->context->registry, recording);
  }
}

/* The journal has the entity as well, for a file that was never written or cannot be read. */
static bool
add_from_journal (RecRestore *restore, const RecJournalEntry *entry)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecRecording)
      recording = rec_entity_from_json (entry->entity, entry->directory, &error);

  if (recording == NULL || strcmp (recording->id, entry->id) != 0) {
    g_warning ("cannot use the journal entry '%s': %s; leaving it", entry->id,
        error != NULL ? error->message : "it is of another recording");
    return false;
  }
  recording->status = REC_RECORDING_STOPPED;
  rec_registry_add_recording (restore->context->registry, recording);
  return true;
}

static void
queue_entries (RecRestore *restore, GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++) {
    RecJournalEntry *entry = entries->pdata[i];
    RecRecording *recording = rec_registry_find_recording (restore->context->registry, entry->id);

    if (recording == NULL) {
      if (!add_from_journal (restore, entry))
        continue;
    } else if (is_over (recording)) {
      rec_store_forget_journal (restore->context, entry->id);
      continue;
    }
    entries->pdata[i] = NULL;
    g_queue_push_tail (&restore->entries, entry);
  }
}

RecRestore *
rec_restore_new (const RecJobContext *context, RecRestoreTake take, void *data)
{
  RecRestore *restore = g_new0 (RecRestore, 1);
  g_autoptr (GPtrArray) entries = rec_journal_load_all (context->journal_folder);

  restore->context = context;
  restore->take = take;
  restore->data = data;
  restore->worker_fd = -1;
  g_queue_init (&restore->entries);
  load_entities (restore, entries);
  queue_entries (restore, entries);
  if (!g_queue_is_empty (&restore->entries))
    go_on (restore);
  return restore;
}

void
rec_restore_load_finished (const RecJobContext *context)
{
  const char *root = rec_config_get_string (context->config, "openvidu.recording.path");

  if (!g_file_test (root, G_FILE_TEST_IS_DIR))
    return;
  g_autoptr (GPtrArray) recordings = rec_entity_load_all (root);
  for (guint i = 0; i < recordings->len; i++) {
    RecRecording *recording = recordings->pdata[i];

    if (is_over (recording) &&
        rec_registry_find_recording (context->registry, recording->id) == NULL)
      rec_registry_add_recording (context->registry, recording);
  }
}

void
rec_restore_stop (RecRestore *restore)
{
  clear_source (&restore->worker_ended);
  clear_source (&restore->deadline);
  clear_source (&restore->next);
  rec_fd_close (&restore->worker_fd);
  while (!g_queue_is_empty (&restore->entries))
    drop_head (restore);
}

void
rec_restore_free (RecRestore *restore)
{
  if (restore == NULL)
    return;
  rec_restore_stop (restore);
  g_free (restore);
}

guint
rec_restore_count_waiting (const RecRestore *restore)
{
  return g_queue_get_length ((GQueue *) &restore->entries);
}

void
rec_restore_notify_job_over (RecRestore *restore)
{
  if (!g_queue_is_empty (&restore->entries) && restore->worker_ended == 0)
    go_on (restore);
}
