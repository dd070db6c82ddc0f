/* page-run.c - decides: ready, restarted, fallen back, failed.
 *
 * A page is ready once its participant has joined (if it can at all) and it shows something. From then on a browser that
 * crashes, hangs or takes too much is replaced while the recorder holds the last picture; one that keeps doing so, or a
 * page that never gets ready, is given up. */
#define G_LOG_DOMAIN "rec.worker.page"
#include "worker/page-run.h"

#include "base/json.h"
#include "wire/control.h"
#include "worker/page-capture.h"
#include "worker/page-feed.h"

#include <string.h>

#define MAX_LAUNCHES 2 /* now and then a browser never comes to it; the next one does */
#define FIRST_LAUNCH_MS (REC_WIRE_PAGE_LAUNCH_MS / 3)
#define MAX_RESTARTS 3
#define RESTARTS_US (60 * G_USEC_PER_SEC) /* so many within this time, then it is given up */
#define PLAIN 12 /* of 255: a picture that differs by less is of one colour */
#define MAX_PLAIN_MS                                                                               \
  2000 /* how long a page of one colour is waited for, if nobody says that it should show more */
#define ASK_US (300 * 1000)
#define GONE_MS 5000 /* a participant that has left this long does not come back by itself */
#define MAX_LINES 99 /* at once; one more says how many were left out */
#define TELL_MS 500
#define MAX_LATEST 10 /* lines that go with a failure */

typedef enum {
  STATE_INVALID = 0,
  STATE_LAUNCHING, /* the browser starts */
  STATE_LOADING,   /* the page was opened */
  STATE_SHOWN,     /* it is what the recording shows */
  STATE_GIVEN_UP,  /* fell back, or failed */
  STATE_OVER,
} State;

struct RecPageRun {
  const RecPageRecipe *recipe;
  RecPageRunEvents events;
  void *data;
  State state;
  RecPageCapture *capture;
  RecPageFeed *feed;
  bool is_ready; /* said so */
  bool has_joined, is_loaded;
  int n_streams;
  unsigned n_launches; /* in vain, since the page was last opened */
  unsigned deadline, plain_deadline, gone_deadline;
  bool is_plain_enough; /* one colour, and that is accepted */
  bool has_right_size;  /* the captured picture, when last looked at */
  int64_t asked_us;     /* the page, about what it shows */
  int64_t restarts_us[MAX_RESTARTS];
  unsigned n_restarts;

  GQueue lines; /* of the console, not told yet */
  unsigned n_lost_lines;
  unsigned telling; /* source that tells of them */
  GQueue latest;    /* told with a failure */
};

static void start_browser (RecPageRun *run);
static void handle_fault (RecPageRun *run, const char *event, const char *why);

/* --- what is said --------------------------------------------------------------------------------- */

static json_object *
take_lines (GQueue *lines)
{
  json_object *array = json_object_new_array ();
  char *line;

  while ((line = g_queue_pop_head (lines)) != NULL) {
    json_object_array_add (array, json_object_new_string (line));
    g_free (line);
  }
  return array;
}

static json_object *
make_message (const char *event, const char *text)
{
  json_object *message = json_object_new_object ();

  rec_json_set_string (message, "event", event);
  if (text != NULL) {
    g_autofree char *cut = g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), 1000));

    rec_json_set_string (message, "message", cut);
  }
  return message;
}

static void
say (RecPageRun *run, const char *event, const char *text)
{
  run->events.say (make_message (event, text), run->data);
}

static gboolean
tell_lines (gpointer data)
{
  RecPageRun *run = data;
  json_object *message = make_message ("console", NULL);

  run->telling = 0;
  if (run->n_lost_lines > 0)
    g_queue_push_tail (&run->lines,
        g_strdup_printf ("warning: %u more lines were left out", run->n_lost_lines));
  run->n_lost_lines = 0;
  rec_json_take (message, "console", take_lines (&run->lines));
  run->events.say (message, run->data);
  return G_SOURCE_REMOVE;
}

/* The secret is for the page alone, and its console may be read by more. */
static char *
hide_secret (const RecPageRun *run, const char *line)
{
  g_auto (GStrv) parts = NULL;

  if (*run->recipe->secret == '\0')
    return g_strdup (line);
  parts = g_strsplit (line, run->recipe->secret, -1);
  return g_strjoinv ("***", parts);
}

