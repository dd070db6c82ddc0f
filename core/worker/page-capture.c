/* page-capture.c - opens both windows, measures their clocks, opens the page, and watches over it.
 *
 * The order matters: each window must be one of its own (a second tab of one window is hidden, and its media may never
 * load), the capture must have begun before the window gets its size (the bar that tells of it takes some of the height,
 * and may come back), and the page comes last, so that its start is seen. */
#define G_LOG_DOMAIN "rec.worker.page"
#include "worker/page-capture.h"

#include "base/json.h"
#include "worker/cdp-link.h"
#include "worker/page-clock.h"
#include "worker/page-console.h"
#include "worker/page-line.h"
#include "worker/page-script.h"
#include "worker/page-window.h"
#include "worker/usage.h"

#include <string.h>

/* Addresses that no name server knows: we answer for them ourselves. */
#define CALIBRATION_URL "https://calibration.recto.invalid/"
#define CONTROLLER_URL "https://controller.recto.invalid/"
#define BITS_PER_PIXEL 0.2 /* it is decoded and encoded once more */
#define MIN_BITRATE 500000
#define HANG_US (2 * G_USEC_PER_SEC)
#define DEAD_US (10 * G_USEC_PER_SEC) /* not even our own window answers */
#define MAX_FITS 100
#define END_MS 300
#define LEAST_GAP_US 5000 /* between two blocks of sound */
#define MAX_GAP_US 500000 /* what is more is another beginning */
#define SAMPLE_BYTES 4    /* two channels of 16 bits */

struct RecPageCapture {
  RecBrowser *browser;
  RecCdpLink *link;
  RecPageCaptureEvents events;
  void *data;
  char *url, *title;
  int width, height, frame_rate;
  uint32_t background;
  bool has_sound;
  RecPageWindow page, controller;
  bool is_capturing; /* begin was called */
  bool is_measured;  /* as well as it could be */
  bool is_open;
  bool is_guarded;   /* it may not be silent any more */
  int64_t window_id; /* of the page's window; 0: not known */
  bool is_right_size;
  unsigned n_fits;
  RecPageClock clock;
  int64_t sound_end_us; /* where the next block should begin; 0: none yet */
  RecUsageMeter meter;
  bool is_slowed; /* said so */
  unsigned tick;
  RecPageAnswered answered; /* to the one question */

  RecPageFault fault;
  char *why;
  unsigned telling; /* source that tells of the fault */
};

/* --- the end ------------------------------------------------------------------------------------- */

static gboolean
tell_failed (gpointer data)
{
  RecPageCapture *capture = data;

  capture->telling = 0;
  capture->events.failed (capture->fault, capture->why, capture->data);
  return G_SOURCE_REMOVE;
}

/* Told from the loop: what is called must be free to free us. Takes why. */
static void
fail (RecPageCapture *capture, RecPageFault fault, char *why)
{
  g_autofree char *owned = why;

  if (capture->fault != REC_PAGE_FAULT_INVALID)
    return;
  capture->fault = fault;
  capture->why = g_steal_pointer (&owned);
  /* A pipe that closes is soon followed by the end of its process, which says more. */
  capture->telling =
      g_timeout_add (fault == REC_PAGE_FAULT_BROWSER ? END_MS : 0, tell_failed, capture);
}

static void
on_window_failed (const char *what, const char *why, void *data)
{
  fail (data, REC_PAGE_FAULT_BROWSER, g_strdup_printf ("the browser cannot %s: %s", what, why));
}

static bool
has_failed (const RecPageCapture *capture)
{
  return capture->fault != REC_PAGE_FAULT_INVALID;
}

/* For answers that must go well. */
static bool
check (RecPageCapture *capture, const char *what, const char *failure)
{
  if (failure != NULL)
    on_window_failed (what, failure, capture);
  return !has_failed (capture);
}

/* --- the page, last ------------------------------------------------------------------------------- */

static void
on_navigated (RecJson *result, const char *failure, void *data)
{
  RecPageCapture *capture = data;
  const char *why = failure != NULL ? failure : rec_json_string_or (result, "errorText", NULL);

  if (why != NULL)
    fail (capture, REC_PAGE_FAULT_NETWORK,
        g_strdup_printf ("its address cannot be opened: %s", why));
}

