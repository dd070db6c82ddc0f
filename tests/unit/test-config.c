/* test-config.c - settings from every source, and what a start-up error says. */
#include "base/config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/ini.h"
#include "base/path.h"
#include "base/settings.h"

typedef struct Folder {
  char *path;
  char *ini; /* FOLDER/recto.ini */
} Folder;

static void
set_up (Folder *folder, gconstpointer data)
{
  (void) data;
  folder->path = g_dir_make_tmp ("recto-config-XXXXXX", NULL);
  folder->ini = g_build_filename (folder->path, "recto.ini", NULL);
}

static void
tear_down (Folder *folder, gconstpointer data)
{
  (void) data;
  g_assert_true (rec_path_remove_tree (folder->path, NULL));
  g_free (folder->path);
  g_free (folder->ini);
}

static RecConfig *
load (const char *file, const char *const *environment, const char *const *definitions,
    GError **error)
{
  const RecConfigSources sources = {
    .file = file, .environment = environment, .definitions = definitions
  };

  return rec_config_load (&sources, error);
}

static RecConfig *
load_text (const Folder *folder, const char *text, GError **error)
{
  g_assert_true (g_file_set_contents (folder->ini, text, -1, NULL));
  return load (folder->ini, NULL, NULL, error);
}

static void
assert_says (const GError *error, const char *text)
{
  g_assert_nonnull (error);
  if (strstr (error->message, text) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, text);
}

/* Defaults and the table. */

static void
test_defaults_are_good (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) config = rec_config_new ();

  g_assert_true (rec_config_check (config, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (rec_config_get_string (config, "openvidu.secret"), ==, "MY_SECRET");
  g_assert_cmpint (rec_config_get_int (config, "server.port"), ==, 4443);
  g_assert_cmpstr (rec_config_get_string (config, "server.address"), ==, "127.0.0.1");
  g_assert_false (rec_config_get_bool (config, "openvidu.recording"));
  g_assert_cmpstr (rec_config_get_list (config, "sinks.default")[0], ==, "mp4");
  g_assert_null (rec_config_get_list (config, "sinks.default")[1]);
  g_assert_null (rec_config_get_list (config, "log.topics")[0]);
  g_assert_false (rec_config_is_set (config, "server.port"));
}

static void
test_every_setting_has_section_and_help (void)
{
  for (size_t i = 0; i < rec_n_settings; i++) {
    const RecSetting *setting = &rec_settings[i];
    size_t length = strcspn (setting->key, ".");
    bool has_section = false;

    for (const RecSettingSection *section = rec_setting_sections; section->name != NULL; section++)
      has_section |= strlen (section->name) == length &&
                     strncmp (section->name, setting->key, length) == 0;
    g_assert_true (has_section);
    g_assert_cmpstr (setting->help, !=, "");
    g_assert_cmpint (setting->min, <=, setting->max);
    g_assert_true ((setting->choices != NULL) == (setting->type == REC_SETTING_CHOICE));
    for (size_t j = 0; j < i; j++)
      g_assert_cmpstr (rec_settings[j].key, !=, setting->key);
  }
}

static char *
catch_output (void (*print) (const RecConfig *config, FILE *out), const RecConfig *config)
{
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream (&text, &size);

  print (config, out);
  g_assert_cmpint (fclose (out), ==, 0);
  char *copy = g_strdup (text);
  free (text);
  return copy;
}

static void
print_sample (const RecConfig *config, FILE *out)
{
  (void) config;
  rec_config_print_sample (out);
}

static void
test_sample_file_is_the_table (void)
{
  g_autofree char *path = g_build_filename (REC_SOURCE_DIR, "conf", "recto.ini", NULL);
  g_autofree char *written = NULL;
  g_autofree char *made = catch_output (print_sample, NULL);
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &written, NULL, &error);
  g_assert_no_error (error);
  if (strcmp (written, made) != 0)
    g_error ("conf/recto.ini is not what the table says: run `make conf`");
}

