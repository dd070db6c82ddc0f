/* router-rig.c - a router without server, in a session with an owner of a stream and a viewer. */
#include "lib/router-rig.h"

void
router_rig_take_answer (const char *text, const GError *error, void *data)
{
  RouterAnswer *answer = data;

  g_free (answer->text);
  g_clear_error (&answer->error);
  answer->text = g_strdup (text);
  answer->error = error != NULL ? g_error_copy (error) : NULL;
  answer->n_given++;
}

void
router_rig_clear_answer (RouterAnswer *answer)
{
  g_free (answer->text);
  g_clear_error (&answer->error);
}

/* --- the fixture ---------------------------------------------------------------------------------------- */

static int64_t
read_wall_clock (void *data G_GNUC_UNUSED)
{
  return 1700000000000;
}

static void
on_candidate (RecParticipant *participant G_GNUC_UNUSED, RecParticipant *owner G_GNUC_UNUSED,
    const char *candidate, const char *mid G_GNUC_UNUSED, int mline G_GNUC_UNUSED, void *data)
{
  RouterRig *fixture = data;

  fixture->n_local_candidates++;
  g_string_append_printf (fixture->local_candidates, "%s\n", candidate);
}

static void
on_publisher_lost (RecStreamInfo *stream, const char *why, void *data)
{
  RouterRig *fixture = data;

  g_assert_true (stream == fixture->owner->stream);
  g_assert_null (fixture->lost);
  fixture->lost = g_strdup (why);
}

static const RecRouterEvents router_events = {
  .candidate = on_candidate,
  .publisher_lost = on_publisher_lost,
};

static RecParticipant *
router_rig_join (RouterRig *fixture)
{
  RecJoinRequest request = { .session_id = fixture->session->id,
    .secret = "MY_SECRET",
    .client_data = "",
    .platform = "",
    .sdk_version = "",
    .ip = "127.0.0.1",
    .era = REC_ERA_NEW };
  g_autoptr (GError) error = NULL;
  RecParticipant *participant = rec_registry_join (fixture->registry, &request, &error);

  g_assert_no_error (error);
  return participant;
}

RecStreamInfo *
router_rig_add_stream (RouterRig *fixture, bool is_echoed)
{
  RecStreamInfo properties = { .has_audio = true,
    .has_video = true,
    .audio_active = true,
    .video_active = true,
    .type_of_video = "CAMERA",
    .frame_rate = 15,
    .is_echoed = is_echoed };
  g_autoptr (GError) error = NULL;
  RecStreamInfo *stream =
      rec_registry_add_stream (fixture->registry, fixture->owner, &properties, &error);

  g_assert_no_error (error);
  return stream;
}

static void
router_rig_configure (RouterRig *fixture, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  rec_config_set (fixture->config, key, value, "test", &error);
  g_assert_no_error (error);
}

/* data: "key=value key=value" of the config, or NULL. */
void
router_rig_set_up (RouterRig *fixture, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) settings = g_strsplit (data != NULL ? data : "", " ", -1);

  fixture->local_candidates = g_string_new (NULL);
  fixture->config = rec_config_new ();
  router_rig_configure (fixture, "openvidu.secret", "MY_SECRET");
  router_rig_configure (fixture, "media.local-addresses", "127.0.0.1");
  router_rig_configure (fixture, "media.jitter-latency-ms", "100");
  for (char **setting = settings; *setting != NULL; setting++) {
    g_auto (GStrv) pair = g_strsplit (*setting, "=", 2);
    router_rig_configure (fixture, pair[0], pair[1]);
  }
  fixture->registry = rec_registry_new (fixture->config, read_wall_clock, NULL);
  fixture->router = rec_router_new (fixture->config, fixture->registry, &error);
  g_assert_no_error (error);
  rec_router_set_events (fixture->router, &router_events, fixture);
  fixture->session = rec_registry_create_session (fixture->registry, REC_ERA_NEW,
      rec_session_properties_new (), &error);
  g_assert_no_error (error);
  fixture->owner = router_rig_join (fixture);
  fixture->viewer = router_rig_join (fixture);
  router_rig_add_stream (fixture, false);
}

void
router_rig_tear_down (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  rec_router_free (fixture->router);
  rec_registry_free (fixture->registry);
  rec_config_free (fixture->config);
  g_free (fixture->lost);
  g_string_free (fixture->local_candidates, TRUE);
}

void
router_rig_send_owner_candidate (const char *candidate, unsigned mline_index, void *data)
{
  RouterRig *fixture = data;

  rec_router_add_candidate (fixture->router, fixture->owner, fixture->owner, candidate, NULL,
      (int) mline_index);
}

FakeBrowser *
router_rig_publish_and_tell (RouterRig *fixture, FakeMedia media, char **text)
{
  FakeBrowser *browser = fake_publisher_new (media, router_rig_send_owner_candidate, fixture);
  RouterAnswer answer = { 0 };

  rec_router_publish (fixture->router, fixture->owner->stream, fake_browser_make_offer (browser),
      router_rig_take_answer, &answer);
  WAIT_UNTIL (answer.n_given > 0);
  g_assert_no_error (answer.error);
  fake_browser_take_answer (browser, answer.text);
  if (text != NULL)
    *text = g_strdup (answer.text);
  router_rig_clear_answer (&answer);
  return browser;
}

FakeBrowser *
router_rig_publish (RouterRig *fixture, FakeMedia media)
{
  return router_rig_publish_and_tell (fixture, media, NULL);
}
