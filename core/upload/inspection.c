/* inspection.c - runs the child that looks into a file, and checks what it says. */
#define G_LOG_DOMAIN "rec.upload.inspection"
#include "upload/inspection.h"

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESULT_FD 3
#define FILE_FD 4
#define THUMBNAIL_FD 5
#define MAX_ANSWER_BYTES 4096 /* less than a pipe holds: the child never waits for us */
#define MAX_ADDRESS_SPACE (UINT64_C (2) * 1024 * 1024 * 1024)
#define MAX_FILES 64
#define KILL_WAIT_MS 2000
#define LOOK_INTERVAL_MS 100

static const char *const extensions[] = { ".webm", ".mkv", ".mp4", NULL };

typedef struct {
  int result[2], file, thumbnail;
} Descriptors;

static void
clear_descriptors (Descriptors *fds)
{
  rec_fd_close (&fds->result[0]);
  rec_fd_close (&fds->result[1]);
  rec_fd_close (&fds->file);
  rec_fd_close (&fds->thumbnail);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Descriptors, clear_descriptors)

static int
open_file (const char *path, int flags, GError **error)
{
  const int fd = open (path, flags | O_CLOEXEC | O_NOFOLLOW, 0640);

  if (fd < 0)
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "cannot open '%s': %s", path,
        g_strerror (errno));
  return fd;
}

static bool
open_descriptors (Descriptors *fds, const char *path, const char *thumbnail, GError **error)
{
  if (!rec_fd_pipe (fds->result, error))
    return false;
  fds->file = open_file (path, O_RDONLY, error);
  if (fds->file < 0)
    return false;
  fds->thumbnail = open_file (thumbnail, O_WRONLY | O_CREAT | O_TRUNC, error);
  return fds->thumbnail >= 0;
}

static bool
wait_for_child (RecChild *child, int timeout_ms, RecInspectionIsOver is_over, void *data,
    int *status)
{
  for (int waited_ms = 0; waited_ms < timeout_ms; waited_ms += LOOK_INTERVAL_MS) {
    if (rec_child_reap (child, LOOK_INTERVAL_MS, status))
      return true;
    if (is_over (data))
      break;
  }
  rec_child_signal_group (child, SIGKILL);
  rec_child_reap (child, KILL_WAIT_MS, status);
  return false;
}

static RecJson *
read_answer (int fd, GError **error)
{
  char text[MAX_ANSWER_BYTES];
  const ssize_t length = read (fd, text, sizeof text);

  if (length <= 0) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_FAILED, "it said nothing");
    return NULL;
  }
  return rec_json_parse (text, (size_t) length, sizeof text, error);
}

/* The child parsed foreign bytes: what it says is checked like any other input. */
static bool
take_answer (RecJson *answer, RecInspection *inspection, GError **error)
{
  const RecJsonField fields[] = {
    { .name = "refusal", .type = REC_JSON_STRING },
    { .name = "extension", .type = REC_JSON_STRING, .choices = extensions },
    { .name = "durationNs", .type = REC_JSON_INTEGER, .min = 0, .max = INT64_MAX },
    { .name = "hasAudio", .type = REC_JSON_BOOLEAN },
    { .name = "hasVideo", .type = REC_JSON_BOOLEAN },
    REC_JSON_FIELDS_END,
  };

  if (!rec_json_check_closed (answer, fields, error))
    return false;
  const char *refusal = rec_json_string_or (answer, "refusal", NULL);
  const char *extension = rec_json_string_or (answer, "extension", "");
  if (refusal != NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_UNPROCESSABLE, "this is no recording of a browser: %s",
        refusal);
    return false;
  }
  for (size_t i = 0; extensions[i] != NULL; i++)
    if (strcmp (extensions[i], extension) == 0)
      inspection->extension = extensions[i];
  inspection->duration_ns = rec_json_int_or (answer, "durationNs", 0);
  inspection->has_audio = rec_json_bool_or (answer, "hasAudio", false);
  inspection->has_video = rec_json_bool_or (answer, "hasVideo", false);
  if (inspection->extension != NULL && (inspection->has_audio || inspection->has_video))
    return true;
  g_set_error_literal (error, REC_ERROR, REC_ERROR_UNPROCESSABLE,
      "this is no recording of a browser: neither picture nor sound was found");
  return false;
}

static RecChild *
start_child (const RecInspector *inspector, const Descriptors *fds, GError **error)
{
  const RecChildUser *user = inspector->user;
  g_autofree char *task = user == NULL ? g_strdup ("--inspect=")
                                       : g_strdup_printf ("--inspect=%u:%u", user->uid, user->gid);
  const char *const argv[] = { inspector->program, task, NULL };
  const RecChildFd numbered[] = {
    { fds->result[1], RESULT_FD },
    { fds->file, FILE_FD },
    { fds->thumbnail, THUMBNAIL_FD },
  };
  const RecChildSetup setup = {
    .argv = argv,
    .fds = numbered,
    .n_fds = G_N_ELEMENTS (numbered),
    .max_address_space = MAX_ADDRESS_SPACE,
    .max_files = MAX_FILES,
    .has_no_new_privileges = true,
    .max_cpu_s = (unsigned) inspector->timeout_ms / 1000 + 1,
  };

  return rec_child_new (&setup, error);
}

static bool
is_empty (int fd)
{
  struct stat file;

  return fstat (fd, &file) != 0 || file.st_size == 0;
}

bool
rec_inspection_run (const RecInspector *inspector, const char *path, const char *thumbnail,
    RecInspectionIsOver is_over, void *data, RecInspection *inspection, GError **error)
{
  g_auto (Descriptors) fds = { .result = { -1, -1 }, .file = -1, .thumbnail = -1 };
  g_autoptr (GError) why = NULL;
  int status = 0;

  *inspection = (RecInspection){ 0 };
  if (!open_descriptors (&fds, path, thumbnail, error))
    return false;
  g_autoptr (RecChild) child = start_child (inspector, &fds, error);
  if (child == NULL)
    return false;
  rec_fd_close (&fds.result[1]);
  if (!wait_for_child (child, inspector->timeout_ms, is_over, data, &status)) {
    g_set_error (error, REC_ERROR, REC_ERROR_TIMEOUT,
        "looking into the file took longer than uploads.inspect-timeout-ms (%d)",
        inspector->timeout_ms);
    return false;
  }
  g_autoptr (RecJson) answer =
      WIFEXITED (status) && WEXITSTATUS (status) == 0 ? read_answer (fds.result[0], &why) : NULL;
  if (answer == NULL) {
    g_autofree char *reason = rec_child_dup_exit_reason (status);
    g_set_error (error, REC_ERROR, REC_ERROR_UNPROCESSABLE,
        "this is no recording of a browser: whoever looked into it %s%s%s", reason,
        why != NULL ? ", " : "", why != NULL ? why->message : "");
    return false;
  }
  inspection->has_thumbnail = !is_empty (fds.thumbnail);
  if (!inspection->has_thumbnail)
    unlink (thumbnail);
  return take_answer (answer, inspection, error);
}
