/* test-uploads.c - files from browsers: who may send them, what is kept of them, what is refused. */
#include "base/config.h"
#include "base/json.h"
#include "base/main-thread.h"
#include "base/path.h"
#include "lib/api-rig.h"
#include "lib/sample.h"

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#define UPLOADS "/recto/api/v1/uploads"

/* --- what is sent --------------------------------------------------------------------------------------------------- */

#define CHUNKED UINT64_MAX

/* For a body of `announced` bytes, or CHUNKED. headers: whole lines. */
static bool
send_head (TestClient *client, const char *path, const char *headers, uint64_t announced)
{
  g_autofree char *length = announced == CHUNKED
                                ? g_strdup ("Transfer-Encoding: chunked")
                                : g_strdup_printf ("Content-Length: %" G_GUINT64_FORMAT, announced);
  g_autofree char *head = g_strdup_printf ("POST %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n\r\n",
      path, headers, length);

  return test_client_write (client, head, strlen (head));
}

static TestResponse *
post_with (ApiRig *rig, const char *path, const char *headers, uint64_t announced, GBytes *body)
{
  g_autoptr (TestClient) client = test_client_new (rig->port);
  size_t size;
  const char *data = g_bytes_get_data (body, &size);

  g_assert_nonnull (client);
  send_head (client, path, headers, announced);
  test_client_write (client, data, size);
  return announced == size || announced > (UINT64_C (1) << 40)
             ? test_client_read_response (client, false)
             : NULL;
}

static TestResponse *
post (ApiRig *rig, const char *path, const char *type, GBytes *body)
{
  g_autofree char *headers = g_strdup_printf ("Content-Type: %s\r\n", type);

  return post_with (rig, path, headers, g_bytes_get_size (body), body);
}

static GBytes *
wrap_as_form (GBytes *film, const char *filename)
{
  GByteArray *form = g_byte_array_new ();
  g_autofree char *head = g_strdup_printf (
      "--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n"
      "Content-Type: video/webm\r\n\r\n",
      filename);
  size_t size;
  const guint8 *data = g_bytes_get_data (film, &size);

  g_byte_array_append (form, (const guint8 *) head, (guint) strlen (head));
  g_byte_array_append (form, data, (guint) size);
  g_byte_array_append (form, (const guint8 *) "\r\n--line--\r\n", 12);
  return g_byte_array_free_to_bytes (form);
}

/* --- what came of it ------------------------------------------------------------------------------------------------- */

static RecJson *
parse (const TestResponse *response)
{
  g_autoptr (GError) error = NULL;
  RecJson *json = rec_json_parse (response->body->str, response->body->len, 1 << 20, &error);

  g_assert_no_error (error);
  return json;
}

/* Where to send a file to, as the application tells its page. */
static char *
get_permission (ApiRig *rig)
{
  g_autoptr (TestResponse) response = api_rig_ask (rig, "POST", "/recto/api/v1/upload-tokens",
      "{\"session\":\"room\",\"stream\":\"str_1\",\"user\":\"anna\"}");

  g_assert_cmpuint (response->status, ==, 200);
  g_autoptr (RecJson) answer = parse (response);
  const char *url = rec_json_string_or (answer, "url", "");
  const char *path = strstr (url, UPLOADS);
  g_assert_nonnull (path);
  g_assert_nonnull (strstr (path, rec_json_string_or (answer, "token", "none")));
  return g_strdup (path);
}

static unsigned
count_files (ApiRig *rig)
{
  g_autofree char *folder = g_build_filename (rig->recordings, ".uploads", NULL);
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  unsigned n = 0;

  g_assert_nonnull (files);
  while (g_dir_read_name (files) != NULL)
    n++;
  return n;
}

static void
wait_until_empty (ApiRig *rig)
{
  const int64_t end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  while (count_files (rig) > 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
    g_usleep (10000);
  }
}

