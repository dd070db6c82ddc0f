/* test-page-layouts.c - which page a customLayout means, what is refused, and what is listed. */
#include <dlfcn.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <recto/layout.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "plugin/options.h"

#define BASE "https://localhost:4443/openvidu/layouts/"
#define QUERY "index.html?sessionId=ses_A&secret=s3cret"

static char *folder;

static const RecPageLayout *
load (const char *file)
{
  g_autofree char *path = g_build_filename (REC_BUILD_DIR, file, NULL);
  void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  const RecPlugin *(*entry) (void) = NULL;

  if (library == NULL)
    g_error ("%s", dlerror ());
  *(void **) &entry = dlsym (library, "rec_plugin_v1");
  g_assert_nonnull (entry);
  return (const RecPageLayout *) entry ();
}

typedef struct {
  char url[400], allow[100];
  RecPage page;
  RecError error;
} Answer;

static bool
resolve_as (const RecPageLayout *plugin, const char *layout, const char *session_id,
    const char *key, const char *value, Answer *answer)
{
  g_autoptr (RecJson) values = json_object_new_object ();

  if (key != NULL)
    rec_json_set_string (values, key, value);
  g_autoptr (RecOptions) options = rec_options_new (plugin->plugin.options, values);
  const RecPageRequest request = {
    .size = sizeof request,
    .width = 640,
    .height = 360,
    .frame_rate = 25,
    .has_audio = 1,
    .options = options,
    .layout_dir = folder,
    .base_url = BASE,
    .layout = layout,
    .session_id = session_id,
    .secret = "s3cret",
    .recording_id = "rec_A",
  };
  *answer = (Answer){ 0 };
  answer->page = (RecPage){
    .size = sizeof (RecPage),
    .url = answer->url,
    .url_capacity = sizeof answer->url,
    .allow = answer->allow,
    .allow_capacity = sizeof answer->allow,
  };
  return plugin->resolve (&request, &answer->page, &answer->error);
}

static bool
resolve (const char *file, const char *layout, Answer *answer)
{
  return resolve_as (load (file), layout, "ses_A", NULL, NULL, answer);
}

static bool
resolve_address (const char *address, const char *allowed, Answer *answer)
{
  return resolve_as (load ("plugins/custom_subfolder.so"), address, "ses_A", "allow", allowed,
      answer);
}

static void
assert_refused (const char *file, const char *layout, uint32_t code, const char *text)
{
  Answer answer;

  g_assert_false (resolve (file, layout, &answer));
  g_assert_cmpuint (answer.error.code, ==, code);
  if (strstr (answer.error.message, text) == NULL)
    g_error ("'%s' does not contain '%s'", answer.error.message, text);
}

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up (void)
{
  folder = g_dir_make_tmp ("recto-layouts-XXXXXX", NULL);
  g_assert_nonnull (folder);
  write_file ("index.html", "root");
  write_file ("layout1/index.html", "one");
  write_file ("a/b/index.html", "two");
  write_file ("a/notes.txt", "no page");
  write_file ("mit Leerzeichen/index.html", "three");
  write_file (".hidden/index.html", "hidden");
}

static void
tear_down (void)
{
  g_assert_true (rec_path_remove_tree (folder, NULL));
  g_clear_pointer (&folder, g_free);
}

/* --- folders --------------------------------------------------------------------------------------------------------- */

static void
assert_resolves (const char *file, const char *layout, const char *url)
{
  Answer answer;

  if (!resolve (file, layout, &answer))
    g_error ("'%s': %s", layout, answer.error.message);
  g_assert_cmpstr (answer.url, ==, url);
}

static void
test_finds_folders (void)
{
  set_up ();
  assert_resolves ("plugins/custom_html.so", "", BASE QUERY);
  assert_resolves ("plugins/custom_html.so", "/", BASE QUERY);
  assert_resolves ("plugins/custom_subfolder.so", "layout1", BASE "layout1/" QUERY);
  assert_resolves ("plugins/custom_subfolder.so", "/layout1/", BASE "layout1/" QUERY);
  assert_resolves ("plugins/custom_subfolder.so", "a//b", BASE "a/b/" QUERY);
  assert_resolves ("plugins/custom_subfolder.so", "mit Leerzeichen",
      BASE "mit%20Leerzeichen/" QUERY);
  write_file ("new/index.html", "dropped in");
  assert_resolves ("plugins/custom_subfolder.so", "new", BASE "new/" QUERY);
  tear_down ();
}

static void
test_escapes_the_session (void)
{
  Answer answer;

  set_up ();
  g_assert_true (
      resolve_as (load ("plugins/custom_html.so"), "", "A b&secret=x", NULL, NULL, &answer));
  g_assert_cmpstr (answer.url, ==, BASE "index.html?sessionId=A%20b%26secret%3Dx&secret=s3cret");
  tear_down ();
}

