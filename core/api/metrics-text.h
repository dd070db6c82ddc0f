/* metrics-text.h - the text format of Prometheus: one family after the other. [any] */
#ifndef REC_API_METRICS_TEXT_H
#define REC_API_METRICS_TEXT_H

#include <glib.h>

#define REC_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef enum {
  REC_METRIC_GAUGE = 1,
  REC_METRIC_COUNTER, /* its name ends in _total */
} RecMetricType;

/* Opens a family; its samples follow. help: one sentence. */
void rec_metrics_begin (GString *text, const char *name, RecMetricType type, const char *help);
/* One sample of the family `name`: pairs of label and value, NULL at the end. Values are escaped. */
void rec_metrics_add (GString *text, const char *name, double value, ...) G_GNUC_NULL_TERMINATED;
/* A family with one sample and no labels. */
void rec_metrics_put (GString *text, const char *name, RecMetricType type, const char *help,
    double value);

#endif