static void
check_kept (ApiRig *rig, RecJson *entity, GBytes *film)
{
  g_autofree char *file = g_strdup_printf (UPLOADS "/%s/%s", rec_json_string_or (entity, "id", ""),
      rec_json_string_or (entity, "file", ""));
  g_autofree char *picture = g_strdup_printf (UPLOADS "/%s/%s",
      rec_json_string_or (entity, "id", ""), rec_json_string_or (entity, "thumbnail", ""));

  g_assert_cmpstr (rec_json_string_or (entity, "session", ""), ==, "room");
  g_assert_cmpstr (rec_json_string_or (entity, "stream", ""), ==, "str_1");
  g_assert_cmpstr (rec_json_string_or (entity, "user", ""), ==, "anna");
  g_assert_cmpstr (rec_json_string_or (entity, "type", ""), ==, "video/webm");
  g_assert_cmpint (rec_json_int_or (entity, "size", 0), ==, g_bytes_get_size (film));
  g_assert_cmpfloat_with_epsilon (rec_json_double_or (entity, "duration", 0), 2.0, 0.1);
  g_assert_true (rec_json_bool_or (entity, "hasAudio", false));
  g_assert_true (rec_json_bool_or (entity, "hasVideo", false));
  g_autoptr (TestResponse) kept = api_rig_ask (rig, "GET", file, NULL);
  g_assert_cmpuint (kept->status, ==, 200);
  g_assert_cmpmem (kept->body->str, kept->body->len, g_bytes_get_data (film, NULL),
      g_bytes_get_size (film));
  g_assert_nonnull (strstr (kept->head, "Content-Security-Policy: sandbox"));
  g_autoptr (TestResponse) jpeg = api_rig_ask (rig, "GET", picture, NULL);
  g_assert_cmpuint (jpeg->status, ==, 200);
  g_assert_cmpmem (jpeg->body->str, 3, "\xff\xd8\xff", 3);
}

/* --- tests ------------------------------------------------------------------------------------------------------------- */

static void
keep_a_file (void *data)
{
  ApiRig *rig = data;
  g_autoptr (GBytes) film = sample_make (SAMPLE_WEBM);
  g_autofree char *path = get_permission (rig);
  g_autoptr (TestResponse) response = post (rig, path, "video/webm;codecs=vp8,opus", film);

  g_assert_cmpuint (response->status, ==, 200);
  g_autoptr (RecJson) entity = parse (response);
  check_kept (rig, entity, film);
  g_assert_cmpuint (count_files (rig), ==, 3);

  g_autoptr (TestResponse) again = post (rig, path, "video/webm", film);
  g_assert_cmpuint (again->status, ==, 401);

  g_autoptr (TestResponse) listed = api_rig_ask (rig, "GET", UPLOADS "?session=room", NULL);
  g_autoptr (RecJson) list = parse (listed);
  g_assert_cmpint (rec_json_int_or (list, "count", 0), ==, 1);
  g_autoptr (TestResponse) others = api_rig_ask (rig, "GET", UPLOADS "?session=other", NULL);
  g_assert_nonnull (strstr (others->body->str, "\"count\":0"));

  g_autofree char *one = g_strdup_printf (UPLOADS "/%s", rec_json_string_or (entity, "id", ""));
  g_autoptr (TestResponse) gone = api_rig_ask (rig, "DELETE", one, NULL);
  g_assert_cmpuint (gone->status, ==, 204);
  g_assert_cmpuint (count_files (rig), ==, 0);
  g_autoptr (TestResponse) missing = api_rig_ask (rig, "GET", one, NULL);
  g_assert_cmpuint (missing->status, ==, 404);
}

static void
test_keeps_a_file (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (keep_a_file, rig);
}

static void
keep_a_form (void *data)
{
  ApiRig *rig = data;
  g_autoptr (GBytes) film = sample_make (SAMPLE_WEBM);
  g_autoptr (GBytes) form = wrap_as_form (film, "../../../tmp/evil.webm");
  g_autofree char *path = get_permission (rig);
  g_autoptr (TestResponse) response = post (rig, path, "multipart/form-data; boundary=line", form);

  g_assert_cmpuint (response->status, ==, 200);
  g_assert_null (strstr (response->body->str, "evil"));
  g_autoptr (RecJson) entity = parse (response);
  check_kept (rig, entity, film);
  g_assert_cmpuint (count_files (rig), ==, 3);
}

static void
test_names_files_itself (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (keep_a_form, rig);
}

/* Five megabytes: twenty times what waits for the disk. */
static void
refuse_garbage (void *data)
{
  ApiRig *rig = data;
  const size_t size = 5 * 1024 * 1024;
  guint8 *noise = g_malloc (size);
  g_autofree char *path = get_permission (rig);

  for (size_t i = 0; i < size; i++)
    noise[i] = (guint8) (i * 2654435761u >> 13);
  g_autoptr (GBytes) garbage = g_bytes_new_take (noise, size);
  g_autoptr (TestResponse) response = post (rig, path, "video/webm", garbage);
  g_assert_cmpuint (response->status, ==, 422);
  g_assert_nonnull (strstr (response->body->str, "no recording of a browser"));
  g_assert_cmpuint (count_files (rig), ==, 0);

  /* What failed may be tried again with the same token. */
  g_autoptr (GBytes) film = sample_make (SAMPLE_WEBM);
  g_autoptr (GBytes) half = g_bytes_new_from_bytes (film, 0, 30);
  g_autoptr (TestResponse) cut = post (rig, path, "video/webm", half);
  g_assert_cmpuint (cut->status, ==, 422);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (TestResponse) none = post (rig, path, "video/webm", nothing);
  g_assert_cmpuint (none->status, ==, 422);
  g_autoptr (TestResponse) whole = post (rig, path, "video/webm", film);
  g_assert_cmpuint (whole->status, ==, 200);
}

