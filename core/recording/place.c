/* place.c - ids and names that are free, folders, owners, removal. */
#define G_LOG_DOMAIN "rec.recording.place"
#include "recording/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/path.h"
#include "session/registry.h"

#define MAX_ATTEMPTS 10000 /* recordings of one session */
#define MAX_ENDING 16      /* what is appended to a name: "~9999", ".thumb.part" */

#define PART ".part" /* of a file that is being written */

static const char *const endings[] = { ".mp4", ".webm", ".zip" };

static const char *
get_root (const RecConfig *config)
{
  return rec_config_get_string (config, "openvidu.recording.path");
}

bool
rec_place_prepare (const RecConfig *config, GError **error)
{
  if (rec_path_make_folder (get_root (config), 0750, error))
    return true;
  g_prefix_error (error, "openvidu.recording.path: ");
  return false;
}

bool
rec_place_check_space (const RecConfig *config, GError **error)
{
  /* One that would be ended at once isn't begun. */
  uint64_t min_free = (uint64_t) MAX (rec_config_get_int (config, "recording.min-free-bytes"),
      rec_config_get_int (config, "recording.end-free-bytes"));
  const int64_t found = rec_path_get_free_bytes (get_root (config));

  if (found < 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "cannot look at the folder of the recordings: %s", g_strerror (errno));
    return false;
  }
  uint64_t free_bytes = (uint64_t) found;
  if (free_bytes >= min_free)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
      "the disk of the recordings has %" G_GUINT64_FORMAT
      " bytes left, fewer than recording.min-free-bytes and recording.end-free-bytes "
      "ask for (%" G_GUINT64_FORMAT ")",
      free_bytes, min_free);
  return false;
}

/* --- choosing ------------------------------------------------------------------------------------ */

static void
add_taken (GHashTable *taken, const char *name)
{
  if (g_str_has_prefix (name, ".recording.")) {
    g_hash_table_add (taken, g_strdup (name + strlen (".recording.")));
    return;
  }
  g_autofree char *base = g_strdup (name);
  if (g_str_has_suffix (base, PART))
    base[strlen (base) - strlen (PART)] = '\0';
  g_hash_table_add (taken, g_strdup (base));
  char *dot = strrchr (base, '.');
  if (dot != NULL)
    *dot = '\0';
  g_hash_table_add (taken, g_steal_pointer (&base));
}

/* What the folder of the recordings holds: names, and names without their endings. */
static GHashTable *
list_taken (const char *root, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDir) dir = g_dir_open (root, 0, &cause);
  const char *name;

  if (dir == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
        "cannot look at the folder of the recordings: %s", cause->message);
    return NULL;
  }
  GHashTable *taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    add_taken (taken, name);
  return taken;
}

/* "base", "base-1", "base-2" or "base~1" ... */
static char *
number (const char *base, char separator, unsigned attempt)
{
  return attempt == 0 ? g_strdup (base) : g_strdup_printf ("%s%c%u", base, separator, attempt);
}

static bool
name_is_in_use (RecRegistry *registry, const char *name)
{
  GPtrArray *recordings = rec_registry_get_recordings (registry);

  for (guint i = 0; i < recordings->len; i++) {
    const RecRecording *recording = recordings->pdata[i];

    if (recording->era == REC_ERA_OLD && strcmp (recording->name, name) == 0)
      return true;
  }
  return false;
}

static bool
refuse_exhausted (const char *base, GError **error)
{
  g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
      "there are %d recordings called '%s': delete some", MAX_ATTEMPTS, base);
  return false;
}

/* A folder of its own per recording; making it is what decides whose it is. */
static char *
choose_new_id (const char *root, RecRegistry *registry, GHashTable *taken, const char *base,
    GError **error)
{
  for (unsigned i = 0; i < MAX_ATTEMPTS; i++) {
    g_autofree char *id = number (base, '~', i);
    g_autofree char *directory = g_build_filename (root, id, NULL);

    if (rec_registry_find_recording (registry, id) != NULL || g_hash_table_contains (taken, id))
      continue;
    if (mkdir (directory, 0750) == 0)
      return g_steal_pointer (&id);
    if (errno == EEXIST)
      continue;
    g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE, "cannot make the folder '%s': %s",
        directory, g_strerror (errno));
    return NULL;
  }
  refuse_exhausted (base, error);
  return NULL;
}

static char *
choose_old_id (RecRegistry *registry, GHashTable *taken, const char *base, GError **error)
{
  for (unsigned i = 0; i < MAX_ATTEMPTS; i++) {
    g_autofree char *id = number (base, '-', i);

    if (rec_registry_find_recording (registry, id) == NULL && !g_hash_table_contains (taken, id))
      return g_steal_pointer (&id);
  }
  refuse_exhausted (base, error);
  return NULL;
}

