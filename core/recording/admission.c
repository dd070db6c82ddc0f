/* admission.c - the bookkeeping of costs, and the estimate for what has not been measured yet. */
#define G_LOG_DOMAIN "rec.recording.admission"
#include "recording/admission.h"

#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/main-thread.h"

#define MEASURE_EVERY_MS 1000
#define SETTLED_US                                                                                 \
  (5 * G_USEC_PER_SEC) /* until then a recording counts for its estimate at least */
#define SMOOTHING 0.3  /* weight of the latest second */

/* Measured on one core of a server of 2020 for 640x480 at 30 frames in, 1280x720 at 30 out. */
#define CORES_OF_SOUND 0.02
#define CORES_PER_STREAM 0.03
#define CORES_PER_MEGAPIXEL_COMPOSED 0.005 /* per second, like the next */
#define CORES_PER_MEGAPIXEL_ENCODED 0.004  /* by x264's preset ultrafast */
#define BYTES_OF_WORKER (30 << 20)
#define BYTES_PER_STREAM (4 << 20)
#define CORES_PER_STREAM_COPIED 0.01
#define CORES_OF_PAGE 0.35 /* Chromium, showing four streams */
#define BYTES_OF_PAGE (450 << 20)
#define FRAMES_HELD 40 /* pools of compositor and encoder */

typedef struct {
  char *id;
  pid_t worker;
  int64_t since_us;
  double estimated_cores, cores;
  int64_t estimated_bytes, bytes;
  double last_cpu_s;    /* of the last measurement, */
  int64_t last_read_us; /* at this time; 0: none yet */
} Cost;

typedef struct {
  pid_t worker;
  bool is_there;
  RecUsage usage;
} Reading;

struct RecAdmission {
  const RecConfig *config;
  RecMeter meter;
  RecAdmissionDiskLow disk_low;
  void *data;
  GPtrArray *costs; /* of Cost */
  guint timer;
  bool has_free_bytes;
  uint64_t free_bytes; /* as last measured */
  GThread *thread;     /* while it measures; then these are its own */
  struct {
    GArray *readings;
    char *folder;
    uint64_t free_bytes;
    bool has_disk;
    int64_t read_us;
    guint done; /* idle source */
  } measuring;
};

static void
free_cost (void *data)
{
  Cost *cost = data;

  g_free (cost->id);
  g_free (cost);
}

static int64_t
now_us (const RecAdmission *admission)
{
  return admission->meter.now_us (admission->meter.data);
}

/* --- measuring ------------------------------------------------------------------------------------------ */

static Cost *
find_by_worker (const RecAdmission *admission, pid_t worker)
{
  for (guint i = 0; i < admission->costs->len; i++) {
    Cost *cost = admission->costs->pdata[i];

    if (cost->worker == worker)
      return cost;
  }
  return NULL;
}

static void
take_reading (Cost *cost, const RecUsage *usage, int64_t read_us)
{
  double passed_s = (double) (read_us - cost->last_read_us) / G_USEC_PER_SEC;

  if (cost->last_read_us != 0 && passed_s > 0) {
    double cores = MAX (0, usage->cpu_s - cost->last_cpu_s) / passed_s;
    cost->cores = cost->cores == 0 ? cores : cost->cores + SMOOTHING * (cores - cost->cores);
  }
  cost->bytes = usage->memory_bytes;
  cost->last_cpu_s = usage->cpu_s;
  cost->last_read_us = read_us;
}

static void
end_measuring (RecAdmission *admission)
{
  if (admission->thread != NULL)
    g_thread_join (g_steal_pointer (&admission->thread));
  if (admission->measuring.done != 0)
    g_source_remove (admission->measuring.done);
  admission->measuring.done = 0;
  g_clear_pointer (&admission->measuring.readings, g_array_unref);
  g_clear_pointer (&admission->measuring.folder, g_free);
}

static gboolean
on_measured (gpointer data)
{
  RecAdmission *admission = data;
  int64_t end_free = rec_config_get_int (admission->config, "recording.end-free-bytes");

  g_thread_join (g_steal_pointer (&admission->thread));
  admission->measuring.done = 0;
  for (guint i = 0; i < admission->measuring.readings->len; i++) {
    const Reading *reading = &g_array_index (admission->measuring.readings, Reading, i);
    Cost *cost = find_by_worker (admission, reading->worker);

    if (reading->is_there && cost != NULL)
      take_reading (cost, &reading->usage, admission->measuring.read_us);
  }
  bool is_low = admission->measuring.has_disk &&
                admission->measuring.free_bytes < (uint64_t) end_free && admission->costs->len > 0;
  uint64_t free_bytes = admission->measuring.free_bytes;
  admission->has_free_bytes = admission->measuring.has_disk;
  admission->free_bytes = free_bytes;
  end_measuring (admission);
  if (is_low)
    admission->disk_low (free_bytes, admission->data);
  return G_SOURCE_REMOVE;
}

