/* test-control.c - the control socket's table, its limits, and media packets that are none. */
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "wire/control.h"
#include "wire/packet.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the table ------------------------------------------------------------------------------------ */

static RecControlType
check (const char *text, bool is_worker, GError **error)
{
  g_autoptr (RecJson) message = json_tokener_parse (text);

  g_assert_nonnull (message);
  return rec_control_check (message, is_worker, error);
}

static void
test_knows_its_messages (void)
{
  static const struct {
    const char *text;
    bool is_worker;
    RecControlType type;
  } cases[] = {
    { "{\"type\": \"track-end\", \"track\": 3, \"atNs\": 5}", true, REC_CONTROL_TRACK_END },
    { "{\"type\": \"stream-state\", \"stream\": \"a\", \"audioActive\": false}", true,
        REC_CONTROL_STREAM_STATE },
    { "{\"type\": \"stop\", \"atNs\": 1, \"reason\": \"enough\"}", true, REC_CONTROL_STOP },
    { "{\"type\": \"track-add\", \"track\": 1, \"stream\": \"a\", \"participant\": \"p\", "
      "\"data\": "
      "\"\", \"media\": \"audio\", \"codec\": \"OPUS\", \"payloadType\": 111, \"clockRate\": "
      "48000, "
      "\"fmtp\": \"\", \"isScreen\": false, \"joinedNs\": 0}",
        true, REC_CONTROL_TRACK_ADD },
    { "{\"type\": \"ready\"}", false, REC_CONTROL_READY },
    { "{\"type\": \"hello\", \"version\": \"1\", \"build\": \"b\", \"pid\": 7}", false,
        REC_CONTROL_HELLO },
    { "{\"type\": \"finished\", \"ok\": true, \"files\": []}", false, REC_CONTROL_FINISHED },
    { "{\"type\": \"keyframe\", \"track\": 4294967295}", false, REC_CONTROL_KEYFRAME },
    { "{\"type\": \"recorder\", \"state\": \"joined\"}", true, REC_CONTROL_RECORDER },
    { "{\"type\": \"page\", \"event\": \"console\", \"console\": [\"one\", \"two\"]}", false,
        REC_CONTROL_PAGE },
    { "{\"type\": \"page\", \"event\": \"restarted\", \"message\": \"m\", \"fromNs\": 1, "
      "\"toNs\": 2}",
        false, REC_CONTROL_PAGE },
    { "{\"type\": \"failed\", \"message\": \"m\", \"code\": \"not-found\"}", false,
        REC_CONTROL_FAILED },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (check (cases[i].text, cases[i].is_worker, &error), ==, cases[i].type);
    g_assert_no_error (error);
    g_assert_cmpint (check (cases[i].text, !cases[i].is_worker, NULL), ==, REC_CONTROL_INVALID);
  }
}

static void
test_refuses_what_is_wrong (void)
{
  static const char *const cases[] = {
    "{}",
    "[]",
    "7",
    "{\"type\": 5}",
    "{\"type\": \"dance\"}",
    "{\"type\": \"stop\"}",
    "{\"type\": \"stop\", \"atNs\": \"now\"}",
    "{\"type\": \"stop\", \"atNs\": -1}",
    "{\"type\": \"track-end\", \"track\": 0, \"atNs\": 5}",
    "{\"type\": \"track-end\", \"track\": 4294967296, \"atNs\": 5}",
    "{\"type\": \"stream-state\", \"stream\": \"a\", \"audioActive\": 1}",
    "{\"type\": \"setup\", \"version\": \"1\"}",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (check (cases[i], true, &error), ==, REC_CONTROL_INVALID);
    g_assert_nonnull (error);
    g_assert_cmpuint (strlen (error->message), >, 10);
  }
}

