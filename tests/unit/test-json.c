/* test-json.c - parsing with limits, bodies against tables. */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define MAX_BYTES 10000

static RecJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  RecJson *value = rec_json_parse (text, strlen (text), MAX_BYTES, &error);

  g_assert_no_error (error);
  g_assert_nonnull (value);
  return value;
}

static void
assert_unparsable (const char *text, size_t length, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (rec_json_parse (text, length, MAX_BYTES, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  if (strstr (error->message, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, reason);
}

static void
test_parses_every_kind (void)
{
  static const char *const texts[] = { "{}", "[]", "1", "-1.5", "true", "\"x\"", " {\"a\":1} \n" };

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (RecJson) value = parse (texts[i]);
    g_assert_nonnull (value);
  }
}

static void
test_refuses_what_is_not_one_value (void)
{
  static const struct {
    const char *text, *reason;
  } cases[] = {
    { "", "too early" },
    { "   ", "too early" },
    { "{", "too early" },
    { "{\"a\":", "too early" },
    { "\"abc", "too early" },
    { "null", "not null" },
    { "{} x", "byte 3" },
    { "{}{}", "byte 2" },
    { "{\"a\":1,}", "byte 7" },
    { "{a:1}", "byte 1" },
    { "'a'", "byte 0" },
    { "[1 2]", "byte 3" },
    { "tru", "too early" },
    { "nan", "" },
    { "{\"a\":01}", "" },
    { "{\"a\":NaN}", "byte 5" },
    { "{\"a\":-Infinity}", "byte 6" },
    { "{'a':1}", "byte 1" },
    { "{\"a\":'b'}", "byte 5" },
    { "{\"a\":1.}", "byte 6" },
    { "{\"a\\\\\":NaN}", "byte 7" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_unparsable (cases[i].text, strlen (cases[i].text), cases[i].reason);
  assert_unparsable ("{}\0{}", 5, "UTF-8");
  assert_unparsable ("\"\xff\"", 3, "UTF-8");
}

static void
test_depth_is_bounded (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (int i = 0; i < REC_JSON_MAX_DEPTH - 1; i++)
    g_string_append_c (text, '[');
  for (int i = 0; i < REC_JSON_MAX_DEPTH - 1; i++)
    g_string_append_c (text, ']');
  g_autoptr (RecJson) deep = parse (text->str);
  g_assert_nonnull (deep);

  g_string_truncate (text, 0);
  for (int i = 0; i < 5000; i++)
    g_string_append_c (text, '[');
  assert_unparsable (text->str, text->len, "nesting");
}

static void
test_size_is_bounded (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecJson) whole = rec_json_parse ("[1,2]", 5, 5, &error);

  g_assert_no_error (error);
  g_assert_nonnull (whole);
  g_assert_null (rec_json_parse ("[1,23]", 6, 5, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_TOO_LARGE);
}

static void
test_reads_only_what_it_is_given (void)
{
  g_autofree char *exact = g_memdup2 ("{\"a\":12}", 8); /* no NUL behind it: ASan watches */
  g_autoptr (RecJson) value = rec_json_parse (exact, 8, MAX_BYTES, NULL);

  g_assert_cmpint (rec_json_int_or (value, "a", 0), ==, 12);
  g_autofree char *number = g_memdup2 ("12", 2);
  g_autoptr (RecJson) bare = rec_json_parse (number, 2, MAX_BYTES, NULL);
  g_assert_cmpint (json_object_get_int (bare), ==, 12);
}

static void
test_last_duplicate_counts (void)
{
  g_autoptr (RecJson) value = parse ("{\"a\":1,\"a\":2}");

  g_assert_cmpint (rec_json_int_or (value, "a", 0), ==, 2);
}

static bool
is_resolution (const char *value)
{
  return g_regex_match_simple ("^[0-9]+x[0-9]+$", value, 0, 0);
}

static const char *const modes[] = { "COMPOSED", "INDIVIDUAL", NULL };

static const RecJsonField fields[] = {
  { .name = "session", .type = REC_JSON_STRING, .required = true, .min = 1, .max = 8 },
  { .name = "frameRate", .type = REC_JSON_INTEGER, .min = 1, .max = 120 },
  { .name = "ratio", .type = REC_JSON_NUMBER, .min = 0, .max = 2 },
  { .name = "hasAudio", .type = REC_JSON_BOOLEAN },
  { .name = "outputMode", .type = REC_JSON_STRING, .choices = modes },
  { .name = "resolution",
      .type = REC_JSON_STRING,
      .is_valid = is_resolution,
      .expected = "WIDTHxHEIGHT" },
  { .name = "options", .type = REC_JSON_OBJECT },
  { .name = "sinks", .type = REC_JSON_STRINGS, .min = 1, .max = 2 },
  { .name = "list", .type = REC_JSON_ARRAY },
  { .name = "anything", .type = REC_JSON_ANY },
  REC_JSON_FIELDS_END,
};

static void
test_good_bodies_pass (void)
{
  static const char *const texts[] = {
    "{\"session\":\"s\"}",
    "{\"session\":\"12345678\",\"frameRate\":1}",
    "{\"session\":\"s\",\"frameRate\":120,\"unknown\":[1]}",
    "{\"session\":\"s\",\"ratio\":1.5}",
    "{\"session\":\"s\",\"ratio\":2}",
    "{\"session\":\"s\",\"hasAudio\":false,\"outputMode\":\"INDIVIDUAL\"}",
    "{\"session\":\"s\",\"resolution\":\"640x480\"}",
    "{\"session\":\"s\",\"options\":{\"a\":1},\"sinks\":[\"mp4\",\"count\"],\"list\":[1,\"x\"]}",
    "{\"session\":\"s\",\"anything\":7}",
    /* null counts as absent */
    "{\"session\":\"s\",\"frameRate\":null,\"hasAudio\":null,\"sinks\":null}",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecJson) body = parse (texts[i]);
    g_assert_true (rec_json_check (body, fields, &error));
    g_assert_no_error (error);
  }
}

static void
test_bad_bodies_are_told_what_is_wrong (void)
{
  static const struct {
    const char *text, *message;
  } cases[] = {
    { "[]", "the JSON text must be an object {...}" },
    { "{}", "field \"session\" is missing and must be a string of 1 to 8 bytes" },
    { "{\"session\":null}", "field \"session\" is missing and must be a string of 1 to 8 bytes" },
    { "{\"session\":\"\"}", "field \"session\" must be a string of 1 to 8 bytes" },
    { "{\"session\":\"123456789\"}", "field \"session\" must be a string of 1 to 8 bytes" },
    { "{\"session\":5}", "field \"session\" must be a string of 1 to 8 bytes" },
    { "{\"session\":\"s\\u0000\"}", "field \"session\" must be a string of 1 to 8 bytes" },
    { "{\"session\":\"s\",\"frameRate\":0}",
        "field \"frameRate\" must be an integer from 1 to 120" },
    { "{\"session\":\"s\",\"frameRate\":121}",
        "field \"frameRate\" must be an integer from 1 to 120" },
    { "{\"session\":\"s\",\"frameRate\":25.5}",
        "field \"frameRate\" must be an integer from 1 to 120" },
    { "{\"session\":\"s\",\"frameRate\":\"25\"}",
        "field \"frameRate\" must be an integer from 1 to 120" },
    { "{\"session\":\"s\",\"frameRate\":99999999999999999999}",
        "field \"frameRate\" must be an integer from 1 to 120" },
    { "{\"session\":\"s\",\"frameRate\":true}",
        "field \"frameRate\" must be an integer from 1 to 120" },
    { "{\"session\":\"s\",\"ratio\":2.5}", "field \"ratio\" must be a number from 0 to 2" },
    { "{\"session\":\"s\",\"hasAudio\":\"true\"}", "field \"hasAudio\" must be true or false" },
    { "{\"session\":\"s\",\"hasAudio\":1}", "field \"hasAudio\" must be true or false" },
    { "{\"session\":\"s\",\"outputMode\":\"composed\"}",
        "field \"outputMode\" must be one of COMPOSED, INDIVIDUAL" },
    { "{\"session\":\"s\",\"resolution\":\"big\"}", "field \"resolution\" must be WIDTHxHEIGHT" },
    { "{\"session\":\"s\",\"options\":[]}", "field \"options\" must be an object" },
    { "{\"session\":\"s\",\"list\":{}}", "field \"list\" must be an array" },
    { "{\"session\":\"s\",\"sinks\":[]}",
        "field \"sinks\" must be an array of strings of 1 to 2 members" },
    { "{\"session\":\"s\",\"sinks\":[\"a\",1]}",
        "field \"sinks\" must be an array of strings of 1 to 2 members" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecJson) body = parse (cases[i].text);
    g_assert_false (rec_json_check (body, fields, &error));
    g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
    g_assert_cmpstr (error->message, ==, cases[i].message);
  }
}

static void
test_closed_tables_refuse_the_unknown (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecJson) known = parse ("{\"session\":\"s\",\"frameRate\":5}");
  g_autoptr (RecJson) unknown = parse ("{\"session\":\"s\",\"framerate\":5}");

  g_assert_true (rec_json_check_closed (known, fields, &error));
  g_assert_no_error (error);
  g_assert_false (rec_json_check_closed (unknown, fields, &error));
  g_assert_cmpstr (error->message, ==, "field \"framerate\" is not known here");
}

static void
test_getters_read_their_type_only (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecJson)
      object = parse ("{\"s\":\"text\",\"i\":-9007199254740993,\"d\":0.5,\"n\":null}");
  const char *text = NULL;
  int64_t number = 0;

  g_assert_true (rec_json_get_string (object, "s", &text, &error));
  g_assert_cmpstr (text, ==, "text");
  g_assert_true (rec_json_get_int (object, "i", &number, &error));
  g_assert_cmpint (number, ==, -9007199254740993);
  g_assert_no_error (error);

  g_assert_false (rec_json_get_string (object, "i", &text, &error));
  g_assert_cmpstr (error->message, ==, "field \"i\" must be a string");
  g_assert_cmpstr (text, ==, "text"); /* untouched */
  g_clear_error (&error);
  g_assert_false (rec_json_get_int (object, "d", &number, &error));
  g_clear_error (&error);
  g_assert_false (rec_json_get_int (object, "n", &number, &error));
  g_assert_cmpstr (error->message, ==, "field \"n\" is missing and must be an integer");
  g_clear_error (&error);
  g_assert_false (rec_json_get_int (NULL, "i", &number, &error));
  g_assert_nonnull (error);
}

static void
test_fallbacks_stand_for_absent_and_other_types (void)
{
  g_autoptr (RecJson) object = parse ("{\"s\":\"x\",\"i\":3,\"b\":false,\"n\":null}");

  g_assert_cmpstr (rec_json_string_or (object, "s", "y"), ==, "x");
  g_assert_cmpstr (rec_json_string_or (object, "i", "y"), ==, "y");
  g_assert_cmpstr (rec_json_string_or (object, "n", "y"), ==, "y");
  g_assert_cmpint (rec_json_int_or (object, "i", 7), ==, 3);
  g_assert_cmpint (rec_json_int_or (object, "none", 7), ==, 7);
  g_assert_false (rec_json_bool_or (object, "b", true));
  g_assert_true (rec_json_bool_or (object, "s", true));
  g_assert_cmpfloat (rec_json_double_or (object, "i", 0.5), ==, 3);
  g_assert_cmpfloat (rec_json_double_or (NULL, "i", 0.5), ==, 0.5);
  g_assert_true (rec_json_has (object, "s"));
  g_assert_false (rec_json_has (object, "n"));
}

static void
test_text_is_one_line_and_keeps_slashes (void)
{
  g_autoptr (RecJson) object = json_object_new_object ();

  rec_json_set_string (object, "url", "https://host/x\ny");
  rec_json_set_string (object, "none", NULL);
  rec_json_set_int (object, "i", G_MAXINT64);
  rec_json_set_bool (object, "b", true);
  rec_json_set_double (object, "d", 0.5);
  rec_json_take (object, "list", json_object_new_array ());
  g_autofree char *text = rec_json_to_text (object);
  g_assert_cmpstr (text, ==,
      "{\"url\":\"https://host/x\\ny\",\"none\":null,\"i\":9223372036854775807,\"b\":true,"
      "\"d\":0.5,\"list\":[]}");
  g_autofree char *pretty = rec_json_to_pretty_text (object);
  g_assert_nonnull (strstr (pretty, "\n"));
}

static void
test_file_errors_name_the_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("recto-json-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "entity", NULL);

  g_assert_null (rec_json_parse_file (path, MAX_BYTES, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "{\"a\":", -1, NULL));
  g_assert_null (rec_json_parse_file (path, MAX_BYTES, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_true (g_file_set_contents (path, "{\"a\":1}", -1, NULL));
  g_autoptr (RecJson) value = rec_json_parse_file (path, MAX_BYTES, NULL);
  g_assert_cmpint (rec_json_int_or (value, "a", 0), ==, 1);
  g_assert_cmpint (remove (path), ==, 0);
  g_assert_cmpint (remove (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/parses-every-kind", test_parses_every_kind);
  g_test_add_func ("/json/refuses-what-is-not-one-value", test_refuses_what_is_not_one_value);
  g_test_add_func ("/json/depth-is-bounded", test_depth_is_bounded);
  g_test_add_func ("/json/size-is-bounded", test_size_is_bounded);
  g_test_add_func ("/json/reads-only-what-it-is-given", test_reads_only_what_it_is_given);
  g_test_add_func ("/json/last-duplicate-counts", test_last_duplicate_counts);
  g_test_add_func ("/json/good-bodies-pass", test_good_bodies_pass);
  g_test_add_func ("/json/bad-bodies-are-told-what-is-wrong",
      test_bad_bodies_are_told_what_is_wrong);
  g_test_add_func ("/json/closed-tables-refuse-the-unknown", test_closed_tables_refuse_the_unknown);
  g_test_add_func ("/json/getters-read-their-type-only", test_getters_read_their_type_only);
  g_test_add_func ("/json/fallbacks-stand-for-absent-and-other-types",
      test_fallbacks_stand_for_absent_and_other_types);
  g_test_add_func ("/json/text-is-one-line-and-keeps-slashes",
      test_text_is_one_line_and_keeps_slashes);
  g_test_add_func ("/json/file-errors-name-the-file", test_file_errors_name_the_file);
  return g_test_run ();
}
