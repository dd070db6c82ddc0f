/* test-rest-files.c - what is told of recordings, and which files can be fetched by whom. */
#include "base/config.h"
#include "base/main-thread.h"
#include "base/path.h"
#include "lib/api-rig.h"
#include "lib/library-leaks.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <unistd.h>

/* --- files ----------------------------------------------------------------------------------------------------------- */

static RecRecording *
add_recording (ApiRig *rig, const char *id, const char *name, RecEra era, RecRecordingStatus status)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  RecRecording *recording = rec_recording_new (id, "s", era, properties, 1700000000000);
  g_autofree char *path = NULL;

  g_free (recording->name);
  recording->name = g_strdup (name);
  recording->directory = era == REC_ERA_OLD ? g_strdup (rig->recordings)
                                            : g_build_filename (rig->recordings, id, NULL);
  recording->file_name = g_strconcat (name, ".mp4", NULL);
  recording->status = status;
  recording->size = 7;
  recording->duration_s = 12.5;
  recording->has_audio = recording->has_video = true;
  path = g_build_filename (recording->directory, recording->file_name, NULL);
  g_assert_true (rec_path_make_folder (recording->directory, 0700, NULL));
  g_assert_true (g_file_set_contents (path, "a video", -1, NULL));
  rec_registry_add_recording (rig->registry, recording);
  rec_recording_unref (recording);
  return recording;
}

static void
add_recordings (ApiRig *rig)
{
  g_autofree char *secret = g_build_filename (rig->folder, "secret.mp4", NULL);
  g_autofree char *link = g_build_filename (rig->recordings, "link.mp4", NULL);
  g_autofree char *entity = g_build_filename (rig->recordings, ".recording.old", NULL);

  add_recording (rig, "old", "first one", REC_ERA_OLD, REC_RECORDING_READY);
  add_recording (rig, "new", "later", REC_ERA_NEW, REC_RECORDING_READY);
  add_recording (rig, "running", "running", REC_ERA_NEW, REC_RECORDING_STARTED);
  add_recording (rig, "linked", "link", REC_ERA_OLD, REC_RECORDING_READY);
  g_assert_true (g_file_set_contents (secret, "nobody may read this", -1, NULL));
  g_assert_true (g_file_set_contents (entity, "{}", -1, NULL));
  g_unlink (link);
  g_assert_cmpint (symlink (secret, link), ==, 0);
}

