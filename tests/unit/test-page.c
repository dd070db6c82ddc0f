/* test-page.c - a captured page's times, the lines of its console, and its place on the canvas. */
#include "base/fd.h"
#include "base/json.h"
#include "worker/page-clock.h"
#include "worker/page-console.h"
#include "worker/page-line.h"
#include "worker/page-window.h"
#include "worker/scene.h"

#include <string.h>

#define MS INT64_C (1000)
#define SECOND (1000 * MS)
#define NOW (1000 * SECOND)

/* --- times ---------------------------------------------------------------------------------------- */

static void
test_takes_pictures_at_their_word (void)
{
  RecPageClock clock = { 0 };

  g_assert_cmpint (rec_page_clock_place_picture (&clock, NOW - 20 * MS, NOW), ==,
      (NOW - 20 * MS) * 1000);
  /* A later one may be as late as it likes. */
  g_assert_cmpint (rec_page_clock_place_picture (&clock, NOW, NOW + 5 * SECOND), ==, NOW * 1000);
}

static void
test_does_without_the_pictures_clock_if_it_is_another (void)
{
  RecPageClock clock = { 0 };

  g_assert_cmpint (rec_page_clock_place_picture (&clock, 7 * MS, NOW), ==, NOW * 1000);
  g_assert_cmpint (rec_page_clock_place_picture (&clock, 107 * MS, NOW + 130 * MS), ==,
      (NOW + 100 * MS) * 1000);
}

static void
test_places_sound_by_what_was_measured (void)
{
  RecPageClock clock = { 0 };
  bool is_jump;

  (void) rec_page_clock_place_sound (&clock, 5 * SECOND, NOW + 30 * MS, &is_jump);
  rec_page_clock_set_difference (&clock, NOW - 5 * SECOND - 12 * MS);
  g_assert_cmpint (rec_page_clock_place_sound (&clock, 6 * SECOND, NOW + 1040 * MS, &is_jump), ==,
      (NOW + SECOND - 12 * MS) * 1000);
  g_assert_false (is_jump);
}

/* Nothing could be measured: the quickest block says most. */
static void
test_guesses_otherwise (void)
{
  RecPageClock clock = { 0 };
  bool is_jump;
  int64_t placed = 0;

  for (int i = 0; i < 100; i++)
    placed = rec_page_clock_place_sound (&clock, i * 10 * MS,
        NOW + i * 10 * MS + (i % 7 == 3 ? 20 : 90) * MS, &is_jump);
  g_assert_cmpint (placed / 1000, >, NOW + 990 * MS - 60 * MS);
  g_assert_cmpint (placed / 1000, <, NOW + 990 * MS + 20 * MS);
}

/* Blocks of 10 ms for so long, each so late; returns where the last one was placed, less where it should be. */
static int64_t
hear (RecPageClock *clock, int64_t *at_us, int64_t shift_us, int64_t late_us, int n, int *n_jumps)
{
  int64_t off_us = 0;

  for (int i = 0; i < n; i++, *at_us += 10 * MS) {
    bool is_jump;
    const int64_t placed = rec_page_clock_place_sound (clock, *at_us - NOW + shift_us,
        *at_us + late_us + (i % 5) * MS, &is_jump);

    off_us = placed / 1000 - *at_us;
    *n_jumps += is_jump;
  }
  return off_us;
}

static void
test_follows_a_clock_that_jumps_but_not_a_slow_machine (void)
{
  RecPageClock clock = { 0 };
  int64_t at_us = NOW;
  int n_jumps = 0;

  hear (&clock, &at_us, 0, 30 * MS, 100, &n_jumps);
  rec_page_clock_set_difference (&clock, NOW);
  g_assert_cmpint (hear (&clock, &at_us, 0, 30 * MS, 2000, &n_jumps), ==, 0);
  g_assert_cmpint (hear (&clock, &at_us, 0, 120 * MS, 2000, &n_jumps), ==, 0);
  g_assert_cmpint (n_jumps, ==, 0);
  /* It starts anew. */
  g_assert_cmpint (ABS (hear (&clock, &at_us, -20 * SECOND, 30 * MS, 2000, &n_jumps)), <, 100 * MS);
  g_assert_cmpint (n_jumps, ==, 1);
}

/* --- its window ------------------------------------------------------------------------------------ */

