/* prober.h - inspects many plugins at once, each in a throwaway child with a deadline. [any] */
#ifndef REC_PLUGIN_PROBER_H
#define REC_PLUGIN_PROBER_H

#include "base/types.h"

#include <glib.h>
#include <json-c/json.h>

typedef struct {
  char *file;
  json_object *descriptor; /* as probe.c prints it, checked; NULL when refused */
  json_object
      *layouts;  /* of rec_prober_list: array of {name, summary}, checked; NULL when refused */
  char *refusal; /* why not; NULL when there is a descriptor */
} RecProbeResult;

/* Runs `program --probe FILE` for each of files (NULL at the end), a few at a time; blocks until all have ended or were
 * ended. Returns an array of RecProbeResult in the order of files. */
GPtrArray *rec_prober_run (const char *program, const char *const *files, int timeout_ms);

/* The same for page layouts, `program --probe FILE --layouts-in FOLDER`: what each offers in folder now. */
GPtrArray *rec_prober_list (const char *program, const char *const *files, const char *folder,
    int timeout_ms);

#endif
