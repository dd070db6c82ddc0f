/* control.c - JSON lines over a stream socket: the message table, bounded lines, bounded queue. */
#define G_LOG_DOMAIN "rec.wire.control"
#include "wire/control.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES (512 * 1024)
#define QUEUE_MAX_BYTES (4 * 1024 * 1024)
#define READ_BYTES 16384

struct RecControl {
  int fd;
  bool is_worker;
  RecControlMessage message;
  RecControlClosed closed;
  void *data;
  GMainContext *context;
  GSource *read_source, *write_source;
  GByteArray *input, *output;
  bool is_gone;    /* nothing is received any more */
  bool is_reading; /* a callback may free us, or poll us, while we loop */
  bool is_abandoned;
};

/* --- the table --------------------------------------------------------------------------------- */

#define STRING(key, most)                                                                          \
  {                                                                                                \
    .name = key, .type = REC_JSON_STRING, .required = true, .max = most                            \
  }
#define OPTIONAL_STRING(key, most)                                                                 \
  {                                                                                                \
    .name = key, .type = REC_JSON_STRING, .max = most                                              \
  }
#define INTEGER(key, least, most)                                                                  \
  {                                                                                                \
    .name = key, .type = REC_JSON_INTEGER, .required = true, .min = least, .max = most             \
  }
#define OPTIONAL_INTEGER(key, least, most)                                                         \
  {                                                                                                \
    .name = key, .type = REC_JSON_INTEGER, .min = least, .max = most                               \
  }
#define BOOLEAN(key)                                                                               \
  {                                                                                                \
    .name = key, .type = REC_JSON_BOOLEAN, .required = true                                        \
  }
#define OPTIONAL_BOOLEAN(key)                                                                      \
  {                                                                                                \
    .name = key, .type = REC_JSON_BOOLEAN                                                          \
  }
#define OBJECT(key)                                                                                \
  {                                                                                                \
    .name = key, .type = REC_JSON_OBJECT, .required = true                                         \
  }
#define OPTIONAL_OBJECT(key)                                                                       \
  {                                                                                                \
    .name = key, .type = REC_JSON_OBJECT                                                           \
  }
#define ARRAY(key, most)                                                                           \
  {                                                                                                \
    .name = key, .type = REC_JSON_ARRAY, .required = true, .max = most                             \
  }
#define TIME(key) INTEGER (key, 0, INT64_MAX)

static const char *const clocks[] = { "live", "packets", NULL };
static const char *const modes[] = { "composed", "individual", NULL };
static const char *const media[] = { "audio", "video", NULL };
static const char *const fallbacks[] = { "best_fit", "fail", NULL };
static const char *const recorder_states[] = { "joined", "left", NULL };
static const char *const page_events[] = { "loading", "connected", "painted", "console", "hung",
  "crashed", "limit", "slowed", "restarted", "failed", "fallback", NULL };
static const char *const refusals[] = { "invalid", "not-found", "unsupported", NULL };

static const RecJsonField setup_fields[] = {
  STRING ("version", 64),
  STRING ("build", 128),
  OBJECT ("recording"),
  OPTIONAL_OBJECT ("layout"),
  ARRAY ("sinks", 16),
  OBJECT ("encoder"),
  OBJECT ("limits"),
  { .name = "clock", .type = REC_JSON_STRING, .required = true, .choices = clocks },
  OPTIONAL_INTEGER ("thumbnailWidth", 0, 4096),
  OPTIONAL_OBJECT ("page"),
  REC_JSON_FIELDS_END,
};

static const RecJsonField recording_fields[] = {
  STRING ("id", 1000),
  STRING ("directory", 4096),
  STRING ("name", 1000),
  INTEGER ("width", 0, 8192),
  INTEGER ("height", 0, 8192),
  INTEGER ("frameRate", 1, 240),
  BOOLEAN ("hasAudio"),
  BOOLEAN ("hasVideo"),
  OPTIONAL_STRING ("sessionId", 1000),
  OPTIONAL_BOOLEAN ("individual"),
  OPTIONAL_BOOLEAN ("zipDeflates"),
  OPTIONAL_BOOLEAN ("ignoreFailedStreams"),
  REC_JSON_FIELDS_END,
};

static const RecJsonField layout_fields[] = {
  STRING ("id", 64),
  STRING ("file", 4096),
  OPTIONAL_OBJECT ("options"),
  REC_JSON_FIELDS_END,
};

