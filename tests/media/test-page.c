/* test-page.c - a page in a real browser becomes a film, whatever the page does. */
#include "base/json.h"
#include "base/path.h"
#include "lib/film.h"
#include "lib/page-rig.h"

#include <gst/gst.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Red on the left, green on the right, with something that moves, and a tone. */
#define COLOURS                                                                                    \
  "<!doctype html><title>colours</title><html style='height:100%'><link rel=icon href='data:,'>"   \
  "<body style='margin:0;height:100%;background:linear-gradient(90deg,#f00 50%,#0f0 50%)'>"        \
  "<div id=box style='position:absolute;top:0;width:20px;height:20px;background:#fff'></div>"      \
  "<script>"                                                                                       \
  "const sound = new AudioContext ();"                                                             \
  "const tone = new OscillatorNode (sound, { frequency: 880 });"                                   \
  "tone.connect (new GainNode (sound, { gain: 0.3 })).connect (sound.destination);"                \
  "tone.start ();"                                                                                 \
  "setInterval (() => { box.style.left = performance.now () / 10 % 600 + 'px'; }, 30);"            \
  "console.log ('hello', location.search, { a: 1 });"                                              \
  "</script>"

static void
wait_for_nothing_left (RecWorkerRig *rig, GArray *pids)
{
  g_autofree char *profile = NULL;

  rec_page_rig_wait_gone (pids);
  profile = rec_page_rig_find_profile (rig);
  g_assert_null (profile);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

/* The tone in a third of all tenths of a second: a busy machine comes too late with some sound. */
static void
assert_plays_tone (const RecFilm *film, double from, double to)
{
  g_autoptr (GArray) tones = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GString) text = g_string_new (NULL);

  for (double at = from; at + 0.1 <= to; at += 0.1) {
    const double tone = rec_film_get_tone (film, 880, at, at + 0.1);

    g_array_append_val (tones, tone);
    g_string_append_printf (text, " %.2f", tone);
  }
  g_test_message ("tone:%s", text->str);
  g_array_sort (tones, compare_numbers);
  g_assert_cmpfloat (g_array_index (tones, double, tones->len * 2 / 3), >, 0.15);
}

static void
assert_shows_colours (const RecFilm *film, unsigned from, unsigned to)
{
  for (unsigned frame = from; frame < to; frame += 7) {
    rec_film_assert_pixel (film, frame, 160, 200, 0xff0000);
    rec_film_assert_pixel (film, frame, 480, 350, 0x00ff00);
  }
}

/* --- what it is for -------------------------------------------------------------------------------- */

static void
test_records_picture_and_sound (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/colours?hush-hush");

  rec_page_site_add (site, "/colours", COLOURS);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (rec_page_rig_describe (url));
  rec_page_rig_wait (rig, "loading");
  rec_page_rig_wait_line (rig, "log: hello ?*** Object");
  g_assert_false (rig->is_ready); /* not before it has joined */
  rec_worker_rig_set_recorder (rig, true, 1);
  rec_page_rig_wait_ready (rig);
  g_autoptr (GArray) pids = rec_page_rig_list_processes (rig->pid, "--user-data-dir");
  g_assert_cmpuint (pids->len, >=, 1);
  g_autofree char *profile = rec_page_rig_find_profile (rig);
  g_assert_nonnull (profile);
  rec_worker_rig_begin (rig);
  rec_worker_rig_run_for (rig, 6); /* statistics come every 5 s */
  rec_worker_rig_stop (rig, 6);
  wait_for_nothing_left (rig, pids);

  g_autofree char *path = rec_worker_rig_get_file (rig, ".mp4");
  g_autoptr (RecFilm) film = rec_film_new (path);
  g_assert_cmpint (film->width, ==, 640);
  g_assert_cmpint (film->height, ==, 360);
  g_assert_cmpuint (film->frames->len, ==, 90);
  assert_shows_colours (film, 0, 90);
  assert_plays_tone (film, 0.1, 5.9);
  g_assert_cmpint (rec_json_int_or (rig->stats, "pageFrames", 0), >, 0);
  g_test_message ("of the page: %s", json_object_to_json_string (rig->stats));
}

