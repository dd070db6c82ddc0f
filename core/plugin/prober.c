/* prober.c - runs the probes, reads what they say, and puts into words why one did not answer. */
#define G_LOG_DOMAIN "rec.plugin.prober"
#include "plugin/prober.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "plugin/loader.h"
#include "plugin/options.h"

#define MAX_AT_ONCE 4
#define MAX_OUTPUT_BYTES (256 * 1024)
#define MAX_MEMORY_BYTES (1024ULL * 1024 * 1024)
#define MAX_FILES 256
#define KILL_WAIT_MS 2000 /* SIGKILL needs no time, a busy machine might */

typedef struct {
  RecChild *child;
  int fd; /* reads its answer; -1 once it is complete */
  GByteArray *output;
  int64_t end_us;
  bool lists_layouts;
  RecProbeResult *result; /* borrowed */
} Probe;

static void
free_result (void *data)
{
  RecProbeResult *result = data;

  g_free (result->file);
  json_object_put (result->descriptor);
  json_object_put (result->layouts);
  g_free (result->refusal);
  g_free (result);
}

static void
free_probe (void *data)
{
  Probe *probe = data;

  rec_child_free (probe->child);
  rec_fd_close (&probe->fd);
  g_byte_array_unref (probe->output);
  g_free (probe);
}

static void refuse (RecProbeResult *result, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
refuse (RecProbeResult *result, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  result->refusal = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

/* --- the answer ------------------------------------------------------------------------------- */

static bool
check_options (RecJson *options, GError **error)
{
  static const char *const types[] = { "int", "bool", "string", NULL };
  const RecJsonField fields[] = {
    { .name = "key",
        .type = REC_JSON_STRING,
        .required = true,
        .is_valid = rec_option_is_name,
        .expected = "[a-z0-9_-]+" },
    { .name = "type", .type = REC_JSON_STRING, .required = true, .choices = types },
    { .name = "flags", .type = REC_JSON_STRINGS, .required = true },
    { .name = "fallback", .type = REC_JSON_ANY, .required = true },
    { .name = "help", .type = REC_JSON_STRING, .required = true },
    { .name = "min", .type = REC_JSON_INTEGER },
    { .name = "max", .type = REC_JSON_INTEGER },
    { .name = "choices", .type = REC_JSON_STRINGS },
    REC_JSON_FIELDS_END,
  };

  for (size_t i = 0; i < json_object_array_length (options); i++) {
    RecJson *option = json_object_array_get_idx (options, i);

    if (!rec_json_check_closed (option, fields, error) ||
        !rec_option_check (option, rec_json_get (option, "fallback"), error))
      return false;
  }
  return true;
}

/* The child ran the plugin's code, so what it prints is input like any other. */
static bool
check_descriptor (RecJson *descriptor, GError **error)
{
  static const char *const kinds[] = { "arranging-layout", "page-layout", "sink", NULL };
  const RecJsonField fields[] = {
    { .name = "id",
        .type = REC_JSON_STRING,
        .required = true,
        .is_valid = rec_option_is_name,
        .expected = "[a-z0-9_-]+" },
    { .name = "kind", .type = REC_JSON_STRING, .required = true, .choices = kinds },
    { .name = "version", .type = REC_JSON_STRING, .required = true },
    { .name = "summary", .type = REC_JSON_STRING, .required = true },
    { .name = "options", .type = REC_JSON_ARRAY, .required = true, .max = REC_OPTIONS_MAX },
    { .name = "accepts", .type = REC_JSON_INTEGER, .min = 1, .max = UINT32_MAX },
    { .name = "delivery", .type = REC_JSON_INTEGER, .min = 1, .max = 2 },
    REC_JSON_FIELDS_END,
  };

  return rec_json_check_closed (descriptor, fields, error) &&
         check_options (rec_json_get (descriptor, "options"), error);
}

static bool
check_layouts (RecJson *answer, GError **error)
{
  const RecJsonField fields[] = {
    { .name = "layouts", .type = REC_JSON_ARRAY, .required = true, .max = REC_LAYOUTS_MAX },
    REC_JSON_FIELDS_END,
  };
  const RecJsonField layout_fields[] = {
    { .name = "name", .type = REC_JSON_STRING, .required = true, .max = 4096 },
    { .name = "summary", .type = REC_JSON_STRING, .required = true, .max = 4096 },
    REC_JSON_FIELDS_END,
  };

  if (!rec_json_check_closed (answer, fields, error))
    return false;
  RecJson *layouts = rec_json_get (answer, "layouts");
  for (size_t i = 0; i < json_object_array_length (layouts); i++)
    if (!rec_json_check_closed (json_object_array_get_idx (layouts, i), layout_fields, error))
      return false;
  return true;
}

static bool
take_answer (const Probe *probe, RecJson *answer, GError **error)
{
  if (answer == NULL)
    return false;
  if (!probe->lists_layouts) {
    if (!check_descriptor (answer, error))
      return false;
    probe->result->descriptor = json_object_get (answer);
    return true;
  }
  if (!check_layouts (answer, error))
    return false;
  probe->result->layouts = json_object_get (rec_json_get (answer, "layouts"));
  return true;
}

static const char *
get_step (const Probe *probe)
{
  return probe->lists_layouts ? "asked for its layouts" : "loaded";
}

static void
judge_output (Probe *probe, int status)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *reason = rec_child_dup_exit_reason (status);
  RecProbeResult *result = probe->result;

  if (WIFSIGNALED (status)) {
    refuse (result, "crashes when it is %s: the probe %s", get_step (probe), reason);
    return;
  }
  if (probe->output->len == 0) {
    refuse (result, "ends the program that loads it: the probe %s without an answer", reason);
    return;
  }
  g_autoptr (RecJson) answer = rec_json_parse ((const char *) probe->output->data,
      probe->output->len, MAX_OUTPUT_BYTES, &error);
  const char *refusal = rec_json_string_or (answer, "refusal", NULL);
  if (refusal != NULL)
    refuse (result, "%s", refusal);
  else if (!take_answer (probe, answer, &error))
    refuse (result, "makes the probe answer nonsense: %s", error->message);
}

/* --- the children ------------------------------------------------------------------------------ */

static Probe *
start (const char *program, RecProbeResult *result, const char *folder, int timeout_ms)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  if (!rec_fd_pipe (fds, &error)) {
    refuse (result, "could not be inspected: %s", error->message);
    return NULL;
  }
  const char *const argv[] = { program, "--probe", result->file,
    folder != NULL ? "--layouts-in" : NULL, folder, NULL };
  const RecChildFd child_fd = { fds[1], STDOUT_FILENO };
  const RecChildSetup setup = {
    .argv = argv,
    .fds = &child_fd,
    .n_fds = 1,
    .max_address_space = MAX_MEMORY_BYTES,
    .max_files = MAX_FILES,
    .max_cpu_s = (unsigned) timeout_ms / 1000 + 1,
  };
  RecChild *child = rec_child_new (&setup, &error);
  rec_fd_close (&fds[1]);
  if (child == NULL) {
    refuse (result, "could not be inspected: %s", error->message);
    rec_fd_close (&fds[0]);
    return NULL;
  }
  Probe *probe = g_new0 (Probe, 1);
  probe->child = child;
  probe->fd = fds[0];
  probe->output = g_byte_array_new ();
  probe->end_us = g_get_monotonic_time () + (int64_t) timeout_ms * 1000;
  probe->lists_layouts = folder != NULL;
  probe->result = result;
  return probe;
}

