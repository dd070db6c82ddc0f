/* webhook.c - posts one event after the other, again and again with growing pauses while the receiver is away. */
#define G_LOG_DOMAIN "rec.events.webhook"
#include "events/webhook.h"

#include <inttypes.h>
#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "events/facts.h"

/* What was given up is told at once, then no more often than this. */
#define LOSS_LOG_US (10 * G_USEC_PER_SEC)
#define MAX_LIST 100

struct RecWebhook {
  CURLM *multi; /* borrowed */
  CURL *easy;
  struct curl_slist *fixed; /* headers that never change */
  char *receiver;           /* scheme, host and port, for the log */
  char *key;                /* of the signature; "" for none */
  char **events;            /* names; empty: all */
  RecSpool *spool;
  int64_t retry_min_ms, retry_max_ms, max_attempts;

  struct {
    struct curl_slist *headers;
    uint64_t number; /* 0: nothing is on its way */
  } sending;
  uint64_t attempted; /* the number that `refusals` is about */
  int64_t refusals;
  int64_t pause_ms, due_us; /* 0: the last attempt went well */
  RecSpoolLoss loss;        /* not told of yet */
  int64_t loss_told_us;
  RecWebhookStats stats;
};

char *
rec_webhook_sign (const char *key, const char *body)
{
  g_autofree char *digest = g_compute_hmac_for_data (G_CHECKSUM_SHA256, (const guchar *) key,
      strlen (key), (const guchar *) body, strlen (body));

  return g_strconcat ("sha256=", digest, NULL);
}

/* --- settings ------------------------------------------------------------------------------------------------ */

static bool
take_json_list (const char *text, GPtrArray *list, GError **error)
{
  g_autoptr (RecJson) array = rec_json_parse (text, strlen (text), strlen (text), error);

  if (array == NULL)
    return false;
  for (size_t i = 0; i < json_object_array_length (array); i++) {
    RecJson *member = json_object_array_get_idx (array, i);
    if (!json_object_is_type (member, json_type_string)) {
      g_set_error_literal (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
          "expected an array of strings");
      return false;
    }
    g_ptr_array_add (list, g_strdup (json_object_get_string (member)));
  }
  return true;
}

char **
rec_webhook_parse_list (const char *text, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) parts = g_strsplit (*text == '[' ? "" : text, ",", -1);

  if (*text == '[' && !take_json_list (text, list, error))
    return NULL;
  for (size_t i = 0; parts[i] != NULL; i++)
    if (*g_strstrip (parts[i]) != '\0')
      g_ptr_array_add (list, g_strdup (parts[i]));
  if (list->len > MAX_LIST) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "expected at most %d members",
        MAX_LIST);
    return NULL;
  }
  g_ptr_array_add (list, NULL);
  g_ptr_array_set_free_func (list, NULL);
  return (char **) g_ptr_array_steal (list, NULL);
}

static bool
is_header (const char *text)
{
  const char *colon = strchr (text, ':');

  if (colon == NULL || colon == text)
    return false;
  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c) || (c < colon && g_ascii_isspace (*c)))
      return false;
  return true;
}

static bool
refuse (GError **error, const char *key, const char *expected)
{
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT, "%s: expected %s", key, expected);
  return false;
}

static bool
take_headers (RecWebhook *webhook, const RecConfig *config, GError **error)
{
  const char *key = "openvidu.webhook.headers";
  g_auto (GStrv) headers = rec_webhook_parse_list (rec_config_get_string (config, key), NULL);

  if (headers == NULL)
    return refuse (error, key, "\"Name: value\", separated by commas, or a JSON array of those");
  webhook->fixed = curl_slist_append (NULL, "Content-Type: application/json");
  webhook->fixed = curl_slist_append (webhook->fixed, "Expect:"); /* no 100-continue */
  for (size_t i = 0; headers[i] != NULL; i++) {
    if (!is_header (headers[i]))
      return refuse (error, key, "each header to be \"Name: value\"");
    webhook->fixed = curl_slist_append (webhook->fixed, headers[i]);
  }
  return true;
}

