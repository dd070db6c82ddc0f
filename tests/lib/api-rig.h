/* api-rig.h - the whole API over TLS on a free port, on top of the real stages, and who asks it. */
#ifndef RECTO_TESTS_API_RIG_H
#define RECTO_TESTS_API_RIG_H

#include "api/api.h"
#include "lib/tls-client.h"
#include "session/registry.h"

typedef struct {
  char *folder, *recordings;
  RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecCatalogue *catalogue;
  RecSupervisor *supervisor;
  RecSignalServer *signal;
  RecApi *api;
  unsigned port;
  char *token; /* a text kept from one step to the next */
} ApiRig;

/* data: settings as "key=value key=value", or NULL. For g_test_add (). */
void api_rig_set_up (ApiRig *rig, gconstpointer data);
void api_rig_tear_down (ApiRig *rig, gconstpointer data);

/* OPENVIDUAPP:MY_SECRET */
#define AUTH "Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU"
#define OLD "/api"
#define NEW "/openvidu/api"

/* From a client's thread. headers: whole lines; body may be NULL. The second one knows the secret. */
TestResponse *api_rig_ask_with (ApiRig *rig, const char *method, const char *path,
    const char *headers, const char *body);
TestResponse *api_rig_ask (ApiRig *rig, const char *method, const char *path, const char *body);

typedef struct {
  const char *method, *path, *body;
  unsigned status;
  const char *text; /* in the answer, or NULL */
} ApiStep;

/* Each must be answered with its status and text. */
void api_rig_take_steps (ApiRig *rig, const ApiStep *steps, size_t n_steps);

/* Runs on the client's thread; the main loop serves meanwhile. */
#define STEPS(name, ...)                                                                           \
  static void name##_steps (void *data)                                                            \
  {                                                                                                \
    static const ApiStep steps[] = { __VA_ARGS__ };                                                \
    api_rig_take_steps (data, steps, G_N_ELEMENTS (steps));                                        \
  }                                                                                                \
  static void name (ApiRig *rig, gconstpointer data G_GNUC_UNUSED)                                 \
  {                                                                                                \
    test_run_beside_loop (name##_steps, rig);                                                      \
  }

#endif
