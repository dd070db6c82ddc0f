/* test-spool.c - texts that wait: their order over restarts, a crash at any byte, and the bound. */
#include "events/spool.h"

#include "base/path.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define BOUND 65536

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  fixture->folder = g_dir_make_tmp ("recto-spool-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
}

static void
tear_down (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
}

static RecSpool *
open_spool (const char *folder, int64_t bound)
{
  g_autoptr (GError) error = NULL;
  RecSpool *spool = rec_spool_new (folder, bound, &error);

  g_assert_no_error (error);
  return spool;
}

static void
append (RecSpool *spool, const char *text)
{
  g_autoptr (GError) error = NULL;

  rec_spool_append (spool, text, &error);
  g_assert_no_error (error);
}

static void
append_numbers (RecSpool *spool, unsigned from, unsigned to)
{
  for (unsigned i = from; i <= to; i++) {
    g_autofree char *text = g_strdup_printf ("text %u", i);
    append (spool, text);
  }
}

/* Each text is as append_numbers made it, for its number. Returns how many came. */
static unsigned
take_all (RecSpool *spool, uint64_t from)
{
  unsigned n_taken = 0;
  const char *text;
  uint64_t number;

  for (; (text = rec_spool_peek (spool, &number)) != NULL; n_taken++) {
    g_autofree char *expected = g_strdup_printf ("text %" G_GUINT64_FORMAT, number);
    g_assert_cmpstr (text, ==, expected);
    g_assert_cmpuint (number, ==, from + n_taken);
    rec_spool_pop (spool, number);
  }
  g_assert_cmpuint (rec_spool_count (spool), ==, 0);
  return n_taken;
}

static void
test_order_survives_restarts (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  uint64_t number;

  for (unsigned round = 0; round < 5; round++) {
    g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
    append_numbers (spool, round * 10 + 1, round * 10 + 10);
    g_assert_cmpuint (rec_spool_count (spool), ==, (round + 1) * 9 + 1);
    g_assert_nonnull (rec_spool_peek (spool, &number));
    g_assert_cmpuint (number, ==, round + 1);
    rec_spool_pop (spool, number);
  }
  g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
  g_assert_cmpuint (take_all (spool, 6), ==, 45);
}

static void
test_numbers_go_on_when_all_is_delivered (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  for (unsigned round = 0; round < 3; round++) {
    g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
    append_numbers (spool, round * 2 + 1, round * 2 + 2);
    g_assert_cmpuint (take_all (spool, round * 2 + 1), ==, 2);
  }
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "delivered");
  g_assert_null (g_dir_read_name (dir));
}

static void
test_late_texts_are_read_too (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);

  for (unsigned i = 1; i <= 300; i++) {
    append_numbers (spool, i, i);
    g_assert_cmpuint (take_all (spool, i), ==, 1);
  }
}

/* Whatever was written before the crash comes, and what comes after it follows. */
static void
test_crash_at_any_byte (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *path = g_build_filename (fixture->folder, "0000000000000001.log", NULL);
  g_autofree char *whole = NULL;
  gsize length;

  {
    g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
    append_numbers (spool, 1, 3);
  }
  g_assert_true (g_file_get_contents (path, &whole, &length, NULL));
  for (gsize cut = 0; cut <= length; cut++) {
    unsigned n_whole = 0;
    for (gsize i = 0; i < cut; i++)
      n_whole += whole[i] == '\n';
    g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
    g_assert_cmpint (g_mkdir (fixture->folder, 0700), ==, 0);
    g_assert_true (g_file_set_contents (path, whole, (gssize) cut, NULL));
    g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
    g_assert_cmpuint (rec_spool_count (spool), ==, n_whole);
    append_numbers (spool, n_whole + 1, n_whole + 2);
    g_assert_cmpuint (take_all (spool, 1), ==, n_whole + 2);
  }
}

/* A damaged disk costs the texts that it damaged, and says which. */
static void
test_any_byte_changed (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autofree char *path = g_build_filename (fixture->folder, "0000000000000001.log", NULL);
  g_autofree char *whole = NULL;
  gsize length;

  {
    g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
    append_numbers (spool, 1, 4);
  }
  g_assert_true (g_file_get_contents (path, &whole, &length, NULL));
  const gsize line = length / 4;
  for (gsize at = line; at < line * 2 - 1; at++) {
    g_autofree char *damaged = g_memdup2 (whole, length);
    RecSpoolLoss loss;
    uint64_t number;

    damaged[at] ^= 0x15;
    g_assert_true (rec_path_remove_tree (fixture->folder, NULL));
    g_assert_cmpint (g_mkdir (fixture->folder, 0700), ==, 0);
    g_assert_true (g_file_set_contents (path, damaged, (gssize) length, NULL));
    g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
    g_assert_cmpstr (rec_spool_peek (spool, &number), ==, "text 1");
    rec_spool_pop (spool, number);
    g_assert_cmpuint (take_all (spool, 3), ==, 2);
    g_assert_true (rec_spool_take_loss (spool, &loss));
    g_assert_cmpuint (loss.first, ==, 2);
    g_assert_cmpuint (loss.last, ==, 2);
    g_assert_cmpuint (loss.count, ==, 1);
  }
}

static void
test_oldest_go_at_the_bound (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  const unsigned n_texts = 5000;
  RecSpoolLoss loss = { 0 }, more;

  {
    g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
    for (unsigned i = 1; i <= n_texts; i++) {
      append_numbers (spool, i, i);
      g_assert_cmpint (rec_spool_get_bytes (spool), <=, BOUND);
      if (!rec_spool_take_loss (spool, &more))
        continue;
      g_assert_cmpuint (more.first, ==, loss.last + 1);
      g_assert_cmpuint (more.count, ==, more.last - more.first + 1);
      loss.last = more.last;
      loss.count += more.count;
    }
    g_assert_cmpuint (loss.count, ==, loss.last);
    g_assert_cmpuint (rec_spool_count (spool), ==, n_texts - loss.count);
    /* It does not give up more than it must: what waits fills most of the bound. */
    g_assert_cmpint (rec_spool_get_bytes (spool), >, BOUND / 2);
  }
  g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
  g_assert_cmpuint (take_all (spool, loss.last + 1), ==, n_texts - loss.count);
  g_assert_false (rec_spool_take_loss (spool, &more));
}

static void
test_too_large_text_is_refused (Fixture *fixture, const void *data G_GNUC_UNUSED)
{
  g_autoptr (RecSpool) spool = open_spool (fixture->folder, BOUND);
  g_autofree char *large = g_strnfill (BOUND, 'x');
  g_autoptr (GError) error = NULL;

  append_numbers (spool, 1, 1);
  g_assert_false (rec_spool_append (spool, large, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (take_all (spool, 1), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add ("/spool/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("order-survives-restarts", test_order_survives_restarts);
  ADD ("numbers-go-on-when-all-is-delivered", test_numbers_go_on_when_all_is_delivered);
  ADD ("late-texts-are-read-too", test_late_texts_are_read_too);
  ADD ("crash-at-any-byte", test_crash_at_any_byte);
  ADD ("any-byte-changed", test_any_byte_changed);
  ADD ("oldest-go-at-the-bound", test_oldest_go_at_the_bound);
  ADD ("too-large-text-is-refused", test_too_large_text_is_refused);
  return g_test_run ();
}