static void
test_refuses_what_is_outside (void)
{
  g_autofree char *link = NULL, *index = NULL;

  set_up ();
  link = g_build_filename (folder, "out", NULL);
  index = g_build_filename (folder, "linked", "index.html", NULL);
  g_assert_cmpint (symlink ("/etc", link), ==, 0);
  write_file ("linked/other", "");
  g_assert_cmpint (symlink ("/etc/passwd", index), ==, 0);
  assert_refused ("plugins/custom_subfolder.so", "..", REC_FAIL_INVALID, "'..'");
  assert_refused ("plugins/custom_subfolder.so", "a/../../etc", REC_FAIL_INVALID, "not the path");
  assert_refused ("plugins/custom_subfolder.so", "a\\b", REC_FAIL_INVALID, "not the path");
  assert_refused ("plugins/custom_subfolder.so", ".hidden", REC_FAIL_INVALID, "not the path");
  assert_refused ("plugins/custom_subfolder.so", "out", REC_FAIL_INVALID, "link out of");
  assert_refused ("plugins/custom_subfolder.so", "linked", REC_FAIL_INVALID, "link out of");
  assert_refused ("plugins/custom_subfolder.so", "file:///etc", REC_FAIL_NOT_FOUND, "no layout");
  assert_refused ("plugins/custom_html.so", "layout1", REC_FAIL_INVALID, "custom_subfolder");
  tear_down ();
}

static void
test_says_what_there_is (void)
{
  g_autofree char *root = NULL;

  set_up ();
  assert_refused ("plugins/custom_subfolder.so", "none", REC_FAIL_NOT_FOUND,
      "'none' (no index.html); there are: a/b, layout1, mit Leerzeichen");
  assert_refused ("plugins/custom_subfolder.so", "a", REC_FAIL_NOT_FOUND, "'a' (no index.html)");
  root = g_build_filename (folder, "index.html", NULL);
  g_assert_cmpint (g_unlink (root), ==, 0);
  assert_refused ("plugins/custom_html.so", "", REC_FAIL_NOT_FOUND, "there is no index.html in");
  tear_down ();
}

static void
test_shortens_long_lists (void)
{
  set_up ();
  for (int i = 0; i < 40; i++) {
    g_autofree char *name = g_strdup_printf ("layout-number-%02d/index.html", i);
    write_file (name, "");
  }
  assert_refused ("plugins/custom_subfolder.so", "none", REC_FAIL_NOT_FOUND, ", ...");
  tear_down ();
}

/* --- layout.ini ------------------------------------------------------------------------------------------------------ */

static void
test_reads_layout_ini (void)
{
  Answer answer;

  set_up ();
  write_file ("layout1/layout.ini",
      "; a comment\n[layout]\nresolution = 800x450\r\nframe-rate=12\nbackground = #102030\n"
      "ready-timeout-ms = 3000\naudio = false\nallow = https://a.example https://b.example\n"
      "parameter.who = Ann & Bob ; both\nsummary = Shown in the list");
  g_assert_true (resolve ("plugins/custom_subfolder.so", "layout1", &answer));
  g_assert_cmpstr (answer.url, ==, BASE "layout1/" QUERY "&who=Ann%20%26%20Bob%20%3B%20both");
  g_assert_cmpint (answer.page.width, ==, 800);
  g_assert_cmpint (answer.page.height, ==, 450);
  g_assert_cmpint (answer.page.frame_rate, ==, 12);
  g_assert_cmpuint (answer.page.background, ==, 0xff102030);
  g_assert_cmpuint (answer.page.ready_timeout_ms, ==, 3000);
  g_assert_cmpuint (answer.page.audio, ==, 2);
  g_assert_cmpstr (answer.allow, ==, "https://a.example https://b.example");
  tear_down ();
}

static void
test_refuses_bad_layout_ini (void)
{
  static const char *const lines[] = { "resolution = 10x10", "resolution = 640", "frame-rate = 0",
    "frame-rate = 25fps", "background = red", "background = #12345", "background = #-12345",
    "ready-timeout-ms = 1", "audio = yes", "colour = red", "parameter.secret = x", "nonsense" };

  set_up ();
  for (size_t i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autofree char *text = g_strconcat ("[layout]\n", lines[i], "\n", NULL);
    write_file ("layout1/layout.ini", text);
    assert_refused ("plugins/custom_subfolder.so", "layout1", REC_FAIL_INVALID,
        "layout.ini, line 2");
  }
  g_autofree char *wide = g_strnfill (3000, 'x');
  write_file ("layout1/layout.ini", wide);
  assert_refused ("plugins/custom_subfolder.so", "layout1", REC_FAIL_INVALID, "too long");
  tear_down ();
}

/* --- addresses ------------------------------------------------------------------------------------------------------- */

