/* api.h - the outside of the server: REST, files, status page and WebSocket on one TLS port. [main] */
#ifndef REC_API_API_H
#define REC_API_API_H

#include "base/types.h"

#include <glib.h>

typedef struct {
  const RecConfig *config;
  RecRegistry *registry;
  RecRouter *router;
  RecSupervisor *supervisor;
  RecCatalogue *catalogue;
  RecSignalServer *signal;
  RecEvents *events;   /* for the metrics; may be NULL */
  const char *program; /* our own, absolute */
} RecApiContext;

typedef struct RecApi RecApi;

/* Listens. Everything in context is borrowed and must outlive it. */
RecApi *rec_api_new (const RecApiContext *context, GError **error);
/* When no file is being uploaded any more, done is called, once. False: none is, and done will not be called. */
bool rec_api_wait_for_uploads (RecApi *api, void (*done) (void *data), void *data);
/* Refuses new requests; those suspended are answered 503 by free. */
void rec_api_stop (RecApi *api);
void rec_api_free (RecApi *api);

#endif
