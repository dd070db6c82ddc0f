/* test-rest-layouts.c - the files of custom layouts: who may read them, what leaves their folder, and their list. */
#include "base/config.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "base/path.h"
#include "lib/api-rig.h"
#include "lib/library-leaks.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <unistd.h>

static RecRecording *recording; /* of session "a", showing a page */

static void
set (ApiRig *rig, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (rig->config, key, value, "test", &error);
  g_assert_no_error (error);
}

static void
write_file (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* The folder of the layouts, filled. */
static void
add_layouts (ApiRig *rig)
{
  g_autofree char *layouts = g_build_filename (rig->folder, "layouts", NULL);
  g_autofree char *libraries = g_build_filename (rig->folder, "libraries", NULL);
  g_autofree char *link = g_build_filename (layouts, "link.txt", NULL);
  g_autofree char *recipe = g_build_filename (rig->folder, "outside.txt", NULL);

  write_file (layouts, "index.html", "root page");
  write_file (layouts, "one/index.html", "page one");
  write_file (layouts, "one/style.css", "a {}");
  write_file (layouts, "one/openvidu-browser-2.1.0.min.js", "author's own");
  write_file (layouts, ".hidden", "hidden");
  write_file (libraries, "openvidu-browser-2.0.0.min.js", "shipped 2.0.0");
  write_file (libraries, "openvidu-browser-2.1.0.min.js", "shipped 2.1.0");
  write_file (libraries, "other.js", "nobody's");
  write_file (rig->folder, "outside.txt", "outside");
  g_assert_cmpint (symlink (recipe, link), ==, 0);
  set (rig, "openvidu.recording.custom-layout", layouts);
  set (rig, "browser.library-directory", libraries);
}

/* A session with a recording that shows a page. */
static RecRecording *
add_page_recording (ApiRig *rig, const char *id)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  RecSessionProperties *session_properties = rec_session_properties_new ();
  RecRecording *added = rec_recording_new (id, id, REC_ERA_NEW, properties, 1700000000000);

  g_free (session_properties->custom_session_id);
  session_properties->custom_session_id = g_strdup (id);
  RecSession *session =
      rec_registry_create_session (rig->registry, REC_ERA_NEW, session_properties, NULL);
  g_assert_nonnull (session);
  added->session = session;
  added->directory = g_strdup (rig->recordings);
  added->status = REC_RECORDING_STARTED;
  rec_recording_make_page_secret (added);
  session->recording = added;
  rec_registry_add_recording (rig->registry, added);
  rec_recording_unref (added);
  return added;
}

static TestResponse *
ask (ApiRig *rig, const char *path, const char *header)
{
  return api_rig_ask_with (rig, "GET", path, header, NULL);
}

static void
assert_answer (ApiRig *rig, const char *path, const char *header, unsigned status, const char *text)
{
  g_autoptr (TestResponse) response = ask (rig, path, header);

  g_test_message ("%s: %u %s", path, response->status, response->body->str);
  g_assert_cmpuint (response->status, ==, status);
  if (text != NULL)
    g_assert_nonnull (strstr (response->body->str, text));
}

static char *
dup_cookie (const TestResponse *response)
{
  g_autofree char *header = test_response_dup_header (response, "Set-Cookie");

  g_assert_nonnull (header);
  header[strcspn (header, ";")] = '\0';
  return g_strdup_printf ("Cookie: other=1; %s\r\n", header);
}

/* --- the page's own way --------------------------------------------------------------------------------------------- */

static void
assert_page_world (ApiRig *rig, const char *place)
{
  g_autofree char *index =
      g_strdup_printf ("%sone/index.html?sessionId=a&secret=%s", place, recording->page_secret);
  g_autofree char *style = g_strconcat (place, "one/style.css", NULL);
  g_autofree char *own = g_strconcat (place, "one/openvidu-browser-2.1.0.min.js", NULL);
  g_autofree char *shipped = g_strconcat (place, "one/openvidu-browser-2.0.0.min.js", NULL);
  g_autofree char *other = g_strconcat (place, "one/other.js", NULL);
  g_autofree char *expected =
      g_strconcat ("; Path=", place, "one/; Secure; HttpOnly; SameSite=Strict", NULL);
  g_autoptr (TestResponse) response = ask (rig, index, "");

  g_assert_cmpuint (response->status, ==, 200);
  g_assert_cmpstr (response->body->str, ==, "page one");
  g_assert_nonnull (strstr (response->head, "Content-Type: text/html; charset=utf-8\r\n"));
  g_assert_nonnull (strstr (response->head, "X-Content-Type-Options: nosniff\r\n"));
  g_assert_nonnull (strstr (response->head, expected));
  g_assert_null (strstr (response->head, "Content-Security-Policy"));
  g_autofree char *cookie = dup_cookie (response);
  assert_answer (rig, style, cookie, 200, "a {}");
  assert_answer (rig, own, cookie, 200, "author's own");
  assert_answer (rig, shipped, cookie, 200, "shipped 2.0.0");
  assert_answer (rig, other, cookie, 404, NULL);
  assert_answer (rig, style, "", 401, "OPENVIDUAPP");
}

static void
ask_page (void *data)
{
  ApiRig *rig = data;

  assert_page_world (rig, "/layouts/custom/");
  assert_page_world (rig, "/openvidu/layouts/");
}

