/* test-zip.c - ZIPs as other people's programs read them, and what remains of those that were not finished. */
#include "base/error.h"
#include "worker/zip.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIB (INT64_C (1) << 30)

typedef struct {
  char *folder, *zip;
  GPtrArray *entries;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->folder = g_dir_make_tmp ("zip-XXXXXX", NULL);
  fixture->zip = g_build_filename (fixture->folder, "film.zip", NULL);
  fixture->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) rec_zip_entry_free);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  const char *name;

  (void) data;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_rmdir (fixture->folder);
  g_ptr_array_unref (fixture->entries);
  g_free (fixture->zip);
  g_free (fixture->folder);
}

/* Returns what was written. */
static char *
add (Fixture *fixture, const char *name, size_t size, uint32_t seed)
{
  g_autofree char *file = g_strdup_printf ("source-%u", fixture->entries->len);
  g_autofree char *path = g_build_filename (fixture->folder, file, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  char *content = g_malloc (size + 1);

  for (size_t i = 0; i < size; i++)
    content[i] = (char) g_rand_int (random);
  g_assert_true (g_file_set_contents (path, content, (gssize) size, NULL));
  g_ptr_array_add (fixture->entries, rec_zip_entry_new (path, name));
  return content;
}

static void
add_hole (Fixture *fixture, const char *name, int64_t size)
{
  g_autofree char *path = g_build_filename (fixture->folder, "hole", NULL);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_cmpint (truncate (path, size), ==, 0);
  g_ptr_array_add (fixture->entries, rec_zip_entry_new (path, name));
}

static void
pack (Fixture *fixture, const RecZipRecipe *recipe)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (rec_zip_write (fixture->zip, fixture->entries, recipe, &error));
  g_assert_no_error (error);
}

