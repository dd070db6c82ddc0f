/* chronicle.c - who was when: a line of JSON for each event. */
#define G_LOG_DOMAIN "rec.worker.chronicle"
#include "worker/chronicle.h"

#include "base/error.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX ".chronicle."
#define MAX_LINE_BYTES (256 * 1024)

struct RecChronicle {
  int fd; /* below 0: there is no file */
  off_t size;
  bool is_damaged; /* something is missing */
  char *path;
  int64_t left; /* bytes */
  bool is_full;
  GHashTable *tracks; /* id -> stream id */
};

static char *
dup_path (const char *directory, const char *id)
{
  g_autofree char *file = g_strconcat (PREFIX, id, NULL);

  return g_build_filename (directory, file, NULL);
}

/* --- writing --------------------------------------------------------------------------------------- */

/* A line is there as a whole or, cut by a crash, without its end, and then does not count. */
static void
write_line (RecChronicle *chronicle, json_object *line)
{
  g_autofree char *text =
      g_strconcat (json_object_to_json_string_ext (line, JSON_C_TO_STRING_PLAIN), "\n", NULL);
  const size_t size = strlen (text);

  json_object_put (line);
  if (chronicle->fd < 0)
    return;
  if (write (chronicle->fd, text, size) == (ssize_t) size) {
    chronicle->size += (off_t) size;
    return;
  }
  if (!chronicle->is_damaged)
    g_warning ("cannot write '%s': %s; the time line of this recording is not complete",
        chronicle->path, g_strerror (errno));
  chronicle->is_damaged = true;
  /* Of a line that did not fit nothing may stay in front of the next. */
  if (ftruncate (chronicle->fd, chronicle->size) == 0)
    return;
  close (chronicle->fd);
  chronicle->fd = -1;
}

/* Milliseconds, to the microsecond. */
static void
set_time (json_object *line, const char *name, int64_t at_ns)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  const double ms = (double) at_ns / 1e6;

  g_ascii_formatd (text, sizeof text, "%.3f", ms);
  rec_json_take (line, name, json_object_new_double_s (ms, text));
}

static json_object *
make_line (int64_t at_ns, const char *event, const char *stream)
{
  json_object *line = json_object_new_object ();

  set_time (line, "at", at_ns);
  rec_json_set_string (line, "event", event);
  if (stream != NULL)
    rec_json_set_string (line, "streamId", stream);
  return line;
}

/* What anybody outside can cause any number of is bounded. */
static void
write_bounded (RecChronicle *chronicle, int64_t at_ns, json_object *line)
{
  const size_t size = strlen (json_object_to_json_string_ext (line, JSON_C_TO_STRING_PLAIN));

  chronicle->left -= (int64_t) size + 1;
  if (chronicle->left >= 0) {
    write_line (chronicle, line);
    return;
  }
  json_object_put (line);
  if (!chronicle->is_full)
    write_line (chronicle, make_line (at_ns, "truncated", NULL));
  chronicle->is_full = true;
}