static void
ask_double_slash (void *data)
{
  ApiRig *rig = data;

  g_autofree char *path =
      g_strdup_printf ("/layouts/custom//index.html?sessionId=a&secret=%s", recording->page_secret);
  g_autoptr (TestResponse) response = ask (rig, path, "");

  g_assert_cmpuint (response->status, ==, 200);
  g_assert_nonnull (strstr (response->head, "Path=/layouts/custom//;"));
}

static void
ask_secret_opens_nothing_else (void *data)
{
  ApiRig *rig = data;

  const char *secret = recording->page_secret;
  g_autofree char *other_session =
      g_strdup_printf ("/layouts/custom/?sessionId=b&secret=%s", secret);
  g_autofree char *file =
      g_strdup_printf ("/layouts/custom/one/style.css?sessionId=a&secret=%s", secret);
  g_autofree char *index = g_strdup_printf ("/layouts/custom/?sessionId=a&secret=%s", secret);
  g_autofree char *rest = g_strdup_printf ("/openvidu/api/sessions?sessionId=a&secret=%s", secret);
  g_autofree char *pair = g_strdup_printf ("OPENVIDUAPP:%s", secret);
  g_autofree char *basic = g_base64_encode ((const guchar *) pair, strlen (pair));
  g_autofree char *authorization = g_strdup_printf ("Authorization: Basic %s\r\n", basic);
  g_autofree char *cookie = g_strdup_printf ("Cookie: recto-page=%s\r\n", secret);

  assert_answer (rig, index, "", 200, "root page");
  assert_answer (rig, other_session, "", 401, NULL);
  assert_answer (rig, file, "", 401, NULL);
  assert_answer (rig, rest, "", 401, NULL);
  assert_answer (rig, "/openvidu/api/sessions", authorization, 401, NULL);
  assert_answer (rig, "/openvidu/api/sessions", cookie, 401, NULL);
  assert_answer (rig, "/openvidu/recordings/a/a.mp4", cookie, 401, NULL);
  assert_answer (rig, "/layouts/custom/?sessionId=a&secret=MY_SECRET", "", 401, NULL);
  assert_answer (rig, "/layouts/custom/?sessionId=a&secret=", "", 401, NULL);
  assert_answer (rig, "/layouts/custom/one/style.css", "Cookie: recto-page=\r\n", 401, NULL);
  recording->status = REC_RECORDING_STOPPED;
  assert_answer (rig, index, "", 401, NULL);
  assert_answer (rig, "/layouts/custom/one/style.css", cookie, 401, NULL);
}

/* --- operators -------------------------------------------------------------------------------------------------------- */

static void
ask_operator_is_sandboxed (void *data)
{
  ApiRig *rig = data;

  g_autoptr (TestResponse)
      response = api_rig_ask (rig, "GET", "/openvidu/layouts/one/index.html", NULL);

  g_assert_cmpuint (response->status, ==, 200);
  g_assert_nonnull (strstr (response->head, "Content-Security-Policy: sandbox\r\n"));
  g_assert_null (strstr (response->head, "Set-Cookie"));
}

static void
ask_files (void *data)
{
  ApiRig *rig = data;

  static const ApiStep steps[] = {
    { "GET", "/layouts/custom/", NULL, 200, "root page" },
    { "GET", "/layouts/custom/one/", NULL, 200, "page one" },
    { "HEAD", "/layouts/custom/one/index.html", NULL, 200, NULL },
    { "GET", "/layouts/custom/one", NULL, 404, NULL },
    { "GET", "/layouts/custom/none.html", NULL, 404, "no such file" },
    { "GET", "/layouts/custom/.hidden", NULL, 404, NULL },
    { "GET", "/layouts/custom/link.txt", NULL, 404, NULL },
    { "GET", "/layouts/custom/../outside.txt", NULL, 400, NULL },
    { "GET", "/layouts/custom/%2e%2e/outside.txt", NULL, 400, NULL },
    { "GET", "/layouts/custom/..%2foutside.txt", NULL, 400, NULL },
    { "POST", "/layouts/custom/index.html", NULL, 405, NULL },
  };

  api_rig_take_steps (rig, steps, G_N_ELEMENTS (steps));
}

static void
ask_unchanged_file (void *data)
{
  ApiRig *rig = data;

  g_autoptr (TestResponse) first = api_rig_ask (rig, "GET", "/layouts/custom/one/style.css", NULL);
  g_autofree char *etag = test_response_dup_header (first, "ETag");
  g_autofree char *header =
      g_strdup_printf ("Authorization: " AUTH "\r\nIf-None-Match: %s\r\n", etag);

  assert_answer (rig, "/layouts/custom/one/style.css", header, 304, NULL);
}

#define TEST(name)                                                                                 \
  static void test_##name (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)                          \
  {                                                                                                \
    add_layouts (rig);                                                                             \
    recording = add_page_recording (rig, "a");                                                     \
    add_page_recording (rig, "b");                                                                 \
    test_run_beside_loop (ask_##name, rig);                                                        \
  }

TEST (page)
TEST (double_slash)
TEST (secret_opens_nothing_else)
TEST (operator_is_sandboxed)
TEST (files)
TEST (unchanged_file)

#define ADD(name, function)                                                                        \
  g_test_add ("/rest-layouts/" name, ApiRig, NULL, api_rig_set_up, function, api_rig_tear_down)

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("page-reads-its-files", test_page);
  ADD ("double-slash-is-one", test_double_slash);
  ADD ("secret-opens-nothing-else", test_secret_opens_nothing_else);
  ADD ("operator-is-sandboxed", test_operator_is_sandboxed);
  ADD ("files", test_files);
  ADD ("unchanged-file", test_unchanged_file);
  return g_test_run ();
}
