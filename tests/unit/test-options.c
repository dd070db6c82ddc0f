/* test-options.c - option tables, their values, and what plugins see of them. */
#include "plugin/options.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

static const char *const moods[] = { "calm", "loud", NULL };

static const RecOption *const table[] = {
  REC_OPTION_INT (REC_OPTION_REQUEST, "gap", "8", "Pixels", 0, 200),
  REC_OPTION_INT (0, "any", NULL, "Any number", 0, 0),
  REC_OPTION_BOOL (0, "names", "true", "Show names"),
  REC_OPTION_CHOICE (0, "mood", "calm", "How", moods),
  REC_OPTION_STRING (REC_OPTION_SECRET, "title", NULL, "What"),
  &(const RecOption){
      sizeof (RecOption), 0, "short", REC_TYPE_STRING, 0, "abc", "Bounded", 0, 3, NULL },
  REC_OPTION_END,
};

static RecJson *
describe (void)
{
  g_autoptr (GError) error = NULL;
  RecJson *description = rec_options_describe (table, &error);

  g_assert_no_error (error);
  return description;
}

static void
assert_says (const GError *error, const char *reason)
{
  g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  if (strstr (error->message, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, reason);
}

static void
test_describes_every_field (void)
{
  g_autoptr (RecJson) description = describe ();
  RecJson *gap = rec_options_find (description, "gap");
  RecJson *title = rec_options_find (description, "title");

  g_assert_cmpuint (json_object_array_length (description), ==, 6);
  g_assert_cmpstr (rec_json_string_or (gap, "type", NULL), ==, "int");
  g_assert_cmpint (rec_json_int_or (gap, "fallback", -1), ==, 8);
  g_assert_cmpint (rec_json_int_or (gap, "max", -1), ==, 200);
  g_assert_cmpstr (rec_json_string_or (gap, "help", NULL), ==, "Pixels");
  g_assert_true (rec_option_has_flag (gap, "request"));
  g_assert_false (rec_option_has_flag (gap, "secret"));
  g_assert_true (rec_option_has_flag (title, "secret"));
  g_assert_cmpstr (rec_json_string_or (title, "fallback", NULL), ==, "");
  g_assert_false (rec_json_has (rec_options_find (description, "any"), "min"));
  g_assert_null (rec_options_find (description, "other"));
}

static void
test_parses_the_text_of_an_ini_file (void)
{
  static const struct {
    const char *key, *text, *reason; /* NULL: right */
  } cases[] = {
    { "gap", "0", NULL },
    { "gap", "200", NULL },
    { "gap", "201", "expected 0 to 200" },
    { "gap", "-1", "expected 0 to 200" },
    { "gap", "1.5", "expected 0 to 200" },
    { "gap", "", "expected 0 to 200" },
    { "gap", "12x", "expected 0 to 200" },
    { "any", "-9223372036854775808", NULL },
    { "any", "9223372036854775808", "a whole number" },
    { "names", "false", NULL },
    { "names", "yes", "expected true or false" },
    { "mood", "loud", NULL },
    { "mood", "Loud", "expected one of: calm, loud" },
    { "short", "abc", NULL },
    { "short", "abcd", "at most 3 bytes" },
    { "title", "", NULL },
  };
  g_autoptr (RecJson) description = describe ();

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecJson) value =
        rec_option_parse (rec_options_find (description, cases[i].key), cases[i].text, &error);

    if (cases[i].reason != NULL)
      assert_says (error, cases[i].reason);
    else
      g_assert_no_error (error);
    g_assert_cmpint (value != NULL, ==, cases[i].reason == NULL);
  }
}

static void
test_checks_the_type_of_a_request (void)
{
  static const struct {
    const char *key, *json;
    bool is_right;
  } cases[] = {
    { "gap", "4", true },
    { "gap", "\"4\"", false },
    { "gap", "4.0", false },
    { "gap", "true", false },
    { "gap", "[4]", false },
    { "names", "false", true },
    { "names", "0", false },
    { "mood", "\"calm\"", true },
    { "mood", "{}", false },
    { "short", "\"\\u0000\"", false },
  };
  g_autoptr (RecJson) description = describe ();

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (RecJson) value = json_tokener_parse (cases[i].json);
    bool is_right = rec_option_check (rec_options_find (description, cases[i].key), value, NULL);

    if (is_right != cases[i].is_right)
      g_error ("%s = %s", cases[i].key, cases[i].json);
  }
  g_assert_false (rec_option_check (rec_options_find (description, "gap"), NULL, NULL));
}

static void
assert_refused (const RecOption *const *wrong, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_options_describe (wrong, &error));
  assert_says (error, reason);
}