static const RecJsonField sink_fields[] = {
  STRING ("id", 64),
  STRING ("file", 4096),
  BOOLEAN ("required"),
  { .name = "mode", .type = REC_JSON_STRING, .choices = modes },
  OPTIONAL_OBJECT ("options"),
  REC_JSON_FIELDS_END,
};

static const RecJsonField encoder_fields[] = {
  STRING ("preset", 32),
  INTEGER ("crf", 0, 51),
  INTEGER ("maxBitrate", 1, 1000000),
  INTEGER ("keyframeIntervalMs", 20, 600000),
  INTEGER ("audioBitrate", 1, 10000),
  OPTIONAL_INTEGER ("threads", 0, 64),
  REC_JSON_FIELDS_END,
};

static const RecJsonField limits_fields[] = {
  INTEGER ("sinkQueueMs", 1, 3600000),
  INTEGER ("sinkQueueBytes", 1, INT64_MAX),
  INTEGER ("sinkDeadlineMs", 1, 3600000),
  INTEGER ("finishDeadlineMs", 1, 3600000),
  OPTIONAL_INTEGER ("streamTimeoutMs", 1, 3600000),
  OPTIONAL_INTEGER ("timelineBytes", 0, INT64_MAX),
  OPTIONAL_INTEGER ("zipTimeoutMs", 1, INT64_MAX / 1000),
  OPTIONAL_INTEGER ("zipSpareBytes", 0, INT64_MAX / 2),
  REC_JSON_FIELDS_END,
};

static const RecJsonField page_fields[] = {
  OBJECT ("plugin"),
  STRING ("layoutDir", 4096),
  STRING ("baseUrl", 4096),
  STRING ("layout", 4096),
  STRING ("sessionId", 1000),
  STRING ("secret", 1000),
  STRING ("recordingId", 1000),
  STRING ("hostRules", 4096),
  INTEGER ("port", 1, 65535),
  STRING ("certKeyHash", 128),
  { .name = "fallback", .type = REC_JSON_STRING, .required = true, .choices = fallbacks },
  OBJECT ("browser"),
  REC_JSON_FIELDS_END,
};

static const RecJsonField browser_fields[] = {
  STRING ("program", 4096),
  STRING ("user", 256),
  STRING ("profileDirectory", 4096),
  INTEGER ("memoryBytes", 0, INT64_MAX),
  INTEGER ("cpuPercent", 0, 1000000),
  INTEGER ("readyTimeoutMs", 1, 3600000),
  BOOLEAN ("sandbox"),
  OPTIONAL_STRING ("group", 4096),
  REC_JSON_FIELDS_END,
};

