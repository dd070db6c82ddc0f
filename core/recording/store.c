/* store.c - hands small files to the writer. */
#define G_LOG_DOMAIN "rec.recording.store"
#include "recording/store.h"

#include "base/config.h"
#include "base/json.h"
#include "recording/entity.h"
#include "recording/journal.h"
#include "recording/place.h"
#include "session/registry.h"

#define MODE 0640
#define PRIVATE_MODE 0600 /* options may be secret */

static json_object *
make_entity (const RecJobContext *context, const RecRecording *recording)
{
  const RecEntityView view = {
    .public_url = rec_registry_get_public_url (context->registry),
    .is_public = rec_config_get_bool (context->config, "openvidu.recording.public-access"),
  };

  return rec_entity_to_file_json (recording, &view);
}

void
rec_store_entity (const RecJobContext *context, const RecRecording *recording, RecWriterDone done,
    void *data)
{
  g_autofree char *path = rec_place_dup_entity_path (recording);
  g_autoptr (RecJson) json = make_entity (context, recording);

  rec_writer_put (context->writer, path, rec_json_to_text (json), MODE, done, data);
}

void
rec_store_info (const RecJobContext *context, const RecRecording *recording)
{
  g_autofree char *path = rec_place_dup_info_path (recording);
  g_autoptr (RecJson) info = rec_entity_make_info (recording);

  rec_writer_put (context->writer, path, rec_json_to_text (info), MODE, NULL, NULL);
}

void
rec_store_journal (const RecJobContext *context, const RecRecording *recording, json_object *setup,
    const RecStoreWork *work, RecWriterDone done, void *data)
{
  g_autofree char *path = rec_journal_dup_path (context->journal_folder, recording->id);
  g_autoptr (RecJson) entity = make_entity (context, recording);
  g_autoptr (RecJournalEntry) entry =
      rec_journal_entry_new (recording->id, recording->directory, entity, setup, work->worker);

  entry->n_tries = work->n_tries;
  entry->why = g_strdup (work->why);

  rec_writer_put (context->writer, path, rec_journal_entry_to_text (entry), PRIVATE_MODE, done,
      data);
}

void
rec_store_forget_journal (const RecJobContext *context, const char *id)
{
  g_autofree char *path = rec_journal_dup_path (context->journal_folder, id);

  rec_writer_remove (context->writer, path);
}

void
rec_store_forget_chronicle (const RecJobContext *context, const RecRecording *recording)
{
  g_autofree char *path = rec_place_dup_chronicle_path (recording);

  rec_writer_remove (context->writer, path);
}

void
rec_store_forget_file (const RecJobContext *context, const RecRecording *recording,
    const char *name)
{
  g_autofree char *path = g_build_filename (recording->directory, name, NULL);

  if (rec_place_may_own (recording, name))
    rec_writer_remove (context->writer, path);
}