static json_object *
make_setup (void)
{
  return json_tokener_parse (
      "{\"type\": \"setup\", \"version\": \"1\", \"build\": \"b\", \"clock\": \"live\","
      " \"recording\": {\"id\": \"r\", \"directory\": \"/d\", \"name\": \"n\", \"width\": 640,"
      " \"height\": 480, \"frameRate\": 25, \"hasAudio\": true, \"hasVideo\": true},"
      " \"sinks\": [{\"id\": \"mp4\", \"file\": \"/mp4.so\", \"required\": true}],"
      " \"encoder\": {\"preset\": \"ultrafast\", \"crf\": 23, \"maxBitrate\": 4000,"
      " \"keyframeIntervalMs\": 2000, \"audioBitrate\": 128},"
      " \"limits\": {\"sinkQueueMs\": 1, \"sinkQueueBytes\": 1, \"sinkDeadlineMs\": 1,"
      " \"finishDeadlineMs\": 1}}");
}

static void
test_looks_into_parts (void)
{
  g_autoptr (RecJson) fine = make_setup ();
  g_autoptr (RecJson) wrong_part = make_setup ();
  g_autoptr (RecJson) wrong_item = make_setup ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (rec_control_check (fine, true, &error), ==, REC_CONTROL_SETUP);
  g_assert_no_error (error);

  rec_json_set_string (rec_json_get (wrong_part, "encoder"), "crf", "best");
  g_assert_cmpint (rec_control_check (wrong_part, true, &error), ==, REC_CONTROL_INVALID);
  g_assert_nonnull (strstr (error->message, "encoder"));
  g_assert_nonnull (strstr (error->message, "crf"));
  g_clear_error (&error);

  json_object_array_add (rec_json_get (wrong_item, "sinks"), json_object_new_object ());
  g_assert_cmpint (rec_control_check (wrong_item, true, &error), ==, REC_CONTROL_INVALID);
  g_assert_nonnull (strstr (error->message, "sinks"));
}

static void
test_looks_into_pages (void)
{
  g_autoptr (RecJson) setup = make_setup ();
  RecJson *page = json_tokener_parse (
      "{\"plugin\": {\"id\": \"p\", \"file\": \"/p.so\"}, \"layoutDir\": \"/l\", \"baseUrl\": "
      "\"https://localhost:4443/layouts/custom/\", \"layout\": \"\", \"sessionId\": \"s\", "
      "\"secret\": \"x\", \"recordingId\": \"r\", \"hostRules\": \"\", \"port\": 4443, "
      "\"certKeyHash\": \"\", \"fallback\": \"best_fit\", \"browser\": {\"program\": \"chromium\", "
      "\"user\": \"\", \"profileDirectory\": \"/tmp\", \"memoryBytes\": 0, \"cpuPercent\": 0, "
      "\"readyTimeoutMs\": 10000, \"sandbox\": true}}");
  g_autoptr (GError) error = NULL;

  rec_json_take (setup, "page", page);
  g_assert_cmpint (rec_control_check (setup, true, &error), ==, REC_CONTROL_SETUP);
  g_assert_no_error (error);

  rec_json_set_int (rec_json_get (page, "browser"), "sandbox", 1);
  g_assert_cmpint (rec_control_check (setup, true, &error), ==, REC_CONTROL_INVALID);
  g_assert_nonnull (strstr (error->message, "page.browser"));
  g_assert_nonnull (strstr (error->message, "sandbox"));
  g_clear_error (&error);

  json_object_object_del (page, "plugin");
  g_assert_cmpint (rec_control_check (setup, true, &error), ==, REC_CONTROL_INVALID);
  g_assert_nonnull (strstr (error->message, "plugin"));
}

/* --- the socket ----------------------------------------------------------------------------------- */

typedef struct {
  RecControl *control;
  int other; /* end */
  unsigned n_messages, n_closed;
  RecControlType last;
  char *why;  /* NULL: the other end is just gone */
  bool frees; /* itself with the first message */
} Fixture;