static void
on_browser_event (const RecCdpMessage *message G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static void
on_browser_closed (const char *why, void *data G_GNUC_UNUSED)
{
  g_error ("%s", why);
}

/* Whether the event goes on to others. */
static bool
tell (RecPageWindow *window, const char *method, const char *params)
{
  g_autoptr (RecJson) content = json_tokener_parse (params);
  const RecCdpMessage message = { .method = method, .session = "A", .content = content };

  return !rec_page_window_take_event (window, &message);
}

/* Whatever else is loaded before, or within. */
static void
test_waits_for_its_own_document (void)
{
  static const RecCdpLinkEvents events = { on_browser_event, on_browser_closed };
  const char *url = "https://ours.invalid/";
  RecPageWindow window = { 0 };
  int from[2], to[2];

  g_assert_true (rec_fd_pipe (from, NULL) && rec_fd_pipe (to, NULL));
  RecCdpLink *link = rec_cdp_link_new (from[0], to[1], &events, NULL);
  rec_page_window_open (&window, link, url, "ours", "", 640, 360);
  g_assert_false (tell (&window, "Page.frameNavigated", "{\"frame\": {\"url\": \"about:blank\"}}"));
  g_assert_false (tell (&window, "Page.loadEventFired", "{}"));
  g_assert_false (window.is_loaded);
  g_assert_false (
      tell (&window, "Page.frameNavigated", "{\"frame\": {\"url\": \"https://ours.invalid/\"}}"));
  g_assert_false (window.is_loaded);
  g_assert_true (tell (&window, "Page.loadEventFired", "{}"));
  g_assert_true (window.is_loaded);

  rec_page_window_clear (&window);
  rec_cdp_link_free (link);
  for (int i = 0; i < 2; i++) {
    rec_fd_close (&from[i]);
    rec_fd_close (&to[i]);
  }
}

/* --- lines ----------------------------------------------------------------------------------------- */

static void
test_reads_lines (void)
{
  RecPageLine line;

  g_assert_true (rec_page_line_parse ("video 1 123456 AAEC", &line));
  g_assert_cmpint (line.kind, ==, REC_PAGE_LINE_VIDEO);
  g_assert_true (line.is_keyframe);
  g_assert_cmpint (line.timestamp_us, ==, 123456);
  g_assert_cmpuint (g_bytes_get_size (line.data), ==, 3);
  rec_page_line_clear (&line);
  g_assert_true (
      rec_page_line_parse ("sound -7 44100 AAECAwQF", &line)); /* six bytes: one sample */
  g_assert_cmpint (line.kind, ==, REC_PAGE_LINE_SOUND);
  g_assert_cmpint (line.timestamp_us, ==, -7);
  g_assert_cmpint (line.rate, ==, 44100);
  g_assert_cmpuint (g_bytes_get_size (line.data), ==, 4);
  rec_page_line_clear (&line);
  g_assert_true (rec_page_line_parse ("size 640 360", &line));
  g_assert_cmpint (line.width * 1000 + line.height, ==, 640360);
  g_assert_true (rec_page_line_parse ("look 255", &line));
  g_assert_cmpint (line.spread, ==, 255);
  g_assert_true (rec_page_line_parse ("error it is over", &line));
  g_assert_cmpstr (line.text, ==, "it is over");
}

static void
test_refuses_other_lines (void)
{
  static const char *const cases[] = { "", " ", "video", "video 2 1 AAAA", "video 1 x AAAA",
    "video 1 1", "video 1 1 ", "video 1 99999999999999999999 AAAA", "sound 1 7 AAAA",
    "sound 1 48000 AAA", "sound 1 48000 !!!!", "sound 48000", "size 640", "size -1 5",
    "size 1 99999999", "look 256", "look", "dance 1", "videos 1 1 AAAA" };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    RecPageLine line;

    if (rec_page_line_parse (cases[i], &line))
      g_error ("'%s' was taken", cases[i]);
    g_assert_null (line.data);
  }
}

/* --- the console ------------------------------------------------------------------------------------ */

static void
test_writes_console_lines (void)
{
  static const struct {
    const char *method, *content, *line;
  } cases[] = {
    { "Runtime.consoleAPICalled",
        "{\"type\":\"log\",\"args\":[{\"type\":\"string\",\"value\":\"a\\nb\"},{\"type\":"
        "\"number\","
        "\"value\":7},{\"type\":\"object\",\"description\":\"Object\"},{\"type\":\"undefined\"}]}",
        "log: a b 7 Object undefined" },
    { "Runtime.consoleAPICalled", "{\"type\":\"error\",\"args\":[]}", "error:" },
    { "Runtime.consoleAPICalled", "{}", "log:" },
    { "Runtime.exceptionThrown",
        "{\"exceptionDetails\":{\"text\":\"Uncaught\",\"exception\":{\"description\":"
        "\"ReferenceError: x is not defined\\n    at a.js:1\"}}}",
        "error: Uncaught ReferenceError: x is not defined     at a.js:1" },
    { "Runtime.exceptionThrown",
        "{\"exceptionDetails\":{\"text\":\"Uncaught\",\"exception\":"
        "{\"value\":\"thrown\"}}}",
        "error: Uncaught thrown" },
    { "Log.entryAdded",
        "{\"entry\":{\"level\":\"error\",\"text\":\"Failed to load\",\"url\":"
        "\"https://a/b.js?secret=hush\"}}",
        "error: Failed to load (https://a/b.js)" },
    { "Page.loadEventFired", "{}", NULL },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (RecJson) content = json_tokener_parse (cases[i].content);
    g_autofree char *line = rec_page_console_dup_line (cases[i].method, content);

    g_assert_cmpstr (line, ==, cases[i].line);
  }
}

