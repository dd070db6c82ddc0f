/* private.h - what the files of core/session share and nobody else includes. [main] */
#ifndef REC_SESSION_PRIVATE_H
#define REC_SESSION_PRIVATE_H

#include "session/ids.h"
#include "session/registry.h"

struct RecRegistry {
  const RecConfig *config; /* borrowed */
  RecWallClock clock;
  void *clock_data;
  RecWallClock ticks; /* NULL: the system's */
  void *ticks_data;
  char *public_url;      /* "https://HOST:PORT", without a slash at the end */
  GPtrArray *listeners;  /* of Listener, owned */
  GPtrArray *sessions;   /* of RecSession, by age; each entry holds one reference */
  GPtrArray *recordings; /* of RecRecording; each entry holds one reference */
};

typedef struct {
  const RecRegistryEvents *events;
  void *data;
} RecRegistryListener;

/* Calls member of every listener that has it, in the order of subscription. */
#define REC_EMIT(registry, member, ...)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    for (guint rec_i = 0; rec_i < (registry)->listeners->len; rec_i++) {                           \
      const RecRegistryListener *rec_l = (registry)->listeners->pdata[rec_i];                      \
      if (rec_l->events->member != NULL)                                                           \
        rec_l->events->member (__VA_ARGS__, rec_l->data);                                          \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

/* Listeners may end what they are told of; whoever emits holds a reference meanwhile. */
RecSession *rec_session_ref (RecSession *session);
void rec_session_unref (RecSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecSession, rec_session_unref)

RecParticipant *rec_participant_ref (RecParticipant *participant);
void rec_participant_unref (RecParticipant *participant);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecParticipant, rec_participant_unref)

void rec_connection_free (RecConnection *connection);
void rec_stream_info_free (RecStreamInfo *stream);
void rec_subscription_free (RecSubscription *subscription);

/* Removes the participant as rec_registry_leave does, but never closes its session. */
void rec_registry_remove_participant (RecRegistry *registry, RecParticipant *participant,
    const char *reason);
void rec_registry_close_if_empty (RecRegistry *registry, RecSession *session);

#endif
