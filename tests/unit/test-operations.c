/* test-operations.c - what is asked by whoever runs the server: metrics, liveness, drain, log levels, reloading. */
#include "lib/api-rig.h"
#include "lib/library-leaks.h"

#include "api/metrics-text.h"
#include "base/config.h"
#include "base/json.h"
#include "base/log.h"
#include "session/registry.h"

#include <string.h>

/* --- the format of Prometheus, read by its rules ------------------------------------------------------------------ */

typedef struct {
  char *name;
  GHashTable *labels; /* name -> value */
  double value;
} Sample;

typedef struct {
  GHashTable *types; /* family -> "gauge" or "counter" */
  GPtrArray *samples;
} Exposition;

static void
sample_free (void *data)
{
  Sample *sample = data;

  g_free (sample->name);
  g_hash_table_unref (sample->labels);
  g_free (sample);
}

static void
exposition_free (Exposition *exposition)
{
  g_hash_table_unref (exposition->types);
  g_ptr_array_unref (exposition->samples);
  g_free (exposition);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exposition, exposition_free)

static char *
take_name (const char **at)
{
  const char *start = *at;

  g_assert_true (g_ascii_isalpha (**at) || **at == '_' || **at == ':');
  while (g_ascii_isalnum (**at) || **at == '_' || **at == ':')
    (*at)++;
  return g_strndup (start, (gsize) (*at - start));
}

static char *
take_value (const char **at)
{
  GString *value = g_string_new (NULL);

  g_assert_cmpint (*(*at)++, ==, '"');
  for (; **at != '"'; (*at)++) {
    g_assert_cmpint (**at, !=, '\0');
    g_assert_cmpint (**at, !=, '\n');
    if (**at != '\\') {
      g_string_append_c (value, **at);
      continue;
    }
    (*at)++;
    g_assert_nonnull (strchr ("\\\"n", **at));
    g_string_append_c (value, **at == 'n' ? '\n' : **at);
  }
  (*at)++;
  return g_string_free (value, FALSE);
}

static void
take_labels (Sample *sample, const char **at)
{
  if (**at != '{')
    return;
  do {
    (*at)++;
    char *name = take_name (at);
    g_assert_cmpint (*(*at)++, ==, '=');
    g_assert_false (g_hash_table_contains (sample->labels, name));
    g_hash_table_insert (sample->labels, name, take_value (at));
  } while (**at == ',');
  g_assert_cmpint (*(*at)++, ==, '}');
}

static void
read_sample (Exposition *exposition, const char *line, const char *family)
{
  Sample *sample = g_new0 (Sample, 1);
  const char *at = line;
  char *end;

  sample->labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_ptr_array_add (exposition->samples, sample);
  sample->name = take_name (&at);
  take_labels (sample, &at);
  g_assert_cmpint (*at++, ==, ' ');
  sample->value = g_ascii_strtod (at, &end);
  g_assert_true (end > at && *end == '\0');
  /* Samples stand together, below their family's HELP and TYPE. */
  g_assert_cmpstr (sample->name, ==, family);
  const char *type = g_hash_table_lookup (exposition->types, family);
  g_assert_cmpint (g_str_has_suffix (family, "_total"), ==, g_str_equal (type, "counter"));
}

static Exposition *
read_exposition (const char *text)
{
  Exposition *exposition = g_new0 (Exposition, 1);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  const char *family = "";
  guint n_lines = g_strv_length (lines);

  exposition->types = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  exposition->samples = g_ptr_array_new_with_free_func (sample_free);
  g_assert_cmpstr (lines[n_lines - 1], ==, ""); /* the last line ends too */
  for (guint i = 0; i + 1 < n_lines; i++) {
    if (*lines[i] != '#') {
      read_sample (exposition, lines[i], family);
      continue;
    }
    g_auto (GStrv) help = g_strsplit (lines[i], " ", 4), type = g_strsplit (lines[++i], " ", 4);
    g_assert_cmpstr (help[1], ==, "HELP");
    g_assert_cmpstr (type[1], ==, "TYPE");
    g_assert_cmpstr (help[2], ==, type[2]);
    g_assert_cmpuint (strlen (help[3]), >, 0);
    /* Each family comes once. */
    g_assert_true (g_hash_table_insert (exposition->types, g_strdup (type[2]), g_strdup (type[3])));
    g_hash_table_lookup_extended (exposition->types, type[2], (gpointer *) &family, NULL);
  }
  return exposition;
}

/* label: "name=value", or NULL. */
static double
get (const Exposition *exposition, const char *name, const char *label)
{
  g_auto (GStrv) parts = g_strsplit (label != NULL ? label : "", "=", 2);

  for (guint i = 0; i < exposition->samples->len; i++) {
    const Sample *sample = exposition->samples->pdata[i];
    if (strcmp (sample->name, name) == 0 &&
        (label == NULL ||
            g_strcmp0 (g_hash_table_lookup (sample->labels, parts[0]), parts[1]) == 0))
      return sample->value;
  }
  g_error ("there is no %s %s", name, label != NULL ? label : "");
}