static void
test_refuses_what_is_no_media (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (refuse_garbage, rig);
}

static void
refuse_lies (void *data)
{
  ApiRig *rig = data;
  g_autofree char *path = get_permission (rig);
  g_autoptr (GBytes) little = g_bytes_new_static ("abcdefgh", 8);

  /* More than any disk has: refused before a byte was read. */
  g_autoptr (TestResponse) huge = post_with (rig, path, "", UINT64_C (1) << 62, little);
  g_assert_cmpuint (huge->status, ==, 413);
  wait_until_empty (rig);
  /* Ten gigabytes announced, eight bytes sent. */
  g_assert_null (post_with (rig, path, "", UINT64_C (10000000000), little));
  wait_until_empty (rig);
  g_autoptr (GBytes) film = sample_make (SAMPLE_WEBM);
  const int64_t end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  unsigned status = 0;
  while (status != 200) { /* 409 until the server has noticed that the other connection is gone */
    g_autoptr (TestResponse) response = post (rig, path, "video/webm", film);
    status = response->status;
    g_assert_true (status == 200 || status == 409);
    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
  }
}

static void
test_believes_no_announcement (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (refuse_lies, rig);
}

static void
bound_size (void *data)
{
  ApiRig *rig = data;
  g_autofree char *path = get_permission (rig);
  g_autoptr (TestClient) client = test_client_new (rig->port);
  char chunk[4102];
  bool goes_on = true;

  memset (chunk, 'x', sizeof chunk);
  memcpy (chunk, "1000\r\n", 6);
  send_head (client, path, "", CHUNKED);
  for (int i = 0; i < 10000 && goes_on; i++)
    goes_on = test_client_write (client, chunk, sizeof chunk) &&
              test_client_write (client, "\r\n", 2);
  g_assert_false (goes_on);
  wait_until_empty (rig);
}

static void
test_ends_what_grows_too_large (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (bound_size, rig);
}

static void
tell_size (void *data)
{
  ApiRig *rig = data;
  g_autofree char *path = get_permission (rig);
  g_autoptr (TestClient) client = test_client_new (rig->port);
  char chunk[4102];

  memset (chunk, 'x', sizeof chunk);
  memcpy (chunk, "1000\r\n", 6);
  send_head (client, path, "", CHUNKED);
  for (int i = 0; i < 50; i++) {
    test_client_write (client, chunk, sizeof chunk);
    test_client_write (client, "\r\n", 2);
  }
  test_client_write (client, "0\r\n\r\n", 5);
  g_autoptr (TestResponse) response = test_client_read_response (client, false);
  g_assert_cmpuint (response->status, ==, 413);
  g_assert_nonnull (strstr (response->body->str, "uploads.max-bytes"));
  wait_until_empty (rig);
}

static void
test_tells_what_grew_too_large (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (tell_size, rig);
}

static void
wait_until_begun (ApiRig *rig)
{
  const int64_t end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  while (count_files (rig) == 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
    g_usleep (10000);
  }
}

/* Until it has come and gone; on a slow machine all that may pass unseen, but not half a minute later. */
static void
wait_until_given_up (ApiRig *rig, TestClient *client, unsigned max_drops, unsigned *n_drops)
{
  const int64_t end_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  bool has_begun = false, is_there = false;

  while ((!has_begun || is_there) && g_get_monotonic_time () < end_us) {
    if (*n_drops < max_drops && test_client_write (client, "x", 1))
      ++*n_drops;
    g_usleep (20000);
    is_there = count_files (rig) > 0;
    has_begun |= is_there;
  }
}

/* It has the only place until it is given up. */
static void
send_slowly (ApiRig *rig, const char *path, unsigned max_drops)
{
  const unsigned size = 2000;
  g_autoptr (TestClient) client = test_client_new (rig->port);
  g_autofree char *rest = g_strnfill (size, 'x');
  unsigned n_drops = 0;

  g_assert_true (send_head (client, path, "", size));
  wait_until_given_up (rig, client, max_drops, &n_drops);
  test_client_write (client, rest, size - n_drops);
  g_autoptr (TestResponse) response = test_client_read_response (client, false);
  g_assert_cmpuint (response->status, ==, 408);
  g_assert_nonnull (strstr (response->body->str, "uploads.idle-timeout-s"));
}

