/* metrics.c - GET /metrics: what the server does, for Prometheus. Numbers that exist already are told; none is measured. */
#define G_LOG_DOMAIN "rec.api.metrics"
#include "api/metrics-text.h"
#include "api/private.h"
#include "events/events.h"
#include "media/router.h"
#include "recording/supervisor.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define GAUGE REC_METRIC_GAUGE
#define COUNTER REC_METRIC_COUNTER

static void
add_sessions (GString *text, RecRegistry *registry)
{
  GPtrArray *sessions = rec_registry_get_sessions (registry);
  unsigned n_participants = 0, n_streams = 0;

  for (guint i = 0; i < sessions->len; i++) {
    n_participants += rec_session_count_visible (sessions->pdata[i]);
    n_streams += rec_session_count_publishers (sessions->pdata[i]);
  }
  rec_metrics_put (text, "recto_sessions", GAUGE, "Sessions, those that nobody joined included.",
      sessions->len);
  rec_metrics_put (text, "recto_participants", GAUGE, "Participants of all sessions.",
      n_participants);
  rec_metrics_put (text, "recto_streams", GAUGE, "Published streams.", n_streams);
}

static void
add_media (GString *text, RecRouter *router)
{
  RecRouterStats stats;

  rec_router_get_stats (router, &stats);
  rec_metrics_put (text, "recto_subscriptions", GAUGE, "Streams sent to subscribers.",
      stats.subscribers);
  rec_metrics_begin (text, "recto_packets_total", COUNTER, "RTP packets from and to browsers.");
  rec_metrics_add (text, "recto_packets_total", (double) stats.packets_in, "direction", "in", NULL);
  rec_metrics_add (text, "recto_packets_total", (double) stats.packets_out, "direction", "out",
      NULL);
  rec_metrics_put (text, "recto_packets_lost_total", COUNTER,
      "RTP packets that never came from a publisher.", (double) stats.packets_lost);
  rec_metrics_put (text, "recto_keyframe_requests_total", COUNTER,
      "Keyframes that publishers were asked for.", (double) stats.keyframe_requests);
}

/* --- recordings ------------------------------------------------------------------------------------------------- */

static void
add_statuses (GString *text, RecRegistry *registry)
{
  static const struct {
    RecRecordingStatus status;
    const char *word;
  } statuses[] = { { REC_RECORDING_STARTING, "starting" }, { REC_RECORDING_STARTED, "started" },
    { REC_RECORDING_STOPPED, "stopped" }, { REC_RECORDING_READY, "ready" },
    { REC_RECORDING_FAILED, "failed" } };
  GPtrArray *recordings = rec_registry_get_recordings (registry);
  unsigned counts[REC_RECORDING_FAILED + 1] = { 0 };

  for (guint i = 0; i < recordings->len; i++)
    counts[((const RecRecording *) recordings->pdata[i])->status]++;
  rec_metrics_begin (text, "recto_recordings", GAUGE, "Recordings on the disk and in progress.");
  for (size_t i = 0; i < G_N_ELEMENTS (statuses); i++)
    rec_metrics_add (text, "recto_recordings", counts[statuses[i].status], "status",
        statuses[i].word, NULL);
}

static void
add_cpu (const char *recording, const RecUsage *usage, void *text)
{
  rec_metrics_add (text, "recto_recording_cpu_seconds_total", usage->cpu_s, "recording", recording,
      NULL);
}

static void
add_memory (const char *recording, const RecUsage *usage, void *text)
{
  rec_metrics_add (text, "recto_recording_memory_bytes", (double) usage->memory_bytes, "recording",
      recording, NULL);
}

static void
add_feed (const char *recording, const char *stream, const RecFeedStats *stats, void *text)
{
  rec_metrics_add (text, "recto_feed_packets_total", (double) stats->sent, "recording", recording,
      "stream", stream, "result", "sent", NULL);
  rec_metrics_add (text, "recto_feed_packets_total", (double) stats->dropped, "recording",
      recording, "stream", stream, "result", "dropped", NULL);
}