static void
test_refuses_senseless_tables (void)
{
  static const RecOption good = REC_OPTION_INT_INIT (0, "a", "1", "", 0, 9);
  static const RecOption upper = REC_OPTION_INT_INIT (0, "A", "1", "", 0, 9);
  static const RecOption nameless = REC_OPTION_INT_INIT (0, NULL, "1", "", 0, 9);
  static const RecOption backwards = REC_OPTION_INT_INIT (0, "a", "1", "", 9, 0);
  static const RecOption outside = REC_OPTION_INT_INIT (0, "a", "10", "", 0, 9);
  static const RecOption chosen = REC_OPTION_CHOICE_INIT (0, "a", "x", "", moods);
  static const RecOption odd = { sizeof (RecOption), 0, "a", 9, 0, NULL, NULL, 0, 0, NULL };
  static const RecOption small = { 8, 0, "a", 1, 0, NULL, NULL, 0, 0, NULL };
  const RecOption *endless[REC_OPTIONS_MAX + 2] = { NULL };
  RecOption many[REC_OPTIONS_MAX + 1];
  char keys[REC_OPTIONS_MAX + 1][16];

  assert_refused ((const RecOption *const[]){ &good, &good, NULL }, "is there twice");
  assert_refused ((const RecOption *const[]){ &upper, NULL }, "[a-z0-9_-]+");
  assert_refused ((const RecOption *const[]){ &nameless, NULL }, "[a-z0-9_-]+");
  assert_refused ((const RecOption *const[]){ &backwards, NULL }, "minimum above its maximum");
  assert_refused ((const RecOption *const[]){ &outside, NULL }, "expected 0 to 9");
  assert_refused ((const RecOption *const[]){ &chosen, NULL }, "expected one of: calm, loud");
  assert_refused ((const RecOption *const[]){ &odd, NULL }, "unknown type");
  assert_refused ((const RecOption *const[]){ &small, NULL }, "8 bytes");
  for (size_t i = 0; i <= REC_OPTIONS_MAX; i++) {
    many[i] = good;
    g_snprintf (keys[i], sizeof keys[i], "key%zu", i);
    many[i].key = keys[i];
    endless[i] = &many[i];
  }
  assert_refused (endless, "more than 64 entries");
}

static void
test_gives_values_over_fallbacks (void)
{
  g_autoptr (RecJson) values = json_tokener_parse ("{\"gap\":20,\"title\":\"x\",\"unknown\":1}");
  g_autoptr (RecOptions) options = rec_options_new (table, values);

  g_assert_cmpuint (options->size, ==, sizeof (RecOptions));
  g_assert_cmpint (options->get_int (options, "gap"), ==, 20);
  g_assert_cmpint (options->get_int (options, "any"), ==, 0);
  g_assert_true (options->get_bool (options, "names"));
  g_assert_cmpstr (options->get_string (options, "mood"), ==, "calm");
  g_assert_cmpstr (options->get_string (options, "title"), ==, "x");
}

static void
test_keeps_its_own_copy_of_the_values (void)
{
  RecJson *values = json_tokener_parse ("{\"title\":\"x\"}");
  g_autoptr (RecOptions) options = rec_options_new (table, values);
  const char *title = options->get_string (options, "title");

  rec_json_set_string (values, "title", "changed");
  json_object_put (values);
  g_assert_cmpstr (title, ==, "x");
  g_assert_cmpstr (options->get_string (options, "title"), ==, "x");
}

static void
test_falls_back_on_wrong_values (void)
{
  g_autoptr (RecJson) values = json_tokener_parse ("{\"gap\":900}");

  g_test_expect_message ("rec.plugin.options", G_LOG_LEVEL_WARNING, "*'gap' is wrong*");
  g_autoptr (RecOptions) options = rec_options_new (table, values);
  g_test_assert_expected_messages ();
  g_assert_cmpint (options->get_int (options, "gap"), ==, 8);
}

static void
test_answers_a_mistaken_plugin_with_nothing (void)
{
  g_autoptr (RecOptions) options = rec_options_new (table, NULL);

  g_test_expect_message ("rec.plugin.options", G_LOG_LEVEL_WARNING,
      "*'zap', which is not in its table*");
  g_assert_cmpint (options->get_int (options, "zap"), ==, 0);
  g_test_assert_expected_messages ();
  /* Said once, however often it asks. */
  g_assert_false (options->get_bool (options, "gap"));
  g_assert_cmpstr (options->get_string (options, "gap"), ==, "");
  g_assert_cmpstr (options->get_string (options, NULL), ==, "");
}

static void
test_works_without_a_table (void)
{
  g_autoptr (RecOptions) options = rec_options_new (NULL, NULL);
  g_autoptr (RecJson) description = rec_options_describe (NULL, NULL);

  g_assert_nonnull (options);
  g_assert_cmpuint (json_object_array_length (description), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/options/describes-every-field", test_describes_every_field);
  g_test_add_func ("/options/parses-the-text-of-an-ini-file", test_parses_the_text_of_an_ini_file);
  g_test_add_func ("/options/checks-the-type-of-a-request", test_checks_the_type_of_a_request);
  g_test_add_func ("/options/refuses-senseless-tables", test_refuses_senseless_tables);
  g_test_add_func ("/options/gives-values-over-fallbacks", test_gives_values_over_fallbacks);
  g_test_add_func ("/options/keeps-its-own-copy-of-the-values",
      test_keeps_its_own_copy_of_the_values);
  g_test_add_func ("/options/falls-back-on-wrong-values", test_falls_back_on_wrong_values);
  g_test_add_func ("/options/answers-a-mistaken-plugin-with-nothing",
      test_answers_a_mistaken_plugin_with_nothing);
  g_test_add_func ("/options/works-without-a-table", test_works_without_a_table);
  return g_test_run ();
}