/* A publisher within the page: both ends of a call in one. It flashes and beeps at once. */
static const char call[] =
    "<!doctype html><link rel=icon href='data:,'><body style='margin:0;background:#000'>"
    "<video id=video autoplay style='width:100vw;height:100vh'></video><script>(async () => {"
    "const canvas = document.createElement ('canvas');"
    "canvas.width = 320; canvas.height = 180;"
    "const paint = canvas.getContext ('2d');"
    "const sound = new AudioContext ();"
    "const tone = new OscillatorNode (sound, { frequency: 1000 });"
    "const gain = new GainNode (sound, { gain: 0 });"
    "const out = sound.createMediaStreamDestination ();"
    "tone.connect (gain).connect (out); tone.start ();"
    "let isOn = false, n = 0;"
    "const draw = () => { paint.fillStyle = isOn ? '#fff' : '#000'; paint.fillRect (0, 0, 320, "
    "180);"
    " paint.fillStyle = '#333'; paint.fillRect (n++ % 300, 0, 10, 10); };"
    "setInterval (draw, 33);"
    "const set = (on) => { isOn = on; draw (); gain.gain.setValueAtTime (on ? 0.5 : 0, "
    "sound.currentTime); };"
    "setInterval (() => { set (true); setTimeout (set, 150, false); }, 900);"
    "const stream = new MediaStream ([...canvas.captureStream (30).getTracks (), "
    "...out.stream.getTracks ()]);"
    "const a = new RTCPeerConnection (), b = new RTCPeerConnection ();"
    "a.onicecandidate = (e) => b.addIceCandidate (e.candidate);"
    "b.onicecandidate = (e) => a.addIceCandidate (e.candidate);"
    "b.ontrack = (e) => { video.srcObject = e.streams[0]; };"
    "stream.getTracks ().forEach ((track) => a.addTrack (track, stream));"
    "await a.setLocalDescription (); await b.setRemoteDescription (a.localDescription);"
    "await b.setLocalDescription (); await a.setRemoteDescription (b.localDescription);"
    "})()</script>";

static bool
is_bright (const RecFilm *film, unsigned frame)
{
  return (rec_film_get_pixel (film, frame, 320, 180) & 255) > 128;
}

/* Time of the first loud sample near a time, or -1. */
static double
find_beep (const RecFilm *film, double near)
{
  const long first = lround (MAX (near - 0.35, 0) * 48000);
  const long last = MIN (lround ((near + 0.35) * 48000), (long) film->sound->len);

  for (long i = first; i < last; i++)
    if (fabsf (g_array_index (film->sound, float, i)) > 0.1f)
      return (double) i / 48000;
  return -1;
}

static void
test_keeps_sound_and_picture_together (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/call");
  g_autoptr (GArray) offsets = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GString) text = g_string_new (NULL);

  rec_page_site_add (site, "/call", call);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (rec_page_rig_describe (url));
  rec_page_rig_wait_ready (rig);
  rec_worker_rig_begin (rig);
  rec_worker_rig_run_for (rig, 10);
  rec_worker_rig_stop (rig, 10);

  g_autofree char *path = rec_worker_rig_get_file (rig, ".mp4");
  g_autoptr (RecFilm) film = rec_film_new (path);
  /* The call's own clocks settle first. */
  for (unsigned frame = 30; frame < film->frames->len; frame++) {
    const double beep = find_beep (film, (double) frame / 15);
    const double offset = beep - (double) frame / 15;

    if (!is_bright (film, frame) || is_bright (film, frame - 1) || beep < 0)
      continue;
    g_array_append_val (offsets, offset);
    g_string_append_printf (text, " %.0f", offset * 1000);
  }
  g_test_message ("sound less picture, ms:%s", text->str);
  g_assert_cmpuint (offsets->len, >=, 5);
  g_array_sort (offsets, compare_numbers);
  g_assert_cmpfloat (fabs (g_array_index (offsets, double, offsets->len / 2)), <, 0.080);
}

