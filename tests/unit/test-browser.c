/* test-browser.c - how a browser is started, what is left of it, and how much it may take. */
#include "base/error.h"
#include "base/path.h"
#include "worker/browser.h"
#include "worker/usage.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_US (20 * G_USEC_PER_SEC)

static const char *const reachable[] = { "localhost:4443", "fonts.example:443", NULL };

static RecBrowserRecipe
make_recipe (const char *program, const char *directory)
{
  return (RecBrowserRecipe){
    .program = program,
    .user = "",
    .profile_directory = directory,
    .has_sandbox = true,
    .width = 640,
    .height = 360,
    .title = "title-1",
    .host_rules = "MAP localhost:4443 127.0.0.1:5443",
    .cert_key_hash = "AAAA",
    .reachable = reachable,
    .group = "",
  };
}

/* --- arguments ----------------------------------------------------------------------------------- */

static bool
has (char **arguments, const char *wanted)
{
  return g_strv_contains ((const char *const *) arguments, wanted);
}

static void
test_is_started_with_all_doors_shut (void)
{
  const RecBrowserRecipe recipe = make_recipe ("chromium", "/tmp");
  g_auto (GStrv) arguments = rec_browser_make_arguments (&recipe, "/tmp/p");

  g_assert_true (has (arguments, "--remote-debugging-pipe"));
  g_assert_true (has (arguments, "--user-data-dir=/tmp/p"));
  g_assert_true (has (arguments, "--window-size=640,360"));
  g_assert_true (has (arguments, "--auto-select-tab-capture-source-by-title=title-1"));
  g_assert_true (has (arguments, "--proxy-server=http://127.0.0.1:9"));
  g_assert_true (
      has (arguments, "--proxy-bypass-list=<-loopback>;localhost:4443;fonts.example:443"));
  g_assert_true (has (arguments, "--host-resolver-rules=MAP localhost:4443 127.0.0.1:5443"));
  g_assert_true (has (arguments, "--ignore-certificate-errors-spki-list=AAAA"));
  g_assert_true (has (arguments, "--deny-permission-prompts"));
  g_assert_false (has (arguments, "--no-sandbox"));
  for (char **argument = arguments; *argument != NULL; argument++) {
    g_assert_false (g_str_has_prefix (*argument, "--remote-debugging-port"));
    g_assert_cmpstr (*argument, !=, "--ignore-certificate-errors");
  }
}

static void
test_opens_them_only_when_told (void)
{
  RecBrowserRecipe recipe = make_recipe ("chromium", "/tmp");

  recipe.has_sandbox = false;
  recipe.host_rules = recipe.cert_key_hash = "";
  g_auto (GStrv) arguments = rec_browser_make_arguments (&recipe, "/tmp/p");
  g_assert_true (has (arguments, "--no-sandbox"));
  for (char **argument = arguments; *argument != NULL; argument++) {
    g_assert_false (g_str_has_prefix (*argument, "--host-resolver-rules"));
    g_assert_false (g_str_has_prefix (*argument, "--ignore-certificate"));
  }
}

static void
test_finds_host_and_port (void)
{
  static const struct {
    const char *url, *host;
  } cases[] = {
    { "https://localhost:4443/layouts/custom/?sessionId=a", "localhost:4443" },
    { "https://example.org", "example.org:443" },
    { "http://example.org/x", "example.org:80" },
    { "HTTPS://Example.org/", "Example.org:443" },
    { "wss://example.org", "example.org:443" },
    { "https://example.org:8443/a;b", "example.org:8443" },
    { "https://[::1]:4443/", "[::1]:4443" },
    { "file:///etc/passwd", NULL },
    { "chrome://crash", NULL },
    { "javascript:alert(1)", NULL },
    { "data:text/html,x", NULL },
    { "https://*", NULL },
    { "https://a;b/", NULL },
    { "https://user:word@example.org:8443/", NULL },
    { "https://a\\@b/", NULL },
    { "https://<-loopback>/", NULL },
    { "https:///x", NULL },
    { "//example.org/", NULL },
    { "", NULL },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *host = rec_browser_dup_host (cases[i].url);

    g_assert_cmpstr (host, ==, cases[i].host);
  }
}

/* --- its life ------------------------------------------------------------------------------------- */

