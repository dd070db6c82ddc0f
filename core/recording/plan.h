/* plan.h - what a start request comes to: the plugins chosen, their options, and the worker's setup. [main] */
#ifndef REC_RECORDING_PLAN_H
#define REC_RECORDING_PLAN_H

#include "base/types.h"
#include "session/recording.h"

#include <glib.h>
#include <json-c/json.h>

typedef struct RecPlan RecPlan;

/* Chooses layout, sinks and options. INVALID_ARGUMENT with the list of what there is; NOT_IMPLEMENTED for what cannot be
 * recorded yet. A sink's name may end in "?" (optional) or "!" (required); else LOSSLESS sinks are required and LIVE ones
 * are optional. */
RecPlan *rec_plan_new (const RecConfig *config, RecCatalogue *catalogue,
    const RecRecordingProperties *properties, GError **error);
void rec_plan_free (RecPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecPlan, rec_plan_free)

/* The setup message for this recording. New reference. */
json_object *rec_plan_make_setup (const RecPlan *plan, const RecConfig *config,
    const RecRecording *recording);

#endif