/* --- pages that fail while they are recorded ---------------------------------------------------------- */

static void
assert_was_restarted (RecWorkerRig *rig, const char *event)
{
  json_object *restarted = rec_page_rig_find (rig, "restarted");
  const int64_t from_ns = rec_json_int_or (restarted, "fromNs", -1);
  const int64_t to_ns = rec_json_int_or (restarted, "toNs", -1);

  g_assert_nonnull (rec_page_rig_find (rig, event));
  g_assert_null (rec_page_rig_find (rig, "fallback"));
  g_assert_cmpint (from_ns, >, 0);
  g_assert_cmpint (to_ns, >, from_ns);
  g_test_message ("%s: the gap is %.2f s long", event, (double) (to_ns - from_ns) / 1e9);
}

/* First its process dies; the page that comes then hangs; the third one stays. */
static void
test_opens_a_page_anew_that_crashes_or_hangs (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/colours");

  rec_page_site_add (site, "/colours", COLOURS);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (rec_page_rig_describe (url));
  rec_page_rig_wait_ready (rig);
  rec_worker_rig_begin (rig);
  rec_worker_rig_run_for (rig, 1);

  g_autoptr (GArray) renderers = rec_page_rig_list_processes (rig->pid, "--type=renderer");
  g_assert_cmpuint (renderers->len, >=, 1);
  rec_page_site_add (site, "/colours",
      COLOURS "<script>setTimeout (() => { for (;;); }, 1500)</script>");
  for (unsigned i = 0; i < renderers->len; i++)
    kill (g_array_index (renderers, pid_t, i), SIGKILL);
  rec_page_rig_wait (rig, "crashed");
  rec_page_rig_wait (rig, "restarted");
  assert_was_restarted (rig, "crashed");
  rec_page_site_add (site, "/colours", COLOURS);

  rec_page_rig_wait (rig, "hung");
  json_object_put (rig->pages);
  rig->pages = json_object_new_array ();
  rec_page_rig_wait (rig, "restarted");
  rec_worker_rig_run_for (rig, 3);
  const double end = (double) (g_get_monotonic_time () * 1000 - rig->start_ns) / 1e9;
  rec_worker_rig_stop (rig, end);

  g_autofree char *path = rec_worker_rig_get_file (rig, ".mp4");
  g_autoptr (RecFilm) film = rec_film_new (path);
  g_assert_cmpint (abs ((int) film->frames->len - (int) lround (end * 15)), <=, 1);
  assert_shows_colours (film, 0, film->frames->len); /* held where there was no page */
  assert_plays_tone (film, end - 2.5, end - 0.1);
}

/* --- pages that are of no use ---------------------------------------------------------------------------- */

/* A worker whose page cannot be recorded; the reason and the console must say why. */
static RecWorkerRig *
fall_back (json_object *page, const char *reason, const char *line)
{
  RecWorkerRig *rig = rec_page_rig_new (page);
  json_object *failed = rec_page_rig_wait (rig, "failed");

  rec_page_rig_wait_ready (rig);
  g_assert_nonnull (rec_page_rig_find (rig, "fallback"));
  if (strstr (rec_json_string_or (failed, "message", ""), reason) == NULL)
    g_error ("expected '%s' in: %s", reason, json_object_to_json_string (failed));
  if (line != NULL && !rec_page_rig_has_line (rig, line))
    g_error ("expected '%s' in: %s", line, json_object_to_json_string (rig->pages));
  g_autofree char *profile = rec_page_rig_find_profile (rig);
  g_assert_null (profile);
  return rig;
}