static void
set_background (RecPageCapture *capture)
{
  const uint32_t colour = capture->background;
  RecJson *params, *rgba;

  if (colour == 0)
    return;
  params = json_object_new_object ();
  rgba = json_object_new_object ();
  rec_json_set_int (rgba, "r", colour >> 16 & 255);
  rec_json_set_int (rgba, "g", colour >> 8 & 255);
  rec_json_set_int (rgba, "b", colour & 255);
  rec_json_set_double (rgba, "a", (colour >> 24) / 255.0);
  rec_json_take (params, "color", rgba);
  rec_page_window_call (&capture->page, "Emulation.setDefaultBackgroundColorOverride", params, NULL,
      NULL);
}

static void
add_pulse (RecPageCapture *capture)
{
  RecJson *params = json_object_new_object ();

  rec_json_set_string (params, "source", rec_page_pulse_js);
  rec_json_set_string (params, "worldName", "recto");
  rec_page_window_call (&capture->page, "Page.addScriptToEvaluateOnNewDocument", params, NULL,
      NULL);
}

static void
open_page (RecPageCapture *capture)
{
  RecJson *params = json_object_new_object ();

  rec_page_window_call (&capture->page, "Fetch.disable", NULL, NULL, NULL);
  rec_page_window_call (&capture->page, "Log.enable", NULL, NULL, NULL);
  set_background (capture);
  add_pulse (capture);
  rec_json_set_string (params, "url", capture->url);
  rec_page_window_call (&capture->page, "Page.navigate", params, on_navigated, capture);
  capture->is_open = true;
  capture->page.asked_us = capture->page.answered_us = g_get_monotonic_time ();
  capture->controller.asked_us = capture->controller.answered_us = capture->page.asked_us;
  capture->events.opened (capture->data);
}

/* A page that answers an error is not what was to be recorded. */
static void
on_status (RecJson *result, const char *failure, void *data)
{
  RecPageCapture *capture = data;
  const int64_t status = rec_json_int_or (rec_json_get (result, "result"), "value", 0);

  (void) failure;
  if (status >= 400)
    fail (capture, REC_PAGE_FAULT_NETWORK,
        g_strdup_printf ("its address answered with HTTP status %d", (int) status));
  else
    capture->events.loaded (capture->data);
}

/* --- the two clocks -------------------------------------------------------------------------------- */

static void
on_difference (RecJson *result, const char *failure, void *data)
{
  RecPageCapture *capture = data;
  RecJson *value = rec_json_get (rec_json_get (result, "result"), "value");

  (void) failure;
  if (has_failed (capture) || capture->is_measured)
    return;
  capture->is_measured = true;
  if (value != NULL && json_object_get_type (value) != json_type_string)
    rec_page_clock_set_difference (&capture->clock, (int64_t) json_object_get_double (value));
  else
    g_warning ("the page's sound could not be measured against its picture: it may be some "
               "hundredths of a second off");
  open_page (capture);
}

static void
on_flashed (RecJson *result, const char *failure, void *data)
{
  RecPageCapture *capture = data;

  if (!check (capture, "play a sound", rec_page_window_find_exception (result, failure)))
    return;
  rec_page_window_evaluate (&capture->controller, "measure ()", on_difference, capture);
}

static void
measure (RecPageCapture *capture)
{
  g_autofree char *flash = g_strdup_printf ("flash (%d)", capture->frame_rate);

  if (!capture->has_sound) {
    capture->is_measured = true;
    open_page (capture);
    return;
  }
  rec_page_window_evaluate (&capture->controller, "measure ()", NULL, NULL);
  rec_page_window_evaluate_as_user (&capture->page, flash, on_flashed, capture);
}

/* --- the size --------------------------------------------------------------------------------------- */

static void
fit_window (RecPageCapture *capture)
{
  RecJson *params;

  if (capture->window_id == 0 || capture->is_right_size || capture->n_fits++ >= MAX_FITS)
    return;
  params = json_object_new_object ();
  rec_json_set_int (params, "windowId", capture->window_id);
  rec_json_set_int (params, "width", capture->width);
  rec_json_set_int (params, "height", capture->height);
  rec_cdp_link_call (capture->link, "", "Browser.setContentsSize", params, NULL, NULL);
}