static const RecJsonField begin_fields[] = {
  TIME ("startNs"),
  OPTIONAL_INTEGER ("streams", 0, 100000),
  OPTIONAL_INTEGER ("createdAt", 0, INT64_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField track_add_fields[] = {
  INTEGER ("track", 1, UINT32_MAX),
  STRING ("stream", 1000),
  STRING ("participant", 1000),
  OPTIONAL_STRING ("data", 65536),
  { .name = "media", .type = REC_JSON_STRING, .required = true, .choices = media },
  STRING ("codec", 32),
  INTEGER ("payloadType", 0, 127),
  INTEGER ("clockRate", 1, 1000000),
  OPTIONAL_STRING ("fmtp", 4096),
  OPTIONAL_STRING ("role", 64),
  OPTIONAL_STRING ("classes", 4096),
  OPTIONAL_STRING ("clientData", 65536),
  OPTIONAL_STRING ("serverData", 65536),
  OPTIONAL_STRING ("typeOfVideo", 64),
  OPTIONAL_BOOLEAN ("isScreen"),
  OPTIONAL_BOOLEAN ("record"),
  { .name = "joinedNs", .type = REC_JSON_INTEGER, .required = true },
  REC_JSON_FIELDS_END,
};

static const RecJsonField track_end_fields[] = {
  INTEGER ("track", 1, UINT32_MAX),
  TIME ("atNs"),
  REC_JSON_FIELDS_END,
};

static const RecJsonField stream_state_fields[] = {
  STRING ("stream", 1000),
  OPTIONAL_BOOLEAN ("audioActive"),
  OPTIONAL_BOOLEAN ("videoActive"),
  OPTIONAL_BOOLEAN ("isScreen"),
  OPTIONAL_BOOLEAN ("record"),
  OPTIONAL_INTEGER ("atNs", 0, INT64_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField recorder_fields[] = {
  { .name = "state", .type = REC_JSON_STRING, .required = true, .choices = recorder_states },
  OPTIONAL_INTEGER ("streams", 0, INT32_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField stop_fields[] = {
  TIME ("atNs"),
  OPTIONAL_STRING ("reason", 1000),
  REC_JSON_FIELDS_END,
};

static const RecJsonField hello_fields[] = {
  STRING ("version", 64),
  STRING ("build", 128),
  INTEGER ("pid", 1, INT32_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField ready_fields[] = { REC_JSON_FIELDS_END };

static const RecJsonField started_fields[] = {
  OPTIONAL_STRING ("file", 4096),
  REC_JSON_FIELDS_END,
};

static const RecJsonField keyframe_fields[] = {
  INTEGER ("track", 1, UINT32_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField note_fields[] = {
  STRING ("text", 4096),
  REC_JSON_FIELDS_END,
};

static const RecJsonField stats_fields[] = {
  { .name = "seconds", .type = REC_JSON_NUMBER, .required = true },
  INTEGER ("framesOut", 0, INT64_MAX),
  INTEGER ("framesRepeated", 0, INT64_MAX),
  INTEGER ("packetsIn", 0, INT64_MAX),
  INTEGER ("packetsDropped", 0, INT64_MAX),
  OPTIONAL_INTEGER ("pageFrames", 0, INT64_MAX),
  OPTIONAL_INTEGER ("pageFramesRepeated", 0, INT64_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField page_event_fields[] = {
  { .name = "event", .type = REC_JSON_STRING, .required = true, .choices = page_events },
  OPTIONAL_STRING ("message", 4096),
  { .name = "console", .type = REC_JSON_STRINGS, .max = 100 },
  OPTIONAL_INTEGER ("fromNs", 0, INT64_MAX),
  OPTIONAL_INTEGER ("toNs", 0, INT64_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField progress_fields[] = {
  OPTIONAL_INTEGER ("bytes", 0, INT64_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField finished_fields[] = {
  BOOLEAN ("ok"),
  ARRAY ("files", 1000),
  OPTIONAL_STRING ("message", 4096),
  REC_JSON_FIELDS_END,
};

static const RecJsonField file_fields[] = {
  STRING ("name", 4096),
  STRING ("mediaType", 256),
  INTEGER ("size", 0, INT64_MAX),
  INTEGER ("durationNs", 0, INT64_MAX),
  BOOLEAN ("hasAudio"),
  BOOLEAN ("hasVideo"),
  OPTIONAL_STRING ("stream", 1000),
  OPTIONAL_INTEGER ("startNs", 0, INT64_MAX),
  OPTIONAL_INTEGER ("endNs", 0, INT64_MAX),
  REC_JSON_FIELDS_END,
};

static const RecJsonField failed_fields[] = {
  STRING ("message", 4096),
  { .name = "code", .type = REC_JSON_STRING, .choices = refusals },
  REC_JSON_FIELDS_END,
};

/* A member that is an object, or an array of objects, with a table of its own. "a.b": b in a, where a comes before. */
typedef struct Part {
  const char *name;
  const RecJsonField *fields;
  bool is_array;
} Part;

typedef struct Row {
  RecControlType type;
  const char *name;
  bool is_down;
  const RecJsonField *fields;
  Part parts[9];
} Row;

#define SETUP_PARTS                                                                                \
  {                                                                                                \
    { "recording", recording_fields, false }, { "layout", layout_fields, false },                  \
        { "sinks", sink_fields, true }, { "encoder", encoder_fields, false },                      \
        { "limits", limits_fields, false }, { "page", page_fields, false },                        \
        { "page.plugin", layout_fields, false }, { "page.browser", browser_fields, false },        \
  }

static const Row rows[] = {
  { REC_CONTROL_SETUP, "setup", true, setup_fields, SETUP_PARTS },
  { REC_CONTROL_RECOVER, "recover", true, setup_fields, SETUP_PARTS },
  { REC_CONTROL_BEGIN, "begin", true, begin_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_TRACK_ADD, "track-add", true, track_add_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_TRACK_END, "track-end", true, track_end_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_STREAM_STATE, "stream-state", true, stream_state_fields,
      { { NULL, NULL, false } } },
  { REC_CONTROL_RECORDER, "recorder", true, recorder_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_STOP, "stop", true, stop_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_HELLO, "hello", false, hello_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_READY, "ready", false, ready_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_STARTED, "started", false, started_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_KEYFRAME, "keyframe", false, keyframe_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_NOTE, "note", false, note_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_PAGE, "page", false, page_event_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_STATS, "stats", false, stats_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_PROGRESS, "progress", false, progress_fields, { { NULL, NULL, false } } },
  { REC_CONTROL_FINISHED, "finished", false, finished_fields, { { "files", file_fields, true } } },
  { REC_CONTROL_FAILED, "failed", false, failed_fields, { { NULL, NULL, false } } },
};

static const Row *
find_row (const char *name, bool is_down)
{
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].is_down == is_down && strcmp (rows[i].name, name) == 0)
      return &rows[i];
  return NULL;
}

static const char *
get_name (RecControlType type)
{
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].type == type)
      return rows[i].name;
  g_assert_not_reached ();
}

static RecJson *
find_part (RecJson *message, const char *name)
{
  g_auto (GStrv) path = g_strsplit (name, ".", 2);
  RecJson *member = rec_json_get (message, path[0]);

  return path[1] != NULL ? rec_json_get (member, path[1]) : member;
}

static bool
check_part (RecJson *message, const Part *part, GError **error)
{
  RecJson *member = find_part (message, part->name);

  if (member == NULL)
    return true;
  if (!part->is_array)
    return rec_json_check (member, part->fields, error);
  for (size_t i = 0; i < json_object_array_length (member); i++)
    if (!rec_json_check (json_object_array_get_idx (member, i), part->fields, error))
      return false;
  return true;
}

RecControlType
rec_control_check (json_object *message, bool is_worker, GError **error)
{
  const char *name = NULL;
  const Row *row;

  if (!json_object_is_type (message, json_type_object)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "a control message must be an object");
    return REC_CONTROL_INVALID;
  }
  if (!rec_json_get_string (message, "type", &name, error))
    return REC_CONTROL_INVALID;
  row = find_row (name, is_worker);
  if (row == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "unknown control message '%.64s'",
        name);
    return REC_CONTROL_INVALID;
  }

  if (!rec_json_check (message, row->fields, error)) {
    g_prefix_error (error, "control message '%s': ", row->name);
    return REC_CONTROL_INVALID;
  }
  for (const Part *part = row->parts; part->name != NULL; part++)
    if (!check_part (message, part, error)) {
      g_prefix_error (error, "control message '%s', %s: ", row->name, part->name);
      return REC_CONTROL_INVALID;
    }
  return row->type;
}

/* --- receiving --------------------------------------------------------------------------------- */

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
end (RecControl *control, const GError *error)
{
  if (control->is_gone)
    return;
  control->is_gone = true;
  drop_source (&control->read_source);
  control->closed (control, error, control->data);
}

static bool
handle_line (RecControl *control, const char *line, size_t length, GError **error)
{
  g_autoptr (RecJson) message = rec_json_parse (line, length, LINE_MAX_BYTES, error);
  RecControlType type;

  if (message == NULL)
    return false;
  type = rec_control_check (message, control->is_worker, error);
  if (type == REC_CONTROL_INVALID)
    return false;
  control->message (control, type, message, control->data);
  return true;
}

static void
handle_lines (RecControl *control)
{
  while (!control->is_gone && !control->is_abandoned) {
    GByteArray *input = control->input;
    const uint8_t *newline = input->len > 0 ? memchr (input->data, '\n', input->len) : NULL;
    g_autoptr (GError) error = NULL;
    g_autofree char *line = NULL;
    size_t length;

    if (newline == NULL) {
      if (input->len <= LINE_MAX_BYTES)
        return;
      g_set_error (&error, REC_ERROR, REC_ERROR_TOO_LARGE,
          "a line of the control socket is longer than %d bytes", LINE_MAX_BYTES);
      end (control, error);
      return;
    }
    length = (size_t) (newline - input->data);
    line = g_strndup ((const char *) input->data, length);
    g_byte_array_remove_range (input, 0, (unsigned) length + 1);
    if (!handle_line (control, line, length, &error))
      end (control, error);
  }
}

static void
free_now (RecControl *control)
{
  g_byte_array_unref (control->input);
  g_byte_array_unref (control->output);
  g_main_context_unref (control->context);
  g_free (control);
}

/* Reads what is there. Callbacks may free the control: it then lives until the loop is left. */
static void
read_available (RecControl *control)
{
  uint8_t buffer[READ_BYTES];

  if (control->is_reading || control->is_gone)
    return;
  control->is_reading = true;
  while (!control->is_gone && !control->is_abandoned) {
    ssize_t n = read (control->fd, buffer, sizeof buffer);

    if (n > 0) {
      g_byte_array_append (control->input, buffer, (unsigned) n);
      handle_lines (control);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && errno == EAGAIN) {
      break;
    } else {
      end (control, NULL);
    }
  }
  control->is_reading = false;
  if (control->is_abandoned)
    free_now (control);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  (void) fd;
  (void) condition;
  read_available (data);
  return G_SOURCE_CONTINUE;
}

void
rec_control_poll (RecControl *control)
{
  read_available (control);
}

/* --- sending ----------------------------------------------------------------------------------- */

/* False when the other end is gone. */
static bool
write_some (RecControl *control)
{
  while (control->output->len > 0) {
    ssize_t n = send (control->fd, control->output->data, control->output->len, MSG_NOSIGNAL);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      return true;
    if (n < 0)
      return false;
    g_byte_array_remove_range (control->output, 0, (unsigned) n);
  }
  return true;
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer data)
{
  RecControl *control = data;

  (void) fd;
  (void) condition;
  if (write_some (control) && control->output->len > 0)
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&control->write_source, g_source_unref);
  return G_SOURCE_REMOVE;
}

static GSource *
watch (RecControl *control, GIOCondition condition, int priority, GUnixFDSourceFunc call)
{
  GSource *source = g_unix_fd_source_new (control->fd, condition);

  g_source_set_priority (source, priority);
  g_source_set_callback (source, G_SOURCE_FUNC (call), control, NULL);
  g_source_attach (source, control->context);
  return source;
}

bool
rec_control_send (RecControl *control, RecControlType type, json_object *message)
{
  g_autoptr (RecJson) owned = message;
  const char *text;
  size_t length;

  rec_json_set_string (owned, "type", get_name (type));
  text = json_object_to_json_string_length (owned,
      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
  if (length > LINE_MAX_BYTES || control->output->len + length > QUEUE_MAX_BYTES)
    return false;

  g_byte_array_append (control->output, (const uint8_t *) text, (unsigned) length);
  g_byte_array_append (control->output, (const uint8_t *) "\n", 1);
  if (control->write_source != NULL)
    return true;
  if (!write_some (control)) {
    g_byte_array_set_size (control->output, 0);
    return false;
  }
  if (control->output->len > 0)
    control->write_source = watch (control, G_IO_OUT, G_PRIORITY_HIGH, on_writable);
  return true;
}

bool
rec_control_flush (RecControl *control, int timeout_ms)
{
  const int64_t until_us = g_get_monotonic_time () + (int64_t) timeout_ms * 1000;

  while (write_some (control)) {
    struct pollfd poller = { .fd = control->fd, .events = POLLOUT };
    const int64_t left_us = until_us - g_get_monotonic_time ();

    if (control->output->len == 0)
      return true;
    if (left_us <= 0)
      return false;
    (void) poll (&poller, 1, (int) (left_us / 1000) + 1);
  }
  return false;
}

/* --- life -------------------------------------------------------------------------------------- */

RecControl *
rec_control_new (int fd, bool is_worker, RecControlMessage message, RecControlClosed closed,
    void *data)
{
  RecControl *control = g_new0 (RecControl, 1);
  g_autoptr (GError) error = NULL;

  if (!rec_fd_set_nonblocking (fd, true, &error))
    g_error ("cannot use descriptor %d as a control socket: %s", fd, error->message);
  control->fd = fd;
  control->is_worker = is_worker;
  control->message = message;
  control->closed = closed;
  control->data = data;
  control->context = g_main_context_ref_thread_default ();
  control->input = g_byte_array_new ();
  control->output = g_byte_array_new ();
  control->read_source = watch (control, G_IO_IN, G_PRIORITY_HIGH, on_readable);
  return control;
}

void
rec_control_free (RecControl *control)
{
  if (control == NULL)
    return;
  drop_source (&control->read_source);
  drop_source (&control->write_source);
  rec_fd_close (&control->fd);
  if (control->is_reading)
    control->is_abandoned = true;
  else
    free_now (control);
}
