/* test-uploads-folder.c - the folder of the uploads: what a kill leaves in it, and what is removed from it. */
#include "base/config.h"
#include "base/error.h"
#include "base/main-thread.h"
#include "base/path.h"
#include "upload/uploads.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  char *folder;
  RecConfig *config;
  RecUploads *uploads;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("recto-uploads-XXXXXX", NULL);
  fixture->config = rec_config_new ();
  rec_config_set (fixture->config, "uploads.path", fixture->folder, "the test", &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_uploads_free (fixture->uploads);
  rec_config_free (fixture->config);
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
}

static void
resume (void *data G_GNUC_UNUSED)
{
  g_assert_not_reached ();
}

static void
start (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->uploads = rec_uploads_new (fixture->config, REC_BUILD_DIR "/recto", resume, &error);
  g_assert_no_error (error);
}

static void
write_text (const Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static bool
has (const Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* What a kill leaves at each moment: before the entity, and between the entity and the file's final name. */
static void
test_tidies_up_after_a_kill (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  write_text (fixture, "upload_A.part", "half");
  write_text (fixture, "upload_B.part", "whole");
  write_text (fixture, "upload_B.json",
      "{\"id\":\"upload_B\",\"file\":\"upload_B.webm\",\"size\":5,\"createdAt\":1}");
  write_text (fixture, "upload_C.json", "{\"id\":\"upload_C\",\"file\":\"../x\"}");
  write_text (fixture, "upload_D.json", "{\"id\":\"upload_D\",\"file\":\"upload_D.webm\"}");
  /* C and D are told of, and left alone. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  start (fixture);
  g_assert_cmpuint (rec_uploads_get_all (fixture->uploads)->len, ==, 1);
  g_assert_nonnull (rec_uploads_find (fixture->uploads, "upload_B"));
  g_assert_true (has (fixture, "upload_B.webm"));
  g_assert_false (has (fixture, "upload_A.part"));
}

static void
test_removes_all_files (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  write_text (fixture, "upload_A.webm", "film");
  write_text (fixture, "upload_A.jpg", "picture");
  write_text (fixture, "upload_A.json",
      "{\"id\":\"upload_A\",\"file\":\"upload_A.webm\",\"thumbnail\":\"upload_A.jpg\"}");
  start (fixture);
  g_assert_true (rec_uploads_remove (fixture->uploads, "upload_A", &error));
  g_assert_no_error (error);
  g_assert_null (rec_uploads_find (fixture->uploads, "upload_A"));
  g_assert_false (has (fixture, "upload_A.webm") || has (fixture, "upload_A.jpg") ||
                  has (fixture, "upload_A.json"));
  g_assert_false (rec_uploads_remove (fixture->uploads, "upload_A", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
}

/* A folder cannot be unlinked, not even by root. */
static void
test_keeps_what_resists (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *odd = g_build_filename (fixture->folder, "upload_A.webm", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (odd, 0700), ==, 0);
  write_text (fixture, "upload_A.json", "{\"id\":\"upload_A\",\"file\":\"upload_A.webm\"}");
  start (fixture);
  g_assert_false (rec_uploads_remove (fixture->uploads, "upload_A", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "upload_A.webm"));
  g_assert_nonnull (rec_uploads_find (fixture->uploads, "upload_A"));
  g_assert_true (has (fixture, "upload_A.json"));
  g_clear_error (&error);
  g_assert_cmpint (g_rmdir (odd), ==, 0);
  g_assert_true (rec_uploads_remove (fixture->uploads, "upload_A", &error));
  g_assert_no_error (error);
  g_assert_false (has (fixture, "upload_A.json"));
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  g_test_init (&argc, &argv, NULL);
  ADD ("/uploads-folder/tidies-up-after-a-kill", test_tidies_up_after_a_kill);
  ADD ("/uploads-folder/removes-all-files", test_removes_all_files);
  ADD ("/uploads-folder/keeps-what-resists", test_keeps_what_resists);
  return g_test_run ();
}