static void
on_window_found (RecJson *result, const char *failure, void *data)
{
  RecPageCapture *capture = data;

  if (!check (capture, "find its window", failure))
    return;
  capture->window_id = rec_json_int_or (result, "windowId", 0);
  fit_window (capture);
  measure (capture);
}

/* --- the capture ------------------------------------------------------------------------------------ */

static void
on_begun (RecJson *result, const char *failure, void *data)
{
  RecPageCapture *capture = data;
  RecJson *params;

  if (!check (capture, "capture the page", rec_page_window_find_exception (result, failure)))
    return;
  params = json_object_new_object ();
  rec_json_set_string (params, "targetId", capture->page.target);
  rec_cdp_link_call (capture->link, "", "Browser.getWindowForTarget", params, on_window_found,
      capture);
}

static void
begin (RecPageCapture *capture)
{
  const int64_t bitrate =
      (int64_t) ((double) capture->width * capture->height * capture->frame_rate * BITS_PER_PIXEL);
  g_autofree char *expression = g_strdup_printf (
      "begin ({ width: %d, height: %d, frameRate: %d, bitrate: %lld, hasAudio: %s })",
      capture->width, capture->height, capture->frame_rate, (long long) MAX (bitrate, MIN_BITRATE),
      capture->has_sound ? "true" : "false");

  capture->is_capturing = true;
  rec_page_window_evaluate_as_user (&capture->controller, expression, on_begun, capture);
}

/* --- what the controller hands over ------------------------------------------------------------------ */

static void
take_picture (RecPageCapture *capture, const RecPageLine *line)
{
  const int64_t pts_ns =
      rec_page_clock_place_picture (&capture->clock, line->timestamp_us, g_get_monotonic_time ());

  if (capture->is_open)
    capture->events.picture (line->data, pts_ns, line->is_keyframe, capture->data);
}

/* A busy browser loses blocks. Silence in their place keeps what follows where it belongs, sample by sample. */
static GBytes *
fill_gap (const RecPageLine *line, int64_t gap_us)
{
  const gsize n_missing = (gsize) (gap_us * line->rate / G_USEC_PER_SEC) * SAMPLE_BYTES;
  gsize size;
  const void *data = g_bytes_get_data (line->data, &size);
  uint8_t *filled = g_malloc0 (n_missing + size);

  memcpy (filled + n_missing, data, size);
  return g_bytes_new_take (filled, n_missing + size);
}

static void
take_sound (RecPageCapture *capture, const RecPageLine *line)
{
  const int64_t n = (int64_t) g_bytes_get_size (line->data) / SAMPLE_BYTES;
  const int64_t off_us = line->timestamp_us - capture->sound_end_us;
  const bool is_gap = off_us > LEAST_GAP_US && off_us < MAX_GAP_US;
  g_autoptr (GBytes) samples = is_gap ? fill_gap (line, off_us) : g_bytes_ref (line->data);
  bool has_jumped = false;
  int64_t pts_ns = rec_page_clock_place_sound (&capture->clock, line->timestamp_us,
      g_get_monotonic_time (), &has_jumped);

  if (has_jumped)
    g_warning ("the clock of the page's sound has jumped: its times are corrected");
  if (is_gap)
    pts_ns -= off_us * 1000;
  capture->sound_end_us = line->timestamp_us + n * G_USEC_PER_SEC / line->rate;
  if (capture->is_open)
    capture->events.sound (samples, line->rate, pts_ns,
        has_jumped || (!is_gap && ABS (off_us) > LEAST_GAP_US), capture->data);
}

