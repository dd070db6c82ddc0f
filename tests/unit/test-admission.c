/* test-admission.c - who is let in, with a meter and a clock that the test sets. */
#include "recording/admission.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/main-thread.h"

#define MB G_GINT64_CONSTANT (1048576)
#define MAX_WORKERS 16

typedef struct {
  RecConfig *config;
  RecAdmission *admission;
  int64_t now_us;
  double cpu_s[MAX_WORKERS]; /* by the worker's id */
  int64_t memory_bytes[MAX_WORKERS];
  uint64_t free_bytes; /* atomic */
  int n_read;          /* measurements of the disk, the last thing that the thread does */
  guint n_low;         /* times that we were told */
} Fixture;

static bool
read_process (pid_t pid, RecUsage *usage, void *data)
{
  Fixture *fixture = data;

  if (pid >= MAX_WORKERS || fixture->memory_bytes[pid] == 0)
    return false;
  usage->cpu_s = fixture->cpu_s[pid];
  usage->memory_bytes = fixture->memory_bytes[pid];
  return true;
}

static bool
read_disk (const char *folder G_GNUC_UNUSED, uint64_t *free_bytes, void *data)
{
  Fixture *fixture = data;

  g_atomic_int_inc (&fixture->n_read);
  *free_bytes = __atomic_load_n (&fixture->free_bytes, __ATOMIC_SEQ_CST);
  return true;
}

static int64_t
now_us (void *data)
{
  return ((Fixture *) data)->now_us;
}

static void
on_disk_low (uint64_t free_bytes, void *data)
{
  Fixture *fixture = data;

  g_assert_cmpuint (free_bytes, ==, fixture->free_bytes);
  fixture->n_low++;
}

static void
set (Fixture *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

/* Four cores and a gigabyte. */
static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const RecMeter meter = {
    .cores = 4,
    .memory_bytes = 1024 * MB,
    .read_process = read_process,
    .read_disk = read_disk,
    .now_us = now_us,
    .data = fixture,
  };

  fixture->config = rec_config_new ();
  fixture->now_us = G_USEC_PER_SEC;
  set (fixture, "recording.max-cpu-percent", "50");
  set (fixture, "recording.max-memory-percent", "50");
  set (fixture, "recording.end-free-bytes", "100000000");
  fixture->admission = rec_admission_new (fixture->config, &meter, on_disk_low, fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  rec_admission_free (fixture->admission);
  rec_config_free (fixture->config);
}

static RecRecordingProperties *
make_properties (int width, int height)
{
  RecRecordingProperties *properties = rec_recording_properties_new ();

  properties->width = width;
  properties->height = height;
  properties->frame_rate = 25;
  return properties;
}

static void
add (Fixture *fixture, const char *id, pid_t worker)
{
  g_autoptr (RecRecordingProperties) properties = make_properties (640, 480);

  fixture->memory_bytes[worker] = 50 * MB;
  rec_admission_add (fixture->admission, id,
      &(RecAdmissionLoad){ .properties = properties, .n_streams = 1 }, worker);
}

/* NULL when it may begin. Free it. */
static char *
dup_refusal_of (Fixture *fixture, const RecAdmissionLoad *load)
{
  g_autoptr (GError) error = NULL;

  if (rec_admission_check (fixture->admission, load, &error))
    return NULL;
  g_assert_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE);
  return g_strdup (error->message);
}

static char *
dup_refusal (Fixture *fixture, int width, int height, unsigned n_streams)
{
  g_autoptr (RecRecordingProperties) properties = make_properties (width, height);

  return dup_refusal_of (fixture,
      &(RecAdmissionLoad){ .properties = properties, .n_streams = n_streams });
}

static void
assert_fits (Fixture *fixture)
{
  g_autofree char *refusal = dup_refusal (fixture, 640, 480, 1);

  g_assert_cmpstr (refusal, ==, NULL);
}