static void
test_sample_file_sets_the_defaults (void)
{
  g_autofree char *path = g_build_filename (REC_SOURCE_DIR, "conf", "recto.ini", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) config = load (path, NULL, NULL, &error);

  g_assert_no_error (error);
  for (size_t i = 0; i < rec_n_settings; i++)
    if (!g_str_has_prefix (rec_settings[i].key, "plugins.") && /* empty: found where we are */
        strcmp (rec_settings[i].key, "browser.library-directory") != 0)
      g_assert_cmpstr (rec_config_get_string (config, rec_settings[i].key), ==,
          rec_settings[i].fallback);
  rec_config_log_notes (config); /* there are none: a warning would end the test */
}

static void
test_dev_file_is_good (void)
{
  g_autofree char *path = g_build_filename (REC_SOURCE_DIR, "conf", "dev.ini", NULL);
  g_autofree char *plugins = g_build_filename (REC_SOURCE_DIR, "conf", "plugins", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) config = load (path, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (rec_config_check (config, &error));
  g_assert_true (rec_config_get_bool (config, "openvidu.recording"));
  g_assert_cmpstr (rec_config_get_string (config, "openvidu.recording.path"), ==, "recordings");
  g_assert_cmpstr (rec_config_get_string (config, "plugins.config-directory"), ==, plugins);
}

/* Values. */

static void
test_bad_values_are_told_what_is_expected (void)
{
  static const struct {
    const char *key, *value, *expected;
  } cases[] = {
    { "server.port", "65536", "'65536': expected a whole number from 0 to 65535" },
    { "server.port", "-1", "'-1': expected a whole number from 0 to 65535" },
    { "server.port", "44x", "'44x': expected a whole number" },
    { "server.port", "", "'': expected a whole number" },
    { "server.port", "1.5", "expected a whole number" },
    { "server.port", " 1", "expected a whole number" },
    { "server.port", "+1", "expected a whole number" },
    { "server.port", "99999999999999999999", "expected a whole number" },
    { "server.idle-timeout-s", "0", "expected a whole number from 1 to 3600 s" },
    { "openvidu.recording", "yes", "'yes': expected true or false" },
    { "openvidu.recording", "TRUE", "expected true or false" },
    { "openvidu.recording.notification", "some",
        "'some': expected one of none, moderator, publisher_moderator, all" },
    { "openvidu.recording.path", "", "'': expected 1 to 4096 bytes of UTF-8 text" },
    { "openvidu.recording.path", "/a\nb", "'/a\\nb': expected" },
    { "openvidu.recording.path", "/a\xff", "expected 1 to 4096 bytes of UTF-8 text" },
    { "openvidu.secret", "", "'***': expected" },
    { "openvidu.secret", "***", "'***': expected" },
    { "openvidu.nothing", "1", "-D: openvidu.nothing: there is no such key" },
    { "nothing.port", "1", "-D: nothing.port: there is no such section" },
    { "port", "1", "-D: port: there is no such section" },
    { "", "1", "there is no such section" },
    { "layouts.", "best_fit", "expected" },
    { "layouts.TEAM", "", "expected 1 to 64 bytes" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecConfig) config = rec_config_new ();
    g_assert_false (rec_config_set (config, cases[i].key, cases[i].value, "-D", &error));
    g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
    assert_says (error, cases[i].expected);
    g_assert_true (g_str_has_prefix (error->message, "-D: "));
  }
}

static void
test_bounds_are_inside (void)
{
  g_autoptr (RecConfig) config = rec_config_new ();

  g_assert_true (rec_config_set (config, "server.port", "65535", "-D", NULL));
  g_assert_cmpint (rec_config_get_int (config, "server.port"), ==, 65535);
  g_assert_true (rec_config_set (config, "server.port", "0", "-D", NULL));
  g_assert_cmpint (rec_config_get_int (config, "server.port"), ==, 0);
  g_assert_true (rec_config_is_set (config, "server.port"));
}

static void
test_refused_value_leaves_the_old_one (void)
{
  g_autoptr (RecConfig) config = rec_config_new ();

  g_assert_true (rec_config_set (config, "server.port", "1000", "-D", NULL));
  g_assert_false (rec_config_set (config, "server.port", "x", "-D", NULL));
  g_assert_cmpint (rec_config_get_int (config, "server.port"), ==, 1000);
}

static void
test_lists_are_split (void)
{
  g_autoptr (RecConfig) config = rec_config_new ();

  g_assert_true (rec_config_set (config, "sinks.default", " mp4, count ,,x", "-D", NULL));
  g_autofree char *joined =
      g_strjoinv ("|", (char **) rec_config_get_list (config, "sinks.default"));
  g_assert_cmpstr (joined, ==, "mp4|count|x");
}

static void
test_unknown_key_is_our_own_bug (void)
{
  if (g_test_subprocess ()) {
    g_autoptr (RecConfig) config = rec_config_new ();
    rec_config_get_int (config, "server.prot");
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*server.prot*");
}

static void
test_wrong_type_is_our_own_bug (void)
{
  if (g_test_subprocess ()) {
    g_autoptr (RecConfig) config = rec_config_new ();
    rec_config_get_bool (config, "server.port");
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*server.port*");
}

/* The ini file. */

static void
test_ini_file_is_read (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) config = load_text (folder,
      "; comment\n"
      "# comment\r\n"
      "\n"
      "   ; indented comment\n"
      "[openvidu]\r\n"
      "recording = true\r\n"
      "recording.path=/x = y;z  \n"
      "publicurl = https://host:4443/\n"
      "[server]\n"
      "port:5000\n"
      "[openvidu]\n"
      "cdr = true",
      &error);

  g_assert_no_error (error);
  g_assert_true (rec_config_get_bool (config, "openvidu.recording"));
  g_assert_true (rec_config_get_bool (config, "openvidu.cdr"));
  g_assert_cmpstr (rec_config_get_string (config, "openvidu.recording.path"), ==, "/x = y;z");
  g_assert_cmpint (rec_config_get_int (config, "server.port"), ==, 5000);
  g_autofree char *url = rec_config_dup_public_url (config, 5000);
  g_assert_cmpstr (url, ==, "https://host:4443");
}

static void
test_ini_mistakes_are_named (Folder *folder, gconstpointer data)
{
  (void) data;
  static const struct {
    const char *text, *message;
  } cases[] = {
    { "[server]\nport = 4443\nprot = 4443\n",
        ":3: [server] prot: there is no such key; conf/recto.ini lists what there is" },
    { "[sever]\nport = 4443\n", ":2: [sever] port: there is no such section" },
    { "[server]\n\nport = 70000\n", ":3: [server] port: '70000': expected a whole number" },
    { "[server]\nport = 1\n[log]\nlevel = info\n[server]\nport = 1\n",
        ":6: [server] port is there twice" },
    { "[server]\nport\n", ":2: expected a comment, [section] or name = value" },
    { "[server\nport = 1\n", ":1: expected a comment, [section] or name = value" },
    { "port = 1\n", ":1: the key stands before the first [section]" },
    { "[openvidu]\nrecording.path = /x\n  /y\n", ":3: the line is indented" },
    { "[openvidu]\n\trecording = true\n", ":2: the line is indented" },
    { "[openvidu]\nrecording.path = /x ; a comment\n", ":2: the value is cut at ' ;'" },
    { "[openvidu]\nsecret = *** \n", ":2: [openvidu] secret: '***': expected" },
    { "[server]\nport = 1\n[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n",
        ":3: the section's name is too long" },
    { "[openvidu]\nsecret = \xff\n", ": expected UTF-8 text" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecConfig) config = load_text (folder, cases[i].text, &error);
    g_assert_null (config);
    g_assert_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT);
    assert_says (error, cases[i].message);
    g_assert_true (g_str_has_prefix (error->message, folder->ini));
    g_assert_null (strstr (strstr (error->message, folder->ini) + 1, folder->ini));
  }
}

static void
test_over_long_line_is_refused_not_cut (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GString) text = g_string_new ("[openvidu]\nrecording.path = /");
  size_t start = strlen ("[openvidu]\n");

  while (text->len - start < 197)
    g_string_append_c (text, 'x');
  g_string_append_c (text, '\n');
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) longest = load_text (folder, text->str, &error);
  g_assert_no_error (error);
  g_assert_cmpint (strlen (rec_config_get_string (longest, "openvidu.recording.path")), ==,
      197 - strlen ("recording.path = "));

  g_string_insert_c (text, (gssize) text->len - 1, 'x');
  g_autoptr (RecConfig) longer = load_text (folder, text->str, &error);
  g_assert_null (longer);
  assert_says (error, ":2: the line has 198 bytes: expected at most 197");
}

