/* fuzz-signal.c - JSON-RPC of clients of both eras, joined or not, to the real signalling server.
 *
 * Each line of an input is an act. Its first byte chooses the client (0 and 1 are joined and of the new era, 2 is joined
 * and of the old one, 3 has just come), or is `t`: five seconds go by, or `d`: client 0 loses its socket. The rest is the
 * message, in which @T stands for an unused token, @0 to @2 for connection ids. The rig asserts that all answers are
 * JSON-RPC and that nothing is said behind a close. */
#include "fuzz/fuzz.h"

#include "lib/signal-rig.h"

#include <string.h>

#define MAX_LINES 24
#define MAX_MESSAGE_BYTES 65536

static SignalRig *rig; /* one for all inputs: clients and sessions are new for each */

static const char *const settings[] = { "openvidu.recording=true", NULL };

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  fuzz_begin ();
  rig = signal_rig_new (settings);
  return 0;
}

static char *
fill_in (const char *text, RecSession *session)
{
  GString *filled = g_string_new (NULL);

  for (; *text != '\0' && filled->len < MAX_MESSAGE_BYTES; text++) {
    if (text[0] != '@' || text[1] == '\0' || strchr ("T012", text[1]) == NULL) {
      g_string_append_c (filled, *text);
      continue;
    }
    text++;
    if (*text != 'T') {
      const RigClient *client = rig->clients->pdata[*text - '0'];
      g_string_append (filled, client->id);
    } else if (session != NULL && !session->is_closing) {
      g_autofree char *token = signal_rig_make_token (session, REC_ROLE_PUBLISHER, "data");
      g_string_append (filled, token);
    }
  }
  return g_string_free (filled, FALSE);
}

static void
act (const char *line)
{
  if (*line == 't') {
    signal_rig_advance (rig, 5);
    return;
  }
  RigClient *client = rig->clients->pdata[*line == 'd' ? 0 : *line & 3];
  if (client->client == NULL)
    return;
  if (*line == 'd') {
    rig_client_drop (client);
  } else if (*line != '\0' && client->close_code == 0) {
    g_autofree char *text = fill_in (line + 1, rec_registry_find_session (rig->registry, "fuzz"));
    rig_client_send_text (client, text);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  RecSession *session = signal_rig_create_session (rig, "fuzz");
  static const RecRole roles[] = { REC_ROLE_MODERATOR, REC_ROLE_PUBLISHER, REC_ROLE_SUBSCRIBER };

  for (unsigned i = 0; i < G_N_ELEMENTS (roles); i++)
    json_object_put (rig_client_join (rig_client_new (rig, NULL), session, roles[i],
        i < 2 ? "\"sdkVersion\":\"2.32.0\",\"platform\":\"Chrome\"" : NULL));
  rig_client_new (rig, "sessionId=fuzz");
  for (unsigned i = 0; i < MAX_LINES; i++) {
    g_autofree char *line = fuzz_take_line (&data, &size);
    if (line == NULL)
      break;
    act (line);
    fuzz_run_loop ();
  }
  GPtrArray *sessions = rec_registry_get_sessions (rig->registry);
  while (sessions->len > 0)
    rec_registry_close_session (rig->registry, sessions->pdata[0], "openviduServerStopped");
  g_ptr_array_set_size (rig->clients, 0);
  return 0;
}