static void
on_console (const char *text, void *data)
{
  RecPageRun *run = data;
  char *line = hide_secret (run, text);

  if (!g_str_has_prefix (line, "debug:"))
    g_queue_push_tail (&run->latest, g_strdup (line));
  if (run->latest.length > MAX_LATEST)
    g_free (g_queue_pop_head (&run->latest));
  if (run->lines.length < MAX_LINES) {
    g_queue_push_tail (&run->lines, line);
  } else {
    run->n_lost_lines++;
    g_free (line);
  }
  if (run->telling == 0)
    run->telling = g_timeout_add (TELL_MS, tell_lines, run);
}

/* --- timers ----------------------------------------------------------------------------------------- */

static void
clear_timer (unsigned *timer)
{
  if (*timer != 0)
    g_source_remove (*timer);
  *timer = 0;
}

static void
clear_timers (RecPageRun *run)
{
  clear_timer (&run->deadline);
  clear_timer (&run->plain_deadline);
  clear_timer (&run->gone_deadline);
}

/* --- the end of a page -------------------------------------------------------------------------------- */

static void
drop_browser (RecPageRun *run)
{
  clear_timers (run);
  rec_page_feed_pause (run->feed);
  g_clear_pointer (&run->capture, rec_page_capture_free);
  run->has_joined = run->is_loaded = run->is_plain_enough = false;
}

/* No page any more. What the recording shows from now on are the session's streams, or nothing. */
static void
give_up (RecPageRun *run, const char *why)
{
  json_object *message = make_message ("failed", why);
  g_autofree char *text =
      g_strdup_printf ("the page is of no use: %s", why); /* may be the browser's */

  drop_browser (run);
  if (run->telling != 0) {
    clear_timer (&run->telling);
    tell_lines (run);
  }
  rec_json_take (message, "console", take_lines (&run->latest));
  run->events.say (message, run->data);
  rec_page_feed_end (run->feed);
  run->state = STATE_GIVEN_UP;
  if (!run->recipe->may_fall_back) {
    run->events.failed (text, false, run->data);
    return;
  }
  say (run, "fallback", NULL);
  if (!run->is_ready) {
    run->is_ready = true;
    run->events.ready (run->data);
  }
}

/* Whether it was not done too often of late. */
static bool
may_restart (RecPageRun *run)
{
  const int64_t now_us = g_get_monotonic_time ();
  int64_t *oldest = &run->restarts_us[run->n_restarts % MAX_RESTARTS];

  if (run->n_restarts >= MAX_RESTARTS && now_us - *oldest < RESTARTS_US)
    return false;
  *oldest = now_us;
  run->n_restarts++;
  return true;
}

/* event: what goes to the server before the restart. */
static void
handle_fault (RecPageRun *run, const char *event, const char *why)
{
  if (!run->is_ready || !may_restart (run)) {
    give_up (run, why);
    return;
  }
  g_warning ("the page is opened anew: %s", why);
  say (run, event, why);
  drop_browser (run);
  start_browser (run);
}

/* That is not the page's fault, and nothing to fall back from silently. */
static void
refuse (RecPageRun *run, const char *why)
{
  g_autofree char *text =
      g_strdup_printf ("page layouts need a browser, but %s: install the package chromium, or see "
                       "browser.program and browser.sandbox",
          why);

  drop_browser (run);
  run->state = STATE_GIVEN_UP;
  run->events.failed (text, true, run->data);
}

static void
on_failed (RecPageFault fault, const char *why, void *data)
{
  static const char *const events[] = {
    [REC_PAGE_FAULT_UNUSABLE] = "crashed",
    [REC_PAGE_FAULT_BROWSER] = "crashed",
    [REC_PAGE_FAULT_NETWORK] = "crashed",
    [REC_PAGE_FAULT_CRASH] = "crashed",
    [REC_PAGE_FAULT_HANG] = "hung",
    [REC_PAGE_FAULT_LIMIT] = "limit",
  };

  RecPageRun *run = data;

  if (fault == REC_PAGE_FAULT_UNUSABLE && !run->is_ready)
    refuse (run, why);
  else
    handle_fault (run, events[fault], why);
}

/* --- ready, or not -------------------------------------------------------------------------------------- */

