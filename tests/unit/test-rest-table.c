/* test-rest-table.c - plays tests/rest/protocol.case: which status, body and keys each call of both eras answers. */
#include "base/json.h"
#include "base/main-thread.h"
#include "lib/api-rig.h"
#include "lib/library-leaks.h"
#include "recording/supervisor.h"

#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

#define TABLE REC_SOURCE_DIR "/tests/rest/protocol.case"

/* One case: its lines, and what was played of it so far. */
typedef struct {
  char *name, *settings;
  GPtrArray *lines; /* of char * */
  ApiRig *rig;
  GHashTable *saved; /* name -> text; $NAME in a line stands for it */
  TestResponse *answer;
  RecJson *json; /* of the answer, or NULL */
  const char *line;
} Play;

#define FAIL(play, ...)                                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *why = g_strdup_printf (__VA_ARGS__);                                          \
    g_error ("case '%s', '%s': %s; the answer was %u %s", (play)->name, (play)->line, why,         \
        (play)->answer != NULL ? (play)->answer->status : 0,                                       \
        (play)->answer != NULL ? (play)->answer->body->str : "");                                  \
  }                                                                                                \
  G_STMT_END

/* --- what there is before the calls --------------------------------------------------------------------------------- */

static RecEra
read_era (const Play *play, const char *word)
{
  if (strcmp (word, "old") != 0 && strcmp (word, "new") != 0)
    FAIL (play, "'%s' is no era", word);
  return strcmp (word, "old") == 0 ? REC_ERA_OLD : REC_ERA_NEW;
}

static RecSession *
find_session (const Play *play, const char *id)
{
  RecSession *session = rec_registry_find_session (play->rig->registry, id);

  if (session == NULL)
    FAIL (play, "there is no session '%s'", id);
  return session;
}

/* join SESSION NAME: as a publisher, with client data NAME; its connection id is saved under NAME. */
static void
do_join (Play *play, char **words)
{
  g_autoptr (GError) error = NULL;
  const RecConnectionRequest asked = {
    .role = REC_ROLE_PUBLISHER, .server_data = "server", .record = true
  };
  const RecConnection *connection = rec_registry_create_connection (play->rig->registry,
      find_session (play, words[1]), &asked, &error);
  const RecJoinRequest request = { .session_id = words[1],
    .token = connection->token,
    .client_data = words[2],
    .platform = "Chrome",
    .ip = "127.0.0.1",
    .era = REC_ERA_NEW };
  const RecParticipant *participant = rec_registry_join (play->rig->registry, &request, &error);

  g_assert_no_error (error);
  g_hash_table_insert (play->saved, g_strdup (words[2]), g_strdup (participant->id));
}

/* publish SESSION NAME both|sound: the stream's id is saved under NAME-stream. */
static void
do_publish (Play *play, char **words)
{
  g_autoptr (GError) error = NULL;
  RecSession *session = find_session (play, words[1]);
  RecParticipant *owner =
      rec_session_find_participant (session, g_hash_table_lookup (play->saved, words[2]));
  bool has_video = strcmp (words[3], "both") == 0;
  const RecStreamInfo properties = { .has_audio = true,
    .has_video = has_video,
    .audio_active = true,
    .video_active = has_video,
    .type_of_video = has_video ? (char *) "CAMERA" : NULL,
    .frame_rate = 30,
    .video_dimensions = has_video ? (char *) "{\"width\":640,\"height\":480}" : NULL };
  RecStreamInfo *stream = rec_registry_add_stream (play->rig->registry, owner, &properties, &error);

  g_assert_no_error (error);
  rec_registry_announce_stream (play->rig->registry, stream);
  g_hash_table_insert (play->saved, g_strconcat (words[2], "-stream", NULL), g_strdup (stream->id));
}

/* subscribe SESSION NAME TO */
static void
do_subscribe (Play *play, char **words)
{
  RecSession *session = find_session (play, words[1]);
  g_autofree char *key = g_strconcat (words[3], "-stream", NULL);

  g_assert_true (rec_registry_subscribe_to_stream (play->rig->registry,
      rec_session_find_participant (session, g_hash_table_lookup (play->saved, words[2])),
      rec_session_find_stream (session, g_hash_table_lookup (play->saved, key)), NULL));
}

