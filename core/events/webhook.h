/* webhook.h - delivers the texts of a spool to one HTTP receiver, in order, one at a time, until it takes them.
 *
 * Everything here belongs to one thread, which calls rec_webhook_work and then waits on the multi handle. */
#ifndef REC_EVENTS_WEBHOOK_H
#define REC_EVENTS_WEBHOOK_H

#include <curl/curl.h>
#include <glib.h>

#include "base/types.h"
#include "events/spool.h"

typedef struct RecWebhook RecWebhook;

typedef struct {
  uint64_t delivered, failed, given_up; /* texts, attempts, texts */
} RecWebhookStats;

/* Reads the openvidu.webhook and events settings; none of config is kept. multi is borrowed and outlives it.
 * Made on any thread; INVALID_ARGUMENT for an endpoint, headers or events that cannot be used. */
RecWebhook *rec_webhook_new (const RecConfig *config, CURLM *multi, GError **error);
/* Whether the settings can be used, without using them. */
bool rec_webhook_check (const RecConfig *config, GError **error);
/* What is on its way is taken back; it stays in the spool. */
void rec_webhook_free (RecWebhook *webhook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecWebhook, rec_webhook_free)

/* Keeps body for delivery. */
void rec_webhook_add (RecWebhook *webhook, const char *body);
/* Whether the receiver wants events of this name. [any] */
bool rec_webhook_wants (const RecWebhook *webhook, const char *name);

/* Takes what has been answered, and sends the next one when its time has come. now_us: of a clock that never goes back.
 * Returns how many ms until it wants to be called again, whatever the multi handle says; -1: not before there is more. */
int rec_webhook_work (RecWebhook *webhook, int64_t now_us);
/* Nothing waits, or the receiver does not take anything at the moment. */
bool rec_webhook_is_stuck_or_idle (const RecWebhook *webhook);

void rec_webhook_get_stats (const RecWebhook *webhook, RecWebhookStats *stats);
const RecSpool *rec_webhook_get_spool (const RecWebhook *webhook);

/* "sha256=" and HMAC-SHA256 of body in hexadecimal digits. Free it. */
char *rec_webhook_sign (const char *key, const char *body);

/* The headers that a setting names: a JSON array of strings, or strings separated by commas; NULL when one of them is not
 * "Name: value". Free it with g_strfreev. */
char **rec_webhook_parse_list (const char *text, GError **error);

#endif