typedef struct {
  char *directory, *program;
  char *how;
} Place;

/* A browser of a few lines of shell. */
static Place
make_place (const char *script)
{
  g_autoptr (GError) error = NULL;
  Place place = { .directory = g_dir_make_tmp ("recto-XXXXXX", &error) };
  g_autofree char *text = g_strconcat ("#!/bin/sh\n", script, "\n", NULL);

  g_assert_no_error (error);
  place.program = g_build_filename (place.directory, "browser", NULL);
  g_assert_true (g_file_set_contents (place.program, text, -1, NULL));
  g_assert_cmpint (chmod (place.program, 0755), ==, 0);
  return place;
}

static void
free_place (Place *place)
{
  g_assert_true (rec_path_remove_tree (place->directory, NULL));
  g_free (place->directory);
  g_free (place->program);
  g_free (place->how);
}

static void
on_ended (const char *how, void *data)
{
  Place *place = data;

  place->how = g_strdup (how);
}

/* Root may run anything without its sandbox. */
static RecBrowser *
start (Place *place, GError **error)
{
  RecBrowserRecipe recipe = make_recipe (place->program, place->directory);

  recipe.has_sandbox = getuid () != 0;
  return rec_browser_new (&recipe, on_ended, place, error);
}

static char *
find_profile (const Place *place)
{
  g_autoptr (GDir) dir = g_dir_open (place->directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "recto-page-"))
      return g_build_filename (place->directory, name, NULL);
  return NULL;
}

static void
wait_for_text (int fd, GString *text, const char *wanted)
{
  const int64_t until_us = g_get_monotonic_time () + PATIENCE_US;
  char buffer[256];

  while (strstr (text->str, wanted) == NULL) {
    const ssize_t n = read (fd, buffer, sizeof buffer);

    if (n > 0)
      g_string_append_len (text, buffer, n);
    else
      g_usleep (1000);
    g_assert_cmpint (g_get_monotonic_time (), <, until_us);
  }
}

static void
test_talks_over_its_pipes_and_leaves_nothing (void)
{
  Place place = make_place ("touch \"$HOME/used\"; sleep 1000 & echo \"child $!\" >&4; "
                            "read line <&3; echo \"heard $line in $HOME\" >&4; wait");
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) heard = g_string_new (NULL);
  RecBrowser *browser = start (&place, &error);
  g_autofree char *profile = find_profile (&place);
  g_autofree char *used = g_build_filename (profile, "used", NULL);
  struct stat info;
  int child = 0;

  g_assert_no_error (error);
  g_assert_cmpint (write (rec_browser_get_write_fd (browser), "hello\n", 6), ==, 6);
  wait_for_text (rec_browser_get_read_fd (browser), heard, profile);
  g_assert_nonnull (strstr (heard->str, "heard hello"));
  g_assert_cmpint (sscanf (heard->str, "child %d", &child), ==, 1);
  g_assert_cmpint (stat (profile, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0077, ==, 0);
  g_assert_true (g_file_test (used, G_FILE_TEST_EXISTS));

  rec_browser_free (browser);
  g_assert_false (g_file_test (profile, G_FILE_TEST_EXISTS));
  for (int64_t until_us = g_get_monotonic_time () + PATIENCE_US; kill (child, 0) == 0;) {
    g_autofree char *path = g_strdup_printf ("/proc/%d/stat", child);
    g_autofree char *text = NULL;

    /* A zombie of somebody else's is dead enough. */
    if (g_file_get_contents (path, &text, NULL, NULL) && strstr (text, ") Z ") != NULL)
      break;
    g_assert_cmpint (g_get_monotonic_time (), <, until_us);
    g_usleep (1000);
  }
  free_place (&place);
}

