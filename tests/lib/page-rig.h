/* page-rig.h - a web server for one test, a worker that records its pages in a real browser, and a look at what is left. */
#ifndef RECTO_TESTS_PAGE_RIG_H
#define RECTO_TESTS_PAGE_RIG_H

#include "lib/worker-rig.h"

#include <gio/gio.h>

/* Serves texts by path on loopback, from the main context. */
typedef struct {
  GSocketService *service;
  unsigned port;
  GHashTable *pages; /* path -> HTML */
  GHashTable *hits;  /* path -> how often asked for */
} RecPageSite;

RecPageSite *rec_page_site_new (void);
void rec_page_site_free (RecPageSite *site);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecPageSite, rec_page_site_free)

/* html: %s is not expanded. Paths that were not added answer 404. */
void rec_page_site_add (RecPageSite *site, const char *path, const char *html);
unsigned rec_page_site_count (RecPageSite *site, const char *path);
char *rec_page_site_dup_url (RecPageSite *site, const char *path);

/* The setup's page for an address, with the fallback best_fit and 20 s to be ready. */
json_object *rec_page_rig_describe (const char *address);
/* Borrowed parts of it. */
json_object *rec_page_rig_get_options (json_object *page);
json_object *rec_page_rig_get_browser (json_object *page);

/* A worker that records it at 640x360@15; returns before it is ready. Takes page. */
RecWorkerRig *rec_page_rig_new (json_object *page);
/* Waits, long enough for a slow machine, until there was such an event of the page, or ready; fails the test if the worker
 * fails first. */
json_object *rec_page_rig_wait (RecWorkerRig *rig, const char *event);
void rec_page_rig_wait_ready (RecWorkerRig *rig);
void rec_page_rig_wait_failed (RecWorkerRig *rig);
json_object *rec_page_rig_find (RecWorkerRig *rig, const char *event); /* NULL: none */
/* Whether a line of its console, so far, has this in it. */
bool rec_page_rig_has_line (RecWorkerRig *rig, const char *part);
void rec_page_rig_wait_line (RecWorkerRig *rig, const char *part);

/* Ids of the worker's descendants whose command line has this in it. */
GArray *rec_page_rig_list_processes (pid_t root, const char *part);
/* Waits until none of them lives. */
void rec_page_rig_wait_gone (GArray *pids);
/* The private folders of this worker's browsers. */
char *rec_page_rig_find_profile (RecWorkerRig *rig);

#endif
