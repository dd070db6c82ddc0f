/* layout-list.h - every layout that a request may name now: of arranging plugins, and of page plugins with their folders. [main] */
#ifndef REC_PLUGIN_LAYOUT_LIST_H
#define REC_PLUGIN_LAYOUT_LIST_H

#include "base/types.h"

#include <glib.h>
#include <json-c/json.h>

/* list: {layouts [{recordingLayout, customLayout (pages only, "" for one without a name), plugin, kind "arranging" | "page",
 * summary}], problems [{plugin, message}]}, borrowed. */
typedef void (*RecLayoutsListed) (json_object *list, void *data);

/* Asks the page plugins in children, on a thread; listed is called once, from the main loop. folder: of the custom
 * layouts. */
void rec_layout_list_run (RecCatalogue *catalogue, const char *folder, RecLayoutsListed listed,
    void *data);

#endif