static void
test_falls_back_when_the_address_cannot_be_opened (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *missing = rec_page_site_dup_url (site, "/missing");
  g_autoptr (RecWorkerRig) first = fall_back (rec_page_rig_describe (missing), "404", NULL);
  g_autoptr (RecWorkerRig) second = fall_back (rec_page_rig_describe ("http://127.0.0.1:1/"),
      "cannot be opened: net::ERR_", NULL);
}

/* And the recording shows the session's streams in its place. */
static void
test_falls_back_when_the_page_does_not_join (void)
{
  g_autoptr (RecFixture) blue = rec_fixture_video (&(RecVideoFixture){ .codec = "VP8",
      .width = 320,
      .height = 180,
      .frame_rate = 15,
      .n_frames = 30,
      .colour = 0x0000ff });
  const RecRigTrack track = { .id = 1, .stream = "s1", .codec = "VP8" };
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/broken?hush-hush");
  json_object *page = rec_page_rig_describe (url);

  rec_page_site_add (site, "/broken",
      "<!doctype html><script src=missing.js></script><script>new OpenVidu ()</script>");
  rec_json_set_int (rec_page_rig_get_browser (page), "readyTimeoutMs", 3000);
  g_autoptr (RecWorkerRig)
      rig = fall_back (page, "did not join the session within 3000 ms", "OpenVidu is not defined");
  g_assert_cmpuint (rec_page_site_count (site, "/missing.js"), ==, 1);
  rec_worker_rig_begin (rig);
  rec_worker_rig_play (rig, &track, blue, 0);
  rec_worker_rig_flush_live (rig);
  rec_worker_rig_stop (rig, 2);
  g_autofree char *path = rec_worker_rig_get_file (rig, ".mp4");
  g_autoptr (RecFilm) film = rec_film_new (path);
  rec_film_assert_pixel (film, film->frames->len - 3, 320, 180, 0x0000ff);
}

/* Longer than a page may be once it is recorded. */
static void
test_waits_for_a_page_that_is_busy_while_it_loads (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/busy?hush-hush");
  json_object *page = rec_page_rig_describe (url);

  rec_page_site_add (site, "/busy",
      "<!doctype html><script>const end = performance.now () + 4500;"
      "while (performance.now () < end); console.log ('no more');</script>" COLOURS);
  rec_json_set_int (rec_page_rig_get_browser (page), "readyTimeoutMs", 40000);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (page);
  rec_page_rig_wait (rig, "loading");
  rec_worker_rig_set_recorder (rig, true, 1);
  rec_page_rig_wait_line (rig, "log: no more");
  rec_page_rig_wait_ready (rig);
  g_assert_null (rec_page_rig_find (rig, "fallback"));
}

/* It has joined, and there is something to be shown, but it shows nothing. */
static void
test_falls_back_when_the_page_stays_blank (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/blank?hush-hush");
  json_object *page = rec_page_rig_describe (url);

  rec_page_site_add (site, "/blank", "<!doctype html><div id=videos></div>");
  rec_json_set_int (rec_page_rig_get_browser (page), "readyTimeoutMs", 4000);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (page);
  rec_page_rig_wait (rig, "loading");
  rec_worker_rig_set_recorder (rig, true, 1);
  json_object *failed = rec_page_rig_wait (rig, "failed");
  g_assert_nonnull (
      strstr (rec_json_string_or (failed, "message", ""), "shows nothing but one colour"));
  rec_page_rig_wait_ready (rig);
}