/* leave SESSION NAME */
static void
do_leave (Play *play, char **words)
{
  rec_registry_leave (play->rig->registry,
      rec_session_find_participant (find_session (play, words[1]),
          g_hash_table_lookup (play->saved, words[2])),
      "disconnect");
}

static void
set_status (Play *play, RecRecording *recording, const char *word)
{
  static const struct {
    const char *word;
    RecRecordingStatus path[4];
  } ways[] = {
    { "starting", { REC_RECORDING_INVALID } },
    { "started", { REC_RECORDING_STARTED } },
    { "stopped", { REC_RECORDING_STARTED, REC_RECORDING_STOPPED } },
    { "ready", { REC_RECORDING_STARTED, REC_RECORDING_STOPPED, REC_RECORDING_READY } },
    { "failed", { REC_RECORDING_STARTED, REC_RECORDING_STOPPED, REC_RECORDING_FAILED } },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (ways); i++) {
    if (strcmp (ways[i].word, word) != 0)
      continue;
    for (size_t k = 0; k < 4 && ways[i].path[k] != REC_RECORDING_INVALID; k++)
      rec_registry_set_recording_status (play->rig->registry, recording, ways[i].path[k]);
    return;
  }
  FAIL (play, "'%s' is no status", word);
}

/* recording ID old|new composed|sound|individual|custom STATUS */
static void
do_recording (Play *play, char **words)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  RecEra era = read_era (play, words[2]);
  bool is_custom = strcmp (words[3], "custom") == 0;

  properties->name = g_strdup ("my show");
  properties->has_video = strcmp (words[3], "sound") != 0;
  if (strcmp (words[3], "individual") == 0)
    properties->output_mode = REC_OUTPUT_INDIVIDUAL;
  if (is_custom) {
    g_free (properties->recording_layout);
    properties->recording_layout = g_strdup ("CUSTOM");
    properties->custom_layout = g_strdup ("mine");
  }
  g_autoptr (RecRecording)
      recording = rec_recording_new (words[1], "some", era, properties, 1700000000000);
  recording->file_name = g_strdup ("my show.mp4");
  recording->directory = g_strdup (play->rig->recordings);
  recording->size = 1234;
  recording->duration_s = 2;
  rec_registry_add_recording (play->rig->registry, recording);
  set_status (play, recording, words[4]);
}

/* recorded SESSION ID: the recording is in progress in this session. */
static void
do_recorded (Play *play, char **words)
{
  find_session (play, words[1])->recording =
      rec_registry_find_recording (play->rig->registry, words[2]);
}

/* --- calls ----------------------------------------------------------------------------------------------------------- */

typedef struct {
  ApiRig *rig;
  const char *method, *path, *headers, *body;
  TestResponse *answer;
} Call;

static void
ask (void *data)
{
  Call *call = data;

  if (call->headers != NULL)
    call->answer =
        api_rig_ask_with (call->rig, call->method, call->path, call->headers, call->body);
  else
    call->answer = api_rig_ask (call->rig, call->method, call->path, call->body);
}

static void
forget_answer (Play *play)
{
  g_clear_pointer (&play->answer, test_response_free);
  g_clear_pointer (&play->json, json_object_put);
}

/* METHOD PATH STATUS [BODY]; old/X and new/X are X below the base of an era, and a METHOD that begins with "!" has no
 * credentials. */
static void
do_call (Play *play, char **words, const char *body)
{
  bool is_stranger = *words[0] == '!';
  g_autofree char *path = NULL;
  Call call = { .rig = play->rig, .method = words[0] + is_stranger, .body = body };

  if (g_str_has_prefix (words[1], "old/"))
    path = g_strconcat (OLD, words[1] + 3, NULL);
  else if (g_str_has_prefix (words[1], "new/"))
    path = g_strconcat (NEW, words[1] + 3, NULL);
  else
    path = g_strdup (words[1]);
  call.path = path;
  call.headers = is_stranger ? "" : NULL;
  forget_answer (play);
  test_run_beside_loop (ask, &call);
  play->answer = call.answer;
  g_test_message ("%s: %u %s", play->line, play->answer->status, play->answer->body->str);
  if (play->answer->status != (unsigned) atoi (words[2]))
    FAIL (play, "status %s was expected", words[2]);
  play->json = play->answer->body->len == 0
                   ? NULL
                   : rec_json_parse (play->answer->body->str, play->answer->body->len,
                         play->answer->body->len, NULL);
}