RecChronicle *
rec_chronicle_new (const char *directory, const char *id, json_object *facts, int64_t max_bytes)
{
  RecChronicle *chronicle = g_new0 (RecChronicle, 1);

  chronicle->path = dup_path (directory, id);
  chronicle->left = max_bytes;
  chronicle->tracks = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  chronicle->fd = open (chronicle->path,
      O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (chronicle->fd < 0)
    g_warning ("cannot create '%s': %s; this recording has no time line", chronicle->path,
        g_strerror (errno));
  write_line (chronicle, facts);
  if (chronicle->is_damaged &&
      chronicle->fd >= 0) { /* who reads it takes the first line for them */
    close (chronicle->fd);
    chronicle->fd = -1;
  }
  return chronicle;
}

void
rec_chronicle_free (RecChronicle *chronicle)
{
  if (chronicle == NULL)
    return;
  if (chronicle->fd >= 0)
    close (chronicle->fd);
  g_hash_table_unref (chronicle->tracks);
  g_free (chronicle->path);
  g_free (chronicle);
}

/* --- events ---------------------------------------------------------------------------------------- */

static const char *
get_stream (RecChronicle *chronicle, uint32_t track_id)
{
  return g_hash_table_lookup (chronicle->tracks, GUINT_TO_POINTER (track_id));
}

static void
set_known (json_object *line, const char *name, const char *value)
{
  if (value != NULL && *value != '\0')
    rec_json_set_string (line, name, value);
}

static json_object *
describe_added (RecChronicle *chronicle, const RecCommand *command, int64_t at_ns)
{
  json_object *line = make_line (at_ns, "trackAdded", command->stream);

  g_hash_table_insert (chronicle->tracks, GUINT_TO_POINTER (command->track_id),
      g_strdup (command->stream));
  rec_json_set_int (line, "track", command->track_id);
  rec_json_set_string (line, "kind", command->is_video ? "video" : "audio");
  rec_json_set_string (line, "codec", command->codec);
  rec_json_set_string (line, "connectionId", command->participant);
  set_known (line, "role", command->role);
  set_known (line, "typeOfVideo", command->type_of_video);
  set_known (line, "clientData", command->client_data);
  set_known (line, "serverData", command->server_data);
  return line;
}

static void
set_change (json_object *line, const char *name, int change)
{
  if (change >= 0)
    rec_json_set_bool (line, name, change == 1);
}

static json_object *
describe_changed (const RecCommand *command, int64_t at_ns)
{
  json_object *line = make_line (at_ns, "streamChanged", command->stream);

  set_change (line, "audioActive", command->audio_active);
  set_change (line, "videoActive", command->video_active);
  set_change (line, "screen", command->is_screen);
  set_change (line, "record", command->is_recorded);
  return line;
}

void
rec_chronicle_note_command (RecChronicle *chronicle, const RecCommand *command, int64_t at_ns)
{
  json_object *line;

  if (chronicle == NULL)
    return;
  if (command->type == REC_COMMAND_TRACK_ADD) {
    line = describe_added (chronicle, command, at_ns);
  } else if (command->type == REC_COMMAND_TRACK_END) {
    line = make_line (at_ns, "trackEnded", get_stream (chronicle, command->track_id));
    rec_json_set_int (line, "track", command->track_id);
  } else if (command->type == REC_COMMAND_STREAM_STATE) {
    line = describe_changed (command, at_ns);
  } else {
    return;
  }
  write_bounded (chronicle, at_ns, line);
  if (command->type == REC_COMMAND_TRACK_END)
    g_hash_table_remove (chronicle->tracks, GUINT_TO_POINTER (command->track_id));
}

static json_object *
describe_tile (RecChronicle *chronicle, const RecPlacement *placement)
{
  json_object *tile = json_object_new_object ();

  set_known (tile, "streamId", get_stream (chronicle, placement->video_track));
  rec_json_set_int (tile, "x", placement->tile.x);
  rec_json_set_int (tile, "y", placement->tile.y);
  rec_json_set_int (tile, "width", placement->tile.width);
  rec_json_set_int (tile, "height", placement->tile.height);
  return tile;
}

void
rec_chronicle_note_layout (RecChronicle *chronicle, int64_t at_ns, const GArray *placements)
{
  json_object *line, *tiles;

  if (chronicle == NULL)
    return;
  line = make_line (at_ns, "layoutChanged", NULL);
  tiles = json_object_new_array ();
  for (unsigned i = 0; i < placements->len; i++)
    json_object_array_add (tiles,
        describe_tile (chronicle, &g_array_index (placements, RecPlacement, i)));
  rec_json_take (line, "tiles", tiles);
  write_bounded (chronicle, at_ns, line);
}

void
rec_chronicle_note_gap (RecChronicle *chronicle, const char *stream, bool is_video, int64_t from_ns,
    int64_t to_ns)
{
  json_object *line;

  if (chronicle == NULL)
    return;
  line = make_line (from_ns, "gap", stream);
  rec_json_set_string (line, "kind", is_video ? "video" : "audio");
  set_time (line, "until", to_ns);
  write_bounded (chronicle, to_ns, line);
}

void
rec_chronicle_note_take_begun (RecChronicle *chronicle, const RecTake *take)
{
  json_object *line;

  if (chronicle == NULL)
    return;
  line = make_line (take->start_ns, "fileBegun", take->stream);
  rec_json_set_int (line, "ns", take->start_ns);
  rec_json_set_string (line, "connectionId", take->participant);
  set_known (line, "typeOfVideo", take->type_of_video);
  set_known (line, "clientData", take->client_data);
  set_known (line, "serverData", take->server_data);
  write_line (chronicle, line);
}

void
rec_chronicle_note_take_ended (RecChronicle *chronicle, const RecTake *take)
{
  json_object *line;

  if (chronicle == NULL)
    return;
  line = make_line (take->end_ns, "fileEnded", take->stream);
  rec_json_set_int (line, "ns", take->end_ns);
  rec_json_set_bool (line, "hasAudio", take->has_audio);
  rec_json_set_bool (line, "hasVideo", take->has_video);
  write_line (chronicle, line);
}

/* --- reading --------------------------------------------------------------------------------------- */

static void
take_begun (GPtrArray *takes, json_object *line)
{
  RecTake *take = g_new0 (RecTake, 1);

  take->stream = g_strdup (rec_json_string_or (line, "streamId", ""));
  take->participant = g_strdup (rec_json_string_or (line, "connectionId", ""));
  take->type_of_video = g_strdup (rec_json_string_or (line, "typeOfVideo", ""));
  take->client_data = g_strdup (rec_json_string_or (line, "clientData", ""));
  take->server_data = g_strdup (rec_json_string_or (line, "serverData", ""));
  take->start_ns = rec_json_int_or (line, "ns", 0);
  take->end_ns = -1;
  g_ptr_array_add (takes, take);
}

static void
take_ended (GPtrArray *takes, json_object *line)
{
  for (unsigned i = takes->len; i-- > 0;) {
    RecTake *take = takes->pdata[i];

    if (take->end_ns >= 0 || strcmp (take->stream, rec_json_string_or (line, "streamId", "")) != 0)
      continue;
    take->end_ns = rec_json_int_or (line, "ns", 0);
    take->has_audio = rec_json_bool_or (line, "hasAudio", false);
    take->has_video = rec_json_bool_or (line, "hasVideo", false);
    return;
  }
}

static void
read_line (RecChronicleRecord *record, const char *text, size_t size)
{
  g_autoptr (RecJson) line = rec_json_parse (text, size, MAX_LINE_BYTES, NULL);
  const char *event = line != NULL ? rec_json_string_or (line, "event", "") : "";

  if (line != NULL && record->facts == NULL)
    record->facts = json_object_get (line);
  else if (strcmp (event, "fileBegun") == 0)
    take_begun (record->takes, line);
  else if (strcmp (event, "fileEnded") == 0)
    take_ended (record->takes, line);
}

/* Each whole line of the file; false: there is no such file. */
static bool
read_lines (const char *directory, const char *id,
    void (*each) (const char *text, size_t size, void *data), void *data)
{
  g_autofree char *path = dup_path (directory, id);
  FILE *file = fopen (path, "re");
  char *text = NULL;
  size_t capacity = 0;
  ssize_t size;

  if (file == NULL)
    return false;
  while ((size = getline (&text, &capacity, file)) > 0)
    if (text[size - 1] == '\n')
      each (text, (size_t) size - 1, data);
  free (text);
  fclose (file);
  return true;
}

static void
on_record_line (const char *text, size_t size, void *data)
{
  read_line (data, text, size);
}

void
rec_chronicle_read (const char *directory, const char *id, RecChronicleRecord *record)
{
  *record = (RecChronicleRecord){ NULL, g_ptr_array_new_with_free_func (rec_take_free) };
  read_lines (directory, id, on_record_line, record);
}

void
rec_chronicle_record_clear (RecChronicleRecord *record)
{
  json_object_put (record->facts);
  g_ptr_array_unref (record->takes);
}

/* --- the file in the end --------------------------------------------------------------------------- */

typedef struct {
  FILE *file;
  unsigned n_lines;
} Publication;

/* The first line says what the recording is: it stays open, and all others are its events. */
static void
on_published_line (const char *text, size_t size, void *data)
{
  Publication *publication = data;
  const unsigned n = publication->n_lines++;

  if (n == 0)
    fprintf (publication->file, "%.*s,\n\"events\": [\n", (int) size - 1, text);
  else
    fprintf (publication->file, "%s%.*s", n > 1 ? ",\n" : "", (int) size, text);
}

static bool
fail (GError **error, const char *path)
{
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot write '%s': %s", path,
      g_strerror (errno));
  return false;
}

bool
rec_chronicle_publish (const char *directory, const char *id, const char *name, GError **error)
{
  g_autofree char *base = g_strconcat (name, ".timeline.json", NULL);
  g_autofree char *path = g_build_filename (directory, base, NULL);
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  Publication publication = { 0 };
  bool is_fine;

  publication.file = fopen (part, "we");
  if (publication.file == NULL)
    return fail (error, part);
  read_lines (directory, id, on_published_line, &publication);
  if (publication.n_lines == 0) {
    fclose (publication.file);
    unlink (part);
    return access (path, R_OK) == 0 || fail (error, path); /* there when made before a crash */
  }
  fputs ("\n]}\n", publication.file);
  is_fine = ferror (publication.file) == 0 && fflush (publication.file) == 0 &&
            fsync (fileno (publication.file)) == 0;
  is_fine &= fclose (publication.file) == 0;
  if (is_fine && rename (part, path) == 0)
    return true;
  fail (error, path);
  unlink (part);
  return false;
}

void
rec_chronicle_remove (const char *directory, const char *id)
{
  g_autofree char *path = dup_path (directory, id);

  unlink (path);
}
