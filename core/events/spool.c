/* spool.c - texts on their way, one line each, in segment files that are removed from the oldest on.
 *
 * A segment's name is the number of its first text; a line is NUMBER CHECKSUM TEXT. The file `delivered` holds the number
 * of the last text that is done with. */
#define G_LOG_DOMAIN "rec.events.spool"
#include "events/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"

#define SEGMENTS 8 /* of the bound */
#define SUFFIX ".log"
#define NUMBER_CHARACTERS 16
#define PREFIX_CHARACTERS (NUMBER_CHARACTERS + 1 + NUMBER_CHARACTERS + 1)
/* A segment that is all delivered goes when it is this large, sooner than full. */
#define KEPT_BYTES 65536

typedef struct {
  uint64_t first, last; /* last: first - 1 while it is empty */
  int64_t bytes;
} Segment;

struct RecSpool {
  char *folder;
  int64_t max_bytes;
  GArray *segments; /* of Segment, by age; the last one is written to while fd is open */
  int fd, delivered_fd;
  uint64_t newest, delivered;
  struct {
    FILE *file; /* of the segment that begins with `first`, or NULL */
    uint64_t first;
  } reader;
  struct {
    char *text; /* NULL: not read yet */
    uint64_t number;
  } head;
  RecSpoolLoss loss;
};

static uint64_t
make_checksum (uint64_t number, const char *text)
{
  uint64_t sum = G_GUINT64_CONSTANT (14695981039346656037) ^ number;

  for (; *text != '\0'; text++)
    sum = (sum ^ (uint8_t) *text) * G_GUINT64_CONSTANT (1099511628211);
  return sum;
}

static Segment *
get_segment (const RecSpool *spool, guint i)
{
  return &g_array_index (spool->segments, Segment, i);
}

static Segment *
get_last_segment (const RecSpool *spool)
{
  return spool->segments->len > 0 ? get_segment (spool, spool->segments->len - 1) : NULL;
}

static char *
dup_path (const RecSpool *spool, uint64_t first)
{
  return g_strdup_printf ("%s/%016" PRIx64 SUFFIX, spool->folder, first);
}

static bool
fail (GError **error, const char *what, const char *path)
{
  const int cause = errno;

  g_set_error (error, REC_ERROR, cause == ENOSPC ? REC_ERROR_NO_SPACE : REC_ERROR_FAILED,
      "cannot %s '%s': %s", what, path, g_strerror (cause));
  return false;
}

static void
note_loss (RecSpool *spool, uint64_t first, uint64_t last)
{
  if (last < first)
    return;
  if (spool->loss.count == 0)
    spool->loss.first = first;
  spool->loss.last = last;
  spool->loss.count += last - first + 1;
}

/* --- lines --------------------------------------------------------------------------------------------------- */

static bool
parse_number (const char *text, uint64_t *number)
{
  for (unsigned i = 0; i < NUMBER_CHARACTERS; i++)
    if (!g_ascii_isxdigit (text[i]))
      return false;
  *number = g_ascii_strtoull (text, NULL, 16);
  return true;
}

/* A whole line of ours; text points into it. */
static bool
parse_line (char *line, size_t length, uint64_t *number, char **text)
{
  uint64_t sum;

  if (length <= PREFIX_CHARACTERS || line[length - 1] != '\n' ||
      memchr (line, '\0', length) != NULL)
    return false;
  line[length - 1] = '\0';
  if (!parse_number (line, number) || line[NUMBER_CHARACTERS] != ' ' ||
      !parse_number (line + NUMBER_CHARACTERS + 1, &sum) || line[PREFIX_CHARACTERS - 1] != ' ')
    return false;
  *text = line + PREFIX_CHARACTERS;
  return sum == make_checksum (*number, *text);
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  const uint64_t first = *(const uint64_t *) a, second = *(const uint64_t *) b;

  return first < second ? -1 : first > second;
}

static GArray *
list_segments (const RecSpool *spool, GError **error)
{
  g_autoptr (GDir) folder = g_dir_open (spool->folder, 0, error);
  GArray *numbers;
  const char *name;

  if (folder == NULL)
    return NULL;
  numbers = g_array_new (FALSE, FALSE, sizeof (uint64_t));
  while ((name = g_dir_read_name (folder)) != NULL) {
    uint64_t first;

    if (strlen (name) == NUMBER_CHARACTERS + strlen (SUFFIX) && g_str_has_suffix (name, SUFFIX) &&
        parse_number (name, &first))
      g_array_append_val (numbers, first);
  }
  g_array_sort (numbers, compare_numbers);
  return numbers;
}

