/* test-token.c - token texts of every version, and who gets in with them. */
#include "session/token.h"

#include "base/config.h"
#include "base/error.h"
#include "session/registry.h"

#include <glib.h>
#include <string.h>

typedef struct {
  RecConfig *config;
  RecRegistry *registry;
  int64_t now_ms;
} Fixture;

static int64_t
read_clock (void *data)
{
  return ((Fixture *) data)->now_ms;
}

static void
set_up (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  fixture->now_ms = 1700000000000;
  fixture->config = rec_config_new ();
  fixture->registry = rec_registry_new (fixture->config, read_clock, fixture);
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  rec_registry_free (fixture->registry);
  rec_config_free (fixture->config);
}

static RecSession *
create_session (Fixture *fixture, const char *id)
{
  RecSessionProperties *properties = rec_session_properties_new ();
  g_autoptr (GError) error = NULL;
  RecSession *session;

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (id);
  session = rec_registry_create_session (fixture->registry, REC_ERA_NEW, properties, &error);
  g_assert_no_error (error);
  return session;
}

static RecConnection *
create_connection (Fixture *fixture, RecSession *session, RecRole role)
{
  const RecConnectionRequest request = {
    .role = role, .server_data = "from the server", .record = true
  };
  g_autoptr (GError) error = NULL;
  RecConnection *connection =
      rec_registry_create_connection (fixture->registry, session, &request, &error);

  g_assert_no_error (error);
  return connection;
}

static RecParticipant *
try_join (Fixture *fixture, const char *session_id, const char *token, GError **error)
{
  const RecJoinRequest request = {
    .session_id = session_id, .token = token, .client_data = "me", .era = REC_ERA_NEW
  };

  return rec_registry_join (fixture->registry, &request, error);
}

static void
assert_refused (Fixture *fixture, const char *session_id, const char *token, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (try_join (fixture, session_id, token, &error));
  g_assert_error (error, REC_ERROR, code);
}

static void
test_parses_every_version (void)
{
  static const struct {
    const char *text, *session_id, *token, *secret;
    bool is_recorder;
  } cases[] = {
    { "wss://h:4443?sessionId=S&token=T", "S", "T", NULL, false },
    { "wss://h:4443?sessionId=S&token=T&role=PUBLISHER", "S", "T", NULL, false },
    { "wss://h?sessionId=S&token=T&role=SUBSCRIBER&version=2.10.0&coturnIp=1.2.3.4"
      "&turnUsername=u&turnCredential=c",
        "S", "T", NULL, false },
    { "wss://h/path?sessionId=ses_X&token=tok_Y", "ses_X", "tok_Y", NULL, false },
    { "ws://h?token=tok_Y&sessionId=ses_X#hash", "ses_X", "tok_Y", NULL, false },
    { "wss://h?sessionId=S&secret=MY_SECRET", "S", NULL, "MY_SECRET", false },
    { "wss://h?sessionId=S&secret=MY_SECRET&recorder=true", "S", NULL, "MY_SECRET", true },
    { "wss://h?sessionId=S&secret=MY_SECRET&recorder=false", "S", NULL, "MY_SECRET", true },
    { "wss://h?sessionId=S&secret=x&recorder=", "S", NULL, "x", false },
    { "wss://h?sessionId=a%20b&token=T", "a b", "T", NULL, false },
    { "wss://h?sessionId=a+b&token=T%2B", "a b", "T+", NULL, false },
    { "wss://h?sessionId=%zz&token=T", "%zz", "T", NULL, false },
    { "wss://h?token=first&token=second", NULL, "first", NULL, false },
    { "tok_Y", NULL, "tok_Y", NULL, false },
    { "wss://h", NULL, NULL, NULL, false },
    { "wss://h?", NULL, NULL, NULL, false },
    { "wss://h?&&=&token", NULL, NULL, NULL, false },
    { "", NULL, NULL, NULL, false },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (RecToken) token = rec_token_parse (cases[i].text);
    g_test_message ("%s", cases[i].text);
    g_assert_cmpstr (token->session_id, ==, cases[i].session_id);
    g_assert_cmpstr (token->token, ==, cases[i].token);
    g_assert_cmpstr (token->secret, ==, cases[i].secret);
    g_assert_cmpint (token->is_recorder, ==, cases[i].is_recorder);
  }
}

