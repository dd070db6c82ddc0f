/* test-recording-state.c - the states of a recording, its defaults, and what happens to its session. */
#include "base/config.h"
#include "session/registry.h"

#include <glib.h>
#include <string.h>

static int64_t
read_clock (void *data G_GNUC_UNUSED)
{
  return 1700000000000;
}

static void
test_transitions (void)
{
  static const struct {
    RecRecordingStatus from;
    const char *
        to; /* a letter per state that may follow: s started, e ended, r ready, f failed, b begun */
  } cases[] = {
    { REC_RECORDING_INVALID, "b" },
    { REC_RECORDING_STARTING, "sef" },
    { REC_RECORDING_STARTED, "ef" },
    { REC_RECORDING_STOPPED, "rf" },
    { REC_RECORDING_READY, "" },
    { REC_RECORDING_FAILED, "" },
  };
  static const struct {
    RecRecordingStatus to;
    char letter;
  } states[] = {
    { REC_RECORDING_INVALID, '-' },
    { REC_RECORDING_STARTING, 'b' },
    { REC_RECORDING_STARTED, 's' },
    { REC_RECORDING_STOPPED, 'e' },
    { REC_RECORDING_READY, 'r' },
    { REC_RECORDING_FAILED, 'f' },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    for (size_t k = 0; k < G_N_ELEMENTS (states); k++) {
      bool expected = strchr (cases[i].to, states[k].letter) != NULL;
      g_test_message ("from %d to %d", cases[i].from, states[k].to);
      g_assert_cmpint (rec_recording_can_become (cases[i].from, states[k].to), ==, expected);
    }
}

static void
test_active_until_complete (void)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (RecRecording) recording = rec_recording_new ("r", "s", REC_ERA_NEW, properties, 1);
  const struct {
    RecRecordingStatus status;
    bool is_active;
  } cases[] = {
    { REC_RECORDING_STARTING, true },
    { REC_RECORDING_STARTED, true },
    { REC_RECORDING_STOPPED, true },
    { REC_RECORDING_READY, false },
    { REC_RECORDING_FAILED, false },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    recording->status = cases[i].status;
    g_assert_cmpint (rec_recording_is_active (recording), ==, cases[i].is_active);
  }
}

static void
test_documented_defaults (void)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (RecRecording) recording = rec_recording_new ("s~1", "s", REC_ERA_OLD, properties, 42);

  g_assert_cmpint (properties->width, ==, 1280);
  g_assert_cmpint (properties->height, ==, 720);
  g_assert_cmpint (properties->frame_rate, ==, 25);
  g_assert_cmpstr (properties->recording_layout, ==, "BEST_FIT");
  g_assert_cmpint (properties->output_mode, ==, REC_OUTPUT_COMPOSED);
  g_assert_true (properties->has_audio && properties->has_video);
  g_assert_cmpint (properties->shm_size, ==, 536870912);

  g_assert_cmpstr (recording->id, ==, "s~1");
  g_assert_cmpstr (recording->name, ==, "s~1");
  g_assert_cmpint (recording->status, ==, REC_RECORDING_STARTING);
  g_assert_cmpint (recording->created_at_ms, ==, 42);
}

static void
test_given_name_is_kept (void)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (RecRecording) named = NULL, nameless = NULL;

  properties->name = g_strdup ("lecture");
  named = rec_recording_new ("s", "s", REC_ERA_NEW, properties, 1);
  g_assert_cmpstr (named->name, ==, "lecture");
  g_free (properties->name);
  properties->name = g_strdup ("");
  nameless = rec_recording_new ("s", "s", REC_ERA_NEW, properties, 1);
  g_assert_cmpstr (nameless->name, ==, "s");
}

static void
test_copies_share_nothing (void)
{
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  g_autoptr (RecRecordingProperties) copy = NULL;

  properties->sinks = g_strsplit ("mp4,count", ",", 0);
  properties->custom_layout = g_strdup ("a/b");
  copy = rec_recording_properties_dup (properties);
  g_strfreev (g_steal_pointer (&properties->sinks));
  g_clear_pointer (&properties->custom_layout, g_free);
  g_assert_cmpstr (copy->sinks[1], ==, "count");
  g_assert_cmpstr (copy->custom_layout, ==, "a/b");
}

static void
test_output_modes_by_word (void)
{
  g_assert_cmpint (rec_output_mode_from_string ("COMPOSED"), ==, REC_OUTPUT_COMPOSED);
  g_assert_cmpint (rec_output_mode_from_string ("INDIVIDUAL"), ==, REC_OUTPUT_INDIVIDUAL);
  g_assert_cmpint (rec_output_mode_from_string ("COMPOSED_QUICK_START"), ==,
      REC_OUTPUT_COMPOSED_QUICK_START);
  g_assert_cmpint (rec_output_mode_from_string ("composed"), ==, REC_OUTPUT_INVALID);
  g_assert_cmpint (rec_output_mode_from_string (NULL), ==, REC_OUTPUT_INVALID);
  g_assert_cmpstr (rec_output_mode_to_string (REC_OUTPUT_INDIVIDUAL), ==, "INDIVIDUAL");
}