/* A line that a crash cut off stays where it is: nothing is appended to an old segment, and readers pass it by. */
static bool
scan_segment (RecSpool *spool, uint64_t first, GError **error)
{
  g_autofree char *path = dup_path (spool, first);
  Segment segment = { .first = first, .last = first - 1 };
  FILE *file = fopen (path, "re");
  char *line = NULL, *text;
  size_t room = 0;
  ssize_t length;
  uint64_t number;

  if (file == NULL)
    return fail (error, "read", path);
  while ((length = getline (&line, &room, file)) > 0) {
    segment.bytes += length;
    if (parse_line (line, (size_t) length, &number, &text))
      segment.last = MAX (segment.last, number);
  }
  free (line);
  fclose (file);
  g_array_append_val (spool->segments, segment);
  spool->newest = MAX (spool->newest, segment.last);
  return true;
}

static bool
open_delivered (RecSpool *spool, GError **error)
{
  g_autofree char *path = g_build_filename (spool->folder, "delivered", NULL);
  char text[NUMBER_CHARACTERS + 1] = "";

  spool->delivered_fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (spool->delivered_fd < 0)
    return fail (error, "open", path);
  if (pread (spool->delivered_fd, text, NUMBER_CHARACTERS, 0) == NUMBER_CHARACTERS)
    parse_number (text, &spool->delivered);
  return true;
}

static bool
load (RecSpool *spool, GError **error)
{
  g_autoptr (GArray) numbers = NULL;

  if (!rec_path_make_folder (spool->folder, 0700, error) || !open_delivered (spool, error) ||
      (numbers = list_segments (spool, error)) == NULL)
    return false;
  spool->newest = spool->delivered;
  for (guint i = 0; i < numbers->len; i++)
    if (!scan_segment (spool, g_array_index (numbers, uint64_t, i), error))
      return false;
  return true;
}

RecSpool *
rec_spool_new (const char *folder, int64_t max_bytes, GError **error)
{
  g_autoptr (RecSpool) spool = g_new0 (RecSpool, 1);

  spool->folder = g_strdup (folder);
  spool->max_bytes = max_bytes;
  spool->segments = g_array_new (FALSE, FALSE, sizeof (Segment));
  spool->fd = spool->delivered_fd = -1;
  if (!load (spool, error))
    return NULL;
  rec_spool_pop (spool, spool->delivered);
  return g_steal_pointer (&spool);
}

/* --- removing ------------------------------------------------------------------------------------------------ */

static void
close_reader (RecSpool *spool)
{
  if (spool->reader.file != NULL)
    fclose (spool->reader.file);
  spool->reader.file = NULL;
}

static void
remove_oldest_segment (RecSpool *spool)
{
  const uint64_t first = get_segment (spool, 0)->first;
  g_autofree char *path = dup_path (spool, first);

  if (unlink (path) != 0 && errno != ENOENT)
    g_warning ("cannot remove '%s': %s; its events may be sent again", path, g_strerror (errno));
  if (spool->reader.file != NULL && spool->reader.first == first)
    close_reader (spool);
  if (spool->segments->len == 1)
    rec_fd_close (&spool->fd);
  g_array_remove_index (spool->segments, 0);
}

void
rec_spool_free (RecSpool *spool)
{
  if (spool == NULL)
    return;
  close_reader (spool);
  while (rec_spool_count (spool) == 0 && spool->segments->len > 0)
    remove_oldest_segment (spool);
  rec_fd_close (&spool->fd);
  rec_fd_close (&spool->delivered_fd);
  g_array_unref (spool->segments);
  g_free (spool->head.text);
  g_free (spool->folder);
  g_free (spool);
}

static void
save_delivered (RecSpool *spool)
{
  g_autofree char *text = g_strdup_printf ("%016" PRIx64 "\n", spool->delivered);

  if (pwrite (spool->delivered_fd, text, strlen (text), 0) < 0)
    g_warning ("cannot note in '%s' what was delivered: %s; after a restart it is sent again",
        spool->folder, g_strerror (errno));
}

void
rec_spool_pop (RecSpool *spool, uint64_t number)
{
  Segment *oldest;

  if (number > spool->delivered) {
    spool->delivered = MIN (number, spool->newest);
    save_delivered (spool);
  }
  if (spool->head.number <= spool->delivered)
    g_clear_pointer (&spool->head.text, g_free);
  while (spool->segments->len > 0 && (oldest = get_segment (spool, 0))->last <= spool->delivered &&
         (spool->segments->len > 1 || oldest->bytes >= KEPT_BYTES))
    remove_oldest_segment (spool);
}

/* The whole segment, and what of it was not delivered is lost. */
static void
give_up_oldest_segment (RecSpool *spool)
{
  const Segment segment = *get_segment (spool, 0);

  note_loss (spool, MAX (segment.first, spool->delivered + 1), segment.last);
  remove_oldest_segment (spool);
  if (segment.last > spool->delivered)
    rec_spool_pop (spool, segment.last);
}