/* What unzip says. */
static char *
unzip (Fixture *fixture, const char *option)
{
  char *arguments[] = { (char *) "unzip", (char *) option, fixture->zip, NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *complaints = NULL;
  char *said = NULL;
  int status = -1;

  g_assert_true (g_spawn_sync (NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said,
      &complaints, &status, &error));
  if (status != 0)
    g_test_message ("unzip %s: %s", option, complaints);
  g_assert_cmpint (status, ==, 0);
  return said;
}

static void
assert_content (Fixture *fixture, const char *name, const char *content, size_t size)
{
  g_autofree char *folder = g_build_filename (fixture->folder, "out", NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *arguments[] = { (char *) "unzip", (char *) "-oq", fixture->zip, (char *) name,
    (char *) "-d", folder, NULL };
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "LC_ALL", "C.UTF-8", TRUE);
  g_autoptr (GError) error = NULL;
  g_autofree char *found = NULL;
  int status = -1;
  gsize length;

  g_assert_true (g_spawn_sync (NULL, arguments, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
      NULL, &status, &error));
  g_assert_cmpint (status, ==, 0);
  g_assert_true (g_file_get_contents (path, &found, &length, &error));
  g_assert_cmpmem (found, length, content, size);
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
assert_no_part (Fixture *fixture)
{
  g_autofree char *part = g_strconcat (fixture->zip, ".part", NULL);

  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
}

static bool
has_zip64_end (Fixture *fixture)
{
  g_autofree char *content = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (fixture->zip, &content, &size, NULL));
  for (gsize i = 0; i + 4 <= size; i++)
    if (memcmp (content + i, "PK\6\6", 4) == 0)
      return true;
  return false;
}

/* A reader must know that the bytes of the first name that begins like this are UTF-8. */
static void
assert_says_utf8 (Fixture *fixture, const char *beginning)
{
  g_autofree char *content = NULL;
  gsize size, at = 30; /* of a file's head, in front of its name */

  g_assert_true (g_file_get_contents (fixture->zip, &content, &size, NULL));
  while (at < size - strlen (beginning) &&
         memcmp (content + at, beginning, strlen (beginning)) != 0)
    at++;
  g_assert_cmpmem (content + at - 30, 4, "PK\3\4", 4);
  g_assert_cmpint (content[at - 30 + 7] & 0x08, ==, 0x08);
}

/* --- what is in it --------------------------------------------------------------------------------- */

static void
test_contents (Fixture *fixture, gconstpointer data)
{
  g_autofree char *metadata = add (fixture, "film.json", 1000, 1);
  g_autofree char *big = add (fixture, "str_CAM_1.webm", 1000003, 2);
  g_autofree char *nothing = add (fixture, "str_CAM_2.webm", 0, 3);
  g_autofree char *umlauts = add (fixture,
      "Gr\xc3\xbc\xc3\x9f"
      "e \xe2\x82\xac.json",
      17, 4);
  g_autofree char *test = NULL;
  struct stat info;

  pack (fixture, data);
  assert_no_part (fixture);
  test = unzip (fixture, "-tq");
  assert_content (fixture, "film.json", metadata, 1000);
  assert_content (fixture, "str_CAM_1.webm", big, 1000003);
  assert_content (fixture, "str_CAM_2.webm", nothing, 0);
  assert_content (fixture,
      "Gr\xc3\xbc\xc3\x9f"
      "e \xe2\x82\xac.json",
      umlauts, 17);
  assert_says_utf8 (fixture, "Gr\xc3\xbc");
  g_assert_cmpint (stat (fixture->zip, &info), ==, 0);
  g_assert_cmpint (info.st_size, <, 1000003 + 3000);
  g_assert_cmpint (has_zip64_end (fixture), ==, ((const RecZipRecipe *) data)->is_zip64);
}

static void
test_beyond_4_gib (Fixture *fixture, gconstpointer data)
{
  const RecZipRecipe recipe = { .deflates = true };
  const int64_t size = 4 * GIB + 12345;
  g_autofree char *expected = g_strdup_printf ("%" G_GINT64_FORMAT, size);
  g_autofree char *behind = NULL, *list = NULL;

  (void) data;
  add_hole (fixture, "hole.webm", size);
  behind = add (fixture, "behind.webm", 70000, 5);
  pack (fixture, &recipe);
  list = unzip (fixture, "-l");
  g_assert_nonnull (strstr (list, expected));
  assert_content (fixture, "behind.webm", behind, 70000);
}

/* --- what is not finished -------------------------------------------------------------------------- */

static void
assert_not_packed (Fixture *fixture, const RecZipRecipe *recipe, int code, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (rec_zip_write (fixture->zip, fixture->entries, recipe, &error));
  g_assert_error (error, REC_ERROR, code);
  g_assert_nonnull (strstr (error->message, why));
  g_assert_false (g_file_test (fixture->zip, G_FILE_TEST_EXISTS));
  assert_no_part (fixture);
}

static void
test_full_disk (Fixture *fixture, gconstpointer data)
{
  const RecZipRecipe recipe = { 0 };
  g_autofree char *content = add (fixture, "big.webm", 1000000, 1);
  struct rlimit before, small;

  (void) data;
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = before;
  small.rlim_cur = 500000;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  assert_not_packed (fixture, &recipe, REC_ERROR_FAILED, "File too large");
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  pack (fixture, &recipe);
}

static void
test_no_room (Fixture *fixture, gconstpointer data)
{
  const RecZipRecipe recipe = { .spare_bytes = INT64_MAX / 2 };
  g_autofree char *content = add (fixture, "a.webm", 1000, 1);

  (void) data;
  assert_not_packed (fixture, &recipe, REC_ERROR_UNAVAILABLE, "left free");
}

static void
test_takes_too_long (Fixture *fixture, gconstpointer data)
{
  const RecZipRecipe recipe = { .timeout_ms = 1, .deflates = true };

  (void) data;
  add_hole (fixture, "hole.webm", GIB);
  assert_not_packed (fixture, &recipe, REC_ERROR_TIMEOUT, "was not written within");
}

static void
test_missing_file (Fixture *fixture, gconstpointer data)
{
  const RecZipRecipe recipe = { 0 };
  g_autofree char *content = add (fixture, "a.webm", 1000, 1);

  (void) data;
  g_ptr_array_add (fixture->entries, rec_zip_entry_new ("nowhere/b.webm", "b.webm"));
  assert_not_packed (fixture, &recipe, REC_ERROR_FAILED, "nowhere/b.webm");
}

static void
kill_ourselves (int64_t n_bytes, void *data)
{
  (void) data;
  if (n_bytes > 2 * 1024 * 1024)
    kill (getpid (), SIGKILL);
}

static void
test_killed (Fixture *fixture, gconstpointer data)
{
  const RecZipRecipe deadly = { .progress = kill_ourselves }, recipe = { 0 };
  g_autofree char *part = g_strconcat (fixture->zip, ".part", NULL);
  g_autofree char *content = add (fixture, "a.webm", 4 * 1024 * 1024, 1);
  int status = 0;
  pid_t child = fork ();

  (void) data;
  if (child == 0) {
    rec_zip_write (fixture->zip, fixture->entries, &deadly, NULL);
    _exit (0);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  g_assert_true (g_file_test (part, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (fixture->zip, G_FILE_TEST_EXISTS));
  pack (fixture, &recipe);
  assert_no_part (fixture);
  assert_content (fixture, "a.webm", content, 4 * 1024 * 1024);
}

int
main (int argc, char **argv)
{
  static const RecZipRecipe stored = { 0 }, deflated = { .deflates = true },
                            zip64 = { .is_zip64 = true };

  g_test_init (&argc, &argv, NULL);
  signal (SIGXFSZ, SIG_IGN);
#define TEST(path, data, call) g_test_add (path, Fixture, data, set_up, call, tear_down)
  TEST ("/zip/is-read-by-others", &stored, test_contents);
  TEST ("/zip/deflated-is-read-by-others", &deflated, test_contents);
  TEST ("/zip/zip64-is-read-by-others", &zip64, test_contents);
  TEST ("/zip/holds-files-beyond-4-gib", NULL, test_beyond_4_gib);
  TEST ("/zip/a-full-disk-leaves-nothing", NULL, test_full_disk);
  TEST ("/zip/leaves-room-on-the-disk", NULL, test_no_room);
  TEST ("/zip/ends-when-it-takes-too-long", NULL, test_takes_too_long);
  TEST ("/zip/a-missing-file-leaves-nothing", NULL, test_missing_file);
  TEST ("/zip/begins-anew-after-a-kill", NULL, test_killed);
  return g_test_run ();
}
