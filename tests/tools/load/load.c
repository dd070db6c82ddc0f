/* load.c - joins a running server as any number of synthetic participants, and reports what they received. */
#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/error.h"
#include "person.h"
#include "plan.h"
#include "report.h"
#include "tls.h"

#define SECRET_VARIABLE "OPENVIDU_SECRET"
#define TIMEOUT_S 10
#define MAX_FILES 65536
#define EXIT_USAGE 2

typedef struct {
  char *url, *secret_file, *schedule, *resolution, *codec, *media, *look, *data;
  gboolean is_insecure, is_json, is_verbose, flashes, is_busy;
  int frame_rate, kbps, keyframe_ms, max_watched;
  LoadPlanOptions plan;
} Options;

typedef struct Member {
  struct Load *load;
  LoadPersonSettings settings;
  LoadPerson *person; /* NULL: is away */
  bool is_settled;
} Member;

typedef struct Load {
  Options options;
  LoadServer server;
  LoadFormat format;
  LoadPlan *plan;
  LoadMedia *media[LOAD_PICTURES];
  LoadSender *sender;
  Member *members; /* as many as the cast */
  LoadTally tally;
  GMainLoop *loop;
  unsigned next_event, n_present, n_failed;
  unsigned event_source, end_source;
  int64_t began_us;
  bool is_ready, is_ending;
} Load;

static void say (const char *format, ...) G_GNUC_PRINTF (1, 2);

static void
say (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (stderr, "recto-load: %s\n", text);
}

/* --- participants ------------------------------------------------------------------------------------------------- */

static int64_t
get_time_ms (const Load *load)
{
  return (g_get_monotonic_time () - load->began_us) / 1000;
}

static bool
is_over (const Load *load)
{
  return load->n_present == 0 && (load->is_ending || load->next_event == load->plan->events->len);
}

static void
remove_person (Member *member)
{
  Load *load = member->load;

  g_clear_pointer (&member->person, load_person_free);
  member->is_settled = false;
  load->n_present--;
  if (is_over (load))
    g_main_loop_quit (load->loop);
}

/* Once, when everybody who comes at the start is in. */
static void
announce_ready (Load *load)
{
  unsigned n_publishers = 0;

  if (load->is_ready || load->next_event < load->plan->events->len)
    if (load->is_ready ||
        g_array_index (load->plan->events, LoadEvent, load->next_event).action == LOAD_JOIN)
      return;
  for (unsigned i = 0; i < load->plan->cast->len; i++) {
    if (load->members[i].person != NULL && !load->members[i].is_settled)
      return;
    n_publishers += load->members[i].person != NULL && load->members[i].settings.media != NULL;
  }
  load->is_ready = true;
  say ("ready: %u are in, %u of them publish", load->n_present, n_publishers);
}

static void
on_settled (LoadPerson *person, void *data)
{
  Member *member = data;

  member->is_settled = true;
  if (member->load->options.is_verbose)
    say ("%s is in", load_person_get_name (person));
  announce_ready (member->load);
}

static void
on_left (LoadPerson *person, void *data)
{
  Member *member = data;

  if (member->load->options.is_verbose)
    say ("%s has left", load_person_get_name (person));
  remove_person (member);
}

static void
on_failed (LoadPerson *person, const char *why, void *data)
{
  Member *member = data;

  say ("%s: %s", load_person_get_name (person), why);
  member->load->n_failed++;
  remove_person (member);
}

static void
join (Member *member)
{
  static const LoadPersonEvents events = { on_settled, on_left, on_failed };

  if (member->person != NULL)
    return;
  member->person = load_person_new (&member->settings, &member->load->tally, &events, member);
  member->load->n_present++;
}

/* --- the plan ----------------------------------------------------------------------------------------------------- */

static gboolean run_events (void *data);

static void
schedule_next (Load *load)
{
  const LoadEvent *event;

  if (load->next_event == load->plan->events->len)
    return;
  event = &g_array_index (load->plan->events, LoadEvent, load->next_event);
  load->event_source =
      g_timeout_add ((unsigned) MAX (event->at_ms - get_time_ms (load), 0), run_events, load);
}

