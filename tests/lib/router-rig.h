/* router-rig.h - a router without server, in a session with an owner of a stream and a viewer. [main] */
#ifndef RECTO_TESTS_ROUTER_RIG_H
#define RECTO_TESTS_ROUTER_RIG_H

#include "base/config.h"
#include "lib/fake-browser.h"
#include "lib/wait.h"
#include "media/router.h"
#include "session/registry.h"

#include <glib.h>

typedef struct {
  RecConfig *config;
  RecRegistry *registry;
  RecSession *session;
  RecRouter *router;
  RecParticipant *owner, *viewer;
  char *lost; /* why the publisher was lost */
  unsigned n_local_candidates;
  GString *local_candidates; /* a line each */
} RouterRig;

/* An answer that is awaited. */
typedef struct {
  char *text;
  GError *error;
  unsigned n_given;
} RouterAnswer;

/* For the router; data: a RouterAnswer. */
void router_rig_take_answer (const char *text, const GError *error, void *data);
void router_rig_clear_answer (RouterAnswer *answer);
/* Of the owner. */
RecStreamInfo *router_rig_add_stream (RouterRig *fixture, bool is_echoed);
/* For g_test_add (). data: "key=value key=value" of the config, or NULL. */
void router_rig_set_up (RouterRig *fixture, const void *data);
void router_rig_tear_down (RouterRig *fixture, const void *data);
/* The owner's browser, connected soon; *text (may be NULL) is what it was answered. */
FakeBrowser *router_rig_publish_and_tell (RouterRig *fixture, FakeMedia media, char **text);
FakeBrowser *router_rig_publish (RouterRig *fixture, FakeMedia media);
/* From the owner's browser to the router; data: the rig. */
void router_rig_send_owner_candidate (const char *candidate, unsigned mline_index, void *data);

#endif