static void
test_url_suits_all_clients (void)
{
  static const struct {
    const char *public_url, *expected;
  } cases[] = {
    { "https://localhost:4443", "wss://localhost:4443" },
    { "https://example.org", "wss://example.org" },
    { "https://example.org/some/path", "wss://example.org" },
    { "https://[::1]:4443", "wss://[::1]:4443" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *url =
        rec_token_make_url (cases[i].public_url, "ses_A", "tok_B", REC_ROLE_MODERATOR);
    g_autofree char *expected = g_strconcat (cases[i].expected,
        "?sessionId=ses_A&token=tok_B&role=MODERATOR&version=" REC_OPENVIDU_VERSION, NULL);
    g_autoptr (RecToken) token = rec_token_parse (url);
    g_assert_cmpstr (url, ==, expected);
    g_assert_cmpstr (token->session_id, ==, "ses_A");
    g_assert_cmpstr (token->token, ==, "tok_B");
  }
  /* Newer clients take "%3A" and the like for the id itself. */
  g_autofree char *odd =
      rec_token_make_url ("https://h", "B\xc3\xbcro:1,(a)+@", "t", REC_ROLE_PUBLISHER);
  g_autoptr (RecToken) token = rec_token_parse (odd);
  g_assert_true (g_str_has_prefix (odd, "wss://h?sessionId=B%C3%BCro:1,(a)%2B@&token=t&"));
  g_assert_cmpstr (token->session_id, ==, "B\xc3\xbcro:1,(a)+@");
}

static void
test_public_url_is_used (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  RecConnection *connection = create_connection (fixture, session, REC_ROLE_PUBLISHER);
  g_autofree char *before = rec_registry_dup_token_url (fixture->registry, connection);
  g_autofree char *after = NULL;

  g_assert_true (g_str_has_prefix (before, "wss://localhost:4443?sessionId=room&token=tok_"));
  rec_registry_set_public_url (fixture->registry, "https://video.example.org:8443/");
  g_assert_cmpstr (rec_registry_get_public_url (fixture->registry), ==,
      "https://video.example.org:8443");
  after = rec_registry_dup_token_url (fixture->registry, connection);
  g_assert_true (
      g_str_has_prefix (after, "wss://video.example.org:8443?sessionId=room&token=tok_"));
}

static void
test_secrets_compare_whole (void)
{
  g_assert_true (rec_secret_equals ("MY_SECRET", "MY_SECRET"));
  g_assert_false (rec_secret_equals ("MY_SECRE", "MY_SECRET"));
  g_assert_false (rec_secret_equals ("MY_SECRETx", "MY_SECRET"));
  g_assert_false (rec_secret_equals ("MY_SECRETMY_SECRET", "MY_SECRET"));
  g_assert_false (rec_secret_equals ("my_secret", "MY_SECRET"));
  g_assert_false (rec_secret_equals ("", "MY_SECRET"));
  g_assert_false (rec_secret_equals (NULL, "MY_SECRET"));
  g_assert_false (rec_secret_equals ("", ""));
  g_assert_false (rec_secret_equals (NULL, NULL));
}

static void
test_lets_in_once (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  RecConnection *connection = create_connection (fixture, session, REC_ROLE_MODERATOR);
  g_autofree char *token = g_strdup (connection->token);
  g_autoptr (GError) error = NULL;
  RecParticipant *participant;

  participant = try_join (fixture, "room", token, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (participant->id, ==, connection->id);
  g_assert_cmpint (participant->role, ==, REC_ROLE_MODERATOR);
  g_assert_cmpstr (participant->metadata, ==, "me%/%from the server");
  g_assert_true (connection->participant == participant);
  g_assert_false (participant->is_insecure);
  g_assert_nonnull (strstr (participant->token_url, token));

  assert_refused (fixture, "room", token, REC_ERROR_UNAUTHORIZED);
  /* Somebody else stays, so that the session does too. */
  create_connection (fixture, session, REC_ROLE_PUBLISHER);
  rec_registry_leave (fixture->registry, participant, "disconnect");
  assert_refused (fixture, "room", token, REC_ERROR_NOT_FOUND);
}

static void
test_is_dead_after_its_participant_left (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  g_autofree char *first =
      g_strdup (create_connection (fixture, session, REC_ROLE_PUBLISHER)->token);
  g_autofree char *second =
      g_strdup (create_connection (fixture, session, REC_ROLE_PUBLISHER)->token);
  RecParticipant *participant = try_join (fixture, "room", first, NULL);

  g_assert_nonnull (try_join (fixture, "room", second, NULL));
  rec_registry_leave (fixture->registry, participant, "disconnect");
  g_assert_true (rec_registry_find_session (fixture->registry, "room") == session);
  g_assert_cmpuint (session->connections->len, ==, 1);
  assert_refused (fixture, "room", first, REC_ERROR_UNAUTHORIZED);
}

static void
test_is_bound_to_its_session (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *room = create_session (fixture, "room");
  const char *token = create_connection (fixture, room, REC_ROLE_PUBLISHER)->token;

  create_session (fixture, "other");
  assert_refused (fixture, "other", token, REC_ERROR_UNAUTHORIZED);
  assert_refused (fixture, "nowhere", token, REC_ERROR_NOT_FOUND);
  g_assert_nonnull (try_join (fixture, "room", token, NULL));
}

static void
test_refuses_tampered_ones (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  const char *token = create_connection (fixture, session, REC_ROLE_PUBLISHER)->token;

  for (size_t i = 0; i < strlen (token); i++) {
    g_autofree char *changed = g_strdup (token);
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    assert_refused (fixture, "room", changed, REC_ERROR_UNAUTHORIZED);
  }
  g_autofree char *longer = g_strconcat (token, "x", NULL);
  g_autofree char *shorter = g_strndup (token, strlen (token) - 1);
  assert_refused (fixture, "room", longer, REC_ERROR_UNAUTHORIZED);
  assert_refused (fixture, "room", shorter, REC_ERROR_UNAUTHORIZED);
  assert_refused (fixture, "room", "", REC_ERROR_UNAUTHORIZED);
  assert_refused (fixture, "room", NULL, REC_ERROR_UNAUTHORIZED);
}

static void
test_deleted_one_is_dead (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  RecConnection *connection = create_connection (fixture, session, REC_ROLE_PUBLISHER);
  g_autofree char *token = g_strdup (connection->token);

  rec_registry_delete_connection (fixture->registry, connection, "forceDisconnectByServer");
  g_assert_cmpuint (session->connections->len, ==, 0);
  assert_refused (fixture, "room", token, REC_ERROR_UNAUTHORIZED);
}

static void
test_unused_ones_are_bounded (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  const RecConnectionRequest request = { .role = REC_ROLE_PUBLISHER };
  g_autoptr (GError) error = NULL;

  g_assert_true (
      rec_config_set (fixture->config, "server.max-tokens-per-session", "2", "test", &error));
  create_connection (fixture, session, REC_ROLE_PUBLISHER);
  RecConnection *used = create_connection (fixture, session, REC_ROLE_PUBLISHER);
  g_assert_null (rec_registry_create_connection (fixture->registry, session, &request, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_TOO_MANY);
  /* A used one no longer counts. */
  g_assert_nonnull (try_join (fixture, "room", used->token, NULL));
  create_connection (fixture, session, REC_ROLE_PUBLISHER);
}

static void
test_all_differ (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (int i = 0; i < 500; i++) {
    const RecConnection *connection = create_connection (fixture, session, REC_ROLE_PUBLISHER);
    g_assert_true (g_regex_match_simple ("^tok_[A-Z][A-Za-z0-9]{15}$", connection->token, 0, 0));
    g_assert_true (g_regex_match_simple ("^con_[A-Z][A-Za-z0-9]{9}$", connection->id, 0, 0));
    g_assert_true (g_hash_table_add (seen, connection->token));
    g_assert_true (g_hash_table_add (seen, connection->id));
  }
}

static RecParticipant *
join_with_secret (Fixture *fixture, RecEra era, const char *secret, bool recorder, GError **error)
{
  const RecJoinRequest request = {
    .session_id = "room", .secret = secret, .recorder = recorder, .era = era
  };

  return rec_registry_join (fixture->registry, &request, error);
}

static void
test_secret_creates_old_sessions (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  const RecParticipant *participant =
      join_with_secret (fixture, REC_ERA_OLD, "MY_SECRET", false, &error);

  g_assert_no_error (error);
  g_assert_true (participant->is_insecure);
  g_assert_true (rec_participant_can_publish (participant));
  g_assert_cmpint (participant->role, ==, REC_ROLE_PUBLISHER);
  g_assert_cmpstr (participant->token_url, ==, "");
  g_assert_null (participant->connection);
  g_assert_true (participant->session->properties->records_always);
  g_assert_false (participant->session->properties->is_relayed);
  g_assert_cmpint (participant->session->era, ==, REC_ERA_OLD);
}

static void
test_secret_creates_no_new_sessions (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  const RecParticipant *participant;

  g_assert_null (join_with_secret (fixture, REC_ERA_NEW, "MY_SECRET", false, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
  create_session (fixture, "room");
  participant = join_with_secret (fixture, REC_ERA_NEW, "MY_SECRET", false, NULL);
  g_assert_cmpint (participant->role, ==, REC_ROLE_SUBSCRIBER);
  g_assert_true (rec_participant_can_publish (participant));
  g_assert_true (rec_participant_can_moderate (participant));
}

static void
test_wrong_secret_is_no_way_in (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (join_with_secret (fixture, REC_ERA_OLD, "wrong", false, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_NOT_FOUND);
  g_clear_error (&error);
  create_session (fixture, "room");
  g_assert_null (join_with_secret (fixture, REC_ERA_OLD, "wrong", true, &error));
  g_assert_error (error, REC_ERROR, REC_ERROR_UNAUTHORIZED);
}

static void
test_recorder_is_hidden_and_single (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  const RecParticipant *first = join_with_secret (fixture, REC_ERA_NEW, "MY_SECRET", true, NULL);
  const RecParticipant *second;

  g_assert_cmpstr (first->id, ==, "RECORDER");
  g_assert_true (first->is_hidden);
  g_assert_false (rec_participant_can_publish (first));
  g_assert_cmpuint (rec_session_count_visible (session), ==, 0);
  /* A page that was loaded again takes the place of its old self, and the session stays. */
  second = join_with_secret (fixture, REC_ERA_NEW, "MY_SECRET", true, NULL);
  g_assert_cmpstr (second->id, ==, "RECORDER");
  g_assert_cmpuint (session->participants->len, ==, 1);
  g_assert_true (session->participants->pdata[0] == second);
  g_assert_true (rec_registry_find_session (fixture->registry, "room") == session);
}

static void
test_recorder_flag_needs_the_secret (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  RecSession *session = create_session (fixture, "room");
  const RecConnection *connection = create_connection (fixture, session, REC_ROLE_PUBLISHER);
  const RecJoinRequest request = { .session_id = "room",
    .token = connection->token,
    .secret = "wrong",
    .recorder = true,
    .era = REC_ERA_NEW };
  const RecParticipant *participant = rec_registry_join (fixture->registry, &request, NULL);

  g_assert_nonnull (participant);
  g_assert_false (participant->is_hidden);
  g_assert_cmpstr (participant->id, ==, connection->id);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/token/parses-every-version", test_parses_every_version);
  g_test_add_func ("/token/url-suits-all-clients", test_url_suits_all_clients);
  g_test_add_func ("/token/secrets-compare-whole", test_secrets_compare_whole);
  ADD ("/token/names-the-public-url", test_public_url_is_used);
  ADD ("/token/lets-in-once", test_lets_in_once);
  ADD ("/token/is-dead-after-its-participant-left", test_is_dead_after_its_participant_left);
  ADD ("/token/is-bound-to-its-session", test_is_bound_to_its_session);
  ADD ("/token/refuses-tampered-ones", test_refuses_tampered_ones);
  ADD ("/token/deleted-one-is-dead", test_deleted_one_is_dead);
  ADD ("/token/unused-ones-are-bounded", test_unused_ones_are_bounded);
  ADD ("/token/all-differ", test_all_differ);
  ADD ("/secret/creates-old-sessions", test_secret_creates_old_sessions);
  ADD ("/secret/creates-no-new-sessions", test_secret_creates_no_new_sessions);
  ADD ("/secret/wrong-one-is-no-way-in", test_wrong_secret_is_no_way_in);
  ADD ("/recorder/is-hidden-and-single", test_recorder_is_hidden_and_single);
  ADD ("/recorder/flag-needs-the-secret", test_recorder_flag_needs_the_secret);
  return g_test_run ();
}
