/* test-inspection.c - the child that looks into a file: what it finds, and with whose rights. */
#include "upload/inspection.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "lib/sample.h"

#define TIMEOUT_MS 60000
#define PROGRAM REC_BUILD_DIR "/recto"

static const RecChildUser nobody = { 65534, 65534 };

typedef struct {
  char *folder, *file, *thumbnail;
} Place;

static void
set_up (Place *place, gconstpointer data G_GNUC_UNUSED)
{
  place->folder = g_dir_make_tmp ("recto-inspection-XXXXXX", NULL);
  place->file = g_build_filename (place->folder, "file", NULL);
  place->thumbnail = g_build_filename (place->folder, "thumbnail", NULL);
}

static void
tear_down (Place *place, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_true (rec_path_remove_tree (place->folder, NULL));
  g_free (place->folder);
  g_free (place->file);
  g_free (place->thumbnail);
}

/* As uploads are: nobody else may read them. */
static void
write_file (const char *path, const void *data, size_t size, int mode)
{
  g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
}

static void
write_sample (const Place *place, SampleKind kind)
{
  g_autoptr (GBytes) sample = sample_make (kind);

  write_file (place->file, g_bytes_get_data (sample, NULL), g_bytes_get_size (sample), 0600);
}

static bool
is_over (void *data G_GNUC_UNUSED)
{
  return false;
}

static bool
inspect (const Place *place, const char *program, RecInspection *inspection, GError **error)
{
  const RecInspector inspector = { program, geteuid () == 0 ? &nobody : NULL, TIMEOUT_MS };

  return rec_inspection_run (&inspector, place->file, place->thumbnail, is_over, NULL, inspection,
      error);
}

static void
test_knows_what_browsers_record (Place *place, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const extensions[N_SAMPLES] = {
    [SAMPLE_WEBM] = ".webm",
    [SAMPLE_MATROSKA] = ".mkv",
    [SAMPLE_MP4] = ".mp4",
    [SAMPLE_FRAGMENTED_MP4] = ".mp4",
  };

  for (SampleKind kind = 0; kind < N_SAMPLES; kind++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *jpeg = NULL;
    RecInspection inspection;
    gsize size;

    write_sample (place, kind);
    inspect (place, PROGRAM, &inspection, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (inspection.extension, ==, extensions[kind]);
    g_assert_true (inspection.has_audio && inspection.has_video && inspection.has_thumbnail);
    g_assert_cmpfloat_with_epsilon ((double) inspection.duration_ns / 1e9, 2.0, 0.1);
    g_assert_true (g_file_get_contents (place->thumbnail, &jpeg, &size, NULL));
    g_assert_cmpmem (jpeg, 3, "\xff\xd8\xff", 3);
  }
}

/* The program is a script that says what it was called with. */
static void
test_is_told_whom_to_become (Place *place, gconstpointer data G_GNUC_UNUSED)
{
  static const char script[] = "#!/bin/sh\necho \"{\\\"refusal\\\": \\\"<$*>\\\"}\" >&3\n";
  g_autofree char *program = g_build_filename (place->folder, "script", NULL);
  g_autoptr (GError) error = NULL;
  RecInspection inspection;

  write_file (place->file, "", 0, 0600);
  write_file (program, script, strlen (script), 0700);
  g_assert_false (inspect (place, program, &inspection, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_UNPROCESSABLE);
  g_assert_nonnull (
      strstr (error->message, geteuid () == 0 ? "<--inspect=65534:65534>" : "<--inspect=>"));
}

/* So that it waits when it writes a picture there. */
static void
fill (int fd)
{
  char bytes[4096] = { 0 };

  g_assert_true (rec_fd_set_nonblocking (fd, true, NULL));
  while (write (fd, bytes, sizeof bytes) > 0)
    continue;
  g_assert_true (rec_fd_set_nonblocking (fd, false, NULL));
}

static void
wait_until_status_has (pid_t pid, const char *line)
{
  const int64_t end_us = g_get_monotonic_time () + TIMEOUT_MS * 1000;
  g_autofree char *path = g_strdup_printf ("/proc/%ld/status", (long) pid);

  for (;;) {
    g_autofree char *text = NULL;
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    if (strstr (text, line) != NULL)
      return;
    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
    g_usleep (10000);
  }
}

static void
test_gives_up_the_rights_of_root (Place *place, gconstpointer data G_GNUC_UNUSED)
{
  const char *const argv[] = { PROGRAM, "--inspect=65534:65534", NULL };
  g_autoptr (GError) error = NULL;
  int result[2], picture[2], status = 0;
  char text[4096] = "";

  if (geteuid () != 0) {
    g_test_skip ("only root can become somebody else");
    return;
  }
  write_sample (place, SAMPLE_MP4);
  rec_autofd int file = open (place->file, O_RDONLY | O_CLOEXEC);
  g_assert_true (rec_fd_pipe (result, &error) && rec_fd_pipe (picture, &error));
  fill (picture[1]);
  const RecChildFd fds[] = { { result[1], 3 }, { file, 4 }, { picture[1], 5 } };
  const RecChildSetup setup = { .argv = argv, .fds = fds, .n_fds = G_N_ELEMENTS (fds) };
  g_autoptr (RecChild) child = rec_child_new (&setup, &error);
  g_assert_no_error (error);
  rec_fd_close (&result[1]);
  rec_fd_close (&picture[1]);
  wait_until_status_has (rec_child_get_pid (child), "\nUid:\t65534\t65534\t65534\t65534\n");
  wait_until_status_has (rec_child_get_pid (child), "\nGid:\t65534\t65534\t65534\t65534\n");
  wait_until_status_has (rec_child_get_pid (child), "\nGroups:\t65534 \n");
  /* It still reads what it may not open. */
  while (read (picture[0], text, sizeof text) > 0)
    continue;
  g_assert_cmpint (read (result[0], text, sizeof text - 1), >, 0);
  g_assert_nonnull (strstr (text, "\"hasVideo\":true"));
  g_assert_true (rec_child_reap (child, TIMEOUT_MS, &status));
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  rec_fd_close (&result[0]);
  rec_fd_close (&picture[0]);
}

#define ADD(name, function) g_test_add (name, Place, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("/inspection/knows-what-browsers-record", test_knows_what_browsers_record);
  ADD ("/inspection/is-told-whom-to-become", test_is_told_whom_to_become);
  ADD ("/inspection/gives-up-the-rights-of-root", test_gives_up_the_rights_of_root);
  return g_test_run ();
}