static void
on_message (RecControl *control, RecControlType type, json_object *message, void *data)
{
  Fixture *fixture = data;

  (void) message;
  g_assert_true (control == fixture->control);
  fixture->n_messages++;
  fixture->last = type;
  if (fixture->frees)
    g_clear_pointer (&fixture->control, rec_control_free);
}

static void
on_closed (RecControl *control, const GError *error, void *data)
{
  Fixture *fixture = data;

  (void) control;
  fixture->n_closed++;
  if (error != NULL)
    fixture->why = g_strdup (error->message);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  int pair[2];

  (void) data;
  rec_fd_socketpair (SOCK_STREAM, pair, &error);
  g_assert_no_error (error);
  fixture->control = rec_control_new (pair[0], true, on_message, on_closed, fixture);
  fixture->other = pair[1];
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void) data;
  rec_control_free (fixture->control);
  rec_fd_close (&fixture->other);
  g_free (fixture->why);
}

static void
put (Fixture *fixture, const char *text)
{
  g_assert_cmpint (write (fixture->other, text, strlen (text)), ==, (ssize_t) strlen (text));
}

static void
test_lines_may_come_in_pieces (Fixture *fixture, gconstpointer data)
{
  (void) data;
  put (fixture, "{\"type\": \"stop\", ");
  rec_control_poll (fixture->control);
  g_assert_cmpuint (fixture->n_messages, ==, 0);
  put (fixture, "\"atNs\": 1}\n{\"type\": \"track-end\", \"track\": 1, \"atNs\": 1}\n{\"type\"");
  rec_control_poll (fixture->control);
  g_assert_cmpuint (fixture->n_messages, ==, 2);
  g_assert_cmpint (fixture->last, ==, REC_CONTROL_TRACK_END);
  g_assert_cmpuint (fixture->n_closed, ==, 0);
}

static void
test_end_is_told_once (Fixture *fixture, gconstpointer data)
{
  (void) data;
  put (fixture, "{\"type\": \"stop\", \"atNs\": 1}\n");
  rec_fd_close (&fixture->other);
  rec_control_poll (fixture->control);
  rec_control_poll (fixture->control);
  g_assert_cmpuint (fixture->n_messages, ==, 1);
  g_assert_cmpuint (fixture->n_closed, ==, 1);
  g_assert_null (fixture->why);
  g_assert_false (
      rec_control_send (fixture->control, REC_CONTROL_READY, json_object_new_object ()));
}

static void
test_garbage_ends_it (Fixture *fixture, gconstpointer data)
{
  put (fixture, data);
  put (fixture, "\n{\"type\": \"stop\", \"atNs\": 1}\n");
  rec_control_poll (fixture->control);
  g_assert_cmpuint (fixture->n_messages, ==, 0);
  g_assert_cmpuint (fixture->n_closed, ==, 1);
  g_assert_nonnull (fixture->why);
}

static void
test_long_lines_end_it (Fixture *fixture, gconstpointer data)
{
  g_autofree char *piece = g_strnfill (10000, 'x');

  (void) data;
  for (int i = 0; i < 100 && fixture->n_closed == 0; i++) {
    put (fixture, piece);
    rec_control_poll (fixture->control);
  }
  g_assert_cmpuint (fixture->n_closed, ==, 1);
  g_assert_nonnull (strstr (fixture->why, "longer than"));
}

static void
test_may_be_freed_from_within (Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->frees = true;
  put (fixture, "{\"type\": \"stop\", \"atNs\": 1}\n{\"type\": \"stop\", \"atNs\": 2}\n");
  rec_control_poll (fixture->control);
  g_assert_cmpuint (fixture->n_messages, ==, 1);
}

