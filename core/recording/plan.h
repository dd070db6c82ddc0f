/* plan.h - what a start request comes to: the plugins chosen, their options, and the worker's setup. [main] */
#ifndef REC_RECORDING_PLAN_H
#define REC_RECORDING_PLAN_H

#include "base/types.h"
#include "session/recording.h"

#include <glib.h>
#include <json-c/json.h>

typedef struct RecPlan RecPlan;

/* Chooses layout, sinks and options. INVALID_ARGUMENT with the list of what there is; NOT_IMPLEMENTED for what cannot be
 * recorded yet, or needs a browser where there is none. A sink's name may end in "?" (optional) or "!" (required); else LOSSLESS sinks are required and LIVE ones
 * are optional. */
RecPlan *rec_plan_new (const RecConfig *config, RecCatalogue *catalogue,
    const RecRecordingProperties *properties, GError **error);
void rec_plan_free (RecPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecPlan, rec_plan_free)

/* The page layout's plugin as {id, file, options}, borrowed; NULL for a native layout. */
json_object *rec_plan_get_page (const RecPlan *plan);

/* The setup message for this recording, but for its page. New reference. */
json_object *rec_plan_make_setup (const RecPlan *plan, const RecConfig *config,
    const RecRecording *recording);

#endif
