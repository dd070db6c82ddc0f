/* metrics-text.c - families, samples and labels as Prometheus reads them. */
#define G_LOG_DOMAIN "rec.api.metrics"
#include "api/metrics-text.h"

#include <stdarg.h>
#include <stdbool.h>

void
rec_metrics_begin (GString *text, const char *name, RecMetricType type, const char *help)
{
  g_string_append_printf (text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
      type == REC_METRIC_COUNTER ? "counter" : "gauge");
}

static void
append_label (GString *text, const char *label, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  g_string_append_printf (text, "%s=\"", label);
  for (const char *c = valid; *c != '\0'; c++) {
    if (*c == '\n')
      g_string_append (text, "\\n");
    else if (*c == '"' || *c == '\\')
      g_string_append_printf (text, "\\%c", *c);
    else
      g_string_append_c (text, *c);
  }
  g_string_append_c (text, '"');
}

void
rec_metrics_add (GString *text, const char *name, double value, ...)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  const char *label;
  va_list labels;
  bool is_first = true;

  g_string_append (text, name);
  va_start (labels, value);
  while ((label = va_arg (labels, const char *)) != NULL) {
    const char *of_label = va_arg (labels, const char *);
    g_string_append_c (text, is_first ? '{' : ',');
    append_label (text, label, of_label != NULL ? of_label : "");
    is_first = false;
  }
  va_end (labels);
  if (!is_first)
    g_string_append_c (text, '}');
  g_string_append_printf (text, " %s\n", g_ascii_dtostr (number, sizeof number, value));
}

void
rec_metrics_put (GString *text, const char *name, RecMetricType type, const char *help,
    double value)
{
  rec_metrics_begin (text, name, type, help);
  rec_metrics_add (text, name, value, NULL);
}