static void
give_up_waiting (void *data)
{
  ApiRig *rig = data;
  g_autofree char *path = get_permission (rig);

  send_slowly (rig, path, 0);
  send_slowly (rig, path, 1900);
  g_autoptr (GBytes) film = sample_make (SAMPLE_WEBM);
  g_autoptr (TestResponse) quick = post (rig, path, "video/webm", film);
  g_assert_cmpuint (quick->status, ==, 200);
}

static void
test_gives_up_slow_senders (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (give_up_waiting, rig);
}

/* Two thirds of what may be used, announced twice. */
static void
promise_once (void *data)
{
  ApiRig *rig = data;
  const uint64_t announced = (uint64_t) rec_config_get_int (rig->config, "uploads.max-bytes");
  g_autofree char *path = get_permission (rig), *other = get_permission (rig);
  g_autoptr (TestClient) first = test_client_new (rig->port);
  g_autoptr (TestClient) second = test_client_new (rig->port);
  g_autoptr (TestClient) third = test_client_new (rig->port);

  g_assert_true (send_head (first, path, "", announced));
  wait_until_begun (rig);
  g_assert_true (send_head (second, other, "", announced));
  g_autoptr (TestResponse) refused = test_client_read_response (second, false);
  g_assert_cmpuint (refused->status, ==, 507);
  g_assert_nonnull (strstr (refused->body->str, "recording.min-free-bytes"));
  g_assert_cmpuint (count_files (rig), ==, 1);

  g_clear_pointer (&first, test_client_free);
  wait_until_empty (rig);
  g_assert_true (send_head (third, other, "", announced));
  wait_until_begun (rig);
}

static void
test_promises_the_disk_once (void)
{
  ApiRig rig = { 0 };
  const int64_t free_bytes = rec_path_get_free_bytes (g_get_tmp_dir ());
  const int64_t usable = MIN (free_bytes, INT64_C (1) << 40);
  g_autofree char *settings = g_strdup_printf ("uploads.max-bytes=%" G_GINT64_FORMAT
                                               " recording.min-free-bytes=%" G_GINT64_FORMAT,
      usable / 3, free_bytes - usable / 2);

  if (free_bytes - usable / 2 > INT64_C (1) << 40) {
    g_test_skip ("the disk is larger than recording.min-free-bytes can tell");
    return;
  }
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  api_rig_set_up (&rig, settings);
  test_run_beside_loop (promise_once, &rig);
  api_rig_tear_down (&rig, NULL);
}

static void
go_on_without_folder (void *data)
{
  ApiRig *rig = data;
  g_autoptr (GBytes) film = sample_make (SAMPLE_WEBM);
  g_autoptr (TestResponse)
      token = api_rig_ask (rig, "POST", "/recto/api/v1/upload-tokens", "{\"session\":\"room\"}");
  g_autoptr (TestResponse)
      sent = post_with (rig, UPLOADS, "Authorization: " AUTH "\r\n", g_bytes_get_size (film), film);
  g_autoptr (TestResponse) list = api_rig_ask (rig, "GET", UPLOADS, NULL);
  g_autoptr (TestResponse) one = api_rig_ask (rig, "DELETE", UPLOADS "/upload_A", NULL);

  g_assert_cmpuint (token->status, ==, 503);
  g_assert_cmpuint (sent->status, ==, 503);
  g_assert_nonnull (strstr (list->body->str, "\"count\":0"));
  g_assert_cmpuint (one->status, ==, 404);
}