static gboolean
run_events (void *data)
{
  Load *load = data;

  load->event_source = 0;
  while (load->next_event < load->plan->events->len) {
    const LoadEvent *event = &g_array_index (load->plan->events, LoadEvent, load->next_event);
    Member *member = &load->members[event->person];

    if (event->at_ms > get_time_ms (load))
      break;
    load->next_event++;
    if (event->action == LOAD_JOIN)
      join (member);
    else if (member->person != NULL)
      load_person_leave (member->person);
  }
  schedule_next (load);
  if (is_over (load))
    g_main_loop_quit (load->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
finish (void *data)
{
  Load *load = data;

  load->end_source = 0;
  load->is_ending = true;
  g_clear_handle_id (&load->event_source, g_source_remove);
  for (unsigned i = 0; i < load->plan->cast->len; i++)
    if (load->members[i].person != NULL)
      load_person_leave (load->members[i].person);
  if (is_over (load))
    g_main_loop_quit (load->loop);
  return G_SOURCE_REMOVE;
}

/* The first signal lets everybody leave, the second one ends it. */
static gboolean
on_signal (void *data)
{
  Load *load = data;

  if (load->is_ending)
    g_main_loop_quit (load->loop);
  g_clear_handle_id (&load->end_source, g_source_remove);
  if (!load->is_ending)
    finish (load);
  return G_SOURCE_CONTINUE;
}

/* --- preparing ---------------------------------------------------------------------------------------------------- */

typedef struct {
  Load *load;
  GMutex lock; /* guards the rest */
  GError *error;
} Encoding;

static void
encode_one (gpointer data, gpointer user_data)
{
  const unsigned number = GPOINTER_TO_UINT (data) - 1;
  Encoding *encoding = user_data;
  g_autoptr (GError) error = NULL;

  encoding->load->media[number] = load_media_new (&encoding->load->format, number, &error);
  g_mutex_lock (&encoding->lock);
  if (error != NULL && encoding->error == NULL)
    encoding->error = g_steal_pointer (&error);
  g_mutex_unlock (&encoding->lock);
}

/* Once for each picture, however many participants show it. */
static bool
encode_media (Load *load, GError **error)
{
  Encoding encoding = { .load = load };
  bool is_needed[LOAD_PICTURES] = { false };
  GThreadPool *pool =
      g_thread_pool_new (encode_one, &encoding, (int) g_get_num_processors (), FALSE, NULL);

  g_mutex_init (&encoding.lock);
  for (unsigned i = 0; i < load->plan->cast->len; i++) {
    const LoadRole *role = &g_array_index (load->plan->cast, LoadRole, i);

    is_needed[role->number % LOAD_PICTURES] |= role->publishes;
  }
  for (unsigned i = 0; i < LOAD_PICTURES; i++)
    if (is_needed[i])
      g_thread_pool_push (pool, GUINT_TO_POINTER (i + 1), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_mutex_clear (&encoding.lock);
  if (encoding.error == NULL)
    return true;
  g_propagate_prefixed_error (error, encoding.error, "cannot encode what participants show: ");
  return false;
}

static void
cast_members (Load *load)
{
  const char *media = load->options.media;
  const LoadLook look = strcmp (load->options.look, "all") == 0 ? LOAD_LOOK_ALL
                                                                : LOAD_LOOK_KEYFRAMES;

  load->members = g_new0 (Member, load->plan->cast->len);
  for (unsigned i = 0; i < load->plan->cast->len; i++) {
    const LoadRole *role = &g_array_index (load->plan->cast, LoadRole, i);

    load->members[i].load = load;
    load->members[i].settings = (LoadPersonSettings){
      .server = &load->server,
      .session = role->session,
      .name = role->name,
      .data = load->options.data,
      .codec = load->format.codec,
      .format = &load->format,
      .sender = load->sender,
      .media = role->publishes ? load->media[role->number % LOAD_PICTURES] : NULL,
      .has_audio = strcmp (media, "video") != 0,
      .has_video = strcmp (media, "audio") != 0,
      .max_watched = role->watches ? (unsigned) load->options.max_watched : 0,
      .look = look,
    };
  }
}

static bool
make_sessions (Load *load, GError **error)
{
  g_autoptr (GHashTable) made = g_hash_table_new (g_str_hash, g_str_equal);

  for (unsigned i = 0; i < load->plan->cast->len; i++) {
    const char *session = g_array_index (load->plan->cast, LoadRole, i).session;

    if (g_hash_table_add (made, (char *) session) &&
        !load_rest_make_session (&load->server, session, error))
      return false;
  }
  return true;
}

/* A peer connection takes about twenty descriptors. */
static void
raise_file_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = MIN (limit.rlim_max, MAX_FILES);
  setrlimit (RLIMIT_NOFILE, &limit);
}

/* --- options ------------------------------------------------------------------------------------------------------ */

static bool refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static bool
refuse (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  if (error != NULL)
    *error = g_error_new_valist (REC_ERROR, REC_ERROR_INVALID_ARGUMENT, format, arguments);
  va_end (arguments);
  return false;
}

static bool
read_secret (Load *load, GError **error)
{
  const char *path = load->options.secret_file;
  char *secret = NULL;

  if (path != NULL && !g_file_get_contents (path, &secret, NULL, error))
    return false;
  if (path == NULL)
    secret = g_strdup (g_getenv (SECRET_VARIABLE));
  if (secret == NULL || *g_strstrip (secret) == '\0')
    return refuse (error, "the server's secret is missing: name a file that holds it "
                          "(--secret-file), or set " SECRET_VARIABLE);
  load->server.secret = secret;
  return true;
}

static bool
read_format (Load *load, GError **error)
{
  const Options *options = &load->options;
  LoadFormat *format = &load->format;
  char rest;

  if (sscanf (options->resolution, "%dx%d%c", &format->width, &format->height, &rest) != 2 ||
      format->width < 64 || format->height < 64 || format->width > 3840 || format->height > 2160)
    return refuse (error, "--resolution %s: expected WIDTHxHEIGHT, 64x64 to 3840x2160",
        options->resolution);
  format->width &= ~1;
  format->height &= ~1;
  format->codec = options->codec;
  format->frame_rate = options->frame_rate;
  format->keyframe_ms = options->keyframe_ms;
  format->flashes = options->flashes;
  format->is_busy = options->is_busy;
  format->kbps = options->kbps > 0
                     ? options->kbps
                     : MAX (format->width * format->height * format->frame_rate / 9216, 100);
  return true;
}

static bool
check_options (const Options *options, GError **error)
{
  const LoadPlanOptions *plan = &options->plan;

  if (plan->n_sessions < 1 || plan->n_publishers < 0 || plan->n_watchers < 0 ||
      plan->n_publishers + plan->n_watchers < 1)
    return refuse (error, "there must be somebody in some session");
  if (plan->stagger_s < 0 || plan->stay_s < 0 || plan->away_s < 0 || plan->duration_s < 0)
    return refuse (error, "times can't be negative");
  if (options->frame_rate < 1 || options->frame_rate > 60)
    return refuse (error, "--rate %d: expected 1 to 60", options->frame_rate);
  if (options->keyframe_ms < 100 || options->keyframe_ms > 4000)
    return refuse (error, "--keyframes %d: expected 100 to 4000", options->keyframe_ms);
  if (strcmp (options->codec, "VP8") != 0 && strcmp (options->codec, "H264") != 0)
    return refuse (error, "--codec %s: expected VP8 or H264", options->codec);
  if (strcmp (options->media, "both") != 0 && strcmp (options->media, "audio") != 0 &&
      strcmp (options->media, "video") != 0)
    return refuse (error, "--media %s: expected both, audio or video", options->media);
  if (strcmp (options->look, "all") != 0 && strcmp (options->look, "keyframes") != 0)
    return refuse (error, "--look %s: expected keyframes or all", options->look);
  if (options->max_watched < 0)
    return refuse (error, "--max-streams can't be negative");
  return true;
}

static bool
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  LoadPlanOptions *plan = &options->plan;
  char *session = NULL, *name = NULL;
  gboolean publishers_watch = FALSE;
  const GOptionEntry entries[] = {
    { "url", 'u', 0, G_OPTION_ARG_STRING, &options->url, "The server (https://localhost:4443)",
        "URL" },
    { "secret-file", 0, 0, G_OPTION_ARG_FILENAME, &options->secret_file,
        "Holds the server's secret; else " SECRET_VARIABLE " does", "FILE" },
    { "insecure", 'k', 0, G_OPTION_ARG_NONE, &options->is_insecure,
        "Take any certificate; on this machine that is always so", NULL },
    { "session", 's', 0, G_OPTION_ARG_STRING, &session, "Session to join, made if need be (load)",
        "ID" },
    { "sessions", 0, 0, G_OPTION_ARG_INT, &plan->n_sessions,
        "So many sessions, ID-1 and on, each with the same people (1)", "N" },
    { "publishers", 'p', 0, G_OPTION_ARG_INT, &plan->n_publishers, "Who publish (1)", "N" },
    { "watchers", 'w', 0, G_OPTION_ARG_INT, &plan->n_watchers, "Who only watch everybody (0)",
        "N" },
    { "subscribe", 0, 0, G_OPTION_ARG_NONE, &publishers_watch,
        "Those who publish watch everybody, too", NULL },
    { "max-streams", 0, 0, G_OPTION_ARG_INT, &options->max_watched,
        "Whoever watches, watches at most so many streams (1000)", "N" },
    { "stagger", 0, 0, G_OPTION_ARG_DOUBLE, &plan->stagger_s, "Between two who join (0.1)",
        "SECONDS" },
    { "stay", 0, 0, G_OPTION_ARG_DOUBLE, &plan->stay_s, "Each leaves after this long (0: stays)",
        "SECONDS" },
    { "away", 0, 0, G_OPTION_ARG_DOUBLE, &plan->away_s,
        "Whoever left comes back after this long (0: never)", "SECONDS" },
    { "schedule", 0, 0, G_OPTION_ARG_FILENAME, &options->schedule,
        "Who joins and leaves when, in place of the options above", "FILE" },
    { "duration", 'd', 0, G_OPTION_ARG_DOUBLE, &plan->duration_s,
        "End after this long (0: on SIGINT or SIGTERM)", "SECONDS" },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &name,
        "Names are NAME-1 and on, in the connections' data (load)", "NAME" },
    { "data", 0, 0, G_OPTION_ARG_STRING, &options->data,
        "The connections' data, of everybody, in place of {\"clientData\":NAME}", "TEXT" },
    { "media", 0, 0, G_OPTION_ARG_STRING, &options->media, "both, audio or video (both)", "WHAT" },
    { "codec", 0, 0, G_OPTION_ARG_STRING, &options->codec, "VP8 or H264 (VP8)", "CODEC" },
    { "resolution", 'r', 0, G_OPTION_ARG_STRING, &options->resolution, "Of the pictures (640x480)",
        "WxH" },
    { "rate", 0, 0, G_OPTION_ARG_INT, &options->frame_rate, "Pictures per second (30)", "N" },
    { "bitrate", 0, 0, G_OPTION_ARG_INT, &options->kbps,
        "Of the pictures, in kbit/s (1000 for 640x480 at 30, else in proportion)", "N" },
    { "keyframes", 0, 0, G_OPTION_ARG_INT, &options->keyframe_ms,
        "Between two keyframes, which come whether asked for or not (1000)", "MS" },
    { "busy", 0, 0, G_OPTION_ARG_NONE, &options->is_busy,
        "All of the picture moves, not just somebody in the middle", NULL },
    { "flash", 0, 0, G_OPTION_ARG_NONE, &options->flashes,
        "Dark and silent but for a flash and a beep every 2 s", NULL },
    { "look", 0, 0, G_OPTION_ARG_STRING, &options->look,
        "Which received pictures are decoded for their time stamp: keyframes or all (keyframes)",
        "WHAT" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->is_json, "Report as JSON", NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options->is_verbose, "Say who comes and goes", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- join a server as many, to load it");

  g_option_context_set_summary (context,
      "Each participant shows somebody who moves before a wall, in a colour of its own with the "
      "time in the middle, and says a tone\n"
      "of its own: both are encoded once, at the start. On standard error it says \"ready\" when "
      "everybody is in; at the end it prints\n"
      "what was sent and received, and exits with 1 when somebody failed.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return false;
  if (*argc > 1)
    return refuse (error, "'%s' is no option", (*argv)[1]);
  plan->session = session != NULL ? session : "load";
  plan->name = name != NULL ? name : "load";
  plan->publishers_watch = publishers_watch;
  return check_options (options, error);
}

static bool
prepare (Load *load, int argc, char **argv, GError **error)
{
  Options *options = &load->options;
  LoadAddress address = { 0 };

  *options = (Options){ .url = g_strdup ("https://localhost:4443"),
    .resolution = g_strdup ("640x480"),
    .codec = g_strdup ("VP8"),
    .media = g_strdup ("both"),
    .look = g_strdup ("keyframes"),
    .frame_rate = 30,
    .keyframe_ms = 1000,
    .max_watched = 1000,
    .plan = { .n_sessions = 1, .n_publishers = 1, .stagger_s = 0.1 } };
  if (!parse_options (options, &argc, &argv, error) || !read_secret (load, error) ||
      !read_format (load, error) || !load_address_parse (options->url, &address, error))
    return false;
  load->server.url = options->url;
  load->server.is_trusting = options->is_insecure || load_address_is_local (&address);
  load->server.timeout_s = TIMEOUT_S;
  load_address_clear (&address);
  load->plan = options->schedule != NULL ? load_plan_read (options->schedule, &options->plan, error)
                                         : load_plan_new (&options->plan);
  return load->plan != NULL;
}

/* --- main --------------------------------------------------------------------------------------------------------- */

static void
run (Load *load)
{
  unsigned sources[2];

  load->loop = g_main_loop_new (NULL, FALSE);
  sources[0] = g_unix_signal_add (SIGINT, on_signal, load);
  sources[1] = g_unix_signal_add (SIGTERM, on_signal, load);
  load->began_us = g_get_monotonic_time ();
  schedule_next (load);
  if (load->options.plan.duration_s > 0)
    load->end_source =
        g_timeout_add ((unsigned) (load->options.plan.duration_s * 1000), finish, load);
  if (load->plan->events->len > 0)
    g_main_loop_run (load->loop);
  for (unsigned i = 0; i < load->plan->cast->len; i++)
    g_clear_pointer (&load->members[i].person, load_person_free);
  g_clear_handle_id (&load->event_source, g_source_remove);
  g_clear_handle_id (&load->end_source, g_source_remove);
  g_source_remove (sources[0]);
  g_source_remove (sources[1]);
  g_main_loop_unref (load->loop);
}

int
main (int argc, char **argv)
{
  Load load = { 0 };
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C");
  if (!prepare (&load, argc, argv, &error)) {
    say ("%s", error->message);
    return EXIT_USAGE;
  }
  gst_init (NULL, NULL);
  raise_file_limit ();
  if (!make_sessions (&load, &error) || !encode_media (&load, &error)) {
    say ("%s", error->message);
    return EXIT_FAILURE;
  }
  load_tally_init (&load.tally);
  load.sender = load_sender_new ();
  cast_members (&load);
  run (&load);
  load_report_print (&load.tally, load.n_failed,
      (double) (g_get_monotonic_time () - load.began_us) / 1e6, load.options.is_json);
  load_sender_free (load.sender);
  for (unsigned i = 0; i < LOAD_PICTURES; i++)
    load_media_free (load.media[i]);
  g_free (load.members);
  load_plan_free (load.plan);
  load_tally_clear (&load.tally);
  return load.n_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