static void
test_nul_byte_is_refused (Folder *folder, gconstpointer data)
{
  (void) data;
  static const char text[] = "[server]\nport = 1\0[openvidu]\nsecret = x\n";
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (folder->ini, text, sizeof text - 1, NULL));
  g_assert_null (load (folder->ini, NULL, NULL, &error));
  assert_says (error, "expected UTF-8 text");
}

static void
test_unreadable_file_is_named (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;

  g_assert_null (load (folder->ini, NULL, NULL, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
  assert_says (error, folder->ini);
  g_clear_error (&error);
  g_assert_null (load (folder->path, NULL, NULL, &error)); /* a folder */
  assert_says (error, folder->path);
}

static bool
refuse_everything (const char *section, const char *name, const char *value, int line, void *data,
    GError **error)
{
  (void) section;
  (void) name;
  (void) value;
  (void) line;
  ++*(int *) data;
  g_set_error_literal (error, REC_ERROR, REC_ERROR_CONFLICT, "no");
  return false;
}

static void
test_reader_stops_at_the_first_error (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strdup_printf ("%s:2: [a] b: no", folder->ini);
  int n_calls = 0;

  g_assert_true (g_file_set_contents (folder->ini, "[a]\nb = 1\nc = 2\nnonsense\n", -1, NULL));
  g_assert_false (rec_ini_read (folder->ini, refuse_everything, &n_calls, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_CONFLICT);
  g_assert_cmpstr (error->message, ==, expected);
  g_assert_cmpint (n_calls, ==, 1);
}

/* Sources and their order. */

static void
test_later_source_wins (Folder *folder, gconstpointer data)
{
  (void) data;
  const char *const environment[] = { "PATH=/bin", "RECTO_LOG_LEVEL=info",
    "openvidu.recording.path=/env", "no-equals-sign", NULL };
  const char *const definitions[] = { "openvidu.recording.path=/a=b", NULL };
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (folder->ini,
      "[openvidu]\nrecording.path = /ini\ncdr = true\n[log]\nlevel = debug\n", -1, NULL));
  g_autoptr (RecConfig) without = load (folder->ini, environment, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rec_config_get_string (without, "openvidu.recording.path"), ==, "/env");
  g_autoptr (RecConfig) config = load (folder->ini, environment, definitions, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rec_config_get_string (config, "openvidu.recording.path"), ==, "/a=b");
  g_assert_cmpstr (rec_config_get_string (config, "log.level"), ==, "info");
  g_assert_true (rec_config_get_bool (config, "openvidu.cdr"));
}

static void
test_environment_names_of_every_era_count (void)
{
  const char *const environment[] = {
    "openvidu.recording=true",
    "OPENVIDU_RECORDING_AUTOSTOP_TIMEOUT=7",
    "OPENVIDU_RECORDING_PUBLIC_ACCESS=true",
    "OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=2000",
    "OPENVIDU_SESSIONS_GARBAGE_INTERVAL=60",
    "HTTPS_PORT=8443",
    "DOMAIN_OR_PUBLIC_IP=video.example.com",
    "MY_UID=1234",
    NULL,
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) config = load (NULL, environment, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (rec_config_get_bool (config, "openvidu.recording"));
  g_assert_cmpint (rec_config_get_int (config, "openvidu.recording.autostop-timeout"), ==, 7);
  g_assert_true (rec_config_get_bool (config, "openvidu.recording.public-access"));
  g_assert_cmpint (rec_config_get_int (config, "openvidu.streams.video.max-recv-bandwidth"), ==,
      2000);
  g_assert_cmpint (rec_config_get_int (config, "openvidu.sessions.garbage-interval"), ==, 60);
  g_assert_cmpint (rec_config_get_int (config, "recording.owner"), ==, 1234);
  g_autofree char *url = rec_config_dup_public_url (config, 8443);
  g_assert_cmpstr (url, ==, "https://video.example.com:8443");
}

static void
test_environment_mistakes_are_named (void)
{
  static const struct {
    const char *entries[3], *message;
  } cases[] = {
    { { "openvidu.recordng=true" },
        "environment variable openvidu.recordng: openvidu.recordng: there is no such key" },
    { { "OPENVIDU_RECORDING=yes" },
        "environment variable OPENVIDU_RECORDING: openvidu.recording: 'yes': expected true or" },
    { { "openvidu.recording=true", "OPENVIDU_RECORDING=false" },
        "environment variable openvidu.recording says otherwise, and both mean "
        "openvidu.recording" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (load (NULL, cases[i].entries, NULL, &error));
    assert_says (error, cases[i].message);
  }
}

static void
test_same_value_under_two_names_is_fine (void)
{
  const char *const environment[] = { "openvidu.recording=true", "OPENVIDU_RECORDING=true", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) config = load (NULL, environment, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (rec_config_get_bool (config, "openvidu.recording"));
}

static void
test_odd_variables_are_only_noted (void)
{
  const char *const environment[] = { "OPENVIDU_SERVICE_HOST=10.0.0.1",
    "OPENVIDU_RECORDING_IMAGE=some/image", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) config = load (NULL, environment, NULL, &error);

  g_assert_no_error (error);
  g_test_expect_message ("rec.base.config", G_LOG_LEVEL_WARNING, "*OPENVIDU_SERVICE_HOST*ignored*");
  g_test_expect_message ("rec.base.config", G_LOG_LEVEL_WARNING,
      "*openvidu.recording.image has no effect*");
  rec_config_log_notes (config);
  g_test_assert_expected_messages ();
}

static void
test_definition_without_value_is_refused (void)
{
  const char *const definitions[] = { "openvidu.recording", NULL };
  g_autoptr (GError) error = NULL;

  g_assert_null (load (NULL, NULL, definitions, &error));
  g_assert_cmpstr (error->message, ==, "-D openvidu.recording: expected key=value");
}

static void
test_secret_file_wins (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder->path, "secret", NULL);
  g_autofree char *definition = g_strconcat ("openvidu.secret-file=", path, NULL);
  const char *const definitions[] = { "openvidu.secret=other", definition, NULL };

  g_assert_true (g_file_set_contents (path, "s3cret\nsecond line\n", -1, NULL));
  g_autoptr (RecConfig) config = load (NULL, NULL, definitions, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rec_config_get_string (config, "openvidu.secret"), ==, "s3cret");

  g_assert_true (g_file_set_contents (path, "\n", -1, NULL));
  g_assert_null (load (NULL, NULL, definitions, &error));
  assert_says (error, "expected the secret on the first line");
  g_clear_error (&error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_null (load (NULL, NULL, definitions, &error));
  assert_says (error, path);
}

static void
test_open_secret_file_is_noted (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autofree char *path = g_build_filename (folder->path, "secret", NULL);
  g_autofree char *definition = g_strconcat ("openvidu.secret-file=", path, NULL);
  const char *const definitions[] = { definition, NULL };

  g_assert_true (g_file_set_contents (path, "s3cret", -1, NULL));
  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  g_autoptr (RecConfig) config = load (NULL, NULL, definitions, NULL);
  g_test_expect_message ("rec.base.config", G_LOG_LEVEL_WARNING, "*open to all users*");
  rec_config_log_notes (config);
  g_test_assert_expected_messages ();
}

static void
test_layout_names_are_free (Folder *folder, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig)
      config = load_text (folder, "[layouts]\nBEST_FIT = row\nTEAM = best_fit\n", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (rec_config_lookup (config, "layouts", "BEST_FIT"), ==, "row");
  g_assert_cmpstr (rec_config_lookup (config, "layouts", "TEAM"), ==, "best_fit");
  g_assert_null (rec_config_lookup (config, "layouts", "team"));
  g_assert_null (rec_config_lookup (config, "server", "port"));
  g_autoptr (GPtrArray) names = rec_config_list_names (config, "layouts");
  g_assert_true (g_ptr_array_find_with_equal_func (names, "BEST_FIT", g_str_equal, NULL));
  g_assert_true (g_ptr_array_find_with_equal_func (names, "TEAM", g_str_equal, NULL));
  for (guint i = 1; i < names->len; i++)
    g_assert_cmpstr (names->pdata[i - 1], <, names->pdata[i]);
}

/* The whole. */

static void
test_what_does_not_fit_together_is_refused (void)
{
  static const struct {
    const char *definitions[3], *message;
  } cases[] = {
    { { "server.address=0.0.0.0" }, "openvidu.secret is the documented MY_SECRET" },
    { { "server.address=::" }, "openvidu.secret is the documented MY_SECRET" },
    { { "server.address=192.168.0.1" }, "set a secret of your own" },
    { { "server.address=localhost" }, "expected a numeric address" },
    { { "server.certificate=/x.pem" }, "set both or none" },
    { { "server.private-key=/x.pem" }, "set both or none" },
    { { "openvidu.publicurl=http://host" }, "expected local or https://HOST[:PORT]" },
    { { "openvidu.publicurl=docker" }, "expected local or https://HOST[:PORT]" },
    { { "openvidu.publicurl=https://" }, "expected local or https://HOST[:PORT]" },
    { { "media.min-port=50000", "media.max-port=50005" }, "expected at least 10 ports" },
    { { "media.min-port=50000", "media.max-port=40000" }, "expected at least 10 ports" },
    { { "openvidu.streams.video.min-recv-bandwidth=2000" }, "is above" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecConfig) config = load (NULL, NULL, cases[i].definitions, &error);
    g_assert_no_error (error);
    g_assert_false (rec_config_check (config, &error));
    assert_says (error, cases[i].message);
  }
}

static void
test_open_address_needs_a_secret_of_ones_own (void)
{
  static const char *const cases[][3] = {
    { "server.address=0.0.0.0", "openvidu.secret=own" },
    { "server.address=127.8.0.1" },
    { "server.address=::1" },
    { "openvidu.publicurl=https://video.example.com:8443/" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RecConfig) config = load (NULL, NULL, cases[i], &error);
    g_assert_true (rec_config_check (config, &error));
    g_assert_no_error (error);
  }
}

static void
test_print_hides_secrets_and_reads_back (Folder *folder, gconstpointer data)
{
  (void) data;
  const char *const definitions[] = { "openvidu.secret=s3cret", "layouts.TEAM=row",
    "media.turn-server=turn://me:pass@host", "server.port=1234", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (RecConfig) config = load (NULL, NULL, definitions, &error);
  g_autofree char *text = catch_output (rec_config_print, config);

  g_assert_null (strstr (text, "s3cret"));
  g_assert_null (strstr (text, "pass"));
  g_assert_nonnull (strstr (text, "\nsecret = ***\n"));
  g_assert_nonnull (strstr (text, "\nTEAM = row\n"));
  g_assert_nonnull (strstr (text, "\nport = 1234\n"));

  /* All but the hidden lines makes the same configuration again. */
  g_autoptr (GRegex) hidden = g_regex_new ("^[^\n]*\\*\\*\\*\n", G_REGEX_MULTILINE, 0, NULL);
  g_autofree char *shown = g_regex_replace_literal (hidden, text, -1, 0, "", 0, NULL);
  g_autoptr (RecConfig) again = load_text (folder, shown, &error);
  g_assert_no_error (error);
  g_assert_true (rec_config_set (again, "openvidu.secret", "s3cret", "-D", NULL));
  g_assert_true (rec_config_set (again, "media.turn-server", "turn://x", "-D", NULL));
  g_autofree char *text_again = catch_output (rec_config_print, again);
  g_assert_cmpstr (text_again, ==, text);
}

#define ADD(name, test) g_test_add (name, Folder, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/defaults-are-good", test_defaults_are_good);
  g_test_add_func ("/config/every-setting-has-section-and-help",
      test_every_setting_has_section_and_help);
  g_test_add_func ("/config/sample-file-is-the-table", test_sample_file_is_the_table);
  g_test_add_func ("/config/sample-file-sets-the-defaults", test_sample_file_sets_the_defaults);
  g_test_add_func ("/config/dev-file-is-good", test_dev_file_is_good);
  g_test_add_func ("/config/bad-values-are-told-what-is-expected",
      test_bad_values_are_told_what_is_expected);
  g_test_add_func ("/config/bounds-are-inside", test_bounds_are_inside);
  g_test_add_func ("/config/refused-value-leaves-the-old-one",
      test_refused_value_leaves_the_old_one);
  g_test_add_func ("/config/lists-are-split", test_lists_are_split);
  g_test_add_func ("/config/unknown-key-is-our-own-bug", test_unknown_key_is_our_own_bug);
  g_test_add_func ("/config/wrong-type-is-our-own-bug", test_wrong_type_is_our_own_bug);
  ADD ("/config/ini-file-is-read", test_ini_file_is_read);
  ADD ("/config/ini-mistakes-are-named", test_ini_mistakes_are_named);
  ADD ("/config/over-long-line-is-refused-not-cut", test_over_long_line_is_refused_not_cut);
  ADD ("/config/nul-byte-is-refused", test_nul_byte_is_refused);
  ADD ("/config/unreadable-file-is-named", test_unreadable_file_is_named);
  ADD ("/config/reader-stops-at-the-first-error", test_reader_stops_at_the_first_error);
  ADD ("/config/later-source-wins", test_later_source_wins);
  g_test_add_func ("/config/environment-names-of-every-era-count",
      test_environment_names_of_every_era_count);
  g_test_add_func ("/config/environment-mistakes-are-named", test_environment_mistakes_are_named);
  g_test_add_func ("/config/same-value-under-two-names-is-fine",
      test_same_value_under_two_names_is_fine);
  g_test_add_func ("/config/odd-variables-are-only-noted", test_odd_variables_are_only_noted);
  g_test_add_func ("/config/definition-without-value-is-refused",
      test_definition_without_value_is_refused);
  ADD ("/config/secret-file-wins", test_secret_file_wins);
  ADD ("/config/open-secret-file-is-noted", test_open_secret_file_is_noted);
  ADD ("/config/layout-names-are-free", test_layout_names_are_free);
  g_test_add_func ("/config/what-does-not-fit-together-is-refused",
      test_what_does_not_fit_together_is_refused);
  g_test_add_func ("/config/open-address-needs-a-secret-of-ones-own",
      test_open_address_needs_a_secret_of_ones_own);
  ADD ("/config/print-hides-secrets-and-reads-back", test_print_hides_secrets_and_reads_back);
  return g_test_run ();
}