static void
take_line (RecPageCapture *capture, const RecPageLine *line)
{
  switch (line->kind) {
  case REC_PAGE_LINE_VIDEO:
    take_picture (capture, line);
    break;
  case REC_PAGE_LINE_SOUND:
    take_sound (capture, line);
    break;
  case REC_PAGE_LINE_SIZE:
    capture->is_right_size = line->width == capture->width && line->height == capture->height;
    fit_window (capture);
    break;
  case REC_PAGE_LINE_LOOK:
    if (capture->is_open)
      capture->events.look (line->spread, capture->is_right_size, capture->data);
    break;
  case REC_PAGE_LINE_ERROR:
    fail (capture, REC_PAGE_FAULT_BROWSER, g_strdup_printf ("its capture failed: %s", line->text));
    break;
  case REC_PAGE_LINE_INVALID:
    break;
  }
}

static void
take_payload (RecPageCapture *capture, RecJson *content)
{
  RecPageLine line;

  if (!rec_page_line_parse (rec_json_string_or (content, "payload", ""), &line))
    return;
  take_line (capture, &line);
  rec_page_line_clear (&line);
}

/* --- events of the browser ----------------------------------------------------------------------------- */

static void
on_window_loaded (RecPageCapture *capture, RecPageWindow *window)
{
  if (window == &capture->page && capture->is_open) {
    rec_page_window_evaluate (window,
        "performance.getEntriesByType ('navigation')[0]?.responseStatus ?? 0", on_status, capture);
    return;
  }
  if (capture->page.is_loaded && capture->controller.is_loaded && !capture->is_capturing)
    begin (capture);
}

static void
take_window_event (RecPageCapture *capture, RecPageWindow *window, const RecCdpMessage *message)
{
  const char *method = message->method;

  if (strcmp (method, "Runtime.bindingCalled") == 0 && window == &capture->controller) {
    take_payload (capture, message->content);
  } else if (rec_page_window_take_event (window, message)) {
    return;
  } else if (strcmp (method, "Page.loadEventFired") == 0) {
    on_window_loaded (capture, window);
  } else if (strcmp (method, "Inspector.targetCrashed") == 0) {
    fail (capture, REC_PAGE_FAULT_CRASH, g_strdup ("its process crashed"));
  } else if (window == &capture->page && capture->is_open) {
    g_autofree char *line = rec_page_console_dup_line (method, message->content);

    if (line != NULL)
      capture->events.console (line, capture->data);
  }
}

/* Pages may open no windows: what comes besides ours is closed. */
static void
close_stranger (RecPageCapture *capture, RecJson *content)
{
  RecJson *info = rec_json_get (content, "targetInfo");
  const char *target = rec_json_string_or (info, "targetId", "");
  RecJson *params;

  if (!capture->is_open || strcmp (rec_json_string_or (info, "type", ""), "page") != 0 ||
      strcmp (target, capture->page.target) == 0 ||
      strcmp (target, capture->controller.target) == 0)
    return;
  params = json_object_new_object ();
  rec_json_set_string (params, "targetId", target);
  rec_cdp_link_call (capture->link, "", "Target.closeTarget", params, NULL, NULL);
  capture->events.console ("warning: the page opened a window, which was closed", capture->data);
}

static void
look_for_end (RecPageCapture *capture, const RecCdpMessage *message)
{
  const char *target = rec_json_string_or (message->content, "targetId", "");
  const bool is_page = g_strcmp0 (target, capture->page.target) == 0;

  if (!is_page && g_strcmp0 (target, capture->controller.target) != 0)
    return;
  if (strcmp (message->method, "Target.targetCrashed") == 0)
    fail (capture, REC_PAGE_FAULT_CRASH, g_strdup ("its process crashed"));
  else if (strcmp (message->method, "Target.targetDestroyed") == 0)
    fail (capture, REC_PAGE_FAULT_CRASH, g_strdup ("its window was closed"));
}

static void
on_event (const RecCdpMessage *message, void *data)
{
  RecPageCapture *capture = data;

  if (has_failed (capture))
    return;
  if (*message->session == '\0' && strcmp (message->method, "Target.targetCreated") == 0)
    close_stranger (capture, message->content);
  else if (*message->session == '\0')
    look_for_end (capture, message);
  else if (g_strcmp0 (message->session, capture->page.session) == 0)
    take_window_event (capture, &capture->page, message);
  else if (g_strcmp0 (message->session, capture->controller.session) == 0)
    take_window_event (capture, &capture->controller, message);
}

