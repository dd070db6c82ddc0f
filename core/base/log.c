/* log.c - writes GLib's log as lines of text or JSON to standard error. */
#define G_LOG_DOMAIN "rec.base.log"
#include "base/log.h"

#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/lock.h"

typedef struct Topic {
  char *name;
  GLogLevelFlags threshold;
} Topic;

static const struct {
  const char *name;
  GLogLevelFlags level;
} levels[] = {
  { "error", G_LOG_LEVEL_CRITICAL },
  { "warning", G_LOG_LEVEL_WARNING },
  { "message", G_LOG_LEVEL_MESSAGE },
  { "info", G_LOG_LEVEL_INFO },
  { "debug", G_LOG_LEVEL_DEBUG },
};

static const struct {
  const char *key;
  const char *label;
} labels[] = {
  { "REC_SESSION", "session" },
  { "REC_RECORDING", "recording" },
  { "REC_PARTICIPANT", "participant" },
  { "REC_STREAM", "stream" },
  { "REC_PLUGIN", "plugin" },
};

static struct {
  RecLock lock; /* guards the rest */
  RecLogFormat format;
  GLogLevelFlags threshold;
  GArray *topics;
  char *recording; /* that all lines are about, or NULL */
} setup = { REC_LOCK_INIT, REC_LOG_TEXT, G_LOG_LEVEL_MESSAGE, NULL, NULL };

static GLogLevelFlags
parse_level (const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (levels); i++)
    if (strcmp (levels[i].name, name) == 0)
      return levels[i].level;
  return 0;
}

static const char *
name_level (GLogLevelFlags level)
{
  for (size_t i = 0; i < G_N_ELEMENTS (levels); i++)
    if ((level & levels[i].level) != 0)
      return levels[i].name;
  return "error";
}

static bool
is_topic_of (const char *topic, const char *domain)
{
  size_t length = strlen (topic);

  return strncmp (topic, domain, length) == 0 && (domain[length] == '.' || domain[length] == '\0');
}

/* The longest topic that fits decides. GLib's more important levels have the smaller numbers. */
static bool
is_wanted (const char *domain, GLogLevelFlags level)
{
  REC_LOCKED (&setup.lock);
  GLogLevelFlags limit = setup.threshold;
  size_t best = 0;

  for (guint i = 0; setup.topics != NULL && i < setup.topics->len; i++) {
    const Topic *topic = &g_array_index (setup.topics, Topic, i);
    size_t length = strlen (topic->name);
    if (domain != NULL && length > best && is_topic_of (topic->name, domain)) {
      limit = topic->threshold;
      best = length;
    }
  }
  return (level & G_LOG_LEVEL_MASK) <= limit;
}

static char *
dup_field (const GLogField *fields, size_t n_fields, const char *key)
{
  for (size_t i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, key) == 0)
      return g_utf8_make_valid (fields[i].value, fields[i].length);
  return NULL;
}

static char *
dup_label (const GLogField *fields, size_t n_fields, const char *key)
{
  char *value = dup_field (fields, n_fields, key);

  if (value != NULL || strcmp (key, "REC_RECORDING") != 0)
    return value;
  REC_LOCKED (&setup.lock);
  return g_strdup (setup.recording);
}

/* Foreign text may hold line breaks or terminal codes: it must not forge a line. */
static void
append_escaped (GString *line, const char *text, const char *also)
{
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);
    if (character < 0x80 && strchr (also, (int) character) != NULL)
      g_string_append_printf (line, "\\%c", (char) character);
    else if (character == '\n')
      g_string_append (line, "\\n");
    else if (g_unichar_iscntrl (character) || character == 0x2028 || character == 0x2029)
      g_string_append_printf (line, "\\u%04x", character);
    else
      g_string_append_unichar (line, character);
  }
}

static void
append_text_field (GString *line, const char *label, const char *value)
{
  bool is_plain = *value != '\0' && strpbrk (value, " \"=") == NULL;

  g_string_append_printf (line, is_plain ? " %s=" : " %s=\"", label);
  append_escaped (line, value, is_plain ? "" : "\"\\");
  if (!is_plain)
    g_string_append_c (line, '"');
}

static char *
format_time (gint64 real_time_us)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (real_time_us / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (seconds, "%Y-%m-%dT%H:%M:%S");

  return g_strdup_printf ("%s.%03dZ", text, (int) (real_time_us % G_USEC_PER_SEC / 1000));
}

static char *
format_text (const char *time, const char *level, const char *domain, const char *message,
    const GLogField *fields, size_t n_fields)
{
  g_autoptr (GString) line = g_string_new (NULL);

  g_string_append_printf (line, "%s %-7s %s", time, level, domain);
  for (size_t i = 0; i < G_N_ELEMENTS (labels); i++) {
    g_autofree char *value = dup_label (fields, n_fields, labels[i].key);
    if (value != NULL)
      append_text_field (line, labels[i].label, value);
  }
  g_string_append (line, ": ");
  append_escaped (line, message, "");
  return g_string_free (g_steal_pointer (&line), FALSE);
}

static char *
format_json (const char *time, const char *level, const char *domain, const char *message,
    const GLogField *fields, size_t n_fields)
{
  g_autoptr (RecJson) line = json_object_new_object ();

  rec_json_set_string (line, "time", time);
  rec_json_set_string (line, "level", level);
  rec_json_set_string (line, "topic", domain);
  for (size_t i = 0; i < G_N_ELEMENTS (labels); i++) {
    g_autofree char *value = dup_label (fields, n_fields, labels[i].key);
    if (value != NULL)
      rec_json_set_string (line, labels[i].label, value);
  }
  rec_json_set_string (line, "message", message);
  return rec_json_to_text (line);
}

