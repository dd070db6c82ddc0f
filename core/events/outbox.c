/* outbox.c - a bounded queue, and the thread that empties it into the CDR file and the webhook's spool. */
#define G_LOG_DOMAIN "rec.events.outbox"
#include "events/outbox.h"

#include <curl/curl.h>
#include <inttypes.h>

#include "base/config.h"
#include "base/error.h"
#include "base/lock.h"
#include "events/cdr.h"
#include "events/webhook.h"

/* What the receiver may still take while the server stops; the rest waits for the next start. */
#define LAST_DELIVERY_US (2 * G_USEC_PER_SEC)
#define MAX_WAIT_MS 60000

typedef struct {
  char *cdr_line, *webhook_body;
  bool reopens;
} Letter;

struct RecOutbox {
  CURLM *multi; /* what the thread waits on; it is woken by pushes */
  GThread *thread;
  int64_t max_letters;

  RecLock lock;   /* guards what follows */
  GQueue letters; /* of Letter */
  bool is_quitting;
  RecOutboxStats stats;

  struct { /* the thread's */
    RecCdr *cdr;
    RecWebhook *webhook;
    bool cdr_fails;
    int64_t quit_us;
  } own;
};

static void
free_letter (void *data)
{
  Letter *letter = data;

  if (letter == NULL)
    return;
  g_free (letter->cdr_line);
  g_free (letter->webhook_body);
  g_free (letter);
}

/* --- the thread ------------------------------------------------------------------------------------------------- */

/* The first failure is told, and the first line that is written again. */
static void
write_cdr (RecOutbox *outbox, const char *line)
{
  g_autoptr (GError) error = NULL;
  const bool is_written = rec_cdr_write (outbox->own.cdr, line, &error);

  if (!is_written && !outbox->own.cdr_fails)
    g_warning ("%s; lines are lost until it goes again", error->message);
  else if (is_written && outbox->own.cdr_fails)
    g_message ("the CDR file is written again");
  outbox->own.cdr_fails = !is_written;
  REC_LOCKED (&outbox->lock);
  outbox->stats.cdr_written += is_written;
  outbox->stats.cdr_lost += !is_written;
}

static void
reopen_cdr (RecOutbox *outbox)
{
  g_autoptr (GError) error = NULL;

  if (outbox->own.cdr != NULL && !rec_cdr_reopen (outbox->own.cdr, &error))
    g_warning ("%s; going on with the file that was open", error->message);
}

static void
handle (RecOutbox *outbox, const Letter *letter)
{
  if (letter->reopens)
    reopen_cdr (outbox);
  if (letter->cdr_line != NULL && outbox->own.cdr != NULL)
    write_cdr (outbox, letter->cdr_line);
  if (letter->webhook_body != NULL && outbox->own.webhook != NULL)
    rec_webhook_add (outbox->own.webhook, letter->webhook_body);
}

static Letter *
pop_letter (RecOutbox *outbox)
{
  REC_LOCKED (&outbox->lock);

  return g_queue_pop_head (&outbox->letters);
}

static void
empty_queue (RecOutbox *outbox)
{
  Letter *letter;

  while ((letter = pop_letter (outbox)) != NULL) {
    handle (outbox, letter);
    free_letter (letter);
  }
}

static void
update_stats (RecOutbox *outbox)
{
  RecWebhookStats webhook;

  if (outbox->own.webhook == NULL)
    return;
  rec_webhook_get_stats (outbox->own.webhook, &webhook);
  const RecSpool *spool = rec_webhook_get_spool (outbox->own.webhook);
  REC_LOCKED (&outbox->lock);
  outbox->stats.webhook_delivered = webhook.delivered;
  outbox->stats.webhook_failed = webhook.failed;
  outbox->stats.webhook_given_up = webhook.given_up;
  outbox->stats.webhook_waiting = rec_spool_count (spool);
  outbox->stats.webhook_bytes = rec_spool_get_bytes (spool);
}

/* Once everything is on the disk, only the receiver is waited for. */
static bool
is_done (RecOutbox *outbox)
{
  RecWebhook *webhook = outbox->own.webhook;
  const int64_t now_us = g_get_monotonic_time ();

  {
    REC_LOCKED (&outbox->lock);
    if (!outbox->is_quitting || outbox->letters.length > 0)
      return false;
  }
  if (outbox->own.quit_us == 0)
    outbox->own.quit_us = now_us;
  return webhook == NULL || rec_webhook_is_stuck_or_idle (webhook) ||
         now_us - outbox->own.quit_us > LAST_DELIVERY_US;
}