static void
test_queue_is_bounded (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (4000, 'x');
  unsigned n = 0;

  (void) data;
  for (; n < 10000; n++) {
    json_object *message = json_object_new_object ();

    rec_json_set_string (message, "text", text);
    if (!rec_control_send (fixture->control, REC_CONTROL_NOTE, message))
      break;
  }
  g_assert_cmpuint (n, >, 100);
  g_assert_cmpuint (n, <, 10000);
  g_assert_false (rec_control_flush (fixture->control, 10));
}

static void
test_what_is_sent_arrives (Fixture *fixture, gconstpointer data)
{
  char text[256] = "";
  json_object *message = json_object_new_object ();

  (void) data;
  rec_json_set_string (message, "text", "a/b");
  g_assert_true (rec_control_send (fixture->control, REC_CONTROL_NOTE, message));
  g_assert_true (rec_control_flush (fixture->control, 1000));
  g_assert_cmpint (read (fixture->other, text, sizeof text - 1), >, 0);
  g_assert_cmpstr (text, ==, "{\"text\":\"a/b\",\"type\":\"note\"}\n");
}

/* --- media packets -------------------------------------------------------------------------------- */

static void
test_packets_are_checked (void)
{
  uint8_t message[REC_WIRE_PACKET_MAX + 1] = { 0 };
  RecWirePacketHeader header = {
    .magic = REC_WIRE_PACKET_MAGIC, .track_id = 7, .size = 20, .pts_ns = 5
  };
  const size_t whole = sizeof header + 20;
  RecWirePacketHeader read;
  const uint8_t *rtp;

  memcpy (message, &header, sizeof header);
  message[sizeof header] = 0x80;
  g_assert_true (rec_wire_packet_parse (message, whole, &read, &rtp));
  g_assert_true (rtp == message + sizeof header);
  g_assert_cmpuint (read.track_id, ==, 7);

  for (size_t size = 0; size <= sizeof message; size++)
    g_assert_true (rec_wire_packet_parse (message, size, &read, &rtp) == (size == whole));
  message[sizeof header] = 0x40; /* RTP version 1 */
  g_assert_false (rec_wire_packet_parse (message, whole, &read, &rtp));
  message[sizeof header] = 0x80;
  header.pts_ns = -1;
  memcpy (message, &header, sizeof header);
  g_assert_false (rec_wire_packet_parse (message, whole, &read, &rtp));
  header.pts_ns = 1;
  header.magic++;
  memcpy (message, &header, sizeof header);
  g_assert_false (rec_wire_packet_parse (message, whole, &read, &rtp));
}

#define ADD(path, data, call) g_test_add (path, Fixture, data, set_up, call, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/control/knows-its-messages-and-their-direction", test_knows_its_messages);
  g_test_add_func ("/control/refuses-what-is-wrong", test_refuses_what_is_wrong);
  g_test_add_func ("/control/looks-into-parts", test_looks_into_parts);
  g_test_add_func ("/control/looks-into-pages", test_looks_into_pages);
  ADD ("/control/lines-may-come-in-pieces", NULL, test_lines_may_come_in_pieces);
  ADD ("/control/end-is-told-once", NULL, test_end_is_told_once);
  ADD ("/control/garbage-ends-it/text", "hello", test_garbage_ends_it);
  ADD ("/control/garbage-ends-it/bytes", "\x01\xff{}", test_garbage_ends_it);
  ADD ("/control/garbage-ends-it/nothing", "", test_garbage_ends_it);
  ADD ("/control/garbage-ends-it/unknown", "{\"type\": \"dance\"}", test_garbage_ends_it);
  ADD ("/control/long-lines-end-it", NULL, test_long_lines_end_it);
  ADD ("/control/may-be-freed-from-within", NULL, test_may_be_freed_from_within);
  ADD ("/control/queue-is-bounded", NULL, test_queue_is_bounded);
  ADD ("/control/what-is-sent-arrives", NULL, test_what_is_sent_arrives);
  g_test_add_func ("/packet/only-whole-ones-pass", test_packets_are_checked);
  return g_test_run ();
}
