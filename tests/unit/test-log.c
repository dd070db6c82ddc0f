/* test-log.c - lines that nobody can forge. */
#include "base/log.h"

#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"

#define TIME_US G_GINT64_CONSTANT (1700000000123456)

static char *
format (RecLogFormat how, const char *message, const char *recording, const char *session)
{
  const GLogField fields[] = {
    { "GLIB_DOMAIN", "rec.media.router", -1 },
    { "MESSAGE", message, -1 },
    { "REC_RECORDING", recording, recording == NULL ? 0 : -1 },
    { "REC_SESSION", session, -1 },
    { "CODE_FILE", "x.c", -1 },
  };
  size_t n_fields = session == NULL ? (recording == NULL ? 2 : 3) : 4;

  return rec_log_format_line (how, G_LOG_LEVEL_WARNING, fields, n_fields, TIME_US);
}

static void
test_text_line_has_time_level_topic_and_fields (void)
{
  g_autofree char *plain = format (REC_LOG_TEXT, "hello", NULL, NULL);
  g_autofree char *full = format (REC_LOG_TEXT, "hello", "r1", "a b");

  g_assert_cmpstr (plain, ==, "2023-11-14T22:13:20.123Z warning rec.media.router: hello");
  g_assert_cmpstr (full, ==,
      "2023-11-14T22:13:20.123Z warning rec.media.router session=\"a b\" recording=r1: hello");
}

static void
test_foreign_text_cannot_forge_a_line (void)
{
  static const char *const hostile[] = { "a\nb", "a\rb", "a\x1b[31mb", "a\x7f",
    "a\xc2\x85"
    "b",
    "a\xe2\x80\xa8"
    "b",
    "\xff\xfe", "a\tb" };

  for (size_t i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autofree char *text = format (REC_LOG_TEXT, hostile[i], hostile[i], hostile[i]);
    g_autofree char *json = format (REC_LOG_JSON, hostile[i], hostile[i], hostile[i]);
    g_assert_true (g_utf8_validate (text, -1, NULL));
    g_assert_true (g_utf8_validate (json, -1, NULL));
    for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c)) {
      g_assert_false (g_unichar_iscntrl (g_utf8_get_char (c)));
      g_assert_cmpuint (g_utf8_get_char (c), !=, 0x2028);
    }
    g_assert_null (strpbrk (json, "\n\r\x1b"));
  }
}

static void
test_field_cannot_pretend_to_be_two (void)
{
  g_autofree char *line = format (REC_LOG_TEXT, "m", "r1 session=admin", NULL);
  g_autofree char *quoted = format (REC_LOG_TEXT, "m", "r1\" session=\"admin", NULL);

  g_assert_nonnull (strstr (line, " recording=\"r1 session=admin\": m"));
  g_assert_nonnull (strstr (quoted, " recording=\"r1\\\" session=\\\"admin\": m"));
}

static void
test_json_line_is_an_object (void)
{
  g_autofree char *line = format (REC_LOG_JSON, "says \"hi\"\n", "r1", "s1");
  g_autoptr (RecJson) object = rec_json_parse (line, strlen (line), 10000, NULL);

  g_assert_nonnull (object);
  g_assert_cmpstr (rec_json_string_or (object, "time", ""), ==, "2023-11-14T22:13:20.123Z");
  g_assert_cmpstr (rec_json_string_or (object, "level", ""), ==, "warning");
  g_assert_cmpstr (rec_json_string_or (object, "topic", ""), ==, "rec.media.router");
  g_assert_cmpstr (rec_json_string_or (object, "recording", ""), ==, "r1");
  g_assert_cmpstr (rec_json_string_or (object, "session", ""), ==, "s1");
  g_assert_cmpstr (rec_json_string_or (object, "message", ""), ==, "says \"hi\"\n");
  g_assert_false (rec_json_has (object, "CODE_FILE"));
}