/* clang-format off */
STEPS (files,
  { "GET", "/recordings/first%20one.mp4", NULL, 200, "a video" },
  { "GET", "/openvidu/recordings/old/first%20one.mp4", NULL, 200, "a video" },
  { "GET", "/openvidu/recordings/new/later.mp4", NULL, 200, "a video" },
  { "GET", "/recordings/new/later.mp4", NULL, 200, "a video" },
  { "HEAD", "/recordings/new/later.mp4", NULL, 200, NULL },
  { "POST", "/recordings/new/later.mp4", NULL, 405, NULL },
  { "GET", "/recordings/later.mp4", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/new/new.jpg", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/running/running.mp4", NULL, 404, NULL },
  { "GET", "/recordings/link.mp4", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/linked/link.mp4", NULL, 404, NULL },
  { "GET", "/recordings", NULL, 404, NULL },
  { "GET", "/recordings/", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/new/", NULL, 404, NULL },
  { "GET", "/recordings/.recording.old", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/old/.recording.old", NULL, 404, NULL },
  { "GET", "/recordings/../secret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/%2e%2e/secret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/..%2fsecret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/..%5csecret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/..\\secret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/%252e%252e%252fsecret.mp4", NULL, 404, NULL },
  { "GET", "/recordings/%c0%ae%c0%ae/secret.mp4", NULL, 400, NULL },
  { "GET", "/recordings/later.mp4%00.jpg", NULL, 400, NULL },
  { "GET", "/openvidu/recordings/new/../../secret.mp4", NULL, 400, NULL },
  { "GET", "/openvidu/recordings/%2e%2e/secret.mp4", NULL, 400, NULL },
  { "GET", "/openvidu/recordings/..;/secret.mp4", NULL, 404, NULL },
  { "GET", "/openvidu/recordings/new//later.mp4", NULL, 200, "a video" })

STEPS (words,
  { "GET", NEW "/recordings", NULL, 200, "\"count\":4" },
  { "GET", NEW "/recordings/new", NULL, 200, "/openvidu/recordings/new/later.mp4\"" },
  { "GET", NEW "/recordings/new", NULL, 200, "\"status\":\"ready\"" },
  { "GET", NEW "/recordings/new", NULL, 200, "\"duration\":12.5," },
  { "GET", NEW "/recordings/running", NULL, 200, "\"size\":0,\"duration\":0.0,\"url\":null" },
  { "GET", OLD "/recordings/new", NULL, 200, "\"status\":\"stopped\"" },
  { "GET", OLD "/recordings/new", NULL, 200, "\"url\":null" },
  { "GET", OLD "/recordings/new", NULL, 200, "\"recordingLayout\":\"BEST_FIT\"" },
  { "GET", "/recto/api/v1/recordings/new", NULL, 200, "\"notes\":[]" })

STEPS (public_words,
  { "GET", OLD "/recordings/old", NULL, 200, "\"status\":\"available\"" },
  { "GET", OLD "/recordings/old", NULL, 200, "/recordings/first%20one.mp4\"" },
  { "GET", OLD "/recordings/new", NULL, 200, "/recordings/new/later.mp4\"" },
  { "GET", NEW "/recordings/new", NULL, 200, "\"status\":\"ready\"" })
/* clang-format on */

static void
test_serves_recorded_files_alone (ApiRig *rig, gconstpointer data)
{
  add_recordings (rig);
  files (rig, data);
}

static void
test_speaks_the_words_of_each_era (ApiRig *rig, gconstpointer data)
{
  add_recordings (rig);
  words (rig, data);
}

static void
fetch_publicly (void *data)
{
  ApiRig *rig = data;
  g_autoptr (TestResponse)
      file = api_rig_ask_with (rig, "GET", "/recordings/first%20one.mp4", "", NULL);
  g_autoptr (TestResponse) rest = api_rig_ask_with (rig, "GET", "/api/recordings", "", NULL);

  g_assert_cmpuint (file->status, ==, 200);
  g_assert_cmpstr (file->body->str, ==, "a video");
  g_assert_cmpuint (rest->status, ==, 401);
}

static void
test_gives_public_files_to_anyone (ApiRig *rig, gconstpointer data)
{
  add_recordings (rig);
  test_run_beside_loop (fetch_publicly, rig);
  public_words (rig, data);
}

/* --- the CDR ---------------------------------------------------------------------------------------------------------- */

/* clang-format off */
STEPS (cdr_files,
  { "GET", "/openvidu/cdr", NULL, 200, "[\"CDR-1.log\",\"CDR-3.log\",\"CDR.log\"]" },
  { "GET", "/cdr", NULL, 200, "CDR.log" },
  { "GET", "/openvidu/cdr/CDR.log", NULL, 200, "{\"participantJoined\":{}}" },
  { "GET", "/cdr/CDR-1.log", NULL, 200, "{\"sessionDestroyed\":{}}" },
  { "GET", "/openvidu/cdr/none.log", NULL, 404, NULL },
  { "GET", "/openvidu/cdr/other.txt", NULL, 404, NULL },
  { "GET", "/openvidu/cdr/other.log", NULL, 404, NULL },
  { "GET", "/openvidu/cdr/CDR-x.log", NULL, 404, NULL },
  { "GET", "/openvidu/cdr/CDR-3.log", NULL, 404, NULL },
  { "GET", "/openvidu/cdr/..%2fsecret.log", NULL, 400, NULL })

STEPS (no_cdr_files,
  { "GET", "/openvidu/cdr", NULL, 200, "[]" },
  { "GET", "/openvidu/cdr/CDR.log", NULL, 404, NULL })
/* clang-format on */

static void
add_cdr_files (ApiRig *rig)
{
  static const char *const files[][2] = {
    { "cdr/CDR.log", "{\"participantJoined\":{}}\n" },
    { "cdr/CDR-1.log", "{\"sessionDestroyed\":{}}\n" },
    { "cdr/other.txt", "other" },
    { "cdr/other.log", "of another program" },
    { "cdr/CDR-x.log", "of another program" },
    { "secret.log", "nobody may read this" },
  };
  g_autofree char *folder = g_build_filename (rig->folder, "cdr", NULL);
  g_autofree char *link = g_build_filename (folder, "CDR-3.log", NULL);

  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (rig->folder, files[i][0], NULL);
    g_assert_true (g_file_set_contents (path, files[i][1], -1, NULL));
  }
  g_assert_true (rec_config_set (rig->config, "openvidu.cdr.path", folder, "test", NULL));
  g_assert_cmpint (symlink ("../secret.log", link), ==, 0);
}

static void
test_gives_cdr_files (ApiRig *rig, gconstpointer data)
{
  add_cdr_files (rig);
  no_cdr_files (rig, data);
  g_assert_true (rec_config_set (rig->config, "openvidu.cdr", "true", "test", NULL));
  cdr_files (rig, data);
}

#define ADD(name, settings, function)                                                              \
  g_test_add (name, ApiRig, settings, api_rig_set_up, function, api_rig_tear_down)

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("/rest-files/serves-recorded-files-alone", NULL, test_serves_recorded_files_alone);
  ADD ("/rest-files/speaks-the-words-of-each-era", NULL, test_speaks_the_words_of_each_era);
  ADD ("/rest-files/gives-public-files-to-anyone", "openvidu.recording.public-access=true",
      test_gives_public_files_to_anyone);
  ADD ("/rest-files/gives-cdr-files", NULL, test_gives_cdr_files);
  return g_test_run ();
}
