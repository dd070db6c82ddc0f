/* test-router-addresses.c - where media comes in: ports, the address outside, STUN and TURN servers. */
#include "lib/library-leaks.h"
#include "lib/router-rig.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

/* Fields of the candidates of a type that a text has: foundation, component, protocol, priority, address, port, ... */
static GPtrArray *
find_candidates (const char *text, const char *type)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *wanted = g_strdup_printf (" typ %s", type);
  g_auto (GStrv) lines = g_strsplit_set (text, "\r\n", -1);

  for (char **line = lines; *line != NULL; line++) {
    const char *candidate = strstr (*line, "candidate:");
    if (candidate != NULL && strstr (candidate, wanted) != NULL)
      g_ptr_array_add (found, g_strsplit (candidate, " ", -1));
  }
  return found;
}

static void
keeps_to_its_ports (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  FakeBrowser *browser = router_rig_publish_and_tell (fixture, FAKE_AUDIO | FAKE_VIDEO, &text);
  g_autoptr (GPtrArray) hosts = find_candidates (text, "host");

  g_assert_cmpuint (hosts->len, >=, 1);
  for (unsigned i = 0; i < hosts->len; i++) {
    char **fields = hosts->pdata[i];
    g_assert_cmpstr (fields[4], ==, "127.0.0.1");
    g_assert_cmpint (atoi (fields[5]), >=, 30100);
    g_assert_cmpint (atoi (fields[5]), <=, 30109);
  }
  fake_browser_free (browser);
}

static void
names_the_external_address (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  FakeBrowser *browser = router_rig_publish_and_tell (fixture, FAKE_AUDIO, &text);
  g_autoptr (GPtrArray) hosts = find_candidates (text, "host");

  g_assert_cmpuint (hosts->len, >=, 1);
  for (unsigned i = 0; i < hosts->len; i++)
    g_assert_cmpstr (((char **) hosts->pdata[i])[4], ==, "203.0.113.7");
  g_assert_null (strstr (fixture->local_candidates->str, "127.0.0.1"));
  fake_browser_free (browser);
}

#define STUN_HEADER_SIZE 20
#define STUN_BINDING_REQUEST 0x0001
#define STUN_ALLOCATE_REQUEST 0x0003
#define OUTSIDE_ADDRESS "198.51.100.9"
#define OUTSIDE_PORT 40404

/* Tells everybody the same address, and has no relays to give. */
typedef struct {
  GSocket *socket;
  GSource *source;
  unsigned n_bindings, n_allocations;
  bool is_silent;
} StunServer;

static void
answer_binding (GSocket *socket, GSocketAddress *peer, const uint8_t *request)
{
  uint8_t answer[STUN_HEADER_SIZE + 12] = { 0x01, 0x01, 0, 12 };
  const uint8_t mapped_address[12] = { 0, 1, 0, 8, 0, 1, OUTSIDE_PORT >> 8, OUTSIDE_PORT & 0xff,
    198, 51, 100, 9 };

  memcpy (answer + 4, request + 4, 16);
  memcpy (answer + STUN_HEADER_SIZE, mapped_address, sizeof mapped_address);
  g_socket_send_to (socket, peer, (const char *) answer, sizeof answer, NULL, NULL);
}

