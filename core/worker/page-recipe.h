/* page-recipe.h - the setup's page: asks the layout plugin for it, and checks the answer. */
#ifndef REC_WORKER_PAGE_RECIPE_H
#define REC_WORKER_PAGE_RECIPE_H

#include "plugin/loader.h"
#include "worker/recorder.h"

#include <json-c/json.h>

typedef struct {
  json_object *setup; /* the page's part; all strings not owned lie in it */
  RecLoadedPlugin *plugin;
  RecOptions *options;
  char *url;                     /* owned */
  char **reachable;              /* owned; "host:port" */
  int width, height, frame_rate; /* of the window and its capture; both sides even */
  uint32_t background;
  int ready_timeout_ms;
  bool has_sound;
  bool must_join; /* the address carries the secret: it is of no use before it has joined */
  bool may_fall_back;
  const char *secret;
} RecPageRecipe;

/* setup: the message's "page", checked against the table; borrowed. The error's code says whether the layout is not found, invalid, or unsupported. */
RecPageRecipe *rec_page_recipe_new (json_object *setup, const RecRecorderRecipe *recorder,
    GError **error);
void rec_page_recipe_free (RecPageRecipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecPageRecipe, rec_page_recipe_free)

#endif