static bool
take_events (RecWebhook *webhook, const RecConfig *config, GError **error)
{
  const char *key = "openvidu.webhook.events";
  g_autofree char *names = g_strjoinv (", ", (char **) rec_fact_names);

  webhook->events = rec_webhook_parse_list (rec_config_get_string (config, key), NULL);
  if (webhook->events == NULL)
    return refuse (error, key, "names of events, separated by commas, or a JSON array of those");
  for (size_t i = 0; webhook->events[i] != NULL; i++)
    if (!g_strv_contains (rec_fact_names, webhook->events[i]))
      return refuse (error, key, names);
  return true;
}

static bool
take_endpoint (RecWebhook *webhook, const RecConfig *config, GError **error)
{
  const char *key = "openvidu.webhook.endpoint";
  const char *url = rec_config_get_string (config, key);
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_PARSE_RELAXED, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";

  if ((strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0) ||
      g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return refuse (error, key, "an http:// or https:// URL, because openvidu.webhook is true");
  webhook->receiver = g_strdup_printf ("%s://%s", scheme, g_uri_get_host (uri));
  if (g_uri_get_port (uri) > 0) {
    g_autofree char *host = g_steal_pointer (&webhook->receiver);
    webhook->receiver = g_strdup_printf ("%s:%d", host, g_uri_get_port (uri));
  }
  return curl_easy_setopt (webhook->easy, CURLOPT_URL, url) == CURLE_OK;
}

static size_t
discard (char *data G_GNUC_UNUSED, size_t size, size_t n, void *user G_GNUC_UNUSED)
{
  return size * n;
}

static void
set_options (CURL *easy, const RecConfig *config)
{
  const bool verifies = rec_config_get_bool (config, "events.webhook-verify");

  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_TIMEOUT_MS,
      (long) rec_config_get_int (config, "events.webhook-timeout-ms"));
  curl_easy_setopt (easy, CURLOPT_SSL_VERIFYPEER, verifies ? 1L : 0L);
  curl_easy_setopt (easy, CURLOPT_SSL_VERIFYHOST, verifies ? 2L : 0L);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt (easy, CURLOPT_USERAGENT, "recto/" REC_VERSION);
}

static RecWebhook *
new_configured (const RecConfig *config, GError **error)
{
  g_autoptr (RecWebhook) webhook = g_new0 (RecWebhook, 1);

  webhook->easy = curl_easy_init ();
  if (webhook->easy == NULL) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_FAILED, "libcurl cannot be used");
    return NULL;
  }
  if (!take_endpoint (webhook, config, error) || !take_headers (webhook, config, error) ||
      !take_events (webhook, config, error))
    return NULL;
  return g_steal_pointer (&webhook);
}

bool
rec_webhook_check (const RecConfig *config, GError **error)
{
  if (!rec_config_get_bool (config, "openvidu.webhook"))
    return true;
  g_autoptr (RecWebhook) webhook = new_configured (config, error);
  return webhook != NULL;
}

RecWebhook *
rec_webhook_new (const RecConfig *config, CURLM *multi, GError **error)
{
  g_autoptr (RecWebhook) webhook = new_configured (config, error);
  const char *state = rec_config_get_string (config, "server.state-directory");
  g_autofree char *folder = g_build_filename (state, "webhook", NULL);

  if (webhook == NULL)
    return NULL;
  webhook->multi = multi;
  set_options (webhook->easy, config);
  webhook->key = g_strdup (rec_config_get_string (config, "events.webhook-secret"));
  webhook->retry_min_ms = rec_config_get_int (config, "events.webhook-retry-min-ms");
  webhook->retry_max_ms = rec_config_get_int (config, "events.webhook-retry-max-ms");
  webhook->max_attempts = rec_config_get_int (config, "events.webhook-max-refusals");
  webhook->spool = rec_spool_new (folder, rec_config_get_int (config, "events.spool-bytes"), error);
  if (webhook->spool == NULL)
    return NULL;
  if (rec_spool_count (webhook->spool) > 0)
    g_message ("%" PRIu64 " events from before wait for %s", rec_spool_count (webhook->spool),
        webhook->receiver);
  return g_steal_pointer (&webhook);
}

bool
rec_webhook_wants (const RecWebhook *webhook, const char *name)
{
  return webhook->events[0] == NULL ||
         g_strv_contains ((const char *const *) webhook->events, name);
}

/* --- what is given up ------------------------------------------------------------------------------------------ */