static gboolean
on_stun_request (GSocket *socket, GIOCondition condition G_GNUC_UNUSED, void *data)
{
  StunServer *server = data;
  g_autoptr (GSocketAddress) peer = NULL;
  uint8_t request[1500];
  gssize size = g_socket_receive_from (socket, &peer, (char *) request, sizeof request, NULL, NULL);

  if (size < STUN_HEADER_SIZE)
    return G_SOURCE_CONTINUE;
  switch (request[0] << 8 | request[1]) {
  case STUN_BINDING_REQUEST:
    server->n_bindings++;
    if (!server->is_silent)
      answer_binding (socket, peer, request);
    break;
  case STUN_ALLOCATE_REQUEST:
    server->n_allocations++;
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

static unsigned
start_stun_server (StunServer *server)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any_port = g_inet_socket_address_new (loopback, 0);

  *server = (StunServer){ .socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                              G_SOCKET_PROTOCOL_UDP, &error) };
  g_assert_no_error (error);
  g_socket_bind (server->socket, any_port, FALSE, &error);
  g_assert_no_error (error);
  server->source = g_socket_create_source (server->socket, G_IO_IN, NULL);
  g_source_set_callback (server->source, G_SOURCE_FUNC (on_stun_request), server, NULL);
  g_source_attach (server->source, NULL);
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (server->socket, &error);
  g_assert_no_error (error);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static void
stop_stun_server (StunServer *server)
{
  g_source_destroy (server->source);
  g_source_unref (server->source);
  g_object_unref (server->socket);
}

/* A router reads its settings when it is made. */
static void
set_up_again (RouterRig *fixture, const char *key, const char *url_of_port, unsigned port)
{
  g_autofree char *setting = g_strdup_printf ("%s=%s:%u", key, url_of_port, port);

  router_rig_tear_down (fixture, NULL);
  *fixture = (RouterRig){ 0 };
  router_rig_set_up (fixture, setting);
}

static bool
has_outside_address (RouterRig *fixture, const char *answer)
{
  g_autofree char *all = g_strconcat (answer, "\n", fixture->local_candidates->str, NULL);
  g_autoptr (GPtrArray) found = find_candidates (all, "srflx");

  for (unsigned i = 0; i < found->len; i++)
    if (strcmp (((char **) found->pdata[i])[4], OUTSIDE_ADDRESS) == 0)
      return true;
  return false;
}

static void
tells_what_a_stun_server_says (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  StunServer server;

  set_up_again (fixture, "media.stun-server", "stun://127.0.0.1", start_stun_server (&server));
  FakeBrowser *browser = router_rig_publish_and_tell (fixture, FAKE_AUDIO, &text);
  WAIT_UNTIL (has_outside_address (fixture, text));
  g_assert_cmpuint (server.n_bindings, >, 0);
  fake_browser_free (browser);
  stop_stun_server (&server);
}

/* media.gather-timeout-ms bounds what the client waits for; what comes later is told later. */
static void
answers_before_a_slow_stun_server (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *text = NULL;
  StunServer server;

  set_up_again (fixture, "media.stun-server", "stun://127.0.0.1", start_stun_server (&server));
  server.is_silent = true;
  FakeBrowser *browser = router_rig_publish_and_tell (fixture, FAKE_AUDIO, &text);
  WAIT_UNTIL (server.n_bindings > 0);
  g_assert_false (has_outside_address (fixture, text));
  server.is_silent = false; /* it is asked again and again */
  WAIT_UNTIL (has_outside_address (fixture, text));
  g_assert_null (strstr (text, OUTSIDE_ADDRESS));
  fake_browser_free (browser);
  stop_stun_server (&server);
}

static void
asks_a_turn_server_for_a_relay (RouterRig *fixture, const void *data G_GNUC_UNUSED)
{
  StunServer server;

  set_up_again (fixture, "media.turn-server", "turn://user:password@127.0.0.1",
      start_stun_server (&server));
  FakeBrowser *browser = router_rig_publish (fixture, FAKE_AUDIO);
  WAIT_UNTIL (server.n_allocations > 0);
  fake_browser_free (browser);
  stop_stun_server (&server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, setting, function)                                                               \
  g_test_add ("/router-addresses/" name, RouterRig, setting, router_rig_set_up, function,          \
      router_rig_tear_down)
  ADD ("keeps-to-its-ports", "media.min-port=30100 media.max-port=30109", keeps_to_its_ports);
  ADD ("names-the-external-address", "media.external-address=203.0.113.7",
      names_the_external_address);
  ADD ("tells-what-a-stun-server-says", NULL, tells_what_a_stun_server_says);
  ADD ("answers-before-a-slow-stun-server", NULL, answers_before_a_slow_stun_server);
  ADD ("asks-a-turn-server-for-a-relay", NULL, asks_a_turn_server_for_a_relay);
  return g_test_run ();
}
