/* plan.h - who comes when, and goes when: from the options, or a file of one event per line. */
#ifndef RECTO_LOAD_PLAN_H
#define RECTO_LOAD_PLAN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  LOAD_JOIN = 1,
  LOAD_LEAVE,
} LoadAction;

typedef struct {
  int64_t at_ms; /* from the start */
  LoadAction action;
  unsigned person; /* index into the cast */
} LoadEvent;

typedef struct {
  char *name, *session;
  bool publishes, watches;
  unsigned number; /* its colour and tone */
} LoadRole;

typedef struct {
  GArray *cast;   /* of LoadRole */
  GArray *events; /* of LoadEvent, in order of time */
} LoadPlan;

typedef struct {
  const char *session, *name;
  int n_sessions, n_publishers, n_watchers;
  bool publishers_watch;
  double stagger_s, stay_s, away_s; /* 0: stay for good; stay away for good */
  double duration_s;                /* 0: until stopped */
} LoadPlanOptions;

LoadPlan *load_plan_new (const LoadPlanOptions *options);
/* Lines "SECONDS join NAME [publish] [watch] [session=ID]" and "SECONDS leave NAME", # begins a comment. */
LoadPlan *load_plan_read (const char *path, const LoadPlanOptions *options, GError **error);
void load_plan_free (LoadPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LoadPlan, load_plan_free)

#endif