static int
left_ms (const Probe *probe)
{
  return (int) MAX (0, (probe->end_us - g_get_monotonic_time () + 999) / 1000);
}

static void
end_by_force (Probe *probe)
{
  int status = 0;

  rec_child_signal_group (probe->child, SIGKILL);
  if (!rec_child_reap (probe->child, KILL_WAIT_MS, &status))
    g_warning ("the probe of '%s' survives SIGKILL, leaving it behind", probe->result->file);
}

/* True when the probe is over, with its result filled in. */
static bool
advance (Probe *probe, short events, int timeout_ms)
{
  uint8_t buffer[4096];
  int status = 0;

  if (events != 0) {
    ssize_t n = read (probe->fd, buffer, sizeof buffer);
    if (n > 0)
      g_byte_array_append (probe->output, buffer, (guint) n);
    else if (n == 0 || errno != EINTR)
      rec_fd_close (&probe->fd);
  }
  if (probe->output->len > MAX_OUTPUT_BYTES) {
    refuse (probe->result, "makes the probe answer more than %d bytes", MAX_OUTPUT_BYTES);
    end_by_force (probe);
    return true;
  }
  if (probe->fd < 0 && rec_child_reap (probe->child, 0, &status)) {
    judge_output (probe, status);
    return true;
  }
  if (left_ms (probe) > 0)
    return false;
  refuse (probe->result, "hangs when it is %s: no answer within %d ms", get_step (probe),
      timeout_ms);
  end_by_force (probe);
  return true;
}

/* Waits for the first of the running ones to say or do something. */
static void
wait_and_advance (GPtrArray *running, int timeout_ms)
{
  struct pollfd poll_fds[MAX_AT_ONCE];
  int wait_ms = timeout_ms;

  for (guint i = 0; i < running->len; i++) {
    Probe *probe = running->pdata[i];
    /* Its answer first; then its end. */
    int fd = probe->fd >= 0 ? probe->fd : rec_child_get_pidfd (probe->child);

    poll_fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
    wait_ms = MIN (wait_ms, left_ms (probe));
  }
  if (poll (poll_fds, running->len, wait_ms) < 0)
    return;
  for (guint i = running->len; i-- > 0;) {
    Probe *probe = running->pdata[i];
    short events = probe->fd >= 0 ? poll_fds[i].revents : 0;

    if (advance (probe, events, timeout_ms))
      g_ptr_array_remove_index (running, i);
  }
}

static GPtrArray *
run (const char *program, const char *const *files, const char *folder, int timeout_ms)
{
  GPtrArray *results = g_ptr_array_new_with_free_func (free_result);
  g_autoptr (GPtrArray) running = g_ptr_array_new_with_free_func (free_probe);
  size_t next = 0;

  while (files[next] != NULL || running->len > 0) {
    while (files[next] != NULL && running->len < MAX_AT_ONCE) {
      RecProbeResult *result = g_new0 (RecProbeResult, 1);

      result->file = g_strdup (files[next++]);
      g_ptr_array_add (results, result);
      Probe *probe = start (program, result, folder, timeout_ms);
      if (probe != NULL)
        g_ptr_array_add (running, probe);
    }
    if (running->len > 0)
      wait_and_advance (running, timeout_ms);
  }
  return results;
}

GPtrArray *
rec_prober_run (const char *program, const char *const *files, int timeout_ms)
{
  return run (program, files, NULL, timeout_ms);
}

GPtrArray *
rec_prober_list (const char *program, const char *const *files, const char *folder, int timeout_ms)
{
  return run (program, files, folder, timeout_ms);
}
