/* browser.c - starts one Chromium, and leaves nothing of it behind. */
#define G_LOG_DOMAIN "rec.worker.browser"
#include "worker/browser.h"

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "worker/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_FD 3 /* of the browser */
#define WRITE_FD 4
#define KILL_MS 2000
#define WORDS_BYTES 2000
#define MAX_READS 16 /* of its words, in one turn */
#define SHARED_MEMORY_BYTES (UINT64_C (256) << 20)
#define FOLDER_PREFIX "recto-page-"

struct RecBrowser {
  RecChild *child;
  RecCage *cage; /* NULL: none */
  char *profile; /* NULL: none yet */
  int read_fd, write_fd, words_fd;
  unsigned words_source;
  GString *words; /* the end of what it said on its standard error */
  RecBrowserEnded ended;
  void *data;
};

/* --- arguments ----------------------------------------------------------------------------------- */

static const char *const fixed_arguments[] = {
  "--headless=new",
  "--remote-debugging-pipe",
  "--no-startup-window",
  "--hide-scrollbars",
  "--autoplay-policy=no-user-gesture-required",
  "--force-device-scale-factor=1",
  "--force-color-profile=srgb",
  /* A window that nobody looks at must go on at full speed. */
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--disable-background-timer-throttling",
  "--disable-ipc-flooding-protection",
  "--disable-hang-monitor",
  /* No graphics processor is asked for, nor anybody on the network. */
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-client-side-phishing-detection",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--disable-extensions",
  "--disable-sync",
  "--disable-breakpad",
  "--disable-crash-reporter",
  "--disable-features=Translate,MediaRouter,OptimizationHints,DialMediaRouteProvider",
  "--metrics-recording-only",
  "--no-default-browser-check",
  "--no-first-run",
  "--no-pings",
  "--password-store=basic",
  "--deny-permission-prompts",
  /* A proxy that is not there: only what may pass it is reached. */
  "--proxy-server=http://127.0.0.1:9",
};

static void
add (GPtrArray *arguments, const char *format, const char *value)
{
  g_ptr_array_add (arguments, g_strconcat (format, value, NULL));
}

static bool
has_little_shared_memory (void)
{
  const int64_t free_bytes = rec_path_get_free_bytes ("/dev/shm");

  return free_bytes < 0 || (uint64_t) free_bytes < SHARED_MEMORY_BYTES;
}

char **
rec_browser_make_arguments (const RecBrowserRecipe *recipe, const char *profile)
{
  GPtrArray *arguments = g_ptr_array_new ();
  g_autofree char *reachable = g_strjoinv (";", (char **) recipe->reachable);
  g_autofree char *size = g_strdup_printf ("%d,%d", recipe->width, recipe->height);

  for (size_t i = 0; i < G_N_ELEMENTS (fixed_arguments); i++)
    add (arguments, fixed_arguments[i], "");
  add (arguments, "--user-data-dir=", profile);
  add (arguments, "--window-size=", size);
  add (arguments, "--auto-select-tab-capture-source-by-title=", recipe->title);
  /* The later rule wins: loopback is no exception unless it is named. */
  add (arguments, "--proxy-bypass-list=<-loopback>;", reachable);
  if (*recipe->host_rules != '\0')
    add (arguments, "--host-resolver-rules=", recipe->host_rules);
  if (*recipe->cert_key_hash != '\0')
    add (arguments, "--ignore-certificate-errors-spki-list=", recipe->cert_key_hash);
  if (!recipe->has_sandbox)
    add (arguments, "--no-sandbox", "");
  if (has_little_shared_memory ())
    add (arguments, "--disable-dev-shm-usage", "");
  g_ptr_array_add (arguments, NULL);
  return (char **) g_ptr_array_free (arguments, FALSE);
}

char *
rec_browser_dup_host (const char *url)
{
  static const struct {
    const char *scheme;
    int port;
  } schemes[] = { { "https", 443 }, { "http", 80 }, { "wss", 443 }, { "ws", 80 } };
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  const char *authority = strstr (url, "://");

  if (host == NULL || *host == '\0' || authority == NULL)
    return NULL;
  authority += strlen ("://");
  /* What ends a rule of the bypass list, or what another parser may read another way. */
  if (strcspn (authority, ";, *<>@%\\") < strcspn (authority, "/?#"))
    return NULL;
  for (size_t i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_ascii_strcasecmp (g_uri_get_scheme (uri), schemes[i].scheme) == 0)
      return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%d" : "%s:%d", host,
          g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : schemes[i].port);
  return NULL;
}

/* --- who runs it, and where ------------------------------------------------------------------------ */