static void
test_labels_are_escaped (void)
{
  static const char *const hostile[] = { "plain", "", "a\"b", "a\\b", "a\nb", "\\n", "}", "\",x=\"",
    "ä", "\xff" };

  for (size_t i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    g_autofree char *valid = g_utf8_make_valid (hostile[i], -1);
    rec_metrics_begin (text, "one_total", REC_METRIC_COUNTER, "Help.");
    rec_metrics_add (text, "one_total", 12345678901.0, "a", hostile[i], "b", "x", NULL);
    rec_metrics_put (text, "two", REC_METRIC_GAUGE, "Help.", -0.5);
    g_autoptr (Exposition) exposition = read_exposition (text->str);
    const Sample *sample = exposition->samples->pdata[0];
    g_assert_cmpuint (exposition->samples->len, ==, 2);
    g_assert_cmpuint (g_hash_table_size (sample->labels), ==, 2);
    g_assert_cmpstr (g_hash_table_lookup (sample->labels, "a"), ==, valid);
    g_assert_cmpfloat (sample->value, ==, 12345678901.0);
    g_assert_cmpfloat (get (exposition, "two", NULL), ==, -0.5);
  }
}

/* --- what the server says ------------------------------------------------------------------------------------------- */

static Exposition *
ask_for_metrics (ApiRig *rig)
{
  TestResponse *response = api_rig_ask (rig, "GET", "/metrics", NULL);

  g_assert_cmpuint (response->status, ==, 200);
  Exposition *exposition = read_exposition (response->body->str);
  test_response_free (response);
  return exposition;
}

static void
ask (ApiRig *rig, const char *method, const char *path, const char *body, unsigned status)
{
  TestResponse *response = api_rig_ask (rig, method, path, body);

  g_assert_cmpuint (response->status, ==, status);
  test_response_free (response);
}

static void
count_steps (void *data)
{
  ApiRig *rig = data;
  g_autoptr (Exposition) before = ask_for_metrics (rig);

  ask (rig, "POST", NEW "/sessions", "{}", 200);
  ask (rig, "GET", NEW "/sessions/none", NULL, 404);
  ask (rig, "GET", NEW "/sessions/none", NULL, 404);
  g_autoptr (Exposition) after = ask_for_metrics (rig);
  g_assert_cmpfloat (get (before, "recto_sessions", NULL), ==, 0);
  g_assert_cmpfloat (get (after, "recto_sessions", NULL), ==, 1);
  g_assert_cmpfloat (get (after, "recto_http_requests_total", "status=404"), ==, 2);
  g_assert_cmpfloat (get (after, "recto_http_requests_total", "status=200"), ==, 2);
  g_assert_cmpfloat (get (after, "recto_recordings", "status=started"), ==, 0);
  g_assert_cmpfloat (get (after, "recto_packets_total", "direction=in"), ==, 0);
  g_assert_cmpfloat (get (after, "recto_build_info", "version=" REC_VERSION), ==, 1);
  g_assert_cmpfloat (get (after, "process_resident_memory_bytes", NULL), >, 1000000);
}

static void
test_metrics_count (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (count_steps, rig);
}

static void
private_steps (void *data)
{
  TestResponse *response = api_rig_ask_with (data, "GET", "/metrics", "", NULL);

  g_assert_cmpuint (response->status, ==, 401);
  test_response_free (response);
}

static void
test_metrics_are_private (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (private_steps, rig);
}

static void
public_steps (void *data)
{
  static const char *const paths[] = { "/metrics", "/recto/api/v1/live", "/recto/api/v1/ready" };

  for (size_t i = 0; i < G_N_ELEMENTS (paths); i++) {
    TestResponse *response = api_rig_ask_with (data, "GET", paths[i], "", NULL);
    g_assert_cmpuint (response->status, ==, 200);
    test_response_free (response);
  }
}

static void
test_metrics_can_be_public (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)
{
  test_run_beside_loop (public_steps, rig);
}

/* clang-format off */
STEPS (test_drain_refuses_recordings,
    { "GET", "/recto/api/v1/ready", NULL, 200, "\"ready\":true" },
    { "POST", "/recto/api/v1/drain", NULL, 200, "\"draining\":true,\"recordings\":0" },
    { "GET", "/recto/api/v1/ready", NULL, 503, "the server is being drained" },
    { "GET", "/recto/api/v1/live", NULL, 200, "\"live\":true" },
    { "DELETE", "/recto/api/v1/drain", NULL, 200, "\"draining\":false" },
    { "GET", "/recto/api/v1/ready", NULL, 200, "\"ready\":true" })