static void
test_fails_instead_where_that_is_wanted (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/loop?hush-hush");
  json_object *page = rec_page_rig_describe (url);

  rec_page_site_add (site, "/loop", "<!doctype html>hello<script>for (;;);</script>");
  rec_json_set_string (page, "fallback", "fail");
  rec_json_set_int (rec_page_rig_get_browser (page), "readyTimeoutMs", 7000);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (page);
  rec_page_rig_wait_failed (rig);
  g_assert_false (rig->is_ready);
  g_assert_nonnull (strstr (rig->failure, "did not answer, 7000 ms after it was opened"));
  g_assert_null (rec_page_rig_find (rig, "fallback"));
  g_autoptr (GArray) pids = rec_page_rig_list_processes (rig->pid, "--user-data-dir");
  rec_worker_rig_reap (rig);
  wait_for_nothing_left (rig, pids);
}

/* --- what a page may not -------------------------------------------------------------------------------------- */

static void
test_keeps_the_page_from_the_rest_of_the_machine (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new (), other = rec_page_site_new ();
  g_autoptr (RecPageSite) friend = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/burglar");
  g_autofree char *closed = rec_page_site_dup_url (other, "/closed");
  g_autofree char *open = rec_page_site_dup_url (friend, "/open");
  g_autofree char *html = g_strdup_printf (
      "<!doctype html>burglar<script>"
      "const attempt = (name, what) => what.then ((x) => console.log (name, 'worked', x), (e) => "
      "console.log (name, 'failed', e.message));"
      "const socket = (url) => new Promise ((yes, no) => { const s = new WebSocket (url);"
      " s.onopen = yes; s.onerror = () => no (new Error ('no')); });"
      "attempt ('own', fetch ('/burglar').then ((r) => r.status));"
      "attempt ('friend', fetch ('%s').then ((r) => r.status));"
      "attempt ('other port', fetch ('%s'));"
      "attempt ('other name', fetch ('http://localhost:%u/closed'));"
      "attempt ('socket', socket ('ws://127.0.0.1:%u/closed'));"
      "attempt ('file', fetch ('file:///etc/passwd'));"
      "attempt ('camera', navigator.mediaDevices?.getUserMedia ({ video: true }) ?? Promise.reject "
      "(new Error ('none')));"
      "const frame = document.createElement ('iframe'); frame.src = '%s'; document.body.append "
      "(frame);"
      "window.open ('%s'); const popup = window.open ('/popup');"
      "const timer = setInterval (() => { if (popup && !popup.closed) return;"
      " clearInterval (timer); console.log ('no popup'); }, 50);"
      "alert ('stop'); console.log ('went on');"
      "</script>",
      open, closed, other->port, other->port, closed, closed);
  json_object *page = rec_page_rig_describe (url);

  rec_page_site_add (site, "/burglar", html);
  rec_page_site_add (site, "/popup", "<script>fetch ('/popup-lives')</script>");
  rec_page_site_add (other, "/closed", "closed");
  rec_page_site_add (friend, "/open", "open");
  g_autofree char *allow = g_strdup_printf ("http://127.0.0.1:%u", friend->port);
  rec_json_set_string (rec_page_rig_get_options (page), "allow", allow);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (page);
  rec_page_rig_wait_line (rig, "own worked 200");
  rec_page_rig_wait_line (rig, "friend worked 200");
  rec_page_rig_wait_line (rig, "other port failed");
  rec_page_rig_wait_line (rig, "other name failed");
  rec_page_rig_wait_line (rig, "socket failed");
  rec_page_rig_wait_line (rig, "file failed");
  rec_page_rig_wait_line (rig, "camera failed");
  rec_page_rig_wait_line (rig, "went on");
  rec_page_rig_wait_line (rig, "no popup");
  rec_page_rig_wait_ready (rig); /* although it stands still */
  g_assert_null (rec_page_rig_find (rig, "fallback"));
  g_assert_cmpuint (rec_page_site_count (other, "/closed"), ==, 0);

  /* Its processes are an unprivileged user's, in Chromium's own sandbox. */
  g_autoptr (GArray) renderers = rec_page_rig_list_processes (rig->pid, "--type=renderer");
  g_assert_cmpuint (renderers->len, >=, 1);
  for (unsigned i = 0; i < renderers->len; i++) {
    g_autofree char *path =
        g_strdup_printf ("/proc/%d/status", (int) g_array_index (renderers, pid_t, i));
    g_autofree char *status = NULL;

    g_assert_true (g_file_get_contents (path, &status, NULL, NULL));
    g_assert_null (strstr (status, "\nUid:\t0\t"));
    g_assert_nonnull (strstr (status, "\nSeccomp:\t2"));
  }
}