static void
test_tells_how_it_ended (void)
{
  Place place = make_place ("echo first >&2; echo 'No usable sandbox!' >&2; exit 3");
  g_autoptr (GError) error = NULL;
  g_autoptr (RecBrowser) browser = start (&place, &error);

  g_assert_no_error (error);
  while (place.how == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (strstr (place.how, "exited with status 3"));
  g_assert_nonnull (strstr (place.how, "first | No usable sandbox!"));
  g_clear_pointer (&browser, rec_browser_free);
  free_place (&place);
}

static void
test_removes_what_dead_workers_left (void)
{
  Place place = make_place ("exec sleep 1000");
  g_autofree char *dead = g_build_filename (place.directory, "recto-page-1-1-abc", NULL);
  g_autofree char *file = g_build_filename (dead, "file", NULL);
  g_autofree char *other = g_build_filename (place.directory, "recto-other", NULL);
  g_autofree char *kept = g_build_filename (other, "kept", NULL);
  g_autofree char *link = g_build_filename (dead, "link", NULL);
  g_autofree char *planted = g_build_filename (place.directory, "recto-page-1-1-link", NULL);
  g_autofree char *strange = g_build_filename (place.directory, "recto-page-1-1-strange", NULL);
  g_autoptr (GError) error = NULL;
  RecBrowser *first, *second;

  g_assert_cmpint (g_mkdir (dead, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (other, 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  g_assert_cmpint (symlink (other, link), ==, 0);
  g_assert_cmpint (symlink (other, planted), ==, 0);
  g_assert_true (g_file_set_contents (kept, "x", 1, NULL));
  if (getuid () == 0) {
    g_assert_cmpint (g_mkdir (strange, 0700), ==, 0);
    g_assert_cmpint (chown (strange, 12345, 12345), ==, 0);
  }
  first = start (&place, &error);
  g_assert_no_error (error);
  g_assert_false (g_file_test (dead, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));
  /* Names that look like ours: neither another user's folder nor what a link leads to. */
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (planted, G_FILE_TEST_IS_SYMLINK));
  g_assert_true (getuid () != 0 || g_file_test (strange, G_FILE_TEST_EXISTS));

  /* The folder of one that lives stays. */
  g_autofree char *profile = find_profile (&place);
  second = start (&place, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_test (profile, G_FILE_TEST_EXISTS));
  rec_browser_free (first);
  rec_browser_free (second);
  free_place (&place);
}

static void
test_says_what_is_missing (void)
{
  Place place = make_place ("true");
  RecBrowserRecipe recipe = make_recipe ("/nowhere/chromium", place.directory);
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_browser_new (&recipe, on_ended, &place, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED);
  g_assert_nonnull (strstr (error->message, "package chromium"));
  g_clear_error (&error);

  recipe = make_recipe (place.program, place.directory);
  recipe.user = "no-such-user-here";
  g_assert_null (rec_browser_new (&recipe, on_ended, &place, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED);
  g_assert_nonnull (strstr (error->message, "browser.user"));
  g_clear_error (&error);

  recipe.user = getuid () == 0 ? "" : "root";
  g_assert_null (rec_browser_new (&recipe, on_ended, &place, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED);
  g_assert_nonnull (strstr (error->message, getuid () == 0 ? "browser.sandbox" : "only root"));
  g_assert_null (find_profile (&place));
  free_place (&place);
}

/* --- what it takes --------------------------------------------------------------------------------- */

static void
write_process (const char *proc, int pid, int parent, int ticks, const char *smaps,
    const char *statm)
{
  g_autofree char *folder = g_strdup_printf ("%s/%d", proc, pid);
  g_autofree char *stat_path = g_build_filename (folder, "stat", NULL);
  g_autofree char *smaps_path = g_build_filename (folder, "smaps_rollup", NULL);
  g_autofree char *statm_path = g_build_filename (folder, "statm", NULL);
  g_autofree char *text = g_strdup_printf (
      "%d (a) b (c) S %d 1 1 0 -1 4194560 10 20 0 0 %d %d 7 8 20 0 1 0 100 200 300", pid, parent,
      ticks / 2, ticks - ticks / 2);

  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (stat_path, text, -1, NULL));
  if (smaps != NULL)
    g_assert_true (g_file_set_contents (smaps_path, smaps, -1, NULL));
  if (statm != NULL)
    g_assert_true (g_file_set_contents (statm_path, statm, -1, NULL));
}

static void
test_adds_up_the_tree (void)
{
  g_autofree char *proc = g_dir_make_tmp ("recto-XXXXXX", NULL);
  const int64_t tick_us = 1000000 / sysconf (_SC_CLK_TCK), page = sysconf (_SC_PAGESIZE);
  RecUsage usage;

  write_process (proc, 50, 1, 10, "0-1 ---p [rollup]\nRss: 9 kB\nPss: 100 kB\nPss_Dirty: 9 kB\n",
      "900 50 12 0 0 0 0");
  write_process (proc, 40, 60, 3, NULL, "1000 30 10 0 0 0 0"); /* grandchild, listed first */
  write_process (proc, 60, 50, 4, "0-1 ---p [rollup]\nRss: 9 kB\nPss: 20 kB\n", "900 7 7 0 0 0 0");
  write_process (proc, 70, 1, 999, "x\nPss: 999999 kB\n", "900 800 1 0 0 0 0"); /* a stranger */
  g_assert_true (rec_usage_read (proc, 50, 87 * page, &usage));
  g_assert_cmpuint (usage.n_processes, ==, 3);
  g_assert_cmpint (usage.memory_bytes, ==, 87 * page);
  g_assert_cmpint (usage.cpu_us, ==, 17 * tick_us);
  g_assert_true (rec_usage_read (proc, 50, 87 * page - 1, &usage));
  g_assert_cmpuint (usage.n_processes, ==, 3);
  g_assert_cmpint (usage.memory_bytes, ==, 120 * 1024 + 20 * page);
  g_assert_cmpint (usage.cpu_us, ==, 17 * tick_us);
  g_assert_false (rec_usage_read (proc, 51, 0, &usage));
  g_assert_true (rec_path_remove_tree (proc, NULL));

  g_assert_true (rec_usage_read ("/proc", getpid (), 0, &usage));
  g_assert_cmpint (usage.memory_bytes, >, 100000);
}

static void
test_judges_memory_at_once (void)
{
  RecUsageMeter meter = { .max_memory_bytes = 100 << 20 };
  const RecUsage fine = { 1, 100 << 20, 0 }, much = { 1, (100 << 20) + 1, 0 };
  g_autofree char *why = rec_usage_meter_add (&meter, 0, &fine);

  g_assert_null (why);
  why = rec_usage_meter_add (&meter, 1, &much);
  g_assert_nonnull (strstr (why, "browser.memory-bytes = 100 MB"));
}

/* percent[i] of a core in second i; returns the second in which it was too much, or -1. */
static int
judge_cpu (int64_t limit, const int *percent, int n)
{
  RecUsageMeter meter = { .max_cpu_percent = limit };
  RecUsage usage = { 1, 1, 0 };

  for (int i = 0; i < n; i++) {
    g_autofree char *why = rec_usage_meter_add (&meter, i * INT64_C (1000000), &usage);

    if (why != NULL) {
      g_assert_nonnull (strstr (why, "browser.cpu-percent"));
      return i;
    }
    usage.cpu_us += percent[i] * INT64_C (10000);
  }
  return -1;
}

static void
test_judges_cpu_over_a_while (void)
{
  const int steady[30] = { 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90,
    90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90 };
  const int peak[30] = { 0, 0, 0, 0, 0, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 900 };

  g_assert_cmpint (judge_cpu (100, steady, 30), ==, -1);
  g_assert_cmpint (judge_cpu (80, steady, 30), ==, 10);
  g_assert_cmpint (judge_cpu (0, steady, 30), ==, -1);
  g_assert_cmpint (judge_cpu (100, peak, 30), ==, -1);
  g_assert_cmpint (judge_cpu (89, peak, 30), ==, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/browser/is-started-with-all-doors-shut", test_is_started_with_all_doors_shut);
  g_test_add_func ("/browser/opens-them-only-when-told", test_opens_them_only_when_told);
  g_test_add_func ("/browser/finds-host-and-port", test_finds_host_and_port);
  g_test_add_func ("/browser/talks-over-its-pipes-and-leaves-nothing",
      test_talks_over_its_pipes_and_leaves_nothing);
  g_test_add_func ("/browser/tells-how-it-ended", test_tells_how_it_ended);
  g_test_add_func ("/browser/removes-what-dead-workers-left", test_removes_what_dead_workers_left);
  g_test_add_func ("/browser/says-what-is-missing", test_says_what_is_missing);
  g_test_add_func ("/usage/adds-up-the-tree", test_adds_up_the_tree);
  g_test_add_func ("/usage/judges-memory-at-once", test_judges_memory_at_once);
  g_test_add_func ("/usage/judges-cpu-over-a-while", test_judges_cpu_over_a_while);
  return g_test_run ();
}