char *
rec_log_format_line (RecLogFormat format, GLogLevelFlags level, const GLogField *fields,
    size_t n_fields, gint64 real_time_us)
{
  g_autofree char *time = format_time (real_time_us);
  g_autofree char *domain = dup_field (fields, n_fields, "GLIB_DOMAIN");
  g_autofree char *message = dup_field (fields, n_fields, "MESSAGE");

  return (format == REC_LOG_JSON ? format_json : format_text) (time, name_level (level),
      domain == NULL ? "?" : domain, message == NULL ? "" : message, fields, n_fields);
}

static RecLogFormat
get_format (void)
{
  REC_LOCKED (&setup.lock);

  return setup.format;
}

static GLogWriterOutput
write_line (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  (void) data;
  g_autofree char *domain = dup_field (fields, n_fields, "GLIB_DOMAIN");
  if (!is_wanted (domain, level))
    return G_LOG_WRITER_HANDLED;

  g_autofree char *line =
      rec_log_format_line (get_format (), level, fields, n_fields, g_get_real_time ());
  g_autofree char *with_newline = g_strconcat (line, "\n", NULL);
  /* One write for one line, so that threads and workers don't mix theirs. */
  if (write (STDERR_FILENO, with_newline, strlen (with_newline)) < 0)
    return G_LOG_WRITER_UNHANDLED;
  return G_LOG_WRITER_HANDLED;
}

static void
clear_topic (gpointer topic)
{
  g_free (((Topic *) topic)->name);
}

static bool
add_topic (GArray *list, const char *text, GError **error)
{
  const char *equals = strchr (text, '=');
  GLogLevelFlags level = equals == NULL ? 0 : parse_level (equals + 1);

  if (level == 0 || equals == text) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "log topic '%s': expected TOPIC=LEVEL, with error, warning, message, info or debug", text);
    return false;
  }
  Topic topic = { .name = g_strndup (text, (size_t) (equals - text)), .threshold = level };
  g_array_append_val (list, topic);
  return true;
}

bool
rec_log_set_up (const char *level, const char *const *topic_list, RecLogFormat format,
    GError **error)
{
  static bool is_taken_over = false;
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (Topic));
  GLogLevelFlags parsed = parse_level (level);

  g_array_set_clear_func (list, clear_topic);
  if (parsed == 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "log level '%s': expected error, warning, message, info or debug", level);
    return false;
  }
  for (size_t i = 0; topic_list != NULL && topic_list[i] != NULL; i++)
    if (!add_topic (list, topic_list[i], error))
      return false;

  {
    REC_LOCKED (&setup.lock);
    g_clear_pointer (&setup.topics, g_array_unref);
    setup.topics = g_steal_pointer (&list);
    setup.threshold = parsed;
    setup.format = format;
  }
  if (!is_taken_over)
    g_log_set_writer_func (write_line, NULL, NULL);
  is_taken_over = true;
  return true;
}

void
rec_log_dup_levels (char **level, char ***topics)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  REC_LOCKED (&setup.lock);

  for (guint i = 0; setup.topics != NULL && i < setup.topics->len; i++) {
    const Topic *topic = &g_array_index (setup.topics, Topic, i);
    g_ptr_array_add (list, g_strdup_printf ("%s=%s", topic->name, name_level (topic->threshold)));
  }
  g_ptr_array_add (list, NULL);
  *level = g_strdup (name_level (setup.threshold));
  *topics = (char **) g_ptr_array_steal (list, NULL);
}

bool
rec_log_set_levels (const char *level, const char *const *topics, GError **error)
{
  return rec_log_set_up (level, topics, get_format (), error);
}

char *
rec_log_dup_setup (void)
{
  g_autofree char *level = NULL;
  g_auto (GStrv) topics = NULL;

  rec_log_dup_levels (&level, &topics);
  g_autofree char *joined = g_strjoinv (",", topics);
  return g_strconcat (get_format () == REC_LOG_JSON ? "json" : "text", ",", level,
      *joined != '\0' ? "," : "", joined, NULL);
}

bool
rec_log_set_up_as (const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  const bool is_whole = parts[0] != NULL && parts[1] != NULL;

  return rec_log_set_up (is_whole ? parts[1] : "message",
      is_whole ? (const char *const *) parts + 2 : NULL,
      is_whole && strcmp (parts[0], "json") == 0 ? REC_LOG_JSON : REC_LOG_TEXT, error);
}

void
rec_log_set_recording (const char *id)
{
  REC_LOCKED (&setup.lock);

  g_free (setup.recording);
  setup.recording = g_strdup (id);
}

bool
rec_log_set_up_from_config (const RecConfig *config, GError **error)
{
  const char *format = rec_config_get_string (config, "log.format");

  return rec_log_set_up (rec_config_get_string (config, "log.level"),
      rec_config_get_list (config, "log.topics"),
      strcmp (format, "json") == 0 ? REC_LOG_JSON : REC_LOG_TEXT, error);
}

void
rec_log_full (const char *domain, GLogLevelFlags level, const RecLogFields *about,
    const char *format, ...)
{
  if (!is_wanted (domain, level))
    return;

  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  const char *const values[G_N_ELEMENTS (labels)] = { about->session, about->recording,
    about->participant, about->stream, about->plugin };
  GLogField fields[2 + G_N_ELEMENTS (labels)] = { { "GLIB_DOMAIN", domain, -1 },
    { "MESSAGE", message, -1 } };
  size_t n_fields = 2;
  for (size_t i = 0; i < G_N_ELEMENTS (labels); i++)
    if (values[i] != NULL)
      fields[n_fields++] = (GLogField){ labels[i].key, values[i], -1 };
  g_log_structured_array (level, fields, n_fields);
}
