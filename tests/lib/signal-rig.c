/* signal-rig.c - a signalling server without sockets. */
#include "lib/signal-rig.h"

#include "lib/library-leaks.h"
#include "lib/wait.h"

#include <string.h>

#define STEP_US (G_USEC_PER_SEC / 2)

static int64_t
read_wall_clock (void *data)
{
  return 1700000000000 + ((SignalRig *) data)->now_us / 1000;
}

static int64_t
read_monotonic_clock (void *data)
{
  return ((SignalRig *) data)->now_us;
}

static void
take_note (void *data, const char *text, size_t length)
{
  RigClient *client = data;
  g_autoptr (GError) error = NULL;
  RecJson *message = rec_json_parse (text, length, SIZE_MAX, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (rec_json_string_or (message, "jsonrpc", ""), ==, "2.0");
  g_assert_cmpint (client->close_code, ==, 0);
  g_ptr_array_add (client->inbox, message);
}

static void
note_close (void *data, uint16_t code, const char *reason)
{
  RigClient *client = data;

  g_assert_cmpint (client->close_code, ==, 0);
  client->close_code = code;
  client->close_reason = g_strdup (reason);
}

static void
free_message (void *data)
{
  json_object_put (data);
}

static const RecSignalTransport transport = { .send = take_note, .close = note_close };

static void
free_client (void *data)
{
  RigClient *client = data;

  rig_client_drop (client);
  g_ptr_array_unref (client->inbox);
  g_free (client->close_reason);
  g_free (client->id);
  g_free (client);
}

SignalRig *
signal_rig_new (const char *const *settings)
{
  SignalRig *rig = g_new0 (SignalRig, 1);
  g_autoptr (GError) error = NULL;
  const RecConfigSources sources = { .definitions = settings };

  rig->now_us = G_USEC_PER_SEC;
  rig->config = rec_config_load (&sources, &error);
  g_assert_no_error (error);
  rig->registry = rec_registry_new (rig->config, read_wall_clock, rig);
  rig->router = rec_router_new (rig->config, rig->registry, &error);
  g_assert_no_error (error);
  rig->server = rec_signal_server_new (rig->config, rig->registry, rig->router);
  rec_signal_server_set_clock (rig->server, read_monotonic_clock, rig);
  rig->clients = g_ptr_array_new_with_free_func (free_client);
  return rig;
}

void
signal_rig_free (SignalRig *rig)
{
  GPtrArray *sessions = rec_registry_get_sessions (rig->registry);

  while (sessions->len > 0)
    rec_registry_close_session (rig->registry, sessions->pdata[0], "openviduServerStopped");
  g_ptr_array_unref (rig->clients);
  rec_signal_server_free (rig->server);
  rec_router_free (rig->router);
  rec_registry_free (rig->registry);
  rec_config_free (rig->config);
  g_free (rig);
}

void
signal_rig_advance (SignalRig *rig, double seconds)
{
  int64_t end_us = rig->now_us + (int64_t) (seconds * G_USEC_PER_SEC);

  while (rig->now_us < end_us) {
    rig->now_us = MIN (rig->now_us + STEP_US, end_us);
    rec_signal_server_tick (rig->server);
  }
}

RecSession *
signal_rig_create_session (SignalRig *rig, const char *id)
{
  RecSessionProperties *properties = rec_session_properties_new ();
  g_autoptr (GError) error = NULL;
  RecSession *session;

  g_free (properties->custom_session_id);
  properties->custom_session_id = g_strdup (id);
  session = rec_registry_create_session (rig->registry, REC_ERA_NEW, properties, &error);
  g_assert_no_error (error);
  return session;
}

char *
signal_rig_make_token (RecSession *session, RecRole role, const char *server_data)
{
  const RecConnectionRequest request = { .role = role, .server_data = server_data, .record = true };
  g_autoptr (GError) error = NULL;
  const RecConnection *connection =
      rec_registry_create_connection (session->registry, session, &request, &error);

  g_assert_no_error (error);
  return rec_registry_dup_token_url (session->registry, connection);
}

RigClient *
rig_client_new (SignalRig *rig, const char *query)
{
  RigClient *client = g_new0 (RigClient, 1);

  client->rig = rig;
  client->inbox = g_ptr_array_new_with_free_func (free_message);
  client->client = rec_signal_server_accept (rig->server, &transport, client, query, "192.0.2.1");
  g_ptr_array_add (rig->clients, client);
  return client;
}

void
rig_client_drop (RigClient *client)
{
  if (client->client != NULL)
    rec_signal_client_closed (g_steal_pointer (&client->client));
}

void
rig_client_send_text (RigClient *client, const char *text)
{
  rec_signal_client_receive (client->client, text, strlen (text));
}

int64_t
rig_client_send (RigClient *client, const char *method, const char *params)
{
  int64_t id = client->next_id++;
  g_autofree char *text = g_strdup_printf ("{\"jsonrpc\":\"2.0\",\"method\":\"%s\"%s%s,\"id\":%d}",
      method, params != NULL ? ",\"params\":" : "", params != NULL ? params : "", (int) id);

  rig_client_send_text (client, text);
  return id;
}

int64_t
rig_client_send_json (RigClient *client, const char *method, RecJson *params)
{
  g_autofree char *text = rec_json_to_text (params);

  return rig_client_send (client, method, text);
}

static RecJson *
take_answer (RigClient *client, int64_t id)
{
  for (guint i = 0; i < client->inbox->len; i++) {
    RecJson *message = client->inbox->pdata[i];
    RecJson *its_id = rec_json_get (message, "id");
    if (its_id != NULL && json_object_get_int64 (its_id) == id)
      return g_ptr_array_steal_index (client->inbox, i);
  }
  return NULL;
}

/* Most answers are there at once; those of media come from the main loop. */
static RecJson *
wait_for_answer (RigClient *client, int64_t id)
{
  RecJson *message = NULL;

  WAIT_UNTIL (message != NULL || (message = take_answer (client, id)) != NULL);
  rig_assert_keys (message,
      rec_json_has (message, "error") ? "jsonrpc id error" : "jsonrpc id result");
  return message;
}

RecJson *
rig_client_wait (RigClient *client, int64_t id)
{
  g_autoptr (RecJson) message = wait_for_answer (client, id);
  g_autofree char *text = rec_json_to_text (message);

  if (!json_object_is_type (rec_json_get (message, "result"), json_type_object))
    g_error ("expected a result: %s", text);
  return json_object_get (rec_json_get (message, "result"));
}

int
rig_client_wait_error (RigClient *client, int64_t id)
{
  g_autoptr (RecJson) message = wait_for_answer (client, id);
  g_autofree char *text = rec_json_to_text (message);
  RecJson *error = rec_json_get (message, "error");

  if (error == NULL)
    g_error ("expected an error: %s", text);
  rig_assert_keys (error, "code message");
  g_assert_cmpstr (rec_json_string_or (error, "message", ""), !=, "");
  return (int) rec_json_int_or (error, "code", 0);
}

RecJson *
rig_client_call (RigClient *client, const char *method, const char *params)
{
  return rig_client_wait (client, rig_client_send (client, method, params));
}

int
rig_client_call_error (RigClient *client, const char *method, const char *params)
{
  return rig_client_wait_error (client, rig_client_send (client, method, params));
}

RecJson *
rig_client_take (RigClient *client, const char *method)
{
  for (guint i = 0; i < client->inbox->len; i++) {
    RecJson *message = client->inbox->pdata[i];
    if (g_strcmp0 (rec_json_string_or (message, "method", NULL), method) != 0)
      continue;
    g_autoptr (RecJson) taken = g_ptr_array_steal_index (client->inbox, i);
    rig_assert_keys (taken, "jsonrpc method params");
    return json_object_get (rec_json_get (taken, "params"));
  }
  return NULL;
}

char *
rig_client_list (RigClient *client)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < client->inbox->len; i++) {
    RecJson *message = client->inbox->pdata[i];
    const char *method = rec_json_string_or (message, "method", NULL);
    if (i > 0)
      g_string_append_c (list, ' ');
    if (method != NULL)
      g_string_append (list, method);
    else
      g_string_append_printf (list, "#%d", (int) rec_json_int_or (message, "id", -1));
  }
  g_ptr_array_set_size (client->inbox, 0);
  return g_string_free (list, FALSE);
}