static void
on_closed (const char *why, void *data)
{
  fail (data, REC_PAGE_FAULT_BROWSER, g_strdup (why));
}

/* Its end is known to us before or after that of its pipe; this reason says more. */
static void
on_browser_ended (const char *how, void *data)
{
  RecPageCapture *capture = data;
  g_autofree char *excess = rec_browser_dup_excess (capture->browser);
  g_autofree char *why = excess != NULL ? g_strdup (excess)
                                        : g_strdup_printf ("the browser %s", how);
  const RecPageFault fault = excess != NULL                 ? REC_PAGE_FAULT_LIMIT
                             : capture->page.target == NULL ? REC_PAGE_FAULT_UNUSABLE
                                                            : REC_PAGE_FAULT_BROWSER;

  if (capture->fault == REC_PAGE_FAULT_BROWSER && capture->telling != 0) {
    capture->fault = fault;
    g_free (capture->why);
    capture->why = g_strdup (why);
  }
  fail (capture, fault, g_steal_pointer (&why));
}

/* --- watching over it ------------------------------------------------------------------------------------ */

bool
rec_page_capture_is_silent (const RecPageCapture *capture)
{
  const RecPageWindow *page = &capture->page;

  return page->answered_us < page->asked_us && g_get_monotonic_time () - page->asked_us >= HANG_US;
}

void
rec_page_capture_guard (RecPageCapture *capture)
{
  capture->is_guarded = true;
  capture->page.asked_us = capture->page.answered_us = g_get_monotonic_time ();
  capture->controller.asked_us = capture->controller.answered_us = capture->page.asked_us;
}

/* A page hangs when it is silent for so long although our own window, asked at the same time, has answered: on a machine
 * that is too slow both are late. */
static void
look_for_hang (RecPageCapture *capture, int64_t now_us)
{
  RecPageWindow *page = &capture->page, *controller = &capture->controller;
  const bool is_page_silent = page->answered_us < page->asked_us;
  const bool is_controller_silent = controller->answered_us < controller->asked_us;

  if (capture->is_guarded && is_page_silent && !is_controller_silent &&
      now_us - controller->answered_us >= HANG_US)
    fail (capture, REC_PAGE_FAULT_HANG, g_strdup ("it did not answer for two seconds"));
  else if (is_controller_silent && now_us - controller->asked_us >= DEAD_US)
    fail (capture, REC_PAGE_FAULT_HANG, g_strdup ("the browser did not answer for ten seconds"));
  if (is_page_silent || is_controller_silent)
    return;
  rec_page_window_ping (page, now_us);
  rec_page_window_ping (controller, now_us);
}

static void
look_at_usage (RecPageCapture *capture, int64_t now_us)
{
  g_autofree char *why = NULL;
  const int64_t max_bytes = capture->meter.max_memory_bytes;
  RecUsage usage;

  if (!rec_usage_read ("/proc", rec_browser_get_pid (capture->browser),
          max_bytes > 0 ? max_bytes : INT64_MAX, &usage))
    return;
  why = rec_usage_meter_add (&capture->meter, now_us, &usage);
  if (why != NULL)
    fail (capture, REC_PAGE_FAULT_LIMIT, g_steal_pointer (&why));
}

static void
look_for_shortage (RecPageCapture *capture)
{
  g_autofree char *why = rec_browser_dup_shortage (capture->browser);

  if (why == NULL || capture->is_slowed)
    return;
  capture->is_slowed = true;
  capture->events.slowed (why, capture->data);
}

static gboolean
on_tick (gpointer data)
{
  RecPageCapture *capture = data;
  const int64_t now_us = g_get_monotonic_time ();

  if (has_failed (capture))
    return G_SOURCE_CONTINUE;
  if (rec_browser_has_cage (capture->browser))
    look_for_shortage (capture);
  else
    look_at_usage (capture, now_us);
  if (capture->is_open)
    look_for_hang (capture, now_us);
  return G_SOURCE_CONTINUE;
}

/* --- life ------------------------------------------------------------------------------------------------- */

