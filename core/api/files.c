/* files.c - recorded files over HTTP: which one an address means, ranges, validators, types. */
#define G_LOG_DOMAIN "rec.api.files"
#include "api/files.h"

#include "api/private.h"
#include "base/fd.h"
#include "base/path.h"
#include "recording/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NOT_FOUND "there is no such file"

/* --- ranges ---------------------------------------------------------------------------------------------------------- */

/* Digits alone; -1 when there are none, or too many. */
static int64_t
parse_number (const char **text)
{
  char *end;

  if (!g_ascii_isdigit (**text))
    return -1;
  errno = 0;
  const int64_t number = g_ascii_strtoll (*text, &end, 10);
  *text = end;
  return errno == 0 ? number : INT64_MAX;
}

RecRangeKind
rec_range_parse (const char *header, int64_t size, int64_t *offset, int64_t *length)
{
  if (header == NULL || !g_str_has_prefix (header, "bytes="))
    return REC_RANGE_NONE;
  const char *at = header + strlen ("bytes=");
  int64_t first = parse_number (&at);
  if (*at++ != '-')
    return REC_RANGE_NONE;
  int64_t last = parse_number (&at);
  if (*at != '\0' || (first < 0 && last < 0) || (first >= 0 && last >= 0 && last < first))
    return REC_RANGE_NONE;
  if (first < 0) { /* the last so many bytes */
    first = last < size ? size - last : 0;
    last = last == 0 ? -1 : size - 1;
  } else if (last < 0 || last >= size) {
    last = size - 1;
  }
  if (first >= size || last < first)
    return REC_RANGE_UNSATISFIABLE;
  *offset = first;
  *length = last - first + 1;
  return REC_RANGE_PART;
}

/* --- answers --------------------------------------------------------------------------------------------------------- */

const char *
rec_file_get_type (const char *name)
{
  static const char *const types[][2] = {
    { ".mp4", "video/mp4" },
    { ".webm", "video/webm" },
    { ".mkv", "video/x-matroska" },
    { ".jpg", "image/jpeg" },
    { ".zip", "application/zip" },
    { ".json", "application/json" },
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".mjs", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".txt", "text/plain; charset=utf-8" },
    { ".log", "text/plain; charset=utf-8" },
    { ".svg", "image/svg+xml" },
    { ".png", "image/png" },
    { ".jpeg", "image/jpeg" },
    { ".gif", "image/gif" },
    { ".webp", "image/webp" },
    { ".avif", "image/avif" },
    { ".ico", "image/x-icon" },
    { ".woff", "font/woff" },
    { ".woff2", "font/woff2" },
    { ".ttf", "font/ttf" },
    { ".otf", "font/otf" },
    { ".mp3", "audio/mpeg" },
    { ".m4a", "audio/mp4" },
    { ".ogg", "audio/ogg" },
    { ".wav", "audio/wav" },
    { ".wasm", "application/wasm" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_has_suffix (name, types[i][0]))
      return types[i][1];
  return "application/octet-stream";
}

static char *
make_http_date (time_t time)
{
  static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
  static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
    "Sep", "Oct", "Nov", "Dec" };
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time);

  return g_strdup_printf ("%s, %02d %s %04d %02d:%02d:%02d GMT",
      days[g_date_time_get_day_of_week (date) - 1], g_date_time_get_day_of_month (date),
      months[g_date_time_get_month (date) - 1], g_date_time_get_year (date),
      g_date_time_get_hour (date), g_date_time_get_minute (date), g_date_time_get_second (date));
}

/* The inode tells files apart that were put in place within one tick of the clock. */
static char *
make_etag (const struct stat *file)
{
  return g_strdup_printf ("\"%llx-%llx.%lx-%llx\"", (unsigned long long) file->st_size,
      (unsigned long long) file->st_mtim.tv_sec, (unsigned long) file->st_mtim.tv_nsec,
      (unsigned long long) file->st_ino);
}

static bool
is_unchanged (const RecHttpRequest *request, const char *etag, const char *date)
{
  const char *since = rec_http_request_get_header (request, "if-modified-since");

  if (rec_http_request_get_header (request, "if-none-match") == NULL)
    return g_strcmp0 (since, date) == 0;
  g_autofree char *weak = g_strconcat ("W/", etag, NULL);
  return rec_http_request_header_has (request, "if-none-match", etag) ||
         rec_http_request_header_has (request, "if-none-match", weak) ||
         rec_http_request_header_has (request, "if-none-match", "*");
}

/* The range, unless it was meant for a file that has changed since. */
static const char *
get_range (const RecHttpRequest *request, const char *etag, const char *date)
{
  const char *condition = rec_http_request_get_header (request, "if-range");

  if (strcmp (request->method, "GET") != 0)
    return NULL;
  if (condition != NULL && strcmp (condition, etag) != 0 && strcmp (condition, date) != 0)
    return NULL;
  return rec_http_request_get_header (request, "range");
}

