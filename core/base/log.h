/* log.h - one line per message, as text or JSON, with the fields recording, session and so on.
 *
 * Each .c file opens with #define G_LOG_DOMAIN "rec.stage.file". g_critical: a recording or request is lost;
 * g_warning: we go on otherwise; g_message: life events; g_info; g_debug. */
#ifndef REC_BASE_LOG_H
#define REC_BASE_LOG_H

#include <glib.h>
#include <stdbool.h>

#include "base/types.h"

typedef enum RecLogFormat {
  REC_LOG_FORMAT_INVALID = 0,
  REC_LOG_TEXT,
  REC_LOG_JSON,
} RecLogFormat;

/* What a message is about; NULL members are left out. */
typedef struct RecLogFields {
  const char *session;
  const char *recording;
  const char *participant;
  const char *stream;
  const char *plugin;
} RecLogFields;

/* Takes over GLib's log, to standard error. `level`: error, warning, message, info, debug.
 * `topics`: "rec.media=debug" for each part that says more or less, NULL at the end, or NULL. */
bool rec_log_set_up (const char *level, const char *const *topics, RecLogFormat format,
    GError **error);
/* Both as rec_log_set_up takes them; free them. [any] */
void rec_log_dup_levels (char **level, char ***topics);
/* Keeps the format. */
bool rec_log_set_levels (const char *level, const char *const *topics, GError **error);

/* All that was set up, as one word for the arguments of a child, and back. Free it. */
char *rec_log_dup_setup (void);
bool rec_log_set_up_as (const char *setup, GError **error);
/* From here on every line of this process is about this recording. */
void rec_log_set_recording (const char *id);

/* From log.level, log.topics and log.format. */
bool rec_log_set_up_from_config (const RecConfig *config, GError **error);

/* rec_log_with (G_LOG_LEVEL_WARNING, &(RecLogFields){ .recording = id }, "cannot ...", ...) [any] */
#define rec_log_with(level, fields, ...) rec_log_full (G_LOG_DOMAIN, level, fields, __VA_ARGS__)
void rec_log_full (const char *domain, GLogLevelFlags level, const RecLogFields *fields,
    const char *format, ...) G_GNUC_PRINTF (4, 5);

/* One line as it would be written, without its newline: for tests. */
char *rec_log_format_line (RecLogFormat format, GLogLevelFlags level, const GLogField *fields,
    size_t n_fields, gint64 real_time_us);

#endif
