/* fuzz-mp4.c - what a recorder that died left of a film, be it MP4 or WebM, given to the sink's recover. */
#include "fuzz/fuzz.h"

#include <recto/sink.h>

#include <string.h>
#include <sys/stat.h>

#define MAX_GROWTH (1 << 20) /* an index is smaller than what it describes, or small */

static unsigned n_files;

static int64_t
get_int (const RecOptions *options G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
  return 0;
}

static bool
get_bool (const RecOptions *options G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
  return false;
}

static const char *
get_string (const RecOptions *options G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
  return "";
}

static void
take_log (const RecHost *host G_GNUC_UNUSED, uint32_t level G_GNUC_UNUSED, const char *message)
{
  g_assert_nonnull (message);
}

static void
take_file (const RecHost *host G_GNUC_UNUSED, const char *path, const char *type,
    const char *stream G_GNUC_UNUSED)
{
  g_assert_true (strchr (path, '/') == NULL && *type != '\0');
  n_files++;
}

static void
take_progress (const RecHost *host G_GNUC_UNUSED, int64_t stored_ns G_GNUC_UNUSED)
{
}

static void
take_request (const RecHost *host G_GNUC_UNUSED, uint32_t track G_GNUC_UNUSED)
{
}

static const RecHost host = {
  .size = sizeof host,
  .log = take_log,
  .add_file = take_file,
  .progress = take_progress,
  .request_keyframe = take_request,
};
static const RecOptions options = {
  .size = sizeof options, .get_int = get_int, .get_bool = get_bool, .get_string = get_string
};

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  (void) fuzz_get_folder ();
  return 0;
}

static void
recover (const char *ending, const uint8_t *data, size_t size)
{
  const RecSink *sink = (const RecSink *) rec_plugin_v1 ();
  const RecSinkSetup setup = {
    .size = sizeof setup,
    .mode = REC_MODE_COMPOSED,
    .host = &host,
    .options = &options,
    .recording_id = "id",
    .directory = fuzz_get_folder (),
    .name = "film",
  };
  g_autofree char *final = g_strdup_printf ("%s/film.%s", setup.directory, ending);
  g_autofree char *part = g_strdup_printf ("%s.part", final);
  RecError error = { 0 };
  struct stat info;

  g_assert_true (g_file_set_contents_full (part, (const char *) data, (gssize) size,
      G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  n_files = 0;
  if (sink->recover (&setup, &error)) {
    g_assert_cmpuint (n_files, ==, 1);
    g_assert_cmpint (stat (final, &info), ==, 0);
    g_assert_cmpint (info.st_size, <=, (off_t) size * 4 + MAX_GROWTH);
  } else {
    g_assert_cmpstr (error.message, !=, "");
  }
  (void) remove (part);
  (void) remove (final);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size > 0)
    recover (data[0] & 1 ? "webm" : "mp4", data + 1, size - 1);
  return 0;
}
