/* sink-rig.c - a sink plugin under test: loaded from the build, with a host that takes notes. */
#include "lib/sink-rig.h"

#include <dlfcn.h>
#include <glib/gstdio.h>
#include <string.h>

static RecSinkRig *
get_rig (const RecHost *host)
{
  return host->context;
}

static void
note_log (const RecHost *host, uint32_t level, const char *message)
{
  g_ptr_array_add (get_rig (host)->log, g_strdup_printf ("%u %s", level, message));
}

static void
note_file (const RecHost *host, const char *path, const char *media_type, const char *stream_id)
{
  g_ptr_array_add (get_rig (host)->files,
      g_strjoin (" ", path, media_type, stream_id, NULL)); /* composed: two words */
}

static void
note_progress (const RecHost *host, int64_t stored_ns)
{
  RecSinkRig *rig = get_rig (host);

  rig->n_progress++;
  rig->stored_ns = MAX (rig->stored_ns, stored_ns);
}

static void
ignore_keyframe_request (const RecHost *host, uint32_t track_id)
{
  (void) host;
  (void) track_id;
}

static const RecOption *
find_option (RecSinkRig *rig, const char *key, uint32_t type)
{
  const RecOption *const *option = rig->plugin->plugin.options;

  while (*option != NULL && strcmp ((*option)->key, key) != 0)
    option++;
  g_assert_nonnull (*option); /* else the sink asks for an option that it does not declare */
  g_assert_cmpuint ((*option)->type, ==, type);
  return *option;
}

static const char *
get_text (const RecOptions *options, const char *key, uint32_t type)
{
  RecSinkRig *rig = options->context;
  const RecOption *option = find_option (rig, key, type);
  const char *value = g_hash_table_lookup (rig->values, key);

  return value != NULL ? value : option->fallback;
}

static int64_t
get_int (const RecOptions *options, const char *key)
{
  return g_ascii_strtoll (get_text (options, key, REC_TYPE_INT), NULL, 10);
}

static bool
get_bool (const RecOptions *options, const char *key)
{
  return strcmp (get_text (options, key, REC_TYPE_BOOL), "true") == 0;
}

static const char *
get_string (const RecOptions *options, const char *key)
{
  return get_text (options, key, REC_TYPE_STRING);
}

static const RecSink *
load (const char *file)
{
  g_autofree char *path = g_canonicalize_filename (file, REC_BUILD_DIR);
  void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  const RecPlugin *(*entry) (void) = NULL;

  if (library == NULL)
    g_error ("%s", dlerror ());
  *(void **) &entry = dlsym (library, "rec_plugin_v1");
  g_assert_nonnull (entry);
  g_assert_cmpuint (entry ()->abi.kind, ==, REC_KIND_SINK);
  return (const RecSink *) entry ();
}

static void
remove_folder (const char *path)
{
  GDir *folder = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);

    g_unlink (file);
  }
  g_dir_close (folder);
  g_rmdir (path);
}

RecSinkRig *
rec_sink_rig_new (const char *file)
{
  RecSinkRig *rig = g_new0 (RecSinkRig, 1);

  rig->plugin = load (file);
  rig->directory = g_dir_make_tmp ("recto-sink-XXXXXX", NULL);
  g_assert_nonnull (rig->directory);
  rig->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  rig->files = g_ptr_array_new_with_free_func (g_free);
  rig->log = g_ptr_array_new_with_free_func (g_free);
  rig->host = (RecHost){
    .size = sizeof (RecHost),
    .context = rig,
    .log = note_log,
    .add_file = note_file,
    .progress = note_progress,
    .request_keyframe = ignore_keyframe_request,
  };
  rig->options = (RecOptions){
    .size = sizeof (RecOptions),
    .context = rig,
    .get_int = get_int,
    .get_bool = get_bool,
    .get_string = get_string,
  };
  rig->setup = (RecSinkSetup){
    .size = sizeof (RecSinkSetup),
    .mode = REC_MODE_COMPOSED,
    .host = &rig->host,
    .options = &rig->options,
    .recording_id = "ses_A",
    .directory = rig->directory,
    .name = "film",
    .has_video = 1,
    .has_audio = 1,
  };
  return rig;
}

void
rec_sink_rig_free (RecSinkRig *rig)
{
  if (rig->sink != NULL)
    rec_sink_rig_close (rig);
  remove_folder (rig->directory);
  g_free (rig->directory);
  g_hash_table_unref (rig->values);
  g_ptr_array_unref (rig->files);
  g_ptr_array_unref (rig->log);
  g_free (rig);
}

void
rec_sink_rig_set (RecSinkRig *rig, const char *option, const char *value)
{
  g_hash_table_insert (rig->values, g_strdup (option), g_strdup (value));
}

void
rec_sink_rig_open (RecSinkRig *rig)
{
  rig->sink = rig->plugin->open (&rig->setup, &rig->error);
  if (rig->sink == NULL)
    g_error ("cannot open the sink: %s", rig->error.message);
}

void
rec_sink_rig_close (RecSinkRig *rig)
{
  rig->plugin->close (rig->sink);
  rig->sink = NULL;
}

char *
rec_sink_rig_path (RecSinkRig *rig, const char *name)
{
  return g_build_filename (rig->directory, name, NULL);
}

void
rec_sink_rig_add_track (RecSinkRig *rig, const RecTrack *track)
{
  if (!rig->plugin->add_track (rig->sink, track, &rig->error))
    g_error ("cannot add track %u: %s", track->id, rig->error.message);
}

void
rec_sink_rig_finish (RecSinkRig *rig)
{
  if (!rig->plugin->finish (rig->sink, REC_FINISH_NORMAL, &rig->error))
    g_error ("cannot finish: %s", rig->error.message);
}

bool
rec_sink_rig_write (RecSinkRig *rig, const RecPacket *packet)
{
  return rig->plugin->write (rig->sink, packet, &rig->error);
}

bool
rec_sink_rig_write_all (RecSinkRig *rig, GPtrArray *packets)
{
  for (guint i = 0; i < packets->len; i++) {
    const RecRigPacket *packet = packets->pdata[i];

    if (!rec_sink_rig_write (rig, &packet->packet))
      return false;
  }
  return true;
}

void
rec_sink_rig_record (RecSinkRig *rig, RecRigMedia *media)
{
  rec_sink_rig_open (rig);
  for (unsigned i = 0; i < media->n_tracks; i++)
    rec_sink_rig_add_track (rig, &media->tracks[i]);
  if (!rec_sink_rig_write_all (rig, media->packets))
    g_error ("cannot write: %s", rig->error.message);
}

void
rec_rig_packet_free (RecRigPacket *packet)
{
  g_bytes_unref (packet->data);
  g_free (packet);
}