static void
assert_refused (Fixture *fixture, const char *reason)
{
  g_autofree char *refusal = dup_refusal (fixture, 640, 480, 1);

  if (refusal == NULL || strstr (refusal, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", refusal != NULL ? refusal : "(nothing)", reason);
}

/* Seconds in which the worker uses so many cores. That the disk is low is what a measurement says last. */
static void
run (Fixture *fixture, pid_t worker, double cores, int seconds)
{
  for (int i = 0; i < seconds; i++) {
    guint n_before = fixture->n_low;

    fixture->now_us += G_USEC_PER_SEC;
    fixture->cpu_s[worker] += cores;
    rec_admission_measure (fixture->admission);
    while (fixture->n_low == n_before)
      g_main_context_iteration (NULL, TRUE);
  }
}

static void
test_counts_what_runs (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  assert_fits (fixture);
  add (fixture, "a", 1);
  run (fixture, 1, 0.5, 8);
  assert_fits (fixture);
  run (fixture, 1, 1.95, 20);
  assert_refused (fixture, "1 running ones use 1.9");
  assert_refused (fixture, "more than the 2.00 that recording.max-cpu-percent (50) allows");
  run (fixture, 1, 0.5, 20);
  assert_fits (fixture);
}

/* Twenty that begin at once find no room for twenty. */
static void
test_counts_the_estimate_at_first (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  unsigned n_begun = 0;
  char *refusal;

  while ((refusal = dup_refusal (fixture, 640, 480, 1)) == NULL && n_begun < 100) {
    g_autofree char *id = g_strdup_printf ("r%u", ++n_begun);
    add (fixture, id, 1);
  }
  g_test_message ("%u begun, then: %s", n_begun, refusal);
  g_free (refusal);
  g_assert_cmpuint (n_begun, >, 2);
  g_assert_cmpuint (n_begun, <, 20);
}

static void
test_estimates_by_what_is_asked_for (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *large = NULL, *crowded = NULL, *slow = NULL;

  assert_fits (fixture);
  large = dup_refusal (fixture, 7680, 4320, 1);
  g_assert_nonnull (strstr (large, "0 running ones use 0.00 cores"));
  crowded = dup_refusal (fixture, 640, 480, 100);
  g_assert_nonnull (crowded);
  slow = dup_refusal (fixture, 2048, 1152, 1);
  g_assert_null (slow);
  set (fixture, "encoder.preset", "medium");
  slow = dup_refusal (fixture, 2048, 1152, 1);
  g_assert_nonnull (strstr (slow, "recording.max-cpu-percent"));
}

/* A browser costs much, copying streams as they come very little. */
static void
test_estimates_by_how_it_is_made (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecRecordingProperties) properties = make_properties (1280, 720);
  RecAdmissionLoad load = { .properties = properties, .n_streams = 20 };
  g_autofree char *composed = NULL, *page = NULL, *copied = NULL;

  set (fixture, "recording.max-cpu-percent", "25");
  composed = dup_refusal_of (fixture, &load);
  g_assert_null (composed);
  load.has_page = true;
  page = dup_refusal_of (fixture, &load);
  g_assert_nonnull (page);
  load.has_page = false;
  load.n_streams = 60;
  properties->output_mode = REC_OUTPUT_INDIVIDUAL;
  copied = dup_refusal_of (fixture, &load);
  g_assert_null (copied);
}

static void
test_counts_memory (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, "a", 1);
  fixture->memory_bytes[1] = 500 * MB;
  run (fixture, 1, 0.1, 8);
  assert_refused (fixture, "1 running ones hold 500 MB");
  assert_refused (fixture, "recording.max-memory-percent (50)");
  rec_admission_remove (fixture->admission, "a");
  assert_fits (fixture);
}

static void
test_allows_everything_when_off (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, "a", 1);
  fixture->memory_bytes[1] = 900 * MB;
  run (fixture, 1, 4, 8);
  set (fixture, "recording.max-cpu-percent", "0");
  assert_refused (fixture, "recording.max-memory-percent");
  set (fixture, "recording.max-memory-percent", "0");
  assert_fits (fixture);
}

static void
test_survives_a_worker_that_is_gone (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, "a", 1);
  run (fixture, 1, 1.5, 8);
  fixture->memory_bytes[1] = 0; /* there is no such process */
  run (fixture, 1, 0, 2);
  rec_admission_remove (fixture->admission, "a");
  rec_admission_remove (fixture->admission, "a");
  assert_fits (fixture);
}

static void
set_free_bytes (Fixture *fixture, uint64_t free_bytes)
{
  __atomic_store_n (&fixture->free_bytes, free_bytes, __ATOMIC_SEQ_CST);
}

