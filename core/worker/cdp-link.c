/* cdp-link.c - matches answers to commands; bounded both ways. */
#define G_LOG_DOMAIN "rec.worker.cdp"
#include "worker/cdp-link.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX_BYTES (16 * 1024 * 1024) /* a large keyframe is a tenth of that */
#define QUEUE_MAX_BYTES (4 * 1024 * 1024)
#define READ_BYTES 65536
#define READS_AT_ONCE 16 /* then others have their turn */

typedef struct {
  RecCdpAnswered answered;
  void *data;
} Pending;

struct RecCdpLink {
  int read_fd, write_fd;
  RecCdpLinkEvents events;
  void *data;
  RecCdpParser *parser;
  GHashTable *pending; /* id -> Pending */
  int64_t last_id;
  GByteArray *output;
  unsigned read_source, write_source;
  bool is_closed;
};

static void
drop_source (unsigned *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

static void
end (RecCdpLink *link, const char *why)
{
  if (link->is_closed)
    return;
  link->is_closed = true;
  drop_source (&link->write_source);
  link->events.closed (why, link->data);
}

/* --- receiving ------------------------------------------------------------------------------------ */

static void
on_found (const RecCdpMessage *message, void *data)
{
  RecCdpLink *link = data;
  Pending *pending;

  if (message->id == 0) {
    link->events.event (message, link->data);
    return;
  }
  pending = g_hash_table_lookup (link->pending, &message->id);
  if (pending == NULL)
    return;
  const Pending call = *pending;
  g_hash_table_remove (link->pending, &message->id);
  if (call.answered != NULL)
    call.answered (message->content, message->failure, call.data);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  static char buffer[READ_BYTES]; /* one thread only, and never two at a time */
  RecCdpLink *link = data;
  g_autoptr (GError) error = NULL;

  (void) condition;
  for (int i = 0; i < READS_AT_ONCE && !link->is_closed; i++) {
    const ssize_t n = read (fd, buffer, sizeof buffer);

    if (n < 0 && errno == EAGAIN)
      return G_SOURCE_CONTINUE;
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      end (link, "the browser has closed its end");
    else if (!rec_cdp_parser_feed (link->parser, buffer, (size_t) n, &error))
      end (link, error->message);
  }
  if (!link->is_closed)
    return G_SOURCE_CONTINUE;
  link->read_source = 0;
  return G_SOURCE_REMOVE;
}

/* --- sending -------------------------------------------------------------------------------------- */

/* False: the browser does not listen any more. */
static bool
write_some (RecCdpLink *link)
{
  while (link->output->len > 0) {
    const ssize_t n = write (link->write_fd, link->output->data, link->output->len);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN;
    g_byte_array_remove_range (link->output, 0, (unsigned) n);
  }
  return true;
}

/* That it does not listen shows when it is read from, too: there it is told. */
static gboolean
on_writable (int fd, GIOCondition condition, gpointer data)
{
  RecCdpLink *link = data;

  (void) fd;
  (void) condition;
  if (write_some (link) && link->output->len > 0)
    return G_SOURCE_CONTINUE;
  link->write_source = 0;
  return G_SOURCE_REMOVE;
}

void
rec_cdp_link_call (RecCdpLink *link, const char *session, const char *method, RecJson *params,
    RecCdpAnswered answered, void *data)
{
  const int64_t id = ++link->last_id;
  size_t size;
  g_autofree char *command = rec_cdp_make_command (id, method, session, params, &size);
  Pending *pending;

  if (link->is_closed || link->output->len + size > QUEUE_MAX_BYTES)
    return;
  pending = g_new (Pending, 1);
  *pending = (Pending){ answered, data };
  g_hash_table_insert (link->pending, g_memdup2 (&id, sizeof id), pending);
  g_byte_array_append (link->output, (const uint8_t *) command, (unsigned) size);
  if (link->write_source != 0 || !write_some (link) || link->output->len == 0)
    return;
  link->write_source = g_unix_fd_add (link->write_fd, G_IO_OUT, on_writable, link);
}

/* --- life ----------------------------------------------------------------------------------------- */

RecCdpLink *
rec_cdp_link_new (int read_fd, int write_fd, const RecCdpLinkEvents *events, void *data)
{
  RecCdpLink *link = g_new0 (RecCdpLink, 1);

  link->read_fd = read_fd;
  link->write_fd = write_fd;
  link->events = *events;
  link->data = data;
  link->parser = rec_cdp_parser_new (MESSAGE_MAX_BYTES, on_found, link);
  link->pending = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  link->output = g_byte_array_new ();
  link->read_source = g_unix_fd_add (read_fd, G_IO_IN, on_readable, link);
  return link;
}

void
rec_cdp_link_free (RecCdpLink *link)
{
  if (link == NULL)
    return;
  drop_source (&link->read_source);
  drop_source (&link->write_source);
  rec_cdp_parser_free (link->parser);
  g_hash_table_unref (link->pending);
  g_byte_array_unref (link->output);
  g_free (link);
}