/* A disk in the network, or a worker's large address space, may take its time. */
static void *
measure (void *data)
{
  RecAdmission *admission = data;
  const RecMeter *meter = &admission->meter;
  GArray *readings = admission->measuring.readings;

  for (guint i = 0; i < readings->len; i++) {
    Reading *reading = &g_array_index (readings, Reading, i);

    reading->is_there = meter->read_process (reading->worker, &reading->usage, meter->data);
  }
  admission->measuring.has_disk =
      meter->read_disk (admission->measuring.folder, &admission->measuring.free_bytes, meter->data);
  admission->measuring.read_us = meter->now_us (meter->data);
  admission->measuring.done = g_idle_add_full (G_PRIORITY_DEFAULT, on_measured, admission, NULL);
  return NULL;
}

void
rec_admission_measure (RecAdmission *admission)
{
  REC_ASSERT_MAIN ();
  if (admission->thread != NULL)
    return;
  GArray *readings = g_array_new (FALSE, TRUE, sizeof (Reading));
  for (guint i = 0; i < admission->costs->len; i++) {
    const Cost *cost = admission->costs->pdata[i];
    Reading reading = { .worker = cost->worker };

    g_array_append_val (readings, reading);
  }
  admission->measuring.readings = readings;
  admission->measuring.folder =
      g_strdup (rec_config_get_string (admission->config, "openvidu.recording.path"));
  admission->thread = g_thread_new ("meter", measure, admission);
}

static gboolean
on_timer (gpointer data)
{
  RecAdmission *admission = data;

  if (admission->costs->len == 0) {
    admission->timer = 0;
    return G_SOURCE_REMOVE;
  }
  rec_admission_measure (admission);
  return G_SOURCE_CONTINUE;
}

/* --- deciding ------------------------------------------------------------------------------------------- */

/* How much more than ultrafast they take: measured up to veryfast, beyond as x264's authors tell. */
static double
get_preset_factor (const RecConfig *config)
{
  static const struct {
    const char *preset;
    double factor;
  } factors[] = { { "ultrafast", 1 }, { "superfast", 2.5 }, { "veryfast", 4 }, { "faster", 5 },
    { "fast", 6.5 }, { "medium", 8 } };
  const char *preset = rec_config_get_string (config, "encoder.preset");

  for (size_t i = 0; i < G_N_ELEMENTS (factors); i++)
    if (strcmp (factors[i].preset, preset) == 0)
      return factors[i].factor;
  return 1;
}

static double
count_megapixels (const RecRecordingProperties *properties)
{
  return properties->has_video
             ? (double) properties->width * properties->height * properties->frame_rate / 1e6
             : 0;
}

static double
estimate_cores (const RecConfig *config, const RecAdmissionLoad *load)
{
  if (load->properties->output_mode == REC_OUTPUT_INDIVIDUAL)
    return CORES_OF_SOUND + load->n_streams * CORES_PER_STREAM_COPIED;
  return CORES_OF_SOUND + (load->has_page ? CORES_OF_PAGE : 0) +
         (load->properties->has_video ? load->n_streams * CORES_PER_STREAM : 0) +
         count_megapixels (load->properties) *
             (CORES_PER_MEGAPIXEL_COMPOSED +
                 CORES_PER_MEGAPIXEL_ENCODED * get_preset_factor (config));
}

static int64_t
estimate_bytes (const RecAdmissionLoad *load)
{
  const RecRecordingProperties *properties = load->properties;
  bool is_composed = properties->has_video && properties->output_mode != REC_OUTPUT_INDIVIDUAL;
  int64_t frame = is_composed ? (int64_t) properties->width * properties->height * 3 / 2 : 0;

  return BYTES_OF_WORKER + (load->has_page ? BYTES_OF_PAGE : 0) +
         (int64_t) load->n_streams * BYTES_PER_STREAM + frame * FRAMES_HELD;
}

static bool
is_settled (const RecAdmission *admission, const Cost *cost)
{
  return cost->last_read_us != 0 && now_us (admission) - cost->since_us >= SETTLED_US;
}