static void
measure_disk (Fixture *fixture, int n_times)
{
  int n_before = g_atomic_int_get (&fixture->n_read);

  while (g_atomic_int_get (&fixture->n_read) < n_before + n_times) {
    rec_admission_measure (fixture->admission); /* does nothing before the last one was taken in */
    g_main_context_iteration (NULL, FALSE);
  }
}

static void
test_tells_when_the_disk_gets_full (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  set_free_bytes (fixture, 100000000);
  add (fixture, "a", 1);
  measure_disk (fixture, 3);
  g_assert_cmpuint (fixture->n_low, ==, 0);
  set_free_bytes (fixture, 99999999);
  measure_disk (fixture, 3);
  g_assert_cmpuint (fixture->n_low, >, 0);
  rec_admission_remove (fixture->admission, "a");
  measure_disk (fixture, 1);
  guint n_low = fixture->n_low;
  measure_disk (fixture, 3);
  g_assert_cmpuint (fixture->n_low, ==, n_low);
}

static void
test_measures_by_itself (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  add (fixture, "a", 1);
  while (fixture->n_low == 0)
    g_main_context_iteration (NULL, TRUE);
}

/* --- the machine's own meter ----------------------------------------------------------------------------- */

static void
test_machine_tells_of_itself (void)
{
  const RecMeter meter = rec_meter_of_machine ();
  RecUsage before, after;
  uint64_t free_bytes = 0;
  g_autofree char *much = g_malloc (64 * MB);

  g_assert_cmpfloat (meter.cores, >, 0);
  g_assert_cmpint (meter.memory_bytes, >, 64 * MB);
  g_assert_true (meter.read_process (getpid (), &before, meter.data));
  memset (much, 1, 64 * MB);
  while (meter.read_process (getpid (), &after, meter.data) && after.cpu_s < before.cpu_s + 0.1)
    continue;
  /* A page shared with other processes counts less when there are more of them. */
  g_assert_cmpint (after.memory_bytes, >, before.memory_bytes + 48 * MB);
  g_assert_true (meter.read_disk ("/", &free_bytes, meter.data));
  g_assert_false (meter.read_disk ("/nowhere/at/all", &free_bytes, meter.data));
  g_assert_false (meter.read_process (0x7ffffff0, &after, meter.data));
}

/* What the child of the test below does: it holds as much as no other process around could take from our share. */
static int
hold_memory (void)
{
  char *much = g_malloc (64 * MB);

  memset (much, 1, 64 * MB);
  if (write (STDOUT_FILENO, much, 1) == 1)
    pause ();
  g_free (much);
  return 0;
}

/* The child's memory counts as its parent's. */
static void
test_machine_counts_children (void)
{
  const RecMeter meter = rec_meter_of_machine ();
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  const char *const argv[] = { self, "--hold-memory", NULL };
  RecUsage alone, both;
  GPid child;
  int out;
  char byte;

  g_assert_true (meter.read_process (getpid (), &alone, meter.data));
  g_assert_true (g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
      NULL, NULL, &child, NULL, &out, NULL, NULL));
  g_assert_cmpint (read (out, &byte, 1), ==, 1);
  g_assert_true (meter.read_process (getpid (), &both, meter.data));
  g_assert_cmpint (both.memory_bytes, >, alone.memory_bytes + 48 * MB);
  kill (child, SIGKILL);
  g_spawn_close_pid (child);
  close (out);
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/admission/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--hold-memory") == 0)
    return hold_memory ();
  g_test_init (&argc, &argv, NULL);
  rec_main_thread_claim ();
  CLAIM ("counts-what-runs", test_counts_what_runs);
  CLAIM ("counts-the-estimate-at-first", test_counts_the_estimate_at_first);
  CLAIM ("estimates-by-what-is-asked-for", test_estimates_by_what_is_asked_for);
  CLAIM ("estimates-by-how-it-is-made", test_estimates_by_how_it_is_made);
  CLAIM ("counts-memory", test_counts_memory);
  CLAIM ("allows-everything-when-off", test_allows_everything_when_off);
  CLAIM ("survives-a-worker-that-is-gone", test_survives_a_worker_that_is_gone);
  CLAIM ("tells-when-the-disk-gets-full", test_tells_when_the_disk_gets_full);
  CLAIM ("measures-by-itself", test_measures_by_itself);
  g_test_add_func ("/admission/machine-tells-of-itself", test_machine_tells_of_itself);
  g_test_add_func ("/admission/machine-counts-children", test_machine_counts_children);
  return g_test_run ();
}
