/* seat.c - a participant's place, which outlives its socket for a while. */
#define G_LOG_DOMAIN "rec.signal.seat"
#include "base/log.h"
#include "signal/private.h"

#include <string.h>

RecSeat *
rec_seat_new (RecSignalClient *client, RecParticipant *participant, const RecDialect *dialect)
{
  RecSeat *seat = g_new0 (RecSeat, 1);

  seat->server = client->server;
  seat->participant = participant;
  seat->client = client;
  seat->dialect = dialect;
  g_queue_init (&seat->outbox);
  client->seat = seat;
  participant->signal_client = seat;
  g_hash_table_insert (client->server->seats, g_strdup (participant->rpc_id), seat);
  return seat;
}

static void
empty_outbox (RecSeat *seat)
{
  g_queue_clear_full (&seat->outbox, g_free);
  seat->outbox_bytes = 0;
}

void
rec_seat_free (RecSeat *seat)
{
  if (seat->client != NULL)
    seat->client->seat = NULL;
  seat->participant->signal_client = NULL;
  empty_outbox (seat);
  g_free (seat);
}

RecSeat *
rec_seat_find (RecSignalServer *server, const char *rpc_id)
{
  return g_hash_table_lookup (server->seats, rpc_id);
}

RecSeat *
rec_seat_of (const RecParticipant *participant)
{
  return participant->signal_client;
}

static void
detach_client (RecSeat *seat)
{
  seat->client->seat = NULL;
  seat->last_heard_us = seat->client->last_heard_us;
  seat->client = NULL;
}

void
rec_seat_lose_client (RecSeat *seat)
{
  RecSignalServer *server = seat->server;

  rec_log_with (G_LOG_LEVEL_INFO,
      (&(RecLogFields){
          .session = seat->participant->session->id, .participant = seat->participant->id }),
      "participant lost its connection");
  detach_client (seat);
  seat->lost_at_us = rec_signal_server_now_us (server);
  if (!seat->dialect->comes_back || rec_seat_is_overdue (seat, seat->lost_at_us))
    rec_registry_leave (server->registry, seat->participant, "networkDisconnect");
}

bool
rec_seat_is_overdue (const RecSeat *seat, int64_t now_us)
{
  const RecSignalServer *server = seat->server;

  return seat->client == NULL && (now_us - seat->lost_at_us >= server->reconnect_timeout_us ||
                                     now_us - seat->last_heard_us >= server->silence_timeout_us ||
                                     seat->outbox_bytes > server->max_queue_bytes);
}

void
rec_seat_take_client (RecSeat *seat, RecSignalClient *client)
{
  if (seat->client == client)
    return;
  if (seat->client != NULL) {
    RecSignalClient *old = seat->client;
    detach_client (seat);
    rec_signal_client_close (old, "replaced by a newer connection");
  }
  seat->client = client;
  client->seat = seat;
  rec_log_with (G_LOG_LEVEL_INFO,
      (&(RecLogFields){
          .session = seat->participant->session->id, .participant = seat->participant->id }),
      "participant is back on a new connection");
}

void
rec_seat_flush (RecSeat *seat)
{
  for (const GList *at = seat->outbox.head; at != NULL; at = at->next)
    rec_signal_client_send (seat->client, at->data);
  empty_outbox (seat);
}

void
rec_seat_notify (RecSeat *seat, const char *method, RecJson *params)
{
  g_autofree char *text = rec_rpc_make_notification (method, json_object_get (params));

  if (seat->client != NULL) {
    rec_signal_client_send (seat->client, text);
    return;
  }
  /* One text beyond the limit makes the seat overdue, nothing is kept after it. */
  if (seat->outbox_bytes > seat->server->max_queue_bytes)
    return;
  seat->outbox_bytes += strlen (text);
  g_queue_push_tail (&seat->outbox, g_steal_pointer (&text));
}