/* --- writing ------------------------------------------------------------------------------------------------- */

static bool
begin_segment (RecSpool *spool, GError **error)
{
  const Segment segment = { .first = spool->newest + 1, .last = spool->newest };
  g_autofree char *path = dup_path (spool, segment.first);
  rec_autofd int fd =
      open (path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    return fail (error, "write", path);
  rec_fd_close (&spool->fd);
  spool->fd = rec_fd_steal (&fd);
  /* One of that name had no whole line. */
  if (get_last_segment (spool) != NULL && get_last_segment (spool)->first == segment.first)
    g_array_set_size (spool->segments, spool->segments->len - 1);
  g_array_append_val (spool->segments, segment);
  return true;
}

static bool
make_room (RecSpool *spool, int64_t bytes, GError **error)
{
  if (bytes > spool->max_bytes) {
    g_set_error (error, REC_ERROR, REC_ERROR_TOO_LARGE,
        "a text of %" G_GINT64_FORMAT " bytes is larger than the whole spool", bytes);
    return false;
  }
  while (spool->segments->len > 0 && rec_spool_get_bytes (spool) + bytes > spool->max_bytes)
    give_up_oldest_segment (spool);
  const Segment *last = get_last_segment (spool);
  if (spool->fd < 0 || last == NULL || last->bytes + bytes > spool->max_bytes / SEGMENTS)
    return begin_segment (spool, error);
  return true;
}

static bool
write_line (RecSpool *spool, const char *line, size_t length, GError **error)
{
  Segment *segment = get_last_segment (spool);

  if (rec_fd_write_all (spool->fd, line, length, error)) {
    segment->bytes += (int64_t) length;
    return true;
  }
  /* Half a line would hide the next one. */
  if (ftruncate (spool->fd, segment->bytes) != 0)
    rec_fd_close (&spool->fd);
  g_prefix_error (error, "cannot keep an event in '%s': ", spool->folder);
  return false;
}

bool
rec_spool_append (RecSpool *spool, const char *text, GError **error)
{
  const uint64_t number = spool->newest + 1;
  g_autofree char *line = g_strdup_printf ("%016" PRIx64 " %016" PRIx64 " %s\n", number,
      make_checksum (number, text), text);
  const size_t length = strlen (line);

  g_assert (strchr (text, '\n') == NULL);
  if (!make_room (spool, (int64_t) length, error) || !write_line (spool, line, length, error))
    return false;
  spool->newest = number;
  get_last_segment (spool)->last = number;
  return true;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static bool
open_reader (RecSpool *spool, uint64_t first)
{
  g_autofree char *path = dup_path (spool, first);

  if (spool->reader.file != NULL && spool->reader.first == first) {
    clearerr (spool->reader.file); /* more may have come behind the end */
    return true;
  }
  close_reader (spool);
  spool->reader.file = fopen (path, "re");
  spool->reader.first = first;
  return spool->reader.file != NULL;
}

static bool
read_from (RecSpool *spool, uint64_t first)
{
  char *line = NULL, *text;
  size_t room = 0;
  ssize_t length;
  uint64_t number;
  bool found = false;

  if (!open_reader (spool, first))
    return false;
  while (!found && (length = getline (&line, &room, spool->reader.file)) > 0) {
    if (!parse_line (line, (size_t) length, &number, &text) || number <= spool->delivered)
      continue;
    spool->head.text = g_strdup (text);
    spool->head.number = number;
    found = true;
  }
  free (line);
  return found;
}

const char *
rec_spool_peek (RecSpool *spool, uint64_t *number)
{
  while (spool->head.text == NULL && rec_spool_count (spool) > 0 &&
         !read_from (spool, get_segment (spool, 0)->first)) {
    /* Out of descriptors, say: it is there, and can be read later. */
    if (spool->reader.file == NULL ? errno != ENOENT : ferror (spool->reader.file))
      return NULL;
    give_up_oldest_segment (spool); /* nothing in it can be read any more */
  }
  if (spool->head.text == NULL)
    return NULL;
  if (spool->head.number > spool->delivered + 1) {
    note_loss (spool, spool->delivered + 1, spool->head.number - 1);
    spool->delivered = spool->head.number - 1;
  }
  *number = spool->head.number;
  return spool->head.text;
}

uint64_t
rec_spool_count (const RecSpool *spool)
{
  return spool->newest - spool->delivered;
}

int64_t
rec_spool_get_bytes (const RecSpool *spool)
{
  int64_t bytes = 0;

  for (guint i = 0; i < spool->segments->len; i++)
    bytes += get_segment (spool, i)->bytes;
  return bytes;
}

bool
rec_spool_take_loss (RecSpool *spool, RecSpoolLoss *loss)
{
  *loss = spool->loss;
  spool->loss = (RecSpoolLoss){ 0 };
  return loss->count > 0;
}
