/* supervisor-private.h - the supervisor, as its files share it. [main] */
#ifndef REC_RECORDING_SUPERVISOR_PRIVATE_H
#define REC_RECORDING_SUPERVISOR_PRIVATE_H

#include "recording/admission.h"
#include "recording/automatic.h"
#include "recording/job.h"
#include "recording/page-check.h"
#include "recording/restore.h"
#include "recording/supervisor.h"
#include "session/registry.h"

struct RecSupervisor {
  RecJobContext context;
  RecCatalogue *catalogue;
  GPtrArray *jobs; /* of RecJob */
  RecRestore *restore;
  RecAdmission *admission;
  RecAutomatic *automatic;
  RecPageCheck *page_check; /* NULL: recording is off */
  guint cleaning;           /* idle source that frees jobs which are over */
  bool is_stopping;
  bool is_draining; /* atomic */
  void (*drained) (void *data);
  void *drained_data;
  void (*all_stopped) (void *data);
  void *all_stopped_data;
  guint stop_deadline;
};

/* --- supervisor.c ------------------------------------------------------------------------------------------ */

RecJob *rec_supervisor_find_job (const RecSupervisor *supervisor, const RecRecording *recording);
/* Recordings of this server that are not complete. */
guint rec_supervisor_count_running (const RecSupervisor *supervisor);
/* Frees jobs that are over, and looks whether somebody waits for that. */
void rec_supervisor_clean_up_later (RecSupervisor *supervisor);

/* --- supervisor-events.c ----------------------------------------------------------------------------------- */

extern const RecRegistryEvents rec_supervisor_registry_events;

/* --- supervisor-operations.c ------------------------------------------------------------------------------- */

void rec_supervisor_look_whether_drained (RecSupervisor *supervisor);

#endif