static gboolean
on_deadline (gpointer data)
{
  RecPageRun *run = data;
  g_autofree char *why = NULL;

  run->deadline = 0;
  if (run->state == STATE_LAUNCHING && ++run->n_launches < MAX_LAUNCHES) {
    g_warning ("the browser does not come to it: trying another one");
    drop_browser (run);
    start_browser (run);
    return G_SOURCE_REMOVE;
  }
  if (run->state == STATE_LAUNCHING)
    why =
        g_strdup_printf ("the browser could not capture it within %d ms", REC_WIRE_PAGE_LAUNCH_MS);
  else if (rec_page_capture_is_silent (run->capture))
    why = g_strdup_printf ("it did not answer, %d ms after it was opened",
        run->recipe->ready_timeout_ms);
  else if (run->recipe->must_join && !run->has_joined)
    why =
        g_strdup_printf ("it did not join the session within %d ms", run->recipe->ready_timeout_ms);
  else if (!run->recipe->must_join && !run->is_loaded)
    why = g_strdup_printf ("it was not loaded within %d ms", run->recipe->ready_timeout_ms);
  else if (!run->has_right_size)
    why = g_strdup_printf ("its window had not the size of %dx%d pixels within %d ms",
        run->recipe->width, run->recipe->height, run->recipe->ready_timeout_ms);
  else
    why = g_strdup_printf ("it shows nothing but one colour, %d ms after it was opened",
        run->recipe->ready_timeout_ms);
  give_up (run, why);
  return G_SOURCE_REMOVE;
}

static bool
is_connected (const RecPageRun *run)
{
  return run->recipe->must_join ? run->has_joined : run->is_loaded;
}

static void
show (RecPageRun *run)
{
  int64_t from_ns, to_ns;

  run->state = STATE_SHOWN;
  clear_timers (run);
  rec_page_capture_watch (run->capture, false);
  rec_page_capture_guard (run->capture);
  if (rec_page_feed_resume (run->feed, &from_ns, &to_ns)) {
    json_object *message = make_message ("restarted", NULL);

    rec_json_set_int (message, "fromNs", from_ns);
    rec_json_set_int (message, "toNs", to_ns);
    run->events.say (message, run->data);
  }
  say (run, "painted", run->is_plain_enough ? "it shows nothing but one colour" : NULL);
  if (run->is_ready)
    return;
  run->is_ready = true;
  run->events.ready (run->data);
}

static gboolean
on_plain_deadline (gpointer data)
{
  RecPageRun *run = data;

  run->plain_deadline = 0;
  run->is_plain_enough = true;
  return G_SOURCE_REMOVE;
}

/* Something is there, though all of it may have the same colour. */
static void
on_media (bool is_there, void *data)
{
  RecPageRun *run = data;

  if (is_there && run->state == STATE_LOADING && is_connected (run) &&
      rec_page_feed_has_picture (run->feed))
    show (run);
}

static void
on_look (int spread, bool has_right_size, void *data)
{
  RecPageRun *run = data;
  const int64_t now_us = g_get_monotonic_time ();

  run->has_right_size = has_right_size;
  if (run->state != STATE_LOADING || !is_connected (run) || !has_right_size ||
      !rec_page_feed_has_picture (run->feed))
    return;
  if (spread >= PLAIN || run->is_plain_enough) {
    run->is_plain_enough = spread < PLAIN;
    show (run);
    return;
  }
  if (run->plain_deadline == 0 && run->n_streams <= 0)
    run->plain_deadline = g_timeout_add (MAX_PLAIN_MS, on_plain_deadline, run);
  if (now_us - run->asked_us < ASK_US)
    return;
  run->asked_us = now_us;
  rec_page_capture_ask_for_media (run->capture, on_media);
}

/* --- the capture ------------------------------------------------------------------------------------------ */

static void
on_opened (void *data)
{
  RecPageRun *run = data;

  run->state = STATE_LOADING;
  run->n_launches = 0;
  clear_timer (&run->deadline);
  run->deadline = g_timeout_add ((unsigned) run->recipe->ready_timeout_ms, on_deadline, run);
  rec_page_capture_watch (run->capture, true);
  say (run, "loading", NULL);
}

static void
on_loaded (void *data)
{
  RecPageRun *run = data;

  run->is_loaded = true;
}

static void
on_picture (GBytes *picture, int64_t pts_ns, bool is_keyframe, void *data)
{
  RecPageRun *run = data;

  rec_page_feed_take_picture (run->feed, picture, pts_ns, is_keyframe);
}

static void
on_sound (GBytes *samples, int rate, int64_t pts_ns, bool is_discont, void *data)
{
  RecPageRun *run = data;

  rec_page_feed_take_sound (run->feed, samples, rate, pts_ns, is_discont);
}

static void
on_slowed (const char *why, void *data)
{
  say (data, "slowed", why);
}

/* A machine may be so slow that no browser comes to it in the first one's time. */
static unsigned
get_launch_ms (const RecPageRun *run)
{
  return run->n_launches == 0 ? FIRST_LAUNCH_MS : REC_WIRE_PAGE_LAUNCH_MS - FIRST_LAUNCH_MS;
}