static void
answer_range (RecHttpRequest *request, int fd, const char *type, int64_t size, const char *range)
{
  int64_t offset = 0, length = size;
  g_autofree char *content_range = NULL;
  const RecRangeKind kind = rec_range_parse (range, size, &offset, &length);

  if (kind == REC_RANGE_UNSATISFIABLE) {
    content_range = g_strdup_printf ("bytes */%" G_GINT64_FORMAT, size);
    rec_http_add_answer_header (request, "Content-Range", content_range);
    rec_fd_close (&fd);
    rec_http_answer_status (request, 416, "the file ends before this range begins");
    return;
  }
  if (kind == REC_RANGE_PART) {
    content_range = g_strdup_printf ("bytes %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT
                                     "/%" G_GINT64_FORMAT,
        offset, offset + length - 1, size);
    rec_http_add_answer_header (request, "Content-Range", content_range);
  }
  rec_http_answer_file (request, kind == REC_RANGE_PART ? 206 : 200, type, fd, offset, length);
}

void
rec_file_answer (RecHttpRequest *request, int fd, const char *name)
{
  struct stat file;

  if (fstat (fd, &file) != 0 || !S_ISREG (file.st_mode)) {
    rec_fd_close (&fd);
    rec_http_answer_status (request, 404, NOT_FOUND);
    return;
  }
  g_autofree char *etag = make_etag (&file);
  g_autofree char *date = make_http_date (file.st_mtim.tv_sec);
  rec_http_add_answer_header (request, "ETag", etag);
  rec_http_add_answer_header (request, "Last-Modified", date);
  rec_http_add_answer_header (request, "Accept-Ranges", "bytes");
  rec_http_add_answer_header (request, "Cache-Control", "private, no-cache");
  if (is_unchanged (request, etag, date)) {
    rec_fd_close (&fd);
    rec_http_answer_empty (request, 304);
    return;
  }
  answer_range (request, fd, rec_file_get_type (name), file.st_size,
      get_range (request, etag, date));
}

/* --- addresses ------------------------------------------------------------------------------------------------------- */

/* Opens what the recording itself knows as its file: no part of the address ever becomes a path. */
static int
open_file (RecCall *call, const RecRecording *recording, const char *name)
{
  static const char *const kinds[] = { "video", "thumbnail" };

  if (rec_recording_is_active (recording))
    return -1;
  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree char *path =
        rec_supervisor_dup_file_path (call->api->context.supervisor, recording, kinds[i]);
    if (path == NULL)
      continue;
    g_autofree char *folder = g_path_get_dirname (path);
    g_autofree char *base = g_path_get_basename (path);
    if (strcmp (base, name) == 0)
      return rec_path_open_contained (folder, base, O_RDONLY | O_NONBLOCK, 0, NULL);
  }
  for (guint i = 0; i < recording->other_files->len; i++) {
    const char *other = recording->other_files->pdata[i];
    if (strcmp (other, name) == 0)
      return rec_path_open_contained (recording->directory, other, O_RDONLY | O_NONBLOCK, 0, NULL);
  }
  return -1;
}

static void
answer_with (RecCall *call, int fd, const char *name)
{
  if (fd < 0)
    rec_http_answer_status (call->request, 404, NOT_FOUND);
  else
    rec_file_answer (call->request, fd, name);
}

/* /recordings/NAME.mp4: the folder of the first era is flat. */
void
rec_send_flat_file (RecCall *call)
{
  GPtrArray *recordings = rec_registry_get_recordings (call->api->context.registry);
  const char *name = call->arguments[0];

  for (guint i = recordings->len; i-- > 0;) {
    const RecRecording *recording = recordings->pdata[i];
    if (recording->era != REC_ERA_OLD || g_strcmp0 (recording->file_name, name) != 0)
      continue;
    int fd = open_file (call, recording, name);
    if (fd >= 0) {
      rec_file_answer (call->request, fd, name);
      return;
    }
  }
  rec_http_answer_status (call->request, 404, NOT_FOUND);
}

/* Who was when, as JSON. */
void
rec_send_timeline (RecCall *call)
{
  const RecRecording *recording =
      rec_registry_find_recording (call->api->context.registry, call->arguments[0]);
  g_autofree char *name = recording != NULL ? g_strconcat (recording->name, ".timeline.json", NULL)
                                            : NULL;

  answer_with (call, recording == NULL ? -1 : open_file (call, recording, name),
      recording != NULL ? name : "");
}

void
rec_send_file (RecCall *call)
{
  const RecRecording *recording =
      rec_registry_find_recording (call->api->context.registry, call->arguments[0]);
  const char *name = call->arguments[1];

  answer_with (call, recording == NULL ? -1 : open_file (call, recording, name), name);
}
