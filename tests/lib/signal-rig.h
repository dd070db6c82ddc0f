/* signal-rig.h - a signalling server without sockets: clients that take notes, clocks that the test moves. */
#ifndef RECTO_TESTS_SIGNAL_RIG_H
#define RECTO_TESTS_SIGNAL_RIG_H

#include "base/config.h"
#include "base/json.h"
#include "media/router.h"
#include "session/registry.h"
#include "signal/private.h"

typedef struct RigClient RigClient;

typedef struct {
  RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecSignalServer *server;
  GPtrArray *clients; /* of RigClient, owned */
  int64_t now_us;     /* both clocks */
} SignalRig;

struct RigClient {
  SignalRig *rig;
  RecSignalClient *client; /* NULL after rig_client_drop */
  GPtrArray *inbox;        /* of RecJson: whole messages in order of arrival */
  int64_t next_id;
  uint16_t close_code; /* 0: the server hasn't closed it */
  char *close_reason;
  char *id; /* connection id, after joining */
};

/* settings: "key=value", NULL at the end, or NULL. */
SignalRig *signal_rig_new (const char *const *settings);
void signal_rig_free (SignalRig *rig);
/* Moves the clocks in steps of half a second, each with its tick. */
void signal_rig_advance (SignalRig *rig, double seconds);
RecSession *signal_rig_create_session (SignalRig *rig, const char *id);
/* The text of a new token. Free it. */
char *signal_rig_make_token (RecSession *session, RecRole role, const char *server_data);

RigClient *rig_client_new (SignalRig *rig, const char *query);
/* The socket is gone, without a word. */
void rig_client_drop (RigClient *client);
void rig_client_send_text (RigClient *client, const char *text);
/* params: JSON text or NULL; gives the request's id. */
int64_t rig_client_send (RigClient *client, const char *method, const char *params);
int64_t rig_client_send_json (RigClient *client, const char *method, RecJson *params);
/* The answer to a request, when it comes: the result, which must be one. Free it. */
RecJson *rig_client_wait (RigClient *client, int64_t id);
/* The same, but it must be an error: its code. */
int rig_client_wait_error (RigClient *client, int64_t id);
RecJson *rig_client_call (RigClient *client, const char *method, const char *params);
int rig_client_call_error (RigClient *client, const char *method, const char *params);
/* The params of the first notification of that name, out of the inbox, or NULL. Free it. */
RecJson *rig_client_take (RigClient *client, const char *method);
/* What lies in the inbox, in order: "#ID" for answers, names of notifications. Empties it. */
char *rig_client_list (RigClient *client);

/* Joins with a token and forgets what the others were told; the result. Free it. */
RecJson *rig_client_join (RigClient *client, RecSession *session, RecRole role, const char *extra);

/* Exactly these keys, separated by spaces, in any order. */
void rig_assert_keys (RecJson *object, const char *keys);
void rig_assert_string (RecJson *object, const char *name, const char *expected);
/* What rig_client_list gives. */
void rig_assert_list (RigClient *client, const char *expected);
/* Nothing but the RPC id is answered. */
void rig_assert_empty_result (RigClient *client, const char *method, const char *params);

/* What a Chromium offers. */
typedef enum {
  RIG_OFFER_AUDIO = 1,
  RIG_OFFER_VIDEO = 2,
} RigOfferKind;
char *rig_make_offer (unsigned kinds, const char *direction);

#endif