static RecPageCapture *
make_capture (RecPageRun *run, GError **error)
{
  static const RecPageCaptureEvents events = {
    .opened = on_opened,
    .loaded = on_loaded,
    .picture = on_picture,
    .sound = on_sound,
    .look = on_look,
    .console = on_console,
    .slowed = on_slowed,
    .failed = on_failed,
  };
  RecJson *setup = run->recipe->setup, *browser = rec_json_get (setup, "browser");
  const RecPageCaptureRecipe recipe = {
    .browser = {
      .program = rec_json_string_or (browser, "program", ""),
      .user = rec_json_string_or (browser, "user", ""),
      .profile_directory = rec_json_string_or (browser, "profileDirectory", ""),
      .has_sandbox = rec_json_bool_or (browser, "sandbox", true),
      .width = run->recipe->width,
      .height = run->recipe->height,
      .host_rules = rec_json_string_or (setup, "hostRules", ""),
      .cert_key_hash = rec_json_string_or (setup, "certKeyHash", ""),
      .reachable = (const char *const *) run->recipe->reachable,
      .group = rec_json_string_or (browser, "group", ""),
      .max_memory_bytes = rec_json_int_or (browser, "memoryBytes", 0),
      .max_cpu_percent = rec_json_int_or (browser, "cpuPercent", 0),
    },
    .url = run->recipe->url,
    .frame_rate = run->recipe->frame_rate,
    .background = run->recipe->background,
    .has_sound = run->recipe->has_sound,
  };

  return rec_page_capture_new (&recipe, &events, run, error);
}

static void
start_browser (RecPageRun *run)
{
  g_autoptr (GError) error = NULL;

  run->capture = make_capture (run, &error);
  if (run->capture == NULL) {
    give_up (run, error->message);
    return;
  }
  run->state = STATE_LAUNCHING;
  run->deadline = g_timeout_add (get_launch_ms (run), on_deadline, run);
}

/* --- the participant ---------------------------------------------------------------------------------------- */

static gboolean
on_gone (gpointer data)
{
  RecPageRun *run = data;

  run->gone_deadline = 0;
  handle_fault (run, "crashed", "it has left the session");
  return G_SOURCE_REMOVE;
}

void
rec_page_run_set_joined (RecPageRun *run, bool has_joined, int n_streams)
{
  const bool is_first = has_joined && !run->has_joined;

  run->has_joined = has_joined;
  run->n_streams = n_streams;
  if (run->capture == NULL)
    return;
  clear_timer (&run->gone_deadline);
  if (is_first)
    say (run, "connected", NULL);
  if (!has_joined && run->state == STATE_SHOWN && run->recipe->must_join)
    run->gone_deadline = g_timeout_add (GONE_MS, on_gone, run);
}

/* --- life ----------------------------------------------------------------------------------------------------- */

RecPageRun *
rec_page_run_new (const RecPageRecipe *recipe, bool has_video, const RecPageRunEvents *events,
    void *data, GError **error)
{
  RecPageRun *run = g_new0 (RecPageRun, 1);

  run->recipe = recipe;
  run->events = *events;
  run->data = data;
  run->n_streams = -1;
  run->feed = rec_page_feed_new (has_video);
  run->capture = make_capture (run, error);
  if (run->capture == NULL) {
    rec_page_run_free (run);
    return NULL;
  }
  run->state = STATE_LAUNCHING;
  run->deadline = g_timeout_add (get_launch_ms (run), on_deadline, run);
  return run;
}

void
rec_page_run_free (RecPageRun *run)
{
  if (run == NULL)
    return;
  rec_page_run_end (run);
  rec_page_feed_free (run->feed);
  g_free (run);
}

void
rec_page_run_begin (RecPageRun *run, RecRecorder *recorder, int64_t start_ns)
{
  if (run->state != STATE_GIVEN_UP && run->state != STATE_OVER)
    rec_page_feed_begin (run->feed, recorder, start_ns);
}

void
rec_page_run_end (RecPageRun *run)
{
  clear_timers (run);
  if (run->telling != 0) {
    clear_timer (&run->telling);
    tell_lines (run);
  }
  g_queue_clear_full (&run->lines, g_free);
  g_queue_clear_full (&run->latest, g_free);
  rec_page_feed_pause (run->feed);
  g_clear_pointer (&run->capture, rec_page_capture_free);
  run->state = STATE_OVER;
}

void
rec_page_run_force_keyframe (RecPageRun *run)
{
  if (run->capture != NULL)
    rec_page_capture_force_keyframe (run->capture);
}

bool
rec_page_run_is_page (const RecPageRun *run)
{
  return run->state != STATE_GIVEN_UP;
}