/* Before it is recorded, and while it is. */
static void
test_ends_a_browser_that_takes_too_much (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/bomb");
  json_object *page = rec_page_rig_describe (url);

  rec_page_site_add (site, "/bomb",
      COLOURS
      "<script>setTimeout (() => { const hoard = [];"
      " setInterval (() => hoard.push (new Uint8Array (10e6).fill (1)), 50); }, 3000)</script>");
  rec_json_set_int (rec_page_rig_get_browser (page), "memoryBytes", INT64_C (1100) << 20);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (page);
  rec_page_rig_wait_ready (rig);
  rec_worker_rig_begin (rig);
  json_object *limit = rec_page_rig_wait (rig, "limit");
  g_assert_nonnull (strstr (rec_json_string_or (limit, "message", ""), "browser.memory-bytes"));
  rec_page_site_add (site, "/bomb", COLOURS);
  rec_page_rig_wait (rig, "restarted");
  rec_worker_rig_stop (rig, (double) (g_get_monotonic_time () * 1000 - rig->start_ns) / 1e9);
  g_autofree char *path = rec_worker_rig_get_file (rig, ".mp4");
  g_autoptr (RecFilm) film = rec_film_new (path);
  assert_shows_colours (film, 0, film->frames->len);
}

/* The first one only sits there. */
static void
test_tries_a_second_browser (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/colours");
  json_object *page = rec_page_rig_describe (url);
  json_object *browser = rec_page_rig_get_browser (page);
  g_autofree char *folder = g_dir_make_tmp ("recto-XXXXXX", NULL);
  g_autofree char *program = g_build_filename (folder, "browser", NULL);
  g_autofree char *mark = g_build_filename (folder, "tried", NULL);
  g_autofree char *real = g_find_program_in_path (rec_json_string_or (browser, "program", ""));
  g_autofree char *script = g_strdup_printf (
      "#!/bin/sh\nmkdir '%s' 2>/dev/null && exec sleep 1000\nexec '%s' \"$@\"\n", mark, real);

  g_assert_nonnull (real);
  g_assert_true (g_file_set_contents (program, script, -1, NULL));
  g_assert_cmpint (chmod (program, 0755), ==, 0);
  g_assert_cmpint (chmod (folder, 0777), ==, 0); /* the browser is another user */
  rec_json_set_string (browser, "program", program);
  rec_page_site_add (site, "/colours", COLOURS);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (page);
  rec_page_rig_wait_ready (rig);
  g_assert_true (g_file_test (mark, G_FILE_TEST_IS_DIR));
  g_assert_null (rec_page_rig_find (rig, "fallback"));
  g_autoptr (GArray) idle = rec_page_rig_list_processes (rig->pid, "sleep 1000");
  g_assert_cmpuint (idle->len, ==, 0);
  g_assert_true (rec_path_remove_tree (folder, NULL));
}

/* --- the end --------------------------------------------------------------------------------------------------- */