static void
log_at_every_level (const char *domain)
{
  const RecLogFields about = { .recording = "r1", .plugin = "row" };

  rec_log_full (domain, G_LOG_LEVEL_CRITICAL, &about, "%s-critical", domain);
  rec_log_full (domain, G_LOG_LEVEL_WARNING, &about, "%s-warning", domain);
  rec_log_full (domain, G_LOG_LEVEL_MESSAGE, &about, "%s-message", domain);
  rec_log_full (domain, G_LOG_LEVEL_INFO, &about, "%s-info", domain);
  rec_log_full (domain, G_LOG_LEVEL_DEBUG, &about, "%s-debug", domain);
}

static void
test_levels_and_topics_decide (void)
{
  if (g_test_subprocess ()) {
    static const char *const topics[] = { "rec.media=debug", "rec.media.feed=error", NULL };
    g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
    g_assert_true (rec_log_set_up ("warning", topics, REC_LOG_TEXT, NULL));
    log_at_every_level ("rec.api");
    log_at_every_level ("rec.media");
    log_at_every_level ("rec.media.router");
    log_at_every_level ("rec.media.feed");
    log_at_every_level ("rec.mediator");
    g_log ("rec.api", G_LOG_LEVEL_WARNING, "plain-warning");
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  static const char *const written[] = { "rec.api-critical", "rec.api-warning", "rec.media-debug",
    "rec.media.router-debug", "rec.media.feed-critical", "rec.mediator-warning", "plain-warning",
    "warning rec.api recording=r1 plugin=row: rec.api-warning", "error   rec.api" };
  static const char *const left_out[] = { "rec.api-message", "rec.media.feed-warning",
    "rec.mediator-message" };
  for (size_t i = 0; i < G_N_ELEMENTS (written); i++) {
    g_autofree char *pattern = g_strdup_printf ("*%s*", written[i]);
    g_test_trap_assert_stderr (pattern);
  }
  for (size_t i = 0; i < G_N_ELEMENTS (left_out); i++) {
    g_autofree char *pattern = g_strdup_printf ("*%s*", left_out[i]);
    g_test_trap_assert_stderr_unmatched (pattern);
  }
}

static void
test_config_sets_format_and_level (void)
{
  if (g_test_subprocess ()) {
    g_autoptr (RecConfig) config = rec_config_new ();
    g_assert_true (rec_config_set (config, "log.format", "json", "-D", NULL));
    g_assert_true (rec_config_set (config, "log.level", "info", "-D", NULL));
    g_assert_true (rec_config_set (config, "log.topics", "rec.x=error", "-D", NULL));
    g_assert_true (rec_log_set_up_from_config (config, NULL));
    rec_log_full ("rec.y", G_LOG_LEVEL_INFO, &(RecLogFields){ .stream = "s" }, "shown");
    rec_log_full ("rec.x", G_LOG_LEVEL_INFO, &(RecLogFields){ .stream = "s" }, "hidden");
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr (
      "{*\"level\":\"info\",\"topic\":\"rec.y\",\"stream\":\"s\",\"message\":\"shown\"}\n");
}

static void
test_bad_level_and_topic_are_refused (void)
{
  static const char *const bad[][2] = { { "rec.media" }, { "rec.media=loud" }, { "=debug" } };
  g_autoptr (GError) error = NULL;

  g_assert_false (rec_log_set_up ("loud", NULL, REC_LOG_TEXT, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) topic_error = NULL;
    g_assert_false (rec_log_set_up ("info", bad[i], REC_LOG_TEXT, &topic_error));
    g_assert_nonnull (strstr (topic_error->message, bad[i][0]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/text-line-has-time-level-topic-and-fields",
      test_text_line_has_time_level_topic_and_fields);
  g_test_add_func ("/log/foreign-text-cannot-forge-a-line", test_foreign_text_cannot_forge_a_line);
  g_test_add_func ("/log/field-cannot-pretend-to-be-two", test_field_cannot_pretend_to_be_two);
  g_test_add_func ("/log/json-line-is-an-object", test_json_line_is_an_object);
  g_test_add_func ("/log/levels-and-topics-decide", test_levels_and_topics_decide);
  g_test_add_func ("/log/config-sets-format-and-level", test_config_sets_format_and_level);
  g_test_add_func ("/log/bad-level-and-topic-are-refused", test_bad_level_and_topic_are_refused);
  return g_test_run ();
}