static void *
run (void *data)
{
  RecOutbox *outbox = data;
  int wait_ms;

  do {
    empty_queue (outbox);
    wait_ms = -1;
    if (outbox->own.webhook != NULL)
      wait_ms = rec_webhook_work (outbox->own.webhook, g_get_monotonic_time ());
    update_stats (outbox);
    if (wait_ms < 0 || wait_ms > MAX_WAIT_MS)
      wait_ms = MAX_WAIT_MS;
    if (outbox->own.quit_us != 0)
      wait_ms = MIN (wait_ms, (int) (LAST_DELIVERY_US / 1000));
    if (wait_ms > 0 && !is_done (outbox))
      curl_multi_poll (outbox->multi, NULL, 0, wait_ms, NULL);
  } while (!is_done (outbox));
  update_stats (outbox);
  return NULL;
}

/* --- everybody's ------------------------------------------------------------------------------------------------- */

static bool
open_cdr (RecOutbox *outbox, const RecConfig *config, GError **error)
{
  outbox->own.cdr = rec_cdr_new (rec_config_get_string (config, "openvidu.cdr.path"),
      rec_config_get_int (config, "events.cdr-rotate-bytes"),
      (unsigned) rec_config_get_int (config, "events.cdr-keep-files"), error);
  if (outbox->own.cdr == NULL)
    g_prefix_error (error, "openvidu.cdr: ");
  return outbox->own.cdr != NULL;
}

static bool
open_all (RecOutbox *outbox, const RecConfig *config, GError **error)
{
  outbox->multi = curl_multi_init ();
  if (outbox->multi == NULL) {
    g_set_error_literal (error, REC_ERROR, REC_ERROR_FAILED, "libcurl cannot be used");
    return false;
  }
  outbox->stats.has_cdr = rec_config_get_bool (config, "openvidu.cdr");
  outbox->stats.has_webhook = rec_config_get_bool (config, "openvidu.webhook");
  if (outbox->stats.has_cdr && !open_cdr (outbox, config, error))
    return false;
  if (outbox->stats.has_webhook)
    outbox->own.webhook = rec_webhook_new (config, outbox->multi, error);
  return !outbox->stats.has_webhook || outbox->own.webhook != NULL;
}

RecOutbox *
rec_outbox_new (const RecConfig *config, GError **error)
{
  RecOutbox *outbox = g_new0 (RecOutbox, 1);

  curl_global_init (CURL_GLOBAL_DEFAULT);
  rec_lock_init (&outbox->lock);
  g_queue_init (&outbox->letters);
  outbox->max_letters = rec_config_get_int (config, "events.max-queued");
  if (open_all (outbox, config, error))
    outbox->thread = g_thread_try_new ("rec-events", run, outbox, error);
  if (outbox->thread != NULL)
    return outbox;
  rec_outbox_free (outbox);
  return NULL;
}

void
rec_outbox_free (RecOutbox *outbox)
{
  if (outbox == NULL)
    return;
  if (outbox->thread != NULL) {
    {
      REC_LOCKED (&outbox->lock);
      outbox->is_quitting = true;
    }
    curl_multi_wakeup (outbox->multi);
    g_thread_join (outbox->thread);
  }
  rec_webhook_free (outbox->own.webhook);
  rec_cdr_free (outbox->own.cdr);
  g_queue_clear_full (&outbox->letters, free_letter);
  curl_multi_cleanup (outbox->multi);
  rec_lock_clear (&outbox->lock);
  g_free (outbox);
  curl_global_cleanup ();
}

bool
rec_outbox_wants (const RecOutbox *outbox, const char *name)
{
  return outbox->own.webhook != NULL && rec_webhook_wants (outbox->own.webhook, name);
}

static void
push (RecOutbox *outbox, Letter *letter)
{
  uint64_t n_dropped = 0;

  {
    REC_LOCKED (&outbox->lock);
    if (outbox->letters.length < outbox->max_letters)
      g_queue_push_tail (&outbox->letters, g_steal_pointer (&letter));
    else
      n_dropped = ++outbox->stats.dropped;
  }
  free_letter (letter);
  if (n_dropped > 0 && (n_dropped & (n_dropped - 1)) == 0) /* 1, 2, 4, 8, ... */
    g_warning ("%" PRIu64 " events are lost: the disk is slower than they come (events.max-queued)",
        n_dropped);
  curl_multi_wakeup (outbox->multi);
}

void
rec_outbox_push (RecOutbox *outbox, char *cdr_line, char *webhook_body)
{
  Letter *letter = g_new (Letter, 1);

  *letter = (Letter){ .cdr_line = cdr_line, .webhook_body = webhook_body };
  push (outbox, letter);
}

void
rec_outbox_reopen (RecOutbox *outbox)
{
  Letter *letter = g_new (Letter, 1);

  *letter = (Letter){ .reopens = true };
  push (outbox, letter);
}

void
rec_outbox_get_stats (RecOutbox *outbox, RecOutboxStats *stats)
{
  REC_LOCKED (&outbox->lock);

  *stats = outbox->stats;
}