/* In the flat folder a name counts for everybody. */
static char *
choose_old_name (RecRegistry *registry, GHashTable *taken, const char *base, GError **error)
{
  for (unsigned i = 0; i < MAX_ATTEMPTS; i++) {
    g_autofree char *name = number (base, '-', i);

    if (!name_is_in_use (registry, name) && !g_hash_table_contains (taken, name))
      return g_steal_pointer (&name);
  }
  refuse_exhausted (base, error);
  return NULL;
}

static bool
check_name (const char *name, GError **error)
{
  if (rec_path_is_safe_name (name) && strlen (name) + MAX_ENDING <= 200)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "the recording's name cannot be a file's: expected up to %d bytes without '/', '\\', control "
      "characters "
      "and a '.' in front",
      200 - MAX_ENDING);
  return false;
}

static void
make_sides_even (RecRecordingProperties *properties)
{
  properties->width &= ~1;
  properties->height &= ~1;
}

RecRecording *
rec_place_new_recording (const RecConfig *config, RecRegistry *registry, RecSession *session,
    const RecRecordingProperties *properties, RecEra era, GError **error)
{
  g_autoptr (GHashTable) taken = NULL;
  g_autofree char *id = NULL;
  bool has_name = properties->name != NULL && *properties->name != '\0';

  if (!check_name (session->id, error) || (has_name && !check_name (properties->name, error)))
    return NULL;
  taken = list_taken (get_root (config), error);
  if (taken == NULL)
    return NULL;
  id = era == REC_ERA_OLD ? choose_old_id (registry, taken, session->id, error)
                          : choose_new_id (get_root (config), registry, taken, session->id, error);
  if (id == NULL)
    return NULL;
  RecRecording *recording =
      rec_recording_new (id, session->id, era, properties, rec_registry_now_ms (registry));
  make_sides_even (recording->properties);
  recording->session = session;
  recording->unique_session_id =
      g_strdup_printf ("%s_%" G_GINT64_FORMAT, session->id, session->created_at_ms);
  if (era == REC_ERA_NEW) {
    recording->directory = g_build_filename (get_root (config), id, NULL);
    return recording;
  }
  recording->directory = g_strdup (get_root (config));
  char *name = choose_old_name (registry, taken, recording->name, error);
  if (name == NULL) {
    rec_recording_unref (recording);
    return NULL;
  }
  g_free (recording->name);
  recording->name = name;
  return recording;
}

/* --- files ----------------------------------------------------------------------------------------- */

static char *
dup_path (const RecRecording *recording, const char *prefix, const char *name, const char *ending)
{
  g_autofree char *file = g_strconcat (prefix, name, ending, NULL);

  return g_build_filename (recording->directory, file, NULL);
}

char *
rec_place_dup_entity_path (const RecRecording *recording)
{
  return dup_path (recording, ".recording.", recording->id, "");
}

char *
rec_place_dup_info_path (const RecRecording *recording)
{
  return dup_path (recording, "", recording->id, ".info");
}

char *
rec_place_dup_chronicle_path (const RecRecording *recording)
{
  return dup_path (recording, ".chronicle.", recording->id, "");
}

char *
rec_place_dup_thumbnail_path (const RecRecording *recording)
{
  return dup_path (recording, "", recording->id, ".jpg");
}

char *
rec_place_dup_video_path (const RecRecording *recording)
{
  return recording->file_name == NULL ? NULL : dup_path (recording, "", recording->file_name, "");
}

static bool
begins_with (const char *name, const char *base)
{
  size_t length = strlen (base);

  return strncmp (name, base, length) == 0 && name[length] == '.';
}

/* What a sink puts its files under when their name is taken. */
static char *
dup_name_with_id (const RecRecording *recording)
{
  return g_strconcat (recording->name, "-", recording->id, NULL);
}

bool
rec_place_may_own (const RecRecording *recording, const char *name)
{
  g_autofree char *with_id = dup_name_with_id (recording);

  if (!rec_path_is_safe_name (name))
    return false;
  return recording->era == REC_ERA_NEW || begins_with (name, recording->name) ||
         begins_with (name, with_id);
}

static void
give (int64_t owner, const char *path)
{
  if (path == NULL || owner < 0 || lchown (path, (uid_t) owner, (gid_t) -1) == 0 || errno == ENOENT)
    return;
  g_warning ("cannot give '%s' to user %d: %s; it stays ours", path, (int) owner,
      g_strerror (errno));
}

void
rec_place_give_files (const RecConfig *config, const RecRecording *recording)
{
  int64_t owner = rec_config_get_int (config, "recording.owner");
  g_autofree char *video = rec_place_dup_video_path (recording);
  g_autofree char *thumbnail = rec_place_dup_thumbnail_path (recording);

  give (owner, video);
  give (owner, thumbnail);
  if (recording->era == REC_ERA_NEW)
    give (owner, recording->directory);
}

