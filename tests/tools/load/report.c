/* report.c - sums, medians and shares of a tally. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/json.h"

typedef struct {
  RecJson *json; /* NULL: rows */
} Report;

static void
put (Report *report, const char *name, double value, const char *unit)
{
  if (report->json != NULL)
    rec_json_set_double (report->json, name, value);
  else
    printf ("%s %.15g %s\n", name, value, unit);
}

static gint
compare_ints (gconstpointer a, gconstpointer b)
{
  const int one = *(const int *) a, other = *(const int *) b;

  return (one > other) - (one < other);
}

/* share: 0.5 for the median. Sorts the values. */
static int
get_quantile (GArray *values, double share)
{
  g_array_sort (values, compare_ints);
  return g_array_index (values, int, (unsigned) (share * (values->len - 1) + 0.5));
}

static void
put_quantiles (Report *report, const char *name, GArray *values)
{
  const struct {
    const char *name;
    double share;
  } quantiles[] = { { "median", 0.5 }, { "p95", 0.95 }, { "max", 1 } };

  for (size_t i = 0; values->len > 0 && i < G_N_ELEMENTS (quantiles); i++) {
    g_autofree char *full = g_strdup_printf ("%s_%s", name, quantiles[i].name);

    put (report, full, get_quantile (values, quantiles[i].share), "ms");
  }
}

static double
get_cpu_s (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
put_received (Report *report, const LoadTally *tally)
{
  const LoadReceived *received = &tally->received;

  put (report, "received.audio_packets", (double) received->packets[0], "packets");
  put (report, "received.audio_lost", (double) received->lost[0], "packets");
  put (report, "received.video_packets", (double) received->packets[1], "packets");
  put (report, "received.video_lost", (double) received->lost[1], "packets");
  put (report, "received.video_frames", (double) received->frames, "frames");
  if (received->shown_ms > 0)
    put (report, "received.video_fps",
        (double) (received->frames - tally->first_pictures_ms->len) * 1000 /
            (double) received->shown_ms,
        "fps");
  put (report, "received.freezes", received->freezes, "freezes");
  put (report, "received.frozen_ms", (double) received->frozen_ms, "ms");
  put (report, "received.pictureless", tally->watched - tally->first_pictures_ms->len, "streams");
  put (report, "received.unread_pictures", (double) received->unread, "pictures");
  put_quantiles (report, "received.first_picture_ms", tally->first_pictures_ms);
  put_quantiles (report, "received.latency_ms", received->latencies_ms);
}

void
load_report_print (const LoadTally *tally, unsigned n_failed, double seconds, bool as_json)
{
  Report report = { as_json ? json_object_new_object () : NULL };

  put (&report, "seconds", seconds, "s");
  put (&report, "load.cpu_s", get_cpu_s (), "s");
  put (&report, "participants.joined", tally->joined, "times");
  put (&report, "participants.failed", n_failed, "times");
  put (&report, "streams.published", tally->published, "streams");
  put (&report, "streams.watched", tally->watched, "streams");
  put (&report, "streams.refused", tally->refused, "streams");
  put_quantiles (&report, "join_ms", tally->joins_ms);
  put (&report, "sent.audio_packets", (double) tally->sent.packets[0], "packets");
  put (&report, "sent.video_packets", (double) tally->sent.packets[1], "packets");
  put (&report, "sent.video_frames", (double) tally->sent.frames, "frames");
  put (&report, "sent.bytes", (double) (tally->sent.bytes[0] + tally->sent.bytes[1]), "bytes");
  if (tally->watched > 0)
    put_received (&report, tally);
  if (as_json) {
    g_autofree char *text = rec_json_to_pretty_text (report.json);

    printf ("%s\n", text);
    json_object_put (report.json);
  }
  fflush (stdout);
}
