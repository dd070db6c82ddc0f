/* test-abi.c - plugins built with the headers of earlier versions still load and work. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lib/sink-rig.h"
#include "plugin/loader.h"

static char *folder;

static char *
run (const char *const *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *complaints = NULL;
  char *output = NULL;
  int status;

  g_spawn_sync (folder, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
      &complaints, &status, &error);
  g_assert_no_error (error);
  if (status != 0)
    g_error ("%s: %s", arguments[0], complaints);
  return output;
}

/* Builds a plugin of that version with its own headers. */
static char *
build_plugin (const char *version, const char *id)
{
  g_autofree char *includes = g_strdup_printf ("-I%s/tests/abi/%s", REC_SOURCE_DIR, version);
  g_autofree char *source = g_strdup_printf ("%s/tests/abi/%s/%s.c", REC_SOURCE_DIR, version, id);
  char *file = g_strdup_printf ("%s/%s-%s.so", folder, id, version);
  const char *const arguments[] = { "cc", "-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden",
    "-Wl,-z,defs", includes, "-o", file, source, NULL };

  g_free (run (arguments));
  return file;
}

static int64_t
get_gap (const RecOptions *options, const char *key)
{
  (void) options;
  g_assert_cmpstr (key, ==, "gap");
  return 10;
}

static void
test_layout (gconstpointer version)
{
  g_autofree char *file = build_plugin (version, "row");
  g_autoptr (GError) error = NULL;
  g_autoptr (RecLoadedPlugin) plugin = rec_loader_load (file, &error);
  const RecOptions options = { .size = sizeof options, .get_int = get_gap };
  const RecStream seen = { .size = sizeof seen,
    .flags = REC_STREAM_VIDEO | REC_STREAM_HAS_PICTURE };
  const RecStream heard = { .size = sizeof heard, .flags = REC_STREAM_AUDIO };
  const RecStream *const streams[] = { &seen, &heard, &seen };
  const RecScene scene = { .size = sizeof scene,
    .width = 330,
    .height = 100,
    .n_streams = 3,
    .options = &options,
    .streams = streams };
  RecTile tiles[3] = { 0 };

  g_assert_no_error (error);
  g_assert_cmpint (plugin->kind, ==, REC_PLUGIN_ARRANGING_LAYOUT);
  plugin->arranging.arrange (&scene, tiles);
  g_assert_cmpfloat (tiles[0].rect.x, ==, 10);
  g_assert_cmpfloat (tiles[0].rect.width, ==, 150);
  g_assert_cmpfloat (tiles[1].rect.width, ==, 0);
  g_assert_cmpfloat (tiles[2].rect.x, ==, 170);
  g_assert_cmpfloat (tiles[2].rect.height, ==, 80);
}

static void
test_sink (gconstpointer version)
{
  g_autofree char *file = build_plugin (version, "count");
  g_autoptr (GError) error = NULL;
  g_autoptr (RecLoadedPlugin) plugin = rec_loader_load (file, &error);
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (file);
  g_autoptr (RecRigMedia) media = rec_rig_media_new_synthetic (G_GINT64_CONSTANT (1000000000));
  g_autofree char *path = rec_sink_rig_path (rig, "film.count.txt");
  g_autofree char *text = NULL;
  RecNeeds needs = { .size = sizeof needs };

  g_assert_no_error (error);
  g_assert_cmpint (plugin->kind, ==, REC_PLUGIN_SINK);
  g_assert_true (plugin->sink.needs (&rig->setup, &needs, &rig->error));
  g_assert_cmpuint (needs.video_formats & REC_FORMAT_H264_AVC, !=, 0);
  rec_sink_rig_record (rig, media);
  rec_sink_rig_finish (rig);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==,
      "video: 25 packets, 1 keyframes, 415 bytes\n"
      "audio: 47 packets, 47 keyframes, 789 bytes\n"
      "complete\n");
}

static char *
print_offsets (const char *name, const char *includes)
{
  g_autofree char *program = g_build_filename (folder, name, NULL);
  const char *const build[] = { "cc", "-std=c11", includes, "-o", program,
    REC_SOURCE_DIR "/tests/abi/offsets.c", NULL };
  const char *const execute[] = { program, NULL };

  g_free (run (build));
  return run (execute);
}

static void
test_keeps_places (gconstpointer version)
{
  g_autofree char *includes =
      g_strdup_printf ("-I%s/tests/abi/%s", REC_SOURCE_DIR, (char *) version);
  g_autofree char *then = print_offsets ("then", includes);
  g_autofree char *now = print_offsets ("now", "-I" REC_SOURCE_DIR "/include");

  g_auto (GStrv) lines = g_strsplit (then, "\n", -1), all = g_strsplit (now, "\n", -1);

  g_assert_nonnull (strstr (then, "RecTile.rect 0 16\n"));
  for (char **line = lines; *line != NULL; line++)
    g_assert_true (g_strv_contains ((const char *const *) all, *line));
}

/* What a stream consists of is told with its first track. */
static void
test_stream_formats (gconstpointer version)
{
  g_autofree char *file = build_plugin (version, "formats");
  g_autoptr (GError) error = NULL;
  g_autoptr (RecLoadedPlugin) plugin = rec_loader_load (file, &error);
  g_autoptr (RecSinkRig) rig = rec_sink_rig_new (file);
  RecTrack track = {
    .size = sizeof track, .id = 3, .stream_formats = REC_FORMAT_OPUS | REC_FORMAT_H264_ANNEXB
  };

  g_assert_no_error (error);
  rec_sink_rig_open (rig);
  rec_sink_rig_add_track (rig, &track);
  track.size = offsetof (RecTrack, stream_formats); /* of a server of 1.0 */
  rec_sink_rig_add_track (rig, &track);
  rec_sink_rig_finish (rig);
  g_assert_cmpuint (rig->log->len, ==, 2);
  g_assert_nonnull (strstr (rig->log->pdata[0], "track 3 of formats 0x20002"));
  g_assert_nonnull (strstr (rig->log->pdata[1], "track 3 of formats 0"));
}

static void
remove_folder (void)
{
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (files)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("recto-abi-XXXXXX", NULL);
  g_assert_nonnull (folder);
  g_test_add_data_func ("/abi/1.0/layout-works", "1.0", test_layout);
  g_test_add_data_func ("/abi/1.0/sink-works", "1.0", test_sink);
  g_test_add_data_func ("/abi/1.0/fields-keep-their-places", "1.0", test_keeps_places);
  g_test_add_data_func ("/abi/1.1/stream-formats-are-told", "1.1", test_stream_formats);
  g_test_add_data_func ("/abi/1.1/fields-keep-their-places", "1.1", test_keeps_places);
  result = g_test_run ();
  remove_folder ();
  return result;
}