static void
test_leaves_no_browser_when_the_worker_is_killed (void)
{
  g_autoptr (RecPageSite) site = rec_page_site_new ();
  g_autofree char *url = rec_page_site_dup_url (site, "/colours");

  rec_page_site_add (site, "/colours", COLOURS);
  g_autoptr (RecWorkerRig) rig = rec_page_rig_new (rec_page_rig_describe (url));
  rec_page_rig_wait (rig, "loading");
  g_autoptr (GArray) pids = rec_page_rig_list_processes (rig->pid, "--");
  g_assert_cmpuint (pids->len, >=, 3);
  kill (rig->pid, SIGKILL);
  rec_worker_rig_reap (rig);
  rec_page_rig_wait_gone (pids);
  g_autofree char *left = rec_page_rig_find_profile (rig);
  g_assert_nonnull (left);

  /* The next one sweeps up; it ends because its server goes. */
  g_autoptr (RecWorkerRig) next = rec_page_rig_new (rec_page_rig_describe (url));
  rec_page_rig_wait (next, "loading");
  g_assert_false (g_file_test (left, G_FILE_TEST_EXISTS));
  g_autoptr (GArray) others = rec_page_rig_list_processes (next->pid, "--");
  rec_worker_rig_close_control (next);
  g_assert_cmpint (waitpid (next->pid, &next->status, 0), ==, next->pid);
  next->is_reaped = true;
  wait_for_nothing_left (next, others);
}

static void
test_says_why_a_layout_is_refused (void)
{
  static const struct {
    const char *key, *value, *refusal, *part;
  } cases[] = {
    { "refusal", "not-found", "not-found", "layout 'a/b' has no page" },
    { "refusal", "invalid", "invalid", "layout 'a/b' makes no sense" },
    { "address", "file:///etc/passwd", "invalid", "no http or https address" },
    { "address", "chrome://crash", "invalid", "no http or https address" },
    { "program", "/nowhere/chromium", "unsupported", "install the package chromium" },
    { "program", "/bin/false", "unsupported", "the browser exited with status 1: install" },
    { "user", "no-such-user-here", "unsupported", "browser.user" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    json_object *page = rec_page_rig_describe ("http://127.0.0.1:1/");
    json_object *place = i < 4 ? rec_page_rig_get_options (page) : rec_page_rig_get_browser (page);

    rec_json_set_string (place, cases[i].key, cases[i].value);
    g_autoptr (RecWorkerRig) rig = rec_page_rig_new (page);
    rec_page_rig_wait_failed (rig);
    g_assert_cmpstr (rig->refusal, ==, cases[i].refusal);
    g_assert_nonnull (strstr (rig->failure, cases[i].part));
    rec_worker_rig_reap (rig);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/page/says-why-a-layout-is-refused", test_says_why_a_layout_is_refused);
  g_test_add_func ("/page/records-picture-and-sound", test_records_picture_and_sound);
  g_test_add_func ("/page/keeps-sound-and-picture-together", test_keeps_sound_and_picture_together);
  g_test_add_func ("/page/opens-a-page-anew-that-crashes-or-hangs",
      test_opens_a_page_anew_that_crashes_or_hangs);
  g_test_add_func ("/page/falls-back-when-the-address-cannot-be-opened",
      test_falls_back_when_the_address_cannot_be_opened);
  g_test_add_func ("/page/falls-back-when-the-page-does-not-join",
      test_falls_back_when_the_page_does_not_join);
  g_test_add_func ("/page/waits-for-a-page-that-is-busy-while-it-loads",
      test_waits_for_a_page_that_is_busy_while_it_loads);
  g_test_add_func ("/page/falls-back-when-the-page-stays-blank",
      test_falls_back_when_the_page_stays_blank);
  g_test_add_func ("/page/fails-instead-where-that-is-wanted",
      test_fails_instead_where_that_is_wanted);
  g_test_add_func ("/page/keeps-the-page-from-the-rest-of-the-machine",
      test_keeps_the_page_from_the_rest_of_the_machine);
  g_test_add_func ("/page/ends-a-browser-that-takes-too-much",
      test_ends_a_browser_that_takes_too_much);
  g_test_add_func ("/page/tries-a-second-browser", test_tries_a_second_browser);
  g_test_add_func ("/page/leaves-no-browser-when-the-worker-is-killed",
      test_leaves_no_browser_when_the_worker_is_killed);
  return g_test_run ();
}