RecJson *
rig_client_join (RigClient *client, RecSession *session, RecRole role, const char *extra)
{
  g_autofree char *token = signal_rig_make_token (session, role, "");
  g_autofree char *params = g_strdup_printf (
      "{\"token\":\"%s\",\"session\":\"%s\",\"secret\":\"\",\"recorder\":false%s%s}", token,
      session->id, extra != NULL ? "," : "", extra != NULL ? extra : "");
  RecJson *result = rig_client_call (client, "joinRoom", params);

  client->id = g_strdup (rec_json_string_or (result, "id", NULL));
  return result;
}

static int
compare_texts (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char *
join_sorted (GPtrArray *texts)
{
  g_ptr_array_sort (texts, compare_texts);
  g_ptr_array_add (texts, NULL);
  return g_strjoinv (" ", (char **) texts->pdata);
}

void
rig_assert_keys (RecJson *object, const char *keys)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  g_autoptr (GPtrArray) wanted = g_ptr_array_new ();
  g_auto (GStrv) words = g_strsplit (keys, " ", -1);
  g_autofree char *found_text = NULL, *wanted_text = NULL;

  g_assert_true (json_object_is_type (object, json_type_object));
  json_object_object_foreach (object, key, value) {
    (void) value;
    g_ptr_array_add (found, key);
  }
  for (size_t i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_ptr_array_add (wanted, words[i]);
  found_text = join_sorted (found);
  wanted_text = join_sorted (wanted);
  g_assert_cmpstr (found_text, ==, wanted_text);
}

void
rig_assert_string (RecJson *object, const char *name, const char *expected)
{
  g_assert_cmpstr (rec_json_string_or (object, name, NULL), ==, expected);
}

void
rig_assert_list (RigClient *client, const char *expected)
{
  g_autofree char *list = rig_client_list (client);

  g_assert_cmpstr (list, ==, expected);
}

void
rig_assert_empty_result (RigClient *client, const char *method, const char *params)
{
  g_autoptr (RecJson) result = rig_client_call (client, method, params);

  rig_assert_keys (result, "sessionId");
}

static void
append_medium (GString *sdp, unsigned mid, bool is_audio, const char *direction)
{
  bool sends = strcmp (direction, "recvonly") != 0;

  g_string_append_printf (sdp,
      "m=%s 9 UDP/TLS/RTP/SAVPF %s\r\n"
      "c=IN IP4 0.0.0.0\r\n"
      "a=rtcp:9 IN IP4 0.0.0.0\r\n"
      "a=ice-ufrag:4ZcD\r\n"
      "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlig\r\n"
      "a=ice-options:trickle\r\n"
      "a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"
      "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n"
      "a=setup:actpass\r\n"
      "a=mid:%u\r\n"
      "a=%s\r\n"
      "a=rtcp-mux\r\n",
      is_audio ? "audio" : "video", is_audio ? "111" : "96 97", mid, direction);
  if (is_audio)
    g_string_append (sdp, "a=rtpmap:111 opus/48000/2\r\n"
                          "a=fmtp:111 minptime=10;useinbandfec=1\r\n");
  else
    g_string_append (sdp, "a=rtcp-rsize\r\n"
                          "a=rtpmap:96 VP8/90000\r\n"
                          "a=rtcp-fb:96 goog-remb\r\n"
                          "a=rtcp-fb:96 ccm fir\r\n"
                          "a=rtcp-fb:96 nack\r\n"
                          "a=rtcp-fb:96 nack pli\r\n"
                          "a=rtpmap:97 rtx/90000\r\n"
                          "a=fmtp:97 apt=96\r\n");
  if (sends)
    g_string_append_printf (sdp,
        "a=msid:stream track%u\r\n"
        "a=ssrc:%u cname:cname\r\n"
        "a=ssrc:%u msid:stream track%u\r\n",
        mid, 1000 + mid, 1000 + mid, mid);
}

char *
rig_make_offer (unsigned kinds, const char *direction)
{
  bool has_both = kinds == (RIG_OFFER_AUDIO | RIG_OFFER_VIDEO);
  GString *sdp = g_string_new ("v=0\r\n"
                               "o=- 4962303333179871722 2 IN IP4 127.0.0.1\r\n"
                               "s=-\r\n"
                               "t=0 0\r\n");
  unsigned mid = 0;

  g_string_append_printf (sdp, "a=group:BUNDLE %s\r\n", has_both ? "0 1" : "0");
  g_string_append (sdp, "a=extmap-allow-mixed\r\n"
                        "a=msid-semantic: WMS stream\r\n");
  if (kinds & RIG_OFFER_AUDIO)
    append_medium (sdp, mid++, true, direction);
  if (kinds & RIG_OFFER_VIDEO)
    append_medium (sdp, mid, false, direction);
  return g_string_free (sdp, FALSE);
}