static bool
remove_file (const char *path, GError **error)
{
  if (path == NULL || rec_path_unlink (path) == 0 || errno == ENOENT)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot remove '%s': %s", path,
      g_strerror (errno));
  return false;
}

static bool
remove_parts (const RecRecording *recording, const char *name, GError **error)
{
  for (size_t i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree char *ending = g_strconcat (endings[i], PART, NULL);
    g_autofree char *part = dup_path (recording, "", name, ending);

    if (!remove_file (part, error))
      return false;
  }
  return true;
}

bool
rec_place_remove_unfinished (const RecRecording *recording, GError **error)
{
  g_autofree char *with_id = dup_name_with_id (recording);
  g_autofree char *reserve = dup_path (recording, ".reserve.", recording->id, "");

  return remove_parts (recording, recording->name, error) &&
         remove_parts (recording, with_id, error) && remove_file (reserve, error);
}

/* The folder's own small files do not count, and a thumbnail alone is no recording. */
static bool
is_worth_a_try (const RecRecording *recording, const char *name)
{
  g_autofree char *path = dup_path (recording, "", name, "");
  struct stat info;

  return rec_place_may_own (recording, name) && !g_str_has_prefix (name, ".") &&
         !g_str_has_suffix (name, ".jpg") && !g_str_has_suffix (name, ".json") &&
         lstat (path, &info) == 0 && S_ISREG (info.st_mode) && info.st_size > 0;
}

bool
rec_place_has_files (const RecRecording *recording)
{
  g_autoptr (GDir) dir = g_dir_open (recording->directory, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (is_worth_a_try (recording, name))
      return true;
  return false;
}

/* Of a recording that never was finished only the unfinished files can be its own. */
static bool
remove_video (const RecRecording *recording, GError **error)
{
  g_autofree char *video = rec_place_dup_video_path (recording);
  g_autofree char *reserve = dup_path (recording, ".reserve.", recording->id, "");

  if (video == NULL)
    return rec_place_remove_unfinished (recording, error);
  return remove_file (reserve, error) && remove_file (video, error);
}

/* What is left of streams whose files were never completed. */
static bool
remove_stream_parts (const RecRecording *recording, GError **error)
{
  g_autofree char *prefix = g_strconcat (recording->name, ".str_", NULL); /* as all our ids begin */
  g_autoptr (GDir) dir = g_dir_open (recording->directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = dup_path (recording, "", name, "");

    if (g_str_has_prefix (name, prefix) && g_str_has_suffix (name, PART) &&
        !remove_file (path, error))
      return false;
  }
  return true;
}

static bool
remove_other_files (const RecRecording *recording, GError **error)
{
  for (guint i = 0; i < recording->other_files->len; i++) {
    const char *name = recording->other_files->pdata[i];
    g_autofree char *path = dup_path (recording, "", name, "");

    if (rec_place_may_own (recording, name) && !remove_file (path, error))
      return false;
  }
  return true;
}

/* The entity goes last: as long as something is left, the recording is listed and can be deleted again. */
static bool
remove_flat (const RecRecording *recording, GError **error)
{
  g_autofree char *entity = rec_place_dup_entity_path (recording);
  g_autofree char *info = rec_place_dup_info_path (recording);
  g_autofree char *chronicle = rec_place_dup_chronicle_path (recording);

  return remove_video (recording, error) && remove_other_files (recording, error) &&
         remove_stream_parts (recording, error) && remove_file (chronicle, error) &&
         remove_file (info, error) && remove_file (entity, error);
}

bool
rec_place_remove (const RecRecording *recording, GError **error)
{
  g_autofree char *folder = g_path_get_basename (recording->directory);

  /* An entity that somebody moved to another place does not own what lies there. */
  if (recording->era == REC_ERA_NEW && strcmp (folder, recording->id) == 0)
    return rec_path_remove_tree (recording->directory, error);
  return remove_flat (recording, error);
}

/* A sink that finds its name taken appends the id. */
void
rec_place_find_video (RecRecording *recording)
{
  g_autofree char *with_id = dup_name_with_id (recording);
  const char *const names[] = { with_id, recording->name };

  for (size_t i = 0; i < G_N_ELEMENTS (names) * G_N_ELEMENTS (endings); i++) {
    const char *name = names[i / G_N_ELEMENTS (endings)];
    g_autofree char *file = g_strconcat (name, endings[i % G_N_ELEMENTS (endings)], NULL);
    g_autofree char *path = dup_path (recording, "", file, "");

    if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
      continue;
    g_free (recording->file_name);
    recording->file_name = g_steal_pointer (&file);
    return;
  }
}
