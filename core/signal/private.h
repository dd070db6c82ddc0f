/* private.h - clients (sockets), seats (participants) and the handlers of requests: shared by core/signal alone. [main]
 *
 * A seat lives as long as its participant and may change its client: that is how one comes back after a loss. */
#ifndef REC_SIGNAL_PRIVATE_H
#define REC_SIGNAL_PRIVATE_H

#include "session/registry.h"
#include "signal/dialect.h"
#include "signal/jsonrpc.h"
#include "signal/signal.h"

typedef struct RecSeat RecSeat;

/* Microseconds that only grow; tests give their own. */
typedef int64_t (*RecSignalClock) (void *data);

struct RecSignalServer {
  const RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecSignalClock clock;
  void *clock_data;
  GPtrArray *clients;       /* of RecSignalClient, owned */
  GHashTable *seats;        /* RPC id -> RecSeat, owned */
  GHashTable *negotiations; /* set of RecNegotiation: answers that the router owes */
  uint64_t n_accepted;
  guint timer;
  size_t max_message_bytes, max_queue_bytes;
  int64_t ping_timeout_us, reconnect_timeout_us, silence_timeout_us;
};

struct RecSignalClient {
  RecSignalServer *server;
  RecSignalTransport transport;
  void *transport_data;
  uint64_t serial;
  char *query; /* NULL when none */
  char *ip;
  RecSeat *seat; /* NULL before joining and after leaving */
  int64_t last_heard_us;
  int64_t ping_timeout_us;
  int64_t close_at_us; /* 0: not to be closed */
  bool is_closing;
};

struct RecSeat {
  RecSignalServer *server;
  RecParticipant *participant; /* borrowed; the seat goes when it leaves */
  RecSignalClient *client;     /* NULL while lost */
  const RecDialect *dialect;
  bool leaves_by_itself; /* need not be told of its own end */
  int64_t lost_at_us, last_heard_us;
  GQueue outbox; /* of char *: what was said while lost */
  size_t outbox_bytes;
};

/* --- signal.c: clients and time ---------------------------------------------------------------------------- */

void rec_signal_server_set_clock (RecSignalServer *server, RecSignalClock clock, void *data);
/* Ends what is overdue; runs on a timer. */
void rec_signal_server_tick (RecSignalServer *server);
int64_t rec_signal_server_now_us (const RecSignalServer *server);

void rec_signal_client_send (RecSignalClient *client, const char *text);
/* result is taken and gets the RPC id. */
void rec_signal_client_answer (RecSignalClient *client, RecJson *id, RecJson *result);
void rec_signal_client_answer_error (RecSignalClient *client, RecJson *id, const GError *error);
void rec_signal_client_close (RecSignalClient *client, const char *reason);
/* The client is expected to close by itself; makes sure of it. */
void rec_signal_client_close_later (RecSignalClient *client);

/* --- seat.c ------------------------------------------------------------------------------------------------- */

RecSeat *rec_seat_new (RecSignalClient *client, RecParticipant *participant,
    const RecDialect *dialect);
void rec_seat_free (RecSeat *seat);
RecSeat *rec_seat_find (RecSignalServer *server, const char *rpc_id);
/* NULL for those who have no client of ours (IP cameras, somebody just joining). */
RecSeat *rec_seat_of (const RecParticipant *participant);
/* Its socket is gone: it may come back, or leaves now. The seat may be freed. */
void rec_seat_lose_client (RecSeat *seat);
void rec_seat_take_client (RecSeat *seat, RecSignalClient *client);
void rec_seat_flush (RecSeat *seat);
bool rec_seat_is_overdue (const RecSeat *seat, int64_t now_us);
/* params is borrowed. */
void rec_seat_notify (RecSeat *seat, const char *method, RecJson *params);

/* --- describe.c: what clients are told of participants and streams -------------------------------------------- */

RecJson *rec_describe_stream (const RecStreamInfo *stream, const RecDialect *dialect);
RecJson *rec_describe_participant (const RecParticipant *participant, const RecDialect *dialect);
RecJson *rec_describe_session (const RecParticipant *self, const RecDialect *dialect);
/* Whether role and configuration let it know of recordings. */
bool rec_may_hear_of_recordings (const RecConfig *config, const RecParticipant *participant);

/* --- notify.c ------------------------------------------------------------------------------------------------ */

extern const RecRegistryEvents rec_notify_events; /* data: RecSignalServer */

/* --- requests: an answer; or NULL and an error; or NULL and the answer comes later --------------------------- */

typedef RecJson *(*RecSignalHandler) (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);

typedef struct {
  const char *name;
  RecSignalHandler handle;
  const RecJsonField *fields; /* of its params; NULL: anything */
  bool needs_seat;
} RecSignalMethod;

const RecSignalMethod *rec_signal_method_find (const char *name);

RecJson *rec_handle_ping (RecSignalClient *client, const RecRpcRequest *request, GError **error);
RecJson *rec_handle_connect (RecSignalClient *client, const RecRpcRequest *request, GError **error);
RecJson *rec_handle_join_room (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_leave_room (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_close_session (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);

RecJson *rec_handle_publish_video (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_unpublish_video (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_receive_video_from (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_unsubscribe_from_video (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_reconnect_stream (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_on_ice_candidate (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);

RecJson *rec_handle_send_message (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_stream_property_changed (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_force_disconnect (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_force_unpublish (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_filter (RecSignalClient *client, const RecRpcRequest *request, GError **error);
RecJson *rec_handle_filter_listener (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_speech_to_text (RecSignalClient *client, const RecRpcRequest *request,
    GError **error);
RecJson *rec_handle_nothing (RecSignalClient *client, const RecRpcRequest *request, GError **error);

/* --- media.c: the router's side ------------------------------------------------------------------------------ */

void rec_negotiations_free (RecSignalServer *server);
void rec_signal_take_router_events (RecSignalServer *server);
void rec_signal_drop_router_events (RecSignalServer *server);

#endif
