/* journal.h - one small file per running recording: what it takes to finish it after a crash. [main] */
#ifndef REC_RECORDING_JOURNAL_H
#define REC_RECORDING_JOURNAL_H

#include "base/types.h"

#include <glib.h>
#include <json-c/json.h>
#include <sys/types.h>

typedef struct {
  char *id;
  char *directory;     /* of the recording */
  json_object *entity; /* as in its file, at the start */
  json_object
      *setup; /* what its worker was set up with: sinks, options (secret ones too), bounds */
  pid_t pid;  /* of the worker that records or salvages it; 0: none does */
  uint64_t start_ticks;
  char *boot_id;
  unsigned n_tries; /* to salvage it, that failed */
  char *why;        /* it is salvaged; NULL: not known */
} RecJournalEntry;

/* What could not be salvaged by then is given up; its files stay where they are. */
#define REC_JOURNAL_MAX_TRIES 3

/* Takes references of entity and setup. No tries, no reason. */
RecJournalEntry *rec_journal_entry_new (const char *id, const char *directory, json_object *entity,
    json_object *setup, pid_t pid);
void rec_journal_entry_free (RecJournalEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecJournalEntry, rec_journal_entry_free)

/* The folder below server.state-directory, mode 0700; made when it is missing. Free it. */
char *rec_journal_prepare (const RecConfig *config, GError **error);

/* Of the entry's file in the journal's folder. Free them. The file's mode is 0600. */
char *rec_journal_dup_path (const char *folder, const char *id);
char *rec_journal_entry_to_text (const RecJournalEntry *entry);

/* Reads all files of the folder; unreadable ones are kept aside as NAME.bad, with a warning. Array of RecJournalEntry. */
GPtrArray *rec_journal_load_all (const char *folder);

/* A pidfd of the entry's worker, close-on-exec, when that very process still runs; else -1. */
int rec_journal_entry_open_worker (const RecJournalEntry *entry);

#endif
