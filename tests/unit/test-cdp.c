/* test-cdp.c - the browser's messages, however they are cut, and what is none. */
#include "base/json.h"
#include "worker/cdp.h"

#include <string.h>

static void
on_found (const RecCdpMessage *message, void *data)
{
  GString *log = data;

  g_string_append_printf (log, "[%d %s '%s' %s %s]", (int) message->id,
      message->method != NULL ? message->method : "-", message->session,
      message->content != NULL
          ? json_object_to_json_string_ext (message->content, JSON_C_TO_STRING_PLAIN)
          : "-",
      message->failure != NULL ? message->failure : "-");
}

/* Feeds so many bytes at a time; NULL: it complained. */
static char *
hear (const char *bytes, size_t size, size_t step, size_t max_bytes)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (RecCdpParser) parser = rec_cdp_parser_new (max_bytes, on_found, log);
  g_autoptr (GError) error = NULL;

  for (size_t at = 0; at < size; at += step)
    if (!rec_cdp_parser_feed (parser, bytes + at, MIN (step, size - at), &error)) {
      g_assert_nonnull (error);
      return NULL;
    }
  return g_string_free (g_steal_pointer (&log), FALSE);
}

static const char talk[] =
    "{\"id\":1,\"result\":{\"product\":\"x\"}}\0"
    "{\"method\":\"Page.loadEventFired\",\"params\":{\"timestamp\":1.5},\"sessionId\":\"AB\"}\0"
    "{\"id\":2,\"error\":{\"code\":-32000,\"message\":\"No target\"},\"sessionId\":\"AB\"}\0"
    "{\"method\":\"Inspector.targetCrashed\",\"sessionId\":\"AB\"}";

static void
test_finds_messages_however_they_are_cut (void)
{
  for (size_t step = 1; step <= sizeof talk; step++) {
    g_autofree char *heard = hear (talk, sizeof talk, step, 4096);

    g_assert_cmpstr (heard, ==,
        "[1 - '' {\"product\":\"x\"} -]"
        "[0 Page.loadEventFired 'AB' {\"timestamp\":1.5} -]"
        "[2 - 'AB' - No target]"
        "[0 Inspector.targetCrashed 'AB' - -]");
  }
}

static void
test_waits_for_the_end (void)
{
  g_autofree char *heard = hear (talk, sizeof talk - 1, 7, 4096);

  g_assert_nonnull (strstr (heard, "No target"));
  g_assert_null (strstr (heard, "targetCrashed"));
}

static void
test_skips_what_is_too_long (void)
{
  g_autoptr (GString) bytes = g_string_new ("{\"method\":\"a\"}");

  g_string_append_len (bytes, "\0{\"method\":\"", 12);
  for (int i = 0; i < 5000; i++)
    g_string_append_c (bytes, 'x');
  g_string_append_len (bytes, "\"}\0{\"method\":\"b\"}\0", 18);
  for (size_t step = 1; step < 6000; step += 501) {
    g_autofree char *heard = hear (bytes->str, bytes->len, step, 1000);

    g_assert_cmpstr (heard, ==, "[0 a '' - -][0 b '' - -]");
  }
}

static void
test_ends_with_what_is_no_message (void)
{
  static const char *const cases[] = {
    "",
    "hello",
    "[]",
    "7",
    "{}",
    "{\"id\":0}",
    "{\"id\":-1,\"result\":{}}",
    "{\"id\":1,\"method\":\"both\"}",
    "{\"method\":7}",
    "{\"method\":\"a\"} {\"method\":\"b\"}",
    "{\"method\":\"\xff\"}",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *heard = hear (cases[i], strlen (cases[i]) + 1, 100, 1000);

    g_assert_cmpstr (heard, ==, NULL);
  }
}

static void
test_takes_what_a_page_may_print (void)
{
  static const char odd[] = "{\"method\":\"a\",\"params\":{\"x\":\"\\ud800 \\u0000 \\u007f\"}}";
  g_autofree char *heard = hear (odd, sizeof odd, 9, 1000);

  g_assert_nonnull (heard);
}

static void
test_writes_commands (void)
{
  json_object *params = json_object_new_object ();
  size_t size = 0;

  rec_json_set_string (params, "url", "https://a/\"b\"\n");
  g_autofree char *command = rec_cdp_make_command (7, "Page.navigate", "AB", params, &size);
  g_assert_cmpstr (command, ==,
      "{\"id\":7,\"method\":\"Page.navigate\",\"sessionId\":\"AB\",\"params\":{\"url\":\"https://a/"
      "\\\"b\\\"\\n\"}}");
  g_assert_cmpuint (size, ==, strlen (command) + 1);

  g_autofree char *bare = rec_cdp_make_command (8, "Browser.close", "", NULL, &size);
  g_assert_cmpstr (bare, ==, "{\"id\":8,\"method\":\"Browser.close\"}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cdp/finds-messages-however-they-are-cut",
      test_finds_messages_however_they_are_cut);
  g_test_add_func ("/cdp/waits-for-the-end", test_waits_for_the_end);
  g_test_add_func ("/cdp/skips-what-is-too-long", test_skips_what_is_too_long);
  g_test_add_func ("/cdp/ends-with-what-is-no-message", test_ends_with_what_is_no_message);
  g_test_add_func ("/cdp/takes-what-a-page-may-print", test_takes_what_a_page_may_print);
  g_test_add_func ("/cdp/writes-commands", test_writes_commands);
  return g_test_run ();
}