static void
test_takes_allowed_addresses (void)
{
  static const struct {
    const char *allow, *address, *url;
  } cases[] = {
    { "https://a.example", "https://a.example/p?x=1",
        "https://a.example/p?x=1&sessionId=ses_A&secret=s3cret" },
    { "https://a.example", "https://a.example/p?",
        "https://a.example/p?sessionId=ses_A&secret=s3cret" },
    { "https://a.example", "https://a.example?sessionId=mine",
        "https://a.example?sessionId=mine&secret=s3cret" },
    { "http://x https://a.example/l/", "https://a.example/l/p.html", "https://a.example/l/p.html" },
    { "https://a.example:8443", "https://a.example:8443", "https://a.example:8443" },
  };
  Answer answer;

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    if (!resolve_address (cases[i].address, cases[i].allow, &answer))
      g_error ("'%s': %s", cases[i].address, answer.error.message);
    g_assert_cmpstr (answer.url, ==, cases[i].url);
  }
  g_assert_cmpstr (answer.allow, ==, "https://a.example:8443");
}

static void
test_refuses_other_addresses (void)
{
  static const char *const cases[][2] = {
    { "", "https://a.example/" },
    { "https://a.example", "https://a.example.evil/" },
    { "https://a.example", "https://a.example@evil/" },
    { "https://a.example", "https://a.example:444/" },
    { "https://a.example", "http://a.example/" },
    { "https://a.example/l/", "https://a.example/l/../p" },
    { "https://a.example/l/", "https://a.example/l/%2e%2e/p" },
    { "https://a.example/l/", "https://a.example/l/\\..\\p" },
    { "https://a.example/l", "https://a.example/lp" },
    { "https://a.example", "https://a.example/ p" },
    { "https://", "https://a.example/" },
  };
  Answer answer;

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    if (resolve_address (cases[i][1], cases[i][0], &answer))
      g_error ("'%s' allows '%s'", cases[i][0], cases[i][1]);
    g_assert_cmpuint (answer.error.code, ==, REC_FAIL_INVALID);
  }
}

/* --- lists and the example ------------------------------------------------------------------------------------------- */

static bool
collect (void *data, const char *name, const char *summary)
{
  g_string_append_printf (data, "%s=%s;", name, summary);
  return true;
}

static void
test_lists (void)
{
  GString *text = g_string_new (NULL);
  g_autofree char *nowhere = NULL;
  RecError error = { 0 };

  set_up ();
  write_file ("layout1/layout.ini", "summary = One big\n");
  g_assert_true (load ("plugins/custom_subfolder.so")->list (folder, collect, text, NULL));
  g_assert_cmpstr (text->str, ==, "a/b=;layout1=One big;mit Leerzeichen=;");
  g_string_truncate (text, 0);
  g_assert_true (load ("plugins/custom_html.so")->list (folder, collect, text, NULL));
  g_assert_cmpstr (text->str, ==, "=;");
  nowhere = g_build_filename (folder, "nowhere", NULL);
  g_assert_false (load ("plugins/custom_subfolder.so")->list (nowhere, collect, text, &error));
  g_assert_cmpuint (error.code, ==, REC_FAIL_NOT_FOUND);
  g_string_free (text, TRUE);
  tear_down ();
}

static void
test_example_takes_its_address (void)
{
  const RecPageLayout *webpage = load ("examples/webpage.so");
  Answer answer;

  g_assert_true (resolve_as (webpage, "", "ses_A", "address", "https://a.example/p", &answer));
  g_assert_cmpstr (answer.url, ==, "https://a.example/p?sessionId=ses_A&secret=s3cret");
  g_assert_cmpstr (answer.allow, ==, "https://a.example");
  g_assert_false (resolve_as (webpage, "", "ses_A", "address", "http://a.example", &answer));
  g_assert_false (resolve_as (webpage, "", "ses_A", NULL, NULL, &answer));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/page-layouts/finds-folders", test_finds_folders);
  g_test_add_func ("/page-layouts/escapes-the-session", test_escapes_the_session);
  g_test_add_func ("/page-layouts/refuses-what-is-outside", test_refuses_what_is_outside);
  g_test_add_func ("/page-layouts/says-what-there-is", test_says_what_there_is);
  g_test_add_func ("/page-layouts/shortens-long-lists", test_shortens_long_lists);
  g_test_add_func ("/page-layouts/reads-layout-ini", test_reads_layout_ini);
  g_test_add_func ("/page-layouts/refuses-a-bad-layout-ini", test_refuses_bad_layout_ini);
  g_test_add_func ("/page-layouts/takes-allowed-addresses", test_takes_allowed_addresses);
  g_test_add_func ("/page-layouts/refuses-other-addresses", test_refuses_other_addresses);
  g_test_add_func ("/page-layouts/lists", test_lists);
  g_test_add_func ("/page-layouts/example-takes-its-address", test_example_takes_its_address);
  return g_test_run ();
}