/* --- what is expected of the last answer ----------------------------------------------------------------------------- */

/* The value at a path of names and indexes, "." for the whole; NULL for JSON's null. */
static RecJson *
get_at (const Play *play, const char *path)
{
  g_auto (GStrv) steps = g_strsplit (path, ".", -1);
  RecJson *value = play->json;

  if (strcmp (path, ".") == 0)
    return value;
  for (char **step = steps; *step != NULL; step++) {
    if (json_object_is_type (value, json_type_array)) {
      value = json_object_array_get_idx (value, (size_t) atoi (*step));
    } else if (!json_object_is_type (value, json_type_object) ||
               !json_object_object_get_ex (value, *step, &value)) {
      FAIL (play, "there is no '%s'", path);
    }
  }
  return value;
}

static int
compare_text (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* keys PATH NAME...: exactly these. */
static void
expect_keys (Play *play, char **words)
{
  RecJson *object = get_at (play, words[1]);
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();

  if (!json_object_is_type (object, json_type_object))
    FAIL (play, "'%s' is no object", words[1]);
  json_object_object_foreach (object, key, value) {
    (void) value;
    g_ptr_array_add (keys, key);
  }
  g_ptr_array_sort (keys, compare_text);
  g_ptr_array_add (keys, NULL);
  qsort (words + 2, g_strv_length (words + 2), sizeof *words, compare_text);
  g_autofree char *found = g_strjoinv (" ", (char **) keys->pdata);
  g_autofree char *wanted = g_strjoinv (" ", words + 2);
  if (strcmp (found, wanted) != 0)
    FAIL (play, "the keys are %s", found);
}

/* is PATH JSON: written just so. */
static void
expect_value (Play *play, const char *path, const char *wanted)
{
  RecJson *value = get_at (play, path);
  g_autofree char *found = value != NULL ? rec_json_to_text (value) : g_strdup ("null");

  if (strcmp (found, wanted) != 0)
    FAIL (play, "'%s' is %s", path, found);
}

/* error: OpenVidu's error object. */
static void
expect_error (Play *play, char **words G_GNUC_UNUSED)
{
  static char *const keys[] = { (char *) "", (char *) ".", (char *) "error", (char *) "message",
    (char *) "path", (char *) "status", (char *) "timestamp", NULL };
  g_autofree char *status = g_strdup_printf ("%u", play->answer->status);
  g_auto (GStrv) copy = g_strdupv ((char **) keys);

  expect_keys (play, copy);
  expect_value (play, "status", status);
  if (!json_object_is_type (get_at (play, "timestamp"), json_type_int) ||
      *rec_json_string_or (play->json, "message", "") == '\0')
    FAIL (play, "it is no error object");
}

/* says TEXT: somewhere in the body. */
static void
expect_text (Play *play, char **words)
{
  if (strstr (play->answer->body->str, words[1]) == NULL)
    FAIL (play, "'%s' is not in it", words[1]);
}

static void
expect_empty (Play *play, char **words G_GNUC_UNUSED)
{
  if (play->answer->body->len > 0)
    FAIL (play, "no body was expected");
}

/* save NAME PATH */
static void
do_save (Play *play, char **words)
{
  g_hash_table_insert (play->saved, g_strdup (words[1]),
      g_strdup (json_object_get_string (get_at (play, words[2]))));
}

/* --- the table -------------------------------------------------------------------------------------------------------- */

static const struct {
  const char *word;
  guint n_words; /* at least */
  void (*run) (Play *play, char **words);
} verbs[] = {
  { "join", 3, do_join },
  { "publish", 4, do_publish },
  { "subscribe", 4, do_subscribe },
  { "leave", 3, do_leave },
  { "recording", 5, do_recording },
  { "recorded", 3, do_recorded },
  { "keys", 2, expect_keys },
  { "error", 1, expect_error },
  { "says", 2, expect_text },
  { "empty", 1, expect_empty },
  { "save", 3, do_save },
};

static gboolean
insert_saved (const GMatchInfo *match, GString *result, gpointer data)
{
  const Play *play = data;
  g_autofree char *name = g_match_info_fetch (match, 1);
  const char *text = g_hash_table_lookup (play->saved, name);

  if (text == NULL)
    FAIL (play, "nothing was saved as '%s'", name);
  g_string_append (result, text);
  return FALSE;
}

/* What follows the nth word as it is. */
static const char *
skip_words (const char *line, unsigned n)
{
  for (; n > 0; n--) {
    line += strcspn (line, " ");
    line += strspn (line, " ");
  }
  return *line != '\0' ? line : NULL;
}

static void
play_line (Play *play, const char *raw)
{
  g_autoptr (GRegex) variable = g_regex_new ("\\$([a-z-]+)", 0, 0, NULL);
  play->line = raw;
  g_autofree char *line = g_regex_replace_eval (variable, raw, -1, 0, 0, insert_saved, play, NULL);
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  const guint n_words = g_strv_length (words);

  if (g_ascii_isupper (*line) || *line == '!') {
    if (n_words < 3)
      FAIL (play, "METHOD PATH STATUS was expected");
    do_call (play, words, skip_words (line, 3));
    return;
  }
  if (strcmp (words[0], "is") == 0 && n_words >= 3) {
    expect_value (play, words[1], skip_words (line, 2));
    return;
  }
  for (size_t i = 0; i < G_N_ELEMENTS (verbs); i++) {
    if (strcmp (verbs[i].word, words[0]) == 0 && n_words >= verbs[i].n_words) {
      verbs[i].run (play, words);
      return;
    }
  }
  FAIL (play, "nobody knows what this means");
}

static void
play_case (ApiRig *rig, gconstpointer data)
{
  Play *play = (Play *) data;

  play->rig = rig;
  play->saved = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert (play->saved, g_strdup ("url"),
      g_strdup (rec_registry_get_public_url (rig->registry)));
  for (guint i = 0; i < play->lines->len; i++)
    play_line (play, play->lines->pdata[i]);
  forget_answer (play);
  g_hash_table_unref (play->saved);
}

static void
set_up (ApiRig *rig, gconstpointer data)
{
  api_rig_set_up (rig, ((const Play *) data)->settings);
}

static void
tear_down (ApiRig *rig, gconstpointer data)
{
  GPtrArray *sessions = rec_registry_get_sessions (rig->registry);

  for (guint i = 0; i < sessions->len; i++)
    ((RecSession *) sessions->pdata[i])->recording = NULL;
  api_rig_tear_down (rig, data);
}

static void
add_case (Play *play)
{
  g_autofree char *path = NULL;

  if (play == NULL)
    return;
  path = g_strconcat ("/rest-table/", play->name, NULL);
  g_test_add (path, ApiRig, play, set_up, play_case, tear_down);
}

static void
free_play (void *data)
{
  Play *play = data;

  g_free (play->name);
  g_free (play->settings);
  g_ptr_array_unref (play->lines);
  g_free (play);
}

/* case NAME [SETTING=VALUE...], then its lines; a line that ends in "\" goes on in the next one. */
static GPtrArray *
add_cases (void)
{
  GPtrArray *plays = g_ptr_array_new_with_free_func (free_play);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  Play *play = NULL;

  g_file_get_contents (TABLE, &text, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GRegex) joint = g_regex_new ("\\\\\n *", 0, 0, NULL);
  g_autofree char *joined = g_regex_replace_literal (joint, text, -1, 0, "", 0, NULL);
  g_auto (GStrv) lines = g_strsplit (joined, "\n", -1);
  for (unsigned i = 0; lines[i] != NULL; i++) {
    const char *line = g_strstrip (lines[i]);
    if (*line == '\0' || *line == '#')
      continue;
    if (g_str_has_prefix (line, "case ")) {
      add_case (play);
      g_auto (GStrv) parts = g_strsplit (line, " ", 3);
      play = g_new0 (Play, 1);
      play->name = g_strdup (parts[1]);
      play->settings = g_strdup (parts[2]);
      play->lines = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (plays, play);
    } else {
      g_assert_nonnull (play);
      g_ptr_array_add (play->lines, g_strdup (line));
    }
  }
  add_case (play);
  return plays;
}

int
main (int argc, char **argv)
{
  rec_main_thread_claim ();
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_autoptr (GPtrArray) plays = add_cases ();
  return g_test_run ();
}