static bool
find_user (const RecBrowserRecipe *recipe, RecChildUser *user, GError **error)
{
  *user = (RecChildUser){ getuid (), getgid () };
  if (*recipe->user != '\0' && !rec_child_find_user (recipe->user, user)) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED,
        "cannot run the browser as user '%s': there is no such user (browser.user)", recipe->user);
    return false;
  }
  if (user->uid != getuid () && geteuid () != 0) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED,
        "cannot run the browser as user '%s': only root can (browser.user)", recipe->user);
    return false;
  }
  if (user->uid == 0 && recipe->has_sandbox) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED,
        "the browser's sandbox does not work for root: name an unprivileged user in browser.user, "
        "or trust every page and set browser.sandbox to false");
    return false;
  }
  return true;
}

static char *
find_program (const char *program, GError **error)
{
  char *path = g_find_program_in_path (program);

  if (path == NULL)
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED,
        "page layouts need a browser, but there is no '%s': install the package chromium, or set "
        "browser.program",
        program);
  return path;
}

/* Folders of workers that were killed: their name says whose they are, but anybody can give them to a folder in /tmp. */
static void
sweep (const char *directory, const RecChildUser *user)
{
  const uid_t owners[] = { geteuid (), user->uid };
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);
    long pid = 0;
    unsigned long long ticks = 0;

    if (sscanf (name, FOLDER_PREFIX "%ld-%llu-", &pid, &ticks) == 2 && pid > 0 &&
        rec_child_read_start_ticks ((pid_t) pid) != ticks)
      (void) rec_path_remove_tree_of (path, owners, G_N_ELEMENTS (owners), NULL);
  }
}

static bool
make_profile (RecBrowser *browser, const char *directory, const RecChildUser *user, GError **error)
{
  const long pid = getpid ();
  g_autofree char *path = g_strdup_printf ("%s/" FOLDER_PREFIX "%ld-%llu-XXXXXX", directory, pid,
      (unsigned long long) rec_child_read_start_ticks ((pid_t) pid));
  rec_autofd int folder = -1;
  struct stat info;

  sweep (directory, user);
  if (g_mkdtemp (path) == NULL) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED,
        "cannot make a folder for the browser in '%s' (browser.profile-directory): %s", directory,
        g_strerror (errno));
    return false;
  }
  browser->profile = g_steal_pointer (&path);
  /* Not by its name, which may lead elsewhere by now if others may write to the directory. */
  folder = open (browser->profile, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (user->uid == geteuid () ||
      (folder >= 0 && fstat (folder, &info) == 0 && info.st_uid == geteuid () &&
          fchown (folder, user->uid, user->gid) == 0))
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_FAILED,
      "cannot give the browser's folder '%s' to its user: %s", browser->profile,
      g_strerror (errno));
  return false;
}

/* Without one its limits are watched over by asking. */
static void
make_cage (RecBrowser *browser, const RecBrowserRecipe *recipe)
{
  g_autoptr (GError) error = NULL;

  if (*recipe->group == '\0')
    return;
  browser->cage =
      rec_cage_new (recipe->group, recipe->max_memory_bytes, recipe->max_cpu_percent, &error);
  if (browser->cage == NULL)
    g_warning ("the browser gets no control group, and is measured once a second: %s",
        error->message);
}

/* --- its process ------------------------------------------------------------------------------------ */

static void
read_words (RecBrowser *browser)
{
  char buffer[4096];
  ssize_t n = 1;

  /* Whoever talks without end must not be the only one we listen to. */
  for (int i = 0; i < MAX_READS && (n = read (browser->words_fd, buffer, sizeof buffer)) > 0; i++) {
    g_string_append_len (browser->words, buffer, n);
    if (browser->words->len > WORDS_BYTES)
      g_string_erase (browser->words, 0, (gssize) (browser->words->len - WORDS_BYTES));
  }
}

static gboolean
on_words (int fd, GIOCondition condition, gpointer data)
{
  RecBrowser *browser = data;

  (void) fd;
  read_words (browser);
  if (!(condition & (G_IO_HUP | G_IO_ERR)))
    return G_SOURCE_CONTINUE;
  browser->words_source = 0;
  return G_SOURCE_REMOVE;
}

/* The last lines, which tell of what went wrong; the first may be cut. */
static char *
dup_last_words (const RecBrowser *browser)
{
  g_autofree char *valid = g_utf8_make_valid (browser->words->str, (gssize) browser->words->len);
  g_auto (GStrv) lines = g_strsplit (g_strstrip (valid), "\n", -1);
  const unsigned n = g_strv_length (lines);

  return g_strjoinv (" | ", lines + (n > 3 ? n - 3 : 0));
}

static void
on_ended (RecChild *child, int status, void *data)
{
  RecBrowser *browser = data;
  g_autofree char *reason = rec_child_dup_exit_reason (status);
  g_autofree char *words = NULL;
  g_autofree char *how = NULL;

  (void) child;
  read_words (browser);
  words = dup_last_words (browser);
  how = g_strdup_printf ("%s%s%s", reason, *words != '\0' ? "; its last words: " : "", words);
  browser->ended (how, browser->data);
}