static void
test_goes_on_without_a_folder (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  /* The refusals are warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  test_run_beside_loop (go_on_without_folder, rig);
}

static void
refuse_strangers (void *data)
{
  ApiRig *rig = data;
  g_autoptr (GBytes) film = sample_make (SAMPLE_WEBM);
  g_autoptr (TestResponse) none = post (rig, UPLOADS, "video/webm", film);
  g_autoptr (TestResponse) wrong = post (rig, UPLOADS "?token=upl_Wrong", "video/webm", film);
  g_autoptr (TestResponse) asked = api_rig_ask_with (rig, "OPTIONS", UPLOADS "?token=x",
      "Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n"
      "Access-Control-Request-Headers: content-type,x-mine\r\n",
      NULL);
  g_autoptr (TestResponse) list = api_rig_ask_with (rig, "GET", UPLOADS, "", NULL);
  g_autoptr (TestResponse) token =
      api_rig_ask_with (rig, "POST", "/recto/api/v1/upload-tokens", "", "{\"session\":\"room\"}");

  g_assert_cmpuint (none->status, ==, 401);
  g_assert_cmpuint (wrong->status, ==, 401);
  g_assert_cmpuint (asked->status, ==, 200);
  g_assert_nonnull (strstr (asked->head, "Access-Control-Allow-Headers: content-type,x-mine"));
  g_assert_cmpuint (list->status, ==, 401);
  g_assert_cmpuint (token->status, ==, 401);
  g_assert_cmpuint (count_files (rig), ==, 0);

  g_autoptr (TestResponse) own = post_with (rig, UPLOADS "?session=room&user=server",
      "Authorization: " AUTH "\r\n", g_bytes_get_size (film), film);
  g_assert_cmpuint (own->status, ==, 200);
  g_assert_nonnull (strstr (own->body->str, "\"user\":\"server\""));
}

static void
test_refuses_strangers (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (refuse_strangers, rig);
}

static void
refuse_more_tokens (void *data)
{
  ApiRig *rig = data;
  g_autofree char *first = get_permission (rig);
  g_autoptr (TestResponse)
      second = api_rig_ask (rig, "POST", "/recto/api/v1/upload-tokens", "{\"session\":\"room\"}");
  g_autoptr (TestResponse)
      odd = api_rig_ask (rig, "POST", "/recto/api/v1/upload-tokens", "{\"session\":5}");

  g_assert_cmpuint (second->status, ==, 429);
  g_assert_cmpuint (odd->status, ==, 400);
}

static void
test_bounds_tokens (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (refuse_more_tokens, rig);
}

static void
refuse_while_draining (void *data)
{
  ApiRig *rig = data;
  g_autoptr (GBytes) film = sample_make (SAMPLE_WEBM);
  g_autofree char *path = get_permission (rig);
  g_autoptr (TestResponse) drained = api_rig_ask (rig, "POST", "/recto/api/v1/drain", NULL);
  g_autoptr (TestResponse) refused = post (rig, path, "video/webm", film);

  g_assert_cmpuint (drained->status, ==, 200);
  g_assert_cmpuint (refused->status, ==, 503);
  g_assert_nonnull (strstr (refused->head, "Retry-After: "));
  g_assert_nonnull (strstr (refused->body->str, "being drained"));
  g_assert_cmpuint (count_files (rig), ==, 0);

  /* It is taken back, and the token was not used up. */
  g_autoptr (TestResponse) over = api_rig_ask (rig, "DELETE", "/recto/api/v1/drain", NULL);
  g_assert_cmpuint (over->status, ==, 200);
  g_autoptr (TestResponse) kept = post (rig, path, "video/webm", film);
  g_assert_cmpuint (kept->status, ==, 200);
}

static void
test_refuses_while_draining (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (refuse_while_draining, rig);
}

#define ADD(name, settings, function)                                                              \
  g_test_add (name, ApiRig, settings, api_rig_set_up, function, api_rig_tear_down)

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("/uploads/keeps-a-file", NULL, test_keeps_a_file);
  ADD ("/uploads/names-files-itself", NULL, test_names_files_itself);
  ADD ("/uploads/refuses-what-is-no-media", NULL, test_refuses_what_is_no_media);
  ADD ("/uploads/believes-no-announcement", "uploads.max-bytes=20000000000",
      test_believes_no_announcement);
  ADD ("/uploads/ends-what-grows-too-large", "uploads.max-bytes=100000",
      test_ends_what_grows_too_large);
  ADD ("/uploads/tells-what-grew-too-large", "uploads.max-bytes=100000",
      test_tells_what_grew_too_large);
  ADD ("/uploads/gives-up-slow-senders", "uploads.idle-timeout-s=1 uploads.max-concurrent=1",
      test_gives_up_slow_senders);
  g_test_add_func ("/uploads/promises-the-disk-once", test_promises_the_disk_once);
  ADD ("/uploads/goes-on-without-a-folder", "uploads.path=/proc/none",
      test_goes_on_without_a_folder);
  ADD ("/uploads/refuses-strangers", NULL, test_refuses_strangers);
  ADD ("/uploads/refuses-while-draining", NULL, test_refuses_while_draining);
  ADD ("/uploads/bounds-tokens", "uploads.max-tokens=1", test_bounds_tokens);
  return g_test_run ();
}