static void
start_talking (RecPageCapture *capture)
{
  static const RecCdpLinkEvents events = { .event = on_event, .closed = on_closed };
  RecJson *discover = json_object_new_object (), *downloads = json_object_new_object ();

  capture->link = rec_cdp_link_new (rec_browser_get_read_fd (capture->browser),
      rec_browser_get_write_fd (capture->browser), &events, capture);
  rec_json_set_bool (discover, "discover", true);
  rec_cdp_link_call (capture->link, "", "Target.setDiscoverTargets", discover, NULL, NULL);
  rec_json_set_string (downloads, "behavior", "deny");
  rec_cdp_link_call (capture->link, "", "Browser.setDownloadBehavior", downloads, NULL, NULL);
  capture->page.failed = capture->controller.failed = on_window_failed;
  capture->page.data = capture->controller.data = capture;
  capture->controller.binding = "rectoSend";
  rec_page_window_open (&capture->page, capture->link, CALIBRATION_URL, capture->title,
      rec_page_calibration_js, capture->width, capture->height);
  rec_page_window_open (&capture->controller, capture->link, CONTROLLER_URL, "controller",
      rec_page_controller_js, capture->width, capture->height);
}

RecPageCapture *
rec_page_capture_new (const RecPageCaptureRecipe *recipe, const RecPageCaptureEvents *events,
    void *data, GError **error)
{
  RecPageCapture *capture = g_new0 (RecPageCapture, 1);
  RecBrowserRecipe browser = recipe->browser;

  capture->events = *events;
  capture->data = data;
  capture->url = g_strdup (recipe->url);
  capture->title = g_strdup_printf ("recto-%08x%08x", g_random_int (), g_random_int ());
  capture->width = browser.width;
  capture->height = browser.height;
  capture->frame_rate = recipe->frame_rate;
  capture->background = recipe->background;
  capture->has_sound = recipe->has_sound;
  capture->meter.max_memory_bytes = browser.max_memory_bytes;
  capture->meter.max_cpu_percent = browser.max_cpu_percent;
  browser.title = capture->title;
  capture->browser = rec_browser_new (&browser, on_browser_ended, capture, error);
  if (capture->browser == NULL) {
    rec_page_capture_free (capture);
    return NULL;
  }
  start_talking (capture);
  capture->tick = g_timeout_add_seconds (1, on_tick, capture);
  return capture;
}

void
rec_page_capture_free (RecPageCapture *capture)
{
  if (capture == NULL)
    return;
  if (capture->tick != 0)
    g_source_remove (capture->tick);
  if (capture->telling != 0)
    g_source_remove (capture->telling);
  rec_cdp_link_free (capture->link);
  rec_browser_free (capture->browser);
  rec_page_window_clear (&capture->page);
  rec_page_window_clear (&capture->controller);
  g_free (capture->url);
  g_free (capture->title);
  g_free (capture->why);
  g_free (capture);
}

bool
rec_page_capture_is_open (const RecPageCapture *capture)
{
  return capture->is_open;
}

void
rec_page_capture_watch (RecPageCapture *capture, bool is_watching)
{
  rec_page_window_evaluate (&capture->controller, is_watching ? "watch (true)" : "watch (false)",
      NULL, NULL);
}

void
rec_page_capture_force_keyframe (RecPageCapture *capture)
{
  if (capture->is_open)
    rec_page_window_evaluate (&capture->controller, "keyframe ()", NULL, NULL);
}

/* --- a question to the page --------------------------------------------------------------------------------- */

static void
on_media (RecJson *result, const char *failure, void *data)
{
  RecPageCapture *capture = data;

  (void) failure;
  capture->answered (rec_json_bool_or (rec_json_get (result, "result"), "value", false),
      capture->data);
}

void
rec_page_capture_ask_for_media (RecPageCapture *capture, RecPageAnswered answered)
{
  capture->answered = answered;
  rec_page_window_evaluate (&capture->page,
      "[...document.querySelectorAll ('video, canvas, img, svg, iframe')].some ((element) => {"
      " const box = element.getBoundingClientRect ();"
      " return box.width > 0 && box.height > 0 &&"
      " (element.tagName !== 'VIDEO' || element.videoWidth > 0); })",
      on_media, capture);
}