static bool
spawn (RecBrowser *browser, const RecBrowserRecipe *recipe, const char *program,
    const RecChildUser *user, GError **error)
{
  g_auto (GStrv) arguments = rec_browser_make_arguments (recipe, browser->profile);
  g_autofree const char **argv = g_new0 (const char *, g_strv_length (arguments) + 2);
  g_autofree char *home = g_strconcat ("HOME=", browser->profile, NULL);
  g_autofree char *temporary = g_strconcat ("TMPDIR=", browser->profile, NULL);
  g_autofree char *configuration = g_strconcat ("XDG_CONFIG_HOME=", browser->profile, NULL);
  g_autofree char *cache = g_strconcat ("XDG_CACHE_HOME=", browser->profile, NULL);
  const char *const environment[] = { home, temporary, configuration, cache, NULL };
  int to[2], from[2], words[2];

  argv[0] = program;
  memcpy (argv + 1, arguments, sizeof (char *) * g_strv_length (arguments));
  if (!rec_fd_pipe (to, error))
    return false;
  browser->write_fd = to[1];
  rec_autofd int theirs_read = to[0], theirs_write = -1, theirs_words = -1;
  if (!rec_fd_pipe (from, error))
    return false;
  browser->read_fd = from[0];
  theirs_write = from[1];
  if (!rec_fd_pipe (words, error))
    return false;
  browser->words_fd = words[0];
  theirs_words = words[1];
  if (!rec_fd_set_nonblocking (to[1], true, error) ||
      !rec_fd_set_nonblocking (from[0], true, error) ||
      !rec_fd_set_nonblocking (words[0], true, error))
    return false;

  const RecChildFd fds[] = { { theirs_words, STDERR_FILENO }, { theirs_read, READ_FD },
    { theirs_write, WRITE_FD } };
  const RecChildSetup setup = {
    .argv = argv,
    .fds = fds,
    .n_fds = G_N_ELEMENTS (fds),
    .has_free_address_space = true,
    .user = user->uid != getuid () ? user : NULL,
    .extra_environment = environment,
    .has_no_new_privileges = true,
    .dies_with_us = true,
    .group_fd = browser->cage != NULL ? rec_cage_get_entrance (browser->cage) : 0,
  };
  browser->child = rec_child_new (&setup, error);
  return browser->child != NULL;
}

RecBrowser *
rec_browser_new (const RecBrowserRecipe *recipe, RecBrowserEnded ended, void *data, GError **error)
{
  g_autoptr (RecBrowser) browser = g_new0 (RecBrowser, 1);
  g_autofree char *program = NULL;
  RecChildUser user;

  browser->read_fd = browser->write_fd = browser->words_fd = -1;
  browser->words = g_string_new (NULL);
  browser->ended = ended;
  browser->data = data;
  program = find_program (recipe->program, error);
  if (program == NULL || !find_user (recipe, &user, error) ||
      !make_profile (browser, recipe->profile_directory, &user, error))
    return NULL;
  make_cage (browser, recipe);
  if (!spawn (browser, recipe, program, &user, error))
    return NULL;
  browser->words_source = g_unix_fd_add (browser->words_fd, G_IO_IN, on_words, browser);
  rec_child_watch (browser->child, on_ended, browser);
  return g_steal_pointer (&browser);
}

void
rec_browser_free (RecBrowser *browser)
{
  int status;

  if (browser == NULL)
    return;
  rec_fd_close (&browser->write_fd);
  rec_fd_close (&browser->read_fd);
  if (browser->child != NULL && rec_child_get_pid (browser->child) > 0) {
    rec_child_signal_group (browser->child, SIGKILL);
    if (!rec_child_reap (browser->child, KILL_MS, &status))
      g_warning ("the browser, process %ld, does not end",
          (long) rec_child_get_pid (browser->child));
  }
  rec_child_free (browser->child);
  rec_cage_free (browser->cage);
  if (browser->words_source != 0)
    g_source_remove (browser->words_source);
  rec_fd_close (&browser->words_fd);
  if (browser->profile != NULL) {
    g_autoptr (GError) error = NULL;

    if (!rec_path_remove_tree (browser->profile, &error))
      g_warning ("cannot remove the browser's folder: %s", error->message);
  }
  g_free (browser->profile);
  g_string_free (browser->words, TRUE);
  g_free (browser);
}

pid_t
rec_browser_get_pid (const RecBrowser *browser)
{
  return rec_child_get_pid (browser->child);
}

bool
rec_browser_has_cage (const RecBrowser *browser)
{
  return browser->cage != NULL;
}

char *
rec_browser_dup_excess (const RecBrowser *browser)
{
  return browser->cage != NULL ? rec_cage_dup_excess (browser->cage) : NULL;
}

char *
rec_browser_dup_shortage (RecBrowser *browser)
{
  return browser->cage != NULL ? rec_cage_dup_shortage (browser->cage) : NULL;
}

int
rec_browser_get_read_fd (const RecBrowser *browser)
{
  return browser->read_fd;
}

int
rec_browser_get_write_fd (const RecBrowser *browser)
{
  return browser->write_fd;
}
