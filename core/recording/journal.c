/* journal.c - journal entries to files and back. */
#define _GNU_SOURCE
#define G_LOG_DOMAIN "rec.recording.journal"
#include "recording/journal.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/child.h"
#include "base/config.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"

#define MAX_ENTRY_BYTES (2 * 1024 * 1024)
#define ENDING ".json"

/* The boot an entry was written in: process ids and ticks of another one mean nothing. */
static char *
read_boot_id (void)
{
  char *text = NULL;

  if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
    return g_strdup ("unknown");
  return g_strstrip (text);
}

RecJournalEntry *
rec_journal_entry_new (const char *id, const char *directory, json_object *entity,
    json_object *setup, pid_t pid)
{
  RecJournalEntry *entry = g_new0 (RecJournalEntry, 1);

  entry->id = g_strdup (id);
  entry->directory = g_strdup (directory);
  entry->entity = json_object_get (entity);
  entry->setup = json_object_get (setup);
  entry->pid = pid;
  entry->start_ticks = pid > 0 ? rec_child_read_start_ticks (pid) : 0;
  entry->boot_id = read_boot_id ();
  return entry;
}

void
rec_journal_entry_free (RecJournalEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->id);
  g_free (entry->directory);
  json_object_put (entry->entity);
  json_object_put (entry->setup);
  g_free (entry->boot_id);
  g_free (entry->why);
  g_free (entry);
}

char *
rec_journal_prepare (const RecConfig *config, GError **error)
{
  g_autofree char *folder =
      g_build_filename (rec_config_get_string (config, "server.state-directory"), "running", NULL);

  if (rec_path_make_folder (folder, 0700, error))
    return g_steal_pointer (&folder);
  g_prefix_error (error, "server.state-directory: ");
  return NULL;
}

char *
rec_journal_dup_path (const char *folder, const char *id)
{
  g_autofree char *name = g_strconcat (id, ENDING, NULL);

  return g_build_filename (folder, name, NULL);
}

char *
rec_journal_entry_to_text (const RecJournalEntry *entry)
{
  g_autoptr (RecJson) json = json_object_new_object ();

  rec_json_set_string (json, "id", entry->id);
  rec_json_set_string (json, "directory", entry->directory);
  rec_json_set_int (json, "pid", entry->pid);
  rec_json_set_int (json, "startTicks", (int64_t) entry->start_ticks);
  rec_json_set_string (json, "bootId", entry->boot_id);
  rec_json_set_int (json, "tries", entry->n_tries);
  if (entry->why != NULL)
    rec_json_set_string (json, "why", entry->why);
  rec_json_take (json, "entity", json_object_get (entry->entity));
  rec_json_take (json, "setup", json_object_get (entry->setup));
  return rec_json_to_pretty_text (json);
}

static RecJournalEntry *
read_entry (const char *path, GError **error)
{
  static const RecJsonField fields[] = {
    { .name = "id",
        .type = REC_JSON_STRING,
        .required = true,
        .is_valid = rec_path_is_safe_name,
        .expected = "a file name" },
    { .name = "directory", .type = REC_JSON_STRING, .required = true, .max = 4096 },
    { .name = "pid", .type = REC_JSON_INTEGER, .required = true, .min = 0, .max = INT32_MAX },
    { .name = "startTicks",
        .type = REC_JSON_INTEGER,
        .required = true,
        .min = 0,
        .max = INT64_MAX },
    { .name = "bootId", .type = REC_JSON_STRING, .required = true },
    { .name = "tries", .type = REC_JSON_INTEGER, .min = 0, .max = REC_JOURNAL_MAX_TRIES },
    { .name = "why", .type = REC_JSON_STRING },
    { .name = "entity", .type = REC_JSON_OBJECT, .required = true },
    { .name = "setup", .type = REC_JSON_OBJECT, .required = true },
    REC_JSON_FIELDS_END,
  };
  g_autoptr (RecJson) json = rec_json_parse_file (path, MAX_ENTRY_BYTES, error);

  if (json == NULL || !rec_json_check_closed (json, fields, error))
    return NULL;
  RecJournalEntry *entry = g_new0 (RecJournalEntry, 1);
  entry->id = g_strdup (rec_json_string_or (json, "id", ""));
  entry->directory = g_strdup (rec_json_string_or (json, "directory", ""));
  entry->entity = json_object_get (rec_json_get (json, "entity"));
  entry->setup = json_object_get (rec_json_get (json, "setup"));
  entry->pid = (pid_t) rec_json_int_or (json, "pid", 0);
  entry->start_ticks = (uint64_t) rec_json_int_or (json, "startTicks", 0);
  entry->boot_id = g_strdup (rec_json_string_or (json, "bootId", ""));
  entry->n_tries = (unsigned) rec_json_int_or (json, "tries", 0);
  entry->why = g_strdup (rec_json_string_or (json, "why", NULL));
  return entry;
}

static void
put_aside (const char *path, const GError *error)
{
  g_autofree char *aside = g_strconcat (path, ".bad", NULL);

  g_warning ("cannot read the journal entry '%s': %s; keeping it aside as '%s'", path,
      error->message, aside);
  if (g_rename (path, aside) != 0)
    g_warning ("cannot rename '%s', leaving it", path);
}

static void
free_entry (void *data)
{
  rec_journal_entry_free (data);
}

GPtrArray *
rec_journal_load_all (const char *folder)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func (free_entry);
  g_autoptr (GError) dir_error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &dir_error);
  const char *name;

  if (dir == NULL) {
    g_warning ("cannot read the journal: %s; recordings of an earlier run stay as they are",
        dir_error->message);
    return entries;
  }
  while ((name = g_dir_read_name (dir)) != NULL) {
    if (!g_str_has_suffix (name, ENDING))
      continue;
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autoptr (GError) error = NULL;
    RecJournalEntry *entry = read_entry (path, &error);

    if (entry != NULL)
      g_ptr_array_add (entries, entry);
    else
      put_aside (path, error);
  }
  return entries;
}

int
rec_journal_entry_open_worker (const RecJournalEntry *entry)
{
  g_autofree char *boot_id = read_boot_id ();

  if (entry->pid == 0 || strcmp (boot_id, entry->boot_id) != 0)
    return -1;
  int fd = pidfd_open (entry->pid, 0);
  /* After opening: the descriptor now belongs to whoever has the id, and only then is it asked who that is. */
  if (fd >= 0 && rec_child_read_start_ticks (entry->pid) != entry->start_ticks)
    rec_fd_close (&fd);
  return fd;
}