STEPS (test_log_levels_change,
    { "GET", "/recto/api/v1/log", NULL, 200, "{\"level\":\"warning\",\"topics\":{}}" },
    { "PATCH", "/recto/api/v1/log", "{\"level\":\"error\"}", 200, "\"level\":\"error\"" },
    { "PATCH", "/recto/api/v1/log", "{\"topics\":{\"rec.none\":\"debug\",\"rec.api\":\"info\"}}", 200,
      "{\"level\":\"error\",\"topics\":{\"rec.none\":\"debug\",\"rec.api\":\"info\"}}" },
    { "PATCH", "/recto/api/v1/log", "{\"topics\":{\"rec.api\":null,\"rec.none\":\"info\"}}", 200,
      "{\"level\":\"error\",\"topics\":{\"rec.none\":\"info\"}}" },
    { "PATCH", "/recto/api/v1/log", "{\"level\":\"loud\"}", 400, "loud" },
    { "PATCH", "/recto/api/v1/log", "{\"topics\":{\"rec.api\":\"loud\"}}", 400, "loud" },
    { "PATCH", "/recto/api/v1/log", "{\"topic\":{}}", 400, "topic" },
    { "PATCH", "/recto/api/v1/log", NULL, 400, NULL },
    { "PATCH", "/recto/api/v1/log", "{\"level\":\"warning\",\"topics\":{\"rec.none\":null}}", 200,
      "{\"level\":\"warning\",\"topics\":{}}" })
/* clang-format on */

/* --- reloading --------------------------------------------------------------------------------------------------------- */

static RecConfig *
make_config (const char *const *definitions)
{
  g_autoptr (GError) error = NULL;
  const RecConfigSources sources = { .definitions = definitions };
  RecConfig *config = rec_config_load (&sources, &error);

  g_assert_no_error (error);
  return config;
}

static void
test_reload_says_what_it_took (void)
{
  static const char *const old_settings[] = { "log.level=info", "server.max-sessions=5",
    "server.port=1", "encoder.preset=fast", NULL };
  static const char *const new_settings[] = { "log.level=debug", "server.port=2",
    "encoder.preset=fast", "openvidu.secret=other", NULL };
  g_autoptr (RecConfig) config = make_config (old_settings);
  g_autoptr (GPtrArray) taken = g_ptr_array_new (), later = g_ptr_array_new ();

  {
    g_autoptr (RecConfig) fresh = make_config (new_settings);
    rec_config_reload (config, fresh, taken, later);
  }
  g_assert_cmpuint (taken->len, ==, 2);
  g_assert_cmpstr (taken->pdata[0], ==, "server.max-sessions");
  g_assert_cmpstr (taken->pdata[1], ==, "log.level");
  g_assert_cmpuint (later->len, ==, 2);
  g_assert_cmpstr (later->pdata[0], ==, "openvidu.secret");
  g_assert_cmpstr (later->pdata[1], ==, "server.port");
  g_assert_cmpstr (rec_config_get_string (config, "log.level"), ==, "debug");
  g_assert_cmpint (rec_config_get_int (config, "server.max-sessions"), ==, 1000);
  g_assert_cmpint (rec_config_get_int (config, "server.port"), ==, 1);
  g_assert_cmpstr (rec_config_get_string (config, "openvidu.secret"), ==, "MY_SECRET");
  g_assert_cmpstr (rec_config_get_string (config, "encoder.preset"), ==, "fast");
}

static void
test_setup_goes_to_children (void)
{
  static const char *const topics[] = { "rec.none=info", "rec.other=error", NULL };

  g_assert_true (rec_log_set_up ("warning", topics, REC_LOG_JSON, NULL));
  g_autofree char *setup = rec_log_dup_setup ();
  g_assert_cmpstr (setup, ==, "json,warning,rec.none=info,rec.other=error");
  g_assert_true (rec_log_set_up ("warning", NULL, REC_LOG_TEXT, NULL));
  g_assert_true (rec_log_set_up_as (setup, NULL));
  g_autofree char *again = rec_log_dup_setup ();
  g_assert_cmpstr (again, ==, setup);
  g_assert_false (rec_log_set_up_as ("json,loud", NULL));
  g_assert_true (rec_log_set_up ("warning", NULL, REC_LOG_TEXT, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_true (rec_log_set_up ("warning", NULL, REC_LOG_TEXT, NULL));
#define ADD(name, data, test)                                                                      \
  g_test_add ("/operations/" name, ApiRig, data, api_rig_set_up, test, api_rig_tear_down)
  g_test_add_func ("/operations/labels-are-escaped", test_labels_are_escaped);
  ADD ("metrics-count", NULL, test_metrics_count);
  ADD ("metrics-are-private", NULL, test_metrics_are_private);
  ADD ("metrics-can-be-public", "server.public-metrics=true", test_metrics_can_be_public);
  ADD ("drain-refuses-recordings", NULL, test_drain_refuses_recordings);
  ADD ("log-levels-change", NULL, test_log_levels_change);
  g_test_add_func ("/operations/reload-says-what-it-took", test_reload_says_what_it_took);
  g_test_add_func ("/operations/log-setup-goes-to-children", test_setup_goes_to_children);
  return g_test_run ();
}