static void
tell_loss (RecWebhook *webhook, int64_t now_us)
{
  const RecSpoolLoss *loss = &webhook->loss;

  if (loss->count == 0 || now_us - webhook->loss_told_us < LOSS_LOG_US)
    return;
  g_warning ("%" PRIu64 " events for %s were given up, of the numbers %" PRIu64 " to %" PRIu64
             ": it refused them, or they were the oldest when events.spool-bytes was reached",
      loss->count, webhook->receiver, loss->first, loss->last);
  webhook->loss = (RecSpoolLoss){ 0 };
  webhook->loss_told_us = now_us;
}

static void
note_loss (RecWebhook *webhook, const RecSpoolLoss *loss)
{
  if (webhook->loss.count == 0)
    webhook->loss.first = loss->first;
  webhook->loss.last = loss->last;
  webhook->loss.count += loss->count;
  webhook->stats.given_up += loss->count;
}

static void
take_spool_loss (RecWebhook *webhook)
{
  RecSpoolLoss loss;

  if (rec_spool_take_loss (webhook->spool, &loss))
    note_loss (webhook, &loss);
}

void
rec_webhook_add (RecWebhook *webhook, const char *body)
{
  g_autoptr (GError) error = NULL;

  if (!rec_spool_append (webhook->spool, body, &error)) {
    g_warning ("an event for %s is lost: %s", webhook->receiver, error->message);
    webhook->stats.given_up++;
  }
  take_spool_loss (webhook);
}

/* --- sending --------------------------------------------------------------------------------------------------- */

static void
end_request (RecWebhook *webhook)
{
  if (webhook->sending.number == 0)
    return;
  curl_multi_remove_handle (webhook->multi, webhook->easy);
  g_clear_pointer (&webhook->sending.headers, curl_slist_free_all);
  webhook->sending.number = 0;
}

static void
add_header (RecWebhook *webhook, const char *name, const char *value)
{
  g_autofree char *line = g_strdup_printf ("%s: %s", name, value);

  webhook->sending.headers = curl_slist_append (webhook->sending.headers, line);
}

static void
make_headers (RecWebhook *webhook, uint64_t number, const char *body)
{
  g_autofree char *delivery = g_strdup_printf ("%" PRIu64, number);

  for (struct curl_slist *item = webhook->fixed; item != NULL; item = item->next)
    webhook->sending.headers = curl_slist_append (webhook->sending.headers, item->data);
  add_header (webhook, "X-Recto-Delivery", delivery);
  if (*webhook->key != '\0') {
    g_autofree char *signature = rec_webhook_sign (webhook->key, body);
    add_header (webhook, "X-Recto-Signature", signature);
  }
}

static void
pause_sending (RecWebhook *webhook, int64_t now_us)
{
  webhook->pause_ms = webhook->pause_ms == 0 ? webhook->retry_min_ms : webhook->pause_ms * 2;
  webhook->pause_ms = MIN (webhook->pause_ms, webhook->retry_max_ms);
  webhook->due_us = now_us + webhook->pause_ms * 1000;
}

