/* outbox.h - the thread on which events leave: into the CDR file, and to the webhook receiver. */
#ifndef REC_EVENTS_OUTBOX_H
#define REC_EVENTS_OUTBOX_H

#include <glib.h>

#include "base/types.h"

typedef struct RecOutbox RecOutbox;

typedef struct {
  bool has_cdr, has_webhook;
  uint64_t dropped; /* events: more came than the disk took */
  uint64_t cdr_written, cdr_lost;
  uint64_t webhook_delivered, webhook_failed, webhook_given_up; /* events, attempts, events */
  uint64_t webhook_waiting;
  int64_t webhook_bytes;
} RecOutboxStats;

/* Opens what openvidu.cdr and openvidu.webhook ask for; at least one of them is on. [main] */
RecOutbox *rec_outbox_new (const RecConfig *config, GError **error);
/* Writes what is left to the disk, delivers for a moment, and ends the thread. [main] */
void rec_outbox_free (RecOutbox *outbox);

/* Whether the receiver of the webhook wants events of this name. [any] */
bool rec_outbox_wants (const RecOutbox *outbox, const char *name);
/* Takes both texts; each may be NULL. Never waits. [any] */
void rec_outbox_push (RecOutbox *outbox, char *cdr_line, char *webhook_body);
/* Opens the CDR file anew, after what was pushed before. [any] */
void rec_outbox_reopen (RecOutbox *outbox);
void rec_outbox_get_stats (RecOutbox *outbox, RecOutboxStats *stats); /* [any] */

#endif