static void
note_change (RecRecording *recording, RecRecordingStatus before, void *data)
{
  g_string_append_printf (data, "%d>%d ", before, recording->status);
}

static const RecRegistryEvents events = { .recording_changed = note_change };

static void
test_listeners_hear_each_change (void)
{
  g_autoptr (RecConfig) config = rec_config_new ();
  RecRegistry *registry = rec_registry_new (config, read_clock, NULL);
  g_autoptr (GString) heard = g_string_new (NULL);
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  RecRecording *recording = rec_recording_new ("r", "s", REC_ERA_NEW, properties, 1);

  rec_registry_subscribe (registry, &events, heard);
  rec_registry_add_recording (registry, recording);
  rec_recording_unref (recording);
  g_assert_true (rec_registry_find_recording (registry, "r") == recording);
  rec_registry_set_recording_status (registry, recording, REC_RECORDING_STARTED);
  rec_registry_set_recording_status (registry, recording, REC_RECORDING_STOPPED);
  rec_registry_set_recording_status (registry, recording, REC_RECORDING_READY);
  g_assert_cmpstr (heard->str, ==, "1>2 2>3 3>4 ");
  rec_registry_remove_recording (registry, recording);
  g_assert_null (rec_registry_find_recording (registry, "r"));
  rec_registry_free (registry);
}

static void
test_impossible_change_is_our_bug (void)
{
  if (g_test_subprocess ()) {
    g_autoptr (RecConfig) config = rec_config_new ();
    RecRegistry *registry = rec_registry_new (config, read_clock, NULL);
    g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
    RecRecording *recording = rec_recording_new ("r", "s", REC_ERA_NEW, properties, 1);

    rec_registry_add_recording (registry, recording);
    rec_registry_set_recording_status (registry, recording, REC_RECORDING_READY);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*rec_recording_can_become*");
}

static RecParticipant *
join_with_secret (RecRegistry *registry, const char *session_id)
{
  const RecJoinRequest request = {
    .session_id = session_id,
    .secret = "MY_SECRET",
    .era = REC_ERA_OLD,
  };
  g_autoptr (GError) error = NULL;
  RecParticipant *participant = rec_registry_join (registry, &request, &error);

  g_assert_no_error (error);
  return participant;
}

static void
test_recorded_session_outlives_its_participants (void)
{
  g_autoptr (RecConfig) config = rec_config_new ();
  RecRegistry *registry = rec_registry_new (config, read_clock, NULL);
  g_autoptr (RecRecordingProperties) properties = rec_recording_properties_new ();
  RecRecording *recording = rec_recording_new ("room", "room", REC_ERA_OLD, properties, 1);
  RecParticipant *participant = join_with_secret (registry, "room");
  RecSession *session = participant->session;

  rec_registry_add_recording (registry, recording);
  rec_recording_unref (recording);
  recording->session = session;
  session->recording = recording;
  rec_registry_set_recording_status (registry, recording, REC_RECORDING_STARTED);

  rec_registry_leave (registry, participant, "disconnect");
  g_assert_true (rec_registry_find_session (registry, "room") == session);

  rec_registry_set_recording_status (registry, recording, REC_RECORDING_STOPPED);
  g_assert_nonnull (rec_registry_find_session (registry, "room"));
  rec_registry_set_recording_status (registry, recording, REC_RECORDING_READY);
  g_assert_null (rec_registry_find_session (registry, "room"));
  g_assert_null (recording->session);
  rec_registry_free (registry);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recording/follows-the-table", test_transitions);
  g_test_add_func ("/recording/is-active-until-complete", test_active_until_complete);
  g_test_add_func ("/recording/has-the-documented-defaults", test_documented_defaults);
  g_test_add_func ("/recording/keeps-a-given-name", test_given_name_is_kept);
  g_test_add_func ("/recording/copies-share-nothing", test_copies_share_nothing);
  g_test_add_func ("/recording/output-modes-have-words", test_output_modes_by_word);
  g_test_add_func ("/recording/listeners-hear-each-change", test_listeners_hear_each_change);
  g_test_add_func ("/recording/impossible-change-aborts", test_impossible_change_is_our_bug);
  g_test_add_func ("/recording/keeps-its-session-open",
      test_recorded_session_outlives_its_participants);
  return g_test_run ();
}