/* Pauses where the next event cannot be read now. */
static void
send_next (RecWebhook *webhook, int64_t now_us)
{
  uint64_t number;
  const char *body = rec_spool_peek (webhook->spool, &number);

  take_spool_loss (webhook);
  if (body == NULL) {
    if (rec_spool_count (webhook->spool) > 0)
      pause_sending (webhook, now_us);
    return;
  }
  webhook->sending.number = number;
  make_headers (webhook, number, body);
  curl_easy_setopt (webhook->easy, CURLOPT_HTTPHEADER, webhook->sending.headers);
  curl_easy_setopt (webhook->easy, CURLOPT_POSTFIELDSIZE, (long) strlen (body));
  curl_easy_setopt (webhook->easy, CURLOPT_COPYPOSTFIELDS, body);
  curl_multi_add_handle (webhook->multi, webhook->easy);
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static void
succeed (RecWebhook *webhook, uint64_t number)
{
  webhook->stats.delivered++;
  rec_spool_pop (webhook->spool, number);
  if (webhook->pause_ms > 0)
    g_message ("%s takes events again, %" PRIu64 " are waiting", webhook->receiver,
        rec_spool_count (webhook->spool));
  webhook->pause_ms = 0;
}

/* These say no to this very event, and the next one may be taken. Any other answer is as good as none: a proxy without its
 * receiver, a page that asks for patience or a password that was changed cost no event. */
static bool
is_refusal (long status)
{
  return status == 400 || status == 409 || status == 413 || status == 422;
}

static void
fail_attempt (RecWebhook *webhook, uint64_t number, long status, const char *why, int64_t now_us)
{
  const bool was_fine = webhook->pause_ms == 0;

  webhook->stats.failed++;
  if (webhook->attempted != number)
    webhook->refusals = 0;
  webhook->attempted = number;
  if (is_refusal (status) && ++webhook->refusals >= webhook->max_attempts) {
    const RecSpoolLoss loss = { number, number, 1 };
    g_info ("event %" PRIu64 " is given up: %s answered %ld", number, webhook->receiver, status);
    note_loss (webhook, &loss);
    rec_spool_pop (webhook->spool, number);
    return;
  }
  pause_sending (webhook, now_us);
  if (was_fine)
    g_warning ("cannot deliver event %" PRIu64 " to %s: %s; %" PRIu64
               " events wait, and are tried again",
        number, webhook->receiver, why, rec_spool_count (webhook->spool));
}

static void
take_result (RecWebhook *webhook, CURLcode result, int64_t now_us)
{
  const uint64_t number = webhook->sending.number;
  long status = 0;

  curl_easy_getinfo (webhook->easy, CURLINFO_RESPONSE_CODE, &status);
  end_request (webhook);
  if (result == CURLE_PEER_FAILED_VERIFICATION) {
    fail_attempt (webhook, number, 0,
        "its certificate is not trusted (events.webhook-verify = false takes any)", now_us);
  } else if (result != CURLE_OK) {
    fail_attempt (webhook, number, 0, curl_easy_strerror (result), now_us);
  } else if (status >= 200 && status < 300) {
    succeed (webhook, number);
  } else {
    g_autofree char *why = g_strdup_printf ("it answered %ld", status);
    fail_attempt (webhook, number, status, why, now_us);
  }
}

int
rec_webhook_work (RecWebhook *webhook, int64_t now_us)
{
  CURLMsg *message;
  int n_running, n_messages;

  curl_multi_perform (webhook->multi, &n_running);
  while ((message = curl_multi_info_read (webhook->multi, &n_messages)) != NULL)
    if (message->msg == CURLMSG_DONE)
      take_result (webhook, message->data.result, now_us);
  tell_loss (webhook, now_us);
  if (webhook->sending.number == 0 && rec_spool_count (webhook->spool) > 0 &&
      (webhook->pause_ms == 0 || now_us >= webhook->due_us)) {
    send_next (webhook, now_us);
    curl_multi_perform (webhook->multi, &n_running);
    /* A receiver nearby may have answered by now, and then nothing wakes the caller. */
    return n_running > 0 ? -1 : 0;
  }
  if (webhook->sending.number != 0 || rec_spool_count (webhook->spool) == 0)
    return webhook->loss.count > 0 ? LOSS_LOG_US / 1000 : -1;
  return (int) MAX (1, (webhook->due_us - now_us + 999) / 1000);
}

bool
rec_webhook_is_stuck_or_idle (const RecWebhook *webhook)
{
  return webhook->pause_ms > 0 || rec_spool_count (webhook->spool) == 0;
}

void
rec_webhook_get_stats (const RecWebhook *webhook, RecWebhookStats *stats)
{
  *stats = webhook->stats;
}

const RecSpool *
rec_webhook_get_spool (const RecWebhook *webhook)
{
  return webhook->spool;
}

void
rec_webhook_free (RecWebhook *webhook)
{
  if (webhook == NULL)
    return;
  end_request (webhook);
  webhook->loss_told_us = 0;
  if (webhook->spool != NULL)
    tell_loss (webhook, G_MAXINT64);
  if (webhook->spool != NULL && rec_spool_count (webhook->spool) > 0)
    g_message ("%" PRIu64 " events for %s wait for the next start",
        rec_spool_count (webhook->spool), webhook->receiver);
  curl_easy_cleanup (webhook->easy);
  curl_slist_free_all (webhook->fixed);
  rec_spool_free (webhook->spool);
  g_strfreev (webhook->events);
  g_free (webhook->receiver);
  g_free (webhook->key);
  g_free (webhook);
}