static bool
check_cpu (const RecAdmission *admission, double wanted, GError **error)
{
  int64_t percent = rec_config_get_int (admission->config, "recording.max-cpu-percent");
  double allowed = admission->meter.cores * (double) percent / 100;
  double used = 0;

  for (guint i = 0; i < admission->costs->len; i++) {
    const Cost *cost = admission->costs->pdata[i];
    used += is_settled (admission, cost) ? cost->cores : MAX (cost->cores, cost->estimated_cores);
  }
  if (percent == 0 || used + wanted <= allowed)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
      "there is no room for another recording: %u running ones use %.2f cores and this one is "
      "estimated to need %.2f, more than the %.2f that recording.max-cpu-percent (%d) allows",
      admission->costs->len, used, wanted, allowed, (int) percent);
  return false;
}

static bool
check_memory (const RecAdmission *admission, int64_t wanted, GError **error)
{
  int64_t percent = rec_config_get_int (admission->config, "recording.max-memory-percent");
  int64_t allowed = admission->meter.memory_bytes / 100 * percent;
  int64_t used = 0;

  for (guint i = 0; i < admission->costs->len; i++) {
    const Cost *cost = admission->costs->pdata[i];
    used += is_settled (admission, cost) ? cost->bytes : MAX (cost->bytes, cost->estimated_bytes);
  }
  if (percent == 0 || used + wanted <= allowed)
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_UNAVAILABLE,
      "there is no room for another recording: %u running ones hold %d MB and this one is "
      "estimated to need %d MB, more than the %d MB that recording.max-memory-percent (%d) allows",
      admission->costs->len, (int) (used >> 20), (int) (wanted >> 20), (int) (allowed >> 20),
      (int) percent);
  return false;
}

bool
rec_admission_check (const RecAdmission *admission, const RecAdmissionLoad *load, GError **error)
{
  REC_ASSERT_MAIN ();
  return check_cpu (admission, estimate_cores (admission->config, load), error) &&
         check_memory (admission, estimate_bytes (load), error);
}

/* --- life ----------------------------------------------------------------------------------------------- */

void
rec_admission_add (RecAdmission *admission, const char *id, const RecAdmissionLoad *load,
    pid_t worker)
{
  Cost *cost = g_new0 (Cost, 1);

  cost->id = g_strdup (id);
  cost->worker = worker;
  cost->since_us = now_us (admission);
  cost->estimated_cores = estimate_cores (admission->config, load);
  cost->estimated_bytes = estimate_bytes (load);
  g_ptr_array_add (admission->costs, cost);
  if (admission->timer == 0)
    admission->timer = g_timeout_add (MEASURE_EVERY_MS, on_timer, admission);
}

void
rec_admission_remove (RecAdmission *admission, const char *id)
{
  for (guint i = 0; i < admission->costs->len; i++) {
    const Cost *cost = admission->costs->pdata[i];

    if (strcmp (cost->id, id) != 0)
      continue;
    g_ptr_array_remove_index_fast (admission->costs, i);
    return;
  }
}

bool
rec_admission_get_usage (const RecAdmission *admission, const char *id, RecUsage *usage)
{
  for (guint i = 0; i < admission->costs->len; i++) {
    const Cost *cost = admission->costs->pdata[i];

    if (strcmp (cost->id, id) != 0 || cost->last_read_us == 0)
      continue;
    *usage = (RecUsage){ .cpu_s = cost->last_cpu_s, .memory_bytes = cost->bytes };
    return true;
  }
  return false;
}

bool
rec_admission_get_free_bytes (const RecAdmission *admission, uint64_t *free_bytes)
{
  *free_bytes = admission->free_bytes;
  return admission->has_free_bytes;
}

RecAdmission *
rec_admission_new (const RecConfig *config, const RecMeter *meter, RecAdmissionDiskLow disk_low,
    void *data)
{
  RecAdmission *admission = g_new0 (RecAdmission, 1);

  admission->config = config;
  admission->meter = *meter;
  admission->disk_low = disk_low;
  admission->data = data;
  admission->costs = g_ptr_array_new_with_free_func (free_cost);
  return admission;
}

void
rec_admission_free (RecAdmission *admission)
{
  if (admission == NULL)
    return;
  if (admission->timer != 0)
    g_source_remove (admission->timer);
  end_measuring (admission);
  g_ptr_array_unref (admission->costs);
  g_free (admission);
}