static void
test_cuts_console_lines (void)
{
  g_autoptr (GString) text = g_string_new ("{\"entry\":{\"level\":\"info\",\"text\":\"");

  for (int i = 0; i < 2000; i++)
    g_string_append (text, "ä");
  g_string_append (text, "\"}}");
  g_autoptr (RecJson) content = json_tokener_parse (text->str);
  g_autofree char *line = rec_page_console_dup_line ("Log.entryAdded", content);
  g_assert_cmpuint (strlen (line), <=, REC_PAGE_CONSOLE_MAX_LINE + 3);
  g_assert_true (g_utf8_validate (line, -1, NULL));
  g_assert_true (g_str_has_suffix (line, "ä..."));
}

/* --- the canvas --------------------------------------------------------------------------------------- */

static void
arrange_nothing (const RecScene *scene, RecTile *tiles)
{
  (void) tiles;
  g_error ("the layout was asked about %u streams", scene->n_streams);
}

static void
arrange_first (const RecScene *scene, RecTile *tiles)
{
  if (scene->n_streams > 0)
    tiles[0].rect = (RecRect){ 0, 0, 100, 100 };
}

static void
add_stream (RecSceneBoard *board, const char *id, uint32_t track)
{
  RecSceneStream *stream = rec_scene_add (board, id, "", "", 0);

  stream->video_track = track;
  stream->stream.flags = REC_STREAM_VIDEO | REC_STREAM_HAS_PICTURE;
  stream->stream.width = 640;
  stream->stream.height = 360;
  rec_scene_touch (board);
}

static void
test_fills_the_canvas_alone (void)
{
  const RecArrangingLayout nothing = { .arrange = arrange_nothing };
  RecSceneBoard *board = rec_scene_new (640, 360, "x", &nothing, NULL);
  GArray *placements;

  add_stream (board, "s1", 1);
  add_stream (board, REC_SCENE_PAGE, 2);
  g_assert_true (rec_scene_arrange (board, 0, &placements));
  g_assert_cmpuint (placements->len, ==, 1);
  const RecPlacement *page = &g_array_index (placements, RecPlacement, 0);
  g_assert_cmpuint (page->video_track, ==, 2);
  g_assert_cmpint (page->picture.x + page->picture.y, ==, 0);
  g_assert_cmpint (page->picture.width, ==, 640);
  g_assert_cmpint (page->picture.height, ==, 360);
  rec_scene_free (board);
}

static void
test_leaves_the_canvas_to_the_layout_in_the_end (void)
{
  const RecArrangingLayout first = { .arrange = arrange_first };
  RecSceneBoard *board = rec_scene_new (640, 360, "x", &first, NULL);
  GArray *placements;

  add_stream (board, "s1", 1);
  add_stream (board, REC_SCENE_PAGE, 2);
  g_assert_true (rec_scene_arrange (board, 0, &placements));
  rec_scene_remove (board, rec_scene_find (board, REC_SCENE_PAGE));
  g_assert_true (rec_scene_arrange (board, 1, &placements));
  g_assert_cmpuint (placements->len, ==, 1);
  g_assert_cmpuint (g_array_index (placements, RecPlacement, 0).video_track, ==, 1);
  g_assert_cmpint (g_array_index (placements, RecPlacement, 0).tile.width, ==, 100);
  rec_scene_free (board);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/page-clock/takes-pictures-at-their-word", test_takes_pictures_at_their_word);
  g_test_add_func ("/page/window/waits-for-its-own-document", test_waits_for_its_own_document);
  g_test_add_func ("/page-clock/does-without-the-pictures-clock-if-it-is-another",
      test_does_without_the_pictures_clock_if_it_is_another);
  g_test_add_func ("/page-clock/places-sound-by-what-was-measured",
      test_places_sound_by_what_was_measured);
  g_test_add_func ("/page-clock/guesses-otherwise", test_guesses_otherwise);
  g_test_add_func ("/page-clock/follows-a-clock-that-jumps-but-not-a-slow-machine",
      test_follows_a_clock_that_jumps_but_not_a_slow_machine);
  g_test_add_func ("/page-line/reads-lines", test_reads_lines);
  g_test_add_func ("/page-line/refuses-other-lines", test_refuses_other_lines);
  g_test_add_func ("/page-console/writes-lines", test_writes_console_lines);
  g_test_add_func ("/page-console/cuts-lines", test_cuts_console_lines);
  g_test_add_func ("/page-scene/fills-the-canvas-alone", test_fills_the_canvas_alone);
  g_test_add_func ("/page-scene/leaves-the-canvas-to-the-layout-in-the-end",
      test_leaves_the_canvas_to_the_layout_in_the_end);
  return g_test_run ();
}
