/* supervisor-rig.h - a server without its network, and what tests of its recordings say. [main] */
#ifndef RECTO_TESTS_SUPERVISOR_RIG_H
#define RECTO_TESTS_SUPERVISOR_RIG_H

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "media/router.h"
#include "plugin/catalogue.h"
#include "recording/supervisor.h"
#include "session/registry.h"

#include <glib.h>

#define RIG_TIMEOUT_S 90

typedef struct {
  char *folder, *recordings, *state;
  const char *workers; /* the program that records; NULL: the one of this build */
  RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecCatalogue *catalogue;
  RecSupervisor *supervisor;
} SupervisorRig;

/* What a request was answered. */
typedef struct {
  int n_calls;
  GError *error;
  RecRecording *recording; /* borrowed */
} RigAnswer;

/* The program whose workers record: $RECTO, or the one of this build. */
const char *rig_get_program (void);

/* This very program, for a test that plays the worker (lib/played-worker.h). */
const char *rig_get_self (void);

G_NORETURN gboolean rig_on_timeout (gpointer data);

/* Runs the loop until the condition holds. */
#define WAIT_FOR(condition)                                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint timeout = g_timeout_add_seconds (RIG_TIMEOUT_S, rig_on_timeout, (gpointer) #condition);  \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (timeout);                                                                     \
  }                                                                                                \
  G_STMT_END

/* For g_test_add (). Plugins are linked in, no server runs yet. */
void supervisor_rig_set_up (SupervisorRig *rig, gconstpointer data);
void supervisor_rig_tear_down (SupervisorRig *rig, gconstpointer data);

void rig_set (SupervisorRig *rig, const char *key, const char *value);
void rig_start_server (SupervisorRig *rig);
/* As when it is killed: nobody says goodbye to the workers. */
void rig_drop_server (SupervisorRig *rig);

/* Lets file time pass: there must be something in the file. */
void rig_record_for (guint ms);
/* data: a bool. */
void rig_set_true (void *data);

RecSession *rig_make_session (SupervisorRig *rig, const char *id);
/* Small. name may be NULL. */
RecRecordingProperties *rig_make_properties (const char *name);
RecRecordingProperties *rig_with_sinks (const char *sinks);

/* data: a RigAnswer. */
void rig_take_answer (RecRecording *recording, const GError *error, void *data);
/* Waits until it records. Takes properties. */
RecRecording *rig_start_as (SupervisorRig *rig, RecSession *session,
    RecRecordingProperties *properties, RecEra era);
RecRecording *rig_start (SupervisorRig *rig, RecSession *session);
/* Waits until it is complete. */
void rig_stop (SupervisorRig *rig, RecRecording *recording);
/* Takes properties. */
void rig_assert_refused (SupervisorRig *rig, RecSession *session,
    RecRecordingProperties *properties, RecErrorCode code, const char *reason);
void rig_assert_says (const char *text, const char *reason);

RecJson *rig_read_json (const char *folder, const char *name);
RecJson *rig_read_entity (const RecRecording *recording);
pid_t rig_get_worker (SupervisorRig *rig, const RecRecording *recording);
bool rig_has_journal (SupervisorRig *rig, const RecRecording *recording);
bool rig_exists (const char *folder, const char *name);
/* Ready, and ffprobe agrees with what the recording says of itself. */
void rig_assert_plays (SupervisorRig *rig, const RecRecording *recording);

#endif
