/* test-path.c - names from outside stay in their folder. */
#include "base/path.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

typedef struct Folder {
  char *top;     /* holds root and outside */
  char *root;    /* real path */
  char *outside; /* beside root, with a file "secret" */
} Folder;

static void
put (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
make_link (const Folder *folder, const char *target, const char *name)
{
  g_autofree char *path = g_build_filename (folder->root, name, NULL);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
set_up (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autofree char *made = g_dir_make_tmp ("recto-path-XXXXXX", NULL);
  char *real = realpath (made, NULL);
  folder->top = g_strdup (real);
  free (real);
  folder->root = g_build_filename (folder->top, "root", NULL);
  folder->outside = g_build_filename (folder->top, "outside", NULL);
  g_autofree char *below = g_build_filename (folder->root, "a", "b", NULL);
  g_assert_cmpint (g_mkdir_with_parents (below, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (folder->outside, 0700), ==, 0);
  put (below, "index.html", "inside");
  put (folder->outside, "secret", "outside");
}

static void
tear_down (Folder *folder, gconstpointer data)
{
  (void) data;
  g_assert_true (rec_path_remove_tree (folder->top, NULL));
  g_assert_false (g_file_test (folder->top, G_FILE_TEST_EXISTS));
  g_free (folder->top);
  g_free (folder->root);
  g_free (folder->outside);
}

static const char *const hostile[] = {
  "", ".", "..", "/", "/etc/passwd", "../outside/secret", "a/../../outside/secret", "a/..", "a/./b",
  "a//b", "a/", "a/b/", ".hidden", "a/.hidden", "a\\b", "..\\outside", "a/b\n", "a\tb", "a\x7f",
  "\x01", "a\xff\xfe", "\xc0\xae\xc0\xae/secret", /* an over-long ".." */
};

static char *
make_long (size_t length, char filler)
{
  char *text = g_malloc (length + 1);

  memset (text, filler, length);
  text[length] = '\0';
  return text;
}

static void
test_hostile_names_are_refused (Folder *folder, gconstpointer data)
{
  (void) data;
  for (size_t i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GError) open_error = NULL;
    g_autofree char *joined = rec_path_join_contained (folder->root, hostile[i], &error);

    g_assert_null (joined);
    g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_cmpint (rec_path_open_contained (folder->root, hostile[i], O_RDONLY, 0, &open_error),
        ==, -1);
    g_assert_error (open_error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
    g_assert_false (rec_path_is_safe_relative (hostile[i]));
    g_assert_false (rec_path_is_safe_name (hostile[i]));
  }
}

static void
test_lengths_are_bounded (void)
{
  g_autofree char *longest = make_long (200, 'x');
  g_autofree char *longer = make_long (201, 'x');
  g_autofree char *slashes = make_long (100000, '/');

  g_assert_true (rec_path_is_safe_name (longest));
  g_assert_false (rec_path_is_safe_name (longer));
  g_assert_true (rec_path_is_safe_relative (longest));
  g_assert_false (rec_path_is_safe_relative (longer));
  g_assert_false (rec_path_is_safe_relative (slashes));

  g_autoptr (GString) deep = g_string_new ("x");
  while (deep->len < 1023)
    g_string_append (deep, "/x");
  g_assert_true (rec_path_is_safe_relative (deep->str));
  g_string_append (deep, "/x");
  g_assert_false (rec_path_is_safe_relative (deep->str));
}

static void
test_ordinary_names_are_fine (void)
{
  static const char *const names[] = { "a", "ses_1~2", "name.mp4", "a b", "größe", "a..b", "日本" };

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_assert_true (rec_path_is_safe_name (names[i]));
    g_assert_true (rec_path_is_safe_relative (names[i]));
  }
  g_assert_true (rec_path_is_safe_relative ("a/b/index.html"));
  g_assert_false (rec_path_is_safe_name ("a/b"));
}

static void
test_joins_inside (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_build_filename (folder->root, "a/b/index.html", NULL);
  g_autofree char *joined = rec_path_join_contained (folder->root, "a/b/index.html", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_joins_what_is_not_there_yet (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_build_filename (folder->root, "a/new/file", NULL);
  g_autofree char *joined = rec_path_join_contained (folder->root, "a/new/file", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_root_may_be_a_link (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autofree char *link = g_build_filename (folder->top, "link", NULL);
  g_assert_cmpint (symlink (folder->root, link), ==, 0);
  g_autofree char *expected = g_build_filename (folder->root, "a", NULL);
  g_autofree char *joined = rec_path_join_contained (link, "a", NULL);

  g_assert_cmpstr (joined, ==, expected);
}

static void
test_missing_root_is_not_found (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *root = g_build_filename (folder->top, "nowhere", NULL);

  g_assert_null (rec_path_join_contained (root, "a", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_cmpint (rec_path_open_contained (root, "a", O_RDONLY, 0, &error), ==, -1);
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
}

static void
assert_leads_out (const Folder *folder, const char *relative)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) open_error = NULL;

  g_assert_null (rec_path_join_contained (folder->root, relative, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (rec_path_open_contained (folder->root, relative, O_RDONLY, 0, &open_error), ==,
      -1);
  g_assert_error (open_error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
}

static void
test_links_that_lead_out_are_refused (Folder *folder, gconstpointer data)
{
  (void) data;
  make_link (folder, folder->outside, "absolute");
  make_link (folder, "../outside", "relative");
  make_link (folder, "../outside/secret", "file");
  make_link (folder, "relative", "chain");
  make_link (folder, "loop", "loop");

  assert_leads_out (folder, "absolute/secret");
  assert_leads_out (folder, "absolute/not-there");
  assert_leads_out (folder, "relative/secret");
  assert_leads_out (folder, "chain/secret");
  assert_leads_out (folder, "file");
  assert_leads_out (folder, "loop");
}

static void
test_link_to_nowhere_is_no_way_to_write_outside (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  make_link (folder, "../outside/new", "dangling");

  g_assert_null (rec_path_join_contained (folder->root, "dangling", &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_cmpint (
      rec_path_open_contained (folder->root, "dangling", O_WRONLY | O_CREAT, 0600, &error), ==, -1);
  g_autofree char *target = g_build_filename (folder->outside, "new", NULL);
  g_assert_false (g_file_test (target, G_FILE_TEST_EXISTS));
}

static void
test_a_neighbour_with_the_same_beginning_is_outside (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autofree char *neighbour = g_strconcat (folder->root, "-other", NULL);
  g_assert_cmpint (g_mkdir (neighbour, 0700), ==, 0);
  put (neighbour, "file", "x");
  make_link (folder, "../root-other", "neighbour");

  assert_leads_out (folder, "neighbour/file");
}

static void
test_links_inside_are_followed (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autofree char *expected = g_build_filename (folder->root, "a/b/index.html", NULL);
  make_link (folder, "a/b", "short");
  g_autofree char *joined = rec_path_join_contained (folder->root, "short/index.html", NULL);
  rec_autofd int fd = rec_path_open_contained (folder->root, "short/index.html", O_RDONLY, 0, NULL);

  g_assert_cmpstr (joined, ==, expected);
  g_assert_cmpint (fd, >=, 0);
}

static void
test_open_reads_and_creates (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  char buffer[16] = "";
  rec_autofd int fd = rec_path_open_contained (folder->root, "a/b/index.html", O_RDONLY, 0, &error);

  g_assert_no_error (error);
  g_assert_true ((fcntl (fd, F_GETFD) & FD_CLOEXEC) != 0);
  g_assert_cmpint (read (fd, buffer, sizeof buffer), ==, 6);
  g_assert_cmpstr (buffer, ==, "inside");

  rec_autofd int made =
      rec_path_open_contained (folder->root, "a/made", O_WRONLY | O_CREAT | O_EXCL, 0600, &error);
  struct stat info;
  g_assert_no_error (error);
  g_assert_cmpint (fstat (made, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);

  g_assert_cmpint (rec_path_open_contained (folder->root, "a/none", O_RDONLY, 0, &error), ==, -1);
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
}

static void
test_written_file_replaces_whole (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder->root, "entity", NULL);
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  g_autofree char *text = NULL;
  struct stat info;

  g_assert_true (rec_path_write_file (path, "a long first version", 20, 0600, &error));
  g_assert_no_error (error);
  g_assert_true (rec_path_write_file (path, "second", 6, 0600, &error));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "second");
  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
}

static void
test_unwritable_file_keeps_the_old_one (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder->root, "entity", NULL);
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  g_autofree char *text = NULL;

  put (folder->root, "entity", "old");
  g_assert_cmpint (symlink ("/dev/full", part), ==, 0); /* a link in our way is not followed */
  g_assert_false (rec_path_write_file (path, "new", 3, 0600, &error));
  g_assert_nonnull (strstr (error->message, "entity.part"));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "old");
}

static void
test_make_folder_makes_parents (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder->root, "x", "y", NULL);
  g_autofree char *below_file = g_build_filename (folder->root, "a/b/index.html/z", NULL);

  g_assert_true (rec_path_make_folder (path, 0750, &error));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  g_assert_true (rec_path_make_folder (path, 0750, &error));
  g_assert_false (rec_path_make_folder (below_file, 0750, &error));
  g_assert_nonnull (strstr (error->message, "index.html/z"));
}

static void
test_remove_tree_stops_at_links (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *secret = g_build_filename (folder->outside, "secret", NULL);

  make_link (folder, "../outside", "out");
  g_assert_true (rec_path_remove_tree (folder->root, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (folder->root, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (secret, G_FILE_TEST_EXISTS));
  g_assert_true (rec_path_remove_tree (folder->root, &error));
}

static void
test_remove_tree_asks_whose_it_is (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *secret = g_build_filename (folder->outside, "secret", NULL);
  g_autofree char *link = g_build_filename (folder->root, "out", NULL);
  const uid_t others[] = { getuid () + 1, getuid () + 2 }, ours[] = { getuid () + 1, getuid () };

  g_assert_false (rec_path_remove_tree_of (folder->root, others, 2, &error));
  g_assert_nonnull (strstr (error->message, folder->root));
  g_clear_error (&error);
  make_link (folder, "../outside", "out");
  g_assert_false (rec_path_remove_tree_of (link, ours, 2, NULL));
  g_assert_true (g_file_test (secret, G_FILE_TEST_EXISTS));
  g_assert_true (rec_path_remove_tree_of (folder->root, ours, 2, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (folder->root, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (secret, G_FILE_TEST_EXISTS));
  g_assert_true (rec_path_remove_tree_of (folder->root, ours, 2, &error)); /* is gone */
}

static void
test_remove_tree_gives_up_in_the_depth (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  rec_autofd int fd = open (folder->root, O_RDONLY | O_DIRECTORY);

  for (int i = 0; i < 600; i++) {
    g_assert_cmpint (mkdirat (fd, "d", 0700), ==, 0);
    const int next = openat (fd, "d", O_RDONLY | O_DIRECTORY);
    rec_fd_close (&fd);
    fd = next;
  }
  g_assert_false (rec_path_remove_tree (folder->root, &error));
  g_assert_nonnull (error);
  /* Half of it is out of reach for the next attempt, which starts there. */
  g_autofree char *half = g_strdup (folder->root);
  for (int i = 0; i < 300; i++) {
    char *longer = g_strconcat (half, "/d", NULL);
    g_free (half);
    half = longer;
  }
  g_assert_true (rec_path_remove_tree (half, NULL));
  g_assert_true (rec_path_remove_tree (folder->root, NULL));
}

static bool
is_open (const char *path)
{
  g_autofree char *removed = g_strconcat (path, " (deleted)", NULL);
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  bool is_found = false;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *entry = g_build_filename ("/proc/self/fd", name, NULL);
    g_autofree char *target = g_file_read_link (entry, NULL);

    is_found |= g_strcmp0 (target, removed) == 0;
  }
  return is_found;
}

static void
test_unlinks_and_lets_go (Folder *folder, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = g_build_filename (folder->root, "film.mp4", NULL);
  g_autofree char *link = g_build_filename (folder->root, "link", NULL);
  g_autofree char *secret = g_build_filename (folder->outside, "secret", NULL);

  put (folder->root, "film.mp4", "pictures");
  g_assert_cmpint (symlink (secret, link), ==, 0);
  g_assert_cmpint (rec_path_unlink (path), ==, 0);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (rec_path_unlink (link), ==, 0);
  g_assert_true (g_file_test (secret, G_FILE_TEST_EXISTS));
  g_assert_cmpint (rec_path_unlink (path), ==, -1);
  g_assert_cmpint (errno, ==, ENOENT);
  for (unsigned i = 0; i < 1000 && is_open (path); i++)
    g_usleep (10000);
  g_assert_false (is_open (path));
}

#define ADD(name, test) g_test_add (name, Folder, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/path/hostile-names-are-refused", test_hostile_names_are_refused);
  g_test_add_func ("/path/lengths-are-bounded", test_lengths_are_bounded);
  g_test_add_func ("/path/ordinary-names-are-fine", test_ordinary_names_are_fine);
  ADD ("/path/joins-inside", test_joins_inside);
  ADD ("/path/unlinks-and-lets-go", test_unlinks_and_lets_go);
  ADD ("/path/joins-what-is-not-there-yet", test_joins_what_is_not_there_yet);
  ADD ("/path/root-may-be-a-link", test_root_may_be_a_link);
  ADD ("/path/missing-root-is-not-found", test_missing_root_is_not_found);
  ADD ("/path/links-that-lead-out-are-refused", test_links_that_lead_out_are_refused);
  ADD ("/path/link-to-nowhere-is-no-way-to-write-outside",
      test_link_to_nowhere_is_no_way_to_write_outside);
  ADD ("/path/a-neighbour-with-the-same-beginning-is-outside",
      test_a_neighbour_with_the_same_beginning_is_outside);
  ADD ("/path/links-inside-are-followed", test_links_inside_are_followed);
  ADD ("/path/open-reads-and-creates", test_open_reads_and_creates);
  ADD ("/path/written-file-replaces-whole", test_written_file_replaces_whole);
  ADD ("/path/unwritable-file-keeps-the-old-one", test_unwritable_file_keeps_the_old_one);
  ADD ("/path/make-folder-makes-parents", test_make_folder_makes_parents);
  ADD ("/path/remove-tree-stops-at-links", test_remove_tree_stops_at_links);
  ADD ("/path/remove-tree-asks-whose-it-is", test_remove_tree_asks_whose_it_is);
  ADD ("/path/remove-tree-gives-up-in-the-depth", test_remove_tree_gives_up_in_the_depth);
  return g_test_run ();
}