static void
add_recordings (GString *text, const RecApiContext *context)
{
  uint64_t free_bytes;

  add_statuses (text, context->registry);
  rec_metrics_begin (text, "recto_recording_cpu_seconds_total", COUNTER,
      "Processor time of a recording's worker and what it started.");
  rec_supervisor_for_each_usage (context->supervisor, add_cpu, text);
  rec_metrics_begin (text, "recto_recording_memory_bytes", GAUGE,
      "Memory of a recording's worker and what it started.");
  rec_supervisor_for_each_usage (context->supervisor, add_memory, text);
  rec_metrics_begin (text, "recto_feed_packets_total", COUNTER,
      "Packets of a stream for a recording, sent to its worker or dropped because it was busy.");
  rec_supervisor_for_each_feed (context->supervisor, add_feed, text);
  if (rec_supervisor_get_free_bytes (context->supervisor, &free_bytes))
    rec_metrics_put (text, "recto_disk_free_bytes", GAUGE,
        "Room on the disk of the recordings, as last measured.", (double) free_bytes);
  rec_metrics_put (text, "recto_draining", GAUGE, "1 while no new recordings are taken.",
      rec_supervisor_is_draining (context->supervisor));
}

/* --- events and HTTP ---------------------------------------------------------------------------------------------- */

static void
add_events (GString *text, RecEvents *events)
{
  RecOutboxStats stats;

  if (events == NULL)
    return;
  rec_events_get_stats (events, &stats);
  if (stats.has_cdr) {
    rec_metrics_begin (text, "recto_cdr_lines_total", COUNTER, "Lines of the CDR file.");
    rec_metrics_add (text, "recto_cdr_lines_total", (double) stats.cdr_written, "result", "written",
        NULL);
    rec_metrics_add (text, "recto_cdr_lines_total", (double) stats.cdr_lost, "result", "lost",
        NULL);
  }
  if (!stats.has_webhook)
    return;
  rec_metrics_begin (text, "recto_webhook_events_total", COUNTER, "Events for the webhook.");
  rec_metrics_add (text, "recto_webhook_events_total", (double) stats.webhook_delivered, "result",
      "delivered", NULL);
  rec_metrics_add (text, "recto_webhook_events_total", (double) stats.webhook_given_up, "result",
      "given_up", NULL);
  rec_metrics_put (text, "recto_webhook_failed_attempts_total", COUNTER,
      "Requests that the webhook's receiver did not take.", (double) stats.webhook_failed);
  rec_metrics_put (text, "recto_webhook_queue_events", GAUGE,
      "Events that wait for the webhook's receiver.", (double) stats.webhook_waiting);
  rec_metrics_put (text, "recto_webhook_queue_bytes", GAUGE,
      "What they take on the disk, with some that are delivered.", (double) stats.webhook_bytes);
}

static void
add_http (GString *text, const RecApi *api)
{
  rec_metrics_begin (text, "recto_http_requests_total", COUNTER, "HTTP requests, by status.");
  for (unsigned status = 100; status < 600; status++) {
    const uint64_t count = rec_http_server_count_answers (api->http, status);
    g_autofree char *word = g_strdup_printf ("%u", status);
    if (count > 0)
      rec_metrics_add (text, "recto_http_requests_total", (double) count, "status", word, NULL);
  }
  rec_metrics_put (text, "recto_websockets", GAUGE, "Open WebSockets.", api->clients->len);
}

static void
add_process (GString *text)
{
  struct rusage usage = { 0 };
  g_autofree char *statm = NULL;
  unsigned long long pages = 0;

  getrusage (RUSAGE_SELF, &usage);
  rec_metrics_put (text, "process_cpu_seconds_total", COUNTER, "Processor time of the server.",
      (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
          (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
  if (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL) &&
      sscanf (statm, "%*u %llu", &pages) == 1)
    rec_metrics_put (text, "process_resident_memory_bytes", GAUGE, "Memory of the server.",
        (double) pages * (double) sysconf (_SC_PAGESIZE));
}

void
rec_show_metrics (RecCall *call)
{
  const RecApiContext *context = &call->api->context;
  GString *text = g_string_new (NULL);

  rec_metrics_begin (text, "recto_build_info", GAUGE, "1; the label tells the version.");
  rec_metrics_add (text, "recto_build_info", 1, "version", REC_VERSION, NULL);
  add_sessions (text, context->registry);
  add_media (text, context->router);
  add_recordings (text, context);
  add_events (text, context->events);
  add_http (text, call->api);
  add_process (text);
  const size_t length = text->len;
  rec_http_answer (call->request, 200, REC_METRICS_TYPE, g_string_free (text, FALSE), length);
}
