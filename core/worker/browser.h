/* browser.h - the life of one Chromium: its arguments, its private folder, its process, its end. [main]
 *
 * It talks over a pair of pipes and listens nowhere. It runs as an unprivileged user in its own sandbox, reaches nothing
 * on the network but what it is allowed (by HTTP and WebSocket; WebRTC's UDP is not held back), and dies with us. */
#ifndef REC_WORKER_BROWSER_H
#define REC_WORKER_BROWSER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct RecBrowser RecBrowser;

/* Strings are borrowed while the browser is made. */
typedef struct {
  const char *program;           /* a path, or a name to be looked for */
  const char *user;              /* "": ours */
  const char *profile_directory; /* where the private folder is made */
  bool has_sandbox;
  int width, height;
  const char *title;      /* of the one tab that may be captured */
  const char *host_rules; /* --host-resolver-rules; "": none */
  const char *
      cert_key_hash; /* base64 of the SHA-256 of the server's key; "": only what the system trusts */
  const char *const *reachable; /* "host:port", NULL at the end */
  const char *group;            /* folder of a control group to make its own in; "": none */
  int64_t max_memory_bytes, max_cpu_percent; /* of that; 0: no limit */
} RecBrowserRecipe;

/* Argument vector without the program. Pure. */
char **rec_browser_make_arguments (const RecBrowserRecipe *recipe, const char *profile);
/* "host:port" of an http, https, ws or wss address; NULL: it is none. Pure. Free it. */
char *rec_browser_dup_host (const char *url);

/* Called once, when the process ends by itself: how it ended, and its last words. */
typedef void (*RecBrowserEnded) (const char *how, void *data);

/* NOT_IMPLEMENTED: there is no such browser, or it may not run like this. */
RecBrowser *rec_browser_new (const RecBrowserRecipe *recipe, RecBrowserEnded ended, void *data,
    GError **error);
/* Kills all its processes and removes its folder. */
void rec_browser_free (RecBrowser *browser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecBrowser, rec_browser_free)

pid_t rec_browser_get_pid (const RecBrowser *browser);
/* Whether the kernel holds it to its limits; else somebody has to look. */
bool rec_browser_has_cage (const RecBrowser *browser);
/* NULL, or that the kernel has killed it for its memory, in words. Free it. */
char *rec_browser_dup_excess (const RecBrowser *browser);
/* Asked about once a second: NULL, or that the kernel has held it back for long, in words. Free it. */
char *rec_browser_dup_shortage (RecBrowser *browser);
/* Both non-blocking; owned by the browser. */
int rec_browser_get_read_fd (const RecBrowser *browser);
int rec_browser_get_write_fd (const RecBrowser *browser);

#endif
