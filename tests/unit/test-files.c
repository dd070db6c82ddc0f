/* test-files.c - a file as an HTTP answer: ranges, validators, types. */
#include "api/files.h"

#include "base/fd.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
test_parses_ranges (void)
{
  static const struct {
    const char *header;
    int64_t size;
    RecRangeKind kind;
    int64_t offset, length;
  } cases[] = {
    { NULL, 100, REC_RANGE_NONE, 0, 0 },
    { "bytes=0-9", 100, REC_RANGE_PART, 0, 10 },
    { "bytes=90-", 100, REC_RANGE_PART, 90, 10 },
    { "bytes=-10", 100, REC_RANGE_PART, 90, 10 },
    { "bytes=-1000", 100, REC_RANGE_PART, 0, 100 },
    { "bytes=0-0", 100, REC_RANGE_PART, 0, 1 },
    { "bytes=99-1000", 100, REC_RANGE_PART, 99, 1 },
    { "bytes=0-99999999999999999999", 100, REC_RANGE_PART, 0, 100 },
    { "bytes=5000000000-5000000009", 6000000000, REC_RANGE_PART, 5000000000, 10 },
    { "bytes=100-", 100, REC_RANGE_UNSATISFIABLE, 0, 0 },
    { "bytes=99999999999999999999-", 100, REC_RANGE_UNSATISFIABLE, 0, 0 },
    { "bytes=-0", 100, REC_RANGE_UNSATISFIABLE, 0, 0 },
    { "bytes=0-", 0, REC_RANGE_UNSATISFIABLE, 0, 0 },
    { "bytes=-5", 0, REC_RANGE_UNSATISFIABLE, 0, 0 },
    { "bytes=9-5", 100, REC_RANGE_NONE, 0, 0 },
    { "bytes=0-1,5-6", 100, REC_RANGE_NONE, 0, 0 },
    { "bytes=", 100, REC_RANGE_NONE, 0, 0 },
    { "bytes=-", 100, REC_RANGE_NONE, 0, 0 },
    { "bytes=--5", 100, REC_RANGE_NONE, 0, 0 },
    { "bytes=a-b", 100, REC_RANGE_NONE, 0, 0 },
    { "bytes= 1-2", 100, REC_RANGE_NONE, 0, 0 },
    { "lines=1-2", 100, REC_RANGE_NONE, 0, 0 },
    { "", 100, REC_RANGE_NONE, 0, 0 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    int64_t offset = 0, length = 0;
    g_test_message ("%s", cases[i].header == NULL ? "none" : cases[i].header);
    g_assert_cmpint (rec_range_parse (cases[i].header, cases[i].size, &offset, &length), ==,
        cases[i].kind);
    g_assert_cmpint (offset, ==, cases[i].offset);
    g_assert_cmpint (length, ==, cases[i].length);
  }
}

static void
test_knows_types (void)
{
  g_assert_cmpstr (rec_file_get_type ("a.mp4"), ==, "video/mp4");
  g_assert_cmpstr (rec_file_get_type ("a.b.webm"), ==, "video/webm");
  g_assert_cmpstr (rec_file_get_type ("a.jpg"), ==, "image/jpeg");
  g_assert_cmpstr (rec_file_get_type ("a.html"), ==, "text/html; charset=utf-8");
  g_assert_cmpstr (rec_file_get_type ("a.exe"), ==, "application/octet-stream");
  g_assert_cmpstr (rec_file_get_type ("mp4"), ==, "application/octet-stream");
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static const char content[] = "0123456789";

static RecHttpRequest *
ask (const char *method, const char *path, const char *name, const char *value)
{
  RecHttpRequest *request = rec_http_request_new (method, "/a.mp4");

  if (name != NULL)
    rec_http_request_add_header (request, name, value);
  rec_file_answer (request, open (path, O_RDONLY | O_CLOEXEC), "a.mp4");
  g_assert_true (request->is_answered);
  return request;
}

static const char *
get_header (const RecHttpRequest *request, const char *name)
{
  for (guint i = 0; i + 1 < request->answer.headers->len; i += 2)
    if (strcmp (request->answer.headers->pdata[i], name) == 0)
      return request->answer.headers->pdata[i + 1];
  return NULL;
}

static char *
make_file (void)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("recto-file-XXXXXX", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (rec_fd_write_all (fd, content, strlen (content), NULL));
  rec_fd_close (&fd);
  return path;
}

static void
test_answers_with_a_file (void)
{
  g_autofree char *path = make_file ();
  g_autoptr (RecHttpRequest) whole = ask ("GET", path, NULL, NULL);
  g_autoptr (RecHttpRequest) part = ask ("GET", path, "Range", "bytes=2-4");
  g_autoptr (RecHttpRequest) head = ask ("HEAD", path, "Range", "bytes=2-4");
  g_autoptr (RecHttpRequest) beyond = ask ("GET", path, "Range", "bytes=10-");

  g_assert_cmpuint (whole->answer.status, ==, 200);
  g_assert_cmpint (whole->answer.length, ==, 10);
  g_assert_cmpstr (get_header (whole, "Content-Type"), ==, "video/mp4");
  g_assert_cmpstr (get_header (whole, "Accept-Ranges"), ==, "bytes");
  g_assert_true (g_str_has_suffix (get_header (whole, "Last-Modified"), " GMT"));
  g_assert_cmpuint (part->answer.status, ==, 206);
  g_assert_cmpint (part->answer.offset, ==, 2);
  g_assert_cmpint (part->answer.length, ==, 3);
  g_assert_cmpstr (get_header (part, "Content-Range"), ==, "bytes 2-4/10");
  g_assert_cmpuint (head->answer.status, ==, 200);
  g_assert_cmpuint (beyond->answer.status, ==, 416);
  g_assert_cmpstr (get_header (beyond, "Content-Range"), ==, "bytes */10");
  g_assert_cmpint (beyond->answer.fd, ==, -1);
  g_unlink (path);
}

static void
test_sends_what_changed (void)
{
  g_autofree char *path = make_file ();
  g_autoptr (RecHttpRequest) first = ask ("GET", path, NULL, NULL);
  const char *etag = get_header (first, "ETag");
  g_autofree char *several = g_strdup_printf ("\"other\", W/%s", etag);
  const struct {
    const char *name, *value;
    unsigned status;
  } cases[] = {
    { "If-None-Match", etag, 304 },
    { "If-None-Match", several, 304 },
    { "If-None-Match", "*", 304 },
    { "If-None-Match", "\"other\"", 200 },
    { "If-Modified-Since", get_header (first, "Last-Modified"), 304 },
    { "If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 200 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (RecHttpRequest) again = ask ("GET", path, cases[i].name, cases[i].value);
    g_assert_cmpuint (again->answer.status, ==, cases[i].status);
  }
  g_assert_true (g_file_set_contents (path, "9876543210", -1, NULL));
  g_autoptr (RecHttpRequest) changed = ask ("GET", path, "If-None-Match", etag);
  g_assert_cmpuint (changed->answer.status, ==, 200);
  g_assert_cmpstr (get_header (changed, "ETag"), !=, etag);
  g_unlink (path);
}

static void
test_ranges_are_for_the_same_file (void)
{
  g_autofree char *path = make_file ();
  g_autoptr (RecHttpRequest) first = ask ("GET", path, NULL, NULL);
  const struct {
    const char *if_range;
    unsigned status;
  } cases[] = {
    { get_header (first, "ETag"), 206 },
    { get_header (first, "Last-Modified"), 206 },
    { "\"other\"", 200 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 200 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (RecHttpRequest) request = rec_http_request_new ("GET", "/a.mp4");
    rec_http_request_add_header (request, "Range", "bytes=0-1");
    rec_http_request_add_header (request, "If-Range", cases[i].if_range);
    rec_file_answer (request, open (path, O_RDONLY | O_CLOEXEC), "a.mp4");
    g_assert_cmpuint (request->answer.status, ==, cases[i].status);
  }
  g_unlink (path);
}

static void
test_refuses_what_is_no_file (void)
{
  g_autoptr (RecHttpRequest) folder = ask ("GET", "/", NULL, NULL);
  g_autoptr (RecHttpRequest) device = ask ("GET", "/dev/zero", NULL, NULL);

  g_assert_cmpuint (folder->answer.status, ==, 404);
  g_assert_cmpuint (device->answer.status, ==, 404);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/files/parses-ranges", test_parses_ranges);
  g_test_add_func ("/files/knows-types", test_knows_types);
  g_test_add_func ("/files/answers-with-a-file", test_answers_with_a_file);
  g_test_add_func ("/files/sends-what-changed", test_sends_what_changed);
  g_test_add_func ("/files/ranges-are-for-the-same-file", test_ranges_are_for_the_same_file);
  g_test_add_func ("/files/refuses-what-is-no-file", test_refuses_what_is_no_file);
  return g_test_run ();
}
