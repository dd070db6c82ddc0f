/* test-journal.c - entries survive the server, and know their worker from another process. */
#include "recording/journal.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/config.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "recording/writer.h"

typedef struct {
  char *state, *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecConfig) config = rec_config_new ();
  g_autoptr (GError) error = NULL;

  fixture->state = g_dir_make_tmp ("recto-XXXXXX", NULL);
  rec_config_set (config, "server.state-directory", fixture->state, "test", &error);
  g_assert_no_error (error);
  fixture->folder = rec_journal_prepare (config, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_true (rec_path_remove_tree (fixture->state, NULL));
  g_free (fixture->state);
  g_free (fixture->folder);
}

static RecJournalEntry *
make_entry (const char *id, pid_t pid)
{
  g_autoptr (RecJson) entity = json_tokener_parse ("{\"id\":\"a\"}");
  g_autoptr (RecJson) setup = json_tokener_parse ("{\"sinks\":[]}");

  return rec_journal_entry_new (id, "/some/where", entity, setup, pid);
}

static void
write_entry (Fixture *fixture, const RecJournalEntry *entry)
{
  g_autofree char *path = rec_journal_dup_path (fixture->folder, entry->id);
  RecWriter *writer = rec_writer_new (-1);

  rec_writer_put (writer, path, rec_journal_entry_to_text (entry), 0600, NULL, NULL);
  rec_writer_free (writer);
}

static void
test_brings_back_what_was_written (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecJournalEntry) entry = make_entry ("ses~1", getpid ());

  write_entry (fixture, entry);
  g_autoptr (GPtrArray) entries = rec_journal_load_all (fixture->folder);
  g_assert_cmpuint (entries->len, ==, 1);
  const RecJournalEntry *back = entries->pdata[0];
  g_assert_cmpstr (back->id, ==, "ses~1");
  g_assert_cmpstr (back->directory, ==, "/some/where");
  g_assert_cmpint (back->pid, ==, getpid ());
  g_assert_cmpuint (back->start_ticks, ==, entry->start_ticks);
  g_assert_cmpstr (back->boot_id, ==, entry->boot_id);
  g_assert_true (json_object_equal (back->entity, entry->entity));
  g_assert_true (json_object_equal (back->setup, entry->setup));
}

static void
test_is_for_its_owner_alone (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecJournalEntry) entry = make_entry ("secret", getpid ());
  g_autofree char *path = rec_journal_dup_path (fixture->folder, "secret");
  struct stat info;

  write_entry (fixture, entry);
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0600);
  g_assert_cmpint (stat (fixture->folder, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0700);
}

static void
test_keeps_unreadable_entries_aside (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecJournalEntry) entry = make_entry ("good", getpid ());
  g_autofree char *bad = g_build_filename (fixture->folder, "bad.json", NULL);
  g_autofree char *aside = g_build_filename (fixture->folder, "bad.json.bad", NULL);

  write_entry (fixture, entry);
  g_assert_true (g_file_set_contents (bad, "{\"id\":\"bad\"", -1, NULL));
  g_test_expect_message ("rec.recording.journal", G_LOG_LEVEL_WARNING, "*bad.json*aside*");
  g_autoptr (GPtrArray) entries = rec_journal_load_all (fixture->folder);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (entries->len, ==, 1);
  g_assert_true (g_file_test (aside, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (bad, G_FILE_TEST_EXISTS));
}

static RecChild *
run_sleeper (void)
{
  const char *const argv[] = { "/bin/sleep", "60", NULL };
  const RecChildSetup setup = { .argv = argv };
  g_autoptr (GError) error = NULL;
  RecChild *child = rec_child_new (&setup, &error);

  g_assert_no_error (error);
  return child;
}

static void
test_finds_its_worker_and_no_other_process (Fixture *fixture G_GNUC_UNUSED,
    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecChild) child = run_sleeper ();
  g_autoptr (RecJournalEntry) entry = make_entry ("a", rec_child_get_pid (child));
  int status = 0;

  rec_autofd int fd = rec_journal_entry_open_worker (entry);
  g_assert_cmpint (fd, >=, 0);
  struct pollfd alive = { .fd = fd, .events = POLLIN };
  g_assert_cmpint (poll (&alive, 1, 0), ==, 0);

  /* The id was given to another process, or the machine was started anew. */
  entry->start_ticks++;
  g_assert_cmpint (rec_journal_entry_open_worker (entry), ==, -1);
  entry->start_ticks--;
  entry->boot_id[0] = entry->boot_id[0] == 'x' ? 'y' : 'x';
  g_assert_cmpint (rec_journal_entry_open_worker (entry), ==, -1);

  rec_child_signal (child, SIGKILL);
  g_assert_true (rec_child_reap (child, 10000, &status));
  g_assert_cmpint (poll (&alive, 1, 10000), ==, 1);
}

static void
test_finds_no_worker_that_has_ended (Fixture *fixture G_GNUC_UNUSED,
    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (RecChild) child = run_sleeper ();
  g_autoptr (RecJournalEntry) entry = make_entry ("a", rec_child_get_pid (child));
  int status = 0;

  rec_child_signal (child, SIGKILL);
  g_assert_true (rec_child_reap (child, 10000, &status));
  g_assert_cmpint (rec_journal_entry_open_worker (entry), ==, -1);
}

#define CLAIM(name, function)                                                                      \
  g_test_add ("/journal/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  CLAIM ("brings-back-what-was-written", test_brings_back_what_was_written);
  CLAIM ("is-for-its-owner-alone", test_is_for_its_owner_alone);
  CLAIM ("keeps-unreadable-entries-aside", test_keeps_unreadable_entries_aside);
  CLAIM ("finds-its-worker-and-no-other-process", test_finds_its_worker_and_no_other_process);
  CLAIM ("finds-no-worker-that-has-ended", test_finds_no_worker_that_has_ended);
  return g_test_run ();
}
